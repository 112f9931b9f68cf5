"""Staging: scheduled releases lie in the private bucket under random names, ready to be copied at their instant.

``waiting.json`` there states what is staged and until when. It is written by compare-and-swap, and read once more at
the instant, so that a date that was moved or cancelled until then counts.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec
from msgspec import Struct, field

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.model.errors import LeakError, ReleaseError, StorageError
from pipeline.model.formats import FORMATS, by_name
from pipeline.model.manifest import Row
from pipeline.publish.candidates import Candidate, Classified
from pipeline.publish.commits import put_shared
from pipeline.publish.guarantees import require
from pipeline.publish.leak_test import require_closed, require_hidden
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import File
from pipeline.publish.progress import Progress, count
from pipeline.publish.schedule import classify_scheduled, discard, scheduled_here
from pipeline.publish.statements import signing_key, state
from pipeline.storage import CopyRequest, ObjectStore, OnSent, Put
from pipeline.storage.compare_and_swap import retry_on_conflict

KEY = "waiting.json"
FOLDER = "staged/"
STAGED = "staged"
"""Name in the build state of what this machine last saw staged, by address of the private bucket."""
AHEAD = "footage_ahead"
"""Name in the build state of the names under which this machine stages footage, by SHA-256."""


class StagedFile(Struct, frozen=True):
    """A file of a scheduled release, as it lies in the private bucket."""

    name: str
    """Its key there: random, so that it tells nothing about the release."""
    sha256: str
    size: int


class StagedRelease(Struct, frozen=True):
    """A scheduled release, complete: copying its files makes it public."""

    instant: datetime
    row: Row
    """As it will be in the manifest."""
    files: dict[str, StagedFile]
    """By the key that each will have in public."""
    neighbours: tuple[str, ...] = field(default=(), name="beside")
    """Slugs that its page names: if one of them is not public, the release cannot be copied as it is."""
    layout: str = ""
    """See ``Candidate.layout``."""
    by_approval: bool = False
    """Whether its signatures are approvals, not one that a publisher made."""
    approved: StagedFile | None = None
    """The text that somebody approved last; it stays here while it is staged anew, to show what differs."""
    films: dict[str, StagedFile] = {}
    """Its footage by public key. What this machine has is copied here ahead, if its date has not come; a name outside
    ``FOLDER`` is that of a file which somebody else put into the private bucket."""
    expired: dict[str, str] = {}
    """See ``Candidate.expired``."""

    def is_of(self, candidate: Candidate) -> bool:
        """Whether ``candidate`` would be staged exactly as this."""
        ours, theirs = candidate.row.statement, self.row.statement
        footage = {file.key: file.sha256 for file in (*candidate.films, *candidate.files) if file.footage}
        if footage != {key: film.sha256 for key, film in self.films.items()}:
            return False
        if self.signed and self.layout == candidate.layout and ours and theirs and ours.sha256 != theirs.sha256:
            return self.instant == candidate.row.date  # signed as another machine rendered it
        return (self.instant, self.row, self.stated()) == (candidate.row.date, candidate.row, candidate.stated)

    @property
    def signed(self) -> bool:
        """Whether anybody has signed its statement."""
        return self.row.statement is not None and bool(self.row.statement.signatures)

    @property
    def objects(self) -> tuple[StagedFile, ...]:
        """All that lies in the private bucket of it."""
        films = (file for file in self.films.values() if file.name)
        return (*self.files.values(), *films, *((self.approved,) if self.approved else ()))

    @property
    def copies(self) -> tuple[str, ...]:
        """The keys of what was put there to release it."""
        names = (file.name for file in (*self.files.values(), *self.films.values()))
        return tuple(name for name in names if name.startswith(FOLDER))

    def digests(self) -> dict[str, str]:
        """Return key → SHA-256 of its files."""
        return {key: file.sha256 for key, file in self.files.items()}

    def stated(self) -> dict[str, str]:
        """Return the same as ``Candidate.stated``."""
        return self.digests() | {key: file.sha256 for key, file in self.films.items()} | self.expired

    def candidate(self) -> Candidate:
        """Return it as a candidate; its bytes are in storage already."""
        files = tuple(File(key, file.sha256, file.size, b"") for key, file in self.files.items())
        return Candidate(self.row, files, neighbours=self.neighbours, layout=self.layout)


Releases = Mapping[str, StagedRelease]
"""Staged releases by slug."""


class StagedSnapshot(Struct, frozen=True):
    """What was staged at one moment."""

    releases: dict[str, StagedRelease]
    etag: str
    """Empty when there was no ``waiting.json``."""
    date: datetime | None = None
    """The storage's clock when it was read."""


