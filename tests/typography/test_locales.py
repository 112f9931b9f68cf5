"""Babel's locales in parts say what Babel's own say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from babel import Locale, localedata

from pipeline.typography.locales import likely_subtags, locale_of


def plain(value: Any) -> Any:
    """Return a table without Babel's wrappers, which are made anew each time."""
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    return repr(value)


@pytest.mark.parametrize("tag", ["en", "en-GB", "de-AT", "pt-PT", "sr-Latn", "zh-TW", "ar-EG", "nn"])
def test_each_part_of_a_locale_is_babels_own(tag: str) -> None:
    localedata._cache.clear()
    own = Locale.parse(tag, sep="-")
    found = locale_of(tag)
    assert str(found) == str(own)
    for part in [*own._data]:
        if part not in ("plural_form", "ordinal_form"):
            assert plain(found._data[part]) == plain(own._data[part]), part
    assert [found.plural_form(number) for number in range(30)] == [own.plural_form(number) for number in range(30)]


@pytest.mark.parametrize("tag", ["xx", "x-unknown", "en-XYZ", "", "../en"])
def test_unknown_languages_are_english(tag: str) -> None:
    assert locale_of(tag).language == "en"


def test_likely_scripts_are_known() -> None:
    assert likely_subtags()["sr"] == "sr_Cyrl_RS"


def test_no_language_gets_words_of_another() -> None:
    months = {tag: locale_of(tag).months["stand-alone"]["wide"][4] for tag in ("zh-TW", "ar-EG", "en", "fr")}
    assert months == {"zh-TW": "4月", "ar-EG": "أبريل", "en": "April", "fr": "avril"}
