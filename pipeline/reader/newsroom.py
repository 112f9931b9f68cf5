"""newsroom.toml → ``Newsroom``; TOML is read into the same nodes as front matter."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, MutableMapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pipeline.model.errors import WARNINGS
from pipeline.model.footage import Film
from pipeline.model.newsroom import FILE, Newsroom, PaperSize, Topic, read_address
from pipeline.model.release import Contact
from pipeline.model.statement import SIGNERS
from pipeline.reader.fields import Fields, GroupEntry, GroupNode, ListNode, Node, ScalarNode
from pipeline.reader.footage import FootageReader
from pipeline.reader.pictures import check_mark
from pipeline.reader.report import Report, suggestion
from pipeline.reader.signers import read_signers
from pipeline.reader.source import read_text

_LIMIT = 256 * 1024
_CONTRAST = 4.5
_ACCENT = "#8a1c1c"
_FEED_ITEMS = 100
_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_BAD_ID = "not an id", "use small letters, digits and hyphens"
_AUTHORITY = re.compile(r"([a-z0-9-]+(\.[a-z0-9-]+)+|[\w.+-]+@[a-z0-9.-]+),\d{4}(-\d\d(-\d\d)?)?")
_TOML_HINT = "put texts in quotation marks; https://toml.io describes the format"


def read_newsroom_file(folder: Path, films: MutableMapping[str, Film], now: datetime | None = None) -> Newsroom:
    """Return the newsroom of ``folder``. Raises ``ReleaseError`` with all faults of its newsroom.toml."""
    file = folder / FILE
    report = Report(str(file))
    if not file.exists():
        hint = f"create it in {folder} with a table [organisation] that has name, language and time_zone"
        report.fault(0, "there is no newsroom.toml", hint)
    text = read_text(file, _LIMIT, report) if file.exists() else None
    group = None if text is None else parse_toml(text, report)
    if group is None:
        raise report.error()
    newsroom = _read(Fields(group, report), folder, FootageReader(folder, "", films, now=now))
    report.raise_faults()
    return newsroom


def texts_of(file: Path) -> Iterator[tuple[str, int, str]]:
    """Yield key, line and text of every value in ``file``; nothing where it cannot be read."""
    report = Report(str(file))
    text = read_text(file, _LIMIT, report)
    top = None if text is None else parse_toml(text, report)
    if top:
        yield from _texts("", top)


def _texts(key: str, node: Node) -> Iterator[tuple[str, int, str]]:
    if isinstance(node, ScalarNode):
        yield key, node.line, node.text
    elif isinstance(node, ListNode):
        for item in node.items:
            yield from _texts(key, item)
    else:
        for name, entry in node.entries.items():
            yield from _texts(f"{key}.{name}" if key else name, entry.node)


def contrast_on_white(colour: str) -> float:
    """Return the contrast of ``#rrggbb`` on white (WCAG 2.2)."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _read(top: Fields, folder: Path, films: FootageReader) -> Newsroom:
    empty = GroupNode({}, 0)
    organisation = top.group("organisation", required=True) or Fields(empty, Report(""))
    language = organisation.language("language", required=True)
    languages = organisation.languages("languages")
    if languages and language and language.lower() not in map(str.lower, languages):
        languages = (language, *languages)
    contacts = tuple(_read_contact(name, fields) for name, fields in _tables(top, "contacts"))
    zone = _read_zone(organisation)
    footage = {name: films.read(fields, ZoneInfo(zone)) for name, fields in _tables(top, "footage")}
    defaults = top.group("defaults") or Fields(empty, top.report)
    feeds = top.group("feeds") or Fields(empty, top.report)
    storage = top.group("storage")
    warnings = top.group("warnings")
    signers = {line.name for line in read_signers(folder, top.report).known}
    newsroom = Newsroom(
        name=organisation.text("name", required=True, limit=200),
        language=language,
        time_zone=zone,
        boilerplate=organisation.text("boilerplate", lines=True),
        boilerplates=_by_language(organisation, "boilerplates"),
        languages=languages,
        mark=_read_mark(organisation, folder),
        accent=_read_accent(organisation),
        paper=_read_paper(organisation),
        reuse=organisation.text("reuse", lines=True),
        reuses=_by_language(organisation, "reuses"),
        website=organisation.url("website"),
        base_url=_read_base_url(organisation),
        tag_authority=_read_authority(feeds),
        feed_items=_read_feed_items(feeds),
        contacts=contacts,
        default_contacts=defaults.choices("contacts", {contact.id for contact in contacts}, "contact") or (),
        footage=footage,
        default_footage=defaults.choices("footage", set(footage), "footage") or (),
        topics=tuple(_read_topics(top)),
        warnings_off=(warnings.choices("off", WARNINGS, "warning") if warnings else None) or (),
        signs=bool(signers),
        signatures_required=_read_signatures(organisation),
        approvals=_read_approvals(organisation),
    )
    if (newsroom.signatures_required or newsroom.approvals) and not newsroom.signs:
        key = "approvals" if newsroom.approvals else "signatures"
        organisation.fault(key, f"nobody is named in {folder / SIGNERS}", "make key writes a key and names it there")
    elif newsroom.approvals > len(signers):
        hint = "make key NAME=address adds a person; two keys of one person count once"
        organisation.fault("approvals", f"only {len(signers)} person is named in {folder / SIGNERS}", hint)
    for fields in (organisation, defaults, feeds, storage, warnings, top):
        if fields:
            fields.report_unknown()
    return newsroom


