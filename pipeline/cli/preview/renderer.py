"""What renders behind the preview: a process that has loaded the writers, and forks one for each job.

It reads and renders as ``make render`` does, into the same folders and with the same fingerprints, so that neither
renders again what the other has rendered. What ``make publish`` would refuse, or must not meet while it runs, is kept
apart: ``BuildState.edited()``. A job that a newer edit has overtaken is killed; what it has finished stays.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import importlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from pathlib import Path

from msgspec import Struct

from pipeline.build import fingerprint, reading, stages
from pipeline.build.context import CommandContext
from pipeline.build.reading import ReadResult
from pipeline.build.state import BuildState, EditedState
from pipeline.cli.console import Console
from pipeline.cli.pages import update_listings
from pipeline.model.errors import DatelineError, Fault, ReleaseError, printable
from pipeline.model.formats import FORMATS
from pipeline.publish.sources import REFUSED, Refused, recall_refused

CHUNK = 16
"""Releases that are rendered in all formats before the next ones are begun."""
PATIENCE = 10
"""Seconds that the process has to end."""


class Place(Struct, frozen=True):
    """Where the processes work."""

    content: Path
    output: Path
    environ: Mapping[str, str]
    root: Path

    def context(self) -> CommandContext:
        """Return the context that the stages of ``make render`` have."""
        return CommandContext(self.content, self.output, self.environ, self.root, publishing=False)


class Job(Struct, frozen=True):
    """What may have changed."""

    number: int
    slugs: tuple[str, ...] = ()
    """Edited releases, to be rendered first."""
    whole: bool = False
    """All others may have changed too."""
    fresh: bool = False
    """Templates have changed, so what was loaded of them is void."""


class WasRead(Struct, frozen=True):
    """A source was read and compared with the others."""

    slug: str
    refused: bool
    faults: tuple[Fault, ...]


class WasRendered(Struct, frozen=True):
    """A format of a release is as it should be, or could not be rendered."""

    slug: str
    stage: str
    apart: bool
    """It is in the folders of ``BuildState.edited()``."""
    fault: Fault | None = None


class Failed(Struct, frozen=True):
    """Nothing can be rendered."""

    faults: tuple[Fault, ...]


class Finished(Struct, frozen=True):
    """The end of a job."""

    postponed: bool = False
    """``make publish`` runs: what was edited was rendered apart, and is to be rendered in its place later."""


Event = WasRead | WasRendered | Failed | Finished
Send = Callable[[Event], None]


class Renderer:
    """The process, seen from the preview."""

    def __init__(self, place: Place) -> None:
        self.pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("fork")
        self._process: ForkProcess = context.Process(target=_serve, args=(theirs, self.pipe, place))
        self._process.start()
        theirs.close()

    def send(self, job: Job) -> None:
        """Begin a job, in the place of one that is not finished."""
        with contextlib.suppress(BrokenPipeError):
            self.pipe.send(job)

    def events(self, seconds: float) -> Iterator[tuple[int, Event]]:
        """Yield what has happened with the number of the job, after at most ``seconds``.

        Raises EOFError when the process has died.
        """
        while self.pipe.poll(seconds):
            yield self.pipe.recv()
            seconds = 0.0

    def end(self) -> None:
        """End the process and all that it has started."""
        self.pipe.close()
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()


def _serve(pipe: Connection, other_end: Connection, place: Place) -> None:
    other_end.close()
    os.setsid()  # Ctrl+C at the terminal is for the preview, which then closes the pipe
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    is_warm = False
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        job: Job | None = pipe.recv()
        while True:
            if job is None:
                if not is_warm and not pipe.poll():
                    _warm_up(place)
                    is_warm = True
                job = pipe.recv()
            if job.fresh:
                forget_templates()
                is_warm = False
            job = _run(pipe, place, job)


def _warm_up(place: Place) -> None:
    context = place.context()
    with contextlib.suppress(DatelineError, OSError):
        entries = [summary.entry for summary in context.state.summaries().values() if not summary.entry.withdrawn]
        newest = [entry.slug for entry in sorted(entries, key=lambda entry: entry.date)[-1:]]
        stages.warm_up(context.state, context.render_context(), newest)
        for slug in newest:
            found = reading.read_alone(context.state, context.newsroom, slug, context.now)
            stages.page_ahead(context.state, context.render_context(shared=True), found, {})
        importlib.import_module("pipeline.site.feeds")
    context.state.close()  # a database must not be open in two processes that were one
    gc.collect()
    gc.freeze()


def forget_templates() -> None:
    """Empty the caches of the pipeline's functions, which hold what was made from templates."""
    for name, module in list(sys.modules.items()):
        if name.startswith("pipeline."):
            for function in list(vars(module).values()):
                if hasattr(function, "cache_clear"):
                    function.cache_clear()


