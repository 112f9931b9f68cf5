"""Approval: a release is published only when enough signers have signed the statement of what is staged.

What is approved are the staged bytes, not what this machine would render. An edit makes another statement, and so ends
the approval. The unattended job that publishes needs no key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta

from msgspec.structs import replace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.model.errors import ReleaseError, StorageError
from pipeline.model.manifest import Row, digest
from pipeline.model.statement import SIGNERS, Signer, Statement, decode, statement_key
from pipeline.publish.candidates import Candidate
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import file_of
from pipeline.publish.progress import Progress, count
from pipeline.publish.signing import valid_signers
from pipeline.publish.staging import (
    StagedRelease,
    read_staged,
    recall_staged,
    rows_of,
)
from pipeline.publish.statements import Stated, lasting

SOON = timedelta(days=1)
"""Before its instant, from when on every run warns that a release is not approved."""


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
        data = staged_bytes(context, staged, statement_key(staged.row.slug))
        if digest(data) != staged.row.statement.sha256 or not is_stated(context, decode(data), staged):
            return ()
    except (StorageError, ValueError):  # then it is staged anew
        return ()
    return valid_signers(data, staged.row.statement, context.signers)


def is_stated(context: CommandContext, statement: Statement, staged: StagedRelease) -> bool:
    """Whether a statement is one of the release that is staged, and of its files."""
    row = staged.row
    facts = (context.newsroom.guid(row.slug), row.slug, row.title, row.revision, row.modified.astimezone(UTC))
    stated = (statement.guid, statement.slug, statement.title, statement.revision, statement.instant)
    return facts == stated and statement.files == lasting(row.slug, staged.stated())


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
    """Return ``candidate`` with the staged bytes; its footage is that of this machine."""
    bodies = in_parallel(lambda key: staged_bytes(context, staged, key), staged.files)
    files = tuple(file_of(key, data) for key, data in bodies.items())
    row = replace(staged.row, earlier_statements=candidate.row.earlier_statements)
    pages = [
        file
        for file in candidate.files
        if file.footage or (file.key not in staged.files and file.key.endswith(".html"))
    ]
    return replace(candidate, row=row, files=(*files, *pages), neighbours=staged.neighbours)


def staged_bytes(context: CommandContext, staged: StagedRelease, key: str) -> bytes:
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
