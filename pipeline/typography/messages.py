"""The template's own words, dates, sizes and directions, in the language of a release.

One plain file per language lies in ``templates/words/``; Babel (CLDR) supplies dates, zone names, numbers and the
direction of the script. A language without a file, and a word that a file lacks, falls back to English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name
from babel.numbers import format_decimal
from babel.units import format_unit

FOLDER = Path(__file__).parents[2] / "templates" / "words"
FALLBACK = "en"
_LONG_WORDS = frozenset(("da", "de", "et", "fi", "hu", "is", "nb", "nl", "nn", "no", "sv"))
"""Languages that write compounds in one word, so that ragged lines without hyphens would be too ragged."""

_SPACED = frozenset(("Latn", "Cyrl", "Grek", "Armn", "Geor"))
_SLANTED = frozenset(("Latn", "Cyrl", "Grek", "Arab", "Thai"))


@cache
def _table(language: str) -> dict[str, str | list[str]]:
    file = FOLDER / f"{language}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


@cache
def _locale(language: str) -> Locale:
    parts = language.replace("_", "-").split("-")
    for end in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:end]))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale.parse(FALLBACK)


class Messages:
    """The words of one language, printed in one time zone.

    ``words["ends"]`` gives a word as the file has it; the methods set dates and numbers.
    """

    def __init__(self, language: str, time_zone: str) -> None:
        self.language = language
        self.zone = ZoneInfo(time_zone)
        self.locale = _locale(language)
        primary = language.split("-")[0].lower()
        self._tables = (_table(language), _table(primary), _table(FALLBACK))

    @property
    def direction(self) -> str:
        """``rtl`` for scripts that run from the right, else ``ltr``."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def script(self) -> str:
        """The script of the language, as ISO 15924 codes it: ``Latn``; of Korean and Japanese, what they mix."""
        likely = get_global("likely_subtags")
        parts = self.language.replace("_", "-").split("-")
        primary = parts[0].lower()
        told = next((part.title() for part in parts[1:] if len(part) == 4 and part.isalpha()), "")
        region = f"{primary}_{parts[-1].upper()}" if len(parts) > 1 else primary
        return told or str(likely.get(region, likely.get(primary, f"{primary}_Latn_001"))).split("_")[1]

    @property
    def letterspaced(self) -> bool:
        """Whether labels may be spaced: letters that join or stand in a grid would be torn apart."""
        return self.script in _SPACED

    @property
    def slanted(self) -> bool:
        """Whether words are marked out by italics in this script."""
        return self.script in _SLANTED

    @property
    def hyphenated(self) -> bool:
        """Whether words are divided at the end of a line, where the format knows how."""
        return self.language.split("-")[0].lower() in _LONG_WORDS

    def _find(self, name: str) -> str | list[str]:
        for table in self._tables:
            if name in table:
                return table[name]
        raise KeyError(name)

    def __getitem__(self, name: str) -> str:
        """Return the word called ``name``. Raises KeyError for a name that the English file lacks too."""
        found = self._find(name)
        return found if isinstance(found, str) else found[0]

    @property
    def lacking(self) -> tuple[str, ...]:
        """The words for which English stands in, all of them where the language has no file; none in English."""
        own = {name for table in self._tables[:2] for name in table}
        return tuple(name for name in self._tables[2] if name not in own)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every form of a word that has several, the preferred one first."""
        found = self._find(name)
        return (found,) if isinstance(found, str) else tuple(found)

    def local(self, moment: datetime) -> datetime:
        """Return ``moment`` in the newsroom's time zone."""
        return moment.astimezone(self.zone)

    def date(self, moment: datetime) -> str:
        """Return the day as printed in a letterhead: ``22 February 1999``."""
        return str(format_date(self.local(moment).date(), "long", locale=self.locale))

    def month(self, moment: datetime) -> str:
        """Return the month as a heading of a list: ``February 1999``."""
        return str(format_skeleton("yMMMM", self.local(moment), locale=self.locale))

    def weekday_date(self, moment: datetime) -> str:
        """Return the day with its weekday, for embargoes."""
        return str(format_date(self.local(moment).date(), "full", locale=self.locale))

    def instant(self, moment: datetime) -> str:
        """Return date, time, zone name, offset and UTC: nobody may have to guess when an embargo ends."""
        there = self.local(moment)
        seconds = "HH:mm:ss" if moment.second else "HH:mm"
        utc = moment.astimezone(UTC)
        utc_time = str(format_time(utc.time(), seconds, locale=self.locale))
        if utc.date() != there.date():
            utc_time = f"{format_date(utc.date(), 'medium', locale=self.locale)}, {utc_time}"
        return self["embargo_instant"].format(
            date=self.weekday_date(moment),
            time=format_time(there.time(), seconds, locale=self.locale),
            zone=get_timezone_name(there, width="long", locale=self.locale),
            # Not Babel's get_timezone_gmt: it is an hour off west of Greenwich where half hours are in use.
            offset=f"UTC{there.isoformat(timespec='minutes')[16:]}",
            utc=utc_time,
        )

    def number(self, value: int) -> str:
        """Return ``value`` grouped as the language does it."""
        return str(format_decimal(value, locale=self.locale))

    def pixels(self, width: int, height: int) -> str:
        """Return a picture's size: ``4,000 × 3,000 px``."""
        return f"{self.number(width)} × {format_unit(height, 'graphics-pixel', length='short', locale=self.locale)}"

    def pages(self, count: int) -> str:
        """Return a number of pages: ``2 pages``."""
        return self["one_page" if count == 1 else "many_pages"].format(count=self.number(count))

    def size(self, size: int) -> str:
        """Return a file's size with its unit: ``26 KB``, ``1.4 MB``; a kilobyte has 1,000 bytes."""
        unit, value = ("megabyte", size / 1e6) if size >= 999_500 else ("kilobyte", max(1, round(size / 1e3)))
        return str(format_unit(round(value, 1), f"digital-{unit}", length="short", locale=self.locale)).replace(
            "kB", "KB"
        )

    def language_name(self, tag: str, among: Iterable[str] = ()) -> str:
        """Return the language ``tag`` in its own name, as the one who reads it looks for it.

        ``among`` are tags that it must be told from: beside ``en-US``, ``en-GB`` is English (United Kingdom).
        """
        locale = _locale(tag)
        alike = any(other != tag and _primary(other) == _primary(tag) for other in among)
        name = (locale.get_display_name() if alike else locale.get_language_name()) if _is_known(tag) else None
        name = name or tag
        return name[:1].upper() + name[1:]


def language_territory(tag: str) -> str:
    """Return ``tag`` as Open Graph writes it, ``en_GB``, with the territory that CLDR takes for the likeliest where it
    names none; empty for a language that CLDR does not know."""
    locale = _locale(tag)
    likely = get_global("likely_subtags")
    whole = likely.get("_".join(filter(None, (locale.language, locale.script)))) or likely.get(locale.language) or ""
    territory = locale.territory or str(whole).split("_")[-1]
    return f"{locale.language}_{territory}" if territory and _is_known(tag) else ""


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


def _is_known(tag: str) -> bool:
    return bool(_locale(tag).language == _primary(tag))  # else it is the fallback
