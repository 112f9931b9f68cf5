"""The feeds: RSS 2.0 (https://www.rssboard.org/rss-specification), Atom 1.0 (RFC 4287), JSON Feed 1.1
(https://www.jsonfeed.org/version/1.1/).

A feed item is built from a row of the manifest and its record, because feeds also have releases whose renditions are
not on this machine. All formats render the same items: summary, whole article, the PDF and all other files. RSS allows
one enclosure, the PDF, and lists every file as ``media:content``; Atom has an enclosure for each. feedgen renders RSS
and Atom. It is imported only here, and this module only when feeds are rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree
from markupsafe import escape
from msgspec import Struct

from pipeline.model.footage import FOOTAGE, ROLES
from pipeline.model.formats import ATOM, FORMATS, JSON_FEED, RSS, Rendition, Syndication, by_name
from pipeline.model.manifest import Row
from pipeline.model.newsroom import Newsroom
from pipeline.typography.feed_list import Feed, canonical

MEDIA = "http://search.yahoo.com/mrss/"
UPDATED = "{http://www.w3.org/2005/Atom}updated"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
VERSION = "https://jsonfeed.org/version/1.1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Date of the last change of a feed without items: the clock is not read."""
PACKS = tuple(row.name for row in FORMATS if row.packs)
"""Formats that contain the others. They are not offered for a withdrawn release."""
PREVIEWS = tuple(row.name for row in FORMATS if row.preview)


def render_feeds(
    feeds: Iterable[tuple[Feed, Iterable[Row]]], record: Callable[[Row], bytes], newsroom: Newsroom, base_url: str
) -> dict[str, bytes]:
    """Return every feed in every format, key → bytes. Each has the first ``newsroom.feed_items`` of its rows.

    ``record`` returns the ninjs record of a row. It is called once for each row that a feed shows.
    """
    items: dict[str, FeedItem] = {}
    entries: dict[str, FeedEntry] = {}
    rendered: dict[str, bytes] = {}
    for feed, rows in feeds:
        shown = tuple(rows)[: newsroom.feed_items]
        for row in shown:
            if row.slug not in items:
                items[row.slug] = item = _item(row, record(row), newsroom, base_url)
                entries[row.slug] = _entry(item, newsroom)
        feed_items = [items[row.slug] for row in shown]
        for syndication in (RSS, ATOM):
            generator = _generator(syndication, feed, feed_items, newsroom, base_url)
            for row in shown:
                generator.add_entry(entries[row.slug], order="append")  # feedgen's default order is newest last
            text = generator.rss_str(pretty=True) if syndication is RSS else generator.atom_str(pretty=True)
            rendered[syndication.key(feed.path)] = bytes(text)
        rendered[JSON_FEED.key(feed.path)] = _json_feed(feed, feed_items, newsroom, base_url)
    return rendered


# --- Items -----------------------------------------------------------------------------------------------------------


class Film(Struct, frozen=True):
    """What feeds say of a file of footage; 0 for what is not known of it."""

    duration: float
    """Seconds."""
    width: int
    height: int
    frame_rate: float
    poster: str
    """Address of a still, or empty."""


class FeedFile(Struct, frozen=True):
    """A file of a feed item."""

    url: str
    media_type: str
    """Without parameters."""
    size: int
    title: str
    film: Film | None = None


class Subject(Struct, frozen=True):
    """A topic: its id, and its name in the language of the item."""

    id: str
    label: str


class FeedItem(Struct, frozen=True):
    """One release in a feed."""

    id: str
    """Permanent id of the release."""
    url: str
    """Address of its page."""
    title: str
    summary: str
    """Plain text."""
    html: str
    """The whole article, with absolute addresses."""
    language: str
    published: datetime
    updated: datetime
    """Later than ``published`` if the release was corrected or withdrawn."""
    subjects: tuple[Subject, ...]
    files: tuple[FeedFile, ...]
    """All files except the page: the PDF first, the record last."""


class _RecordBody(Struct):
    value: str


class _RecordRendition(Struct, rename="camel"):
    name: str
    href: str
    content_type: str
    size_in_bytes: int
    title: str = ""


class _AssociatedRendition(Struct, rename="camel"):
    name: str = ""
    href: str = ""
    duration: float = 0
    width: int = 0
    height: int = 0
    frame_rate: float = 0


class _Association(Struct):
    rel: str = ""
    renditions: tuple[_AssociatedRendition, ...] = ()


