"""Stores objects over S3: AWS, MinIO, R2, Ceph, the embedded store."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from pipeline.model.errors import StorageError
from pipeline.storage import (
    LONGEST_LINK,
    Bucket,
    Clock,
    CopyRequest,
    Head,
    OnWritten,
    PreconditionFailed,
    PresignedLink,
    Put,
    Stored,
    disposition,
)
from pipeline.storage.destination import Destination
from pipeline.storage.s3.client import FAILURES, SMALL_BODY, DamagedError, Failure, create_client, error_code, explain
from pipeline.storage.transfers import transfer_all

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CopySourceTypeDef, PutObjectRequestTypeDef

Response = TypeVar("Response")
Transfer = TypeVar("Transfer", Put, CopyRequest)

RETRY_SECONDS = 30.0
"""A request is not retried after this time."""
_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 4.0
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_CONFLICT = frozenset({"PreconditionFailed", "412"})
THREADS, THREADS_ON_LOOPBACK = 32, 16
"""Transfers at a time; fewer with a server on this machine, which uses the same processor cores."""


class S3Store:
    """The two buckets of a destination. Threads may share it."""

    def __init__(self, destination: Destination, environ: Mapping[str, str]) -> None:
        self._destination = destination
        self._client = create_client(destination, environ)

    def check(self, bucket: Bucket = "public") -> Clock:
        """Check that the bucket exists and that the keys can use it; return the storage's clock."""
        name = self._name(bucket)

        def request() -> Clock:
            begun = time.monotonic()
            try:
                answer: Any = self._client.head_bucket(Bucket=name)
            except FAILURES as error:
                code = error_code(error)
                if code == "404":
                    raise StorageError(
                        f"the bucket {name} does not exist", "check PRESS_BUCKET, or create it: `make storage`"
                    ) from None
                if not code:
                    raise
                # The answer to HEAD has no body that could state the reason; a listing's answer has.
                answer = self._client.list_objects_v2(Bucket=name, MaxKeys=1)
            return Clock(_date(answer), time.monotonic() - begun)

        return self._try(f"cannot use the bucket {name}", bucket, request)

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        """Return the object, or None if there is none."""

        def request() -> Stored:
            answer = self._client.get_object(Bucket=self._name(bucket), Key=key)
            body = answer["Body"].read()
            actual, expected = sha256(body).hexdigest(), answer["Metadata"].get("sha256", "")
            if expected and actual != expected:
                raise DamagedError(error_msg=f"{actual} instead of {expected}")
            return Stored(body, answer["ETag"], actual, _date(answer))

        return self._unless_missing(f"cannot read {key}", bucket, request)

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        """Return the object's headers, or None if there is none."""

        def request() -> Head:
            answer = self._client.head_object(Bucket=self._name(bucket), Key=key)
            return Head(
                answer["ContentLength"],
                answer["ETag"],
                answer.get("ContentType", ""),
                answer.get("CacheControl", ""),
                answer.get("ContentDisposition", ""),
                answer["Metadata"].get("sha256", ""),
                _date(answer),
            )

        return self._unless_missing(f"cannot read the headers of {key}", bucket, request)

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Write the object and return its ETag. Raises PreconditionFailed."""
        return self._write(put, bucket).etag

    def _write(self, put: Put, bucket: Bucket) -> _Written:
        put = _loaded(put)
        digest = put.digest()

        def request() -> _Written:
            with _open(put) as body:
                answer = self._client.put_object(**_put_request(put, self._name(bucket), digest, body))
            return _Written(answer["ETag"], _is_confirmed(answer.get("ChecksumSHA256", ""), digest))

        try:
            return self._attempt(f"cannot write {put.key}", bucket, request)
        except _Failed as failed:
            conflict = failed.failure.code in _CONFLICT or (put.if_match and failed.failure.code in _MISSING)
            if not (put.conditional and conflict):
                raise failed.failure.error from None
        # The answer to an earlier attempt may have been lost: then the object that causes the conflict is ours.
        present = self.head(put.key, bucket)
        if present is None or present.sha256 != digest:
            raise PreconditionFailed(put.key)
        return _Written(present.etag, False)

    def put_all(
        self, puts: Iterable[Put], done: OnWritten = lambda key: None, bucket: Bucket = "public"
    ) -> frozenset[str]:
        """Write all, many at a time and in no order; return the keys whose SHA-256 the storage confirmed.

        On the first error it finishes the writes under way and raises.
        """
        confirmed: set[str] = set()

        def ended(put: Put, written: _Written) -> None:
            if written.confirmed:
                confirmed.add(put.key)
            done(put.key)

        self._transfer_all(list(puts), lambda put: self._write(put, bucket), ended)
        return frozenset(confirmed)

    def copy_all(self, copies: Iterable[CopyRequest], done: OnWritten = lambda key: None) -> None:
        """Copy all into the public bucket, many at a time and in no order. Errors as in ``put_all``."""
        self._transfer_all(list(copies), self._copy, lambda copy, _: done(copy.key))

    def _transfer_all(
        self,
        items: Sequence[Transfer],
        run: Callable[[Transfer], Response],
        ended: Callable[[Transfer, Response], None],
    ) -> None:
        """Call ``run`` for each transfer in threads or processes, and ``ended`` in the caller's thread."""
        threads = THREADS_ON_LOOPBACK if _is_loopback(self._destination.endpoint) else THREADS
        for item, result in transfer_all(items, run, self._client.close, threads):
            ended(item, result)

    def _copy(self, copy: CopyRequest) -> None:
        source = self._name(copy.bucket)
        condition: Any = {"CopySourceIfMatch": copy.if_match} if copy.if_match else {}

        def request() -> None:
            self._client.copy_object(
                Bucket=self._name("public"),
                Key=copy.key,
                CopySource={"Bucket": source, "Key": copy.source},
                MetadataDirective="COPY",
                **condition,
            )

        self._try(f"cannot copy {copy.key} inside the storage", "public", request)

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy an object with its headers and metadata if its SHA-256 is ``sha256``; return whether it was."""
        present = self.head(source, source_bucket)
        if present is None or present.sha256 != sha256:
            return False
        origin: CopySourceTypeDef = {"Bucket": self._name(source_bucket), "Key": source}

        def request() -> object:
            return self._client.copy_object(
                Bucket=self._name(bucket), Key=key, CopySource=origin, CopySourceIfMatch=present.etag
            )

        try:
            self._attempt(f"cannot copy {source} to {key}", bucket, request)
        except _Failed as failed:
            if failed.failure.code in _CONFLICT | _MISSING:  # it was overwritten between the two requests
                return False
            raise failed.failure.error from None
        return True

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove the object. It is no error if there is none."""
        self._unless_missing(
            f"cannot remove {key}", bucket, lambda: self._client.delete_object(Bucket=self._name(bucket), Key=key)
        )

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        """Return a link that expires after ``seconds``, at most seven days. Does not check that the object exists."""
        if seconds < 1:
            raise ValueError("a link must be valid for a second at least")
        name = self._name(bucket)
        what: dict[str, Any] = {"Bucket": name, "Key": key}
        if download:
            what["ResponseContentDisposition"] = disposition(download)

        def sign() -> PresignedLink:
            expires = min(seconds, LONGEST_LINK)
            address = self._client.generate_presigned_url("get_object", Params=what, ExpiresIn=expires)
            # The signed times, not our own: the second may have changed in between.
            signed = parse_qs(urlsplit(address).query)
            begun = datetime.strptime(signed["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            until = begun + timedelta(seconds=int(signed["X-Amz-Expires"][0]))
            return PresignedLink(address, until, "X-Amz-Security-Token" in signed)

        return self._try(f"cannot sign a link in {name}", bucket, sign)

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name(bucket), Prefix=prefix)
        rest = iter(pages)
        while page := self._try(f"cannot list {prefix or 'all objects'}", bucket, lambda: next(rest, None)):
            yield from (row["Key"] for row in page.get("Contents", ()))

    def _name(self, bucket: Bucket) -> str:
        return self._destination.bucket if bucket == "public" else self._destination.private_bucket

    def _unless_missing(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response | None:
        try:
            return self._attempt(action, bucket, request)
        except _Failed as failed:
            if failed.failure.code in _MISSING:
                return None
            raise failed.failure.error from None

    def _try(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response:
        try:
            return self._attempt(action, bucket, request)
        except _Failed as failed:
            raise failed.failure.error from None

    def _attempt(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response:
        """Send a request until it succeeds or a retry is useless. Raises _Failed."""
        deadline = time.monotonic() + RETRY_SECONDS
        pause = _FIRST_PAUSE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return request()
            except FAILURES as error:
                failure = explain(error, action, self._name(bucket), self._client.meta.endpoint_url)
            if not failure.retryable or attempt == _ATTEMPTS or time.monotonic() + pause > deadline:
                break
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that two publishers do not retry together
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise _Failed(failure)


class _Written(Struct, frozen=True):
    """An object that was written."""

    etag: str
    confirmed: bool
    """The storage stated the SHA-256 of the bytes that it received."""


class _Failed(Exception):  # noqa: N818 -- carries a failure, and never leaves this module
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host == "localhost" or host.startswith("127.")


def _loaded(put: Put) -> Put:
    """Return ``put`` with the bytes of a small file, so that it is read once and what is sent has the digest.

    Raises StorageError when the file cannot be read, or no longer is the one that was rendered.
    """
    if isinstance(put.body, bytes):
        return put
    try:
        body = put.body.read_bytes() if put.body.stat().st_size <= SMALL_BODY else put.body
        digest = msgspec.structs.replace(put, body=body, sha256="").digest()
    except OSError as error:
        raise StorageError(f"cannot read {put.body}: {error.strerror}", "run the same command again") from None
    if put.sha256 not in ("", digest):
        raise StorageError(f"{put.body} has changed since it was rendered", "run the same command again")
    return msgspec.structs.replace(put, body=body, sha256=digest)


def _open(put: Put) -> AbstractContextManager[bytes | BinaryIO]:
    return nullcontext(put.body) if isinstance(put.body, bytes) else put.body.open("rb")


def _is_confirmed(stated: str, digest: str) -> bool:
    """Whether the storage states the SHA-256 of what was sent. Raises DamagedError when it states another."""
    if stated not in ("", _checksum(digest)):
        raise DamagedError(error_msg=f"the storage states {stated} instead of {_checksum(digest)}")
    return bool(stated)


def _checksum(digest: str) -> str:
    """Return a hexadecimal SHA-256 as S3 writes it."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def _put_request(put: Put, bucket: str, digest: str, body: bytes | BinaryIO) -> PutObjectRequestTypeDef:
    request: PutObjectRequestTypeDef = {
        "Bucket": bucket,
        "Key": put.key,
        "Body": body,
        "ContentType": put.media_type,
        "ChecksumSHA256": _checksum(digest),
        "Metadata": {"sha256": digest},
    }
    if put.cache_control:
        request["CacheControl"] = put.cache_control
    if put.download:
        request["ContentDisposition"] = disposition(put.download)
    if put.if_match:
        request["IfMatch"] = put.if_match
    if put.if_none_match:
        request["IfNoneMatch"] = "*"
    return request


def _date(answer: Any) -> datetime:
    return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
