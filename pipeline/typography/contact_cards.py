"""The media-contact footer as files: a text, and contact cards (vCard 4.0, RFC 6350)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, tel_uri
from pipeline.typography.article import Footer, footer_lines
from pipeline.typography.messages import Messages, capitals

TEXT, CARDS = "media-contact.txt", "media-contact.vcf"


def contact_text(newsroom: Newsroom, footer: Footer, keys: Iterable[str] = ()) -> bytes:
    """Return ``media-contact.txt`` in UTF-8: a paragraph for each contact, footage notice and line of ``keys``."""
    name = capitals(newsroom.name, newsroom.language)
    return ("\n\n".join([name, *footer_lines(footer, newsroom.language), *keys]) + "\n").encode()


def contact_cards(
    contacts: Iterable[Contact],
    footage: Iterable[Footage],
    newsroom: Newsroom,
    messages: Messages,
    keys: Iterable[str] = (),
) -> bytes:
    """Return ``media-contact.vcf``: one card for each contact and for each supplier of footage.

    The cards of contacts state ``keys``, so that an address book has what to compare with. They are a note, because
    programs take the property KEY for a key of encrypted e-mail.
    """
    note = "\n\n".join(keys)
    cards = [_person_card(contact, newsroom, note) for contact in contacts]
    cards += [_supplier_card(notice, messages) for notice in footage]
    lines = [line for card in cards for line in ("BEGIN:VCARD", "VERSION:4.0", *card, "END:VCARD")]
    return b"".join(folded(line) for line in lines)


def _person_card(contact: Contact, newsroom: Newsroom, note: str) -> Iterator[str]:
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
    if note:
        yield f"NOTE:{escaped(note)}"


def _supplier_card(footage: Footage, messages: Messages) -> Iterator[str]:
    yield "KIND:org"
    yield f"FN:{escaped(footage.supplier or messages['footage'])}"
    if footage.supplier:
        yield f"ORG:{escaped(footage.supplier)}"
    if footage.telephone:
        yield f'TEL;VALUE=uri;TYPE="work,voice":{tel_uri(footage.telephone)}'
    if footage.email:
        yield f"EMAIL;TYPE=work:{escaped(footage.email)}"
    if footage.url:
        yield f"URL:{footage.url}"
    facts = (
        (messages["carrier"], messages.series(footage.all_carriers)),
        (messages["duration"], footage.duration),
        (messages["rights"], footage.rights),
        (messages["restrictions"], footage.restrictions),
    )
    yield f"NOTE:{escaped(chr(10).join([footage.notice, *(f'{label}: {value}' for label, value in facts if value)]))}"


def escaped(text: str) -> str:
    """Return ``text`` as a vCard text value (RFC 6350, 3.4)."""
    return re.sub(r"([\\,;])", r"\\\1", text).replace("\r\n", "\n").replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Return ``line`` folded into parts of at most 75 octets (RFC 6350, 3.2), never within a character."""
    parts, used = [b""], 0
    for character in line:
        octets = character.encode()
        if used + len(octets) > 75:
            parts.append(b" ")
            used = 1
        parts[-1] += octets
        used += len(octets)
    return b"\r\n".join(parts) + b"\r\n"
