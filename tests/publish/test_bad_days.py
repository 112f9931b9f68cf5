"""Bad days, each as it was met once: killed runs, odd names, rivals, releases that would give others away."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.build.state import BuildState
from pipeline.publish.up_to_date import UNVERIFIED
from pipeline.storage import Put
from tests.support.instants import published
from tests.support.newsroom import BackgroundPublish, Office, store_of
from tests.support.public_http import address_of, get, manifest
from tests.support.sample import picture_bytes


@pytest.fixture(scope="module")
def published_one(tmp_path_factory: pytest.TempPathFactory) -> Office:
    found = Office(tmp_path_factory.mktemp("one") / "office")
    found.write("one")
    published(found)
    found.end()
    return found


@pytest.fixture
def one(published_one: Office, tmp_path: Path) -> Iterator[Office]:
    """A copy of a newsroom whose release ``one`` is public; the store does not run."""
    found = published_one.copy(tmp_path / "one")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    found = Office(tmp_path / "office")
    try:
        yield found
    finally:
        found.end()


def put_by_hand(office: Office, key: str, media_type: str) -> None:
    """Put other bytes into the embedded store, as a broken disk or somebody else with keys would."""
    store_of(office).put(Put(key=key, body=b"{}", media_type=media_type))


def kill_when(office: Office, goal: str, happened: Path) -> None:
    """Start make and kill it with everything it started as soon as ``happened`` is written anew."""
    before = happened.stat().st_mtime_ns
    run = BackgroundPublish(office, "MINOR=1", goal=goal)
    while happened.stat().st_mtime_ns == before:
        assert run.process.poll() is None, run.text
        time.sleep(0.002)
    run.kill()
    assert run.process.returncode == -signal.SIGKILL, "it had come to its end"


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom with three public releases; each test has a copy."""
    found = Office(tmp_path_factory.mktemp("three") / "office")
    for number in range(3):
        found.write(f"r-{number}")
    assert found.make("publish").status == 0
    found.end()
    return found


@pytest.mark.parametrize(
    "written",
    [".work/state.sqlite", "public/releases/r-1.pdf", "public/releases/r-1.html", "public/releases/r-1.json"],
    ids=["read", "pdf", "html", "json"],
)
def test_run_killed_in_the_middle_of_a_stage_is_finished_by_the_next(
    three: Office, tmp_path: Path, written: str
) -> None:
    office = three.copy(tmp_path / "copy")
    for number in range(3):
        office.write(f"r-{number}", body="Other words.")
    kill_when(office, "render", office.folder / "output" / written)
    try:
        finished(office)
    finally:
        office.end()


def finished(office: Office) -> None:
    """Publish, and read the new words of all releases."""
    result = office.make("publish", "MINOR=1")
    assert result.status == 0, result.text
    base = address_of(result.out)
    for number in range(3):
        assert b"Other words." in get(f"{base}releases/r-{number}.txt")[2]
    assert office.make("verify").status == 0
    assert "nothing to do" in office.make("publish").out


def test_store_that_was_thrown_away_is_filled_again(one: Office) -> None:
    one.make("serve")
    one.make("stop")
    shutil.rmtree(one.folder / ".store")
    result = one.make("publish")
    assert result.status == 0, result.text
    base = address_of(result.out)
    assert f"{base}releases/one.html" in get(f"{base}releases/one.html")[2].decode()
    assert "nothing to do" in one.make("publish").out


def test_index_that_was_lost_is_made_again(office: Office) -> None:
    office.write("one")
    office.write("one-de", translation_of="one", language="de")
    assert office.make("publish").status == 0
    for name in ("index.json", "index.journal"):
        (office.folder / "output/.work" / name).unlink(missing_ok=True)
    office.write("one", body="Other words.")
    result = office.make("publish", "MINOR=1")
    assert result.status == 0, result.text
    assert b"one-de.html" in get(f"{address_of(result.out)}releases/one.html")[2]


