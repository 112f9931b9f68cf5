"""The zip file around a Word document: python-docx's own writer would stamp every entry with the clock."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

from lxml import etree
from msgspec import Struct

_NAMESPACE = "http://schemas.openxmlformats.org/package/2006/content-types"
_DEFAULTS = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest moment that a zip file can state."""
SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif"}
"""The pictures that every Word shows; all other parts are named one by one."""


class PackageFile(Struct, frozen=True):
    """A part of the package."""

    name: str
    """With a leading slash."""
    media_type: str
    data: bytes
    relations_name: str
    relations: bytes
    """Its relationships as XML, or nothing."""


def packed(root_relations: bytes, entries: Iterable[PackageFile]) -> bytes:
    """Return the file; pictures are compressed already and only stored."""
    parts = list(entries)
    files = [("[Content_Types].xml", _content_types(parts)), ("_rels/.rels", root_relations)]
    for part in parts:
        files.append((part.name[1:], part.data))
        if part.relations:
            files.append((part.relations_name[1:], part.relations))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            method = zipfile.ZIP_DEFLATED if name.endswith((".xml", ".rels")) else zipfile.ZIP_STORED
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, method)
    return buffer.getvalue()


def _content_types(parts: list[PackageFile]) -> bytes:
    types = etree.fromstring(f'<Types xmlns="{_NAMESPACE}"/>')
    defaults = _DEFAULTS | {SUFFIXES[part.media_type]: part.media_type for part in parts if part.media_type in SUFFIXES}
    for suffix, media_type in defaults.items():
        etree.SubElement(types, f"{{{_NAMESPACE}}}Default", Extension=suffix, ContentType=media_type)
    for part in parts:
        if part.media_type not in SUFFIXES:
            etree.SubElement(types, f"{{{_NAMESPACE}}}Override", PartName=part.name, ContentType=part.media_type)
    return etree.tostring(types, xml_declaration=True, encoding="UTF-8", standalone=True)