class _FeedRecord(Struct):
    """The fields of a ninjs record that feeds use."""

    uri: str
    bodies: tuple[_RecordBody, ...]
    renditions: tuple[_RecordRendition, ...]
    associations: tuple[_Association, ...] = ()


def _item(row: Row, data: bytes, newsroom: Newsroom, base_url: str) -> FeedItem:
    record = msgspec.json.decode(data, type=_FeedRecord)
    return FeedItem(
        id=record.uri,
        url=f"{base_url}releases/{row.slug}.html",
        title=row.title,
        summary=row.summary,
        html=record.bodies[0].value,
        language=canonical(row.language),
        published=row.date,
        updated=row.modified,
        subjects=tuple(Subject(topic, newsroom.topic_label(topic, row.language)) for topic in row.topics),
        files=(*_files(record.renditions, row.withdrawn, _films(record)), *_record_file(row.files, base_url)),
    )


def _films(record: _FeedRecord) -> dict[str, Film]:
    """Return address → film of all files of footage."""
    found: dict[str, Film] = {}
    for footage in (each for each in record.associations if each.rel == FOOTAGE):
        files = {file.href: file for file in footage.renditions if file.name.partition(": ")[0] in ROLES}
        poster = next((href for href, file in files.items() if file.name.startswith("poster: ")), "")
        for href, file in files.items():
            still = poster if href != poster and file.width else ""
            found[href] = Film(file.duration, file.width, file.height, file.frame_rate, still)
    return found


def _files(renditions: Iterable[_RecordRendition], withdrawn: bool, films: Mapping[str, Film]) -> list[FeedFile]:
    left_out = ("html", *PREVIEWS, *(PACKS if withdrawn else ()))
    # Smaller copies of pictures are only for pages.
    offered = [each for each in renditions if each.name not in left_out and " px: " not in each.name]
    return [
        FeedFile(each.href, each.content_type.partition(";")[0], each.size_in_bytes, each.title, films.get(each.href))
        for each in sorted(offered, key=lambda each: each.name != "pdf")
    ]


def _record_file(files: Iterable[Rendition], base_url: str) -> Iterator[FeedFile]:
    """Yield the record itself. Its size is in the row, because a record cannot state its own size."""
    for each in files:
        if each.format == "json":
            row = by_name(each.format)
            yield FeedFile(base_url + each.key, row.media_type.partition(";")[0], each.size, row.label)


# --- RSS and Atom ----------------------------------------------------------------------------------------------------


def _generator(
    syndication: Syndication, feed: Feed, items: Iterable[FeedItem], newsroom: Newsroom, base_url: str
) -> FeedGenerator:
    """Return a feed without entries."""
    generator = FeedGenerator()
    generator.load_extension("dc", atom=False)
    generator.register_extension("media", MediaNamespace, FeedItemExtension, atom=False)
    generator.id(newsroom.feed_id(feed.path))
    generator.title(feed.title)
    generator.description(feed.description)
    generator.subtitle(feed.description)
    generator.language(feed.language)
    generator.author(_author(newsroom))
    generator.generator("Dateline")
    generator.docs("https://www.rssboard.org/rss-specification")
    # This sets the build date of RSS too. Without it feedgen reads the clock.
    generator.updated(max((item.updated for item in items), default=EPOCH))
    generator.link(href=f"{base_url}{syndication.key(feed.path)}", rel="self", type=syndication.link_type)
    # feedgen takes the last link, whatever its ``rel``, as the link of the RSS channel.
    generator.link(href=f"{base_url}index.html", rel="alternate", type="text/html")
    return generator


def _author(newsroom: Newsroom) -> dict[str, str]:
    return {"name": newsroom.name, "uri": newsroom.website}


