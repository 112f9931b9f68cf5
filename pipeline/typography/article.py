"""The article: the text of a release together with the template's messages, in reading order.

Every writer renders an ``Article`` and adds no text of its own, so that all formats say the same. The fields are in
the order of print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from msgspec import Struct

from pipeline.model.document import Block, Figure
from pipeline.model.footage import Footage, Missing
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import FACTS, Contact, Fact, Related, Release, tel_uri
from pipeline.model.statement import PAGE, SigningKey
from pipeline.typography.footage import NO_BREAK, Film, file_facts, file_label, films
from pipeline.typography.messages import Messages, capitals, direction_of, paragraphs


class Line(Struct, frozen=True):
    """A labelled line of the footer; ``href`` makes the value a link when it is not empty."""

    label: str
    value: str
    href: str = ""
    language: str = ""
    """Language of the value, if it can differ from that of the article."""
    direction: str = ""
    address: str = ""
    """Where the link leads, in full, if the value does not say it: a text states it too."""


class FactLine(Struct, frozen=True):
    """A line of text with a value in it, such as a fact; ``href`` makes the value a link when it is not empty."""

    before: str
    """``Reference: ``, as the message of the language has it."""
    value: str
    after: str
    href: str = ""

    @property
    def text(self) -> str:
        """The whole line as text."""
        return self.before + self.value + self.after


class Notice(Struct, frozen=True):
    """A correction or a withdrawal, shown above the title."""

    label: str
    text: str
    link: Line | None = None


class Party(Struct, frozen=True):
    """One entry of the media-contact footer: a person, an office or a footage notice."""

    name: str
    """Name of the person; empty for footage."""
    text: str
    """Role of the person, or the text of the footage notice."""
    lines: tuple[Line, ...]


class Footer(Struct, frozen=True):
    """The media-contact footer: contacts and footage notices."""

    contacts_heading: str
    contacts: tuple[Party, ...]
    footage_heading: str
    footage: tuple[Party, ...]


class Article(Struct, frozen=True):
    """All text of a release in reading order."""

    slug: str
    language: str
    direction: str
    """``ltr`` or ``rtl``."""
    organisation: str
    kind: str
    """``Press release`` in the article's language."""
    facts: tuple[FactLine, ...]
    """``Reference: ASA 25/001/1999`` or empty."""
    date: str
    """The day, as printed."""
    datetime: str
    """The instant in RFC 3339, for machines."""
    embargoed: bool
    status: str
    """The status line. Style sheets print it in capitals. Empty for a withdrawn release."""
    notices: tuple[Notice, ...]
    title: str
    subtitle: str
    image: Figure | None
    dateline: str
    """Place and date, printed before the first sentence; empty if the release names no place."""
    body: tuple[Block, ...]
    """Empty for a withdrawn release."""
    ends: str
    """Empty for a withdrawn release."""
    about_heading: str
    boilerplate: tuple[str, ...]
    notes: tuple[Block, ...]
    """Notes to editors with their heading."""
    films: tuple[Film, ...]
    """Shot lists and transcripts of the footage. Empty for a withdrawn release."""
    footer: Footer
    reuse: str
    """``Reuse: …`` or empty."""
    current: Line | None = None
    """For paper: where the current version is, if newsroom.toml states the newsroom's address."""
    verification: FactLine | None = None
    """Where anybody can check a copy, if the newsroom signs its releases. It does not change when a key does."""


DATELINE_MARK = " – "
"""Printed between the dateline and the first sentence."""


