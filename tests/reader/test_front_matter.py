"""Front matter: every key, and the messages for mistakes."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model.document import Figure, Text
from pipeline.model.footage import Footage
from pipeline.model.release import Correction, Withdrawal
from tests.support.markdown_outline import Case, accept, cases
from tests.support.reading import FRONT, faults, picture, release


def test_front_matter_with_every_key(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "ship.png").write_bytes(picture())
    front = """\
title: "Acme #1: it opens"
subtitle: 1.10
summary: >
  Two lines
  of summary
date: 2026-11-23T09:00:30.5+01:00   # a comment is no fault where nothing can get lost
dateline: no
reference: 12:30
embargo: true
draft: false
language: PT-br
translation_of: other.md
topics: [human-rights, archive]
contacts: night
footage:
  notice: Own notice
  carrier: Beta SP
  telephone: +44 20 7946 0312 ext. 4
image: {file: ./x/ship.png, alt: "", caption: A ship, credit: Jane}
corrections:
  - date: 2026-11-24T09:00Z
    note: First
  - date: 2026-11-25T09:00+00:00
    note: Second
withdrawn: {date: 2026-12-01T00:00Z, reason: Wrong, replaced_by: other}
"""
    found = release(tmp_path, front).release
    assert found.title == "Acme #1: it opens"
    assert (found.subtitle, found.dateline, found.facts) == ("1.10", "no", {"reference": "12:30"})
    assert found.summary == "Wrong", "the summary of a withdrawn release is the reason"
    assert found.date == datetime(2026, 11, 23, 9, 0, 30, 500000, timezone(timedelta(hours=1)))
    assert found.date.utcoffset() == timedelta(hours=1)
    assert (found.embargo, found.draft, found.language) == (True, False, "pt-BR")
    assert found.translation_of == "other"
    assert found.topics == ("human-rights", "archive")
    assert [contact.id for contact in found.contacts] == ["night"]
    assert found.footage == (), "a withdrawn release has no footage"
    assert found.image == Figure("ship.png", "", (Text("A ship"),), "Jane")
    assert found.corrections == (
        Correction(datetime(2026, 11, 25, 9, tzinfo=UTC), "Second"),
        Correction(datetime(2026, 11, 24, 9, tzinfo=UTC), "First"),
    )
    assert found.withdrawn == Withdrawal(datetime(2026, 12, 1, tzinfo=UTC), "Wrong", "other")


@pytest.mark.parametrize(
    ("summary", "printed"),
    [
        ("港は十年ぶりに\n  開いた 港 開いた\n  港。", "港は十年ぶりに開いた 港 開いた港。"),
        (">\n  港は十年ぶりに\n  開いた。", "港は十年ぶりに開いた。"),
        ("|\n  港は十年ぶりに\n  開いた。", "港は十年ぶりに開いた。"),
        ('"港は十年ぶりに\n  開いた。"', "港は十年ぶりに開いた。"),
        ("港は Harbour\n  の 前\n  3号。", "港は Harbour の 前 3号。"),
        ("항구가 다시\n  열렸다.", "항구가 다시 열렸다."),
    ],
)
def test_text_over_several_lines_has_spaces_where_its_language_has_them(
    tmp_path: Path, summary: str, printed: str
) -> None:
    assert release(tmp_path, f"{FRONT}summary: {summary}\n").release.summary == printed


def test_defaults_come_from_the_newsroom(tmp_path: Path) -> None:
    found = release(tmp_path, body="# Heading\n\n> quoted\n\nFirst *real* paragraph,\ntwo lines.\n").release
    assert found.language == "en-GB"
    assert [contact.id for contact in found.contacts] == ["desk"]
    assert found.footage == (Footage("Footage"),)
    assert found.summary == "First real paragraph, two lines."


@pytest.mark.parametrize(
    ("value", "count"),
    [("archive", 1), ("[archive, seoul]", 2), ("[archive, {notice: Own}]", 2), ("[{notice: A}]", 1), ("[]", 0)],
)
def test_footage_is_an_id_a_list_or_a_notice(tmp_path: Path, value: str, count: int) -> None:
    assert len(release(tmp_path, f"{FRONT}footage: {value}\n").release.footage) == count


DATES = [
    ("2026-11-23", "no time (write 2026-11-23T09:00+00:00)"),
    ("2026-11-23T09:00", "no time zone (write 2026-11-23T09:00+00:00)"),
    ("2026-07-01T09:00:30", "no time zone (write 2026-07-01T09:00:30+01:00)"),
    ("2026-02-30T09:00Z", "no such day or time: 2026-02-30T09:00Z (check it in a calendar)"),
    ("2026-11-23T24:00Z", "no such day or time: 2026-11-23T24:00Z (write 2026-11-24T00:00Z)"),
    ("2026-11-23T23:59:60Z", "no such day or time: 2026-11-23T23:59:60Z (check it in a calendar)"),
    ("23 November 2026", "not a date (write the date as 2026-11-23T09:00+00:00)"),
    ("2026-11-23T09:00+24:00", "no such offset from UTC (write 2026-11-23T09:00+00:00)"),
    ("11/23/2026 09:00", "not a date (write the date as 2026-11-23T09:00+00:00)"),
    ("2026-07-01T09:00 EST", "not a date (write the date as 2026-11-23T09:00+00:00)"),
    ("2026-07-01T09:00 BST", "not a date (write 2026-07-01T09:00+01:00)"),
    ("2026-07-01T09:00 GMT", "not a date (write 2026-07-01T09:00+00:00)"),
    ("2026-07-01T09:00[Europe/London]", "not a date (write 2026-07-01T09:00+01:00)"),
    ("2026‑7‑1T9:00−05", "not a date (write 2026-07-01T09:00-05:00)"),
    ("“2026-07-01T09：00Z”", "not a date (write 2026-07-01T09:00+00:00)"),
    ("2026–07–01", "not a date (write 2026-07-01T09:00+01:00)"),
    (
        "2026-10-25T01:30",
        "no time zone (write 2026-10-25T01:30+01:00, or 2026-10-25T01:30+00:00: "
        "that hour comes twice, the clocks go back)",
    ),
    ("2026-03-29T01:30", "no time zone (write 2026-03-29T02:30+01:00)"),
    (
        "2026-03-29T01:30+00:00",
        "01:30 does not exist on 2026-03-29 in Europe/London: clocks go forward (write 2026-03-29T02:30+01:00)",
    ),
    (
        "2026-03-29T01:30+01:00",
        "01:30 does not exist on 2026-03-29 in Europe/London: clocks go forward (write 2026-03-29T00:30+00:00)",
    ),
    ("0001-01-01T00:00+14:00", "no such day or time: 0001-01-01T00:00+14:00 (check it in a calendar)"),
    ('""', "empty (write a value, or delete the line)"),
    ("[a]", "a list instead of a single value (write one value)"),
]


@pytest.mark.parametrize(("value", "fault"), DATES)
def test_refused_dates(tmp_path: Path, value: str, fault: str) -> None:
    """The hint says what to type, because offsets are hard to remember."""
    assert faults(tmp_path, f"title: T\ndate: {value}\n") == [f"3 date: {fault}"]


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-29T01:30Z",
        "2026-03-29T01:30+09:00",
        "2026-10-25T01:30+00:00",
        "2026-10-25T01:30+01:00",
        "2026-11-23t09:00:00.123z",
        "2026-11-23 09:00+0000",
        "2028-02-29T12:00-05:00",
        "2026-11-23T09:00+05:45",
    ],
)
def test_accepted_dates(tmp_path: Path, value: str) -> None:
    """The offset decides: an hour that London skips exists in UTC and in Tokyo; one that comes twice is unambiguous."""
    assert release(tmp_path, f"title: T\ndate: {value}\n").release.date.utcoffset() is not None


def test_offset_of_the_other_season_is_a_warning(tmp_path: Path) -> None:
    (warning,) = release(tmp_path, "title: T\ndraft: true\ndate: 2026-07-01T09:00+00:00\n").warnings
    assert warning.message == "date: Europe/London uses another offset on that day"
    assert warning.hint == "did you mean 2026-07-01T09:00+01:00?"


def reads_as(folder: Path, case: Case) -> str:
    """The faults of a case, or ``no fault``."""
    date = "" if "\ndate:" in case.markdown else "date: 2026-11-23T09:00Z\n"
    found = "\n".join(faults(folder, f"{case.markdown}\n{date}")) or "no fault"
    return found.replace(str(folder), "FOLDER")


def test_accept(tmp_path: Path) -> None:
    """``ACCEPT=1`` rewrites the file of cases; without it the file must be as it would be written."""
    found = [Case(case.title, case.markdown, reads_as(tmp_path, case)) for case in cases("front-matter")]
    if os.environ.get("ACCEPT"):
        accept("front-matter", found)
    assert found == cases("front-matter")


@pytest.mark.parametrize("case", cases("front-matter"), ids=lambda case: case.title)
def test_mistakes(tmp_path: Path, case: Case) -> None:
    """Each mistake has its line, a plain message and a hint."""
    assert reads_as(tmp_path, case) == case.outline


SIGNS = "ab '\"“”’:#-?@%&*!|>[]{},`~\\\u00a0=："


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["title: ", "title:"]), st.text(SIGNS, min_size=1, max_size=14))
def test_a_headline_is_read_as_typed_or_the_hint_mends_it(tmp_path: Path, key: str, typed: str) -> None:
    """Whatever signs a headline has: no letter of it gets lost, and the line in the hint, typed instead, is read."""
    line = key + typed
    for _ in range(4):
        front = f"{line}\ndate: 2026-11-23T09:00Z\n"
        found = faults(tmp_path, front)
        if not found:
            title = release(tmp_path, front).release.title
            assert [*filter(str.isalnum, title)] == [*filter(str.isalnum, typed)]
            return
        assert found[0].startswith("2 title: "), found
        if "(write a value" in found[0]:
            return
        line = found[0].partition("(write ")[2][:-1].partition(", or, ")[0]
    pytest.fail(f"the hint does not mend it: {found}")


LINES = [
    "title: T",
    "title: 'A's b'",
    'title: "A',
    "summary: >",
    "  One: two.",
    "contacts:",
    "- desk",
    "  - night",
    "\t- desk",
]
LINES += [
    "image:",
    "  file: a.png",
    "   alt: b",
    "corrections:",
    "  - date: 2026-11-24T09:00Z",
    "    note: x: y",
    "note: z",
    "[a",
]
LINES += [
    "words",
    "words: more",
    "  words: deep",
    "subtitle： wide",
    "? a",
    ": b",
    "{a: b}",
    "*a",
    "&a b",
    "!t",
    "%x",
    "@y",
    "`z",
]
LINES += [
    "|",
    ">",
    "-",
    "- - a",
    "<<: *a",
    "topics: [archive",
    "topics: - archive",
    "footage: {notice: N",
    "  }",
    '"',
    "",
    "# c",
]
OF_YAML = re.compile(
    r"expected|mapping value|block (seq|map|coll)|scanning|parsing|token|anchor|alias|indicator|document"
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=7))
def test_no_message_is_in_the_words_of_a_parser(tmp_path: Path, lines: list[str]) -> None:
    """Whatever is wrong, the line exists and there is a hint."""
    for fault in faults(tmp_path, "\n".join(lines) + "\n"):
        assert not OF_YAML.search(fault)
        assert fault.endswith(")")
        assert int(fault.partition(" ")[0]) <= len(lines) + 3


def test_all_faults_are_reported_at_once_by_line(tmp_path: Path) -> None:
    front = "titel: T\nembargo: maybe\ndate: tomorrow\nimage:\n  file: none.jpg\n"
    found = faults(tmp_path, front, "Words <b>bold</b>.\n\n![](gone.png)\n", "Bad--Name")
    assert [line.partition(" (")[0] for line in found] == [
        "0 the file name may have only small letters, digits and single hyphens",
        "2 titel: unknown key",
        "3 embargo: neither true nor false: maybe",
        "4 date: not a date",
        "6 image.alt: missing",
        "6 image.file: no such file: none.jpg",
        "8 raw HTML: </b>",
        "8 raw HTML: <b>",
        "10 a picture without a text alternative: gone.png",
        "10 picture: no such file: gone.png",
    ]


def test_empty_text_alternative_is_decoration_only_with_quotation_marks(tmp_path: Path) -> None:
    """``alt: ""`` is a decision, ``alt:`` is an omission."""
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.png").write_bytes(picture())
    found = faults(tmp_path, f"{FRONT}image:\n  file: a.png\n  alt:\n")
    assert found == ["6 image.alt: empty (write a value, or delete the line)"]


@pytest.mark.parametrize("slug", ["index", "con", "com1", "x" * 81, "a_b", "a--b", "-a", "Ä", "a.b"])
def test_refused_file_names(tmp_path: Path, slug: str) -> None:
    (fault,) = faults(tmp_path, slug=slug)
    assert fault.startswith("0 the ")


@pytest.mark.parametrize("slug", ["a", "9", "a-1-b", "x" * 80])
def test_accepted_file_names(tmp_path: Path, slug: str) -> None:
    assert release(tmp_path, slug=slug).release.slug == slug
