"""What lies in ``output/``: the public tree, what waits, and the memory of how it was made.

output/public/    what goes up, as it will stand in the bucket
output/waiting/   releases whose date is ahead, and drafts (0700); ``until/SLUG`` has the release's instant as its time
output/waiting/due/   the same releases as they will be public at their instant, laid out like the public tree
output/.work/     manuscripts, pictures and ledgers (0700): what was read and made, so that nothing is made twice
"""

from __future__ import annotations

import copy
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import GenericAlias
from typing import TypeVar, cast

import msgspec
from msgspec import Struct

from pipeline.model.errors import SettingError
from pipeline.model.formats import Rendition
from pipeline.model.newsroom import FILE
from pipeline.model.release import Release
from pipeline.typography.image_metadata import parts_of, with_profile

PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
FAR = 4102444800
"""2100-01-01: the ``until`` of a draft."""
DUE = "due"

T = TypeVar("T")


class ParsedRelease(Struct, frozen=True):
    """A release as it was read."""

    release: Release
    source: str
    """Digest of the source and of the pictures beside it."""


class RenderedFile(Struct, frozen=True):
    """What a stage remembers of one rendition it made."""

    fingerprint: str
    rendition: Rendition
    waiting: bool


class Pictures(Mapping[str, bytes]):
    """The pictures of a release: of the large ones most formats never see a byte."""

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder = folder
        self.names = names

    def __getitem__(self, name: str) -> bytes:
        if name not in self.names:
            raise KeyError(name)
        return (self.folder / name).read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


