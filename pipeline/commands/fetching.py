"""The command before publishing: what storage holds already, what is new, and what need not be touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipeline import commits, due, ready, settle
from pipeline.commands.console import Console
from pipeline.commands.desk import Desk
from pipeline.commands.rendering import REFUSED, read_and_tell
from pipeline.errors import StorageError
from pipeline.manifest import KEY, Manifest, load
from pipeline.storage import embedded
from pipeline.workshop import write_file

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
