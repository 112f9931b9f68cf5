"""The row of downloads on a page: the files of a release with format, pages and size."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pipeline.model.formats import FORMATS, Rendition, by_name
from pipeline.typography.messages import Messages

ORDER = tuple(row.name for row in sorted(FORMATS, key=lambda row: row.offered) if row.offered)
"""Formats in the order in which readers ask for them."""


class Download(Struct, frozen=True):
    """One file to download."""

    label: str
    """Name of the format in the language of the page."""
    facts: str
    """``2 pages, 26 KB``."""
    href: str
    """Relative to the page."""
    media_type: str


def list_downloads(
    renditions: Iterable[Rendition],
    messages: Messages,
    folder: str = "",
    later: Iterable[Rendition] = (),
    order: Iterable[str] = ORDER,
) -> tuple[Download, ...]:
    """Return the downloads of the formats in ``order``; ``folder`` leads from the page to their folder.

    Renditions in ``later`` are rendered after the page, so their size is not stated.
    """
    by_format = {rendition.format: rendition for rendition in (*later, *renditions)}
    return tuple(_download(by_format[name], messages, folder) for name in order if name in by_format)


def _download(rendition: Rendition, messages: Messages, folder: str) -> Download:
    row = by_name(rendition.format)
    file = rendition.key.rpartition("/")[2]
    facts = [messages.pages(rendition.pages)] if rendition.pages else []
    facts += [messages.size(rendition.size)] if rendition.size else []
    try:
        label = messages[rendition.format]
    except KeyError:
        label = row.label
    return Download(label, ", ".join(facts), folder + file, row.media_type)
