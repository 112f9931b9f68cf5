"""What machines take out of a newsroom, from the store that it was published to and from nothing else.

One starts at ``manifest.json`` and knows everything; others read feeds, of which every address must be true.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from pipeline.model.formats import SYNDICATION
from pipeline.validators import ninjs
from tests.support.formats import STATED_ENDINGS
from tests.support.newsroom import SAMPLE, Office
from tests.support.public_http import address_of, get
from tests.support.syndication import ParsedFeed, read

SEED, ARABIC, CATALOGUE = "south-korea-first-year", "south-korea-first-year-ar", "archive-opens-tape-catalogue"
CORRECTED, GONE, HELD = "corrected", "gone", "held-secret"
CORRECTION = '\n  - { date: "2026-03-04T10:00+00:00", note: "It was 12." }'
WITHDRAWAL = '{ date: "2026-03-05T10:00+00:00", reason: "It was wrong." }'
RSS, ATOM, JSON = SYNDICATION

Record = dict[str, Any]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The newsroom that comes along, with a correction, a withdrawal and something that waits."""
    newsroom = (SAMPLE / "newsroom.toml").read_text("utf-8")
    newsroom = newsroom.replace('["en-GB", "ar"]', '["en-GB", "ar", "fa"]')
    found = Office(tmp_path_factory.mktemp("wire") / "office", newsroom=newsroom)
    shutil.copytree(SAMPLE, found.content, dirs_exist_ok=True, ignore=shutil.ignore_patterns("newsroom.toml"))
    found.write(CORRECTED, "Corrected", corrections=CORRECTION, dateline="Leeds", topics="[archive]")
    found.write(GONE, "Gone", withdrawn=WITHDRAWAL, topics="[human-rights]")
    found.write(HELD, "Zukunft", date="2126-01-01T09:00+00:00", embargo="true", topics="[archive]")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def base(office: Office) -> str:
    result = office.make("publish")
    assert result.status == 0, result.text
    return address_of(result.out)


def fetched(address: str) -> tuple[str, bytes]:
    """Return the media type and the bytes of what must be there."""
    status, headers, data = get(address)
    assert status == 200, address
    assert int(headers["content-length"]) == len(data)
    return headers["content-type"].partition(";")[0], data


def proved(address: str, digest: str) -> bytes:
    _, data = fetched(address)
    assert sha256(data).hexdigest() == digest, address
    return data


def rows_of(base: str) -> dict[str, dict[str, Any]]:
    """Return every row, by way of the page of each year, which ``manifest.json`` names by its digest."""
    manifest = json.loads(fetched(f"{base}manifest.json")[1])
    pages = [json.loads(proved(base + year["name"], year["sha256"])) for year in manifest["years"].values()]
    rows = {row["slug"]: row for page in pages for row in page}
    assert [row for row in manifest["rows"] if rows[row["slug"]] != row] == [], "the newest stand in both"
    return rows


def records_of(base: str) -> dict[str, Record]:
    """Return every record by slug, each proved by its row."""
    return {
        slug: json.loads(proved(f"{base}releases/{slug}.json", row["record"])) for slug, row in rows_of(base).items()
    }


# ── The whole newsroom ────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_file_is_as_its_record_states(base: str, office: Office) -> None:
    taken: dict[str, bytes] = {}
    for slug, record in records_of(base).items():
        digests = {each["role"]: each["value"] for each in record["altIds"]}
        for part in record["renditions"]:
            key = part["href"].removeprefix(base)
            taken[key] = proved(part["href"], digests[f"sha256:{key}"])
            assert (len(taken[key]), fetched(part["href"])[0]) == (
                part["sizeInBytes"],
                part["contentType"].partition(";")[0],
            )
        pictured = any(key.startswith(f"releases/{slug}/") for key in taken)
        suffixes = (
            ("html",) if slug == GONE else tuple(each for each in STATED_ENDINGS if each != "png" or not pictured)
        )
        assert {f"releases/{slug}.{suffix}" for suffix in suffixes} <= set(taken)
    made = {key: data for key, data in office.files().items() if key.startswith("releases/")}
    assert taken == {key: data for key, data in made.items() if key.count("/") > 1 or not key.endswith(".json")}


