"""``make render``: the summary after all stages."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext, ExitStatus
from pipeline.cli.console import Console, count
from pipeline.cli.stage import add_arguments, finish
from pipeline.model.errors import printable
from pipeline.model.formats import FORMATS

__all__ = ["add_arguments", "run"]


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Report how many releases are rendered, and which are not."""
    slugs = context.state.slugs()
    parsed, rendered = context.state.summaries(), context.state.rendered(FORMATS[-1].name)
    missing = [slug for slug in slugs if slug not in rendered or slug not in parsed]
    console.line(f"{count(len(slugs) - len(missing), 'release')} in {context.state.public.parent}/")
    if missing:
        console.fault(f"{count(len(missing), 'release')} not rendered: {', '.join(map(printable, missing))}")
    return finish(context, options, at_fault=bool(missing))
