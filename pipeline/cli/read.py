"""``make read``: the first stage reads every source that has changed."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build import reading
from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console
from pipeline.cli.stage import add_arguments, candidates, finish
from pipeline.publish.sources import read_sources, recall_refused

__all__ = ["add_arguments", "run"]


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Read what has changed, and report all faults of all sources; when publishing, ``publish`` reports them."""
    slugs = reading.out_of_date(context.state, context.newsroom, candidates(context, options))
    publishing = options.publishing
    known = recall_refused(context) if publishing else {}
    refused = read_sources(context, slugs, console, known, publishing=publishing, deferred=publishing)
    return finish(context, options, at_fault=bool(refused))
