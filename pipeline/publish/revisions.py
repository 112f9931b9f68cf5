"""Planned revisions: what stays public of a release when a correction replaces it, and what a withdrawal deletes.

A plan depends on the public row and record and on the release as it is now, and on nothing else: two machines that
publish the same correction write the same bytes, and so does a run that continues a killed one.

The archived page of an earlier revision is the page as it was, two folders further down, with a notice that it is not
the newest. It links to the same places as before, its own files to the archived copies. Search engines are told to
ignore it; its canonical address stays that of the newest revision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from urllib.parse import quote

import msgspec
from markupsafe import Markup

from pipeline.build.revisions import PlannedRevision, change
from pipeline.model.footage import FOOTAGE
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.manifest import Row, digest
from pipeline.model.release import Release
from pipeline.model.revision import RevisionRecord, folder, kept_under
from pipeline.typography.messages import Messages
from pipeline.writers.ninjs import files_of

Fetch = Callable[[str, str], bytes | None]
"""From key and SHA-256 to the public bytes; None when they have another digest. Without a SHA-256, any bytes."""
_LINK = re.compile(r'(<(?:a|link|img|source)\b[^>]*?\s)(href|src)="([^"]*)"')
_SOURCE_SET = re.compile(r'\ssrcset="([^"]*)"')
_ARTICLE_HEAD = re.compile(r"<article\b[^>]*>\s*<header>\s*")
_NOTICE = Markup('<div class="superseded">\n<p>{}</p>\n<p><a href="../../{}.html">{}</a></p>\n</div>\n')
_JSON_LD = re.compile(r'<script type="application/ld\+json">.*?</script>\n', re.DOTALL)
"""It states files at addresses that belong to the newest revision now."""
_PLAYERS = re.compile(
    r'<section class="[^"]*\bplayers\b.*?</section>\s*|<li><a href="#FOOTAGE"[^>]*>.*?</li>\s*', re.DOTALL
)
"""The players of the page, and the link from its head to them."""
_NOINDEX = '<meta name="robots" content="noindex">\n'


def plan_revision(
    row: Row, release: Release, source: str, messages: Messages, fetch: Fetch, today: date
) -> tuple[PlannedRevision, bytes]:
    """Return what becomes of the public revision, and its archived page; no bytes where no page is archived."""
    kind = change(row, release, source)
    page = b""
    past, pending_deletes = row.past, row.pending_deletes
    if kind == "corrected":
        files, page = _archived_files(row, release, messages, fetch)
        past = (*past, _revision_record(row, release, files=files))
    elif kind == "minor":
        past = (*past, _revision_record(row, release, minor=today.isoformat()))
    elif kind == "returned":
        past = (*past, _revision_record(row, release))
    elif kind == "withdrawn":
        pending_deletes = _files_to_delete(row, fetch)
        # Nothing of a withdrawn release's text stays public, the notes of its corrections included.
        past = tuple(
            each if each.withdrawn else msgspec.structs.replace(each, files=(), note="")
            for each in (*past, _revision_record(row, release))
        )
    return PlannedRevision(row.record, source, past, pending_deletes), page


def _revision_record(
    row: Row, release: Release, *, minor: str = "", files: tuple[Rendition, ...] = ()
) -> RevisionRecord:
    """Return the record of the public revision; its note is the correction or the reason that made it."""
    public = release.corrections[-row.corrections :] if row.corrections else ()  # what is new was added before them
    note = row.summary if row.withdrawn else public[0].note if public else ""
    return RevisionRecord(row.revision, row.modified, row.record, note, row.withdrawn, minor, files)


def _public_record(row: Row, fetch: Fetch) -> bytes:
    """Return the public ninjs record; a killed run may have left it among the archived copies only."""
    key = f"releases/{row.slug}.json"
    return fetch(key, row.record) or fetch(kept_under(row.slug, key, row.revision), row.record) or b""


def _files_to_delete(row: Row, fetch: Fetch) -> tuple[str, ...]:
    """Return the keys of everything public of a release but page and record: formats, pictures, archived copies."""
    stays = {form.key(row.slug) for form in FORMATS if form.notice}
    formats = {form.key(row.slug) for form in FORMATS}
    stated = {file.key for file in files_of(_public_record(row, fetch), row.slug)}
    archived = {file.key for each in row.past for file in each.files}
    return tuple(sorted((formats | stated | archived) - stays))


def _archived_files(
    row: Row, release: Release, messages: Messages, fetch: Fetch
) -> tuple[tuple[Rendition, ...], bytes]:
    """Return the files of the public revision under the keys of their archived copies, and the page among them."""
    record, slug = _public_record(row, fetch), row.slug
    archived: list[Rendition] = []
    page = b""
    for file in files_of(record, slug):
        if file.format == FOOTAGE:  # it is large, and its newest form is all that is offered
            continue
        key = kept_under(slug, file.key, row.revision)
        if file.format == "html":
            page = _archived_page(row, release, messages, fetch, file)
            archived += [Rendition("html", key, len(page), digest(page))] if page else []
        else:
            pages = row.pages if file.format == "pdf" else 0
            archived.append(Rendition(file.format, key, file.size, file.sha256, pages))
    if record:
        archived.append(Rendition("json", f"{folder(slug, row.revision)}{slug}.json", len(record), row.record))
    return tuple(archived), page


def _archived_page(row: Row, release: Release, messages: Messages, fetch: Fetch, file: Rendition) -> bytes:
    if original := fetch(file.key, file.sha256):
        number, day = messages.number(row.revision), messages.date(release.modified)
        notice = messages.fill("superseded", number=number, date=day)
        footage = [each.key for each in files_of(_public_record(row, fetch), row.slug) if each.format == FOOTAGE]
        return superseded_page(original, row.slug, notice, messages["current"], footage)
    return fetch(kept_under(row.slug, file.key, row.revision), "") or b""


def superseded_page(page: bytes, slug: str, notice: str, link_text: str, footage: Iterable[str] = ()) -> bytes:
    """Return a release page as it is archived, with ``notice`` and a link to the newest revision at its head.

    It offers no ``footage``, the keys of the files that are not archived.
    """
    source = _JSON_LD.sub("", page.decode())
    for href in (quote(key.removeprefix("releases/")) for key in footage):
        source = _PLAYERS.sub("", source)
        source = re.sub(rf'<a\b[^>]*\shref="{re.escape(href)}"[^>]*>(.*?)</a>', r"\1", source, flags=re.DOTALL)
    source = _LINK.sub(lambda match: f'{match[1]}{match[2]}="{_href_from_archive(match[3], slug)}"', source)
    source = _SOURCE_SET.sub(lambda match: f' srcset="{_source_set_from_archive(match[1], slug)}"', source)
    head = str(_NOTICE.format(notice, slug, link_text))
    source = _ARTICLE_HEAD.sub(lambda match: match[0] + head, source, count=1)
    return source.replace("<title>", f"{_NOINDEX}<title>", 1).encode()


def _source_set_from_archive(sizes: str, slug: str) -> str:
    parts = (size.split() for size in sizes.split(","))
    return ", ".join(" ".join([_href_from_archive(href, slug), *width]) for href, *width in parts)


def _href_from_archive(href: str, slug: str) -> str:
    """Return a link relative to ``releases/SLUG/rN/`` that was relative to ``releases/``."""
    if href.startswith(("#", "/")) or ":" in href.split("/")[0]:
        return href
    if href.startswith(f"{slug}/r") and re.match(r"r\d+/", href.removeprefix(f"{slug}/")):
        return f"../{href.removeprefix(f'{slug}/')}"  # an even earlier revision
    if href.startswith(f"{slug}/"):
        return href.removeprefix(f"{slug}/")
    if re.fullmatch(rf"{re.escape(slug)}\.(?!html)\w+", href):
        return href  # an archived copy beside it
    return f"../../{href}"
