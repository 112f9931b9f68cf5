"""newsroom.toml: every key, and every mistake with its line."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model.errors import ReleaseError
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom, Topic
from pipeline.model.release import Contact
from pipeline.reader import read_newsroom
from pipeline.reader.newsroom import contrast_on_white
from tests.support.markdown_outline import Case, accept, cases
from tests.support.reading import newsroom_faults, picture

LEAST = '[organisation]\nname = "N"\nlanguage = "en"\ntime_zone = "Europe/London"\n'


def read(folder: Path, text: str) -> Newsroom:
    (folder / "newsroom.toml").write_text(text, "utf-8")
    return read_newsroom(folder)


def test_minimal_newsroom(tmp_path: Path) -> None:
    assert read(tmp_path, LEAST) == Newsroom(name="N", language="en", time_zone="Europe/London")


def test_newsroom_with_every_key(tmp_path: Path) -> None:
    (tmp_path / "mark.png").write_bytes(picture())
    found = read(
        tmp_path,
        LEAST
        + """
boilerplate = '''
One.

Two.'''
mark = "mark.png"
accent = "#8A1C1C"
languages = ["fr"]
paper = "Letter"
reuse = "Free"
website = "https://example.org/"
base_url = "https://press.example.org/news"

[organisation.boilerplates]
fr = "Un."

[contacts.desk]
name = "Press desk"
role = "Press"
telephone = "+44 (0)20 7946 0312"
out_of_hours = "+44 7700 900 417 ext. 3"
email = "p@example.org"
languages = ["en", "cy"]

[footage.tape-1]
notice = "Footage."
carrier = "Beta SP"
url = "https://example.org/tape"

[topics]
archive = "The archive"
rights = { label = "Rights", fr = "Droits" }

[defaults]
contacts = ["desk"]
footage = "tape-1"

[feeds]
tag_authority = "example.org,2026-01-31"
items = 20

[storage]
""",
    )
    assert found.languages == ("en", "fr")
    assert found.boilerplate == "One.\n\nTwo."
    assert found.boilerplates == {"fr": "Un."}
    assert (found.mark, found.accent, found.paper) == ("mark.png", "#8a1c1c", "Letter")
    assert (found.website, found.base_url) == ("https://example.org/", "https://press.example.org/news/")
    numbers = ("+44 (0)20 7946 0312", "+44 7700 900 417 ext. 3")
    assert found.contacts == (Contact("desk", "Press desk", "Press", *numbers, "p@example.org", ("en", "cy")),)
    assert found.footage == {"tape-1": Footage("Footage.", carrier="Beta SP", url="https://example.org/tape")}
    assert found.topics == (Topic("archive", "The archive"), Topic("rights", "Rights", {"fr": "Droits"}))
    assert (found.default_contacts, found.default_footage) == (("desk",), ("tape-1",))
    assert (found.tag_authority, found.feed_items) == ("example.org,2026-01-31", 20)


def test_missing_newsroom_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError) as caught:
        read_newsroom(tmp_path)
    (fault,) = caught.value.faults
    assert fault.message == "there is no newsroom.toml"
    assert fault.source == str(tmp_path / "newsroom.toml")


def reads_as(folder: Path, case: Case) -> str:
    (folder / "photo.png").write_bytes(picture("JPEG"))
    (folder / "short.png").write_bytes(picture(size=(400, 300))[:200])
    (folder / "mark.jpg").write_bytes(picture("JPEG"))
    least = "" if "[organisation]" in case.markdown else LEAST
    return "\n".join(newsroom_faults(folder, least + case.markdown)).replace(str(folder), "FOLDER") or "no fault"


def test_accept(tmp_path: Path) -> None:
    """``ACCEPT=1`` rewrites the file of cases; without it the file must be as it would be written."""
    found = [Case(case.title, case.markdown, reads_as(tmp_path, case)) for case in cases("newsroom")]
    if os.environ.get("ACCEPT"):
        accept("newsroom", found)
    assert found == cases("newsroom")


@pytest.mark.parametrize("case", cases("newsroom"), ids=lambda case: case.title)
def test_mistakes(tmp_path: Path, case: Case) -> None:
    """Each mistake has its line, although the TOML parser gives none."""
    assert reads_as(tmp_path, case) == case.outline


def test_contrast_follows_the_accessibility_guidelines() -> None:
    assert contrast_on_white("#ffffff") == pytest.approx(1)
    assert contrast_on_white("#000000") == pytest.approx(21)
    assert contrast_on_white("#767676") == pytest.approx(4.54, abs=0.01)


PIECES = [
    "[organisation]",
    "[contacts.a]",
    "name",
    " = ",
    '"',
    "'''",
    "[",
    "]",
    "\n",
    "x",
    "1",
    "{",
    "}",
    "#",
    ".",
    ",",
]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join))
def test_any_text_gives_a_newsroom_or_faults(tmp_path: Path, text: str) -> None:
    """Never another exception, never a line that does not exist."""
    lines = len(re.split(r"\r\n|\r|\n", text))
    assert all(0 <= int(fault.split(" ")[0]) <= lines for fault in newsroom_faults(tmp_path, text))
