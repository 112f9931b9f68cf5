"""The command that publishes: upload what is ready, bring the listings in line, read everything back."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from pipeline.build import revisions as history
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console, count, size
from pipeline.cli.doctor import refuse_publishing
from pipeline.cli.rendering import warn_outdated_translations
from pipeline.cli.secrecy import keep_secret
from pipeline.cli.staging import plan_all, stage_all
from pipeline.model.errors import ReleaseError, SettingError, printable
from pipeline.model.manifest import digest
from pipeline.publish import apply as publish
from pipeline.publish import candidates as ready
from pipeline.publish import commits, up_to_date
from pipeline.publish import verification as verify
from pipeline.publish import withdrawal as succession
from pipeline.publish.fetch import CLOCK
from pipeline.publish.listings import are_current, build, complain, keep, opening, read_back
from pipeline.publish.plan import File, Plan, Upload, plan
from pipeline.site import listings
from pipeline.storage import ObjectStore

LEASE = timedelta(minutes=15)
"""How long a release stays claimed when its publisher is never heard of again."""


# ── Publish ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def publish_all(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Upload what is ready, bring the listings in line, read everything back."""
    fetched = context.state.work / up_to_date.UP_TO_DATE
    if not fetched.is_file():
        raise SettingError("nothing was fetched from storage yet", "make publish does it in the right order")
    context.use_run_clock(context.state.work / CLOCK)
    up_to_date_slugs = set(fetched.read_text("utf-8").split())
    todo = [slug for slug in context.state.slugs() if slug not in up_to_date_slugs]
    found = ready.sort(context.state, context.render_context(), todo, context.now)
    if options.dry_run:
        _print_plan(context, found, console)
    elif found.ready or succession.pending_deletes(context.published) or not are_current(context):
        _upload(context, found, console)
    else:
        console.line(
            f"nothing to do: {count(len(context.published.rows), 'release')} public, all as made from content/"
        )
    if not options.dry_run:
        keep_secret(context, found.scheduled, guessing=False)
        staged = stage_all(context, console)
    else:
        staged = plan_all(context, console)
    return _conclude(context, found, console) or staged


def _upload(context: CommandContext, found: ready.Classified, console: Console) -> None:
    store = context.store
    clock = store.check().date
    refuse_publishing(context)
    me = publish.Publisher(context.state.name(), clock, clock + LEASE)
    seen = commits.look(store)
    going = ready.without_rivals(found.ready, context.published, seen.manifest, me.name)
    found = msgspec.structs.replace(found, ready=going)
    assets = {key: data for key, data in context.assets.items() if key not in seen.manifest.assets}
    todo = publish.draft(found.ready, _files(assets), seen.manifest, store, _in_doubt(context, found))
    written: dict[str, str] = {}

    def tell(upload: Upload) -> None:
        written[upload.file.key] = upload.file.sha256
        if upload.group == "listings":
            console.step("upload", upload.file.key, size(upload.file.size), upload.reason)
        else:
            console.progress(len(written), len(todo.uploads), "uploaded")

    # Until it was read back, the manifest alone must settle none of it: this run may be killed any time.
    unverified = {*context.state.recall(up_to_date.UNVERIFIED, list[str], []), *(r.row.slug for r in found.ready)}
    context.state.remember(up_to_date.UNVERIFIED, sorted(unverified))
    opened = opening(context, seen, found.ready)
    minor = {r.row.slug: r.row.source for r in found.ready if r.row.past and r.row.past[-1].minor}
    context.state.remember(history.MINOR, context.state.recall(history.MINOR, dict[str, str], {}) | minor)
    publish.apply(store, todo, found.ready, context.assets, context.published, seen, me, tell, opened)
    context.state.remember(history.MINOR, {})
    _sum_up(todo, console)
    proven: set[str] = set()
    for _ in range(commits.TRIES):
        seen = publish.list_all(store, listings.keys(seen.manifest), lambda manifest: build(context, manifest), tell)
        seen = _take_down(store, seen, console)
        keep(context, seen.manifest)
        unproven = {key: sha256 for key, sha256 in written.items() if key not in proven}
        problems = read_back(context, unproven, seen.manifest)
        if not problems or commits.look(store).manifest.serial == seen.manifest.serial:
            break  # else somebody published meanwhile: what is shared is theirs now, and is looked at again
        proven = written.keys() - {problem.key for problem in problems}
    _doubt(context, found, problems)
    complain(problems)
    console.line(f"{count(len(written), 'file')} up, {todo.unchanged} unchanged; all read back as a stranger")


def _take_down(store: ObjectStore, seen: commits.Snapshot, console: Console) -> commits.Snapshot:
    """Remove what was withdrawn, now that everything says so."""
    for row in succession.pending_deletes(seen.manifest):
        console.step("remove", row.slug, "", "", "withdrawn")
    return succession.take_down(store, seen)


