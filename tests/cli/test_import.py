"""``make import``: the draft, its pictures, and what is left to look at; nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.newsroom import Office
from tests.support.reading import picture

PAGE = """<h1>Ferries return</h1><p>The ferries are back, after eleven years.</p><img src="boat.png" alt="A ferry">"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return Office(tmp_path_factory.mktemp("import") / "office")


def test_a_file_becomes_a_draft_with_its_pictures_that_check_refuses_until_it_is_looked_at(office: Office) -> None:
    folder = office.folder / "old papers"
    folder.mkdir()
    (folder / "boat.png").write_bytes(picture())
    (folder / "a page.html").write_text(PAGE, "utf-8")
    result = office.make("import", "FROM=old papers/a page.html")
    source = office.content / "ferries-return.md"
    assert result.status == 0, result.text
    assert "content/ferries-return.md written as a draft" in result.out
    assert "draft: true" in source.read_text("utf-8")
    assert [file.name for file in (office.content / "ferries-return").iterdir()] == ["boat.png"]
    assert "ferries-return.md:3: to be checked: no date was found in the file" in result.err
    checked = office.make("check")
    assert checked.status == 2
    assert "ferries-return.md:3: to be checked: no date was found in the file" in checked.err
    source.write_text(
        "".join(line for line in source.read_text("utf-8").splitlines(True) if "# check:" not in line), "utf-8"
    )
    assert office.make("check").status == 0


def test_an_import_overwrites_nothing(office: Office, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE.replace("Ferries return", "Twice"), "utf-8")
    assert office.make("import", f"FROM={tmp_path / 'page.html'}", "NAME=once").status == 0
    before = (office.content / "once.md").read_bytes()
    again = office.make("import", f"FROM={tmp_path / 'page.html'}", "NAME=once")
    assert again.status == 2
    assert "content/once.md exists already" in again.err
    assert (office.content / "once.md").read_bytes() == before


def test_another_picture_of_that_name_stays_and_nothing_is_imported(office: Office, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(PAGE.replace("Ferries return", "Again"), "utf-8")
    (tmp_path / "boat.png").write_bytes(picture())
    there = office.content / "again" / "boat.png"
    there.parent.mkdir()
    there.write_bytes(b"another boat")
    result = office.make("import", f"FROM={tmp_path / 'page.html'}")
    assert result.status == 2
    assert "content/again/boat.png exists already, and is not the picture of this text" in result.err
    assert there.read_bytes() == b"another boat"
    assert not (office.content / "again.md").exists()
    there.write_bytes(picture())
    assert office.make("import", f"FROM={tmp_path / 'page.html'}").status == 0, "the same picture may lie there"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["import"], "which file is to be imported?"),
        (["import", "FROM=nowhere.docx"], "nowhere.docx: no such file"),
        (["import", "FROM=content"], "content: is not a file"),
    ],
)
def test_what_cannot_be_imported_is_said_with_what_to_do(office: Office, arguments: list[str], message: str) -> None:
    result = office.make(*arguments)
    assert result.status == 2
    assert message in result.err
    assert "hint: " in result.err
    assert "Traceback" not in result.text
