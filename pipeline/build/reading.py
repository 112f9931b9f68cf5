"""The first stage: sources become manuscripts.

Every release is read once, by one reader, before anything is made of it; a refused one has no manuscript, so no later
stage makes anything of it and its faults are told once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.state import BuildState, ParsedRelease
from pipeline.model.errors import Fault, ReleaseError
from pipeline.model.manifest import Manifest, Row
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import SLUG, Release
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages

INDEX = "index"
UNKNOWN = "write it in words, or leave it out"


class Read(Struct, frozen=True):
    """What the reader made of one source."""

    slug: str
    refused: bool
    waiting: bool
    faults: tuple[Fault, ...]
    """What it was refused for, or warnings."""


def read(
    state: BuildState,
    newsroom: Newsroom,
    published: Manifest,
    slugs: Iterable[str],
    now: datetime,
    minor: bool = False,
) -> Iterator[Read]:
    """Read sources into manuscripts. A refused one loses its manuscript; what was made of it earlier stays.

    Words of a public release may change with a correction only, or when somebody says that the change is ``minor``.

    What lies between releases is judged after all of them were read: names that lead nowhere, and links that would give
    away what is not public yet.
    """
    from pipeline.reader import check_slugs  # the parsers cost more than a run with nothing to do

    known = state.slugs()
    before = state.entries(INDEX, IndexEntry)
    public = ReleaseIndex(all_listed(state, published), now)
    here, rows = set(known), published.by_slug()
    index = {slug: listed for slug, listed in public.known.items() if slug in here}
    clashes = _by_source(check_slugs([state.source(slug) for slug in known]))
    whole: dict[str, tuple[Fault, ...]] = {}
    for slug in slugs:
        clash = clashes.get(str(state.source(slug)), [])
        faults, warnings = _read_one(state, newsroom, index, slug, clash, now, rows.get(slug), minor)
        if faults:
            yield Read(slug, True, False, faults)
        else:
            whole[slug] = warnings
    postponed = {slug for slug, was in before.items() if slug not in index or _later(index[slug], was)}
    judged = set(whole) | (_at_hand(state, index) if postponed else set())
    yield from _cross_examine(state, published, index, judged, now)
    for slug in sorted(judged & whole.keys()):
        state.note(INDEX, slug, index[slug])
        state.confirm_parsed_release(slug)
        yield Read(slug, False, index[slug].is_hidden(now), whole[slug])
    _forget_gone(state, before.keys() - index.keys())
    moved = (before.keys() - index.keys()) | whole.keys()
    parted = public.neighbours(moved) - ReleaseIndex(all_listed(state, published), now).neighbours(moved)
    left = {was.origin for slug, was in before.items() if slug not in index or index[slug].origin != was.origin}
    _renew_neighbours(state, index, left, parted)


def _forget_gone(state: BuildState, slugs: Iterable[str]) -> None:
    """Take those that are not here any more out of the index."""
    for slug in slugs:
        state.note(INDEX, slug, None)
    state.copy_fair(INDEX, IndexEntry)


def _cross_examine(
    state: BuildState, published: Manifest, index: dict[str, IndexEntry], judged: set[str], now: datetime
) -> Iterator[Read]:
    """Refuse those of ``judged`` that name what must not be named, until none is left; they leave ``judged``."""
    while crossed := _judge(state, published, index, judged, now):
        for slug, found in crossed.items():
            judged.discard(slug)
            _refuse(state, index, slug)
            yield Read(slug, True, False, tuple(found))


def _later(listed: IndexEntry, was: IndexEntry) -> bool:
    """Whether a release may be named less early than it might before."""
    return (listed.draft, listed.date) > (was.draft, was.date)


def _at_hand(state: BuildState, index: dict[str, IndexEntry]) -> set[str]:
    return {slug for slug in index if state.parsed_release(slug)}


def _judge(
    state: BuildState, published: Manifest, index: dict[str, IndexEntry], slugs: set[str], now: datetime
) -> dict[str, list[Fault]]:
    """Return, by slug, the faults of what releases say of each other; what is published may be named, come what may."""
    from pipeline.reader import check_translations

    readings = (found.release for found in map(state.parsed_release, sorted(slugs)) if found)
    files = {slug: state.source(slug) for slug in slugs}
    found = _by_source(check_translations(readings, files, _of_rows(published) | index, now))
    return {slug: found[str(file)] for slug, file in files.items() if str(file) in found}


def _refuse(state: BuildState, index: dict[str, IndexEntry], slug: str) -> None:
    """Forget a release that was refused; a name that is no slug never had a manuscript."""
    if SLUG.match(slug):
        state.drop_parsed_release(slug)
        state.note(INDEX, slug, None)
    index.pop(slug, None)


def _renew_neighbours(state: BuildState, index: dict[str, IndexEntry], origins: set[str], parted: set[str]) -> None:
    """Let make look again at the pages that named a release which left them: it goes by the manuscripts' times."""
    for slug, listed in index.items():
        parsed_release = state.work / "read" / f"{slug}.json"
        if (listed.origin in origins or slug in parted) and parsed_release.is_file():
            parsed_release.touch()


