"""What an upload would do, and why: a pure comparison of the files that should be public with those that are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from posixpath import splitext

from msgspec import Struct

from pipeline.model.formats import FOREVER, FORMATS, GROUPS, MINUTES, ROBOTS, Group, media_type
from pipeline.model.manifest import digest
from pipeline.model.statement import FOLDER as STATEMENTS
from pipeline.storage import CopyRequest, Put


class File(Struct, frozen=True):
    """A file that should be public."""

    key: str
    sha256: str
    size: int
    source: Path | bytes | CopyRequest
    """A request copies it from the private bucket: it is not on this machine, or it was put there ahead."""
    footage: bool = False
    """Whether it may be public already, although no record lists it: the words went ahead of it."""

    @property
    def media_type(self) -> str:
        """Media type, with charset where it has one. Raises KeyError for an unknown suffix."""
        return media_type(self.key)

    @property
    def cache_control(self) -> str:
        """Cache-Control of the object: a key that contains a digest or serial never gets other bytes."""
        return FOREVER if self.key.startswith(("assets/", "manifest/", STATEMENTS)) else MINUTES

    @property
    def download(self) -> str:
        """Name under which a browser saves the file; empty for a file that it displays."""
        suffix = splitext(self.key)[1]
        is_download = suffix == ".vcf" or any(row.suffix == suffix and row.download for row in FORMATS)
        return self.key.rsplit("/", 1)[-1] if is_download and self.key != ROBOTS else ""

    def put(self, key: str = "") -> Put:
        """Return the request that writes it, to another ``key`` if given, with the headers of its own.

        Raises TypeError for a file that is not on this machine.
        """
        if isinstance(self.source, CopyRequest):
            raise TypeError(f"{self.key} is copied inside the storage")
        return Put(
            key=key or self.key,
            body=self.source,
            media_type=self.media_type,
            cache_control=self.cache_control,
            download=self.download,
            sha256=self.sha256,
        )


def file_of(key: str, data: bytes) -> File:
    """Return ``data`` as a file that should be public at ``key``."""
    return File(key, digest(data), len(data), data)


class Upload(Struct, frozen=True):
    """One file to upload, with the reason."""

    file: File
    reason: str
    """``new`` or ``changed``."""

    @property
    def group(self) -> Group:
        """The step of the upload that it belongs to."""
        return group_of(self.file.key)


class Plan(Struct, frozen=True):
    """Uploads in the order in which they must happen."""

    uploads: tuple[Upload, ...]
    unchanged: int

    def group(self, name: Group) -> tuple[Upload, ...]:
        """Return the uploads of one group."""
        return tuple(upload for upload in self.uploads if upload.group == name)


def group_of(key: str) -> Group:
    """Return the upload group of a key: nothing is named in public before it is there."""
    if key.startswith("assets/"):
        return "assets"
    if key.startswith("manifest"):
        return "manifest"
    if key.startswith(STATEMENTS):
        return "files"
    if key.startswith("releases/"):
        row = next((row for row in FORMATS if key.endswith(row.suffix) and key.count("/") == 1), None)
        return row.group if row else "files"
    return "listings"


def plan(files: Iterable[File], public: Mapping[str, str]) -> Plan:
    """Compare ``files`` with ``public`` (key → SHA-256) and return what has to be uploaded, in order."""
    uploads: list[Upload] = []
    unchanged = 0
    for file in files:
        known = public.get(file.key)
        if known == file.sha256:
            unchanged += 1
        else:
            uploads.append(Upload(file, "new" if known is None else "changed"))
    return Plan(tuple(sorted(uploads, key=lambda upload: (GROUPS.index(upload.group), upload.file.key))), unchanged)
