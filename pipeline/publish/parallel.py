"""Several requests at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

THREADS = 8

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item]) -> dict[Item, Result]:
    """Return item → ``function(item)``, in the order of ``items``. Raises the first error once all have ended."""
    known = list(dict.fromkeys(items))
    with ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(known, pool.map(function, known), strict=True))
