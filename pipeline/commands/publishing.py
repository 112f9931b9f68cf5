"""The command that publishes: upload what is ready, bring the listings in line, read everything back."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline import commits, fingerprint, history, listings, publish, ready, settle, succession, verify
from pipeline.archive import FOLDER
from pipeline.commands.console import Console, count, size
from pipeline.commands.desk import Desk, Verdict, verdict
from pipeline.commands.fetching import CLOCK
from pipeline.commands.rendering import tell_lagging
from pipeline.errors import ReleaseError, SettingError, StorageError, printable
from pipeline.manifest import KEY, Manifest, Row, digest, dump
from pipeline.plan import File, Plan, Upload, plan
from pipeline.storage import ObjectStore
from pipeline.workshop import write_file

LISTED = "listed.json"
CLAIM = timedelta(minutes=15)
"""How long a release stays claimed when its publisher is never heard of again."""


class Listed(Struct, frozen=True):
    """The listings as last read back, so that a run with nothing to do need not make them again to compare."""

    address: str
    serial: int
    look: str
    """Digest of all that listings are made from, the manifest excepted."""
    digests: dict[str, str]


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
    elif found.ready or succession.doomed(desk.published) or not _listed(desk):
        _upload(desk, found, console)
    else:
        console.line(f"nothing to do: {count(len(desk.published.rows), 'release')} public, all as made from content/")
    if not options.dry_run:
        keep_secret(desk, found.held)
    return _conclude(desk, found, console)


def _upload(desk: Desk, found: ready.Sorted, console: Console) -> None:
    store = desk.store
    clock = store.check().date
    me = publish.Publisher(desk.workshop.name(), clock, clock + CLAIM)
    seen = commits.look(store)
    going = ready.without_rivals(found.ready, desk.published, seen.manifest, me.name)
    found = msgspec.structs.replace(found, ready=going)
    assets = {key: data for key, data in desk.assets.items() if key not in seen.manifest.assets}
    doubtful = desk.workshop.recall(settle.DOUBTFUL, list[str], [])
    todo = publish.draft(found.ready, _files(assets), seen.manifest, store, doubtful)
    written: dict[str, str] = {}

    def tell(upload: Upload) -> None:
        written[upload.file.key] = upload.file.sha256
        if upload.group == "listings":
            console.step("upload", upload.file.key, size(upload.file.size), upload.reason)
        else:
            console.progress(len(written), len(todo.uploads), "uploaded")

    # Until it was read back, the manifest alone must settle none of it: this run may be killed any time.
    desk.workshop.remember(settle.DOUBTFUL, sorted({*doubtful, *(r.row.slug for r in found.ready)}))
    minor = {r.row.slug: r.row.source for r in found.ready if r.row.past and r.row.past[-1].minor}
    desk.workshop.remember(history.MINOR, desk.workshop.recall(history.MINOR, dict[str, str], {}) | minor)
    publish.apply(store, todo, found.ready, desk.assets, desk.published, seen, me, tell)
    desk.workshop.remember(history.MINOR, {})
    _sum_up(todo, console)
    for _ in range(commits.TRIES):
        seen = publish.list_all(store, listings.keys(seen.manifest), lambda manifest: _build(desk, manifest), tell)
        seen = _take_down(store, seen, console)
        _keep(desk, seen.manifest)
        troubles = _read_back(desk, written, seen.manifest)
        if not troubles or commits.look(store).manifest.serial == seen.manifest.serial:
            break  # else somebody published meanwhile: what is shared is theirs now, and is looked at again
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


def _build(desk: Desk, manifest: Manifest) -> Mapping[str, bytes]:
    house = desk.house(shared=True)
    wanted = listings.shown(manifest, house)
    with ThreadPoolExecutor(verify.THREADS) as pool:  # on a fresh clone all of them come from storage
        records = dict(zip(wanted, pool.map(lambda row: _record(desk, row), wanted.values()), strict=True))
    return listings.build(manifest, house, lambda row: records[row.slug])


def _record(desk: Desk, row: Row) -> bytes:
    """Return the record of ``row``, from this machine or from storage."""
    try:
        return desk.record(row)
    except SettingError:
        data = commits.must_get(desk.store, f"releases/{row.slug}.json")
        if digest(data) not in (row.record, *row.replacing.values()):
            raise StorageError(
                f"releases/{row.slug}.json does not have the digest that {KEY} states", "make verify"
            ) from None
        write_file(desk.workshop.work / "records" / digest(data), data)
        return data


def _keep(desk: Desk, manifest: Manifest) -> None:
    """Keep on this machine what is public now, and how the listings look."""
    made = _build(desk, manifest)
    desk.keep_listings(made)
    desk.published = manifest
    address = desk.destination.address
    settle.remember(desk.workshop, address, manifest)
    digests = {key: digest(data) for key, data in made.items()}
    desk.workshop.remember(LISTED, Listed(address, manifest.serial, _look(desk), digests))


def _look(desk: Desk) -> str:
    """Return the digest of all that listings are made from, the manifest excepted."""
    root = fingerprint.ROOT
    files = sorted(file for pattern in ("pipeline/**/*.py", "templates/**/*.*") for file in root.glob(pattern))
    code = [file.read_bytes() for file in (*files, *(root / lock for lock in fingerprint.LOCKS))]
    house = desk.house()
    settings = fingerprint.of_newsroom(house.newsroom, house.mark) + f"{house.base_url} {house.newsroom.feed_items}"
    return digest(b"\0".join([settings.encode(), *code]))


def _listed(desk: Desk) -> bool:
    """Whether the listings in storage are those that belong to the manifest: asked as a stranger."""
    known = desk.workshop.recall(LISTED, Listed, None)
    here = (desk.destination.address, desk.published.serial, _look(desk))
    if known and (known.address, known.serial, known.look) == here:
        wanted = known.digests
    else:
        wanted = {key: digest(data) for key, data in _build(desk, desk.published).items()}
    return not verify.read_back(desk.stranger, verify.of_files(wanted), follow=False)


def _read_back(desk: Desk, written: Mapping[str, str], manifest: Manifest) -> list[verify.Trouble]:
    """Read what was written, the listings and the manifest as a stranger."""
    known = desk.workshop.recall(LISTED, Listed, None)
    wanted = {**written, KEY: digest(dump(manifest)), **(known.digests if known else {})}
    # The links of the archive's old pages were followed when those went up; there may be ten thousand.
    old = {key: sha256 for key, sha256 in wanted.items() if key.startswith(FOLDER) and key not in written}
    new = {key: sha256 for key, sha256 in wanted.items() if key not in old}
    return [
        *verify.read_back(desk.stranger, verify.of_files(new)),
        *verify.read_back(desk.stranger, verify.of_files(old), follow=False),
    ]


def _doubt(desk: Desk, found: ready.Sorted, troubles: list[verify.Trouble]) -> None:
    """Remember the releases that did not come back as they went up: the manifest alone must not settle them."""
    wrong = {trouble.key for trouble in troubles}
    named = [r.row.slug for r in found.ready if wrong & {file.key for file in r.files}]
    uploaded = [r.row.slug for r in found.ready]
    elsewhere = set(desk.workshop.recall(settle.DOUBTFUL, list[str], [])) - set(uploaded)
    desk.workshop.remember(settle.DOUBTFUL, sorted({*elsewhere, *(named or (uploaded if troubles else []))}))


def keep_secret(desk: Desk, held: Iterable[str]) -> None:
    """Make sure that nobody can tell that what waits exists. Raises StorageError."""
    never = [slug for slug in held if slug not in desk.published.by_slug()]
    for slug in verify.leaks(desk.stranger, never):
        raise StorageError(
            f"{desk.workshop.opaque(slug)} waits, but the public bucket answers for it",
            "remove its files from the bucket by hand: they are known to whoever guessed the address",
        )


def complain(troubles: list[verify.Trouble]) -> None:
    """Raise StorageError that names the first of ``troubles``; nothing when there are none."""
    if troubles:
        shown = "; ".join(f"{trouble.key} {trouble.what}" for trouble in troubles[:5])
        more = f"; and {len(troubles) - 5} more" if len(troubles) > 5 else ""
        raise StorageError(
            f"read back as a stranger: {shown}{more}", "make publish again; make storage sets the rights"
        )


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
    doubtful = desk.workshop.recall(settle.DOUBTFUL, list[str], [])
    todo = publish.draft(found.ready, _files(desk.assets), seen, store, doubtful)
    after = publish.merged(seen, found.ready, desk.assets)
    shown = {}
    for key, data in _build(desk, after).items():
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
