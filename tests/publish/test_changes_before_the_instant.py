"""Scheduled releases that are edited, moved or cancelled before their instant, here or by another job."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.publish import staging as embargo
from tests.support.instants import in_time, published, sleep_past, soon
from tests.support.newsroom import BackgroundPublish, Office, clone, env_of, store_of
from tests.support.polling import Poller
from tests.support.public_http import get

SECRET = "Closely guarded headline"


def test_two_jobs_at_once_are_harmless(office: Office, tmp_path: Path) -> None:
    base = published(office)
    instant = in_time(4)
    office.write("shared", title=SECRET, date=instant.isoformat())
    other = clone(office, tmp_path / "other")
    jobs = [BackgroundPublish(office, "WAIT=15m"), BackgroundPublish(other, "WAIT=15m", **env_of(office))]
    with Poller(base, ["shared"], instant) as poller:
        ended = [job.end() for job in jobs]
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
    job = BackgroundPublish(office, "WAIT=15m")
    job.until("scheduled before")
    other = clone(office, tmp_path / "other")
    other.write("moved", date=soon(3600).isoformat())
    other.write("cancelled", date=instant.isoformat(), draft="true")
    result = other.make("publish", **env_of(office))
    if datetime.now(UTC) >= instant:
        pytest.skip("this machine is too busy to move a date in time")
    assert result.status == 0, result.text
    result = job.end()
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
    job = BackgroundPublish(office, "WAIT=15m")
    job.until("scheduled before")
    office.write("edited", date=instant.isoformat(), body="Words after.")
    assert job.end().status == 0, job.text
    assert b"Words after." in get(f"{base}releases/edited.txt")[2]
    assert office.make("verify").status == 0


def test_cancelled_releases_leave_the_private_bucket(office: Office) -> None:
    office.serve()
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
