"""Stores objects over S3: AWS, MinIO, R2, Ceph, the embedded store."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from hashlib import sha256
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import msgspec

from pipeline.model.errors import StorageError
from pipeline.storage import (
    LARGE,
    LONGEST_LINK,
    Bucket,
    Clock,
    CopyRequest,
    Head,
    OnSent,
    OnWritten,
    PreconditionFailed,
    PresignedLink,
    Put,
    Stored,
    disposition,
    name_of_download,
)
from pipeline.storage.destination import Destination
from pipeline.storage.s3 import large
from pipeline.storage.s3.client import (
    FAILURES,
    HEADER_REFUSED,
    SMALL_BODY,
    SOLE_PUBLISHER,
    UNSUPPORTED,
    DamagedError,
    Failed,
    checksum_of,
    content_md5,
    create_client,
    error_code,
    explain,
)
from pipeline.storage.s3.large import Checksum, Content, Written
from pipeline.storage.transfers import transfer_all

Response = TypeVar("Response")
Transfer = TypeVar("Transfer", Put, CopyRequest)

RETRY_SECONDS = 30.0
"""A request is not retried after this time."""
_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 4.0
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_NO_RIGHT = frozenset({"", "AccessDenied", "403"})
"""No answer, or none that another kind of request could change."""
_CONFLICT = frozenset({"PreconditionFailed", "412"})
_TOO_LARGE = frozenset({"EntityTooLarge", "InvalidRequest"})
"""Answers to a copy of an object that must be copied in parts (at AWS, one of more than 5 GB)."""
CHECKSUMS: tuple[Checksum, ...] = ("sha256", "md5", "")
"""What a put is sent with, best first: the first that the storage takes is used."""
THREADS, THREADS_ON_LOOPBACK = 32, 16
"""Transfers at a time; fewer with a server on this machine, which uses the same processor cores."""


class S3Store:
    """The two buckets of a destination. Threads may share it."""

    def __init__(self, destination: Destination, environ: Mapping[str, str]) -> None:
        self._destination = destination
        self.client = create_client(destination, environ)
        self._checksums = CHECKSUMS
        """Those that the storage may take; the first puts of a run find out."""
        self._copies = True
        """Whether the storage may copy objects; the first copy of a run finds out."""

    def check(self, bucket: Bucket = "public") -> Clock:
        """Check that the bucket exists and that the keys can use it; return the storage's clock."""
        name = self.name(bucket)

        def request() -> Clock:
            begun = time.monotonic()
            try:
                answer: Any = self.client.head_bucket(Bucket=name)
            except FAILURES as error:
                if not error_code(error):
                    raise
                answer = None
            # The answer to HEAD has no body that could state a reason, or show that it is S3 at all; a listing has.
            if answer is None or not is_of_s3(answer):
                answer = self.client.list_objects_v2(Bucket=name, MaxKeys=1)
            return Clock(_date(answer), time.monotonic() - begun)

        return self._try(f"cannot use the bucket {name}", bucket, request)

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        """Return the object, or None if there is none."""

        def request() -> Stored:
            answer = self.client.get_object(Bucket=self.name(bucket), Key=key)
            body = answer["Body"].read()
            actual, expected = sha256(body).hexdigest(), noted_digest(answer)
            if expected and actual != expected:
                raise DamagedError(error_msg=f"{actual} instead of {expected}")
            return Stored(body, answer["ETag"], actual, _date(answer))

        return self._unless_missing(f"cannot read {key}", bucket, request)

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        """Return the object's headers, or None if there is none."""

        def request() -> Head:
            answer = self.client.head_object(Bucket=self.name(bucket), Key=key)
            return Head(
                answer["ContentLength"],
                answer["ETag"],
                answer.get("ContentType", ""),
                answer.get("CacheControl", ""),
                answer.get("ContentDisposition", ""),
                noted_digest(answer),
                _date(answer),
            )

        return self._unless_missing(f"cannot read the headers of {key}", bucket, request)

    def stream(self, key: str, etag: str, bucket: Bucket = "public") -> Iterator[bytes]:
        """Yield the object's bytes, some megabytes at a time. It is an error if it has another ETag, or is missing."""
        head = self.head(key, bucket)
        size = head.size if head else 1
        for offset in range(0, size, large.PART):
            yield self._range(key, etag, bucket, offset, min(large.PART, size - offset))

    def _range(self, key: str, etag: str, bucket: Bucket, offset: int, length: int) -> bytes:
        """Return a range of the object that has the ETag. Raises StorageError."""

        def request() -> bytes | None:
            wanted = f"bytes={offset}-{offset + length - 1}"
            answer = self.client.get_object(Bucket=self.name(bucket), Key=key, Range=wanted)
            if answer["ETag"] != etag:
                answer["Body"].close()
                return None
            body = answer["Body"].read(length + 1)
            answer["Body"].close()
            if len(body) != length:
                raise DamagedError(error_msg=f"{len(body)} bytes instead of {length}")
            return body

        body = self._unless_missing(f"cannot read {key}", bucket, request)
        if body is None:
            raise StorageError(f"cannot read {key}: it is missing or was changed", "run the same command again")
        return body

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Write the object and return its ETag. Raises PreconditionFailed."""
        return self._write(put, bucket).etag

    def _write(self, put: Put, bucket: Bucket, sent: OnSent = lambda key, size: None) -> Written:
        if _is_large(put):
            return self._write_large(put, bucket, sent)
        put = _loaded(put)
        digest = put.digest()
        if put.conditional and self._destination.sole_publisher:
            if etag := self._look_before_put(put, bucket, digest):
                return Written(etag, False)
            put = msgspec.structs.replace(put, if_match="", if_none_match=False)
        try:
            return self._put(put, bucket, digest)
        except Failed as failed:
            conflict = failed.failure.code in _CONFLICT or (put.if_match and failed.failure.code in _MISSING)
            if put.conditional and failed.failure.code in UNSUPPORTED:
                raise StorageError(str(failed.failure.error), SOLE_PUBLISHER) from None
            if not (put.conditional and conflict):
                raise failed.failure.error from None
        # The answer to an earlier attempt may have been lost: then the object that causes the conflict is ours.
        present = self.head(put.key, bucket)
        if present is None or present.sha256 != digest:
            raise PreconditionFailed(put.key)
        return Written(present.etag, False)

    def _put(self, put: Put, bucket: Bucket, digest: str) -> Written:
        """Write the object with the best checksum that the storage takes. Raises Failed."""
        first: Failed | None = None
        for checksum in self._checksums:

            def request(checksum: Checksum = checksum) -> Written:
                with _open(put) as body:
                    sent = _put_request(put, self.name(bucket), digest, body, checksum)
                    answer = self.client.put_object(**sent)
                return Written(answer["ETag"], _is_confirmed(answer.get("ChecksumSHA256", ""), digest))

            try:
                written = self.attempt(f"cannot write {put.key}", bucket, request)
            except Failed as failed:
                first = first or failed
                if failed.failure.code not in HEADER_REFUSED:
                    raise first from None
            else:
                if first:
                    self._checksums = CHECKSUMS[CHECKSUMS.index(checksum) :]
                return written
        raise first or AssertionError("there is always a way to put")

    def _write_large(self, put: Put, bucket: Bucket, sent: OnSent) -> Written:
        """Write a file in parts. Raises StorageError when it cannot be read, or is not the one that was rendered."""
        path = Path(str(put.body))
        try:
            sha256 = put.digest()
            with path.open("rb") as file:
                handle = file.fileno()
                size = os.fstat(handle).st_size
                content = Content(size, sha256, lambda offset, length: os.pread(handle, length, offset))
                headers = _headers(put, disposition(put.download, inline=put.inline), sha256)
                try:
                    return self._write_parts(bucket, put.key, headers, content, sent)
                except Failed as failed:
                    first = failed.failure.error
        except OSError as error:
            raise StorageError(
                f"cannot read the file for {put.key}: {error.strerror}", "run the same command again"
            ) from None
        try:
            return self._put(_loaded(put), bucket, sha256)  # for a storage that takes no parts
        except Failed:
            raise first from None

    def _write_parts(
        self, bucket: Bucket, key: str, headers: Mapping[str, Any], content: Content, sent: OnSent
    ) -> Written:
        """Write an object in parts with the best checksum that the storage takes.

        Raises StorageError, and Failed when the storage takes no parts.
        """
        upload = large.Upload(self, bucket, key, headers, content, sent)
        first: Failed | None = None
        for checksum in self._checksums:
            try:
                written = upload.run(checksum)
            except Failed as failed:
                first = first or failed
            else:
                if first:
                    self._checksums = CHECKSUMS[CHECKSUMS.index(checksum) :]
                return written
        raise first or AssertionError("there is always a way to put")

    def _look_before_put(self, put: Put, bucket: Bucket, digest: str) -> str:
        """Do what a condition does, as well as a sole publisher can; return the ETag of the same object if it is there.

        Raises PreconditionFailed.
        """
        present = self.head(put.key, bucket)
        if present is not None if put.if_none_match else present is None or present.etag != put.if_match:
            if present is None or present.sha256 != digest:
                raise PreconditionFailed(put.key)
            return present.etag
        return ""

    def put_all(
        self,
        puts: Iterable[Put],
        done: OnWritten = lambda key: None,
        bucket: Bucket = "public",
        sent: OnSent = lambda key, size: None,
    ) -> frozenset[str]:
        """Write all, many at a time and in no order, large files last.

        Return the keys whose SHA-256 the storage confirmed. On the first error it finishes the writes under way and
        raises.
        """
        confirmed: set[str] = set()

        def ended(put: Put, written: Written) -> None:
            if written.confirmed:
                confirmed.add(put.key)
            done(put.key)

        by_size: tuple[list[Put], list[Put]] = ([], [])
        for put in puts:
            by_size[_is_large(put)].append(put)
        self._transfer_all(by_size[False], lambda put: self._write(put, bucket), ended)
        for put in by_size[True]:  # several parts of one at a time, in this process
            ended(put, self._write(put, bucket, sent))
        return frozenset(confirmed)

    def copy_all(
        self, copies: Iterable[CopyRequest], done: OnWritten = lambda key: None, bucket: Bucket = "public"
    ) -> None:
        """Copy all into ``bucket``, many at a time and in no order. Errors as in ``put_all``."""
        by_size: tuple[list[CopyRequest], list[CopyRequest]] = ([], [])
        for copy in copies:
            by_size[copy.size > large.COPY_PART].append(copy)
        self._transfer_all(by_size[False], lambda copy: self._copy(copy, bucket), lambda copy, _: done(copy.key))
        for copy in by_size[True]:
            self._copy(copy, bucket)
            done(copy.key)

    def _transfer_all(
        self,
        items: Sequence[Transfer],
        run: Callable[[Transfer], Response],
        ended: Callable[[Transfer, Response], None],
    ) -> None:
        """Call ``run`` for each transfer in threads or processes, and ``ended`` in the caller's thread."""
        threads = THREADS_ON_LOOPBACK if _is_loopback(self._destination.endpoint) else THREADS
        for item, result in transfer_all(items, run, self.client.close, threads):
            ended(item, result)

    def _copy(self, copy: CopyRequest, bucket: Bucket) -> None:
        action = f"cannot copy {copy.key} inside the storage"
        if not self._copy_object(action, copy, bucket):
            raise StorageError(f"{action}: {copy.source} is missing or was changed", "run the same command again")

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy an object with its headers and metadata if its SHA-256 is ``sha256``; return whether it was."""
        present = self.head(source, source_bucket)
        if present is None or present.sha256 != sha256:
            return False
        request = CopyRequest(key=key, source=source, if_match=present.etag, bucket=source_bucket, size=present.size)
        return self._copy_object(f"cannot copy {source} to {key}", request, bucket)

    def _copy_object(self, action: str, copy: CopyRequest, bucket: Bucket) -> bool:
        """Copy an object; return False if it is missing or was changed.

        Where the storage does not copy, the object is read and written. Raises StorageError.
        """
        is_large, sole = copy.size > large.COPY_PART, self._destination.sole_publisher
        headers: dict[str, Any] = {}
        if sole or is_large or copy.replaces:
            present = self.head(copy.source, copy.bucket)
            if present is None or present.etag != (copy.if_match or present.etag):
                return False
            copy = msgspec.structs.replace(copy, if_match=present.etag, size=present.size)
            headers = _headers_of_copy(copy, present)
        source: dict[str, Any] = {"CopySource": {"Bucket": self.name(copy.bucket), "Key": copy.source}}
        if copy.if_match and not sole:
            source["CopySourceIfMatch"] = copy.if_match
        more: dict[str, Any] = {"MetadataDirective": "REPLACE", **headers} if copy.replaces else {}

        def request() -> object:
            return self.client.copy_object(Bucket=self.name(bucket), Key=copy.key, **source, **more)

        if self._copies:
            try:
                if is_large:
                    try:
                        large.copy(self, action, bucket, copy.key, headers, source, copy.size)
                    except Failed as failed:
                        if failed.failure.code not in UNSUPPORTED:
                            raise
                        self.attempt(action, bucket, request)  # without parts, it may copy the object as a whole
                else:
                    self.attempt(action, bucket, request)
            except Failed as failed:
                code = failed.failure.code
                if code in _CONFLICT | _MISSING:
                    return False
                if code in _NO_RIGHT:
                    raise failed.failure.error from None
                head = self.head(copy.source, copy.bucket) if code in _TOO_LARGE and not is_large else None
                if head and head.size > large.COPY_PART:
                    return self._copy_object(action, msgspec.structs.replace(copy, size=head.size), bucket)
            else:
                return True
        is_written = self._read_and_write(copy, bucket)
        self._copies = False
        return is_written

    def _read_and_write(self, copy: CopyRequest, bucket: Bucket) -> bool:
        head = self.head(copy.source, copy.bucket)
        if head is None or head.etag != (copy.if_match or head.etag):
            return False
        headers = _headers_of_copy(copy, head)

        def read(offset: int, length: int) -> bytes:
            return self._range(copy.source, head.etag, copy.bucket, offset, length)

        if head.size > LARGE:
            content = Content(head.size, copy.sha256 or head.sha256, read)
            try:
                self._write_parts(bucket, copy.key, headers, content, lambda key, size: None)
            except Failed as failed:
                raise failed.failure.error from None
            return True
        stored = self.get(copy.source, copy.bucket)
        if stored is None or stored.etag != head.etag:
            return False
        name = copy.download or name_of_download(head.content_disposition)
        put = Put(
            key=copy.key,
            body=stored.body,
            media_type=copy.media_type or head.content_type,
            cache_control=copy.cache_control or head.cache_control,
        )
        self.put(msgspec.structs.replace(put, download=name), bucket)
        return True

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove the object. It is no error if there is none."""
        self._unless_missing(
            f"cannot remove {key}", bucket, lambda: self.client.delete_object(Bucket=self.name(bucket), Key=key)
        )

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        """Return a link that expires after ``seconds``, at most seven days. Does not check that the object exists."""
        if seconds < 1:
            raise ValueError("a link must be valid for a second at least")
        name = self.name(bucket)
        what: dict[str, Any] = {"Bucket": name, "Key": key}
        if download:
            what["ResponseContentDisposition"] = disposition(download)

        def sign() -> PresignedLink:
            expires = min(seconds, LONGEST_LINK)
            address = self.client.generate_presigned_url("get_object", Params=what, ExpiresIn=expires)
            # The signed times, not our own: the second may have changed in between.
            signed = parse_qs(urlsplit(address).query)
            begun = datetime.strptime(signed["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            until = begun + timedelta(seconds=int(signed["X-Amz-Expires"][0]))
            return PresignedLink(address, until, "X-Amz-Security-Token" in signed)

        return self._try(f"cannot sign a link in {name}", bucket, sign)

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``."""
        action, name, after = f"cannot list {prefix or 'all objects'}", self.name(bucket), ""
        request: Any = {"Bucket": name, "Prefix": prefix}
        answer: Any = self._try(action, bucket, lambda: self.client.list_objects_v2(**request))
        while True:
            for row in answer.get("Contents", ()):
                after = row["Key"]
                yield after
            if not answer.get("IsTruncated") or not answer.get("Contents"):
                return
            if token := answer.get("NextContinuationToken"):
                more = request | {"ContinuationToken": token}
                answer = self._try(action, bucket, partial(self.client.list_objects_v2, **more))
            else:  # a storage that knows only the first version of listings answers with it
                more = request | {"Marker": after}
                answer = self._try(action, bucket, partial(self.client.list_objects, **more))

    def name(self, bucket: Bucket) -> str:
        """Return the bucket's name."""
        return self._destination.bucket if bucket == "public" else self._destination.private_bucket

    def _unless_missing(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response | None:
        try:
            return self.attempt(action, bucket, request)
        except Failed as failed:
            if failed.failure.code in _MISSING:
                return None
            raise failed.failure.error from None

    def _try(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response:
        try:
            return self.attempt(action, bucket, request)
        except Failed as failed:
            raise failed.failure.error from None

    def attempt(self, action: str, bucket: Bucket, request: Callable[[], Response]) -> Response:
        """Send a request until it succeeds or a retry is useless. Raises Failed: not for other rooms."""
        try:
            return retried(request)
        except FAILURES as error:
            raise Failed(explain(error, action, self.name(bucket), self.client.meta.endpoint_url)) from None


def retried(request: Callable[[], Response], attempts: int = 0) -> Response:
    """Send a request until it succeeds, a retry is useless, or ``attempts`` were made. Raises the last of FAILURES."""
    deadline = time.monotonic() + RETRY_SECONDS
    pause, attempt = _FIRST_PAUSE, 1
    while True:
        try:
            return request()
        except FAILURES as error:
            is_last = attempt >= (attempts or _ATTEMPTS) or time.monotonic() + pause > deadline
            if is_last or not explain(error, "", "", "").retryable:
                raise
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that two publishers do not retry together
        pause, attempt = min(2 * pause, _LONGEST_PAUSE), attempt + 1


def is_of_s3(answer: Mapping[str, Any]) -> bool:
    """Whether an answer without a body has headers that only S3 storages send."""
    return any(name.startswith("x-amz-") for name in answer["ResponseMetadata"]["HTTPHeaders"])


def _is_large(put: Put) -> bool:
    """Whether the body is a file to send in parts."""
    try:
        return isinstance(put.body, Path) and not put.conditional and put.body.stat().st_size > LARGE
    except OSError:  # which is said when it is read
        return False


def _is_loopback(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host == "localhost" or host.startswith("127.")


def _loaded(put: Put) -> Put:
    """Return ``put`` with the bytes of a small file, so that it is read once and what is sent has the digest.

    Raises StorageError when the file cannot be read, or no longer is the one that was rendered. The message names the
    key, because the name of the file may be that of a release that nobody may know of yet.
    """
    if isinstance(put.body, bytes):
        return put
    try:
        body = put.body.read_bytes() if put.body.stat().st_size <= SMALL_BODY else put.body
        digest = msgspec.structs.replace(put, body=body, sha256="").digest()
    except OSError as error:
        raise StorageError(
            f"cannot read the file for {put.key}: {error.strerror}", "run the same command again"
        ) from None
    if put.sha256 not in ("", digest):
        raise StorageError(f"the file for {put.key} has changed since it was rendered", "run the same command again")
    return msgspec.structs.replace(put, body=body, sha256=digest)


def _open(put: Put) -> AbstractContextManager[bytes | BufferedReader]:
    return nullcontext(put.body) if isinstance(put.body, bytes) else put.body.open("rb")


def _is_confirmed(stated: str, digest: str) -> bool:
    """Whether the storage states the SHA-256 of what was sent. Raises DamagedError when it states another."""
    if stated not in ("", checksum_of(bytes.fromhex(digest))):
        raise DamagedError(error_msg=f"the storage states {stated} instead of {checksum_of(bytes.fromhex(digest))}")
    return bool(stated)


def _put_request(
    put: Put, bucket: str, digest: str, body: bytes | BufferedReader, checksum: Checksum
) -> dict[str, Any]:
    headers = _headers(put, disposition(put.download, inline=put.inline), digest)
    request: dict[str, Any] = {"Bucket": bucket, "Key": put.key, "Body": body, **headers}
    if checksum == "sha256":
        request["ChecksumSHA256"] = checksum_of(bytes.fromhex(digest))
    elif checksum == "md5":
        request["ContentMD5"] = content_md5(body)
    if put.if_match:
        request["IfMatch"] = put.if_match
    if put.if_none_match:
        request["IfNoneMatch"] = "*"
    return request


def _headers(what: Put | CopyRequest, shown: str, digest: str) -> dict[str, Any]:
    """Return an object's headers by boto3's names; ``shown`` is its Content-Disposition."""
    headers: dict[str, Any] = {}
    if what.media_type:  # some programs store objects without one
        headers["ContentType"] = what.media_type
    if digest:
        headers["Metadata"] = {"sha256": digest}
    if what.cache_control:
        headers["CacheControl"] = what.cache_control
    if shown:
        headers["ContentDisposition"] = shown
    return headers


def _headers_of_copy(copy: CopyRequest, head: Head) -> dict[str, Any]:
    """Return the headers that the copy of an object with these headers shall have."""
    kept = msgspec.structs.replace(
        copy,
        media_type=copy.media_type or head.content_type,
        cache_control=copy.cache_control or head.cache_control,
    )
    shown = disposition(copy.download) if copy.download else head.content_disposition
    return _headers(kept, shown, copy.sha256 or head.sha256)


def noted_digest(answer: Mapping[str, Any]) -> str:
    """Return the SHA-256 that was stored with an object; some storages change the letters of its name."""
    return next((value for name, value in answer["Metadata"].items() if name.lower() == "sha256"), "")


def _date(answer: Any) -> datetime:
    """Return the storage's clock. Raises StorageError when it does not state it."""
    try:
        date = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        raise StorageError(
            "the storage does not state its time (header Date), so no embargo could be kept",
            "a proxy may remove it: use the storage's own address in AWS_ENDPOINT_URL_S3",
        ) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
