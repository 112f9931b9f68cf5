"""What all renditions and listings of one run have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from pipeline.model.manifest import EMPTY, PublicReleases
from pipeline.model.newsroom import Newsroom
from pipeline.model.statement import Signers


class RenderContext(Struct, frozen=True):
    """The newsroom, its public address and the instant of the run."""

    newsroom: Newsroom
    mark: bytes
    """The organisation's logo (PNG), or empty."""
    base_url: str
    """Public address of the newsroom, ending in a slash."""
    now: datetime
    published: PublicReleases = EMPTY
    """The manifest as last fetched. It also has releases whose renditions are not on this machine."""
    assets: Mapping[str, str] = {}
    """Logical name → key of the style sheet, the web fonts and the logo."""
    signers: Signers = Signers()
    """Who may sign statements; none where the newsroom does not sign."""
    cluster: str = ""
    """Address of the Dask scheduler whose workers render; empty: this machine renders alone."""
