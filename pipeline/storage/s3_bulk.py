"""Writing many objects at a time.

A put is mostly waiting for the network, so many threads share one client. Processes were tried as well: where the
server is on the same machine they gain nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from queue import SimpleQueue

from pipeline.storage import Bucket, Done, ObjectStore, Put

THREADS = 32
THREADS_NEAR = 8
"""For a server on this machine, which works on the same cores."""


def put_all(store: ObjectStore, puts: Sequence[Put], done: Done, bucket: Bucket, *, near: bool) -> None:
    """Write ``puts``. The first error ends it; what had begun is finished, and told to ``done``, before it is raised.

    ``done`` is called in the caller's thread.
    """
    threads = THREADS_NEAR if near else THREADS
    ended: SimpleQueue[Future[str]] = SimpleQueue()
    keys: dict[Future[str], str] = {}
    error: BaseException | None = None
    with ThreadPoolExecutor(threads, "put") as pool:
        rest = iter(puts)

        def begin(count: int) -> None:
            for put in islice(rest, count):
                future = pool.submit(store.put, put, bucket)
                keys[future] = put.key
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
