"""Releases of other programs become drafts: words stay, parts are found, what is uncertain is asked about."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import msgspec
import pytest

from pipeline.model.document import Block, Heading, List, Paragraph, Quote, Table, plain
from pipeline.model.errors import ReleaseError, SettingError
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact
from pipeline.reader import read_release
from tests.support import reading, sample
from tests.support.imports import drafted, questions, resolved, words, words_of
from tests.support.newsroom import SAMPLE
from tests.support.pictures import encoded, scene
from tests.writers import cases

NEWSROOM = msgspec.structs.replace(
    sample.NEWSROOM,
    name="Harbour Trust",
    languages=("en-GB", "ar", "de", "fr", "ja"),
    boilerplate="Harbour Trust looks after the old quays of the town, and after the people who work on them.",
    contacts=(Contact("desk", "Ada Desk", telephone="+44 20 7946 0001", email="desk@example.org"),),
    default_contacts=("desk",),
    footage={"boats": Footage("Film of boats.", telephone="+44 117 930 4099")},
    default_footage=(),
)


def typed(block: Block) -> str:
    """Return the text of a paragraph or heading."""
    return plain(block.children) if isinstance(block, (Heading, Paragraph)) else ""


# ── Round trip ──────────────────────────────────────────────────────────────────────────────────────────────────────

SOURCES = [
    *sorted(SAMPLE.glob("south*.md")),
    *(
        cases.FOLDER / name / f"{name}.md"
        for name in ("arabic", "german", "japanese", "everything", "footnotes", "signs")
    ),
]
SUFFIXES = {"html": ".html", "docx": ".docx", "text": ".txt", "pdf": ".pdf"}
IN_PDF = ("south-korea-first-year", "signs")
"""Cases whose text a PDF gives back in the order in which it is read: not right to left, and without footnotes."""
ROUND_TRIPS = [(source, name) for source in SOURCES for name in SUFFIXES if name != "pdf" or source.stem in IN_PDF]


@pytest.mark.parametrize(("source", "name"), ROUND_TRIPS, ids=lambda each: getattr(each, "stem", each))
def test_own_files_come_back_with_the_same_words(source: Path, name: str, tmp_path: Path) -> None:
    render_input, made = cases.written(source)
    for picture, data in render_input.pictures.items():
        (tmp_path / source.stem).mkdir(exist_ok=True)
        (tmp_path / source.stem / picture).write_bytes(data)
    draft = drafted(tmp_path, source.stem + SUFFIXES[name], made[name], render_input.newsroom)
    release = resolved(tmp_path, draft, render_input.newsroom).release
    before, after = words_of(render_input.release), words_of(release)
    if name == "text":  # it has addresses and numbers of notes as words, and of a picture only what is said about it
        asked = words(" ".join(questions(draft)))
        assert [word for word in before if word not in {*after, *asked}] == []
        before = [word for word in before if word not in asked]
    else:
        assert after == before
    assert (release.dateline, release.language) == (render_input.release.dateline, render_input.release.language)
    assert release.contacts == render_input.release.contacts


@pytest.mark.parametrize("name", ["html", "docx", "text"])
def test_what_is_said_about_ai_comes_back(name: str, tmp_path: Path) -> None:
    render_input, made = cases.written(cases.FOLDER / "everything" / "everything.md")
    for number, picture in enumerate(render_input.pictures):
        file = tmp_path / "everything" / picture
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(encoded(scene(160, 90 + number), "PNG"))  # whose file says nothing of its making
    release = resolved(
        tmp_path, drafted(tmp_path, f"everything{SUFFIXES[name]}", made[name], render_input.newsroom),
        render_input.newsroom,
    ).release  # fmt: skip
    assert release.facts["ai"] == render_input.release.facts["ai"]
    if name != "text":
        assert [each.mark for each in release.pictures] == ["made_with_ai", ""]
        assert release.image is not None
        assert release.image.credit == "The photographer"


@pytest.mark.parametrize("name", ["html", "docx"])
def test_structure_comes_back_from_documents_that_have_it(name: str, tmp_path: Path) -> None:
    source = cases.FOLDER / "everything" / "everything.md"
    render_input, made = cases.written(source)
    draft = drafted(tmp_path, f"everything{SUFFIXES[name]}", made[name], render_input.newsroom)
    kinds = {type(block) for block in resolved(tmp_path, draft, render_input.newsroom).release.body}
    assert {Heading, List, Quote, Table} <= kinds


# ── Plain text ──────────────────────────────────────────────────────────────────────────────────────────────────────

SPACED = """\
 Harbour: first year of the new quay opens the way for \r
