"""Read HTML pages: their elements, attributes and words."""

from __future__ import annotations

from html.parser import HTMLParser

from pipeline.build.parity.content import folded
from pipeline.model.manifest import Row
from pipeline.model.render_context import RenderContext
from pipeline.site.pages import newsroom_page
from pipeline.writers import RenderInput, html
from tests.support import sample
from tests.support.rows import BASE, DAY

HOSTILE = "</title><script>alert('x')</script> \" & <!-- ]]>"
BLOCKS = {
    "p",
    "h1",
    "h2",
    "h3",
    "li",
    "td",
    "th",
    "div",
    "section",
    "time",
    "br",
    "figcaption",
    "a",
    "button",
    "pre",
    "span",
}


class Reader(HTMLParser):
    """The elements of a page, and its words as they are read: without head, scripts and buttons."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in {"meta", "link", "img", "input", "br", "hr"}:
            self.open.append(tag)
        if tag in BLOCKS - {"span", "a"}:
            self.text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag in BLOCKS - {"span", "a"}:
            self.text.append(" ")

    def handle_data(self, data: str) -> None:
        if not {"head", "script", "button"} & set(self.open):
            self.text.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [found for name, found in self.elements if name == tag and wanted.items() <= found.items()]

    def words(self) -> list[str]:
        return folded("".join(self.text))


def written(render_input: RenderInput) -> str:
    return html.write(render_input).data.decode()


def page(render_input: RenderInput | None = None) -> Reader:
    return Reader(written(render_input or sample.render_input()))


def front(*rows: Row) -> Reader:
    """Return the newsroom page that lists ``rows``."""
    return Reader(newsroom_page(rows, RenderContext(sample.NEWSROOM, b"", BASE, DAY)).decode())
