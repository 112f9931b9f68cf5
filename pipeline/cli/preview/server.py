"""The preview's HTTP server, for this machine's own browser.

Every user of a machine can reach its loopback address. So each address of the preview begins with a random token;
whoever does not know it learns nothing, not even which files exist.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote

import msgspec

from pipeline.cli.preview.view import View
from pipeline.model.formats import MEDIA_TYPES, media_type

LOOPBACK = "127.0.0.1"
EVENTS = "~events"
"""Key under which a page asks for its newer versions; no file has such a name."""
SILENCE = 15.0
"""Seconds after which an open connection is tried, so that one that a browser has left ends."""
_HTML = "text/html"
FILMS = tuple(
    suffix for suffix, kind in MEDIA_TYPES.items() if kind.startswith(("video/", "audio/", "application/mxf"))
)
"""Suffixes of what may be too large for the memory, and is asked for in ranges."""
_POLICY = "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'"
"""Content Security Policy of pages with the bar: instead of the page's own, which lets no script ask for anything."""


class PreviewServer(ThreadingHTTPServer):
    """Serves the scheduled releases and the public tree as one tree, so that links between them work."""

    daemon_threads = True

    def __init__(self, view: View) -> None:
        super().__init__((LOOPBACK, 0), _PreviewHandler)
        self.view = view
        self.token = secrets.token_urlsafe(24)
        self.aliases: Mapping[str, str] = {}
        """Opaque name → key of a scheduled release's page."""

    @property
    def address(self) -> str:
        """The address of the preview, with its token."""
        return f"http://{LOOPBACK}:{self.server_port}/{self.token}/"

    def key(self, path: str) -> str:
        """Return the key that is asked for; empty without the right token."""
        _, token, key = (*unquote(path.partition("?")[0]).split("/", 2), "", "")[:3]
        return key if secrets.compare_digest(token.encode(), self.token.encode()) else ""

    def read(self, key: str) -> tuple[str, bytes] | None:
        """Return media type and bytes of ``key``, pages with the bar; None when there is no such file."""
        if key.endswith(".html"):
            page = self.view.page(key, f"/{self.token}/{EVENTS}?key={quote(key)}")
            return (f"{_HTML}; charset=utf-8", page) if page is not None else None
        return self.view.find(key)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore a browser that closed the connection."""


class _PreviewHandler(BaseHTTPRequestHandler):
    server: PreviewServer

    def do_GET(self) -> None:
        key = self.server.key(self.path)
        if key in self.server.aliases:
            self._answer(302, {"Location": self.server.aliases[key]})
        elif key == EVENTS and self.command == "GET":
            self._tell(parse_qs(self.path.partition("?")[2]).get("key", [""])[0])
        elif key.endswith(FILMS) and (film := next(filter(Path.is_file, self.server.view.files(key)), None)):
            self._send_film(key, film)
        elif key and (found := self.server.read(key)):
            policy = {"Content-Security-Policy": _POLICY} if found[0].startswith(_HTML) else {}
            self._answer(200, {"Content-Type": found[0], **policy}, found[1])
        else:
            self.send_error(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer everything else exactly as an address that never existed."""
        self.close_connection = True
        self._answer(404, {"Content-Type": "text/plain; charset=utf-8"}, b"not found\n")

    def _tell(self, key: str) -> None:
        """Send a page's version as a server-sent event, and again whenever it has changed, until the page is left."""
        self.close_connection = True
        self._begin(200, {"Content-Type": "text/event-stream"})
        view, told = self.server.view, b""
        self.wfile.write(b"retry: 500\n\n")
        while True:
            with view.changed:
                version = msgspec.json.encode(view.version(key))
                if version == told:
                    view.changed.wait(SILENCE)
                    version = msgspec.json.encode(view.version(key))
            self.wfile.write(b"data: " + version + b"\n\n" if version != told else b":\n\n")
            told = version

    def _send_film(self, key: str, film: Path) -> None:
        """Send a film without reading it into memory; browsers ask for a range of bytes to begin elsewhere."""
        size = film.stat().st_size
        asked = re.fullmatch(r"bytes=([0-9]{1,18})-([0-9]{0,18})", self.headers.get("Range", ""))
        start, last = (int(asked[1]), int(asked[2] or size)) if asked else (0, size)
        headers = {"Content-Type": media_type(key), "Accept-Ranges": "bytes"}
        if not asked or not start <= last or start >= size:
            start, last = 0, size - 1
            self._begin(200, {**headers, "Content-Length": str(size)})
        else:
            last = min(last, size - 1)
            shown = {"Content-Range": f"bytes {start}-{last}/{size}", "Content-Length": str(last - start + 1)}
            self._begin(206, {**headers, **shown})
        if self.command != "HEAD" and size:
            with film.open("rb") as file:
                self.connection.sendfile(file, start, last - start + 1)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self._begin(status, {**headers, "Content-Length": str(len(body))})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response_only(status)
        # The address is secret: no cache may store its pages, and no linked site may learn it.
        private = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
        for name, value in {**headers, **private}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Write no log: it would name scheduled releases."""
