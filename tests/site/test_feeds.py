"""The feeds: RSS 2.0, Atom 1.0 and JSON Feed 1.1 that feed readers can read without repair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from html import escape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import feedparser
import msgspec
import pytest
import time_machine

from pipeline.build.parity.content import folded
from pipeline.model.footage import Missing
from pipeline.model.manifest import Row
from pipeline.model.newsroom import Newsroom
from pipeline.site.feeds import render_feeds
from pipeline.typography.feed_list import main_feed
from pipeline.writers import ninjs
from tests.support import sample
from tests.support.feed_records import ATOM, ATOM_SPACE, BODY, channel, record
from tests.support.renditions import text_of_html, words_of
from tests.support.rows import BASE, row
from tests.support.syndication import faults, read
from tests.writers.cases import FOLDER, written
from tests.writers.cases import row as row_of_case

CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
MEDIA = "{http://search.yahoo.com/mrss/}content"
CREATOR = "{http://purl.org/dc/elements/1.1/}creator"
OFFERED = (
    (".pdf", "application/pdf", 26_400),
    (".txt", "text/plain", 3200),
    (".docx", "application/msword", 14_100),
    (".zip", "application/zip", 50_000),
    (".json", "application/json", 3100),
)


def rss(rows: Iterable[Row], told: Callable[[Row], bytes], newsroom: Newsroom = sample.NEWSROOM) -> bytes:
    """Return the RSS document of all releases."""
    return render_feeds([(main_feed(newsroom), tuple(rows))], told, newsroom, BASE)["feed.xml"]


def feed(*rows: Row, newsroom: Newsroom = sample.NEWSROOM, body: str = BODY) -> bytes:
    return rss(rows, lambda found: record(found, body), newsroom)


def item(data: bytes) -> ElementTree.Element:
    (found,) = channel(data).findall("item")
    return found


def parsed(data: bytes) -> Any:
    found = feedparser.parse(data)
    assert not found.bozo, found.get("bozo_exception")
    return found


# ── The channel ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_channel_describes_the_newsroom_and_has_its_own_address() -> None:
    found = channel(feed(row("one")))
    assert found.findtext("title") == "Open Window Archive"
    assert found.findtext("description") == "Releases: Open Window Archive"
    assert found.findtext("language") == "en-GB"
    assert found.findtext("link") == f"{BASE}index.html"
    (own,) = (link for link in found.findall(ATOM) if link.get("rel") == "self")
    assert (own.get("href"), own.get("type")) == (f"{BASE}feed.xml", "application/rss+xml")
    assert len(found.findall("link")) == 1


def test_build_date_is_that_of_the_newest_change_and_not_of_the_clock() -> None:
    corrected = row("old", modified=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
    date = channel(feed(row("new", 9), corrected)).findtext("lastBuildDate")
    assert date is not None
    assert parsedate_to_datetime(date) == corrected.modified


def test_same_rows_give_the_same_bytes_at_any_time() -> None:
    first = feed(row("one"), row("two", 1))
    with time_machine.travel("2031-01-01"):
        assert feed(row("one"), row("two", 1)) == first


def test_an_empty_newsroom_has_a_valid_feed() -> None:
    data = feed()
    assert parsed(data).entries == []
    assert channel(data).findtext("lastBuildDate") == "Thu, 01 Jan 1970 00:00:00 +0000"


def test_no_byte_order_mark_and_utf_8_is_declared() -> None:
    assert feed(row("one", title="Ünïcödé 한국어")).startswith(b"<?xml version='1.0' encoding='UTF-8'?>")
    assert "한국어" in feed(row("one", title="Ünïcödé 한국어")).decode()


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_entries_are_in_the_order_of_the_manifest() -> None:
    titles = [found.findtext("title") for found in channel(feed(row("c", 9), row("a", 3), row("b"))).findall("item")]
    assert titles == ["Title of c", "Title of a", "Title of b"]


def test_feed_has_as_many_items_as_the_newsroom_sets_and_reads_no_older_record() -> None:
    asked: list[str] = []

    def told(found: Row) -> bytes:
        asked.append(found.slug)
        return record(found)

    rows = [row(f"r{number}", -number) for number in range(150)]
    for limit in (100, 20):
        asked.clear()
        newsroom = msgspec.structs.replace(sample.NEWSROOM, feed_items=limit)
        data = rss(rows, told, newsroom)
        assert [entry.link for entry in parsed(data).entries] == [
            f"{BASE}releases/r{number}.html" for number in range(limit)
        ]
        assert len(asked) == limit


def test_change_of_a_release_that_is_too_old_for_the_feed_does_not_change_it() -> None:
    newsroom = msgspec.structs.replace(sample.NEWSROOM, feed_items=1)
    old = row("old", -9, modified=datetime(2026, 5, 1, tzinfo=UTC))
    assert feed(row("new"), old, newsroom=newsroom) == feed(row("new"), row("old", -9), newsroom=newsroom)


def test_guid_is_permanent_and_is_not_a_link() -> None:
    guid = item(feed(row("one"))).find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == ("tag:example.org,2026:releases/one", "false")


def test_entry_has_link_date_topics_and_organisation() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    found = item(feed(row("one", date=moment, topics=("archive",))))
    assert found.findtext("link") == f"{BASE}releases/one.html"
    assert found.findtext("pubDate") == "Sun, 01 Mar 2026 09:00:00 +0545"
    assert [category.text for category in found.findall("category")] == ["Archive"]
    assert found.findtext(CREATOR) == "Open Window Archive"


def test_only_enclosure_is_the_pdf_with_its_correct_length() -> None:
    (enclosure,) = item(feed(row("one"))).findall("enclosure")
    assert enclosure.attrib == {
        "url": f"{BASE}releases/one.pdf",
        "length": "26400",
        "type": "application/pdf",
    }


def test_every_file_except_the_page_is_media_content() -> None:
    found = [dict(media.attrib) for media in item(feed(row("one"))).findall(MEDIA)]
    assert found == [
        {"url": f"{BASE}releases/one{suffix}", "type": kind, "fileSize": str(size)} for suffix, kind, size in OFFERED
    ]


def test_summary_is_plain_text_also_for_programs_that_read_it_as_html() -> None:
    description = item(feed(row("one", summary="A <b> & a “quote” > 3"))).findtext("description")
    assert description == "A &lt;b&gt; &amp; a “quote” &gt; 3"


def test_the_whole_article_is_in_the_entry() -> None:
    assert item(feed(row("one"))).findtext(CONTENT) == BODY


@pytest.mark.parametrize(
    "hostile",
    ["]]>", "<![CDATA[x]]>", "</title><item>", "&amp; &#60; &", "<script>alert(1)</script>", "a]]>b<c>&d", "‮\u200b"],
)
def test_hostile_titles_are_read_back_unchanged(hostile: str) -> None:
    data = feed(row("one", title=hostile, summary=hostile), body=f"<p>{hostile}</p>")
    parsed(data)
    assert item(data).findtext("title") == hostile
    assert item(data).findtext(CONTENT) == f"<p>{hostile}</p>"


# ── Atom and JSON Feed ────────────────────────────────────────────────────────────────────────────────────────────────


def three(*rows: Row, newsroom: Newsroom = sample.NEWSROOM, body: str = BODY) -> list[bytes]:
    """Return the feed of all releases in its three formats."""
    found = render_feeds([(main_feed(newsroom), rows)], lambda row: record(row, body), newsroom, BASE)
    assert list(found) == ["feed.xml", "atom.xml", "feed.json"]
    return list(found.values())


def test_all_three_formats_have_the_same_content() -> None:
    moment = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    corrected = row("two", date=moment, modified=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), language="ar", summary="")
    one, other, another = (read(data) for data in three(row("one", 1), corrected))
    assert one.entries == other.entries == another.entries
    assert [entry.id for entry in one.entries] == [sample.NEWSROOM.guid("one"), sample.NEWSROOM.guid("two")]
    assert one.entries[1].published == moment
    assert one.entries[1].updated == corrected.modified
    assert one.entries[1].html == BODY
    assert one.entries[1].files == {(f"{BASE}releases/two{suffix}", kind, size) for suffix, kind, size in OFFERED}
    assert [each.url for each in (one, other, another)] == [
        f"{BASE}{key}" for key in ("feed.xml", "atom.xml", "feed.json")
    ]


def test_empty_and_full_feeds_are_valid() -> None:
    full = msgspec.structs.replace(sample.NEWSROOM, website="https://example.org/", tag_authority="")
    for newsroom in (sample.NEWSROOM, full):
        for rows in ((), (row("one", topics=("archive", "war"), language="zh-hant-tw", modified=datetime.now(UTC)),)):
            assert [faults(data) for data in three(*rows, newsroom=newsroom)] == [[], [], []]


def test_atom_date_is_that_of_the_newest_change_and_not_of_the_clock() -> None:
    corrected = row("old", modified=datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC))
    made = three(row("new", 9), corrected)
    assert ElementTree.fromstring(made[1]).findtext(f"{{{ATOM_SPACE}}}updated") == "2026-05-04T03:02:01+00:00"
    with time_machine.travel("2031-01-01"):
        assert three(row("new", 9), corrected) == made


def test_id_of_a_feed_does_not_depend_on_its_address() -> None:
    def name(newsroom: Newsroom) -> str | None:
        return ElementTree.fromstring(three(newsroom=newsroom)[1]).findtext(f"{{{ATOM_SPACE}}}id")

    assert name(sample.NEWSROOM) == "tag:example.org,2026:feeds/"
    bare = msgspec.structs.replace(sample.NEWSROOM, tag_authority="")
    other = msgspec.structs.replace(bare, name="Other")
    assert len({name(bare), name(other)}) == 2
    assert str(name(bare)).startswith("urn:uuid:")


def test_entries_state_language_and_topics() -> None:
    _, atom, data = three(row("one", language="ar", topics=("archive",)))
    (entry,) = ElementTree.fromstring(atom).findall(f"{{{ATOM_SPACE}}}entry")
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "ar"
    assert [each.attrib for each in entry.findall(f"{{{ATOM_SPACE}}}category")] == [
        {"term": "archive", "label": "Archive"}
    ]
    (entry,) = msgspec.json.decode(data)["items"]
    assert (entry["language"], entry["tags"]) == ("ar", ["Archive"])


@pytest.mark.parametrize(
    "hostile", ["]]>", "</title><entry>", "&amp; &#60; &", "<script>alert(1)</script>", '"\\', "‮\u200b"]
)
def test_hostile_titles_are_read_back_unchanged_from_every_format(hostile: str) -> None:
    _, atom, data = three(row("one", title=hostile, summary=hostile), body=f"<p>{hostile}</p>")
    (entry,) = ElementTree.fromstring(atom).findall(f"{{{ATOM_SPACE}}}entry")
    (item,) = msgspec.json.decode(data)["items"]
    for text in ([entry.findtext(f"{{{ATOM_SPACE}}}{name}") for name in ("title", "summary", "content")],
                 [item["title"], item["summary"], item["content_html"]]):  # fmt: skip
        assert text == [hostile, hostile, f"<p>{hostile}</p>"]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("<updated>", "<when>"),
        ("<id>tag:example.org,2026:releases/two</id>", "<id>tag:example.org,2026:releases/one</id>"),
        ("2026-03-01T09:00:00+00:00</updated>", "2026-03-01T09:00:00</updated>"),
        (f'href="{BASE}releases/one.pdf"', 'href="one.pdf"'),
        ('length="26400"', 'length="0"'),
        ('rel="alternate" type="text/html" href', 'rel="related" type="text/html" href'),
        ('<entry xml:lang="en-GB">', "<entry>"),
        ('type="html"', 'type="CDATA"'),
        ("<pubDate>Sun, 01 Mar 2026", "<pubDate>01.03.2026"),
        ('isPermaLink="false"', ""),
        ('rel="self"', 'rel="via"'),
        ("https://jsonfeed.org/version/1.1", "https://jsonfeed.org/version/1"),
        ('"size_in_bytes":26400', '"size_in_bytes":"26400"'),
        ('"tags":["Archive"]', '"tags":[7]'),
        ('"date_published"', '"published"'),
        ('"authors"', '"author"'),
    ],
)
def test_checker_of_feeds_finds_every_broken_rule(good: str, bad: str) -> None:
    """A feed that breaks one is told from one that does not; else the tests above would say nothing."""
    made = [data.decode() for data in three(row("one", topics=("archive",)), row("two", 1))]
    assert any(good in text for text in made)
    changed = [
        text.replace(good, bad, 1).replace("</updated>", "</when>" if bad == "<when>" else "</updated>", 1)
        for text in made
    ]
    failed = [faults(text.encode()) for text in changed]
    assert [bool(found) for found in failed] == [good in text for text in made]


# ── Films ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def of_film(**changes: Any) -> dict[str, bytes]:
    """Return the feeds with the sample's film."""
    data = ninjs.write(sample.render_input(footage=(sample.FILM,), **changes)).data
    return render_feeds([(main_feed(sample.NEWSROOM), [row("sample")])], lambda _: data, sample.NEWSROOM, BASE)


