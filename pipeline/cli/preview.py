"""``make preview``: show the newsroom as rendered on this machine, scheduled releases included, in the browser.

Every user of a machine can reach its loopback address. So each address of the preview begins with a random token;
whoever does not know it learns nothing, not even which files exist.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

from pipeline.build.context import CommandContext
from pipeline.build.state import FINAL, BuildState
from pipeline.cli.console import Console, count
from pipeline.model.errors import SettingError
from pipeline.model.formats import by_name, media_type

LOOPBACK = "127.0.0.1"
PAUSE = 1
"""Seconds between two checks of the sources."""
PATIENCE = 10
"""Seconds that a rendering gets to end when it is stopped."""
TEMPLATES = Path("templates")
INDEX = "index.html"
NEVER = datetime.max.replace(tzinfo=UTC)
"""The instant at which a draft becomes public."""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the preview."""
_NO = ("", "0", "no", "false")
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
"""Variables by which a make controls its sub-makes; the make started here is independent."""


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Render, serve what was rendered, and render again whenever a source changes, until Ctrl+C."""
    if context.environ.get("CI", "").lower() not in _NO:
        raise SettingError("make preview is not available in CI", "run it on your own computer; in CI use make render")
    for ending in ENDINGS:
        if ending is signal.SIGINT or signal.getsignal(ending) != signal.SIG_IGN:  # under nohup it is ignored
            signal.signal(ending, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), _foreground():
        _follow(context, options.output, console)


def _follow(context: CommandContext, output: Path, console: Console) -> None:
    state = context.state
    with _PreviewServer(state) as server:
        shown: tuple[str, ...] = ()
        while True:
            files, begun = _files(state, context.root), datetime.now(UTC)
            _render(context, output)
            if not shown:
                Thread(target=server.serve_forever, daemon=True).start()
            scheduled = _scheduled(state, begun)
            is_first, shown = not shown, _show(server, state, console, scheduled, shown)
            if is_first:
                console.line("Ctrl+C ends it; changes in the sources are rendered at once")
            # When an instant comes, other pages change too.
            while _files(state, context.root) == files and datetime.now(UTC) < min(scheduled.values(), default=NEVER):
                time.sleep(PAUSE)
            console.line("something changed: rendering again")


def _show(
    server: _PreviewServer,
    state: BuildState,
    console: Console,
    scheduled: Mapping[str, datetime],
    shown: tuple[str, ...],
) -> tuple[str, ...]:
    """Print the addresses, unless they are the ones already ``shown``; return what is shown now.

    A person at a terminal may read the names of scheduled releases; a log gets opaque ones, which redirect.
    """
    html = by_name("html")
    slugs = tuple(slug for slug in sorted(scheduled) if (state.waiting / html.key(slug)).is_file())
    keys = {state.opaque(slug): html.key(slug) for slug in slugs}
    server.aliases = keys
    if shown == (INDEX, *slugs):
        console.line("done: load the page again")
        return shown
    if not (state.public / INDEX).is_file():
        console.line("there is no newsroom page yet: it is rendered once the errors above are corrected")
    console.heading(server.address + INDEX)
    if slugs:
        console.line(f"{count(len(slugs), 'release')} not public yet:")
    for opaque, key in keys.items():
        console.line(server.address + (key if console.colour else opaque))
    return (INDEX, *slugs)


# ── Rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _scheduled(state: BuildState, now: datetime) -> dict[str, datetime]:
    """Return the releases that are not public at ``now``, with the instants from which they are; drafts never are."""
    sources = set(state.slugs())
    entries = (summary.entry for slug, summary in state.summaries().items() if slug in sources)
    return {entry.slug: NEVER if entry.draft else entry.date for entry in entries if entry.is_hidden(now)}


def _files(state: BuildState, root: Path) -> dict[tuple[str, str], tuple[int, int]]:
    """Return all sources and templates by their times and sizes."""
    files = {}
    for folder in (state.content, root / TEMPLATES):
        for path, _, names in os.walk(folder, followlinks=True):
            for name in names:
                if name.startswith(".") or name.endswith("~"):  # an editor's own files
                    continue
                with contextlib.suppress(OSError):
                    stat = Path(path, name).stat()
                    files[path, name] = stat.st_mtime_ns, stat.st_size
    return files


def _render(context: CommandContext, output: Path) -> None:
    """Run ``make render``; it reports errors by itself, and leaves the earlier pages of a refused release.

    It runs in a session of its own, because Ctrl+C is for the preview alone.
    """
    environ = {name: value for name, value in context.environ.items() if name not in _OF_MAKE}
    environ["VENV"] = os.path.relpath(sys.prefix, context.root)
    command = ["make", "render", f"CONTENT={context.state.content}", f"OUTPUT={output}"]
    with _delayed_signals() as pending:
        child = subprocess.Popen(
            command, cwd=context.root, env=environ, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        if pending:
            raise KeyboardInterrupt
        child.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        raise


@contextlib.contextmanager
def _delayed_signals() -> Iterator[list[int]]:
    """Collect the signals that end the preview while this lasts: inside Popen they would leave its child running."""
    pending: list[int] = []
    caught = [each for each in ENDINGS if signal.getsignal(each) is signal.default_int_handler]
    for each in caught:
        signal.signal(each, lambda number, _frame: pending.append(number))
    try:
        yield pending
    finally:
        for each in caught:
            signal.signal(each, signal.default_int_handler)


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


# ── Serving ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class _PreviewServer(ThreadingHTTPServer):
    """Serves the scheduled releases and the public tree as one tree, so that links between them work."""

    daemon_threads = True

    def __init__(self, state: BuildState) -> None:
        super().__init__((LOOPBACK, 0), _PreviewHandler)
        self.token = secrets.token_urlsafe(24)
        self.aliases: Mapping[str, str] = {}
        """Opaque name → key of a scheduled release's page."""
        # Nothing outside the folders is served, by dots or by a link; but the folders may be behind a link themselves.
        self._folders = (state.waiting.resolve(), state.public.resolve())
        self._unmarked = self._folders[0] / FINAL

    @property
    def address(self) -> str:
        """The address of the preview, with its token."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def key(self, path: str) -> str:
        """Return the key that is asked for; empty without the right token."""
        _, token, key = (*unquote(path.partition("?")[0]).split("/", 2), "", "")[:3]
        return key if secrets.compare_digest(token.encode(), self.token.encode()) else ""

    def read(self, key: str) -> tuple[str, bytes] | None:
        """Return media type and bytes of ``key``, None when it was not rendered."""
        for folder in self._folders:
            file = Path(f"{folder}/{key}")
            with contextlib.suppress(OSError, KeyError, ValueError):
                if file.resolve() == file and not file.is_relative_to(self._unmarked):
                    return media_type(key), file.read_bytes()
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that closed the connection."""


class _PreviewHandler(BaseHTTPRequestHandler):
    server: _PreviewServer

    def do_GET(self) -> None:
        key = self.server.key(self.path)
        if key in self.server.aliases:
            self._answer(302, {"Location": self.server.aliases[key]})
        elif key and (found := self.server.read(key)):
            self._answer(200, {"Content-Type": found[0]}, found[1])
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer everything else exactly as an address that never existed."""
        self.close_connection = True
        self._answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"not found\n")

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response_only(status)
        # The address is secret: no cache may store its pages, and no linked site may learn it.
        private = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
        for name, value in {**headers, **private, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Write no log: it would name scheduled releases."""
