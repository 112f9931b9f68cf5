"""The archive by year and topic, of which a new release changes only a few pages; sitemap and robots.txt."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import msgspec
import pytest

from pipeline.model.formats import SYNDICATION, media_type
from pipeline.model.manifest import Manifest, Row, newest_first, with_rows
from pipeline.model.render_context import RenderContext
from pipeline.publish import commits
from pipeline.publish import listings as published_listings
from pipeline.publish.plan import File
from pipeline.publish.verification import local_links
from pipeline.site import archive, listings, sitemap
from pipeline.site.archive import ArchivePage, archive_pages
from tests.support import sample
from tests.support.html_pages import Reader
from tests.support.memory_store import Memory
from tests.support.rows import BASE, DAY, row

HOUSE = RenderContext(sample.NEWSROOM, b"", BASE, DAY)
TOPIC = "archive"
FEEDS = {row.media_type for row in SYNDICATION}
URL = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


def of(*rows: Row, known: Manifest | None = None) -> Manifest:
    known = known or Manifest(1)
    return archive.remember(known, with_rows(known, rows))


def many(number: int, apart: timedelta = timedelta(hours=26)) -> tuple[Row, ...]:
    """Return releases until DAY: with 10,000 of them, some thirty years."""
    first = row("one", topics=(TOPIC,))
    return tuple(
        msgspec.structs.replace(first, slug=f"r{at}", date=DAY - at * apart, topics=(TOPIC,) if at % 3 else ())
        for at in range(number)
    )


def pages(manifest: Manifest) -> Mapping[str, bytes]:
    return listings.pages(manifest, HOUSE)


def put_up(memory: Memory, rows: tuple[Row, ...]) -> list[str]:
    """Commit a manifest of these rows, bring the listings in line, and return what was written."""
    memory.puts.clear()
    seen = commits.commit(memory, commits.read_manifest(memory), lambda now: of(*rows, known=now))
    published_listings.update(memory, listings.keys(seen.manifest), pages, lambda _: None)
    return [put.key for put in memory.puts]


def slugs(archive_page: ArchivePage) -> list[str]:
    return [found.slug for found in archive_page.rows]


def by_key(manifest: Manifest) -> dict[str, ArchivePage]:
    return {archive_page.key: archive_page for archive_page in archive_pages(manifest)}


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_year_and_each_topic_has_a_page_newest_release_first() -> None:
    old, new = row("old", -200, topics=(TOPIC, "other")), row("new", topics=(TOPIC, TOPIC))
    found = {key: slugs(archive_page) for key, archive_page in by_key(of(old, new)).items()}
    assert found == {
        "archive/2026.html": ["new"],
        "archive/2025.html": ["old"],
        "archive/topic/archive.html": ["new", "old"],
        "archive/topic/other.html": ["old"],
    }


def test_topic_with_an_underscore_has_a_page() -> None:
    assert "archive/topic/human_rights.html" in by_key(of(row("one", topics=("human_rights",))))


def test_invalid_topic_id_never_becomes_part_of_a_key() -> None:
    assert set(by_key(of(row("one", topics=("../index", "A", "a/b", ""))))) == {"archive/2026.html"}


@pytest.mark.parametrize(("number", "sizes"), [(200, [200]), (201, [1, 200]), (400, [200, 200]), (401, [1, 200, 200])])
def test_all_pages_but_the_newest_are_full(number: int, sizes: list[int]) -> None:
    found = archive_pages(of(*many(number, timedelta(minutes=1))))
    found = [archive_page for archive_page in found if archive_page.section == "2026"]
    assert [len(archive_page.rows) for archive_page in found] == sizes
    older = [f"archive/2026/{at}.html" for at in range(len(sizes) - 1, 0, -1)]
    assert [archive_page.key for archive_page in found] == ["archive/2026.html", *older]
    assert [slug for archive_page in found for slug in slugs(archive_page)] == [f"r{at}" for at in range(number)]


def test_pages_link_to_earlier_and_later_pages_through_the_years() -> None:
    rows = (*many(450, timedelta(minutes=1)), row("old", -400))
    found = by_key(of(*rows))
    way, key = [], "archive/2026.html"
    while key:
        way.append(key)
        key = found[key].earlier
    assert way == ["archive/2026.html", "archive/2026/2.html", "archive/2026/1.html", "archive/2025.html"]
    assert [found[key].later for key in way] == ["", *way[:-1]]
    assert found["archive/topic/archive.html"].later == ""


def test_every_release_is_three_clicks_from_the_newsroom_page() -> None:
    rows = many(1000, timedelta(hours=5))
    made = pages(of(*rows))
    reached, now = {"index.html"}, {"index.html"}
    for _ in range(3):
        now = {link for key in now if key in made for link in local_links(key, made[key])} - reached
        reached |= now
    assert {f"releases/{found.slug}.html" for found in rows} <= reached
    assert {key for key in made if key.endswith(".html")} <= reached


def test_every_link_of_the_archive_leads_to_an_existing_page() -> None:
    rows = many(700, timedelta(hours=30))
    made = pages(of(*rows))
    there = {*made, *(f"releases/{found.slug}.html" for found in rows), "feed.xml"}
    archived = {key: data for key, data in made.items() if key.startswith("archive/")}
    assert len(archived) > 5
    assert {link for key, data in archived.items() for link in local_links(key, data)} <= there


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_entries_state_language_and_withdrawal() -> None:
    made = pages(of(row("one", withdrawn=True, topics=(TOPIC,)), row("two", language="ar", title="عنوان")))
    found = Reader(made["archive/2026.html"].decode())
    assert found.all("h3", lang="ar", dir="rtl")
    assert found.all("a", href="../releases/two.html")
    assert found.all("a", href="../archive/topic/archive.html")
    text = " ".join("".join(found.text).split())
    assert "Withdrawn, 1 March 2026" in text
    assert "2026 March 2026 1 March 2026 · Archive · Withdrawn" in text
    assert "1 March 2026 · العربية عنوان" in text


def test_scheduled_release_has_no_row_and_so_is_on_no_page() -> None:
    """Listings are built from the manifest, so they cannot name a release that is not in it."""
    assert all(b"secret" not in data for data in pages(of(row("one"))).values())


def test_archive_without_releases_says_so() -> None:
    made = pages(Manifest(1))
    assert "There are no releases yet." in "".join(Reader(made["archive/index.html"].decode()).text)
    assert set(made) == set(listings.keys(Manifest(1))) - {"feed.xml", "atom.xml", "feed.json"}


# ── What changes ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_new_release_among_ten_thousand_changes_a_few_files() -> None:
    rows = many(10_000)
    before = pages(of(*rows))
    assert len(before) > 100
    memory = Memory()
    new = row("new", 1, topics=(TOPIC,))
    assert set(before) <= set(put_up(memory, rows))
    assert sorted(put_up(memory, (*rows, new))) == [
        "archive/2026.html",
        "archive/index.html",
        "archive/topic/archive.html",
        "index.html",
        "manifest.json",
        "manifest/2026.2.json",
        "sitemap-news.xml",
        "sitemap/11.xml",
    ]
    assert put_up(memory, (*rows, new)) == []


def test_new_page_changes_only_the_page_next_to_it() -> None:
    rows = many(400, timedelta(minutes=1))
    before = pages(of(*rows))
    after = pages(of(*rows, row("new", 1)))
    changed = {key for key, data in after.items() if before.get(key) != data}
    assert changed == {
        "archive/2026.html", "archive/2026/1.html", "archive/2026/2.html", "archive/index.html", "index.html",
        "sitemap.xml", "sitemap-news.xml",
    }  # fmt: skip


def test_time_grows_with_the_number_of_releases_and_not_with_its_square() -> None:
    def seconds(number: int) -> float:
        manifest = of(*many(number))
        began = time.process_time()
        pages(manifest)
        return time.process_time() - began

    seconds(1000)
    assert seconds(10_000) < 30 * min(seconds(1000) for _ in range(3))


def test_empty_pages_stay_public_and_valid() -> None:
    one, two = row("one", -100, topics=("other",)), row("two")
    before = of(one, two)
    moved = msgspec.structs.replace(one, date=DAY, topics=())
    after = of(moved, two, known=before)
    assert after.emptied == ("archive/2025.html", "archive/topic/other.html")
    made = pages(after)
    others = {*FEEDS, "application/json"}
    assert set(made) == {key for key in listings.keys(after) if media_type(key) not in others}
    for key in after.emptied:
        assert "Nothing is listed here any more." in "".join(Reader(made[key].decode()).text)
        assert key.encode() not in made["sitemap.xml"]
        assert b"/releases/" not in made[key]
    assert of(one, two, known=after).emptied == ()


def test_manifest_cannot_name_pages_outside_the_archive() -> None:
    odd = ("index.html", "archive/../index.html", "archive/topic/../a.html", "archive/2025.html")
    found = msgspec.structs.replace(Manifest(1), emptied=odd)
    assert [archive_page.key for archive_page in archive_pages(found)] == ["archive/2025.html"]
    assert "archive/../index.html" not in listings.keys(found)


# ── Sitemap and robots.txt ────────────────────────────────────────────────────────────────────────────────────────────


def addresses(manifest: Manifest) -> dict[str, tuple[str | None, dict[str, str]]]:
    """Return address → time of change and address by language."""
    root = ElementTree.fromstring(pages(manifest)["sitemap.xml"])
    return {
        (each.findtext(f"{URL}loc") or "").removeprefix(BASE): (
            each.findtext(f"{URL}lastmod"),
            {link.get("hreflang", ""): link.get("href", "").removeprefix(BASE) for link in each.iter(LINK)},
        )
        for each in root
    }


def test_sitemap_names_every_page_with_its_languages() -> None:
    corrected = row("one", modified=datetime(2026, 3, 5, 10, tzinfo=UTC))
    arabic, french = (row(tag, language=tag, translation_of="one") for tag in ("ar", "fr"))
    manifest = of(corrected, arabic, french, row("alone", -90, topics=(TOPIC,)))
    found = addresses(manifest)
    assert set(found) == {key for key in pages(manifest) if key.endswith(".html")} | {
        f"releases/{name}.html" for name in ("one", "ar", "fr", "alone")
    }
    assert found["releases/one.html"][0] == found["index.html"][0] == "2026-03-05T10:00:00+00:00"
    family = {"ar": "releases/ar.html", "en-GB": "releases/one.html", "fr": "releases/fr.html"}
    for name in ("one", "ar", "fr"):
        assert found[f"releases/{name}.html"][1] == {**family, "x-default": "releases/one.html"}
    assert found["releases/alone.html"][1] == {}


def test_withdrawn_release_has_no_versions_and_its_translations_default_to_the_newsrooms_language() -> None:
    gone = row("gone", language="fr", withdrawn=True)
    left = [row(name, language=tag, translation_of="gone") for name, tag in (("a", "ar"), ("e", "en-GB"))]
    found = addresses(of(gone, *left))
    assert found["releases/gone.html"][1] == {}
    for name in "ae":
        assert found[f"releases/{name}.html"][1]["x-default"] == "releases/e.html"


def test_a_sitemap_that_is_too_large_is_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "URLS", 10)
    manifest = of(*many(25))
    made = pages(manifest)
    assert {"sitemap/1.xml", "sitemap/2.xml", "sitemap/3.xml", "sitemap.xml"} <= set(made)
    assert set(made) <= set(listings.keys(manifest))
    index = ElementTree.fromstring(made["sitemap.xml"])
    parts = [each.findtext(f"{URL}loc") for each in index]
    assert parts == [f"{BASE}sitemap/{at}.xml" for at in (1, 2, 3, 4)][: len(parts)]
    sizes = [len(ElementTree.fromstring(made[str(part).removeprefix(BASE)])) for part in parts]
    assert sizes[:2] == [10, 10]
    assert sum(sizes) == 25 + len([key for key in made if key.endswith(".html")])
    later = pages(of(*many(25), row("new", 1)))
    assert later["sitemap/1.xml"] == made["sitemap/1.xml"]


def test_sitemap_with_many_translations_is_divided_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemap, "LINKS", 8)
    family = [row(tag, language=tag, translation_of="one") for tag in ("ar", "fr", "es")]
    assert "sitemap/2.xml" in pages(of(row("one"), *family))


def news(rows: tuple[Row, ...], now: datetime = DAY) -> list[str]:
    """Return the lines of the news sitemap, each as its words."""
    context = msgspec.structs.replace(HOUSE, now=now)
    root = ElementTree.fromstring(listings.pages(of(*rows), context)["sitemap-news.xml"])
    return [" ".join(text.removeprefix(BASE) for part in each.iter() if (text := part.text)) for each in root]


def test_news_sitemap_lists_the_releases_of_two_days() -> None:
    rows = (
        row("new", 0, language="zh-Hans", title="新 & 闻"),
        row("gone", -1, withdrawn=True),
        row("recent", -1.99, language="en-GB"),
        row("old", -2),
    )
    assert news(rows) == [
        "releases/new.html Open Window Archive zh-cn 2026-03-01T09:00:00+00:00 新 & 闻",
        "releases/recent.html Open Window Archive en 2026-02-27T09:14:24+00:00 Title of recent",
    ]
    assert news(rows, DAY + timedelta(days=9)) == []


@pytest.mark.parametrize(
    ("tag", "name"), [("zh-TW", "zh-tw"), ("zh-Hant-HK", "zh-tw"), ("zh", "zh-cn"), ("sr-Latn", "sr")]
)
def test_news_sitemap_names_languages_as_search_engines_do(tag: str, name: str) -> None:
    assert f" {name} " in news((row("new", language=tag),))[0]


def test_time_alone_changes_the_news_sitemap_and_no_other_listing() -> None:
    manifest = of(row("new"), row("older", -1))
    assert listings.valid_until(manifest, HOUSE) == DAY + timedelta(days=1)
    later = msgspec.structs.replace(HOUSE, now=DAY + timedelta(days=1))
    before, after = listings.stamps(manifest, HOUSE), listings.stamps(manifest, later)
    assert {key for key in after if after[key] != before[key]} == {"sitemap-news.xml"}
    assert listings.valid_until(manifest, msgspec.structs.replace(HOUSE, now=DAY + timedelta(days=2))) is None


def test_robots_txt_allows_everything_and_names_the_sitemaps() -> None:
    made = pages(Manifest(1))["robots.txt"]
    named = [f"Sitemap: {BASE}{key}" for key in ("sitemap.xml", "sitemap-news.xml")]
    assert made.decode().split("\n") == ["User-agent: *", "Allow: /", "", *named, ""]
    up = File("robots.txt", "", len(made), made)
    assert (up.media_type, up.download) == ("text/plain; charset=utf-8", "")


def test_without_rows_there_is_no_newest_change() -> None:
    assert archive.newest(()) is None
    assert newest_first(()) == ()
