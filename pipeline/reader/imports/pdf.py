"""A PDF → our document tree, from the places and sizes of its letters.

A PDF has lines at places on a page, and neither paragraphs nor lists. Lines belong together when they follow each other
at the usual distance in the same size; a line that ends where its next word would have fitted was ended by its author.
"""

from __future__ import annotations

import ctypes
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from msgspec import Struct

from pipeline.model.document import (
    Block,
    Cell,
    Figure,
    Heading,
    Inline,
    LineBreak,
    List,
    ListItem,
    Paragraph,
    Strong,
    Table,
    Text,
)
from pipeline.model.errors import SettingError, printable
from pipeline.reader.characters import join_lines
from pipeline.reader.imports import labels
from pipeline.reader.imports.foreign import Check, Foreign, ForeignBlock, clean, tidy
from pipeline.reader.imports.pictures import PIXEL_LIMIT, Pictures

PAGE_LIMIT = 100
CHARACTER_LIMIT = 400_000
_BULLET = re.compile(r"[•‣▪◦●○■□➤►▶⁃∙·–—*\uf0b7\uf0a7-](?:[ \u00a0]+|$)")
_NUMBER = re.compile(r"(\d{1,3})[.)](?:[ \u00a0]+|$)")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_FROM_RIGHT = re.compile("[\u0590-\u08ff]")
_GAP = "   "
"""Between what stands in two columns of one line."""
_PICTURE = 48
"""Points; what is smaller is a logo or a sign."""


class Line(Struct):
    """A line of letters, in points from the lower left corner of its page."""

    text: str
    page: int
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool

    @property
    def from_right(self) -> bool:
        """Whether it is written from right to left."""
        return len(_FROM_RIGHT.findall(self.text)) * 2 > sum(map(str.isalpha, self.text))

    @property
    def start(self) -> float:
        """How far its beginning is from the edge at which lines begin."""
        return -self.right if self.from_right else self.left

    @property
    def end(self) -> float:
        """Where it ends, measured in the direction of reading."""
        return -self.left if self.from_right else self.right


class _Picture(Struct):
    page: int
    bottom: float
    file: str


def read_pdf(file: Path, data: bytes) -> Foreign:
    """Return the text of a PDF. Raises ``SettingError`` for one without text, or that cannot be opened."""
    import pypdfium2

    shown = printable(str(file))
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "assword" in str(error):
            raise SettingError(f"{shown}: is protected by a password", "save a copy without a password") from error
        hint = "open it, print or save it as a PDF again, and import that"
        raise SettingError(f"{shown}: is damaged: it cannot be opened as a PDF", hint) from error
    try:
        if len(document) > PAGE_LIMIT:
            raise SettingError(
                f"{shown}: has more than {PAGE_LIMIT} pages", "save the pages of one release by themselves"
            )
        lines, pictures, placed = _read_pages(document)
        facts = {"title": str(document.get_metadata_dict(skip_empty=True).get("Title", "")).strip()}
    except pypdfium2.PdfiumError as error:
        raise SettingError(f"{shown}: a page of it is damaged", "save it as a PDF again, and import that") from error
    finally:
        document.close()
    if sum(len(line.text) for line in lines) < 20:
        hint = "recognise its text (OCR) and save it as DOCX or text, or ask for the file that it was made from"
        raise SettingError(f"{shown}: has no text: its pages are pictures, as from a scanner", hint)
    kept = _without_furniture(lines, labels.fold(facts["title"]))
    checks = ["the text was taken from a PDF; compare paragraphs, headings and lists with it"]
    if any(line.from_right for line in kept):
        checks.append("the PDF has text from right to left; compare each word and its marks")
    blocks = tuple(_placed(_blocks(kept), placed))
    is_title = facts["title"] and not re.search(
        r"\.(docx?|pdf|indd|qxd)$|^Microsoft Word|^untitled", facts["title"], re.I
    )
    return Foreign(
        tuple(block for block, _ in blocks),
        pictures.files,
        {key: clean(value) for key, value in facts.items() if is_title},
        tuple(checks),
        roles=_roles(blocks),
    )


