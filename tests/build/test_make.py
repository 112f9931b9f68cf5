"""The Makefile as its users meet it: what is made again, what is not, and what stops what."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from pipeline.model.formats import by_name
from tests.support.formats import NAMES as STAGES
from tests.support.formats import SUFFIXES
from tests.support.newsroom import Office, rendered_by


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Two releases, rendered; tests put back what they change."""
    office = Office(tmp_path_factory.mktemp("make") / "office")
    office.write("one")
    office.write("two", body="Another paragraph, with [a link](https://example.org/).")
    result = office.make("render")
    assert result.status == 0, result.text
    return office


def stages_named(text: str) -> set[str]:
    names = {"read", *STAGES, "feed", "pages"}
    return {word for line in text.splitlines() for word in line.split() if word in names}


def test_render_makes_every_format_and_the_listings(rendered: Office) -> None:
    files = rendered.files()
    assert {f"releases/{slug}{suffix}" for slug in ("one", "two") for suffix in SUFFIXES} <= set(files)
    assert {"index.html", "feed.xml", "media-contact.html", "media-contact.txt", "media-contact.vcf"} <= set(files)
    assert all(files.values())


def test_second_run_starts_no_process(rendered: Office) -> None:
    result = rendered.make("render")
    assert "Nothing to be done" in result.out
    assert result.err == ""


STAND_IN = """#!/bin/sh
# Stands for Python: says when a stage begins and ends; those of a pair each wait until the other has begun.
stage=$7 stamp=$9
echo "begin $stage" | tee -a stages
meet() { if [ -z "$ALONE" ]; then timeout 60 sh -c "$1" || exit 1; fi; }
case $stage in
    text) meet 'echo x > one; cat two > two.read' ;;
    pdf) meet 'cat one > one.read; echo x > three' ;;
    docx) meet 'cat three > three.read; echo x > two' ;;
    feed) meet 'cat four > four.read' ;;
    pages) meet 'echo x > four' ;;
esac
echo "end $stage" | tee -a stages
mkdir -p "${stamp%/*}" && touch "$stamp"
"""
"""Text, PDF and Word end only if all three run at once; feed and pages too."""


@pytest.mark.parametrize("flags", [[], ["-j"], ["-k"], ["-j1"]])
def test_stages_that_need_nothing_of_each_other_run_side_by_side_unless_that_is_forbidden(
    tmp_path: Path, flags: list[str]
) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    python = office.folder / "stand-in" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(STAND_IN)
    python.chmod(0o755)
    (office.folder / "stand-in" / ".ready").touch()
    for name in ("one", "two", "three", "four"):
        os.mkfifo(office.folder / name)
    result = office.make(*flags, "render", VENV="stand-in", ALONE="1" if flags == ["-j1"] else "")
    assert result.status == 0, result.text
    lines = result.out.splitlines()
    every = ["read", *STAGES, "feed", "pages", "render"]
    assert sorted(lines) == sorted(f"{what} {stage}" for what in ("begin", "end") for stage in every)
    pairs = [(lines[at].split()[1], lines[at + 1].split()[1]) for at in range(0, len(lines), 2)]
    assert all(first == second for first, second in pairs), "the lines of each stay together"
    assert [first for first, _ in pairs if first not in ("text", "pdf", "docx", "feed", "pages")] == [
        stage for stage in every if stage not in ("text", "pdf", "docx", "feed", "pages")
    ]
    if flags == ["-j1"]:
        assert (office.folder / "stages").read_text().splitlines() == lines
        assert [first for first, _ in pairs] == every


def test_dry_make_names_the_stages_and_writes_nothing(rendered: Office) -> None:
    before = rendered.times()
    source = rendered.content / "one.md"
    text = source.read_text("utf-8")
    source.write_text(text + "\nMore.\n", "utf-8")
    snapshot = {path: path.stat().st_mtime_ns for path in rendered.folder.rglob("*")}
    result = rendered.make("-n", "render")
    assert result.status == 0
    assert stages_named(result.out) >= {"read", *STAGES, "feed"}
    assert {path: path.stat().st_mtime_ns for path in rendered.folder.rglob("*")} == snapshot
    assert rendered.times() == before
    source.write_text(text, "utf-8")
    assert rendered.make("render").status == 0


def test_edited_release_is_made_again_and_no_other(rendered: Office) -> None:
    before = rendered.times()
    source = rendered.content / "one.md"
    source.write_text(source.read_text("utf-8") + "\nA second paragraph.\n", "utf-8")
    result = rendered.make("-j2", "render")
    assert result.status == 0, result.text
    assert rendered_by(result.out) == {(stage, "one") for stage in STAGES}
    after = rendered.times()
    assert {name for name in after if after[name] != before[name]} == {f"one{suffix}" for suffix in SUFFIXES}
    assert b"A second paragraph." in (rendered.public / "releases" / "one.txt").read_bytes()
    assert b"A second paragraph." in (rendered.public / "feed.xml").read_bytes()


