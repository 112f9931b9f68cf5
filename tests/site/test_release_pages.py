"""A release page in a real browser: on a telephone, on a desk, without scripts, by keyboard, and printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec
import pypdfium2
import pytest

from pipeline.model.document import Table
from pipeline.model.formats import Rendition, by_name
from pipeline.site.assets import asset_names, assets
from pipeline.writers import html
from tests.support import sample
from tests.support.browser import browse
from tests.support.fontcache import FONTS

ADDRESS = "https://press.example.org/releases/sample.html"
SIZES = {"pdf": 126_400, "text": 3200, "docx": 34_100, "kit": 1_230_000}
WIDE = Table(
    sample.cells(*(f"Column {at}" for at in range(14))),
    (sample.cells(*(f"Cell {at}" for at in range(14))),),
    ("",) * 14,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a release with a wide table, beside its style sheet and fonts."""
    folder = tmp_path_factory.mktemp("page")
    shared = assets(sample.NEWSROOM, b"", FONTS)
    for key, data in shared.items():
        (folder / key).parent.mkdir(exist_ok=True)
        (folder / key).write_bytes(data)
    files = [
        Rendition(name, by_name(name).key("sample"), size, "a" * 64, 2 if name == "pdf" else 0)
        for name, size in SIZES.items()
    ]
    render_input = msgspec.structs.replace(
        sample.render_input(body=(*sample.BODY, WIDE)), assets=asset_names(shared), renditions=tuple(files)
    )
    (folder / "releases").mkdir()
    page = folder / "releases" / "sample.html"
    page.write_bytes(html.write(render_input).data)
    return page


@pytest.fixture
def look(file: Path, tmp_path: Path) -> Any:
    opening = """
    const [file] = given;
    const opened = async (width, options = {}, script = "") => {
      const context = await browser.newContext({ viewport: { width, height: 800 }, ...options });
      if (script) await context.addInitScript(script);
      const page = await context.newPage();
      page.faults = [];
      page.on("pageerror", (fault) => page.faults.push(String(fault)));
      await page.goto(file);
      return page;
    };
    """
    return lambda steps: browse(tmp_path, opening + steps, file.as_uri())


CLIPBOARD = """
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (words) => { window.copied = words; } } });
"""


def test_buttons_copy_text_headline_and_link(look: Any) -> None:
    link, headline, text, said = look(f"""
    const page = await opened(1280, {{}}, `{CLIPBOARD}`);
    for (const what of ["link", "headline", "text"]) {{
      await page.evaluate(() => delete window.copied);
      await page.click(`[data-copies=${{what}}]`);
      await page.waitForFunction(() => window.copied);
      say(await page.evaluate(() => window.copied));
    }}
    say([await page.textContent("[data-copies=text]"), page.faults]);
    """)
    assert link == ADDRESS
    assert headline == sample.release().title
    assert sample.release().title in text
    assert "The last paragraph." in text
    assert "Copy link" not in text
    assert said == ["Copied", []]


def test_share_button_opens_the_sheet_of_the_system_where_there_is_one(look: Any) -> None:
    without, shared = look("""
    const bare = await opened(390, {}, "Object.defineProperty(navigator, 'share', { value: undefined });");
    say([await bare.isVisible(".send"), await bare.isVisible(".share a")]);
    const sheet = "Object.defineProperty(navigator, 'share', { value: async (what) => { window.shared = what; } });";
    const page = await opened(390, {}, sheet);
    await page.click(".send");
    say([await page.evaluate(() => window.shared), page.faults]);
    """)
    assert without == [False, True]
    assert shared == [{"title": sample.release().title, "url": ADDRESS}, []]


def test_without_javascript_only_links_are_there_to_share(look: Any) -> None:
    (seen,) = look("""
    const page = await opened(390, { javaScriptEnabled: false });
    say([await page.locator("button:visible").count(), await page.getAttribute(".share a", "href")]);
    """)
    assert seen[0] == 0
    assert unquote(seen[1]) == f"mailto:?body={ADDRESS}"


