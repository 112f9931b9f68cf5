"""A feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from pipeline.model.formats import JSON_FEED
from pipeline.model.newsroom import Newsroom
from pipeline.site.syndicated import FeedItem
from pipeline.typography.feed_list import Feed

VERSION = "https://jsonfeed.org/version/1.1"


def json_feed(channel: Feed, entries: Iterable[FeedItem], newsroom: Newsroom, base_url: str) -> bytes:
    """Return the JSON Feed of ``entries``, in their order."""
    found = {
        "version": VERSION,
        "title": channel.title,
        "home_page_url": f"{base_url}index.html",
        "feed_url": f"{base_url}{JSON_FEED.key(channel.path)}",
        "description": channel.description,
        "language": channel.language,
        "authors": [_known({"name": newsroom.name, "url": newsroom.website})],
        "items": [_item(entry) for entry in entries],
    }
    return msgspec.json.encode(found) + b"\n"


def _item(entry: FeedItem) -> dict[str, Any]:
    found = {
        "id": entry.id,
        "url": entry.url,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.html,
        "date_published": entry.published.isoformat(),
        "date_modified": entry.updated.isoformat(),
        "language": entry.language,
        "tags": [subject.label for subject in entry.subjects],
        "attachments": [
            _known({"url": file.url, "mime_type": file.media_type, "title": file.title, "size_in_bytes": file.size})
            for file in entry.files
        ],
    }
    return _known(found)


def _known(found: dict[str, Any]) -> dict[str, Any]:
    """Leave out what there is nothing to say of: the standard knows no empty member."""
    return {name: value for name, value in found.items() if value not in ("", [])}
