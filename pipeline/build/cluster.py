"""Rendering on a Dask cluster: the ``Executor`` for ``PRESS_DASK``.

This process alone has the build state. It sends tasks that hold all they need, a few ahead of what the workers have
threads for, and takes the results as they come. A worker gets tasks when it was found to render with the same code,
packages and fonts as this machine; ``cluster_worker`` is the other side. Tasks have numbers, not names: Dask shows them
to anyone who may see its dashboard. Nothing of this machine's environment is sent.

The only module that imports ``distributed``.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import pickle
import re
import secrets
import shlex
import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from importlib import metadata
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from pipeline.build import cluster_worker
from pipeline.build.cluster_worker import DIGEST, FILE, FONT, PACKAGE, Call, Facts
from pipeline.build.worker_pool import SECONDS, Key, Result, Task, killed
from pipeline.model.errors import Fault, RenderError, SettingError

if TYPE_CHECKING:
    from distributed import Client
    from distributed import Future as DaskFuture

T = TypeVar("T")

AHEAD = 3
"""Tasks in flight for each thread of the workers: one is being done, the others have arrived already."""
BYTES_AHEAD = 256 * 1024 * 1024
"""Bytes of tasks in flight at most, because the scheduler holds them in memory; one task may be larger."""
CONNECT = 10.0
"""Seconds that the scheduler has to answer when the run begins."""
ANSWER = 60.0
"""Seconds that it has later on, while it may be busy."""
LOOK = 1.0
"""Seconds between two looks at which workers there are."""
PAUSE = 0.01
"""Seconds between two looks whether a result has come."""
JOIN = 60.0
"""Seconds to wait for a worker while there is none: one that was killed is started again by its nanny."""
SHOWN = 3
"""Differences of a worker that a message names."""
LOCK = "requirements-cluster.lock"
_KILLED = killed()
"""The answer of a task that Dask gave up, because several workers died with it."""
_ADDRESS = re.compile(r"(?:tcp|tls)://[^\s/]+:\d+/?")


def run(
    address: str,
    note: Callable[[Fault], None],
    prepare: Callable[[Key], Task],
    work: Callable[[Task], Result],
    keys: Sequence[Key],
    warm: Callable[[], object],
    seconds: float = SECONDS,
) -> Iterator[tuple[Key, Result | BaseException]]:
    """Do as ``worker_pool.run`` does, on the workers of the Dask scheduler at ``address``.

    ``prepare`` runs here; ``work``, ``warm`` and what is passed between them are pickled. A task whose worker died is
    given to another one, and in the end to one without other tasks, so that it is known which of them is at fault.
    ``note`` is told of each worker that is not used, and why. Raises SettingError when the scheduler does not answer or
    has no worker that can be used; whatever was yielded before is finished.
    """
    with _connected(address) as client:
        cluster = _Cluster(client, address, note, pickle.dumps(warm), seconds)
        todo = deque(range(len(keys)))
        while todo or cluster.suspects or cluster.flights:
            cluster.look()
            while (number := cluster.next_task(todo)) is not None:
                try:
                    task = pickle.dumps((work, prepare(keys[number])))
                except Exception as error:  # reported with the release
                    cluster.suspects.discard(number)
                    yield keys[number], error
                    continue
                cluster.send(number, task)
            for number, answer in cluster.answers():
                if answer is None:
                    todo.appendleft(number)
                else:
                    yield keys[number], _opened(answer) if isinstance(answer, bytes) else answer


def _opened(answer: bytes) -> Any:
    """Return the result in ``answer``, which begins with its digest."""
    sha256, data = answer[:DIGEST], answer[DIGEST:]
    if hashlib.sha256(data).digest() != sha256:
        return RenderError("came back damaged from a worker of PRESS_DASK", "run the same command again")
    return pickle.loads(data)  # noqa: S301  # from a worker that the user has named


class _Flight(Struct, eq=False):
    """A task that was sent and has not come back."""

    number: int
    size: int
    workers: frozenset[str]
    """The workers that may do it."""


class _Cluster:
    """The workers of a scheduler, and the tasks that they have. Raises SettingError when the scheduler is lost."""

    def __init__(
        self, client: Client, address: str, note: Callable[[Fault], None], warm: bytes, seconds: float
    ) -> None:
        from distributed import as_completed

        self.client, self.address, self.note = client, address, note
        self.warm, self.seconds = warm, seconds
        self.run = secrets.token_hex(8)
        self.here = cluster_worker.facts()
        self.accepted: dict[str, int] = {}
        """Address → threads of the workers that are used."""
        self.refused: dict[str, Fault] = {}
        self.checks: dict[DaskFuture[Any], tuple[str, int, float]] = {}
        """Check in progress → address and threads of the worker, and when it must be finished."""
        self.flights: dict[DaskFuture[Any], _Flight] = {}
        self.suspects: set[int] = set()
        """Tasks that every worker died with which had them; other tasks may have been the cause."""
        self.numbers = itertools.count()
        self.done = as_completed(with_results=True, raise_errors=False)
        self.next_look, self.lonely_since = 0.0, time.monotonic()

    def next_task(self, todo: deque[int]) -> int | None:
        """Return the task to be sent next, None when enough are in flight. The suspects come last."""
        if todo:
            size = sum(flight.size for flight in self.flights.values())
            has_room = len(self.flights) < AHEAD * sum(self.accepted.values()) and size < BYTES_AHEAD
            return todo.popleft() if has_room else None
        waiting = self.suspects - {flight.number for flight in self.flights.values()}
        return min(waiting) if waiting and self._idle() else None

    def _idle(self) -> list[str]:
        """Return the accepted workers that have no task."""
        return sorted(self.accepted.keys() - {worker for each in self.flights.values() for worker in each.workers})

    def send(self, number: int, task: bytes) -> None:
        """Send a task to whichever of the accepted workers is free first; a suspect to one that has no other."""
        call = Call(cluster_worker.render, self.run, self.warm, task, self.seconds)
        workers = frozenset(self._idle()[:1] if number in self.suspects else self.accepted)
        self.flights[self._submit(call, workers)] = _Flight(number, len(task), workers)

    def _submit(self, call: Call, workers: frozenset[str], priority: int = 0) -> DaskFuture[Any]:
        name = f"dateline-{self.run}-{next(self.numbers)}"
        with self._lost():
            future: DaskFuture[Any] = self.client.submit(
                pickle.loads, pickle.dumps(call), key=name, workers=sorted(workers), priority=priority, pure=False
            )
            self.done.add(future)
            return future

    # Workers

    def look(self) -> None:
        """Look which workers there are, and begin to check the new ones. Raises SettingError when none can be used."""
        now = time.monotonic()
        if now < self.next_look:
            return
        self.next_look = now + LOOK
        with self._lost():
            there: dict[str, int] = self.client.nthreads(callback_timeout=ANSWER)
        self.accepted = {worker: there[worker] for worker in self.accepted if worker in there}
        self.refused = {worker: fault for worker, fault in self.refused.items() if worker in there}
        for check, (worker, _, deadline) in list(self.checks.items()):
            if worker not in there:
                self._drop(check)
            elif now > deadline:
                self._drop(check)
                self._refuse(worker, "does not answer, or is busy with other work", "restart it")
        checked = {worker for worker, _, _ in self.checks.values()}
        for worker in sorted(there.keys() - self.accepted.keys() - self.refused.keys() - checked):
            call = Call(cluster_worker.check, self.run, self.warm, self.seconds)
            check = self._submit(call, frozenset([worker]), priority=1)
            self.checks[check] = worker, there[worker], now + SECONDS
        if self.accepted or self.checks:
            self.lonely_since = now
        elif self.refused:
            faults = "\n".join(map(str, self.refused.values()))
            raise SettingError(f"no worker of the Dask scheduler {self.address} can be used:\n{faults}")
        elif now > self.lonely_since + JOIN:
            command = f"{_python()} -m dask worker {self.address}"
            raise SettingError(
                f"the Dask scheduler {self.address} has no worker", f"start one, in Dateline's folder: {command}"
            )

    def _drop(self, check: DaskFuture[Any]) -> None:
        del self.checks[check]
        check.release()

    def _judge(self, check: DaskFuture[Any], found: tuple[Facts, str]) -> None:
        """Accept or refuse a worker whose check is finished."""
        with self._lost():
            failed = check.exception(timeout=ANSWER) if check.status == "error" else None
        there, problem = found if failed is None else ({}, "")
        worker, threads, _ = self.checks.pop(check)
        check.release()
        if isinstance(failed, ImportError):
            command = f"{_python()} -m dask worker {self.address}"
            hint = f"start it in a folder with this version of Dateline, by: {command}"
            self._refuse(worker, f"cannot load Dateline ({failed})", hint)
        elif failed is not None:
            self._refuse(worker, f"cannot be checked ({failed})", "restart it")
        elif differing := differences(self.here, there):
            more = f", and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
            self._refuse(worker, ", ".join(differing[:SHOWN]) + more, remedy(self.here, there))
        elif problem:
            self._refuse(worker, f"cannot load what rendering needs ({problem})", "type `make setup` in its folder")
        else:
            self.accepted[worker] = threads

    def _refuse(self, worker: str, why: str, hint: str) -> None:
        self.refused[worker] = Fault(f"Dask worker {worker}", 0, f"not used: {why}", hint)
        self.accepted.pop(worker, None)
        self.note(self.refused[worker])

    # Results

    def answers(self) -> Iterator[tuple[int, bytes | RenderError | None]]:
        """Wait a little; yield the tasks that are finished, with None for those that must be sent again."""
        for future, result in self._finished():
            if isinstance(result, CancelledError) and (future in self.checks or future in self.flights):
                raise _lost_scheduler(self.address)
            if future in self.checks:
                self._judge(future, result)
            elif future in self.flights:
                if (answer := self._answer(future, result)) is _KILLED:
                    yield from self._suspect(future)
                else:
                    number = self._landed(future)
                    self.suspects.discard(number)
                    yield number, answer
        for future, flight in list(self.flights.items()):
            if not flight.workers & self.accepted.keys():
                yield from self._suspect(future)

    def _suspect(self, future: DaskFuture[Any]) -> Iterator[tuple[int, RenderError]]:
        """Let a task be done by a worker without other tasks; give it up if it has been."""
        number = self._landed(future)
        if number in self.suspects:
            self.suspects.discard(number)
            yield number, killed()
        else:
            self.suspects.add(number)

    def _landed(self, future: DaskFuture[Any]) -> int:
        future.release()
        return self.flights.pop(future).number

    def _finished(self) -> list[tuple[DaskFuture[Any], Any]]:
        """Wait for results, but no longer than to the next look at the workers."""
        while not self.done.has_ready() and self.client.status == "running" and time.monotonic() < self.next_look:
            time.sleep(PAUSE)
        with self._lost():
            return list(self.done.next_batch(block=False))

    def _answer(self, future: DaskFuture[Any], answer: bytes) -> bytes | RenderError | None:
        """Return what a finished task came back with, None when its worker must be checked first."""
        from distributed import KilledWorker

        if future.status == "error":
            error = future.exception(timeout=ANSWER)
            if isinstance(error, KilledWorker):
                return _KILLED
            return RenderError(f"could not be rendered by PRESS_DASK: {error}", "see the logs of the Dask workers")
        if answer:
            return answer
        with self._lost():
            for worker in self.client.who_has([future])[future.key]:
                self.accepted.pop(worker, None)
        return None

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except (CancelledError, OSError, TimeoutError) as error:
            raise _lost_scheduler(self.address) from error
        if self.client.status != "running":
            raise _lost_scheduler(self.address)


def _lost_scheduler(address: str) -> SettingError:
    return SettingError(
        f"the Dask scheduler {address} stopped answering",
        "what was rendered is kept; start the scheduler and its workers again, then run the same command again",
    )


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """Connect to the scheduler. Raises SettingError."""
    if not _ADDRESS.fullmatch(address):
        raise SettingError(
            f"PRESS_DASK={address}: this is not the address of a Dask scheduler", "write it like tcp://HOST:8786"
        )
    try:
        import dask
        import distributed
    except ImportError as error:
        install = f"{_python()} -m pip install --require-hashes --requirement {LOCK}"
        raise SettingError(
            f"PRESS_DASK is set, but distributed is not installed ({error})", f"type: {install}"
        ) from error
    for name in ["asyncio", *(name for name in logging.root.manager.loggerDict if name.startswith("distributed"))]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what goes wrong is told in a message
    warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)  # versions are compared here
    large = {"distributed.admin.large-graph-warning-threshold": "1TB"}
    with dask.config.set(large):
        try:
            client, theirs = _within(2 * CONNECT, lambda: _client(address))
        except Exception as error:  # of whatever answers at this address, or does not
            raise SettingError(*_unreachable(address, error)) from error
        try:
            if theirs != (ours := metadata.version("distributed")):
                raise SettingError(
                    f"the Dask scheduler {address} has distributed {theirs}, here it is {ours}",
                    f"install {LOCK} there too, and start it again",
                )
            yield client
        finally:
            _close(client)


def _client(address: str) -> tuple[Client, str]:
    """Return a client, and the version of ``distributed`` that the scheduler runs."""
    from distributed import Client

    client = Client(address, timeout=CONNECT, direct_to_workers=False)
    try:
        return client, client.run_on_scheduler(metadata.version, "distributed")
    except BaseException:
        _close(client)
        raise


def _within(seconds: float, connect: Callable[[], T]) -> T:
    """Return ``connect()``. Raises TimeoutError: Dask waits for ever where something listens and does not answer."""
    found: Future[T] = Future()

    def fill() -> None:
        try:
            found.set_result(connect())
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=fill, daemon=True).start()
    return found.result(seconds)


def _unreachable(address: str, error: Exception) -> tuple[str, str]:
    reason = str(error).partition("\n")[0] or "it is silent"
    is_tls = address.startswith("tls:")
    what = "cannot connect" if is_tls and not isinstance(error, OSError) else "no Dask scheduler answers there"
    command = f"{_python()} -m dask scheduler{' --protocol tls' if is_tls else ''}"
    hint = f"correct the address, start a scheduler by `{command}`, or unset PRESS_DASK"
    if is_tls:  # a lack of certificates shows itself in many ways, silence is one
        hint = f"tls:// needs certificates in Dask's configuration: see docs/scaling.md; if they are there, {hint}"
    return f"PRESS_DASK={address}: {what} ({reason})", hint


def _close(client: Client) -> None:
    with suppress(Exception):  # a scheduler that is gone needs no farewell
        client.close(timeout=CONNECT)


def _python() -> str:
    return shlex.quote(sys.executable)


def differences(here: Facts, there: Facts) -> list[str]:
    """Return in words what makes another machine render differently; more fonts than here make no difference."""
    found = []
    for name in sorted(here.keys() | there.keys(), key=lambda name: (name.partition(" ")[1] != "", name)):
        ours, theirs = here.get(name), there.get(name)
        if ours == theirs or (ours is None and not name.startswith(FILE)):
            continue
        if name.startswith(FILE):
            what = name.removeprefix(FILE)
            found.append(f"lacks {what}" if theirs is None else f"has {'another' if ours else 'also'} {what}")
        elif name.startswith(FONT):
            what = name.removeprefix(FONT)
            found.append(f"lacks the font {what}" if theirs is None else f"has another version of the font {what}")
        else:
            what = name.removeprefix(PACKAGE)
            found.append(f"lacks {what}" if theirs is None else f"has {what} {theirs}, here it is {ours}")
    return found


def remedy(here: Facts, there: Facts) -> str:
    """Return what to do about ``differences``."""
    differing = {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}
    if any(name.startswith(FILE) for name in differing):
        return "bring its folder to the same commit as this one, type `make setup` there, and restart the worker"
    missing = {name for name in differing & here.keys() if name.startswith(FONT)}
    if missing and not any(name.startswith(PACKAGE) for name in differing & here.keys()):
        packages = sorted({name.rpartition("(")[2].rstrip(")") for name in missing})
        return f"install there, and restart the worker: {' '.join(packages)}; docs/scripts.md says how"
    return f"type `make setup` in its folder, install {LOCK} there, and restart the worker"
