"""Children with limits: whatever a release does to its child, the others are finished and nothing stays behind."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.build import worker_pool as pool
from pipeline.build.worker_pool import LimitExceededError, run
from pipeline.model.errors import RenderError


def nothing() -> None:
    pass


def as_it_is(key: int) -> int:
    return key


@contextlib.contextmanager
def limited_memory(size: int) -> Iterator[None]:
    before = pool.MEMORY
    pool.MEMORY = size
    try:
        yield
    finally:
        pool.MEMORY = before


def slept(seconds: float, key: int) -> int:
    time.sleep(seconds)
    return key


def interrupted(key: int) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return key


def results(work: Callable[[int], object], keys: range, seconds: float = 30.0) -> dict[int, object]:
    return dict(run(as_it_is, work, keys, nothing, seconds))


def all_but(odd: int, misdeed: Callable[[], object]) -> Callable[[int], object]:
    """Return work that doubles its key, and does ``misdeed`` for one of them."""
    return functools.partial(_work, odd, misdeed)


def _work(odd: int, misdeed: Callable[[], object], key: int) -> object:
    return misdeed() if key == odd else key * 2


def children() -> set[int]:
    """Return the ids of this process's children, ended ones that nobody asked after too."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text("utf-8")
    return {int(number) for number in listed.split()}


@pytest.fixture(autouse=True)
def nothing_left_running() -> Iterator[None]:
    """No child and no open end of a pipe outlives its pool, whatever happened."""
    before, files = children(), len(list(Path("/proc/self/fd").iterdir()))
    yield
    assert children() <= before
    assert len(list(Path("/proc/self/fd").iterdir())) <= files


# ── Good days ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_key_comes_back_with_its_own_result() -> None:
    assert results(lambda key: key * 2, range(20)) == {key: key * 2 for key in range(20)}


def test_two_hundred_are_shared_among_a_few_children() -> None:
    found = results(lambda key: (key, os.getpid()), range(200))
    assert [pair[0] for pair in (found[key] for key in range(200)) if isinstance(pair, tuple)] == list(range(200))
    makers = {pair[1] for pair in found.values() if isinstance(pair, tuple)}
    assert 1 <= len(makers) <= (os.cpu_count() or 1)
    assert os.getpid() not in makers


def test_there_is_nothing_to_do_for_nobody() -> None:
    assert results(lambda key: key, range(0)) == {}


def test_one_child_works_through_its_keys_in_order() -> None:
    """Three are not worth a second child, so a run of few is the same every time."""
    assert [key for key, _ in run(as_it_is, lambda key: key, range(3), nothing)] == [0, 1, 2]


def test_results_come_as_they_are_finished_not_at_the_end() -> None:
    first = next(found := run(as_it_is, lambda key: slept(key * 60, key), range(2), nothing))
    assert first == (0, 0)
    found.close()  # type: ignore[attr-defined]  # a generator


def test_large_results_come_through() -> None:
    assert results(lambda key: bytes(5_000_000), range(2)) == {0: bytes(5_000_000), 1: bytes(5_000_000)}


def test_libraries_are_loaded_in_each_child_for_a_few_and_once_for_many() -> None:
    loaded: list[int] = []

    def load() -> None:
        loaded.append(os.getpid())

    few = dict(run(as_it_is, lambda key: list(loaded), range(2), load))
    assert loaded == []
    assert few[0] == few[1] != []
    dict(run(as_it_is, lambda key: key, range(pool.HUNDREDS), load))
    assert loaded == [os.getpid()]


def test_no_named_semaphore_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container without a writable /dev/shm has none."""

    class Refused:
        SEM_VALUE_MAX = 1

        def __init__(self, *_: object) -> None:
            raise OSError(38, "Function not implemented")

    monkeypatch.setattr("_multiprocessing.SemLock", Refused)
    with pytest.raises(OSError, match="not implemented"):
        multiprocessing.Lock()
    assert results(lambda key: key, range(10)) == {key: key for key in range(10)}


# ── Bad days ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_is_a_value_and_stops_nobody() -> None:
    def fail() -> object:
        raise RenderError("a table that cannot be set", "make it smaller")

    found = results(all_but(3, fail), range(8))
    error = found.pop(3)
    assert isinstance(error, RenderError)
    assert (str(error), error.hint) == ("a table that cannot be set", "make it smaller")
    assert found == {key: key * 2 for key in range(8) if key != 3}


class OddError(Exception):
    """Cannot be made again from its words, as errors of some libraries cannot."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


