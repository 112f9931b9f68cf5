"""The Word document: its words, structure, links and properties, read back from the file's own XML."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml.etree import _Element as Element
from msgspec.structs import replace
from PIL import Image

from pipeline.model.document import (
    Alignment,
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
    Heading,
    Inline,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Strong,
    Superscript,
    Table,
    Text,
    plain,
)
from pipeline.model.errors import RenderError, SettingError
from pipeline.model.release import Contact, Picture, Withdrawal
from pipeline.typography.article import DATELINE_MARK, Article
from pipeline.typography.templates import FOLDER
from pipeline.writers import RenderInput
from pipeline.writers.docx import writer as docx
from pipeline.writers.docx.runs import _stretches
from pipeline.writers.docx.styles import _ASIAN, _COMPLEX, _EUROPEAN
from pipeline.writers.docx.writer import write
from pipeline.writers.docx.xml import NAMESPACES, name_of
from tests.support.sample import BODY, NEWSROOM, cells, item, para, render_input

ACCENT, WIDTH = "8A1C1C", 9071
"""Of the reference that comes along: the colour of its style Status, and its text in twentieths of a point."""
W = "{" + NAMESPACES["w"] + "}"


class File:
    """A finished document, opened."""

    def __init__(self, found: RenderInput | bytes) -> None:
        data = found if isinstance(found, bytes) else write(found).data
        self.archive = zipfile.ZipFile(io.BytesIO(data))
        self.names = self.archive.namelist()
        self.body = self.xml("word/document.xml")

    def xml(self, name: str) -> Element:
        return etree.fromstring(self.archive.read(name))

    def find(self, path: str, name: str = "word/document.xml") -> list[Element]:
        return self.xml(name).findall(path, NAMESPACES)

    def styled(self, style: str) -> list[Element]:
        """Return the paragraphs of a style, by the style's name."""
        wanted = self.style(style).get(f"{W}styleId")
        return [p for p in self.body.iter(f"{W}p") if value(p, "pPr/w:pStyle") == wanted]

    def style(self, name: str) -> Element:
        return next(s for s in self.find("w:style", "word/styles.xml") if value(s, "name") == name)

    def divides(self, name: str) -> bool:
        """Whether the words of a style are divided where the document lets them be: its own word, or its parent's."""
        style: Element | None = self.style(name)
        while style is not None:
            found = style.find("w:pPr/w:suppressAutoHyphens", NAMESPACES)
            if found is not None:
                return found.get(f"{W}val") == "0"
            parent = value(style, "basedOn")
            rows = self.find("w:style", "word/styles.xml")
            style = next((row for row in rows if row.get(f"{W}styleId") == parent), None)
        return True

    def target(self, relation: str, part: str = "document") -> str:
        relations = self.xml(f"word/_rels/{part}.xml.rels")
        return next(row.get("Target", "") for row in relations if row.get("Id") == relation)


def value(parent: Element, path: str, attribute: str = "val") -> str | None:
    found = parent.find(f"w:{path}", NAMESPACES)
    return None if found is None else found.get(W + attribute)


def text(root: Element) -> str:
    """Return what a reader sees: breaks, tabs and paragraph ends are blanks, words are not glued together."""
    out = []
    for node in root.iter(*(W + name for name in ("p", "t", "br", "tab"))):
        out.append((node.text or "") if node.tag == f"{W}t" else " ")
    return "".join(out)


def body(*blocks: Block) -> File:
    return File(render_input(body=blocks))


# --- Words -----------------------------------------------------------------------------------------------------------


def lines_of(article: Article, photo: str) -> Iterator[str]:
    """Yield all words of an article, told straight from its fields."""
    yield from (
        article.organisation,
        article.kind,
        *(fact.text for fact in article.facts),
        article.date,
        article.status,
    )
    for notice in article.notices:
        yield from (notice.label, notice.text)
        if notice.link:
            yield from (notice.link.label, notice.link.value)
    yield from (article.title, article.subtitle)
    if article.image:
        yield from told([article.image], photo)
    if article.dateline:
        yield article.dateline + DATELINE_MARK
    yield from told(article.body, photo)
    yield article.ends
    if article.boilerplate:
        yield from (article.about_heading, *article.boilerplate)
    yield from told(article.notes, photo)
    footer = article.footer
    for heading, parties in ((footer.contacts_heading, footer.contacts), (footer.footage_heading, footer.footage)):
        if parties:
            yield heading
        for party in parties:
            yield from (party.name, party.text)
            for line in party.lines:
                yield from (line.label, line.value)
    yield article.reuse


def told(blocks: Iterable[Block], photo: str) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(children) | Heading(_, children):
                yield plain(children)
            case Quote(children):
                yield from told(children, photo)
            case CodeBlock(content):
                yield content
            case Figure():
                yield plain(block.caption)
                yield photo.format(credit=block.credit) if block.credit else ""
            case List():
                for entry in block.items:
                    yield {None: "", True: "☑", False: "☐"}[entry.checked]
                    yield from told(entry.children, photo)
            case Table():
                for row in (block.head, *block.rows):
                    yield from (plain(cell.children) for cell in row)


TASKS = List(False, (ListItem((para("done"),), True), ListItem((para("open"),), False)))
EVERYTHING = (*BODY, TASKS, List(True, (ListItem((CodeBlock("x\n\ty"), Quote((para("deep"),)))), ListItem(()))))