def _read_one(
    state: BuildState,
    newsroom: Newsroom,
    index: dict[str, IndexEntry],
    slug: str,
    clashes: list[Fault],
    now: datetime,
    row: Row | None,
    minor: bool,
) -> tuple[tuple[Fault, ...], tuple[Fault, ...]]:
    """Read one source; return its faults and its warnings."""
    from pipeline.reader import read_release

    source = state.source(slug)
    try:
        if clashes:
            raise ReleaseError(clashes)
        if not source.is_file():
            raise ReleaseError([Fault(str(source), 0, "is no file that can be read", "a release is a plain text file")])
        digest = fingerprint.of_source(state, slug)
        reading = read_release(source, newsroom, now)
        if unset := tuple(_unsettable(state, newsroom, reading.release)):
            raise ReleaseError(unset)
        minor = minor or history.is_minor(state, slug, digest)
        if row and (found := history.refusal(row, reading.release, digest, minor)):
            raise ReleaseError([Fault(str(source), _line(source, found.keys), found.message, found.hint)])
    except ReleaseError as error:
        _refuse(state, index, slug)
        return error.faults, ()
    release = reading.release
    state.keep_parsed_release(ParsedRelease(release, digest), reading.pictures, now)
    index[slug] = IndexEntry.of_release(release)
    return (), reading.warnings


def _line(source: Path, keys: Iterable[str]) -> int:
    """Return the line of the first of ``keys`` that the front matter has, 0 when it has none of them."""
    lines = source.read_text("utf-8-sig").splitlines()
    for key in keys:
        for number, line in enumerate(lines, 1):
            if line.startswith(f"{key}:"):
                return number
    return 0


def _unsettable(state: BuildState, newsroom: Newsroom, release: Release) -> Iterator[Fault]:
    """Yield a fault for every character that cannot be set: on paper it would be an empty box.

    Faces of scripts that the release is the first to need are installed, where that may be done.
    """
    from pipeline.typography import fonts
    from pipeline.typography.fonts import packages

    article = compose(release, newsroom, Messages(release.language, newsroom.time_zone), embargoed=release.embargo)
    text = msgspec.json.encode(article).decode()
    found = fonts.coverage(text, release.language)
    if found.lacking:
        packages.install_scripts(dict.fromkeys(script for _, script in found.lacking))
        found = fonts.coverage(text, release.language)
    for character in found.unknown:
        yield _at(state, release, character, f"no type face has {fonts.character_name(character)}", UNKNOWN)
    for script in dict.fromkeys(script for _, script in found.lacking):
        absent = [character for character, of in found.lacking if of is script]
        what = f"no type face here has {fonts.character_name(absent[0])}"
        more = f" and {len(absent) - 1} more" if absent[1:] else ""
        hint = f"{', '.join(script.packages)} would have: {packages.install_command(script)}"
        yield _at(state, release, absent[0], what + more, hint)


def _at(state: BuildState, release: Release, character: str, message: str, hint: str) -> Fault:
    """Return a fault where the character stands: in the release, else in the newsroom's own words."""
    for file in (state.source(release.slug), state.newsroom_file):
        for number, line in enumerate(file.read_text("utf-8-sig").splitlines(), 1):
            if character in line:
                return Fault(str(file), number, message, hint)
    return Fault(str(state.source(release.slug)), 0, message, hint)


def _by_source(faults: Iterable[Fault]) -> dict[str, list[Fault]]:
    found: dict[str, list[Fault]] = {}
    for fault in faults:
        found.setdefault(fault.source, []).append(fault)
    return found


def all_listed(state: BuildState, published: Manifest) -> dict[str, IndexEntry]:
    """Return all releases that are known of, by slug; ``published`` knows those that were read on another machine."""
    here = set(state.slugs())
    rows = _of_rows(published)
    elsewhere = {slug: msgspec.structs.replace(rows[slug], gone=True) for slug in rows.keys() - here}
    return rows | elsewhere | state.entries(INDEX, IndexEntry)


def _of_rows(published: Manifest) -> dict[str, IndexEntry]:
    return {row.slug: IndexEntry.of_row(row) for row in published.rows}