class HoldingError(Exception):
    """Holds what cannot be sent."""

    def __init__(self) -> None:
        super().__init__("holds", lambda: None)


@pytest.mark.parametrize("error", [OddError("one", "two"), HoldingError()], ids=["odd", "holding"])
def test_an_error_that_cannot_be_sent_is_told_in_words_and_stops_nobody(error: Exception) -> None:
    def fail() -> object:
        raise error

    found = results(all_but(1, fail), range(3))
    told = found.pop(1)
    assert isinstance(told, Exception)
    assert type(error).__name__ in str(told)
    assert found == {0: 0, 2: 4}


def test_a_release_that_hangs_is_ended_in_time_and_stops_nobody() -> None:
    start = time.monotonic()
    found = results(all_but(0, lambda: time.sleep(600)), range(4), seconds=2)
    assert time.monotonic() - start < 120
    assert isinstance(found[0], LimitExceededError)
    assert str(found[0]) == "took too long"
    assert {key: found[key] for key in (1, 2, 3)} == {1: 2, 2: 4, 3: 6}


def test_the_limit_is_for_each_not_for_all() -> None:
    found = results(lambda key: slept(0.5, key), range(10), seconds=2)
    assert found == {key: key for key in range(10)}


def test_one_that_ignores_the_request_to_end_is_ended_all_the_same() -> None:
    def stubborn() -> object:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(600)
        return None

    assert isinstance(results(all_but(0, stubborn), range(1), seconds=0.3)[0], LimitExceededError)


def test_a_child_that_is_killed_costs_only_its_release() -> None:
    found = results(all_but(2, lambda: os.kill(os.getpid(), signal.SIGKILL)), range(6))
    error = found.pop(2)
    assert isinstance(error, LimitExceededError)
    assert "was killed" in str(error)
    assert found == {key: key * 2 for key in range(6) if key != 2}


def test_a_child_that_leaves_costs_only_its_release() -> None:
    found = results(all_but(0, lambda: os._exit(0)), range(3))
    assert isinstance(found.pop(0), LimitExceededError)
    assert found == {1: 2, 2: 4}


def test_even_if_every_child_is_killed_the_run_comes_to_its_end() -> None:
    found = results(lambda key: os.kill(os.getpid(), signal.SIGKILL), range(9))
    assert [type(error) for error in found.values()] == [LimitExceededError] * 9


def test_one_that_eats_memory_is_refused_it_and_stops_nobody() -> None:
    with limited_memory(1024**3):
        found = results(all_but(1, lambda: len(bytearray(4 * 1024**3))), range(3))
    error = found.pop(1)
    assert isinstance(error, LimitExceededError)
    assert "took more than 1 GB of memory" in str(error)
    assert found == {0: 0, 2: 4}


def test_the_limit_of_memory_is_the_childs_alone() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    limits = results(lambda key: resource.getrlimit(resource.RLIMIT_AS)[0], range(1))
    assert limits == {0: pool.MEMORY}
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_run_that_is_broken_off_ends_its_children_at_once() -> None:
    start = time.monotonic()
    found = run(as_it_is, lambda key: slept(600 if key else 0, key), range(8), nothing)
    with contextlib.suppress(KeyboardInterrupt):
        for _ in found:
            raise KeyboardInterrupt
    found.close()  # type: ignore[attr-defined]  # a generator
    assert time.monotonic() - start < pool.PATIENCE + 60


def test_children_end_by_themselves_when_their_parent_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "child"
    parent = os.fork()
    if not parent:
        for _ in run(as_it_is, lambda key: note.write_text(str(os.getpid()), "utf-8"), range(1), nothing):
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(1)
    os.waitpid(parent, 0)
    child = int(note.read_text("utf-8"))
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes():
        assert time.monotonic() < deadline, "the child outlives its parent"
        time.sleep(0.02)


def test_the_keyboard_reaches_the_parent_alone() -> None:
    """^C goes to the whole group; children go on, and the parent ends them in order."""
    found = results(interrupted, range(2))
    assert found == {0: 0, 1: 1}
