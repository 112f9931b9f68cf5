"""Content Credentials as a file carries them: the smallest JUMBF box that is one. No signature in it is valid."""

from __future__ import annotations

import zlib


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def store(*assertions: tuple[str, bytes]) -> bytes:
    """Return a manifest store with one manifest of these assertions, each a label and its CBOR."""
    described = (
        box(b"jumb", box(b"jumd", bytes(16) + b"\3" + label.encode() + b"\0") + box(b"cbor", content))
        for label, content in assertions
    )
    manifest = box(b"jumb", box(b"jumd", bytes(16) + b"\3urn:c2pa:1\0") + b"".join(described))
    return box(b"jumb", box(b"jumd", b"c2pa" + bytes(12) + b"\3c2pa\0") + manifest)


_TYPE = b"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_ACTION = b"\x71digitalSourceType\x78" + bytes([len(_TYPE)]) + _TYPE + b"\x6dsoftwareAgent\x65Model"
DRAWN = store(("c2pa.actions.v2", _ACTION))
"""Of a picture that a model made."""
TELLING = store(("stds.exif", b"SECRET place"))
"""Of a picture whose camera has signed where it was."""


def signed(data: bytes, kind: str, boxes: bytes, at_once: int = 60_000) -> bytes:
    """Return a picture with boxes, in a JPEG ``at_once`` bytes of them in a segment."""
    if kind == "PNG":
        chunk = len(boxes).to_bytes(4, "big") + b"caBX" + boxes + zlib.crc32(b"caBX" + boxes).to_bytes(4, "big")
        return data[:33] + chunk + data[33:]
    if kind == "WEBP":
        body = data[8:] + b"C2PA" + len(boxes).to_bytes(4, "little") + boxes + b"\0" * (len(boxes) % 2)
        return b"RIFF" + len(body).to_bytes(4, "little") + body
    pieces = [boxes[at : at + at_once] for at in range(0, len(boxes), at_once)]
    segments = b""
    for number, piece in enumerate(pieces, 1):
        payload = b"JP\0\1" + number.to_bytes(4, "big") + (boxes[:8] if number > 1 else b"") + piece
        segments += b"\xff\xeb" + (len(payload) + 2).to_bytes(2, "big") + payload
    return data[:20] + segments + data[20:]
