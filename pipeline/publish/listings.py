"""The listings of a run: rendered from the manifest, brought up to date in storage, stored here and read back."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Set
from datetime import datetime
from functools import cache
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TypeGuard

import msgspec
from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.build.published import StoredManifest
from pipeline.model.errors import SettingError, StorageError
from pipeline.model.manifest import EMPTY, KEY, Manifest, Row, digest
from pipeline.publish.apply import Done, before_upload
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import Snapshot, must_get, put_shared, read_manifest
from pipeline.publish.manifest import dump
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import Upload, file_of
from pipeline.publish.verification import Problem, Reading, expected_files, read_back, wrong_type
from pipeline.site import listings
from pipeline.site import verify as verified
from pipeline.storage import ObjectStore, PreconditionFailed, Stored
from pipeline.storage.compare_and_swap import TRIES, retry_on_conflict

Build = Callable[[Manifest], Mapping[str, bytes]]
"""From a manifest to the listings that show it, by key."""
LISTINGS = "listings"
Seen = Mapping[tuple[str, str], bool]
"""From the key of a listing and the digest that it should have, to whether it had another one a moment ago."""
NOTHING: Seen = MappingProxyType({})


class KnownListings(Struct, frozen=True):
    """The listings as last rendered here, so that those that show nothing new need not be rendered to compare."""

    common: str
    """Digest of what all are made from: code and settings."""
    address: str
    """Of the storage."""
    serial: int
    """Of the manifest that they show."""
    made: dict[str, tuple[str, str]]
    """Key → digest of what one shows, and of its bytes."""
    elsewhere: tuple[str, ...]
    """Keys of those that another machine rendered and that were not needed here."""
    until: datetime | None = None
    """When one of them changes although no release does."""


class Listings:
    """The listings of one command: each is rendered when it is first needed, and only if it shows something new."""

    def __init__(self, context: CommandContext, seen: Seen = NOTHING) -> None:
        self._context, self._seen = context, seen
        self._render_context = context.render_context(shared=True)
        self._common = _common(context)
        known, public = _recall(context), context.published
        self._public = public
        current = known.made if _is_of_now(known, context) else {}
        self._of_public = {key: stamp for key, (stamp, _) in current.items()}
        self._made = {**_told(context), **(known.made if known else {})}
        self._before = dict(self._made)
        self._rendered: dict[tuple[str, str], bytes] = {}
        self._shown: list[tuple[tuple[Row, ...], object, dict[str, str]]] = []

    def stamps(self, manifest: Manifest) -> Mapping[str, str]:
        """Return key → digest of what each listing of ``manifest`` shows."""
        facts = _facts(manifest)
        for rows, other, stamps in self._shown:
            if other == facts and rows == manifest.rows:
                return stamps
        stamps = self._of_public if self._is_public(manifest) else {}
        stamps = stamps or listings.stamps(manifest, self._render_context)
        self._shown[:] = [(manifest.rows, facts, stamps), *self._shown[:1]]
        return stamps

    def keys(self, manifest: Manifest) -> set[str]:
        """Return the keys of all listings of ``manifest``: in a twentieth of the time that their stamps take."""
        return {*listings.keys(manifest), *verified.contents(manifest, self._render_context)}

    def _is_public(self, manifest: Manifest) -> bool:
        """Whether ``manifest`` is the one that was fetched; what is planned from that one may have its serial too."""
        if manifest.serial != self._public.serial:
            return False
        public = self._public.whole()
        return _facts(manifest) == _facts(public) and manifest.rows == public.rows

    def build(self, manifest: Manifest, only: Iterable[str]) -> dict[str, bytes]:
        """Return those listings of ``manifest`` that have a key in ``only``, by key."""
        stamps, wanted = self.stamps(manifest), set(only)
        missing = {key for key in wanted if key in stamps and (key, stamps[key]) not in self._rendered}
        if missing:
            before = cache(self._file_of_before)
            shown = listings.shown(manifest, self._render_context, missing, before)
            # On a fresh clone all records come from storage.
            records = in_parallel(lambda slug: _record(self._context, shown[slug]), shown)
            files = listings.build(manifest, self._render_context, lambda row: records[row.slug], missing, before)
            for key, data in files.items():
                self._rendered[key, stamps[key]] = data
                self._made[key] = stamps[key], digest(data)
        return {key: self._rendered[key, stamp] for key, stamp in stamps.items() if key in wanted}

    def _file_of_before(self, key: str) -> bytes:
        """Return a listing as it was rendered last, from here or from storage; nothing where it is not known."""
        if key not in self._before:
            return b""
        file, (_, sha256) = self._context.state.public / key, self._before[key]
        if file.is_file() and digest(data := file.read_bytes()) == sha256:
            return data
        answer = self._context.anonymous.get(key)
        return answer.body if answer.status == 200 and digest(answer.body) == sha256 else b""

    def changed(self, manifest: Manifest, since: Mapping[str, str]) -> dict[str, bytes]:
        """Return those listings of ``manifest`` that do not show what those with the stamps ``since`` show."""
        return self.build(manifest, [key for key, stamp in self.stamps(manifest).items() if since.get(key) != stamp])

    def told(self, manifest: Manifest) -> Manifest:
        """Return ``manifest`` with what is known here of the listings, for machines that have none."""
        made = {key: self._made[key] for key in self.known(manifest)}
        return msgspec.structs.replace(manifest, listings=made, listings_of=self._common)

    def known(self, manifest: Manifest) -> dict[str, str]:
        """Return key → stamp of the listings of ``manifest`` whose bytes are known here."""
        return {key: stamp for key, stamp in self.stamps(manifest).items() if self._made.get(key, ("", ""))[0] == stamp}

    def digests(self, manifest: Manifest) -> dict[str, str]:
        """Return key → SHA-256 of the listings of ``manifest`` whose bytes are known here."""
        return {key: self._made[key][1] for key in self.known(manifest)}

    def in_storage(self, manifest: Manifest) -> dict[str, str]:
        """Return key → stamp of the listings of ``manifest`` whose bytes are known here and in storage."""
        known, digests = self.known(manifest), self.digests(manifest)
        seen = {key: self._seen[key, sha256] for key, sha256 in digests.items() if (key, sha256) in self._seen}
        wrong = altered(self._context, {key: digests[key] for key in digests.keys() - seen.keys()})
        return {key: stamp for key, stamp in known.items() if key not in wrong and not seen.get(key)}

    def store(self, manifest: Manifest) -> None:
        """Store the manifest and its listings on this machine.

        Written are those that were rendered now, and those that somebody removed; a fresh clone needs no others.
        """
        context, stamps, known = self._context, self.stamps(manifest), _recall(self._context)
        before = known.made if known else {}
        there = {key for key in stamps if (context.state.public / key).is_file()}
        same = {key for key in there if before.get(key, ("", ""))[0] == stamps[key]}
        rendered = {key for key, stamp in stamps.items() if (key, stamp) in self._rendered}
        removed = before.keys() - there - {*(known.elsewhere if known else ())}
        unknown = stamps.keys() - self.known(manifest).keys()
        context.store_listings(self.build(manifest, {*rendered, *removed, *unknown, *(there - same)} - same), stamps)
        context.remember_published(manifest)
        elsewhere = sorted(stamps.keys() - there - rendered - removed - unknown)
        made, address = {key: self._made[key] for key in stamps}, context.destination.address
        until = listings.valid_until(manifest, self._render_context)
        known = KnownListings(self._common, address, manifest.serial, made, tuple(elsewhere), until)
        context.state.remember(LISTINGS, known)


def _facts(manifest: Manifest) -> tuple[object, ...]:
    """Return what listings show besides the rows."""
    return manifest.languages, manifest.topics, manifest.emptied


def _common(context: CommandContext) -> str:
    parts = (context.newsroom, context.destination.base_url, context.signers)
    settings = msgspec.json.encode(parts, order="deterministic")
    code = fingerprint.of_code("pipeline.site.listings", fingerprint.ASSETS)
    return digest(b"\0".join([code, context.mark, context.signers.text, settings]))


def _recall(context: CommandContext) -> KnownListings | None:
    """Return the listings as last rendered here, if they would be rendered in the same way now."""
    known = context.state.recall(LISTINGS, KnownListings, None)
    return known if known and known.common == _common(context) else None


def _told(context: CommandContext) -> Mapping[str, tuple[str, str]]:
    """Return what the last publisher told of the listings, by key, if this machine would render them as it did."""
    public = context.published
    head = public.head if isinstance(public, StoredManifest) else EMPTY
    return head.listings if head.listings_of == _common(context) else {}


def look(context: CommandContext) -> Seen:
    """Look at the listings whose bytes are known here, or were told by the last publisher; fetch what feeds show."""
    newest = {row.slug: row for row in context.published.whole().rows[: context.newsroom.feed_items]}
    in_parallel(lambda slug: _record(context, newest[slug]), newest)
    known = _recall(context)
    digests = {key: sha256 for key, (_, sha256) in (known.made if known else _told(context)).items()}
    wrong = altered(context, digests)
    return {(key, sha256): key in wrong for key, sha256 in digests.items()}


def _is_of_now(known: KnownListings | None, context: CommandContext) -> TypeGuard[KnownListings]:
    """Whether ``known`` are the listings of the manifest that was fetched, as they are now."""
    if known is None or (known.until is not None and context.now >= known.until):
        return False
    return (known.address, known.serial) == (context.destination.address, context.published.serial)


def altered(context: CommandContext, digests: Mapping[str, str]) -> set[str]:
    """Return which of the public files do not have these digests, as an anonymous client sees them.

    A storage that tells the digest that was stored with a file is believed, so that a large file need not be read.
    """

    def is_altered(key: str) -> bool:
        answer = context.anonymous.head(key)
        stated = answer.headers.get("x-amz-meta-sha256", "")
        if answer.status == 200 and stated == digests[key]:
            return bool(wrong_type(key, answer))
        return bool(read_back(context.anonymous, expected_files({key: digests[key]}), follow=False))

    return {key for key, wrong in in_parallel(is_altered, digests).items() if wrong}


def _record(context: CommandContext, row: Row) -> bytes:
    """Return the record of ``row``, from this machine or from storage."""
    try:
        return context.record(row)
    except SettingError:
        key, stated = f"releases/{row.slug}.json", {row.record, *row.replacing.values()}
        answer = context.anonymous.get(key)  # a cache may have an older one
        data = answer.body if answer.sha256 in stated else must_get(context.store, key)
        if digest(data) not in stated:
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

        def put(key: str) -> PreconditionFailed | None:
            known = before[key]
            try:
                put_shared(store, key, rendered[key], known.etag if known else "")
            except PreconditionFailed as conflict:
                return conflict
            return None

        stored = {key: known.body for key, known in before.items() if known}
        answers = in_parallel(put, [key for key, data in rendered.items() if stored.get(key) != data])
        for key, conflict in answers.items():
            if conflict is None:
                done(Upload(file_of(key, rendered[key]), "changed" if key in stored else "new"))
        for conflict in filter(None, answers.values()):
            raise conflict
        return snapshot

    return retry_on_conflict(write, read, "a listing")


def update_and_verify(
    context: CommandContext,
    found: Listings,
    snapshot: Snapshot,
    update_once: Callable[[Snapshot], Snapshot],
    written: Mapping[str, str],
    proven: frozenset[str] = frozenset(),
    early: Callable[[], Reading | None] = lambda: None,
) -> tuple[Snapshot, list[Problem]]:
    """Update the listings, store them here and read back what was written, until no other publisher interferes.

    ``update_once`` updates the listings in storage, adds what it writes to ``written`` (key → SHA-256) and returns the
    manifest that they show. What is ``proven`` is not read; ``early`` waits for what is read in the meantime. Return
    the last manifest, and the problems that are left.
    """
    verified: Set[str] = proven
    problems: list[Problem] = []
    for _ in range(TRIES):
        snapshot = update_once(snapshot)
        found.store(snapshot.manifest)
        problems = verify(context, found, written, snapshot.manifest, verified, early())
        if not problems or read_manifest(context.store).manifest.serial == snapshot.manifest.serial:
            break  # otherwise another publisher wrote the shared objects in between: they are read once more
        verified, early = written.keys() - {problem.key for problem in problems}, lambda: None
    return snapshot, problems


def are_current(context: CommandContext) -> bool:
    """Whether the public listings are those of the manifest, as an anonymous client sees them."""
    known = _recall(context)
    if _is_of_now(known, context):
        return not altered(context, {key: made[1] for key, made in known.made.items()})
    found, manifest = Listings(context), context.published.whole()
    keys = found.stamps(manifest).keys()
    found.changed(manifest, found.known(manifest))  # what another machine published may have been listed by it too
    if manifest.signers != context.signers.keys or found.in_storage(manifest).keys() != keys:
        return False
    found.store(manifest)
    return True


def new_listings(found: Listings, snapshot: Snapshot, candidates: Iterable[Candidate]) -> Mapping[str, bytes]:
    """Return the listings that the pages of ``candidates`` will link to and that do not exist yet, still empty."""
    coming = before_upload(snapshot.manifest, candidates)
    new = found.keys(coming) - (found.keys(snapshot.manifest) if snapshot.etag else set())
    return found.build(coming, new) if new else {}


def verify(
    context: CommandContext,
    found: Listings,
    written: Mapping[str, str],
    manifest: Manifest,
    verified: Set[str],
    early: Reading | None = None,
) -> list[Problem]:
    """Read back the manifest and what was written unless it is ``verified`` or was read ``early``; return the problems.

    Another publisher may have written a listing after this one, as the manifest says that it has to be now. Listings
    that did not change were looked at when it was decided which did.
    """
    now = found.digests(manifest)
    unverified = {key: now.get(key, sha256) for key, sha256 in written.items() if key not in verified}
    expected = expected_files({**unverified, KEY: digest(dump(manifest))})
    known = _Known(verified, manifest.by_slug())
    return read_back(context.anonymous, expected, known=known, early=early)


class _Known(Container[str]):
    """Keys that need not be asked for when a page links to them: what was verified now, or when it was published."""

    def __init__(self, verified: Set[str], rows: Mapping[str, Row]) -> None:
        self.verified = verified
        self.rows = rows

    def __contains__(self, key: object) -> bool:
        row = self.rows.get(PurePosixPath(str(key)).name.partition(".")[0])
        return key in self.verified or (row is not None and any(key == file.key for file in row.files))
