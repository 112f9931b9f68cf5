"""Previous and next release: which they are, and whose pages change with them."""

from __future__ import annotations

import json
import re
import time
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from pipeline.build import parity, reading
from pipeline.build.parity.content import folded
from pipeline.model.formats import by_name
from pipeline.model.manifest import Lease, Manifest, digest
from pipeline.model.release import Related, Withdrawal
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.publish.candidates import classify, without_contested
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import html, ninjs
from tests.support import sample
from tests.support.formats import NAMES
from tests.support.html_pages import page
from tests.support.in_process import AHEAD, NOW, Sandbox, publish, up_to_date_slugs


def listed(number: int, language: str = "en", **changes: Any) -> IndexEntry:
    found = IndexEntry(f"r{number}", language, f"Release {number}", "", NOW - timedelta(days=100 - number))
    return msgspec.structs.replace(found, **changes)


def neighbours(known: dict[str, IndexEntry], slug: str) -> dict[str, str]:
    """Return where the page of a release leads."""
    related = ReleaseIndex(known, NOW).related(known[slug])
    return {other.rel: other.slug for other in related if other.rel != "alternate"}


def by_slug(*releases: IndexEntry) -> dict[str, IndexEntry]:
    return {found.slug: found for found in releases}


def test_withdrawal_notice_links_to_the_replacement_with_its_title_and_language() -> None:
    release = msgspec.structs.replace(sample.release(), withdrawn=Withdrawal(NOW, "No.", "new"))
    messages = Messages("en-GB", "UTC")
    there = Related("new", "ar", "عنوان <جديد>", "replacement")
    article = compose(release, sample.NEWSROOM, messages, base_url=sample.BASE, replacement=there)
    render_input = msgspec.structs.replace(sample.render_input(), release=release, article=article)
    link = '<a href="{}"{} lang="ar" dir="rtl">عنوان &lt;جديد&gt;</a>'
    assert link.format("new.html", ' hreflang="ar"') in html.write(render_input).data.decode()
    content = json.loads(ninjs.write(render_input).data)["bodies"][0]["value"]
    assert link.format(f"{render_input.base_url}releases/new.html", "") in content
    parity.check(by_name("html"), render_input, html.write(render_input).data)
    unknown = msgspec.structs.replace(
        render_input, article=compose(release, sample.NEWSROOM, messages, base_url=sample.BASE)
    )
    assert '<a href="new.html">new</a>' in html.write(unknown).data.decode()


# ── Which releases they are ───────────────────────────────────────────────────────────────────────────────────────────


def test_previous_and_next_are_by_date_within_a_language() -> None:
    known = by_slug(listed(3), listed(1), listed(2, "ar"), listed(4, "EN"), listed(5, "ar"))
    assert [neighbours(known, slug) for slug in ("r1", "r3", "r4")] == [
        {"next": "r3"},
        {"prev": "r1", "next": "r4"},
        {"prev": "r3"},
    ]
    assert neighbours(known, "r2") == {"next": "r5"}


def test_releases_of_one_instant_are_in_order_of_slug() -> None:
    known = by_slug(listed(1, date=NOW), listed(2, date=NOW), listed(3, date=NOW))
    assert neighbours(known, "r2") == {"prev": "r1", "next": "r3"}


@pytest.mark.parametrize(
    "changes",
    [{"draft": True}, {"date": NOW + timedelta(microseconds=1)}, {"withdrawn": True}],
    ids=["draft", "ahead", "withdrawn"],
)
def test_hidden_or_withdrawn_release_is_left_out_and_has_no_neighbours(changes: dict[str, Any]) -> None:
    known = by_slug(listed(1), listed(2, **changes), listed(3))
    assert neighbours(known, "r1") == {"next": "r3"}
    assert neighbours(known, "r2") == {}
    assert neighbours(known, "r3") == {"prev": "r1"}


def test_public_release_without_a_source_here_is_a_neighbour() -> None:
    assert neighbours(by_slug(listed(1, gone=True), listed(2)), "r2") == {"prev": "r1"}


def test_old_name_of_a_renamed_source_is_left_out() -> None:
    known = by_slug(
        listed(1, "ar", translation_of="x", gone=True), listed(2, "ar", translation_of="x"), listed(3, "ar")
    )
    assert neighbours(known, "r2") == {"next": "r3"}
    assert neighbours(known, "r3") == {"prev": "r2"}


def on_topics(known: dict[str, IndexEntry], slug: str) -> list[str]:
    """Return the releases on the same topics that the page of a release links to."""
    return [other.slug for other in ReleaseIndex(known, NOW).related(known[slug]) if other.rel == "same_topic"]


