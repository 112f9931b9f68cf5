"""Publishing: what is ready goes up in groups, and the manifest is the commit point.

    assets → files → release pages → records → manifest → listings

Shared objects are written on condition that nobody else wrote them since they were read, and are made anew from the
manifest read back when somebody did. A run that is killed lists nothing that is not there; the next one finishes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from pipeline.model import manifest as record
from pipeline.model.errors import ConflictError, StorageError
from pipeline.model.manifest import Lease, Manifest, Row
from pipeline.publish import withdrawal as succession
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import TRIES, Snapshot, back_off, commit, look, put_shared, put_where_none_is
from pipeline.publish.plan import File, Plan, Upload, plan
from pipeline.site import archive
from pipeline.storage import ObjectStore, PreconditionFailed, Put
from pipeline.writers.ninjs import digests

Build = Callable[[Manifest], Mapping[str, bytes]]
"""From a manifest to the listings that show it, by key."""
Done = Callable[[Upload], None]
Batch = tuple[Candidate, ...]

BATCH = 50
"""Releases that are committed at once when a new template renews them all."""
THREADS = 8
EMPTY: Mapping[str, Any] = MappingProxyType({})


def draft(
    ready: Iterable[Candidate],
    assets: Iterable[File],
    seen: Manifest,
    store: ObjectStore,
    read: Mapping[str, str] = EMPTY,
) -> Plan:
    """Return what of the releases and assets has to go up; the published records say what is there.

    ``read`` is what was read back of files in doubt, as key → SHA-256; it says more than any record.
    """
    public = dict.fromkeys(seen.assets, "")
    wanted = [file for file in assets if file.key not in public]
    going, rows = tuple(ready), seen.by_slug()
    there: dict[str, str] = {}
    with ThreadPoolExecutor(THREADS) as pool:
        asked = [release for release in going if any(file.key not in read for file in release.files)]
        for found in pool.map(lambda release: _there(store, release, rows.get(release.row.slug), seen), asked):
            there |= found
    return plan([*wanted, *(file for release in going for file in release.files)], there | dict(read))


def _there(store: ObjectStore, release: Candidate, row: Row | None, seen: Manifest) -> dict[str, str]:
    """Return key → SHA-256 of a release's files that are public; an empty digest where it is not known."""
    if row is None:  # one that was claimed may be half there: its publisher was stopped
        with_leases = _opaque(release.row.slug) in seen.leases
        return _noted(store, [file.key for file in release.files]) if with_leases else {}
    key = f"releases/{row.slug}.json"
    found = store.get(key)
    digest = record.digest(found.body) if found else ""
    if found is None or digest not in (row.record, row.replacing.get(key)):
        return {key: ""}  # somebody or something else wrote it: whatever it says of the files, it does not prove it
    # Where a run was stopped while it replaced files, either digest may be what is there.
    return {**digests(found.body), key: digest, **_noted(store, row.replacing.keys() - {key})}


def _noted(store: ObjectStore, keys: Iterable[str]) -> dict[str, str]:
    """Return the digests that were noted when these files were put; those that are not there are left out."""
    found = {key: store.head(key) for key in keys}
    return {key: head.sha256 for key, head in found.items() if head}


class Publisher(Struct, frozen=True):
    """Who uploads, and until when others must leave these releases alone."""

    name: str
    now: datetime
    until: datetime

    def after(self, seconds: float) -> Publisher:
        """Return the same, so much later: what is claimed last has as much time as what is claimed first."""
        passed = timedelta(seconds=seconds)
        return Publisher(self.name, self.now + passed, self.until + passed)


