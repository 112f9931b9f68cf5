"""The release as plain text, for journalists to paste.

The facts come first, each paragraph is one line, and a link's address follows its words in brackets. Headings and the
status line are in capitals, because plain text has no other way to mark them. The number of a footnote is in square
brackets, after the word and before its text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from pipeline.model.document import (
    Block,
    Cell,
    Code,
    CodeBlock,
    Figure,
    FootnoteReference,
    Footnotes,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Subscript,
    Superscript,
    Table,
    Text,
    figures,
)
from pipeline.typography.article import DATELINE_MARK, Article, Notice, footer_lines, line_text
from pipeline.typography.footage import NO_BREAK, Film, ShotEntry
from pipeline.typography.messages import capitals
from pipeline.writers import Output, RenderInput, home_link

TABLE_WIDTH = 100
"""Characters. A wider table is written row by row, each value after the name of its column."""
INDENT = "    "


def write(render_input: RenderInput) -> Output:
    """Return the article as UTF-8 text with Unix line ends and a newline at the end."""
    article = render_input.article
    writer = _TextBlocks(render_input)
    capital = partial(capitals, language=article.language)
    parts = [*head(render_input), article.subtitle]
    if article.image:
        parts.append(writer.block(article.image))
    parts += writer.blocks(article.body, article.dateline)
    parts.append(capital(article.ends))
    about = capital(article.about_heading.replace(article.organisation, _sender(render_input)))
    parts += [about, *article.boilerplate] if article.boilerplate else []
    parts += writer.blocks(article.notes)
    return copy_of([*parts, *foot(render_input)])


def _sender(render_input: RenderInput) -> str:
    return capitals(render_input.article.organisation, render_input.newsroom.language)


def head(render_input: RenderInput) -> list[str]:
    """Return what stands above the text, up to the headline."""
    article = render_input.article
    letterhead = [_sender(render_input), article.kind, *(fact.text for fact in article.facts), article.date]
    status = capitals(article.status, article.language)
    return ["\n".join(filter(None, letterhead)), status, *map(_notice, article.notices), article.title]


def foot(render_input: RenderInput) -> list[str]:
    """Return what stands below the notes: shot lists, transcripts, contacts, words on reuse."""
    article = render_input.article
    films = [part for film in article.films for part in film_copy(film, article)]
    last = [article.reuse, article.verification.text if article.verification else ""]
    return [*films, *footer_lines(article.footer, article.language), *last]


def film_copy(film: Film, article: Article) -> list[str]:
    """Return a shot list as news agencies write it, and the transcript.

    The shots are numbered; place and day stand over those that follow each other there.
    """
    capital = partial(capitals, language=article.language)
    parts: list[str] = []
    if film.shots:
        parts += ["\n".join(filter(None, (f"{capital(film.heading)}: {article.slug}", film.restrictions)))]
        for where, shots in film.groups:
            lines = [capital(where.replace(NO_BREAK, " ")), *(_shot(shot, capital) for shot in shots)]
            parts.append("\n".join(filter(None, lines)))
    return [*parts, capital(film.transcript_heading), *film.transcript] if film.transcript else parts


def _shot(numbered: tuple[int, ShotEntry], capital: Callable[[str], str]) -> str:
    number, shot = numbered
    bite = f"\n{INDENT}{' '.join(filter(None, (capital(shot.sound), shot.said)))}" if shot.bite else ""
    return f"{number}. {shot.at} {shot.text}{bite}"


def copy_of(parts: Iterable[str]) -> Output:
    """Return a text of paragraphs, without the empty ones."""
    copy = "\n\n".join(part for part in parts if part) + "\n"
    return Output(copy.replace("\u00ad", "").encode())  # a soft hyphen would hide its word from every search


def _notice(notice: Notice) -> str:
    text = f"{notice.label}: {notice.text}"
    return f"{text}\n{line_text(notice.link)}" if notice.link else text


class _TextBlocks:
    """Writes blocks as text, each as one string of one or more lines."""

    def __init__(self, render_input: RenderInput) -> None:
        self.render_input = render_input

    def blocks(self, blocks: Iterable[Block], dateline: str = "") -> list[str]:
        texts = list(map(self.block, blocks))
        if not dateline:
            return texts
        if texts and isinstance(next(iter(blocks)), Paragraph):
            return [f"{dateline}{DATELINE_MARK}{texts[0]}", *texts[1:]]
        return [dateline, *texts]

    def block(self, block: Block) -> str:
        match block:
            case Paragraph(children):
                return self.inlines(children)
            case Heading(_, children):
                return capitals(self.inlines(children), self.render_input.article.language)
            case Quote(children):
                return _indented("\n\n".join(map(self.block, children)))
            case CodeBlock(text):
                return _indented(text)
            case Figure():
                return self.figure(block)
            case Rule():
                return "* * *"
            case List():
                return self.listing(block)
            case Table():
                return self.table(block)
            case Footnotes(notes):
                items = (self.item(ListItem(note), f"[{n}] ", tight=False) for n, note in enumerate(notes, 1))
                return "\n\n".join(items)

    def inlines(self, inlines: Iterable[Inline]) -> str:
        return "".join(map(self.inline, inlines))

    def inline(self, inline: Inline) -> str:
        match inline:
            case Text(text) | Code(text):
                return text
            case LineBreak():
                return "\n"
            case Link(href, children):
                return self.link(self.inlines(children), href)
            case FootnoteReference(number):
                return f"[{number}]"
            case Subscript(children) | Superscript(children):
                return figures(self.inlines(children), low=isinstance(inline, Subscript))
            case _:
                return self.inlines(inline.children)

    def link(self, words: str, href: str) -> str:
        target = home_link(self.render_input.base_url, href)
        bare = target.removeprefix("mailto:").removeprefix("tel:")
        if href.startswith("#") or words in (target, bare, bare.removeprefix("https://")):
            return words
        return f"{words} ({bare})"

    def figure(self, figure: Figure) -> str:
        credit = self.render_input.credit(figure)
        caption = self.inlines(figure.caption)
        stop = "." if caption and credit and caption[-1].isalnum() else ""
        words = " ".join(filter(None, (caption + stop, credit)))
        return f"[{words}]" if words else ""

    def listing(self, block: List) -> str:
        marks = (f"{block.start + n}. " if block.ordered else "- " for n in range(len(block.items)))
        items = map(partial(self.item, tight=block.tight), block.items, marks)
        return ("\n" if block.tight else "\n\n").join(items)

    def item(self, item: ListItem, mark: str, tight: bool) -> str:
        box = "" if item.checked is None else ("☑ " if item.checked else "☐ ")
        text = ("\n" if tight else "\n\n").join(filter(None, map(self.block, item.children)))
        lines = (box + text).split("\n")
        return "\n".join([(mark + lines[0]).rstrip(), *(INDENT + line if line else "" for line in lines[1:])])

    def table(self, table: Table) -> str:
        rows = [self.cells(row) for row in (table.head, *table.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + 3 * len(widths) > TABLE_WIDTH and table.rows:
            return "\n\n".join(_record(rows[0], row) for row in rows[1:])
        pads: list[Callable[[str, int], str]] = [
            str.rjust if side == "right" else str.ljust for side in table.alignments
        ]
        return "\n".join(
            "   ".join(pad(cell, width) for pad, cell, width in zip(pads, row, widths, strict=True)).rstrip()
            for row in rows
        )

    def cells(self, row: tuple[Cell, ...]) -> list[str]:
        return [self.inlines(cell.children).replace("\n", " ") for cell in row]


def _record(head: list[str], row: list[str]) -> str:
    lines = (f"{name}: {value}".rstrip() if name else value for name, value in zip(head, row, strict=True))
    return "\n".join(filter(None, lines))


def _indented(text: str) -> str:
    return "\n".join(INDENT + line if line else "" for line in text.split("\n"))
