"""``make serve``: start the embedded store and print its address."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.model.errors import SettingError
from pipeline.publish.fetch import start_embedded


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Start the embedded store. Raises SettingError when the destination is another."""
    if not context.destination.embedded:
        raise SettingError("make serve starts the embedded store, but PRESS_BUCKET names another", "unset PRESS_BUCKET")
    start_embedded(context)
    console.line("the embedded store is running; make stop stops it")
    console.heading(f"{context.destination.printed_url}index.html")
