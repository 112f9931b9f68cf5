"""Many requests at a time, in threads and in processes, whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.model.errors import StorageError
from pipeline.storage import PreconditionFailed, transfers
from pipeline.storage.transfers import in_threads, transfer_all
from tests.support.newsroom import ROOT

MANY = 200


@pytest.fixture(params=[1, 3])
def count(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many processes are used, on whatever machine."""
    found: int = request.param
    monkeypatch.setattr(transfers, "processes", lambda number: found)
    return found


def nothing() -> None:
    pass


def test_every_item_is_yielded_once_with_its_result(count: int) -> None:
    found = dict(transfer_all(range(MANY), lambda number: (number * number, os.getpid()), nothing, 8))
    assert {number: square for number, (square, _) in found.items()} == {number: number**2 for number in range(MANY)}
    pids = {pid for _, pid in found.values()}
    assert (len(pids) == 1) == (os.getpid() in pids) == (count == 1)


def test_a_process_gives_up_the_connections_of_its_parent_before_it_sends_anything(count: int) -> None:
    connections = ["of the parent"]
    found = dict(transfer_all(range(MANY), lambda number: list(connections), connections.clear, 8))
    assert all(seen == ([] if count > 1 else ["of the parent"]) for seen in found.values())
    assert connections == ["of the parent"]


def test_processes_see_what_there_was_when_they_were_asked_and_another_thread_takes_their_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfers, "processes", lambda number: 2)
    seen = ["before"]
    answers = transfer_all(range(MANY), lambda number: list(seen), nothing, 8)
    seen.append("after")
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(dict, answers).result()
    assert found == {number: ["before"] for number in range(MANY)}


@pytest.mark.parametrize("error", [StorageError("cannot write a", "why"), PreconditionFailed("a"), ValueError("odd")])
def test_the_first_error_ends_it_in_its_own_words_and_what_was_under_way_is_yielded(
    count: int, error: Exception
) -> None:
    def run(number: int) -> int:
        if number == 30:
            raise error
        return number

    yielded: list[int] = []
    with pytest.raises(type(error) if isinstance(error, StorageError) or count == 1 else RuntimeError) as raised:
        yielded.extend(number for number, _ in transfer_all(range(MANY), run, nothing, 8))
    assert str(error) in str(raised.value)
    assert getattr(raised.value, "hint", "") == getattr(error, "hint", "")
    assert len(set(yielded)) == len(yielded) < MANY
    assert 30 not in yielded
    assert {*range(30)} <= {*yielded}


def test_a_process_that_is_killed_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "processes", lambda number: 2)

    def run(number: int) -> int:
        if number == 30:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    yielded: list[int] = []
    with pytest.raises(StorageError, match="a process that sent files or read them back was killed"):
        yielded.extend(number for number, _ in transfer_all(range(MANY), run, nothing, 8))
    assert len(set(yielded)) == len(yielded) < MANY


def test_who_stops_listening_ends_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "processes", lambda number: 2)
    results = transfer_all(range(MANY), lambda number: os.getpid(), nothing, 4)
    _, pid = next(results)
    del results
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_items_are_made_only_when_there_is_a_thread_for_them() -> None:
    made: list[int] = []
    ended: list[int] = []

    def items() -> Iterator[int]:
        for number in range(20):
            made.append(number)
            assert len(made) - len(ended) <= 4
            yield number

    for number, _ in in_threads(items(), lambda number: number, 3, ahead=1):
        ended.append(number)
    assert sorted(ended) == [*range(20)]


def test_an_interrupt_waits_for_no_request() -> None:
    going, over = threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 0
        going.wait(60)
        raise KeyboardInterrupt

    def run(number: int) -> None:
        going.set()
        over.wait(60)

    with pytest.raises(KeyboardInterrupt):
        list(in_threads(items(), run, 2))
    assert not over.is_set()
    over.set()


KILLED = """
import pathlib, sys, time
from pipeline.storage import transfers
folder = pathlib.Path(sys.argv[1])
transfers.processes = lambda number: 2

def run(number):
    time.sleep(0.02)
    (folder / str(number)).touch()

for number, _ in transfers.transfer_all(range(100_000), run, lambda: None, 4):
    print(number, flush=True)
"""


def test_when_the_publisher_is_killed_its_processes_write_nothing_more(tmp_path: Path) -> None:
    publisher = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, process_group=0
    )
    assert publisher.stdout
    with publisher.stdout:
        for _ in range(20):
            publisher.stdout.readline()
        os.kill(publisher.pid, signal.SIGKILL)  # the parent alone: nobody tells its children
        publisher.wait()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            os.killpg(publisher.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        os.killpg(publisher.pid, signal.SIGKILL)
        raise AssertionError("its processes go on")
    assert len(list(tmp_path.iterdir())) < 10_000


@pytest.mark.parametrize(("number", "most"), [(0, 1), (1, 1), (95, 1), (96, 2), (100_000, transfers.MOST)])
def test_few_requests_need_no_process_of_their_own(monkeypatch: pytest.MonkeyPatch, number: int, most: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert transfers.processes(number) == most
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert transfers.processes(number) == 1
