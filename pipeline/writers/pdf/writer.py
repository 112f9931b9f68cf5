"""The release as a tagged PDF (PDF/UA-1 and PDF/A-2a), set by WeasyPrint from the article template.

Only here WeasyPrint is asked for anything; ``pdf_text`` sees to what can be read of it. Nothing is fetched but what the
job declares: pictures, the mark and the faces have addresses in private schemes, any other address ends the rendering,
and so does any warning. Nothing is looked up on the machine.
"""

from __future__ import annotations

import hashlib
import io
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from html import unescape
from multiprocessing.util import Finalize
from urllib.parse import quote, unquote
from weakref import ReferenceType, ref

from markupsafe import Markup
from msgspec import Struct
from weasyprint import CSS, HTML
from weasyprint.css import ColorProfile
from weasyprint.document import Document
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

from pipeline.model.document import Figure, Table
from pipeline.model.errors import RenderError
from pipeline.typography import fonts, image_sizes
from pipeline.typography.article import DATELINE_MARK
from pipeline.typography.headline import balanced_width, shortened
from pipeline.typography.templates import render, text_of
from pipeline.writers import Output, RenderInput, columns
from pipeline.writers.anchors import wanted_anchors
from pipeline.writers.columns import Setting
from pipeline.writers.markup import Draw, block_html, figure_html
from pipeline.writers.pdf import archive as pdf_archive
from pipeline.writers.pdf import layout as pdf_layout
from pipeline.writers.pdf import pictures as pdf_pictures
from pipeline.writers.pdf import text as pdf_text
from pipeline.writers.pdf.layout import tied
from pipeline.writers.pdf.machine import kept_out
from pipeline.writers.pdf.margins import page_of

PICTURE = "picture:"
MARK = "mark:"
MARK_HEIGHT = 26.0
"""Points; print.css draws the mark as high."""
LONG_TITLE = 110
"""Characters from which a headline is set smaller: 17 pt, not 21."""
RUNNING_LIMIT = 76
"""Characters of the title that the running head has room for."""
KEPT = 4
"""Looks and sets of faces that a process keeps at hand: those of East Asian scripts take 100 MB."""


@kept_out()
def write(render_input: RenderInput) -> Output:
    """Set ``job.article`` on paper.

    Raises ``RenderError`` for a character that no face has and for anything that WeasyPrint warns of.
    """
    source = _source(render_input, pdf_layout.LayoutPlan())
    scripts = _scripts(render_input, unescape(re.sub("<[^>]*>", "", source)))
    look = _look(
        render_input.newsroom.accent,
        render_input.newsroom.paper,
        page_of(render_input.messages),
        render_input.messages.direction,
        scripts,
    )
    fetcher = _Declared(_assets(render_input))
    with _strictly(render_input.release.slug):

        def draw(plan: pdf_layout.LayoutPlan) -> Document:
            html = HTML(
                string=_source(render_input, plan), base_url=f"{render_input.base_url}releases/", url_fetcher=fetcher
            )
            return html.render(
                font_config=look.fonts,
                stylesheets=[look.sheet],
                color_profiles={"srgb": _srgb()},
                pdf_variant=pdf_archive.VARIANT,
                presentational_hints=True,
            )

        document = pdf_layout.fitted(draw)
        pdf_archive.describe(document.metadata)
        with pdf_text.legible():
            data = document.write_pdf(
                pdf_variant=pdf_archive.VARIANT,
                output_intent=pdf_archive.INTENT,
                pdf_identifier=_identifier(source, render_input),
                finisher=pdf_archive.finish,
            )
    return Output(data, len(document.pages))


def _srgb() -> ColorProfile:
    return ColorProfile(io.BytesIO(pdf_archive.srgb()), "sRGB", "relative-colorimetric", (["r"], ["g"], ["b"]))


def _identifier(source: str, render_input: RenderInput) -> bytes:
    """Return a file identifier made from the content: the same words and pictures, the same identifier."""
    pictures = "".join(picture.sha256 for picture in render_input.release.pictures)
    return hashlib.sha256(f"{source}{pictures}".encode()).hexdigest()[:32].encode()


def _scripts(render_input: RenderInput, text: str) -> tuple[str, ...]:
    """Return the names of the scripts whose faces ``text`` needs. Raises ``RenderError`` when one is missing."""
    found = fonts.coverage(text, render_input.release.language)
    if found.unknown or found.lacking:
        missing = [*found.unknown, *(character for character, _ in found.lacking)]
        names = ", ".join(map(fonts.character_name, missing[:5])) + (", …" if len(missing) > 5 else "")
        packages = sorted({package for _, script in found.lacking for package in script.packages})
        hint = f"install {', '.join(packages)}" if packages else "write it in words, or leave it out"
        raise RenderError(f"{render_input.release.slug}: no type face has {names}", hint)
    return tuple(script.name for script in found.scripts)


# --- The article as HTML ---------------------------------------------------------------------------------------------


def _source(render_input: RenderInput, plan: pdf_layout.LayoutPlan) -> str:
    release, article = render_input.release, render_input.article
    resolve = _resolver(render_input)
    anchors = wanted_anchors((*article.body, *article.notes))
    figure = _figure_setter(render_input, resolve, plan)
    lead_in = Markup('<span class="dateline">{}</span>{}').format(article.dateline, DATELINE_MARK)
    long = len(article.title) > LONG_TITLE

    def fit(table: Table, depth: int) -> Setting:
        return columns.fit(table, pdf_layout.room(render_input.newsroom.paper, depth, plan))

    return render(
        "article.html.j2",
        article=article,
        messages=render_input.messages,
        summary=release.summary,
        keywords=", ".join(render_input.newsroom.topic_label(topic, release.language) for topic in release.topics),
        created=release.date.isoformat(timespec="seconds"),
        modified=release.modified.isoformat(timespec="seconds"),
        running_title=shortened(article.title, RUNNING_LIMIT),
        title_class="long" if long else "",
        title_width=balanced_width(article.title, 17 if long else 21, pdf_layout.full(render_input.newsroom.paper)),
        mark=MARK if render_input.mark else "",
        mark_width=_mark_width(render_input.mark),
        image=figure(article.image, 0) if article.image else "",
        close=plan.close,
        body=tied(block_html(article.body, resolve, lead_in if article.dateline else "", figure, anchors, fit=fit)),
        notes=tied(block_html(article.notes, resolve, figure=figure, anchors=anchors, fit=fit)),
    )


