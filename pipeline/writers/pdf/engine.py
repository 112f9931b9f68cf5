"""WeasyPrint, shut off from the machine: a PDF depends on the render input and on Dateline's own files alone.

The only module that imports WeasyPrint, with ``shortcuts``. A document may use the files that are declared for it; any
other address, and any warning, is an error. Fonts and settings of the machine have no effect.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, lru_cache, partial
from importlib.resources import files
from multiprocessing.util import Finalize
from weakref import ReferenceType, ref

from msgspec import Struct

from pipeline.model.errors import RenderError
from pipeline.typography import fonts
from pipeline.typography.templates import FOLDER
from pipeline.writers.pdf import archive
from pipeline.writers.pdf.start_up import declare_further, fill_sheets, kept_parsed, lean_import

with lean_import():
    import weasyprint.html
    from weasyprint import CSS, HTML
    from weasyprint.css import ColorProfile
    from weasyprint.document import Document
    from weasyprint.formatting_structure.boxes import LineBox
    from weasyprint.pdf.stream import Stream
    from weasyprint.text.ffi import ffi, gobject, harfbuzz, pango, pangoft2
    from weasyprint.text.fonts import FontConfiguration, get_hb_object_data
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    from pipeline.writers.pdf import shortcuts

__all__ = [
    "CACHED",
    "FontConfiguration",
    "LineBox",
    "Look",
    "Stream",
    "ffi",
    "font_configuration",
    "get_hb_object_data",
    "gobject",
    "harfbuzz",
    "isolated",
    "look",
    "pango",
    "pangoft2",
    "pdf_bytes",
    "render",
    "strict",
]

declare_further(ffi)
fill_sheets(weasyprint.html)
shortcuts.install()

CACHED = 4
"""Looks and font configurations that a process keeps: East Asian fonts take 100 MB of memory."""
_FONT_SETTINGS = "FONTCONFIG_FILE"
_LANGUAGES = ("LANGUAGE", "PANGO_LANGUAGE")
"""The user's languages. Pango uses them for words in another script than the text's: with Turkish among them, English
words in an Arabic release would get a Turkish i."""
_FONT_DATE = "SOURCE_DATE_EPOCH"
"""The date that fontTools writes into fonts which it saves, as it does for emoji; without it, the current time."""


class Look(Struct, frozen=True):
    """What all documents of a newsroom in one language share."""

    sheet: CSS
    fonts: FontConfiguration


@contextmanager
def isolated() -> Iterator[None]:
    """Let WeasyPrint's libraries find Dateline's fonts only; they take their settings from the environment alone."""
    before = {name: os.environ.pop(name, None) for name in (_FONT_SETTINGS, _FONT_DATE, *_LANGUAGES)}
    os.environ |= {_FONT_SETTINGS: str(FOLDER / "fonts.conf"), _FONT_DATE: "0"}
    try:
        yield
    finally:
        del os.environ[_FONT_SETTINGS], os.environ[_FONT_DATE]
        os.environ.update({name: value for name, value in before.items() if value is not None})


@contextmanager
def strict(subject: str) -> Iterator[None]:
    """Raise ``RenderError`` about ``subject`` for whatever WeasyPrint logs or refuses within the block."""
    collector = _WarningCollector()
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


class _WarningCollector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


class _DeclaredFiles(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
    """Answers from the given bytes, and refuses any other address."""

    def __init__(self, declared: Mapping[str, bytes]) -> None:
        super().__init__(allowed_protocols=(), fail_on_errors=True)
        self._declared = declared

    def fetch(self, url: str, headers: Mapping[str, str] | None = None) -> URLFetcherResponse:
        """Return the bytes declared for ``url``."""
        if url not in self._declared:
            raise FatalURLFetchingError(f"{url} is not part of the release")
        return URLFetcherResponse(url, self._declared[url])


def look(css: str, scripts: tuple[str, ...], name: str) -> Look:
    """Return a style sheet with the fonts of Latin and of the named ``scripts``; ``name`` is that of its kind."""
    configuration = font_configuration(scripts)

    def parsed() -> CSS:
        with strict("print.css"):
            return CSS(string=css, font_config=configuration, url_fetcher=_DeclaredFiles({}))

    sheet = kept_parsed(name, css, parsed)
    shortcuts.know_places(sheet, css)
    return Look(sheet, configuration)


@lru_cache(maxsize=CACHED)
def font_configuration(scripts: tuple[str, ...]) -> FontConfiguration:
    """Return the fonts of Latin and of the named ``scripts``, for Pango."""
    configuration = FontConfiguration()
    faces = fonts.FACES + tuple(face for name in scripts for face in fonts.by_name(name).faces)
    declared = {address: file.read_bytes() for address, file in fonts.face_files(faces).items()}
    with strict("fonts"):
        CSS(string=fonts.face_rules(faces), font_config=configuration, url_fetcher=_DeclaredFiles(declared))
    # WeasyPrint copies the fonts to a temporary folder and removes it when the configuration is garbage-collected,
    # which a cached one never is. A Finalize also runs at the end of a worker process, where atexit does not.
    Finalize(None, _remove_copies, (ref(configuration),), exitpriority=0)
    return configuration


def _remove_copies(reference: ReferenceType[FontConfiguration]) -> None:
    configuration = reference()
    if configuration is not None:
        configuration.__del__()


def render(html: str, base_url: str, look: Look, declared: Mapping[str, bytes]) -> Document:
    """Return ``html`` laid out on pages; ``declared`` holds the files that it may use by address."""
    profile = ColorProfile(io.BytesIO(_srgb()), "sRGB", "relative-colorimetric", (["r"], ["g"], ["b"]))
    return HTML(string=html, base_url=base_url, url_fetcher=_DeclaredFiles(declared)).render(
        font_config=look.fonts,
        stylesheets=[look.sheet],
        color_profiles={"srgb": profile},
        pdf_variant=archive.VARIANT,
        presentational_hints=True,
    )


@cache
def _srgb() -> bytes:
    """Return the profile that defines the colours of a document."""
    return (files("weasyprint.pdf") / "sRGB2014.icc").read_bytes()


def pdf_bytes(document: Document, identifier: bytes, codes: archive.Codes) -> bytes:
    """Return the finished file; ``codes`` may grow while it is drawn."""
    archive.declare_pdf_ua(document.metadata)
    data: bytes = document.write_pdf(
        pdf_variant=archive.VARIANT,
        output_intent="sRGB",  # for its own default "srgb", WeasyPrint opens a file that it does not close
        pdf_identifier=identifier,
        finisher=partial(archive.finish, codes=codes),
    )
    return data
