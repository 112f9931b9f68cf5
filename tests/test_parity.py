"""All renditions of a release say the same, and the feed too: nothing is lost on the way to any of them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

import feedparser
import pytest
from msgspec import structs

from pipeline.formats import FORMATS
from pipeline.site.feeds import rss
from pipeline.writers import Job
from tests import cases
from tests.newsroom import ROOT
from tests.renditions import text_of_html, words_of
from tests.wording import article_words, folded

SOURCES = sorted([*(ROOT / "content").glob("*.md"), *cases.FOLDER.glob("*/*.md")])


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> tuple[Job, dict[str, bytes]]:
    """A release, and every rendition of it."""
    return cases.written(request.param)


def edged(words: Iterable[str]) -> list[str]:
    """Return words without punctuation at their edges: a label's colon, a caption's brackets are the format's own."""
    plain = (re.sub(r"^[^\w+☐☑]+|[^\w☐☑]+$", "", unicodedata.normalize("NFKC", word)) for word in words)
    return [word for word in plain if word]


def letters(words: Iterable[str]) -> str:
    """Return the letters and figures of ``words`` in one string, without vowel points and accents."""
    plain = unicodedata.normalize("NFKD", "".join(words))
    return "".join(sign for sign in plain if sign.isalnum())


def words_of_article(job: Job) -> list[str]:
    return edged(article_words(job.article, job.words))


@pytest.mark.parametrize("name", [row.name for row in FORMATS])
def test_no_word_of_the_article_is_lost(case: tuple[Job, dict[str, bytes]], name: str) -> None:
    job, made = case
    found = edged(words_of(name, made[name]))
    if name == "pdf" and job.article.direction == "rtl":
        # Text taken out of a PDF has the letters of an Arabic ligature in any order, so letters are counted.
        assert not Counter(letters(words_of_article(job))) - Counter(letters(found))
        return
    # A long word may be parted at the end of a line on paper; then its letters stand there without the blank.
    everything = letters(words_of(name, made[name]))
    missing = Counter(words_of_article(job)) - Counter(found)
    assert [w for w in missing if name != "pdf" or len(w) < 12 or letters([w]) not in everything] == []


@pytest.mark.parametrize("name", ["text", "docx", "json"])
def test_the_words_stand_in_the_same_order(case: tuple[Job, dict[str, bytes]], name: str) -> None:
    """The page and the PDF set the contacts aside and repeat heads and feet, so their order is their own."""
    job, made = case
    if name == "text":
        wanted = words_of_article(job)
    else:
        wanted = edged(
            article_words(
                structs.replace(
                    job.article, organisation="", kind="", reference="", date="", status="", title="", notices=()
                ),
                job.words,
            )
        )
    rest = iter(edged(words_of(name, made[name])))
    assert [word for word in wanted if not any(word == other for other in rest)] == []


def test_the_feed_has_the_whole_article(case: tuple[Job, dict[str, bytes]]) -> None:
    job, made = case
    feed = feedparser.parse(
        rss([cases.row(job, made)], lambda row: made["json"], job.newsroom, job.words, job.base_url)
    )
    entry = feed.entries[0]
    found = edged(folded(f"{entry.title} {text_of_html(entry.content[0].value)}"))
    assert not Counter(words_of_article(job)) - Counter(found)


def test_telephone_numbers_and_links_are_the_same_everywhere(case: tuple[Job, dict[str, bytes]]) -> None:
    job, made = case
    footer = job.article.footer
    for line in (line for party in (*footer.contacts, *footer.footage) for line in party.lines if line.href):
        for name, data in made.items():
            if name == "pdf" and job.article.direction == "rtl":
                continue  # what is taken out of the PDF has the groups of a number from right to left
            assert line.value in " ".join(words_as_written(name, data)), (name, line)
        for name in ("html", "json"):
            assert f'href="{line.href}"' in made[name].decode().replace('\\"', '"'), (name, line)
        assert line.href.encode() in cases.inflated(made["pdf"])
        assert line.href.encode() in cases.unzipped(made["docx"])


def words_as_written(name: str, data: bytes) -> list[str]:
    from tests.renditions import READERS

    return unicodedata.normalize("NFKC", READERS[name](data)).split()
