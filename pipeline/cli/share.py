"""``make share``: presigned links to the embargoed copies of a release, for journalists."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta
from shlex import quote
from zoneinfo import ZoneInfo

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console, count, size
from pipeline.model.errors import SettingError
from pipeline.model.release import Release
from pipeline.publish import sharing
from pipeline.publish.fetch import start_embedded
from pipeline.publish.guarantees import require
from pipeline.publish.holders import read_holder
from pipeline.publish.sharing import SharedLink
from pipeline.publish.sources import refuse_samples, update_sources

RELEASE, REVOKE = "DATELINE_RELEASE", "DATELINE_REVOKE"
"""How make passes RELEASE= and REVOKE=."""
_NO = ("", "0", "no", "false")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--to", metavar="NAME", help="whom the copies are for: their name is on every page")


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Share marked copies of a scheduled release and print a link to each; or revoke them."""
    # Links are printed even into a pipe, which may be a mail; but others read the log of a CI job, and it is stored.
    if context.environ.get("CI", "").lower() not in _NO:
        raise SettingError(
            "make share is not available in CI: it prints links that open embargoed copies",
            "run it on your own computer",
        )
    slug = context.environ.get(RELEASE, "")
    if not slug:
        raise SettingError("RELEASE is not set", "make share RELEASE=name, for content/name.md")
    # A name that is typed and empty is a mistake: it must not share copies without a name, or revoke those of all.
    holder = "" if options.to is None else read_holder(options.to)
    start_embedded(context)
    if context.environ.get(REVOKE, "").lower() not in _NO:
        removed = sharing.revoke(context.store, slug, holder)
        sharing.remember_shared(context)
        done = f"{count(removed, 'file')} deleted: the links to them do not work any more"
        console.line(done if removed else "this release is not shared")
        return
    if slug in context.state.slugs():
        update_sources(context, [slug], console)
        refuse_samples(context, slug)
    release = sharing.shareable_release(context, slug)
    require(context, "private", "share")
    links = sharing.share(context, release, holder)
    sharing.remember_shared(context)
    _report(context, release, holder, links, console)


def _report(context: CommandContext, release: Release, holder: str, links: list[SharedLink], console: Console) -> None:
    zone = ZoneInfo(context.newsroom.time_zone)
    first = min(each.link.until for each in links)
    console.heading(f"{context.state.source(release.slug)}: embargoed until {_when(release.date, zone)}")
    if holder:
        console.line(f"These copies are for {holder}: every page and every file name says so.")
    for each in links:
        console.line()
        console.line(f"{each.label}, {size(each.size)}")
        console.line(each.link.address)
    console.line()
    is_capped = release.date - first > timedelta(minutes=1)
    why = "after seven days, the longest time possible; then share again" if is_capped else "before the release's date"
    to = f" TO={quote(holder)}" if holder else ""
    console.heading(f"The links end {_when(first, zone)}, {why}.")
    console.line(f"To end them earlier: make share RELEASE={release.slug}{to} REVOKE=1 deletes the copies.")
    console.line("They also end when the access keys that signed them are deleted or replaced.")
    if any(each.link.temporary for each in links):
        console.line("These access keys are temporary: the links end with them, if that is earlier.")
    if context.destination.embedded:
        console.line("The embedded store is on this machine alone: the links do not work from elsewhere.")
    if release.footage_files:
        console.line("Footage is not among the copies: it becomes public with the release.")
    if holder:
        console.line("The calendar entry has the instant, and not the title: others may see a calendar.")
    console.line("Whoever has a link can open it and pass it on; a downloaded copy cannot be taken back.")


def _when(moment: datetime, zone: ZoneInfo) -> str:
    there, utc = moment.astimezone(zone), moment.astimezone(UTC)
    return f"{there:%Y-%m-%d %H:%M:%S %Z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"
