"""The media-contact footer as three files: a page, a text, and contact cards (vCard 4.0, RFC 6350)."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact
from pipeline.model.render_context import RenderContext
from pipeline.typography.article import Footer, Party, compose_footer, key_parties, party_lines
from pipeline.typography.contact_cards import CARDS, TEXT, contact_cards, contact_text
from pipeline.typography.messages import Messages, newsroom_messages
from pipeline.typography.templates import SCRIPTLESS, asset_href, render

PAGE = "media-contact.html"
KEYS = (PAGE, TEXT, CARDS)


def contact_files(render_context: RenderContext) -> Mapping[str, bytes]:
    """Return the three files, key → bytes."""
    newsroom = render_context.newsroom
    messages = newsroom_messages(newsroom)
    footer = newsroom_footer(newsroom, messages)
    keys = key_parties(render_context.signers.keys, messages)
    told = party_lines(messages["signing_keys"], keys, newsroom.language)
    return {
        PAGE: _contact_page(footer, keys, render_context, messages),
        TEXT: contact_text(newsroom, footer, told),
        CARDS: contact_cards(_contacts(newsroom), _footage(newsroom), newsroom, messages, told),
    }


def newsroom_footer(newsroom: Newsroom, messages: Messages) -> Footer:
    """Return the footer of releases that name neither contacts nor footage."""
    return compose_footer(_contacts(newsroom), _footage(newsroom), messages)


def _contacts(newsroom: Newsroom) -> tuple[Contact, ...]:
    known = {contact.id: contact for contact in newsroom.contacts}
    return tuple(known[name] for name in newsroom.default_contacts if name in known)


def _footage(newsroom: Newsroom) -> tuple[Footage, ...]:
    return tuple(newsroom.footage[name] for name in newsroom.default_footage if name in newsroom.footage)


def _contact_page(footer: Footer, keys: tuple[Party, ...], render_context: RenderContext, messages: Messages) -> bytes:
    return render(
        "contact.html.j2",
        newsroom=render_context.newsroom,
        messages=messages,
        canonical=render_context.base_url + PAGE,
        footer=footer,
        keys=keys,
        css=asset_href(render_context.assets, "page.css"),
        mark=asset_href(render_context.assets, "mark.png"),
        policy=SCRIPTLESS,
        cards=CARDS,
        text=TEXT,
    ).encode()
