"""``make withdraw``: write a withdrawal, dated now, into the source of a public release."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.cli.notices import WITHDRAWAL, write


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Withdraw RELEASE= for the reason in REASON=. It is not published yet."""
    written = write(context, WITHDRAWAL)
    console.line(f"{written.source}:{written.line}: withdrawal of {written.date} added")
    console.line("if another release replaces this one, add below it: replaced_by: name")
    console.line("when it is published, the page becomes a notice and all other public files of it are deleted")
    console.line("now run make publish")
