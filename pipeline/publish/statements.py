"""Statements of what is published: drafted from a candidate's files, signed, and kept when a newer one replaces them.

A statement is made anew only where it would say something else. Where it would and there is no key, a release that was
signed is left as it is, so that no signed file is replaced by one that nobody can check.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.model.errors import StorageError
from pipeline.model.formats import FORMATS, by_name
from pipeline.model.manifest import Row, digest
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.model.statement import (
    FOLDER,
    SUFFIXES,
    SignedStatement,
    Statement,
    Status,
    decode,
    earlier_key,
    signature_key,
    statement_key,
    words_of,
)
from pipeline.publish.candidates import ArchivedCopy, Candidate
from pipeline.publish.commits import must_get
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import File, file_of
from pipeline.publish.signing import Key, lines_of, open_key, valid_signers
from pipeline.storage import ObjectStore
from pipeline.typography.messages import Messages, capitals
from pipeline.writers.ninjs import digests

OpenKey = Callable[[], Key | None]
_TEXT = by_name("text")


class Stated(NamedTuple):
    """Candidates with their statements, and what could not be signed."""

    candidates: tuple[Candidate, ...]
    unsigned: tuple[Candidate, ...] = ()
    """Among the candidates: those that nobody signed."""
    waiting: tuple[Candidate, ...] = ()
    """Left out until somebody signs them."""
    to_approve: tuple[Candidate, ...] = ()
    """Left out until they are approved; until then they are staged."""


def state(
    context: CommandContext,
    candidates: Iterable[Candidate],
    key: OpenKey,
    staged: Mapping[str, Row],
    *,
    staging: bool = False,
) -> Stated:
    """Give ``candidates`` their statements, as far as this newsroom signs.

    A statement that is public or ``staged`` (slug → row) stays as long as it fits, with its signatures. With
    ``staging`` the candidates are to be staged, else to be published at once.
    """
    candidates = tuple(candidates)
    if not context.newsroom.signs:
        return Stated(candidates)
    public = context.published.by_slug()
    newsroom = context.newsroom
    required = newsroom.signatures_required or newsroom.approvals > 0
    going: list[Candidate] = []
    unsigned, waiting, to_approve = list[Candidate](), list[Candidate](), list[Candidate]()
    for candidate in candidates:
        row = public.get(candidate.row.slug)
        to_be = is_to_approve(context, candidate)
        if stated := _as_it_was(candidate, row, staged.get(candidate.row.slug), newsroom, to_be):
            is_ready = staging or not to_be or is_approved(context, stated)
            (going if is_ready else to_approve).append(stated)
        elif to_be:
            (going if staging else to_approve).append(_anew(candidate, row, context, ()))
        elif opened := key():
            going.append(_anew(candidate, row, context, (opened,)))
        elif required or not (staging or row is None or row.statement is None or candidate.row.withdrawn):
            waiting.append(candidate)
        else:  # what is withdrawn must not stay because a key is missing
            going.append(_unsigned(candidate, row))
            unsigned.append(going[-1])
    return Stated(tuple(going), tuple(unsigned), tuple(waiting), tuple(to_approve))


def is_to_approve(context: CommandContext, candidate: Candidate) -> bool:
    """Whether a candidate has to be approved first: it has new words, or other pictures, and is not withdrawn.

    A new layout of approved words needs a signature, as in every newsroom that signs, and so does a withdrawal.
    """
    row = context.published.by_slug().get(candidate.row.slug)
    is_new = row is None or row.source != candidate.row.source
    return context.newsroom.approvals > 0 and is_new and not candidate.row.withdrawn


def is_approved(context: CommandContext, candidate: Candidate) -> bool:
    """Whether so many signers as newsroom.toml demands have signed the statement of ``candidate``."""
    key, signed = statement_key(candidate.row.slug), candidate.row.statement
    message = next((file.source for file in candidate.files if file.key == key), b"")
    if signed is None or not isinstance(message, bytes):
        return False
    return len(valid_signers(message, signed, context.signers)) >= context.newsroom.approvals


def _as_it_was(
    candidate: Candidate, public: Row | None, staged: Row | None, newsroom: Newsroom, to_approve: bool
) -> Candidate | None:
    """Return ``candidate`` with the statement that is public or staged, if it would say the same.

    One that nobody has signed is none, unless the candidate is still ``to_approve``.
    """
    copy = _copy(candidate)
    for row in (public, staged):
        if row and row.statement and (row.statement.signatures or to_approve):
            same = draft(candidate, copy, newsroom, row.statement.signed)
            if digest(same.encode()) == row.statement.sha256:
                replaced = public.statement if public and row is staged else None
                return with_statement(candidate, same, row.statement, public, replaced)
    return None


def _anew(candidate: Candidate, public: Row | None, context: CommandContext, keys: Iterable[Key]) -> Candidate:
    """Return ``candidate`` with a new statement, signed with ``keys``."""
    new = draft(candidate, _copy(candidate), context.newsroom, context.now.astimezone(UTC).date())
    return with_statement(candidate, new, signed_with(new, *keys), public, public.statement if public else None)


def draft(candidate: Candidate, copy: str, newsroom: Newsroom, day: date) -> Statement:
    """Return what is to be stated of ``candidate``; ``copy`` is its plain text."""
    row = candidate.row
    files = lasting(row.slug, candidate.stated)
    return drafted(row, files, copy, newsroom, day, "canceled" if row.withdrawn else "usable")


class _Facts(NamedTuple):
    """What a statement says of a release that has no row yet."""

    slug: str
    title: str
    language: str
    revision: int
    modified: datetime
    corrections: int = 0
    withdrawn: bool = False


def drafted(
    row: Row | _Facts, files: tuple[tuple[str, str], ...], copy: str, newsroom: Newsroom, day: date, status: Status
) -> Statement:
    """Return a statement of ``files``, key and SHA-256 of each."""
    ends = capitals(Messages(row.language, newsroom.time_zone)["ends"], row.language)
    words = words_of(copy, row.title, [ends]) if copy and not row.withdrawn else ""
    return Statement(
        guid=newsroom.guid(row.slug),
        address=f"releases/{row.slug}.html",
        title=row.title,
        revision=row.revision,
        corrections=max(row.corrections, 0),
        instant=row.modified.astimezone(UTC),
        status=status,
        signed=day,
        words=hashlib.sha256(words.encode()).hexdigest() if words else "",
        files=files,
    )


def lasting(slug: str, digests_by_key: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return key and SHA-256 of the files that a statement names, in the order of the keys."""
    return tuple(sorted((key, sha256) for key, sha256 in digests_by_key.items() if _is_lasting(slug, key)))


