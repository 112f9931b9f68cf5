"""The newsroom's front page: a list of releases, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from pipeline.cards import CARDS
from pipeline.channels import by_language
from pipeline.downloads import Download, offered
from pipeline.headline import shortened
from pipeline.manifest import Row, newest_first
from pipeline.newsroom import Newsroom
from pipeline.site.contact import PAGE, default_footer
from pipeline.templating import render
from pipeline.webpage import SCRIPTLESS, way_to
from pipeline.words import Words, language_territory

LISTED = 100
"""Releases that the front page lists, the newest."""
SUMMARY_LIMIT = 280
"""Characters of a summary that a listing shows."""


class _Entry(Struct, frozen=True):
    href: str
    title: str
    summary: str
    datetime: str
    date: str
    language: str
    direction: str
    language_name: str
    """Empty when it is the page's own language."""
    withdrawn: str
    downloads: tuple[Download, ...]


def index_page(
    rows: Iterable[Row], newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]
) -> bytes:
    """Return ``index.html`` of the newest of the public ``rows``; ``words`` are in the newsroom's language."""
    rows = newest_first(rows)
    return render(
        "index.html.j2",
        newsroom=newsroom,
        words=words,
        canonical=f"{base_url}index.html",
        locale=language_territory(words.language),
        entries=[_entry(row, newsroom, words) for row in rows[:LISTED]],
        feeds=by_language(rows, newsroom),
        footer=default_footer(newsroom, words),
        css=way_to(assets, "page.css"),
        mark=way_to(assets, "mark.png"),
        share_image=base_url + assets["mark.png"] if "mark.png" in assets else "",
        policy=SCRIPTLESS,
        cards=CARDS,
        contact_page=PAGE,
    ).encode()


def _entry(row: Row, newsroom: Newsroom, words: Words) -> _Entry:
    foreign = row.language.split("-")[0] != words.language.split("-")[0]
    return _Entry(
        href=f"releases/{row.slug}.html",
        title=row.title,
        summary=shortened(row.summary, SUMMARY_LIMIT),
        datetime=row.date.isoformat(),
        date=words.date(row.date),
        language=row.language,
        direction=Words(row.language, newsroom.time_zone).direction,
        language_name=words.language_name(row.language, newsroom.languages) if foreign else "",
        withdrawn=words["withdrawn"].format(date=words.date(row.modified)) if row.withdrawn else "",
        downloads=() if row.withdrawn else offered(row.files, words, "releases/"),
    )
