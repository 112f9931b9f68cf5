"""Pictures for Word: how large they stand on paper, with no more pixels than a printer shows there."""

from __future__ import annotations

import io

from PIL import Image

from pipeline.model.release import Picture
from pipeline.typography import image_sizes

PIXEL = 15
"""Twentieths of a point in a pixel at 96 to the inch: no picture is blown up beyond that."""


TWENTIETHS = 1440
"""Twentieths of a point in an inch."""


def fitted(pixels: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """Return the size, in twentieths of a point, of a picture that may shrink to ``room`` but never grow."""
    natural = (pixels[0] * PIXEL, pixels[1] * PIXEL)
    scale = min(1.0, room[0] / natural[0], room[1] / natural[1])
    return round(natural[0] * scale), round(natural[1] * scale)


def pixels_of(data: bytes) -> tuple[int, int]:
    """Return width and height of a picture."""
    with Image.open(io.BytesIO(data)) as found:
        return found.size


def print_width(picture: Picture, room: tuple[int, int]) -> int:
    """Return how many pixels wide a picture is printed in ``room``."""
    return max(1, round(fitted((picture.width, picture.height), room)[0] / TWENTIETHS * image_sizes.DPI))
