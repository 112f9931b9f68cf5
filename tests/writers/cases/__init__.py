"""Cases as folders: ``NAME/NAME.md`` with its pictures, and ``NAME/golden/`` with the expected result in each format.

``ACCEPT=1 make test`` writes the current results into ``golden/``; review the diff.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import os
import pickle
import re
import zlib
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from zipfile import ZipFile

import msgspec
import pytest

from pipeline.model.formats import FORMATS, Rendition, formats_of
from pipeline.model.manifest import Row
from pipeline.reader import read_newsroom, read_release
from pipeline.typography import fonts
from pipeline.typography.article import Article, compose
from pipeline.typography.fonts import packages
from pipeline.typography.messages import Messages
from pipeline.writers import Output, RenderInput

FOLDER = Path(__file__).parent
BASE = "https://press.example.org/"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
"""A release with a later date is scheduled, and marked if it has an embargo."""


shared = Path()
"""Folder in which the workers of a test run keep what one of them has written for all."""


def _read_only(mapping: dict[str, bytes]) -> MappingProxyType[str, bytes]:
    return MappingProxyType(mapping)


copyreg.pickle(MappingProxyType, lambda mapping: (_read_only, (dict(mapping),)))


@cache
def written(source: Path) -> tuple[RenderInput, dict[str, bytes]]:
    """Read a release with the newsroom beside it, and write it in every format, in the order of the table."""
    if shared == Path():
        return _write(source)
    kept = shared / f"{source.parent.name}-{source.stem}.pickle"
    if not kept.is_file():
        aside = kept.with_suffix(f".{os.getpid()}")
        aside.write_bytes(pickle.dumps(_write(source)))
        aside.replace(kept)
    found: tuple[RenderInput, dict[str, bytes]] = pickle.loads(kept.read_bytes())
    return found


def _write(source: Path) -> tuple[RenderInput, dict[str, bytes]]:
    newsroom_folder = source.parent if (source.parent / "newsroom.toml").is_file() else FOLDER
    newsroom = read_newsroom(newsroom_folder)
    reading = read_release(source, newsroom)
    release = reading.release
    messages = Messages(release.language, newsroom.time_zone)
    embargoed = release.embargo and not release.is_public(NOW)
    mark = (newsroom_folder / newsroom.mark).read_bytes() if newsroom.mark else b""
    article = compose(release, newsroom, messages, embargoed=embargoed, base_url=BASE)
    _want_faces(article)
    shown = tuple(Rendition("picture", f"releases/{release.slug}/{p.file}", p.size, p.sha256) for p in release.pictures)
    shown += tuple(
        Rendition("footage", f"releases/{release.slug}/{f.file}", f.size, f.sha256) for f in release.footage_files
    )
    done: dict[str, Rendition] = {}
    made: dict[str, bytes] = {}
    kinds = {"pictured": bool(release.pictures), "shots": release.has_shots}
    public = {row.name for row in formats_of(withdrawn=release.withdrawn is not None, **kinds)}
    packable = {row.name for row in formats_of(withdrawn=False, **kinds)}
    for row in FORMATS:  # a withdrawn one's files are never public; what writers make of it is looked at all the same
        names = [name for name in row.after if name in (packable if row.packs else public)]
        stated = tuple(done[name] for name in names) + (shown if row.after else ())
        packed = {each.key: made[each.format] for each in stated if each.format in row.after} if row.packs else {}
        render_input = RenderInput(release, newsroom, messages, article, reading.pictures, mark, BASE, stated, packed)
        result: Output = import_module(f"pipeline.writers.{row.writer}").write(render_input)
        sha256 = hashlib.sha256(result.data).hexdigest()
        done[row.name] = Rendition(row.name, row.key(release.slug), len(result.data), sha256, result.pages)
        made[row.name] = result.data
    return render_input, made


def _want_faces(article: Article) -> None:
    """Skip the test if the fonts of a script are missing and cannot be installed."""
    lacking = fonts.coverage(msgspec.json.encode(article).decode(), article.language).lacking
    if lacking:
        pytest.skip(f"no faces for {article.slug} here: {packages.install_command(lacking[0][1])}")


def row(render_input: RenderInput, made: dict[str, bytes]) -> Row:
    """Return the manifest's row of a release that was written."""
    release = render_input.release
    return Row(
        slug=release.slug,
        title=release.title,
        summary=release.summary,
        date=release.date,
        language=release.language,
        record=hashlib.sha256(made["json"]).hexdigest(),
        fingerprint="",
        source="",
        modified=release.modified,
        sizes={name: len(data) for name, data in made.items()},
        topics=release.topics,
        revision=release.revision,
        withdrawn=release.withdrawn is not None,
    )


def inflated(data: bytes) -> bytes:
    """Return a PDF with its streams unpacked."""
    found = [data]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            # Unlike ``zlib.decompress``, it accepts a last byte that the pattern took for a line end.
            found.append(zlib.decompressobj().decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(found)


def unzipped(data: bytes) -> bytes:
    """Return all parts of an Office file, one after the other."""
    with ZipFile(io.BytesIO(data)) as package:
        return b"\n".join(package.read(name) for name in package.namelist())