def test_page_names_the_nearest_earlier_releases_on_its_topics() -> None:
    war, both, sport = ("war",), ("sport", "war"), ("sport",)
    known = by_slug(
        listed(1, topics=war), listed(2, topics=war), listed(3, topics=sport), listed(4, topics=both), listed(5),
        listed(6, "ar", topics=war), listed(7, topics=both), listed(8, topics=war), listed(9, topics=war, draft=True),
    )  # fmt: skip
    assert on_topics(known, "r8") == ["r7", "r4", "r2"]
    assert on_topics(known, "r7") == ["r4", "r3", "r2"]
    assert on_topics(known, "r3") == on_topics(known, "r5") == on_topics(known, "r6") == on_topics(known, "r1") == []
    known["r4"] = msgspec.structs.replace(known["r4"], withdrawn=True)
    assert on_topics(known, "r8") == ["r7", "r2", "r1"]
    assert on_topics(known, "r4") == [], "its notice leads to the replacement alone"
    first = ReleaseIndex(known, NOW).related(known["r8"])[-1]
    assert (first.title, first.date) == ("Release 1", known["r1"].date)


def test_release_changes_the_pages_that_name_it_and_no_others() -> None:
    known = by_slug(*(listed(number, topics=("war",)) for number in range(1, 9)))
    index = ReleaseIndex(known, NOW)
    for slug in known:
        naming = {other for other in known if slug in on_topics(known, other)}
        assert set(index.with_related([slug])) == {slug, *naming, *index.neighbours([slug])}
    assert index.with_related(["r8"]) == ["r7", "r8"], "the newest changes the one before it"


def test_related_releases_of_ten_thousand_take_less_than_a_second() -> None:
    known = by_slug(*(listed(number, topics=("war", f"t{number % 7}")) for number in range(10_000)))
    start = time.process_time()
    public = ReleaseIndex(known, NOW + timedelta(days=10_000))
    for found in known.values():
        assert public.related(found)
    assert time.process_time() - start < 1


# ── Whose pages change ────────────────────────────────────────────────────────────────────────────────────────────────


def days_ago(days: int) -> str:
    return (NOW - timedelta(days=days)).isoformat()


@pytest.fixture
def five(sandbox: Sandbox) -> Sandbox:
    """Five public releases, one of them in another language."""
    for number, slug in enumerate(("a", "b", "d", "e")):
        sandbox.write(slug, date=days_ago(50 - 10 * number))
    sandbox.write("ar", date=days_ago(35), language="ar")
    publish(sandbox)
    return sandbox


def page_of(sandbox: Sandbox, slug: str) -> str:
    return (sandbox.state.public / f"releases/{slug}.html").read_text("utf-8")


def made_by_make(sandbox: Sandbox, *changed: str) -> set[tuple[str, str]]:
    """Read ``changed`` and run the stages over all releases, as make does; return what was rendered."""
    state, newsroom, published = sandbox.state, sandbox.newsroom, sandbox.published
    list(reading.read(state, newsroom, published, changed, sandbox.now, sandbox.minor))
    results = {name: sandbox.render([name])[name] for name in NAMES}
    return {(name, slug) for name in NAMES for slug, step in results[name].items() if step.verb == "rendered"}


def test_new_release_renders_only_pages_and_records_of_its_neighbours_again(five: Sandbox) -> None:
    five.write("c", date=days_ago(36))
    five.read()
    assert up_to_date_slugs(five) == {"a", "e", "ar"}
    wanted = {(name, "c") for name in NAMES} | {(name, slug) for name in ("html", "json") for slug in ("b", "d")}
    assert made_by_make(five, "c") == wanted
    assert "prev=b next=d" in page_of(five, "c")
    assert "prev=a next=c" in page_of(five, "b")
    assert "prev=c next=e" in page_of(five, "d")
    assert classify(five.state, five.render_context, five.state.slugs(), five.now).failed == ()


def test_second_run_has_nothing_to_do(five: Sandbox) -> None:
    five.write("c", date=days_ago(36))
    publish(five)
    assert up_to_date_slugs(five) == {"a", "b", "c", "d", "e", "ar"}
    assert {step.verb for steps in five.run(NAMES).values() for step in steps.values()} == {"unchanged"}


@pytest.mark.parametrize("keys", [{"date": AHEAD}, {"date": days_ago(36), "draft": "true"}], ids=["ahead", "draft"])
def test_hidden_release_is_not_linked_and_has_no_neighbours(five: Sandbox, keys: dict[str, str]) -> None:
    five.write("c", **keys)
    assert made_by_make(five, "c") == {(name, "c") for name in NAMES}
    assert up_to_date_slugs(five) == {"a", "b", "d", "e", "ar"}
    assert not [slug for slug in ("a", "b", "d", "e", "ar") if re.search(r"\bc\b", page_of(five, slug))]
    waiting = (five.state.waiting / "releases/c.html").read_text("utf-8")
    assert "prev=" not in waiting
    assert "next=" not in waiting


