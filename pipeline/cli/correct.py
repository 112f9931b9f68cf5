"""``make correct``: write a correction, dated now, into the source of a public release."""

from __future__ import annotations

from argparse import Namespace

import msgspec

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.cli.notices import CORRECTION, write
from pipeline.model.revision import digest_of_words


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Add the text in NOTE= to the corrections of RELEASE=. It is not published yet."""
    written = write(context, CORRECTION)
    console.line(f"{written.source}:{written.line}: correction of {written.date} added")
    before = msgspec.structs.replace(written.release, corrections=written.release.corrections[1:])
    if digest_of_words(before) == written.row.words:
        console.line("the text is still as it is public: if it has the mistake, correct it there too")
    console.line("now run make publish")
