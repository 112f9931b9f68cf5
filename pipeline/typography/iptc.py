"""IPTC photo metadata: what a published picture says of itself, and where an incoming one says that it comes from.

A packet is written as XMP (ISO 16684-1) with the properties of the IPTC Photo Metadata Standard, and for JPEG also in
the older IIM (IPTC-NAA 4.2), which some picture desks still read. It states no time and no program, so the same words
give the same bytes. A library for XMP would bring the toolkit in C++, for one packet of nine properties.
"""

from __future__ import annotations

import re
from html import escape

from msgspec import Struct

from pipeline.model.release import AI_EDITED, AI_MADE, SOURCE_TYPES

_LIMIT = 2000
"""Bytes that one text may have, as in IIM: the whole packet must fit into one segment of a JPEG."""
_CREDIT_LIMIT, _COPYRIGHT_LIMIT = 32, 128
"""Bytes that IIM has for these; the whole text is in the XMP packet."""
_NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "xmpRights": "http://ns.adobe.com/xap/1.0/rights/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_CODES = {code.lower().encode(): code for code in SOURCE_TYPES}
_PROPERTY = re.compile(
    rb"Digital ?Source ?(?:file ?)?Type\b"
    rb"(?:[^<>\"']*=\s*[\"']|[^<>\"']*>(?:\s*<rdf:[^>]*>)*\s*)"  # an attribute, or an element
    rb"(?:[^\s<>\"']*[/:#])?(\w+)",
    re.IGNORECASE,
)
"""The property as it is called today, or as in the first edition of the standard, ``DigitalSourcefileType``. Its value
is a URI, a QCode (``digsrctype:print``) or the code alone."""
_SYSTEM = re.compile(rb"\bAISystemUsed(?:\s*=\s*[\"']|[^<>\"']*>)\s*[^\s<\"']")
_ASSERTED = re.compile(
    rb"newscodes/digitalsourcetype/(" + b"|".join(sorted(_CODES, reverse=True)) + rb")", re.IGNORECASE
)
"""In credentials. The URI is followed by the next value, without anything between: so the longest code counts."""


class PhotoMetadata(Struct, frozen=True):
    """What a picture says of itself; texts are in one language, and empty ones are left out."""

    language: str
    caption: str = ""
    credit: str = ""
    copyright: str = ""
    usage: str = ""
    rights_page: str = ""
    alt: str = ""
    source_type: str = ""
    """URI of the NewsCode."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return not any(getattr(self, name) for name in self.__struct_fields__ if name != "language")


def xmp_packet(stated: PhotoMetadata) -> bytes:
    """Return the packet as UTF-8, without room for changes; nothing when nothing is stated."""
    if stated.is_empty:
        return b""
    properties = "".join(
        (
            _alternatives("dc:description", stated.caption, stated.language),
            _alternatives("dc:rights", stated.copyright, stated.language),
            _property("photoshop:Credit", stated.credit),
            _property("xmpRights:Marked", "True" if stated.copyright else ""),
            _alternatives("xmpRights:UsageTerms", stated.usage, stated.language),
            _property("xmpRights:WebStatement", stated.rights_page),
            _alternatives("Iptc4xmpCore:AltTextAccessibility", stated.alt, stated.language),
            _property("Iptc4xmpExt:DigitalSourceType", stated.source_type),
        )
    )
    names = "".join(f' xmlns:{name}="{uri}"' for name, uri in _NAMESPACES.items() if f"<{name}:" in properties)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about=""{names}>{properties}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def _alternatives(name: str, text: str, language: str) -> str:
    """Return a text with its language. The same text is the default, which programs show who do not know languages."""
    words = _escaped(text)
    items = "".join(f'<rdf:li xml:lang="{tag}">{words}</rdf:li>' for tag in ("x-default", language))
    return f"<{name}><rdf:Alt>{items}</rdf:Alt></{name}>" if words else ""


def _property(name: str, text: str) -> str:
    return f"<{name}>{_escaped(text)}</{name}>" if text else ""


def _escaped(text: str) -> str:
    escaped = escape(text, quote=False)
    if len(escaped.encode()) <= _LIMIT:
        return escaped
    size = 0
    for at, character in enumerate(text):
        size += len(escape(character, quote=False).encode())
        if size > _LIMIT:
            return escape(text[:at], quote=False)
    return escaped


def iim_records(stated: PhotoMetadata) -> bytes:
    """Return caption, credit and copyright as IIM data sets in UTF-8; nothing when there is none of them."""
    texts = (
        (110, stated.credit, _CREDIT_LIMIT),
        (116, stated.copyright, _COPYRIGHT_LIMIT),
        (120, stated.caption, _LIMIT),
    )
    sets = [_data_set(2, number, _cut(text, limit)) for number, text, limit in texts if text]
    head = _data_set(1, 90, b"\x1b%G") + _data_set(2, 0, b"\0\4")  # the text is UTF-8; version 4
    return head + b"".join(sets) if sets else b""


def _data_set(record: int, number: int, value: bytes) -> bytes:
    return bytes([0x1C, record, number]) + len(value).to_bytes(2, "big") + value


def _cut(text: str, limit: int) -> bytes:
    return text.encode()[:limit].decode(errors="ignore").encode()


# --- Reading ---------------------------------------------------------------------------------------------------------


def source_type_of(xmp: bytes, credentials: bytes) -> str:
    """Return the code of the source type that an incoming picture states; empty when it states none that is known.

    If AI is named anywhere, the answer names AI: AI_MADE where nothing else is named, else AI_EDITED. ``credentials``
    also tell how the picture's parts were made.
    """
    plain = xmp.replace(b"\0", b"")  # XMP may be UTF-16
    stated = [_CODES[code] for code in map(bytes.lower, _PROPERTY.findall(plain)) if code in _CODES]
    stated += [AI_MADE] if _SYSTEM.search(plain) else []
    asserted = {_CODES[code.lower()] for code in _ASSERTED.findall(credentials)}
    found = {*stated, *asserted}
    if found & {AI_MADE, AI_EDITED}:
        return AI_MADE if found == {AI_MADE} else AI_EDITED
    if stated:
        return stated[0]
    return asserted.pop() if len(asserted) == 1 else ""
