"""From what is public of a release to what is in content/ now: whether it may take its place, and what becomes of it.

What a release was before is a function of its public row and record, and of the release as it is now: two machines
that publish the same correction write the same bytes, and so does a run that goes on where another was killed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct

from pipeline.build.state import BuildState
from pipeline.build.superseded import superseded_page
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.manifest import Row, digest
from pipeline.model.release import Release
from pipeline.model.revision import RevisionRecord, digest_of_words, folder, kept_under
from pipeline.typography.messages import Messages
from pipeline.writers.ninjs import files_of

PENDING = "pending.json"
MINOR = "minor.json"
"""Slug → digest of the source that somebody said was a minor change: a run that was killed need not be told again."""

Change = Literal["", "minor", "corrected", "withdrawn", "returned"]
Fetch = Callable[[str, str], bytes | None]
"""From key and SHA-256 to the bytes that are public there; None when these are others. Without a SHA-256, any."""


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


def derive(
    row: Row, release: Release, source: str, messages: Messages, fetch: Fetch, today: date
) -> tuple[PlannedRevision, bytes]:
    """Return what the release will have been, and the page of the revision before as it will be kept, if one is."""
    found = change(row, release, source)
    page = b""
    past, pending_deletes = row.past, row.pending_deletes
    if found == "corrected":
        files, page = _kept(row, release, messages, fetch)
        past = (*past, _state(row, release, files=files))
    elif found == "minor":
        past = (*past, _state(row, release, minor=today.isoformat()))
    elif found == "returned":
        past = (*past, _state(row, release))
    elif found == "withdrawn":
        pending_deletes = tuple(sorted(_downloads(row.slug) | _others(row, fetch)))
        # What it said it tells in no place any more: neither do the notes of what was corrected.
        before = (*past, _state(row, release))
        past = tuple(
            state if state.withdrawn else msgspec.structs.replace(state, files=(), note="") for state in before
        )
    return PlannedRevision(row.record, source, past, pending_deletes), page


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
        return tuple(sorted(_downloads(slug)))
    return pending.pending_deletes if _fits(row, source, pending) and pending else row.pending_deletes


def _fits(row: Row, source: str, pending: PlannedRevision | None) -> bool:
    return pending is not None and (pending.base, pending.source) == (row.record, source)


def recall(state: BuildState) -> Mapping[str, PlannedRevision]:
    """Return what was derived when storage was last asked, by slug."""
    return state.recall(PENDING, dict[str, PlannedRevision], {})


def _state(row: Row, release: Release, *, minor: str = "", files: tuple[Rendition, ...] = ()) -> RevisionRecord:
    notes = (correction.note for correction in release.corrections if correction.date == row.modified)
    note = row.summary if row.withdrawn else next(notes, "") if row.corrections else ""
    return RevisionRecord(row.revision, row.modified, row.record, note, row.withdrawn, minor, files)


def _record(row: Row, fetch: Fetch) -> bytes:
    """Return the public record of ``row``; a run that was killed may have left it among the kept files alone."""
    key = f"releases/{row.slug}.json"
    return fetch(key, row.record) or fetch(kept_under(row.slug, key, row.revision), row.record) or b""


def _files(row: Row, fetch: Fetch) -> Iterable[Rendition]:
    """Return the public files of the newest revision, without the record."""
    return files_of(_record(row, fetch), row.slug)


def _downloads(slug: str) -> set[str]:
    return {form.key(slug) for form in FORMATS if not form.notice}


def _others(row: Row, fetch: Fetch) -> set[str]:
    """Return what else is public of a release besides its page: pictures, and what is kept of earlier revisions."""
    listed = {file.key for file in _files(row, fetch)} | {file.key for state in row.past for file in state.files}
    return listed - {form.key(row.slug) for form in FORMATS if form.notice}


def _kept(row: Row, release: Release, messages: Messages, fetch: Fetch) -> tuple[tuple[Rendition, ...], bytes]:
    """Return the files of the newest public revision as they are kept from now on, and the page among them."""
    record, slug = _record(row, fetch), row.slug
    kept: list[Rendition] = []
    page = b""
    for file in _files(row, fetch):
        key = kept_under(slug, file.key, row.revision)
        if file.format == "html":
            page = _page(row, release, messages, fetch, file)
            kept += [Rendition("html", key, len(page), digest(page))] if page else []
        else:
            pages = row.pages if file.format == "pdf" else 0
            kept.append(Rendition(file.format, key, file.size, file.sha256, pages))
    if record:
        kept.append(Rendition("json", f"{folder(slug, row.revision)}{slug}.json", len(record), row.record))
    return tuple(kept), page


def _page(row: Row, release: Release, messages: Messages, fetch: Fetch, file: Rendition) -> bytes:
    original = fetch(file.key, file.sha256)
    if original:
        said = messages["superseded"].format(number=messages.number(row.revision), date=messages.date(release.modified))
        return superseded_page(original, row.slug, said, messages["current"])
    return fetch(kept_under(row.slug, file.key, row.revision), "") or b""