FOLDER_OF_FILM = f"{sample.BASE}releases/sample/"
NAMES = [file.file for file in sample.FILM.files]


def test_feeds_with_a_film_are_valid_and_state_its_files() -> None:
    made = of_film()
    assert [faults(data) for data in made.values()] == [[], [], []]
    for data in made.values():
        (entry,) = read(data).entries
        assert {f"{FOLDER_OF_FILM}{name}" for name in NAMES} <= {url for url, _, _ in entry.files}


def test_rss_says_how_long_and_large_a_film_is_and_shows_a_still() -> None:
    (entry,) = parsed(of_film()["feed.xml"]).entries
    media = {each["url"].removeprefix(FOLDER_OF_FILM): each for each in entry.media_content}
    assert media["preview.mp4"] == {
        "url": f"{FOLDER_OF_FILM}preview.mp4", "type": "video/mp4", "filesize": "32400000", "medium": "video",
        "duration": "130", "width": "1280", "height": "720", "framerate": "25",
    }  # fmt: skip
    assert media["seoul-master.mov"]["framerate"] == "29.97"
    assert (media["still.jpg"]["medium"], media["still.jpg"]["width"]) == ("image", "1280")
    assert media["sound.wav"]["medium"] == "audio"
    assert {each["url"] for each in entry.media_thumbnail} == {f"{FOLDER_OF_FILM}still.jpg"}
    assert len(entry.enclosures) == 1, "the PDF, as in every entry"
    assert not [url for url, each in media.items() if url.startswith("http") and "medium" in each]


