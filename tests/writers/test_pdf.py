"""What the PDF promises: the article's words, nothing from elsewhere, the same bytes twice, no box for a letter."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
import zlib
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pypdfium2
import pytest
from cssselect2 import Matcher  # type: ignore[import-untyped]
from PIL import Image

from pipeline.build.parity.content import folded
from pipeline.build.parity.expected import article_words
from pipeline.model.document import (
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
    Heading,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Strong,
    Table,
    Text,
)
from pipeline.model.errors import RenderError
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, Withdrawal
from pipeline.start import quick_start
from pipeline.typography.templates import render
from pipeline.writers import Output, RenderInput, pdf
from pipeline.writers.pdf import engine, layout, shortcuts, start_up, writer
from tests.support import sample
from tests.support.newsroom import ROOT
from tests.writers import cases

LONG = tuple(
    sample.para(f"Paragraph {n}. " + "A sentence that fills a line or so of the column. " * 6) for n in range(24)
)


def texts(made: Output) -> list[str]:
    document = pypdfium2.PdfDocument(made.data)
    found = [page.get_textpage().get_text_range() for page in document]
    document.close()
    # pdfium writes U+FFFE for a hyphen at a line's end.
    return [text.replace("\ufffe", "-") for text in found]


def links(made: Output) -> set[str]:
    return {found.decode() for found in re.findall(rb"/URI \(([^)]*)\)", uncompressed(made.data))}


def uncompressed(data: bytes) -> bytes:
    found = [data]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


@cache
def sample_pdf() -> Output:
    return pdf.write(sample.render_input())


@cache
def long_pdf(embargoed: bool = False) -> Output:
    return pdf.write(sample.render_input(embargoed=embargoed, body=LONG))


def with_newsroom(**changes: object) -> RenderInput:
    return sample.render_input(msgspec.structs.replace(sample.NEWSROOM, **changes))


def test_every_word_of_the_article_is_on_paper() -> None:
    render_input = sample.render_input()
    missing = Counter(article_words(render_input.article, render_input.messages)) - Counter(
        folded(" ".join(texts(sample_pdf())))
    )
    assert not missing


def test_nothing_but_the_article_list_marks_and_margins_is_on_paper() -> None:
    render_input = sample.render_input()
    made = sample_pdf()
    margins = [render_input.article.title, render_input.article.date, render_input.article.organisation, "more follows"]
    margins += [f"Page {n} of {made.pages}" for n in range(1, made.pages + 1)]
    marks = ["•"] * 10 + [f"{n}." for n in (1, 2, 3, 5, 6)] * 3
    known = article_words(render_input.article, render_input.messages) + folded(" ".join(margins * made.pages)) + marks
    assert not Counter(folded(" ".join(texts(made)))) - Counter(known)


def test_page_count_is_stated() -> None:
    assert long_pdf().pages == len(texts(long_pdf())) > 2


def test_same_job_gives_the_same_bytes() -> None:
    assert pdf.write(sample.render_input()).data == sample_pdf().data


def test_dates_and_identity_come_from_the_release() -> None:
    data = uncompressed(sample_pdf().data)
    assert b"D:20260301093000" in data
    assert b"D:20260302000000" in data
    assert f"D:{datetime.now(UTC):%Y%m%d}".encode() not in data


def test_pdf_is_tagged_titled_and_says_its_language() -> None:
    data = uncompressed(sample_pdf().data)
    for needle in (b"/StructTreeRoot", b"/Marked true", b"/Lang (en-GB)", b"pdfuaid", b"/TH", b"/Figure", b"/Outlines"):
        assert needle in data, needle


def test_pdf_is_an_archival_file_in_stated_colours() -> None:
    data = uncompressed(sample_pdf().data)
    for needle in (b'pdfaid:part="2"', b'pdfaid:conformance="A"', b"pdfaSchema:namespaceURI", b"/GTS_PDFA1", b"/F 4"):
        assert needle in data, needle
    assert b"/Interpolate true" not in data


def elements(data: bytes) -> dict[int, tuple[str, list[int]]]:
    """Return what the file's object stream holds of the structure, by object number: type and kids."""
    packed = re.search(rb"/ObjStm/N (\d+)/First (\d+).*?stream\n(.*?)\nendstream", data, re.DOTALL)
    assert packed
    content, first = zlib.decompress(packed[3]), int(packed[2])
    header = [int(number) for number in content[:first].split()]
    found = {}
    for number, start, end in zip(header[::2], header[1::2], [*header[3::2], len(content)], strict=True):
        body = content[first + start : first + end]
        if kind := re.match(rb"<</Type /(?:StructElem/S /)?(\w+)", body):
            kids = re.search(rb"/K \[(.*?)\]", body)
            found[number] = (
                kind[1].decode(),
                [int(kid) for kid in re.findall(rb"(\d+) 0 R", kids[1] if kids else b"")],
            )
    return found


