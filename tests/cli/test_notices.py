"""``make correct`` and ``make withdraw``: what they write is what is published, with the real store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
import time_machine

from pipeline.build.context import CommandContext
from pipeline.cli import front_matter
from pipeline.cli.notices import CORRECTION, WITHDRAWAL, write
from pipeline.model.errors import ReleaseError, SettingError
from pipeline.model.manifest import Manifest
from pipeline.reader import read_newsroom, read_release
from tests.support.instants import published
from tests.support.newsroom import Office, Result

NOTE = """It's 9:30 – not "8:30" – from $(shell touch run) & `touch run` #4: C:\\ferry, 페리"""


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom with two public releases, a draft and a scheduled one; each test has a copy."""
    found = Office(tmp_path_factory.mktemp("first") / "office")
    found.write("ferry", title="A ferry", body="It sails at 8:30.")
    found.write("pier", title="A pier", language="de")
    found.write("bridge", title="A bridge", draft="true")
    found.write("tunnel", title="A tunnel", date="2099-01-05T09:00+00:00")
    published(found)
    found.end()
    return found


@pytest.fixture
def office(first: Office, tmp_path: Path) -> Iterator[Office]:
    """A copy of the published newsroom."""
    found = first.copy(tmp_path / "office")
    yield found
    found.end()


def sources(office: Office) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in office.content.glob("*.md")}


def done(result: Result) -> Result:
    assert result.status == 0, result.text
    return result


# ── With make ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_correction_withdrawal_and_return_as_they_are_typed(office: Office) -> None:
    source = office.content / "ferry.md"
    before = source.read_text("utf-8")
    result = done(office.make("correct", "RELEASE=ferry", f"NOTE={NOTE}"))
    assert result.out.startswith("content/ferry.md:4: correction of 20")
    assert "the text is still as it is public" in result.out
    assert result.out.splitlines()[-1] == "now run make publish"
    lines = source.read_text("utf-8").splitlines(keepends=True)
    assert "".join([*lines[:3], *lines[6:]]) == before
    source.write_text(source.read_text("utf-8").replace("8:30.", "9:30."), "utf-8")
    published(office)
    assert NOTE in office.make("history", "RELEASE=ferry").out
    assert not (office.folder / "run").exists(), "make or the shell ran a part of the note"

    again = done(office.make("correct", "RELEASE=content/ferry.md", "NOTE=It is\nthe other  pier."))
    assert "the text is still as it is public" in again.out
    published(office)
    newsroom = read_newsroom(office.content)
    notes = [each.note for each in read_release(source, newsroom).release.corrections]
    assert notes == ["It is the other pier.", NOTE]

    result = done(office.make("withdraw", "RELEASE=ferry", f"REASON={NOTE}"))
    assert result.out.splitlines()[-1] == "now run make publish"
    for command in ("withdraw", "correct"):
        refused = office.make(command, "RELEASE=ferry", "REASON=Wrong.", "NOTE=Wrong.")
        assert refused.status == 2
        assert "this release is withdrawn already\n  hint: make publish" in refused.err
    published(office)
    assert json.loads(office.files()["releases/ferry.json"])["pubStatus"] == "canceled"
    assert "publish it again" in office.make("correct", "RELEASE=ferry", "NOTE=Back.").err

    text = source.read_text("utf-8")
    source.write_text(text[: text.index("withdrawn:")] + text[text.index("---\n", 4) :], "utf-8")
    assert "put its withdrawn: back" in office.make("withdraw", "RELEASE=ferry", "REASON=Wrong.").err
    done(office.make("correct", "RELEASE=ferry", "NOTE=The figures were right."))
    published(office)
    assert json.loads(office.files()["releases/ferry.json"])["pubStatus"] == "usable"


@pytest.mark.parametrize("command", ["correct", "withdraw"])
def test_what_cannot_be_corrected_or_withdrawn_is_refused_and_nothing_is_written(office: Office, command: str) -> None:
    office.write("pier", title="A pier", language="de", colour="blue")
    before = sources(office)
    (office.content / "gone.md").write_bytes(before["ferry.md"])
    said = "NOTE=Wrong." if command == "correct" else "REASON=Wrong."
    for arguments, message in (
        ([], "RELEASE is not set\n  hint: make"),
        (["RELEASE=ferry"], " is not set\n  hint: make"),
        (["RELEASE=ferry", said.replace("Wrong.", " ")], " is not set\n  hint: make"),
        (["RELEASE=ferry", said.replace("Wrong", "\x07")], "has a forbidden character U+0007\n  hint: "),
        (["RELEASE=ferry", said.replace("Wrong", "\u202e")], "nothing was written: "),
        (["RELEASE=fery", said], "there is no release fery\n  hint: did you mean ferry?"),
        (["RELEASE=tunel", said], "there is no release tunel\n  hint: make status"),
        (["RELEASE=bridge", said], "content/bridge.md is not public: there is nothing to "),
        (["RELEASE=tunnel", said], "content/tunnel.md is not public: there is nothing to "),
        (["RELEASE=pier", said], "content/pier.md:5: colour: unknown key"),
    ):
        result = office.make(command, *arguments)
        assert result.status == 2, arguments
        assert message in result.err
        assert "Traceback" not in result.err
    (office.content / "gone.md").unlink()
    assert sources(office) == before
    (office.content / "ferry.md").unlink()
    assert "is public, but content/ferry.md is not here" in office.make(command, "RELEASE=ferry", said).err


# ── At any time of day ──────────────────────────────────────────────────────────────────────────────────────────────


class Desk:
    """A public release and the manifest that a storage would answer with."""

    def __init__(self, first: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.source = folder / "content" / "ferry.md"
        self.source.parent.mkdir()
        for file in (first.content / "newsroom.toml", first.content / "ferry.md"):
            (self.source.parent / file.name).write_bytes(file.read_bytes())
        self.manifest = CommandContext(first.content, first.folder / "output", {}, first.folder).published.whole()
        assert self.manifest.rows
        self.public(self.manifest)

    def public(self, manifest: Manifest) -> None:
        self.monkeypatch.setattr("pipeline.cli.notices.start_embedded", lambda context: None)
        self.monkeypatch.setattr("pipeline.cli.notices.last_manifest", lambda context: manifest)

    def write(self, text: str = "Wrong.", *, withdraw: bool = False) -> str:
        notice = WITHDRAWAL if withdraw else CORRECTION
        environ = {"DATELINE_RELEASE": "ferry", f"DATELINE_{notice.variable}": text}
        context = CommandContext(self.source.parent, self.folder / "output", environ, self.folder)
        return write(context, notice).date


@pytest.fixture
def desk(first: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(first, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("zone", "now", "date"),
    [
        ("Europe/London", datetime(2026, 11, 24, 9, 30, 59, tzinfo=UTC), "2026-11-24T09:30+00:00"),
        ("Europe/London", datetime(2026, 7, 24, 9, 30, tzinfo=UTC), "2026-07-24T10:30+01:00"),
        ("Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T01:30+01:00"),
        ("Europe/London", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T01:30+00:00"),
        ("Asia/Kathmandu", datetime(2026, 11, 24, 20, 30, tzinfo=UTC), "2026-11-25T02:15+05:45"),
    ],
)
def test_entry_is_dated_now_in_the_zone_of_the_newsroom(desk: Desk, zone: str, now: datetime, date: str) -> None:
    toml = desk.source.with_name("newsroom.toml")
    toml.write_text(toml.read_text("utf-8").replace("Europe/London", zone), "utf-8")
    with time_machine.travel(now, tick=False):
        assert desk.write() == date


def test_entries_of_one_minute_are_dated_to_the_second(desk: Desk) -> None:
    now = datetime(2026, 11, 24, 9, 30, 10, tzinfo=UTC)
    dates = []
    for seconds in (0, 5, 30, 60):
        with time_machine.travel(now + timedelta(seconds=seconds), tick=False):
            dates.append(desk.write(f"After {seconds} seconds.", withdraw=seconds == 60))
    assert [date.removeprefix("2026-11-24T09:") for date in dates] == [
        "30+00:00", "30:15+00:00", "30:40+00:00", "31+00:00",
    ]  # fmt: skip
    found = read_release(desk.source, read_newsroom(desk.source.parent)).release
    assert [each.note for each in found.corrections] == [f"After {seconds} seconds." for seconds in (30, 5, 0)]
    assert found.withdrawn
    assert found.modified == found.withdrawn.date


def test_permissions_links_and_neighbours_stay(desk: Desk) -> None:
    original = desk.source.rename(desk.source.with_name("original.txt"))
    original.chmod(0o640)
    desk.source.symlink_to(original.name)
    desk.write()
    assert desk.source.is_symlink()
    assert original.stat().st_mode & 0o777 == 0o640
    assert b'note: "Wrong."' in original.read_bytes()
    assert sorted(file.name for file in desk.source.parent.iterdir()) == ["ferry.md", "newsroom.toml", "original.txt"]


@pytest.mark.parametrize(
    ("front", "message"),
    [
        ("date: 2098-01-05T09:00+00:00\n", "before the release itself"),
    ],
)
def test_what_would_be_refused_is_not_written(desk: Desk, front: str, message: str) -> None:
    desk.source.write_text(f"---\ntitle: A ferry\n{front}---\nWords.\n", "utf-8")
    before = desk.source.read_bytes()
    with pytest.raises((SettingError, ReleaseError), match="nothing was written") as caught:
        desk.write("Wrong: all")
    assert message in str(caught.value)
    assert desk.source.read_bytes() == before


def test_note_typed_in_the_decomposed_form_is_written(desk: Desk) -> None:
    """As some terminals send it: the letter and its mark apart."""
    desk.write("Not Zu\u0308rich, but Gene\u0300ve")
    (found,) = read_release(desk.source, read_newsroom(desk.source.parent)).release.corrections
    assert found.note == "Not Z\u00fcrich, but Gen\u00e8ve"


def test_lines_to_paste_are_told_where_they_cannot_be_written(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_matter, "_inserted", lambda *_, **__: None)
    with (
        time_machine.travel(datetime(2026, 11, 24, 9, 30, tzinfo=UTC), tick=False),
        pytest.raises(SettingError) as caught,
    ):
        desk.write("Wrong: all")
    pasted = "\n".join(line[4:] for line in caught.value.hint.splitlines()[1:])
    desk.source.write_text(f"---\ntitle: A ferry\ndate: 2026-01-05T09:00+00:00\n{pasted}\n---\nWords.\n", "utf-8")
    (found,) = read_release(desk.source, read_newsroom(desk.source.parent)).release.corrections
    assert found.note == "Wrong: all"


def test_source_that_lacks_a_public_correction_is_refused(desk: Desk) -> None:
    rows = tuple(msgspec.structs.replace(row, revision=3) for row in desk.manifest.rows)
    desk.public(Manifest(2, rows))
    before = desk.source.read_bytes()
    with pytest.raises(SettingError, match="2 corrections are public, but none of them here"):
        desk.write()
    assert desk.source.read_bytes() == before
