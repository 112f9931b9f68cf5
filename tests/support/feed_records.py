"""Ninjs records as feeds read them, and the RSS channel that is built from them."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec

from pipeline.model.manifest import Row
from tests.support import sample
from tests.support.rows import BASE

ATOM_SPACE = "http://www.w3.org/2005/Atom"
ATOM = f"{{{ATOM_SPACE}}}link"
BODY = "<p>All of it, with <strong>weight</strong> &amp; an ampersand.</p>"
FILES = (
    ("text", ".txt", "text/plain; charset=utf-8", 3200),
    ("pdf", ".pdf", "application/pdf", 26_400),
    ("docx", ".docx", "application/msword", 14_100),
    ("html", ".html", "text/html; charset=utf-8", 9000),
    ("kit", ".zip", "application/zip", 50_000),
)


def record(found: Row, body: str = BODY) -> bytes:
    """Return as much of a ninjs record as the feeds read."""
    return msgspec.json.encode(
        {
            "uri": sample.NEWSROOM.guid(found.slug),
            "bodies": [{"value": body}],
            "renditions": [
                {"name": name, "href": f"{BASE}releases/{found.slug}{suffix}", "contentType": kind, "sizeInBytes": size}
                for name, suffix, kind, size in FILES
            ],
        }
    )


def channel(data: bytes) -> ElementTree.Element:
    root = ElementTree.fromstring(data)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    found = root.find("channel")
    assert found is not None
    return found
