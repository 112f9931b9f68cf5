"""The release as a tagged PDF (PDF/UA-1 and PDF/A-2a), rendered from ``templates/article.html.j2`` and ``print.css``.

The pictures, the organisation's mark and the QR code have addresses in private schemes, so that nothing else can be
loaded.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from html import unescape
from urllib.parse import quote, unquote

from markupsafe import Markup

from pipeline.model.document import Figure, Table
from pipeline.model.errors import RenderError
from pipeline.typography import fonts, image_sizes
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.directions import isolate, isolate_plain
from pipeline.typography.headline import LONG_TITLE, TITLE_SIZES, balanced_width, shortened
from pipeline.typography.messages import Messages
from pipeline.typography.templates import render, text_of
from pipeline.writers import Output, RenderInput, table_layout
from pipeline.writers.markup import FigureHtml, NoteLinks, block_html, figure_html, linked_headings, referring_blocks
from pipeline.writers.pdf import engine, layout, qr_code, text_layer
from pipeline.writers.pdf.layout import LayoutPlan
from pipeline.writers.pdf.qr_code import QrCode

PICTURE = "picture:"
MARK = "mark:"
CODE = "code:"
_MARK_HEIGHT = 26.0
"""Points, as in print.css."""
_RUNNING_TITLE = 76
"""Characters of the title that fit in the running head."""
_INCH = 72
"""Points."""


@engine.isolated()
def write(render_input: RenderInput) -> Output:
    """Return the article as a PDF.

    Raises ``RenderError`` for a character that no font has, and for anything that WeasyPrint warns of.
    """
    standard = LayoutPlan()
    source = _source(render_input, standard)
    newsroom, messages = render_input.newsroom, render_input.messages
    scripts = _scripts(render_input, unescape(re.sub("<[^>]*>", "", source)))
    look = _look(newsroom.accent, newsroom.paper, page_of(messages), messages.direction, scripts)
    declared = _declared_files(render_input)
    address = f"{render_input.base_url}releases/"
    with engine.strict(render_input.release.slug):
        document = layout.best_layout(
            lambda plan: engine.render(
                source if plan == standard else _source(render_input, plan), address, look, declared
            ),
            has_code=CODE in declared,
        )
        with text_layer.legible(document) as codes:
            data = engine.pdf_bytes(document, _identifier(source, render_input), codes)
    return Output(data, len(document.pages))


def _identifier(source: str, render_input: RenderInput) -> bytes:
    """Return a file identifier made from the content: the same words and pictures, the same identifier."""
    pictures = "".join(picture.sha256 for picture in render_input.release.pictures)
    return hashlib.sha256(f"{source}{pictures}".encode()).hexdigest()[:32].encode()


def _scripts(render_input: RenderInput, text: str) -> tuple[str, ...]:
    """Return the names of the scripts whose fonts ``text`` needs. Raises ``RenderError`` when one is missing."""
    found = fonts.coverage(text, render_input.release.language)
    if found.unknown or found.lacking:
        missing = [*found.unknown, *(character for character, _ in found.lacking)]
        names = ", ".join(map(fonts.character_name, missing[:5])) + (", …" if len(missing) > 5 else "")
        packages = sorted({package for _, script in found.lacking for package in script.packages})
        hint = f"install {', '.join(packages)}" if packages else "write it in words, or leave it out"
        raise RenderError(f"{render_input.release.slug}: no font has {names}", hint)
    return tuple(script.name for script in found.scripts)


def _declared_files(render_input: RenderInput) -> dict[str, bytes]:
    """Return the pictures, the mark and the QR code by address, with as many pixels as a printer shows."""
    found: dict[str, bytes] = {}
    for picture in render_input.release.pictures:
        room = layout.picture_room(render_input.newsroom.paper, 0, broad=picture.stretch > 1)
        points = picture.width * LayoutPlan().pixel(picture.width, picture.height, room)
        pixels = round(points / _INCH * image_sizes.DPI)
        file = picture.at(pixels).file
        if file in render_input.pictures:
            found[PICTURE + quote(picture.file)] = image_sizes.for_paper(render_input.pictures[file], pixels)[0]
    if code := _code(render_input):
        found[CODE] = code.svg
    if render_input.mark:
        found[MARK] = _mark_on_paper(render_input.mark)
    return found


def _code(render_input: RenderInput) -> QrCode | None:
    return qr_code.draw(render_input.article.current.href) if render_input.article.current else None


@lru_cache(maxsize=engine.CACHED)
def _mark_on_paper(mark: bytes) -> bytes:
    """Return the mark without a palette: WeasyPrint would convert it for every document."""
    data, kind = image_sizes.for_paper(mark)
    return image_sizes.unpaletted(data) if kind == "PNG" else data


# --- The article as HTML ---------------------------------------------------------------------------------------------


def _source(render_input: RenderInput, plan: LayoutPlan) -> str:
    release, article, newsroom = render_input.release, render_input.article, render_input.newsroom
    anchors = linked_headings((*article.body, *article.notes))
    resolve = _resolver(render_input, anchors)
    messages = render_input.messages
    notes = NoteLinks(referring_blocks(article), messages["back_to_text"])
    figure = _figure_renderer(render_input, resolve, plan, notes)
    dateline = Markup('<span class="dateline">{}</span>{}').format(article.dateline, DATELINE_MARK)
    lead_in = dateline if article.dateline else ""
    long = len(article.title) > LONG_TITLE
    running_title = layout.divisible(shortened(article.title, _RUNNING_TITLE))

    def fit(table: Table, depth: int) -> table_layout.PaperTable:
        return table_layout.fit(table, layout.table_room(newsroom.paper, depth, plan, messages.script))

    def in_lines(markup: Markup) -> Markup:
        # What is tied cannot be recognized as a number any more.
        return layout.tied(Markup(isolate(markup, article.direction)))  # noqa: S704  # only tags are added

    source = render(
        "article.html.j2",
        article=article,
        messages=messages,
        summary=release.summary,
        keywords=", ".join(newsroom.topic_label(topic, release.language) for topic in release.topics),
        created=release.date.isoformat(timespec="seconds"),
        modified=release.modified.isoformat(timespec="seconds"),
        running_title=isolate_plain(running_title) if article.direction == "rtl" else running_title,
        title_class="long" if long else "",
        title_width=balanced_width(article.title, TITLE_SIZES[long], layout.full_width(newsroom.paper)),
        mark=MARK if render_input.mark else "",
        mark_width=_mark_width(render_input.mark),
        image=figure(article.image, 0) if article.image else "",
        close=plan.close,
        code=_code(render_input),
        code_beside=plan.beside,
        body=in_lines(
            block_html(
                article.body, resolve, lead_in, figure, anchors, fit=fit, notes=notes, notes_label=messages["footnotes"]
            )
        ),
        notes=in_lines(block_html(article.notes, resolve, figure=figure, anchors=anchors, fit=fit, notes=notes)),
        films=[in_lines(block_html(film.blocks, fit=fit)) for film in article.films],
    )
    head, body, rest = source.partition("<body")
    return head + body + layout.divisible(rest)


def _resolver(render_input: RenderInput, anchors: Mapping[int, str]) -> Callable[[str], str]:
    """Return the function that resolves links: all become absolute but those to a heading of the same text."""
    page = f"{render_input.base_url}releases/{render_input.release.slug}.html"

    def resolve(href: str) -> str:
        if href.startswith("#"):
            return href if unquote(href[1:]) in anchors.values() else page + href
        return href  # relative ones work, because the document has the base address of releases/

    return resolve


def _figure_renderer(
    render_input: RenderInput, resolve: Callable[[str], str], plan: LayoutPlan, notes: NoteLinks
) -> FigureHtml:
    def figure_on_paper(figure: Figure, depth: int) -> Markup:
        picture = render_input.release.picture(figure.file)
        room = layout.picture_room(render_input.newsroom.paper, depth, broad=picture.stretch > 1)
        pixel = plan.pixel(picture.width, picture.height, room)
        style = f"width: {picture.width * pixel:.2f}pt; height: {picture.height * pixel:.2f}pt"
        address, credit = PICTURE + quote(figure.file), render_input.credit(figure)

        def resolve_here(href: str) -> str:
            return address if href == figure.file else resolve(href)

        if figure.alt:
            return figure_html(figure, resolve_here, credit, style, notes=notes)
        background = f"{style}; background-image: url({address})"
        return figure_html(figure, resolve, credit, background, decorative=True, notes=notes)

    return figure_on_paper


def _mark_width(mark: bytes) -> float:
    """Return the width in points of the letterhead's mark, a PNG that has its size in bytes 16 to 24."""
    if not mark:
        return 0
    width, height = int.from_bytes(mark[16:20], "big"), int.from_bytes(mark[20:24], "big")
    return round(_MARK_HEIGHT * width / max(height, 1), 2)


