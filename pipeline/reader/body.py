"""The body of a release: Markdown in, two rows of blocks out, the text and the notes to editors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from pipeline.model.document import Block as TreeBlock
from pipeline.model.document import Paragraph, plain, walk
from pipeline.reader.blocks import Block
from pipeline.reader.fields import spaced
from pipeline.reader.markup import Reader
from pipeline.reader.pictures import Gallery
from pipeline.reader.report import Report
from pipeline.reader.tree import build_tree
from pipeline.typography.messages import FALLBACK, Messages

_AROUND = "*_~[](). \t\u00a0—–-…"
"""What may stand around an end mark."""
_THIRTY = re.compile(r"[-—–]?\s*30\s*[-—–]")

Split = tuple[tuple[TreeBlock, ...], tuple[TreeBlock, ...]]


def read_body(text: str, first_line: int, language: str, gallery: Gallery, report: Report) -> Split:
    """Return the text and the notes to editors (their heading first) of ``text``; faults go into ``report``."""
    messages = Messages(language, "UTC"), Messages(FALLBACK, "UTC")
    ends = {"end", *(form for table in messages for form in map(_fold, table.all("ends")))}
    notes = {form for table in messages for form in map(_fold, table.all("notes_to_editors"))}
    try:
        html = _reader().convert(text, first_line, report, lambda document: arrange(document, ends, notes))
        tree = build_tree(html, lambda name, line: gallery.add(name, line))
    except RecursionError as error:
        line = next((argument for argument in error.args if isinstance(argument, int)), first_line)
        report.fault(line, "marks nested too deeply", "use fewer * _ ~ and brackets within each other")
        return (), ()
    return tree.blocks[: tree.notes], tree.blocks[tree.notes :]


@cache
def _reader() -> Reader:
    return Reader()


def summarize(blocks: Iterable[TreeBlock], title: str) -> str:
    """Return the words of the first paragraph, or the title of a release that has none."""
    rows = tuple(blocks)
    for block in (*rows, *walk(rows)):
        if isinstance(block, Paragraph) and (messages := spaced(plain(block.children))):
            return messages
    return title


def arrange(document: Block, ends: set[str], notes: set[str]) -> None:
    """Mark the heading that opens the notes, and take out end marks: before that heading, and at the very end."""
    blocks = document.children
    at = next((i for i, block in enumerate(blocks) if block.kind == "heading" and _fold(block.text) in notes), None)
    if at is not None:
        blocks[at].marker = "notes"
        tail = blocks[at + 1 :]
        _drop_mark(tail, ends)
        head = blocks[:at]
        _drop_mark(head, ends)
        document.children = [*head, blocks[at], *tail]
    else:
        _drop_mark(blocks, ends)


def _fold(text: str, around: str = _AROUND + ":#") -> str:
    return spaced(text.strip(around).replace("'", "’")).casefold()


def _drop_mark(blocks: list[Block], ends: set[str], *, top: bool = True) -> None:
    """Take the end mark out of the last of ``blocks``, where it may stand below text or in a list item."""
    last = next((block for block in reversed(blocks) if block.kind != "paragraph" or block.lines), None)
    if last is None:
        return
    if last.kind in ("paragraph", "heading"):
        line = last.lines[-1] if last.lines else ""
        listed = not top and len(last.lines) == 1 and not re.search(r"[-—–]\s*$", line)  # "- ENDS -" looks like a list
        if not listed and is_mark(line, ends, heading=top and last.kind == "heading"):
            del last.lines[-1:]
            if not last.lines:
                blocks.remove(last)
    elif last.kind in ("list", "item") and last.children:
        _drop_mark(last.children, ends, top=False)
        if not last.children:
            blocks.remove(last)


def is_mark(line: str, ends: set[str], *, heading: bool = False) -> bool:
    """Whether ``line`` says no more than that the text ends here."""
    bare = line.strip(" \t*_[]()")
    if not line.strip(" \t#"):
        return "#" in line or heading
    return _fold(line, _AROUND) in ends or bool(_THIRTY.fullmatch(bare))