def compose(
    release: Release,
    newsroom: Newsroom,
    messages: Messages,
    *,
    base_url: str,
    embargoed: bool = False,
    holder: str = "",
    replacement: Related | None = None,
    missing: Mapping[str, Missing] = {},
) -> Article:
    """Return the article of ``release``.

    ``base_url`` is the newsroom's public address. ``embargoed`` marks a copy that is given out before the release's
    date, ``holder`` names whom it is given to. ``replacement`` is the release that replaces a withdrawn one, if it is
    public. ``missing`` names the footage files that are not there.
    """
    withdrawn = release.withdrawn is not None
    terms = newsroom.reuse_in(release.language)
    place = (
        messages.fill("dateline", place=release.dateline, date=messages.date(release.date)) if release.dateline else ""
    )
    return Article(
        slug=release.slug,
        language=release.language,
        direction=messages.direction,
        organisation=newsroom.name,
        kind=messages["press_release"],
        facts=tuple(_fact_line(fact, release, messages) for fact in FACTS if fact.key in release.facts),
        date=messages.date(release.date),
        datetime=release.date.isoformat(),
        embargoed=embargoed,
        status=embargo_line(release, messages, holder) if embargoed else _status(release, messages),
        notices=_notices(release, messages, replacement),
        title=release.title,
        subtitle="" if withdrawn else release.subtitle,
        image=None if withdrawn else release.image,
        dateline="" if withdrawn else place,
        body=() if withdrawn else release.body,
        ends="" if withdrawn else messages["ends"],
        about_heading=messages.fill("about", name=newsroom.name),
        boilerplate=paragraphs(newsroom.boilerplate_in(release.language)),
        notes=() if withdrawn else release.notes,
        films=() if withdrawn else films(release.footage, messages),
        footer=compose_footer(
            release.contacts,
            release.footage,
            messages,
            None if withdrawn else _Listing(release.slug, base_url, missing, embargoed=embargoed),
        ),
        reuse=messages.fill("reuse", terms=terms) if terms else "",
        current=None if withdrawn else _current(release, newsroom, messages),
        verification=_verification(base_url, messages) if newsroom.signs and not withdrawn else None,
    )


class _Listing(Struct, frozen=True):
    """Where the files of footage are, and which are not there."""

    slug: str
    base_url: str
    missing: Mapping[str, Missing]
    embargoed: bool


def compose_footer(
    contacts: tuple[Contact, ...], footage: tuple[Footage, ...], messages: Messages, listing: _Listing | None = None
) -> Footer:
    """Return the media-contact footer of a release, or of the newsroom; with a ``listing``, it lists footage files."""
    return Footer(
        contacts_heading=messages["media_contact"],
        contacts=tuple(_person(contact, messages) for contact in contacts),
        footage_heading=messages["footage"],
        footage=tuple(_footage(notice, messages, listing) for notice in footage),
    )


def key_parties(keys: Iterable[SigningKey], messages: Messages) -> tuple[Party, ...]:
    """Return the keys that sign releases as entries below the contacts, with the fingerprints that people compare."""
    return tuple(
        Party(
            key.name,
            key.fingerprint,
            tuple(
                Line(messages[label], _utc(moment))
                for label, moment in (("valid_from", key.valid_after), ("valid_before", key.valid_before))
                if moment
            ),
        )
        for key in keys
    )


def _utc(moment: datetime) -> str:
    """Return day and time as the file of the signers has them: they are compared, and mean the same everywhere."""
    there = moment.astimezone(UTC)
    return (
        f"{there:%Y-%m-%d} UTC" if there.hour == there.minute == there.second == 0 else f"{there:%Y-%m-%d %H:%M:%S} UTC"
    )


def _fact_line(fact: Fact, release: Release, messages: Messages) -> FactLine:
    before, _, after = messages[fact.key].partition(f"{{{fact.key}}}")
    value = release.facts[fact.key]
    if fact.kind == "date":
        value = messages.instant(datetime.fromisoformat(value))
    return FactLine(before, value, after, value if fact.kind == "address" else "")


def _current(release: Release, newsroom: Newsroom, messages: Messages) -> Line | None:
    """Return the address of the release's page that paper states; none of a storage, which a print outlives."""
    address = f"{newsroom.base_url}releases/{release.slug}.html"
    return Line(messages["current"], address, address) if newsroom.base_url else None


def _verification(base_url: str, messages: Messages) -> FactLine:
    before, _, after = messages["genuine"].partition("{address}")
    return FactLine(before, base_url + PAGE, after, base_url + PAGE)


def embargo_line(release: Release, messages: Messages, holder: str = "") -> str:
    """Return until when the release is embargoed, and whom the copy is for, if it is for somebody."""
    until = messages.fill("embargoed_until", when=messages.instant(release.date))
    return messages.fill("embargoed_copy", embargo=until, holder=messages.isolated(holder)) if holder else until


def _status(release: Release, messages: Messages) -> str:
    """Return from when the release may be used. A withdrawn release may not be used at all."""
    return "" if release.withdrawn else messages["for_immediate_release"]


