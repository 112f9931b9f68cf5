"""Child processes with limits: a release that hangs or eats memory costs only itself.

Written by hand because the pools of the standard library and of Pebble need named semaphores, which a container or a
chroot without a writable ``/dev/shm`` does not have; pipes are there everywhere. The children are forked, so they share
what their parent has loaded; each makes many renditions, because the first one in a process costs twice a later one.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")

SECONDS = 120.0
"""For one rendition; a page of text takes a fraction of one."""
MEMORY = 3 * 1024**3
"""Address space of a child in bytes; libraries alone map about half a gigabyte."""
HUNDREDS = 60
"""From this many on, loading the libraries once in the parent is cheaper than once in each child."""


PATIENCE = 5.0
"""Seconds for an idle child to put its house in order."""


class LimitExceededError(Exception):
    """A child took longer than allowed, or died."""


class _Worker:
    """A child and the errand it is on."""

    def __init__(
        self, work: Callable[[Any], Any], keys: Sequence[Any], warm: Callable[[], object], others: list[Connection]
    ) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self.process: ForkProcess = context.Process(
            target=_serve, args=(theirs, [*others, self.pipe], work, keys, warm), daemon=True
        )
        self.process.start()
        theirs.close()
        self.errand: int | None = None
        self.deadline = 0.0

    def send(self, errand: int, seconds: float) -> None:
        self.errand = errand
        self.deadline = time.monotonic() + seconds
        self.pipe.send(errand)

    def end(self, patience: float = 0.0) -> None:
        """Hang up; a child that does not leave within ``patience`` seconds is killed."""
        self.pipe.close()
        self.process.join(patience)
        self.process.kill()
        self.process.join()


def run(
    work: Callable[[Key], Result], keys: Sequence[Key], warm: Callable[[], object], seconds: float = SECONDS
) -> Iterator[tuple[Key, Result | BaseException]]:
    """Yield each key with ``work(key)``, or with what it raised, as they are finished.

    ``warm`` loads what ``work`` needs. Raised errors are values here, so that one release does not stop the others;
    ``LimitExceededError`` stands for a limit of time or memory.
    """
    if len(keys) >= HUNDREDS:
        warm()
        gc.freeze()
    todo = list(range(len(keys)))[::-1]
    workers: list[_Worker] = []
    try:
        while todo or any(worker.errand is not None for worker in workers):
            _employ(workers, todo, work, keys, warm, seconds)
            for worker, result in _results(workers):
                assert worker.errand is not None  # noqa: S101  # only the busy ones answer
                yield keys[worker.errand], result
                worker.errand = None
    finally:
        for worker in workers:
            worker.end(PATIENCE if worker.errand is None else 0.0)


def _employ(
    workers: list[_Worker],
    todo: list[int],
    work: Callable[[Any], Any],
    keys: Sequence[Any],
    warm: Callable[[], object],
    seconds: float,
) -> None:
    """Give every idle child an errand, and fork as many as the work is worth."""
    wanted = max(1, min(os.cpu_count() or 1, len(keys) // 4))
    while len(workers) < min(wanted, len(todo) + len(workers)):
        workers.append(_Worker(work, keys, warm, [worker.pipe for worker in workers]))
    for worker in workers:
        if worker.errand is None and todo:
            worker.send(todo.pop(), seconds)


def _results(workers: list[_Worker]) -> Iterator[tuple[_Worker, Any]]:
    """Wait for the next answers; a child that died or is late is taken off the list."""
    busy = {worker.pipe: worker for worker in workers if worker.errand is not None}
    left = max(0.0, min(worker.deadline for worker in busy.values()) - time.monotonic())
    for pipe in wait(list(busy), timeout=left):
        worker = busy.pop(pipe)  # type: ignore[call-overload]  # typeshed allows sockets here too
        try:
            yield worker, worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            yield worker, LimitExceededError(f"took more than {MEMORY // 1024**3} GB of memory, or was killed")
            _dismiss(workers, worker)
    for worker in busy.values():
        if worker.deadline <= time.monotonic():
            yield worker, LimitExceededError("took too long")
            _dismiss(workers, worker)


def _dismiss(workers: list[_Worker], worker: _Worker) -> None:
    worker.end()
    workers.remove(worker)


def _serve(
    pipe: Connection,
    others: list[Connection],
    work: Callable[[Any], Any],
    keys: Sequence[Any],
    warm: Callable[[], object],
) -> None:
    """Do errands until the parent hangs up; the other ends are closed, or its death would go unnoticed."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        warm()
        while True:
            errand = pipe.recv()
            pipe.send(_attempt(work, keys[errand]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _attempt(work: Callable[[Any], Any], key: Any) -> Any:
    try:
        return work(key)
    except MemoryError:
        return LimitExceededError(f"took more than {MEMORY // 1024**3} GB of memory")
    except Exception as error:  # every other error is the release's own, and reported with it
        return error if _can_be_sent(error) else RuntimeError(f"{type(error).__name__}: {error}")


def _can_be_sent(error: Exception) -> bool:
    """Whether ``error`` arrives whole: errors of some libraries cannot be made again from their words."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # bytes of this very line
    except Exception:
        return False
    return True
