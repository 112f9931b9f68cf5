"""Staging: what waits goes into the private bucket, what was moved, edited or cancelled is staged anew or taken out."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping

from msgspec import Struct

from pipeline.build.state import Entry
from pipeline.cli.console import Console, count
from pipeline.cli.context import Desk, Verdict, verdict
from pipeline.cli.doctoring import refuse_staging
from pipeline.cli.secrecy import keep_closed, keep_secret
from pipeline.model.errors import LeakError, ReleaseError, StorageError
from pipeline.model.formats import FORMATS
from pipeline.publish import schedule as due
from pipeline.publish import staging as embargo
from pipeline.publish.schedule import Due
from pipeline.publish.staging import Found, Releases, Staged
from pipeline.storage import ObjectStore, Put

MEMORY = "staged.json"


class Memory(Struct, frozen=True):
    """What waited in storage when this machine looked last."""

    address: str
    releases: dict[str, Staged]


def remembered(desk: Desk) -> Releases | None:
    """Return what is staged, as last seen; None when this machine never looked."""
    known = desk.workshop.recall(MEMORY, Memory, None)
    return known.releases if known and known.address == desk.destination.private_address else None


def remember(desk: Desk, releases: Releases) -> None:
    """Remember what is staged."""
    desk.workshop.remember(MEMORY, Memory(desk.destination.private_address, dict(releases)))


def held_here(desk: Desk) -> list[str]:
    """Return the slugs that this machine holds back: those that wait, and drafts."""
    until = desk.workshop.waiting / "until"
    sources = set(desk.workshop.slugs())
    return sorted(file.name for file in until.glob("*") if file.name in sources) if until.is_dir() else []


def stage_all(desk: Desk, console: Console) -> Verdict | None:
    """Bring what waits in storage in line with ``content/``. Raises StorageError when it would not be safe there."""
    public = desk.published.by_slug()
    dues, broken = due.sort(desk.workshop, desk.house(), [slug for slug in held_here(desk) if slug not in public])
    known = remembered(desk)
    if (dues or known is None or known) and (found := _look(desk, needed=bool(dues or known))):
        _bring_in_line(desk, found, dues, console)
    # What is refused is kept: when its source goes too, this is how it is known that it was staged from here.
    refused = {slug for slug in desk.workshop.slugs() if desk.workshop.manuscript(slug) is None}
    _tidy(desk, {*broken, *refused, *(one.ready.row.slug for one in dues)})
    for slug in broken:
        console.fault(f"{desk.workshop.opaque(slug)} is not staged: a rendition is missing, or could not be made")
    return verdict(ReleaseError) if broken else None


def plan_all(desk: Desk, console: Console) -> Verdict | None:
    """Say how many releases would be staged anew; write nothing."""
    public, known = desk.published.by_slug(), remembered(desk) or {}
    dues, broken = due.sort(desk.workshop, desk.house(), [slug for slug in held_here(desk) if slug not in public])
    new = [one for one in dues if one.ready.row.slug not in known or not known[one.ready.row.slug].is_of(one)]
    if new:
        console.line(f"dry run: {count(len(new), 'release')} would be staged in the private bucket")
    return verdict(ReleaseError) if broken else None


def _look(desk: Desk, *, needed: bool) -> Found | None:
    """Return what waits; None where nothing is to wait and there is no private bucket, or no right to it."""
    try:
        desk.store.check("private")
        return embargo.look(desk.store)
    except StorageError:
        if needed:
            raise
        return None


def _bring_in_line(desk: Desk, found: Found, dues: list[Due], console: Console) -> None:
    """Stage what is new, take out what is over; nothing is staged where anybody could find it."""
    store, before = desk.store, found.releases
    over = {slug: staged for slug, staged in before.items() if _is_over(desk, slug, staged, console)}
    there = set(store.list(embargo.FOLDER, "private")) if before else set()
    new = {one.ready.row.slug: one for one in dues if not _is_staged(before.get(one.ready.row.slug), one, there)}
    try:
        if new:
            _try_with_a_probe(desk, store)
            refuse_staging(desk)
            keep_secret(desk, new)
        elif before:
            keep_closed(desk, keys_of(before))
        ours = embargo.stage(store, new.values())
        found = embargo.change(store, found, lambda now: _merged(now, ours, new, over))
        gone = [staged for staged in (*before.values(), *ours.values()) if staged not in found.releases.values()]
        embargo.remove(store, gone)
        remember(desk, found.releases)
        if new:
            keep_closed(desk, keys_of(found.releases))
            keep_secret(desk, new)
    except LeakError:
        _take_back(desk, store)
        raise
    for slug in new:
        console.step("stage", desk.workshop.opaque(slug), "waits")
    for slug in over.keys() - new.keys() - desk.published.by_slug().keys():
        console.step("stage", desk.workshop.opaque(slug), "cancelled")


def _merged(now: Releases, ours: Releases, new: Mapping[str, Due], over: Releases) -> Releases:
    """Put ``ours`` among what waits; a rival's who staged the same meanwhile stays."""
    left = {slug: staged for slug, staged in now.items() if over.get(slug) != staged}
    return {**left, **{slug: own for slug, own in ours.items() if not (slug in left and left[slug].is_of(new[slug]))}}


def _is_staged(known: Staged | None, one: Due, there: set[str]) -> bool:
    return bool(known and known.is_of(one) and all(file.name in there for file in known.files.values()))


def _is_over(desk: Desk, slug: str, staged: Staged, console: Console) -> bool:
    """Whether ``content/`` does not want ``staged`` to become public any more, or it is public."""
    if slug in desk.published.by_slug():
        return True
    if slug not in desk.workshop.slugs():
        if slug in desk.workshop.due().ledger(FORMATS[0].name):
            return True  # it was here, and somebody took it away
        console.fault(f"warning: {desk.workshop.opaque(slug)} is staged, but not by this {desk.workshop.content}/")
        return False
    manuscript = desk.workshop.manuscript(slug)
    if manuscript is None:
        return False
    release = manuscript.release
    return release.draft or (release.date, manuscript.source) != (staged.instant, staged.row.source)


def keys_of(releases: Releases) -> list[str]:
    """Return the keys of the private bucket that tell of ``releases``."""
    return [embargo.KEY, *(file.name for staged in releases.values() for file in staged.files.values())]


def _try_with_a_probe(desk: Desk, store: ObjectStore) -> None:
    """Try whether the private bucket is closed, with something that is no secret."""
    probe = f"{embargo.FOLDER}{secrets.token_hex(16)}/probe"
    store.put(Put(key=probe, body=b"probe", media_type="text/plain; charset=utf-8"), "private")
    try:
        keep_closed(desk, [probe, embargo.KEY])
    finally:
        embargo.remove_keys(store, [probe])


def _take_back(desk: Desk, store: ObjectStore) -> None:
    """Take everything out of a private bucket that is none."""
    found = embargo.look(store)
    embargo.change(store, found, lambda now: {})
    embargo.remove(store, found.releases.values())
    remember(desk, {})


def _tidy(desk: Desk, wanted: set[str]) -> None:
    """Remove what was set ahead of releases that do not wait any more."""
    workshop = desk.workshop.due()
    for row in FORMATS:
        left = workshop.ledger(row.name).keys() - wanted
        for slug in left:
            (workshop.public / row.key(slug)).unlink(missing_ok=True)
            shutil.rmtree(workshop.public / "releases" / slug, ignore_errors=True)
            workshop.note(workshop.books + row.name, slug, None)
        if left:
            workshop.copy_fair(workshop.books + row.name, Entry)
