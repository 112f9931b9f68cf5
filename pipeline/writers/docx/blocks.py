"""The document tree as Word's paragraphs and tables: what ``markup`` is for HTML.

Looks come from named styles alone. What a paragraph says itself is structure: which list it belongs to, how deep it
stands, that the items of a tight list follow each other without space, and that rows or lines stay on one page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from lxml.etree import _Element as Element

from pipeline.model.document import (
    Block,
    CodeBlock,
    Figure,
    Heading,
    Inline,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Table,
)
from pipeline.writers.anchors import anchor
from pipeline.writers.columns import code_style
from pipeline.writers.docx.runs import Ink, Runs
from pipeline.writers.docx.tables import lay_out
from pipeline.writers.docx.xml import name_of, row, table, w
from pipeline.writers.markup import credit_gap

STEP = 360
"""Indentation of one level, as in the numbering of reference.docx."""
_LEVELS = 9
"""Levels of a list that Word knows; what lies deeper stands at the last."""
_NAMED = 5
"""Levels that have a style of their own, in Word as in reference.docx."""

Draw = Callable[[Figure, int], Element]
"""From a figure and the width there is for it to the run with the picture."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a block stands."""

    depth: int = 0
    """Lists and quotations around it."""
    listed: bool = False
    """The innermost of them is a list."""
    quoted: bool = False
    notes: bool = False
    """After the end mark, in the smaller size."""


