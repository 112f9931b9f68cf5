"""The leak test, as commands take it: what waits must leave no trace, and the private bucket must be closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.build.context import CommandContext
from pipeline.model.errors import LeakError, StorageError
from pipeline.publish import leak_test
from pipeline.publish.leak_test import HiddenRelease
from pipeline.storage.anonymous import AnonymousClient


def keep_secret(context: CommandContext, scheduled: Iterable[str], *, guessing: bool = True) -> None:
    """Make sure that nobody can tell that what waits exists. Raises StorageError."""
    public = context.published.by_slug()
    names = []
    for slug in scheduled:
        parsed_release = context.state.parsed_release(slug)
        if slug not in public and parsed_release:
            names.append(HiddenRelease(slug, parsed_release.release.picture_files))
    try:
        found = leak_test.traces(context.anonymous, names, guessing=guessing)
    except StorageError as error:  # it names the address that was asked for, and so what waits
        raise StorageError(
            "nobody answers when asked for what waits: the leak test cannot be made", error.hint
        ) from None
    for slug in found:
        raise StorageError(
            f"{context.state.opaque(slug)} waits, but the public bucket answers for it",
            "remove its files from the bucket by hand: they are known to whoever guessed the address",
        )


def keep_closed(context: CommandContext, keys: Sequence[str]) -> None:
    """Make sure that nobody can read or list the private bucket, where ``keys`` lie. Raises LeakError."""
    name = context.destination.private_bucket
    private = AnonymousClient(context.destination.private_address, context.environ)
    if what := leak_test.opened(private, keys):
        raise LeakError(
            f"the private bucket {name}: {what}, so nothing may wait there",
            "close it (make storage does, with the operator's rights), then make publish again",
        )
    if leak_test.mirrored(context.anonymous, keys):
        raise LeakError(
            f"the public bucket answers for what lies in {name}, so nothing may wait there",
            "name two buckets that have nothing in common: PRESS_BUCKET and PRESS_PRIVATE_BUCKET",
        )
