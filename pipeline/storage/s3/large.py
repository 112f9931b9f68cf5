"""Large files, in parts and several parts at a time: uploads that a later run continues, copies, and reading.

boto3's transfer manager does not continue an upload, and does not return what the storage states of a part. Which parts
are there, the storage knows; which upload they belong to is in a small object of the private bucket, so that a run in a
fresh clone continues too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct

from pipeline.model.errors import StorageError
from pipeline.storage import UPLOADS, Bucket, Head, OnSent, Put
from pipeline.storage.s3.client import HEADER_REFUSED, DamagedError, Failed, checksum_of, content_md5
from pipeline.storage.transfers import in_threads

if TYPE_CHECKING:
    from pipeline.storage.s3.store import S3Store

PART = 8 * 1024 * 1024
"""Bytes of a part that is sent or read."""
COPY_PART = 64 * 1024 * 1024
"""Bytes of a part that is copied inside the storage. Objects of up to this size are copied whole."""
MOST_PARTS = 10_000
"""Of an upload; a larger file has larger parts."""
THREADS = 4
"""Parts that are sent at a time; that many are in memory, and two more that were just read."""
COPY_THREADS = 8
ATTEMPTS = 3
"""At an upload that another publisher completes, or of which the storage has removed the parts."""
Checksum = Literal["sha256", "md5", ""]
_GONE = frozenset({"NoSuchUpload", "InvalidPart", "NoSuchKey", "404"})
"""Answers when another publisher, which sends the same file, has completed the upload or sent a part again."""


class Content(Struct, frozen=True):
    """What is uploaded."""

    size: int
    sha256: str
    """Hexadecimal. Other bytes are not stored; empty if it is not known."""
    read: Callable[[int, int], bytes]
    """Returns the bytes at an offset, at most that many. Is asked for one part after the other."""


class Written(Struct, frozen=True):
    """An object that was written."""

    etag: str
    confirmed: bool
    """The storage stated the SHA-256 of the bytes that it received."""


class _Begun(Struct, frozen=True):
    """An upload that has not ended, as it is remembered in the private bucket."""

    upload: str
    checksum: Checksum
    """What each part is sent with."""


class _Part(Struct, frozen=True):
    number: int
    body: bytes
    sha256: bytes


class _Stored(Struct, frozen=True):
    """A part that the storage has."""

    etag: str
    sha256: bytes
    size: int
    confirmed: bool


def part_size(size: int, smallest: int) -> int:
    """Return how many bytes each part of a file has, the last one excepted."""
    return max(smallest, -(-size // MOST_PARTS))


class Upload:
    """One file on its way to one key. ``headers`` are those of the object, by boto3's names."""

    def __init__(
        self, store: S3Store, bucket: Bucket, key: str, headers: Mapping[str, Any], content: Content, sent: OnSent
    ) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._headers, self._content, self._sent = headers, content, sent
        self._action = f"cannot write {key}"
        self._place: dict[str, Any] = {"Bucket": store.name(bucket), "Key": key}
        self._size = part_size(content.size, PART)
        what = json.dumps([self._place, dict(headers), content.sha256, content.size, self._size], sort_keys=True)
        self._marker = f"{UPLOADS}{hashlib.sha256(what.encode()).hexdigest()}.json"

    def run(self, checksum: Checksum) -> Written:
        """Send what the storage does not have yet, each part with its ``checksum``, and complete the upload.

        Raises Failed with one of HEADER_REFUSED before the storage has taken a part, and StorageError.
        """
        for attempt in range(ATTEMPTS):
            taken: dict[int, _Stored] = {}
            begun: _Begun | None = None
            try:
                begun, present = self._begin(checksum)
                self._send(begun, present, taken)
                return self._complete(begun, taken)
            except Failed as failed:
                code = failed.failure.code
                if code in HEADER_REFUSED and not taken:
                    if begun:
                        self._abort(begun)
                    raise
                if code not in _GONE or attempt == ATTEMPTS - 1:
                    raise failed.failure.error from None
                if head := self._present():
                    self._forget()
                    return Written(head.etag, False)
                if code != "InvalidPart" or attempt:  # of a part that was sent again, the list has another ETag now
                    self._forget()
        raise AssertionError("the last attempt ends it")

    def _present(self) -> Head | None:
        """Return the object's headers if it has the bytes that are sent."""
        head = self._store.head(self._key, self._bucket) if self._content.sha256 else None
        return head if head and (head.sha256, head.size) == (self._content.sha256, self._content.size) else None

    def _begin(self, checksum: Checksum) -> tuple[_Begun, dict[int, list[Any]]]:
        """Return the upload to continue with the parts that are there, or a new one. Raises Failed."""
        if begun := self._remembered():
            try:
                return begun, self._parts(begun)
            except Failed as failed:
                if failed.failure.code in _GONE:  # completed, or removed after some days
                    raise
        more: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if checksum == "sha256" else {}
        request: dict[str, Any] = {**self._place, **self._headers, **more}
        client = self._store.client
        answer = self._store.attempt(self._action, self._bucket, lambda: client.create_multipart_upload(**request))
        begun = _Begun(answer["UploadId"], checksum)
        if self._content.sha256:
            body = msgspec.json.encode(begun)
            self._store.put(Put(key=self._marker, body=body, media_type="application/json"), "private")
        return begun, {}

    def _remembered(self) -> _Begun | None:
        stored = self._store.get(self._marker, "private") if self._content.sha256 else None
        try:
            return msgspec.json.decode(stored.body, type=_Begun) if stored else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def _parts(self, begun: _Begun) -> dict[int, list[Any]]:
        """Return number → what the storage lists of that part; some list a part for each time that it was sent."""
        parts: dict[int, list[Any]] = {}
        request: dict[str, Any] = {**self._place, "UploadId": begun.upload}
        while True:
            answer: Any = self._store.attempt(
                self._action, self._bucket, lambda: self._store.client.list_parts(**request)
            )
            for part in answer.get("Parts", ()):
                parts.setdefault(part["PartNumber"], []).append(part)
            if not answer.get("IsTruncated") or not answer.get("Parts"):
                return parts
            request["PartNumberMarker"] = answer["NextPartNumberMarker"]

    def _send(self, begun: _Begun, present: Mapping[int, list[Any]], taken: dict[int, _Stored]) -> None:
        """Read the file once, send the parts that are not ``present``, and add each part to ``taken``."""
        whole = hashlib.sha256()

        def missing() -> Iterator[_Part]:
            for number, offset in enumerate(range(0, self._content.size, self._size), 1):
                body = self._content.read(offset, min(self._size, self._content.size - offset))
                whole.update(body)
                part = _Part(number, body, hashlib.sha256(body).digest())
                if stored := _same(part, present.get(number, ())):
                    taken[number] = stored
                    self._sent(self._key, len(body))
                else:
                    yield part

        for part, stored in in_threads(missing(), lambda part: self._send_part(begun, part), THREADS, ahead=1):
            taken[part.number] = stored
            self._sent(self._key, stored.size)
        if self._content.sha256 not in ("", whole.hexdigest()):
            self._abort(begun)
            raise StorageError(f"the file for {self._key} has changed since it was read", "run the same command again")

    def _send_part(self, begun: _Begun, part: _Part) -> _Stored:
        expected = checksum_of(part.sha256)
        more: dict[str, Any] = {}
        if begun.checksum == "sha256":
            more = {"ChecksumSHA256": expected}
        elif begun.checksum == "md5":
            more = {"ContentMD5": content_md5(part.body)}

        def request() -> _Stored:
            # As a file it is sent in blocks: of bytes, all would have to be sent within one timeout.
            answer = self._store.client.upload_part(
                **self._place, UploadId=begun.upload, PartNumber=part.number, Body=BytesIO(part.body), **more
            )
            stated = answer.get("ChecksumSHA256", "")
            if stated not in ("", expected):
                raise DamagedError(error_msg=f"the storage states {stated} instead of {expected}")
            return _Stored(answer["ETag"], part.sha256, len(part.body), bool(stated))

        return self._store.attempt(self._action, self._bucket, request)

    def _complete(self, begun: _Begun, taken: Mapping[int, _Stored]) -> Written:
        ordered = [taken[number] for number in sorted(taken)]
        named: list[Any] = [{"PartNumber": number, "ETag": part.etag} for number, part in enumerate(ordered, 1)]
        if begun.checksum == "sha256":
            for part, stored in zip(named, ordered, strict=True):
                part["ChecksumSHA256"] = checksum_of(stored.sha256)
        request: dict[str, Any] = {**self._place, "UploadId": begun.upload, "MultipartUpload": {"Parts": named}}
        client = self._store.client
        answer = self._store.attempt(self._action, self._bucket, lambda: client.complete_multipart_upload(**request))
        self._forget()
        of_parts = checksum_of(hashlib.sha256(b"".join(part.sha256 for part in ordered)).digest())
        stated = answer.get("ChecksumSHA256", "").partition("-")[0]
        return Written(answer["ETag"], stated == of_parts or all(part.confirmed for part in ordered))

    def _abort(self, begun: _Begun) -> None:
        """Have the parts removed; where that fails, the lifecycle rule of ``make storage`` removes them."""
        self._forget()
        with suppress(Failed):
            self._store.attempt(
                self._action,
                self._bucket,
                lambda: self._store.client.abort_multipart_upload(**self._place, UploadId=begun.upload),
            )

    def _forget(self) -> None:
        with suppress(StorageError):  # without the right to delete it stays until the lifecycle rule removes it
            self._store.delete(self._marker, "private")


