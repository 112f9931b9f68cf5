"""What a listing shows decides whether it is rendered: the stamp of one that would have other bytes is another."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import msgspec
import pytest

from pipeline.model.manifest import EMPTY, Manifest, Row, digest, newest_first, with_rows
from pipeline.model.render_context import RenderContext
from pipeline.publish.commits import commit, read_manifest
from pipeline.publish.manifest import NEWEST, keep
from pipeline.site import archive, listings, sitemap
from pipeline.storage import Bucket, Stored
from pipeline.writers import ninjs
from tests.support import sample
from tests.support.memory_store import Memory
from tests.support.rows import BASE, DAY, row

NEWSROOM = msgspec.structs.replace(sample.NEWSROOM, feed_items=3)
HOUSE = RenderContext(NEWSROOM, b"", BASE, DAY)
TOPICS = ("archive", "war", "sport")


@cache
def text(title: str, summary: str, topics: tuple[str, ...]) -> bytes:
    return ninjs.write(sample.render_input(title=title, summary=summary, topics=topics)).data


def record(listed: Row) -> bytes:
    """Return a record that says what the row says, so that its digest in the row is of these words."""
    return text(listed.title, listed.summary, listed.topics)


def listed(slug: str, days: int = 0, **changes: object) -> Row:
    found = row(slug, days, **changes)
    return msgspec.structs.replace(found, record=digest(record(found)))


def many(number: int) -> tuple[Row, ...]:
    """Return releases until DAY, three a day, in two languages and three topics."""
    return tuple(
        listed(
            f"r{at:05}", 0, topics=(TOPICS[at % 3],), language=("en-GB", "ar")[at % 4 == 3],
            date=DAY - at * timedelta(hours=8), modified=DAY - at * timedelta(hours=8),
        )
        for at in range(number)
    )  # fmt: skip


def of(rows: tuple[Row, ...], known: Manifest = EMPTY) -> Manifest:
    return archive.remember(known, with_rows(known, rows))


def changed(before: Manifest, after: Manifest) -> set[str]:
    """Return the keys of the listings of ``after`` that would be rendered."""
    known = listings.stamps(before, HOUSE)
    return {key for key, stamp in listings.stamps(after, HOUSE).items() if known.get(key) != stamp}


ONE = many(24)[12]
CHANGES = {
    "a new release": listed("new", 1, topics=("war",)),
    "an old release": listed("new", -3, topics=("war",)),
    "of another year": listed("new", -400, topics=("war",)),
    "in a new language": listed("new", 1, language="fr"),
    "in a new topic": listed("new", 1, topics=("new",)),
    "a translation": listed("new", -5, language="fr", translation_of=ONE.slug),
    "another title": listed(ONE.slug, title="Other", date=ONE.date, modified=ONE.modified, topics=ONE.topics),
    "another date": listed(ONE.slug, 0, topics=ONE.topics),
    "other topics": listed(ONE.slug, date=ONE.date, modified=ONE.modified, topics=("sport", "war")),
    "a correction": msgspec.structs.replace(ONE, modified=DAY, revision=2),
    "a withdrawal": msgspec.structs.replace(ONE, modified=DAY, withdrawn=True, sizes={"html": 1, "json": 1}),
    "other files": msgspec.structs.replace(many(1)[0], sizes={"html": 1, "json": 1, "pdf": 3}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_listing_with_other_bytes_has_another_stamp(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAGE_ROWS", 7)
    monkeypatch.setattr(sitemap, "URLS", 10)
    before = of(many(24))
    rows = before.by_slug() | {CHANGES[what].slug: CHANGES[what]}
    after = of(newest_first(rows.values()), before)
    made, now = listings.build(before, HOUSE, record), listings.build(after, HOUSE, record)
    assert set(listings.stamps(after, HOUSE)) == set(now) == set(listings.keys(after))
    other = {key for key, data in now.items() if made.get(key) != data}
    assert other
    assert other <= changed(before, after)


def test_one_listing_is_rendered_as_it_is_among_all() -> None:
    manifest = of(many(24))
    made = listings.build(manifest, HOUSE, record)
    for key in ("feed.json", "feeds/lang/ar.xml", "archive/2026.html", "index.html", "sitemap.xml", "robots.txt"):
        assert listings.build(manifest, HOUSE, record, {key}) == {key: made[key]}


def test_new_release_changes_as_many_listings_in_a_large_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "PAGE_ROWS", 20)
    monkeypatch.setattr(sitemap, "URLS", 50)

    def cost(number: int) -> set[str]:
        rows = (row(f"r{at}", -at, topics=(TOPICS[at % 3],)) for at in range(number))
        before = of(tuple(rows))
        return changed(before, of((row("new", 1, topics=("war",)), *before.rows), before))

    few, more = cost(130), cost(520)
    assert {key for key in few if not key.startswith("sitemap")} == {
        key for key in more if not key.startswith("sitemap")
    }
    assert sum(key.startswith("sitemap") for key in more) <= 3, "a part or two, and their index"


@pytest.mark.parametrize("number", [200, 600])
def test_commit_reads_and_writes_as_much_in_a_large_archive(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit writes manifest.json and the page of the release's year; known pages are not read again."""
    memory, rows = Memory(), tuple(row(f"r{at}", -at) for at in range(number))
    written = commit(memory, read_manifest(memory), lambda now: of(rows, now))
    assert len(written.manifest.rows) == number > NEWEST
    keep(written.manifest.years, written.manifest.rows)
    asked: list[str] = []
    get = memory.get

    def counted(key: str, bucket: Bucket = "public") -> Stored | None:
        asked.append(key)
        return get(key, bucket)

    monkeypatch.setattr(memory, "get", counted)
    memory.puts.clear()
    commit(memory, read_manifest(memory), lambda now: of((row("new", 1), *now.rows), now))
    assert asked == ["manifest.json"]
    assert [put.key for put in memory.puts] == ["manifest/2026.2.json", "manifest.json"]
    assert memory.manifest().rows[0].slug == "new"
    assert asked == ["manifest.json", "manifest.json"], "what was written need not be read either"
