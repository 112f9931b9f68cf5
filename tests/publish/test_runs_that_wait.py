"""Runs that wait for an instant, and are overtaken, cut off from the store, killed or late."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.publish import staging as embargo
from tests.support.instants import in_time, leeway, published, sleep_past, soon
from tests.support.newsroom import BackgroundPublish, Office, clone, env_of, store_of
from tests.support.public_http import get


def test_whoever_waits_honours_an_earlier_date(office: Office) -> None:
    office.write("moved", date=soon(1500).isoformat())
    base = published(office)
    job = BackgroundPublish(office, "WAIT=30m")
    try:
        job.until("scheduled before")
        instant = in_time(4)
        office.write("moved", date=instant.isoformat())
        published(office)
        job.until("\nrelease moved")
        assert (datetime.now(UTC) - instant).total_seconds() < leeway(8), job.text
        assert job.end().status == 0, job.text
        assert get(f"{base}releases/moved.html")[0] == 200
    finally:
        job.kill()


def test_a_store_that_was_stopped_while_a_run_waits_costs_nothing(office: Office) -> None:
    base = published(office)
    instant = in_time() + timedelta(seconds=25)
    office.write("guarded", date=instant.isoformat())
    job = BackgroundPublish(office, "WAIT=15m")
    try:
        job.until("scheduled before")
        office.make("stop")
        assert job.end().status == 0, job.text
    finally:
        job.kill()
    late = re.search(r"^release +guarded .* (\d+\.\d) s after its instant", job.text, re.MULTILINE)
    assert late, job.text
    assert float(late[1]) < leeway(6), job.text
    assert get(f"{base}releases/guarded.html")[0] == 200


@pytest.mark.parametrize("when", ["waiting", "releasing"])
def test_a_run_that_is_killed_is_finished_by_the_next(office: Office, when: str) -> None:
    base = published(office)
    instant = in_time()
    office.write("killed", date=instant.isoformat())
    job = BackgroundPublish(office, "WAIT=15m")
    job.until("scheduled before")
    if when == "releasing":
        deadline = time.monotonic() + 60
        while get(f"{base}releases/killed.txt")[0] != 200:
            assert time.monotonic() < deadline, job.text
    job.kill()
    if when == "waiting":
        assert get(f"{base}releases/killed.txt")[0] == 404
        sleep_past(instant)
        assert get(f"{base}releases/killed.txt")[0] == 404, "no publisher runs that could release it"
    result = office.make("publish")
    assert result.status == 0, result.text
    assert get(f"{base}releases/killed.html")[0] == 200
    assert office.make("verify").status == 0
    assert "nothing to do" in office.make("publish").out
    assert list(store_of(office).list("", "private")) == [embargo.KEY]


def test_a_late_run_releases_at_once_and_says_how_late(office: Office, tmp_path: Path) -> None:
    base = published(office)
    instant = in_time()
    office.write("late", date=instant.isoformat())
    after = instant + timedelta(seconds=1)
    office.write("changed", date=after.isoformat())
    published(office)
    other = clone(office, tmp_path / "other")  # a job of its own, as the scheduler starts it
    other.write("changed", date=after.isoformat(), body="Other words than were staged.")
    sleep_past(after)
    result = other.make("publish", CI="true", **env_of(office))
    assert result.status == 0, result.text
    assert re.search(r"release +late .* after its instant", result.out), result.text
    assert not re.search(r"^upload +late .*new", result.out, re.MULTILINE), "what was staged is not sent again"
    assert b"Other words" in get(f"{base}releases/changed.txt")[2]
    assert get(f"{base}releases/late.pdf")[2] == (office.waiting / "final/releases/late.pdf").read_bytes()
    assert other.make("verify", **env_of(office)).status == 0
    assert "nothing to do" in other.make("publish", **env_of(office)).out
