"""The second wall: whatever Python-Markdown wrote, only the elements that the tree knows come through."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

import nh3

from pipeline.reader.examine import SCHEMES

_TAGS = {"p", "blockquote", "ul", "ol", "li", "pre", "code", "hr", "br", "em", "strong", "del", "sub", "a", "img"}
_TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "tbody", "tr", "th", "td"}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "code": {"class"}}
_ATTRIBUTES |= {"th": {"align"}, "td": {"align"}}
_VOID = frozenset(["br", "hr", "img"])


def sanitize(html: str) -> Element:
    """Return ``html`` as an element that holds all others, cleaned by nh3."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        generic_attribute_prefixes={"data-"},
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    parser = _Elements()
    parser.feed(clean)
    return parser.finish()


class _Elements(HTMLParser):
    """The elements of well-formed HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = TreeBuilder()
        self.builder.start("body", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)

    def finish(self) -> Element:
        self.close()
        self.builder.end("body")
        return self.builder.close()
