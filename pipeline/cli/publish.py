"""``publish``, the last step of ``make publish``: upload, stage, and with WAIT stay until what is due is released.

With ``--fetch`` it is the first step too, and the only one where nothing has to be rendered.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli import fetch
from pipeline.cli.console import Console
from pipeline.model.errors import ConflictError, DatelineError, ReleaseError, StorageError
from pipeline.publish.fetch import noted_stale
from pipeline.publish.progress import Outcome
from pipeline.publish.release_at_instant import Watch, wait_of
from pipeline.publish.sources import are_rendered
from pipeline.publish.staging import stage_all
from pipeline.publish.upload import publish_all, report_address, report_refusals


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--fetch", type=Path, help="fetch first; leave this file if something has to be rendered")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and its reasons, upload nothing")
    parser.add_argument("--sign", action="store_true", help="sign what is public without a signature too")
    parser.add_argument("--wait", default="", help="stay this long and release what becomes due: 45s, 30m, 1h30m")


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Publish the candidates, stage the scheduled releases, and stay for those that become due within WAIT."""
    wait = wait_of(options.wait)
    if options.fetch:
        fetch.run(context, options, console)
        options.fetch.unlink(missing_ok=True)
        if not are_rendered(context, noted_stale(context)):
            options.fetch.touch()
            return None
    outcome = Outcome(console)
    try:
        outcome.add(publish_all(context, console, dry_run=options.dry_run, sign=options.sign))
    except DatelineError as error:
        # Scheduled releases must not suffer from it. But a failed storage is asked again only if there is WAIT.
        if options.dry_run or not (wait or isinstance(error, ConflictError)):
            report_refusals(context, console)
            raise
        outcome.report(error)
        outcome.add(stage_all(context, console))
    if wait and not options.dry_run:
        watch = Watch(context, context.now + wait, console, outcome)
        watch.run()
        context = watch.context
    context.state.note_change()
    if not options.dry_run:
        _report_address(context, outcome, console)
    report_refusals(context, console)
    return outcome.exit_status


def _report_address(context: CommandContext, outcome: Outcome, console: Console) -> None:
    """Report what is public and where, unless the storage failed, or another publisher was first."""
    if outcome.exit_status is None or outcome.exit_status.status == ReleaseError.status:
        try:
            report_address(context, console)
        except StorageError as error:
            outcome.report(error)
