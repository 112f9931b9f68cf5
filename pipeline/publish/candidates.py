"""Which releases can go up: every rendition at hand, made from the source as it is now, and its instant come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.context import CommandContext
from pipeline.build.reading import all_listed, picture_files
from pipeline.build.revisions import PlannedRevision
from pipeline.build.stages import RenderTask, tasks
from pipeline.build.state import BuildState, ParsedRelease, RenderedFile
from pipeline.model.formats import FORMATS, Rendition, by_name, formats_of
from pipeline.model.manifest import Manifest, Row, digest, with_rows
from pipeline.model.release import Related
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import digest_of_words, number
from pipeline.publish.plan import File
from pipeline.site import archive


class ArchivedCopy(Struct, frozen=True):
    """A public file that stays, under another name, when the next revision takes its place."""

    source: str
    key: str
    sha256: str


class Candidate(Struct, frozen=True):
    """A release that can go up."""

    row: Row
    files: tuple[File, ...]
    kept: tuple[ArchivedCopy, ...] = ()
    """Public files that are copied before they are overwritten."""


class Classified(Struct, frozen=True):
    """What became of a number of releases."""

    ready: tuple[Candidate, ...]
    scheduled: tuple[str, ...]
    """Slugs whose date is ahead, and drafts."""
    failed: tuple[str, ...]
    """Slugs that were refused, or lack a rendition."""


def sort(state: BuildState, render_context: RenderContext, slugs: Iterable[str], instant: datetime) -> Classified:
    """Sort ``slugs`` into ready, held and broken; before ``instant`` has reached its date a release is held."""
    wanted = sorted(slugs)
    wished = {row.name: {task.slug: task for task in tasks(row, state, render_context, wanted)} for row in FORMATS}
    ledgers = {row.name: state.rendered(row.name) for row in FORMATS}
    listed = all_listed(state, render_context.published)
    public = ReleaseIndex(listed, render_context.now)
    rows, pending = render_context.published.by_slug(), history.recall(state)
    ready, scheduled, failed = [], [], []
    for slug in wanted:
        parsed_release = state.parsed_release(slug)
        if parsed_release is None:
            failed.append(slug)
            continue
        forms = formats_of(parsed_release.release.withdrawn is not None)
        made = [(wished[row.name].get(slug), ledgers[row.name].get(slug)) for row in forms]
        if not parsed_release.release.is_public(instant) or any(entry and entry.unpublished for _, entry in made):
            scheduled.append(slug)
        elif _whole(made):
            renditions = [entry.rendition for _, entry in made if entry]
            others = public.related_to(parsed_release.release)
            found = _ready(
                state, render_context, parsed_release, renditions, listed, others, rows.get(slug), pending.get(slug)
            )
            if all(isinstance(file.source, Path) and file.source.is_file() for file in found.files):
                ready.append(found)
            else:
                failed.append(slug)
        else:
            failed.append(slug)
    return Classified(tuple(ready), tuple(scheduled), tuple(failed))


def without_rivals(ready: tuple[Candidate, ...], base: Manifest, current: Manifest, me: str) -> tuple[Candidate, ...]:
    """Leave out what is set anew only for what stands beside it, when somebody else is doing or has done the same.

    Two who publish different releases at once both renew the page before; neither may be stopped by that. Their
    surroundings have changed again by then, so the next run sets what was left out.
    """
    before, now = base.by_slug(), current.by_slug()

    def is_free(row: Row) -> bool:
        known, theirs = before.get(row.slug), now.get(row.slug)
        if known is None or theirs is None or not known.source == theirs.source == row.source:
            return True
        lease = current.leases.get(digest(row.slug.encode()))
        return theirs.record in (known.record, row.record) and (lease is None or lease.by == me)

    return tuple(release for release in ready if is_free(release.row))


def _whole(made: list[tuple[RenderTask | None, RenderedFile | None]]) -> bool:
    return all(task and entry and task.fingerprint == entry.fingerprint for task, entry in made)


def _ready(
    state: BuildState,
    render_context: RenderContext,
    parsed_release: ParsedRelease,
    renditions: list[Rendition],
    listed: dict[str, IndexEntry],
    others: tuple[Related, ...],
    public: Row | None,
    pending: PlannedRevision | None,
) -> Candidate:
    release = parsed_release.release
    past = history.of_release(public, parsed_release.source, pending)
    original = listed.get(release.translation_of)
    replacement = listed.get(release.withdrawn.replaced_by) if release.withdrawn else None
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    row = Row(
        slug=release.slug,
        title=release.title,
        summary=release.summary,
        date=release.date.astimezone(
            ZoneInfo(render_context.newsroom.time_zone)
        ),  # its year is that of the date as printed
        language=release.language,
        record=renditions[-1].sha256,
        fingerprint=fingerprint.of_release(parsed_release.source, settings, render_context.base_url, others, past),
        source=parsed_release.source,
        modified=release.modified,
        sizes={rendition.format: rendition.size for rendition in renditions},
        pages=max(rendition.pages for rendition in renditions),
        topics=release.topics,
        revision=number(release, past),
        # A second wall: the reader refuses to name what waits.
        translation_of=original.slug if original and not original.is_hidden(render_context.now) else "",
        withdrawn=release.withdrawn is not None,
        replaced_by=replacement.slug if replacement and not replacement.is_hidden(render_context.now) else "",
        words=digest_of_words(release),
        past=past,
        pending_deletes=history.pending_deletes(release.slug, public, parsed_release.source, pending)
        if release.withdrawn
        else (),
    )
    kept = [file for state in past if public is None or state not in public.past for file in state.files]
    pages = [file for file in kept if file.format == "html"]  # they say that they are of an earlier revision
    made = [*renditions, *picture_files(release), *pages]
    files = tuple(File(r.key, r.sha256, r.size, state.public / r.key) for r in made)
    copies = (ArchivedCopy(_original(release.slug, r), r.key, r.sha256) for r in kept if r not in pages)
    return Candidate(row, files, tuple(copies))


def _original(slug: str, kept: Rendition) -> str:
    """Return the key under which a kept file was public as the newest."""
    if kept.format in ("picture", "copy"):
        return f"releases/{slug}/{kept.key.rpartition('/')[2]}"
    return by_name(kept.format).key(slug)


def local_manifest(context: CommandContext) -> Manifest:
    """Return the manifest as it would be with what was rendered here, on top of what was last fetched."""
    slugs = [slug for slug in context.state.slugs() if slug in context.state.summaries()]
    classified = sort(context.state, context.render_context(), slugs, context.now)
    rows = context.published.by_slug() | {candidate.row.slug: candidate.row for candidate in classified.ready}
    return archive.remember(context.published, with_rows(context.published, rows.values()))
