"""The index of releases in the build state: what a release's page links to is found without looking at all releases.

``refresh`` derives one entry a release from what is published, what was read here and which sources are here, and notes
of which public releases the fingerprint has to be computed again. ``around`` returns the entries that the pages of some
releases, and of those that link to them, depend on: enough for a ``ReleaseIndex`` that answers as one of all would.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from pipeline.build.state import BuildState, microseconds
from pipeline.model.release_index import SAME_TOPIC, IndexEntry

CLOCK = "index_clock"
MANY = 400
"""From this many releases on, all entries are read at once."""
_WANTED = """
    SELECT slug, CASE WHEN r.checked THEN r.entry ELSE p.entry END AS entry,
        r.checked IS NOT 1 AND s.slug IS NULL AS gone
    FROM touched CROSS JOIN published p USING (slug) LEFT JOIN releases r USING (slug) LEFT JOIN sources s USING (slug)
    UNION ALL
    SELECT slug, entry, 0 FROM touched CROSS JOIN releases r USING (slug)
    WHERE checked AND NOT EXISTS (SELECT 1 FROM published WHERE slug = r.slug)
"""
_PUBLIC = "NOT draft AND NOT withdrawn AND date <= ?"
# A renamed source leaves its old name public; the new one takes its place in the order.
_REPLACED_HERE = f"""
    gone AND EXISTS (SELECT 1 FROM entries h WHERE h.origin = e.origin AND h.language = e.language AND NOT h.gone
        AND {_PUBLIC.replace("NOT ", "NOT h.").replace("date", "h.date")})
