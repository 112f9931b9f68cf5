"""``make doctor``: what four storages really keep, what follows from it, and what publishing makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import msgspec
import pytest

from pipeline.model.errors import StorageError
from pipeline.storage import ObjectStore, open_store, prepare
from pipeline.storage import doctor as probes
from pipeline.storage.destination import Destination, destination
from pipeline.storage.doctor import clock_and_links as hours
from pipeline.storage.doctor.findings import FRESH, GUARANTEES, Finding, Findings, refuse
from pipeline.storage.doctor.probe_context import BUCKETS
from pipeline.storage.s3.lifecycle import DAYS, expiry_days, rules
from tests.publish.test_publish import get
from tests.support import stores
from tests.support.newsroom import Office, Result

SIGNED = re.compile(r"X-Amz-|operators-secret|AWSAccessKeyId")
QUIET = lambda number, total: None  # noqa: E731


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("doctor") / "office")
    found.write("one", title="The first one")
    try:
        yield found
    finally:
        found.make("stop")


@pytest.fixture(scope="module")
def closed_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("closed")


@pytest.fixture(scope="module")
def closed(closed_data: Path) -> Iterator[dict[str, str]]:
    """rclone with keys."""
    with stores.rclone(closed_data, keys=True) as environ:
        yield environ


@pytest.fixture(scope="module")
def ajar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """rclone without keys."""
    with stores.rclone(tmp_path_factory.mktemp("ajar"), keys=False) as environ:
        yield environ


@pytest.fixture(scope="module")
def mocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """moto, with both buckets."""
    with stores.moto(tmp_path_factory.mktemp("moto")) as environ:
        client = boto3.client(
            "s3",
            endpoint_url=environ["AWS_ENDPOINT_URL_S3"],
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )
        for bucket in ("press", "press-private"):
            client.create_bucket(Bucket=bucket)
        yield environ


@pytest.fixture(scope="module")
def good(second_server: dict[str, str]) -> dict[str, str]:
    """SeaweedFS as somebody's own storage, with buckets of these tests' own, prepared."""
    environ = second_server | {"PRESS_BUCKET": "doctored"}
    list(prepare(at(environ), environ))
    return environ


def at(environ: dict[str, str]) -> Destination:
    return destination(environ, Path("/nowhere"))


def table(result: Result) -> dict[str, tuple[str, str]]:
    """Return what doctor printed of each probe: its grade, and the rest of the line."""
    lines = [re.split(r"\s{2,}", line.rstrip(), maxsplit=2) for line in result.out.split("\n\n")[0].splitlines()]
    return {line[1]: (line[0], line[2]) for line in lines[1:]}


def cannot(result: Result) -> str:
    return result.out.partition("cannot promise:")[2].partition("What to do")[0]


def left(environ: dict[str, str]) -> list[str]:
    store = open_store(at(environ), environ)
    return [key for bucket in BUCKETS for key in store.list("probes/", bucket)]


def diagnosed(office: Office, environ: dict[str, str], status: int) -> Result:
    result = office.make("doctor", **environ)
    assert result.status == (2 if status else 0), result.text
    assert f"dateline: exit {status} (storage)" in result.err if status else "exit" not in result.err
    assert not SIGNED.search(result.text), "no secret, no signed address"
    assert "Traceback" not in result.text
    assert len(table(result)) == 23
    return result


# ── Four storages ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_embedded_store_keeps_everything(office: Office) -> None:
    assert office.make("storage").status == 0
    result = diagnosed(office, {}, 0)
    assert {grade for grade, _ in table(result).values()} == {"ok"}
    assert "cannot promise" not in result.out
    for words in GUARANTEES.values():
        assert words in result.out
    found = table(result)
    assert "16 rounds of 2 and 4 writers, one winner each" in found["races to create"][1]
    assert "16 rounds of 2 and 4 writers, one winner each" in found["races to replace"][1]
    assert "staged/ goes after 400 days" in found["lifecycle rule"][1]
    assert "BadDigest" in found["checksum that does not fit"][1]


def test_embedded_store_is_clean_afterwards(office: Office) -> None:
    here = destination({}, office.folder)
    store = open_store(here, {})
    assert [*store.list("", "public"), *store.list("", "private")] == []


def test_own_seaweedfs_is_safe(office: Office, good: dict[str, str]) -> None:
    """Its operator's keys make a bucket by a mere put, which the report must say."""
    result = diagnosed(office, good, 0)
    assert table(result)["policy, public bucket"] == ("ok", table(result)["policy, public bucket"][1])
    assert "anyone may s3:GetObject" in table(result)["policy, public bucket"][1]
    assert left(good) == []


