"""Pictures at other sizes, in the colours of screens (sRGB): for pages, for paper and for Word.

What comes out has no metadata and no colour profile: without one, everybody takes a picture for sRGB. The same picture
gives the same bytes. Nothing is ever blown up.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from PIL import Image, ImageCms, ImageFile, UnidentifiedImageError

QUALITY = 85
"""Of JPEG and WebP copies for the screen."""
PAPER_QUALITY = 90
DPI = 300
"""Dots to the inch that paper shows; more of them only make a file larger."""
_SPARE = 1.1
"""A picture that has not more pixels than this beyond what is wanted is taken as it is."""
_DEEP = ("I", "I;16", "I;16B", "I;16L")
_PHOTOGRAPH = 3
"""Times that a picture is smaller as JPEG than as PNG when it was taken and not drawn."""
_JUDGED = 480
"""Pixels in the width of the small copy by which that is seen."""
_NEAR = 3
"""Levels of 255 that a colour may be off in a profile that is sRGB by another name."""


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """Open a picture; one that is cut off is an error, whatever other libraries have set."""
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with Image.open(io.BytesIO(data)) as image:
            yield image
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


# --- Colours ---------------------------------------------------------------------------------------------------------


def fits(profile: bytes, mode: str) -> bool:
    """Whether a colour profile speaks of the colours that a picture of this ``mode`` has.

    Raises ValueError for one that cannot be used. One that does not fit is ignored everywhere.
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
    """Whether a profile that fits means no more than none would, and so needs no other colours."""
    if profile[16:20] == b"CMYK":
        return False
    if profile[16:20] == b"GRAY":
        colours = Image.frombytes("L", (256, 1), bytes(range(256)))
    else:
        steps = range(0, 256, 51)
        samples = bytes(level for red in steps for green in steps for blue in steps for level in (red, green, blue))
        colours = Image.frombytes("RGB", (len(samples) // 3, 1), samples)
    meant = ImageCms.applyTransform(colours, _transform(profile, colours.mode))
    if meant is None:
        return False
    pairs = zip(colours.convert("RGB").tobytes(), meant.tobytes(), strict=True)
    return all(abs(ours - theirs) <= _NEAR for ours, theirs in pairs)


def in_screen_colours(image: Image.Image, profile: bytes = b"") -> Image.Image:
    """Return a picture in 8 bits of grey or RGB, its alpha kept; ``profile`` says what its colours meant before."""
    image = _of_samples(image)
    if image.mode in _DEEP:
        levels = image.convert("I").point(lambda level: level * (1 / 257))
        image = levels.convert("L")
    if not profile:
        return image.convert("RGB") if image.mode == "CMYK" else image
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    base = image.convert(image.mode[:-1]) if alpha else image
    found = ImageCms.applyTransform(base, _transform(profile, base.mode))
    if found is None:
        raise ValueError("a colour profile that cannot be used")
    found.info = {}
    if base.mode == "L":
        found = found.convert("L")
    if alpha:
        found.putalpha(alpha)
    return found


def _of_samples(image: Image.Image) -> Image.Image:
    """Return a picture whose pixels are levels of colours, not numbers of them."""
    if "transparency" in image.info and image.mode not in _DEEP:
        return image.convert("LA" if image.mode in ("1", "L") else "RGBA")
    if image.mode in ("P", "PA"):
        return image.convert("RGBA" if image.mode == "PA" else "RGB")
    return image.convert("L") if image.mode == "1" else image


# --- Sizes -----------------------------------------------------------------------------------------------------------


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """Return a picture not wider than ``width`` pixels."""
    if image.width <= width:
        return image
    if image.mode.startswith("I;"):
        image = image.convert("I")
    height = max(1, round(image.height * width / image.width))
    return _of_samples(image).resize((width, height), Image.Resampling.LANCZOS)


# --- Files -----------------------------------------------------------------------------------------------------------


def is_lossless(data: bytes) -> bool:
    """Whether a WebP keeps every pixel."""
    return b"VP8L" in data and b"VP8 " not in data


def kind_for(image: Image.Image, kind: str, *, lossless: bool) -> tuple[str, bool]:
    """Return the kind of file that a copy of a picture in screen colours is, and whether it keeps every pixel.

    It is the kind of the original, but a photograph that came as PNG becomes JPEG: it would be several times as large.
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
    """Return a picture as a file, without any metadata."""
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
    """Return a picture for a document, as PNG, JPEG or GIF, with as many pixels as ``width`` asks for; and its kind.

    Colours become those of screens, in 8 bits. What is no picture comes back as it is, of no kind.
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
    made = "PNG" if lossless else "JPEG"
    found = saved(copy, made, quality=PAPER_QUALITY)
    return (data, kind) if shown and kind == made and len(found) >= len(data) else (found, made)
