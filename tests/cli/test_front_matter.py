"""An entry is added to the front matter of a source: it reads back as it was typed, and nothing else changes."""

from __future__ import annotations

import codecs
import re
import unicodedata
from datetime import UTC, datetime
from difflib import ndiff
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipeline.cli.front_matter import add_group, add_to_list
from pipeline.model.errors import Fault, ReleaseError
from pipeline.model.release import Correction, Release, Withdrawal
from pipeline.reader import read_release
from pipeline.reader.characters import FORBIDDEN, collapse_spaces, is_invisible
from pipeline.reader.source import as_read
from tests.support.reading import FRONT, NEWSROOM

BODY = "\nThe ferry sails at *nine*.\n\n---\n\ncorrections: are no key here.\n"
DATE = "2026-12-01T10:30+00:00"
WHEN = datetime(2026, 12, 1, 10, 30, tzinfo=UTC)

WITHOUT = {
    "plain": FRONT,
    "comments": "# who\ntitle: 'A title'   # what\n\n# when\ndate: 2026-11-23T09:00+00:00\n# dateline: Cork\n\n",
    "block text at the end": f"{FRONT}summary: >-\n  Two\n  lines.\n\n  More.\n",
    "kept line ends at the end": f"{FRONT}summary: |+\n  Two\n  lines.\n\n",
    "a list at the end": f"{FRONT}topics:\n- archive\n- human-rights\n",
    "all keys indented": "  title: A title\n  date: 2026-11-23T09:00+00:00\n",
    "braces": "{title: A title, date: 2026-11-23T09:00+00:00}\n",
    "braces over lines": "{ title: A title,  # what\n  date: 2026-11-23T09:00+00:00 }\n",
    "line separator": "title: A\u2028 title 🎞\ndate: 2026-11-23T09:00+00:00\n",
}
OLD = "date: 2026-11-24T08:00+00:00"
WITH = {
    "block": f"{FRONT}corrections:\n  - {OLD}\n    note: Old.\ndateline: Cork\n",
    "not indented": f"{FRONT}corrections:\n- {OLD}\n  note: Old.\n",
    "wide": f"{FRONT}corrections:\n    -   note: Old.\n        {OLD}\n",
    "comments": f"{FRONT}corrections:   # all\n\n  # after a call\n  - {OLD}   # by hand\n    note: Old.\n# end\n",
    "several": f"{FRONT}corrections:\n  - {OLD}\n    note: >-\n      Old,\n      long.\n  - {{{OLD}, note: Older}}\n",
    "first key": f"corrections:\n  - {OLD}\n    note: 'It''s old.'\n{FRONT}",
    "quoted key": f'{FRONT}"corrections" :\n  - {OLD}\n    note: Old.\n',
    "inline": f'{FRONT}corrections: [{{{OLD}, note: "Old [1], {{2}}."}}]   # all\ndateline: Cork\n',
    "inline, several": f"{FRONT}corrections: [ {{{OLD}, note: Old}}, {{{OLD}, note: Older}} ]\n",
    "inline over lines": f"{FRONT}corrections: [\n  # newest\n  {{{OLD},\n   note: Old}},\n]\ndateline: Cork\n",
    "inline on the next line": f"{FRONT}corrections:\n  [{{{OLD}, note: Old}}]\n",
    "inline after 🎞": f"{{title: 🎞 ends, date: 2026-11-23T09:00+00:00, corrections: [{{{OLD}, note: Old}}]}}\n",
    "one group": f"{FRONT}corrections:\n  {OLD}   # by hand\n  # why\n  note: >-\n    Old,\n\n    long.\n# end\n",
    "one group inline": f"{FRONT}corrections: {{{OLD}, note: Old}}   # all\n",
}
NOTES = (
    "There are 2,900 tapes, not 3,000.",
    "Time: 9:30, not 8:30",
    "#1 in the list # is not a comment",
    "It's the \"second\" ferry, not 'the first'",
    '"Quoted" first',
    "- a hyphen first",
    "? why: because",
    "C:\\new\\table, \\u0041 and \\",
    "{a: b}, [c], *d, &e, !f, |g, >h, %i, @j, `k`",
    "yes",
    "null",
    "12",
    "~",
    "---",
    "페리는 9시가 아니라 10시에 떠납니다.",
    "العبارة تغادر الساعة التاسعة.",
    "La traversée coûte 9\u00a0€\u202f!",
    "🎞 e\u0301 ﬁ",
    "x" * 3000,
)
EVERY_FRONT = [pytest.param(front, id=name) for name, front in [*WITHOUT.items(), *WITH.items()]]
ENDINGS = {"unix": "\n", "windows": "\r\n", "old mac": "\r"}


def read(folder: Path, data: bytes) -> Release:
    file = folder / "x.md"
    file.write_bytes(data)
    return read_release(file, NEWSROOM).release


def source(front: str, end: str = "\n", mark: bytes = b"") -> bytes:
    return mark + f"---\n{front}---\n{BODY}".replace("\n", end).encode()


def corrected(data: bytes, note: str) -> bytes:
    changed = add_to_list(data, "corrections", {"date": DATE, "note": note})
    assert changed is not None
    return changed


