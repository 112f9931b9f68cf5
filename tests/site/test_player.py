"""The player of a release page in a real browser: what it loads, and how the keyboard reaches it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from pipeline.site.assets import asset_names, assets
from pipeline.validators import MissingValidatorError, validate
from pipeline.writers import html
from tests.support import sample
from tests.support.browser import browse
from tests.support.fontcache import FONTS

FOLDER = "https://press.example.org/releases/sample/"
FILES = ["seoul-master.mov", "preview.mp4", "sound.wav", "still.jpg", "captions.vtt"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with its files there, and as it is while they are not."""
    folder = tmp_path_factory.mktemp("player")
    shared = assets(sample.NEWSROOM, b"", FONTS)
    (folder / "releases").mkdir()
    for key, data in shared.items():
        (folder / key).parent.mkdir(exist_ok=True)
        (folder / key).write_bytes(data)
    states: dict[str, dict[str, Any]] = {
        "sample": {},
        "arabic": {"language": "ar"},
        "coming": {"missing": dict.fromkeys((file.file for file in sample.FILM.files), "coming")},
    }
    for name, changes in states.items():
        render_input = sample.render_input(footage=(sample.FILM,), **changes)
        made = html.write(msgspec.structs.replace(render_input, assets=asset_names(shared)))
        (folder / "releases" / f"{name}.html").write_bytes(made.data)
    return folder


@pytest.fixture
def look(pages: Path, tmp_path: Path) -> Any:
    opening = """
    const [folder] = given;
    const opened = async (name, width = 1280) => {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      page.faults = [];
      page.asked = [];
      page.on("pageerror", (fault) => page.faults.push(String(fault)));
      page.on("request", (request) => page.asked.push(request.url()));
      await page.route("https://press.example.org/**", (route) => {
        const path = folder + decodeURIComponent(new URL(route.request().url()).pathname);
        return route.fulfill({ path }).catch(() => route.fulfill({ status: 404, body: "" }));
      });
      page.setDefaultTimeout(150_000);
      await page.goto(`https://press.example.org/releases/${name}.html`);
      page.films = () => page.asked.filter((url) => url.includes("/releases/sample/") && !url.endsWith("tape.png"));
      return page;
    };
    """
    return lambda steps: browse(tmp_path, opening + steps, str(pages))


def test_nothing_but_the_still_is_loaded_before_a_click(look: Any) -> None:
    before, after, captions, faults = look("""
    const page = await opened("sample");
    await page.locator("video").scrollIntoViewIfNeeded();
    await page.waitForTimeout(300);
    say(page.films());
    const film = page.waitForRequest(/preview/);
    const box = await page.locator("video").boundingBox();
    await page.mouse.click(box.x + 25, box.y + box.height - 50);
    say((await film).url());
    const captions = page.waitForRequest(/captions/);
    await page.evaluate(() => { document.querySelector("video").textTracks[0].mode = "showing"; });
    say((await captions).url());
    say(page.faults);
    """)
    assert before == [f"{FOLDER}still.jpg"]
    assert after == f"{FOLDER}preview.mp4"
    assert captions == f"{FOLDER}captions.vtt"
    assert faults == []


def test_keyboard_reaches_player_files_shots_and_transcript_in_order(look: Any) -> None:
    names, playing, opened = look("""
    const page = await opened("sample");
    await page.focus("video");
    const names = [];
    for (let at = 0; at < 40 && names.at(-1) !== "SUMMARY"; at++) {
      const name = await page.evaluate(() => {
        const found = document.activeElement;
        return found.getAttribute("href") ?? (found.className || found.tagName);
      });
      if (name !== names.at(-1)) names.push(name);
      await page.keyboard.press("Tab");
    }
    say(names);
    await page.keyboard.press("Shift+Tab");
    await page.focus("video");
    const film = page.waitForRequest(/preview/);
    await page.keyboard.press("Space");
    say(Boolean(await film));
    await page.focus("summary");
    await page.keyboard.press("Enter");
    say([await page.getAttribute("details", "open") !== null, await page.isVisible("details p")]);
    """)
    assert names == ["VIDEO", *(f"sample/{name}" for name in FILES), "scroll", "SUMMARY"]
    assert playing
    assert opened == [True, True]


