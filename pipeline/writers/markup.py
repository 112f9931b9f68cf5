"""The document tree as HTML, for the page, the PDF and the record; and the ids of headings and footnotes.

The output is HTML5 that XML parsers accept too: every element is closed and every text escaped. No markup of the
author's is passed through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from urllib.parse import unquote

from markupsafe import Markup, escape

from pipeline.model.document import (
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
    inlines_of,
    is_address,
    plain,
    references,
    walk,
)
from pipeline.typography.article import Article
from pipeline.writers.table_layout import PaperTable, code_style, column_style

Resolve = Callable[[str], str]
"""From a picture's file name or a link's target to the address that goes into the output."""
FigureHtml = Callable[[Figure, int], Markup]
"""From a picture and its depth in lists and quotations to its HTML."""
Fit = Callable[[Table, int], PaperTable]
"""From a table and its depth in lists and quotations to its layout on paper."""


class NoteLinks:
    """The links of one document from its references to their footnotes, and back.

    Without links, for a text that is shown on one page with others: their ids would be the same.
    """

    def __init__(self, blocks: Iterable[Block] = (), back: str = "") -> None:
        """``blocks`` are all that refer to footnotes; ``back`` names a link back for screen readers, empty for no
        links at all."""
        self._back = back
        self._there = Counter(references(blocks)) if back else Counter[int]()
        self._written = Counter[int]()

    def reference(self, number: int) -> Markup:
        """Return the next reference to a footnote. In brackets it is still apart from a number when it is copied."""
        if not self._back:
            return Markup("<sup>[{}]</sup>").format(number)
        self._written[number] += 1
        return Markup('<sup id="{}"><a href="#{}" role="doc-noteref">[{}]</a></sup>').format(
            _reference_id(number, self._written[number]), _note_id(number), number
        )

    def id(self, number: int) -> Markup:
        """Return the id of a footnote, as an attribute."""
        return Markup(' id="{}"').format(_note_id(number)) if self._back else Markup("")

    def back(self, number: int) -> Markup:
        """Return a link from a footnote to each of its references."""
        count = self._there[number]
        names = [f"{self._back} {number}" + (f".{place + 1}" if count > 1 else "") for place in range(count)]
        return Markup("").join(
            Markup(' <a href="#{}" role="doc-backlink" aria-label="{}">↑</a>').format(
                _reference_id(number, place), name
            )
            for place, name in enumerate(names, 1)
        )


def referring_blocks(article: Article) -> tuple[Block, ...]:
    """Return the blocks of an article that may refer to footnotes, and its footnotes."""
    return (*((article.image,) if article.image else ()), *article.body, *article.notes)


# In capitals, because the ids of headings have none.
def _note_id(number: int) -> str:
    return f"NOTE-{number}"


def _reference_id(number: int, place: int) -> str:
    return f"REFERENCE-{number}" + (f"-{place}" if place > 1 else "")


def inline_html(inlines: Iterable[Inline], resolve: Resolve = str, notes: NoteLinks | None = None) -> Markup:
    """Return ``inlines`` as phrasing content; without ``notes``, references to footnotes are no links."""
    links = notes or NoteLinks()
    return Markup("").join(
        _inline(each[0], resolve, links)
        if len(each) == 1
        else Markup('<bdi class="tie" dir="ltr">{}</bdi>').format(
            Markup("").join(_inline(inline, resolve, links) for inline in each)
        )
        for each in joined_figures(inlines)
    )


_RIGHT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc"
_BASE = re.compile(rf"(?:(?![{_RIGHT}])[\w.,·×−+/])+$")
_REST = re.compile(rf"(?:(?![{_RIGHT}])[^\W_])+")


def joined_figures(inlines: Iterable[Inline]) -> Iterator[tuple[Inline, ...]]:
    """Yield inlines one by one, but high and low figures together with the letters or figures that they belong to.

    These are read from left to right, also in text from right to left: H₂O, 10⁶.
    """
    rest = list(inlines)
    while rest:
        group: list[Inline] = []
        inline = rest.pop(0)
        if isinstance(inline, Text) and rest and isinstance(rest[0], (Subscript, Superscript)):
            base = _BASE.search(inline.text)
            if base is None or base.start():
                yield (Text(inline.text[: base.start()] if base else inline.text),)
            group += [Text(base[0])] if base else []
            inline = rest.pop(0)
        group.append(inline)
        while isinstance(inline, (Subscript, Superscript)) and rest:
            if isinstance(rest[0], (Subscript, Superscript)):
                group.append(rest.pop(0))
            elif isinstance(text := rest[0], Text) and (found := _REST.match(text.text)):
                group.append(Text(found[0]))
                rest[:1] = [Text(text.text[found.end() :])] if text.text[found.end() :] else []
                if not (rest and isinstance(rest[0], (Subscript, Superscript))):
                    break
            else:
                break
        yield tuple(group)


def _inline(inline: Inline, resolve: Resolve, notes: NoteLinks) -> Markup:
    match inline:
        case Text(text):
            return escape(text)
        case Code(text):
            return Markup("<code>{}</code>").format(text)
        case LineBreak():
            return Markup("<br/>")
        case FootnoteReference(number):
            return notes.reference(number)
        case Strong(children):
            return Markup("<strong>{}</strong>").format(inline_html(children, resolve, notes))
        case Emphasis(children):
            return Markup("<em>{}</em>").format(inline_html(children, resolve, notes))
        case Subscript(children):
            return Markup("<sub>{}</sub>").format(inline_html(children, resolve, notes))
        case Superscript(children):
            return Markup("<sup>{}</sup>").format(inline_html(children, resolve, notes))
        case Link(_, children) if any(isinstance(child, FootnoteReference) for child in children):
            return inline_html(_without_references(inline), resolve, notes)
        case Link(href, children) if is_address(href, children) and not href.startswith("tel:"):
            return Markup('<a href="{}" dir="ltr">{}</a>').format(resolve(href), plain(children))
        case Link(href, children):
            return Markup('<a href="{}">{}</a>').format(resolve(href), inline_html(children, resolve, notes))


def _without_references(link: Link) -> Iterator[Inline]:
    """Yield a link in parts, so that no link to a footnote is within it."""
    for is_reference, part in groupby(link.children, lambda child: isinstance(child, FootnoteReference)):
        if is_reference:
            yield from part
        else:
            yield Link(link.href, tuple(part))


def block_html(
    blocks: Iterable[Block],
    resolve: Resolve = str,
    lead_in: Markup | str = "",
    figure: FigureHtml | None = None,
    anchors: Mapping[int, str] | None = None,
    table_label: str = "",
    fit: Fit | None = None,
    notes: NoteLinks | None = None,
    notes_label: str = "",
) -> Markup:
    """Return ``blocks`` as flow content.

    ``lead_in`` (the dateline) begins the first paragraph, or is a paragraph of its own when the text begins otherwise.
    ``figure`` renders pictures where the plain ``figure_html`` is not enough. ``anchors`` are the headings that get an
    id, where links may come from other texts too; by default those that ``blocks`` themselves link to. ``table_label``
    puts each table into a box that scrolls sideways, with this name for screen readers. ``fit`` lays out tables on
    paper, where nothing scrolls. ``notes`` makes links of the references to footnotes; ``notes_label`` names the
    section of the footnotes for screen readers.
    """
    rest = list(blocks)
    wanted = linked_headings(rest) if anchors is None else anchors
    render_figure = figure or (lambda each, _depth: figure_html(each, resolve))
    writer = _HtmlBlocks(resolve, render_figure, wanted, table_label, fit, notes or NoteLinks(), notes_label)
    out: list[Markup] = []
    if lead_in:
        first = take_paragraph(rest)
        out.append(Markup("<p>{}{}</p>").format(lead_in, inline_html(first, resolve, notes)))
    out.extend(map(writer.block, rest))
    return Markup("\n").join(out)


def take_paragraph(blocks: list[Block]) -> tuple[Inline, ...]:
    """Remove the first of ``blocks`` when it is a paragraph, and return its inlines."""
    if blocks and isinstance(first := blocks[0], Paragraph):
        del blocks[0]
        return first.children
    return ()


def figure_html(
    figure: Figure,
    resolve: Resolve,
    credit: str = "",
    style: str = "",
    *,
    size: Markup | str = "",
    decorative: bool = False,
    original: Markup | str = "",
    scrolls: str = "",
    notes: NoteLinks | None = None,
) -> Markup:
    """Return a picture with caption and credit.

    ``credit`` replaces the bare name of the figure's credit. ``style`` holds CSS declarations, ``size`` further
    attributes such as width and height. A ``decorative`` picture is the background of an empty box, so that screen
    readers skip it. ``original`` is a link after the caption. ``scrolls`` names a box that scrolls sideways.
    """
    styled = Markup(' style="{}"').format(style) if style else Markup("")
    image = Markup('<div class="picture"{}></div>').format(styled)
    if not decorative:
        attributes = (resolve(figure.file), figure.alt, size, styled)
        image = Markup('<img src="{}" alt="{}"{}{}/>').format(*attributes)
    words = inline_html(figure.caption, resolve, notes)
    if named := credit or figure.credit:
        words += Markup('{}<span class="credit">{}</span>').format(credit_gap(figure), named)
    if scrolls:
        image = _scroll_box(scrolls, image)
    if original:
        words += Markup("{}{}").format(" " if words else "", original)
    caption = Markup("<figcaption>{}</figcaption>").format(words) if words else Markup("")
    return Markup("<figure>{}{}</figure>").format(image, caption)


def credit_gap(figure: Figure) -> str:
    """Return what separates caption and credit: the caption gets a full stop if it has none."""
    words = plain(figure.caption)
    return words and (". " if words[-1].isalnum() else " ")


class _HtmlBlocks:
    """Writes blocks as HTML."""

    def __init__(
        self,
        resolve: Resolve,
        figure: FigureHtml,
        anchors: Mapping[int, str],
        table_label: str,
        fit: Fit | None,
        notes: NoteLinks,
        notes_label: str,
    ) -> None:
        self.resolve = resolve
        self.figure = figure
        self.anchors = anchors
        self.table_label = table_label
        self.fit = fit or (lambda _table, _depth: PaperTable(""))
        self.notes = notes
        self.notes_label = notes_label
        self.depth = 0
        self.labels: list[str] = []
        """Of the tables so far."""

    def block(self, block: Block) -> Markup:
        match block:
            case Paragraph(children):
                return Markup("<p>{}</p>").format(self.inlines(children))
            case Heading():
                return self.heading(block)
            case Quote(children):
                return Markup("<blockquote>{}</blockquote>").format(self.inner(children))
            case CodeBlock(text, language):
                named = Markup(' class="language-{}"').format(language) if language else Markup("")
                return Markup("<pre{}><code{}>{}</code></pre>").format(_class(code_style(text)), named, text)
            case Figure():
                return self.figure(block, self.depth)
            case Rule():
                return Markup("<hr/>")
            case List():
                return self.list(block)
            case Table():
                return self.table(block)
            case Footnotes():
                return self.footnotes(block)

    def inlines(self, inlines: Iterable[Inline]) -> Markup:
        return inline_html(inlines, self.resolve, self.notes)

    def inner(self, blocks: Iterable[Block]) -> Markup:
        self.depth += 1
        html = Markup("\n").join(map(self.block, blocks))
        self.depth -= 1
        return html

    def heading(self, block: Heading) -> Markup:
        name = self.anchors.get(id(block))
        identifier = Markup(' id="{}"').format(name) if name else Markup("")
        return Markup("<h{0}{1}>{2}</h{0}>").format(block.level, identifier, self.inlines(block.children))

    def list(self, block: List) -> Markup:
        items = Markup("\n").join(self.item(item, block.tight) for item in block.items)
        if not block.ordered:
            return Markup("<ul>{}</ul>").format(items)
        start = Markup(' start="{}"').format(block.start) if block.start != 1 else Markup("")
        return Markup("<ol{}>{}</ol>").format(start, items)

    def item(self, item: ListItem, tight: bool) -> Markup:
        box = Markup("") if item.checked is None else escape("☑ " if item.checked else "☐ ")
        children = list(item.children)
        if tight:
            box += self.inlines(take_paragraph(children))
        elif box:
            box = Markup("<p>{}{}</p>").format(box, self.inlines(take_paragraph(children)))
        kind = "" if item.checked is None else "task"
        return Markup("<li{}>{}{}</li>").format(_class(kind), box, self.inner(children))

    def footnotes(self, block: Footnotes) -> Markup:
        items = Markup("\n").join(self.footnote(note, number) for number, note in enumerate(block.notes, 1))
        if not self.notes_label:
            return Markup("<hr/>\n<ol>{}</ol>").format(items)
        return Markup('<section class="footnotes" role="doc-endnotes" aria-label="{}"><ol>{}</ol></section>').format(
            self.notes_label, items
        )

    def footnote(self, note: tuple[Block, ...], number: int) -> Markup:
        """Return a footnote; the links back stand in its last paragraph."""
        back = self.notes.back(number)
        match note:
            case (Paragraph(children),):
                content = self.inlines(children) + back
            case (*rest, Paragraph(children)):
                content = self.inner(rest) + Markup("\n<p>{}{}</p>").format(self.inlines(children), back)
            case _:
                content = self.inner(note) + (Markup("\n<p>{}</p>").format(back) if back else back)
        return Markup("<li{}>{}</li>").format(self.notes.id(number), content)

    def table(self, table: Table) -> Markup:
        styles = [column_style(table, column) for column in range(len(table.head))]
        head = Markup("").join(map(self.cell, table.head, styles, ["th"] * len(styles)))
        rows = Markup("\n").join(
            Markup("<tr>{}</tr>").format(Markup("").join(map(self.cell, row, styles, ["td"] * len(row))))
            for row in table.rows
        )
        body = Markup("<tbody>{}</tbody>").format(rows) if rows else Markup("")
        layout = self.fit(table, self.depth)
        html = Markup("<table{}{}<thead><tr>{}</tr></thead>{}</table>").format(
            _class(layout.classes), _columns(layout), head, body
        )
        if not self.table_label:
            return html
        label = f"{self.table_label}: {', '.join(plain(cell.children) for cell in table.head)}"
        self.labels.append(label)
        number = self.labels.count(label)
        return _scroll_box(f"{label} ({number})" if number > 1 else label, html, "region")

    def cell(self, cell: Cell, style: str, name: str) -> Markup:
        scope = Markup(' scope="col"') if name == "th" else Markup("")
        return Markup("<{0}{1}{2}>{3}</{0}>").format(name, scope, _class(style), self.inlines(cell.children))


def _class(names: str) -> Markup:
    return Markup(' class="{}"').format(names) if names else Markup("")


def _scroll_box(label: str, content: Markup, role: str = "group") -> Markup:
    """Return a box that scrolls sideways and that the keyboard can reach; no two regions may have the same label."""
    box = Markup('<div class="scroll" role="{}" aria-label="{}" tabindex="0">{}</div>')
    return box.format(role, label, content)


def _columns(layout: PaperTable) -> Markup:
    """Return the end of a table's tag, and its columns where their widths are fixed."""
    if not layout.widths:
        return Markup(">")
    widths = Markup("").join(Markup('<col style="width: {}pt"/>').format(width) for width in layout.widths)
    return Markup(' style="width: {}pt"><colgroup>{}</colgroup>').format(round(sum(layout.widths), 1), widths)


# --- Links to headings -----------------------------------------------------------------------------------------------


def linked_headings(blocks: Iterable[Block]) -> dict[int, str]:
    """Return the headings in ``blocks`` that links in ``blocks`` lead to: ``id`` of the heading → its fragment."""
    every = list(walk(blocks))
    hrefs = (href for block in every for run in inlines_of(block) for href in _hrefs(run))
    linked = {unquote(href[1:]) for href in hrefs if href.startswith("#")}
    return {id(heading): name for heading, name in fragments(blocks) if name in linked}


def _hrefs(inlines: Iterable[Inline]) -> Iterator[str]:
    for inline in inlines:
        if isinstance(inline, Link):
            yield inline.href
        if not isinstance(inline, (Text, Code, LineBreak, FootnoteReference)):
            yield from _hrefs(inline.children)
