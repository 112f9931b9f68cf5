"""What a Dask worker does for ``cluster``: it passes tasks to processes with limits, and says what it renders with.

A Dask worker runs tasks in its threads, where nothing can end one that hangs, and WeasyPrint is not made for threads.
So each thread has a process of its own, ``python -m pipeline.build.cluster_worker``, with the same limits as those of
``worker_pool``. Tasks and results are bytes here: a Dask worker and its scheduler never unpickle a release. A process
belongs to one run of a stage, because the next one may be of another version of the code.
"""

from __future__ import annotations

import hashlib
import pickle
import platform
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from ctypes import CDLL, c_char_p
from ctypes.util import find_library
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from pipeline.build import worker_pool
from pipeline.build.worker_pool import LimitExceededError

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-cluster.lock")
IDLE = 60.0
"""Seconds after which a process without a task ends."""
GRACE = 10
"""Seconds after its limit at which a process ends by itself, because the Dask worker that would end it is gone."""
LIBRARIES = {"pango-1.0": "pango_version_string", "harfbuzz": "hb_version_string"}
"""C library → its function that returns its version."""
DIGEST = hashlib.sha256().digest_size
RUNS = 16
"""Runs that a Dask worker remembers at most."""
FILE, FONT, PACKAGE = "file ", "font ", "package "
"""How the names of facts begin that there are many of."""
_LOADED = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
"""Digest of this module as this process runs it; the file may have been replaced since."""

Facts = dict[str, str]
"""What decides the bytes of a rendition besides its input: name → version or digest."""


def facts() -> Facts:
    """Return what this machine renders with: code, templates, packages, libraries and fonts, as they are now."""
    found = {
        "machine": platform.machine(),
        "Python": "{}.{}".format(*sys.version_info),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
    }
    for library, function in LIBRARIES.items():
        if name := find_library(library):
            version = getattr(CDLL(name), function)
            version.restype = c_char_p
            found[library] = version().decode()
    found |= {PACKAGE + name: version for name, version in _packages()}
    found |= {FILE + str(file.relative_to(ROOT)): _digest(file.read_bytes()) for file in _files()}
    return found | {FONT + name: digest for name, digest in _fonts()}


def _files() -> Iterator[Path]:
    for pattern in ("pipeline/**/*.py", "templates/**/*.*"):
        yield from (file for file in ROOT.glob(pattern) if file.is_file() and not file.name.startswith("."))


def _packages() -> Iterator[tuple[str, str]]:
    names = {name for lock in LOCKS for name in re.findall(r"(?m)^([\w.-]+)==", (ROOT / lock).read_text("utf-8"))}
    for name in sorted(names):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def _fonts() -> Iterator[tuple[str, str]]:
    from pipeline.typography import fonts
    from pipeline.typography.fonts.files import source

    for face in (*fonts.FACES, *(face for script in fonts.SCRIPTS for face in script.faces)):
        if file := source(face):
            with file.open("rb") as data:  # begins with a checksum of every table; some fonts have a hundred megabytes
                yield (
                    f"{face.file} ({face.package.replace('_', '-')})",
                    f"{file.stat().st_size} {_digest(data.read(4096))}",
                )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Call:
    """A call that happens where it is unpickled.

    ``pickle.loads`` with such bytes is what a Dask task consists of: the scheduler, which reads every task, needs
    nothing of Dateline for that. Where Dateline cannot be imported, the task fails and says so.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Pickle the call in the place of its result."""
        return self.call


# ── In the Dask worker ──────────────────────────────────────────────────────────────────────────────────────────────

_lock = threading.Lock()
_idle: dict[str, list[_Process]] = {}
"""The processes without a task, by run."""
_checked: dict[str, Facts] = {}
"""What the processes of a run must render with."""


