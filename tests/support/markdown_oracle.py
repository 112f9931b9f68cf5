"""The same Markdown read by markdown-it-py, whose rules are GitHub's: the tree to compare the reader with."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from pipeline.model.document import (
    Alignment,
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
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

PARSER = MarkdownIt("gfm-like", {"html": True}).disable("strikethrough")
if PARSER.linkify is not None:
    PARSER.linkify.set({"fuzzy_link": False})  # GitHub leaves example.com as text

_SPANS: dict[str, type[Strong | Emphasis]] = {"strong": Strong, "em": Emphasis}
_ALIGNMENTS: dict[str, Alignment] = {"text-align:left": "left", "text-align:center": "center"}
_ALIGNMENTS["text-align:right"] = "right"


class HoldsHtmlError(Exception):
    """The text has raw HTML in it."""


def read(text: str) -> tuple[Block, ...]:
    """Return the tree of ``text``; raises ``HoldsHtmlError``."""
    levels: list[tuple[int, int]] = []
    return _blocks(SyntaxTreeNode(PARSER.parse(text)).children, levels)


def _blocks(nodes: list[SyntaxTreeNode], levels: list[tuple[int, int]]) -> tuple[Block, ...]:
    return tuple(block for node in nodes if (block := _block(node, levels)) is not None)


def _block(node: SyntaxTreeNode, levels: list[tuple[int, int]]) -> Block | None:
    match node.type:
        case "paragraph":
            words = _words(node)
            return Paragraph(words) if words else None
        case "heading":
            words = _words(node)
            return Heading(_level(int(node.tag[1]), levels), words) if words else None
        case "bullet_list" | "ordered_list":
            items = tuple(_item(child, levels) for child in node.children)
            tight = all(grand.hidden for item in node.children for grand in item.children if grand.type == "paragraph")
            return List(node.type == "ordered_list", items, int(node.attrs.get("start", 1)), tight)
        case "blockquote":
            return Quote(_blocks(node.children, levels))
        case "fence":
            info = node.info.split()
            return CodeBlock(node.content.removesuffix("\n"), info[0] if info else "")
        case "code_block":
            return CodeBlock(node.content.rstrip("\n"))
        case "hr":
            return Rule()
        case "table":
            return _table(node)
    raise HoldsHtmlError(node.type)


def _level(typed: int, levels: list[tuple[int, int]]) -> int:
    while levels and levels[-1][0] >= typed:
        levels.pop()
    given = min(6, (levels[-1][1] if levels else 1) + 1)
    levels.append((typed, given))
    return given


def _item(node: SyntaxTreeNode, levels: list[tuple[int, int]]) -> ListItem:
    children = _blocks(node.children, levels)
    first = children[0] if children else None
    if isinstance(first, Paragraph) and isinstance(lead := first.children[0], Text):
        box = re.match(r"\[([ xX])\] (?=.)", lead.text)
        if box:
            rest = (Text(lead.text[4:]), *first.children[1:])
            return ListItem((Paragraph(rest), *children[1:]), box[1] != " ")
    return ListItem(children)


def _table(node: SyntaxTreeNode) -> Table:
    rows = [row for part in node.children for row in part.children]
    cells = [tuple(Cell(_words(cell)) for cell in row.children) for row in rows]
    styles = [str(cell.attrs.get("style", "")) for cell in rows[0].children]
    return Table(cells[0], tuple(cells[1:]), tuple(_ALIGNMENTS.get(style, "") for style in styles))


def _words(node: SyntaxTreeNode) -> tuple[Inline, ...]:
    found = [inline for child in node.children for part in child.children for inline in _inline(part)]
    return _tidy(found)


def _inline(node: SyntaxTreeNode) -> list[Inline]:
    inner = [inline for child in node.children for inline in _inline(child)]
    match node.type:
        case "text":
            return [Text(node.content)]
        case "softbreak":
            return [Text(" ")]
        case "hardbreak":
            return [LineBreak()]
        case "code_inline":
            return [Code(node.content)]
        case "link":
            return [Link(str(node.attrs["href"]), _tidy(inner, edges=False))]
        case kind if kind in _SPANS:
            return [_SPANS[kind](_tidy(inner, edges=False))]
    raise HoldsHtmlError(node.type)


def _tidy(inlines: list[Inline], *, edges: bool = True) -> tuple[Inline, ...]:
    """Join neighbouring texts, make white space single, drop it at edges and beside line breaks."""
    found: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, Text) and found and isinstance(before := found[-1], Text):
            found[-1] = Text(before.text + inline.text)
        else:
            found.append(inline)
    kept: list[Inline] = []
    for index, inline in enumerate(found):
        if not isinstance(inline, Text):
            kept.append(inline)
            continue
        text = re.sub(r"[ \t\n]+", " ", inline.text)
        if (index == 0 and edges) or (index and isinstance(found[index - 1], LineBreak)):
            text = text.removeprefix(" ")
        if (index == len(found) - 1 and edges) or (index + 1 < len(found) and isinstance(found[index + 1], LineBreak)):
            text = text.removesuffix(" ")
        if text:
            kept.append(Text(text))
    return tuple(kept)
