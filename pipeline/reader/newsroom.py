"""newsroom.toml → ``Newsroom``."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pipeline.model.newsroom import FILE, Newsroom, PaperSize, Topic
from pipeline.model.release import Contact, Footage
from pipeline.reader.fields import Fields
from pipeline.reader.frontmatter import Mapping
from pipeline.reader.pictures import check_mark
from pipeline.reader.report import Report, suggestion
from pipeline.reader.source import read_text
from pipeline.reader.toml import parse_toml

_LIMIT = 256 * 1024
_CONTRAST = 4.5
_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_ACCENT = re.compile(r"#[0-9a-fA-F]{6}")
_AUTHORITY = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+|[\w.+-]+@[a-z0-9.-]+),\d{4}(-\d\d(-\d\d)?)?")


def read_newsroom_file(folder: Path) -> Newsroom:
    """Return the newsroom that ``folder`` belongs to. Raises ``ReleaseError`` with all faults of its newsroom.toml."""
    file = folder / FILE
    report = Report(str(file))
    if not file.exists():
        report.fault(0, "there is no newsroom.toml", f"write one into {folder}: [organisation] with name and language")
    text = read_text(file, _LIMIT, report) if file.exists() else None
    mapping = None if text is None else parse_toml(text, report)
    if mapping is None:
        raise report.error()
    newsroom = _read(Fields(mapping, report), folder)
    report.raise_faults()
    return newsroom


def _read(top: Fields, folder: Path) -> Newsroom:
    organisation = top.group("organisation", required=True) or Fields(Mapping({}, 0), Report(""))
    language = organisation.language("language", required=True)
    languages = _languages(organisation, language)
    contacts = _contacts(top)
    footage = {name: read_footage(fields) for name, fields in _tables(top, "footage")}
    defaults = top.group("defaults") or Fields(Mapping({}, 0), top.report)
    feeds = top.group("feeds") or Fields(Mapping({}, 0), top.report)
    storage = top.group("storage")
    newsroom = Newsroom(
        name=organisation.text("name", required=True, limit=200),
        language=language,
        time_zone=_zone(organisation),
        boilerplate=organisation.text("boilerplate", lines=True),
        boilerplates=_by_language(organisation, "boilerplates", lines=True),
        languages=languages,
        mark=_mark(organisation, folder),
        accent=_accent(organisation),
        paper=_paper(organisation),
        reuse=organisation.text("reuse", lines=True),
        reuses=_by_language(organisation, "reuses", lines=True),
        website=organisation.url("website"),
        base_url=_base_url(organisation),
        tag_authority=_authority(feeds),
        feed_items=_items(feeds),
        contacts=contacts,
        default_contacts=defaults.choices("contacts", {contact.id for contact in contacts}, "contact") or (),
        footage=footage,
        default_footage=defaults.choices("footage", set(footage), "footage") or (),
        topics=_topics(top),
    )
    for fields in (organisation, defaults, feeds, storage, top):
        if fields:
            fields.finish()
    return newsroom


def _tables(top: Fields, key: str) -> list[tuple[str, Fields]]:
    """Return the sub-tables of ``key`` by id, and report ids that are none."""
    group = top.group(key)
    found = []
    for name, entry in group.mapping.entries.items() if group else ():
        if group and (fields := group.group(name)):
            if not _ID.fullmatch(name):
                group.fault(name, "not an id", "use small letters, digits and hyphens", entry.line)
            found.append((name, fields))
    return found


def _languages(organisation: Fields, default: str) -> tuple[str, ...]:
    tags = [organisation.tag("languages", word.text, (), word.line) for word in organisation.words("languages") or ()]
    if tags and default and default.lower() not in map(str.lower, tags):
        tags.insert(0, default)
    return tuple(filter(None, tags))


def _contacts(top: Fields) -> tuple[Contact, ...]:
    found = []
    for name, fields in _tables(top, "contacts"):
        spoken = [fields.tag("languages", word.text, (), word.line) for word in fields.words("languages") or ()]
        contact = Contact(
            id=name,
            name=fields.text("name", required=True),
            role=fields.text("role"),
            telephone=fields.telephone("telephone"),
            out_of_hours=fields.telephone("out_of_hours"),
            email=fields.email("email"),
            languages=tuple(filter(None, spoken)),
        )
        fields.finish()
        found.append(contact)
    return tuple(found)


def read_footage(fields: Fields) -> Footage:
    """Return a footage notice, from newsroom.toml or from a release's own front matter."""
    footage = Footage(
        notice=fields.text("notice", required=True),
        carrier=fields.text("carrier"),
        duration=fields.text("duration"),
        rights=fields.text("rights"),
        supplier=fields.text("supplier"),
        telephone=fields.telephone("telephone"),
        email=fields.email("email"),
        url=fields.url("url"),
        preview=fields.url("preview"),
    )
    fields.finish()
    return footage


