"""Pictures: judged by their bytes before anything is decoded, then given out upright and without metadata.

Formats are PNG, JPEG, WebP and GIF by content. The colour profile is kept; EXIF (the turn of the camera is applied
first), XMP, comments and thumbnails are not. What stands upright and still keeps its very pixels: its segments are
copied, none encoded anew. Of what is larger than a page shows it there are smaller copies too.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.model.formats import MEDIA_TYPES
from pipeline.model.release import Picture
from pipeline.reader.copies import Print, copies_of, draft, is_shown
from pipeline.reader.report import Report
from pipeline.typography import image_metadata as image_metadata
from pipeline.typography import image_sizes as image_sizes

PIXEL_LIMIT = 40_000_000
BYTE_LIMIT = 64_000_000
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",), "GIF": (".gif",)}
_ORIENTATION = 0x0112
_WRONG = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    MemoryError,
    ArithmeticError,
    struct.error,
)
"""What Pillow raises for what it cannot read."""


class _RefusedError(Exception):
    """A picture that cannot be used: message and hint."""


class Finished(Struct, frozen=True):
    """A picture that may go out."""

    picture: Picture
    files: dict[str, bytes]
    """By name: the picture itself and its copies."""


class Gallery:
    """The pictures of one release, each read once."""

    def __init__(self, folder: Path, slug: str, report: Report) -> None:
        self.folder = folder / slug
        self.slug = slug
        self.report = report
        self.finished: dict[str, Finished | None] = {}
        self.names: dict[str, str] = {}
        """Every name that is taken, in small letters, and the picture that took it."""

    def add(self, named: str, line: int, key: str = "picture") -> str:
        """Read the picture that the author calls ``named``; return its ``Picture.file``, empty after a fault."""
        path = named.removeprefix("./").removeprefix(f"{self.slug}/").removeprefix("./")
        try:
            name = self._place(path)
            if name not in self.finished:
                self.finished[name] = None
                self._claim(name, [name])
                found = finish(self.folder / path, name)
                self._claim(name, found.files)
                self.finished[name] = found
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

    def _claim(self, name: str, files: Iterable[str]) -> None:
        """Take the names of a picture and its copies; on half of the world's computers capitals are no difference."""
        for file in files:
            other = self.names.setdefault(file.lower(), name)
            if other == name:
                continue
            if name.lower() == other.lower():
                raise _RefusedError(f"differs only by capitals from {other}", "rename one of the files")
            raise _RefusedError(f"a smaller copy would have the name {file}, as has {other}", "rename one of the files")

    def __iter__(self) -> Iterator[Finished]:
        return (finished for finished in self.finished.values() if finished)


def finish(file: Path, name: str) -> Finished:
    """Return the picture in ``file`` as it may go out under ``name``. Raises ``_RefusedError``."""
    try:
        if file.stat().st_size > BYTE_LIMIT:
            raise _RefusedError(f"larger than {BYTE_LIMIT // 1_000_000} MB", "save it smaller")
        data = file.read_bytes()
        kind = _kind(data, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _finished(image_metadata.parts_of(data, kind), kind, name)
    except image_metadata.ProfileError as error:
        hint = "export the picture again with the profile sRGB"
        raise _RefusedError(f"its colour profile is {error}", hint) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except _WRONG as error:
        raise _RefusedError("truncated or damaged", "export the picture again") from error


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


def _animated() -> _RefusedError:
    return _RefusedError("an animated picture", "save one frame of it: neither paper nor Word moves")


def _kind(data: bytes, name: str) -> str:
    """Return what the file really is; what its name promises must be the same."""
    kind = image_metadata.kind_of(data)
    if not kind:
        svg = b"<svg" in data[:4096]
        hint = "export the picture as PNG" if svg else "use PNG, JPEG, WebP or GIF"
        raise _RefusedError("SVG is not accepted" if svg else "not a picture", hint)
    if Path(name).suffix.lower() not in _SUFFIXES[kind]:
        raise _RefusedError(f"a {kind} with another name", f"rename it to {Path(name).stem}{_SUFFIXES[kind][0]}")
    return kind


def _finished(parts: image_metadata.Parts, kind: str, name: str) -> Finished:
    if parts.animated:
        raise _animated()
    try:
        with image_sizes.opened(parts.plain) as image:
            size = image.size
            if size[0] * size[1] > PIXEL_LIMIT:
                raise _too_many_pixels()
            if getattr(image, "is_animated", False):
                raise _animated()
            profile = _profile(parts, image.mode)
            turn = _turn(parts.exif)
            if turn == 1:
                draft(image)
                image.load()
                data = (
                    image_metadata.with_profile(parts.plain, kind, profile)
                    if kind != "GIF"
                    else _anew(image, kind, b"")
                )
                return _with_copies(image, Print(kind, name, data, size, profile))
            upright = _upright(image, turn)
            data = _anew(upright, kind, profile, lossless=image_sizes.is_lossless(parts.plain))
            return _with_copies(upright, Print(kind, name, data, upright.size, profile))
    except UnidentifiedImageError as error:
        raise _RefusedError("not a picture", "use PNG, JPEG, WebP or GIF") from error


def _profile(parts: image_metadata.Parts, mode: str) -> bytes:
    """Return the colour profile, or nothing when it speaks of other colours than the picture has."""
    if not parts.profile:
        return b""
    try:
        return parts.profile if image_sizes.fits(parts.profile, mode) else b""
    except ValueError as error:
        raise image_metadata.ProfileError("damaged") from error


def _turn(exif: bytes) -> int:
    """Return how the camera was held, by the numbers of EXIF; 1 is upright."""
    found = Image.Exif()
    with suppress(*_WRONG):  # what nobody can read turns nothing
        found.load(exif)
        turn = found.get(_ORIENTATION)
        return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1
    return 1


def _upright(image: Image.Image, turn: int) -> Image.Image:
    image.getexif()[_ORIENTATION] = turn
    return ImageOps.exif_transpose(image)


def _anew(image: Image.Image, kind: str, profile: bytes, *, lossless: bool = False) -> bytes:
    """Return a picture encoded once more, as much like it as its kind allows."""
    image.info = {key: image.info[key] for key in ("transparency",) if key in image.info}
    target = image.convert("P") if kind == "GIF" and image.mode not in ("P", "L") else image
    options: dict[str, object] = {"icc_profile": profile} if profile else {}
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": "4:2:0" if target.mode != "CMYK" else "4:4:4", "optimize": True}
    elif kind == "WEBP":
        options |= {"quality": 92, "lossless": lossless, "exact": True, "method": 4}
    elif kind == "PNG":
        options |= {"optimize": False, "compress_level": 9}
    buffer = io.BytesIO()
    target.save(buffer, kind, **options)
    return buffer.getvalue()


def _with_copies(image: Image.Image, found: Print) -> Finished:
    shown = is_shown(image, found)
    size = len(found.data), hashlib.sha256(found.data).hexdigest()
    picture = Picture(found.name, _media_type(found.kind), *found.size, *size, shown=shown)
    copies = dict(copies_of(image, found, picture))
    files = {found.name: found.data, **{copy.file: data for copy, data in copies.items()}}
    return Finished(msgspec.structs.replace(picture, copies=tuple(copies)), files)
