"""Reads sources: a release's file → ``Release``, newsroom.toml → ``Newsroom``.

In: files of ``content/``. Out: types of ``pipeline.model``, or a ``ReleaseError`` with every fault of the file and its
line. A release is read once, into one sanitised document tree for all formats, so a release that one format cannot
render is refused for all of them with one message. ``markdown`` is a package of its own, and ``references``
checks what releases say of each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from pipeline.model.errors import Fault
from pipeline.model.footage import Film, Measured
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Release
from pipeline.model.statement import Signers

__all__ = [
    "ReadRelease",
    "line_of",
    "measure",
    "newsroom_texts",
    "read_newsroom",
    "read_release",
]

# The functions import what they need when called: the parsers and Pillow cost more than a run with nothing to do.


class ReadRelease(Struct, frozen=True):
    """A release that was read without fault."""

    release: Release
    pictures: Mapping[str, bytes]
    """By name, with their smaller copies: upright, without metadata. Posters and captions of footage too."""
    warnings: tuple[Fault, ...] = ()
    """What looks like a mistake, by line; the release is not refused for it."""


def read_newsroom(
    folder: Path, films: MutableMapping[str, Film] | None = None, now: datetime | None = None
) -> Newsroom:
    """Return the newsroom of ``folder``. Raises ``ReleaseError`` with all faults of its newsroom.toml.

    ``films`` is as for ``read_release``. With ``now``, files of footage that has expired may be missing.
    """
    from pipeline.reader.newsroom import read_newsroom_file

    return read_newsroom_file(folder, {} if films is None else films, now)


def read_signers(folder: Path) -> Signers:
    """Return who may sign, by ``content/signers``. Raises ``ReleaseError`` with all faults of the file."""
    from pipeline.reader import signers

    return signers.read_signers(folder)


def newsroom_texts(file: Path) -> Iterator[tuple[str, int, str]]:
    """Yield key, line and text of every value in newsroom.toml. Never raises."""
    from pipeline.reader.newsroom import texts_of

    return texts_of(file)


def read_release(
    file: Path, newsroom: Newsroom, now: datetime | None = None, films: MutableMapping[str, Film] | None = None
) -> ReadRelease:
    """Return the release in ``file``. Raises ``ReleaseError`` with all faults of the file.

    With ``now``, a correction or withdrawal in the future is a fault. ``films`` is what is known of the films of
    footage notices, by ``FootageFile.source``; what is found out of local ones is added to it.
    """
    from pipeline.reader.release import read_release_file

    return read_release_file(file, newsroom, now, {} if films is None else films)


def line_of(source: Path, *keys: str) -> int:
    """Return the line of the first of ``keys`` that the front matter of ``source`` has, 0 when it has none.

    ``withdrawn.reason`` is the key ``reason`` below the key ``withdrawn``. Never raises.
    """
    from pipeline.reader import frontmatter

    return frontmatter.line_of(source, *keys)


def measure(where: Path | str) -> Measured | None:
    """Return what is measured of a film: a local file, or one at an http(s) address; None when nothing here measures.

    Raises ``FileError`` of ``pipeline.reader.files``, with message and hint, for one that is damaged or none that is
    accepted, and ``OSError`` for one that cannot be read.
    """
    from pipeline.reader import measuring

    return measuring.measure(where)
