"""Writers: one release → the bytes of one format.

A writer is a module with ``write(job: Job) -> Made``. It reads the job and the templates, and nothing else: no files,
clock, network or settings.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from pipeline.model.formats import Rendition
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Related, Release
from pipeline.model.revision import RevisionRecord
from pipeline.typography.article import Article
from pipeline.typography.messages import Messages

# WeasyPrint says so at its import, on a machine without fonts; but the faces come along with the pipeline.
warnings.filterwarnings("ignore", "No fonts configured|FontConfig cannot load", UserWarning)


class RenderInput(Struct, frozen=True):
    """All that a writer may know."""

    release: Release
    newsroom: Newsroom
    messages: Messages
    article: Article
    pictures: Mapping[str, bytes]
    """By name, copies too: upright, free of metadata, checked."""
    mark: bytes
    """The organisation's mark, a PNG; empty when it has none."""
    base_url: str
    """Where the public tree will stand, ending in a slash."""
    made: tuple[Rendition, ...] = ()
    """The renditions of this release that ``Format.after`` names, and its pictures."""
    files: Mapping[str, bytes] = {}
    """The bytes of these renditions by key, for a format that packs them."""
    related: tuple[Related, ...] = ()
    """The same release in other languages, as far as the public may know."""
    neighbours: tuple[Related, ...] = ()
    """The public releases before and after it."""
    assets: Mapping[str, str] = {}
    """Logical name → key of what pages share, e.g. ``page.css`` → ``assets/page.1a2b3c4d.css``."""
    past: tuple[RevisionRecord, ...] = ()
    """What the release was before, oldest first."""


class Output(Struct, frozen=True):
    """A finished rendition."""

    data: bytes
    pages: int = 0
    """Printed pages, 0 where the format has none."""


class Writer(Protocol):
    """The shape of ``write`` in every writer module."""

    def __call__(self, render_input: RenderInput) -> Output:
        """Set ``job.article``. Raises ``RenderError`` when it cannot be set whole."""
        ...


def home_link(base_url: str, href: str) -> str:
    """Return where ``href`` leads when it is read away from the release page: a relative link becomes absolute."""
    return href if href.startswith("#") or ":" in href.split("/")[0] else f"{base_url}releases/{href}"
