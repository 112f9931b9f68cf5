"""What was recognised → the source of a draft: front matter with its questions, then the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from pipeline.model.document import Figure, plain
from pipeline.model.errors import SettingError
from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.reader.addresses import is_url
from pipeline.reader.fields import quoted
from pipeline.reader.imports import ImportedDraft, labels
from pipeline.reader.imports.foreign import Foreign, ForeignBlock
from pipeline.reader.imports.markdown_source import write_blocks
from pipeline.reader.imports.recognition import Recognised, recognise
from pipeline.typography.messages import FALLBACK, Messages, newsroom_messages

_FOOTAGE = (
    "notice",
    "carrier",
    "duration",
    "rights",
    "restrictions",
    "supplier",
    "telephone",
    "email",
    "url",
    "preview",
)
_SHAPES = {"telephone": re.compile(r"\+?[\d ().\-/\u00a0\u2011]{3,}"), "email": re.compile(r"[^\s@]+@[\w.-]+\.\w+")}


def draft_of(foreign: Foreign, name: str, newsroom: Newsroom, now: datetime) -> ImportedDraft:
    """Return the draft of ``foreign``. Raises ``SettingError`` when it has no text."""
    found = recognise(foreign, name, newsroom, now)
    if not any(not isinstance(block, Figure) for block in found.body):
        raise SettingError(
            f"{name}: no text of a release was found in it", "copy the text into a plain text file, and import that"
        )
    front = "\n".join(_front_matter(found, newsroom, now))
    files = dict(foreign.pictures)
    body = _body(found)
    used = {file: data for file, data in files.items() if file in front or file in body}
    return ImportedDraft(found.title, f"---\n{front}\n---\n{body}\n", used, tuple(found.remarks))


def _front_matter(found: Recognised, newsroom: Newsroom, now: datetime) -> Iterator[str]:
    yield from _asked(found, "")
    yield from _asked(found, "title")
    yield f"title: {_value(found.title)}"
    if found.subtitle:
        yield from _asked(found, "subtitle")
        yield f"subtitle: {_value(found.subtitle)}"
    yield from _asked(found, "date")
    date = found.date or (now.astimezone(ZoneInfo(newsroom.time_zone)) + timedelta(hours=1)).replace(minute=0)
    yield f"date: {date.isoformat(timespec='minutes')}   # {newsroom.time_zone}"
    yield f"draft: true   # {newsroom_messages(newsroom)['draft_delete']}"
    if found.dateline:
        yield from _asked(found, "dateline")
        yield f"dateline: {_value(found.dateline)}"
    if found.reference:
        yield f"reference: {_value(found.reference)}"
    if found.ai:
        yield f"ai: {_value(found.ai)}"
    yield from _asked(found, "language")
    if found.language != newsroom.language:
        yield f"language: {found.language}"
    if found.summary:
        yield f"summary: {_value(found.summary)}"
    if found.embargo:
        yield "embargo: true"
    for party in found.unknown:
        yield _comment(f"newsroom.toml has no such contact: {party}; add it there and name it in contacts: […]")
    if found.contacts:
        yield f"contacts: [{', '.join(contact.id for contact in found.contacts)}]"
    yield from _footage(found)
    if found.image:
        yield from _image(found, found.image)
    yield from _pictures(found)


def _asked(found: Recognised, key: str) -> Iterator[str]:
    yield from map(_comment, found.checks.get(key, ()))


def _comment(text: str) -> str:
    return f"# check: {' '.join(text.split())}"


def _value(text: str) -> str:
    return quoted(" ".join(text.split()))


def _footage(found: Recognised) -> Iterator[str]:
    yield from _asked(found, "footage")
    own = [each for each in found.footage if isinstance(each, Footage)]
    ids = [each for each in found.footage if isinstance(each, str)]
    if not own:
        if ids:
            yield f"footage: [{', '.join(ids)}]"
        return
    yield "footage:"
    several = len(found.footage) > 1
    yield from (f"  - {each}" for each in ids)
    for each in own:
        lead = "  - " if several else "  "
        for key in _FOOTAGE:
            value = getattr(each, key)
            if not value:
                continue
            shape = _SHAPES.get(key)
            if (shape and not shape.fullmatch(value)) or (key in ("url", "preview") and not is_url(value)):
                yield f"{'    ' if several else '  '}{_comment(f'{key}: {value}')}"
                continue
            yield f"{lead}{key}: {_value(value)}"
            lead = "    " if several else "  "


def _image(found: Recognised, image: Figure) -> Iterator[str]:
    yield from _asked(found, "image")
    yield "image:"
    yield f"  file: {image.file}"
    yield f"  alt: {_value(image.alt)}"
    if image.caption:
        yield f"  caption: {_value(plain(image.caption))}"
    if credit := _credit(image.credit):
        yield f"  credit: {_value(credit)}"
    if _is_marked(image):
        yield "  made_with: ai"


def _pictures(found: Recognised) -> Iterator[str]:
    """Yield what is said about the making of the pictures in the text."""
    files = [block.file for block in (*found.body, *found.notes) if isinstance(block, Figure) and _is_marked(block)]
    if files:
        yield f"pictures: [{{file: [{', '.join(dict.fromkeys(files))}], made_with: ai}}]"


def _is_marked(figure: Figure) -> bool:
    return _unmarked(figure.credit) != figure.credit


def _unmarked(text: str) -> str:
    """Return a credit without the mark of AI that every format prints after it."""
    for form in (*labels.forms("made_with_ai"), *labels.forms("edited_with_ai")):
        if text.casefold().endswith(form.casefold()):
            return text[: -len(form)].rstrip(" ·")
    return text


def _credit(text: str) -> str:
    """Return a credit without the label and the mark that every format prints around it."""
    text = _unmarked(text)
    for form in labels.forms("photo"):
        label = form.partition("{")[0].strip()
        if text.casefold().startswith(label.casefold()):
            return text[len(label) :].strip()
    return text


def _body(found: Recognised) -> str:
    """Return text, end mark where the notes have no heading of their own, notes, and footnotes."""
    messages = Messages(found.language, "UTC")
    blocks: list[ForeignBlock] = [_credited(block) for block in found.body]
    text = write_blocks(blocks)
    if found.notes:
        known = {
            labels.fold(form) for each in (messages, Messages(FALLBACK, "UTC")) for form in each.all("notes_to_editors")
        }
        first = found.notes[0]
        is_known = found.headed and labels.fold(plain(getattr(first, "children", ()))) in known
        mark = "" if is_known else f"{messages['ends'].upper()}\n\n"
        text += f"\n\n{mark}{write_blocks([_credited(block) for block in found.notes])}"
    if found.footnotes:
        text += f"\n\n{write_blocks((), found.footnotes)}"
    return text


def _credited(block: ForeignBlock) -> ForeignBlock:
    return Figure(block.file, block.alt, block.caption, _credit(block.credit)) if isinstance(block, Figure) else block
