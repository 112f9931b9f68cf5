"""Revisions of a release: what became of the earlier ones, and the words by which they are told apart.

A release rises by one revision with each entry in its ``corrections``, with its withdrawal, and, after one, by being
set back. What was changed without a word of correction keeps the revision and is noted as minor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from pipeline.model.document import Block, CodeBlock, Figure, List, Quote, inlines_of, plain
from pipeline.model.formats import Rendition
from pipeline.model.release import Release


class RevisionRecord(Struct, frozen=True, omit_defaults=True):
    """What a release was until something else took its place."""

    revision: int
    modified: datetime
    """Its date as first released, or that of the correction or withdrawal that made it."""
    record: str
    """SHA-256 of its record."""
    note: str = ""
    """The correction or the reason that made it; empty as first released."""
    withdrawn: bool = False
    minor: str = ""
    """The day on which words of it were changed without a correction; empty when the next revision took its place."""
    files: tuple[Rendition, ...] = ()
    """Where its files are kept; none after a minor change, and none of what was withdrawn."""


def number(release: Release, past: Iterable[RevisionRecord]) -> int:
    """Return the revision of ``release``; one that was withdrawn once and is set back does not fall."""
    return release.revision + sum(state.withdrawn and not state.minor for state in past)


def folder(slug: str, revision: int) -> str:
    """Return where the files of an earlier revision are kept."""
    return f"releases/{slug}/r{revision}/"


def kept_under(slug: str, key: str, revision: int) -> str:
    """Return the key under which a file of a release is kept when it is not of the newest revision any more."""
    return folder(slug, revision) + key.rpartition("/")[2]


def digest_of_words(release: Release) -> str:
    """Return the SHA-256 of the words of a release, from title to notes, and of what its corrections say.

    Mark-up, addresses and the template's words are not among them: none of these is a correction when it changes.
    """
    text = "\n".join(" ".join(passage.split()) for passage in _passages(release))
    return hashlib.sha256(text.encode()).hexdigest()


def _passages(release: Release) -> Iterator[str]:
    yield from (release.title, release.subtitle, release.summary, release.dateline)
    yield from _of_blocks((*((release.image,) if release.image else ()), *release.body, *release.notes))
    yield from (correction.note for correction in release.corrections)


def _of_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Quote):
            yield from _of_blocks(block.children)
        elif isinstance(block, List):
            for item in block.items:
                yield from _of_blocks(item.children)
        elif isinstance(block, CodeBlock):
            yield block.text
        else:
            yield from map(plain, inlines_of(block))
        if isinstance(block, Figure):
            yield from (block.alt, block.credit)
