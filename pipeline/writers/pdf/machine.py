"""What a machine must not add to a PDF: faces of its own, settings for faces, the languages that its user prefers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.typography.templates import FOLDER

_SETTINGS = "FONTCONFIG_FILE"
_PREFERENCES = ("LANGUAGE", "PANGO_LANGUAGE")
"""By these Pango sets words in another script than the text's: English in an Arabic release with a Turkish i."""
_DAY = "SOURCE_DATE_EPOCH"
"""By this fontTools dates a face that it saves; without it, by the clock. WeasyPrint has it save those of emoji."""


@contextmanager
def kept_out() -> Iterator[None]:
    """Let the libraries that set text find our faces alone; the environment is their only way to be told."""
    before = {name: os.environ.pop(name, None) for name in (_SETTINGS, _DAY, *_PREFERENCES)}
    os.environ |= {_SETTINGS: str(FOLDER / "fonts.conf"), _DAY: "0"}
    try:
        yield
    finally:
        del os.environ[_SETTINGS], os.environ[_DAY]
        os.environ.update({name: value for name, value in before.items() if value is not None})
