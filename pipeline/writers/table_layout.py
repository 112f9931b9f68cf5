"""The layout of tables and code blocks: CSS classes by what the columns hold, column widths, and sizes on paper.

Widths are in ems of the table's own font size until a writer says how large that is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from pipeline.model.document import (
    Cell,
    Code,
    FootnoteReference,
    Inline,
    LineBreak,
    Subscript,
    Superscript,
    Table,
    Text,
    plain,
)
from pipeline.typography import fonts

_FIGURE = re.compile(r"[-+−–±~<>≤≥]?\s*[$€£¥]?\s*[\d٠-٩][\d٠-٩.,٫٬\s\u00a0\u202f]*\s*(%|٪|[^\W\d]{1,3}\.?)?")
"""A number in a table, perhaps with a sign, a currency or a short unit."""
_NO_VALUE = {"", "–", "—", "-", "…", "n/a"}
_LONGEST_FIGURE = 24
_BRIEF = 12
"""Characters. A column with no longer cell is not broken into lines."""
_LONG_WORD = 32
"""Characters. A longer word may be broken on the page, because its column would be too wide for a screen."""
_TALKATIVE = 60
"""Characters. A longer cell is running text."""


def column_style(table: Table, column: int) -> str:
    """Return the CSS classes of a column: its alignment, and what its cells hold.

    ``brief``: not broken into lines; ``talk``: running text, which a narrow column would make tall; ``parted``: with
    words so long that they may be broken.
    """
    cells = [plain(row[column].children).strip() for row in (table.head, *table.rows)]
    kinds = {
        "brief": max(map(len, cells)) <= _BRIEF,
        "talk": max(map(len, cells)) > _TALKATIVE,
        "parted": max((len(word) for cell in cells for word in cell.split()), default=0) > _LONG_WORD,
    }
    return _classes(alignment(table, column), *(name for name, applies in kinds.items() if applies))


def alignment(table: Table, column: int) -> str:
    """Return the author's alignment of a column, else ``figures`` for a column of numbers, else nothing."""
    if table.alignments[column]:
        return table.alignments[column]
    numbers = {plain(row[column].children).strip() for row in table.rows} - _NO_VALUE
    figures = numbers and all(len(value) <= _LONGEST_FIGURE and _FIGURE.fullmatch(value) for value in numbers)
    return "figures" if figures else ""


# --- Widths ----------------------------------------------------------------------------------------------------------

WORD_LIMITS = (11.0, 5.5)
"""Ems up to which a word is not broken: at first, and when nothing else made the table fit."""
_HEAD, _HEAD_LINES = 9.0, 2.6
"""Ems up to which the head of a column is not broken into lines, and into how many; a line is seldom filled."""
_CODE = 0.9
"""Font size of code relative to that of the table."""
_SMALL = 0.75
"""The same for high and low figures."""
_SANS, _BOLD = (
    next(face for face in fonts.FACES if face.family == "Text Sans" and face.weight == weight) for weight in (400, 700)
)
_MONO = next(face for face in fonts.FACES if face.family == "Text Mono")


class ColumnWidth(Struct, frozen=True):
    """The widths that a column needs, in ems."""

    word: float
    """Of its longest word, or of its longest cell where all cells are brief."""
    line: float
    """Of its longest cell in one line; of a head that is longer, in a few lines."""
    wraps: bool = False
    """The head is not in one line."""

    def least(self, limit: float) -> float:
        """Return the width of its longest word, where words wider than ``limit`` are broken."""
        return min(self.word, limit)


def column_widths(table: Table) -> list[ColumnWidth]:
    """Return the widths that each column needs."""
    return [_column_width([row[column] for row in (table.head, *table.rows)]) for column in range(len(table.head))]


