"""Fingerprints: digests of all that a rendition is made from.

A rendition whose fingerprint did not change need not be made again, on whatever machine it was made: in it are the
source, the pictures, the newsroom's settings as far as they reach it, the templates and modules that make it, and the
versions of the libraries (by the lock file).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import msgspec

from pipeline.build.state import BuildState
from pipeline.model.document import Code, Inline, LineBreak, Link, Text, inlines_of, walk
from pipeline.model.formats import FORMATS, Format, Rendition
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Related, Release
from pipeline.model.revision import RevisionRecord

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-scripts.lock")
LARGE = 64 * 1024 * 1024
"""Bytes from which on a file is told by its size."""


def of_source(state: BuildState, slug: str) -> str:
    """Return the digest of a release's source and of the files beside it.

    What cannot be read counts as empty; the reader says what is wrong with it.
    """
    parts: list[bytes] = []
    for file in state.inputs(slug):
        parts += [os.fsencode(file.name), _content(file)]
    return _digest(parts)


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if not file.is_file() or size > LARGE:  # a film that lies here by mistake; no picture may be as large
            return str(size).encode()
        return file.read_bytes()
    except OSError:
        return b""


def of_newsroom(newsroom: Newsroom, mark: bytes) -> str:
    """Return the digest of the settings that reach every rendition; address and feeds reach none of them."""
    reaching = msgspec.structs.replace(newsroom, base_url="", feed_items=0)
    return _digest([msgspec.json.encode(reaching, order="deterministic"), mark])


def of_rendition(
    row: Format,
    source: str,
    newsroom: str,
    base_url: str,
    release: Release,
    embargoed: bool,
    made: Iterable[Rendition] = (),
    related: Iterable[Related] = (),
    past: tuple[RevisionRecord, ...] = (),
) -> str:
    """Return the fingerprint of one rendition; ``source`` and ``newsroom`` are digests of the functions above."""
    address = base_url if row.address or leads_home(release) else ""
    stated = msgspec.json.encode([tuple(made), (*related, *past) if row.names_others else ()])
    return _digest([row.name.encode(), parts(row), source.encode(), newsroom.encode(), address.encode(),
                    b"embargoed" if embargoed else b"", stated])  # fmt: skip


def of_release(
    source: str, newsroom: str, base_url: str, related: Iterable[Related], past: tuple[RevisionRecord, ...] = ()
) -> str:
    """Return the fingerprint of all renditions of a release together, as the manifest's row states it."""
    every = b"".join(parts(row) for row in FORMATS)
    stated = msgspec.json.encode((*related, *past))
    return _digest([every, source.encode(), newsroom.encode(), base_url.encode(), stated])


@cache
def parts(row: Format) -> bytes:
    """Return the digest of the modules, templates and library versions that make a format."""
    files = sorted({file for pattern in (*row.parts, *LOCKS) for file in ROOT.glob(pattern) if file.is_file()})
    return _digest(part for file in files for part in (file.name.encode(), file.read_bytes())).encode()


def leads_home(release: Release) -> bool:
    """Whether the text links within the newsroom, so that formats away from the page need its address."""
    return any(
        _relative(inlines) for block in walk((*release.body, *release.notes)) for inlines in inlines_of(block)
    ) or bool(release.withdrawn and release.withdrawn.replaced_by)


def _relative(inlines: Iterable[Inline]) -> bool:
    for inline in inlines:
        if isinstance(inline, (Text, Code, LineBreak)):
            continue
        if isinstance(inline, Link) and ":" not in inline.href.split("/")[0]:
            return True
        if _relative(inline.children):
            return True
    return False


def _digest(parts: Iterable[bytes]) -> str:
    """Digest parts with their lengths, so that no two lists of parts run together."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.hexdigest()
