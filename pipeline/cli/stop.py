"""``make stop``: stop the embedded store."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.storage import embedded


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Stop the embedded store."""
    console.line("stopped" if embedded.stop(context.root) else "the embedded store was not running")
