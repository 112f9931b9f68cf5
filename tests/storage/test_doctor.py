"""``make doctor`` reports what four storages guarantee, and publishing refuses where it is not safe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from pipeline.build.state import BuildState
from pipeline.model.errors import StorageError
from pipeline.publish.guarantees import FINDINGS
from pipeline.storage import ObjectStore, doctor, open_store, prepare
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination
from pipeline.storage.doctor import FRESH, GUARANTEES, Finding, Findings, Guarantee, probes, refuse
from pipeline.storage.doctor.findings import find_secure_address
from pipeline.storage.doctor.probe_context import BUCKETS
from pipeline.storage.s3.setup import DAYS, expiry_days, lifecycle_rules, unfinished_days
from tests.support import signing_keys, stores
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
        found.end()


@pytest.fixture(scope="module")
def closed_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("closed")


@pytest.fixture(scope="module")
def closed(closed_data: Path) -> Iterator[dict[str, str]]:
    """rclone with keys."""
    with stores.rclone(closed_data, keys=True) as environ:
        yield environ


@pytest.fixture(scope="module")
def without_keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """rclone without keys."""
    with stores.rclone(tmp_path_factory.mktemp("without-keys"), keys=False) as environ:
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
    """SeaweedFS as a storage of one's own, with buckets for these tests, prepared."""
    environ = second_server | {"PRESS_BUCKET": "doctored"}
    list(prepare(at(environ), environ))
    return environ


def at(environ: dict[str, str]) -> Destination:
    return destination(environ, Path("/nowhere"))


def table(result: Result) -> dict[str, tuple[str, str]]:
    """Return the rows that doctor printed: what was tested → grade, and the rest of the line."""
    lines = [re.split(r"\s{2,}", line.rstrip(), maxsplit=2) for line in result.out.split("\n\n")[0].splitlines()]
    return {line[1]: (line[0], line[2]) for line in lines[1:]}


def state_of(office: Office) -> BuildState:
    return BuildState(office.content, office.folder / "output")


def findings(office: Office) -> dict[str, Findings]:
    return state_of(office).recall(FINDINGS, dict[str, Findings], {})


def cannot(result: Result) -> str:
    return result.out.partition("cannot guarantee:")[2].partition("What to do")[0]


def left(environ: dict[str, str]) -> list[str]:
    store = open_store(at(environ), environ)
    return [key for bucket in BUCKETS for key in store.list("probes/", bucket)]


def diagnosed(office: Office, environ: dict[str, str], status: int) -> Result:
    result = office.make("doctor", **environ)
    assert result.status == (2 if status else 0), result.text
    assert f"dateline: exit {status} (storage)" in result.err if status else "exit" not in result.err
    assert not SIGNED.search(result.text), "neither a secret nor a presigned link may be printed"
    assert "Traceback" not in result.text
    assert len(table(result)) == ROWS
    return result


# ── Four storages ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_embedded_store_gives_all_guarantees(office: Office) -> None:
    assert office.make("storage").status == 0
    result = diagnosed(office, {}, 0)
    assert {grade for grade, _ in table(result).values()} == {"ok"}
    assert "cannot guarantee" not in result.out
    for guarantee, words in GUARANTEES.items():
        assert (words in result.out) == (guarantee != "check"), "this newsroom does not sign"
    found = table(result)
    assert "16 rounds of 2 and 4 writers, one succeeded in each" in found["simultaneous writes, create"][1]
    assert "16 rounds of 2 and 4 writers, one succeeded in each" in found["simultaneous writes, replace"][1]
    assert "staged/ is removed after 400 days" in found["lifecycle rules"][1]
    for bucket in BUCKETS:
        assert "their parts are removed after 2 days" in found[f"unfinished uploads, {bucket}"][1]
    assert "BadDigest" in found["wrong checksum"][1]
    assert "sent in parts, with the SHA-256 of each" in found["large files"][1]
    assert "an interrupted upload goes on" in found["large files"][1]


def test_where_the_newsroom_signs_it_says_whether_browsers_check_signatures_at_its_address(
    office: Office, good: dict[str, str], tmp_path: Path
) -> None:
    signers = office.content / "signers"
    signers.write_text(signing_keys.line(signing_keys.new_key(tmp_path / "key")), "utf-8")
    try:
        result = office.make("doctor", **good, PRESS_BASE_URL="http://press.example.org/")
    finally:
        signers.unlink()
    grade, found = table(result)["public address"]
    assert (result.status, grade) == (0, "lacks"), result.text
    assert "HTTP: http://press.example.org/" in found
    assert f"{GUARANTEES['check']} (because of: public address)" in cannot(result)
    assert "base_url" in result.out.partition("What to do")[2]


