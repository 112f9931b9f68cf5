"""Pictures: judged by their header before anything is decoded, then given out upright and without metadata.

Formats are PNG, JPEG, WebP and GIF by content. Of an animation only the first frame is given out: neither paper nor a
text document moves. The colour profile is kept; EXIF (the turn of the camera is applied first), XMP, comments and
thumbnails are not. What stands upright and still keeps its very pixels: its segments are copied, none encoded anew.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.formats import MEDIA_TYPES
from pipeline.reader.report import Report
from pipeline.reader.segments import strip
from pipeline.release import Picture

PIXEL_LIMIT = 40_000_000
BYTE_LIMIT = 64_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",), "GIF": (".gif",)}
_UPRIGHT = (None, 1)
_ORIENTATION = 0x0112


class _RefusedError(Exception):
    """A picture that cannot be used: message and hint."""


class Finished(Struct, frozen=True):
    """A picture that may go out."""

    picture: Picture
    data: bytes


class Gallery:
    """The pictures of one release, each read once."""

    def __init__(self, folder: Path, slug: str, report: Report) -> None:
        self.folder = folder / slug
        self.slug = slug
        self.report = report
        self.finished: dict[str, Finished | None] = {}

    def add(self, named: str, line: int, key: str = "picture") -> str:
        """Read the picture that the author calls ``named``; return its ``Picture.file``, empty after a fault."""
        path = named.removeprefix("./").removeprefix(f"{self.slug}/").removeprefix("./")
        try:
            name = self._place(path)
            if name not in self.finished:
                self.finished[name] = None
                self._claim(name)
                self.finished[name] = finish(self.folder / path, name)
            return name if self.finished[name] else ""
        except _RefusedError as refused:
            message, hint = refused.args
            self.report.fault(line, f"{key}: {message}: {named[:80]}", hint)
        return ""

    def _place(self, path: str) -> str:
        """Return the public name of the file at ``path``. Raises when it is not a plain file of this release."""
        if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", path):
            raise _RefusedError("not a file of this release", f"save the picture into {self.folder}")
        if not _NAME.fullmatch(path) or len(path) > 100:
            hint = f"put it into {self.folder}; use letters, digits, full stop, hyphen and underscore"
            raise _RefusedError("not a plain file name", hint)
        if path.lower().endswith((".svg", ".svgz")):
            raise _RefusedError("SVG is not accepted", "export the picture as PNG")
        file = self.folder / path
        try:
            there = file.resolve().is_relative_to(self.folder.parent.resolve() / self.slug) and file.is_file()
            exact = there and path in (found.name for found in self.folder.iterdir())
        except (OSError, RuntimeError):
            there = exact = False
        if not there:
            outside = file.exists()
            raise _RefusedError("outside the folder" if outside else "no such file", f"put it into {self.folder}")
        if not exact:
            raise _RefusedError("no such file, but for capitals", "write the name as the file has it")
        return path

    def _claim(self, name: str) -> None:
        for other in self.finished:
            if other != name and other.lower() == name.lower():
                raise _RefusedError(f"differs only by capitals from {other}", "rename one of the files")

    def __iter__(self) -> Iterator[Finished]:
        return (finished for finished in self.finished.values() if finished)


def finish(file: Path, name: str) -> Finished:
    """Return the picture in ``file`` as it may go out under ``name``. Raises ``_RefusedError``."""
    try:
        if file.stat().st_size > BYTE_LIMIT:
            raise _RefusedError(f"larger than {BYTE_LIMIT // 1_000_000} MB", "save it smaller")
        data = file.read_bytes()
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            cleaned, kind, (width, height) = _clean(data, name)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, MemoryError, ArithmeticError) as error:
        raise _RefusedError("truncated or damaged", "export the picture again") from error
    digest = hashlib.sha256(cleaned).hexdigest()
    return Finished(Picture(name, _media_type(kind), width, height, len(cleaned), digest), cleaned)


def check_mark(folder: Path, name: str) -> tuple[str, str] | None:
    """Return message and hint when ``name`` is not a PNG in ``folder``."""
    if not _NAME.fullmatch(name) or not (folder / name).is_file():
        return f"no such file: {name[:80]}", f"put a PNG into {folder}"
    try:
        kind = finish(folder / name, name).picture.media_type
    except _RefusedError as refused:
        message, hint = refused.args
        return message, hint
    return None if kind == "image/png" else ("not a PNG", "export the mark as PNG")


def _media_type(kind: str) -> str:
    return MEDIA_TYPES[_SUFFIXES[kind][0]]


def _too_many_pixels() -> _RefusedError:
    return _RefusedError(f"more than {PIXEL_LIMIT // 1_000_000} megapixels", "save it smaller")


def _clean(data: bytes, name: str) -> tuple[bytes, str, tuple[int, int]]:
    """Return clean bytes, format and size."""
    try:
        image = Image.open(io.BytesIO(data), formats=tuple(_SUFFIXES))
    except UnidentifiedImageError as error:
        svg = b"<svg" in data[:4096]
        hint = "export the picture as PNG" if svg else "use PNG, JPEG, WebP or GIF"
        raise _RefusedError("SVG is not accepted" if svg else "not a picture", hint) from error
    with image:
        kind = image.format or ""
        if image.width * image.height > PIXEL_LIMIT:
            raise _too_many_pixels()
        if Path(name).suffix.lower() not in _SUFFIXES[kind]:
            right = _SUFFIXES[kind][0]
            raise _RefusedError(f"a {kind} with another name", f"rename it to {Path(name).stem}{right}")
        image.load()
        turned = image.getexif().get(_ORIENTATION) not in _UPRIGHT
        stripped = None if turned else strip(data, kind)
        if stripped is not None:
            return stripped, kind, image.size
        upright = ImageOps.exif_transpose(image) if turned else image
        return _encode(upright, image, kind, lossless=b"VP8L" in data and b"VP8 " not in data), kind, upright.size


def _encode(upright: Image.Image, source: Image.Image, kind: str, *, lossless: bool) -> bytes:
    profile = source.info.get("icc_profile")
    target = upright.copy()
    target.info = {key: upright.info[key] for key in ("transparency",) if key in upright.info}
    if kind == "GIF" and target.mode not in ("P", "L"):
        target = target.convert("P")
    options: dict[str, object] = {"icc_profile": profile} if profile and kind != "GIF" else {}
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": "4:2:0" if target.mode != "CMYK" else "4:4:4", "optimize": True}
    elif kind == "WEBP":
        options |= {"quality": 92, "lossless": lossless, "exact": True, "method": 4}
    elif kind == "PNG":
        options |= {"optimize": False, "compress_level": 9}
    buffer = io.BytesIO()
    target.save(buffer, kind, **options)
    return buffer.getvalue()
