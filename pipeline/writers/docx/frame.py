"""What stands around the text of a release in Word: letterhead, running head, foot of the page, media contacts."""

from __future__ import annotations

from collections.abc import Iterable
from string import Formatter

from lxml.etree import _Element as Element

from pipeline.typography.article import Article, Footer, Line, Notice, Party
from pipeline.typography.headline import shortened
from pipeline.writers.docx.blocks import Setter
from pipeline.writers.docx.xml import row, table, w

RUNNING_LIMIT = 76
"""Characters of the title that the running head has room for."""
_CROWDED = 45
"""Paragraphs in a column of the contact footer that fill about a page."""
_GAP = 180
"""Between the organisation's mark and its name."""


def letterhead(article: Article, setter: Setter, width: int, mark: Element | None, mark_width: int) -> list[Element]:
    """Return the head of the first page: who issues what, under which reference, when."""
    left = [setter.plain("Letterhead Name", article.organisation)]
    right = [setter.plain("Letterhead Kind", article.kind)]
    right += [setter.plain("Letterhead Detail", text) for text in (article.reference, article.date) if text]
    cells, widths = [left, right], [width * 3 // 5, width - width * 3 // 5]
    if mark is not None:
        cells = [[setter.paragraph("Letterhead Mark", [mark])], *cells]
        widths = [mark_width + _GAP, widths[0] - mark_width - _GAP, widths[1]]
    found = table(setter.styles["Letterhead"], widths, [row(widths, cells)], rtl=setter.runs.rtl)
    return [found, setter.paragraph("Letterhead Space")]


def running_head(article: Article, setter: Setter) -> list[Element]:
    """Return the head of all further pages; an embargo stands on every one of them."""
    content = [*setter.runs.text(shortened(article.title, RUNNING_LIMIT)), setter.runs.tab()]
    head = setter.paragraph("header", [*content, *setter.runs.text(article.date)])
    return [setter.plain("Running Embargo", article.status), head] if article.embargoed else [head]


def foot(article: Article, setter: Setter, page_of: str) -> list[Element]:
    """Return the foot of a page; ``page_of`` is the template's ``Page {page} of {pages}``.

    "more follows" is for paper: Word could work it out only by fields within a field, and LibreOffice prints the inner
    ones as numbers.
    """
    content = [*setter.runs.text(article.organisation), setter.runs.tab()]
    for literal, field, _, _ in Formatter().parse(page_of):
        content += setter.runs.text(literal)
        if field:
            content.append(w("fldSimple", *setter.runs.text("1"), instr=" PAGE " if field == "page" else " NUMPAGES "))
    return [setter.paragraph("footer", content)]


def notices(found: Iterable[Notice], setter: Setter) -> list[Element]:
    """Return corrections and withdrawal as they stand above the text."""
    out = []
    for notice in found:
        content = [*setter.runs.styled(notice.label, "Notice Label"), setter.runs.line_break()]
        content += setter.runs.text(notice.text)
        if notice.link:
            content += [setter.runs.line_break(), *_line(notice.link, setter, [*setter.runs.text(" ")])]
        out.append(setter.paragraph("Notice", content))
    return out


def contacts(footer: Footer, setter: Setter, width: int) -> list[Element]:
    """Return the media-contact footer: people beside footage in one frame that no page break divides."""
    cells = [
        _column(heading, parties, setter)
        for heading, parties in ((footer.contacts_heading, footer.contacts), (footer.footage_heading, footer.footage))
        if parties
    ]
    if not cells:
        return []
    # What no page can hold must not be asked to stay together with more: LibreOffice would leave a page blank.
    neighbours = "Contact Space" if max(map(len, cells)) < _CROWDED else "Table Space"
    widths = [width // len(cells)] * len(cells)
    style = setter.styles["Contact Frame"]
    found = table(style, widths, [row(widths, cells)], rtl=setter.runs.rtl)
    return [setter.paragraph(neighbours), found, setter.paragraph(neighbours)]


def _column(heading: str, parties: Iterable[Party], setter: Setter) -> list[Element]:
    out = [setter.plain("Contact Heading", heading)]
    for party in parties:
        if party.name:
            out.append(setter.plain("Contact Name", party.name))
        if party.text:
            out.append(setter.plain("Contact Role" if party.name else "Contact Text", party.text))
        out += [setter.paragraph("Contact Line", _line(line, setter, [setter.runs.tab()])) for line in party.lines]
    return out


def _line(line: Line, setter: Setter, between: list[Element]) -> list[Element]:
    value = setter.runs.linked(line.value, line.href) if line.href else setter.runs.text(line.value)
    return [*setter.runs.styled(line.label, "Label"), *between, *value]
