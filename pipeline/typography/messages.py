"""The template's strings, and dates, numbers and sizes, in the language of a release.

The strings of a language are in ``templates/words/LANGUAGE.toml``, of a language with several scripts in
``LANGUAGE-Script.toml``. A language without a file, and a string that a file
lacks, fall back to English. Babel (CLDR) formats dates, numbers and sizes. Babel is imported by the functions that need
it, because most commands use this module without it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipeline.model.newsroom import Newsroom

if TYPE_CHECKING:
    from babel import Locale

FOLDER = Path(__file__).parents[2] / "templates" / "words"
FALLBACK = "en"
_LONG_WORDS = frozenset(("da", "de", "et", "fi", "hu", "is", "nb", "nl", "nn", "no", "sv"))
"""Languages that write compounds as one word. Without hyphens, their ragged lines would differ too much in length."""
_FROM_RIGHT = re.compile("[\u0590-\u08ff]")
_SPACED = frozenset(("Latn", "Cyrl", "Grek", "Armn", "Geor"))
_SLANTED = frozenset(("Latn", "Cyrl", "Grek", "Arab", "Thai"))

_CREDIT_LABEL = re.compile(
    r"(?:photos?|photographs?|photograph(?:er|y)|pictures?|images?|credits?|fotos?|fotograf[íi]as?|bild(?:er)?|"
    r"photographies?|cr[ée]dits?|im[aá]gen(?:es)?|تصوير|صورة|사진(?: *제공)?|写真|撮影|图片|摄影)"
    r"(?:\s+(?:credit|courtesy)s?)?(?=\W)"
    r"(?:(?P<colon>\s*[:：]\s*)|\s*(?:by|courtesy|©|\(c\)|de|von|par|di|=|/)\s*)(?=\S)",
    re.IGNORECASE,
)
"""Labels with which people begin a credit."""


def bare_credit(name: str) -> str:
    """Return a picture's credit without a label and colon that were typed with it."""
    typed = _CREDIT_LABEL.match(name)
    return name[typed.end() :] if typed and typed["colon"] else name