@pytest.mark.parametrize(
    "found",
    [
        render_input(),
        render_input(embargoed=True),
        render_input(body=EVERYTHING, newsroom=replace(NEWSROOM, reuse="Free to reprint.")),
        render_input(body=(Quote((para("No paragraph comes first."),)),)),
        render_input(language="ar", body=(para("قالت منظمة Open Window إن A-101 متاح على +44 20 7946 0312."), *BODY)),
        render_input(withdrawn=Withdrawal(datetime(2026, 3, 5, tzinfo=UTC), "It was wrong.", "another")),
        render_input(contacts=(), footage=(), facts={}, subtitle="", dateline="", corrections=()),
    ],
    ids=["sample", "embargoed", "everything", "quote-first", "arabic", "withdrawn", "bare"],
)
def test_words_of_letterhead_and_body_are_the_articles_in_order(found: RenderInput) -> None:
    file = File(found)
    seen = (text(file.xml("word/header1.xml")) + " " + text(file.body)).replace("\u200e", "").split()
    assert seen == " ".join(lines_of(found.article, found.messages["photo"])).split()


def test_words_of_running_head_and_foot() -> None:
    file = File(render_input(embargoed=True))
    article = render_input(embargoed=True).article
    assert text(file.xml("word/header2.xml")).split() == f"{article.status} {article.title} {article.date}".split()
    for foot in ("word/footer1.xml", "word/footer2.xml"):
        assert text(file.xml(foot)).split() == f"{article.organisation} Page 1 of 1".split()


def test_telephone_number_never_breaks_over_two_lines() -> None:
    """Blanks inside numbers are no-break spaces, in the footer and in running text."""
    file = body(para("Call +44 20 7946 0312 today, or 12 34."))
    messages = [node.text or "" for node in file.body.iter(f"{W}t")]
    assert "+44\u00a07700\u00a0900417" in messages
    assert "Call +44\u00a020\u00a07946\u00a00312 today, or 12 34." in messages


# --- Look ------------------------------------------------------------------------------------------------------------


def test_looks_come_from_named_styles_alone() -> None:
    file = File(render_input(body=EVERYTHING, embargoed=True))
    direct = {"rFonts", "sz", "color", "jc", "shd", "pBdr", "u", "caps", "smallCaps", "tabs", "tcBorders", "tcMar"}
    for name in (n for n in file.names if re.match(r"word/(document|header|footer)\d?\.xml", n)):
        assert not direct & {etree.QName(node).localname for node in file.xml(name).iter(f"{W}*")}
    known = {style.get(f"{W}styleId") for style in file.find("w:style", "word/styles.xml")}
    for tag in ("pStyle", "rStyle", "tblStyle"):
        used = {node.get(f"{W}val") for node in file.body.iter(W + tag)}
        assert used <= known, tag
        assert used


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ("Status", "For immediate release"),
        ("Title", "A title with “quotes” & ampersands"),
        ("Subtitle", "A second deck"),
        ("heading 2", "What is in it"),
        ("heading 3", "Numbers"),
        ("List Bullet", "first bullet"),
        ("List Number 2", "nested one"),
        ("Quote", "A block quotation."),
        ("Code", "curl -O https://example.org/feed.xml echo done"),
        ("caption", "A Beta SP cassette. Photo: J. Doe"),
        ("End Mark", "Ends"),
        ("Note Heading", "About Open Window Archive"),
        ("Note Text", "Open Window Archive keeps releases and footage."),
        ("Note List", "A note."),
        ("Contact Name", "Ruth Okafor"),
    ],
)
def test_each_kind_of_paragraph_has_its_style(style: str, words: str) -> None:
    assert text(File(render_input()).styled(style)[0]).strip() == words


def test_headline_is_the_first_outline_level_and_headings_follow_without_gap() -> None:
    file = File(render_input())
    levels = [value(file.style(name), "pPr/w:outlineLvl") for name in ("Title", "heading 2", "heading 3", "heading 4")]
    assert levels == ["0", "1", "2", "3"]


def test_dateline_is_run_into_the_first_paragraph_in_a_style_of_its_own() -> None:
    first = File(render_input()).styled("Body Text")[0]
    assert text(first).strip().startswith("London, 1 March 2026 – The first sentence")
    assert value(first, "r/w:rPr/w:rStyle") == "Dateline"
    assert text(first.findall("w:r", NAMESPACES)[0]) == "London, 1 March 2026"


def test_lines_of_a_headline_are_equally_long_so_that_none_has_one_word_alone() -> None:
    title = "South Korea: one year on, the president has opened a door to human rights that may yet close"

    def indent(language: str, words: str) -> int | None:
        found = value(File(render_input(language=language, title=words)).styled("Title")[0], "pPr/w:ind", "right")
        return None if found is None else int(found)

    assert (indent("en", title) or 0) > 500
    assert indent("en", "One line") is None
    assert indent("ar", title) is None, "its letters have other widths"


def test_long_headline_is_set_smaller() -> None:
    sizes = [value(File(render_input(title="word " * count)).style("Title"), "rPr/w:sz") for count in (5, 30)]
    assert sizes == ["37", "30"]


def kept(file: File) -> list[str]:
    """Return the words of the paragraphs that stay on the page of what follows them, tables left out."""
    found = file.body.find("w:body", NAMESPACES)
    assert found is not None
    marked = [p for p in found.findall("w:p", NAMESPACES) if p.find("w:pPr/w:keepNext", NAMESPACES) is not None]
    return [text(p).strip() for p in marked if text(p).strip()]


TABLE = Table(cells("a"), (cells("b"),), ("",))


@pytest.mark.parametrize("led_to", [List(False, (item("one"),)), TABLE, CodeBlock("code")])
def test_line_stays_with_the_list_the_table_or_the_code_that_it_leads_to(led_to: Block) -> None:
    file = body(para("first"), para("other"), para("It leads on:"), led_to, para("after"), para("last"))
    assert kept(file)[:2] == ["It leads on:", "last"]
    items = (item("x"), item("y"), ListItem((para("It leads on:"), led_to)), item("z"), item("end"))
    in_list = ["x", "z"] if isinstance(led_to, CodeBlock) else ["x", "It leads on:"]
    assert kept(body(para("first"), para("other"), List(False, items)))[1:3] == in_list


