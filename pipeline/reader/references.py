"""Checks across files: what no single release can know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from pipeline.model.document import Block, Inline, Link, inlines_of, walk
from pipeline.model.errors import Fault
from pipeline.model.release import Release
from pipeline.reader.metadata import slug_fault


def check_slugs(files: Iterable[Path]) -> tuple[Fault, ...]:
    """Return a fault for every file whose name cannot be a slug, or is another's but for folder or capitals."""
    faults = []
    seen: dict[str, Path] = {}
    for file in sorted(files):
        if problem := slug_fault(file.stem):
            faults.append(Fault(str(file), 0, *problem))
        first = seen.setdefault(file.stem.casefold(), file)
        if first != file:
            faults.append(Fault(str(file), 0, f"the same name as {first}", "rename one of them"))
    return tuple(faults)


NEVER = datetime.min.replace(tzinfo=UTC)


class Other(Protocol):
    """What must be known of a release that another one names."""

    @property
    def slug(self) -> str:
        """Its name."""

    @property
    def language(self) -> str:
        """BCP 47 tag."""

    @property
    def translation_of(self) -> str:
        """Slug of its original, or empty."""

    @property
    def date(self) -> datetime:
        """The instant it becomes public."""

    @property
    def draft(self) -> bool:
        """Whether it is not to be public at all."""


def check_translations(
    releases: Iterable[Release],
    files: Mapping[str, Path] | None = None,
    known: Mapping[str, Other] | None = None,
    now: datetime = NEVER,
) -> tuple[Fault, ...]:
    """Return a fault for every name of another release that leads nowhere, or to one that is not public in time.

    Judged are ``translation_of``, ``withdrawn.replaced_by`` and links in the text of ``releases``; ``known`` are the
    releases that may be named, by default the same ones; what is public by ``now`` may be named by
    anybody. ``files`` maps slugs to the paths that faults name, and is where lines are looked up; by default
    ``content/SLUG.md``.
    """
    if known is None:
        releases = tuple(releases)
        known = {release.slug: release for release in releases}
    found: list[Fault] = []
    for release in releases:
        file = (files or {}).get(release.slug, Path("content") / f"{release.slug}.md")
        for key, slug, needle in _named(release):
            message, hint = _trouble(release, key, slug, known, now)
            if message:
                found.append(Fault(str(file), _line(file, needle), f"{key}: {message}", hint))
    return tuple(sorted(set(found)))


def _named(release: Release) -> Iterator[tuple[str, str, str]]:
    """Yield key, slug and what to look for in the file."""
    if release.translation_of:
        yield "translation_of", release.translation_of, "translation_of:"
    if release.withdrawn and release.withdrawn.replaced_by:
        yield "withdrawn.replaced_by", release.withdrawn.replaced_by, "replaced_by:"
    for slug in links_to_releases((*release.body, *release.notes)):
        yield "link", slug, f"({slug}"


def _trouble(release: Release, key: str, slug: str, known: Mapping[str, Other], now: datetime) -> tuple[str, str]:
    other = known.get(slug)
    if other is None:
        # No suggestion: it might name a release that waits.
        return f"there is no release {slug}", "write the name of its file, without .md"
    if slug == release.slug:
        return ("" if key == "link" else "the release itself"), "name another release, or delete the line"
    if key == "translation_of" and other.translation_of:
        return "itself a translation", "name the original instead"
    start = max(now, release.withdrawn.date if release.withdrawn else release.date)
    if not release.draft and (other.draft or other.date > start):
        return (
            "that release is not public yet when this one is",
            "naming it would give it away: leave it out until then",
        )
    if key == "translation_of" and other.language == release.language:
        return f"that release is in {release.language} too", "say in which language this one is, as in language: ar"
    return "", ""


def links_to_releases(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the slugs of the releases that ``blocks`` link to."""
    for block in walk(blocks):
        for line in inlines_of(block):
            yield from _slugs(line)


def _slugs(line: Iterable[Inline]) -> Iterator[str]:
    for inline in line:
        if isinstance(inline, Link) and ":" not in inline.href and not inline.href.startswith("#"):
            yield inline.href.partition("#")[0].removesuffix(".html")
        if children := getattr(inline, "children", ()):
            yield from _slugs(children)


def _line(file: Path, needle: str) -> int:
    """Return the first line of ``file`` that holds ``needle``, 0 when the file cannot tell."""
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, ValueError):
        return 0
    return next((number for number, line in enumerate(lines, 1) if needle in line), 0)