def test_list_items_hold_nothing_but_label_and_body() -> None:
    items = (
        ListItem((sample.para("one"), List(True, (sample.item("a", "b"),)), CodeBlock("code"))),
        sample.item("x", "y"),
    )
    found = elements(pdf.write(sample.render_input(body=(List(False, items, tight=False),), notes=())).data)
    kids = [[found[kid][0] for kid in kids] for kind, kids in found.values() if kind == "LI"]
    assert kids
    assert {tuple(each) for each in kids} <= {("Lbl", "LBody"), ("LBody",)}


def test_table_of_nothing_but_its_head_has_a_body() -> None:
    found = elements(pdf.write(sample.render_input(body=(Table(sample.cells("A", "B"), (), ("", "")),))).data)
    assert "TBody" in {kind for kind, _ in found.values()}
    assert "THead" not in {kind for kind, _ in found.values()}


def test_marked_words_in_a_link_are_the_links_own_to_click() -> None:
    body = (
        Paragraph((Link("https://example.org/", (Strong((Text("bold"), Emphasis((Text("both"),)))), Text(" plain"))),)),
    )
    found = elements(pdf.write(sample.render_input(body=body)).data)
    places = {number for number, (kind, _) in found.items() if kind == "OBJR"}
    assert len(places) > 3
    assert {kind for kind, kids in found.values() if places.intersection(kids)} == {"Link"}


@pytest.mark.parametrize(("mode", "kind"), [("CMYK", "JPEG"), ("I;16", "PNG")])
def test_picture_of_other_colours_is_set_in_those_of_the_file(mode: str, kind: str) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (90, 60), 30_000 if mode == "I;16" else (0, 200, 200, 0)).save(buffer, kind)
    made = pdf.write(msgspec.structs.replace(sample.render_input(), pictures={"tape.png": buffer.getvalue()}))
    assert b"/DeviceCMYK" not in uncompressed(made.data)
    assert made.pages == sample_pdf().pages


def test_more_follows_stands_on_every_page_but_the_last() -> None:
    assert ["more follows" in text for text in texts(long_pdf())] == [True] * (long_pdf().pages - 1) + [False]
    single = pdf.write(sample.render_input(body=(sample.para("Short."),), notes=()))
    assert single.pages == 1
    assert "more follows" not in texts(single)[0]


def test_running_head_begins_on_page_two() -> None:
    first, *others = texts(long_pdf())
    title = sample.release().title
    assert first.count(title) == 1
    assert all(title in text for text in others)


def test_every_page_is_numbered() -> None:
    pages = texts(long_pdf())
    assert all(f"Page {n} of {len(pages)}" in text for n, text in enumerate(pages, 1))


def test_embargo_stands_on_every_page() -> None:
    assert all("EMBARGOED UNTIL SUNDAY, 1 MARCH 2026" in " ".join(text.split()) for text in texts(long_pdf(True)))


def test_without_embargo_no_page_speaks_of_one() -> None:
    assert "embargo" not in " ".join(texts(long_pdf())).casefold()


def test_links_are_absolute_and_lead_to_the_public_address() -> None:
    body = (
        Paragraph((Link("other-release.html", (Text("an earlier release"),)),)),
        Paragraph((Link("#nowhere", (Text("nowhere"),)),)),
    )
    found = links(pdf.write(sample.render_input(body=body)))
    assert "https://press.example.org/releases/other-release.html" in found
    assert "https://press.example.org/releases/sample.html#nowhere" in found
    assert {"tel:+442079460312", "mailto:press@example.org"} <= found


def test_link_to_a_heading_of_the_same_text_stays_inside() -> None:
    body = (
        Paragraph((Link("#what-was-done", (Text("below"),)),)),
        Heading(2, (Text("What was done"),)),
        sample.para("x"),
    )
    assert not [found for found in links(pdf.write(sample.render_input(body=body))) if "what-was-done" in found]


