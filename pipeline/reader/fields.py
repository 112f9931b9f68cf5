"""From nodes to typed values, with a fault for everything that is not as agreed.

Front matter and newsroom.toml are both read through ``Fields``: the same slips get the same words in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from pipeline.reader.frontmatter import Mapping, Node, Scalar, Sequence
from pipeline.reader.report import Report, suggestion
from pipeline.reader.source import FORBIDDEN, code_point

_OVERRIDES = re.compile("[\u202a-\u202e]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z\d]{5,8}|\d[A-Za-z\d]{3}))*")
_TELEPHONE = re.compile(r"\+?[\d ().\-/\u00a0\u2011]+( ?(ext\.?|x|;ext=) ?\d+)?", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(\.[\w-]+)+")


def spaced(text: str) -> str:
    """Return ``text`` with every run of white space as one blank; no-break spaces stay, soft hyphens go."""
    text = text.replace("\u00ad", "").replace("\ufeff", "")
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip(" ")


def blank(text: str) -> bool:
    """Whether nothing of ``text`` would be seen."""
    return not text.strip(" \t\n\u00a0\u202f\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff\u2028\u2029\u3000")


class Fields:
    """The keys of one mapping. Ask for each, then call ``finish`` to hear of those nobody asked for."""

    def __init__(self, mapping: Mapping, report: Report, path: str = "") -> None:
        self.mapping = mapping
        self.report = report
        self.path = path
        self.known: set[str] = set()

    def name(self, key: str) -> str:
        """Return ``key`` as messages name it: ``image.alt``."""
        return f"{self.path}{key}"

    def line(self, key: str) -> int:
        """Return the line of ``key``, or of the mapping when it lacks the key."""
        entry = self.mapping.entries.get(key)
        return entry.line if entry else self.mapping.line

    def fault(self, key: str, what: str, hint: str = "", line: int = 0) -> None:
        """Report that ``key`` is wrong."""
        self.report.fault(line or self.line(key), f"{self.name(key)}: {what}", hint)

    def take(self, key: str) -> Node | None:
        """Return the node of ``key``, which is known from now on."""
        self.known.add(key)
        entry = self.mapping.entries.get(key)
        return entry.node if entry else None

    def missing(self, key: str, hint: str = "") -> None:
        """Report that ``key`` is required."""
        self.fault(key, "missing", hint or f"add a line {key}: …")

    def scalar(self, key: str, *, required: bool = False) -> Scalar | None:
        """Return the single value of ``key``; None when it is absent, or after reporting why it is not one."""
        node = self.take(key)
        if node is None:
            if required:
                self.missing(key)
            return None
        return self.judge(key, node)

    def judge(self, key: str, node: Node) -> Scalar | None:
        """Return ``node`` if it is a single value of printable characters, else report and return None."""
        if not isinstance(node, Scalar):
            kind = "a list" if isinstance(node, Sequence) else "a group of keys"
            self.fault(key, f"{kind}, not a text", "write a single value", node.line)
        elif blank(node.text):
            self.fault(key, "blank", "write a value, or delete the line", node.line)
        elif found := FORBIDDEN.search(node.text) or _OVERRIDES.search(node.text):
            self.fault(key, f"forbidden character {code_point(found.group())}", "delete it", node.line)
        else:
            return node
        return None

    def text(self, key: str, *, required: bool = False, limit: int = 0, lines: bool = False) -> str:
        """Return the words of ``key`` on one line, or as typed with ``lines``; empty when absent or faulty."""
        found = self.scalar(key, required=required)
        if found is None:
            return ""
        if found.kind != "text":
            self.fault(key, f"a {found.kind}, not a text", f'write {key} = "{found.text}"', found.line)
        if found.cut:
            hint = "put quotation marks around the whole value"
            self.fault(key, "the words after # are a comment, and lost", hint, found.line)
        text = found.text.strip() if lines else spaced(found.text)
        if limit and len(text) > limit:
            self.fault(key, f"{len(text)} characters, more than {limit}", "shorten it", found.line)
        return text

    def word(self, key: str, *, required: bool = False) -> str:
        """Return a value that is no prose (an id, a tag); a comment may follow it."""
        found = self.scalar(key, required=required)
        return found.text.strip() if found else ""

    def flag(self, key: str) -> bool:
        """Return the boolean of ``key``, false when absent."""
        found = self.scalar(key)
        if found is None or found.text in ("true", "false"):
            return found is not None and found.text == "true"
        self.fault(key, f"neither true nor false: {found.text[:40]}", "write true or false", found.line)
        return False

    def words(self, key: str) -> tuple[Scalar, ...] | None:
        """Return the values of ``key``, a list or a single one; None when absent."""
        node = self.take(key)
        if node is None:
            return None
        items = node.items if isinstance(node, Sequence) else (node,)
        if not items:
            self.fault(key, "blank", "write a value, or delete the line", node.line)
        found = [scalar for item in items if (scalar := self.judge(key, item))]
        seen: set[str] = set()
        for scalar in found:
            if scalar.text in seen:
                self.fault(key, f"named twice: {scalar.text[:40]}", "delete one", scalar.line)
            seen.add(scalar.text)
        return tuple(found)

    def choices(self, key: str, known: frozenset[str] | set[str], what: str) -> tuple[str, ...] | None:
        """Return the ids of ``key``, each one of ``known``; None when absent."""
        found = self.words(key)
        if found is None:
            return None
        for scalar in found:
            if scalar.text not in known:
                hint = suggestion(scalar.text, known) or f"declare it in newsroom.toml as a {what}"
                self.fault(key, f"unknown {what}: {scalar.text[:80]}", hint, scalar.line)
        return tuple(dict.fromkeys(scalar.text for scalar in found if scalar.text in known))

    def group(self, key: str, *, required: bool = False) -> Fields | None:
        """Return the keys below ``key``."""
        node = self.take(key)
        if node is None:
            if required:
                self.missing(key)
            return None
        if isinstance(node, Mapping):
            return Fields(node, self.report, f"{self.name(key)}.")
        self.fault(key, "not a group of keys", f"write the keys of {key} indented below it", node.line)
        return None

    def groups(self, key: str) -> Iterator[Fields]:
        """Yield the keys of each element of the list ``key``; a single group counts as a list of one."""
        node = self.take(key)
        items = node.items if isinstance(node, Sequence) else (node,) if isinstance(node, Mapping) else ()
        if node is not None and not items:
            self.fault(key, "not a list", f"write a list of groups below {key}", node.line)
        for item in items:
            if isinstance(item, Mapping):
                yield Fields(item, self.report, f"{self.name(key)}.")
            else:
                self.fault(key, "not a group of keys", line=item.line)

    def finish(self) -> None:
        """Report the keys that nobody asked for."""
        for key, entry in self.mapping.entries.items():
            if key not in self.known:
                hint = suggestion(key, self.known - set(self.mapping.entries))
                self.report.fault(entry.line, f"{self.name(key)[:80]}: unknown key", hint)

    def telephone(self, key: str) -> str:
        """Return a number that could be dialled."""
        text = self.text(key)
        if text and not (_TELEPHONE.fullmatch(text) and 3 <= sum(map(str.isdecimal, text)) <= 24):
            self.fault(key, "not a telephone number", "write it as +44 20 7946 0312, or +44 20 7946 0312 ext. 12")
        return text

    def email(self, key: str) -> str:
        """Return an address that mail could be sent to."""
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
        return self.tag(key, text, known, self.line(key)) if text else ""

    def tag(self, key: str, text: str, known: tuple[str, ...], line: int) -> str:
        """Return ``text`` if it is a language tag among ``known``, else report and return an empty text."""
        spelling = {tag.lower(): tag for tag in known}
        if not _LANGUAGE.fullmatch(text):
            self.fault(key, f"not a language tag: {text[:40]}", "write it as en-GB, fr or pt-BR (BCP 47)", line)
        elif known and text.lower() not in spelling:
            self.fault(key, f"unknown language: {text}", suggestion(text, known), line)
        else:
            return spelling.get(text.lower(), text)
        return ""


def is_url(text: str) -> bool:
    """Whether ``text`` is an absolute web address that a browser would open."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and not re.search(r"[\s<>\"\\]", text)
    except ValueError:
        return False
