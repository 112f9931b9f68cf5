"""``make newsroom``: the sample becomes somebody's own newsroom, which then needs only what no computer can know."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.newsroom import SAMPLE_NAME, SAMPLE_RELEASES, is_sample, move_sample, unfilled
from pipeline.model.errors import SettingError
from pipeline.reader import read_newsroom
from tests.support.newsroom import SAMPLE, Office

HERE = {"LC_ALL": "", "LC_MESSAGES": "", "LANG": "en_GB.UTF-8", "TZ": "Europe/London"}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Dateline as it is fetched, with the sample newsroom."""
    office = Office(tmp_path / "office")
    shutil.rmtree(office.content)
    shutil.copytree(SAMPLE, office.content)
    yield office
    office.end()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def refused(office: Office, name: str, **environ: str) -> str:
    """Ask for a newsroom, see that it is refused and nothing was changed, and return the message."""
    before = tree(office.content)
    result = office.make("newsroom", f"NAME={name}", **environ)
    assert result.status == 2, result.text
    assert "  hint: " in result.err
    assert tree(office.content) == before
    return result.err


def test_sample_is_known_as_such() -> None:
    newsroom = read_newsroom(SAMPLE)
    assert is_sample(newsroom)
    assert sorted(SAMPLE_RELEASES) == sorted(file.stem for file in SAMPLE.glob("*.md"))
    assert [file.name for file in SAMPLE.glob("*.png")] == [newsroom.mark]


def test_from_the_sample_to_a_release_of_ones_own(office: Office) -> None:
    sample = tree(office.content)
    made = office.make("newsroom", "NAME=Ferry Trust", **HERE)
    assert made.status == 0, made.text
    assert made.out.splitlines()[-1].startswith("now fill in content/newsroom.toml")
    assert tree(office.folder / "docs" / "samples") == sample
    assert list(tree(office.content)) == ["newsroom.toml"]
    assert not is_sample(read_newsroom(office.content))

    checked = office.make("check")
    assert checked.status == 0, checked.text
    lines = (office.content / "newsroom.toml").read_text("utf-8").splitlines()
    missing = re.findall(
        r"content/newsroom\.toml:(\d+): warning: ([\w.]+) is still to be filled in \[to-fill-in\]\n  hint: ",
        checked.err,
    )
    assert [key for _, key in missing] == ["organisation.boilerplate", "contacts.desk.telephone", "contacts.desk.email"]
    assert all(lines[int(number) - 1].startswith(f"# {key.rpartition('.')[2]} = ") for number, key in missing)

    written = office.make("new", "TITLE=A ferry at night")
    assert written.status == 0
    assert "make newsroom" not in written.text
    assert office.make("render").status == 0

    text = (office.content / "newsroom.toml").read_text("utf-8")
    for old, new in {
        "Two or three sentences about your organisation.": "Ferry Trust runs ferries.",
        "+44 20 7946 0000": "+44 20 7946 0321",
        "press@example.org": "press@ferry.example",
    }.items():
        text = re.sub(rf'# (\w+ = "){re.escape(old)}"', rf'\g<1>{new}"', text)
    (office.content / "newsroom.toml").write_text(text, "utf-8")
    assert office.make("check").text == "1 release checked, none refused\n"
    source = office.content / "a-ferry-at-night.md"
    draft = source.read_text("utf-8")
    front, _, _ = re.sub(r"date: .*", "date: 2026-01-05T09:00+00:00", re.sub(r"draft: .*\n", "", draft)).rpartition(
        "---\n"
    )
    source.write_text(f"{front}---\nFerries sail at night from today.\n", "utf-8")
    published = office.make("publish")
    assert published.status == 0, published.text
    page = office.files()["releases/a-ferry-at-night.html"].decode()
    assert "Ferry Trust runs ferries." in page
    assert "+44 20 7946 0321" in page
    assert SAMPLE_NAME not in "".join(data.decode("utf-8", "replace") for data in office.files().values())


def test_sample_that_was_moved_can_still_be_rendered(office: Office) -> None:
    office.make("newsroom", "NAME=Ferry Trust")
    samples = office.folder / "docs" / "samples"
    assert read_newsroom(samples).name == SAMPLE_NAME
    result = office.make("check", "CONTENT=docs/samples", "OUTPUT=elsewhere")
    assert (result.status, result.out) == (0, "3 releases checked, none refused\n")


def test_new_release_in_the_sample_newsroom_tells_how_to_make_it_ones_own(office: Office) -> None:
    result = office.make("new", "TITLE=A ferry at night")
    assert result.status == 0
    assert 'make newsroom NAME="' in result.out
    assert (office.content / "a-ferry-at-night.md").is_file()


def test_releases_of_ones_own_stay(office: Office) -> None:
    mine = office.write("mine", title="Mine")
    office.make("newsroom", "NAME=Ferry Trust")
    assert mine.is_file()
    assert sorted(tree(office.content)) == ["mine.md", "newsroom.toml"]


