"""Which feeds a newsroom has: one of all releases, and one for each language and each topic that any of them has.

Each of them stands there in three formats.
"""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest

from pipeline.model.formats import media_type
from pipeline.model.manifest import Manifest, Row, newest_first, with_rows
from pipeline.model.newsroom import Topic
from pipeline.model.render_context import RenderContext
from pipeline.publish.verification import expected_newsroom
from pipeline.site import listings
from pipeline.typography import feed_list
from tests.support import sample
from tests.support.feed_records import ATOM, channel, record
from tests.support.html_pages import front
from tests.support.rows import BASE, DAY, row
from tests.support.syndication import ALL, read, three

NEWSROOM = msgspec.structs.replace(sample.NEWSROOM, languages=("en-GB", "fr", "ar", "en-US"))
ENGLISH, ARABIC, AMERICAN = row("one"), row("one-ar", 1, language="ar"), row("two", 2, language="en-US")


def render_context(**changes: object) -> RenderContext:
    newsroom = msgspec.structs.replace(NEWSROOM, **changes)
    return RenderContext(newsroom, b"", BASE, DAY)


def made(*rows: Row, **changes: object) -> dict[str, bytes]:
    return dict(listings.feeds(Manifest(1, newest_first(rows)), render_context(**changes), record))


def links(data: bytes) -> list[str]:
    return [entry.url.removeprefix(f"{BASE}releases/").removesuffix(".html") for entry in read(data).entries]


def test_each_language_has_a_feed_and_feed_xml_has_all_releases() -> None:
    found = made(ENGLISH, ARABIC, AMERICAN)
    assert {key: links(data) for key, data in found.items()} == {
        **{key: ["two", "one-ar", "one"] for key in ALL},
        **{key: ["one-ar"] for key in three("lang/ar")},
        **{key: ["one"] for key in three("lang/en-GB")},
        **{key: ["two"] for key in three("lang/en-US")},
    }


def test_each_topic_has_a_feed_of_its_releases_in_every_language() -> None:
    one, two = row("one", topics=("archive", "war")), row("two", 1, language="ar", topics=("archive",))
    found = made(one, two, row("three", 2))
    assert list(found) == three("", "lang/ar", "lang/en-GB", "topic/archive", "topic/war")
    for key in three("topic/archive"):
        assert links(found[key]) == ["two", "one"]
        assert read(found[key]).title == "Open Window Archive – Archive"
        assert read(found[key]).url == BASE + key
    assert [links(found[key]) for key in three("topic/war")] == [["one"]] * 3


def test_language_without_a_public_release_has_no_feed() -> None:
    assert list(made(ENGLISH)) == three("", "lang/en-GB")
    assert list(made()) == ALL


def test_feed_states_title_language_and_address_in_its_language() -> None:
    found = channel(made(ARABIC)["feeds/lang/ar.xml"])
    assert found.findtext("title") == "Open Window Archive – العربية"
    assert found.findtext("description") == "البيانات: Open Window Archive"
    assert found.findtext("language") == "ar"
    assert found.findtext("link") == f"{BASE}index.html"
    (own,) = (link for link in found.findall(ATOM) if link.get("rel") == "self")
    assert own.get("href") == f"{BASE}feeds/lang/ar.xml"


def test_build_date_of_a_language_feed_depends_on_its_own_releases_only() -> None:
    before = made(ENGLISH, ARABIC)
    after = made(ENGLISH, ARABIC, AMERICAN)
    assert [key for key in before if before[key] != after[key]] == ALL


def test_new_release_among_ten_thousand_changes_only_its_own_feeds() -> None:
    """And each record is asked for once, however many feeds its release stands in."""
    asked: list[str] = []

    def told(found: Row) -> bytes:
        asked.append(found.slug)
        return record(found)

    tongues, topics = ("en-GB", "ar", "fr"), ("archive", "war", "peace", "press")
    rows = [row(f"r{n}", -n, language=tongues[n % 3], topics=(topics[n % 4],)) for n in range(10_000)]
    before = listings.feeds(Manifest(1, newest_first(rows)), render_context(feed_items=20), told)
    assert len(asked) == len(set(asked)) <= 20 * 8
    added = row("new", 1, language="ar", topics=("press",))
    after = listings.feeds(Manifest(1, newest_first([*rows, added])), render_context(feed_items=20), record)
    assert [key for key in after if after[key] != before.get(key)] == three("", "lang/ar", "topic/press")


