"""``make validate``: validate everything in ``output/`` with external tools, scheduled releases included."""

from __future__ import annotations

import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console, count
from pipeline.model.errors import ReleaseError
from pipeline.validators import NAMES, UnableError, ValidationResult


def run(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Run every validator; the status is bad when one reports a fault or cannot run."""
    folder, output = Path(sys.prefix, "judges").resolve(), context.state.public.parent.resolve()
    trees = (context.state.public, context.state.waiting)
    is_valid = True
    for name in NAMES:
        try:
            result: ValidationResult = import_module(f"pipeline.validators.{name}").judge(folder, trees)
        except UnableError as error:
            console.fault(f"{name} did not run: {error}")
            is_valid = False
            continue
        console.line(f"{name:<12} {count(result.files, 'file'):>11} {count(len(result.faults), 'fault'):>11}")
        for file, what in result.faults:
            shown = file.relative_to(output) if file.is_relative_to(output) else file
            console.fault(f"{shown}: {what}")
        is_valid = is_valid and not result.faults
    return None if is_valid else exit_status(ReleaseError)
