"""The command before publishing: what storage holds already, what is new, and what need not be touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from pipeline.build import revisions as history
from pipeline.build.state import write_file
from pipeline.cli.console import Console
from pipeline.cli.context import Desk
from pipeline.cli.rendering import REFUSED, read_and_tell
from pipeline.model.errors import StorageError
from pipeline.model.manifest import KEY, Manifest, Row, digest, load
from pipeline.publish import candidates as ready
from pipeline.publish import commits
from pipeline.publish import schedule as due
from pipeline.publish import up_to_date as settle
from pipeline.storage.embedded import server as embedded
from pipeline.typography.messages import Words

CLOCK = "clock"
APART = timedelta(seconds=2)
"""What the clocks of storage and of this machine may differ by."""


def learn(desk: Desk, console: Console, *, again: bool = False) -> dict[str, str]:
    """Learn what is public and read what is new; return the digest of every source. ``again``: later in one run."""
    if desk.destination.embedded:
        embedded.start(desk.root)
    desk.published = last_manifest(desk)
    write_file(desk.workshop.work / CLOCK, desk.now.isoformat().encode())
    settle.remember(desk.workshop, desk.destination.address, desk.published)
    digests = settle.sources(desk.workshop)
    told = desk.workshop.recall(REFUSED, dict[str, str], {}) if again else {}
    read_and_tell(desk, settle.unread(desk.workshop, desk.published, digests), console, told)
    _look_back(desk, digests)
    return digests


def note_settled(desk: Desk, digests: dict[str, str]) -> None:
    """Note the releases that need not be touched, and let make look again at those that are not whole."""
    doubtful = desk.workshop.recall(settle.DOUBTFUL, list[str], [])
    settled = settle.settled(desk.workshop, desk.house(), digests) - set(doubtful)
    write_file(desk.workshop.work / settle.SETTLED, " ".join(sorted(settled)).encode())
    _reconsider(desk, set(digests) - settled)


def _reconsider(desk: Desk, slugs: set[str]) -> None:
    """Let make look again at what is not whole, whatever the times of its files say: a run may have been killed."""
    house = desk.house()
    _, undone = due.sort(desk.workshop, house, slugs)
    for slug in (*ready.sort(desk.workshop, house, slugs, desk.now).broken, *undone):
        if desk.workshop.manuscript(slug):
            desk.workshop.confirm_manuscript(slug)


def _look_back(desk: Desk, digests: dict[str, str]) -> None:
    """Note what becomes of the public revision of each release that takes its place, while it can still be read."""
    rows = desk.published.by_slug()
    pending = {}
    for slug, source in digests.items():
        row = rows.get(slug)
        manuscript = desk.workshop.manuscript(slug) if row and row.source != source else None
        if row is None or manuscript is None or manuscript.source != source:
            continue
        if manuscript.release.is_public(desk.now) and history.change(row, manuscript.release, source):
            words = Words(manuscript.release.language, desk.newsroom.time_zone)
            found = history.derive(row, manuscript.release, source, words, partial(_public, desk), desk.now.date())
            pending[slug] = found[0]
            _keep_here(desk, row, *found)
    desk.workshop.remember(history.PENDING, pending)


def _public(desk: Desk, key: str, sha256: str) -> bytes | None:
    """Return what is public at ``key``, from this machine or as a stranger; None when it has not that digest."""
    file = desk.workshop.public / key
    if sha256 and file.is_file() and digest(data := file.read_bytes()) == sha256:
        return data
    answer = desk.stranger.get(key)
    return answer.body if answer.status == 200 and sha256 in ("", answer.sha256) else None


def _keep_here(desk: Desk, row: Row, pending: history.Pending, page: bytes) -> None:
    """Put what is kept into the tree on this machine too, as far as it is here; the page is uploaded from there."""
    folder = desk.workshop.public / "releases"
    for file in pending.past[-1].files if pending.past else ():
        name = file.key.rpartition("/")[2]
        beside = folder / row.slug / name if file.format in ("picture", "copy") else folder / name
        if file.format == "html":
            write_file(desk.workshop.public / file.key, page)
        elif beside.is_file() and digest(data := beside.read_bytes()) == file.sha256:
            write_file(desk.workshop.public / file.key, data)


def last_manifest(desk: Desk) -> Manifest:
    """Return the public manifest: one anonymous GET where there is one, else by the publisher's own rights.

    Storage's clock counts whole seconds; from here on the run goes by the earlier of the two.
    """
    stranger = desk.stranger
    answer = stranger.get(KEY)
    compare_clocks(answer.date, datetime.now(UTC))
    desk.now = min(desk.now, answer.date or desk.now)
    if answer.status == 200:
        return load(answer.body, lambda key: stranger.get(key).body)
    store = desk.store
    store.check()
    return commits.look(store).manifest


def compare_clocks(theirs: datetime | None, ours: datetime) -> None:
    """Raise StorageError when storage's clock and this machine's differ: an embargo would end at the wrong instant."""
    if theirs and abs(theirs + timedelta(seconds=0.5) - ours) > APART + timedelta(seconds=0.5):
        raise StorageError(
            f"storage's clock and this machine's are {abs((theirs - ours).total_seconds()):.0f} seconds apart",
            "set the clock of the one that is wrong (timedatectl status)",
        )
