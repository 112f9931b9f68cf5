"""``make feed``: the feeds of all releases, of each language and of each topic."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console
from pipeline.cli.pages import render_listings
from pipeline.cli.stage import add_arguments

__all__ = ["add_arguments", "run"]


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Render the feeds if anything that they show has changed."""
    return render_listings(context, options, console)