def test_record_has_all_facts_that_a_news_wire_needs(base: str) -> None:
    rows, records = rows_of(base), records_of(base)
    assert set(records) == {SEED, ARABIC, CATALOGUE, CORRECTED, GONE}
    for slug, record in records.items():
        row = rows[slug]
        assert record["uri"] == f"tag:example.org,2026:releases/{slug}"
        assert (record["title"], record["language"]) == (row["title"], row["language"])
        assert datetime.fromisoformat(record["firstCreated"]) == datetime.fromisoformat(row["date"])
        assert datetime.fromisoformat(record["versionCreated"]) == datetime.fromisoformat(row["modified"])
        assert record["version"] == str(row.get("revision", 1))
        assert [topic["literal"] for topic in record.get("subjects", [])] == row.get("topics", [])
        assert [genre["name"] for genre in record["genres"]] == ["Press Release"]
        assert record["copyrightHolder"] == "Open Window Archive"
        assert record["copyrightNotice"].startswith("© ")
        assert record["usageTerms"]
        assert {way["type"] for person in record["people"] for way in person["contactInfo"]} == {"phone", "email"}
        assert "embargoedUntil" not in record, "what is public is under none"
        if slug == GONE:
            assert "associations" not in record, "it leads nowhere any more"
            continue
        (film,) = (each for each in record["associations"] if each["rel"] == "footage")
        assert film["renditions"][0]["format"] == "Beta SP"
        assert film["infoSources"][0]["contactInfo"][0] == {"type": "phone", "value": "+44 117 930 4099"}
        assert film["descriptions"][0]["value"]
        assert film.get("usageTerms", "") == ("" if slug in (SEED, ARABIC) else "Free for news use, with credit")
    assert records[CORRECTED]["version"] == "2"
    assert records[CORRECTED]["places"] == [{"name": "Leeds", "rel": "dateline"}]
    assert (records[GONE]["pubStatus"], records[CORRECTED]["pubStatus"]) == ("canceled", "usable")
    (original,) = (each for each in records[ARABIC]["associations"] if each["rel"] == "translation")
    assert original["uri"] == records[SEED]["uri"]


def test_embargoed_record_states_the_end_of_the_embargo_and_is_not_public(base: str, office: Office) -> None:
    record = json.loads((office.waiting / f"releases/{HELD}.json").read_bytes())
    assert record["embargoedUntil"] == "2126-01-01T09:00:00+00:00"
    assert ninjs.load_validator(Path("/nonexistent"))(json.dumps(record).encode()) == []
    assert get(f"{base}releases/{HELD}.json")[0] == get(f"{base}releases/nobody.json")[0] != 200
    for key, data in office.files().items():
        assert b"secret" not in data, key
        assert b"Zukunft" not in data, key


def test_every_record_is_valid_ninjs(base: str) -> None:
    faults_of = ninjs.load_validator(Path("/nonexistent"))
    for slug in rows_of(base):
        assert faults_of(fetched(f"{base}releases/{slug}.json")[1]) == []


# ── Feeds ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def linked(base: str) -> dict[str, ParsedFeed]:
    """Return every feed that the front page links to, by its address below ``base``, each served as what it is."""
    page = fetched(f"{base}index.html")[1].decode()
    kinds = {row.link_type for row in SYNDICATION}
    found = dict(re.findall(r'<a href="([^"]+)" type="([^"]+)"', page))
    feeds = {}
    for key, kind in found.items():
        if kind in kinds:
            served, data = fetched(base + key)
            assert served == kind, key
            feeds[key] = read(data)
    return feeds


def test_newsroom_page_links_to_every_feed_and_every_feed_states_its_address(base: str, office: Office) -> None:
    feeds = linked(base)
    paths = ["", "lang/en-GB", "lang/ar", "topic/archive", "topic/human-rights"]
    assert set(feeds) == {row.key(path) for row in SYNDICATION for path in paths}
    assert set(feeds) == {key for key in office.files() if key.startswith(("feeds/", "feed.", "atom."))}
    assert {key: feed.url for key, feed in feeds.items()} == {key: base + key for key in feeds}


