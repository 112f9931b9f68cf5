"""The renderer stages: parsed releases become renditions, one format a stage.

The stage decides by fingerprint what it renders. A release that cannot be rendered costs only itself.
"""

from __future__ import annotations

import contextlib
import importlib
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.state import (
    BuildState,
    EditedState,
    RenderedFile,
    Summary,
    footage_rendition,
    link_file,
    write_file,
)
from pipeline.model.errors import Fault, RenderError, SettingError
from pipeline.model.footage import Missing, missing_at
from pipeline.model.formats import FORMATS, Format, Rendition, by_name, stage_rows
from pipeline.model.manifest import digest
from pipeline.model.release import Related, Release
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord

if TYPE_CHECKING:
    from pipeline.build.reading import Reading
    from pipeline.build.worker_pool import Executor
    from pipeline.writers import Output, RenderInput, Writer

FileName = Callable[[str], str]
"""From the name of a file to that of a copy."""


class StageResult(Struct, frozen=True):
    """What a stage did with one release."""

    slug: str
    unpublished: bool
    verb: Literal["rendered", "unchanged", "failed"]
    rendition: Rendition | None = None
    fault: Fault | None = None
    """Why it failed; of one that was rendered, a warning."""


class RenderTask(Struct, frozen=True):
    """One rendition as it should be now."""

    slug: str
    summary: Summary
    unpublished: bool
    fingerprint: str
    rendered: tuple[Rendition, ...]
    """What this one states: the renditions of earlier stages, and the pictures."""
    related: tuple[Related, ...]
    past: tuple[RevisionRecord, ...]
    missing: Mapping[str, Missing] = {}
    """See ``RenderInput.missing``."""

    @property
    def embargoed(self) -> bool:
        """Whether the rendition is marked as not to be used yet."""
        return self.unpublished and self.summary.embargo


def _ignore(_: Fault) -> None:
    """Leave out what concerns no release: another call has reported it."""


def render(
    stage: str,
    state: BuildState,
    context: RenderContext,
    slugs: Iterable[str],
    note: Callable[[Fault], None] = _ignore,
) -> Iterator[StageResult]:
    """Render the releases whose fingerprint has changed; yield a result for each as it is finished.

    Unchanged ones come first; a format beside the stage's own is only reported when it failed. ``note`` is told of a
    machine of the cluster that is not used. Raises SettingError when ``output/`` cannot be written, or the cluster
    cannot be used.
    """
    stale: list[_Stale] = []
    for row in stage_rows(stage):
        for task, file in _compare(row, state, context, slugs):
            if file is None:
                stale.append((row, task))
            elif row.name == stage:
                yield StageResult(task.slug, task.unpublished, "unchanged", file.rendition)
    for (row, task), output in _render_all(state, context, stale, note):
        if isinstance(output, tuple):
            file = _store(row, state, task, *output)
            fault = next(iter(_warnings(row, state, task.slug, file)), None)
            if row.name == stage:
                yield StageResult(task.slug, task.unpublished, "rendered", file.rendition, fault)
        else:
            yield StageResult(task.slug, task.unpublished, "failed", fault=_fault(row, state, task, output))


_Stale = tuple[Format, "RenderTask"]


def _compare(
    row: Format, state: BuildState, context: RenderContext, slugs: Iterable[str]
) -> Iterator[tuple[RenderTask, RenderedFile | None]]:
    """Yield each task with the file that it asks for; without one if that has to be rendered."""
    apart = _rendered_apart(state, row.name)
    wanted = list(tasks(row, state, context, slugs))
    rendered = state.rendered(row.name, [task.slug for task in wanted])
    for task in wanted:
        file = rendered.get(task.slug)
        if file and _is_rendered(state, row, file, task):
            yield task, file
        else:
            if file:  # a run that is killed while it writes the new file must not take it for the old one
                state.forget_rendered(row.name, task.slug)
            yield task, _take_over(row, state, task, apart[task.slug]) if task.slug in apart else None


