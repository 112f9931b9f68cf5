"""Sharing: marked copies of a scheduled release in the private bucket, and presigned links to them for journalists.

``shared.json`` there states which copies belong to which release, and whom they name, so that any machine can revoke
them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from shlex import quote

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pipeline.build.context import CommandContext
from pipeline.build.stages import render_for, tasks
from pipeline.model.errors import Fault, ReleaseError, RenderError, SettingError, StorageError, printable
from pipeline.model.formats import MEDIA_TYPES, Format, formats_of
from pipeline.model.manifest import digest
from pipeline.model.release import Release
from pipeline.publish import holders, single_file_page, statements
from pipeline.publish.commits import NO_STORE, put_shared
from pipeline.reader import line_of
from pipeline.storage import LONGEST_LINK, SHARED, ObjectStore, PresignedLink, Put
from pipeline.storage.compare_and_swap import retry_on_conflict
from pipeline.storage.doctor.findings import Findings, refuse
from pipeline.typography.article import embargo_line
from pipeline.typography.messages import Messages

REGISTER = "shared.json"
"""Key in the private bucket."""
_SHARED = "shared"
"""Name in the build state of the register as last seen."""
MARGIN = timedelta(seconds=2)
"""How long before the instant a link ends: the two clocks may differ by that."""
LEAST = timedelta(minutes=1)
"""A link with less time than this is not worth sending."""


class SharedCopies(Struct, frozen=True):
    """Copies that were shared together."""

    token: str
    until: datetime
    """When their links end."""
    keys: tuple[str, ...]
    statement: str = ""
    """The signed statement of the copies, which is published when the release is: then a reader can check them."""
    signature: str = ""
    """An SSHSIG blob in base64."""
    holder: str = ""
    """Whom the copies name; empty for copies without a name."""


class SharedLink(Struct, frozen=True):
    """A link to one shared copy."""

    label: str
    size: int
    link: PresignedLink


Register = dict[str, tuple[SharedCopies, ...]]
"""By slug."""
CALENDAR = "Calendar entry"
"""Label of the file that only named copies have."""


# ── What may be shared ──────────────────────────────────────────────────────────────────────────────────────────────


def shareable_release(context: CommandContext, slug: str) -> Release:
    """Return the release. Raises SettingError for an unknown one, ReleaseError for one that may not be shared."""
    state = context.state
    known = state.slugs()
    if slug not in known:
        close = get_close_matches(slug, known, 1)
        raise SettingError(
            f"RELEASE: there is no {state.content}/{printable(slug)}.md",
            f"did you mean RELEASE={printable(close[0])}?" if close else "name the file without folder and .md",
        )

    def fault(key: str, message: str, hint: str) -> ReleaseError:
        source = state.source(slug)
        return ReleaseError([Fault(str(source), line_of(source, key, "date") if key else 0, message, hint)])

    parsed_release = state.parsed_release(slug)
    if parsed_release is None:
        raise fault("", "it was refused, so it cannot be shared", "make check says why")
    release, row = parsed_release.release, context.published.by_slug().get(slug)
    if release.draft:
        raise fault("draft", "a draft cannot be shared", "delete the line once the text is final")
    if release.is_public(context.now) or row:
        since = (row.date if row else release.date).astimezone(UTC)
        message = f"its date has come ({since:%Y-%m-%d %H:%M} UTC): there is no embargo any more"
        raise fault("date", message, "make publish, and send its address")
    if not release.embargo:
        message = "it is not marked as a release that may be given out before its date"
        raise fault("embargo", message, "write embargo: true in its front matter")
    if release.date - context.now < LEAST + MARGIN:
        message = "it becomes public within a minute or so: a link would end before anybody opens it"
        raise fault("date", message, "wait, then send its address")
    return release


# ── Sharing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def share(context: CommandContext, release: Release, holder: str = "") -> list[SharedLink]:
    """Put a copy of every rendition and picture into the private bucket, and return a link to each.

    Copies for a ``holder`` are rendered with the name, and have a calendar entry beside them. Raises StorageError when
    the storage's clock is wrong, for it decides when a link ends, ReleaseError when a rendition is missing, and
    SettingError when the name cannot be printed.
    """
    _refuse_wrong_clock(context)
    if not is_complete(context, release.slug):
        message = "not every format of it could be rendered, so it is not shared"
        source = str(context.state.source(release.slug))
        raise ReleaseError([Fault(source, 0, message, "read the errors above, or run make check")])
    labels = {row.key(release.slug): row.label for row in _shared_formats(release.has_shots)}
    labels |= {f"releases/{release.slug}/{picture.file}": picture.file for picture in release.pictures}
    named = _rendered_for(context, release, holder) if holder else {}
    labels |= {key: CALENDAR for key in named if key not in labels}
    token, keys = new_keys(labels)
    links = {key: _sign(context, release, private_key) for key, private_key in keys.items()}
    bodies = _bodies(context, release, {key: link.address for key, link in links.items()}, named)
    puts = [
        Put(
            key=keys[key],
            body=body,
            media_type=MEDIA_TYPES[Path(key).suffix.lower()],
            cache_control=NO_STORE,
            download=holders.file_name(key, holder) if holder else "" if key.endswith(".html") else Path(key).name,
            inline=key.endswith(".html"),
        )
        for key, body in bodies.items()
    ]
    stated = statements.of_copies(context, release, bodies)
    copies = SharedCopies(token, max(link.until for link in links.values()), tuple(keys.values()), *stated, holder)
    put_copies(context.store, release.slug, copies, puts, context.now)
    return [SharedLink(label, len(bodies[key]), links[key]) for key, label in labels.items()]


def is_complete(context: CommandContext, slug: str) -> bool:
    """Whether all embargoed renditions of a release are here, rendered from its current source."""
    state, render_context = context.state, context.render_context()
    summary = state.summaries([slug]).get(slug)
    for row in _shared_formats(summary is not None and summary.shots):
        task = next((task for task in tasks(row, state, render_context, [slug]) if task.slug == slug), None)
        entry = state.rendered(row.name).get(slug)
        if task is None or entry is None or not entry.unpublished or entry.fingerprint != task.fingerprint:
            return False
        file = state.waiting / entry.rendition.key
        if not file.is_file() or digest(file.read_bytes()) != entry.rendition.sha256:
            return False
    return True


def _shared_formats(shots: bool) -> tuple[Format, ...]:
    """Return the formats that are shared: all but what programs show with a link."""
    return formats_of(withdrawn=False, pictured=True, shots=shots)


def new_keys(names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return a new token, and a random key for each of ``names``."""
    token = secrets.token_hex(16)
    return token, {name: f"{SHARED}{token}/{number}" for number, name in enumerate(names, 1)}


