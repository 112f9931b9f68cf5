"""Footage notices: their keys, from front matter or newsroom.toml, and the files that go with them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, MutableMapping
from datetime import date, datetime
from math import ceil
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from pipeline.model.footage import (
    CAPTIONS,
    EMPTIED,
    SOUND,
    STORED,
    VIDEO,
    Film,
    Footage,
    FootageFile,
    Measured,
    Role,
    Shot,
)
from pipeline.reader.captions import SECOND, in_time, read_captions
from pipeline.reader.characters import collapse_spaces
from pipeline.reader.fields import Fields, ScalarNode
from pipeline.reader.files import ADDRESS, PLAIN, FileError, check_name, find_file
from pipeline.reader.instants import read_instant
from pipeline.reader.measuring import check_suffix, look_at
from pipeline.reader.pictures import check_poster
from pipeline.reader.report import suggestion

KEYS = frozenset(name for struct in (Footage, Shot) for name in struct.__struct_encode_fields__) | {
    "file",
    "role",
    "language",
    "captions",
}
INSTALL = ".venv/bin/python -m pip install --require-hashes --requirement requirements-footage.lock"
ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "captions")
PLAYED = (".mp4", ".m4v", ".webm")
"""Suffixes of what browsers play."""
_PLAYED_CODECS = ("H.264", "VP8", "VP9", "AV1", "AAC", "MP3", "Opus", "Vorbis", "FLAC")
_OTHER_SUFFIXES = {".mpeg": ".mpg", ".m2ts": ".ts", ".mts": ".ts", ".qt": ".mov", ".wave": ".wav"}
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif")
_SUFFIXES: dict[Role, tuple[str, ...]] = {
    "master": (*VIDEO, *SOUND),
    "preview": PLAYED,
    "sound": SOUND,
    "poster": _PICTURES,
    "captions": (CAPTIONS,),
}
_LAST = ("poster", "captions")
_TIME = re.compile(r"([0-9]{2}):([0-5][0-9]):([0-5][0-9])(?::([0-9]{2}))?")
_CLOCK = re.compile(r"(?:([0-9]{1,2}):)?([0-9]{1,3}):([0-9]{2})")
_DAY = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_KEY_LIMIT = 1024
_FILES = "write - file: master.mov and below it, under file, role: master"
_SHOTS = "write - in: 00:00:00 and below it, under in, text: …"


class _At(Struct, frozen=True):
    """A time code: where it stands, hours, minutes and seconds together, and the frame if there is one."""

    line: int
    seconds: int
    frame: int | None


class FootageReader:
    """Reads the notices of one source, with the files that lie in one folder."""

    def __init__(
        self,
        folder: Path,
        below: str,
        films: MutableMapping[str, Film],
        claim: Callable[[str, Iterable[str]], None] | None = None,
        now: datetime | None = None,
    ) -> None:
        self.folder = folder
        self.below = below
        """The folder's name and a slash; empty for ``content/`` itself."""
        self.home = folder.parent.resolve() / folder.name if below else folder.resolve()
        self.films = films
        self.claim = claim
        self.now = now
        self.files: dict[str, bytes] = {}
        """Posters and captions by name."""

    def read(self, fields: Fields, zone: ZoneInfo, released: datetime | None = None) -> Footage:
        """Return a notice; what is wrong with it is reported and left out."""
        expires = read_instant(fields, "expires", zone)
        if expires and released and expires <= released:
            fields.fault("expires", "not after the release itself", "write when the files are to be taken down")
        named = _NamedFiles(self, self.is_gone(expires))
        groups = list(fields.groups("files", _FILES))
        found = [file for group in groups if (file := named.entry(group))]
        found += named.captions(fields, found)
        files = tuple(sorted(found, key=lambda file: file.role in _LAST and 1 + _LAST.index(file.role)))
        duration = fields.text("duration")
        length = _length(fields, duration, files, len([f for f in found if f.role != "captions"]) == len(groups))
        footage = Footage(
            notice=fields.text("notice", required=True),
            carrier=fields.text("carrier"),
            duration=duration,
            rights=fields.text("rights"),
            supplier=fields.text("supplier"),
            telephone=fields.telephone("telephone"),
            email=fields.email("email"),
            url=fields.url("url"),
            preview=fields.url("preview"),
            carriers=tuple(collapse_spaces(each.text) for each in fields.words("carriers") or ()),
            shots=_shots(fields, length, _frame_rate(files)),
            files=files,
            transcript=fields.text("transcript", lines=True),
            restrictions=fields.text("restrictions"),
            expires=expires,
        )
        _check_roles(fields, groups)
        if expires and not groups:
            hint = "name them below files:, or delete the line"
            fields.fault("expires", "there are no files that could expire", hint)
        fields.report_unknown()
        return footage

    def is_gone(self, expires: datetime | None) -> bool:
        """Whether the files of a notice have expired by now."""
        return bool(expires and self.now and expires <= self.now)

    def adopt(self, notice: Footage, fields: Fields) -> Footage:
        """Return a notice of newsroom.toml as a release has it, with what is known of its stored files by now."""
        is_gone = self.is_gone(notice.expires)
        files = (self._adopted(file, fields, is_gone) for file in notice.files)
        return msgspec.structs.replace(notice, files=tuple(files))

    def _adopted(self, file: FootageFile, fields: Fields, is_gone: bool) -> FootageFile:
        path = self.folder.parent / file.file
        try:
            self.take_name(file.source if file.is_stored else f"../{file.file}", file.file)
            if file.role == "poster":
                picture, self.files[file.file] = check_poster(path, file.file)
                return msgspec.structs.replace(file, size=picture.size, sha256=picture.sha256)
            if file.role == "captions":
                data = self.files[file.file] = read_captions(path, fields.report)
                return msgspec.structs.replace(file, size=len(data), sha256=hashlib.sha256(data).hexdigest())
            if file.is_stored:
                return self.known(file) if is_gone else self.stored(file, fields, "footage")
            if is_gone:
                return file
            _warn(file, fields, "footage")
        except FileError as error:
            message, hint = error.args
            fields.fault("footage", f"{message}: {file.file}", hint)
        return file

    def take_name(self, owner: str, name: str) -> None:
        """Take a name in the public tree. Raises ``FileError`` when another file of the release has it."""
        if self.claim:
            self.claim(owner, [name])

    def known(self, file: FootageFile) -> FootageFile:
        """Return a file with what was found out about it earlier, if anything was."""
        film = self.films.get(file.source)
        return _filled(file, film) if film else file

    def stored(self, file: FootageFile, fields: Fields, key: str) -> FootageFile:
        """Return a file of the private bucket with what is known of it. Raises ``FileError``."""
        if file.source not in self.films:
            what = f"{fields.name(key)}: nobody has looked at it yet: {file.source}"
            hint = "make publish looks at it in the private bucket"
            fields.report.warn(fields.line(key), what, hint, "unmeasured-footage")
            return file
        found = self.known(file)
        if found.measured:
            check_suffix(found.file, found.measured.container)
        _check_measured(found)
        _warn(found, fields, key)
        return found


