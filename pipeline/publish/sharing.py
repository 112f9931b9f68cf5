"""Embargoed copies: what lies in the private bucket for those who hold a link, and how it is taken back.

``shared.json`` there says which copies belong to which release, so that any machine can revoke them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct

from pipeline.build.stages import tasks
from pipeline.build.state import BuildState
from pipeline.model.errors import StorageError
from pipeline.model.formats import FORMATS, Rendition
from pipeline.model.manifest import digest
from pipeline.model.render_context import RenderContext
from pipeline.storage import LONGEST_LINK, SHARED, ObjectStore, PreconditionFailed, Put

REGISTER = "shared.json"
"""Key in the private bucket."""
MARGIN = timedelta(seconds=2)
"""How much before the instant a link ends: the two clocks may differ by that."""
LEAST = timedelta(minutes=1)
"""A link must live so long, to be worth sending."""
UNKEPT = "private, no-store"
"""No cache between may keep a copy that outlives its link."""
_TRIES = 12


class Shared(Struct, frozen=True):
    """Copies that were put up together."""

    token: str
    until: datetime
    """When their links end."""
    keys: tuple[str, ...]


Register = dict[str, tuple[Shared, ...]]
"""By slug."""


def ends(instant: datetime, now: datetime) -> datetime:
    """Return when a link made ``now`` ends: after a week, and never later than just before ``instant``."""
    return min(instant - MARGIN, now + timedelta(seconds=LONGEST_LINK))


def whole(state: BuildState, render_context: RenderContext, slug: str) -> list[Rendition]:
    """Return the waiting renditions of a release, all made from the source as it is now; none when one is missing."""
    found = []
    for row in FORMATS:
        task = next((task for task in tasks(row, state, render_context, [slug]) if task.slug == slug), None)
        entry = state.ledger(row.name).get(slug)
        if task is None or entry is None or not entry.waiting or entry.fingerprint != task.fingerprint:
            return []
        file = state.waiting / entry.rendition.key
        if not file.is_file() or digest(file.read_bytes()) != entry.rendition.sha256:
            return []
        found.append(entry.rendition)
    return found


def new_keys(names: Iterable[str]) -> tuple[str, dict[str, str]]:
    """Return a new token, and a random key for each of ``names``."""
    token = secrets.token_hex(16)
    return token, {name: f"{SHARED}{token}/{number}" for number, name in enumerate(names, 1)}


def put_up(store: ObjectStore, slug: str, shared: Shared, copies: Iterable[Put], now: datetime) -> None:
    """Put copies into the private bucket; they are noted first, so that a run that is killed can be revoked too.

    Copies whose links have ended are removed. Raises StorageError.
    """
    ended: list[Shared] = []

    def change(register: Register) -> Register:
        ended[:] = [each for every in register.values() for each in every if each.until < now]
        kept = {name: tuple(each for each in every if each.until >= now) for name, every in register.items()}
        return {**kept, slug: (*kept.get(slug, ()), shared)}

    _change(store, change)
    _remove(store, ended)
    store.put_all(copies, bucket="private")


def revoke(store: ObjectStore, slug: str) -> int:
    """Remove every shared copy of a release and return how many there were. Raises StorageError.

    They are forgotten only when they are gone: a run that is killed is finished by the next.
    """
    found = _read(store)[0].get(slug, ())
    _remove(store, found)
    gone = {each.token for each in found}
    if gone:
        _change(store, lambda now: {**now, slug: tuple(each for each in now.get(slug, ()) if each.token not in gone)})
    return sum(len(each.keys) for each in found)


def _remove(store: ObjectStore, found: Iterable[Shared]) -> None:
    for each in found:
        for key in each.keys:
            store.delete(key, "private")


def _read(store: ObjectStore) -> tuple[Register, str]:
    there = store.get(REGISTER, "private")
    if there is None:
        return {}, ""
    try:
        return msgspec.json.decode(there.body, type=Register), there.etag
    except msgspec.DecodeError as error:
        raise StorageError(
            f"{REGISTER} in the private bucket cannot be read: {error}",
            f"remove it and all that lies below {SHARED} there: that ends every link",
        ) from error


def _change(store: ObjectStore, change: Callable[[Register], Mapping[str, tuple[Shared, ...]]]) -> None:
    """Write the changed register; read back and change anew when somebody else was first."""
    for _ in range(_TRIES):
        register, etag = _read(store)
        changed = {slug: every for slug, every in change(register).items() if every}
        body = msgspec.json.encode(changed)
        put = Put(
            key=REGISTER,
            body=body,
            media_type="application/json",
            cache_control=UNKEPT,
            if_match=etag,
            if_none_match=not etag,
        )
        try:
            store.put(put, "private")
        except PreconditionFailed:
            continue
        return
    raise StorageError(f"{REGISTER}: others kept writing it, {_TRIES} times in a row", "run the same command again")
