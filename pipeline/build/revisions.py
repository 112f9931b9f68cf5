"""From what is public of a release to what is in content/ now: whether that may replace it, and its earlier revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from pipeline.build.state import BuildState
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import Row
from pipeline.model.release import Release
from pipeline.model.revision import RevisionRecord, digest_of_words

PLANNED = "planned_revisions"
MINOR = "minor_changes"
"""Slug → digest of the source that somebody said was a minor change, so that a run after a killed one need not ask."""

Change = Literal["", "minor", "corrected", "withdrawn", "returned"]


class PlannedRevision(Struct, frozen=True):
    """What a release will have been once it is published as it is now."""

    base: str
    """Record of the row that it was derived from; of any other it says nothing."""
    source: str
    past: tuple[RevisionRecord, ...]
    pending_deletes: tuple[str, ...] = ()
    """What a withdrawal takes down."""


class Refusal(Struct, frozen=True):
    """Why a release may not take the place of what is public."""

    keys: tuple[str, ...]
    """The first of these that the front matter has is where it is told."""
    message: str
    hint: str


def change(row: Row, release: Release, source: str) -> Change:
    """Return what happens to a public release when it is published as it is now."""
    if release.withdrawn:
        return "" if row.withdrawn else "withdrawn"
    if row.withdrawn:
        return "returned"
    if len(release.corrections) > row.corrections:
        return "corrected"
    # Of the same source nothing changed, even if another version of Dateline tells its words otherwise.
    differs = row.words and row.source != source and row.words != digest_of_words(release)
    return "minor" if differs else ""


def refusal(row: Row, release: Release, source: str, minor: bool) -> Refusal | None:
    """Return what speaks against publishing ``release``; ``minor`` lets changed words through without a correction."""
    found = change(row, release, source)
    public, here = row.corrections, len(release.corrections)
    if here < public:
        return Refusal(
            ("corrections", "title"),
            f"{public} corrections are public, {here or 'none'} of them here: what was said in public stays said",
            "put the entry back, or get the newest sources; to go back on a correction, add another one that says so",
        )
    if found == "returned" and here == public:
        return Refusal(
            ("title",),
            f"it was withdrawn in public on {row.modified:%Y-%m-%d}, and does not say so any more",
            "put withdrawn: back; if it is to stand again, add to corrections, dated now, why",
        )
    if found in ("withdrawn", "corrected", "returned") and release.modified <= row.modified:
        return Refusal(
            ("withdrawn" if found == "withdrawn" else "corrections",),
            f"dated no later than what is public ({row.modified.isoformat(timespec='minutes')})",
            "write the time of now",
        )
    if public and release.modified < row.modified:
        return Refusal(
            ("corrections",),
            f"the newest entry is dated before what is public ({row.modified.isoformat(timespec='minutes')})",
            "put its date back; for a new correction add a new entry",
        )
    if found == "minor" and not minor:
        return Refusal(
            ("corrections", "title"),
            f"words of it were changed since it was published (revision {row.revision}), and no new correction says so",
            f"make diff RELEASE={row.slug} shows which; add to corrections: - date: …, note: …, or, for a slip of the "
            "pen that misled nobody, make publish MINOR=1",
        )
    return None


def is_minor(state: BuildState, slug: str, source: str) -> bool:
    """Whether somebody said before that this source is but a minor change."""
    return state.recall(MINOR, dict[str, str], {}).get(slug) == source


def of_release(row: Row | None, source: str, pending: PlannedRevision | None) -> tuple[RevisionRecord, ...]:
    """Return what a release was before, as far as it is known on this machine."""
    if row is None:
        return ()
    return pending.past if _fits(row, source, pending) and pending else row.past


def pending_deletes(slug: str, row: Row | None, source: str, pending: PlannedRevision | None) -> tuple[str, ...]:
    """Return what is to be taken down once a withdrawal is public.

    Of a release that was never listed, a run that was killed may have left files.
    """
    if row is None:
        return tuple(sorted({form.key(slug) for form in FORMATS if not form.notice}))
    return pending.pending_deletes if _fits(row, source, pending) and pending else row.pending_deletes


def _fits(row: Row, source: str, pending: PlannedRevision | None) -> bool:
    return pending is not None and (pending.base, pending.source) == (row.record, source)


def recall(state: BuildState) -> Mapping[str, PlannedRevision]:
    """Return what was derived when storage was last asked, by slug."""
    return state.recall(PLANNED, dict[str, PlannedRevision], {})