def _tables(top: Fields, key: str) -> Iterator[tuple[str, Fields]]:
    """Yield the tables below ``key`` with their ids, and report ids that are not valid."""
    group = top.group(key)
    for name in group.entries if group else ():
        if group and (fields := group.group(name)):
            if not _ID.fullmatch(name):
                group.fault(name, *_BAD_ID)
            yield name, fields


def _read_contact(name: str, fields: Fields) -> Contact:
    contact = Contact(
        id=name,
        name=fields.text("name", required=True),
        role=fields.text("role"),
        telephone=fields.telephone("telephone"),
        out_of_hours=fields.telephone("out_of_hours"),
        email=fields.email("email"),
        languages=fields.languages("languages"),
    )
    fields.report_unknown()
    return contact


def _by_language(fields: Fields, key: str) -> dict[str, str]:
    group = fields.group(key)
    return group.by_language(lines=True) if group else {}


def _read_zone(organisation: Fields) -> str:
    name = organisation.word("time_zone", required=True)
    try:
        return ZoneInfo(name).key if name else "UTC"
    except (ValueError, OSError, LookupError):
        hint = suggestion(name, available_timezones()) or "write an IANA name, e.g. Europe/London"
        organisation.fault("time_zone", f"unknown time zone: {name[:80]}", hint)
        return "UTC"


def _read_mark(organisation: Fields, folder: Path) -> str:
    name = organisation.word("mark")
    problem = check_mark(folder, name) if name else None
    if problem:
        organisation.fault("mark", *problem)
    return name


def _read_accent(organisation: Fields) -> str:
    value = organisation.word("accent")
    if not value:
        return _ACCENT
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        organisation.fault("accent", f"not a colour: {value[:40]}", f"write it as {_ACCENT}")
    elif (ratio := contrast_on_white(value)) < _CONTRAST:
        what = f"too pale to read: contrast {ratio:.1f}:1 on white, at least {_CONTRAST}:1 is needed"
        organisation.fault("accent", what, "choose a darker colour")
    return value.lower()


def _read_paper(organisation: Fields) -> PaperSize:
    value = organisation.word("paper")
    if value not in ("", "A4", "Letter"):
        organisation.fault("paper", f"unknown paper: {value[:40]}", "write A4 or Letter")
    return "Letter" if value == "Letter" else "A4"


def _read_signatures(organisation: Fields) -> bool:
    value = organisation.word("signatures")
    if value not in ("", "required", "optional"):
        organisation.fault(
            "signatures", f"neither required nor optional: {value[:40]}", 'write signatures = "required"'
        )
    return value == "required"


def _read_approvals(organisation: Fields) -> int:
    value = organisation.word("approvals")
    if value not in ("", "0", "1", "2"):
        organisation.fault("approvals", f"not a number from 0 to 2: {value[:40]}", "write approvals = 1")
        return 0
    return int(value or 0)


def _read_base_url(organisation: Fields) -> str:
    text = organisation.text("base_url")
    address, problem, hint = read_address(text) if text else ("", "", "")
    if problem:
        organisation.fault("base_url", problem, hint)
    return address


def _read_authority(feeds: Fields) -> str:
    value = feeds.word("tag_authority")
    if value and not _AUTHORITY.fullmatch(value):
        hint = "write a domain and a date on which you owned it, e.g. example.org,2026 (RFC 4151)"
        feeds.fault("tag_authority", "not a domain with a date", hint)
    return value


def _read_feed_items(feeds: Fields) -> int:
    value = feeds.word("items") or str(_FEED_ITEMS)
    if re.fullmatch(r"\d{1,4}", value) and 1 <= int(value) <= 1000:
        return int(value)
    feeds.fault("items", f"not a number from 1 to 1000: {value[:40]}", f"write items = {_FEED_ITEMS}")
    return _FEED_ITEMS


