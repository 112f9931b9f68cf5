"""Cases as folders: what each release becomes in every format, word for word and mark for mark.

The text, the record and the page are compared byte for byte; of the Word file the document part as indented XML, of the
PDF the text of its pages. ``ACCEPT=1 make test`` writes the goldens anew: review them as a diff.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from xml.dom import minidom
from zipfile import ZipFile

import pytest

from tests.support.renditions import of_pdf
from tests.writers import cases

SOURCES = sorted(cases.FOLDER.glob("*/*.md"))


def goldens(made: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield file name and text of each golden of a release."""
    yield "text.txt", made["text"].decode()
    yield "record.json", DIGESTS.sub('"…"', made["json"].decode())
    yield "page.html", DIGESTS.sub('"…"', made["html"].decode())
    yield "word.xml", indented(made["docx"])
    yield "pages.txt", "\n".join(line.rstrip() for line in of_pdf(made["pdf"]).splitlines()) + "\n"


DIGESTS = re.compile(r'"[0-9a-f]{64}"|(?<="sizeInBytes": )\d+|"\d+ B"|\d+ (?:KB|kB|كيلوبايت)')
"""Digests and sizes of compressed files: they change with every version of a library, the words do not."""


def indented(package: bytes) -> str:
    """Return the document part of a Word file, one element a line."""
    with ZipFile(io.BytesIO(package)) as file, minidom.parseString(file.read("word/document.xml")) as tree:
        return tree.toprettyxml(indent=" ")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_release_becomes_what_it_became_before(source: Path) -> None:
    _, made = cases.written(source)
    accept = os.environ.get("ACCEPT") == "1"
    differing = []
    for name, text in goldens(made):
        golden = source.parent / "golden" / name
        if accept:
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text, "utf-8")
        elif not golden.is_file() or golden.read_text("utf-8") != text:
            differing.append(name)
    assert differing == [], "look at them; ACCEPT=1 writes them anew"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_release_becomes_the_same_bytes_again(source: Path) -> None:
    _, first = cases.written(source)
    _, again = cases.written.__wrapped__(source)
    assert {name for name in first if first[name] != again[name]} == set()
