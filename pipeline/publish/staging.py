"""What waits: staged in the private bucket under random names, and copied to its addresses at its instant.

``waiting.json`` there says what is staged and until when. It is written on condition that nobody else wrote it since it
was read, and read once more at the instant: whoever moved or cancelled a date until then is honoured.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import msgspec
from msgspec import Struct, field

from pipeline.model.errors import ConflictError, StorageError
from pipeline.model.manifest import Manifest, Row
from pipeline.publish import apply as publish
from pipeline.publish import commits
from pipeline.publish.apply import Publisher
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import Snapshot
from pipeline.publish.plan import File, Upload, group_of
from pipeline.publish.schedule import ScheduledRelease
from pipeline.storage import CopyRequest, ObjectStore, PreconditionFailed, Put

KEY = "waiting.json"
FOLDER = "staged/"
THREADS = 8
CLOSED = "private, no-store"
"""Cache-Control of what must not outlive its moment."""


class StagedFile(Struct, frozen=True):
    """A file of a waiting release, as it lies in the private bucket."""

    name: str
    """Its key there: random, so that it says nothing of the release."""
    sha256: str
    size: int


class Staged(Struct, frozen=True):
    """A waiting release, whole: to make it public its files need but be copied."""

    instant: datetime
    row: Row
    """As it will stand in the manifest."""
    files: dict[str, StagedFile]
    """By the key at which each will be public."""
    neighbours: tuple[str, ...] = field(default=(), name="beside")
    """Slugs that its page names: where one of them is not public, it must not be either."""

    def is_of(self, due: ScheduledRelease) -> bool:
        """Whether this is what ``due`` would be staged as."""
        files = {file.key: file.sha256 for file in due.ready.files}
        return (self.instant, self.row, self.files_by_digest()) == (due.instant, due.ready.row, files)

    def files_by_digest(self) -> dict[str, str]:
        """Return key → SHA-256 of its files."""
        return {key: file.sha256 for key, file in self.files.items()}

    def ready(self) -> Candidate:
        """Return it as what goes up: its bytes are in storage already."""
        return Candidate(self.row, tuple(File(key, file.sha256, file.size, b"") for key, file in self.files.items()))


Releases = Mapping[str, Staged]
"""What waits, by slug."""


class StagedSnapshot(Struct, frozen=True):
    """What waited at one moment."""

    releases: dict[str, Staged]
    etag: str
    """Empty when there was no ``waiting.json``."""
    date: datetime | None = None
    """Storage's clock when it was read."""


def look(store: ObjectStore) -> StagedSnapshot:
    """Read ``waiting.json``. Raises StorageError."""
    found = store.get(KEY, "private")
    if found is None:
        return StagedSnapshot({}, "")
    try:
        releases = msgspec.json.decode(found.body, type=dict[str, Staged])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{KEY} in the private bucket cannot be read: {error}", "remove it; publish again") from None
    return StagedSnapshot(releases, found.etag, found.date)


def change(store: ObjectStore, found: StagedSnapshot, how: Callable[[Releases], Releases]) -> StagedSnapshot:
    """Write what waits, changed; read it again and change that when somebody else was first."""
    for turn in range(commits.TRIES):
        after = dict(sorted(how(found.releases).items()))
        if after == found.releases:
            return found
        body = msgspec.json.format(msgspec.json.encode(after, order="deterministic"), indent=1) + b"\n"
        written = Put(
            key=KEY,
            body=body,
            media_type="application/json",
            cache_control=CLOSED,
            if_match=found.etag,
            if_none_match=not found.etag,
        )
        try:
            return StagedSnapshot(after, store.put(written, "private"))
        except PreconditionFailed:
            commits.back_off(turn)
            found = look(store)
    raise StorageError("what waits: others kept writing it", "run the same command again")


# ── Staging ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def stage(store: ObjectStore, dues: Iterable[ScheduledRelease]) -> dict[str, Staged]:
    """Put releases into the private bucket, each as a stranger will get it; nothing names them there yet."""
    staged: dict[str, Staged] = {}
    puts: list[Put] = []
    for due in dues:
        folder = FOLDER + secrets.token_hex(16)
        files: dict[str, StagedFile] = {}
        for number, file in enumerate(due.ready.files, 1):
            files[file.key] = StagedFile(f"{folder}/{number}", file.sha256, file.size)
            upload = Upload(file, group_of(file.key), "")
            puts.append(
                Put(
                    key=f"{folder}/{number}",
                    body=file.source,
                    media_type=upload.media_type,
                    cache_control=upload.cache,
                    download=upload.download,
                )
            )
        staged[due.ready.row.slug] = Staged(due.instant, due.ready.row, files, due.neighbours)
    store.put_all(puts, bucket="private")
    return staged


