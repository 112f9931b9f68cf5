"""``make status``: the state of every release, as last seen."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.build.state import ParsedRelease
from pipeline.cli.console import Console, count
from pipeline.model.errors import printable
from pipeline.model.manifest import Row
from pipeline.publish import sharing
from pipeline.publish.sharing import SharedCopies
from pipeline.publish.signing import lines_of
from pipeline.publish.sources import recall_refused, warn_outdated_translations
from pipeline.publish.staging import StagedRelease, recall_staged
from pipeline.publish.upload import published_count


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Print a table of all releases. Names of scheduled ones are for a person at a terminal, never for a log."""
    rows, slugs = context.published.whole().by_slug(), context.state.slugs()
    refused, staged = recall_refused(context), recall_staged(context) or {}
    shared = sharing.recall_shared(context)
    lines = [("release", "state", "date", "language")]
    for slug in slugs:
        parsed_release, row = context.state.parsed_release(slug), rows.get(slug)
        if parsed_release is None:
            lines.append(_unread(context, slug, row, printable(slug) in refused, console))
            continue
        release = parsed_release.release
        is_public = release.is_public(context.now)
        state = _state(parsed_release, row, context.now)
        date = f"{release.date:%Y-%m-%d %H:%M%z}"
        if not is_public and not release.draft:
            state += ", staged" if slug in staged else ", not staged yet"
            date = both_zones(release.date, context.newsroom.time_zone)
        state += _approvals(context, staged.get(slug)) + _footage(row, context.newsroom.time_zone)
        if named := {each.holder for each in shared.get(slug, ()) if each.holder}:
            state += f", {count(len(named), 'holder')} of named copies"
        if not is_public and not row and not console.colour:  # anybody may read a log
            lines.append((context.state.opaque(slug), state, "", ""))
            continue
        if parsed_release.source != fingerprint.of_source(context.state, slug):
            state += ", edited since"
        lines.append((slug, state, date, release.language))
    known = set(slugs)
    elsewhere = f"not in {context.state.content}/: get the newest sources"
    for slug, row in sorted(rows.items()):
        if slug not in known:
            state = "withdrawn" if row.withdrawn else "published"
            lines.append((slug, f"{state}; {elsewhere}", f"{row.date:%Y-%m-%d}", row.language))
    console.table(lines)
    if shared and console.colour:  # anybody may read a log
        console.line()
        console.line("embargoed copies, as this computer last saw them:")
        console.table(_holders(shared, context.newsroom.time_zone))
        console.line()
    warn_outdated_translations(context, console)
    if rows:
        console.line(f"{published_count(context)}, at {context.destination.printed_url}index.html, as last seen")
    else:
        console.line("nothing is published yet")


def _approvals(context: CommandContext, staged: StagedRelease | None) -> str:
    """Return who has approved what is staged, as last seen; empty where nobody has to."""
    if staged is None or staged.row.statement is None or not (needed := context.newsroom.approvals):
        return ""
    signed = staged.row.statement
    names = [line.name for line in lines_of(signed, context.signers)] if staged.by_approval else []
    return f", {len(names)} of {count(needed, 'approval')}" + (f" (by {', '.join(names)})" if names else "")


def _footage(row: Row | None, zone: str) -> str:
    """Return what is to be said of public footage: that it is not there yet, or how long it stays."""
    if row is None:
        return ""
    if row.footage_outdated:
        return ", footage expired" if row.expired else ", footage not there yet: make publish"
    first = min(row.expiring.values(), default=None)
    return (
        f", footage until {first.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
        if first
        else ", footage expired" * bool(row.expired)
    )


def _holders(shared: Mapping[str, Sequence[SharedCopies]], zone: str) -> list[tuple[str, str, str, str]]:
    """Return a line for everybody who holds copies of a release: how many files, and when the last link ends."""
    lines = [("release", "copies for", "files", "links end")]
    for slug, copies in sorted(shared.items()):
        for holder in sorted({each.holder for each in copies}):
            theirs = [each for each in copies if each.holder == holder]
            end = both_zones(max(each.until for each in theirs), zone)
            lines.append((slug, holder or "(no name)", str(sum(len(each.keys) for each in theirs)), end))
    return lines


def _unread(
    context: CommandContext, slug: str, row: Row | None, is_refused: bool, console: Console
) -> tuple[str, str, str, str]:
    """Return the line of a release that was not read, or was refused."""
    state = "refused: make check" if is_refused else "not read yet on this machine"
    if row:
        return printable(slug), f"published; {state}", f"{row.date:%Y-%m-%d}", row.language
    # Anybody may read a log, and a release that was not read yet may be a scheduled one.
    is_secret = not is_refused and not console.colour
    return context.state.opaque(slug) if is_secret else printable(slug), state, "", ""


def _state(parsed_release: ParsedRelease, row: Row | None, now: datetime) -> str:
    release = parsed_release.release
    if release.draft:
        return "draft"
    if not release.is_public(now):
        return f"scheduled, in {duration(release.date - now)}"
    if row is None:
        return "not published yet"
    if row.source != parsed_release.source:
        return "changed, not published yet"
    return "withdrawn" if row.withdrawn else "published"


def both_zones(instant: datetime, zone: str) -> str:
    """Return an instant in the newsroom's time and in UTC."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%Y-%m-%d %H:%M:%S %Z} = {instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(left: timedelta) -> str:
    """Return a length of time for a person: ``3 d 4 h``, ``12 min``."""
    minutes = max(1, round(left.total_seconds() / 60))
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
