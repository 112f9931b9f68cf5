"""The pages of the archive: an overview of years and topics, and each release by both."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from pipeline.model.manifest import Manifest, Row
from pipeline.model.newsroom import Newsroom
from pipeline.site import archive
from pipeline.site.archive import TOPICS, Leaf
from pipeline.site.entries import Choice, Entry, entry, years_and_topics
from pipeline.typography.messages import Words
from pipeline.typography.templates import render
from pipeline.typography.webpage import SCRIPTLESS, way_to


def archive_pages(
    manifest: Manifest, newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]
) -> Mapping[str, bytes]:
    """Return all pages of the archive, key → bytes; ``words`` are in the newsroom's language."""
    made = {leaf.key: _page(leaf, newsroom, words, base_url, assets) for leaf in archive.leaves(manifest)}
    years, topics = years_and_topics(archive.shelves(manifest.rows), newsroom, words, "../")
    overview = render(
        "archive.index.html.j2",
        **_common(archive.OVERVIEW, newsroom, words, base_url, assets),
        years=years,
        topics=topics,
    )
    return {**made, archive.OVERVIEW: overview.encode()}


def _page(leaf: Leaf, newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]) -> bytes:
    root = "../" * leaf.key.count("/")
    links = {"earlier": leaf.earlier, "later": leaf.later}
    return render(
        "archive.html.j2",
        **_common(leaf.key, newsroom, words, base_url, assets),
        name=_name(leaf.shelf, newsroom, words),
        months=_months(leaf, newsroom, words, root),
        links=[(name, root + key) for name, key in links.items() if key],
        others=[Choice(key, _number(key, words), root + key) for key in leaf.others],
        overview=root + archive.OVERVIEW,
    ).encode()


def _common(key: str, newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]) -> dict[str, object]:
    root = "../" * key.count("/")
    return {
        "newsroom": newsroom,
        "words": words,
        "canonical": base_url + key,
        "root": root,
        "css": way_to(assets, "page.css", root),
        "mark": way_to(assets, "mark.png", root),
        "policy": SCRIPTLESS,
    }


def _name(shelf: str, newsroom: Newsroom, words: Words) -> str:
    return newsroom.topic_label(shelf.removeprefix(TOPICS), words.language) if shelf.startswith(TOPICS) else shelf


def _number(key: str, words: Words) -> str:
    return words.number(int(key.rpartition("/")[2].removesuffix(".html")))


def _months(leaf: Leaf, newsroom: Newsroom, words: Words, root: str) -> list[tuple[str, list[Entry]]]:
    """Return the entries by month; rows of an earlier time zone keep their year, so the date as printed decides."""

    def month(row: Row) -> tuple[int, int]:
        return (there := words.local(row.date)).year, there.month

    return [
        (words.month((found := list(rows))[0].date), [entry(row, newsroom, words, root) for row in found])
        for _, rows in groupby(leaf.rows, month)
    ]
