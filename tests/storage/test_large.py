"""Large files: sent in parts, continued after an interruption, copied and read in parts, never whole in memory."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.errors import StorageError
from pipeline.storage import UPLOADS, CopyRequest, ObjectStore, Put, open_store, prepare
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination
from pipeline.storage.s3 import large
from pipeline.storage.s3 import store as s3
from pipeline.storage.s3.client import checksum_of, create_client
from tests.support import faulty, manners, stores
from tests.support.newsroom import ROOT

PART = 5 * 1024 * 1024
"""Bytes: no storage takes a smaller part, except the last."""
PARTS = 5
SIZE = (PARTS - 1) * PART + 1000


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few megabytes are large here."""
    monkeypatch.setattr(large, "PART", PART)
    monkeypatch.setattr(large, "COPY_PART", 2 * PART)
    monkeypatch.setattr(s3, "LARGE", PART)
    monkeypatch.setattr(s3, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(s3, "_LONGEST_PAUSE", 0.02)


class Film:
    """A file with random bytes, and the request that publishes it."""

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = path, key
        path.write_bytes(os.urandom(SIZE))
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.put = Put(
            key=key,
            body=path,
            media_type="video/quicktime",
            cache_control="public, max-age=60",
            download="film.mov",
            sha256=self.sha256,
        )


@pytest.fixture
def film(tmp_path: Path) -> Film:
    return Film(tmp_path / "film.mov", f"large/{tmp_path.name}.mov")


@pytest.fixture(scope="module")
def prepared(second_server: dict[str, str]) -> dict[str, str]:
    environ = second_server | {"PRESS_BUCKET": "large"}
    list(prepare(at(environ), environ))
    return environ


@pytest.fixture
def ready(prepared: dict[str, str]) -> dict[str, str]:
    """The real server with prepared buckets, where no upload is remembered."""
    store = open_store(at(prepared), prepared)
    for key in list(store.list(UPLOADS, "private")):
        store.delete(key, "private")
    return prepared


@pytest.fixture
def gate(ready: dict[str, str]) -> Iterator[faulty.Proxy]:
    with faulty.proxy(ready["AWS_ENDPOINT_URL_S3"]) as proxy:
        yield proxy


def at(environ: Mapping[str, str]) -> Destination:
    return destination(environ, Path("/nowhere"))


def behind(proxy: faulty.Proxy, environ: dict[str, str]) -> ObjectStore:
    """Return a store that has not asked anything yet, like that of another run in another clone."""
    environ = {**environ, "AWS_ENDPOINT_URL_S3": proxy.endpoint}
    return open_store(at(environ), environ)


def sent(proxy: faulty.Proxy) -> list[int]:
    """Return the numbers of the parts that were sent, in order."""
    found = [re.search(r"partNumber=(\d+)", path) for method, path in proxy.seen if method == "PUT"]
    return sorted(int(each[1]) for each in found if each)


def digest(store: ObjectStore, key: str) -> str:
    head = store.head(key)
    assert head is not None
    whole = hashlib.sha256()
    for block in store.stream(key, head.etag):
        assert len(block) <= PART
        whole.update(block)
    return whole.hexdigest()


def left(environ: dict[str, str], key: str) -> list[str]:
    """Return the uploads of a key that have not ended, and what is remembered of any."""
    place = at(environ)
    answer: Any = create_client(place, environ).list_multipart_uploads(Bucket=place.bucket, Prefix=key)
    remembered = open_store(place, environ).list(UPLOADS, "private")
    return [*(each["UploadId"] for each in answer.get("Uploads", ())), *remembered]


def received(environ: dict[str, str], key: str) -> set[int]:
    """Return the numbers of the parts of an upload that has not ended which the storage has."""
    place = at(environ)
    upload, *_ = left(environ, key)
    answer: Any = create_client(place, environ).list_parts(Bucket=place.bucket, Key=key, UploadId=upload)
    return {part["PartNumber"] for part in answer["Parts"]}


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# ── Upload ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_large_file_arrives_with_its_headers_and_every_part_is_reported(ready: dict[str, str], film: Film) -> None:
    store, parts, done = open_store(at(ready), ready), list[int](), list[str]()
    small = Put(key="large/small.txt", body=b"words", media_type="text/plain")
    confirmed = store.put_all([film.put, small], done.append, sent=lambda key, size: parts.append(size))
    assert confirmed == {film.key, small.key}
    assert done == [small.key, film.key]
    assert (len(parts), sum(parts)) == (PARTS, SIZE)
    head = store.head(film.key)
    assert head is not None
    assert (head.size, head.sha256, head.content_type) == (SIZE, film.sha256, "video/quicktime")
    assert (head.cache_control, head.content_disposition) == ("public, max-age=60", 'attachment; filename="film.mov"')
    assert digest(store, film.key) == film.sha256
    assert left(ready, film.key) == []


@pytest.mark.parametrize("known", [True, False])
def test_a_later_run_sends_only_what_is_missing(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, known: bool
) -> None:
    put = film.put if known else Put(key=film.key, body=film.path, media_type="video/quicktime")
    gate.always("PUT", "partNumber=3", faulty.refusal(403, "AccessDenied"))
    with pytest.raises(StorageError, match=f"cannot write {film.key}: the storage refuses it"):
        behind(gate, ready).put(put)
    there = set(sent(gate)) - {3}
    assert there
    gate.mend()
    gate.count_anew()
    parts: list[int] = []
    behind(gate, ready).put_all([put], sent=lambda key, size: parts.append(size))
    assert sent(gate) == sorted({*range(1, PARTS + 1)} - there)
    assert sum(parts) == SIZE
    assert digest(open_store(at(ready), ready), film.key) == film.sha256
    assert left(ready, film.key) == []


def test_a_later_run_of_another_film_at_the_same_key_sends_all_of_it(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, tmp_path: Path
) -> None:
    gate.always("PUT", "partNumber=3", faulty.refusal(403, "AccessDenied"))
    with pytest.raises(StorageError):
        behind(gate, ready).put(film.put)
    gate.mend()
    gate.count_anew()
    other = Film(tmp_path / "other.mov", film.key)
    behind(gate, ready).put(other.put)
    assert sent(gate) == [*range(1, PARTS + 1)]
    assert digest(open_store(at(ready), ready), film.key) == other.sha256


def test_an_upload_whose_parts_were_removed_begins_anew(ready: dict[str, str], gate: faulty.Proxy, film: Film) -> None:
    gate.always("PUT", "partNumber=3", faulty.refusal(403, "AccessDenied"))
    with pytest.raises(StorageError):
        behind(gate, ready).put(film.put)
    gate.mend()
    place = at(ready)
    upload, *_ = left(ready, film.key)
    create_client(place, ready).abort_multipart_upload(Bucket=place.bucket, Key=film.key, UploadId=upload)
    gate.count_anew()
    behind(gate, ready).put(film.put)
    assert sent(gate) == [*range(1, PARTS + 1)]
    assert left(ready, film.key) == []


BODY = b"a part"
RIGHT = {"sha256": checksum_of(hashlib.sha256(BODY).digest()), "md5": f'"{hashlib.md5(BODY).hexdigest()}"'}
LISTED: dict[str, tuple[str, str, int, bool]] = {
    "right by SHA-256, encrypted by the storage": (RIGHT["sha256"], '"its own"', len(BODY), True),
    "right by MD5": ("", RIGHT["md5"], len(BODY), True),
    "wrong by SHA-256": (checksum_of(hashlib.sha256(b"other").digest()), RIGHT["md5"], len(BODY), False),
    "wrong by MD5": ("", f'"{hashlib.md5(b"other").hexdigest()}"', len(BODY), False),
    "neither is stated": ("", '"its own"', len(BODY), False),
    "of another length": (RIGHT["sha256"], RIGHT["md5"], 3, False),
}


@pytest.mark.parametrize("kind", LISTED)
def test_a_part_is_recognised_by_sha256_where_the_storage_lists_it_else_by_md5(kind: str) -> None:
    stated, etag, size, is_same = LISTED[kind]
    listed = {"ETag": etag, "Size": size, **({"ChecksumSHA256": stated} if stated else {})}
    part = large._Part(1, BODY, hashlib.sha256(BODY).digest())
    found = large._same(part, [listed])
    assert (found is not None) == is_same
    assert found is None or (found.etag, found.confirmed) == (etag, bool(stated))


SENDER = """
import sys
from pathlib import Path
from pipeline.storage import Put, open_store
from pipeline.storage.destination import destination
from pipeline.storage.s3 import large, store
import os
part, key, path, sha256 = int(sys.argv[1]), *sys.argv[2:]
large.PART, store.LARGE = part, part
try:
    open_store(destination(os.environ, Path("/nowhere")), os.environ).put_all(
        [
            Put(
                key=key,
                body=Path(path),
                media_type="video/quicktime",
                cache_control="public, max-age=60",
                download="film.mov",
                sha256=sha256,
            )
        ]
    )
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT])
def test_after_a_kill_or_ctrl_c_the_next_run_goes_on(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, sign: signal.Signals
) -> None:
    gate.always("PUT", "partNumber=4", faulty.silence(1.0))
    command = [sys.executable, "-c", SENDER, str(PART), film.key, str(film.path), film.sha256]
    environ = {**os.environ, **ready, "AWS_ENDPOINT_URL_S3": gate.endpoint}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE) as publisher:
        wait_until(lambda: len(set(sent(gate))) > 3 and gate.busy <= 1)
        publisher.send_signal(sign)
        _, err = publisher.communicate(timeout=60)
    assert publisher.returncode == (130 if sign == signal.SIGINT else -sign)
    assert err == b""
    wait_until(lambda: not gate.busy)
    gate.mend()
    there = received(ready, film.key)
    assert len(there) >= 3
    gate.count_anew()
    behind(gate, ready).put(film.put)
    assert set(sent(gate)) == {*range(1, PARTS + 1)} - there
    assert digest(open_store(at(ready), ready), film.key) == film.sha256


@pytest.mark.parametrize("change", ["other bytes", "shorter"])
def test_a_film_that_changes_while_it_is_sent_is_not_published(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, change: str
) -> None:
    def edit(exchange: faulty.Exchange) -> None:
        with film.path.open("r+b") as file:
            file.truncate(SIZE - 100 if change == "shorter" else SIZE)
            file.seek(SIZE - 500)
            file.write(b"another end")
        exchange.answer(*exchange.forward())

    gate.add("PUT", "partNumber=", edit)  # of the first part that arrives: the end was not read yet
    with pytest.raises(StorageError, match=r"the file for .* has changed since it was read"):
        behind(gate, ready).put(film.put)
    assert open_store(at(ready), ready).head(film.key) is None
    assert left(ready, film.key) == []


def test_a_film_that_cannot_be_read_is_said(store: ObjectStore, film: Film) -> None:
    film.path.unlink()
    with pytest.raises(StorageError, match=r"cannot read the file for .*: No such file"):
        store.put(film.put)


def test_two_publishers_that_send_the_same_film_both_end_well(ready: dict[str, str], film: Film) -> None:
    with ThreadPoolExecutor(2) as pool:
        etags = list(pool.map(lambda _: open_store(at(ready), ready).put(film.put), range(2)))
    assert all(etags)
    assert digest(open_store(at(ready), ready), film.key) == film.sha256


def test_what_a_run_has_completed_that_was_killed_then_is_not_sent_again(
    ready: dict[str, str], gate: faulty.Proxy, film: Film
) -> None:
    gate.always("DELETE", UPLOADS, faulty.refusal(403, "AccessDenied"))
    assert behind(gate, ready).put_all([film.put]) == {film.key}
    gate.mend()
    gate.count_anew()
    assert behind(gate, ready).put_all([film.put]) == set(), "it is not known which run has proven it"
    assert sent(gate) == []
    assert left(ready, film.key) == []


def test_a_part_that_another_publisher_has_sent_again_is_looked_up_again(
    ready: dict[str, str], gate: faulty.Proxy, film: Film
) -> None:
    gate.add("POST", "uploadId=", faulty.refusal(400, "InvalidPart"))
    assert behind(gate, ready).put_all([film.put]) == {film.key}
    assert sent(gate) == [*range(1, PARTS + 1)]


@pytest.mark.parametrize("request_", [("PUT", "partNumber=4"), ("POST", "uploadId=")])
def test_a_film_that_another_publisher_completes_meanwhile_need_not_be_sent_to_its_end(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, request_: tuple[str, str]
) -> None:
    other = open_store(at(ready), ready)

    def overtake(exchange: faulty.Exchange) -> None:
        other.put(film.put)
        exchange.answer(*exchange.forward())

    gate.add(*request_, overtake)
    assert behind(gate, ready).put(film.put)
    assert digest(other, film.key) == film.sha256
    assert left(ready, film.key) == []


FAULTS: dict[str, tuple[str, str, faulty.Fault]] = {
    "a part is damaged on the way": ("PUT", "partNumber=3", faulty.flipped_up),
    "a part is lost": ("PUT", "partNumber=3", faulty.reset_before),
    "the answer to a part is lost": ("PUT", "partNumber=3", faulty.lost_answer),
    "the answer to the last request is lost": ("POST", "uploadId=", faulty.lost_answer),
    "the last request fails after its status was sent": ("POST", "uploadId=", faulty.refusal(200, "InternalError")),
    "busy": ("PUT", "partNumber=", faulty.refusal(503, "SlowDown")),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_temporary_faults_are_repaired(ready: dict[str, str], gate: faulty.Proxy, film: Film, fault: str) -> None:
    method, part, applied = FAULTS[fault]
    gate.add(method, part, applied, applied)
    behind(gate, ready).put(film.put)
    assert gate.left == 0
    assert digest(open_store(at(ready), ready), film.key) == film.sha256


def test_what_stays_damaged_is_not_published(ready: dict[str, str], gate: faulty.Proxy, film: Film) -> None:
    gate.always("PUT", "partNumber=3", faulty.flipped_up)
    with pytest.raises(StorageError, match=f"cannot write {film.key}: the data was damaged during the upload"):
        behind(gate, ready).put(film.put)
    assert open_store(at(ready), ready).head(film.key) is None


# ── Storages that differ ────────────────────────────────────────────────────────────────────────────────────────────


def lacks(method: str, *words: str) -> faulty.Manner:
    """A storage that does not have requests with these words in the query."""

    def manner(exchange: faulty.Exchange) -> bool:
        query = exchange.path.partition("?")[2]
        is_meant = exchange.method == method and all(word in query for word in words)
        return is_meant and manners.error(exchange, 501, "NotImplemented", "no such thing here")

    return manner


no_conditions = manners.refuses_headers("if-match", "if-none-match", status=501, code="NotImplemented")
MANNERS: dict[str, tuple[faulty.Manner, bool, bool]] = {
    "no checksum headers": (manners.no_checksums, False, True),
    "no checksums at all": (manners.no_checksums_at_all, False, True),
    "no conditions": (
        manners.refuses_headers("if-match", "if-none-match", status=501, code="NotImplemented"),
        True,
        True,
    ),
    "no copies": (manners.no_copies, True, True),
    "copies that fail in the body of a 200": (manners.copies_that_fail_late, True, True),
    "busy at every fourth request": (manners.busy(4)(), True, True),
    "no uploads in parts": (lacks("POST", "uploads"), True, False),
    "no lists of parts": (lacks("GET", "uploadId="), True, False),
}
"""How it behaves, whether it confirms SHA-256, and whether an interrupted upload goes on."""


@pytest.mark.parametrize("kind", MANNERS)
def test_a_large_file_goes_through_where_a_storage_lacks_something(
    ready: dict[str, str], film: Film, kind: str
) -> None:
    manner, confirms, goes_on = MANNERS[kind]
    with faulty.proxy(ready["AWS_ENDPOINT_URL_S3"], manner) as proxy:
        store = behind(proxy, ready)
        if goes_on:
            proxy.always("PUT", "partNumber=3", faulty.refusal(403, "AccessDenied"))
            with pytest.raises(StorageError):
                store.put(film.put)
            proxy.mend()
            there = set(sent(proxy)) - {3}
            proxy.count_anew()
            behind(proxy, ready).put(film.put)
            assert len(there) > 1 or "busy" in kind
            assert len(set(sent(proxy)) & there) <= (PARTS if "busy" in kind else 0)
            store = behind(proxy, ready)
        assert store.put_all([film.put]) == ({film.key} if confirms else set())
        head = store.head(film.key)
        assert head is not None
        store.copy_all([CopyRequest(key=f"{film.key}.copy", source=film.key, bucket="public", size=SIZE)])
        copied = store.head(f"{film.key}.copy")
        assert copied is not None
        assert (copied.sha256, copied.size, copied.content_type) == (film.sha256, SIZE, head.content_type)
        assert copied.content_disposition == head.content_disposition
        assert digest(store, f"{film.key}.copy") == film.sha256


def test_a_large_file_goes_through_at_rclone(tmp_path: Path, film: Film) -> None:
    """It states no checksums, and copies no parts."""
    with stores.rclone(tmp_path / "rclone", keys=True) as environ:
        environ = {**environ, "PRESS_BUCKET": "press", "PRESS_SOLE_PUBLISHER": "1"}
        store = open_store(at(environ), environ)
        assert store.put_all([film.put]) == set()
        head = store.head(film.key)
        assert head is not None
        assert head.size == SIZE
        store.copy_all([CopyRequest(key=f"{film.key}.copy", source=film.key, bucket="public", size=SIZE)])
        assert digest(store, film.key) == digest(store, f"{film.key}.copy") == film.sha256
        assert list(store.list(UPLOADS, "private")) == []


# ── Copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def stored(store: ObjectStore, here: Destination, film: Film) -> Film:
    """A film that another program put into the private bucket, without a digest."""
    body = film.path.read_bytes()
    create_client(here, {}).put_object(Bucket=here.private_bucket, Key=film.key, Body=body, ContentType="binary/x")
    return film


@pytest.mark.parametrize("size", [SIZE, 0])
def test_the_copy_of_a_film_gets_the_headers_that_it_needs(
    store: ObjectStore, here: Destination, stored: Film, size: int
) -> None:
    source, key = store.head(stored.key, "private"), f"{stored.key}.{size}.mov"
    assert source is not None
    assert source.sha256 == ""
    copy = CopyRequest(
        key=key,
        source=stored.key,
        if_match=source.etag,
        size=size,
        media_type="video/quicktime",
        cache_control="public, max-age=60",
        download="a film.mov",
        sha256=stored.sha256,
    )
    done: list[str] = []
    store.copy_all([copy], done.append)
    head = store.head(key)
    assert head is not None
    assert (head.size, head.sha256, head.content_type) == (SIZE, stored.sha256, "video/quicktime")
    assert head.cache_control == "public, max-age=60"
    assert head.content_disposition == 'attachment; filename="a film.mov"'
    assert done == [key]
    assert digest(store, key) == stored.sha256
    store.copy_all([CopyRequest(key=key, source=key, bucket="public", size=size)], bucket="private")
    again = store.head(key, "private")
    assert again is not None
    assert (again.sha256, again.cache_control, again.content_disposition) == (
        (head.sha256, head.cache_control, head.content_disposition)
    )


@pytest.mark.parametrize("fault", ["changed", "missing"])
def test_a_film_that_changed_or_is_gone_is_not_copied_nor_read(
    store: ObjectStore, here: Destination, stored: Film, fault: str
) -> None:
    source = stored.key if fault == "changed" else "large/nowhere.mov"
    copy = CopyRequest(key=f"{stored.key}.copy", source=source, if_match='"other"', size=SIZE)
    with pytest.raises(StorageError, match=f"{source} is missing or was changed"):
        store.copy_all([copy])
    assert store.head(copy.key) is None
    with pytest.raises(StorageError, match=f"cannot read {source}: it is missing or was changed"):
        list(store.stream(source, '"other"', "private"))


def test_a_film_that_changes_while_it_is_copied_is_not_published(
    ready: dict[str, str], gate: faulty.Proxy, film: Film, tmp_path: Path
) -> None:
    direct = open_store(at(ready), ready)
    etag = direct.put(film.put, "private")
    other = Film(tmp_path / "other.mov", film.key)

    def replace(exchange: faulty.Exchange) -> None:
        direct.put(other.put, "private")
        exchange.answer(*exchange.forward())

    gate.add("PUT", "partNumber=2", replace)
    copy = CopyRequest(key=film.key, source=film.key, if_match=etag, size=SIZE)
    with pytest.raises(StorageError, match="is missing or was changed"):
        behind(gate, ready).copy_all([copy])
    assert direct.head(film.key) is None
    assert left(ready, film.key) == []


def test_an_object_too_large_for_one_copy_is_copied_in_parts(
    ready: dict[str, str], gate: faulty.Proxy, film: Film
) -> None:
    """Where nobody said how large it is, the storage does."""
    open_store(at(ready), ready).put(film.put, "private")
    gate.add("PUT", film.key, faulty.refusal(400, "InvalidRequest"))
    behind(gate, ready).copy_all([CopyRequest(key=film.key, source=film.key)])
    assert len(sent(gate)) == -(-SIZE // (2 * PART))
    assert digest(open_store(at(ready), ready), film.key) == film.sha256


# ── Memory ──────────────────────────────────────────────────────────────────────────────────────────────────────────

MEASURED = """
import hashlib, os, resource, sys
from pathlib import Path
from pipeline.storage import CopyRequest, Put, open_store
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import destination
place = destination({}, Path(sys.argv[1]))
store, path, key = open_store(place, {}), Path(sys.argv[2]), "large/sparse.mov"
store.put(Put(key="large/first.txt", body=b"words", media_type="text/plain"))

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before = peak()
store.put(Put(key=key, body=path, media_type="video/quicktime"))
head = store.head(key)
for block in store.stream(key, head.etag):
    pass
assert AnonymousClient(place.address, {}).get(key, keep=False).size == path.stat().st_size
store.delete(key)
print(peak() - before)
"""


def test_neither_sending_nor_reading_takes_more_memory_for_a_larger_file(
    embedded_root: Path, here: Destination, tmp_path: Path
) -> None:
    path = tmp_path / "sparse.mov"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    command = [sys.executable, "-c", MEASURED, str(embedded_root), str(path)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(found.stdout) < 100_000_000


def test_no_file_has_more_parts_than_s3_allows() -> None:
    for size in (8 * 1024**2 * 10_000, 8 * 1024**2 * 10_000 + 1, 5 * 1024**4):
        assert -(-size // large.part_size(size, large.PART)) <= large.MOST_PARTS


# ── Delivery ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_anonymous_client_reads_an_object_from_some_byte_on(
    store: ObjectStore, here: Destination, film: Film
) -> None:
    store.put(film.put)
    answer = AnonymousClient(here.address, {}).get(film.key, start=SIZE - 10)
    assert (answer.status, answer.body) == (206, film.path.read_bytes()[-10:])
    assert answer.headers["content-range"] == f"bytes {SIZE - 10}-{SIZE - 1}/{SIZE}"
