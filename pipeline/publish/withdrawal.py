"""What a correction archives of the revision before, and what is deleted of a withdrawn release and of expired footage.

Archived copies are made inside the storage before anything is overwritten. A withdrawal deletes last, when page,
record, manifest and listings say that the release is withdrawn; until then the manifest names the pending deletes, so
that any run can finish what another began. Footage that has expired is deleted in the same way, but it does not wait
for page and record where these are held back. Nothing else ever deletes public objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from pipeline.model import manifest as record
from pipeline.model.errors import StorageError
from pipeline.model.formats import formats_of
from pipeline.model.manifest import Manifest, Row
from pipeline.publish.candidates import ArchivedCopy
from pipeline.publish.commits import Snapshot, commit
from pipeline.publish.parallel import in_parallel
from pipeline.storage import ObjectStore


def archive(store: ObjectStore, copies: Iterable[ArchivedCopy]) -> None:
    """Copy files that are about to be overwritten to their archived addresses. Raises StorageError."""

    def archive_one(copy: ArchivedCopy) -> None:
        existing = store.head(copy.key)
        if (existing and existing.sha256 == copy.sha256) or store.copy(copy.source, copy.key, copy.sha256):
            return
        raise StorageError(
            f"{copy.source}: cannot be archived as {copy.key}: its bytes are not those that were published",
            "make verify names the files that were overwritten; put the published file back, then publish again",
        )

    in_parallel(archive_one, copies)


def take_down(store: ObjectStore, snapshot: Snapshot, now: datetime) -> Snapshot:
    """Delete what is pending of withdrawals and what has expired by ``now``; return the manifest without it."""
    rows, expired = pending_deletes(snapshot.manifest), expired_footage(snapshot.manifest, now)
    if not rows and not expired:
        return snapshot
    if expired:
        snapshot = commit(store, snapshot, partial(_without_expired, now=now))
        expired = expired_footage(snapshot.manifest, now)  # somebody may have moved the end of some in the meantime
    in_parallel(store.delete, [*(key for row in rows for key in _keys(store, row)), *sum(expired.values(), ())])
    done = {row.slug: row.pending_deletes for row in rows}

    def without(current: Manifest) -> Manifest:
        after = []
        for row in current.rows:
            if row.withdrawn and row.pending_deletes == done.get(row.slug):
                row = replace(row, pending_deletes=())
            if deleted := {*expired.get(row.slug, ())} & {*row.expired}:
                row = replace(
                    row, expiring={key: at for key, at in row.expiring.items() if key not in deleted or at > now}
                )
            after.append(row)
        return replace(current, rows=record.newest_first(after))

    return commit(store, snapshot, without)


def expired_footage(manifest: Manifest, now: datetime) -> dict[str, tuple[str, ...]]:
    """Return by slug the keys of the footage files that have expired by ``now`` and may still be public."""
    found = {
        row.slug: tuple(key for key, at in row.expiring.items() if at <= now) for row in manifest.rows if row.expiring
    }
    return {slug: keys for slug, keys in found.items() if keys}


def _without_expired(current: Manifest, now: datetime) -> Manifest:
    """Say of rows whose record still names files that have expired that nobody may expect these."""
    expired = expired_footage(current, now)
    rows = [
        replace(row, expired=tuple(sorted({*row.expired, *keys})), footage_outdated=True)
        if (keys := expired.get(row.slug)) and not {*keys} <= {*row.expired}
        else row
        for row in current.rows
    ]
    return replace(current, rows=record.newest_first(rows))


def pending_deletes(manifest: Manifest) -> tuple[Row, ...]:
    """Return the rows of withdrawn releases whose files may still be public."""
    return tuple(row for row in manifest.rows if row.withdrawn and row.pending_deletes)


def _keys(store: ObjectStore, row: Row) -> list[str]:
    """Return the keys to delete: the pending ones, and all others in the release's folder; never page and record."""
    stays = {form.key(row.slug) for form in formats_of(withdrawn=True, pictured=False, shots=False)}
    keys = {*row.pending_deletes, *store.list(f"releases/{row.slug}/")} - stays
    return sorted(key for key in keys if key.startswith((f"releases/{row.slug}.", f"releases/{row.slug}/")))
