"""Which releases are up to date: those are neither rendered nor uploaded again.

A scheduled CI job starts from a fresh clone without ``output/``. The fingerprints in the manifest save it from
rendering an archive of ten thousand releases because one was added.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from pipeline.build import fingerprint, revisions
from pipeline.build.published import StoredManifest
from pipeline.build.reading import listed_around
from pipeline.build.state import BESIDE, BuildState, is_storable, microseconds
from pipeline.model.manifest import digest
from pipeline.model.release_index import IndexEntry, ReleaseIndex
from pipeline.model.render_context import RenderContext

UNVERIFIED = "unverified"
"""Name in the build state of the slugs that were uploaded and not read back, or with other bytes."""
EXPECTED = "expected_of"
"""Name in the build state of what all expected fingerprints have in common."""
RECENT = 2_000_000_000
"""Nanoseconds. A file that was changed within them may change once more without another time: it is read again."""


def recall_unverified(state: BuildState) -> set[str]:
    """Return the slugs that were uploaded and not verified."""
    return set(state.recall(UNVERIFIED, list[str], []))


# ── Sources ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def scan_sources(state: BuildState) -> None:
    """Bring the stored digests of all sources up to date; only sources that were touched are read.

    As make does, a source counts as untouched while size, times and inode of its files are the same.
    """
    known = dict(state.database.rows("SELECT slug, stat FROM sources"))
    reader, now = fingerprint.of_code(fingerprint.READER).decode()[:16], time.time_ns()
    sources = {slug: (stat, files) for slug, stat, files in _stats(state.content, reader, now)}
    gone = [(slug,) for slug in known.keys() - sources.keys()]
    touched = {slug: files for slug, (stat, files) in sources.items() if not stat or known.get(slug) != stat}
    digests = {slug: fingerprint.of_files(files, state.films) for slug, files in touched.items()}
    before = dict(state.database.of("SELECT slug, digest FROM sources", digests))
    changed = [(slug,) for slug, sha256 in digests.items() if before.get(slug) != sha256]
    state.database.write_all(
        ("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)",
         [(slug, sources[slug][0], sha256) for slug, sha256 in digests.items()]),
        ("DELETE FROM sources WHERE slug = ?", gone),
        ("UPDATE published SET expected = NULL WHERE slug = ? AND expected IS NOT NULL", changed),
    )  # fmt: skip


def _stats(content: Path, reader: str, now: int) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each source's slug, size, times and inode of its files (nothing if changed just now), and their paths."""
    with os.scandir(content) as found:
        entries = list(found)
    folders = {entry.name for entry in entries if not entry.name.endswith(".md") and entry.is_dir()}
    for entry in entries:
        if not entry.name.endswith(".md") or entry.name.startswith(".") or not is_storable(entry.name):
            continue
        slug, files = entry.name.removesuffix(".md"), [entry]
        if slug in folders:
            with os.scandir(content / slug) as beside:
                files += sorted(
                    (file for file in beside if Path(file.name).suffix.lower() in BESIDE and file.is_file()),
                    key=lambda file: file.name,
                )
        stat, parts, newest = "", [reader], 0
        with suppress(OSError):
            for file in files:
                of = file.stat()
                newest = max(newest, of.st_mtime_ns, of.st_ctime_ns)
                parts.append(f"{of.st_size} {of.st_mtime_ns} {of.st_ctime_ns} {of.st_ino}")
            if newest < now - RECENT:
                stat = f"{' '.join(parts)} {'/'.join([file.name for file in files[1:]])}"
        yield slug, stat, [file.path for file in files]


def changed_sources(state: BuildState, published: StoredManifest) -> list[str]:
    """Return the slugs whose current source neither the storage nor this machine knows, as of the last scan.

    What another machine has published need not be read here; but what was read here must be the current source.
    """
    changed = [slug for (slug,) in state.database.rows("""
        SELECT slug FROM sources s LEFT JOIN published p USING (slug) LEFT JOIN releases r USING (slug)
        WHERE NOT (p.source IS s.digest AND (r.source IS NULL OR r.source = s.digest))
            AND (r.source IS NOT s.digest OR NOT r.checked)
    """)]  # fmt: skip
    # These were checked against an older public revision
    checked = state.database.rows("""
        SELECT slug, s.digest FROM sources s JOIN releases r USING (slug) JOIN published p USING (slug)
        WHERE r.checked AND r.source = s.digest AND p.source != s.digest
    """)
    rows = published.by_slug()
    for slug, sha256 in checked:
        parsed = state.parsed_release(slug)
        if parsed and revisions.refusal(rows[slug], parsed.release, sha256, False):
            changed.append(slug)
    return sorted({*changed, *(slug for slug in state.slugs() if not is_storable(slug))})