def touched(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """Return the lines that are gone, and those that are new; line ends count."""
    split = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)")
    lines = list(ndiff(split.findall(before.decode()), split.findall(after.decode())))
    return [line[2:] for line in lines if line[0] == "-"], [line[2:] for line in lines if line[0] == "+"]


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8], ids=["", "with a byte-order mark"])
@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize("front", EVERY_FRONT)
def test_correction_comes_first_and_all_else_is_read_as_before(
    tmp_path: Path, front: str, end: str, mark: bytes
) -> None:
    data = source(front, end, mark)
    before, after = read(tmp_path, data), read(tmp_path, corrected(data, NOTES[1]))
    assert after.corrections == (Correction(WHEN, NOTES[1]), *before.corrections)
    assert msgspec.structs.replace(after, corrections=before.corrections) == before


@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
@pytest.mark.parametrize(
    ("front", "gone", "new"),
    [
        *((front, 0, 3) for name, front in WITHOUT.items() if "braces" not in name),
        *((front, 0, 2) for name, front in WITH.items() if "inline" not in name and "one group" not in name),
        (WITHOUT["braces over lines"], 1, 1),
        (WITH["inline"], 1, 1),
        (WITH["inline, several"], 1, 1),
        (WITH["inline over lines"], 0, 1),
        (WITH["one group inline"], 1, 1),
    ],
)
def test_no_other_line_is_touched(front: str, gone: int, new: int, end: str) -> None:
    data = source(front, end)
    lines = touched(data, corrected(data, NOTES[0]))
    assert (len(lines[0]), len(lines[1])) == (gone, new)
    assert all(line.endswith(end) for line in lines[1])


@pytest.mark.parametrize(
    ("front", "written"),
    [
        (FRONT, f'corrections:\n  - date: {DATE}\n    note: "Now."\n---'),
        (WITH["block"], f'corrections:\n  - date: {DATE}\n    note: "Now."\n  - {OLD}\n    note: Old.\n'),
        (WITH["not indented"], f'corrections:\n- date: {DATE}\n  note: "Now."\n- {OLD}\n'),
        (
            WITH["comments"],
            f'   # all\n  - date: {DATE}\n    note: "Now."\n\n  # after a call\n  - {OLD}   # by hand\n',
        ),
        (
            WITH["inline"],
            f'corrections: [{{date: {DATE}, note: "Now."}}, {{{OLD}, note: "Old [1], {{2}}."}}]   # all\n',
        ),
        (
            WITH["inline over lines"],
            f'[\n  # newest\n  {{date: {DATE}, note: "Now."}},\n  {{{OLD},\n   note: Old}},\n]\n',
        ),
        (
            WITH["one group"],
            f'corrections:\n  - date: {DATE}\n    note: "Now."\n  - {OLD}   # by hand\n    # why\n    note: >-\n'
            "      Old,\n\n      long.\n# end\n",
        ),
    ],
)
def test_entry_is_written_as_its_neighbours_are(front: str, written: str) -> None:
    assert written in corrected(source(front), "Now.").decode()


@pytest.mark.parametrize("front", [WITHOUT["plain"], WITH["block"], WITH["inline"]], ids=["none", "block", "inline"])
@pytest.mark.parametrize("note", NOTES)
def test_note_reads_back_as_it_was_typed(tmp_path: Path, front: str, note: str) -> None:
    (found, *_) = read(tmp_path, corrected(source(front), note)).corrections
    assert unicodedata.normalize("NFC", found.note) == unicodedata.normalize("NFC", note)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from([*WITHOUT.values(), *WITH.values()]),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=80),
    st.sampled_from(list(ENDINGS.values())),
)
@example(FRONT, "\ue000\ufffd\u200b", "\n")
def test_any_note_reads_back_and_nothing_else_changes(tmp_path: Path, front: str, typed: str, end: str) -> None:
    note = as_read(collapse_spaces(re.sub(f"{FORBIDDEN.pattern}|[\u200b\u2060]", "", typed)).encode()).decode()
    if is_invisible(note):
        return
    data = source(front, end)
    before = read(tmp_path, data)
    refused: tuple[Fault, ...] = ()
    try:
        after = read(tmp_path, corrected(data, note))
    except ReleaseError as error:  # characters that no text may have, wherever it stands
        after, refused = before, error.faults
    assert all(fault.message.startswith(("corrections.note: ", "text that was decoded wrongly")) for fault in refused)
    if not refused:
        assert unicodedata.normalize("NFC", after.corrections[0].note) == unicodedata.normalize("NFC", note)
        assert msgspec.structs.replace(after, corrections=before.corrections) == before


@pytest.mark.parametrize("front", EVERY_FRONT)
@pytest.mark.parametrize("reason", NOTES[1:9])
def test_withdrawal_is_a_group_of_its_own(tmp_path: Path, front: str, reason: str) -> None:
    data = source(front)
    changed = add_group(data, "withdrawn", {"date": DATE, "reason": reason})
    assert changed is not None
    before, after = read(tmp_path, data), read(tmp_path, changed)
    assert after.withdrawn == Withdrawal(WHEN, reason)
    assert (after.corrections, after.body, after.title) == (before.corrections, before.body, before.title)


@pytest.mark.parametrize(
    "front",
    [
        f"? corrections\n: - {OLD}\n    note: Old\n{FRONT}",
        f"{FRONT}...\n",
        f"{FRONT}corrections: []\n",
        f"{FRONT}corrections:\n",
        "- title\n",
        "title: [\n",
    ],
)
def test_unusual_forms_are_left_alone(front: str) -> None:
    assert add_to_list(source(front), "corrections", {"date": DATE, "note": "Now."}) is None


def test_withdrawal_is_never_written_twice() -> None:
    entry = {"date": DATE, "reason": "Wrong."}
    once = add_group(source(FRONT), "withdrawn", entry)
    assert once is not None
    assert add_group(once, "withdrawn", entry) is None
