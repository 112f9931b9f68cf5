"""Foreign blocks → the parts of a release: headline, deck, place and date, text, notes, contacts, footage notice.

What a file says of itself, or in words that only a press release has, is taken as it is. What is likely is taken too,
with a question in ``checks``.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, field

from pipeline.model.document import (
    Block,
    Figure,
    Footnotes,
    Heading,
    Inline,
    LineBreak,
    Link,
    List,
    Paragraph,
    Quote,
    Strong,
    Table,
    Text,
    inlines_of,
    plain,
    walk,
)
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact, tel_uri
from pipeline.reader.frontmatter import TITLE_LIMIT
from pipeline.reader.imports import labels
from pipeline.reader.imports.contacts import Party, find_parties, match_party
from pipeline.reader.imports.dates import FoundDay, day_of, find_days, instant_of, is_day_alone
from pipeline.reader.imports.foreign import Check, Foreign, ForeignBlock, lines_of, tidy
from pipeline.reader.imports.languages import language_of

SAME, SIMILAR = 0.97, 0.6
"""Shares of equal words from which on two texts count as the same, or as versions of one."""
DECK_LIMIT = 300
_DASH = re.compile(r"\s*[)）]?\s*(?:[–—]|-{1,2}|:|：|/)\s*")
_PLACE_ALONE = re.compile(
    r"([A-ZÀ-ÖØ-ÞА-Я][A-ZÀ-ÖØ-ÞА-Я .,’'/-]{1,38}[A-ZÀ-ÖØ-ÞА-Я])(?:\s*\([A-Za-z .]{2,20}\))?\s*(?:[–—]|--)\s*"
)
_CARRIER = re.compile(
    r"\b(?:digital betacam|digi ?beta|betacam sp|beta[ -]?sp|betacam|dvcam(?: hd)?|dvcpro|mini-?dv|u-?matic|"
    r"s-?vhs|vhs|hdcam|hi-?8|16 ?mm|35 ?mm|mp4|prores|xdcam)\b",
    re.IGNORECASE,
)
_FOOTAGE = re.compile(
    r"\b(?:footage|b-?roll|video news release|vnr|broadcast[- ]quality|filmmaterial|bewegtbild|images tournées|"
    r"imágenes|rushes)\b|مواد مصورة|영상|映像|视频素材",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:\+|00)[\d ()./\u00a0-]{7,22}\d|\(?0\d{1,5}\)?[ /\u00a0-]\d[\d ()\u00a0-]{4,14}\d|"
    r"\(?\d{3}\)?[ .-]\d{3}[.-]\d{4}(?!\d)"
)
_COPIES = re.compile(
    r"^(?:for (?:a )?cop(?:y|ies)(?: of (?:it|the \w+))?,?\s+)?(?:please\s+)?"
    r"(?:contact|call|ring|telephone|phone)\s+(?P<who>[^,;:()]{2,60}?)"
    rf"(?:\s+(?:on|at|by telephone on)|,|:)?\s*(?:tel(?:ephone)?\.?:?\s*)?(?P<number>{_PHONE.pattern})\s*\.?$",
    re.IGNORECASE,
)
_CAPTION_CREDIT = re.compile(r"(.*?)[.\s]*\b((?:Photo|Picture|Foto|Bild|写真|사진|تصوير)\s*[:：]\s*\S.*)$")


class Recognised(Struct):
    """The parts of a release. ``checks`` are questions by key of the front matter; those of the file have no key."""

    title: str = ""
    subtitle: str = ""
    date: datetime | None = None
    dateline: str = ""
    reference: str = ""
    ai: str = ""
    summary: str = ""
    language: str = ""
    embargo: bool = False
    image: Figure | None = None
    body: list[ForeignBlock] = field(default_factory=list)
    notes: list[ForeignBlock] = field(default_factory=list)
    headed: bool = False
    """The notes have a heading, by which the reader knows them."""
    footnotes: Footnotes | None = None
    contacts: list[Contact] = field(default_factory=list)
    unknown: list[Party] = field(default_factory=list)
    footage: list[Footage | str] = field(default_factory=list)
    """Notices of the release's own, and ids of the newsroom's."""
    checks: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def ask(self, key: str, question: str) -> None:
        """Add a question, once."""
        asked = self.checks.setdefault(key, [])
        if question not in asked:
            asked.append(question)


def recognise(foreign: Foreign, name: str, newsroom: Newsroom, now: datetime) -> Recognised:
    """Return the parts of the release in ``foreign``; ``name`` is its file's, the headline if there is no other."""
    return _Recogniser(foreign, name, newsroom, now).run()


