"""What somebody is asked to approve: a staged release, compared with the source here, and what its signature does."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pipeline.build import fingerprint, parity
from pipeline.build.context import CommandContext
from pipeline.model.errors import Fault, ReleaseError, RenderError, SettingError, StorageError, printable
from pipeline.model.footage import Missing
from pipeline.model.formats import Rendition, by_name
from pipeline.model.manifest import digest
from pipeline.model.release import Release
from pipeline.model.revision import digest_of_words
from pipeline.model.statement import SIGNERS, Signer, Statement, decode, signature_key, statement_key
from pipeline.publish import stored_footage
from pipeline.publish.approval import is_stated, signers_of, staged_bytes
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import file_of
from pipeline.publish.progress import Progress
from pipeline.publish.signing import Key
from pipeline.publish.staging import (
    FOLDER,
    Releases,
    StagedFile,
    StagedRelease,
    change_staged,
    read_staged,
    remember_staged,
)
from pipeline.publish.statements import stated_words
from pipeline.publish.word_diff import Passage, differences
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput

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


def propose(context: CommandContext, slug: str, progress: Progress) -> Proposal:
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
    files = in_parallel(lambda key: staged_bytes(context, staged, key), staged.files)
    statement = decode(files[statement_key(slug)])
    if not is_stated(context, statement, staged):
        raise StorageError("the staged statement is not one of the staged files", "make publish stages it again")
    stored_footage.look(context, [slug], progress)
    _compare(context, staged, files, statement)
    return Proposal(staged, statement, files, signers_of(context, staged), _differing(context, staged, files))


def _compare(context: CommandContext, staged: StagedRelease, files: Mapping[str, bytes], proposed: Statement) -> None:
    """Raise ReleaseError unless the staged files say what the source on this machine says."""
    from pipeline.reader import read_release

    slug, newsroom = staged.row.slug, context.newsroom
    row, source = staged.row, context.state.source(slug)
    release = read_release(source, newsroom, None, context.state.films).release
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
    made = tuple(Rendition(name, by_name(name).key(slug), 0, "", staged.row.pages) for name in COMPARED)
    missing = _missing(staged, release)
    if stated_words(row, files, newsroom) != proposed.words:
        raise _other(source, "the staged statement is not one of these words")
    for name in COMPARED:
        if (key := by_name(name).key(slug)) in files:
            why = missing if by_name(name).states_footage else {}
            article = compose(release, newsroom, messages, base_url=address, missing=why)
            render_input = RenderInput(release, newsroom, messages, article, {}, b"", address, made, missing=why)
            try:
                parity.check(by_name(name), render_input, files[key])
            except RenderError as error:
                raise _other(source, f"the staged {by_name(name).label} says something else: {error}") from None


def _missing(staged: StagedRelease, release: Release) -> dict[str, Missing]:
    """Return which footage files the staged page says are not there."""
    folder = f"releases/{release.slug}/"
    coming = staged.films if staged.row.footage_outdated else ()
    missing: dict[str, Missing] = {key.removeprefix(folder): "coming" for key in coming}
    return missing | {key.removeprefix(folder): "gone" for key in staged.row.expired}


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
