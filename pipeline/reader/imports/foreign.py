"""What the readers of this package return: our document tree, questions to the editor at their place, and facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec import Struct, field

from pipeline.model.document import (
    Block,
    Cell,
    Code,
    Emphasis,
    Figure,
    Footnotes,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Strong,
    Subscript,
    Superscript,
    Table,
    Text,
)
from pipeline.reader.characters import FORBIDDEN, as_windows, collapse_spaces, compose, without_invisible

_OVERRIDES = re.compile("[\u202a-\u202e]")
_SYMBOL_BULLETS = re.compile("[\uf0b7\uf0a7\uf0d8\uf0fc\uf076\uf0a8\uf06e\uf0be]")
_SYMBOL_FACE = re.compile("[\uf000-\uf0ff]")
_REPLACED = {
    "\x0b": "\n",
    "\x0c": "\n\n",
    "\x1e": "\u2011",
    "\x1f": "",
    "\u2028": "\n",
    "\u2029": "\n\n",
    "\u0085": "\n",
}


class Check(Struct, frozen=True):
    """A question to the editor, which stands before the block that it is about."""

    text: str


ForeignBlock = Block | Check


class Foreign(Struct, frozen=True):
    """A file of another program, read. Headings have the levels of the file, so there may be a first one."""

    blocks: tuple[ForeignBlock, ...]
    pictures: dict[str, bytes] = {}
    facts: dict[str, str] = {}
    """What the file says about itself to machines, by key of the front matter; ``date`` in any form of ISO 8601."""
    checks: tuple[str, ...] = ()
    """Questions about the whole file."""
    remarks: tuple[str, ...] = ()
    letterhead: tuple[str, ...] = ()
    """Lines that stand above the text on each page."""
    roles: dict[int, str] = field(default_factory=dict)
    """What the file's styles say of a block, by its place: ``title`` or ``subtitle``."""


def clean(text: str) -> str:
    """Return ``text`` in the characters that a source may have; line ends stay."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub("[\x0b\x0c\x1e\x1f\u0085\u2028\u2029]", lambda found: _REPLACED[found[0]], text)
    text = _OVERRIDES.sub("", FORBIDDEN.sub(lambda found: as_windows(found[0]), text))
    return compose(without_invisible(_SYMBOL_FACE.sub("", _SYMBOL_BULLETS.sub("•", text))))


def lines_of(inlines: Iterable[Inline]) -> list[tuple[Inline, ...]]:
    """Return the inlines of each line of a paragraph."""
    lines: list[list[Inline]] = [[]]
    for inline in inlines:
        if isinstance(inline, LineBreak):
            lines.append([])
        else:
            lines[-1].append(inline)
    return [tidy(line) for line in lines]


def tidy(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Return inlines as our own reader would: single spaces, none at the edges, no empty or doubled spans.

    Word processors begin and end bold and links at blanks and part them anywhere.
    """
    found = _trimmed(_joined(_spans(inlines, ())))
    return tuple(found)


def _spans(inlines: Iterable[Inline], within: tuple[type, ...]) -> Iterator[Inline]:
    for inline in inlines:
        if isinstance(inline, (Strong, Emphasis, Subscript, Superscript, Link)):
            kind = type(inline)
            children = _joined(_spans(inline.children, (*within, kind)))
            if kind in within:
                yield from children
                continue
            before, inner, after = _edges(children)
            if before:
                yield Text(" ")
            if inner:
                yield msgspec.structs.replace(inline, children=tuple(inner))
            if after:
                yield Text(" ")
        elif isinstance(inline, Text):
            if inline.text:
                yield Text(collapse_spaces(f"x{inline.text}x")[1:-1])
        elif not isinstance(inline, Code) or inline.text.strip():
            yield inline


def _edges(children: list[Inline]) -> tuple[bool, list[Inline], bool]:
    """Return whether there is a blank before, the inlines without blanks at the edges, whether there is one after."""
    before = bool(children) and isinstance(children[0], Text) and children[0].text.startswith(" ")
    after = bool(children) and isinstance(children[-1], Text) and children[-1].text.endswith(" ")
    return before, _trimmed(children), after


def _joined(inlines: Iterable[Inline]) -> list[Inline]:
    """Join neighbouring texts and spans of one kind; no two blanks come together."""
    joined: list[Inline] = []
    for inline in inlines:
        last = joined[-1] if joined else None
        if isinstance(inline, Text) and isinstance(last, Text):
            joined[-1] = Text(re.sub(" {2,}", " ", last.text + inline.text))
        elif isinstance(inline, Link) and isinstance(last, Link) and inline.href == last.href:
            joined[-1] = Link(last.href, tuple(_joined((*last.children, *inline.children))))
        elif type(inline) is type(last) and isinstance(inline, (Strong, Emphasis)) and isinstance(last, type(inline)):
            joined[-1] = type(inline)(tuple(_joined((*last.children, *inline.children))))
        else:
            joined.append(inline)
    return joined


def _trimmed(inlines: Iterable[Inline]) -> list[Inline]:
    result: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, LineBreak):
            _drop_blank(result)
            if not result:
                continue
        elif isinstance(inline, Text) and (not result or isinstance(result[-1], LineBreak)):
            inline = Text(inline.text.lstrip(" "))
            if not inline.text:
                continue
        result.append(inline)
    while result and (isinstance(result[-1], LineBreak) or _drop_blank(result)):
        if isinstance(result[-1], LineBreak):
            result.pop()
    return result


def _drop_blank(inlines: list[Inline]) -> bool:
    """Remove blanks at the end; say whether something that must be looked at again is left."""
    if not inlines or not isinstance(last := inlines[-1], Text) or not last.text.endswith(" "):
        return False
    inlines.pop()
    if text := last.text.rstrip(" "):
        inlines.append(Text(text))
        return False
    return bool(inlines)


def map_inlines(block: Block, apply: Callable[[tuple[Inline, ...]], tuple[Inline, ...]]) -> Block:
    """Return ``block`` with ``apply`` applied to each text in it."""
    match block:
        case Heading(level, children):
            return Heading(level, apply(children))
        case Paragraph(children):
            return Paragraph(apply(children))
        case List():
            items = tuple(
                ListItem(tuple(map_inlines(child, apply) for child in item.children), item.checked)
                for item in block.items
            )
            return msgspec.structs.replace(block, items=items)
        case Quote(children):
            return Quote(tuple(map_inlines(child, apply) for child in children))
        case Table(head, rows, alignments):

            def cells(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
                return tuple(Cell(apply(cell.children)) for cell in row)

            return Table(cells(head), tuple(map(cells, rows)), alignments)
        case Figure():
            return msgspec.structs.replace(block, caption=apply(block.caption))
        case Footnotes(notes):
            return Footnotes(tuple(tuple(map_inlines(child, apply) for child in note) for note in notes))
        case _:
            return block
