"""The wire copy: what journalists paste, told line by line."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.document import (
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
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
    Table,
    Text,
)
from pipeline.model.release import Correction, Withdrawal
from pipeline.model.statement import words_of
from pipeline.typography.article import Footer, Line, Party, footer_lines
from pipeline.writers import RenderInput, text
from tests.support import sample
from tests.support.sample import cells, item, para


def copy(render_input: RenderInput | None = None) -> str:
    return text.write(render_input or sample.render_input()).data.decode()


def body(*blocks: Block, dateline: str = "") -> str:
    """Return what stands between the title and the end mark."""
    written = copy(sample.render_input(body=blocks, notes=(), subtitle="", dateline=dateline))
    return written.split("A title with “quotes” & ampersands\n\n", 1)[1].rsplit("\n\nENDS\n", 1)[0]


def line(*inlines: Inline) -> str:
    return body(Paragraph(inlines))


# ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_facts_come_first_then_the_story_then_whom_to_call() -> None:
    written = copy(sample.render_input(newsroom=msgspec.structs.replace(sample.NEWSROOM, reuse="Free to reprint.")))
    order = [
        "OPEN WINDOW ARCHIVE\nPress release\nReference: OW 12/2026\n1 March 2026\n\n",
        "FOR IMMEDIATE RELEASE\n\n",
        "Correction, 2 March 2026: The number of tapes was wrong.\n\n",
        "A title with “quotes” & ampersands\n\n",
        "A second deck\n\n",
        "London, 1 March 2026 – The first sentence has weight, tone",
        "The last paragraph.\n\n",
        "ENDS\n\n",
        "ABOUT OPEN WINDOW ARCHIVE\n\nOpen Window Archive keeps releases and footage.\n\nIt was made for",
        "NOTES TO EDITORS\n\n- A note.\n- Another note.\n\n",
        "MEDIA CONTACT\n\nRuth Okafor\nHead of press\nTelephone: +44 20 7946 0312\n",
        "FOOTAGE\n\nFootage of the archive",
        "Reuse: Free to reprint.\n",
    ]
    places = [written.find(part) for part in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)
    assert written.startswith(order[0])
    assert written.endswith(order[-1])


def test_it_is_utf_8_with_unix_line_ends_and_one_final_newline() -> None:
    data = text.write(sample.render_input()).data
    assert data.decode("utf-8").endswith("42 minutes\nRights: Free for news use\nCopies from: World Images\n"
                                         "Telephone: +44 117 930 4099\n")  # fmt: skip
    assert b"\r" not in data
    assert not data.startswith(b"\xef\xbb\xbf")


def test_no_line_ends_in_a_blank_and_no_two_lines_are_empty() -> None:
    written = copy()
    assert [found for found in written.split("\n") if found != found.rstrip()] == []
    assert "\n\n\n" not in written


def test_it_has_no_pages() -> None:
    assert text.write(sample.render_input()).pages == 0


def test_same_job_gives_the_same_bytes() -> None:
    assert text.write(sample.render_input()) == text.write(sample.render_input())


def test_a_release_without_extras_has_no_gaps() -> None:
    bare = msgspec.structs.replace(sample.NEWSROOM, boilerplate="")
    written = copy(
        sample.render_input(
            bare, body=(para("Words."),), notes=(), subtitle="", dateline="", facts={}, contacts=(), footage=(),
            corrections=(), pictures=(),
        )
    )  # fmt: skip
    assert written == (
        "OPEN WINDOW ARCHIVE\nPress release\n1 March 2026\n\nFOR IMMEDIATE RELEASE\n\n"
        "A title with “quotes” & ampersands\n\nWords.\n\nENDS\n"
    )


# ── Status and notices ──────────────────────────────────────────────────────────────────────────────────────────────


def test_embargo_is_told_in_capitals_before_anything_else_is() -> None:
    written = copy(sample.render_input(embargoed=True))
    assert written.split("\n\n")[1] == (
        "EMBARGOED UNTIL SUNDAY, 1 MARCH 2026, 09:30 GREENWICH MEAN TIME (UTC+00:00; 09:30 UTC)"
    )
    assert "FOR IMMEDIATE RELEASE" not in written


def test_withdrawn_release_says_why_and_where_to_read_on_and_hides_its_words() -> None:
    withdrawal = Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "The figures were wrong.", "better")
    written = copy(sample.render_input(withdrawn=withdrawal, corrections=()))
    assert "Withdrawn, 3 March 2026: The figures were wrong.\nRead instead: better\n\n" in written
    for hidden in ("The first sentence", "The last paragraph", "A second deck", "A note.", "Beta SP cassette", " – "):
        assert hidden not in written
    assert "A title with “quotes” & ampersands" in written
    assert "Ruth Okafor" in written


def test_every_correction_is_a_paragraph_of_its_own() -> None:
    two = tuple(Correction(datetime(2026, 3, day, tzinfo=UTC), f"Note {day}.") for day in (4, 2))
    written = copy(sample.render_input(corrections=two))
    assert "Correction, 4 March 2026: Note 4.\n\nCorrection, 2 March 2026: Note 2.\n\nA title" in written


# ── The dateline ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_dateline_runs_into_the_first_sentence() -> None:
    assert body(para("It rained."), para("It stopped."), dateline="London") == (
        "London, 1 March 2026 – It rained.\n\nIt stopped."
    )


@pytest.mark.parametrize(
    "first", [Heading(2, (Text("Head"),)), List(False, (item("one"),)), Rule(), CodeBlock("code"), Quote((para("Q"),))]
)
def test_dateline_stands_alone_before_what_is_no_paragraph(first: Block) -> None:
    assert body(first, dateline="London").startswith("London, 1 March 2026\n\n")


def test_dateline_stands_alone_after_nothing() -> None:
    assert body(dateline="London") == "London, 1 March 2026"


# ── Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_marks_are_left_out_and_words_stay() -> None:
    nested = Strong((Text("bold "), Emphasis((Text("and italic"),))))
    assert line(nested, Text(" "), Code("code()")) == "bold and italic code()"


def test_a_hard_break_is_a_line() -> None:
    assert line(Text("one"), LineBreak(), Text("two")) == "one\ntwo"


def test_characters_that_mark_up_stand_as_they_are() -> None:
    assert line(Text("<b> & *stars* _lines_ `ticks` &amp;")) == "<b> & *stars* _lines_ `ticks` &amp;"


@pytest.mark.parametrize(
    ("href", "words", "expected"),
    [
        ("https://example.org/a", "our page", "our page (https://example.org/a)"),
        ("https://example.org/a", "https://example.org/a", "https://example.org/a"),
        ("https://example.org/a", "example.org/a", "example.org/a"),
        ("http://example.org/a", "example.org/a", "example.org/a (http://example.org/a)"),
        ("mailto:a@example.org", "a@example.org", "a@example.org"),
        ("mailto:a@example.org", "write to us", "write to us (a@example.org)"),
        ("tel:+442079460312", "+442079460312", "+442079460312"),
        ("tel:+442079460312", "call", "call (+442079460312)"),
        ("#numbers", "below", "below"),
        ("other.html", "the other release", "the other release (https://press.example.org/releases/other.html)"),
    ],
)
def test_links_are_spelled_out_after_their_words_unless_the_words_say_it(href: str, words: str, expected: str) -> None:
    assert line(Link(href, (Text(words),))) == expected


def test_heading_stands_in_capitals() -> None:
    assert body(Heading(2, (Text("What is "), Emphasis((Text("in"),)), Text(" it"))), para("This.")) == (
        "WHAT IS IN IT\n\nThis."
    )


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_bullets_and_numbers() -> None:
    assert body(List(False, (item("one"), item("two")))) == "- one\n- two"
    assert body(List(True, (item("one"), item("two")), start=9)) == "9. one\n10. two"


def test_items_of_a_loose_list_stand_apart() -> None:
    assert body(List(True, (item("one", "more"), item("two")), tight=False)) == "1. one\n\n    more\n\n2. two"


def test_nested_lists_are_set_in() -> None:
    inner = List(True, (item("nested one"), item("nested two")))
    outer = List(False, (ListItem((para("outer"), inner)), item("next")))
    assert body(outer) == "- outer\n    1. nested one\n    2. nested two\n- next"
    deeper = List(False, (ListItem((para("top"), outer)),))
    assert "        1. nested one\n" in body(deeper)


def test_tasks_have_boxes() -> None:
    tasks = (ListItem((para("done"),), True), ListItem((para("open"),), False), ListItem((para("plain"),)))
    assert body(List(False, tasks)) == "- ☑ done\n- ☐ open\n- plain"


def test_an_empty_item_is_a_bare_mark() -> None:
    assert body(List(False, (ListItem(()), item("two")))) == "-\n- two"
    assert body(List(True, (ListItem((Figure("tape.png", ""),)),))) == "1."
    assert body(List(False, (ListItem((), True),))) == "- ☑"


def test_blocks_in_an_item_keep_their_shape() -> None:
    rich = ListItem((para("Run:"), CodeBlock("one\n\ntwo"), Quote((para("said"),))))
    assert body(List(False, (rich,))) == "- Run:\n        one\n\n        two\n        said"


# ── Tables ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_narrow_table_stands_in_columns() -> None:
    table = Table(
        cells("Tape", "Subject", "Minutes"),
        (cells("A-101", "Seoul", "12"), cells("A-102", "London and York", "9")),
        ("", "left", "right"),
    )
    assert body(table) == (
        "Tape    Subject           Minutes\n"
        "A-101   Seoul                  12\n"
        "A-102   London and York         9"
    )  # fmt: skip


def test_a_wide_table_is_read_out_row_by_row() -> None:
    messages = "words that take their room, a lot of it, all along the line"
    table = Table(
        cells("Tape", "What", "Why"), (cells("A", messages, messages), cells("B", messages, messages)), ("", "", "")
    )
    assert body(table) == "\n\n".join(f"Tape: {tape}\nWhat: {messages}\nWhy: {messages}" for tape in "AB")


def test_a_wide_table_with_empty_cells_has_no_trailing_blanks() -> None:
    table = Table(cells("Tape", "", "Why"), (cells("A", "x" * 100, ""), cells("", "", "z")), ("", "", ""))
    assert body(table) == f"Tape: A\n{'x' * 100}\nWhy:\n\nTape:\nWhy: z"


def test_a_wide_table_without_rows_still_says_its_heads() -> None:
    assert body(Table(cells("h" * 60, "i" * 60), (), ("", ""))) == f"{'h' * 60}   {'i' * 60}"


def test_breaks_in_cells_do_not_break_the_row() -> None:
    cell = Cell((Text("one"), LineBreak(), Text("two")))
    assert body(Table(cells("Head"), ((cell,),), ("",))) == "Head\none two"


# ── Other blocks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_quotations_and_code_are_set_in_and_code_keeps_its_blanks() -> None:
    assert body(Quote((para("one"), para("two")))) == "    one\n\n    two"
    assert body(CodeBlock("if x:\n    y\n\nz")) == "    if x:\n        y\n\n    z"


def test_a_rule_is_three_stars() -> None:
    assert body(para("a"), Rule(), para("b")) == "a\n\n* * *\n\nb"


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        (Figure("tape.png", "alt", (Text("A cassette."),), "J. Doe"), "\n\n[A cassette. Photo: J. Doe]"),
        (Figure("tape.png", "alt", (Text("A cassette."),)), "\n\n[A cassette.]"),
        (Figure("tape.png", "alt", (), "J. Doe"), "\n\n[Photo: J. Doe]"),
        (Figure("tape.png", "alt"), ""),
    ],
)
def test_a_picture_is_its_caption_and_credit(figure: Figure, expected: str) -> None:
    assert body(para("Before."), figure, para("After.")) == f"Before.{expected}\n\nAfter."


def test_the_lead_picture_stands_before_the_story() -> None:
    written = copy(sample.render_input(image=Figure("tape.png", "", (Text("The lead."),))))
    assert "A second deck\n\n[The lead.]\n\nLondon, 1 March 2026 – " in written


def test_no_invisible_hyphens_get_into_the_copy() -> None:
    """A soft hyphen, pasted, makes a word that no search finds."""
    assert line(Text("Zu\u00adsammen\u00adarbeit")) == "Zusammenarbeit"


# ── Footers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_footers_are_headed_in_capitals_and_an_empty_side_is_left_out() -> None:
    people = (Party("Ada", "Head", (Line("Telephone", "+1 2", "tel:+12"),)), Party("Bo", "", ()))
    assert footer_lines(Footer("Media contact", people, "Footage", ()), "en") == [
        "MEDIA CONTACT",
        "Ada\nHead\nTelephone: +1 2",
        "Bo",
    ]
    assert footer_lines(Footer("Media contact", (), "Footage", (Party("", "Seen.", ()),)), "en") == ["FOOTAGE", "Seen."]
    assert footer_lines(Footer("Media contact", (), "Footage", ()), "en") == []


# ── Whatever the words are ──────────────────────────────────────────────────────────────────────────────────────────

WORDS = st.text("ab c|-*\n", min_size=1, max_size=60).map(lambda found: " ".join(found.split())).filter(bool)
PARAGRAPHS = st.builds(para, WORDS)
BLOCKS: st.SearchStrategy[Block] = st.recursive(
    PARAGRAPHS,
    lambda inner: st.one_of(
        st.builds(Quote, st.lists(inner, min_size=1, max_size=3).map(tuple)),
        st.builds(
            List,
            st.booleans(),
            st.lists(st.builds(ListItem, st.lists(inner, max_size=2).map(tuple)), min_size=1, max_size=3).map(tuple),
            st.integers(0, 999),
            st.booleans(),
        ),
        st.builds(
            lambda head, rows: Table(cells(*head), tuple(cells(*found) for found in rows), ("", "right")),
            st.tuples(WORDS | st.just(""), WORDS),
            st.lists(st.tuples(WORDS | st.just(""), WORDS | st.just("")), max_size=3),
        ),
    ),
    max_leaves=8,
)


@given(st.lists(BLOCKS, min_size=1, max_size=3))
def test_whatever_is_nested_no_line_ends_in_a_blank_and_no_letter_is_lost(blocks: list[Block]) -> None:
    found = body(*blocks)
    assert [line for line in found.split("\n") if line != line.rstrip()] == []
    letters = Counter(letter for letter in found if letter in "abc")
    assert letters >= Counter(letter for block in blocks for letter in _texts(msgspec.to_builtins(block)))


def _texts(found: object) -> str:
    """Return the letters of a tree, told without the writer."""
    if isinstance(found, dict):
        return "".join(c for c in found["text"] if c in "abc") if "text" in found else _texts(list(found.values()))
    return "".join(map(_texts, found)) if isinstance(found, (list, tuple)) else ""


def test_a_newsroom_that_signs_names_the_page_for_checking_after_the_words_of_the_statement() -> None:
    signing = sample.render_input(msgspec.structs.replace(sample.NEWSROOM, signs=True))
    copies = [text.write(each).data.decode() for each in (signing, sample.render_input())]
    assert copies[0].removesuffix(f"Check that this release is genuine and current: {sample.BASE}verify.html\n") == (
        copies[1] + "\n"
    )
    stated = [words_of(copy, signing.release.title, ["ENDS"]) for copy in copies]
    assert stated[0] == stated[1]
    assert stated[0].endswith("ENDS")
