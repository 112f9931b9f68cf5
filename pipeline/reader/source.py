"""The bytes of a file → its text; a release's text → front matter and body, with the line where each begins."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.reader.characters import (
    FORBIDDEN,
    as_windows,
    code_point,
    compose,
    damaged_by_decoding,
    remedy,
    without_invisible,
)

if TYPE_CHECKING:
    from pipeline.reader.report import Report

FRONT_LIMIT = 64 * 1024
BODY_LIMIT = 1_000_000
"""Bytes."""

_OTHER_ENCODINGS = ((codecs.BOM_UTF32_LE, "UTF-32"), (codecs.BOM_UTF16_LE, "UTF-16"), (codecs.BOM_UTF16_BE, "UTF-16"))
_OTHER_FORMATS = (
    (b"PK\x03\x04", "a Word document or a zip file"),
    (b"\xd0\xcf\x11\xe0", "an old Word document"),
    (b"{\\rtf", "an RTF document"),
    (b"%PDF", "a PDF"),
)
_AS_UTF8 = "save the file as UTF-8"
CHECK = re.compile(r"""(?:\s*|[^"'#]*\s|[^"'#]*(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s+)#\s*check:\s*(.*)""")
"""A question to the editor, as ``make import`` writes it: a comment of the front matter."""
CHECK_HINT = "compare it with the original, correct what is wrong, and delete the mark"
_LINES_SHOWN = 20
"""Lines with forbidden characters that are reported one by one."""
_DASHES = re.compile(r"(?!---$)\s*([-–—―−‐‑‒]{2,}|[–—―])")
_OTHER_DELIMITER = re.compile(rf"{_DASHES.pattern}|\.{{3}}|…|\+{{3}}|[*_=~]{{3,}}")
"""A line that was typed, or made by a word processor, in place of ``---``."""
_KEY_LINE = re.compile(r"[\w-]+\s*[:：=]|\s+\S|- |#")


class Source(Struct, frozen=True):
    """The two texts of a release's file; lines end in ``\\n``."""

    front: str
    body: str
    body_line: int
    """1-based line of the body's first line."""
    front_line: int = 2
    """1-based line of the front matter's first line."""


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
    text = _plain(text)
    for number, line in enumerate(text.split("\n"), 1):
        if damage := damaged_by_decoding(line):
            hint = f"was it {damage[1]}? copy the text again from where it is right, and {_AS_UTF8}"
            report.fault(number, f"text that was decoded wrongly: {damage[0]}", hint)
    return _report_forbidden(text, report) if FORBIDDEN.search(text) else text


def as_read(data: bytes) -> bytes:
    """Return the bytes of a source as all readings see them, however an editor saved them.

    Without byte order mark, with plain newlines, in the composed form; unchanged when they are not UTF-8.
    """
    try:
        return _plain(data.removeprefix(codecs.BOM_UTF8).decode()).encode()
    except UnicodeDecodeError:
        return data


def _plain(text: str) -> str:
    return compose(without_invisible(text.replace("\r\n", "\n").replace("\r", "\n")))


def _report_forbidden(text: str, report: Report) -> str:
    """Return the text with the characters that were meant, so that what else is wrong is reported in the same run."""
    shown = 0
    for number, line in enumerate(text.split("\n"), 1):
        found = dict.fromkeys(FORBIDDEN.findall(line))
        shown += bool(found)
        if found and shown > _LINES_SHOWN:
            report.fault(number, "more forbidden characters in this line and below", _AS_UTF8)
            break
        for character in found:
            report.fault(number, f"forbidden character {code_point(character)}", remedy(character))
    return FORBIDDEN.sub(lambda match: as_windows(match[0]), text)


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
        if data.startswith(mark) or (name == "UTF-16" and _is_half_zeros(data)):
            report.fault(1, f"the file is {name}, not UTF-8", _AS_UTF8)
            return None
    for mark, name in _OTHER_FORMATS:
        if data.startswith(mark):
            report.fault(1, f"the file is {name}, not plain text", "save it as plain text, UTF-8, with a name in .md")
            return None
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        meant = data[error.start : error.start + 1].decode("cp1252", "ignore")
        hint = f"{_AS_UTF8}; in Windows-1252 the sign here is {meant}" if meant.isprintable() and meant else _AS_UTF8
        report.fault(data.count(b"\n", 0, error.start) + 1, "not UTF-8", hint)
        return None


def _is_half_zeros(data: bytes) -> bool:
    """Whether this is UTF-16 without a byte order mark, of a text that is mostly Latin."""
    return any(data[start::2].count(0) * 4 > len(data) and not data[1 - start :: 2].count(0) for start in (0, 1))


# ── Front matter and body ───────────────────────────────────────────────────────────────────────────────────────────


def _split(text: str, report: Report) -> Source | None:
    lines = text.lstrip("\ufeff\u200b").split("\n")
    start = _start(lines, report)
    end = None if start is None else _end(lines, start + 1, report)
    if start is None or end is None:
        return None
    last, body = end
    for number, line in enumerate(lines[start + 1 : last], start + 2):
        if mark := CHECK.match(line):
            report.fault(number, f"to be checked: {mark[1] or 'this line'}", CHECK_HINT)
    source = Source("\n".join(lines[start + 1 : last]) + "\n", "\n".join(lines[body:]), body + 1, start + 2)
    return source if _fits(source, report) else None


def _start(lines: list[str], report: Report) -> int | None:
    """Return the index of the line that opens the front matter, -1 when only that line is missing, None without one."""
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    line = lines[first].rstrip()
    if line == "---":
        if first:
            report.fault(1, "a blank line above the front matter", "delete it; the file begins with the line ---")
        return first
    if line.startswith("+++"):
        report.fault(first + 1, "front matter in TOML (+++)", "write --- instead of +++, title: … instead of title = …")
    elif _OTHER_DELIMITER.fullmatch(line):
        report.fault(first + 1, f"{line.strip()} instead of ---", "write three hyphens: ---")
        return first
    elif re.match(r"(?i)(title|date)\s*[:：]", line):
        report.fault(first + 1, "no line --- above the front matter", "write a line --- above this one")
        return first - 1
    else:
        hint = "begin the file with a line ---, then title: and date:, then a line ---"
        report.fault(first + 1 if first < len(lines) else 1, "no front matter", hint)
    return None


def _end(lines: list[str], start: int, report: Report) -> tuple[int, int] | None:
    """Return the index after the last line of the front matter, and that of the body's first line."""
    proper = next((number for number in range(start, len(lines)) if lines[number].rstrip() == "---"), None)
    for number in range(start, len(lines) if proper is None else proper):
        line = lines[number].rstrip()
        if not _OTHER_DELIMITER.fullmatch(line) or (proper is not None and line[0].isspace()):
            continue
        if proper is not None and all(_KEY_LINE.match(below) for below in lines[number + 1 : proper] if below.strip()):
            report.fault(number + 1, f"{line} within the front matter", "delete this line")
            lines[number] = ""
            continue
        report.fault(number + 1, f"{line.strip()} instead of ---", "write three hyphens: ---")
        return number, number + 1
    last = _last_before_text(lines, start, len(lines) if proper is None else proper, must=proper is None)
    if last is not None:
        report.fault(last, "the front matter has no end", "write a line --- below this one, before the text")
        return last, last
    return None if proper is None else (proper, proper + 1)


def _last_before_text(lines: list[str], start: int, end: int, *, must: bool) -> int | None:
    """Return the index after the last key, when text begins without a line ``---`` between them.

    Without ``must`` only text that has a blank line above it, and no key below it, counts: a value may go on.
    """
    last = start
    for number in range(start, end):
        line = lines[number]
        if not line.strip():
            continue
        if _KEY_LINE.match(line):
            is_of_text = line[0] in "#-" and not lines[number - 1].strip()
            last = last if is_of_text else number + 1
        elif must or not (
            lines[number - 1].strip() or any(re.match(r"[a-z_]+:( |$)", below) for below in lines[number:end])
        ):
            return last
    return last if must else None


def _fits(source: Source, report: Report) -> bool:
    front, body = len(source.front.encode()), len(source.body.encode())
    if front > FRONT_LIMIT:
        report.fault(
            1,
            f"the front matter is larger than {FRONT_LIMIT // 1024} KB",
            "move text into the body, or shorten the transcript",
        )
    if body > BODY_LIMIT:
        report.fault(source.body_line, f"the body is larger than {BODY_LIMIT // 1_000_000} MB", "shorten it")
    return front <= FRONT_LIMIT and body <= BODY_LIMIT
