"""Many requests at a time, in several processes where there are many: Python takes longer for one than a storage.

Threads of one process share the interpreter's lock, so together they send no more than one processor core can prepare.
Written by hand because the pools of the standard library need named semaphores, which a container or a chroot without a
writable ``/dev/shm`` does not have; and because the workers of ``pipeline.build`` do one task at a time, while one of
these keeps several requests under way. They are forked, so they share what is loaded and what is to be sent.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from multiprocessing.connection import Connection, wait
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from pipeline.model.errors import DatelineError, StorageError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 4
"""Processes; more would only compete with the storage, or for the line to it."""
WORTH = 48
"""Requests for which a process more is worth its start."""


def processes(count: int) -> int:
    """Return how many processes to use for ``count`` requests; 1 means that the caller's own is enough."""
    return max(1, min(MOST, os.cpu_count() or 1, count // WORTH))


class _Worker:
    """A process that sends requests, and the numbers of those that it has not answered."""

    def __init__(
        self,
        items: Sequence[Any],
        run: Callable[[Any], Any],
        disconnect: Callable[[], object],
        threads: int,
        others: list[Connection],
    ) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("fork").Process(
            target=_work, args=(theirs, [*others, self.pipe], items, run, disconnect, threads), daemon=True
        )
        self._process.start()
        theirs.close()
        self.under_way: set[int] = set()

    def send(self, number: int) -> None:
        self.under_way.add(number)
        with suppress(BrokenPipeError, ConnectionResetError):  # it was killed, which reading its answers will show
            self.pipe.send(number)

    def end(self) -> None:
        """Close the pipe, at which the process ends at once, whatever it does."""
        self.pipe.close()
        self._process.join()


def transfer_all(
    items: Sequence[Item], run: Callable[[Item], Result], disconnect: Callable[[], object], threads: int
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with ``run(item)`` as they end, in no order, ``threads`` at a time.

    Many are shared out to processes; each first calls ``disconnect``, because it must not use the connections that it
    has from its parent. They are forked before this returns, so another thread may iterate over the answers. On the
    first error the requests under way are finished and yielded, then it is raised.
    """
    count = processes(len(items))
    if count == 1:
        return in_threads(items, run, threads, ahead=threads)
    return _in_processes(items, run, disconnect, count, max(1, threads // count))


def in_threads(
    items: Iterable[Item], run: Callable[[Item], Result], threads: int, ahead: int = 0
) -> Iterator[tuple[Item, Result]]:
    """Yield each item with ``run(item)`` as they end, in no order, ``threads`` at a time.

    An item is taken from ``items``, in the caller's thread, when a thread is free for it, or at most ``ahead`` items
    earlier. On the first error the requests under way are finished and yielded, then it is raised. An interrupt waits
    for none of them: over a slow line they may take minutes.
    """
    todo: SimpleQueue[tuple[Item] | None] = SimpleQueue()
    ended: SimpleQueue[tuple[Item, Any, BaseException | None]] = SimpleQueue()
    pool: list[threading.Thread] = []
    rest, under_way = iter(items), 0
    error: BaseException | None = None

    def work() -> None:
        while each := todo.get():
            try:
                ended.put((each[0], run(each[0]), None))
            except BaseException as failure:  # raised in the caller's thread
                ended.put((each[0], None, failure))

    def begin(count: int) -> int:
        begun = 0
        for item in islice(rest, count):
            if len(pool) < threads:
                pool.append(threading.Thread(target=work, name="transfers", daemon=True))
                pool[-1].start()
            todo.put((item,))
            begun += 1
        return begun

    try:
        under_way += begin(threads + ahead)
        while under_way:
            item, result, failure = ended.get()
            under_way -= 1
            error = error or failure
            if failure is None:
                yield item, result
            if error is None:
                under_way += begin(1)
    finally:
        with suppress(Empty):
            while True:
                todo.get_nowait()
        for _ in pool:
            todo.put(None)
    for thread in pool:
        thread.join()
    if error:
        raise error


def _in_processes(
    items: Sequence[Item], run: Callable[[Item], Result], disconnect: Callable[[], object], count: int, threads: int
) -> Iterator[tuple[Item, Result]]:
    """Fork ``count`` processes of ``threads`` threads. They end at once when this one does, as if they were part of it.

    So nothing is written any more once a publisher was killed.
    """
    rest = iter(range(len(items)))
    workers: list[_Worker] = []
    try:
        for _ in range(count):
            workers.append(_Worker(items, run, disconnect, threads, [worker.pipe for worker in workers]))
        for _ in range(2 * threads):  # dealt out in turn, and one more each than there are threads to take it
            for worker in workers:
                _send_next(worker, rest)
    except BaseException:
        _end(workers)
        raise
    return _answers(items, workers, rest)


def _answers(items: Sequence[Item], workers: list[_Worker], rest: Iterator[int]) -> Iterator[tuple[Item, Any]]:
    error: BaseException | None = None
    try:
        while busy := {worker.pipe: worker for worker in workers if worker.under_way}:
            for pipe in wait(list(busy)):
                worker = busy[pipe]  # type: ignore[index]  # typeshed allows sockets here too
                try:
                    number, result = worker.pipe.recv()
                except (EOFError, ConnectionResetError):
                    worker.under_way.clear()
                    error = error or StorageError(
                        "a process that sent files or read them back was killed; the machine may lack memory",
                        "run the same command again: it goes on where this run has stopped",
                    )
                    continue
                worker.under_way.discard(number)
                if isinstance(result, BaseException):
                    error = error or result
                else:
                    yield items[number], result
                if error is None:
                    _send_next(worker, rest)
    finally:
        _end(workers)
    if error:
        raise error


def _end(workers: list[_Worker]) -> None:
    for worker in workers:
        worker.end()


def _send_next(worker: _Worker, rest: Iterator[int]) -> None:
    number = next(rest, None)
    if number is not None:
        worker.send(number)


def _work(
    pipe: Connection,
    others: list[Connection],
    items: Sequence[Any],
    run: Callable[[Any], Any],
    disconnect: Callable[[], object],
    threads: int,
) -> None:
    """Send requests in threads until the parent closes the pipe or dies: then end without finishing any."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    disconnect()
    todo: SimpleQueue[int] = SimpleQueue()
    answering = threading.Lock()

    def work() -> None:
        while True:
            number = todo.get()
            result = _attempt(run, items[number])
            with answering:
                pipe.send((number, result))

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    try:
        while True:
            todo.put(pipe.recv())
    except (EOFError, OSError):
        os._exit(0)


def _attempt(run: Callable[[Any], Any], item: Any) -> Any:
    try:
        return run(item)
    except DatelineError as error:
        error.__context__ = error.__cause__ = None  # tblib, which comes with Dask, would pickle these too
        return error
    except Exception as error:  # raised in the parent, which can unpickle this one for certain
        return RuntimeError(f"{type(error).__name__}: {error}")
