"""Lines about people → parties, and which of the newsroom's contacts they are."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, tel_uri
from pipeline.reader.imports import labels

_PHONE = re.compile(r"(?:\+|00|\(?0)[\d ()./\u00a0-]{6,22}\d|\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}(?!\d)")
_EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")


class Party(Struct, frozen=True):
    """A person or an office that can be called, as a file names it."""

    lines: tuple[str, ...]
    phones: tuple[str, ...]
    emails: tuple[str, ...]

    def __str__(self) -> str:
        return " · ".join(self.lines)


def find_parties(lines: Iterable[str], *, strict: bool = False) -> list[Party]:
    """Return the parties in ``lines``: a new one begins at a name below somebody's number or address.

    With ``strict``, only lines with a label, a number or an address at all count.
    """
    parties: list[list[str]] = [[]]
    for line in [" ".join(each.split()) for each in lines]:
        if not line:
            continue
        own = _is_reached(line)
        if parties[-1] and not own and any(map(_is_reached, parties[-1])):
            parties.append([])
        parties[-1].append(line)
    found: list[Party] = []
    for party in filter(None, parties):
        if len(found) and not any(map(_is_reached, party)):  # a last line, such as office hours
            last = found.pop()
            found.append(_party([*last.lines, *party]))
        else:
            found.append(_party(party))
    return [party for party in found if party.phones or party.emails] if strict else found


def _is_reached(line: str) -> bool:
    return bool(labels.field_of(line) or _PHONE.search(line) or _EMAIL.search(line))


def _party(lines: list[str]) -> Party:
    text = "\n".join(lines)
    return Party(tuple(lines), tuple(_PHONE.findall(text)), tuple(_EMAIL.findall(text)))


def match_party(party: Party, newsroom: Newsroom) -> Contact | None:
    """Return the newsroom's contact with the same number, address, or name; the one that shares most."""
    phones, emails = {_digits(each) for each in party.phones}, {each.casefold() for each in party.emails}
    names = {labels.fold(line) for line in party.lines}
    best, score = None, 0
    for contact in newsroom.contacts:
        own = {_digits(each) for each in (contact.telephone, contact.out_of_hours) if each}
        shared = 2 * len(own & phones) + 2 * (contact.email.casefold() in emails) + (labels.fold(contact.name) in names)
        if shared > score:
            best, score = contact, shared
    return best


def _digits(number: str) -> str:
    """Return a number without country code and trunk prefix, by which it is written in several ways."""
    return re.sub(r"\D", "", tel_uri(number))[-9:]
