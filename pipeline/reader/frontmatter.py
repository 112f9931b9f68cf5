"""Front matter: YAML → keys and values with lines → the typed metadata of a release.

Of YAML only the part without surprises is read. Every scalar stays as typed (``no``, ``1.10`` and ``12:30`` are text);
anchors, aliases, tags, merge keys and duplicate keys are refused. The parser's events are read one by one, so that a
YAML bomb is refused at its first step. Dates are instants as in RFC 3339.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import yaml
from msgspec import Struct

from pipeline.model.document import Figure, Text
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import (
    FACTS,
    SLUG,
    SLUG_LIMIT,
    Contact,
    Correction,
    MadeWith,
    Rights,
    Withdrawal,
    to_minute,
)
from pipeline.reader.addresses import is_url, old_address_problem, resolve_link
from pipeline.reader.characters import collapse_spaces, joints
from pipeline.reader.fields import Fields, GroupEntry, GroupNode, ListNode, Node, ScalarNode
from pipeline.reader.footage import KEYS, FootageReader
from pipeline.reader.instants import DATE, read_instant
from pipeline.reader.pictures import ReleasePictures, StatedRights
from pipeline.reader.report import Report, suggestion
from pipeline.reader.source import read_source
from pipeline.reader.yaml_slips import LOADER, find_slips

TITLE_LIMIT = 200
DEPTH_LIMIT = 8
_QUOTE = "put quotation marks around the value"
_CLOCKS = timedelta(seconds=3)
"""How far the clock by which ``now`` was read may be behind the one that the author looked at."""


class Metadata(Struct, frozen=True):
    """Everything that the front matter says; the names are those of ``Release``."""

    title: str
    date: datetime | None
    language: str
    summary: str
    subtitle: str
    dateline: str
    facts: dict[str, str]
    embargo: bool
    draft: bool
    translation_of: str
    topics: tuple[str, ...]
    contacts: tuple[Contact, ...]
    footage: tuple[Footage, ...]
    image: Figure | None
    corrections: tuple[Correction, ...]
    withdrawn: Withdrawal | None
    was: tuple[str, ...]


OUTER_KEYS = frozenset(Metadata.__struct_fields__) - {"facts"} | {fact.key for fact in FACTS} | {"pictures"}
_INNER_KEYS = (
    frozenset(name for struct in (Figure, Rights, Correction, Withdrawal) for name in struct.__struct_fields__) | KEYS
)


def read_metadata(
    fields: Fields,
    newsroom: Newsroom,
    pictures: ReleasePictures,
    films: FootageReader,
    now: datetime | None = None,
) -> Metadata:
    """Return what the front matter says; what is wrong is reported and left out."""
    zone = ZoneInfo(newsroom.time_zone)
    released = _read_date(fields, zone)
    _read_pictures(fields, pictures)
    metadata = Metadata(
        title=fields.text("title", required=True, limit=TITLE_LIMIT),
        date=released,
        language=fields.language("language", newsroom.languages) or newsroom.language,
        summary=fields.text("summary"),
        subtitle=fields.text("subtitle"),
        dateline=fields.text("dateline"),
        facts=_read_facts(fields, zone),
        embargo=_read_embargo(fields),
        draft=fields.flag("draft"),
        translation_of=_read_slug(fields, "translation_of"),
        topics=fields.choices("topics", {topic.id for topic in newsroom.topics}, "topic") or (),
        contacts=_read_contacts(fields, newsroom),
        footage=_read_footage(fields, newsroom, films, zone, released),
        image=_read_image(fields, pictures),
        corrections=_read_corrections(fields, zone, released, now),
        withdrawn=_read_withdrawal(fields, zone, released, now),
        was=_read_old_addresses(fields),
    )
    fields.report_unknown()
    return metadata


def line_of(source: Path, *keys: str) -> int:
    """Return the line of the first of ``keys`` that the front matter of ``source`` has, 0 when it has none.

    ``withdrawn.reason`` is the key ``reason`` below the key ``withdrawn``. Never raises: the line of a file that cannot
    be read is 0.
    """
    report = Report(str(source))
    texts = read_source(source, report)
    root = parse_front_matter(texts.front, report, texts.front_line) if texts else None
    for key in keys:
        node: Node | None = root
        line = 0
        for name in key.split("."):
            entry = node.entries.get(name) if isinstance(node, GroupNode) else None
            line, node = (entry.line, entry.node) if entry else (0, None)
        if line:
            return line
    return 0


def footage_files(source: Path) -> list[tuple[str, str, int]]:
    """Return role, name and line of the files that the footage notices of ``source`` name, captions included.

    A transcript counts with the name of its key. Raises ``ReleaseError`` when the front matter cannot be read.
    """
    report = Report(str(source))
    texts = read_source(source, report)
    root = parse_front_matter(texts.front, report, texts.front_line) if texts else None
    report.raise_faults()
    entry = root.entries.get("footage") if root else None
    notices = entry.node.items if entry and isinstance(entry.node, ListNode) else (entry.node,) if entry else ()
    found = []
    for notice in notices:
        if not isinstance(notice, GroupNode):
            continue
        fields = Fields(notice, report)
        for group in fields.groups("files"):
            found.append((group.word("role"), group.word("file"), group.line("file")))
        found += [
            (key, fields.word(key), fields.line(key)) for key in ("captions", "transcript") if key in notice.entries
        ]
    return found


# ── YAML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_front_matter(text: str, report: Report, first_line: int = 2) -> GroupNode | None:
    """Return the keys and values of ``text``, or None after reporting why there are none.

    What YAML would misread is reported, and read as its hint says, so that one run reports the rest too.
    """
    text = text.translate({0x2028: " ", 0x2029: " "})  # line ends to YAML 1.1, but to no editor
    slips, text = find_slips(text, OUTER_KEYS | _INNER_KEYS, _INNER_KEYS - OUTER_KEYS, first_line)
    for slip in slips:
        report.fault(slip.line, slip.message, slip.hint)
    try:
        return _YamlReader(text, report, first_line).document()
    except _YamlError as error:
        report.fault(*error.args)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # In the parser's own words only programmers would find what is wrong.
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        lines = text.rstrip("\n").split("\n")
        row = min(mark.line if mark else 0, len(lines) - 1)
        while row and not lines[row].strip():
            row -= 1
        if not slips:  # what follows from a slip is no fault of its own
            report.fault(
                row + first_line, "front matter: this line cannot be read", f"write it as key: value; {_QUOTE}"
            )
    return None


class _YamlError(Exception):
    """Front matter that is not read any further: line, message, hint."""


class _YamlReader:
    """Turns the parser's events into nodes; one instance a text."""

    def __init__(self, text: str, report: Report, first_line: int) -> None:
        self.lines = text.split("\n")
        self.report = report
        self.first_line = first_line
        self.events: Iterator[yaml.Event] = iter(yaml.parse(text, Loader=LOADER))

    def document(self) -> GroupNode:
        """Return the one mapping of the text. Raises for anything else."""
        next(self.events)
        start = next(self.events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise _YamlError(self.first_line, "the front matter is empty", "write at least title: and date:")
        if start.explicit:
            raise _YamlError(self.line(start), "front matter: a second ---", "delete it")
        root = self.node(next(self.events), 1)
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _YamlError(self.line(after), "front matter: it ends before this line", "delete the line above")
        if not isinstance(root, GroupNode):
            raise _YamlError(self.first_line, "front matter: no keys", "write lines such as title: Acme opens")
        return root

    def line(self, event: yaml.Event) -> int:
        return (event.start_mark.line if event.start_mark else 0) + self.first_line

    def node(self, event: yaml.Event, depth: int) -> Node:
        line = self.line(event)
        if isinstance(event, yaml.AliasEvent):
            raise _YamlError(line, "front matter: a value that begins with * needs quotation marks", _QUOTE)
        if getattr(event, "anchor", None):
            raise _YamlError(line, "front matter: a value that begins with & needs quotation marks", _QUOTE)
        if getattr(event, "tag", None):
            raise _YamlError(line, "front matter: a value that begins with ! needs quotation marks", _QUOTE)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event)
        if depth > DEPTH_LIMIT:
            raise _YamlError(line, f"front matter: nested deeper than {DEPTH_LIMIT} levels", "write it simpler")
        return self.group(event, depth) if isinstance(event, yaml.MappingStartEvent) else self.list(event, depth)

    def typed(self, start: yaml.Event, end: yaml.Event) -> str:
        """Return the rest of a line from a list in brackets or a group in braces on; empty for others."""
        first, last = start.start_mark, end.end_mark
        if not getattr(start, "flow_style", False) or not first or not last or first.line != last.line:
            return ""
        return self.lines[first.line][first.column :].rstrip()

    def scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        end = event.end_mark
        plain = event.style is None or event.style == ""
        tail = self.lines[end.line][end.column :] if end and plain and end.line < len(self.lines) else ""
        is_cut = bool(event.value) and re.match(r"\s*#", tail)
        return ScalarNode(self.joined(event), self.line(event), not plain, tail.rstrip() if is_cut else "")

    def joined(self, event: yaml.ScalarEvent) -> str:
        """Return the text of a scalar, without the spaces that YAML puts where its lines end between two East Asian
        letters."""
        text, start, end = event.value, event.start_mark, event.end_mark
        if event.style == "|" or not start or not end or start.line == end.line or text.isascii():
            return text
        lines = self.lines[start.line : end.line + 1]
        lines[0] = lines[0][start.column :].lstrip("\"'")
        at = 0
        for line, following in pairwise(map(str.strip, lines)):
            found = text.find(f"{line} {following[:1]}", at) if following else -1
            if found >= 0 and joints(f"{line}\n{following}"):
                at = found + len(line)
                text = text[:at] + text[at + 1 :]
        return text

    def list(self, start: yaml.Event, depth: int) -> ListNode:
        items = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.node(event, depth + 1))
        return ListNode(tuple(items), self.line(start), self.typed(start, event))

    def group(self, start: yaml.Event, depth: int) -> GroupNode:
        entries: dict[str, GroupEntry] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.node(event, depth + 1)
            if not isinstance(key, ScalarNode):
                raise _YamlError(key.line, "front matter: a key must be one word", "write it as key: value")
            if key.text == "<<" and not key.quoted:
                raise _YamlError(
                    key.line, "front matter: << is not a key", "delete it, and write the keys below it one by one"
                )
            node = self.node(next(self.events), depth + 1)
            if key.text in entries:
                hint = f"delete this line or line {entries[key.text].line}"
                self.report.fault(key.line, f"{key.text[:40]}: given twice", hint)
            entries.setdefault(key.text, GroupEntry(key.line, node))
        return GroupNode(entries, self.line(start), self.typed(start, event))


