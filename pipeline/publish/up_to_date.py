"""Which releases are up to date: those are neither rendered nor uploaded again.

A scheduled CI job starts from a fresh clone without ``output/``. The fingerprints in the manifest save it from
rendering an archive of ten thousand releases because one was added.
"""

from __future__ import annotations

from pipeline.build import fingerprint, revisions
from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState
from pipeline.model.manifest import Manifest, Row
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.model.render_context import RenderContext

UNVERIFIED = "unverified"
"""Name in the build state of the slugs that were uploaded and not read back, or with other bytes."""


def recall_unverified(state: BuildState) -> set[str]:
    """Return the slugs that were uploaded and not verified."""
    return set(state.recall(UNVERIFIED, list[str], []))


def source_digests(state: BuildState) -> dict[str, str]:
    """Return the digest of every source by slug."""
    return {slug: fingerprint.of_source(state, slug) for slug in state.slugs()}


def changed_sources(state: BuildState, published: Manifest, digests: dict[str, str]) -> list[str]:
    """Return the slugs whose current source neither the storage nor this machine knows.

    What another machine has published need not be read here; but what was read here must be the current source.
    """
    rows, summaries, unchecked = published.by_slug(), state.summaries(), state.unchecked()
    changed = []
    for slug, digest in digests.items():
        row, known = rows.get(slug), summaries.get(slug)
        if row and row.source == digest and (known is None or known.source == digest):
            continue
        if known is None or known.source != digest or slug in unchecked:
            changed.append(slug)
        elif row and (parsed := state.parsed_release(slug)) and revisions.refusal(row, parsed.release, digest, False):
            changed.append(slug)  # it was checked against an older public revision
    return changed


def up_to_date_slugs(state: BuildState, render_context: RenderContext, digests: dict[str, str]) -> set[str]:
    """Return the slugs whose public renditions all are what would be rendered now."""
    public = ReleaseIndex(all_listed(state, render_context.published), render_context.now)
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)

    def current(row: Row) -> str:
        related = public.related(IndexEntry.of_row(row))
        return fingerprint.of_release(digests[row.slug], settings, render_context.base_url, related, row.past)

    return {
        row.slug
        for row in render_context.published.rows
        if row.slug in digests and not row.replacing and row.fingerprint == current(row)
    }
