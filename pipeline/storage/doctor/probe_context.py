"""What a probe works with: both buckets, random keys, and their removal afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from msgspec import Struct

from pipeline.model.errors import DatelineError
from pipeline.storage import Bucket
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from pipeline.storage.s3.client import FAILURES, UNSUPPORTED, create_client, error_code, error_status, explain, said
from pipeline.storage.s3.store import retried

FOLDER = "probes/"
BUCKETS: tuple[Bucket, ...] = ("public", "private")
BODY = b"Dateline tests this storage. This object is removed at once.\n"
_OLD = timedelta(minutes=30)
"""Objects of this age belong to a run that was killed."""
_KEY_PROBLEMS = frozenset({"InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "SignatureDoesNotMatch"})
"""Errors that say something about the keys, and nothing about the storage."""
UNKNOWN = UNSUPPORTED | {"500", "InternalError"}
"""Answers of storages that do not have the feature."""
DAMAGED = frozenset({"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch"})
"""What a storage says of data that is not what its checksum says. Elsewhere such a put is tried again."""
_ATTEMPTS = 4
_BUSY = frozenset({429, 502, 503, 504})
"""Statuses that say nothing about what the storage supports."""


class Reply(Struct, frozen=True):
    """The storage's answer to a request with the publisher's keys."""

    code: str
    """Empty for success, else the S3 error code, or the status if there is no body."""
    status: int
    answer: dict[str, Any]
    said: str = ""
    """Of a refusal: code and words of the storage."""

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return not self.code


class ProbeContext:
    """The two buckets of a destination. Errors are answers here, unless the storage is busy or the keys are wrong."""

    def __init__(self, destination: Destination, environ: Mapping[str, str]) -> None:
        self.destination = destination
        self.environ = environ
        self.client = create_client(destination, environ)
        self._folder = f"{FOLDER}{secrets.token_hex(8)}/"
        self._written: set[tuple[Bucket, str]] = set()
        self._keys_work = False

    @cached_property
    def anonymous(self) -> Mapping[Bucket, AnonymousClient]:
        """Both buckets, without credentials."""
        return {
            "public": AnonymousClient(self.destination.address, self.environ),
            "private": AnonymousClient(self.destination.private_address, self.environ),
        }

    def name(self, bucket: Bucket) -> str:
        """Return the bucket's name."""
        return self.destination.bucket if bucket == "public" else self.destination.private_bucket

    def key(self, name: str, *buckets: Bucket) -> str:
        """Return a key that only this run uses; its objects in ``buckets`` (default: both) are removed at the end."""
        self._written |= {(bucket, self._folder + name) for bucket in buckets or BUCKETS}
        return self._folder + name

    def ask(self, call: Callable[[], Any], expected: Container[str] = ()) -> Reply:
        """Return the answer to ``call``. Raises DatelineError when there is none, or when the keys are wrong.

        A storage that is busy is asked again; one that stays so is an error. Codes that are ``expected`` are answers at
        once.
        """

        def request() -> Any:
            try:
                return call()
            except FAILURES as error:
                if error_code(error) in expected:
                    return Reply(error_code(error), error_status(error), {}, said(error))
                raise

        try:
            answer = retried(request, _ATTEMPTS)
            reply = answer if isinstance(answer, Reply) else Reply("", 200, answer)
        except FAILURES as error:
            code, status = error_code(error), error_status(error)
            # After a success, a signature that does not match says that the storage does not know a header.
            is_of_keys = code in _KEY_PROBLEMS and not (self._keys_work and code == "SignatureDoesNotMatch")
            if not code or is_of_keys or status in _BUSY:
                raise self._explained(error) from None
            return Reply(code, status, {}, said(error))
        self._keys_work = True
        return reply

    def _explained(self, error: Exception) -> DatelineError:
        where = self.client.meta.endpoint_url
        return explain(error, "cannot test the storage", self.destination.bucket, where).error

    def put(self, bucket: Bucket, key: str, body: bytes = BODY, expected: Container[str] = (), **more: Any) -> Reply:
        """Write an object."""
        return self.ask(
            lambda: self.client.put_object(
                Bucket=self.name(bucket), Key=key, Body=body, ContentType="text/plain; charset=utf-8", **more
            ),
            expected,
        )

    def get(self, bucket: Bucket, key: str) -> tuple[Reply, bytes]:
        """Read an object; without bytes when that fails."""
        reply = self.ask(lambda: self.client.get_object(Bucket=self.name(bucket), Key=key))
        with suppress(*FAILURES):
            return reply, bytes(reply.answer["Body"].read()) if reply.ok else b""
        return reply, b""

    def remove_probes(self) -> None:
        """Remove the objects of this run, as far as the keys have the right to."""
        for bucket, key in sorted(self._written):
            self._delete(bucket, key)
        # After a race with several winners, rclone lists an object that it neither returns nor removes until it is
        # written again.
        for bucket in BUCKETS:
            for row in self._list(bucket, self._folder):
                self.put(bucket, row["Key"])
                self._delete(bucket, row["Key"])

    def remove_old_probes(self) -> None:
        """Remove the objects of runs that were killed."""
        for bucket in BUCKETS:
            for row in self._list(bucket, FOLDER):
                if datetime.now(UTC) - row["LastModified"] > _OLD:
                    self._delete(bucket, row["Key"])

    def _delete(self, bucket: Bucket, key: str) -> None:
        with suppress(*FAILURES):
            retried(lambda: self.client.delete_object(Bucket=self.name(bucket), Key=key), _ATTEMPTS)

    def _list(self, bucket: Bucket, prefix: str) -> list[Any]:
        with suppress(*FAILURES):
            answer: Any = retried(
                lambda: self.client.list_objects_v2(Bucket=self.name(bucket), Prefix=prefix), _ATTEMPTS
            )
            return list(answer.get("Contents", ()))
        return []
