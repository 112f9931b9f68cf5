"""Releasing: at its instant a staged release is copied to its addresses and committed; a late run does it at once.

Everything that shows the release is rendered before, so that at the instant only three things are left: to ask the
storage for its clock, to copy and to commit.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext, exit_status
from pipeline.build.reading import listed_around
from pipeline.model.errors import ConflictError, DatelineError, ReleaseError, SettingError, StorageError
from pipeline.model.manifest import Manifest
from pipeline.model.release_index import ReleaseIndex
from pipeline.publish import approval, listings
from pipeline.publish.apply import Publisher, checked, merged, upload, with_leases
from pipeline.publish.commits import Snapshot, commit, put_missing, read_manifest
from pipeline.publish.fetch import compare_clocks, learn, note_stale, noted_stale, start_embedded
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import Upload, file_of, group_of, plan
from pipeline.publish.progress import Outcome, Progress, count, lateness, size
from pipeline.publish.schedule import promote
from pipeline.publish.sources import read_sources, recall_refused, render_sources
from pipeline.publish.staging import (
    Releases,
    StagedFile,
    StagedRelease,
    StagedSnapshot,
    forget,
    read_staged,
    recall_staged,
    remember_staged,
)
from pipeline.publish.up_to_date import UNVERIFIED, recall_unverified, unpublished_sources
from pipeline.publish.upload import LEASE, publish_all, report_refusals
from pipeline.publish.verification import raise_problems
from pipeline.storage import CopyRequest, Head, ObjectStore

LONGEST = timedelta(days=7)
"""The longest time that WAIT may name."""
AHEAD = timedelta(seconds=20)
"""How long before its instant a release is prepared: as late as is safe, for others may publish in the meantime."""
NAP = timedelta(seconds=5)
"""How often a waiting run looks for an earlier instant, and asks a storage again that did not answer."""
PAUSE = timedelta(minutes=2)
"""Between two instants that are closer than this there is no time for an ordinary round of publishing."""
COPIED = 20_000_000
"""Bytes a second that any storage copies."""
EARLY = 0.5
"""Seconds before an instant from which on the storage is asked for its clock again and again."""
TICK = 0.02
_WAIT = re.compile(r"(?=\d)(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)


class Prepared(Struct, frozen=True):
    """Staged releases that can be released, and all that was done ahead for it."""

    releases: dict[str, StagedRelease]
    copies: dict[str, list[CopyRequest]]
    publisher: Publisher
    listings: listings.Listings
    show: Callable[[Manifest], Mapping[str, bytes]]
    """From a manifest to the listings that differ from the current ones."""
    new_listings: Mapping[str, bytes]
    """Listings that the pages are the first to link to, still empty."""


class Released(Struct, frozen=True):
    """The result of a release."""

    snapshot: Snapshot
    """The manifest as committed."""
    slugs: frozenset[str]
    """Releases that are public now, by this run or by another with the same content."""
    conflicts: tuple[ConflictError, ...]


# ── Before the instant ──────────────────────────────────────────────────────────────────────────────────────────────


def prepare(context: CommandContext, releases: Releases) -> Prepared:
    """Do what can be done before the instant.

    A release that lacks an object in storage, or would name another that is not public, is left to an ordinary upload.
    """
    store = context.store
    clock = store.check().date
    snapshot = read_manifest(store)
    copies = copy_requests(store, releases)
    complete = {slug: staged for slug, staged in releases.items() if slug in copies}
    public = snapshot.manifest.by_slug()
    for slug in complete.keys() & public.keys():
        if public[slug].record != complete[slug].row.record:
            del complete[slug]
    while early := [slug for slug, one in complete.items() if not set(one.neighbours) <= {*complete, *public}]:
        for slug in early:
            del complete[slug]
    for slug, staged in complete.items():
        _store_record(context, slug, staged)
    missing = [file_of(key, data) for key, data in context.assets.items() if key not in snapshot.manifest.assets]
    upload(store, plan(missing, {}).uploads, lambda upload: None)
    candidates = tuple(staged.candidate() for staged in complete.values())
    found = listings.Listings(context)
    new_listings = listings.new_listings(found, snapshot, candidates)
    show = _changed_listings(found, snapshot.manifest)
    show(merged(snapshot.manifest, candidates, context.assets))
    publisher = Publisher(context.state.machine_name(), clock, clock + LEASE)
    return Prepared(complete, copies, publisher, found, show, new_listings)


def copy_requests(store: ObjectStore, releases: Releases) -> dict[str, list[CopyRequest]]:
    """Return by slug what has to be copied, each on condition that the object is still the same.

    A release of which an object is missing or has other bytes is left out, and so is one whose page says that its
    footage is there: that was staged to be approved, and its footage was not copied ahead.
    """
    files = [file for staged in releases.values() for file in staged.files.values()]
    heads = in_parallel(lambda name: store.head(name, "private"), [file.name for file in files])
    same = {file.name: head for file in files if (head := heads[file.name]) and _is_same(file, head)}
    return {
        slug: [
            CopyRequest(key=key, source=file.name, if_match=same[file.name].etag) for key, file in staged.files.items()
        ]
        for slug, staged in releases.items()
        if all(file.name in same for file in staged.files.values())
        and (staged.row.footage_outdated or not staged.films)
    }


def _is_same(file: StagedFile, head: Head) -> bool:
    return (head.sha256, head.size) == (file.sha256, file.size)


def _store_record(context: CommandContext, slug: str, staged: StagedRelease) -> None:
    """Store the record of a release where the listings look for it."""
    if context.state.record(staged.row.record) is None:
        stored = context.store.get(staged.files[f"releases/{slug}.json"].name, "private")
        context.state.store_record(staged.row.record, stored.body if stored else b"")


def _changed_listings(found: listings.Listings, current: Manifest) -> Callable[[Manifest], Mapping[str, bytes]]:
    """Return a function that renders the listings that differ from those of ``current``; it remembers the last ones."""
    before = dict(found.stamps(current))
    shown = current
    rendered: Mapping[str, bytes] = {}

    def show(manifest: Manifest) -> Mapping[str, bytes]:
        nonlocal shown, rendered
        here, there = ((one.rows, one.languages, one.topics, one.emptied) for one in (manifest, shown))
        if here != there:
            rendered = found.changed(manifest, before)
            shown = manifest
        return rendered

    return show


# ── At the instant ──────────────────────────────────────────────────────────────────────────────────────────────────


def await_instant(context: CommandContext, instant: datetime) -> StagedSnapshot:
    """Wait until ``instant`` has come by this machine's clock and by the storage's; return what is staged then.

    The storage shows whole seconds, so its clock counts only once it shows the instant rounded up. Raises StorageError
    when the two clocks differ.
    """
    whole = datetime.fromtimestamp(math.ceil(instant.timestamp()), UTC)
    while True:
        left = (instant - datetime.now(UTC)).total_seconds() - EARLY
        if left > 0:
            time.sleep(min(left, 10))  # in short naps: a laptop may sleep too, and clocks are set
            continue
        snapshot = read_staged(context.store)
        now = datetime.now(UTC)
        compare_clocks(snapshot.date, now)
        if now >= instant and (snapshot.date is None or snapshot.date >= whole):
            return snapshot
        time.sleep(TICK)


def release(context: CommandContext, prepared: Prepared, progress: Progress) -> Released:
    """Make ``prepared`` public: files, pages, manifest, listings; then read it back. Raises StorageError."""
    store, written = context.store, dict[str, str]()
    digests = {key: sha256 for staged in prepared.releases.values() for key, sha256 in staged.digests().items()}
    unverified = recall_unverified(context.state)
    # This run may be killed at any time: until the releases are read back, the manifest alone proves nothing.
    context.state.remember(UNVERIFIED, sorted({*unverified, *prepared.releases}))

    def copied(key: str) -> None:
        written[key] = digests[key]

    def listed(each: Upload) -> None:
        written[each.file.key] = each.file.sha256

    public_at = list[datetime]()

    def update_listings(current: Snapshot) -> Snapshot:
        current = listings.update(store, prepared.show(current.manifest), prepared.show, listed)
        public_at.append(datetime.now(UTC))
        return current

    released = commit_releases(store, prepared, context.published.whole(), context.assets, copied)
    _, problems = listings.update_and_verify(context, prepared.listings, released.snapshot, update_listings, written)
    raise_problems(problems)
    context.state.remember(UNVERIFIED, sorted(unverified))
    public = {slug: prepared.releases[slug] for slug in sorted(released.slugs)}
    promote(context.state, {slug: staged.digests() for slug, staged in public.items()})
    # What has footage stays staged until an ordinary round has copied that: it must not keep the words waiting.
    remember_staged(context, forget(store, {slug: each for slug, each in public.items() if not each.films}).releases)
    for slug, staged in public.items():
        total = size(sum(file.size for file in staged.files.values()))
        progress.step(
            "release", slug, total, count(len(staged.files), "file"), _lateness(context, public_at[-1] - staged.instant)
        )
    return released


def commit_releases(
    store: ObjectStore, prepared: Prepared, base: Manifest, assets: Mapping[str, object], done: Callable[[str], None]
) -> Released:
    """Lease, copy and commit all releases by one manifest. Their instant must have come.

    A release that another publisher published with other content since ``base`` is left out, as a conflict. Raises
    StorageError.
    """
    releases, publisher = prepared.releases, prepared.publisher
    snapshot = read_manifest(store)
    public = _public(snapshot, releases)
    candidates, conflicts = [], []
    for slug in sorted(releases.keys() - public):
        try:
            checked(snapshot.manifest, base, (releases[slug].candidate(),), publisher)
            candidates.append(releases[slug].candidate())
        except ConflictError as error:
            conflicts.append(error)
    going = tuple(candidates)
    slugs = {each.row.slug for each in going}

    def lease(current: Manifest) -> Manifest:
        files = [(each, {file.key: file.sha256 for file in each.files}) for each in going]
        return with_leases(checked(current, base, going, publisher), files, publisher)

    def publish(current: Manifest) -> Manifest:
        return merged(checked(current, base, going, publisher), going, assets)

    if going:
        try:
            snapshot = commit(store, snapshot, lease)
            put_missing(store, prepared.new_listings)
            copies = [each for slug in sorted(slugs) for each in prepared.copies[slug]]
            for group in ("files", "pages", "records"):  # nothing is named before it is there
                store.copy_all([each for each in copies if group_of(each.key) == group], done)
            snapshot = commit(store, snapshot, publish)
        except StorageError:
            snapshot = read_manifest(store)  # another publisher of the same content may have been first, and cleaned up
            if not slugs <= _public(snapshot, releases):
                raise
    return Released(snapshot, frozenset(public | slugs), tuple(conflicts))


def _public(snapshot: Snapshot, releases: Releases) -> set[str]:
    """Return the slugs of ``releases`` that are public with the same content."""
    rows = snapshot.manifest.by_slug()
    return {slug for slug, staged in releases.items() if slug in rows and rows[slug].record == staged.row.record}


def _lateness(context: CommandContext, late: timedelta) -> str:
    return "approved" if context.newsroom.approvals and late > timedelta(minutes=1) else lateness(late)


# ── After the instant ───────────────────────────────────────────────────────────────────────────────────────────────


def release_overdue(context: CommandContext, progress: Progress) -> tuple[ConflictError, ...]:
    """Release at once what is staged and overdue, if ``content/`` says the same; the rest is for an ordinary upload.

    The storage is asked only if this machine does not know what is staged, or knows that one of these is, or if a
    signature may be there: what another machine has staged since can be uploaded as well.
    """
    public = context.published.by_slug()
    new = (slug for slug, _ in unpublished_sources(context.state) if slug not in public)
    fresh = filter(None, map(context.state.parsed_release, new))
    overdue = {found.release.slug: found for found in fresh if found.release.is_public(context.now)}
    known = recall_staged(context)
    if not overdue or (known is not None and not overdue.keys() & known.keys() and not context.newsroom.signs):
        return ()
    render_context = context.render_context()
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    context.store.check()
    try:
        snapshot = read_staged(context.store)
    except StorageError:  # no private bucket, or no right to it: then nothing is staged there, and all is uploaded
        return ()
    by_instant: dict[datetime, dict[str, StagedRelease]] = {}
    for slug in overdue.keys() & snapshot.releases.keys():
        staged, parsed_release = snapshot.releases[slug], overdue[slug]
        listed = listed_around(context.state, context.published, [slug], staged.instant)
        others = ReleaseIndex(listed, staged.instant).related_to(parsed_release.release)
        stamp, layout = (
            fingerprint.of_release(parsed_release.source, settings, render_context.base_url, named)
            for named in (others, ())
        )
        # What was approved is released as it was approved, though its page may name others by now.
        is_same = staged.layout == layout if staged.by_approval else staged.row.fingerprint == stamp
        if staged.instant != parsed_release.release.date or not is_same:
            continue
        if approval.may_be_public(context, staged):  # what is not is reported when everything else is published
            by_instant.setdefault(staged.instant, {})[slug] = staged
    conflicts: tuple[ConflictError, ...] = ()
    for instant in sorted(by_instant):
        await_instant(context, instant)  # it is overdue by the earlier of the two clocks; now wait for both
        prepared = prepare(context, by_instant[instant])
        if prepared.releases:
            conflicts += release(context, prepared, progress).conflicts
    return conflicts


# ── WAIT ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def wait_of(text: str) -> timedelta:
    """Return how long ``WAIT=`` says to stay. Raises SettingError."""
    match = _WAIT.fullmatch(text.strip()) if text.strip() else None
    if text.strip() and not match:
        raise SettingError(f"WAIT: {text!r} is not a length of time", "write WAIT=30m, 45s, 2h or 1h30m")
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    wait = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if wait > LONGEST:
        raise SettingError(f"WAIT: {text!r} is more than {LONGEST.days} days", "run make publish again later")
    return wait


class Watch:
    """Stays until ``until`` and releases what is due, one instant after the other."""

    def __init__(self, context: CommandContext, until: datetime, progress: Progress, outcome: Outcome) -> None:
        self.context, self.until, self.progress, self.outcome = context, until, progress, outcome
        self._tried: set[str] = set()
        self._overruled: set[str] = set()
        """Releases that another run moved or cancelled."""

    def run(self) -> None:
        """Stay while any instant lies before the end of WAIT."""
        due = self._next()
        if due:
            report_refusals(self.context, self.progress)  # nobody should learn of them only after WAIT
            number = len({slug for slug, staged in self._ours().items() if staged.instant <= self.until})
            self.progress.line(f"{count(number, 'release')} scheduled before {self.until:%H:%M:%S} UTC: waiting")
        is_released = False
        while due:
            due = self._sleep(due)
            self._tried |= due.keys()
            try:
                is_released = bool(self._release(due)) or is_released or any(each.films for each in due.values())
            except DatelineError as error:
                self.outcome.report(error)
                is_released = True  # what was begun is finished by an ordinary round
            due = self._next()
            soon = due and _instant(due) < datetime.now(UTC) + PAUSE + self._copying()
            if is_released and not soon:
                self._round()
                is_released = False
                due = self._next()

    def _copying(self) -> timedelta:
        """Return how long an ordinary round may take to copy the footage of what was released."""
        staged, public = recall_staged(self.context) or {}, self.context.published.by_slug()
        awaited = (each for slug, each in staged.items() if slug in public and public[slug].footage_outdated)
        return timedelta(seconds=sum(film.size for each in awaited for film in each.films.values()) / COPIED)

    def _ours(self) -> dict[str, StagedRelease]:
        """Return what is staged exactly as this machine's sources say, and was not tried yet."""
        state, public = self.context.state, self.context.published.by_slug()
        ours: dict[str, StagedRelease] = {}
        for slug, staged in (recall_staged(self.context) or {}).items():
            parsed_release = state.parsed_release(slug) if slug in state.slugs() else None
            if slug in public:  # its correction archives the revision before, which an ordinary upload does
                continue
            if slug in self._tried or parsed_release is None or parsed_release.release.draft:
                continue
            if (parsed_release.release.date, parsed_release.source) == (staged.instant, staged.row.source):
                ours[slug] = staged
        return ours

    def _next(self) -> dict[str, StagedRelease]:
        """Return what is due next, all of one instant; empty when nothing is due before the end."""
        ours = {slug: staged for slug, staged in self._ours().items() if staged.instant <= self.until}
        first = min((staged.instant for staged in ours.values()), default=None)
        return {slug: staged for slug, staged in ours.items() if staged.instant == first}

    def _sleep(self, due: dict[str, StagedRelease]) -> dict[str, StagedRelease]:
        """Wait until the next release must be prepared, and return it: another run here may move a date forward."""
        while (left := _instant(due) - AHEAD - datetime.now(UTC)) > timedelta(0):
            time.sleep(min(left, NAP).total_seconds())
            now = self._next()
            if now and _instant(now) < _instant(due):
                due = now
        return due

    def _prepare(self, due: dict[str, StagedRelease]) -> Prepared:
        """Prepare; try again while the storage does not answer and there is time left."""
        while True:
            try:
                start_embedded(self.context)
                await_instant(self.context, _instant(due) - AHEAD)
                for slug in due:  # a film takes seconds to read: its digest is known at the instant
                    fingerprint.of_source(self.context.state, slug)
                return prepare(self.context, due)
            except StorageError as error:
                if datetime.now(UTC) + NAP > _instant(due):
                    raise
                self.progress.fault(f"{error}: trying again in {NAP.seconds} seconds")
                time.sleep(NAP.total_seconds())

    def _release(self, due: dict[str, StagedRelease]) -> frozenset[str]:
        """Release what is due at one instant and still wanted; return what is public now."""
        prepared = self._prepare(due)
        snapshot = await_instant(self.context, _instant(due))
        agreed = self._agreed(due, snapshot)
        public = frozenset(due) - agreed.keys() - self._overruled
        if agreed != prepared.releases:
            prepared = prepare(self.context, agreed)
        if not prepared.releases:
            return public
        released = release(self.context, prepared, self.progress)
        for conflict in released.conflicts:
            self.outcome.report(conflict)
        return public | released.slugs

    def _agreed(self, due: Releases, snapshot: StagedSnapshot) -> dict[str, StagedRelease]:
        """Return what of ``due`` is still wanted, as it is staged now: others may have moved or cancelled it."""
        agreed: dict[str, StagedRelease] = {}
        is_complete = due.keys() <= snapshot.releases.keys()
        public = set() if is_complete else _public(read_manifest(self.context.store), due)
        for slug, staged in due.items():
            now = snapshot.releases.get(slug)
            if now is None and slug in public:
                continue  # another run with the same sources was first
            if fingerprint.of_source(self.context.state, slug) != staged.row.source:
                self.progress.fault(
                    f"{self.context.state.opaque(slug)} was edited after it was staged: the staged version is not "
                    "released"
                )
                continue
            if now is None or now.instant != staged.instant or now.row.source != staged.row.source:
                self._overruled.add(slug)
            if now is not None and now.instant <= staged.instant:
                if reason := approval.refusal(self.context, now):
                    self.progress.fault(f"{self.context.state.opaque(slug)} is not released: {reason}")
                    self.outcome.add(exit_status(ReleaseError))
                else:
                    agreed[slug] = now
        return agreed

    def _round(self) -> None:
        """Fetch, render and publish once more: update the neighbours of the new releases, and finish what was left."""
        if self._overruled:
            # This run's sources are not the newest: what they say of other releases is for the run that changed them.
            number = count(len(self._overruled), "release")
            self.progress.line(f"{number} changed by another run in the meantime: the rest is left to that run")
            return
        before = self.context
        context = CommandContext(before.state.content, before.state.work.parent, before.environ, before.root)
        self.context = context
        try:
            learn(context, self.progress, again=True)
            note_stale(context, self.progress)
            stale = noted_stale(context)
            # On a fresh clone the neighbours of the new releases were not read yet: they were up to date.
            unread = [slug for slug in stale if context.state.parsed_release(slug) is None]
            read_sources(context, unread, self.progress, recall_refused(context), publishing=True)
            render_sources(context, stale, self.progress)
            self.outcome.add(publish_all(context, self.progress))
        except DatelineError as error:
            self.outcome.report(error)


def _instant(due: Releases) -> datetime:
    """Return the instant that these releases have in common."""
    return next(iter(due.values())).instant