@pytest.mark.parametrize("key", ["translation_of", "link"])
def test_release_that_names_one_that_waits_is_refused(office: Office, key: str) -> None:
    office.write("secret-plan", date="2036-01-01T00:00Z")
    if key == "link":
        office.write("teller", body="[Soon](secret-plan.md).")
    else:
        office.write("teller", language="de", translation_of="secret-plan")
    result = office.make("publish")
    assert result.status == 2
    assert "content/teller.md" in result.err
    assert "not public yet" in result.err
    base = next(line for line in result.out.splitlines() if line.startswith("http")).removesuffix("index.html")
    for name in ("manifest.json", "index.html", "feed.xml"):
        assert b"secret-plan" not in get(base + name)[2]
    assert b"teller" not in get(f"{base}feed.xml")[2]


NAMES = [
    "a:b.md", "a;b.md", "a|b.md", "a b.md", "a$b.md", "evil\x1b[31m.md", "new\nline.md", "Capital.md",
    "Screenshot 10:30.png", "good.json:;touch$${IFS}PWNED;#/x.png", "Fotos: alt/x.png", "good/a:b.png", "good/a#;c.png",
]  # fmt: skip


def test_odd_names_are_refused_run_nothing_and_stop_nobody(office: Office) -> None:
    office.write("good")
    for name in NAMES:
        path = office.content / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("---\ntitle: x\ndate: 2026-01-05T09:00Z\n---\ny\n", "utf-8")
    os.mkfifo(office.content / "pipe.md")
    (office.content / "folder.md").mkdir()
    (office.content / "dangling.md").symlink_to("/nowhere")
    (office.content / os.fsdecode(b"\xff.md")).write_text("x")
    result = office.make("render")
    assert result.status == 2
    for name in ("a:b", "a;b", "a|b", "a b", "a$b", "Capital", "pipe", "folder", "dangling", "new\\nline", "\\x1b[31m"):
        assert name in result.err, name
    assert "\x1b" not in result.text
    assert "Traceback" not in result.text
    assert "Dateline's own" not in result.text
    assert not list(office.folder.glob("PWNED*"))
    assert (office.public / "releases/good.pdf").is_file()
    assert not (office.public / "releases/Capital.pdf").exists()


def test_public_release_with_a_later_date_is_not_called_scheduled(one: Office) -> None:
    for keys in ({"draft": "true"}, {"date": "2036-01-01T00:00Z"}):
        one.write("one", **keys)
        result = one.make("publish")
        assert result.status == 2
        assert "content/one.md" in result.err
        assert "already published on 2026-01-05" in result.err
        assert "withdrawn" in result.err


def test_character_without_a_glyph_is_refused_with_its_line_before_anything_is_made(office: Office) -> None:
    office.write("sign", body="A word.\n\nAnother \U00012000 word.")
    result = office.make("render")
    assert result.status == 2
    assert "content/sign.md:7: no font has U+12000 CUNEIFORM SIGN A" in result.err
    assert not [key for key in office.files() if "sign" in key]


def test_bytes_that_somebody_else_put_there_are_put_right(one: Office) -> None:
    """A rival who lost wrote after the winner had read back: the record no longer proves what is there."""
    base = one.serve()
    put_by_hand(one, "releases/one.json", "application/json")
    assert one.make("verify").status == 2
    one.write("one", body="Other words.")
    result = one.make("publish", "MINOR=1")
    assert result.status == 0, result.text
    assert one.make("verify").status == 0
    assert b"Other words." in get(f"{base}releases/one.txt")[2]


def test_nothing_published_yet_is_no_failure_of_verify(office: Office) -> None:
    result = office.make("verify")
    assert result.status == 0
    assert "nothing is published yet" in result.out


def test_large_file_that_lies_beside_the_pictures_is_not_read(office: Office) -> None:
    office.write("one")
    (office.content / "one").mkdir()
    with (office.content / "one" / "film.mov").open("wb") as film:
        film.truncate(8 * 1024**3)
    started = time.monotonic()
    assert office.make("text").status == 0
    assert time.monotonic() - started < 60, "eight gigabytes take minutes to read"


