"""Footage files in what is rendered: coming, there, gone; and what of it a statement, a row and make go by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.build import stages
from pipeline.model.footage import Footage, FootageFile, Missing, missing_at
from pipeline.model.manifest import Manifest
from pipeline.publish.candidates import Candidate, classify
from tests.support.films import CUES, FILM, POSTER, notice
from tests.support.formats import NAMES
from tests.support.in_process import AHEAD, NOW, PAST, Sandbox, publish, sorted_now, up_to_date_slugs

ENDS = NOW + timedelta(days=30)
KEYS = {f"releases/probe/{name}" for name in (FILM, POSTER, CUES)}


def write(sandbox: Sandbox, date: str = PAST, expires: datetime = ENDS, **keys: str) -> Path:
    """Write a release with a film that expires."""
    footage = notice(sandbox.content / "probe", expires=expires.isoformat())
    return sandbox.write(date=date, footage=footage, **keys)


def candidate(sandbox: Sandbox) -> Candidate:
    sandbox.run(NAMES)
    (found,) = sorted_now(sandbox).candidates
    return found


@pytest.mark.parametrize(
    ("ends", "coming", "missing"),
    [
        ((None,), False, {}),
        ((None,), True, {"a.mp4": "coming"}),
        ((ENDS,), False, {}),
        ((NOW,), False, {"a.mp4": "gone"}),
        ((NOW,), True, {"a.mp4": "gone"}),
        ((NOW, ENDS), False, {}),
        ((NOW, None), True, {"a.mp4": "coming"}),
        ((NOW, NOW - timedelta(1)), False, {"a.mp4": "gone"}),
    ],
)
def test_a_file_is_gone_when_no_notice_offers_it_any_more(
    ends: tuple[datetime | None, ...], coming: bool, missing: dict[str, Missing]
) -> None:
    files = (FootageFile("a.mp4", "master", 1, ""),)
    assert missing_at((Footage("", files=files, expires=end) for end in ends), NOW, coming=coming) == missing


def test_page_and_record_alone_change_when_footage_comes_and_goes(sandbox: Sandbox) -> None:
    write(sandbox)
    sandbox.run(NAMES)
    assert {f"public/{key}" for key in KEYS} <= sandbox.files()
    assert (sandbox.state.public / "releases/probe" / FILM).samefile(sandbox.content / "probe" / FILM)
    sandbox.now = ENDS
    changed = {name for name, verb in sandbox.verbs(NAMES).items() if verb == "rendered"}
    assert changed == {"html", "json"}
    assert not {f"public/{key}" for key in KEYS} & sandbox.files()


@pytest.mark.parametrize("keys", [{"embargo": "true"}, {"draft": "true"}, {}])
def test_nothing_of_the_footage_of_a_waiting_release_is_in_the_public_tree(
    sandbox: Sandbox, keys: dict[str, Any]
) -> None:
    write(sandbox, AHEAD, **keys)
    sandbox.run(NAMES)
    assert not [file for file in sandbox.files() if file.startswith("public/")]
    there = {f"waiting/{key}" for key in KEYS}
    assert there & sandbox.files() == (set() if "embargo" in keys else there)


def test_words_that_go_ahead_are_those_of_the_page_with_its_footage(sandbox: Sandbox) -> None:
    write(sandbox, AHEAD)
    sandbox.run(NAMES)
    final, instant = sandbox.state.final(), datetime.fromisoformat(AHEAD)
    then = msgspec.structs.replace(sandbox.render_context, now=instant)
    for name in NAMES:
        [*stages.render(name, final, then, ["probe"])]
    (ahead,) = classify(final, then, ["probe"], instant).candidates
    assert ahead.row.footage_outdated
    assert not KEYS & {file.key for file in ahead.files}
    assert {file.key for file in ahead.films} == KEYS
    sandbox.now = instant
    there = candidate(sandbox)
    assert not there.row.footage_outdated
    assert {file.key for file in there.files} > KEYS
    assert not there.films
    sandbox.now = ENDS
    gone = candidate(sandbox)
    assert {key for key, _ in gone.expired} == {*gone.row.expired} == KEYS
    lasting = [{key: sha for key, sha in each.stated.items() if not key.endswith((".html", ".json"))}
               for each in (ahead, there, gone)]  # fmt: skip
    assert lasting[0] == lasting[1] == lasting[2], "so that a signature stays valid"
    assert ahead.row.fingerprint == there.row.fingerprint == gone.row.fingerprint


def test_a_release_is_stale_when_its_footage_has_expired_or_its_words_went_ahead(sandbox: Sandbox) -> None:
    write(sandbox)
    (row,) = publish(sandbox)
    assert row.expiring == dict.fromkeys(KEYS, ENDS)
    assert up_to_date_slugs(sandbox) == {"probe"}
    sandbox.now = ENDS
    assert up_to_date_slugs(sandbox) == set()
    sandbox.now = NOW
    sandbox.published = msgspec.structs.replace(
        sandbox.published, serial=9, rows=(msgspec.structs.replace(row, footage_outdated=True),)
    )
    assert up_to_date_slugs(sandbox) == set()


def test_what_is_to_be_taken_down_is_known_until_it_is_done(sandbox: Sandbox) -> None:
    """Whether the instant has come, was moved, or the film is not named any more; and only what was public."""
    long_ago = "2026-01-05T09:00+00:00"
    write(sandbox, long_ago)
    (row,) = publish(sandbox)
    sandbox.now = ENDS
    assert candidate(sandbox).row.expiring == dict.fromkeys(KEYS, ENDS)
    sandbox.now = NOW
    earlier = NOW - timedelta(days=1)
    write(sandbox, long_ago, expires=earlier)
    assert candidate(sandbox).row.expiring == dict.fromkeys(KEYS, earlier)
    sandbox.write()
    assert candidate(sandbox).row.expiring == dict.fromkeys(KEYS, ENDS)
    write(sandbox, long_ago, expires=earlier)
    done = msgspec.structs.replace(row, expiring={}, expired=tuple(KEYS))
    sandbox.published = msgspec.structs.replace(sandbox.published, rows=(done,))
    assert candidate(sandbox).row.expiring == {}
    sandbox.published = Manifest()
    assert candidate(sandbox).row.expiring == {}


def test_a_poster_that_is_a_picture_of_the_release_stays_when_the_film_expires(sandbox: Sandbox) -> None:
    write(sandbox, body=f"![The quay](probe/{POSTER})")
    there = candidate(sandbox)
    assert [file.key for file in there.files].count(f"releases/probe/{POSTER}") == 1
    sandbox.now = ENDS
    assert f"releases/probe/{POSTER}" in {file.key for file in candidate(sandbox).files}


def test_make_starts_the_stages_again_when_footage_has_expired(sandbox: Sandbox) -> None:
    write(sandbox)
    sandbox.read()
    marker = sandbox.state.work / "next-instant"
    sandbox.state.note_next_instant(NOW)
    assert datetime.fromtimestamp(marker.stat().st_mtime, UTC) == ENDS
    sandbox.state.note_next_instant(ENDS)
    assert not marker.exists()


def test_a_row_without_footage_says_nothing_of_it(sandbox: Sandbox) -> None:
    sandbox.write()
    (row,) = publish(sandbox)
    assert not {"footage_outdated", "expiring", "expired"} & msgspec.to_builtins(row).keys()
