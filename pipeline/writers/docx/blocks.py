"""The document tree as Word's paragraphs and tables.

Looks come from named styles alone. A paragraph itself says only what is structure: its list and level, no space after
the items of a tight list, and which rows or lines stay on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from lxml.etree import _Element as Element
from msgspec import Struct

from pipeline.model.document import (
    Block,
    CodeBlock,
    Figure,
    Footnotes,
    Heading,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from pipeline.writers.docx.runs import Runs, RunStyle
from pipeline.writers.docx.xml import name_of, row, table, w
from pipeline.writers.markup import credit_gap, take_paragraph
from pipeline.writers.table_layout import (
    NARROW,
    WORD_LIMITS,
    TableSize,
    alignment,
    code_style,
    column_widths,
    height,
    share,
)

STEP = 360
"""Indentation of one level, as in the numbering of reference.docx."""
_LEVELS = 9
"""Levels of a list that Word knows; deeper items stand at the last one."""
_STYLED_LEVELS = 5
"""Levels that have a style of their own, in Word as in reference.docx."""

_LED_TO = (List, Table, CodeBlock)
"""A paragraph before one of these leads to it, and stays on its page."""

DrawFigure = Callable[[Figure, int], Element]
"""From a figure and the width available for it to the run with the picture."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands."""

    depth: int = 0
    """Number of lists and quotations around it."""
    listed: bool = False
    """The innermost of them is a list."""
    quoted: bool = False
    notes: bool = False
    """After the end mark, in the smaller font size."""
    footnote: bool = False
    """In a footnote, which looks like the notes otherwise."""