def check(run: str, warm: bytes, seconds: float) -> tuple[Facts, str]:
    """Start a process of ``run``; return what it renders with, and why it cannot load what the pickled ``warm`` loads.

    From now on this worker renders for ``run``, with processes that are like this one.
    """
    process = _Process(warm, seconds)
    with _lock:
        _checked[run] = process.facts
        while len(_checked) > RUNS:
            del _checked[next(iter(_checked))]
    _put_back(run, process)
    return process.facts, process.problem


def render(run: str, warm: bytes, task: bytes, seconds: float) -> bytes:
    """Do a pickled task, ``(work, what to work on)``; return a digest and then the pickled result of ``attempt``.

    Return nothing where this worker is not checked, or is no longer what it was then. One that was started again may
    have the address of the one before.
    """
    while wanted := _checked.get(run):
        try:
            process = _take(run) or _Process(warm, seconds)
        except (OSError, RuntimeError):  # the next check says why
            break
        if process.facts != wanted or process.problem:
            process.end()
            break
        try:
            answer = process.ask(task, seconds)
        except LimitExceededError as error:
            process.end()
            return _sealed(error)
        if answer:
            _put_back(run, process)
            return answer
        process.end()
    return b""


def _take(run: str) -> _Process | None:
    with _lock:
        return _idle[run].pop() if _idle.get(run) else None


def _put_back(run: str, process: _Process) -> None:
    with _lock:
        _idle.setdefault(run, []).append(process)
        for other in list(_idle):  # polled, so that none of those that have ended stays as a zombie
            _idle[other] = [each for each in _idle[other] if each.program.poll() is None]
            if not _idle[other]:
                del _idle[other]


class _Process:
    """A process that renders, one task after the other."""

    def __init__(self, warm: bytes, seconds: float) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            number = str(theirs.fileno())
            command = [sys.executable, "-m", __name__, number, str(seconds)]
            self.program = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[int(number)])
            self.pipe = Connection(ours.detach())
        try:
            self.facts, self.problem = pickle.loads(self.ask(warm, worker_pool.SECONDS))  # noqa: S301  # our process
        except LimitExceededError as error:
            self.end()
            raise RuntimeError("the process that renders did not start: see the log of this Dask worker") from error
        self.facts[FILE + str(Path(__file__).relative_to(ROOT))] = _LOADED

    def ask(self, message: bytes, seconds: float) -> bytes:
        """Return the answer; nothing when the process has ended for lack of tasks. Raises LimitExceededError."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it may have answered that it ends
            self.pipe.send_bytes(message)
        try:
            if self.pipe.poll(seconds):
                return self.pipe.recv_bytes()
        except (EOFError, ConnectionResetError):
            raise worker_pool.killed() from None
        raise worker_pool.late()

    def end(self) -> None:
        """Kill the process."""
        self.pipe.close()
        self.program.kill()
        self.program.wait()


# ── In a process of it ──────────────────────────────────────────────────────────────────────────────────────────────


def _serve(pipe: Connection, seconds: float) -> None:
    """Do tasks until the Dask worker has ended, or has had none for a while."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (worker_pool.MEMORY, worker_pool.MEMORY))
    try:
        pipe.send_bytes(pickle.dumps((facts(), _load(pipe.recv_bytes()))))
        while pipe.poll(IDLE):
            task = pipe.recv_bytes()
            signal.alarm(int(seconds) + GRACE)
            pipe.send_bytes(_sealed(worker_pool.attempt(_do, task)))
            signal.alarm(0)
        pipe.send_bytes(b"")
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _load(warm: bytes) -> str:
    """Load what rendering needs; return why it cannot be loaded, or an empty string."""
    try:
        pickle.loads(warm)()  # noqa: S301  # from the user's own machine, as all of the tasks
    except Exception as error:  # whatever it is, this machine cannot render
        return f"{type(error).__name__}: {error}"
    return ""


def _do(task: bytes) -> object:
    work, what = pickle.loads(task)  # noqa: S301
    return work(what)


def _sealed(result: object) -> bytes:
    data = pickle.dumps(result)
    return hashlib.sha256(data).digest() + data


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])), float(sys.argv[2]))
