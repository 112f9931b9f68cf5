"""The document tree that every writer reads.

Inlines stand in lines of text, blocks stand under each other; the distinction is the one of CommonMark and GitHub
Flavored Markdown. A tree that comes from the reader is sanitised: links have an allowed scheme, headings start at
level 2 and leave no gap, texts hold no control characters and neither leading nor trailing blanks at block edges.
Everything is frozen, so one tree can be handed to any number of writers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

TELEPHONE = re.compile(r"\+\d[\d ()\u00a0/-]{5,}\d")
"""An international telephone number in running text: one line, read from the left whatever stands around it."""


class Text(Struct, frozen=True, tag=True):
    """Plain characters; white space as in running text, single blanks only."""

    text: str


class Strong(Struct, frozen=True, tag=True):
    """Strong importance, ``**…**``."""

    children: tuple[Inline, ...]


class Emphasis(Struct, frozen=True, tag=True):
    """Stress emphasis, ``*…*``."""

    children: tuple[Inline, ...]


class Deletion(Struct, frozen=True, tag=True):
    """Struck-out text, ``~~…~~`` (GFM)."""

    children: tuple[Inline, ...]


class Code(Struct, frozen=True, tag=True):
    """A code span."""

    text: str


class Link(Struct, frozen=True, tag=True):
    """A hyperlink. ``href`` is absolute (``https:``, ``http:``, ``mailto:``, ``tel:``), a fragment, or a release."""

    href: str
    children: tuple[Inline, ...]


class LineBreak(Struct, frozen=True, tag=True):
    """A hard line break."""


Inline = Text | Strong | Emphasis | Deletion | Code | Link | LineBreak


class Heading(Struct, frozen=True, tag=True):
    """A heading below the headline; ``level`` is 2 to 6."""

    level: int
    children: tuple[Inline, ...]


class Paragraph(Struct, frozen=True, tag=True):
    """A paragraph of running text."""

    children: tuple[Inline, ...]


class ListItem(Struct, frozen=True, tag=True):
    """One item; a tight list's item holds Paragraphs all the same, see ``List.tight``."""

    children: tuple[Block, ...]
    checked: bool | None = None
    """State of a task-list box (GFM), None for an ordinary item."""


class List(Struct, frozen=True, tag=True):
    """A bulleted or numbered list."""

    ordered: bool
    items: tuple[ListItem, ...]
    start: int = 1
    tight: bool = True
    """No blank line between items: set them without space between."""


class Cell(Struct, frozen=True, tag=True):
    """A table cell."""

    children: tuple[Inline, ...]


Alignment = Literal["left", "center", "right", ""]


class Table(Struct, frozen=True, tag=True):
    """A table with one header row; every row has as many cells as the header."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    alignments: tuple[Alignment, ...]


class Quote(Struct, frozen=True, tag=True):
    """A block quotation."""

    children: tuple[Block, ...]


class CodeBlock(Struct, frozen=True, tag=True):
    """Preformatted lines without a final newline; ``language`` is the fence's info word or empty."""

    text: str
    language: str = ""


class Figure(Struct, frozen=True, tag=True):
    """A picture with its words. ``file`` names a ``Picture`` of the same release."""

    file: str
    alt: str
    """Text alternative; empty means decorative."""
    caption: tuple[Inline, ...] = ()
    credit: str = ""


class Rule(Struct, frozen=True, tag=True):
    """A thematic break."""


Block = Heading | Paragraph | List | Table | Quote | CodeBlock | Figure | Rule


def plain(inlines: Iterable[Inline]) -> str:
    """Return the words of ``inlines`` without any mark-up; a line break becomes a blank."""
    parts: list[str] = []
    for inline in inlines:
        if isinstance(inline, (Text, Code)):
            parts.append(inline.text)
        elif isinstance(inline, LineBreak):
            parts.append(" ")
        else:
            parts.append(plain(inline.children))
    return "".join(parts)


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield every block in reading order, those inside lists and quotes included, containers first."""
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from walk(block.children)
        elif isinstance(block, List):
            for item in block.items:
                yield from walk(item.children)


def inlines_of(block: Block) -> Iterator[tuple[Inline, ...]]:
    """Yield each run of inlines that stands directly in ``block``; containers have none of their own."""
    if isinstance(block, (Heading, Paragraph)):
        yield block.children
    elif isinstance(block, Figure):
        yield block.caption
    elif isinstance(block, Table):
        for row in (block.head, *block.rows):
            for cell in row:
                yield cell.children


def is_address(href: str, words: Iterable[Inline]) -> bool:
    """Whether the words of a link are its address: read from the left whatever stands around them."""
    text = plain(words)
    return bool(text) and unquote(href).endswith(text)
