"""A proxy in front of a real server that imitates faults of networks and storages."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


class Exchange:
    """One request; a fault decides what happens to it."""

    def __init__(self, handler: _Handler, body: bytes) -> None:
        self._handler = handler
        self.method, self.path, self.body = handler.command, handler.path, body
        self.headers = handler.headers

    def forward(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """Send the request, with the present ``body``, to the real server and return its answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._handler.upstream, timeout=20)) as connection:
            return self._ask(connection)

    def _ask(self, connection: http.client.HTTPConnection) -> tuple[int, list[tuple[str, str]], bytes]:
        connection.putrequest(self.method, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self._handler.headers.items():
            if name.lower() not in ("connection", "expect"):
                connection.putheader(name, value)
        connection.endheaders(self.body or None)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes, sent: int | None = None) -> None:
        """Answer; if ``sent`` is given, break the connection after that many bytes of the body."""
        self._handler.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "transfer-encoding"):
                self._handler.send_header(name, value)
        self._handler.end_headers()
        if self.method != "HEAD":
            self._handler.wfile.write(body[:sent])
        if sent is not None:
            self._handler.wfile.flush()
            self.reset()

    def reset(self) -> None:
        """Break the connection as a crashed machine does."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True


Fault = Callable[[Exchange], None]
Manner = Callable[[Exchange], bool]
"""Answers a request and returns True, or leaves it to the real server."""


def refusal(status: int, code: str) -> Fault:
    """The storage answers with an S3 error code."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>because of the test</Message></Error>".encode()
    headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
    return lambda exchange: exchange.answer(status, [*headers, ("Date", "Mon, 23 Nov 2026 10:00:00 GMT")], body)


def reset_before(exchange: Exchange) -> None:
    """The connection breaks before the storage receives the request."""
    exchange.reset()


def lost_answer(exchange: Exchange) -> None:
    """The storage carries out the request, and its answer is lost."""
    exchange.forward()
    exchange.reset()


def truncated(exchange: Exchange) -> None:
    """The connection breaks in the middle of the answer."""
    status, headers, body = exchange.forward()
    exchange.answer(status, headers, body, sent=len(body) // 2)


def flipped_up(exchange: Exchange) -> None:
    """A bit of the request's body changes on the way."""
    exchange.body = bytes([exchange.body[0] ^ 1]) + exchange.body[1:]
    exchange.answer(*exchange.forward())


def flipped_down(exchange: Exchange) -> None:
    """A bit of the answer's body changes on the way."""
    status, headers, body = exchange.forward()
    exchange.answer(status, headers, bytes([body[0] ^ 1]) + body[1:])


def with_header(name: str, value: str = "") -> Fault:
    """An answer has another value in a header, or lacks the header if there is no ``value``."""

    def forge(exchange: Exchange) -> None:
        status, headers, body = exchange.forward()
        others = [(known, text) for known, text in headers if known.lower() != name]
        exchange.answer(status, [*others, (name, value)] if value else others, body)

    return forge


def silence(seconds: float) -> Fault:
    """No answer; the connection breaks after ``seconds``."""

    def wait(exchange: Exchange) -> None:
        threading.Event().wait(seconds)
        exchange.reset()

    return wait


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream: int
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        exchange = Exchange(self, body)
        with self.server.at_work():
            fault = self.server.next_fault(self.command, self.path)
            if fault:
                fault(exchange)
            elif not (self.server.manner and self.server.manner(exchange)):
                exchange.answer(*exchange.forward())

    do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = _serve  # noqa: N815 -- names that http.server requires

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        handler = type("Handler", (_Handler,), {"upstream": upstream})
        super().__init__(("127.0.0.1", 0), handler)
        self.faults: list[tuple[str, str, Fault]] = []
        self.seen: list[tuple[str, str]] = []
        self.strikes: dict[int, Fault] = {}
        self.manner: Manner | None = None
        self.lasting: list[tuple[str, str, Fault]] = []
        self.busy = 0
        self._lock = threading.Lock()

    def next_fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            self.seen.append((method, path))
            if len(self.seen) in self.strikes:
                return self.strikes.pop(len(self.seen))
            for index, (wanted, part, fault) in enumerate(self.faults):
                if method == wanted and part in path:
                    del self.faults[index]
                    return fault
        return next((fault for wanted, part, fault in self.lasting if method == wanted and part in path), None)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with self._lock:
            self.busy += 1
        try:
            yield
        finally:
            with self._lock:
                self.busy -= 1

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # broken connections are the point


class Proxy:
    """Applies each fault that was added once, in that order, to the requests that they are for."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self.endpoint = f"http://127.0.0.1:{server.server_address[1]}"

    def add(self, method: str, part: str, *faults: Fault) -> None:
        """Apply ``faults`` to the next requests with this method and a path that contains ``part``."""
        self._server.faults += [(method, part, fault) for fault in faults]

    def always(self, method: str, part: str, fault: Fault) -> None:
        """Apply ``fault`` to every request with this method and a path that contains ``part``, until ``mend``."""
        self._server.lasting.append((method, part, fault))

    def mend(self) -> None:
        """Drop the faults that ``always`` are applied."""
        self._server.lasting.clear()

    def strike(self, number: int, fault: Fault) -> None:
        """Restart the count of requests, and apply ``fault`` to the request with this number."""
        self.count_anew()
        self._server.strikes = {number: fault}

    def count_anew(self) -> None:
        """Restart the count of requests, and drop the faults for numbered requests."""
        self._server.seen.clear()
        self._server.strikes = {}

    @property
    def busy(self) -> int:
        """How many requests are under way."""
        return self._server.busy

    @property
    def seen(self) -> list[tuple[str, str]]:
        """Method and path of every request so far."""
        return self._server.seen

    @property
    def left(self) -> int:
        """How many faults were not applied yet."""
        return len(self._server.faults)


@contextmanager
def proxy(endpoint: str, manner: Manner | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of the server at ``endpoint``; ``manner`` is how it always behaves."""
    server = _Server(urlsplit(endpoint).port or 80)
    server.manner = manner
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield Proxy(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