def _is_lasting(slug: str, key: str) -> bool:
    """Whether a file changes with its own release alone: a rendition, or a picture; not an archived file."""
    if any(row.key(slug) == key for row in FORMATS):
        return any(row.key(slug) == key and row.group == "files" for row in FORMATS)
    return re.fullmatch(rf"releases/{re.escape(slug)}/[^/]+", key) is not None


def stated_words(row: Row, files: Mapping[str, bytes], newsroom: Newsroom) -> str:
    """Return what a statement of these files says of their words."""
    copy = files.get(_TEXT.key(row.slug), b"").decode()
    return drafted(row, (), copy, newsroom, date.min, "usable").words


def _copy(candidate: Candidate) -> str:
    """Return the plain text of a candidate; empty where it has none."""
    key = _TEXT.key(candidate.row.slug)
    source = next((file.source for file in candidate.files if file.key == key), b"")
    return (source.read_bytes() if isinstance(source, Path) else source if isinstance(source, bytes) else b"").decode()


# ── What goes into manifest and storage ─────────────────────────────────────────────────────────────────────────────


def signed_with(statement: Statement, *keys: Key) -> SignedStatement:
    """Return the statement as the manifest names it, signed with ``keys``."""
    data = statement.encode()
    signatures = tuple(base64.b64encode(key.sign(data)).decode() for key in keys)
    return SignedStatement(digest(data), statement.signed, statement.entries(), signatures)


