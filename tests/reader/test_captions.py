"""Captions are WebVTT as browsers play it, and each slip is named with its line and the line to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.reader.captions import read_captions
from pipeline.reader.report import Report

CUE = "00:00:01.000 --> 00:00:02.000\nThe ferry leaves."


def read(folder: Path, text: str | bytes, duration: float = 0) -> tuple[bytes, list[str]]:
    file = folder / "captions.vtt"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    report = Report("x.md")
    data = read_captions(file, report, duration)
    if not report.count:
        return data, []
    faults = report.error().faults
    assert {fault.source for fault in faults} == {str(file)}
    return data, [f"{fault.line} {fault.message} ({fault.hint})" for fault in faults]


ACCEPTED = {
    "a title in the first line": f"WEBVTT - Ferries\n\n{CUE}\n",
    "no newline at the end": f"WEBVTT\n\n{CUE}",
    "times without hours": "WEBVTT\n\n00:01.000 --> 00:02.000\nThe ferry leaves.\n",
    "more than a hundred hours": "WEBVTT\n\n100:00:01.000 --> 100:00:02.000\nThe ferry leaves.\n",
    "names, settings and several lines": (
        "WEBVTT\n\nfirst\n00:00:01.000 --> 00:00:02.000 align:start line:90% position:10%\nThe ferry\nleaves.\n"
    ),
    "notes, styles and regions": (
        f"WEBVTT\n\nNOTE\nwho typed it\n\nSTYLE\n::cue {{ color: white }}\n\nREGION\nid:a\nwidth:40%\n\n{CUE}\n"
    ),
    "speakers and marks": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ada Desk><i>The</i> <c.loud>ferry</c> 5 &lt; 6 & 7\n"
    ),
    "two at a time": f"WEBVTT\n\n{CUE}\n\n00:00:01.000 --> 00:00:03.000\nAgain.\n",
    "several empty lines": f"WEBVTT\n\n\n\n{CUE}\n\n\n",
    "other scripts": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n배가 떠난다.\n\n00:00:02.000 --> 00:00:03.000\nتغادر العبارة.\n"
    ),
}


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_captions_are_published_as_they_were_typed(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == (text.encode(), [])


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_and_a_byte_order_mark_make_no_difference(tmp_path: Path, end: str) -> None:
    plain = f"WEBVTT\n\n{CUE}\n"
    assert read(tmp_path, b"\xef\xbb\xbf" + plain.replace("\n", end).encode()) == (plain.encode(), [])


TIMES = "write times as 00:00:14.000 --> 00:00:17.500"
REFUSED = {
    "SubRip": (
        "1\n00:00:01,000 --> 00:00:02,000\nThe ferry leaves.\n\n2\n00:00:03,000 --> 00:00:02,000\nIt is gone.\n",
        ["1 SubRip (SRT), not WebVTT (begin it with a line WEBVTT and an empty line, and write full stops instead of "
         "commas in the times: 00:00:14.000)"],
    ),
    "SubRip below WEBVTT": (
        "WEBVTT\n\n1\n00:00:01,000 --> 00:00:02,500\nThe ferry leaves.\n",
        ["4 not a time of WebVTT: 00:00:01,000 --> 00:00:02,500 (write 00:00:01.000 --> 00:00:02.500)"],
    ),
    "no first line": (
        f"{CUE}\n", ["1 does not begin with WEBVTT (write WEBVTT as the first line, and an empty line below it)"]
    ),
    "small letters": (
        f"webvtt\n\n{CUE}\n",
        ["1 does not begin with WEBVTT (write WEBVTT as the first line, and an empty line below it)"],
    ),
    "a line above": (
        f"\nWEBVTT\n\n{CUE}\n",
        ["1 does not begin with WEBVTT (write WEBVTT as the first line, and an empty line below it)"],
    ),
    "no empty line below the first": (f"WEBVTT\n{CUE}\n", ["2 no empty line below WEBVTT (write one)"]),
    "no captions": ("WEBVTT\n", [f"1 no captions in it ({TIMES}, and the words in the line below)"]),
    "an empty file": (
        "", ["1 does not begin with WEBVTT (write WEBVTT as the first line, and an empty line below it)",
             f"1 no captions in it ({TIMES}, and the words in the line below)"],
    ),
    "ends before it begins": (
        "WEBVTT\n\n00:00:05.000 --> 00:00:02.000\nA.\n\n00:00:06.000 --> 00:00:06.000\nB.\n",
        ["3 the caption ends before it begins (correct one of the two times)",
         "6 the caption ends before it begins (correct one of the two times)"],
    ),
    "out of order": (
        f"WEBVTT\n\n00:00:05.000 --> 00:00:06.000\nA.\n\n{CUE}\n",
        ["6 begins before the caption above (put the captions in the order of their times, or correct the time; "
         "compare line 3)"],
    ),
    "no such time": (
        "WEBVTT\n\n00:00:75.000 --> 00:01:20.000\nA.\n",
        [f"3 not a time of WebVTT: 00:00:75.000 --> 00:01:20.000 ({TIMES})"],
    ),
    "a year of hours": (
        f"WEBVTT\n\n{'9' * 5000}:00:00.000 --> {'9' * 5000}:00:01.000\nA.\n",
        [f"3 not a time of WebVTT: {'9' * 60} ({TIMES})"],
    ),
    "another arrow": (
        "WEBVTT\n\n00:00:01.000 -> 00:00:02.000\nA.\n\n0:00:03.5 → 0:00:04\nB.\n",
        ["3 not a time of WebVTT: 00:00:01.000 -> 00:00:02.000 (write 00:00:01.000 --> 00:00:02.000)",
         "6 not a time of WebVTT: 0:00:03.5 → 0:00:04 (write 00:00:03.500 --> 00:00:04.000)"],
    ),
    "no blanks beside the arrow": (
        "WEBVTT\n\n00:00:01.000-->00:00:02.000\nA.\n",
        ["3 not a time of WebVTT: 00:00:01.000-->00:00:02.000 (write 00:00:01.000 --> 00:00:02.000)"],
    ),
    "words after an empty line": (
        f"WEBVTT\n\n{CUE}\n\nIt is gone.\n",
        ["6 words without a time, which players leave out (if it belongs to the caption above, delete the empty line "
         "before it)"],
    ),
    "no empty line between two": (
        f"WEBVTT\n\n{CUE}\n00:00:03.000 --> 00:00:02.000\nIt is gone.\n",
        ["5 no empty line above this caption (write one)",
         "5 the caption ends before it begins (correct one of the two times)"],
    ),
    "words above the time": (
        "WEBVTT\n\n1\nThe ferry\n00:00:01.000 --> 00:00:02.000\nleaves.\n",
        ["3 words before the time, which players leave out (write an empty line above the time)"],
    ),
    "marks of SubRip": (
        'WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<font color="red">The ferry</font> <3\n',
        ['4 no mark of WebVTT: <font color="red"> (delete it; to print the sign itself, write &lt;)'],
    ),
    "another setting": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 aling:start\nA.\n", ["3 no setting of WebVTT: aling:start (delete it)"]
    ),
    "UTF-16": ("WEBVTT\n".encode("utf-16"), ["1 the file is UTF-16, not UTF-8 (save the file as UTF-8)"]),
    "Windows-1252": (
        "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nFähre\n".encode("cp1252"),
        ["4 not UTF-8 (save the file as UTF-8; in Windows-1252 the sign here is ä)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "faults"), REFUSED.values(), ids=REFUSED.keys())
def test_captions_that_browsers_would_not_play_as_meant_are_refused(
    tmp_path: Path, text: str | bytes, faults: list[str]
) -> None:
    assert read(tmp_path, text) == (b"", faults)


@pytest.mark.parametrize(("end", "refused"), [("00:00:09.000", False), ("00:00:10.900", False), ("00:00:11.500", True)])
def test_captions_end_with_the_film(tmp_path: Path, end: str, refused: bool) -> None:
    faults = read(tmp_path, f"WEBVTT\n\n00:00:01.000 --> {end}\nThe ferry leaves.\n", 10)[1]
    expected = ["3 past the end of the film, which has 00:00:10 (compare it with the film)"]
    assert faults == (expected if refused else [])


def test_of_very_many_faults_the_first_are_shown(tmp_path: Path) -> None:
    faults = read(tmp_path, "WEBVTT\n\n" + "00:00:05.000 --> 00:00:02.000\nA.\n\n" * 500)[1]
    assert len(faults) == 21
    assert faults[-1].endswith("more faults may be in this line and below (correct those above first)")
