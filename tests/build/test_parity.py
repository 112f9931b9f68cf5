"""All renditions of a release say the same, and the feed too: nothing is lost on the way to any of them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import feedparser
import msgspec
import pytest
from msgspec import structs

from pipeline.build import parity
from pipeline.build.parity.content import folded
from pipeline.build.parity.expected import article_words
from pipeline.model.document import (
    Block,
    FootnoteReference,
    Footnotes,
    Heading,
    Link,
    List,
    Paragraph,
    Quote,
    Table,
    Text,
)
from pipeline.model.errors import RenderError
from pipeline.model.formats import FORMATS, Format, by_name
from pipeline.model.release import Withdrawal
from pipeline.site.feeds import render_feeds
from pipeline.typography.feed_list import main_feed
from pipeline.writers import Output, RenderInput
from tests.support import sample
from tests.support.newsroom import SAMPLE
from tests.support.renditions import READERS, text_of_html, words_of
from tests.writers import cases

SOURCES = sorted([*SAMPLE.glob("*.md"), *cases.FOLDER.glob("*/*.md")])
TELLING = [row for row in FORMATS if not row.packs and not row.preview and not row.of_shots]
"""The formats whose words can be read; a kit holds the others, and has tests of its own, as the card has. A shot list
says a part of it alone."""
EAST_ASIAN = re.compile("[\u2e80-\u9fff\uac00-\ud7a3]")
OWN_BREAKS = {
    # Between words without blanks, the address that the wire copy adds to a link parts what is one word elsewhere.
    "text": re.compile(r" \(https?://[^\s()]+\)(?=[\u2e80-\u9fff\uac00-\ud7a3\uff00-\uffef])"),
    # Readers of a PDF put a blank between a low figure and the high one of a footnote.
    "pdf": re.compile(r"(?<=\d)\s+(?=\[\d+\])"),
}
"""What a format puts within a word."""


@pytest.fixture(scope="module", params=SOURCES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> tuple[RenderInput, dict[str, bytes]]:
    """A release, and every rendition of it."""
    return cases.written(request.param)


def edged(messages: Iterable[str]) -> list[str]:
    """Return words without punctuation at their edges: a label's colon, a caption's brackets are the format's own.

    Signs that stand for letters become these letters, as ℃ does on paper, and a minus may be typed as a hyphen.
    """
    letters_only = (unicodedata.normalize("NFKC", word).casefold().replace("−", "-") for word in messages)
    plain = (re.sub(r"^[^\w+☐☑]+|[^\w☐☑]+$", "", word) for word in letters_only)
    return [word for word in plain if word]


def words_in(name: str, data: bytes) -> list[str]:
    """Return the words of a rendition, without what its format puts within one."""
    text = READERS[name](data)
    return edged(folded(OWN_BREAKS[name].sub("", text) if name in OWN_BREAKS else text))


def letters(messages: Iterable[str]) -> str:
    """Return the letters and figures of ``words`` in one string, without vowel points and accents."""
    plain = unicodedata.normalize("NFKD", "".join(messages))
    return "".join(sign for sign in plain if sign.isalnum())


def words_of_article(render_input: RenderInput) -> list[str]:
    return edged(article_words(render_input.article, render_input.messages))


@pytest.mark.parametrize("name", [row.name for row in TELLING])
def test_no_word_of_the_article_is_lost(case: tuple[RenderInput, dict[str, bytes]], name: str) -> None:
    render_input, made = case
    if name == "text":  # it has shot lists as agencies write them, without the heads of a table
        render_input = structs.replace(render_input, article=structs.replace(render_input.article, films=()))
    found = words_in(name, made[name])
    if name == "pdf" and render_input.article.direction == "rtl":
        # Readers put what is between words from the right elsewhere: letters are counted, words in test_pdf_text.
        assert not Counter(letters(words_of_article(render_input))) - Counter(letters(found))
        return
    # A long word may be parted at the end of a line on paper, and in East Asia any; then its letters stand there.
    everything = letters(words_of(name, made[name]))
    missing = Counter(words_of_article(render_input)) - Counter(found)
    whole = [w for w in missing if name != "pdf" or (len(w) < 12 and "-" not in w and not EAST_ASIAN.search(w))]
    assert whole + [w for w in missing if not parted(letters([w]), everything)] == []


def parted(word: str, everything: str) -> bool:
    """Whether the letters of ``word`` stand there, perhaps with the foot of a page and the head of the next between."""
    return any(word[:at] in everything and word[at:] in everything for at in range(len(word)))


def without_tables(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return ``blocks`` without tables: text sets a wide one as records, with its headings beside every value."""
    found: list[Block] = []
    for block in blocks:
        match block:
            case Table():
                continue
            case List(items=items):
                items = tuple(structs.replace(item, children=without_tables(item.children)) for item in items)
                found.append(structs.replace(block, items=items))
            case Quote(children):
                found.append(structs.replace(block, children=without_tables(children)))
            case _:
                found.append(block)
    return tuple(found)


