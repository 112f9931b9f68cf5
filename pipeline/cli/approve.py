"""``make approve``: show a staged release, and sign its statement, so that it may be published."""

from __future__ import annotations

import shutil
import sys
import webbrowser
from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.cli.console import Console, count, size
from pipeline.cli.diff import shown
from pipeline.cli.status import both_zones
from pipeline.model.errors import SettingError
from pipeline.model.formats import FORMATS
from pipeline.model.statement import SIGNERS
from pipeline.publish import approval
from pipeline.publish.fetch import start_embedded
from pipeline.publish.proposal import Proposal, approve, propose
from pipeline.publish.signing import open_key


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--open", action="store_true", help="open the staged files")


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Approve RELEASE=; at a terminal, only after a yes."""
    slug = context.environ.get("DATELINE_RELEASE", "").strip().rpartition("/")[2].removesuffix(".md")
    if not slug:
        raise SettingError("RELEASE is not set", "make approve RELEASE=name, the name of its file without .md")
    needed = approval.demanded(context)
    if not needed:
        hint = f"write approvals = 1 below [organisation] in {context.state.newsroom_file}"
        raise SettingError("this newsroom publishes without approval", hint)
    key = open_key(context.environ, context.signers, context.root)
    if key is None:
        raise SettingError(f"there is no key of content/{SIGNERS} on this machine", "make key writes one")
    start_embedded(context)
    proposal = propose(context, slug, console)
    _show(context, proposal, console)
    if options.open:
        _open(proposal, context.state.work / "to-approve")
    asked = f"approve it as {key.signer.name}? [y/N]"
    if sys.stdin.isatty() and console.ask(asked).lower() not in ("y", "yes"):
        raise SettingError("not approved", "run make approve again when it is right")
    staged = approve(context, proposal, key)
    given = approval.signers_of(context, staged)
    console.line(
        f"approved by {', '.join(signer.name for signer in given)}: {len(given)} of {count(needed, 'approval')}"
    )
    console.line("next: make publish" if len(given) >= needed else "next: the other signer runs make approve")


def _show(context: CommandContext, proposal: Proposal, console: Console) -> None:
    row, statement = proposal.staged.row, proposal.statement
    console.heading(row.title)
    when = both_zones(row.date, context.newsroom.time_zone)
    is_new = row.slug not in context.published.by_slug() and row.date > context.now
    console.line(f"revision {row.revision}, public " + (f"from {when}" if is_new else "as soon as it is approved"))
    names = {form.key(row.slug): form for form in FORMATS}
    sizes = {key: file.size for key, file in {**proposal.staged.files, **proposal.staged.films}.items()}
    for key, sha256 in statement.files:
        form = names.get(key)
        pages = f", {count(row.pages, 'page')}" if form and form.name == "pdf" else ""
        label = form.label if form else key.rpartition("/")[2]
        large = size(sizes[key]) if key in sizes else "expired"
        console.line(f"  {label:<28} {large + pages:<18} {sha256[:16]}…")
    if proposal.differing is None:
        console.line("it was not approved before")
    else:
        console.line(
            "words that differ from what was approved last:"
            if proposal.differing
            else "no word differs from what was approved last"
        )
        for passage in proposal.differing:
            console.line(shown(passage, console))


def _open(proposal: Proposal, folder: Path) -> None:
    """Show the staged files with the programs of this machine; they stay in ``folder`` until the next time."""
    shutil.rmtree(folder, ignore_errors=True)
    for key in (key for key, _ in proposal.statement.files if key in proposal.files):
        file = folder / key.rpartition("/")[2]
        write_file(file, proposal.files[key])
        webbrowser.open(file.resolve().as_uri())
