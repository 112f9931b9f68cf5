"""The listings: all files that show more than one release, or the newsroom itself.

They are built from the manifest, and the feeds also from the records of the releases they show. ``keys`` and ``shown``
import no template engine and no feed library.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from datetime import datetime

import msgspec

from pipeline.model.formats import SYNDICATION
from pipeline.model.manifest import Manifest, Row, digest
from pipeline.model.render_context import RenderContext
from pipeline.site import archive, contact, moved, search, sitemap, verify
from pipeline.site.archive import leading
from pipeline.site.search import Before
from pipeline.typography import feed_list

Record = Callable[[Row], bytes]
"""From a row to the ninjs record of its release."""
PAGES = ("index.html", *contact.KEYS)
"""The listings that every newsroom has; feeds, archive and sitemap depend on what is public."""


def _nothing(_: str) -> bytes:
    """Know no file of before."""
    return b""


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all listings."""
    of_releases = (*feed_list.keys(manifest), *archive.keys(manifest), *search.keys(manifest))
    return (*of_releases, *PAGES, *sitemap.keys(manifest), *moved.keys(manifest), *verify.keys(manifest))


def shown(
    manifest: Manifest,
    render_context: RenderContext,
    only: Container[str] | None = None,
    before: Before = _nothing,
) -> Mapping[str, Row]:
    """Return the rows whose records ``build`` needs, by slug: those that a feed shows, or that are new to the search.

    With ``only``, return those for the listings with a key in it.
    """
    limit = render_context.newsroom.feed_items
    searched = {row.slug: row for row in search.unknown(manifest, before, only)}
    return searched | {
        row.slug: row
        for feed, rows in feed_list.feeds(manifest, render_context.newsroom)
        if only is None or any(syndication.key(feed.path) in only for syndication in SYNDICATION)
        for row in rows[:limit]
    }


def build(
    manifest: Manifest,
    render_context: RenderContext,
    record: Record,
    only: Container[str] | None = None,
    before: Before = _nothing,
) -> Mapping[str, bytes]:
    """Return all listings, or those with a key in ``only``, key → bytes. ``record`` returns the ninjs record of a row.

    The archive comes before the newsroom page, which links to it. ``before`` knows the files of the search.
    """
    return {
        **feeds(manifest, render_context, record, only),
        **search.files(manifest, render_context.newsroom, record, before, only),
        **pages(manifest, render_context, only),
    }


def feeds(
    manifest: Manifest,
    render_context: RenderContext,
    record: Record,
    only: Container[str] | None = None,
) -> Mapping[str, bytes]:
    """Return every feed in every format, or those with a key in ``only``, key → bytes."""
    newsroom = render_context.newsroom
    wanted = [
        (feed, rows)
        for feed, rows in feed_list.feeds(manifest, newsroom)
        if only is None or any(row.key(feed.path) in only for row in SYNDICATION)
    ]
    if not wanted:
        return {}
    from pipeline.site.feeds import render_feeds  # imports feedgen

    return _only(render_feeds(wanted, record, newsroom, render_context.base_url), only)


def pages(manifest: Manifest, render_context: RenderContext, only: Container[str] | None = None) -> Mapping[str, bytes]:
    """Return archive, newsroom page, media-contact files, sitemap, robots.txt, old addresses and check, key → bytes.

    With ``only``, return those with a key in it.
    """
    from pipeline.site.pages import archive_pages, newsroom_page

    files = dict(archive_pages(manifest, render_context, only))
    if only is None or "index.html" in only:
        files["index.html"] = newsroom_page(manifest.rows, render_context)
    if only is None or any(key in only for key in contact.KEYS):
        files |= contact.contact_files(render_context)
    files |= sitemap.files(manifest, render_context, only)
    files |= moved.files(manifest, render_context, only)
    files |= verify.files(manifest, render_context, only)
    return _only(files, only)


def _only(files: Mapping[str, bytes], only: Container[str] | None) -> Mapping[str, bytes]:
    return files if only is None else {key: data for key, data in files.items() if key in only}


def stamps(manifest: Manifest, render_context: RenderContext) -> dict[str, str]:
    """Return a digest of all that each listing is rendered from but code and settings, by key.

    One whose stamp is the same has the same bytes, so a new release costs the listings that show it and no others.
    """
    newsroom = render_context.newsroom
    look = sorted(render_context.assets.items())
    parts: dict[str, object] = dict.fromkeys(contact.KEYS, look)
    for feed, rows in feed_list.feeds(manifest, newsroom):
        stamp = _stamp(feed, rows[: newsroom.feed_items])
        parts |= {row.key(feed.path): stamp for row in SYNDICATION}
    lines = {row.slug: _line(row) for row in manifest.rows}
    for page in archive.archive_pages(manifest):
        listed = b"\n".join(lines[row.slug] for row in page.rows)
        parts[page.key] = _stamp(look, page.key, page.section, page.earlier, page.later, page.others, listed)
    counts = [(name, len(rows)) for name, rows in archive.sections(manifest.rows).items()]
    parts[archive.OVERVIEW] = _stamp(look, counts)
    languages = {row.language for row in manifest.rows}
    topics = {topic for row in manifest.rows for topic in row.topics}
    newest = leading(manifest.rows)[: archive.NEWEST + 1]
    parts["index.html"] = _stamp(look, newest, counts, sorted(languages), sorted(topics))
    parts |= search.contents(manifest)
    parts |= sitemap.contents(manifest, render_context)
    parts |= moved.contents(manifest)
    parts |= verify.contents(manifest, render_context)
    return {key: part if isinstance(part, str) else _stamp(part) for key, part in parts.items()}


def _line(row: Row) -> bytes:
    """Return what a page of the archive states of a release."""
    told = (row.slug, row.title, row.date, row.language, row.topics, row.withdrawn, row.modified, row.corrections)
    return msgspec.json.encode(told)


def valid_until(manifest: Manifest, render_context: RenderContext) -> datetime | None:
    """Return when a listing changes although no release does; None when none will."""
    return sitemap.news_until(manifest.rows, render_context.now)


def _stamp(*parts: object) -> str:
    """Return a digest of ``parts``: of one manifest, whether it was just made or read from storage."""
    encoder = msgspec.json.Encoder(order="deterministic")
    return digest(b"\n".join(part if isinstance(part, bytes) else encoder.encode(part) for part in parts))[:32]
