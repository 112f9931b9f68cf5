"""The document tree as a few plain lines, and the files of cases written with it.

A case is a title, the Markdown, and the outline of its tree:

    ====== A list straight after a paragraph
    Bring
    - pens
    ------ reads as
    paragraph: Bring
    bullets
      item: pens

``ACCEPT=1 pytest …`` writes the current outlines into the files; review the diff.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.model.document import (
    Block,
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
    Strong,
    Subscript,
    Superscript,
    Table,
    Text,
)

FOLDER = Path(__file__).parent / "markdown"
TITLE = "====== "
READS = "------ reads as"
_MARKS: dict[type[Strong | Emphasis | Subscript | Superscript], str] = {
    Strong: "**",
    Emphasis: "*",
    Subscript: "~",
    Superscript: "^",
}


@dataclass(frozen=True)
class Case:
    """One case of a file."""

    title: str
    markdown: str
    outline: str

    def __str__(self) -> str:
        return f"{TITLE}{self.title}\n{self.markdown}\n{READS}\n{self.outline}\n"


def cases(name: str) -> list[Case]:
    """Return the cases of ``tests/support/markdown/NAME.txt``."""
    parts = f"\n{(FOLDER / f'{name}.txt').read_text('utf-8').rstrip()}".split(f"\n{TITLE}")[1:]
    found = []
    for part in parts:
        title, _, rest = part.partition("\n")
        markdown, _, reads = rest.partition(f"\n{READS}")
        found.append(Case(title.strip(), markdown, reads.strip("\n")))
    return found


def accept(name: str, read: Iterable[Case]) -> None:
    """Write ``read`` into the file of cases, whose opening lines stay."""
    file = FOLDER / f"{name}.txt"
    opening = file.read_text("utf-8").partition(TITLE)[0]
    file.write_text(opening + "\n".join(map(str, read)), "utf-8")


def outline(blocks: Iterable[Block]) -> str:
    """Return ``blocks`` as lines of plain text."""
    return "\n".join(line for block in blocks for line in _lines(block))


def _lines(block: Block) -> list[str]:
    match block:
        case Paragraph(children):
            return [f"paragraph: {_words(children)}"]
        case Heading(level, children):
            return [f"heading {level}: {_words(children)}"]
        case Quote(children):
            return ["quote", *_inside(children)]
        case CodeBlock(text, language):
            return [f"code {language}".rstrip(), *(f"  |{line}" for line in text.split("\n"))]
        case List():
            kind = f"numbers from {block.start}" if block.ordered else "bullets"
            return [kind + ("" if block.tight else ", loose"), *(line for item in block.items for line in _item(item))]
        case Table():
            rows = [" | ".join(_words(cell.children) for cell in row) for row in (block.head, *block.rows)]
            return [f"table: {' | '.join(block.alignments)}".rstrip(), *(f"  {row}" for row in rows)]
        case Figure():
            words = f"; caption: {_words(block.caption)}" if block.caption else ""
            credit = f"; credit: {block.credit}" if block.credit else ""
            return [f"figure {block.file or 'missing'}: {block.alt}{words}{credit}"]
        case Footnotes(notes):
            return ["footnotes", *(line for n, note in enumerate(notes, 1) for line in _note(n, note))]
    return ["rule"]


def _note(number: int, blocks: tuple[Block, ...]) -> list[str]:
    return [f"  note {number}", *_inside(blocks, "    ")]


def _item(item: ListItem) -> list[str]:
    box = {None: "item", True: "done", False: "to do"}[item.checked]
    first = item.children[0] if item.children else None
    if isinstance(first, Paragraph):
        return [f"  {box}: {_words(first.children)}", *_inside(item.children[1:], "    ")]
    return [f"  {box}", *_inside(item.children, "    ")]


def _inside(blocks: Iterable[Block], by: str = "  ") -> list[str]:
    return [f"{by}{line}" for block in blocks for line in _lines(block)]


def _words(inlines: Iterable[Inline]) -> str:
    return "".join(map(_word, inlines))


def _word(inline: Inline) -> str:
    match inline:
        case Text(text):
            return re.sub(r"([*`~\[])", r"\\\1", text)
        case Code(text):
            return f"`{text}`"
        case Link(href, children):
            return f"[{_words(children)}]({href})"
        case LineBreak():
            return "⏎"
        case FootnoteReference(number):
            return f"[^{number}]"
    mark = _MARKS[type(inline)]
    return f"{mark}{_words(inline.children)}{mark}"