def test_language_feed_has_the_newest_of_its_language_and_older_records_are_not_read() -> None:
    asked: set[str] = set()

    def told(found: Row) -> bytes:
        asked.add(found.slug)
        return record(found)

    rows = [row(f"r{number}", -number, language="ar" if number >= 150 else "en-GB") for number in range(300)]
    manifest = Manifest(1, newest_first(rows))
    found = listings.feeds(manifest, render_context(feed_items=20), told)
    assert links(found["feeds/lang/ar.xml"]) == [f"r{number}" for number in range(150, 170)]
    assert links(found["feeds/lang/en-GB.xml"]) == links(found["feed.xml"]) == [f"r{number}" for number in range(20)]
    assert asked == {f"r{number}" for number in (*range(20), *range(150, 170))}
    assert asked == set(listings.shown(manifest, render_context(feed_items=20), set(found)))


def test_a_withdrawn_release_stays_in_the_feed_of_its_language() -> None:
    gone = msgspec.structs.replace(ARABIC, withdrawn=True)
    assert links(made(ENGLISH, gone)["feeds/lang/ar.xml"]) == ["one-ar"]


def test_feed_of_a_language_stays_public_when_its_last_release_changes_language() -> None:
    before = Manifest(1, (ARABIC, ENGLISH))
    other = msgspec.structs.replace(ARABIC, language="fa")
    after = with_rows(before, (other, ENGLISH))
    assert after.languages == ("ar",)
    found = listings.feeds(after, render_context(), record)
    assert links(found["feeds/lang/ar.xml"]) == []
    assert links(found["feeds/lang/fa.xml"]) == ["one-ar"]
    assert with_rows(after, (ARABIC, ENGLISH)).languages == ("fa",), "and back again"
    assert with_rows(before, (ENGLISH, ARABIC)).languages == ()


def test_feed_of_a_topic_stays_public_when_its_last_release_leaves_the_topic() -> None:
    before = Manifest(1, (row("one", topics=("war", "archive")), ENGLISH))
    after = with_rows(before, (row("one", topics=("archive",)), ENGLISH))
    assert after.topics == ("war",)
    found = listings.feeds(after, render_context(), record)
    assert [links(found[key]) for key in three("topic/war")] == [[], [], []]
    assert with_rows(after, before.rows).topics == (), "and back again"


def test_feed_has_one_address_for_every_spelling_of_a_language_tag() -> None:
    found = made(row("one", language="EN-gb"), row("two", 1), row("three", 2, language="zh-hant-tw"))
    assert list(found) == three("", "lang/en-GB", "lang/zh-Hant-TW")
    assert links(found["feeds/lang/en-GB.xml"]) == ["two", "one"]
    assert channel(found["feeds/lang/zh-Hant-TW.xml"]).findtext("language") == "zh-Hant-TW"


@pytest.mark.parametrize("language", ["", "../../evil", "a/b", "..", "en_GB", "en-", "-en", "en.xml"])
def test_invalid_language_tag_never_becomes_part_of_an_address(language: str) -> None:
    """The manifest comes from storage."""
    manifest = Manifest(1, (row("one", language=language), ENGLISH), languages=(language,))
    assert list(feed_list.keys(manifest)) == three("", "lang/en-GB")
    assert list(listings.feeds(manifest, render_context(), record)) == three("", "lang/en-GB")


@pytest.mark.parametrize("topic", ["", "../../evil", "a/b", "..", "War", "a b", "a.atom"])
def test_invalid_topic_id_never_becomes_part_of_an_address(topic: str) -> None:
    manifest = Manifest(1, (msgspec.structs.replace(ENGLISH, topics=(topic, "ok")),), topics=(topic,))
    assert list(feed_list.keys(manifest)) == three("", "lang/en-GB", "topic/ok")
    assert list(listings.feeds(manifest, render_context(), record)) == three("", "lang/en-GB", "topic/ok")