# --- The style sheet -------------------------------------------------------------------------------------------------


@lru_cache(maxsize=engine.CACHED)
def _look(accent: str, paper: str, page_of: str, direction: str, scripts: tuple[str, ...]) -> engine.Look:
    side, pages = ("left", ("rtl", "embargoed-rtl")) if direction == "rtl" else ("right", ("",))
    numbers = "".join(f"@page {page} {{ @bottom-{side} {{ content: {page_of}; }} }}\n" for page in pages)
    sheet = f"{numbers}@page {{ size: {paper}; }}\n:root {{ --accent: {accent}; }}\n{text_of('print.css')}"
    families = fonts.families(map(fonts.by_name, scripts))
    for name in families.__struct_fields__:  # WeasyPrint knows no custom properties in page margins
        sheet = sheet.replace(f"var(--{name})", getattr(families, name))
    kind = hashlib.sha256(repr((paper, page_of, direction, scripts)).encode()).hexdigest()[:16]
    return engine.look(sheet + layout.turned_pages(sheet, paper), scripts, kind)


_DIGITS = {"١": "arabic-indic", "۱": "persian", "१": "devanagari", "১": "bengali"}
"""How a language writes 1 → CSS counter style."""


def page_of(messages: Messages) -> str:
    """Return the message ``page_of`` (``Page {page} of {pages}``) as a value of the CSS property ``content``."""
    style = _DIGITS.get(messages.number(1), "decimal")
    counters = {"{page}": f"counter(page, {style})", "{pages}": f"counter(pages, {style})"}
    parts: list[str] = []
    rest = messages["page_of"]
    while rest:
        at, name = min(((rest.find(name), name) for name in counters if name in rest), default=(len(rest), ""))
        parts.append(_css_string(rest[:at]))
        if name:
            parts.append(counters[name])
        rest = rest[at + len(name) :]
    return " ".join(parts)


def _css_string(text: str) -> str:
    """Return ``text`` as a CSS string, with all but ASCII letters and digits escaped."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'
