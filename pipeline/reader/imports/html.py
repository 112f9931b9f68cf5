"""An HTML page → our document tree: the text of its article, without the page around it.

Which part is the article is found by what HTML itself says (``article``, ``main``, ``role``), else the whole body is
taken and what is navigation by its element left out. What a page says of itself to machines (schema.org, Open Graph,
``time``) comes before what is guessed from its words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from lxml import etree, html

from pipeline.model.document import (
    Alignment,
    Block,
    Cell,
    Code,
    CodeBlock,
    Emphasis,
    Figure,
    FootnoteReference,
    Footnotes,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    ListItem,
    Paragraph,
    Quote,
    Rule,
    Strong,
    Subscript,
    Superscript,
    Table,
    Text,
    plain,
)
from pipeline.reader.imports import labels
from pipeline.reader.imports.foreign import Check, Foreign, ForeignBlock, clean, tidy
from pipeline.reader.imports.pictures import Pictures

DEPTH_LIMIT = 200
_LEFT_OUT = frozenset(
    (  # noqa: SIM905
        "script style noscript template head nav form button input select textarea label dialog svg math map area "
        "menu datalist progress meter colgroup col rp rt object param "
    ).split()
)
_EMBEDDED = frozenset(["iframe", "video", "audio", "embed", "canvas", "applet"])
_BLOCKS = frozenset(
    (  # noqa: SIM905
        "address article aside blockquote body center dd details dir div dl dt fieldset figcaption figure footer h1 "
        "h2 h3 h4 h5 h6 header hgroup hr html legend li main ol p pre search section summary table tbody td tfoot th "
        "thead tr ul caption "
    ).split()
)
_SPANS: dict[str, type[Strong | Emphasis | Subscript | Superscript]] = {
    "b": Strong, "strong": Strong, "i": Emphasis, "em": Emphasis, "cite": Emphasis, "dfn": Emphasis, "var": Emphasis,
    "sub": Subscript, "sup": Superscript,
}  # fmt: skip
_CODE = frozenset(("code", "kbd", "samp", "tt"))
_STRUCK = frozenset(("s", "strike", "del"))
_QUIET = re.compile(
    r"(?i)(?:^|[\s_-])(?:nav(?:igation|bar)?|menu|breadcrumbs?|cookies?|consent|share|sharing|social|related|comments?|"
    r"newsletter|subscribe|pagination|sidebar|advert\w*|promo|skip|downloads?|tools|screen-reader-text|sr-only)(?:$|[\s_-])"
)
"""Names of what stands on a page around an article."""
_REFERENCE = re.compile(r"[\[(]?(?:\d{1,3}|[*†‡§a-z])[\])]?")
_HIDDEN = re.compile(r"(?i)display:\s*none|visibility:\s*hidden")
_ARROWS = re.compile(r"[\s↑↩⤴^\ufe0e\ufe0f]*")
_TITLES, _DECKS = ("title", "headline"), ("subtitle", "deck", "standfirst", "subheadline", "subhead")


def read_html(text: str, *, folder: Path | None, pictures: Pictures | None = None, whole: bool = False) -> Foreign:
    """Return the article of a page. ``folder`` holds its pictures; None reads none from disk.

    With ``whole``, the text is an article already, and nothing around it is looked for.
    """
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(text or "<p></p>", parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        root = html.document_fromstring("<p></p>")
    facts, base = ({}, "") if whole else _facts(root)
    reader = _Reader(pictures or Pictures(folder), base)
    body = root.find("body")
    parts = [root if body is None else body] if whole else list(_article(root))
    reader.find_notes(root)
    if any("xcessive depth" in each.message for each in parser.error_log):
        reader.checks.append("the page is nested too deeply; see whether the end of its text is here")
    blocks = tuple(block for part in parts for block in reader.flow(part))
    if reader.footnotes:
        blocks = (*blocks, Footnotes(tuple(reader.note(number) for number in range(len(reader.footnotes)))))
    checks, remarks, roles = tuple(reader.checks), tuple(reader.remarks), reader.roles(blocks)
    return Foreign(blocks, reader.pictures.files, facts, checks, remarks, roles=roles)


# ── Which part, and what the page says of itself ───────────────────────────────────────────────────────────────────


def _article(root: Any) -> Iterator[Any]:
    """Yield the article and what belongs to it: parts beside it in which somebody can be called or written to."""
    found = root.xpath("//article|//*[@itemprop='articleBody']") or root.xpath("//main|//*[@role='main']")
    size: Callable[[Any], int] = lambda element: len(element.text_content())  # noqa: E731
    best = max(found, key=size, default=None)
    if best is None or size(best) < 80:
        body = root.find("body")
        yield root if body is None else body
        return
    yield best
    for aside in root.xpath("//aside"):
        if best not in aside.iterancestors() and _is_contact(aside):
            yield aside


def _is_contact(element: Any) -> bool:
    return any(href.startswith(("tel:", "mailto:")) for href in element.xpath(".//a/@href"))


def _facts(root: Any) -> tuple[dict[str, str], str]:
    """Return what the page says of itself by key of the front matter, and its own address."""
    meta = {
        (each.get("property") or each.get("name") or "").lower(): (each.get("content") or "").strip()
        for each in root.iter("meta")
    }
    base = next(iter(root.xpath("//link[@rel='canonical']/@href")), "") or meta.get("og:url", "")
    stated = _linked_data(root)
    times = root.xpath("//article//time/@datetime|//header//time/@datetime|//main//time/@datetime")
    spans = root.xpath("//header//span")
    facts = {
        "title": stated.get("headline") or meta.get("og:title", ""),
        "subtitle": stated.get("alternativeHeadline", ""),
        "summary": stated.get("description") or meta.get("og:description", "") or meta.get("description", ""),
        "date": stated.get("datePublished") or meta.get("article:published_time", "") or next(iter(times), ""),
        "dateline": stated.get("dateline", ""),
        "reference": stated.get("identifier", ""),
        "ai": next(filter(None, (labels.stated("ai", each.text_content()) for each in spans)), ""),
        "language": (root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "").strip(),
    }
    return {key: " ".join(clean(text).split()) for key, text in facts.items() if text}, base


def _linked_data(root: Any) -> dict[str, str]:
    """Return the texts of the first article in the page's JSON-LD."""
    for script in root.xpath("//script[@type='application/ld+json']/text()"):
        try:
            data = json.loads(script)
        except (ValueError, RecursionError):
            continue
        waiting = data if isinstance(data, list) else [data]
        for item in waiting[:50]:
            if not isinstance(item, dict):
                continue
            if isinstance(graph := item.get("@graph"), list):
                waiting += graph
            if re.search(r"Article|PressRelease|BlogPosting", str(item.get("@type", ""))):
                return {key: value for key, value in item.items() if isinstance(value, str)}
    return {}