# ── Metadata ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_embargo(fields: Fields) -> bool:
    """Return whether it is embargoed; until when is said by ``date``, which is where the time belongs."""
    node = fields.node("embargo")
    typed = node.text if isinstance(node, ScalarNode) else ""
    hint = "the time belongs into date; here write embargo: true" if re.search(r"\d{2}|\d\D", typed) else ""
    return fields.flag("embargo", hint)


def _read_slug(fields: Fields, key: str) -> str:
    """Return the slug of another release, which may be written as the name of its file."""
    text = fields.word(key).removesuffix(".md")
    if text and (not SLUG.match(text) or len(text) > SLUG_LIMIT):
        fields.fault(key, f"not the name of a release: {text[:80]}", "write the name of its file, without .md")
        return ""
    return text


def _read_contacts(fields: Fields, newsroom: Newsroom) -> tuple[Contact, ...]:
    known = {contact.id: contact for contact in newsroom.contacts}
    named = fields.choices("contacts", set(known), "contact")
    return tuple(known[name] for name in (newsroom.default_contacts if named is None else named))


def _read_footage(
    fields: Fields, newsroom: Newsroom, films: FootageReader, zone: ZoneInfo, released: datetime | None
) -> tuple[Footage, ...]:
    """Return footage notices: ids of the newsroom's, or notices of the release's own, or a list of both.

    An empty list means none, where the newsroom has one by default.
    """
    node = fields.node("footage")
    if isinstance(node, ListNode) and not node.items:
        return ()
    items = node.items if isinstance(node, ListNode) else (node,)
    if not any(isinstance(item, GroupNode) for item in items):
        ids = fields.choices("footage", set(newsroom.footage), "footage")
        ids = newsroom.default_footage if ids is None else ids
        return tuple(films.adopt(newsroom.footage[name], fields) for name in ids)
    notices = []
    for item in items:
        if isinstance(item, GroupNode):
            notices.append(films.read(Fields(item, fields.report, "footage."), zone, released))
        elif isinstance(item, ScalarNode) and item.text in newsroom.footage:
            notices.append(films.adopt(newsroom.footage[item.text], fields))
        else:
            named = item.text[:80] if isinstance(item, ScalarNode) else "a list"
            hint = suggestion(named, newsroom.footage) or "write the name of a notice in newsroom.toml, or notice: …"
            fields.fault("footage", f"unknown footage: {named}", hint)
    return tuple(notices)


