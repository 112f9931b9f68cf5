"""A block of the text between reading it line by line and making an element of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.reader.leaves import Fence


@dataclass(slots=True, eq=False)
class Block:
    """A block while it grows. ``kind`` says which of the other fields have a meaning."""

    kind: str
    """``document quote list item``, or a leaf: ``paragraph heading code fence rule table html``."""
    line: int
    end: int
    """Last line with content."""
    children: list[Block] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    level: int = 0
    """Of a heading; of an item: columns that its content is indented."""
    marker: str = ""
    """Of a list: the bullet or the delimiter behind the number."""
    start: int = 1
    alignments: tuple[str, ...] = ()
    fence: Fence | None = None
    ending: re.Pattern[str] | None = None
    """Of raw HTML: what its last line holds."""

    @property
    def text(self) -> str:
        """The raw text of a leaf."""
        return "\n".join(self.lines)


def is_loose(items: list[Block]) -> bool:
    """Whether blank lines stand between the items of a list, or between the blocks of one of them."""
    return any(
        before.end + 1 < after.line
        for group in (items, *(item.children for item in items))
        for before, after in pairwise(group)
    )


def settle_ends(block: Block) -> int:
    """Let every container end where its last child ends; returns the block's own end."""
    for child in block.children:
        block.end = max(block.end, settle_ends(child))
    return block.end