def test_all_formats_of_a_feed_have_the_same_entries_with_the_ids_of_the_records(base: str) -> None:
    feeds, records = linked(base), records_of(base)
    uris = {slug: record["uri"] for slug, record in records.items()}
    slugs = {
        "": [CATALOGUE, CORRECTED, GONE, SEED, ARABIC],
        "lang/en-GB": [CATALOGUE, CORRECTED, GONE, SEED],
        "lang/ar": [ARABIC],
        "topic/archive": [CATALOGUE, CORRECTED],
        "topic/human-rights": [GONE, SEED, ARABIC],
    }
    for path, wanted in slugs.items():
        rss, atom, data = (feeds[row.key(path)].entries for row in SYNDICATION)
        assert [entry.id for entry in rss] == [uris[slug] for slug in wanted], path
        assert [entry.id for entry in atom] == [entry.id for entry in data] == [entry.id for entry in rss]
        for one, other, another in zip(rss, atom, data, strict=True):
            assert (one.title, one.url, one.published, one.updated, one.files) == (
                (other.title, other.url, other.published, other.updated, other.files)
            )
            assert (another.title, another.url, another.published, another.updated, another.files) == (
                (other.title, other.url, other.published, other.updated, other.files)
            )
            # feedparser cleans what RSS and Atom hold, both alike; JSON ParsedFeed gives it as it is.
            assert one.html == other.html
            assert another.html in [record["bodies"][0]["value"] for record in records.values()]


def test_entries_have_the_dates_of_their_records(base: str) -> None:
    records = {record["uri"]: record for record in records_of(base).values()}
    for entry in linked(base)[ATOM.whole].entries:
        assert entry.updated == datetime.fromisoformat(records[entry.id]["versionCreated"])
        assert entry.published == datetime.fromisoformat(records[entry.id]["firstCreated"])
        assert (entry.updated > entry.published) == (entry.id.rpartition("/")[2] in (CORRECTED, GONE))


def test_every_file_of_every_feed_has_the_stated_length_and_type(base: str) -> None:
    entries = {entry for feed in linked(base).values() for entry in feed.entries}
    files = {file for entry in entries for file in entry.files}
    assert len(files) >= 4 * 5 + 1, "of what was withdrawn the record alone is left"
    for url, kind, size in files:
        served, data = fetched(url)
        assert (served, len(data)) == (kind, size), url
    for entry in entries:
        assert fetched(entry.url)[0] == "text/html"
        assert f"{entry.url.removesuffix('.html')}.json" in {url for url, *_ in entry.files}, (
            "the record is one of them"
        )


def test_feeds_of_a_topic_and_a_language_without_releases_stay_public_and_are_empty(base: str, office: Office) -> None:
    """Last: it changes the newsroom."""
    before = office.files()
    (office.content / f"{ARABIC}.md").write_text(
        (office.content / f"{ARABIC}.md").read_text("utf-8").replace("language: ar\n", "language: fa\n"), "utf-8"
    )
    for slug in (CATALOGUE, CORRECTED):
        file = office.content / f"{slug}.md"
        file.write_text(re.sub(r"topics: \[archive\]\n", "", file.read_text("utf-8")), "utf-8")
    result = office.make("publish")
    assert result.status == 0, result.text
    for path in ("lang/ar", "topic/archive"):
        for row in SYNDICATION:
            kind, data = fetched(base + row.key(path))
            assert (kind, read(data).entries) == (row.link_type, ()), path
            assert row.key(path) not in linked(base), "nobody is led there any more"
    changed = {key for key, data in office.files().items() if before.get(key) != data and key.startswith("feeds/")}
    assert {key.split(".")[0] for key in changed} == {
        "feeds/lang/ar", "feeds/lang/fa", "feeds/lang/en-GB", "feeds/topic/archive", "feeds/topic/human-rights",
    }  # fmt: skip
    assert "nothing to do" in office.make("publish").out
    assert office.make("verify").status == 0
