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
_LOCAL_NUMBER = r"(?<![\w.,+-])\(?0\d{1,4}\)?[ \u00a0-]\d[\d ()\u00a0-]{4,}\d(?![\w:])"
_DAY = r"(?<![\w-])\d{4}-\d\d-\d\d(?![\w-])"
_QUANTITY = (
    r"[$\u00a2-\u00a5\u20a0-\u20c0]?[0-9۰-۹](?:[0-9۰-۹.,\u202f]*[0-9۰-۹])?(?![0-9۰-۹A-Za-z])"
    r"(?:[ \u00a0\u202f]?(?:[%‰$\u00a2-\u00a5\u20a0-\u20c0\u2103\u2109]|°[CF]\b))?"
)
# In Hebrew a hyphen joins a prefix to a number, and in both scripts a prefix may stand before a sign.
_SIGNED = rf"(?:(?<![\w.,)\]+−±-])-|(?<![0-9A-Za-z\u00c0-\u024f.,)\]])[+−±]){_QUANTITY}"
_ADDRESS = (
    r"(?:https?://|www\.)(?:[!#-%'-;=?-~]|&(?!(?:#\d+|lt|gt|quot);))*[A-Za-z0-9/]"
    r"|[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
FROM_LEFT = re.compile("|".join((TELEPHONE.pattern, _LOCAL_NUMBER, _DAY, _SIGNED, _ADDRESS)))
"""What is printed from left to right also in right-to-left text: telephone and signed numbers, days, addresses.

Unicode's rules would put the plus sign behind its number, and the groups of a number in the opposite order. It may be
used on HTML too.
"""


class Text(Struct, frozen=True, tag=True):
    """Plain text with single spaces only."""

    text: str


class Strong(Struct, frozen=True, tag=True):
    """Strong importance, ``**…**``."""

    children: tuple[Inline, ...]


class Emphasis(Struct, frozen=True, tag=True):
    """Stress emphasis, ``*…*``."""

    children: tuple[Inline, ...]


class Subscript(Struct, frozen=True, tag=True):
    """Low figures or letters, ``H~2~O``."""

    children: tuple[Inline, ...]


class Superscript(Struct, frozen=True, tag=True):
    """High figures or letters, ``10^6^``."""

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


class FootnoteReference(Struct, frozen=True, tag=True):
    """The number of a footnote, raised in running text, ``[^name]``. Several references may lead to one footnote."""

    number: int
    """1 is the first of ``Footnotes.notes``."""


Inline = Text | Strong | Emphasis | Subscript | Superscript | Code | Link | LineBreak | FootnoteReference


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


class Footnotes(Struct, frozen=True, tag=True):
    """The footnotes of a release, numbered by first reference: the last block of its body, at most once."""

    notes: tuple[tuple[Block, ...], ...]
    """The blocks of each footnote; the first is number 1."""


Block = Heading | Paragraph | List | Table | Quote | CodeBlock | Figure | Rule | Footnotes


def plain(inlines: Iterable[Inline]) -> str:
    """Return the text of ``inlines`` without markup and without the numbers of footnotes.

    A line break becomes a space; high and low figures are written as ``figures`` does.
    """
    parts: list[str] = []
    for inline in inlines:
        match inline:
            case Text(text) | Code(text):
                parts.append(text)
            case LineBreak():
                parts.append(" ")
            case FootnoteReference():
                pass
            case Subscript(children) | Superscript(children):
                parts.append(figures(plain(children), low=isinstance(inline, Subscript)))
            case _:
                parts.append(plain(inline.children))
    return "".join(parts)


_HIGH = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyz",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ",
        strict=True,
    )
)
_LOW = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))


def figures(text: str, *, low: bool = False) -> str:
    """Return high or ``low`` figures as they are written without markup: ``10⁶``, ``CO₂``.

    Where Unicode lacks one of the characters, the whole run is as typed: ``x^Q^``, ``x~Q~``.
    """
    table, mark = (_LOW, "~") if low else (_HIGH, "^")
    if all(character in table for character in text):
        return "".join(table[character] for character in text)
    return f"{mark}{text}{mark}"


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield every block in reading order; lists, quotes and footnotes come before the blocks in them."""
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from walk(block.children)
        elif isinstance(block, List):
            for item in block.items:
                yield from walk(item.children)
        elif isinstance(block, Footnotes):
            for note in block.notes:
                yield from walk(note)


def inlines_of(block: Block) -> Iterator[tuple[Inline, ...]]:
    """Yield each sequence of inlines directly in ``block``. Lists, quotes and footnotes have none."""
    if isinstance(block, (Heading, Paragraph)):
        yield block.children
    elif isinstance(block, Figure):
        yield block.caption
    elif isinstance(block, Table):
        for row in (block.head, *block.rows):
            for cell in row:
                yield cell.children


def fragments(blocks: Iterable[Block]) -> Iterator[tuple[Heading, str]]:
    """Yield each heading with the fragment by which links lead to it, as GitHub forms it; equal ones are numbered."""
    seen: dict[str, int] = {}
    for block in walk(blocks):
        if isinstance(block, Heading):
            name = re.sub(r"[^\w\- ]", "", plain(block.children).lower()).replace(" ", "-")
            number = seen[name] = seen.get(name, -1) + 1
            yield block, f"{name}-{number}" if number else name


def references(blocks: Iterable[Block]) -> Iterator[int]:
    """Yield the number of each reference to a footnote in ``blocks``, in reading order."""
    for block in walk(blocks):
        for inlines in inlines_of(block):
            yield from _references(inlines)


def _references(inlines: Iterable[Inline]) -> Iterator[int]:
    for inline in inlines:
        if isinstance(inline, FootnoteReference):
            yield inline.number
        elif not isinstance(inline, (Text, Code, LineBreak)):
            yield from _references(inline.children)


def is_address(href: str, words: Iterable[Inline]) -> bool:
    """Whether the text of a link is its address. It is printed from left to right, also in right-to-left text."""
    text = plain(words)
    return bool(text) and unquote(href).endswith(text)