"""


def is_of(state: BuildState, now: datetime) -> bool:
    """Whether the entries were last refreshed for this instant, so by this run."""
    return state.recall(CLOCK, int, 0) == microseconds(now)


def refresh(state: BuildState, now: datetime) -> None:
    """Bring the entries in line with what is published, read and here, and forget fingerprints that they outdate."""
    database, clock = state.database, microseconds(now)
    with database.transaction():
        then = state.recall(CLOCK, int, 0)
        state.remember(CLOCK, clock)
        new = database.rows(f"SELECT * FROM ({_WANTED}) EXCEPT SELECT slug, entry, gone FROM entries")
        lost = database.rows(
            f"SELECT slug FROM touched CROSS JOIN entries USING (slug) EXCEPT SELECT slug FROM ({_WANTED})"
        )
        database.write("DELETE FROM touched")
        passed = database.rows(
            "SELECT slug FROM entries WHERE date > ? AND date <= ?", min(then, clock), max(then, clock)
        )
        changed = {*(slug for slug, _, _ in new), *_slugs(lost), *_slugs(passed)}
        if not changed:
            return
        stale = _with_relatives(state, changed, then) if len(changed) < MANY else set()
        decoder = msgspec.msgpack.Decoder(IndexEntry)
        entries = [(decoder.decode(data), bool(gone), data) for _, data, gone in new]
        rows = [_columns(*entry) for entry in entries]
        outdated = [*lost, *((entry.slug,) for entry, _, _ in entries)]
        database.write_all(
            ("DELETE FROM entries WHERE slug = ?", lost),
            ("DELETE FROM on_topics WHERE slug = ?", outdated),
            ("INSERT INTO on_topics VALUES (?, ?, ?)", [row for entry, _, _ in entries for row in _on_topics(entry)]),
            (f"INSERT OR REPLACE INTO entries VALUES ({', '.join('?' * 13)})", rows),
        )
        forget = "UPDATE published SET expected = NULL WHERE expected IS NOT NULL"
        if len(changed) >= MANY:
            database.write(forget)
        else:
            stale |= _with_relatives(state, changed, clock)
            database.write_all((f"{forget} AND slug = ?", [(slug,) for slug in stale]))


def _with_relatives(state: BuildState, slugs: Collection[str], clock: int) -> set[str]:
    """Return all releases whose pages may have another link when ``slugs`` change.

    A release that comes or goes lets another of its family, with an old name, go out of the order or into it.
    """
    origins = _slugs(state.database.among("SELECT origin FROM entries WHERE slug IN", slugs))
    family = _slugs(state.database.among("SELECT slug FROM entries WHERE origin IN", origins))
    return _with_related(state, {*slugs, *family}, clock)


def _columns(entry: IndexEntry, gone: bool, data: bytes) -> tuple[object, ...]:
    changed = entry.modified is not None and (entry.corrected or entry.withdrawn)
    return (
        entry.slug, entry.origin, entry.language, entry.feed, microseconds(entry.date), entry.draft,
        entry.withdrawn, changed, entry.translation_of, entry.replaced_by, bool(entry.was), gone, data,
    )  # fmt: skip


def _on_topics(entry: IndexEntry) -> list[tuple[object, ...]]:
    return [(f"{entry.feed} {topic}", microseconds(entry.date), entry.slug) for topic in sorted({*entry.topics})]


def around(state: BuildState, slugs: Collection[str], now: datetime) -> dict[str, IndexEntry]:
    """Return the entries on which the pages of ``slugs``, and of those that link to them, depend."""
    if len(slugs) >= MANY:
        return _decoded(state.database.rows("SELECT slug, gone, entry FROM entries"))
    return _neighbourhood(state, _with_related(state, slugs, microseconds(now)), microseconds(now))


class StoredEntries(Mapping[str, IndexEntry]):
    """The entries by slug; each is read when it is asked for."""

    def __init__(self, state: BuildState) -> None:
        self._database = state.database

    def __getitem__(self, slug: str) -> IndexEntry:
        found = self._database.rows("SELECT slug, gone, entry FROM entries WHERE slug = ?", slug)
        return _decoded(found)[slug]

    def __iter__(self) -> Iterator[str]:
        return iter([slug for (slug,) in self._database.rows("SELECT slug FROM entries")])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def at(self, instant: datetime) -> dict[str, IndexEntry]:
        """Return the entries of all releases with this date."""
        chosen = "SELECT slug, gone, entry FROM entries WHERE date = ?"
        return _decoded(self._database.rows(chosen, microseconds(instant)))


def with_old_addresses(state: BuildState) -> dict[str, IndexEntry]:
    """Return the entries of all releases to which old addresses lead."""
    return _decoded(state.database.rows("SELECT slug, gone, entry FROM entries WHERE moved"))


def outdated(state: BuildState) -> list[str]:
    """Return the slugs of translations whose original was corrected or withdrawn."""
    pairs = "SELECT t.slug FROM entries o JOIN entries t ON t.origin = o.slug WHERE o.changed AND t.slug != o.slug"
    return sorted(slug for (slug,) in state.database.rows(pairs))


def _with_related(state: BuildState, slugs: Collection[str], clock: int) -> set[str]:
    """Return ``slugs`` and all releases whose pages link to one of them at ``clock``."""
    if len(slugs) >= MANY:
        return {*slugs, *(slug for (slug,) in state.database.rows("SELECT slug FROM entries"))}
    database = state.database
    entries = list(database.among("SELECT slug, origin, feed, date FROM entries WHERE slug IN", slugs))
    found = set(slugs)
    found |= _slugs(database.among("SELECT slug FROM entries WHERE origin IN", {origin for _, origin, _, _ in entries}))
    found |= _slugs(database.among("SELECT slug FROM entries WHERE replaced_by IN", slugs))
    return found | _beside(state, entries, clock) | _same_topic(state, slugs, clock, later=True)


def _neighbourhood(state: BuildState, slugs: Collection[str], clock: int) -> dict[str, IndexEntry]:
    """Return the entries of ``slugs`` and of all releases that their pages link to, with all their translations."""
    database = state.database
    entries = list(database.among("SELECT slug, origin, feed, date FROM entries WHERE slug IN", slugs))
    targets = database.among("SELECT replaced_by FROM entries WHERE replaced_by != '' AND slug IN", slugs)
    replacing = _slugs(database.among("SELECT slug FROM entries WHERE replaced_by IN", slugs))
    named = _same_topic(state, slugs, clock, later=False)
    wanted = {*slugs, *_slugs(targets), *replacing, *_beside(state, entries, clock), *named}
    origins = _slugs(database.among("SELECT origin FROM entries WHERE slug IN", wanted))
    return _decoded(database.among("SELECT slug, gone, entry FROM entries WHERE origin IN", origins))


def _beside(state: BuildState, entries: Iterable[tuple[str, str, str, int]], clock: int) -> set[str]:
    """Return the releases before and after each of ``entries`` in the order of its language."""
    found: set[str] = set()
    for slug, _, feed, date in entries:
        for than, order in (("<", "DESC"), (">", "ASC")):
            chosen = (
                f"SELECT slug FROM entries e WHERE feed = ? AND (date, slug) {than} (?, ?) AND {_PUBLIC}"
                f" AND NOT ({_REPLACED_HERE}) ORDER BY date {order}, slug {order} LIMIT 1"
            )
            found |= _slugs(state.database.rows(chosen, feed, date, slug, clock, clock))
    return found


def _same_topic(state: BuildState, slugs: Collection[str], clock: int, *, later: bool) -> set[str]:
    """Return the nearest earlier releases on each topic of ``slugs``, or the nearest later ones, which name these."""
    than, order = (">", "ASC") if later else ("<", "DESC")
    chosen = (
        f"SELECT slug FROM on_topics t JOIN entries e USING (slug) WHERE shelf = ? AND (at, slug) {than} (?, ?)"
        f" AND {_PUBLIC} AND NOT ({_REPLACED_HERE}) ORDER BY at {order}, slug {order} LIMIT {SAME_TOPIC}"
    )
    found: set[str] = set()
    for shelf, at, slug in list(state.database.among("SELECT shelf, at, slug FROM on_topics WHERE slug IN", slugs)):
        found |= _slugs(state.database.rows(chosen, shelf, at, slug, clock, clock))
    return found


def _slugs(rows: Iterable[tuple[str, ...]]) -> set[str]:
    return {slug for (slug,) in rows}


def _decoded(rows: Iterable[tuple[str, int, bytes]]) -> dict[str, IndexEntry]:
    return dict(_entries(rows))


def _entries(rows: Iterable[tuple[str, int, bytes]]) -> Iterator[tuple[str, IndexEntry]]:
    decoder = msgspec.msgpack.Decoder(IndexEntry)
    for slug, gone, data in rows:
        entry = decoder.decode(data)
        yield slug, msgspec.structs.replace(entry, gone=True) if gone else entry
