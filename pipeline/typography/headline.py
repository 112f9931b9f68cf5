"""Headlines: shortened to a number of characters, or balanced over their lines, which WeasyPrint cannot do."""

from __future__ import annotations

import unicodedata

LONG_TITLE = 110
"""Characters. A longer headline is set in the second of ``TITLE_SIZES``."""
TITLE_SIZES = (21, 17)
"""Points, in the face of the PDF."""
_SPARE = 1.02
"""Kerning and rounding can make a line slightly wider than the sum of its letters."""


def shortened(title: str, limit: int) -> str:
    """Return ``title``; if it has more than ``limit`` characters, cut between words, with an ellipsis.

    A wide character (Chinese, Japanese, Korean) counts as two.
    """
    if columns(title) <= limit:
        return title
    used = 0
    cut = ""
    for character in title:
        used += _columns(character)
        if used > limit - 1:
            break
        cut += character
    head, blank, _ = cut.rpartition(" ")
    return (head if blank else cut).rstrip(" ,;:–—-、，·") + "…"


def columns(text: str) -> int:
    """Return how wide ``text`` is, in letters of mean width; a wide character counts as two."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def balanced_width(title: str, size: float, measure: float) -> float:
    """Return the narrowest width, in the unit of ``size``, at which ``title`` has no more lines than at ``measure``.

    Returns 0 if the title fits on one line, or if one of its words is wider than ``measure``: use ``measure`` then.
    """
    from pipeline.typography import fonts

    face = next(face for face in fonts.FACES if face.file == "Spectral-SemiBold.ttf")
    widths = [fonts.text_width(word, face) * size * _SPARE for word in title.split()]
    blank = fonts.text_width(" ", face) * size
    if not widths or max(widths) > measure:
        return 0
    lines = _lines(widths, blank, measure)
    if lines == 1:
        return 0
    low, high = max(widths), measure
    while high - low > 1:
        middle = (low + high) / 2
        low, high = (low, middle) if _lines(widths, blank, middle) == lines else (middle, high)
    return round(high, 1)


def _lines(widths: list[float], blank: float, measure: float) -> int:
    lines, used = 1, 0.0
    for width in widths:
        if used and used + blank + width > measure:
            lines, used = lines + 1, width
        else:
            used += (blank if used else 0) + width
    return lines
