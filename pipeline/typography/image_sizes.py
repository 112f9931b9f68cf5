"""Copies of pictures in other sizes and in screen colours (sRGB), for pages, PDF and Word.

A copy has no metadata and no colour profile: programs read a picture without a profile as sRGB. The same picture gives
the same bytes. Pictures are never enlarged.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

QUALITY = 85
"""Quality of JPEG and WebP copies for pages."""
PAPER_QUALITY = 90
"""Quality of JPEG copies for print."""
DPI = 300
"""Dots per inch in print. More would only make the file larger."""
_SPARE = 1.1
"""A picture at most this many times wider than needed is used as it is."""
_DEEP = ("I", "I;16", "I;16B", "I;16L")
_PHOTOGRAPH = 3
"""A picture is a photograph, not a drawing, if its PNG is more than this many times larger than its JPEG."""
_JUDGED = 480
"""Width in pixels of the small copy with which this is decided."""
_NEAR = 3
"""Difference, of 255 levels, up to which a colour profile counts as sRGB."""


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """Open a picture. A truncated file is an error, whatever other libraries have set."""
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(data)) as image:
            yield image
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


# --- Colours ---------------------------------------------------------------------------------------------------------


def fits(profile: bytes, mode: str) -> bool:
    """Whether a colour profile is for pictures of this ``mode``. A profile that does not fit is ignored.

    Raises ValueError for a profile that cannot be used.
    """
    spaces = {"RGB ": ("RGB", "RGBA", "P"), "GRAY": ("1", "L", "LA", *_DEEP), "CMYK": ("CMYK",)}
    space = profile[16:20].decode("latin-1")
    if mode not in spaces.get(space, ()):
        return False
    try:
        _transform(profile, "L" if space == "GRAY" else space.strip())
    except (ImageCms.PyCMSError, OSError) as error:
        raise ValueError("a colour profile that cannot be used") from error
    return True


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.buildTransform(
        source, ImageCms.createProfile("sRGB"), mode, "RGB", flags=ImageCms.Flags.BLACKPOINTCOMPENSATION
    )


@lru_cache(maxsize=8)
def is_of_screens(profile: bytes) -> bool:
    """Whether a profile that fits is sRGB, so that a picture looks the same without it."""
    if profile[16:20] == b"CMYK":
        return False
    if profile[16:20] == b"GRAY":
        colours = Image.frombytes("L", (256, 1), bytes(range(256)))
    else:
        steps = range(0, 256, 51)
        samples = bytes(level for red in steps for green in steps for blue in steps for level in (red, green, blue))
        colours = Image.frombytes("RGB", (len(samples) // 3, 1), samples)
    converted = ImageCms.applyTransform(colours, _transform(profile, colours.mode))
    if converted is None:
        return False
    pairs = zip(colours.convert("RGB").tobytes(), converted.tobytes(), strict=True)
    return all(abs(before - after) <= _NEAR for before, after in pairs)


def in_screen_colours(image: Image.Image, profile: bytes = b"") -> Image.Image:
    """Convert a picture to 8 bits of grey or RGB, with its alpha channel; ``profile`` is its colour profile."""
    image = _without_palette(image)
    if image.mode in _DEEP:
        levels = image.convert("I").point(lambda level: level * (1 / 257))
        image = levels.convert("L")
    if not profile:
        return image.convert("RGB") if image.mode == "CMYK" else image
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image.convert(image.mode[:-1]) if alpha else image
    converted = ImageCms.applyTransform(base, _transform(profile, base.mode))
    if converted is None:
        raise ValueError("a colour profile that cannot be used")
    converted.info = {}
    if base.mode == "L":
        converted = converted.convert("L")
    if alpha:
        converted.putalpha(alpha)
    return converted


def _without_palette(image: Image.Image) -> Image.Image:
    """Convert a picture with a palette or two colours to levels of colour."""
    if "transparency" in image.info and image.mode not in _DEEP:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" else "RGB")
    return image.convert("L") if image.mode == "1" else image


def unpaletted(data: bytes) -> bytes:
    """Return a PNG with a palette as one with levels of colour, any other as it is."""
    with opened(data) as image:
        return saved(_without_palette(image), "PNG") if image.mode in ("1", "P", "PA") else data


def is_transparent(image: Image.Image) -> bool:
    """Whether any pixel lets through what lies below the picture."""
    if image.mode not in ("LA", "PA", "RGBA") and "transparency" not in image.info:
        return False
    # Of 16-bit grey, one level may be transparent; Pillow cannot say whether a pixel has it.
    return image.mode in _DEEP or image.convert("RGBA").getchannel("A").getextrema()[0] != 255


# --- Sizes -----------------------------------------------------------------------------------------------------------


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """Return the picture at most ``width`` pixels wide."""
    if image.width <= width:
        return image
    if image.mode.startswith("I;"):
        image = image.convert("I")
    height = max(1, round(image.height * width / image.width))
    return _without_palette(image).resize((width, height), Image.Resampling.LANCZOS)


# --- Files -----------------------------------------------------------------------------------------------------------


def is_lossless(data: bytes) -> bool:
    """Whether a WebP is lossless."""
    return b"VP8L" in data and b"VP8 " not in data


def kind_for(image: Image.Image, kind: str, *, lossless: bool) -> tuple[str, bool]:
    """Return the file type for a copy of a picture in screen colours, and whether it is lossless.

    It is the type of the original, except that a photograph in PNG becomes JPEG, which is several times smaller.
    """
    if kind == "JPEG" or not lossless:
        return kind, False
    lossless_kind = "WEBP" if kind == "WEBP" else "PNG"
    lossy_kind = "WEBP" if kind == "WEBP" else "JPEG"
    if image.mode in ("LA", "RGBA") and lossy_kind == "JPEG":
        return lossless_kind, True
    small = narrowed(image, _JUDGED)
    drawn = len(saved(small, lossless_kind, lossless=True)) <= _PHOTOGRAPH * len(saved(small, lossy_kind))
    return (lossless_kind, True) if drawn else (lossy_kind, False)


def saved(image: Image.Image, kind: str, *, lossless: bool = False, quality: int = QUALITY) -> bytes:
    """Encode a picture as a file without metadata."""
    bare = image.copy()
    bare.info = {}
    options: dict[str, object] = {}
    if kind == "JPEG":
        options = {"quality": quality, "optimize": True, "progressive": True}
    elif kind == "WEBP":
        options = {"quality": quality, "lossless": lossless, "method": 4, "exact": lossless}
    elif kind == "PNG":
        options = {"compress_level": 6}
    buffer = io.BytesIO()
    bare.save(buffer, kind, **options)
    return buffer.getvalue()


def for_paper(data: bytes, width: int = sys.maxsize) -> tuple[bytes, str]:
    """Return a picture for print, at most about ``width`` pixels wide, and its file type: PNG, JPEG or GIF.

    The copy has 8 bits and screen colours. Data that is no picture is returned as it is, with an empty type.
    """
    try:
        with opened(data) as image:
            kind = image.format or ""
            profile = image.info.get("icc_profile") or b""
            known = profile if len(profile) > 132 and fits(profile, image.mode) else b""
            shown = image.mode not in ("CMYK", *_DEEP) and (not known or is_of_screens(known))
            if shown and kind in ("PNG", "JPEG", "GIF") and image.width <= width * _SPARE:
                return data, kind
            lossless = kind in ("PNG", "GIF") or image.mode in ("LA", "RGBA") or is_lossless(data)
            copy = in_screen_colours(narrowed(image, width), b"" if shown else known)
    except (UnidentifiedImageError, ValueError):
        return data, ""
    new_kind = "PNG" if lossless else "JPEG"
    new_data = saved(copy, new_kind, quality=PAPER_QUALITY)
    return (data, kind) if shown and kind == new_kind and len(new_data) >= len(data) else (new_data, new_kind)
