"""What somebody without keys sees: plain HTTP, no boto3."""

from __future__ import annotations

import hashlib
import http.client
import ssl
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
"""Bytes; what is larger was not put by us."""
_BLOCK = 256 * 1024
_ATTEMPTS = 3


class Answer(Struct, frozen=True):
    """What a server told a stranger."""

    status: int
    headers: dict[str, str]
    """By name in small letters."""
    body: bytes
    """Empty after HEAD, and where it was not to be kept."""
    size: int
    """Bytes of the body that came; after HEAD, those that it would have."""
    sha256: str
    """Of the body, hexadecimal; empty after HEAD."""
    date: datetime | None
    """The server's clock, UTC, whole seconds."""


class AnonymousClient:
    """Asks one server without credentials. Threads may share it; connections are kept and used again."""

    def __init__(self, address: str, environ: Mapping[str, str], seconds: float = SECONDS) -> None:
        self.address = address if address.endswith("/") else address + "/"
        self._parts = urlsplit(self.address)
        self._seconds = seconds
        self._proxy = _proxy(self._parts.scheme, self._parts.hostname or "", environ)
        self._cafile = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE") or None
        self._idle: list[http.client.HTTPConnection] = []
        weakref.finalize(self, _hang_up, self._idle)

    def get(self, key: str, *, keep: bool = True, limit: int = LIMIT) -> Answer:
        """Ask for the object below the address; redirects are answers. ``keep=False`` leaves size and digest only.

        Raises StorageError when there is no whole answer, or more than ``limit`` bytes.
        """
        return self._ask("GET", self._path(key), keep, limit)

    def head(self, key: str) -> Answer:
        """Ask for the object's headers. Raises StorageError when there is no answer."""
        return self._ask("HEAD", self._path(key), False, 0)

    def ask(self, method: str, query: str = "") -> Answer:
        """Ask something of the address itself, ``query`` being e.g. ``?list-type=2``."""
        return self._ask(method, self._parts.path + query, True, LIMIT)

    def open(self, address: str) -> Answer:
        """Ask for a whole address on the same server, e.g. a signed link; no error ever shows its query.

        Raises StorageError when there is no answer.
        """
        parts = urlsplit(address)
        return self._ask("GET", f"{parts.path}?{parts.query}", True, LIMIT)

    def _path(self, key: str) -> str:
        return self._parts.path + quote(key, safe="/-_.~")

    def _ask(self, method: str, path: str, keep: bool, limit: int) -> Answer:
        where = f"{self._parts.scheme}://{self._parts.netloc}{path.partition('?')[0]}"
        for attempt in range(1, _ATTEMPTS + 1):
            # The last attempt is on a new connection: the server may have closed a kept one meanwhile.
            connection = self._idle.pop() if self._idle and attempt < _ATTEMPTS else self._connect()
            try:
                answer = self._once(connection, method, path, keep, limit)
            except _TooLargeError:
                connection.close()
                raise StorageError(f"cannot read {where}: more than {limit} bytes", "it is not what was put") from None
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                fault = error
            else:
                self._idle.append(connection)
                return answer
        words = str(fault) or type(fault).__name__
        raise StorageError(f"cannot read {where}: {words}", "check the network and the address") from fault

    def _once(self, connection: http.client.HTTPConnection, method: str, path: str, keep: bool, limit: int) -> Answer:
        target = path if not self._proxy or self._parts.scheme == "https" else f"http://{self._parts.netloc}{path}"
        connection.request(method, target, headers={"Accept-Encoding": "identity", "Cache-Control": "no-cache"})
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


def _hang_up(connections: list[http.client.HTTPConnection]) -> None:
    for connection in connections:
        connection.close()


class _TooLargeError(Exception):
    pass


def _proxy(scheme: str, host: str, environ: Mapping[str, str]) -> tuple[str, int] | None:
    """Return host and port of the proxy for ``host``; never one for this machine's own addresses."""
    lowered = {name.lower(): value for name, value in environ.items()}
    excepted = {"no": lowered["no_proxy"]} if lowered.get("no_proxy") else {}
    if host == "localhost" or host.startswith("127.") or host == "::1" or proxy_bypass_environment(host, excepted):
        return None
    address = lowered.get(f"{scheme}_proxy", "")
    parts = urlsplit(address if "://" in address else f"http://{address}")
    return (parts.hostname, parts.port or 80) if address and parts.hostname else None


def _date(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        return None
