"""Removing and adding the metadata of a picture without decoding it, so that no pixel changes.

A JPEG is divided into segments, a PNG or WebP into chunks. Those that the colour or the place of a pixel depends on are
kept; all others, and anything after the end of the picture, are removed. A damaged structure raises ValueError. See
ISO/IEC 10918-1, the PNG specification (third edition), RFC 9649, ICC.1, Adobe's XMP Specification Part 3 and C2PA 2.1.
Pillow would decode and encode the picture.
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
_WEBP_PROFILE, _WEBP_ALPHA, _WEBP_ANIMATION, _WEBP_METADATA = 0b00100000, 0b00010000, 0b00000010, 0b00001100
"""Bits of VP8X; the last one is for EXIF and XMP."""
_WEBP_XMP = 0b00000100
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_JPEG_IIM = b"Photoshop 3.0\0" + b"8BIM\4\4\0\0"
"""A Photoshop resource without a name, which holds IIM."""
_PNG_XMP = b"XML:com.adobe.xmp\0"
_GIF_XMP = b"\x21\xff\x0bXMP DataXMP"
_GIF_XMP_END = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
"""Wherever a program that does not know the block takes its length from, these bytes lead it to the end."""
XMP_LIMIT = 4_000_000
"""Limit in bytes of a packet that is read."""


class ProfileError(ValueError):
    """The colour profile is damaged or too large."""


class Parts(Struct, frozen=True):
    """A picture, its colour profile and its EXIF data."""

    plain: bytes
    """The picture without metadata and without its colour profile; a GIF is unchanged."""
    profile: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    """All of it, in one piece."""
    credentials: bytes = b""
    """Content Credentials: the C2PA manifest store, as JUMBF boxes."""
    is_bare: bool = False
    """Whether the file has nothing but the picture, its colour profile and the credentials; never true for a GIF."""
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
    return Parts(data, xmp=data.partition(_GIF_XMP)[2].partition(_GIF_XMP_END[:3])[0])


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


def with_metadata(data: bytes, kind: str, size: tuple[int, int], xmp: bytes, iim: bytes = b"") -> bytes:
    """Return a picture with an XMP packet, and a JPEG with IIM data sets; ``data`` must have neither.

    ``size`` is in pixels. A packet must be below 65,000 bytes.
    """
    match kind if xmp else "":
        case "JPEG":
            resource = _JPEG_IIM + len(iim).to_bytes(4, "big") + iim + b"\0" * (len(iim) % 2)
            added = _segment(0xE1, _JPEG_XMP + xmp) + (_segment(0xED, resource) if iim else b"")
            at = _after_jfif(data)
            return data[:at] + added + data[at:]
        case "PNG":
            return data[:33] + _chunk(b"iTXt", _PNG_XMP + b"\0\0\0\0" + xmp) + data[33:]
        case "WEBP":
            return _webp_with_xmp(data, size, xmp)
        case "GIF":
            return b"GIF89a" + data[6:-1] + _GIF_XMP + xmp + _GIF_XMP_END + data[-1:]
    return data


# --- JPEG ------------------------------------------------------------------------------------------------------------


def _jpeg_parts(data: bytes) -> Parts:
    kept, profile, exif, xmp, boxes, beside = [b"\xff\xd8"], {}, b"", b"", {}, 0
    for marker, payload, whole in _jpeg(data):
        if marker == 0xE2 and payload.startswith(_JPEG_PROFILE):
            profile[payload[12]] = payload[14:]
            beside += len(whole)
        elif marker == 0xE1 and payload.startswith(b"Exif\0\0"):
            exif = exif or payload
        elif marker == 0xE1 and payload.startswith(_JPEG_XMP):
            xmp += payload[len(_JPEG_XMP) :]
        elif marker == 0xE1 and payload.startswith(_JPEG_MORE_XMP):
            xmp += payload[len(_JPEG_MORE_XMP) + 40 :]  # after a digest, the whole length and the place in it
        elif marker == 0xEB and payload.startswith(b"JP"):
            boxes[payload[2:8]] = payload
            beside += len(whole)
        elif _jpeg_keeps(marker, payload):
            kept.append(whole)
    plain, whole_profile = b"".join(kept), b"".join(profile[number] for number in sorted(profile))
    checked, credentials = _checked_profile(whole_profile), _credentials(_jpeg_boxes(boxes))
    is_bare = len(plain) + beside == len(data) and checked == whole_profile and bool(credentials or not boxes)
    return Parts(plain, checked, exif, xmp, credentials, is_bare)


def _jpeg_boxes(segments: dict[bytes, bytes]) -> bytes:
    """Return the JUMBF boxes in segments, by the numbers of box and packet; each repeats the head of its box."""
    return b"".join(
        segment[8:] if number[2:] == b"\0\0\0\1" else segment[16:] for number, segment in sorted(segments.items())
    )


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
        _segment(0xE2, _JPEG_PROFILE + bytes([number, len(pieces)]) + piece) for number, piece in enumerate(pieces, 1)
    )
    at = _after_jfif(plain)
    return plain[:at] + b"".join(segments) + plain[at:]


def _after_jfif(data: bytes) -> int:
    """Return where segments may begin: JFIF wants to be the first."""
    return 20 if data[2:4] == b"\xff\xe0" else 2


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(payload) + 2).to_bytes(2, "big") + payload


# --- PNG -------------------------------------------------------------------------------------------------------------


def _png_parts(data: bytes) -> Parts:
    kept, profile, exif, xmp, boxes, animated, beside = [data[:8]], b"", b"", b"", b"", False, 0
    for name, content, whole in _png(data):
        if name in _PNG_KEPT:
            kept.append(whole)
        elif name == b"iCCP":
            profile = _inflated(content.partition(b"\0")[2][1:])
            beside += len(whole)
        elif name == b"eXIf":
            exif = content
        elif name == b"iTXt" and content.startswith(_PNG_XMP):
            xmp += _png_text(content[len(_PNG_XMP) :])
        elif name == b"caBX":
            boxes += content
            beside += len(whole)
        elif name == b"acTL":
            animated = int.from_bytes(content[:4], "big") > 1
    plain, checked, credentials = b"".join(kept), _checked_profile(profile), _credentials(boxes)
    is_bare = len(plain) + beside == len(data) and checked == profile and bool(credentials or not boxes)
    return Parts(plain, checked, exif, xmp, credentials, is_bare, animated)


def _png_text(content: bytes) -> bytes:
    """Return the text of an iTXt chunk from behind its keyword; nothing when it is damaged or far too long."""
    text = content[2:].partition(b"\0")[2].partition(b"\0")[2]
    if content[:1] != b"\1":
        return text
    try:
        return zlib.decompressobj().decompress(text, XMP_LIMIT)
    except zlib.error:
        return b""


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
    profile, exif, xmp, boxes, animated, beside = b"", b"", b"", b"", False, 0
    for name, content in _webp(data):
        if name == b"VP8X" and len(content) == 10:
            animated = bool(content[0] & _WEBP_ANIMATION)
            content = bytes([content[0] & ~(_WEBP_METADATA | _WEBP_PROFILE)]) + content[1:]
        if name in _WEBP_KEPT:
            kept.append((name, content))
        elif name == b"ICCP":
            profile = content
            beside += 8 + len(content) + len(content) % 2
        elif name == b"EXIF":
            exif = content
        elif name == b"XMP ":
            xmp += content
        elif name == b"C2PA":
            boxes += content
            beside += 8 + len(content) + len(content) % 2
        elif name == b"ANMF":
            animated = True
    plain, checked, credentials = _webp_of(kept), _checked_profile(profile), _credentials(boxes)
    is_bare = len(plain) + beside == len(data) and checked == profile and bool(credentials or not boxes)
    return Parts(plain, checked, exif, xmp, credentials, is_bare, animated)


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


def _webp_with_xmp(data: bytes, size: tuple[int, int], xmp: bytes) -> bytes:
    """Add a packet. A simple file gets the head of an extended one, which says what follows."""
    chunks = list(_webp(data))
    name, content = chunks[0]
    if name == b"VP8X":
        chunks[0] = name, bytes([content[0] | _WEBP_XMP]) + content[1:]
    else:
        alpha = _WEBP_ALPHA if name == b"VP8L" and len(content) > 4 and content[4] & 0b00010000 else 0
        edges = b"".join((edge - 1).to_bytes(3, "little") for edge in size)
        chunks.insert(0, (b"VP8X", bytes([_WEBP_XMP | alpha, 0, 0, 0]) + edges))
    return _webp_of([*chunks, (b"XMP ", xmp)])


# --- Content Credentials ---------------------------------------------------------------------------------------------

_TELLING = re.compile(rb"exif|\.metadata|thumbnail|stds\.|gps|brob|c2cm", re.IGNORECASE)
"""In labels of assertions, and in boxes that are compressed."""


def _credentials(boxes: bytes) -> bytes:
    """Return JUMBF boxes if they are a C2PA manifest store; others, such as those of a panorama, are metadata."""
    return boxes if boxes[4:8] == b"jumb" and b"c2pa" in boxes else b""


def is_telling(credentials: bytes) -> bool:
    """Whether credentials may hold what is removed elsewhere: camera, place, the picture before it was cut."""
    return _TELLING.search(credentials) is not None


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
