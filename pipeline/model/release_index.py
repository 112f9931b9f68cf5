"""Which other releases a page links to: its translations, its replacement, the previous and next release, and the
nearest earlier ones on its topics.

The previous, the next and the earlier releases have the same language, as the releases in a feed of that language.
Withdrawn releases are left out, and their own pages link only to the replacement. Drafts and scheduled releases are
left out too: until a release is public, nobody knows which releases will be next to it. On a topic only earlier ones
are named, so that a new release changes no page but its own and those of its neighbours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pipeline.model.manifest import Row
from pipeline.model.release import Related, Release

SAME_TOPIC = 3
"""Earlier releases on the same topics that a page links to."""


class IndexEntry(Struct, frozen=True):
    """What the pages of other releases may need to know of a release."""

    slug: str
    language: str
    title: str
    translation_of: str
    date: datetime
    draft: bool = False
    withdrawn: bool = False
    modified: datetime | None = None
    """The date of the newest correction or of the withdrawal, else the release's own date."""
    corrected: bool = False
    replaced_by: str = ""
    """Slug of the replacement of a withdrawn release."""
    was: tuple[str, ...] = ()
    """Old addresses that lead to the release."""
    topics: tuple[str, ...] = ()
    gone: bool = False
    """The release is public, but its source is not on this machine (any more)."""

    @property
    def feed(self) -> str:
        """The language in small letters: releases with the same one are in one order."""
        return self.language.lower()

    @classmethod
    def of_release(cls, release: Release) -> IndexEntry:
        """Return the entry of a release whose source is on this machine."""
        return cls(
            slug=release.slug,
            language=release.language,
            title=release.title,
            translation_of=release.translation_of,
            date=release.date,
            draft=release.draft,
            withdrawn=release.withdrawn is not None,
            modified=release.modified,
            corrected=release.revision > 1,
            replaced_by=release.withdrawn.replaced_by if release.withdrawn else "",
            was=release.was,
            topics=release.topics,
        )

    @classmethod
    def of_row(cls, row: Row, *, gone: bool = False) -> IndexEntry:
        """Return the entry of a published release; ``gone`` says that its source is not on this machine."""
        return cls(
            slug=row.slug,
            language=row.language,
            title=row.title,
            translation_of=row.translation_of,
            date=row.date,
            withdrawn=row.withdrawn,
            modified=row.modified,
            corrected=row.revision > 1,
            replaced_by=row.replaced_by,
            was=row.was,
            topics=row.topics,
            gone=gone,
        )

    @property
    def origin(self) -> str:
        """The slug of the original, which a release and its translations share."""
        return self.translation_of or self.slug

    def is_hidden(self, now: datetime) -> bool:
        """Whether the release is a draft or its date is later than ``now``, so that nobody may know of it."""
        return self.draft or self.date > now

    def is_public(self, now: datetime) -> bool:
        """Whether other pages may link to the release at ``now``."""
        return not self.is_hidden(now) and not self.withdrawn


