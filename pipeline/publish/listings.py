"""The listings of a run: made of the manifest, kept on this machine, and read back as a stranger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.model.errors import SettingError, StorageError
from pipeline.model.manifest import KEY, Manifest, Row, digest, dump
from pipeline.publish import apply as publish
from pipeline.publish import commits, up_to_date
from pipeline.publish import verification as verify
from pipeline.publish.candidates import Candidate
from pipeline.site import listings
from pipeline.site.archive import FOLDER

LISTED = "listed.json"


class PublishedListings(Struct, frozen=True):
    """The listings as last read back, so that a run with nothing to do need not make them again to compare."""

    address: str
    serial: int
    look: str
    """Digest of all that listings are made from, the manifest excepted."""
    digests: dict[str, str]


def build(context: CommandContext, manifest: Manifest) -> Mapping[str, bytes]:
    """Return all listings of ``manifest`` by key, made of the records here or in storage."""
    render_context = context.render_context(shared=True)
    wanted = listings.shown(manifest, render_context)
    with ThreadPoolExecutor(verify.THREADS) as pool:  # on a fresh clone all of them come from storage
        records = dict(zip(wanted, pool.map(lambda row: _record(context, row), wanted.values()), strict=True))
    return listings.build(manifest, render_context, lambda row: records[row.slug])


def _record(context: CommandContext, row: Row) -> bytes:
    """Return the record of ``row``, from this machine or from storage."""
    try:
        return context.record(row)
    except SettingError:
        data = commits.must_get(context.store, f"releases/{row.slug}.json")
        if digest(data) not in (row.record, *row.replacing.values()):
            raise StorageError(
                f"releases/{row.slug}.json does not have the digest that {KEY} states", "make verify"
            ) from None
        write_file(context.state.work / "records" / digest(data), data)
        return data


def keep(context: CommandContext, manifest: Manifest) -> None:
    """Keep on this machine what is public now, and how the listings look."""
    made = build(context, manifest)
    context.keep_listings(made)
    context.published = manifest
    address = context.destination.address
    up_to_date.remember(context.state, address, manifest)
    digests = {key: digest(data) for key, data in made.items()}
    context.state.remember(LISTED, PublishedListings(address, manifest.serial, _look(context), digests))


def _look(context: CommandContext) -> str:
    """Return the digest of all that listings are made from, the manifest excepted."""
    root = fingerprint.ROOT
    files = sorted(file for pattern in ("pipeline/**/*.py", "templates/**/*.*") for file in root.glob(pattern))
    code = [file.read_bytes() for file in (*files, *(root / lock for lock in fingerprint.LOCKS))]
    render_context = context.render_context()
    settings = (
        fingerprint.of_newsroom(render_context.newsroom, render_context.mark)
        + f"{render_context.base_url} {render_context.newsroom.feed_items}"
    )
    return digest(b"\0".join([settings.encode(), *code]))


def are_current(context: CommandContext) -> bool:
    """Whether the listings in storage are those that belong to the manifest: asked as a stranger."""
    known = context.state.recall(LISTED, PublishedListings, None)
    here = (context.destination.address, context.published.serial, _look(context))
    if known and (known.address, known.serial, known.look) == here:
        wanted = known.digests
    else:
        wanted = {key: digest(data) for key, data in build(context, context.published).items()}
    return not verify.read_back(context.anonymous, verify.of_files(wanted), follow=False)


def opening(context: CommandContext, seen: commits.Snapshot, going: Iterable[Candidate]) -> Mapping[str, bytes]:
    """Return the listings that the pages of ``going`` will lead to and that are not there yet, as they are before."""
    coming = publish.opening(seen.manifest, going)
    new = {*listings.keys(coming)} - {*(listings.keys(seen.manifest) if seen.etag else ())}
    return {key: data for key, data in build(context, coming).items() if key in new} if new else {}


def read_back(context: CommandContext, written: Mapping[str, str], manifest: Manifest) -> list[verify.Problem]:
    """Read what was written, the listings and the manifest as a stranger."""
    known = context.state.recall(LISTED, PublishedListings, None)
    wanted = {**written, KEY: digest(dump(manifest)), **(known.digests if known else {})}
    # The links of the archive's old pages were followed when those went up; there may be ten thousand.
    old = {key: sha256 for key, sha256 in wanted.items() if key.startswith(FOLDER) and key not in written}
    new = {key: sha256 for key, sha256 in wanted.items() if key not in old}
    return [
        *verify.read_back(context.anonymous, verify.of_files(new)),
        *verify.read_back(context.anonymous, verify.of_files(old), follow=False),
    ]


def complain(problems: list[verify.Problem]) -> None:
    """Raise StorageError that names the first of ``troubles``; nothing when there are none."""
    if problems:
        shown = "; ".join(f"{problem.key} {problem.what}" for problem in problems[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise StorageError(
            f"read back as a stranger: {shown}{more}", "make publish again; make storage sets the rights"
        )
