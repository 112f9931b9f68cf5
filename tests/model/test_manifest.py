"""The manifest: one small file that proves every byte of the newsroom."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from pipeline.model.errors import StorageError
from pipeline.model.manifest import EMPTY, Manifest, Row, YearPage, digest, newest_first
from pipeline.publish.manifest import NEWEST, dump, load, year_pages

START = datetime(2023, 12, 1, 9, tzinfo=UTC)
CET = timezone(timedelta(hours=1))


def row(number: int, **changes: object) -> Row:
    moment = START + timedelta(days=number * 3)
    values: dict[str, object] = {
        "slug": f"release-{number:03}",
        "title": f"Title “{number}”",
        "summary": "A summary.",
        "date": moment,
        "language": "en-GB",
        "record": digest(f"record {number}".encode()),
        "fingerprint": digest(f"fingerprint {number}".encode()),
        "source": digest(f"source {number}".encode()),
        "modified": moment,
        "sizes": {"pdf": 1000 + number, "json": 10},
        "pages": 2,
    }
    return msgspec.convert({**values, **changes}, Row)


def stored(manifest: Manifest) -> tuple[bytes, dict[str, bytes]]:
    """Return manifest.json and the year pages by key, as publishing puts them."""
    pages = year_pages(manifest)
    years = {year: YearPage(f"manifest/{year}.{manifest.serial}.json", digest(data)) for year, data in pages.items()}
    named = {years[year].name: data for year, data in pages.items()}
    return dump(msgspec.structs.replace(manifest, years=years)), named


def unasked(key: str) -> bytes:
    raise AssertionError(f"{key} was asked for, though all rows are in the first file")


MANY = Manifest(serial=7, rows=newest_first(row(number) for number in range(250)), assets=("assets/page.1.css",))
"""250 releases in 2023, 2024 and 2025."""


def test_a_small_newsroom_is_one_file() -> None:
    small = msgspec.structs.replace(MANY, rows=MANY.rows[: NEWEST - 1])
    head, pages = stored(small)
    found = load(head, unasked)
    assert found.rows == small.rows
    assert found.serial == 7
    assert found.assets == ("assets/page.1.css",)
    assert len(pages) == 1


def test_row_is_read_back_completely() -> None:
    full = row(
        1,
        topics=("news", "archive"),
        revision=3,
        translation_of="original",
        withdrawn=True,
        replacing={"releases/release-001.pdf": "a" * 64},
        date=datetime(2024, 2, 29, 23, 59, 59, 999000, tzinfo=CET),
    )
    found = load(dump(Manifest(serial=1, rows=(full,))), unasked)
    assert found.rows == (full,)
    assert found.rows[0].date.isoformat() == "2024-02-29T23:59:59.999000+01:00"


def test_first_file_has_the_newest_hundred_rows() -> None:
    head, _ = stored(MANY)
    rows = json.loads(head)["rows"]
    assert len(rows) == NEWEST == 100
    assert [found["slug"] for found in rows[:2]] == ["release-249", "release-248"]


def test_250_releases_of_three_years_are_read_back_from_year_pages() -> None:
    head, pages = stored(MANY)
    assert sorted(pages) == ["manifest/2023.7.json", "manifest/2024.7.json", "manifest/2025.7.json"]
    assert load(head, pages.__getitem__).rows == MANY.rows


def test_exactly_a_hundred_releases_are_read_back_too() -> None:
    hundred = msgspec.structs.replace(MANY, rows=MANY.rows[:100])
    head, pages = stored(hundred)
    assert load(head, pages.__getitem__).rows == hundred.rows


def test_year_page_has_all_rows_of_its_year_also_the_newest() -> None:
    _, pages = stored(MANY)
    for key, data in pages.items():
        rows = msgspec.json.decode(data, type=tuple[Row, ...])
        assert rows == tuple(found for found in MANY.rows if f"manifest/{found.date.year}.7.json" == key)


def test_year_is_that_of_the_date_as_the_author_wrote_it() -> None:
    """A release of New Year’s Day in Berlin stands in the new year, though it was the old one in Greenwich."""
    midnight = row(1, date=datetime(2025, 1, 1, 0, 30, tzinfo=CET))
    assert list(year_pages(Manifest(rows=(midnight,)))) == ["2025"]


def test_years_before_1000_keep_four_digits() -> None:
    assert list(year_pages(Manifest(rows=(row(1, date=datetime(987, 1, 1, tzinfo=UTC)),)))) == ["0987"]


def test_year_page_without_the_stated_digest_is_refused() -> None:
    head, pages = stored(MANY)
    pages["manifest/2024.7.json"] = pages["manifest/2024.7.json"].replace(b"A summary.", b"A lie.....", 1)
    with pytest.raises(StorageError, match=r"manifest/2024\.7\.json does not have the digest") as caught:
        load(head, pages.__getitem__)
    assert caught.value.hint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b'"words"',
        b"[]",
        b"null",
        b'{"serial": "one"}',
        b'{"serial": 1, "rows": [{}]}',
        b'{"serial": 1, "rows": [{"slug": "\xff"}]}',
        b"{}",
        b'{"name": "Our app", "start_url": "/", "icons": []}',
    ],
)
def test_manifest_of_another_program_is_refused_and_not_read_as_empty(data: bytes) -> None:
    """``manifest.json`` is what web apps call their own file: it must not be overwritten."""
    with pytest.raises(StorageError, match=r"manifest\.json in storage is not a manifest"):
        load(data, unasked)


def test_rows_are_newest_first_and_of_one_instant_by_slug() -> None:
    same = [row(1, slug=slug, date=START) for slug in ("c", "a", "b")]
    assert [found.slug for found in newest_first([*same, row(9, slug="z")])] == ["z", "a", "b", "c"]


def test_order_is_by_instant_and_not_by_local_time() -> None:
    berlin = row(1, slug="berlin", date=datetime(2025, 1, 1, 9, 30, tzinfo=CET))
    london = row(1, slug="london", date=datetime(2025, 1, 1, 9, 0, tzinfo=UTC))
    assert [found.slug for found in newest_first([berlin, london])] == ["london", "berlin"]


def test_written_bytes_do_not_depend_on_the_order_of_reading() -> None:
    rows = list(MANY.rows)
    random.Random(1).shuffle(rows)
    sizes = [msgspec.structs.replace(found, sizes=dict(reversed(found.sizes.items()))) for found in rows]
    assert stored(msgspec.structs.replace(MANY, rows=newest_first(sizes))) == stored(MANY)


def test_row_in_the_first_file_replaces_that_of_its_year_page() -> None:
    head, pages = stored(MANY)
    decoded = msgspec.json.decode(head, type=Manifest)
    fresh = msgspec.structs.replace(decoded.rows[0], title="Corrected")
    head = dump(msgspec.structs.replace(decoded, rows=(fresh, *decoded.rows[1:])))
    found = load(head, pages.__getitem__)
    assert found.rows[0].title == "Corrected"
    assert len(found.rows) == 250


def test_digests_are_sha_256() -> None:
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_files_of_a_row_are_in_the_order_of_the_formats() -> None:
    files = row(1, sizes={"json": 1, "html": 2, "docx": 3, "pdf": 4, "text": 5}).files
    assert [(found.format, found.size, found.pages) for found in files] == [
        ("text", 5, 0),
        ("pdf", 4, 2),
        ("docx", 3, 0),
        ("html", 2, 0),
        ("json", 1, 0),
    ]
    assert files[0].key == "releases/release-001.txt"


def test_unknown_format_is_not_a_file_of_a_row() -> None:
    assert [found.format for found in row(1, sizes={"pdf": 1, "epub": 2}).files] == ["pdf"]


def test_the_empty_manifest_has_no_serial_yet() -> None:
    assert (EMPTY.serial, EMPTY.rows) == (0, ())


def test_manifest_is_readable_for_people() -> None:
    head = dump(MANY)
    assert head.endswith(b"}\n")
    assert head.count(b"\n") > 1000
    assert "“249”" in head.decode()
