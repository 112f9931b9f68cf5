"""Samples, example addresses and placeholder text are recognised, so that they do not go out by mistake."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipeline.build.samples import ORGANISATIONS, newsroom_samples, release_samples
from pipeline.model.errors import Fault
from pipeline.reader import newsroom_texts, read_newsroom, read_release
from pipeline.typography.messages import FOLDER, Messages
from tests.support.newsroom import NEWSROOM, ROOT

OWN = NEWSROOM.replace("example.org", "test-office.eu")
LANGUAGES = sorted(file.stem for file in FOLDER.glob("*.toml"))
SAMPLES = sorted(file.stem for file in (ROOT / "content").glob("*.md"))


def newsroom_faults(folder: Path, text: str) -> list[str]:
    file = folder / "newsroom.toml"
    file.write_text(text, "utf-8")
    return [f"{fault.line} {fault.message}" for fault in newsroom_samples(file)]


def faults(folder: Path, body: str, front: str = "") -> list[Fault]:
    (folder / "newsroom.toml").write_text(OWN, "utf-8")
    source = folder / "ferry.md"
    source.write_text(f"---\ntitle: The ferry sails\ndate: 2026-01-05T09:00+00:00\n{front}---\n{body}\n", "utf-8")
    return list(release_samples(source, read_release(source, read_newsroom(folder)).release))


@pytest.mark.parametrize("slug", SAMPLES)
def test_every_sample_release_is_recognised(slug: str) -> None:
    found = list(release_samples(ROOT / "content" / f"{slug}.md", None))
    assert [(fault.line, fault.message) for fault in found] == [(2, "a sample that comes with Dateline")]
    assert "PRESS_ALLOW_SAMPLES=1" in found[0].hint


@pytest.mark.parametrize("slug", SAMPLES)
def test_a_sample_that_was_renamed_and_edited_is_still_recognised(slug: str, tmp_path: Path) -> None:
    text = (ROOT / "content" / f"{slug}.md").read_text("utf-8").replace("\ndateline: ", "\ndateline: New ", 1)
    (tmp_path / "mine.md").write_text(text.replace("\n", "\r\n"), "utf-8")
    assert [fault.line for fault in release_samples(tmp_path / "mine.md", None)] == [2]


def test_the_sample_newsroom_is_recognised_line_by_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "content" / "newsroom.toml", tmp_path)
    told = {fault.message.partition(":")[0] for fault in newsroom_samples(tmp_path / "newsroom.toml")}
    assert told == {
        "organisation.name",
        "organisation.website",
        "organisation.boilerplate",
        "organisation.boilerplates.ar",
        "contacts.desk.role",
        "contacts.desk.email",
        "contacts.arabic.email",
        "feeds.tag_authority",
    }
    assert all(fault.line and fault.hint for fault in newsroom_samples(tmp_path / "newsroom.toml"))
    texts = " ".join(text for _, _, text in newsroom_texts(ROOT / "content" / "newsroom.toml"))
    assert all(name in texts for name in ORGANISATIONS)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", ""),
        ("desk@test-office.eu", "desk@example.com", "11 contacts.desk.email: example.com is an example"),
        ("desk@test-office.eu", "desk@press.Example.NET", "11 contacts.desk.email: Example.NET is an example"),
        ('"Test Office"', '"Open Window Archive"', "2 organisation.name: the sample organisation, Open Window Archive"),
        ('carrier = "Beta SP"', 'url = "https://example.org/x"', "15 footage.archive.url: example.org is an example"),
        ("[contacts.desk]", "# as at example.org\n[contacts.desk]", ""),
        ("test-office.eu", "myexample.org", ""),
        ("test-office.eu", "example.org.uk", ""),
        ("test-office.eu", "example.organic", ""),
    ],
)
def test_example_addresses_of_a_newsroom_are_faults(tmp_path: Path, old: str, new: str, told: str) -> None:
    found = newsroom_faults(tmp_path, OWN.replace(old, new) if old else OWN)
    assert [message.removesuffix(", nobody is there") for message in found] == ([told] if told else [])


@pytest.mark.parametrize(
    ("body", "front", "line"),
    [
        ("A paragraph.", "", 0),
        ("Write to press@example.org for more.", "", 5),
        ("A paragraph.\n\nWrite to [us](mailto:press@example.net?subject=Ferry).", "", 7),
        ("> **Write** to <press@mail.example.com>.", "", 5),
        ("- one\n\n## Notes to editors\n\n- Ask *press@example.org*.", "", 9),
        ("A paragraph.", "footage: {notice: Film., email: tapes@example.org}\n", 4),
        ("A paragraph.", "footage: {notice: Film., url: 'https://example.org/tapes'}\n", 4),
        ("Never answer `boss@example.com`.", "", 0),
        ("See <https://example.org/>.", "", 0),
        ("Write to press@example.org.eu.", "", 0),
        ("Write to press@example.org.", "withdrawn: {date: 2026-01-06T09:00+00:00, reason: It had no address.}\n", 0),
    ],
)
def test_example_contacts_in_a_release_are_faults(tmp_path: Path, body: str, front: str, line: int) -> None:
    assert [fault.line for fault in faults(tmp_path, body, front)] == ([line] if line else [])


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholder_text_is_recognised_in_every_language(tmp_path: Path, language: str) -> None:
    messages = Messages(language, "UTC")
    body = f"{messages['draft_text']}\n\n## Notes to editors\n\n- {messages['draft_note']}"
    found = faults(tmp_path, body)
    assert {fault.line for fault in found} == {5, 9}
    assert all("text of the template" in fault.message and fault.hint for fault in found)


def test_placeholder_text_is_recognised_in_part_and_with_other_line_breaks(tmp_path: Path) -> None:
    text = Messages("en", "UTC")["draft_text"]
    first = text.partition(". ")[0].replace(" ", "\n", 3)
    assert [fault.line for fault in faults(tmp_path, f"The ferry sails again.\n\n{first}.")] == [7]