class _NamedFiles:
    """The files that one notice names."""

    def __init__(self, reader: FootageReader, is_gone: bool) -> None:
        self.reader = reader
        self.folder = reader.folder
        self.is_gone = is_gone
        self.sources: dict[str, tuple[str, int]] = {}
        """Names in small letters, with where each file is, and in which line it is named."""

    def entry(self, group: Fields) -> FootageFile | None:
        """Return a file of the list ``files``; None after reporting what is wrong."""
        named, typed = group.word("file", required=True), group.word("role", required=True)
        language = group.language("language")
        role = next((each for each in ROLES if each == typed), None)
        if typed and not role:
            hint = f"write captions: {named} beside files:" if typed == "captions" else suggestion(typed, ROLES)
            group.fault("role", f"unknown role: {typed[:40]}", hint)
        file = self._file(group, "file", named, role) if named else None
        group.report_unknown()
        return msgspec.structs.replace(file, language=language) if file and role else None

    def captions(self, fields: Fields, files: Iterable[FootageFile]) -> list[FootageFile]:
        """Return the captions of a notice with these ``files``, if it has any."""
        named = fields.word("captions")
        lengths = (each.measured.duration for each in files if each.role == "preview" and each.measured)
        file = self._file(fields, "captions", named, "captions", max(lengths, default=0)) if named else None
        return [file] if file else []

    def _file(self, fields: Fields, key: str, named: str, role: Role | None, duration: float = 0) -> FootageFile | None:
        """Return what is known of a file; None after reporting what is wrong, and for one that is gone.

        Without a role, a file is looked at all the same, so that one run reports what is wrong with it.
        """
        try:
            name = self._name(named, role)
            self._note(named, name, fields.line(key))
            if role and not name.lower().endswith(_SUFFIXES[role]):
                raise FileError(*_misfit(name, role))
            below = self.reader.below
            file = FootageFile(name, role or "master", 0, "", named if named.startswith(STORED) else below + name)
            if file.is_stored:
                self.reader.take_name(named, name)
                if not below:  # a release looks what is known of it
                    return file
                return self.reader.known(file) if self.is_gone else self.reader.stored(file, fields, key)
            if self.is_gone and not (self.folder / name).exists():
                # Only this machine may know what it was: all must render the same.
                return None if role in _LAST else file
            path = find_file(self.folder, name, self.reader.home)
            self.reader.take_name(name, name)
            return self._local(path, file, role, fields, key, duration)
        except FileError as error:
            message, hint = error.args
            fields.fault(key, f"{message}: {named[:80]}", hint)
        except OSError as error:
            what = f"cannot be read: {error.strerror}: {named[:80]}"
            fields.fault(key, what, "look at the file, and at who may read it")
        return None

    def _name(self, named: str, role: Role | None) -> str:
        """Return the name of a file in the public tree. Raises ``FileError``."""
        if named.startswith(STORED):
            key = named.removeprefix(STORED)
            parts = key.split("/")
            if role in _LAST:
                raise FileError("cannot come from the private bucket", f"put the file itself into {self.folder}")
            if len(key) > _KEY_LIMIT or not key.isprintable() or any(part in ("", ".", "..") for part in parts):
                hint = "write s3:// and the whole key: s3://films/master.mxf"
                raise FileError("not a key of the private bucket", hint)
            if key.startswith(EMPTIED):
                what = f"in a folder of the private bucket that Dateline empties, {parts[0]}/"
                raise FileError(what, f"move it to another one: s3://films/{parts[-1]}")
            check_name(parts[-1], f"rename the object: in the last part of its key {PLAIN}")
            return parts[-1]
        if ADDRESS.match(named):
            what = "not a file of this release" if self.reader.below else "not a file beside newsroom.toml"
            if named.lower().startswith(STORED):
                raise FileError(what, f"write s3:// in small letters: {STORED}{named[len(STORED) :]}")
            stored = "" if role in _LAST else ", or write s3:// and its key in the private bucket"
            raise FileError(what, f"put the file into {self.folder}{stored}")
        name = named.removeprefix("./").removeprefix(self.reader.below).removeprefix("./")
        check_name(name, f"put it into {self.folder}; {PLAIN}")
        return name

    def _note(self, named: str, name: str, line: int) -> None:
        """Raise ``FileError`` when the notice names this file already, or another one of the same name."""
        source = named if named.startswith(STORED) else name
        if known := self.sources.get(name.lower()):
            where = f"in line {known[1]}"
            if known[0] == source:
                raise FileError("named twice", f"delete this one, or that {where}")
            raise FileError(f"the file {where} would have the same name", "rename one of the files")
        self.sources[name.lower()] = source, line

    def _local(
        self, path: Path, file: FootageFile, role: Role | None, fields: Fields, key: str, duration: float
    ) -> FootageFile | None:
        if role == "poster":
            picture, data = check_poster(path, file.file)
            self.reader.files[file.file] = data
            shown = Measured(
                picture.media_type.partition("/")[2].upper(), 0, width=picture.width, height=picture.height
            )
            return FootageFile(file.file, role, picture.size, picture.sha256, measured=shown)
        if role == "captions":
            data = read_captions(path, fields.report, duration)
            self.reader.files[file.file] = data
            return FootageFile(file.file, role, len(data), hashlib.sha256(data).hexdigest())
        if path.suffix.lower() not in (*VIDEO, *SOUND):
            return None  # there is a fault for its role
        found = _filled(file, look_at(path, file.source, self.reader.films))
        if role:
            _check_measured(found)
        _warn(found, fields, key)
        return found


