"""Checks across releases: names of files, and the releases that a release names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from pipeline.model.document import Inline, Link, inlines_of, walk
from pipeline.model.errors import Fault
from pipeline.model.release import RESERVED, SLUG, SLUG_LIMIT, Release
from pipeline.model.release_index import IndexEntry

_COPY_WORD = (
    r"conflict|conflit|konflikt|conflicto|conflitto|copy|copie|copia|c[oó]pia|kopie|kopia"
    r"|競合|冲突|충돌|副本|복사본|コピー"
)
_COPY = re.compile(
    rf"(?i:[^a-z0-9].*(?:{_COPY_WORD}).*)"  # Dropbox, Nextcloud, Syncthing, Seafile, Finder, Explorer
    r"|[ _-]*\(\d+\)|[ _]\d{1,3}"  # Google Drive, browsers; iCloud
    r"|-(?=.*[A-Z])[A-Z0-9][\w.-]*"  # OneDrive: the name of the computer
    r"|[ ._~-]+(?:orig|bak|backup|old|tmp|BASE|LOCAL|REMOTE)[\w.-]*"  # editors and git
)
"""What programs add to the name of a file when they copy it, or when two computers have changed it."""
_COPY_OF = re.compile(rf"(?i)(?:{_COPY_WORD})\b")
_NEVER = datetime.min.replace(tzinfo=UTC)


def slug_fault(slug: str) -> tuple[str, str] | None:
    """Return message and hint when ``slug`` cannot be the name of a release."""
    if len(slug) > SLUG_LIMIT:
        return f"the file name has more than {SLUG_LIMIT} characters", "shorten it"
    if not SLUG.match(slug):
        proper = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-") or "a-few-words"
        return "the file name may have only small letters, digits and single hyphens", f"rename it to {proper}.md"
    if slug in RESERVED:
        return f"the name {slug} is reserved", "choose another name for the file"
    return None


def check_slugs(files: Iterable[Path]) -> tuple[Fault, ...]:
    """Return a fault for every file whose name cannot be a slug, or is used twice but for folder or capitals."""
    faults = []
    seen: dict[str, Path] = {}
    files = sorted(files)
    originals = [file for file in files if slug_fault(file.stem) is None]
    for file in files:
        if problem := slug_fault(file.stem):
            if original := _original_of(file, originals):
                what = f"by its name a copy of {original}: two computers have changed it, or somebody copied it"
                problem = what, f"compare the two, keep what is right in {original.name}, and delete this one"
            faults.append(Fault(str(file), 0, *problem))
        first = seen.setdefault(file.stem.casefold(), file)
        if first != file:
            faults.append(Fault(str(file), 0, f"the same name as {first}", "rename one of them"))
    return tuple(faults)


def _original_of(file: Path, originals: Iterable[Path]) -> Path | None:
    """Return the file that ``file`` is a copy of, by the names that programs give to copies; None when it is none."""
    name = file.stem.casefold()
    for original in sorted(originals, key=lambda each: len(each.stem), reverse=True):
        known = original.stem.casefold()
        if name.startswith(known) and _COPY.fullmatch(file.stem[len(known) :]):
            return original
        if name.endswith(f" {known}") and _COPY_OF.match(name):
            return original
        if known in name and name != known and _headline(file) == _headline(original) != []:
            return original
    return None


def _headline(file: Path) -> list[str]:
    """Return the lines of a source that have its headline and its date, as typed."""
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return []
    return [line.strip() for line in lines if re.match(r"(?:title|date)\s*:", line)]


def check_translations(
    releases: Iterable[Release],
    files: Mapping[str, Path] | None = None,
    known: Mapping[str, Release | IndexEntry] | None = None,
    now: datetime = _NEVER,
) -> tuple[Fault, ...]:
    """Return a fault for each release named by another that does not exist, or is not public in time.

    Checked are ``translation_of``, ``withdrawn.replaced_by`` and links in the text of ``releases``. ``known`` are the
    releases that may be named, by default the same ones; a release that is public by ``now`` may be named by all.
    ``files`` maps slugs to their sources, for the path and line of faults; by default ``content/SLUG.md``.
    """
    if known is None:
        releases = tuple(releases)
        known = {release.slug: release for release in releases}
    faults: set[Fault] = set()
    for release in releases:
        file = (files or {}).get(release.slug, Path("content") / f"{release.slug}.md")
        for key, slug in _named_by(release):
            message, hint = _problem(release, key, slug, known, now)
            if message:
                faults.add(Fault(str(file), _line(file, key, slug), f"{key}: {message}", hint))
    return tuple(sorted(faults))


def check_old_addresses(
    releases: Iterable[Release],
    files: Mapping[str, Path],
    known: Mapping[str, Release | IndexEntry],
) -> tuple[Fault, ...]:
    """Return a fault for each old address in ``releases`` that leads to another one already.

    The other is not named: it may not be public yet. Of two in ``releases``, the one with the earlier date has it.
    """
    checked = {release.slug: release for release in releases}
    owners: dict[str, str] = {}
    faults = []
    others = [each for slug, each in sorted(known.items()) if slug not in checked]
    for release in (*others, *sorted(checked.values(), key=lambda each: (each.date, each.slug))):
        for address in release.was:
            owner = owners.setdefault(address.lower(), release.slug)
            if owner != release.slug and release.slug in checked:
                line = _line(files[release.slug], "was", release.slug)
                message = f"was: another release stood at this address too: {address}"
                faults.append(
                    Fault(str(files[release.slug]), line, message, "decide to which one it leads; delete the other")
                )
    return tuple(sorted(set(faults)))


def _named_by(release: Release) -> Iterator[tuple[str, str]]:
    """Yield key and slug; the key of a link is ``link``."""
    if release.translation_of:
        yield "translation_of", release.translation_of
    if release.withdrawn and release.withdrawn.replaced_by:
        yield "withdrawn.replaced_by", release.withdrawn.replaced_by
    for block in walk((*release.body, *release.notes)):
        for inlines in inlines_of(block):
            for slug in _linked(inlines):
                yield "link", slug


def _linked(inlines: Iterable[Inline]) -> Iterator[str]:
    """Yield the slugs of the releases that ``inlines`` link to."""
    for inline in inlines:
        if isinstance(inline, Link) and ":" not in inline.href and not inline.href.startswith("#"):
            yield inline.href.partition("#")[0].removesuffix(".html")
        if children := getattr(inline, "children", ()):
            yield from _linked(children)


def _problem(
    release: Release, key: str, slug: str, known: Mapping[str, Release | IndexEntry], now: datetime
) -> tuple[str, str]:
    """Return message and hint, empty when there is no problem."""
    other = known.get(slug)
    if other is None:
        # The hint suggests no other name: it could be that of a scheduled release.
        return f"there is no release {slug}", "write the name of its file, without .md"
    if slug == release.slug:
        return ("" if key == "link" else "the release itself"), "name another release, or delete the line"
    if key == "translation_of" and other.translation_of:
        return "that release is itself a translation", "name the original instead"
    start = max(now, release.withdrawn.date if release.withdrawn else release.date)
    if not release.draft and (other.draft or other.date > start):
        return (
            "that release is not public yet when this one is",
            "do not name it before it is public: this would reveal it",
        )
    if key == "translation_of" and other.language == release.language:
        return f"that release is in {release.language} too", "say in which language this one is, as in language: ar"
    return "", ""


def _line(file: Path, key: str, slug: str) -> int:
    """Return the line of a key, or the first line with a link to ``slug``; 0 when there is none."""
    if key != "link":
        from pipeline.reader.frontmatter import line_of  # a YAML parser, needed for faults only

        return line_of(file, key)
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except (OSError, ValueError):
        return 0
    return next((number for number, line in enumerate(lines, 1) if f"({slug}" in line), 0)
