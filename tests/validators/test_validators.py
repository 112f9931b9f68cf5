"""What the judges from outside say is understood; a judge that leaves a file out has not judged."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from importlib import metadata
from pathlib import Path

import pytest

from pipeline.validators import AbsentError, UnableError, answer, axe, install, libreoffice, ninjs, nu, ooxml, verapdf
from pipeline.writers import ninjs as writer
from pipeline.writers.docx import writer as docx
from tests.support import sample

FILE = Path("/public/one.pdf")
PAGE = Path("/public/a page.html")


def test_broken_rules_of_a_pdf() -> None:
    said = f"judged\tua1\t{FILE}\nbroken\tua1 7.1-3 not tagged\njudged\t2a\t{FILE}\n"
    ruling = verapdf.read(said, [FILE])
    assert (ruling.files, ruling.faults) == (1, [(FILE, "ua1 7.1-3 not tagged")])


def test_pdf_that_was_left_out() -> None:
    with pytest.raises(UnableError, match="judged 1 times, not 2"):
        verapdf.read(f"judged\tua1\t{FILE}\n", [FILE])


def test_messages_about_a_page() -> None:
    said = {"messages": [{"url": "file:/public/a%20page.html", "lastLine": 3, "message": "Bad value"}]}
    assert nu.read(json.dumps(said), [PAGE]).faults == [(PAGE, "line 3: Bad value")]
    with pytest.raises(UnableError):
        nu.read("Error: no", [PAGE])


def test_violations_in_a_browser() -> None:
    lines = [json.dumps({"file": str(PAGE), "setting": f"setting {n}", "faults": ["x"] * (n == 1)}) for n in range(4)]
    assert axe.read("\n".join(lines), [PAGE]).faults == [(PAGE, "setting 1: x")]
    with pytest.raises(UnableError):
        axe.read("\n".join(lines[1:]), [PAGE])


def test_errors_of_a_word_file() -> None:
    fault = {"path": "/w:document", "description": "unexpected child"}
    assert ooxml.read(json.dumps({"ok": False, "errors": [fault]})) == ["/w:document: unexpected child"]
    assert ooxml.read(json.dumps({"ok": True, "errors": []})) == []
    with pytest.raises(UnableError):
        ooxml.read("")


def test_word_that_a_conversion_lost(tmp_path: Path) -> None:
    file = tmp_path / "one.docx"
    file.write_bytes(docx.write(sample.render_input()).data)
    lost = libreoffice.lost_words(file, "")
    assert "Archive" in lost
    assert libreoffice.lost_words(file, " ".join(lost)) == []
    assert libreoffice.lost_words(file, " ".join(lost[1:])) == lost[:1]


def test_judge_that_is_not_there(tmp_path: Path) -> None:
    for module in (verapdf, nu, ooxml, axe):
        with pytest.raises(AbsentError, match=r"^no "):
            module.judge(tmp_path, [tmp_path])
    with pytest.raises(AbsentError, match=r"^no nobody$"):
        answer([tmp_path / "nobody"])
    with pytest.raises(UnableError, match="ended with 1") as found:
        answer(["false"])
    assert not isinstance(found.value, AbsentError)


def test_checker_of_schemas_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(AbsentError, match=r"^no jsonschema$"):
        ninjs.judge(tmp_path, [tmp_path])


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
        ("associations", [{"name": "B", "rel": "translation", "hreflang": "ar"}]),
        ("associations", [{"title": "nameless"}]),
        ("associations", [{"name": "B", "associations": [{"name": "C", "pubStatus": "gone"}]}]),
        ("altIds", [{"role": "reference", "value": 7}]),
        ("rightsInfo", {"langId": "https://example.org/"}),
        ("eventDetails", {"dates": {"expectedDuration": "PT1H"}}),
    ],
)
def test_record_that_breaks_the_standard(tmp_path: Path, where: str, value: object) -> None:
    faults_of = ninjs.judged(tmp_path)
    assert faults_of(json.dumps(RECORD).encode()) == []
    (fault,) = faults_of(json.dumps(RECORD | {where: value}).encode())
    assert where in fault


def test_record_without_a_name_and_data_that_is_no_record(tmp_path: Path) -> None:
    faults_of = ninjs.judged(tmp_path)
    assert faults_of(b"{}") == ["$: 'uri' is a required property"]
    assert faults_of(b"[]") == ["$: [] is not of type 'object'"]
    assert faults_of(b"\xff")[0].startswith("not JSON")


def test_schema_file_of_somebody_elses_is_heard_instead(tmp_path: Path) -> None:
    record = b'{"uri": "tag:example.org,2026:one"}'
    theirs = tmp_path / ninjs.THEIRS
    theirs.write_text('{"type": "object", "maxProperties": 0}')
    assert "to be empty" in ninjs.judged(tmp_path)(record)[0]
    for failed in ("{", "[]", '{"type": "thing"}'):
        theirs.write_text(failed)
        with pytest.raises(UnableError, match=f"^{ninjs.THEIRS} is not the schema"):
            ninjs.judged(tmp_path)


# ── What is installed ───────────────────────────────────────────────────────────────────────────────────────────────


def test_checker_of_schemas_is_pinned_with_all_that_it_needs() -> None:
    entries = install.pins(install.LOCK.read_text("utf-8"), install.SCHEMA_LIBRARY).split("\n")
    pinned = [line.split("==")[0] for line in entries if line and not line.startswith(" ")]
    assert sorted(pinned) == sorted(install.SCHEMA_LIBRARY)
    assert all(" --hash=sha256:" in line for line in entries if line.startswith(" "))
    needed = {"jsonschema"}
    while more := set().union(*map(requirements, needed)) - needed:
        needed |= more
    assert needed == set(install.SCHEMA_LIBRARY)


def requirements(name: str) -> set[str]:
    """Return what a package that is installed needs, without its extras."""
    listed = [each for each in metadata.requires(name) or [] if "extra ==" not in each]
    return {re.split(r"[^\w.-]", each)[0] for each in listed}


def test_judge_is_fetched_once_and_again_when_its_pin_is_another(tmp_path: Path) -> None:
    place, fetched = tmp_path / "judge", []

    def fetch(empty: Path, *, problem: str = "") -> str:
        fetched.append(problem)
        if not problem:
            empty.mkdir()
            (empty / f"part{len(fetched)}").touch()
        return problem

    install.get(place, "1", partial(fetch, problem="no net"))
    assert not place.exists()
    install.get(place, "1", fetch)
    install.get(place, "1", fetch)
    assert len(fetched) == 2
    install.get(place, "2", partial(fetch, problem="no net"))
    assert (place / "part2").exists()
    install.get(place, "2", fetch)
    assert sorted(file.name for file in place.iterdir()) == [install.PIN, "part4"]
    assert list(tmp_path.iterdir()) == [place]
