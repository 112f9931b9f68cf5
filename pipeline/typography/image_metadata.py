"""Removing the metadata of a picture without decoding it, so that no pixel changes.

A JPEG is divided into segments, a PNG or WebP into chunks. Those that the colour or the place of a pixel depends on are
kept; all others, and anything after the end of the picture, are removed. A damaged structure raises ValueError. See
ISO/IEC 10918-1, the PNG specification (third edition), RFC 9649 and ICC.1. Pillow would decode and encode the picture.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from msgspec import Struct

PROFILE_LIMIT = 4_000_000
"""Limit in bytes of a colour profile; the largest, for printing presses, have two or three million."""

_SIGNATURES = (
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)
_OTHERS = (
    ("AVIF", re.compile(rb".{4}ftyp(avif|avis|(mif1|msf1).{0,24}avi[fs])", re.DOTALL)),
    ("HEIC", re.compile(rb".{4}ftyp(he[iv][cmsx]|mif1|msf1)", re.DOTALL)),
    ("JPEG XL", re.compile(rb"\xff\x0a|\0\0\0\x0cJXL ")),
    ("JPEG 2000", re.compile(rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51")),
    ("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("BMP", re.compile(rb"BM.{4}\0{4}", re.DOTALL)),
    ("Photoshop", re.compile(rb"8BPS\0")),
    ("PDF", re.compile(rb"%PDF-")),
    ("EPS", re.compile(rb"%!PS|\xc5\xd0\xd3\xc6")),
)
"""File types that cameras, scanners and programs save and that browsers or Word cannot show."""
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""The end of a scan: within it, FF is followed by 00 or by a restart number."""
_JPEG_KEPT = frozenset([*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD]) - {0xC8}
"""Frames, tables and scans."""
_JPEG_PROFILE = b"ICC_PROFILE\0"
_JPEG_ROOM = 65_519
"""Bytes of a profile in one segment."""
_PNG_KEPT = frozenset(
    [b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"cICP", b"bKGD", b"pHYs"]
)
_WEBP_KEPT = frozenset([b"VP8 ", b"VP8L", b"VP8X", b"ALPH"])
_WEBP_PROFILE, _WEBP_ANIMATION, _WEBP_METADATA = 0b00100000, 0b00000010, 0b00001100
"""Bits of VP8X; the last one is for EXIF and XMP."""


class ProfileError(ValueError):
    """The colour profile is damaged or too large."""


class Parts(Struct, frozen=True):
    """A picture, its colour profile and its EXIF data."""

    plain: bytes
    """The picture without metadata and without its colour profile; a GIF is unchanged."""
    profile: bytes = b""
    exif: bytes = b""
    animated: bool = False
    """Whether the file says that it has more than one frame; always false for a GIF."""


def kind_of(data: bytes) -> str:
    """Return the file type of ``data`` by its first bytes, as Pillow names it; empty for a type not supported here."""
    return next((kind for kind, signature in _SIGNATURES if signature.match(data)), "")


def other_kind_of(data: bytes) -> str:
    """Return the everyday name of a file type that is not supported here; empty for data that is no known picture."""
    return next((kind for kind, signature in _OTHERS if signature.match(data)), "")


def parts_of(data: bytes, kind: str) -> Parts:
    """Divide a picture of type ``kind`` into its parts."""
    match kind:
        case "JPEG":
            return _jpeg_parts(data)
        case "PNG":
            return _png_parts(data)
        case "WEBP":
            return _webp_parts(data)
    return Parts(data)


def with_profile(plain: bytes, kind: str, profile: bytes) -> bytes:
    """Return a picture with a colour profile and no other metadata; ``plain`` is from ``parts_of``."""
    match kind if profile else "":
        case "JPEG":
            return _jpeg_with(plain, profile)
        case "PNG":
            return plain[:33] + _chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile, 9)) + plain[33:]
        case "WEBP":
            return _webp_with(plain, profile)
    return plain


# --- JPEG ------------------------------------------------------------------------------------------------------------


def _jpeg_parts(data: bytes) -> Parts:
    kept, profile, exif = [b"\xff\xd8"], {}, b""
    for marker, payload, whole in _jpeg(data):
        if marker == 0xE2 and payload.startswith(_JPEG_PROFILE):
            profile[payload[12]] = payload[14:]
        elif marker == 0xE1 and payload.startswith(b"Exif\0\0"):
            exif = exif or payload
        elif _jpeg_keeps(marker, payload):
            kept.append(whole)
    return Parts(b"".join(kept), _checked_profile(b"".join(profile[number] for number in sorted(profile))), exif)