def is_idle(stage: str, state: BuildState, context: RenderContext, slugs: Iterable[str]) -> bool:
    """Whether ``render`` would render nothing, once the stages before it have nothing to do."""
    return all(file for row in stage_rows(stage) for _, file in _compare(row, state, context, slugs))


def page_ahead(state: BuildState, context: RenderContext, reading: Reading, listed: Mapping[str, IndexEntry]) -> bytes:
    """Return the page of a release before its other formats are rendered: it states no sizes. It is stored nowhere.

    ``listed`` are all known releases by slug, ``context`` has the keys of the shared files.
    """
    row, summary, release = by_name("html"), reading.summary, reading.parsed.release
    entry = summary.entry
    known = context.published.by_slug().get(entry.slug)
    task = RenderTask(
        slug=entry.slug,
        summary=summary,
        unpublished=entry.is_hidden(context.now),
        fingerprint="",
        rendered=tuple(Rendition(name, by_name(name).key(entry.slug), 0, "") for name in _stated_formats(row, summary)),
        related=ReleaseIndex({**listed, entry.slug: entry}, context.now).related(entry),
        past=history.of_release(known, summary.source, history.recall(state).get(entry.slug)),
        missing=_missing(row, state, context, summary),
    )
    task = replace(task, rendered=(*task.rendered, *_footage(row, task.summary, task.missing)))
    return _writer(row.writer)(_render_input(row, state, context, (task, release))).data


def render_for(
    holder: str, name: FileName, state: BuildState, context: RenderContext, slug: str
) -> Iterator[tuple[Format, bytes]]:
    """Yield the formats of an embargoed release as copies for ``holder``, which every page names; store nothing.

    All formats of the release are rendered; ``context`` has the keys of the shared files. ``name`` gives the files in
    the kit their names. Raises RenderError.
    """
    renditions: dict[str, Rendition] = {}
    copies: dict[str, bytes] = {}
    for row in (row for row in FORMATS if not row.preview):
        for task in (task for task in tasks(row, state, context, [slug]) if task.slug == slug):
            named = replace(task, rendered=tuple(renditions.get(each.format, each) for each in task.rendered))
            render_input = _render_input(row, state, context, (named, _parsed(state, task)), holder)
            if row.packs:
                packed = tuple(
                    replace(each, key=name(each.key)) if each.format in copies else each for each in named.rendered
                )
                files = {each.key: copies[each.format] for each in packed if each.format in copies}
                render_input = replace(render_input, renditions=packed, files=files)
            try:
                output, _ = _render(row, render_input)
            except RenderError as error:
                raise RenderError(f"{row.label}: {error}", error.hint) from error
            copies[row.name] = output.data
            key, size = row.key(slug), len(output.data)
            renditions[row.name] = Rendition(row.name, key, size, digest(output.data), output.pages)
            yield row, output.data


def warm_up(state: BuildState, context: RenderContext, slugs: Iterable[str]) -> None:
    """Load the writers, and render ``slugs`` for nothing: what is forked from this process starts at full speed."""
    for row in FORMATS:
        if not row.pooled:
            _writer(row.writer)
            continue
        _load(row)
        for task in tasks(row, state, context, slugs):
            if parsed := state.parsed_release(task.slug):
                with contextlib.suppress(Exception):  # the stage reports it
                    _render(row, _render_input(row, state, context, (task, parsed.release)))