# ── Elements → blocks ──────────────────────────────────────────────────────────────────────────────────────────────


class _Reader:
    def __init__(self, pictures: Pictures, base: str) -> None:
        self.pictures, self.base = pictures, base
        self.checks: list[str] = []
        self.remarks: list[str] = []
        self.footnotes: list[Any] = []
        """Elements of the notes, in the order of their first references."""
        self.styled: dict[int, str] = {}
        """Role of a block by its identity."""
        self._kept: list[Block] = []
        self._notes: dict[str, Any] = {}
        self._pending: list[Check | Block] = []
        self._depth = 0

    def roles(self, blocks: tuple[ForeignBlock, ...]) -> dict[int, str]:
        return {at: self.styled[id(block)] for at, block in enumerate(blocks) if id(block) in self.styled}

    def find_notes(self, root: Any) -> None:
        """Find the footnotes: elements that a short raised link leads to."""
        ids = {each.get("id"): each for each in root.xpath("//*[@id]")}
        for link in root.iter("a"):
            target = ids.get((link.get("href") or "")[1:]) if (link.get("href") or "").startswith("#") else None
            if target is None or not _REFERENCE.fullmatch("".join(link.itertext()).strip()):
                continue
            raised = any(each.tag == "sup" for each in (link, *link.iterancestors(), *link.iterchildren()))
            if not (raised or "note" in (link.get("role") or "") or "[" in link.text_content()):
                continue
            note = target if target.tag in _BLOCKS else target.getparent()
            if note is not None and note.tag in _BLOCKS and link not in note.iter():
                self._notes[link.get("href")] = note
        for note in self._notes.values():
            if note.get("data-taken") is None:
                note.set("data-taken", "note")

    def note(self, number: int) -> tuple[Block, ...]:
        element = self.footnotes[number]
        element.attrib.pop("data-taken", None)
        for link in list(element.iter("a")):
            text = "".join(link.itertext())
            if (link.get("href") or "").startswith("#") and (_ARROWS.fullmatch(text) or _REFERENCE.fullmatch(text)):
                link.text = None
                del link[:]
        blocks = [block for block in self.flow(element) if not isinstance(block, Check)]
        return tuple(blocks) or (Paragraph((Text("…"),)),)

    def flow(self, element: Any) -> Iterator[ForeignBlock]:
        """Yield the blocks of an element that holds blocks, text, or both."""
        self._depth += 1
        if self._depth > DEPTH_LIMIT:
            self._depth -= 1
            yield from self.paragraph([Text(clean(element.text_content()))])
            return
        run: list[Inline] = [*self.text(element.text)]
        for child in element:
            if not isinstance(child.tag, str) or self.is_left_out(child):
                pass
            elif child.tag in _BLOCKS or self.holds_blocks(child):
                yield from self.paragraph(run)
                run = []
                yield from self.block(child)
            else:
                run += self.inline(child)
            run += self.text(child.tail)
        yield from self.paragraph(run)
        self._depth -= 1

    def holds_blocks(self, element: Any) -> bool:
        return element.tag not in _EMBEDDED and any(each.tag in _BLOCKS for each in element.iterdescendants())

    def is_left_out(self, element: Any) -> bool:
        tag = element.tag
        if tag in _LEFT_OUT or element.get("hidden") is not None or element.get("data-taken"):
            return True
        if element.get("aria-hidden") == "true" or _HIDDEN.search(element.get("style") or ""):
            return True
        if element.get("role") in ("navigation", "search", "banner", "doc-backlink"):
            return True
        named = f"{element.get('class') or ''} {element.get('id') or ''}"
        if tag == "footer" and not _is_contact(element):
            return True
        if _QUIET.search(named) and tag in (
            "div",
            "ul",
            "ol",
            "aside",
            "section",
            "p",
            "footer",
            "header",
            "span",
            "a",
        ):
            body = element.getroottree().getroot()
            return len(element.text_content()) < 0.4 * len(body.text_content())
        return False

    def block(self, element: Any) -> Iterator[ForeignBlock]:
        tag, style = element.tag, element.get("class") or ""
        match tag:
            case "h1" | "h2" | "h3" | "h4" | "h5" | "h6":
                yield from self.heading(element, int(tag[1]))
            case "blockquote":
                inner = list(self.flow(element))
                yield from (each for each in inner if isinstance(each, Check))
                if quoted := tuple(each for each in inner if not isinstance(each, Check)):
                    yield Quote(quoted)
            case "ul" | "ol" | "dir":
                yield from self.listing(element)
            case "dl":
                yield from self.definitions(element)
            case "table":
                yield from self.table(element)
            case "pre":
                for end in element.iter("br"):
                    end.tail = f"\n{end.tail or ''}"
                text = clean("".join(element.itertext())).strip("\n")
                if text.strip():
                    yield CodeBlock(text)
            case "hr":
                yield Rule()
            case "figure":
                yield from self.figure(element)
            case _:
                blocks = list(self.flow(element))
                names = set(re.split(r"[\s_]+", style.lower()))
                role = "title" if names & {*_TITLES} else "subtitle" if names & {*_DECKS} else ""
                role = "caption" if "caption" in names else role
                if role and len(blocks) == 1 and isinstance(blocks[0], Paragraph):
                    self.keep(blocks[0], role)
                yield from blocks

    def keep(self, block: Block, role: str) -> None:
        self._kept.append(block)  # so that no other block gets its identity
        self.styled[id(block)] = role

    def heading(self, element: Any, level: int) -> Iterator[ForeignBlock]:
        blocks = list(self.flow(element))
        words = tidy(
            inline for block in blocks if isinstance(block, Paragraph) for inline in (*block.children, Text(" "))
        )
        words = tidy(Text(" ") if isinstance(each, LineBreak) else each for each in words)
        yield from (block for block in blocks if not isinstance(block, Paragraph))
        if words:
            yield Heading(level, _without(words, Strong))

    def paragraph(self, run: Iterable[Inline]) -> Iterator[ForeignBlock]:
        """Yield the paragraphs of a run of text: two line breaks part it, and a picture stands by itself."""
        pending, self._pending = self._pending, []
        parts: list[list[Inline]] = [[]]
        for inline in run:
            blank = isinstance(inline, Text) and not inline.text.strip()
            if isinstance(inline, LineBreak) and parts[-1] and isinstance(parts[-1][-1], LineBreak):
                parts.append([])
            elif not (blank and parts[-1] and isinstance(parts[-1][-1], LineBreak)):
                parts[-1].append(inline)
        yield from (each for each in pending if isinstance(each, Check))
        yield from (each for each in pending if not isinstance(each, Check))
        for part in parts:
            if words := tidy(_without_brackets(part)):
                yield Paragraph(words)

    def text(self, text: str | None) -> list[Inline]:
        return [Text(re.sub(r"[ \t\n\f]+", " ", clean(text).replace("\n", " ")))] if text else []

    # ── Inlines ────────────────────────────────────────────────────────────────────────────────────────────────

    def inlines(self, element: Any) -> list[Inline]:
        found = self.text(element.text)
        for child in element:
            if isinstance(child.tag, str) and not self.is_left_out(child):
                found += self.inline(child)
            found += self.text(child.tail)
        return found

    def inline(self, element: Any) -> list[Inline]:
        self._depth += 1
        try:
            if self._depth > DEPTH_LIMIT:
                return [Text(clean(element.text_content()))]
            return self._inline(element)
        finally:
            self._depth -= 1

    def _inline(self, element: Any) -> list[Inline]:
        tag = element.tag
        if tag == "br":
            return [LineBreak()]
        if tag == "img":
            self._pending += self.picture(element)
            return []
        if tag in _EMBEDDED:
            source = element.get("src") or next(iter(element.xpath(".//source/@src")), "")
            self._pending.append(Check(f"a film, sound or frame stood here: {source[:120]}"))
            return []
        if tag in _CODE:
            text = " ".join(clean("".join(element.itertext())).split())
            return [Code(text)] if text else []
        if tag == "a":
            return self.link(element)
        children = self.inlines(element)
        if tag == "q":
            return [Text("“"), *children, Text("”")]
        if tag in _STRUCK and plain(tidy(children)):
            self._pending.append(Check(f"struck-out words: {plain(tidy(children))[:80]}; keep them or delete them"))
            return children
        kinds = [_SPANS[tag]] if tag in _SPANS else list(_styles(element.get("style") or ""))
        if tag == "sup" and any(isinstance(each, FootnoteReference) for each in children):
            return [each for each in children if not isinstance(each, Text) or each.text.strip(" [](),;")]
        for kind in kinds:
            children = [kind(tuple(children))]
        return children

    def link(self, element: Any) -> list[Inline]:
        href = (element.get("href") or "").strip()
        if href in self._notes:
            note = self._notes[href]
            if note not in self.footnotes:
                self.footnotes.append(note)
            return [FootnoteReference(self.footnotes.index(note) + 1)]
        children = self.inlines(element)
        if not href or href.startswith("#") or any(isinstance(each, FootnoteReference) for each in children):
            return children
        scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):", href)
        if not scheme and not re.fullmatch(r"(?:\./)?[a-z0-9-]{1,80}\.(?:html|md)(?:#\S*)?", href):
            href = urljoin(self.base, href) if self.base else href
        if not plain(tidy(children)):
            return children
        return [Link(clean(href), tuple(children))]

    # ── Lists, tables, pictures ────────────────────────────────────────────────────────────────────────────────

    def listing(self, element: Any) -> Iterator[ForeignBlock]:
        items: list[ListItem] = []
        checks: list[ForeignBlock] = []
        if element.tag == "ol" and (element.get("type") or "1") not in ("1", ""):
            checks.append(Check("a list that had letters or Roman numerals; it is numbered 1, 2, 3 here"))
        for child in element:
            if not isinstance(child.tag, str) or self.is_left_out(child):
                continue
            blocks = list(self.block(child)) if child.tag in ("ul", "ol") else list(self.flow(child))
            checks += (each for each in blocks if isinstance(each, Check))
            inner = [each for each in blocks if not isinstance(each, Check)]
            if child.tag in ("ul", "ol") and items:  # a list in a list without an item, as old editors write it
                items[-1] = ListItem((*items[-1].children, *inner))
            elif inner:
                box = child.get("data-checked")
                items.append(ListItem(tuple(inner), box == "x") if box else _checked(inner))
        yield from checks
        if all(isinstance(block, List) for item in items for block in item.children):  # indented, as editors write it
            yield from (block for item in items for block in item.children)
            return
        if items:
            start = element.get("start") or "1"
            ordered = element.tag == "ol"
            yield List(ordered, tuple(items), int(start) if ordered and start.isdecimal() and len(start) < 9 else 1)

    def definitions(self, element: Any) -> Iterator[ForeignBlock]:
        for child in element.iter("dt", "dd"):
            blocks = list(self.flow(child))
            for block in blocks:
                is_term = child.tag == "dt" and isinstance(block, Paragraph)
                yield Paragraph((Strong(block.children),)) if is_term and isinstance(block, Paragraph) else block

    def table(self, element: Any) -> Iterator[ForeignBlock]:
        own = [row for row in element.iter("tr") if next(row.iterancestors("table")) is element]
        rows = [[cell for cell in row if cell.tag in ("td", "th")] for row in own]
        caption = element.find("caption")
        width = max((len(row) for row in rows), default=0)
        if width < 2 or element.get("role") == "presentation" or any(_is_layout(cell) for row in rows for cell in row):
            for cell in (cell for row in rows for cell in row):
                yield from self.flow(cell)
            return
        if caption is not None:
            yield from self.flow(caption)
        grid, merged = self.grid(rows)
        if merged:
            yield Check("a table with merged cells; say in each cell what it says")
        yield from (each for each in self._pending if isinstance(each, Check))
        yield from (each for each in self._pending if not isinstance(each, Check))
        self._pending = []
        if grid:
            alignments = tuple(_alignment(rows, at) for at in range(len(grid[0])))
            yield Table(grid[0], tuple(grid[1:]), alignments)

    def grid(self, rows: list[list[Any]]) -> tuple[list[tuple[Cell, ...]], bool]:
        """Return rows of equal length; a cell that spans several has its text in the first of them."""
        taken: dict[tuple[int, int], Cell] = {}
        merged = False
        for y, row in enumerate(rows):
            x = 0
            for cell in row:
                while (y, x) in taken:
                    x += 1
                across, down = _span(cell, "colspan"), min(_span(cell, "rowspan"), len(rows) - y)
                merged |= across > 1 or down > 1
                for dy in range(down):
                    for dx in range(across):
                        taken[y + dy, x + dx] = Cell(self.cell(cell)) if (dx, dy) == (0, 0) else Cell(())
                x += across
        width = max((x for _, x in taken), default=-1) + 1
        grid = [tuple(taken.get((y, x), Cell(())) for x in range(width)) for y in range(len(rows))]
        return [row for row in grid if any(cell.children for cell in row)], merged

    def cell(self, element: Any) -> tuple[Inline, ...]:
        words: list[Inline] = []
        for block in self.flow(element):
            if isinstance(block, (Paragraph, Heading)):
                words += [LineBreak(), *block.children] if words else block.children
            elif isinstance(block, List):
                for item in block.items:
                    for inner in item.children:
                        if isinstance(inner, Paragraph):
                            words += [LineBreak(), *inner.children] if words else inner.children
            else:
                self._pending.append(block)
        bold = tidy(words)
        return _without(bold, Strong) if element.tag == "th" else bold

    def figure(self, element: Any) -> Iterator[ForeignBlock]:
        captions, table = element.findall(".//figcaption"), element.find(".//table")
        images = list(element.iter("img"))
        words: tuple[Inline, ...] = ()
        credit = ""
        for caption in captions:
            for extra in caption.xpath(".//a[@download]"):
                extra.text = None
                del extra[:]
            for each in caption.xpath(".//*[contains(concat(' ', @class, ' '), ' credit ')]"):
                credit = " ".join(clean(each.text_content()).split())
                each.text = None
                del each[:]
            words = tidy(self.inlines(caption))
            caption.set("data-taken", "caption")
        if not images or table is not None:
            yield from self.flow(element)
            if words:
                yield Paragraph(words)
            return
        for at, image in enumerate(images):
            for block in self.picture(image):
                is_last = at == len(images) - 1 and isinstance(block, Figure)
                yield Figure(block.file, block.alt, words, credit) if is_last and isinstance(block, Figure) else block
        if not any(True for image in images if image.get("data-read") == "yes") and (words or credit):
            yield Paragraph(tidy((*words, Text(f" {credit}"))))

    def picture(self, element: Any) -> list[Check | Block]:
        """Return the picture, or a question where it cannot be had."""
        source, alt = _largest(element), " ".join(clean(element.get("alt") or "").split())
        size = (element.get("width") or "", element.get("height") or "")
        if any(each.isdecimal() and int(each) < 8 for each in size):  # pixels that count readers
            return []
        file, problem = self.pictures.add(source)
        if not file:
            return [Check(problem)] if problem else []
        element.set("data-read", "yes")
        described = [] if alt else [Check(f"describe {file} for people who cannot see it: ![…]({file})")]
        return [*described, Figure(file, alt)]