@pytest.mark.parametrize(
    ("lang", "zone", "expected"),
    [
        ("ko_KR.UTF-8", "Asia/Seoul", ("ko-KR", "Asia/Seoul", "A4", "언론 문의")),
        ("en_US.UTF-8", "America/Chicago", ("en-US", "America/Chicago", "Letter", "Media contact")),
        ("de_AT@euro", "Europe/Vienna", ("de-AT", "Europe/Vienna", "A4", "Pressekontakt")),
        ("fi_FI.UTF-8", "Europe/Helsinki", ("fi-FI", "Europe/Helsinki", "A4", "Media contact")),
        ("fr", "Africa/Dakar", ("fr", "Africa/Dakar", "A4", "Contact presse")),
        ("C.UTF-8", "UTC", ("en", "UTC", "A4", "Media contact")),
        ("", "UTC", ("en", "UTC", "A4", "Media contact")),
        ("klingon", "UTC", ("en", "UTC", "A4", "Media contact")),
    ],
)
def test_language_zone_and_paper_are_those_of_the_computer(
    office: Office, lang: str, zone: str, expected: tuple[str, ...]
) -> None:
    made = office.make("newsroom", "NAME=Ferry Trust", **{**HERE, "LANG": lang, "TZ": zone})
    assert made.status == 0, made.text
    found = read_newsroom(office.content)
    assert (found.language, found.time_zone, found.paper, found.contacts[0].name) == expected
    assert found.languages == (expected[0],)
    assert f"language {expected[0]}, time zone {expected[1]}, paper {expected[2]}" in made.out


@pytest.mark.parametrize(
    "name", ['"Ferry" Trust', "Ferry\\Trust", "Ferry & #1's $(trust) `x`", "페리 재단", "صندوق العبّارات", "[x] = {y}"]
)
def test_any_name_reads_back_as_it_was_typed(office: Office, name: str) -> None:
    made = office.make("newsroom", f"NAME={name}")
    assert made.status == 0, made.text
    assert read_newsroom(office.content).name == name
    assert office.make("new", "TITLE=A ferry").status == 0
    assert office.make("check").status == 0


# ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "  ", SAMPLE_NAME, "x" * 201, "Ferry\x07Trust", "Ferry\u202eTrust"])
def test_a_newsroom_needs_a_name(office: Office, name: str) -> None:
    assert "NAME" in refused(office, name) or name == SAMPLE_NAME
    assert not (office.folder / "docs").exists()


def test_name_of_the_computer_in_the_environment_is_not_taken(office: Office) -> None:
    result = office.make("newsroom", NAME="DESKTOP-4711")
    assert result.status == 2
    assert "NAME is not set" in result.err
    assert office.make("new", "TITLE=A ferry", NAME="DESKTOP-4711").status == 0
    assert (office.content / "a-ferry.md").is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [(SAMPLE_NAME, "Ferry Trust"), ("press@example.org", "press@ferry.example")],
    ids=["name", "contact"],
)
def test_newsroom_that_somebody_edited_is_left_alone(office: Office, old: str, new: str) -> None:
    file = office.content / "newsroom.toml"
    file.write_text(file.read_text("utf-8").replace(f'"{old}"', f'"{new}"'), "utf-8")
    message = refused(office, "Other Trust")
    assert "content/newsroom.toml is not the sample's any more; nothing was changed" in message
    assert "edit content/newsroom.toml:5" in message


def test_second_newsroom_is_refused(office: Office) -> None:
    office.make("newsroom", "NAME=Ferry Trust")
    assert "not the sample's any more" in refused(office, "Other Trust")


def test_file_that_would_be_overwritten_stops_it(office: Office) -> None:
    there = office.folder / "docs" / "samples" / "mark.png"
    there.parent.mkdir(parents=True)
    there.write_bytes(b"mine")
    assert "docs/samples/mark.png exists already" in refused(office, "Ferry Trust")
    assert tree(there.parent) == {"mark.png": b"mine"}


def test_newsroom_without_its_file_gets_one(office: Office) -> None:
    (office.content / "newsroom.toml").unlink()
    assert office.make("newsroom", "NAME=Ferry Trust").status == 0
    assert read_newsroom(office.content).name == "Ferry Trust"
    assert "CONTENT=" in office.make("newsroom", "NAME=Ferry Trust", "CONTENT=nowhere").err


def test_what_was_moved_is_moved_back_when_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, samples = tmp_path / "content", tmp_path / "docs" / "samples"
    shutil.copytree(SAMPLE, content)
    before = tree(content)
    steps: list[Path] = []
    move = shutil.move

    def fail_at_the_third(source: Path, target: Path) -> None:
        steps.append(source)
        if len(steps) == 3:
            raise OSError(28, "No space left on device", str(source))
        move(source, target)

    monkeypatch.setattr(shutil, "move", fail_at_the_third)
    with pytest.raises(SettingError, match="nothing was changed"):
        move_sample(content, samples, "")
    assert len(steps) == 5
    assert tree(content) == before
    assert tree(samples) == {}


def test_after_a_kill_the_same_command_does_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, samples = tmp_path / "content", tmp_path / "docs" / "samples"
    shutil.copytree(SAMPLE, content)
    before = tree(content)
    samples.mkdir(parents=True)
    shutil.move(content / f"{SAMPLE_RELEASES[0]}.md", samples)
    shutil.copy(content / "newsroom.toml", samples)
    move_sample(content, samples, "new")
    assert tree(samples) == before
    assert tree(content) == {"newsroom.toml": b"new"}


def test_lines_that_are_filled_in_or_deleted_are_not_named(tmp_path: Path) -> None:
    file = tmp_path / "newsroom.toml"
    file.write_text(
        '[organisation]\nname = "x"\n# website = "y"\nreuse = "z"  # to fill in\n#boilerplate="b" #to fill in\n'
        '[contacts.desk]\n# email = "a # b"  # to fill in\n',
        "utf-8",
    )
    found = [(fault.line, fault.message) for fault in unfilled(file)]
    assert found == [
        (5, "organisation.boilerplate is still to be filled in"),
        (7, "contacts.desk.email is still to be filled in"),
    ]
