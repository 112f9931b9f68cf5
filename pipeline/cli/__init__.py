"""The commands, one file each: every make target that runs Python is ``python -m pipeline COMMAND``.

A command's module has ``run(context, options, console)``, which returns how the command ends when it did what it could
and yet met an error, and raises DatelineError when it could not; and ``add_arguments(parser)`` where it has options.
Nothing below this room prints or exits.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import cast

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console
from pipeline.model.formats import FORMATS

Command = Callable[[CommandContext, Namespace, Console], ExitStatus | None]

_WRITING = ("new", "import", "footage", "newsroom", "key")
RENDERING = ("read", "check", *(row.name for row in FORMATS), "feed", "pages", "render", *_WRITING)
"""The commands that publish nothing, and need not know where."""
_STORE = ("serve", "stop", "storage", "doctor")
_PUBLIC = ("verify", "validate", "history", "diff", "correct", "withdraw", "status")
PUBLISHING = ("fetch", "publish", *_PUBLIC, "approve", "share", "preview", *_STORE)
COMMANDS = (*RENDERING, *PUBLISHING)
STEPS = ("fetch", "publish")
"""The steps of ``make publish``, with the stages that are told so."""


def module(command: str) -> str:
    """Return the module of a command; all formats share one, and ``import`` is a word of Python."""
    command = "import_" if command == "import" else command
    return f"pipeline.cli.{'stage' if command in {row.name for row in FORMATS} else command}"


def add_arguments(command: str, parser: ArgumentParser) -> None:
    """Add the command's own options to ``parser``; its module is imported only when it is the one that runs."""
    if add := getattr(import_module(module(command)), "add_arguments", None):
        add(parser)


def run(options: Namespace, environ: Mapping[str, str], console: Console) -> ExitStatus | None:
    """Run ``options.command``. Raises DatelineError."""
    publishing = options.command in PUBLISHING
    context = CommandContext(options.content, options.output, environ, Path.cwd(), publishing=publishing)
    command = cast(Command, import_module(module(options.command)).run)
    is_step = options.command in STEPS or getattr(options, "publishing", False)
    with context.state.publishing() if is_step else nullcontext():
        return command(context, options, console)
