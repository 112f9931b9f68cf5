"""Front matter as a tree of strings with lines: the part of YAML that cannot surprise.

Every scalar stays what the author typed (``no``, ``1.10``, ``12:30`` are words), and anchors, aliases, tags, merge keys
and duplicate keys are refused. The tree is built from the parser's events, so a bomb is met at its first step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from msgspec import Struct

from pipeline.reader.report import Report

DEPTH_LIMIT = 8
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTE = "put quotation marks around the value"


class Scalar(Struct, frozen=True):
    """A single value."""

    text: str
    line: int
    quoted: bool = False
    cut: bool = False
    """A comment follows on the same line: what the author may have meant as text is lost."""
    kind: str = "text"
    """``text``, or what the value is instead (TOML knows ``number``, ``boolean``, ``date``)."""


class Sequence(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    line: int


class Mapping(Struct, frozen=True):
    """Keys and values in the order written."""

    entries: dict[str, Entry]
    line: int


class Entry(Struct, frozen=True):
    """The value of a key, and the line that the key stands on."""

    line: int
    node: Node


Node = Scalar | Sequence | Mapping


class _RefusedError(Exception):
    """What cannot be read on from: line, message, hint."""


def parse_front_matter(text: str, report: Report, first_line: int = 2) -> Mapping | None:
    """Return the mapping in ``text``, or None after reporting why there is none."""
    text = text.translate({0x2028: " ", 0x2029: " "})  # line ends to YAML 1.1, to no editor
    try:
        return _Builder(text, report, first_line).document()
    except _RefusedError as refused:
        report.fault(*refused.args)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = min(mark.line if mark else 0, text.count("\n") - 1)
        report.fault(max(line, 0) + first_line, f"front matter: {error.problem or error.context}", _hint(text, line))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        report.fault(first_line, f"front matter: {str(error).splitlines()[0] if str(error) else 'not YAML'}")
    return None


def _hint(text: str, line: int) -> str:
    """Guess the commonest slips: a tab, or a character within a plain value that means something to YAML."""
    typed = text.split("\n")[max(line, 0)]
    if "\t" in typed:
        return "use blanks, not tabs"
    value = re.match(r"\w+: *(?=[^'\"\s]).*(: |[&*!|>%@`\[\]{},]|:$)", typed)
    return f"{_QUOTE}: {_quoted(*typed.split(':', 1))}" if value else ""


def _quoted(key: str, value: str) -> str:
    escaped = value.strip().replace("\\", "\\\\").replace('"', '\\"')
    return f'{key.strip()}: "{escaped}"'


class _Builder:
    """Turns events into nodes; one instance a text."""

    def __init__(self, text: str, report: Report, first_line: int) -> None:
        self.lines = text.split("\n")
        self.report = report
        self.first_line = first_line
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=_Loader))

    def document(self) -> Mapping | None:
        """Return the one mapping of the text. Raises for anything else."""
        next(self.events)
        start = next(self.events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise _RefusedError(self.first_line, "the front matter is empty", "write at least title: and date:")
        if start.explicit:
            raise _RefusedError(self.line(start), "front matter: a directive or a second ---", "delete it")
        root = self.node(next(self.events), 1)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _RefusedError(self.line(after), "front matter: a second document", "delete the line before it")
        if not isinstance(root, Mapping):
            raise _RefusedError(self.first_line, "front matter: no keys", "write lines such as title: Acme opens")
        return root

    def line(self, event: yaml.Event) -> int:
        """Return the line of the file on which ``event`` begins."""
        return (event.start_mark.line if event.start_mark else 0) + self.first_line

    def node(self, event: yaml.Event, depth: int) -> Node:
        line = self.line(event)
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(line, f"front matter: alias *{event.anchor}", _QUOTE)
        if anchor := getattr(event, "anchor", None):
            raise _RefusedError(line, f"front matter: anchor &{anchor}", _QUOTE)
        if tag := getattr(event, "tag", None):
            raise _RefusedError(line, f"front matter: tag {tag}", _QUOTE)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth > DEPTH_LIMIT:
            raise _RefusedError(line, f"front matter: nested deeper than {DEPTH_LIMIT} levels")
        return self.mapping(line, depth) if isinstance(event, yaml.MappingStartEvent) else self.sequence(line, depth)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        end = event.end_mark
        plain = event.style is None or event.style == ""
        tail = self.lines[end.line][end.column :] if end and plain and end.line < len(self.lines) else ""
        cut = bool(event.value) and re.match(r"\s*#", tail) is not None
        return Scalar(event.value, self.line(event), not plain, cut)

    def sequence(self, line: int, depth: int) -> Sequence:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return Sequence(tuple(items), line)

    def mapping(self, line: int, depth: int) -> Mapping:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            if not isinstance(key, Scalar):
                raise _RefusedError(key.line, "front matter: a key must be one word", _QUOTE)
            if key.text == "<<" and not key.quoted:
                raise _RefusedError(key.line, "front matter: merge key <<", "write the keys out")
            node = self.node(next(self.events), depth + 1)
            if key.text in entries:
                self.report.fault(
                    key.line,
                    f"{key.text[:40]}: given twice",
                    f"delete this line or line {entries[key.text].line}",
                )
            entries.setdefault(key.text, Entry(key.line, node))
        return Mapping(entries, line)
