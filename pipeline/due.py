"""Releases as they will be public: set before their instants, so that at the instant nothing is left but to copy.

Each is set in a house whose clock stands at the release's own instant. So a run after that instant would make the same
bytes of the same words, and everything that shows them may be made ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

from pipeline import ready
from pipeline.ready import Ready
from pipeline.stages import House
from pipeline.workshop import FAR, Workshop

FAR_AHEAD = datetime.fromtimestamp(FAR, UTC)


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


def sort(workshop: Workshop, house: House, slugs: Iterable[str]) -> tuple[list[Ready], list[str]]:
    """Return what of ``slugs`` is whole in the workshop of what is due, and the slugs of what lacks a rendition."""
    whole: list[Ready] = []
    broken: list[str] = []
    for then, group in houses(workshop, house, slugs):
        found = ready.sort(workshop.due(), then, group, then.now)
        whole += found.ready
        broken += [*found.broken, *found.held]
    return whole, broken