def test_lists_begin_and_end_with_two_items_on_a_page() -> None:
    items = [item(word) for word in ("one", "two", "three", "four", "five")]
    around = Rule(), para("last")
    assert kept(body(para("first"), Rule(), List(False, tuple(items)), *around))[:3] == ["one", "four", "last"]
    assert kept(body(para("first"), Rule(), List(False, tuple(items[:3])), *around))[:2] == ["one", "last"]


def test_embargo_stands_in_a_box_on_every_page() -> None:
    file = File(render_input(embargoed=True))
    assert not file.styled("Status")
    assert text(file.styled("Embargo")[0]).strip().startswith("Embargoed until")
    assert file.style("Embargo").find("w:pPr/w:pBdr/w:left", NAMESPACES) is not None
    assert "Embargoed until" in text(file.xml("word/header2.xml"))
    assert "Embargoed" not in text(File(render_input()).xml("word/header2.xml"))


def test_first_page_has_its_own_head_and_all_pages_count_themselves() -> None:
    file = File(render_input())
    section = file.find("w:body/w:sectPr")[0]
    assert section.find("w:titlePg", NAMESPACES) is not None
    for kind in ("header", "footer"):
        types = [node.get(f"{W}type") for node in section.findall(f"w:{kind}Reference", NAMESPACES)]
        assert types == ["first", "default"]
    for foot in ("word/footer1.xml", "word/footer2.xml"):
        fields = [node.get(f"{W}instr", "").strip() for node in file.find(".//w:fldSimple", foot)]
        assert fields == ["PAGE", "NUMPAGES"]


def test_page_numbers_stand_where_the_language_has_them() -> None:
    foot = File(render_input(language="ar")).xml("word/footer1.xml")
    assert "صفحة 1 من 1" in " ".join(text(foot).split())


def test_accent_of_the_newsroom_replaces_the_references() -> None:
    file = File(render_input(newsroom=replace(NEWSROOM, accent="#0a5a2a")))
    styles = file.archive.read("word/styles.xml").decode()
    assert value(file.style("Status"), "rPr/w:color") == "0A5A2A"
    assert file.style("Embargo").find("w:pPr/w:pBdr/w:top", NAMESPACES).get(f"{W}color") == "0A5A2A"  # type: ignore[union-attr]
    assert ACCENT not in styles


@pytest.mark.parametrize(("paper", "size"), [("A4", ("11906", "16838")), ("Letter", ("12240", "15840"))])
def test_lines_are_as_long_on_letter_as_on_a4(paper: str, size: tuple[str, str]) -> None:
    file = File(render_input(newsroom=replace(NEWSROOM, paper=paper)))
    section = file.find("w:body/w:sectPr")[0]
    page, margins = section.find("w:pgSz", NAMESPACES), section.find("w:pgMar", NAMESPACES)
    assert page is not None
    assert margins is not None
    assert (page.get(f"{W}w"), page.get(f"{W}h")) == size
    assert int(size[0]) - int(margins.get(f"{W}left", "")) - int(margins.get(f"{W}right", "")) == WIDTH


def test_marks_of_several_kinds_are_all_kept() -> None:
    high: Inline = Strong((Emphasis((Superscript((Text("all"),)),)),))
    file = body(Paragraph((high, Link("https://example.org/", (Code("code"), Strong((Text("bold"),)))))))
    runs = [r for r in file.body.iter(f"{W}r") if text(r) in ("all", "code", "bold")]
    marks = [[etree.QName(m).localname for m in r.iterfind("w:rPr/*", NAMESPACES)] for r in runs]
    assert marks == [["rStyle", "i", "iCs", "vertAlign"], ["rStyle"], ["rStyle", "b", "bCs"]]
    assert [value(r, "rPr/w:rStyle") for r in runs] == ["Strong", "CodeLink", "Hyperlink"]


# --- Links -----------------------------------------------------------------------------------------------------------


def links(file: File) -> dict[str, str]:
    """Return where the links of the body lead, by their words."""
    return {
        text(node): file.target(node.get(name_of("r:id"), ""))
        for node in file.body.iter(f"{W}hyperlink")
        if node.get(name_of("r:id"))
    }


def test_links_lead_where_they_say() -> None:
    found = links(
        body(
            Paragraph(
                (
                    Link("https://example.org/a?b=1&c=2", (Text("absolute"),)),
                    Link("other-release.html", (Text("release"),)),
                    Link("https://example.org/a b%zz", (Text("odd"),)),
                )
            )
        )
    )
    assert found["absolute"] == "https://example.org/a?b=1&c=2"
    assert found["release"] == "https://press.example.org/releases/other-release.html"
    assert found["odd"] == "https://example.org/a%20b%25zz"
    assert found["+44\u00a020\u00a07946\u00a00312"] == "tel:+442079460312"
    assert found["press@example.org"] == "mailto:press@example.org"


def test_withdrawn_release_links_to_what_replaces_it() -> None:
    withdrawal = Withdrawal(datetime(2026, 3, 5, tzinfo=UTC), "It was wrong.", "another")
    assert (
        links(File(render_input(withdrawn=withdrawal)))["another"] == "https://press.example.org/releases/another.html"
    )


def test_fragment_leads_to_its_heading_or_is_plain_text() -> None:
    file = body(
        Paragraph((Link("#what-is-new", (Text("here"),)), Link("#nowhere", (Text("lost"),)))),
        Heading(2, (Text("What is new"),)),
        Heading(2, (Text("What is new"),)),
    )
    anchors = {text(node): node.get(f"{W}anchor") for node in file.body.iter(f"{W}hyperlink") if node.get(f"{W}anchor")}
    marks = list(file.body.iter(f"{W}bookmarkStart"))
    assert anchors == {"here": marks[0].get(f"{W}name")}
    assert len(marks) == 1
    assert "lost" in text(file.body)


