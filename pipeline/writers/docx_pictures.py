"""Pictures for Word: how large they stand on paper, and PNG for what an older Word cannot show."""

from __future__ import annotations

import io

from PIL import Image

PIXEL = 15
"""Twentieths of a point in a pixel at 96 to the inch: no picture is blown up beyond that."""


def fitted(pixels: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size, in twentieths of a point, of a picture that may shrink to ``room`` but never grow."""
    natural = (pixels[0] * PIXEL, pixels[1] * PIXEL)
    scale = min(1.0, room[0] / natural[0], room[1] / natural[1])
    return round(natural[0] * scale), round(natural[1] * scale)


def pixels_of(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture."""
    with Image.open(io.BytesIO(data)) as found:
        return found.size


def as_png(data: bytes) -> bytes:
    """Return a picture of any kind as PNG."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(data)) as found:
        found.save(buffer, "PNG")
    return buffer.getvalue()
