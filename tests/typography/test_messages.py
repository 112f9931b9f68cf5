"""The template's messages, dates and sizes in each language, and the fallback to English."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.formats import FORMATS
from pipeline.typography import messages as words_module
from pipeline.typography.messages import FALLBACK, FOLDER, Messages, capitals, language_territory
from tests.support.newsroom import LOCKS, ROOT, UNTRANSLATED

BST = timezone(timedelta(hours=1))
EMBARGO = datetime(2026, 7, 1, 0, 1, tzinfo=BST)
"""00:01 in London, still 30 June in Greenwich."""
LANGUAGES = tuple(sorted(file.stem for file in FOLDER.glob("*.toml")))


def table(language: str) -> dict[str, str | list[str]]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))


def placeholders(value: str | list[str]) -> set[str]:
    return set(re.findall(r"\{\w*\}", " ".join(value) if isinstance(value, list) else value))


# ── The files ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_english_has_a_file() -> None:
    assert FALLBACK in LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_file_has_the_same_messages_as_the_english_one(language: str) -> None:
    assert set(table(language)) == set(table(FALLBACK))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_has_the_placeholders_of_the_english_one(language: str) -> None:
    english = table(FALLBACK)
    for name, value in table(language).items():
        wanted = placeholders(english[name])
        found = placeholders(value)
        assert found <= wanted, name
        assert found == wanted or name == "one_page", name


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_empty_or_has_spaces_at_its_ends(language: str) -> None:
    for name, value in table(language).items():
        for form in [value] if isinstance(value, str) else value:
            assert form, name
            assert form == form.strip(), name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_format_has_a_label(language: str) -> None:
    assert all(Messages(language, "UTC")[row.name] for row in FORMATS)


def test_every_message_that_the_code_uses_exists() -> None:
    root = Path(words_module.__file__).parents[1]
    source = "\n".join(file.read_text("utf-8") for file in [*root.rglob("*.py"), *FOLDER.parent.glob("*.j2")])
    asked = set(re.findall(r"""\bmessages\[["'](\w+)["']\]|\bfill\(\s*"(\w+)\"""", source))
    asked = {name for names in asked for name in names if name}
    assert len(asked) > 15
    assert asked <= set(table(FALLBACK))


# ── Which language ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_messages_fall_back_to_the_primary_language() -> None:
    assert Messages("ar-EG", "UTC")["ends"] == Messages("ar", "UTC")["ends"] == "انتهى"
    assert Messages("en-GB", "UTC")["ends"] == "Ends"


def test_language_without_a_file_has_english_messages_and_its_own_dates() -> None:
    assert Messages(UNTRANSLATED, "UTC")["ends"] == "Ends"
    assert Messages(UNTRANSLATED, "Europe/Berlin").date(EMBARGO).endswith(" 2026")
    assert "July" not in Messages(UNTRANSLATED, "Europe/Berlin").date(EMBARGO)


@pytest.mark.parametrize(
    ("tag", "file", "ends"),
    [("zh", "zh-Hans", "完"), ("zh-CN", "zh-Hans", "完"), ("zh-Hans-SG", "zh-Hans", "完"), ("pt-BR", "pt", "Fim"),
     ("de-AT", "de", "Ende")],
)  # fmt: skip
def test_language_of_several_scripts_has_the_messages_of_its_script(tag: str, file: str, ends: str) -> None:
    messages = Messages(tag, "UTC")
    assert messages.file == file
    assert messages["ends"] == ends
    assert Messages("zh-TW", "UTC").file == Messages("zh-Hant", "UTC").file == "zh-Hant"


@pytest.mark.parametrize(
    ("text", "language", "printed"),
    [("iyi ışık", "tr", "İYİ IŞIK"), ("iyi", "az-Latn", "İYİ"), ("iyi ışık", "en", "IYI IŞIK"), ("Fuß", "de", "FUSS")],
)
def test_capitals_are_those_of_the_language(text: str, language: str, printed: str) -> None:
    assert capitals(text, language) == printed


def test_single_missing_message_falls_back_to_english(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, dict[str, str | list[str]]] = {
        "fr": {"ends": "Fin", "email": "Courriel"}, "fr-CA": {"email": "Adresse"}, "en": table("en"),
    }  # fmt: skip
    monkeypatch.setattr(words_module, "_table", lambda language: files.get(language, {}))
    messages = Messages("fr-CA", "UTC")
    assert (messages["email"], messages["ends"], messages["footage"]) == ("Adresse", "Fin", "Footage")


def test_a_copy_of_the_english_file_is_enough_for_a_further_language(tmp_path: Path) -> None:
    """As docs/writing.md says: the tests of a copy of the repository pass before anything is translated."""
    for name in ("pipeline", "templates", "tests", "content", "docs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", *LOCKS):
        shutil.copy(ROOT / name, tmp_path)
    words = tmp_path / "templates" / "words"
    shutil.copy(words / "en.toml", words / f"{UNTRANSLATED}.toml")
    tests = ["tests/typography/test_messages.py", "tests/cli/test_commands.py", "-k", "not further_language"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout[-2000:]


def test_message_that_english_lacks_too_is_an_error() -> None:
    with pytest.raises(KeyError):
        Messages("ar", "UTC")["no_such_word"]


def test_messages_that_fall_back_to_english_are_reported() -> None:
    assert Messages("en-GB", "UTC").lacking == ()
    assert Messages("ar", "UTC").lacking == ()
    assert "ends" in Messages(UNTRANSLATED, "UTC").lacking


def test_dates_are_isolated_from_english_that_stands_in_for_a_language_from_the_right() -> None:
    """Otherwise the day would be shown beside the English word, and the month and the year elsewhere."""
    hebrew = Messages("he", "UTC")
    assert hebrew.fill("correction", date="1 ביולי 2026") == "Correction, \u20681 ביולי 2026\u2069"
    assert hebrew.fill("version", number="2", date="July") == "Version 2, July"
    assert hebrew.fill("dateline", place="חיפה", date="1 ביולי 2026") == "חיפה, 1 ביולי 2026"
    assert "\u2068" not in Messages("ar", "UTC").fill("correction", date="1 يوليو 2026")


@pytest.mark.parametrize(
    ("language", "script"),
    [
        ("en-GB", "Latn"),
        ("ko", "Kore"),
        ("zh", "Hans"),
        ("zh-HK", "Hant"),
        ("sr-Latn", "Latn"),
        ("he", "Hebr"),
        ("xx", "Latn"),
    ],
)
def test_script_is_that_of_the_language(language: str, script: str) -> None:
    assert Messages(language, "UTC").script == script


def test_message_with_several_forms_returns_all_preferred_one_first() -> None:
    messages = Messages("en", "UTC")
    assert messages["notes_to_editors"] == messages.all("notes_to_editors")[0] == "Notes to editors"
    assert "Notes for editors" in messages.all("notes_to_editors")
    assert messages.all("ends") == ("Ends",)


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en-GB", "ltr"), ("ar", "rtl"), ("ar-EG", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("ko", "ltr"),
     ("zh-Hant-TW", "ltr"), ("az-Arab", "rtl"), ("xx", "ltr")],
)  # fmt: skip
def test_direction_is_that_of_the_script(language: str, direction: str) -> None:
    assert Messages(language, "UTC").direction == direction


@pytest.mark.parametrize(
    ("tag", "name"),
    [("en", "English"), ("fr", "Français"), ("ar", "العربية"), ("ko", "한국어"), ("pt-BR", "Português"),
     ("el", "Ελληνικά"),
     ("EN-gb", "English")],
)  # fmt: skip
def test_languages_have_their_own_names(tag: str, name: str) -> None:
    assert Messages("en", "UTC").language_name(tag) == name


@pytest.mark.parametrize(
    ("tag", "among", "name"),
    [("en-GB", ("en-US",), "English (United Kingdom)"), ("pt-BR", ("pt-BR", "pt-PT"), "Português (Brasil)"),
     ("zh-Hant", ("zh-Hans",), "中文 (繁體)"), ("en-GB", ("en-GB", "ar"), "English"), ("en", ("en-GB",), "English")],
)  # fmt: skip
def test_languages_with_the_same_name_are_distinguished_by_region(tag: str, among: tuple[str, ...], name: str) -> None:
    assert Messages("en", "UTC").language_name(tag, among) == name


@pytest.mark.parametrize(
    ("tag", "name"),
    [("en-GB", "en_GB"), ("ar", "ar_EG"), ("de", "de_DE"), ("zh-Hant", "zh_TW"), ("zh-Hans", "zh_CN"),
     ("sr-Latn", "sr_RS"), ("ko", "ko_KR"), ("EN-gb", "en_GB"), ("xx", ""), ("qaa", "")],
)  # fmt: skip
def test_open_graph_locale_always_has_a_territory(tag: str, name: str) -> None:
    assert language_territory(tag) == name


@pytest.mark.parametrize("tag", ["xx", "qaa", "xx-Latn"])
def test_unknown_language_is_named_by_its_tag(tag: str) -> None:
    assert Messages("en", "UTC").language_name(tag).casefold() == tag.casefold()


# ── Dates and embargoes ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("language", "zone", "date"),
    [
        ("en-GB", "Europe/London", "1 July 2026"),
        ("en-GB", "America/St_Johns", "30 June 2026"),
        ("en-GB", "Pacific/Kiritimati", "1 July 2026"),
        ("en-US", "UTC", "June 30, 2026"),
        ("fr", "Europe/Paris", "1 juillet 2026"),
        ("de", "Europe/Berlin", "1. Juli 2026"),
        ("ar", "Africa/Cairo", "1 يوليو 2026"),
        ("ko", "Asia/Seoul", "2026년 7월 1일"),
    ],
)
def test_day_is_in_the_newsrooms_time_zone_and_the_language_of_the_release(language: str, zone: str, date: str) -> None:
    assert Messages(language, zone).date(EMBARGO) == date


