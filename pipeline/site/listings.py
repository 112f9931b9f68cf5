"""The listings: everything that shows more than one release. Made of the manifest and the newest records alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipeline.model.manifest import Manifest, Row
from pipeline.model.render_context import House
from pipeline.site import archive
from pipeline.typography import feed_list as channels
from pipeline.typography.messages import Words

CONTACT = ("media-contact.html", "media-contact.txt", "media-contact.vcf")
PAGES = ("index.html", *CONTACT)
"""Those that are there whatever is public; the archive and the sitemap depend on it."""

Record = Callable[[Row], bytes]


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all listings."""
    from pipeline.site import sitemap  # templates are for commands that list something

    return (*channels.keys(manifest), *archive.keys(manifest), *PAGES, *sitemap.keys(manifest))


def build(manifest: Manifest, house: House, record: Record) -> Mapping[str, bytes]:
    """Return all listings by key; ``record`` gives the ninjs record of a row."""
    return {**feed(manifest, house, record), **pages(manifest, house)}


def shown(manifest: Manifest, house: House) -> Mapping[str, Row]:
    """Return the rows that stand in any feed, by slug: nobody's record is asked for but theirs."""
    limit = house.newsroom.feed_items
    return {row.slug: row for _, rows in channels.feeds(manifest, house.newsroom) for row in rows[:limit]}


def feed(manifest: Manifest, house: House, record: Record) -> Mapping[str, bytes]:
    """Return the feeds, each in every format: that of all releases, and one for each language and each topic."""
    from pipeline.site.feeds import feeds  # feedgen is for this stage alone

    newsroom = house.newsroom
    return feeds(channels.feeds(manifest, newsroom), record, newsroom, house.base_url)


def pages(manifest: Manifest, house: House) -> Mapping[str, bytes]:
    """Return archive and newsroom page, the media-contact footer as files of its own, and the sitemap."""
    from pipeline.site import sitemap
    from pipeline.site.contact import contact_files
    from pipeline.site.pages import index_page
    from pipeline.site.shelves import archive_pages

    newsroom, words = house.newsroom, _words(house)
    common = (newsroom, words, house.base_url, house.assets)
    return {
        **archive_pages(manifest, *common),
        "index.html": index_page(manifest.rows, *common),
        **contact_files(*common),
        **sitemap.files(manifest, house.base_url, newsroom.language),
    }


def _words(house: House) -> Words:
    return Words(house.newsroom.language, house.newsroom.time_zone)
