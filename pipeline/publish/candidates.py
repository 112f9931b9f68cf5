"""Candidates: releases whose date has come, with all renditions here and rendered from the current source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build import fingerprint, revisions
from pipeline.build.context import CommandContext
from pipeline.build.reading import listed_around, picture_files
from pipeline.build.revisions import PlannedRevision
from pipeline.build.stages import RenderTask, tasks
from pipeline.build.state import BuildState, ParsedRelease, footage_of
from pipeline.model.footage import STORED, Footage, FootageFile, Missing, expiries
from pipeline.model.formats import FORMATS, Rendition, by_name, formats_of
from pipeline.model.manifest import Manifest, Row, digest, with_rows
from pipeline.model.release import Release
from pipeline.model.release_index import IndexEntry
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord, digest_of_words, number
from pipeline.publish.plan import File
from pipeline.site import archive
from pipeline.storage import CopyRequest


class ArchivedCopy(Struct, frozen=True):
    """A public file that stays public under another key when the next revision replaces it."""

    source: str
    key: str
    sha256: str


class Candidate(Struct, frozen=True):
    """A release that can be uploaded or staged."""

    row: Row
    """Its row in the manifest once it is public; ``row.date`` is the instant from which it may be."""
    files: tuple[File, ...]
    archived: tuple[ArchivedCopy, ...] = ()
    """Public files that are copied before they are overwritten."""
    films: tuple[File, ...] = ()
    """Footage files that follow when it is public: until then its page says that they are coming."""
    expired: tuple[tuple[str, str], ...] = ()
    """Key and SHA-256 of the footage files that were taken down: its statement names them still."""
    neighbours: tuple[str, ...] = ()
    """Slugs of the releases that its page names."""
    layout: str = ""
    """Digest of all that its files are made from but the releases that its page names."""

    @property
    def stated(self) -> dict[str, str]:
        """Key → SHA-256 of all files that a statement may name, those of its footage included that are not there."""
        return {file.key: file.sha256 for file in (*self.files, *self.films)} | dict(self.expired)


class Classified(Struct, frozen=True):
    """Releases by what can be done with them."""

    candidates: tuple[Candidate, ...]
    scheduled: tuple[str, ...]
    """Slugs of releases whose date is ahead, and of drafts."""
    failed: tuple[str, ...]
    """Slugs of releases that were refused or lack a rendition."""


def classify(state: BuildState, render_context: RenderContext, slugs: Iterable[str], instant: datetime) -> Classified:
    """Divide ``slugs`` into candidates, scheduled and failed; a release dated ``instant`` is a candidate."""
    known = sorted(slugs)
    wanted = {row.name: {task.slug: task for task in tasks(row, state, render_context, known)} for row in FORMATS}
    rendered_files = {row.name: state.rendered(row.name, known) for row in FORMATS}
    listed = listed_around(state, render_context.published, known, render_context.now)
    rows, planned = render_context.published.by_slug(), revisions.recall(state)
    candidates, scheduled, failed = [], [], []
    for slug in known:
        parsed_release = state.parsed_release(slug)
        if parsed_release is None:
            failed.append(slug)
            continue
        release = parsed_release.release
        formats = formats_of(
            withdrawn=release.withdrawn is not None, pictured=bool(release.pictures), shots=release.has_shots
        )
        rendered = [(wanted[row.name].get(slug), rendered_files[row.name].get(slug)) for row in formats]
        if not parsed_release.release.is_public(instant) or any(entry and entry.unpublished for _, entry in rendered):
            scheduled.append(slug)
            continue
        renditions = [
            entry.rendition for task, entry in rendered if task and entry and task.fingerprint == entry.fingerprint
        ]
        if len(renditions) == len(formats) and (
            candidate := _candidate(
                state,
                render_context,
                parsed_release,
                renditions,
                wanted["html"][slug],
                listed,
                rows.get(slug),
                planned.get(slug),
            )
        ):
            candidates.append(candidate)
        else:
            failed.append(slug)
    return Classified(tuple(candidates), tuple(scheduled), tuple(failed))


def without_contested(
    candidates: tuple[Candidate, ...], base: Manifest, current: Manifest, publisher: str
) -> tuple[Candidate, ...]:
    """Leave out candidates that changed only because of a neighbour, while another publisher updates them as well.

    Two publishers of different releases both update the page of the release before; neither must be stopped by that.
    The neighbours will have changed again by then, so the next run renders what was left out.
    """
    before, now = base.by_slug(), current.by_slug()

    def is_free(row: Row) -> bool:
        known, theirs = before.get(row.slug), now.get(row.slug)
        if theirs and theirs.record == row.record and theirs.statement and theirs != known:
            return row.statement in (None, theirs.statement)  # they signed the same files with another key
        if known is None or theirs is None or not known.source == theirs.source == row.source:
            return True
        lease = current.leases.get(digest(row.slug.encode()))
        return theirs.record in (known.record, row.record) and (lease is None or lease.by == publisher)

    return tuple(candidate for candidate in candidates if is_free(candidate.row))


def local_manifest(context: CommandContext) -> Manifest:
    """Return the manifest as it would be with the releases rendered here, on top of the one fetched last."""
    slugs = context.state.summaries(context.state.slugs()).keys()
    classified = classify(context.state, context.render_context(), slugs, context.now)
    known = context.published.whole()
    rows = known.by_slug() | {candidate.row.slug: candidate.row for candidate in classified.candidates}
    return archive.remember(known, with_rows(known, rows.values()))


def _candidate(
    state: BuildState,
    render_context: RenderContext,
    parsed_release: ParsedRelease,
    renditions: list[Rendition],
    page: RenderTask,
    listed: dict[str, IndexEntry],
    public: Row | None,
    planned: PlannedRevision | None,
) -> Candidate | None:
    """Return the candidate, None when one of its files is missing."""
    release, source, newsroom = parsed_release.release, parsed_release.source, render_context.newsroom
    past, others, missing = page.past, page.related, page.missing
    settings = fingerprint.of_newsroom(newsroom, render_context.mark)
    footage = footage_of(release)
    gone = {f"releases/{release.slug}/{file}" for file, why in missing.items() if why == "gone"}
    expiring = _expiring(release, footage, missing, public)

    def public_slug(slug: str) -> str:
        # Checked a second time here: the reader already refuses to name a release that is not public.
        entry = listed.get(slug)
        return entry.slug if entry and not entry.is_hidden(render_context.now) else ""

    row = Row(
        slug=release.slug,
        title=release.title,
        summary=release.summary,
        date=release.date.astimezone(ZoneInfo(newsroom.time_zone)),  # its year is that of the date as printed
        language=release.language,
        record=renditions[-1].sha256,
        fingerprint=fingerprint.of_release(source, settings, render_context.base_url, others, past),
        source=source,
        modified=release.modified,
        sizes={rendition.format: rendition.size for rendition in renditions},
        pages=max(rendition.pages for rendition in renditions),
        thumbnail=next((picture.thumbnail for picture in release.pictures), None),
        topics=release.topics,
        revision=number(release, past),
        translation_of=public_slug(release.translation_of),
        withdrawn=release.withdrawn is not None,
        replaced_by=public_slug(release.withdrawn.replaced_by) if release.withdrawn else "",
        words=digest_of_words(release),
        was=release.was,
        past=past,
        pending_deletes=revisions.pending_deletes(release.slug, public, source, planned) if release.withdrawn else (),
        footage_outdated="coming" in missing.values(),
        expiring={} if release.withdrawn else expiring,
        expired=tuple(sorted(gone | {key for key, end in expiring.items() if end <= render_context.now})),
    )
    pages, copies = _archived(release.slug, past, public)
    files = tuple(
        File(file.key, file.sha256, file.size, state.public / file.key)
        for file in (*renditions, *picture_files(release), *pages)
    )
    there, coming, expired = _footage_files(state, release, footage, missing)
    files += there
    if not all(file.source.is_file() for file in (*files, *coming) if isinstance(file.source, Path)):
        return None
    layout = fingerprint.of_release(source, settings, render_context.base_url, (), past)
    named = tuple(sorted({other.slug for other in others}))
    return Candidate(row, files, copies, coming, expired, neighbours=named, layout=layout)


def _archived(
    slug: str, past: Iterable[RevisionRecord], public: Row | None
) -> tuple[list[Rendition], tuple[ArchivedCopy, ...]]:
    """Return what is archived now: pages, which say that they are of an earlier revision, and copies of other files."""
    new = [revision for revision in past if public is None or revision not in public.past]
    files = [file for revision in new for file in revision.files]
    pages = [file for file in files if file.format == "html"]
    copies = (ArchivedCopy(_original_key(slug, file), file.key, file.sha256) for file in files if file not in pages)
    return pages, tuple(copies)


def _footage_files(
    state: BuildState, release: Release, footage: Iterable[Footage], missing: Mapping[str, Missing]
) -> tuple[tuple[File, ...], tuple[File, ...], tuple[tuple[str, str], ...]]:
    """Return the files of footage that are there and those that follow, and key and SHA-256 of those that are gone."""
    offered = {each.file: each for notice in footage for each in notice.files}.values()
    return (
        tuple(_footage_file(state, release, each) for each in offered if each.file not in missing),
        tuple(_footage_file(state, release, each) for each in offered if missing.get(each.file) == "coming"),
        tuple(
            (f"releases/{release.slug}/{each.file}", each.sha256)
            for each in offered
            if missing.get(each.file) == "gone" and each.sha256
        ),
    )


def _footage_file(state: BuildState, release: Release, file: FootageFile) -> File:
    """Return a file of footage as it is uploaded, or copied from the private bucket."""
    key, path = f"releases/{release.slug}/{file.file}", state.footage_file(release.slug, file)
    if path:
        return File(key, file.sha256, file.size, path, footage=True)
    film = state.films.get(file.source)
    there = File(key, file.sha256, file.size, b"", footage=True)
    copy = CopyRequest(
        key=key,
        source=file.source.removeprefix(STORED),
        if_match=film.etag if film else "",
        size=file.size,
        media_type=there.media_type,
        cache_control=there.cache_control,
        download=there.download,
        sha256=file.sha256,
    )
    return replace(there, source=copy)


def _expiring(
    release: Release, footage: Iterable[Footage], missing: Mapping[str, Missing], public: Row | None
) -> dict[str, datetime]:
    """Return key → instant of the footage files that are, or may still be, in storage and expire.

    What is public and is not named any more expires all the same, but for a poster that is a picture by now.
    """
    folder = f"releases/{release.slug}/"
    named = {folder + each.file: each.file for notice in footage for each in notice.files}
    pictures = {folder + file for file in release.picture_files}
    ends = expiries(footage)
    before, deleted = (public.expiring, public.expired) if public else ({}, named)
    pending = {
        key: ends[file]
        for key, file in named.items()
        if file in ends and (missing.get(file) != "gone" or key in before or key not in deleted)
    }
    return pending | {key: end for key, end in before.items() if key not in named.keys() | pictures}


def _original_key(slug: str, archived: Rendition) -> str:
    """Return the key that an archived file had while its revision was the newest."""
    if archived.format in ("picture", "copy"):
        return f"releases/{slug}/{archived.key.rpartition('/')[2]}"
    return by_name(archived.format).key(slug)
