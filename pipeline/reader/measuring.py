"""What video and audio files are: container by content, digest, and what PyAV or Debian's ffprobe measures of them.

Files are read in pieces: none is ever whole in memory. What a file is, and whether its end is there, is read from its
own structure, so that a text called ``.mp4`` is refused on every machine. The rest is measured where the optional group
``footage`` (PyAV, with FFmpeg's libraries) or ``ffprobe`` is installed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import msgspec

from pipeline.model.footage import AudioTrack, Film, Measured
from pipeline.reader.files import FileError

if TYPE_CHECKING:
    from fractions import Fraction

SECONDS = 60
"""After which a file that is being measured counts as damaged, or its storage as down."""
RECENT = 2_000_000_000
"""Nanoseconds. A file that was changed within them may change once more without another time: it is read again."""
_HEAD = 65_536
"""Bytes: MXF may have as many before its first partition."""
_FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    "MP4": ("mov", (".mp4", ".m4v", ".m4a")),
    "QuickTime": ("mov", (".mov",)),
    "MXF": ("mxf", (".mxf",)),
    "Matroska": ("matroska", (".mkv",)),
    "WebM": ("matroska", (".webm",)),
    "MPEG-PS": ("mpeg", (".mpg",)),
    "MPEG-TS": ("mpegts", (".ts",)),
    "AVI": ("avi", (".avi",)),
    "WAV": ("wav", (".wav",)),
    "MP3": ("mp3", (".mp3",)),
    "AAC": ("aac", (".aac",)),
    "FLAC": ("flac", (".flac",)),
}
"""Containers: FFmpeg's name, which it is told, because it would follow addresses in a text; and their suffixes."""
_CODECS = {
    **{"h264": "H.264", "hevc": "H.265", "mpeg1video": "MPEG-1", "mpeg2video": "MPEG-2", "mpeg4": "MPEG-4"},
    **{"prores": "ProRes", "dnxhd": "DNxHD", "dvvideo": "DV", "mjpeg": "Motion JPEG", "jpeg2000": "JPEG 2000"},
    **{"cfhd": "CineForm", "rawvideo": "uncompressed", "v210": "uncompressed", "r210": "uncompressed"},
    **{"opus": "Opus", "vorbis": "Vorbis", "mp2": "MPEG Layer II", "ac3": "AC-3", "eac3": "E-AC-3"},
}
_PRORES = {
    "Proxy": " 422 Proxy",
    "LT": " 422 LT",
    "Standard": " 422",
    "HQ": " 422 HQ",
    "4444": " 4444",
    "XQ": " 4444 XQ",
}
_OF_STUDIOS = re.compile(r" 10|4:[24]")
"""Profiles of H.264 that cameras and editing programs have, and browsers do not."""
_PLACES = re.compile(r"location|gps|xyz", re.IGNORECASE)
_COORDINATES = re.compile(r"[+-]\d")
_TRACKS_OF_PLACES = ("GoPro MET",)
_MXF_KEY = bytes.fromhex("060e2b34020501010d01020101")
_LAYOUTS = {"moov", "mdat", "wide", "free", "skip", "pnot"}
"""Boxes with which QuickTime files of old begin."""
_UNSIZED = 0xFFFFFFFF

Scan = Literal["", "progressive", "interlaced"]


class FilmError(FileError):
    """A video or audio file that cannot be used: message and hint."""


def look_at(file: Path, source: str, films: MutableMapping[str, Film]) -> Film:
    """Return what is known of a local file, called ``source`` in ``films``, where it is kept.

    It is only read again when its size, times or inode have changed. Raises ``FilmError`` and ``OSError``.
    """
    container = container_of(file)
    known = _known(file, source, films)
    if known is None or (known.measured is None and measures_with()):
        measured = _measured(file, container)
        known = Film(file.stat().st_size, digest_of(file, source, films), "", measured)
        etag = _identity(file)
        if kept := films.get(source):
            films[source] = Film(kept.size, kept.sha256, etag, measured)
    return known


def digest_of(file: Path, source: str, films: MutableMapping[str, Film]) -> str:
    """Return the SHA-256 of a local file, as hexadecimal digits, from ``films`` if it is still the same file there."""
    if known := _known(file, source, films):
        return known.sha256
    began, identity = time.time_ns(), _identity(file)
    with file.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    found = file.stat()
    if identity == _identity(file) and max(found.st_mtime_ns, found.st_ctime_ns) < began - RECENT:
        films[source] = Film(found.st_size, sha256, identity)
    return sha256