def unpublished_sources(state: BuildState) -> list[tuple[str, str]]:
    """Return slug and digest of the sources that are not public as they are, as of the last scan."""
    other = "SELECT slug, s.digest FROM sources s LEFT JOIN published p USING (slug) WHERE p.source IS NOT s.digest"
    return [(slug, sha256) for slug, sha256 in state.database.rows(other)]


# ── Up to date ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stale_slugs(state: BuildState, published: StoredManifest, render_context: RenderContext) -> list[str]:
    """Return the slugs whose public renditions are not what would be rendered now, and those that are not public."""
    _expect(state, published, render_context)
    found = state.database.rows("""
        SELECT slug FROM sources s LEFT JOIN published p USING (slug)
        WHERE p.slug IS NULL OR p.replacing OR p.fingerprint IS NOT p.expected OR p.outdated OR p.until <= ?
    """, microseconds(render_context.now))  # fmt: skip
    return sorted(slug for (slug,) in found)


def agreed(render_context: RenderContext, facts: Iterable[tuple[str, str, str]], without_source: list[str]) -> str:
    """Return a digest of public releases (slug, digest of the source, fingerprint) and what all fingerprints share.

    Those ``without_source`` are part of it: a machine that has their sources names other releases on its pages.
    """
    return digest(msgspec.json.encode((_shared(render_context), sorted(facts), without_source)))


def believe(state: BuildState, published: StoredManifest, render_context: RenderContext) -> None:
    """Take the public fingerprints for the expected ones where the manifest says that all were, and nothing was read.

    That spares a fresh clone to compute them. What it reads then takes away the expected fingerprints that it changes.
    """
    if not published.head.up_to_date or state.database.row("SELECT 1 FROM releases LIMIT 1"):
        return
    facts = state.database.rows("SELECT slug, source, fingerprint FROM published")
    if agreed(render_context, facts, published.without_source()) == published.head.up_to_date:
        state.database.write("""
            UPDATE published SET expected =
                (SELECT fingerprint FROM sources s WHERE s.slug = published.slug AND s.digest = published.source)
        """)  # fmt: skip
        state.remember(EXPECTED, _shared(render_context))


def _shared(render_context: RenderContext) -> str:
    """Return a digest of what all expected fingerprints have in common: settings, address and code."""
    settings = fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
    return digest(b"\0".join([settings.encode(), render_context.base_url.encode(), fingerprint.of_formats()]))


def _expect(state: BuildState, published: StoredManifest, render_context: RenderContext) -> None:
    """Compute the fingerprint of all renditions of each public release for which it is not known any more.

    It depends on the source, on the row, on what the page links to, and on what all have in common; who changes one of
    these in the build state takes the expected fingerprint away.
    """
    settings, base_url = fingerprint.of_newsroom(render_context.newsroom, render_context.mark), render_context.base_url
    shared = _shared(render_context)
    if state.recall(EXPECTED, str, "") != shared:
        state.database.write("UPDATE published SET expected = NULL")
        state.remember(EXPECTED, shared)
    unknown = dict(state.database.rows(
        "SELECT slug, s.digest FROM published p JOIN sources s USING (slug) WHERE p.expected IS NULL"
    ))  # fmt: skip
    if not unknown:
        return
    public = ReleaseIndex(listed_around(state, published, unknown.keys(), render_context.now), render_context.now)
    expected = []
    for row in published.chosen(unknown):
        related = public.related(IndexEntry.of_row(row))
        expected.append((fingerprint.of_release(unknown[row.slug], settings, base_url, related, row.past), row.slug))
    state.database.write_all(("UPDATE published SET expected = ? WHERE slug = ?", expected))
