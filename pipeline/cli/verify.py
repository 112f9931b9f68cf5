"""``make verify``: read the whole newsroom back without credentials, and make the leak test; or check one file."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli import diff
from pipeline.cli.console import Console, count
from pipeline.model.errors import ReleaseError, SettingError, StorageError, printable
from pipeline.model.newsroom import read_address
from pipeline.model.statement import SIGNERS, Statement
from pipeline.publish.fetch import last_manifest, start_embedded
from pipeline.publish.leak_test import require_closed, require_hidden
from pipeline.publish.schedule import scheduled_here
from pipeline.publish.staging import keys_of, recall_staged
from pipeline.publish.verification import SHOWN, expected_newsroom, raise_problems, read_back, read_gone, require_shown

if TYPE_CHECKING:
    from pipeline.publish.genuine import Finding

FILE, AT = "DATELINE_FILE", "DATELINE_AT"
"""How make passes FILE= and AT=."""
_UNKNOWN = (
    "no signed statement there names it. That alone is no proof of a forgery: a file that a program saved again, or a",
    "page that a browser saved, has other bytes. Its words can be checked too: put them into a text file",
)
_UNCONFIRMED = "do not rely on it; ask the desk by telephone"


def run(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Read everything back, or check FILE=. Raises StorageError that names what is wrong."""
    if context.environ.get(FILE, "").strip():
        return _check_file(context, console)
    if context.environ.get(AT, "").strip():
        raise SettingError("which file is to be checked?", "make verify FILE=path AT=https://press.example.org/")
    _read_all(context, console)
    return None


def _read_all(context: CommandContext, console: Console) -> None:
    start_embedded(context)
    context.published = last_manifest(context)
    if not context.published.serial:
        console.line("nothing is published yet: run make publish")
        return
    anonymous = context.anonymous
    expected = expected_newsroom(context.published, lambda row: anonymous.get(f"releases/{row.slug}.json").body)
    read = 0

    def done() -> None:
        nonlocal read
        read += 1
        console.progress(read, len(expected), "read")

    expired = {key for row in context.published.rows for key in row.expired}
    problems = read_back(anonymous, expected, done, known=expired)
    raise_problems([*problems, *read_gone(anonymous, context.published)])
    if context.newsroom.signs:
        _require_signed(context)
    scheduled = scheduled_here(context)
    require_hidden(context, scheduled)
    require_closed(context, keys_of(recall_staged(context) or {}))
    console.line(
        f"{count(len(context.published.rows), 'release')}, {count(len(expected), 'file')}: all as published, "
        "read back without credentials"
    )
    if context.newsroom.signs:
        signed = sum(row.statement is not None for row in context.published.rows)
        console.line(f"{signed} of {count(len(context.published.rows), 'release')} signed: every signature is right")
    if scheduled:
        console.line(
            f"{count(len(scheduled), 'release')} not public yet: no trace of them is visible without credentials"
        )
    require_shown(context, console)
    console.heading(f"{context.destination.printed_url}index.html")


def _require_signed(context: CommandContext) -> None:
    """Raise StorageError when a public statement, or a signature of one, is not right."""
    from pipeline.publish.genuine import public_files, signature_problems

    problems = signature_problems(context.published.whole(), context.signers, public_files(context.anonymous))
    if problems:
        shown = "; ".join(f"{problem.key} {problem.what}" for problem in problems[:SHOWN])
        raise StorageError(
            f"not as signed: {shown}" + (f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""),
            f"old lines of content/{SIGNERS} stay, and are valid on the days of their signatures; if nobody "
            "changed them, somebody else wrote what is public",
        )


# ── One file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_file(context: CommandContext, console: Console) -> ExitStatus | None:
    """Say whether FILE= is genuine and current."""
    from pipeline.publish.genuine import check_file, public_files, telephones
    from pipeline.storage.anonymous import AnonymousClient

    file = _file(context.environ[FILE])
    address = _address(context)
    fetch = public_files(AnonymousClient(address, context.environ))
    own = None if context.environ.get(AT, "").strip() else context.signers.text
    found = check_file(file, fetch, own)
    console.heading(_answer(found, printable(file.name)))
    for line in _facts(found, address, console):
        console.line(f"  {line}")
    if found.verdict in ("unknown", "unconfirmed", "differs"):
        said = ", ".join(telephones(fetch)) or "it names no telephone number"
        console.line(f"  the desk, as {address} has it: {said}")
        console.line("  a forged newsroom would name a telephone of its own: use a number that you know from elsewhere")
    return None if found.verdict == "current" else exit_status(ReleaseError)


