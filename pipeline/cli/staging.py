"""Staging: what waits goes into the private bucket, what was moved, edited or cancelled is staged anew or taken out."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping

from msgspec import Struct

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.state import RenderedFile
from pipeline.cli.console import Console, count
from pipeline.cli.doctor import refuse_staging
from pipeline.cli.secrecy import keep_closed, keep_secret
from pipeline.model.errors import LeakError, ReleaseError, StorageError
from pipeline.model.formats import FORMATS
from pipeline.publish import schedule as due
from pipeline.publish import staging as embargo
from pipeline.publish.schedule import ScheduledRelease
from pipeline.publish.staging import Releases, Staged, StagedSnapshot
from pipeline.storage import ObjectStore, Put

MEMORY = "staged.json"


class StagedMemory(Struct, frozen=True):
    """What waited in storage when this machine looked last."""

    address: str
    releases: dict[str, Staged]


def remembered(context: CommandContext) -> Releases | None:
    """Return what is staged, as last seen; None when this machine never looked."""
    known = context.state.recall(MEMORY, StagedMemory, None)
    return known.releases if known and known.address == context.destination.private_address else None


def remember(context: CommandContext, releases: Releases) -> None:
    """Remember what is staged."""
    context.state.remember(MEMORY, StagedMemory(context.destination.private_address, dict(releases)))


def held_here(context: CommandContext) -> list[str]:
    """Return the slugs that this machine holds back: those that wait, and drafts."""
    until = context.state.waiting / "until"
    sources = set(context.state.slugs())
    return sorted(file.name for file in until.glob("*") if file.name in sources) if until.is_dir() else []


def stage_all(context: CommandContext, console: Console) -> ExitStatus | None:
    """Bring what waits in storage in line with ``content/``. Raises StorageError when it would not be safe there."""
    public = context.published.by_slug()
    dues, failed = due.sort(
        context.state, context.render_context(), [slug for slug in held_here(context) if slug not in public]
    )
    known = remembered(context)
    if (dues or known is None or known) and (found := _look(context, needed=bool(dues or known))):
        _bring_in_line(context, found, dues, console)
    # What is refused is kept: when its source goes too, this is how it is known that it was staged from here.
    refused = {slug for slug in context.state.slugs() if context.state.parsed_release(slug) is None}
    _tidy(context, {*failed, *refused, *(one.ready.row.slug for one in dues)})
    for slug in failed:
        console.fault(f"{context.state.opaque(slug)} is not staged: a rendition is missing, or could not be made")
    return exit_status(ReleaseError) if failed else None


def plan_all(context: CommandContext, console: Console) -> ExitStatus | None:
    """Say how many releases would be staged anew; write nothing."""
    public, known = context.published.by_slug(), remembered(context) or {}
    dues, failed = due.sort(
        context.state, context.render_context(), [slug for slug in held_here(context) if slug not in public]
    )
    new = [one for one in dues if one.ready.row.slug not in known or not known[one.ready.row.slug].is_of(one)]
    if new:
        console.line(f"dry run: {count(len(new), 'release')} would be staged in the private bucket")
    return exit_status(ReleaseError) if failed else None


def _look(context: CommandContext, *, needed: bool) -> StagedSnapshot | None:
    """Return what waits; None where nothing is to wait and there is no private bucket, or no right to it."""
    try:
        context.store.check("private")
        return embargo.look(context.store)
    except StorageError:
        if needed:
            raise
        return None


def _bring_in_line(
    context: CommandContext, found: StagedSnapshot, dues: list[ScheduledRelease], console: Console
) -> None:
    """Stage what is new, take out what is over; nothing is staged where anybody could find it."""
    store, before = context.store, found.releases
    over = {slug: staged for slug, staged in before.items() if _is_over(context, slug, staged, console)}
    there = set(store.list(embargo.FOLDER, "private")) if before else set()
    new = {one.ready.row.slug: one for one in dues if not _is_staged(before.get(one.ready.row.slug), one, there)}
    try:
        if new:
            _try_with_a_probe(context, store)
            refuse_staging(context)
            keep_secret(context, new)
        elif before:
            keep_closed(context, keys_of(before))
        ours = embargo.stage(store, new.values())
        found = embargo.change(store, found, lambda now: _merged(now, ours, new, over))
        gone = [staged for staged in (*before.values(), *ours.values()) if staged not in found.releases.values()]
        embargo.remove(store, gone)
        remember(context, found.releases)
        if new:
            keep_closed(context, keys_of(found.releases))
            keep_secret(context, new)
    except LeakError:
        _take_back(context, store)
        raise
    for slug in new:
        console.step("stage", context.state.opaque(slug), "waits")
    for slug in over.keys() - new.keys() - context.published.by_slug().keys():
        console.step("stage", context.state.opaque(slug), "cancelled")


def _merged(now: Releases, ours: Releases, new: Mapping[str, ScheduledRelease], over: Releases) -> Releases:
    """Put ``ours`` among what waits; a rival's who staged the same meanwhile stays."""
    left = {slug: staged for slug, staged in now.items() if over.get(slug) != staged}
    return {**left, **{slug: own for slug, own in ours.items() if not (slug in left and left[slug].is_of(new[slug]))}}


def _is_staged(known: Staged | None, one: ScheduledRelease, there: set[str]) -> bool:
    return bool(known and known.is_of(one) and all(file.name in there for file in known.files.values()))


def _is_over(context: CommandContext, slug: str, staged: Staged, console: Console) -> bool:
    """Whether ``content/`` does not want ``staged`` to become public any more, or it is public."""
    if slug in context.published.by_slug():
        return True
    if slug not in context.state.slugs():
        if slug in context.state.due().ledger(FORMATS[0].name):
            return True  # it was here, and somebody took it away
        console.fault(f"warning: {context.state.opaque(slug)} is staged, but not by this {context.state.content}/")
        return False
    parsed_release = context.state.parsed_release(slug)
    if parsed_release is None:
        return False
    release = parsed_release.release
    return release.draft or (release.date, parsed_release.source) != (staged.instant, staged.row.source)


def keys_of(releases: Releases) -> list[str]:
    """Return the keys of the private bucket that tell of ``releases``."""
    return [embargo.KEY, *(file.name for staged in releases.values() for file in staged.files.values())]


def _try_with_a_probe(context: CommandContext, store: ObjectStore) -> None:
    """Try whether the private bucket is closed, with something that is no secret."""
    probe = f"{embargo.FOLDER}{secrets.token_hex(16)}/probe"
    store.put(Put(key=probe, body=b"probe", media_type="text/plain; charset=utf-8"), "private")
    try:
        keep_closed(context, [probe, embargo.KEY])
    finally:
        embargo.remove_keys(store, [probe])


def _take_back(context: CommandContext, store: ObjectStore) -> None:
    """Take everything out of a private bucket that is none."""
    found = embargo.look(store)
    embargo.change(store, found, lambda now: {})
    embargo.remove(store, found.releases.values())
    remember(context, {})


def _tidy(context: CommandContext, wanted: set[str]) -> None:
    """Remove what was set ahead of releases that do not wait any more."""
    state = context.state.due()
    for row in FORMATS:
        left = state.ledger(row.name).keys() - wanted
        for slug in left:
            (state.public / row.key(slug)).unlink(missing_ok=True)
            shutil.rmtree(state.public / "releases" / slug, ignore_errors=True)
            state.note(state.books + row.name, slug, None)
        if left:
            state.copy_fair(state.books + row.name, RenderedFile)
