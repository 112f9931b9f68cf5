"""``make validate``: validates everything in ``output/``, scheduled releases included, with external tools."""

from __future__ import annotations

from argparse import Namespace

from pipeline import validators
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console, count
from pipeline.model.errors import ReleaseError
from pipeline.validators import VALIDATORS, ValidatorError


def run(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Run every validator; the command fails when one finds a fault or does not run."""
    output = context.state.public.parent.resolve()
    trees = (context.state.public, context.state.waiting)
    is_valid = True
    for name in VALIDATORS:
        try:
            result = validators.validate(name, trees)
        except ValidatorError as error:
            console.fault(f"{name} did not run: {error}")
            is_valid = False
            continue
        console.line(f"{name:<12} {count(result.files, 'file'):>11} {count(len(result.faults), 'fault'):>11}")
        for file, what in result.faults:
            shown = file.relative_to(output) if file.is_relative_to(output) else file
            console.fault(f"{shown}: {what}")
        is_valid = is_valid and not result.faults
    return None if is_valid else exit_status(ReleaseError)
