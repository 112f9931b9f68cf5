"""The newsroom as a journalist sees it: published by make into a real store, opened in a real browser."""

from __future__ import annotations

import shutil
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser import browse
from tests.support.newsroom import SAMPLE, Office, Result
from tests.support.public_http import last_written, written_since

NOBODY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
SEED, ARABIC, CATALOGUE = "south-korea-first-year", "south-korea-first-year-ar", "archive-opens-tape-catalogue"
FRENCH, KOREAN = "liberation-a-seoul", "korean"


def public(base: str, key: str) -> tuple[str, dict[str, str]]:
    """Return what anybody gets, and how it is served."""
    with NOBODY.open(base + key, timeout=20) as answer:
        return answer.read().decode(), {name.lower(): value for name, value in answer.headers.items()}


def published(office: Office) -> Result:
    result = office.make("publish")
    assert result.status == 0, result.text
    return result


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The newsroom that comes along, with two releases more, and two that wait."""
    newsroom = (SAMPLE / "newsroom.toml").read_text("utf-8")
    newsroom = newsroom.replace('["en-GB", "ar"]', '["en-GB", "ar", "fr", "ko"]')
    found = Office(tmp_path_factory.mktemp("front") / "office", newsroom=newsroom)
    shutil.copytree(SAMPLE, found.content, dirs_exist_ok=True, ignore=shutil.ignore_patterns("newsroom.toml"))
    found.write(FRENCH, title="Libérés à l’été : un ŒUVRE d’Ångström", language="fr", topics="[archive]")
    found.write(KOREAN, title="서울: 석방된 수감자들", language="ko", topics="[human-rights]")
    found.write("held-secret", title="Zukunft", date="2126-01-01T09:00+00:00", topics="[archive]")
    found.write("draft-secret", title="Entwurf", draft="true")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def base(office: Office) -> str:
    """The newsroom's address, published once."""
    return published(office).out.strip().splitlines()[-1].removesuffix("index.html")


# ── In the store ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_page_is_served_with_its_media_type(base: str, office: Office) -> None:
    for key in ("archive/1999.html", "archive/2026.html", "archive/index.html", "archive/topic/human-rights.html"):
        text, headers = public(base, key)
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert "max-age=60" in headers["cache-control"]
        assert office.files()[key].decode() == text, "as made on this machine"
    assert public(base, "sitemap.xml")[1]["content-type"] == "application/xml"
    text, headers = public(base, "robots.txt")
    assert f"\nSitemap: {base}sitemap.xml\n" in text
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert "content-disposition" not in headers
    assert f'hreflang="ar" href="{base}releases/{ARABIC}.html"' in public(base, "sitemap.xml")[0]


def test_no_listing_names_a_scheduled_release_or_a_draft(base: str, office: Office) -> None:
    listed = [key for key in office.files() if not key.startswith(("releases/", "assets/"))]
    assert len(listed) > 12
    for key in listed:
        data = office.files()[key]
        assert b"secret" not in data, key
        assert b"Zukunft" not in data, key
        assert b"Entwurf" not in data, key
        if not key.startswith("feed"):
            assert public(base, key)[0].encode() == data


def test_publishing_again_writes_nothing(base: str, office: Office) -> None:
    assert "nothing to do" in published(office).out
    assert office.make("verify").status == 0


# ── In the browser ────────────────────────────────────────────────────────────────────────────────────────────────────

LOOK = """
const [base, shown] = given;
const opened = async (options = {}, start = base + "index.html") => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.faults = [];
  page.on("pageerror", (fault) => page.faults.push(String(fault)));
  page.on("console", (line) =>
    line.type() === "error" && !line.location().url.endsWith("/favicon.ico") && page.faults.push(line.text()));
  await page.goto(start);
  return page;
};
const address = (page) => page.evaluate(() => location.href);
const names = (page) => page.$$eval(".list > li", (items) =>
  items.filter((item) => item.getClientRects().length).map((item) =>
    item.querySelector("h2 a").getAttribute("href").replace("releases/", "").replace(".html", "")));
const told = (page) => page.textContent("[role=status]");
"""


@pytest.fixture
def look(base: str, office: Office, tmp_path: Path) -> Any:
    return lambda steps: browse(tmp_path, LOOK + steps, base, office.public.as_uri())