def _largest(element: Any) -> str:
    """Return the address of the widest version of a picture."""
    best, source = 0.0, element.get("src") or element.get("data-src") or ""
    for each in re.split(r",\s+", element.get("srcset") or ""):
        address, _, size = each.strip().partition(" ")
        number = re.match(r"[\d.]+", size.strip())
        if address and number and float(number[0]) > best:
            best, source = float(number[0]), address
    return str(source)


def _styles(style: str) -> Iterator[type[Strong | Emphasis | Subscript | Superscript]]:
    """Yield what a style attribute sets, as office programs write it."""
    style = style.lower()
    if re.search(r"font-weight:\s*(bold|[6-9]00)", style):
        yield Strong
    if re.search(r"font-style:\s*(italic|oblique)", style):
        yield Emphasis
    if raised := re.search(r"vertical-align:\s*(super|sub)\b", style):
        yield Superscript if raised[1] == "super" else Subscript


def _without(words: tuple[Inline, ...], kind: type[Strong]) -> tuple[Inline, ...]:
    """Return the text of a heading that is bold as a whole without this mark: it is bold already."""
    while len(words) == 1 and isinstance(words[0], kind):
        words = words[0].children
    return words


def _without_brackets(words: list[Inline]) -> list[Inline]:
    """Leave out raised brackets around the numbers of footnotes."""
    if not any(isinstance(each, FootnoteReference) for each in words):
        return words
    return [each for each in words if not (isinstance(each, Superscript) and plain((each,)) in "^[^]^[]^]^[^^,^")]


