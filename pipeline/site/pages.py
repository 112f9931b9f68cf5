"""The newsroom's front page: the newest releases, and ways to find the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.model.manifest import Row, newest_first
from pipeline.model.newsroom import Newsroom
from pipeline.site.archive import OVERVIEW, sections
from pipeline.site.contact import PAGE, default_footer
from pipeline.site.entries import Choice, ListEntry, entry, years_and_topics
from pipeline.typography.contact_cards import CARDS
from pipeline.typography.feed_list import by_language, by_topic, canonical, whole
from pipeline.typography.messages import Messages, language_territory
from pipeline.typography.templates import render
from pipeline.typography.webpage import POLICY, SCRIPTLESS, script, way_to

LISTED = 100
"""Releases that the front page lists, the newest."""


def index_page(
    rows: Iterable[Row], newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]
) -> bytes:
    """Return ``index.html`` of the newest of the public ``rows``; ``words`` are in the newsroom's language."""
    rows = newest_first(rows)
    entries = [entry(row, newsroom, messages, whole=True) for row in rows[:LISTED]]
    years, topics = years_and_topics(sections(rows), newsroom, messages)
    return render(
        "index.html.j2",
        newsroom=newsroom,
        messages=messages,
        canonical=f"{base_url}index.html",
        locale=language_territory(messages.language),
        entries=entries,
        more=len(rows) > LISTED,
        choices=_topics(entries),
        tongues=_languages(entries, newsroom, messages),
        script=script("index.js"),
        years=years,
        topics=topics,
        archive=OVERVIEW,
        channel=whole(newsroom),
        feeds=by_language(rows, newsroom),
        topic_feeds=by_topic(rows, newsroom),
        footer=default_footer(newsroom, messages),
        css=way_to(assets, "page.css"),
        mark=way_to(assets, "mark.png"),
        share_image=base_url + assets["mark.png"] if "mark.png" in assets else "",
        policy=POLICY if entries else SCRIPTLESS,
        cards=CARDS,
        contact_page=PAGE,
    ).encode()


def _topics(entries: Iterable[ListEntry]) -> list[Choice]:
    """Return the topics that a reader may choose from, by label."""
    found = {topic.id: topic for each in entries for topic in each.topics}
    return sorted(found.values(), key=lambda topic: (topic.label.casefold(), topic.id))


def _languages(entries: Iterable[ListEntry], newsroom: Newsroom, messages: Messages) -> list[Choice]:
    """Return the languages likewise, each in its own name, in the newsroom's order."""
    tags = {each.language: each.direction for each in entries}
    named = [tag for tag in map(canonical, newsroom.languages) if tag in tags]
    return [
        Choice(tag, messages.language_name(tag, newsroom.languages), language=tag, direction=tags[tag])
        for tag in dict.fromkeys((*named, *sorted(tags)))
    ]
