"""The files that lie beside a source: only plain ones, of its own folder, by their exact names."""

from __future__ import annotations

import re
from pathlib import Path

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
NAME_LIMIT = 100
PLAIN = "use letters, digits, full stop, hyphen and underscore"
ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//")
"""Begins what is no file but an address."""


class FileError(Exception):
    """A file that cannot be used: message and hint."""


def find_file(folder: Path, name: str, home: Path) -> Path:
    """Return the path of the file ``name`` in ``folder``. Raises ``FileError``.

    A link may lead to another file below ``home``, which is resolved.
    """
    check_name(name, f"put it into {folder}; {PLAIN}")
    file = folder / name
    try:
        there = file.resolve().is_relative_to(home) and file.is_file()
        exact = there and name in (other.name for other in folder.iterdir())
    except (OSError, RuntimeError):
        there = exact = False
    if not there:
        what = "no such file" if not file.exists() else "outside the folder" if file.is_file() else "not a file"
        raise FileError(what, f"put it into {folder}")
    if not exact:
        raise FileError("no such file; its name has other capital letters", "write the name exactly as it is")
    return file


def check_name(name: str, hint: str) -> None:
    """Raise ``FileError`` when a file may not have this name in the public tree."""
    if not NAME.fullmatch(name) or len(name) > NAME_LIMIT:
        raise FileError("not a plain file name", hint)