@pytest.mark.parametrize("name", ["text", "docx", "json"])
def test_the_words_stand_in_the_same_order(case: tuple[RenderInput, dict[str, bytes]], name: str) -> None:
    """The page and the PDF set the contacts aside and repeat heads and feet, so their order is their own."""
    render_input, made = case
    if name == "text":
        article = render_input.article
        article = structs.replace(
            article, body=without_tables(article.body), notes=without_tables(article.notes), films=()
        )
        wanted = edged(article_words(article, render_input.messages))
    else:
        wanted = edged(
            article_words(
                structs.replace(
                    render_input.article,
                    organisation="",
                    kind="",
                    facts=(),
                    date="",
                    status="",
                    title="",
                    notices=(),
                ),
                render_input.messages,
            )
        )
    rest = iter(words_in(name, made[name]))
    assert [word for word in wanted if not any(word == other for other in rest)] == []


def test_the_feeds_have_the_whole_article(case: tuple[RenderInput, dict[str, bytes]]) -> None:
    render_input, made = case
    feed_list = [(main_feed(render_input.newsroom), [cases.row(render_input, made)])]
    documents = render_feeds(feed_list, lambda row: made["json"], render_input.newsroom, render_input.base_url)
    told = [(entry.title, entry.content[0].value) for key in ("feed.xml", "atom.xml")
            for entry in feedparser.parse(documents[key]).entries]  # fmt: skip
    told += [(item["title"], item["content_html"]) for item in json.loads(documents["feed.json"])["items"]]
    assert len(told) == 3
    for title, html in told:
        found = edged(folded(f"{title} {text_of_html(html)}"))
        assert not Counter(words_of_article(render_input)) - Counter(found)


def test_telephone_numbers_and_links_are_the_same_everywhere(case: tuple[RenderInput, dict[str, bytes]]) -> None:
    render_input, made = case
    footer = render_input.article.footer
    for line in (line for party in (*footer.contacts, *footer.footage) for line in party.lines if line.href):
        for name, data in ((row.name, made[row.name]) for row in TELLING):
            if name == "pdf" and render_input.article.direction == "rtl":
                continue  # what is taken out of the PDF has the groups of a number from right to left
            # The facts of a film have hyphens, at which a line on paper may end.
            written, wanted = " ".join(words_as_written(name, data)), " ".join(nfkc(line.value).split())
            written = written.replace("- ", "-") if "-" in wanted else written
            assert wanted in written, (name, line)
        for name in ("html", "json"):
            assert f'{line.href}"' in made[name].decode().replace('\\"', '"'), (name, line)
        assert line.href.encode() in cases.inflated(made["pdf"])
        assert line.href.encode() in cases.unzipped(made["docx"])


def words_as_written(name: str, data: bytes) -> list[str]:
    return nfkc(READERS[name](data)).split()


