"""The feeds of a newsroom: which there are, where they stand and what they are called.

One has all releases, ``feeds/lang/TAG`` those of one language, ``feeds/topic/ID`` those of one topic, each of them in
every format of ``SYNDICATION``. A language is a whole BCP 47 tag, not its first part: a release has one text for each
tag, so that no feed tells it twice, and nobody who reads ``zh-Hant`` or ``pt-BR`` has to take ``zh-Hans`` or ``pt-PT``
along; the feed's own ``language`` is true of every entry. A topic has one feed for all languages, each entry with its
own: readers' programs know how to leave out what is in another, and nobody has to ask for a topic six times.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from pipeline.model.formats import RSS, SYNDICATION
from pipeline.model.manifest import Manifest, Row
from pipeline.model.newsroom import Newsroom
from pipeline.typography.messages import Messages

_TAG = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
_TOPIC = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
"""What may become part of a key: the manifest is read from storage."""


class FeedLink(Struct, frozen=True):
    """One format of a feed, as pages link to it."""

    name: str
    key: str
    media_type: str


class Feed(Struct, frozen=True):
    """One feed, as it introduces itself and as pages link to it."""

    path: str
    """Where it stands, without the suffix of a format: ``lang/ar``; empty for the feed of all."""
    title: str
    description: str
    language: str
    """Tag that its own words are in."""
    direction: str
    label: str = ""
    """The language of its entries in its own name, or the name of their topic; empty for the feed of all."""

    @property
    def key(self) -> str:
        """Where its RSS document stands."""
        return RSS.key(self.path)

    @property
    def links(self) -> tuple[FeedLink, ...]:
        """Every format of it, RSS first."""
        return tuple(FeedLink(row.name, row.key(self.path), row.link_type) for row in SYNDICATION)


def whole(newsroom: Newsroom) -> Feed:
    """Return the feed of all releases."""
    messages = Messages(newsroom.language, newsroom.time_zone)
    return Feed("", newsroom.name, _description(newsroom, messages), newsroom.language, messages.direction)


def of_language(tag: str, newsroom: Newsroom) -> Feed:
    """Return the feed of the releases in one language, in words of that language."""
    language = canonical(tag)
    messages = Messages(language, newsroom.time_zone)
    label = messages.language_name(language, newsroom.languages)
    return Feed(
        f"lang/{language}",
        f"{newsroom.name} – {label}",
        _description(newsroom, messages),
        language,
        messages.direction,
        label,
    )


def of_topic(topic: str, newsroom: Newsroom) -> Feed:
    """Return the feed of the releases on one topic, in words of the newsroom's own language."""
    messages = Messages(newsroom.language, newsroom.time_zone)
    label = newsroom.topic_label(topic, newsroom.language)
    return Feed(
        f"topic/{topic}",
        f"{newsroom.name} – {label}",
        f"{_description(newsroom, messages)} – {label}",
        newsroom.language,
        messages.direction,
        label,
    )


def _description(newsroom: Newsroom, messages: Messages) -> str:
    return f"{messages['releases']}: {newsroom.name}"


def feeds(manifest: Manifest, newsroom: Newsroom) -> Iterable[tuple[Feed, tuple[Row, ...]]]:
    """Yield every feed with the rows it chooses from, newest first; a language or topic that was left has none."""
    yield whole(newsroom), manifest.rows
    for language in _languages(manifest):
        yield of_language(language, newsroom), tuple(r for r in manifest.rows if canonical(r.language) == language)
    for topic in _topics(manifest):
        yield of_topic(topic, newsroom), tuple(row for row in manifest.rows if topic in row.topics)


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return where the feeds of ``manifest`` stand."""
    return tuple(row.key(path) for path in _paths(manifest) for row in SYNDICATION)


def _paths(manifest: Manifest) -> Iterator[str]:
    yield ""
    yield from (f"lang/{language}" for language in _languages(manifest))
    yield from (f"topic/{topic}" for topic in _topics(manifest))


def by_language(rows: Iterable[Row], newsroom: Newsroom) -> tuple[Feed, ...]:
    """Return the feeds that ``rows`` have, in the order in which the newsroom names its languages."""
    tags = _tags(row.language for row in rows)
    named = [tag for tag in map(canonical, newsroom.languages) if tag in tags]
    found = dict.fromkeys((*named, *sorted(tags)))
    return tuple(of_language(tag, newsroom) for tag in found)


def by_topic(rows: Iterable[Row], newsroom: Newsroom) -> tuple[Feed, ...]:
    """Return the feeds of the topics that ``rows`` have, in the order in which the newsroom names them."""
    topics = _ids(topic for row in rows for topic in row.topics)
    found = dict.fromkeys((*(known.id for known in newsroom.topics if known.id in topics), *sorted(topics)))
    return tuple(of_topic(topic, newsroom) for topic in found)


def _languages(manifest: Manifest) -> list[str]:
    return sorted(_tags((*manifest.languages, *(row.language for row in manifest.rows))))


def _topics(manifest: Manifest) -> list[str]:
    return sorted(_ids((*manifest.topics, *(topic for row in manifest.rows for topic in row.topics))))


def _tags(languages: Iterable[str]) -> set[str]:
    return {canonical(language) for language in set(languages) if _TAG.fullmatch(language)}


def _ids(topics: Iterable[str]) -> set[str]:
    return {topic for topic in set(topics) if _TOPIC.fullmatch(topic)}


def canonical(tag: str) -> str:
    """Return a tag in the spelling of RFC 5646, 2.1.1: ``zh-Hant-TW``. However it is typed, it is one address."""
    first, *rest = tag.split("-")
    spelling = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(spelling.get(len(part), str.lower)(part) for part in rest)])