def test_address_that_word_would_call_corrupt_is_plain_text() -> None:
    file = body(Paragraph((Link("https://[bad", (Text("words stay"),)),)))
    assert "words stay" not in links(file)
    assert "words stay" in text(file.body)


# --- Lists -----------------------------------------------------------------------------------------------------------


def starts(file: File) -> dict[str, tuple[str | None, str | None]]:
    """Return the number and the level each list of numbers starts with, by the id of the list."""
    found = {}
    for num in file.find("w:num", "word/numbering.xml"):
        override = num.find("w:lvlOverride", NAMESPACES)
        if override is not None:
            found[num.get(f"{W}numId", "")] = (value(override, "startOverride"), override.get(f"{W}ilvl"))
    return found


def number_of(paragraph: Element) -> str:
    return value(paragraph, "pPr/w:numPr/w:numId") or ""


def test_each_numbered_list_counts_anew_from_its_own_start() -> None:
    file = body(
        List(True, (item("one"), item("two"))),
        para("between"),
        List(True, (item("five"), item("six")), start=5),
    )
    one, two, five, six = file.styled("List Number")
    assert number_of(one) == number_of(two) != number_of(five) == number_of(six)
    assert starts(file) == {number_of(one): ("1", "0"), number_of(five): ("5", "0")}


def test_nested_list_counts_at_its_own_level() -> None:
    inner = ListItem((para("outer"), List(True, (item("inner"),), start=3)))
    file = body(List(False, (inner, inner)))
    first, second = file.styled("List Number 2")
    assert [value(p, "pPr/w:numPr/w:ilvl") for p in (first, second)] == ["1", "1"]
    assert starts(file) == {number_of(first): ("3", "1"), number_of(second): ("3", "1")}


def test_lists_deeper_than_word_knows_stand_at_its_last_level() -> None:
    deep = item("bottom")
    for _ in range(12):
        deep = ListItem((para("level"), List(False, (deep,))))
    file = body(List(False, (deep,)))
    levels = [value(p, "pPr/w:numPr/w:ilvl") for p in file.body.iter(f"{W}p")]
    assert [level for level in levels if level] == [str(min(n, 8)) for n in range(13)] + ["0", "0"]


def test_blocks_of_an_item_stand_under_its_words() -> None:
    inside = (para("first"), para("more"), CodeBlock("code"), Quote((para("quoted"),)))
    table = Table(cells("a"), (cells("b"),), ("",))
    file = body(List(True, (ListItem((*inside, table)), item("next")), tight=False))
    assert text(file.styled("List Continue")[0]).strip() == "more"
    assert value(file.styled("Code")[0], "pPr/w:ind", "left") == "360"
    assert value(file.styled("Quote")[0], "pPr/w:ind", "left") == "720"
    assert value(next(file.body.iter(f"{W}tbl")), "tblPr/w:tblInd", "w") == "360"
    first, following = file.styled("List Number")
    assert number_of(first) == number_of(following)


def test_items_of_a_tight_list_follow_without_space_and_of_a_loose_one_with() -> None:
    nested = ListItem((para("b"), List(True, (item("c"), item("d")))))
    tight = body(List(False, (item("a"), nested)))
    loose = body(List(False, (item("a"), item("b")), tight=False))
    messages = ("a", "b", "c", "d")

    def spacing(file: File) -> list[str | None]:
        return [value(p, "pPr/w:spacing", "after") for p in file.body.iter(f"{W}p") if text(p).strip() in messages]

    assert spacing(tight) == ["0", "0", "0", None]
    assert spacing(loose) == [None, None]


def test_task_has_its_box_where_others_have_a_bullet() -> None:
    file = body(TASKS)
    assert [text(p).split() for p in file.styled("List Task")] == [["☑", "done"], ["☐", "open"]]


# --- Tables, code, pictures ------------------------------------------------------------------------------------------


def test_table_repeats_its_head_and_never_breaks_a_row() -> None:
    table = next(t for t in File(render_input()).body.iter(f"{W}tbl") if value(t, "tblPr/w:tblStyle") == "ReleaseTable")
    rows = table.findall("w:tr", NAMESPACES)
    assert [row.find("w:trPr/w:tblHeader", NAMESPACES) is not None for row in rows] == [True, False, False]
    assert all(row.find("w:trPr/w:cantSplit", NAMESPACES) is not None for row in rows)
    assert table.find("w:tblPr/w:tblLook", NAMESPACES).get(f"{W}firstRow") == "1"  # type: ignore[union-attr]


def test_columns_are_aligned_as_asked_and_figures_stand_right() -> None:
    file = body(
        Table(
            cells("a", "b", "c", "d"),
            (cells("x", "y", "z", "1,200"), cells("x", "y", "z", "–")),
            ("left", "center", "right", ""),
        )
    )
    row = next(file.body.iter(f"{W}tbl")).findall("w:tr", NAMESPACES)[1]
    styles = [value(p, "pPr/w:pStyle") for p in row.iter(f"{W}p")]
    assert styles == ["TableText", "TableTextCentred", "TableTextRight", "TableTextRight"]


def unaligned(columns: int) -> tuple[Alignment, ...]:
    none: Alignment = ""
    return (none,) * columns


@pytest.mark.parametrize("columns", [1, 3, 8, 14, 40])
@pytest.mark.parametrize("word", ["x", "Minutes", "https://example.org/" + "long/" * 40, "漢字" * 30])
def test_table_of_any_content_fits_the_page(columns: int, word: str) -> None:
    file = body(Table(cells(*[word] * columns), (cells(*["1"] * columns),), unaligned(columns)))
    table = next(file.body.iter(f"{W}tbl"))
    widths = [int(node.get(f"{W}w", "0")) for node in table.iter(f"{W}gridCol")]
    assert len(widths) == columns
    assert min(widths) > 0
    assert sum(widths) <= WIDTH


