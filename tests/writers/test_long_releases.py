"""Long and technical releases are as good as short ones: measured on what was made, not on how it was made.

Every case, and every release of the checkout's own newsroom: nothing runs off a page, nothing is printed over anything
else, tables are not torn, headings leave no gap and never end a page, no page is nearly empty.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from lxml import etree
from msgspec import structs

from pipeline.model.document import Block, Heading, Link, Paragraph, Table, Text, plain, walk
from pipeline.site.assets import asset_names, assets
from pipeline.typography.templates import FOLDER
from pipeline.validators import FOLDER as VALIDATORS_FOLDER
from pipeline.writers import html, pdf
from pipeline.writers.docx import writer as docx
from tests.support import sample
from tests.support.fontcache import FONTS
from tests.support.newsroom import ROOT, SAMPLE
from tests.writers import cases

SOURCES = sorted([*cases.FOLDER.glob("*/*.md"), *SAMPLE.glob("*.md")])
LEFT_TO_RIGHT = [source for source in SOURCES if not source.stem.endswith(("arabic", "-ar"))]
MARGIN, FOOT, HEAD = 70.87, 85.0, 56.7
"""Points: the sides of a page, its foot, and the head of a first page, which is the lowest."""
EDGE = 20.0
"""Points at the edge of the paper that printers do not reach."""
HAIR = 1.5
"""Points by which a letter may hang out of its line, or a frame out of its text."""
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"

by_name = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)


class Box(NamedTuple):
    """Where something is on a page, in points from its lower left corner."""

    left: float
    bottom: float
    right: float
    top: float

    def covers(self, other: Box) -> float:
        """Return the part of the smaller of both that lies in the other."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        smaller = min(self.area, other.area)
        return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0

    @property
    def area(self) -> float:
        """Return width times height."""
        return (self.right - self.left) * (self.top - self.bottom)


class Page(NamedTuple):
    """A printed page."""

    width: float
    height: float
    text: str
    letters: list[tuple[str, Box]]
    drawn: list[Box]
    """Pictures, rules and grounds."""

    def between(self) -> list[tuple[str, Box]]:
        """Return the letters between head and foot."""
        return [each for each in self.letters if FOOT < each[1].bottom < self.height - HEAD]


def pages_of(data: bytes) -> list[Page]:
    """Return what is printed on each page."""
    document = pypdfium2.PdfDocument(data)
    found = []
    for page in document:
        text = page.get_textpage()
        messages = text.get_text_range()
        letters = []
        for place in range(text.count_chars()):
            sign = chr(pdfium.FPDFText_GetUnicode(text.raw, place))
            if sign.strip():
                letters.append((sign, Box(*text.get_charbox(place))))
        kinds = (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_FORM)
        drawn = [Box(*each.get_bounds()) for each in page.get_objects(max_depth=1) if each.type in kinds]
        width, height = page.get_size()
        found.append(Page(width, height, messages, letters, [box for box in drawn if box.area > 0]))
    document.close()
    return found


@cache
def printed(source: Path) -> list[Page]:
    """Return the pages of a release's PDF."""
    return pages_of(cases.written(source)[1]["pdf"])


# ── Paper ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def outside(page: Page, left: float, right: float, hair: float = HAIR) -> list[str]:
    """Return what is not between the margins of ``page``, or so high or low that printers leave it out."""
    boxes = [*page.letters, *(("a drawing", box) for box in page.drawn if box.area < page.width * page.height * 0.95)]
    area = Box(left - hair, EDGE, page.width - right + hair, page.height - EDGE)
    return [
        f"{sign} at {box.left:.0f} {box.bottom:.0f}"
        for sign, box in boxes
        if box.left < area.left or box.right > area.right or box.bottom < area.bottom or box.top > area.top
    ]


@by_name
def test_everything_stands_between_the_margins(source: Path) -> None:
    assert [outside(page, MARGIN, MARGIN) for page in printed(source)] == [[] for _ in printed(source)]