def end_of_link(instant: datetime, now: datetime) -> datetime:
    """Return when a link created ``now`` ends: after a week, and never later than just before ``instant``."""
    return min(instant - MARGIN, now + timedelta(seconds=LONGEST_LINK))


def _sign(context: CommandContext, release: Release, key: str) -> PresignedLink:
    """Return a link that ends before the release's instant."""
    now = datetime.now(UTC)
    seconds = int((end_of_link(release.date, now) - now).total_seconds())
    return context.store.presign(key, "private", seconds)


def _rendered_for(context: CommandContext, release: Release, holder: str) -> dict[str, bytes]:
    """Return the renditions with the name of ``holder``, and the calendar entry, by key."""
    from pipeline.typography.fonts import packages

    messages = Messages(release.language, context.newsroom.time_zone)
    packages.install_for(embargo_line(release, messages, holder), release.language)
    name = partial(holders.file_name, holder=holder)
    copies: dict[str, bytes] = {}
    render_context = context.render_context(shared=True)
    try:
        for row, data in render_for(holder, name, context.state, render_context, release.slug):
            copies[row.key(release.slug)] = data
    except RenderError as error:  # without the name it was rendered
        raise SettingError(f"TO: the copies cannot be rendered with this name: {error}", error.hint) from error
    entry = holders.calendar_entry(release, context.newsroom, holder, context.now)
    return copies | {f"releases/{release.slug}.ics": entry}


def _bodies(
    context: CommandContext, release: Release, links: Mapping[str, str], named: Mapping[str, bytes]
) -> dict[str, bytes]:
    """Return the bytes of every copy by the key that its original will have."""
    waiting = context.state.waiting
    bodies = {key: named[key] if key in named else (waiting / key).read_bytes() for key in links}

    def fetch(key: str) -> bytes:
        return context.assets[key] if key in context.assets else (waiting / key).read_bytes()

    folder = f"releases/{release.slug}"
    page = single_file_page.page(bodies[f"{folder}.html"], f"{folder}.html", fetch)
    shown = {f"{folder}/{each.file}": f"{folder}/{whole.file}" for whole in release.pictures for each in whole.files}
    record = single_file_page.record(bodies[f"{folder}.json"], context.destination.base_url, links, shown, page)
    return bodies | {f"{folder}.html": page, f"{folder}.json": record}


def _refuse_wrong_clock(context: CommandContext) -> None:
    from pipeline.storage.doctor.probes import compare_clocks

    begun = datetime.now(UTC)
    date = context.store.check("private").date
    finding = compare_clocks([(begun, date, datetime.now(UTC))])
    refuse(Findings(begun, (finding,)), "share", context.destination.private_bucket)


