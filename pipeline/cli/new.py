"""``make new``: a valid source with the newsroom's defaults, so that nobody has to write an offset by hand."""

from __future__ import annotations

import re
import unicodedata
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.model.errors import SettingError
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import RESERVED, SLUG_LIMIT

TEMPLATE = """\
---
title: {title}
date: {date}{zone}
draft: true                       # delete this line when the release may go out
# subtitle: A second deck
# dateline: {place}
# reference: {year}/001
{topics}{contacts}{footage}---
The first paragraph says who, what, when, where and why. It is also the summary, unless the front matter has one.

## Notes to editors

- What an editor may need to know.
"""


PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "’": "", "'": ""}
    | {"Æ": "Ae", "Œ": "Oe", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "Th"}
)
"""Letters that have no decomposition in Unicode, and apostrophes, which part no words."""


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Write the source of a new release with the title in ``TITLE``."""
    path = draft(context.state.content, context.environ.get("DATELINE_TITLE", ""), context.newsroom, context.now)
    console.line(f"{path} written as a draft; edit it, then run make check")


def draft(content: Path, title: str, newsroom: Newsroom, now: datetime) -> Path:
    """Write the source of a release called ``title`` and return its path; it is a draft, dated at the next full hour.

    Raises SettingError when there is no title, or a release of that name already.
    """
    if not title.strip():
        raise SettingError("a new release needs a title", 'make new TITLE="What happened"')
    path = content / f"{slug(title, now)}.md"
    local = _next_hour(now, ZoneInfo(newsroom.time_zone))
    text = TEMPLATE.format(
        title=_quoted(" ".join(title.split())),
        date=local.isoformat(timespec="minutes"),
        zone=f"   # {newsroom.time_zone}",
        place=newsroom.time_zone.rsplit("/", 1)[-1].replace("_", " "),
        year=local.year,
        topics=_list("topics", [topic.id for topic in newsroom.topics[:1]]),
        contacts=_list("contacts", newsroom.default_contacts),
        footage=_list("footage", newsroom.default_footage),
    )
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise SettingError("the title is not UTF-8", "set the terminal's encoding to UTF-8 (locale)") from None
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise SettingError(f"{path} exists already", "give the new release another title, or edit that one") from None
    except OSError as error:
        raise SettingError(f"{path}: cannot be written: {error.strerror}", "is CONTENT= a folder of yours?") from error
    return path


def _next_hour(now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first full hour after ``now``; it may be 90 minutes off where clocks jump by 30."""
    minute = now.astimezone(UTC).replace(second=0, microsecond=0)
    ahead = ((minute + timedelta(minutes=left)).astimezone(zone) for left in range(1, 121))
    return next(moment for moment in ahead if not moment.minute)


def _list(key: str, ids: Sequence[str]) -> str:
    return f"{key}: [{', '.join(ids)}]\n" if ids else ""


def slug(title: str, now: datetime) -> str:
    """Return a name for files and addresses: ASCII words of ``title``; the date where it has none."""
    plain = unicodedata.normalize("NFKD", title.translate(PLAIN))
    ascii_only = plain.encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_only)
    found = ""
    for word in words:
        longer = f"{found}-{word}" if found else word[:SLUG_LIMIT]
        if len(longer) > SLUG_LIMIT:
            break
        found = longer
    if found in RESERVED:
        return f"{found}-release"
    return found or f"release-{now:%Y-%m-%d-%H%M}"


def _quoted(title: str) -> str:
    """Return ``title`` as a YAML double-quoted scalar."""
    return '"' + title.replace("\\", "\\\\").replace('"', '\\"') + '"'
