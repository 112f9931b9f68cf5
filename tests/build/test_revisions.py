"""Revisions of a release: which words count, what may take the place of what is public, what is kept of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from pipeline.build import revisions as history
from pipeline.model.document import Block, Emphasis, Figure, FootnoteReference, Footnotes, Link, Paragraph, Text
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.manifest import Row, digest
from pipeline.model.release import Contact, Correction, Release, Withdrawal
from pipeline.model.revision import RevisionRecord, digest_of_words, number
from pipeline.publish.revisions import plan_revision, superseded_page
from pipeline.publish.word_diff import differences
from pipeline.typography.messages import Messages
from tests.support import sample
from tests.support.rows import row as row_of

FIRST, SECOND, THIRD = (datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3))
RELEASED = datetime(2026, 1, 5, tzinfo=UTC)
SECONDS = timedelta(seconds=40)
TODAY = date(2026, 11, 24)
WORDS = Messages("en-GB", "Europe/London")


def release(number: int = 40, *corrections: Correction, **changes: Any) -> Release:
    facts: dict[str, Any] = {"slug": "tapes", "date": RELEASED, "corrections": corrections}
    body = (sample.para(f"There are {number} tapes."),)
    return sample.release(**{**facts, "body": body, "notes": (), "image": None, "pictures": (), **changes})


def noted(*dates: datetime) -> tuple[Correction, ...]:
    return tuple(Correction(when, f"Correction {when.day}.") for when in sorted(dates, reverse=True))


def public(found: Release, **changes: Any) -> Row:
    """Return the row of a release that was published as ``found``."""
    facts: dict[str, Any] = {
        "modified": found.modified,
        "revision": found.revision,
        "words": digest_of_words(found),
        "withdrawn": found.withdrawn is not None,
        "source": "then",
        "record": "r" * 64,
    }
    return msgspec.structs.replace(row_of("tapes"), **{**facts, **changes})


GONE = Withdrawal(SECOND, "Wrong.")

# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Another"},
        {"subtitle": "Another"},
        {"summary": "Another"},
        {"dateline": "Bath"},
        {"body": (sample.para("There are 41 tapes."),)},
        {"notes": (sample.para("There are 41 tapes."),)},
        {"image": Figure("tape.png", "A tape")},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_words_are_those_from_title_to_notes_with_what_pictures_say(changes: dict[str, Any]) -> None:
    assert digest_of_words(release(**changes)) != digest_of_words(release())


def test_the_digest_of_words_that_were_published_long_ago_is_the_same() -> None:
    """A key that is new to Dateline must not make every old release look changed."""
    assert digest_of_words(release()) == "52121f53fb9a2da997f537603d562a81f072f978a0dfd6387f092cf3891d4cc9"
    assert digest_of_words(release(facts={"ai": "A model translated it."})) != digest_of_words(release())


@pytest.mark.parametrize("changes", [{"alt": "B"}, {"caption": (Text("B"),)}, {"credit": "B"}])
def test_what_a_picture_says_are_words_too(changes: dict[str, Any]) -> None:
    figure = Figure("tape.png", "A", (Text("A"),), "A")
    other = msgspec.structs.replace(figure, **changes)
    assert digest_of_words(release(body=(figure,))) != digest_of_words(release(body=(other,)))
    renamed = msgspec.structs.replace(figure, file="cassette.png")
    assert digest_of_words(release(body=(figure,))) == digest_of_words(release(body=(renamed,)))


@pytest.mark.parametrize(
    "changes",
    [
        {"contacts": (Contact("x", "Somebody else"),)},
        {"footage": ()},
        {"topics": ("news",)},
        {"body": (sample.para("There  are 40\ntapes."),)},
        {
            "body": (
                msgspec.structs.replace(
                    sample.para(""),
                    children=(Text("There are "), Emphasis((Text("40"),)), Link("https://x.org", (Text(" tapes."),))),
                ),
            )
        },
    ],
    ids=["contacts", "footage", "topics", "blanks", "mark-up"],
)
def test_what_is_none_of_them_is_no_change_of_words(changes: dict[str, Any]) -> None:
    assert digest_of_words(release(**changes)) == digest_of_words(release())


def with_footnote(text: str, number: int = 1) -> tuple[Block, ...]:
    return Paragraph(sample.line("Ten.", FootnoteReference(number))), Footnotes(
        ((sample.para(text),), (sample.para("B"),))
    )


def test_what_a_footnote_says_are_words_but_its_number_is_not() -> None:
    one, other = release(body=with_footnote("A")), release(body=with_footnote("C"))
    assert digest_of_words(one) != digest_of_words(other)
    assert digest_of_words(one) == digest_of_words(release(body=with_footnote("A", 2)))


def test_high_figures_are_other_words_than_figures_on_the_line() -> None:
    one, other = (release(body=(Paragraph(sample.line("10", six)),)) for six in (sample.high("6"), Text("6")))
    assert digest_of_words(one) != digest_of_words(other)


def test_what_a_correction_says_is_among_the_words() -> None:
    assert digest_of_words(release(corrections=noted(FIRST))) != digest_of_words(release())


# ── What may take the place of what is public ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after", "change", "told"),
    [
        (release(), release(), "", ""),
        (release(), release(topics=()), "", ""),
        (release(), release(41), "minor", "words were changed"),
        (release(), release(41, *noted(FIRST)), "corrected", ""),
        (release(40, *noted(FIRST)), release(41, *noted(FIRST)), "minor", "words were changed"),
        (release(40, *noted(FIRST)), release(41, *noted(FIRST, SECOND)), "corrected", ""),
        (release(40, *noted(FIRST)), release(41, *noted(FIRST, FIRST)), "corrected", ""),
        (release(40, *noted(SECOND)), release(41, *noted(FIRST, SECOND)), "corrected", "dated before"),
        (release(), release(41, *noted(RELEASED)), "corrected", ""),
        (release(date=RELEASED + SECONDS), release(41, *noted(RELEASED), date=RELEASED + SECONDS), "corrected", ""),
        (release(40, *noted(FIRST + SECONDS)), release(41, *noted(FIRST + SECONDS, FIRST)), "corrected", ""),
        (release(40, *noted(SECOND)), release(40), "minor", "1 correction is public, but none of them here"),
        (release(40, *noted(SECOND)), release(40, *noted(FIRST)), "minor", "the newest entry is dated before"),
        (release(), release(withdrawn=GONE), "withdrawn", ""),
        (release(40, *noted(SECOND)), release(40, *noted(SECOND), withdrawn=GONE), "withdrawn", ""),
        (release(40, *noted(THIRD)), release(40, *noted(THIRD), withdrawn=GONE), "withdrawn", "dated before"),
        (release(withdrawn=GONE), release(withdrawn=Withdrawal(SECOND, "Quite wrong.")), "", ""),
        (release(withdrawn=GONE), release(), "returned", "it was withdrawn publicly on 2026-03-02"),
        (release(withdrawn=GONE), release(40, *noted(FIRST)), "returned", "dated before"),
        (release(withdrawn=GONE), release(40, *noted(THIRD)), "returned", ""),
    ],
)
def test_what_may_take_the_place_of_what_is_public(before: Release, after: Release, change: str, told: str) -> None:
    row = public(before)
    assert history.change(row, after, "now") == change
    found = history.refusal(row, after, "now", minor=False)
    assert (found.message if found else "").startswith(told)
    assert bool(found) is bool(told)
    lenient = history.refusal(row, after, "now", minor=True)
    changed = "words were changed"
    assert bool(lenient) is (bool(told) and told != changed), "a minor change is a change of words, and nothing else"


def test_rows_of_a_version_that_noted_no_words_are_taken_as_they_are() -> None:
    row = public(release(), words="")
    assert history.refusal(row, release(41), "now", minor=False) is None
    assert history.change(row, release(41, *noted(FIRST)), "now") == "corrected"
    withdrawn = public(release(withdrawn=GONE), words="", revision=1)
    found = history.refusal(withdrawn, release(), "now", minor=False)
    assert found
    assert found.message.startswith("it was withdrawn publicly")


def test_the_same_source_is_no_change_whatever_another_version_takes_for_its_words() -> None:
    row = public(release(), words="f" * 64, source="now")
    assert history.change(row, release(), "now") == ""


# ── What is kept ────────────────────────────────────────────────────────────────────────────────────────────────────

PAGE = b'<title>T</title><a href="tapes.pdf">P</a><article>\n<header>\n<a href="../index.html">I</a>'


def storage(found: Row, under: str = "releases/tapes") -> dict[str, bytes]:
    """Return key → bytes of a public release: a page, a PDF, a picture and the record of these."""
    files = {"releases/tapes.pdf": b"pdf", "releases/tapes.html": PAGE, "releases/tapes/a.png": b"png"}
    record = {
        "altIds": [{"role": f"sha256:{key}", "value": digest(data)} for key, data in files.items()],
        "renditions": [{"href": f"https://x.org/p/{key}", "sizeInBytes": len(data)} for key, data in files.items()],
    }
    return {**files, "releases/tapes.json": msgspec.json.encode(record)}


def derived(there: dict[str, bytes], row: Row, after: Release) -> tuple[history.PlannedRevision, bytes]:
    def fetch(key: str, sha256: str) -> bytes | None:
        data = there.get(key)
        return data if data is not None and sha256 in ("", digest(data)) else None

    return plan_revision(row, after, "now", WORDS, fetch, TODAY)


def test_of_what_is_corrected_every_file_is_kept_with_its_digest() -> None:
    there = storage(public(release()))
    row = public(release(), record=digest(there["releases/tapes.json"]), pages=2)
    pending, page = derived(there, row, release(41, *noted(FIRST)))
    (state,) = pending.past
    assert (state.revision, state.note, state.minor, state.record) == (1, "", "", row.record)
    assert {(file.format, file.key, file.sha256, file.pages) for file in state.files} == {
        ("pdf", "releases/tapes/r1/tapes.pdf", digest(b"pdf"), 2),
        ("html", "releases/tapes/r1/tapes.html", digest(page), 0),
        ("picture", "releases/tapes/r1/a.png", digest(b"png"), 0),
        ("json", "releases/tapes/r1/tapes.json", row.record, 0),
    }


def test_a_run_that_was_killed_when_all_was_overwritten_is_gone_on_with_from_what_was_kept() -> None:
    there = storage(public(release()))
    row = public(release(), record=digest(there["releases/tapes.json"]))
    whole = derived(there, row, release(41, *noted(FIRST)))
    kept = {
        "releases/tapes/r1/tapes.json": there["releases/tapes.json"],
        "releases/tapes/r1/tapes.html": whole[1],
        "releases/tapes.json": b"the next one's",
        "releases/tapes.html": b"the next one's",
    }
    assert derived(kept, row, release(41, *noted(FIRST))) == whole


def test_a_withdrawal_dooms_every_file_but_page_and_record_and_forgets_what_was_said() -> None:
    there = storage(public(release()))
    kept = Rendition("pdf", "releases/tapes/r1/tapes.pdf", 3, digest(b"old"))
    past = (RevisionRecord(1, FIRST, "0" * 64, "It said too much.", files=(kept,)),)
    corrected = release(41, *noted(FIRST))
    row = public(corrected, record=digest(there["releases/tapes.json"]), past=past)
    pending, page = derived(there, row, release(41, *noted(FIRST), withdrawn=GONE))
    assert page == b""
    assert set(pending.pending_deletes) == {
        *(form.key("tapes") for form in FORMATS if form.name not in ("html", "json")),
        "releases/tapes/a.png",
        kept.key,
    }
    assert [(state.revision, state.note, state.files) for state in pending.past] == [(1, "", ()), (2, "", ())]


def test_of_a_minor_change_the_day_is_noted_and_no_file_kept() -> None:
    (state,) = derived({}, public(release()), release(41))[0].past
    assert (state.minor, state.files, state.revision) == ("2026-11-24", (), 1)


def test_the_revision_rises_with_every_correction_withdrawal_and_return() -> None:
    past: tuple[RevisionRecord, ...] = ()
    row = public(release())
    numbers = [row.revision]
    for after in (
        release(41, *noted(FIRST)),
        release(41, *noted(FIRST), withdrawn=GONE),
        release(41, *noted(FIRST, THIRD)),
    ):
        past = derived({}, row, after)[0].past
        row = public(after, revision=number(after, past), past=past)
        assert row.corrections == len(after.corrections)
        numbers.append(row.revision)
    assert numbers == [1, 2, 3, 4]


def test_what_was_derived_from_another_state_is_not_believed() -> None:
    row = public(release())
    pending = history.PlannedRevision(row.record, "now", (RevisionRecord(1, FIRST, "0" * 64),))
    assert history.of_release(row, "now", pending) == pending.past
    assert history.of_release(row, "another source", pending) == ()
    assert history.of_release(public(release(), record="e" * 64), "now", pending) == ()
    assert history.of_release(None, "now", pending) == ()


# ── The page that is kept ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="tapes.pdf">', '<a href="tapes.pdf">'),
        ('<a href="tapes.html#x">', '<a href="../../tapes.html#x">'),
        ('<a href="other.html">', '<a href="../../other.html">'),
        ('<link rel="stylesheet" href="../assets/p.css">', '<link rel="stylesheet" href="../../../assets/p.css">'),
        ('<a href="tapes/a.png" download="a.png">', '<a href="a.png" download="a.png">'),
        ('<a href="tapes/r1/tapes.pdf">', '<a href="../r1/tapes.pdf">'),
        ('<img src="tapes/a.png">', '<img src="a.png">'),
        ('<img srcset="tapes/a.4.png 4w, tapes/a.png 9w">', '<img srcset="a.4.png 4w, a.png 9w">'),
        ('<a href="#notes">', '<a href="#notes">'),
        ('<a href="https://example.org/tapes.pdf">', '<a href="https://example.org/tapes.pdf">'),
        ('<a href="mailto:a@example.org">', '<a href="mailto:a@example.org">'),
        ('<a href="tapes-two.pdf">', '<a href="../../tapes-two.pdf">'),
    ],
)  # fmt: skip
def test_links_of_a_kept_page_lead_where_they_led(before: str, after: str) -> None:
    assert superseded_page(before.encode(), "tapes", "", "").decode() == after


def test_a_kept_page_says_so_in_words_that_are_no_mark_up() -> None:
    facts = b'<script type="application/ld+json">{"sha256": 1}</script>\n'
    page = superseded_page(PAGE.replace(b"<a", facts + b"<a", 1), "tapes", "Version 1 <of> 2.", "Newest").decode()
    assert "sha256" not in page, "machines are told nothing of files whose place others have taken"
    assert "<p>Version 1 &lt;of&gt; 2.</p>" in page
    assert page.index("<header>") < page.index("Version 1")
    assert page.startswith('<meta name="robots" content="noindex">\n<title>')


# ── Words that differ ───────────────────────────────────────────────────────────────────────────────────────────────


def told(before: str, after: str) -> list[str]:
    marks = {"same": "{}", "gone": "[-{}-]", "new": "{{+{}+}}"}
    return [" ".join(marks[piece.kind].format(piece.words) for piece in found) for found in differences(before, after)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Same.\n\nWords.", "Same.\n\nWords.", []),
        ("Lines\nbroken here.", "Lines broken\nhere.", []),
        ("There are 40 tapes.", "There are 42 tapes.", ["There are [-40-] {+42+} tapes."]),
        ("One.", "One.\n\nTwo.", ["{+Two.+}"]),
        ("One.\n\nTwo.", "Two.", ["[-One.-]"]),
        (
            "First it was so.\n\nA b c d.",
            "First it was not so.\n\nNew.\n\nA b c e.",
            ["First it was {+not+} so.", "{+New.+}", "A b c [-d.-] {+e.+}"],
        ),
        (
            "1 2 3 4 5 6 7 8 9 x 1 2 3 4 5 6 7 8 9",
            "1 2 3 4 5 6 7 8 9 y 1 2 3 4 5 6 7 8 9",
            ["… 4 5 6 7 8 9 [-x-] {+y+} 1 2 3 4 5 6 …"],
        ),
        ("", "All new.", ["{+All new.+}"]),
    ],
)
def test_differences_are_told_word_by_word_and_paragraph_by_paragraph(
    before: str, after: str, expected: list[str]
) -> None:
    assert told(before, after) == expected
