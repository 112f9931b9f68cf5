"""The manifest: which releases are public, in which revision, with which digest.

Each row states the digest of its release's record, and the record states the digests of its files. So one small file
proves every byte. ``pipeline.publish.manifest`` reads and writes the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Protocol

import msgspec
from msgspec import Struct, field

from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.release import PictureSize
from pipeline.model.revision import RevisionRecord
from pipeline.model.statement import SignedStatement, SigningKey, earlier_key, statement_key

KEY = "manifest.json"


class Row(Struct, frozen=True, omit_defaults=True):
    """One public release: what listings show, and the digests of its record."""

    slug: str
    title: str
    summary: str
    date: datetime
    language: str
    record: str
    """SHA-256 of ``releases/SLUG.json``."""
    fingerprint: str
    """Digest of everything that the renditions depend on."""
    source: str
    """Digest of the source and its pictures."""
    modified: datetime
    sizes: dict[str, int]
    """Size of each rendition in bytes, by name of the format."""
    pages: int = 0
    """Pages of the PDF."""
    thumbnail: PictureSize | None = None
    """Small copy of the first picture, for lists."""
    topics: tuple[str, ...] = ()
    revision: int = 1
    translation_of: str = ""
    withdrawn: bool = False
    replaced_by: str = ""
    """Slug of the replacement."""
    words: str = ""
    """SHA-256 of the text, see ``digest_of_words``; empty in rows that an old version of Dateline wrote."""
    was: tuple[str, ...] = ()
    """Old addresses below the newsroom, which lead to the release."""
    past: tuple[RevisionRecord, ...] = ()
    """Earlier revisions, oldest first."""
    pending_deletes: tuple[str, ...] = field(default=(), name="doomed")
    """Keys of files that a withdrawal deletes and that may still be in the storage."""
    statement: SignedStatement | None = None
    """The newest statement; None for a release that nobody signed."""
    earlier_statements: tuple[SignedStatement, ...] = ()
    """Those before, newest first: of earlier revisions, of other layouts, of embargoed copies."""
    replacing: dict[str, str] = {}
    """Key → new SHA-256 of files that are being overwritten. Until the next serial, either digest is valid."""
    footage_outdated: bool = False
    """Page and record say that footage is coming, because the words went ahead of it; or name what has expired."""
    expiring: dict[str, datetime] = {}
    """Key of a footage file that may be in storage → the instant after which it is taken down."""
    expired: tuple[str, ...] = ()
    """Keys of footage files that have expired: nobody may expect them any more."""

    @property
    def corrections(self) -> int:
        """Number of public corrections."""
        # Old versions of Dateline, which wrote no ``words``, did not count a withdrawal as a revision.
        gone = sum(state.withdrawn and not state.minor for state in self.past)
        return self.revision - 1 - gone - (self.withdrawn and bool(self.words))

    @property
    def files(self) -> tuple[Rendition, ...]:
        """The renditions in the order of ``FORMATS``, without digests: those are in the record."""
        return tuple(
            Rendition(row.name, row.key(self.slug), self.sizes[row.name], "", self.pages if row.name == "pdf" else 0)
            for row in FORMATS
            if row.name in self.sizes
        )

    def statements(self) -> dict[str, SignedStatement]:
        """Return key → statement of all statements of the release, the newest first."""
        newest = {statement_key(self.slug): self.statement} if self.statement else {}
        keys = {earlier_key(self.slug, each.signed.year, each.sha256): each for each in self.earlier_statements}
        return newest | keys

    def statement_files(self) -> dict[str, str]:
        """Return key → SHA-256 of all statements of the release, and of their signatures."""
        stated = self.statements()
        signatures = (each.signature_files(key).items() for key, each in stated.items())
        digests = {key: digest(data) for found in signatures for key, data in found}
        return {key: each.sha256 for key, each in stated.items()} | digests


class YearPage(Struct, frozen=True):
    """The file with all rows of one year."""

    name: str
    """Its key, for example ``manifest/1999.1.json``."""
    sha256: str


class Lease(Struct, frozen=True):
    """A publisher is uploading a release; until it is public or the lease ends, no one uploads other content of it."""

    by: str
    """Random name of the publisher's machine."""
    record: str
    """SHA-256 of the record that is being uploaded, of a signed release with its statement."""
    until: datetime