\r
further ferries \r
\r
 \r
\r
Today’s news that nineteen berths will be opened shows how far the town has come in its first \r
\r
year, despite storms and the doubts of some, Harbour Trust \r
\r
said today. \r
\r
 \r
\r
“We are glad,” the trust said. “But if the dredging does not begin \r
\r
soon, the chance could be lost.” \r
\r
 \r
\r
ENDS...\\ \r
\r
 \r
\r
A compilation of footage filmed at the quay in September 1998, when the \r
\r
first ferry came in, is available on Beta SP. For copies, please contact World Images on  \r
\r
+44  117  930 4099. \r
"""


def test_a_text_in_which_each_line_is_followed_by_an_empty_one_is_joined(tmp_path: Path) -> None:
    draft = drafted(tmp_path, "quay.txt", SPACED, NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert release.title == "Harbour: first year of the new quay opens the way for further ferries"
    assert [typed(block)[-11:] for block in release.body] == ["said today.", "d be lost.”"]
    assert release.notes == ()
    (footage,) = release.footage
    assert (footage.carrier, footage.supplier, footage.telephone) == ("Beta SP", "World Images", "+44 117 930 4099")
    assert footage.notice.endswith("is available on Beta SP.")
    assert questions(draft) == ["no date was found in the file; write the release’s own"]


def test_terms_of_footage_are_told_apart(tmp_path: Path) -> None:
    text = """\
Harbour opens a new quay

The harbour has opened a new quay. Nineteen berths are free.

ENDS

Footage

The first ferry at the new quay, filmed in September 1998.

Rights: Free for news use
Restrictions: No use in advertising
Copies from: World Images
"""
    (footage,) = resolved(tmp_path, drafted(tmp_path, "quay.txt", text, NEWSROOM), NEWSROOM).release.footage
    assert (footage.rights, footage.restrictions) == ("Free for news use", "No use in advertising")
    assert footage.supplier == "World Images"


PARTS = """\
HARBOUR TRUST
PRESS RELEASE
Reference: HT 4/2026

Ferries return to the old quay

LIVERPOOL, 3 March 2026 – The ferries are back, after eleven years in which nobody could land at the old quay.

{body}

{end}

{tail}
"""
BODY = "There are two of them, and they sail at ten."


@pytest.mark.parametrize(
    "end", ["ENDS", "Ends.", "- ends -", "-30-", "###", "(END)", "ENDE", "**ENDS**", "끝", "END\\"]
)
def test_end_marks_of_every_kind_end_the_text(end: str, tmp_path: Path) -> None:
    draft = drafted(tmp_path, "x.txt", PARTS.format(body=BODY, end=end, tail="Ring the bell twice."), NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert [typed(block) for block in release.body] == [
        "The ferries are back, after eleven years in which nobody could land at the old quay.",
        BODY,
    ]
    assert words_of(release)[-4:] == words("Ring the bell twice.")


def test_the_parts_of_a_release_are_found(tmp_path: Path) -> None:
    tail = f"""\
Notes to editors

1. The quay was built in 1846.
2. It is made of oak.

ABOUT HARBOUR TRUST

{NEWSROOM.boilerplate}

