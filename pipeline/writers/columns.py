"""How the columns of a table are set, judged by what stands in them: the classes that style sheets know, and widths.

Lengths are in ems of the table's own size until a writer says how large that is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from pipeline.model.document import Cell, Code, Inline, LineBreak, Table, Text, plain
from pipeline.typography import fonts

_FIGURE = re.compile(r"[-+−–±~<>≤≥]?\s*[$€£¥]?\s*[\d٠-٩][\d٠-٩.,٫٬\s\u00a0\u202f]*\s*(%|٪|[^\W\d]{1,3}\.?)?")
"""A number as it stands in a table, perhaps with a sign, a currency or a short unit."""
_NOTHING = {"", "–", "—", "-", "…", "n/a"}
LONGEST_FIGURE = 24


BRIEF = 12
"""Characters up to which a column's cells are not broken into lines."""
LONG_WORD = 32
"""Characters from which a word may be broken on the page; on a screen its column would be too wide otherwise."""
TALKATIVE = 60
"""Characters from which a cell is running text."""


def column_style(table: Table, column: int) -> str:
    """Return the classes of a column: its alignment (``figures`` for numbers that have none), and what is in its cells.

    ``brief``: not to be broken into lines; ``talk``: running text, which a narrow column would make tall; ``parted``:
    words too long to be kept whole.
    """
    cells = [plain(row[column].children).strip() for row in (table.head, *table.rows)]
    kinds = {
        "brief": max(map(len, cells)) <= BRIEF,
        "talk": max(map(len, cells)) > TALKATIVE,
        "parted": max((len(word) for cell in cells for word in cell.split()), default=0) > LONG_WORD,
    }
    return _classes(alignment(table, column), *(name for name, found in kinds.items() if found))


def alignment(table: Table, column: int) -> str:
    """Return the author's alignment of a column, or ``figures`` where numbers have none; or nothing."""
    if table.alignments[column]:
        return table.alignments[column]
    numbers = {plain(row[column].children).strip() for row in table.rows} - _NOTHING
    figures = numbers and all(len(value) <= LONGEST_FIGURE and _FIGURE.fullmatch(value) for value in numbers)
    return "figures" if figures else ""


# --- Widths ----------------------------------------------------------------------------------------------------------

WORD_LIMITS = (11.0, 5.5)
"""Ems of a word that ask for room, as a rule and when all else failed; a longer one (an address) is broken."""
_CODE = 0.9
"""Size of code beside that of the table."""
_SANS, _BOLD = (
    next(face for face in fonts.FACES if face.family == "Text Sans" and face.weight == weight) for weight in (400, 700)
)
_MONO = next(face for face in fonts.FACES if face.family == "Text Mono")


class Need(Struct, frozen=True):
    """The room that a column asks for, in ems."""

    word: float
    """Of its longest word, or of the whole of its cells where they are brief."""
    line: float
    """Of its longest cell when it is not broken."""

    def least(self, limit: float) -> float:
        """Return the room for its longest word of those that are not broken."""
        return min(self.word, limit)


def needs(table: Table) -> list[Need]:
    """Return what each column asks for."""
    return [_need([row[column] for row in (table.head, *table.rows)]) for column in range(len(table.head))]


def _need(cells: Sequence[Cell]) -> Need:
    words, lines = [0.5], [0.5]
    head, *rows = cells
    brief = max((len(plain(cell.children)) for cell in rows), default=0) <= BRIEF
    for cell in cells:
        widths = list(_words(cell.children, cell is head))
        lines.append(sum(widths) + fonts.text_width(" ", _SANS) * max(0, len(widths) - 1))
        words += [lines[-1]] if brief and cell is not head else widths
    return Need(max(words), max(lines))


def _words(inlines: Iterable[Inline], bold: bool) -> Iterator[float]:
    """Yield the width of each word; a word may go on from one inline into the next."""
    begun = 0.0
    for text, face, scale in _runs(inlines, bold):
        for number, piece in enumerate(re.split(r"\s", text)):
            if number and begun:
                yield begun
                begun = 0.0
            begun += _width(piece, face) * scale
    if begun:
        yield begun


def _runs(inlines: Iterable[Inline], bold: bool) -> Iterator[tuple[str, fonts.Face, float]]:
    for inline in inlines:
        match inline:
            case Text(text):
                yield text, _BOLD if bold else _SANS, 1
            case Code(text):
                yield text, _MONO, _CODE
            case LineBreak():
                yield " ", _SANS, 1
            case _:
                yield from _runs(inline.children, bold)


def _width(text: str, face: fonts.Face) -> float:
    wide = 0 if text.isascii() else sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return fonts.text_width(text, face) + wide / 2