class _Recogniser:
    def __init__(self, foreign: Foreign, name: str, newsroom: Newsroom, now: datetime) -> None:
        self.foreign, self.name, self.newsroom, self.now = foreign, name, newsroom, now
        self.facts = foreign.facts
        self.found = Recognised(remarks=list(foreign.remarks))
        self.roles: dict[int, str] = {}
        """What styles say of blocks, by identity."""
        self.days: list[date] = []
        """Days that the letterhead names, the first one first."""
        self.tags: tuple[str, ...] = ()

    def run(self) -> Recognised:
        found = self.found
        for check in self.foreign.checks:
            found.ask("", check)
        blocks = list(self.foreign.blocks)
        if blocks and isinstance(notes := blocks[-1], Footnotes):
            found.footnotes = notes
            blocks.pop()
        self.find_language(blocks)
        self.roles = roles = {id(self.foreign.blocks[at]): role for at, role in self.foreign.roles.items()}
        rest = self.find_headline(blocks, roles)
        body, tail = self.part(list(map(_as_lost_picture, rest)))
        body = self.find_dateline(body)
        found.body = list(self.without_boilerplate(body, self.last(body)))
        self.read_tail(tail)
        self.find_image()
        self.find_date()
        self.find_summary()
        return found

    def last(self, body: list[ForeignBlock]) -> int:
        return max(len(body) - 4, 1)

    # ── Language ──────────────────────────────────────────────────────────────────────────────────────────────

    def find_language(self, blocks: Sequence[ForeignBlock]) -> None:
        text = " ".join(_text(block) for block in blocks)
        lines = [plain(line) for block in blocks for line in _lines(block)]
        counted = Counter(tag for line in lines for tag in labels.tags_of(line))
        labelled = counted.most_common(1)[0][0] if counted else ""
        tag, sure = language_of(text, self.facts.get("language", ""), labelled, self.newsroom)
        self.found.language = tag
        if not sure:
            self.found.ask(
                "language",
                "the text may be in another language; add it to languages in newsroom.toml, or delete this line",
            )
        guesses = (tag, self.newsroom.language, *self.newsroom.languages, "en")
        self.tags = tuple(dict.fromkeys(guesses))

    # ── Headline, deck, letterhead ────────────────────────────────────────────────────────────────────────────

    def find_headline(self, blocks: list[ForeignBlock], roles: dict[int, str]) -> list[ForeignBlock]:
        """Take the headline, the deck and what stands around them; return the rest."""
        for line in self.foreign.letterhead:
            self.take_line(line)
        at = self.headline_at(blocks, roles)
        before = [block for block in blocks[: max(at, 0)] if not self.is_letterhead(block)]
        if at < 0:
            ending = rf"\s+[|–—-]\s+{re.escape(self.newsroom.name)}\s*$"
            self.found.title = re.sub(ending, "", self.facts.get("title", ""))
            self.found.subtitle = self.facts.get("subtitle", "")
            if not self.found.title:
                stem = self.name.rpartition(".")[0] or self.name
                self.found.title = " ".join(re.split(r"[\s_-]+", stem)).strip().capitalize() or "Untitled"
                self.found.ask("title", "no headline was found in the file; write one")
            while blocks and self.is_letterhead(blocks[0]):
                blocks.pop(0)
            return blocks
        rest = blocks[at + 1 :]
        lines = [plain(line) for line in _lines(blocks[at])]
        lines = [line for line in lines if not self.take_line(line)] or lines
        title = " ".join(lines) if _is_styled(blocks[at], roles) or len(lines) > 3 else lines[0]
        decks = [] if title != lines[0] or len(lines) == 1 else lines[1:]
        if decks and not re.search(r"[.!?]$", decks[0]) and (lines[0][-1:] in ",:" or decks[0][:1].islower()):
            title, decks = " ".join(lines), []
        self.found.title = _headline(title)
        if decks:
            self.found.subtitle = " ".join(decks)
            self.found.ask(
                "subtitle", "taken from the lines below the headline; move it back if it belongs to the headline"
            )
        if len(self.found.title) > TITLE_LIMIT:
            before.append(Check("the headline was too long for one and was cut; this is all of it"))
            before.append(Paragraph((Text(self.found.title),)))
            self.found.title = self.found.title[:TITLE_LIMIT].rpartition(" ")[0] or self.found.title[:TITLE_LIMIT]
            self.found.ask("title", "the headline has more than 200 characters; shorten it")
        if any(not isinstance(block, (Check, Figure)) for block in before):
            before.insert(0, Check("this stood above the headline; delete it, or leave it"))
        rest = self.take_deck(rest, roles)
        return [*before, *rest]

    def headline_at(self, blocks: list[ForeignBlock], roles: dict[int, str]) -> int:
        """Return the place of the headline, -1 when the file has none."""
        for at, block in enumerate(blocks[:25]):
            if roles.get(id(block)) == "title":
                return at
        title = labels.fold(self.facts.get("title", ""))
        for at, block in enumerate(blocks[:25]):
            words = labels.fold(_text(block)) if isinstance(block, (Heading, Paragraph)) else ""
            if (
                words
                and title
                and (words == title or (title.startswith(words) and isinstance(block, Heading) and len(words) > 15))
            ):
                return at
        for at, block in enumerate(blocks[:25]):
            if isinstance(block, Heading) and block.level == 1 and not self.is_letterhead(block, take=False):
                return at
        if title:
            return -1
        for at, block in enumerate(blocks[:25]):
            if isinstance(block, Check) or self.is_letterhead(block, take=False):
                continue
            if isinstance(block, Figure):
                continue
            words = _text(block) if isinstance(block, (Heading, Paragraph)) else ""
            if isinstance(block, Heading) or (words and len(words) <= 250 and not re.search(r"[.。।]$", words)):
                return at
            if words and len(words) <= 160 and at + 1 < len(blocks) and len(_lines(block)) == 1:
                self.found.ask("title", "taken from the first paragraph, which ends in a full stop")
                return at
            return -1
        return -1

    def is_letterhead(self, block: ForeignBlock, *, take: bool = True) -> bool:
        """Whether all lines of a block are of a letterhead; ``take`` keeps what they say."""
        if not isinstance(block, (Heading, Paragraph)):
            return False
        lines = [plain(line) for line in _lines(block)]
        if lines and (said := _said_by_contact(" ".join(lines))):
            for party in find_parties([said] if take else []):
                self.add_party(party)
            return True
        if lines and self.is_correction(lines[0]):
            return self.take_line(" ".join(lines), take=take)
        return all(self.take_line(line, take=take) for line in lines)

    def take_line(self, line: str, *, take: bool = True) -> bool:
        """Whether a line is of the letterhead: the sender, the kind, a date, a number, from when it may be used."""
        part = labels.part_of(line)
        if part in ("press_release", "status", "more") or labels.fold(line) == labels.fold(self.newsroom.name):
            return True
        bare = _without_words(line, (self.newsroom.name, *labels.forms("press_release")))
        if bare != line and not re.search(r"\w", bare):
            return True
        if (number := labels.stated("reference", line)) and len(number) <= 60:
            if take:
                self.found.reference = self.found.reference or number
            return True
        if said := labels.stated("ai", line):
            if take:
                self.found.ai = self.found.ai or said
            return True
        if labels.stated("embargoed_until", line) or re.match(r"(?i)(?:strictly )?embargo(?:ed)?\b", line):
            if take and len(line) < 200:
                self.found.embargo = True
                self.found.ask("date", f"the embargo: {line}")
            return len(line) < 200
        if self.is_correction(line):
            if take:
                self.found.ask("", f"a notice on the old release, which corrections: may say: {line}")
            return True
        days = find_days(line, self.tags)
        if len(days) == 1 and is_day_alone(
            bare, find_days(bare, self.tags)[0] if find_days(bare, self.tags) else days[0], self.weekdays()
        ):
            if take:
                self.note_day(days[0])
            return True
        return False

    def is_correction(self, line: str) -> bool:
        """Whether a line says what was corrected, and when: ``Correction, 24 November 2026: …``."""
        for form in (*labels.forms("correction"), *labels.forms("withdrawn")):
            label = form.partition("{")[0].strip()
            if line.casefold().startswith(label.casefold()) and find_days(line[: len(label) + 40], self.tags):
                return True
        return False

    def weekdays(self) -> re.Pattern[str]:
        from pipeline.reader.editing import calendar_of

        return calendar_of(self.found.language).weekday

    def note_day(self, day: FoundDay) -> None:
        if day.certain:
            self.days.append(day.when)
        else:
            self.days.append(day.when)
            self.found.ask("date", "day and month may be the other way round")

    def take_deck(self, blocks: list[ForeignBlock], roles: dict[int, str]) -> list[ForeignBlock]:
        rest = list(blocks)
        while rest and self.is_letterhead(rest[0]):
            rest.pop(0)
        if rest and isinstance(first := rest[0], (Paragraph, Heading)) and not self.found.subtitle:
            words = " ".join(_text(first).split())
            stated = (
                labels.fold(words) == labels.fold(self.facts.get("subtitle", "")) or roles.get(id(first)) == "subtitle"
            )
            likely = (
                len(words) <= DECK_LIMIT
                and not re.search(r"[.:。：]$", words)
                and isinstance(first, Paragraph)
                and len(rest) > 1
                and isinstance(rest[1], (Paragraph, Figure, Check))
                and not self.dateline_of(words)
            )
            if stated or likely:
                self.found.subtitle = words
                rest.pop(0)
                if not stated:
                    self.found.ask(
                        "subtitle", "taken from the paragraph below the headline; move it back if it is none"
                    )
        while rest and (self.is_letterhead(rest[0]) or self.is_place_and_day(rest[0])):
            rest.pop(0)
        return rest

    def is_place_and_day(self, block: ForeignBlock) -> bool:
        """Whether a block says only place and date: ``London, 22 February 1999``."""
        words = _text(block) if isinstance(block, Paragraph) else ""
        days = find_days(words, self.tags) if len(words) < 80 else []
        if len(days) != 1:
            return False
        place = words[: days[0].start].strip(" ,،、(")
        if not place or re.search(r"\w", words[days[0].end :]) or len(place.split()) > 5 or re.search(r"[.!?]", place):
            return False
        self.found.dateline = self.found.dateline or place
        self.note_day(days[0])
        return True

    # ── Dateline and date ─────────────────────────────────────────────────────────────────────────────────────

    def dateline_of(self, words: str) -> tuple[str, FoundDay | None, int] | None:
        """Return place, day and length of the dateline with which a paragraph begins, None when it has none."""
        for day in find_days(words[:140], self.tags, self.now.year)[:1]:
            place = re.sub(r"[\s,،、，(（\[]+$", "", words[: day.start]).strip()
            dash = _DASH.match(words, day.end)
            if dash and len(place) <= 60 and not re.search(r"[.!?;]\s", place):
                return place, day, dash.end()
        stated = self.facts.get("dateline", "")
        if stated and words.startswith(stated) and (dash := _DASH.match(words, len(stated))):
            return stated, None, dash.end()
        if alone := _PLACE_ALONE.match(words):
            return alone[1], None, alone.end()
        return None

    def find_dateline(self, body: list[ForeignBlock]) -> list[ForeignBlock]:
        at = next((at for at, block in enumerate(body) if not isinstance(block, (Check, Figure))), None)
        if at is None:
            return body
        first = body[at]
        if isinstance(first, (Heading, Paragraph)) and labels.fold(_text(first)) == labels.fold(self.found.title):
            return self.find_dateline([*body[:at], *body[at + 1 :]])
        self.found.reference = self.found.reference or self.facts.get("reference", "")
        self.found.ai = self.found.ai or self.facts.get("ai", "")
        if len(body) > at + 1 and self.is_place_and_day(first):
            return [*body[:at], *body[at + 1 :]]
        if isinstance(first, Paragraph) and (found := self.dateline_of(plain(first.children))):
            place, day, length = found
            rest = tidy(_dropped(first.children, length))
            if rest:
                self.found.dateline = self.found.dateline or place
                if day and day.certain:
                    self.days.insert(0, day.when)
                elif day:
                    self.days.append(day.when)
                    typed = plain(first.children)[day.start : day.end]
                    self.found.ask("date", f"the text has no year, or its figures may be read in two ways: {typed}")
                elif not self.facts.get("dateline"):
                    self.found.ask("dateline", "taken from the first words of the text")
                return [*body[:at], Paragraph(rest), *body[at + 1 :]]
        self.found.dateline = self.found.dateline or self.facts.get("dateline", "")
        return body

    def find_date(self) -> None:
        found, zone = self.found, ZoneInfo(self.newsroom.time_zone)
        stated = self.facts.get("date", "")
        instant, day = instant_of(stated), day_of(stated)
        printed = self.days[0] if self.days else None
        if instant:
            found.date = instant.replace(second=0, microsecond=0)
            if printed and printed != instant.astimezone(zone).date() and printed != instant.date():
                found.ask("date", f"the text says {printed.isoformat()}, the page itself another day")
        elif day or printed:
            when = printed or day
            assert when is not None  # noqa: S101
            local = datetime.combine(when, time(9), zone)
            found.date = datetime.fromisoformat(local.isoformat())
            found.ask("date", "the file has a day and no time; 09:00 was written")
        else:
            found.ask("date", "no date was found in the file; write the release’s own")

    def find_summary(self) -> None:
        stated = self.facts.get("summary", "")
        first = next((_text(block) for block in self.found.body if isinstance(block, Paragraph)), "")
        bare = labels.fold(re.sub(r"[.…\s]+$", "", stated))
        whole = labels.fold(f"{self.found.dateline} {first}")
        if (
            bare
            and bare not in whole
            and not labels.fold(first).startswith(bare)
            and bare != labels.fold(self.found.title)
        ):
            self.found.summary = stated

    # ── Text and what follows it ──────────────────────────────────────────────────────────────────────────────

    def part(self, blocks: list[ForeignBlock]) -> tuple[list[ForeignBlock], list[ForeignBlock]]:
        """Divide the blocks at the end mark, or at the first heading of what follows a text."""
        exploded = list(self.exploded(blocks))
        for at, block in enumerate(exploded):
            if at and isinstance(block, (Paragraph, Heading)) and labels.is_end_mark(_text(block)):
                return exploded[:at], exploded[at + 1 :]
        for at, block in enumerate(exploded):
            if at and isinstance(block, (Paragraph, Heading)):
                part = labels.part_of(_text(block))
                if part in ("notes", "contact", "about") or (part == "footage" and at + 6 > len(exploded)):
                    return exploded[:at], exploded[at:]
        at = len(exploded)
        while at > 1 and self.is_contact_paragraph(exploded[at - 1]):
            at -= 1
        return exploded[:at], exploded[at:]

    def is_contact_paragraph(self, block: ForeignBlock) -> bool:
        words = _text(block) if isinstance(block, Paragraph) else ""
        return bool(words) and (
            (bool(_FOOTAGE.search(words)) and bool(_PHONE.search(words)))
            or (len(_lines(block)) > 1 and bool(find_parties([words_of(line) for line in _lines(block)], strict=True)))
        )

    def exploded(self, blocks: Iterable[ForeignBlock]) -> Iterator[ForeignBlock]:
        """Yield the blocks, an end mark or a label on the last or first line of a paragraph as one of its own."""
        for block in blocks:
            if isinstance(block, Paragraph):
                lines = lines_of(block.children)
                if len(lines) == 1 and part_of_line(lines[0]) == "more":
                    continue
                head = (
                    [Paragraph(lines.pop(0))]
                    if len(lines) > 1 and part_of_line(lines[0]) in ("notes", "contact", "about", "footage", "ends")
                    else []
                )
                mark = [Paragraph(lines.pop())] if len(lines) > 1 and labels.is_end_mark(plain(lines[-1])) else []
                yield from head
                if head or mark:
                    yield Paragraph(_with_breaks(lines))
                else:
                    yield block
                yield from mark
            else:
                yield block

    def without_boilerplate(self, blocks: list[ForeignBlock], start: int = 0) -> Iterator[ForeignBlock]:
        for at, block in enumerate(blocks):
            if at >= start and isinstance(block, Paragraph) and self.is_boilerplate(_text(block)):
                continue
            yield block

    def is_boilerplate(self, text: str) -> bool:
        """Whether ``text`` is the newsroom's own, or a version of it, which is asked about."""
        best = max((_likeness(text, each) for each in self.boilerplates()), default=0.0)
        if best >= SAME:
            self.say("the text about the organisation was left out: every format prints the one in newsroom.toml")
            return True
        if best >= SIMILAR and len(text.split()) > 8:
            self.found.ask(
                "", f"the text about the organisation differs from newsroom.toml, which is printed instead of: {text}"
            )
            return True
        return False

    def boilerplates(self) -> Iterator[str]:
        for text in (self.newsroom.boilerplate, *self.newsroom.boilerplates.values()):
            if text.strip():
                yield text
                yield from (part for part in text.strip().split("\n\n") if len(part.split()) > 8)

    def say(self, remark: str) -> None:
        if remark not in self.found.remarks:
            self.found.remarks.append(remark)

    def read_tail(self, tail: list[ForeignBlock]) -> None:
        part: labels.Part | None = None
        section: list[ForeignBlock] = []
        names = {contact.name for contact in self.newsroom.contacts}
        for block in [*tail, None]:
            label = labels.part_of(_text(block)) if isinstance(block, (Heading, Paragraph)) else None
            above = section[0].level if section and isinstance(section[0], Heading) else 6
            leaves = isinstance(block, Heading) and label is None and part in ("contact", "footage", "about")
            leaves &= isinstance(block, Heading) and block.level <= above and _text(block) not in names
            if block is None or label in ("notes", "contact", "footage", "about", "downloads") or leaves:
                self.read_section(part, section)
                part, section = label, [block] if block is not None else []
            elif label not in ("ends", "more"):
                section.append(block)

    def read_section(self, part: labels.Part | None, blocks: list[ForeignBlock]) -> None:
        """Take a section of what follows the text; its heading is its first block, unless ``part`` is None."""
        heading, content = (blocks[:1], blocks[1:]) if part else ([], blocks)
        content = [block for block in content if not self.is_closing(block)]
        match part:
            case "notes":
                self.add_notes(heading[0], list(self.without_boilerplate(content)))
            case "about":
                self.read_about(heading[0], content)
            case "contact":
                self.read_contacts(content)
            case "footage":
                self.read_footage(content)
            case "downloads":
                pass
            case _:
                self.read_unlabelled(content)

    def add_notes(self, heading: ForeignBlock, content: list[ForeignBlock]) -> None:
        if not content:
            return
        words = tidy(_unbold(heading.children)) if isinstance(heading, (Heading, Paragraph)) else ()
        text = re.sub(r"\s*[:：]$", "", plain(words))
        if labels.fold(text) not in {labels.fold(form) for form in labels.forms("notes_to_editors")}:
            self.found.notes.append(Heading(2, (Text(text),)))
        else:
            if not self.found.notes:
                self.found.headed = True
            self.found.notes.append(Heading(2, (Text(_cased(text)),)))
        self.found.notes += content

    def read_about(self, heading: ForeignBlock, content: list[ForeignBlock]) -> None:
        whole = " ".join(_text(block) for block in content if not isinstance(block, Check))
        if not whole.strip() or (self.newsroom.boilerplate and self.is_boilerplate(whole)):
            return
        left = [block for block in content if not (isinstance(block, Paragraph) and self.is_boilerplate(_text(block)))]
        if any(_text(block) for block in left):
            question = "a text about an organisation, which newsroom.toml does not have: leave it, or move it there"
            words = re.sub(r"\s*[:：]$", "", _text(heading))
            self.found.notes += [Check(question), Heading(2, (Text(words),)), *left]

    def is_closing(self, block: ForeignBlock) -> bool:
        """Whether it is a line of the template at the end: terms of reuse, where to read on, where to check."""
        return self.is_reuse(block) or (isinstance(block, Paragraph) and labels.is_address_of_release(_text(block)))

    def is_reuse(self, block: ForeignBlock) -> bool:
        terms = labels.stated("reuse", _text(block)) if isinstance(block, Paragraph) else ""
        if terms and labels.fold(terms) not in {
            labels.fold(each) for each in (self.newsroom.reuse, *self.newsroom.reuses.values())
        }:
            self.found.ask("", f"terms of reuse, which newsroom.toml has in other words: {terms}")
        return bool(terms)

    def read_contacts(self, content: list[ForeignBlock]) -> None:
        lines: list[str] = []
        rest: list[ForeignBlock] = []
        for block in content:
            words = _text(block)
            if isinstance(block, Paragraph) and _FOOTAGE.search(words) and len(words) > 60:
                self.read_footage([block])
            elif isinstance(block, (Paragraph, List, Quote, Table, Heading)) and (
                len(words) < 400 or _PHONE.search(words)
            ):
                lines += [words_of(line) for line in _all_lines(block)] + [""]
            else:
                rest.append(block)
        for party in find_parties(lines):
            self.add_party(party)
        self.found.notes += rest

    def add_party(self, party: Party) -> None:
        known = match_party(party, self.newsroom)
        if known and known not in self.found.contacts:
            self.found.contacts.append(known)
        elif not known:
            self.found.unknown.append(party)

    def read_footage(self, content: list[ForeignBlock]) -> None:
        values: dict[str, str] = {}
        notice: list[str] = []
        for block in content:
            if isinstance(block, Check):
                self.found.ask("footage", block.text)
                continue
            for line in map(words_of, _all_lines(block)):
                if stated := labels.field_of(line):
                    values.setdefault(stated[0], stated[1])
                elif line:
                    notice.append(line)
        self.add_footage(" ".join(notice), values)

    def add_footage(self, notice: str, values: dict[str, str]) -> None:
        """Take a footage notice, its supplier and telephone number out of its last sentence where they stand there."""
        kept = []
        for sentence in re.split(r"(?<=[.!?])\s+(?=[A-ZÀ-Þ])", notice):
            if (copies := _COPIES.match(sentence)) and "copies_from" not in values:
                values |= {"copies_from": copies["who"].strip(), "telephone": copies["number"].strip()}
            else:
                kept.append(sentence)
        notice = " ".join(kept).strip()
        if not notice:
            notice = "; ".join(values.values())
        if not notice:
            return
        if "telephone" not in values and len(numbers := _PHONE.findall(notice)) == 1:
            values["telephone"] = numbers[0].strip()
            self.found.ask("footage", "the telephone number was taken from the notice; name the supplier: supplier: …")
        if "carrier" not in values and (carrier := _CARRIER.search(notice)):
            values["carrier"] = carrier[0]
        names = {"copies_from": "supplier", "download": "url"}
        fields: dict[str, Any] = {
            names.get(key, key): value for key, value in values.items() if key not in ("languages", "out_of_hours")
        }
        footage = Footage(notice=notice, **fields)
        for id_, known in self.newsroom.footage.items():
            if labels.fold(known.notice) == labels.fold(notice) and tel_uri(known.telephone) == tel_uri(
                footage.telephone
            ):
                self.found.footage.append(id_)
                return
        self.found.footage.append(footage)

    def read_unlabelled(self, content: list[ForeignBlock]) -> None:
        """Sort what follows the end mark without a heading by what it says."""
        for block in content:
            words = _text(block)
            if (
                isinstance(block, Paragraph)
                and _FOOTAGE.search(words)
                and (_PHONE.search(words) or _CARRIER.search(words))
            ):
                self.read_footage([block])
            elif isinstance(block, Paragraph) and (
                labels.fold(words) == labels.fold(self.newsroom.name) or self.is_boilerplate(words)
            ):
                continue
            elif isinstance(block, Paragraph) and self.is_party(block):
                for party in find_parties([words_of(line) for line in _all_lines(block)]):
                    self.add_party(party)
            else:
                self.found.notes.append(block)

    def is_party(self, block: Paragraph) -> bool:
        words = plain(block.children)
        reached = _PHONE.search(words) or re.search(r"\S@\S+\.\w", words)
        begins = _said_by_contact(words) or re.match(
            r"(?i)(?:for (?:more|further|media|press)|(?:media |press )?contact|weitere|rückfragen|pour plus|para más)",
            words,
        )
        return bool(reached) and len(words) < 400 and (bool(begins) or len(_lines(block)) > 1)

    def find_image(self) -> None:
        """Take the picture above the first paragraph, with its caption, as the lead picture."""
        body = self.found.body
        at = next((at for at, block in enumerate(body) if not isinstance(block, Check)), None)
        if at is None or not isinstance(figure := body[at], Figure):
            self.find_captions()
            return
        del body[at]
        for check in [block for block in body[:at] if isinstance(block, Check) and figure.file in block.text]:
            body.remove(check)
        at = next((n for n, block in enumerate(body) if not isinstance(block, Check)), 0)
        if not figure.caption and at < len(body) and self.is_caption(body[at]):
            figure = _captioned(figure, body.pop(at))
            # The dateline was looked for in the caption.
            self.found.body = self.find_dateline(body)
        self.found.image = figure
        if not figure.alt:
            self.found.ask(
                "image", 'describe the picture for people who cannot see it, or leave "" if it is only decoration'
            )
        self.find_captions()

    def is_caption(self, block: ForeignBlock) -> bool:
        """Whether a paragraph below a picture says what it shows: by its style, or because it names who took it."""
        words = _text(block) if isinstance(block, Paragraph) else ""
        return self.roles.get(id(block)) == "caption" or (0 < len(words) < 300 and bool(_CAPTION_CREDIT.match(words)))

    def find_captions(self) -> None:
        body, at = self.found.body, 0
        while at + 1 < len(body):
            figure = body[at]
            if isinstance(figure, Figure) and not figure.caption and self.is_caption(body[at + 1]):
                body[at] = _captioned(figure, body.pop(at + 1))
            at += 1