def _warn(file: FootageFile, fields: Fields, key: str) -> None:
    if file.measured is None:
        what = f"{fields.name(key)}: published with size and digest only, because nothing here measures: {file.file}"
        fields.report.warn(fields.line(key), what, f"type: {INSTALL}", "unmeasured-footage")
    elif file.measured.located:
        what = f"{fields.name(key)}: the file says where it was filmed: {file.file}"
        hint = "if nobody may know, export it without its metadata; films are published as they are"
        fields.report.warn(fields.line(key), what, hint, "footage-location")


def _check_roles(fields: Fields, groups: Iterable[Fields]) -> None:
    """Report what a preview lacks, captions without one, and a second poster."""
    roles: dict[str, list[int]] = {}
    for group in groups:
        entry = group.entries.get("role")
        if entry and isinstance(entry.node, ScalarNode):
            roles.setdefault(entry.node.text, []).append(entry.line)
    if previews := roles.get("preview"):
        if "captions" not in fields.entries:
            hint = "write captions: and the name of a WebVTT file, beside files:"
            what = "missing: a preview needs captions, for people who do not hear it"
            fields.fault("captions", what, hint, previews[0])
        if "transcript" not in fields.entries:
            hint = "write transcript: | and below it, indented, what is said and shown"
            what = "missing: a preview needs a transcript, as a picture needs alt"
            fields.fault("transcript", what, hint, previews[0])
    elif "captions" in fields.entries:
        hint = "name a file with role: preview below files:, or delete the line"
        fields.fault("captions", "there is no preview that they belong to", hint)
    for line in roles.get("poster", [])[1:]:
        hint = f"delete this one, or that in line {roles['poster'][0]}"
        fields.fault("files", "a second poster", hint, line)