def test_wide_table_is_set_smaller() -> None:
    file = body(Table(cells(*["Considerable"] * 7), (cells(*["1"] * 7),), unaligned(7)))
    assert file.styled("Table Small Right")
    wider = body(Table(cells(*["Considerable"] * 11), (cells(*["1"] * 11),), unaligned(11)))
    assert wider.styled("Table Smallest Right")
    assert not File(render_input()).styled("Table Small Right")


def test_two_tables_in_a_row_stay_two() -> None:
    table = Table(cells("a"), (cells("b"),), ("",))
    found = body(table, table).body.find("w:body", NAMESPACES)
    assert found is not None
    kinds = [etree.QName(node).localname for node in found]
    assert "tbl tbl" not in " ".join(kinds)
    assert kinds[-2:] == ["p", "sectPr"]


def test_code_keeps_its_lines_and_blanks() -> None:
    code = body(CodeBlock("if x:\n    y  = 1\n\n\tz")).styled("Code")[0]
    seen = "".join(
        {"t": node.text or "", "br": "\n", "tab": "\t"}[etree.QName(node).localname]
        for node in code.iter(f"{W}t", f"{W}br", f"{W}tab")
    )
    assert seen == "if x:\n    y  = 1\n\n\tz"
    kept = [node.get("{http://www.w3.org/XML/1998/namespace}space") for node in code.iter(f"{W}t")]
    assert kept[1] == "preserve"


def picture(width: int, height: int, kind: str = "PNG", alt: str = "Words") -> File:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "#345").save(buffer, kind)
    found = render_input(
        body=(Figure("secret name.png", alt, (Text("Caption"),)), para("after")),
        pictures=(Picture("secret name.png", f"image/{kind.lower()}", width, height, 1, "0"),),
    )
    return File(replace(found, pictures={"secret name.png": buffer.getvalue()}))


def millimetres(file: File) -> tuple[int, int]:
    extent = next(file.body.iter(name_of("wp:extent")))
    return round(int(extent.get("cx", "0")) / 36000), round(int(extent.get("cy", "0")) / 36000)


@pytest.mark.parametrize(
    ("pixels", "size"),
    [((2000, 1000), (125, 63)), ((96, 48), (25, 13)), ((1000, 9000), (12, 107)), ((1, 1), (0, 0))],
    ids=["full measure", "never blown up", "never a whole page", "dot"],
)
def test_picture_fits_the_text_and_is_never_blown_up(pixels: tuple[int, int], size: tuple[int, int]) -> None:
    assert millimetres(picture(*pixels)) == size


def test_picture_has_its_text_alternative_and_stays_with_its_caption() -> None:
    file = picture(900, 600, alt="A cassette")
    described = next(file.body.iter(name_of("wp:docPr")))
    assert described.get("descr") == "A cassette"
    assert described.find(".//adec:decorative", NAMESPACES) is None
    assert file.styled("Captioned Figure")
    assert file.style("Captioned Figure").find("w:pPr/w:keepNext", NAMESPACES) is not None


def test_picture_without_text_alternative_is_marked_as_decorative() -> None:
    described = next(picture(900, 600, alt="").body.iter(name_of("wp:docPr")))
    found = described.find(".//adec:decorative", NAMESPACES)
    assert found is not None
    assert found.get("val") == "1"


def test_file_names_of_pictures_stay_at_home() -> None:
    file = picture(900, 600)
    assert [name for name in file.names if "media" in name] == ["word/media/image1.png"]
    assert not any(b"secret" in file.archive.read(name) for name in file.names)


def test_picture_that_word_may_not_show_becomes_jpeg() -> None:
    file = picture(90, 60, "WEBP")
    assert file.archive.read("word/media/image1.jpg").startswith(b"\xff\xd8\xff")


def test_same_picture_is_stored_once_and_drawings_have_numbers_of_their_own() -> None:
    figure = Figure("tape.png", "A tape")
    file = body(figure, figure)
    assert len([name for name in file.names if "media" in name]) == 1
    assert [node.get("id") for node in file.body.iter(name_of("wp:docPr"))] == ["1", "2"]


def test_mark_stands_in_the_letterhead() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (400, 100), "#800").save(buffer, "PNG")
    file = File(replace(render_input(), mark=buffer.getvalue()))
    blip = next(file.xml("word/header1.xml").iter(name_of("a:blip")))
    assert file.target(blip.get(name_of("r:embed"), ""), "header1").endswith("media/image2.png")
    assert not list(File(render_input()).xml("word/header1.xml").iter(name_of("a:blip")))


# --- Contacts --------------------------------------------------------------------------------------------------------


def frame(file: File) -> Element | None:
    tables = [t for t in file.body.iter(f"{W}tbl") if value(t, "tblPr/w:tblStyle") == "ContactFrame"]
    return tables[0] if tables else None


def test_contacts_stand_beside_footage_in_one_unbroken_frame() -> None:
    found = frame(File(render_input()))
    assert found is not None
    assert len(list(found.iter(f"{W}tr"))) == 1
    assert found.find("w:tr/w:trPr/w:cantSplit", NAMESPACES) is not None
    people, footage = found.iter(f"{W}tc")
    assert "Ruth Okafor" in text(people)
    assert "Beta SP" in text(footage)


MANY = tuple(para(f"Note {number}.") for number in range(30))


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({"notes": (Heading(2, (Text("Notes to editors"),)), para("A note."))}, ["Notes to editors", "A note."]),
        ({"notes": MANY}, ["Note 28.", "Note 29."]),
        ({"notes": (), "newsroom": replace(NEWSROOM, boilerplate="We lend films.")}, ["We lend films."]),
        ({"notes": (), "newsroom": replace(NEWSROOM, boilerplate="")}, ["The end of the text.", "Ends"]),
    ],
    ids=["notes", "many notes", "about", "text alone"],
)
def test_contacts_are_never_alone_on_a_page(changes: dict[str, Any], last: list[str]) -> None:
    """What stands before them stays with them; of many notes, only the last two."""
    found = kept(File(render_input(**{"body": (para("Text."), para("The end of the text.")), **changes})))
    assert found[-len(last) :] == last
    assert len(found) < 10


