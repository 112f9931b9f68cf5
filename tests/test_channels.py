"""Which feeds a newsroom has: one of all releases, and one for each language that any of them is public in."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from pipeline import channels, listings
from pipeline.formats import RSS, media_type
from pipeline.manifest import Manifest, Row, newest_first, with_rows
from pipeline.stages import House
from pipeline.verify import of_newsroom
from tests import sample
from tests.test_feeds import ATOM, channel, parsed, record
from tests.test_site_pages import BASE, DAY, front, row

NEWSROOM = msgspec.structs.replace(sample.NEWSROOM, languages=("en-GB", "fr", "ar", "en-US"))
ENGLISH, ARABIC, AMERICAN = row("one"), row("one-ar", 1, language="ar"), row("two", 2, language="en-US")


def house(**changes: object) -> House:
    newsroom = msgspec.structs.replace(NEWSROOM, **changes)
    return House(newsroom, b"", BASE, DAY)


def made(*rows: Row, **changes: object) -> dict[str, bytes]:
    return dict(listings.feed(Manifest(1, newest_first(rows)), house(**changes), record))


def links(data: bytes) -> list[str]:
    return [entry.link.removeprefix(f"{BASE}releases/").removesuffix(".html") for entry in parsed(data).entries]


def test_each_language_has_a_feed_of_its_own_releases_and_feed_xml_has_all() -> None:
    found = made(ENGLISH, ARABIC, AMERICAN)
    assert {key: links(data) for key, data in found.items()} == {
        "feed.xml": ["two", "one-ar", "one"],
        "feeds/lang/ar.xml": ["one-ar"],
        "feeds/lang/en-GB.xml": ["one"],
        "feeds/lang/en-US.xml": ["two"],
    }


def test_a_language_of_which_nothing_is_public_has_no_feed() -> None:
    assert list(made(ENGLISH)) == ["feed.xml", "feeds/lang/en-GB.xml"]
    assert list(made()) == ["feed.xml"]


def test_a_feed_speaks_its_language_and_says_where_it_is() -> None:
    found = channel(made(ARABIC)["feeds/lang/ar.xml"])
    assert found.findtext("title") == "Open Window Archive – العربية"
    assert found.findtext("description") == "البيانات: Open Window Archive"
    assert found.findtext("language") == "ar"
    assert found.findtext("link") == f"{BASE}index.html"
    (own,) = (link for link in found.findall(ATOM) if link.get("rel") == "self")
    assert own.get("href") == f"{BASE}feeds/lang/ar.xml"


def test_build_date_of_a_language_is_that_of_its_own_newest_change() -> None:
    before = made(ENGLISH, ARABIC)
    after = made(ENGLISH, ARABIC, AMERICAN)
    assert [key for key in before if before[key] != after[key]] == ["feed.xml"]


def test_the_newest_of_a_language_are_listed_however_many_others_are_newer_and_no_older_record_is_read() -> None:
    asked: set[str] = set()

    def told(found: Row) -> bytes:
        asked.add(found.slug)
        return record(found)

    rows = [row(f"r{number}", -number, language="ar" if number >= 150 else "en-GB") for number in range(300)]
    manifest = Manifest(1, newest_first(rows))
    found = listings.feed(manifest, house(feed_items=20), told)
    assert links(found["feeds/lang/ar.xml"]) == [f"r{number}" for number in range(150, 170)]
    assert links(found["feeds/lang/en-GB.xml"]) == links(found["feed.xml"]) == [f"r{number}" for number in range(20)]
    assert asked == {f"r{number}" for number in (*range(20), *range(150, 170))}
    assert asked == set(listings.shown(manifest, house(feed_items=20)))


def test_a_withdrawn_release_stays_in_the_feed_of_its_language() -> None:
    gone = msgspec.structs.replace(ARABIC, withdrawn=True)
    assert links(made(ENGLISH, gone)["feeds/lang/ar.xml"]) == ["one-ar"]


def test_a_language_that_was_left_keeps_its_feed_without_what_left_it() -> None:
    before = Manifest(1, (ARABIC, ENGLISH))
    other = msgspec.structs.replace(ARABIC, language="fa")
    after = with_rows(before, (other, ENGLISH))
    assert after.languages == ("ar",)
    found = listings.feed(after, house(), record)
    assert links(found["feeds/lang/ar.xml"]) == []
    assert links(found["feeds/lang/fa.xml"]) == ["one-ar"]
    assert with_rows(after, (ARABIC, ENGLISH)).languages == ("fa",), "and back again"
    assert with_rows(before, (ENGLISH, ARABIC)).languages == ()


def test_however_a_tag_is_typed_its_feed_has_one_address() -> None:
    found = made(row("one", language="EN-gb"), row("two", 1), row("three", 2, language="zh-hant-tw"))
    assert list(found) == ["feed.xml", "feeds/lang/en-GB.xml", "feeds/lang/zh-Hant-TW.xml"]
    assert links(found["feeds/lang/en-GB.xml"]) == ["two", "one"]
    assert channel(found["feeds/lang/zh-Hant-TW.xml"]).findtext("language") == "zh-Hant-TW"


@pytest.mark.parametrize("language", ["", "../../evil", "a/b", "..", "en_GB", "en-", "-en", "en.xml"])
def test_what_is_no_tag_never_becomes_an_address(language: str) -> None:
    """The manifest comes from storage."""
    manifest = Manifest(1, (row("one", language=language), ENGLISH), languages=(language,))
    assert channels.keys(manifest) == ("feed.xml", "feeds/lang/en-GB.xml")
    assert list(listings.feed(manifest, house(), record)) == ["feed.xml", "feeds/lang/en-GB.xml"]


def test_every_feed_is_served_as_rss_is_listed_and_is_read_back() -> None:
    manifest = Manifest(1, (ARABIC, ENGLISH), languages=("fr",))
    keys = ["feed.xml", "feeds/lang/ar.xml", "feeds/lang/en-GB.xml", "feeds/lang/fr.xml"]
    assert list(listings.feed(manifest, house(), record)) == keys
    assert set(keys) <= set(listings.keys(manifest)) == set(listings.build(manifest, house(), record))
    assert set(keys) <= {wanted.key for wanted in of_newsroom(manifest, record)}
    assert {media_type(key) for key in keys} == {RSS}


def test_feeds_and_archive_stand_before_the_page_that_links_to_them() -> None:
    keys = list(listings.build(Manifest(1, (ARABIC,)), house(), record))
    linked = {"feed.xml", "feeds/lang/ar.xml", "archive/2026.html", "archive/index.html"}
    assert linked <= set(keys[: keys.index("index.html")])


def test_a_feed_of_every_language_is_well() -> None:
    for data in made(ENGLISH, ARABIC, AMERICAN, row("three", language="nb"), row("four", language="xx")).values():
        parsed(data)
        assert ElementTree.fromstring(data).get("version") == "2.0"


# ── On the front page ───────────────────────────────────────────────────────────────────────────────────────────────


def test_front_page_links_to_the_feed_of_each_language_in_its_own_name() -> None:
    found = front(ENGLISH, ARABIC)
    assert found.all("a", href="feeds/lang/ar.xml", lang="ar", hreflang="ar", dir="rtl", type="application/rss+xml")
    assert found.all("a", href="feeds/lang/en-GB.xml", lang="en-GB", dir="ltr")
    heads = found.all("link", rel="alternate", type="application/rss+xml")
    assert [link["href"] for link in heads] == ["feed.xml", "feeds/lang/en-GB.xml", "feeds/lang/ar.xml"]
    assert heads[2]["title"] == "Open Window Archive – العربية"


def test_front_page_of_one_language_offers_one_feed_to_the_eye() -> None:
    found = front(ENGLISH)
    assert not found.all("a", href="feeds/lang/en-GB.xml")
    assert found.all("link", rel="alternate", href="feeds/lang/en-GB.xml")


def test_languages_stand_in_the_order_of_the_newsroom() -> None:
    rows = (ARABIC, AMERICAN, ENGLISH, row("x", language="de"), row("y", language="cy"))
    found = channels.by_language(rows, NEWSROOM)
    assert [each.language for each in found] == ["en-GB", "ar", "en-US", "cy", "de"]
    assert [each.label for each in found][:3] == ["English (United Kingdom)", "العربية", "English (United States)"]
