"""Front matter → the typed facts of a release."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from msgspec import Struct

from pipeline.model.document import Figure, Inline, Text
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import RESERVED, SLUG, SLUG_LIMIT, Contact, Correction, Footage, Withdrawal
from pipeline.reader.dates import EXAMPLE, read_instant
from pipeline.reader.fields import Fields, spaced
from pipeline.reader.frontmatter import Mapping, Scalar, Sequence
from pipeline.reader.newsroom import read_footage
from pipeline.reader.pictures import Gallery

TITLE_LIMIT = 200


class Metadata(Struct, frozen=True):
    """Everything that the front matter says; the names are those of ``Release``."""

    title: str
    date: datetime | None
    language: str
    summary: str
    subtitle: str
    dateline: str
    reference: str
    embargo: bool
    draft: bool
    translation_of: str
    topics: tuple[str, ...]
    contacts: tuple[Contact, ...]
    footage: tuple[Footage, ...]
    image: Figure | None
    corrections: tuple[Correction, ...]
    withdrawn: Withdrawal | None


def read_metadata(fields: Fields, newsroom: Newsroom, gallery: Gallery, now: datetime | None = None) -> Metadata:
    """Return what the front matter says; what it says wrongly is reported and left out."""
    zone = ZoneInfo(newsroom.time_zone)
    date = _date(fields, zone)
    metadata = Metadata(
        title=fields.text("title", required=True, limit=TITLE_LIMIT),
        date=date,
        language=fields.language("language", newsroom.languages) or newsroom.language,
        summary=fields.text("summary"),
        subtitle=fields.text("subtitle"),
        dateline=fields.text("dateline"),
        reference=fields.text("reference"),
        embargo=fields.flag("embargo"),
        draft=fields.flag("draft"),
        translation_of=_slug(fields, "translation_of"),
        topics=fields.choices("topics", {topic.id for topic in newsroom.topics}, "topic") or (),
        contacts=_contacts(fields, newsroom),
        footage=_footage(fields, newsroom),
        image=_image(fields, gallery),
        corrections=_corrections(fields, zone, date, now),
        withdrawn=_withdrawn(fields, zone, date, now),
    )
    fields.finish()
    return metadata


def slug_fault(slug: str) -> tuple[str, str] | None:
    """Return message and hint when ``slug`` cannot be the name of a release."""
    if len(slug) > SLUG_LIMIT:
        return f"the file's name has more than {SLUG_LIMIT} characters", "shorten it"
    if not SLUG.match(slug):
        proper = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-") or "a-few-words"
        return "the file's name is not small letters, digits and single hyphens", f"rename it to {proper}.md"
    if slug in RESERVED:
        return f"the name {slug} is reserved", "choose another name for the file"
    return None


def _date(fields: Fields, zone: ZoneInfo) -> datetime | None:
    found = fields.scalar("date")
    if "date" not in fields.mapping.entries:
        fields.missing("date", EXAMPLE.replace("write the date as ", "write date: "))
    if found is None:
        return None
    return read_instant(found.text.strip(), zone, fields.name("date"), found.line, fields.report)


def _slug(fields: Fields, key: str) -> str:
    """Return another release's slug; the name of its file does as well."""
    text = fields.word(key).removesuffix(".md")
    if text and (not SLUG.match(text) or len(text) > SLUG_LIMIT):
        fields.fault(key, f"not the name of a release: {text[:80]}", "write the name of its file, without .md")
        return ""
    return text


def _contacts(fields: Fields, newsroom: Newsroom) -> tuple[Contact, ...]:
    known = {contact.id: contact for contact in newsroom.contacts}
    named = fields.choices("contacts", set(known), "contact")
    return tuple(known[name] for name in (newsroom.default_contacts if named is None else named))


def _footage(fields: Fields, newsroom: Newsroom) -> tuple[Footage, ...]:
    node = fields.take("footage")
    if isinstance(node, Mapping) or (isinstance(node, Sequence) and any(isinstance(i, Mapping) for i in node.items)):
        own = node.items if isinstance(node, Sequence) else (node,)
        return tuple(found for item in own for found in _notice(fields, item, newsroom))
    named = fields.choices("footage", set(newsroom.footage), "footage")
    return tuple(newsroom.footage[name] for name in (newsroom.default_footage if named is None else named))


def _notice(fields: Fields, node: object, newsroom: Newsroom) -> list[Footage]:
    """Return one element of a list that mixes ids and notices of the release's own."""
    if isinstance(node, Mapping):
        return [read_footage(Fields(node, fields.report, "footage."))]
    if isinstance(node, Scalar) and node.text in newsroom.footage:
        return [newsroom.footage[node.text]]
    fields.fault("footage", f"unknown footage: {node.text[:80] if isinstance(node, Scalar) else 'a list'}")
    return []


def _image(fields: Fields, gallery: Gallery) -> Figure | None:
    group = fields.group("image")
    if group is None:
        return None
    named = group.word("file", required=True)
    file = gallery.add(named, group.line("file"), group.name("file")) if named else ""
    caption = group.text("caption")
    inlines: tuple[Inline, ...] = (Text(caption),) if caption else ()
    figure = Figure(file, _alt(group), inlines, group.text("credit"))
    group.finish()
    return figure


def _alt(group: Fields) -> str:
    """Return the text alternative; ``alt: ""`` says that the picture is decorative, a blank one says nothing."""
    node = group.take("alt")
    if node is None:
        group.missing("alt", 'say what the picture shows, or write alt: "" when it is mere decoration')
        return ""
    if isinstance(node, Scalar) and node.quoted and not spaced(node.text):
        return ""
    return group.text("alt")


def _later(fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None) -> datetime | None:
    """Return the date of what was said of a public release: after it was released, and not ahead."""
    date = _date(fields, zone)
    if date and released and date < released:
        fields.fault("date", "before the release itself", "write when it was noticed, after the release's own date")
    elif date and now and date > max(now, released or now):
        fields.fault(
            "date", "lies ahead", f"write the time of now: {now.astimezone(zone).isoformat(timespec='minutes')}"
        )
    return date


def _corrections(
    fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None
) -> tuple[Correction, ...]:
    found = []
    for group in fields.groups("corrections"):
        date, note = _later(group, zone, released, now), group.text("note", required=True)
        group.finish()
        if date and note:
            found.append(Correction(date, note))
    return tuple(sorted(found, key=lambda correction: correction.date, reverse=True))


def _withdrawn(fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None) -> Withdrawal | None:
    group = fields.group("withdrawn")
    if group is None:
        return None
    date, reason, instead = (
        _later(group, zone, released, now),
        group.text("reason", required=True),
        _slug(group, "replaced_by"),
    )
    group.finish()
    return Withdrawal(date, reason, instead) if date and reason else None
