"""What is public, as last fetched: kept row by row in the build state, so that a run reads the rows that it asks for.

A manifest of ten thousand releases has ten megabytes. Its year pages have digests, so only the years that differ are
written, and of these the rows that differ.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property

import msgspec
from msgspec import Struct

from pipeline.build.state import BuildState, microseconds
from pipeline.model.manifest import EMPTY, Manifest, Row, YearPage, by_year, newest_first
from pipeline.model.release_index import IndexEntry

FACT = "published"


class Head(Struct, frozen=True):
    """The manifest as last fetched, without its rows, and from where: another storage has another one."""

    address: str
    manifest: Manifest


class StoredRows(Mapping[str, Row]):
    """The rows in the build state by slug; each is read when it is asked for."""

    def __init__(self, state: BuildState) -> None:
        self._database = state.database

    def __getitem__(self, slug: str) -> Row:
        found = self._database.row("SELECT row FROM rows WHERE slug = ?", slug)
        if found is None:
            raise KeyError(slug)
        return msgspec.json.decode(found[0], type=Row)

    def __contains__(self, slug: object) -> bool:
        return self._database.row("SELECT 1 FROM published WHERE slug = ?", slug) is not None

    def __iter__(self) -> Iterator[str]:
        return iter([slug for (slug,) in self._database.rows("SELECT slug FROM published ORDER BY slug")])

    def __len__(self) -> int:
        return _number(self._database.row("SELECT count(*) FROM published"))


class StoredManifest:
    """The manifest in the build state. It serves as a ``Manifest`` to those who ask for few of its rows."""

    def __init__(self, state: BuildState, head: Manifest) -> None:
        self.state = state
        self.head = head
        self.serial = head.serial
        self.is_indexed = False
        """Whether ``stored_index`` is in line with it, and with all sources and readings."""

    def by_slug(self) -> Mapping[str, Row]:
        """Return the rows by slug."""
        return StoredRows(self.state)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """All rows, newest first."""
        found = self.state.database.rows("SELECT row FROM rows")
        decoder = msgspec.json.Decoder(Row)
        return newest_first(decoder.decode(row) for (row,) in found)

    def whole(self) -> Manifest:
        """Return it with all its rows in memory."""
        return msgspec.structs.replace(self.head, rows=self.rows)

    def chosen(self, slugs: Collection[str]) -> Iterator[Row]:
        """Yield the rows of ``slugs``."""
        decoder = msgspec.json.Decoder(Row)
        for (row,) in self.state.database.of("SELECT row FROM rows", slugs):
            yield decoder.decode(row)

    @property
    def withdrawn(self) -> int:
        """How many releases are withdrawn."""
        return _number(self.state.database.row("SELECT count(*) FROM published WHERE withdrawn"))

    def pending_deletes(self, now: datetime) -> bool:
        """Whether files may still be public of a withdrawn release, or of footage that has expired by ``now``."""
        pending = "SELECT 1 FROM published WHERE deletes UNION ALL SELECT 1 FROM published WHERE until <= ? LIMIT 1"
        return self.state.database.row(pending, microseconds(now)) is not None

    def without_source(self) -> list[str]:
        """Return the slugs of releases that had no source in ``content/`` when the sources were last looked through."""
        gone = "SELECT slug FROM published EXCEPT SELECT slug FROM sources ORDER BY slug"
        return [slug for (slug,) in self.state.database.rows(gone)]


def recall(state: BuildState, address: str) -> Manifest | StoredManifest:
    """Return the manifest as last fetched from ``address``; an empty one when it was another storage's."""
    head = state.recall(FACT, Head, Head("", EMPTY))
    return StoredManifest(state, head.manifest) if head.address == address else EMPTY


def store(state: BuildState, address: str, head: Manifest, years: Mapping[str, Iterable[Row]]) -> StoredManifest:
    """Take ``head`` for what is public, with the rows of those of its ``years`` that differ from what is stored."""
    bare = msgspec.structs.replace(head, rows=())
    known = state.recall(FACT, Head, Head("", EMPTY))
    if known != Head(address, bare) or years:
        stored = {year for (year,) in state.database.rows("SELECT DISTINCT year FROM published")}
        if known.address == address:
            gone = stored - bare.years.keys() if bare.years else stored - years.keys()
        else:  # nothing that is known of another storage counts
            gone = stored
        state.database.write_all(*_changes(state, gone, years), ("INSERT OR REPLACE INTO facts VALUES (?, ?)",
                                 [(FACT, msgspec.json.encode(Head(address, bare)))]))  # fmt: skip
    return StoredManifest(state, bare)


def store_whole(state: BuildState, address: str, manifest: Manifest) -> StoredManifest:
    """Take ``manifest`` for what is public."""
    known = known_years(state, address)
    years = {
        year: rows
        for year, rows in by_year(manifest.rows).items()
        if year not in manifest.years or manifest.years[year] != known.get(year)
    }
    return store(state, address, manifest, years)


def known_years(state: BuildState, address: str) -> Mapping[str, YearPage]:
    """Return the year pages of which the rows are stored."""
    head = state.recall(FACT, Head, Head("", EMPTY))
    return head.manifest.years if head.address == address else {}


Work = tuple[str, Iterable[tuple[object, ...]]]


def _changes(state: BuildState, gone: Iterable[str], years: Mapping[str, Iterable[Row]]) -> Iterator[Work]:
    """Yield what has to be written so that ``gone`` have no rows and ``years`` have theirs."""
    encode, database = msgspec.json.encode, state.database  # unlike MessagePack, JSON keeps the offset of a date
    chosen = "SELECT slug, row FROM published JOIN rows USING (slug) WHERE year IN"
    known = dict(database.among(chosen, {*gone, *years}))
    new = {row.slug: (row, encode(row)) for rows in years.values() for row in rows}
    lost = [(slug,) for slug in known.keys() - new.keys()]
    changed = [(row, data) for slug, (row, data) in new.items() if known.get(slug) != data]
    yield "DELETE FROM published WHERE slug = ?", lost
    yield "DELETE FROM rows WHERE slug = ?", lost
    yield "INSERT OR REPLACE INTO rows VALUES (?, ?)", [(row.slug, data) for row, data in changed]
    yield "INSERT OR REPLACE INTO published VALUES (?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)", [
        (
            row.slug, f"{row.date.year:04d}", row.source, row.fingerprint, row.withdrawn,
            row.withdrawn and bool(row.pending_deletes), bool(row.replacing), row.footage_outdated,
            min(map(microseconds, row.expiring.values()), default=None), msgspec.msgpack.encode(IndexEntry.of_row(row)),
        )
        for row, _ in changed
    ]  # fmt: skip


def _number(found: tuple[int, ...] | None) -> int:
    return found[0] if found else 0
