"""Lists of formats, derived from the table of formats, so that a new one is tested without being typed again."""

from __future__ import annotations

from pipeline.model.formats import FORMATS, by_name

ROWS = tuple(row for row in FORMATS if not row.of_shots)
"""The formats of a release without a shot list."""
NAMES = tuple(row.name for row in FORMATS if not row.beside)
"""Names of the stages: a format beside another has none of its own."""
SUFFIXES = tuple(row.suffix for row in ROWS)
ENDINGS = tuple(suffix.removeprefix(".") for suffix in SUFFIXES)
"""Suffixes without the dot."""
STATED = tuple(row.name for row in ROWS if row.name in by_name("json").after)
"""Names of those whose size and digest the record states: all but the record."""
STATED_ENDINGS = tuple(by_name(name).suffix.removeprefix(".") for name in STATED)
PACKED_SUFFIXES = tuple(by_name(name).suffix for name in by_name("kit").after if name in STATED)
"""Suffixes of the files in the press kit."""
