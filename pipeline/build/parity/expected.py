"""What a rendition should say: the article's words in reading order and its links, told without any writer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from pipeline.build.parity.content import Content, Passage, address, figures, folded
from pipeline.model.document import (
    Block,
    CodeBlock,
    Figure,
    Inline,
    LineBreak,
    Link,
    List,
    Quote,
    Table,
    inlines_of,
    plain,
    walk,
)
from pipeline.typography.article import DATELINE_MARK, Article, Line, Party
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput, home_link


def article_words(article: Article, messages: Messages) -> list[str]:
    """Return every word of ``article`` from letterhead to footer."""
    telling = _Telling("", article, messages, "")
    return [word for part in telling.parts() if isinstance(part, str) for word in folded(part)]


def expected(name: str, render_input: RenderInput) -> Content:
    """Return what a rendition of ``job`` in the format ``name`` has to say."""
    telling = _Telling(name, render_input.article, render_input.messages, render_input.base_url)
    links = list(_links(render_input.article))
    required: set[str] = set()
    optional: set[str] = set()
    for link in links:
        targets = optional if _is_optional(name, link) else required
        targets.add(telling.target(link))
    numbers = {(address(link.href), figures(link.value)) for link in links if link.href.startswith("tel:")}
    passages = tuple(part for part in telling.parts() if part)
    own = frozenset(numbers) if name in ("html", "json", "docx") else frozenset()
    return Content(passages, frozenset(required), own, frozenset(optional - required))


def _links(article: Article) -> Iterator[Line]:
    """Yield every link of the article as a line without a label."""
    yield from (notice.link for notice in article.notices if notice.link)
    blocks = (*((article.image,) if article.image else ()), *article.body, *article.notes)
    for run in (run for block in walk(blocks) for run in inlines_of(block)):
        yield from _linked(run)
    for party in (*article.footer.contacts, *article.footer.footage):
        yield from (line for line in party.lines if line.href)


def _linked(run: Iterable[Inline]) -> Iterator[Line]:
    for inline in run:
        if isinstance(inline, Link):
            yield Line("", plain(inline.children), inline.href)
        if hasattr(inline, "children"):
            yield from _linked(inline.children)


def _is_optional(name: str, link: Line) -> bool:
    """Whether a link need not be there: within the text, with no words to click on, or nothing an address."""
    try:
        urlsplit(link.href)
    except ValueError:
        return True
    return not link.value.strip() or (link.href.startswith("#") and name not in ("html", "json"))


def _bare(target: str) -> str:
    return target.removeprefix("mailto:").removeprefix("tel:")


class _Telling:
    """Tells an article as one format orders it."""

    def __init__(self, name: str, article: Article, messages: Messages, base_url: str) -> None:
        self.name = name
        self.article = article
        self.messages = messages
        self.base_url = base_url

    def target(self, link: Line) -> str:
        """Return where ``link`` leads in this format; in plain text, what is read there."""
        match self.name:
            case "html":
                return address(link.href)
            case "pdf" if link.href.startswith("#"):
                return address(f"{self.base_url}releases/{self.article.slug}.html{link.href}")
            case "text":
                label = link.label or link.href.startswith("#")
                return link.value if label else _bare(home_link(self.base_url, link.href)).removeprefix("https://")
            case _:
                return address(home_link(self.base_url, link.href))

    def parts(self) -> Iterator[Passage]:
        """Yield the article's words, a passage after the other."""
        article = self.article
        yield from self.head()
        yield article.subtitle
        yield from self.blocks([article.image] if article.image else [])
        if article.dateline:
            yield f"{article.dateline}{DATELINE_MARK}"
        yield from self.blocks(article.body)
        yield article.ends
        if article.boilerplate:
            yield from (article.about_heading, *article.boilerplate)
        yield from self.blocks(article.notes)
        yield from self.parties(article.footer.contacts_heading, article.footer.contacts)
        yield from self.parties(article.footer.footage_heading, article.footer.footage)
        yield article.reuse

    def head(self) -> Iterator[str]:
        """Yield what stands above the deck; the record has the headline first."""
        article = self.article
        sender = (article.organisation, article.kind, article.reference, article.date)
        record = self.name == "json"
        yield from (article.title, article.status, *sender) if record else (*sender, article.status)
        for notice in article.notices:
            yield from (notice.label, notice.text)
            if notice.link:
                yield from (notice.link.label, notice.link.value)
        if not record:
            yield article.title

    def parties(self, heading: str, parties: tuple[Party, ...]) -> Iterator[str]:
        """Yield one side of the footer."""
        if parties:
            yield heading
        for party in parties:
            yield from (party.name, party.text)
            for line in party.lines:
                yield from (line.label, line.value)

    def blocks(self, blocks: Iterable[Block]) -> Iterator[Passage]:
        """Yield the words of blocks, those of lists with their marks where these are letters in the file."""
        for block in blocks:
            if isinstance(block, Quote):
                yield from self.blocks(block.children)
            elif isinstance(block, List):
                yield from self.items(block)
            elif isinstance(block, CodeBlock):
                yield block.text
            elif isinstance(block, Table) and self.name == "text":
                yield self.table(block)
            else:
                yield from (self.inlines(run) for run in inlines_of(block))
            if isinstance(block, Figure) and block.credit:
                yield self.messages["photo"].format(credit=block.credit)

    def items(self, block: List) -> Iterator[Passage]:
        """Yield the items of a list."""
        for number, item in enumerate(block.items, block.start):
            if block.ordered and self.name in ("text", "pdf"):
                yield f"{number}."
            if item.checked is not None and self.name:
                yield "☑" if item.checked else "☐"
            yield from self.blocks(item.children)

    def table(self, table: Table) -> Passage:
        """Return the words of a table as plain text has them: in columns, or each value after its column's name."""
        head, *rows = ([self.inlines(cell.children) for cell in row] for row in (table.head, *table.rows))
        columns = " ".join(word for row in (head, *rows) for word in row)
        records = " ".join(f"{name} {value}" for row in rows for name, value in zip(head, row, strict=True))
        return columns, records or columns

    def inlines(self, inlines: Iterable[Inline]) -> str:
        """Return the words of a line of text; in plain text, with where its links lead."""
        return "".join(map(self.inline, inlines))

    def inline(self, inline: Inline) -> str:
        """Return the words of one inline."""
        if isinstance(inline, LineBreak):
            return " "
        if not isinstance(inline, Link) or self.name != "text":
            return self.inlines(inline.children) if hasattr(inline, "children") else plain((inline,))
        messages, target = self.inlines(inline.children), home_link(self.base_url, inline.href)
        said = inline.href.startswith("#") or messages in (
            target,
            _bare(target),
            _bare(target).removeprefix("https://"),
        )
        return messages if said else f"{messages} {_bare(target)}"
