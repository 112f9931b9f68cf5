"""The elements of a release's Markdown → the document tree: checked, sanitised, typed.

What may not be in a release is reported first, while the elements still have their lines. Then nh3 removes everything
that the document tree does not know: if this module or the Markdown reader lets something through by mistake, it ends
there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import cast
from urllib.parse import unquote
from xml.etree.ElementTree import Element, TreeBuilder

import nh3

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
    fragments,
)
from pipeline.reader.addresses import SCHEMES, resolve_link
from pipeline.reader.characters import collapse_spaces, is_invisible, joints
from pipeline.reader.markdown import ParsedMarkdown
from pipeline.reader.report import Report, suggestion

BodyAndNotes = tuple[tuple[Block, ...], tuple[Block, ...]]
AddPicture = Callable[[str, int], str]
"""Takes a picture's name and line, returns its ``Picture.file`` (empty after a fault)."""

_TAGS = {"p", "blockquote", "ul", "ol", "li", "pre", "code", "hr", "br", "em", "strong", "sub", "sup", "a", "img"}
_TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "tr", "th", "td", "section"}
_ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt", "title"}, "ol": {"start"}, "code": {"class"}}
_ATTRIBUTES |= {"th": {"align"}, "td": {"align"}}
_VOID = frozenset(["br", "hr", "img"])
_SPANS: dict[str, type[Emphasis | Strong | Subscript | Superscript]] = {"em": Emphasis, "strong": Strong}
_SPANS |= {"sub": Subscript, "sup": Superscript}
_NO_PLACE_FOR_PICTURES = {"a": "a link", "th": "a table", "td": "a table", "em": "emphasis", "strong": "emphasis"}
_NO_PLACE_FOR_PICTURES |= {f"h{level}": "a heading" for level in range(1, 7)}


def build_document(parsed: ParsedMarkdown, report: Report, add_picture: AddPicture) -> BodyAndNotes:
    """Return the body, and the notes to editors; faults go into ``report``.

    The notes to editors begin behind the element with ``data-marker="notes"``. Footnotes are numbered in the order of
    their first references, and are the last block of the body. Headings are levelled to start at 2 and leave no gap.
    """
    for problem in parsed.problems:
        if problem.warning:
            report.warn(problem.line, problem.message, problem.hint, "looks-like-a-mark")
        else:
            report.fault(problem.line, problem.message, problem.hint)
    _check(parsed.root, (), report)
    _check_footnotes(parsed.root, report)
    body, notes = _DocumentBuilder(add_picture).build(_sanitize(parsed.html()))
    _check_fragments(parsed.root, [name for _, name in fragments((*body, *notes))], report)
    return body, notes


# ── Checks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check(element: Element, above: tuple[str, ...], report: Report) -> None:
    """Report forbidden links and misplaced pictures, and give links and text alternatives their final form."""
    if element.tag == "a":
        _check_link(element, report)
    elif element.tag == "img":
        _check_picture(element, above, report)
    elif element.tag == "sup" and "a" in above[:-1] and element.get("data-note"):
        report.fault(_line(element), "a note within emphasis within a link", "write it behind the link")
    for child in element:
        _check(child, (*above, element.tag), report)


def _check_link(element: Element, report: Report) -> None:
    target, problem = resolve_link(element.get("href") or "")
    if problem:
        report.fault(_line(element), *problem)
    elif is_invisible("".join(element.itertext())) and element.find(".//img") is None:
        report.fault(_line(element), "a link without text", "write [text](address)")
    element.set("href", target)


def _check_picture(element: Element, above: tuple[str, ...], report: Report) -> None:
    line, written, source = _line(element), element.get("alt") or "", element.get("src") or ""
    alt = collapse_spaces(written)
    element.set("alt", alt)
    place = next((_NO_PLACE_FOR_PICTURES[tag] for tag in above if tag in _NO_PLACE_FOR_PICTURES), "")
    if place:
        report.fault(line, f"a picture in {place}", "give it a paragraph of its own")
    if not source or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", source):
        what = f"not a file of this release: {source[:80]}" if source else "no file name"
        report.fault(line, f"picture: {what}", "write ![text alternative](file.jpg)")
        element.set("src", "")
    if is_invisible(alt) and (not written or written.strip(" \n")):  # ![ ](ship.jpg) says that it is decoration
        hint = "describe it: ![A ship at dusk](ship.jpg), or write ![ ](ship.jpg) if it is only decoration"
        report.fault(line, f"a picture without a text alternative: {element.get('src')}"[:120], hint)


