"""``make validate``: the judges from outside are heard on everything in ``output/``, what waits included."""

from __future__ import annotations

import sys
from argparse import Namespace
from importlib import import_module
from pathlib import Path

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console, count
from pipeline.model.errors import ReleaseError
from pipeline.validators import NAMES, UnableError, ValidationResult


def validate(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Hear every judge; end badly when one finds a fault or cannot judge."""
    folder, output = Path(sys.prefix, "judges").resolve(), context.state.public.parent.resolve()
    trees = (context.state.public, context.state.waiting)
    well = True
    for name in NAMES:
        try:
            ruling: ValidationResult = import_module(f"pipeline.validators.{name}").judge(folder, trees)
        except UnableError as error:
            console.fault(f"{name} did not run: {error}")
            well = False
            continue
        console.line(f"{name:<12} {count(ruling.files, 'file'):>11} {count(len(ruling.faults), 'fault'):>11}")
        for file, what in ruling.faults:
            shown = file.relative_to(output) if file.is_relative_to(output) else file
            console.fault(f"{shown}: {what}")
        well = well and not ruling.faults
    return None if well else exit_status(ReleaseError)
