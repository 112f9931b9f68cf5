"""The promise of the same bytes: whoever renders a newsroom again, on whatever day and machine, gets what is there.

Each run goes through make, as a press officer's does, in a folder of its own. Compared is all that lies below
``output/public`` and ``output/waiting``; ``output/.work`` is the machine's memory, with times and random names in it.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont
from PIL import Image, PngImagePlugin

from pipeline.model.formats import formats_of
from pipeline.typography import fonts
from tests.support.newsroom import SAMPLE, Office
from tests.support.pictures import exif
from tests.support.profiles import ADOBE
from tests.support.reading import picture
from tests.writers import cases

BASE = "https://press.example.org/room/"
"""An address is an input like the words: without one, each folder's own store has a port of its own."""
FAR = datetime(2090, 1, 1, tzinfo=UTC)
"""What is dated later waits in every run."""
DAYS = 100

# ── The newsroom ────────────────────────────────────────────────────────────────────────────────────────────────────

CASES = ("arabic", "embargoed", "everything", "german", "plain", "withdrawn")
MORE_SETTINGS = {
    'languages = ["en-GB", ': 'languages = ["en-GB", "de", ',
    "[contacts.desk]\n": '[contacts.second]\nname = "Bo Brown"\ntelephone = "+44 20 7946 0002"\n\n[contacts.desk]\n',
    "[topics]\n": '[topics]\nnews = "News"\n',
}
PICTURED = """\
---
title: Pictures as cameras and drawing programs leave them
date: 2026-03-05T09:00+00:00
dateline: Bristol
topics: [news, archive]
image: {file: turned.jpg, alt: A picture that a camera held upright, credit: A. Camera}
---
Every kind of picture there is.

![Transparent](clear.png "With a profile | Somebody")

![Plain](plain.webp)

![Moving](moving.gif "A caption")

| Tape | Minutes | Where |
|:-----|--------:|-------|
| OW-1 | 1,042.5 | Здесь |
| OW-2 |      17 | هنا |

See [the other one](everything.md), its fi and ffi, 1/2 and “İstanbul”.
"""
AWAITED = """\
---
title: "Not before its time: “At last”"
date: 2099-02-28T23:59:59-03:30
embargo: true
dateline: St John’s
image: {file: lead.jpg, alt: What nobody has seen yet}
---
Held until then.

| A | B |
|---|--:|
| x | 1 |
"""
ARABIC = """\
---
title: بيان طويل فيه جداول وصور
date: 2026-03-06T09:00+03:00
language: ar
translation_of: pictured
image: {file: lead.jpg, alt: صورة, caption: تعليق, credit: مصوّر}
corrections:
  - {date: 2026-03-07T10:00Z, note: كان الرقم 12 لا 21.}
---
فقرة أولى فيها **كلمة** و*كلمة* و`code` و[رابط](pictured.md).

| الشريط | الدقائق |
|--------|--------:|
| OW-012 | 1,042.5 |
"""
LONG = "---\ntitle: A release of many pages\ndate: 2026-03-08T09:00+00:00\n---\n" + "".join(
    f"## Part {n}\n\n{'A sentence that fills most of a line of the column. ' * 9}\n\n- one\n- two\n\n"
    for n in range(1, 16)
)


def _encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _photographs() -> Iterator[tuple[str, bytes]]:
    shot = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
    yield (
        "turned.jpg",
        _encoded(shot, "JPEG", exif=exif(6), comment=b"by me", xmp=b"<x/>", progressive=True, icc_profile=ADOBE),
    )
    text = PngImagePlugin.PngInfo()
    text.add_text("Creation Time", "2026-03-05 09:00")
    text.add(b"tIME", b"\x07\xea\x03\x05\x09\x00\x00")
    clear = shot.copy()
    clear.putalpha(Image.radial_gradient("L").resize(shot.size))
    yield "clear.png", _encoded(clear, "PNG", pnginfo=text, exif=exif(), icc_profile=ADOBE)
    yield "plain.webp", picture("WEBP", exif=exif(), lossless=True)
    yield "moving.gif", picture("GIF", comment=b"by me")