def test_rclone_has_no_conditions(office: Office, closed: dict[str, str], closed_data: Path) -> None:
    result = diagnosed(office, closed, 3)
    found = table(result)
    for what in ("write if there is none", "write while unchanged", "races to create", "races to replace"):
        assert found[what][0] == "unsafe", what
    assert found["a stranger reads, public"][0] == "unsafe", "with keys it lets nobody read"
    assert found["a stranger reads, private"][0] == "ok"
    assert found["checksum that does not fit"][0] == "lacks"
    assert found["signed link"][0] == "ok"
    assert "what lies in the private bucket can be read by the publisher alone" not in cannot(result)
    assert GUARANTEES["together"] in cannot(result)
    assert "PRESS_SOLE_PUBLISHER=1" in result.out
    assert [path for path in (closed_data / "data").rglob("*") if path.is_file()] == []


def test_rclone_without_keys_is_open_to_all(office: Office, ajar: dict[str, str]) -> None:
    result = diagnosed(office, ajar, 3)
    found = table(result)
    for what in (
        "a stranger reads, private",
        "a stranger lists, public",
        "a stranger lists, private",
        "a stranger writes, public",
        "a stranger writes, private",
        "signed link",
    ):
        assert found[what][0] == "unsafe", what
    for guarantee in ("publish", "together", "wait", "share"):
        assert GUARANTEES[guarantee] in cannot(result)


def test_moto_takes_any_signature_and_lists_for_anyone(office: Office, mocked: dict[str, str]) -> None:
    result = diagnosed(office, mocked, 3)
    found = table(result)
    assert "forged signature" in found["signed link"][1]
    assert "still opens" in found["a link after its end"][1]
    assert found["a stranger lists, public"][0] == "unsafe"
    assert "one winner each" in found["races to create"][1]
    assert GUARANTEES["together"] not in cannot(result)
    assert left(mocked) == []


def test_findings_are_kept_by_destination(office: Office, closed: dict[str, str]) -> None:
    kept = msgspec.json.decode((office.folder / "output/.work/storage_findings").read_bytes(), type=dict[str, Findings])
    ours = kept[f"{closed['AWS_ENDPOINT_URL_S3']}/press/ press-private"]
    assert ours.against("together")
    assert len(kept) == 5, "each storage has its own"


# ── What is left behind ─────────────────────────────────────────────────────────────────────────────────────────────