Media contact:
Ada Desk
Tel.: 020 7946 0001
desk@example.org
"""
    draft = drafted(tmp_path, "x.txt", PARTS.format(body=BODY, end="ENDS", tail=tail), NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert (release.title, release.dateline, release.facts) == (
        "Ferries return to the old quay",
        "LIVERPOOL",
        {"reference": "HT 4/2026"},
    )
    assert release.date.date().isoformat() == "2026-03-03"
    assert [contact.id for contact in release.contacts] == ["desk"]
    assert "oak" in words_of(release)
    assert "quays" not in words_of(release), "the boilerplate is in newsroom.toml"
    assert questions(draft) == ["the file has a day and no time; 09:00 was written"]


CHECKED = "Check that this release is genuine and current: https://press.example.org/verify.html"
CURRENT = "Read the current version https://press.example.org/releases/x.html"


@pytest.mark.parametrize(
    "closing",
    [
        CHECKED,
        CURRENT,
        f"{CURRENT}\n\n{CHECKED}",
        f"{CURRENT} {CHECKED}",
        "Prüfen, ob diese Mitteilung echt und aktuell ist: https://presse.example.org/verify.html",
    ],
)
def test_where_to_check_and_where_to_read_on_are_no_words_of_a_release(closing: str, tmp_path: Path) -> None:
    tail = f"Media contact:\nAda Desk\nTel.: 020 7946 0001\ndesk@example.org\n\n{closing}\n"
    draft = drafted(tmp_path, "x.txt", PARTS.format(body=BODY, end="ENDS", tail=tail), NEWSROOM)
    assert "example.org/" not in draft.source
    assert questions(draft) == ["the file has a day and no time; 09:00 was written"]


@pytest.mark.parametrize(
    ("tail", "question"),
    [
        ("Media contact\nBo Brown\n+44 161 496 0000", "newsroom.toml has no such contact: Bo Brown · +44 161 496 0000"),
        ("About Mersey Lines\n\nMersey Lines sails ships to many places.", "a text about an organisation"),
        (
            f"About us\n\n{NEWSROOM.boilerplate.replace('old quays', 'old piers and ships')}",
            "differs from newsroom.toml",
        ),
        ("Reuse: Only on Sundays", "terms of reuse"),
    ],
)
def test_what_is_uncertain_is_asked_about_and_refused_until_resolved(tail: str, question: str, tmp_path: Path) -> None:
    draft = drafted(tmp_path, "x.txt", PARTS.format(body=BODY, end="ENDS", tail=tail), NEWSROOM)
    assert [each for each in questions(draft) if question in each]
    file = tmp_path / "draft.md"
    file.write_text(draft.source, "utf-8")
    with pytest.raises(ReleaseError) as caught:
        read_release(file, NEWSROOM)
    lines = draft.source.split("\n")
    assert len(caught.value.faults) == len(questions(draft))
    for fault in caught.value.faults:
        assert "check:" in lines[fault.line - 1]
        assert fault.message.startswith("to be checked: ")
        assert "delete the" in fault.hint
    assert "draft: true" in draft.source


def test_a_contact_above_the_headline_is_no_headline(tmp_path: Path) -> None:
    text = "FOR IMMEDIATE RELEASE\n\nContact: Jane Doe, 212-555-0100\n\nFERRIES RETURN\n\n"
    text += f"NEW YORK, March 3, 2026 -- {BODY}\n\n# # #\n"
    draft = drafted(tmp_path, "x.txt", text, NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert (release.title, release.dateline, words_of(release)[2:]) == ("FERRIES RETURN", "NEW YORK", words(BODY))
    assert any("no such contact: Jane Doe, 212-555-0100" in each for each in questions(draft))


TYPED = [
    "3~5 boats, 5*3*2 metres, annual_report_2026 and 24. Dezember",
    "*stars* and __lines__ and `ticks` and ~waves~ and ^hats^",
    "Use [x](y), ![z](w.png), [^1] and <b>tags</b> &amp; &copy;",
    "C:\\new\\path, a backslash at the end \\",
    "| bars | in | a | line |",
    "50% of > 80 and < 3, AT&T; a|b",
    "www.example.org and desk@example.org, https://example.org/a_b_c",
    "10^6^ and H~2~O {#id} [[wiki]] ::: note",
    "“Quotes”, ‘single’, it's: (a) first; --- dashes --- and … dots",
    "$5 *or* **more** # hash + plus = equals",
    "**bold without end and [a link] (https://example.org)",
]


@pytest.mark.parametrize("text", TYPED)
@pytest.mark.parametrize("start", ["Typed: ", ""])
def test_signs_that_could_be_marks_are_printed_as_they_were_typed(text: str, start: str, tmp_path: Path) -> None:
    meant = start + text
    page = "".join(f"&#{ord(sign)};" if not sign.isalnum() else sign for sign in meant)
    draft = drafted(tmp_path, "x.html", f"<h1>Signs</h1><p>{BODY}</p><p>{page}</p>", NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert typed(release.body[-1]) == meant


@pytest.mark.parametrize(
    "line", ["# 1 in Europe", "> 50% of boats", "- 4% less", "1. only", "24. Dezember", "+ 3", "=====x", "```", "***"]
)
def test_signs_at_the_beginning_of_a_paragraph_are_printed_as_they_were_typed(line: str, tmp_path: Path) -> None:
    draft = drafted(tmp_path, "x.html", f"<h1>Signs</h1><p>{BODY}</p><p>{line.replace('>', '&gt;')}</p>", NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert typed(release.body[-1]) == line


@pytest.mark.parametrize(
    ("codec", "mark", "question", "remark"),
    [
        ("utf-8", b"", "", ""),
        ("utf-8-sig", b"", "", ""),
        ("utf-16", b"", "", "the file is UTF-16"),
        ("utf-16-le", b"", "", "the file is UTF-16"),
        ("cp1252", b"", "read as Windows-1252", ""),
    ],
)
def test_the_encoding_of_a_text_is_found_and_said(
    codec: str, mark: bytes, question: str, remark: str, tmp_path: Path
) -> None:
    text = (
        "Café opens at the quay\n\nThe “Café” – it’s open from today, and it serves tea to everybody who lands there.\n"
    )
    draft = drafted(tmp_path, "x.txt", mark + text.encode(codec), NEWSROOM)
    assert resolved(tmp_path, draft, NEWSROOM).release.title == "Café opens at the quay"
    assert "The “Café” – it’s open" in draft.source
    assert bool(question) == any(question in each for each in questions(draft) if question)
    assert [remark] == list(draft.remarks) if remark else draft.remarks == ()


@pytest.mark.parametrize(
    ("typed", "day", "asked"),
    [
        ("3 March 2026", "2026-03-03", ""),
        ("March 3, 2026", "2026-03-03", ""),
        ("Tuesday 3 March 2026", "2026-03-03", ""),
        ("2026-03-03", "2026-03-03", ""),
        ("3. März 2026", "2026-03-03", ""),
        ("3 mars 2026", "2026-03-03", ""),
        ("2026年3月3日", "2026-03-03", ""),
        ("23/03/2026", "2026-03-23", ""),
        ("03/04/2026", "2026-04-03", "day and month may be the other way round"),
        ("3 March", "2026-03-03", "no year"),
    ],
)
def test_days_are_read_as_the_languages_of_the_newsroom_write_them(
    typed: str, day: str, asked: str, tmp_path: Path
) -> None:
    text = f"Ferries return to the old quay\n\nLiverpool, {typed} – The ferries are back, after eleven years.\n"
    draft = drafted(tmp_path, "x.txt", text, NEWSROOM)
    assert f"date: {day}T09:00" in draft.source
    assert 'dateline: "Liverpool"' in draft.source
    if asked == "no year" or asked:
        assert any("year" in each or "two ways" in each for each in questions(draft))


# ── Pages and documents ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_article_is_taken_without_the_page_around_it(tmp_path: Path) -> None:
    (tmp_path / "boat.png").write_bytes(reading.picture())
    page = f"""<!doctype html><html lang=en><head><title>Ferries – Harbour Trust</title>
