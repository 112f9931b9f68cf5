"""Reading a PDF back, with the reader that browsers have. The only module that imports pypdfium2."""

from __future__ import annotations

import ctypes
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

from pipeline.build.parity.content import Content, address


def read_pdf(data: bytes) -> Content:
    """Return the words of each page as one passage, in the order in which they were drawn, and all links."""
    document = pypdfium2.PdfDocument(data)
    passages: list[str] = []
    links: set[str] = set()
    try:
        for page in document:
            text = page.get_textpage()
            # pdfium writes U+FFFE for a hyphen at the end of a line.
            passages.append(text.get_text_range().replace("\ufffe", "- "))
            links.update(_links(document, page))
            text.close()
            page.close()
    finally:
        document.close()
    return Content(tuple(passages), frozenset(links))


def _links(document: Any, page: Any) -> set[str]:
    found: set[str] = set()
    place, link = ctypes.c_int(0), pdfium.FPDF_LINK()
    while pdfium.FPDFLink_Enumerate(page, ctypes.byref(place), ctypes.byref(link)):
        action = pdfium.FPDFLink_GetAction(link)
        size = pdfium.FPDFAction_GetURIPath(document, action, None, 0) if action else 0
        if size:
            buffer = ctypes.create_string_buffer(size)
            pdfium.FPDFAction_GetURIPath(document, action, buffer, size)
            found.add(address(buffer.value.decode("utf-8", "replace")))
    return found
