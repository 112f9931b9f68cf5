"""Real films and sounds, seconds long and small: with the codec, size, frame rate, scan, sound and tags asked for.

``film(folder / "master.mov", codec="prores_ks", sound=(Sound("pcm_s16le", language="eng"),))`` writes one.
"""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import av
from av.stream import Disposition
from PIL import Image

from tests.support.sample import picture_bytes

CAPTIONS = "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nThe harbour at dawn.\n"
"""They fit every film here."""
PLACE = {"location": "+37.5665+126.9780/"}
"""Tag of a file that says where it was filmed: Seoul."""
COVER = "mjpeg"
"""Codec of the picture that belongs to a sound file."""
_CONTAINERS = {".m4v": "mp4", ".m4a": "ipod", ".mkv": "matroska", ".ts": "mpegts", ".mpg": "vob", ".aac": "adts"}
_PIXELS = {"prores_ks": "yuv422p10le", COVER: "yuvj420p"}
_SAMPLES = {"aac": "fltp", "ac3": "fltp", "pcm_s24le": "s32", "libmp3lame": "s16p"}


class Sound(NamedTuple):
    """An audio track."""

    codec: str = "aac"
    channels: int = 2
    language: str = ""
    """As files have it, with three letters."""
    rate: int = 48_000


class _Asked(NamedTuple):
    seconds: float
    codec: str
    size: tuple[int, int]
    fps: Fraction
    interlaced: bool
    aspect: str
    turned: int
    pixels: str
    sound: tuple[Sound, ...]
    tags: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str], ...]


def film(
    file: Path,
    *,
    seconds: float = 2,
    codec: str = "libx264",
    size: tuple[int, int] = (320, 180),
    fps: str = "25",
    interlaced: bool = False,
    aspect: str = "1",
    turned: int = 0,
    pixels: str = "",
    sound: tuple[Sound, ...] = (Sound(),),
    tags: Mapping[str, str] = {},
    **options: str,
) -> Path:
    """Write a film in the container that the suffix of ``file`` names, and return ``file``.

    Without a ``codec`` it is sound alone. ``aspect`` is that of a pixel, as ``64/45``; ``turned`` is in degrees, as
    telephones turn films; ``pixels`` are FFmpeg's format: ``yuv422p10le``. ``options`` are the container's own:
    ``movflags="faststart"``.
    """
    asked = _Asked(
        seconds,
        codec,
        size,
        Fraction(fps),
        interlaced,
        aspect,
        turned,
        pixels,
        sound,
        (*tags.items(),),
        (*options.items(),),
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_encoded(file.suffix, asked))
    return file


FILM, POSTER, CUES = "harbour.mp4", "quay.png", "harbour.vtt"
"""Names of the files of ``notice``."""


def notice(folder: Path, *, stored: str = "", expires: str = "2996-02-01T09:00+00:00") -> str:
    """Write a film with its poster and captions into a release's folder; return its footage notice for front matter.

    ``stored`` names a film in the private bucket instead. Films of different releases differ.
    """
    if not stored:
        film(folder / FILM, tags={"title": folder.name})
    folder.mkdir(exist_ok=True)
    (folder / POSTER).write_bytes(picture_bytes())
    (folder / CUES).write_text(CAPTIONS, "utf-8")
    files = f"[{{file: {stored or FILM}, role: preview}}, {{file: {POSTER}, role: poster}}]"
    spoken = "transcript: The harbour at dawn."
    return f"{{notice: The harbour, captions: {CUES}, {spoken}, expires: {expires}, files: {files}}}"


@contextmanager
def served(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a folder over HTTP, in ranges as storages do, and yield its address."""

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            file = folder / self.path.partition("?")[0].rpartition("/")[2]
            if not file.is_file():
                self.send_error(404)
                return
            data = file.read_bytes()
            asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first, last = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
            part = data[first : last + 1]
            self.send_response(206 if asked else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            with suppress(OSError):  # who measures reads no further than needed
                self.wfile.write(part)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@cache
def _encoded(suffix: str, asked: _Asked) -> bytes:
    container = _CONTAINERS.get(suffix, suffix[1:])
    with TemporaryDirectory() as folder:  # not in memory: with faststart it is read again
        file = Path(folder, "film")
        with av.open(str(file), "w", format=container, options=dict(asked.options)) as out:
            out.metadata.update(dict(asked.tags))
            picture = _picture_stream(out, asked) if asked.codec else None
            tracks = [_sound_stream(out, sound) for sound in asked.sound]
            if picture:
                for number in range(1 if asked.codec == COVER else round(asked.seconds * asked.fps)):
                    frame = av.VideoFrame.from_image(_scene(asked.size, number)).reformat(format=picture.pix_fmt)
                    frame.pts, frame.time_base = number, 1 / asked.fps
                    out.mux(picture.encode(frame))
                out.mux(picture.encode(None))
            for track, sound in zip(tracks, asked.sound, strict=True):
                for packets in _silence(track, sound, asked.seconds):
                    out.mux(packets)
        return file.read_bytes()


def _picture_stream(out: Any, asked: _Asked) -> Any:
    stream = out.add_stream(asked.codec, rate=asked.fps)
    stream.width, stream.height = asked.size
    stream.pix_fmt = asked.pixels or _PIXELS.get(asked.codec, "yuv420p")
    stream.codec_context.sample_aspect_ratio = Fraction(asked.aspect)
    options = {"flags": "+ildct+ilme"} if asked.interlaced else {}
    if asked.codec == "libx264":
        options |= {"preset": "ultrafast", "threads": "1"}
        options |= {"x264-params": "interlaced=1:tff=1"} if asked.interlaced else {}
    elif asked.codec == "libx265":
        options |= {"preset": "ultrafast", "x265-params": "log-level=none"}
    stream.options = options
    if asked.codec == COVER:
        stream.disposition = Disposition.attached_pic
    if asked.turned:
        stream.set_display_rotation(asked.turned)
    return stream


def _sound_stream(out: Any, sound: Sound) -> Any:
    stream = out.add_stream(sound.codec, rate=sound.rate, layout="mono" if sound.channels == 1 else "stereo")
    stream.format = _SAMPLES.get(sound.codec, "s16")
    if sound.language:
        stream.metadata["language"] = sound.language
    return stream


def _silence(track: Any, sound: Sound, seconds: float) -> Iterator[Any]:
    frame = av.AudioFrame(format=track.format.name, layout=track.layout, samples=round(seconds * sound.rate))
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    frame.sample_rate, frame.pts, frame.time_base = sound.rate, 0, Fraction(1, sound.rate)
    fifo = av.AudioFifo()
    fifo.write(frame)
    while (part := fifo.read(track.frame_size or 1024, partial=True)) is not None:
        yield track.encode(part)
    yield track.encode(None)


@cache
def _scene(size: tuple[int, int], number: int) -> Image.Image:
    """A bar that moves over a gradient, so that no two frames are the same."""
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.paste("red", (number * 4 % size[0], 0, number * 4 % size[0] + 8, size[1]))
    return image
