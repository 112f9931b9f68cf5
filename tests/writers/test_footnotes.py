"""High and low figures and footnotes: what each format makes of them, in text from either side."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path
from zipfile import ZipFile

import pypdfium2
import pytest
from lxml import etree
from lxml.etree import _Element as Element

from pipeline.model.document import FootnoteReference, Footnotes, Inline, Link, Paragraph, figures, plain
from pipeline.model.errors import RenderError
from pipeline.publish.single_file_page import page as single_file_page
from pipeline.writers import docx, html, ninjs, pdf, text
from pipeline.writers.docx.xml import NAMESPACES, name_of
from pipeline.writers.markup import joined_figures
from tests.support.browser import browse
from tests.support.html_pages import Reader
from tests.support.outline import of_word
from tests.support.renditions import pages_of_pdf
from tests.support.sample import FOOTNOTES, high, line, low, para, render_input
from tests.writers import cases

NAMES = list(FOOTNOTES)
REFERENCES = {1: 5, 2: 4, 3: 2, 4: 1}
"""How often the sample refers to each footnote."""


@cache
def page(name: str) -> Reader:
    return Reader(html.write(render_input(**FOOTNOTES[name])).data.decode())


@cache
def paper(name: str) -> bytes:
    return pdf.write(render_input(**FOOTNOTES[name])).data


@cache
def word_file(name: str) -> bytes:
    return docx.write(render_input(**FOOTNOTES[name])).data


def part(data: bytes, name: str) -> Element:
    with ZipFile(io.BytesIO(data)) as package:
        return etree.fromstring(package.read(f"word/{name}.xml"))


# ── Figures without markup ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("inlines", "written"),
    [
        (("10", high("6")), "10⁶"),
        (("10", high("-6")), "10⁻⁶"),
        (("10", high("−6")), "10⁻⁶"),
        (("CO", low("2")), "CO₂"),
        (("le 1", high("er"), " mai"), "le 1ᵉʳ mai"),
        (("SO", low("4"), high("2−")), "SO₄²⁻"),
        (("x", high("Q")), "x^Q^"),
        (("x", low("6Q")), "x~6Q~"),
        (("1998", FootnoteReference(2), "."), "1998."),
    ],
)
def test_text_without_markup_keeps_high_and_low_figures_apart(inlines: tuple[Inline | str, ...], written: str) -> None:
    assert plain(line(*inlines)) == written


def test_every_high_figure_is_unicodes_own_or_as_typed() -> None:
    typed = "0123456789+-=()abcdefghijklmnopqrstuvwxyz"
    assert [sign for sign in typed if figures(sign) == f"^{sign}^"] == ["q"]
    assert [sign for sign in "0123456789+-=()" if figures(sign, low=True) == f"~{sign}~"] == []


@pytest.mark.parametrize(
    ("inlines", "joined"),
    [
        (("about 2.5×10", high("6"), " litres"), ["about ", "2.5×10 6", " litres"]),
        (("(H", low("2"), "O)"), ["(", "H 2 O", ")"]),
        (("SO", low("4"), high("2−"), ", done"), ["SO 4 2−", ", done"]),
        (("C", low("6"), "H", low("12"), "O", low("6"), " is"), ["C 6 H 12 O 6", " is"]),
        (("من 10", high("6"), " متر"), ["من ", "10 6", " متر"]),
        (("متر", high("3"), "مكعب"), ["متر", "3", "مكعب"]),
        ((high("6"), "Li"), ["6 Li"]),
        (("none",), ["none"]),
    ],
)
def test_figures_stay_beside_what_they_belong_to(inlines: tuple[Inline | str, ...], joined: list[str]) -> None:
    assert [" ".join(plain_text(each) for each in group) for group in joined_figures(line(*inlines))] == joined


def plain_text(inline: Inline) -> str:
    return plain(getattr(inline, "children", (inline,)))


# ── Plain text ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text_copy_has_the_numbers_in_brackets_and_the_notes_before_the_end_mark() -> None:
    copy = text.write(render_input(**FOOTNOTES["english"])).data.decode()
    body = copy[copy.index("London, 1") : copy.index("ABOUT")].rstrip()
    assert (
        body
        == """London, 1 March 2026 – The archive grew[1]. CO₂, 10⁶ m³ 10⁻⁶; 1998[2]