class Setter:
    """Sets blocks in the body of a document."""

    def __init__(
        self,
        runs: Runs,
        draw: Draw,
        is_broad: Callable[[Figure], bool],
        measure: int,
        full: int,
        photo: str,
        bookmarks: Mapping[str, str],
    ) -> None:
        self.runs = runs
        self.styles = runs.styles
        self._draw = draw
        self._is_broad = is_broad
        self._measure = measure
        self._full = full
        self._photo = photo
        self._unmarked = dict(bookmarks)

    def paragraph(
        self,
        style: str,
        content: Iterable[Element] = (),
        *,
        number: tuple[int, int] | None = None,
        indent: int = 0,
        tight: bool = False,
        kept: bool = False,
        whole: bool = False,
        ltr: bool = False,
        broad: bool = False,
    ) -> Element:
        """Return a paragraph; ``number`` is level and list, ``indent`` 0 where the style's own is meant.

        ``kept`` keeps it on the page of the next one, ``whole`` on one page. ``ltr`` sets it from the left in a text
        that is read from the right, under the same column; ``broad`` is as wide as the page's margins let it.
        """
        rtl = self.runs.rtl and not ltr
        sides: dict[str, int] = {"left": indent} if indent else {}
        if broad:
            sides["right"] = 0
        if ltr and self.runs.rtl:
            sides = {"left": self._full - self._measure, "right": indent}
        return w(
            "p",
            w(
                "pPr",
                w("pStyle", val=self.styles[style]),
                w("keepNext") if kept else None,
                w("keepLines") if whole else None,
                w("numPr", w("ilvl", val=number[0]), w("numId", val=number[1])) if number else None,
                w("bidi") if rtl else None,
                w("spacing", after=0) if tight else None,
                w("ind", **sides) if sides else None,
                w("rPr", w("rtl")) if rtl else None,
            ),
            *content,
        )

    def plain(self, style: str, text: str) -> Element:
        """Return a paragraph of plain ``text``."""
        return self.paragraph(style, self.runs.text(text))

    def blocks(self, blocks: Iterable[Block], place: Place) -> list[Element]:
        """Return ``blocks`` as paragraphs and tables."""
        return [found for block in blocks for found in self.block(block, place)]

    def text(self, blocks: Iterable[Block], dateline: str, mark: str) -> list[Element]:
        """Return the body, its ``dateline`` run into the first paragraph, or alone when the text begins otherwise."""
        todo = list(blocks)
        out: list[Element] = []
        if dateline:
            lead = [*self.runs.styled(dateline, "Dateline"), *self.runs.text(mark)]
            out.append(self.paragraph("Body Text", [*lead, *self.runs.inlines(_take_paragraph(todo))]))
        return out + self.blocks(todo, Place())

    def block(self, block: Block, place: Place) -> list[Element]:
        """Return one block as paragraphs and tables."""
        match block:
            case Paragraph(children):
                return [self._within(*_text_style(place), place, self.runs.inlines(children))]
            case Heading():
                return [self._heading(block, place)]
            case Quote(children):
                return self.blocks(children, replace(place, depth=place.depth + 1, listed=False, quoted=True))
            case CodeBlock(text):
                size = code_style(text).split()
                style = "Long Code" if {"long", "longest"}.intersection(size) else "Code"
                content = self.runs.text(text, Ink(ltr=True))
                whole = "short" in size
                return [self.paragraph(style, content, indent=place.depth * STEP, whole=whole, ltr=True)]
            case Figure():
                return self._figure(block, place)
            case Rule():
                return [self._within("Thematic Break", 0, place, ())]
            case List():
                return self._list(block, place)
            case Table():
                return self._table(block, place)

    def _within(self, style: str, natural: int, place: Place, content: Iterable[Element]) -> Element:
        """Return a paragraph indented as its place asks, where ``style`` by itself has ``natural`` levels."""
        return self.paragraph(style, content, indent=0 if place.depth == natural else place.depth * STEP)

    def _heading(self, heading: Heading, place: Place) -> Element:
        style = f"heading {heading.level}"
        if place.notes:
            style = "Note Heading" if heading.level == 2 else "Note Subheading"
        content = self.runs.inlines(heading.children)
        if bookmark := self._unmarked.pop(anchor(heading), ""):
            number = len(self._unmarked)
            content = [w("bookmarkStart", id=number, name=bookmark), *content, w("bookmarkEnd", id=number)]
        return self._within(style, 0, place, content)

    def _figure(self, figure: Figure, place: Place) -> list[Element]:
        credit = self.runs.styled(self._photo.format(credit=figure.credit), "Credit") if figure.credit else []
        words = self.runs.inlines(figure.caption)
        if words and credit:
            words += self.runs.text(credit_gap(figure))
        words += credit
        broad = self._is_broad(figure)
        drawn = self._draw(figure, max(STEP, (self._full if broad else self._measure) - place.depth * STEP))
        style, indent = "Captioned Figure" if words else "Figure", place.depth * STEP
        picture = self.paragraph(style, [drawn], indent=indent, broad=broad)
        return [picture, self._within("caption", 0, place, words)] if words else [picture]

    # --- Lists -------------------------------------------------------------------------------------------------------

    def _list(self, block: List, place: Place) -> list[Element]:
        level = min(place.depth, _LEVELS - 1)
        number = self.styles.restart("List Number", level, block.start) if block.ordered else 0
        inner = replace(place, depth=level + 1, listed=True, quoted=False)
        out: list[Element] = []
        for item in block.items:
            out += self._item(item, block, (level, number), inner)
        if (
            not place.listed
            and out
            and (spacing := out[-1].find(f"{name_of('w:pPr')}/{name_of('w:spacing')}")) is not None
        ):
            spacing.getparent().remove(spacing)  # type: ignore[union-attr]  # found as a child
        return out

    def _item(self, item: ListItem, block: List, number: tuple[int, int], inner: Place) -> list[Element]:
        level, counted = number
        kind = "List Number" if block.ordered else "List Bullet" if item.checked is None else "List Task"
        style = "Note List" if inner.notes else kind if level == 0 else f"{kind} {min(level + 1, _NAMED)}"
        children = list(item.children)
        content = [] if item.checked is None else self._box(item.checked, hanging=not block.ordered)
        content += self.runs.inlines(_take_paragraph(children))
        belongs = (level, counted or self.styles.list_number(kind))
        first = self.paragraph(style, content, number=belongs, tight=block.tight)
        return [first, *self.blocks(children, inner)]

    def _box(self, checked: bool, *, hanging: bool) -> list[Element]:
        """Return the box of a task; it hangs where others have their bullet."""
        box = self.runs.text("☑" if checked else "☐")
        return [*box, self.runs.tab()] if hanging else [*box, *self.runs.text(" ")]

    # --- Tables ------------------------------------------------------------------------------------------------------

    def _table(self, block: Table, place: Place) -> list[Element]:
        indent = place.depth * STEP
        full = self._full - indent
        # A narrower table stands at the right in Word, at the left in LibreOffice.
        layout = lay_out(block, full if self.runs.rtl else self._measure - indent, full)
        ink, last = Ink(code=layout.code), len(block.rows)
        rows = [
            row(
                layout.widths,
                (
                    [self.paragraph(style, self.runs.inlines(cell.children, ink), kept=kept)]
                    for style, cell in zip(layout.styles, cells, strict=True)
                ),
                head=number == 0,
            )
            for number, cells in enumerate((block.head, *block.rows))
            # The first and the last two rows stay together, those of a short table all.
            for kept in [number != last and (layout.short or number < 2 or number > last - 2)]
        ]
        style = self.styles["Close Table" if layout.close else "Release Table"]
        found = table(style, layout.widths, rows, rtl=self.runs.rtl, indent=indent, head=True)
        return [found, self.paragraph("Table Space")]


def _text_style(place: Place) -> tuple[str, int]:
    """Return the style of running text at ``place``, and how many levels that style is indented by itself."""
    if place.notes:
        return ("Note Quote", 1) if place.quoted else ("Note Text", 0)
    if place.quoted:
        return "Quote", 1
    if not place.listed:
        return "Body Text", 0
    named = min(place.depth, _NAMED)
    return ("List Continue" if named == 1 else f"List Continue {named}"), named


def _take_paragraph(blocks: list[Block]) -> tuple[Inline, ...]:
    """Remove the first of ``blocks`` when it is a paragraph, and return its inlines."""
    if blocks and isinstance(first := blocks[0], Paragraph):
        del blocks[0]
        return first.children
    return ()
