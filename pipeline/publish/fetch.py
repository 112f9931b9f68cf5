"""Before publishing: what the storage has already, which sources are new, and which releases are up to date."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial

import msgspec

from pipeline.build import published, reading, revisions
from pipeline.build.context import RUN_CLOCK, STALE, CommandContext
from pipeline.build.published import StoredManifest
from pipeline.build.state import HELD_BACK, BuildState, ParsedRelease, write_file
from pipeline.model.errors import ReleaseError, SettingError, StorageError, printable
from pipeline.model.manifest import EMPTY, KEY, Manifest, Row, digest
from pipeline.publish import approval, stored_footage
from pipeline.publish.commits import must_get
from pipeline.publish.manifest import NEWEST, load_head, with_years, year_rows
from pipeline.publish.parallel import in_parallel
from pipeline.publish.progress import Progress
from pipeline.publish.revisions import plan_revision
from pipeline.publish.sources import (
    REFUSED,
    read_sources,
    recall_refused,
    refuse_samples,
    report_refused,
    unread_samples,
)
from pipeline.publish.staging import read_staged, recall_staged
from pipeline.publish.statements import signing_key
from pipeline.publish.up_to_date import (
    believe,
    changed_sources,
    recall_unverified,
    scan_sources,
    stale_slugs,
    unpublished_sources,
)
from pipeline.storage import embedded
from pipeline.typography.messages import Messages

APART = timedelta(seconds=2)
"""How far the clocks of the storage and of this machine may differ."""


def start_embedded(context: CommandContext) -> None:
    """Start the embedded store if it is the destination and does not run."""
    if context.destination.embedded:
        embedded.start(context.root)


def learn(context: CommandContext, progress: Progress, *, again: bool = False) -> None:
    """Fetch the manifest and read new sources.

    ``again`` says that this run reported the refused sources before. Otherwise the last step of publishing reports
    them, so that a person reads them last.
    """
    start_embedded(context)
    stored = fetch_published(context)
    context.state.remember(RUN_CLOCK, context.now.isoformat())
    scan_sources(context.state)
    context.take_published(stored)
    believe(context.state, stored, context.render_context())
    changed = {*changed_sources(context.state, stored), *unread_samples(context)}
    stored_footage.look(context, changed, progress)
    changed.update(stored_footage.changed(context, progress))
    reported = recall_refused(context) if again else {}
    read_sources(context, sorted(changed), progress, reported, publishing=True, deferred=not again)
    try:
        refuse_samples(context)
    except ReleaseError:
        report_refused(context, progress)
        raise
    _plan_revisions(context)
    _note_held_back(context)


def _note_held_back(context: CommandContext) -> None:
    """Note the new and changed releases that stay back: no page may name them, or say what is new."""
    held_back = sorted(_held_back(context))
    if held_back != context.state.held_back():
        context.state.database.write("UPDATE published SET expected = NULL")  # what they say of each other may change
        context.state.remember(HELD_BACK, held_back)


def _held_back(context: CommandContext) -> set[str]:
    """Return the new and changed releases that nobody has approved, or that cannot be signed on this machine."""
    newsroom = context.newsroom
    if not newsroom.signs:
        return set()
    required, rows = newsroom.signatures_required, context.published.by_slug()
    read = {slug: context.state.parsed_release(slug) for slug, _ in unpublished_sources(context.state)}
    changed = {slug: found.source for slug, found in read.items() if found and not found.release.draft}
    if newsroom.approvals or not required:  # a withdrawal needs no approval
        changed = {slug: source for slug, source in changed.items() if not _is_withdrawn(read[slug])}
    if newsroom.approvals:
        staged = read_staged(context.store).releases if changed else {}
    else:
        if not required:
            changed = {slug: changed[slug] for slug in changed if (row := rows.get(slug)) and row.statement}
        if not changed or signing_key(context)():
            return set()
        staged = dict(recall_staged(context) or {})
    ready = {slug for slug in changed.keys() & staged.keys() if staged[slug].row.source == changed[slug]}
    return changed.keys() - {slug for slug in ready if approval.may_be_public(context, staged[slug])}


def _is_withdrawn(parsed_release: ParsedRelease | None) -> bool:
    return parsed_release is not None and parsed_release.release.withdrawn is not None


def note_stale(context: CommandContext, progress: Progress) -> None:
    """Note the releases that are not up to date, for the stages and for ``publish``."""
    state, published = context.state, context.published
    found = stale_slugs(state, published, context.render_context()) if isinstance(published, StoredManifest) else []
    unverified = (slug for slug in recall_unverified(state) if os.path.lexists(state.source(slug)))
    stale = sorted({*found, *unverified})
    context.state.remember(STALE, stale)
    stored_footage.look(context, _not_looked_at(context.state, stale), progress)
    if stale:
        facts = (published.serial, stale, context.state.held_back())
        context.state.note_published(digest(msgspec.json.encode(facts)))


def read_stale(context: CommandContext, progress: Progress) -> None:
    """Read the releases that are rendered next, so that no stage has to; not those that were read or refused here."""
    refused = recall_refused(context)
    slugs = reading.out_of_date(context.state, context.newsroom, noted_stale(context))
    if unread := [slug for slug in slugs if printable(slug) not in refused]:
        read_sources(context, unread, progress, {}, publishing=True, deferred=True)
        context.state.remember(REFUSED, refused | recall_refused(context))


def _not_looked_at(state: BuildState, slugs: list[str]) -> Iterator[str]:
    """Yield the releases that are read next, or were read before anybody knew the files that they have stored."""
    known = state.summaries(slugs)
    for slug in slugs:
        if slug not in known or any(file.is_stored and not file.sha256 for file in known[slug].footage_files):
            yield slug


def noted_stale(context: CommandContext) -> list[str]:
    """Return the releases that the last fetch did not find up to date. Raises SettingError when there was no fetch."""
    if (stale := context.stale_slugs()) is None:
        raise SettingError("nothing was fetched from the storage yet", "run make publish: it does all steps in order")
    return stale


# ── Planned revisions ───────────────────────────────────────────────────────────────────────────────────────────────


def _plan_revisions(context: CommandContext) -> None:
    """Plan what happens to the public revision of each release that will be replaced, while it can still be read."""
    rows = context.published.by_slug()
    planned = {}
    for slug, source in unpublished_sources(context.state):
        row = rows.get(slug)
        parsed_release = context.state.parsed_release(slug) if row else None
        if row is None or parsed_release is None or parsed_release.source != source:
            continue
        release = parsed_release.release
        if release.is_public(context.now) and revisions.change(row, release, source):
            messages, today = Messages(release.language, context.newsroom.time_zone), context.now.date()
            revision, page = plan_revision(row, release, source, messages, partial(_public, context), today)
            planned[slug] = revision
            _archive_here(context, row, revision, page)
    context.state.remember(revisions.PLANNED, planned)


def _public(context: CommandContext, key: str, sha256: str) -> bytes | None:
    """Return what is public at ``key``, from this machine or the storage; None when it has another digest."""
    file = context.state.public / key
    if sha256 and file.is_file() and digest(data := file.read_bytes()) == sha256:
        return data
    answer = context.anonymous.get(key)
    return answer.body if answer.status == 200 and sha256 in ("", answer.sha256) else None


def _archive_here(context: CommandContext, row: Row, planned: revisions.PlannedRevision, page: bytes) -> None:
    """Archive files on this machine too, as far as they are here; the archived page is uploaded from here."""
    folder = context.state.public / "releases"
    for file in planned.past[-1].files if planned.past else ():
        name = file.key.rpartition("/")[2]
        original = folder / row.slug / name if file.format in ("picture", "copy") else folder / name
        if file.format == "html":
            write_file(context.state.public / file.key, page)
        elif original.is_file() and digest(data := original.read_bytes()) == file.sha256:
            write_file(context.state.public / file.key, data)


# ── What is public ──────────────────────────────────────────────────────────────────────────────────────────────────


def fetch_published(context: CommandContext) -> StoredManifest:
    """Store the public manifest in the build state and return it; of its year pages, those that differ are fetched."""
    state, address = context.state, context.destination.address
    head, page = _head(context)
    if len(head.rows) < NEWEST:  # it has all rows itself
        return published.store_whole(state, address, head)
    known = published.known_years(state, address)
    differing = {year: each for year, each in head.years.items() if known.get(year) != each}
    pages = in_parallel(lambda year: year_rows(differing[year], page), differing)
    return published.store(state, address, head, pages)


def last_manifest(context: CommandContext) -> Manifest:
    """Return the public manifest with all its rows; the build state is not asked and does not learn of it."""
    return with_years(*_head(context))


def _head(context: CommandContext) -> tuple[Manifest, Callable[[str], bytes]]:
    """Return the public manifest with its newest rows, and how its year pages are read.

    It comes by one anonymous GET where there is one, else with the publisher's credentials. The storage's clock shows
    whole seconds; from here on the run goes by the earlier of the two clocks.
    """
    anonymous = context.anonymous
    answer = anonymous.get(KEY)
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    if is_page:  # no storage, but a website or a login page: the store says so
        context.store.check()
    compare_clocks(answer.date, datetime.now(UTC))
    context.now = min(context.now, answer.date or context.now)
    if answer.status == 200 and not is_page:
        return load_head(answer.body), lambda key: anonymous.get(key).body
    store = context.store
    store.check()
    stored = store.get(KEY)
    return load_head(stored.body) if stored else EMPTY, lambda key: must_get(store, key)


def compare_clocks(theirs: datetime | None, ours: datetime) -> None:
    """Raise StorageError when the two clocks differ: an embargo would end at the wrong instant."""
    if theirs and abs(theirs + timedelta(seconds=0.5) - ours) > APART + timedelta(seconds=0.5):
        raise StorageError(
            f"the clocks of the storage and of this machine are {abs((theirs - ours).total_seconds()):.0f} "
            "seconds apart",
            "set the clock that is wrong (timedatectl status)",
        )


def public_row(context: CommandContext, command: str) -> Row:
    """Fetch the manifest and return the row of ``RELEASE=``. Raises SettingError when that release is not public."""
    typed = context.environ.get("DATELINE_RELEASE", "").strip()
    slug = typed.rpartition("/")[2].removesuffix(".md")
    if not slug:
        raise SettingError("RELEASE is not set", f"make {command} RELEASE=name, the name of its file without .md")
    start_embedded(context)
    context.published = last_manifest(context)
    rows = context.published.by_slug()
    if slug not in rows:
        near = get_close_matches(slug, rows, 1, 0.6)  # of public names only: others may belong to a scheduled release
        hint = f"did you mean {near[0]}?" if near else "make status lists the releases and their states"
        raise SettingError(f"{printable(slug)} is not public", hint)
    return rows[slug]


def public_file(context: CommandContext, key: str, sha256: str = "") -> bytes:
    """Return a public file as an anonymous client gets it. Raises StorageError when it has another digest."""
    answer = context.anonymous.get(key)
    if answer.status != 200 or sha256 not in ("", answer.sha256):
        what = f"answers {answer.status}" if answer.status != 200 else "has other bytes than were published"
        raise StorageError(f"{key} {what}", "make verify")
    return answer.body
