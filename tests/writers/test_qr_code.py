"""A printed release leads to its page: a QR code that telephones read, at the cost of no page."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec
import pypdfium2
import pytest
import zxingcpp

from pipeline.build import parity
from pipeline.model.errors import RenderError
from pipeline.model.formats import by_name
from pipeline.writers import RenderInput, pdf
from pipeline.writers.pdf import qr_code
from tests.support import sample
from tests.writers import cases

STATED = msgspec.structs.replace(sample.NEWSROOM, base_url="https://news.example.org/")
FAR = msgspec.structs.replace(sample.NEWSROOM, base_url="https://press.a-rather-long-name.example.org/en/newsroom/")
ADDRESS = "https://news.example.org/releases/sample.html"
SENTENCE = "A sentence with words of all lengths fills a line or so. "
SCREEN = 1.5
"""Pixels for a point: as a telephone sees a page that it does not come close to."""


def filling(lines: int, **changes: object) -> dict[str, Any]:
    """Return a release whose text has about so many lines, in paragraphs of three."""
    whole, rest = divmod(lines, 3)
    body = [sample.para(SENTENCE * 4)] * whole + [sample.para(SENTENCE * rest)] * bool(rest)
    return {"body": tuple(body), "pictures": (), **changes}


def codes(data: bytes) -> list[list[str]]:
    """Return what a telephone reads on each page."""
    document = pypdfium2.PdfDocument(data)
    found = [[code.text for code in zxingcpp.read_barcodes(page.render(scale=SCREEN).to_pil())] for page in document]
    document.close()
    return found


@pytest.mark.parametrize(
    ("render_input", "address"),
    [
        pytest.param(sample.render_input(STATED), ADDRESS, id="pictures, tables, two pages"),
        pytest.param(sample.render_input(STATED, language="ar"), ADDRESS, id="from right to left"),
        pytest.param(sample.render_input(STATED, embargoed=True), ADDRESS, id="a copy under embargo"),
        pytest.param(sample.render_input(STATED, contacts=(), footage=(), notes=()), ADDRESS, id="no contacts"),
        pytest.param(
            sample.render_input(FAR, slug="a-headline-" * 8 + "end"),
            f"{FAR.base_url}releases/{'a-headline-' * 8}end.html",
            id="a long address",
        ),
    ],
)
def test_a_telephone_reads_the_address_of_the_release_on_the_last_page(render_input: RenderInput, address: str) -> None:
    made = pdf.write(render_input)
    assert codes(made.data) == [[]] * (made.pages - 1) + [[address]]
    assert parity.check(by_name("pdf"), render_input, made.data) == ""


@pytest.mark.parametrize("length", [20, 60, 120, 300, 900])
def test_the_code_is_two_centimetres_wide_or_more_with_white_around_it(length: int) -> None:
    code = qr_code.draw("https://example.org/" + "a" * length)
    modules = int(re.findall(rb'viewBox="0 0 (\d+) ', code.svg)[0])
    assert code.width - 2 * code.quiet >= 20 / 25.4 * 72 - 0.1
    assert code.quiet / code.width == pytest.approx(4 / modules, abs=0.001)
    assert code.width / modules >= 0.45 / 25.4 * 72


def test_the_address_stands_beside_the_code_and_is_read_out() -> None:
    made = pdf.write(sample.render_input(STATED))
    assert f"QR code: {ADDRESS}".encode() in cases.inflated(made.data)
    document = pypdfium2.PdfDocument(made.data)
    last = document[len(document) - 1].get_textpage().get_text_range()
    document.close()
    assert re.search(rf"Read the current version\s+{re.escape(ADDRESS)}", last)


def test_a_newsroom_without_an_address_of_its_own_prints_none() -> None:
    made = pdf.write(sample.render_input())
    assert codes(made.data) == [[]] * made.pages
    assert b"QR code" not in cases.inflated(made.data)


def test_a_code_without_its_address_in_words_is_refused() -> None:
    without = sample.render_input()
    with pytest.raises(RenderError, match="does not say what the release says"):
        parity.check(by_name("pdf"), sample.render_input(STATED), pdf.write(without).data)


def page_counts(lines: int, **changes: object) -> tuple[int, int]:
    without, coded = (
        pdf.write(sample.render_input(newsroom, **filling(lines, **changes))).pages
        for newsroom in (sample.NEWSROOM, STATED)
    )
    return without, coded


def test_the_code_costs_no_page() -> None:
    """The lengths are those around which a release gets a second and a third page."""
    counts = [page_counts(lines) for lines in (*range(15, 22), *range(50, 64, 2))]
    assert [coded for _, coded in counts] == [without for without, _ in counts]
    assert {1, 2, 3} <= {without for without, _ in counts}, "otherwise no page break was tried"
    assert all(before <= after for (before, _), (after, _) in pairwise(counts))


def test_the_code_costs_a_long_release_no_page() -> None:
    """Of more than four pages, the lines are not set closer."""
    counts = [page_counts(lines, contacts=()) for lines in range(156, 189, 3)]
    assert [coded for _, coded in counts] == [without for without, _ in counts]
    assert len({without for without, _ in counts}) > 1
