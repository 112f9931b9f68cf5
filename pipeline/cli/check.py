"""``make check``: read every release, render nothing."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.stages import warnings
from pipeline.cli.console import Console, count
from pipeline.cli.newsroom import unfilled
from pipeline.model.errors import ReleaseError
from pipeline.publish.sources import read_sources, warn_outdated_translations
from pipeline.typography.messages import FALLBACK, FOLDER, Messages


def run(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Report all faults and warnings of newsroom, releases and rendered files, and the languages that lack messages."""
    for fault in unfilled(context.state.newsroom_file):
        console.fault(str(fault.as_warning()))
    slugs = context.state.slugs()
    refused = read_sources(context, slugs, console, {})
    for fault in warnings(context.state, slugs):
        console.fault(str(fault))
    warn_outdated_translations(context, console)
    for language in _languages(context):
        _warn_untranslated(language, context.newsroom.time_zone, console)
    console.line(f"{count(len(slugs), 'release')} checked, {len(refused) or 'none'} refused")
    return exit_status(ReleaseError) if refused else None


def _languages(context: CommandContext) -> list[str]:
    """Return the languages of the newsroom and of its releases, each once, without regions."""
    tags = [context.newsroom.language, *context.newsroom.languages]
    tags += [summary.entry.language for summary in context.state.summaries().values()]
    return sorted({tag.split("-")[0] for tag in tags})


def _warn_untranslated(language: str, time_zone: str, console: Console) -> None:
    if lacking := Messages(language, time_zone).lacking:
        file = FOLDER / f"{language}.toml"
        what = f"lacks {', '.join(lacking)}" if file.is_file() else "does not exist"
        hint = f"copy {FALLBACK}.toml to {file.name} and translate what is in quotes"
        shown = file.relative_to(FOLDER.parent.parent)
        console.fault(f"{shown}: warning: {what}; English is used instead\n  hint: {hint}")