def _resolver(render_input: RenderInput) -> Callable[[str], str]:
    """Return how addresses are printed: on paper every link is absolute, except to a heading of the same text."""
    anchors = wanted_anchors((*render_input.article.body, *render_input.article.notes))
    page = f"{render_input.base_url}releases/{render_input.release.slug}.html"

    def resolve(href: str) -> str:
        if href.startswith("#"):
            return href if unquote(href[1:]) in anchors else page + href
        return href  # the document's base is the public address of releases/

    return resolve


def _figure_setter(render_input: RenderInput, resolve: Callable[[str], str], plan: pdf_layout.LayoutPlan) -> Draw:
    def set_figure(figure: Figure, depth: int) -> Markup:
        picture = render_input.release.picture(figure.file)
        room = pdf_layout.picture_room(render_input.newsroom.paper, depth, broad=picture.stretch > 1)
        scale = plan.picture(picture.width, picture.height, room)
        style = f"width: {picture.width * scale:.2f}pt; height: {picture.height * scale:.2f}pt"
        address = PICTURE + quote(figure.file)
        credit = render_input.messages["photo"].format(credit=figure.credit) if figure.credit else ""
        if figure.alt:
            return figure_html(figure, lambda href: address if href == figure.file else resolve(href), credit, style)
        return figure_html(figure, resolve, credit, f"{style}; background-image: url({address})", decorative=True)

    return set_figure


def _mark_width(mark: bytes) -> float:
    """Return the width in points at which a PNG is as high as the letterhead's mark; its header says so."""
    if not mark:
        return 0
    width, height = int.from_bytes(mark[16:20], "big"), int.from_bytes(mark[20:24], "big")
    return round(MARK_HEIGHT * width / max(height, 1), 2)


# --- The look: what all documents of a newsroom in one language share ------------------------------------------------


class _Look(Struct, frozen=True):
    sheet: CSS
    fonts: FontConfiguration


@lru_cache(maxsize=KEPT)
def _look(accent: str, paper: str, page_of: str, direction: str, scripts: tuple[str, ...]) -> _Look:
    configuration = _font_configuration(scripts)
    side, pages = ("left", ("rtl", "embargoed-rtl")) if direction == "rtl" else ("right", ("",))
    numbers = "".join(f"@page {page} {{ @bottom-{side} {{ content: {page_of}; }} }}\n" for page in pages)
    sheet = f"{numbers}@page {{ size: {paper}; }}\n:root {{ --accent: {accent}; }}\n{text_of('print.css')}"
    families = fonts.families(map(fonts.by_name, scripts))
    for name in families.__struct_fields__:  # margin boxes know no custom properties
        sheet = sheet.replace(f"var(--{name})", getattr(families, name))
    sheet += pdf_layout.turned_pages(sheet, paper)
    with _strictly("print.css"):
        return _Look(CSS(string=sheet, font_config=configuration, url_fetcher=_Declared({})), configuration)


@lru_cache(maxsize=KEPT)
def _font_configuration(scripts: tuple[str, ...]) -> FontConfiguration:
    configuration = FontConfiguration()
    faces = fonts.FACES + tuple(face for name in scripts for face in fonts.by_name(name).faces)
    files = {address: file.read_bytes() for address, file in fonts.face_files(faces).items()}
    with _strictly("faces"):
        CSS(string=fonts.face_rules(faces), font_config=configuration, url_fetcher=_Declared(files))
    # It keeps copies of the faces in a temporary folder and removes them when it is collected, which one at hand never
    # is. A Finalize runs at the end of a pool's worker too, where atexit does not, and only in its own process.
    Finalize(None, _remove_copies, (ref(configuration),), exitpriority=0)
    return configuration


def _remove_copies(kept: ReferenceType[FontConfiguration]) -> None:
    configuration = kept()
    if configuration is not None:
        configuration.__del__()


# --- What may be fetched, and what may be logged ---------------------------------------------------------------------


def _assets(render_input: RenderInput) -> Mapping[str, bytes]:
    found = dict(pdf_pictures.for_paper(render_input, PICTURE))
    return {**found, MARK: image_sizes.for_paper(render_input.mark)[0]} if render_input.mark else found


class _Declared(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Answers from the given bytes, and ends the rendering at any other address."""

    def __init__(self, assets: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), fail_on_errors=True)
        self._assets = assets

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return the bytes declared for ``url``."""
        if url not in self._assets:
            raise FatalURLFetchingError(f"{url} is not part of the release")
        return URLFetcherResponse(url, self._assets[url])


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _strictly(subject: str) -> Iterator[None]:
    """Turn whatever WeasyPrint logs or refuses inside the block into a ``RenderError`` about ``subject``."""
    collector = _Collector()
    logger = logging.getLogger("weasyprint")
    logger.addHandler(collector)
    try:
        yield
    except FatalURLFetchingError as error:
        raise RenderError(f"{subject}: {error}") from error
    finally:
        logger.removeHandler(collector)
    if collector.messages:
        raise RenderError(f"{subject}: {collector.messages[0]}")