# ── Letters → lines ────────────────────────────────────────────────────────────────────────────────────────────────


def _read_pages(document: Any) -> tuple[list[Line], Pictures, list[_Picture]]:
    from pypdfium2 import raw

    lines: list[Line] = []
    pictures, placed = Pictures(), list[_Picture]()
    letters = 0
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        letters += text.count_chars()
        if letters > CHARACTER_LIMIT:
            raise SettingError(f"the PDF has more than {CHARACTER_LIMIT:,} letters", "import a part of it")
        lines += _merged(list(_lines(text, number, raw)))
        placed += _pictures(page, number, raw, pictures)
        text.close()
        page.close()
    return lines, pictures, placed


def _lines(text: Any, page: int, raw: Any) -> Iterator[Line]:
    x, y = ctypes.c_double(), ctypes.c_double()
    letters: list[tuple[str, float, float, float, float, float, bool]] = []
    for at in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, at)
        sign = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
        if sign in ("\r", "\n"):
            if sign == "\n" and letters:
                yield from _line(letters, page)
                letters = []
            continue
        left, bottom, right, top = text.get_charbox(at)
        raw.FPDFText_GetCharOrigin(text, at, x, y)
        bottom = y.value or bottom
        size = raw.FPDFText_GetFontSize(text, at) * 1.0
        bold = raw.FPDFText_GetFontWeight(text, at) >= 600
        letters.append(("\u00ad" if raw.FPDFText_IsHyphen(text, at) == 1 or code in (2, 0xFFFE) else sign,
                        left, right, bottom, top, size, bold))  # fmt: skip
    if letters:
        yield from _line(letters, page)


def _line(letters: list[tuple[str, float, float, float, float, float, bool]], page: int) -> Iterator[Line]:
    seen = [each for each in letters if each[0].strip()]
    if not seen:
        return
    words, last = "", None
    width = median(each[2] - each[1] for each in seen)
    is_mixed = any(_FROM_RIGHT.match(each[0]) for each in seen)
    for letter in letters:
        sign, left = letter[:2]
        if sign.strip() and last is not None and not is_mixed and left - last[2] > max(2 * width, 10):
            words = words.rstrip() + _GAP
        words += sign
        last = letter if sign.strip() else last
    yield Line(
        clean(words.strip().replace("\u00ad", "\ue000")).replace("\ue000", "\u00ad"),
        page,
        min(each[1] for each in seen),
        max(each[2] for each in seen),
        median(each[3] for each in seen),
        max(each[4] for each in seen),
        median(each[5] for each in seen),
        sum(each[6] for each in seen) * 2 > len(seen),
    )


def _merged(lines: list[Line]) -> list[Line]:
    """Put the marks of lists, which many programs write by themselves, before the lines that they belong to."""
    marks = [line for line in lines if _BULLET.fullmatch(line.text) or _NUMBER.fullmatch(line.text)]
    rest = [line for line in lines if line not in marks]
    for mark in marks:
        middle = (mark.bottom + mark.top) / 2
        beside = [line for line in rest if line.bottom - 3 <= middle <= line.top + 3 and line.page == mark.page]
        beside = [each for each in beside if 0 < max(each.left - mark.right, mark.left - each.right) < 5 * each.size]
        if beside:
            line = min(beside, key=lambda each: max(each.left - mark.right, mark.left - each.right))
            line.text = f"{mark.text.strip()} {line.text}"
            line.left, line.right = min(line.left, mark.left), max(line.right, mark.right)
    return rest


