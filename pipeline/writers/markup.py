"""The document tree as HTML, for the page, the PDF, the feed and the record.

The output is XHTML-compatible HTML5: every element closed, every text escaped. Nothing of the author's is passed
through. A heading gets an ``id`` (spelt as GitHub spells it) only where a link in the same text leads to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup, escape

from pipeline.model.document import (
    TELEPHONE,
    Block,
    Cell,
    Code,
    CodeBlock,
    Deletion,
    Emphasis,
    Figure,
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
    Table,
    Text,
    is_address,
    plain,
)
from pipeline.writers.anchors import anchor, wanted_anchors
from pipeline.writers.columns import Setting, code_style, column_style

Resolve = Callable[[str], str]
"""From a picture's file name or a relative link to the address that goes into the output."""
Draw = Callable[[Figure, int], Markup]
"""From a picture and how deep it stands in lists and quotations to its mark-up."""
Fit = Callable[[Table, int], Setting]
"""From a table and how deep it stands in lists and quotations to how it is set."""


def inline_html(inlines: Iterable[Inline], resolve: Resolve = str) -> Markup:
    """Return ``inlines`` as phrasing content."""
    return Markup("").join(_inline(inline, resolve) for inline in inlines)


def _inline(inline: Inline, resolve: Resolve) -> Markup:
    match inline:
        case Text(text):
            return _text(text)
        case Code(text):
            return Markup("<code>{}</code>").format(text)
        case LineBreak():
            return Markup("<br/>")
        case Strong(children):
            return Markup("<strong>{}</strong>").format(inline_html(children, resolve))
        case Emphasis(children):
            return Markup("<em>{}</em>").format(inline_html(children, resolve))
        case Deletion(children):
            return Markup("<del>{}</del>").format(inline_html(children, resolve))
        case Link(href, children) if is_address(href, children) and not href.startswith("tel:"):
            return Markup('<a href="{}" dir="ltr">{}</a>').format(resolve(href), plain(children))
        case Link(href, children):
            return Markup('<a href="{}">{}</a>').format(resolve(href), inline_html(children, resolve))


def _text(text: str) -> Markup:
    out, start = Markup(""), 0
    for found in TELEPHONE.finditer(text):
        out += escape(text[start : found.start()]) + Markup('<bdi class="tie" dir="ltr">{}</bdi>').format(found[0])
        start = found.end()
    return out + escape(text[start:])


def block_html(
    blocks: Iterable[Block],
    resolve: Resolve = str,
    lead_in: Markup | str = "",
    figure: Draw | None = None,
    anchors: frozenset[str] | None = None,
    table_label: str = "",
    fit: Fit | None = None,
) -> Markup:
    """Return ``blocks`` as flow content.

    ``lead_in`` (the dateline) is run into the first paragraph, or stands alone when the text does not begin with one.
    ``figure`` draws pictures where the plain ``<figure>`` will not do. ``anchors`` are the ids wanted (see
    ``wanted_anchors``) where links may come from other texts too; by default those that ``blocks`` themselves want.
    ``table_label`` puts each table into a box that scrolls by itself, called so for those who cannot see it. ``fit``
    says how tables are set where there is no scrolling.
    """
    todo = list(blocks)
    wanted = wanted_anchors(todo) if anchors is None else anchors
    setter = _Setter(resolve, figure or (lambda found, _depth: figure_html(found, resolve)), wanted, table_label, fit)
    out: list[Markup] = []
    if lead_in:
        first = _take_paragraph(todo)
        out.append(Markup("<p>{}{}</p>").format(lead_in, inline_html(first, resolve)))
    out.extend(map(setter.block, todo))
    return Markup("\n").join(out)