# ── waiting.json ────────────────────────────────────────────────────────────────────────────────────────────────────


def read_staged(store: ObjectStore) -> StagedSnapshot:
    """Read ``waiting.json``. Raises StorageError."""
    stored = store.get(KEY, "private")
    if stored is None:
        return StagedSnapshot({}, "")
    try:
        releases = msgspec.json.decode(stored.body, type=dict[str, StagedRelease])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(f"{KEY} in the private bucket cannot be read: {error}", "delete it; publish again") from None
    return StagedSnapshot(releases, stored.etag, stored.date)


def change_staged(
    store: ObjectStore, snapshot: StagedSnapshot, change: Callable[[Releases], Releases]
) -> StagedSnapshot:
    """Write the changed ``waiting.json`` unless it is the same; when another publisher was first, change theirs."""

    def write(current: StagedSnapshot) -> StagedSnapshot:
        after = dict(sorted(change(current.releases).items()))
        if after == current.releases:
            return current
        body = msgspec.json.format(msgspec.json.encode(after, order="deterministic"), indent=1) + b"\n"
        return StagedSnapshot(after, put_shared(store, KEY, body, current.etag, "private"))

    return retry_on_conflict(write, lambda: read_staged(store), KEY, snapshot)


def keys_of(releases: Releases) -> list[str]:
    """Return all keys of the private bucket that hold anything about ``releases``."""
    return [KEY, *(file.name for staged in releases.values() for file in staged.objects)]


def rows_of(context: CommandContext, releases: Releases) -> dict[str, Row]:
    """Return the rows of staged releases by slug; where approvals count, no other signatures do."""
    rows = {slug: staged.row for slug, staged in releases.items()}
    for slug, staged in releases.items() if context.newsroom.approvals else ():
        if staged.row.statement and not staged.by_approval:
            unsigned = msgspec.structs.replace(staged.row.statement, signatures=())
            rows[slug] = msgspec.structs.replace(staged.row, statement=unsigned)
    return rows


def recall_staged(context: CommandContext) -> Releases | None:
    """Return what was staged when this machine last looked; None when it never did."""
    known = context.state.recall(STAGED, dict[str, dict[str, StagedRelease]], {})
    return known.get(context.destination.private_address)


def remember_staged(context: CommandContext, releases: Releases) -> None:
    """Remember what is staged."""
    context.state.remember(STAGED, {context.destination.private_address: releases})


# ── Objects in the private bucket ───────────────────────────────────────────────────────────────────────────────────


