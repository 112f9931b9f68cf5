"""An object store in memory, for tests that interrupt a publisher between two requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator

from pipeline.model.manifest import Manifest, digest
from pipeline.publish.commits import read_manifest
from pipeline.storage import Bucket, Clock, CopyRequest, Head, PreconditionFailed, PresignedLink, Put, Stored
from tests.support.rows import DAY

BeforePut = Callable[[Put], None]


class Killed(BaseException):
    pass


class Memory:
    """An object store that honours conditions; ``before`` is called before each put is carried out."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.puts: list[Put] = []
        self.before: BeforePut = lambda put: None

    def check(self, bucket: Bucket = "public") -> Clock:
        return Clock(DAY, 0.0)

    def etag(self, key: str) -> str:
        return f'"{hashlib.md5(self.objects[key]).hexdigest()}"'

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        body = self.objects.get(key)
        return None if body is None else Stored(body, self.etag(key), digest(body), DAY)

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        body = self.objects.get(key)
        return None if body is None else Head(len(body), self.etag(key), "", "", "", digest(body), DAY)

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        self.before(put)
        there = self.objects.get(put.key)
        if (put.if_none_match and there is not None) or (
            put.if_match and (there is None or self.etag(put.key) != put.if_match)
        ):
            raise PreconditionFailed(put.key)
        self.objects[put.key] = put.body if isinstance(put.body, bytes) else put.body.read_bytes()
        self.puts.append(put)
        return self.etag(put.key)

    def stream(self, key: str, etag: str, bucket: Bucket = "public") -> Iterator[bytes]:
        yield self.objects[key]

    def put_all(
        self,
        puts: Iterable[Put],
        done: Callable[[str], None] = lambda key: None,
        bucket: Bucket = "public",
        sent: Callable[[str, int], None] = lambda key, size: None,
    ) -> frozenset[str]:
        for put in puts:
            self.put(put)
            done(put.key)
        return frozenset()

    def copy_all(
        self, copies: Iterable[CopyRequest], done: Callable[[str], None] = lambda key: None, bucket: Bucket = "public"
    ) -> None:
        raise AssertionError("no release is scheduled here")

    def copy(
        self, source: str, key: str, sha256: str, source_bucket: Bucket = "public", bucket: Bucket = "public"
    ) -> bool:
        found = self.get(source)
        if found is None or found.sha256 != sha256:
            return False
        self.put(Put(key=key, body=found.body, media_type=""))
        return True

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        raise AssertionError(f"{key}: nothing public is ever deleted")

    def presign(self, key: str, bucket: Bucket, seconds: int, download: str = "") -> PresignedLink:
        raise AssertionError(f"{key}: publishing shares nothing")

    def list(self, prefix: str = "", bucket: Bucket = "public") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix))

    def manifest(self) -> Manifest:
        return read_manifest(self).manifest
