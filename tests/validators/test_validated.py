"""External tools find no fault in any case and any release of ``content/``, and each of them does find a real fault.

Tests are skipped where a validator is not installed: ``make validate`` installs it. With
``DATELINE_VALIDATORS=required`` they fail.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pypdfium2
import pytest

from pipeline.validators import VALIDATORS, MissingValidatorError, ValidationResult, validate
from pipeline.writers.docx import writer as docx
from tests.support import sample, signing_keys
from tests.support.newsroom import SAMPLE, Office
from tests.writers import cases

SOURCES = [*cases.FOLDER.glob("*/*.md"), *SAMPLE.glob("*.md")]
REQUIRED = os.environ.get("DATELINE_VALIDATORS") == "required"
EMBARGO = re.compile(r"^date: 2026-(?=.*\n(?:.*\n)*?embargo: true$)", re.MULTILINE)
"""The year of a release under embargo: the real date may have passed."""


def validated(name: str, *trees: Path) -> ValidationResult:
    """Run one validator, or skip the test where it is not installed."""
    try:
        return validate(name, trees)
    except MissingValidatorError as error:
        if REQUIRED:
            raise
        pytest.skip(f"{name}: {error}; make validate installs it")


# ── The output has no faults ────────────────────────────────────────────────────────────────────────────────────────


class Output(NamedTuple):
    """The output of all newsrooms."""

    trees: list[Path]
    releases: int
    newsrooms: int


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Output:
    """Every case and every release of this repository's newsroom, rendered with make."""
    offices: dict[Path, Office] = {}
    for source in SOURCES:
        home = source.parent if (source.parent / "newsroom.toml").is_file() else cases.FOLDER
        if home not in offices:
            newsroom = (home / "newsroom.toml").read_text("utf-8")
            if (
                home == cases.FOLDER
            ):  # with a QR code, the line for checking and the keys; the other newsrooms have none
                newsroom = newsroom.replace("[organisation]\n", f'[organisation]\nbase_url = "{cases.BASE}"\n', 1)
            offices[home] = Office(tmp_path_factory.mktemp(home.name) / "office", newsroom=newsroom)
            if home == cases.FOLDER:
                key = signing_keys.new_key(tmp_path_factory.mktemp("key") / "key")
                offices[home].content.joinpath("signers").write_text(signing_keys.line(key), "utf-8")
            for mark in home.glob("*.png"):
                shutil.copy(mark, offices[home].content)
        content = offices[home].content
        content.joinpath(source.name).write_text(EMBARGO.sub("date: 2126-", source.read_text("utf-8")), "utf-8")
        if source.with_suffix("").is_dir():
            shutil.copytree(source.with_suffix(""), content / source.stem)
    for office in offices.values():
        done = office.make("render")
        assert done.status == 0, done.text
    trees = [tree for office in offices.values() for tree in (office.public, office.waiting)]
    return Output(trees, len(SOURCES), len(offices))


def test_output_has_scheduled_and_published_releases(output: Output) -> None:
    """Otherwise the tests below would validate less than they say."""
    public, waiting = (
        sum(len(list(tree.glob("releases/*.html"))) for tree in output.trees if tree.name == name)
        for name in ("public", "waiting")
    )
    assert waiting >= 1
    assert public + waiting == output.releases


@pytest.mark.parametrize("name", VALIDATORS)
def test_validator_finds_no_fault(output: Output, name: str) -> None:
    result = validated(name, *output.trees)
    assert result.faults == []
    public = [tree for tree in output.trees if tree.name == "public"]
    archive = sum(len(list(tree.glob("archive/**/*.html"))) for tree in public)
    assert archive >= 2 * output.newsrooms  # the overview, and a year at least
    checking = sum((tree / "verify.html").is_file() for tree in public)
    assert checking >= 1
    pages = 2 * output.newsrooms + archive + checking  # the newsroom page and the media contact
    notices = sum("withdrawn:" in source.read_text("utf-8").split("\n---")[0] for source in SOURCES)
    assert notices == 1  # a page and a record, and nothing else
    on_paper = output.releases - (notices if name in ("verapdf", "ooxml", "libreoffice") else 0)
    assert result.files == on_paper + (pages if name in ("nu", "axe") else 0)


