"""Uploading candidates in groups, with the manifest as the commit point.

    assets → files → release pages → records → manifest → listings

Shared objects are written by compare-and-swap. A run that is killed names nothing that is not there; the next run
completes the work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from pipeline.model import manifest as record
from pipeline.model.errors import ConflictError, StorageError
from pipeline.model.manifest import Lease, Manifest, Row
from pipeline.model.statement import SigningKey
from pipeline.publish import withdrawal
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import Snapshot, commit
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import File, Plan, Upload, plan
from pipeline.site import archive
from pipeline.storage import CopyRequest, ObjectStore, OnSent
from pipeline.writers.ninjs import digests

Done = Callable[[Upload], None]
Batch = tuple[Candidate, ...]

BATCH = 50
"""Releases that are committed together when a changed template renews them all."""
EMPTY: Mapping[str, Any] = MappingProxyType({})


class Publisher(Struct, frozen=True):
    """Who uploads, and until when its leases keep others from these releases."""

    name: str
    now: datetime
    until: datetime
    signers: tuple[SigningKey, ...] | None = None
    """The keys that the manifest is to name; None leaves those that it names, for a run that read them long ago."""

    def after(self, seconds: float) -> Publisher:
        """Return the same, that much later: the last lease has as much time as the first."""
        passed = timedelta(seconds=seconds)
        return msgspec.structs.replace(self, now=self.now + passed, until=self.until + passed)


# ── Planning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_uploads(
    candidates: Iterable[Candidate],
    assets: Iterable[File],
    current: Manifest,
    store: ObjectStore,
    verified: Mapping[str, str] = EMPTY,
) -> Plan:
    """Return which files of the candidates and which assets have to be uploaded.

    What is public is known from the published records. ``verified`` (key → SHA-256) are files that were just read back;
    it outweighs the records.
    """
    missing_assets = [file for file in assets if file.key not in current.assets]
    going, rows = tuple(candidates), current.by_slug()
    asked = {each.row.slug: each for each in going if any(file.key not in verified for file in each.files)}
    known = in_parallel(lambda slug: _public_digests(store, asked[slug], rows.get(slug), current), asked)
    public = {key: sha256 for digests_by_key in known.values() for key, sha256 in digests_by_key.items()}
    return plan([*missing_assets, *(file for each in going for file in each.files)], public | dict(verified))


def _public_digests(store: ObjectStore, candidate: Candidate, row: Row | None, current: Manifest) -> dict[str, str]:
    """Return key → SHA-256 of a release's public files; an empty digest where it is not known."""
    if row is None:  # one with a lease may be uploaded in part: its publisher was stopped
        is_leased = _opaque(candidate.row.slug) in current.leases
        return _noted_digests(store, [file.key for file in candidate.files]) if is_leased else {}
    key = f"releases/{row.slug}.json"
    stored = store.get(key)
    digest = record.digest(stored.body) if stored else ""
    if stored is None or digest not in (row.record, row.replacing.get(key)):
        return {key: ""}  # something else wrote it: what it says of the files proves nothing
    # Where a run was stopped while it replaced files, either digest may be that of the public file.
    # What has expired was taken down, though the record may still state it: where its end was moved, it goes up again.
    stated = {file: sha256 for file, sha256 in digests(stored.body).items() if file not in row.expired}
    footage = {file.key for file in candidate.files if file.footage} - stated.keys()
    return {**stated, key: digest, **_noted_digests(store, (row.replacing.keys() | footage) - {key})}


def _noted_digests(store: ObjectStore, keys: Iterable[str]) -> dict[str, str]:
    """Return the digests that were noted when these objects were put, without those that do not exist."""
    return {key: head.sha256 for key in keys if (head := store.head(key))}


# ── Applying ────────────────────────────────────────────────────────────────────────────────────────────────────────