def test_a_touched_source_renders_nothing(rendered: Office) -> None:
    before = rendered.times()
    (rendered.content / "two.md").touch()
    assert rendered_by(rendered.make("render").out) == set(), "the words are the same"
    assert rendered.times() == before
    assert "Nothing to be done" in rendered.make("render").out


def test_an_older_source_that_is_put_back_is_rendered(rendered: Office) -> None:
    """As Dropbox, ``rsync -t`` and ``touch -d`` do it: other words under an old time."""
    source = rendered.content / "two.md"
    text, times = source.read_text("utf-8"), source.stat()
    source.write_text(text + "\nWords of last year.\n", "utf-8")
    os.utime(source, (1_600_000_000, 1_600_000_000))
    assert rendered.make("render").status == 0
    assert b"Words of last year." in (rendered.public / "releases" / "two.txt").read_bytes()
    source.write_text(text, "utf-8")
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert rendered.make("render").status == 0
    assert b"Words of last year." not in (rendered.public / "releases" / "two.txt").read_bytes()


def test_state_that_is_deleted_or_damaged_comes_back(rendered: Office) -> None:
    state = rendered.folder / "output" / ".work" / "state.sqlite"
    before = rendered.files()
    state.unlink()
    assert rendered.make("render").status == 0
    assert rendered.files() == before
    state.write_bytes(b"no database")
    (rendered.content / "two.md").touch()
    assert rendered.make("render").status == 0
    assert rendered.files() == before


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_deleted_rendition_comes_back_the_same(rendered: Office, suffix: str) -> None:
    file = rendered.public / "releases" / f"two{suffix}"
    before = file.read_bytes()
    file.unlink()
    assert rendered.make("render").status == 0
    assert file.read_bytes() == before


def test_changed_picture_makes_its_release_again(rendered: Office) -> None:
    def draw(colour: str) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (90, 60), colour).save(buffer, "PNG")
        (rendered.content / "pictured" / "shot.png").write_bytes(buffer.getvalue())

    (rendered.content / "pictured").mkdir()
    draw("red")
    rendered.write("pictured", body='![A square](shot.png "A caption | A credit")')
    assert rendered.make("render").status == 0
    before = rendered.files()
    draw("blue")
    result = rendered.make("render")
    assert {slug for _, slug in rendered_by(result.out)} == {"pictured"}
    after = rendered.files()
    changed = {key for key in after if after[key] != before.get(key)}
    assert {f"releases/pictured{suffix}" for suffix in ("/shot.png", ".pdf", ".docx", ".zip")} <= changed
    assert not any(key.startswith(("releases/one", "releases/two")) for key in changed)