def _notices(release: Release, messages: Messages, replacement: Related | None) -> tuple[Notice, ...]:
    if release.withdrawn:  # its corrections repeat withdrawn text
        link = _replacement_line(release.withdrawn.replaced_by, messages, replacement)
        label = messages.fill("withdrawn", date=messages.date(release.withdrawn.date))
        return (Notice(label, release.withdrawn.reason, link),)
    return tuple(
        Notice(messages.fill("correction", date=messages.date(correction.date)), correction.note)
        for correction in release.corrections
    )


def _replacement_line(slug: str, messages: Messages, replacement: Related | None) -> Line | None:
    """Return a link to the replacement: with its title if it is public, else with its slug."""
    if not slug:
        return None
    label, href = messages["replaced_by"], f"{slug}.html"
    if replacement is None:
        return Line(label, slug, href)
    return Line(label, replacement.title, href, replacement.language, direction_of(replacement.language))


def _person(contact: Contact, messages: Messages) -> Party:
    values = (
        ("telephone", contact.telephone, tel_uri),
        ("out_of_hours", contact.out_of_hours, tel_uri),
        ("email", contact.email, _mailto),
        ("languages", ", ".join(map(messages.language_name, contact.languages)), _no_link),
    )
    return Party(contact.name, contact.role, _party_lines(values, messages))


def _footage(footage: Footage, messages: Messages, listing: _Listing | None) -> Party:
    values = (
        ("carrier", messages.series(footage.all_carriers), _no_link),
        ("duration", footage.duration, _no_link),
        ("rights", footage.rights, _no_link),
        ("restrictions", footage.restrictions, _no_link),
        ("copies_from", footage.supplier, _no_link),
        ("telephone", footage.telephone, tel_uri),
        ("email", footage.email, _mailto),
        ("download", footage.url, str),
        ("preview", footage.preview, str),
    )
    files = tuple(_file_lines(footage, messages, listing)) if listing else ()
    return Party("", footage.notice, (*_party_lines(values, messages), *files))


def _file_lines(footage: Footage, messages: Messages, listing: _Listing) -> Iterator[Line]:
    """Yield a line for each file that is there or will be, and one that says how long there are any."""
    gone = [file for file in footage.files if listing.missing.get(file.file) == "gone"]
    for file in footage.files:
        label = file_label(file, messages)
        if file.file not in listing.missing:
            href = f"{listing.slug}/{file.file}"
            yield Line(label, file_facts(file, messages), href, address=f"{listing.base_url}releases/{href}")
        elif file not in gone:
            coming = messages["after_embargo" if listing.embargoed else "in_a_moment"]
            yield Line(label, file_facts(file, messages, coming))
    if footage.expires and footage.files:
        if gone:
            yield Line(messages["files_gone"], messages.date(footage.expires))
        else:
            yield Line(messages["files_until"], messages.instant(footage.expires))


def _party_lines(values: Iterable[tuple[str, str, Callable[[str], str]]], messages: Messages) -> tuple[Line, ...]:
    """Return a line for each value that is not empty: the name of its label, the value, and what makes its link."""
    return tuple(Line(messages[label], value, link(value)) for label, value, link in values if value)


def _mailto(address: str) -> str:
    return f"mailto:{address}"


def _no_link(_: str) -> str:
    return ""


def footer_lines(footer: Footer, language: str) -> list[str]:
    """Return the media-contact footer as paragraphs of plain text in ``language``."""
    sides = ((footer.contacts_heading, footer.contacts), (footer.footage_heading, footer.footage))
    return [line for heading, parties in sides for line in party_lines(heading, parties, language)]


def party_lines(heading: str, parties: Iterable[Party], language: str) -> list[str]:
    """Return entries below their heading in the same way; nothing without entries."""
    texts = [*map(_party_text, parties)]
    return [capitals(heading, language), *texts] if texts else []


def _party_text(party: Party) -> str:
    return "\n".join([*filter(None, (party.name, party.text)), *map(line_text, party.lines)])


def line_text(line: Line) -> str:
    """Return a line as plain text."""
    if line.address:
        return f"{line.label}: {line.value.replace(NO_BREAK, ' ')} ({line.address})"
    return f"{line.label}: {line.value}"
