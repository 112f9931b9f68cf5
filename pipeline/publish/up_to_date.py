"""What storage holds already: a release whose fingerprint is public is neither rendered nor uploaded again.

A scheduled job starts from a fresh clone, with no ``output/`` and every file time new; this saves it from making
an archive of ten thousand anew because one release was added.
"""

from __future__ import annotations

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.reading import all_listed
from pipeline.build.state import Workshop
from pipeline.model.manifest import EMPTY, Manifest, Row
from pipeline.model.release_index import Public
from pipeline.model.render_context import House

PUBLISHED = "published.json"
SETTLED = "settled"
DOUBTFUL = "doubtful.json"
"""Slugs that went up, and were not read back, or with other bytes."""


class Published(Struct, frozen=True):
    """The manifest as last fetched, and from where: another storage knows nothing of it."""

    address: str
    manifest: Manifest


def recall(workshop: Workshop, address: str) -> Manifest:
    """Return the manifest last seen at ``address``, an empty one when there was none."""
    found = workshop.recall(PUBLISHED, Published, Published("", EMPTY))
    return found.manifest if found.address == address else EMPTY


def remember(workshop: Workshop, address: str, manifest: Manifest) -> None:
    """Keep the manifest seen at ``address`` for the stages that follow."""
    workshop.remember(PUBLISHED, Published(address, manifest))


def sources(workshop: Workshop) -> dict[str, str]:
    """Return the digest of every source by slug."""
    return {slug: fingerprint.of_source(workshop, slug) for slug in workshop.slugs()}


def unread(workshop: Workshop, published: Manifest, digests: dict[str, str]) -> list[str]:
    """Return the slugs whose source neither storage nor this machine has seen as it is now.

    What another machine has published need not be read here; but what was read here must not be of an older source.
    """
    rows = published.by_slug()
    found = []
    for slug, digest in digests.items():
        manuscript = workshop.manuscript(slug)
        if slug in rows and rows[slug].source == digest and (manuscript is None or manuscript.source == digest):
            continue
        if manuscript is None or manuscript.source != digest or not workshop.is_confirmed(slug):
            found.append(slug)
        elif slug in rows and history.objection(rows[slug], manuscript.release, digest, False):
            found.append(slug)  # it was read beside what was public then
    return found


def settled(workshop: Workshop, house: House, digests: dict[str, str]) -> set[str]:
    """Return the slugs whose every rendition is public as it would be made now."""
    rows = house.published.by_slug()
    public = Public(all_listed(workshop, house.published), house.now)
    settings = fingerprint.of_newsroom(house.newsroom, house.mark)
    whole = {slug: row for slug, row in rows.items() if slug in digests and not row.replacing}
    return {slug for slug, row in whole.items() if row.fingerprint == _now(row, digests[slug], settings, house, public)}


def _now(row: Row, digest: str, settings: str, house: House, public: Public) -> str:
    others = public.around(row.slug, row.language, row.translation_of or row.slug, row.date, row.replaced_by)
    return fingerprint.of_release(digest, settings, house.base_url, others, row.past)
