"""The preview and the poster of a film, made by Debian's ffmpeg: what browsers play and show."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from pipeline.model.footage import Measured
from pipeline.reader.measuring import FilmError, container_of, format_of, measure

SHORT_SIDE = 720
"""Pixels of a preview; one of a smaller film is as large as that."""
POSTER_AT = 3.0
"""Seconds into the film, of one that is long enough; else a third of it."""
_QUIET = ("-hide_banner", "-nostdin", "-loglevel", "error", "-protocol_whitelist", "file")
_WITHOUT_METADATA = ("-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact", "-flags", "+bitexact")
_SOUND = ("-codec:a", "aac", "-b:a", "128k", "-ac", "2", "-flags:a", "+bitexact")
_PICTURE = ("-codec:v", "libx264", "-preset", "medium", "-crf", "23", "-pix_fmt", "yuv420p", "-flags:v", "+bitexact")


def ffmpeg_is_installed() -> bool:
    """Whether previews can be made here; with ffmpeg comes ffprobe, which measures."""
    return bool(shutil.which("ffmpeg"))


def make_preview(master: Path, preview: Path) -> None:
    """Write the preview of a film: MP4 with H.264 and AAC, 720p, ready to play before it is loaded, without metadata.

    Fields of interlaced films become whole pictures. The first two tracks become left and right where each has one
    channel, as masters for broadcast have them. Raises ``FilmError``, and ``FileExistsError`` for what is there.
    """
    measured = _measured(master)
    tracks = measured.audio
    chains = [f"[0:v:0]{_filters(measured)}[picture]"]
    sound = ["-map", "0:a:0"] if tracks else []
    if len(tracks) > 1 and tracks[0].channels == tracks[1].channels == 1:
        chains.append("[0:a:0][0:a:1]amerge=inputs=2[sound]")
        sound = ["-map", "[sound]"]
    mapped = ["-filter_complex", ";".join(chains), "-map", "[picture]", *sound]
    _run(master, [], [*mapped, *_PICTURE, *(_SOUND if sound else ()), "-movflags", "+faststart", "-f", "mp4"], preview)


def make_poster(master: Path, poster: Path) -> None:
    """Write a frame of a film, a few seconds into it, as JPEG of the size of the preview.

    Raises ``FilmError``, and ``FileExistsError`` for what is there.
    """
    measured = _measured(master)
    at = min(POSTER_AT, measured.duration / 3)
    frame = ["-map", "0:v:0", "-frames:v", "1", "-filter:v", _filters(measured), "-codec:v", "mjpeg", "-q:v", "3"]
    _run(master, ["-ss", f"{at:.3f}"], [*frame, "-f", "image2", "-update", "1"], poster)


def _measured(master: Path) -> Measured:
    measured = measure(master)
    if measured is None or not measured.codec:
        raise FilmError("no film with a picture", "name a film as the master, with role: master")
    return measured


def _filters(measured: Measured) -> str:
    share = min(1.0, SHORT_SIDE / min(measured.width, measured.height))
    width, height = (max(2, round(side * share / 2) * 2) for side in (measured.width, measured.height))
    whole = "bwdif=mode=send_frame," if measured.scan == "interlaced" else ""
    return f"{whole}scale={width}:{height}:flags=lanczos,setsar=1"


def _run(master: Path, before: list[str], after: list[str], target: Path) -> None:
    """Let ffmpeg write aside, and move the result into place unless something is there."""
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    source = ["-f", format_of(container_of(master)), "-i", f"file:{master.absolute()}"]
    command = ["ffmpeg", *_QUIET, *before, *source, *after, *_WITHOUT_METADATA, "-y", f"file:{aside.absolute()}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode or not aside.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise FilmError(
                f"ffmpeg could not make it: {said[:200]}", "play the master to its end, and export it again"
            )
        with target.open("xb"):  # takes the name, or fails where something has it
            aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
