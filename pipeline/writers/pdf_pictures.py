"""Pictures as paper takes them: an archival file says once which colours it speaks of, and that is sRGB."""

from __future__ import annotations

import io

from PIL import Image, ImageCms, UnidentifiedImageError

_DEEP = ("I", "I;16", "I;16B", "I;16L")
_QUALITY = 95


def for_paper(data: bytes) -> bytes:
    """Return a picture in colours of print (CMYK) or of 16 bits in sRGB or grey of 8; any other as it is."""
    try:
        image = Image.open(io.BytesIO(data))
    except UnidentifiedImageError:
        return data  # the rendering says what is wrong with it
    with image:
        if image.mode == "CMYK":
            return _saved(_screen_colours(image), "JPEG", quality=_QUALITY, subsampling="4:4:4")
        if image.mode in _DEEP:
            return _saved(image.convert("I").point(lambda level: level * (1 / 257)).convert("L"), "PNG")
    return data


def _screen_colours(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            found = None
        if found is not None:
            return found
    return image.convert("RGB")


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    image.info = {}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
