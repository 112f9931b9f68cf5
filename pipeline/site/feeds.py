"""A feed of the newest of some releases: RSS 2.0 (https://www.rssboard.org/rss-specification) by feedgen.

Made of records, so that it holds releases of other machines too. An entry has the summary as ``description``, the whole
article as ``content:encoded``, the PDF as its one enclosure and every file as ``media:content``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree
from markupsafe import escape

from pipeline.channels import Channel
from pipeline.manifest import Row
from pipeline.newsroom import Newsroom

MEDIA = "http://search.yahoo.com/mrss/"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Build date of the feed of an empty newsroom: no clock is read here."""


def rss(
    channel: Channel, rows: Iterable[Row], record: Callable[[Row], bytes], newsroom: Newsroom, base_url: str
) -> bytes:
    """Return the RSS document of ``rows``, newest first; ``record`` gives the ninjs record of a row that is shown."""
    listed = tuple(rows)[: newsroom.feed_items]
    feed = FeedGenerator()
    feed.load_extension("dc", atom=False)
    feed.register_extension("media", Declared, FileList, atom=False)
    feed.title(channel.title)
    feed.description(channel.description)
    feed.language(channel.language)
    feed.generator("Dateline")
    feed.docs("https://www.rssboard.org/rss-specification")
    feed.lastBuildDate(max((row.modified for row in listed), default=EPOCH))
    feed.link(href=f"{base_url}{channel.key}", rel="self", type="application/rss+xml")
    # The channel's own link is the one set last (feedgen takes any ``rel``), so the self link comes first.
    feed.link(href=f"{base_url}index.html", rel="alternate")
    for row in listed:
        feed.add_entry(_entry(row, msgspec.json.decode(record(row)), newsroom, base_url), order="append")
    return bytes(feed.rss_str(pretty=True))


def _entry(row: Row, record: dict[str, Any], newsroom: Newsroom, base_url: str) -> FeedEntry:
    entry = FeedEntry()
    entry.load_extension("dc", atom=False)
    entry.register_extension("media", FileList, atom=False)
    entry.id(record["uri"])
    entry.guid(record["uri"], permalink=False)
    entry.title(row.title)
    entry.link(href=f"{base_url}releases/{row.slug}.html")
    # Readers take a description for HTML, so the plain summary is escaped once more than XML asks for.
    entry.description(str(escape(row.summary)))
    entry.content(record["bodies"][0]["value"])
    entry.published(row.date)
    for topic in row.topics:
        entry.category(term=newsroom.topic_label(topic, row.language))
    entry.dc.dc_creator(newsroom.name)
    for rendition in record["renditions"]:
        if rendition["name"] == "pdf":
            entry.enclosure(rendition["href"], str(rendition["sizeInBytes"]), rendition["contentType"])
        if " px: " in rendition["name"]:  # a smaller copy of a picture is for pages
            continue
        entry.media.files.append((rendition["href"], rendition["contentType"], rendition["sizeInBytes"]))
    return entry


class Declared(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the name space of Media RSS at the root."""

    def extend_ns(self) -> dict[str, str]:
        """Return prefix → name space."""
        return {"media": MEDIA}


class FileList(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Every file of a release as ``media:content`` (Media RSS): feedgen's own extension knows pictures only."""

    def __init__(self) -> None:
        self.files: list[tuple[str, str, int]] = []

    def extend_rss(self, item: Any) -> Any:
        """Add the files to an ``item`` element."""
        for url, media_type, size in self.files:
            attributes = {"url": url, "type": media_type, "fileSize": str(size)}
            etree.SubElement(item, f"{{{MEDIA}}}content", attributes)
        return item