def test_search_finds_by_word_by_topic_and_by_language(look: Any) -> None:
    """And the release opens."""
    all_of, word, topic, language, both, nothing, again, address = look("""
    const page = await opened();
    say(await names(page));
    await page.fill("#FIND", "president KIM");
    say([await names(page), await told(page)]);
    await page.fill("#FIND", "");
    await page.selectOption("#TOPIC", "archive");
    say([await names(page), await told(page)]);
    await page.selectOption("#TOPIC", "");
    await page.selectOption("#TONGUE", "ar");
    say(await names(page));
    await page.selectOption("#TOPIC", "archive");
    say([await names(page), await told(page)]);
    await page.selectOption("#TONGUE", "");
    await page.fill("#FIND", "no such word");
    say([await names(page), await told(page), await page.isVisible(".nothing a")]);
    await page.selectOption("#TOPIC", "human-rights");
    await page.fill("#FIND", "door may yet");
    const same = await opened({}, await address(page));
    say([await names(same), await same.inputValue("#FIND"), await same.inputValue("#TOPIC"), page.faults]);
    await same.click("main h2 a >> visible=true");
    say([same.url(), await same.textContent("h1"), same.faults]);
    """)
    assert all_of == [CATALOGUE, KOREAN, FRENCH, SEED, ARABIC]
    assert word == [[SEED], "Releases found: 1"]
    assert topic == [[CATALOGUE, FRENCH], "Releases found: 2"]
    assert language == [ARABIC]
    assert both == nothing[:2] == [[], "No release matches."]
    assert nothing[2]
    assert again == [[SEED], "door may yet", "human-rights", []]
    assert address[0].endswith(f"/releases/{SEED}.html")
    assert address[1].startswith("South Korea: one year on")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("liberes", FRENCH),
        ("L'ÉTÉ", FRENCH),
        ("oeuvre angstrom", FRENCH),
        ("석방", KOREAN),
        ("서우", KOREAN),
        ("كورِيا الجنوبيّة", ARABIC),
        ("الرئيس كيــم بابا", ARABIC),
        ("جنوبيه", ARABIC),
    ],
)
def test_search_ignores_case_accents_and_vowel_signs(look: Any, words: str, found: str) -> None:
    assert look(f"const page = await opened(); await page.fill('#FIND', `{words}`); say(await names(page));") == [
        [found]
    ]


def test_search_by_keyboard_alone(look: Any) -> None:
    focused, found, cleared, where = look("""
    const page = await opened();
    for (let at = 0; at < 20 && (await page.evaluate(() => document.activeElement.id)) !== "FIND"; at++)
      await page.keyboard.press("Tab");
    say(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle));
    await page.keyboard.type("cassette");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("T");
    say([await names(page), await page.inputValue("#TOPIC"), page.faults]);
    await page.keyboard.press("Shift+Tab");
    await page.keyboard.press("Escape");
    say([await names(page), (await address(page)).split("#")[1]]);
    for (let at = 0; at < 20 && (await page.evaluate(() => !document.activeElement.closest("h2"))); at++)
      await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/releases/**");
    say(page.url());
    """)
    assert focused == "solid"
    assert found == [[CATALOGUE], "archive", []]
    assert cleared == [[CATALOGUE, FRENCH], "topic=archive"]
    assert where.endswith(f"/releases/{CATALOGUE}.html")


def test_skip_link_is_not_a_search_and_an_invalid_search_in_the_address_is_ignored(look: Any) -> None:
    skipped, strange = look("""
    const page = await opened({}, base + "index.html#TEXT");
    await page.fill("#FIND", "cassette");
    await page.focus(".skip");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(100);
    say([(await address(page)).split("#")[1], await names(page)]);
    const odd = await opened({}, base + "index.html#topic=nonsense&q=%E0%A4%A&language=%3Cb%3E");
    say([await odd.inputValue("#TOPIC"), odd.faults]);
    """)
    assert skipped == ["TEXT", [CATALOGUE]]
    assert strange == ["", []]


def test_search_of_the_whole_archive_finds_words_of_the_text(look: Any) -> None:
    before, found, narrowed, back, again, nothing, policy = look("""
    const page = await opened();
    const asked = [];
    page.on("request", (request) => /search/.test(request.url()) && asked.push(request.url().replace(base, "")));
    say([await page.isVisible(".all"), asked]);
    await page.fill("#FIND", "COURIER, büro");
    await page.fill("#FIND", "courier,");
    say([await names(page), await page.textContent(".all")]);
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => /found/.test(document.querySelector("[role=status]").textContent));
    say([await names(page), await told(page), asked, await address(page)]);
    await page.fill("#FIND", "couriers");
    say([await names(page), await page.isVisible("#WHOLE")]);
    const same = await opened({}, base + "index.html#q=courier&all=yes");
    await same.waitForFunction(() => /found/.test(document.querySelector("[role=status]").textContent));
    say([await names(same), same.faults]);
    await page.fill("#FIND", "kurier");
    await page.click(".all");
    await page.waitForFunction(() => /matches/.test(document.querySelector("[role=status]").textContent));
    say([await names(page), await page.isVisible(".nothing a")]);
    say(page.faults);
    """)
    assert before == [False, []]
    assert found == [[], "Search the full text of all releases"]
    assert narrowed[0] == [CATALOGUE]
    assert narrowed[1] == "Releases found: 1"
    assert narrowed[2] == ["archive/2026.search.json", "archive/1999.search.json"]
    assert narrowed[3].endswith("#q=courier%2C&all=yes")
    assert back == [[], False]
    assert again == [[CATALOGUE], []]
    assert nothing == [[], True]
    assert policy == []