def test_mail_has_headline_and_address(look: Any) -> None:
    (href,) = look("""say(await (await opened(390)).getAttribute(".share a", "href"));""")
    assert unquote(href) == f"mailto:?subject={sample.release().title}&body={ADDRESS}"


def test_telephone_shows_the_contact_and_the_number_at_the_top(look: Any) -> None:
    narrow, wide, reached = look("""
    const page = await opened(390);
    const box = await page.locator(".reach a >> nth=1").boundingBox();
    say([await page.getAttribute(".reach a >> nth=1", "href"), box.y < 400, box.height]);
    say(await (await opened(1280)).isVisible(".reach"));
    await page.click(".reach a >> nth=0");
    say(await page.evaluate(() => document.querySelector("#CONTACT").getBoundingClientRect().top < innerHeight));
    """)
    assert narrow == ["tel:+442079460312", True, 44]
    assert not wide
    assert reached


def test_wide_table_is_moved_by_keyboard_and_shows_where_it_is_cut(look: Any) -> None:
    (seen,) = look("""
    const page = await opened(390);
    const box = page.locator(".scroll").last();
    await box.focus();
    const before = await box.evaluate((each) => [each.scrollWidth > each.clientWidth, each.scrollLeft]);
    for (let at = 0; at < 5; at++) await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => [...document.querySelectorAll(".scroll")].at(-1).scrollLeft > 40);
    const style = await box.evaluate((each) => getComputedStyle(each));
    say([...before, style.backgroundAttachment, style.outlineStyle]);
    """)
    assert seen == [True, 0, "local, local, scroll, scroll", "solid"]


def test_files_wrap_as_whole_pairs_and_the_last_is_not_alone(look: Any) -> None:
    """At any width of screen, from the narrowest telephone to a desk."""
    for width, lines, tall in look("""
    const page = await opened(320);
    for (let width = 320; width <= 1300; width += 14) {
      await page.setViewportSize({ width, height: 800 });
      const boxes = await page.$$eval("header .downloads li", (items) => items.map((item) => {
        const { top, height } = item.getBoundingClientRect();
        return [Math.round(top), height];
      }));
      const tops = boxes.map(([top]) => top);
      const lines = [...new Set(tops)].map((top) => tops.filter((each) => each === top).length);
      say([width, lines, boxes.some(([, height]) => height > 60)]);
    }
    """):
        assert not tall, width
        assert sum(lines) == 5
        assert lines[-1] > 1, (width, lines)


def test_printed_page_is_one_column_with_one_right_edge(look: Any) -> None:
    (widths,) = look("""
    const page = await opened(700);
    await page.emulateMedia({ media: "print" });
    say(await page.evaluate(() => ["body", "main", "aside", ".scroll table"].map((each) =>
      Math.round(document.querySelector(each).getBoundingClientRect().width))));
    """)
    assert len(set(widths)) == 1, widths


def test_printed_contacts_stay_with_the_text_before_them(file: Path, look: Any, tmp_path: Path) -> None:
    """However long the text is: no page begins with the box of contacts."""
    look(f"""
    const page = await opened(700);
    for (let at = 0; at < 12; at++) {{
      await page.pdf({{ path: `{tmp_path}/${{at}}.pdf`, format: "A4" }});
      await page.evaluate(() => {{
        for (let line = 0; line < 3; line++)
          document.querySelector(".body").insertAdjacentHTML("afterbegin", "<p>A line more.</p>");
      }});
    }}
    """)
    for printed in tmp_path.glob("*.pdf"):
        document = pypdfium2.PdfDocument(printed)
        starts = [page.get_textpage().get_text_range()[:40].casefold() for page in document]
        document.close()
        assert not [start for start in starts if start.startswith(("media contact", "ruth okafor", "reuse"))], starts