def stage(
    store: ObjectStore,
    candidates: Iterable[Candidate],
    ahead: Mapping[str, str] = MappingProxyType({}),
    sent: OnSent = lambda key, size: None,
) -> dict[str, StagedRelease]:
    """Put candidates into the private bucket, with the headers that they will have in public; no object names them.

    ``ahead`` has the names of footage by SHA-256 that was put there before, or begun: it is not sent twice. ``sent`` is
    called for each part of a large file.
    """
    staged: dict[str, StagedRelease] = {}
    puts: list[Put] = []
    for candidate in candidates:
        folder = FOLDER + secrets.token_hex(16)
        files: dict[str, StagedFile] = {}
        films = {file.key: _staged_film(file, ahead) for file in candidate.films}
        puts += (file.put(films[file.key].name) for file in candidate.films if not isinstance(file.source, CopyRequest))
        for number, file in enumerate(candidate.files, 1):
            if file.footage:  # it is public already, or goes there from this machine when it is approved
                films[file.key] = StagedFile("", file.sha256, file.size)
                continue
            files[file.key] = StagedFile(f"{folder}/{number}", file.sha256, file.size)
            puts.append(file.put(f"{folder}/{number}"))
        row = candidate.row
        instant = row.date.astimezone(UTC)
        staged[row.slug] = StagedRelease(
            instant, row, files, candidate.neighbours, candidate.layout, films=films, expired=dict(candidate.expired)
        )
    films_here = {put.key for put in puts} & {*ahead.values()}
    there = {name for name, head in in_parallel(lambda name: store.head(name, "private"), films_here).items() if head}
    store.put_all({put.key: put for put in puts if put.key not in there}.values(), bucket="private", sent=sent)
    return staged


def _staged_film(file: File, ahead: Mapping[str, str]) -> StagedFile:
    """Return where a file of footage is in the private bucket, or is put."""
    name = file.source.source if isinstance(file.source, CopyRequest) else ahead[file.sha256]
    return StagedFile(name, file.sha256, file.size)


def _ahead(context: CommandContext, candidates: Iterable[Candidate], before: Releases) -> dict[str, str]:
    """Return a random name for each film of ``candidates`` by its SHA-256: what it has, or what a killed run gave it.

    So no film is sent twice.
    """
    films = [film for staged in before.values() for film in staged.films.values() if film.name.startswith(FOLDER)]
    known = context.state.recall(AHEAD, dict[str, str], {}) | {film.sha256: film.name for film in films}
    needed = {file.sha256 for each in candidates for file in each.films}
    names = {sha256: known.get(sha256) or f"{FOLDER}{secrets.token_hex(16)}/1" for sha256 in sorted(needed)}
    if names:
        context.state.remember(AHEAD, names)
    return names


def remove(store: ObjectStore, releases: Iterable[StagedRelease], left: Releases) -> None:
    """Delete the objects of ``releases`` that ``left`` of ``waiting.json`` names no more.

    The credentials may not allow it; then the bucket's lifecycle rule deletes them, and until then nobody can tell what
    they are.
    """
    remove_keys(store, {file.name for staged in releases for file in staged.objects} - {*keys_of(left)})


def remove_keys(store: ObjectStore, names: Iterable[str]) -> None:
    """Delete objects of the private bucket, as far as the credentials allow it."""

    def delete(name: str) -> None:
        with suppress(StorageError):
            store.delete(name, "private")

    in_parallel(delete, (name for name in names if name.startswith(FOLDER)))


def forget(store: ObjectStore, releases: Releases) -> StagedSnapshot:
    """Take ``releases`` out of ``waiting.json``, unless they were staged again meanwhile, and delete their objects."""

    def without(current: Releases) -> Releases:
        return {slug: staged for slug, staged in current.items() if releases.get(slug) != staged}

    snapshot = change_staged(store, read_staged(store), without)
    remove(store, releases.values(), snapshot.releases)
    return snapshot