@pytest.mark.parametrize("source", LEFT_TO_RIGHT, ids=lambda path: path.stem)
def test_no_letter_is_printed_over_another(source: Path) -> None:
    assert [over for page in printed(source) for over in overprinted(page)] == []


def overprinted(page: Page) -> Iterator[str]:
    """Yield letters that share more than a third of their place; the parts of one ligature stand beside each other.

    Points and accents stand on a letter's place on purpose, and the parts of an emoji all have the place of the whole.
    """
    cells: dict[tuple[int, int], list[tuple[int, str, Box]]] = {}
    for place, (sign, box) in enumerate(page.letters):
        if unicodedata.category(sign)[0] not in "LNPS" or sign >= "\U0001f000":
            continue
        corner = int(box.left // 12), int(box.bottom // 12)
        for other_place, other_sign, other in [
            each for x in (-1, 0, 1) for y in (-1, 0, 1) for each in cells.get((corner[0] + x, corner[1] + y), ())
        ]:
            if place - other_place > 3 and box.covers(other) > 1 / 3:
                yield f"{sign} over {other_sign} at {box.left:.0f} {box.bottom:.0f}"
        cells.setdefault(corner, []).append((place, sign, box))


@by_name
def test_no_page_but_the_last_is_nearly_empty(source: Path) -> None:
    *pages, _ = printed(source)
    assert [round(filling(page), 2) for page in pages if filling(page) < 1 / 3] == []


def filling(page: Page) -> float:
    """Return how far down a page its content reaches, as a part of the height between the margins."""
    boxes = [box for _, box in page.between()] + [box for box in page.drawn if box.bottom > FOOT - HAIR]
    return (page.height - HEAD - min(box.bottom for box in boxes)) / (page.height - HEAD - FOOT)


@by_name
def test_no_heading_ends_a_page(source: Path) -> None:
    article = cases.written(source)[0].article
    headings = {
        letters_of(plain(block.children))
        for block in walk((*article.body, *article.notes))
        if isinstance(block, Heading)
    }
    headings |= {letters_of(article.about_heading)}
    last = [letters_of(last_line(page)) for page in printed(source)[:-1]]
    assert [line for line in last if line and any(heading.endswith(line) for heading in headings)] == []


@pytest.mark.parametrize("lines", range(5))
def test_no_heading_ends_a_page_wherever_it_falls(lines: int) -> None:
    section = (
        Heading(2, (Text("A heading"),)),
        sample.para("Some words that fill a line and a half of the text. " * 2),
    )
    opening = tuple(sample.para("A line.") for _ in range(lines))
    pages = pages_of(pdf.write(sample.render_input(body=opening + section * 40, notes=())).data)
    assert len(pages) > 3
    assert "Aheading" not in {letters_of(last_line(page)) for page in pages}


def test_a_line_is_filled_before_it_ends_at_a_link() -> None:
    """WeasyPrint ends some lines after the first word when the blank before a link is a hair too much."""
    link = Link("https://example.org/", (Text("and then the link"),))
    body = tuple(
        Paragraph((Text(f"Q{n} {'words of one line ' * 3}{'i' * (n // 8)}{'.' * (n % 8)} "), link)) for n in range(160)
    )
    text = "\n".join(page.text for page in pages_of(pdf.write(sample.render_input(body=body, notes=())).data))
    assert re.findall(r"^Q\d+\s*$", text, re.MULTILINE) == []


def test_a_nearly_empty_last_page_is_saved() -> None:
    pages = printed(ROOT / "content/archive-opens-tape-catalogue.md")
    assert len(pages) == 2
    assert filling(pages[-1]) > 1 / 3


def last_line(page: Page) -> str:
    """Return the lowest line above the foot."""
    letters = page.between()
    base = min(box.bottom for _, box in letters)
    return "".join(sign for sign, box in letters if box.bottom < base + 4)


def letters_of(text: str) -> str:
    """Return the letters and figures of ``text``."""
    return "".join(sign for sign in text if sign.isalnum())


# ── Tables on paper ─────────────────────────────────────────────────────────────────────────────────────────────────


class Element(NamedTuple):
    """An element of a PDF's structure."""

    kind: str
    kids: list[int]
    page: int
    """Number of the page that its own marks stand on, from 0; -1 for an element without marks of its own."""


@cache
def structure(source: Path) -> dict[int, Element]:
    """Return the structure of a release's PDF by object number."""
    data = cases.written(source)[1]["pdf"]
    objects: dict[int, bytes] = {}
    for packed in re.finditer(rb"/ObjStm/N (\d+)/First (\d+).*?stream\n(.*?)\nendstream", data, re.DOTALL):
        content, first = zlib.decompress(packed[3]), int(packed[2])
        header = [int(number) for number in content[:first].split()]
        for number, start, end in zip(header[::2], header[1::2], [*header[3::2], len(content)], strict=True):
            objects[number] = content[first + start : first + end]
    tree = next(body for body in objects.values() if body.startswith(b"<</Type /Pages/"))
    pages = [int(number) for number in re.findall(rb"(\d+) 0 R", tree.partition(b"/Kids [")[2].partition(b"]")[0])]
    found = {}
    for number, body in objects.items():
        match = re.match(rb"<</Type /StructElem/S /(\w+)/K \[(.*?)\](?:/Pg (\d+) 0 R)?", body)
        if match:
            marks = re.sub(rb"\d+ 0 R", b"", match[2]).split()
            page = pages.index(int(match[3])) if marks and match[3] else -1
            found[number] = Element(match[1].decode(), [int(n) for n in re.findall(rb"(\d+) 0 R", match[2])], page)
    return found


def pages_below(elements: dict[int, Element], number: int) -> set[int]:
    """Return the pages on which an element and all within it stand."""
    element = elements.get(number)
    if element is None:
        return set()
    return {element.page, *(page for kid in element.kids for page in pages_below(elements, kid))} - {-1}


@by_name
def test_no_row_of_a_table_is_torn(source: Path) -> None:
    """A table over pages has a part on each; a row that was torn would be two."""
    elements = structure(source)
    kinds = [element.kind for element in elements.values()]
    tables = [block for block in blocks_of(source) if isinstance(block, Table)]
    heads = sum(not table.rows for table in tables)
    assert kinds.count("THead") + heads == kinds.count("Table")
    assert kinds.count("TR") == sum(len(table.rows) for table in tables) + kinds.count("Table")
    assert [n for n, each in elements.items() if each.kind == "TR" and len(pages_below(elements, n)) > 1] == []


@pytest.mark.parametrize("source", LEFT_TO_RIGHT, ids=lambda path: path.stem)
def test_head_of_a_table_stands_on_each_of_its_pages(source: Path) -> None:
    for table, parts in tables_of(source):
        for page in parts:
            text = letters_of(printed(source)[page].text)
            assert [plain(cell.children) for cell in table.head if letters_of(plain(cell.children)) not in text] == []


def tables_of(source: Path) -> list[tuple[Table, list[int]]]:
    """Return each table with the pages that it stands on, by its rows."""
    elements = structure(source)
    parts = iter([number for number, element in sorted(elements.items()) if element.kind == "Table"])
    found = []
    for table in (block for block in blocks_of(source) if isinstance(block, Table)):
        rows = len(table.rows)
        pages: list[int] = []
        while rows > 0 or not pages:
            part = next(parts)
            rows += 1 - sum(elements[each].kind == "TR" for each in below(elements, part))
            pages += pages_below(elements, part)
        found.append((table, pages))
    return found


def below(elements: dict[int, Element], number: int) -> Iterator[int]:
    """Yield the numbers of all elements within one."""
    for kid in elements[number].kids:
        if kid in elements:
            yield kid
            yield from below(elements, kid)


def blocks_of(source: Path) -> list[Block]:
    """Return every block of a release in reading order."""
    article = cases.written(source)[0].article
    films = (block for film in article.films for block in film.blocks)
    return list(walk((*article.body, *article.notes, *films)))


def test_some_table_goes_over_pages_and_some_page_is_turned() -> None:
    """Or the tests above would hold nothing."""
    long = cases.FOLDER / "measuring-method/measuring-method.md"
    assert max(len(pages) for _, pages in tables_of(long)) > 1
    wide = printed(cases.FOLDER / "catalogue-interface/catalogue-interface.md")
    turned = [page for page in wide if page.width > page.height]
    assert len(turned) == 1
    assert "more follows" in turned[0].text


# ── Headings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def gaps(levels: Sequence[int]) -> list[tuple[int, int]]:
    """Return each step down that leaves out a level; the headline is level 1."""
    return [step for step in pairwise([1, *levels]) if step[1] > step[0] + 1]


@by_name
def test_headings_leave_no_gap_in_any_format(source: Path) -> None:
    _, made = cases.written(source)
    page = [int(level) for level in re.findall(r"<h([1-6])\b", made["html"].decode().partition("<article")[2])]
    document = pypdfium2.PdfDocument(made["pdf"])
    bookmarks = [entry.level + 1 for entry in document.get_toc()]
    document.close()
    tags = [int(each.kind[1]) for _, each in sorted(structure(source).items()) if re.fullmatch("H[1-6]", each.kind)]
    word = word_levels(made["docx"])
    for levels in (page, bookmarks, tags, word):
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert gaps(levels) == []
    body = [block.level for block in blocks_of(source) if isinstance(block, Heading)]
    assert set(body) <= {2, 3, 4, 5, 6}


def word_levels(data: bytes) -> list[int]:
    """Return the outline levels of a Word file's paragraphs, by their styles."""
    with ZipFile(io.BytesIO(data)) as package:
        styles, text = (etree.fromstring(package.read(f"word/{name}.xml")) for name in ("styles", "document"))
    known = {}
    for style in styles.iter(f"{W}style"):
        level = style.find(f"{W}pPr/{W}outlineLvl")
        if level is not None:
            known[style.get(f"{W}styleId")] = int(level.get(f"{W}val") or 0) + 1
    return [known[style.get(f"{W}val")] for style in text.iter(f"{W}pStyle") if style.get(f"{W}val") in known]


# ── Word ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def from_word(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Page]]:
    """Return the pages that LibreOffice makes of every release's Word file."""
    if shutil.which("soffice") is None:
        pytest.skip("no soffice: LibreOffice lays the Word files out")
    made = {source.stem: cases.written(source)[1]["docx"] for source in SOURCES}
    files = laid_out(tmp_path_factory.mktemp("word"), made)
    return {name: pages_of(data) for name, data in files.items()}


def laid_out(folder: Path, documents: dict[str, bytes]) -> dict[str, bytes]:
    """Return the PDF that LibreOffice makes of each of ``documents``, Word files by name."""
    for name, data in documents.items():
        (folder / f"{name}.docx").write_bytes(data)
    profile = f"-env:UserInstallation=file://{folder}/profile"
    files = sorted(folder.glob("*.docx"))
    command = ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", folder, *files]
    subprocess.run([str(part) for part in command], check=True, capture_output=True, timeout=300)
    return {name: (folder / f"{name}.pdf").read_bytes() for name in documents}


@by_name
def test_everything_from_word_stands_between_the_margins(source: Path, from_word: dict[str, list[Page]]) -> None:
    with ZipFile(FOLDER / docx.REFERENCE) as package:
        margin = etree.fromstring(package.read("word/document.xml")).find(f".//{W}pgMar")
    assert margin is not None
    left, right = (int(margin.get(f"{W}{side}") or 0) / 20 for side in ("left", "right"))
    # LibreOffice sets frames around text, and marks of lists that are read from the right, a little outside.
    from_right = any(unicodedata.bidirectional(sign) in {"R", "AL"} for sign in source.read_text("utf-8"))
    hair = 8 * HAIR if from_right else 4 * HAIR
    found = [outside(page, left, right, hair) for page in from_word[source.stem]]
    assert found == [[] for _ in found]


@pytest.mark.parametrize("source", LEFT_TO_RIGHT, ids=lambda path: path.stem)
def test_no_letter_from_word_is_printed_over_another(source: Path, from_word: dict[str, list[Page]]) -> None:
    assert [over for page in from_word[source.stem] for over in overprinted(page)] == []


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Return the texts of the pages that LibreOffice makes of releases of one to twenty paragraphs."""
    paragraphs = [sample.para("What the archive lends, and to whom, is written in this line. " * 5) for _ in range(20)]
    made = {n: docx.write(sample.render_input(body=tuple(paragraphs[:n]))).data for n in range(1, 21)}
    files = laid_out(tmp_path_factory.mktemp("growing"), {f"{n:02}": data for n, data in made.items()})
    documents = [pypdfium2.PdfDocument(files[name]) for name in sorted(files)]
    return [[page.get_textpage().get_text_range() for page in document] for document in documents]


def test_media_contacts_in_word_stand_below_something_and_together(growing: list[list[str]]) -> None:
    assert {len(pages) for pages in growing} >= {1, 2}, "so that some end near the foot of a page"
    for pages in growing:
        assert "7946" in pages[-1]
        assert "A note." in pages[-1]


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────

LOOK = """
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const [modules, executable, ...pages] = process.argv.slice(2);
const { chromium } = createRequire(pathToFileURL(`${modules}/`))(`${modules}/playwright-core`);
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
for (const width of [320, 1280]) {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  for (const file of pages) {
    await page.goto(pathToFileURL(file).href);
    const faults = await page.evaluate(() => {
      const root = document.documentElement, found = [];
      if (root.scrollWidth > root.clientWidth) found.push("the page scrolls sideways");
      for (const each of document.querySelectorAll("body *")) {
        if (each.closest(".skip, script, .scroll > *")) continue;
        const box = each.getBoundingClientRect(), style = getComputedStyle(each);
        const named = `${each.tagName} ${each.textContent.trim().slice(0, 30)}`;
        if (box.width && (box.right > root.clientWidth + 1 || box.left < -1)) found.push(`outside: ${named}`);
        if (style.overflowX !== "auto" && style.display !== "inline" && each.scrollWidth > each.clientWidth + 1)
          found.push(`runs over: ${named}`);
        if (!/^(IMG|HR|VIDEO)$/.test(each.tagName) && /hidden|clip/.test(style.overflow)) found.push(`clips: ${named}`);
      }
      return found;
    });
    console.log(JSON.stringify({ file, width, faults }));
  }
}
await browser.close();
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], list[str]]:
    """Return what is wrong with each page in a browser, by release and width."""
    browser, node = shutil.which("chromium"), shutil.which("node")
    if browser is None or node is None or not (VALIDATORS_FOLDER / "playwright-core").is_dir():
        pytest.skip("no chromium, node or playwright-core: make validate installs them")
    folder = tmp_path_factory.mktemp("pages")
    for source in SOURCES:
        render_input, _ = cases.written(source)
        files = assets(render_input.newsroom, render_input.mark, FONTS)
        render_input = structs.replace(render_input, assets=asset_names(files))
        shown = {f"releases/{source.stem}/{name}": data for name, data in render_input.pictures.items()}
        for key, data in {**files, **shown, f"releases/{source.stem}.html": html.write(render_input).data}.items():
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(data)
    script = folder / "look.mjs"
    script.write_text(LOOK, "utf-8")
    pages = sorted(folder.glob("releases/*.html"))
    done = subprocess.run(
        [node, script, VALIDATORS_FOLDER, browser, *pages], check=True, capture_output=True, timeout=300
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {(Path(line["file"]).stem, line["width"]): line["faults"] for line in lines}


@pytest.mark.parametrize("width", [320, 1280])
@by_name
def test_nothing_on_the_page_is_cut_or_runs_over(
    source: Path, width: int, seen: dict[tuple[str, int], list[str]]
) -> None:
    assert seen[source.stem, width] == []
