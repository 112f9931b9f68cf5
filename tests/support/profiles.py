"""Colour profiles (ICC.1) made by hand: for screens, cameras, grey pictures and a printing press."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_D50 = (0.9642, 1.0, 0.8249)
_ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
_PRESS = {
    "": (95, 0, 0), "C": (55, -37, -50), "M": (48, 74, -3), "Y": (89, -5, 93), "CM": (24, 22, -46),
    "CY": (50, -68, 33), "MY": (47, 68, 48), "CMY": (23, 0, 0),
}  # fmt: skip
"""Lab of full inks over each other; with black, all is nearly black."""


def _fixed(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _curve(levels: Sequence[int]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(levels)}H", len(levels), *levels)


def _gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def _screen_curve() -> bytes:
    lights = (step / 1023 for step in range(1024))
    linear = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in lights)
    return _curve([round(65535 * light) for light in linear])


def _described(text: str) -> bytes:
    words = text.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(78)


def _profile(kind: bytes, space: bytes, connected: bytes, tags: dict[bytes, bytes], name: str) -> bytes:
    tags = {b"desc": _described(name), b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(_D50), **tags}
    at = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", at + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), b"none", 0x02400000, kind, space, connected)
    head += struct.pack(">6H4s4s", 2026, 1, 1, 0, 0, 0, b"acsp", b"APPL") + bytes(24)
    return (head + _fixed(*_D50)).ljust(128, b"\0") + table + body


def _matrix(primaries: Sequence[Sequence[float]], curve: bytes, name: str) -> bytes:
    columns = {tag: _xyz(values) for tag, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True)}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(b"mntr", b"RGB ", b"XYZ ", columns | curves, name)


SCREEN = _matrix(_SRGB, _screen_curve(), "screen")
ADOBE = _matrix(_ADOBE, _gamma(2.19921875), "camera")
P3 = _matrix(_P3, _screen_curve(), "telephone")
GREY = _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(1.0)}, "linear grey")


def _press() -> bytes:
    grid = b""
    for corner in range(16):
        inks = "".join(ink for place, ink in enumerate("CMYK") if corner >> (3 - place) & 1)
        lightness, a, b = (5, 0, 0) if "K" in inks else _PRESS[inks]
        grid += bytes([round(lightness * 2.55), a + 128, b + 128])
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp * 4 + grid + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table}, "press")


PRESS = _press()
