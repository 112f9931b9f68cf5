"""Instants as authors write them: RFC 3339 with an offset from UTC; for anything else, what may have been meant."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pipeline.reader.fields import Fields

DATE = "date: 2026-11-23T09:00+00:00"
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?"
    r" ?(?:([Zz])|([+-])(\d\d):?(\d\d))?"
)
_LOOSE_INSTANT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[Tt, ]+(\d\d?)[:.h](\d\d)(?::(\d\d))?)?"
    r"\s*(?:([+-])(\d\d?)(?::?(\d\d))?)?\s*\[?([A-Za-z][A-Za-z/_]*)?\]?"
)
"""As people write dates; the last group is the name of a zone."""
_YEARS = range(1900, 9999)
_OTHER_SIGNS = dict.fromkeys(map(ord, "‐‑‒–—−"), "-") | dict.fromkeys(map(ord, "：﹕"), ":")
_OTHER_SIGNS |= dict.fromkeys(map(ord, "“”‘’\u200b\ufeff"), "") | {0xA0: " ", 0x202F: " ", ord("．"): "."}


def read_instant(fields: Fields, key: str, zone: ZoneInfo) -> datetime | None:
    """Return the aware instant of ``key`` with the author's offset; None when absent, or after reporting what is wrong.

    ``zone`` is the newsroom's.
    """
    scalar = fields.scalar(key)
    return _Instant(fields, key, zone, scalar.line).read(scalar.text.strip()) if scalar else None


class _Instant:
    """Reads one date. ``zone`` is the newsroom's: it supplies offsets for hints, and its skipped hours are refused."""

    def __init__(self, fields: Fields, key: str, zone: ZoneInfo, line: int) -> None:
        self.fields = fields
        self.key = key
        self.zone = zone
        self.line = line

    def read(self, text: str) -> datetime | None:
        """Return the aware instant in ``text`` with the author's offset, or None after reporting what is wrong."""
        match = _INSTANT.fullmatch(text)
        wall = _wall_time(match)
        if match is None:
            example = f"the date as {DATE.removeprefix('date: ')}"
            self.fault("not a date", f"write {self.tidied(text) or example}")
        elif wall is None:
            midnight = _wall_time(_INSTANT.fullmatch(f"{match[1]}T00:00")) if match[2] == "24" else None
            hint = (
                f"write {midnight + timedelta(days=1):%Y-%m-%d}{text[10:].replace('24', '00', 1)}" if midnight else ""
            )
            hint = hint or "check it in a calendar"
            self.fault(f"no such day or time: {text}", hint)
        elif not match[2]:
            self.fault("no time", f"write {self.written(wall.replace(hour=9))}")
        elif not (match[6] or match[7]):
            first, second = (self.written(wall, fold) for fold in (0, 1))
            is_twice = first != second and first[:16] == second[:16]
            other = f", or {second}: that hour comes twice, the clocks go back" if is_twice else ""
            self.fault("no time zone", f"write {first}{other}")
        elif match[6]:
            return wall.replace(tzinfo=UTC)
        else:
            return self.with_offset(wall, match)
        return None

    def with_offset(self, wall: datetime, match: re.Match[str]) -> datetime | None:
        zone = self.zone
        hours, minutes = int(match[8]), int(match[9])
        offset = timedelta(hours=hours, minutes=minutes) * (-1 if match[7] == "-" else 1)
        if hours > 23 or minutes > 59 or abs(offset) > timedelta(hours=15):
            self.fault("no such offset from UTC", f"write {self.written(wall)}")
            return None
        instant = wall.replace(tzinfo=timezone(offset))
        local = {wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
        skipped = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall
        if skipped and offset in local:
            what = f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d} in {zone.key}: clocks go forward"
            self.fault(what, f"write {self.written(instant.astimezone(zone).replace(tzinfo=None))}")
            return None
        all_year = {datetime(wall.year, month, 1, 12, tzinfo=zone).utcoffset() for month in range(1, 13)}
        if offset not in local and offset in all_year:
            what = f"{self.fields.name(self.key)}: {zone.key} uses another offset on that day"
            self.fields.report.warn(self.line, what, f"did you mean {self.written(wall)}?", "offset")
        return instant

    def fault(self, what: str, hint: str) -> None:
        self.fields.fault(self.key, what, hint, self.line)

    def tidied(self, text: str) -> str:
        """Return what a date with other dashes, colons or blanks means; empty when it may mean another instant."""
        match = _LOOSE_INSTANT.fullmatch(text.translate(_OTHER_SIGNS))
        if match is None:
            return ""
        year, month, day, hour, minute, second, sign, hours, minutes, name = match.groups()
        tidy = f"{year}-{month:0>2}-{day:0>2}T{hour or '9':0>2}:{minute or '00'}" + (f":{second}" if second else "")
        wall = _wall_time(_INSTANT.fullmatch(tidy))
        if wall is None:
            return ""
        if sign:
            return f"{tidy}{sign}{hours:0>2}:{minutes or '00'}"
        if name in ("Z", "z", "UTC", "GMT"):
            return f"{tidy}+00:00"
        own = (None, self.zone.key, wall.replace(tzinfo=self.zone).tzname())
        return self.written(wall) if name in own else ""

    def written(self, wall: datetime, fold: int = 0) -> str:
        """Return ``wall`` with the offset that the zone has then, as short as possible."""
        there = wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC).astimezone(self.zone)
        return there.isoformat(timespec="seconds" if there.second else "minutes")


def _wall_time(match: re.Match[str] | None) -> datetime | None:
    """Return the time that a clock would show, without offset; None for an impossible day or time."""
    if match is None:
        return None
    try:
        day = date.fromisoformat(match[1])
        fraction = (match[5] or "0")[:6].ljust(6, "0")
        wall = datetime(  # noqa: DTZ001 - the offset is checked on its own
            day.year, day.month, day.day, int(match[2] or 0), int(match[3] or 0), int(match[4] or 0), int(fraction)
        )
    except ValueError:
        return None
    return wall if wall.year in _YEARS else None