def test_words_on_reuse_are_the_last_row_of_the_frame() -> None:
    found = frame(File(render_input(newsroom=replace(NEWSROOM, reuse="Free to reprint."))))
    assert found is not None
    first, last = found.iter(f"{W}tr")
    assert text(last).strip() == "Reuse: Free to reprint."
    assert value(last, "tc/w:tcPr/w:gridSpan") == "2"
    assert all(p.find("w:pPr", NAMESPACES) is not None for p in first.iter(f"{W}p"))
    bare = File(render_input(contacts=(), footage=(), newsroom=replace(NEWSROOM, reuse="Free to reprint.")))
    assert text(bare.styled("Reuse")[0]).strip() == "Reuse: Free to reprint."


def test_a_newsroom_that_signs_names_the_page_for_checking_below_the_words_on_reuse() -> None:
    found = frame(File(render_input(newsroom=replace(NEWSROOM, reuse="Free to reprint.", signs=True))))
    assert found is not None
    *_, last = found.iter(f"{W}tr")
    reuse, check = last.iter(f"{W}p")
    assert text(reuse).strip() == "Reuse: Free to reprint."
    assert (
        text(check).strip() == "Check that this release is genuine and current: https://press.example.org/verify.html"
    )
    assert text(next(check.iter(f"{W}hyperlink"))) == "https://press.example.org/verify.html"


def test_contacts_alone_have_the_whole_width_and_nobody_no_frame() -> None:
    alone = frame(File(render_input(footage=())))
    assert alone is not None
    assert [node.get(f"{W}w") for node in alone.iter(f"{W}gridCol")] == [str(WIDTH)]
    assert frame(File(render_input(footage=(), contacts=()))) is None


def test_more_contacts_than_a_page_holds_may_break() -> None:
    many = tuple(Contact(str(n), f"Person {n}", "Role", "+44 20 7946 0312") for n in range(20))
    assert not File(render_input(contacts=many)).styled("Contact Space")
    assert File(render_input()).styled("Contact Space")


# --- Languages -------------------------------------------------------------------------------------------------------


def test_language_of_the_release_is_the_documents() -> None:
    lang = File(render_input(language="fr-CA")).find(".//w:docDefaults//w:lang", "word/styles.xml")[0]
    assert lang.get(f"{W}val") == "fr-CA"
    korean = File(render_input(language="ko"))
    assert korean.find(".//w:docDefaults//w:lang", "word/styles.xml")[0].get(f"{W}eastAsia") == "ko"
    assert korean.find(".//w:docDefaults//w:rFonts", "word/styles.xml")[0].get(f"{W}eastAsia") == "Batang"


@pytest.mark.parametrize(("language", "divided"), [("de-AT", 1), ("en-GB", 0), ("ar", 0)])
def test_only_languages_of_long_words_divide_them(language: str, divided: int) -> None:
    file = File(render_input(language=language))
    assert len(file.find(".//w:autoHyphenation", "word/settings.xml")) == divided
    assert all(map(file.divides, ("Body Text", "List Bullet", "Note Text")))
    assert not any(map(file.divides, ("Title", "heading 2", "Code", "Contact Line", "Table Text")))


def test_text_from_the_right_says_so_in_paragraphs_runs_tables_and_section() -> None:
    file = File(render_input(language="ar", body=(para("قالت المنظمة Open Window اليوم"), *BODY)))
    code = file.styled("Code")
    assert all(p.find("w:pPr/w:bidi", NAMESPACES) is not None for p in file.body.iter(f"{W}p") if p not in code)
    assert code[0].find("w:pPr/w:bidi", NAMESPACES) is None
    assert all(t.find("w:tblPr/w:bidiVisual", NAMESPACES) is not None for t in file.body.iter(f"{W}tbl"))
    assert file.find("w:body/w:sectPr/w:bidi")
    directions = {
        text(r): r.find("w:rPr/w:rtl", NAMESPACES) is not None for r in file.body.iter(f"{W}r") if text(r).strip()
    }
    assert directions["قالت المنظمة "]
    assert not directions["Open Window"]
    lang = file.find(".//w:docDefaults//w:lang", "word/styles.xml")[0]
    assert lang.get(f"{W}bidi") == "ar"


def test_text_from_the_left_says_nothing_of_it() -> None:
    file = File(render_input())
    assert not list(file.body.iter(f"{W}bidi", f"{W}rtl", f"{W}bidiVisual", f"{W}dir"))


def test_number_to_call_is_read_from_the_left_in_arabic() -> None:
    file = File(render_input(language="ar"))
    numbers = [node for node in file.body.iter(f"{W}dir") if "7946" in text(node)]
    assert [node.get(f"{W}val") for node in numbers] == ["ltr"]
    assert numbers[0].find(".//w:rtl", NAMESPACES) is None


def test_number_and_address_in_running_arabic_text_are_read_from_the_left() -> None:
    address = "https://example.org/a?b=أرشيف"
    messages = (Text("اتصل +44 20 7946 0999 أو "), Link(address, (Text(address),)))
    file = File(render_input(language="ar", body=(Paragraph(messages),)))
    turned = {text(node).replace("\u00a0", " ") for node in file.body.iter(f"{W}dir") if node.get(f"{W}val") == "ltr"}
    assert {"\u200e+44 20 7946 0999", address} <= turned