@pytest.mark.parametrize(
    ("address", "is_secure"),
    [
        ("https://press.example.org/", True),
        ("http://127.0.0.1:8333/press/", True),
        ("http://[::1]/press/", True),
        ("http://localhost:80/", True),
        ("http://press.localhost/", True),
        ("http://press.example.org/", False),
        ("http://192.168.1.4/press/", False),
        ("http://127.0.0.1.example.org/", False),
        ("http://localhost.example.org/", False),
    ],
)
def test_addresses_that_browsers_take_for_secure(address: str, is_secure: bool) -> None:
    assert (find_secure_address(address).against == ()) == is_secure


def test_doctor_leaves_no_objects_in_the_embedded_store(office: Office) -> None:
    here = destination({}, office.folder)
    store = open_store(here, {})
    assert [*store.list("", "public"), *store.list("", "private")] == []


def test_own_seaweedfs_is_safe(office: Office, good: dict[str, str]) -> None:
    """With its operator's keys, a write creates a missing bucket, and the report says so."""
    result = diagnosed(office, good, 0)
    assert table(result)["policy, public bucket"] == ("ok", table(result)["policy, public bucket"][1])
    assert "anyone may s3:GetObject" in table(result)["policy, public bucket"][1]
    assert left(good) == []


def test_rclone_has_no_conditional_writes(office: Office, closed: dict[str, str], closed_data: Path) -> None:
    result = diagnosed(office, closed, 3)
    found = table(result)
    for what in (
        "write if absent",
        "write if unchanged",
        "simultaneous writes, create",
        "simultaneous writes, replace",
    ):
        assert found[what][0] == "unsafe", what
    assert found["anonymous read, public"][0] == "unsafe", "with keys, rclone lets nobody read anonymously"
    assert found["anonymous read, private"][0] == "ok"
    assert found["wrong checksum"][0] == "lacks"
    assert found["presigned link"][0] == "ok"
    assert GUARANTEES["private"] not in cannot(result)
    assert GUARANTEES["together"] in cannot(result)
    assert "PRESS_SOLE_PUBLISHER=1" in result.out
    assert [path for path in (closed_data / "data").rglob("*") if path.is_file()] == []


def test_rclone_without_keys_is_open_to_all(office: Office, without_keys: dict[str, str]) -> None:
    result = diagnosed(office, without_keys, 3)
    found = table(result)
    for what in (
        "anonymous read, private",
        "anonymous listing, public",
        "anonymous listing, private",
        "anonymous write, public",
        "anonymous write, private",
        "presigned link",
    ):
        assert found[what][0] == "unsafe", what
    guarantees: tuple[Guarantee, ...] = ("publish", "together", "private", "share")
    for guarantee in guarantees:
        assert GUARANTEES[guarantee] in cannot(result)


def test_moto_accepts_any_signature_and_lets_anyone_list(office: Office, mocked: dict[str, str]) -> None:
    result = diagnosed(office, mocked, 3)
    found = table(result)
    assert "forged signature" in found["presigned link"][1]
    assert "still opens" in found["expired link"][1]
    assert found["anonymous listing, public"][0] == "unsafe"
    assert "succeeded in" in found["simultaneous writes, create"][1], "it tests and writes in two steps: several may"
    assert left(mocked) == []


def test_findings_are_stored_by_destination(office: Office, closed: dict[str, str]) -> None:
    kept = findings(office)
    ours = kept[f"{closed['AWS_ENDPOINT_URL_S3']}/press/ press-private"]
    assert ours.against("together")
    assert len(kept) == 5, "each storage has its own"


# ── Cleaning up ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_probes_are_removed_when_one_fails(good: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(probe_context: object) -> Iterator[Finding]:
        assert left(good), "otherwise there is nothing to remove"
        raise StorageError("the line was cut")
        yield

    chosen = (*probes.PROBES[:3], failed)
    monkeypatch.setattr(probes, "PROBES", chosen)
    with pytest.raises(StorageError, match="the line was cut"):
        doctor.examine(at(good), good, QUIET)
    assert left(good) == []


