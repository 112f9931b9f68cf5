"""The renderer stages: manuscripts become renditions, one format a stage.

Make finds candidates; a stage decides by fingerprint. A release that cannot be set costs only itself.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Literal, cast

from msgspec import Struct

from pipeline.build import fingerprint, parity
from pipeline.build import revisions as history
from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState, RenderedFile, write_file
from pipeline.build.worker_pool import LimitExceededError, run
from pipeline.model.errors import Fault, RenderError
from pipeline.model.formats import FORMATS, Format, Rendition, by_name
from pipeline.model.manifest import digest
from pipeline.model.release import Related, Release
from pipeline.model.release_index import ReleaseIndex
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import Output, RenderInput, Writer


class StageResult(Struct, frozen=True):
    """What a stage did with one release."""

    slug: str
    waiting: bool
    verb: Literal["made", "unchanged", "failed"]
    rendition: Rendition | None = None
    fault: Fault | None = None


class Task(Struct, frozen=True):
    """One rendition that may have to be made."""

    slug: str
    release: Release
    waiting: bool
    fingerprint: str
    made: tuple[Rendition, ...]
    related: tuple[Related, ...]
    past: tuple[RevisionRecord, ...]

    @property
    def embargoed(self) -> bool:
        """Whether the rendition is marked as not to be used yet."""
        return self.waiting and self.release.embargo


def render(stage: str, state: BuildState, render_context: RenderContext, slugs: Iterable[str]) -> Iterator[StageResult]:
    """Make the stale ones among ``slugs`` in one format, and yield what became of each release as it is finished.

    Raises SettingError when ``output/`` cannot be written.
    """
    row = by_name(stage)
    ledger = state.ledger(stage)
    stale: list[Task] = []
    asked = set(slugs)
    for task in tasks(row, state, render_context, asked):
        entry = ledger.get(task.slug)
        if entry and _is_made(state, row, entry, task):
            if task.slug in asked:  # make took it for stale; it did not ask for those that are named beside it
                os.utime(state.place(task.waiting) / row.key(task.slug))
            yield StageResult(task.slug, task.waiting, "unchanged", entry.rendition)
        else:
            stale.append(task)
    try:
        for task, result in _set_all(row, state, render_context, stale):
            if isinstance(result, Output):
                ledger[task.slug] = _keep(row, state, task, result)
                yield StageResult(task.slug, task.waiting, "made", ledger[task.slug].rendition)
            else:
                yield StageResult(task.slug, task.waiting, "failed", fault=_fault(row, state, task, result))
    finally:
        if stale:
            state.copy_fair(state.books + stage, RenderedFile)


def tasks(row: Format, state: BuildState, render_context: RenderContext, slugs: Iterable[str]) -> Iterator[Task]:
    """Yield what each release takes; skip those that were refused, or lack a file that this one must state."""
    public = ReleaseIndex(all_listed(state, render_context.published) if row.names_others else {}, render_context.now)
    earlier = {other: state.ledger(other) for other in row.after}
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    rows, pending = render_context.published.by_slug(), history.recall(state)
    # What is set before its instant must leave the pages beside it as they are: they are public now.
    for slug in sorted(slugs) if state.is_due else public.with_related(slugs):
        parsed_release = state.parsed_release(slug)
        if parsed_release is None or (parsed_release.release.withdrawn and not row.notice):
            continue
        release = parsed_release.release
        waiting = not release.is_public(render_context.now)
        named = [other for other in row.after if by_name(other).notice or not release.withdrawn]
        made = stated(release, waiting, [earlier[other].get(slug) for other in named])
        if made is None:
            continue
        others = public.related_to(release)
        past = history.of_release(rows.get(slug), parsed_release.source, pending.get(slug))
        task = Task(slug, release, waiting, "", made, others, past)
        stamp = fingerprint.of_rendition(
            row, parsed_release.source, settings, render_context.base_url, release, task.embargoed, made, others, past
        )
        yield Task(slug, release, waiting, stamp, made, others, past)


def stated(release: Release, waiting: bool, entries: list[RenderedFile | None]) -> tuple[Rendition, ...] | None:
    """Return the renditions that a later one states, pictures last; None when one is missing."""
    if any(entry is None or entry.waiting != waiting for entry in entries):
        return None
    made = [entry.rendition for entry in entries if entry]
    if entries:
        made += pictures(release)
    return tuple(made)


def pictures(release: Release) -> list[Rendition]:
    """Return a release's pictures and their copies as files of the public tree."""
    folder = f"releases/{release.slug}/"
    return [
        Rendition("picture" if each.file == picture.file else "copy", folder + each.file, each.size, each.sha256)
        for picture in release.pictures
        for each in picture.files
    ]


