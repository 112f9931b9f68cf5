"""Publishing: upload the candidates, bring the listings in line, and read everything back."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from pipeline.build import revisions
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.published import StoredManifest
from pipeline.model.errors import DatelineError, ReleaseError, SettingError, printable
from pipeline.model.manifest import Manifest
from pipeline.model.statement import SIGNERS
from pipeline.publish import approval, listings, sharing, statements, stored_footage, withdrawal
from pipeline.publish.apply import Publisher, apply, merged, plan_uploads
from pipeline.publish.candidates import Candidate, Classified, classify, without_contested
from pipeline.publish.commits import Snapshot, put_missing, read_manifest
from pipeline.publish.fetch import noted_stale
from pipeline.publish.guarantees import check_ahead, checks_uploads, require
from pipeline.publish.leak_test import require_hidden
from pipeline.publish.manifest import keep
from pipeline.publish.parallel import in_parallel
from pipeline.publish.plan import File, Upload, file_of, plan
from pipeline.publish.progress import Progress, count, lateness, size
from pipeline.publish.schedule import by_instant, scheduled_here
from pipeline.publish.signing import VARIABLE, key_file
from pipeline.publish.sources import recall_refused, report_refused, warn_outdated_translations
from pipeline.publish.staging import plan_staging, stage_all, with_staged_footage
from pipeline.publish.up_to_date import UNVERIFIED, agreed, recall_unverified
from pipeline.publish.verification import (
    Problem,
    ask,
    delivered,
    expected_files,
    proven,
    raise_problems,
    read,
    require_shown,
    served_digests,
)
from pipeline.storage import LARGE

LEASE = timedelta(minutes=15)
"""How long a release stays leased to a publisher that is never heard of again; longer by what it has to send."""
SLOWEST = 250_000
"""Bytes a second that are counted on: films take hours over a line of two megabits."""


def look_ahead(context: CommandContext) -> listings.Seen:
    """Read, open and look at what ``publish_all`` will need, for as long as other processes render.

    Raises DatelineError, but nothing that ``publish_all`` would not raise again.
    """
    context.published.whole()
    context.store.check()
    check_ahead(context)
    return listings.look(context)


def publish_all(
    context: CommandContext,
    progress: Progress,
    *,
    dry_run: bool = False,
    sign: bool = False,
    seen: listings.Seen = listings.NOTHING,
) -> ExitStatus | None:
    """Upload the candidates, stage the scheduled releases and report; with ``dry_run`` only say what would be done.

    With ``sign``, what was public before there was a key is signed too. ``seen`` is what ``look_ahead`` has found.
    """
    slugs = noted_stale(context)
    context.use_run_clock()
    classified = classify(context.state, context.render_context(), slugs, context.now)
    key = statements.signing_key(context)
    if sign:
        _require_key(context, key)
    stated = approval.with_approved(
        context, statements.state(context, classified.candidates, key, approval.staged_rows(context))
    )
    candidates = stated.candidates
    if sign and (opened := key()):
        candidates += statements.of_public(context, opened, [each.row.slug for each in classified.candidates])
    copies = sharing.stated_copies(context.store) if context.newsroom.signs and not dry_run else {}
    texts = {slug: [(each.statement, each.signature) for each in shared] for slug, shared in copies.items()}
    candidates = statements.with_copies(context.published.by_slug(), candidates, texts)
    if dry_run:
        _report_plan(context, candidates, progress)
        staged = plan_staging(context, progress)
    else:
        if candidates or _pending_deletes(context) or not listings.are_current(context):
            _upload(context, with_staged_footage(context, candidates), progress, seen)
        elif not classified.failed and not stated.waiting and not stated.to_approve and not _still_public(context):
            progress.line(f"nothing to do: {published_count(context)}, all up to date")
        require_hidden(context, classified.scheduled)
        stored_footage.tell(context)
        staged = stage_all(context, progress, stated.to_approve)
        sharing.forget_statements(context.store, copies.keys() & context.published.by_slug().keys())
    waiting = _report_unsigned(context, stated, progress)
    unapproved = approval.report_lack(context, stated.to_approve, progress)
    return _conclude(context, classified, progress) or staged or waiting or unapproved


def _require_key(context: CommandContext, key: statements.OpenKey) -> None:
    """Raise SettingError when nothing can be signed on this machine."""
    if not context.newsroom.signs:
        raise SettingError(
            f"nobody is named in {context.state.content / SIGNERS}", "make key writes a key, and names it"
        )
    if key() is None:
        file = key_file(context.environ)
        raise SettingError(
            f"there is no key to sign with: neither {file} nor an ssh-agent has one of content/{SIGNERS}",
            f"make key writes one; {VARIABLE} names the file of another",
        )


def _report_unsigned(context: CommandContext, stated: statements.Stated, progress: Progress) -> ExitStatus | None:
    """Report what nobody has signed. It is an error only where it keeps new words from being published."""
    rows, now = context.published.by_slug(), "make sign, on a machine that has the key"
    if stated.unsigned:
        progress.fault(f"warning: {count(len(stated.unsigned), 'release')} published unsigned\n  hint: {now}")
    if not stated.waiting:
        return None
    new = [each for each in stated.waiting if (row := rows.get(each.row.slug)) is None or row.source != each.row.source]
    shown = ", ".join(each.row.slug if each.row.slug in rows else context.state.opaque(each.row.slug) for each in new)
    only = "" if new else ", with the same words in a new layout"
    what = f"{count(len(stated.waiting), 'release')} not published, waiting for a signature{only}"
    progress.fault(f"{'' if new else 'warning: '}{what}" + (f": {shown}" if shown else "") + f"\n  hint: {now}")
    return exit_status(ReleaseError) if new else None


class _Sending:
    """What was sent of ``uploads``, for the line of progress: in megabytes where there are large files."""

    def __init__(self, uploads: Sequence[Upload], progress: Progress) -> None:
        self.total = sum(upload.file.size for upload in uploads)
        self.large = {each.file.key: (each.file.size, each.file.sha256) for each in uploads if each.file.size > LARGE}
        self._number, self._progress = len(uploads), progress
        self._sent: dict[str, int] = {}
        self._bytes = 0
        self._whole: set[str] = set()

    def part(self, key: str, size: int) -> None:
        """Note a part of a large file."""
        self._note(key, self._sent.get(key, 0) + size)

    def done(self, upload: Upload) -> None:
        """Note a file that was sent as a whole."""
        self._whole.add(upload.file.key)
        self._note(upload.file.key, upload.file.size)

    def _note(self, key: str, size: int) -> None:
        self._bytes += size - self._sent.get(key, 0)
        self._sent[key] = size
        there, total = round(self._bytes / 1e6), round(self.total / 1e6)
        if self.large:
            self._progress.progress(there, total, f"MB, {len(self._whole)} of {count(self._number, 'file')}")
        else:
            self._progress.progress(len(self._whole), self._number, f"files, {there} of {total} MB")


class _Listed:
    """The listings that a run brings in line with what it uploads."""

    def __init__(self, context: CommandContext, done: Callable[[Upload], None], seen: listings.Seen) -> None:
        self.found = listings.Listings(context, seen)
        self.uploads: dict[str, Upload] = {}
        self._context, self._done = context, done
        self._created: set[str] = set()
        self._public: dict[str, str] | None = None

    def ahead(self, snapshot: Snapshot, candidates: tuple[Candidate, ...]) -> None:
        """Write those that pages will link to, and render those that change, if this is the only run that publishes."""
        new = listings.new_listings(self.found, snapshot, candidates)
        self._created |= new.keys()
        put_missing(self._context.store, new)
        coming = merged(snapshot.manifest, candidates, self._context.assets)
        with suppress(DatelineError):  # which does not keep a release back, and is raised when they are written
            self._public = self.found.in_storage(coming)
            self.found.changed(coming, self._public)

    def update(self, progress: Progress, current: Snapshot) -> Snapshot:
        """Bring them in line with ``current``, and take down what is withdrawn or has expired."""
        store, now = self._context.store, self._context.now
        public = self.found.in_storage(current.manifest) if self._public is None else self._public
        self._public = public
        coming = self.found.changed(current.manifest, public)
        current = listings.update(store, coming, lambda manifest: self.found.changed(manifest, public), self._note)
        for row in withdrawal.pending_deletes(current.manifest):
            progress.step("remove", row.slug, "", "", "withdrawn")
        for slug in withdrawal.expired_footage(current.manifest, now):
            progress.step("remove", slug, "", "", "footage expired")
        return withdrawal.take_down(store, current, now)

    def _note(self, upload: Upload) -> None:
        key = upload.file.key
        self.uploads[key] = replace(upload, reason="new") if key in self._created else upload
        self._done(upload)


def _upload(
    context: CommandContext, candidates: tuple[Candidate, ...], progress: Progress, seen: listings.Seen
) -> None:
    store = context.store
    clock = store.check().date
    require(context, "publish", "together")
    publisher = Publisher(context.state.machine_name(), clock, clock + LEASE, context.signers.keys)
    base = context.published.whole()
    keep(base.years, base.rows)
    snapshot = read_manifest(store)
    candidates = without_contested(candidates, base, snapshot.manifest, publisher.name)
    assets = _files(context.assets)
    context.store_assets(unpublished=False)
    todo = plan_uploads(candidates, assets, snapshot.manifest, store, _verified(context, candidates))
    sending = _Sending(todo.uploads, progress)
    publisher = replace(publisher, until=publisher.until + timedelta(seconds=sending.total / SLOWEST))
    written: dict[str, str] = {}
    confirmed: set[str] = set()
    large = sending.large

    def done(upload: Upload) -> None:
        written[upload.file.key] = upload.file.sha256
        if upload.group != "listings":
            sending.done(upload)

    listed = _Listed(context, done, seen)
    _remember_begun(context, candidates)
    stamp = _agreed(context, candidates, snapshot.manifest)
    applied = apply(
        store,
        todo,
        candidates,
        context.assets,
        base,
        snapshot,
        publisher,
        done,
        before_pages=partial(listed.ahead, snapshot, candidates),
        confirmed=confirmed,
        sent=sending.part,
        told=lambda manifest: replace(listed.found.told(manifest), up_to_date=stamp),
    )
    context.state.remember(revisions.MINOR, {})
    _report_uploads(todo.uploads, progress)
    _report_footage(context, candidates, progress)
    by_checksum = _proven(context, confirmed, candidates, snapshot.manifest, large)
    problems = delivered(context.anonymous, {key: large[key] for key in by_checksum if key in large})
    problems += _update_listings(context, listed.found, applied, partial(listed.update, progress), written, by_checksum)
    _report_uploads(listed.uploads.values(), progress)
    _remember_unverified(context, candidates, problems)
    statements.store_here(context, candidates)
    raise_problems(problems)
    _report_proof(len(written), todo.unchanged, len(by_checksum), progress)


def _agreed(context: CommandContext, candidates: tuple[Candidate, ...], public: Manifest) -> str:
    """Return what tells a fresh clone that all is up to date after this run; nothing if it is not."""
    known, coming = context.published, {each.row.slug: each.row for each in candidates}
    hidden = {slug for slug in context.state.hidden(context.now) if slug not in known.by_slug()}
    is_all = {*noted_stale(context)} <= coming.keys() | hidden and public.serial == known.serial
    if not is_all or not isinstance(known, StoredManifest):
        return ""
    facts = ((row.slug, row.source, row.fingerprint) for row in (public.by_slug() | coming).values())
    return agreed(context.render_context(), facts, known.without_source())


def _update_listings(
    context: CommandContext,
    found: listings.Listings,
    applied: Snapshot,
    update_once: Callable[[Snapshot], Snapshot],
    written: Mapping[str, str],
    by_checksum: frozenset[str],
) -> list[Problem]:
    """Bring the listings in line, and read the files of the releases back while they are rendered; return problems."""
    unproven = expected_files({key: sha256 for key, sha256 in written.items() if key not in by_checksum})
    answers = ask(context.anonymous, unproven)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read, answers)
        _, problems = listings.update_and_verify(
            context, found, applied, update_once, written, by_checksum, reading.result
        )
    return problems


def _files(assets: Mapping[str, bytes]) -> list[File]:
    return [file_of(key, data) for key, data in assets.items()]


def _verified(context: CommandContext, candidates: Iterable[Candidate]) -> Mapping[str, str]:
    """Return the digests that are public of releases that an earlier run uploaded and did not verify.

    So an interrupted run is continued: files that are right are not uploaded again.
    """
    unverified = recall_unverified(context.state)
    # Footage is large, and its digest was stored with it: to ask for that is enough to decide.
    files = (file for each in candidates if each.row.slug in unverified for file in each.files)
    keys = [file.key for file in files if not file.footage]
    return served_digests(context.anonymous, keys)


def _proven(
    context: CommandContext,
    confirmed: Iterable[str],
    candidates: Sequence[Candidate],
    before: Manifest,
    large: Container[str],
) -> frozenset[str]:
    """Return which files need not be read back; all of a release that was public or under embargo is read back.

    That does not hold for ``large`` files, of which the storage has confirmed every part.
    """
    if not checks_uploads(context):
        return frozenset()
    rows, summaries = before.by_slug(), context.state.summaries([each.row.slug for each in candidates])

    def is_read_in_full(slug: str) -> bool:
        return slug in rows or slug not in summaries or summaries[slug].embargo

    in_full = {file.key for each in candidates if is_read_in_full(each.row.slug) for file in each.files}
    return proven(confirmed, in_full, large)


def _remember_begun(context: CommandContext, candidates: Iterable[Candidate]) -> None:
    """Remember what is uploaded: a run may be killed, and until all is read back the manifest alone proves nothing."""
    rows = [each.row for each in candidates]
    context.state.remember(UNVERIFIED, sorted({*recall_unverified(context.state), *(row.slug for row in rows)}))
    minor = {row.slug: row.source for row in rows if row.past and row.past[-1].minor}
    context.state.remember(revisions.MINOR, context.state.recall(revisions.MINOR, dict[str, str], {}) | minor)


def _remember_unverified(context: CommandContext, candidates: Iterable[Candidate], problems: list[Problem]) -> None:
    """Remember the releases that were not read back as they were uploaded."""
    wrong = {problem.key for problem in problems}
    uploaded = {each.row.slug: {file.key for file in each.files} for each in candidates}
    named = [slug for slug, keys in uploaded.items() if wrong & keys]
    earlier = recall_unverified(context.state) - uploaded.keys()
    context.state.remember(UNVERIFIED, sorted({*earlier, *(named or (uploaded if problems else ()))}))


# ── Reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _report_proof(written: int, unchanged: int, by_checksum: int, progress: Progress) -> None:
    """Report how many files were uploaded, and what proves that they are right."""
    progress.line(
        f"{count(written, 'file')} uploaded, {unchanged} unchanged; "
        + (f"{by_checksum} verified by the storage's checksums, all others " if by_checksum else "all ")
        + "read back and verified without credentials"
    )


def _report_uploads(uploads: Iterable[Upload], progress: Progress) -> None:
    """Report one line for each release that was uploaded, and one for the assets, the feeds, the archive …"""
    by_name: dict[str, list[Upload]] = {}
    for upload in uploads:
        by_name.setdefault(_shown_as(upload), []).append(upload)
    for name, group in by_name.items():
        reasons = "/".join(sorted({upload.reason for upload in group}))
        total = size(sum(upload.file.size for upload in group))
        progress.step("upload", name, total, count(len(group), "file"), reasons)


def _report_footage(context: CommandContext, candidates: Iterable[Candidate], progress: Progress) -> None:
    """Report the footage that has followed the words, and how long after their instant."""
    rows, now = context.published.by_slug(), datetime.now(UTC)
    for each in candidates:
        if (row := rows.get(each.row.slug)) and row.footage_outdated and not each.row.footage_outdated:
            footage = [file for file in each.files if file.footage]
            total = size(sum(file.size for file in footage))
            if footage:
                number = count(len(footage), "footage file")
                progress.step("release", each.row.slug, total, number, lateness(now - each.row.date))


def _shown_as(upload: Upload) -> str:
    """Return the name of the release or the listings that a file belongs to."""
    first, *rest = Path(upload.file.key).parts
    if first == "releases":
        return rest[0].split(".")[0]
    if first.startswith(("feed", "atom.")):
        return "feeds"
    return first.split(".")[0] if first.startswith("sitemap") else first


def _report_plan(context: CommandContext, candidates: tuple[Candidate, ...], progress: Progress) -> None:
    """Report what would be uploaded and why; write nothing."""
    store = context.store
    store.check()
    current = read_manifest(store).manifest
    todo = plan_uploads(candidates, _files(context.assets), current, store, _verified(context, candidates))
    found, coming = listings.Listings(context), merged(current, candidates, context.assets)
    rendered = found.changed(coming, found.in_storage(coming))
    stored = in_parallel(store.get, rendered)
    shown = plan(_files(rendered), {key: known.sha256 for key, known in stored.items() if known})
    unchanged = todo.unchanged + shown.unchanged + len(found.stamps(coming)) - len(rendered)
    uploads = (*todo.uploads, *shown.uploads)
    rows = [(each.reason, each.file.key, size(each.file.size), each.file.media_type) for each in uploads]
    rows += [("archived", copy.key, "", copy.source) for each in candidates for copy in each.archived]
    rows += [("removed", key, "", "") for each in candidates for key in each.row.pending_deletes]
    expired = withdrawal.expired_footage(coming, context.now)
    rows += [("removed", key, "", "") for keys in expired.values() for key in keys]
    if rows:
        progress.table([("why", "what", "size", "as"), *rows])
    number = count(len(uploads), "file")
    progress.line(f"dry run: {number} would be uploaded, {unchanged} unchanged; nothing was written")


def _conclude(context: CommandContext, classified: Classified, progress: Progress) -> ExitStatus | None:
    """Report what was not published, and warn of what is public and not in content/ as it should be."""
    content, published = context.state.content, context.published
    if gone := published.without_source() if isinstance(published, StoredManifest) else []:
        hint = f"get the newest sources, or put the file back into {content}/; " + (
            "to take the release back, withdraw it: without its source it stays public"
        )
        progress.fault(f"warning: public, but not in {content}/: {', '.join(gone)}\n  hint: {hint}")
    warn_outdated_translations(context, progress)
    still_public = _still_public(context)
    if classified.failed:
        reasons = (
            f"{printable(slug)} ({'a rendition is missing' if context.state.parsed_release(slug) else 'refused'})"
            for slug in classified.failed
        )
        progress.fault(f"{count(len(classified.failed), 'release')} not published: {', '.join(reasons)}")
    return exit_status(ReleaseError) if classified.failed or still_public else None


def _still_public(context: CommandContext) -> list[str]:
    """Return the public releases whose sources say that they are drafts, or not public yet."""
    public = context.published.by_slug()
    return [slug for slug in context.state.hidden(context.now) if slug in public]


def _pending_deletes(context: CommandContext) -> bool:
    """Whether files of a withdrawn release, or expired footage, may still be public."""
    return isinstance(context.published, StoredManifest) and context.published.pending_deletes(context.now)


def published_count(context: CommandContext) -> str:
    """Return how many releases are public: ``3 releases published, 1 withdrawn``."""
    withdrawn = context.published.withdrawn
    published = count(len(context.published.by_slug()) - withdrawn, "release")
    return f"{published} published" + (f", {withdrawn} withdrawn" if withdrawn else "")


def report_address(context: CommandContext, progress: Progress) -> None:
    """Report what is public, what is not, and where, as the last lines of the result.

    Raises StorageError when readers do not see at that address what is in the storage.
    """
    require_shown(context, progress)
    here = scheduled_here(context)
    scheduled = sum(map(len, by_instant(context.state, here, context.now).values()))
    drafts, refused = len(here) - scheduled, len(recall_refused(context))
    numbers = {"scheduled": scheduled, "draft" if drafts == 1 else "drafts": drafts, "refused": refused}
    told = ", ".join([published_count(context), *(f"{number} {what}" for what, number in numbers.items() if number)])
    progress.line(f"{told}, at" if "," in told else f"{told} at")
    progress.heading(f"{context.destination.printed_url}index.html")


def report_refusals(context: CommandContext, progress: Progress) -> None:
    """Report what was refused and what to do: the last that a person reads of a publication."""
    rows = context.published.by_slug()
    for slug in _still_public(context):
        progress.fault(
            f"{context.state.source(slug)}: already published on {rows[slug].date:%Y-%m-%d}; a draft flag or a later "
            "date does not unpublish it\n  hint: to take it back, write withdrawn: in its front matter"
        )
    report_refused(context, progress)