def test_a_leap_day_is_printed() -> None:
    assert Messages("en-GB", "Europe/London").date(datetime(2028, 2, 29, 12, tzinfo=UTC)) == "29 February 2028"


@pytest.mark.parametrize(
    ("language", "zone", "moment", "printed"),
    [
        ("en-GB", "Europe/London", EMBARGO,
         "Wednesday, 1 July 2026, 00:01 British Summer Time (UTC+01:00; 30 Jun 2026, 23:01 UTC)"),
        ("en-GB", "Europe/London", datetime(2026, 1, 5, 9, tzinfo=UTC),
         "Monday, 5 January 2026, 09:00 Greenwich Mean Time (UTC+00:00; 09:00 UTC)"),
        ("en-GB", "Europe/London", datetime(2026, 1, 5, 9, 0, 30, tzinfo=UTC),
         "Monday, 5 January 2026, 09:00:30 Greenwich Mean Time (UTC+00:00; 09:00:30 UTC)"),
        ("en", "America/St_Johns", EMBARGO,
         "Tuesday, June 30, 2026, 20:31 Newfoundland Daylight Time (UTC-02:30; 23:01 UTC)"),
        ("en", "Pacific/Kiritimati", EMBARGO,
         "Wednesday, July 1, 2026, 13:01 Line Islands Time (UTC+14:00; Jun 30, 2026, 23:01 UTC)"),
        ("de", "Europe/Berlin", EMBARGO,
         "Mittwoch, 1. Juli 2026, 01:01 Uhr, Mitteleuropäische Sommerzeit (UTC+02:00; 30.06.2026, 23:01 UTC)"),
    ],
)  # fmt: skip
def test_end_of_an_embargo_is_stated_with_zone_offset_and_utc(
    language: str, zone: str, moment: datetime, printed: str
) -> None:
    assert Messages(language, zone).instant(moment) == printed


