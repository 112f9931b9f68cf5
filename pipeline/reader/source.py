"""The bytes of a file → its text; a release's text → front matter and body, with the line where each begins."""

from __future__ import annotations

import codecs
from pathlib import Path

from msgspec import Struct

from pipeline.reader.characters import FORBIDDEN, code_point
from pipeline.reader.report import Report

FRONT_LIMIT = 64 * 1024
BODY_LIMIT = 1_000_000
"""Bytes."""

_OTHER_ENCODINGS = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_AS_UTF8 = "save the file as UTF-8"


class Source(Struct, frozen=True):
    """The two texts of a release's file; lines end in ``\\n``."""

    front: str
    body: str
    body_line: int
    """1-based line of the body's first line; the front matter's first is 2."""


def read_source(file: Path, report: Report) -> Source | None:
    """Return the texts of ``file``, or None after reporting why they cannot be read."""
    text = read_text(file, FRONT_LIMIT + BODY_LIMIT, report)
    return None if text is None else _split(text, report)


def read_text(file: Path, limit: int, report: Report) -> str | None:
    """Return the text of ``file`` with plain newlines, or None after reporting why it cannot be read."""
    data = _read_bytes(file, limit, report)
    text = None if data is None else _decode(data, report)
    if text is None:
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    forbidden = FORBIDDEN.search(text)
    if forbidden:
        line = text.count("\n", 0, forbidden.start()) + 1
        report.fault(line, f"forbidden character {code_point(forbidden.group())}", "delete it; it cannot be printed")
        return None
    return text


def _read_bytes(file: Path, limit: int, report: Report) -> bytes | None:
    try:
        if not file.is_file():
            report.fault(0, "no such file" if not file.exists() else "not a file")
        elif not file.resolve().is_relative_to(file.parent.resolve()):
            report.fault(0, "the file is a link to a place outside its folder", "put the file itself into the folder")
        elif file.stat().st_size > limit:
            report.fault(0, f"larger than {limit:,} bytes", "shorten it")
        else:
            return file.read_bytes()
    except (OSError, ValueError) as error:
        report.fault(0, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    return None


def _decode(data: bytes, report: Report) -> str | None:
    data = data.removeprefix(codecs.BOM_UTF8)
    for mark, name in _OTHER_ENCODINGS:
        if data.startswith(mark):
            report.fault(1, f"the file is {name}, not UTF-8", _AS_UTF8)
            return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        report.fault(data.count(b"\n", 0, error.start) + 1, "not UTF-8", _AS_UTF8)
        return None


def _split(text: str, report: Report) -> Source | None:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        report.fault(1, "no front matter", "begin the file with a line ---, then title: and date:, then a line ---")
        return None
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() == "---":
            source = Source("\n".join(lines[1:number]) + "\n", "\n".join(lines[number + 1 :]), number + 2)
            return source if _fits(source, report) else None
    report.fault(1, "the front matter has no end", "close it with a line --- before the text")
    return None


def _fits(source: Source, report: Report) -> bool:
    front, body = len(source.front.encode()), len(source.body.encode())
    if front > FRONT_LIMIT:
        report.fault(1, f"the front matter is larger than {FRONT_LIMIT // 1024} KB", "move text into the body")
    if body > BODY_LIMIT:
        report.fault(source.body_line, f"the body is larger than {BODY_LIMIT // 1_000_000} MB", "shorten it")
    return front <= FRONT_LIMIT and body <= BODY_LIMIT
