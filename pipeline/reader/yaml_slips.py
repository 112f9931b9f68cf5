"""Slips in YAML: the line where each is, what it is in plain words, and the line to type instead.

A YAML parser reports a slip where it can no longer go on: often lines below, in words for programmers, and only the
first. So the lines are read here first, by what people mean: a key, a colon, a blank, and all the rest of the line. What
the parser would read in another way is a slip. Each is mended in the text that is returned, as the hint says, so that
the parser can report the rest in the same run.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import yaml
from msgspec import Struct

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE = re.compile(r"( *)((?:-(?: +|$))*)(.*)")
_KEY = re.compile(r"(\w[\w-]*(?: [\w-]+){0,3}|\"[^\"]*\"|'[^']*')( *:(?:[ \t]+|$))(.*)")
_NEARLY_A_KEY = re.compile(r"([\"']?)(\w[\w-]*)\1([^\S\n]*)([:：﹕︓꞉])([^\S\n]*)(.*)")
_KEY_AND_WORDS = re.compile(r"(\w+)(?: *= *| +[-–—] +| +)(.+)")
_BLANKS = re.compile(r"[^\S\n]*[\u200b\u2060\ufeff]*[^\S\n]*")
_BULLET = re.compile(r"([*+•·‣◦▪●–—−‐‑\uf0b7])[^\S\n]+|-(?=\w)|-[^\S\n ]+")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?(\s+#.*)?")
_QUOTED = {'"': re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL), "'": re.compile(r"'(?:[^']|'')*'")}
_ESCAPE = re.compile(r"\\([^\"\\/xuU\n ])")
_PLAIN = re.compile(r"\w[^:#]*(?<!\s)")
_NAMES = {"\t": "a tab", "\u00a0": "a no-break space", "\u3000": "a wide blank"}
_HINT_LIMIT = 300


class Slip(Struct, frozen=True):
    """Something that YAML would misread."""

    line: int
    message: str
    hint: str


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


def find_slips(text: str, keys: frozenset[str], first_line: int) -> tuple[list[Slip], str]:
    """Return the slips by line, and ``text`` with each of them mended, with as many lines.

    ``keys`` are the keys that may be meant, at any depth: they decide whether a line is one or goes on with a text.
    """
    scanner = _Scanner(text, keys, first_line)
    scanner.scan()
    return scanner.slips, "\n".join(scanner.lines)


def double_quoted(text: str) -> str:
    """Return ``text`` in the quotation marks that need the fewest changes."""
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


class _Scanner:
    def __init__(self, text: str, keys: frozenset[str], first_line: int) -> None:
        self.lines = text.split("\n")
        self.first_line = first_line
        self.keys = keys
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
        self._found.setdefault(row, (message.replace("%", f"{name}: ") if name else message.replace("%", ""), hint))

    def name(self) -> str:
        return ".".join(level.key for level in self.levels if level.key)

    def scan(self) -> None:
        first = next((line for line in self.lines if line.strip() and not line.lstrip().startswith("#")), "")
        if first.lstrip()[:1] in ("{", "["):
            return  # a group in braces, as JSON has it: left to the parser
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
        self._mend_key(row)
        indent, hyphens, rest = self._parts(row)
        key = _KEY.fullmatch(rest)
        if hyphens and self._is_misplaced_list(row):
            return self._gather_list(row)
        if hyphens or key:
            self._place(row, is_list=bool(hyphens))
            indent, hyphens, rest = self._parts(row)
            return self._entry(row, len(indent), len(indent + hyphens), key)
        return self._stray(row)

    def _parts(self, row: int) -> tuple[str, str, str]:
        match = _LINE.fullmatch(self.lines[row])
        assert match
        return match[1], match[2], match[3]

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
        if words and words[1] in self.keys and not self._is_given(words[1]) and not self._goes_on(len(indent)):
            self.lines[row] = f"{indent}{hyphens}{words[1]}: {words[2]}"
            self.note(row, f"{words[1]}: no colon after the key")

    def is_key(self, word: str) -> bool:
        return word.strip("\"'").lower().replace(" ", "_") in self.keys

    def _is_given(self, key: str) -> bool:
        return any(re.match(rf"\s*{key}\s*:", line) for line in self.lines)

    def _goes_on(self, indent: int) -> bool:
        return self.entry is not None and indent > self.entry.column

    def _is_misplaced_list(self, row: int) -> bool:
        """Whether a list item stands below a key that has a value already."""
        indent = len(self._parts(row)[0])
        entry = self.entry
        is_list = any(level.is_list and level.column == indent for level in self.levels)
        return (
            entry is not None
            and not entry.is_open
            and not entry.is_item
            and not is_list
            and not any(level.is_list for level in self.levels)
        )

    def _place(self, row: int, *, is_list: bool) -> None:
        """Open or find the level of the line; mend its indentation when there is none."""
        column = len(self._parts(row)[0])
        if not self.levels:
            rest = (line for line in self.lines[row + 1 :] if _KEY.match(line))
            if is_list and (key := _KEY.fullmatch(self._parts(row)[2])) and self.is_key(key[1]) and next(rest, ""):
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
        if entry and entry.is_open and (column > entry.column or (is_list and column == entry.column)):
            if not (is_list and self.levels[-1].is_list and column == entry.column):
                self.levels.append(_Level(column, is_list))
            return
        depth = self._depth(column, is_list, row)
        del self.levels[depth + 1 :]
        if self.levels[-1].column != column:
            self._indent(row, self.levels[-1].column, "indented in another way than the lines above")

    def _depth(self, column: int, is_list: bool, row: int) -> int:
        """Return the index of the level that the line belongs to: at its column, else the nearest, the innermost first."""
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
        return self._value(row, self.lines[row][start:].rstrip())

    # Values

    def _value(self, row: int, value: str) -> int:
        entry = self.entry
        assert entry
        if not value or value.startswith("#"):
            return self._no_value(row, value)
        if _BLOCK.fullmatch(value):
            return self._block(row)
        end = self._end(row)
        if value[0] in _QUOTED:
            return self._quoted(row, value, end)
        if value[0] in "[{":
            return self._flow(row, value, end)
        if (value.startswith("- ") or value == "-") and not entry.is_item and self._takes_names():
            self.lines[row] = self.lines[row][: entry.start].rstrip()
            return self._gather_list(row, value[1:].strip())
        return self._check(row, value, end, _plain_slip)

    def _takes_names(self) -> bool:
        return self.levels[-1].key in ("topics", "contacts", "footage", "languages")

    def _no_value(self, row: int, value: str) -> int:
        """A group or list may follow, or the value itself in the next line."""
        entry = self.entry
        assert entry
        entry.is_open = True
        below = next((each for each in range(row + 1, len(self.lines)) if self.lines[each].strip()), None)
        goes_on = below is not None and len(self._parts(below)[0]) >= entry.column
        indent, hyphens, rest = self._parts(below) if below is not None else ("", "", "")
        is_below = goes_on and (hyphens or _BULLET.match(rest) or len(indent) > entry.column)
        if value and not is_below:
            self._replace(row, row + 1, double_quoted(value), "%the text after # is read as a comment")
        elif below is not None and len(indent) > entry.column and not hyphens and not _KEY.match(rest):
            if _NEARLY_A_KEY.match(rest) or _KEY_AND_WORDS.match(rest) or _BULLET.match(rest):
                self._mend_bullet(below)
                self._mend_key(below)
                if self.lines[below][len(indent) :] != rest:
                    return row + 1
            end = self._end(row)
            text = self._joined(row, "", end)
            if text[0] in _QUOTED or text[0] in "[{" or _BLOCK.fullmatch(text):
                entry.is_open = False
                return end
            return self._check(row, text, end, _plain_slip)
        return row + 1

    def _block(self, row: int) -> int:
        entry = self.entry
        assert entry
        row += 1
        while row < len(self.lines):
            line = self.lines[row]
            indent = len(line) - len(line.lstrip(" "))
            if line.strip() and indent <= entry.column:
                break
            entry.block = entry.block or (indent if line.strip() else 0)
            row += 1
        entry.block = entry.block or entry.column + 2
        return row

    def _end(self, row: int) -> int:
        """Return the row after the lines that go on with the value."""
        entry = self.entry
        assert entry
        end = row + 1
        for below in range(row + 1, len(self.lines)):
            if not self.lines[below].strip():
                continue
            indent, hyphens, rest = self._parts(below)
            key = _KEY.fullmatch(rest)
            begins = (key and self.is_key(key[1])) or (hyphens and (key or entry.is_item))
            if len(indent) <= entry.column or begins:
                break
            end = below + 1
        return end

    def _joined(self, row: int, value: str, end: int) -> str:
        return " ".join(part for part in (value, *(line.strip() for line in self.lines[row + 1 : end])) if part)

    def _check(self, row: int, value: str, end: int, slip_in: Callable[[str], tuple[str, str, str] | None]) -> int:
        """Note a slip in a value, which may go on over several lines, and write it as it was meant."""
        text = self._joined(row, value, end)
        if slip := slip_in(text):
            message, mended, other = slip
            self._replace(row, end, mended, message, other)
        elif end > row + 1 and re.search(r"\s#", self._joined(row, value, end - 1)):
            self._replace(row, end, double_quoted(text), "%the text after # is read as a comment")
        assert self.entry
        self.entry.is_open = False
        return end

    def _replace(self, row: int, end: int, value: str, message: str, other: str = "") -> None:
        entry = self.entry
        assert entry
        before = self.lines[row][: entry.start]
        before = before if not before or before[-1].isspace() else f"{before} "
        self.lines[row] = f"{before}{value}"
        self.lines[row + 1 : end] = [""] * (end - row - 1)
        entry.is_open = False
        hint = (
            f"{self._written(row)}, or, if the apostrophe belongs to the text, {before.strip()} {other}"
            if other
            else ""
        )
        self.note(row, message, hint)

    def _quoted(self, row: int, value: str, end: int) -> int:
        text = self._joined(row, value, end)
        if not _QUOTED[value[0]].match(text):
            # Without an indentation the parser takes lines as part of the value up to the closing mark.
            for below in range(end, len(self.lines)):
                line = self.lines[below]
                if not line.strip() or _KEY.match(line) or _LINE.fullmatch(line)[2]:  # type: ignore[index]
                    break
                if value[0] in line:
                    end = below + 1
                    break
        return self._check(row, value, end, _quoted_slip)

    def _flow(self, row: int, value: str, end: int) -> int:
        """A list in brackets or a group in braces."""
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
        after = after if _open_brackets(text) <= 0 else end
        text = self._joined(row, value, after)
        if _parses(text):
            assert self.entry
            self.entry.is_open = False
            return after
        closed = text + "".join("]" if each == "[" else "}" for each in reversed(_brackets(text)))
        is_list = self._takes_names() or value[0] == "{" or self.levels[-1].key in ("image", "withdrawn", "corrections")
        if is_list and closed != text and _parses(closed):
            self._replace(row, after, closed, f"%the closing {closed[-1]} is missing")
        else:
            self._replace(row, after, double_quoted(text), f"%a text that begins with {value[0]} needs quotation marks")
        return after

    # Lines without a key

    def _gather_list(self, row: int, first: str = "") -> int:
        """Items of a list beside or below the value of their key."""
        entry = self.entry
        assert entry
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
            written = double_quoted(text)
        if first:
            self._replace(row, end, written, "%a list begins on the line below its key, or is written in brackets")
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
            if hyphens or _KEY.match(rest) or line.lstrip().startswith("#") or self._is_nearly_a_key(rest):
                break
            end += 1
        words = " ".join(line.strip() for line in self.lines[row:end])
        entry = self.entry
        if entry is None:
            self.note(row, "text before the first key", "write lines such as title: Acme opens, or delete it")
            self.lines[row:end] = [""] * (end - row)
            return end
        if entry.block:
            self.note(row, "text without a key", f"if it belongs to the text above, begin it with {entry.block} blanks")
            self.lines[row:end] = [" " * entry.block + line.strip() for line in self.lines[row:end]]
            return end
        before = self.lines[entry.row][: entry.start]
        value = self._value_of(entry, row)
        joined = f"{value} {words}".strip()
        written = (
            joined
            if _plain_slip(joined) is None and not self.lines[entry.row][entry.start :].startswith(('"', "'"))
            else double_quoted(joined)
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


def _plain_slip(text: str) -> tuple[str, str, str] | None:
    """Return message and value as meant when a value without quotation marks is not read as typed."""
    if _PLAIN.fullmatch(text):
        return None
    scalar = _scalar(text)
    if scalar and scalar.style is None or scalar and scalar.style == "":
        end = scalar.end_mark.column - len(_PREFIX) if scalar.end_mark else 0
        if scalar.value == text or (scalar.value and re.match(r"\s+#", text[end:])):
            return None
    if re.match(r"[\w\"'“”‘’«»„(]", text) and re.search(r":(\s|$)", text):
        what = (
            "a colon and a blank in the text: it needs quotation marks"
            if ": " in text
            else "a colon at the end: it needs quotation marks"
        )
    else:
        what = f"a text that begins with {text[0]} needs quotation marks"
    return f"%{what}", double_quoted(text), ""


def _quoted_slip(text: str) -> tuple[str, str, str] | None:
    """The same for a value that begins with a quotation mark; the third is the value in another meaning."""
    mark = text[0]
    match = _QUOTED[mark].match(text)
    if match is None:
        inner = text[1:].rstrip(" \"'“”‘’") if text[-1:] in "\"'“”’" else text[1:]
        other = double_quoted(text) if mark == "'" and inner == text[1:] else ""
        return "%the closing quotation mark is missing", double_quoted(inner), other
    tail = text[match.end() :]
    if not tail or re.match(r"\s+#", tail):
        if mark == '"' and (escape := _ESCAPE.search(match[0])):
            what = f"%within double quotation marks, {escape[0]} does not stand for itself"
            return what, double_quoted(match[0][1:-1]), ""
        return None
    if tail.strip() in (",", ";"):
        return f"%{tail.strip()} after the closing quotation mark", match[0], ""
    closes = match.end() - 1
    before, after = text[closes - 1], text[closes + 1]
    is_apostrophe = mark == "'" and before.isalnum() and after.isalnum()
    opens = before.isspace() and not after.isspace()
    if is_apostrophe or opens:
        what = (
            "%an apostrophe ends the text early" if is_apostrophe else "%a quotation mark within the text ends it early"
        )
        return what, double_quoted(text[1:-1] if text[-1] == mark else text[1:]), ""
    return "%text after the closing quotation mark", double_quoted(text), ""


_PREFIX = "x: "


def _scalar(text: str) -> yaml.ScalarEvent | None:
    """Return the single value that ``text`` is to the parser."""
    try:
        events = list(yaml.parse(_PREFIX + text, Loader=LOADER))
    except (yaml.YAMLError, ValueError):
        return None
    value = events[4] if len(events) == 8 else None
    return value if isinstance(value, yaml.ScalarEvent) and not value.anchor and not value.tag else None


def _parses(text: str) -> bool:
    try:
        for _ in yaml.parse(_PREFIX + text, Loader=LOADER):
            pass
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
