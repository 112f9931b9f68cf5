"""Many made-up releases, published as a run on a fresh clone does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from pipeline.model.manifest import Manifest, digest
from pipeline.publish import apply as publish
from pipeline.publish.apply import BATCH, Publisher
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import read_manifest
from pipeline.publish.plan import File
from pipeline.storage import ObjectStore, Put
from tests.support.memory_store import Killed
from tests.support.rows import row

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MANY = 4 * BATCH + 7
SUFFIXES = (".pdf", ".html", ".json")


def release(number: int, template: str, slug: str = "") -> Candidate:
    """Return a release of a PDF, a page and a record that states the digests of both."""
    name = slug or f"r{number:04}"
    made = {f"releases/{name}{suffix}": f"{name} {template} {suffix}".encode() for suffix in (".pdf", ".html")}
    stated = [{"role": f"sha256:{key}", "value": digest(data)} for key, data in made.items()]
    made[f"releases/{name}.json"] = msgspec.json.encode({"altIds": stated, "made": template})
    files = tuple(File(key, digest(data), len(data), data) for key, data in made.items())
    record = files[-1].sha256
    return Candidate(row(name, -number, record=record, fingerprint=template, source=f"source of {name}"), files)


def newsroom(template: str, numbers: Iterable[int] = range(MANY)) -> tuple[Candidate, ...]:
    return tuple(release(number, template) for number in numbers)


def run(store: ObjectStore, ready: Iterable[Candidate], name: str = "mine", now: datetime = NOW) -> Manifest:
    """Publish as a run on a fresh clone does: releases that are up to date are left out."""
    seen = read_manifest(store)
    rows = seen.manifest.by_slug()
    going = tuple(
        each
        for each in ready
        if each.row.slug not in rows
        or rows[each.row.slug].replacing
        or rows[each.row.slug].fingerprint != each.row.fingerprint
    )
    assets = {f"assets/page.{digest(each.row.fingerprint.encode())[:8]}.css": b"css" for each in going[:1]}
    shared = [File(key, digest(data), len(data), data) for key, data in assets.items()]
    todo = publish.plan_uploads(going, shared, seen.manifest, store)
    me = Publisher(name, now, now + timedelta(minutes=15))
    return publish.apply(store, todo, going, assets, seen.manifest, seen, me, lambda upload: None).manifest


def fatal_at(number: int) -> Callable[[Put], None]:
    """Return what kills a run before the write ``number`` of a release's files."""
    fatal = nth(number)

    def before(put: Put) -> None:
        if fatal(put):
            raise Killed

    return before


def nth(number: int, *suffixes: str) -> Callable[[Put], bool]:
    """Return what picks the write ``number`` of a release's files."""
    left = [number]

    def fatal(put: Put) -> bool:
        left[0] -= put.key.endswith(suffixes or SUFFIXES) and put.key.startswith("releases/")
        return left[0] < 0

    return fatal
