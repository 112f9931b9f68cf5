"""The archive: every release by year and by topic, on pages of which all but the newest are full and stay so.

A shelf is a year, or a topic; ``archive/2026.html`` has its newest releases, ``archive/2026/1.html`` its oldest. Pages
are counted from the oldest release, so that a new one changes the newest page of its shelves and no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline.model.manifest import Manifest, Row, newest_first

FOLDER = "archive/"
OVERVIEW = f"{FOLDER}index.html"
TOPICS = "topic/"
PAGE_ROWS = 200
"""Releases that one page lists."""
_SHELF = re.compile(r"[0-9]{4}|topic/[a-z0-9][a-z0-9_-]*")
"""What may become part of a key: the manifest is read from storage."""
_KEY = re.compile(rf"{FOLDER}({_SHELF.pattern})(?:/[0-9]+)?\.html")


class ArchivePage(Struct, frozen=True):
    """One page of the archive."""

    key: str
    section: str
    """``2026``, or ``topic/ID``."""
    rows: tuple[Row, ...] = ()
    """Newest first; none when all that stood here stands elsewhere now."""
    earlier: str = ""
    """Key of the page before, of this year or the last one that has any; empty for the first."""
    later: str = ""
    others: tuple[str, ...] = ()
    """On the newest page of a shelf, the keys of all its other pages, newest first."""


def sections(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """Return the shelves with their rows, newest first: years, newest first, then topics by name."""
    years: dict[str, list[Row]] = {}
    topics: dict[str, list[Row]] = {}
    for row in newest_first(rows):
        years.setdefault(f"{row.date.year:04d}", []).append(row)
        for topic in topics_of(row):
            topics.setdefault(TOPICS + topic, []).append(row)
    return {name: tuple(found) for name, found in (*years.items(), *sorted(topics.items()))}


def topics_of(row: Row) -> tuple[str, ...]:
    """Return the topics that a release stands under, each once."""
    return tuple(topic for topic in dict.fromkeys(row.topics) if _SHELF.fullmatch(TOPICS + topic))


def archive_pages(manifest: Manifest) -> list[ArchivePage]:
    """Return all pages but the overview, those included that were left empty."""
    known = sections(manifest.rows)
    found = [archive_page for section, rows in known.items() for archive_page in _of_shelf(section, rows)]
    found = _chained(found)
    return found + [_emptied(key, known) for key in manifest.emptied if _KEY.fullmatch(key)]


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return where the pages of the archive stand."""
    return (*_keys(manifest.rows), *filter(_KEY.fullmatch, manifest.emptied), OVERVIEW)


def key_of(section: str, number: int = 0) -> str:
    """Return the key of a shelf's page; without a number, of its newest."""
    return f"{FOLDER}{section}/{number}.html" if number else f"{FOLDER}{section}.html"


def remember(known: Manifest, after: Manifest) -> Manifest:
    """Return ``after`` with the pages that have no row any more: they are public and are kept in line."""
    left = {*known.emptied, *_keys(known.rows)}.difference(_keys(after.rows))
    return msgspec.structs.replace(after, emptied=tuple(sorted(left)))


def newest(rows: Iterable[Row]) -> datetime | None:
    """Return when the newest change of ``rows`` was made."""
    return max((row.modified for row in rows), default=None)


def _keys(rows: Iterable[Row]) -> list[str]:
    return [
        key_of(section, number)
        for section, found in sections(rows).items()
        for number in range((len(found) - 1) // PAGE_ROWS + 1)
    ]


def _of_shelf(section: str, rows: tuple[Row, ...]) -> list[ArchivePage]:
    """Divide a shelf into pages, newest first."""
    full = (len(rows) - 1) // PAGE_ROWS
    start = len(rows) - full * PAGE_ROWS
    older = tuple(key_of(section, number) for number in range(full, 0, -1))
    cuts = [rows[start + at * PAGE_ROWS : start + (at + 1) * PAGE_ROWS] for at in range(full)]
    newest = ArchivePage(key_of(section), section, rows[:start], others=older)
    return [newest, *(ArchivePage(key, section, cut) for key, cut in zip(older, cuts, strict=True))]


def _chained(found: list[ArchivePage]) -> list[ArchivePage]:
    """Join the pages of one topic, and those of all years, so that each leads to the one before and after."""
    chained = []
    for at, archive_page in enumerate(found):
        before = found[at - 1] if at else None
        after = found[at + 1] if at + 1 < len(found) else None
        later = before.key if before and _joined(before, archive_page) else ""
        earlier = after.key if after and _joined(archive_page, after) else ""
        chained.append(msgspec.structs.replace(archive_page, earlier=earlier, later=later))
    return chained


def _joined(one: ArchivePage, other: ArchivePage) -> bool:
    return one.section == other.section or not (one.section.startswith(TOPICS) or other.section.startswith(TOPICS))


def _emptied(key: str, known: Mapping[str, object]) -> ArchivePage:
    match = _KEY.fullmatch(key)
    section = match[1] if match else ""
    return ArchivePage(key, section, later=key_of(section) if section in known else "")