def test_stage_alone_makes_its_format(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    assert office.make("pdf").status == 0
    assert set(office.files()) == {"releases/one.pdf", "releases/one.png"}, "and the card beside it"
    assert office.make("text").status == 0
    assert set(office.files()) == {"releases/one.pdf", "releases/one.png", "releases/one.txt"}
    assert office.make("html").status == 0
    assert set(office.files()) >= {f"releases/one{suffix}" for suffix in (".html", ".docx", ".zip")}
    assert office.make("feed").status == 0
    assert b"A title" in office.files()["feed.xml"]


def test_another_address_makes_again_only_what_states_it(rendered: Office) -> None:
    before = rendered.files()
    result = rendered.make("render", PRESS_BASE_URL="https://press.example.net/room/")
    assert result.status == 0, result.text
    after = rendered.files()
    changed = {key for key in after if after[key] != before.get(key)}
    assert "robots.txt" in changed
    assert {key.rsplit(".", 1)[1] for key in changed - {"robots.txt"}} == {"html", "json", "xml"}
    assert b"https://press.example.net/room/releases/one.html" in after["releases/one.html"]
    assert "Nothing to be done" in rendered.make("render", PRESS_BASE_URL="https://press.example.net/room/").out
    assert rendered.make("render").status == 0
    assert rendered.files() == before


def test_broken_release_does_not_stop_the_others(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("good")
    office.write("bad", date="2026-01-05T09:00")
    result = office.make("render")
    assert result.status == 2
    assert "content/bad.md:3: date: no time zone" in result.err
    assert "hint: write 2026-01-05T09:00+00:00" in result.err
    assert result.err.count("content/bad.md:3") == 1, "a fault is told once, not by every stage"
    assert "dateline: exit 2 (release)" in result.err
    assert "Traceback" not in result.text
    names = {key for key in office.files() if key.startswith("releases/")}
    assert names == {f"releases/good{suffix}" for suffix in SUFFIXES}
    office.write("bad")
    assert office.make("render").status == 0
    assert "releases/bad.pdf" in office.files()


@pytest.mark.parametrize("stage", ["text", "pdf", "kit", "html", "json"])
def test_stage_asked_for_by_name_ends_with_2_and_makes_the_good_ones(tmp_path: Path, stage: str) -> None:
    office = Office(tmp_path / "office")
    office.write("good")
    office.write("bad", title="")
    result = office.make(stage)
    assert result.status == 2
    assert "content/bad.md:2: title" in result.err
    assert f"releases/good{by_name(stage).suffix}" in office.files()
    assert not any("bad" in key for key in office.files())


def test_all_faults_of_all_files_come_in_one_run(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("a", body="<script>alert(1)</script>", contacts="[nobody]")
    office.write("b", body="![no such](missing.png)", colour="red")
    (office.content / "c.md").write_bytes(b"---\ntitle: Bell \x07\n---\nText\n")
    (office.content / "Not A Slug.md").write_text("---\ntitle: x\n---\ny\n", "utf-8")
    result = office.make("check")
    assert result.status == 2
    for words in ("content/a.md", "raw HTML", "nobody", "content/b.md", "missing.png", "colour", "content/c.md:2",
                  "content/Not A Slug.md"):  # fmt: skip
        assert words in result.err, words
    assert "Traceback" not in result.text
    assert not (office.public / "releases").exists()


def test_name_that_is_no_slug_is_refused_though_make_cannot_hold_it(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("good")
    (office.content / "My Release.md").write_text("---\ntitle: x\ndate: 2026-01-05T09:00Z\n---\ny\n", "utf-8")
    result = office.make("render")
    assert result.status == 2
    assert "content/My Release.md" in result.err
    assert "releases/good.pdf" in office.files()


def test_empty_newsroom_is_no_error(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    result = office.make("render")
    assert result.status == 0, result.text
    assert "There are no releases yet" in office.files()["index.html"].decode()
    assert b"<rss" in office.files()["feed.xml"]


def test_broken_newsroom_file_stops_everything_with_its_line(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", newsroom='[organisation]\nname = "X"\nlanguag = "en"\n')
    office.write("one")
    result = office.make("render")
    assert result.status == 2
    assert "content/newsroom.toml:3" in result.err
    assert "language" in result.err
    assert office.files() == {}


def test_other_folders_may_be_named(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    (office.folder / "drafts").mkdir()
    (office.content / "one.md").rename(office.folder / "drafts" / "two.md")
    (office.folder / "drafts" / "newsroom.toml").write_bytes((office.content / "newsroom.toml").read_bytes())
    assert office.make("text", "CONTENT=drafts", "OUTPUT=made").status == 0
    assert (office.folder / "made" / "public" / "releases" / "two.txt").is_file()
    assert not (office.folder / "output").exists()


def test_new_writes_a_release_that_checks(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    result = office.make("new", 'TITLE=Müller & Söhne: "It\'s $5", they said')
    assert result.status == 0, result.text
    (path,) = office.content.glob("*.md")
    assert path.name == "muller-sohne-its-5-they-said.md"
    text = path.read_text("utf-8")
    assert """title: 'Müller & Söhne: "It''s $5", they said'""" in text
    assert "contacts: [desk]" in text
    assert "footage: [archive]" in text
    assert office.make("check").status == 0
    again = office.make("new", 'TITLE=Müller & Söhne: "It\'s $5", they said')
    assert again.status == 2
    assert "exists already" in again.err
    assert path.read_text("utf-8") == text


def test_new_without_title_says_how(tmp_path: Path) -> None:
    result = Office(tmp_path / "office").make("new")
    assert result.status == 2
    assert 'make new TITLE="' in result.err


def test_help_lists_what_can_be_typed(tmp_path: Path) -> None:
    text = Office(tmp_path / "office").make("help").out
    for target in (
        "publish",
        "test",
        "render",
        "check",
        "new",
        "status",
        "pdf",
        "docx",
        "kit",
        "html",
        "text",
        "json",
        "feed",
    ):
        assert f"make {target} " in text, target


def test_folder_with_a_blank_is_refused_in_words(tmp_path: Path) -> None:
    result = Office(tmp_path / "office").make("render", "OUTPUT=my output")
    assert result.status == 2
    assert "no blanks" in result.err