def apply(
    store: ObjectStore,
    todo: Plan,
    candidates: tuple[Candidate, ...],
    assets: Iterable[str],
    base: Manifest,
    snapshot: Snapshot,
    publisher: Publisher,
    done: Done,
    before_pages: Callable[[], object] = lambda: None,
    confirmed: set[str] | None = None,
    sent: OnSent = lambda key, size: None,
    told: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Snapshot:
    """Carry out ``todo`` up to and including the manifest, and return the manifest as committed.

    ``base`` is the manifest that the run began with, ``snapshot`` the one that ``todo`` was planned from. Many releases
    are uploaded in batches, so that no later run repeats what an interrupted one has committed. A release gets a lease
    in the manifest before its files are uploaded, so that of two publishers one is stopped before it overwrites a file.
    ``before_pages`` is called while the first files are sent, for the listings that pages will link to and that do not
    exist yet. ``confirmed`` gets the keys of the files whose SHA-256 the storage stated when it had received them;
    ``sent`` is called for each part of a large file. ``told`` adds to the last manifest what other machines are told.

    Raises StorageError, and ConflictError when others published other content of a candidate, or are about to.
    """
    checked(snapshot.manifest, base, candidates, publisher)
    confirmed = set() if confirmed is None else confirmed
    confirmed |= upload(store, todo.group("assets"), done)
    going = {each.file.key: each for each in todo.uploads}
    begun = time.monotonic()

    def change(current: Manifest, finished: Batch | None, coming: Batch) -> Manifest:
        """List the finished batch and lease the next one, in one commit."""
        later = publisher.after(time.monotonic() - begun)
        if finished is not None:
            current = merged(checked(current, base, finished, later), finished, assets)
            if publisher.signers is not None:
                current = msgspec.structs.replace(current, signers=publisher.signers)
        if finished and not coming:
            current = told(current)
        leased = [(each, _coming_digests(each, going)) for each in coming]
        return with_leases(checked(current, base, coming, later), leased, later)

    rounds = batches(going, candidates, snapshot.manifest)
    for finished, coming in zip([None, *rounds], [*rounds, ()], strict=True):
        if finished is None and not any(_coming_digests(each, going) for each in coming):
            before_pages()
            continue
        try:
            snapshot = commit(store, snapshot, partial(change, finished=finished, coming=coming))
        except ConflictError:
            if finished and coming:  # the finished batch is listed even when the next one is another publisher's
                commit(store, snapshot, partial(change, finished=finished, coming=()))
            raise
        withdrawal.archive(store, (copy for each in coming for copy in each.archived))
        meanwhile = before_pages if finished is None else lambda: None
        confirmed |= upload_batch(store, going, coming, snapshot.manifest, done, sent, meanwhile)
    return snapshot


def batches(going: Container[str], candidates: Iterable[Candidate], public: Manifest) -> list[Batch]:
    """Divide candidates into those that are committed together, newest first.

    New releases all come in the first batch, because pages link to their neighbours; so do releases without any file
    in ``going``. There is always a first batch, even if it is empty.
    """
    by_slug, rows = {each.row.slug: each for each in candidates}, public.by_slug()
    ordered = [by_slug[row.slug] for row in record.newest_first(each.row for each in by_slug.values())]
    first: list[Candidate] = []
    changed: list[Candidate] = []
    for each in ordered:
        is_changed = each.row.slug in rows and any(file.key in going for file in each.files)
        (changed if is_changed else first).append(each)
    room = max(0, BATCH - len(first))
    rest = [tuple(changed[start : start + BATCH]) for start in range(room, len(changed), BATCH)]
    return [(*first, *changed[:room]), *rest]


def upload_batch(
    store: ObjectStore,
    going: Mapping[str, Upload],
    batch: Batch,
    public: Manifest,
    done: Done,
    sent: OnSent = lambda key, size: None,
    before_pages: Callable[[], object] = lambda: None,
) -> frozenset[str]:
    """Upload the files of a batch: a page after the files and the new pages that it links to, records last.

    Once a record is there, everything that it states is there; ``before_pages`` is called while the first files are
    sent. Return the keys that the storage confirmed.
    """
    rows = public.by_slug()
    ours = [(each.row.slug in rows, going[file.key]) for each in batch for file in each.files if file.key in going]
    confirmed = upload(store, [each for _, each in ours if each.group == "files"], done, sent, before_pages)
    groups = (
        [each for known, each in ours if each.group == "pages" and not known],
        [each for known, each in ours if each.group == "pages" and known],
        [each for _, each in ours if each.group == "records"],
    )
    return confirmed.union(*(upload(store, group, done, sent) for group in groups))


def upload(
    store: ObjectStore,
    uploads: Iterable[Upload],
    done: Done,
    sent: OnSent = lambda key, size: None,
    meanwhile: Callable[[], object] = lambda: None,
) -> frozenset[str]:
    """Upload files that no other publisher writes, many at a time; return the keys that the storage confirmed.

    It confirms what it copies itself by copying it only as long as it is the same. ``meanwhile`` is called once,
    beside the upload if there is one.
    """
    by_key = {each.file.key: each for each in uploads}
    if not by_key:
        meanwhile()
        return frozenset()
    sources = [each.file.source for each in by_key.values()]
    if copies := [source for source in sources if isinstance(source, CopyRequest)]:
        _copy(store, copies, by_key, done)
    copied = {copy.key for copy in copies}
    puts = [by_key[key].file.put() for key in by_key if key not in copied]
    beside: list[Future[object]] = []

    def put_done(key: str) -> None:
        if not beside:  # not earlier: a process that is forked beside a thread may find a lock that nobody opens
            beside.append(pool.submit(meanwhile))
        done(by_key[key])

    with ThreadPoolExecutor(1) as pool:
        confirmed = store.put_all(puts, put_done, sent=sent)
    if beside:
        beside[0].result()
    else:
        meanwhile()
    return confirmed | copied


def _copy(store: ObjectStore, copies: list[CopyRequest], uploads: Mapping[str, Upload], done: Done) -> None:
    """Copy footage from the private bucket. Another publisher may have copied it first, and deleted what was staged."""
    try:
        store.copy_all(copies, lambda key: done(uploads[key]))
    except StorageError:
        there = _noted_digests(store, (copy.key for copy in copies))
        if any(there.get(copy.key) != uploads[copy.key].file.sha256 for copy in copies):
            raise


# ── The manifest ────────────────────────────────────────────────────────────────────────────────────────────────────


def _coming_digests(candidate: Candidate, going: Mapping[str, Upload]) -> dict[str, str]:
    """Return key → SHA-256 of the candidate's files that are uploaded."""
    return {file.key: file.sha256 for file in candidate.files if file.key in going}


def with_leases(
    current: Manifest, coming: Iterable[tuple[Candidate, dict[str, str]]], publisher: Publisher
) -> Manifest:
    """Lease the releases, and state which public files will be overwritten: until then either digest is valid."""
    rows, leases = current.by_slug(), dict(current.leases)
    for candidate, files in coming:
        slug = candidate.row.slug
        if files:
            leases[_opaque(slug)] = Lease(publisher.name, content_of(candidate.row), publisher.until)
        if files and slug in rows:
            rows[slug] = msgspec.structs.replace(rows[slug], replacing={**rows[slug].replacing, **files})
    return msgspec.structs.replace(current, rows=record.newest_first(rows.values()), leases=leases)


def merged(current: Manifest, candidates: tuple[Candidate, ...], assets: Iterable[str]) -> Manifest:
    """Return ``current`` with the rows of ``candidates``, and without their leases."""
    rows = current.by_slug()
    rows |= {each.row.slug: _better_signed(each.row, rows.get(each.row.slug)) for each in candidates}
    ours = {_opaque(each.row.slug) for each in candidates}
    leases = {name: lease for name, lease in current.leases.items() if name not in ours}
    after = archive.remember(current, record.with_rows(current, rows.values()))
    return msgspec.structs.replace(after, assets=tuple(sorted({*current.assets, *assets})), leases=leases)


def _better_signed(ours: Row, theirs: Row | None) -> Row:
    """Return our row with their statements, or theirs where they have signed the same content and we have not."""
    if theirs is None:
        return ours
    if theirs.record == ours.record and theirs.statement and not ours.statement:
        return theirs
    known = {each.sha256 for each in (ours.statement, *ours.earlier_statements) if each}
    more = tuple(each for each in theirs.earlier_statements if each.sha256 not in known)
    return msgspec.structs.replace(ours, earlier_statements=(*ours.earlier_statements, *more)) if more else ours


def before_upload(current: Manifest, candidates: Iterable[Candidate]) -> Manifest:
    """Return ``current`` with the feeds and archive sections that ``candidates`` will bring, still empty.

    Release pages link to them, so they are written before the pages.
    """
    after = merged(current, tuple(candidates), ())
    return archive.remember(after, record.with_rows(after, current.rows))


def _opaque(slug: str) -> str:
    return record.digest(slug.encode())


def content_of(row: Row) -> str:
    """Return a digest of all files of a release: the record does not name those of its statement."""
    stated = (row.statement.sha256, *row.statement.signatures) if row.statement else ()
    return record.digest(" ".join([row.record, *stated]).encode()) if stated else row.record


def checked(current: Manifest, base: Manifest, candidates: tuple[Candidate, ...], publisher: Publisher) -> Manifest:
    """Return ``current``. Raises ConflictError when another publisher has, or uploads, other content of a candidate."""
    rows, before = current.by_slug(), base.by_slug()
    for slug, row in ((each.row.slug, each.row) for each in candidates):
        theirs, known, lease = rows.get(slug), before.get(slug), current.leases.get(_opaque(slug))
        ours = row.record
        if theirs and theirs.record not in (ours, known.record if known else ""):
            raise ConflictError(
                f"{slug}: somebody else published other content of it in the meantime "
                f"(record {theirs.record[:12]}; this one {ours[:12]})",
                "compare the two sources, then publish again",
            )
        if lease and lease.record != content_of(row) and lease.by != publisher.name and lease.until > publisher.now:
            raise ConflictError(
                f"{slug}: somebody else is uploading other content of it (record {lease.record[:12]}; "
                f"this one {ours[:12]}), until {lease.until:%H:%M:%S} UTC at the latest",
                "compare the two sources, then publish again",
            )
    return current
