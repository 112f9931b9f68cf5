"""The first stage: sources become manuscripts.

Every release is read once, by one reader, before anything is made of it; a refused one has no manuscript, so no later
stage makes anything of it and its faults are told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec
from msgspec import Struct

from pipeline import fingerprint
from pipeline.errors import Fault, ReleaseError
from pipeline.manifest import Manifest
from pipeline.newsroom import Newsroom
from pipeline.release import Related, Release
from pipeline.workshop import Manuscript, Workshop

INDEX = "index.json"


class Read(Struct, frozen=True):
    """What the reader made of one source."""

    slug: str
    refused: bool
    waiting: bool
    faults: tuple[Fault, ...]
    """What it was refused for, or warnings."""


class Listed(Struct, frozen=True):
    """What pages of other releases may say of one, once it is public."""

    slug: str
    language: str
    title: str
    origin: str
    """Slug of the original of a translation, else its own."""
    date: datetime | None = None
    """None for what is known to be public."""
    draft: bool = False


def read(workshop: Workshop, newsroom: Newsroom, slugs: Iterable[str], now: datetime) -> Iterator[Read]:
    """Read sources into manuscripts. A refused one loses its manuscript; what was made of it earlier stays."""
    from pipeline.reader import read_release  # the parsers cost more than a whole run with nothing to do

    index = workshop.recall(INDEX, dict[str, Listed], {})
    crossed = _across(workshop)
    for slug in slugs:
        source = workshop.source(slug)
        try:
            if crossed.get(str(source)):
                raise ReleaseError(crossed[str(source)])
            digest = fingerprint.of_source(workshop, slug)
            reading = read_release(source, newsroom)
        except ReleaseError as error:
            workshop.drop_manuscript(slug)
            index.pop(slug, None)
            yield Read(slug, True, False, error.faults)
            continue
        release = reading.release
        workshop.keep_manuscript(Manuscript(release, digest), reading.pictures, now)
        index[slug] = Listed(
            slug, release.language, release.title, release.translation_of or slug, release.date,
            release.draft or release.withdrawn is not None,
        )  # fmt: skip
        yield Read(slug, False, not release.is_public(now), reading.warnings)
    known = set(workshop.slugs())
    workshop.remember(INDEX, {slug: listed for slug, listed in sorted(index.items()) if slug in known})


def _across(workshop: Workshop) -> dict[str, list[Fault]]:
    """Return the faults that lie between files, by source."""
    from pipeline.reader import check_slugs

    found: dict[str, list[Fault]] = {}
    for fault in check_slugs([workshop.source(slug) for slug in workshop.slugs()]):
        found.setdefault(fault.source, []).append(fault)
    return found


def public_now(workshop: Workshop, published: Manifest, now: datetime) -> dict[str, Listed]:
    """Return all releases that the world may know of at ``now``, by slug.

    ``published`` knows those that were read on another machine.
    """
    found = {
        row.slug: Listed(row.slug, row.language, row.title, row.translation_of or row.slug)
        for row in published.rows
        if not row.withdrawn
    }
    for slug, listed in workshop.recall(INDEX, dict[str, Listed], {}).items():
        found.pop(slug, None)
        if listed.date and listed.date <= now and not listed.draft:
            found[slug] = msgspec.structs.replace(listed, date=None)
    return found


def related(slug: str, origin: str, known: dict[str, Listed]) -> tuple[Related, ...]:
    """Return the same release in other languages, by language."""
    same = [Related(o.slug, o.language, o.title) for o in known.values() if o.origin == origin and o.slug != slug]
    return tuple(sorted(same, key=lambda other: (other.language, other.slug)))


def with_neighbours(slugs: Iterable[str], known: dict[str, Listed]) -> list[str]:
    """Add the releases whose pages link to one of ``slugs``: theirs are stale when it is new, renamed or gone."""
    wanted = set(slugs)
    origins = {known[slug].origin for slug in wanted if slug in known}
    return sorted(wanted | {slug for slug, listed in known.items() if listed.origin in origins})


def origin(release: Release) -> str:
    """Return the slug under which a release and its translations belong together."""
    return release.translation_of or release.slug