def test_search_of_the_whole_archive_says_so_when_a_part_cannot_be_read(look: Any) -> None:
    (seen,) = look("""
    const page = await opened();
    await page.route("**/1999.search.json", (route) => route.abort());
    await page.fill("#FIND", "courier");
    await page.click(".all");
    await page.waitForFunction(() => /could not be read/.test(document.querySelector("[role=status]").textContent));
    say([await names(page), await told(page)]);
    """)
    assert seen == [[CATALOGUE], "Releases found: 1 Part of the archive could not be read. Please try again."]


def test_search_works_on_a_page_opened_from_disk(look: Any) -> None:
    (found,) = look("""
    const page = await opened({}, shown + "/index.html");
    await page.fill("#FIND", "kim");
    const same = await opened({}, await address(page));
    await page.keyboard.press("Enter");
    say([await names(page), await names(same), page.faults, await page.isVisible(".all")]);
    """)
    assert found == [[SEED], [SEED], [], False]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_narrow_page_fits_and_its_controls_are_large_enough(look: Any, scheme: str) -> None:
    for fits, small in look(f"""
    for (const key of ["index.html", "archive/1999.html", "archive/index.html", "archive/topic/human-rights.html"]) {{
      const page = await opened({{ viewport: {{ width: 320, height: 700 }}, colorScheme: "{scheme}" }}, base + key);
      say(await page.evaluate(() => {{
        const root = document.documentElement;
        const targets = [...document.querySelectorAll("input, select, .ways a, .shelf a, main :is(h2, h3) a")];
        const boxes = targets.map((each) => each.getBoundingClientRect());
        return [root.scrollWidth <= root.clientWidth, boxes.filter((box) => box.width < 24 || box.height < 40).length];
      }}));
    }}
    """):
        assert fits
        assert small == 0


def test_without_javascript_readers_can_use_the_archive(look: Any) -> None:
    hidden, years, month, title = look("""
    const page = await opened({ javaScriptEnabled: false });
    say(await page.isVisible(".find"));
    await page.click(".masthead .ways a >> nth=0");
    say(await page.locator("main .shelf a").allTextContents());
    await page.click("main .shelf a >> text=1999");
    say(await page.textContent(".month h2"));
    await page.click(`.month a[href*="first-year.html"]`);
    say(await page.textContent("h1"));
    """)
    assert not hidden
    assert years == ["2026", "1999", "Human rights", "The archive"]
    assert month == "February 1999"
    assert title.startswith("South Korea: one year on")


def test_printed_page_has_no_search_form(look: Any) -> None:
    (seen,) = look("""
    const page = await opened();
    await page.emulateMedia({ media: "print" });
    say([await page.isVisible(".find"), await page.isVisible(".list")]);
    """)
    assert seen == [False, True]


# ── A new release, and one that changes its year; last, because they change what is public ────────────────────────────


def test_new_release_changes_only_its_own_listings(base: str, office: Office) -> None:
    office.write("fresh", title="A fresh one", date="2026-03-05T09:00+00:00", topics="[archive]")
    before = last_written(office, base)
    published(office)
    found = written_since(before, office, base)
    listed = {"archive/2026.html", "archive/topic/archive.html", "archive/index.html", "index.html", "sitemap.xml"}
    assert {"fresh", *listed} <= found
    assert not {key for key in found if key.startswith(("archive/1999", "archive/topic/human", "robots"))}
    assert "A fresh one" in public(base, "archive/topic/archive.html")[0]


def test_empty_archive_page_says_that_it_lists_nothing(base: str, office: Office) -> None:
    source = office.content / "fresh.md"
    source.write_text(source.read_text("utf-8").replace("2026-03-05", "2025-03-05"), "utf-8")
    published(office)
    assert "A fresh one" in public(base, "archive/2025.html")[0]
    source.write_text(source.read_text("utf-8").replace("2025-03-05", "2026-03-05"), "utf-8")
    shutil.rmtree(office.folder / "output")
    published(office)
    text, _ = public(base, "archive/2025.html")
    assert "Nothing is listed here any more." in text
    assert "A fresh one" not in text
    assert "archive/2025.html" not in public(base, "sitemap.xml")[0] + public(base, "index.html")[0]
    assert "nothing to do" in published(office).out
    assert office.make("verify").status == 0


def test_entry_leaves_the_news_sitemap_in_a_run_that_writes_nothing_else(base: str, office: Office) -> None:
    leaves = (datetime.now(UTC) + timedelta(seconds=45)).replace(microsecond=0)
    office.write("news", title="News until now", date=(leaves - timedelta(days=2)).isoformat())
    published(office)
    assert "News until now" in public(base, "sitemap-news.xml")[0]
    before = last_written(office, base)
    while datetime.now(UTC) < leaves + timedelta(seconds=2):
        time.sleep(1)
    published(office)
    assert written_since(before, office, base) == {"sitemap-news.xml"}
    assert "News until now" not in public(base, "sitemap-news.xml")[0]
    assert "nothing to do" in published(office).out
    assert office.make("verify").status == 0
