"""Holders of named embargoed copies: the name as every page has it, in the names of files, and their calendar entry."""

from __future__ import annotations

import re
import unicodedata
import uuid
from datetime import UTC, datetime

from pipeline.model.errors import SettingError
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.reader.characters import FORBIDDEN, code_point, collapse_spaces, compose
from pipeline.typography.article import embargo_line
from pipeline.typography.contact_cards import escaped, folded
from pipeline.typography.messages import Messages

LONGEST = 80
"""Characters of a name: more would leave the running heads of the PDF no room."""
_LONGEST_FILE_NAME = 200
"""Bytes. Systems allow 255, and browsers add to a name that is there already."""
_LINE_ENDS = re.compile("[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_JOINERS = "\u200c\u200d"
"""Invisible, and part of names in Persian, Hindi and other languages."""
_EXAMPLE = 'write it as in TO="Jane Doe, Reuters"'


def read_holder(typed: str) -> str:
    """Return the name of whom copies are for, in Unicode's composed form and without invisible characters.

    Raises SettingError for a name that cannot be printed in a line.
    """
    if _LINE_ENDS.search(typed.strip()):
        raise SettingError("TO: the name is longer than one line", _EXAMPLE)
    if found := FORBIDDEN.search(typed.strip()):
        raise SettingError(f"TO: the name has the character {code_point(found[0])}", "type the name again without it")
    visible = "".join(sign for sign in typed if unicodedata.category(sign) != "Cf" or sign in _JOINERS)
    name = collapse_spaces(compose(visible))
    if not any(map(str.isalnum, name)):
        raise SettingError("TO: there is no name in it", _EXAMPLE)
    if len(name) > LONGEST:
        message = f"TO: the name has {len(name)} characters; {LONGEST} fit into the embargo line of a page"
        raise SettingError(message, "person and organisation are enough")
    return name


def is_same(one: str, other: str) -> bool:
    """Whether two names differ in capitals at most."""
    return unicodedata.normalize("NFKC", one).casefold() == unicodedata.normalize("NFKC", other).casefold()


def file_name(key: str, holder: str) -> str:
    """Return the name of a copy of the file at ``key``: ``new-tapes_Jane-Doe-Reuters.pdf``.

    Letters, digits and their marks stay in every script; what a system may not allow in a name becomes a hyphen.
    """
    stem, _, suffix = key.rpartition("/")[2].rpartition(".")
    kept = (sign if unicodedata.category(sign)[0] in "LMN" or sign in _JOINERS else " " for sign in holder)
    name = "-".join("".join(kept).split())
    room = _LONGEST_FILE_NAME - len(f"{stem}_.{suffix}".encode())
    while len(name.encode()) > room:
        name = name[:-1]
    return f"{stem}_{name.strip('-' + _JOINERS)}.{suffix}"


def calendar_entry(release: Release, newsroom: Newsroom, holder: str, now: datetime) -> bytes:
    """Return the instant as a calendar file (iCalendar, RFC 5545).

    It does not have the title: others may see a calendar. Copies of the same release have the same entry, so that one
    with another date replaces it.
    """
    messages = Messages(release.language, newsroom.time_zone)
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Dateline//Embargo//EN",
        "BEGIN:VEVENT",
        f"UID:{uuid.uuid5(uuid.NAMESPACE_URL, newsroom.guid(release.slug))}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(release.date)}",
        f"SUMMARY;LANGUAGE={release.language}:{escaped(messages.fill('embargo_ends', name=newsroom.name))}",
        f"DESCRIPTION;LANGUAGE={release.language}:{escaped(embargo_line(release, messages, holder))}",
        "CLASS:PRIVATE",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(map(folded, lines))


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
