"""Reading and writing the manifest: ``manifest.json`` and its year pages.

``manifest.json`` has the newest rows. For each year it names, by digest, a page that never changes and has every row of
that year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from pipeline.model.errors import StorageError
from pipeline.model.manifest import EMPTY, KEY, Manifest, Row, YearPage, by_year, digest, newest_first

_ROWS = msgspec.json.Decoder(tuple[Row, ...])
NEWEST = 100
"""Rows in ``manifest.json`` itself."""


def load(data: bytes, page: Callable[[str], bytes]) -> Manifest:
    """Decode ``manifest.json``. ``page`` returns a year page by its key; it is called if there are more rows.

    Raises StorageError if the file is not a manifest, or if a page does not have its digest.
    """
    return with_years(load_head(data), page)


def load_head(data: bytes) -> Manifest:
    """Decode ``manifest.json``, which has the newest rows. Raises StorageError if it is not a manifest."""
    try:
        head = msgspec.json.decode(data, type=Manifest)
        if not head.serial:  # other programs have a manifest.json too, and none of its fields is ours
            raise msgspec.DecodeError("it has no serial")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{KEY} in storage is not a manifest: {error}", "check that the bucket is not used by another program"
        ) from None
    return head


def with_years(head: Manifest, page: Callable[[str], bytes]) -> Manifest:
    """Return ``head`` with all rows. Year pages never change, so those that were read last are not read again."""
    if len(head.rows) < NEWEST:
        return head
    names = tuple(year.sha256 for year in head.years.values())
    if _last.names != names:
        pages = {year.sha256: _last.pages.get(year.sha256) or year_rows(year, page) for year in head.years.values()}
        rows = {row.slug: row for listed in pages.values() for row in listed}
        _last.names, _last.pages = names, pages
        _last.rows = newest_first({**rows, **head.by_slug()}.values())
    return msgspec.structs.replace(head, rows=_last.rows)


def keep(years: Mapping[str, YearPage], rows: tuple[Row, ...]) -> None:
    """Take ``rows`` for what the year pages have: they need not be read."""
    _last.pages = {years[year].sha256: listed for year, listed in by_year(rows).items() if year in years}
    _last.names, _last.rows = tuple(year.sha256 for year in years.values()), rows


class _Last:
    """The rows of the manifest that was read or written last, and of its year pages by their digests."""

    def __init__(self) -> None:
        self.names: tuple[str, ...] = ()
        self.rows: tuple[Row, ...] = ()
        self.pages: dict[str, tuple[Row, ...]] = {}


_last = _Last()


def year_rows(year: YearPage, page: Callable[[str], bytes]) -> tuple[Row, ...]:
    """Read a year page. Raises StorageError if it does not have its digest."""
    data = page(year.name)
    if digest(data) != year.sha256:
        raise StorageError(f"{year.name} does not have the digest that {KEY} states", "make verify")
    return _ROWS.decode(data)


def dump(manifest: Manifest) -> bytes:
    """Return ``manifest.json``: the newest rows, and the names of the year pages."""
    return _encode(msgspec.structs.replace(manifest, rows=manifest.rows[:NEWEST]))


def year_pages(manifest: Manifest, known: Manifest = EMPTY) -> dict[str, bytes]:
    """Return the page of each year, by year; those without that have the rows that they have in ``known``."""
    years, before = by_year(manifest.rows), by_year(known.rows)
    return {year: _encode(rows) for year, rows in years.items() if before.get(year) != rows or year not in known.years}


def _encode(value: Manifest | Iterable[Row]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"
