"""What an object store is to the pipeline: types, the protocol, and the store of a dry run.

``open_store`` gives the real one. Only then is ``pipeline.storage.s3``, and with it boto3, imported.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from urllib.parse import quote

from msgspec import Struct

from pipeline.model.errors import StorageError
from pipeline.storage.destination import Destination

Bucket = Literal["public", "private"]


class PreconditionFailed(StorageError):  # noqa: N818 -- the name that HTTP gives to 412
    """A conditional write came too late: the object is another one by now, or exists already."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key}: somebody else wrote it meanwhile", "run the command again")
        self.key = key

    def __reduce__(self) -> tuple[type[PreconditionFailed], tuple[str]]:
        return PreconditionFailed, (self.key,)


class Head(Struct, frozen=True):
    """An object without its bytes."""

    size: int
    etag: str
    """As the storage gave it, quotation marks included; good for ``if_match`` and for nothing else."""
    content_type: str
    cache_control: str
    content_disposition: str
    sha256: str
    """Hexadecimal, as we noted it when we put the object; empty for an object that somebody else put."""
    date: datetime
    """The storage's clock when it answered, UTC, whole seconds."""


class Stored(Struct, frozen=True):
    """An object with its bytes, whose digest was compared with the one noted when it was put."""

    body: bytes
    etag: str
    sha256: str
    """Of ``body``, hexadecimal."""
    date: datetime


class Put(Struct, frozen=True, kw_only=True):
    """An object to be written, and under which condition."""

    key: str
    body: bytes | Path
    media_type: str
    cache_control: str = ""
    download: str = ""
    """File name under which a browser keeps it; empty: the browser shows it."""
    if_match: str = ""
    """Write only while the object has this ETag."""
    if_none_match: bool = False
    """Write only while there is no such object."""

    @property
    def conditional(self) -> bool:
        """Whether the write can lose against another."""
        return bool(self.if_match) or self.if_none_match

    def digest(self) -> str:
        """Return the body's SHA-256, hexadecimal."""
        if isinstance(self.body, bytes):
            return hashlib.sha256(self.body).hexdigest()
        with self.body.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


class PresignedLink(Struct, frozen=True):
    """A presigned address: whoever has it may get one object until it ends."""

    address: str
    until: datetime
    """By the storage's clock."""
    borrowed: bool
    """Signed with temporary credentials, whose end is the link's too."""


class CopyRequest(Struct, frozen=True, kw_only=True):
    """An object to be copied inside the storage, with its headers: no byte of it travels."""

    key: str
    """Where it shall stand, in the public bucket."""
    source: str
    """Where it stands."""
    if_match: str = ""
    """Copy only what has this ETag; where it has another by now, that is an error."""
    bucket: Bucket = "private"
    """Of ``source``."""


class Clock(Struct, frozen=True):
    """The storage's clock, read by one request."""

    date: datetime
    """Whole seconds, UTC; cut off, not rounded."""
    seconds: float
    """How long the request took: ``date`` was true at some instant within."""


Done = Callable[[str], None]
"""Told the key of each object that is written."""


class ObjectStore(Protocol):
    """Two buckets. Every method raises StorageError, which names the action and the key."""

    def check(self, bucket: Bucket = "public") -> Clock:
        """Make sure that the bucket exists and may be used, before anything is put."""

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        """Return the object, or None where there is none."""

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        """Return the object without its bytes, or None where there is none."""

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Write the object and return its ETag. Raises PreconditionFailed."""

    def put_all(self, puts: Iterable[Put], done: Done = ..., bucket: Bucket = "public") -> None:
        """Write all, many at a time and in no order; ends with the first error, what had begun being finished."""

    def copy_all(self, copies: Iterable[CopyRequest], done: Done = ...) -> None:
        """Copy all into the public bucket, many at a time and in no order; ends as ``put_all`` does."""

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy an object within the storage, with all that is noted of it, if its bytes are those of ``sha256``.

        Return whether they were.
        """

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove the object; that there is none is fine."""

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        """Return a link that ends after ``seconds``, of seven days at most; asks nobody whether there is the object."""

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``."""


def open_store(destination: Destination, environ: Mapping[str, str]) -> ObjectStore:
    """Return the store of ``destination``; the embedded one must run. Raises SettingError. Imports boto3."""
    from pipeline.storage.s3.store import S3Store

    return S3Store(destination, environ)


def prepare(destination: Destination, environ: Mapping[str, str]) -> Iterator[str]:
    """Set up both buckets, with an operator's keys; see ``pipeline.storage.s3_setup``. Imports boto3."""
    from pipeline.storage.s3 import setup as s3_setup

    return s3_setup.prepare(destination, environ)


class DryRun:
    """A store that reads and does not write."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.check, self.get, self.head, self.list = store.check, store.get, store.head, store.list
        self.presign = store.presign

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Return an ETag that no object has."""
        return '"dry-run"'

    def put_all(self, puts: Iterable[Put], done: Done = lambda key: None, bucket: Bucket = "public") -> None:
        """Write nothing, and call all of it done."""
        for put in puts:
            done(put.key)

    def copy_all(self, copies: Iterable[CopyRequest], done: Done = lambda key: None) -> None:
        """Copy nothing, and call all of it done."""
        for copy in copies:
            done(copy.key)

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy nothing, and call it done."""
        return True

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove nothing."""


def disposition(name: str) -> str:
    """Return the Content-Disposition for a download named ``name`` (RFC 6266), or nothing for no name."""
    if not name:
        return ""
    plain = re.sub(r"[^ !#-\[\]-~]|/", "_", name)
    extended = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'attachment; filename="{plain}"{extended}'