def test_withdrawal_names_the_release_to_read_instead() -> None:
    made = pdf.write(
        sample.render_input(withdrawn=Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.", "better"))
    )
    text = " ".join(texts(made))
    assert "It was wrong." in text
    assert "The last paragraph." not in text
    assert "https://press.example.org/releases/better.html" in links(made)


def test_no_path_of_the_machine_gets_into_the_file() -> None:
    data = uncompressed(sample_pdf().data)
    for needle in (b"file:", str(ROOT).encode(), b"/tmp/", b"site-packages", b"face:", b"picture:"):
        assert needle not in data, needle


def test_character_that_no_face_has_is_an_error_that_names_it() -> None:
    with pytest.raises(RenderError, match=r"U\+12000 CUNEIFORM SIGN A"):
        pdf.write(sample.render_input(title="A title \U00012000"))


def test_picture_that_the_job_does_not_hold_is_an_error() -> None:
    render_input = msgspec.structs.replace(sample.render_input(), pictures={})
    with pytest.raises(RenderError, match=r"tape\.png is not part of the release"):
        pdf.write(render_input)


def test_broken_picture_is_an_error() -> None:
    render_input = msgspec.structs.replace(sample.render_input(), pictures={"tape.png": b"not a picture"})
    with pytest.raises(RenderError, match="sample"):
        pdf.write(render_input)


LONG_WORD = "Wiederherstellungsverfahren"


def divided(language: str, *body: Block, title: str = "") -> bool:
    """Whether the word is divided anywhere in a release of ``language``."""
    found = sample.render_input(language=language, title=title or "Title", subtitle=title, body=body)
    said = "".join(texts(pdf.write(found)))
    pieces = {LONG_WORD[:end] + "-" for end in range(4, len(LONG_WORD) - 3)}
    return any(piece in said for piece in pieces)


@pytest.mark.parametrize(("language", "expected"), [("de", True), ("sv", True), ("en-GB", False), ("fr", False)])
def test_only_languages_of_long_words_divide_them(language: str, expected: bool) -> None:
    assert divided(language, sample.para(f"Die {LONG_WORD} beginnen. " * 12)) == expected


def test_headlines_headings_code_and_addresses_are_not_divided_where_their_words_fit() -> None:
    """A hyphen would be read as part of them."""
    messages = " ".join([LONG_WORD] * 7)
    address = f"https://archiv.example.org/{LONG_WORD}"
    links = tuple(inline for _ in range(9) for inline in (Text("Mehr: "), Link(address, (Text(address),)), Text(" ")))
    assert not divided("de", Heading(2, (Text(messages),)), title=messages)
    assert not divided("de", Paragraph(links), Paragraph((Code(messages),)), CodeBlock(messages))


@pytest.mark.parametrize("language", ["de", "pt", "en-GB"])
def test_word_that_is_wider_than_a_headline_is_hyphenated(language: str) -> None:
    word = "Wiederherstellungsverfahrensbeschleunigungsverordnungsentwurf"
    found = sample.render_input(language=language, title=f"Neu: {word}", body=(Heading(2, (Text(word * 2),)),))
    whole = re.sub(r"-\s*", "", "".join(texts(pdf.write(found))))
    assert re.search(rf"Neu:\s+{word}\s", whole), "the headline"
    assert re.search(rf"\s{word * 2}\s", whole), "the heading"


@pytest.mark.parametrize(
    "syllables",
    [
        "ព្រះ|រា|ជា|ណាច|ក្រក|ម្ពុ|ជា|ជា|ប្រ|ទេស|មួយ",
        "ມະ|ນຸດ|ທຸກ|ຄົນ|ເກີດ|ມາ|ມີ|ສິດ|ເສ|ລີ|ພາບ|ສະ|ຫວັນ|ນະ|ເຂດ",
        "ပြည်|ထောင်|စု|သမ္မ|တ|မြန်|မာ|နိုင်|ငံ|တော်|သည်",
        "ខ្មែរ ខ្មែរ\u200bខ្មែរ",
        "เปิดเส้นทางข้ามฟากอีกครั้ง and words of forty letters in Latin",
    ],
)
def test_scripts_without_spaces_end_lines_between_syllables(syllables: str) -> None:
    """Where the words are short enough, or the author wrote spaces of any kind, the lines end there."""
    text = syllables.replace("|", "")
    assert layout.divisible(f'<p title="{text}">{text}</p>') == (
        f'<p title="{text}">' + syllables.replace("|", "\u200b") + "</p>"
    )


def test_places_where_lines_may_end_are_not_part_of_the_text() -> None:
    text = "ព្រះរាជាណាចក្រកម្ពុជាជាប្រទេសមួយនៅអាស៊ីអាគ្នេយ៍" * 6
    said = "".join(texts(pdf.write(sample.render_input(language="km", title=text[:47], body=(sample.para(text),)))))
    assert "\u200b" not in said
    lines = [line.strip() for line in said.splitlines() if "\u1780" <= line[:1] <= "\u17ff"]
    assert len(lines) > 4
    assert not [line for line in lines if re.match("[\u17b4-\u17d3]", line) or line.endswith("\u17d2")]


def test_any_warning_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(template: str, **values: object) -> str:
        return render(template, **values).replace("<body", '<body style="colour: red"')

    monkeypatch.setattr("pipeline.writers.pdf.writer.render", careless)
    with pytest.raises(RenderError, match="colour"):
        pdf.write(sample.render_input())


def test_rendering_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "weasyprint"):
        pdf.write(sample.render_input())
    assert not caplog.records


