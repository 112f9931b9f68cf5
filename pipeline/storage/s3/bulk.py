"""Writing and copying many objects at a time.

A request is mostly waiting for the network, so many threads share one client. Processes were tried as well: where the
server is on the same machine they gain nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue
from typing import TypeVar

from pipeline.storage import CopyRequest, Done, Put

Job = TypeVar("Job", Put, CopyRequest)

THREADS = 32
THREADS_NEAR = 8
"""For a server on this machine, which works on the same cores."""


def do_all(jobs: Sequence[Job], do: Callable[[Job], object], done: Done, *, near: bool) -> None:
    """``do`` each job. The first error ends it; what had begun is finished, and told to ``done``, before it is raised.

    ``done`` is called in the caller's thread.
    """
    threads = THREADS_NEAR if near else THREADS
    ended: SimpleQueue[Future[object]] = SimpleQueue()
    keys: dict[Future[object], str] = {}
    error: BaseException | None = None
    with ThreadPoolExecutor(threads, "bulk") as pool:
        rest = iter(jobs)

        def begin(count: int) -> None:
            for job in islice(rest, count):
                future = pool.submit(do, job)
                keys[future] = job.key
                future.add_done_callback(ended.put)

        begin(2 * threads)
        while keys:
            future = ended.get()
            key, failed = keys.pop(future), future.exception()
            error = error or failed
            if failed is None:
                done(key)
            if error is None:
                begin(1)
    if error:
        raise error