def _pictures(page: Any, number: int, raw: Any, pictures: Pictures) -> Iterator[_Picture]:
    for found in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=4):
        try:
            width, height = found.get_px_size()
            left, bottom, right, top = found.get_bounds()
            if min(right - left, top - bottom) < _PICTURE or width * height > PIXEL_LIMIT or min(width, height) < 40:
                continue
            buffer = io.BytesIO()
            found.get_bitmap(render=False).to_pil().save(buffer, "PNG")
        except Exception:  # noqa: S112 - a picture that cannot be taken out is asked about by its caption alone
            continue
        file, _ = pictures.add_data(buffer.getvalue(), "")
        if file:
            yield _Picture(number, bottom, file)


def _without_furniture(lines: list[Line], title: str) -> list[Line]:
    """Leave out what stands at the head and foot of every page, and page numbers."""
    pages = {line.page for line in lines}
    edges: dict[int, tuple[float, float]] = {
        page: (
            max(line.top for line in lines if line.page == page),
            min(line.bottom for line in lines if line.page == page),
        )
        for page in pages
    }
    counted = Counter((_figureless(line.text), round(line.bottom / 4)) for line in lines)

    def is_furniture(line: Line) -> bool:
        top, bottom = edges[line.page]
        at_edge = line.top > top - 40 or line.bottom < bottom + 25
        repeated = len(pages) > 1 and counted[_figureless(line.text), round(line.bottom / 4)] >= max(2, len(pages) - 1)
        text = line.text.strip()
        number = re.fullmatch(r"[-–—(\[ ]*\d{1,3}(?:\s*(?:/|of|von|de|sur|di|van)\s*\d{1,3})?[-–—)\] ]*", text)
        paged = any(re.search(pattern, text) for pattern in _page_patterns())
        running = line.page > 0 and len(title) > 10 and title in labels.fold(text)
        return at_edge and (running or repeated or bool(number) or (paged and line.bottom < bottom + 25))

    return [line for line in lines if not is_furniture(line)]


def _page_patterns() -> Iterator[str]:
    for form in labels.forms("page_of"):
        escaped = re.escape(form).replace(r"\{page\}", r"\d+").replace(r"\{pages\}", r"\d+")
        yield rf"{escaped}$|^{escaped}"


def _figureless(text: str) -> str:
    return re.sub(r"\d+", "0", text)


# ── Lines → blocks ─────────────────────────────────────────────────────────────────────────────────────────────────

Placed = tuple[ForeignBlock, Line]
"""A block, and its first line."""


def _blocks(lines: list[Line]) -> Iterator[Placed]:
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[round(line.size, 1)] += len(line.text)
    usual = sizes.most_common(1)[0][0] if sizes else 0.0
    groups = list(_groups(lines, usual))
    at = 0
    while at < len(groups):
        group = groups[at]
        if _is_marked(group[0]):
            items = [group]
            while at + len(items) < len(groups) and _is_marked(groups[at + len(items)][0]):
                items.append(groups[at + len(items)])
            for block in _lists(items, lines):
                yield block, group[0]
            at += len(items)
            continue
        for block in _block(group, usual, lines):
            yield block, group[0]
        at += 1


def _is_marked(line: Line) -> bool:
    found = _BULLET.match(line.text) or _NUMBER.match(line.text)
    return bool(found) and len(line.text) > len(found[0] if found else "")


def _groups(lines: list[Line], usual: float) -> Iterator[list[Line]]:
    """Yield the lines of each paragraph."""
    leadings = [
        round(a.bottom - b.bottom, 1)
        for a, b in pairwise(lines)
        if a.page == b.page and abs(a.size - b.size) < 0.5 and 0 < a.bottom - b.bottom < 3 * max(a.top - a.bottom, 4)
    ]
    leading = _least_common_distance(leadings)
    group: list[Line] = []
    for line in lines:
        if group and not _goes_on(group, line, leading, usual):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _least_common_distance(leadings: list[float]) -> float:
    """Return the usual distance of two lines of a paragraph: the smallest that is frequent."""
    counted = Counter(round(each) for each in leadings)
    frequent = [distance for distance, times in counted.items() if times * 5 >= max(counted.values())]
    return float(min(frequent)) if frequent else 14.0


