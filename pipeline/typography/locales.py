"""Babel's locales and tables, of which only the parts are read that are asked for.

Babel reads and merges a locale whole, an eighth of what a small stage costs. Here the parts are kept, each on its own,
beside the byte code.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any

import babel
from babel import Locale, UnknownLocaleError, core, localedata

from pipeline.start.quick_start import kept

FALLBACK = "en"


class _Parts(dict[str, Any]):
    """What ``load`` returns, read part by part."""

    def __init__(self, name: str, load: Callable[[], Mapping[str, Any]]) -> None:
        super().__init__()
        self._kept = kept(
            f"babel-{name}",
            babel.__version__,
            lambda: {part: pickle.dumps(value) for part, value in load().items()},
        )

    def __missing__(self, part: str) -> Any:
        self[part] = pickle.loads(self._kept[part])  # noqa: S301  # as trustworthy as byte code
        return self[part]

    def get(self, part: str, default: Any = None) -> Any:
        """Return a part, as Babel asks for those of its tables."""
        return self[part] if part in self._kept else default


@cache
def locale_of(tag: str) -> Locale:
    """Return Babel's locale of a language; English for a language that Babel does not know."""
    parts = tag.replace("_", "-").split("-")
    for end in range(len(parts), 0, -1):
        with suppress(UnknownLocaleError, ValueError):
            locale: Locale = _in_parts(Locale.parse("_".join(parts[:end])))
            return locale
    return locale_of(FALLBACK)


def _in_parts(locale: Any) -> Any:
    name = locale._Locale__data_identifier
    parts: Any = _Parts(name, lambda: _load(name))
    locale._Locale__data = localedata.LocaleDataDict(parts)
    return locale


def _load(name: str) -> Mapping[str, Any]:
    localedata._cache.clear()  # Babel writes words of one language into what it shares with another
    return localedata.load(name)


def likely_subtags() -> Mapping[str, str]:
    """Return the likeliest script and territory of languages: ``sr`` is ``sr_Cyrl_RS``."""
    return core.get_global("likely_subtags")


def _tables() -> Any:
    core._global_data = None
    core.get_global("cldr")
    return core._global_data


_tables_in_parts: Any = _Parts("tables", _tables)
core._global_data = _tables_in_parts
