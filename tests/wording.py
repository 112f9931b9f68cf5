"""The words of an article in reading order: what every rendition must hold, told without any writer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.article import Article, Party
from pipeline.document import Block, CodeBlock, Figure, LineBreak, List, Quote, Text, inlines_of, plain
from pipeline.words import Words


def folded(text: str) -> list[str]:
    """Return the words of ``text``, case and punctuation between blanks kept out of the comparison."""
    return re.sub(r"[\s\u200e\u200f\u2066-\u2069\xad]+", " ", text).casefold().split()


def article_words(article: Article, words: Words) -> list[str]:
    """Return every word of ``article`` from letterhead to footer."""
    return [word for part in _parts(article, words) for word in folded(part)]


def _parts(article: Article, words: Words) -> Iterator[str]:
    yield from (article.organisation, article.kind, article.reference, article.date, article.status)
    for notice in article.notices:
        yield from (notice.label, notice.text)
        if notice.link:
            yield from (notice.link.label, notice.link.value)
    yield from (article.title, article.subtitle)
    yield from _block_parts([article.image] if article.image else [], words)
    if article.dateline:
        yield f"{article.dateline} –"
    yield from _block_parts(article.body, words)
    yield article.ends
    if article.boilerplate:
        yield from (article.about_heading, *article.boilerplate)
    yield from _block_parts(article.notes, words)
    yield from _party_parts(article.footer.contacts_heading, article.footer.contacts)
    yield from _party_parts(article.footer.footage_heading, article.footer.footage)
    yield article.reuse


def _party_parts(heading: str, parties: tuple[Party, ...]) -> Iterator[str]:
    if parties:
        yield heading
    for party in parties:
        yield from (party.name, party.text)
        for line in party.lines:
            yield from (line.label, line.value)


def _block_parts(blocks: Iterable[Block], words: Words) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Quote):
            yield from _block_parts(block.children, words)
        elif isinstance(block, List):
            for item in block.items:
                yield from _block_parts(item.children, words)
        elif isinstance(block, CodeBlock):
            yield block.text
        else:
            for run in inlines_of(block):
                yield plain(Text(" ") if isinstance(inline, LineBreak) else inline for inline in run)
        if isinstance(block, Figure) and block.credit:
            yield words["photo"].format(credit=block.credit)