def _goes_on(group: list[Line], line: Line, leading: float, usual: float) -> bool:
    last = group[-1]
    if _is_marked(line) or abs(last.size - line.size) > 0.08 * max(last.size, 1) or last.bold != line.bold:
        return False
    if (_GAP in last.text) != (_GAP in line.text):
        return False
    if last.page != line.page:
        return not _SENTENCE_END.search(last.text) and line.size <= usual * 1.1 and _GAP not in line.text
    distance = last.bottom - line.bottom
    scale = leading * (line.size / usual if usual else 1)
    if distance < 0 or distance > max(scale, leading) * 1.3 + 2:
        return False
    if _is_marked(group[0]):
        return line.start > group[0].start + 2
    if abs(line.start - last.start) > 4 * line.size:
        return False
    indented = line.start > min(each.start for each in group) + 0.8 * line.size and len(group) > 1
    return not (indented and _SENTENCE_END.search(last.text))


def _block(group: list[Line], usual: float, lines: list[Line]) -> Iterator[ForeignBlock]:
    if (table := _table(group)) is not None:
        yield Check("a table from a PDF; compare its columns")
        yield table
        return
    first = group[0]
    words, checks = _joined(group, lines)
    yield from checks
    letters = sum(len(line.text) for line in group)
    short = len(group) < 3 and letters < 140 and not re.search(r"[.,;:。]$", group[-1].text)
    if (first.size > usual * 1.2 and letters < 300) or (first.size > usual * 1.05 and short):
        yield Heading(1 if first.size > usual * 1.6 else 2, tuple(_unbroken(words)))
    elif first.bold and letters < 120 and len(group) < 3 and not re.search(r"[.,;]$", group[-1].text):
        yield Heading(3, tuple(_unbroken(words)))
    else:
        yield Paragraph((Strong(words),) if all(line.bold for line in group) else words)


def _unbroken(words: Iterable[Inline]) -> tuple[Inline, ...]:
    return tidy(Text(" ") if isinstance(each, LineBreak) else each for each in words)


def _joined(group: list[Line], lines: list[Line]) -> tuple[tuple[Inline, ...], list[Check]]:
    """Return the text of a paragraph; a line keeps its end where its author ended it."""
    words: list[Inline] = []
    checks: list[Check] = []
    text = ""
    for at, line in enumerate(group):
        part = line.text.strip()
        text = _appended(text, part, checks) if text else part
        if at + 1 < len(group) and _is_ended(line, group[at + 1], lines):
            words += [Text(text), LineBreak()]
            text = ""
    lined: list[Inline] = []
    for inline in (*words, Text(text)):
        pieces = inline.text.split(_GAP) if isinstance(inline, Text) else []
        if not pieces:
            lined.append(inline)
        for number, piece in enumerate(pieces):
            lined += [LineBreak(), Text(piece)] if number else [Text(piece)]
    return tidy(Text(each.text.replace("\u00ad", "")) if isinstance(each, Text) else each for each in lined), checks


def _appended(text: str, part: str, checks: list[Check]) -> str:
    if text.endswith("\u00ad"):
        return text[:-1] + part
    if re.search(r"[^\W\d_]-$", text) and part[:1].islower():
        word = f"{text.split()[-1]}{part.split()[0]}"
        checks.append(Check(f"a hyphen at the end of a line: {word}; delete it if the word has none"))
        return text + part
    if re.search(r"[^\W_]-$|/$", text) or (text.endswith(("–", "—")) and not text.endswith((" –", " —"))):
        return text + part
    edges = text[-1:], part[:1]
    if any(each and unicodedata.east_asian_width(each) in "WF" and not "\uac00" <= each <= "\ud7af" for each in edges):
        return text + part
    return join_lines(f"{text}\n{part}").replace("\n", " ")