def _read_topics(top: Fields) -> Iterator[Topic]:
    group = top.group("topics")
    for name, entry in group.entries.items() if group else ():
        if group is None or not _ID.fullmatch(name):
            top.fault(f"topics.{name[:40]}", *_BAD_ID, entry.line)
        elif not isinstance(entry.node, GroupNode):
            yield Topic(name, group.text(name))
        elif fields := group.group(name):
            yield Topic(name, fields.text("label", required=True), fields.by_language(but="label"))


# ── TOML ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_toml(text: str, report: Report) -> GroupNode | None:
    """Return the top table of ``text``, or None after reporting why there is none."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        report.fault(line, re.sub(r" ?\(at .*\)", "", str(error)), _TOML_HINT)
    except (ValueError, RecursionError):
        report.fault(0, "not TOML", _TOML_HINT)
    else:
        node = _node(data, (), _TomlLines(text))
        return node if isinstance(node, GroupNode) else None
    return None


class _TomlLines:
    """The line of each key: tomllib does not give it, so headers and keys are looked up in the text.

    The elements of a list are counted from 0, whether they are written as ``[[tables]]`` or ``{in braces}``.
    """

    _TEXT = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")
    _KEY = re.compile(r"\s*((?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")

    def __init__(self, text: str) -> None:
        self.by_path: dict[tuple[str, ...], int] = {}
        self._counts: dict[tuple[str, ...], int] = {}
        table: tuple[str, ...] = ()
        key_path: tuple[str, ...] = ()
        within, depth = "", 0
        for number, line in enumerate(text.split("\n"), 1):
            if within:
                within = "" if line.count(within) % 2 else within
            elif depth:
                depth = self._elements(key_path, number, line, depth)
            elif header := re.match(r"\s*(\[\[?)([^\[\]]+)\]", line):
                *above, last = self._names(header[2])
                table = (*self._within(above), last)
                table = self._next(table) if header[1] == "[[" else self._within([last], table[:-1])
                self._note(table, number)
            elif key := self._KEY.match(line):
                key_path = (*table, *self._names(key[1]))
                self._note(key_path, number)
                value = line[key.end() :]
                within = next((mark for mark in ('"""', "'''") if value.count(mark) % 2), "")
                depth = 0 if within else self._elements(key_path, number, value, 0)

    def _elements(self, path: tuple[str, ...], number: int, line: str, depth: int) -> int:
        """Note the elements in braces that begin in a line of a list; return how many brackets are open after it."""
        for sign in re.findall(r"[\[\]{}]", self._TEXT.sub("", line)):
            if sign == "{" and depth == 1:
                self._note(self._next(path), number)
            depth += 1 if sign in "[{" else -1
        return max(depth, 0)

    def _next(self, path: tuple[str, ...]) -> tuple[str, ...]:
        self._counts[path] = self._counts.get(path, -1) + 1
        return (*path, str(self._counts[path]))

    def _within(self, names: Iterable[str], path: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return the path of ``names``, each in the last element of the lists that they are in."""
        for name in names:
            path = (*path, name)
            path = (*path, str(self._counts[path])) if path in self._counts else path
        return path

    @staticmethod
    def _names(dotted: str) -> tuple[str, ...]:
        return tuple(name.strip("\"' ") for name in re.findall(r"\"[^\"]*\"|'[^']*'|[\w-]+", dotted))

    def _note(self, path: tuple[str, ...], number: int) -> None:
        for end in range(1, len(path) + 1):
            self.by_path.setdefault(path[:end], number)

    def line(self, path: tuple[str, ...]) -> int:
        """Return the line of ``path``, or of the nearest table above it."""
        while path and path not in self.by_path:
            path = path[:-1]
        return self.by_path.get(path, 0)


def _node(value: object, path: tuple[str, ...], lines: _TomlLines) -> Node:
    line = lines.line(path)
    if isinstance(value, dict):
        entries = {}
        for name, inner in value.items():
            at = (*path, str(name))
            entries[str(name)] = GroupEntry(lines.line(at), _node(inner, at, lines))
        return GroupNode(entries, line)
    if isinstance(value, list):
        return ListNode(tuple(_node(item, (*path, str(at)), lines) for at, item in enumerate(value)), line)
    if isinstance(value, str):
        return ScalarNode(value, line, quoted=True)
    if isinstance(value, bool):
        return ScalarNode(str(value).lower(), line, kind="boolean")
    return ScalarNode(str(value), line, kind="number" if isinstance(value, int | float) else "date")
