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
from pipeline.build.state import FAR, BuildState, RenderedFile
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import digest
from pipeline.model.render_context import RenderContext
from pipeline.publish.candidates import Candidate, Classified, classify

FAR_AHEAD = datetime.fromtimestamp(FAR, UTC)


def scheduled_here(context: CommandContext) -> list[str]:
    """Return the slugs of this machine's releases that are not public yet: scheduled ones, and drafts."""
    public = context.published.by_slug()
    here = filter(None, (context.state.parsed_release(slug) for slug in context.state.slugs() if slug not in public))
    return [found.release.slug for found in here if not found.release.is_public(context.now)]


def by_instant(state: BuildState, slugs: Iterable[str], now: datetime) -> dict[datetime, list[str]]:
    """Return the scheduled releases among ``slugs``, without drafts, by their instants in UTC."""
    groups: dict[datetime, list[str]] = {}
    for release in (found.release for found in map(state.parsed_release, sorted(slugs)) if found):
        if not release.draft and now < release.date < FAR_AHEAD:
            groups.setdefault(release.date.astimezone(UTC), []).append(release.slug)
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
        classified = classify(state.due(), then, group, then.now)
        candidates += classified.candidates
        failed += [*classified.failed, *classified.scheduled]
    return Classified(tuple(candidates), (), tuple(failed))


def promote(state: BuildState, releases: Mapping[str, Mapping[str, str]]) -> None:
    """Move files that were rendered ahead and are public now into the public tree, so that nothing is rendered again.

    ``releases`` is slug → key → SHA-256. A release that is not here with these bytes was rendered on another machine;
    it is left to the stages.
    """
    ahead = state.due()
    ledgers = {row.name: ahead.ledger(row.name) for row in FORMATS}
    for slug, files in releases.items():
        entries = {name: ledger[slug] for name, ledger in ledgers.items() if slug in ledger}
        if len(entries) < len(FORMATS) or not all(_has_digest(ahead.public / key, sha) for key, sha in files.items()):
            continue
        for key in files:
            target = state.public / key
            target.parent.mkdir(parents=True, exist_ok=True)
            (ahead.public / key).replace(target)
        for name, entry in entries.items():
            state.note(name, slug, entry)
            state.note(ahead.books + name, slug, None)
            (state.waiting / entry.rendition.key).unlink(missing_ok=True)
        shutil.rmtree(state.waiting / "releases" / slug, ignore_errors=True)
    for name in ledgers if releases else ():
        state.copy_fair(name, RenderedFile)
        state.copy_fair(ahead.books + name, RenderedFile)


def discard(state: BuildState, wanted: set[str]) -> None:
    """Remove what was rendered ahead for releases that are not ``wanted`` any more."""
    ahead = state.due()
    for row in FORMATS:
        gone = ahead.ledger(row.name).keys() - wanted
        for slug in gone:
            (ahead.public / row.key(slug)).unlink(missing_ok=True)
            shutil.rmtree(ahead.public / "releases" / slug, ignore_errors=True)
            ahead.note(ahead.books + row.name, slug, None)
        if gone:
            ahead.copy_fair(ahead.books + row.name, RenderedFile)


def _has_digest(file: Path, sha256: str) -> bool:
    return file.is_file() and digest(file.read_bytes()) == sha256