def _is_ended(line: Line, following: Line, lines: list[Line]) -> bool:
    """Whether the first word of the next line would have fitted, so that somebody ended this one."""
    if line.text.endswith("\u00ad") or line.page != following.page:
        return False
    if abs(following.start - line.start) > 1.2 * line.size and line.size == following.size:
        return True  # set to the other edge, or in the middle
    column = [
        each.end for each in lines
        if each.page == line.page and abs(each.start - line.start) < 3 and abs(each.size - line.size) < 1
    ]  # fmt: skip
    edge = max(column, default=line.end)
    width = (line.right - line.left) / max(len(line.text), 1)
    word = following.text.split(" ")[0]
    return line.end + (len(word) + 1.5) * width < edge - 0.5 * line.size


def _table(group: list[Line]) -> Table | None:
    rows = [[cell.strip() for cell in line.text.split(_GAP) if cell.strip()] for line in group]
    if len(rows) < 2 or len({len(row) for row in rows}) != 1 or len(rows[0]) < 2:
        return None
    cells = [tuple(Cell(tidy([Text(cell)])) for cell in row) for row in rows]
    return Table(cells[0], tuple(cells[1:]), tuple("" for _ in rows[0]))


def _lists(items: list[list[Line]], lines: list[Line]) -> Iterator[ForeignBlock]:
    """Yield the lists that marked paragraphs make; an item that begins further in belongs to the one above it."""
    run: list[tuple[bool, ListItem, int]] = []
    at = 0
    while at < len(items):
        item = items[at]
        found = _NUMBER.match(item[0].text) or _BULLET.match(item[0].text)
        number = _NUMBER.match(item[0].text)
        first = Line(
            item[0].text[found.end() if found else 0 :],
            *(getattr(item[0], name) for name in Line.__struct_fields__[1:]),
        )
        words, checks = _joined([first, *item[1:]], lines)
        yield from checks
        nested = []
        while at + 1 < len(items) and items[at + 1][0].start > item[0].start + 6:
            nested.append(items[at + 1])
            at += 1
        children: list[Block] = [Paragraph(words)]
        for block in _lists(nested, lines) if nested else ():
            if not isinstance(block, Check):
                children.append(block)
        run.append((bool(number), ListItem(tuple(children)), int(number[1]) if number else 1))
        at += 1
    start = 0
    for end in range(1, len(run) + 1):
        parts = end == len(run) or run[end][0] != run[start][0] or (run[end][0] and run[end][2] != run[end - 1][2] + 1)
        if parts:
            yield List(run[start][0], tuple(item for _, item, _ in run[start:end]), run[start][2])
            start = end


def _placed(blocks: Iterable[Placed], pictures: list[_Picture]) -> Iterator[Placed]:
    """Yield the blocks, each picture before the first one below it."""
    waiting = list(pictures)
    for block, line in blocks:
        while waiting and (waiting[0].page, -waiting[0].bottom) < (line.page, -line.top + line.size):
            file = waiting.pop(0).file
            yield Check(f"describe {file} for people who cannot see it: ![…]({file})"), line
            yield Figure(file, ""), line
        yield block, line
    for picture in waiting:
        yield (
            Check(f"describe {picture.file} for people who cannot see it: ![…]({picture.file})"),
            Line("", 0, 0, 0, 0, 0, 0, False),
        )
        yield Figure(picture.file, ""), Line("", 0, 0, 0, 0, 0, 0, False)


def _roles(blocks: tuple[Placed, ...]) -> dict[int, str]:
    """Return the headline: the largest letters of the first page."""
    first = [
        (line.size, -at) for at, (block, line) in enumerate(blocks) if line.page == 0 and isinstance(block, Heading)
    ]
    largest = max(first, default=None)
    if not largest or sum(size == largest[0] for size, _ in first) != 1:
        return {}
    title = -largest[1]
    deck = title + 1 if title + 1 < len(blocks) and isinstance(blocks[title + 1][0], Heading) else -1
    return {title: "title", deck: "subtitle"}