def apply(
    store: ObjectStore,
    todo: Plan,
    ready: tuple[Candidate, ...],
    assets: Iterable[str],
    base: Manifest,
    seen: Snapshot,
    me: Publisher,
    done: Done,
    opened: Mapping[str, bytes] = EMPTY,
) -> Snapshot:
    """Carry out ``todo`` up to and including the manifest, and return the manifest as committed.

    ``base`` is the manifest that the run began with, ``seen`` the one that ``todo`` was drafted from. Many releases go
    up in batches: what an interrupted run has committed, no later one does again. Before its files go up a release is
    claimed in the manifest, so that of two rivals one is told before anything is overwritten. ``opened`` are listings
    that pages will lead to and that are not there yet.

    Raises StorageError, and ConflictError when others published other words of one of these since, or are about to.
    """
    checked(seen.manifest, base, ready, me)
    put_up(store, todo.group("assets"), done)
    put_where_none_is(store, opened)
    going = {upload.file.key: upload for upload in todo.uploads}
    begun = time.monotonic()

    def turn(now: Manifest, finished: Batch | None, coming: Batch) -> Manifest:
        """List what is finished and claim what comes next, in one commit."""
        mine = me.after(time.monotonic() - begun)
        if finished is not None:
            now = merged(checked(now, base, finished, mine), finished, assets)
        return with_leases(checked(now, base, coming, mine), [(each, _coming(each, going)) for each in coming], mine)

    rounds = batches(going, ready, seen.manifest)
    for finished, coming in zip([None, *rounds], [*rounds, ()], strict=True):
        if finished is None and not any(_coming(each, going) for each in coming):
            continue
        try:
            seen = commit(store, seen, partial(turn, finished=finished, coming=coming))
        except ConflictError:
            if finished and coming:  # what is up is listed, though what comes next is somebody else's
                commit(store, seen, partial(turn, finished=finished, coming=()))
            raise
        succession.keep(store, (file for each in coming for file in each.kept))
        put_up_batch(store, going, coming, seen.manifest, done)
    return seen


def batches(going: Container[str], ready: Iterable[Candidate], public: Manifest) -> list[Batch]:
    """Part releases into those that are committed together, the newest first.

    All new ones come at once and first, because pages lead to their neighbours; so do those of which nothing is
    ``going`` up. There is always a first batch, if an empty one.
    """
    by_slug, rows = {release.row.slug: release for release in ready}, public.by_slug()
    ordered = [by_slug[row.slug] for row in record.newest_first(release.row for release in by_slug.values())]
    first: list[Candidate] = []
    changed: list[Candidate] = []
    for each in ordered:
        is_changed = each.row.slug in rows and any(file.key in going for file in each.files)
        (changed if is_changed else first).append(each)
    room = max(0, BATCH - len(first))
    rest = [tuple(changed[start : start + BATCH]) for start in range(room, len(changed), BATCH)]
    return [(*first, *changed[:room]), *rest]


def put_up_batch(store: ObjectStore, going: Mapping[str, Upload], batch: Batch, public: Manifest, done: Done) -> None:
    """Upload the files of a batch: a page after what it shows, and after the new ones that it leads to; records last.

    Once a record is there, all is there that it states.
    """
    rows = public.by_slug()
    ours = [(each.row.slug in rows, going[file.key]) for each in batch for file in each.files if file.key in going]
    put_up(store, (upload for _, upload in ours if upload.group == "files"), done)
    put_up(store, (upload for known, upload in ours if upload.group == "pages" and not known), done)
    put_up(store, (upload for known, upload in ours if upload.group == "pages" and known), done)
    put_up(store, (upload for _, upload in ours if upload.group == "records"), done)


def put_up(store: ObjectStore, uploads: Iterable[Upload], done: Done) -> None:
    """Upload files that nobody else writes, many at a time."""
    by_key = {upload.file.key: upload for upload in uploads}
    puts = [
        Put(key=u.file.key, body=u.file.source, media_type=u.media_type, cache_control=u.cache, download=u.download)
        for u in by_key.values()
    ]
    if puts:
        store.put_all(puts, lambda key: done(by_key[key]))


# ── The manifest ────────────────────────────────────────────────────────────────────────────────────────────────────


def _coming(release: Candidate, going: Mapping[str, Upload]) -> dict[str, str]:
    """Return key → SHA-256 of the files of ``release`` that go up."""
    return {file.key: file.sha256 for file in release.files if file.key in going}


