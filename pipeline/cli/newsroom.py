"""``make newsroom``: the sample newsroom becomes one's own."""

from __future__ import annotations

import json
import re
import shutil
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.build.context import CommandContext
from pipeline.build.samples import ORGANISATIONS
from pipeline.build.state import write_file
from pipeline.cli.console import Console
from pipeline.model.errors import Fault, ReleaseError, SettingError
from pipeline.model.newsroom import FILE, Newsroom
from pipeline.reader import read_newsroom
from pipeline.typography.messages import FALLBACK, Messages

NAME = "DATELINE_NAME"
"""How make passes NAME=."""
MAKE_IT_YOURS = 'make newsroom NAME="Your organisation"'
SAMPLE_NAME = ORGANISATIONS[0]
SAMPLE_RELEASES = ("archive-opens-tape-catalogue", "south-korea-first-year", "south-korea-first-year-ar")
SAMPLES = Path("docs") / "samples"
"""Where the sample is kept, in the folder of the project."""
_SAMPLE_MAIL = "@example.org"
_LETTER = frozenset(["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE"])
"""Territories that use paper of the size Letter (CLDR)."""
_TO_FILL_IN = re.compile(r"#\s*(\w+)\s*=.*#\s*to fill in\s*$")
_TABLE = re.compile(r"\[([\w.-]+)\]")

