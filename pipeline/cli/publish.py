"""``make publish``: upload, stage, and with WAIT stay until what is due is released.

With ``--stages``, as make calls it, it fetches first, and has make run the stages if something has to be rendered.
Without, it uploads what an earlier ``fetch`` found, and what the stages rendered since.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from argparse import ArgumentParser, Namespace
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli import fetch
from pipeline.cli.console import Console
from pipeline.model.errors import ConflictError, DatelineError, ReleaseError, StorageError
from pipeline.publish.fetch import noted_stale
from pipeline.publish.listings import NOTHING, Seen
from pipeline.publish.progress import Outcome
from pipeline.publish.release_at_instant import Watch, wait_of
from pipeline.publish.sources import are_rendered
from pipeline.publish.staging import stage_all
from pipeline.publish.upload import look_ahead, publish_all, report_address, report_refusals


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--stages", default="", help="fetch first; command that renders, if something has to be")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and its reasons, upload nothing")
    parser.add_argument("--sign", action="store_true", help="sign what is public without a signature too")
    parser.add_argument("--wait", default="", help="stay this long and release what becomes due: 45s, 30m, 1h30m")


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Publish the candidates, stage the scheduled releases, and stay for those that become due within WAIT."""
    wait = wait_of(options.wait)
    seen = NOTHING
    if options.stages:
        fetch.run(context, options, console)
        if not are_rendered(context, noted_stale(context)):
            seen = _run_stages(options.stages, context, options.dry_run)
    outcome = Outcome(console)
    try:
        outcome.add(publish_all(context, console, dry_run=options.dry_run, sign=options.sign, seen=seen))
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


def _run_stages(command: str, context: CommandContext, dry_run: bool) -> Seen:
    """Have make run the stages, and look ahead meanwhile. Raises SystemExit if a stage could not do its work."""
    import shlex
    import subprocess

    # Make counts the jobs of the stages alone: the pipe by which it would share them is closed for this process.
    flags = re.sub(r"--jobserver-\S+", "", context.environ.get("MAKEFLAGS", ""))
    stages = subprocess.Popen(shlex.split(command), env={**context.environ, "MAKEFLAGS": flags})
    before = signal.signal(signal.SIGTERM, lambda number, _: stages.send_signal(number))
    with ThreadPoolExecutor(1) as pool:
        ahead = pool.submit(_look_ahead, context, dry_run)
        try:
            status = stages.wait()
        except KeyboardInterrupt:  # the stages were interrupted too, and say so
            stages.wait()
            status = 130
    signal.signal(signal.SIGTERM, before)
    if status:
        raise SystemExit(status if status > 0 else 128 - status)
    return ahead.result()


def _look_ahead(context: CommandContext, dry_run: bool) -> Seen:
    """Look ahead in the time that the stages leave: where a thread has a priority of its own, it has the lowest."""
    if dry_run:  # which must not test the storage: that writes there
        return NOTHING
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
    try:
        return look_ahead(context)
    except DatelineError:  # which is raised again
        return NOTHING


def _report_address(context: CommandContext, outcome: Outcome, console: Console) -> None:
    """Report what is public and where, unless the storage failed, or another publisher was first."""
    if outcome.exit_status is None or outcome.exit_status.status == ReleaseError.status:
        try:
            report_address(context, console)
        except StorageError as error:
            outcome.report(error)
