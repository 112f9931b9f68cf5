"""What all renditions of one run have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from pipeline.model.manifest import EMPTY, Manifest
from pipeline.model.newsroom import Newsroom


class RenderContext(Struct, frozen=True):
    """What is the same for all releases of a run."""

    newsroom: Newsroom
    mark: bytes
    base_url: str
    now: datetime
    published: Manifest = EMPTY
    """As last fetched: it knows releases whose renditions are not on this machine."""
    assets: Mapping[str, str] = {}
    """Logical name → key of style sheets, fonts and mark."""
