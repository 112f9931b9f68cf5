"""The listings of a run: rendered from the manifest, brought up to date in storage, stored here and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.model.errors import SettingError, StorageError
from pipeline.model.manifest import KEY, Manifest, Row, digest
from pipeline.publish.apply import Done, before_upload
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import Snapshot, must_get, put_shared, read_manifest
from pipeline.publish.manifest import dump
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import Upload, file_of
from pipeline.publish.verification import Problem, expected_files, read_back
from pipeline.site import listings
from pipeline.site.archive import FOLDER
from pipeline.storage import ObjectStore, Stored
from pipeline.storage.compare_and_swap import TRIES, retry_on_conflict

Build = Callable[[Manifest], Mapping[str, bytes]]
"""From a manifest to the listings that show it, by key."""
LISTINGS = "listings"


class KnownListings(Struct, frozen=True):
    """The listings as last rendered here, so that a run with nothing to do need not render them to compare."""

    stamp: str
    """Of all that they are made from."""
    digests: dict[str, str]


def build(context: CommandContext, manifest: Manifest) -> Mapping[str, bytes]:
    """Return all listings of ``manifest`` by key, rendered from the records here or in storage."""
    render_context = context.render_context(shared=True)
    shown = listings.shown(manifest, render_context)
    # On a fresh clone all records come from storage.
    records = in_parallel(lambda slug: _record(context, shown[slug]), shown)
    return listings.build(manifest, render_context, lambda row: records[row.slug])


def _record(context: CommandContext, row: Row) -> bytes:
    """Return the record of ``row``, from this machine or from storage."""
    try:
        return context.record(row)
    except SettingError:
        key = f"releases/{row.slug}.json"
        data = must_get(context.store, key)
        if digest(data) not in (row.record, *row.replacing.values()):
            raise StorageError(f"{key} does not have the digest that {KEY} states", "make verify") from None
        context.state.store_record(digest(data), data)
        return data


def update(store: ObjectStore, keys: Iterable[str], render: Build, done: Done) -> Snapshot:
    """Bring the listings in storage in line with the current manifest, and return that manifest.

    Each listing is read before the manifest and written only if it is still the same, so one rendered from an older
    manifest never replaces one from a newer. ``keys`` are the expected listings; when another publisher's release
    brings more, all of them are read once more.
    """
    wanted = list(keys)

    def read() -> tuple[dict[str, Stored | None], Snapshot, Mapping[str, bytes]]:
        while True:
            before = in_parallel(store.get, wanted)
            snapshot = read_manifest(store)
            rendered = render(snapshot.manifest)
            if not (unexpected := rendered.keys() - before.keys()):
                return before, snapshot, rendered
            wanted.extend(sorted(unexpected))

    def write(current: tuple[dict[str, Stored | None], Snapshot, Mapping[str, bytes]]) -> Snapshot:
        before, snapshot, rendered = current
        for key, data in rendered.items():
            known = before[key]
            if known is None or known.body != data:
                put_shared(store, key, data, known.etag if known else "")
                done(Upload(file_of(key, data), "changed" if known else "new"))
        return snapshot

    return retry_on_conflict(write, read, "a listing")


def update_and_verify(
    context: CommandContext,
    snapshot: Snapshot,
    update_once: Callable[[Snapshot], Snapshot],
    written: Mapping[str, str],
    proven: frozenset[str] = frozenset(),
) -> tuple[Snapshot, list[Problem]]:
    """Update the listings, store them here and read back what was written, until no other publisher interferes.

    ``update_once`` updates the listings in storage, adds what it writes to ``written`` (key → SHA-256) and returns the
    manifest that they show. What is ``proven`` is not read. Return the last manifest, and the problems that are left.
    """
    verified: Set[str] = proven
    problems: list[Problem] = []
    for _ in range(TRIES):
        snapshot = update_once(snapshot)
        store_here(context, snapshot.manifest)
        problems = verify(context, written, snapshot.manifest, verified)
        if not problems or read_manifest(context.store).manifest.serial == snapshot.manifest.serial:
            break  # otherwise another publisher wrote the shared objects in between: they are read once more
        verified = written.keys() - {problem.key for problem in problems}
    return snapshot, problems


def store_here(context: CommandContext, manifest: Manifest) -> None:
    """Store the manifest and its listings on this machine."""
    rendered = build(context, manifest)
    context.store_listings(rendered)
    context.remember_published(manifest)
    digests = {key: digest(data) for key, data in rendered.items()}
    context.state.remember(LISTINGS, KnownListings(_stamp(context, manifest), digests))


def _stamp(context: CommandContext, manifest: Manifest) -> str:
    """Return the digest of all that the listings are made from."""
    root, render_context = fingerprint.ROOT, context.render_context()
    files = sorted(file for pattern in ("pipeline/**/*.py", "templates/**/*.*") for file in root.glob(pattern))
    code = [file.read_bytes() for file in (*files, *(root / lock for lock in fingerprint.LOCKS))]
    newsroom = render_context.newsroom
    settings = fingerprint.of_newsroom(newsroom, render_context.mark)
    facts = (context.destination.address, manifest.serial, settings, render_context.base_url, newsroom.feed_items)
    return digest(b"\0".join([*(str(fact).encode() for fact in facts), *code]))


def are_current(context: CommandContext) -> bool:
    """Whether the public listings are those of the manifest, read as an anonymous client."""
    known = context.state.recall(LISTINGS, KnownListings, None)
    if known and known.stamp == _stamp(context, context.published):
        digests = known.digests
    else:
        digests = {key: digest(data) for key, data in build(context, context.published).items()}
    return not read_back(context.anonymous, expected_files(digests), follow=False)


def new_listings(context: CommandContext, snapshot: Snapshot, candidates: Iterable[Candidate]) -> Mapping[str, bytes]:
    """Return the listings that the pages of ``candidates`` will link to and that do not exist yet, still empty."""
    coming = before_upload(snapshot.manifest, candidates)
    new = {*listings.keys(coming)} - {*(listings.keys(snapshot.manifest) if snapshot.etag else ())}
    return {key: data for key, data in build(context, coming).items() if key in new} if new else {}


def verify(
    context: CommandContext, written: Mapping[str, str], manifest: Manifest, verified: Set[str]
) -> list[Problem]:
    """Read back the listings, the manifest and what was written unless it is ``verified``, and return the problems."""
    known = context.state.recall(LISTINGS, KnownListings, None)
    unverified = {key: sha256 for key, sha256 in written.items() if key not in verified}
    expected = {**unverified, KEY: digest(dump(manifest)), **(known.digests if known else {})}
    # Links in old archive pages were followed when those were uploaded; there may be ten thousand.
    old = {key: sha256 for key, sha256 in expected.items() if key.startswith(FOLDER) and key not in unverified}
    new = {key: sha256 for key, sha256 in expected.items() if key not in old}
    return [
        *read_back(context.anonymous, expected_files(new), known=verified),
        *read_back(context.anonymous, expected_files(old), follow=False),
    ]