def _same(part: _Part, listed: list[Any] | tuple[()]) -> _Stored | None:
    """Return the part as the storage has it, if that has the same bytes: by SHA-256, else by MD5, which is its ETag."""
    for each in listed:
        stated, etag = each.get("ChecksumSHA256", ""), each["ETag"]
        is_same = (
            stated == checksum_of(part.sha256)
            if stated
            else etag.strip('"') == hashlib.md5(part.body, usedforsecurity=False).hexdigest()
        )
        if is_same and each.get("Size") == len(part.body):
            return _Stored(etag, part.sha256, len(part.body), bool(stated))
    return None


def copy(
    store: S3Store,
    action: str,
    bucket: Bucket,
    key: str,
    headers: Mapping[str, Any],
    source: Mapping[str, Any],
    size: int,
) -> None:
    """Copy an object inside the storage, several parts at a time.

    ``source`` is ``CopySource`` with its condition, ``headers`` are those of the new object, by boto3's names. Raises
    Failed.
    """
    place: dict[str, Any] = {"Bucket": store.name(bucket), "Key": key}
    begun = store.attempt(action, bucket, lambda: store.client.create_multipart_upload(**place, **headers))
    place["UploadId"] = begun["UploadId"]
    step = part_size(size, COPY_PART)

    def copy_part(offset: int) -> str:
        part: dict[str, Any] = {
            "PartNumber": offset // step + 1,
            "CopySourceRange": f"bytes={offset}-{min(offset + step, size) - 1}",
        }
        answer = store.attempt(action, bucket, lambda: store.client.upload_part_copy(**place, **source, **part))
        return str(answer["CopyPartResult"]["ETag"])

    try:
        etags = dict(in_threads(range(0, size, step), copy_part, COPY_THREADS))
        parts: Any = [{"PartNumber": offset // step + 1, "ETag": etags[offset]} for offset in sorted(etags)]
        store.attempt(
            action, bucket, lambda: store.client.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
        )
    except BaseException:
        with suppress(Failed):
            store.attempt(action, bucket, lambda: store.client.abort_multipart_upload(**place))
        raise
