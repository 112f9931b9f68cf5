"""``fetch``, the first step of ``make publish``: what is public, what is new, and what is up to date."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.publish.fetch import learn, note_stale, read_stale
from pipeline.publish.release_at_instant import release_overdue, wait_of


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--dry-run", action="store_true", help="release nothing that is overdue")
    parser.add_argument("--wait", default="", help="as for publish; a wrong value is refused before anything is done")


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Fetch the manifest, read new sources, release what is overdue, and note which releases are not up to date."""
    wait_of(options.wait)
    learn(context, console)
    if not options.dry_run:
        for conflict in release_overdue(context, console):
            console.fault(f"{conflict}\n  hint: {conflict.hint}")
    note_stale(context, console)
    read_stale(context, console)
