"""newsroom.toml → ``Newsroom``."""

from __future__ import annotations

import re
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pipeline.model.newsroom import FILE, Newsroom, Paper, Topic
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
    report.settle()
    return newsroom


def _read(top: Fields, folder: Path) -> Newsroom:
    house = top.group("organisation", required=True) or Fields(Mapping({}, 0), Report(""))
    language = house.language("language", required=True)
    languages = _languages(house, language)
    contacts = _contacts(top)
    footage = {name: read_footage(fields) for name, fields in _tables(top, "footage")}
    defaults = top.group("defaults") or Fields(Mapping({}, 0), top.report)
    feeds = top.group("feeds") or Fields(Mapping({}, 0), top.report)
    storage = top.group("storage")
    newsroom = Newsroom(
        name=house.text("name", required=True, limit=200),
        language=language,
        time_zone=_zone(house),
        boilerplate=house.text("boilerplate", lines=True),
        boilerplates=_by_language(house, "boilerplates", lines=True),
        languages=languages,
        mark=_mark(house, folder),
        accent=_accent(house),
        paper=_paper(house),
        reuse=house.text("reuse", lines=True),
        reuses=_by_language(house, "reuses", lines=True),
        website=house.url("website"),
        base_url=_base_url(house),
        tag_authority=_authority(feeds),
        feed_items=_items(feeds),
        contacts=contacts,
        default_contacts=defaults.choices("contacts", {contact.id for contact in contacts}, "contact") or (),
        footage=footage,
        default_footage=defaults.choices("footage", set(footage), "footage") or (),
        topics=_topics(top),
    )
    for fields in (house, defaults, feeds, storage, top):
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


def _languages(house: Fields, default: str) -> tuple[str, ...]:
    tags = [house.tag("languages", word.text, (), word.line) for word in house.words("languages") or ()]
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


def _zone(house: Fields) -> str:
    name = house.word("time_zone", required=True)
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ValueError, OSError, LookupError):
        hint = suggestion(name, available_timezones()) or "write an IANA name, e.g. Europe/London"
        house.fault("time_zone", f"unknown time zone: {name[:80]}", hint)
        return "UTC"


def _mark(house: Fields, folder: Path) -> str:
    name = house.word("mark")
    trouble = check_mark(folder, name) if name else None
    if trouble:
        house.fault("mark", *trouble)
    return name


def _accent(house: Fields) -> str:
    value = house.word("accent")
    if not value:
        return "#8a1c1c"
    if not _ACCENT.fullmatch(value):
        house.fault("accent", f"not a colour: {value[:40]}", "write it as #8a1c1c")
    elif (ratio := contrast_on_white(value)) < _CONTRAST:
        hint = "choose a darker colour"
        house.fault("accent", f"too pale to read: {ratio:.1f}:1 on white, {_CONTRAST}:1 is needed", hint)
    return value.lower()


def contrast_on_white(colour: str) -> float:
    """Return the contrast of ``#rrggbb`` on white (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _paper(house: Fields) -> Paper:
    value = house.word("paper")
    if value not in ("", "A4", "Letter"):
        house.fault("paper", f"unknown paper: {value[:40]}", "write A4 or Letter")
    return "Letter" if value == "Letter" else "A4"


def _base_url(house: Fields) -> str:
    url = house.url("base_url")
    if url and re.search(r"[?#]", url):
        house.fault("base_url", "a query or fragment in it", "write only the folder's address")
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
