"""Compare-and-swap: change an object that other publishers write too, without undoing their changes.

Each writer reads the object, changes it and writes it with ``If-Match`` (``If-None-Match`` where there is none yet).
The storage refuses the write with 412 when somebody else wrote in between; then the writer reads and changes again.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.model.errors import StorageError
from pipeline.storage import PreconditionFailed

TRIES = 12
_FIRST_PAUSE, _DOUBLINGS = 0.1, 5

Snapshot = TypeVar("Snapshot")
Written = TypeVar("Written")


def retry_on_conflict(
    write: Callable[[Snapshot], Written],
    read: Callable[[], Snapshot],
    what: str,
    snapshot: Snapshot | None = None,
) -> Written:
    """Return the result of ``write(snapshot)``; on a conflict, ``read`` a new snapshot and try again.

    ``write`` changes what it is given, puts it with a condition, and raises PreconditionFailed on a conflict. The
    first ``snapshot`` is read too where none is given. ``what`` names the object in the message. Raises StorageError
    after ``TRIES`` conflicts.
    """
    current = read() if snapshot is None else snapshot
    for attempt in range(TRIES):
        try:
            return write(current)
        except PreconditionFailed:
            back_off(attempt)
            current = read()
    raise StorageError(f"{what} changed {TRIES} times while it was being updated", "run the same command again")


def back_off(attempt: int) -> None:
    """Wait a random time, longer after each attempt, so that two publishers do not conflict again."""
    time.sleep(random.uniform(0, _FIRST_PAUSE * 2 ** min(attempt, _DOUBLINGS)))  # noqa: S311 -- not a secret