def _check_footnotes(root: Element, report: Report) -> None:
    """Report references without a note, and notes without a reference."""
    notes: dict[str, int] = {}
    for section in root.iterfind("section[@data-note]"):
        name = section.get("data-note") or ""
        if name in notes:
            report.fault(_line(section), f"a second note [^{name}]", f"the first is in line {notes[name]}; rename one")
        notes.setdefault(name, _line(section))
    references = {sup.get("data-note") or "": _line(sup) for sup in reversed(root.findall(".//sup[@data-note]"))}
    outside = {sup.get("data-note") for part in root if not part.get("data-note") for sup in part.iter("sup")}
    for name in (references.keys() & notes.keys()) - outside:
        message = f"only another note refers to the note [^{name}]"
        report.fault(references[name], message, "refer to it in the text, or write it into the other note")
    for name in references.keys() - notes.keys():
        hint = f"write it on a line of its own: [^{name}]: …; for the signs write \\[^{name}]"
        report.fault(references[name], f"no note [^{name}]", hint)
    for name in notes.keys() - references.keys():
        report.fault(notes[name], f"nothing refers to the note [^{name}]", f"write [^{name}] behind a word of the text")


def _check_fragments(root: Element, names: Sequence[str], report: Report) -> None:
    """Report links to headings that are not there."""
    for link in root.iter("a"):
        fragment = unquote(link.get("href") or "")
        if fragment.startswith("#") and fragment[1:] not in names:
            hint = suggestion(fragment[1:], names).replace("did you mean ", "did you mean #")
            report.fault(
                _line(link), f"a link to a heading that is not there: {fragment[:80]}", hint or "delete the link"
            )


def _line(element: Element) -> int:
    return int(element.get("data-line") or 0)


# ── Sanitising ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _sanitize(html: str) -> Element:
    """Return ``html``, cleaned by nh3, as one element that holds all others."""
    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        generic_attribute_prefixes={"data-"},
        url_schemes=set(SCHEMES),
        link_rel=None,
    )
    parser = _ElementParser()
    parser.feed(clean)
    return parser.finish()


