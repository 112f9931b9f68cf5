"""The first stage: sources become parsed releases.

Every release is read once, before anything is rendered from it. A refused one is not stored, so that no later stage
renders it and its faults are reported once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, MutableMapping
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from pipeline.build import fingerprint, stored_index
from pipeline.build import revisions as history
from pipeline.build.published import StoredManifest
from pipeline.build.samples import release_samples
from pipeline.build.state import BuildState, ParsedRelease, Summary, footage_of
from pipeline.model.errors import Fault, ReleaseError
from pipeline.model.footage import missing_at
from pipeline.model.formats import Rendition
from pipeline.model.manifest import PublicReleases, Row
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import SLUG, Release
from pipeline.model.release_index import IndexEntry
from pipeline.reader.source import as_read

UNKNOWN = "write it in words, or leave it out"


class ReadResult(Struct, frozen=True):
    """What became of one source."""

    slug: str
    refused: bool
    unpublished: bool
    faults: tuple[Fault, ...]
    """What it was refused for, or warnings."""


class Reading(Struct, frozen=True):
    """One source that was read on its own."""

    parsed: ParsedRelease
    summary: Summary
    pictures: Mapping[str, bytes]
    warnings: tuple[Fault, ...]


def out_of_date(state: BuildState, newsroom: Newsroom, slugs: Iterable[str]) -> list[str]:
    """Return those of ``slugs`` that have to be read: refused, new or changed, or read by another reader."""
    slugs = tuple(slugs)
    summaries, unchecked, reader = state.summaries(slugs), state.unchecked(), fingerprint.of_reading(newsroom)
    films = state.films
    return [
        slug
        for slug in slugs
        if (summary := summaries.get(slug)) is None
        or slug in unchecked
        or summary.reader != reader
        or summary.source != fingerprint.of_source(state, slug)
        or not state.has_pictures(summary)
        or not summary.has_films(films)
    ]


def read(
    state: BuildState,
    newsroom: Newsroom,
    published: PublicReleases,
    slugs: Iterable[str],
    now: datetime,
    minor: bool = False,
    refuses_samples: bool = False,
    names_hidden: bool = True,
) -> Iterator[ReadResult]:
    """Read and store releases. A refused one is dropped; what was rendered from it earlier stays.

    Words of a public release may change only with a correction, or when somebody says that the change is ``minor``.
    Samples and placeholder text are faults if ``refuses_samples``, and warnings in a draft. Warnings name two releases
    of which one is not public yet only if ``names_hidden``.

    What releases say of each other is checked after all of them were read: names that lead nowhere, and links that
    would give away a release that is not public yet.
    """
    from pipeline.reader.references import check_slugs, slug_fault  # costs more than a run with nothing to do

    slugs, sources = tuple(slugs), state.slugs()
    gone = state.parsed_slugs().difference(sources)
    if not slugs and not gone:
        return
    rows = published.by_slug()
    before = checked_entries(state, {*slugs, *gone} if is_indexed(published) else None)
    index = _index(state, published, {*slugs, *gone}, before, sources)
    names = {slug.casefold() for slug in slugs}
    alike = sources if any(map(slug_fault, slugs)) else [slug for slug in sources if slug.casefold() in names]
    clashes = _by_source(check_slugs(map(state.source, alike)))
    reader = fingerprint.of_reading(newsroom)
    warnings: dict[str, tuple[Fault, ...]] = {}
    for slug in slugs:
        found = clashes.get(str(state.source(slug)), [])
        try:
            parsed, pictures, told = _read_one(state, newsroom, slug, found, now, rows.get(slug), minor)
            told += _samples(state, slug, parsed.release, refuses_samples)
        except ReleaseError as error:
            _drop(state, index, slug)
            samples = _samples(state, slug, None, refuses_samples)
            yield ReadResult(slug, True, False, tuple(sorted({*error.faults, *samples})))
            continue
        warnings[slug], summary = told, _summary(parsed, reader)
        state.store_release(parsed, summary, pictures)
        index[slug] = summary.entry
    postponed = any(slug not in index or _later(index[slug], was) for slug, was in before.items())
    to_check = set(warnings) | ({slug for slug in state.parsed_slugs() if slug in index} if postponed else set())
    for slug, faults in _check_references(state, published, index, to_check, now):
        yield ReadResult(slug, True, False, faults)
    read_now = sorted(to_check & warnings.keys())
    for slug, warning in _twin_warnings(state, index, read_now, now, names_hidden):
        warnings[slug] += (warning,)
    for slug in read_now:
        state.mark_checked(slug)
        yield ReadResult(slug, False, index[slug].is_hidden(now), warnings[slug])
    for slug in state.parsed_slugs().difference(sources):
        state.drop_release(slug)


def _samples(state: BuildState, slug: str, release: Release | None, refuses: bool) -> tuple[Fault, ...]:
    """Return what a source has of the samples, if they are refused. Raises ReleaseError unless it is a draft."""
    found = tuple(release_samples(state.source(slug), release)) if refuses else ()
    if found and release is not None and not release.draft:
        raise ReleaseError(found)
    return found


def _index(
    state: BuildState,
    published: PublicReleases,
    changing: set[str],
    before: dict[str, IndexEntry],
    sources: Collection[str],
) -> MutableMapping[str, IndexEntry]:
    """Return the releases that may be named, as they were ``before``; ``changing`` are read now, or gone."""
    if is_indexed(published):
        return _Entries(state, published.by_slug(), changing, before)
    return {slug: entry for slug, entry in (_entries_of_rows(published) | before).items() if slug in sources}


def _twin_warnings(
    state: BuildState, index: MutableMapping[str, IndexEntry], read_now: list[str], now: datetime, names_hidden: bool
) -> Iterator[tuple[str, Fault]]:
    """Yield each of ``read_now`` that has the headline and date of another release, with a warning."""
    others = index.of_date(read_now) if isinstance(index, _Entries) else index
    for slug, twin in _twins(others, read_now):
        is_told = names_hidden or not (others[slug].is_hidden(now) or others[twin].is_hidden(now))
        yield slug, _twin_warning(state, slug, twin if is_told else "")


def read_alone(state: BuildState, newsroom: Newsroom, slug: str, now: datetime) -> Reading:
    """Read one source, and compare it with nothing: for the preview. Raises ReleaseError with all faults."""
    parsed, pictures, warnings = _read_one(state, newsroom, slug, [], now, None, True)
    return Reading(parsed, _summary(parsed, fingerprint.of_reading(newsroom)), pictures, warnings)


def _read_one(
    state: BuildState,
    newsroom: Newsroom,
    slug: str,
    clashes: list[Fault],
    now: datetime,
    row: Row | None,
    minor: bool,
) -> tuple[ParsedRelease, Mapping[str, bytes], tuple[Fault, ...]]:
    """Read one source; return the release, its pictures and warnings. Raises ReleaseError with all faults."""
    from pipeline.reader import line_of, read_release

    source = state.source(slug)
    if clashes:
        raise ReleaseError(clashes)
    if not source.is_file():
        raise ReleaseError([Fault(str(source), 0, "is no file that can be read", "a release is a plain text file")])
    digest = fingerprint.of_source(state, slug)
    reading = read_release(source, newsroom, now, state.films)
    if unusable := tuple(_unusable_films(state, reading.release, now)):
        raise ReleaseError(unusable)
    if missing := tuple(_missing_glyphs(state, newsroom, reading.release)):
        raise ReleaseError(missing)
    minor = minor or history.is_minor(state, slug, digest)
    local = now.astimezone(ZoneInfo(newsroom.time_zone))
    if row and (refusal := history.refusal(row, reading.release, digest, minor, local)):
        raise ReleaseError([Fault(str(source), line_of(source, *refusal.keys), refusal.message, refusal.hint)])
    return ParsedRelease(reading.release, digest), reading.pictures, reading.warnings


def _unusable_films(state: BuildState, release: Release, now: datetime) -> Iterator[Fault]:
    """Yield what make publish has found out about the files that a release names in the private bucket."""
    if not any(file.is_stored for file in release.footage_files):
        return
    wrong, gone = state.unusable_films().get(release.slug, {}), missing_at(release.footage, now, coming=False)
    for file in release.footage_files:
        if file.source in wrong and file.file not in gone:
            what, remedy = wrong[file.source]
            if not what:
                what, remedy = "not in the private bucket", "put it there, or correct its key; make publish looks again"
            yield _at(state, release, file.source, f"{what}: {file.source}", remedy)


def _summary(parsed: ParsedRelease, reader: str) -> Summary:
    release, entry = parsed.release, IndexEntry.of_release(parsed.release)
    return Summary(
        entry,
        parsed.source,
        reader,
        release.embargo,
        fingerprint.links_home(release),
        tuple(picture_files(release)),
        shots=release.has_shots,
        footage=footage_of(release),
    )


def picture_files(release: Release) -> Iterator[Rendition]:
    """Yield a release's pictures and their copies as files of the public tree."""
    for picture in release.pictures:
        for size in picture.files:
            kind = "picture" if size.file == picture.file else "copy"
            yield Rendition(kind, f"releases/{release.slug}/{size.file}", size.size, size.sha256)


