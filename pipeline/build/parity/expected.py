"""What a rendition should say: the words of the article in reading order and its links, derived without any writer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from pipeline.build.parity.content import Content, Passage, address, digits, folded, high, low, raise_references
from pipeline.model.document import (
    Block,
    CodeBlock,
    Figure,
    FootnoteReference,
    Footnotes,
    Inline,
    LineBreak,
    Link,
    List,
    Quote,
    Subscript,
    Superscript,
    Table,
    Text,
    figures,
    inlines_of,
    plain,
    references,
    walk,
)
from pipeline.model.formats import ParityKind
from pipeline.typography.article import DATELINE_MARK, Article, Line, Party
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput, home_link

PLAIN: tuple[ParityKind, ...] = ("text", "shots")
"""Plain texts: addresses are words there, and no links."""


def article_words(article: Article, messages: Messages) -> list[str]:
    """Return every word of ``article`` from letterhead to footer, without marks of lists."""
    parts = _ExpectedContent(None, article, messages, "", {}).parts()
    return [word for part in parts if isinstance(part, str) for word in folded(part)]


def expected(kind: ParityKind, render_input: RenderInput) -> Content:
    """Return what a rendition of this kind has to say."""
    marks = {picture.file: picture.mark for picture in render_input.release.pictures}
    content = _ExpectedContent(kind, render_input.article, render_input.messages, render_input.base_url, marks)
    links = list(_links(kind, render_input.article))
    required: set[str] = set()
    optional: set[str] = set()
    for link in links:
        targets = optional if _is_optional(kind, link) else required
        targets.add(content.target(link))
    numbers: set[tuple[str, str]] = set()
    if kind in ("html", "record", "word"):
        numbers = {(address(link.href), digits(link.value)) for link in links if link.href.startswith("tel:")}
    if kind == "html":
        required |= set(_note_links(render_input.article))
    passages = tuple(part for part in content.parts() if part)
    if kind in PLAIN:
        passages = tuple(map(_raise_references, passages))
    return Content(passages, frozenset(required), frozenset(numbers), frozenset(optional - required))


def _raise_references(passage: Passage) -> Passage:
    if isinstance(passage, str):
        return raise_references(passage)
    return raise_references(passage[0]), raise_references(passage[1])


def _links(kind: ParityKind, article: Article) -> Iterator[Line]:
    """Yield every link that the article has in one kind of files as a line without a label."""
    yield from (Line("", fact.value, fact.href) for fact in article.facts if fact.href)
    yield from (notice.link for notice in article.notices if notice.link)
    blocks = (*((article.image,) if article.image else ()), *article.body, *article.notes) if kind != "shots" else ()
    for run in (run for block in walk(blocks) for run in inlines_of(block)):
        yield from _linked(run)
    for party in (*article.footer.contacts, *article.footer.footage):
        yield from (line for line in party.lines if line.href)
    if kind == "pdf" and article.current:
        yield article.current
    if kind != "record" and article.verification:
        yield Line("", article.verification.value, article.verification.href)


def _note_links(article: Article) -> Iterator[str]:
    """Yield the links of a page between footnotes and the references to them."""
    counts = Counter(references((*((article.image,) if article.image else ()), *article.body, *article.notes)))
    for number, count in counts.items():
        yield f"#NOTE-{number}"
        yield f"#REFERENCE-{number}"
        yield from (f"#REFERENCE-{number}-{place}" for place in range(2, count + 1))


def _linked(run: Iterable[Inline]) -> Iterator[Line]:
    for inline in run:
        if isinstance(inline, Link):
            yield Line("", plain(inline.children), inline.href)
        if hasattr(inline, "children"):
            yield from _linked(inline.children)


def _is_optional(kind: ParityKind, link: Line) -> bool:
    """Whether a link may be left out: it leads to a heading, has no words to click on, or no valid address."""
    try:
        urlsplit(link.href)
    except ValueError:
        return True
    return not link.value.strip() or (link.href.startswith("#") and kind not in ("html", "record"))


def _bare(target: str) -> str:
    return target.removeprefix("mailto:").removeprefix("tel:")


class _ExpectedContent:
    """The content of an article as one kind of files has it; with ``None``, the article's own words alone."""

    def __init__(
        self, kind: ParityKind | None, article: Article, messages: Messages, base_url: str, marks: Mapping[str, str]
    ) -> None:
        self.kind = kind
        self.article = article
        self.messages = messages
        self.base_url = base_url
        self.marks = marks
        """File of a picture → name of its message about AI."""

    def target(self, link: Line) -> str:
        """Return the target of ``link``; in plain text, what is written there."""
        match self.kind:
            case "html":
                return address(link.href)
            case "pdf" if link.href.startswith("#"):
                return address(f"{self.base_url}releases/{self.article.slug}.html{link.href}")
            case "text" | "shots":
                if link.address:
                    return link.address
                label = link.label or link.href.startswith("#")
                return link.value if label else _bare(home_link(self.base_url, link.href)).removeprefix("https://")
            case _:
                return address(home_link(self.base_url, link.href))

    def parts(self) -> Iterator[Passage]:
        """Yield the article's words in reading order."""
        article = self.article
        yield from self.head()
        yield from self.text() if self.kind != "shots" else ()
        yield from self.films()
        yield from self.parties(article.footer.contacts_heading, article.footer.contacts)
        yield from self.parties(article.footer.footage_heading, article.footer.footage)
        if self.kind == "pdf" and article.current:
            yield from (article.current.label, article.current.value)
        yield article.reuse
        if self.kind != "record" and article.verification:
            yield article.verification.text
        if self.kind == "word":  # it has them at the foot of pages, in a part of its own
            yield from self.blocks(block for block in article.body if isinstance(block, Footnotes))

    def text(self) -> Iterator[Passage]:
        """Yield what stands between the headline and the shot list."""
        article = self.article
        yield article.subtitle
        yield from self.blocks([article.image] if article.image else [])
        if article.dateline:
            yield f"{article.dateline}{DATELINE_MARK}"
        footnotes = [block for block in article.body if isinstance(block, Footnotes)]
        yield from self.blocks(block for block in article.body if block not in footnotes)
        if self.kind != "word":
            yield from self.blocks(footnotes)
        yield article.ends
        if article.boilerplate:
            yield from (article.about_heading, *article.boilerplate)
        yield from self.blocks(article.notes)

    def films(self) -> Iterator[Passage]:
        """Yield shot lists and transcripts; plain texts number the shots below their place and day."""
        for film in self.article.films:
            if self.kind not in PLAIN:
                yield from self.blocks(film.blocks)
                continue
            if film.shots:
                yield from (film.heading, self.article.slug, film.restrictions)
            for where, shots in film.groups:
                yield where
                yield from (f"{number}. {shot.at} {shot.text} {shot.bite}" for number, shot in shots)
            yield from self.blocks(film.spoken)

    def head(self) -> Iterator[str]:
        """Yield everything above the subtitle; a record begins with the headline."""
        article = self.article
        sender = (article.organisation, article.kind, *(fact.text for fact in article.facts), article.date)
        record = self.kind == "record"
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
                if self.kind in PLAIN:
                    yield line.address

    def blocks(self, blocks: Iterable[Block]) -> Iterator[Passage]:
        """Yield the words of blocks, with the marks of lists where the file has these as text."""
        for block in blocks:
            if isinstance(block, Quote):
                yield from self.blocks(block.children)
            elif isinstance(block, List):
                yield from self.items(block)
            elif isinstance(block, CodeBlock):
                yield block.text
            elif isinstance(block, Footnotes):
                for number, note in enumerate(block.notes, 1):
                    yield {"text": f"[{number}]", "pdf": f"{number}."}.get(self.kind or "", "")
                    yield from self.blocks(note)
            elif isinstance(block, Table) and self.kind == "text":
                yield self.table(block)
            else:
                yield from (self.inlines(run) for run in inlines_of(block))
            if isinstance(block, Figure):
                yield self.messages.credit(block.credit, self.marks.get(block.file, ""))

    def items(self, block: List) -> Iterator[Passage]:
        """Yield the items of a list."""
        for number, item in enumerate(block.items, block.start):
            if block.ordered and self.kind in ("text", "pdf"):
                yield f"{number}."
            if item.checked is not None and self.kind:
                yield "☑" if item.checked else "☐"
            yield from self.blocks(item.children)

    def table(self, table: Table) -> Passage:
        """Return the words of a table in plain text: in columns, or each value after its column's name."""
        head, *rows = ([self.inlines(cell.children) for cell in row] for row in (table.head, *table.rows))
        columns = " ".join(word for row in (head, *rows) for word in row)
        records = " ".join(f"{name} {value}" for row in rows for name, value in zip(head, row, strict=True))
        return columns, records or columns

    def inlines(self, inlines: Iterable[Inline]) -> str:
        """Return the words of a line of text; in plain text, with the addresses of its links."""
        return "".join(map(self._inline, inlines))

    def figures(self, inline: Subscript | Superscript) -> str:
        """Return high or low figures as the file has them."""
        is_low, words = isinstance(inline, Subscript), self.inlines(inline.children)
        if self.kind in ("html", "record", "word"):
            return low(words) if is_low else high(words)
        if self.kind == "pdf" and not all(isinstance(child, Text) for child in inline.children):
            return words
        return figures(words, low=is_low)

    def _inline(self, inline: Inline) -> str:
        if isinstance(inline, LineBreak):
            return " "
        if isinstance(inline, FootnoteReference):
            number = str(inline.number)
            return high(number) if self.kind in ("html", "record", "word") else f"[{number}]"
        if isinstance(inline, (Subscript, Superscript)):
            return self.figures(inline)
        if not isinstance(inline, Link) or self.kind != "text":
            return self.inlines(inline.children) if hasattr(inline, "children") else plain((inline,))
        words, target = self.inlines(inline.children), home_link(self.base_url, inline.href)
        bare = _bare(target)
        written = inline.href.startswith("#") or words in (target, bare, bare.removeprefix("https://"))
        return words if written else f"{words} {bare}"
