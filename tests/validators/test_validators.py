"""The output of each external validator is read correctly, and a validator that leaves out a file has failed."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.validators import (
    MissingValidatorError,
    ValidatorError,
    axe,
    install,
    libreoffice,
    ninjs,
    nu,
    ooxml,
    run,
    verapdf,
)
from pipeline.writers import ninjs as writer
from pipeline.writers.docx import writer as docx
from tests.support import sample

FILE = Path("/public/one.pdf")
PAGE = Path("/public/a page.html")


def test_broken_rules_of_a_pdf() -> None:
    said = f"validated\tua1\t{FILE}\nfault\tua1 7.1-3 not tagged\nvalidated\t2a\t{FILE}\n"
    result = verapdf.read(said, [FILE])
    assert (result.files, result.faults) == (1, [(FILE, "ua1 7.1-3 not tagged")])


def test_pdf_that_the_validator_left_out_is_an_error() -> None:
    with pytest.raises(ValidatorError, match="validated 1 times, not 2"):
        verapdf.read(f"validated\tua1\t{FILE}\n", [FILE])


def test_messages_about_a_page() -> None:
    said = {"messages": [{"url": "file:/public/a%20page.html", "lastLine": 3, "message": "Bad value"}]}
    assert nu.read(json.dumps(said), [PAGE]).faults == [(PAGE, "line 3: Bad value")]
    with pytest.raises(ValidatorError):
        nu.read("Error: no", [PAGE])


def test_violations_in_a_browser() -> None:
    lines = [json.dumps({"file": str(PAGE), "setting": f"setting {n}", "faults": ["x"] * (n == 1)}) for n in range(4)]
    assert axe.read("\n".join(lines), [PAGE]).faults == [(PAGE, "setting 1: x")]
    with pytest.raises(ValidatorError):
        axe.read("\n".join(lines[1:]), [PAGE])


def test_errors_of_a_word_file() -> None:
    fault = {"path": "/w:document", "description": "unexpected child"}
    assert ooxml.read(json.dumps({"ok": False, "errors": [fault]})) == ["/w:document: unexpected child"]
    assert ooxml.read(json.dumps({"ok": True, "errors": []})) == []
    with pytest.raises(ValidatorError):
        ooxml.read("")


def test_word_that_is_missing_after_a_conversion(tmp_path: Path) -> None:
    file = tmp_path / "one.docx"
    file.write_bytes(docx.write(sample.render_input()).data)
    missing = libreoffice.missing_words(file, "")
    assert "Archive" in missing
    assert libreoffice.missing_words(file, " ".join(missing)) == []
    assert libreoffice.missing_words(file, " ".join(missing[1:])) == missing[:1]


def test_missing_validator_is_named(tmp_path: Path) -> None:
    for module in (verapdf, nu, ooxml, axe):
        with pytest.raises(MissingValidatorError, match=r"^no "):
            module.validate(tmp_path, [tmp_path])
    with pytest.raises(MissingValidatorError, match=r"^no nobody$"):
        run([tmp_path / "nobody"])
    with pytest.raises(ValidatorError, match="ended with 1") as found:
        run(["false"])
    assert not isinstance(found.value, MissingValidatorError)


def test_missing_schema_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(MissingValidatorError, match=r"^no jsonschema$"):
        ninjs.validate(tmp_path, [tmp_path])


# ── Records ─────────────────────────────────────────────────────────────────────────────────────────────────────────

RECORD = writer.record(sample.render_input())


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("uri", "releases/one"),
        ("title", 5),
        ("headline", "One"),
        ("type", "story"),
        ("pubStatus", "cancelled"),
        ("urgency", 10),
        ("firstCreated", "2026-03-01T09:30:00"),
        ("versionCreated", "2026-02-30T09:30:00Z"),
        ("standard", {"name": "ninjs", "release": "3.1"}),
        ("headlines", {"value": "One"}),
        ("headlines", [{"role": "headline"}]),
        ("bodies", [{"value": "Words.", "wordCount": "1"}]),
        ("people", [{"name": "A", "contactInfo": [{"type": "phone"}]}]),
        ("people", [{"name": "A", "contactInfo": [{"value": "1", "address": {}}]}]),
        ("subjects", [{"name": "A", "relevance": 101}]),
        ("renditions", [{"name": "pdf", "href": "one.pdf"}]),
        ("renditions", [{"href": "https://example.org/one.pdf"}]),
        ("renditions", [{"name": "pdf", "href": "https://example.org/100%"}]),
        ("associations", [{"name": "B", "uri": "urn:b", "rel": "translation", "hreflang": "ar"}]),
        ("associations", [{"uri": "urn:b", "title": "nameless"}]),
        ("associations", [{"name": "without an address"}]),
        ("associations", [{"name": "B", "uri": "urn:b", "associations": [{"name": "C", "uri": "c"}]}]),
        ("altIds", [{"role": "reference", "value": 7}]),
        ("rightsInfo", {"langId": "https://example.org/"}),
        ("eventDetails", {"dates": {"expectedDuration": "PT1H"}}),
    ],
)
def test_record_that_breaks_the_standard(tmp_path: Path, where: str, value: object) -> None:
    faults_of = ninjs.load_validator(tmp_path)
    assert faults_of(json.dumps(RECORD).encode()) == []
    (fault,) = faults_of(json.dumps(RECORD | {where: value}).encode())
    assert where in fault


def test_record_without_a_name_and_data_that_is_no_record(tmp_path: Path) -> None:
    faults_of = ninjs.load_validator(tmp_path)
    assert faults_of(b"{}") == ["$: 'uri' is a required property"]
    assert faults_of(b"[]") == ["$: [] is not of type 'object'"]
    assert faults_of(b"\xff")[0].startswith("not JSON")


def test_iptcs_own_schema_file_is_used_instead(tmp_path: Path) -> None:
    record = b'{"uri": "tag:example.org,2026:one"}'
    schema = tmp_path / ninjs.SCHEMA_FILE
    schema.write_text('{"type": "object", "maxProperties": 0}')
    assert "to be empty" in ninjs.load_validator(tmp_path)(record)[0]
    for failed in ("{", "[]", '{"type": "thing"}'):
        schema.write_text(failed)
        with pytest.raises(ValidatorError, match=f"^{ninjs.SCHEMA_FILE} is not a valid schema"):
            ninjs.load_validator(tmp_path)


# ── What is installed ───────────────────────────────────────────────────────────────────────────────────────────────


def test_schema_library_is_pinned_with_its_dependencies() -> None:
    entries = install.pins(install.LOCK.read_text("utf-8"), install.SCHEMA_LIBRARY).split("\n")
    pinned = [line.split("==")[0] for line in entries if line and not line.startswith(" ")]
    assert sorted(pinned) == sorted(install.SCHEMA_LIBRARY)
    assert all(" --hash=sha256:" in line for line in entries if line.startswith(" "))
    needed = {"jsonschema"}
    while more := set().union(*map(requirements, needed)) - needed:
        needed |= more
    assert needed == set(install.SCHEMA_LIBRARY)


def requirements(name: str) -> set[str]:
    """Return the dependencies of an installed package, without its extras."""
    listed = [each for each in metadata.requires(name) or [] if "extra ==" not in each]
    return {re.split(r"[^\w.-]", each)[0] for each in listed}


def test_validator_is_installed_once_and_again_when_its_pin_changes(tmp_path: Path) -> None:
    place, fetched = tmp_path / "validator", []

    def fetch(empty: Path, *, problem: str = "") -> str:
        fetched.append(problem)
        if not problem:
            empty.mkdir()
            (empty / f"part{len(fetched)}").touch()
        return problem

    install.install(place, "1", partial(fetch, problem="no net"))
    assert not place.exists()
    install.install(place, "1", fetch)
    install.install(place, "1", fetch)
    assert len(fetched) == 2
    install.install(place, "2", partial(fetch, problem="no net"))
    assert (place / "part2").exists()
    install.install(place, "2", fetch)
    assert sorted(file.name for file in place.iterdir()) == [install.PIN, "part4"]
    assert list(tmp_path.iterdir()) == [place]
