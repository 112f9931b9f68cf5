"""Approval: a release is published only when enough signers have signed the statement of what is staged.

What is approved are the staged bytes, not what this machine would render. An edit makes another statement, and so ends
the approval. The unattended job that publishes needs no key.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build import fingerprint, parity
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.model.errors import Fault, ReleaseError, RenderError, SettingError, StorageError, printable
from pipeline.model.formats import Rendition, by_name
from pipeline.model.manifest import Row, digest
from pipeline.model.revision import digest_of_words
from pipeline.model.statement import SIGNERS, Signer, Statement, decode, signature_key, statement_key
from pipeline.publish.candidates import Candidate
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import file_of
from pipeline.publish.progress import Progress, count
from pipeline.publish.signing import Key, valid_signers
from pipeline.publish.staging import (
    FOLDER,
    Releases,
    StagedFile,
    StagedRelease,
    change_staged,
    read_staged,
    recall_staged,
    remember_staged,
    rows_of,
)
from pipeline.publish.statements import Stated, lasting, stated_words
from pipeline.publish.word_diff import Passage, differences
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput

SOON = timedelta(days=1)
"""Before its instant, from when on every run warns that a release is not approved."""
COMPARED = ("text", "pdf", "docx", "html", "json")
"""Formats whose words are compared with the source before somebody approves them."""


class Proposal(Struct, frozen=True):
    """A staged release as somebody is asked to approve it."""

    staged: StagedRelease
    statement: Statement
    files: Mapping[str, bytes]
    """By the key that each will have in public."""
    signers: tuple[Signer, ...]
    """Who has approved it already."""
    differing: tuple[Passage, ...] | None
    """The words that differ from those approved last, or from the public ones; None where there are none to compare."""


def demanded(context: CommandContext) -> int:
    """Return how many must have signed a release before it is public."""
    newsroom = context.newsroom
    return newsroom.approvals or int(newsroom.signatures_required)


# ── What is approved ────────────────────────────────────────────────────────────────────────────────────────────────


def signers_of(context: CommandContext, staged: StagedRelease) -> tuple[Signer, ...]:
    """Return who has signed a staged release as it is; nobody if its statement cannot be read."""
    if not staged.signed or staged.row.statement is None or (context.newsroom.approvals and not staged.by_approval):
        return ()
    try:
        data = _staged_bytes(context, staged, statement_key(staged.row.slug))
        if digest(data) != staged.row.statement.sha256 or not _is_of(context, decode(data), staged):
            return ()
    except (StorageError, ValueError):  # then it is staged anew
        return ()
    return valid_signers(data, staged.row.statement, context.signers)


def _is_of(context: CommandContext, statement: Statement, staged: StagedRelease) -> bool:
    """Whether a statement is one of the release that is staged, and of its files."""
    row = staged.row
    facts = (context.newsroom.guid(row.slug), row.slug, row.title, row.revision, row.modified.astimezone(UTC))
    stated = (statement.guid, statement.slug, statement.title, statement.revision, statement.instant)
    return facts == stated and statement.files == lasting(row.slug, staged.digests())


def may_be_public(context: CommandContext, staged: StagedRelease) -> bool:
    """Whether enough signers have signed a staged release."""
    needed = demanded(context)
    return not needed or len(signers_of(context, staged)) >= needed


def staged_rows(context: CommandContext) -> Mapping[str, Row]:
    """Return the rows of what is staged; where approvals count, as it is now, else as it was last seen."""
    if not context.newsroom.signs:
        return {}
    counts = context.newsroom.approvals > 0
    return rows_of(context, read_staged(context.store).releases if counts else recall_staged(context) or {})


def with_approved(context: CommandContext, stated: Stated) -> Stated:
    """Take for publication what is approved as another machine has staged it, from the same source."""
    if not stated.to_approve:
        return stated
    releases = read_staged(context.store).releases
    public = {*context.published.by_slug(), *(each.row.slug for each in stated.candidates)}
    approved = {}
    for candidate in stated.to_approve:
        staged = releases.get(candidate.row.slug)
        named = {*staged.neighbours} <= public if staged else False
        if staged and named and staged.is_of(candidate) and may_be_public(context, staged):
            approved[candidate.row.slug] = _as_staged(context, staged, candidate)
    left = tuple(each for each in stated.to_approve if each.row.slug not in approved)
    hidden = {each.row.slug for each in left} - context.published.by_slug().keys()
    # What names one whose approval ended since this run began is for the next run.
    going = tuple(each for each in stated.candidates if not hidden & {*each.neighbours})
    return stated._replace(candidates=(*going, *approved.values()), to_approve=left)


def _as_staged(context: CommandContext, staged: StagedRelease, candidate: Candidate) -> Candidate:
    """Return ``candidate`` with the staged bytes."""
    bodies = in_parallel(lambda key: _staged_bytes(context, staged, key), staged.files)
    files = tuple(file_of(key, data) for key, data in bodies.items())
    row = replace(staged.row, earlier_statements=candidate.row.earlier_statements)
    pages = [file for file in candidate.files if file.key not in staged.files and file.key.endswith(".html")]
    return replace(candidate, row=row, files=(*files, *pages), neighbours=staged.neighbours)


def _staged_bytes(context: CommandContext, staged: StagedRelease, key: str) -> bytes:
    """Return a staged file. Raises StorageError when it is not there, or not with the bytes that were staged."""
    file = staged.files[key]
    stored = context.store.get(file.name, "private")
    if stored is None or digest(stored.body) != file.sha256:
        slug = context.state.opaque(staged.row.slug)
        raise StorageError(f"{slug}: a staged file is not there as it was staged", "make publish stages it again")
    return stored.body


# ── Reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def report_lack(context: CommandContext, to_approve: Iterable[Candidate], progress: Progress) -> ExitStatus | None:
    """Report what is not published because it is not approved, and warn of what is due within a day."""
    staged = recall_staged(context) or {}
    late = [each.row.slug for each in to_approve]
    for slug in late:
        name = slug if slug in context.published.by_slug() else context.state.opaque(slug)
        what = f"{name} is not published: it has {_lack(context, staged.get(slug))}"
        progress.fault(f"{what}\n  hint: make approve RELEASE=…, on a machine that has a key of content/{SIGNERS}")
    if demanded(context):
        for slug, each in staged.items():
            left = each.instant - context.now
            if timedelta(0) < left <= SOON and slug not in late and not may_be_public(context, each):
                when = f"{each.instant:%H:%M} UTC, in {_length(left)}"
                name = context.state.opaque(slug)
                progress.fault(f"warning: {name} is due at {when}, and has {_lack(context, each)}")
    return exit_status(ReleaseError) if late else None


def _lack(context: CommandContext, staged: StagedRelease | None) -> str:
    """Return what a release lacks to be published."""
    signers = signers_of(context, staged) if staged else ()
    given = f" (by {', '.join(signer.name for signer in signers)})" if signers else ""
    needed = demanded(context)
    noun = "approval" if context.newsroom.approvals else "signature"
    return f"{len(signers)} of {count(needed, noun)}{given}"


def refusal(context: CommandContext, staged: StagedRelease) -> str:
    """Return why a release is not released at its instant; empty where it may be."""
    return "" if may_be_public(context, staged) else f"it has {_lack(context, staged)}"


def _length(left: timedelta) -> str:
    minutes = max(1, round(left.total_seconds() / 60))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


# ── Approving ───────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(context: CommandContext, slug: str) -> Proposal:
    """Fetch what is staged of a release, and check it against the source here.

    Raises SettingError when it is not staged, ReleaseError when the source here says something else.
    """
    context.store.check("private")
    releases = read_staged(context.store).releases
    remember_staged(context, releases)
    staged = releases.get(slug)
    if staged is None or statement_key(slug) not in staged.files:
        hint = "make publish stages what has to be approved; make status lists the releases"
        raise SettingError(f"{printable(slug)} is not staged, so there is nothing to approve", hint)
    files = in_parallel(lambda key: _staged_bytes(context, staged, key), staged.files)
    statement = decode(files[statement_key(slug)])
    if not _is_of(context, statement, staged):
        raise StorageError("the staged statement is not one of the staged files", "make publish stages it again")
    _compare(context, staged, files, statement)
    return Proposal(staged, statement, files, signers_of(context, staged), _differing(context, staged, files))


def _compare(context: CommandContext, staged: StagedRelease, files: Mapping[str, bytes], proposed: Statement) -> None:
    """Raise ReleaseError unless the staged files say what the source on this machine says."""
    from pipeline.reader import read_release

    slug, newsroom = staged.row.slug, context.newsroom
    row, source = staged.row, context.state.source(slug)
    release = read_release(source, newsroom, None).release
    if release.date != row.date:
        raise _other(source, f"its date here, {release.date:%Y-%m-%d %H:%M%z}, is not the one that is staged")
    if digest_of_words(release) != row.words:
        raise _other(source, "its words here are not those that are staged")
    facts = (release.title, release.summary, release.topics, release.language)
    if fingerprint.of_source(context.state, slug) != row.source or facts != (
        row.title, row.summary, row.topics, row.language,
    ):  # fmt: skip
        raise _other(source, "it is not the source of what is staged")
    messages = Messages(release.language, newsroom.time_zone)
    address = context.destination.base_url
    article = compose(release, newsroom, messages, base_url=address)
    made = tuple(Rendition(name, by_name(name).key(slug), 0, "", staged.row.pages) for name in COMPARED)
    render_input = RenderInput(release, newsroom, messages, article, {}, b"", address, made)
    if stated_words(row, files, newsroom) != proposed.words:
        raise _other(source, "the staged statement is not one of these words")
    for name in COMPARED:
        if (key := by_name(name).key(slug)) in files:
            try:
                parity.check(by_name(name), render_input, files[key])
            except RenderError as error:
                raise _other(source, f"the staged {by_name(name).label} says something else: {error}") from None


def _other(source: Path, message: str) -> ReleaseError:
    hint = "get the newest sources; if yours are the newest, run make publish: it stages them"
    return ReleaseError([Fault(str(source), 0, message, hint)])


def _differing(
    context: CommandContext, staged: StagedRelease, files: Mapping[str, bytes]
) -> tuple[Passage, ...] | None:
    """Return the words that differ from what was approved last, else from what is public; None for a first version."""
    key = by_name("text").key(staged.row.slug)
    if key not in files:
        return None
    if staged.approved:
        stored = context.store.get(staged.approved.name, "private")
        before = stored.body if stored else None
    else:
        answer = context.anonymous.get(key) if staged.row.revision > 1 or staged.row.past else None
        before = answer.body if answer and answer.status == 200 else None
    return None if before is None else tuple(differences(before.decode(), files[key].decode()))


def approve(context: CommandContext, proposal: Proposal, key: Key) -> StagedRelease:
    """Sign the statement of ``proposal``, put the signature beside the staged files, and return what is staged then.

    Raises SettingError when this signer has signed it, or when it was staged anew in the meantime.
    """
    slug, before = proposal.staged.row.slug, proposal.staged
    if any(signer.name == key.signer.name for signer in proposal.signers):
        raise SettingError(f"{key.signer.name} has approved it already", "another signer has to approve it")
    if not key.signer.is_valid(proposal.statement.signed):
        raise SettingError(
            f"the key of {key.signer.name} was not valid on {proposal.statement.signed}, the day of the statement",
            f"correct its dates in content/{SIGNERS}",
        )
    blob = key.sign(proposal.statement.encode())
    object_name = f"{FOLDER}{secrets.token_hex(16)}/1"

    def change(current: Releases) -> Releases:
        now = current.get(slug)
        if (
            now is None
            or now.row.statement is None
            or now.row.source != before.row.source
            or (before.row.statement is None or now.row.statement.sha256 != before.row.statement.sha256)
        ):
            raise SettingError("it was staged anew in the meantime", "run make approve again")
        text = base64.b64encode(blob).decode()
        signed = replace(now.row.statement, signatures=(*now.row.statement.signatures, text))
        public = signature_key(statement_key(slug), len(signed.signatures))
        data = signed.signature_files(statement_key(slug))[public]
        context.store.put(file_of(public, data).put(object_name), "private")
        file = StagedFile(object_name, digest(data), len(data))
        row, files = replace(now.row, statement=signed), {**now.files, public: file}
        return {**current, slug: replace(now, row=row, files=files, by_approval=True)}

    after = change_staged(context.store, read_staged(context.store), change).releases
    remember_staged(context, after)
    return after[slug]
