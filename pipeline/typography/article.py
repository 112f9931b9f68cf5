"""A release dressed for print: its words together with the template's, in reading order.

Every writer sets an ``Article``, none composes a sentence of its own; that is why all formats say the same. The order
of the fields is the order on paper.
"""

from __future__ import annotations

from msgspec import Struct

from pipeline.model.document import Block, Figure
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, Footage, Related, Release, tel_uri
from pipeline.typography.messages import Messages


class Line(Struct, frozen=True):
    """A labelled line of the footer; ``href`` makes the value a link when it is not empty."""

    label: str
    value: str
    href: str = ""
    language: str = ""
    """Of the value, where that may be another than the article's."""
    direction: str = ""


class Notice(Struct, frozen=True):
    """A correction or a withdrawal as it stands at the top."""

    label: str
    text: str
    link: Line | None = None


class Party(Struct, frozen=True):
    """One entry of the media-contact footer: a person or desk, or a footage notice."""

    name: str
    """The person's name; empty for footage."""
    text: str
    """The person's role, or the words of the footage notice."""
    lines: tuple[Line, ...]


class Footer(Struct, frozen=True):
    """The media-contact footer: people on one side, footage on the other."""

    contacts_heading: str
    contacts: tuple[Party, ...]
    footage_heading: str
    footage: tuple[Party, ...]


class Article(Struct, frozen=True):
    """All words of a release in reading order."""

    slug: str
    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    organisation: str
    kind: str
    """``Press release`` in the article's language."""
    reference: str
    """``Reference: ASA 25/001/1999`` or empty."""
    date: str
    """The day as printed."""
    datetime: str
    """The same instant in RFC 3339 for machines."""
    embargoed: bool
    status: str
    """The status line, in the case of running text; style sets it in capitals. Empty when the release is withdrawn."""
    notices: tuple[Notice, ...]
    title: str
    subtitle: str
    image: Figure | None
    dateline: str
    """Place and date, to be run into the first sentence; empty when the release names no place."""
    body: tuple[Block, ...]
    """Empty when the release is withdrawn."""
    ends: str
    """Empty when the release is withdrawn."""
    about_heading: str
    boilerplate: tuple[str, ...]
    notes: tuple[Block, ...]
    """Notes to editors, their heading first."""
    footer: Footer
    reuse: str
    """``Reuse: …`` or empty."""


DATELINE_MARK = " – "
"""Between dateline and first sentence."""


def compose(
    release: Release,
    newsroom: Newsroom,
    messages: Messages,
    *,
    embargoed: bool = False,
    replacement: Related | None = None,
) -> Article:
    """Dress ``release``; ``embargoed`` marks a copy that is handed out before the release's date.

    ``instead`` is what replaces a withdrawn one, as far as the public may know of it.
    """
    withdrawn = release.withdrawn is not None
    terms = newsroom.reuse_in(release.language)
    place = (
        messages["dateline"].format(place=release.dateline, date=messages.date(release.date))
        if release.dateline
        else ""
    )
    return Article(
        slug=release.slug,
        language=release.language,
        direction=messages.direction,
        organisation=newsroom.name,
        kind=messages["press_release"],
        reference=messages["reference"].format(reference=release.reference) if release.reference else "",
        date=messages.date(release.date),
        datetime=release.date.isoformat(),
        embargoed=embargoed,
        status=_status(release, messages, embargoed),
        notices=_notices(release, messages, replacement),
        title=release.title,
        subtitle="" if withdrawn else release.subtitle,
        image=None if withdrawn else release.image,
        dateline="" if withdrawn else place,
        body=() if withdrawn else release.body,
        ends="" if withdrawn else messages["ends"],
        about_heading=messages["about"].format(name=newsroom.name),
        boilerplate=paragraphs(newsroom.boilerplate_in(release.language)),
        notes=() if withdrawn else release.notes,
        footer=compose_footer(release.contacts, release.footage, messages),
        reuse=messages["reuse"].format(terms=terms) if terms else "",
    )