def _checked(blocks: list[Block]) -> ListItem:
    """Return a list item; a box drawn as its first character is its check box."""
    first = blocks[0]
    words = first.children if isinstance(first, Paragraph) else ()
    box = re.match(r"([☐☑☒])\s+", words[0].text) if words and isinstance(words[0], Text) else None
    if box and isinstance(words[0], Text) and (rest := tidy((Text(words[0].text[box.end() :]), *words[1:]))):
        return ListItem((Paragraph(rest), *blocks[1:]), box[1] != "☐")
    return ListItem(tuple(blocks))


def _is_layout(cell: Any) -> bool:
    """Whether a cell holds what a table of data does not: headings, tables, lists, several paragraphs."""
    inner = [each.tag for each in cell.iterdescendants() if isinstance(each.tag, str)]
    return bool({"table", "h1", "h2", "h3", "h4", "blockquote"} & {*inner}) or inner.count("p") > 3


def _span(cell: Any, name: str) -> int:
    value = cell.get(name) or "1"
    return min(max(int(value), 1), 50) if value.isdecimal() and len(value) < 5 else 1


def _alignment(rows: list[list[Any]], at: int) -> Alignment:
    for row in rows[:2]:
        if at < len(row):
            named = f"{row[at].get('align') or ''} {row[at].get('class') or ''} {row[at].get('style') or ''}".lower()
            if found := re.search(r"(?:^|text-align:\s*|\s)(left|right|center)\b", named):
                return found[1]  # type: ignore[return-value]
    return ""