def _check_references(
    state: BuildState,
    published: PublicReleases,
    index: MutableMapping[str, IndexEntry],
    to_check: set[str],
    now: datetime,
) -> Iterator[tuple[str, tuple[Fault, ...]]]:
    """Refuse releases that name what must not be named, until none is left; they leave ``to_check``.

    What is published may be named in any case. A refused release takes those that name it with it.
    """
    from pipeline.reader.references import check_old_addresses, check_translations

    while True:
        releases = [parsed.release for parsed in map(state.parsed_release, sorted(to_check)) if parsed]
        files = {slug: state.source(slug) for slug in to_check}
        known = index.with_rows() if isinstance(index, _Entries) else _entries_of_rows(published) | dict(index)
        named = check_translations(releases, files, known, now)
        moved = stored_index.with_old_addresses(state) if isinstance(index, _Entries) else known
        faults = _by_source((*named, *check_old_addresses(releases, files, moved)))
        refused = {slug: tuple(faults[str(file)]) for slug, file in files.items() if str(file) in faults}
        if not refused:
            return
        for slug, found in refused.items():
            to_check.discard(slug)
            _drop(state, index, slug)
            yield slug, found


def _twins(index: Mapping[str, IndexEntry], slugs: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the pairs of releases with the same headline, date and language of which at least one is in ``slugs``.

    The first of a pair is the one to look at: it is in ``slugs``, and has the longer name if both are.
    """
    groups: dict[tuple[str, datetime, str], list[str]] = {}
    for slug, entry in index.items():
        if not entry.withdrawn:
            headline = " ".join(entry.title.casefold().split())
            groups.setdefault((headline, entry.date, entry.language.lower()), []).append(slug)
    wanted = set(slugs)
    for group in groups.values():
        first, *others = sorted(group, key=lambda slug: (len(slug), slug))
        for other in others:
            if other in wanted:
                yield other, first
            elif first in wanted:
                yield first, other


def _twin_warning(state: BuildState, slug: str, twin: str) -> Fault:
    """Return the warning of ``slug`` and its ``twin``; without the twin, one for a log, which names neither."""
    from pipeline.reader import line_of

    if not twin:
        what = "another release has the same headline and date"
        return Fault(state.opaque(slug), 0, what, "make check names the two", "second-copy")
    source = state.source(slug)
    message = f"the same headline and date as {state.source(twin)}"
    hint = "compare the two; if one is a copy (of another computer, or of Dropbox and the like), delete it"
    return Fault(str(source), line_of(source, "title"), message, hint, "second-copy")


def _later(entry: IndexEntry, was: IndexEntry) -> bool:
    """Whether a release may be named less early than before."""
    return (entry.draft, entry.date) > (was.draft, was.date)


def _drop(state: BuildState, index: MutableMapping[str, IndexEntry], slug: str) -> None:
    """Forget a refused release; a name that is no slug was never stored."""
    if SLUG.match(slug):
        state.drop_release(slug)
    index.pop(slug, None)


def _missing_glyphs(state: BuildState, newsroom: Newsroom, release: Release) -> Iterator[Fault]:
    """Yield a fault for every character that no installed font has: on paper it would be an empty box.

    Fonts for scripts that the release is the first to need are installed, where that is allowed.
    """
    from pipeline.typography.article import compose
    from pipeline.typography.fonts import character_name, packages
    from pipeline.typography.messages import Messages

    messages = Messages(release.language, newsroom.time_zone)
    article = compose(release, newsroom, messages, base_url="", embargoed=release.embargo)  # every font has an address
    text = msgspec.json.encode(article).decode()
    covered = packages.install_for(text, release.language)
    for character in covered.unknown:
        yield _at(state, release, character, f"no font has {character_name(character)}", UNKNOWN)
    for script in dict.fromkeys(script for _, script in covered.lacking):
        missing = [character for character, of in covered.lacking if of is script]
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        what = f"no installed font has {character_name(missing[0])}{more}"
        yield _at(
            state,
            release,
            missing[0],
            what,
            f"install {', '.join(script.packages)}: {packages.install_command(script)}",
        )


def _at(state: BuildState, release: Release, character: str, message: str, hint: str) -> Fault:
    """Return a fault on the line with the character: in the release, else in newsroom.toml."""
    for file in (state.source(release.slug), state.newsroom_file):
        for number, line in enumerate(as_read(file.read_bytes()).decode().split("\n"), 1):
            if character in line:
                return Fault(str(file), number, message, hint)
    return Fault(str(state.source(release.slug)), 0, message, hint)


def _by_source(faults: Iterable[Fault]) -> dict[str, list[Fault]]:
    by_source: dict[str, list[Fault]] = {}
    for fault in faults:
        by_source.setdefault(fault.source, []).append(fault)
    return by_source


# ── The index of releases ───────────────────────────────────────────────────────────────────────────────────────────


def is_indexed(published: PublicReleases) -> bool:
    """Whether the stored index is in line with ``published`` and with the sources, as in a run that publishes."""
    return isinstance(published, StoredManifest) and published.is_indexed


def listed_around(
    state: BuildState, published: PublicReleases, slugs: Collection[str], now: datetime
) -> dict[str, IndexEntry]:
    """Return the known releases on which the pages of ``slugs``, and of those that link to them, depend; or all.

    No page names a release that is not approved, however long ago its date was, or says of a public one what is new.
    """
    if held_back := state.held_back():
        known, rows = all_listed(state, published), published.by_slug()
        found = (known[slug] for slug in held_back if slug in known and slug not in rows)
        hidden = {each.slug: msgspec.structs.replace(each, draft=True) for each in found}
        return known | hidden | {slug: IndexEntry.of_row(rows[slug]) for slug in held_back if slug in rows}
    if is_indexed(published):
        return stored_index.around(state, slugs, now)
    return all_listed(state, published)


def translations_of_changed(state: BuildState, published: PublicReleases) -> list[str]:
    """Return the slugs of translations whose original was corrected or withdrawn, or of all releases."""
    if is_indexed(published):
        return stored_index.outdated(state)
    return [*all_listed(state, published)]


def all_listed(state: BuildState, published: PublicReleases) -> dict[str, IndexEntry]:
    """Return all known releases by slug; ``published`` knows those that were read on another machine."""
    here = set(state.slugs())
    rows = _entries_of_rows(published)
    elsewhere = {slug: msgspec.structs.replace(rows[slug], gone=True) for slug in rows.keys() - here}
    return rows | elsewhere | checked_entries(state)


def checked_entries(state: BuildState, slugs: Collection[str] | None = None) -> dict[str, IndexEntry]:
    """Return the index entries of the releases, or of ``slugs``, that were read here and compared with the others."""
    unchecked = state.unchecked()
    return {slug: summary.entry for slug, summary in state.summaries(slugs).items() if slug not in unchecked}


class _Entries(dict[str, IndexEntry]):
    """The entries of all releases whose sources are here: those that are read now, and the others as stored."""

    def __init__(
        self, state: BuildState, rows: Mapping[str, Row], read_now: set[str], before: Mapping[str, IndexEntry]
    ) -> None:
        public = {slug: IndexEntry.of_row(rows[slug]) for slug in read_now if slug in rows}
        super().__init__(
            {slug: entry for slug, entry in (public | dict(before)).items() if state.source(slug).exists()}
        )
        self._stored, self._read_now, self._public = stored_index.StoredEntries(state), read_now, public
        self._rows = rows

    def pop(self, slug: str, *_: object) -> IndexEntry | None:  # type: ignore[override]  # a default is given
        """Forget a release that is refused; what is public of it stays known."""
        if slug not in self._read_now and slug in self._rows:
            self._public[slug] = IndexEntry.of_row(self._rows[slug])
        self._read_now.add(slug)
        return super().pop(slug, None)

    def __contains__(self, slug: object) -> bool:
        return super().__contains__(slug) or (slug not in self._read_now and slug in self._stored)

    def of_date(self, slugs: Iterable[str]) -> dict[str, IndexEntry]:
        """Return the entries of ``slugs`` and of all releases of the same dates."""
        others = (found for slug in slugs for found in self._stored.at(self[slug].date).items())
        same = {slug: entry for slug, entry in others if slug not in self._read_now and not entry.gone}
        return same | dict(self)

    def with_rows(self) -> Mapping[str, IndexEntry]:
        """Return the entries of all known releases, of those that are published and not here too."""
        return _Known(self._public | dict(self), self._read_now, self._stored)


class _Known(Mapping[str, IndexEntry]):
    """Entries of those that are read now, and of all others as stored."""

    def __init__(self, entries: Mapping[str, IndexEntry], read_now: set[str], stored: Mapping[str, IndexEntry]) -> None:
        self._entries, self._read_now, self._stored = entries, read_now, stored

    def __getitem__(self, slug: str) -> IndexEntry:
        return (self._entries if slug in self._read_now else self._stored)[slug]

    def __iter__(self) -> Iterator[str]:
        return iter({*self._entries, *self._stored} - (self._read_now - self._entries.keys()))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _entries_of_rows(published: PublicReleases) -> dict[str, IndexEntry]:
    return {row.slug: IndexEntry.of_row(row) for row in published.rows}
