"""Pages at old addresses of releases, which lead to the release.

They name nothing but its address, so that they stay right when it is corrected or withdrawn: then they lead to the
notice. They load no file, so that they stay right with a new look too. The sitemap does not list them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from pipeline.model.formats import is_old_address
from pipeline.model.manifest import Manifest, Row
from pipeline.model.render_context import RenderContext
from pipeline.typography.messages import Messages
from pipeline.typography.templates import SCRIPTLESS, render


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all pages."""
    return tuple(_rows(manifest))


def files(manifest: Manifest, render_context: RenderContext, only: Container[str] | None = None) -> Mapping[str, bytes]:
    """Return all pages, or those with a key in ``only``, key → bytes."""
    rows = _rows(manifest).items()
    return {key: _page(key, row, render_context) for key, row in rows if only is None or key in only}


def contents(manifest: Manifest) -> Mapping[str, object]:
    """Return what each page states, by key."""
    return {key: (row.slug, row.language) for key, row in _rows(manifest).items()}


def _rows(manifest: Manifest) -> dict[str, Row]:
    """Return the release to which each address leads: where several had it, the oldest."""
    return {address: row for row in manifest.rows for address in row.was if is_old_address(address)}


def _page(key: str, row: Row, render_context: RenderContext) -> bytes:
    page = f"releases/{row.slug}.html"
    return render(
        "moved.html.j2",
        newsroom=render_context.newsroom,
        messages=Messages(row.language, render_context.newsroom.time_zone),
        canonical=render_context.base_url + page,
        href="../" * key.count("/") + page,
        policy=SCRIPTLESS,
    ).encode()
