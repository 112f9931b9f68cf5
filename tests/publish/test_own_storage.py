"""Somebody's own S3 storage, named by the environment: prepared once, published to, and failing in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.newsroom import Office, Result
from tests.support.public_http import address_of, get


@pytest.fixture(scope="module")
def ours(second_server: dict[str, str]) -> dict[str, str]:
    """The second server with buckets of these tests' own."""
    return second_server | {"PRESS_BUCKET": "press-office"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    found = Office(tmp_path_factory.mktemp("own") / "office")
    found.write("one", title="The first one")
    return found


@pytest.fixture(scope="module")
def base(office: Office, ours: dict[str, str]) -> str:
    """The newsroom's address in the second server, after ``make storage`` and ``make publish``."""
    prepared = office.make("storage", **ours)
    assert prepared.status == 0, prepared.text
    result = office.make("publish", **ours)
    assert result.status == 0, result.text
    return address_of(result.out)


def refused(result: Result, *words: str) -> None:
    """Assert that a run ended with 3 in one clear line (and a hint), without a traceback."""
    assert result.status == 2, "make's own status"
    assert "dateline: exit 3 (storage)" in result.err, result.text
    said = [line for line in result.err.splitlines() if not line.startswith(("  hint", "dateline:", "make"))]
    assert len(said) == 1, said
    for word in words:
        assert word in said[0]
    assert "Traceback" not in result.text


def test_ours_holds_the_whole_newsroom(office: Office, base: str, ours: dict[str, str]) -> None:
    assert base == f"{ours['AWS_ENDPOINT_URL_S3']}/press-office/"
    for key, data in office.files().items():
        assert get(base + key)[::2] == (200, data), key
    assert f"{base}releases/one.html" in get(f"{base}releases/one.html")[2].decode()
    assert "nothing to do" in office.make("publish", **ours).out
    assert office.make("verify", **ours).status == 0
    assert not (office.folder / ".store").exists(), "the embedded store has no part in it"


def test_preparing_twice_changes_nothing(office: Office, base: str, ours: dict[str, str]) -> None:
    assert office.make("storage", **ours).status == 0
    assert get(f"{base}releases/one.pdf")[0] == 200
    assert get(base)[0] in (403, 404), "anonymous readers may not list"


def test_wrong_secret_is_refused_in_one_line(office: Office, base: str, ours: dict[str, str]) -> None:
    office.write("two")
    wrong = ours | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    result = office.make("publish", **wrong)
    refused(result, "press-office")
    assert "wrong-secret" not in result.text
    assert get(f"{base}releases/two.html")[0] != 200
    assert get(f"{base}releases/one.html")[0] == 200


def test_missing_bucket_is_named_and_not_made(office: Office, ours: dict[str, str]) -> None:
    result = office.make("publish", **(ours | {"PRESS_BUCKET": "press-ofice"}))
    refused(result, "press-ofice")
    again = office.make("publish", **(ours | {"PRESS_BUCKET": "press-ofice"}))
    refused(again, "press-ofice")


def test_storage_that_is_down_is_named(office: Office, ours: dict[str, str]) -> None:
    down = ours | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    refused(office.make("publish", **down), "127.0.0.1:9")


def test_half_a_setting_is_refused(office: Office) -> None:
    result = office.make("publish", AWS_ENDPOINT_URL_S3="http://127.0.0.1:9")
    assert "dateline: exit 2" in result.err
    assert "PRESS_BUCKET" in result.err


def test_job_that_forgot_its_bucket_does_not_end_green(office: Office) -> None:
    result = office.make("publish", CI="true")
    assert "dateline: exit 2" in result.err
    assert "PRESS_BUCKET" in result.err


def test_two_publishers_with_different_releases_both_end_up_listed(
    base: str, ours: dict[str, str], tmp_path: Path
) -> None:
    offices = [Office(tmp_path / name) for name in ("left", "right")]
    for office in offices:
        office.write(f"from-{office.folder.name}")
        assert office.make("render", **ours).status == 0
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda office: office.make("publish", **ours), offices))
    assert [result.status for result in results] == [0, 0], [result.text for result in results]
    index, feed = (get(base + key)[2].decode() for key in ("index.html", "feed.xml"))
    for slug in ("one", "from-left", "from-right"):
        assert f"releases/{slug}.html" in index
        assert f"releases/{slug}.html" in feed


def test_other_content_of_the_same_release_is_a_conflict(base: str, ours: dict[str, str], tmp_path: Path) -> None:
    """The second publisher started from the same state, so it must not overwrite what the first one said."""
    first, second = Office(tmp_path / "first"), Office(tmp_path / "second")
    first.write("same", body="What the first one says.")
    second.write("same", body="What the second one says.")
    fetched = second.make("render", **ours)
    assert fetched.status == 0, fetched.text
    assert second.step("fetch", **ours).status == 0
    assert second.make("renditions", **ours).status == 0, "its page leads to those that were public before"
    assert first.make("publish", **ours).status == 0
    result = second.step("publish", **ours)
    assert result.status == 4, result.text
    assert "dateline: exit 4 (conflict)" in result.err
    assert "same" in result.err
    assert b"What the first one says." in get(f"{base}releases/same.txt")[2]
