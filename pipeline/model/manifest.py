"""The public record of a newsroom: what is public, in which revision, with which digest.

``manifest.json`` names the newest rows and, for each year, an immutable page with every row of that year; a row names
the record of its release by digest, and a record its files by digest: a chain from one small file to every byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct, field

from pipeline.model.errors import StorageError
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.revision import RevisionRecord

KEY = "manifest.json"
NEWEST = 100
"""Rows that manifest.json itself holds."""


class Row(Struct, frozen=True, omit_defaults=True):
    """What listings show of one public release, and what proves it."""

    slug: str
    title: str
    summary: str
    date: datetime
    language: str
    record: str
    """SHA-256 of ``releases/SLUG.json``."""
    fingerprint: str
    """Of all that the release's renditions were made from."""
    source: str
    """Digest of the source and of the pictures beside it."""
    modified: datetime
    sizes: dict[str, int]
    """Bytes of each rendition, by name of its format."""
    pages: int = 0
    """Of the PDF."""
    topics: tuple[str, ...] = ()
    revision: int = 1
    translation_of: str = ""
    withdrawn: bool = False
    replaced_by: str = ""
    """Slug of what is to be read instead."""
    words: str = ""
    """SHA-256 of the release's words; empty in a row of a version that did not note it."""
    past: tuple[RevisionRecord, ...] = ()
    """What the release was before, oldest first."""
    pending_deletes: tuple[str, ...] = field(default=(), name="doomed")
    """Keys of what a withdrawal takes down and that may still be there."""
    replacing: dict[str, str] = {}
    """Key → SHA-256 that is on its way: until the next serial either digest is valid."""

    @property
    def corrections(self) -> int:
        """How many corrections are public. Versions that noted no words did not count a withdrawal as a revision."""
        gone = sum(state.withdrawn and not state.minor for state in self.past)
        return self.revision - 1 - gone - (self.withdrawn and bool(self.words))

    @property
    def files(self) -> tuple[Rendition, ...]:
        """The renditions in the order of the table of formats; their digests are in the record, not here."""
        return tuple(
            Rendition(row.name, row.key(self.slug), self.sizes[row.name], "", self.pages if row.name == "pdf" else 0)
            for row in FORMATS
            if row.name in self.sizes
        )


class YearPage(Struct, frozen=True):
    """Where all rows of a year are found."""

    name: str
    """Key of the page, e.g. ``manifest/1999.1.json``."""
    sha256: str


class Lease(Struct, frozen=True):
    """Somebody is uploading a release: until then, or until it is listed, nobody uploads other content of it."""

    by: str
    """A random name of the machine, kept with its output."""
    record: str
    """SHA-256 of the record that is coming."""
    until: datetime


class Manifest(Struct, frozen=True, omit_defaults=True):
    """The newsroom's public record at one serial; ``rows`` are newest first."""

    serial: int = 0
    """Grows with every commit, also when something is taken back."""
    rows: tuple[Row, ...] = ()
    years: dict[str, YearPage] = {}
    assets: tuple[str, ...] = ()
    """Keys of the style sheets, fonts and marks that are up; their names carry their digest."""
    languages: tuple[str, ...] = ()
    """Tags of which no row is left, because a release has another now: their feeds are public and are kept in line."""
    topics: tuple[str, ...] = ()
    """Ids of topics of which no row is left, likewise."""
    emptied: tuple[str, ...] = ()
    """Keys of archive pages of which no row is left: they are public and are kept in line."""
    leases: dict[str, Lease] = field(default_factory=dict, name="claims")
    """What is being uploaded at this moment, by SHA-256 of the slug: a name is public once its files are."""

    def by_slug(self) -> dict[str, Row]:
        """Return the rows by slug."""
        return {row.slug: row for row in self.rows}


EMPTY = Manifest()


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def newest_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Order rows for listings; releases of one instant by slug, so that two machines agree."""
    return tuple(sorted(sorted(rows, key=lambda row: row.slug), key=lambda row: row.date, reverse=True))


def with_rows(known: Manifest, rows: Iterable[Row]) -> Manifest:
    """Return ``known`` with ``rows`` in place of its own; it remembers languages and topics that these have no more."""
    ordered = newest_first(rows)
    languages = {*known.languages, *(row.language for row in known.rows)} - {row.language for row in ordered}
    topics = {*known.topics, *_topics(known.rows)} - {*_topics(ordered)}
    left = {"languages": tuple(sorted(languages)), "topics": tuple(sorted(topics))}
    return msgspec.structs.replace(known, rows=ordered, **left)


def _topics(rows: Iterable[Row]) -> Iterator[str]:
    return (topic for row in rows for topic in row.topics)


def load(data: bytes, page: Callable[[str], bytes]) -> Manifest:
    """Read ``manifest.json``; ``page`` gets a year page by its key when there are more rows than it holds itself.

    Raises StorageError when the record is not one of ours or a page does not have its digest.
    """
    try:
        head = msgspec.json.decode(data, type=Manifest)
        if not head.serial:  # web apps have a manifest.json too, and none of its fields is ours
            raise msgspec.DecodeError("it has no serial")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{KEY} in storage is not a manifest: {error}", "is the bucket another program's?") from None
    if len(head.rows) < NEWEST:
        return head
    rows = {row.slug: row for year in head.years.values() for row in _year(year, page)}
    return msgspec.structs.replace(head, rows=newest_first({**rows, **head.by_slug()}.values()))


def _year(year: YearPage, page: Callable[[str], bytes]) -> tuple[Row, ...]:
    data = page(year.name)
    if digest(data) != year.sha256:
        raise StorageError(f"{year.name} does not have the digest that {KEY} states", "make verify")
    return msgspec.json.decode(data, type=tuple[Row, ...])


def year_pages(manifest: Manifest) -> dict[str, bytes]:
    """Return the page of each year, by year."""
    return {year: _encode(rows) for year, rows in _by_year(manifest.rows).items()}


def dump(manifest: Manifest) -> bytes:
    """Return ``manifest.json``: the newest rows, and where the others are."""
    return _encode(msgspec.structs.replace(manifest, rows=manifest.rows[:NEWEST]))


def _by_year(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    years: dict[str, list[Row]] = {}
    for row in rows:
        years.setdefault(f"{row.date.year:04d}", []).append(row)
    return {year: tuple(found) for year, found in years.items()}


def _encode(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"
