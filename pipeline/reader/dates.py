"""Instants as RFC 3339 writes them, and hints for those who dislike offsets."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from pipeline.reader.report import Report

_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?"
    r" ?(?:([Zz])|([+-])(\d\d):?(\d\d))?"
)
_YEARS = range(1900, 9999)
EXAMPLE = "write the date as 2026-11-23T09:00+00:00"


def read_instant(text: str, zone: ZoneInfo, key: str, line: int, report: Report) -> datetime | None:
    """Return the aware instant in ``text`` with the author's offset, or None after reporting what is wrong.

    ``zone`` is the newsroom's: it supplies the offset for hints, and its daylight-saving holes are refused.
    """
    found = _INSTANT.fullmatch(text)
    if not found:
        report.fault(line, f"{key}: not a date", EXAMPLE)
        return None
    wall = _wall(found)
    if wall is None:
        report.fault(line, f"{key}: no such day or time: {text}", "look it up in a calendar")
        return None
    if not found[2]:
        report.fault(line, f"{key}: no time", f"write {_written(wall.replace(hour=9), zone)}")
    elif not (found[6] or found[7]):
        report.fault(line, f"{key}: no time zone", f"write {_written(wall, zone)}")
    else:
        return _check_offset(wall, found, zone, key, line, report)
    return None


def _wall(found: re.Match[str]) -> datetime | None:
    """Return what a clock on the wall would show, without offset; None for an impossible day or time."""
    try:
        day = date.fromisoformat(found[1])
        fraction = (found[5] or "0")[:6].ljust(6, "0")
        wall = datetime(  # noqa: DTZ001 - the offset is judged on its own
            day.year, day.month, day.day, int(found[2] or 0), int(found[3] or 0), int(found[4] or 0), int(fraction)
        )
    except ValueError:
        return None
    return wall if wall.year in _YEARS else None


def _offset(found: re.Match[str]) -> timedelta | None:
    if found[6]:
        return timedelta(0)
    hours, minutes = int(found[8]), int(found[9])
    if hours > 23 or minutes > 59:
        return None
    return timedelta(hours=hours, minutes=minutes) * (-1 if found[7] == "-" else 1)


def _check_offset(
    wall: datetime, found: re.Match[str], zone: ZoneInfo, key: str, line: int, report: Report
) -> datetime | None:
    offset = _offset(found)
    if offset is None or abs(offset) > timedelta(hours=15):
        report.fault(line, f"{key}: no such offset", f"write {_written(wall, zone)}")
        return None
    moment = wall.replace(tzinfo=UTC if found[6] else timezone(offset))
    around = {wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    if found[6]:
        return moment
    there = moment.astimezone(zone)
    if in_hole(wall, zone) and offset in around:
        clock = f"{wall:%H:%M} does not exist on {wall:%Y-%m-%d} in {zone.key}"
        report.fault(line, f"{key}: {clock}: clocks go forward", f"write {_written(there.replace(tzinfo=None), zone)}")
        return None
    if offset not in around and offset in _offsets(wall.year, zone):
        usual = _written(wall, zone)
        report.warn(line, f"{key}: {zone.key} uses another offset on that day", f"did you mean {usual}?")
    return moment


def in_hole(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether clocks in ``zone`` jump over ``wall``."""
    return wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall


def _offsets(year: int, zone: ZoneInfo) -> set[timedelta | None]:
    return {datetime(year, month, 1, 12, tzinfo=zone).utcoffset() for month in range(1, 13)}


def _written(wall: datetime, zone: ZoneInfo) -> str:
    """Return ``wall`` with the offset that ``zone`` has then, as short as it can be."""
    there = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return there.isoformat(timespec="seconds" if there.second else "minutes")
