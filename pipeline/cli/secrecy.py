"""The leak test, as commands take it: what waits must leave no trace, and the private bucket must be closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.cli.context import Desk
from pipeline.model.errors import LeakError, StorageError
from pipeline.publish import leak_test as leaks
from pipeline.publish.leak_test import Name
from pipeline.storage.anonymous import Stranger


def keep_secret(desk: Desk, held: Iterable[str], *, guessing: bool = True) -> None:
    """Make sure that nobody can tell that what waits exists. Raises StorageError."""
    public = desk.published.by_slug()
    names = []
    for slug in held:
        manuscript = desk.workshop.manuscript(slug)
        if slug not in public and manuscript:
            names.append(Name(slug, manuscript.release.picture_files))
    try:
        found = leaks.traces(desk.stranger, names, guessing=guessing)
    except StorageError as error:  # it names the address that was asked for, and so what waits
        raise StorageError(
            "nobody answers when asked for what waits: the leak test cannot be made", error.hint
        ) from None
    for slug in found:
        raise StorageError(
            f"{desk.workshop.opaque(slug)} waits, but the public bucket answers for it",
            "remove its files from the bucket by hand: they are known to whoever guessed the address",
        )


def keep_closed(desk: Desk, keys: Sequence[str]) -> None:
    """Make sure that nobody can read or list the private bucket, where ``keys`` lie. Raises LeakError."""
    name = desk.destination.private_bucket
    private = Stranger(desk.destination.private_address, desk.environ)
    if what := leaks.opened(private, keys):
        raise LeakError(
            f"the private bucket {name}: {what}, so nothing may wait there",
            "close it (make storage does, with the operator's rights), then make publish again",
        )
    if leaks.mirrored(desk.stranger, keys):
        raise LeakError(
            f"the public bucket answers for what lies in {name}, so nothing may wait there",
            "name two buckets that have nothing in common: PRESS_BUCKET and PRESS_PRIVATE_BUCKET",
        )
