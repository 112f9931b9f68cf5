"""The row of files that a page offers: format, pages and size of each, in the order in which they are asked for."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pipeline.model.formats import Rendition, by_name
from pipeline.typography.messages import Messages

ORDER = ("pdf", "docx", "text", "json", "kit")


class Download(Struct, frozen=True):
    """One file to fetch."""

    label: str
    """What a reader calls it, in the language of the page."""
    facts: str
    """``2 pages, 26 KB``."""
    href: str
    """Relative to the page."""
    media_type: str
    name: str
    """File name to save it under."""


def offered(
    made: Iterable[Rendition],
    messages: Messages,
    folder: str = "",
    later: Iterable[Rendition] = (),
    order: Iterable[str] = ORDER,
) -> tuple[Download, ...]:
    """Return the files that readers are offered; ``folder`` leads from the page to ``releases/``.

    Pictures and the page itself are not among them. Of those made ``later`` than the page, no size can be stated.
    """
    by_format = {rendition.format: rendition for rendition in (*later, *made)}
    known = [by_format[name] for name in order if name in by_format]
    return tuple(_download(rendition, messages, folder) for rendition in known)


def _download(made: Rendition, messages: Messages, folder: str) -> Download:
    row = by_name(made.format)
    file = made.key.rpartition("/")[2]
    facts = [messages.pages(made.pages)] if made.pages else []
    facts += [messages.size(made.size)] if made.size else []
    try:
        label = messages[made.format]
    except KeyError:
        label = row.label
    return Download(label, ", ".join(facts), folder + file, row.media_type, file)
