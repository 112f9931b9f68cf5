"""``make import``: a release of another program becomes a draft in ``content/``."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console, count
from pipeline.cli.new import write_source
from pipeline.cli.newsroom import NAME
from pipeline.model.errors import Fault, ReleaseError, SettingError, hint_for

FROM = "DATELINE_FROM"
"""How make passes FROM=."""


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Write the draft of FROM=, under the name in NAME= if there is one, its pictures beside it; list what to check."""
    from pipeline.reader.imports import import_release

    named = context.environ.get(FROM, "").strip()
    if not named:
        raise SettingError("which file is to be imported?", "make import FROM=release.docx")
    file = Path(named).expanduser()
    draft = import_release(file, context.newsroom, context.now)
    path = write_source(context.state.content, draft.source, draft.title, context.now, context.environ.get(NAME, ""))
    folder = path.with_suffix("")
    try:
        for picture, data in draft.pictures.items():
            _write_new(folder / picture, data)
    except SettingError:
        path.unlink()  # a draft without its pictures would be in the way of the next try
        raise
    console.line(f"{path} written as a draft")
    if draft.pictures:
        console.line(f"{folder}: {count(len(draft.pictures), 'picture')}")
    for remark in draft.remarks:
        console.line(f"note: {remark}")
    faults = _faults(path, context)
    for fault in faults:
        console.fault(fault)
    left = f"{count(len(faults), 'place')} to look at; " if faults else ""
    console.line(f"{left}edit it, then run make check")


def _write_new(file: Path, data: bytes) -> None:
    """Write a picture beside the source; what lies there already stays. Raises SettingError when that is another."""
    try:
        file.parent.mkdir(exist_ok=True)
        with file.open("xb") as stream:
            stream.write(data)
    except FileExistsError:
        if file.is_file() and file.read_bytes() == data:
            return
        hint = "rename or remove it, or import under another name: NAME=a-few-words"
        raise SettingError(f"{file} exists already, and is not the picture of this text", hint) from None
    except OSError as error:
        raise SettingError(f"{file}: cannot be written: {error.strerror}", hint_for(error)) from error


def _faults(path: Path, context: CommandContext) -> tuple[Fault, ...]:
    """Return what ``make check`` will say of the draft."""
    from pipeline.reader import read_release

    try:
        read_release(path, context.newsroom, context.now, context.state.films)
    except ReleaseError as error:
        return error.faults
    return ()