def test_every_feed_has_its_media_type_is_a_listing_and_is_verified() -> None:
    manifest = Manifest(1, (ARABIC, ENGLISH), languages=("fr",), topics=("war",))
    keys = three("", "lang/ar", "lang/en-GB", "lang/fr", "topic/war")
    assert list(listings.feeds(manifest, render_context(), record)) == keys
    assert set(keys) <= set(listings.keys(manifest)) == set(listings.build(manifest, render_context(), record))
    assert set(keys) <= expected_newsroom(manifest, record).keys()
    kinds = ["application/rss+xml; charset=utf-8", "application/atom+xml; charset=utf-8", "application/feed+json"]
    assert [media_type(key) for key in keys] == kinds * 5
    assert media_type("releases/one.json") == "application/json"


def test_feeds_and_archive_are_built_before_the_page_that_links_to_them() -> None:
    keys = list(listings.build(Manifest(1, (ARABIC,)), render_context(), record))
    linked = {*three("", "lang/ar"), "archive/2026.html", "archive/index.html"}
    assert linked <= set(keys[: keys.index("index.html")])


def test_feed_of_any_language_is_valid_and_has_its_own_id() -> None:
    found = made(ENGLISH, ARABIC, AMERICAN, row("three", language="nb"), row("four", language="xx"))
    assert {key: read(data).url for key, data in found.items()} == {key: BASE + key for key in found}
    assert len({feed_id(data) for key, data in found.items() if "atom" in key}) == 6


def feed_id(data: bytes) -> str | None:
    return ElementTree.fromstring(data).findtext("{http://www.w3.org/2005/Atom}id")


# ── On the front page ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_newsroom_page_links_to_the_feed_of_each_language_by_its_own_name() -> None:
    found = front(ENGLISH, ARABIC)
    assert found.all("a", href="feeds/lang/ar.xml", hreflang="ar", type="application/rss+xml")
    assert found.all("span", lang="ar", dir="rtl")
    assert found.all("span", lang="en-GB", dir="ltr")
    heads = found.all("link", rel="alternate", type="application/rss+xml")
    assert [link["href"] for link in heads] == ["feed.xml", "feeds/lang/en-GB.xml", "feeds/lang/ar.xml"]
    assert heads[2]["title"] == "Open Window Archive – العربية"


def test_newsroom_page_links_to_every_feed_in_every_format() -> None:
    rows = (msgspec.structs.replace(ENGLISH, topics=("archive", "war")), ARABIC)
    found = front(*rows)
    kinds = ["application/rss+xml", "application/atom+xml", "application/feed+json"]
    for key, kind in zip(three("", "lang/en-GB", "lang/ar", "topic/archive", "topic/war"), kinds * 5, strict=True):
        assert found.all("a", href=key, type=kind), key
    assert set(feed_list.keys(Manifest(1, rows))) == {
        each["href"] for each in found.all("a") if each.get("type") in kinds
    }
    assert [link["href"] for link in found.all("link", rel="alternate") if "/" not in link["href"]] == ALL
    assert front().all("a", href="feed.json")


def test_languages_are_in_the_newsrooms_order() -> None:
    rows = (ARABIC, AMERICAN, ENGLISH, row("x", language="de"), row("y", language="cy"))
    found = feed_list.language_feeds(rows, NEWSROOM)
    assert [each.language for each in found] == ["en-GB", "ar", "en-US", "cy", "de"]
    assert [each.label for each in found][:3] == ["English (United Kingdom)", "العربية", "English (United States)"]


def test_topics_are_in_the_newsrooms_order() -> None:
    newsroom = msgspec.structs.replace(NEWSROOM, topics=(Topic("war", "War"), Topic("archive", "The archive")))
    found = feed_list.topic_feeds([row("one", topics=("archive", "old", "war"))], newsroom)
    assert [each.label for each in found] == ["War", "The archive", "old"]
