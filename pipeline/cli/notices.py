"""What ``make correct`` and ``make withdraw`` share: they write a dated entry into the source of a public release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.build import fingerprint, revisions
from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.cli import front_matter
from pipeline.model.errors import ReleaseError, SettingError, printable
from pipeline.model.manifest import Row
from pipeline.model.release import Release
from pipeline.publish.fetch import last_manifest, start_embedded
from pipeline.reader import line_of, read_release

RELEASE = "DATELINE_RELEASE"
"""How make passes RELEASE=."""


class Notice(Struct, frozen=True):
    """A kind of entry: the command that writes it, the make variable with its text, and its keys."""

    command: str
    variable: str
    key: str
    text: str
    in_list: bool

    @property
    def usage(self) -> str:
        """What to type."""
        return f'make {self.command} RELEASE=name {self.variable}="…"'

    @property
    def add(self) -> Callable[[bytes, str, Mapping[str, str]], bytes | None]:
        """The function that adds the entry to a source."""
        return front_matter.add_to_list if self.in_list else front_matter.add_group


CORRECTION = Notice("correct", "NOTE", "corrections", "note", in_list=True)
WITHDRAWAL = Notice("withdraw", "REASON", "withdrawn", "reason", in_list=False)


class Written(Struct, frozen=True):
    """What was written, and where."""

    source: Path
    line: int
    date: str
    release: Release
    """As it is read now."""
    row: Row
    """What is public of it."""


def write(context: CommandContext, notice: Notice) -> Written:
    """Write an entry, dated now, into the source of ``RELEASE=``; the text is that of the notice's make variable.

    The source is read again afterwards; if it would be refused it gets its former bytes back. Raises SettingError, and
    ReleaseError when the source is not valid before.
    """
    slug = context.environ.get(RELEASE, "").strip().rpartition("/")[2].removesuffix(".md")
    if not slug:
        raise SettingError("RELEASE is not set", notice.usage)
    text = _text(context, notice)
    row = _public_row(context, notice, slug)
    source = context.state.source(slug)
    release = read_release(source, context.newsroom, context.now, context.state.films).release
    _refuse_withdrawn(context, notice, row, release)
    if len(release.corrections) < row.corrections:
        _refuse_unpublishable(context, row, release)
    date = _date(context, max(row.modified, release.modified))
    entry = {"date": date, notice.text: text}
    data = source.read_bytes()
    changed = notice.add(data, notice.key, entry)
    if changed is None:
        lines = "\n    ".join(front_matter.block(notice.key, entry, in_list=notice.in_list))
        what = f"{source}: nothing was written, because {notice.key} or the front matter has an unusual form"
        raise SettingError(what, f"write it yourself, the newest entry first:\n    {lines}")
    _replace(source, changed)
    try:
        release = _read_again(context, notice, row, source, text)
    except BaseException:
        _replace(source, data)
        raise
    return Written(source, line_of(source, notice.key), date, release, row)


def _text(context: CommandContext, notice: Notice) -> str:
    """Return the text that was typed, on one line as the reader returns it. Raises SettingError."""
    from pipeline.reader.characters import FORBIDDEN, code_point, collapse_spaces, is_invisible
    from pipeline.reader.source import as_read

    typed = context.environ.get(f"DATELINE_{notice.variable}", "").replace("\r", "\n")
    if is_invisible(typed):
        raise SettingError(f"{notice.variable} is not set", notice.usage)
    try:
        typed.encode()
    except UnicodeEncodeError:
        hint = "set the terminal's encoding to UTF-8 (locale)"
        raise SettingError(f"{notice.variable} is not UTF-8", hint) from None
    if forbidden := FORBIDDEN.search(typed):
        raise SettingError(f"{notice.variable} has a forbidden character {code_point(forbidden[0])}", "delete it")
    return collapse_spaces(as_read(typed.encode()).decode())


def _public_row(context: CommandContext, notice: Notice, slug: str) -> Row:
    """Return the public row of ``slug``, of which there is a source too. Raises SettingError."""
    source, shown = context.state.source(slug), printable(slug)
    is_here = source.is_file()
    start_embedded(context)
    context.published = last_manifest(context)
    rows = context.published.by_slug()
    if slug in rows and is_here:
        return rows[slug]
    if slug in rows:
        raise SettingError(f"{shown} is public, but {source} is not here", "get the newest sources, then try again")
    if is_here:
        hint = "edit it as you like" if notice.in_list else "to keep it back, write draft: true into it, or delete it"
        raise SettingError(f"{printable(str(source))} is not public: there is nothing to {notice.command}", hint)
    near = get_close_matches(slug, rows, 1, 0.6)  # of public names only: others may belong to a scheduled release
    hint = f"did you mean {near[0]}?" if near else "make status lists the releases and their states"
    raise SettingError(f"there is no release {shown}", hint)


def _refuse_withdrawn(context: CommandContext, notice: Notice, row: Row, release: Release) -> None:
    source = context.state.source(release.slug)
    if release.withdrawn:
        hint = "to publish it again, delete withdrawn and say why in a new entry of corrections"
        hint = hint if row.withdrawn else "make publish publishes the withdrawal"
        raise SettingError(f"{source}:{line_of(source, 'withdrawn')}: this release is withdrawn already", hint)
    if row.withdrawn and notice is WITHDRAWAL:
        what = f"{row.slug} was withdrawn publicly on {row.modified:%Y-%m-%d}, but {source} no longer says so"
        raise SettingError(what, "put its withdrawn: back")


def _date(context: CommandContext, newest: datetime) -> str:
    """Return the present time in the newsroom's zone: to the minute, or to the second where ``newest`` is that late."""
    now = context.now.astimezone(ZoneInfo(context.newsroom.time_zone))
    is_later = now.replace(second=0, microsecond=0) > newest
    return now.isoformat(timespec="minutes" if is_later else "seconds")


def _read_again(context: CommandContext, notice: Notice, row: Row, source: Path, text: str) -> Release:
    """Return the release as it is now. Raises SettingError when it cannot be published, or says something else."""
    try:
        release = read_release(source, context.newsroom, context.now, context.state.films).release
    except ReleaseError as error:
        fault = error.faults[0]
        raise SettingError(f"nothing was written: {notice.variable}: {fault.message}", fault.hint) from None
    found = next((each.note for each in release.corrections if each.note == text), "")
    if release.withdrawn:
        found = release.withdrawn.reason
    _refuse_unpublishable(context, row, release)
    if found != text:
        raise SettingError(f"nothing was written: {notice.variable} would be read as: {found}", "write it differently")
    return release


def _refuse_unpublishable(context: CommandContext, row: Row, release: Release) -> None:
    """Raise SettingError when the release may not replace what is public."""
    digest = fingerprint.of_source(context.state, release.slug)
    if refusal := revisions.refusal(row, release, digest, minor=True):
        source = context.state.source(release.slug)
        raise SettingError(f"{source}: nothing was written: {refusal.message}", refusal.hint)


def _replace(source: Path, data: bytes) -> None:
    """Write ``data`` by rename; a link stays one, and the file keeps its permissions."""
    file = source.resolve()
    mode = file.stat().st_mode
    write_file(file, data)
    file.chmod(mode)
