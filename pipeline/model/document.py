"""The document tree that every writer reads: blocks, and inlines within them, as CommonMark and GitHub define them.

A tree from the reader is sanitised: links have an allowed scheme, headings start at level 2 and skip no level, texts
have no control characters and no spaces at the edges of a block. All types are frozen: writers can share a tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal
from urllib.parse import unquote

from msgspec import Struct

TELEPHONE = re.compile(r"\+\d[\d ()\u00a0/-]{5,}\d")
"""An international telephone number in running text. It is printed from left to right, also in right-to-left text."""


class Text(Struct, frozen=True, tag=True):
    """Plain text with single spaces only."""

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
    """A hyperlink. ``href`` is absolute (``https:``, ``http:``, ``mailto:``, ``tel:``), a fragment or a release."""

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
    """One item. Its text is in paragraphs even if the list is tight, see ``List.tight``."""

    children: tuple[Block, ...]
    checked: bool | None = None
    """State of the check box of a task list (GFM); None without a box."""


class List(Struct, frozen=True, tag=True):
    """A bulleted or numbered list."""

    ordered: bool
    items: tuple[ListItem, ...]
    start: int = 1
    tight: bool = True
    """The source has no empty line between items, so there is no space between them."""


class Cell(Struct, frozen=True, tag=True):
    """A table cell."""

    children: tuple[Inline, ...]


Alignment = Literal["left", "center", "right", ""]


class Table(Struct, frozen=True, tag=True):
    """A table with one header row. Every row has as many cells as the header."""

    head: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    alignments: tuple[Alignment, ...]


class Quote(Struct, frozen=True, tag=True):
    """A block quotation."""

    children: tuple[Block, ...]


class CodeBlock(Struct, frozen=True, tag=True):
    """Preformatted text without a final newline. ``language`` is the first word after the fence, or empty."""

    text: str
    language: str = ""


class Figure(Struct, frozen=True, tag=True):
    """A picture with its text. ``file`` names a ``Picture`` of the same release."""

    file: str
    alt: str
    """Text alternative; empty for a decorative picture."""
    caption: tuple[Inline, ...] = ()
    credit: str = ""


class Rule(Struct, frozen=True, tag=True):
    """A thematic break."""


Block = Heading | Paragraph | List | Table | Quote | CodeBlock | Figure | Rule


def plain(inlines: Iterable[Inline]) -> str:
    """Return the text of ``inlines`` without markup. A line break becomes a space."""
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
    """Yield every block in reading order; lists and quotes come before the blocks in them."""
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from walk(block.children)
        elif isinstance(block, List):
            for item in block.items:
                yield from walk(item.children)


def inlines_of(block: Block) -> Iterator[tuple[Inline, ...]]:
    """Yield each sequence of inlines directly in ``block``. Lists and quotes have none."""
    if isinstance(block, (Heading, Paragraph)):
        yield block.children
    elif isinstance(block, Figure):
        yield block.caption
    elif isinstance(block, Table):
        for row in (block.head, *block.rows):
            for cell in row:
                yield cell.children


def is_address(href: str, words: Iterable[Inline]) -> bool:
    """Whether the text of a link is its address. It is printed from left to right, also in right-to-left text."""
    text = plain(words)
    return bool(text) and unquote(href).endswith(text)
