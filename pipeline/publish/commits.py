"""Commits of the manifest, and writes of the other objects that publishers share, by compare-and-swap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from pipeline.model import manifest as record
from pipeline.model.errors import StorageError
from pipeline.model.manifest import EMPTY, Manifest, YearPage, by_year
from pipeline.publish.manifest import dump, keep, load, year_pages
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import file_of
from pipeline.storage import Bucket, ObjectStore, PreconditionFailed
from pipeline.storage.compare_and_swap import retry_on_conflict

NO_STORE = "private, no-store"
"""Cache-Control of objects in the private bucket: no cache may keep them."""


class Snapshot(Struct, frozen=True):
    """The manifest as it was in storage at one moment."""

    manifest: Manifest
    etag: str
    """Empty when there was none."""


def read_manifest(store: ObjectStore) -> Snapshot:
    """Read the manifest with its year pages. Raises StorageError."""
    stored = store.get(record.KEY)
    if stored is None:
        return Snapshot(EMPTY, "")
    return Snapshot(load(stored.body, lambda key: must_get(store, key)), stored.etag)


def must_get(store: ObjectStore, key: str) -> bytes:
    """Return an object that the manifest names. Raises StorageError when it is not there."""
    stored = store.get(key)
    if stored is None:
        raise StorageError(f"{key} is named in the manifest but is not in storage", "make verify")
    return stored.body


def commit(store: ObjectStore, snapshot: Snapshot, change: Callable[[Manifest], Manifest]) -> Snapshot:
    """Write the changed manifest unless it is the same; when another publisher was first, change theirs instead."""

    def write(current: Snapshot) -> Snapshot:
        changed = change(current.manifest)
        if changed == current.manifest and current.etag:
            return current
        renewed = msgspec.structs.replace(changed, serial=current.manifest.serial + 1)
        changed = _with_pages(store, renewed, current.manifest)
        return Snapshot(changed, put_shared(store, record.KEY, dump(changed), current.etag))

    return retry_on_conflict(write, lambda: read_manifest(store), record.KEY, snapshot)


def _with_pages(store: ObjectStore, changed: Manifest, known: Manifest) -> Manifest:
    """Write the year pages that changed since ``known``, each under an unused name, and name them in the manifest."""
    written, rows = year_pages(changed, known), by_year(changed.rows)
    years = {year: known.years[year] for year in rows if year not in written}
    for year, data in written.items():
        page = known.years.get(year)
        is_same = page and page.sha256 == record.digest(data)
        years[year] = page if page and is_same else _write_page(store, year, changed.serial, data)
    years = dict(sorted(years.items()))
    keep(years, changed.rows)
    return msgspec.structs.replace(changed, years=years)


def _write_page(store: ObjectStore, year: str, serial: int, data: bytes) -> YearPage:
    for number in range(serial, serial + 1000):
        key = f"manifest/{year}.{number}.json"
        try:
            put_shared(store, key, data, "")
        except PreconditionFailed:
            continue  # another publisher's page, or one of a run that was killed: pages are never overwritten
        return YearPage(key, record.digest(data))
    raise StorageError(f"manifest/{year}: no free name for a page", "make verify")


def put_shared(store: ObjectStore, key: str, data: bytes, etag: str, bucket: Bucket = "public") -> str:
    """Write an object that other publishers write too, if it still has ``etag``; return its new ETag.

    An empty ``etag`` means that the object must not exist yet. Raises PreconditionFailed.
    """
    put = msgspec.structs.replace(file_of(key, data).put(), if_match=etag, if_none_match=not etag)
    if bucket == "private":
        put = msgspec.structs.replace(put, cache_control=NO_STORE)
    return store.put(put, bucket)


def put_missing(store: ObjectStore, files: Mapping[str, bytes]) -> None:
    """Write the shared objects that do not exist yet; where another publisher was first, theirs stays."""

    def put(key: str) -> None:
        with suppress(PreconditionFailed):
            put_shared(store, key, files[key], "")

    in_parallel(put, files)
