"""The sitemap, with each release's other languages, and robots.txt, which names it (sitemaps.org 0.9, RFC 9309)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec import Struct

from pipeline.model.formats import ROBOTS
from pipeline.model.manifest import Manifest, Row
from pipeline.site import archive
from pipeline.site.contact import PAGE
from pipeline.typography.templates import render

SITEMAP = "sitemap.xml"
URLS = 50_000
"""Addresses that one file may hold."""
LINKS = 100_000
"""Links to other languages likewise: with them a file stays below the 50 MB that it may have."""


class _Address(Struct, frozen=True):
    key: str
    modified: datetime | None
    others: tuple[tuple[str, str], ...] = ()
    """Language and key of each version of a release, itself among them."""


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return where the sitemap stands: one file, or an index and its parts."""
    return (*(_part(number) for number, _ in _parts(manifest)), SITEMAP, ROBOTS)


def files(manifest: Manifest, base_url: str, render_context: str) -> Mapping[str, bytes]:
    """Return the sitemap and robots.txt, key → bytes; ``house`` is the newsroom's own language."""
    parts = _parts(manifest, render_context)
    made = {_part(number): _urls(found, base_url) for number, found in parts}
    if parts:
        made[SITEMAP] = render("sitemaps.xml.j2", addresses=[base_url + key for key in made]).encode()
    else:
        made[SITEMAP] = _urls(list(_addresses(manifest, render_context)), base_url)
    return {**made, ROBOTS: robots(base_url)}


def robots(base_url: str) -> bytes:
    """Return robots.txt: everything may be read. Crawlers ask for it at a host's root only; elsewhere it is a note."""
    return f"User-agent: *\nAllow: /\n\nSitemap: {base_url}{SITEMAP}\n".encode()


def _part(number: int) -> str:
    return f"sitemap/{number}.xml"


def _parts(manifest: Manifest, render_context: str = "") -> list[tuple[int, list[_Address]]]:
    """Return the parts of a sitemap that is too large for one file, counted from 1; none of one that is not."""
    cuts: list[list[_Address]] = [[]]
    links = 0
    for address in _addresses(manifest, render_context):
        links += len(address.others)
        if len(cuts[-1]) == URLS or links > LINKS:
            cuts.append([])
            links = len(address.others)
        cuts[-1].append(address)
    return list(enumerate(cuts, 1)) if len(cuts) > 1 else []


def _addresses(manifest: Manifest, render_context: str = "") -> Iterator[_Address]:
    """Yield every page of the newsroom; releases oldest first, so that a full part stays as it is."""
    families: dict[str, dict[str, Row]] = {}
    for row in sorted(manifest.rows, key=lambda row: bool(row.translation_of)):
        if not row.withdrawn:  # a withdrawn one is no version of the others
            families.setdefault(row.translation_of or row.slug, {}).setdefault(row.language, row)
    for row in reversed(manifest.rows):
        yield _Address(_page(row.slug), row.modified, _versions(row, families, render_context))
    yield _Address("index.html", archive.newest(manifest.rows))
    yield _Address(PAGE, None)
    for archive_page in archive.archive_pages(manifest):
        if archive_page.rows:
            yield _Address(archive_page.key, archive.newest(archive_page.rows))
    yield _Address(archive.OVERVIEW, archive.newest(manifest.rows))


def _versions(row: Row, families: Mapping[str, Mapping[str, Row]], render_context: str) -> tuple[tuple[str, str], ...]:
    """Return the languages of a release, as its page names them: others are sent to the original, or else to the text
    in the newsroom's own language, or the first."""
    origin = row.translation_of or row.slug
    family = families.get(origin, {})
    if len(family) < 2 or family.get(row.language) is not row:
        return ()
    found = sorted((language, _page(other.slug)) for language, other in family.items())
    original = next((each for each in family.values() if each.slug == origin), family.get(render_context))
    return (*found, ("x-default", _page(original.slug) if original else found[0][1]))


def _page(slug: str) -> str:
    return f"releases/{slug}.html"


def _urls(addresses: Iterable[_Address], base_url: str) -> bytes:
    return render("sitemap.xml.j2", addresses=addresses, base=base_url).encode()