def nfkc(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


# ── The check in the pipeline ───────────────────────────────────────────────────────────────────────────────────────


def write(row: Format, render_input: RenderInput) -> Output:
    made: Output = import_module(f"pipeline.writers.{row.writer}").write(render_input)
    return made


@pytest.mark.parametrize("name", [row.name for row in FORMATS])
def test_every_rendition_passes_the_pipelines_own_check(case: tuple[RenderInput, dict[str, bytes]], name: str) -> None:
    render_input, made = case
    if render_input.release.withdrawn and name == "kit":
        pytest.skip("what is withdrawn has none")
    parity.check(by_name(name), render_input, made[name])


def test_the_hand_made_release_passes_too() -> None:
    for embargoed in (False, True):
        render_input = sample.render_input(embargoed=embargoed)
        for row in TELLING:
            parity.check(row, render_input, write(row, render_input).data)


@pytest.mark.parametrize("row", TELLING, ids=lambda row: row.name)
@pytest.mark.parametrize("language", ["en-GB", "ar", "ja"])
def test_a_newsroom_that_signs_and_states_its_address_passes_too(row: Format, language: str) -> None:
    newsroom = msgspec.structs.replace(
        sample.NEWSROOM, reuse="Free to reprint.", signs=True, base_url="https://n.example.org/"
    )
    render_input = sample.render_input(newsroom, language=language)
    parity.check(row, render_input, write(row, render_input).data)
    if row.name == "json":
        return  # its text leaves out the line, because a record is checked by its digest in the manifest
    unsigned = sample.render_input(msgspec.structs.replace(newsroom, signs=False), language=language)
    with pytest.raises(RenderError, match="does not say what the release says"):
        parity.check(row, render_input, write(row, unsigned).data)


@pytest.mark.parametrize("name", sample.FOOTNOTES)
@pytest.mark.parametrize("row", TELLING, ids=lambda row: row.name)
def test_figures_and_footnotes_in_every_place_pass_too(row: Format, name: str) -> None:
    render_input = sample.render_input(**sample.FOOTNOTES[name])
    parity.check(row, render_input, write(row, render_input).data)


FILMED = [*TELLING, by_name("shots")]
ALL_FILES = [file.file for file in sample.FILM.files]
STATES: dict[str, dict[str, Any]] = {
    "there": {},
    "in a moment": {"missing": dict.fromkeys(ALL_FILES, "coming")},
    "under embargo": {"missing": dict.fromkeys(ALL_FILES, "coming"), "embargoed": True},
    "gone": {"missing": dict.fromkeys(ALL_FILES, "gone")},
    "two films": {"footage": (sample.FILM, sample.FILM)},
    "shots alone": {"footage": (structs.replace(sample.FILM, transcript="", files=()),)},
    "a transcript alone": {"footage": (structs.replace(sample.FILM, shots=()),)},
    "withdrawn": {"withdrawn": Withdrawal(datetime(2026, 3, 5, tzinfo=UTC), "It was wrong.")},
    **{language: {"language": language} for language in ("ar", "de", "fr", "he", "hi", "ja", "ko", "ru", "th", "zh")},
    **{f"footnotes, {name}": changes for name, changes in sample.FOOTNOTES.items()},
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("row", FILMED, ids=lambda row: row.name)
def test_film_with_shots_transcript_and_files_passes_too(row: Format, state: str) -> None:
    render_input = sample.render_input(**{"footage": (sample.FILM,), **STATES[state]})
    assert parity.check(row, render_input, write(row, render_input).data) == ""


CHANGED = {
    "a lost shot": structs.replace(sample.FILM, shots=sample.FILM.shots[1:]),
    "another time code": structs.replace(
        sample.FILM, shots=(structs.replace(sample.FILM.shots[0], at="00:00:01"), *sample.FILM.shots[1:])
    ),
    "another speaker": structs.replace(
        sample.FILM, shots=tuple(structs.replace(shot, speaker=shot.speaker and "Kim") for shot in sample.FILM.shots)
    ),
    "a lost paragraph": structs.replace(sample.FILM, transcript="The reading room opens at nine."),
    "a lost file": structs.replace(sample.FILM, files=sample.FILM.files[1:]),
    "other restrictions": structs.replace(sample.FILM, restrictions="None."),
}


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("row", FILMED, ids=lambda row: row.name)
def test_change_of_a_film_is_noticed(row: Format, change: str) -> None:
    changed = sample.render_input(footage=(CHANGED[change],))
    with pytest.raises(RenderError, match="does not say what the release says"):
        parity.check(row, sample.render_input(footage=(sample.FILM,)), write(row, changed).data)


LONG = "Donaudampfschifffahrtsgesellschaft und https://example.org/" + "long/" * 30 + " sowie 1.234,56 und so weiter. "
DATES = "https://example.org/v1/search?query=film&place=Swansea&from=1955-01-01&to=1975-12-31 " * 2


def bodies() -> dict[str, tuple[Block, ...]]:
    """Return texts that are hard on paper: parted words, tables that go on overleaf, numbered lists across pages."""
    rows = tuple(sample.cells(f"A-{n}", LONG[: n % 90] or "-") for n in range(90))
    return {
        "parted words": tuple(sample.para(LONG * 4) for _ in range(20)),
        "a long table": (Table(sample.cells("Tape", "Subject of it"), rows, ("", "")),),
        "a wide table": (Table(sample.cells(*"ABCDEFGHI"), (sample.cells(*[LONG[:40]] * 9),) * 3, ("",) * 9),),
        "a long list": (List(True, tuple(sample.item(LONG) for _ in range(70)), start=95),),
        "hyphens before figures": tuple(
            Table(sample.cells("A", "B", "C"), (sample.cells("word " * n, LONG[: 9 * n] or "-", DATES),), ("",) * 3)
            for n in range(40)
        ),
        "references at the ends of lines": (
            *(
                Paragraph(
                    sample.line(
                        "a" + "word in 1998 " * n + "x" * (n % 13),
                        FootnoteReference(1),
                        " and 25 km",
                        sample.high("2"),
                        FootnoteReference(2),
                    )
                )
                for n in range(1, 40)
            ),
            *(
                Paragraph(
                    sample.line(
                        "東京の人口は1400万人です。" * n,
                        FootnoteReference(1),
                        "面積は2194km",
                        sample.high("2"),
                        "です。",
                    )
                )
                for n in range(1, 12)
            ),
            Footnotes(((sample.para(LONG),), (sample.para(LONG),))),
        ),
        "a reference in a head that is repeated": (
            Table((sample.cell("Tape", FootnoteReference(1)), sample.cell("m", sample.high("2"))), rows, ("", "")),
            Footnotes(((sample.para(LONG),),)),
        ),
        "brackets": (sample.para("He said[1] that it [the film] was 12[3] " * 40),),
        "capitals": (Heading(2, (Text("ışık İstanbul ŉ straße ﬁne ½ H₂O −5"),)),),
        "two directions": (sample.para("Before العربية 1,234.5 شيئًا (2026) after, 50 % " * 40),),
    }


@pytest.mark.parametrize("kind", bodies())
def test_what_is_hard_to_set_is_not_taken_for_a_difference(kind: str) -> None:
    render_input = sample.render_input(body=bodies()[kind])
    for row in TELLING:
        parity.check(row, render_input, write(row, render_input).data)


def planted(render_input: RenderInput, change: str) -> RenderInput:
    """Return the render input of the sample with one ``change``."""
    contact = sample.CONTACT
    changes: dict[str, dict[str, object]] = {
        "a lost word": {"body": replaced("weight", "")},
        "an added word": {"body": replaced("weight", "weight foreign")},
        "another word": {"body": replaced("weight", "height")},
        "changed digits": {"contacts": (structs.replace(contact, telephone="+44 20 7946 0321"),)},
        "a lost link": {"body": unlinked()},
        "another link": {"body": relinked()},
    }
    return sample.render_input(**changes[change])  # type: ignore[arg-type]  # the test's own keywords


def replaced(old: str, new: str) -> tuple[Block, ...]:
    return msgspec.convert(
        msgspec.json.decode(msgspec.json.encode(sample.BODY).replace(old.encode(), new.encode())), tuple[Block, ...]
    )


def unlinked() -> tuple[Block, ...]:
    first = sample.BODY[0]
    assert isinstance(first, Paragraph)
    children = (Text("link") if isinstance(child, Link) else child for child in first.children)
    return (Paragraph(tuple(children)), *sample.BODY[1:])


def relinked() -> tuple[Block, ...]:
    return replaced("https://example.org/a?b=1&c=2", "https://example.org/a?b=1&c=3")


def replaced_in_footnotes(old: str, new: str) -> RenderInput:
    data = msgspec.json.encode(sample.FOOTNOTES["english"]["body"])
    assert old.encode() in data
    body = msgspec.json.decode(data.replace(old.encode(), new.encode()), type=tuple[Block, ...])
    return sample.render_input(**sample.FOOTNOTES["english"] | {"body": body})


TWO = '{"type":"FootnoteReference","number":2}'
SIX = '{"type":"Superscript","children":[{"type":"Text","text":"6"}]}'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (SIX, SIX.replace("Superscript", "Subscript")),
        (SIX, '{"type":"Text","text":"6"}'),
        (SIX, SIX.replace("6", "9")),
        (f'"; 1998"}},{TWO}', f'"; 1998"}},{TWO.replace("2", "1")}'),
        (f'"; 1998"}},{TWO}', '"; 1998"},{"type":"Text","text":"2"}'),
        (
            '[[{"type":"Paragraph","children":[{"type":"Text","text":"The',
            '[[{"type":"Paragraph","children":[{"type":"Text","text":"This',
        ),
    ],
    ids=["low figures", "no high figures", "other figures", "another footnote", "no footnote", "another text"],
)
@pytest.mark.parametrize("row", TELLING, ids=lambda row: row.name)
def test_other_figures_and_other_footnotes_are_found_in_every_format(row: Format, old: str, new: str) -> None:
    render_input = sample.render_input(**sample.FOOTNOTES["english"])
    data = write(row, replaced_in_footnotes(old, new)).data
    with pytest.raises(RenderError, match="does not say what the release says: "):
        parity.check(row, render_input, data)


