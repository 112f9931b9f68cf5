"""What stays of a release when a correction takes its place, and what goes when it is withdrawn.

Kept files are copied within the storage before anything is overwritten. What a withdrawal takes down goes last, when
page, record, manifest and listings say so; until then the manifest remembers what is still to go, so that any run may
finish what another began. Nothing else ever removes public bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec

from pipeline.model import manifest as record
from pipeline.model.errors import StorageError
from pipeline.model.formats import formats_of
from pipeline.model.manifest import Manifest, Row
from pipeline.publish.candidates import ArchivedCopy
from pipeline.publish.commits import Snapshot, commit
from pipeline.storage import ObjectStore

THREADS = 8


def keep(store: ObjectStore, files: Iterable[ArchivedCopy]) -> None:
    """Copy what is about to be overwritten to where it is kept. Raises StorageError."""
    with ThreadPoolExecutor(THREADS, "keep") as pool:
        list(pool.map(lambda file: _keep_one(store, file), files))


def _keep_one(store: ObjectStore, file: ArchivedCopy) -> None:
    there = store.head(file.key)
    if (there and there.sha256 == file.sha256) or store.copy(file.source, file.key, file.sha256):
        return
    raise StorageError(
        f"{file.source}: cannot be kept as {file.key}: its bytes are not those that the manifest proves",
        "make verify names what was written over; put the file back that was published, then publish again",
    )


def take_down(store: ObjectStore, seen: Snapshot) -> Snapshot:
    """Remove what withdrawals left to be removed, and return the manifest that says that it is done."""
    rows = pending_deletes(seen.manifest)
    if not rows:
        return seen
    with ThreadPoolExecutor(THREADS, "remove") as pool:
        list(pool.map(store.delete, [key for row in rows for key in _keys(store, row)]))
    return commit(store, seen, lambda now: _forgotten(now, rows))


def pending_deletes(manifest: Manifest) -> tuple[Row, ...]:
    """Return the rows of withdrawn releases of which files may be left."""
    return tuple(row for row in manifest.rows if row.withdrawn and row.pending_deletes)


def _keys(store: ObjectStore, row: Row) -> list[str]:
    """Return what is to go: what is noted, and whatever else lies in the release's folder; never page and record."""
    left = {form.key(row.slug) for form in formats_of(withdrawn=True)}
    found = {*row.pending_deletes, *store.list(f"releases/{row.slug}/")} - left
    return sorted(key for key in found if key.startswith((f"releases/{row.slug}.", f"releases/{row.slug}/")))


def _forgotten(current: Manifest, rows: Iterable[Row]) -> Manifest:
    done = {row.slug: row.pending_deletes for row in rows}
    after = (
        msgspec.structs.replace(row, pending_deletes=())
        if row.withdrawn and row.pending_deletes == done.get(row.slug)
        else row
        for row in current.rows
    )
    return msgspec.structs.replace(current, rows=record.newest_first(after))
