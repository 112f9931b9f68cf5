"""The command that publishes: upload what is ready, bring the listings in line, read everything back."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec

from pipeline.build import revisions as history
from pipeline.cli.console import Console, count, size
from pipeline.cli.context import Desk, Verdict, verdict
from pipeline.cli.doctoring import refuse_publishing
from pipeline.cli.fetching import CLOCK
from pipeline.cli.rendering import tell_lagging
from pipeline.cli.secrecy import keep_secret
from pipeline.cli.showing import are_current, build, complain, keep, opening, read_back
from pipeline.cli.staging import plan_all, stage_all
from pipeline.model.errors import ReleaseError, SettingError, printable
from pipeline.model.manifest import digest
from pipeline.publish import apply as publish
from pipeline.publish import candidates as ready
from pipeline.publish import commits
from pipeline.publish import up_to_date as settle
from pipeline.publish import verification as verify
from pipeline.publish import withdrawal as succession
from pipeline.publish.plan import File, Plan, Upload, plan
from pipeline.site import listings
from pipeline.storage import ObjectStore

CLAIM = timedelta(minutes=15)
"""How long a release stays claimed when its publisher is never heard of again."""


# ── Publish ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def publish_all(desk: Desk, options: Namespace, console: Console) -> Verdict | None:
    """Upload what is ready, bring the listings in line, read everything back."""
    fetched = desk.workshop.work / settle.SETTLED
    if not fetched.is_file():
        raise SettingError("nothing was fetched from storage yet", "make publish does it in the right order")
    desk.go_by(desk.workshop.work / CLOCK)
    settled = set(fetched.read_text("utf-8").split())
    todo = [slug for slug in desk.workshop.slugs() if slug not in settled]
    found = ready.sort(desk.workshop, desk.house(), todo, desk.now)
    if options.dry_run:
        _print_plan(desk, found, console)
    elif found.ready or succession.doomed(desk.published) or not are_current(desk):
        _upload(desk, found, console)
    else:
        console.line(f"nothing to do: {count(len(desk.published.rows), 'release')} public, all as made from content/")
    if not options.dry_run:
        keep_secret(desk, found.held, guessing=False)
        staged = stage_all(desk, console)
    else:
        staged = plan_all(desk, console)
    return _conclude(desk, found, console) or staged


def _upload(desk: Desk, found: ready.Sorted, console: Console) -> None:
    store = desk.store
    clock = store.check().date
    refuse_publishing(desk)
    me = publish.Publisher(desk.workshop.name(), clock, clock + CLAIM)
    seen = commits.look(store)
    going = ready.without_rivals(found.ready, desk.published, seen.manifest, me.name)
    found = msgspec.structs.replace(found, ready=going)
    assets = {key: data for key, data in desk.assets.items() if key not in seen.manifest.assets}
    todo = publish.draft(found.ready, _files(assets), seen.manifest, store, _in_doubt(desk, found))
    written: dict[str, str] = {}

    def tell(upload: Upload) -> None:
        written[upload.file.key] = upload.file.sha256
        if upload.group == "listings":
            console.step("upload", upload.file.key, size(upload.file.size), upload.reason)
        else:
            console.progress(len(written), len(todo.uploads), "uploaded")

    # Until it was read back, the manifest alone must settle none of it: this run may be killed any time.
    doubtful = {*desk.workshop.recall(settle.DOUBTFUL, list[str], []), *(r.row.slug for r in found.ready)}
    desk.workshop.remember(settle.DOUBTFUL, sorted(doubtful))
    opened = opening(desk, seen, found.ready)
    minor = {r.row.slug: r.row.source for r in found.ready if r.row.past and r.row.past[-1].minor}
    desk.workshop.remember(history.MINOR, desk.workshop.recall(history.MINOR, dict[str, str], {}) | minor)
    publish.apply(store, todo, found.ready, desk.assets, desk.published, seen, me, tell, opened)
    desk.workshop.remember(history.MINOR, {})
    _sum_up(todo, console)
    proven: set[str] = set()
    for _ in range(commits.TRIES):
        seen = publish.list_all(store, listings.keys(seen.manifest), lambda manifest: build(desk, manifest), tell)
        seen = _take_down(store, seen, console)
        keep(desk, seen.manifest)
        unproven = {key: sha256 for key, sha256 in written.items() if key not in proven}
        troubles = read_back(desk, unproven, seen.manifest)
        if not troubles or commits.look(store).manifest.serial == seen.manifest.serial:
            break  # else somebody published meanwhile: what is shared is theirs now, and is looked at again
        proven = written.keys() - {trouble.key for trouble in troubles}
    _doubt(desk, found, troubles)
    complain(troubles)
    console.line(f"{count(len(written), 'file')} up, {todo.unchanged} unchanged; all read back as a stranger")


def _take_down(store: ObjectStore, seen: commits.Seen, console: Console) -> commits.Seen:
    """Remove what was withdrawn, now that everything says so."""
    for row in succession.doomed(seen.manifest):
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


def _in_doubt(desk: Desk, found: ready.Sorted) -> Mapping[str, str]:
    """Return what a stranger is given of the releases that a run before sent up, and never read back as they should be.

    So a run that was interrupted is gone on with: what is there as it should be does not go up again.
    """
    doubtful = set(desk.workshop.recall(settle.DOUBTFUL, list[str], []))
    return verify.in_doubt(desk.stranger, [file.key for r in found.ready if r.row.slug in doubtful for file in r.files])


def _doubt(desk: Desk, found: ready.Sorted, troubles: list[verify.Trouble]) -> None:
    """Remember the releases that did not come back as they went up: the manifest alone must not settle them."""
    wrong = {trouble.key for trouble in troubles}
    named = [r.row.slug for r in found.ready if wrong & {file.key for file in r.files}]
    uploaded = [r.row.slug for r in found.ready]
    elsewhere = set(desk.workshop.recall(settle.DOUBTFUL, list[str], [])) - set(uploaded)
    desk.workshop.remember(settle.DOUBTFUL, sorted({*elsewhere, *(named or (uploaded if troubles else []))}))


def _conclude(desk: Desk, found: ready.Sorted, console: Console) -> Verdict | None:
    """Say what is public and where; the last line is the address."""
    sources = set(desk.workshop.slugs())
    gone = [row.slug for row in desk.published.rows if row.slug not in sources]
    if gone:
        console.fault(f"warning: public, but not in {desk.workshop.content}/: {', '.join(sorted(gone))}")
    tell_lagging(desk, console)
    public = {row.slug: row for row in desk.published.rows}
    taken_back = [slug for slug in found.held if slug in public]
    for slug in taken_back:
        console.fault(
            f"{desk.workshop.source(slug)}: a draft, or its date is ahead, but it is public since "
            f"{public[slug].date:%Y-%m-%d} and stays so\n  hint: only withdrawn: takes it back"
        )
    if len(found.held) > len(taken_back):
        console.line(f"{count(len(found.held) - len(taken_back), 'release')} held until the date comes, or drafts")
    if found.broken:
        named = ", ".join(f"{printable(slug)} ({_why(desk, slug)})" for slug in found.broken)
        console.fault(f"{count(len(found.broken), 'release')} not published: {named}")
    console.line(f"{count(len(desk.published.rows), 'release')} public at")
    console.heading(f"{desk.destination.base_url}index.html")
    return verdict(ReleaseError) if found.broken or taken_back else None


def _why(desk: Desk, slug: str) -> str:
    return "a rendition is missing" if desk.workshop.manuscript(slug) else "refused"


def _print_plan(desk: Desk, found: ready.Sorted, console: Console) -> None:
    """Print what would go up and why; write nothing."""
    store = desk.store
    store.check()
    seen = commits.look(store).manifest
    todo = publish.draft(found.ready, _files(desk.assets), seen, store, _in_doubt(desk, found))
    after = publish.merged(seen, found.ready, desk.assets)
    shown = {}
    for key, data in build(desk, after).items():
        known = store.get(key)
        shown[key] = digest(known.body) if known else ""
        todo = _with(todo, plan([File(key, digest(data), len(data), data)], shown))
    rows = [(u.reason, u.file.key, size(u.file.size), u.media_type) for u in todo.uploads]
    rows += [("kept", copy.key, "", copy.source) for r in found.ready for copy in r.kept]
    rows += [("removed", key, "", "") for r in found.ready for key in r.row.doomed]
    if rows:
        console.table([("why", "what", "size", "as"), *rows])
    console.line(
        f"dry run: {count(len(todo.uploads), 'file')} would go up, {todo.unchanged} unchanged; nothing was written"
    )


def _with(one: Plan, other: Plan) -> Plan:
    return Plan((*one.uploads, *other.uploads), one.unchanged + other.unchanged)
