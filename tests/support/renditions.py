"""Read the words of each rendition with tools of its format, independent of its writer."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from html import unescape
from xml.etree import ElementTree
from zipfile import ZipFile

import pypdfium2

from pipeline.build.parity.content import folded

_BREAKS = re.compile(r"</?(?:p|h[1-6]|li|ul|ol|td|th|tr|br|pre|figcaption|figure|blockquote|div|dt|dd|section)\b[^>]*>")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def words_of(name: str, data: bytes) -> list[str]:
    """Return the words of a rendition in the format ``name``, in the order in which they are read."""
    return folded(READERS[name](data))


def text_of_html(source: str) -> str:
    """Return the text of an HTML fragment; blocks part words, inline elements do not."""
    return unescape(re.sub(r"<[^>]+>", "", _BREAKS.sub(" ", source)))


def of_text(data: bytes) -> str:
    """Return the wire copy as it is."""
    return data.decode()


def of_pdf(data: bytes) -> str:
    """Return the text of all pages; ligatures and Arabic presentation forms as plain letters."""
    return "\n".join(pages_of_pdf(data))


def pages_of_pdf(data: bytes) -> list[str]:
    """Return the text of each page."""
    document = pypdfium2.PdfDocument(data)
    pages = [page.get_textpage().get_text_range() for page in document]
    document.close()
    # pdfium writes U+FFFE for a hyphen at the end of a line.
    return [unicodedata.normalize("NFKC", page.replace("\ufffe", "-").replace("\u00a0", " ")) for page in pages]


def of_docx(data: bytes) -> str:
    """Return what Word shows: letterhead and text, its footnotes before the end mark; breaks and tabs part words."""
    with ZipFile(io.BytesIO(data)) as package:
        parts = [name for name in sorted(package.namelist()) if re.fullmatch(r"word/(header\d+|document)\.xml", name)]
        notes = "word/footnotes.xml"
        footnotes = _word_text(package.read(notes)) if notes in package.namelist() else ""
        return " ".join(_word_text(package.read(part), footnotes) for part in parts).replace("\u00a0", " ")


def _word_text(part: bytes, footnotes: str = "") -> str:
    out: list[str] = []
    for node in ElementTree.fromstring(part).iter():
        if node.tag == f"{_W}t":
            out.append(node.text or "")
        elif node.tag == f"{_W}footnoteReference":
            out.append(node.get(f"{_W}id", ""))
        elif node.tag == f"{_W}pStyle" and node.get(f"{_W}val") == "EndMark":
            out.append(f"{footnotes} ")
        elif node.tag in (f"{_W}p", f"{_W}br", f"{_W}tab"):
            out.append(" ")
    return "".join(out)


def of_html(data: bytes) -> str:
    """Return the text of the page's body, without scripts."""
    body = data.decode().split("<body", 1)[1].split(">", 1)[1]
    return text_of_html(re.sub(r"<(script|template)\b.*?</\1>", "", body, flags=re.DOTALL))


def of_json(data: bytes) -> str:
    """Return the record's headline and its article."""
    record = json.loads(data)
    return f"{record['headlines'][0]['value']} {text_of_html(record['bodies'][0]['value'])}"


READERS = {"text": of_text, "shots": of_text, "pdf": of_pdf, "docx": of_docx, "html": of_html, "json": of_json}