def test_hostile_title_is_only_words() -> None:
    title = "</title><script>alert('x')</script> \" & <!-- -->"
    made = pdf.write(sample.render_input(title=title, subtitle='"}; @page { size: A6 }', facts={"reference": "<b>"}))
    text = " ".join(" ".join(texts(made)).split())
    assert title in text
    assert '"}; @page { size: A6 }' in text


def test_organisation_name_cannot_leave_its_string() -> None:
    made = pdf.write(with_newsroom(name='A" } @page { @top-center { content: "x'))
    assert 'A" } @page { @top-center { content: "x' in " ".join(texts(made))


def test_decorative_picture_needs_no_alternative() -> None:
    made = pdf.write(sample.render_input(body=(sample.para("Before."), Figure("tape.png", ""))))
    assert "Before." in texts(made)[0]


def test_mark_is_drawn_and_not_read_out() -> None:
    render_input = msgspec.structs.replace(sample.render_input(), mark=sample.picture_bytes())
    made = pdf.write(render_input)
    assert len(made.data) != len(sample_pdf().data)
    assert uncompressed(made.data).count(b"/S /Figure") == uncompressed(sample_pdf().data).count(b"/S /Figure")


def test_wide_tables_long_words_and_long_code_keep_inside_the_page() -> None:
    head = sample.cells(*(f"Column number {n}" for n in range(12)))
    body = (
        Table(head, tuple(sample.cells(*["unbreakable" * 2] * 12) for _ in range(3)), ("",) * 12),
        sample.para("Donaudampfschifffahrtsgesellschaft" * 8),
        CodeBlock("x = " + "1234567890" * 30),
        Paragraph((Link("https://example.org/" + "a" * 300, (Text("https://example.org/" + "a" * 300),)),)),
    )
    document = pypdfium2.PdfDocument(pdf.write(sample.render_input(body=body)).data)
    for page in document:
        width = page.get_width()
        textpage = page.get_textpage()
        boxes = [textpage.get_charbox(n) for n in range(textpage.count_chars())]
        assert all(left >= 0 and right <= width for left, _, right, _ in boxes)
    document.close()


def test_rows_are_not_torn_and_heads_are_repeated() -> None:
    rows = tuple(sample.cells(f"Row {n}", "Some words " * 12, str(n)) for n in range(60))
    pages = texts(
        pdf.write(sample.render_input(body=(Table(sample.cells("Name", "Words", "Number"), rows, ("", "", "")),)))
    )
    with_rows = [text for text in pages if "Row " in text]
    assert len(with_rows) > 1
    assert all("Name" in text and "Number" in text for text in with_rows)


LED_TO: dict[str, Block] = {
    "list": List(False, tuple(sample.item(f"Item {n}") for n in range(6))),
    "table": Table(sample.cells("Name", "Number"), tuple(sample.cells(f"Item {n}", "7") for n in range(40)), ("", "")),
    "code": CodeBlock("\n".join(f"Item {n}" for n in range(6))),
}


