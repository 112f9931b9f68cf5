"""Reads what anyone without credentials can read, by plain HTTP."""

from __future__ import annotations

import hashlib
import http.client
import random
import ssl
import time
import weakref
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # missing in the stubs

from msgspec import Struct

from pipeline.model.errors import StorageError

SECONDS = 15.0
LIMIT = 256 * 1024 * 1024
"""Bytes of a body that is kept. Only films are larger."""
LARGEST = 5 * 1024**4
"""Bytes of the largest object that S3 defines."""
_BLOCK = 256 * 1024
_ATTEMPTS = 3
_BUSY = frozenset({429, 500, 502, 503, 504})
"""Statuses of a server that may have another answer in a moment."""
_PAUSES = (0.2, 0.4, 0.8, 1.6)
"""Seconds before such a server is asked again."""


class Answer(Struct, frozen=True):
    """A server's answer to an anonymous request."""

    status: int
    headers: dict[str, str]
    """By name in lower case."""
    body: bytes
    """Empty after HEAD and with ``keep=False``."""
    size: int
    """Bytes of the body; after HEAD, the stated Content-Length."""
    sha256: str
    """Of the body, hexadecimal; empty after HEAD."""
    date: datetime | None
    """The server's clock, UTC, whole seconds."""


class AnonymousClient:
    """Sends requests without credentials to one server. Threads may share it; it reuses connections."""

    def __init__(self, address: str, environ: Mapping[str, str], seconds: float = SECONDS) -> None:
        self.address = address if address.endswith("/") else address + "/"
        self._parts = urlsplit(self.address)
        self._seconds = seconds
        self._proxy = _proxy(self._parts.scheme, self._parts.hostname or "", environ)
        self._cafile = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE") or None
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _close_all, self._idle)

    def get(self, key: str, *, keep: bool = True, limit: int = 0, start: int = 0) -> Answer:
        """Get the object at ``key`` below the address, without following redirects.

        ``keep=False`` drops the body and leaves its size and digest. ``start`` asks for the bytes from there on: then
        the status is 206, or 200 with all bytes. Raises StorageError when there is no complete answer, or when it has
        more than ``limit`` bytes (by default ``LIMIT``, and ``LARGEST`` for a body that is dropped).
        """
        return self._ask("GET", self._path(key), keep, limit or (LIMIT if keep else LARGEST), start)

    def head(self, key: str) -> Answer:
        """Get the object's headers. Raises StorageError when there is no answer."""
        return self._ask("HEAD", self._path(key), False, 0)

    def ask(self, method: str, query: str = "") -> Answer:
        """Send a request to the address itself, with a ``query`` such as ``?list-type=2``. Raises StorageError."""
        return self._ask(method, self._parts.path + query, True, LIMIT)

    def open(self, address: str) -> Answer:
        """Get a full address on the same server, e.g. a presigned link.

        Raises StorageError when there is no answer; the message does not contain the query.
        """
        parts = urlsplit(address)
        return self._ask("GET", f"{parts.path}?{parts.query}", True, LIMIT)

    def visit(self, method: str, address: str) -> Answer:
        """Ask once for status and headers of a full address on the same server. Raises StorageError without an answer.

        The connection is closed before a body is read, however long it is.
        """
        parts = urlsplit(address)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connect()
        try:
            connection.request(
                method, self._target(path), headers={"User-Agent": "Dateline (link check)", "Accept": "*/*"}
            )
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, b"", 0, "", _date(headers))
        except (OSError, http.client.HTTPException) as error:
            raise StorageError(f"cannot read {address}: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()

    def disconnect(self) -> None:
        """Close the idle connections; later requests open new ones."""
        _close_all(self._idle)
        self._idle.clear()

    def _path(self, key: str) -> str:
        return self._parts.path + quote(key, safe="/-_.~")

    def _ask(self, method: str, path: str, keep: bool, limit: int, start: int = 0) -> Answer:
        for pause in _PAUSES:
            answer = self._answer(method, path, keep, limit, start)
            if answer.status not in _BUSY:
                return answer
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that clients do not ask together
        return self._answer(method, path, keep, limit, start)

    def _answer(self, method: str, path: str, keep: bool, limit: int, start: int) -> Answer:
        where = f"{self._parts.scheme}://{self._parts.netloc}{path.partition('?')[0]}"
        for attempt in range(1, _ATTEMPTS + 1):
            # The last attempt uses a new connection: the server may have closed the idle ones.
            connection = self._idle.pop() if self._idle and attempt < _ATTEMPTS else self._connect()
            try:
                answer = self._once(connection, method, path, keep, limit, start)
            except _TooLargeError:
                connection.close()
                raise StorageError(
                    f"cannot read {where}: more than {limit} bytes", "this is not the file that Dateline wrote"
                ) from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                fault = error
            else:
                self._idle.append(connection)
                return answer
        reason = str(fault) or type(fault).__name__
        raise StorageError(f"cannot read {where}: {reason}", "check the network and the address") from fault

    def _once(
        self, connection: http.client.HTTPConnection, method: str, path: str, keep: bool, limit: int, start: int
    ) -> Answer:
        asked = {"Accept-Encoding": "identity", "Cache-Control": "no-cache"}
        if start:
            asked["Range"] = f"bytes={start}-"
        connection.request(method, self._target(path), headers=asked)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        digest, blocks, size = hashlib.sha256(), [], 0
        while block := response.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise _TooLargeError
            digest.update(block)
            if keep:
                blocks.append(block)
        stated = headers.get("content-length", "")
        if method == "HEAD":
            return Answer(response.status, headers, b"", int(stated or 0), "", _date(headers))
        if stated and size != int(stated):
            raise http.client.IncompleteRead(b"", int(stated) - size)
        return Answer(response.status, headers, b"".join(blocks), size, digest.hexdigest(), _date(headers))

    def _target(self, path: str) -> str:
        return path if not self._proxy or self._parts.scheme == "https" else f"http://{self._parts.netloc}{path}"

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        via, via_port = self._proxy or (host, port)
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(via, via_port, timeout=self._seconds)
        context = ssl.create_default_context(cafile=self._cafile)
        connection = http.client.HTTPSConnection(via, via_port, timeout=self._seconds, context=context)
        if self._proxy:
            connection.set_tunnel(host, port)
        return connection


def _close_all(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


class _TooLargeError(Exception):
    pass


def _proxy(scheme: str, host: str, environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return host and port of the proxy for ``host``; None for this machine's own addresses and for ``no_proxy``."""
    lowered = {name.lower(): value for name, value in environ.items()}
    exempt = {"no": lowered["no_proxy"]} if lowered.get("no_proxy") else {}
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass_environment(host, exempt):
        return None
    address = lowered.get(f"{scheme}_proxy", "")
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return (parts.hostname, parts.port or 80) if address and parts.hostname else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
