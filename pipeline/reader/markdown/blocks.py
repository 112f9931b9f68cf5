"""The block structure of a text, line by line: CommonMark and GitHub Flavored Markdown.

For each line: continue the open quotes and list items, open new blocks, add the rest to the open leaf. The text of the
blocks stays raw; inlines are read later, see ``extension``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from msgspec import Struct

from pipeline.reader.markdown.links import Definitions, take_definitions
from pipeline.reader.markdown.syntax import HTML_BLOCKS, plain_text

DEPTH_LIMIT = 20
"""Quotes and list items within each other; no sensible text needs more."""

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_MARKS = re.compile(r"(^|[ \t]+)#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
_ITEM = re.compile(r" {0,3}(?:(?P<bullet>[-+*])|(?P<number>\d{1,9})(?P<delimiter>[.)]))(?=[ \t]|$)")
_FENCE = re.compile(r"( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$")
_DELIMITER_CELL = re.compile(r":?-+:?")
_TABBED_PREFIX = re.compile(r"[ >*+\-.)\d]*\t[ \t>*+\-.)\d]*")
_TAKEN = "\0"
"""What ``_open`` returns for a line of which nothing remains."""


@dataclass(slots=True, eq=False)
class RawBlock:
    """A block whose text is still raw. ``kind`` says which of the other fields have a meaning."""

    kind: str
    """``document quote list item``, or a leaf: ``paragraph heading code fence rule table html``."""
    line: int
    end: int
    """Last line with content."""
    children: list[RawBlock] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    level: int = 0
    """Of a heading; of an item: columns that its content is indented."""
    marker: str = ""
    """Of a list: the bullet, or the delimiter behind the number. Of a heading: becomes its ``data-marker``."""
    start: int = 1
    alignments: tuple[str, ...] = ()
    fence: Fence | None = None
    ending: re.Pattern[str] | None = None
    """Of HTML: found in its last line."""

    @property
    def text(self) -> str:
        """The raw text of a leaf."""
        return "\n".join(self.lines)

    @property
    def is_loose(self) -> bool:
        """Of a list: whether there are blank lines between its items, or between the blocks of one of them."""
        return any(
            before.end + 1 < after.line
            for group in (self.children, *(item.children for item in self.children))
            for before, after in pairwise(group)
        )

    def walk(self) -> Iterator[RawBlock]:
        """Yield the block and all blocks within it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


class Fence(Struct, frozen=True):
    """The opening line of fenced code."""

    indent: int
    mark: str
    language: str

    @staticmethod
    def open(line: str) -> Fence | None:
        """Return the fence that ``line`` opens, if it does."""
        match = _FENCE.match(line)
        if not match:
            return None
        info = plain_text(match[3] if match[2] else match[5]).split()
        return Fence(len(match[1]), match[2] or match[4], info[0] if info else "")

    def closes(self, line: str) -> bool:
        """Whether ``line`` ends the code: as many marks or more, and nothing else."""
        marks = line.strip()
        return _indent(line) < 4 and len(marks) >= len(self.mark) and not marks.strip(self.mark[0])

    def content(self, line: str) -> str:
        """Return a line of the code without the fence's own indentation."""
        if self.indent and "\t" in line[: self.indent + 1]:
            content = line.lstrip(" \t")
            line = line[: len(line) - len(content)].expandtabs(4) + content
        return line[min(_indent(line), self.indent) :]


