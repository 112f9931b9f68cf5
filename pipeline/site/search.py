"""The full text of all releases for the search of the newsroom page: one file beside each page of the archive's years.

A browser fetches them when a reader asks for the whole archive. An entry has each word of a release once, so a file is
half as long as the texts. What every release says, status line, boilerplate and contacts, is left out. An entry is
kept as it is while its release is the same, so that a new release costs the record of one, not of a whole page.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime
from html import escape, unescape

import msgspec
from msgspec import Struct

from pipeline.model.manifest import Manifest, Row, digest
from pipeline.model.newsroom import Newsroom
from pipeline.site import archive
from pipeline.site.archive import TOPICS, ArchivePage
from pipeline.typography.feed_list import canonical
from pipeline.typography.messages import Messages, direction_of, newsroom_messages

SUFFIX = ".search.json"
Before = Callable[[str], bytes]
"""From the key of a file to its bytes as it was rendered last by the same code; nothing if they are not known."""
_INLINE = re.compile(r"</?(?:a|b|bdi|code|del|em|i|strong|sub|sup)\b[^>]*>")
_TAG = re.compile(r"<[^>]+>")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\u2066-\u2069\ufeff]")


class _Entry(Struct, frozen=True, array_like=True):
    """One release as the script of the newsroom page reads it: an array in this order."""

    slug: str
    datetime: datetime
    date: str
    """As printed."""
    language: str
    direction: str
    title: str
    mark: str
    """That it was corrected or withdrawn; empty for most."""
    topics: tuple[str, ...]
    words: str
    """Each word once, in lower case, with blanks between."""
    stamp: str
    """Digest of what the entry was made from."""


class _Index(Struct, frozen=True):
    releases: tuple[_Entry, ...] = ()


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of all files."""
    return tuple(_pages(manifest))


def parts(rows: tuple[Row, ...]) -> list[str]:
    """Return which files have releases, newest first: ``2026``, ``2026/1``, … below the archive."""
    found = _pages(Manifest(rows=rows))
    return [key.removeprefix(archive.FOLDER).removesuffix(SUFFIX) for key in found]


def contents(manifest: Manifest) -> Mapping[str, object]:
    """Return what each file states, by key."""
    return {key: [_stamp(row) for row in page.rows] for key, page in _pages(manifest).items()}


def unknown(manifest: Manifest, before: Before, only: Container[str] | None = None) -> Iterator[Row]:
    """Yield the rows whose records ``files`` needs, because the file of before does not have them."""
    for key, page in _pages(manifest).items():
        if only is None or key in only:
            known = _entries(before(key))
            yield from (row for row in page.rows if not row.withdrawn and _stamp(row) not in known)


def files(
    manifest: Manifest,
    newsroom: Newsroom,
    record: Callable[[Row], bytes],
    before: Before,
    only: Container[str] | None = None,
) -> Mapping[str, bytes]:
    """Return all files, or those with a key in ``only``, key → bytes. ``record`` returns the ninjs record of a row."""
    messages = newsroom_messages(newsroom)
    made = {}
    for key, page in _pages(manifest).items():
        if only is None or key in only:
            known = _entries(before(key))
            entries = (known.get(_stamp(row)) or _entry(row, newsroom, messages, record) for row in page.rows)
            made[key] = msgspec.json.encode(_Index(tuple(entries)))
    return made


def _pages(manifest: Manifest) -> dict[str, ArchivePage]:
    """Return the pages of the archive's years by the key of the file beside each."""
    return {
        page.key.removesuffix(".html") + SUFFIX: page
        for page in archive.archive_pages(manifest)
        if not page.section.startswith(TOPICS)
    }


def _entries(data: bytes) -> dict[str, _Entry]:
    """Return the entries of a file by stamp; none if it is no file of ours."""
    try:
        return {entry.stamp: entry for entry in msgspec.json.decode(data, type=_Index).releases}
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def _stamp(row: Row) -> str:
    # The record would change with the release beside this one; the source changes with the text alone.
    told = (row.slug, row.source, row.title, row.summary, row.date, row.language, row.topics, row.modified)
    return digest(msgspec.json.encode((*told, row.corrections, row.withdrawn)))[:12]


def _entry(row: Row, newsroom: Newsroom, messages: Messages, record: Callable[[Row], bytes]) -> _Entry:
    texts = [row.title, row.summary]
    name = "withdrawn" if row.withdrawn else "corrected" if row.corrections > 0 else ""
    if not row.withdrawn:
        texts.append(_own_text(_body(record(row)), newsroom, Messages(row.language, newsroom.time_zone)))
    return _Entry(
        slug=row.slug,
        datetime=row.date,
        date=messages.date(row.date),
        language=canonical(row.language),
        direction=direction_of(row.language),
        title=row.title,
        mark=messages.fill(name, date=messages.date(row.modified)) if name else "",
        topics=archive.topics_of(row),
        words=words(" ".join(texts)),
        stamp=_stamp(row),
    )


class _Body(Struct):
    value: str


class _Record(Struct):
    bodies: tuple[_Body, ...]


def _body(record: bytes) -> str:
    return msgspec.json.decode(record, type=_Record).bodies[0].value


def _own_text(html: str, newsroom: Newsroom, messages: Messages) -> str:
    """Return the text of a record's article without what all releases of the newsroom say."""

    def heading(text: str) -> str:
        return f"<h2>{escape(text, quote=False)}</h2>"

    for name in ("footage", "media_contact"):  # these come last
        html = html.rpartition(heading(messages[name]))[0] or html
    before, found, after = html.partition(heading(messages.fill("about", name=newsroom.name)))
    if found:  # then come the notes, with a heading
        html = before + "".join(after.partition("<h2")[1:])
    status, kind = messages["for_immediate_release"], messages["press_release"]
    for said in (status, f"{escape(newsroom.name, quote=False)}<br/>{kind}", f"<p>{messages['ends']}</p>"):
        html = html.replace(said, " ", 1)
    return unescape(_TAG.sub(" ", _INLINE.sub("", html)))


def words(text: str) -> str:
    """Return each word of ``text`` once, in lower case, without the punctuation around it."""
    parts = unicodedata.normalize("NFC", _INVISIBLE.sub("", text)).lower().split()
    return " ".join(filter(None, dict.fromkeys(map(_bare, parts))))


def _bare(word: str) -> str:
    start, end = 0, len(word)
    while start < end and unicodedata.category(word[start])[0] in "PS":
        start += 1
    while start < end and unicodedata.category(word[end - 1])[0] in "PS":
        end -= 1
    return word[start:end]
