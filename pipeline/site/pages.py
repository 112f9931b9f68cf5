"""The HTML pages that list releases: the newsroom page (``index.html``) and the archive pages."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from itertools import groupby

from msgspec import Struct

from pipeline.model import statement
from pipeline.model.manifest import Manifest, Row, newest_first
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import PictureSize
from pipeline.model.render_context import RenderContext
from pipeline.site import archive, search
from pipeline.site.archive import NEWEST, TOPICS, ArchivePage, leading
from pipeline.site.contact import PAGE, newsroom_footer
from pipeline.typography.contact_cards import CARDS
from pipeline.typography.downloads import Download, list_downloads
from pipeline.typography.feed_list import canonical, language_feeds, languages_in_order, main_feed, topic_feeds
from pipeline.typography.headline import shortened
from pipeline.typography.messages import Messages, direction_of, language_territory, newsroom_messages
from pipeline.typography.templates import FETCHING, SCRIPTLESS, PreviewImage, asset_href, render, script

SUMMARY_LIMIT = 280
"""Characters of a summary in a list."""


# --- Entries of lists ------------------------------------------------------------------------------------------------


class Choice(Struct, frozen=True):
    """A topic, a language, a year or a page number that a reader can choose."""

    id: str
    label: str
    href: str = ""
    language: str = ""
    """Language of the label, if it differs from that of the page."""
    direction: str = ""
    count: str = ""


class ListEntry(Struct, frozen=True):
    """One release in a list."""

    href: str
    title: str
    summary: str
    datetime: str
    date: str
    language: str
    direction: str
    language_name: str
    """Empty for the language of the page."""
    topics: tuple[Choice, ...]
    corrected: str
    withdrawn: str
    thumbnail: PictureSize | None = None
    downloads: tuple[Download, ...] = ()


def _entry(row: Row, newsroom: Newsroom, messages: Messages, root: str = "", *, full: bool = False) -> ListEntry:
    """Return the entry of ``row``, with summary and downloads if ``full``; ``root`` leads to the public root."""
    foreign = row.language.split("-")[0] != messages.language.split("-")[0]
    return ListEntry(
        href=f"{root}releases/{row.slug}.html",
        title=row.title,
        summary=shortened(row.summary, SUMMARY_LIMIT) if full else "",
        datetime=row.date.isoformat(),
        date=messages.date(row.date),
        language=canonical(row.language),
        direction=direction_of(row.language),
        language_name=messages.language_name(row.language, newsroom.languages) if foreign else "",
        topics=tuple(_topic(each, newsroom, messages, root) for each in archive.topics_of(row)),
        corrected=messages.fill("corrected", date=messages.date(row.modified)) if is_corrected(row) else "",
        withdrawn=messages.fill("withdrawn", date=messages.date(row.modified)) if row.withdrawn else "",
        thumbnail=row.thumbnail if full and not row.withdrawn else None,
        downloads=list_downloads(row.files, messages, f"{root}releases/") if full and not row.withdrawn else (),
    )


def is_corrected(row: Row) -> bool:
    """Whether a list marks a release as corrected; of a withdrawn one it says only that."""
    return row.corrections > 0 and not row.withdrawn


def _topic(name: str, newsroom: Newsroom, messages: Messages, root: str, count: int = 0) -> Choice:
    label = newsroom.topic_label(name, messages.language)
    return Choice(name, label, root + archive.key_of(TOPICS + name), count=messages.number(count) if count else "")


def _years_and_topics(
    rows: tuple[Row, ...], newsroom: Newsroom, messages: Messages, root: str = ""
) -> dict[str, list[Choice]]:
    """Return links to the sections of the archive as template values: years newest first, topics by label."""
    years, topics = [], []
    for section, listed in archive.sections(rows).items():
        if section.startswith(TOPICS):
            topics.append(_topic(section.removeprefix(TOPICS), newsroom, messages, root, len(listed)))
        else:
            href = root + archive.key_of(section)
            years.append(Choice(section, section, href, count=messages.number(len(listed))))
    return {"years": years, "topics": _by_label(topics)}


def _by_label(choices: Iterable[Choice]) -> list[Choice]:
    return sorted(choices, key=lambda each: (each.label.casefold(), each.id))


# --- Newsroom page ---------------------------------------------------------------------------------------------------


def newsroom_page(rows: tuple[Row, ...], render_context: RenderContext) -> bytes:
    """Return ``index.html`` with the newest of the public ``rows``."""
    newsroom, assets, base_url = render_context.newsroom, render_context.assets, render_context.base_url
    messages = newsroom_messages(newsroom)
    newest = leading(newest_first(rows))[:NEWEST]
    entries = [_entry(row, newsroom, messages, full=True) for row in newest]
    topics = {topic.id: topic for each in entries for topic in each.topics}
    return render(
        "index.html.j2",
        newsroom=newsroom,
        messages=messages,
        canonical=f"{base_url}index.html",
        locale=language_territory(messages.language),
        entries=entries,
        more=len(rows) > NEWEST,
        topic_choices=_by_label(topics.values()),
        language_choices=_language_choices(entries, newsroom, messages),
        script=script("index.js"),
        search_parts=" ".join(search.parts(rows)),
        **_years_and_topics(rows, newsroom, messages),
        archive=archive.OVERVIEW,
        main_feed=main_feed(newsroom),
        language_feeds=language_feeds(rows, newsroom),
        topic_feeds=topic_feeds(rows, newsroom),
        footer=newsroom_footer(newsroom, messages),
        css=asset_href(assets, "page.css"),
        mark=asset_href(assets, "mark.png"),
        share_image=_share_image(render_context),
        policy=FETCHING if entries else SCRIPTLESS,
        cards=CARDS,
        contact_page=PAGE,
        check_page=statement.PAGE,
    ).encode()


def _share_image(render_context: RenderContext) -> PreviewImage | None:
    """Return the organisation's mark, a PNG, which has its size in bytes 16 to 24."""
    mark, assets = render_context.mark, render_context.assets
    if "mark.png" not in assets:
        return None
    width, height = int.from_bytes(mark[16:20], "big"), int.from_bytes(mark[20:24], "big")
    return PreviewImage(render_context.base_url + assets["mark.png"], width, height, render_context.newsroom.name)