@cache
def sources() -> Mapping[str, bytes]:
    """Return the content of the newsroom by name: the sample, some cases, and what they lack."""
    found = {str(p.relative_to(SAMPLE)): p.read_bytes() for p in SAMPLE.rglob("*.*")}
    for case in (cases.FOLDER / name for name in CASES):
        found |= {str(p.relative_to(case)): p.read_bytes() for p in (*case.glob("*.md"), *case.glob("*/*.png"))}
    newsroom = found["newsroom.toml"].decode()
    for old, new in MORE_SETTINGS.items():
        assert newsroom.count(old) == 1, old
        newsroom = newsroom.replace(old, new)
    found["newsroom.toml"] = newsroom.encode()
    found |= {f"pictured/{name}": data for name, data in _photographs()}
    for slug in ("awaited", "long-arabic"):
        found[f"{slug}/lead.jpg"] = picture("JPEG", (320, 240), exif=exif(3))
    found |= {"pictured.md": PICTURED.encode(), "awaited.md": AWAITED.encode(), "long-arabic.md": ARABIC.encode()}
    drafted = LONG.replace("A release of", "A draft of", 1).replace("\n---\n", "\ndraft: true\n---\n", 1)
    found |= {"long.md": LONG.encode(), "drafted.md": drafted.encode()}
    return found


def fill(office: Office, names: Sequence[str], *, changed: datetime | None = None) -> None:
    """Write the sources ``names`` in this order, each an hour younger than the one before."""
    for hours, name in enumerate(names):
        file = office.content / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(sources()[name])
        if changed:
            moment = (changed + timedelta(hours=hours)).timestamp()
            os.utime(file, (moment, moment))


def first_day() -> datetime:
    """Return now, or the instant after which nothing that waits here becomes public any more."""
    said = re.findall(rb"^date: (\S+)", b"\n".join(sources().values()), re.MULTILINE)
    dates = (datetime.fromisoformat(date.decode()) for date in said)
    return max(datetime.now(UTC), *(date for date in dates if date < FAR))


# ── Where and when it is rendered ───────────────────────────────────────────────────────────────────────────────────

CLOCK = """\
import os, time, time_machine
time_machine.travel(time.time() + float(os.environ["SECONDS_AHEAD"]), tick=True).start()
"""
"""Python imports sitecustomize at its start, so every process that make starts goes by another clock."""


def ahead(folder: Path, moment: datetime) -> dict[str, str]:
    """Return the environment in which Python takes ``moment`` for now; files keep their true times."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK, "ascii")
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return {"PYTHONPATH": str(folder), "SECONDS_AHEAD": str(seconds)} if seconds > 0 else {}


def environment_elsewhere(folder: Path) -> str:
    """Return a virtual environment at another place, with the same packages and little kept beside them."""
    (folder / "dateline").mkdir(parents=True)
    for font in Path(sys.prefix, "dateline").glob("*.woff2"):
        if "latin" not in font.name:  # those of one script are made again: it takes seconds
            (folder / "dateline" / font.name).symlink_to(font)
    for name in ("bin", "lib", "pyvenv.cfg"):
        (folder / name).symlink_to(Path(sys.prefix, name))
    (folder / ".ready").touch()
    return str(folder)


def asked(environ: Mapping[str, str]) -> tuple[datetime, str]:
    """Ask a Python of ``environ`` what time it is, and where its packages are."""
    code = "import datetime, sys; print(datetime.datetime.now().astimezone().isoformat(), sys.prefix, sep='\\n')"
    command = [f"{environ['VENV']}/bin/python", "-c", code]
    done = subprocess.run(command, env=os.environ | environ, capture_output=True, text=True, check=True)
    moment, prefix = done.stdout.splitlines()
    return datetime.fromisoformat(moment), prefix


FONT_SETTINGS = """\
<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>{more}<dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>
"""
ODD_TASTE = """\
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<match target="pattern"><edit name="family" mode="prepend" binding="strong"><string>Office Hand</string></edit>
  <edit name="dpi" mode="assign"><double>200</double></edit></match>