class WordBlocks:
    """Writes blocks as elements of one part of a document."""

    def __init__(
        self,
        runs: Runs,
        draw: DrawFigure,
        is_broad: Callable[[Figure], bool],
        measure: int,
        full: int,
        credit: Callable[[Figure], str],
        heading_bookmarks: Mapping[int, str],
    ) -> None:
        self.runs = runs
        self.styles = runs.styles
        self._draw = draw
        self._is_broad = is_broad
        self._measure = measure
        self._full = full
        self._credit = credit
        self._heading_bookmarks = heading_bookmarks

    def paragraph(
        self,
        style: str,
        content: Iterable[Element] = (),
        *,
        number: tuple[int, int] | None = None,
        indent: int = 0,
        tight: bool = False,
        with_next: bool = False,
        undivided: bool = False,
        ltr: bool = False,
        right: int | None = None,
        hidden: bool = False,
    ) -> Element:
        """Return a paragraph.

        ``number`` is its list level and list; ``indent`` 0 means the indentation of the style. ``with_next`` keeps it
        on the page of the next paragraph, ``undivided`` on one page. ``ltr`` writes it from left to right in a text
        that runs from right to left; ``right`` is the indentation at the end of its lines, if not that of the style. A
        ``hidden`` one takes no space.
        """
        rtl = self.runs.rtl and not ltr
        sides: dict[str, int] = {"left": indent} if indent else {}
        if right is not None:
            sides["right"] = right
        if ltr and self.runs.rtl:
            sides = {"left": self._full - self._measure, "right": indent}
        return w(
            "p",
            w(
                "pPr",
                w("pStyle", val=self.styles[style]),
                w("keepNext") if with_next else None,
                w("keepLines") if undivided else None,
                w("numPr", w("ilvl", val=number[0]), w("numId", val=number[1])) if number else None,
                w("bidi") if rtl else None,
                w("spacing", after=0) if tight else None,
                w("ind", **sides) if sides else None,
                w("rPr", w("vanish") if hidden else None, w("rtl") if rtl else None) if hidden or rtl else None,
            ),
            *content,
        )

    def plain(self, style: str, text: str) -> Element:
        """Return a paragraph of plain ``text``."""
        return self.paragraph(style, self.runs.whole(text))

    def blocks(self, blocks: Iterable[Block], place: Place) -> list[Element]:
        """Return ``blocks`` as paragraphs and tables."""
        found = list(blocks)
        out: list[Element] = []
        for block, following in zip(found, [*found, None][1:], strict=True):
            out += self.block(block, place)
            if isinstance(block, Paragraph) and isinstance(following, _LED_TO if not place.depth else (List, Table)):
                keep_with_next(out[-1])
        return out

    def text(self, blocks: Iterable[Block], dateline: str, mark: str) -> list[Element]:
        """Return the body.

        ``dateline`` begins the first paragraph, or is a paragraph of its own when the text begins otherwise.
        """
        rest = list(blocks)
        out: list[Element] = []
        if dateline:
            lead = [*self.runs.styled(dateline, "Dateline"), *self.runs.text(mark)]
            first = self.paragraph("Body Text", [*lead, *self.runs.inlines(take_paragraph(rest))])
            out.append(first)
            if rest and isinstance(rest[0], _LED_TO):
                keep_with_next(first)
        return out + self.blocks(rest, Place())

    def block(self, block: Block, place: Place) -> list[Element]:
        """Return one block as paragraphs and tables."""
        match block:
            case Paragraph(children):
                return [self._indented(*_text_style(place), place, self.runs.inlines(children))]
            case Heading():
                return [self._heading(block, place)]
            case Quote(children):
                return self.blocks(children, replace(place, depth=place.depth + 1, listed=False, quoted=True))
            case CodeBlock(text):
                classes = code_style(text).split()
                style = "Long Code" if {"long", "longest"}.intersection(classes) else "Code"
                content = self.runs.text(text, RunStyle(ltr=True))
                undivided = "short" in classes
                return [self.paragraph(style, content, indent=place.depth * STEP, undivided=undivided, ltr=True)]
            case Figure():
                return self._figure(block, place)
            case Rule():
                return [self._indented("Thematic Break", 0, place, ())]
            case List():
                return self._list(block, place)
            case Table():
                return self._table(block, place)
            case Footnotes():
                return []  # they are a part of their own, see ``footnote``

    def _indented(self, style: str, level: int, place: Place, content: Iterable[Element]) -> Element:
        """Return a paragraph indented for its place; ``style`` by itself is indented for ``level``."""
        return self.paragraph(style, content, indent=0 if place.depth == level else place.depth * STEP)

    def _heading(self, heading: Heading, place: Place) -> Element:
        style = f"heading {heading.level}"
        if place.notes:
            style = "Note Heading" if heading.level == 2 else "Note Subheading"
        content = self.runs.inlines(heading.children)
        if bookmark := self._heading_bookmarks.get(id(heading)):
            number = list(self._heading_bookmarks.values()).index(bookmark)
            content = [w("bookmarkStart", id=number, name=bookmark), *content, w("bookmarkEnd", id=number)]
        return self._indented(style, 0, place, content)

    def _figure(self, figure: Figure, place: Place) -> list[Element]:
        line = self._credit(figure)
        credit = self.runs.styled(line, "Credit") if line else []
        words = self.runs.inlines(figure.caption)
        if words and credit:
            words += self.runs.text(credit_gap(figure))
        words += credit
        broad = self._is_broad(figure)
        indent = place.depth * STEP
        drawing = self._draw(figure, max(STEP, (self._full if broad else self._measure) - indent))
        style = "Captioned Figure" if words else "Figure"
        picture = self.paragraph(style, [drawing], indent=indent, right=0 if broad else None)
        return [picture, self._indented("caption", 0, place, words)] if words else [picture]

    def footnote(self, blocks: Iterable[Block], number: int) -> Element:
        """Return one footnote. Word puts it at the foot of the page that refers to it."""
        rest, place = list(blocks), Place(notes=True, footnote=True)
        first = [*self.runs.footnote_number(), *self.runs.inlines(take_paragraph(rest))]
        return w("footnote", self.paragraph("footnote text", first), *self.blocks(rest, place), id=number)

    # --- Lists -------------------------------------------------------------------------------------------------------

    def _list(self, block: List, place: Place) -> list[Element]:
        level = min(place.depth, _LEVELS - 1)
        number = self.styles.restart("List Number", level, block.start) if block.ordered else 0
        inner = replace(place, depth=level + 1, listed=True, quoted=False)
        items = [self._item(item, block, (level, number), inner) for item in block.items]
        # The first two items stay on one page, of a longer list the last two as well.
        for item in (*items[:-1][:1], *items[2:][-2:-1]):
            keep_with_next(item[-1])
        out = [element for item in items for element in item]
        if out and not place.listed:  # after the whole list there is space again
            properties = out[-1].find(name_of("w:pPr"))
            spacing = None if properties is None else properties.find(name_of("w:spacing"))
            if properties is not None and spacing is not None:
                properties.remove(spacing)
        return out

    def _item(self, item: ListItem, block: List, number: tuple[int, int], inner: Place) -> list[Element]:
        level, list_number = number
        kind = "List Number" if block.ordered else "List Bullet" if item.checked is None else "List Task"
        style = "Note List" if inner.notes else kind if level == 0 else f"{kind} {min(level + 1, _STYLED_LEVELS)}"
        children = list(item.children)
        content: list[Element] = []
        if item.checked is not None:  # in a list without numbers, the box stands where others have their bullet
            content += self.runs.text("☑" if item.checked else "☐")
            content += self.runs.text(" ") if block.ordered else [self.runs.tab()]
        content += self.runs.inlines(take_paragraph(children))
        numbering = (level, list_number or self.styles.list_number(kind))
        leads = bool(children) and isinstance(children[0], (List, Table))
        first = self.paragraph(style, content, number=numbering, tight=block.tight, with_next=leads)
        return [first, *self.blocks(children, inner)]

    # --- Tables ------------------------------------------------------------------------------------------------------

    def _table(self, block: Table, place: Place) -> list[Element]:
        indent = place.depth * STEP
        full = self._full - indent
        # A narrower table stands at the right in Word, at the left in LibreOffice.
        layout = _word_table(block, full if self.runs.rtl else self._measure - indent, full)
        run_style, last = RunStyle(code=layout.code), len(block.rows)
        rows = [
            row(
                layout.widths,
                (
                    [self.paragraph(style, self.runs.inlines(cell.children, run_style), with_next=with_next)]
                    for style, cell in zip(layout.styles, cells, strict=True)
                ),
                head=number == 0,
            )
            for number, cells in enumerate((block.head, *block.rows))
            # The first two and the last two rows stay together, and all rows of a short table.
            for with_next in [number != last and (layout.short or number < 2 or number > last - 2)]
        ]
        style = self.styles["Close Table" if layout.close else "Release Table"]
        whole = table(style, layout.widths, rows, rtl=self.runs.rtl, indent=indent, head=True)
        return [whole, self.paragraph("Table Space")]