def _known(file: Path, source: str, films: Mapping[str, Film]) -> Film | None:
    known = films.get(source)
    return known if known and known.etag == _identity(file) else None


def _identity(file: Path) -> str:
    found = file.stat()
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


# ── Containers ──────────────────────────────────────────────────────────────────────────────────────────────────────


def container_of(file: Path) -> str:
    """Return the name of the container that a file is by its content. Raises ``FilmError`` when it is none of those
    that are accepted, when the suffix is another one's, or when the end of the file is missing.
    """
    with file.open("rb") as opened:
        size = file.stat().st_size
        head = opened.read(_HEAD)
        container = _container(head, opened)
        if not container:
            what = "an empty file" if not size else "a text" if _is_text(head) else "no video or audio file"
            known = ", ".join(suffix[1:].upper() for _, suffixes in _FORMATS.values() for suffix in suffixes)
            raise FilmError(what, f"export it as one of these: {known}")
        check_suffix(file.name, container)
        if _is_cut(opened, container, size):
            raise FilmError("its end is missing", "copy or export the file again; wait until that is complete")
    return container


def _is_text(head: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        return "\0" not in head[:-4].decode()
    return False


def _container(head: bytes, opened: IO[bytes]) -> str:
    box = head[4:8].decode("latin-1")
    if box == "ftyp":
        brand = head[8:12]
        return (
            "QuickTime" if brand == b"qt  " else "" if brand[:3] in (b"hei", b"hev", b"avi", b"mif", b"msf") else "MP4"
        )
    if box in _LAYOUTS:
        return "QuickTime"
    if _MXF_KEY in head:
        return "MXF"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "WebM" if b"webm" in head[:64] else "Matroska"
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return {b"WAVE": "WAV", b"AVI ": "AVI"}.get(head[8:12], "")
    if head.startswith(b"\0\0\x01\xba"):
        return "MPEG-PS"
    if len(head) > 576 and any(all(head[at + step * n] == 0x47 for n in range(3)) for at, step in ((0, 188), (4, 192))):
        return "MPEG-TS"
    return _sound_container(head, opened)


def _sound_container(head: bytes, opened: IO[bytes]) -> str:
    if head.startswith(b"ID3") and len(head) > 10:  # a tag with the title, and perhaps a picture
        size = sum((byte & 127) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
        opened.seek(10 + size)
        head = opened.read(4)
    if head.startswith(b"fLaC"):
        return "FLAC"
    if len(head) > 3 and head[0] == 0xFF:
        if head[1] & 0xF6 == 0xF0:
            return "AAC"
        if head[1] & 0xE6 == 0xE2 and head[2] >> 4 != 15 and head[2] & 12 != 12:
            return "MP3"
    return ""


def _is_cut(opened: IO[bytes], container: str, size: int) -> bool:
    """Whether the file ends before its own structure does; streams (MPEG, AAC, MP3) may end anywhere."""
    match container:
        case "MP4" | "QuickTime":
            names = []
            for name, end in _boxes(opened, size):
                names.append(name)
                if end > size:
                    return True
            return b"moov" not in names
        case "WAV" | "AVI":
            opened.seek(0)
            head = opened.read(48)
            stated = int.from_bytes(head[4:8], "little")
            if head[:4] != b"RIFF":  # its size is in a part of its own
                stated = int.from_bytes(head[20:28], "little")
            return stated not in (0, _UNSIZED) and stated + 8 > size + 1
        case "Matroska" | "WebM":
            return _segment_end(opened) > size
        case "MXF":
            opened.seek(0)
            head = opened.read(_HEAD)
            at = head.index(_MXF_KEY) + 16
            at += 1 + (head[at] & 127 if head[at] & 128 else 0)
            return int.from_bytes(head[at + 24 : at + 32], "big") >= size
    return False


def _boxes(opened: IO[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the boxes of MP4 and QuickTime at the top level, and where each ends."""
    at = 0
    while at + 8 <= size:
        opened.seek(at)
        head = opened.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - at
        if length < 8:
            return
        at += length
        yield name, at


def _segment_end(opened: IO[bytes]) -> int:
    """Return where the one segment of a Matroska file ends; 0 when it does not say."""
    opened.seek(0)
    head = opened.read(_HEAD)
    size, at = _matroska_number(head, 4)
    at += size or 0
    if head[at : at + 4] != b"\x18\x53\x80\x67":
        return 0
    size, start = _matroska_number(head, at + 4)
    return 0 if size is None else start + size


def _matroska_number(head: bytes, at: int) -> tuple[int | None, int]:
    """Return a number of variable length, None if unknown, and where it ends."""
    first = head[at] if at < len(head) else 0
    length = 9 - first.bit_length()
    value = int.from_bytes(head[at : at + length], "big") & ((1 << 7 * length) - 1)
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def check_suffix(name: str, container: str) -> None:
    """Raise ``FilmError`` when the suffix of a name is that of another container."""
    suffixes = _FORMATS[container][1]
    if not name.lower().endswith(suffixes):
        proper = Path(name).with_suffix(suffixes[0]).name
        raise FilmError(f"{container} with the wrong suffix", f"rename it to {proper}")


def format_of(container: str) -> str:
    """Return FFmpeg's name of a container."""
    return _FORMATS[container][0]


# ── Measuring ───────────────────────────────────────────────────────────────────────────────────────────────────────


@cache
def measures_with() -> str:
    """Return what measures here: ``av``, ``ffprobe``, or nothing."""
    if find_spec("av"):
        return "av"
    import shutil  # as the others below: a run that has nothing to measure asks only whether PyAV is here

    return "ffprobe" if shutil.which("ffprobe") else ""


def measure(where: Path | str) -> Measured | None:
    """Return what is measured of a local file, or of one at an http(s) address; None when nothing here measures.

    Of a file at an address, only the pieces that are needed are read. Raises ``FilmError`` for one that is damaged, or
    none that is accepted, and ``OSError`` for one that cannot be read.
    """
    return _measured(where, container_of(where) if isinstance(where, Path) else "")


def _measured(where: Path | str, container: str) -> Measured | None:
    tool = measures_with()
    if not tool:
        return None
    name = str(where) if isinstance(where, str) else f"file:{where.absolute()}"
    found = _with_av(name, container) if tool == "av" else _with_ffprobe(name, container)
    if found and not found.codec and not found.audio:
        raise FilmError("neither picture nor sound in it", "export it again")
    return found


def _damaged(reason: object) -> FilmError:
    return FilmError(f"damaged: {str(reason)[:120]}", "play it to its end, and export it again")


def _protocol_options(name: str) -> dict[str, str]:
    """Return which protocols FFmpeg may use, and with which authorities it checks a server; by default it does not."""
    if name.startswith("file:"):
        return {"protocol_whitelist": "file"}
    import ssl

    authorities = os.environ.get("AWS_CA_BUNDLE") or ssl.get_default_verify_paths().cafile
    return {
        "protocol_whitelist": "http,https,tcp,tls",
        "tls_verify": "1",
        **({"ca_file": authorities} if authorities else {}),
    }


def _with_av(name: str, container: str) -> Measured | None:
    import av

    options = {**_protocol_options(name), "format_whitelist": _whitelist()}
    form = format_of(container) if container else None
    # PyAV 19, which needs Python 3.12, is never strict about metadata that are not UTF-8.
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
    try:
        with av.open(name, format=form, options=options, timeout=SECONDS, **lenient) as film:
            picture = next((stream for stream in film.streams.video if not _is_attached(stream)), None)
            seconds = (film.duration or 0) / av.time_base
            metadata = [film.metadata, *(stream.metadata for stream in film.streams)]
            measured = Measured(
                container or _named(film.format.name, film.metadata, name),
                round(seconds, 3),
                audio=tuple(
                    AudioTrack(
                        _codec(stream.codec_context.codec.canonical_name),
                        stream.codec_context.channels,
                        stream.codec_context.sample_rate,
                        _language(stream.metadata.get("language", "")),
                    )
                    for stream in film.streams.audio
                    if stream.codec_context
                ),
                located=_is_located(metadata),
            )
            if picture is None:
                return measured
            if picture.codec_context is None:  # a codec that FFmpeg does not know
                return None
            frame = next(film.decode(picture), None)
            if frame is None:
                raise _damaged("no picture could be decoded")
            context = picture.codec_context
            order = int(context.field_order)
            interlaced = order > 1 or (not order and frame.interlaced_frame)
            size = _shown(context.width, context.height, picture.sample_aspect_ratio, frame.rotation)
            return _with_picture(
                measured,
                _codec(context.codec.canonical_name, picture.profile or ""),
                size,
                picture.guessed_rate or picture.average_rate,
                "interlaced" if interlaced else "progressive" if order == 1 else "",
            )
    except av.FFmpegError as error:
        if not container and not isinstance(error, av.InvalidDataError):
            raise OSError(errno.EIO, error.strerror) from error
        raise _damaged(error.strerror) from error


def _is_attached(stream: Any) -> bool:
    """Whether it is the cover of an audio file."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _with_ffprobe(name: str, container: str) -> Measured:
    import json
    import subprocess

    form = ["-f", format_of(container)] if container else ["-format_whitelist", _whitelist()]
    options = [word for key, value in _protocol_options(name).items() for word in (f"-{key}", value)]
    command = ["ffprobe", "-v", "error", *options, *form]
    command += ["-print_format", "json", "-show_format", "-show_streams", name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as error:
        raise _damaged(f"it could not be measured within {SECONDS} seconds") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].rpartition(": ")[2]
        if not container and "Invalid data" not in said:
            raise OSError(errno.EIO, said)
        raise _damaged(said)
    found = json.loads(done.stdout)
    of_file, streams = found.get("format", {}), found.get("streams", [])
    metadata = [part.get("tags", {}) for part in (of_file, *streams)]
    measured = Measured(
        container or _named(of_file.get("format_name", ""), metadata[0], name),
        round(float(of_file.get("duration", 0)), 3),
        audio=tuple(
            AudioTrack(
                _codec(stream.get("codec_name", "")),
                stream.get("channels", 0),
                int(stream.get("sample_rate", 0)),
                _language(stream.get("tags", {}).get("language", "")),
            )
            for stream in streams
            if stream.get("codec_type") == "audio"
        ),
        located=_is_located(metadata),
    )
    pictures = (each for each in streams if each.get("codec_type") == "video")
    picture = next((each for each in pictures if not each.get("disposition", {}).get("attached_pic")), None)
    if picture is None:
        return measured
    order = picture.get("field_order", "unknown")
    turned = next((side["rotation"] for side in picture.get("side_data_list", ()) if "rotation" in side), 0)
    aspect = picture.get("sample_aspect_ratio", "1:1").replace(":", "/")
    return _with_picture(
        measured,
        _codec(picture.get("codec_name", ""), picture.get("profile", "")),
        _shown(picture["width"], picture["height"], _fraction(aspect), turned),
        _fraction(picture.get("r_frame_rate", "")),
        "progressive" if order == "progressive" else "" if order == "unknown" else "interlaced",
    )


def _fraction(text: str) -> Fraction | None:
    from fractions import Fraction

    with suppress(ValueError, ZeroDivisionError):
        return Fraction(text)
    return None


def _whitelist() -> str:
    return ",".join(sorted({name for name, _ in _FORMATS.values()} | {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}))


def _named(form: str, metadata: Mapping[str, str], name: str) -> str:
    """Return the container that FFmpeg has found in a file at an address."""
    first = form.partition(",")[0]
    if first == "mov":
        return "QuickTime" if metadata.get("major_brand", "qt  ") == "qt  " else "MP4"
    if first == "matroska":
        return "WebM" if name.partition("?")[0].lower().endswith(".webm") else "Matroska"
    return next(container for container, (known, _) in _FORMATS.items() if known == first)


def _with_picture(measured: Measured, codec: str, size: tuple[int, int], rate: Fraction | None, scan: Scan) -> Measured:
    sane = rate if rate and 1 <= rate <= 1000 else None
    rate_text = f"{float(sane):.3f}".rstrip("0").rstrip(".") if sane else ""
    return msgspec.structs.replace(
        measured, codec=codec, width=size[0], height=size[1], frame_rate=rate_text, scan=scan
    )


def _shown(width: int, height: int, aspect: Fraction | None, turned: float) -> tuple[int, int]:
    """Return width and height in square pixels, upright."""
    wide = round(width * aspect) if aspect and aspect > 0 else width
    return (height, wide) if round(turned / 90) % 2 else (wide, height)


def _codec(name: str, profile: str = "") -> str:
    if pcm := re.match(r"pcm_[fsu](\d+)", name):
        return f"PCM {pcm[1]}-bit"
    usual = _CODECS.get(name, name.upper())
    if name == "prores":
        return usual + _PRORES.get(profile, "")
    return f"{usual} {profile}" if name == "h264" and _OF_STUDIOS.search(profile) else usual


def _language(tag: str) -> str:
    """Return the BCP 47 tag of a language that a file states with three letters (ISO 639-2)."""
    from babel.core import get_global

    known = str(get_global("language_aliases").get(tag.lower(), tag.lower()))
    return known if re.fullmatch(r"[a-z]{2,3}", known) and known not in ("und", "mul", "zxx", "mis") else ""


def _is_located(metadata: Iterable[Mapping[str, str]]) -> bool:
    """Whether the metadata say where it was filmed."""
    return any(
        (_PLACES.search(key) and _COORDINATES.search(value))
        or (key == "handler_name" and value.strip() in _TRACKS_OF_PLACES)
        for tags in metadata
        for key, value in tags.items()
    )