CHANGES = ("a lost word", "an added word", "another word", "changed digits", "a lost link", "another link")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("row", TELLING, ids=lambda row: row.name)
def test_a_difference_is_found_in_every_format(row: Format, change: str) -> None:
    render_input = sample.render_input()
    data = write(row, planted(render_input, change)).data
    with pytest.raises(RenderError, match="does not say what the release says: "):
        parity.check(row, render_input, data)


@pytest.mark.parametrize("name", ["text", "docx", "html", "json"])
def test_paragraphs_that_changed_places_are_found(name: str) -> None:
    render_input = sample.render_input()
    turned = sample.render_input(body=(sample.BODY[1], sample.BODY[0], *sample.BODY[2:]))
    with pytest.raises(RenderError, match="should be"):
        parity.check(by_name(name), render_input, write(by_name(name), turned).data)


def test_another_plain_text_format_is_compared_by_the_same_reader() -> None:
    row = structs.replace(by_name("text"), name="markdown", suffix=".md")
    render_input = sample.render_input()
    data = write(row, render_input).data
    parity.check(row, render_input, data)
    with pytest.raises(RenderError, match="missing: “weight”"):
        parity.check(row, render_input, data.replace(b"weight", b"", 1))


def test_a_format_without_a_reader_is_an_error() -> None:
    row = structs.replace(by_name("text"), parity="film")
    with pytest.raises(ValueError, match="'film' is no kind of parity reader"):
        parity.check(row, sample.render_input(), b"")