class BlockReader:
    """Reads lines into a tree of blocks; one instance a text."""

    def __init__(self, definitions: Definitions, report: Callable[[int, str, str], None]) -> None:
        self.definitions = definitions
        self.report = report
        self.stack = [RawBlock("document", 0, 0)]
        self.leaf: RawBlock | None = None

    def read(self, lines: list[str], first_line: int) -> RawBlock:
        """Return the document; ``first_line`` is the number of the first of ``lines``."""
        for number, line in enumerate(lines, first_line):
            self._line(number, line)
        self._close_to(1)
        self._end_leaf()
        _end_with_children(self.stack[0])
        return self.stack[0]

    def _line(self, number: int, raw: str) -> None:
        prefix = _TABBED_PREFIX.match(raw)
        line = prefix.group().expandtabs(4) + raw[prefix.end() :] if prefix else raw
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
            leaf.lines.append(rest.lstrip())  # perhaps a lazy line, without the marks of its quotes and items
            leaf.end = number
        else:
            self._close_to(matched)
            self._add(RawBlock("paragraph", number, number, lines=[rest.lstrip()]))

    def _continue(self, rest: str, number: int) -> tuple[str, int]:
        """Return what remains of a line within the containers that it continues, and how many these are."""
        for matched, container in enumerate(self.stack[1:], 1):
            indent = _indent(rest)
            if container.kind == "quote":
                if indent > 3 or not rest.startswith(">", indent):
                    return rest, matched
                rest = rest[indent + 1 :].removeprefix(" ")
                container.end = number
            elif container.children if indent == len(rest) else indent >= container.level:
                rest = rest[container.level :]
            else:
                return rest, matched
        return rest, len(self.stack)

    def _feed_leaf(self, leaf: RawBlock, rest: str, number: int, raw: str) -> bool:
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
            leaf.lines.append(_without_code_indent(raw))
            leaf.end = number if rest.strip() else leaf.end
        else:
            return False
        return True

    def _open(self, rest: str, number: int, matched: int, whole: bool, raw: str) -> str | None:
        """Open the block that ``rest`` starts, if any.

        Returns what remains for the inside of a new container, ``_TAKEN`` when nothing remains, None when no block
        starts here.
        """
        paragraph = self.leaf if self.leaf and self.leaf.kind == "paragraph" else None
        indent = _indent(rest)
        if indent == len(rest):
            return None
        if indent > 3:
            if paragraph:
                return None
            return self._put(matched, RawBlock("code", number, number, lines=[_without_code_indent(raw)]))
        if rest[indent] == ">":
            return self._push(matched, RawBlock("quote", number, number), rest[indent + 1 :].removeprefix(" "))
        block = self._leaf_start(rest, number, paragraph)
        if block:
            return self._put(matched, block)
        if paragraph and whole and self._underline(paragraph, rest, number):
            return _TAKEN
        if _RULE.match(rest):
            return self._put(matched, RawBlock("rule", number, number))
        opened = self._item(rest, number, matched, paragraph if whole else None)
        return self._row(rest, number, whole) if opened is None else opened

    def _leaf_start(self, rest: str, number: int, paragraph: RawBlock | None) -> RawBlock | None:
        if heading := _HEADING.match(rest):
            text = _CLOSING_MARKS.sub("", heading[2] or "").strip()
            return RawBlock("heading", number, number, lines=[text], level=len(heading[1]))
        if fence := Fence.open(rest):
            return RawBlock("fence", number, number, fence=fence)
        for kind, (start, end) in enumerate(HTML_BLOCKS, 1):
            if rest.lstrip().startswith("<") and start.match(rest) and (kind < 7 or not paragraph):
                return RawBlock("html", number, number, lines=[rest], ending=end)
        return None

    def _put(self, matched: int, block: RawBlock) -> str:
        self._close_to(matched)
        self._add(block)
        if block.kind in ("heading", "rule") or (block.ending and block.ending.search(block.lines[0])):
            self.leaf = None
        return _TAKEN

    def _push(self, matched: int, container: RawBlock, rest: str) -> str | None:
        if self._is_too_deep(matched, container.line):
            return None
        self._close_to(matched)
        self._add(container)
        self.leaf = None
        self.stack.append(container)
        return rest

    def _is_too_deep(self, matched: int, line: int) -> bool:
        if matched > DEPTH_LIMIT:
            self.report(line, f"nested deeper than {DEPTH_LIMIT} levels", "use fewer > and list marks")
        return matched > DEPTH_LIMIT

    def _underline(self, paragraph: RawBlock, rest: str, number: int) -> bool:
        """Turn the open paragraph into a heading or a table when ``rest`` makes it one."""
        if underline := _UNDERLINE.match(rest):
            self._define(paragraph)
            self.leaf = None
            if paragraph.lines:
                paragraph.kind, paragraph.level, paragraph.end = "heading", 1 if underline[1][0] == "=" else 2, number
                paragraph.lines = [line.rstrip() for line in paragraph.lines]
                return True
        columns = _alignments(rest)
        header = paragraph.lines[-1] if columns and paragraph.lines else ""
        if not columns or "|" not in header + rest or len(split_row(header)) != len(columns):
            return False
        paragraph.lines.pop()
        paragraph.end = number - 2
        if not paragraph.lines:
            self.stack[-1].children.remove(paragraph)
        else:
            self._end_leaf()
        self._add(RawBlock("table", number - 1, number, lines=[header], alignments=columns))
        return True

    def _row(self, rest: str, number: int, whole: bool) -> str | None:
        if not (whole and self.leaf and self.leaf.kind == "table"):
            return None
        self.leaf.lines.append(rest)
        self.leaf.end = number
        return _TAKEN

    def _item(self, rest: str, number: int, matched: int, paragraph: RawBlock | None) -> str | None:
        mark = _ITEM.match(rest)
        if not mark:
            return None
        content = rest[mark.end() :]
        if paragraph and (not content.strip() or mark["number"] not in (None, "1")):
            return None
        if self._is_too_deep(matched, number):
            return None
        gap = _indent(content)
        width = mark.end() + (gap if 1 <= gap <= 4 and content.strip() else 1)
        self._close_to(matched)
        parent = self.stack[-1]
        marker = mark["bullet"] or mark["delimiter"]
        last = parent.children[-1] if parent.children else None
        if last is None or last.kind != "list" or last.marker != marker:
            self._end_leaf()
            last = RawBlock("list", number, number, marker=marker, start=int(mark["number"] or 1))
            parent.children.append(last)
        item = RawBlock("item", number, number, level=width)
        self.leaf = None
        last.children.append(item)
        self.stack.append(item)
        return rest[width:]

    def _add(self, block: RawBlock) -> None:
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

    def _define(self, paragraph: RawBlock) -> None:
        """Take link definitions off the front of a paragraph."""
        if paragraph.lines and paragraph.lines[0].startswith("["):
            rest = take_definitions(paragraph.text, self.definitions)
            taken = len(paragraph.lines) - (rest.count("\n") + 1 if rest else 0)
            paragraph.line += taken
            del paragraph.lines[:taken]


def split_row(line: str) -> list[str]:
    """Return the cells of a table row; ``\\|`` is no border, not even within code."""
    line = line.strip().removeprefix("|")
    cells = re.split(r"(?<!\\)\|", line)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def _alignments(line: str) -> tuple[str, ...]:
    """Return the alignments that a delimiter row gives its columns, none when it is not one."""
    if set(line) - set(" \t|:-") or "-" not in line:
        return ()
    cells = split_row(line)
    if not all(_DELIMITER_CELL.fullmatch(cell) for cell in cells):
        return ()
    names = {(True, True): "center", (True, False): "left", (False, True): "right"}
    return tuple(names.get((cell.startswith(":"), cell.endswith(":")), "") for cell in cells)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _without_code_indent(line: str) -> str:
    """Return a line of indented code without the four columns that make it code."""
    return line[4:] if line.startswith("    ") else re.sub(r"^ {0,3}\t", "", line) if line.strip(" \t") else ""


def _end_with_children(block: RawBlock) -> int:
    """Make every container end where its last child ends; return the block's own end."""
    for child in block.children:
        block.end = max(block.end, _end_with_children(child))
    return block.end
