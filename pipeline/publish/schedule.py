"""Releases as they will be public: set before their instants, so that at the instant nothing is left but to copy.

Each is set in a house whose clock stands at the release's own instant. So a run after that instant would make the same
bytes of the same words, and everything that shows them may be made ahead.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline.build.reading import all_listed
from pipeline.build.state import FAR, Entry, Workshop
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import digest
from pipeline.model.release_index import Public
from pipeline.model.render_context import House
from pipeline.publish import candidates as ready
from pipeline.publish.candidates import Ready

FAR_AHEAD = datetime.fromtimestamp(FAR, UTC)


class Due(Struct, frozen=True):
    """A waiting release that can go up at its instant."""

    instant: datetime
    ready: Ready
    beside: tuple[str, ...]
    """Slugs of the releases that its page names: they must be public too when it is."""


def by_instant(workshop: Workshop, slugs: Iterable[str], now: datetime) -> dict[datetime, list[str]]:
    """Return those of ``slugs`` that wait for a date, no drafts, by their instants in UTC."""
    groups: dict[datetime, list[str]] = {}
    for release in (found.release for found in map(workshop.manuscript, sorted(slugs)) if found):
        if not release.draft and now < release.date < FAR_AHEAD:
            groups.setdefault(release.date.astimezone(UTC), []).append(release.slug)
    return dict(sorted(groups.items()))


def houses(workshop: Workshop, house: House, slugs: Iterable[str]) -> Iterator[tuple[House, list[str]]]:
    """Yield what waits among ``slugs`` by instant, with the house as it will be then."""
    for instant, group in by_instant(workshop, slugs, house.now).items():
        yield msgspec.structs.replace(house, now=instant), group


def sort(workshop: Workshop, house: House, slugs: Iterable[str]) -> tuple[list[Due], list[str]]:
    """Return what of ``slugs`` is whole in the workshop of what is due, and the slugs of what lacks a rendition."""
    whole: list[Due] = []
    broken: list[str] = []
    for then, group in houses(workshop, house, slugs):
        found = ready.sort(workshop.due(), then, group, then.now)
        beside = Public(all_listed(workshop, house.published), then.now) if found.ready else None
        for release in found.ready:
            manuscript = workshop.manuscript(release.row.slug)
            others = beside.around_release(manuscript.release) if beside and manuscript else ()
            whole.append(Due(then.now, release, tuple(sorted({other.slug for other in others}))))
        broken += [*found.broken, *found.held]
    return whole, broken


def adopt(workshop: Workshop, releases: Mapping[str, Mapping[str, str]]) -> None:
    """Take for public what was set ahead and is public now (slug → key → SHA-256), so that nothing is made again.

    What lies here with other bytes, or not at all, was set elsewhere; it is left to the stages.
    """
    ahead = workshop.due()
    ledgers = {row.name: ahead.ledger(row.name) for row in FORMATS}
    for slug, files in releases.items():
        entries = {name: ledger[slug] for name, ledger in ledgers.items() if slug in ledger}
        if len(entries) < len(FORMATS) or not all(_is(ahead.public / key, sha256) for key, sha256 in files.items()):
            continue
        for key in files:
            target = workshop.public / key
            target.parent.mkdir(parents=True, exist_ok=True)
            (ahead.public / key).replace(target)
            os.utime(target)  # younger than all it was made from, which make goes by
        for name, entry in entries.items():
            workshop.note(name, slug, entry)
            workshop.note(ahead.books + name, slug, None)
            (workshop.waiting / entry.rendition.key).unlink(missing_ok=True)
        shutil.rmtree(workshop.waiting / "releases" / slug, ignore_errors=True)
        (workshop.waiting / "until" / slug).unlink(missing_ok=True)
    for name in ledgers if releases else ():
        workshop.copy_fair(name, Entry)
        workshop.copy_fair(ahead.books + name, Entry)


def _is(file: Path, sha256: str) -> bool:
    return file.is_file() and digest(file.read_bytes()) == sha256
