"""``make footage``: a preview and a poster of a release's film, beside its source, and the lines that name them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console, size
from pipeline.model.errors import Fault, ReleaseError, SettingError, hint_for
from pipeline.model.footage import STORED, VIDEO

RELEASE = "DATELINE_RELEASE"
"""How make passes RELEASE=."""
PREVIEW, POSTER = "preview.mp4", "poster.jpg"


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Make what is missing of the two for the master of RELEASE=. Nothing is overwritten."""
    from pipeline.reader.files import FileError, find_file
    from pipeline.reader.frontmatter import footage_files
    from pipeline.reader.previews import ffmpeg_is_installed, make_poster, make_preview

    slug = context.environ.get(RELEASE, "").strip().rpartition("/")[2].removesuffix(".md")
    if not slug:
        raise SettingError("RELEASE is not set", "make footage RELEASE=name, the name of its file without .md")
    source = context.state.source(slug)
    if not source.is_file():
        raise SettingError(f"{source}: no such release", "write the name of its file in content/, without .md")
    if not ffmpeg_is_installed():
        hint = "sudo apt-get install --yes --no-install-recommends ffmpeg; or export them with your own program"
        raise SettingError("ffmpeg is not installed", hint)
    named = footage_files(source)
    folder = source.with_suffix("")
    line, master = _master(source, named)
    works: dict[str, Callable[[Path, Path], None]] = {PREVIEW: make_preview, POSTER: make_poster}
    missing = [name for name in works if not (folder / name).exists()]
    if not missing:
        raise SettingError(
            f"{folder}: {PREVIEW} and {POSTER} exist already", "delete or rename what is to be made again"
        )
    try:
        film = find_file(folder, master, folder.parent.resolve() / folder.name)
        for name in missing:
            console.line(f"making {folder / name} …")
            works[name](film, folder / name)
            console.line(f"{folder / name}: {size((folder / name).stat().st_size)}")
    except FileError as error:
        message, hint = error.args
        raise ReleaseError([Fault(str(source), line, f"{message}: {master}", hint)]) from error
    except OSError as error:
        raise SettingError(f"{folder}: cannot be written: {error.strerror}", hint_for(error)) from error
    if lines := list(_lines({role for role, _, _ in named}, {name for _, name, _ in named})):
        console.line(f"look at them, then add to the footage notice in {source}:")
        for text in lines:
            console.line(f"  {text}")


def _master(source: Path, named: list[tuple[str, str, int]]) -> tuple[int, str]:
    """Return line and name of the first film that is the master. Raises SettingError."""
    films = [(line, name) for role, name, line in named if role == "master" and name.lower().endswith(VIDEO)]
    here = [(line, name) for line, name in films if not name.startswith(STORED)]
    if here:
        line, name = here[0]
        return line, name.removeprefix("./").removeprefix(f"{source.stem}/")
    if films:
        hint = f"put a copy of it into {source.with_suffix('')}, and name that one until the preview is made"
        raise SettingError(f"{source}: the master is in the private bucket: {films[0][1]}", hint)
    hint = "write files: below footage:, and below it - file: master.mov and role: master"
    raise SettingError(f"{source}: names no film as its master", hint)


def _lines(roles: set[str], names: set[str]) -> Iterator[str]:
    """Yield what the notice does not say yet."""
    missing = [(name, role) for name, role in ((PREVIEW, "preview"), (POSTER, "poster")) if name not in names]
    if missing:
        yield "files:"
    for name, role in missing:
        yield f"  - file: {name}"
        yield f"    role: {role}"
    if "captions" not in roles:
        yield "captions: captions.vtt   # WebVTT"
    if "transcript" not in roles:
        yield "transcript: |"
        yield "  …"