NOBODY COUNTED IT[3]

Nobody counted it, 1ᵉʳ, x^ABQ^ y~Q~[1][2].

7. Nobody counted it[2]
8. Nobody counted it

A[3]                  10⁹
The archive grew    12[1]
Nobody counted it     104

    Nobody counted it CO₂[1]

[Nobody counted it[4] Photo: J. Doe]

[1] The archive grew, example.org/one.

[2] The archive grew

    - Nobody counted it
    - The archive grew

[3] The archive grew

    Nobody counted it 10²[2].

[4]     Nobody counted it

ENDS"""
    )


# ── Page and record ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_page_links_every_reference_to_its_note_and_back(name: str) -> None:
    found = page(name)
    ids = [given["id"] for _, given in found.elements if "id" in given]
    assert len(ids) == len(set(ids))
    there = [a["href"] for a in found.all("a", role="doc-noteref")]
    assert {int(href.removeprefix("#NOTE-")): there.count(href) for href in there} == REFERENCES
    back = [a["href"].removeprefix("#") for a in found.all("a", role="doc-backlink")]
    assert sorted(back) == sorted(each["id"] for each in found.all("sup") if "id" in each)
    assert {f"NOTE-{number}" for number in REFERENCES} <= set(ids)


@pytest.mark.parametrize("name", NAMES)
def test_links_back_have_names_of_their_own_for_screen_readers(name: str) -> None:
    names = [a["aria-label"] for a in page(name).all("a", role="doc-backlink")]
    assert len(names) == len(set(names)) == sum(REFERENCES.values())


def test_shared_page_keeps_the_links_to_footnotes() -> None:
    data = html.write(render_input(**FOOTNOTES["english"])).data
    shared = single_file_page(data, "releases/sample.html", lambda key: b"")
    for role in ("doc-noteref", "doc-backlink"):
        assert len(Reader(shared.decode()).all("a", role=role)) == sum(REFERENCES.values())


@pytest.mark.parametrize("name", NAMES)
def test_record_has_footnotes_without_ids_because_feeds_show_several_on_one_page(name: str) -> None:
    value = ninjs.fragment(render_input(**FOOTNOTES[name]))
    assert " id=" not in value
    assert 'href="#' not in value
    assert value.count("<sup>[1]</sup>") == REFERENCES[1]
    assert "10<sup>6</sup>" in value


def test_figures_are_no_words_of_their_own_in_the_record() -> None:
    def words(*inlines: Inline | str) -> int:
        made = ninjs.write(render_input(body=(Paragraph(line(*inlines)),))).data
        return int(json.loads(made)["bodies"][0]["wordCount"])

    assert words("H", low("2"), "O of 10", high("6"), " in 1998", FootnoteReference(1)) == words("H2O of 106 in 1998")


COPY = """
const page = await browser.newPage();
await page.goto(`file://${given[0]}`);
await page.evaluate(() => {
  Object.defineProperty(navigator, "clipboard", { value: { writeText: async (words) => { window.copied = words; } } });
});
const body = () => page.evaluate(() => document.querySelector(".body").innerHTML);
const before = await body();
await page.click(".copy");
await page.waitForFunction(() => window.copied);
say(await page.evaluate(() => window.copied));
say(await body() === before);
"""


def test_copied_text_has_figures_list_numbers_and_footnotes_as_the_text_copy(tmp_path: Path) -> None:
    file = tmp_path / "sample.html"
    file.write_bytes(html.write(render_input(**FOOTNOTES["english"])).data)
    copied, same = browse(tmp_path, COPY, str(file))
    found = set(copied.split("\n"))
    assert {
        "London, 1 March 2026 – The archive grew[1]. CO₂, 10⁶ m³ 10⁻⁶; 1998[2]",
        "Nobody counted it, 1ᵉʳ, x^ABQ^ y~Q~[1][2].",
        "7. Nobody counted it[2]",
        "8. Nobody counted it",
        "[1] The archive grew, example.org/one.",
        "[2] The archive grew",
    } <= found
    assert same


def test_reference_within_a_link_is_a_link_of_its_own() -> None:
    words = line("the report", FootnoteReference(1), " of May")
    body = (Paragraph((Link("https://example.org/", words),)), Footnotes(((para("One"),),)))
    made = html.write(render_input(body=body, dateline="")).data.decode()
    assert re.search(r'>the report</a><sup id="REFERENCE-1"><a [^>]*>\[1\]</a></sup><a [^>]*> of May</a>', made)


# ── PDF ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_text_copied_from_the_pdf_has_the_same_figures_and_no_line_ends_after_them() -> None:
    lines = lines_of_pdf(paper("english"))
    assert "London, 1 March 2026 – The archive grew[1]. CO₂, 10⁶ m³ 10⁻⁶; 1998[2]" in lines
    assert "Nobody counted it, 1ᵉʳ, x^ABQ^ y~Q~" in lines


def lines_of_pdf(data: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(data)
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    return [line.strip() for text in found for line in text.splitlines()]


@pytest.mark.parametrize("name", NAMES)
def test_pdf_links_every_reference_to_its_note_and_back(name: str) -> None:
    found = cases.inflated(paper(name))
    names = re.findall(rb"/Dest \(([^)]*)\)", found)
    assert len([each for each in names if each.startswith(b"NOTE-")]) == sum(REFERENCES.values())
    assert len({each for each in names if each.startswith(b"REFERENCE-")}) == sum(REFERENCES.values())


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_word_has_real_footnotes_and_repeats_their_numbers(name: str) -> None:
    body = part(word_file(name), "document")
    ids = [int(str(each.get(name_of("w:id")))) for each in body.iter(name_of("w:footnoteReference"))]
    assert ids == sorted(REFERENCES)  # Word counts them in this order
    bookmarks = {each.get(name_of("w:name")) for each in body.iter(name_of("w:bookmarkStart"))}
    fields = [str(each.get(name_of("w:instr"))) for each in body.iter(name_of("w:fldSimple"))]
    repeated = [field.split()[1] for field in fields if "NOTEREF" in field]
    assert set(repeated) <= bookmarks
    within = len(list(part(word_file(name), "footnotes").iter(name_of("w:fldSimple"))))
    assert len(ids) + len(repeated) + within == sum(REFERENCES.values())


def test_word_has_no_trace_of_footnotes_where_there_are_none() -> None:
    with ZipFile(io.BytesIO(docx.write(render_input()).data)) as package:
        assert "word/footnotes.xml" not in package.namelist()
        assert b"ootnote" not in b"".join(map(package.read, package.namelist()))


def test_footnotes_in_word_are_in_the_style_for_them() -> None:
    notes = part(word_file("english"), "footnotes")
    styles = part(word_file("english"), "styles")
    named = {
        style.get(name_of("w:styleId")): name.get(name_of("w:val"))
        for style in styles.iter(name_of("w:style"))
        for name in style.iter(name_of("w:name"))
    }
    firsts = [note.find("w:p/w:pPr/w:pStyle", NAMESPACES) for note in notes.iter(name_of("w:footnote"))]
    assert [named[each.get(name_of("w:val"))] for each in firsts if each is not None] == ["footnote text"] * 4


def test_number_with_high_figures_is_read_from_the_left_in_word_too() -> None:
    body = part(word_file("arabic"), "document")
    left = [[str(run.findtext("w:t", "", NAMESPACES)) for run in each] for each in body.iter(name_of("w:dir"))]
    assert left[:5] == [["CO", "2"], ["10", "6"], ["m", "3"], ["10", "−6"], ["1", "er"]]


def test_footnote_that_only_a_footnote_refers_to_is_refused_because_word_would_not_show_it() -> None:
    body = (
        Paragraph(line("Text", FootnoteReference(1))),
        Footnotes(((Paragraph(line("One", FootnoteReference(2))),), (para("Two"),))),
    )
    with pytest.raises(RenderError, match="only a footnote refers to footnote 2"):
        docx.write(render_input(body=body))


# ── Numbers of lists ────────────────────────────────────────────────────────────────────────────────────────────────


def test_list_that_begins_with_seven_has_that_number_in_every_format() -> None:
    assert 'start="7"' in ninjs.fragment(render_input(**FOOTNOTES["english"]))
    assert page("english").all("ol", start="7")
    assert {"7.", "8."} <= {word for each in pages_of_pdf(paper("english")) for word in each.split()}
    assert "from 7" in of_word(word_file("english"))
