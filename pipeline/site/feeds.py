"""Feeds of the newest of some releases: RSS 2.0 (https://www.rssboard.org/rss-specification) and Atom 1.0 (RFC 4287),
both by feedgen, and JSON Feed.

All of them say the same: the summary, the whole article, the PDF and every other file. RSS takes one enclosure, the
PDF, and lists every file as ``media:content``; Atom has an enclosure for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree
from markupsafe import escape

from pipeline.model.formats import ATOM, JSON_FEED, RSS, Syndication
from pipeline.model.manifest import Row
from pipeline.model.newsroom import Newsroom
from pipeline.site.jsonfeed import json_feed
from pipeline.site.syndicated import FeedItem, last_change, reader
from pipeline.typography.feed_list import Feed

MEDIA = "http://search.yahoo.com/mrss/"
UPDATED = "{http://www.w3.org/2005/Atom}updated"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def feeds(
    feed_list: Iterable[tuple[Feed, Iterable[Row]]], record: Callable[[Row], bytes], newsroom: Newsroom, base_url: str
) -> dict[str, bytes]:
    """Return every feed in every format by key; of its rows, newest first, each shows as many as the newsroom wants.

    ``record`` gives the ninjs record of a row that is shown, and is asked for each once.
    """
    entry_of = reader(record, newsroom, base_url)
    set_by_id: dict[str, FeedEntry] = {}
    found: dict[str, bytes] = {}
    for channel, rows in feed_list:
        entries = [entry_of(row) for row in tuple(rows)[: newsroom.feed_items]]
        for entry in entries:
            if entry.id not in set_by_id:
                set_by_id[entry.id] = _entry(entry, newsroom)
        shown = [set_by_id[entry.id] for entry in entries]
        for row in (RSS, ATOM):
            feed = _head(row, channel, entries, newsroom, base_url)
            for each in shown:
                feed.add_entry(each, order="append")  # feedgen's own order is the newest last
            text = feed.rss_str(pretty=True) if row is RSS else feed.atom_str(pretty=True)
            found[row.key(channel.path)] = bytes(text)
        found[JSON_FEED.key(channel.path)] = json_feed(channel, entries, newsroom, base_url)
    return found


def _head(
    row: Syndication, channel: Feed, entries: Iterable[FeedItem], newsroom: Newsroom, base_url: str
) -> FeedGenerator:
    changed = last_change(entries)  # else feedgen takes the clock
    feed = FeedGenerator()
    feed.load_extension("dc", atom=False)
    feed.register_extension("media", Declared, Files, atom=False)
    feed.id(newsroom.feed_id(channel.path))
    feed.title(channel.title)
    feed.description(channel.description)
    feed.subtitle(channel.description)
    feed.language(channel.language)
    feed.author(_author(newsroom))
    feed.generator("Dateline")
    feed.docs("https://www.rssboard.org/rss-specification")
    feed.updated(changed)  # and the build date of RSS with it
    feed.link(href=f"{base_url}{row.key(channel.path)}", rel="self", type=row.link_type)
    # The RSS channel's own link is the one set last (feedgen takes any ``rel``), so the self link comes first.
    feed.link(href=f"{base_url}index.html", rel="alternate", type="text/html")
    return feed


def _author(newsroom: Newsroom) -> dict[str, str]:
    return {"name": newsroom.name, "uri": newsroom.website}


def _entry(found: FeedItem, newsroom: Newsroom) -> FeedEntry:
    """Return what RSS and Atom have in common; the links of Atom are ``Files``' business."""
    entry = FeedEntry()
    entry.load_extension("dc", atom=False)
    entry.register_extension("media", Files)
    entry.media.entry = found
    entry.id(found.id)
    entry.guid(found.id, permalink=False)
    entry.title(found.title)
    entry.link(href=found.url, rel="alternate")
    # Readers take a description for HTML, so the plain summary is escaped once more than XML asks for. Without one
    # feedgen would put the whole article there.
    entry.description(str(escape(found.summary or found.title)))
    entry.content(found.html, type="html")  # "CDATA" would get into Atom as the type
    entry.summary(found.summary or found.title)  # after the description, which it would replace otherwise
    entry.published(found.published)
    entry.updated(found.updated)
    entry.author(_author(newsroom))
    for subject in found.subjects:
        entry.category(term=subject.id, label=subject.label)
    entry.dc.dc_creator(newsroom.name)
    entry.dc.dc_language(found.language)
    for file in found.files[:1]:
        if file.media_type == "application/pdf":
            entry.enclosure(file.url, str(file.size), file.media_type)
    return entry


class Declared(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the name space of Media RSS at the root."""

    def extend_ns(self) -> dict[str, str]:
        """Return prefix → name space."""
        return {"media": MEDIA}


class Files(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Every file of a release, and what else feedgen has no words for."""

    entry: FeedItem

    def extend_rss(self, item: Any) -> Any:
        """Add the files as ``media:content`` (Media RSS): feedgen's own extension knows pictures only.

        RSS has no word for the date of a correction, so it is said in Atom's, as the feed's own address is.
        """
        etree.SubElement(item, UPDATED).text = self.entry.updated.isoformat()
        for file in self.entry.files:
            attributes = {"url": file.url, "type": file.media_type, "fileSize": str(file.size)}
            etree.SubElement(item, f"{{{MEDIA}}}content", attributes)
        return item

    def extend_atom(self, entry: Any) -> Any:
        """Add the language, and all links anew: feedgen drops their ``rel``, ``type`` and ``length`` in entries."""
        entry.set(LANGUAGE, self.entry.language)
        for bare in entry.findall("link"):
            entry.remove(bare)
        page = {"rel": "alternate", "type": "text/html", "href": self.entry.url, "hreflang": self.entry.language}
        etree.SubElement(entry, "link", page)
        for file in self.entry.files:
            link = {"rel": "enclosure", "type": file.media_type, "length": str(file.size), "href": file.url}
            etree.SubElement(entry, "link", {**link, "title": file.title} if file.title else link)
        return entry