def test_the_message_names_missing_and_extra_words_and_what_to_do() -> None:
    render_input = sample.render_input()
    data = write(by_name("pdf"), planted(render_input, "changed digits")).data
    with pytest.raises(RenderError) as found:
        parity.check(by_name("pdf"), render_input, data)
    assert str(found.value) == ("does not say what the release says: missing: “0312”; not in the release: “0321”")
    assert found.value.hint == parity.HINT


SENTENCE = "The harbour opens again in March with 12 34 ferries for all."


@pytest.mark.parametrize(
    ("read", "told"),
    [
        (("opens again", "opensagain"), "copied out of it, blanks are lost or added in “opens again”"),
        (("harbour opens again in", "harbouropensagainin"), "in “harbour opens again in”"),
        (("harbour", "harb our"), "in “harbour”"),
        (("harbour", "har-\nbour"), ""),
        (("ferries for", "ferries\nfor"), ""),
    ],
)
def test_other_blanks_alone_are_a_warning_that_names_the_words(
    monkeypatch: pytest.MonkeyPatch, read: tuple[str, str], told: str
) -> None:
    warning = checked_as_read(monkeypatch, *read)
    assert warning.endswith(told)
    assert bool(warning) == bool(told)


@pytest.mark.parametrize(
    "read",
    [
        ("12 34", "1234"),
        ("harbour", "harbor"),
        ("harbour opens", "harboropens"),
        ("opens again", "againopens"),
        ("opens again", "opens"),
        ("opens again", "opensagain again"),
    ],
)
def test_lost_or_other_letters_are_refused_whatever_the_blanks(
    monkeypatch: pytest.MonkeyPatch, read: tuple[str, str]
) -> None:
    with pytest.raises(RenderError, match="does not say what the release says: ") as found:
        checked_as_read(monkeypatch, *read)
    assert "To publish now, write what is named here in another way" in found.value.hint


def checked_as_read(monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> str:
    """Check a PDF of ``SENTENCE`` out of which ``new`` is read for ``old``."""
    render_input = sample.render_input(body=(sample.para(SENTENCE),))
    data = write(by_name("pdf"), render_input).data
    content = parity.reader("pdf")(data)
    words = tuple(str(passage).replace(old, new) for passage in content.words)
    assert words != content.words
    monkeypatch.setattr(parity, "reader", lambda kind: lambda _: structs.replace(content, words=words))
    return parity.check(by_name("pdf"), render_input, data)


def test_a_message_names_words_as_they_were_typed() -> None:
    render_input = sample.render_input(body=(sample.para("Die Straße „Zur Mühle“ öffnet."),))
    data = write(by_name("text"), sample.render_input(body=(sample.para("Die öffnet."),))).data
    with pytest.raises(RenderError, match="missing: “Straße”, “Zur”, “Mühle”"):
        parity.check(by_name("text"), render_input, data)
