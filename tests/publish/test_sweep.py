"""A sample of the sweep (``make sweep`` has all of it): the same steps in every run, spread over each scenario."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pipeline.storage import embedded
from tests.support.faulty import Exchange
from tests.support.sweep import SCENARIOS, Line, ProxiedStore, Sweep, proxied_store_in, step_of


@pytest.fixture(scope="module")
def proxied_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedStore]:
    with proxied_store_in(tmp_path_factory.mktemp("sweep")) as found:
        yield found


@pytest.fixture(scope="module", params=[scenario.name for scenario in SCENARIOS])
def sweep(proxied_store: ProxiedStore, request: pytest.FixtureRequest) -> Iterator[Sweep]:
    found = Sweep(proxied_store, next(scenario for scenario in SCENARIOS if scenario.name == request.param))
    try:
        yield found
    finally:
        found.forks.end()


def writes(sweep: Sweep) -> list[int]:
    """Return the numbers of the writes: what happens between two of them is all the same to the store."""
    return [number for number, step in enumerate(sweep.steps, 1) if step.startswith(("PUT", "DELETE"))]


def test_undisturbed_run_is_whole_at_every_moment(sweep: Sweep) -> None:
    assert sweep.problems == []
    assert len(writes(sweep)) > 5


def test_publisher_killed_at_a_write_loses_nothing_and_the_next_run_makes_it_good(sweep: Sweep) -> None:
    """Before one write of every other scenario, and after one of the rest."""
    found = writes(sweep)
    before = [scenario.name for scenario in SCENARIOS].index(sweep.scenario.name) % 2 == 0
    at = len(found) // 3 if before else 2 * len(found) // 3
    line = sweep.killed(found[at], "before" if before else "after")
    assert line.problems == [], str(line)


@pytest.mark.parametrize("sweep", ["correction"], indirect=True)
def test_store_killed_under_a_write_comes_back_whole(proxied_store: ProxiedStore, sweep: Sweep) -> None:
    """With -9, in the middle of a correction: the publisher asks until it is there again, or ends with 3."""
    number = writes(sweep)[len(writes(sweep)) // 2]
    line = Line("store", number, sweep.steps[number - 1], "under")

    def strike(exchange: Exchange) -> None:
        forwarding = threading.Thread(target=_forward, args=(exchange,))
        forwarding.start()
        os.kill(embedded.status(proxied_store.root).pid, signal.SIGKILL)
        forwarding.join()
        embedded.start(proxied_store.root)
        exchange.reset()

    with sweep.disturbed(number, strike, line) as status:
        assert status in (0, 3), sweep.forks.said()
    assert line.problems == [], str(line)


def _forward(exchange: Exchange) -> None:
    with suppress(OSError, http.client.HTTPException):
        exchange.forward()


def has_small_disks() -> bool:
    """Whether this machine lets us mount a disk of our own."""
    ask = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "none", "/mnt"]
    return bool(shutil.which("unshare")) and subprocess.run(ask, capture_output=True).returncode == 0


@pytest.mark.skipif(not has_small_disks(), reason="mounting a small disk is not allowed here")
@pytest.mark.parametrize("sweep", ["correction"], indirect=True)
@pytest.mark.parametrize("room", [0, 200], ids="{} KB left".format)
def test_full_disk_under_output_ends_in_words_and_the_next_run_makes_it_good(
    proxied_store: ProxiedStore, sweep: Sweep, room: int
) -> None:
    proxied_store.put_back(sweep.public)
    shutil.rmtree(sweep.output)
    shutil.copytree(sweep.unfetched, sweep.output)
    used = sum(-(-path.stat().st_size // 4096) * 4 for path in sweep.unfetched.rglob("*") if path.is_file())
    script = (
        "mount -t tmpfs -o size=$1k none output && cp -a unfetched/. output/ && make publish; status=$?; "
        "mkdir -p left && cp -a output/. left/; exit $status"
    )
    left = sweep.office.folder / "left"
    shutil.rmtree(left, ignore_errors=True)
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(used + room)],
        cwd=sweep.office.folder,
        env={"PATH": os.environ["PATH"], "VENV": sys.prefix, **proxied_store.environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    full = ("No space left", "disk is full")  # as the system and as SQLite say it
    assert done.returncode == 0 or any(words in done.stderr for words in full), done.stdout + done.stderr
    assert room or done.returncode, "there was no room at all"
    assert "Traceback" not in done.stderr
    observer = proxied_store.observer()
    assert observer.look() + sweep.lost() == []
    shutil.rmtree(sweep.output)
    shutil.copytree(left, sweep.output)
    sweep.publish()
    assert observer.look() + sweep.lost() == []
    assert sweep.ending() == sweep.end
    assert sweep.unsettled() == []


def test_steps_are_called_by_what_they_are() -> None:
    assert step_of("PUT", "/press/releases/one.json") == "PUT record"
    assert step_of("GET", "/press/?list-type=2") == "GET bucket"
    assert step_of("HEAD", "/press/archive/2026.html") == "HEAD listing"
    assert step_of("PUT", "/press/manifest/2026.3.json") == "PUT year page"
