"""Inlines as Word's runs and hyperlinks; every run states whether it is read from the left or from the right."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from string import Formatter
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from pipeline.model.document import (
    FROM_LEFT,
    TELEPHONE,
    Block,
    Code,
    Emphasis,
    FootnoteReference,
    Inline,
    LineBreak,
    Link,
    Strong,
    Subscript,
    Superscript,
    Text,
    is_address,
    plain,
    references,
)
from pipeline.writers import home_link
from pipeline.writers.docx.styles import Styles
from pipeline.writers.docx.xml import Relations, texts, w
from pipeline.writers.markup import joined_figures

LEFT_TO_RIGHT = "\u200e"
_UNSAFE = re.compile(r"[\s<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class RunStyle:
    """The looks of a run."""

    style: str = ""
    """Name of a character style, or empty."""
    strong: bool = False
    emphasis: bool = False
    raised: str = ""
    """``superscript``, ``subscript`` or empty."""
    ltr: bool = False
    """Read from the left whatever stands around it: code, telephone numbers, addresses."""
    code: str = "Code Span"
    """Name of the character style of code here; tables have smaller ones."""


PLAIN = RunStyle()


class FootnoteMarks:
    """The references to footnotes in one document. Word counts the first one to each footnote itself."""

    def __init__(self, blocks: Iterable[Block], first_bookmark: int) -> None:
        """``first_bookmark`` is the first number that no other bookmark has."""
        self.placed: set[int] = set()
        """The footnotes that the text has referred to so far."""
        self._repeated = {number for number, count in Counter(references(blocks)).items() if count > 1}
        self._first_bookmark = first_bookmark

    def mark(self, number: int, properties: Element, *, within: bool) -> list[Element]:
        """Return a reference; ``within`` a footnote, where Word has no references but can repeat a number."""
        bookmark = f"_note{number}"
        if within or number in self.placed:
            instruction = f" NOTEREF {bookmark} \\f \\h "
            return [w("fldSimple", w("r", properties, *texts(str(number))), instr=instruction)]
        self.placed.add(number)
        run = w("r", properties, w("footnoteReference", id=number))
        if number not in self._repeated:
            return [run]
        at = self._first_bookmark + number
        return [w("bookmarkStart", id=at, name=bookmark), run, w("bookmarkEnd", id=at)]


class Runs:
    """Writes lines of text in one part of a document."""

    def __init__(
        self,
        styles: Styles,
        relations: Relations,
        base_url: str,
        bookmarks: Mapping[str, str],
        marks: FootnoteMarks,
        *,
        rtl: bool,
        within_footnotes: bool = False,
    ) -> None:
        self.styles = styles
        self.rtl = rtl
        self._relations = relations
        self._base_url = base_url
        self._bookmarks = bookmarks
        self._marks = marks
        self._within_footnotes = within_footnotes

    def text(self, value: str, look: RunStyle = PLAIN) -> list[Element]:
        """Return ``value`` as runs, one for each stretch that is read in one direction.

        Spaces in an international telephone number become no-break spaces.
        """
        value = TELEPHONE.sub(lambda found: found[0].replace(" ", "\u00a0"), value)
        if look.ltr:
            # Without letters that give its direction, a number would be shown with its plus sign at the end. Word
            # goes by the element around it, LibreOffice only by an invisible mark.
            numeric = self.rtl and FROM_LEFT.match(value) and not value[0].isalpha()
            mark = LEFT_TO_RIGHT if numeric else ""
            end = LEFT_TO_RIGHT if self.rtl and not value[-1:].isalnum() else ""
            run = w("r", self._properties(look, rtl=False), *texts(mark + value + end))
            return [w("dir", run, val="ltr")] if self.rtl else [run]
        out: list[Element] = []
        for piece, rtl in _stretches(value, self.rtl):
            if self.rtl and not rtl and FROM_LEFT.fullmatch(piece):
                out += self.text(piece, replace(look, ltr=True))
            else:
                out.append(w("r", self._properties(look, rtl=rtl), *texts(piece)))
        return out

    def whole(self, value: str) -> list[Element]:
        """Return ``value``, the whole of a paragraph, as runs.

        In a document from right to left, a text in Latin letters alone keeps its full stop at its end.
        """
        kinds = set(map(unicodedata.bidirectional, value))
        return self.text(value, RunStyle(ltr=self.rtl and "L" in kinds and not kinds & {"R", "AL"}))

    def fields(self, message: str, instructions: Mapping[str, str]) -> list[Element]:
        """Return ``message`` with a field of Word for each of its names in braces."""
        ltr = self.rtl and not any(unicodedata.bidirectional(sign) in ("R", "AL") for sign in message)
        out: list[Element] = []
        for literal, name, _, _ in Formatter().parse(message):
            runs = [w("r", *texts(literal))] if ltr else self.text(literal)
            out += runs if literal else []
            if name:
                out.append(
                    w("fldSimple", *([w("r", *texts("1"))] if ltr else self.text("1")), instr=instructions[name])
                )
        return [w("dir", w("r", *texts(LEFT_TO_RIGHT)), *out, w("r", *texts(LEFT_TO_RIGHT)), val="ltr")] if ltr else out

    def styled(self, value: str, style: str) -> list[Element]:
        """Return ``value`` in a character style."""
        return self.text(value, RunStyle(style))

    def tab(self) -> Element:
        """Return a run that goes to the next tab stop."""
        return w("r", self._properties(PLAIN, rtl=self.rtl), w("tab"))

    def line_break(self) -> Element:
        """Return a run that begins a new line in the same paragraph."""
        return w("r", w("br"))

    def linked(self, value: str, href: str) -> list[Element]:
        """Return ``value`` as a link; a telephone number stays on one line."""
        if href.startswith("tel:"):  # ``text`` recognizes only numbers that begin with a plus
            value = value.replace(" ", "\u00a0")
        ltr = href.startswith(("tel:", "mailto:")) or value == href
        return self._link(
            href, self.text(value, RunStyle("Contact Link", ltr=ltr)), self.text(value, RunStyle(ltr=ltr))
        )

    def inlines(self, inlines: Iterable[Inline], look: RunStyle = PLAIN) -> list[Element]:
        """Return ``inlines`` as runs and hyperlinks."""
        if not self.rtl:
            return [run for inline in inlines for run in self._inline(inline, look)]
        out: list[Element] = []
        for joined in joined_figures(inlines):
            out += self._figures(joined, look) if joined[1:] else self._inline(joined[0], look)
        return out

    def _figures(self, joined: Iterable[Inline], look: RunStyle) -> list[Element]:
        """Return a number or formula with high or low figures, read from left to right as a whole."""
        runs: list[Element] = []
        for inline in joined:
            kind = {Subscript: "subscript", Superscript: "superscript"}.get(type(inline), "")
            properties = self._properties(replace(look, raised=kind or look.raised), rtl=False)
            runs.append(w("r", properties, *texts(plain(getattr(inline, "children", (inline,))))))
        return [w("dir", *runs, val="ltr")]

    def _inline(self, inline: Inline, look: RunStyle) -> list[Element]:
        match inline:
            case Text(text):
                return self.text(text, look)
            case Code(text):
                style = "Code Link" if look.style == "Hyperlink" else look.code
                return self.text(text, replace(look, style=style, ltr=True))
            case LineBreak():
                return [self.line_break()]
            case Strong(children):
                return self.inlines(children, replace(look, strong=True))
            case Emphasis(children):
                return self.inlines(children, replace(look, emphasis=True))
            case Subscript(children):
                return self.inlines(children, replace(look, raised="subscript"))
            case Superscript(children):
                return self.inlines(children, replace(look, raised="superscript"))
            case FootnoteReference(number):
                mark = self._marks.mark(number, self._mark_properties(), within=self._within_footnotes)
                # Without brackets, 1998 with a reference to note 2 would look like a power, and 1 beside 2 like 12.
                before, after = (w("r", self._mark_properties(), *texts(sign)) for sign in "[]")
                return [before, *mark, after]
            case Link(href, children):
                if href.startswith("tel:") or is_address(href, children):
                    look = replace(look, ltr=True)
                content = self.inlines(children, replace(look, style="Hyperlink"))
                return self._link(href, content, self.inlines(children, look))

    def footnote_number(self) -> list[Element]:
        """Return the number of a footnote, at its beginning."""
        return [w("r", self._mark_properties(), w("footnoteRef")), *self.text(" ")]

    def _mark_properties(self) -> Element:
        # The mark is raised by its style; Word and LibreOffice set the number of a field without it otherwise.
        return w("rPr", w("rStyle", val=self.styles["footnote reference"]), w("vertAlign", val="superscript"))

    def _link(self, href: str, content: list[Element], unlinked: list[Element]) -> list[Element]:
        if href.startswith("#"):
            bookmark = self._bookmarks.get(href[1:])
            return [w("hyperlink", *content, anchor=bookmark)] if bookmark else unlinked
        address = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", home_link(self._base_url, href))
        try:
            urlsplit(address)
        except ValueError:  # for one bad address, Word would call the whole file corrupt
            return unlinked
        return [w("hyperlink", *content, r_id=self._relations.link(address))]

    def _properties(self, look: RunStyle, *, rtl: bool) -> Element | None:
        """Return the properties of a run; it can have one character style, further marks are direct formatting."""
        marks = {"Strong": look.strong, "Emphasis": look.emphasis}
        style = look.style
        for name, marked in marks.items():
            if marked and not style:
                style, marks[name] = name, False
        properties = w(
            "rPr",
            w("rStyle", val=self.styles[style]) if style else None,
            *([w("b"), w("bCs")] if marks["Strong"] else ()),
            *([w("i"), w("iCs")] if marks["Emphasis"] else ()),
            w("vertAlign", val=look.raised) if look.raised else None,
            w("rtl") if rtl else None,
        )
        return properties if len(properties) else None


def _stretches(value: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of ``value``, each with whether it is read from the right.

    A run has one direction. Digits and signs between letters of one direction go with these; other digits and signs go
    with the paragraph. Numbers and addresses that are read from the left are pieces of their own.
    """
    if not rtl and value.isascii():
        yield value, False
        return
    start = 0
    for found in FROM_LEFT.finditer(value) if rtl else ():
        yield from _by_letters(value[start : found.start()], rtl)
        yield found[0], False
        start = found.end()
    yield from _by_letters(value[start:], rtl)


def _by_letters(value: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    begun, current, end = 0, rtl, 0
    for place, character in enumerate(value):
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            if (kind != "L") != current:
                # Signs between two directions go with the paragraph.
                border = end if current != rtl else place
                if border > begun:
                    yield value[begun:border], current
                begun, current = border, kind != "L"
                if current == rtl and border < place:
                    end = place
            end = place + 1
        elif kind == "EN" and current != rtl and " " not in value[end:place]:
            end = place + 1
    if current != rtl and end > begun:
        yield value[begun:end], current
        begun, current = end, rtl
    if begun < len(value):
        yield value[begun:], current
