"""The block structure of a text as CommonMark and GitHub Flavored Markdown define it.

Line by line: continue the open quotes and list items, open new blocks, add what remains to the open leaf. Texts stay
raw; inline mark-up is Python-Markdown's part, see ``markup``. Its own block reader goes by blank lines and four blanks,
and cannot be taught two-space nesting, a list straight after a paragraph, or a fence within a list.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipeline.reader.blocks import Block
from pipeline.reader.leaves import (
    ATX,
    CLOSING,
    HTML_STARTS,
    ITEM,
    RULE,
    SETEXT,
    Fence,
    References,
    alignments,
    split_row,
    take_definitions,
    without_indent,
)

DEPTH_LIMIT = 20
"""Quotes and list items within each other; more is a bomb, not a press release."""
_TAKEN = "\0"
"""What ``_open`` returns for a line that is used up."""
_TABBED_PREFIX = re.compile(r"[ >*+\-.)\d]*\t[ \t>*+\-.)\d]*")


class Structure:
    """Reads lines into a tree of blocks; one instance a text."""

    def __init__(self, references: References, fault: Callable[[int, str, str], None]) -> None:
        self.references = references
        self.fault = fault
        self.stack = [Block("document", 0, 0)]
        self.leaf: Block | None = None

    def read(self, lines: list[str], first_line: int) -> Block:
        """Return the document; ``first_line`` is the number of the first of ``lines`` in its file."""
        for number, line in enumerate(lines, first_line):
            self._line(number, line)
        self._close_to(1)
        self._end_leaf()
        return self.stack[0]

    def _line(self, number: int, raw: str) -> None:
        found = _TABBED_PREFIX.match(raw)
        line = found.group().expandtabs(4) + raw[found.end() :] if found else raw
        rest, matched = self._continue(line, number)
        whole = matched == len(self.stack)
        raw = raw if matched == 1 else rest  # with its tabs, where no container has taken columns from the line
        if whole and self.leaf and self._feed_leaf(self.leaf, rest, number, raw):
            return
        leaf = self.leaf
        while (opened := self._open(rest, number, matched, whole, raw)) is not None:
            if opened == _TAKEN:
                return
            raw, rest, matched, whole = opened, opened, len(self.stack), True
        if not rest.strip():
            self._close_to(matched)
            self._end_leaf()
        elif leaf and leaf is self.leaf and leaf.kind == "paragraph":
            leaf.lines.append(rest.lstrip())  # may be lazy: without the marks of its quotes and items
            leaf.end = number
        else:
            self._close_to(matched)
            self._add(Block("paragraph", number, number, lines=[rest.lstrip()]))

    def _continue(self, rest: str, number: int) -> tuple[str, int]:
        """Return what remains of a line within the containers that it continues, and how many these are."""
        for matched, container in enumerate(self.stack[1:], 1):
            indent = len(rest) - len(rest.lstrip(" "))
            if container.kind == "quote":
                if indent > 3 or not rest.startswith(">", indent):
                    return rest, matched
                rest = rest[indent + 1 :].removeprefix(" ")
                container.end = number
            elif indent == len(rest):
                if not container.children:
                    return rest, matched
                rest = rest[container.level :]
            elif indent >= container.level:
                rest = rest[container.level :]
            else:
                return rest, matched
        return rest, len(self.stack)

    def _feed_leaf(self, leaf: Block, rest: str, number: int, raw: str) -> bool:
        """Add a line to a leaf that takes lines as they come; say whether it did."""
        if leaf.fence:
            leaf.end = number
            if leaf.fence.closes(rest):
                self.leaf = None
            else:
                leaf.lines.append(leaf.fence.content(raw))
        elif leaf.kind == "html" and leaf.ending:
            leaf.end = number
            self.leaf = None if leaf.ending.search(rest) else leaf
        elif leaf.kind == "code" and (rest.startswith("    ") or not rest.strip()):
            leaf.lines.append(without_indent(raw))
            leaf.end = number if rest.strip() else leaf.end
        else:
            return False
        return True

    def _open(self, rest: str, number: int, matched: int, whole: bool, raw: str) -> str | None:
        """Open the block that ``rest`` starts, if any.

        Returns what remains for the inside of a new container, ``_TAKEN`` when the line is used up, None when nothing
        starts here.
        """
        paragraph = self.leaf if self.leaf and self.leaf.kind == "paragraph" else None
        indent = len(rest) - len(rest.lstrip(" "))
        if indent == len(rest):
            return None
        if indent > 3:
            if paragraph:
                return None
            return self._put(matched, Block("code", number, number, lines=[without_indent(raw)]))
        if rest[indent] == ">":
            return self._push(matched, Block("quote", number, number), rest[indent + 1 :].removeprefix(" "))
        block = self._leaf_start(rest, number, paragraph)
        if block:
            return self._put(matched, block)
        if paragraph and whole and self._underline(paragraph, rest, number):
            return _TAKEN
        if RULE.match(rest):
            return self._put(matched, Block("rule", number, number))
        opened = self._item(rest, number, matched, paragraph if whole else None)
        return self._row(rest, number, whole) if opened is None else opened

    def _leaf_start(self, rest: str, number: int, paragraph: Block | None) -> Block | None:
        if found := ATX.match(rest):
            words = CLOSING.sub("", found[2] or "").strip()
            return Block("heading", number, number, lines=[words], level=len(found[1]))
        if fence := Fence.open(rest):
            return Block("fence", number, number, fence=fence)
        for index, (start, end) in enumerate(HTML_STARTS, 1):
            if rest.lstrip().startswith("<") and start.match(rest) and (index < 7 or not paragraph):
                return Block("html", number, number, lines=[rest], ending=end)
        return None

    def _put(self, matched: int, block: Block) -> str:
        self._close_to(matched)
        self._add(block)
        if block.kind in ("heading", "rule") or (block.ending and block.ending.search(block.lines[0])):
            self.leaf = None
        return _TAKEN

    def _push(self, matched: int, container: Block, rest: str) -> str | None:
        if matched > DEPTH_LIMIT:
            self.fault(container.line, f"nested deeper than {DEPTH_LIMIT} levels", "use fewer > and list marks")
            return None
        self._close_to(matched)
        self._add(container)
        self.leaf = None
        self.stack.append(container)
        return rest

    def _underline(self, paragraph: Block, rest: str, number: int) -> bool:
        """Turn the open paragraph into a heading or a table when ``rest`` makes it one."""
        if found := SETEXT.match(rest):
            self._define(paragraph)
            if paragraph.lines:
                paragraph.kind, paragraph.level, paragraph.end = "heading", 1 if found[1][0] == "=" else 2, number
                paragraph.lines = [line.rstrip() for line in paragraph.lines]
                self.leaf = None
                return True
            self.leaf = None
        columns = alignments(rest)
        header = paragraph.lines[-1] if columns and paragraph.lines else ""
        if not columns or "|" not in header + rest or len(split_row(header)) != len(columns):
            return False
        paragraph.lines.pop()
        paragraph.end = number - 2
        if not paragraph.lines:
            self.stack[-1].children.remove(paragraph)
        else:
            self._end_leaf()
        self._add(Block("table", number - 1, number, lines=[header], alignments=columns))
        return True

    def _row(self, rest: str, number: int, whole: bool) -> str | None:
        if not (whole and self.leaf and self.leaf.kind == "table"):
            return None
        self.leaf.lines.append(rest)
        self.leaf.end = number
        return _TAKEN

    def _item(self, rest: str, number: int, matched: int, paragraph: Block | None) -> str | None:
        found = ITEM.match(rest)
        if not found:
            return None
        content = rest[found.end() :]
        if paragraph and (not content.strip() or found["number"] not in (None, "1")):
            return None
        gap = len(content) - len(content.lstrip(" "))
        width = found.end() + (gap if 1 <= gap <= 4 and content.strip() else 1)
        if matched > DEPTH_LIMIT:
            return self._push(matched, Block("item", number, number), "")
        self._close_to(matched)
        parent = self.stack[-1]
        marker = found["bullet"] or found["delimiter"]
        last = parent.children[-1] if parent.children else None
        if last is None or last.kind != "list" or last.marker != marker:
            self._end_leaf()
            last = Block("list", number, number, marker=marker, start=int(found["number"] or 1))
            parent.children.append(last)
        item = Block("item", number, number, level=width)
        self.leaf = None
        last.children.append(item)
        self.stack.append(item)
        return rest[width:]

    def _add(self, block: Block) -> None:
        self._end_leaf()
        self.stack[-1].children.append(block)
        self.leaf = block

    def _close_to(self, size: int) -> None:
        if len(self.stack) > size:
            self._end_leaf()
            del self.stack[size:]

    def _end_leaf(self) -> None:
        if self.leaf and self.leaf.kind == "paragraph":
            self._define(self.leaf)
        self.leaf = None

    def _define(self, paragraph: Block) -> None:
        """Take link reference definitions off the front of a paragraph."""
        if paragraph.lines and paragraph.lines[0].startswith("["):
            rest = take_definitions(paragraph.text, self.references)
            taken = len(paragraph.lines) - (rest.count("\n") + 1 if rest else 0)
            paragraph.line += taken
            del paragraph.lines[:taken]
