"""The pictures of a release: checked before anything is decoded, turned upright, with new metadata and smaller copies.

Accepted are PNG, JPEG, WebP and GIF, by content. The colour profile is kept; EXIF (after its orientation was applied),
XMP, comments and thumbnails are removed. What the release says about a picture is written into it and its copies. A
picture that is upright already keeps its exact pixels: its segments are copied, not encoded again.

Content Credentials (C2PA) sign the bytes of a file. So a file that carries them is published unchanged if there is
nothing in it to remove; otherwise they are lost, with a warning. Copies never have them.

Widths of copies: a column of the page is about 550 pixels wide, a telephone 320, and both may have two or three dots to
the pixel; on paper the column has 125 mm, of which 1,440 pixels are 292 dots per inch.
"""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct
from PIL import Image, ImageOps, UnidentifiedImageError

from pipeline.model.document import Figure, plain
from pipeline.model.formats import MEDIA_TYPES
from pipeline.model.release import AI_EDITED, AI_MADE, Picture, PictureSize, Rights, source_of
from pipeline.reader.files import ADDRESS, NAME, FileError, find_file
from pipeline.reader.report import Report
from pipeline.typography import image_metadata, image_sizes, iptc
from pipeline.typography.messages import bare_credit

PIXEL_LIMIT = 40_000_000
BYTE_LIMIT = 64_000_000
WIDTHS = (480, 960, 1440)
THUMBNAIL = (240, 160)
"""Pixels of the copy for lists, which show it half as large: screens of telephones have two dots to the pixel."""
_THUMBNAIL_QUALITY = 70
SHOWN_LIMIT = 600_000
"""Bytes that a page may load for one picture."""
_LARGER = 1.25
"""A picture must be this many times wider than a copy; a smaller gain is not worth a file."""
_SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",), "GIF": (".gif",)}
_ORIENTATION = 0x0112
_DECODER_ERRORS = (
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
"""Raised by Pillow for data that it cannot read."""
_NOT_A_PICTURE = "not a picture", "use PNG, JPEG, WebP or GIF"
_TOO_MANY_PIXELS = f"more than {PIXEL_LIMIT // 1_000_000} megapixels", "save it smaller"
_ANIMATED = "an animated picture", "save one frame of it; PDF and Word cannot show animation"
_RENAME = "rename one of the files"


class PictureError(FileError):
    """A picture that cannot be used: message and hint."""


class CheckedPicture(Struct, frozen=True):
    """A picture that may be published."""

    picture: Picture
    """Its ``source`` is what the file says; digests are missing until ``published`` has written the metadata."""
    files: dict[str, bytes]
    """By name: the picture itself and its copies."""
    lost: str = ""
    """Why Content Credentials were removed; empty when there were none, or when they are kept."""
    is_signed: bool = False
    """Whether the picture itself has Content Credentials, so that no byte of it may change."""


class StatedRights(Struct, frozen=True):
    """What the front matter says about a picture, and where it says how that was made."""

    rights: Rights = Rights()
    key: str = ""
    """As messages name it: ``image.made_with``."""
    line: int = 0


class ReleasePictures:
    """The pictures of one release, each read once; iterating yields them in the order in which they were added."""

    def __init__(self, folder: Path, slug: str, report: Report) -> None:
        self.folder = folder / slug
        self.slug = slug
        self.report = report
        self._checked: dict[str, CheckedPicture | None] = {}
        self._owners: dict[str, str] = {}
        """Every file name in use, in small letters, and the picture or film that uses it."""
        self._rights: dict[str, tuple[StatedRights, int]] = {}
        """What the front matter says about a picture, and in which line."""

    def __iter__(self) -> Iterator[CheckedPicture]:
        return (checked for checked in self._checked.values() if checked)

    def state(self, named: str, stated: StatedRights, line: int, key: str) -> None:
        """Note what the author says about the picture ``named``, which may be added later."""
        path = self._path(named)
        first, other = self._rights.setdefault(path, (stated, line))
        if first is not stated:
            self.report.fault(line, f"{key}: described twice: {named[:80]}", f"delete this or line {other}")

    def published(self, figures: Iterable[Figure], language: str) -> Iterator[CheckedPicture]:
        """Yield the pictures as they are published, with what the release says about them; report what is wrong.

        Where several figures show one picture, the first that has a caption, a credit or a text alternative states it.
        """
        for path, (_, line) in self._rights.items():
            if path not in self._checked:
                hint = "write the name of a picture that this release shows, or delete the entry"
                self.report.fault(line, f"pictures.file: not shown in this release: {path[:80]}", hint)
        shown: dict[str, list[Figure]] = {}
        for figure in figures:
            shown.setdefault(figure.file, []).append(figure)
        for path, checked in self._checked.items():
            if checked:
                stated = self._rights[path][0] if path in self._rights else StatedRights()
                rights, source = stated.rights, self._source(path, stated, checked.picture.source)
                picture = msgspec.structs.replace(checked.picture, rights=rights, source=source)
                yield _with_metadata(checked, picture, _metadata(picture, shown.get(path, ()), language))

    def _source(self, path: str, stated: StatedRights, incoming: str) -> str:
        """Return the source type of a picture; report a contradiction between the author and the file."""
        source = source_of(stated.rights.made_with, incoming)
        if source is None:
            way = {AI_MADE: "made with AI", AI_EDITED: "edited with AI"}.get(incoming, incoming)
            if incoming in (AI_MADE, AI_EDITED):
                hint = "write made_with: ai, or delete the line"
            elif incoming.startswith("composite"):
                hint = "write made_with: composite, or delete the line"
            else:
                hint = "delete the line"
            self.report.fault(stated.line, f"{stated.key}: camera, but the file says: {way}: {path}", hint)
        return source or ""

    def _path(self, named: str) -> str:
        return named.removeprefix("./").removeprefix(f"{self.slug}/").removeprefix("./")

    def add(self, named: str, line: int, key: str = "picture") -> str:
        """Read the picture that the author calls ``named``; return its ``Picture.file``, empty after a fault."""
        path = self._path(named)
        try:
            self._check_path(path)
            if path not in self._checked:
                self._checked[path] = None
                self.claim(path, [path])
                checked = check_picture(self.folder / path, path, for_lists=len(self._checked) == 1)
                self.claim(path, checked.files)
                self._checked[path] = checked
                if checked.lost:
                    hint = "only a file without EXIF, XMP, comments and previews keeps them; export and sign one"
                    what = f"{key}: its Content Credentials (C2PA) are not published: {checked.lost}: {named[:80]}"
                    self.report.warn(line, what, hint, "lost-credentials")
            return path if self._checked[path] else ""
        except FileError as error:
            message, hint = error.args
            self.report.fault(line, f"{key}: {message}: {named[:80]}", hint)
        return ""

    def _check_path(self, path: str) -> None:
        """Raise ``FileError`` when ``path`` is not a plain file of this release."""
        if ADDRESS.match(path):
            raise PictureError("not a file of this release", f"save the picture into {self.folder}")
        if path.lower().endswith((".svg", ".svgz")):
            raise PictureError("SVG is not accepted", "export the picture as PNG")
        find_file(self.folder, path, self.folder.parent.resolve() / self.slug)

    def claim(self, owner: str, files: Iterable[str]) -> None:
        """Take the names that files of ``owner`` have in the public tree, such as a picture and its copies.

        Many computers do not distinguish capital letters. Raises ``FileError``.
        """
        for file in files:
            other = self._owners.setdefault(file.lower(), owner)
            if other == owner:
                continue
            own, others = (each.rpartition("/")[2] for each in (owner, other))
            if own == others:
                raise FileError(f"another file of this release has the same name, {other}", _RENAME)
            if own.lower() == others.lower():
                raise FileError(f"differs only in capital letters from {other}", _RENAME)
            raise FileError(f"its smaller copy {file} would have the same name as {other}", _RENAME)


def check_picture(file: Path, name: str, *, for_lists: bool = False) -> CheckedPicture:
    """Return the picture in ``file`` as it may be published under ``name``; ``for_lists`` adds a thumbnail.

    Raises ``PictureError``.
    """
    try:
        if file.stat().st_size > BYTE_LIMIT:
            raise PictureError(f"larger than {BYTE_LIMIT // 1_000_000} MB", "save it smaller")
        data = file.read_bytes()
        kind = _kind(data, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _checked(data, image_metadata.parts_of(data, kind), kind, name, for_lists)
    except image_metadata.ProfileError as error:
        hint = "export the picture again with the profile sRGB"
        raise PictureError(f"its colour profile is {error}", hint) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(*_TOO_MANY_PIXELS) from error
    except UnidentifiedImageError as error:
        raise PictureError(*_NOT_A_PICTURE) from error
    except _DECODER_ERRORS as error:
        raise PictureError("truncated or damaged", "export the picture again") from error


def check_poster(file: Path, name: str) -> tuple[Picture, bytes]:
    """Return the picture that stands for a film before somebody plays it, and its bytes without metadata.

    Raises ``PictureError``, also for one that was made or edited with AI: nothing beside it could say so.
    """
    checked = check_picture(file, name)
    if checked.picture.mark:
        what = "made with AI" if checked.picture.source == AI_MADE else "edited with AI"
        hint = "take a frame of the film (make footage does); a poster has no caption that could say so"
        raise PictureError(f"the file says: {what}", hint)
    data = checked.files[name]
    return msgspec.structs.replace(checked.picture, size=len(data), sha256=hashlib.sha256(data).hexdigest()), data


def check_mark(folder: Path, name: str) -> tuple[str, str] | None:
    """Return message and hint when ``name`` is not a PNG in ``folder``."""
    if not NAME.fullmatch(name) or not (folder / name).is_file():
        return f"no such file: {name[:80]}", f"put a PNG into {folder}"
    try:
        media_type = check_picture(folder / name, name).picture.media_type
    except PictureError as error:
        message, hint = error.args
        return message, hint
    return None if media_type == "image/png" else ("not a PNG", "export the mark as PNG")


# ── One picture ─────────────────────────────────────────────────────────────────────────────────────────────────────


class _UprightPicture(Struct, frozen=True):
    """A picture as it is published, before copies of it are made."""

    kind: str
    name: str
    data: bytes
    size: tuple[int, int]
    """Pixels; the decoded image may have fewer."""
    profile: bytes
    source: str


def _kind(data: bytes, name: str) -> str:
    """Return the format of the content; the suffix of the name must be the same."""
    kind = image_metadata.kind_of(data)
    if not kind and b"<svg" in data[:4096]:
        raise PictureError("SVG is not accepted", "export the picture as PNG")
    if not kind and (other := image_metadata.other_kind_of(data)):
        article = "an" if other[0] in "AE" else "a"
        raise PictureError(f"{article} {other} picture", "export it as JPEG, or a drawing as PNG")
    if not kind:
        raise PictureError(*_NOT_A_PICTURE)
    if Path(name).suffix.lower() not in _SUFFIXES[kind]:
        raise PictureError(f"a {kind} with the wrong suffix", f"rename it to {Path(name).stem}{_SUFFIXES[kind][0]}")
    return kind


def _checked(incoming: bytes, parts: image_metadata.Parts, kind: str, name: str, for_lists: bool) -> CheckedPicture:
    if parts.animated:
        raise PictureError(*_ANIMATED)
    with image_sizes.opened(parts.plain) as image:
        size = image.size
        if size[0] * size[1] > PIXEL_LIMIT:
            raise PictureError(*_TOO_MANY_PIXELS)
        if getattr(image, "is_animated", False):
            raise PictureError(*_ANIMATED)
        profile = _profile(parts, image.mode)
        source = iptc.source_type_of(parts.xmp, parts.credentials)
        lost = _why_unsigned(parts, profile)
        orientation = _orientation(parts.exif)
        if orientation != 1:
            image.getexif()[_ORIENTATION] = orientation
            upright = ImageOps.exif_transpose(image)
            data = _encoded(upright, kind, profile, lossless=image_sizes.is_lossless(parts.plain))
            turned = _UprightPicture(kind, name, data, upright.size, profile, source)
            return msgspec.structs.replace(_with_copies(upright, turned, for_lists), lost=lost)
        _draft(image)
        image.load()
        is_signed = bool(parts.credentials) and not lost
        if is_signed:
            data = incoming
        elif kind == "GIF":
            data = _encoded(image, kind, b"")
        else:
            data = image_metadata.with_profile(parts.plain, kind, profile)
        checked = _with_copies(image, _UprightPicture(kind, name, data, size, profile, source), for_lists)
        return msgspec.structs.replace(checked, lost=lost, is_signed=is_signed)


def _why_unsigned(parts: image_metadata.Parts, profile: bytes) -> str:
    """Return why the credentials of a file must go; empty when it has none, or may keep them."""
    if not parts.credentials:
        return ""
    if not parts.is_bare or profile != parts.profile:
        return "the file has other metadata, which is removed"
    return "they hold metadata themselves" if image_metadata.is_telling(parts.credentials) else ""


def _profile(parts: image_metadata.Parts, mode: str) -> bytes:
    """Return the colour profile, or nothing when it is for other colours than the picture has."""
    if not parts.profile:
        return b""
    try:
        return parts.profile if image_sizes.fits(parts.profile, mode) else b""
    except ValueError as error:
        raise image_metadata.ProfileError("damaged") from error


def _orientation(exif: bytes) -> int:
    """Return EXIF's number for how the camera was held; 1 is upright, and assumed where EXIF cannot be read."""
    data = Image.Exif()
    with suppress(*_DECODER_ERRORS):
        data.load(exif)
        orientation = data.get(_ORIENTATION)
        return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1
    return 1


def _encoded(image: Image.Image, kind: str, profile: bytes, *, lossless: bool = False) -> bytes:
    """Return a picture encoded again, with as little loss as its format allows."""
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


# ── Metadata ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _metadata(picture: Picture, figures: Iterable[Figure], language: str) -> iptc.PhotoMetadata:
    """Return what a release says about a picture."""
    figures = tuple(figures)
    return iptc.PhotoMetadata(
        language,
        next(filter(None, (plain(figure.caption) for figure in figures)), ""),
        next((bare_credit(figure.credit) for figure in figures if figure.credit), ""),
        picture.rights.copyright,
        picture.rights.usage,
        picture.rights.rights_page,
        next((figure.alt for figure in figures if figure.alt), ""),
        picture.source_uri,
    )


def _with_metadata(checked: CheckedPicture, picture: Picture, stated: iptc.PhotoMetadata) -> CheckedPicture:
    """Return a picture with metadata in each of its files, and with the sizes and digests of these files."""
    xmp, iim = iptc.xmp_packet(stated), iptc.iim_records(stated)
    files: dict[str, bytes] = {}

    def finished(size: PictureSize) -> PictureSize:
        data = checked.files[size.file]
        if not (checked.is_signed and size.file == picture.file):
            kind = image_metadata.kind_of(data)
            data = image_metadata.with_metadata(data, kind, (size.width, size.height), xmp, iim)
        files[size.file] = data
        return msgspec.structs.replace(size, size=len(data), sha256=hashlib.sha256(data).hexdigest())

    itself = finished(picture.files[0])
    picture = msgspec.structs.replace(
        picture,
        size=itself.size,
        sha256=itself.sha256,
        copies=tuple(map(finished, picture.copies)),
        thumbnail=finished(picture.thumbnail) if picture.thumbnail else None,
    )
    return msgspec.structs.replace(checked, picture=picture, files=files)


# ── Copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _with_copies(image: Image.Image, upright: _UprightPicture, for_lists: bool) -> CheckedPicture:
    picture = Picture(
        upright.name,
        MEDIA_TYPES[_SUFFIXES[upright.kind][0]],
        *upright.size,
        0,
        "",
        shown=_is_shown(image, upright),
        transparent=image_sizes.is_transparent(image),
        source=upright.source,
    )
    copies = dict(_copies(image, upright, picture))
    files = {upright.name: upright.data, **{copy.file: data for copy, data in copies.items()}}
    thumbnail = None
    if for_lists and (cut := _thumbnail(image, upright, picture)):
        thumbnail, files[cut[0].file] = cut
    return CheckedPicture(msgspec.structs.replace(picture, copies=tuple(copies), thumbnail=thumbnail), files)


def _is_shown(image: Image.Image, upright: _UprightPicture) -> bool:
    """Whether pages and documents may show the picture itself."""
    width, height = upright.size
    small = width < _LARGER * WIDTHS[-1] * _stretch(width, height) and len(upright.data) <= SHOWN_LIMIT
    plain = image.mode in ("1", "L", "LA", "P", "RGB", "RGBA")
    return small and plain and (not upright.profile or image_sizes.is_of_screens(upright.profile))


def _draft(image: Image.Image) -> None:
    """Let a JPEG be decoded at half, a quarter or an eighth of its size, if that is enough for the copies."""
    width, height = image.size
    top = 2 * round(WIDTHS[-1] * _stretch(width, height))
    image.draft(image.mode, (top, round(height * top / width)))


def _stretch(width: int, height: int) -> float:
    return Picture("", "", width, height, 0, "").stretch


def _copies(image: Image.Image, upright: _UprightPicture, picture: Picture) -> Iterator[tuple[PictureSize, bytes]]:
    """Yield the copies of a picture, the narrowest first."""
    widths = _copy_widths(picture)
    if not widths:
        return
    profile = b"" if upright.profile and picture.shown else upright.profile
    copy = image_sizes.in_screen_colours(image_sizes.narrowed(image, widths[-1]), profile)
    lossless = upright.kind in ("PNG", "GIF") or image_sizes.is_lossless(upright.data)
    kind, lossless = image_sizes.kind_for(copy, "PNG" if upright.kind == "GIF" else upright.kind, lossless=lossless)
    for width in widths:
        size = image_sizes.narrowed(copy, width)
        data = image_sizes.saved(size, kind, lossless=lossless)
        name = _copy_name(upright, width, kind)
        yield PictureSize(name, *size.size, 0, ""), data


def _thumbnail(image: Image.Image, upright: _UprightPicture, picture: Picture) -> tuple[PictureSize, bytes] | None:
    """Return the middle of a picture, a little above it if it is high; None if it is too small to be cut."""
    wide, high = upright.size
    width = min(THUMBNAIL[0], wide, high * THUMBNAIL[0] // THUMBNAIL[1])
    if width < THUMBNAIL[0] // 2:
        return None
    size = width, width * THUMBNAIL[1] // THUMBNAIL[0]
    profile = b"" if upright.profile and picture.shown else upright.profile
    enough = max(size[0], -(-size[1] * wide // high))
    small = image_sizes.in_screen_colours(image_sizes.narrowed(image, enough), profile)
    if small.mode in ("LA", "RGBA"):  # drawn for paper
        ground = Image.new("RGBA", small.size, "white")
        small = Image.alpha_composite(ground, small.convert("RGBA"))
    cut = ImageOps.fit(small.convert("RGB"), size, centering=(0.5, 0.35))
    data = image_sizes.saved(cut, "WEBP", quality=_THUMBNAIL_QUALITY)
    name = f"{upright.name}.list.webp"
    return PictureSize(name, *size, 0, ""), data


def _copy_widths(picture: Picture) -> list[int]:
    """Return the widths of the copies; where the picture itself cannot be shown, one has its full width."""
    wanted = [round(width * picture.stretch) for width in WIDTHS]
    widths = [width for width in wanted if picture.width >= _LARGER * width]
    top = min(picture.width, wanted[-1])
    return widths if picture.shown or top in widths else [*widths, top]


def _copy_name(upright: _UprightPicture, width: int, kind: str) -> str:
    """Return the name of a copy. In another format it keeps the whole name: ``a.jpg`` may exist beside ``a.png``."""
    path = Path(upright.name)
    if kind == upright.kind:
        return f"{path.stem}.{width}{path.suffix}"
    return f"{path.name}.{width}{_SUFFIXES[kind][0]}"
