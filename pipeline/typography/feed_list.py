"""The feeds of a newsroom: which there are, their keys and their titles.

There is one feed of all releases, one for each language (``feeds/lang/TAG``) and one for each topic
(``feeds/topic/ID``), each in every format of ``SYNDICATION``.

A language is a whole BCP 47 tag: readers of ``pt-BR`` do not get ``pt-PT`` too, no feed has two versions of a release,
and the feed's own ``language`` is right for every entry. A topic has one feed for all languages. Each of its entries
states its language, so that feed readers can filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from msgspec import Struct

from pipeline.model.formats import RSS, SYNDICATION
from pipeline.model.manifest import Manifest, Row, newest_first
from pipeline.model.newsroom import Newsroom
from pipeline.typography.messages import Messages, newsroom_messages

# The manifest is read from storage, so only these may become part of a key.
_TAG = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
_TOPIC = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")


class FeedLink(Struct, frozen=True):
    """One format of a feed, as pages link to it."""

    name: str
    key: str
    media_type: str


class Feed(Struct, frozen=True):
    """One feed: its own title and description, and what pages need to link to it."""

    path: str
    """Its key below ``feeds/`` without the suffix of a format: ``lang/ar``; empty for the feed of all releases."""
    title: str
    description: str
    language: str
    """BCP 47 tag of title and description."""
    direction: str
    label: str = ""
    """The language in its own name, or the topic; empty for the feed of all releases."""

    @property
    def key(self) -> str:
        """Key of the RSS format."""
        return RSS.key(self.path)

    @property
    def links(self) -> tuple[FeedLink, ...]:
        """All formats of the feed, RSS first."""
        return tuple(FeedLink(row.name, row.key(self.path), row.link_type) for row in SYNDICATION)


def main_feed(newsroom: Newsroom) -> Feed:
    """Return the feed of all releases."""
    messages = newsroom_messages(newsroom)
    return Feed("", newsroom.name, _description(newsroom, messages), newsroom.language, messages.direction)


def language_feed(tag: str, newsroom: Newsroom) -> Feed:
    """Return the feed of the releases in one language; title and description are in that language."""
    language = canonical(tag)
    messages = Messages(language, newsroom.time_zone)
    label = messages.language_name(language, newsroom.languages)
    title, description = f"{newsroom.name} – {label}", _description(newsroom, messages)
    return Feed(f"lang/{language}", title, description, language, messages.direction, label)


def topic_feed(topic: str, newsroom: Newsroom) -> Feed:
    """Return the feed of the releases on one topic; title and description are in the newsroom's language."""
    messages = newsroom_messages(newsroom)
    label = newsroom.topic_label(topic, newsroom.language)
    title, description = f"{newsroom.name} – {label}", f"{_description(newsroom, messages)} – {label}"
    return Feed(f"topic/{topic}", title, description, newsroom.language, messages.direction, label)


def _description(newsroom: Newsroom, messages: Messages) -> str:
    return f"{messages['releases']}: {newsroom.name}"


def feeds(manifest: Manifest, newsroom: Newsroom) -> Iterable[tuple[Feed, tuple[Row, ...]]]:
    """Yield every feed with all its rows, newest first. A language or topic without releases has no rows."""
    yield main_feed(newsroom), manifest.rows
    languages: dict[str, list[Row]] = {}
    topics: dict[str, list[Row]] = {}
    for row in manifest.rows:
        languages.setdefault(row.language, []).append(row)
        for topic in set(row.topics):
            topics.setdefault(topic, []).append(row)
    for language in _languages(manifest):
        spellings = [rows for tag, rows in languages.items() if canonical(tag) == language]
        rows = spellings[0] if len(spellings) == 1 else newest_first(chain(*spellings))
        yield language_feed(language, newsroom), tuple(rows)
    for topic in _topics(manifest):
        yield topic_feed(topic, newsroom), tuple(topics.get(topic, ()))


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all feeds in all formats."""
    return tuple(row.key(path) for path in _paths(manifest) for row in SYNDICATION)


def _paths(manifest: Manifest) -> Iterator[str]:
    yield ""
    yield from (f"lang/{language}" for language in _languages(manifest))
    yield from (f"topic/{topic}" for topic in _topics(manifest))


def language_feeds(rows: Iterable[Row], newsroom: Newsroom) -> tuple[Feed, ...]:
    """Return the feeds of the languages of ``rows``, in the newsroom's order of languages."""
    tags = languages_in_order(_tags(row.language for row in rows), newsroom)
    return tuple(language_feed(tag, newsroom) for tag in tags)


def topic_feeds(rows: Iterable[Row], newsroom: Newsroom) -> tuple[Feed, ...]:
    """Return the feeds of the topics of ``rows``, in the newsroom's order of topics."""
    topics = _ids(topic for row in rows for topic in row.topics)
    ordered = dict.fromkeys((*(known.id for known in newsroom.topics if known.id in topics), *sorted(topics)))
    return tuple(topic_feed(topic, newsroom) for topic in ordered)


def languages_in_order(tags: Iterable[str], newsroom: Newsroom) -> tuple[str, ...]:
    """Return canonical ``tags`` in the order of the newsroom's languages; languages that it does not name come last."""
    known = set(tags)
    named = [tag for tag in map(canonical, newsroom.languages) if tag in known]
    return tuple(dict.fromkeys((*named, *sorted(known))))


def _languages(manifest: Manifest) -> list[str]:
    return sorted(_tags((*manifest.languages, *(row.language for row in manifest.rows))))


def _topics(manifest: Manifest) -> list[str]:
    return sorted(_ids((*manifest.topics, *(topic for row in manifest.rows for topic in row.topics))))


def _tags(languages: Iterable[str]) -> set[str]:
    return {canonical(language) for language in set(languages) if _TAG.fullmatch(language)}


def _ids(topics: Iterable[str]) -> set[str]:
    return {topic for topic in set(topics) if _TOPIC.fullmatch(topic)}


def canonical(tag: str) -> str:
    """Return a tag in the spelling of RFC 5646, 2.1.1 (``zh-Hant-TW``), so that every spelling has the same key."""
    first, *rest = tag.split("-")
    spelling = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(spelling.get(len(part), str.lower)(part) for part in rest)])
