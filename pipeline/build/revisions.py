"""Whether a release in content/ may replace what is public of it, and what its earlier revisions were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pipeline.build.state import BuildState
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import Row
from pipeline.model.release import Release, to_minute
from pipeline.model.revision import RevisionRecord, digest_of_words

PLANNED = "planned_revisions"
MINOR = "minor_changes"
"""Slug → digest of the source that somebody declared a minor change, so that a run after a killed one need not ask."""

Change = Literal["", "minor", "corrected", "withdrawn", "returned"]


class PlannedRevision(Struct, frozen=True):
    """What becomes of the public revision of a release when the source is published as it is now."""

    base: str
    """Record of the public row that it was derived from; it is void for any other."""
    source: str
    past: tuple[RevisionRecord, ...]
    pending_deletes: tuple[str, ...] = ()
    """Keys that a withdrawal deletes."""


class Refusal(Struct, frozen=True):
    """Why a release may not replace what is public."""

    keys: tuple[str, ...]
    """Front-matter keys to report it at: the first one that the source has."""
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
    # The same source is unchanged, even if another version of Dateline counts its words differently.
    differs = row.words and row.source != source and row.words != digest_of_words(release)
    return "minor" if differs else ""


def correction_block(date: datetime, note: str, *, first: bool = True) -> str:
    """Return the lines of front matter that add a correction, without a line break at the end.

    ``date`` has the offset that is to be written. The first correction of a release needs the key above it. Without a
    note the entry is refused until somebody writes one.
    """
    written = '"' + " ".join(note.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
    entry = f"  - date: {date.isoformat(timespec='minutes')}\n    note: {written}"
    return f"corrections:\n{entry}" if first else entry


def refusal(row: Row, release: Release, source: str, minor: bool, now: datetime | None = None) -> Refusal | None:
    """Return why ``release`` may not be published; ``minor`` allows changed words without a correction.

    With ``now``, in the newsroom's time zone, the hint ends in the lines to paste.
    """
    kind = change(row, release, source)
    public, here = row.corrections, len(release.corrections)
    published = row.modified.isoformat(timespec="minutes")
    if here < public:
        these = "1 correction is" if public == 1 else f"{public} corrections are"
        return Refusal(
            ("corrections", "title"),
            f"{these} public, but {here or 'none'} of them here; a public correction stays",
            "put the entry back, or get the newest sources; to take a correction back, add another one that says so",
        )
    if kind == "returned" and here == public:
        return Refusal(
            ("title",),
            f"it was withdrawn publicly on {row.modified:%Y-%m-%d}, but the source no longer says so",
            "put withdrawn: back; to publish it again, add an entry to corrections, dated now, that says why",
        )
    if kind in ("withdrawn", "corrected", "returned") and not _is_later(release, row):
        key = "withdrawn" if kind == "withdrawn" else "corrections"
        return Refusal((key,), f"dated before what is public ({published})", "write the current time")
    if public and release.modified < row.modified:
        return Refusal(
            ("corrections",),
            f"the newest entry is dated before what is public ({published})",
            "put its date back; for a new correction add a new entry",
        )
    if kind == "minor" and not minor:
        block = f":\n{correction_block(now, '', first=not here)}" if now else ": - date: …, note: …"
        where = "corrections" if here else "the front matter"
        return Refusal(
            ("corrections", "title"),
            f"words were changed since it was published (revision {row.revision}), but there is no new correction",
            f"make diff RELEASE={row.slug} shows the changes; for a typing error that misled nobody, run make publish "
            f"MINOR=1; else add to {where}, with a note of what was wrong and what is right{block}",
        )
    return None


def _is_later(release: Release, row: Row) -> bool:
    """Whether what is new in ``release`` is dated in the minute of what is public of it, or later."""
    if release.withdrawn:
        return to_minute(release.withdrawn.date) >= to_minute(row.modified)
    oldest_first = [to_minute(correction.date) for correction in reversed(release.corrections)]
    public, new = oldest_first[: row.corrections], oldest_first[row.corrections :]
    # A new entry dated before a public one stands among the public ones here, and pushes the newest of them out.
    is_last = row.withdrawn or not public or public[-1] == to_minute(row.modified)
    return is_last and min(new) >= to_minute(row.modified)


def is_minor(state: BuildState, slug: str, source: str) -> bool:
    """Whether an earlier run was told that this source is a minor change."""
    return state.recall(MINOR, dict[str, str], {}).get(slug) == source


def of_release(row: Row | None, source: str, planned: PlannedRevision | None) -> tuple[RevisionRecord, ...]:
    """Return the earlier revisions of a release as it is now, as far as this machine knows them."""
    if row is None:
        return ()
    return planned.past if planned and _is_of(planned, row, source) else row.past


def pending_deletes(slug: str, row: Row | None, source: str, planned: PlannedRevision | None) -> tuple[str, ...]:
    """Return the keys to delete once a withdrawal is public.

    Of a release that was never listed, a killed run may have left files.
    """
    if row is None:
        return tuple(sorted(form.key(slug) for form in FORMATS if not form.notice))
    return planned.pending_deletes if planned and _is_of(planned, row, source) else row.pending_deletes


def _is_of(planned: PlannedRevision, row: Row, source: str) -> bool:
    return (planned.base, planned.source) == (row.record, source)


def recall(state: BuildState) -> Mapping[str, PlannedRevision]:
    """Return the planned revisions by slug, as derived when storage was last read."""
    return state.recall(PLANNED, dict[str, PlannedRevision], {})