def test_serial_of_the_manifest_only_grows(office: Office) -> None:
    office.write("one")
    serials = []
    for words in ("One.", "Two.", "One."):
        office.write("one", body=words)
        result = office.make("publish", "MINOR=1")
        serials.append(int(str(manifest(address_of(result.out))["serial"])))
    assert serials == sorted(set(serials))


def test_release_that_was_postponed_takes_those_with_it_that_name_it(office: Office) -> None:
    """Nobody touched the one that names it: it was sound when it was read."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    office.write("secret-merger", date=soon.isoformat(timespec="seconds"))
    later = (soon + timedelta(hours=1)).isoformat(timespec="seconds")
    office.write("teller", body="[That](secret-merger.md).", date=later)
    assert office.make("publish").status == 0
    office.write("secret-merger", date=(soon + timedelta(days=2)).isoformat(timespec="seconds"))
    result = office.make("publish")
    assert result.status == 2
    assert "content/teller.md" in result.err
    assert "not public yet" in result.err
    assert not (office.folder / "output/.work/read/teller.json").exists()


def test_release_that_names_a_refused_one_is_refused_with_it(office: Office) -> None:
    office.write("aa", body="[Nowhere](nowhere.md).")
    office.write("bb", body="[There](aa.md).")
    office.write("cc")
    result = office.make("publish")
    assert result.status == 2
    assert "dateline: exit 2" in result.err, "not a storage fault"
    assert "content/aa.md" in result.err
    assert "content/bb.md" in result.err
    assert "releases/cc.pdf" in office.files()


def test_picture_that_was_lost_comes_back(office: Office) -> None:
    office.write("one", body="![A square](shot.png)")
    (office.content / "one").mkdir()
    (office.content / "one" / "shot.png").write_bytes(picture_bytes())
    assert office.make("render").status == 0
    picture = office.public / "releases/one/shot.png"
    data = picture.read_bytes()
    shutil.rmtree(picture.parent)
    result = office.make("publish")
    assert result.status == 0, result.text
    assert picture.read_bytes() == data


def test_name_too_long_for_any_file_stops_nobody(office: Office) -> None:
    office.write("good")
    (office.content / f"{'a' * 250}.md").write_text("x")
    result = office.make("render")
    assert result.status == 2
    assert "Dateline's own" not in result.text
    assert (office.public / "releases/good.pdf").is_file()


def test_release_that_was_not_read_back_is_not_up_to_date(one: Office) -> None:
    base = one.serve()
    state = BuildState(one.content, one.folder / "output")
    state.remember(UNVERIFIED, ["one"])
    result = one.make("publish")
    assert result.status == 0
    assert "7 unchanged" in result.out, "it is read back now, and as it is there, it does not go up again"
    assert "nothing to do" in one.make("publish").out
    good = get(f"{base}releases/one.pdf")[2]
    put_by_hand(one, "releases/one.pdf", "application/pdf")
    assert "nothing to do" in one.make("publish").out, "who looks at all of it each time never ends"
    state.remember(UNVERIFIED, ["one"])
    result = one.make("publish")
    assert result.status == 0
    assert "upload  one" in result.out
    assert "6 unchanged" in result.out
    assert get(f"{base}releases/one.pdf")[2] == good


def test_file_of_a_waiting_release_that_lies_in_public_is_noticed(one: Office) -> None:
    one.write("held-one", date="2036-01-01T00:00Z")
    assert one.make("publish").status == 0
    put_by_hand(one, "releases/held-one.pdf", "application/pdf")
    for goal in ("publish", "verify"):
        result = one.make(goal)
        assert result.status == 2
        assert "is not public yet, but the public bucket answers for it" in result.err
        assert "held-one" not in result.text


@pytest.mark.parametrize(("title", "name"), [("Index", "index-release"), ("Ørsted & Łódź", "orsted-lodz")])
def test_new_release_has_a_name_that_checks(office: Office, title: str, name: str) -> None:
    assert office.make("new", f"TITLE={title}").status == 0
    assert (office.content / f"{name}.md").is_file()
    assert office.make("check").status == 0
