"""The listings of a run: made of the manifest, kept on this machine, and read back as a stranger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.state import write_file
from pipeline.cli.context import Desk
from pipeline.model.errors import SettingError, StorageError
from pipeline.model.manifest import KEY, Manifest, Row, digest, dump
from pipeline.publish import apply as publish
from pipeline.publish import commits
from pipeline.publish import up_to_date as settle
from pipeline.publish import verification as verify
from pipeline.publish.candidates import Ready
from pipeline.site import listings
from pipeline.site.archive import FOLDER

LISTED = "listed.json"


class Listed(Struct, frozen=True):
    """The listings as last read back, so that a run with nothing to do need not make them again to compare."""

    address: str
    serial: int
    look: str
    """Digest of all that listings are made from, the manifest excepted."""
    digests: dict[str, str]


def build(desk: Desk, manifest: Manifest) -> Mapping[str, bytes]:
    """Return all listings of ``manifest`` by key, made of the records here or in storage."""
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


def keep(desk: Desk, manifest: Manifest) -> None:
    """Keep on this machine what is public now, and how the listings look."""
    made = build(desk, manifest)
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


def are_current(desk: Desk) -> bool:
    """Whether the listings in storage are those that belong to the manifest: asked as a stranger."""
    known = desk.workshop.recall(LISTED, Listed, None)
    here = (desk.destination.address, desk.published.serial, _look(desk))
    if known and (known.address, known.serial, known.look) == here:
        wanted = known.digests
    else:
        wanted = {key: digest(data) for key, data in build(desk, desk.published).items()}
    return not verify.read_back(desk.stranger, verify.of_files(wanted), follow=False)


def opening(desk: Desk, seen: commits.Seen, going: Iterable[Ready]) -> Mapping[str, bytes]:
    """Return the listings that the pages of ``going`` will lead to and that are not there yet, as they are before."""
    coming = publish.opening(seen.manifest, going)
    new = {*listings.keys(coming)} - {*(listings.keys(seen.manifest) if seen.etag else ())}
    return {key: data for key, data in build(desk, coming).items() if key in new} if new else {}


def read_back(desk: Desk, written: Mapping[str, str], manifest: Manifest) -> list[verify.Trouble]:
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


def complain(troubles: list[verify.Trouble]) -> None:
    """Raise StorageError that names the first of ``troubles``; nothing when there are none."""
    if troubles:
        shown = "; ".join(f"{trouble.key} {trouble.what}" for trouble in troubles[:5])
        more = f"; and {len(troubles) - 5} more" if len(troubles) > 5 else ""
        raise StorageError(
            f"read back as a stranger: {shown}{more}", "make publish again; make storage sets the rights"
        )
