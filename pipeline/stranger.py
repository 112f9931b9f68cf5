"""What somebody without keys sees: plain HTTP, no boto3."""

from __future__ import annotations

import hashlib
import http.client
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit
from urllib.request import proxy_bypass_environment

from msgspec import Struct

from pipeline.errors import StorageError

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


class Stranger:
    """Asks one server without credentials. Threads may share it; each keeps its connection."""

    def __init__(self, address: str, environ: Mapping[str, str], seconds: float = SECONDS) -> None:
        self.address = address if address.endswith("/") else address + "/"
        self._parts = urlsplit(self.address)
        self._seconds = seconds
        self._proxy = _proxy(self._parts.scheme, self._parts.hostname or "", environ)
        self._cafile = environ.get("AWS_CA_BUNDLE") or environ.get("REQUESTS_CA_BUNDLE") or None
        self._kept = threading.local()

    def get(self, key: str, *, keep: bool = True, limit: int = LIMIT) -> Answer:
        """Ask for the object below the address; redirects are answers. ``keep=False`` leaves size and digest only.

        Raises StorageError when there is no whole answer, or more than ``limit`` bytes.
        """
        return self._ask("GET", self._path(key), keep, limit)

    def head(self, key: str) -> Answer:
        """Ask for the object's headers. Raises StorageError when there is no answer."""
        return self._ask("HEAD", self._path(key), False, 0)

    def ask(self, method: str, path: str) -> Answer:
        """Ask for anything on the same server; ``path`` begins with a slash and is sent as it is."""
        return self._ask(method, path, True, LIMIT)

    def close(self) -> None:
        """Hang up in this thread."""
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection:
            connection.close()
        self._kept.connection = None

    def _path(self, key: str) -> str:
        return self._parts.path + quote(key, safe="/-_.~")

    def _ask(self, method: str, path: str, keep: bool, limit: int) -> Answer:
        where = f"{self._parts.scheme}://{self._parts.netloc}{path}"
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._once(method, path, keep, limit)
            except _TooLargeError:
                self.close()
                raise StorageError(f"cannot read {where}: more than {limit} bytes", "it is not what was put") from None
            except (OSError, http.client.HTTPException) as error:
                # A kept connection may have been closed by the server meanwhile.
                self.close()
                if attempt == _ATTEMPTS:
                    raise StorageError(
                        f"cannot read {where}: {error or type(error).__name__}", "check the network and the address"
                    ) from error
        raise AssertionError

    def _once(self, method: str, path: str, keep: bool, limit: int) -> Answer:
        connection = self._connection()
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

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if found is None:
            found = self._kept.connection = self._connect()
        return found

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