# ── Words of blocks ────────────────────────────────────────────────────────────────────────────────────────────────


def part_of_line(line: tuple[Inline, ...]) -> labels.Part | None:
    """Return what a line begins, see ``labels.part_of``."""
    return labels.part_of(plain(line))


def words_of(line: Iterable[Inline]) -> str:
    """Return the words of a line; an address that only its link has follows them."""
    words = plain(line)
    for inline in line:
        if isinstance(inline, Link) and inline.href.startswith("mailto:"):
            address = inline.href.removeprefix("mailto:").partition("?")[0]
            words += "" if address in words else f" {address}"
    return " ".join(words.split())


def _text(block: ForeignBlock | None) -> str:
    if block is None or isinstance(block, Check):
        return ""
    return " ".join(" ".join(plain(words) for words in inlines_of(each)) for each in walk((block,))).strip()


def _lines(block: ForeignBlock) -> list[tuple[Inline, ...]]:
    return lines_of(block.children) if isinstance(block, (Heading, Paragraph)) else []


def _all_lines(block: Block) -> Iterator[tuple[Inline, ...]]:
    for each in walk((block,)):
        for words in inlines_of(each):
            yield from lines_of(words)


def _with_breaks(lines: list[tuple[Inline, ...]]) -> tuple[Inline, ...]:
    words: list[Inline] = []
    for line in lines:
        words += [LineBreak(), *line] if words else line
    return tidy(words)


