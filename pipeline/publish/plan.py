"""What an upload would do, and why: a pure comparison of what should be public with what is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from pipeline.model.formats import FOREVER, FORMATS, GROUPS, MINUTES, ROBOTS, Group, media_type


class File(Struct, frozen=True):
    """A file that should be public."""

    key: str
    sha256: str
    size: int
    source: Path | bytes


class Upload(Struct, frozen=True):
    """One file that goes up, with the reason."""

    file: File
    group: Group
    reason: str
    """``new`` or ``changed``."""

    @property
    def media_type(self) -> str:
        """Media type, with charset where it has one."""
        return media_type(self.file.key)

    @property
    def cache(self) -> str:
        """Cache-Control of the object: names that carry a digest may be kept for ever."""
        return FOREVER if self.file.key.startswith(("assets/", "manifest/")) else MINUTES

    @property
    def download(self) -> str:
        """Name under which a browser saves the file; empty for what it shows itself."""
        suffix = self.file.key[self.file.key.rindex(".") :]
        is_download = suffix == ".vcf" or any(row.suffix == suffix and row.download for row in FORMATS)
        is_download = is_download and self.file.key != ROBOTS
        return self.file.key.rsplit("/", 1)[-1] if is_download else ""


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
    if key.startswith("releases/"):
        row = next((row for row in FORMATS if key.endswith(row.suffix) and key.count("/") == 1), None)
        return row.group if row else "files"
    return "listings"


def plan(wanted: Iterable[File], public: Mapping[str, str]) -> Plan:
    """Compare ``wanted`` with ``public`` (key → SHA-256) and return what has to go up, in order."""
    uploads: list[Upload] = []
    unchanged = 0
    for file in wanted:
        known = public.get(file.key)
        if known == file.sha256:
            unchanged += 1
        else:
            uploads.append(Upload(file, group_of(file.key), "new" if known is None else "changed"))
    return Plan(tuple(sorted(uploads, key=lambda upload: (GROUPS.index(upload.group), upload.file.key))), unchanged)
