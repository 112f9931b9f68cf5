"""Footage files in what is rendered: coming, there, gone; and what of it a statement, a row and make go by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build import stages
from pipeline.model.footage import Footage, FootageFile, Missing, missing_at
from pipeline.publish.candidates import Candidate, classify
from tests.support.films import CAPTIONS, film
from tests.support.formats import NAMES
from tests.support.in_process import AHEAD, NOW, PAST, Sandbox, publish, sorted_now, up_to_date_slugs
from tests.support.reading import picture

ENDS = NOW + timedelta(days=30)
NAMED = ("harbour.mp4", "quay.png", "harbour.vtt")
KEYS = {f"releases/probe/{name}" for name in NAMED}


def write(sandbox: Sandbox, date: str = PAST, **keys: str) -> Path:
    """Write a release with a film that expires."""
    folder = sandbox.content / "probe"
    film(folder / NAMED[0], seconds=1.5)
    (folder / NAMED[1]).write_bytes(picture())
    (folder / NAMED[2]).write_text(CAPTIONS, "utf-8")
    files = f"[{{file: {NAMED[0]}, role: preview}}, {{file: {NAMED[1]}, role: poster}}]"
    notice = f"notice: The harbour, captions: {NAMED[2]}, transcript: The harbour, expires: {ENDS.isoformat()}"
    return sandbox.write(date=date, footage=f"{{{notice}, files: {files}}}", **keys)


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
    assert (sandbox.state.public / "releases/probe" / NAMED[0]).samefile(sandbox.content / "probe" / NAMED[0])
    sandbox.now = ENDS
    changed = {name for name, verb in sandbox.verbs(NAMES).items() if verb == "rendered"}
    assert changed == {"html", "json"}
    assert not {f"public/{key}" for key in KEYS} & sandbox.files()


@pytest.mark.parametrize("keys", [{"embargo": "true"}, {"draft": "true"}, {}])
def test_nothing_of_the_footage_of_a_waiting_release_is_in_the_public_tree(
    sandbox: Sandbox, keys: dict[str, str]
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


def test_a_poster_that_is_a_picture_of_the_release_stays_when_the_film_expires(sandbox: Sandbox) -> None:
    write(sandbox, body=f"![The quay](probe/{NAMED[1]})")
    there = candidate(sandbox)
    assert [file.key for file in there.files].count(f"releases/probe/{NAMED[1]}") == 1
    sandbox.now = ENDS
    assert f"releases/probe/{NAMED[1]}" in {file.key for file in candidate(sandbox).files}


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
