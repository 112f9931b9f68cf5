"""The commands that tell of one release what became of it: history, diff. Both go by what is public."""

from __future__ import annotations

import difflib
import json
from argparse import Namespace
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.model.errors import SettingError, StorageError, printable
from pipeline.model.formats import by_name
from pipeline.model.manifest import Row
from pipeline.model.revision import RevisionRecord
from pipeline.publish.fetch import last_manifest
from pipeline.publish.word_diff import Passage, differences
from pipeline.storage.embedded import server as embedded
from pipeline.typography.article import compose
from pipeline.typography.messages import Messages
from pipeline.writers import RenderInput
from pipeline.writers.ninjs import digests

_COLOURS = {"gone": "\x1b[31;9m{}\x1b[0m", "new": "\x1b[32;1m{}\x1b[0m"}
_PLAIN = {"gone": "[-{}-]", "new": "{{+{}+}}"}
"""As wdiff writes them."""


def _public(context: CommandContext, command: str) -> Row:
    """Return the public row of the release that make hands over. Raises SettingError when nothing of it is public."""
    typed = context.environ.get("DATELINE_RELEASE", "").strip()
    slug = typed.rpartition("/")[2].removesuffix(".md")
    if not slug:
        raise SettingError("which release?", f"make {command} RELEASE=name, the name of its file without .md")
    if context.destination.embedded:
        embedded.start(context.root)
    context.published = last_manifest(context)
    rows = context.published.by_slug()
    if slug not in rows:
        near = difflib.get_close_matches(
            slug, rows, 1, 0.6
        )  # among what is public: a name may be that of one that waits
        hint = f"did you mean {near[0]}?" if near else "make status says what is public, and what waits"
        raise SettingError(f"nothing of {printable(slug)} is public", hint)
    return rows[slug]


def _get(context: CommandContext, key: str, sha256: str) -> bytes:
    answer = context.anonymous.get(key)
    if answer.status != 200 or sha256 not in ("", answer.sha256):
        what = f"answers {answer.status}" if answer.status != 200 else "has other bytes than were published"
        raise StorageError(f"{key} {what}", "make verify")
    return answer.body


# ── History ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def history(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Tell what was released, corrected and withdrawn, when, with the digests of all that is public."""
    row = _public(context, "history")
    record = _get(context, f"releases/{row.slug}.json", row.record)
    note = str(json.loads(record).get("edNote", "")).partition(": ")[2]
    now = RevisionRecord(row.revision, row.modified, row.record, note, row.withdrawn)
    messages = Messages("en-GB", context.newsroom.time_zone)
    before: RevisionRecord | None = None
    for state in (*row.past, now):
        when = before.minor if before and before.minor else messages.local(state.modified).isoformat(timespec="minutes")
        console.heading(f"{when}  {_what(state, before)}")
        if state.note and not (before and before.minor):
            console.line(f"  {state.note}")
        for key, sha256 in _files(row, state, record if state is now else b""):
            console.line(f"  {sha256}  {key}")
        before = state
    console.line(
        f"serial {context.published.serial} of the manifest; {context.destination.base_url}releases/{row.slug}.html"
    )


def _what(state: RevisionRecord, before: RevisionRecord | None) -> str:
    if before and before.minor:
        return f"revision {state.revision}: changed without a correction (MINOR=1)"
    if state.withdrawn:
        return f"revision {state.revision}: withdrawn"
    if before and before.withdrawn:
        return f"revision {state.revision}: set back"
    return f"revision {state.revision}: {'corrected' if before else 'released'}"


def _files(row: Row, state: RevisionRecord, record: bytes) -> Iterator[tuple[str, str]]:
    """Yield key and digest of what is public of a state; of what is not, the digest that its record had."""
    key = f"releases/{row.slug}.json"
    if record:
        kept = {file.key for past in row.past for file in past.files}
        yield from ((name, sha256) for name, sha256 in digests(record).items() if name not in kept)
        yield key, state.record
    elif state.files:
        yield from ((file.key, file.sha256) for file in state.files)
    else:
        yield f"the record of then, public no more: {key}", state.record


# ── Diff ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Text(Struct, frozen=True):
    name: str
    text: str


def diff(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Show the words that differ: between the public revisions, and between the newest of them and content/."""
    row = _public(context, "diff")
    if row.withdrawn:
        raise SettingError(f"{row.slug} was withdrawn: none of its words is public", f"make history RELEASE={row.slug}")
    texts = [*_texts(context, row)]
    if context.state.source(row.slug).is_file():
        texts.append(_content(context, row))
    else:
        console.fault(f"warning: public, but not in {context.state.content}/: {row.slug}")
    for before, after in pairwise(texts):
        console.heading(f"{before.name} → {after.name}")
        found = list(differences(before.text, after.text))
        for passage in found:
            console.line()
            console.line(_shown(passage, console))
        console.line("" if found else "  no word differs")


def _texts(context: CommandContext, row: Row) -> Iterator[_Text]:
    """Yield the words of every revision that is kept, and of the newest."""
    for state in row.past:
        for file in state.files:
            if file.format == "text":
                yield _Text(f"revision {state.revision}", _get(context, file.key, file.sha256).decode())
    key = by_name("text").key(row.slug)
    known = digests(_get(context, f"releases/{row.slug}.json", row.record))
    yield _Text(f"revision {row.revision}, public", _get(context, key, known.get(key, "")).decode())


def _content(context: CommandContext, row: Row) -> _Text:
    """Return the words of the source as they would be public. Raises ReleaseError when it cannot be read."""
    from pipeline.reader import read_release
    from pipeline.writers.text import write

    source = context.state.source(row.slug)
    reading = read_release(source, context.newsroom, context.now)
    release, newsroom = reading.release, context.newsroom
    messages = Messages(release.language, newsroom.time_zone)
    article = compose(release, newsroom, messages)
    render_input = RenderInput(
        release, newsroom, messages, article, reading.pictures, b"", context.destination.base_url
    )
    return _Text(str(source), write(render_input).data.decode())


def _shown(passage: Passage, console: Console) -> str:
    marks = _COLOURS if console.colour else _PLAIN
    return "  " + " ".join(marks.get(piece.kind, "{}").format(piece.words) for piece in passage)
