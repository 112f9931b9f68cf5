"""The document tree → Markdown that our own reader takes back as the same tree.

Each block is read back as it is written: first without a backslash, then with those that are usual, last with one
before every sign. So a source stays as readable as its text allows, and what was typed is what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import msgspec

from pipeline.model.document import (
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
    FootnoteReference,
    Footnotes,
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
    Subscript,
    Superscript,
    Table,
    Text,
    figures,
    is_address,
    plain,
)
from pipeline.reader.addresses import resolve_link
from pipeline.reader.document import build_document
from pipeline.reader.imports.foreign import Check, ForeignBlock, map_inlines, tidy
from pipeline.reader.markdown import parse
from pipeline.reader.report import Report

LEVELS = (0, 1, 2, 3)
"""How many backslashes: none, the usual ones, one before all that may be a mark, one before every sign."""
_USUAL = re.compile(r"[\\*_`\[\]<~^]|&(?=#?\w+;)")
_MARKS = re.compile(r"[\\*_`\[\]<>~^|{}#&!+=-]")
_SIGNS = re.compile(r"[!-/:-@\[-`{-~]")
_LINE_START = re.compile(r"^(?:[#>+*=|-]|:::|`{3}|~{3})|^(\d{1,9})(?=[.)])")
_LOST = "marks of this paragraph (bold, figures, a link) could not be kept: "


def write_blocks(blocks: Iterable[ForeignBlock], notes: Footnotes | None = None) -> str:
    """Return ``blocks`` as Markdown; footnotes stand at the end."""
    writer = _Writer()
    parts = [part for block in _levelled(_linked(_merged(blocks))) for part in writer.top(block)]
    for number, note in enumerate(notes.notes if notes else (), 1):
        cleaned = [each for each in _linked(note) if not isinstance(each, Check)]
        lines = "\n\n".join(writer.block(block) for block in cleaned).split("\n")
        parts.append("\n".join([f"[^{number}]: {lines[0]}", *(f"    {line}" if line else "" for line in lines[1:])]))
    return "\n\n".join(parts)


def comment(text: str) -> str:
    """Return a question as a comment of the text, on one line."""
    return f"<!-- check: {' '.join(text.replace('-->', '→').replace('<!--', '').split())} -->"


# ── Before writing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _merged(blocks: Iterable[ForeignBlock]) -> Iterator[ForeignBlock]:
    """Join neighbouring lists of bullets, which Markdown cannot tell apart, and neighbouring quotations."""
    last: ForeignBlock | None = None
    for block in blocks:
        if isinstance(block, List) and isinstance(last, List) and block.ordered == last.ordered:
            counted = block.start == last.start + len(last.items)
            if not block.ordered or counted:
                last = msgspec.structs.replace(last, items=(*last.items, *block.items))
                continue
        if isinstance(block, Quote) and isinstance(last, Quote):
            last = Quote((*last.children, *block.children))
            continue
        if last is not None:
            yield last
        last = block
    if last is not None:
        yield last


def _levelled(blocks: Iterable[ForeignBlock]) -> Iterator[ForeignBlock]:
    """Give the headings levels from 2 on."""
    known = list(blocks)
    lowest = min((block.level for block in known if isinstance(block, Heading)), default=2)
    for block in known:
        if isinstance(block, Heading):
            yield Heading(min(6, block.level - lowest + 2), block.children)
        else:
            yield block


def _linked(blocks: Iterable[ForeignBlock]) -> Iterator[ForeignBlock]:
    """Give links their final addresses; one that leads nowhere becomes its words, with a question above."""
    for block in blocks:
        if isinstance(block, Check):
            yield block
            continue
        wrong: list[str] = []

        def change(inlines: tuple[Inline, ...], wrong: list[str] = wrong) -> tuple[Inline, ...]:
            return tidy(_resolved(inlines, wrong))

        changed = map_inlines(block, change)
        for each in wrong:
            yield Check(each)
        yield changed


def _resolved(inlines: Iterable[Inline], wrong: list[str]) -> Iterator[Inline]:
    for inline in inlines:
        children = tuple(_resolved(getattr(inline, "children", ()), wrong))
        if isinstance(inline, Link):
            href, problem = resolve_link(inline.href)
            if problem:
                wrong.append(f"a link that cannot be kept, behind “{plain(children)[:60]}”: {inline.href[:120]}")
                yield from children
            else:
                yield Link(href, children)
        elif isinstance(inline, (Strong, Emphasis, Subscript, Superscript)):
            yield msgspec.structs.replace(inline, children=children)
        else:
            yield inline


# ── Writing ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Writer:
    def __init__(self) -> None:
        self.lost: list[str] = []
        self.last_list = ""

    def top(self, block: ForeignBlock) -> Iterator[str]:
        """Yield a block, with a comment above it where something could not be kept."""
        if isinstance(block, Check):
            yield comment(block.text)
            return
        self.lost = []
        text = self.block(block)
        delimiter = ")" if isinstance(block, List) and block.ordered and self.last_list == "." else "."
        if isinstance(block, List) and block.ordered:
            text = self.listing(block, delimiter)
            self.last_list = delimiter
        elif not isinstance(block, List):
            self.last_list = ""
        if not isinstance(block, (Paragraph, Heading)) and not reads_as(text, block):
            forced = self.forced(block, delimiter)
            if reads_as(forced, block):
                text = forced
            elif not isinstance(block, (Rule, CodeBlock)):
                yield comment("a list, quotation, table or picture that could not be kept; its words stand below")
                text = "\n\n".join(self.leaf(words) for words in _leaves(block))
        yield from map(comment, self.lost)
        yield text

    def forced(self, block: Block, delimiter: str) -> str:
        strict = _Strict()
        return strict.listing(block, delimiter) if isinstance(block, List) else strict.block(block)

    def block(self, block: Block) -> str:
        match block:
            case Paragraph(children):
                return self.leaf(children)
            case Heading(level, children):
                words = tidy(Text(" ") if isinstance(each, LineBreak) else each for each in children)
                return self.leaf(words, prefix="#" * level + " ")
            case Quote(children):
                inner = "\n\n".join(self.block(child) for child in children)
                return "\n".join(f"> {line}" if line else ">" for line in inner.split("\n"))
            case CodeBlock(text, language):
                fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
                return f"{fence}{language}\n{text}\n{fence}"
            case Rule():
                return "* * *"
            case List():
                return self.listing(block)
            case Table():
                return self.table(block)
            case Figure():
                return self.figure(block)
            case Footnotes():
                return ""

    def leaf(self, inlines: tuple[Inline, ...], prefix: str = "") -> str:
        """Return the text of a paragraph or a heading, in the first form that is read back as it is meant."""
        meant: Block = Heading(2, inlines) if prefix else Paragraph(inlines)
        for level in LEVELS:
            text = prefix + written(inlines, level)
            if reads_as(text, meant):
                return text
        bare = tuple(_without_spans(inlines))
        if bare != inlines:
            self.lost.append(_LOST + plain(inlines)[:80])
            for level in LEVELS:
                text = prefix + written(bare, level)
                if reads_as(text, Heading(2, bare) if prefix else Paragraph(bare)):
                    return text
        return prefix + written(bare, 3)

    def listing(self, block: List, delimiter: str = ".") -> str:
        loose = any(len([each for each in item.children if not isinstance(each, List)]) > 1 for item in block.items)
        items = []
        for number, item in enumerate(block.items, block.start):
            mark = f"{number}{delimiter} " if block.ordered else "- "
            box = "" if item.checked is None else "[x] " if item.checked else "[ ] "
            parts: list[str] = []
            for child in item.children:
                text = self.block(child)
                parts.append(("\n" if isinstance(child, List) and not loose else "\n\n") + text if parts else text)
            lines = (box + "".join(parts)).split("\n")
            pad = " " * len(mark)
            items.append("\n".join([mark + lines[0], *(pad + line if line else "" for line in lines[1:])]))
        return ("\n\n" if loose else "\n").join(items)

    def table(self, table: Table) -> str:
        rules = {"left": ":---", "right": "---:", "center": ":---:", "": "---"}
        rows = [self.row(table.head), [rules[each] for each in table.alignments], *map(self.row, table.rows)]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def row(self, cells: tuple[Cell, ...]) -> list[str]:
        return [self.cell(cell.children) for cell in cells]

    def cell(self, inlines: tuple[Inline, ...]) -> str:
        for level in LEVELS:
            text = _in_cell(written(inlines, level))
            wanted = Table((Cell(inlines), Cell(())), (), ("", ""))
            if reads_as(f"| {text} | |\n|---|---|", wanted):
                return text
        return _in_cell(written(tuple(_without_spans(inlines)), 3))

    def figure(self, figure: Figure) -> str:
        caption, credit = plain(figure.caption), figure.credit
        title = f"{caption} | {credit}" if credit and caption else f"| {credit}" if credit else caption
        for level in LEVELS:
            alt = _escaped(figure.alt, level) or " "
            for mark in ('"', "'"):
                if mark not in title:
                    text = f"![{alt}]({figure.file}" + (f" {mark}{_escaped(title, level)}{mark})" if title else ")")
                    if reads_as(text, figure):
                        return text
        alt = _escaped(figure.alt, 3) or " "
        escaped = _escaped(title.replace('"', "”"), 3)
        return f'![{alt}]({figure.file} "{escaped}")' if title else f"![{alt}]({figure.file})"


class _Strict(_Writer):
    """Writes every sign with a backslash: for text that is a mark only where it stands."""

    def leaf(self, inlines: tuple[Inline, ...], prefix: str = "") -> str:
        return prefix + written(inlines, 3)


def written(inlines: Iterable[Inline], level: int) -> str:
    """Return inlines as Markdown. A paragraph is one line, for a sign at the beginning of a line may be a mark."""
    text = "".join(_inline(inline, level) for inline in inlines)
    text = re.sub(r"((?://|@|www\.)\S+)\\\n", r"\1  \n", text)  # a backslash would belong to the address
    if level:
        lines = text.split("\n")
        text = "\n".join(re.sub(r"^(\d{1,9})([.)])", r"\1\\\2", line) for line in lines)
    if level in (1, 2):
        text = "\n".join(re.sub(r"^(?=[#>+=|~:-])(?<!\\)", r"\\", line) for line in text.split("\n"))
    return text


def _inline(inline: Inline, level: int) -> str:
    match inline:
        case Text(text):
            return _escaped(text, level)
        case LineBreak():
            return "\\\n"
        case FootnoteReference(number):
            return f"[^{number}]"
        case Code(text):
            ticks = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
            pad = " " if text.startswith("`") or text.endswith("`") else ""
            return f"{ticks}{pad}{text}{pad}{ticks}"
        case Link(href, children):
            words = plain(children)
            if level == 0 and href in (words, f"mailto:{words}", f"http://{words}") and is_address(href, children):
                return words
            target = f"<{href}>" if re.search(r"[()]", href) else href
            return f"[{written(children, max(level, 1))}]({target})"
        case Subscript(children):
            return f"~{written(children, level)}~"
        case Superscript(children):
            return f"^{written(children, level)}^"
        case Strong(children):
            return f"**{written(children, level)}**"
        case Emphasis(children):
            return f"*{written(children, level)}*"


def _escaped(text: str, level: int) -> str:
    return (_USUAL, _MARKS, _SIGNS)[level - 1].sub(r"\\\g<0>", text) if level else text


def _in_cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("\\\n", "<br>"))


def _without_spans(inlines: Iterable[Inline]) -> Iterator[Inline]:
    """Yield inlines without bold, emphasis and links; figures as Unicode has them."""
    for inline in inlines:
        if isinstance(inline, (Subscript, Superscript)):
            words = figures(plain(inline.children), low=isinstance(inline, Subscript))
            yield Text(words if words[:1] not in "^~" else plain(inline.children))
        elif isinstance(inline, (Strong, Emphasis, Link)):
            yield from _without_spans(inline.children)
        elif isinstance(inline, Code):
            yield Text(inline.text)
        else:
            yield inline


def _leaves(block: Block) -> Iterator[tuple[Inline, ...]]:
    from pipeline.model.document import inlines_of, walk

    for each in walk((block,)):
        if isinstance(each, Table):
            for row in (each.head, *each.rows):
                yield tidy(part for cell in row for part in (*cell.children, Text(" ")))
        else:
            yield from filter(None, inlines_of(each))


# ── Reading back ───────────────────────────────────────────────────────────────────────────────────────────────────


def reads_as(text: str, block: Block) -> bool:
    """Whether our reader takes ``text`` for ``block`` and for nothing else, without a fault."""
    report = Report("")
    notes = "".join(f"\n\n[^{number}]: x" for number in sorted({int(n) for n in re.findall(r"\[\^(\d+)\]", text)}))
    body, _ = build_document(parse(text + notes), report, _any_picture)
    found = tuple(each for each in body if not isinstance(each, Footnotes))
    return not report.count and len(found) == 1 and _normal(found[0]) == _normal(block)


def _any_picture(name: str, _line: int) -> str:
    return name


def _normal(block: Block) -> Block:
    """Return a block without what does not count: levels and tightness, numbers of notes, links that are addresses."""
    if isinstance(block, Heading):
        return Heading(2, _normal_inlines(block.children))
    if isinstance(block, List):
        items = tuple(ListItem(tuple(map(_normal, item.children)), item.checked) for item in block.items)
        return List(block.ordered, items, block.start if block.ordered else 1, tight=True)
    if isinstance(block, Quote):
        return Quote(tuple(map(_normal, block.children)))
    normal: Callable[[tuple[Inline, ...]], tuple[Inline, ...]] = _normal_inlines
    return map_inlines(block, normal)


def _normal_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    result: list[Inline] = []
    for inline in inlines:
        new: Iterable[Inline] = (inline,)
        if isinstance(inline, Link) and is_address(inline.href, inline.children):
            new = (Text(plain(inline.children)),)
        elif isinstance(inline, FootnoteReference):
            new = (FootnoteReference(0),)
        elif isinstance(inline, (Strong, Emphasis, Subscript, Superscript, Link)):
            new = (msgspec.structs.replace(inline, children=_normal_inlines(inline.children)),)
        for each in new:
            if isinstance(each, Text) and result and isinstance(last := result[-1], Text):
                result[-1] = Text(last.text + each.text)
            else:
                result.append(each)
    return tuple(result)