<meta property="article:published_time" content="2026-03-03T10:30:00+00:00"><script>alert(1)</script></head><body>
<nav><a href=/>Home</a> Menu</nav><article><h1>Ferries return</h1><p class=share>Tweet this</p>
<figure><img src=boat.png><figcaption>The first boat</figcaption></figure>
<p>The <b>ferries </b>are back. See <a href="javascript:alert(1)">this</a> or <a href="https://example.org/a">that</a>.</p>
<table><tr><th>Day<th>Boats</tr><tr><td>Monday<td>3</tr></table><p>{BODY}</p></article><footer>© 2026</footer>"""
    draft = drafted(tmp_path, "x.html", page, NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert release.date.isoformat() == "2026-03-03T10:30:00+00:00"
    assert release.title == "Ferries return"
    assert words_of(release) == words(
        f"Ferries return The first boat The ferries are back See this or that Day Boats Monday 3 {BODY}"
    )
    assert list(draft.pictures) == ["boat.png"]
    assert [each.partition(",")[0][:40] for each in questions(draft)] == [
        "describe the picture for people who cann",
        "a link that cannot be kept",
    ]
    assert "**ferries** are" in draft.source
    assert "javascript" not in draft.source.replace(
        "<!-- check: a link that cannot be kept, behind “this”: javascript", ""
    )


def word(*paragraphs: tuple[str, str], picture: bytes = b"") -> bytes:
    document = docx.Document()
    for style, text in paragraphs:
        document.add_paragraph(text, style)
    if picture:
        document.add_picture(io.BytesIO(picture))
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_styles_of_word_are_understood(tmp_path: Path) -> None:
    data = word(
        ("Title", "Ferries return"),
        ("Subtitle", "They sail at ten"),
        ("Normal", "The ferries are back."),
        ("Heading 2", "What is new"),
        ("List Bullet", "Boats"),
        ("List Bullet", "Tea"),
        ("Quote", "We are glad."),
        picture=reading.picture(),
    )
    draft = drafted(tmp_path, "x.docx", data, NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert (release.title, release.subtitle) == ("Ferries return", "They sail at ten")
    assert [type(block).__name__ for block in release.body] == ["Paragraph", "Heading", "List", "Quote", "Figure"]
    assert any("describe picture-1.png" in each for each in questions(draft))


# ── Refused, and harmless ───────────────────────────────────────────────────────────────────────────────────────────


def zipped(**parts: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr({"types": "[Content_Types].xml", "document": "word/document.xml"}.get(name, name), data)
    return buffer.getvalue()


ENTITY = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><w:document xmlns:w="w">&a;</w:document>'
PDF_WITHOUT_TEXT = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]>>endobj\ntrailer<</Root 1 0 R>>"
)


@pytest.mark.parametrize(
    ("name", "data", "message", "hint"),
    [
        ("x.txt", b"", "is empty", "save the document again"),
        ("x.txt", b" \r\n\r\n", "is empty", "save the document again"),
        ("x.doc", b"\xd0\xcf\x11\xe0\xa1\xb1", "is an old Word document", "save it as DOCX"),
        ("x.rtf", b"{\\rtf1 Text}", "is an RTF document", "save it as DOCX"),
        (
            "x.odt",
            b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text",
            "OpenDocument",
            "as DOCX",
        ),
        ("x.docx", b"PK\x03\x04 no zip at all", "is damaged", "save it again"),
        ("x.docx", zipped(types=b"<Types/>", document=ENTITY), "defines entities", "save it again"),
        ("x.docx", zipped(types=b"<Types/>", document=b" " * 61_000_000), "is larger than 60 MB", "a part of it"),
        ("x.zip", zipped(readme=b"words"), "is a zip file", "import the document within it"),
        ("x.xlsx", zipped(types=b"<Types/>", **{"xl/workbook.xml": b"<x/>"}), "is Excel file", "as DOCX"),
        (
            "x.docx",
            zipped(types=b"<Types/>", document=b"<broken"),
            "cannot be read as a Word document",
            "save it again",
        ),
        ("x.png", reading.picture(), "is a picture", "type its text"),
        ("x.pdf", b"%PDF-1.7\nnothing", "is damaged", "import that"),
        ("x.pdf", PDF_WITHOUT_TEXT, "has no text", "OCR"),
        ("x.txt", bytes(range(256)) * 40, "neither text nor a document", "as DOCX"),
        ("x.html", b"<html><body><nav>Menu</nav></body></html>", "no text of a release", "copy the text"),
    ],
)
def test_files_that_cannot_be_used_are_refused_with_what_to_do(
    name: str, data: bytes, message: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingError) as caught:
        drafted(tmp_path, name, data, NEWSROOM)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_a_pdf_with_a_password_is_refused(tmp_path: Path) -> None:
    locked = PDF_WITHOUT_TEXT.replace(
        b"<</Root 1 0 R>>",
        b"<</Root 1 0 R/ID[<00><00>]/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>>>" % (b"41" * 32, b"42" * 32),
    )
    with pytest.raises(SettingError, match="is protected by a password"):
        drafted(tmp_path, "x.pdf", locked, NEWSROOM)


def test_no_file_is_read_but_the_one_that_is_named_and_pictures_beside_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(reading.picture())
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "link.png").symlink_to(secret)
    pictures = "".join(f'<img src="{name}">' for name in ("../secret.png", str(secret), f"file://{secret}", "link.png"))
    page = f"<h1>Ferries return</h1><p>{BODY}</p>{pictures}"
    draft = drafted(folder, "x.html", page, NEWSROOM)
    assert draft.pictures == {}
    assert len([each for each in questions(draft) if each.startswith("a picture stood here")]) == 4


@pytest.mark.parametrize(
    ("data", "question"),
    [
        (b"no picture", "its format is none that browsers show"),
        (reading.picture(size=(9000, 9000)), "more than 40 megapixels"),
    ],
)
def test_pictures_that_cannot_be_shown_are_asked_about(data: bytes, question: str, tmp_path: Path) -> None:
    (tmp_path / "boat.png").write_bytes(data)
    draft = drafted(tmp_path, "x.html", f"<h1>Ferries</h1><p>{BODY}</p><img src=boat.png>", NEWSROOM)
    assert draft.pictures == {}
    assert any(question in each for each in questions(draft))


def test_a_page_that_is_nested_too_deeply_is_asked_about(tmp_path: Path) -> None:
    page = f"<h1>Ferries</h1><p>{BODY}</p>{'<div>' * 3000}deep{'</div>' * 3000}"
    draft = drafted(tmp_path, "x.html", page, NEWSROOM)
    assert words(BODY) == words_of(resolved(tmp_path, draft, NEWSROOM).release)[1:]
    assert "the page is nested too deeply; see whether the end of its text is here" in questions(draft)


def test_markdown_of_other_programs_keeps_its_keys(tmp_path: Path) -> None:
    text = "---\ntitle: Ferries return\ndate: 2026-03-03\ndescription: Two ferries sail again.\nlayout: post\n---\n"
    text += f"\n{BODY}\n\n* Boats\n* Tea\n"
    draft = drafted(tmp_path, "x.md", text, NEWSROOM)
    release = resolved(tmp_path, draft, NEWSROOM).release
    assert (release.title, release.summary) == ("Ferries return", "Two ferries sail again.")
    assert isinstance(release.body[-1], List)
    assert draft.remarks == ("keys of the front matter that were left out: layout",)


NEWSROOMS: list[Newsroom] = [
    NEWSROOM,
    sample.NEWSROOM,
    msgspec.structs.replace(NEWSROOM, boilerplate="", contacts=(), default_contacts=()),
]


@pytest.mark.parametrize("newsroom", NEWSROOMS, ids=["own", "sample", "bare"])
def test_a_draft_passes_the_reader_whatever_the_newsroom(newsroom: Newsroom, tmp_path: Path) -> None:
    resolved(tmp_path, drafted(tmp_path, "quay.txt", SPACED, newsroom), newsroom)
