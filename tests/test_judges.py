"""What the judges from outside say is understood; a judge that leaves a file out has not judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.judges import UnableError, answer, axe, libreoffice, nu, ooxml, verapdf
from pipeline.writers import docx
from tests import sample

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
    file.write_bytes(docx.write(sample.job()).data)
    lost = libreoffice.lost_words(file, "")
    assert "Archive" in lost
    assert libreoffice.lost_words(file, " ".join(lost)) == []
    assert libreoffice.lost_words(file, " ".join(lost[1:])) == lost[:1]


def test_judge_that_is_not_there(tmp_path: Path) -> None:
    for module in (verapdf, nu, ooxml, axe):
        with pytest.raises(UnableError, match=r"^no "):
            module.judge(tmp_path, tmp_path)
    with pytest.raises(UnableError):
        answer([tmp_path / "nobody"])
