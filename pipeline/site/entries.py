"""What lists show of a release: the entries of front page and archive."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from pipeline.model.manifest import Row
from pipeline.model.newsroom import Newsroom
from pipeline.site.archive import TOPICS, key_of, topics_of
from pipeline.typography.downloads import Download, offered
from pipeline.typography.feed_list import canonical
from pipeline.typography.headline import shortened
from pipeline.typography.messages import Messages

SUMMARY_LIMIT = 280
"""Characters of a summary that a listing shows."""


class Choice(Struct, frozen=True):
    """A topic, a language or a year: what it is called and where its releases are."""

    id: str
    label: str
    href: str = ""
    language: str = ""
    """Tag of the label, where it is not in the page's language."""
    direction: str = ""
    count: str = ""


class ListEntry(Struct, frozen=True):
    """One release in a list."""

    href: str
    title: str
    summary: str
    datetime: str
    date: str
    language: str
    direction: str
    language_name: str
    """Empty when it is the page's own language."""
    topics: tuple[Choice, ...]
    withdrawn: str
    downloads: tuple[Download, ...] = ()


def entry(row: Row, newsroom: Newsroom, messages: Messages, root: str = "", *, whole: bool = False) -> ListEntry:
    """Return the entry of ``row``, with its files where it is to be ``whole``; ``root`` leads to the public root."""
    foreign = row.language.split("-")[0] != messages.language.split("-")[0]
    return ListEntry(
        href=f"{root}releases/{row.slug}.html",
        title=row.title,
        summary=shortened(row.summary, SUMMARY_LIMIT) if whole else "",
        datetime=row.date.isoformat(),
        date=messages.date(row.date),
        language=canonical(row.language),
        direction=_direction(row.language),
        language_name=messages.language_name(row.language, newsroom.languages) if foreign else "",
        topics=tuple(topic(each, newsroom, messages, root) for each in topics_of(row)),
        withdrawn=messages["withdrawn"].format(date=messages.date(row.modified)) if row.withdrawn else "",
        downloads=offered(row.files, messages, f"{root}releases/") if whole and not row.withdrawn else (),
    )


def topic(name: str, newsroom: Newsroom, messages: Messages, root: str = "", count: int = 0) -> Choice:
    """Return a topic by its id."""
    label = newsroom.topic_label(name, messages.language)
    return Choice(name, label, root + key_of(TOPICS + name), count=messages.number(count) if count else "")


def years_and_topics(
    found: Mapping[str, tuple[Row, ...]], newsroom: Newsroom, messages: Messages, root: str = ""
) -> tuple[tuple[Choice, ...], tuple[Choice, ...]]:
    """Return the shelves of the archive, years newest first, topics by label."""
    years = tuple(
        Choice(section, section, root + key_of(section), count=messages.number(len(rows)))
        for section, rows in found.items()
        if not section.startswith(TOPICS)
    )
    topics = (
        topic(section.removeprefix(TOPICS), newsroom, messages, root, len(rows))
        for section, rows in found.items()
        if section.startswith(TOPICS)
    )
    return years, tuple(sorted(topics, key=lambda each: (each.label.casefold(), each.id)))


@cache
def _direction(tag: str) -> str:
    return Messages(tag, "UTC").direction
