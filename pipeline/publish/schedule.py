"""Releases as they will be public: set before their instants, so that at the instant nothing is left but to copy.

Each is set in a house whose clock stands at the release's own instant. So a run after that instant would make the same
bytes of the same words, and everything that shows them may be made ahead.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import digest
from pipeline.model.release_index import ReleaseIndex
from pipeline.model.render_context import RenderContext
from pipeline.publish import candidates as ready
from pipeline.publish.candidates import Candidate


class ScheduledRelease(Struct, frozen=True):
    """A waiting release that can go up at its instant."""

    instant: datetime
    ready: Candidate
    neighbours: tuple[str, ...]
    """Slugs of the releases that its page names: they must be public too when it is."""


def by_instant(state: BuildState, slugs: Iterable[str], now: datetime) -> dict[datetime, list[str]]:
    """Return those of ``slugs`` that wait for a date, no drafts, by their instants in UTC."""
    groups: dict[datetime, list[str]] = {}
    entries = {slug: summary.entry for slug, summary in state.summaries().items()}
    for slug in sorted(slugs):
        if (entry := entries.get(slug)) and not entry.draft and now < entry.date:
            groups.setdefault(entry.date.astimezone(UTC), []).append(slug)
    return dict(sorted(groups.items()))


def contexts_by_instant(
    state: BuildState, render_context: RenderContext, slugs: Iterable[str]
) -> Iterator[tuple[RenderContext, list[str]]]:
    """Yield what waits among ``slugs`` by instant, with the house as it will be then."""
    for instant, group in by_instant(state, slugs, render_context.now).items():
        yield msgspec.structs.replace(render_context, now=instant), group


def sort(
    state: BuildState, render_context: RenderContext, slugs: Iterable[str]
) -> tuple[list[ScheduledRelease], list[str]]:
    """Return what of ``slugs`` is whole in the workshop of what is due, and the slugs of what lacks a rendition."""
    whole: list[ScheduledRelease] = []
    failed: list[str] = []
    for then, group in contexts_by_instant(state, render_context, slugs):
        found = ready.sort(state.final(), then, group, then.now)
        neighbours = ReleaseIndex(all_listed(state, render_context.published), then.now) if found.ready else None
        for release in found.ready:
            parsed_release = state.parsed_release(release.row.slug)
            others = neighbours.related_to(parsed_release.release) if neighbours and parsed_release else ()
            whole.append(ScheduledRelease(then.now, release, tuple(sorted({other.slug for other in others}))))
        failed += [*found.failed, *found.scheduled]
    return whole, failed


def promote(state: BuildState, releases: Mapping[str, Mapping[str, str]]) -> None:
    """Take for public what was set ahead and is public now (slug → key → SHA-256), so that nothing is made again.

    What lies here with other bytes, or not at all, was set elsewhere; it is left to the stages.
    """
    ahead = state.final()
    ledgers = {row.name: ahead.rendered(row.name) for row in FORMATS}
    for slug, files in releases.items():
        entries = {name: ledger[slug] for name, ledger in ledgers.items() if slug in ledger}
        if len(entries) < len(FORMATS) or not all(_is(ahead.public / key, sha256) for key, sha256 in files.items()):
            continue
        for key in files:
            target = state.public / key
            target.parent.mkdir(parents=True, exist_ok=True)
            (ahead.public / key).replace(target)
        for name, entry in entries.items():
            state.note_rendered(name, slug, entry)
            ahead.forget_rendered(name, slug)
            (state.waiting / entry.rendition.key).unlink(missing_ok=True)
        shutil.rmtree(state.waiting / "releases" / slug, ignore_errors=True)


def _is(file: Path, sha256: str) -> bool:
    return file.is_file() and digest(file.read_bytes()) == sha256