def _column_width(cells: Sequence[Cell]) -> ColumnWidth:
    head, *rows = cells
    brief = max((len(plain(cell.children)) for cell in rows), default=0) <= _BRIEF
    words, lines = [0.5], [0.5]
    for cell in rows:
        widths, line = _measured(cell, bold=False)
        lines.append(line)
        words += [line] if brief else widths
    widths, line = _measured(head, bold=True)
    words += widths
    wanted = max(*words, *lines, min(line, max(line / _HEAD_LINES, _HEAD)))
    return ColumnWidth(max(words), wanted, line > wanted)


def _measured(cell: Cell, *, bold: bool) -> tuple[list[float], float]:
    """Return the width of each word of a cell, and of all in one line."""
    widths = list(_word_widths(cell.children, bold))
    return widths, sum(widths) + fonts.text_width(" ", _SANS) * max(0, len(widths) - 1)


def _word_widths(inlines: Iterable[Inline], bold: bool) -> Iterator[float]:
    """Yield the width of each word; a word may continue from one inline into the next."""
    width = 0.0
    for text, face, scale in _runs(inlines, bold):
        for number, piece in enumerate(re.split(r"\s", text)):
            if number and width:
                yield width
                width = 0.0
            width += _width(piece, face) * scale
    if width:
        yield width


def _runs(inlines: Iterable[Inline], bold: bool) -> Iterator[tuple[str, fonts.Face, float]]:
    for inline in inlines:
        match inline:
            case Text(text):
                yield text, _BOLD if bold else _SANS, 1
            case Code(text):
                yield text, _MONO, _CODE
            case LineBreak():
                yield " ", _SANS, 1
            case FootnoteReference(number):
                yield str(number), _SANS, _SMALL
            case Subscript(children) | Superscript(children):
                yield from ((text, face, scale * _SMALL) for text, face, scale in _runs(children, bold))
            case _:
                yield from _runs(inline.children, bold)


def _width(text: str, face: fonts.Face) -> float:
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return fonts.text_width(text, face) + wide / 2


def share(room: float, least: Sequence[float], wanted: Sequence[float]) -> list[float]:
    """Divide ``room`` among columns: each gets its least width, and of the rest a part, up to the width it wants."""
    if sum(least) >= room:
        return [room * each / sum(least) for each in least]
    if sum(wanted) <= room:
        return [room * each / sum(wanted) for each in wanted]
    shares, spare = list(least), room - sum(least)
    wishes = [high - low for low, high in zip(least, wanted, strict=True)]
    weights = [wish**0.5 for wish in wishes]  # so that a column of long texts does not take everything
    columns = sorted(range(len(wishes)), key=weights.__getitem__)
    for number, column in enumerate(columns):
        rest = sum(weights[each] for each in columns[number:])
        more = min(wishes[column], spare * weights[column] / rest) if rest else 0
        shares[column] += more
        spare -= more
    return shares


# --- Paper -----------------------------------------------------------------------------------------------------------


class PaperTable(Struct, frozen=True):
    """The layout of a table on paper."""

    classes: str
    """CSS classes of print.css."""
    widths: tuple[float, ...] = ()
    """Of the columns, in points; empty where WeasyPrint decides."""


class TableRoom(Struct, frozen=True):
    """The room for a table on a page, in points."""

    measure: float
    """Width of the text column."""
    full: float
    """Width between the margins."""
    height: float
    turned: float = 0
    """Width between the margins of a landscape page; 0 where there may be none."""
    spare: float = 1.04
    """Words may come out this much wider than computed: kerning is left out, and other scripts have other faces."""


class TableSize(Struct, frozen=True):
    """A font size for tables, with what belongs to it, in points."""

    name: str
    em: float
    line: float
    padding: float
    """Left and right of a cell's words together."""


_SIZES = (
    TableSize("", 9, 12, 12),
    TableSize("small", 8, 10.5, 8),
    TableSize("smaller", 7, 9, 7),
    TableSize("smallest", 6, 8, 4),
)
"""The classes of print.css, with its values."""
_ROW_PADDING = 5.0
"""Points above and below the words of a row together."""
NARROW = 0.6
"""The part of the measure from which on a table is made as wide as the text: in a narrower one, the eye would lose the
row between columns that stand so far apart."""
_SHORT = 0.36
"""The part of a page up to which a table is not divided; the gap that it leaves on the page before can be as large."""

