"""``make preview``: show the newsroom as rendered on this machine, scheduled releases included, in the browser.

An edited release is read and its page rendered at once, in this process. The files behind it are rendered by another
one, which ``renderer`` describes, into ``output/``, as ``make render`` would.

watch     what has changed in the sources and templates
renderer  the process that renders behind the preview
view      what is shown: pages ahead of their files, the files, the bar
server    who is answered, and what browsers are told when something has changed
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Thread

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.cli.console import Console, count
from pipeline.cli.preview.renderer import Event, Failed, Finished, Job, Place, Renderer, WasRead, WasRendered
from pipeline.cli.preview.server import PreviewServer
from pipeline.cli.preview.view import INDEX, View
from pipeline.cli.preview.watch import OFTEN, Changes, Watcher
from pipeline.model.errors import Fault, SettingError
from pipeline.model.formats import by_name
from pipeline.typography.templates import FOLDER

AGAIN = 2.0
"""Seconds until what ``make publish`` has kept from being rendered is tried again."""
AT_ONCE = 5
"""Pages that are rendered ahead of their files when more releases have changed together, as after git pull."""
NEVER = datetime.max.replace(tzinfo=UTC)
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the preview."""
_NO = ("", "0", "no", "false")


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Render, serve what was rendered, and render again whenever a source changes, until Ctrl+C."""
    if context.environ.get("CI", "").lower() not in _NO:
        raise SettingError("make preview is not available in CI", "run it on your own computer; in CI use make render")
    for ending in ENDINGS:
        if ending is signal.SIGINT or signal.getsignal(ending) != signal.SIG_IGN:  # under nohup it is ignored
            signal.signal(ending, signal.default_int_handler)
    place = Place(context.state.content, options.output, context.environ, context.root)
    # The renderer is forked before threads are started and the database is opened.
    with (
        contextlib.suppress(KeyboardInterrupt),
        _foreground(),
        contextlib.closing(_Preview(Renderer(place), place, console)) as preview,
    ):
        preview.follow()


class _Preview:
    """One run of the preview."""

    def __init__(self, renderer: Renderer, place: Place, console: Console) -> None:
        self.renderer, self.place, self.console = renderer, place, console
        self.job = Job(0)
        """The last job that was begun."""
        self.is_done, self.is_postponed = True, False
        self.seen = 0
        """Version of the state that was last looked at."""
        self.again_at = 0.0
        """When a postponed job is begun once more; 0 for never."""
        self.said: dict[str, tuple[Fault, ...]] = {}
        self.shown: tuple[str, ...] | None = None
        self.begun, self.due = datetime.now(UTC), NEVER
        """When the last job was begun, and the next instant at which a scheduled release becomes public."""

    def close(self) -> None:
        """End what was started."""
        self.renderer.end()

    def follow(self) -> None:
        """Serve, and follow the edits, until Dateline itself is changed."""
        self.watcher = Watcher(self.place.content, FOLDER, fingerprint.ROOT / "pipeline")
        self.view = View(self.place)
        self._begin(whole=True)
        self.view.refresh()
        with PreviewServer(self.view) as self.server:
            Thread(target=self.server.serve_forever, daemon=True).start()
            self.console.heading(self.server.address + INDEX)
            self.seen = self.view.state.version
            self.view.warm_up()
            while True:
                self._hear()
                if changes := self.watcher.changes():
                    if changes.code:  # what this process renders would be taken for the work of the new code
                        self.console.line("Dateline itself has changed: start make preview again")
                        return
                    self._take(changes)
                elif (self.again_at and time.monotonic() > self.again_at) or datetime.now(UTC) > self.due:
                    self._begin(*self.job.slugs, whole=True)
                elif self.is_done and self.seen != self.view.state.version:  # somebody else has written
                    self.seen = self.view.state.version
                    if self.view.refresh() and self.view.has_refused:
                        self._begin(whole=True)

    def _begin(self, *slugs: str, whole: bool = False, fresh: bool = False) -> None:
        """Begin a job; what an unfinished one had left to do is part of it."""
        if not self.is_done or self.again_at:
            slugs, whole = (*slugs, *self.job.slugs), whole or self.job.whole
        self.job = Job(self.job.number + 1, tuple(dict.fromkeys(slugs)), whole, fresh)
        self.is_done, self.again_at, self.begun, self.due = False, 0.0, datetime.now(UTC), NEVER
        self.renderer.send(self.job)

    def _take(self, changes: Changes) -> None:
        self.console.line("something changed: rendering again")
        if changes.templates:
            self.view.forget_templates()
        if changes.templates or changes.newsroom:
            self.view.refresh(fresh=changes.templates)
        for slug in changes.slugs[:AT_ONCE]:
            self.view.edit(slug, self.job.number + 1)
        whole = changes.number or changes.newsroom or changes.templates or len(changes.slugs) > AT_ONCE
        self._begin(*changes.slugs, whole=whole, fresh=changes.templates)

    def _hear(self) -> None:
        """Take in what the renderer says, and wait for it as long as the watcher pauses."""
        try:
            for number, event in self.renderer.events(OFTEN):
                self.view.take(number, event)
                self._say(event)
                if isinstance(event, Finished) and number == self.job.number:
                    self._end(event)
        except (EOFError, OSError):  # it was killed, for its memory perhaps
            self.renderer.end()
            time.sleep(AGAIN)
            self.renderer = Renderer(self.place)
            self.is_done = False
            self._begin(whole=True)

    def _say(self, event: Event) -> None:
        """Print faults, each once."""
        if isinstance(event, WasRead):
            slug, faults = event.slug, event.faults
        elif isinstance(event, WasRendered):
            slug, faults = f"{event.slug} {event.stage}", (event.fault,) if event.fault else ()
        elif isinstance(event, Failed):
            slug, faults = "", event.faults
        else:
            return
        known, self.said[slug] = self.said.get(slug, ()), faults
        for fault in faults:
            if fault not in known:
                self.console.fault(fault if not isinstance(event, WasRead) or event.refused else fault.as_warning())

    def _end(self, event: Finished) -> None:
        self.is_done, self.seen = True, self.view.state.version
        was_postponed, self.is_postponed = self.is_postponed, event.postponed
        self.again_at = time.monotonic() + AGAIN if event.postponed else 0.0
        self.view.refresh()
        dates = (entry.date for entry in self.view.listed.values() if not entry.draft)
        self.due = min((date for date in dates if date > self.begun), default=NEVER)
        is_first = self.shown is None
        if event.postponed and not was_postponed:
            self.console.line("make publish runs or has just ended: files are rendered later, pages are shown at once")
        if is_first or not event.postponed:
            self._show()
        if is_first:
            self.console.line("Ctrl+C ends it; changes in the sources are rendered at once")

    def _show(self) -> None:
        """Print the addresses of what is not public, unless they are the ones already shown.

        A person at a terminal may read the names of scheduled releases; a log gets opaque ones, which redirect.
        """
        html, state = by_name("html"), self.view.state
        slugs = tuple(sorted(entry.slug for entry in self.view.scheduled()))
        slugs = tuple(slug for slug in slugs if (state.waiting / html.key(slug)).is_file())
        keys = {state.opaque(slug): html.key(slug) for slug in slugs}
        self.server.aliases = keys
        before, self.shown = self.shown, slugs
        if before == slugs:
            self.console.line("done: open pages show it")
            return
        if not (state.public / INDEX).is_file():
            self.console.line("there is no newsroom page yet: it is rendered once the errors above are corrected")
        if slugs:
            self.console.line(f"{count(len(slugs), 'release')} not public yet:")
        for opaque, key in keys.items():
            self.console.line(self.server.address + (key if self.console.colour else opaque))


@contextlib.contextmanager
def _foreground() -> Iterator[None]:
    """Take the terminal from make while this lasts: make would die of Ctrl+C and report the wanted end as an error.

    Where there is no terminal, or it is not make's, do nothing.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield
        return
    group = os.getpgrp()
    # A background process may hand over the terminal only while it ignores SIGTTOU. And the shell knows only make's
    # job, so this process must not be stopped on its own.
    quiet = (signal.SIGTTOU, signal.SIGTSTP)
    before = [signal.signal(each, signal.SIG_IGN) for each in quiet]
    taken = False
    try:
        if group != os.getpid() and os.tcgetpgrp(terminal) == group:
            os.setpgid(0, 0)
            os.tcsetpgrp(terminal, os.getpgrp())
            taken = True
        yield
    finally:
        if taken:
            with contextlib.suppress(OSError):  # the terminal was closed
                os.tcsetpgrp(terminal, group)
        os.close(terminal)
        for each, handler in zip(quiet, before, strict=True):
            signal.signal(each, handler)
