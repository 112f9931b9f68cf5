"""Fingerprints: digests of everything that a rendition is rendered from.

A rendition whose fingerprint is unchanged need not be rendered again, on whatever machine it was rendered: the
fingerprint covers the source, the pictures, the settings that reach it, the code and the templates that render it, and
the versions of the libraries (by the lock files). File times are no part of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from pipeline.build.state import BuildState
from pipeline.model.document import Code, FootnoteReference, Inline, LineBreak, Link, Text, inlines_of, walk
from pipeline.model.footage import CAPTIONS, SUFFIXES, Film, Footage
from pipeline.model.formats import FORMATS, Format, Rendition
from pipeline.model.manifest import Manifest
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Related, Release
from pipeline.model.render_context import RenderContext
from pipeline.model.revision import RevisionRecord

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-scripts.lock")
LARGE = 64 * 1024 * 1024
"""Bytes from which on a file beside a source counts by its size only; no picture may be as large."""
_DIGESTS = Path(__file__).parent / "__pycache__" / ".digests"
"""Beside the byte code, for the same reason; its name begins with a dot, so that make does not look at it."""
READER = "pipeline.reader"
ASSETS = "pipeline.site.assets"
"""What release pages link to besides other releases: style sheet and fonts, whose names carry their digests."""
_IMPORT = re.compile(r"^\s*(?:from (pipeline[\w.]*) import (\([^)]*\)|[^\n(]+)|import (pipeline[\w.]+))", re.MULTILINE)


def of_source(state: BuildState, slug: str) -> str:
    """Return the digest of a release's source, of the pictures beside it, and of the films that it names.

    A source counts as it is read: one that was only saved again with other line ends, or with accents in the decomposed
    form, is the same. A file that cannot be read counts as empty; the reader reports what is wrong with it.
    """
    return of_files(state.inputs(slug), state.films)


def of_files(files: Iterable[str | Path], films: MutableMapping[str, Film]) -> str:
    """Return the same for a source and the files beside it, in the order of ``BuildState.inputs``.

    ``films`` keeps the digests of films, so that they are not read in every run.
    """
    from pipeline.reader.source import as_read  # which only the reading stage needs

    source, *beside = files
    text = as_read(_content(source))
    parts = [os.fsencode(os.path.basename(source)), text]  # noqa: PTH119  a path of every source costs much
    for file in map(Path, beside):
        name = os.fsencode(file.name)
        if not file.name.lower().endswith(SUFFIXES):
            parts += [name, _content(file)]
        elif name in text:
            is_text = file.name.lower().endswith(CAPTIONS)
            parts += [name, as_read(_content(file)) if is_text else _of_film(file, films)]
    return _digest(parts)


def _of_film(file: Path, films: MutableMapping[str, Film]) -> bytes:
    from pipeline.reader.measuring import digest_of

    try:
        return digest_of(file, f"{file.parent.name}/{file.name}", films).encode()
    except OSError:
        return b""


def _content(file: str | Path) -> bytes:
    try:
        found = os.stat(file)  # noqa: PTH116
        if not stat.S_ISREG(found.st_mode) or found.st_size > LARGE:
            return str(found.st_size).encode()
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123
            return opened.read()
    except OSError:
        return b""


def of_newsroom(newsroom: Newsroom, mark: bytes, row: Format | None = None) -> str:
    """Return the digest of the settings that reach the renditions of a format, or all: not lengths and warnings.

    What is measured of a film is left out: on a machine where nothing measures, all renditions would be others.
    """
    address = newsroom.base_url if row is None or row.lasting_address else ""
    unsigned = {"signatures_required": False, "approvals": 0}
    footage = {name: _unmeasured(notice) for name, notice in newsroom.footage.items()}
    reaching = msgspec.structs.replace(
        newsroom, base_url=address, feed_items=0, warnings_off=(), footage=footage, **unsigned
    )
    return _digest([msgspec.json.encode(reaching, order="deterministic"), mark])


def _unmeasured(notice: Footage) -> Footage:
    files = tuple(msgspec.structs.replace(file, measured=None) for file in notice.files)
    return msgspec.structs.replace(notice, files=files)


def of_reading(newsroom: Newsroom) -> str:
    """Return the digest of what decides how a source is read: the reader's code, what measures, and the newsroom."""
    from pipeline.reader.measuring import measures_with

    return _digest([of_code(READER), measures_with().encode(), msgspec.json.encode(newsroom, order="deterministic")])


def of_rendition(
    row: Format,
    source: str,
    newsroom: str,
    base_url: str,
    links_home: bool,
    embargoed: bool,
    rendered: Iterable[Rendition] = (),
    related: Iterable[Related] = (),
    past: tuple[RevisionRecord, ...] = (),
    footage: tuple[tuple[str, str], ...] = (),
) -> str:
    """Return the fingerprint of one rendition; ``source`` and ``newsroom`` are digests of the functions above.

    ``footage`` are names of footage files with why they are missing, or with their digests where the source does not
    decide them.
    """
    address = base_url if row.address or links_home else ""
    stated = msgspec.json.encode([tuple(rendered), (*related, *past) if row.names_others else ()])
    return _digest([row.name.encode(), of_format(row), source.encode(), newsroom.encode(), address.encode(),
                    b"embargoed" if embargoed else b"", stated,
                    *([msgspec.json.encode(footage)] if footage else ())])  # fmt: skip


