"""A Dask scheduler and its workers on loopback, started as Dask's users start them, and work for them to do."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pipeline.build import cluster_worker
from pipeline.model.errors import RenderError
from tests.support.newsroom import ROOT

_LIMIT = 120.0
_OPTIONS = ("--host", "127.0.0.1", "--no-dashboard")


class DaskCluster:
    """A scheduler, and the workers that were started for it; all end with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self.scheduler = self._start(ROOT, "scheduler", "--port", "0", "--scheduler-file", str(file), *_OPTIONS)
        until(file.is_file, self.log)
        self.address: str = json.loads(file.read_text("utf-8"))["address"]

    def add_worker(self, root: Path = ROOT, *options: str) -> str:
        """Start a worker with one thread in ``root``, and return its address once it has joined."""
        (address,) = self.add_workers(root, options=options)
        return address

    def add_workers(self, *roots: Path, options: Sequence[str] = ()) -> list[str]:
        """Start a worker with one thread in each of ``roots``, side by side; return their addresses."""
        logs = [self.folder / f"{len(self.processes) + number}.log" for number in range(len(roots))]
        local = ("--local-directory", str(self.folder), "--nthreads", "1", "--worker-port", "0")
        for root in roots:
            self._start(root, "worker", self.address, *local, *_OPTIONS, *options)
        until(lambda: all("Registered to:" in log.read_text("utf-8") for log in logs), self.log)
        lines = (line for log in logs for line in log.read_text("utf-8").splitlines() if "Start worker at:" in line)
        return [line.split()[-1] for line in lines]

    def _start(self, root: Path, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def log(self) -> str:
        """Return what all of them have logged."""
        return "\n".join(file.read_text("utf-8") for file in sorted(self.folder.glob("*.log")))

    def kill_workers(self, *addresses: str) -> None:
        """Kill the processes that listen at ``addresses`` with -9; a nanny starts another one."""
        for address in addresses:
            os.kill(listening_at(address), signal.SIGKILL)

    def dismiss_workers(self) -> None:
        """End all workers, and wait until the scheduler has none."""
        from distributed import Client  # not for the processes that import their work from here

        while len(self.processes) > 1:
            _end(self.processes.pop())
        with Client(self.address, set_as_default=False) as client:
            until(lambda: not client.nthreads(), self.log)

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()

    def end(self) -> None:
        """Kill all that was started, and wait until nothing of it is left."""
        for process in self.processes:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(condition: Callable[[], bool], log: Callable[[], str] = str) -> None:
    """Wait for ``condition``."""
    deadline = time.monotonic() + _LIMIT
    while not condition():
        assert time.monotonic() < deadline, log()
        time.sleep(0.05)


def listening_at(address: str) -> int:
    """Return the process that listens at ``address``, e.g. ``tcp://127.0.0.1:4001``."""
    port = f"{int(address.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{port}") and row[3] == "0A"}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                return int(process.name)
    raise AssertionError(f"nobody listens at {address}")


@contextlib.contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """Return a scheduler without workers."""
    cluster = DaskCluster(folder)
    try:
        yield cluster
    finally:
        cluster.end()


# ── Work: workers import it from here ───────────────────────────────────────────────────────────────────────────────


class OddError(Exception):
    """Cannot be made again from its words, as errors of some libraries cannot."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


def nothing() -> None:
    pass


T = TypeVar("T")


def as_it_is(key: T) -> T:
    return key


def misbehave(what: str) -> str:
    """Do what a hostile release might do to the process that renders it."""
    match what:
        case "hangs":
            time.sleep(600)
        case "is killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leaves":
            os._exit(0)
        case "eats memory":
            bytearray(4 * 1024**3)
        case "cannot be set":
            raise RenderError("a table that cannot be set", "make it smaller")
        case "fails oddly":
            raise OddError("one", "two")
    return what.upper()


def environment(name: str) -> str:
    """Return a variable of the process that works."""
    return os.environ.get(name, "")


def recorded(task: tuple[str, int]) -> int:
    """Write the attempt into a file, and take a moment, so that others are in flight meanwhile."""
    file, key = task
    with Path(file).open("a", encoding="utf-8") as log:
        log.write(f"{key}\n")
    time.sleep(0.2)
    return key * 2


def process(_: object) -> int:
    """Return the process that works."""
    return os.getpid()


def gated(task: tuple[str, int]) -> int:
    """Wait until a file is there."""
    file, key = task
    until(Path(file).exists)
    return key


def kill_worker(key: str) -> str:
    """Kill the Dask worker itself, as the system does that runs out of memory."""
    if key == "kills":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(600)
    return key.upper()


def forget_checks() -> None:
    """Make a worker forget that it was checked."""
    cluster_worker._checked.clear()
