"""The object store over S3: AWS, MinIO, R2, Ceph, the embedded store. The only boto3; import it where it is needed."""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, FlexibleChecksumError

from pipeline.model.errors import StorageError
from pipeline.storage import (
    Bucket,
    Clock,
    CopyRequest,
    Done,
    Head,
    PreconditionFailed,
    PresignedLink,
    Put,
    Stored,
    disposition,
)
from pipeline.storage.destination import Destination
from pipeline.storage.s3 import bulk as s3_bulk
from pipeline.storage.s3 import client as s3_client
from pipeline.storage.s3 import faults as s3_faults
from pipeline.storage.s3 import links as s3_links

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CopySourceTypeDef, PutObjectRequestTypeDef

Answer = TypeVar("Answer")

RETRY_SECONDS = 30.0
"""A request that has failed is not begun again after this time."""
_ATTEMPTS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 4.0
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_TOO_LATE = frozenset({"PreconditionFailed", "412"})


class S3Store:
    """The buckets of one destination. Threads may share it."""

    def __init__(self, destination: Destination, environ: Mapping[str, str]) -> None:
        self._destination = destination
        self._client = s3_client.make(destination, environ)

    def check(self, bucket: Bucket = "public") -> Clock:
        """Make sure that the bucket exists and may be used, before anything is put."""
        name = self._name(bucket)

        def ask() -> Clock:
            begun = time.monotonic()
            try:
                answer: Any = self._client.head_bucket(Bucket=name)
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") == "404":
                    raise StorageError(
                        f"the bucket {name} does not exist", "check PRESS_BUCKET, or create it: `make storage`"
                    ) from None
                # An answer to HEAD has no body that could give the reason; that to a listing has.
                answer = self._client.list_objects_v2(Bucket=name, MaxKeys=1)
            return Clock(_date(answer), time.monotonic() - begun)

        return self._try(f"cannot use the bucket {name}", bucket, ask)

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        """Return the object, or None where there is none."""

        def ask() -> Stored:
            answer = self._client.get_object(Bucket=self._name(bucket), Key=key)
            body = answer["Body"].read()
            found, noted = sha256(body).hexdigest(), answer["Metadata"].get("sha256", "")
            if noted and found != noted:
                raise FlexibleChecksumError(error_msg=f"{found} instead of {noted}")
            return Stored(body, answer["ETag"], found, _date(answer))

        return self._unless_missing(f"cannot read {key}", bucket, ask)

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        """Return the object without its bytes, or None where there is none."""

        def ask() -> Head:
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

        return self._unless_missing(f"cannot look at {key}", bucket, ask)

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        """Write the object and return its ETag. Raises PreconditionFailed."""
        digest = put.digest()

        def ask() -> str:
            with _open(put) as body:
                return self._client.put_object(**_request(put, self._name(bucket), digest, body))["ETag"]

        try:
            return self._attempt(f"cannot write {put.key}", bucket, ask)
        except _Failed as failed:
            lost = failed.failure.code in _TOO_LATE or (put.if_match and failed.failure.code in _MISSING)
            if not (put.conditional and lost):
                raise failed.failure.error from None
        # The answer to an earlier try may have been lost: then the object that is in the way is ours.
        there = self.head(put.key, bucket)
        if there is None or there.sha256 != digest:
            raise PreconditionFailed(put.key)
        return there.etag

    def put_all(self, puts: Iterable[Put], done: Done = lambda key: None, bucket: Bucket = "public") -> None:
        """Write all, many at a time and in no order; ends with the first error, what had begun being finished."""
        near = _is_near(self._destination.endpoint)
        s3_bulk.do_all(list(puts), lambda put: self.put(put, bucket), done, near=near)

    def copy_all(self, copies: Iterable[CopyRequest], done: Done = lambda key: None) -> None:
        """Copy all into the public bucket, many at a time and in no order; ends as ``put_all`` does."""
        s3_bulk.do_all(list(copies), self._copy, done, near=_is_near(self._destination.endpoint))

    def _copy(self, copy: CopyRequest) -> None:
        source = self._name(copy.bucket)
        condition: Any = {"CopySourceIfMatch": copy.if_match} if copy.if_match else {}

        def ask() -> None:
            self._client.copy_object(
                Bucket=self._name("public"),
                Key=copy.key,
                CopySource={"Bucket": source, "Key": copy.source},
                MetadataDirective="COPY",
                **condition,
            )

        self._try(f"cannot copy {copy.key} inside the storage", "public", ask)

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        """Copy an object within the storage if its bytes are those of ``sha256``; return whether they were."""
        there = self.head(source, source_bucket)
        if there is None or there.sha256 != sha256:
            return False
        origin: CopySourceTypeDef = {"Bucket": self._name(source_bucket), "Key": source}

        def ask() -> object:
            return self._client.copy_object(
                Bucket=self._name(bucket), Key=key, CopySource=origin, CopySourceIfMatch=there.etag
            )

        try:
            self._attempt(f"cannot copy {source} to {key}", bucket, ask)
        except _Failed as failed:
            if failed.failure.code in _TOO_LATE | _MISSING:  # it was written between the two requests
                return False
            raise failed.failure.error from None
        return True

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        """Remove the object; that there is none is fine."""
        self._unless_missing(
            f"cannot remove {key}", bucket, lambda: self._client.delete_object(Bucket=self._name(bucket), Key=key)
        )

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        """Return a link that ends after ``seconds``, of seven days at most; asks nobody whether there is the object."""
        name = self._name(bucket)
        return self._try(
            f"cannot sign a link in {name}", bucket, lambda: s3_links.sign(self._client, name, key, seconds, download)
        )

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        """Yield the keys that begin with ``prefix``."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name(bucket), Prefix=prefix)
        rest = iter(pages)
        while page := self._try(f"cannot list {prefix or 'all objects'}", bucket, lambda: next(rest, None)):
            yield from (row["Key"] for row in page.get("Contents", ()))

    def _name(self, bucket: Bucket) -> str:
        return self._destination.bucket if bucket == "public" else self._destination.private_bucket

    def _unless_missing(self, action: str, bucket: Bucket, ask: Callable[[], Answer]) -> Answer | None:
        try:
            return self._attempt(action, bucket, ask)
        except _Failed as failed:
            if failed.failure.code in _MISSING:
                return None
            raise failed.failure.error from None

    def _try(self, action: str, bucket: Bucket, ask: Callable[[], Answer]) -> Answer:
        try:
            return self._attempt(action, bucket, ask)
        except _Failed as failed:
            raise failed.failure.error from None

    def _attempt(self, action: str, bucket: Bucket, ask: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer or no hope. Raises _Failed."""
        deadline = time.monotonic() + RETRY_SECONDS
        pause = _FIRST_PAUSE
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return ask()
            except s3_faults.FAILURES as error:
                failure = s3_faults.explain(error, action, self._name(bucket), self._client.meta.endpoint_url)
            if not failure.again or attempt == _ATTEMPTS or time.monotonic() + pause > deadline:
                break
            time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 -- so that two publishers do not keep step
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise _Failed(failure)


class _Failed(Exception):  # noqa: N818 -- carries a failure, and never leaves this module
    def __init__(self, failure: s3_faults.Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def _is_near(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host == "localhost" or host.startswith("127.")


def _open(put: Put) -> AbstractContextManager[bytes | BinaryIO]:
    return nullcontext(put.body) if isinstance(put.body, bytes) else put.body.open("rb")


def _request(put: Put, bucket: str, digest: str, body: bytes | BinaryIO) -> PutObjectRequestTypeDef:
    request: PutObjectRequestTypeDef = {
        "Bucket": bucket,
        "Key": put.key,
        "Body": body,
        "ContentType": put.media_type,
        "ChecksumSHA256": base64.b64encode(bytes.fromhex(digest)).decode(),
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
