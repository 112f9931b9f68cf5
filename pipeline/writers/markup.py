"""The document tree as HTML, for the page, the PDF, the feed and the record.

The output is XHTML-compatible HTML5: every element closed, every text escaped. Nothing of the author's is passed through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from markupsafe import Markup, escape

from pipeline.document import (
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
)

Resolve = Callable[[str], str]
"""From a picture's file name or a relative link to the address that goes into the output."""


def inline_html(inlines: Iterable[Inline], resolve: Resolve = str) -> Markup:
    """Return ``inlines`` as phrasing content."""
    return Markup("").join(_inline(inline, resolve) for inline in inlines)


def _inline(inline: Inline, resolve: Resolve) -> Markup:
    match inline:
        case Text(text):
            return escape(text)
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
        case Link(href, children):
            return Markup('<a href="{}">{}</a>').format(resolve(href), inline_html(children, resolve))


def block_html(
    blocks: Iterable[Block],
    resolve: Resolve = str,
    lead_in: Markup | str = "",
    figure: Callable[[Figure], Markup] | None = None,
) -> Markup:
    """Return ``blocks`` as flow content.

    ``lead_in`` (the dateline) is run into the first paragraph, or stands alone when the text does not begin with one.
    ``figure`` draws pictures where the plain ``<figure>`` will not do.
    """
    setter = _Setter(resolve, figure or (lambda found: figure_html(found, resolve)))
    todo = list(blocks)
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


def figure_html(figure: Figure, resolve: Resolve, credit: str = "", size: str = "") -> Markup:
    """Return a picture with caption and credit; ``size`` is markup-safe attributes such as width and height."""
    image = Markup('<img src="{}" alt="{}"{}/>').format(resolve(figure.file), figure.alt, Markup(size))
    words = inline_html(figure.caption, resolve)
    named = credit or figure.credit
    if named:
        words += Markup('{}<span class="credit">{}</span>').format(" " if words else "", named)
    caption = Markup("<figcaption>{}</figcaption>").format(words) if words else Markup("")
    return Markup("<figure>{}{}</figure>").format(image, caption)


class _Setter:
    """Sets blocks; holds what all of them need."""

    def __init__(self, resolve: Resolve, figure: Callable[[Figure], Markup]) -> None:
        self.resolve = resolve
        self.figure = figure

    def block(self, block: Block) -> Markup:
        match block:
            case Paragraph(children):
                return Markup("<p>{}</p>").format(inline_html(children, self.resolve))
            case Heading(level, children):
                return Markup("<h{0}>{1}</h{0}>").format(level, inline_html(children, self.resolve))
            case Quote(children):
                return Markup("<blockquote>{}</blockquote>").format(self.blocks(children))
            case CodeBlock(text, language):
                named = Markup(' class="language-{}"').format(language) if language else Markup("")
                return Markup("<pre><code{}>{}</code></pre>").format(named, text)
            case Figure():
                return self.figure(block)
            case Rule():
                return Markup("<hr/>")
            case List():
                return self.list(block)
            case Table():
                return self.table(block)

    def blocks(self, blocks: Iterable[Block]) -> Markup:
        return Markup("\n").join(map(self.block, blocks))

    def list(self, block: List) -> Markup:
        items = Markup("\n").join(self.item(item, block.tight) for item in block.items)
        if not block.ordered:
            return Markup("<ul>{}</ul>").format(items)
        start = Markup(' start="{}"').format(block.start) if block.start != 1 else Markup("")
        return Markup("<ol{}>{}</ol>").format(start, items)

    def item(self, item: ListItem, tight: bool) -> Markup:
        box = Markup("") if item.checked is None else Markup("☑ " if item.checked else "☐ ")
        children = list(item.children)
        if tight:
            box += inline_html(_take_paragraph(children), self.resolve)
        elif box:
            box = Markup("<p>{}{}</p>").format(box, inline_html(_take_paragraph(children), self.resolve))
        return Markup("<li>{}{}</li>").format(box, self.blocks(children))

    def table(self, table: Table) -> Markup:
        head = Markup("").join(map(self.cell, table.head, table.alignments, ["th"] * len(table.head)))
        rows = Markup("\n").join(
            Markup("<tr>{}</tr>").format(Markup("").join(map(self.cell, row, table.alignments, ["td"] * len(row))))
            for row in table.rows
        )
        body = Markup("<tbody>{}</tbody>").format(rows) if rows else Markup("")
        return Markup("<table><thead><tr>{}</tr></thead>{}</table>").format(head, body)

    def cell(self, cell: Cell, alignment: str, name: str) -> Markup:
        scope = Markup(' scope="col"') if name == "th" else Markup("")
        style = Markup(' class="{}"').format(alignment) if alignment else Markup("")
        return Markup("<{0}{1}{2}>{3}</{0}>").format(
            Markup(name), scope, style, inline_html(cell.children, self.resolve)
        )
