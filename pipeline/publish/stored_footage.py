"""Footage in the private bucket that is too large for a repository: what is known of each file, so it is read once.

Somebody else puts the files there. ``footage.json`` beside them has the size, digest and measures of those that were
read, by key and ETag, so that no other machine needs to read them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from pipeline.build.context import CommandContext
from pipeline.build.state import UNUSABLE
from pipeline.model.errors import ReleaseError, StorageError
from pipeline.model.footage import STORED, Film
from pipeline.publish.commits import put_shared
from pipeline.publish.parallel import in_parallel
from pipeline.publish.progress import Progress
from pipeline.publish.up_to_date import unpublished_sources
from pipeline.reader.files import FileError
from pipeline.storage import ObjectStore
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
    if any(head and not _is_of(known.get(name), head.etag, head.size) for name, head in heads.items()):
        known |= {name: film for name, film in _read(store)[0].items() if name in heads}
    wrong: dict[str, tuple[str, str]] = {}
    for name, head in heads.items():
        if head and not _is_of(known.get(name), head.etag, head.size):
            try:
                known[name] = _film(context, name, head.etag, head.size, progress)
            except FileError as error:
                wrong[name] = error.args
    for name, film in known.items():
        if films.get(name) != film:
            films[name] = film
    gone = {name for name, head in heads.items() if head is None}
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


def _is_of(film: Film | None, etag: str, size: int) -> bool:
    return film is not None and (film.etag, film.size) == (etag, size)


def _is_public(context: CommandContext, slug: str, name: str, film: Film | None) -> bool:
    """Whether a file that is not in the private bucket any more is public as it was there."""
    if film is None or slug not in context.published.by_slug():
        return False
    head = context.store.head(f"releases/{slug}/{name.rpartition('/')[2]}")
    return head is not None and head.sha256 == film.sha256


def _film(context: CommandContext, name: str, etag: str, size: int, progress: Progress) -> Film:
    """Measure and read a file. Its name may be secret, so the progress does not say it. Raises FileError."""
    from pipeline.reader import measure

    key, store, digest, read = name.removeprefix(STORED), context.store, hashlib.sha256(), 0
    measured = None
    with suppress(OSError):  # what is not measured is published with its size and digest
        measured = measure(store.presign(key, "private", MEASURING).address)
    for part in store.stream(key, etag, "private"):
        digest.update(part)
        read += len(part)
        progress.progress(read // 1_000_000, size // 1_000_000, "MB of footage in the private bucket read")
    return Film(size, digest.hexdigest(), etag, measured)


def _read(store: ObjectStore) -> tuple[Films, str]:
    stored = store.get(KEY, "private")
    if stored is None:
        return {}, ""
    try:
        return msgspec.json.decode(stored.body, type=Films), stored.etag
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        hint = "delete it: the files are read once more"
        raise StorageError(f"{KEY} in the private bucket cannot be read: {error}", hint) from None