def test_released_release_is_linked_from_the_previous_one(five: Sandbox) -> None:
    five.write("f", date=AHEAD)
    publish(five)
    five.now += timedelta(seconds=1)
    assert up_to_date_slugs(five) == {"a", "b", "d", "ar"}
    made = {
        (name, slug)
        for name in NAMES
        for slug, step in five.render([name], ["f"])[name].items()
        if step.verb == "rendered"
    }
    assert made == {(name, "f") for name in NAMES} | {("html", "e"), ("json", "e")}
    assert "prev=d next=f" in page_of(five, "e")


@pytest.mark.parametrize("away", ["withdrawn", "moved", "of another language", "retracted"])
def test_neighbours_of_a_removed_release_link_to_each_other(five: Sandbox, away: str) -> None:
    changes = {
        "withdrawn": {"date": days_ago(40), "withdrawn": f"{{date: {days_ago(1)}, reason: No}}"},
        "moved": {"date": days_ago(5)},
        "of another language": {"date": days_ago(40), "language": "ar"},
        "retracted": {"date": AHEAD},
    }
    five.write("b", **changes[away])
    five.published = msgspec.structs.replace(
        five.published, rows=tuple(row for row in five.published.rows if away != "retracted" or row.slug != "b")
    )
    made = made_by_make(five, "b")
    assert {("html", "a"), ("html", "d")} <= made
    assert "next=d" in page_of(five, "a")
    assert "prev=a" in page_of(five, "d")
    assert classify(five.state, five.render_context, five.state.slugs(), five.now).failed == ()


def test_neighbours_show_the_new_title_of_a_release(five: Sandbox) -> None:
    five.write("b", date=days_ago(40))
    source = five.content / "b.md"
    source.write_text(source.read_text("utf-8").replace("title: B", "title: Better"), "utf-8")
    assert {slug for name, slug in made_by_make(five, "b") if name == "html"} == {"a", "b", "d"}


def test_fresh_clone_agrees_with_the_machine_that_published(five: Sandbox) -> None:
    five.state.database.discard()
    assert up_to_date_slugs(five) == {"a", "b", "d", "e", "ar"}


def test_page_that_another_publisher_renders_too_is_left_to_the_next_run(five: Sandbox) -> None:
    """Two publish different releases at once, and both renew the page of the one before."""
    base, before = five.published, five.published.by_slug()["e"]
    five.write("f", date=days_ago(2))
    five.run(NAMES)
    mine = classify(five.state, five.render_context, ["e", "f"], five.now).candidates
    lease = Lease("rival", "0" * 64, five.now + timedelta(minutes=15))
    name = digest(b"e")

    def going(now: Manifest) -> list[str]:
        return [release.row.slug for release in without_contested(mine, base, now, "me")]

    def with_row(**changes: Any) -> Manifest:
        rows = (msgspec.structs.replace(row, **changes) if row.slug == "e" else row for row in base.rows)
        return msgspec.structs.replace(base, rows=tuple(rows))

    assert going(base) == ["e", "f"]
    assert going(msgspec.structs.replace(base, leases={name: lease})) == ["f"]
    assert going(msgspec.structs.replace(base, leases={name: msgspec.structs.replace(lease, by="me")})) == ["e", "f"]
    assert going(with_row(record="0" * 64)) == ["f"], "a rival's is there"
    assert going(with_row(record=mine[0].row.record)) == ["e", "f"], "the same as ours"
    assert before.source == mine[0].row.source
    assert going(with_row(record="0" * 64, source="0" * 64)) == ["e", "f"], "other words of it are a conflict"


# ── On the page ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_page_links_to_the_previous_and_the_next_release() -> None:
    around = (Related("older", "en-GB", "What was <said> before", "prev"), Related("newer", "en-GB", "Then", "next"))
    found = page(msgspec.structs.replace(sample.render_input(), neighbours=around))
    for other in around:
        (link,) = found.all("link", rel=other.rel)
        (anchor,) = found.all("a", rel=other.rel)
        assert link["href"] == anchor["href"] == f"{other.slug}.html"
        assert (anchor["lang"], anchor["hreflang"], anchor["dir"]) == ("en-GB", "en-GB", "ltr")
    messages = " ".join(found.words())
    assert " ".join(folded("Previous What was <said> before Next Then")) in messages


def test_page_of_the_only_release_has_no_neighbours() -> None:
    found = page(sample.render_input())
    assert not found.all("a", rel="prev") + found.all("a", rel="next")
    assert "previous" not in found.words()