def _dropped(inlines: Iterable[Inline], length: int) -> Iterator[Inline]:
    """Yield inlines without their first ``length`` characters, counted as ``plain`` writes them."""
    for inline in inlines:
        size = len(plain((inline,)))
        if length <= 0:
            yield inline
        elif size > length and isinstance(inline, Text):
            yield Text(inline.text[length:])
        elif size > length and (children := getattr(inline, "children", None)):
            yield msgspec.structs.replace(inline, children=tuple(_dropped(children, length)))
        length -= size


def _is_styled(block: ForeignBlock, roles: dict[int, str]) -> bool:
    return isinstance(block, Heading) or id(block) in roles


def _unbold(words: tuple[Inline, ...]) -> tuple[Inline, ...]:
    while len(words) == 1 and isinstance(words[0], Strong):
        words = words[0].children
    return words


def _headline(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cased(text: str) -> str:
    """Return a heading of the template in its own letters, where plain text had it in capitals."""
    return next((form for form in labels.forms("notes_to_editors") if labels.fold(form) == labels.fold(text)), text)


def _without_words(line: str, words: Iterable[str]) -> str:
    for each in sorted(words, key=len, reverse=True):
        line = re.sub(rf"(?i)(?<!\w){re.escape(each)}(?!\w)", " ", line)
    return line


def _likeness(one: str, other: str) -> float:
    """Return the share of words that two texts have in common, in order."""
    first, second = labels.fold(one).split(), labels.fold(other).split()
    if not first or not second or min(len(first), len(second)) * 3 < max(len(first), len(second)):
        return 1.0 if labels.fold(one) == labels.fold(other) and first else 0.0
    if len(first) < 4:
        return difflib.SequenceMatcher(None, labels.fold(one), labels.fold(other), autojunk=False).ratio()
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio()


def _as_lost_picture(block: ForeignBlock) -> ForeignBlock:
    """Return a question in place of the words with which plain text stands for a picture: ``[Caption. Photo: …]``."""
    words = _text(block) if isinstance(block, Paragraph) else ""
    if re.fullmatch(r"\[[^\[\]]{12,}\]", words):
        return Check(f"a picture stood here: {words[1:-1]}")
    return block


def _said_by_contact(words: str) -> str:
    """Return what follows a label such as ``Contact:`` if it says how somebody is reached; empty for other text."""
    label, colon, said = words.partition(":")
    reached = _PHONE.search(said) or re.search(r"\S@\S+\.\w", said)
    return said.strip() if colon and reached and len(words) < 300 and labels.part_of(label) == "contact" else ""


def _captioned(figure: Figure, block: ForeignBlock) -> Figure:
    words = _text(block)
    found = _CAPTION_CREDIT.match(words)
    caption, credit = (found[1].strip(), found[2].strip()) if found else (words, "")
    if found and words[len(found[1]) : len(found[1]) + 1] == ".":
        caption += "."
    return Figure(figure.file, figure.alt, (Text(caption),) if caption else (), credit)
