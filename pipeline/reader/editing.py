"""What a wire editor sees in a finished release: days that do not exist, zones of the other season, weak headlines.

Each finding is a warning with a name of ``WARNINGS``. Nothing is refused here, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.model.document import Figure, Heading, Paragraph, Quote, inlines_of, plain, walk
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.reader.fields import Fields
from pipeline.reader.report import Report
from pipeline.reader.source import Source
from pipeline.typography.messages import Messages

HEADLINE_LIMIT = 100
SUMMARY_LIMIT = 300
"""Characters."""
PRINT_PIXELS = 1000
"""Of the longer side: 8.5 cm at the 300 dots per inch of a newspaper picture, two columns."""
_CAPITALS = 0.8
"""Share of the letters from which on a headline counts as set in capitals."""
_FEWEST_LETTERS = 12
"""Shorter headlines may be an abbreviation."""

_QUOTATION = re.compile(
    r"“[^“”]{20,}”|„[^„“”]{20,}[“”]|[«»][^«»]{20,}[«»]|[「『][^」』]{8,}[」』]|\"[^\"]{20,}\"|‘[^‘]{20,}’|״[^״]{20,}״"
)
"""Words of somebody; shorter ones are a title or a term."""
_LEGACY = re.compile(
    r"\b(beta(cam|max)?|digi(tal ?)?beta|sp|dv(cam|cpro|d)?|mini-?dv|u-?matic|s?-?vhs|hi-?8|video ?8|hdcam|cd(-?rom)?|"
    r"(16|35) ?mm|tapes?|(video)?cassettes?|(video)?kassetten?|cintas?|dis[ck]s?)\b|"
    r"بيتا|شريط|테이프|베타|テープ|ベータ|磁带|录像带",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"\b(files?|downloads?|mp4|mov|mxf|prores|h\.?26[45]|hevc|ftp|online|links?|dateien?|datei|fichiers?|archivos?|télécharge\w*|"
    r"descarga\w*|wetransfer|cloud|stream\w*|https?)\b|ملف|تنزيل|파일|다운로드|ファイル|ダウンロード|文件|下载|下載",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_FILE_NAME = re.compile(
    r"\S*\.(jpe?g|png|webp|gif|tiff?|heic|bmp|svg)|(img|dsc[nf]?|pxl|p|image|photo|picture|screenshot|bild|foto|untitled|"
    r"whatsapp image|unnamed)[-_ ]*\(?\d[\d\-_ ().at:]*",
    re.IGNORECASE,
)


def review(release: Release, source: Source, fields: Fields, newsroom: Newsroom, report: Report) -> None:
    """Warn of what an editor would ask back about; ``fields`` are the keys of the front matter."""
    if release.withdrawn:
        return
    lines = _Lines(source)
    if not release.draft:  # of a draft, what is missing or too long may still change
        _review_headline(release, fields, source, report)
        _review_summary(release, fields, report)
        _review_people(release, fields, report)
        _review_footage(release, fields, report)
        _review_pictures(release, fields, lines, report)
    tags = dict.fromkeys((release.language, newsroom.language, *newsroom.languages))
    if not any(tag.split("-")[0] == "en" for tag in tags):
        tags["en"] = None
    for passage in _passages(release):
        if _DIGIT.search(passage):
            zones = [*_TIME_WITH_ZONE.finditer(passage)]
            days = _days(passage, release, tags, weekdays_only=not zones)
            _review_weekdays(days, passage, lines, report)
            _review_zones(zones, days, release, newsroom, lines, report)


# ── Headline, summary, quotation, contacts, footage, pictures ───────────────────────────────────────────────────────


def _review_headline(release: Release, fields: Fields, source: Source, report: Report) -> None:
    line, title = fields.line("title"), release.title
    if len(title) > HEADLINE_LIMIT:
        what = f"title: {len(title)} characters, more than {HEADLINE_LIMIT}: search engines and mail cut it off"
        report.warn(line, what, "shorten it, or move words into subtitle", "long-headline")
    cased = [letter for letter in title if letter.upper() != letter.lower()]
    if len(cased) >= _FEWEST_LETTERS and sum(map(str.isupper, cased)) >= _CAPITALS * len(cased):
        what = "title: set in capitals, which are hard to read and look like advertising"
        report.warn(line, what, "write it as a sentence", "headline-in-capitals")

    words = (
        plain(release.body[0].children) if release.body and isinstance(release.body[0], (Heading, Paragraph)) else ""
    )
    if words.casefold().strip(" .") == title.casefold().strip(" ."):
        hint = "delete it in the text: every format prints the headline above it"
        line = next(number for number, line in enumerate(source.body.split("\n"), source.body_line) if line.strip())
        report.warn(line, "the headline again, in the text", hint, "headline-again")


def _review_summary(release: Release, fields: Fields, report: Report) -> None:
    length = len(release.summary)
    if "summary" not in fields.entries:
        what = f"no summary: feeds and listings show the first paragraph ({length} characters)"
        report.warn(fields.line("title"), what, "add a line summary: with one or two sentences", "no-summary")
    elif length > SUMMARY_LIMIT:
        what = f"summary: {length} characters, more than {SUMMARY_LIMIT}: feeds and search engines cut it off"
        report.warn(fields.line("summary"), what, "shorten it to one or two sentences", "long-summary")


def _review_people(release: Release, fields: Fields, report: Report) -> None:
    blocks = [*walk(release.body)]
    if not any(isinstance(block, Quote) for block in blocks) and not any(
        _QUOTATION.search(plain(words)) for block in blocks for words in inlines_of(block)
    ):
        hint = "quote somebody by name, in quotation marks or in a paragraph that begins with >"
        report.warn(0, "no quotation: nobody speaks in the text", hint, "no-quotation")
    if not any(contact.telephone or contact.out_of_hours for contact in release.contacts):
        line = fields.line("contacts") if "contacts" in fields.entries else 0
        hint = "add telephone to a contact in newsroom.toml, or name a contact who has one"
        report.warn(line, "no contact has a telephone number", hint, "no-telephone")


def _review_footage(release: Release, fields: Fields, report: Report) -> None:
    for footage in release.footage:
        offered = " ".join((*footage.all_carriers, footage.notice))
        is_file = footage.url or footage.files or _FILE.search(offered)
        if not is_file and any(map(_LEGACY.search, footage.all_carriers)):
            line = fields.line("footage") if "footage" in fields.entries else 0
            what = f"footage: offered on {footage.carrier} alone, which few newsrooms can play"
            report.warn(
                line,
                what,
                "name a film below files:, add url: with the address of one, or say in the notice how to get one",
                "legacy-carrier",
            )


def _review_pictures(release: Release, fields: Fields, lines: _Lines, report: Report) -> None:
    lead = [release.image] if release.image else []
    for figure in (*lead, *(block for block in walk((*release.body, *release.notes)) if isinstance(block, Figure))):
        line = fields.line("image") if figure in lead else lines.of(figure.file)
        alt, stem = figure.alt.strip(), figure.file.rpartition(".")[0]
        if alt and (_FILE_NAME.fullmatch(alt) or (_folded(alt) == _folded(stem) and re.search("[-_]", alt))):
            what = f"the alternative text is a file name: {alt[:80]}"
            hint = "say what the picture shows, for people who cannot see it"
            report.warn(line, what, hint, "alt-file-name")
        picture = release.picture(figure.file)
        if max(picture.width, picture.height) < PRINT_PIXELS:
            size = f"{picture.width} × {picture.height} pixels"
            wide = f"{max(picture.width, picture.height) / 300 * 2.54:.0f} cm"
            what = f"{figure.file}: too small to print, {size}: {wide} in a newspaper"
            hint = f"use the original, {PRINT_PIXELS:,} pixels or more on the longer side"
            report.warn(line, what, hint, "small-picture")


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


# ── Days and zones ──────────────────────────────────────────────────────────────────────────────────────────────────


_PAIRS = (
    ("GMT", "BST", "Europe/London"),
    ("WET", "WEST", "Europe/Lisbon"),
    ("CET", "CEST", "Europe/Berlin"),
    ("MEZ", "MESZ", "Europe/Berlin"),
    ("EET", "EEST", "Europe/Athens"),
    ("NST", "NDT", "America/St_Johns"),
    ("AST", "ADT", "America/Halifax"),
    ("EST", "EDT", "America/New_York"),
    ("CST", "CDT", "America/Chicago"),
    ("MST", "MDT", "America/Denver"),
    ("PST", "PDT", "America/Los_Angeles"),
    ("AKST", "AKDT", "America/Anchorage"),
    ("NZST", "NZDT", "Pacific/Auckland"),
    ("AEST", "AEDT", "Australia/Sydney"),
    ("ACST", "ACDT", "Australia/Adelaide"),
)
"""Names in winter and in summer, and a place that uses both. Those with several meanings are left out: IST."""
_ZONES = {
    name: (zone, other, is_summer)
    for winter, summer, zone in _PAIRS
    for name, other, is_summer in ((winter, summer, False), (summer, winter, True))
}
_TIME_WITH_ZONE = re.compile(
    r"(?:(?<![\d.,:])\d{1,2}(?:[:.h]\d{2}){0,2}|(?<!\d)[0-2]\d[0-5]\d|\b[Nn]oon|\b[Mm]idnight|\b[Mm]idday)"
    r"\s*(?:[AaPp]\.?[Mm]\.?|Uhr|hrs?|hours|h|o[’']clock)?\s*\(?(?P<zone>" + "|".join(_ZONES) + r")\b"
)


class Day(Struct, frozen=True):
    """A date in a text, and the weekday that stands beside it."""

    start: int
    end: int
    when: date
    weekday: int | None = None
    """0 is Monday; None where none is named."""
    names: tuple[str, ...] = ()
    """The weekdays in the language of the text, Monday first."""

    @property
    def fits(self) -> bool:
        """Whether the weekday is the right one, or none is named."""
        return self.weekday is None or self.weekday == self.when.weekday()


_FILLER = r"(?:(?:the|of|de|del|den|der|le|el|il|di|do|da|d[ií]a|am|dem|al|الموافق)\s+)?"
_DAY = r"(?P<day>[0-9٠-٩]{1,2})"
_YEAR = r"(?:,?\s+(?:(?:de|del|of)\s+)?(?P<year>[12١٢][0-9٠-٩]{3})(?!\d))?"
_MONTH_NUMBER = r"(?P<number>[0-9]{1,2})"


class Calendar(Struct, frozen=True):
    """How dates are written in one language."""

    forms: tuple[re.Pattern[str], ...]
    weekday: re.Pattern[str]
    name: re.Pattern[str]
    """Of a weekday or a month."""
    months: dict[str, int]
    weekdays: dict[str, int]
    names: tuple[str, ...]
    """The weekdays in full, Monday first."""


@cache
def calendar_of(tag: str) -> Calendar:
    """Return the calendar of a language, by CLDR."""
    locale = Messages(tag, "UTC").locale
    months, weekdays = _names(locale.months, 1, 12), _names(locale.days, 0, 6)
    if locale.language == "en":  # as news agencies shorten them
        months |= {"sept": 9}
        weekdays |= {"tues": 1, "weds": 2, "thur": 3, "thurs": 3}
    whole = [name for name in weekdays if len(name) > 2]
    before = rf"(?:(?<![^\W\d_])(?P<before>{_any_of(whole)})\b\.?(?:\s*[,،]\s*|\s+){_FILLER})?"
    after = rf"(?:(?:\s*[,،]\s*|\s*[(（]\s*|\s+|\s*[–—]\s*)(?P<after>{_any_of(whole)})(?![^\W\d_])\s?[)）]?)?"
    month = rf"[\u05d0-\u05ea]?(?P<month>{_any_of(months)})(?![^\W\d_])\.?(?:/\w+(?:\s[^\W\d]+)?)?"
    in_brackets = rf"(?:\s*[(（]\s*(?P<before>{_any_of(weekdays)})\s*[)）]|[\s,]*(?P<after>{_any_of(whole)}))?"
    forms = (
        rf"{before}(?<![\d.:/–-]){_DAY}(?:st|nd|rd|th|er|re|º|ª|°|\.)?\s+{_FILLER}{month}{_YEAR}{after}",
        rf"{before}(?<![^\W_]){month}\s+{_DAY}(?:st|nd|rd|th)?(?![\d:–-]|\.\d){_YEAR}{after}",
        rf"{before}(?<!\d)(?P<year>[0-9]{{4}})-{_MONTH_NUMBER}-{_DAY}(?!\d){after}",
        rf"{before}(?<![\d.]){_DAY}\.\s?{_MONTH_NUMBER}\.\s?(?P<year>[0-9]{{4}})(?!\d){after}",
        rf"(?:(?<!\d)(?P<year>[0-9]{{4}})\s*[年년]\s*)?(?<!\d){_MONTH_NUMBER}\s*[月월]\s*{_DAY}\s*[日일]{in_brackets}",
    )
    wide = locale.days["format"]["wide"]
    patterns = tuple(re.compile(form, re.IGNORECASE) for form in forms)
    day, name = (re.compile(_any_of(names), re.IGNORECASE) for names in (weekdays, [*weekdays, *months]))
    return Calendar(patterns, day, name, months, weekdays, tuple(str(wide[number]) for number in range(7)))


def _names(table: Mapping[str, Mapping[str, Mapping[int, str]]], first: int, last: int) -> dict[str, int]:
    """Return the names of months or weekdays with their numbers, without those that mean two."""
    found: dict[str, set[int]] = {}
    for kind in ("format", "stand-alone"):
        for width in ("wide", "abbreviated"):
            for number, name in table[kind][width].items():
                if first <= number <= last and not name.isdecimal():
                    found.setdefault(_plain_name(name), set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1}


def _plain_name(name: str) -> str:
    return " ".join(name.split()).rstrip(".").casefold()


def _any_of(names: Iterable[str]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _days(passage: str, release: Release, tags: Iterable[str], *, weekdays_only: bool) -> list[Day]:
    """Return the dates of a passage, or nothing in a language of which it has no weekday, with ``weekdays_only``.

    Of a date that two languages read, the reading is taken that is right.
    """
    found: dict[tuple[int, int], Day] = {}
    for number, calendar in enumerate(map(calendar_of, tags)):
        if weekdays_only and not calendar.weekday.search(passage):
            continue
        if number and not calendar.name.search(passage):  # dates in figures are the first one's
            continue
        for form in calendar.forms:
            for match in form.finditer(passage):
                day = _day(match, calendar, release)
                if day and ((day.start, day.end) not in found or day.fits):
                    found[day.start, day.end] = day
    inner = {key for key in found for other in found if key != other and other[0] <= key[0] and key[1] <= other[1]}
    return [day for key, day in sorted(found.items()) if key not in inner]


def _day(match: re.Match[str], calendar: Calendar, release: Release) -> Day | None:
    parts = match.groupdict()
    named, name = parts.get("month"), parts["before"] or parts["after"]
    if calendar.names[0][0].isupper():  # else the words sat, sun, mar and may would be days and months
        if named and named.islower():
            return None
        name = "" if name and name.islower() else name
    month = calendar.months.get(_plain_name(named), 0) if named else int(parts["number"])
    year, there = parts.get("year"), release.date.date()
    years = [int(year)] if year else [there.year - 1, there.year, there.year + 1]
    possible = [day for each in years if (day := _date_of(each, month, int(parts["day"])))]
    if not possible:
        return None
    when = min(possible, key=lambda day: abs(day - there))
    return Day(
        match.start(), match.end(), when, calendar.weekdays.get(_plain_name(name)) if name else None, calendar.names
    )


def _date_of(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _review_weekdays(days: Iterable[Day], passage: str, lines: _Lines, report: Report) -> None:
    for day in days:
        if day.fits:
            continue
        typed = " ".join(passage[day.start : day.end].split())
        dated = f"{day.when.day} {day.when:%B %Y} is a {day.when:%A}"
        what = f"weekday and date disagree: {typed} ({dated})"
        hint = f"write {day.names[day.when.weekday()]}, or correct the date"
        report.warn(lines.of(typed), what, hint, "weekday")


def _review_zones(
    zones: Sequence[re.Match[str]],
    days: Sequence[Day],
    release: Release,
    newsroom: Newsroom,
    lines: _Lines,
    report: Report,
) -> None:
    """Warn of a zone's name that is not in use on the day: the nearest in the passage, else that of the release."""
    here = ZoneInfo(newsroom.time_zone)
    both = {"GMT", "BST"} <= {match["zone"] for match in zones}  # 10:00 GMT (11:00 BST): GMT is universal time there
    for match in zones:
        name = match["zone"]
        zone, other, is_summer = _ZONES[name]
        nearest = min(days, key=lambda day: abs(day.start - match.start()), default=None)
        noon = datetime.combine(nearest.when if nearest else release.date.astimezone(here).date(), time(12))
        in_use = bool(noon.replace(tzinfo=ZoneInfo(zone)).dst()) is is_summer
        offset = noon.replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta()
        named = offset if in_use else offset + timedelta(hours=1 if is_summer else -1)
        # Some places keep the time of winter all year: Accra, Panama, Phoenix, Brisbane.
        if in_use or (not is_summer and here.utcoffset(noon) == named):
            continue
        if name == "GMT" and (both or not newsroom.time_zone.startswith("Europe/")):  # for others it is universal time
            continue
        typed = " ".join(match[0].split())
        what = f"time zone and season disagree: {typed}, but {zone} is on {other} on {noon.day} {noon:%B %Y}"
        report.warn(lines.of(typed), what, f"write {other}, or correct the time", "time-zone")


# ── Passages and lines ──────────────────────────────────────────────────────────────────────────────────────────────


def _passages(release: Release) -> Iterator[str]:
    """Yield every passage of the release in which a date may stand."""
    yield from (release.title, release.subtitle, release.summary)
    lead = (release.image,) if release.image else ()
    for block in walk((*lead, *release.body, *release.notes)):
        yield from map(plain, inlines_of(block))
    yield from (correction.note for correction in release.corrections)


class _Lines:
    """Finds the line of words that the document tree has without line."""

    def __init__(self, source: Source) -> None:
        # The body's first line is known, and the front matter stands right above it, with its closing line.
        self._text = f"{source.front}---\n{source.body}"
        self._first = source.body_line - source.front.count("\n") - 1

    def of(self, words: str) -> int:
        """Return the line where ``words`` begin, across line ends and marks; 0 when they are nowhere."""
        parts = (re.escape(word) for word in words.split())
        found = re.search(r"[\s>*_\\]+".join(parts), self._text)
        return self._first + self._text.count("\n", 0, found.start()) if found else 0
