"""``python -m tests.documentation.pictures`` renders the examples of docs/writing.md, and cuts docs/pictures/ out.

The examples are the blocks that stand above the pictures, so a picture shows what its example becomes.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from PIL import Image

from tests.documentation.pages import ROOT, text_of
from tests.support.browser import browse
from tests.support.newsroom import NEWSROOM, SAMPLE, Office

FOLDER = ROOT / "docs" / "pictures"
CASSETTE = SAMPLE / "archive-opens-tape-catalogue" / "beta-sp-cassette.png"
ARABIC = "south-korea-first-year-ar"
SHOTS = """
const [folder, shots] = given;
const page = await browser.newPage({ viewport: { width: 760, height: 1200 }, deviceScaleFactor: 1.5 });
for (const [name, address, first, last] of JSON.parse(shots)) {
    await page.goto(address);
    const box = await page.evaluate(([first, last]) => {
        const range = document.createRange();
        const ends = [document.querySelector(first), [...document.querySelectorAll(last)].pop()];
        range.setStartBefore(ends[0]);
        range.setEndAfter(ends[1]);
        const found = range.getBoundingClientRect();
        return { x: found.x - 16, y: found.y + scrollY - 16, width: found.width + 32, height: found.height + 32 };
    }, [first, last]);
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true, clip: box });
}
say("done");
"""


def example(picture: str) -> str:
    """Return the last Markdown block above ``picture`` in docs/writing.md."""
    above = text_of("docs/writing.md").split(f"(pictures/{picture}.png)")[0]
    return str(re.findall(r"^```markdown\n(.*?)^```$", above, re.MULTILINE | re.DOTALL)[-1])


def main() -> None:
    """Write the pictures."""
    with tempfile.TemporaryDirectory() as name:
        office = Office(Path(name) / "office", newsroom=NEWSROOM.replace('["en-GB", "de"]', '["en-GB", "ar"]'))
        office.write("marks", body=example("marks"))
        office.write("picture", body=f"A sentence.\n\n{example('picture')}")
        (office.content / "picture").mkdir()
        with Image.open(CASSETTE) as cassette:
            cassette.convert("RGB").save(office.content / "picture" / "cassette.jpg", quality=95)
        text = (SAMPLE / f"{ARABIC}.md").read_text("utf-8")
        text = re.sub(r"(?m)^(translation_of|topics|contacts|#).*\n", "", text)
        (office.content / f"{ARABIC}.md").write_text(text, "utf-8")
        result = office.make("render")
        assert result.status == 0, result.text
        shots = [
            ("marks", "marks", ".body > :first-child", ".body > .footnotes"),
            ("picture", "picture", ".body figure", ".body figure"),
            ("arabic", ARABIC, "article > header", ".body > p:first-of-type"),
        ]
        FOLDER.mkdir(exist_ok=True)
        page = (office.public / "releases").as_uri()
        rows = [[picture, f"{page}/{slug}.html", first, last] for picture, slug, first, last in shots]
        browse(Path(name), SHOTS, name, json.dumps(rows))
        for picture, *_ in shots:
            with Image.open(Path(name) / f"{picture}.png") as image:
                image.convert("RGB").quantize(48).save(FOLDER / f"{picture}.png", optimize=True)


if __name__ == "__main__":
    main()
