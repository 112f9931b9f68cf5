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
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")


def read_body(text: str, first_line: int, language: str, pictures: ReleasePictures, report: Report) -> BodyAndNotes:
    """Return the text and the notes to editors (their heading first) of ``text``; faults go into ``report``."""
    messages = Messages(language, "UTC"), Messages(FALLBACK, "UTC")
    ends = {"end", *(form for table in messages for form in map(_fold, table.all("ends")))}
    notes = {form for table in messages for form in map(_fold, table.all("notes_to_editors"))}
    return build_document(parse(text, first_line, partial(_edit, ends, notes, report)), report, pictures.add)


def summarize(blocks: Iterable[Block], title: str) -> str:
    """Return the text of the first paragraph, or the title of a release that has none."""
    rows = tuple(blocks)
    for block in (*rows, *walk(rows)):
        if isinstance(block, Paragraph) and (text := collapse_spaces(plain(block.children))):
            return text
    return title


def _edit(ends: set[str], notes: set[str], report: Report, document: RawBlock) -> None:
    """Mark the heading of the notes, and remove end marks: before that heading, and at the very end."""
    for block in document.walk():
        if block.kind in ("paragraph", "heading") and _FOOTNOTE.match(block.text):
            report.fault(block.line, "footnotes are not supported", "write it below a heading Notes to editors")
    blocks = document.children
    at = next((i for i, block in enumerate(blocks) if block.kind == "heading" and _fold(block.text) in notes), None)
    head, tail = blocks[:at], [] if at is None else blocks[at:]
    _remove_end_mark(head, ends)
    if tail:
        tail[0].marker = "notes"
        rest = tail[1:]
        _remove_end_mark(rest, ends)
        tail[1:] = rest
    document.children = [*head, *tail]


def _fold(text: str, around: str = _AROUND + ":#") -> str:
    return collapse_spaces(text.strip(around).replace("'", "’")).casefold()


def _remove_end_mark(blocks: list[RawBlock], ends: set[str], *, top: bool = True) -> None:
    """Remove the end mark from the last of ``blocks``; it may be the last line of a paragraph or of a list item."""
    last = next((block for block in reversed(blocks) if block.kind != "paragraph" or block.lines), None)
    if last is None:
        return
    if last.kind in ("paragraph", "heading"):
        line = last.lines[-1] if last.lines else ""
        listed = not top and len(last.lines) == 1 and not re.search(r"[-—–]\s*$", line)  # "- ENDS -" looks like a list
        if not listed and _is_end_mark(line, ends, heading=top and last.kind == "heading"):
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