def test_atom_and_json_feed_offer_the_files_of_a_film_too() -> None:
    made = of_film()
    (entry,) = ElementTree.fromstring(made["atom.xml"]).findall(f"{{{ATOM_SPACE}}}entry")
    enclosed = {link.get("href"): link.get("length") for link in entry.findall(ATOM) if link.get("rel") == "enclosure"}
    assert enclosed[f"{FOLDER_OF_FILM}preview.mp4"] == "32400000"
    (item,) = msgspec.json.decode(made["feed.json"])["items"]
    lengths = {each["url"]: each.get("duration_in_seconds") for each in item["attachments"]}
    assert lengths[f"{FOLDER_OF_FILM}preview.mp4"] == 130
    assert lengths[f"{FOLDER_OF_FILM}still.jpg"] is None


def test_each_film_has_its_own_still() -> None:
    other = msgspec.structs.replace(
        sample.FILM,
        files=tuple(msgspec.structs.replace(file, file=f"other-{file.file}") for file in sample.FILM.files),
    )
    data = ninjs.write(sample.render_input(footage=(sample.FILM, other))).data
    found = item(rss([row("sample")], lambda _: data))
    stills = {
        str(media.get("url")).removeprefix(FOLDER_OF_FILM): media[0].get("url")
        for media in found.iter(MEDIA)
        if len(media)
    }
    assert stills["preview.mp4"] == f"{FOLDER_OF_FILM}still.jpg"
    assert stills["other-preview.mp4"] == f"{FOLDER_OF_FILM}other-still.jpg"