class Manifest(Struct, frozen=True, omit_defaults=True):
    """The manifest at one serial. ``rows`` are newest first."""

    serial: int = 0
    """Grows with every commit."""
    rows: tuple[Row, ...] = ()
    years: dict[str, YearPage] = {}
    assets: tuple[str, ...] = ()
    """Keys of all uploaded style sheets, fonts and logos; the digest is in the name."""
    languages: tuple[str, ...] = ()
    """Tags that no row has any more: their feeds are still public and must stay up to date."""
    topics: tuple[str, ...] = ()
    """Ids of topics that no row has any more, for the same reason."""
    emptied: tuple[str, ...] = ()
    """Keys of archive pages that list no row any more, for the same reason."""
    listings: dict[str, tuple[str, str]] = {}
    """Key → digest of what a listing shows, and of its bytes, as far as the last publisher knew: a machine that has no
    listings need not render those that show the same still."""
    listings_of: str = ""
    """Digest of the code and settings that rendered them."""
    up_to_date: str = ""
    """Digest of rows, code and settings with which the last publisher left every release up to date, if it did."""
    signers: tuple[SigningKey, ...] = ()
    """The keys that sign releases, by the ``content/signers`` of the last publisher."""
    leases: dict[str, Lease] = field(default_factory=dict, name="claims")
    """Leases by SHA-256 of the slug, because a slug must not be public before its files are."""

    def by_slug(self) -> dict[str, Row]:
        """Return the rows by slug."""
        return {row.slug: row for row in self.rows}

    def chosen(self, slugs: Collection[str]) -> Iterator[Row]:
        """Yield the rows of ``slugs``."""
        return (row for row in self.rows if row.slug in slugs)

    def whole(self) -> Manifest:
        """Return it with all its rows in memory."""
        return self

    @property
    def withdrawn(self) -> int:
        """How many releases are withdrawn."""
        return sum(row.withdrawn for row in self.rows)


class PublicReleases(Protocol):
    """What is public: a ``Manifest``, or one whose rows are read from the build state as they are asked for."""

    @property
    def serial(self) -> int:
        """Grows with every commit."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """All rows, newest first."""

    @property
    def withdrawn(self) -> int:
        """How many releases are withdrawn."""

    def by_slug(self) -> Mapping[str, Row]:
        """Return the rows by slug."""

    def chosen(self, slugs: Collection[str]) -> Iterator[Row]:
        """Yield the rows of ``slugs``."""

    def whole(self) -> Manifest:
        """Return it with all its rows in memory."""


EMPTY = Manifest()


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data`` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def newest_first(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Sort rows by date, newest first; rows of one instant by slug, so that all machines agree."""
    return tuple(sorted(sorted(rows, key=lambda row: row.slug), key=lambda row: row.date, reverse=True))


def by_year(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """Return the rows by year, in their order; the year is that of the date as printed."""
    years: dict[str, list[Row]] = {}
    for year, some in groupby(rows, lambda row: row.date.year):
        years.setdefault(f"{year:04d}", []).extend(some)
    return {year: tuple(listed) for year, listed in years.items()}


def with_rows(known: Manifest, rows: Iterable[Row]) -> Manifest:
    """Return ``known`` with ``rows`` as its rows; languages and topics that no row has any more are remembered."""
    ordered = newest_first(rows)
    languages = {*known.languages, *(row.language for row in known.rows)} - {row.language for row in ordered}
    topics = {*known.topics, *_topics(known.rows)} - {*_topics(ordered)}
    left_over = {"languages": tuple(sorted(languages)), "topics": tuple(sorted(topics))}
    return msgspec.structs.replace(known, rows=ordered, **left_over)


def _topics(rows: Iterable[Row]) -> Iterator[str]:
    return (topic for row in rows for topic in row.topics)