def _by_language(fields: Fields, key: str, *, lines: bool = False) -> dict[str, str]:
    group = fields.group(key)
    names = group.mapping.entries if group else {}
    return {tag: group.text(tag, lines=lines) for tag in names if group and group.tag(tag, tag, (), group.line(tag))}


def _zone(organisation: Fields) -> str:
    name = organisation.word("time_zone", required=True)
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ValueError, OSError, LookupError):
        hint = suggestion(name, available_timezones()) or "write an IANA name, e.g. Europe/London"
        organisation.fault("time_zone", f"unknown time zone: {name[:80]}", hint)
        return "UTC"


def _mark(organisation: Fields, folder: Path) -> str:
    name = organisation.word("mark")
    problem = check_mark(folder, name) if name else None
    if problem:
        organisation.fault("mark", *problem)
    return name


def _accent(organisation: Fields) -> str:
    value = organisation.word("accent")
    if not value:
        return "#8a1c1c"
    if not _ACCENT.fullmatch(value):
        organisation.fault("accent", f"not a colour: {value[:40]}", "write it as #8a1c1c")
    elif (ratio := contrast_on_white(value)) < _CONTRAST:
        hint = "choose a darker colour"
        organisation.fault("accent", f"too pale to read: {ratio:.1f}:1 on white, {_CONTRAST}:1 is needed", hint)
    return value.lower()


def contrast_on_white(colour: str) -> float:
    """Return the contrast of ``#rrggbb`` on white (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _paper(organisation: Fields) -> PaperSize:
    value = organisation.word("paper")
    if value not in ("", "A4", "Letter"):
        organisation.fault("paper", f"unknown paper: {value[:40]}", "write A4 or Letter")
    return "Letter" if value == "Letter" else "A4"


def _base_url(organisation: Fields) -> str:
    url = organisation.url("base_url")
    if url and re.search(r"[?#]", url):
        organisation.fault("base_url", "a query or fragment in it", "write only the folder's address")
    return url if not url or url.endswith("/") else f"{url}/"


def _authority(feeds: Fields) -> str:
    value = feeds.word("tag_authority")
    if value and not _AUTHORITY.fullmatch(value):
        hint = "write a domain that was yours on a day, e.g. example.org,2026 (RFC 4151)"
        feeds.fault("tag_authority", "not a tagging entity", hint)
    return value


def _items(feeds: Fields) -> int:
    value = feeds.word("items")
    if not value:
        return 100
    if not re.fullmatch(r"\d{1,4}", value) or not 1 <= int(value) <= 1000:
        feeds.fault("items", f"not a number from 1 to 1000: {value[:40]}", "write items = 100")
        return 100
    return int(value)


def _topics(top: Fields) -> tuple[Topic, ...]:
    group = top.group("topics")
    found = []
    for name, entry in group.mapping.entries.items() if group else ():
        if group is None or not _ID.fullmatch(name):
            top.fault(f"topics.{name[:40]}", "not an id", "use small letters, digits and hyphens", entry.line)
        elif not isinstance(entry.node, Mapping):
            found.append(Topic(name, group.text(name)))
        elif fields := group.group(name):
            label = fields.text("label", required=True)
            tags = [tag for tag in fields.mapping.entries if tag != "label"]
            labels = {tag: fields.text(tag) for tag in tags if fields.tag(tag, tag, (), fields.line(tag))}
            found.append(Topic(name, label, labels))
    return tuple(found)