def _read_image(fields: Fields, pictures: ReleasePictures) -> Figure | None:
    group = fields.group("image", hint="write image: and in the lines below, indented, file: … and alt: …")
    if group is None:
        return None
    named = group.word("file", required=True)
    file = pictures.add(named, group.line("file"), group.name("file")) if named else ""
    caption = group.text("caption")
    figure = Figure(file, _read_alt(group), (Text(caption),) if caption else (), group.text("credit"))
    stated = _read_rights(group)
    if file and stated.rights != Rights():
        pictures.state(file, stated, group.line("file"), group.name("file"))
    group.report_unknown()
    return figure


def _read_pictures(fields: Fields, pictures: ReleasePictures) -> None:
    """Read what is said about pictures of the text; one entry may be about several."""
    for group in fields.groups("pictures", "write - file: ship.jpg and below it, under file, copyright: … and so on"):
        files, stated = group.words("file"), _read_rights(group)
        if files is None:
            group.missing("file", "add a line file: with the name of a picture, or of several: [a.jpg, b.jpg]")
        for key in ("alt", "caption", "credit"):
            if group.node(key) is not None:
                hint = 'write it where the picture is: ![Text alternative](file.jpg "Caption | Credit"), or below image'
                group.fault(key, "does not belong here", hint)
        for file in files or ():
            pictures.state(file.text.strip(), stated, file.line, group.name("file"))
        group.report_unknown()