# ── shared.json ─────────────────────────────────────────────────────────────────────────────────────────────────────


def put_copies(store: ObjectStore, slug: str, copies: SharedCopies, puts: Iterable[Put], now: datetime) -> None:
    """Put copies into the private bucket. They are registered first, so that copies of a killed run can be revoked too.

    Copies whose links have ended are deleted; their statements stay until the release is public. Raises StorageError.
    """
    ended: list[SharedCopies] = []

    def change(register: Register) -> Register:
        ended[:] = [each for shared in register.values() for each in shared if each.until < now]
        valid = {name: tuple(_left(shared, now)) for name, shared in register.items()}
        return {**valid, slug: (*valid.get(slug, ()), copies)}

    _change(store, change)
    _delete(store, ended)
    store.put_all(puts, bucket="private")


def _left(shared: Iterable[SharedCopies], now: datetime) -> Iterator[SharedCopies]:
    """Yield the copies whose links have not ended, and of the others the statements."""
    for each in shared:
        if each.until >= now:
            yield each
        elif each.statement:
            yield replace(each, keys=(), holder="")


def stated_copies(store: ObjectStore) -> dict[str, tuple[SharedCopies, ...]]:
    """Return the shared copies that have a signed statement, by slug; none without a private bucket."""
    try:
        register, _ = _read(store)
    except StorageError:
        return {}
    return {slug: found for slug, shared in register.items() if (found := tuple(e for e in shared if e.statement))}


def forget_statements(store: ObjectStore, slugs: Iterable[str]) -> None:
    """Forget the statements of releases that are public, with them."""
    public = {*slugs}

    def change(register: Register) -> Register:
        plain = {
            slug: tuple(replace(each, statement="", signature="", holder="") for each in register[slug] if each.keys)
            for slug in public & register.keys()
        }
        return register | plain

    if public:
        _change(store, change)


def revoke(store: ObjectStore, slug: str, holder: str = "") -> int:
    """Delete every shared copy of a release, or those for ``holder``, and return how many there were.

    The register forgets them only when they are deleted: the next run finishes a killed one. Raises StorageError, and
    SettingError when there are copies, and none for ``holder``.
    """
    everybody = [each for each in _read(store)[0].get(slug, ()) if each.keys]
    shared = [each for each in everybody if not holder or holders.is_same(each.holder, holder)]
    if everybody and not shared:
        names = {each.holder for each in everybody if each.holder}
        close = get_close_matches(holder, names, 1)
        raise SettingError(
            f"TO: no copies of this release are for {holder}",
            f"did you mean TO={quote(close[0])}?" if close else "make status shows whom they are for",
        )
    _delete(store, shared)
    revoked = {each.token for each in shared}

    def change(register: Register) -> Register:
        left = (replace(each, keys=(), holder="") if each.token in revoked else each for each in register.get(slug, ()))
        return {**register, slug: tuple(each for each in left if each.keys or each.statement)}

    if revoked:
        _change(store, change)
    return sum(len(each.keys) for each in shared)


def remember_shared(context: CommandContext) -> None:
    """Remember what is shared as the register has it now. Raises StorageError."""
    context.state.remember(_SHARED, {context.destination.private_address: _read(context.store)[0]})


def recall_shared(context: CommandContext) -> dict[str, tuple[SharedCopies, ...]]:
    """Return the copies whose links have not ended, by slug, as this machine last saw the register."""
    known = context.state.recall(_SHARED, dict[str, Register], {}).get(context.destination.private_address, {})
    valid = ((slug, tuple(each for each in known[slug] if each.keys and each.until > context.now)) for slug in known)
    return {slug: shared for slug, shared in valid if shared}


def _delete(store: ObjectStore, shared: Iterable[SharedCopies]) -> None:
    for each in shared:
        for key in each.keys:
            store.delete(key, "private")


def _read(store: ObjectStore) -> tuple[Register, str]:
    stored = store.get(REGISTER, "private")
    if stored is None:
        return {}, ""
    try:
        return msgspec.json.decode(stored.body, type=Register), stored.etag
    except msgspec.DecodeError as error:
        raise StorageError(
            f"{REGISTER} in the private bucket cannot be read: {error}",
            f"delete it and everything below {SHARED} there: that ends every link",
        ) from error


def _change(store: ObjectStore, change: Callable[[Register], Register]) -> None:
    def write(current: tuple[Register, str]) -> str:
        register, etag = current
        changed = {slug: shared for slug, shared in change(register).items() if shared}
        return put_shared(store, REGISTER, msgspec.json.encode(changed), etag, "private")

    retry_on_conflict(write, lambda: _read(store), REGISTER)
