"""The sub-commands: each puts the parts together for one make target and tells the console what happened."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console
from pipeline.model.formats import FORMATS

Command = Callable[[CommandContext, Namespace, Console], ExitStatus | None]

COMMANDS: dict[str, tuple[str, str]] = {
    "read": ("rendering", "read"),
    "check": ("rendering", "check"),
    **{row.name: ("rendering", "render_stage") for row in FORMATS},
    "feed": ("rendering", "listing"),
    "pages": ("rendering", "listing"),
    "render": ("rendering", "render"),
    "new": ("rendering", "new"),
    **{
        name: (name, "run")
        for name in (
            "fetch",
            "publish",
            "verify",
            "validate",
            "history",
            "diff",
            "status",
            "serve",
            "stop",
            "storage",
            "doctor",
            "share",
            "preview",
        )
    },
}
"""Command → module and function; imported on demand, for a renderer stage does without all that talks to storage."""


def run(command: str, options: Namespace, environ: Mapping[str, str], console: Console) -> ExitStatus | None:
    """Run ``command``; return how it ends when it ends badly, though it could do its work. Raises DatelineError."""
    module, function = COMMANDS[command]
    context = CommandContext(options.content, options.output, environ, Path.cwd(), publishing=module != "rendering")
    context.use_run_clock(options.clock)
    if options.due:
        context.state = context.state.due()
    found = cast(Command, getattr(import_module(f"pipeline.cli.{module}"), function))
    return found(context, options, console)
