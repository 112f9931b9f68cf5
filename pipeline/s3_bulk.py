"""Writing many objects at a time."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from pipeline.storage import Bucket, Done, ObjectStore, Put

THREADS = 8


def put_all(store: ObjectStore, puts: Sequence[Put], done: Done, bucket: Bucket) -> None:
    """Write ``puts``; ``done`` is called in the caller's thread or others', one at a time."""
    with ThreadPoolExecutor(min(THREADS, len(puts)) or 1, "put") as pool:
        running = {pool.submit(store.put, put, bucket): put.key for put in puts}
        while running:
            ended, _ = wait(running, return_when=FIRST_EXCEPTION)
            for future in ended:
                pool_error = future.exception()
                if pool_error:
                    pool.shutdown(cancel_futures=True)
                    raise pool_error
                done(running.pop(future))