def tasks(row: Format, state: BuildState, context: RenderContext, slugs: Iterable[str]) -> Iterator[RenderTask]:
    """Yield a task for each release and those that name it; none for one that lacks a file which this one states."""
    slugs, known = set(slugs), {}
    if row.names_others:
        from pipeline.build.reading import listed_around

        known = listed_around(state, context.published, slugs, context.now)
    index = ReleaseIndex(known, context.now)
    # Rendering a release ahead of its instant must leave the pages of its neighbours as they are: they are public now.
    wanted = sorted(slugs) if state.is_final else index.with_related(slugs)
    earlier = {other: state.rendered(other, wanted) for other in row.after}
    newsroom = fingerprint.of_newsroom(context.newsroom, context.mark, row)
    planned, summaries = history.recall(state), state.summaries(wanted)
    rows = {each.slug: each for each in context.published.chosen({*wanted}) if each.past or each.slug in planned}
    for slug in wanted:
        summary = summaries.get(slug)
        if summary is None or not _has(row, summary):
            continue
        unpublished = summary.entry.is_hidden(context.now)
        stated = _stated(summary, unpublished, [earlier[name].get(slug) for name in _stated_formats(row, summary)])
        if stated is None:
            continue
        missing = _missing(row, state, context, summary)
        stated += _footage(row, summary, missing)
        footage = (*sorted(missing.items()), *((f.file, f.sha256) for f in summary.footage_files if f.is_stored))
        related = index.related(summary.entry)
        past = history.of_release(rows.get(slug), summary.source, planned.get(slug))
        stamp = fingerprint.of_rendition(
            row, summary.source, newsroom, context.base_url, summary.links_home or context.newsroom.signs,
            unpublished and summary.embargo, stated, related, past, footage,
        )  # fmt: skip
        yield RenderTask(slug, summary, unpublished, stamp, stated, related, past, missing)


def _missing(row: Format, state: BuildState, context: RenderContext, summary: Summary) -> dict[str, Missing]:
    """Return which footage files a rendition says are not there.

    Under an embargo no format offers them. In its final form a release is public before its footage is.
    """
    if not summary.footage:
        return {}
    embargoed = summary.embargo and summary.entry.is_hidden(context.now)
    if not (embargoed or row.states_footage):
        return {}
    return missing_at(summary.footage, context.now, coming=embargoed or state.is_final)


def _footage(row: Format, summary: Summary, missing: Mapping[str, Missing]) -> tuple[Rendition, ...]:
    """Return the footage files that a rendition says are there."""
    there = (each for each in summary.footage_files if each.file not in missing)
    return tuple(footage_rendition(summary.entry.slug, each) for each in there) if row.states_footage else ()


def _stated_formats(row: Format, summary: Summary) -> list[str]:
    return [name for name in row.after if _has(by_name(name), summary)]


def _has(row: Format, summary: Summary) -> bool:
    return row.is_for(withdrawn=summary.entry.withdrawn, pictured=bool(summary.pictures), shots=summary.shots)


def _stated(summary: Summary, unpublished: bool, files: list[RenderedFile | None]) -> tuple[Rendition, ...] | None:
    """Return the renditions that a later one states, pictures last; None when one is missing."""
    if any(file is None or file.unpublished != unpublished for file in files):
        return None
    rendered = tuple(file.rendition for file in files if file)
    return (*rendered, *summary.pictures) if files else ()


def _is_rendered(state: BuildState, row: Format, file: RenderedFile, task: RenderTask) -> bool:
    if (file.fingerprint, file.unpublished) != (task.fingerprint, task.unpublished):
        return False
    tree = state.tree(task.unpublished)
    paths = [(tree / row.key(task.slug), file.rendition.size)]
    if row.group == "pages":  # the pictures lie beside the page
        paths += [(tree / picture.key, picture.size) for picture in task.summary.pictures]
        local = (each for each in task.summary.footage_files if not each.is_stored and each.file not in task.missing)
        paths += [(tree / "releases" / task.slug / each.file, each.size) for each in local]
    return all(_is_file_of(path, size) for path, size in paths)


def _is_file_of(path: Path, size: int) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def _rendered_apart(state: BuildState, stage: str) -> dict[str, RenderedFile]:
    """Return what the preview has rendered apart, because it could not be published then."""
    if state.is_final or isinstance(state, EditedState) or not (edited := state.edited()).public.is_dir():
        return {}
    return edited.rendered(stage)