def with_statement(
    candidate: Candidate,
    statement: Statement,
    signed: SignedStatement,
    public: Row | None,
    replaced: SignedStatement | None = None,
) -> Candidate:
    """Return ``candidate`` with the files of its statement; those of the public statement ``replaced`` are archived."""
    row, slug = candidate.row, candidate.row.slug
    before = public.earlier_statements if public else ()
    if replaced:
        # The second signature's file would stay, beside a text that it does not fit.
        missing = len(replaced.signatures) - len(signed.signatures)
        signed = replace(signed, signatures=(*signed.signatures, *signed.signatures[-1:] * missing))
        if replaced.sha256 in {signed.sha256, *(each.sha256 for each in before)}:
            replaced = None  # it is kept already, or it is the same
    files = [file_of(statement_key(slug), statement.encode()), *signature_files(statement_key(slug), signed)]
    earlier = (*_superseded(replaced), *before)
    return replace(
        candidate,
        row=replace(row, statement=signed, earlier_statements=earlier),
        files=(*candidate.files, *files),
        archived=(*candidate.archived, *_archived(row, replaced)),
    )


def signature_files(key: str, signed: SignedStatement) -> list[File]:
    """Return the signatures beside the statement at ``key``."""
    return [file_of(name, data) for name, data in signed.signature_files(key).items()]


def _superseded(before: SignedStatement | None) -> tuple[SignedStatement, ...]:
    return (before,) if before else ()


def _unsigned(candidate: Candidate, known: Row | None) -> Candidate:
    """Return ``candidate`` without a statement; one that it had is archived, and deleted where it was."""
    before = known.statement if known else None
    row, key = candidate.row, statement_key(candidate.row.slug)
    gone = (key, *(file.key for file in signature_files(key, before))) if before else ()
    earlier = (*_superseded(before), *(known.earlier_statements if known else ()))
    row = replace(row, earlier_statements=earlier, pending_deletes=tuple(sorted({*row.pending_deletes, *gone})))
    return replace(candidate, row=row, archived=(*candidate.archived, *_archived(row, before)))


def _archived(row: Row, replaced: SignedStatement | None) -> list[ArchivedCopy]:
    """Return the copies by which a statement and its signatures stay public."""
    if replaced is None:
        return []
    key, kept = statement_key(row.slug), earlier_key(row.slug, replaced.signed.year, replaced.sha256)
    signatures = enumerate(signature_files(key, replaced), 1)
    return [
        ArchivedCopy(key, kept, replaced.sha256),
        *(ArchivedCopy(file.key, signature_key(kept, number), file.sha256) for number, file in signatures),
    ]


# ── What is public already ──────────────────────────────────────────────────────────────────────────────────────────


def of_public(context: CommandContext, key: Key, but: Iterable[str]) -> tuple[Candidate, ...]:
    """Return signed candidates of the public releases that no signer of today signed, but those with a slug in ``but``.

    So a release is signed anew when the key that signed it was stolen, and its line was deleted from the signers.
    What they state is read from the storage: nothing is rendered. Raises StorageError when a file is not what the
    manifest says.
    """
    left = set(but)
    rows = {row.slug: row for row in context.published.rows if row.slug not in left and not _is_signed(context, row)}
    day = context.now.astimezone(UTC).date()

    known = in_parallel(lambda slug: _public_files(context.store, rows[slug]), rows)

    def signed(slug: str) -> Candidate:
        row = rows[slug]
        files, copy = known[slug]
        status: Status = "canceled" if row.withdrawn else "usable"
        statement = drafted(row, lasting(slug, files), copy, context.newsroom, day, status)
        return with_statement(Candidate(row, ()), statement, signed_with(statement, key), row, row.statement)

    return tuple(map(signed, rows))  # one after the other: a security key asks for a touch each time


