"""Reading and writing the manifest: ``manifest.json`` and its year pages.

``manifest.json`` has the newest rows. For each year it names, by digest, a page that never changes and has every row of
that year.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from pipeline.model.errors import StorageError
from pipeline.model.manifest import KEY, Manifest, Row, YearPage, digest, newest_first

NEWEST = 100
"""Rows in ``manifest.json`` itself."""


def load(data: bytes, page: Callable[[str], bytes]) -> Manifest:
    """Decode ``manifest.json``. ``page`` returns a year page by its key; it is called if there are more rows.

    Raises StorageError if the file is not a manifest, or if a page does not have its digest.
    """
    try:
        head = msgspec.json.decode(data, type=Manifest)
        if not head.serial:  # other programs have a manifest.json too, and none of its fields is ours
            raise msgspec.DecodeError("it has no serial")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StorageError(
            f"{KEY} in storage is not a manifest: {error}", "check that the bucket is not used by another program"
        ) from None
    if len(head.rows) < NEWEST:
        return head
    rows = {row.slug: row for year in head.years.values() for row in _year(year, page)}
    return msgspec.structs.replace(head, rows=newest_first({**rows, **head.by_slug()}.values()))


def _year(year: YearPage, page: Callable[[str], bytes]) -> tuple[Row, ...]:
    data = page(year.name)
    if digest(data) != year.sha256:
        raise StorageError(f"{year.name} does not have the digest that {KEY} states", "make verify")
    return msgspec.json.decode(data, type=tuple[Row, ...])


def dump(manifest: Manifest) -> bytes:
    """Return ``manifest.json``: the newest rows, and the names of the year pages."""
    return _encode(msgspec.structs.replace(manifest, rows=manifest.rows[:NEWEST]))


def year_pages(manifest: Manifest) -> dict[str, bytes]:
    """Return the page of each year, by year."""
    years: dict[str, list[Row]] = {}
    for row in manifest.rows:
        years.setdefault(f"{row.date.year:04d}", []).append(row)
    return {year: _encode(rows) for year, rows in years.items()}


def _encode(value: Manifest | Iterable[Row]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"
