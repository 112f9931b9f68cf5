"""Planned revisions: what stays public of a release when a correction replaces it, and what a withdrawal deletes.

What a release was before is a function of its public row and record, and of the release as it is now: two machines that
publish the same correction write the same bytes, and so does a run that continues a killed one.

The page of an earlier revision is the page as it was, two folders further down, with a line that says so. It links to
the same places as before, its own files to the archived ones beside it. Search engines are told to ignore it; its
canonical address is that of the newest revision, as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date

import msgspec
from markupsafe import Markup

from pipeline.build.revisions import PlannedRevision, change
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.manifest import Row, digest
from pipeline.model.release import Release
from pipeline.model.revision import RevisionRecord, folder, kept_under
from pipeline.typography.messages import Messages
from pipeline.writers.ninjs import files_of

Fetch = Callable[[str, str], bytes | None]
"""From key and SHA-256 to the bytes that are public there; None when these are others. Without a SHA-256, any."""
_PLACES = re.compile(r'(<(?:a|link|img|source)\b[^>]*?\s)(href|src)="([^"]*)"')
_SETS = re.compile(r'\ssrcset="([^"]*)"')
_MAIN = re.compile(r"<article\b[^>]*>\s*<header>\s*")
_NOTICE = Markup('<div class="superseded">\n<p>{}</p>\n<p><a href="../../{}.html">{}</a></p>\n</div>\n')
_FACTS = re.compile(r'<script type="application/ld\+json">.*?</script>\n', re.DOTALL)
"""What machines are told: of files at addresses where the newest are now."""
_NOINDEX = '<meta name="robots" content="noindex">\n'


def derive(
    row: Row, release: Release, source: str, messages: Messages, fetch: Fetch, today: date
) -> tuple[PlannedRevision, bytes]:
    """Return what the release will have been, and the page of the revision before as it will be kept, if one is."""
    found = change(row, release, source)
    page = b""
    past, pending_deletes = row.past, row.pending_deletes
    if found == "corrected":
        files, page = _kept(row, release, messages, fetch)
        past = (*past, _state(row, release, files=files))
    elif found == "minor":
        past = (*past, _state(row, release, minor=today.isoformat()))
    elif found == "returned":
        past = (*past, _state(row, release))
    elif found == "withdrawn":
        pending_deletes = tuple(sorted(_downloads(row.slug) | _others(row, fetch)))
        # What it said it tells in no place any more: neither do the notes of what was corrected.
        before = (*past, _state(row, release))
        past = tuple(
            state if state.withdrawn else msgspec.structs.replace(state, files=(), note="") for state in before
        )
    return PlannedRevision(row.record, source, past, pending_deletes), page


def _state(row: Row, release: Release, *, minor: str = "", files: tuple[Rendition, ...] = ()) -> RevisionRecord:
    notes = (correction.note for correction in release.corrections if correction.date == row.modified)
    note = row.summary if row.withdrawn else next(notes, "") if row.corrections else ""
    return RevisionRecord(row.revision, row.modified, row.record, note, row.withdrawn, minor, files)


def _record(row: Row, fetch: Fetch) -> bytes:
    """Return the public record of ``row``; a run that was killed may have left it among the kept files alone."""
    key = f"releases/{row.slug}.json"
    return fetch(key, row.record) or fetch(kept_under(row.slug, key, row.revision), row.record) or b""


def _files(row: Row, fetch: Fetch) -> Iterable[Rendition]:
    """Return the public files of the newest revision, without the record."""
    return files_of(_record(row, fetch), row.slug)


def _downloads(slug: str) -> set[str]:
    return {form.key(slug) for form in FORMATS if not form.notice}


def _others(row: Row, fetch: Fetch) -> set[str]:
    """Return what else is public of a release besides its page: pictures, and what is kept of earlier revisions."""
    listed = {file.key for file in _files(row, fetch)} | {file.key for state in row.past for file in state.files}
    return listed - {form.key(row.slug) for form in FORMATS if form.notice}


def _kept(row: Row, release: Release, messages: Messages, fetch: Fetch) -> tuple[tuple[Rendition, ...], bytes]:
    """Return the files of the newest public revision as they are kept from now on, and the page among them."""
    record, slug = _record(row, fetch), row.slug
    kept: list[Rendition] = []
    page = b""
    for file in _files(row, fetch):
        key = kept_under(slug, file.key, row.revision)
        if file.format == "html":
            page = _page(row, release, messages, fetch, file)
            kept += [Rendition("html", key, len(page), digest(page))] if page else []
        else:
            pages = row.pages if file.format == "pdf" else 0
            kept.append(Rendition(file.format, key, file.size, file.sha256, pages))
    if record:
        kept.append(Rendition("json", f"{folder(slug, row.revision)}{slug}.json", len(record), row.record))
    return tuple(kept), page


def _page(row: Row, release: Release, messages: Messages, fetch: Fetch, file: Rendition) -> bytes:
    original = fetch(file.key, file.sha256)
    if original:
        said = messages["superseded"].format(number=messages.number(row.revision), date=messages.date(release.modified))
        return superseded_page(original, row.slug, said, messages["current"])
    return fetch(kept_under(row.slug, file.key, row.revision), "") or b""


def superseded_page(page: bytes, slug: str, said: str, current: str) -> bytes:
    """Return a release page as it is kept; ``said`` that it is not the newest, ``current`` names the way to that."""
    source = _FACTS.sub("", page.decode())
    source = _PLACES.sub(lambda found: f'{found[1]}{found[2]}="{_deeper(found[3], slug)}"', source)
    source = _SETS.sub(lambda found: f' srcset="{_each(found[1], slug)}"', source)
    notice = str(_NOTICE.format(said, slug, current))
    source = _MAIN.sub(lambda found: found[0] + notice, source, count=1)
    return source.replace("<title>", f"{_NOINDEX}<title>", 1).encode()


def _each(sizes: str, slug: str) -> str:
    return ", ".join(" ".join([_deeper(size.split()[0], slug), *size.split()[1:]]) for size in sizes.split(","))


def _deeper(href: str, slug: str) -> str:
    """Return where a link leads from ``releases/SLUG/rN/`` that led there from ``releases/``."""
    if href.startswith(("#", "/")) or ":" in href.split("/")[0]:
        return href
    if href.startswith(f"{slug}/r") and re.match(r"r\d+/", href.removeprefix(f"{slug}/")):
        return f"../{href.removeprefix(f'{slug}/')}"  # an earlier revision yet
    if href.startswith(f"{slug}/"):
        return href.removeprefix(f"{slug}/")
    if re.fullmatch(rf"{re.escape(slug)}\.(?!html)\w+", href):
        return href  # kept beside it
    return f"../../{href}"