def _is_signed(context: CommandContext, row: Row) -> bool:
    return row.statement is not None and bool(lines_of(row.statement, context.signers))


def _public_files(store: ObjectStore, row: Row) -> tuple[dict[str, str], str]:
    """Return key → SHA-256 of the files of a public release, and its plain text."""
    files = digests(_must_have(store, f"releases/{row.slug}.json", row.record))
    text = _TEXT.key(row.slug)
    return files, _must_have(store, text, files[text]).decode() if text in files else ""


def _must_have(store: ObjectStore, key: str, sha256: str) -> bytes:
    if digest(data := must_get(store, key)) != sha256:
        raise StorageError(f"{key} has other bytes than were published, so it is not signed", "make verify")
    return data


# ── Embargoed copies ────────────────────────────────────────────────────────────────────────────────────────────────


def of_copies(context: CommandContext, release: Release, bodies: Mapping[str, bytes]) -> tuple[str, str]:
    """Return a signed statement of embargoed copies, and its signature; nothing where there is no key.

    ``bodies`` are the copies by the key that each original will have.
    """
    if not context.newsroom.signs or (key := signing_key(context)()) is None:
        return "", ""
    files = lasting(release.slug, {name: digest(data) for name, data in bodies.items()})
    copy = bodies.get(_TEXT.key(release.slug), b"").decode()
    facts = _Facts(release.slug, release.title, release.language, release.revision, release.modified)
    statement = drafted(facts, files, copy, context.newsroom, context.now.astimezone(UTC).date(), "embargoed")
    data = statement.encode()
    return data.decode(), base64.b64encode(key.sign(data)).decode()


def with_copies(
    rows: Mapping[str, Row], candidates: Iterable[Candidate], stated: Mapping[str, Iterable[tuple[str, str]]]
) -> tuple[Candidate, ...]:
    """Return ``candidates`` with the statements of embargoed copies of releases that are public, or are to be now.

    ``stated`` has statement and signature by slug. A release of ``rows`` with nothing else to publish is added.
    """
    going = {each.row.slug: each for each in candidates}
    for slug, texts in stated.items():
        if slug in going:
            candidate = going[slug]
        elif (row := rows.get(slug)) is not None:
            candidate = Candidate(row, ())
        else:
            continue
        known = {each.sha256 for each in candidate.row.earlier_statements}
        for text, signature in texts:
            data = text.encode()
            try:
                statement = decode(data)
            except ValueError:  # another version wrote it
                continue
            signed = SignedStatement(digest(data), statement.signed, statement.entries(), (signature,))
            if signed.sha256 not in known:
                key = earlier_key(slug, signed.signed.year, signed.sha256)
                earlier = (*candidate.row.earlier_statements, signed)
                candidate = replace(
                    candidate,
                    row=replace(candidate.row, earlier_statements=earlier),
                    files=(*candidate.files, file_of(key, data), *signature_files(key, signed)),
                )
                going[slug] = candidate
    return tuple(going.values())


def signing_key(context: CommandContext) -> OpenKey:
    """Return a function that opens the key of this machine once, when there is something to sign."""

    @cache
    def opened() -> Key | None:
        return open_key(context.environ, context.signers, context.root)

    return opened


def store_here(context: CommandContext, candidates: Iterable[Candidate]) -> None:
    """Write the statements of ``candidates`` into the public tree of this machine; those that they replace stay."""
    public = context.state.public
    for candidate in candidates:
        for copy in candidate.archived:
            if copy.key.startswith(FOLDER) and (public / copy.source).is_file():
                write_file(public / copy.key, (public / copy.source).read_bytes())
        for file in candidate.files:
            if isinstance(file.source, bytes):
                write_file(public / file.key, file.source)
        for key in candidate.row.pending_deletes:
            if key.endswith(SUFFIXES):
                (public / key).unlink(missing_ok=True)
