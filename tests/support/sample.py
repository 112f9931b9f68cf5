"""A release that uses every kind of block and key, built by hand, so that writers are tested without the reader."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from PIL import Image

from pipeline.model.document import (
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
    FootnoteReference,
    Footnotes,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Strong,
    Subscript,
    Superscript,
    Table,
    Text,
)
from pipeline.model.footage import FOOTAGE as FILMS
from pipeline.model.footage import AudioTrack, Footage, FootageFile, Measured, Missing, Shot
from pipeline.model.formats import Rendition
from pipeline.model.newsroom import Newsroom, Topic
from pipeline.model.release import Contact, Correction, Picture, Release
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput


def para(text: str) -> Paragraph:
    return Paragraph((Text(text),))


def item(*texts: str) -> ListItem:
    return ListItem(tuple(para(text) for text in texts))


def cells(*texts: str) -> tuple[Cell, ...]:
    return tuple(Cell((Text(text),)) for text in texts)


def picture_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (900, 600), "#345").save(buffer, "PNG")
    return buffer.getvalue()


CONTACT = Contact(
    "desk", "Ruth Okafor", "Head of press", "+44 20 7946 0312", "+44 7700 900417", "press@example.org", ("en", "fr")
)
FOOTAGE = Footage(
    "Footage of the archive, filmed between 1996 and 1999, may be had by broadcasters.",
    carrier="Beta SP",
    duration="42 minutes",
    rights="Free for news use",
    supplier="World Images",
    telephone="+44 117 930 4099",
)
PCM = AudioTrack("PCM", 2, 48_000)
FILM = Footage(
    "A compilation filmed in Seoul and London: the reading room, the tapes, and three people who made them.",
    carrier="Beta SP",
    carriers=("Betacam SX",),
    duration="00:02:10",
    rights="Free for news use",
    restrictions="No archive use after 2027. No use in advertising.",
    supplier="World Images",
    telephone="+44 117 930 4099",
    expires=datetime(2027, 1, 31, tzinfo=UTC),
    transcript="The reading room opens at nine.\n\n“We counted every tape,” says the archivist.",
    shots=(
        Shot("00:00:00", "Exterior of the archive, the door opens", "Seoul", "1998-09-12"),
        Shot("00:00:09:12", "Rows of cassettes, pan from left to right", "Seoul", "1998-09-12"),
        Shot(
            "00:00:21", "Interview at a desk", "Seoul", "1998-09-12",
            "Kim Seo-yeon", "Head of the archive", "ko", "We counted every tape, and nobody had asked us to.",
        ),
        Shot("00:00:44", "Close-up of a label", "Seoul", "1998-09"),
        Shot("00:00:52", "Street with the archive’s sign", "London", "1999"),
        Shot("00:01:03", "Interview in the street", "London", "1999", "A visitor", language="fr"),
        Shot("00:01:20", "A player winds a tape back"),
        Shot("00:01:58:24", "The lamp of the reading room goes out", "London"),
    ),
    files=(
        FootageFile(
            "seoul-master.mov", "master", 1_840_000_000, "b" * 64, "sample/seoul-master.mov", "ko",
            Measured("QuickTime", 130.2, "ProRes", 1920, 1080, "29.97", "interlaced", (PCM,) * 2),
        ),
        FootageFile(
            "preview.mp4", "preview", 32_400_000, "c" * 64, "sample/preview.mp4", "",
            Measured("MP4", 130.2, "H.264", 1280, 720, "25", "progressive", (AudioTrack("AAC", 2, 48_000, "en"),)),
        ),
        FootageFile("sound.wav", "sound", 900_000, "d" * 64, "s3://films/sound.wav"),
        FootageFile("still.jpg", "poster", 84_000, "e" * 64, "", "", Measured("", 0, "", 1280, 720)),
        FootageFile("captions.vtt", "captions", 3_000, "f" * 64),
    ),
)  # fmt: skip
"""A film with all that can be said of one."""
NEWSROOM = Newsroom(
    name="Open Window Archive",
    language="en-GB",
    time_zone="Europe/London",
    boilerplate="Open Window Archive keeps releases and footage.\n\nIt was made for journalists & editors.",
    languages=("en-GB", "ar"),
    contacts=(CONTACT,),
    default_contacts=("desk",),
    footage={"archive": FOOTAGE},
    default_footage=("archive",),
    topics=(Topic("archive", "Archive"),),
    tag_authority="example.org,2026",
)
BODY = (
    Paragraph(
        (
            Text("The first sentence has "),
            Strong((Text("weight"),)),
            Text(", "),
            Emphasis((Text("tone"),)),
            Text(" and a "),
            Link("https://example.org/a?b=1&c=2", (Text("link"),)),
            Text("."),
        )
    ),
    para("“A quotation with “inner” quotes & an ampersand <here>,” she said."),
    Heading(2, (Text("What is in it"),)),
    Paragraph(
        (
            Text("Typed as "),
            Code("code_span()"),
            Text(" and"),
            LineBreak(),
            Text("a second line."),
        )
    ),
    List(
        False,
        (
            item("first bullet"),
            ListItem(
                (
                    para("second bullet"),
                    List(True, (item("nested one"), item("nested two"))),
                )
            ),
        ),
    ),
    Heading(3, (Text("Numbers"),)),
    List(True, (item("one"), item("two"), item("three"))),
    para("Between two lists."),
    List(True, (item("five"), item("six")), start=5, tight=False),
    Table(
        cells("Tape", "Subject", "Minutes"),
        (cells("A-101", "Seoul, September 1998", "12"), cells("A-102", "London", "9")),
        ("", "left", "right"),
    ),
    Quote((para("A block quotation."), para("In two paragraphs."))),
    CodeBlock("curl -O https://example.org/feed.xml\necho done", "sh"),
    Figure("tape.png", "A cassette on a desk", (Text("A Beta SP cassette."),), "J. Doe"),
    Rule(),
    para("The last paragraph."),
)
NOTES = (Heading(2, (Text("Notes to editors"),)), List(False, (item("A note."), item("Another note."))))


def line(*parts: Inline | str) -> tuple[Inline, ...]:
    return tuple(Text(part) if isinstance(part, str) else part for part in parts)


def cell(*parts: Inline | str) -> Cell:
    return Cell(line(*parts))


def high(text: str) -> Superscript:
    return Superscript((Text(text),))


def low(text: str) -> Subscript:
    return Subscript((Text(text),))


def with_footnotes(first: str, other: str, heading: str) -> dict[str, tuple[Block, ...]]:
    """Return body and notes with high and low figures and with references to four footnotes in every place.

    ``first`` and ``other`` are sentences without their full stop, ``heading`` the heading of the notes.
    """
    one, two, three, four = map(FootnoteReference, range(1, 5))
    body = (
        Paragraph(
            line(first, one, ". CO", low("2"), ", 10", high("6"), " m", high("3"), " 10", high("−6"), "; 1998", two)
        ),
        Heading(2, line(other, three)),
        Paragraph(line(other, ", 1", high("er"), ", x", high("ABQ"), " y", low("Q"), one, two, ".")),
        List(True, (ListItem((Paragraph(line(other, two)),)), item(other)), start=7),
        Table(
            (Cell(line("A", three)), Cell(line("10", high("9")))),
            ((Cell(line(first)), Cell(line("12", one))), (Cell(line(other)), Cell(line("104")))),
            ("", "right"),
        ),
        Quote((Paragraph(line(other, Strong(line(" CO", low("2"), one)))),)),
        Figure("tape.png", "A cassette", line(other, four), "J. Doe"),
        Footnotes(
            (
                (Paragraph(line(first, ", ", Link("https://example.org/one", line("example.org/one")), ".")),),
                (para(first), List(False, (item(other), item(first)))),
                (para(first), Paragraph(line(other, " 10", high("2"), two, "."))),
                (Quote((para(other),)),),
            )
        ),
    )
    notes = (Heading(2, line(heading)), List(False, (ListItem((Paragraph(line(first, one, ".")),)),)))
    return {"body": body, "notes": notes}


FOOTNOTES: dict[str, dict[str, Any]] = {
    "english": {**with_footnotes("The archive grew", "Nobody counted it", "Notes to editors")},
    "arabic": {
        "language": "ar",
        "title": "الأرشيف يفتح فهرسه",
        "subtitle": "",
        "summary": "ملخص.",
        "dateline": "لندن",
        "corrections": (),
        **with_footnotes("نما الأرشيف في لندن", "لم يعدّه أحد", "ملاحظات للمحررين"),
    },
}
"""Changes of the release that give it footnotes."""


BASE = "https://press.example.org/"


def release(**changes: object) -> Release:
    data = picture_bytes()
    values: dict[str, object] = {
        "slug": "sample",
        "title": "A title with “quotes” & ampersands",
        "date": datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        "language": "en-GB",
        "body": BODY,
        "notes": NOTES,
        "summary": "The first sentence has weight, tone and a link.",
        "subtitle": "A second deck",
        "dateline": "London",
        "facts": {"reference": "OW 12/2026"},
        "topics": ("archive",),
        "contacts": (CONTACT,),
        "footage": (FOOTAGE,),
        "pictures": (Picture("tape.png", "image/png", 900, 600, len(data), "0" * 64),),
        "corrections": (Correction(datetime(2026, 3, 2, tzinfo=UTC), "The number of tapes was wrong."),),
    }
    return Release(**{**values, **changes})  # type: ignore[arg-type]  # the test's own keywords


def render_input(
    newsroom: Newsroom = NEWSROOM, embargoed: bool = False, missing: Mapping[str, Missing] = {}, **changes: object
) -> RenderInput:
    found = release(**changes)
    messages = Messages(found.language, newsroom.time_zone)
    made = tuple(
        Rendition(name, f"releases/{found.slug}{suffix}", size, "a" * 64, pages)
        for name, suffix, size, pages in (
            ("text", ".txt", 3210, 0),
            ("pdf", ".pdf", 26_400, 2),
            ("docx", ".docx", 14_100, 0),
            ("kit", ".zip", 60_300, 0),
            ("html", ".html", 20_000, 0),
        )
    )
    films = tuple(
        Rendition(FILMS, f"releases/{found.slug}/{file.file}", file.size, file.sha256)
        for file in found.footage_files
        if file.file not in missing
    )
    return RenderInput(
        found,
        newsroom,
        messages,
        compose(found, newsroom, messages, embargoed=embargoed, base_url=BASE, missing=missing),
        {"tape.png": picture_bytes()},
        b"",
        BASE,
        (*made, *films),
        missing=missing,
    )
