"""Scheduled releases that are edited, moved or cancelled before their instant, and runs that are killed or late."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.publish import staging as embargo
from tests.support.instants import in_time, leeway, published, sleep_past, soon
from tests.support.newsroom import BackgroundPublish, Office, clone, env_of, store_of
from tests.support.polling import Poller
from tests.support.public_http import get

SECRET = "Closely guarded headline"


# ── Others meanwhile ────────────────────────────────────────────────────────────────────────────────────────────────


def test_two_jobs_at_once_are_harmless(office: Office, tmp_path: Path) -> None:
    base = published(office)
    instant = in_time(4)
    office.write("shared", title=SECRET, date=instant.isoformat())
    other = clone(office, tmp_path / "other")
    jobs = [BackgroundPublish(office, "WAIT=15m"), BackgroundPublish(other, "WAIT=15m", **env_of(office))]
    with Poller(base, ["shared"], instant) as poller:
        ended = [render_input.end() for render_input in jobs]
        poller.wait(5)
    for result in ended:
        assert result.status == 0, result.text
        assert SECRET not in result.text
    assert poller.all_told, poller.table()
    assert min(record.first_success for record in poller.records.values()) >= 0
    assert office.make("verify").status == 0
    assert "nothing to do" in office.make("publish").out


def test_what_is_moved_or_cancelled_meanwhile_is_honoured(office: Office, tmp_path: Path) -> None:
    base = published(office)
    instant = in_time(8)
    for slug in ("kept", "moved", "cancelled"):
        office.write(slug, date=instant.isoformat())
    render_input = BackgroundPublish(office, "WAIT=15m")
    render_input.until("scheduled before")
    other = clone(office, tmp_path / "other")
    other.write("moved", date=soon(3600).isoformat())
    other.write("cancelled", date=instant.isoformat(), draft="true")
    result = other.make("publish", **env_of(office))
    if datetime.now(UTC) >= instant:
        pytest.skip("this machine is too busy to move a date in time")
    assert result.status == 0, result.text
    result = render_input.end()
    assert result.status == 0, result.text
    sleep_past(instant, 2)
    assert get(f"{base}releases/kept.html")[0] == 200
    for slug in ("moved", "cancelled"):
        for name in (f"releases/{slug}.html", f"releases/{slug}.pdf", f"releases/{slug}.json"):
            assert get(base + name)[0] == 404
        for name in ("manifest.json", "feed.xml", "index.html", "releases/kept.html", "releases/before.html"):
            assert slug.encode() not in get(base + name)[2], name
        assert slug not in result.text
    staged = embargo.read_staged(store_of(office)).releases
    assert staged.keys() == {"moved"}
    names = {file.name for file in staged["moved"].files.values()}
    assert set(store_of(office).list("staged/", "private")) == names, "what was superseded is removed"


def test_what_is_edited_while_it_waits_goes_out_as_it_is_then(office: Office) -> None:
    base = published(office)
    instant = in_time()
    office.write("edited", date=instant.isoformat(), body="Words before.")
    render_input = BackgroundPublish(office, "WAIT=15m")
    render_input.until("scheduled before")
    office.write("edited", date=instant.isoformat(), body="Words after.")
    assert render_input.end().status == 0, render_input.text
    assert b"Words after." in get(f"{base}releases/edited.txt")[2]
    assert office.make("verify").status == 0


def test_cancelled_releases_leave_the_private_bucket(office: Office) -> None:
    published(office)
    for slug in ("draft-again", "thrown-away"):
        office.write(slug, date=soon(3600).isoformat())
    published(office)
    assert len(embargo.read_staged(store_of(office)).releases) == 2
    office.write("draft-again", date=soon(3600).isoformat(), draft="true")
    (office.content / "thrown-away.md").unlink()
    result = office.make("publish")
    assert result.status == 0, result.text
    assert not embargo.read_staged(store_of(office)).releases
    assert list(store_of(office).list("staged/", "private")) == []
    assert "thrown" not in result.text


def test_what_was_refused_and_is_thrown_away_then_is_cancelled_too(office: Office) -> None:
    office.write("thrown-away", date=soon(3600).isoformat())
    published(office)
    office.write("thrown-away", date=soon(3600).isoformat(), topics="[unknown]")
    assert office.make("publish").status == 2
    assert len(embargo.read_staged(store_of(office)).releases) == 1
    (office.content / "thrown-away.md").unlink()
    published(office)
    assert not embargo.read_staged(store_of(office)).releases
    assert list(store_of(office).list("staged/", "private")) == []


def test_whoever_waits_honours_an_earlier_date(office: Office) -> None:
    office.write("moved", date=soon(1500).isoformat())
    base = published(office)
    render_input = BackgroundPublish(office, "WAIT=30m")
    try:
        render_input.until("scheduled before")
        instant = in_time(4)
        office.write("moved", date=instant.isoformat())
        published(office)
        render_input.until("\nrelease moved")
        assert (datetime.now(UTC) - instant).total_seconds() < leeway(8), render_input.text
        assert render_input.end().status == 0, render_input.text
        assert get(f"{base}releases/moved.html")[0] == 200
    finally:
        render_input.kill()


def test_a_store_that_was_stopped_while_a_run_waits_costs_nothing(office: Office) -> None:
    base = published(office)
    instant = in_time() + timedelta(seconds=25)
    office.write("guarded", date=instant.isoformat())
    render_input = BackgroundPublish(office, "WAIT=15m")
    try:
        render_input.until("scheduled before")
        office.make("stop")
        assert render_input.end().status == 0, render_input.text
    finally:
        render_input.kill()
    late = re.search(r"^release +guarded .* (\d+\.\d) s after its instant", render_input.text, re.MULTILINE)
    assert late, render_input.text
    assert float(late[1]) < leeway(6), render_input.text
    assert get(f"{base}releases/guarded.html")[0] == 200


# ── Killed, late, twice ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("when", ["waiting", "releasing"])
def test_a_run_that_is_killed_is_finished_by_the_next(office: Office, when: str) -> None:
    base = published(office)
    instant = in_time()
    office.write("killed", date=instant.isoformat())
    render_input = BackgroundPublish(office, "WAIT=15m")
    render_input.until("scheduled before")
    if when == "releasing":
        deadline = time.monotonic() + 60
        while get(f"{base}releases/killed.txt")[0] != 200:
            assert time.monotonic() < deadline, render_input.text
    render_input.kill()
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
