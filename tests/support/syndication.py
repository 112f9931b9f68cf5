"""Check feeds against RSS 2.0, Atom 1.0 (RFC 4287) and JSON Feed 1.1, and read their entries.

The rules follow the specifications, not the code under test: no validator of feeds is available as a package.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import feedparser
from msgspec import Struct

ATOM = "{http://www.w3.org/2005/Atom}"
MEDIA = "{http://search.yahoo.com/mrss/}content"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
XML = "{http://www.w3.org/XML/1998/namespace}"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
RFC822 = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}")
MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

ALL = ["feed.xml", "atom.xml", "feed.json"]

Shape = dict[str, Any]


class FeedEntry(Struct, frozen=True):
    """One entry, in whichever format."""

    id: str
    title: str
    url: str
    published: datetime
    updated: datetime
    html: str
    files: frozenset[tuple[str, str, int]]
    """Address, media type and bytes of everything that is offered."""


class ParsedFeed(Struct, frozen=True):
    """A feed, in whichever format."""

    url: str
    """Where it says that it stands."""
    title: str
    language: str
    entries: tuple[FeedEntry, ...]


def three(*paths: str) -> list[str]:
    """Return where the feeds of these paths stand; that of all releases has none."""
    found = []
    for path in paths:
        found += [f"feeds/{path}.xml", f"feeds/{path}.atom.xml", f"feeds/{path}.json"] if path else ALL
    return found


def read(data: bytes) -> ParsedFeed:
    """Return what a feed says: RSS and Atom as feedparser understands them. Fails when any rule is broken."""
    assert faults(data) == []
    return _of_json(json.loads(data)) if data.startswith(b"{") else _of_xml(feedparser.parse(data))


def _of_xml(found: Any) -> ParsedFeed:
    assert not found.bozo, found.get("bozo_exception")
    (own,) = (link.href for link in found.feed.links if link.rel == "self")
    return ParsedFeed(own, found.feed.title, found.feed.language, tuple(_entry(each) for each in found.entries))


def _entry(found: Any) -> FeedEntry:
    media = [(each["url"], each["type"], int(each["filesize"])) for each in found.get("media_content", [])]
    enclosed = [(each.href, each.type, int(each.length)) for each in found.enclosures]
    assert set(enclosed) <= set(media or enclosed), "an enclosure is one of the files"
    kinds = [kind for _, kind, _ in enclosed]
    assert "application/pdf" not in kinds[1:], "the PDF is the first"
    date = parsedate_to_datetime if RFC822.fullmatch(found.published) else datetime.fromisoformat
    return FeedEntry(
        found.id,
        found.title,
        found.link,
        date(found.published),
        datetime.fromisoformat(found.updated),
        found.content[0].value,
        frozenset(media or enclosed),
    )


def _of_json(found: Shape) -> ParsedFeed:
    return ParsedFeed(
        found["feed_url"], found["title"], found["language"], tuple(_item(each) for each in found["items"])
    )


def _item(found: Shape) -> FeedEntry:
    return FeedEntry(
        found["id"],
        found["title"],
        found["url"],
        datetime.fromisoformat(found["date_published"]),
        datetime.fromisoformat(found["date_modified"]),
        found["content_html"],
        frozenset((each["url"], each["mime_type"], each["size_in_bytes"]) for each in found["attachments"]),
    )


# ── Rules ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def faults(data: bytes) -> list[str]:
    """Return the rules of its own format that a feed breaks."""
    if data.startswith(b"{"):
        return list(_json(json.loads(data)))
    root = ElementTree.fromstring(data)
    return list(_rss(root) if root.tag == "rss" else _atom(root))


def _is_address(text: object) -> bool:
    parts = urlsplit(text) if isinstance(text, str) else None
    return bool(parts and parts.scheme in ("http", "https") and parts.netloc and text and str(text).isascii())


def _is_id(text: object) -> bool:
    return isinstance(text, str) and re.fullmatch(r"(https?|tag|urn):[!-~]+", text) is not None


def _relative(html: str) -> Iterator[str]:
    """Yield addresses within an article that only its page could resolve."""
    for address in re.findall(r'\b(?:href|src|srcset)="([^"]*)"', html):
        if not re.match(r"(https?|mailto|tel):", address):
            yield f"relative address in an article: {address}"


def _repeated(ids: list[str]) -> Iterator[str]:
    if len(ids) != len(set(ids)):
        yield "two entries have one id"


def _once(found: ElementTree.Element, names: str, space: str = "") -> Iterator[str]:
    """Yield what does not stand there just once, with words in it."""
    for name in names.split():
        texts = [each.text for each in found.findall(space + name)]
        if len(texts) != 1 or not (texts[0] or "").strip():
            yield f"{found.tag.removeprefix(space)}: {len(texts)} × {name} {texts}"


def _rss(root: ElementTree.Element) -> Iterator[str]:
    if root.get("version") != "2.0" or [each.tag for each in root] != ["channel"]:
        yield "no channel of RSS 2.0"
    channel = root[0]
    yield from _once(channel, "title link description language lastBuildDate")
    own = [link for link in channel.findall(f"{ATOM}link") if link.get("rel") == "self"]
    if len(own) != 1 or not _is_address(own[0].get("href")) or own[0].get("type") != "application/rss+xml":
        yield "it does not say where it stands"
    yield from _rss_dates(channel, "lastBuildDate")
    for item in channel.findall("item"):
        yield from _once(item, "title link description guid pubDate")
        yield from _once(item, "updated", ATOM)
        yield from _rss_dates(item, "pubDate")
        yield from _relative(item.findtext(CONTENT) or "")
        if not item.findtext(CONTENT):
            yield "no article"
        if (guid := item.find("guid")) is not None and (guid.get("isPermaLink") != "false" or not _is_id(guid.text)):
            yield f"guid: {guid.text} {guid.attrib}"
        if not _is_address(item.findtext("link")):
            yield f"link: {item.findtext('link')}"
        if len(item.findall("enclosure")) > 1:
            yield "readers take one enclosure"
        for each in item.findall("enclosure"):
            yield from _file(each.get("url"), each.get("type"), each.get("length"))
        for each in item.findall(MEDIA):
            yield from _file(each.get("url"), each.get("type"), each.get("fileSize"))
    yield from _repeated([item.findtext("guid") or "" for item in channel.findall("item")])


def _rss_dates(found: ElementTree.Element, name: str) -> Iterator[str]:
    if not RFC822.fullmatch(found.findtext(name) or ""):
        yield f"{name}: {found.findtext(name)}"


def _file(url: object, media_type: object, size: object) -> Iterator[str]:
    if not _is_address(url) or not MEDIA_TYPE.fullmatch(str(media_type)) or not re.fullmatch(r"[1-9]\d*", str(size)):
        yield f"file: {url} {media_type} {size}"


def _atom(root: ElementTree.Element) -> Iterator[str]:
    if root.tag != f"{ATOM}feed":
        yield f"no feed of Atom: {root.tag}"
    if foreign := [each.tag for each in root.iter() if not each.tag.startswith(ATOM)]:
        yield f"not of Atom: {foreign}"
    if based := [each.tag for each in root.iter() if each.get(f"{XML}base") is not None]:
        yield f"all addresses are whole, and yet {based} have a base"
    yield from _atom_common(root)
    links = [(link.get("rel"), link.get("type")) for link in root.findall(f"{ATOM}link")]
    if sorted(links) != [("alternate", "text/html"), ("self", "application/atom+xml")]:
        yield f"links of the feed: {links}"
    for entry in root.findall(f"{ATOM}entry"):
        yield from _atom_common(entry)
        yield from _once(entry, "published summary content", ATOM)
        yield from _atom_date(entry, "published")
        content = entry.find(f"{ATOM}content")
        if content is None or content.get("type") != "html" or len(content):
            yield "no article"
        else:
            yield from _relative(content.text or "")
        kinds = [link.get("rel", "alternate") for link in entry.findall(f"{ATOM}link")]  # as the RFC has it, 4.2.7.2
        if kinds.count("alternate") != 1:
            yield f"links of an entry: {kinds}"
        for link in entry.findall(f"{ATOM}link"):
            if link.get("rel") == "enclosure":
                yield from _file(link.get("href"), link.get("type"), link.get("length"))
        if untermed := [each.attrib for each in entry.findall(f"{ATOM}category") if not each.get("term")]:
            yield f"category: {untermed}"
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in root.findall(f"{ATOM}entry")]
    yield from _repeated([*ids, root.findtext(f"{ATOM}id") or ""])


def _atom_common(found: ElementTree.Element) -> Iterator[str]:
    """Yield what a feed and an entry of it must have both."""
    yield from _once(found, "id title updated", ATOM)
    yield from _atom_date(found, "updated")
    if not _is_id(found.findtext(f"{ATOM}id")):
        yield f"id: {found.findtext(f'{ATOM}id')}"
    if not TAG.fullmatch(found.get(f"{XML}lang") or ""):
        yield f"language: {found.get(f'{XML}lang')}"
    for author in found.findall(f"{ATOM}author") or [found]:
        yield from _once(author, "name", ATOM)
        if (uri := author.find(f"{ATOM}uri")) is not None and not _is_address(uri.text):
            yield f"author: {uri.text}"
    for link in found.findall(f"{ATOM}link"):
        if not _is_address(link.get("href")):
            yield f"link: {link.attrib}"


def _atom_date(found: ElementTree.Element, name: str) -> Iterator[str]:
    if not RFC3339.fullmatch(found.findtext(ATOM + name) or ""):
        yield f"{name}: {found.findtext(ATOM + name)}"


_FEED = {"version", "title", "home_page_url", "feed_url", "description", "language", "authors", "items"}
_DATES = {"date_published", "date_modified"}
_ITEM = {"id", "url", "title", "summary", "content_html", "language", "tags", "attachments", *_DATES}
_OPTIONAL = {"summary", "tags", "attachments"}


def _json(found: Shape) -> Iterator[str]:
    if found.get("version") != "https://jsonfeed.org/version/1.1":
        yield f"version: {found.get('version')}"
    if set(found) != _FEED:
        yield f"members of the feed: {sorted(set(found) ^ _FEED)}"
        return
    if bad := [name for name in ("home_page_url", "feed_url") if not _is_address(found[name])]:
        yield f"no address: {bad}"
    for author in found["authors"]:
        if not author.get("name") or ("url" in author and not _is_address(author["url"])):
            yield f"author: {author}"
    yield from _json_texts(found, _FEED - {"authors", "items"})
    for item in found["items"]:
        if not _ITEM - _OPTIONAL <= set(item) <= _ITEM:
            yield f"members of an item: {sorted(set(item) ^ _ITEM)}"
            return
        yield from _json_texts(item, _ITEM - {"tags", "attachments"})
        yield from _relative(item["content_html"])
        if not _is_address(item["url"]) or not _is_id(item["id"]):
            yield f"item: {item['id']} {item['url']}"
        if bad := [name for name in sorted(_DATES) if not RFC3339.fullmatch(item[name])]:
            yield f"dates: {bad}"
        if bad := [each for each in item.get("tags", []) if not isinstance(each, str)]:
            yield f"tags: {bad}"
        for each in item.get("attachments", []):
            yield from _json_texts(each, {"url", "mime_type", "title"})
            yield from _file(each["url"], each["mime_type"], each["size_in_bytes"])
            if type(each["size_in_bytes"]) is not int:
                yield "a size is a number"
    yield from _repeated([item["id"] for item in found["items"]])


def _json_texts(found: Shape, names: set[str]) -> Iterator[str]:
    for name in sorted(names & set(found)):
        if not isinstance(found[name], str) or not found[name]:
            yield f"{name}: {found[name]!r}"
    if "language" in names and not TAG.fullmatch(found.get("language", "")):
        yield f"language: {found.get('language')}"
