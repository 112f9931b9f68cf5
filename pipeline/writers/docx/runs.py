"""Lines of text for Word: inlines become runs, links hyperlinks, and every run knows which way it is read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from lxml.etree import _Element as Element

from pipeline.model.document import (
    TELEPHONE,
    Code,
    Deletion,
    Emphasis,
    Inline,
    LineBreak,
    Link,
    Strong,
    Text,
    is_address,
)
from pipeline.writers import home_link
from pipeline.writers.docx.styles import Styles
from pipeline.writers.docx.xml import Part, texts, w

LEFT_TO_RIGHT = "\u200e"
_UNSAFE = re.compile(r"[\s<>\"{}|\\^`]|%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class Ink:
    """How the words of a run are marked out."""

    style: str = ""
    """Name of a character style, or empty."""
    strong: bool = False
    emphasis: bool = False
    struck: bool = False
    ltr: bool = False
    """Read from the left whatever stands around it: code, numbers to call, addresses."""
    code: str = "Code Span"
    """Name of the character style that code has here; tables have smaller ones."""


PLAIN = Ink()


class Runs:
    """Sets lines of text in one part of a document."""

    def __init__(self, styles: Styles, part: Part, base_url: str, bookmarks: Mapping[str, str], *, rtl: bool) -> None:
        self.styles = styles
        self.part = part
        self.rtl = rtl
        self._base_url = base_url
        self._bookmarks = bookmarks

    def text(self, value: str, ink: Ink = PLAIN) -> list[Element]:
        """Return ``value`` as runs, one for each stretch that is read in one direction.

        Blanks in an international telephone number become such as no line ends at.
        """
        value = TELEPHONE.sub(lambda found: found[0].replace(" ", "\u00a0"), value)
        if ink.ltr:
            # A number has no letters that would say which way it is read, and its plus would end up behind it. Word
            # goes by the element around it, LibreOffice only by a mark that nobody sees.
            mark = LEFT_TO_RIGHT if self.rtl and TELEPHONE.match(value) else ""
            run = w("r", self._properties(ink, rtl=False), *texts(mark + value))
            return [w("dir", run, val="ltr")] if self.rtl else [run]
        out: list[Element] = []
        for piece, rtl in _stretches(value, self.rtl):
            if self.rtl and TELEPHONE.fullmatch(piece):
                out += self.text(piece, replace(ink, ltr=True))
            else:
                out.append(w("r", self._properties(ink, rtl=rtl), *texts(piece)))
        return out

    def styled(self, value: str, style: str) -> list[Element]:
        """Return ``value`` in a character style."""
        return self.text(value, Ink(style))

    def tab(self) -> Element:
        """Return a run that goes to the next tab stop."""
        return w("r", self._properties(PLAIN, rtl=self.rtl), w("tab"))

    def line_break(self) -> Element:
        """Return a run that begins a new line of the same paragraph."""
        return w("r", w("br"))

    def linked(self, value: str, href: str) -> list[Element]:
        """Return ``value`` as a link; the groups of a telephone number stay together on one line."""
        if href.startswith("tel:"):  # not every number begins with a plus
            value = value.replace(" ", "\u00a0")
        plainly = href.startswith(("tel:", "mailto:")) or value == href
        return self._link(href, self.text(value, Ink("Contact Link", ltr=plainly)), self.text(value, Ink(ltr=plainly)))

    def inlines(self, inlines: Iterable[Inline], ink: Ink = PLAIN) -> list[Element]:
        """Return ``inlines`` as runs and hyperlinks."""
        return [run for inline in inlines for run in self._inline(inline, ink)]

    def _inline(self, inline: Inline, ink: Ink) -> list[Element]:
        match inline:
            case Text(text):
                return self.text(text, ink)
            case Code(text):
                style = "Code Link" if ink.style == "Hyperlink" else ink.code
                return self.text(text, replace(ink, style=style, ltr=True))
            case LineBreak():
                return [self.line_break()]
            case Strong(children):
                return self.inlines(children, replace(ink, strong=True))
            case Emphasis(children):
                return self.inlines(children, replace(ink, emphasis=True))
            case Deletion(children):
                return self.inlines(children, replace(ink, struck=True))
            case Link(href, children):
                if href.startswith("tel:") or is_address(href, children):
                    ink = replace(ink, ltr=True)
                content = self.inlines(children, replace(ink, style="Hyperlink"))
                return self._link(href, content, self.inlines(children, ink))

    def _link(self, href: str, content: list[Element], unlinked: list[Element]) -> list[Element]:
        if href.startswith("#"):
            bookmark = self._bookmarks.get(href[1:])
            return [w("hyperlink", *content, anchor=bookmark)] if bookmark else unlinked
        address = _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", home_link(self._base_url, href))
        try:
            urlsplit(address)
        except ValueError:  # Word calls the whole file corrupt for the sake of one bad address
            return unlinked
        return [w("hyperlink", *content, r_id=self.part.link(address))]

    def _properties(self, ink: Ink, *, rtl: bool) -> Element | None:
        """A run has one character style; what else marks it out is said beside it."""
        marks = {"Strong": ink.strong, "Emphasis": ink.emphasis, "Strikethrough": ink.struck}
        style = ink.style
        for name, found in marks.items():
            if found and not style:
                style, marks[name] = name, False
        properties = w(
            "rPr",
            w("rStyle", val=self.styles[style]) if style else None,
            *([w("b"), w("bCs")] if marks["Strong"] else ()),
            *([w("i"), w("iCs")] if marks["Emphasis"] else ()),
            w("strike") if marks["Strikethrough"] else None,
            w("rtl") if rtl else None,
        )
        return properties if len(properties) else None


def _stretches(value: str, rtl: bool) -> Iterator[tuple[str, bool]]:
    """Yield pieces of ``value``, each with whether it is read from the right.

    A run of Word's has one direction, so digits and signs go with the letters before them when the same kind of letter
    follows, and otherwise with the paragraph; the groups of a telephone number must never change places.
    """
    if not rtl and value.isascii():
        yield value, False
        return
    start = 0
    for found in TELEPHONE.finditer(value) if rtl else ():
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
                # Signs between two directions belong to the paragraph's.
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
