"""Which kind of file it is, by its first bytes and not by its name, and the reader for it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.model.errors import SettingError, printable
from pipeline.reader.imports.foreign import Foreign

BYTE_LIMIT = 100_000_000
TEXT_LIMIT = 5_000_000
_AS_DOCX = "open it in Word or LibreOffice, save it as DOCX, and import that"
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "an old Word document, or one that is protected by a password"),
    (b"{\\rtf", "an RTF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a compressed file"),
    (b"Rar!", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
)


def read_foreign(file: Path) -> Foreign:
    """Return what is in ``file``. Raises ``SettingError`` when it cannot be used."""
    data = _bytes(file)
    shown = printable(str(file))
    if data.startswith(b"PK"):
        return _zipped(file, data)
    for start, kind in _OTHERS:
        if data.startswith(start):
            is_picture = kind == "a picture"
            hint = "type its text, or import the file that it was made from" if is_picture else _AS_DOCX
            raise SettingError(f"{shown}: is {kind}", hint)
    if b"%PDF-" in data[:1024]:
        from pipeline.reader.imports.pdf import read_pdf

        return read_pdf(file, data)
    if len(data) > TEXT_LIMIT:
        raise SettingError(f"{shown}: is larger than {TEXT_LIMIT // 1_000_000} MB", "import a part of it")
    from pipeline.reader.imports import text

    suffix = file.suffix.lower()
    start = data[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    is_page = start.startswith((b"<!doctype html", b"<html", b"<?xml")) or suffix in (".html", ".htm", ".xhtml")
    words, checks, remarks = text.decode_page(data) if is_page else text.decode(data)
    if words.count("\0") > 0 and not is_page:
        raise SettingError(f"{shown}: is neither text nor a document that is known here", _AS_DOCX)
    if is_page:
        from pipeline.reader.imports.html import read_html

        foreign = read_html(words.replace("\0", ""), folder=file.parent)
    elif suffix in (".md", ".markdown", ".mdown") or words.lstrip("\ufeff").startswith("---\n"):
        from pipeline.reader.imports.markup import read_markdown

        foreign = read_markdown(words, file.parent, file.stem)
    else:
        foreign = text.read_text(words)
    return msgspec.structs.replace(foreign, checks=(*checks, *foreign.checks), remarks=(*remarks, *foreign.remarks))


def _bytes(file: Path) -> bytes:
    shown = printable(str(file))
    try:
        if not file.exists():
            raise SettingError(f"{shown}: no such file", "write the path as you see it from this folder")
        if not file.is_file():
            raise SettingError(f"{shown}: is not a file", "name one document; a folder cannot be imported")
        if file.stat().st_size > BYTE_LIMIT:
            raise SettingError(f"{shown}: is larger than {BYTE_LIMIT // 1_000_000} MB", "save it with smaller pictures")
        data = file.read_bytes()
    except (OSError, ValueError) as error:
        raise SettingError(f"{shown}: cannot be read: {getattr(error, 'strerror', None) or error}", "") from error
    if not data.strip(b" \t\r\n\0"):
        raise SettingError(f"{shown}: is empty", "save the document again, and import that")
    return data


def _zipped(file: Path, data: bytes) -> Foreign:
    if b"mimetypeapplication/vnd.oasis" in data[:120]:
        raise SettingError(f"{printable(str(file))}: is an OpenDocument file", _AS_DOCX)
    from pipeline.reader.imports.word import read_word

    return read_word(file)