@pytest.mark.parametrize("kind", LED_TO)
def test_line_stays_with_what_it_leads_to_and_no_page_begins_or_ends_with_one_item(kind: str) -> None:
    """Lines of any number come before, so that the page may end anywhere."""
    for count in range(18):
        lines = [LineBreak() if n % 2 else Text("A line.") for n in range(2 * count + 1)]
        body = (*LONG[:6], Paragraph(tuple(lines)), sample.para("This leads on:"), LED_TO[kind], sample.para("End."))
        for page in texts(pdf.write(sample.render_input(body=body, notes=()))):
            items = re.findall(r"Item (\d+)\b", page)
            assert len(items) != 1
            assert ("This leads on:" in page) == ("0" in items)


def test_contacts_are_kept_together_and_printed_once() -> None:
    for count in range(8, 16):
        pages = texts(pdf.write(sample.render_input(body=LONG[:count], notes=())))
        assert sum(text.count("+44 20 7946 0312") for text in pages) == 1
        together = [text for text in pages if "MEDIA CONTACT" in text]
        assert len(together) == 1
        assert "World Images" in together[0]


def test_second_list_begins_at_its_own_number() -> None:
    text = " ".join(" ".join(texts(sample_pdf())).split())
    assert "five" in text
    assert re.search(r"\b5\..*\b6\.", text)


def test_task_list_boxes_are_set() -> None:
    items = (ListItem((sample.para("done"),), True), ListItem((sample.para("open"),), False))
    assert "☑ done" in " ".join(texts(pdf.write(sample.render_input(body=(List(False, items),)))))


def test_letter_paper() -> None:
    document = pypdfium2.PdfDocument(pdf.write(with_newsroom(paper="Letter")).data)
    assert document[0].get_size() == pytest.approx((612, 792))
    document.close()


def test_arabic_is_set_from_the_right_with_its_own_words() -> None:
    made = pdf.write(
        sample.render_input(
            language="ar",
            title="كوريا الجنوبية: بعد عام من الحكم",
            dateline="لندن",
            body=tuple(sample.para("سيُفرج عن تسعة عشر شخصًا أمضوا سنوات طويلة. " * 8) for _ in range(12)),
            contacts=(Contact("d", "مكتب الإعلام", "الخدمة العربية", "+44 20 7946 0185"),),
        )
    )
    pages = texts(made)
    assert b"/Lang (ar)" in uncompressed(made.data)
    assert "صحفي" in pages[0]
    assert "يتبع" in pages[0]
    assert {"+44", "7946", "0185"} <= set(" ".join(pages).split())


def test_newsroom_without_contacts_or_boilerplate_has_no_empty_frame() -> None:
    bare = Newsroom("Bare", "en", "UTC")
    made = pdf.write(sample.render_input(bare, contacts=(), footage=(), notes=(), body=(sample.para("Text."),)))
    assert made.pages == 1
    assert "MEDIA CONTACT" not in texts(made)[0]


def test_cell_with_mark_up_is_not_taken_for_a_number() -> None:
    table = Table(sample.cells("A", "B"), ((Cell((Text("12"),)), Cell((Text("twelve"),))),), ("", ""))
    from pipeline.writers.markup import block_html

    html = block_html([table])
    assert '<td class="figures brief">12</td><td class="brief">twelve</td>' in html


def test_a_process_leaves_nothing_in_the_temporary_folder(tmp_path: Path) -> None:
    program = "from tests.support import sample; from pipeline.writers import pdf; pdf.write(sample.render_input())"
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "TMPDIR": str(tmp_path)})
    assert not list(tmp_path.iterdir())


