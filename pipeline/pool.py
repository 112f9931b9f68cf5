"""Child processes with limits: a release that hangs or eats memory costs only itself.

The children are forked, so they share what their parent has loaded; each makes many renditions, because the first one
in a process costs twice a later one.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

Key = TypeVar("Key")
Result = TypeVar("Result")

SECONDS = 120
"""For one rendition; a page of text takes a fraction of one."""
MEMORY = 3 * 1024**3
"""Address space of a child in bytes; libraries alone map about half a gigabyte."""
HUNDREDS = 60
"""From this many on, loading the libraries once in the parent is cheaper than once in each child."""


class OutOfBoundsError(Exception):
    """A child took longer than allowed, or died."""


def run(
    work: Callable[[Key], Result], keys: Iterable[Key], warm: Callable[[], object]
) -> Iterator[tuple[Key, Result | BaseException]]:
    """Yield each key with ``work(key)``, or with what it raised, in the order of ``keys``.

    ``warm`` loads what ``work`` needs. Raised errors are values here, so that one release does not stop the others;
    ``OutOfBoundsError`` stands for a limit of time or memory.
    """
    todo = list(keys)
    if len(todo) >= HUNDREDS:
        warm()
        gc.freeze()
    workers = max(1, min(os.cpu_count() or 1, len(todo) // 4))
    with ProcessPool(
        workers, initializer=_enter, initargs=(warm,), context=multiprocessing.get_context("fork")
    ) as pool:
        futures = [(key, pool.schedule(work, args=(key,), timeout=SECONDS)) for key in todo]
        for key, future in futures:
            try:
                yield key, future.result()
            except TimeoutError:  # the futures have used the builtin one since Python 3.11
                yield key, OutOfBoundsError(f"took longer than {SECONDS} seconds")
            except (ProcessExpired, MemoryError, CancelledError):
                yield key, OutOfBoundsError(f"took more than {MEMORY // 1024**3} GB of memory, or was killed")
            except Exception as error:  # every other error is the release's own, and reported with it
                yield key, error


def _enter(warm: Callable[[], object]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warm()