class BuildState:
    """The folders of one newsroom; everything below ``output`` is written by rename, so it is whole or not there."""

    def __init__(self, content: Path, output: Path) -> None:
        self.content = content
        self.public = output / "public"
        self.waiting = output / "waiting"
        self.work = output / ".work"
        self.books = ""
        """Folder of the ledgers below ``work``."""

    def due(self) -> BuildState:
        """Return the workshop in which what waits is set as it will be public: its own tree, its own ledgers."""
        found = copy.copy(self)
        found.public, found.books = self.waiting / DUE, f"{DUE}/"
        # In this workshop nothing waits; the tree of what does is the other one's.
        found.waiting = self.waiting / DUE / "waiting"
        return found

    @property
    def is_due(self) -> bool:
        """Whether this is the workshop of ``due``."""
        return bool(self.books)

    def prepare(self) -> None:
        """Make the folders; what waits is nobody else's business. Raises SettingError when it cannot be written."""
        try:
            self.public.mkdir(parents=True, exist_ok=True)
            for folder in (self.waiting, self.work):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            (self.work / DUE).mkdir(exist_ok=True)
        except OSError as error:
            raise _unwritable(self.public.parent, error) from error

    def slugs(self) -> tuple[str, ...]:
        """Return the names of all sources in ``content/``, sorted."""
        return tuple(sorted(file.stem for file in self.content.glob("*.md") if not file.name.startswith(".")))

    def source(self, slug: str) -> Path:
        """Return the path of a release's source, as a person would type it."""
        return self.content / f"{slug}.md"

    def inputs(self, slug: str) -> Iterator[Path]:
        """Yield the source of a release and the files beside it, in a fixed order."""
        yield self.source(slug)
        folder = self.content / slug
        if folder.is_dir():
            yield from sorted(file for file in folder.iterdir() if file.suffix.lower() in PICTURES and file.is_file())

    def mark(self, name: str) -> bytes:
        """Return the organisation's mark without metadata, empty when newsroom.toml names none."""
        if not name:
            return b""
        parts = parts_of((self.content / name).read_bytes(), "PNG")
        return with_profile(parts.plain, "PNG", parts.profile)

    @property
    def newsroom_file(self) -> Path:
        """The newsroom's own file."""
        return self.content / FILE

    # What was read

    def parsed_release(self, slug: str) -> ParsedRelease | None:
        """Return what the reader found, None for a release that it refused or has not seen."""
        return self.recall(f"read/{slug}.json", ParsedRelease, None)

    def keep_parsed_release(self, parsed_release: ParsedRelease, pictures: Mapping[str, bytes], now: datetime) -> None:
        """Store a release as read, with its pictures; note for make how long it waits, and whether it was withdrawn.

        It has yet to be confirmed.
        """
        slug = parsed_release.release.slug
        self.drop_parsed_release(slug)
        for name, data in pictures.items():
            write_file(self.work / "pictures" / slug / name, data)
        write_file(self._manuscript(slug), msgspec.json.encode(parsed_release), final=False)
        notice = self.work / "withdrawn" / slug
        if parsed_release.release.withdrawn:
            write_file(notice, b"")
        else:
            notice.unlink(missing_ok=True)
        until = self.waiting / "until" / slug
        if parsed_release.release.is_public(now):
            until.unlink(missing_ok=True)
            return
        write_file(until, b"")
        ahead = FAR if parsed_release.release.draft else parsed_release.release.date.timestamp()
        os.utime(until, (ahead, ahead))

    def confirm_parsed_release(self, slug: str) -> None:
        """Let make take a manuscript for finished, once it was judged beside the others."""
        os.utime(self._manuscript(slug))

    def is_confirmed(self, slug: str) -> bool:
        """Whether a manuscript was judged beside the others."""
        return self._manuscript(slug).stat().st_mtime > 0

    def _manuscript(self, slug: str) -> Path:
        return self.work / "read" / f"{slug}.json"

    def drop_parsed_release(self, slug: str) -> None:
        """Forget a release that can no longer be read; what was made of it earlier stays."""
        self._manuscript(slug).unlink(missing_ok=True)
        shutil.rmtree(self.work / "pictures" / slug, ignore_errors=True)

    def pictures(self, release: Release) -> Mapping[str, bytes]:
        """Return a release's pictures and their copies by file name; each is read when it is asked for."""
        return Pictures(self.work / "pictures" / release.slug, release.picture_files)

    def opaque(self, slug: str) -> str:
        """Return the name under which a waiting release may be spoken of: random, and kept while it waits."""
        names = self.recall("opaque.json", dict[str, str], {})
        if slug not in names:
            names[slug] = f"waiting-{secrets.token_hex(4)}"
            self.remember("opaque.json", names)
        return names[slug]

    def name(self) -> str:
        """Return a random name for this workshop, the same in every run."""
        found = self.recall("name.json", str, "")
        if not found:
            found = secrets.token_hex(8)
            self.remember("name.json", found)
        return found

    # What was made

    def place(self, waiting: bool) -> Path:
        """Return the tree in which a rendition belongs."""
        return self.waiting if waiting else self.public

    def ledger(self, stage: str) -> dict[str, RenderedFile]:
        """Return what a stage has made, by slug."""
        return self.entries(self.books + stage, RenderedFile)

    # Memory

    def recall(self, name: str, kind: type[T], default: T) -> T:
        """Return what was remembered under ``name``; ``default`` when nothing was, or in another version's form."""
        try:
            return msgspec.json.decode((self.work / name).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return default

    def remember(self, name: str, value: object) -> None:
        """Store ``value`` below ``output/.work/``."""
        write_file(self.work / name, msgspec.json.encode(value))
        # The Makefile reads these two as text files for now.
        if name == "up_to_date":
            write_file(self.work / "settled", " ".join(cast(list[str], value)).encode())
        elif name == "run_clock":
            write_file(self.work / "clock", str(value).encode())

    def entries(self, name: str, kind: type[T]) -> dict[str, T]:
        """Return the entries of the book ``name``: those of its last fair copy, and what was noted since."""
        every = cast(type[dict[str, T]], GenericAlias(dict, (str, kind)))
        found = self.recall(f"{name}.json", every, {})
        try:
            lines = (self.work / f"{name}.journal").read_bytes().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            try:
                key, value = msgspec.json.decode(line, type=GenericAlias(tuple, (str, kind | None)))
            except msgspec.MsgspecError:  # the last line of a run that was killed
                continue
            if value is None:
                found.pop(key, None)
            else:
                found[key] = value
        return found

    def note(self, name: str, key: str, value: object) -> None:
        """Note an entry in the book ``name`` at once, or with None that there is none: a run may be killed any time."""
        path = self.work / f"{name}.journal"
        try:
            with path.open("ab") as journal:
                # The line before may be half written, by a run that was killed or a disk that was full.
                journal.write(b"\n" + msgspec.json.encode((key, value)) + b"\n")
        except OSError as error:
            raise _unwritable(path, error) from error

    def copy_fair(self, name: str, kind: type[T]) -> None:
        """Make a fair copy of the book ``name``."""
        self.remember(f"{name}.json", dict(sorted(self.entries(name, kind).items())))
        (self.work / f"{name}.journal").unlink(missing_ok=True)


def write_file(path: Path, data: bytes, *, final: bool = True) -> None:
    """Write ``data`` aside and rename it into place. Raises SettingError when the disk is full or read-only.

    One that is not ``final`` has the oldest of all times, so that make takes it for stale until somebody sets it right.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            aside.write_bytes(data)
            if not final:
                os.utime(aside, (0, 0))
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> SettingError:
    return SettingError(
        f"{path}: cannot be written: {error.strerror}", "make room, or name another folder with OUTPUT="
    )
