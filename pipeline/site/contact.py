"""The media-contact footer as files of its own: a page, a text, and contact cards (vCard 4.0, RFC 6350)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pipeline.article import Footer, compose_footer, footer_lines
from pipeline.newsroom import Newsroom
from pipeline.release import Contact, Footage, tel_uri
from pipeline.templating import render
from pipeline.webpage import SCRIPTLESS, way_to
from pipeline.words import Words

PAGE, TEXT, CARDS = "media-contact.html", "media-contact.txt", "media-contact.vcf"


def contact_files(newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]) -> Mapping[str, bytes]:
    """Return the three files, key → bytes."""
    footer = default_footer(newsroom, words)
    return {
        PAGE: contact_page(newsroom, words, base_url, assets),
        TEXT: contact_text(newsroom, footer),
        CARDS: contact_cards(newsroom, words),
    }


def default_footer(newsroom: Newsroom, words: Words) -> Footer:
    """Return the footer that a release gets when it names neither contacts nor footage."""
    return compose_footer(tuple(_contacts(newsroom)), tuple(_footage(newsroom)), words)


def _contacts(newsroom: Newsroom) -> Iterator[Contact]:
    known = {contact.id: contact for contact in newsroom.contacts}
    return (known[name] for name in newsroom.default_contacts if name in known)


def _footage(newsroom: Newsroom) -> Iterator[Footage]:
    return (newsroom.footage[name] for name in newsroom.default_footage if name in newsroom.footage)


def contact_page(newsroom: Newsroom, words: Words, base_url: str, assets: Mapping[str, str]) -> bytes:
    """Return ``media-contact.html``."""
    return render(
        "contact.html.j2",
        newsroom=newsroom,
        words=words,
        canonical=base_url + PAGE,
        footer=default_footer(newsroom, words),
        css=way_to(assets, "page.css"),
        mark=way_to(assets, "mark.png"),
        policy=SCRIPTLESS,
        cards=CARDS,
        text=TEXT,
    ).encode()


def contact_text(newsroom: Newsroom, footer: Footer) -> bytes:
    """Return ``media-contact.txt``: UTF-8, a paragraph for each person and each footage notice."""
    return ("\n\n".join([newsroom.name.upper(), *footer_lines(footer)]) + "\n").encode()


# --- vCard -----------------------------------------------------------------------------------------------------------


def contact_cards(newsroom: Newsroom, words: Words) -> bytes:
    """Return ``media-contact.vcf``: a card for each contact and one for each who supplies footage."""
    cards = [_person_card(contact, newsroom) for contact in _contacts(newsroom)]
    cards += [_supplier_card(footage, words) for footage in _footage(newsroom)]
    lines = [line for card in cards for line in ("BEGIN:VCARD", "VERSION:4.0", *card, "END:VCARD")]
    return b"".join(folded(line) for line in lines)


def _person_card(contact: Contact, newsroom: Newsroom) -> Iterator[str]:
    yield f"FN:{escaped(contact.name)}"
    yield f"ORG:{escaped(newsroom.name)}"
    if contact.role:
        yield f"TITLE:{escaped(contact.role)}"
    if contact.telephone:
        yield f'TEL;VALUE=uri;PREF=1;TYPE="work,voice":{tel_uri(contact.telephone)}'
    if contact.out_of_hours:
        yield f'TEL;VALUE=uri;PREF=2;TYPE="work,voice":{tel_uri(contact.out_of_hours)}'
    if contact.email:
        yield f"EMAIL;TYPE=work:{escaped(contact.email)}"
    for rank, language in enumerate(contact.languages, 1):
        yield f"LANG;PREF={rank}:{language}"
    if newsroom.website:
        yield f"URL:{newsroom.website}"


def _supplier_card(footage: Footage, words: Words) -> Iterator[str]:
    yield "KIND:org"
    yield f"FN:{escaped(footage.supplier or words['footage'])}"
    if footage.supplier:
        yield f"ORG:{escaped(footage.supplier)}"
    if footage.telephone:
        yield f'TEL;VALUE=uri;TYPE="work,voice":{tel_uri(footage.telephone)}'
    if footage.email:
        yield f"EMAIL;TYPE=work:{escaped(footage.email)}"
    if footage.url:
        yield f"URL:{footage.url}"
    facts = (
        (words["carrier"], footage.carrier),
        (words["duration"], footage.duration),
        (words["rights"], footage.rights),
    )
    yield f"NOTE:{escaped(chr(10).join([footage.notice, *(f'{label}: {value}' for label, value in facts if value)]))}"


def escaped(text: str) -> str:
    """Return ``text`` as a vCard text value (RFC 6350, 3.4)."""
    return re.sub(r"([\\,;])", r"\\\1", text).replace("\r\n", "\n").replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Return ``line`` folded so that no part has more than 75 octets (RFC 6350, 3.2), and never within a character."""
    parts, used = [b""], 0
    for character in line:
        octets = character.encode()
        if used + len(octets) > 75:
            parts.append(b" ")
            used = 1
        parts[-1] += octets
        used += len(octets)
    return b"\r\n".join(parts) + b"\r\n"
