"""What WeasyPrint 70 computes again for every line, box and document, kept: the same PDFs for less work.

WeasyPrint has no setting for any of this, so functions of it are replaced here, each by one that gives the same result:
the bytes of a PDF do not depend on them, but for those of PNG pictures, which are not compressed again (``plain`` takes
them away, and a test compares). Another version of WeasyPrint works without them until they are read again.

``parsing`` reads the document, ``styles`` finds what applies to its elements, ``lines`` sets its text, ``layout`` puts
boxes on pages, and ``drawing`` writes them. Each names its ``REPLACED``: owner, attribute, and what takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import weasyprint

from pipeline.writers.pdf.shortcuts import drawing, layout, lines, parsing, styles
from pipeline.writers.pdf.shortcuts.styles import know_places

__all__ = ["install", "know_places", "plain"]

_VERSION = "70."
_REPLACED = tuple(row for module in (parsing, styles, lines, layout, drawing) for row in module.REPLACED)
_ORIGINALS = tuple((owner, name, vars(owner)[name]) for owner, name, _ in _REPLACED)


def install() -> None:
    """Put the shortcuts in place of WeasyPrint's functions."""
    if weasyprint.VERSION.startswith(_VERSION):
        _set(_REPLACED)


@contextmanager
def plain() -> Iterator[None]:
    """Work without shortcuts within the block."""
    _set(_ORIGINALS)
    try:
        yield
    finally:
        install()


def _set(values: tuple[tuple[Any, str, Any], ...]) -> None:
    for owner, name, value in values:
        setattr(owner, name, value)