def _is_made(state: BuildState, row: Format, entry: RenderedFile, task: Task) -> bool:
    file = state.place(task.waiting) / row.key(task.slug)
    same = entry.fingerprint == task.fingerprint and entry.waiting == task.waiting
    if row.name == "html":
        place = state.place(task.waiting)
        same = same and all((place / picture.key).is_file() for picture in pictures(task.release))
    return same and file.is_file() and file.stat().st_size == entry.rendition.size


def _set_all(
    row: Format, state: BuildState, render_context: RenderContext, tasks: list[Task]
) -> Iterator[tuple[Task, Output | BaseException]]:
    work = partial(_set, row, state, render_context)
    if row.pooled and tasks:
        yield from run(work, tasks, partial(_warm, row))
        return
    for task in tasks:
        try:
            yield task, work(task)
        except Exception as error:  # a release that cannot be set must not stop the others
            yield task, error


def _writer(module: str) -> Writer:
    return cast(Writer, importlib.import_module(f"pipeline.writers.{module}").write)


def _warm(row: Format) -> None:
    _writer(row.writer)
    parity.reader(row.name)


def _set(row: Format, state: BuildState, render_context: RenderContext, task: Task) -> Output:
    """Make a rendition; one that does not say what the release says is never kept."""
    messages = Messages(task.release.language, render_context.newsroom.time_zone)
    place = state.place(task.waiting)
    packed = [made.key for made in task.made if made.format in row.after] if row.packs else []
    render_input = RenderInput(
        release=task.release,
        newsroom=render_context.newsroom,
        messages=messages,
        article=compose(
            task.release, render_context.newsroom, messages, embargoed=task.embargoed, replacement=_replacement(task)
        ),
        pictures=state.pictures(task.release),
        mark=render_context.mark,
        base_url=render_context.base_url,
        made=task.made,
        files={key: (place / key).read_bytes() for key in packed},
        related=tuple(other for other in task.related if other.rel == "alternate"),
        neighbours=tuple(other for other in task.related if other.rel in ("prev", "next")),
        assets=render_context.assets,
        past=task.past,
    )
    made = _writer(row.writer)(render_input)
    parity.check(row.name, render_input, made.data)
    return made


def _replacement(task: Task) -> Related | None:
    return next((other for other in task.related if other.rel == "replacement"), None)


def _keep(row: Format, state: BuildState, task: Task, made: Output) -> RenderedFile:
    """Write a rendition where it belongs now, and take it away from where it belonged before.

    Only when it is noted does it get a time of its own: a run that is killed here leaves it stale, not strange.
    """
    key = row.key(task.slug)
    file = state.place(task.waiting) / key
    write_file(file, made.data, final=False)
    (state.place(not task.waiting) / key).unlink(missing_ok=True)
    if row.name == "html":
        _keep_pictures(state, task)
        if task.release.withdrawn:
            _take_down(state, task)
    rendition = Rendition(row.name, key, len(made.data), digest(made.data), made.pages)
    entry = RenderedFile(task.fingerprint, rendition, task.waiting)
    state.note(state.books + row.name, task.slug, entry)
    os.utime(file)
    return entry


def _keep_pictures(state: BuildState, task: Task) -> None:
    """Put the pictures beside the page that shows them, and nowhere else."""
    shutil.rmtree(state.place(not task.waiting) / "releases" / task.slug, ignore_errors=True)
    folder, found = state.place(task.waiting) / "releases" / task.slug, state.pictures(task.release)
    for file, data in found.items():
        write_file(folder / file, data)
    for gone in [file for file in folder.glob("*") if file.is_file() and file.name not in found]:
        gone.unlink()
    if not found and not any(folder.glob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def _take_down(state: BuildState, task: Task) -> None:
    """Remove all other files of what was withdrawn, those of earlier revisions too."""
    place = state.place(task.waiting)
    for row in (row for row in FORMATS if not row.notice):
        (place / row.key(task.slug)).unlink(missing_ok=True)
        state.note(row.name, task.slug, None)
        state.copy_fair(row.name, RenderedFile)
    shutil.rmtree(place / "releases" / task.slug, ignore_errors=True)


def _fault(row: Format, state: BuildState, task: Task, error: BaseException) -> Fault:
    source = str(state.source(task.slug))
    if isinstance(error, RenderError):
        return Fault(source, 0, f"{row.label}: {error}", error.hint)
    if isinstance(error, LimitExceededError):
        return Fault(source, 0, f"{row.label}: {error}", "shorten the release, or make its pictures and tables smaller")
    return Fault(source, 0, f"{row.label}: cannot be set: {type(error).__name__}: {error}", "a fault of Dateline's own")
