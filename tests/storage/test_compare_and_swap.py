"""Shared objects are changed by compare-and-swap, and no publisher undoes what another wrote."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import pytest

from pipeline.model.errors import StorageError
from pipeline.storage import ObjectStore, PreconditionFailed, Put, Stored
from pipeline.storage.compare_and_swap import TRIES, back_off, retry_on_conflict


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every pause that would have been made, each as long as it may get."""
    slept: list[float] = []
    monkeypatch.setattr("pipeline.storage.compare_and_swap.time.sleep", slept.append)
    monkeypatch.setattr("pipeline.storage.compare_and_swap.random.uniform", lambda low, high: high)
    return slept


class Counter:
    """A number in memory that somebody else writes ``rivals`` times between a read and the write that follows it."""

    def __init__(self, rivals: int) -> None:
        self.version, self.rivals, self.reads = 0, rivals, 0

    def read(self) -> int:
        self.reads += 1
        return self.version

    def write(self, snapshot: int) -> str:
        if self.rivals:
            self.rivals -= 1
            self.version += 1
        if snapshot != self.version:
            raise PreconditionFailed("counter.json")
        self.version += 1
        return f"version {self.version}"


def test_without_a_conflict_it_writes_once_and_does_not_pause(pauses: list[float]) -> None:
    counter = Counter(0)
    assert retry_on_conflict(counter.write, counter.read, "counter.json") == "version 1"
    assert (counter.reads, pauses) == (1, [])


def test_a_snapshot_that_was_read_before_is_used_first(pauses: list[float]) -> None:
    counter = Counter(0)
    assert retry_on_conflict(counter.write, counter.read, "counter.json", 0) == "version 1"
    assert counter.reads == 0


def test_after_a_conflict_it_pauses_reads_again_and_writes_again(pauses: list[float]) -> None:
    counter = Counter(3)
    assert retry_on_conflict(counter.write, counter.read, "counter.json", 0) == "version 4"
    assert counter.reads == len(pauses) == 3


def test_it_gives_up_after_twelve_conflicts_and_says_what_to_do(pauses: list[float]) -> None:
    counter = Counter(1000)
    with pytest.raises(StorageError) as caught:
        retry_on_conflict(counter.write, counter.read, "counter.json")
    assert str(caught.value) == f"counter.json changed {TRIES} times while it was being updated"
    assert caught.value.hint == "run the same command again"


def test_other_errors_are_not_retried(pauses: list[float]) -> None:
    def fail(snapshot: int) -> None:
        raise StorageError("cannot write counter.json: the storage is full")

    with pytest.raises(StorageError, match="the storage is full"):
        retry_on_conflict(fail, lambda: 1, "counter.json")
    assert pauses == []


def test_pauses_grow_and_stay_short(pauses: list[float]) -> None:
    for attempt in range(8):
        back_off(attempt)
    assert pauses == sorted(pauses)
    assert 0 < sum(pauses) < 15


def test_of_many_writers_at_once_none_loses_a_change(store: ObjectStore) -> None:
    key = f"compare-and-swap/{token_hex(8)}.txt"

    def add(name: str) -> None:
        def write(found: Stored | None) -> str:
            body = (found.body if found else b"") + name.encode()
            etag = found.etag if found else ""
            return store.put(
                Put(key=key, body=body, media_type="text/plain", if_match=etag, if_none_match=not etag), "private"
            )

        retry_on_conflict(write, lambda: store.get(key, "private"), key)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, "abcd"))
    found = store.get(key, "private")
    assert found is not None
    assert sorted(found.body.decode()) == ["a", "b", "c", "d"]
