"""The listings: all files that show more than one release, or the newsroom itself.

They are built from the manifest, and the feeds also from the records of the releases they show. ``keys`` and ``shown``
import no template engine and no feed library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.model.manifest import Manifest, Row
from pipeline.model.render_context import RenderContext
from pipeline.site import archive, contact, moved, sitemap
from pipeline.typography import feed_list

PAGES = ("index.html", *contact.KEYS)
"""The listings that every newsroom has; feeds, archive and sitemap depend on what is public."""


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all listings."""
    return (*feed_list.keys(manifest), *archive.keys(manifest), *PAGES, *sitemap.keys(manifest), *moved.keys(manifest))


def shown(manifest: Manifest, render_context: RenderContext) -> Mapping[str, Row]:
    """Return the rows that any feed shows, by slug. ``build`` needs the records of these only."""
    limit = render_context.newsroom.feed_items
    return {row.slug: row for _, rows in feed_list.feeds(manifest, render_context.newsroom) for row in rows[:limit]}


def build(manifest: Manifest, render_context: RenderContext, record: Callable[[Row], bytes]) -> Mapping[str, bytes]:
    """Return all listings, key → bytes. ``record`` returns the ninjs record of a row."""
    return {**feeds(manifest, render_context, record), **pages(manifest, render_context)}


def feeds(manifest: Manifest, render_context: RenderContext, record: Callable[[Row], bytes]) -> Mapping[str, bytes]:
    """Return every feed in every format, key → bytes."""
    from pipeline.site.feeds import render_feeds  # imports feedgen

    newsroom = render_context.newsroom
    return render_feeds(feed_list.feeds(manifest, newsroom), record, newsroom, render_context.base_url)


def pages(manifest: Manifest, render_context: RenderContext) -> Mapping[str, bytes]:
    """Return archive, newsroom page, media-contact files, sitemap, robots.txt and old addresses, key → bytes.

    The archive comes before the newsroom page, which links to it.
    """
    from pipeline.site.pages import archive_pages, newsroom_page

    return {
        **archive_pages(manifest, render_context),
        "index.html": newsroom_page(manifest.rows, render_context),
        **contact.contact_files(render_context),
        **sitemap.files(manifest, render_context.base_url, render_context.newsroom.language),
        **moved.files(manifest, render_context),
    }
