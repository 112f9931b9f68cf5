"""The S3 store and the anonymous client, on real servers, without and with network and storage faults."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.model.errors import SettingError, StorageError
from pipeline.storage import (
    Bucket,
    CopyRequest,
    ObjectStore,
    PreconditionFailed,
    Put,
    disposition,
    open_store,
    prepare,
)
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination
from pipeline.storage.s3 import client as s3_client
from pipeline.storage.s3 import store as s3
from tests.support import faulty


def put(key: str, body: bytes | Path = b"words", **more: str | bool) -> Put:
    return Put(key=key, body=body, media_type="text/plain; charset=utf-8", **more)  # type: ignore[arg-type]


# ── Without faults ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_object_is_read_back_with_its_headers(store: ObjectStore) -> None:
    etag = store.put(put("a/b c.txt", cache_control="public, max-age=60", download="b c.txt"))
    stored, head = store.get("a/b c.txt"), store.head("a/b c.txt")
    assert stored is not None
    assert head is not None
    assert (stored.body, stored.etag, head.etag) == (b"words", etag, etag)
    assert stored.sha256 == head.sha256 == hashlib.sha256(b"words").hexdigest()
    assert (head.size, head.content_type) == (5, "text/plain; charset=utf-8")
    assert head.cache_control == "public, max-age=60"
    assert head.content_disposition == 'attachment; filename="b c.txt"'
    assert abs(head.date - datetime.now(UTC)) < timedelta(seconds=5)


def test_a_missing_object_is_none(store: ObjectStore) -> None:
    assert store.get("nowhere") is None
    assert store.head("nowhere") is None
    store.delete("nowhere")


def test_files_are_put_from_disk(store: ObjectStore, tmp_path: Path) -> None:
    body = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(body)
    store.put(put("large.bin", tmp_path / "file"))
    found = store.get("large.bin")
    assert found is not None
    assert found.body == body


@pytest.mark.parametrize("size", [10, 3_000_000])
def test_a_file_that_is_no_longer_the_one_that_was_rendered_is_not_put(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    file, key = tmp_path / "file", f"rendered/{size}"
    file.write_bytes(b"a" * size)
    rendered = hashlib.sha256(b"a" * size).hexdigest()
    store.put(put(key, file, sha256=rendered))
    file.write_bytes(b"b" * size)
    with pytest.raises(StorageError, match=r"the file for .* has changed since it was rendered"):
        store.put(put(key, file, sha256=rendered))
    found = store.get(key)
    assert found is not None
    assert found.sha256 == rendered
    file.unlink()
    with pytest.raises(StorageError, match=r"cannot read the file for .*: No such file"):
        store.put(put(key, file, sha256=rendered))


def test_an_empty_object_can_be_put(store: ObjectStore) -> None:
    store.put(put("empty", b""))
    found = store.get("empty")
    assert found is not None
    assert found.body == b""


def test_the_two_buckets_are_separate(store: ObjectStore) -> None:
    store.put(put("only/private"), "private")
    assert store.get("only/private") is None
    assert list(store.list("only/")) == []
    assert list(store.list("only/", "private")) == ["only/private"]


def test_a_copy_inside_the_storage_has_the_bytes_and_the_headers(store: ObjectStore, here: Destination) -> None:
    staged = Put(
        key="staged/9/1",
        body=b"%PDF",
        media_type="application/pdf",
        cache_control="public, max-age=60",
        download="x.pdf",
    )
    etag = store.put(staged, "private")
    told: list[str] = []
    store.copy_all([CopyRequest(key="released/x.pdf", source="staged/9/1", if_match=etag)], told.append)
    seen, head = AnonymousClient(here.address, {}).get("released/x.pdf"), store.head("released/x.pdf")
    assert head is not None
    assert (seen.status, seen.body, seen.headers["content-type"]) == (200, b"%PDF", "application/pdf")
    assert seen.headers["cache-control"] == "public, max-age=60"
    assert seen.headers["content-disposition"] == 'attachment; filename="x.pdf"'
    assert head.sha256 == hashlib.sha256(b"%PDF").hexdigest()
    assert told == ["released/x.pdf"]


def test_an_object_that_changed_in_the_meantime_is_not_copied(store: ObjectStore) -> None:
    etag = store.put(put("staged/8/1", b"before"), "private")
    store.put(put("staged/8/1", b"after"), "private")
    with pytest.raises(StorageError, match="cannot copy released/8 inside the storage"):
        store.copy_all([CopyRequest(key="released/8", source="staged/8/1", if_match=etag)])
    with pytest.raises(StorageError, match="cannot copy released/9 inside the storage"):
        store.copy_all([CopyRequest(key="released/9", source="staged/nothing")])
    assert store.get("released/8") is None
    assert store.get("released/9") is None


def test_many_objects_are_copied_at_a_time_within_the_public_bucket_too(store: ObjectStore) -> None:
    store.put(put("from/1", b"old"))
    told: list[str] = []
    store.copy_all((CopyRequest(key=f"to/{n}", source="from/1", bucket="public") for n in range(40)), told.append)
    assert sorted(told) == sorted(f"to/{n}" for n in range(40))
    found = store.get("to/39")
    assert found is not None
    assert found.body == b"old"


def test_many_objects_are_written_at_a_time_and_each_is_reported_once(store: ObjectStore) -> None:
    keys = [f"many/{number:04}" for number in range(300)]
    told: list[str] = []
    store.put_all((put(key, key.encode()) for key in keys), told.append)
    assert sorted(told) == keys
    assert sorted(store.list("many/")) == keys
    found = store.get(keys[217])
    assert found is not None
    assert found.body == keys[217].encode()


def test_a_listing_continues_after_its_first_page(store: ObjectStore) -> None:
    store.put_all(put(f"pages/{number}", b"x") for number in range(1100))
    assert len(set(store.list("pages/"))) == 1100


def test_the_first_error_ends_a_batch_and_finished_writes_are_reported(store: ObjectStore, tmp_path: Path) -> None:
    store.put(put("batch/7"))
    puts = [put(f"batch/{number}", if_none_match=number == 7) for number in range(20)]
    puts[7] = put("batch/7", b"other words", if_none_match=True)
    told: list[str] = []
    with pytest.raises(PreconditionFailed):
        store.put_all(puts, told.append)
    assert "batch/7" not in told
    assert set(told) | {"batch/7"} == set(store.list("batch/"))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("", ""),
        ("a.pdf", 'attachment; filename="a.pdf"'),
        ('a"b\\c\r\n.txt', "attachment; filename=\"a_b_c__.txt\"; filename*=UTF-8''a%22b%5Cc%0D%0A.txt"),
        (
            "Übersicht €.txt",
            "attachment; filename=\"_bersicht _.txt\"; filename*=UTF-8''%C3%9Cbersicht%20%E2%82%AC.txt",
        ),
    ],
)
def test_the_name_of_a_download_follows_rfc_6266(name: str, header: str) -> None:
    assert disposition(name) == header


# ── Conditions ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_if_none_match_refuses_an_existing_object(store: ObjectStore) -> None:
    store.put(put("once", b"first", if_none_match=True))
    with pytest.raises(PreconditionFailed, match="once: another publisher wrote it") as caught:
        store.put(put("once", b"second", if_none_match=True))
    assert (caught.value.key, caught.value.status) == ("once", 3)


def test_if_match_refuses_another_version_and_a_missing_object(store: ObjectStore) -> None:
    etag = store.put(put("updated", b"1"))
    store.put(put("updated", b"2", if_match=etag))
    for key in ("updated", "never"):
        with pytest.raises(PreconditionFailed):
            store.put(put(key, b"3", if_match=etag))


def test_writing_the_same_content_twice_is_no_conflict(store: ObjectStore) -> None:
    etag = store.put(put("same", b"words", if_none_match=True))
    assert store.put(put("same", b"words", if_none_match=True)) == etag


@pytest.mark.parametrize("rounds", [5])
def test_of_four_simultaneous_writers_one_succeeds(store: ObjectStore, rounds: int) -> None:
    def win(request: Put) -> bool:
        barrier.wait()
        try:
            store.put(request)
        except PreconditionFailed:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        for number in range(rounds):
            barrier = threading.Barrier(4)
            key = f"race/{number}"
            assert sum(pool.map(win, (put(key, os.urandom(8), if_none_match=True) for _ in range(4)))) == 1
            head = store.head(key)
            assert head is not None
            assert sum(pool.map(win, (put(key, os.urandom(8), if_match=head.etag) for _ in range(4)))) == 1


# ── With faults ─────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class FaultyStore:
    """A store behind a proxy that fails on demand, and the same store without it."""

    proxy: faulty.Proxy
    store: ObjectStore
    direct: ObjectStore


@pytest.fixture
def bad(here: Destination, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyStore]:
    monkeypatch.setattr(s3, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(s3, "_LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(s3_client, "READ_SECONDS", 0.6)
    with faulty.proxy(here.endpoint) as proxy:
        yield FaultyStore(proxy, open_store(msgspec.structs.replace(here, endpoint=proxy.endpoint), {}), store)


TEMPORARY: dict[str, tuple[faulty.Fault, ...]] = {
    "overloaded twice": (faulty.refusal(503, "SlowDown"),) * 2,
    "an internal error": (faulty.refusal(500, "InternalError"),),
    "another write is under way": (faulty.refusal(409, "OperationAborted"),),
    "reset before the request": (faulty.reset_before,),
    "answer lost": (faulty.lost_answer,),
    "answer lost twice": (faulty.lost_answer,) * 2,
    "answer lost, then overloaded": (faulty.lost_answer, faulty.refusal(503, "SlowDown")),
    "a bit flipped on the way up": (faulty.flipped_up,),
    "no answer": (faulty.silence(0.8),),
}


@pytest.mark.parametrize("fault", TEMPORARY)
@pytest.mark.parametrize("condition", ["", "create", "update"])
def test_a_put_succeeds_after_temporary_faults(bad: FaultyStore, fault: str, condition: str) -> None:
    """A lost answer to a conditional put looks like a conflict, and is not one."""
    key = f"bad/{fault}/{condition or 'plain'}.txt"
    etag = bad.direct.put(put(key, b"before")) if condition == "update" else ""
    bad.proxy.add("PUT", "/bad/", *TEMPORARY[fault])
    given = bad.store.put(put(key, b"after", if_match=etag, if_none_match=condition == "create"))
    found = bad.direct.get(key)
    assert found is not None
    assert (found.body, found.etag, bad.proxy.left) == (b"after", given, 0)


@pytest.mark.parametrize("fault", ["truncated", "flipped_down", "reset_before"])
def test_a_get_succeeds_after_temporary_faults(bad: FaultyStore, fault: str) -> None:
    body = os.urandom(200_000)
    bad.direct.put(put("bad/read", body))
    bad.proxy.add("GET", "/bad/read", *(getattr(faulty, fault),) * 2)
    found = bad.store.get("bad/read")
    assert found is not None
    assert found.body == body
    assert bad.proxy.left == 0


def test_a_conflict_is_not_mistaken_for_a_lost_answer(bad: FaultyStore) -> None:
    bad.proxy.add("PUT", "/bad/raced", faulty.reset_before)
    bad.direct.put(put("bad/raced", b"theirs"))
    with pytest.raises(PreconditionFailed):
        bad.store.put(put("bad/raced", b"ours", if_none_match=True))


@pytest.mark.parametrize("number", [3, 200])
def test_the_keys_of_which_the_storage_stated_the_checksum_are_returned(bad: FaultyStore, number: int) -> None:
    puts = [put(f"bad/{number}/{each}", str(each).encode()) for each in range(number)]
    assert bad.store.put_all(puts) == {each.key for each in puts}
    silent = faulty.with_header("x-amz-checksum-sha256")
    bad.proxy.always("PUT", f"/bad/{number}/1", silent)
    assert bad.store.put_all(puts) == {each.key for each in puts if not each.key.startswith(f"bad/{number}/1")}


@pytest.mark.parametrize("number", [3, 200])
def test_a_storage_that_states_the_checksum_of_other_bytes_is_caught(bad: FaultyStore, number: int) -> None:
    other = faulty.with_header("x-amz-checksum-sha256", base64.b64encode(hashlib.sha256(b"other").digest()).decode())
    puts = [put(f"bad/{number}/{each}", str(each).encode()) for each in range(number)]
    bad.proxy.add("PUT", f"/bad/{number}/2", other, other)
    assert bad.store.put_all(puts) == {each.key for each in puts}, "damage on the way is repaired by sending it again"
    bad.proxy.always("PUT", f"/bad/{number}/2", other)
    with pytest.raises(StorageError, match=f"cannot write bad/{number}/2.*: the data was damaged on the way"):
        bad.store.put_all(puts)


def test_an_object_that_was_damaged_in_storage_is_not_returned(bad: FaultyStore) -> None:
    bad.direct.put(put("bad/rotten", b"sound"))
    bad.proxy.add("GET", "/bad/rotten", *(faulty.flipped_down,) * 6)
    with pytest.raises(StorageError, match="cannot read bad/rotten: the data was damaged"):
        bad.store.get("bad/rotten")


PERMANENT = {
    "SlowDown": (503, "the storage is overloaded", "try again later"),
    "InternalError": (500, "the storage has an internal error", "ask its operator"),
    "XMinioStorageFull": (507, "the storage is full", "free some space"),
    "QuotaExceeded": (403, "the storage's quota is used up", "free some space"),
    "AccessDenied": (403, "the storage refuses it", "docs/storage.md"),
    "ExpiredToken": (400, "the temporary keys have expired", "AWS_SESSION_TOKEN"),
    "InvalidToken": (400, "the session token is not valid", "AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": (
        403,
        "this computer's clock and the storage's differ too much; "
        "the storage's clock says Mon, 23 Nov 2026 10:00:00 GMT",
        "set the clock",
    ),
    "SignatureDoesNotMatch": (403, "the secret key does not match the access key", "AWS_SECRET_ACCESS_KEY"),
    "InvalidAccessKeyId": (403, "the storage does not know the access key", "AWS_ACCESS_KEY_ID"),
    "NoSuchBucket": (404, "the bucket press does not exist", "make storage"),
    "BucketAlreadyExists": (409, "the bucket press belongs to somebody else", "another name"),
    "AuthorizationHeaderMalformed": (400, "the bucket press is in another region", "set AWS_REGION to"),
    "VirtualHostDomainRequired": (400, "this storage wants the bucket in the host's name", "PRESS_ADDRESSING=virtual"),
    "Curious": (418, "the storage refuses it", "make doctor"),
}


@pytest.mark.parametrize("code", PERMANENT)
def test_permanent_faults_name_the_action_the_key_the_storages_words_and_what_to_do(
    bad: FaultyStore, code: str
) -> None:
    status, words, hint = PERMANENT[code]
    bad.proxy.add("PUT", "/bad/lasting", *(faulty.refusal(status, code),) * 6)
    with pytest.raises(StorageError) as caught:
        bad.store.put(put("bad/lasting"))
    assert str(caught.value) == f"cannot write bad/lasting: {words} ({code}: because of the test)"
    assert (caught.value.status, caught.value.kind) == (3, "storage")
    assert hint in caught.value.hint
    tried = [seen for seen in bad.proxy.seen if seen[0] == "PUT"]
    may_be_a_header = code == "SignatureDoesNotMatch"
    assert len(tried) == (6 if code in ("SlowDown", "InternalError") else 3 if may_be_a_header else 1)


def test_retries_have_a_deadline(bad: FaultyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "RETRY_SECONDS", 0.0)
    bad.proxy.add("GET", "/bad/deadline", *(faulty.refusal(503, "SlowDown"),) * 6)
    with pytest.raises(StorageError):
        bad.store.get("bad/deadline")
    assert len(bad.proxy.seen) == 1


def test_a_silent_server_ends_with_an_error(bad: FaultyStore) -> None:
    bad.proxy.add("GET", "/bad/silent", *(faulty.silence(0.8),) * 6)
    with pytest.raises(StorageError, match=r"cannot read bad/silent: .* does not answer \(timed out\)"):
        bad.store.get("bad/silent")


def nowhere() -> str:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_server_that_is_down_is_named(
    second_server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3, "_FIRST_PAUSE", 0.01)
    endpoint = nowhere()
    environ = {**second_server, "AWS_ENDPOINT_URL_S3": endpoint}
    with pytest.raises(StorageError, match=f"cannot use the bucket newsroom: no connection to {endpoint}") as caught:
        open_store(destination(environ, tmp_path), environ).check()
    assert "AWS_ENDPOINT_URL_S3" in caught.value.hint


# ── An own storage ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def own(second_server: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Destination:
    found = destination(second_server, tmp_path_factory.mktemp("own"))
    assert "bucket newsroom: created" in list(prepare(found, second_server))
    return found


def test_preparing_twice_changes_nothing(own: Destination, second_server: dict[str, str]) -> None:
    store = open_store(own, second_server)
    store.put(put("kept"))
    assert "bucket newsroom: exists already" in list(prepare(own, second_server))
    assert store.get("kept") is not None
    assert list(store.list("probe")) == list(store.list("probe", "private")) == []


def test_after_preparing_anyone_can_get_and_nobody_can_list(own: Destination, second_server: dict[str, str]) -> None:
    store = open_store(own, second_server)
    buckets: tuple[Bucket, ...] = ("public", "private")
    for bucket in buckets:
        store.put(put("seen"), bucket)
    public, private = AnonymousClient(own.address, {}), AnonymousClient(own.private_address, {})
    assert public.get("seen").body == b"words"
    assert public.ask("GET").status == public.ask("GET", "?list-type=2").status == 403
    assert private.get("seen").status == private.get("unseen").status == private.ask("GET").status == 403


def test_preparing_without_an_operators_rights_says_so(own: Destination, second_server: dict[str, str]) -> None:
    guest = {**second_server, "AWS_ACCESS_KEY_ID": "GUEST", "AWS_SECRET_ACCESS_KEY": "guests-secret"}
    with pytest.raises(StorageError, match=r"bucket newsroom.*refuses"):
        list(prepare(own, guest))


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "a mistyped bucket": (
        {"PRESS_BUCKET": "newsrom"},
        "the bucket newsrom does not exist",
    ),
    "a wrong secret": ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "the secret key does not match the access key"),
    "a wrong key": ({"AWS_ACCESS_KEY_ID": "WRONG"}, "the storage does not know the access key"),
    "a guest": ({"AWS_ACCESS_KEY_ID": "GUEST", "AWS_SECRET_ACCESS_KEY": "guests-secret"}, "the storage refuses it"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found_before_anything_is_written(
    own: Destination, second_server: dict[str, str], tmp_path: Path, mistake: str
) -> None:
    changes, words = MISTAKES[mistake]
    environ = {**second_server, **changes}
    with pytest.raises(StorageError) as caught:
        open_store(destination(environ, tmp_path), environ).check()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_a_put_to_a_mistyped_bucket_does_not_create_it(second_server: dict[str, str], tmp_path: Path) -> None:
    environ = {**second_server, "PRESS_BUCKET": "mistyped"}
    store = open_store(destination(environ, tmp_path), environ)
    with pytest.raises(StorageError, match="the bucket mistyped does not exist"):
        store.check()
    with pytest.raises(StorageError):
        store.check()


SETTINGS: dict[str, dict[str, str]] = {
    "no keys": {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
    "half a pair of keys": {"AWS_SECRET_ACCESS_KEY": ""},
    "an unknown profile": {"AWS_PROFILE": "nobody"},
}


@pytest.mark.parametrize("mistake", SETTINGS)
def test_missing_keys_are_a_setting_error(second_server: dict[str, str], tmp_path: Path, mistake: str) -> None:
    environ = {name: value for name, value in {**second_server, **SETTINGS[mistake]}.items() if value}
    with pytest.raises(SettingError) as caught:
        open_store(destination(environ, tmp_path), environ).check()
    assert caught.value.hint


def test_keys_come_from_a_profile_too(own: Destination, second_server: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(
        f"[desk]\naws_access_key_id = {second_server['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {second_server['AWS_SECRET_ACCESS_KEY']}\n"
    )
    environ = {name: value for name, value in second_server.items() if "KEY" not in name}
    environ |= {"AWS_PROFILE": "desk", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "keys")}
    open_store(own, environ).check()


def test_a_profile_with_another_endpoint_or_region_is_refused(second_server: dict[str, str], tmp_path: Path) -> None:
    """The public address would be wrong."""
    (tmp_path / "config").write_text("[profile desk]\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:9\n")
    environ = {**second_server, "AWS_PROFILE": "desk", "AWS_CONFIG_FILE": str(tmp_path / "config")}
    del environ["AWS_ENDPOINT_URL_S3"], environ["AWS_REGION"]
    with pytest.raises(SettingError, match=r"the profile names the endpoint http://127\.0\.0\.1:9"):
        open_store(destination(environ, tmp_path), environ)
    (tmp_path / "config").write_text("[profile desk]\nregion = eu-west-1\n")
    with pytest.raises(SettingError, match="the profile names the region eu-west-1"):
        open_store(destination(environ, tmp_path), environ)


def test_the_passed_environment_is_used_and_the_process_environment_is_unchanged(
    own: Destination, second_server: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "not this one")
    open_store(own, second_server).check()
    assert os.environ["AWS_ACCESS_KEY_ID"] == "not this one"


# ── The anonymous client ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_anonymous_client_reuses_its_connection(here: Destination, store: ObjectStore) -> None:
    store.put(put("anonymous"))
    anonymous = AnonymousClient(here.address, {"http_proxy": "http://127.0.0.1:9"})
    answers = [anonymous.get("anonymous") for _ in range(5)]
    assert {answer.body for answer in answers} == {b"words"}
    assert len(anonymous._idle) == 1


def test_the_anonymous_client_returns_digest_size_and_date(here: Destination, store: ObjectStore) -> None:
    store.put(put("anonymous/ü %.txt"))
    answer = AnonymousClient(here.address, {}).get("anonymous/ü %.txt", keep=False)
    assert (answer.status, answer.body, answer.size) == (200, b"", 5)
    assert answer.sha256 == hashlib.sha256(b"words").hexdigest()
    assert answer.date is not None
    head = AnonymousClient(here.address, {}).head("anonymous/ü %.txt")
    assert (head.status, head.size, head.body) == (200, 5, b"")
    assert head.headers["content-type"] == "text/plain; charset=utf-8"


def test_the_anonymous_client_has_a_size_limit(here: Destination, store: ObjectStore) -> None:
    store.put(put("long", b"x" * 100_000))
    with pytest.raises(StorageError, match="more than 1000 bytes"):
        AnonymousClient(here.address, {}).get("long", limit=1000)


@pytest.mark.parametrize("fault", [faulty.truncated, faulty.reset_before])
def test_the_anonymous_client_retries(
    here: Destination, store: ObjectStore, fault: Callable[[faulty.Exchange], None]
) -> None:
    store.put(put("again", b"x" * 100_000))
    with faulty.proxy(here.endpoint) as proxy:
        anonymous = AnonymousClient(f"{proxy.endpoint}/{here.bucket}/", {}, seconds=2)
        assert anonymous.get("again").size == 100_000
        proxy.add("GET", "again", fault, fault)
        assert anonymous.get("again").size == 100_000
        proxy.add("GET", "again", fault, fault, fault)
        with pytest.raises(StorageError, match="cannot read http://"):
            anonymous.get("again")


def test_the_anonymous_client_uses_the_proxy_for_other_machines(here: Destination, store: ObjectStore) -> None:
    assert AnonymousClient("http://press.example/x", {"http_proxy": "http://p.example:8"})._proxy == ("p.example", 8)
    for exempt in ({"no_proxy": ".example"}, {"NO_PROXY": "*"}):
        assert AnonymousClient("http://press.example/", {"HTTP_PROXY": "http://p.example:8", **exempt})._proxy is None


def test_browsers_get_the_same_bytes(here: Destination, store: ObjectStore) -> None:
    store.put(put("plain"))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(here.address + "plain", timeout=5) as answer:
        assert answer.read() == b"words"
