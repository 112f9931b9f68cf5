"""``verify.html``, which checks files and texts against signed statements, and the files in which it looks them up.

The page runs in the reader's browser alone. By the SHA-256 of a file it finds the shard that lists the statements with
a digest that begins with the same twelve digits. A shard only finds candidates: what counts is that a statement states
the whole digest, and that its signature is right. So the shards are a pure function of the manifest's rows.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

import msgspec
from msgspec import Struct

from pipeline.model.manifest import Manifest, Row
from pipeline.model.render_context import RenderContext
from pipeline.model.statement import ENTRY, NAMESPACE, SIGNERS, SignedStatement, Signer
from pipeline.model.statement import PAGE as PAGE
from pipeline.site import search
from pipeline.site.contact import newsroom_footer
from pipeline.typography import messages as languages
from pipeline.typography.messages import Messages, capitals, newsroom_messages
from pipeline.typography.templates import FETCHING, asset_href, render, script

FOLDER = "verify/"
INDEX = FOLDER + "index.json"
FEWEST_BITS, MOST_BITS = 4, 16
"""Of a digest, which number the shards."""
SHARD_BYTES = 25_000
"""Mean size of a shard, at most: none is longer than 50 KB, however long the archive."""
TOLD = 32
"""How many statements a shard lists for one digest, newest first: many may have the same title or the same logo."""


class Index(Struct, frozen=True):
    """``verify/index.json``."""

    bits: int


class Listed(Struct, frozen=True, array_like=True):
    """A statement as a shard lists it: an array in this order."""

    slug: str
    year: int
    beginning: str
    """Of the statement's SHA-256, as in the key of an earlier one."""
    entries: str
    """Those of the statement's entries that belong to this shard."""


def is_signed(rows: Iterable[Row]) -> bool:
    """Whether one of the releases has a statement."""
    return any(row.statement for row in rows)


def keys(manifest: Manifest) -> tuple[str, ...]:
    """Return the keys of page, signers and shards; none if no release is signed."""
    return (PAGE, SIGNERS, *_lookups(manifest)) if is_signed(manifest.rows) else ()


def contents(manifest: Manifest, render_context: RenderContext) -> Mapping[str, object]:
    """Return what each file states, by key; nothing for a newsroom that does not sign."""
    if not render_context.newsroom.signs:
        return {}
    signers, look = render_context.signers.text, sorted(render_context.assets.items())
    page = (look, signers, search.parts(manifest.rows))
    return {PAGE: page, SIGNERS: signers, **_lookups(manifest)}


def files(manifest: Manifest, render_context: RenderContext, only: Container[str] | None = None) -> Mapping[str, bytes]:
    """Return all files, or those with a key in ``only``, key → bytes; nothing for a newsroom that does not sign."""
    if not render_context.newsroom.signs:
        return {}
    found = {SIGNERS: render_context.signers.text, **_lookups(manifest)}
    if only is None or PAGE in only:
        found[PAGE] = _page(manifest, render_context)
    return {key: data for key, data in found.items() if only is None or key in only}


# --- Shards ----------------------------------------------------------------------------------------------------------


def _lookups(manifest: Manifest) -> dict[str, bytes]:
    """Return index and shards."""
    for rows, found in _last:  # of one manifest they are asked for again and again
        if rows == manifest.rows:
            return found
    bits = _bits(manifest.rows)
    shards = {shard_key(bits, number): data for number, data in enumerate(_shards(manifest.rows, bits))}
    _last[:] = [(manifest.rows, {INDEX: msgspec.json.encode(Index(bits)), **shards}), *_last[:1]]
    return _last[0][1]


def shard_key(bits: int, number: int) -> str:
    """Return the key of a shard."""
    return f"{FOLDER}{bits}/{number}.json"


def shard_of(sha256: str, bits: int) -> int:
    """Return the number of the shard of a digest, or of an entry."""
    return int(sha256[:4], 16) >> 16 - bits


_last: list[tuple[tuple[Row, ...], dict[str, bytes]]] = []


def _bits(rows: Iterable[Row]) -> int:
    """Return how many bits number the shards, so that their mean size stays below ``SHARD_BYTES``."""
    whole = 0
    for row in rows:
        around = len(f'["{row.slug}",2026,"","{16 * "0"}"],')
        whole += sum(len(each.entries) // ENTRY * (ENTRY + around) for each in _statements(row))
    bits = FEWEST_BITS
    while bits < MOST_BITS and whole > SHARD_BYTES << bits:
        bits += 1
    return bits


def _shards(rows: Iterable[Row], bits: int) -> Iterator[bytes]:
    """Yield the shards in the order of their numbers."""
    listed: list[list[Listed]] = [[] for _ in range(1 << bits)]
    told: dict[str, int] = {}
    for row in rows:
        for statement in _statements(row):
            of_shard: dict[int, str] = {}
            for at in range(0, len(statement.entries), ENTRY):
                entry = statement.entries[at : at + ENTRY]
                told[entry] = count = told.get(entry, 0) + 1
                if count <= TOLD:
                    number = shard_of(entry, bits)
                    of_shard[number] = of_shard.get(number, "") + entry
            for number, entries in of_shard.items():
                listed[number].append(Listed(row.slug, statement.signed.year, statement.sha256[:16], entries))
    return map(msgspec.json.encode, listed)


def _statements(row: Row) -> Iterator[SignedStatement]:
    """Yield the statements of a release, newest first."""
    if row.statement:
        yield row.statement
    yield from row.earlier_statements


# --- The page --------------------------------------------------------------------------------------------------------


class Key(Struct, frozen=True):
    """A key as the page shows it."""

    name: str
    fingerprint: str
    since: str
    """The first day on which it is valid, as printed; empty if it always was."""
    until: str
    """The day on which it is valid no more."""


def _page(manifest: Manifest, render_context: RenderContext) -> bytes:
    newsroom = render_context.newsroom
    messages = newsroom_messages(newsroom)
    known = [signer for signer in render_context.signers.known if _signs_releases(signer)]
    return render(
        "verify.html.j2",
        newsroom=newsroom,
        messages=messages,
        canonical=render_context.base_url + PAGE,
        base=render_context.base_url,
        css=asset_href(render_context.assets, "page.css"),
        mark=asset_href(render_context.assets, "mark.png"),
        policy=FETCHING,
        footer=newsroom_footer(newsroom, messages),
        signer=known[-1].name if known else "",
        signers=[_key(each, newsroom.language) for each in known],
        ends=msgspec.json.encode(end_marks()).decode(),
        search_parts=" ".join(search.parts(manifest.rows)),
        script=script("verify.js"),
    ).encode()


def _signs_releases(signer: Signer) -> bool:
    return not signer.namespaces or NAMESPACE in signer.namespaces


def _key(signer: Signer, language: str) -> Key:
    date = Messages(language, "UTC").date  # validity is counted in UTC
    since, until = (date(moment) if moment else "" for moment in (signer.valid_after, signer.valid_before))
    return Key(signer.name, signer.fingerprint, since, until)


def end_marks() -> list[str]:
    """Return the end marks of all languages, as a plain-text copy writes them."""
    found = (file.stem for file in sorted(languages.FOLDER.glob("*.toml")))
    return sorted({capitals(Messages(language, "UTC")["ends"], language) for language in found})