def _filled(file: FootageFile, film: Film) -> FootageFile:
    return msgspec.structs.replace(file, size=film.size, sha256=film.sha256, measured=film.measured)


def _misfit(name: str, role: Role) -> tuple[str, str]:
    """Return message and hint for a file that cannot have its role."""
    suffix = Path(name).suffix.lower()
    if role == "captions":
        return "not a WebVTT file", "save them as WebVTT, with a name in .vtt"
    if role == "preview" and suffix in VIDEO:
        return "browsers do not play such a file", "make footage makes a preview (MP4, H.264) of the master"
    if suffix == CAPTIONS:
        return f"captions, not a {role}", f"write captions: {name} beside files:"
    if proper := _OTHER_SUFFIXES.get(suffix):
        return f"the suffix {suffix} is not known", f"rename it to {Path(name).with_suffix(proper).name}"
    others: tuple[Role, ...] = ("sound", "master", "poster")
    if fitting := next((other for other in others if suffix in _SUFFIXES[other]), ""):
        return f"no file that may be a {role}", f"write role: {fitting}"
    known = ", ".join(each[1:].upper() for each in _SUFFIXES[role])
    return f"no file that may be a {role}", f"export it as one of these: {known}"


def _check_measured(file: FootageFile) -> None:
    """Raise ``FileError`` when what was measured does not fit the role."""
    measured = file.measured
    if measured is None:
        return
    if file.role == "preview":
        if not measured.codec:
            raise FileError("a preview without a picture", "write role: sound, or export it with its picture")
        codecs = (measured.codec, *(track.codec for track in measured.audio))
        if odd := next((codec for codec in codecs if codec not in _PLAYED_CODECS), ""):
            hint = "make footage makes a preview (MP4, H.264) of the master"
            raise FileError(f"many browsers do not play {odd}", hint)
    if file.role == "sound" and measured.codec:
        raise FileError("a film, not sound alone", "write role: master, or export the sound")


# ── Times ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _length(fields: Fields, stated: str, files: Iterable[FootageFile], are_all: bool) -> float:
    """Return the seconds of the film that the shots are of, 0 if unknown; report a stated duration that is another.

    A preview may be shorter than the film, so it only counts where no master is named. Unless these ``are_all`` files
    of the notice, because one of them was refused, they are not compared.
    """
    films = [each for each in files if each.role not in _LAST]
    masters = [each for each in films if each.role == "master"] or films
    measured = [each for each in masters if each.measured and each.measured.duration and are_all]
    lengths = [each.measured.duration for each in measured if each.measured]
    clock = _CLOCK.fullmatch(stated)
    said = int(clock[1] or 0) * 3600 + int(clock[2]) * 60 + int(clock[3]) if clock else 0
    if said and lengths and not any(abs(said - each) <= SECOND for each in lengths):
        found = in_time(lengths[0])
        what = f"{stated}, but the file has {found}: {measured[0].file}"
        fields.fault("duration", what, f"write duration: {found}, or name the right file")
    if len(lengths) < len(masters):
        return float(said)
    return max(lengths, default=float(said))


