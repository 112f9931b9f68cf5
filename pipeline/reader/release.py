"""One file → one release, with its pictures and warnings."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

import msgspec

from pipeline.model.document import Figure, walk
from pipeline.model.footage import Film, Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Picture, Release
from pipeline.reader import ReadRelease
from pipeline.reader.body import read_body, summarize
from pipeline.reader.editing import review
from pipeline.reader.fields import Fields
from pipeline.reader.footage import FootageReader
from pipeline.reader.frontmatter import parse_front_matter, read_metadata
from pipeline.reader.pictures import ReleasePictures
from pipeline.reader.references import slug_fault
from pipeline.reader.report import Report
from pipeline.reader.source import read_source


def read_release_file(
    file: Path, newsroom: Newsroom, now: datetime | None, films: MutableMapping[str, Film]
) -> ReadRelease:
    """Return the release in ``file``. Raises ``ReleaseError`` with all its faults."""
    report = Report(str(file))
    if problem := slug_fault(file.stem):
        report.fault(0, *problem)
    source = read_source(file, report)
    if source is None:
        raise report.error()
    front = parse_front_matter(source.front, report, source.front_line)
    pictures = ReleasePictures(file.parent, file.stem, report)
    footage = FootageReader(file.parent / file.stem, f"{file.stem}/", films, pictures.claim, now)
    fields = Fields(front, report) if front else None
    metadata = read_metadata(fields, newsroom, pictures, footage, now) if fields else None
    language = metadata.language if metadata else newsroom.language
    faults = report.count
    body, notes = read_body(source.body, source.body_line, language, pictures, report)
    withdrawn = metadata.withdrawn if metadata else None
    if not body and report.count == faults and not withdrawn:
        report.fault(source.body_line, "the release has no text", "write it below the front matter")
    image = (metadata.image,) if metadata and metadata.image else ()
    figures = (block for block in walk((*image, *body, *notes)) if isinstance(block, Figure))
    published = tuple(pictures.published(figures, language))
    report.raise_faults()
    if fields is None or metadata is None or metadata.date is None:
        raise report.error()
    facts = {name: getattr(metadata, name) for name in metadata.__struct_fields__}
    facts["summary"] = metadata.summary or summarize(body, metadata.title)
    files: dict[str, bytes] = {}
    if withdrawn:  # listings and records must not repeat what was withdrawn
        facts |= {"summary": withdrawn.reason, "footage": (), "pictures": ()}
    else:
        facts["pictures"] = tuple(checked.picture for checked in published)
        files = footage.files | {name: data for checked in published for name, data in checked.files.items()}
        facts["footage"] = tuple(_with_pictures(notice, facts["pictures"]) for notice in metadata.footage)
    release = Release(slug=file.stem, body=body, notes=notes, **facts)
    review(release, source, fields, newsroom, report)
    warnings = tuple(each for each in report.warnings if each.name not in newsroom.warnings_off)
    return ReadRelease(release, MappingProxyType(files), warnings)


def _with_pictures(notice: Footage, pictures: Iterable[Picture]) -> Footage:
    """Return a notice whose poster is a picture of the release too, as that is published."""
    by_name = {picture.file: picture for picture in pictures}
    files = (
        msgspec.structs.replace(file, size=picture.size, sha256=picture.sha256)
        if file.role == "poster" and (picture := by_name.get(file.file))
        else file
        for file in notice.files
    )
    return msgspec.structs.replace(notice, files=tuple(files))