def _file(typed: str) -> Path:
    """Return the file that was typed. Raises SettingError unless it can be read as one."""
    named = Path(typed)
    if not named.exists():
        try:
            named = Path(typed.strip()).expanduser()
        except RuntimeError:
            named = Path(typed.strip())
    shown = printable(str(named))
    if named.is_dir():
        raise SettingError(f"{shown} is a folder", "name one file: make verify FILE=release.pdf")
    if not named.exists():
        raise SettingError(
            f"there is no file {shown}", 'check the name; put one with blanks between quotes: FILE="a b"'
        )
    if not named.is_file():
        raise SettingError(f"{shown} is not a file", "name one file: make verify FILE=release.pdf")
    if not named.stat().st_size:
        raise SettingError(f"{shown} is empty", "download or save it again")
    return named


def _address(context: CommandContext) -> str:
    """Return the newsroom's address: of this one, or what AT= says, also when that is one of its pages."""
    typed = context.environ.get(AT, "").strip()
    if not typed:
        start_embedded(context)
        if not context.newsroom.signs:
            raise SettingError(
                f"nobody is named in {context.state.content / SIGNERS}: this newsroom signs nothing",
                "make key writes a key, and names it; AT=https://… checks a file of another newsroom",
            )
        return context.destination.printed_url
    typed = typed if "://" in typed else f"https://{typed}"
    folder, slash, page = typed.rpartition("/")
    address, problem, hint = read_address(folder + slash if page.endswith(".html") else typed)
    if problem:
        raise SettingError(f"AT: {problem}", hint)
    return address


def _answer(found: Finding, name: str) -> str:
    """Return the answer in one line."""
    stated = found.stated or found.newest
    title = printable(stated.title) if stated else ""
    match found.verdict:
        case "current":
            return f"genuine and current: {title}"
        case "corrected":
            return f"genuine, corrected since: {title}"
        case "withdrawn":
            return f"genuine once, withdrawn: {title}"
        case "embargoed":
            return f"an embargoed copy of {title}, public since {_moment(stated)}"
        case "differs" if found.newest and found.newest.status == "canceled":
            return f"a release with this headline was withdrawn: {title}"
        case "differs":
            return f"not the words of {title}" if found.passages else f"a part of {title}"
        case "unknown":
            return f"not known here: {name}"
    return f"cannot be confirmed: {name}"


def _facts(found: Finding, address: str, console: Console) -> Iterator[str]:
    """Yield what else there is to say, line by line."""
    stated, newest = found.stated, found.newest
    if found.verdict == "unknown":
        yield from _UNKNOWN
    if found.verdict == "unconfirmed":
        yield printable(found.note)
        yield _UNCONFIRMED
    elif found.note:
        yield printable(found.note)
    if stated and newest and stated.words == newest.words and stated != newest and found.verdict == "current":
        yield "an earlier layout; the words are those of today"
    if stated and newest and found.verdict == "embargoed" and stated.words != newest.words:
        yield "the words were changed since"
    if found.verdict == "differs":
        yield from _differences(found, console)
    if stated:
        until = f"; today it is revision {newest.revision}" if newest and newest.revision != stated.revision else ""
        yield f"revision {stated.revision}, of {_moment(stated)}{until}"
        for signer in found.signers:
            yield f"signed by {printable(signer.name)} on {stated.signed}, {signer.fingerprint}"
    if newest:
        yield f"{address}{printable(newest.address)}"


def _differences(found: Finding, console: Console) -> Iterator[str]:
    if found.newest and found.newest.status == "canceled":
        yield "no revision of it had exactly these words"
    elif not found.passages:
        yield "all these words stand there, one after the other; the release has more"
    for passage in found.passages:
        safe = tuple(replace(piece, words=printable(piece.words)) for piece in passage)
        lines = diff.shown(safe, console).strip().removeprefix("… ").replace(" … ", " …\n… ")
        yield from lines.splitlines()
    if found.passages and not console.colour:
        yield "[-in the release-] {+in the file+}"


def _moment(statement: Statement | None) -> str:
    return f"{statement.instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if statement else ""
