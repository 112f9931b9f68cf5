"""Writers: one release in, the bytes of one format out.

Each writer is a module or a package with ``write(render_input: RenderInput) -> Output``: ``text``, ``pdf``, ``docx``,
``kit``, ``html`` and ``ninjs``. The table of formats says which writer makes which format. A writer reads its render
input and the templates, and no other files, no clock, no network and no settings; so the same input gives the same
bytes. ``markup`` and ``table_layout`` are what several writers share. This module is light: import a writer only when
you render with it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pipeline.model.document import Figure
from pipeline.model.footage import Missing
from pipeline.model.formats import Rendition
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Related, Release
from pipeline.model.revision import RevisionRecord
from pipeline.typography.article import Article
from pipeline.typography.messages import Messages

# WeasyPrint warns while it is imported on a machine without fonts. Dateline brings its own fonts.
warnings.filterwarnings("ignore", "No fonts configured|FontConfig cannot load", UserWarning)


class RenderInput(Struct, frozen=True):
    """Everything that a writer may use."""

    release: Release
    newsroom: Newsroom
    messages: Messages
    article: Article
    pictures: Mapping[str, bytes]
    """By file name, smaller copies included: checked, upright, without the camera's metadata."""
    mark: bytes
    """The organisation's mark as a PNG; empty when it has none."""
    base_url: str
    """The public address of the newsroom, ending in a slash."""
    renditions: tuple[Rendition, ...] = ()
    """The renditions of this release that ``Format.after`` names, then its pictures."""
    files: Mapping[str, bytes] = {}
    """Key → bytes of these renditions, for a format that packs them."""
    related: tuple[Related, ...] = ()
    """The same release in other languages, as far as these are public."""
    neighbours: tuple[Related, ...] = ()
    """The previous and the next public release."""
    same_topic: tuple[Related, ...] = ()
    """The nearest earlier releases on the same topics, newest first."""
    assets: Mapping[str, str] = {}
    """Logical name → key of the files that pages share, e.g. ``page.css`` → ``assets/page.1a2b3c4d.css``."""
    missing: Mapping[str, Missing] = {}
    """Names of the footage files that are not there yet, or not any more. Empty for formats that do not say so."""
    past: tuple[RevisionRecord, ...] = ()
    """The earlier revisions of the release, oldest first."""

    def credit(self, figure: Figure) -> str:
        """Return the line that names who made a picture, and whether with AI; empty when there is nothing to say."""
        mark = next((each.mark for each in self.release.pictures if each.file == figure.file), "")
        return self.messages.credit(figure.credit, mark)


class Output(Struct, frozen=True):
    """A finished rendition."""

    data: bytes
    pages: int = 0
    """Printed pages; 0 where the format has none."""


class Writer(Protocol):
    """The shape of every writer's ``write``."""

    def __call__(self, render_input: RenderInput) -> Output:
        """Render ``render_input.article``. Raises ``RenderError`` when the format cannot hold all of it."""
        ...


def home_link(base_url: str, href: str) -> str:
    """Return ``href`` as it works away from the release page: a relative link becomes absolute."""
    return href if href.startswith("#") or ":" in href.split("/")[0] else f"{base_url}releases/{href}"