def _language_choices(entries: Iterable[ListEntry], newsroom: Newsroom, messages: Messages) -> list[Choice]:
    """Return the languages of the entries, each with its own name, in the newsroom's order."""
    directions = {each.language: each.direction for each in entries}
    return [
        Choice(tag, messages.language_name(tag, newsroom.languages), language=tag, direction=directions[tag])
        for tag in languages_in_order(directions, newsroom)
    ]


# --- Archive ---------------------------------------------------------------------------------------------------------


def archive_pages(
    manifest: Manifest, render_context: RenderContext, only: Container[str] | None = None
) -> Mapping[str, bytes]:
    """Return all pages of the archive, or those with a key in ``only``, key → bytes."""
    newsroom = render_context.newsroom
    messages = newsroom_messages(newsroom)
    wanted = (page for page in archive.archive_pages(manifest) if only is None or page.key in only)
    pages = {page.key: _archive_page(page, render_context, messages) for page in wanted}
    if only is not None and archive.OVERVIEW not in only:
        return pages
    overview = render(
        "archive.index.html.j2",
        **_common(archive.OVERVIEW, render_context, messages),
        **_years_and_topics(manifest.rows, newsroom, messages, "../"),
    )
    return {**pages, archive.OVERVIEW: overview.encode()}


def _archive_page(page: ArchivePage, render_context: RenderContext, messages: Messages) -> bytes:
    newsroom, root = render_context.newsroom, _root(page.key)
    topic = page.section.removeprefix(TOPICS) if page.section.startswith(TOPICS) else ""
    links = {"earlier": page.earlier, "later": page.later}
    return render(
        "archive.html.j2",
        **_common(page.key, render_context, messages),
        name=newsroom.topic_label(topic, messages.language) if topic else page.section,
        months=_months(page.rows, newsroom, messages, root),
        links=[(name, root + key) for name, key in links.items() if key],
        others=[Choice(key, messages.number(archive.number_of(key)), root + key) for key in page.others],
        overview=root + archive.OVERVIEW,
    ).encode()


def _months(
    rows: Iterable[Row], newsroom: Newsroom, messages: Messages, root: str
) -> list[tuple[str, list[ListEntry]]]:
    """Return the entries by month, in the newsroom's time zone: a month is that of the printed date."""

    def month(row: Row) -> tuple[int, int]:
        return (local := messages.local(row.date)).year, local.month

    groups = [list(group) for _, group in groupby(rows, month)]
    return [
        (messages.month(group[0].date), [_entry(row, newsroom, messages, root) for row in group]) for group in groups
    ]


def _common(key: str, render_context: RenderContext, messages: Messages) -> dict[str, object]:
    root = _root(key)
    return {
        "newsroom": render_context.newsroom,
        "messages": messages,
        "canonical": render_context.base_url + key,
        "root": root,
        "css": asset_href(render_context.assets, "page.css", root),
        "mark": asset_href(render_context.assets, "mark.png", root),
        "policy": SCRIPTLESS,
    }


def _root(key: str) -> str:
    return "../" * key.count("/")
