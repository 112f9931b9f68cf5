"""Adding an entry to the front matter of a source; every other line stays as it is, byte for byte.

Libraries that keep comments (ruamel.yaml) write the whole file anew, with line breaks and quotation marks of their own.
Here the parser only says where the entry belongs, and afterwards whether it is read as it was meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import yaml

from pipeline.reader.fields import quoted

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_NOT_LINE_ENDS = {0x2028: " ", 0x2029: " "}
"""Line ends to YAML 1.1, but to no editor and not to the reader."""

Plain = str | tuple[str, bool] | list["Plain"] | dict[str, "Plain"]
"""A value without its place: scalars with whether they are quoted."""


class _Line(NamedTuple):
    text: str
    end: str


def add_to_list(source: bytes, key: str, entry: Mapping[str, str]) -> bytes | None:
    """Return ``source`` with ``entry`` as the first element of the list ``key``, which is added if it is not there.

    The first value of ``entry`` is written as it is, the others in quotation marks. Returns None when the front matter
    is written in a way that cannot be added to. ``source`` must be a source that the reader accepts.
    """
    return _add(source, key, entry, in_list=True)


def add_group(source: bytes, key: str, entry: Mapping[str, str]) -> bytes | None:
    """Return ``source`` with ``entry`` as the group ``key``, which it must not have; as for ``add_to_list``."""
    return _add(source, key, entry, in_list=False)


def block(key: str, entry: Mapping[str, str], *, in_list: bool) -> list[str]:
    """Return the lines of a front matter that has ``entry`` alone."""
    return [f"{key}:", *(f"  {line}" for line in _entry_lines(entry, in_list=in_list))]


def _add(source: bytes, key: str, entry: Mapping[str, str], *, in_list: bool) -> bytes | None:
    text = source.decode()
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    lines = [_Line(*found.groups()) for found in _LINE.finditer(text.removeprefix(mark))]
    end = next(number for number, line in enumerate(lines[1:], 1) if line.text.rstrip() == "---")
    front = [line.text for line in lines[1:end]]
    before = _parse(front)
    if not isinstance(before, yaml.MappingNode):
        return None
    changed = _inserted(front, before, key, entry, in_list=in_list)
    after = _parse([line for each in changed for line in each]) if changed else None
    if changed is None or after is None or _plain(after) != _expected(before, key, entry, in_list=in_list):
        return None
    new = [_Line(text, line.end) for line, texts in zip(lines[1:end], changed, strict=True) for text in texts]
    return (mark + "".join(line.text + line.end for line in (lines[0], *new, *lines[end:]))).encode()


def _inserted(
    front: list[str], root: yaml.MappingNode, key: str, entry: Mapping[str, str], *, in_list: bool
) -> list[list[str]] | None:
    """Return each line of ``front`` with the lines that come after it now; None where the entry cannot be added."""
    result = [[line] for line in front]
    found = next(((name, value) for name, value in root.value if name.value == key), None)
    if found is None:
        if root.flow_style:
            flow = f"[{_flow(entry)}]" if in_list else _flow(entry)
            _put(result, root.start_mark, f"{key}: {flow}, ", 1)
        else:
            pad = " " * root.start_mark.column
            result[-1] += [pad + line for line in block(key, entry, in_list=in_list)]
        return result
    name, value = found
    if not in_list:
        return None
    if isinstance(value, yaml.SequenceNode) and value.flow_style and value.value:
        first = value.value[0].start_mark
        if first.line > value.start_mark.line and not front[first.line][: first.column].strip():
            result[first.line - 1] += [f"{front[first.line][: first.column]}{_flow(entry)},"]
        else:
            _put(result, first, f"{_flow(entry)}, ")
        return result
    if isinstance(value, yaml.MappingNode) and value.flow_style:  # a single group counts as a list of one
        _put(result, value.end_mark, "]")
        _put(result, value.start_mark, f"[{_flow(entry)}, ")
        return result
    if isinstance(value, yaml.ScalarNode) or value.start_mark.line <= name.start_mark.line:
        return None
    pad = " " * value.start_mark.column
    if isinstance(value, yaml.MappingNode):
        for number in range(value.start_mark.line, min(value.end_mark.line, len(front))):
            lead = "- " if number == value.start_mark.line else "  "
            if front[number].strip() and front[number].startswith(pad):
                result[number] = [pad + lead + front[number][len(pad) :]]
    result[name.start_mark.line] += [pad + line for line in _entry_lines(entry, in_list=True)]
    return result


def _put(result: list[list[str]], mark: yaml.Mark, text: str, behind: int = 0) -> None:
    """Insert ``text`` at ``mark``, or so many characters behind it."""
    line, column = result[mark.line][0], mark.column + behind
    result[mark.line][0] = line[:column] + text + line[column:]


def _entry_lines(entry: Mapping[str, str], *, in_list: bool) -> list[str]:
    lead = "- " if in_list else ""
    return [f"{' ' * len(lead) if number else lead}{pair}" for number, pair in enumerate(_pairs(entry))]


def _flow(entry: Mapping[str, str]) -> str:
    return "{" + ", ".join(_pairs(entry)) + "}"


def _pairs(entry: Mapping[str, str]) -> list[str]:
    return [f"{key}: {quoted(text) if number else text}" for number, (key, text) in enumerate(entry.items())]


# ── What was read ───────────────────────────────────────────────────────────────────────────────────────────────────


def _parse(front: list[str]) -> yaml.Node | None:
    text = "".join(f"{line}\n" for line in front).translate(_NOT_LINE_ENDS)
    try:
        return yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:
        return None


def _plain(node: yaml.Node) -> Plain:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item) for item in node.value]
    return str(node.value), bool(getattr(node, "style", ""))


def _expected(root: yaml.MappingNode, key: str, entry: Mapping[str, str], *, in_list: bool) -> Plain:
    """Return what the front matter must say when ``entry`` is added: that, and what it said before."""
    new: Plain = {name: (text, number > 0) for number, (name, text) in enumerate(entry.items())}
    before = {name.value: _plain(value) for name, value in root.value}
    if not in_list:
        return {**before, key: new}
    old = before.get(key, [])
    return {**before, key: [new, *(old if isinstance(old, list) else [old])]}
