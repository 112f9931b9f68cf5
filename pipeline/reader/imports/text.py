"""A plain text → our document tree: its encoding, then its lines."""

from __future__ import annotations

import codecs
import re
from contextlib import suppress

from pipeline.reader.imports.foreign import Foreign, clean
from pipeline.reader.imports.lines import blocks_of

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_ASK = "see whether accents and quotation marks are right"


def decode(data: bytes) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the text of a file, questions about its encoding, and remarks."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            text = data.decode(codec, "replace")
            return text, _lost(text), () if name == "UTF-8" else (f"the file is {name}",)
    with suppress(UnicodeDecodeError):  # then it is one of those below
        return (text := data.decode("utf-8")), _lost(text), ()
    for codec, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(data) > 3 and data[start::2].count(0) * 4 > len(data) and not data[1 - start :: 2].count(0):
            return data.decode(codec, "replace"), (), ("the file is UTF-16",)
    text = data.decode("cp1252", "replace")
    return text, (f"the file is not UTF-8; it was read as Windows-1252: {_ASK}", *_lost(text)), ()


def decode_page(data: bytes) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The same for a page, which may name its encoding."""
    named = re.search(rb"<meta[^>]+charset\s*=\s*[\"']?([\w-]{2,40})", data[:4096], re.IGNORECASE)
    if named and not data.startswith(tuple(mark for mark, *_ in _MARKS)):
        with suppress(LookupError, ValueError):  # it names no encoding, or a wrong one: its bytes decide
            name = codecs.lookup(named[1].decode("ascii")).name
            name = "cp1252" if name in ("iso8859-1", "ascii") else name  # as browsers read it
            text = data.decode(name)
            return text, (), () if name == "utf-8" else (f"the page is {named[1].decode()}, by its own word",)
    return decode(data)


def _lost(text: str) -> tuple[str, ...]:
    return ("a character was lost before this import (\ufffd); type it again",) if "\ufffd" in text else ()


def read_text(text: str) -> Foreign:
    """Return the blocks of a plain text."""
    lines = clean(text.replace("\f", "\n\n")).split("\n")
    return Foreign(tuple(blocks_of(lines)))
