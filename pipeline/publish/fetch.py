"""The command before publishing: what storage holds already, what is new, and what need not be touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from pipeline.build import revisions as history
from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.cli.console import Console
from pipeline.cli.rendering import REFUSED, read_and_tell
from pipeline.model.errors import StorageError
from pipeline.model.manifest import KEY, Manifest, Row, digest, load
from pipeline.publish import candidates as ready
from pipeline.publish import commits, up_to_date
from pipeline.publish import schedule as due
from pipeline.storage.embedded import server as embedded
from pipeline.typography.messages import Messages

CLOCK = "clock"
APART = timedelta(seconds=2)
"""What the clocks of storage and of this machine may differ by."""


def learn(context: CommandContext, console: Console, *, again: bool = False) -> dict[str, str]:
    """Learn what is public and read what is new; return the digest of every source. ``again``: later in one run."""
    if context.destination.embedded:
        embedded.start(context.root)
    context.published = last_manifest(context)
    write_file(context.state.work / CLOCK, context.now.isoformat().encode())
    up_to_date.remember(context.state, context.destination.address, context.published)
    digests = up_to_date.sources(context.state)
    told = context.state.recall(REFUSED, dict[str, str], {}) if again else {}
    read_and_tell(context, up_to_date.changed_sources(context.state, context.published, digests), console, told)
    _look_back(context, digests)
    return digests


def note_up_to_date(context: CommandContext, digests: dict[str, str]) -> None:
    """Note the releases that need not be touched, and let make look again at those that are not whole."""
    unverified = context.state.recall(up_to_date.UNVERIFIED, list[str], [])
    up_to_date_slugs = up_to_date.up_to_date_slugs(context.state, context.render_context(), digests) - set(unverified)
    write_file(context.state.work / up_to_date.UP_TO_DATE, " ".join(sorted(up_to_date_slugs)).encode())
    _reconsider(context, set(digests) - up_to_date_slugs)


def _reconsider(context: CommandContext, slugs: set[str]) -> None:
    """Let make look again at what is not whole, whatever the times of its files say: a run may have been killed."""
    render_context = context.render_context()
    _, undone = due.sort(context.state, render_context, slugs)
    for slug in (*ready.sort(context.state, render_context, slugs, context.now).failed, *undone):
        if context.state.parsed_release(slug):
            context.state.confirm_parsed_release(slug)


def _look_back(context: CommandContext, digests: dict[str, str]) -> None:
    """Note what becomes of the public revision of each release that takes its place, while it can still be read."""
    rows = context.published.by_slug()
    pending = {}
    for slug, source in digests.items():
        row = rows.get(slug)
        parsed_release = context.state.parsed_release(slug) if row and row.source != source else None
        if row is None or parsed_release is None or parsed_release.source != source:
            continue
        if parsed_release.release.is_public(context.now) and history.change(row, parsed_release.release, source):
            messages = Messages(parsed_release.release.language, context.newsroom.time_zone)
            found = history.derive(
                row, parsed_release.release, source, messages, partial(_public, context), context.now.date()
            )
            pending[slug] = found[0]
            _keep_here(context, row, *found)
    context.state.remember(history.PENDING, pending)


def _public(context: CommandContext, key: str, sha256: str) -> bytes | None:
    """Return what is public at ``key``, from this machine or as a stranger; None when it has not that digest."""
    file = context.state.public / key
    if sha256 and file.is_file() and digest(data := file.read_bytes()) == sha256:
        return data
    answer = context.anonymous.get(key)
    return answer.body if answer.status == 200 and sha256 in ("", answer.sha256) else None


def _keep_here(context: CommandContext, row: Row, pending: history.PlannedRevision, page: bytes) -> None:
    """Put what is kept into the tree on this machine too, as far as it is here; the page is uploaded from there."""
    folder = context.state.public / "releases"
    for file in pending.past[-1].files if pending.past else ():
        name = file.key.rpartition("/")[2]
        neighbours = folder / row.slug / name if file.format in ("picture", "copy") else folder / name
        if file.format == "html":
            write_file(context.state.public / file.key, page)
        elif neighbours.is_file() and digest(data := neighbours.read_bytes()) == file.sha256:
            write_file(context.state.public / file.key, data)


def last_manifest(context: CommandContext) -> Manifest:
    """Return the public manifest: one anonymous GET where there is one, else by the publisher's own rights.

    Storage's clock counts whole seconds; from here on the run goes by the earlier of the two.
    """
    anonymous = context.anonymous
    answer = anonymous.get(KEY)
    compare_clocks(answer.date, datetime.now(UTC))
    context.now = min(context.now, answer.date or context.now)
    if answer.status == 200:
        return load(answer.body, lambda key: anonymous.get(key).body)
    store = context.store
    store.check()
    return commits.look(store).manifest


def compare_clocks(theirs: datetime | None, ours: datetime) -> None:
    """Raise StorageError when storage's clock and this machine's differ: an embargo would end at the wrong instant."""
    if theirs and abs(theirs + timedelta(seconds=0.5) - ours) > APART + timedelta(seconds=0.5):
        raise StorageError(
            f"storage's clock and this machine's are {abs((theirs - ours).total_seconds()):.0f} seconds apart",
            "set the clock of the one that is wrong (timedatectl status)",
        )
