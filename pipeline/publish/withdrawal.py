"""What a correction archives of the revision before, and what a withdrawal deletes.

Archived copies are made inside the storage before anything is overwritten. A withdrawal deletes last, when page,
record, manifest and listings say that the release is withdrawn; until then the manifest names the pending deletes, so
that any run can finish what another began. Nothing else ever deletes public objects.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

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


def take_down(store: ObjectStore, snapshot: Snapshot) -> Snapshot:
    """Carry out the pending deletes of withdrawals, and return the manifest without them."""
    rows = pending_deletes(snapshot.manifest)
    if not rows:
        return snapshot
    in_parallel(store.delete, [key for row in rows for key in _keys(store, row)])
    done = {row.slug: row.pending_deletes for row in rows}

    def without(current: Manifest) -> Manifest:
        after = [
            msgspec.structs.replace(row, pending_deletes=())
            if row.withdrawn and row.pending_deletes == done.get(row.slug)
            else row
            for row in current.rows
        ]
        return msgspec.structs.replace(current, rows=record.newest_first(after))

    return commit(store, snapshot, without)


def pending_deletes(manifest: Manifest) -> tuple[Row, ...]:
    """Return the rows of withdrawn releases whose files may still be public."""
    return tuple(row for row in manifest.rows if row.withdrawn and row.pending_deletes)


def _keys(store: ObjectStore, row: Row) -> list[str]:
    """Return the keys to delete: the pending ones, and all others in the release's folder; never page and record."""
    stays = {form.key(row.slug) for form in formats_of(withdrawn=True, pictured=False, shots=False)}
    keys = {*row.pending_deletes, *store.list(f"releases/{row.slug}/")} - stays
    return sorted(key for key in keys if key.startswith((f"releases/{row.slug}.", f"releases/{row.slug}/")))
