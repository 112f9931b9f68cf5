"""Tables for Word: columns as wide as their words ask for, a small face where that is not enough."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from msgspec import Struct

from pipeline.document import Cell, Table, plain

_CHARACTER, _SMALL_CHARACTER = 92, 72
"""Mean width of a letter of the table face, common and small size, in twentieths of a point."""
_WIDE = 1.2
"""How much wider a single word may be than its letters in the mean, also in Arial, which may have to step in."""
_PADDING = 165
"""Beside the words of a cell, in the same unit."""
_WORD_LIMIT = 24
"""Characters of a word that ask for room; a longer one (an address) is broken."""
_FIGURE = re.compile(r"[-+−–±~<>≤≥]?\s*[$€£¥]?\s*\d[\d.,٫٬\s]*\s*([%٪]|[^\W\d]{1,3}\.?)?")
_NOTHING = {"", "–", "—", "-", "…", "n/a"}
_STYLES = {"": "", "left": "", "center": " Centred", "right": " Right"}


class Layout(Struct, frozen=True):
    """How a table is set."""

    widths: list[int]
    """Of the columns, in twentieths of a point."""
    styles: list[str]
    """Names of the columns' paragraph styles."""


def lay_out(table: Table, measure: int, full: int) -> Layout:
    """Fit ``table`` to the ``measure`` of the text, or to the ``full`` width of the page when it needs more."""
    columns = [[row[place] for row in (table.head, *table.rows)] for place in range(len(table.head))]
    style, least, wanted = "Table Text", *_needs(columns, _CHARACTER)
    if sum(least) > full:
        style, least, wanted = "Table Small", *_needs(columns, _SMALL_CHARACTER)
    room = min(full, max(measure, sum(wanted)))
    styles = [style + _STYLES[_alignment(table, place)] for place in range(len(columns))]
    return Layout(_share(room, least, wanted), styles)


def _needs(columns: Sequence[Sequence[Cell]], character: int) -> tuple[list[int], list[int]]:
    """Return the width that each column needs for its longest word, and for its longest cell in one line."""
    least = [round(_least(column) * character * _WIDE) + _PADDING for column in columns]
    wanted = [_longest(column) * character + _PADDING for column in columns]
    return least, list(map(max, least, wanted))


def _share(room: int, least: list[int], wanted: list[int]) -> list[int]:
    """Divide ``room``: everyone the least, then each as much of the rest as it wants."""
    if sum(least) >= room:
        shares = [room * each // sum(least) for each in least]
    elif sum(wanted) <= room:
        shares = [room * each // sum(wanted) for each in wanted]
    else:
        spare, wish = room - sum(least), sum(wanted) - sum(least)
        shares = [low + spare * (high - low) // wish for low, high in zip(least, wanted, strict=True)]
    return [*shares[:-1], room - sum(shares[:-1])]


def _least(column: Sequence[Cell]) -> int:
    words = [word for cell in column for word in plain(cell.children).split()]
    return min(_WORD_LIMIT, max(map(_count, words), default=1))


def _longest(column: Sequence[Cell]) -> int:
    return max(_least(column), *(_count(plain(cell.children)) for cell in column))


def _count(text: str) -> int:
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def _alignment(table: Table, place: int) -> str:
    """Return the author's alignment of a column; numbers without one stand right, under each other."""
    values = {plain(row[place].children).strip() for row in table.rows} - _NOTHING
    figures = bool(values) and all(_FIGURE.fullmatch(value) for value in values)
    return table.alignments[place] or ("right" if figures else "")
