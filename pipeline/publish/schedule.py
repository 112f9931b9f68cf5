"""Scheduled releases in their final form: rendered ahead, so that only copying is left to do at their instant.

Each is rendered in a context whose clock shows the release's own instant. A run after that instant would render the
same bytes, so everything that shows the release can be rendered ahead too.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline.build.context import CommandContext
from pipeline.build.state import BuildState
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import digest
from pipeline.model.render_context import RenderContext
from pipeline.model.statement import SUFFIXES
from pipeline.publish.candidates import Candidate, Classified, classify


def scheduled_here(context: CommandContext) -> list[str]:
    """Return the slugs of this machine's releases that are not public yet: scheduled ones, and drafts."""
    public = context.published.by_slug()
    return [slug for slug in context.state.hidden(context.now) if slug not in public]


def by_instant(state: BuildState, slugs: Iterable[str], now: datetime) -> dict[datetime, list[str]]:
    """Return the scheduled releases among ``slugs``, without drafts, by their instants in UTC."""
    groups: dict[datetime, list[str]] = {}
    slugs = sorted(slugs)
    summaries = state.summaries(slugs)
    for slug in slugs:
        entry = summaries[slug].entry if slug in summaries else None
        if entry and not entry.draft and now < entry.date:
            groups.setdefault(entry.date.astimezone(UTC), []).append(slug)
    return dict(sorted(groups.items()))


def contexts_by_instant(
    state: BuildState, render_context: RenderContext, slugs: Iterable[str]
) -> Iterator[tuple[RenderContext, list[str]]]:
    """Yield, for each instant among ``slugs``, the render context with its clock at that instant, and the slugs."""
    for instant, group in by_instant(state, slugs, render_context.now).items():
        yield msgspec.structs.replace(render_context, now=instant), group


def classify_scheduled(state: BuildState, render_context: RenderContext, slugs: Iterable[str]) -> Classified:
    """Divide the scheduled releases among ``slugs`` into those rendered in their final form, and failed ones."""
    candidates: list[Candidate] = []
    failed: list[str] = []
    for then, group in contexts_by_instant(state, render_context, slugs):
        classified = classify(state.final(), then, group, then.now)
        candidates += classified.candidates
        failed += [*classified.failed, *classified.scheduled]
    return Classified(tuple(candidates), (), tuple(failed))


def promote(state: BuildState, releases: Mapping[str, Mapping[str, str]]) -> None:
    """Move files that were rendered ahead and are public now into the public tree, so that nothing is rendered again.

    ``releases`` is slug → key → SHA-256. A release that is not here with these bytes was rendered on another machine;
    it is left to the stages.
    """
    ahead = state.final()
    rendered = {row.name: ahead.rendered(row.name) for row in FORMATS}
    for slug, files in releases.items():
        names = [row.name for row in FORMATS if row.key(slug) in files]
        own = {name: rendered[name][slug] for name in names if slug in rendered[name]}
        complete = bool(names) and len(own) == len(names)
        files = {key: sha for key, sha in files.items() if not key.endswith(SUFFIXES)}
        if not complete or not all(_has_digest(ahead.public / key, sha) for key, sha in files.items()):
            continue
        for key in files:
            target = state.public / key
            target.parent.mkdir(parents=True, exist_ok=True)
            (ahead.public / key).replace(target)
        for name, file in own.items():
            state.note_rendered(name, slug, file)
            ahead.forget_rendered(name, slug)
            (state.waiting / file.rendition.key).unlink(missing_ok=True)
        shutil.rmtree(state.waiting / "releases" / slug, ignore_errors=True)


def discard(state: BuildState, wanted: set[str]) -> None:
    """Remove what was rendered ahead for releases that are not ``wanted`` any more, but of refused sources."""
    ahead = state.final()
    for row in FORMATS:
        for slug in ahead.rendered(row.name).keys() - wanted:
            if state.source(slug).is_file() and state.parsed_release(slug) is None:
                continue
            (ahead.public / row.key(slug)).unlink(missing_ok=True)
            shutil.rmtree(ahead.public / "releases" / slug, ignore_errors=True)
            ahead.forget_rendered(row.name, slug)


def _has_digest(file: Path, sha256: str) -> bool:
    return file.is_file() and digest(file.read_bytes()) == sha256