def remove(store: ObjectStore, releases: Iterable[Staged]) -> None:
    """Remove what was staged of ``releases``, that nothing names any more.

    These keys may not have the right to; then it goes by the bucket's lifecycle rule, and until then nobody can tell
    what it is.
    """
    remove_keys(store, [file.name for staged in releases for file in staged.files.values()])


def remove_keys(store: ObjectStore, names: Iterable[str]) -> None:
    """Remove objects of the private bucket, as far as these keys may."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda name: _remove(store, name), names))


def _remove(store: ObjectStore, name: str) -> None:
    try:
        store.delete(name, "private")
    except StorageError:
        return


def forget(store: ObjectStore, releases: Releases) -> StagedSnapshot:
    """Take ``releases`` out of what waits, unless they were staged anew meanwhile, and remove what was staged."""

    def without(now: Releases) -> Releases:
        return {slug: staged for slug, staged in now.items() if releases.get(slug) != staged}

    found = change(store, look(store), without)
    remove(store, releases.values())
    return found


# ── Lifting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def copies(store: ObjectStore, releases: Releases) -> dict[str, list[CopyRequest]]:
    """Return by slug what has to be copied, each on condition of being what lies there now.

    A release of which a file is gone, or is another one, is left out.
    """
    asked = [(slug, key, file) for slug, staged in releases.items() for key, file in staged.files.items()]
    with ThreadPoolExecutor(THREADS) as pool:
        heads = list(pool.map(lambda one: store.head(one[2].name, "private"), asked))
    found: dict[str, list[CopyRequest]] = {slug: [] for slug in releases}
    for (slug, key, file), head in zip(asked, heads, strict=True):
        if head is None or (head.sha256, head.size) != (file.sha256, file.size):
            found.pop(slug, None)
        elif slug in found:
            found[slug].append(CopyRequest(key=key, source=file.name, if_match=head.etag))
    return found


class ReleasedSet(Struct, frozen=True):
    """What became of releases whose instant had come."""

    seen: Snapshot
    """The manifest as committed."""
    there: frozenset[str]
    """Slugs that are public now, by this run or by another with the same content."""
    conflicts: tuple[ConflictError, ...]


def lift(
    store: ObjectStore,
    releases: Releases,
    todo: Mapping[str, list[CopyRequest]],
    base: Manifest,
    me: Publisher,
    assets: Iterable[str],
    opened: Mapping[str, bytes],
    done: Callable[[str], None],
) -> ReleasedSet:
    """Make ``releases`` public, all by one manifest: claimed, copied, committed. Their instant must have come.

    ``opened`` are listings that their pages are the first to lead to.

    What somebody else published in other words since ``base`` is left out and told. Raises StorageError.
    """
    seen = commits.look(store)
    rows = seen.manifest.by_slug()
    there = {slug for slug, staged in releases.items() if slug in rows and rows[slug].record == staged.row.record}
    going: list[Candidate] = []
    conflicts: list[ConflictError] = []
    for slug in sorted(releases.keys() - there):
        try:
            publish.checked(seen.manifest, base, (releases[slug].ready(),), me)
            going.append(releases[slug].ready())
        except ConflictError as error:
            conflicts.append(error)
    ready = tuple(going)
    if ready:
        try:
            seen = _lift(store, ready, todo, base, seen, me, assets, opened, done)
        except StorageError:
            seen = commits.look(store)  # a rival with the same content may have been first, and have tidied up
            rows = seen.manifest.by_slug()
            if not all(one.row.slug in rows and rows[one.row.slug].record == one.row.record for one in ready):
                raise
    return ReleasedSet(seen, frozenset(there | {one.row.slug for one in ready}), tuple(conflicts))


def _lift(
    store: ObjectStore,
    ready: tuple[Candidate, ...],
    todo: Mapping[str, list[CopyRequest]],
    base: Manifest,
    seen: Snapshot,
    me: Publisher,
    assets: Iterable[str],
    opened: Mapping[str, bytes],
    done: Callable[[str], None],
) -> Snapshot:
    coming = [(one, {file.key: file.sha256 for file in one.files}) for one in ready]
    seen = commits.commit(
        store, seen, lambda now: publish.with_leases(publish.checked(now, base, ready, me), coming, me)
    )
    commits.put_where_none_is(store, opened)
    every = [copy for one in ready for copy in todo[one.row.slug]]
    for group in ("files", "pages", "records"):  # nothing is named before it is there
        store.copy_all([copy for copy in every if group_of(copy.key) == group], done)
    return commits.commit(store, seen, lambda now: publish.merged(publish.checked(now, base, ready, me), ready, assets))