_TALL_ROW = 40.0
"""Points. Rows that are higher on average may stand alone on a page: two of them would leave a gap before."""


def fit(table: Table, room: TableRoom) -> PaperTable:
    """Lay out ``table`` in the text column, else in the full width of the page, else on a landscape page.

    Its font becomes as small as needed so that only words longer than the first of ``WORD_LIMITS`` are broken; where
    that does not help, more words are broken. A table with the class ``short`` stays on one page; of one with the class
    ``tall``, a page may have a single row.
    """
    columns = column_widths(table)
    lines = [each.line for each in columns]
    wanted = _points(lines, _SIZES[0], room.spare)
    if sum(wanted) <= room.full:
        place = "broad" if sum(wanted) > room.measure else "narrow" if sum(wanted) < room.measure * NARROW else ""
        width = {"broad": room.full, "narrow": sum(wanted), "": room.measure}[place]
        wraps = any(each.wraps for each in columns)
        short = (1 + len(table.rows)) * (_SIZES[0].line + _ROW_PADDING) <= room.height * _SHORT
        stated = _rounded(share(width, wanted, wanted)) if wraps or place == "broad" else ()
        return PaperTable(_classes(place, "short" if short else ""), stated)
    common, last = WORD_LIMITS
    trials = [(room.full, size, common, "broad") for size in _SIZES[:-1]]
    trials += [(room.turned, size, common, "turned") for size in _SIZES[1:-1] if room.turned]
    trials += [(room.full, _SIZES[-1], last, "broad")]
    for trial in trials:
        width, size, limit, place = trial
        least = _points([each.least(limit) for each in columns], size, room.spare)
        if sum(least) <= width:
            break
    widths = share(width, least, _points(lines, size, room.spare))
    total = height(table, widths, size)
    short = total <= room.height * _SHORT and place != "turned"
    tall = total > _TALL_ROW * (1 + len(table.rows))
    classes = _classes(place, size.name, "short" if short else "tall" if tall else "")
    return PaperTable(classes, _rounded(widths))


def _rounded(widths: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(each, 1) for each in widths)


def _classes(*names: str) -> str:
    return " ".join(filter(None, names))


def _points(ems: Iterable[float], size: TableSize, spare: float) -> list[float]:
    return [em * size.em * spare + size.padding * (place > 0) for place, em in enumerate(ems)]


def height(table: Table, widths: Sequence[float], size: TableSize) -> float:
    """Return the estimated height of ``table`` with columns of these ``widths``, in points."""

    def lines(cell: Cell, width: float) -> int:
        length = sum(_word_widths(cell.children, bold=False)) * size.em
        line = max(width - size.padding, size.em)
        return 1 if length <= line else 1 + int(length * 1.15 / line)

    rows = (max(map(lines, row, widths)) for row in (table.head, *table.rows))
    return sum(row * size.line + _ROW_PADDING for row in rows)


# --- Code ------------------------------------------------------------------------------------------------------------

_CODE_SIZES = (("", 62), ("close", 76), ("long", 98), ("longest", 112))
"""Class → characters of code that fit in a line on paper; the last two take the full width of the page."""
_SHORT_CODE = 16
"""Lines. A code block of no more is not divided by a page break."""


def code_style(text: str) -> str:
    """Return the CSS classes of a code block: its size by the length of its lines, and ``short`` when they are few.

    One line in ten may be longer than fits; it is wrapped.
    """
    lengths = sorted(len(line.expandtabs()) for line in text.split("\n"))
    common = lengths[(len(lengths) - 1) * 9 // 10]
    name, fitting = next((size for size in _CODE_SIZES if common <= size[1]), _CODE_SIZES[2])
    lines = sum(1 + max(0, length - 1) // fitting for length in lengths)
    return _classes(name, "short" if lines <= _SHORT_CODE else "")
