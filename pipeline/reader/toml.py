"""TOML as the same tree of values with lines that front matter is read into."""

from __future__ import annotations

import re
import tomllib

from pipeline.reader.frontmatter import Entry, Mapping, Node, Scalar, Sequence
from pipeline.reader.report import Report


def parse_toml(text: str, report: Report) -> Mapping | None:
    """Return the top table of ``text``, or None after reporting why there is none."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        report.fault(line, re.sub(r" ?\(at .*\)", "", str(error)), "see https://toml.io; texts stand in quotes")
    except (ValueError, RecursionError):
        report.fault(0, "not TOML", "see https://toml.io")
    else:
        node = _node(data, (), _Lines(text))
        return node if isinstance(node, Mapping) else None
    return None


class _Lines:
    """Where each key stands: tomllib does not say, so headers and keys are looked up in the text."""

    _KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")

    def __init__(self, text: str) -> None:
        self.of: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        within = ""
        for number, line in enumerate(text.split("\n"), 1):
            if within:
                within = "" if line.count(within) % 2 else within
            elif header := re.match(r"\s*\[\[?([^\[\]]+)\]", line):
                table = self._names(header[1])
                self._note(table, number)
            elif key := self._KEY.match(line):
                self._note((*table, *self._names(key[1])), number)
                value = line[key.end() :]
                within = next((mark for mark in ('"""', "'''") if value.count(mark) % 2), "")

    @staticmethod
    def _names(dotted: str) -> tuple[str, ...]:
        return tuple(name.strip("\"' ") for name in re.findall(r"\"[^\"]*\"|'[^']*'|[\w-]+", dotted))

    def _note(self, path: tuple[str, ...], number: int) -> None:
        for end in range(1, len(path) + 1):
            self.of.setdefault(path[:end], number)

    def line(self, path: tuple[str, ...]) -> int:
        """Return the line of ``path``, or of the nearest table above it."""
        while path and path not in self.of:
            path = path[:-1]
        return self.of.get(path, 0)


def _node(value: object, path: tuple[str, ...], lines: _Lines) -> Node:
    line = lines.line(path)
    if isinstance(value, dict):
        names = [str(name) for name in value]
        entries = {name: Entry(lines.line((*path, name)), _node(value[name], (*path, name), lines)) for name in names}
        return Mapping(entries, line)
    if isinstance(value, list):
        return Sequence(tuple(_node(item, path, lines) for item in value), line)
    if isinstance(value, str):
        return Scalar(value, line, quoted=True)
    if isinstance(value, bool):
        return Scalar(str(value).lower(), line, kind="boolean")
    return Scalar(str(value), line, kind="number" if isinstance(value, int | float) else "date")
