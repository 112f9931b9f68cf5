"""The media-contact footer as files of its own: a page, a text, and contact cards (vCard 4.0, RFC 6350)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, Footage
from pipeline.typography.article import Footer, compose_footer
from pipeline.typography.contact_cards import CARDS, TEXT, contact_cards, contact_text
from pipeline.typography.messages import Messages
from pipeline.typography.templates import render
from pipeline.typography.webpage import SCRIPTLESS, way_to

PAGE = "media-contact.html"


def contact_files(
    newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]
) -> Mapping[str, bytes]:
    """Return the three files, key → bytes."""
    footer = default_footer(newsroom, messages)
    return {
        PAGE: contact_page(newsroom, messages, base_url, assets),
        TEXT: contact_text(newsroom, footer),
        CARDS: contact_cards(_contacts(newsroom), _footage(newsroom), newsroom, messages),
    }


def default_footer(newsroom: Newsroom, messages: Messages) -> Footer:
    """Return the footer that a release gets when it names neither contacts nor footage."""
    return compose_footer(tuple(_contacts(newsroom)), tuple(_footage(newsroom)), messages)


def _contacts(newsroom: Newsroom) -> Iterator[Contact]:
    known = {contact.id: contact for contact in newsroom.contacts}
    return (known[name] for name in newsroom.default_contacts if name in known)


def _footage(newsroom: Newsroom) -> Iterator[Footage]:
    return (newsroom.footage[name] for name in newsroom.default_footage if name in newsroom.footage)


def contact_page(newsroom: Newsroom, messages: Messages, base_url: str, assets: Mapping[str, str]) -> bytes:
    """Return ``media-contact.html``."""
    return render(
        "contact.html.j2",
        newsroom=newsroom,
        messages=messages,
        canonical=base_url + PAGE,
        footer=default_footer(newsroom, messages),
        css=way_to(assets, "page.css"),
        mark=way_to(assets, "mark.png"),
        policy=SCRIPTLESS,
        cards=CARDS,
        text=TEXT,
    ).encode()