def with_leases(current: Manifest, coming: Iterable[tuple[Candidate, dict[str, str]]], me: Publisher) -> Manifest:
    """Claim the releases, and say which public files are about to be overwritten: either digest is valid meanwhile."""
    rows, leases = current.by_slug(), dict(current.leases)
    for release, files in coming:
        slug = release.row.slug
        if files:
            leases[_opaque(slug)] = Lease(me.name, release.row.record, me.until)
        if files and slug in rows:
            rows[slug] = msgspec.structs.replace(rows[slug], replacing={**rows[slug].replacing, **files})
    return msgspec.structs.replace(current, rows=record.newest_first(rows.values()), leases=leases)


def merged(current: Manifest, ready: tuple[Candidate, ...], assets: Iterable[str]) -> Manifest:
    """Put the rows of ``ready`` among the rows of ``current``; they are claimed no longer."""
    rows = current.by_slug() | {release.row.slug: release.row for release in ready}
    ours = {_opaque(release.row.slug) for release in ready}
    leases = {name: lease for name, lease in current.leases.items() if name not in ours}
    known = tuple(sorted({*current.assets, *assets}))
    after = archive.remember(current, record.with_rows(current, rows.values()))
    return msgspec.structs.replace(after, assets=known, leases=leases)


def opening(current: Manifest, ready: Iterable[Candidate]) -> Manifest:
    """Return ``current`` with the feeds and shelves that ``ready`` will bring, empty as yet.

    Release pages lead to them, so they are opened before.
    """
    after = merged(current, tuple(ready), ())
    return archive.remember(after, record.with_rows(after, current.rows))


def _opaque(slug: str) -> str:
    return record.digest(slug.encode())


def checked(current: Manifest, base: Manifest, ready: tuple[Candidate, ...], me: Publisher) -> Manifest:
    """Return ``current``; somebody else's other content of one of ours is a conflict."""
    rows, before = current.by_slug(), base.by_slug()
    for slug, ours in ((release.row.slug, release.row.record) for release in ready):
        theirs, known, lease = rows.get(slug), before.get(slug), current.leases.get(_opaque(slug))
        if theirs and theirs.record not in (ours, known.record if known else ""):
            raise ConflictError(
                f"{slug}: somebody else published other content of it meanwhile "
                f"(record {theirs.record[:12]}; this one {ours[:12]})",
                "compare the two sources, then publish again",
            )
        if lease and lease.record != ours and lease.by != me.name and lease.until > me.now:
            raise ConflictError(
                f"{slug}: somebody else is uploading other content of it (record {lease.record[:12]}; "
                f"this one {ours[:12]}) and has until {lease.until:%H:%M:%S} UTC",
                "compare the two sources, then publish again",
            )
    return current


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def list_all(store: ObjectStore, keys: Iterable[str], build: Build, done: Done) -> Snapshot:
    """Bring the listings in line with the manifest as it is now, and return it.

    Each listing is looked at before the manifest is read and written only if it is still the same, so one made from an
    older manifest never replaces one made from a newer. ``keys`` are the expected ones; when a rival's release brings
    another, all of them are looked at once more.
    """
    wanted = list(keys)
    for turn in range(TRIES):
        with ThreadPoolExecutor(THREADS) as pool:
            before = dict(zip(wanted, pool.map(store.get, wanted), strict=True))
        seen = look(store)
        made = build(seen.manifest)
        if unexpected := made.keys() - before.keys():
            wanted += sorted(unexpected)
            continue
        try:
            for key, data in made.items():
                known = before[key]
                if known is None or known.body != data:
                    put_shared(store, key, data, known.etag if known else "")
                    done(Upload(File(key, record.digest(data), len(data), data), "listings", _reason(known)))
        except PreconditionFailed:
            back_off(turn)
            continue
        return seen
    raise StorageError(f"the listings: others kept writing them, {TRIES} times", "run the same command again")


def _reason(known: object) -> str:
    return "changed" if known else "new"