def _frame_rate(files: Iterable[FootageFile]) -> int:
    """Return how many frames a second of the film has, rounded up; 0 if unknown."""
    known = sorted(
        (each.role != "master", -float(each.measured.frame_rate))
        for each in files
        if each.measured and each.measured.frame_rate
    )
    return ceil(-known[0][1]) if known else 0


def _shots(fields: Fields, length: float, rate: int) -> tuple[Shot, ...]:
    shots = []
    latest: _At | None = None
    for group in fields.groups("shots", _SHOTS):
        at, begin = _time_code(group, rate)
        if begin:
            if latest and _is_before(begin, latest):
                hint = f"put the shots in the order of their times; compare line {latest.line}"
                group.fault("in", f"before the shot above: {at}", hint)
            latest = begin
            if length and begin.seconds >= ceil(length):
                hint = "times count from the first frame of the film, which is 00:00:00"
                group.fault("in", f"past the end of the film, which has {in_time(length)}: {at}", hint)
        shot = Shot(
            at=at,
            text=group.text("text", required=True),
            place=group.text("place"),
            date=_day(group),
            speaker=group.text("speaker"),
            role=group.text("role"),
            language=group.language("language"),
            quote=group.text("quote"),
        )
        group.report_unknown()
        shots.append(shot)
    return tuple(shots)


def _time_code(group: Fields, rate: int) -> tuple[str, _At | None]:
    scalar = group.scalar("in", required=True)
    if scalar is None:
        return "", None
    text = scalar.text.strip()
    match = _TIME.fullmatch(text)
    if match is None:
        group.fault("in", f"not a time: {text[:40]}", _meant(text), scalar.line)
        return "", None
    frame = int(match[4]) if match[4] else None
    if frame is not None and rate and frame >= rate:
        hint = f"the film has {rate} frames a second, counted from 00 to {rate - 1:02}"
        group.fault("in", f"there is no frame {match[4]}: {text}", hint, scalar.line)
    return text, _At(scalar.line, int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3]), frame)


def _is_before(at: _At, other: _At) -> bool:
    """Whether one time is before another; without a frame it may be any frame of its second."""
    if at.seconds != other.seconds or at.frame is None or other.frame is None:
        return at.seconds < other.seconds
    return at.frame < other.frame


def _meant(text: str) -> str:
    """Return a hint with the time that was meant, if that can be known."""
    plain = unicodedata.normalize("NFKC", text)
    parts = re.findall(r"[0-9]+", plain)
    example = "write hours, minutes and seconds as 00:00:14, with a frame as 00:00:14:12"
    fraction = re.fullmatch(r".*[.,]([0-9]{1,3})", plain) if ":" in plain else None
    if fraction:
        parts = parts[:-1]
    elif ";" in plain:
        example = "write colons only, 00:00:14:12"
    if not re.fullmatch(r"[0-9:;.,\s]+", plain) or not 1 <= len(parts) <= 4:
        return example
    parts = ["0"] * (3 - len(parts)) + parts
    if any(len(part) > 2 for part in parts) or int(parts[1]) > 59 or int(parts[2]) > 59:
        return example
    written = ":".join(f"{int(part):02}" for part in parts)
    return f"write in: {written}" + (f", with a frame as {written}:12" if fraction else "")


def _day(group: Fields) -> str:
    """Return a day, a month or a year."""
    scalar = group.scalar("date")
    text = scalar.text.strip() if scalar else ""
    match = _DAY.fullmatch(text)
    if scalar and match is None:
        group.fault("date", f"not a date: {text[:40]}", "write it as 1998-09-12, 1998-09 or 1998", scalar.line)
        return ""
    if scalar and match:
        try:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
        except ValueError:
            group.fault("date", f"no such day: {text}", "check it in a calendar", scalar.line)
            return ""
    return text