def keep_with_next(element: Element) -> None:
    """Keep a paragraph on the page of what follows it; a table is left as it is."""
    properties = element.find(name_of("w:pPr"))
    if properties is not None and properties.find(name_of("w:keepNext")) is None:
        properties.insert(1, w("keepNext"))


def _text_style(place: Place) -> tuple[str, int]:
    """Return the style of running text at ``place``, and the level that this style is indented for."""
    if place.footnote and not place.quoted:
        return "footnote text", 0
    if place.notes:
        return ("Note Quote", 1) if place.quoted else ("Note Text", 0)
    if place.quoted:
        return "Quote", 1
    if not place.listed:
        return "Body Text", 0
    level = min(place.depth, _STYLED_LEVELS)
    return ("List Continue" if level == 1 else f"List Continue {level}"), level


# --- Layout of tables ------------------------------------------------------------------------------------------------

_SIZES = (
    TableSize("Table Text", 8.5, 12, 11.75),
    TableSize("Table Small", 6.5, 9.5, 4.5),
    TableSize("Table Smallest", 6, 8, 4.5),
)
"""The paragraph styles of cells, with the values of reference.docx."""
_CODE = {"Table Text": "Code Table", "Table Small": "Code Small", "Table Smallest": "Code Smallest"}
"""The character styles of code in them."""
_SPARE = 1.2
"""Words may come out this much wider than computed with the face of the PDF: those in Arial are."""
_POINT = 20
"""Word's unit is the twentieth of a point."""
_ALIGNED = {"": "", "left": "", "center": " Centred", "right": " Right", "figures": " Right"}
_SHORT = 247
"""Points. A table up to this height is kept on one page."""


class _WordTable(Struct, frozen=True):
    """The layout of a table."""

    widths: list[int]
    """Of the columns, in twentieths of a point."""
    styles: list[str]
    """The columns' paragraph styles."""
    code: str
    """The character style of code."""
    close: bool
    """The columns have less space between them."""
    short: bool
    """The table is kept on one page."""


def _word_table(block: Table, measure: int, full: int) -> _WordTable:
    """Fit a table into ``measure``, the width of the text, or into ``full``, the width between the margins."""
    columns = column_widths(block)
    common, last = WORD_LIMITS
    for size, limit in zip((*_SIZES, _SIZES[-1]), (common, common, common, last), strict=True):
        least = [(each.least(limit) * size.em * _SPARE + size.padding) * _POINT for each in columns]
        if sum(least) <= full:
            break
    wanted = [(each.line * size.em * _SPARE + size.padding) * _POINT for each in columns]
    natural = round(sum(wanted))
    narrow = natural < measure * NARROW and measure < full
    room = natural if narrow else measure if natural <= measure else full
    shares = [round(each) for each in share(room, least, wanted)]
    widths = [*shares[:-1], room - sum(shares[:-1])]
    return _WordTable(
        widths,
        [size.name + _ALIGNED[alignment(block, column)] for column in range(len(columns))],
        _CODE[size.name],
        size is not _SIZES[0],
        height(block, [width / _POINT for width in widths], size) <= _SHORT,
    )
