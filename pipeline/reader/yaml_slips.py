"""Slips in YAML: the line where each is, what it is in plain words, and the line to type instead.

A YAML parser reports a slip where it can no longer go on: often lines below, in words for programmers, and only the
first. So the lines are read here first, by what people mean: a key, a colon, a blank, and the rest of the line. What a
parser would read in another way is a slip. Each is mended in the text that is returned, as the hint says, so that the
parser can report the rest in the same run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import yaml
from msgspec import Struct

from pipeline.reader.fields import quoted

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE = re.compile(r"( *)((?:-(?: +|$))*)(.*)")
_KEY = re.compile(r"(\w[\w-]*(?: [\w-]+){0,3}|\"[^\"]*\"|'[^']*')( *:(?:[ \t]+|$))(.*)")
_NEARLY_A_KEY = re.compile(r"([\"']?)(\w[\w-]*)\1([^\S\n]*)([:：﹕︓꞉])([^\S\n]*)(.*)")
_KEY_AND_WORDS = re.compile(r"(\w+)(?: *= *| +[-–—] +| +)(.+)")
_BLANKS = re.compile(r"[^\S\n]*[\u200b\u2060\ufeff]*[^\S\n]*")
_BULLET = re.compile(r"([*+•·‣◦▪●–—−‐‑\uf0b7])[^\S\n]+|-(?=\w)|-[^\S\n ]+")
_BLOCK = re.compile(r"[|>](?:[+-][1-9]?|[1-9][+-]?)?([ \t]+#.*)?")
_QUOTED = {'"': re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL), "'": re.compile(r"'(?:[^']|'')*'")}
_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*(\\[^\"\\/xuU\n ])")
_COMMENT = re.compile(r" *#")
_PLAIN = re.compile(r"\w[^:#]*(?<!\s)")
_NAMES = {"\t": "a tab", "\u00a0": "a no-break space", "\u3000": "a wide blank"}
_HINT_LIMIT = 300
_DEPTH_LIMIT = 100
"""Brackets in a value: the parser needs minutes for thousands."""
_GROUPS = ("image", "footage", "corrections", "withdrawn")
_NAME_LISTS = ("topics", "contacts", "footage")
_COMMON = frozenset(("in", "text", "place", "role", "quote", "speaker", "files", "shots"))
"""Keys that are common words: outside a group, a line that begins with one goes on with the text above."""
_SHOT = re.compile(r"(\d[\d:;.,]*\d):?\s+(?:[-–—]\s+)?([^\W\d].*)")
"""An entry of a shot list without keys: ``00:00:14 Interview``."""


class Slip(Struct, frozen=True):
    """Something that YAML would misread."""

    line: int
    message: str
    hint: str


class _Meant(Struct, frozen=True):
    """What a value that is misread was meant to be."""

    message: str
    value: str
    at: int
    """Where it goes wrong."""
    other: str = ""
    """The value in another meaning, and when it is meant."""
    when: str = ""


class _Level(Struct):
    """A group or a list that is open: its column, and the last key or nothing."""

    column: int
    is_list: bool
    key: str = ""


class _Entry(Struct):
    """The last key or list item, whose value may go on."""

    row: int
    column: int
    """Of the key, or of the hyphen of an item without key."""
    start: int
    """Where its value begins in the line."""
    is_item: bool
    is_open: bool = False
    """It has no value yet, so that a group or list may follow."""
    block: int = 0
    """Indentation of the text below ``|`` or ``>``."""


def find_slips(text: str, keys: frozenset[str], inner: frozenset[str], first_line: int) -> tuple[list[Slip], str]:
    """Return the slips by line, and ``text`` with each of them mended, with as many lines.

    ``keys`` are the keys that may be meant, at any depth: they decide whether a line is one or goes on with a text.
    ``inner`` are those of them that stand only below another key.
    """
    scanner = _Scanner(text, keys, inner, first_line)
    scanner.scan()
    return scanner.slips, "\n".join(scanner.lines)


class _Scanner:
    def __init__(self, text: str, keys: frozenset[str], inner: frozenset[str], first_line: int) -> None:
        self.lines = text.split("\n")
        self.first_line = first_line
        self.keys = keys
        self.inner = inner
        self.levels: list[_Level] = []
        self.entry: _Entry | None = None
        self._found: dict[int, tuple[str, str]] = {}

    @property
    def slips(self) -> list[Slip]:
        return [
            Slip(row + self.first_line, message, hint or self._written(row))
            for row, (message, hint) in sorted(self._found.items())
        ]

    def _written(self, row: int) -> str:
        line = self.lines[row].strip()
        if len(line) > _HINT_LIMIT:
            line = f"{line[: _HINT_LIMIT // 2]} … {line[-_HINT_LIMIT // 3 :]}"
        return f"write {line}"

    def note(self, row: int, message: str, hint: str = "") -> None:
        """Note a slip, the first of its line; the hint is what the line has become in the end."""
        name = self.name()
        if message.startswith("%"):
            message = f"{name}: {message[1:]}" if name else message[1:]
        self._found.setdefault(row, (message, hint))

    def name(self) -> str:
        return ".".join(level.key for level in self.levels if level.key)

    def scan(self) -> None:
        first = next((line for line in self.lines if line.strip() and not line.lstrip().startswith("#")), "")
        if first.startswith("{") and _parses("\n".join(self.lines), prefix=""):
            return  # one group in braces, as JSON has it
        for row, line in enumerate(self.lines):
            self._mend_blanks(row, line)
        row = 0
        while row < len(self.lines):
            row = self._line(row)

    # Blanks at the start

    def _mend_blanks(self, row: int, line: str) -> None:
        match = _BLANKS.match(line)
        lead = match[0] if match else ""
        odd = next((character for character in lead if character != " "), "")
        rest = line[len(lead) :]
        if not odd or not rest or (lead[0] == " " and not (_KEY.match(rest) or rest.startswith("- "))):
            return
        blanks = "".join({"\t": "  ", "\u3000": "  "}.get(each, " " if each.isspace() else "") for each in lead)
        self.lines[row] = blanks + rest
        what = _NAMES.get(odd) or f"{unicodedata.name(odd, 'a character').lower()} (U+{ord(odd):04X})"
        self._found[row] = f"the line begins with {what}", self._indented(row)

    def _indented(self, row: int) -> str:
        line = self.lines[row]
        count = len(line) - len(line.lstrip(" "))
        blanks = {0: "without a blank", 1: "with 1 blank"}.get(count, f"with {count} blanks")
        return f"begin it {blanks}, made with the space bar: {line}" if count else f"begin it {blanks}: {line}"

    def _indent(self, row: int, column: int, message: str) -> None:
        self.lines[row] = " " * column + self.lines[row].lstrip(" ")
        was = self._found.pop(row, None)
        self._found[row] = was[0] if was else message, self._indented(row)

    # Lines

    def _line(self, row: int) -> int:
        """Read the line and all that belongs to its value; return the row after them."""
        line = self.lines[row]
        if not line.strip() or line.lstrip().startswith("#"):
            return row + 1
        self._mend_bullet(row)
        self._mend_shot(row)
        self._mend_key(row)
        indent, hyphens, rest = self._parts(row)
        key = _KEY.fullmatch(rest)
        entry = self.entry
        if hyphens and not self.levels and not (key and self.is_key(key[1])):
            return self._stray(row)
        if hyphens and entry and self._is_misplaced_list(entry):
            return self._gather_list(entry, row)
        if key and not hyphens and entry and not entry.is_open and not self._may_be_key(key[1]):
            return self._stray(row)
        if hyphens or key:
            self._place(row, is_list=bool(hyphens))
            indent, hyphens, rest = self._parts(row)
            return self._entry(row, len(indent), len(indent + hyphens), key)
        return self._stray(row)

    def _parts(self, row: int) -> tuple[str, str, str]:
        match = _LINE.match(self.lines[row])
        return (match[1], match[2], match[3]) if match else ("", "", "")

    def _mend_bullet(self, row: int) -> None:
        """A bullet of another kind, or a hyphen without a blank, where a list is expected."""
        indent, hyphens, rest = self._parts(row)
        match = _BULLET.match(rest)
        expected = (self.entry and self.entry.is_open and len(indent) >= self.entry.column) or any(
            level.is_list and level.column == len(indent) for level in self.levels
        )
        if match and not hyphens and expected:
            what = f"{match[1]} instead of a hyphen" if match[1] else "no blank after the hyphen"
            self.lines[row] = f"{indent}- {rest[match.end() :]}"
            self.note(row, f"%{what}")

    def _mend_shot(self, row: int) -> None:
        """An entry of a shot list without keys."""
        indent, hyphens, rest = self._parts(row)
        shot = _SHOT.fullmatch(rest)
        if shot and indent and self.name().rpartition(".")[2] == "shots":
            self.lines[row] = f"{indent}{hyphens or '- '}{{in: {quoted(shot[1])}, text: {quoted(shot[2])}}}"
            text = shot[2] if _misread_plain(shot[2]) is None else quoted(shot[2])
            self.note(row, "%no keys", f"write - in: {shot[1]} and below it, under in, text: {text}")

    def _mend_key(self, row: int) -> None:
        """A key with a colon of another width, or without a blank after it, or without a colon."""
        indent, hyphens, rest = self._parts(row)
        if _KEY.fullmatch(rest):
            return
        found = _NEARLY_A_KEY.fullmatch(rest)
        if found and (self.is_key(found[2]) or (found[4] != ":" and self.entry is None)):
            value = found[6]
            if found[4] != ":":
                what = f"a wide colon {found[4]} after the key"
            elif found[3].strip(" "):
                what = "a no-break space before the colon"
            else:
                what = "a no-break space after the colon" if found[5] else "no blank after the colon"
            self.lines[row] = f"{indent}{hyphens}{found[2]}: {value}".rstrip()
            self.note(row, f"{found[2]}: {what}")
            return
        words = _KEY_AND_WORDS.fullmatch(rest)
        is_key = words is not None and words[1] in self.keys and self.is_key(words[1])
        if words and is_key and not self._is_given(words[1]) and not self._goes_on(len(indent)):
            self.lines[row] = f"{indent}{hyphens}{words[1]}: {words[2]}"
            self.note(row, f"{words[1]}: no colon after the key")

    def is_key(self, word: str) -> bool:
        key = word.strip("\"'").lower().replace(" ", "_")
        return key in self.keys and (key not in _COMMON or self._is_in_group())

    def _is_in_group(self) -> bool:
        return len(self.levels) > 1 or (self.entry is not None and self.entry.is_open)

    def _may_be_key(self, word: str) -> bool:
        """Whether it is a key, if perhaps a wrong one; several words before a colon are text."""
        return " " not in word or self.is_key(word)

    def _is_given(self, key: str) -> bool:
        return any(re.match(rf"\s*{key}\s*:", line) for line in self.lines)

    def _goes_on(self, indent: int) -> bool:
        return self.entry is not None and indent > self.entry.column

    def _is_misplaced_list(self, entry: _Entry) -> bool:
        """Whether a list item stands below a key that has a value already."""
        return not entry.is_open and not entry.is_item and not any(level.is_list for level in self.levels)

    def _place(self, row: int, *, is_list: bool) -> None:
        """Open or find the level of the line; mend its indentation when there is none."""
        column = len(self._parts(row)[0])
        if not self.levels:
            rest = (line for line in self.lines[row + 1 :] if _KEY.match(line))
            if is_list:
                self.lines[row] = self._parts(row)[2]
                self._found[row] = "a hyphen before the key", ""
                self.levels.append(_Level(0, is_list=False))
            elif column and next(rest, ""):
                self._indent(row, 0, "a blank before the key")
                self.levels.append(_Level(0, is_list=False))
            else:
                self.levels.append(_Level(column, is_list))
            return
        entry = self.entry
        if not is_list and column == self.levels[0].column and self._is_inner(row):
            self._indent(row, self._inner_column(), f"{self._key(row)} belongs below the key above, indented")
            column = len(self._parts(row)[0])
        if entry and entry.is_open and (column > entry.column or (is_list and column == entry.column)):
            if not (is_list and self.levels[-1].is_list and column == entry.column):
                self.levels.append(_Level(column, is_list))
            return
        depth = self._depth(column, is_list=is_list)
        del self.levels[depth + 1 :]
        if self.levels[-1].column != column:
            self._indent(row, self.levels[-1].column, "indented in another way than the lines above")

    def _key(self, row: int) -> str:
        key = _KEY.match(self.lines[row].strip())
        return key[1].strip("\"'") if key else ""

    def _is_inner(self, row: int) -> bool:
        """Whether a key stands at the margin, though it belongs below the key of a group that is open."""
        return self._is_in_group() and self._key(row) in self.inner and self.levels[0].key in _GROUPS

    def _inner_column(self) -> int:
        deepest = next((level.column for level in reversed(self.levels[1:]) if not level.is_list), 0)
        return deepest or self.levels[0].column + 2

    def _depth(self, column: int, *, is_list: bool) -> int:
        """Return the index of the level at the column of the line, else of the nearest, the innermost first."""
        fitting = [depth for depth, level in enumerate(self.levels) if level.is_list == is_list]
        if not fitting:
            return len(self.levels) - 1
        return min(reversed(fitting), key=lambda depth: abs(self.levels[depth].column - column))

    def _entry(self, row: int, indent: int, column: int, key: re.Match[str] | None) -> int:
        """Read the value of a key or of a list item."""
        hyphens = column - indent
        if hyphens and key and not (self.levels and not self.levels[-1].is_list):
            self.levels.append(_Level(column, is_list=False))
        if self.levels and not self.levels[-1].is_list and key:
            self.levels[-1].key = key[1].strip("\"'")
        start = column + (key.start(3) if key else 0)
        self.entry = _Entry(row, column if key else indent, start, is_item=not key)
        return self._value(self.entry, self.lines[row][start:].rstrip(" "))

    # Values

    def _value(self, entry: _Entry, value: str) -> int:
        row = entry.row
        if not value or value.startswith("#"):
            return self._no_value(entry, value)
        if _BLOCK.fullmatch(value):
            return self._block(entry)
        end = self._end(entry)
        if value[0] in _QUOTED:
            return self._quoted(entry, value, end)
        if value[0] in "[{":
            return self._flow(entry, value, end)
        if (value.startswith("- ") or value == "-") and not entry.is_item and self._takes_names():
            return self._gather_list(entry, row, value[1:].strip())
        return self._check(entry, value, end, _misread_plain)

    def _takes_names(self) -> bool:
        return self.levels[-1].key in _NAME_LISTS

    def _no_value(self, entry: _Entry, value: str) -> int:
        """A group or list may follow, or the value itself in the next line."""
        row = entry.row
        entry.is_open = True
        lines = (each for each, line in enumerate(self.lines) if line.strip() and not _COMMENT.match(line))
        below = next((each for each in lines if each > row), None)
        goes_on = below is not None and len(self._parts(below)[0]) >= entry.column
        indent, hyphens, rest = self._parts(below) if below is not None else ("", "", "")
        is_below = goes_on and (hyphens or _BULLET.match(rest) or len(indent) > entry.column)
        if value and not is_below:
            self._replace(entry, row + 1, _Meant("%the text after # is read as a comment", quoted(value), 0))
        elif self.levels[-1].key == "shots" and _SHOT.fullmatch(rest):
            return row + 1
        elif below is not None and len(indent) > entry.column and not hyphens and not _KEY.match(rest):
            if _NEARLY_A_KEY.match(rest) or _KEY_AND_WORDS.match(rest) or _BULLET.match(rest):
                self._mend_bullet(below)
                self._mend_key(below)
                if self.lines[below][len(indent) :] != rest:
                    return row + 1
            end = self._end(entry)
            text = self._joined(row, "", end)
            if text[0] in _QUOTED or text[0] in "[{" or _BLOCK.fullmatch(text):
                entry.is_open = False
                return end
            return self._check(entry, text, end, _misread_plain)
        return row + 1

    def _block(self, entry: _Entry) -> int:
        row = entry.row + 1
        while row < len(self.lines):
            line = self.lines[row]
            indent = len(line) - len(line.lstrip(" "))
            if line.strip() and indent <= entry.column:
                break
            entry.block = entry.block or (indent if line.strip() else 0)
            row += 1
        entry.block = entry.block or entry.column + 2
        return row

    def _end(self, entry: _Entry) -> int:
        """Return the row after the lines that go on with the value."""
        end = entry.row + 1
        for below in range(end, len(self.lines)):
            if not self.lines[below].strip():
                continue
            indent, hyphens, rest = self._parts(below)
            key = _KEY.fullmatch(rest)
            is_new_item = hyphens and (key or entry.is_item or self._takes_names())
            begins = (key and self.is_key(key[1])) or is_new_item
            if len(indent) <= entry.column or begins:
                break
            end = below + 1
        return end

    def _joined(self, row: int, value: str, end: int) -> str:
        return " ".join(part for part in (value, *(line.strip() for line in self.lines[row + 1 : end])) if part)

    def _check(self, entry: _Entry, value: str, end: int, misread: Callable[[str], _Meant | None]) -> int:
        """Note a slip in a value, which may go on over several lines, and write it as it was meant."""
        row = entry.row
        text = self._joined(row, value, end)
        meant = misread(text)
        if meant is None and end > row + 1 and (comment := re.search(r"\s#", self._joined(row, value, end - 1))):
            meant = _Meant("%the text after # is read as a comment", quoted(text), comment.start())
        if meant:
            self._replace(entry, end, meant)
        entry.is_open = False
        return end

    def _replace(self, entry: _Entry, end: int, meant: _Meant) -> None:
        row = entry.row
        before = self.lines[row][: entry.start]
        before = before if not before or before[-1].isspace() else f"{before} "
        faulty, left = row, meant.at
        for below in range(row, end):
            part = self.lines[below][entry.start if below == row else 0 :].strip()
            faulty, left = (below, left - len(part) - bool(part)) if left >= 0 else (faulty, left)
        self.lines[row] = f"{before}{meant.value}"
        self.lines[row + 1 : end] = [""] * (end - row - 1)
        entry.is_open = False
        hint = ""
        if meant.other:
            hint = f"{self._written(row)}, or, {meant.when}, {before.strip()} {meant.other}"
        elif end > row + 1:
            hint = f"write all of it in line {self._number(entry)}: {self._written(row).removeprefix('write ')}"
        self.note(faulty, meant.message, hint)

    def _quoted(self, entry: _Entry, value: str, end: int) -> int:
        row = entry.row
        text = self._joined(row, value, end)
        if not _QUOTED[value[0]].match(text):
            # Without an indentation the parser takes lines as part of the value up to the closing mark.
            for below in range(end, len(self.lines)):
                line = self.lines[below]
                if not line.strip() or _KEY.match(line) or self._parts(below)[1]:
                    break
                if value[0] in line:
                    end = below + 1
                    break
        return self._check(entry, value, end, _misread_quoted)

    def _flow(self, entry: _Entry, value: str, end: int) -> int:
        """A list in brackets or a group in braces."""
        row = entry.row
        text = value
        after = row + 1
        while after < len(self.lines) and _open_brackets(text) > 0:
            line = self.lines[after]
            if (
                line.strip()
                and (_KEY.match(line) or len(line) - len(line.lstrip()) <= 0)
                and line.strip()[0] not in "]}"
            ):
                break
            text += f" {line.strip()}"
            after += 1
        if _parses("\n ".join([value, *self.lines[row + 1 : after]])):  # with its comments
            entry.is_open = False
            return after
        after = after if _open_brackets(text) <= 0 else end
        text = self._joined(row, value, after)
        if _parses(text):
            entry.is_open = False
            return after
        bare = re.sub(r"(?<=[\[{, ])[*&!%@`]+(?=\w)", "", text) if self._takes_names() else text
        closed = bare + "".join("]" if each == "[" else "}" for each in reversed(_brackets(text)))
        is_list = self._takes_names() or self.levels[-1].key in _GROUPS
        if is_list and closed != text and _parses(closed):
            meant = _Meant(
                "%signs before a name" if closed == bare else f"%the closing {closed[-1]} is missing", closed, 0
            )
        else:
            meant = _Meant(f"%a text that begins with {value[0]} needs quotation marks", quoted(text), 0)
        self._replace(entry, after, meant)
        return after

    # Lines without a key

    def _gather_list(self, entry: _Entry, row: int, first: str = "") -> int:
        """Items of a list beside or below the value of their key."""
        value = first or self.lines[entry.row][entry.start :].strip()
        items = [value]
        end = row + 1 if first else row
        while end < len(self.lines) and self._parts(end)[1]:
            items.append(self._parts(end)[2].strip())
            end += 1
        if self._takes_names():
            written = f"[{', '.join(item for item in items if item)}]"
        else:
            text = " ".join([value, *(line.strip() for line in self.lines[row:end])])
            written = quoted(text)
        if first:
            what = "%a list begins on the line below its key, or is written in brackets"
            self._replace(entry, end, _Meant(what, written, 0))
            return end
        target = self.lines[entry.row][: entry.start] + written
        self.note(row, "%a list item below a value", f"write both in line {self._number(entry)}: {target.strip()}")
        self.lines[entry.row] = target
        self.lines[row:end] = [""] * (end - row)
        return end

    def _stray(self, row: int) -> int:
        """Text without a key: it belongs to the value above, which it does not go on with for YAML."""
        end = row + 1
        while end < len(self.lines) and (line := self.lines[end]).strip():
            _, hyphens, rest = self._parts(end)
            key = _KEY.match(rest)
            if (
                hyphens
                or (key and self._may_be_key(key[1]))
                or line.lstrip().startswith("#")
                or self._is_nearly_a_key(rest)
            ):
                break
            end += 1
        words = " ".join(line.strip() for line in self.lines[row:end])
        entry = self.entry
        if entry is None:
            self.note(row, "text before the first key", "write lines such as title: Acme opens, or delete it")
            self.lines[row:end] = [""] * (end - row)
            return end
        if entry.block:
            self.lines[row:end] = [" " * entry.block + line.strip() for line in self.lines[row:end]]
            hint = f"if it belongs to the text above, begin it with {entry.block} blanks: {self.lines[row]}"
            self.note(row, "text without a key", hint)
            return end
        before = self.lines[entry.row][: entry.start]
        value = self._value_of(entry, row)
        joined = f"{value} {words}".strip()
        written = (
            joined
            if _misread_plain(joined) is None and not self.lines[entry.row][entry.start :].startswith(('"', "'"))
            else quoted(joined)
        )
        target = f"{before.rstrip()} {written}"
        hint = f"if it belongs to the text above, write both in line {self._number(entry)}: {target.strip()}"
        if len(target) > _HINT_LIMIT:
            hint = f"if it belongs to the text above, begin it with {entry.column + 2} blanks"
        self.note(row, "text without a key", hint)
        self.lines[entry.row] = target
        self.lines[entry.row + 1 : end] = [""] * (end - entry.row - 1)
        entry.is_open = False
        return end

    def _number(self, entry: _Entry) -> int:
        return entry.row + self.first_line

    def _is_nearly_a_key(self, rest: str) -> bool:
        found = _NEARLY_A_KEY.fullmatch(rest) or _KEY_AND_WORDS.fullmatch(rest)
        return bool(found and self.is_key(found[2] if found.re is _NEARLY_A_KEY else found[1]))

    def _value_of(self, entry: _Entry, row: int) -> str:
        text = self._joined(entry.row, self.lines[entry.row][entry.start :].strip(), row)
        if text[:1] in _QUOTED:
            scalar = _scalar(text)
            return text.strip("\"'") if scalar is None else scalar.value
        return text


# ── Values ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _misread_plain(text: str) -> _Meant | None:
    """Return what a value without quotation marks was meant to be, when it is not read as typed."""
    if _PLAIN.fullmatch(text):
        return None
    scalar = _scalar(text)
    if scalar and not scalar.style:
        end = scalar.end_mark.column - len(_PREFIX) if scalar.end_mark else 0
        if scalar.value == text or (scalar.value and re.match(r"[ \t]+#", text[end:])):
            return None
    colon = re.search(r":(\s|$)", text)
    if colon and text[0] not in "[]{}>|*&!%@`?,#" and text[:2] != "- ":
        return _Meant("%a text with a colon needs quotation marks", quoted(text), colon.start())
    return _Meant(f"%a text that begins with {text[0]} needs quotation marks", quoted(text), 0)


def _misread_quoted(text: str) -> _Meant | None:
    """The same for a value that begins with a quotation mark."""
    mark = text[0]
    match = _QUOTED[mark].match(text)
    if match is None:
        inner = text[1:].rstrip(" \"'“”‘’") if text[-1:] in "\"'“”’" else text[1:]
        other = quoted(text) if mark == "'" and inner == text[1:] else ""
        return _Meant("%the closing quotation mark is missing", quoted(inner), 0, other, _PRINTED)
    tail = text[match.end() :]
    if not tail or re.match(r"[ \t]+#", tail):
        if mark == '"' and (escape := _ESCAPE.search(match[0])):
            what = f"%within double quotation marks, {escape[1]} does not stand for itself"
            return _Meant(what, quoted(match[0][1:-1]), escape.start())
        return None
    if tail.strip() in (",", ";"):
        return _Meant(f"%{tail.strip()} after the closing quotation mark", match[0], match.end())
    closes = match.end() - 1
    before, after = text[closes - 1], text[closes + 1]
    is_apostrophe = mark == "'" and before.isalnum() and after.isalnum()
    opens = before.isspace() and not after.isspace()
    inner = text[1:-1] if text[-1] == mark else text[1:]
    if is_apostrophe or opens:
        what = (
            "an apostrophe ends the text early" if is_apostrophe else "a quotation mark within the text ends it early"
        )
        return _Meant(f"%{what}", quoted(inner), closes)
    if mark == "'" and not re.search(r"\s'\S", tail):  # 'The pilots' demands
        return _Meant("%an apostrophe ends the text early", quoted(inner), closes, quoted(text), _PRINTED)
    return _Meant("%text after the closing quotation mark", quoted(text), match.end())


_PRINTED = "to print the first mark"
_PREFIX = "x: "


def _scalar(text: str) -> yaml.ScalarEvent | None:
    """Return the single value that ``text`` is to the parser."""
    try:
        events = list(yaml.parse(_PREFIX + text, Loader=LOADER))
    except (yaml.YAMLError, ValueError):
        return None
    value = events[4] if len(events) == 8 else None
    return value if isinstance(value, yaml.ScalarEvent) and not value.anchor and not value.tag else None


def _parses(text: str, prefix: str = _PREFIX) -> bool:
    """Whether ``text`` is a list or group that the front matter may have: of names and values, without YAML's signs."""
    after_bracket, depth = "", 0
    try:
        for event in yaml.parse(prefix + text, Loader=LOADER):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                return False
            is_start = isinstance(event, yaml.CollectionStartEvent)
            if after_bracket == "{" and is_start:
                return False  # a list or a group as a key
            depth += is_start
            if depth > _DEPTH_LIMIT:
                return False
            after_bracket = "{" if isinstance(event, yaml.MappingStartEvent) else ""
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    return True


def _brackets(text: str) -> list[str]:
    """Return the brackets that are still open at the end of ``text``, outside quotation marks."""
    opened: list[str] = []
    for part in re.findall(r'"(?:[^"\\]|\\.)*"|(?<!\w)\'(?:[^\']|\'\')*\'|[\[\]{}]', text):
        if part in "[{":
            opened.append(part)
        elif part in "]}" and opened:
            opened.pop()
    return opened


def _open_brackets(text: str) -> int:
    return len(_brackets(text))
