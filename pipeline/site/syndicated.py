"""An entry of a feed, whatever the feed's format: a row of the manifest and the record that it names.

Made of records, so that feeds hold releases of other machines too. Each record is decoded once, however many feeds show
its release, and all formats say the same because they set the same entries.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from pipeline.model.formats import FORMATS, Rendition, by_name
from pipeline.model.manifest import Row
from pipeline.model.newsroom import Newsroom
from pipeline.typography.feed_list import canonical

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""When the feed of an empty newsroom was changed last: no clock is read here."""
PACKS = tuple(row.name for row in FORMATS if row.packs)
"""Formats that hold the others: nobody is told to take a whole kit of what was withdrawn."""


class FeedFile(Struct, frozen=True):
    """A file that an entry offers."""

    url: str
    media_type: str
    """Without parameters."""
    size: int
    title: str


class Subject(Struct, frozen=True):
    """A topic by its id, and its name in the language of the entry."""

    id: str
    label: str


class FeedItem(Struct, frozen=True):
    """One release as feeds tell it."""

    id: str
    """The release's permanent name."""
    url: str
    """Of its page."""
    title: str
    summary: str
    """Plain text."""
    html: str
    """The whole article, with absolute addresses."""
    language: str
    published: datetime
    updated: datetime
    """Later than ``published`` once the release was corrected or withdrawn."""
    subjects: tuple[Subject, ...]
    files: tuple[FeedFile, ...]
    """Everything but the page, to which ``url`` leads: the PDF first, the record last."""


class _Body(Struct):
    value: str


class _Rendition(Struct, rename="camel"):
    name: str
    href: str
    content_type: str
    size_in_bytes: int
    title: str = ""


class _Record(Struct):
    uri: str
    bodies: tuple[_Body, ...]
    renditions: tuple[_Rendition, ...]


def reader(record: Callable[[Row], bytes], newsroom: Newsroom, base_url: str) -> Callable[[Row], FeedItem]:
    """Return what makes an entry of a row, each only once; ``record`` gives a row's ninjs record."""
    known: dict[str, FeedItem] = {}

    def entry(row: Row) -> FeedItem:
        if row.slug not in known:
            known[row.slug] = _entry(row, record(row), newsroom, base_url)
        return known[row.slug]

    return entry


def _entry(row: Row, data: bytes, newsroom: Newsroom, base_url: str) -> FeedItem:
    record = msgspec.json.decode(data, type=_Record)
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
        files=(*_files(record.renditions, PACKS if row.withdrawn else ()), *_record(row.files, base_url)),
    )


def _files(renditions: Iterable[_Rendition], left_out: Collection[str]) -> list[FeedFile]:
    # A smaller copy of a picture is for pages, and the page is where the entry itself leads.
    without = ("html", *left_out)
    offered = [each for each in renditions if each.name not in without and " px: " not in each.name]
    return [
        FeedFile(each.href, each.content_type.partition(";")[0], each.size_in_bytes, each.title)
        for each in sorted(offered, key=lambda each: each.name != "pdf")
    ]


def _record(files: Iterable[Rendition], base_url: str) -> Iterator[FeedFile]:
    """Yield the record itself, which can state no size of its own: the row does."""
    for each in files:
        if each.format == "json":
            row = by_name(each.format)
            yield FeedFile(base_url + each.key, row.media_type.partition(";")[0], each.size, row.label)


def last_change(entries: Iterable[FeedItem]) -> datetime:
    """Return the instant of the newest change among ``entries``."""
    return max((entry.updated for entry in entries), default=EPOCH)
