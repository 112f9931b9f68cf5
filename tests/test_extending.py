"""``docs/extending.md``, followed literally in a copy of the repository: a format and a fact reach everything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.model.formats import media_type
from tests.support.newsroom import ROOT, Office
from tests.support.public_http import address_of, get

GUIDE = (ROOT / "docs" / "extending.md").read_text("utf-8")
EVENT = "https://example.org/events/1999?day=3"
_STEP = re.compile(
    r"^(?P<verb>Write|In(?: each of)?) `(?P<file>[^`]+)`(?P<how>[^\n]*(?:\n[^\n`]+)*):\n\n```\w+\n(?P<code>.*?)```",
    re.MULTILINE | re.DOTALL,
)


def follow(folder: Path, section: str) -> int:
    """Do what a section of the guide says, and return the number of files touched."""
    text = GUIDE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    steps = list(_STEP.finditer(text))
    touched = set()
    for step in steps:
        files = sorted(folder.glob(step["file"])) if step["verb"] != "Write" else [folder / step["file"]]
        assert files, step["file"]
        for file in files:
            before = file.read_text("utf-8") if file.exists() else ""
            line = re.search(r"`(.+)`", step["how"])
            if step["verb"] == "Write":
                after = step["code"]
            elif line is None:
                assert "at the end" in step["how"]
                after = before + step["code"]
            else:
                assert before.count(line[1]) == 1, line[1]
                after = before.replace(
                    line[1], f"{line[1]}\n{step['code'].rstrip()}" if "after" in step["how"] else step["code"].rstrip()
                )
            assert after != before
            file.write_text(after, "utf-8")
        touched.add(step["file"])
    return len(touched)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A newsroom whose Dateline has one format and one fact more, with a published release."""
    office = Office(tmp_path_factory.mktemp("extending") / "office")
    assert follow(office.folder, "A format") == 4, "a writer, a row, the Makefile, and the messages"
    assert follow(office.folder, "A fact") == 2, "a row, and the messages"
    office.write("tapes", title="Tapes", body="The archive opens its *tapes*.", event_page=EVENT, embargo="true")
    result = office.make("publish")
    assert result.status == 0, result.text
    yield office
    office.end()


@pytest.fixture(scope="module")
def base(office: Office) -> str:
    return address_of(office.make("serve").out)


def test_new_format_has_its_stage_and_is_in_page_record_kit_and_feed(office: Office, base: str) -> None:
    files = office.files()
    assert files["releases/tapes.asc"] == files["releases/tapes.txt"].replace(b"\n", b"\r\n")
    assert b'href="tapes.asc"' in files["releases/tapes.html"]
    assert b"Wire copy" in files["releases/tapes.html"]
    record = json.loads(files["releases/tapes.json"])
    assert [each["href"] for each in record["renditions"] if each["name"] == "wire"] == [f"{base}releases/tapes.asc"]
    assert b"tapes/tapes.asc" in files["releases/tapes.zip"]
    for feed in ("feed.xml", "atom.xml", "feed.json"):
        assert f"{base}releases/tapes.asc" in files[feed].decode()
    assert office.make("wire").status == 0
    assert "Nothing to be done" in office.make("wire").out
    assert "make wire" in office.make("help").out


def test_new_format_is_uploaded_verified_and_served_as_what_it_is(office: Office, base: str) -> None:
    status, headers, body = get(f"{base}releases/tapes.asc")
    assert (status, body) == (200, office.files()["releases/tapes.asc"])
    assert headers["content-type"] == media_type("x.txt")
    verified = office.make("verify")
    assert verified.status == 0, verified.text


def test_new_format_that_says_something_else_is_refused(office: Office) -> None:
    writer = office.folder / "pipeline" / "writers" / "wire.py"
    source = writer.read_text("utf-8")
    writer.write_text(source.replace('b"\\n", b"\\r\\n"', 'b"archive", b"office"'), "utf-8")
    result = office.make("wire")
    writer.write_text(source, "utf-8")
    assert result.status == 2
    assert "Wire copy: does not say what the release says" in result.err
    assert "archive" in result.err
    assert office.make("wire").status == 0


def test_new_fact_is_in_every_format_and_in_the_feeds(office: Office) -> None:
    files = office.files()
    assert f"Event: {EVENT}".encode() in files["releases/tapes.txt"]
    assert f'Event: <a href="{EVENT}">{EVENT}</a>'.encode() in files["releases/tapes.html"]
    record = json.loads(files["releases/tapes.json"])
    assert {"role": "event_page", "value": EVENT} in record["altIds"]
    assert EVENT in record["bodies"][0]["value"]
    assert EVENT in files["feed.json"].decode()
    # PDF and Word file were compared with the release before they were stored, links included.
    assert {"releases/tapes.pdf", "releases/tapes.docx"} <= files.keys()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "example.org", "https://", "mailto:a@example.org"])
def test_address_of_a_fact_is_checked_as_links_in_the_text_are(office: Office, address: str) -> None:
    source = office.write("bad", event_page=address)
    result = office.make("check")
    source.unlink()
    assert result.status == 2
    assert "content/bad.md:4: event_page: " in result.err
    assert "hint: " in result.err
