"""A Markdown file of another program → our document tree, with the front matter that static sites use."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import yaml

from pipeline.reader.imports.foreign import Check, Foreign, clean
from pipeline.reader.imports.html import read_html
from pipeline.reader.imports.pictures import Pictures
from pipeline.reader.markdown import parse

_KEYS = {
    "title": "title", "headline": "title", "subtitle": "subtitle", "deck": "subtitle", "subheadline": "subtitle",
    "date": "date", "published": "date", "publishdate": "date", "summary": "summary", "description": "summary",
    "excerpt": "summary", "dateline": "dateline", "location": "dateline", "city": "dateline", "lang": "language",
    "language": "language", "reference": "reference",
}  # fmt: skip
_FRONT = re.compile(r"\A\s*---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def read_markdown(text: str, folder: Path, stem: str) -> Foreign:
    """Return the blocks of a Markdown text; signs that may be a mark or not are taken as typed and asked about."""
    text = clean(text)
    facts: dict[str, str] = {}
    remarks: list[str] = []
    first = 1
    if front := _FRONT.match(text):
        facts, left = _facts(front[1])
        first += text.count("\n", 0, front.end())
        text = text[front.end() :]
        if left:
            remarks.append(f"keys of the front matter that were left out: {', '.join(left)}")
    parsed = parse(text, first)
    beside = folder / stem if (folder / stem).is_dir() else folder
    page = re.sub(r' data-(?:line|tight)="[^"]*"', "", _with_notes(parsed.html()))
    foreign = read_html(page, folder=None, pictures=Pictures(beside), whole=True)
    problems = [
        Check(f"line {problem.line} of the file, {problem.message}")
        for problem in parsed.problems
        if not problem.warning
    ]
    # The problems have lines of the old file, and the blocks none: they stand above the text together.
    return msgspec.structs.replace(
        foreign, facts=facts, remarks=tuple(remarks), checks=(*(each.text for each in problems), *foreign.checks)
    )


def _facts(front: str) -> tuple[dict[str, str], list[str]]:
    """Return what the front matter says by our keys, and the keys that were not understood."""
    facts: dict[str, str] = {}
    left: list[str] = []
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}, ["all of it, for it cannot be read"]
    for key, value in getattr(root, "value", []) if isinstance(root, yaml.MappingNode) else []:
        name = _KEYS.get(str(key.value).lower())
        if name and isinstance(value, yaml.ScalarNode) and str(value.value).strip():
            facts.setdefault(name, " ".join(str(value.value).split()))
        else:
            left.append(str(key.value)[:40])
    return facts, left


def _with_notes(page: str) -> str:
    """Return the page with our parser's footnotes as links, which is how all others write them."""
    page = re.sub(r'<sup data-note="([^"]*)"[^>]*>(?:</sup>)?', r'<sup><a href="#note-\1">[1]</a></sup>', page)
    return re.sub(r'<section([^>]*) data-note="([^"]*)"', r'<section\1 id="note-\2"', page)
