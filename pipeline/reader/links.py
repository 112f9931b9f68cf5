"""Where links begin and end: CommonMark's bracketed ones, GFM's bare addresses."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from pipeline.reader.leaves import References, fold

ADDRESS = (
    r"(?<![^\s*_~(])(?:https?://|www\.)(?=[\w\u00a1-\uffff])[^\s<]+"
    r"|(?<![\w.+/@-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+(?<![-_.])(?![\w-])"
)
"""A bare address, with punctuation behind it that is perhaps not its own."""
_INLINE = re.compile(
    r"\(\s*(?:(?P<address><[^<>\n]*>|(?![<\s])[^\s()]*(?:\((?:[^\s()]|\([^\s()]*\))*\)[^\s()]*)*)"
    r"(?:\s+(?P<title>\"[^\"]*\"|'[^']*'|\([^()]*\)))?)?\s*\)"
)
_LABEL = re.compile(r"\[((?:[^\[\]]){0,999})\]")
_BRACKETS = re.compile(r"[\[\]]")


class FoundLink(Struct, frozen=True):
    """A link: indices of the bracket that closes its text and of what follows the whole, and where it leads."""

    close: int
    end: int
    address: str
    title: str


class LinkFinder:
    """Finds links inline, by reference, collapsed and by label alone. ``bare`` resolves what was read before."""

    def __init__(self, references: References, bare: Callable[[str], str]) -> None:
        self.references = references
        self.bare = bare

    def find(self, data: str, start: int) -> FoundLink | None:
        """Return the link whose text begins at ``start``."""
        close = _partner(data, start)
        if close < 0:
            return None
        if inline := _INLINE.match(data, close + 1):
            address, title = inline["address"] or "", inline["title"] or ""
            address = address[1:-1] if address.startswith("<") else address
            return FoundLink(close, inline.end(), self.bare(address), self.bare(title[1:-1]))
        label = _LABEL.match(data, close + 1)
        if label and label[1] and not label[1].strip():
            label = None
        named = fold(self.bare((label[1] if label else "") or data[start:close]))
        target = self.references.get(named)
        return FoundLink(close, label.end() if label else close + 1, *target) if target else None

    def holds_link(self, data: str, start: int, close: int) -> bool:
        """Whether a link stands within the brackets: then the outer pair is text."""
        at = data.find("[", start, close)
        while at >= 0:
            if not data.startswith("!", at - 1) and self.find(data, at + 1):
                return True
            at = data.find("[", at + 1, close)
        return False


def _partner(data: str, start: int) -> int:
    depth = 1
    for found in _BRACKETS.finditer(data, start):
        depth += 1 if found.group() == "[" else -1
        if not depth:
            return found.start()
    return -1


def trim_address(text: str) -> str:
    """Leave out punctuation at the end, and closing brackets that have no partner within."""
    while text:
        shorter = text.rstrip("?!.,:*_~'\"")
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == text:
            break
        text = shorter
    return text


def address_of(text: str) -> str:
    """Return where a bare address leads, empty when it is no address after all."""
    if "@" in text and not re.match(r"https?://|www\.", text):
        return f"mailto:{text}"
    host = re.match(r"(?:https?://)?([\w.-]*)", text)
    if not host or "." not in host[1] or "_" in ".".join(host[1].split(".")[-2:]):
        return ""
    return f"http://{text}" if text.startswith("www.") else text
