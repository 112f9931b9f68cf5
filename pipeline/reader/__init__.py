"""Bytes → ``Release``: front matter, Markdown, pictures and checks; newsroom.toml → ``Newsroom``.

One parse and one tree for all formats, so that a release which one format would refuse is refused by all with one
message. Every fault of a file is found in one run.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from msgspec import Struct

from pipeline.model.errors import Fault
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.reader.body import read_body, summarize
from pipeline.reader.fields import Fields
from pipeline.reader.frontmatter import parse_front_matter
from pipeline.reader.metadata import read_metadata, slug_fault
from pipeline.reader.newsroom import read_newsroom_file
from pipeline.reader.pictures import Gallery
from pipeline.reader.references import check_slugs, check_translations
from pipeline.reader.report import Report
from pipeline.reader.source import Source, read_source

__all__ = ["Reading", "check_slugs", "check_translations", "read_newsroom", "read_release"]


class Reading(Struct, frozen=True):
    """A release that was read without fault."""

    release: Release
    pictures: Mapping[str, bytes]
    """By name, copies too: upright, free of metadata."""
    warnings: tuple[Fault, ...] = ()
    """What looks like a slip, by line; nothing is refused for it."""


def read_newsroom(folder: Path) -> Newsroom:
    """Return the newsroom of ``folder``. Raises ``ReleaseError`` with all faults of its newsroom.toml."""
    return read_newsroom_file(folder)


def read_release(file: Path, newsroom: Newsroom, now: datetime | None = None) -> Reading:
    """Return the release in ``file``. Raises ``ReleaseError`` with all faults of the file at once.

    With ``now``, a correction or a withdrawal that lies ahead is one of them.
    """
    report = Report(str(file))
    slug = file.stem
    if problem := slug_fault(slug):
        report.fault(0, *problem)
    source = read_source(file, report)
    if source is None:
        raise report.error()
    return _read(source, file, newsroom, report, now)


def _read(source: Source, file: Path, newsroom: Newsroom, report: Report, now: datetime | None) -> Reading:
    front = parse_front_matter(source.front, report)
    gallery = Gallery(file.parent, file.stem, report)
    metadata = read_metadata(Fields(front, report), newsroom, gallery, now) if front else None
    language = metadata.language if metadata else newsroom.language
    faults = report.count
    body, notes = read_body(source.body, source.body_line, language, gallery, report)
    if not body and report.count == faults and not (metadata and metadata.withdrawn):
        report.fault(source.body_line, "the release has no text", "write it below the front matter")
    report.raise_faults()
    if metadata is None or metadata.date is None:
        raise report.error()
    finished = tuple(gallery)
    facts = {name: getattr(metadata, name) for name in metadata.__struct_fields__}
    # The first paragraph of what is withdrawn would go on telling it, in listings and records.
    written = metadata.summary or summarize(body, metadata.title)
    facts["summary"] = (
        metadata.withdrawn.reason if metadata.withdrawn else written
    )  # it must not tell what was taken back
    if metadata.withdrawn:  # nobody shows them any more
        finished = ()
        facts["footage"] = ()
    shown = tuple(found.picture for found in finished)
    release = Release(slug=file.stem, body=body, notes=notes, pictures=shown, **facts)
    files = {name: data for found in finished for name, data in found.files.items()}
    return Reading(release, MappingProxyType(files), report.warnings)