<match target="font"><edit name="embolden" mode="assign"><bool>true</bool></edit>
  <edit name="autohint" mode="assign"><bool>true</bool></edit>
  <edit name="hintstyle" mode="assign"><const>hintfull</const></edit>
  <edit name="antialias" mode="assign"><bool>false</bool></edit>
  <edit name="matrix" mode="assign"><times><name>matrix</name>
    <matrix><double>1</double><double>0.2</double><double>0</double><double>1</double></matrix></times></edit></match>
"""


def font_settings(folder: Path, more: str = "") -> str:
    """Return a file of settings for fontconfig, with a cache of its own and the faces in ``folder/fonts`` alone."""
    (folder / "fonts").mkdir(parents=True)
    text = FONT_SETTINGS.format(more=more, fonts=folder / "fonts", cache=folder / "cache")
    (folder / "fonts.conf").write_text(text, "utf-8")
    return str(folder / "fonts.conf")


def install_namesakes(folder: Path) -> None:
    """Install faces named as ours are, with other letters in them."""
    mono = next(fonts.path(face) for face in fonts.FACES if face.family == "Text Mono")
    for family in [*sorted({face.family for face in fonts.FACES}), "Office Hand"]:
        with TTFont(mono) as font:
            for record in font["name"].names:
                if record.nameID in (1, 4, 6, 16):
                    record.string = family.replace(" ", "") if record.nameID == 6 else family
            font.save(folder / f"{family}.ttf")


@contextlib.contextmanager
def umask(mask: int) -> Iterator[None]:
    """Write files with ``mask``."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


# ── What was made ───────────────────────────────────────────────────────────────────────────────────────────────────


def everything(output: Path) -> dict[str, bytes]:
    """Return what was rendered, by its place below the output folder."""
    found = (file for tree in ("public", "waiting") for file in (output / tree).rglob("*") if file.is_file())
    return {str(file.relative_to(output)): file.read_bytes() for file in found}


def differences(here: Mapping[str, bytes], there: Mapping[str, bytes]) -> list[str]:
    """Return a line for each file that is not the same, with the first place where it is not."""
    lines = [f"{key}: only in the {'first' if key in here else 'second'}" for key in sorted(here.keys() ^ there.keys())]
    for key in sorted(here.keys() & there.keys()):
        if here[key] != there[key]:
            unpack = {".pdf": _inflated, ".docx": cases.unzipped, ".zip": cases.unzipped}.get(Path(key).suffix, bytes)
            lines.append(f"{key}: {_first_place(unpack(here[key]), unpack(there[key])) or 'packed otherwise'}")
    return lines


def _inflated(data: bytes) -> bytes:
    """Return a PDF with its streams unpacked where they stand."""

    def inflate(found: re.Match[bytes]) -> bytes:
        with contextlib.suppress(zlib.error):
            return zlib.decompressobj().decompress(found[0].removeprefix(b"stream\n"))
        return found[0]

    return re.sub(rb"(?<!end)stream\n.*?endstream", inflate, data, flags=re.DOTALL)


def _first_place(one: bytes, other: bytes) -> str:
    if one == other:
        return ""
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    around = slice(max(0, at - 40), at + 40)
    return f"from byte {at} on\n    {one[around]!r}\n    {other[around]!r}"


def compare(here: Mapping[str, bytes], output: Path) -> None:
    found = differences(here, everything(output))
    assert not found, "\n".join(found)