class Messages:
    """The strings of one language, and the formats of its dates and numbers in one time zone.

    ``messages["ends"]`` is the string called ``ends``; the methods format dates, numbers and sizes.
    """

    def __init__(self, language: str, time_zone: str) -> None:
        self.language = language
        self.zone = ZoneInfo(time_zone)
        self._tables = (*map(_table, dict.fromkeys((language, self.file))), _table(FALLBACK))

    def __reduce__(self) -> tuple[type[Messages], tuple[str, str]]:
        """Pickle what they are made from: the files and Babel's data are on every machine that renders."""
        return Messages, (self.language, self.zone.key)

    @cached_property
    def file(self) -> str:
        """The name of the language's file without suffix: ``de`` for ``de-AT``, ``zh-Hans`` for ``zh``.

        The script is part of it where a language is translated into one of its scripts.
        """
        primary = _primary(self.language)
        return f"{primary}-{self.script}" if any(FOLDER.glob(f"{primary}-????.toml")) else primary

    @cached_property
    def locale(self) -> Locale:
        """Babel's locale of the language; English for a language that Babel does not know."""
        return _locale(self.language)

    @property
    def direction(self) -> str:
        """``rtl`` for scripts that are written from right to left, else ``ltr``."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    @property
    def script(self) -> str:
        """The script of the language as an ISO 15924 code: ``Latn``. Korean and Japanese have a code for their mix."""
        from pipeline.typography.locales import likely_subtags

        likely = likely_subtags()
        parts = self.language.replace("_", "-").split("-")
        primary = parts[0].lower()
        stated = next((part.title() for part in parts[1:] if len(part) == 4 and part.isalpha()), "")
        region = f"{primary}_{parts[-1].upper()}" if len(parts) > 1 else primary
        return stated or str(likely.get(region, likely.get(primary, f"{primary}_Latn_001"))).split("_")[1]

    @property
    def letterspaced(self) -> bool:
        """Whether labels may have space between letters. It would break letters that join or stand in a grid."""
        return self.script in _SPACED

    @property
    def slanted(self) -> bool:
        """Whether this script uses italics for emphasis."""
        return self.script in _SLANTED

    @property
    def hyphenated(self) -> bool:
        """Whether words are hyphenated at the end of a line, where the format can do it."""
        return _primary(self.language) in _LONG_WORDS

    def __getitem__(self, name: str) -> str:
        """Return the string called ``name``. Raises KeyError for a name that the English file lacks too."""
        return self.all(name)[0]

    def fill(self, name: str, /, **values: str) -> str:
        """Return the string called ``name`` with ``values`` in the place of its braces.

        Where English stands in for a language from right to left, values in its letters are isolated from the English
        words; otherwise the day of a date would be shown beside the words.
        """
        text = self[name]
        if self.direction == "rtl" and name in self.lacking and re.search("[A-Za-z]", re.sub(r"\{\w+\}", "", text)):
            values = {
                key: f"\u2068{value}\u2069" if _FROM_RIGHT.search(value) else value for key, value in values.items()
            }
        return text.format(**values)

    def isolated(self, name: str) -> str:
        """Return ``name`` so that what stands around it does not change the order in which its parts are shown."""
        kinds = [kind for sign in name if (kind := unicodedata.bidirectional(sign)) in ("L", "R", "AL")]
        if not {*kinds} & ({"L"} if self.direction == "rtl" else {"R", "AL"}):
            return name
        # The mark is for the end of a name that goes on in a second line, where WeasyPrint knows of no isolate.
        mark = "\u200e" if kinds[0] == "L" else "\u200f"
        return f"\u2068{name}{mark}\u2069"

    def series(self, parts: Iterable[str]) -> str:
        """Return ``parts`` with commas between them; from right to left, none gets mixed up with the one before."""
        found = list(filter(None, parts))
        if self.direction == "ltr" or len(found) < 2:
            return ", ".join(found)
        comma = "\u060c" if self.script == "Arab" else ","
        return f"{comma}\u200f ".join(part if _FROM_RIGHT.search(part) else f"\u200e{part}\u200e" for part in found)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every form of a string that has several, the preferred one first. Raises KeyError."""
        value = next((table[name] for table in self._tables if name in table), None)
        if value is None:
            raise KeyError(name)
        return (value,) if isinstance(value, str) else tuple(value)

    def credit(self, name: str, mark: str = "") -> str:
        """Return ``name`` with the label of a picture's credit: ``Photo: Ann Lee``; both may be empty.

        A label that was typed with it, of any language, is not repeated; nor is one without a colon: ``Photo by Ann``.
        ``mark`` names the message that follows: ``Photo: Ann Lee · Made with AI``.
        """
        typed = _CREDIT_LABEL.match(name)
        is_labelled = typed and not typed["colon"]
        credited = name if is_labelled or not name else self["photo"].format(credit=bare_credit(name))
        return " · ".join(filter(None, (credited, self[mark] if mark else "")))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The names of the strings that fall back to English; none for English itself."""
        own = {name for table in self._tables[:-1] for name in table}
        return tuple(name for name in self._tables[-1] if name not in own)

    def local(self, moment: datetime) -> datetime:
        """Return ``moment`` in the newsroom's time zone."""
        return moment.astimezone(self.zone)

    def date(self, moment: datetime) -> str:
        """Return the day as in a letterhead: ``22 February 1999``."""
        return self._day(self.local(moment), "long")

    def day_or_part(self, day: str) -> str:
        """Return a day, a month or a year in ISO 8601 as it is printed: ``1998-09`` is ``September 1998``."""
        from babel.dates import format_skeleton

        year, month, of_month = (int(part) if part else 0 for part in f"{day}--".split("-")[:3])
        moment = datetime(year, month or 1, of_month or 1, tzinfo=self.zone)
        if of_month:
            return self.date(moment)
        return self.month(moment) if month else str(format_skeleton("y", moment, locale=self.locale))

    def month(self, moment: datetime) -> str:
        """Return the month as a heading: ``February 1999``."""
        from babel.dates import format_skeleton

        return str(format_skeleton("yMMMM", self.local(moment), locale=self.locale))

    def instant(self, moment: datetime) -> str:
        """Return date, time, zone name, offset and UTC, so that the end of an embargo is clear in every time zone."""
        from babel.dates import get_timezone_name

        there, utc = self.local(moment), moment.astimezone(UTC)
        pattern = "HH:mm:ss" if moment.second else "HH:mm"
        utc_time = self._time(utc, pattern)
        if utc.date() != there.date():
            utc_time = f"{self._day(utc, 'medium')}, {utc_time}"
        return self.fill(
            "embargo_instant",
            date=self._day(there, "full"),
            time=self._time(there, pattern),
            zone=get_timezone_name(there, width="long", locale=self.locale),
            # Babel's get_timezone_gmt is an hour off west of Greenwich for zones with half hours.
            offset=f"UTC{there.isoformat(timespec='minutes')[16:]}",
            utc=utc_time,
        )

    def moment(self, moment: datetime) -> str:
        """Return day and time in the newsroom's time zone, in short: ``1 Jul 2026, 00:01``."""
        there = self.local(moment)
        return f"{self._day(there, 'medium')}, {self._time(there, 'HH:mm')}"

    def _day(self, moment: datetime, style: str) -> str:
        from babel.dates import format_date

        return str(format_date(moment.date(), style, locale=self.locale))

    def _time(self, moment: datetime, pattern: str) -> str:
        from babel.dates import format_time

        return str(format_time(moment.time(), pattern, locale=self.locale))

    def number(self, value: float) -> str:
        """Return ``value`` with the digit grouping and the decimal sign of the language."""
        from babel.numbers import format_decimal

        return str(format_decimal(value, locale=self.locale))

    def pixels(self, width: int, height: int) -> str:
        """Return the size of a picture: ``4,000 × 3,000 px``."""
        return f"{self.number(width)} × {self._unit(height, 'graphics-pixel')}"

    def pages(self, count: int) -> str:
        """Return a number of pages: ``2 pages``."""
        return self.fill("one_page" if count == 1 else "many_pages", count=self.number(count))

    def size(self, size: int) -> str:
        """Return the size of a file: ``26 KB``, ``1.4 MB``, ``2 GB``. A kilobyte has 1,000 bytes."""
        unit, value = ("megabyte", size / 1e6) if size >= 999_500 else ("kilobyte", max(1, round(size / 1e3)))
        unit, value = ("gigabyte", size / 1e9) if size >= 999_950_000 else (unit, value)
        return self._unit(round(value, 1), f"digital-{unit}").replace("kB", "KB")

    def _unit(self, value: float, unit: str) -> str:
        from babel.units import format_unit

        return str(format_unit(value, unit, length="short", locale=self.locale))

    def translated_language(self, tag: str) -> str:
        """Return the name of the language ``tag`` in this language: ``French`` or ``français``."""
        return (_locale(tag).get_language_name(self.locale) if _is_known(tag) else None) or tag

    def language_name(self, tag: str, among: Iterable[str] = ()) -> str:
        """Return the name of the language ``tag`` in that language.

        The name includes the region if ``among`` has another tag of the same language: with ``en-US`` there, ``en-GB``
        is English (United Kingdom).
        """
        locale = _locale(tag)
        alike = any(other != tag and _primary(other) == _primary(tag) for other in among)
        name = (locale.get_display_name() if alike else locale.get_language_name()) if _is_known(tag) else None
        name = name or tag
        return name[:1].upper() + name[1:]