def test_files_are_named_by_what_they_are_for_and_saved(look: Any) -> None:
    (files,) = look("""
    const page = await opened("sample");
    say(await page.$$eval(".players li a", (links) => links.map((link) => [link.innerText, link.type, link.download])));
    """)
    assert files[:2] == [
        ["Master (Korean)\nQuickTime, 1.8 GB", "video/quicktime", ""],
        ["Preview\nMP4, 32.4 MB", "video/mp4", ""],
    ]
    assert len(files) == len(FILES)


def test_link_at_the_top_leads_to_the_player(look: Any) -> None:
    words, focused = look("""
    const page = await opened("sample");
    const link = page.locator("header a[href='#FOOTAGE']");
    say(await link.innerText());
    await link.click();
    say(await page.evaluate(() => document.querySelector("video").getBoundingClientRect().top < innerHeight));
    """)
    assert words.split() == ["Footage", "2:10"]
    assert focused


def test_closed_transcript_is_copied_and_printed(look: Any, tmp_path: Path) -> None:
    copied, closed, printed = look("""
    const page = await opened("sample");
    await page.evaluate(() => Object.defineProperty(navigator, "clipboard", {
      value: { writeText: async (words) => { window.copied = words; } },
    }));
    await page.click("[data-copies=text]");
    await page.waitForFunction(() => window.copied && !document.querySelector("details").open);
    say(await page.evaluate(() => window.copied));
    say(await page.evaluate(() => !document.querySelector("details").open));
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const open = await page.evaluate(() => document.querySelector("details").open);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    say([open, await page.evaluate(() => document.querySelector("details").open)]);
    """)
    assert "“We counted every tape,” says the archivist." in copied
    assert "Sound bite (Korean) Kim Seo-yeon" in copied
    assert "32.4 MB\nStill" not in copied, "the row of files belongs to the page, the contacts name them"
    assert closed
    assert printed == [True, False]


def test_there_is_no_player_while_the_files_are_not_there(look: Any) -> None:
    asked, videos, shots, anchor = look("""
    const page = await opened("coming");
    say(page.films());
    say(await page.locator("video, a[href='#FOOTAGE'], .contacts a[href*='sample/']").count());
    say(await page.locator(".film tbody tr").count());
    say((await page.content()).includes("VideoObject"));
    """)
    assert asked == []
    assert videos == 0
    assert shots == len(sample.FILM.shots)
    assert not anchor


@pytest.mark.parametrize("width", [320, 390, 760, 1280])
@pytest.mark.parametrize("name", ["sample", "arabic"])
def test_player_and_shots_are_as_wide_as_the_text(look: Any, name: str, width: int) -> None:
    (seen,) = look(f"""
    const page = await opened("{name}", {width});
    say(await page.evaluate(() => {{
      const wide = (each) => document.querySelector(each).getBoundingClientRect().width;
      const video = document.querySelector("video").getBoundingClientRect();
      return [document.documentElement.scrollWidth <= innerWidth, wide("main") - wide("video"),
        Math.round(100 * video.width / video.height),
        document.querySelector(".film .scroll").scrollWidth - wide("main")];
    }}));
    """)
    fits, spare, shape, cut = seen
    assert fits
    assert spare == 0
    assert shape == 178
    assert cut <= 1


@pytest.mark.parametrize("name", ["nu", "axe"])
def test_validators_find_no_fault(pages: Path, name: str) -> None:
    try:
        assert validate(name, [pages]).faults == []
    except MissingValidatorError as error:
        pytest.skip(f"{name}: {error}; make validate installs it")