def test_an_embargo_in_arabic_has_day_offset_and_utc() -> None:
    printed = Messages("ar", "Africa/Cairo").instant(EMBARGO)
    assert printed.startswith("الأربعاء، 1 يوليو 2026، 02:01 توقيت شرق أوروبا الصيفي (UTC+03:00؛ ")
    assert printed.endswith("23:01 UTC)")


def test_repeated_hour_at_the_end_of_summer_time_is_distinguished_by_its_offset() -> None:
    """When clocks go back, 01:30 comes twice."""
    messages = Messages("en-GB", "Europe/London")
    first, second = (messages.instant(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1))
    assert "01:30 British Summer Time (UTC+01:00; 00:30 UTC)" in first
    assert "01:30 Greenwich Mean Time (UTC+00:00; 01:30 UTC)" in second


ZONES = ("Europe/London", "America/St_Johns", "Pacific/Kiritimati", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


@given(st.datetimes(datetime(1970, 1, 2), datetime(2099, 1, 1)), st.sampled_from(ZONES), st.sampled_from(ZONES))
def test_printed_instant_does_not_depend_on_the_offset_that_the_author_wrote(
    moment: datetime, zone: str, other: str
) -> None:
    instant = moment.replace(microsecond=0, tzinfo=UTC)
    messages = Messages("en-GB", zone)
    assert messages.instant(instant) == messages.instant(Messages("en", other).local(instant))
    offset = re.search(r"\(UTC([+-])(\d\d):(\d\d);", messages.instant(instant))
    assert offset
    stated = timedelta(hours=int(offset[2]), minutes=int(offset[3])) * (1 if offset[1] == "+" else -1)
    assert abs(messages.local(instant).replace(tzinfo=UTC) - instant - stated) < timedelta(minutes=1)


# ── Numbers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "printed"),
    [(0, "1 KB"), (1, "1 KB"), (499, "1 KB"), (1499, "1 KB"), (26_400, "26 KB"), (999_499, "999 KB"), (999_500, "1 MB"),
     (1_449_000, "1.4 MB"), (12_000_000, "12 MB"), (999_949_999, "999.9 MB"), (2_500_000_000, "2.5 GB")],
)  # fmt: skip
def test_sizes_are_in_units_of_thousand_and_at_least_one(size: int, printed: str) -> None:
    assert Messages("en-GB", "UTC").size(size) == printed


