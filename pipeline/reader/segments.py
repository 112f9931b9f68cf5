"""Pictures without their metadata, segment by segment, so that no pixel changes.

Kept is what a pixel's colour or place depends on; everything else, and whatever follows the end of the picture, goes.
Damaged structure raises ValueError. See ISO/IEC 10918-1, the PNG specification (third edition) and RFC 9649.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""Within a scan FF is followed by 00 or by the number of a restart."""
_PNG_KEPT = frozenset(
    [
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"gAMA",
        b"cHRM",
        b"sRGB",
        b"iCCP",
        b"sBIT",
        b"cICP",
        b"bKGD",
        b"pHYs",
    ]
)
_WEBP_KEPT = frozenset([b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ICCP"])
_WEBP_METADATA = 0b00001100
"""Bits of VP8X that announce EXIF and XMP."""


def strip(data: bytes, kind: str) -> bytes | None:
    """Return ``data`` without metadata, None when ``kind`` (as Pillow calls it) has to be encoded anew."""
    match kind:
        case "JPEG":
            return b"".join(_jpeg(data))
        case "PNG":
            return b"".join(_png(data))
        case "WEBP" if b"ANMF" not in (name for name, _ in _webp_chunks(data)):
            return _webp(data)
    return None


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield b"\xff\xd8"
    at = 2
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        payload = data[at + 4 : end]
        if marker == 0xDA:
            found = _AFTER_SCAN.search(data, end)
            end = found.start() if found else len(data)
        if _jpeg_keeps(marker, payload):
            yield data[at:end]
        at = end
    raise ValueError("a JPEG without end")


def _jpeg_keeps(marker: int, payload: bytes) -> bool:
    """Whether a segment stays: JFIF without thumbnail, colour profile, Adobe's transform, and the picture itself."""
    match marker:
        case 0xE0:
            return payload.startswith(b"JFIF\0") and payload[12:14] == b"\0\0"
        case 0xE2:
            return payload.startswith(b"ICC_PROFILE\0")
        case 0xEE:
            return payload.startswith(b"Adobe")
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _png(data: bytes) -> Iterator[bytes]:
    yield data[:8]
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        if name in _PNG_KEPT:
            yield data[at:end]
        if name == b"IEND":
            return
        at = end
    raise ValueError("a PNG without end")


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the chunks below RIFF."""
    end = 8 + int.from_bytes(data[4:8], "little")
    at = 12
    while at + 8 <= min(end, len(data)):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _webp(data: bytes) -> bytes:
    body = b"WEBP"
    for name, content in _webp_chunks(data):
        if name == b"VP8X":
            content = bytes([content[0] & ~_WEBP_METADATA]) + content[1:]
        if name in _WEBP_KEPT:
            body += name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
    return b"RIFF" + len(body).to_bytes(4, "little") + body
