"""Where probes are tried: both buckets, under names that are nobody's, and everything is removed afterwards."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError
from msgspec import Struct

from pipeline.model.errors import DatelineError
from pipeline.storage import Bucket
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from pipeline.storage.s3 import client as s3_client
from pipeline.storage.s3 import faults as s3_faults

FOLDER = "probes/"
BUCKETS: tuple[Bucket, ...] = ("public", "private")
BODY = b"Dateline tries what this storage keeps. This object is removed at once.\n"
_STALE = timedelta(minutes=30)
"""Probes of this age are nobody's any more: the run that put them was killed."""
_NO_ANSWER = frozenset({"InvalidAccessKeyId", "ExpiredToken", "InvalidToken", "SignatureDoesNotMatch"})
"""Refusals that say nothing of the storage, but of the keys."""
UNKNOWN = frozenset({"NotImplemented", "MethodNotAllowed", "XNotImplemented", "501", "405", "500", "InternalError"})
"""What storages answer that have no such thing."""


class Reply(Struct, frozen=True):
    """What the storage answered to the publisher's keys."""

    code: str
    """Empty for success, else the S3 error code, or the status where there is no body."""
    status: int
    answer: dict[str, Any]

    @property
    def well(self) -> bool:
        """Whether it was done."""
        return not self.code


class ProbeContext:
    """The two buckets of a destination, by raw requests: what S3Store would try again is an answer here."""

    def __init__(self, destination: Destination, environ: Mapping[str, str]) -> None:
        self.destination = destination
        self.environ = environ
        self.client = s3_client.make(destination, environ)
        self._folder = f"{FOLDER}{secrets.token_hex(8)}/"
        self._there: set[tuple[Bucket, str]] = set()

    @cached_property
    def anonymous(self) -> Mapping[Bucket, AnonymousClient]:
        """Both buckets as anybody sees them."""
        found: dict[Bucket, AnonymousClient] = {
            "public": AnonymousClient(self.destination.address, self.environ),
            "private": AnonymousClient(self.destination.private_address, self.environ),
        }
        return found

    def name(self, bucket: Bucket) -> str:
        """Return the bucket's name."""
        return self.destination.bucket if bucket == "public" else self.destination.private_bucket

    def key(self, name: str, *buckets: Bucket) -> str:
        """Return a key of this run's own; what comes to stand there in ``buckets`` is removed in the end."""
        self._there |= {(bucket, self._folder + name) for bucket in buckets or BUCKETS}
        return self._folder + name

    def ask(self, call: Callable[[], Any]) -> Reply:
        """Return how the storage answers ``call``. Raises DatelineError when it does not, or says that the
        keys are wrong."""
        try:
            answer = call()
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            code = str(error.response.get("Error", {}).get("Code") or status)
            if code in _NO_ANSWER:
                raise self._explained(error) from None
            return Reply(code, status, {})
        except s3_faults.FAILURES as error:
            raise self._explained(error) from None
        return Reply("", 200, answer)

    def _explained(self, error: Exception) -> DatelineError:
        where = self.client.meta.endpoint_url
        return s3_faults.explain(error, "cannot try the storage", self.destination.bucket, where).error

    def put(self, bucket: Bucket, key: str, body: bytes = BODY, **more: Any) -> Reply:
        """Write an object of this run."""
        return self.ask(
            lambda: self.client.put_object(
                Bucket=self.name(bucket), Key=key, Body=body, ContentType="text/plain; charset=utf-8", **more
            )
        )

    def get(self, bucket: Bucket, key: str) -> tuple[Reply, bytes]:
        """Read an object."""
        reply = self.ask(lambda: self.client.get_object(Bucket=self.name(bucket), Key=key))
        return reply, self._body(reply)

    @staticmethod
    def _body(reply: Reply) -> bytes:
        with suppress(*s3_faults.FAILURES):
            return bytes(reply.answer["Body"].read()) if reply.well else b""
        return b""

    def clear(self) -> None:
        """Remove what this run has put; what cannot be removed stays, and ``Delete`` is what was found lacking."""
        for bucket, key in sorted(self._there):
            with suppress(*s3_faults.FAILURES):
                self.client.delete_object(Bucket=self.name(bucket), Key=key)
        # Where several won a race, rclone keeps an object that it neither gives nor removes until it is written again.
        for bucket in BUCKETS:
            for row in self._list(bucket, self._folder):
                self.put(bucket, row["Key"])
                with suppress(*s3_faults.FAILURES):
                    self.client.delete_object(Bucket=self.name(bucket), Key=row["Key"])

    def _list(self, bucket: Bucket, prefix: str) -> list[Any]:
        with suppress(*s3_faults.FAILURES):
            found: Any = self.client.list_objects_v2(Bucket=self.name(bucket), Prefix=prefix)
            return list(found.get("Contents", ()))
        return []

    def sweep(self) -> None:
        """Remove what runs that were killed have left behind."""
        for bucket in BUCKETS:
            for row in self._list(bucket, FOLDER):
                if datetime.now(UTC) - row["LastModified"] > _STALE:
                    with suppress(*s3_faults.FAILURES):
                        self.client.delete_object(Bucket=self.name(bucket), Key=row["Key"])
