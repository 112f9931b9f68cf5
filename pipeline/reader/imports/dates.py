"""Days in a text, as the languages of the newsroom write them; which of them are certain."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

from msgspec import Struct

from pipeline.reader.editing import calendar_of

_YEARS = range(1900, 2101)
_FIGURES = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?![\d./-])")
_ERA = re.compile(r"\s*(?P<era>ค\.ศ\.|พ\.ศ\.)\s*(?P<year>[12]\d{3})(?!\d)|(?:\s*(?:г|р)\.|\s*r\.|\s*a\.D\.)(?!\w)")
_BUDDHIST = 543
"""What stands behind a day and belongs to it: the year with its era, the word for year."""


class FoundDay(Struct, frozen=True):
    """A day in a text."""

    start: int
    end: int
    when: date
    certain: bool
    """The text has its year, and day and month cannot be taken for each other."""


def find_days(text: str, tags: Iterable[str], year: int | None = None) -> list[FoundDay]:
    """Return the days in ``text``, in its order; one without a year is uncertain, and of ``year`` if that is given."""
    found: dict[tuple[int, int], FoundDay] = {}
    for tag in dict.fromkeys(tags):
        for form in calendar_of(tag).forms:
            for match in form.finditer(text):
                parts = match.groupdict()
                named = " ".join((parts.get("month") or "").split()).rstrip(".").casefold()
                month = calendar_of(tag).months.get(named, 0) if named else int(parts.get("number") or 0)
                typed, end = parts.get("year"), match.end()
                if after := _ERA.match(text, end):
                    end = after.end()
                    of_era = int(after["year"] or 0) - (_BUDDHIST if after["era"] == "พ.ศ." else 0)
                    typed = typed or (str(of_era) if after["year"] else None)
                when = _day(int(typed) if typed else year or 0, month, int(parts["day"]))
                if when and when.year in _YEARS:
                    found.setdefault((match.start(), end), FoundDay(match.start(), end, when, bool(typed)))
    for match in _FIGURES.finditer(text):
        first, second, typed = int(match[1]), int(match[3]), match[4]
        full = int(typed) if len(typed) == 4 else (1900 if int(typed) > 60 else 2000) + int(typed)
        day_first = _day(full, second, first)
        month_first = _day(full, first, second)
        when = day_first or month_first
        if when and when.year in _YEARS:
            sure = (day_first is None or month_first is None or first == second) and len(typed) == 4
            found.setdefault(match.span(), FoundDay(*match.span(), when, sure))
    outer = [
        day
        for (start, end), day in found.items()
        if not any((a, b) != (start, end) and a <= start and end <= b for a, b in found)
    ]
    return sorted(outer, key=lambda day: day.start)


def instant_of(text: str) -> datetime | None:
    """Return the aware instant that a machine wrote, None for anything else."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo and found.year in _YEARS else None


def day_of(text: str) -> date | None:
    """Return the day with which a machine's date begins."""
    match = re.match(r"\s*(\d{4})-(\d\d)-(\d\d)(?!\d)", text)
    return _day(int(match[1]), int(match[2]), int(match[3])) if match else None


def is_day_alone(text: str, day: FoundDay, names: re.Pattern[str] | None = None) -> bool:
    """Whether ``text`` says nothing but a day, perhaps with its weekday or the word for date."""
    rest = text[: day.start] + text[day.end :]
    rest = re.sub(r"(?i)\b(?:date[d]?|datum|fecha|data|le|den|am|on|released?|issued)\b\s*:?", "", rest)
    return not re.search(r"\w", names.sub("", rest) if names else rest)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