def of_release(
    source: str, newsroom: str, base_url: str, related: Iterable[Related], past: tuple[RevisionRecord, ...] = ()
) -> str:
    """Return the fingerprint of all renditions of a release together, as the manifest's row states it."""
    stated = msgspec.json.encode((*related, *past))
    return _digest([of_formats(), source.encode(), newsroom.encode(), base_url.encode(), stated])


def of_listings(context: RenderContext, manifest: Manifest) -> str:
    """Return the fingerprint of all feeds and pages that show more than one release."""
    parts = (manifest, context.newsroom, context.base_url, context.assets, context.signers)
    shown = msgspec.json.encode(parts, order="deterministic")
    return _digest([of_code("pipeline.site.listings"), context.mark, shown])


def of_format(row: Format) -> bytes:
    """Return the digest of the code, templates and library versions that render a format."""
    return of_code(f"pipeline.writers.{row.writer}", READER, *([ASSETS] if row.group == "pages" else []))


@cache
def of_formats() -> bytes:
    """Return the digest of the code, templates and library versions that render all formats."""
    return b"".join(of_format(row) for row in FORMATS)


@cache
def of_code(*modules: str) -> bytes:
    """Return the digest of modules and all that they use: what they import, directly or not, templates, lock files.

    It is kept in a file between two runs, because each stage is a process of its own, and asks for several.
    """
    now, name = _code_now(), " ".join(modules)
    known = _kept_digests()
    if known.code != now or name not in known.digests:
        digests = known.digests if known.code == now else {}
        known = _Digests(now, {**digests, name: _of_code(modules)})
        _keep_digests(known)
    return known.digests[name].encode()


class _Digests(Struct, frozen=True):
    """Digests of code by modules, and which code this was."""

    code: str
    digests: Mapping[str, str]


def _kept_digests() -> _Digests:
    try:
        return msgspec.json.decode(_DIGESTS.read_bytes(), type=_Digests)
    except (OSError, msgspec.MsgspecError):
        return _Digests("", {})


def _keep_digests(known: _Digests) -> None:
    """Write the file of digests as Python writes byte code: aside, where it may, and not if it must not."""
    if sys.dont_write_bytecode:
        return
    aside = _DIGESTS.with_name(f"{_DIGESTS.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        aside.write_bytes(msgspec.json.encode(known))
        aside.replace(_DIGESTS)


@cache
def _code_now() -> str:
    """Return a digest of names, sizes and times of all code, templates and lock files: Python goes by the same."""
    found = [entry for folder in ("pipeline", "templates") for entry in _entries(str(ROOT / folder))]
    paths = [(entry.path, entry.stat()) for entry in found]
    paths += [(lock, (ROOT / lock).stat()) for lock in LOCKS]
    facts = sorted((path, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino) for path, of in paths)
    return _digest([repr(facts).encode()])


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    """Yield the files in a folder and below it, byte code left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.is_dir():
                yield entry
            elif entry.name != "__pycache__":
                yield from _entries(entry.path)


def _of_code(modules: Iterable[str]) -> str:
    files = [*code_and_templates(*modules), *(ROOT / lock for lock in LOCKS)]
    return _digest(part for file in files for part in (file.name.encode(), _bytes(file)))


def code_and_templates(*modules: str) -> list[Path]:
    """Return the files of ``modules``, of what these import from the pipeline, and of the templates that they name.

    A template is named by its file name in quotation marks, in a module or in another template. The files of the
    template's own words are always among them, because their names are languages.
    """
    files: set[Path] = set()
    left = list(modules)
    while left:
        file = _file(left.pop())
        if file and file not in files:
            files.add(file)
            left += _imported(file)
    templates = {file.name.encode(): file for file in (ROOT / "templates").iterdir() if file.is_file()}
    while named := templates.keys() & set().union(*map(_quoted, files)):
        files |= {templates.pop(name) for name in named}
    return sorted([*files, *(ROOT / "templates" / "words").glob("*.toml")])


@cache
def _bytes(file: Path) -> bytes:
    return file.read_bytes()


@cache
def _quoted(file: Path) -> frozenset[bytes]:
    """Return all words in quotation marks that may be file names."""
    return frozenset(re.findall(rb'"([\w.-]+)"', _bytes(file)))


@cache
def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@cache
def _imported(file: Path) -> tuple[str, ...]:
    """Return the modules that a file may import; ``from a import b`` may mean the module ``a.b``."""
    modules: list[str] = []
    for package, names, module in _IMPORT.findall(_bytes(file).decode()):
        modules += [module or package, *(f"{package}.{name}" for name in re.findall(r"\w+", names) if package)]
    return tuple(modules)


def links_home(release: Release) -> bool:
    """Whether the text links within the newsroom, so that formats other than the page state its address."""
    return (
        any(_relative(inlines) for block in walk((*release.body, *release.notes)) for inlines in inlines_of(block))
        or bool(release.withdrawn and release.withdrawn.replaced_by)
        or bool(release.footage_files)
    )


def _relative(inlines: Iterable[Inline]) -> bool:
    for inline in inlines:
        if isinstance(inline, (Text, Code, LineBreak, FootnoteReference)):
            continue
        if isinstance(inline, Link) and ":" not in inline.href.split("/")[0]:
            return True
        if _relative(inline.children):
            return True
    return False


def _digest(parts: Iterable[bytes]) -> str:
    """Digest parts with their lengths, so that no two lists of parts run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
