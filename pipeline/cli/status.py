"""The commands around publishing: verify, serve, stop, storage, status."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.build.state import ParsedRelease
from pipeline.cli.console import Console, count
from pipeline.cli.rendering import REFUSED, warn_outdated_translations
from pipeline.cli.secrecy import keep_closed, keep_secret
from pipeline.cli.staging import keys_of, remembered
from pipeline.model.errors import SettingError, printable
from pipeline.model.manifest import Row
from pipeline.publish import verification as verify
from pipeline.publish.fetch import last_manifest
from pipeline.publish.listings import complain
from pipeline.storage.embedded import server as embedded

# ── Verify, and the store ───────────────────────────────────────────────────────────────────────────────────────────


def verify_all(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Read the whole newsroom back."""
    if context.destination.embedded:
        embedded.start(context.root)
    context.published = last_manifest(context)
    if not context.published.serial:
        console.line("nothing is published yet: make publish")
        return
    anonymous = context.anonymous
    wanted = list(verify.of_newsroom(context.published, lambda row: anonymous.get(f"releases/{row.slug}.json").body))
    read = 0

    def done() -> None:
        nonlocal read
        read += 1
        console.progress(read, len(wanted), "read")

    complain(verify.read_back(anonymous, wanted, done))
    parsed_releases = filter(None, map(context.state.parsed_release, context.state.slugs()))
    scheduled = [found.release.slug for found in parsed_releases if not found.release.is_public(context.now)]
    keep_secret(context, scheduled)
    staged = remembered(context) or {}
    keep_closed(context, keys_of(staged))
    console.line(
        f"{count(len(context.published.rows), 'release')}, {count(len(wanted), 'file')}: as the manifest states"
    )
    if scheduled:
        console.line(f"{count(len(scheduled), 'release')} held: no stranger can tell of any")
    console.heading(f"{context.destination.base_url}index.html")


def serve(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Start the embedded store."""
    _only_embedded(context, "serve")
    embedded.start(context.root)
    console.line("the embedded store runs; make stop ends it")
    console.heading(f"{context.destination.base_url}index.html")


def stop(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Stop the embedded store."""
    console.line("stopped" if embedded.stop(context.root) else "the embedded store was not running")


def storage(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Prepare the bucket pair."""
    from pipeline.storage import prepare

    if context.destination.embedded:
        embedded.start(context.root)
    for line in prepare(context.destination, context.environ):
        console.line(line)


def _only_embedded(context: CommandContext, command: str) -> None:
    if not context.destination.embedded:
        raise SettingError(f"make {command} is for the embedded store, but PRESS_BUCKET names another", "unset it")


# ── Status ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def status(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Say of every release what it is; a person at the terminal may read the names of those that wait."""
    rows = context.published.by_slug()
    refused = context.state.recall(REFUSED, dict[str, str], {})
    staged = remembered(context) or {}
    lines = [("release", "state", "date", "language")]
    for slug in context.state.slugs():
        parsed_release = context.state.parsed_release(slug)
        row = rows.get(slug)
        if parsed_release is None:
            state = "refused: make check" if printable(slug) in refused else "not read yet on this machine"
            state = f"public; {state}" if row else state
            # A log may be read by anybody, and what was not read yet may be waiting.
            secret = not row and printable(slug) not in refused and not console.colour
            name = context.state.opaque(slug) if secret else printable(slug)
            lines.append((name, state, f"{row.date:%Y-%m-%d}" if row else "", row.language if row else ""))
            continue
        release = parsed_release.release
        waiting = not release.is_public(context.now)
        state = _state(parsed_release, row, waiting, context.now)
        date = f"{release.date:%Y-%m-%d %H:%M%z}"
        if waiting and not release.draft:
            state += ", staged" if slug in staged else ", not staged yet"
            date = _both(release.date, context.newsroom.time_zone)
        if waiting and not row and not console.colour:  # a log may be read by anybody
            lines.append((context.state.opaque(slug), state, "", ""))
            continue
        if parsed_release.source != fingerprint.of_source(context.state, slug):
            state += ", edited since"
        lines.append((slug, state, date, release.language))
    console.table(lines)
    warn_outdated_translations(context, console)
    where = context.destination.base_url
    console.line(
        f"{count(len(rows), 'release')} public at {where}index.html, as last seen" if rows else "nothing public yet"
    )


def _state(parsed_release: ParsedRelease, row: Row | None, waiting: bool, now: datetime) -> str:
    if parsed_release.release.draft:
        return "draft"
    if waiting:
        return f"held for {ahead(parsed_release.release.date - now)}"
    if row is None:
        return "not published yet"
    public = "withdrawn" if row.withdrawn else "public"
    return public if row.source == parsed_release.source else "changed, not published yet"


def _both(instant: datetime, zone: str) -> str:
    """Return an instant as it is told in the newsroom and everywhere: local time and UTC."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M:%S %Z} = {instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def ahead(left: timedelta) -> str:
    """Return a stretch of time for a person: ``3 d 4 h``, ``12 min``."""
    minutes = max(1, round(left.total_seconds() / 60))
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