def _take_paragraph(blocks: list[Block]) -> tuple[Inline, ...]:
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
) -> Markup:
    """Return a picture with caption and credit.

    ``credit`` replaces the figure's bare name, ``style`` is a list of declarations, ``size`` is the markup of further
    attributes such as width and height. A ``decorative`` picture is drawn by ``style`` alone, unseen by those who read
    the structure. ``original`` is a link below the words; ``scrolls`` names a box in which the picture may be moved.
    """
    styled = Markup(' style="{}"').format(style) if style else Markup("")
    image = Markup('<div class="picture"{}></div>').format(styled)
    if not decorative:
        attributes = (resolve(figure.file), figure.alt, size, styled)
        image = Markup('<img src="{}" alt="{}"{}{}/>').format(*attributes)
    words = inline_html(figure.caption, resolve)
    if named := credit or figure.credit:
        words += Markup('{}<span class="credit">{}</span>').format(credit_gap(figure), named)
    if scrolls:
        image = Markup('<div class="scroll" role="group" aria-label="{}" tabindex="0">{}</div>').format(scrolls, image)
    if original:
        words += Markup("{}{}").format(" " if words else "", original)
    caption = Markup("<figcaption>{}</figcaption>").format(words) if words else Markup("")
    return Markup("<figure>{}{}</figure>").format(image, caption)


def credit_gap(figure: Figure) -> str:
    """Return what stands between caption and credit: the caption ends as a sentence does."""
    words = plain(figure.caption)
    return words and (". " if words[-1].isalnum() else " ")


class _Setter:
    """Sets blocks; holds what all of them need."""

    def __init__(
        self,
        resolve: Resolve,
        figure: Draw,
        anchors: frozenset[str],
        table_label: str,
        fit: Fit | None,
    ) -> None:
        self.resolve = resolve
        self.figure = figure
        self.anchors = set(anchors)
        self.table_label = table_label
        self.fit = fit or (lambda _table, _depth: Setting(""))
        self.depth = 0

    def block(self, block: Block) -> Markup:
        match block:
            case Paragraph(children):
                return Markup("<p>{}</p>").format(inline_html(children, self.resolve))
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

    def blocks(self, blocks: Iterable[Block]) -> Markup:
        return Markup("\n").join(map(self.block, blocks))

    def inner(self, blocks: Iterable[Block]) -> Markup:
        self.depth += 1
        found = self.blocks(blocks)
        self.depth -= 1
        return found

    def heading(self, block: Heading) -> Markup:
        name = anchor(block)
        found = Markup("")
        if name in self.anchors:  # the first of two equal headings is meant
            self.anchors.discard(name)
            found = Markup(' id="{}"').format(name)
        return Markup("<h{0}{1}>{2}</h{0}>").format(block.level, found, inline_html(block.children, self.resolve))

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
            box += inline_html(_take_paragraph(children), self.resolve)
        elif box:
            box = Markup("<p>{}{}</p>").format(box, inline_html(_take_paragraph(children), self.resolve))
        kind = "" if item.checked is None else "task"
        return Markup("<li{}>{}{}</li>").format(_class(kind), box, self.inner(children))

    def table(self, table: Table) -> Markup:
        styles = [column_style(table, column) for column in range(len(table.head))]
        head = Markup("").join(map(self.cell, table.head, styles, ["th"] * len(styles)))
        rows = Markup("\n").join(
            Markup("<tr>{}</tr>").format(Markup("").join(map(self.cell, row, styles, ["td"] * len(row))))
            for row in table.rows
        )
        body = Markup("<tbody>{}</tbody>").format(rows) if rows else Markup("")
        setting = self.fit(table, self.depth)
        made = Markup("<table{}{}<thead><tr>{}</tr></thead>{}</table>").format(
            _class(setting.name), _columns(setting), head, body
        )
        if not self.table_label:
            return made
        label = f"{self.table_label}: {', '.join(plain(cell.children) for cell in table.head)}"
        # What scrolls must be reached by the keyboard; a group, because many regions are noise to a screen reader.
        return Markup('<div class="scroll" role="group" aria-label="{}" tabindex="0">{}</div>').format(label, made)

    def cell(self, cell: Cell, style: str, name: str) -> Markup:
        scope = Markup(' scope="col"') if name == "th" else Markup("")
        return Markup("<{0}{1}{2}>{3}</{0}>").format(
            name, scope, _class(style), inline_html(cell.children, self.resolve)
        )


def _class(names: str) -> Markup:
    return Markup(' class="{}"').format(names) if names else Markup("")


def _columns(setting: Setting) -> Markup:
    """Return the end of a table's tag, and its columns where their widths are settled."""
    if not setting.widths:
        return Markup(">")
    widths = Markup("").join(Markup('<col style="width: {}pt"/>').format(width) for width in setting.widths)
    return Markup(' style="width: {}pt"><colgroup>{}</colgroup>').format(round(sum(setting.widths), 1), widths)