def share(room: float, least: Sequence[float], wanted: Sequence[float]) -> list[float]:
    """Divide ``room`` among columns: each gets the least, then of the rest by what it wants and no more than that."""
    if sum(least) >= room:
        return [room * each / sum(least) for each in least]
    if sum(wanted) <= room:
        return [room * each / sum(wanted) for each in wanted]
    shares, spare = list(least), room - sum(least)
    wishes = [high - low for low, high in zip(least, wanted, strict=True)]
    weights = [wish**0.5 for wish in wishes]  # so that a column of long texts does not take all from the others
    todo = sorted(range(len(wishes)), key=weights.__getitem__)
    for number, place in enumerate(todo):
        rest = sum(weights[each] for each in todo[number:])
        given = min(wishes[place], spare * weights[place] / rest) if rest else 0
        shares[place] += given
        spare -= given
    return shares


# --- Paper -----------------------------------------------------------------------------------------------------------


class Setting(Struct, frozen=True):
    """How a table is set on paper."""

    name: str
    """Its classes, as print.css has them."""
    widths: tuple[float, ...] = ()
    """Of the columns in points; none where the cells decide."""


class Paper(Struct, frozen=True):
    """The room for tables on a page, in points."""

    measure: float
    """Width of the text."""
    full: float
    """Width between the margins."""
    height: float
    turned: float = 0
    """Width between the margins of a page that is turned, or 0 where none may be."""


class Size(Struct, frozen=True):
    """A size that tables are set in, all in points."""

    name: str
    em: float
    line: float
    padding: float
    """Beside the words of a cell."""


SIZES = (
    Size("", 9, 12, 12),
    Size("small", 8, 10.5, 8),
    Size("smaller", 7, 9, 7),
    Size("smallest", 6, 8, 4),
)
"""As print.css has them."""
_SPARE = 1.04
"""How much wider words may be set than counted: kerning is left out, and a hair too little breaks a word."""
_ROW = 5.0
"""Points above and below the words of a row."""
_SHORT = 0.33
"""Part of the page that a table may take which is never broken; the hole before it can be as large."""


def fit(table: Table, paper: Paper) -> Setting:
    """Set ``table`` in the text's measure, beyond it in the full width of the page, or on a page that is turned.

    It becomes as much smaller as it must be so that no word is broken but those longer than the first of
    ``WORD_LIMITS``; where nothing else helps, others are broken too. A table that is ``short`` is kept on one page.
    """
    found = needs(table)
    lines = [each.line for each in found]
    natural = sum(_points(lines, SIZES[0]))
    if natural <= paper.full:
        short = (1 + len(table.rows)) * (SIZES[0].line + _ROW) <= paper.height * _SHORT
        return Setting(_classes("" if natural <= paper.measure else "broad", "short" if short else ""))
    common, last = WORD_LIMITS
    trials = [(paper.full, size, common, "broad") for size in SIZES[:-1]]
    trials += [(paper.turned, size, common, "turned") for size in SIZES[1:-1] if paper.turned]
    trials += [(paper.full, SIZES[-1], last, "broad")]
    for trial in trials:
        width, size, limit, place = trial
        least = _points([each.least(limit) for each in found], size)
        if sum(least) <= width:
            break
    widths = share(width, least, _points(lines, size))
    short = height(table, widths, size) <= paper.height * _SHORT
    names = _classes(place, size.name, "short" if short and place != "turned" else "")
    return Setting(names, tuple(round(each, 1) for each in widths))


def _classes(*names: str) -> str:
    return " ".join(filter(None, names))


def _points(ems: Iterable[float], size: Size) -> list[float]:
    return [em * size.em * _SPARE + size.padding * (place > 0) for place, em in enumerate(ems)]


def height(table: Table, widths: Sequence[float], size: Size) -> float:
    """Return about how high ``table`` becomes with columns of these ``widths``, in points."""

    def lines(cell: Cell, width: float) -> int:
        length = sum(_words(cell.children, bold=False)) * size.em * 1.15
        return 1 + int(length / max(width - size.padding, size.em))

    rows = (max(map(lines, row, widths)) for row in (table.head, *table.rows))
    return sum(row * size.line + _ROW for row in rows)


# --- Code ------------------------------------------------------------------------------------------------------------

CODE_LINE = 62
"""Characters of code that fit in a line of the text column at the common size of code, as paper has it."""
_SMALLER = (("close", 76), ("long", 98), ("longest", 112))
"""The same at smaller sizes: in the text column, then in the full width of the page."""
_SHORT_CODE = 16
"""Lines of code that are never parted by a page break."""


def code_style(text: str) -> str:
    """Return the classes of a code block: its size by the length of its lines, and ``short`` when they are few.

    One line in ten may be longer than fits; it goes on in the next.
    """
    lengths = sorted(len(line.expandtabs()) for line in text.split("\n"))
    common = lengths[(len(lengths) - 1) * 9 // 10]
    steps = (("", CODE_LINE), *_SMALLER)
    name, fitting = next((step for step in steps if common <= step[1]), _SMALLER[1])
    lines = sum(1 + max(0, length - 1) // fitting for length in lengths)
    return _classes(name, "short" if lines <= _SHORT_CODE else "")
