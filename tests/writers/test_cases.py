"""Cases as folders: what each release becomes in every format.

The plain text is compared as it is, of the other formats an outline (``tests/support/outline.py``). ``ACCEPT=1 make
test`` writes the goldens anew: review them as a diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.writers import RenderInput
from tests.support import outline
from tests.support.renditions import pages_of_pdf
from tests.writers import cases

SOURCES = sorted(cases.FOLDER.glob("*/*.md"))
DIGESTS = re.compile(r'"[0-9a-f]{64}"|(?<="sizeInBytes": )\d+|"\d+ B"|\d+ (?:KB|kB|كيلوبايت)')
"""Digests and sizes of compressed files: they change with every version of a library, the words do not."""


WHOLE = {"everything", "embargoed", "withdrawn", "arabic", "film"}
"""Cases whose goldens hold all that stands around the text: letterhead, contacts, downloads, facts for machines."""


def goldens(case: str, render_input: RenderInput, rendered: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield format and text of each golden of a release."""
    yield "text", rendered["text"].decode()
    if render_input.release.has_shots:
        yield "shots", rendered["shots"].decode()
    yield "pdf", outline.of_paper(pages_of_pdf(rendered["pdf"]), case in WHOLE)
    yield "docx", outline.of_word(rendered["docx"], case in WHOLE)
    yield "html", outline.of_page(DIGESTS.sub('"…"', rendered["html"].decode()), case in WHOLE)
    yield "json", outline.of_record(DIGESTS.sub('"…"', rendered["json"].decode()), case in WHOLE)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_release_becomes_what_it_became_before(source: Path) -> None:
    render_input, made = cases.written(source)
    accept = os.environ.get("ACCEPT") == "1"
    differing = []
    for name, text in goldens(source.stem, render_input, made):
        golden = source.parent / "golden" / f"{name}.txt"
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