def test_files_that_are_not_there_are_in_no_feed() -> None:
    missing: dict[str, Missing] = {file.file: "gone" for file in sample.FILM.files}
    for data in of_film(missing=missing).values():
        assert not [name for name in NAMES if name in data.decode()]


# ── With real records ─────────────────────────────────────────────────────────────────────────────────────────────────


def cases(*names: str) -> Iterable[tuple[Row, bytes, dict[str, bytes]]]:
    for name in names:
        render_input, made = written(Path(FOLDER) / name / f"{name}.md")
        yield row_of_case(render_input, made), made["json"], made


def test_feed_of_real_records_is_valid_and_states_correct_lengths() -> None:
    found = list(cases("plain", "withdrawn"))
    records = {listed.slug: data for listed, data, _ in found}
    rows = [listed for listed, *_ in found]
    data = rss(rows, lambda listed: records[listed.slug])
    for entry, (listed, _, made) in zip(parsed(data).entries, found, strict=True):
        assert entry.title == listed.title
        lengths = {int(media["filesize"]) for media in entry.media_content}
        if listed.slug == "withdrawn":
            assert (entry.enclosures, lengths) == ([], {len(records["withdrawn"])}), "the record alone is left"
            continue
        assert int(entry.enclosures[0].length) == len(made["pdf"])
        assert lengths >= {len(made["pdf"]), len(made["text"])}