def test_english_that_stands_in_for_a_translation_is_read_from_the_left() -> None:
    """Otherwise its full stop would be shown before it, and "Page 1 of 3" as "3 Page 1 of"."""
    newsroom = replace(NEWSROOM, boilerplate="It was made for tests.", language="he")
    file = File(render_input(language="he", newsroom=newsroom))

    def turned(element: Element) -> list[str]:
        return [text(node).strip("\u200e") for node in element.iter(f"{W}dir")]

    assert "It was made for tests." in turned(file.body)
    assert "Page 1 of 1" in turned(file.xml("word/footer1.xml"))
    assert not turned(File(render_input(language="ar")).xml("word/footer1.xml"))


@pytest.mark.parametrize(
    ("language", "mark"), [("ko", "em"), ("ja", "em"), ("zh-Hant", "em"), ("el", "i"), ("ar", "i")]
)
def test_words_are_marked_out_as_the_script_does_it(language: str, mark: str) -> None:
    """East Asian letters are dotted, never slanted."""
    found = File(render_input(language=language)).style("Emphasis").find("w:rPr", NAMESPACES)
    assert found is not None
    assert {etree.QName(node).localname for node in found} & {"em", "i"} == {mark}


@pytest.mark.parametrize(
    ("language", "face"), [("en", "Georgia"), ("el", "Georgia"), ("ru", "Georgia"), ("ka", "Sylfaen")]
)
def test_text_has_one_face_with_all_letters_of_its_language(language: str, face: str) -> None:
    fonts = File(render_input(language=language)).find(".//w:docDefaults//w:rFonts", "word/styles.xml")[0]
    assert (fonts.get(f"{W}ascii"), fonts.get(f"{W}hAnsi")) == (face, face)


@pytest.mark.parametrize(
    ("language", "slot", "serif", "sans"),
    [
        ("sr-Latn", "ascii", "Georgia", "Arial"),
        ("ar", "cs", "Times New Roman", "Arial"),
        ("he", "cs", "Times New Roman", "Arial"),
        ("hi", "cs", "Nirmala UI", "Nirmala UI"),
        ("th", "cs", "Leelawadee UI", "Leelawadee UI"),
        ("km", "cs", "Leelawadee UI", "Leelawadee UI"),
        ("my", "cs", "Myanmar Text", "Myanmar Text"),
        ("am", "hAnsi", "Ebrima", "Ebrima"),
        ("ja", "eastAsia", "Yu Mincho", "Yu Gothic"),
        ("zh", "eastAsia", "SimSun", "Microsoft YaHei"),
        ("zh-HK", "eastAsia", "PMingLiU", "Microsoft JhengHei"),
    ],
)
def test_each_script_has_a_face_that_windows_and_word_bring_along(
    language: str, slot: str, serif: str, sans: str
) -> None:
    file = File(render_input(language=language))
    assert file.find(".//w:docDefaults//w:rFonts", "word/styles.xml")[0].get(W + slot) == serif
    assert value(file.style("Note Text"), "rPr/w:rFonts", slot) == sans


def test_letters_are_never_spaced_where_they_join() -> None:
    spaced = ".//w:style/w:rPr/w:spacing"
    assert File(render_input()).find(spaced, "word/styles.xml")
    assert not File(render_input(language="ar")).find(spaced, "word/styles.xml")
    assert not File(render_input(language="hi")).find(spaced, "word/styles.xml")


@pytest.mark.parametrize(
    ("language", "line"), [("en", "280"), ("ru", "280"), ("ar", "350"), ("hi", "350"), ("ja", "350")]
)
def test_lines_are_as_far_apart_as_the_signs_of_the_script_are_tall(language: str, line: str) -> None:
    assert value(File(render_input(language=language)).style("Body Text"), "pPr/w:spacing", "line") == line


@pytest.mark.parametrize(
    ("words", "rtl", "pieces"),
    [
        ("plain – text", False, ["plain – text"]),
        ("The word سلام عليكم, is", False, ["The word ", "<سلام عليكم>", ", is"]),
        ("هذا Open Window، نص", True, ["<هذا >", "Open Window", "<، نص>"]),
        ("الشريط A-101.", True, ["<الشريط >", "A-101", "<.>"]),
        ("اتصل +44 20 7946 0312 الآن", True, ["<اتصل >", "+44 20 7946 0312", "< الآن>"]),
        ("عام 1999", True, ["<عام 1999>"]),
        ("ירד ב −42 או +3%.", True, ["<ירד ב >", "−42", "< או >", "+3%", "<.>"]),
        ("fell by −42", False, ["fell by −42"]),
        ("", True, []),
    ],
)
def test_runs_are_cut_where_the_direction_changes(words: str, rtl: bool, pieces: list[str]) -> None:
    """<…> is read from the right."""
    found = list(_stretches(words, rtl))
    assert [f"<{piece}>" if right else piece for piece, right in found] == pieces
    assert "".join(piece for piece, _ in found) == words


# --- The file --------------------------------------------------------------------------------------------------------


def test_same_release_gives_the_same_bytes() -> None:
    first = write(render_input(embargoed=True)).data
    assert write(render_input(embargoed=True)).data == first
    entries = zipfile.ZipFile(io.BytesIO(first)).infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert entries[0].filename == "[Content_Types].xml"
    assert b"rsid" not in b"".join(File(first).archive.read(entry) for entry in entries)


def test_properties_are_the_releases_own() -> None:
    found = {etree.QName(node).localname: node.text for node in File(render_input()).xml("docProps/core.xml")}
    assert found == {
        "title": "A title with “quotes” & ampersands",
        "creator": "Open Window Archive",
        "lastModifiedBy": "Open Window Archive",
        "created": "2026-03-01T09:30:00Z",
        "modified": "2026-03-02T00:00:00Z",
        "language": "en-GB",
        "identifier": "tag:example.org,2026:releases/sample",
        "revision": "2",
    }


