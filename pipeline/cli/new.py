"""``make new``: a valid source with the newsroom's defaults, so that nobody has to write an offset by hand."""

from __future__ import annotations

import re
import unicodedata
from argparse import Namespace
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.cli.newsroom import MAKE_IT_YOURS, NAME, is_sample
from pipeline.model.errors import SettingError, hint_for, printable
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import RESERVED, SLUG_LIMIT
from pipeline.reader.fields import quoted
from pipeline.typography.messages import Messages, newsroom_messages

TITLE = "DATELINE_TITLE"
"""How make passes TITLE=."""

TEMPLATE = """\
---
title: {title}
date: {date}{zone}
draft: true                       # {delete}
# subtitle: {subtitle}
# summary: …
# dateline: {place}
# reference: {year}/001
# ai: …
# language: {language}
# translation_of: …
{topics}{contacts}{footage}# footage: {{notice: "…", files: [{{file: ….mov, role: master}}]}}
# embargo: true
# image: {{file: ….jpg, alt: "…", caption: "…", credit: "…", copyright: "…"}}
# pictures: [{{file: ….jpg, copyright: "…", usage: "…", rights_page: "https://…", made_with: camera}}]
# was: [….html]
# corrections: …                  # make correct RELEASE=… NOTE="…"
# withdrawn: …                    # make withdraw RELEASE=… REASON="…"
---
{text}

## {notes}

- {note}
"""
"""Of the keys that few releases need, the values are left to the author: docs/writing.md explains them."""


PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "", "'": ""}
    | {"Æ": "Ae", "Œ": "Oe", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "Th"}
)
"""Letters that have no decomposition in Unicode, and apostrophes, which part no words."""


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Write the source of a new release with the title in ``TITLE``, under the name in ``NAME`` if there is one."""
    title, name = context.environ.get(TITLE, ""), context.environ.get(NAME, "")
    path = draft(context.state.content, title, context.newsroom, context.now, name)
    console.line(f"{path} written as a draft; edit it, then run make check")
    if is_sample(context.newsroom):
        console.line(f"this is still the sample newsroom; to make it your own: {MAKE_IT_YOURS}")


def draft(content: Path, title: str, newsroom: Newsroom, now: datetime, name: str = "") -> Path:
    """Write the source of a release called ``title`` and return its path; it is a draft, dated at the next full hour.

    Raises SettingError when there is no title, ``name`` cannot be the name of a release, or there is one already.
    """
    if not title.strip():
        raise SettingError("a new release needs a title", 'make new TITLE="What happened"')
    messages = newsroom_messages(newsroom)
    local = _next_hour(now, ZoneInfo(newsroom.time_zone))
    text = TEMPLATE.format(
        title=quoted(" ".join(title.split())),
        date=local.isoformat(timespec="minutes"),
        zone=f"   # {newsroom.time_zone}",
        delete=messages["draft_delete"],
        subtitle=messages["draft_subtitle"],
        place=_place(newsroom.time_zone, messages),
        year=local.year,
        language=newsroom.language,
        topics=_list("topics", [topic.id for topic in newsroom.topics[:1]]),
        contacts=_list("contacts", newsroom.default_contacts),
        footage=_list("footage", newsroom.default_footage),
        text=messages["draft_text"],
        notes=messages["notes_to_editors"],
        note=messages["draft_note"],
    )
    return write_source(content, text, title, now, name)


def write_source(content: Path, text: str, title: str, now: datetime, name: str = "") -> Path:
    """Write ``text`` as a new source, named ``name`` or after its title, and return its path; overwrite nothing.

    Raises SettingError when there is one already, or it cannot be written.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise SettingError("the title is not UTF-8", "set the terminal's encoding to UTF-8 (locale)") from None
    for slug in _names(title, name, now):
        path = content / f"{slug}.md"
        try:
            with path.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        except OSError as error:
            raise SettingError(f"{path}: cannot be written: {error.strerror}", hint_for(error)) from error
        return path
    hint = "edit that one, or choose another name: NAME=a-few-words"
    raise SettingError(f"{path} exists already", hint)


def _names(title: str, name: str, now: datetime) -> Iterator[str]:
    """Yield the names that the new release may have, the best one first."""
    if name.strip():
        yield _checked(name.strip())
        return
    best = slug(title, now)
    yield best
    if not _is_spelled_out(title):  # another title may have the same name, so a file of that name may be another's
        for number in count(2):
            ending = f"-{number}"
            yield best[: SLUG_LIMIT - len(ending)].rstrip("-") + ending


def _checked(name: str) -> str:
    """Return ``name`` without folder and suffix if it can be the name of a release. Raises SettingError."""
    from pipeline.reader.references import slug_fault

    wanted = name.rpartition("/")[2].removesuffix(".md")
    if problem := slug_fault(wanted):
        proper = "-".join(_ascii_words(wanted)) or "a-few-words"
        proper = proper if slug_fault(proper) is None else "a-few-words"
        raise SettingError(f"NAME={printable(name[:SLUG_LIMIT])}: {problem[0]}", f"write NAME={proper}")
    return wanted


def _place(time_zone: str, messages: Messages) -> str:
    """Return the city that the zone is named after, in the language of ``messages``."""
    from babel.dates import get_timezone_location

    return str(get_timezone_location(time_zone, locale=messages.locale, return_city=True)).rsplit("/", 1)[-1]


def _next_hour(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first full hour after ``now``; it may be 90 minutes off where clocks jump by 30."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    ahead = ((minute + timedelta(minutes=left)).astimezone(zone) for left in range(1, 121))
    return next(moment for moment in ahead if not moment.minute)


def _list(key: str, ids: Sequence[str]) -> str:
    return f"{key}: [{', '.join(ids)}]\n" if ids else ""


def slug(title: str, now: datetime) -> str:
    """Return a name for files and addresses: ASCII words of ``title``; the date where it has none."""
    found = ""
    for word in _ascii_words(title):
        longer = f"{found}-{word}" if found else word[:SLUG_LIMIT]
        if len(longer) > SLUG_LIMIT:
            break
        found = longer
    if found in RESERVED:
        return f"{found}-release"
    return found or f"release-{now:%Y-%m-%d-%H%M}"


def _decomposed(title: str) -> str:
    return unicodedata.normalize("NFKD", title.translate(PLAIN))


def _ascii_words(title: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", _decomposed(title).encode("ascii", "ignore").decode().lower())


def _is_spelled_out(title: str) -> bool:
    """Whether the name has every letter and digit of ``title``; letters outside the Latin alphabet are left out."""
    letters = [sign for sign in _decomposed(title) if sign.isalnum()]
    return bool(letters) and all(sign.isascii() for sign in letters)
