"""Lifting: at its instant a release that waits is copied to its addresses and committed; a late run does it at once.

Everything that shows the release is made before, so that at the instant there is nothing left to do but to ask, to copy
and to commit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.build.reading import all_listed
from pipeline.build.state import write_file
from pipeline.cli.console import Console, count, size
from pipeline.cli.staging import remember
from pipeline.model.errors import ConflictError, StorageError
from pipeline.model.manifest import Manifest, digest
from pipeline.model.release_index import ReleaseIndex
from pipeline.publish import apply as publish
from pipeline.publish import commits, up_to_date
from pipeline.publish import schedule as due
from pipeline.publish import staging as embargo
from pipeline.publish import verification as verify
from pipeline.publish.apply import Publisher
from pipeline.publish.fetch import compare_clocks
from pipeline.publish.listings import build, complain, keep, opening, read_back
from pipeline.publish.plan import File, Upload, plan
from pipeline.publish.staging import Releases, Staged, StagedSnapshot
from pipeline.publish.upload import LEASE
from pipeline.storage import CopyRequest

EARLY = 0.5
"""Seconds before an instant from which on storage is asked for its clock again and again."""
TICK = 0.02


class PreparedRelease(Struct, frozen=True):
    """Releases that can be lifted, and all that was done for it ahead."""

    releases: dict[str, Staged]
    copies: dict[str, list[CopyRequest]]
    me: Publisher
    show: Callable[[Manifest], Mapping[str, bytes]]
    """From a manifest to the listings that look otherwise than they do now."""
    opened: Mapping[str, bytes]
    """Listings that the pages are the first to lead to, as they are before."""


class Lift(Struct, frozen=True):
    """What became of a lift."""

    there: frozenset[str]
    conflicts: tuple[ConflictError, ...]


# ── Ahead ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def prepare(context: CommandContext, releases: Releases) -> PreparedRelease:
    """Do what can be done ahead of the instant; a release that is not whole in storage, or would name another that is
    not public, is left to an ordinary upload.
    """
    store = context.store
    clock = store.check().date
    seen = commits.look(store)
    found = embargo.copies(store, releases)
    whole = {slug: staged for slug, staged in releases.items() if slug in found}
    while lonely := [
        slug for slug, one in whole.items() if not set(one.neighbours) <= {*whole, *seen.manifest.by_slug()}
    ]:
        for slug in lonely:
            del whole[slug]
    for slug, staged in whole.items():
        _keep_record(context, slug, staged)
    missing = {key: data for key, data in context.assets.items() if key not in seen.manifest.assets}
    assets = plan([File(key, digest(data), len(data), data) for key, data in missing.items()], {})
    publish.put_up(store, assets.uploads, lambda upload: None)
    ready = tuple(staged.ready() for staged in whole.values())
    opened = opening(context, seen, ready)
    show = _changing(context, seen.manifest)
    show(publish.merged(seen.manifest, ready, context.assets))
    return PreparedRelease(whole, found, Publisher(context.state.name(), clock, clock + LEASE), show, opened)


def _keep_record(context: CommandContext, slug: str, staged: Staged) -> None:
    """Keep the record of a release where the listings look for it."""
    kept = context.state.work / "records" / staged.row.record
    if not kept.is_file():
        found = context.store.get(staged.files[f"releases/{slug}.json"].name, "private")
        write_file(kept, found.body if found else b"")


def _changing(context: CommandContext, seen: Manifest) -> Callable[[Manifest], Mapping[str, bytes]]:
    """Return a function that makes the listings that differ from those of ``seen``; it remembers what it made last."""
    before = build(context, seen)
    shown = seen
    made: Mapping[str, bytes] = {}

    def show(manifest: Manifest) -> Mapping[str, bytes]:
        nonlocal shown, made
        here, there = ((one.rows, one.languages, one.topics, one.emptied) for one in (manifest, shown))
        if here != there:
            made = {name: data for name, data in build(context, manifest).items() if before.get(name) != data}
            shown = manifest
        return made

    return show


# ── At the instant ──────────────────────────────────────────────────────────────────────────────────────────────────


def await_instant(context: CommandContext, instant: datetime) -> StagedSnapshot:
    """Return what waits as it was once ``instant`` had come, by this machine's clock and by storage's.

    Storage tells whole seconds, so its clock is only believed once it shows the instant rounded up. Raises StorageError
    when the two clocks differ.
    """
    whole = datetime.fromtimestamp(math.ceil(instant.timestamp()), UTC)
    while True:
        left = (instant - datetime.now(UTC)).total_seconds() - EARLY
        if left > 0:
            time.sleep(min(left, 10))  # in short naps: a laptop may sleep too, and clocks are set
            continue
        found = embargo.look(context.store)
        now = datetime.now(UTC)
        compare_clocks(found.date, now)
        if now >= instant and (found.date is None or found.date >= whole):
            return found
        time.sleep(TICK)


def lift(context: CommandContext, ready: PreparedRelease, console: Console) -> Lift:
    """Make ``ready`` public: files, pages, manifest, listings; then read it back. Raises StorageError."""
    store, written = context.store, dict[str, str]()
    digests = {key: file.sha256 for staged in ready.releases.values() for key, file in staged.files.items()}
    unverified = context.state.recall(up_to_date.UNVERIFIED, list[str], [])
    # Until it was read back, the manifest alone must settle none of it: this run may be killed any time.
    context.state.remember(up_to_date.UNVERIFIED, sorted({*unverified, *ready.releases}))

    def copied(key: str) -> None:
        written[key] = digests[key]

    def listed(upload: Upload) -> None:
        written[upload.file.key] = upload.file.sha256

    done = embargo.lift(
        store, ready.releases, ready.copies, context.published, ready.me, context.assets, ready.opened, copied
    )
    seen, problems = done.seen, list[verify.Problem]()
    for _ in range(commits.TRIES):
        seen = publish.list_all(store, ready.show(seen.manifest), ready.show, listed)
        lifted_at = datetime.now(UTC)
        keep(context, seen.manifest)
        problems = read_back(context, written, seen.manifest)
        if not problems or commits.look(store).manifest.serial == seen.manifest.serial:
            break  # else somebody published meanwhile: what is shared is theirs now, and is looked at again
    complain(problems)
    context.state.remember(up_to_date.UNVERIFIED, unverified)
    there = {slug: ready.releases[slug] for slug in sorted(done.there)}
    due.promote(context.state, {slug: staged.files_by_digest() for slug, staged in there.items()})
    remember(context, embargo.forget(store, there).releases)
    for slug, staged in there.items():
        total = size(sum(file.size for file in staged.files.values()))
        console.step("lift", slug, total, count(len(staged.files), "file"), after(lifted_at - staged.instant))
    return Lift(done.there, done.conflicts)


def after(late: timedelta) -> str:
    """Return how long after its instant a release was public: ``0.2 s after its instant``, ``7 min late``."""
    seconds = max(0.0, late.total_seconds())
    if seconds < 60:
        return f"{seconds:.1f} s after its instant"
    minutes = round(seconds / 60)
    return f"{minutes} min late" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min late"


# ── Late ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def release_overdue(context: CommandContext, console: Console) -> tuple[ConflictError, ...]:
    """Lift at once what is staged and overdue, if it is what ``content/`` says; the rest is for an ordinary upload."""
    public = context.published.by_slug()
    fresh = [slug for slug in context.state.slugs() if slug not in public]
    parsed_releases = [found for found in map(context.state.parsed_release, fresh) if found]
    overdue = {one.release.slug: one for one in parsed_releases if one.release.is_public(context.now)}
    if not overdue:
        return ()
    render_context = context.render_context()
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    listed = all_listed(context.state, context.published)
    context.store.check()
    try:
        found = embargo.look(context.store)
    except StorageError:  # no private bucket, or no right to it: then nothing waits there, and all goes up as ever
        return ()
    late: dict[str, Staged] = {}
    for slug in overdue.keys() & found.releases.keys():
        staged, parsed_release = found.releases[slug], overdue[slug]
        others = ReleaseIndex(listed, staged.instant).around_release(parsed_release.release)
        stamp = fingerprint.of_release(parsed_release.source, settings, render_context.base_url, others)
        if (staged.instant, staged.row.fingerprint) == (parsed_release.release.date, stamp):
            late[slug] = staged
    conflicts: tuple[ConflictError, ...] = ()
    by_instant: dict[datetime, dict[str, Staged]] = {}
    for slug, staged in late.items():
        by_instant.setdefault(staged.instant, {})[slug] = staged
    for instant in sorted(by_instant):
        await_instant(context, instant)  # overdue, but by the earlier clock that a run goes by
        ready = prepare(context, by_instant[instant])
        if ready.releases:
            conflicts += lift(context, ready, console).conflicts
    return conflicts