def test_nothing_of_the_library_or_of_the_reference_document_is_left() -> None:
    file = File(render_input())
    parts = {name for name in file.names if not name.endswith(".rels")}
    assert parts == {
        "[Content_Types].xml",
        "docProps/core.xml",
        "word/document.xml",
        "word/fontTable.xml",
        "word/footer1.xml",
        "word/footer2.xml",
        "word/header1.xml",
        "word/header2.xml",
        "word/media/image1.png",
        "word/numbering.xml",
        "word/settings.xml",
        "word/styles.xml",
    }
    assert not any(b"python-docx" in file.archive.read(name) for name in file.names)
    assert "Thematic Break" not in text(file.body)


def test_character_that_no_xml_holds_is_an_error_with_the_releases_name() -> None:
    with pytest.raises(RenderError, match=r"^sample: "):
        write(render_input(body=(para("a\x00b"),)))


def test_missing_picture_is_an_error_with_both_names() -> None:
    with pytest.raises(RenderError, match=r"sample: the picture gone\.png"):
        write(render_input(body=(Figure("gone.png", ""),)))


# --- reference.docx --------------------------------------------------------------------------------------------------


def rebranded(folder: Path, *changes: tuple[str, str], part: str = "word/styles.xml") -> None:
    """Save reference.docx to ``folder`` as an organisation might have changed it in Word."""
    with (
        zipfile.ZipFile(FOLDER / "reference.docx") as old,
        zipfile.ZipFile(folder / "reference.docx", "w") as new,
    ):
        for name in old.namelist():
            source = old.read(name).decode()
            for before, after in changes if name == part else ():
                assert before in source
                source = source.replace(before, after)
            new.writestr(name, source)


def test_style_ids_that_word_translated_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebranded(tmp_path, ('w:styleId="Quote"', 'w:styleId="Zitat"'))
    monkeypatch.setattr(docx, "FOLDER", tmp_path)
    assert [value(p, "pPr/w:pStyle") for p in File(render_input()).styled("Quote")] == ["Zitat", "Zitat"]


def test_missing_style_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebranded(tmp_path, ('w:name w:val="Quote"', 'w:name w:val="Quotation"'))
    monkeypatch.setattr(docx, "FOLDER", tmp_path)
    with pytest.raises(SettingError, match="“Quote”"):
        write(render_input())


def test_colour_of_the_style_status_is_the_accent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebranded(tmp_path, (ACCENT, "123456"))
    monkeypatch.setattr(docx, "FOLDER", tmp_path)
    assert b"123456" not in File(render_input()).archive.read("word/styles.xml")


def test_margins_of_the_reference_are_the_releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rebranded(tmp_path, ('w:left="1418"', 'w:left="2000"'), part="word/document.xml")
    monkeypatch.setattr(docx, "FOLDER", tmp_path)
    file = File(render_input())
    assert value(file.find("w:body")[0], "sectPr/w:pgMar", "left") == "2000"
    found = frame(file)
    assert found is not None
    assert sum(int(node.get(f"{W}w", "0")) for node in found.iter(f"{W}gridCol")) in (8488, 8489)


def test_names_and_notes_of_who_rebranded_stay_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference saved in Word has a header, an author and the path of a template; no release has."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    header = f'<Relationship Id="rId90" Type="{office}/header" Target="header9.xml"/></Relationships>'
    rebranded(tmp_path, ("</Relationships>", header), part="word/_rels/document.xml.rels")
    private = f'<w:hdr xmlns:w="{NAMESPACES["w"]}"><w:p><w:r><w:t>Private</w:t></w:r></w:p></w:hdr>'
    with zipfile.ZipFile(tmp_path / "reference.docx", "a") as package:
        package.writestr("word/header9.xml", private)
    edited = tmp_path / "edited"
    edited.mkdir()
    with (
        zipfile.ZipFile(tmp_path / "reference.docx") as old,
        zipfile.ZipFile(edited / "reference.docx", "w") as new,
    ):
        for name in old.namelist():
            source = old.read(name).decode()
            if name == "[Content_Types].xml":
                source = source.replace(
                    "<Override", '<Default Extension="xml" ContentType="application/xml"/><Override', 1
                )
            elif name == "word/settings.xml":
                source = source.replace("<w:zoom", '<w:rsids><w:rsidRoot w:val="00PRIVATE"/></w:rsids><w:zoom')
            new.writestr(name, source)
    monkeypatch.setattr(docx, "FOLDER", edited)
    file = File(render_input())
    assert "word/header9.xml" not in file.names
    assert not any(b"PRIVATE" in file.archive.read(name).upper() for name in file.names)


def test_heads_and_feet_stay_on_the_paper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference saved by LibreOffice states no distance, because it has neither head nor foot itself."""
    rebranded(tmp_path, ('w:header="900"', 'w:header="0"'), part="word/document.xml")
    monkeypatch.setattr(docx, "FOLDER", tmp_path)
    assert value(File(render_input()).find("w:body")[0], "sectPr/w:pgMar", "header") == "567"


def test_reference_declares_what_stands_in_for_each_face() -> None:
    with zipfile.ZipFile(FOLDER / "reference.docx") as package:
        fonts = etree.fromstring(package.read("word/fontTable.xml"))
    faces = {font.get(f"{W}name"): value(font, "altName") for font in fonts}
    assert faces["Georgia"] == "Gelasio"
    assert faces["Arial"] == "Liberation Sans"
    assert all(faces.values())
    assert {face for row in (_COMPLEX, _ASIAN, _EUROPEAN) for pair in row.values() for face in pair} <= set(faces)


def test_cell_of_a_table_keeps_its_marks() -> None:
    linked = Cell((Link("https://example.org/", (Strong((Text("bold"),)),)),))
    file = body(Table((linked,), ((linked,),), ("",)))
    assert links(file)["bold"] == "https://example.org/"
