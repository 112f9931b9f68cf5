"""Tables for Word: columns as wide as their words ask for, a small face where that is not enough."""

from __future__ import annotations

from msgspec import Struct

from pipeline.model.document import Table
from pipeline.writers.columns import WORD_LIMITS, Size, alignment, height, needs, share

_SIZES = (Size("Table Text", 9, 12, 8.25), Size("Table Small", 7, 9.5, 4.5), Size("Table Smallest", 6, 8.5, 4.5))
"""As reference.docx has them."""
_CODE = {"Table Text": "Code Table", "Table Small": "Code Small", "Table Smallest": "Code Smallest"}
"""Character styles of code in them."""
_SPARE = 1.2
"""How much wider words may be than in the table's own face: in Arial, which may have to step in."""
_POINT = 20
"""Word's unit is the twentieth of a point."""
_STYLES = {"": "", "left": "", "center": " Centred", "right": " Right", "figures": " Right"}
_SHORT = 230
"""Points up to which a table is kept on one page."""


class Layout(Struct, frozen=True):
    """How a table is set."""

    widths: list[int]
    """Of the columns, in twentieths of a point."""
    styles: list[str]
    """Names of the columns' paragraph styles."""
    code: str
    """Name of the character style of code."""
    close: bool
    """Its columns stand closer together."""
    short: bool
    """It is kept on one page."""


def lay_out(table: Table, measure: int, full: int) -> Layout:
    """Fit ``table`` to the ``measure`` of the text, or to the ``full`` width of the page when it needs more."""
    found = needs(table)
    common, last = WORD_LIMITS
    for size, limit in zip((*_SIZES, _SIZES[-1]), (common, common, common, last), strict=True):
        least = [(each.least(limit) * size.em * _SPARE + size.padding) * _POINT for each in found]
        if sum(least) <= full:
            break
    wanted = [(each.line * size.em * _SPARE + size.padding) * _POINT for each in found]
    room = min(full, max(measure, round(sum(wanted))))
    shares = [round(each) for each in share(room, least, wanted)]
    widths = [*shares[:-1], room - sum(shares[:-1])]
    return Layout(
        widths,
        [size.name + _STYLES[alignment(table, place)] for place in range(len(found))],
        _CODE[size.name],
        size is not _SIZES[0],
        height(table, [width / _POINT for width in widths], size) <= _SHORT,
    )
