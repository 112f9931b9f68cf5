"""The pages of the archive: an overview of years and topics, and each release by both."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

from pipeline.model.manifest import Manifest, Row
from pipeline.model.newsroom import Newsroom
from pipeline.site import archive
from pipeline.site.archive import TOPICS, ArchivePage
from pipeline.site.entries import Choice, ListEntry, entry, years_and_topics
from pipeline.typography.messages import Messages
from pipeline.typography.templates import render
from pipeline.typography.webpage import SCRIPTLESS, way_to


def archive_pages(
    manifest: Manifest, newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]
) -> Mapping[str, bytes]:
    """Return all pages of the archive, key → bytes; ``words`` are in the newsroom's language."""
    made = {
        archive_page.key: _page(archive_page, newsroom, messages, base_url, assets)
        for archive_page in archive.archive_pages(manifest)
    }
    years, topics = years_and_topics(archive.sections(manifest.rows), newsroom, messages, "../")
    overview = render(
        "archive.index.html.j2",
        **_common(archive.OVERVIEW, newsroom, messages, base_url, assets),
        years=years,
        topics=topics,
    )
    return {**made, archive.OVERVIEW: overview.encode()}


def _page(
    archive_page: ArchivePage, newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]
) -> bytes:
    root = "../" * archive_page.key.count("/")
    links = {"earlier": archive_page.earlier, "later": archive_page.later}
    return render(
        "archive.html.j2",
        **_common(archive_page.key, newsroom, messages, base_url, assets),
        name=_name(archive_page.section, newsroom, messages),
        months=_months(archive_page, newsroom, messages, root),
        links=[(name, root + key) for name, key in links.items() if key],
        others=[Choice(key, _number(key, messages), root + key) for key in archive_page.others],
        overview=root + archive.OVERVIEW,
    ).encode()


def _common(
    key: str, newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]
) -> dict[str, object]:
    root = "../" * key.count("/")
    return {
        "newsroom": newsroom,
        "messages": messages,
        "canonical": base_url + key,
        "root": root,
        "css": way_to(assets, "page.css", root),
        "mark": way_to(assets, "mark.png", root),
        "policy": SCRIPTLESS,
    }


def _name(section: str, newsroom: Newsroom, messages: Messages) -> str:
    return (
        newsroom.topic_label(section.removeprefix(TOPICS), messages.language) if section.startswith(TOPICS) else section
    )


def _number(key: str, messages: Messages) -> str:
    return messages.number(int(key.rpartition("/")[2].removesuffix(".html")))


def _months(
    archive_page: ArchivePage, newsroom: Newsroom, messages: Messages, root: str
) -> list[tuple[str, list[ListEntry]]]:
    """Return the entries by month; rows of an earlier time zone keep their year, so the date as printed decides."""

    def month(row: Row) -> tuple[int, int]:
        return (there := messages.local(row.date)).year, there.month

    return [
        (messages.month((found := list(rows))[0].date), [entry(row, newsroom, messages, root) for row in found])
        for _, rows in groupby(archive_page.rows, month)
    ]
