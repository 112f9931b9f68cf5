"""The listings: everything that shows more than one release. Made of the manifest and the newest records alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.model.manifest import Manifest, Row
from pipeline.model.render_context import RenderContext
from pipeline.site import archive
from pipeline.typography import feed_list
from pipeline.typography.messages import Messages

CONTACT = ("media-contact.html", "media-contact.txt", "media-contact.vcf")
PAGES = ("index.html", *CONTACT)
"""Those that are there whatever is public; the archive and the sitemap depend on it."""

Record = Callable[[Row], bytes]


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all listings."""
    from pipeline.site import sitemap  # templates are for commands that list something

    return (*feed_list.keys(manifest), *archive.keys(manifest), *PAGES, *sitemap.keys(manifest))


def build(manifest: Manifest, render_context: RenderContext, record: Record) -> Mapping[str, bytes]:
    """Return all listings by key; ``record`` gives the ninjs record of a row."""
    return {**feed(manifest, render_context, record), **pages(manifest, render_context)}


def shown(manifest: Manifest, render_context: RenderContext) -> Mapping[str, Row]:
    """Return the rows that stand in any feed, by slug: nobody's record is asked for but theirs."""
    limit = render_context.newsroom.feed_items
    return {row.slug: row for _, rows in feed_list.feeds(manifest, render_context.newsroom) for row in rows[:limit]}


def feed(manifest: Manifest, render_context: RenderContext, record: Record) -> Mapping[str, bytes]:
    """Return the feeds, each in every format: that of all releases, and one for each language and each topic."""
    from pipeline.site.feeds import feeds  # feedgen is for this stage alone

    newsroom = render_context.newsroom
    return feeds(feed_list.feeds(manifest, newsroom), record, newsroom, render_context.base_url)


def pages(manifest: Manifest, render_context: RenderContext) -> Mapping[str, bytes]:
    """Return archive and newsroom page, the media-contact footer as files of its own, and the sitemap."""
    from pipeline.site import sitemap
    from pipeline.site.contact import contact_files
    from pipeline.site.pages import index_page
    from pipeline.site.sections import archive_pages

    newsroom, messages = render_context.newsroom, _words(render_context)
    common = (newsroom, messages, render_context.base_url, render_context.assets)
    return {
        **archive_pages(manifest, *common),
        "index.html": index_page(manifest.rows, *common),
        **contact_files(*common),
        **sitemap.files(manifest, render_context.base_url, newsroom.language),
    }


def _words(render_context: RenderContext) -> Messages:
    return Messages(render_context.newsroom.language, render_context.newsroom.time_zone)
