"""A pseudo-terminal for tests that need one."""

from __future__ import annotations

import os
import pty

import pytest


def require_terminal() -> None:
    """Skip the test where no pseudo-terminal can be opened, as in a chroot or container without /dev/pts."""
    try:
        for end in pty.openpty():
            os.close(end)
    except OSError as error:
        pytest.skip(f"no pseudo-terminal here (is /dev/pts mounted?): {error}")
