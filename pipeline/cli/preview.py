"""``make preview``: the newsroom as it is rendered on this machine, what waits included, for the person at the desk.

Every user of a machine reaches its loopback, so what waits is shown to those alone who were told an address: its first
part is a random token, and whoever does not know it learns nothing, not even what there is.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

from pipeline.build.context import CommandContext
from pipeline.build.state import DUE, BuildState
from pipeline.cli.console import Console, count
from pipeline.model.errors import SettingError
from pipeline.model.formats import by_name, media_type

LOOPBACK = "127.0.0.1"
PAUSE = 1
"""Seconds between two looks at the sources."""
PATIENCE = 10
"""Seconds that a rendering may take to end when it is told to."""
TEMPLATES = Path("templates")
INDEX = "index.html"
_NO = ("", "0", "no", "false")
_OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")
"""What a make tells those that it starts; the one started here is nobody's child."""


def preview(context: CommandContext, options: Namespace, console: Console) -> None:
    """Render, serve what was rendered, and render again whenever a source changes, until the keyboard ends it."""
    if context.environ.get("CI", "").lower() not in _NO:
        raise SettingError(
            "make preview serves pages to the person at this desk, and nobody looks at those of a job",
            "run it at your own desk; a job takes make render",
        )
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if ending is signal.SIGINT or signal.getsignal(ending) != signal.SIG_IGN:  # nohup means what it says
            signal.signal(ending, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), _foreground():
        _keep(context, options.output, console)


def _keep(context: CommandContext, output: Path, console: Console) -> None:
    state = context.state
    seen = _state(state, context.root)
    _render(context, output)
    with _Server(state) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        shown = _show(server, state, console, ())
        console.line("Ctrl+C ends it; what changes in the sources is rendered at once")
        while True:
            time.sleep(PAUSE)
            if (now := _state(state, context.root)) == seen:
                continue
            seen = now
            console.line("something changed: rendering again")
            _render(context, output)
            shown = _show(server, state, console, shown)


def _show(server: _Server, state: BuildState, console: Console, shown: tuple[str, ...]) -> tuple[str, ...]:
    """Print the addresses, unless they are the ones that were ``shown``; return what is waiting.

    A person at the terminal may read the names of what waits; a log has opaque ones, which lead there.
    """
    scheduled = tuple(slug for slug in _held(state) if (state.waiting / by_name("html").key(slug)).is_file())
    keys = {state.opaque(slug): by_name("html").key(slug) for slug in scheduled}
    server.aliases = keys
    if shown and shown == (INDEX, *scheduled):
        console.line("done: load the page again")
        return shown
    if not (state.public / INDEX).is_file():
        console.line("there is no newsroom page yet: it comes when the faults are mended")
    console.heading(server.address + INDEX)
    if scheduled:
        console.line(f"{count(len(scheduled), 'release')} waiting:")
    for opaque, key in keys.items():
        console.line(server.address + (key if console.colour else opaque))
    return (INDEX, *scheduled)


# ── Rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _held(state: BuildState) -> list[str]:
    """Return what waits now, by the markers that make goes by."""
    here = set(state.slugs())
    markers = [marker for marker in sorted(state.waiting.glob("until/*")) if marker.name in here]
    return [marker.name for marker in markers if _is_ahead(marker)]


def _is_ahead(marker: Path) -> bool:
    return marker.stat().st_mtime > time.time()


def _state(state: BuildState, root: Path) -> object:
    """Return what all is made from, by time and size, and what waits: its instant makes other pages, too."""
    files = {}
    for folder in (state.content, root / TEMPLATES):
        for path, _, names in os.walk(folder, followlinks=True):
            for name in names:
                if name.startswith(".") or name.endswith("~"):  # an editor's own
                    continue
                with contextlib.suppress(OSError):
                    stat = Path(path, name).stat()
                    files[path, name] = stat.st_mtime_ns, stat.st_size
    return files, _held(state)


def _render(context: CommandContext, output: Path) -> None:
    """Render all, as ``make render`` does; it tells what is wrong by itself, and leaves the pages there as they were.

    In a session of its own, for the keyboard's signal is for the preview alone.
    """
    environ = {name: value for name, value in context.environ.items() if name not in _OF_MAKE}
    environ["VENV"] = os.path.relpath(sys.prefix, context.root)
    command = ["make", "render", f"CONTENT={context.state.content}", f"OUTPUT={output}"]
    child = subprocess.Popen(command, cwd=context.root, env=environ, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
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
def _foreground() -> Iterator[None]:
    """Take the terminal from make while this lasts: it would die of Ctrl+C, and report the end that was meant as one.

    Where there is no terminal, or it is not make's, nothing is done.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        yield
        return
    group = os.getpgrp()
    # Whoever is not in the foreground may give it to nobody, unless it ignores the signal against that. Nor may a job
    # be stopped of which the shell knows only make.
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


class _Server(ThreadingHTTPServer):
    """Serves the public tree, and over it what waits, so that the links of each lead to the other as they will."""

    daemon_threads = True

    def __init__(self, state: BuildState) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.token = secrets.token_urlsafe(24)
        self.aliases: Mapping[str, str] = {}
        """Opaque name → key of a page that waits."""
        # Nothing may lead out of the folders, be it dots or a link; but they may lie behind a link themselves.
        self._folders = (state.waiting.resolve(), state.public.resolve())
        self._unmarked = self._folders[0] / DUE

    @property
    def address(self) -> str:
        """The address under which everything stands."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def key(self, path: str) -> str:
        """Return what of the newsroom is asked for; empty for whoever does not know the token."""
        _, token, key = (*unquote(path.partition("?")[0]).split("/", 2), "", "")[:3]
        return key if secrets.compare_digest(token.encode(), self.token.encode()) else ""

    def read(self, key: str) -> tuple[str, bytes] | None:
        """Return media type and bytes of ``key``, None when nothing of the kind was rendered."""
        for folder in self._folders:
            file = Path(f"{folder}/{key}")
            with contextlib.suppress(OSError, KeyError, ValueError):
                if file.resolve() == file and not file.is_relative_to(self._unmarked):
                    return media_type(key), file.read_bytes()
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a browser that went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

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
        """Answer whatever else is asked as a name that never existed is answered."""
        self.close_connection = True
        self._answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"not found\n")

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response_only(status)
        # The address is a secret: no cache keeps what stands there, and no page that is led to learns of it.
        kept = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
        for name, value in {**headers, **kept, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name that the library gives it
        """Keep no log: it would name what waits."""
