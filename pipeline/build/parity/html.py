"""Reading release pages, records and plain text back, with the standard library's HTML parser."""

from __future__ import annotations

from html.parser import HTMLParser

import msgspec
from msgspec import Struct

from pipeline.build.parity.content import Content, address, digits, high, low, raise_references

_PAGE_ONLY = frozenset(("skip", "tools", "others", "earlier", "beside", "related", "back", "frame", "original"))
"""Classes of what belongs to the page and not to the release: downloads, links to other pages."""
_UNREAD = frozenset(("head", "script", "style", "template"))
_VOID = frozenset(("br", "hr", "img", "link", "meta", "wbr", "col", "source", "track", "input"))
_INLINE = frozenset(("a", "strong", "em", "del", "code", "b", "bdi", "i", "sub", "sup"))
_FIGURES = {"sup": high, "sub": low}


class _RecordedArticle(Struct):
    headlines: tuple[dict[str, str], ...]
    bodies: tuple[dict[str, str | int], ...]


def read_text(data: bytes) -> Content:
    """Return plain text with the numbers of footnotes marked; an address there is a word and not a link."""
    return Content((raise_references(data.decode()),), frozenset())


def read_page(data: bytes) -> Content:
    """Return the content of a release page, without what belongs to the page alone."""
    return _read(data.decode())


def read_record(data: bytes) -> Content:
    """Return the content of a record: its headline, then its article."""
    record = msgspec.json.decode(data, type=_RecordedArticle)
    article = _read(str(record.bodies[0]["value"]))
    return Content((record.headlines[0]["value"], *article.words), article.links, article.numbers)


def _read(source: str) -> Content:
    parser = _ContentParser()
    parser.feed(source)
    parser.close()
    return Content(("".join(parser.text),), frozenset(parser.links), frozenset(parser.numbers))


class _ContentParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.links: set[str] = set()
        self.numbers: set[tuple[str, str]] = set()
        self.open: list[str] = []
        self.unread_from = 0
        """Depth of the outermost element that is not read; 0 outside of such."""
        self.sender_from = 0
        """The same for the sender, whose labels and links are the page's own."""
        self.call: tuple[str, int] | None = None
        """The open telephone link: its target, and where its text begins."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self.text.append(" ")
        if tag in _VOID:
            return
        self.open.append(tag)
        given = {name: value or "" for name, value in attrs}
        classes = given.get("class", "").split()
        depth = len(self.open)
        if "sender" in classes:
            self.sender_from = self.sender_from or depth
        unread = tag in _UNREAD or _PAGE_ONLY.intersection(classes) or (self.sender_from and "label" in classes)
        if unread and not self.unread_from:
            self.unread_from = depth
        if tag == "a" and not self.unread_from and not self.sender_from:
            self._link(given.get("href", ""))

    def _link(self, href: str) -> None:
        self.links.add(address(href))
        if href.startswith("tel:"):
            self.call = (address(href), len(self.text))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self.text.append(" ")
        if tag not in self.open:
            return
        while self.open.pop() != tag:
            pass
        depth = len(self.open)
        self.unread_from = self.unread_from if self.unread_from <= depth else 0
        self.sender_from = self.sender_from if self.sender_from <= depth else 0
        if tag == "a" and self.call:
            href, begun = self.call
            self.numbers.add((href, digits("".join(self.text[begun:]))))
            self.call = None

    def handle_data(self, data: str) -> None:
        if not self.unread_from:
            marks = (_FIGURES[tag] for tag in self.open if tag in _FIGURES)
            self.text.append(next(marks, str)(data))
