"""Everything around the text of a Word document: letterhead, running head, page footer, notices and media contacts."""

from __future__ import annotations

from collections.abc import Iterable

from lxml.etree import _Element as Element

from pipeline.typography.article import Article, FactLine, Line, Notice, Party
from pipeline.typography.headline import shortened
from pipeline.writers.docx.blocks import WordBlocks
from pipeline.writers.docx.xml import row, table

_RUNNING_TITLE = 76
"""Characters of the title that fit in the running head."""
_FULL_PAGE = 45
"""Paragraphs in a column of the media-contact footer that fill about a page."""
_MARK_GAP = 180
"""Space between the organisation's mark and its name."""


def letterhead(
    article: Article, blocks: WordBlocks, width: int, mark: Element | None, mark_width: int
) -> list[Element]:
    """Return the header of the first page: organisation, kind of release, reference and date."""
    left = [blocks.plain("Letterhead Name", article.organisation)]
    right = [blocks.plain("Letterhead Kind", article.kind)]
    for fact in article.facts:
        content = _with_link(fact, blocks) if fact.href else blocks.runs.text(fact.text)
        right.append(blocks.paragraph("Letterhead Detail", content))
    right.append(blocks.plain("Letterhead Detail", article.date))
    cells, widths = [left, right], [width * 3 // 5, width - width * 3 // 5]
    if mark is not None:
        cells = [[blocks.paragraph("Letterhead Mark", [mark])], *cells]
        widths = [mark_width + _MARK_GAP, widths[0] - mark_width - _MARK_GAP, widths[1]]
    head = table(blocks.styles["Letterhead"], widths, [row(widths, cells)], rtl=blocks.runs.rtl)
    return [head, blocks.paragraph("Letterhead Space")]


def running_head(article: Article, blocks: WordBlocks) -> list[Element]:
    """Return the header of all further pages; an embargo is stated on each of them."""
    content = [*blocks.runs.text(shortened(article.title, _RUNNING_TITLE)), blocks.runs.tab()]
    head = blocks.paragraph("header", [*content, *blocks.runs.text(article.date)])
    return [blocks.plain("Running Embargo", article.status), head] if article.embargoed else [head]


def page_footer(article: Article, blocks: WordBlocks, page_of: str) -> list[Element]:
    """Return the footer of a page; ``page_of`` is the template's ``Page {page} of {pages}``.

    The PDF also says "more follows". Word would need nested fields for that, which LibreOffice does not support.
    """
    numbers = blocks.runs.fields(page_of, {"page": " PAGE ", "pages": " NUMPAGES "})
    return [blocks.paragraph("footer", [*blocks.runs.text(article.organisation), blocks.runs.tab(), *numbers])]


def notices(listed: Iterable[Notice], blocks: WordBlocks) -> list[Element]:
    """Return the notices of corrections and withdrawal above the text."""
    out = []
    for notice in listed:
        content = [*blocks.runs.styled(notice.label, "Notice Label"), blocks.runs.line_break()]
        content += blocks.runs.text(notice.text)
        if notice.link:
            content += [blocks.runs.line_break(), *_line(notice.link, blocks, [*blocks.runs.text(" ")])]
        out.append(blocks.paragraph("Notice", content))
    return out


def contacts(article: Article, blocks: WordBlocks, width: int) -> list[Element]:
    """Return the media-contact footer: contacts and footage side by side in a frame that no page break divides.

    The words on reuse, and the page where copies are checked, are the last row of the same table: LibreOffice keeps
    rows on a page with each other, but no table with what follows it.
    """
    footer = article.footer
    last = [blocks.plain("Reuse", article.reuse)] if article.reuse else []
    if article.verification:
        last.append(blocks.paragraph("Reuse", _with_link(article.verification, blocks)))
    cells = [
        _column(heading, parties, blocks)
        for heading, parties in ((footer.contacts_heading, footer.contacts), (footer.footage_heading, footer.footage))
        if parties
    ]
    if not cells:
        return last
    # A frame that fills a page must not stay with the paragraph before it: LibreOffice would leave a page blank.
    space = "Contact Space" if max(map(len, cells)) < _FULL_PAGE else "Table Space"
    widths = [width // len(cells)] * len(cells)
    rows = [row(widths, cells)]
    if last:
        rows.append(row([sum(widths)], [last], span=len(widths)))
    frame = table(blocks.styles["Contact Frame"], widths, rows, rtl=blocks.runs.rtl, foot=bool(last))
    # A document ends with a paragraph; this one must not take a page of its own below a frame at the foot of a page.
    return [blocks.paragraph(space), frame, blocks.paragraph(space, tight=True, hidden=True)]


def _column(heading: str, parties: Iterable[Party], blocks: WordBlocks) -> list[Element]:
    out = [blocks.plain("Contact Heading", heading)]
    for party in parties:
        if party.name:
            out.append(blocks.plain("Contact Name", party.name))
        if party.text:
            out.append(blocks.plain("Contact Role" if party.name else "Contact Text", party.text))
        out += [blocks.paragraph("Contact Line", _line(line, blocks, [blocks.runs.tab()])) for line in party.lines]
    return out


def _with_link(line: FactLine, blocks: WordBlocks) -> list[Element]:
    linked = blocks.runs.linked(line.value, line.href)
    return [*blocks.runs.text(line.before), *linked, *blocks.runs.text(line.after)]


def _line(line: Line, blocks: WordBlocks, between: list[Element]) -> list[Element]:
    value = blocks.runs.linked(line.value, line.href) if line.href else blocks.runs.text(line.value)
    return [*blocks.runs.styled(line.label, "Label"), *between, *value]