def test_loading_the_pdf_engine_starts_no_other_program_and_leaves_libraries_as_they_are() -> None:
    code = """
import ctypes.util, sys
started = []
sys.addaudithook(lambda event, arguments: event in START and started.append(arguments))
START = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.system"}
find_library = ctypes.util.find_library
import pipeline.writers.pdf.engine
assert started == [] or sys.platform != "linux", started
assert ctypes.util.find_library is find_library
assert not {"fontTools.subset", "fontTools.varLib.instancer", "fontTools.ttLib"} & set(sys.modules)
from weasyprint.pdf import fonts as used
options = used.subset.Options(hinting=False)
from fontTools import subset
from fontTools.varLib.instancer import instantiateVariableFont
from fontTools.ttLib import TTFont, ttFont
assert type(options) is subset.Options
assert used.ttFont.getTableClass("glyf") is ttFont.getTableClass("glyf")
assert type(used.TTFont()) is TTFont
assert subset.__file__ and instantiateVariableFont.__module__ == "fontTools.varLib.instancer"
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "name", ["german", "arabic", "emoji", "thai", "footnotes", "embargoed", "catalogue-interface", "measuring-method"]
)
def test_shortcuts_within_the_library_change_no_byte_but_of_png_pictures(name: str) -> None:
    render_input, made = cases.written(cases.FOLDER / name / f"{name}.md")
    with shortcuts.plain():
        assert pdf.write(render_input).data == made["pdf"]


@pytest.fixture
def kept_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quick_start, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


@pytest.mark.usefixtures("kept_here")
@pytest.mark.parametrize(
    "selector",
    [
        *["p", ".a", "p + p", ".a + p > em", "p:first-child", "p:last-child", ":not(.a)", ":lang(de)"],
        *["[href]", "[title]", "[title='x']", "[title^=x]", "[href$=y]", "#x", "#x em", "p:not(:only-child)"],
        *["[style]", "div > :is(.a, .b) + * em", "p::before", "html[dir] em", "p ~ p", "p:has(em)", "p:nth-child(2)"],
        *["em:first-of-type", "p:empty", "p:only-child", "p + p + p", ":is(p + p) + p"],
    ],
)
def test_styles_that_are_kept_for_the_next_document_are_those_that_its_own_selectors_ask_for(selector: str) -> None:
    def drawn(sheet: engine.Look) -> list[bytes]:
        made = []
        for body in (
            "<div><p>one</p><p class='a'>two</p><p>three <em>four</em></p></div>",
            "<div><p title='x' id='x'>one <em>two</em></p><p>three</p><p class='a'>four</p><p class='b'></p></div>",
            "<div><p title='y'>one <em>two</em></p><p>three</p><p class='a'/><p class='b'>six <em>seven</em></p></div>",
            "<div><p>one <em>two</em></p></div>"
            "<div lang='de'><p style='margin: 3pt'><em>three</em><a href='x:y'>four</a></p></div>",
        ):
            html = f"<html lang='en' dir='ltr'><head><title>T</title></head><body>{body}</body></html>"
            document = engine.render(html, "https://news.example/", sheet, {})
            made.append(engine.pdf_bytes(document, b"0", {}))
        return made

    css = f"{selector} {{ color: #c00; font-size: 20pt; content: 'x' }}"
    with engine.isolated():
        kept = drawn(engine.look(css, (), "test"))
        with shortcuts.plain():
            assert drawn(engine.look(css, (), "test")) == kept


@pytest.mark.parametrize("sheet", ["print.css", "html5_ua.css"])
def test_selectors_of_style_sheets_let_styles_be_kept(sheet: str) -> None:
    """But those for parts of forms, which no release has."""
    folder = ROOT / "templates" if sheet == "print.css" else Path(str(files("weasyprint.css")))
    rules = [
        line
        for line in (folder / sheet).read_text("utf-8").splitlines()
        if not line.startswith(("option", "select", "textarea"))
    ]
    known = SimpleNamespace()
    shortcuts.know_places(known, "\n".join(rules))
    assert known._known.near


@pytest.mark.parametrize("name", ["german", "arabic"])
def test_style_sheets_kept_from_another_process_give_the_same_bytes(
    kept_here: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    render_input, made = cases.written(cases.FOLDER / name / f"{name}.md")
    html = import_module("weasyprint.html")
    sheets = (html.UA_STYLESHEET, html.PH_STYLESHEET)
    own = [sheet.matcher for sheet in sheets]
    try:
        for _ in ("parsed", "kept"):
            for sheet in sheets:
                sheet.matcher = Matcher()
            start_up.fill_sheets(html)
            writer._look.cache_clear()
            assert pdf.write(render_input).data == made["pdf"]
            assert len(list(kept_here.glob(".css-*"))) == len(sheets) + 1
            for module in (html, engine):
                monkeypatch.setattr(module, "CSS", lambda **_: pytest.fail("parsed again"))
    finally:
        for sheet, matcher in zip(sheets, own, strict=True):
            sheet.matcher = matcher
        writer._look.cache_clear()


def test_style_sheet_with_a_warning_is_not_kept(kept_here: Path) -> None:
    for _ in range(2):
        with pytest.raises(RenderError, match="no-such-property"):
            engine.look("p { no-such-property: 1 }", (), "faulty")
    assert not list(kept_here.glob(".css-*"))