def _take_over(row: Format, state: BuildState, task: RenderTask, file: RenderedFile) -> RenderedFile | None:
    """Store a rendition of the preview's, if it is what is to be rendered now."""
    edited = state.edited()
    if not _is_rendered(edited, row, file, task):
        return None
    data = (edited.tree(task.unpublished) / row.key(task.slug)).read_bytes()
    if digest(data) != file.rendition.sha256:
        return None
    from pipeline.writers import Output

    return _store(row, state, task, Output(data, file.rendition.pages), file.warning)


def _render_all(
    state: BuildState, context: RenderContext, stale: list[_Stale], note: Callable[[Fault], None]
) -> Iterator[tuple[_Stale, tuple[Output, str] | BaseException]]:
    prepare = partial(_prepare, state, context)
    rows = list(dict.fromkeys(row for row, _ in stale))
    if any(row.pooled for row in rows):
        yield from _executor(context, note)(prepare, _render_prepared, stale, partial(_load_all, rows))
        return
    for each in stale:
        try:
            yield each, _render_prepared(prepare(each))
        except SettingError:  # a full disk is not the release's fault
            raise
        except Exception as error:  # a release that cannot be rendered must not stop the others
            yield each, error


def _executor(context: RenderContext, note: Callable[[Fault], None]) -> Executor:
    """Return what renders in processes of its own; a stage with nothing to do needs none, and does not load it."""
    if context.cluster:
        from pipeline.build import cluster

        return partial(cluster.run, context.cluster, note)
    from pipeline.build import worker_pool

    return worker_pool.run


def _writer(module: str) -> Writer:
    return cast("Writer", importlib.import_module(f"pipeline.writers.{module}").write)


def _load(row: Format) -> None:
    """Import what a format needs, so that worker processes share it."""
    from pipeline.build import parity

    _writer(row.writer)
    if row.parity != "picture":
        parity.reader(row.parity)


def _load_all(rows: Iterable[Format]) -> None:
    for row in rows:
        _load(row)


def _prepare(state: BuildState, context: RenderContext, stale: _Stale) -> tuple[Format, RenderInput]:
    """Read the release from the state only now: the texts of a large archive need not be in memory together."""
    row, task = stale
    return row, _render_input(row, state, context, (task, _parsed(state, task)))


def _render_prepared(prepared: tuple[Format, RenderInput]) -> tuple[Output, str]:
    return _render(*prepared)


def _parsed(state: BuildState, task: RenderTask) -> Release:
    parsed = state.parsed_release(task.slug)
    if parsed is None:
        raise RenderError("its source was changed or removed meanwhile", "run the same command again")
    return parsed.release


def _render_input(
    row: Format, state: BuildState, context: RenderContext, todo: tuple[RenderTask, Release], holder: str = ""
) -> RenderInput:
    """Return all that rendering a release takes, from the state and the files of this machine."""
    from pipeline.typography.article import compose
    from pipeline.typography.messages import Messages
    from pipeline.writers import RenderInput

    task, release = todo
    messages = Messages(release.language, context.newsroom.time_zone)
    tree = state.tree(task.unpublished)
    packed = [rendition.key for rendition in task.rendered if rendition.format in row.after] if row.packs else []
    replacement = next((other for other in task.related if other.rel == "replacement"), None)
    return RenderInput(
        release=release,
        newsroom=context.newsroom,
        messages=messages,
        article=compose(
            release,
            context.newsroom,
            messages,
            embargoed=task.embargoed,
            holder=holder,
            replacement=replacement,
            base_url=context.base_url,
            missing=task.missing,
        ),
        pictures=state.pictures(release),
        mark=context.mark,
        base_url=context.base_url,
        renditions=task.rendered,
        files={key: (tree / key).read_bytes() for key in packed},
        related=tuple(other for other in task.related if other.rel == "alternate"),
        neighbours=tuple(other for other in task.related if other.rel in ("prev", "next")),
        same_topic=tuple(other for other in task.related if other.rel == "same_topic"),
        assets=context.assets,
        missing=task.missing,
        past=task.past,
    )