def _sum_up(todo: Plan, console: Console) -> None:
    """Write one line for each release that went up, and one for the shared files."""
    sizes: dict[str, list[Upload]] = {}
    for upload in todo.uploads:
        name = Path(upload.file.key).parts[1].split(".")[0] if upload.group != "assets" else "assets"
        sizes.setdefault(name, []).append(upload)
    for name, uploads in sizes.items():
        reasons = sorted({upload.reason for upload in uploads})
        total = size(sum(upload.file.size for upload in uploads))
        console.step("upload", name, total, count(len(uploads), "file"), "/".join(reasons))


def _files(assets: Mapping[str, bytes]) -> list[File]:
    return [File(key, digest(data), len(data), data) for key, data in assets.items()]


def _in_doubt(context: CommandContext, found: ready.Classified) -> Mapping[str, str]:
    """Return what a stranger is given of the releases that a run before sent up, and never read back as they should be.

    So a run that was interrupted is gone on with: what is there as it should be does not go up again.
    """
    unverified = set(context.state.recall(up_to_date.UNVERIFIED, list[str], []))
    return verify.in_doubt(
        context.anonymous, [file.key for r in found.ready if r.row.slug in unverified for file in r.files]
    )


def _doubt(context: CommandContext, found: ready.Classified, problems: list[verify.Problem]) -> None:
    """Remember the releases that did not come back as they went up: the manifest alone must not settle them."""
    wrong = {problem.key for problem in problems}
    named = [r.row.slug for r in found.ready if wrong & {file.key for file in r.files}]
    uploaded = [r.row.slug for r in found.ready]
    elsewhere = set(context.state.recall(up_to_date.UNVERIFIED, list[str], [])) - set(uploaded)
    context.state.remember(up_to_date.UNVERIFIED, sorted({*elsewhere, *(named or (uploaded if problems else []))}))


def _conclude(context: CommandContext, found: ready.Classified, console: Console) -> ExitStatus | None:
    """Say what is public and where; the last line is the address."""
    sources = set(context.state.slugs())
    gone = [row.slug for row in context.published.rows if row.slug not in sources]
    if gone:
        console.fault(f"warning: public, but not in {context.state.content}/: {', '.join(sorted(gone))}")
    warn_outdated_translations(context, console)
    public = {row.slug: row for row in context.published.rows}
    taken_back = [slug for slug in found.scheduled if slug in public]
    for slug in taken_back:
        console.fault(
            f"{context.state.source(slug)}: a draft, or its date is ahead, but it is public since "
            f"{public[slug].date:%Y-%m-%d} and stays so\n  hint: only withdrawn: takes it back"
        )
    if len(found.scheduled) > len(taken_back):
        console.line(f"{count(len(found.scheduled) - len(taken_back), 'release')} held until the date comes, or drafts")
    if found.failed:
        named = ", ".join(f"{printable(slug)} ({_why(context, slug)})" for slug in found.failed)
        console.fault(f"{count(len(found.failed), 'release')} not published: {named}")
    console.line(f"{count(len(context.published.rows), 'release')} public at")
    console.heading(f"{context.destination.base_url}index.html")
    return exit_status(ReleaseError) if found.failed or taken_back else None


def _why(context: CommandContext, slug: str) -> str:
    return "a rendition is missing" if context.state.parsed_release(slug) else "refused"


def _print_plan(context: CommandContext, found: ready.Classified, console: Console) -> None:
    """Print what would go up and why; write nothing."""
    store = context.store
    store.check()
    seen = commits.look(store).manifest
    todo = publish.draft(found.ready, _files(context.assets), seen, store, _in_doubt(context, found))
    after = publish.merged(seen, found.ready, context.assets)
    shown = {}
    for key, data in build(context, after).items():
        known = store.get(key)
        shown[key] = digest(known.body) if known else ""
        todo = _with(todo, plan([File(key, digest(data), len(data), data)], shown))
    rows = [(u.reason, u.file.key, size(u.file.size), u.media_type) for u in todo.uploads]
    rows += [("kept", copy.key, "", copy.source) for r in found.ready for copy in r.kept]
    rows += [("removed", key, "", "") for r in found.ready for key in r.row.pending_deletes]
    if rows:
        console.table([("why", "what", "size", "as"), *rows])
    console.line(
        f"dry run: {count(len(todo.uploads), 'file')} would go up, {todo.unchanged} unchanged; nothing was written"
    )


def _with(one: Plan, other: Plan) -> Plan:
    return Plan((*one.uploads, *other.uploads), one.unchanged + other.unchanged)