def test_sizes_and_numbers_have_the_format_of_the_language() -> None:
    assert Messages("fr", "UTC").size(1_400_000).replace("\u202f", " ").replace("\xa0", " ") == "1,4 Mo"
    assert Messages("de", "UTC").number(1234) == "1.234"
    assert Messages("en", "UTC").number(1234) == "1,234"


def test_number_of_pages_has_singular_and_plural() -> None:
    assert [Messages("en", "UTC").pages(count) for count in (1, 2, 1200)] == ["1 page", "2 pages", "1,200 pages"]
    assert Messages("ar", "UTC").pages(1) == "صفحة واحدة"


@pytest.mark.parametrize(
    ("language", "typed", "printed"),
    [
        ("en", "Ann Lee", "Photo: Ann Lee"),
        ("en", "Photo: Ann Lee", "Photo: Ann Lee"),
        ("en", "photo credit : Ann Lee", "Photo: Ann Lee"),
        ("en", "Foto: Ann Lee", "Photo: Ann Lee"),
        ("en", "Photo by Ann Lee", "Photo by Ann Lee"),
        ("en", "Photo Agency", "Photo: Photo Agency"),
        ("en", "Photographic Trust: Ann Lee", "Photo: Photographic Trust: Ann Lee"),
        ("fr", "Photo: Ann Lee", "Photo\u00a0: Ann Lee"),
        ("es", "Foto: Ann Lee", "Foto: Ann Lee"),
        ("ar", "تصوير: ليلى", "تصوير: ليلى"),
        ("ko", "사진: 김", "사진: 김"),
        ("ko", "사진제공=김", "사진제공=김"),
        ("de", "Bild: Ann Lee", "Foto: Ann Lee"),
    ],
)
def test_the_label_of_a_credit_is_printed_once(language: str, typed: str, printed: str) -> None:
    assert Messages(language, "Europe/London").credit(typed) == printed
