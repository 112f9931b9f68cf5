"""The sitemap with the translations of each release, the news sitemap, and robots.txt, which names both.

Standards: sitemaps.org 0.9, RFC 9309, and Google's for news, https://developers.google.com/search/docs/crawling-indexing
/sitemaps/news-sitemap: it lists the releases of the last two days. So it changes with time alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import takewhile

from msgspec import Struct

from pipeline.model import statement
from pipeline.model.formats import ROBOTS
from pipeline.model.manifest import Manifest, Row
from pipeline.model.newsroom import Newsroom
from pipeline.model.render_context import RenderContext
from pipeline.site import archive, verify
from pipeline.site.contact import PAGE
from pipeline.typography.templates import render

SITEMAP = "sitemap.xml"
NEWS = "sitemap-news.xml"
RECENT = timedelta(days=2)
"""Releases of this time are news."""
NEWS_URLS = 1000
"""Google's limit."""
URLS = 1000
"""Addresses in one file, so that a new release changes a small one; sitemaps.org allows 50,000."""
LINKS = 100_000
"""Limit of links to translations in one file, so that it stays below the limit of 50 MB."""


class _Address(Struct, frozen=True):
    key: str
    modified: datetime | None
    versions: tuple[tuple[str, str], ...] = ()
    """Language and key of each version of a release, including itself."""


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of the sitemap, which is one file or an index and its parts, of news sitemap and robots.txt."""
    return tuple(dict.fromkeys((*_parts(manifest), SITEMAP, NEWS, ROBOTS)))


def files(manifest: Manifest, render_context: RenderContext, only: Container[str] | None = None) -> Mapping[str, bytes]:
    """Return the sitemaps and robots.txt, or those with a key in ``only``, key → bytes."""
    newsroom, base_url = render_context.newsroom, render_context.base_url
    parts = _parts(manifest, newsroom.language)
    rendered = {
        key: render("sitemap.xml.j2", addresses=addresses, base=base_url).encode()
        for key, addresses in parts.items()
        if only is None or key in only
    }
    if SITEMAP not in parts and (only is None or SITEMAP in only):
        rendered[SITEMAP] = render("sitemaps.xml.j2", addresses=[base_url + key for key in parts]).encode()
    if only is None or NEWS in only:
        rendered[NEWS] = _news_sitemap(news(manifest.rows, render_context.now), newsroom, base_url)
    # Crawlers read robots.txt only if the newsroom is at the root of its host.
    robots = f"User-agent: *\nAllow: /\n\nSitemap: {base_url}{SITEMAP}\nSitemap: {base_url}{NEWS}\n"
    return {**rendered, ROBOTS: robots.encode()}


def contents(manifest: Manifest, render_context: RenderContext) -> Mapping[str, object]:
    """Return what each file states, by key."""
    parts = _parts(manifest, render_context.newsroom.language)
    recent = [(row.slug, row.title, row.date, row.language) for row in news(manifest.rows, render_context.now)]
    return {SITEMAP: tuple(parts), ROBOTS: SITEMAP, NEWS: recent, **parts}


# --- News ------------------------------------------------------------------------------------------------------------


class _News(Struct, frozen=True):
    address: str
    title: str
    date: datetime
    language: str


def news(rows: Iterable[Row], now: datetime) -> list[Row]:
    """Return those of ``rows``, which are newest first, that the news sitemap lists at ``now``."""
    recent = takewhile(lambda row: row.date > now - RECENT, rows)
    return [row for row in recent if not row.withdrawn][:NEWS_URLS]


def news_until(rows: Iterable[Row], now: datetime) -> datetime | None:
    """Return when the first entry leaves the news sitemap; None when it has none."""
    return min((row.date + RECENT for row in news(rows, now)), default=None)


def _news_sitemap(rows: Iterable[Row], newsroom: Newsroom, base_url: str) -> bytes:
    entries = [_News(base_url + _page(row.slug), row.title, row.date, _iso_639(row.language)) for row in rows]
    return render("sitemap.news.xml.j2", name=newsroom.name, entries=entries).encode()


def _iso_639(tag: str) -> str:
    """Return a language as news sitemaps name it: by ISO 639 code, and Chinese by country."""
    primary, *rest = tag.lower().split("-")
    if primary != "zh":
        return primary
    return "zh-tw" if {"hant", "tw", "hk", "mo"}.intersection(rest) else "zh-cn"


# --- All addresses ---------------------------------------------------------------------------------------------------


def _parts(manifest: Manifest, language: str = "") -> dict[str, list[_Address]]:
    """Return all addresses by key: in ``sitemap.xml``, or in numbered parts if one file cannot hold them."""
    facts = (manifest.emptied, language, URLS, LINKS)
    for rows, other, found in _last:  # of one manifest they are asked for again and again
        if other == facts and rows == manifest.rows:
            return found
    _last[:] = [(manifest.rows, facts, _divided(manifest, language)), *_last[:2]]
    return _last[0][2]


_last: list[tuple[tuple[Row, ...], object, dict[str, list[_Address]]]] = []


def _divided(manifest: Manifest, language: str) -> dict[str, list[_Address]]:
    parts: list[list[_Address]] = [[]]
    links = 0
    for address in _addresses(manifest, language):
        links += len(address.versions)
        if len(parts[-1]) == URLS or links > LINKS:
            parts.append([])
            links = len(address.versions)
        parts[-1].append(address)
    if len(parts) == 1:
        return {SITEMAP: parts[0]}
    return {f"sitemap/{number}.xml": part for number, part in enumerate(parts, 1)}


def _addresses(manifest: Manifest, language: str = "") -> Iterator[_Address]:
    """Yield every page of the newsroom, releases oldest first, so that a full part does not change."""
    families: dict[str, dict[str, Row]] = {row.translation_of: {} for row in manifest.rows if row.translation_of}
    for row in sorted(manifest.rows, key=lambda row: bool(row.translation_of)):
        if not row.withdrawn and (row.translation_of or row.slug) in families:  # a withdrawn release is no translation
            families[row.translation_of or row.slug].setdefault(row.language, row)
    for row in reversed(manifest.rows):
        yield _Address(_page(row.slug), row.modified, _versions(row, families, language))
    yield _Address("index.html", archive.newest(manifest.rows))
    yield _Address(PAGE, None)
    if verify.is_signed(manifest.rows):
        yield _Address(statement.PAGE, None)
    for archive_page in archive.archive_pages(manifest):
        if archive_page.rows:
            yield _Address(archive_page.key, archive.newest(archive_page.rows))
    yield _Address(archive.OVERVIEW, archive.newest(manifest.rows))


def _versions(row: Row, families: Mapping[str, Mapping[str, Row]], language: str) -> tuple[tuple[str, str], ...]:
    """Return the versions of a release as its page names them.

    Readers of other languages get the original (``x-default``), else the version in the newsroom's language, else the
    first.
    """
    origin = row.translation_of or row.slug
    family = families.get(origin, {})
    if len(family) < 2 or family.get(row.language) is not row:
        return ()
    versions = sorted((tag, _page(other.slug)) for tag, other in family.items())
    original = next((each for each in family.values() if each.slug == origin), family.get(language))
    return (*versions, ("x-default", _page(original.slug) if original else versions[0][1]))


def _page(slug: str) -> str:
    return f"releases/{slug}.html"
