"""The block structure of a text, line by line: CommonMark and GitHub Flavored Markdown, where a mark is meant as one.

For each line: continue the open quotes and list items, open new blocks, add the rest to the open leaf. The text of the
blocks stays raw; inlines are read later, see ``extension``.

Whether a sign at the beginning of a line is a mark is decided by ``_Mark.reading``: ``>80%`` in a wrapped paragraph is
text, ``- 4%`` alone may be either and is reported. Numbers that do not count up make no list, see ``_counted``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

from msgspec import Struct

from pipeline.reader.markdown.links import Definitions, take_definitions
from pipeline.reader.markdown.syntax import HTML_BLOCKS, plain_text

DEPTH_LIMIT = 20
"""Quotes and list items within each other; no sensible text needs more."""

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_MARKS = re.compile(r"(^|[ \t]+)#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
_NO_BREAK_GAP = re.compile(r"[\s>]*(?:#{1,6}|[-+*>]|\d{1,9}[.)])[\u00a0\u202f\u3000]+")
"""A mark with a no-break space behind it, which word processors type."""
_ITEM = re.compile(r" {0,3}(?:(?P<bullet>[-+*])|(?P<number>\d{1,9})(?P<delimiter>[.)]))(?=[ \t]|$)")
_FENCE = re.compile(r"( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$")
_DELIMITER_CELL = re.compile(r":?-+:?")
_CELL_PART = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|\\.|[^\\|`]+|.", re.DOTALL)
_TABBED_PREFIX = re.compile(r"[ >*+\-.)\d]*\t[ \t>*+\-.)\d]*")
_FOOTNOTE = re.compile(r" {0,3}\[\^(?P<name>[^\]\s]+)\]:[ \t]*")
_FIGURE = re.compile(r"\s*\d")
_COLON = re.compile(r"[:：]\s*$")
_SENTENCE_END = re.compile(r"[.!?…:;,。！？]['\"’”»)]*\s*$")
_TAB_COLUMNS = re.compile(r"\S *\t[ \t]*\S")
_TAKEN = "\0"
"""What ``_open`` returns for a line of which nothing remains."""


@dataclass(slots=True, eq=False)
class RawBlock:
    """A block whose text is still raw. ``kind`` says which of the other fields have a meaning."""

    kind: str
    """``document quote list item footnote``, or a leaf: ``paragraph heading code fence rule table html marker``."""
    line: int
    end: int
    """Last line with content."""
    children: list[RawBlock] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    level: int = 0
    """Of a heading; of an item: columns that its content is indented."""
    marker: str = ""
    """Of a list: the bullet, or the delimiter behind the number. Of an item: its mark as typed, with the gap behind it.

    Of a footnote: its name. A leaf ``marker`` is an empty element with this as its ``data-marker``.
    """
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


class ReportProblem(Protocol):
    """Takes line, message, hint, and whether the text can be used all the same."""

    def __call__(self, line: int, message: str, hint: str, *, warning: bool = False) -> None:
        """Note a problem."""


class _Mark(Struct, frozen=True):
    """What stands at the beginning of a line and may be a mark: ``>``, ``#``, ``-``, ``12.``."""

    sign: str
    text: str
    """What follows on the line."""
    before: str | None
    """The line before it in the same paragraph, None at the beginning of a block."""
    nested: bool
    """It stands in a list item, where a list may follow the item's text at once."""
    rest: tuple[str, ...]
    """The lines below it up to the next empty one, without indentation."""

    def reading(self) -> Literal["mark", "text", "unclear"]:
        """Whether the author can only have meant a mark, can only have meant the sign, or may have meant either."""
        figure, announced = _FIGURE.match(self.text), self.nested or bool(_COLON.search(self.before or ""))
        if self.sign[0].isdigit():
            return self._number(announced)
        if self.sign[0] == "#":
            return "mark" if len(self.sign) > 1 else self._heading(bool(figure))
        if self.sign == "-" and re.fullmatch(r"\s*\S+\s+[-–—]\s*", self.text):  # - 30 -
            return "text"
        if figure and (self.sign == "+" or (self.sign == ">" and self.text[0].isdigit())):
            return "text"
        others = [line[1:] for line in self.rest if re.match(rf"{re.escape(self.sign)}\s", f"{line} ")]
        repeated = any(not _FIGURE.match(other) for other in others) or bool(others and self.sign == "-")
        if self.before is None:
            alone = not others and not self.nested  # a minus, or the star of a note
            is_more_than = figure and self.sign == ">" and not repeated
            return "unclear" if is_more_than or (alone and self._is_sign()) else "mark"
        if repeated and not figure:
            return "mark"
        if announced and (self.sign != ">" or not self.nested):
            return "text" if figure and not _COLON.search(self.before) else "mark"
        return "text" if self.sign == "+" or (figure and self.sign == "-") else "unclear"

    def _is_sign(self) -> bool:
        """Whether a single item may not be one."""
        return self.sign in "*+" or (self.sign == "-" and bool(_FIGURE.match(self.text)))

    def _number(self, announced: bool) -> Literal["mark", "text", "unclear"]:
        """In a paragraph, a list begins with two of: a 1, a number that counts on, a colon or an end of a sentence."""
        if self.before is None:
            return "mark"
        number = int(self.sign[:-1])
        counted_on = any(re.match(rf"0*{number + 1}{re.escape(self.sign[-1])}\s", f"{line} ") for line in self.rest)
        if announced:
            return "mark" if number == 1 or counted_on else "text"
        if number == 1 and counted_on:
            return "mark" if _SENTENCE_END.search(self.before) else "unclear"
        return "text"

    def _heading(self, figure: bool) -> Literal["mark", "text", "unclear"]:
        if self.before is None:
            return "unclear" if figure else "mark"
        return "text" if figure else "unclear"

    def problem(self) -> tuple[str, str]:
        """Return message and hint for a sign that may be either."""
        text = " ".join(self.text.split())[:40]
        name = {"#": "heading", ">": "quotation"}.get(self.sign[0], "list")
        ways = {"#": f"write ## {text}", ">": f"write > “{text}”"}
        item = "add a second item" if _FIGURE.match(text) else f"write - {text}"
        way = ways.get(self.sign[0], item) if self.before is None else "leave an empty line above it"
        message = f"is {self.sign} a sign of the text, or does it begin a {name}? {self.sign} {text}"
        escaped = f"{self.sign[:-1]}\\{self.sign[-1]}"
        return message, f"for the sign write {escaped} {text}; for a {name} {way}"