def _entry(item: FeedItem, newsroom: Newsroom) -> FeedEntry:
    """Return an entry for RSS and Atom; ``FeedItemExtension`` adds what differs."""
    entry = FeedEntry()
    entry.load_extension("dc", atom=False)
    entry.register_extension("media", FeedItemExtension)
    entry.media.item = item
    entry.id(item.id)
    entry.guid(item.id, permalink=False)
    entry.title(item.title)
    entry.link(href=item.url, rel="alternate")
    # Feed readers read a description as HTML, so the plain summary is escaped in addition to XML. Without a description
    # feedgen would use the whole article.
    entry.description(str(escape(item.summary or item.title)))
    entry.content(item.html, type="html")  # Atom would have "CDATA" as the type
    entry.summary(item.summary or item.title)  # after the description, or it would replace it
    entry.published(item.published)
    entry.updated(item.updated)
    entry.author(_author(newsroom))
    for subject in item.subjects:
        entry.category(term=subject.id, label=subject.label)
    entry.dc.dc_creator(newsroom.name)
    entry.dc.dc_language(item.language)
    for file in item.files[:1]:
        if file.media_type == "application/pdf":
            entry.enclosure(file.url, str(file.size), file.media_type)
    return entry


class MediaNamespace(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """Declares the namespace of Media RSS at the root of a feed."""

    def extend_ns(self) -> dict[str, str]:
        """Return prefix → namespace."""
        return {"media": MEDIA}


class FeedItemExtension(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """Adds to an entry what feedgen cannot express: files, the date of a change, language."""

    item: FeedItem

    def extend_rss(self, element: Any) -> Any:
        """Add the files as ``media:content`` (Media RSS): feedgen's own extension supports only pictures.

        RSS has no element for the date of a change, so Atom's is used, as for the feed's own address.
        """
        etree.SubElement(element, UPDATED).text = self.item.updated.isoformat()
        for file in self.item.files:
            attributes = {"url": file.url, "type": file.media_type, "fileSize": str(file.size)}
            content = etree.SubElement(element, f"{{{MEDIA}}}content", attributes | _media_facts(file))
            if file.film and file.film.poster:
                etree.SubElement(content, f"{{{MEDIA}}}thumbnail", {"url": file.film.poster})
        return element

    def extend_atom(self, element: Any) -> Any:
        """Add the language, and replace all links: feedgen drops their ``rel``, ``type`` and ``length`` in entries."""
        element.set(LANGUAGE, self.item.language)
        for link in element.findall("link"):
            element.remove(link)
        page = {"rel": "alternate", "type": "text/html", "href": self.item.url, "hreflang": self.item.language}
        etree.SubElement(element, "link", page)
        for file in self.item.files:
            link = {"rel": "enclosure", "type": file.media_type, "length": str(file.size), "href": file.url}
            etree.SubElement(element, "link", {**link, "title": file.title} if file.title else link)
        return element


def _media_facts(file: FeedFile) -> dict[str, str]:
    """Return the attributes that Media RSS has for films, sound and stills."""
    if file.film is None:
        return {}
    kind = file.media_type.partition("/")[0]
    facts = {
        "medium": {"video": "video", "audio": "audio", "image": "image", "text": "document"}.get(kind, "video"),
        "duration": round(file.film.duration),
        "width": file.film.width,
        "height": file.film.height,
        "framerate": f"{file.film.frame_rate:g}" if file.film.frame_rate else "",
    }
    return {name: str(value) for name, value in facts.items() if value}


# --- JSON Feed -------------------------------------------------------------------------------------------------------


def _json_feed(feed: Feed, items: Iterable[FeedItem], newsroom: Newsroom, base_url: str) -> bytes:
    document = {
        "version": VERSION,
        "title": feed.title,
        "home_page_url": f"{base_url}index.html",
        "feed_url": f"{base_url}{JSON_FEED.key(feed.path)}",
        "description": feed.description,
        "language": feed.language,
        "authors": [_without_empty({"name": newsroom.name, "url": newsroom.website})],
        "items": [_json_item(item) for item in items],
    }
    return msgspec.json.encode(document) + b"\n"


def _json_item(item: FeedItem) -> dict[str, Any]:
    attachments = [
        {
            "url": file.url,
            "mime_type": file.media_type,
            "title": file.title,
            "size_in_bytes": file.size,
            "duration_in_seconds": round(file.film.duration) if file.film and file.film.duration else "",
        }
        for file in item.files
    ]
    return _without_empty(
        {
            "id": item.id,
            "url": item.url,
            "title": item.title,
            "summary": item.summary,
            "content_html": item.html,
            "date_published": item.published.isoformat(),
            "date_modified": item.updated.isoformat(),
            "language": item.language,
            "tags": [subject.label for subject in item.subjects],
            "attachments": [_without_empty(attachment) for attachment in attachments],
        }
    )


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out empty members: JSON Feed does not allow them."""
    return {name: value for name, value in members.items() if value not in ("", [])}