# ── Each validator finds a fault ────────────────────────────────────────────────────────────────────────────────────

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A page</title>
<style>{style}</style></head><body><main><h1 id="one">A page</h1><p>A paragraph.</p>{more}</main></body></html>
"""


def only_fault(name: str, file: Path, *messages: str) -> None:
    """Assert that a validator finds this fault in a file, and no fault in the files beside it."""
    result = validated(name, file.parent)
    assert {found for found, _ in result.faults} == {file.resolve()}
    said = "\n".join(what for _, what in result.faults)
    for word in messages:
        assert word in said


def test_untagged_pdf(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument.new()
    document.new_page(595, 842)
    document.save(tmp_path / "untagged.pdf")
    document.close()
    only_fault("verapdf", tmp_path / "untagged.pdf", "ua1 7.1", "2a 6.7.2")


def test_file_that_is_not_a_pdf(tmp_path: Path) -> None:
    (tmp_path / "words.pdf").write_text("Only words.")
    only_fault("verapdf", tmp_path / "words.pdf", "ua1", "2a")


def test_page_with_a_duplicate_id_and_a_picture_without_alt_text(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text(PAGE.format(style="", more=""))
    file = tmp_path / "a page.html"
    file.write_text(PAGE.format(style="", more='<p id="one"><img src="a.png"></p>'))
    only_fault("nu", file, "Duplicate ID", "alt")


def test_page_with_low_contrast_that_is_too_wide(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text(PAGE.format(style="", more=""))
    file = tmp_path / "page.html"
    file.write_text(PAGE.format(style="p { color: #aaa; background: #fff } h1 { width: 800px }", more=""))
    only_fault(
        "axe",
        file,
        "light, 1280 px: color-contrast",
        "dark, 1280 px: color-contrast",
        "dark, 320 px: the page is wider",
    )


UNSEEN = b"""<w:body><w:p><mc:AlternateContent
    xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:Choice Requires="nobody">
    <w:r><w:t>Unseenword</w:t></w:r></mc:Choice></mc:AlternateContent></w:p>"""
"""A word for programs that support an extension which no program supports."""


def word_file(file: Path, old: bytes, new: bytes) -> Path:
    """Write a valid Word file in which the first ``old`` of its text is replaced by ``new``."""
    with ZipFile(io.BytesIO(docx.write(sample.render_input()).data)) as sound, ZipFile(file, "w") as changed:
        for name in sound.namelist():
            data = sound.read(name)
            if name == "word/document.xml":
                assert old in data
                data = data.replace(old, new, 1)
            changed.writestr(name, data)
    return file


def test_word_file_with_an_unknown_element(tmp_path: Path) -> None:
    word_file(tmp_path / "sound.docx", b"", b"")
    only_fault("ooxml", word_file(tmp_path / "odd.docx", b"<w:body>", b"<w:body><w:nonsense/>"), "nonsense")


def test_word_file_with_a_hidden_word_and_one_that_cannot_be_opened(tmp_path: Path) -> None:
    """The latter has the same name as a valid file in another folder."""
    odd = word_file(tmp_path / "odd.docx", b"<w:body>", UNSEEN)
    word_file(tmp_path / "sound.docx", b"", b"")
    failed = tmp_path / "broken/sound.docx"
    failed.parent.mkdir()
    failed.write_bytes(b"PK\x03\x04 no archive")
    result = validated("libreoffice", tmp_path)
    assert sorted(result.faults) == [
        (failed.resolve(), "LibreOffice cannot open it"),
        (odd.resolve(), "missing words: Unseenword"),
    ]
    assert result.files == 3


def test_broken_record_and_record_with_unknown_values(tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    folder.mkdir()
    record = {"uri": "tag:example.org,2026:one", "pubStatus": "usable", "bodies": [{"value": "Words."}]}
    (folder / "good.json").write_text(json.dumps(record))
    (folder / "wrong.json").write_text(json.dumps(record | {"headline": "One", "pubStatus": "cancelled"}))
    (folder / "broken.json").write_text("{")
    said = {file.stem: what for file, what in validated("ninjs", tmp_path).faults}
    assert said.keys() == {"wrong", "broken"}
    assert "cancelled" in said["wrong"]
    assert validated("ninjs", tmp_path).files == 3


def test_make_validate_names_faulty_files_and_no_other_scheduled_release(tmp_path: Path) -> None:
    """The last validator is always installed with the tests."""
    office = Office(tmp_path / "office")
    folder = office.waiting / "releases"
    folder.mkdir(parents=True)
    (folder / "secret.json").write_text('{"uri": "tag:example.org,2026:secret"}')
    command = [sys.executable, "-m", "pipeline", "validate"]
    done = subprocess.run(command, cwd=office.folder, capture_output=True, text=True, timeout=120)
    assert re.search(r"^ninjs +1 file +0 faults$", done.stdout, re.MULTILINE)
    assert "secret" not in done.stdout + done.stderr
    (folder / "wrong.json").write_text('{"uri": "wrong"}')
    done = subprocess.run(command, cwd=office.folder, capture_output=True, text=True, timeout=120)
    assert re.search(r"^waiting/releases/wrong.json: \$\.uri: 'wrong' is not a 'uri'", done.stderr, re.MULTILINE)
    assert "secret" not in done.stdout + done.stderr
    assert done.returncode == 2