def render(office: Office, *arguments: str, **environ: str) -> str:
    """Render and return what was said on standard error."""
    result = office.make("render", *arguments, PRESS_BASE_URL=BASE, **environ)
    assert result.status == 0, result.text
    return result.err


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What comes out where the tests run, with nothing special about it."""
    folder = tmp_path_factory.mktemp("same")
    office = Office(folder / "office")
    fill(office, sorted(sources()))
    render(office, PYTHONHASHSEED="1", **ahead(folder / "clock", first_day()))
    return everything(office.folder / "output")


# ── The promise ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_newsroom_holds_every_rendition_public_and_waiting(here: dict[str, bytes]) -> None:
    """Else the comparisons below would compare little."""
    waiting = {"awaited", "drafted"}
    for slug in {name.removesuffix(".md") for name in sources() if name.endswith(".md")}:
        for row in formats_of(
            withdrawn=slug == "withdrawn",
            pictured=any(name.startswith(f"{slug}/") for name in sources()),
            shots=False,
        ):
            assert here[f"{'waiting' if slug in waiting else 'public'}/{row.key(slug)}"], slug
    listings = ("feed.xml", "index.html", "media-contact.html", "media-contact.txt", "media-contact.vcf")
    assert {f"public/{name}" for name in listings} <= here.keys()
    assert sum(key.startswith("public/assets/") and key.endswith(".woff2") for key in here) > len(fonts.FACES)
    assert {f"public/releases/pictured/{name}" for name, _ in _photographs()} <= here.keys()


def test_other_day_place_zone_language_and_user_make_the_same(here: dict[str, bytes], tmp_path: Path) -> None:
    office = Office(tmp_path / "Büro & Söhne" / "2027" / "a deeper one")
    office.content = office.content.rename(office.folder / "what-we-say")
    (office.content / "newsroom.toml").unlink()
    fill(office, sorted(sources(), reverse=True), changed=datetime(1999, 12, 31, tzinfo=UTC))
    (tmp_path / "home" / "tmp").mkdir(parents=True)
    home = str(tmp_path / "home")
    environ = {
        **ahead(tmp_path / "clock", first_day() + timedelta(days=DAYS)),
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "tr_TR.UTF-8",  # where it is not installed this is the C locale, but for those who only look
        "LANG": "",
        "LANGUAGE": "tr",
        "PANGO_LANGUAGE": "tr:ja",
        "FC_LANG": "ja",
        "HOME": home,
        "USER": "somebody-else",
        "LOGNAME": "somebody-else",
        "XDG_CACHE_HOME": f"{home}/cache",
        "XDG_CONFIG_HOME": f"{home}/config",
        "TMPDIR": f"{home}/tmp",
        "PYTHONHASHSEED": "4711",
        "SOURCE_DATE_EPOCH": "86400",
        "FONTCONFIG_FILE": font_settings(tmp_path / "no-fonts"),
        "VENV": environment_elsewhere(tmp_path / "elsewhere" / "venv"),
    }
    moment, prefix = asked(environ)
    assert moment.utcoffset() == timedelta(hours=14)
    assert moment - datetime.now(UTC) > timedelta(days=DAYS - 1)
    assert prefix == environ["VENV"]
    with umask(0o077):
        said = render(office, "-j2", "CONTENT=what-we-say", "OUTPUT=made/here", **environ)
    assert said == "", "no library complains of the machine"
    compare(here, office.folder / "made" / "here")


def test_fonts_of_the_machine_and_their_settings_change_nothing(here: dict[str, bytes], tmp_path: Path) -> None:
    """A machine full of fonts, some named as ours are, and of settings that suit somebody's screen."""
    settings = font_settings(tmp_path / "machine", ODD_TASTE)
    install_namesakes(tmp_path / "machine" / "fonts")
    office = Office(tmp_path / "office")
    fill(office, sorted(sources()))
    render(office, FONTCONFIG_FILE=settings, **ahead(tmp_path / "clock", first_day()))
    compare(here, office.folder / "output")


def test_what_was_made_piece_by_piece_is_the_same(here: dict[str, bytes], tmp_path: Path) -> None:
    """Releases come one after another and are corrected; nothing tells what there was before."""
    office = Office(tmp_path / "office")
    late = ("pictured", "plain", "south-korea-first-year-ar", "withdrawn")
    clock = ahead(tmp_path / "clock", first_day())
    fill(office, [name for name in sorted(sources(), reverse=True) if not name.startswith(late)])
    shutil.copy(office.content / "german.md", office.content / "plain.md")
    (office.content / "long-arabic.md").write_bytes(sources()["arabic.md"])
    (office.content / "everything.md").write_bytes(sources()["everything.md"].replace(b"[news]", b"[archive]"))
    render(office, **clock)
    time.sleep(0.01)
    fill(office, sorted(sources()))
    render(office, "-j2", **clock)
    compare(here, office.folder / "output")