@pytest.mark.parametrize("name", ["greek", "hebrew", "mixed", "korean", "japanese", "thai", "devanagari", "emoji"])
def test_text_of_any_script_is_complete_with_language_and_direction(name: str) -> None:
    ((listed, data, made),) = cases(name)
    (entry,) = parsed(rss([listed], lambda _: data)).entries
    assert (entry.title, entry.summary) == (listed.title, escape(listed.summary, quote=False))
    content = entry.content[0].value
    direction = "rtl" if name in ("hebrew", "mixed") else "ltr"
    assert content.startswith(f'<div dir="{direction}" lang="{listed.language}">')  # feedparser sorts attributes
    assert Counter(words_of("json", made["json"])) == Counter(folded(f"{listed.title} {text_of_html(content)}"))


def test_withdrawn_release_stays_in_the_feed_with_its_notice_and_without_its_text() -> None:
    ((listed, data, _),) = cases("withdrawn")
    found = item(rss([listed], lambda _: data))
    text = found.findtext(CONTENT)
    assert text is not None
    assert "The figures were another country’s." in text
    made = render_feeds([(main_feed(sample.NEWSROOM), [listed])], lambda _: data, sample.NEWSROOM, BASE)
    for (entry,) in (read(each).entries for each in made.values()):
        assert entry.id == sample.NEWSROOM.guid("withdrawn")
        assert entry.updated == listed.modified > entry.published
        assert "The figures were another country’s." in entry.html
        assert [url for url, *_ in entry.files] == [f"{BASE}releases/withdrawn.json"], "nothing else is left of it"
    assert "These words must not be seen" not in ElementTree.tostring(found, "unicode")
