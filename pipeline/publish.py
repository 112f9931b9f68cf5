"""Publishing: what is ready goes up in groups, and the manifest is the commit point.

    assets → files → release pages → manifest → listings

Shared objects are written on condition that nobody else wrote them since they were read, and are made anew from the
manifest read back when somebody did. A run that is killed lists nothing that is not there; the next one finishes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline import archive, succession
from pipeline import manifest as record
from pipeline.commits import TRIES, Seen, commit, look, put_shared, stand_back
from pipeline.errors import ConflictError, StorageError
from pipeline.manifest import Claim, Manifest, Row
from pipeline.plan import File, Plan, Upload, plan
from pipeline.ready import Ready
from pipeline.storage import ObjectStore, PreconditionFailed, Put
from pipeline.writers.ninjs import digests

Build = Callable[[Manifest], Mapping[str, bytes]]
"""From a manifest to the listings that show it, by key."""
Done = Callable[[Upload], None]


def draft(
    ready: Iterable[Ready], assets: Iterable[File], seen: Manifest, store: ObjectStore, doubtful: Iterable[str] = ()
) -> Plan:
    """Return what of the releases and assets has to go up; the published records say what is there.

    Of the ``doubtful`` ones everything goes up: they were read back with other bytes.
    """
    public = dict.fromkeys(seen.assets, "")
    wanted = [file for file in assets if file.key not in public]
    there: dict[str, str] = {}
    rows = seen.by_slug()
    for release in ready:
        row = rows.get(release.row.slug)
        if row and row.slug not in doubtful:
            there |= _there(store, row)
        wanted += release.files
    return plan(wanted, there)


def _there(store: ObjectStore, row: Row) -> dict[str, str]:
    """Return key → SHA-256 of the files of a public release; an empty digest where it is not known."""
    key = f"releases/{row.slug}.json"
    found = store.get(key)
    if found is None or record.digest(found.body) != row.record:
        return {key: ""}  # somebody or something else wrote it: whatever it says of the files, it does not prove it
    # Where a run was stopped while it replaced files, either digest may be what is there.
    return {**digests(found.body), key: row.record, **dict.fromkeys(row.replacing, "")}


class Publisher(Struct, frozen=True):
    """Who uploads, and until when others must leave these releases alone."""

    name: str
    now: datetime
    until: datetime


def apply(
    store: ObjectStore,
    todo: Plan,
    ready: tuple[Ready, ...],
    assets: Iterable[str],
    base: Manifest,
    seen: Seen,
    me: Publisher,
    done: Done,
) -> Seen:
    """Carry out ``todo`` up to and including the manifest, and return the manifest as committed.

    ``base`` is the manifest that the run began with, ``seen`` the one that ``todo`` was drafted from. Before its files
    go up a release is claimed in the manifest, so that of two rivals one is told before anything is overwritten.

    Raises ConflictError when somebody else published other content of one of these releases since ``base``, or is about
    to, and StorageError.
    """
    _checked(seen.manifest, base, ready, me)
    put_up(store, todo.group("assets"), done)
    coming = [(release, _coming(release, todo)) for release in ready]
    if any(files for _, files in coming):
        seen = commit(store, seen, lambda now: _claimed(_checked(now, base, ready, me), coming, me))
        succession.keep(store, (file for release in ready for file in release.kept))
    put_up(store, (*todo.group("files"), *todo.group("pages")), done)
    return commit(store, seen, lambda now: merged(_checked(now, base, ready, me), ready, assets))


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


def _coming(release: Ready, todo: Plan) -> dict[str, str]:
    """Return key → SHA-256 of the files of ``release`` that go up."""
    return {u.file.key: u.file.sha256 for u in todo.uploads if u.file in release.files}


def _claimed(current: Manifest, coming: Iterable[tuple[Ready, dict[str, str]]], me: Publisher) -> Manifest:
    """Claim the releases, and say which public files are about to be overwritten: either digest is valid meanwhile."""
    rows, claims = current.by_slug(), dict(current.claims)
    for release, files in coming:
        slug = release.row.slug
        if files:
            claims[_opaque(slug)] = Claim(me.name, release.row.record, me.until)
        if files and slug in rows:
            rows[slug] = msgspec.structs.replace(rows[slug], replacing=files)
    return msgspec.structs.replace(current, rows=record.newest_first(rows.values()), claims=claims)


def merged(current: Manifest, ready: tuple[Ready, ...], assets: Iterable[str]) -> Manifest:
    """Put the rows of ``ready`` among the rows of ``current``; they are claimed no longer."""
    rows = current.by_slug() | {release.row.slug: release.row for release in ready}
    ours = {_opaque(release.row.slug) for release in ready}
    claims = {name: claim for name, claim in current.claims.items() if name not in ours}
    known = tuple(sorted({*current.assets, *assets}))
    after = archive.remember(current, record.with_rows(current, rows.values()))
    return msgspec.structs.replace(after, assets=known, claims=claims)


def _opaque(slug: str) -> str:
    return record.digest(slug.encode())


def _checked(current: Manifest, base: Manifest, ready: tuple[Ready, ...], me: Publisher) -> Manifest:
    """Return ``current``; somebody else's other content of one of ours is a conflict."""
    rows, before = current.by_slug(), base.by_slug()
    for slug, ours in ((release.row.slug, release.row.record) for release in ready):
        theirs, known, claim = rows.get(slug), before.get(slug), current.claims.get(_opaque(slug))
        if theirs and theirs.record not in (ours, known.record if known else ""):
            raise ConflictError(
                f"{slug}: somebody else published other content of it meanwhile "
                f"(record {theirs.record[:12]}; this one {ours[:12]})",
                "compare the two sources, then publish again",
            )
        if claim and claim.record != ours and claim.by != me.name and claim.until > me.now:
            raise ConflictError(
                f"{slug}: somebody else is uploading other content of it (record {claim.record[:12]}; "
                f"this one {ours[:12]}) and has until {claim.until:%H:%M:%S} UTC",
                "compare the two sources, then publish again",
            )
    return current


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def list_all(store: ObjectStore, keys: Iterable[str], build: Build, done: Done) -> Seen:
    """Bring the listings in line with the manifest as it is now, and return it.

    Each listing is looked at before the manifest is read and written only if it is still the same, so one made from an
    older manifest never replaces one made from a newer. ``keys`` are the expected ones; when a rival's release brings
    another, all of them are looked at once more.
    """
    wanted = list(keys)
    for turn in range(TRIES):
        with ThreadPoolExecutor(8) as pool:
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
            stand_back(turn)
            continue
        return seen
    raise StorageError(f"the listings: others kept writing them, {TRIES} times", "run the same command again")


def _reason(known: object) -> str:
    return "changed" if known else "new"