def _jpeg(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield marker, content and all bytes of each segment up to the end of the picture. A scan follows its header."""
    at = 2
    while at + 2 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            yield marker, b"", b"\xff\xd9"
            return
        if marker in (0xFF, 0x01) or 0xD0 <= marker <= 0xD8:  # a fill byte, or a marker without content
            at += 1 if marker == 0xFF else 2
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        payload = data[at + 4 : end]
        if marker == 0xDA:
            marker_after = _AFTER_SCAN.search(data, end)
            end = marker_after.start() if marker_after else len(data)
        yield marker, payload, data[at:end]
        at = end
    raise ValueError("a JPEG without end")


def _jpeg_keeps(marker: int, payload: bytes) -> bool:
    """Whether to keep a segment: JFIF without thumbnail, Adobe's colour transform, and the picture itself."""
    match marker:
        case 0xE0:
            return len(payload) == 14 and payload.startswith(b"JFIF\0") and payload[12:] == b"\0\0"
        case 0xEE:
            return len(payload) == 12 and payload.startswith(b"Adobe")
    return marker in _JPEG_KEPT or marker == 0xD9


def _jpeg_with(plain: bytes, profile: bytes) -> bytes:
    pieces = [profile[at : at + _JPEG_ROOM] for at in range(0, len(profile), _JPEG_ROOM)]
    segments = (
        b"\xff\xe2" + (len(piece) + 16).to_bytes(2, "big") + _JPEG_PROFILE + bytes([number, len(pieces)]) + piece
        for number, piece in enumerate(pieces, 1)
    )
    at = 20 if plain[2:4] == b"\xff\xe0" else 2
    return plain[:at] + b"".join(segments) + plain[at:]


# --- PNG -------------------------------------------------------------------------------------------------------------


def _png_parts(data: bytes) -> Parts:
    kept, profile, exif, animated = [data[:8]], b"", b"", False
    for name, content, whole in _png(data):
        if name in _PNG_KEPT:
            kept.append(whole)
        elif name == b"iCCP":
            profile = _inflated(content.partition(b"\0")[2][1:])
        elif name == b"eXIf":
            exif = content
        elif name == b"acTL":
            animated = int.from_bytes(content[:4], "big") > 1
    return Parts(b"".join(kept), _checked_profile(profile), exif, animated)


def _png(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield name, content and all bytes of each chunk."""
    at = 8
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8]
        yield name, data[at + 8 : end - 4], data[at:end]
        if name == b"IEND":
            return
        at = end
    raise ValueError("a PNG without end")


def _inflated(packed: bytes) -> bytes:
    """Unpack a profile, up to the size limit."""
    decompressor = zlib.decompressobj()
    try:
        profile = decompressor.decompress(packed, PROFILE_LIMIT + 1)
    except zlib.error as error:
        raise ProfileError("damaged") from error
    if len(profile) <= PROFILE_LIMIT and not decompressor.eof:
        raise ProfileError("damaged")
    return profile


def _chunk(name: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + name + content + zlib.crc32(name + content).to_bytes(4, "big")


# --- WebP ------------------------------------------------------------------------------------------------------------


def _webp_parts(data: bytes) -> Parts:
    kept: list[tuple[bytes, bytes]] = []
    profile, exif, animated = b"", b"", False
    for name, content in _webp(data):
        if name == b"VP8X" and len(content) == 10:
            animated = bool(content[0] & _WEBP_ANIMATION)
            content = bytes([content[0] & ~(_WEBP_METADATA | _WEBP_PROFILE)]) + content[1:]
        if name in _WEBP_KEPT:
            kept.append((name, content))
        elif name == b"ICCP":
            profile = content
        elif name == b"EXIF":
            exif = content
        elif name == b"ANMF":
            animated = True
    return Parts(_webp_of(kept), _checked_profile(profile), exif, animated)


def _webp(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and content of the chunks below RIFF."""
    end = 8 + int.from_bytes(data[4:8], "little")
    at = 12
    while at + 8 <= min(end, len(data)):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _webp_of(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(
        name + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2) for name, content in chunks
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _webp_with(plain: bytes, profile: bytes) -> bytes:
    chunks = list(_webp(plain))
    if not chunks or chunks[0][0] != b"VP8X":
        raise ProfileError("out of place")
    head = chunks[0][1]
    return _webp_of([(b"VP8X", bytes([head[0] | _WEBP_PROFILE]) + head[1:]), (b"ICCP", profile), *chunks[1:]])


# --- Colour profiles -------------------------------------------------------------------------------------------------


def _checked_profile(profile: bytes) -> bytes:
    """Return a profile at its stated length. Raises ProfileError."""
    if not profile:
        return b""
    size = int.from_bytes(profile[:4], "big")
    if len(profile) > PROFILE_LIMIT:
        raise ProfileError(f"larger than {PROFILE_LIMIT // 1_000_000} MB")
    if profile[36:40] != b"acsp" or not 132 <= size <= len(profile):
        raise ProfileError("damaged")
    return profile[:size]
