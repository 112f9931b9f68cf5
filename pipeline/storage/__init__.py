"""Object storage: reads and writes the objects of a public and a private bucket.

``destination.destination`` decides from the environment which storage is used. ``open_store`` returns it as an
``ObjectStore``, ``prepare`` sets up its buckets (``make storage``). Also for other rooms: ``anonymous`` reads what
anyone can read, ``compare_and_swap`` changes shared objects, ``embedded`` is the S3 server for newsrooms without a
storage, ``doctor`` tests what a storage guarantees. Only ``open_store``, ``prepare`` and ``doctor``'s tests import
boto3.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote, unquote

from msgspec import Struct

from pipeline.model.errors import StorageError
from pipeline.storage.destination import Destination

Bucket = Literal["public", "private"]
STAGED, SHARED, UPLOADS = "staged/", "shared/", "uploads/"
"""Prefixes in the private bucket: of scheduled releases, of embargoed copies that were shared by link, and of the names
of uploads in parts that have not ended."""
LARGE = 16 * 1024 * 1024
"""Bytes. A larger file is sent in parts, and is nowhere in memory as a whole."""
LONGEST_LINK = 7 * 24 * 3600
"""Seconds. AWS refuses longer presigned links; other storages accept them, but nobody could revoke such a link without
removing the object."""


class PreconditionFailed(StorageError):  # noqa: N818 -- the name that HTTP gives to 412
    """A conditional write was refused: the object changed or was created in the meantime."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key}: another publisher wrote it in the meantime", "run the same command again")
        self.key = key

    def __reduce__(self) -> tuple[type[PreconditionFailed], tuple[str]]:
        return PreconditionFailed, (self.key,)


class Head(Struct, frozen=True):
    """An object's headers."""

    size: int
    etag: str
    """As the storage sent it, with quotation marks; use it for ``if_match`` only."""
    content_type: str
    cache_control: str
    content_disposition: str
    sha256: str
    """Hexadecimal, as Dateline stored it with the object; empty for objects of other programs."""
    date: datetime
    """The storage's clock when it answered, UTC, whole seconds."""


class Stored(Struct, frozen=True):
    """An object with its bytes. Their digest equals the one that was stored with the object."""

    body: bytes
    etag: str
    sha256: str
    """Of ``body``, hexadecimal."""
    date: datetime


class Put(Struct, frozen=True, kw_only=True):
    """An object to write, with the condition for writing it."""

    key: str
    body: bytes | Path
    """A file must stay as it is until it is written. One that is larger than ``LARGE`` and has no condition is sent in
    parts, and a later run sends only those that are missing."""
    media_type: str
    cache_control: str = ""
    download: str = ""
    """File name under which a browser saves it; empty: the browser shows it."""
    inline: bool = False
    """The browser shows it first, even where ``download`` names it."""
    if_match: str = ""
    """Write only if the object still has this ETag."""
    if_none_match: bool = False
    """Write only if there is no such object."""
    sha256: str = ""
    """Of the body, hexadecimal, where it is known: other bytes are not written. Empty where it is not."""

    @property
    def conditional(self) -> bool:
        """Whether the write has a condition, so that it can raise PreconditionFailed."""
        return bool(self.if_match) or self.if_none_match

    def digest(self) -> str:
        """Return the body's SHA-256, hexadecimal."""
        if self.sha256:
            return self.sha256
        if isinstance(self.body, bytes):
            return hashlib.sha256(self.body).hexdigest()
        with self.body.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class PresignedLink(Struct, frozen=True):
    """A presigned link: anyone who has it can get one object until it expires."""

    address: str
    until: datetime
    """By the storage's clock."""
    temporary: bool
    """Signed with temporary credentials: the link ends when they expire, if that is earlier."""


class CopyRequest(Struct, frozen=True, kw_only=True):
    """An object to copy inside the storage, with its headers, without a download."""

    key: str
    """Its new key."""
    source: str
    """Its present key."""
    if_match: str = ""
    """Copy only if the source still has this ETag; otherwise it is an error."""
    bucket: Bucket = "private"
    """The bucket of ``source``."""
    size: int = 0
    """Of the source, in bytes, where it is known: a large object is copied in parts, which is faster."""
    media_type: str = ""
    cache_control: str = ""
    download: str = ""
    sha256: str = ""
    """These replace what is stored with the source, e.g. by another program; what is empty stays."""

    @property
    def replaces(self) -> bool:
        """Whether the copy has other headers than the source."""
        return bool(self.media_type or self.cache_control or self.download or self.sha256)


class Clock(Struct, frozen=True):
    """The storage's clock, as one request read it."""

    date: datetime
    """UTC, whole seconds, truncated."""
    seconds: float
    """How long the request took; ``date`` was the time at some moment within it."""


OnWritten = Callable[[str], None]
"""Called with the key of each object that was written."""
OnSent = Callable[[str, int], None]
"""Called after each part of a large file, with its key and the bytes of the part; also for those that were there."""


class ObjectStore(Protocol):
    """Two buckets. Every method raises StorageError, which names the action and the key."""

    def check(self, bucket: Bucket = "public") -> Clock:
        """Check that the bucket exists and that the keys can use it; return the storage's clock."""

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        """Return the object, or None if there is none."""

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        """Return the object's headers, or None if there is none."""

    def stream(self, key: str, etag: str, bucket: Bucket = "public") -> Iterator[bytes]:
        """Yield the object's bytes, some megabytes at a time. It is an error if it has another ETag, or is missing."""

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Write the object and return its ETag. Raises PreconditionFailed."""

    def put_all(
        self, puts: Iterable[Put], done: OnWritten = ..., bucket: Bucket = "public", sent: OnSent = ...
    ) -> frozenset[str]:
        """Write all, many at a time and in no order, large files last.

        Return the keys whose SHA-256 the storage confirmed. On the first error it finishes the writes under way and
        raises.
        """

    def copy_all(self, copies: Iterable[CopyRequest], done: OnWritten = ..., bucket: Bucket = "public") -> None:
        """Copy all into ``bucket``, many at a time and in no order. Errors as in ``put_all``."""

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy an object with its headers and metadata if its SHA-256 is ``sha256``; return whether it was."""

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove the object. It is no error if there is none."""

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        """Return a link that expires after ``seconds``, at most seven days. Does not check that the object exists."""

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``."""


def open_store(destination: Destination, environ: Mapping[str, str]) -> ObjectStore:
    """Return the store at ``destination``; the embedded store must be running. Raises SettingError. Imports boto3."""
    from pipeline.storage.s3.store import S3Store

    return S3Store(destination, environ)


def prepare(destination: Destination, environ: Mapping[str, str]) -> Iterator[str]:
    """Set up both buckets with the operator's keys; see ``pipeline.storage.s3.setup``. Imports boto3."""
    from pipeline.storage.s3 import setup

    return setup.prepare(destination, environ)


def disposition(name: str, *, inline: bool = False) -> str:
    """Return the Content-Disposition of a file named ``name`` (RFC 6266), a download if not shown ``inline``.

    It is empty for an empty name.
    """
    if not name:
        return ""
    plain = re.sub(r"[^ !#-\[\]-~]|/", "_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'{"inline" if inline else "attachment"}; filename="{plain}"{extended}'


def name_of_download(header: str) -> str:
    """Return the name in a Content-Disposition that ``disposition`` wrote; empty for an empty one."""
    _, extended, encoded = header.partition("filename*=UTF-8''")
    return unquote(encoded) if extended else header.partition('; filename="')[2].removesuffix('"')
