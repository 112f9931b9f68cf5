"""Links within a text: which headings they lead to, and by which fragment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from pipeline.model.document import Block, Code, Heading, Inline, LineBreak, Link, Text, inlines_of, plain, walk


def wanted_anchors(blocks: Iterable[Block]) -> frozenset[str]:
    """Return the fragments that links in ``blocks`` lead to and a heading in ``blocks`` answers."""
    found = list(walk(blocks))
    links = {
        unquote(href[1:])
        for block in found
        for run in inlines_of(block)
        for href in _hrefs(run)
        if href.startswith("#")
    }
    return frozenset(links.intersection(anchor(block) for block in found if isinstance(block, Heading)))


def _hrefs(inlines: Iterable[Inline]) -> Iterator[str]:
    for inline in inlines:
        if isinstance(inline, Link):
            yield inline.href
        if not isinstance(inline, (Text, Code, LineBreak)):
            yield from _hrefs(inline.children)


def anchor(heading: Heading) -> str:
    """Return the fragment by which GitHub links to ``heading``."""
    return re.sub(r"[^\w\- ]", "", plain(heading.children).lower()).replace(" ", "-")
