"""The archive: which pages it has, what each lists, and their keys. ``pages`` renders them.

A section is a year or a topic. ``archive/2026.html`` lists the newest releases of a section, ``archive/2026/1.html``
the oldest. Pages are numbered from the oldest release, and all but the newest are full, so that a new release changes
only the newest page of its sections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

import msgspec
from msgspec import Struct

from pipeline.model.manifest import Manifest, Row, newest_first

FOLDER = "archive/"
OVERVIEW = f"{FOLDER}index.html"
TOPICS = "topic/"
NEWEST = 100
"""Releases on the newsroom page; older ones are in the archive."""
PAGE_ROWS = 200
"""Releases on one page."""
# The manifest is read from storage, so only these may become part of a key.
_SECTION = re.compile(r"[0-9]{4}|topic/[a-z0-9][a-z0-9_-]*")
_KEY = re.compile(rf"{FOLDER}({_SECTION.pattern})(?:/[0-9]+)?\.html")


class ArchivePage(Struct, frozen=True):
    """One page of the archive."""

    key: str
    section: str
    """``2026``, or ``topic/ID``."""
    rows: tuple[Row, ...] = ()
    """Newest first; none if all releases of the page have moved to other pages."""
    earlier: str = ""
    """Key of the page with earlier releases of the topic, or of this and earlier years; empty for the first page."""
    later: str = ""
    others: tuple[str, ...] = ()
    """On the newest page of a section, the keys of its other pages, newest first."""


def sections(rows: tuple[Row, ...]) -> dict[str, tuple[Row, ...]]:
    """Return the rows of each section, newest first: years, newest first, then topics by name."""
    for known, found in _last:  # of one manifest they are asked for again and again
        if known == rows:  # quick, because the rows themselves are the same objects
            return found
    _last[:] = [(rows, _sections(rows)), *_last[:2]]
    return _last[0][1]


_last: list[tuple[tuple[Row, ...], dict[str, tuple[Row, ...]]]] = []


def _sections(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    years: dict[int, list[Row]] = {}
    topics: dict[str, list[Row]] = {}
    for row in newest_first(rows):
        years.setdefault(row.date.year, []).append(row)
        for topic in dict.fromkeys(row.topics):
            topics.setdefault(topic, []).append(row)
    return {
        **{f"{year:04d}": tuple(listed) for year, listed in years.items()},
        **{TOPICS + topic: tuple(listed) for topic, listed in sorted(topics.items()) if _is_topic(topic)},
    }


def topics_of(row: Row) -> tuple[str, ...]:
    """Return the topics under which the archive lists a release, each once."""
    return tuple(topic for topic in dict.fromkeys(row.topics) if _is_topic(topic))


@lru_cache(maxsize=1000)
def _is_topic(name: str) -> bool:
    return _SECTION.fullmatch(TOPICS + name) is not None


def archive_pages(manifest: Manifest) -> list[ArchivePage]:
    """Return all pages except the overview, including pages that are empty now but were public once."""
    known = sections(manifest.rows)
    pages = _chained([page for section, rows in known.items() for page in _pages_of(section, rows)])
    emptied = ((key, match[1]) for key in manifest.emptied if (match := _KEY.fullmatch(key)))
    return pages + [
        ArchivePage(key, section, later=key_of(section) if section in known else "") for key, section in emptied
    ]


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all pages of the archive."""
    return (*_keys(manifest.rows), *filter(_KEY.fullmatch, manifest.emptied), OVERVIEW)


def key_of(section: str, number: int = 0) -> str:
    """Return the key of a page of a section; without a number, of its newest page."""
    return f"{FOLDER}{section}/{number}.html" if number else f"{FOLDER}{section}.html"


def number_of(key: str) -> int:
    """Return the number of a page from its key."""
    return int(key.rpartition("/")[2].removesuffix(".html"))


def remember(known: Manifest, after: Manifest) -> Manifest:
    """Return ``after`` with the keys of pages that have no row any more: they are public and must stay up to date."""
    emptied = {*known.emptied, *_keys(known.rows)}.difference(_keys(after.rows))
    return msgspec.structs.replace(after, emptied=tuple(sorted(emptied)))


def leading(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return ``rows`` with the first one that is not withdrawn at the head: the newsroom page shows it largest."""
    lead = next((row for row in rows if not row.withdrawn), None)
    return (lead, *(row for row in rows if row is not lead)) if lead else rows


def newest(rows: Iterable[Row]) -> datetime | None:
    """Return the date of the newest change in ``rows``, None without rows."""
    return max((row.modified for row in rows), default=None)


def _keys(rows: tuple[Row, ...]) -> list[str]:
    return [
        key_of(section, number)
        for section, listed in sections(rows).items()
        for number in range((len(listed) - 1) // PAGE_ROWS + 1)
    ]


def _pages_of(section: str, rows: tuple[Row, ...]) -> list[ArchivePage]:
    """Divide a section into pages, newest first."""
    full = (len(rows) - 1) // PAGE_ROWS
    start = len(rows) - full * PAGE_ROWS
    older = tuple(key_of(section, number) for number in range(full, 0, -1))
    cuts = [rows[start + at * PAGE_ROWS : start + (at + 1) * PAGE_ROWS] for at in range(full)]
    newest = ArchivePage(key_of(section), section, rows[:start], others=older)
    return [newest, *(ArchivePage(key, section, cut) for key, cut in zip(older, cuts, strict=True))]


def _chained(pages: list[ArchivePage]) -> list[ArchivePage]:
    """Link each page to the one before and after it, within a topic and through all years."""
    earlier = {later.key: page.key for later, page in pairwise(pages) if _in_one_chain(later, page)}
    later = {key: page for page, key in earlier.items()}
    return [
        msgspec.structs.replace(page, earlier=earlier.get(page.key, ""), later=later.get(page.key, ""))
        for page in pages
    ]


def _in_one_chain(one: ArchivePage, other: ArchivePage) -> bool:
    return one.section == other.section or not (one.section.startswith(TOPICS) or other.section.startswith(TOPICS))
