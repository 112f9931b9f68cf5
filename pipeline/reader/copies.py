"""Smaller copies of pictures, for pages and for paper: made once, when a release is read.

Which sizes: a column of the page is about 550 pixels wide, a telephone 320, and both may have two or three dots to the
pixel; on paper the column has 125 mm, of which 1,440 pixels are 292 to the inch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from PIL import Image

from pipeline.model.release import Picture, PictureSize
from pipeline.typography import image_sizes as image_sizes

WIDTHS = (480, 960, 1440)
LARGER = 1.25
"""Times that a picture must be as wide as a copy: less is not worth a file."""
LIGHT = 600_000
"""Bytes that a page may load for one picture."""
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp"}


class Print(Struct, frozen=True):
    """A picture as it is given out, of which copies are made."""

    kind: str
    name: str
    data: bytes
    size: tuple[int, int]
    """Pixels; what was decoded may be smaller."""
    profile: bytes


def draft(image: Image.Image) -> None:
    """Let a JPEG be decoded at half, a quarter or an eighth of its size, as far as copies do not feel it."""
    width, height = image.size
    top = 2 * round(WIDTHS[-1] * _stretch(width, height))
    image.draft(image.mode, (top, round(height * top / width)))


def _stretch(width: int, height: int) -> float:
    return Picture("", "", width, height, 0, "").stretch


def is_shown(image: Image.Image, found: Print) -> bool:
    """Whether pages and documents may show the picture itself."""
    width, height = found.size
    small = width < LARGER * WIDTHS[-1] * _stretch(width, height) and len(found.data) <= LIGHT
    plain = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA")
    return small and plain and (not found.profile or image_sizes.is_of_screens(found.profile))


def copies_of(image: Image.Image, found: Print, picture: Picture) -> Iterator[tuple[PictureSize, bytes]]:
    """Yield the copies of a picture, the narrowest first."""
    widths = _widths(picture)
    if not widths:
        return
    profile = b"" if found.profile and picture.shown else found.profile
    copy = image_sizes.in_screen_colours(image_sizes.narrowed(image, widths[-1]), profile)
    lossless = found.kind in ("PNG", "GIF") or image_sizes.is_lossless(found.data)
    kind, lossless = image_sizes.kind_for(copy, "PNG" if found.kind == "GIF" else found.kind, lossless=lossless)
    for width in widths:
        size = image_sizes.narrowed(copy, width)
        data = image_sizes.saved(size, kind, lossless=lossless)
        yield PictureSize(_name(found, width, kind), *size.size, len(data), hashlib.sha256(data).hexdigest()), data


def _widths(picture: Picture) -> list[int]:
    """Return how wide the copies are; where the picture cannot be shown itself, one takes its place."""
    wanted = [round(width * picture.stretch) for width in WIDTHS]
    widths = [width for width in wanted if picture.width >= LARGER * width]
    top = min(picture.width, wanted[-1])
    return widths if picture.shown or top in widths else [*widths, top]


def _name(found: Print, width: int, kind: str) -> str:
    """Return the name of a copy; one of another kind keeps the name of its picture whole, which may have a namesake."""
    path = Path(found.name)
    same = kind == found.kind
    return f"{path.stem}.{width}{path.suffix}" if same else f"{path.name}.{width}{_SUFFIXES[kind]}"
