"""The feeds of a newsroom: which there are, where they stand and what they are called.

``feed.xml`` has all releases, ``feeds/lang/TAG.xml`` those of one language. A language is a whole BCP 47 tag, not its
first part: a release has one text for each tag, so that no feed tells it twice, and nobody who reads ``zh-Hant`` or
``pt-BR`` has to take ``zh-Hans`` or ``pt-PT`` along; the feed's own ``language`` is true of every entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from pipeline.formats import FEED, FEEDS
from pipeline.manifest import Manifest, Row
from pipeline.newsroom import Newsroom
from pipeline.words import Words

_TAG = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
"""What may become part of a key: the manifest is read from storage."""


class Channel(Struct, frozen=True):
    """One feed, as it introduces itself and as pages link to it."""

    key: str
    title: str
    description: str
    language: str
    """Tag that its own words are in."""
    direction: str
    label: str = ""
    """The language of its entries in its own name; empty for the feed of all."""


def whole(newsroom: Newsroom) -> Channel:
    """Return the feed of all releases."""
    words = Words(newsroom.language, newsroom.time_zone)
    return Channel(FEED, newsroom.name, _description(newsroom, words), newsroom.language, words.direction)


def of_language(tag: str, newsroom: Newsroom) -> Channel:
    """Return the feed of the releases in one language, in words of that language."""
    language = canonical(tag)
    words = Words(language, newsroom.time_zone)
    label = words.language_name(language, newsroom.languages)
    title = f"{newsroom.name} – {label}"
    return Channel(_key(language), title, _description(newsroom, words), language, words.direction, label)


def _description(newsroom: Newsroom, words: Words) -> str:
    return f"{words['releases']}: {newsroom.name}"


def _key(language: str) -> str:
    return f"{FEEDS}lang/{language}.xml"


def feeds(manifest: Manifest, newsroom: Newsroom) -> Iterable[tuple[Channel, tuple[Row, ...]]]:
    """Yield every feed with the rows it chooses from, newest first; a language that was left has none."""
    yield whole(newsroom), manifest.rows
    for language in _languages(manifest):
        rows = tuple(row for row in manifest.rows if canonical(row.language) == language)
        yield of_language(language, newsroom), rows


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return where the feeds of ``manifest`` stand."""
    return (FEED, *map(_key, _languages(manifest)))


def by_language(rows: Iterable[Row], newsroom: Newsroom) -> tuple[Channel, ...]:
    """Return the feeds that ``rows`` have, in the order in which the newsroom names its languages."""
    tags = _tags(row.language for row in rows)
    named = [tag for tag in map(canonical, newsroom.languages) if tag in tags]
    found = dict.fromkeys((*named, *sorted(tags)))
    return tuple(of_language(tag, newsroom) for tag in found)


def _languages(manifest: Manifest) -> list[str]:
    return sorted(_tags((*manifest.languages, *(row.language for row in manifest.rows))))


def _tags(languages: Iterable[str]) -> set[str]:
    return {canonical(language) for language in set(languages) if _TAG.fullmatch(language)}


def canonical(tag: str) -> str:
    """Return a tag in the spelling of RFC 5646, 2.1.1: ``zh-Hant-TW``. However it is typed, it is one address."""
    first, *rest = tag.split("-")
    spelling = {2: str.upper, 4: str.title}
    return "-".join([first.lower(), *(spelling.get(len(part), str.lower)(part) for part in rest)])
