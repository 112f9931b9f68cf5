"""Translations of one release know each other, and nobody else knows of those that wait; laggards are told."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest

from pipeline.build.state import BuildState
from pipeline.build.translations import outdated_translations
from pipeline.model.manifest import Manifest
from pipeline.publish.candidates import classify
from tests.support.formats import ENDINGS, NAMES
from tests.support.in_process import Sandbox
from tests.support.newsroom import NEWSROOM, Office, Result
from tests.support.public_http import address_of, get, last_written, manifest, written_since
from tests.support.syndication import three

SIX = NEWSROOM.replace('["en-GB", "de"]', '["en-GB", "ar", "de", "fr", "nb", "en-US"]')

# ── Behind the original ─────────────────────────────────────────────────────────────────────────────────────────────

THIRD, FOURTH = "2026-03-03T12:00+00:00", "2026-03-04T12:00+00:00"


def corrections(*dates: str) -> dict[str, str]:
    return {"corrections": "[" + ", ".join(f"{{date: {date}, note: N}}" for date in dates) + "]"} if dates else {}


def told(sandbox: Sandbox) -> list[str]:
    sandbox.read()
    found = outdated_translations(sandbox.state, sandbox.newsroom, sandbox.published, sandbox.now)
    return [str(fault).replace(f"{sandbox.content}/", "content/") for fault in found]


def pair(sandbox: Sandbox, original: tuple[str, ...] = (), translation: tuple[str, ...] = (), /, **keys: str) -> None:
    sandbox.write("x", date="2026-03-01T09:00Z", **corrections(*original))
    facts = {"date": "2026-03-01T09:00Z", "language": "ar", "translation_of": "x", **keys}
    sandbox.write("x-ar", **facts, **corrections(*translation))


def test_a_translation_that_lacks_a_correction_is_told_with_its_file_and_what_to_do(
    sandbox: Sandbox,
) -> None:
    pair(sandbox, (THIRD,))
    assert told(sandbox) == [
        "content/x-ar.md: warning: out of date: its original content/x.md was corrected on 3 March 2026"
        " [outdated-translation]\n"
        "  hint: translate the correction and add it to corrections, dated 2026-03-03T12:00+00:00 or later"
    ]


@pytest.mark.parametrize(
    ("original", "translation", "behind"),
    [
        ((), (), False),
        ((THIRD,), (), True),
        ((THIRD,), (THIRD,), False),
        ((THIRD,), ("2026-03-03T13:00+01:00",), False),
        ((THIRD,), ("2026-03-03T11:59:59+00:00",), True),
        ((THIRD,), (FOURTH,), False),
        ((THIRD, FOURTH), (THIRD,), True),
        ((THIRD, FOURTH), (FOURTH,), False),
        ((), (THIRD,), False),
    ],
)
def test_a_correction_of_the_same_instant_or_later_has_caught_up(
    sandbox: Sandbox, original: tuple[str, ...], translation: tuple[str, ...], behind: bool
) -> None:
    pair(sandbox, original, translation)
    assert bool(told(sandbox)) is behind


@pytest.mark.parametrize(("date", "behind"), [("2026-03-03T11:59+00:00", True), (THIRD, False)])
def test_a_translation_made_after_the_correction_has_it(sandbox: Sandbox, date: str, behind: bool) -> None:
    pair(sandbox, (THIRD,), date=date)
    assert bool(told(sandbox)) is behind


def test_the_date_in_the_hint_is_one_that_catches_up(sandbox: Sandbox) -> None:
    pair(sandbox, ("2026-05-03T12:00:30.5+00:00",))
    (warning,) = told(sandbox)
    hinted = re.search(r"dated (\S+) or later", warning)
    assert hinted
    pair(sandbox, ("2026-05-03T12:00:30.5+00:00",), (hinted[1],))
    assert told(sandbox) == []


def test_a_withdrawn_original_leaves_its_translation_behind(sandbox: Sandbox) -> None:
    gone = f"{{date: {THIRD}, reason: Wrong}}"
    pair(sandbox)
    sandbox.write("x", date="2026-03-01T09:00Z", withdrawn=gone)
    assert told(sandbox) == [
        "content/x-ar.md: warning: out of date: its original content/x.md was withdrawn on 3 March 2026"
        " [outdated-translation]\n"
        "  hint: withdraw it too, or add an entry to corrections, dated 2026-03-03T12:00+00:00 or later,"
        " that says why it stays"
    ]
    sandbox.write("x-ar", date="2026-03-01T09:00Z", language="ar", translation_of="x", withdrawn=gone)
    assert told(sandbox) == []


@pytest.mark.parametrize(
    "keys",
    [{"draft": "true"}, {"withdrawn": "{date: 2026-03-02T09:00Z, reason: Wrong}"}],
    ids=["draft", "withdrawn"],
)
def test_what_nobody_reads_is_behind_nothing(sandbox: Sandbox, keys: dict[str, str]) -> None:
    pair(sandbox, (THIRD,), **keys)
    assert told(sandbox) == []


def test_nothing_is_told_of_what_waits(sandbox: Sandbox) -> None:
    """Nor of a correction that lies ahead: its release is refused until then."""
    after = (sandbox.now + timedelta(days=2)).isoformat()
    pair(sandbox, (after,), date=(sandbox.now + timedelta(days=1)).isoformat())
    assert told(sandbox) == []
    sandbox.write("x", date=(sandbox.now + timedelta(days=1)).isoformat(), **corrections(after))
    assert told(sandbox) == []
    sandbox.now += timedelta(days=2)
    assert len(told(sandbox)) == 1


def test_an_original_that_waits_again_is_not_named(sandbox: Sandbox) -> None:
    """Its translation is refused, so what was published of that is all there is to go by."""
    pair(sandbox, (THIRD,))
    sandbox.run(NAMES)
    rows = tuple(
        ready.row for ready in classify(sandbox.state, sandbox.render_context, ("x", "x-ar"), sandbox.now).candidates
    )
    sandbox.published = Manifest(1, rows)
    sandbox.write("x", date="2026-03-01T09:00Z", draft="true", **corrections(THIRD))
    assert told(sandbox) == []


def test_the_manifest_alone_tells_as_much_as_the_sources(sandbox: Sandbox) -> None:
    """On a fresh clone what is public is not read again; on another machine the original is not even there."""
    for original, translation in (((THIRD,), ()), ((THIRD,), (THIRD,)), ((THIRD, FOURTH), (THIRD,)), ((), (THIRD,))):
        pair(sandbox, original, translation)
        here = told(sandbox)
        sandbox.run(NAMES)
        rows = tuple(
            ready.row
            for ready in classify(sandbox.state, sandbox.render_context, ("x", "x-ar"), sandbox.now).candidates
        )
        published = Manifest(1, rows)
        away = sandbox.content / "x.md"
        text = away.read_text("utf-8")
        away.unlink()
        shutil.rmtree(sandbox.output)
        sandbox.state = BuildState(sandbox.content, sandbox.output)
        sandbox.state.prepare()
        found = [str(f) for f in outdated_translations(sandbox.state, sandbox.newsroom, published, sandbox.now)]
        assert [warning.replace(f"{sandbox.content}/", "content/") for warning in found] == [
            warning.replace("content/x.md", "x") for warning in here
        ]
        away.write_text(text, "utf-8")


def test_a_translation_whose_source_is_elsewhere_is_told_there(sandbox: Sandbox) -> None:
    pair(sandbox, (THIRD,))
    sandbox.run(NAMES)
    rows = tuple(
        ready.row for ready in classify(sandbox.state, sandbox.render_context, ("x", "x-ar"), sandbox.now).candidates
    )
    sandbox.published = Manifest(1, rows)
    (sandbox.content / "x-ar.md").unlink()
    assert told(sandbox) == []


# ── As users meet it ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("translations") / "office", newsroom=SIX)
    found.write("alone", title="Nobody’s original")
    found.write("x", title="The original")
    found.write("x-de", title="Deutscher Titel", language="de", translation_of="x")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def base(office: Office) -> str:
    return address_of(published(office).out)


def published(office: Office, *said: str) -> Result:
    result = office.make("publish", *said)
    assert result.status == 0, result.text
    return result


def uploaded(result: Result) -> set[str]:
    return {line.split()[1] for line in result.out.splitlines() if line.startswith("upload")} - {"assets"}


def public(base: str, key: str) -> str:
    status, _, body = get(base + key)
    assert status == 200, key
    return body.decode()


def others(base: str, slug: str) -> dict[str, str]:
    """Return what the public page of a release names as its other languages: line, alternates and record agree."""
    page = public(base, f"releases/{slug}.html")
    line = dict(re.findall(r'<a href="([\w-]+)\.html" hreflang="([\w-]+)"', page))
    alternates = re.findall(r'<link rel="alternate" hreflang="([\w-]+)" href="([^"]+)"', page)
    wanted = {f"{base}releases/{other}.html" for other in line}
    default = [href for language, href in alternates if language == "x-default"]
    assert {href for _, href in alternates} == (wanted | {f"{base}releases/{slug}.html"} if line else set())
    assert len(default) == bool(line)
    associations = json.loads(public(base, f"releases/{slug}.json")).get("associations", [])
    translations = [each for each in associations if each["rel"] == "translation"]
    assert {each["uri"].rsplit("/", 1)[-1]: each["language"] for each in translations} == line
    return line


def entries(base: str, key: str) -> list[str]:
    found = feedparser.parse(public(base, key))
    assert not found.bozo
    return [entry.link.removeprefix(f"{base}releases/").removesuffix(".html") for entry in found.entries]


def at_rest(office: Office, base: str) -> None:
    """Publish again: nothing may be written; everything can be read back.

    Where the next test begins with exactly what a run uploads, that shows it too.
    """
    before = last_written(office, base), manifest(base)["serial"]
    assert "nothing to do" in published(office).out
    assert (last_written(office, base), manifest(base)["serial"]) == before
    verified = office.make("verify")
    assert verified.status == 0, verified.text


LISTS = ("archive/2026.html", "archive/2026.search.json", "archive/index.html", "index.html", "sitemap.xml")
"""What a new release of 2026 without a topic is added to, feeds excepted."""


def test_translations_and_feeds_from_the_first_day(office: Office, base: str) -> None:
    assert others(base, "x") == {"x-de": "de"}
    assert others(base, "x-de") == {"x": "en-GB"}
    assert others(base, "alone") == {}
    assert entries(base, "feeds/lang/de.xml") == ["x-de"]
    assert sorted(entries(base, "feeds/lang/en-GB.xml")) == ["alone", "x"]
    assert get(f"{base}feeds/lang/de.xml")[1]["content-type"] == "application/rss+xml; charset=utf-8"
    assert "max-age=60" in get(f"{base}feeds/lang/de.xml")[1]["cache-control"]
    at_rest(office, base)


def test_a_translation_added_later_is_named_by_all_and_nobody_else_is_touched(office: Office, base: str) -> None:
    office.write("x-ar", title="العنوان", language="ar", translation_of="x", date="2026-01-06T09:00+00:00")
    before = last_written(office, base)
    published(office)
    assert others(base, "x") == {"x-ar": "ar", "x-de": "de"}
    assert others(base, "x-de") == {"x-ar": "ar", "x": "en-GB"}
    assert others(base, "x-ar") == {"x-de": "de", "x": "en-GB"}
    feeds = three("", "lang/ar", "lang/de", "lang/en-GB")
    assert written_since(before, office, base) == {"x", "x-ar", "x-de", *LISTS, *feeds}
    assert entries(base, "feeds/lang/ar.xml") == ["x-ar"]
    assert '<span lang="ar" dir="rtl">العربية</span>' in public(base, "index.html")


def test_a_release_of_its_own_rewrites_the_feed_of_its_language_and_no_other(office: Office, base: str) -> None:
    office.write("solo", title="Allein", language="de", date="2026-01-07T09:00+00:00")
    before = last_written(office, base)
    published(office)
    assert written_since(before, office, base) == {"solo", "x-de", *three("", "lang/de"), *LISTS}
    assert entries(base, "feeds/lang/de.xml") == ["solo", "x-de"]


def test_a_renamed_translation_is_named_anew_by_all(office: Office, base: str) -> None:
    office.write("x-de", title="Anderer Titel", language="de", translation_of="x")
    assert {"x", "x-ar", "x-de"} <= uploaded(published(office, "MINOR=1"))
    assert '"Anderer Titel"' in public(base, "releases/x.json")


def test_what_waits_shows_nowhere(office: Office, base: str) -> None:
    """Neither link nor alternate, association, feed, nor the name of its language."""
    office.write("x-nb", title="Hemmelig", language="nb", translation_of="x", date="2036-01-01T09:00Z", embargo="true")
    office.write("x-fr", title="Brouillon", language="fr", translation_of="x", draft="true")
    before = last_written(office, base)
    result = published(office)
    assert uploaded(result) == set()
    assert not re.search("Hemmelig|Brouillon|x-nb|x-fr", result.text)
    assert last_written(office, base) == before
    for key, data in office.files().items():
        assert not re.search(rb"Hemmelig|Brouillon|x-nb|x-fr|lang/nb|lang/fr|Norsk|Fran\xc3\xa7ais", data), key
    assert not {"feeds/lang/nb.xml", "feeds/lang/fr.xml"} & office.files().keys()
    nobody = get(f"{base}feeds/lang/xx.xml")[0]
    assert {get(f"{base}feeds/lang/{tag}.xml")[0] for tag in ("nb", "fr")} == {nobody}
    assert nobody != 200
    waiting = (office.waiting / "releases/x-nb.html").read_text("utf-8")
    assert 'href="x.html" hreflang="en-GB"' in waiting, "it knows the public ones"
    at_rest(office, base)


def test_its_feed_and_links_come_with_its_instant(office: Office, base: str) -> None:
    office.write("x-nb", title="Hemmelig", language="nb", translation_of="x", date="2026-01-08T09:00Z", embargo="true")
    before = last_written(office, base)
    published(office)
    expected = {"x", "x-ar", "x-de", "x-nb", "feeds/lang/nb.xml", "index.html"}
    assert expected <= written_since(before, office, base)
    assert others(base, "x") == {"x-ar": "ar", "x-de": "de", "x-nb": "nb"}
    assert entries(base, "feeds/lang/nb.xml") == ["x-nb"]
    at_rest(office, base)


def test_a_withdrawn_translation_is_named_no_more_and_keeps_its_feed(office: Office, base: str) -> None:
    source = office.content / "x-nb.md"
    gone = "withdrawn: {date: 2026-02-01T09:00Z, reason: Den var feil}\ntitle:"
    source.write_text(source.read_text("utf-8").replace("title:", gone), "utf-8")
    assert {"x", "x-ar", "x-de", "x-nb"} <= uploaded(published(office))
    assert others(base, "x") == {"x-ar": "ar", "x-de": "de"}
    assert entries(base, "feeds/lang/nb.xml") == ["x-nb"]
    assert "Den var feil" in public(base, "feeds/lang/nb.xml")
    at_rest(office, base)


def test_a_translation_under_another_name_takes_the_place_of_the_old_one(office: Office, base: str) -> None:
    (office.content / "x-de.md").rename(office.content / "x-deutsch.md")
    result = published(office)
    assert "warning: public, but not in content/: x-de" in result.err
    assert others(base, "x") == {"x-ar": "ar", "x-deutsch": "de"}
    assert others(base, "x-deutsch") == {"x-ar": "ar", "x": "en-GB"}
    at_rest(office, base)


def test_a_release_that_changes_its_language_leaves_an_empty_feed_behind(office: Office, base: str) -> None:
    office.write("solo", title="Alone", language="en-US", date="2026-01-07T09:00+00:00")
    office.write("tmp", title="Seul", language="fr", date="2026-01-07T10:00+00:00")
    published(office, "MINOR=1")
    assert entries(base, "feeds/lang/fr.xml") == ["tmp"]
    office.write("tmp", title="Alone", language="en-US", date="2026-01-07T10:00+00:00")
    published(office, "MINOR=1")
    assert entries(base, "feeds/lang/fr.xml") == []
    assert entries(base, "feeds/lang/en-US.xml") == ["tmp", "solo"]
    assert "feeds/lang/fr.xml" not in public(base, "index.html")
    assert manifest(base)["languages"] == ["fr"]
    at_rest(office, base)


def test_fresh_clone_knows_translations_from_the_manifest(office: Office, base: str) -> None:
    """The German one was made elsewhere, and its source is not here."""
    shutil.rmtree(office.folder / "output")
    (office.content / "x-deutsch.md").unlink()
    office.write("x-us", title="The original, spelt otherwise", language="en-US", translation_of="x")
    result = published(office)
    assert {"x", "x-ar", "x-us", "solo"} <= uploaded(result), "the last one is next in its language"
    assert not {"x-de", "x-deutsch", "alone"} & uploaded(result)
    german = others(base, "x").keys() & {"x-de", "x-deutsch"}
    assert len(german) == 1, "one of the two that are public under another name"
    assert others(base, "x-us").items() >= {"x-ar": "ar", "x": "en-GB"}.items()
    at_rest(office, base)


def test_a_corrected_original_is_told_of_until_its_translations_follow(office: Office, base: str) -> None:
    fix = "corrections: [{date: 2026-03-03T12:00Z, note: The number was wrong.}]\ntitle:"
    for slug in ("x", "x-ar"):
        source = office.content / f"{slug}.md"
        result = office.make("publish")
        assert ("out of date: its original" in result.err) is (slug == "x-ar")
        source.write_text(source.read_text("utf-8").replace("title:", fix), "utf-8")
    result = office.make("publish")
    assert result.status == 0
    warned = re.findall(
        r"^content/([\w-]+)\.md: warning: out of date: its original content/x\.md was cor", result.err, re.M
    )
    assert warned == ["x-us"], "the Arabic one has caught up, the Norwegian one is withdrawn, the French one a draft"
    for command in ("check", "status", "publish"):
        result = office.make(command)
        assert result.status == 0, result.text
        assert result.err.count("warning: out of date: its original") == 1
        assert "hint: translate the correction and add it to corrections, dated 2026-03-03T12:00+00:00" in result.err
    assert not any(b"out of date: its original" in data for data in office.files().values())


def test_render_takes_away_a_feed_of_a_release_that_waits_again(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", newsroom=SIX)
    office.write("x")
    office.write("x-nb", language="nb", translation_of="x")
    assert office.make("render").status == 0
    assert "feeds/lang/nb.xml" in office.files()
    office.write("x-nb", language="nb", translation_of="x", date="2036-01-01T09:00Z")
    assert office.make("render").status == 0
    assert "feeds/lang/nb.xml" not in office.files()
    assert not any(b"x-nb" in data or b"lang/nb" in data for data in office.files().values())
    assert {f"releases/x.{suffix}" for suffix in ENDINGS} | {"feeds/lang/en-GB.xml"} <= office.files().keys()


def test_a_release_in_the_language_of_its_original_is_no_translation(tmp_path: Path) -> None:
    """Its author forgot to say in which language it is, and it would be set as English."""
    office = Office(tmp_path / "office", newsroom=SIX)
    office.write("x")
    office.write("x-ar", title="العنوان", translation_of="x")
    result = office.make("check")
    assert result.status == 2
    assert "content/x-ar.md:4: translation_of: that release is in en-GB too" in result.err