class ReleaseIndex:
    """The releases that pages may link to at one instant, by original and, for each language, in order of date.

    It is built once for a run, so that the related releases of one page are found without a search through all.
    """

    def __init__(self, known: Mapping[str, IndexEntry], now: datetime) -> None:
        self.known = known
        self._families: dict[str, list[IndexEntry]] = {}
        self._orders: dict[str, list[tuple[datetime, str]]] = {}
        self._topics: dict[tuple[str, str], list[tuple[datetime, str]]] = {}
        public = [entry for entry in known.values() if entry.is_public(now)]
        self._public = {entry.slug for entry in public}
        here = {(entry.origin, entry.language) for entry in public if not entry.gone}
        for entry in public:
            self._families.setdefault(entry.origin, []).append(entry)
            # When a source file is renamed, the release stays public under its old name: it must not link to itself.
            if not entry.gone or (entry.origin, entry.language) not in here:
                self._orders.setdefault(entry.feed, []).append((entry.date, entry.slug))
                for topic in set(entry.topics):
                    self._topics.setdefault((entry.feed, topic), []).append((entry.date, entry.slug))
        for order in (*self._orders.values(), *self._topics.values()):
            order.sort()
        self._places = {place[1]: at for order in self._orders.values() for at, place in enumerate(order)}

    def related(self, entry: IndexEntry) -> tuple[Related, ...]:
        """Return what the page of a release links to: translations, replacement, previous and next release, and
        earlier ones on its topics, newest first.
        """
        others = translations(entry.slug, entry.language, self._families.get(entry.origin, ()))
        if entry.replaced_by in self._public:
            others += (self._named(entry.replaced_by, "replacement"),)
        order, at = self._position(entry)
        is_listed = order[at : at + 1] == [(entry.date, entry.slug)]
        if not is_listed and not self._is_held_back(entry):
            return others
        before = [self._named(slug, "prev") for _, slug in order[max(0, at - 1) : at]]
        after = [self._named(slug, "next") for _, slug in order[at + is_listed : at + is_listed + 1]]
        return (*others, *before, *after, *self._on_topics(entry))

    def _is_held_back(self, entry: IndexEntry) -> bool:
        """Whether other pages must not name a release that is no draft: its own page names them all the same."""
        known = self.known.get(entry.slug)
        return known is not None and known.draft and not entry.draft and not entry.withdrawn

    def related_to(self, release: Release) -> tuple[Related, ...]:
        """Return the same for a release as it was read."""
        return self.related(IndexEntry.of_release(release))

    def neighbours(self, slugs: Iterable[str]) -> set[str]:
        """Return the previous and next public release of each of ``slugs``, which need not be public themselves."""
        neighbours: set[str] = set()
        for entry in (self.known[slug] for slug in slugs if slug in self.known):
            order, at = self._position(entry)
            after = at + 1 if order[at : at + 1] == [(entry.date, entry.slug)] else at
            neighbours |= {slug for _, slug in (*order[max(0, at - 1) : at], *order[after : after + 1])}
        return neighbours

    def _on_topics(self, entry: IndexEntry) -> list[Related]:
        earlier: set[tuple[datetime, str]] = set()
        for topic in entry.topics:
            order = self._topics.get((entry.feed, topic), [])
            at = bisect_left(order, (entry.date, entry.slug))
            earlier.update(order[max(0, at - SAME_TOPIC) : at])
        return [self._named(slug, "same_topic", date) for date, slug in sorted(earlier, reverse=True)[:SAME_TOPIC]]

    def _naming(self, slugs: Iterable[str]) -> set[str]:
        """Return the later releases whose pages link to one of ``slugs``, which need not be public, by topic."""
        found: set[str] = set()
        for entry in (self.known[slug] for slug in slugs if slug in self.known):
            for topic in entry.topics:
                order = self._topics.get((entry.feed, topic), [])
                at = bisect_right(order, (entry.date, entry.slug))
                found |= {slug for _, slug in order[at : at + SAME_TOPIC]}
        return found

    def with_related(self, slugs: Iterable[str]) -> list[str]:
        """Return ``slugs`` and all releases whose pages link to one of them, and so change with it."""
        wanted = set(slugs)
        origins = {self.known[slug].origin for slug in wanted if slug in self.known}
        family = {slug for slug, entry in self.known.items() if entry.origin in origins}
        replaced = {slug for slug, entry in self.known.items() if entry.replaced_by in wanted}
        return sorted(wanted | family | replaced | self.neighbours(wanted) | self._naming(wanted))

    def _position(self, entry: IndexEntry) -> tuple[list[tuple[datetime, str]], int]:
        """Return the releases of a language in order of date, and where ``entry`` is or would be among them."""
        order, place = self._orders.get(entry.feed, []), (entry.date, entry.slug)
        at = self._places.get(entry.slug, len(order))
        return order, at if order[at : at + 1] == [place] else bisect_left(order, place)

    def _named(
        self, slug: str, rel: Literal["prev", "next", "replacement", "same_topic"], date: datetime | None = None
    ) -> Related:
        entry = self.known[slug]
        return Related(slug, entry.language, entry.title, rel, date)


def translations(slug: str, language: str, family: Iterable[IndexEntry]) -> tuple[Related, ...]:
    """Return the versions of a release in other languages, one for each language, sorted by language.

    Where two have the same language (a source file was renamed and the old name is still public), the original comes
    first, then the one whose source is on this machine, then the newest.
    """
    same = [other for other in family if other.slug != slug and other.language != language]
    same.sort(key=lambda other: (not other.translation_of, not other.gone, other.date, other.slug))
    best = {other.language: other for other in same}
    return tuple(Related(best[tag].slug, tag, best[tag].title) for tag in sorted(best))