class BlockReader:
    """Reads lines into a tree of blocks; one instance a text."""

    def __init__(self, definitions: Definitions, report: ReportProblem) -> None:
        self.definitions = definitions
        self.report = report
        self.stack = [RawBlock("document", 0, 0)]
        self.leaf: RawBlock | None = None
        self.footnotes: list[RawBlock] = []
        """The notes, in the order of their definitions; they stand nowhere else in the document."""

    def read(self, lines: list[str], first_line: int) -> RawBlock:
        """Return the document; ``first_line`` is the number of the first of ``lines``."""
        self.lines, self.first_line = lines, first_line
        for number, line in enumerate(lines, first_line):
            self._line(number, line)
        self._close_to(1)
        self._end_leaf()
        for block in (self.stack[0], *self.footnotes):
            _end_with_children(block)
            self._count(block)
        return self.stack[0]

    def _line(self, number: int, typed: str) -> None:
        if re.match(r"(?:<{7}|>{7})(?: |$)", typed):
            self.report(
                number, f"a mark of git's conflicts: {typed[:40]}", "decide for one of the versions, delete the marks"
            )
        gap = _NO_BREAK_GAP.match(typed)
        raw = re.sub(r"[^\S\t]", " ", gap.group()) + typed[gap.end() :] if gap else typed
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
            leaf.lines.append(_typed(rest, typed))  # perhaps a lazy line, without the marks of its quotes and items
            leaf.end = number
        else:
            self._close_to(matched)
            self._add(RawBlock("paragraph", number, number, lines=[_typed(rest, typed)]))

    def _continue(self, rest: str, number: int) -> tuple[str, int]:
        """Return what remains of a line within the containers that it continues, and how many these are."""
        for matched, container in enumerate(self.stack[1:], 1):
            indent = _indent(rest)
            if container.kind == "quote":
                if indent > 3 or not rest.startswith(">", indent):
                    return rest, matched
                rest = rest[indent + 1 :]
                if rest[:1].isdigit():
                    hint = f"for the sign write > \\>{rest[:40]}; for the quotation leave a blank behind the first >"
                    self.report(
                        number, f"is > a sign of the text, or does it go on with a quotation? >{rest[:40]}", hint
                    )
                rest = rest.removeprefix(" ")
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
        if note := _FOOTNOTE.match(rest):
            footnote = RawBlock("footnote", number, number, level=4, marker=note["name"])
            return self._push(matched, footnote, rest[note.end() :])
        if rest[indent] == ">":
            if not self._is_meant(">", rest[indent + 1 :], number, matched, paragraph):
                return None
            return self._push(matched, RawBlock("quote", number, number), rest[indent + 1 :].removeprefix(" "))
        block = self._leaf_start(rest, number, matched, paragraph)
        if block:
            return self._put(matched, block)
        if paragraph and whole and self._underline(paragraph, rest, number):
            return _TAKEN
        if _RULE.match(rest):
            return self._put(matched, RawBlock("rule", number, number))
        opened = self._item(rest, number, matched, paragraph if whole else None)
        return self._row(rest, number, whole) if opened is None else opened

    def _leaf_start(self, rest: str, number: int, matched: int, paragraph: RawBlock | None) -> RawBlock | None:
        heading = _HEADING.match(rest)
        if heading and (not heading[2] or self._is_meant(heading[1], heading[2], number, matched, paragraph)):
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
        if container.kind == "footnote":
            self._end_leaf()
            self.footnotes.append(container)
        else:
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
            if len(paragraph.lines) > 1 or _SENTENCE_END.search(paragraph.lines[-1]):
                message = f"the line {rest.strip()[:12]} makes a heading of the paragraph above it"
                self.report(
                    number, message, "for a rule leave an empty line above it; for a heading write ## before it"
                )
            self._define(paragraph)
            self.leaf = None
            if paragraph.lines:
                paragraph.kind, paragraph.level, paragraph.end = "heading", 1 if underline[1][0] == "=" else 2, number
                paragraph.lines = [line.rstrip() for line in paragraph.lines]
                return True
        columns = _alignments(rest)
        header = paragraph.lines[-1] if columns and paragraph.lines else ""
        if not columns or "|" not in header or ("|" not in rest and len(columns) != len(split_row(header))):
            return False
        if len(split_row(header)) != len(columns):
            what = f"{len(split_row(header))} cells in the table's first row, {len(columns)} in the line below it"
            self.report(number, what, "write a |---| for each cell of the first row")
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
        sign = mark.group().strip()
        goes_on = not paragraph and self._goes_on(matched, sign[-1])
        if (paragraph and not content.strip()) or not (
            goes_on or self._is_meant(sign, content, number, matched, paragraph)
        ):
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
        item = RawBlock("item", number, number, level=width, marker=f"{sign} ")
        self.leaf = None
        last.children.append(item)
        self.stack.append(item)
        return rest[width:]

    def _goes_on(self, matched: int, marker: str) -> bool:
        """Whether the list that was read last has this marker, so that its next item begins here."""
        siblings = self.stack[matched - 1].children
        return bool(siblings) and siblings[-1].kind == "list" and siblings[-1].marker == marker

    def _is_meant(self, sign: str, text: str, number: int, matched: int, paragraph: RawBlock | None) -> bool:
        """Whether a sign at the beginning of a line is a mark. Reports it where it may be either."""
        around = " \t" if sign == ">" else " \t>"
        below = self.lines[number - self.first_line + 1 :][:200]
        end = next((index for index, line in enumerate(below) if not line.strip(" \t>")), len(below))
        before = paragraph.lines[-1] if paragraph and paragraph.lines else None
        nested = self.stack[matched - 1].kind == "item"
        mark = _Mark(sign, text, before, nested, tuple(line.lstrip(around) for line in below[:end]))
        reading = mark.reading()
        if reading == "unclear":
            self.report(number, *mark.problem())
        return reading == "mark"

    def _count(self, block: RawBlock) -> None:
        """Replace lists whose numbers do not count up by the lines as they were typed."""
        children: list[RawBlock] = []
        for child in block.children:
            self._count(child)
            is_numbered = child.kind == "list" and child.marker in (".", ")")
            children += self._counted(child) if is_numbered else [child]
        block.children = children

    def _counted(self, block: RawBlock) -> Iterable[RawBlock]:
        numbers = [int(item.marker.strip()[:-1]) for item in block.children]
        if numbers == list(range(numbers[0], numbers[0] + len(numbers))) and (len(numbers) > 1 or numbers[0] < 2):
            return [block]
        if len(set(numbers)) == 1 < len(numbers):
            message = f"{len(numbers)} items of a list have the number {numbers[0]}"
            self.report(block.line, message, f"number them {numbers[0]}, {numbers[0] + 1} … as they are to be printed")
            return [block]
        if numbers[0] < 2:
            typed = ", ".join(map(str, numbers[:4])) + " …" * (len(numbers) > 4)
            message = f"numbers that do not count up: {typed}; the lines are set as typed, not as a list"
            self.report(block.line, message, "for a list number the lines 1, 2, 3 …", warning=True)
        paragraphs: list[RawBlock] = []
        for item in block.children:
            if not item.children or item.children[0].kind != "paragraph":
                item.children.insert(0, RawBlock("paragraph", item.line, item.line, lines=[""]))
            lines = item.children[0].lines
            lines[:1] = [item.marker + "".join(lines[:1])]
            if block.is_loose or len(item.children) > 1 or not paragraphs or paragraphs[-1].kind != "paragraph":
                paragraphs += item.children
            else:
                paragraphs[-1].lines[-1] = paragraphs[-1].lines[-1].rstrip() + "  "  # a line break
                paragraphs[-1].lines += lines
                paragraphs[-1].end = item.end
        return paragraphs

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
        elif self.leaf and self.leaf.fence:
            mark = self.leaf.fence.mark
            message = f"the code that begins with {mark} has no end"
            self.report(self.leaf.line, message, f"write {mark} below its last line")
        self.leaf = None

    def _define(self, paragraph: RawBlock) -> None:
        """Take link definitions off the front of a paragraph."""
        if paragraph.lines and paragraph.lines[0].startswith("["):
            rest = take_definitions(paragraph.text, self.definitions)
            taken = len(paragraph.lines) - (rest.count("\n") + 1 if rest else 0)
            paragraph.line += taken
            del paragraph.lines[:taken]


def split_row(line: str) -> list[str]:
    """Return the cells of a table row. ``\\|``, and a bar within code, is no border."""
    cells = [""]
    for match in _CELL_PART.finditer(line.strip().removeprefix("|")):
        part = match.group()
        if part == "|":
            cells.append("")
        else:
            cells[-1] += part.replace("\\|", "|")
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [cell.strip() for cell in cells]


def _typed(rest: str, typed: str) -> str:
    """Return what is left of a line without its indentation, with the no-break spaces that were typed."""
    text = rest.lstrip()
    original = typed[len(typed) - len(text) :]
    return original if re.sub(r"[^\S\t]", " ", original) == re.sub(r"[^\S\t]", " ", text) else text


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