def with_staged_footage(context: CommandContext, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Return ``candidates``; footage that was staged and follows its words is copied from there."""
    rows, candidates = context.published.by_slug(), tuple(candidates)
    awaited = {each.row.slug for each in candidates if (row := rows.get(each.row.slug)) and row.footage_outdated}
    staged = read_staged(context.store).releases if awaited else {}

    def copied(file: File, films: Mapping[str, StagedFile]) -> File:
        film = films.get(file.key)
        if not (file.footage and film and film.sha256 == file.sha256 and film.name.startswith(FOLDER)):
            return file
        head = context.store.head(film.name, "private")
        if head is None or (head.sha256, head.size) != (file.sha256, file.size):
            return file
        copy = CopyRequest(key=file.key, source=film.name, if_match=head.etag, size=file.size)
        return msgspec.structs.replace(file, source=copy)

    return tuple(
        msgspec.structs.replace(each, files=tuple(copied(file, staged[each.row.slug].films) for file in each.files))
        if each.row.slug in awaited & staged.keys()
        else each
        for each in candidates
    )


# ── Staging a whole newsroom ────────────────────────────────────────────────────────────────────────────────────────


def stage_all(context: CommandContext, progress: Progress, to_approve: tuple[Candidate, ...] = ()) -> ExitStatus | None:
    """Bring the staged releases in line with ``content/``, and stage those ``to_approve`` whose date has come.

    Raises StorageError where staging would not be safe.
    """
    classified = _classify(context)
    candidates, failed = classified.candidates, classified.failed
    known, unsigned = recall_staged(context), False
    if candidates or to_approve or known is None or known:
        snapshot = _read_private(context, needed=bool(candidates or to_approve or known))
        if snapshot:
            rows = rows_of(context, snapshot.releases)
            stated = state(context, candidates, signing_key(context), rows, staging=True)
            _update(context, snapshot, (*stated.candidates, *to_approve), progress)
            for waiting in stated.waiting:
                what = f"{context.state.opaque(waiting.row.slug)} is not staged: it waits for a signature"
                progress.fault(f"{what}\n  hint: make sign, on a machine that has the key")
            unsigned = bool(stated.waiting)
    # Files of a refused release stay: if its source is deleted too, they tell that it was staged from this machine.
    discard(context.state, {*failed, *(each.row.slug for each in candidates)})
    for slug in failed:
        progress.fault(f"{context.state.opaque(slug)} is not staged: a rendition is missing or could not be rendered")
    return exit_status(ReleaseError) if failed or unsigned else None


def plan_staging(context: CommandContext, progress: Progress) -> ExitStatus | None:
    """Report how many releases would be staged; write nothing."""
    known, classified = recall_staged(context) or {}, _classify(context)
    rows = rows_of(context, known)
    stated = state(context, classified.candidates, signing_key(context), rows, staging=True)
    new = [each for each in stated.candidates if not _is_known(known.get(each.row.slug), each)]
    if new:
        progress.line(f"dry run: {count(len(new), 'release')} would be staged in the private bucket")
    return exit_status(ReleaseError) if classified.failed else None


def _classify(context: CommandContext) -> Classified:
    return classify_scheduled(context.state, context.render_context(), scheduled_here(context))


def _read_private(context: CommandContext, *, needed: bool) -> StagedSnapshot | None:
    """Return what is staged; None where nothing needs to be and there is no private bucket, or no right to it."""
    try:
        context.store.check("private")
        return read_staged(context.store)
    except StorageError:
        if needed:
            raise
        return None


def _update(
    context: CommandContext, snapshot: StagedSnapshot, candidates: Iterable[Candidate], progress: Progress
) -> None:
    """Stage what is new and take out what is obsolete; nothing is staged where anybody could find it."""
    store, before = context.store, snapshot.releases
    obsolete = {slug: staged for slug, staged in before.items() if _is_obsolete(context, slug, staged, progress)}
    there = set(store.list(FOLDER, "private")) if before else set()
    new = {each.row.slug: each for each in candidates if not _is_known(before.get(each.row.slug), each, there)}

    def change(current: Releases) -> Releases:
        left = {slug: staged for slug, staged in current.items() if obsolete.get(slug) != staged}
        # Where another publisher staged the same in the meantime, theirs stays.
        return {**left, **{slug: own for slug, own in ours.items() if not _is_known(left.get(slug), new[slug])}}

    try:
        if new:
            _probe(context)
            require(context, "private")
            require_hidden(context, new)
        elif before:
            require_closed(context, keys_of(before))
        ours = stage(store, new.values(), _ahead(context, new.values(), before), _parts(new.values(), progress))
        ours = {slug: _heir(staged, before.get(slug)) for slug, staged in ours.items()}
        snapshot = change_staged(store, snapshot, change)
        remove(store, [*before.values(), *ours.values()], snapshot.releases)
        remember_staged(context, snapshot.releases)
        if new:
            require_closed(context, keys_of(snapshot.releases))
            require_hidden(context, new)
    except LeakError:
        _take_back(context)
        raise
    for slug in new:
        progress.step("stage", context.state.opaque(slug), "staged")
        if (known := before.get(slug)) and known.signed and not ours[slug].signed:
            progress.fault(f"the approval of {context.state.opaque(slug)} is void: {_difference(known, ours[slug])}")
    for slug in obsolete.keys() - new.keys() - context.published.by_slug().keys():
        progress.step("stage", context.state.opaque(slug), "cancelled")


def _parts(candidates: Iterable[Candidate], progress: Progress) -> OnSent:
    """Return a function that reports how much of the footage was sent."""
    total = sum({film.sha256: film.size for each in candidates for film in each.films}.values())
    done = 0

    def sent(_: str, size: int) -> None:
        nonlocal done
        done += size
        progress.progress(round(done / 1e6), round(total / 1e6), "MB of footage staged")

    return sent


def _heir(staged: StagedRelease, before: StagedRelease | None) -> StagedRelease:
    """Return ``staged`` with the text that was approved last."""
    if before is None:
        return staged
    text = before.files.get(by_name("text").key(staged.row.slug)) if before.signed else None
    by_approval = before.by_approval and staged.signed
    return msgspec.structs.replace(staged, approved=text or before.approved, by_approval=by_approval)


def _difference(before: StagedRelease, now: StagedRelease) -> str:
    """Return what differs from what was approved."""
    if before.row.source != now.row.source:
        return "its source was edited" + ("" if before.instant == now.instant else ", and its date was moved")
    return "the newsroom, the layout or the releases beside it have changed"


def _is_known(staged: StagedRelease | None, candidate: Candidate, there: set[str] | None = None) -> bool:
    """Whether ``candidate`` is staged as it is, with all its objects among ``there`` if that is given."""
    return bool(staged and staged.is_of(candidate) and (there is None or all(name in there for name in staged.copies)))


def _is_obsolete(context: CommandContext, slug: str, staged: StagedRelease, progress: Progress) -> bool:
    """Whether ``staged`` is public already, or ``content/`` does not want it to become public as it is."""
    public = context.published.by_slug().get(slug)
    if public and public.footage_outdated and staged.films:
        return False  # its footage is copied from here
    if public and (not context.newsroom.approvals or public.source == staged.row.source):
        return True
    if not context.state.source(slug).is_file():
        if slug in context.state.final().rendered(FORMATS[0].name):
            return True  # its source was here and was deleted
        progress.fault(f"warning: {context.state.opaque(slug)} is staged, but not from {context.state.content}/")
        return False
    parsed_release = context.state.parsed_release(slug)
    if parsed_release is None:
        return False
    release = parsed_release.release
    return release.draft or (release.date, parsed_release.source) != (staged.instant, staged.row.source)


def _probe(context: CommandContext) -> None:
    """Test that the private bucket is closed, with an object that is not secret."""
    probe = f"{FOLDER}{secrets.token_hex(16)}/probe"
    context.store.put(Put(key=probe, body=b"probe", media_type="text/plain; charset=utf-8"), "private")
    try:
        require_closed(context, [probe, KEY])
    finally:
        remove_keys(context.store, [probe])


def _take_back(context: CommandContext) -> None:
    """Delete everything that is staged in a private bucket that is not private."""
    snapshot = read_staged(context.store)
    change_staged(context.store, snapshot, lambda current: {})
    remove(context.store, snapshot.releases.values(), {})
    remember_staged(context, {})
