"""Captions: a WebVTT file as the W3C defines its syntax (https://www.w3.org/TR/webvtt1/, section 4).

webvtt-py reads such files, but leaves out what it cannot read without a word, and knows no lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.reader.report import Report
from pipeline.reader.source import as_read, read_text

LIMIT = 2_000_000
"""Bytes."""
SECOND = 1.0
"""Seconds by which captions, and stated durations, may be off."""
_SHOWN = 20
"""Faults of one file that are reported one by one."""
_HEAD = re.compile(r"WEBVTT(?:[ \t].*)?")
_TIME = r"(?:([0-9]{2,4}):)?([0-5][0-9]):([0-5][0-9])\.([0-9]{3})"
_CUE = re.compile(rf"{_TIME}[ \t]+-->[ \t]+{_TIME}(?:[ \t]+(.*))?")
_LOOSE_TIME = r"(?:(\d{1,3})\s*:\s*)?(\d{1,2})\s*:\s*(\d{1,2})(?:\s*[.,:;]\s*(\d{1,3}))?"
_LOOSE_CUE = re.compile(rf"\s*{_LOOSE_TIME}\s*(?:[-–—]+>|→)\s*{_LOOSE_TIME}(.*)")
_COMMAS = re.compile(r"\d,\d{3}\s*-->")
_SETTING = re.compile(r"(vertical|line|position|size|align|region):\S+")
_TAG = re.compile(r"<(?:/?(?:c|i|b|u|ruby|rt|v|lang)(?:[. \t][^>]*)?|[0-9:.]+)?>")
_OTHER_BLOCK = re.compile(r"(?:NOTE|STYLE|REGION)(?:[ \t:]|$)|(?i:webvtt)")
_TIMES = "write times as 00:00:14.000 --> 00:00:17.500"


def read_captions(file: Path, report: Report, duration: float = 0) -> bytes:
    """Return the WebVTT file ``file`` without byte order mark and with plain newlines; nothing after reporting faults.

    ``duration`` is that of the film in seconds, if it is known. Faults name the lines of ``file``.
    """
    own = Report(str(file))
    text = read_text(file, LIMIT, own)
    if text is not None and not own.count:
        _check(text, duration, own)
    report.include(own)
    return b"" if own.count else as_read(file.read_bytes())


def _check(text: str, duration: float, report: Report) -> None:
    lines = text.split("\n")
    is_begun = bool(_HEAD.fullmatch(lines[0]))
    if not is_begun and _COMMAS.search(text) and not any(map(_HEAD.fullmatch, lines)):
        hint = "begin it with a line WEBVTT and an empty line, and write full stops instead of commas in the times"
        report.fault(1, "SubRip (SRT), not WebVTT", f"{hint}: 00:00:14.000")
        return
    if not is_begun:
        hint = "write WEBVTT as the first line, and an empty line below it"
        report.fault(1, "does not begin with WEBVTT", hint)
    cues = _Cues(duration, report)
    for start, block in _blocks(lines):
        if report.count >= _SHOWN:
            report.fault(start, "more faults may be in this line and below", "correct those above first")
            return
        if start > 1 or not is_begun:
            cues.block(start, block)
        elif any("-->" in line for line in block):
            report.fault(2, "no empty line below WEBVTT", "write one")
            cues.block(2, block[1:])
    if not cues.count:
        report.fault(1, "no captions in it", f"{_TIMES}, and the words in the line below")


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Yield what stands between empty lines, with the number of its first line."""
    block: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if line:
            block.append(line)
        elif block:
            yield number - len(block), block
            block = []


class _Cues:
    """Checks the blocks of a file one after the other."""

    def __init__(self, duration: float, report: Report) -> None:
        self.duration = duration
        self.report = report
        self.count = 0
        self.latest = 0.0
        self.latest_line = 0

    def block(self, start: int, lines: list[str]) -> None:
        timing = next((at for at, line in enumerate(lines) if "-->" in line or _LOOSE_CUE.match(line)), None)
        if timing is None:
            if not _OTHER_BLOCK.match(lines[0]):
                hint = "if it belongs to the caption above, delete the empty line before it"
                self.report.fault(start, "words without a time, which players leave out", hint)
            return
        self.count += 1
        if timing > 1:
            hint = "write an empty line above the time"
            self.report.fault(start, "words before the time, which players leave out", hint)
        self.times(start + timing, lines[timing])
        for number, line in enumerate(lines[timing + 1 :], start + timing + 1):
            if "-->" in line:
                self.report.fault(number, "no empty line above this caption", "write one")
                self.times(number, line)
            elif odd := next((each for each in re.findall(r"<[^<>]*>?", line) if not _TAG.fullmatch(each)), ""):
                hint = "delete it; to print the sign itself, write &lt;"
                self.report.fault(number, f"no mark of WebVTT: {odd[:40]}", hint)

    def times(self, number: int, line: str) -> None:
        match = _CUE.fullmatch(line)
        if match is None:
            self.report.fault(number, f"not a time of WebVTT: {line.strip()[:60]}", _meant(line))
            return
        begin, end = (_seconds(*match.groups()[at : at + 4]) for at in (0, 4))
        if end <= begin:
            self.report.fault(number, "the caption ends before it begins", "correct one of the two times")
        if begin < self.latest:
            hint = f"put the captions in the order of their times, or correct the time; compare line {self.latest_line}"
            self.report.fault(number, "begins before the caption above", hint)
        self.latest, self.latest_line = begin, number
        if self.duration and end > self.duration + SECOND:
            what = f"past the end of the film, which has {in_time(self.duration)}"
            self.report.fault(number, what, "compare it with the film")
        for setting in (match[9] or "").split():
            if not _SETTING.fullmatch(setting):
                self.report.fault(number, f"no setting of WebVTT: {setting[:40]}", "delete it")


def _meant(line: str) -> str:
    """Return a hint with the times as WebVTT has them, if they can be known."""
    loose = _LOOSE_CUE.fullmatch(line)
    begin, end = (_written(*loose.groups()[at : at + 4]) for at in (0, 4)) if loose else ("", "")
    return f"write {begin} --> {end}{loose[9].rstrip()}" if loose and begin and end else _TIMES


def _seconds(hours: str | None, minutes: str, seconds: str, thousandths: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(thousandths) / 1000


def _written(hours: str | None, minutes: str, seconds: str, fraction: str | None) -> str:
    """Return a time as WebVTT has it; empty for one that no clock shows."""
    if int(minutes) > 59 or int(seconds) > 59:
        return ""
    return f"{int(hours or 0):02}:{int(minutes):02}:{int(seconds):02}.{(fraction or '').ljust(3, '0')}"


def in_time(seconds: float) -> str:
    """Return ``HH:MM:SS``, rounded."""
    whole = round(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"
