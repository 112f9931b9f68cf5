"""Commits of the manifest, and whatever else publishers share: written on condition that nobody was first.

What somebody else wrote since it was read is read back, and the change is made anew on top of it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

import msgspec
from msgspec import Struct

from pipeline.model import manifest as record
from pipeline.model.errors import StorageError
from pipeline.model.manifest import EMPTY, Manifest, YearPage
from pipeline.publish.manifest import dump, load, year_pages
from pipeline.publish.plan import File, Upload
from pipeline.storage import ObjectStore, PreconditionFailed, Put

TRIES = 12
"""Rounds of reading back and trying again while others publish too."""


class Snapshot(Struct, frozen=True):
    """The manifest as it stood in storage at one moment."""

    manifest: Manifest
    etag: str
    """Empty when there was none."""


def look(store: ObjectStore) -> Snapshot:
    """Read the manifest with its year pages. Raises StorageError."""
    found = store.get(record.KEY)
    if found is None:
        return Snapshot(EMPTY, "")
    return Snapshot(load(found.body, lambda key: must_get(store, key)), found.etag)


def must_get(store: ObjectStore, key: str) -> bytes:
    """Return an object that is named somewhere. Raises StorageError when it is not there."""
    found = store.get(key)
    if found is None:
        raise StorageError(f"{key} is named in the manifest but is not in storage", "make verify")
    return found.body


def commit(store: ObjectStore, seen: Snapshot, change: Callable[[Manifest], Manifest]) -> Snapshot:
    """Write the changed manifest unless it is the same; read back and change anew when somebody else was first."""
    for turn in range(TRIES):
        changed = change(seen.manifest)
        if changed == seen.manifest and seen.etag:
            return seen
        changed = _with_pages(store, msgspec.structs.replace(changed, serial=seen.manifest.serial + 1))
        try:
            return Snapshot(changed, put_shared(store, record.KEY, dump(changed), seen.etag))
        except PreconditionFailed:
            back_off(turn)
            seen = look(store)
    raise StorageError(f"{record.KEY}: others kept writing it, {TRIES} times in a row", "run the same command again")


def _with_pages(store: ObjectStore, changed: Manifest) -> Manifest:
    """Write the year pages that changed, each under a name that is nobody's, and name them in the manifest."""
    years = {}
    for year, data in year_pages(changed).items():
        sha256 = record.digest(data)
        known = changed.years.get(year)
        years[year] = known if known and known.sha256 == sha256 else _write_page(store, year, changed.serial, data)
    return msgspec.structs.replace(changed, years=years)


def _write_page(store: ObjectStore, year: str, serial: int, data: bytes) -> YearPage:
    for number in range(serial, serial + 1000):
        key = f"manifest/{year}.{number}.json"
        try:
            put_shared(store, key, data, "")
        except PreconditionFailed:
            continue  # a rival's page, or one of a run that was killed: pages are never overwritten
        return YearPage(key, record.digest(data))
    raise StorageError(f"manifest/{year}: no free name for a page", "make verify")


def put_shared(store: ObjectStore, key: str, data: bytes, etag: str) -> str:
    """Write an object that others write too, unless it has another ETag by now. Raises PreconditionFailed."""
    upload = Upload(File(key, record.digest(data), len(data), data), "manifest", "")
    return store.put(
        Put(
            key=key,
            body=data,
            media_type=upload.media_type,
            cache_control=upload.cache,
            download=upload.download,
            if_match=etag,
            if_none_match=not etag,
        )
    )


def put_where_none_is(store: ObjectStore, made: Mapping[str, bytes]) -> None:
    """Write shared objects that are not there yet; where somebody was first, theirs stays."""
    for key, data in made.items():
        with suppress(PreconditionFailed):
            put_shared(store, key, data, "")


def back_off(turn: int) -> None:
    """Wait a moment, longer each turn, so that rivals do not meet again."""
    time.sleep(random.uniform(0, 0.1 * 2 ** min(turn, 5)))  # noqa: S311  # chance, not secrecy
