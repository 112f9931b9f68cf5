"""What storage holds already: a release whose fingerprint is public is neither rendered nor uploaded again.

A scheduled job starts from a fresh clone, with no ``output/`` and every file time new; this saves it from making
an archive of ten thousand anew because one release was added.
"""

from __future__ import annotations

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build import revisions as history
from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState
from pipeline.model.manifest import EMPTY, Manifest, Row
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.model.render_context import RenderContext

PUBLISHED = "published.json"
UP_TO_DATE = "settled"
UNVERIFIED = "doubtful.json"
"""Slugs that went up, and were not read back, or with other bytes."""


class Published(Struct, frozen=True):
    """The manifest as last fetched, and from where: another storage knows nothing of it."""

    address: str
    manifest: Manifest


def recall(state: BuildState, address: str) -> Manifest:
    """Return the manifest last seen at ``address``, an empty one when there was none."""
    found = state.recall(PUBLISHED, Published, Published("", EMPTY))
    return found.manifest if found.address == address else EMPTY


def remember(state: BuildState, address: str, manifest: Manifest) -> None:
    """Keep the manifest seen at ``address`` for the stages that follow."""
    state.remember(PUBLISHED, Published(address, manifest))


def sources(state: BuildState) -> dict[str, str]:
    """Return the digest of every source by slug."""
    return {slug: fingerprint.of_source(state, slug) for slug in state.slugs()}


def changed_sources(state: BuildState, published: Manifest, digests: dict[str, str]) -> list[str]:
    """Return the slugs whose source neither storage nor this machine has seen as it is now.

    What another machine has published need not be read here; but what was read here must not be of an older source.
    """
    rows = published.by_slug()
    found = []
    for slug, digest in digests.items():
        parsed_release = state.parsed_release(slug)
        if slug in rows and rows[slug].source == digest and (parsed_release is None or parsed_release.source == digest):
            continue
        if parsed_release is None or parsed_release.source != digest or not state.is_confirmed(slug):
            found.append(slug)
        elif slug in rows and history.refusal(rows[slug], parsed_release.release, digest, False):
            found.append(slug)  # it was read beside what was public then
    return found


def up_to_date_slugs(state: BuildState, render_context: RenderContext, digests: dict[str, str]) -> set[str]:
    """Return the slugs whose every rendition is public as it would be made now."""
    rows = render_context.published.by_slug()
    public = ReleaseIndex(all_listed(state, render_context.published), render_context.now)
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    whole = {slug: row for slug, row in rows.items() if slug in digests and not row.replacing}
    return {
        slug
        for slug, row in whole.items()
        if row.fingerprint == _now(row, digests[slug], settings, render_context, public)
    }


def _now(row: Row, digest: str, settings: str, render_context: RenderContext, public: ReleaseIndex) -> str:
    others = public.related(IndexEntry.of_row(row))
    return fingerprint.of_release(digest, settings, render_context.base_url, others, row.past)
