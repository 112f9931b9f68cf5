"""Which releases can go up: every rendition at hand, made from the source as it is now, and its instant come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.reading import all_listed
from pipeline.build.revisions import Pending
from pipeline.build.stages import Task, pictures, tasks
from pipeline.build.state import Entry, Manuscript, Workshop
from pipeline.model.formats import FORMATS, Rendition, by_name, formats_of
from pipeline.model.manifest import Manifest, Row, digest
from pipeline.model.release import Related
from pipeline.model.release_index import Listed, Public
from pipeline.model.render_context import House
from pipeline.model.revision import digest_of_words, number
from pipeline.publish.plan import File


class Kept(Struct, frozen=True):
    """A public file that stays, under another name, when the next revision takes its place."""

    source: str
    key: str
    sha256: str


class Ready(Struct, frozen=True):
    """A release that can go up."""

    row: Row
    files: tuple[File, ...]
    kept: tuple[Kept, ...] = ()
    """Public files that are copied before they are overwritten."""


class Sorted(Struct, frozen=True):
    """What became of a number of releases."""

    ready: tuple[Ready, ...]
    held: tuple[str, ...]
    """Slugs whose date is ahead, and drafts."""
    broken: tuple[str, ...]
    """Slugs that were refused, or lack a rendition."""


def sort(workshop: Workshop, house: House, slugs: Iterable[str], instant: datetime) -> Sorted:
    """Sort ``slugs`` into ready, held and broken; before ``instant`` has reached its date a release is held."""
    wanted = sorted(slugs)
    wished = {row.name: {task.slug: task for task in tasks(row, workshop, house, wanted)} for row in FORMATS}
    ledgers = {row.name: workshop.ledger(row.name) for row in FORMATS}
    listed = all_listed(workshop, house.published)
    public = Public(listed, house.now)
    rows, pending = house.published.by_slug(), history.recall(workshop)
    ready, held, broken = [], [], []
    for slug in wanted:
        manuscript = workshop.manuscript(slug)
        if manuscript is None:
            broken.append(slug)
            continue
        forms = formats_of(manuscript.release.withdrawn is not None)
        made = [(wished[row.name].get(slug), ledgers[row.name].get(slug)) for row in forms]
        if not manuscript.release.is_public(instant) or any(entry and entry.waiting for _, entry in made):
            held.append(slug)
        elif _whole(made):
            renditions = [entry.rendition for _, entry in made if entry]
            others = public.around_release(manuscript.release)
            found = _ready(workshop, house, manuscript, renditions, listed, others, rows.get(slug), pending.get(slug))
            if all(isinstance(file.source, Path) and file.source.is_file() for file in found.files):
                ready.append(found)
            else:
                broken.append(slug)
        else:
            broken.append(slug)
    return Sorted(tuple(ready), tuple(held), tuple(broken))


def without_rivals(ready: tuple[Ready, ...], base: Manifest, current: Manifest, me: str) -> tuple[Ready, ...]:
    """Leave out what is set anew only for what stands beside it, when somebody else is doing or has done the same.

    Two who publish different releases at once both renew the page before; neither may be stopped by that. Their
    surroundings have changed again by then, so the next run sets what was left out.
    """
    before, now = base.by_slug(), current.by_slug()

    def is_free(row: Row) -> bool:
        known, theirs = before.get(row.slug), now.get(row.slug)
        if known is None or theirs is None or not known.source == theirs.source == row.source:
            return True
        claim = current.claims.get(digest(row.slug.encode()))
        return theirs.record in (known.record, row.record) and (claim is None or claim.by == me)

    return tuple(release for release in ready if is_free(release.row))


def _whole(made: list[tuple[Task | None, Entry | None]]) -> bool:
    return all(task and entry and task.fingerprint == entry.fingerprint for task, entry in made)


def _ready(
    workshop: Workshop,
    house: House,
    manuscript: Manuscript,
    renditions: list[Rendition],
    listed: dict[str, Listed],
    others: tuple[Related, ...],
    public: Row | None,
    pending: Pending | None,
) -> Ready:
    release = manuscript.release
    past = history.of_release(public, manuscript.source, pending)
    original = listed.get(release.translation_of)
    instead = listed.get(release.withdrawn.replaced_by) if release.withdrawn else None
    settings = fingerprint.of_newsroom(house.newsroom, house.mark)
    row = Row(
        slug=release.slug,
        title=release.title,
        summary=release.summary,
        date=release.date.astimezone(ZoneInfo(house.newsroom.time_zone)),  # its year is that of the date as printed
        language=release.language,
        record=renditions[-1].sha256,
        fingerprint=fingerprint.of_release(manuscript.source, settings, house.base_url, others, past),
        source=manuscript.source,
        modified=release.modified,
        sizes={rendition.format: rendition.size for rendition in renditions},
        pages=max(rendition.pages for rendition in renditions),
        topics=release.topics,
        revision=number(release, past),
        # A second wall: the reader refuses to name what waits.
        translation_of=original.slug if original and not original.waits(house.now) else "",
        withdrawn=release.withdrawn is not None,
        replaced_by=instead.slug if instead and not instead.waits(house.now) else "",
        words=digest_of_words(release),
        past=past,
        doomed=history.doomed(release.slug, public, manuscript.source, pending) if release.withdrawn else (),
    )
    kept = [file for state in past if public is None or state not in public.past for file in state.files]
    pages = [file for file in kept if file.format == "html"]  # they say that they are of an earlier revision
    made = [*renditions, *pictures(release), *pages]
    files = tuple(File(r.key, r.sha256, r.size, workshop.public / r.key) for r in made)
    copies = (Kept(_original(release.slug, r), r.key, r.sha256) for r in kept if r not in pages)
    return Ready(row, files, tuple(copies))


def _original(slug: str, kept: Rendition) -> str:
    """Return the key under which a kept file was public as the newest."""
    if kept.format in ("picture", "copy"):
        return f"releases/{slug}/{kept.key.rpartition('/')[2]}"
    return by_name(kept.format).key(slug)