class _ElementParser(HTMLParser):
    """Well-formed HTML → elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.builder = TreeBuilder()
        self.builder.start("body", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        self.builder.data(data)

    def finish(self) -> Element:
        self.close()
        self.builder.end("body")
        return self.builder.close()


# ── Building ────────────────────────────────────────────────────────────────────────────────────────────────────────


class _DocumentBuilder:
    """Elements → blocks; remembers the headings and the footnotes so far."""

    def __init__(self, add_picture: AddPicture) -> None:
        self.add_picture = add_picture
        self.headings: list[tuple[int, int]] = []
        """Level as typed and level given, of the headings that the next one may be below."""
        self.notes: dict[str, int] = {}
        """Name of a footnote → its number."""

    def build(self, root: Element) -> BodyAndNotes:
        body: list[Block] = []
        notes: list[Block] = []
        part = body
        for element in root:
            if element.get("data-marker") == "notes":
                part = notes
                self.headings.clear()
            part.extend(self.block(element))
        if footnotes := tuple(self.footnotes(root)):
            body.append(Footnotes(footnotes))
        return tuple(body), tuple(notes)

    def footnotes(self, root: Element) -> Iterator[tuple[Block, ...]]:
        """Yield the footnotes in the order of their numbers; one may refer to further ones."""
        sections = {section.get("data-note"): section for section in root.iterfind("section[@data-note]")}
        done = 0
        while done < len(self.notes):
            name = list(self.notes)[done]
            yield self.blocks(sections[name]) if name in sections else ()
            done += 1

    def blocks(self, element: Element) -> tuple[Block, ...]:
        return tuple(block for child in element for block in self.block(child))

    def block(self, element: Element) -> Iterator[Block]:
        match element.tag:
            case "p":
                yield from self.paragraph(element)
            case "blockquote":
                yield Quote(self.blocks(element))
            case "ul" | "ol":
                yield self.list(element)
            case "pre":
                yield self.code(element)
            case "table":
                yield self.table(element)
            case "hr":
                yield Rule()
            case tag if re.fullmatch("h[1-6]", tag) and (text := self.inlines(element)):
                yield Heading(self.level(int(tag[1])), text)

    def level(self, typed: int) -> int:
        while self.headings and self.headings[-1][0] >= typed:
            self.headings.pop()
        given = min(6, (self.headings[-1][1] if self.headings else 1) + 1)
        self.headings.append((typed, given))
        return given

    def paragraph(self, element: Element) -> Iterator[Block]:
        """Yield the paragraph; a picture within it parts it in two."""
        part = Element("p")
        part.text = element.text
        for child in element:
            if child.tag == "img":
                yield from self.text(part)
                yield self.figure(child)
                part = Element("p")
                part.text = child.tail
            else:
                part.append(child)
        yield from self.text(part)

    def text(self, part: Element) -> Iterator[Block]:
        if text := self.inlines(part):
            yield Paragraph(text)

    def figure(self, image: Element) -> Figure:
        title = collapse_spaces(image.get("title") or "")
        caption, bar, credit = title.rpartition(" | ") if " | " in title else (title, "", "")
        if not bar and title.startswith("| "):
            caption, credit = "", title[2:]
        source = image.get("src") or ""
        file = self.add_picture(source, _line(image)) if source else ""
        inlines = (Text(caption.strip()),) if caption.strip() else ()
        return Figure(file, image.get("alt") or "", inlines, credit.strip())

    def list(self, element: Element) -> List:
        items = tuple(self.item(child) for child in element)
        start = int(element.get("start") or 1)
        return List(element.tag == "ol", items, start, element.get("data-tight") == "tight")

    def item(self, element: Element) -> ListItem:
        checked = element.get("data-checked")
        return ListItem(self.blocks(element), None if checked is None else checked == "x")

    @staticmethod
    def code(element: Element) -> CodeBlock:
        code = element[0]
        return CodeBlock("".join(code.itertext()), (code.get("class") or "").removeprefix("language-"))

    def table(self, element: Element) -> Table:
        rows = [tuple(Cell(self.inlines(cell)) for cell in row) for row in element.iter("tr")]
        alignments = tuple(cast(Alignment, cell.get("align") or "") for cell in next(element.iter("tr")))
        return Table(rows[0], tuple(rows[1:]), alignments)

    def inlines(self, element: Element) -> tuple[Inline, ...]:
        """Return the text of an element, with single spaces and none at the edges."""
        _join_lines(element)
        return _trim(_InlineBuilder(self.notes).children(element))


def _join_lines(element: Element) -> None:
    """Remove the line ends between East Asian letters, also where emphasis or a link begins or ends there."""
    texts = list(_texts(element))
    removed = {at for joint in joints("".join(text for _, _, text in texts)) for at in range(*joint)}
    start = 0
    for owner, name, text in texts if removed else ():
        if removed.intersection(range(start, start + len(text))):
            setattr(owner, name, "".join(c for at, c in enumerate(text, start) if at not in removed))
        start += len(text)


def _texts(element: Element) -> Iterator[tuple[Element, str, str]]:
    """Yield the texts of ``element`` in reading order, each with the attribute of the element that holds it."""
    yield element, "text", element.text or ""
    for child in element:
        if child.tag == "br":  # not a letter, and never changed
            yield child, "text", "-"
        elif not child.get("data-note"):  # the number of a footnote has no text yet
            yield from _texts(child)
        yield child, "tail", child.tail or ""


class _InlineBuilder:
    """Collects inlines. ``ends_in_space`` prevents a second space across their borders."""

    def __init__(self, notes: dict[str, int]) -> None:
        self.notes = notes
        self.ends_in_space = True

    def children(self, element: Element) -> tuple[Inline, ...]:
        inlines: list[Inline] = []
        self.text(element.text, inlines)
        for child in element:
            self.inline(child, inlines)
            self.text(child.tail, inlines)
        return tuple(inlines)

    def text(self, text: str | None, inlines: list[Inline]) -> None:
        if not text:
            return
        text = collapse_spaces(f"x{text}x")[1:-1]
        if self.ends_in_space:
            text = text.removeprefix(" ")
        if text:
            self.ends_in_space = text.endswith(" ")
            if inlines and isinstance(before := inlines[-1], Text):
                text = before.text + text
                inlines.pop()
            inlines.append(Text(text))

    def inline(self, element: Element, inlines: list[Inline]) -> None:
        if element.tag == "br":
            self.ends_in_space = True
            inlines.append(LineBreak())
        elif element.tag == "code":
            self.ends_in_space = False
            inlines.append(Code("".join(element.itertext()).replace("\n", " ")))
        elif name := element.get("data-note"):
            self.ends_in_space = False
            inlines.append(FootnoteReference(self.notes.setdefault(name, len(self.notes) + 1)))
        elif children := self.children(element):
            if element.tag == "a":
                inlines.append(Link(element.get("href") or "", children))
            else:
                inlines.append(_SPANS[element.tag](children))


def _trim(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Drop spaces before line breaks and at the end, and line breaks at either edge."""
    trimmed: list[Inline] = []
    for inline in inlines:
        if isinstance(inline, LineBreak):
            _drop_space(trimmed)
            if not trimmed:
                continue
        trimmed.append(inline)
    _drop_space(trimmed)
    while trimmed and isinstance(trimmed[-1], LineBreak):
        trimmed.pop()
        _drop_space(trimmed)
    return tuple(trimmed)


def _drop_space(inlines: list[Inline]) -> None:
    if inlines and isinstance(last := inlines[-1], Text):
        inlines.pop()
        if text := last.text.rstrip(" "):
            inlines.append(Text(text))