TEMPLATE = """\
# The newsroom: who issues the releases, whom journalists may call, and where footage is to be had.
# A line that begins with # is not read. Put your own text between its quotation marks and delete the first #.
# No secrets here: keys for storage come from the environment. {samples} is a complete example.

[organisation]
name = {name}
language = "{language}"  # of releases that name none
languages = ["{language}"]  # of all releases
time_zone = "{time_zone}"  # dates are printed in this zone, for example "Europe/London"
paper = "{paper}"  # or "{other_paper}"
# boilerplate = "Two or three sentences about your organisation."  # to fill in
# website = "https://www.example.org/"
# mark = "logo.png"  # your logo, a PNG beside this file
# accent = "#8a1c1c"  # a dark colour, for the page and on paper
# reuse = "Free to quote and reprint with credit."

[contacts.desk]
name = {contact}
# telephone = "+44 20 7946 0000"  # to fill in
# email = "press@example.org"  # to fill in
# out_of_hours = "+44 7700 900000"
# role = "Head of press"

# [footage.archive]
# notice = "What was filmed, where and when."
# supplier = "Who sends copies"
# url = "https://www.example.org/footage"

[topics]
# community = "Community"

[defaults]
contacts = ["desk"]
# footage = ["archive"]

[feeds]
# tag_authority = "example.org,2026"  # your domain and this year, before you first publish; never change it
"""


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Write newsroom.toml for the organisation in NAME=, and move the sample to docs/samples/."""
    name = " ".join(context.environ.get(NAME, "").split())
    if not name:
        raise SettingError("NAME is not set", MAKE_IT_YOURS)
    if name == SAMPLE_NAME:
        raise SettingError(f"{SAMPLE_NAME} is the sample's name", MAKE_IT_YOURS)
    file = context.state.newsroom_file
    _refuse_if_own(context, file)
    text = _text(name, context.environ)
    newsroom = _checked(text)
    moved = move_sample(context.state.content, context.root / SAMPLES, text)
    console.line(f"{file} written for {newsroom.name}")
    taken = f"language {newsroom.language}, time zone {newsroom.time_zone}, paper {newsroom.paper}"
    console.line(f"taken from this computer, change it there if it is wrong: {taken}")
    if moved:
        console.line(f"moved to {SAMPLES}/: {', '.join(moved)}")
    if (context.root / ".store").is_dir():
        console.line("what you published to try it out stays in the embedded store;")
        console.line("to start with an empty one: make stop; rm -r .store output")
    console.line(f'now fill in {file} (make check lists what is missing), then make new TITLE="…"')


def is_sample(newsroom: Newsroom) -> bool:
    """Whether this is the newsroom that comes with Dateline: it has its name, and no contacts of its own."""
    return newsroom.name == SAMPLE_NAME and all(contact.email.endswith(_SAMPLE_MAIL) for contact in newsroom.contacts)


def unfilled(file: Path) -> Iterator[Fault]:
    """Yield a fault for each line of newsroom.toml that ``make newsroom`` left to fill in."""
    table = ""
    for number, line in enumerate(file.read_text("utf-8", "replace").splitlines(), 1):
        if header := _TABLE.match(line):
            table = f"{header[1]}."
        elif found := _TO_FILL_IN.match(line):
            hint = "write your own between the quotation marks and delete the # at the start, or delete the line"
            yield Fault(str(file), number, f"{table}{found[1]} is still to be filled in", hint, "to-fill-in")


def move_sample(content: Path, samples: Path, text: str) -> list[str]:
    """Move the sample from ``content`` to ``samples`` and write ``text`` as newsroom.toml; return what was moved.

    If a step fails, what was moved before is moved back. newsroom.toml is replaced last, so that after a kill the same
    command does the rest. Raises SettingError, also when ``samples`` has a file of the same name.
    """
    file = content / FILE
    before = file.read_bytes() if file.is_file() else b""
    sources = [content / name for slug in SAMPLE_RELEASES for name in (f"{slug}.md", slug)]
    if before and (mark := read_newsroom(content).mark):
        sources.append(content / mark)
    sources = [source for source in sources if source.exists()]
    kept = samples / FILE
    taken = [samples / source.name for source in sources if (samples / source.name).exists()]
    if before and kept.exists() and kept.read_bytes() != before:
        taken.append(kept)
    if taken:
        raise SettingError(f"{taken[0]} exists already; nothing was changed", "move it somewhere else, or delete it")
    done: list[tuple[Path, Path]] = []
    try:
        samples.mkdir(parents=True, exist_ok=True)
        for source in sources:
            shutil.move(source, samples / source.name)
            done.append((source, samples / source.name))
        if before:
            write_file(kept, before)
        write_file(file, text.encode())
    except BaseException as error:
        for source, target in reversed(done):
            shutil.move(target, source)
        if isinstance(error, OSError):
            what = f"{error.filename or samples}: cannot be moved to {SAMPLES}/: {error.strerror}; nothing was changed"
            raise SettingError(what, "are these folders yours?") from error
        raise
    return [*([FILE] if before else []), *(source.name for source in sources)]


def _refuse_if_own(context: CommandContext, file: Path) -> None:
    """Raise SettingError when the newsroom is somebody's own: it has a newsroom.toml, and that is not the sample's."""
    if not file.parent.is_dir():
        raise SettingError(f"there is no folder {file.parent}", "is CONTENT= the folder of your releases?")
    if file.exists() and not is_sample(context.newsroom):
        lines = file.read_text("utf-8").splitlines()
        line = next((number for number, text in enumerate(lines, 1) if re.match(r"\s*name\s*=", text)), 1)
        what = f"{file} is not the sample's any more; nothing was changed"
        raise SettingError(what, f"to change the name of your organisation, edit {file}:{line}")


def _checked(text: str) -> Newsroom:
    """Return the newsroom that ``text`` describes. Raises SettingError when the name is not acceptable."""
    with TemporaryDirectory() as folder:
        (Path(folder) / FILE).write_text(text, "utf-8", "backslashreplace")
        try:
            return read_newsroom(Path(folder))
        except ReleaseError as error:
            fault = error.faults[0]
            raise SettingError(f"NAME: {fault.message.removeprefix('organisation.name: ')}", fault.hint) from None


# ── What this computer knows ────────────────────────────────────────────────────────────────────────────────────────


def _text(name: str, environ: Mapping[str, str]) -> str:
    """Return newsroom.toml for the organisation ``name``."""
    language, zone = _language(environ), _time_zone()
    papers: Sequence[str] = ("Letter", "A4") if language.rpartition("-")[2] in _LETTER else ("A4", "Letter")
    return TEMPLATE.format(
        name=json.dumps(name, ensure_ascii=False),  # a JSON string is a TOML string
        language=language,
        time_zone=zone,
        paper=papers[0],
        other_paper=papers[1],
        contact=json.dumps(Messages(language, zone)["media_contact"], ensure_ascii=False),
        samples=SAMPLES / FILE,
    )


def _language(environ: Mapping[str, str]) -> str:
    """Return the language of this computer as a BCP 47 tag; English where it has none."""
    from babel import Locale, UnknownLocaleError

    # Not babel.default_locale: Python itself sets LC_CTYPE to C where the system lacks the locale of LANG.
    value = next(filter(None, map(environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    name = re.sub(r"[.@].*", "", value)
    try:
        known = bool(name) and Locale.parse(name).language == name.partition("_")[0]
    except (UnknownLocaleError, ValueError):
        known = False
    return name.replace("_", "-") if known else FALLBACK


def _time_zone() -> str:
    """Return the IANA name of this computer's time zone; UTC where it has none."""
    from zoneinfo import available_timezones

    from babel.dates import LOCALTZ

    name = str(getattr(LOCALTZ, "key", "") or "")
    return name if name in available_timezones() and not name.startswith("Etc/") else "UTC"
