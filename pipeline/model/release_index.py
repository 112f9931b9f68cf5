"""What pages say of other releases: the same one in other languages, and the ones before and after it.

Before and after are told within a language, as the feeds are: who reads one page can read the next. A release that was
withdrawn is stepped over, and leads nowhere itself but to what replaces it; nor does one that waits, for where it will
stand nobody can know yet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pipeline.model.release import Related, Release


class IndexEntry(Struct, frozen=True):
    """What other releases and their pages may have to know of one."""

    slug: str
    language: str
    title: str
    translation_of: str
    date: datetime
    draft: bool = False
    withdrawn: bool = False
    modified: datetime | None = None
    """The instant of its newest correction or of its withdrawal, else its date."""
    corrected: bool = False
    replaced_by: str = ""
    """Slug of what is to be read instead, once it is withdrawn."""
    gone: bool = False
    """Whether it is public but its source is not here any more, or not on this machine."""

    @property
    def origin(self) -> str:
        """The slug under which a release and its translations belong together."""
        return self.translation_of or self.slug

    def waits(self, now: datetime) -> bool:
        """Whether nobody may know of it yet at ``now``."""
        return self.draft or self.date > now

    def is_public(self, now: datetime) -> bool:
        """Whether pages may link to it at ``now``."""
        return not self.waits(now) and not self.withdrawn


class ReleaseIndex:
    """The releases that pages may link to at one moment, by family and in the order of their dates.

    Made once for a run: of ten thousand releases each finds those beside it without looking at all others.
    """

    def __init__(self, known: Mapping[str, IndexEntry], now: datetime) -> None:
        self.known = known
        self._families: dict[str, list[IndexEntry]] = {}
        self._orders: dict[str, list[tuple[datetime, str]]] = {}
        public = [listed for listed in known.values() if listed.is_public(now)]
        self._public = {listed.slug for listed in public}
        here = {(listed.origin, listed.language) for listed in public if not listed.gone}
        for listed in public:
            self._families.setdefault(listed.origin, []).append(listed)
            # A file that was renamed leaves its old name public: one text must not lead to itself.
            if not listed.gone or (listed.origin, listed.language) not in here:
                self._orders.setdefault(_language(listed.language), []).append((listed.date, listed.slug))
        for order in self._orders.values():
            order.sort()

    def around(
        self, slug: str, language: str, origin: str, date: datetime, replacement: str = ""
    ) -> tuple[Related, ...]:
        """Return all that the page of ``slug`` links to: its other languages, then the release before and the next.

        What replaces one that was withdrawn, ``instead``, stands between them.
        """
        order = self._orders.get(_language(language), [])
        at = bisect_left(order, (date, slug))
        others = related(slug, language, self._families.get(origin, ()))
        if replacement in self._public:
            others += (self._named(replacement, "instead"),)
        if order[at : at + 1] != [(date, slug)]:
            return others
        before = [self._named(before, "prev") for _, before in order[max(0, at - 1) : at]]
        after = [self._named(after, "next") for _, after in order[at + 1 : at + 2]]
        return (*others, *before, *after)

    def around_entry(self, entry: IndexEntry) -> tuple[Related, ...]:
        """Return the same of a release in the index."""
        return self.around(
            entry.slug, entry.language, entry.origin, entry.date, entry.replaced_by if entry.withdrawn else ""
        )

    def around_release(self, release: Release) -> tuple[Related, ...]:
        """Return the same of a release as it was read."""
        replacement = release.withdrawn.replaced_by if release.withdrawn else ""
        origin = release.translation_of or release.slug
        return self.around(release.slug, release.language, origin, release.date, replacement)

    def neighbours(self, slugs: Iterable[str]) -> set[str]:
        """Return the public releases before and after each of ``slugs``, whether it stands among them itself or not."""
        found: set[str] = set()
        for listed in (self.known[slug] for slug in slugs if slug in self.known):
            order = self._orders.get(_language(listed.language), [])
            at = bisect_left(order, (listed.date, listed.slug))
            found |= {slug for _, slug in order[max(0, at - 1) : at + 2] if slug != listed.slug}
        return found

    def with_neighbours(self, slugs: Iterable[str]) -> list[str]:
        """Add the releases whose pages link to one of ``slugs``: theirs are stale when it is new, renamed or gone."""
        wanted = set(slugs)
        origins = {self.known[slug].origin for slug in wanted if slug in self.known}
        family = {slug for slug, listed in self.known.items() if listed.origin in origins}
        replaced = {slug for slug, listed in self.known.items() if listed.replaced_by in wanted}
        return sorted(wanted | family | replaced | self.neighbours(wanted))

    def _named(self, slug: str, rel: Literal["prev", "next", "instead"]) -> Related:
        listed = self.known[slug]
        return Related(slug, listed.language, listed.title, rel)


def related(slug: str, language: str, family: Iterable[IndexEntry]) -> tuple[Related, ...]:
    """Return the same release in other languages, each once, by language.

    Two of one language are one text under two names, for a file that was renamed leaves the old one public: named is
    the original, else the one whose source is here, else the newest.
    """
    same = [other for other in family if other.slug != slug and other.language != language]
    same.sort(key=lambda other: (not other.translation_of, not other.gone, other.date, other.slug))
    best = {other.language: other for other in same}
    return tuple(Related(best[tag].slug, tag, best[tag].title) for tag in sorted(best))


def _language(tag: str) -> str:
    return tag.lower()
