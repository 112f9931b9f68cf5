"""Worker processes with limits: a release that hangs or uses too much memory costs only itself.

Written by hand because the pools of the standard library and of Pebble need named semaphores, which a container or a
chroot without a writable ``/dev/shm`` does not have; pipes work everywhere. Workers are forked, so they share what
their parent has loaded; each renders many releases, because the first rendition of a process costs twice a later one.

``run`` is the local ``Executor``; ``cluster`` has the one that sends its tasks to other machines.
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
from functools import partial
from itertools import count
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, Protocol, TypeVar

from pipeline.model.errors import RenderError
from pipeline.start.quick_start import write_compiled

COLLECTED = 20
"""After so many tasks, a worker looks for unused objects. A Word document has few objects, and much memory that is
lxml's: by the thresholds of ``quick_start``, half a megabyte of each would stay. More often would slow PDFs down."""

Key = TypeVar("Key")
Task = TypeVar("Task")
Result = TypeVar("Result")

SECONDS = 120.0
"""Limit for one rendition; a page of text takes a fraction of a second."""
MEMORY = 3 * 1024**3
"""Limit of a worker's address space in bytes; libraries alone map about half a gigabyte."""
HUNDREDS = 60
"""From this many tasks on, loading the libraries once in the parent is cheaper than in each worker."""
PATIENCE = 5.0
"""Seconds that an idle worker has to end."""


SHORTEN = "shorten the release, or make its pictures and tables smaller"


class LimitExceededError(RenderError):
    """A worker took longer than allowed, or died."""


class Executor(Protocol):
    """Does ``work(prepare(key))`` for each of ``keys`` in processes with limits; see ``run``."""

    def __call__(
        self,
        prepare: Callable[[Key], Task],
        work: Callable[[Task], Result],
        keys: Sequence[Key],
        warm: Callable[[], object],
    ) -> Iterator[tuple[Key, Result | BaseException]]:
        """Yield each key with its result as it is finished."""
        ...


class _Worker:
    """A worker process and the number of its task."""

    def __init__(
        self, work: Callable[[Any], Any], keys: Sequence[Any], warm: Callable[[], object], others: list[Connection]
    ) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self.process: ForkProcess = context.Process(
            target=_work, args=(theirs, [*others, self.pipe], work, keys, warm), daemon=True
        )
        self.process.start()
        theirs.close()
        self.task: int | None = None
        self.deadline = 0.0

    def send(self, task: int, seconds: float) -> None:
        self.task = task
        self.deadline = time.monotonic() + seconds
        self.pipe.send(task)

    def end(self, patience: float = 0.0) -> None:
        """Close the pipe; a worker that does not end within ``patience`` seconds is killed."""
        self.pipe.close()
        self.process.join(patience)
        self.process.kill()
        self.process.join()


def run(
    prepare: Callable[[Key], Task],
    work: Callable[[Task], Result],
    keys: Sequence[Key],
    warm: Callable[[], object],
    seconds: float = SECONDS,
) -> Iterator[tuple[Key, Result | BaseException]]:
    """Yield each key with ``work(prepare(key))``, or with what it raised, as they are finished.

    ``prepare`` may read anything on this machine; ``work`` has only what ``prepare`` returns, so that it can be done on
    another one. ``warm`` loads what ``work`` needs. Raised errors are values here, so that one release
    does not stop the others; ``LimitExceededError`` stands for a limit of time or memory.
    """
    both = partial(_both, prepare, work)
    if len(keys) >= HUNDREDS:
        warm()
        gc.freeze()
    todo = list(range(len(keys)))[::-1]
    workers: list[_Worker] = []
    try:
        while todo or any(worker.task is not None for worker in workers):
            _assign(workers, todo, both, keys, warm, seconds)
            for worker, result in _results(workers):
                assert worker.task is not None  # noqa: S101  # only the busy ones answer
                yield keys[worker.task], result
                worker.task = None
    finally:
        for worker in workers:
            worker.end(PATIENCE if worker.task is None else 0.0)


def _both(prepare: Callable[[Key], Task], work: Callable[[Task], Result], key: Key) -> Result:
    return work(prepare(key))


def _assign(
    workers: list[_Worker],
    todo: list[int],
    work: Callable[[Any], Any],
    keys: Sequence[Any],
    warm: Callable[[], object],
    seconds: float,
) -> None:
    """Give every idle worker a task, and fork as many workers as the work is worth."""
    wanted = max(1, min(os.cpu_count() or 1, len(keys) // 4))
    while len(workers) < min(wanted, len(todo) + len(workers)):
        workers.append(_Worker(work, keys, warm, [worker.pipe for worker in workers]))
    for worker in workers:
        if worker.task is None and todo:
            worker.send(todo.pop(), seconds)


def _results(workers: list[_Worker]) -> Iterator[tuple[_Worker, Any]]:
    """Wait for the next results; a worker that died or is late is taken off the list."""
    busy = {worker.pipe: worker for worker in workers if worker.task is not None}
    left = max(0.0, min(worker.deadline for worker in busy.values()) - time.monotonic())
    for pipe in wait(list(busy), timeout=left):
        worker = busy.pop(pipe)  # type: ignore[call-overload]  # typeshed allows sockets here too
        try:
            yield worker, worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            yield worker, killed()
            _remove(workers, worker)
    for worker in busy.values():
        if worker.deadline <= time.monotonic():
            yield worker, late()
            _remove(workers, worker)


def _remove(workers: list[_Worker], worker: _Worker) -> None:
    worker.end()
    workers.remove(worker)


def _work(
    pipe: Connection,
    others: list[Connection],
    work: Callable[[Any], Any],
    keys: Sequence[Any],
    warm: Callable[[], object],
) -> None:
    """Run tasks until the parent closes the pipe; inherited ends are closed, so that its death is noticed."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        warm()
        gc.freeze()
        for number in count(1):
            task = pipe.recv()
            pipe.send(attempt(work, keys[task]))
            if not number % COLLECTED:
                gc.collect()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        write_compiled()


def late() -> LimitExceededError:
    """Return the error of a task that took longer than its limit."""
    return LimitExceededError("took too long", SHORTEN)


def killed() -> LimitExceededError:
    """Return the error of a task whose process died."""
    return LimitExceededError(f"took more than {MEMORY // 1024**3} GB of memory, or was killed", SHORTEN)


def attempt(work: Callable[[Task], Result], task: Task) -> Result | BaseException:
    """Return ``work(task)``, or what it raised as an error that can be pickled."""
    try:
        return work(task)
    except MemoryError:
        return LimitExceededError(f"took more than {MEMORY // 1024**3} GB of memory", SHORTEN)
    except Exception as error:  # reported with the release
        return error if _can_be_sent(error) else RuntimeError(f"{type(error).__name__}: {error}")


def _can_be_sent(error: Exception) -> bool:
    """Whether ``error`` survives pickling; errors of some libraries do not."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # bytes of this very line
    except Exception:
        return False
    return True