def compose_footer(contacts: tuple[Contact, ...], footage: tuple[Footage, ...], messages: Messages) -> Footer:
    """Set the media-contact footer of a release or of the newsroom in general."""
    return Footer(
        contacts_heading=messages["media_contact"],
        contacts=tuple(_person(contact, messages) for contact in contacts),
        footage_heading=messages["footage"],
        footage=tuple(_footage(notice, messages) for notice in footage),
    )


def paragraphs(text: str) -> tuple[str, ...]:
    """Split plain text at blank lines; lines within a paragraph are joined."""
    return tuple(" ".join(part.split()) for part in text.strip().split("\n\n") if part.strip())


def _status(release: Release, messages: Messages, embargoed: bool) -> str:
    """Return when the words may be used; of what was withdrawn, none may."""
    if embargoed:
        return messages["embargoed_until"].format(when=messages.instant(release.date))
    return "" if release.withdrawn else messages["for_immediate_release"]


def _notices(release: Release, messages: Messages, replacement: Related | None) -> tuple[Notice, ...]:
    if release.withdrawn:  # what was corrected is not told any more either
        link = _to_read(release.withdrawn.replaced_by, messages, replacement)
        label = messages["withdrawn"].format(date=messages.date(release.withdrawn.date))
        return (Notice(label, release.withdrawn.reason, link),)
    return tuple(
        Notice(messages["correction"].format(date=messages.date(correction.date)), correction.note)
        for correction in release.corrections
    )


def _to_read(slug: str, messages: Messages, found: Related | None) -> Line | None:
    """Return the way to what replaces a release: by its title where that is public, by its name where it is not."""
    if not slug:
        return None
    if found is None:
        return Line(messages["replaced_by"], slug, f"{slug}.html")
    there = Messages(found.language, messages.zone.key)
    return Line(messages["replaced_by"], found.title, f"{slug}.html", found.language, there.direction)


def _person(contact: Contact, messages: Messages) -> Party:
    lines = []
    if contact.telephone:
        lines.append(Line(messages["telephone"], contact.telephone, tel_uri(contact.telephone)))
    if contact.out_of_hours:
        lines.append(Line(messages["out_of_hours"], contact.out_of_hours, tel_uri(contact.out_of_hours)))
    if contact.email:
        lines.append(Line(messages["email"], contact.email, f"mailto:{contact.email}"))
    if contact.languages:
        lines.append(Line(messages["languages"], ", ".join(map(messages.language_name, contact.languages))))
    return Party(contact.name, contact.role, tuple(lines))


def _footage(footage: Footage, messages: Messages) -> Party:
    lines = [
        Line(messages[label], value)
        for label, value in (("carrier", footage.carrier), ("duration", footage.duration), ("rights", footage.rights))
        if value
    ]
    if footage.supplier:
        lines.append(Line(messages["copies_from"], footage.supplier))
    if footage.telephone:
        lines.append(Line(messages["telephone"], footage.telephone, tel_uri(footage.telephone)))
    if footage.email:
        lines.append(Line(messages["email"], footage.email, f"mailto:{footage.email}"))
    if footage.url:
        lines.append(Line(messages["download"], footage.url, footage.url))
    if footage.preview:
        lines.append(Line(messages["preview"], footage.preview, footage.preview))
    return Party("", footage.notice, tuple(lines))


def footer_lines(footer: Footer) -> list[str]:
    """Return the media-contact footer as paragraphs of text."""
    parts: list[str] = []
    for heading, parties in ((footer.contacts_heading, footer.contacts), (footer.footage_heading, footer.footage)):
        if parties:
            parts += [heading.upper(), *map(_party, parties)]
    return parts


def _party(party: Party) -> str:
    return "\n".join([*filter(None, (party.name, party.text)), *map(line_text, party.lines)])


def line_text(line: Line) -> str:
    """Return a labelled line as text."""
    return f"{line.label}: {line.value}"
