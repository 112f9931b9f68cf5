"""The body of a release: Markdown → its text and its notes to editors, both without end marks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from pipeline.model.document import Block, Paragraph, plain, walk
from pipeline.reader.characters import collapse_spaces
from pipeline.reader.document import BodyAndNotes, build_document
from pipeline.reader.markdown import RawBlock, parse
from pipeline.reader.pictures import ReleasePictures
from pipeline.reader.report import Report
from pipeline.typography.messages import FALLBACK, Messages

_AROUND = "*_~[](). \t\u00a0—–-…"
"""Characters that may surround an end mark."""
_THIRTY = re.compile(r"[-—–]?\s*30\s*[-—–]")


def read_body(text: str, first_line: int, language: str, pictures: ReleasePictures, report: Report) -> BodyAndNotes:
    """Return the text and the notes to editors (their heading first) of ``text``; faults go into ``report``."""
    messages = Messages(language, "UTC"), Messages(FALLBACK, "UTC")
    ends = {"end", *(form for table in messages for form in map(_fold, table.all("ends")))}
    notes = {form for table in messages for form in map(_fold, table.all("notes_to_editors"))}
    return build_document(parse(text, first_line, partial(_edit, ends, notes)), report, pictures.add)


def summarize(blocks: Iterable[Block], title: str) -> str:
    """Return the text of the first paragraph, or the title of a release that has none."""
    rows = tuple(blocks)
    for block in (*rows, *walk(rows)):
        if isinstance(block, Paragraph) and (text := collapse_spaces(plain(block.children))):
            return text
    return title


def _edit(ends: set[str], notes: set[str], document: RawBlock) -> None:
    """Part the text at its end mark or at the heading of its notes, and remove the end marks."""
    blocks = document.children
    for block in blocks:
        if block.kind == "paragraph" and _is_bold_line(block) and _fold(block.text) in notes:
            block.kind, block.level, block.lines = "heading", 2, [block.text.strip("*_ ")]
    at = next(
        (i for i, block in enumerate(blocks) if block.kind == "heading" and _fold(block.text) in notes), len(blocks)
    )
    ended = next((i for i in range(len(blocks)) if _ends_here(blocks, i, ends)), at)
    head, tail = (blocks[: ended + 1], blocks[ended + 1 :]) if ended < at else (blocks[:at], blocks[at:])
    _remove_end_mark(head, ends)
    tail = [block for i, block in enumerate(tail) if not _ends_here(tail, i, ends)]
    _remove_end_mark(tail, ends)
    parts = [RawBlock("marker", tail[0].line, tail[0].line, marker="notes"), *tail] if tail else []
    document.children = [*head, *parts]


def _is_bold_line(block: RawBlock) -> bool:
    return len(block.lines) == 1 and bool(re.fullmatch(r"(\*\*|__)[^*_]+\1:?", block.text.strip()))


def _is_alone(block: RawBlock, ends: set[str]) -> bool:
    """Whether a block says only that the text ends here."""
    return (
        block.kind in ("paragraph", "heading")
        and len(block.lines) == 1
        and _is_end_mark(block.lines[0], ends, heading=block.kind == "heading")
    )


def _ends_here(blocks: list[RawBlock], at: int, ends: set[str]) -> bool:
    """Whether a block is an end mark, or ends in one and something with a heading of its own follows."""
    block = blocks[at]
    followed = at + 1 < len(blocks) and (blocks[at + 1].kind == "heading" or _is_bold_line(blocks[at + 1]))
    last = block.lines[-1:] if followed and block.kind == "paragraph" else []
    is_first = at == 0 and len(block.lines) == 1
    if is_first or (block.kind == "heading" and block.level < 3 and block.text != "#"):  # an empty heading
        return False
    return _is_alone(block, ends) or any(_is_end_mark(line, ends) for line in last)


def _fold(text: str, around: str = _AROUND + ":#") -> str:
    return collapse_spaces(text.strip(around).replace("'", "’")).casefold()


def _remove_end_mark(blocks: list[RawBlock], ends: set[str], *, top: bool = True) -> None:
    """Remove the end mark from the last of ``blocks``; it may be the last line of a paragraph or of a list item."""
    last = next((block for block in reversed(blocks) if block.kind != "paragraph" or block.lines), None)
    if last is None:
        return
    if last.kind in ("paragraph", "heading"):
        line = last.lines[-1] if last.lines else ""
        if (top or len(last.lines) > 1) and _is_end_mark(line, ends, heading=top and last.kind == "heading"):
            del last.lines[-1:]
            if not last.lines:
                blocks.remove(last)
    elif last.kind in ("list", "item") and last.children:
        _remove_end_mark(last.children, ends, top=False)
        if not last.children:
            blocks.remove(last)


def _is_end_mark(line: str, ends: set[str], *, heading: bool = False) -> bool:
    """Whether ``line`` says only that the text ends here."""
    if not line.strip(" \t#"):
        return "#" in line or heading
    return _fold(line, _AROUND) in ends or bool(_THIRTY.fullmatch(line.strip(" \t*_[]()")))
