"""``make read``: the first stage reads every source that has changed; when publishing, ``fetch`` does it."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build import reading
from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console
from pipeline.cli.stage import add_arguments, candidates, finish
from pipeline.publish.sources import read_sources

__all__ = ["add_arguments", "run"]


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Read what has changed, and report all faults of all sources."""
    slugs = reading.out_of_date(context.state, context.newsroom, candidates(context, options))
    refused = read_sources(context, slugs, console, {})
    return finish(context, options, at_fault=bool(refused))
