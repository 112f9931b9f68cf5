"""``make storage``: prepare the two buckets, once, with an operator's credentials."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.publish.fetch import start_embedded
from pipeline.storage import prepare


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Prepare both buckets and report each step."""
    start_embedded(context)
    for line in prepare(context.destination, context.environ):
        console.line(line)
