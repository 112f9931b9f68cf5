"""Sanitised HTML → the document tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import cast
from xml.etree.ElementTree import Element

from msgspec import Struct

from pipeline.model.document import (
    Alignment,
    Block,
    Cell,
    Code,
    CodeBlock,
    Deletion,
    Emphasis,
    Figure,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Strong,
    Table,
    Text,
)
from pipeline.reader.fields import spaced
from pipeline.reader.sanitize import sanitize

Adopt = Callable[[str, int], str]
"""Takes a picture's name and line, returns its ``Picture.file`` (empty after a fault)."""

_WRAPPERS: dict[str, type[Emphasis | Strong | Deletion]] = {
    "em": Emphasis,
    "strong": Strong,
    "del": Deletion,
    "sub": Deletion,
}


class Tree(Struct, frozen=True):
    """Blocks above each other; ``notes`` is the index of the heading that opens the notes to editors, or the end."""

    blocks: tuple[Block, ...]
    notes: int


def build_tree(html: str, promote: Adopt) -> Tree:
    """Sanitise ``html`` and return it as blocks; headings are levelled to start at 2 and leave no gap."""
    return _Blocks(promote).tree(sanitize(html))


class _Blocks:
    """Makes blocks of elements; remembers the headings met so far."""

    def __init__(self, promote: Adopt) -> None:
        self.promote = promote
        self.headings: list[tuple[int, int]] = []
        """Level as typed and level given, of the headings that the next one may stand below."""

    def tree(self, body: Element) -> Tree:
        blocks: list[Block] = []
        notes = -1
        for element in body:
            if element.get("data-marker") == "notes":
                notes = len(blocks)
                self.headings.clear()
            blocks.extend(self.block(element))
        return Tree(tuple(blocks), len(blocks) if notes < 0 else notes)

    def blocks(self, element: Element) -> tuple[Block, ...]:
        return tuple(block for child in element for block in self.block(child))

    def block(self, element: Element) -> Iterator[Block]:
        match element.tag:
            case "p":
                yield from self.paragraph(element)
            case "blockquote":
                yield Quote(self.blocks(element))
            case "ul" | "ol":
                yield self.list(element)
            case "pre":
                yield self.code(element)
            case "table":
                yield self.table(element)
            case "hr":
                yield Rule()
            case tag if re.fullmatch("h[1-6]", tag) and (words := inlines(element)):
                yield Heading(self.level(int(tag[1])), words)

    def level(self, typed: int) -> int:
        while self.headings and self.headings[-1][0] >= typed:
            self.headings.pop()
        given = min(6, (self.headings[-1][1] if self.headings else 1) + 1)
        self.headings.append((typed, given))
        return given

    def paragraph(self, element: Element) -> Iterator[Block]:
        """Yield the paragraph; a picture within it stands between its two parts."""
        part = Element("p")
        part.text = element.text
        for child in element:
            if child.tag == "img":
                yield from self.words(part)
                yield self.figure(child)
                part = Element("p")
                part.text = child.tail
            else:
                part.append(child)
        yield from self.words(part)

    def words(self, part: Element) -> Iterator[Block]:
        found = inlines(part)
        if found:
            yield Paragraph(found)

    def figure(self, image: Element) -> Figure:
        title = spaced(image.get("title") or "")
        caption, bar, credit = title.rpartition(" | ") if " | " in title else (title, "", "")
        if not bar and title.startswith("| "):
            caption, credit = "", title[2:]
        source = image.get("src") or ""
        file = self.promote(source, int(image.get("data-line") or 0)) if source else ""
        words = (Text(caption.strip()),) if caption.strip() else ()
        return Figure(file, image.get("alt") or "", words, credit.strip())

    def list(self, element: Element) -> List:
        items = tuple(self.item(child) for child in element)
        start = int(element.get("start") or 1)
        return List(element.tag == "ol", items, start, element.get("data-tight") == "tight")

    def item(self, element: Element) -> ListItem:
        checked = element.get("data-checked")
        return ListItem(self.blocks(element), None if checked is None else checked == "x")

    @staticmethod
    def code(element: Element) -> CodeBlock:
        code = element[0]
        return CodeBlock("".join(code.itertext()), (code.get("class") or "").removeprefix("language-"))

    @staticmethod
    def table(element: Element) -> Table:
        rows = [tuple(Cell(inlines(cell)) for cell in row) for row in element.iter("tr")]
        alignments = tuple(cast(Alignment, cell.get("align") or "") for cell in next(element.iter("tr")))
        return Table(rows[0], tuple(rows[1:]), alignments)


def inlines(element: Element) -> tuple[Inline, ...]:
    """Return what stands in a line of text, white space single and none at the edges."""
    return _trim(_Line().children(element))


class _Line:
    """Collects inlines; ``blank`` says that the line so far ends in white space, so that no second one follows."""

    def __init__(self) -> None:
        self.blank = True

    def children(self, element: Element) -> tuple[Inline, ...]:
        found: list[Inline] = []
        self.text(element.text, found)
        for child in element:
            self.inline(child, found)
            self.text(child.tail, found)
        return tuple(found)

    def text(self, text: str | None, found: list[Inline]) -> None:
        if not text:
            return
        words = spaced(f"x{text}x")[1:-1]
        if self.blank:
            words = words.removeprefix(" ")
        if words:
            self.blank = words.endswith(" ")
            if found and isinstance(before := found[-1], Text):
                words = before.text + words
                found.pop()
            found.append(Text(words))

    def inline(self, element: Element, found: list[Inline]) -> None:
        if element.tag == "br":
            self.blank = True
            found.append(LineBreak())
        elif element.tag == "code":
            self.blank = False
            found.append(Code("".join(element.itertext()).replace("\n", " ")))
        elif children := self.children(element):
            if element.tag == "a":
                found.append(Link(element.get("href") or "", children))
            else:
                found.append(_WRAPPERS[element.tag](children))


def _trim(found: Iterable[Inline]) -> tuple[Inline, ...]:
    """Drop blanks before line breaks and at the end, and line breaks at either edge."""
    kept: list[Inline] = []
    for inline in found:
        if isinstance(inline, LineBreak):
            _drop_blank(kept)
            if not kept:
                continue
        kept.append(inline)
    _drop_blank(kept)
    while kept and isinstance(kept[-1], LineBreak):
        kept.pop()
        _drop_blank(kept)
    return tuple(kept)


def _drop_blank(kept: list[Inline]) -> None:
    if kept and isinstance(last := kept[-1], Text):
        kept.pop()
        if words := last.text.rstrip(" "):
            kept.append(Text(words))
