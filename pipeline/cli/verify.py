"""``make verify``: read the whole newsroom back without credentials, and make the leak test."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console, count
from pipeline.publish.fetch import last_manifest, start_embedded
from pipeline.publish.leak_test import require_closed, require_hidden
from pipeline.publish.schedule import scheduled_here
from pipeline.publish.staging import keys_of, recall_staged
from pipeline.publish.verification import expected_newsroom, raise_problems, read_back, require_shown


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Read everything back. Raises StorageError that names what is wrong."""
    start_embedded(context)
    context.published = last_manifest(context)
    if not context.published.serial:
        console.line("nothing is published yet: run make publish")
        return
    anonymous = context.anonymous
    expected = expected_newsroom(context.published, lambda row: anonymous.get(f"releases/{row.slug}.json").body)
    read = 0

    def done() -> None:
        nonlocal read
        read += 1
        console.progress(read, len(expected), "read")

    raise_problems(read_back(anonymous, expected, done))
    scheduled = scheduled_here(context)
    require_hidden(context, scheduled)
    require_closed(context, keys_of(recall_staged(context) or {}))
    console.line(
        f"{count(len(context.published.rows), 'release')}, {count(len(expected), 'file')}: all as published, "
        "read back without credentials"
    )
    if scheduled:
        console.line(
            f"{count(len(scheduled), 'release')} not public yet: no trace of them is visible without credentials"
        )
    require_shown(context, console)
    console.heading(f"{context.destination.printed_url}index.html")
