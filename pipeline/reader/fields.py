"""Keys and values of a source → typed values, with a fault for everything that is wrong.

Front matter (YAML) and newsroom.toml are both read through ``Fields``, so the same mistake gets the same message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from pipeline.reader.addresses import is_url
from pipeline.reader.characters import FORBIDDEN, code_point, collapse_spaces, is_invisible, join_lines, remedy
from pipeline.reader.report import Report, is_near, suggestion

_OVERRIDES = re.compile("[\u202a-\u202e]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*")
_TELEPHONE = re.compile(r"\+?[\d ().\-/\u00a0\u2011]+( ?(ext\.?|x|;ext=) ?\d+)?", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+")
_EMPTY = "empty", "write a value, or delete the line"
_NOTHING = frozenset(("~", "null", "Null", "NULL"))
"""What YAML takes for no value."""
_CURLY = re.compile("[“”„‟«»]([^“”„‟«»\"]*)[“”‟«»\"]|[‘’‚‛]([^‘‚‛']*)[‘’‛']")
"""A value within typographic quotation marks, which a word processor makes of those that YAML knows."""
_SWITCH = {"true": "true", "yes": "true", "on": "true", "y": "true", "1": "true"}
_SWITCH |= {"false": "false", "no": "false", "off": "false", "n": "false", "0": "false"}


class ScalarNode(Struct, frozen=True):
    """A single value."""

    text: str
    line: int
    quoted: bool = False
    comment: str = ""
    """The comment that follows on the same line, which the author may have meant as text."""
    kind: str = "text"
    """``text``, or another type of TOML: ``number``, ``boolean``, ``date``."""


class ListNode(Struct, frozen=True):
    """A list."""

    items: tuple[Node, ...]
    line: int
    typed: str = ""
    """The rest of the line from its bracket on, which the author may have meant as text."""


class GroupNode(Struct, frozen=True):
    """Keys and values in the order written."""

    entries: dict[str, GroupEntry]
    line: int
    typed: str = ""
    """The same in braces."""


class GroupEntry(Struct, frozen=True):
    """The value of a key, and the key's line."""

    line: int
    node: Node


Node = ScalarNode | ListNode | GroupNode


def quoted(text: str) -> str:
    """Return ``text`` within the quotation marks that need the fewest changes."""
    return f'"{text}"' if not re.search(r'["\\]', text) else "'" + text.replace("'", "''") + "'"


