"""Links: definitions, inline and reference links (CommonMark), bare addresses.

linkify-it-py also finds bare addresses, but not as they are typed in a release: it takes ``’s`` and a dash behind an
address for a part of it, ends a mail address at its apostrophe, finds none behind an East Asian letter, and either
misses ``www.example.org`` or also links ``example.com``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from msgspec import Struct

from pipeline.reader.markdown.syntax import plain_text

_LATIN = r"0-9A-Za-z\u00c0-\u024f"
BARE_ADDRESS = (
    r"(?<![0-9A-Za-z./@:_-])(?:https?://|www\.)(?=[\w\u00a1-\uffff])(?:[^\s<\x02]|\x02\d+\x03)+"
    rf"|(?<![{_LATIN}.+/@_-])[{_LATIN}_+](?:[{_LATIN}_.+'’-]*[{_LATIN}_+-])?@"
    rf"[{_LATIN}-]+(?:\.[{_LATIN}-]+)+(?<!-)(?![{_LATIN}_-])"
)
"""A bare address, perhaps with what stands behind it, which ``trim_address`` takes off. Escapes in it are coded."""
_HOST = re.compile(r"(?:https?://|www\.)[0-9A-Za-z.-]+\.[A-Za-z]{2,}(?=[^\x00-\u024f])")
"""A host in ASCII with a letter of another script behind it, as in texts without blanks between words."""
_PARTNERS = {")": "(", "]": "[", "}": "{"}
_INLINE = re.compile(
    r"\(\s*(?:(?P<address><[^<>\n]*>|(?![<\s])[^\s()]*(?:\((?:[^\s()]|\([^\s()]*\))*\)[^\s()]*)*)"
    r"(?:\s+(?P<title>\"[^\"]*\"|'[^']*'|\([^()]*\)))?)?\s*\)"
)
_LABEL = re.compile(r"\[((?:[^\[\]]){0,999})\]")
_BRACKETS = re.compile(r"[\[\]]")
_DEFINITION = re.compile(
    r"""[ ]{0,3}\[(?P<label>(?:\\.|[^\[\]\\])+)\]:[ \t]*\n?[ \t]*"""
    r"""(?P<address><(?:\\.|[^<>\n\\])*>|[^\s<]\S*)"""
    r"""(?:(?:[ \t]+\n?[ \t]*|\n[ \t]*)(?P<title>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\)))?"""
    r"""[ \t]*(?:\n|\Z)""",
    re.DOTALL,
)

Definitions = dict[str, tuple[str, str]]
"""Normalized label → address and title."""


def take_definitions(text: str, definitions: Definitions) -> str:
    """Enter the link definitions at the beginning of a paragraph, and return the text that follows them."""
    at = 0
    while match := _DEFINITION.match(text, at):
        if not match["label"].strip() or match["label"].startswith("^"):
            break
        address = _without_angle_brackets(match["address"])
        title = (match["title"] or "")[1:-1]
        definitions.setdefault(_normalize(plain_text(match["label"])), (plain_text(address), plain_text(title)))
        at = match.end()
    return text[at:]


class LinkMatch(Struct, frozen=True):
    """A link in a text."""

    close: int
    """Index of the bracket that ends the link's text."""
    end: int
    """Index behind the whole link."""
    address: str
    title: str


class LinkFinder:
    """Finds links: inline, by reference, collapsed and by label alone.

    ``resolve`` turns a part of the text, in which inlines were already read, back into plain characters.
    """

    def __init__(self, definitions: Definitions, resolve: Callable[[str], str]) -> None:
        self.definitions = definitions
        self.resolve = resolve

    def find(self, data: str, start: int) -> LinkMatch | None:
        """Return the link whose text begins at ``start``."""
        close = _closing_bracket(data, start)
        if close < 0:
            return None
        if inline := _INLINE.match(data, close + 1):
            address, title = _without_angle_brackets(inline["address"] or ""), (inline["title"] or "")[1:-1]
            return LinkMatch(close, inline.end(), self.resolve(address), self.resolve(title))
        label = _LABEL.match(data, close + 1)
        if label and label[1] and not label[1].strip():
            label = None
        name = _normalize(self.resolve((label[1] if label else "") or data[start:close]))
        target = self.definitions.get(name)
        return LinkMatch(close, label.end() if label else close + 1, *target) if target else None

    def holds_link(self, data: str, start: int, close: int) -> bool:
        """Whether there is a link within the brackets; the outer pair is then text."""
        at = data.find("[", start, close)
        while at >= 0:
            if not data.startswith("!", at - 1) and self.find(data, at + 1):
                return True
            at = data.find("[", at + 1, close)
        return False


def trim_address(text: str) -> str:
    """Return a bare address without what cannot belong to it.

    It ends before punctuation that is not ASCII, as in ``https://example.org’s`` and ``https://example.org。``, and
    before punctuation at its end and closing brackets that have no partner in it.
    """
    if host := _HOST.match(text):
        text = host.group()
    text = next((text[:at] for at, each in enumerate(text) if each > "\x7f" and _is_sign(each)), text)
    while text:
        shorter = text.rstrip("?!.,;:*_~'\"")
        if shorter[-1:] in _PARTNERS and shorter.count(shorter[-1]) > shorter.count(_PARTNERS[shorter[-1]]):
            shorter = shorter[:-1]
        if shorter == text:
            break
        text = shorter
    return text


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PSZ"


def target_of(text: str) -> str:
    """Return the target of a bare address, empty when it is none after all."""
    if "@" in text and not re.match(r"https?://|www\.", text):
        return "mailto:" + text.replace("’", "'")
    host = re.match(r"(?:https?://)?([\w.-]*)", text)
    if not host or "." not in host[1] or "_" in ".".join(host[1].split(".")[-2:]):
        return ""
    return f"http://{text}" if text.startswith("www.") else text


def _normalize(label: str) -> str:
    return " ".join(label.casefold().split())


def _without_angle_brackets(address: str) -> str:
    return address[1:-1] if address.startswith("<") else address


def _closing_bracket(data: str, start: int) -> int:
    depth = 1
    for match in _BRACKETS.finditer(data, start):
        depth += 1 if match.group() == "[" else -1
        if not depth:
            return match.start()
    return -1