def _render(row: Format, render_input: RenderInput) -> tuple[Output, str]:
    """Render a release, and return a warning with it. An output that does not say what the release says is an error.

    Nothing but the arguments is used, so that another machine can do it.
    """
    from pipeline.build import parity

    output = _writer(row.writer)(render_input)
    return output, parity.check(row, render_input, output.data)


def _store(row: Format, state: BuildState, task: RenderTask, output: Output, warning: str) -> RenderedFile:
    """Write a rendition where it belongs now, and remove it where it belonged before."""
    key = row.key(task.slug)
    write_file(state.tree(task.unpublished) / key, output.data)
    (state.tree(not task.unpublished) / key).unlink(missing_ok=True)
    if row.group == "pages":
        _store_pictures(state, task)
        _remove_others(state, task)
    rendition = Rendition(row.name, key, len(output.data), digest(output.data), output.pages)
    file = RenderedFile(task.fingerprint, rendition, task.unpublished, task.summary.source, warning)
    state.note_rendered(row.name, task.slug, file)
    return file


def _store_pictures(state: BuildState, task: RenderTask) -> None:
    """Put pictures and footage beside the page that shows them, and nowhere else."""
    import shutil

    shutil.rmtree(state.tree(not task.unpublished) / "releases" / task.slug, ignore_errors=True)
    folder, pictures = state.tree(task.unpublished) / "releases" / task.slug, state.pictures(_parsed(state, task))
    shown = {name for name in pictures if name not in task.missing}
    for name in shown:
        write_file(folder / name, pictures[name])
    for each in task.summary.footage_files:
        if each.source and not each.is_stored and each.file not in task.missing:
            link_file(state.content / each.source, folder / each.file)
            shown.add(each.file)
    for file in [file for file in folder.glob("*") if file.is_file() and file.name not in shown]:
        file.unlink()
    if not shown and not any(folder.glob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_others(state: BuildState, task: RenderTask) -> None:
    """Remove the formats that a release has not any more; of a withdrawn one, the files of earlier revisions too."""
    import shutil

    tree = state.tree(task.unpublished)
    for row in (row for row in FORMATS if not _has(row, task.summary)):
        (tree / row.key(task.slug)).unlink(missing_ok=True)
        state.forget_rendered(row.name, task.slug)
    if task.summary.entry.withdrawn:
        shutil.rmtree(tree / "releases" / task.slug, ignore_errors=True)


def warnings(state: BuildState, slugs: Iterable[str]) -> Iterator[Fault]:
    """Yield the warnings about what was rendered of the sources as they are now."""
    slugs = tuple(slugs)
    summaries = state.summaries(slugs)
    for row in FORMATS:
        rendered = state.rendered(row.name, slugs)
        for slug in slugs:
            if slug in rendered and slug in summaries and rendered[slug].source == summaries[slug].source:
                yield from _warnings(row, state, slug, rendered[slug])


def _warnings(row: Format, state: BuildState, slug: str, file: RenderedFile) -> tuple[Fault, ...]:
    from pipeline.build.parity import BLANKS_HINT

    fault = Fault(str(state.source(slug)), 0, f"{row.label}: {file.warning}", BLANKS_HINT, "lost-blank")
    return (fault.as_warning(),) if file.warning else ()


def _fault(row: Format, state: BuildState, task: RenderTask, error: BaseException) -> Fault:
    source = str(state.source(task.slug))
    if isinstance(error, RenderError):
        return Fault(source, 0, f"{row.label}: {error}", error.hint)
    message = f"{row.label}: cannot be rendered: {type(error).__name__}: {error}"
    return Fault(source, 0, message, "this is a fault of Dateline; please report it")