def _run(pipe: Connection, place: Place, job: Job) -> Job | None:
    """Run a job in a process of its own, and pass on what it says; return the newer job that has ended it, if any."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs, (pipe, ours), place, job))
    process.start()
    theirs.close()
    with contextlib.suppress(OSError):
        os.setpgid(process.pid or 0, 0)
    try:
        while True:
            if pipe in (ready := wait([pipe, ours])):
                newer: Job = pipe.recv()
                return newer
            if ours in ready:
                try:
                    pipe.send((job.number, ours.recv()))
                except EOFError:
                    process.join()
                    if process.exitcode:
                        pipe.send((job.number, Finished()))
                    return None
    finally:
        _kill(process)
        ours.close()


def _kill(process: ForkProcess) -> None:
    """Kill a job with the worker processes that it has started."""
    if process.is_alive() and process.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.join()


def _work(pipe: Connection, others: Iterable[Connection], place: Place, job: Job) -> None:
    for other in others:
        other.close()
    with contextlib.suppress(OSError):
        os.setpgid(0, 0)
    with contextlib.suppress(BrokenPipeError):
        try:
            _do(place.context(), job, pipe.send)
        except DatelineError as error:  # of newsroom.toml; or a full disk, or a setting
            pipe.send(Failed(faults_of(error)))
            pipe.send(Finished())
        except Exception as error:  # the preview goes on
            what = f"an error in Dateline itself: {type(error).__name__}: {error}"
            pipe.send(Failed((Fault("", 0, what, "please report it"),)))
            pipe.send(Finished())


def faults_of(error: DatelineError) -> tuple[Fault, ...]:
    """Return an error as faults."""
    return error.faults if isinstance(error, ReleaseError) else (Fault("", 0, str(error), error.hint),)


# ── A job ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _do(context: CommandContext, job: Job, send: Send) -> None:
    state, postponed = context.state, False
    known = set(state.slugs())
    first = [slug for slug in job.slugs if slug in known]
    with _alone(state):
        with state.unless_publishing() as may_write:
            postponed = not may_write
            if may_write:
                _read_and_render(context, sorted(known) if job.whole else first, first, send)
        if postponed:
            _render_apart(context, first, send)
        rest = sorted(known.difference(first)) if job.whole else []
        rows = [row for row in FORMATS if row.names_others]
        parts = [(rest[at : at + CHUNK], FORMATS) for at in range(0, len(rest), CHUNK)] + [(sorted(known), rows)]
        for slugs, formats in parts:
            with state.unless_publishing() as may_write:
                postponed = postponed or not may_write
                if not postponed:
                    for row in formats:
                        _render(context, state, row.name, slugs, send)
        with state.unless_publishing() as may_write:
            postponed = postponed or not may_write
            for command in () if postponed else ("feed", "pages"):
                update_listings(context, command, _Silent())
    send(Finished(postponed))


class _Silent(Console):
    def line(self, text: str = "") -> None:
        """Print nothing: the preview says when all is done."""


@contextlib.contextmanager
def _alone(state: BuildState) -> Iterator[None]:
    """Wait for the job of another preview: it may render the same."""
    with (state.work / "preview.lock").open("wb") as file:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_and_render(context: CommandContext, slugs: list[str], first: list[str], send: Send) -> None:
    """Read what has changed of ``slugs`` and render ``first``; what is refused is rendered apart."""
    state = context.state
    stale = reading.out_of_date(state, context.newsroom, slugs)
    results: Iterable[ReadResult] = reading.read(
        state,
        context.newsroom,
        context.published,
        stale,
        context.now,
        context.minor,
        refuses_samples=context.refuses_samples,
    )
    refused, apart = [], state.edited()
    is_apart = apart.public.is_dir()
    is_all = len(slugs) == len(state.slugs())
    known = {} if is_all else dict(recall_refused(context))
    for slug in slugs:
        known.pop(printable(slug), None)
    for result in results:
        send(WasRead(result.slug, result.refused, result.faults))
        if result.refused:
            refused.append(result.slug)
            source = fingerprint.of_source(state, result.slug)
            known[printable(result.slug)] = Refused(source, tuple(map(str, result.faults)))
        elif is_apart:
            apart.drop_release(result.slug)
    if known != recall_refused(context):
        state.remember(REFUSED, known)
    if is_apart and not refused and is_all:
        apart.remove()
    accepted = [slug for slug in first if slug not in refused]
    for row in FORMATS if accepted else ():
        _render(context, state, row.name, accepted, send)
    _render_apart(context, refused, send)


def _render_apart(context: CommandContext, slugs: Iterable[str], send: Send) -> None:
    apart = context.state.edited()
    readable = []
    for slug in slugs:
        with contextlib.suppress(ReleaseError):
            found = reading.read_alone(context.state, context.newsroom, slug, context.now)
            apart.prepare()
            apart.store_release(found.parsed, found.summary, found.pictures)
            apart.mark_checked(slug)
            readable.append(slug)
    for row in FORMATS if readable else ():
        _render(context, apart, row.name, readable, send)


def _render(context: CommandContext, state: BuildState, stage: str, slugs: list[str], send: Send) -> None:
    pages, apart = stage == "html", isinstance(state, EditedState)
    if pages and not apart:  # the preview has the shared files at hand
        context.store_assets(unpublished=False)
    for result in stages.render(stage, state, context.render_context(shared=pages), slugs):
        if pages and result.unpublished and not apart:
            context.store_assets(unpublished=True)
        if result.verb != "unchanged" or result.slug in slugs:
            send(WasRendered(result.slug, stage, apart, result.fault))
