"""Footage notices as data: what was filmed, the shot list, the files with what was measured of them, and the terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, get_args

from msgspec import Struct, field

Role = Literal["master", "preview", "sound", "poster", "captions"]
ROLES: tuple[Role, ...] = get_args(Role)
FOOTAGE = "footage"
"""``Rendition.format`` of these files."""
Missing = Literal["coming", "gone"]
"""Why a file of footage is not there: its release is not public yet, or only just; or it has expired."""
STORED = "s3://"
"""Before the key of a file in the private bucket, for what is too large for a repository."""
EMPTIED = ("staged/", "shared/", "uploads/")
"""Folders of the private bucket where Dateline deletes what it has put there."""
VIDEO = (".mp4", ".m4v", ".mov", ".mxf", ".mkv", ".webm", ".mpg", ".ts", ".avi")
SOUND = (".wav", ".mp3", ".m4a", ".aac", ".flac")
CAPTIONS = ".vtt"
SUFFIXES = (*VIDEO, *SOUND, CAPTIONS)
"""Of the files that may go with a footage notice, posters left out."""


class AudioTrack(Struct, frozen=True):
    """An audio track as it was measured."""

    codec: str
    """Its usual name: ``AAC``."""
    channels: int
    sample_rate: int
    """Hertz."""
    language: str = ""
    """BCP 47 tag, if the file states it."""


class Measured(Struct, frozen=True):
    """What was measured of a video or audio file."""

    container: str
    """Its usual name: ``MP4``, ``QuickTime``, ``MXF``."""
    duration: float
    """Seconds."""
    codec: str = ""
    """Of the picture, by its usual name: ``H.264``. Empty for sound alone, like the next four."""
    width: int = 0
    height: int = 0
    """Pixels, as they are shown."""
    frame_rate: str = ""
    """Frames a second: ``25``, ``29.97``."""
    scan: Literal["", "progressive", "interlaced"] = ""
    """Empty when the file does not say."""
    audio: tuple[AudioTrack, ...] = ()
    located: bool = False
    """The file says where it was filmed."""


class Film(Struct, frozen=True):
    """What is known of a video or audio file that was looked at, wherever it is."""

    size: int
    """Bytes."""
    sha256: str
    etag: str
    """By which it is recognised without reading it: the storage's, or size, times and inode of a local file."""
    measured: Measured | None = None
    """None where nothing that measures is installed."""


class FootageFile(Struct, frozen=True):
    """A file that goes with a footage notice."""

    file: str
    """Name below ``releases/SLUG/``."""
    role: Role
    size: int
    """Bytes. 0, with an empty digest, for a file in the private bucket that nobody has looked at yet."""
    sha256: str
    source: str = ""
    """Where it is: a path below ``content/``, or ``STORED`` and a key. Empty for posters and captions, which the reader
    returns as bytes."""
    language: str = ""
    """BCP 47 tag of what is spoken or written in it, if the author says so."""
    measured: Measured | None = None
    """None for what has no length, and where nothing that measures is installed. A poster has width and height."""

    @property
    def is_stored(self) -> bool:
        """Whether it comes from the private bucket."""
        return self.source.startswith(STORED)


class Shot(Struct, frozen=True):
    """An entry of a shot list."""

    at: str = field(name="in")
    """Time code of its first frame, ``HH:MM:SS`` or ``HH:MM:SS:FF``."""
    text: str
    place: str = ""
    date: str = ""
    """Day, month or year of filming in ISO 8601: ``1998-09-12``, ``1998-09`` or ``1998``."""
    speaker: str = ""
    role: str = ""
    """Of the speaker."""
    language: str = ""
    """BCP 47 tag of what is spoken."""
    quote: str = ""
    """What is said, of a sound bite."""


class Footage(Struct, frozen=True):
    """A footage notice: what was filmed, on which medium, and who supplies copies."""

    notice: str
    """One or more sentences: what the footage shows, where and when it was filmed."""
    carrier: str = ""
    duration: str = ""
    rights: str = ""
    supplier: str = ""
    telephone: str = ""
    email: str = ""
    url: str = ""
    preview: str = ""
    carriers: tuple[str, ...] = ()
    """Further carriers."""
    shots: tuple[Shot, ...] = ()
    files: tuple[FootageFile, ...] = ()
    """In the order in which they are offered; posters and captions last."""
    transcript: str = ""
    """Paragraphs with a blank line between them."""
    restrictions: str = ""
    expires: datetime | None = None
    """After this instant the files are taken down."""

    @property
    def all_carriers(self) -> tuple[str, ...]:
        """The carrier and the further ones, each once."""
        return tuple(dict.fromkeys(filter(None, (self.carrier, *self.carriers))))

    @property
    def terms(self) -> str:
        """Rights and restrictions, each in a line."""
        return "\n".join(filter(None, (self.rights, self.restrictions)))

    def files_of(self, role: Role) -> tuple[FootageFile, ...]:
        """Return the files with ``role``."""
        return tuple(each for each in self.files if each.role == role)


def expiries(notices: Iterable[Footage]) -> dict[str, datetime]:
    """Return by name when each file is taken down; one that any notice offers without end is left out."""
    ends: dict[str, datetime | None] = {}
    for notice in notices:
        for each in notice.files:
            known = ends.get(each.file, notice.expires)
            ends[each.file] = max(known, notice.expires) if known and notice.expires else None
    return {file: end for file, end in ends.items() if end}


def missing_at(notices: Iterable[Footage], now: datetime, *, coming: bool) -> dict[str, Missing]:
    """Return the names of the files that are not there at ``now``; all that have not expired if they are ``coming``."""
    notices = tuple(notices)
    ends = expiries(notices)
    files = dict.fromkeys(each.file for notice in notices for each in notice.files)
    gone = {file for file in files if file in ends and ends[file] <= now}
    return {file: "gone" if file in gone else "coming" for file in files if coming or file in gone}
