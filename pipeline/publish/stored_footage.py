"""Footage in the private bucket that is too large for a repository: what is known of each file, so it is read once.

Somebody else puts the files there. ``footage.json`` beside them has the size, digest and measures of those that were
read, by key and ETag, so that no other machine needs to read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from pipeline.build.context import CommandContext
from pipeline.build.state import UNUSABLE
from pipeline.model.errors import ReleaseError, StorageError
from pipeline.model.footage import STORED, Film, Measured
from pipeline.publish.commits import put_shared
from pipeline.publish.parallel import in_parallel
from pipeline.publish.progress import Progress
from pipeline.publish.up_to_date import unpublished_sources
from pipeline.reader.files import FileError
from pipeline.storage import Head, ObjectStore
from pipeline.storage.compare_and_swap import retry_on_conflict

KEY = "footage.json"
TOLD = "footage_told"
"""Name in the build state of what this machine knows to be in ``footage.json``, by address of the private bucket."""
MEASURING = 3600
"""Seconds for which the address is valid at which a file is measured."""

Films = dict[str, Film]
"""By ``s3://KEY``."""


def look(context: CommandContext, slugs: Iterable[str], progress: Progress) -> None:
    """Learn what is in the private bucket of the files that these releases name; those that are read now need it.

    Raises StorageError.
    """
    named = {slug: names for slug in slugs if (names := _named(context, slug))}
    if not named:
        return
    all_named = sorted({name for theirs in named.values() for name in theirs})
    store, films = context.store, context.state.films
    known = {name: film for name in all_named if (film := films.get(name))}
    heads = in_parallel(lambda name: store.head(name.removeprefix(STORED), "private"), all_named)
    there = {name: head for name, head in heads.items() if head}
    if any(not _is_of(known.get(name), head) if head else name not in known for name, head in heads.items()):
        told = _read(store)[0]
        known |= {name: told[name] for name, head in there.items() if _is_of(told.get(name), head)}
        known |= {name: told[name] for name in (told.keys() & heads.keys()) - there.keys() - known.keys()}
    wrong: dict[str, tuple[str, str]] = {}
    for name, head in there.items():
        film = known.get(name)
        try:
            if film is None or not _is_of(film, head):
                known[name] = _film(context, name, head, progress)
            elif film.measured is None:  # by a machine on which nothing measures
                known[name] = replace(film, measured=_measured(store, name))
        except FileError as error:
            wrong[name] = error.args
    for name, film in known.items():
        if films.get(name) != film:
            films[name] = film
    gone = heads.keys() - there.keys()
    unusable = {slug: theirs for slug, theirs in context.state.unusable_films().items() if slug not in named}
    for slug, theirs in named.items():
        lost = {name: ("", "") for name in theirs & gone if not _is_public(context, slug, name, known.get(name))}
        if found := lost | {name: wrong[name] for name in theirs & wrong.keys()}:
            unusable[slug] = found
    if unusable != context.state.unusable_films():
        context.state.remember(UNUSABLE, unusable)


def changed(context: CommandContext, progress: Progress) -> list[str]:
    """Return the releases that are not public yet, or not with their footage, and whose stored files have changed."""
    outdated = "SELECT slug FROM published WHERE outdated"
    slugs = {slug for slug, _ in unpublished_sources(context.state)}
    slugs.update(slug for (slug,) in context.state.database.rows(outdated))
    summaries = context.state.summaries(slugs)
    stored = {slug: each for slug, each in summaries.items() if any(file.is_stored for file in each.footage_files)}
    look(context, stored, progress)
    unusable = context.state.unusable_films()
    return [slug for slug, each in stored.items() if slug in unusable or not each.has_films(context.state.films)]


def tell(context: CommandContext) -> None:
    """Add what this machine has read to ``footage.json``. Raises StorageError."""
    known, store = context.state.films, context.store
    films = {name: known[name] for name in known if name.startswith(STORED)}
    told = context.state.recall(TOLD, dict[str, Films], {}).get(context.destination.private_address, {})
    if not films or told == films:
        return

    def write(current: tuple[Films, str]) -> None:
        after = dict(sorted((current[0] | films).items()))
        if after != current[0]:
            body = msgspec.json.format(msgspec.json.encode(after), indent=1) + b"\n"
            put_shared(store, KEY, body, current[1], "private")

    retry_on_conflict(write, lambda: _read(store), KEY)
    context.state.remember(TOLD, {context.destination.private_address: films})


def _named(context: CommandContext, slug: str) -> set[str]:
    """Return the files in the private bucket that a release names; of one that is refused, only what all may name."""
    from pipeline.reader import read_release

    source, newsroom = context.state.source(slug), context.newsroom
    files = [each for notice in newsroom.footage.values() for each in notice.files]
    with suppress(OSError, ReleaseError):
        if STORED.encode() in source.read_bytes():
            files += read_release(source, newsroom, None, context.state.films).release.footage_files
    return {each.source for each in files if each.is_stored}


def _is_of(film: Film | None, head: Head) -> bool:
    return film is not None and (film.etag, film.size) == (head.etag, head.size)


def _is_public(context: CommandContext, slug: str, name: str, film: Film | None) -> bool:
    """Whether a file that is not in the private bucket any more is public as it was there."""
    if film is None or slug not in context.published.by_slug():
        return False
    head = context.store.head(f"releases/{slug}/{name.rpartition('/')[2]}")
    return head is not None and head.sha256 == film.sha256


def _film(context: CommandContext, name: str, head: Head, progress: Progress) -> Film:
    """Measure and read a file. Its name may be secret, so the progress does not say it. Raises FileError."""
    measured, digest, read = _measured(context.store, name), hashlib.sha256(), 0
    for part in context.store.stream(name.removeprefix(STORED), head.etag, "private"):
        digest.update(part)
        read += len(part)
        progress.progress(read // 1_000_000, head.size // 1_000_000, "MB of footage in the private bucket read")
    return Film(head.size, digest.hexdigest(), head.etag, measured)


def _measured(store: ObjectStore, name: str) -> Measured | None:
    """Measure a file; one that is not measured is published with its size and digest. Raises FileError."""
    from pipeline.reader import measure

    with suppress(OSError):
        return measure(store.presign(name.removeprefix(STORED), "private", MEASURING).address)
    return None


def _read(store: ObjectStore) -> tuple[Films, str]:
    stored = store.get(KEY, "private")
    if stored is None:
        return {}, ""
    try:
        return msgspec.json.decode(stored.body, type=Films), stored.etag
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "delete it: the files are read once more"
        raise StorageError(f"{KEY} in the private bucket cannot be read: {error}", hint) from None