def test_probes_of_a_killed_run_are_removed_later(good: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.storage import Put
    from pipeline.storage.doctor import probe_context

    store = open_store(at(good), good)
    for bucket in BUCKETS:
        store.put(Put(key="probes/dead/x.txt", body=b"x", media_type="text/plain"), bucket)
    monkeypatch.setattr(probes, "PROBES", ())
    doctor.examine(at(good), good, QUIET)
    assert len(left(good)) == 2, "they may belong to a run that is still going on"
    monkeypatch.setattr(probe_context, "_OLD", timedelta(seconds=-5))
    doctor.examine(at(good), good, QUIET)
    assert left(good) == []


def test_missing_bucket_is_named(office: Office, good: dict[str, str]) -> None:
    result = office.make("doctor", **(good | {"PRESS_BUCKET": "no-such-bucket-here"}))
    assert "dateline: exit 3 (storage)" in result.err
    assert "the bucket no-such-bucket-here does not exist" in result.err


def test_incomplete_settings_end_with_2(office: Office) -> None:
    assert "dateline: exit 2" in office.make("doctor", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9").err


def test_wrong_secret_ends_at_once(office: Office, good: dict[str, str]) -> None:
    result = office.make("doctor", **(good | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}))
    assert "dateline: exit 3 (storage)" in result.err
    assert "wrong-secret" not in result.text


# ── Publishing uses the findings ────────────────────────────────────────────────────────────────────────────────────


def refused(office: Office, environ: dict[str, str], *words: str) -> Result:
    result = office.make("publish", **environ)
    assert "dateline: exit 3 (storage)" in result.err, result.text
    for word in words:
        assert word in result.err, result.text
    return result


def test_publish_refuses_a_storage_without_conditions(tmp_path: Path) -> None:
    """Nobody has run doctor: publishing tests the storage itself, says why it refuses, and uploads nothing."""
    office = Office(tmp_path / "office")
    office.write("one")
    with stores.rclone(tmp_path / "store", keys=True) as environ:
        refused(office, environ, "write if absent", "If-None-Match", "PRESS_SOLE_PUBLISHER=1")
        store = open_store(at(environ), environ)
        assert list(store.list()) == [], "nothing was uploaded"
        # After a refusal everything is tested again: with keys, rclone lets nobody read anonymously.
        refused(office, environ, "anonymous read, public", "nobody could read what is published")
        assert list(store.list()) == []


def test_sole_publisher_needs_no_conditions(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    with stores.rclone(tmp_path / "store", keys=True) as environ:
        result = office.make("publish", **environ, PRESS_SOLE_PUBLISHER="1")
        assert "write if absent" not in result.text
        assert "releases/one.html" in list(open_store(at(environ), environ).list()), "it was uploaded"


def test_publish_refuses_a_public_bucket_that_anyone_lists(tmp_path: Path, mocked: dict[str, str]) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    refused(office, mocked, "anonymous listing, public", "before it is announced")
    assert list(open_store(at(mocked), mocked).list()) == []


def test_publish_works_again_once_the_storage_was_corrected(tmp_path: Path, good: dict[str, str]) -> None:
    """Publishing tests a storage again that it must refuse, so nobody has to run doctor first."""
    office = Office(tmp_path / "office")
    office.write("one")
    known = Findings(datetime.now(UTC), (Finding("write if absent", "ignored", "was so", ("together",)),))
    place = f"{good['AWS_ENDPOINT_URL_S3']}/doctored/ doctored-private"
    state = state_of(office)
    state.prepare()
    state.remember(FINDINGS, {place: known})
    result = office.make("publish", **good)
    assert result.status == 0, result.text
    assert AnonymousClient(at(good).address, {}).get("releases/one.html").status == 200
    assert len(findings(office)[place].all) == ROWS, "everything was tested again"


def test_a_dry_run_does_not_test_the_storage_which_would_write_there(tmp_path: Path, good: dict[str, str]) -> None:
    office = Office(tmp_path / "office")
    office.write("of-a-dry-run")
    result = office.make("publish", "DRY_RUN=1", **good)
    assert result.status == 0, result.text
    assert "nothing was written" in result.out
    assert findings(office) == {}


def test_publish_tests_the_storage_once_and_remembers_the_findings(tmp_path: Path, good: dict[str, str]) -> None:
    office = Office(tmp_path / "office")
    office.write("two")
    assert office.make("publish", **good).status == 0
    first = findings(office)
    store = open_store(at(good), good)
    there = store.head(doctor.QUICK_CHECK_KEY, "private")
    office.write("three")
    assert office.make("publish", **good).status == 0
    assert findings(office) == first
    after = store.head(doctor.QUICK_CHECK_KEY, "private")
    assert there
    assert after
    assert after.etag == there.etag, "not written again"
    assert left(good) == []


def test_quick_check_tells_whether_conditions_are_supported(
    good: dict[str, str], closed: dict[str, str], here: Destination, store: ObjectStore
) -> None:
    for _ in range(2):  # the object is there already the second time
        assert not doctor.quick_check(at(good), good).against("together")
        assert not doctor.quick_check(here, {}).against("together")
        assert doctor.quick_check(at(closed), closed).against("together")
    store.delete(doctor.QUICK_CHECK_KEY, "private")


# ── Parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = 28
"""Of a report."""


def sample(ahead: float, at_second: float = 0.0, took: float = 0.05) -> tuple[datetime, datetime, datetime]:
    """Return a request at noon plus ``at_second`` by our clock to a clock that is ``ahead``."""
    begun = NOON + timedelta(seconds=at_second)
    theirs = begun + timedelta(seconds=took / 2 + ahead)
    return begun, theirs.replace(microsecond=0), begun + timedelta(seconds=took)


@pytest.mark.parametrize("ahead", [-1.8, -0.4, 0.0, 0.3, 1.9])
def test_clock_within_two_seconds_is_accurate_enough(ahead: float) -> None:
    found = probes.compare_clocks(sample(ahead, step / 6) for step in range(6))
    assert not found.against
    shown = float(found.result.split()[0]) * (1 if "ahead" in found.result else -1)
    assert abs(shown - ahead) <= 0.15, found.result


@pytest.mark.parametrize(("ahead", "words"), [(-2.6, "2.6 s behind"), (2.4, "2.4 s ahead"), (3600, "3600.")])
def test_clock_that_differs_more_rules_out_publishing(ahead: float, words: str) -> None:
    found = probes.compare_clocks(sample(ahead, step / 6) for step in range(6))
    assert {"publish", "release"} <= set(found.against)
    number = float(found.result.split()[0])
    assert abs(number - abs(ahead)) <= 0.15, (found.result, words)


def test_storage_that_states_no_time_cannot_release_on_time() -> None:
    assert probes.compare_clocks([]).against == ("release",)


def test_refusal_names_bucket_finding_and_remedy() -> None:
    found = Findings(NOON, (Finding("anonymous listing, public", "200", "names are open", ("publish",), "close it"),))
    with pytest.raises(StorageError, match="press: anonymous listing, public: 200; names are open") as error:
        refuse(found, "publish", "press")
    assert error.value.hint == "close it"
    refuse(found, "together", "press")


def test_newer_findings_replace_older_ones() -> None:
    old = Findings(NOON, (Finding("a", "old", ""), Finding("b", "old", "")))
    new = Findings(NOON + FRESH, (Finding("a", "new", ""),))
    assert [(f.what, f.result) for f in new.over(old).all] == [("a", "new"), ("b", "old")]
    assert new.over(None) == new


def test_lifecycle_rules_are_recognised() -> None:
    ours = lifecycle_rules(DAYS)
    assert {prefix: expiry_days(ours, prefix) for prefix in DAYS} == {"staged/": 400, "shared/": 8, "uploads/": 2}
    assert expiry_days(ours, "other/") == 0
    assert unfinished_days(ours) == unfinished_days(lifecycle_rules({})) == 2
    off = [{**rule, "Status": "Disabled"} for rule in ours]
    assert expiry_days(off, "staged/") == unfinished_days(off) == 0
    some = {"Status": "Enabled", "Filter": {"Prefix": "staged/"}}
    assert unfinished_days([{**some, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2}}]) == 0
    assert expiry_days([{"Status": "Enabled", "Filter": {"Tag": {}}, "Expiration": {"Days": 3}}], "staged/") == 0
    assert expiry_days([{"Status": "Enabled", "Filter": {}, "Expiration": {"Days": 3}}], "staged/") == 3
    assert expiry_days([{"Status": "Enabled", "Prefix": "", "Expiration": {"Days": 3}}], "staged/") == 3