class Fields:
    """The keys of one group. Ask for each, then call ``report_unknown`` for those that were not asked for."""

    def __init__(self, group: GroupNode, report: Report, path: str = "") -> None:
        self.entries = group.entries
        self.report = report
        self.path = path
        self._line = group.line
        self._known: set[str] = set()

    def name(self, key: str) -> str:
        """Return ``key`` as messages name it: ``image.alt``."""
        return f"{self.path}{key}"

    def line(self, key: str) -> int:
        """Return the line of ``key``, or of the group when it lacks the key."""
        entry = self.entries.get(key)
        return entry.line if entry else self._line

    def fault(self, key: str, what: str, hint: str = "", line: int = 0) -> None:
        """Report that ``key`` is wrong."""
        self.report.fault(line or self.line(key), f"{self.name(key)}: {what}", hint)

    def missing(self, key: str, hint: str = "") -> None:
        """Report that ``key`` is required, unless it is there and misspelt."""
        if any(is_near(other, key) for other in self.entries):
            return
        self.fault(key, "missing", hint or f"add a line {key}: …")

    def node(self, key: str, *, required: bool = False) -> Node | None:
        """Return the node of ``key``, which is known from now on."""
        self._known.add(key)
        if entry := self.entries.get(key):
            return entry.node
        if required:
            self.missing(key)
        return None

    def scalar(self, key: str, *, required: bool = False, prose: bool = False) -> ScalarNode | None:
        """Return the single value of ``key``; None when it is absent, or after reporting why it is not one.

        With ``prose``, brackets and braces may have been meant as text.
        """
        node = self.node(key, required=required)
        return None if node is None else self._as_scalar(key, node, prose=prose)

    def _as_scalar(self, key: str, node: Node, *, prose: bool = False) -> ScalarNode | None:
        """Return ``node`` if it is a single value of printable characters, else report and return None."""
        if not isinstance(node, ScalarNode):
            kind = "a list" if isinstance(node, ListNode) else "a group of keys"
            hint = f"write {key}: {quoted(node.typed)}" if prose and node.typed else "write one value"
            self.fault(key, f"{kind} instead of a single value", hint, node.line)
        elif node.text in _NOTHING and not node.quoted:
            hint = f"write a value, or delete the line; to print {node.text}, write {key}: {quoted(node.text)}"
            self.fault(key, f"{node.text} is no value", hint, node.line)
        elif is_invisible(node.text):
            self.fault(key, *_EMPTY, node.line)
        elif forbidden := FORBIDDEN.search(node.text) or _OVERRIDES.search(node.text):
            self.fault(
                key, f"forbidden character {code_point(forbidden.group())}", remedy(forbidden.group()), node.line
            )
        else:
            return node
        return None

    def text(self, key: str, *, required: bool = False, limit: int = 0, lines: bool = False) -> str:
        """Return the text of ``key`` on one line, or as typed with ``lines``; empty when absent or faulty."""
        scalar = self.scalar(key, required=required, prose=True)
        if scalar is None:
            return ""
        if scalar.kind != "text":
            self.fault(key, f"a {scalar.kind}, not text", f'write {key} = "{scalar.text}"', scalar.line)
        if scalar.comment:
            hint = f"write {key}: {quoted(scalar.text + scalar.comment)}"
            self.fault(key, "the text after # is read as a comment and gets lost", hint, scalar.line)
        if not scalar.quoted and (curly := _CURLY.fullmatch(scalar.text.strip())):
            meant, printed = quoted((curly[1] or curly[2] or "").strip()), quoted(curly[0])
            hint = f"write {key}: {meant}, or, to print the marks, {key}: {printed}"
            self.fault(key, "curly quotation marks around the whole value", hint, scalar.line)
        text = join_lines(scalar.text).strip() if lines else collapse_spaces(scalar.text)
        if limit and len(text) > limit:
            self.fault(key, f"{len(text)} characters, more than {limit}", "shorten it", scalar.line)
        return text

    def word(self, key: str, *, required: bool = False) -> str:
        """Return a value that is not prose (an id, a tag); a comment may follow it."""
        scalar = self.scalar(key, required=required)
        return scalar.text.strip() if scalar else ""

    def flag(self, key: str, hint: str = "") -> bool:
        """Return the boolean of ``key``, false when absent; ``hint`` is for another value."""
        scalar = self.scalar(key)
        if scalar is None or scalar.text in ("true", "false"):
            return scalar is not None and scalar.text == "true"
        meant = _SWITCH.get(scalar.text.strip("“”„‘’\"'").lower())
        hint = hint or (f"write {key}: {meant}" if meant else "write true or false")
        self.fault(key, f"neither true nor false: {scalar.text[:40]}", hint, scalar.line)
        return False

    def words(self, key: str) -> tuple[ScalarNode, ...] | None:
        """Return the values of ``key``, a list or a single one; None when absent."""
        node = self.node(key)
        if node is None:
            return None
        items = node.items if isinstance(node, ListNode) else (node,)
        if not items:
            self.fault(key, *_EMPTY, node.line)
        scalars = [scalar for item in items if (scalar := self._as_scalar(key, item))]
        seen: set[str] = set()
        for scalar in scalars:
            if scalar.text in seen:
                self.fault(key, f"listed twice: {scalar.text[:40]}", "delete one", scalar.line)
            seen.add(scalar.text)
        return tuple(scalars)

    def choices(self, key: str, known: frozenset[str] | set[str], what: str) -> tuple[str, ...] | None:
        """Return the ids of ``key``, each one of ``known``; None when absent."""
        scalars = self.words(key)
        if scalars is None:
            return None
        for scalar in scalars:
            if scalar.text not in known:
                names = re.split(r"\s*[,;、،]\s*|\s+and\s+", scalar.text.strip("[] "))
                listed = f"write {key}: [{', '.join(names)}]" if set(names) <= known else ""
                hint = listed or suggestion(scalar.text, known) or "add it to newsroom.toml"
                self.fault(key, f"unknown {what}: {scalar.text[:80]}", hint, scalar.line)
        return tuple(dict.fromkeys(scalar.text for scalar in scalars if scalar.text in known))

    def group(self, key: str, *, required: bool = False, hint: str = "") -> Fields | None:
        """Return the keys below ``key``; ``hint`` is for a value that is not a group."""
        node = self.node(key, required=required)
        if isinstance(node, GroupNode):
            return Fields(node, self.report, f"{self.name(key)}.")
        if node is not None:
            hint = hint or f"write the keys of {key} indented below it"
            self.fault(key, "not a group of keys", hint, node.line)
        return None

    def groups(self, key: str, hint: str = "") -> Iterator[Fields]:
        """Yield the keys of each element of the list ``key``; a single group counts as a list of one.

        ``hint`` is for what is not a group.
        """
        node = self.node(key)
        items = node.items if isinstance(node, ListNode) else (node,) if isinstance(node, GroupNode) else ()
        if node is not None and not items:
            hint = hint or f"write a list below {key}:, each element beginning with a hyphen"
            self.fault(key, "not a list", hint, node.line)
        for item in items:
            if isinstance(item, GroupNode):
                yield Fields(item, self.report, f"{self.name(key)}.")
            else:
                self.fault(key, "not a group of keys", hint or "write keys and their values", item.line)

    def report_unknown(self) -> None:
        """Report the keys that were not asked for."""
        for key, entry in self.entries.items():
            if key not in self._known:
                hint = self._suggestion(key) or "delete it"
                self.report.fault(entry.line, f"{self.name(key)[:80]}: unknown key", hint)

    def _suggestion(self, key: str) -> str:
        """Return a hint that names the key that was meant."""
        left = self._known - set(self.entries)
        return suggestion(key.lower() if key.lower() in left else key, left)

    def telephone(self, key: str) -> str:
        """Return a number that can be dialled."""
        text = self.text(key)
        if text and not (_TELEPHONE.fullmatch(text) and 3 <= sum(map(str.isdecimal, text)) <= 24):
            self.fault(key, "not a telephone number", "write it as +44 20 7946 0312, or +44 20 7946 0312 ext. 12")
        return text

    def email(self, key: str) -> str:
        """Return an e-mail address."""
        text = self.text(key)
        if text and not _EMAIL.fullmatch(text):
            self.fault(key, "not an e-mail address", "write it as press@example.org")
        return text

    def url(self, key: str) -> str:
        """Return a web address."""
        text = self.text(key)
        if text and not is_url(text):
            self.fault(key, "not a web address", "write it as https://example.org/…")
        return text

    def language(self, key: str, known: tuple[str, ...] = (), *, required: bool = False) -> str:
        """Return a BCP 47 tag, in the spelling of ``known`` when that is not empty."""
        text = self.word(key, required=required)
        return self.check_tag(key, text, self.line(key), known) if text else ""

    def languages(self, key: str) -> tuple[str, ...]:
        """Return the BCP 47 tags of ``key``, a list or a single one."""
        return tuple(filter(None, (self.check_tag(key, word.text, word.line) for word in self.words(key) or ())))

    def by_language(self, *, lines: bool = False, but: str = "") -> dict[str, str]:
        """Return the texts of a group whose keys are language tags, except the key ``but``."""
        tags = [key for key in self.entries if key != but]
        return {tag: self.text(tag, lines=lines) for tag in tags if self.check_tag(tag, tag, self.line(tag))}

    def check_tag(self, key: str, text: str, line: int, known: tuple[str, ...] = ()) -> str:
        """Return ``text`` if it is a language tag (among ``known``), else report and return an empty text."""
        spelling = {tag.lower(): tag for tag in known}
        if not _LANGUAGE.fullmatch(text):
            self.fault(key, f"not a language tag: {text[:40]}", "write it as en-GB, fr or pt-BR (BCP 47)", line)
        elif known and text.lower() not in spelling:
            self.fault(key, f"unknown language: {text}", suggestion(text, known), line)
        else:
            return spelling.get(text.lower(), text)
        return ""
