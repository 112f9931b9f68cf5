"""Writing many objects at a time.

boto3 spends two to four milliseconds of Python on an object, all threads of a process together: beyond a few hundred
objects a second process is worth the third of a second that it takes to start.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from itertools import islice

from pipeline.destination import Destination
from pipeline.storage import Bucket, Done, ObjectStore, Put, open_store

THREADS = 8
PROCESSES = 2
MANY = 300
"""From so many objects on, processes."""
_BATCH = 25

_store: ObjectStore
_threads: ThreadPoolExecutor


def put_all(
    store: ObjectStore,
    destination: Destination,
    environ: Mapping[str, str],
    puts: Sequence[Put],
    done: Done,
    bucket: Bucket,
) -> None:
    """Write ``puts`` to ``store``, the one that ``destination`` and ``environ`` name.

    ``done`` is called in the caller's thread. The first error ends it; what had begun is finished, and told.
    """
    if len(puts) < MANY:
        with ThreadPoolExecutor(THREADS, "put") as pool:
            _run(pool, lambda put: (store.put(put, bucket), [put.key])[1], puts, done)
        return
    with ProcessPoolExecutor(
        PROCESSES, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(destination, dict(environ))
    ) as workers:
        _run(workers, _put_batch, [(batch, bucket) for batch in _batches(puts)], done)


def _run(pool: Executor, work: Callable[..., list[str]], tasks: Iterable[object], done: Done) -> None:
    """Hand out ``tasks``, not many more than are being worked on, until all are done or one fails."""
    rest = iter(tasks)
    running: set[Future[list[str]]] = {pool.submit(work, task) for task in islice(rest, 4 * THREADS)}
    error: BaseException | None = None
    while running:
        ended, running = wait(running, return_when=FIRST_COMPLETED)
        for future in ended:
            if failed := future.exception():
                error = error or failed
                continue
            for key in future.result():
                done(key)
        if error is None:
            running |= {pool.submit(work, task) for task in islice(rest, len(ended))}
    if error:
        raise error


def _begin(destination: Destination, environ: Mapping[str, str]) -> None:
    global _store, _threads
    _store, _threads = open_store(destination, environ), ThreadPoolExecutor(THREADS, "put")


def _put_batch(task: tuple[Sequence[Put], Bucket]) -> list[str]:
    puts, bucket = task
    list(_threads.map(lambda put: _store.put(put, bucket), puts))
    return [put.key for put in puts]


def _batches(puts: Sequence[Put]) -> Iterator[Sequence[Put]]:
    for start in range(0, len(puts), _BATCH):
        yield puts[start : start + _BATCH]
