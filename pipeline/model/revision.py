"""Earlier revisions of a release, and the digest of its words, which decides whether a change is a correction.

Each entry in ``corrections`` makes a new revision, and so do a withdrawal and the return after one. A change of words
without an entry in ``corrections`` keeps the revision and is recorded as minor.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from pipeline.model.document import Block, CodeBlock, Figure, Footnotes, List, Quote, inlines_of, plain
from pipeline.model.formats import Rendition
from pipeline.model.release import FACTS, Release


class RevisionRecord(Struct, frozen=True, omit_defaults=True):
    """An earlier revision of a release, or the state before a minor change."""

    revision: int
    modified: datetime
    """The release's date for the first revision, else the date of the correction or withdrawal."""
    record: str
    """SHA-256 of its record."""
    note: str = ""
    """The text of the correction, or the reason of the withdrawal; empty for the first revision."""
    withdrawn: bool = False
    minor: str = ""
    """The day of the minor change; empty if the next revision replaced this one."""
    files: tuple[Rendition, ...] = ()
    """The archived copies; none for a minor change and none for a withdrawn release."""


def number(release: Release, past: Iterable[RevisionRecord]) -> int:
    """Return the revision of ``release``. A withdrawal counts even after the release has returned."""
    return release.revision + sum(state.withdrawn and not state.minor for state in past)


def folder(slug: str, revision: int) -> str:
    """Return the folder of the archived copies of an earlier revision."""
    return f"releases/{slug}/r{revision}/"


def kept_under(slug: str, key: str, revision: int) -> str:
    """Return the key of the archived copy of a file, once a newer revision has replaced it."""
    return folder(slug, revision) + key.rpartition("/")[2]


def digest_of_words(release: Release) -> str:
    """Return the SHA-256 of the text of a release, from title to notes, and of its corrections.

    Markup, link addresses and the template's messages do not count: a change of these is no correction.
    """
    text = "\n".join(" ".join(passage.split()) for passage in _passages(release))
    return hashlib.sha256(text.encode()).hexdigest()


def _passages(release: Release) -> Iterator[str]:
    yield from (release.title, release.subtitle, release.summary, release.dateline)
    yield from _of_blocks((*((release.image,) if release.image else ()), *release.body, *release.notes))
    yield from (correction.note for correction in release.corrections)
    # Nothing for a key that the release lacks: a new kind of fact must not change the digests of old releases.
    yield from (release.facts[fact.key] for fact in FACTS if fact.is_words and fact.key in release.facts)


def _of_blocks(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Quote):
            yield from _of_blocks(block.children)
        elif isinstance(block, List):
            for item in block.items:
                yield from _of_blocks(item.children)
        elif isinstance(block, Footnotes):
            for note in block.notes:
                yield from _of_blocks(note)
        elif isinstance(block, CodeBlock):
            yield block.text
        else:
            yield from map(plain, inlines_of(block))
        if isinstance(block, Figure):
            yield from (block.alt, block.credit)