def _read_rights(group: Fields) -> StatedRights:
    """Return what a group says about the rights and the making of a picture."""
    page = group.url("rights_page")
    made_with = group.word("made_with")
    ways: tuple[MadeWith, ...] = get_args(MadeWith)
    if made_with not in ways:
        group.fault("made_with", f"unknown: {made_with[:40]}", suggestion(made_with, filter(None, ways)))
    known = next((way for way in ways if way == made_with), ways[0])
    rights = Rights(group.text("copyright"), group.text("usage"), page, known)
    return StatedRights(rights, group.name("made_with"), group.line("made_with"))


def _read_alt(group: Fields) -> str:
    """Return the text alternative. ``alt: ""`` says that the picture is decoration; ``alt:`` is an omission."""
    node = group.node("alt")
    if node is None:
        group.missing("alt", 'describe the picture, or write alt: "" if it is only decoration')
        return ""
    if isinstance(node, ScalarNode) and node.quoted and not collapse_spaces(node.text):
        return ""
    return group.text("alt")


def _read_corrections(
    fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None
) -> tuple[Correction, ...]:
    """Return the corrections, the latest first."""
    corrections = []
    for group in fields.groups("corrections", f"write - {DATE} and below it, under date, note: …"):
        corrected, note = _read_later_date(group, zone, released, now), group.text("note", required=True)
        group.report_unknown()
        if corrected and note:
            corrections.append(Correction(corrected, note))
    # Of two that are dated the same, the one that is further up is the newer.
    return tuple(sorted(corrections, key=lambda correction: correction.date, reverse=True))


def _read_withdrawal(
    fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None
) -> Withdrawal | None:
    group = fields.group("withdrawn", hint="write withdrawn: and in the lines below, indented, date: … and reason: …")
    if group is None:
        return None
    withdrawn, reason = _read_later_date(group, zone, released, now), group.text("reason", required=True)
    replacement = _read_slug(group, "replaced_by")
    group.report_unknown()
    return Withdrawal(withdrawn, reason, replacement) if withdrawn and reason else None


def _read_old_addresses(fields: Fields) -> tuple[str, ...]:
    """Return the addresses below the newsroom at which the release stood before."""
    addresses = []
    for scalar in fields.words("was") or ():
        address = scalar.text.strip()
        if problem := old_address_problem(address):
            fields.fault("was", f"{problem[0]}: {address[:80]}", problem[1], scalar.line)
        else:
            addresses.append(address)
    return tuple(addresses)


# ── Dates ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read_facts(fields: Fields, zone: ZoneInfo) -> dict[str, str]:
    """Return the facts that the front matter has."""
    facts: dict[str, str] = {}
    for fact in FACTS:
        if fact.kind == "date":
            instant = read_instant(fields, fact.key, zone)
            facts[fact.key] = instant.isoformat() if instant else ""
        else:
            facts[fact.key] = fields.text(fact.key)
        if fact.kind == "address" and facts[fact.key]:
            if problem := resolve_link(facts[fact.key])[1]:
                fields.fault(fact.key, *problem)
            elif not is_url(facts[fact.key]):
                fields.fault(fact.key, "not a web address", "write it as https://example.org/…")
    return {key: value for key, value in facts.items() if value}


def _read_date(fields: Fields, zone: ZoneInfo) -> datetime | None:
    if "date" not in fields.entries:
        fields.missing("date", f"write {DATE}")
    return read_instant(fields, "date", zone)


def _read_later_date(
    fields: Fields, zone: ZoneInfo, released: datetime | None, now: datetime | None
) -> datetime | None:
    """Return the date of a correction or withdrawal: not before the release's own minute, nor after the current one."""
    later = _read_date(fields, zone)
    if later and released and to_minute(later) < to_minute(released):
        fields.fault("date", "before the release itself", "write when it was noticed, after the release's own date")
    elif later and now and to_minute(later) > to_minute(max(now + _CLOCKS, released or now)):
        current = now.astimezone(zone).isoformat(timespec="minutes")
        fields.fault("date", "in the future", f"write the current time: {current}")
    return later