def test_probes_are_removed_when_one_fails(good: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(probe_context: object) -> Iterator[Finding]:
        assert left(good), "there is something to be removed"
        raise StorageError("the line was cut")
        yield

    chosen = (*probes._PROBES[:3], failed)
    monkeypatch.setattr(probes, "_PROBES", chosen)
    with pytest.raises(StorageError, match="the line was cut"):
        probes.examine(at(good), good, QUIET)
    assert left(good) == []


def test_probes_of_a_run_that_was_killed_are_swept_later(good: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.storage import Put
    from pipeline.storage.doctor import probe_context

    store = open_store(at(good), good)
    for bucket in BUCKETS:
        store.put(Put(key="probes/dead/x.txt", body=b"x", media_type="text/plain"), bucket)
    monkeypatch.setattr(probes, "_PROBES", ())
    probes.examine(at(good), good, QUIET)
    assert len(left(good)) == 2, "another run may be at work with them"
    monkeypatch.setattr(probe_context, "_STALE", timedelta(seconds=-5))
    probes.examine(at(good), good, QUIET)
    assert left(good) == []


def test_missing_bucket_is_named(office: Office, good: dict[str, str]) -> None:
    result = office.make("doctor", **(good | {"PRESS_BUCKET": "no-such-bucket-here"}))
    assert "dateline: exit 3 (storage)" in result.err
    assert "the bucket no-such-bucket-here does not exist" in result.err


def test_half_a_setting_ends_with_2(office: Office) -> None:
    assert "dateline: exit 2" in office.make("doctor", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9").err


def test_wrong_secret_ends_at_once(office: Office, good: dict[str, str]) -> None:
    result = office.make("doctor", **(good | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}))
    assert "dateline: exit 3 (storage)" in result.err
    assert "wrong-secret" not in result.text


# ── What publishing makes of it ─────────────────────────────────────────────────────────────────────────────────────


def refused(office: Office, environ: dict[str, str], *words: str) -> Result:
    result = office.make("publish", **environ)
    assert "dateline: exit 3 (storage)" in result.err, result.text
    for word in words:
        assert word in result.err, result.text
    return result


def test_publish_refuses_a_storage_without_conditions(tmp_path: Path) -> None:
    """Nobody ran doctor: publishing looks for itself, says why, and puts nothing up."""
    office = Office(tmp_path / "office")
    office.write("one")
    with stores.rclone(tmp_path / "store", keys=True) as environ:
        refused(office, environ, "write if there is none", "If-None-Match", "PRESS_SOLE_PUBLISHER=1")
        store = open_store(at(environ), environ)
        assert list(store.list()) == [], "nothing went up"
        # What stands against publishing is tried anew, in full: with keys rclone lets nobody read.
        refused(office, environ, "a stranger reads, public", "nobody could read what is published")
        assert list(store.list()) == []


def test_sole_publisher_needs_no_conditions(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    with stores.rclone(tmp_path / "store", keys=True) as environ:
        result = office.make("publish", **environ, PRESS_SOLE_PUBLISHER="1")
        assert "write if there is none" not in result.text
        assert "releases/one.html" in list(open_store(at(environ), environ).list()), "it went up"


def test_publish_refuses_a_public_bucket_that_anyone_lists(tmp_path: Path, mocked: dict[str, str]) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    refused(office, mocked, "a stranger lists, public", "before it is announced")
    assert list(open_store(at(mocked), mocked).list()) == []


def test_publish_goes_on_once_it_was_mended(tmp_path: Path, good: dict[str, str]) -> None:
    """A finding that stands against publishing is tried anew; who mended it need not run doctor first."""
    office = Office(tmp_path / "office")
    office.write("one")
    known = Findings(datetime.now(UTC), (Finding("write if there is none", "ignored", "was so", ("together",)),))
    place = f"{good['AWS_ENDPOINT_URL_S3']}/doctored/ doctored-private"
    path = office.folder / "output/.work/storage_findings"
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode({place: known}))
    result = office.make("publish", **good)
    assert result.status == 0, result.text
    assert get(f"{at(good).address}releases/one.html")[0] == 200
    kept = msgspec.json.decode(path.read_bytes(), type=dict[str, Findings])[place]
    assert len(kept.found) == 23, "everything was tried anew"


def test_publish_looks_once_and_remembers(tmp_path: Path, good: dict[str, str]) -> None:
    office = Office(tmp_path / "office")
    office.write("two")
    assert office.make("publish", **good).status == 0
    path = office.folder / "output/.work/storage_findings"
    first = path.read_bytes()
    store = open_store(at(good), good)
    there = store.head(probes.KEPT, "private")
    office.write("three")
    assert office.make("publish", **good).status == 0
    assert path.read_bytes() == first
    after = store.head(probes.KEPT, "private")
    assert there
    assert after
    assert after.etag == there.etag, "not written again"
    assert left(good) == []


def test_glance_tells_a_keeping_storage_from_one_that_ignores(
    good: dict[str, str], closed: dict[str, str], here: Destination, store: ObjectStore
) -> None:
    for _ in range(2):  # the object is there already the second time
        assert not probes.quick_check(at(good), good).against("together")
        assert not probes.quick_check(here, {}).against("together")
        assert probes.quick_check(at(closed), closed).against("together")
    store.delete(probes.KEPT, "private")


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sample(ahead: float, at_second: float = 0.0, took: float = 0.05) -> tuple[datetime, datetime, datetime]:
    """Return a question asked when our clock said noon and a bit, of a clock that is ``ahead``."""
    begun = NOON + timedelta(seconds=at_second)
    theirs = begun + timedelta(seconds=took / 2 + ahead)
    return begun, theirs.replace(microsecond=0), begun + timedelta(seconds=took)


@pytest.mark.parametrize("ahead", [-1.8, -0.4, 0.0, 0.3, 1.9])
def test_clock_within_two_seconds_is_right(ahead: float) -> None:
    found = hours.compared(sample(ahead, step / 6) for step in range(6))
    assert not found.against
    shown = float(found.found.split()[0]) * (1 if "ahead" in found.found else -1)
    assert abs(shown - ahead) <= 0.15, found.found


@pytest.mark.parametrize(("ahead", "words"), [(-2.6, "2.6 s behind"), (2.4, "2.4 s ahead"), (3600, "3600.")])
def test_clock_further_apart_stands_against_publishing(ahead: float, words: str) -> None:
    found = hours.compared(sample(ahead, step / 6) for step in range(6))
    assert {"publish", "lift"} <= set(found.against)
    number = float(found.found.split()[0])
    assert abs(number - abs(ahead)) <= 0.15, (found.found, words)


def test_storage_that_tells_no_time_cannot_keep_an_instant() -> None:
    assert hours.compared([]).against == ("lift",)


def test_refusal_names_bucket_finding_and_remedy() -> None:
    found = Findings(NOON, (Finding("a stranger lists, public", "200", "names are open", ("publish",), "close it"),))
    with pytest.raises(StorageError, match="press: a stranger lists, public: 200; names are open") as error:
        refuse(found, "publish", "press")
    assert error.value.hint == "close it"
    refuse(found, "together", "press")


def test_newer_findings_stand_over_older_ones() -> None:
    old = Findings(NOON, (Finding("a", "old", ""), Finding("b", "old", "")))
    new = Findings(NOON + FRESH, (Finding("a", "new", ""),))
    assert [(f.what, f.found) for f in new.over(old).found] == [("a", "new"), ("b", "old")]
    assert new.over(None) == new


def test_lifecycle_rules_are_found_again() -> None:
    assert {prefix: expiry_days(rules(), prefix) for prefix in DAYS} == {"staged/": 400, "shared/": 8}
    assert expiry_days(rules(), "other/") == 0
    off = [{**rule, "Status": "Disabled"} for rule in rules()]
    assert expiry_days(off, "staged/") == 0
    assert expiry_days([{"Status": "Enabled", "Filter": {"Tag": {}}, "Expiration": {"Days": 3}}], "staged/") == 0
    assert expiry_days([{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 3}}], "staged/") == 3
    assert expiry_days([{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 3}}], "staged/") == 3