def capitals(text: str, language: str) -> str:
    """Return ``text`` in capitals as ``language`` writes them: Turkish has a dotted and a dotless i."""
    return (text.replace("i", "İ") if _primary(language) in ("tr", "az") else text).upper()


def paragraphs(text: str) -> tuple[str, ...]:
    """Split plain text into paragraphs at empty lines; join the lines of a paragraph."""
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n") if part.strip())


def newsroom_messages(newsroom: Newsroom) -> Messages:
    """Return the messages in the newsroom's own language."""
    return Messages(newsroom.language, newsroom.time_zone)


@cache
def direction_of(tag: str) -> str:
    """Return the direction of the language ``tag``, ``ltr`` or ``rtl``."""
    return Messages(tag, "UTC").direction


def language_territory(tag: str) -> str:
    """Return ``tag`` as Open Graph writes it: ``en_GB``.

    A tag without a territory gets the likeliest one in CLDR; a language that CLDR does not know gives an empty string.
    """
    from pipeline.typography.locales import likely_subtags

    locale, likely = _locale(tag), likely_subtags()
    whole = likely.get("_".join(filter(None, (locale.language, locale.script)))) or likely.get(locale.language) or ""
    territory = locale.territory or str(whole).split("_")[-1]
    return f"{locale.language}_{territory}" if territory and _is_known(tag) else ""


@cache
def _table(language: str) -> dict[str, str | list[str]]:
    import tomllib

    file = FOLDER / f"{language}.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}


def _locale(tag: str) -> Locale:
    from pipeline.typography.locales import locale_of

    return locale_of(tag)


def _primary(tag: str) -> str:
    return tag.replace("_", "-").split("-")[0].lower()


def _is_known(tag: str) -> bool:
    return bool(_locale(tag).language == _primary(tag))  # for an unknown one it is the fallback
