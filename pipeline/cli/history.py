"""``make history``: when a public release was released, corrected and withdrawn, with digests."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterator

from pipeline.build.context import CommandContext
from pipeline.cli.console import Console
from pipeline.model.manifest import Row
from pipeline.model.revision import RevisionRecord
from pipeline.publish.fetch import public_file, public_row
from pipeline.typography.messages import Messages
from pipeline.writers.ninjs import digests


def run(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Print every revision of RELEASE=, with the digests of its public files."""
    row = public_row(context, "history")
    record = public_file(context, f"releases/{row.slug}.json", row.record)
    note = str(json.loads(record).get("edNote", "")).partition(": ")[2]
    newest = RevisionRecord(row.revision, row.modified, row.record, note, row.withdrawn)
    messages = Messages("en-GB", context.newsroom.time_zone)
    before: RevisionRecord | None = None
    for revision in (*row.past, newest):
        minor = before.minor if before else ""
        when = minor or messages.local(revision.modified).isoformat(timespec="minutes")
        console.heading(f"{when}  {_change(revision, before)}")
        if revision.note and not minor:
            console.line(f"  {revision.note}")
        for key, sha256 in _files(row, revision, record if revision is newest else b""):
            console.line(f"  {sha256}  {key}")
        before = revision
    address = f"{context.destination.printed_url}releases/{row.slug}.html"
    console.line(f"manifest serial {context.published.serial}; {address}")


def _change(revision: RevisionRecord, before: RevisionRecord | None) -> str:
    if before and before.minor:
        change = "changed without a correction (MINOR=1)"
    elif revision.withdrawn:
        change = "withdrawn"
    elif before and before.withdrawn:
        change = "published again"
    else:
        change = "corrected" if before else "released"
    return f"revision {revision.revision}: {change}"


def _files(row: Row, revision: RevisionRecord, record: bytes) -> Iterator[tuple[str, str]]:
    """Yield key and digest of the revision's public files; if none is public any more, the digest of its record."""
    key = f"releases/{row.slug}.json"
    if record:
        archived = {file.key for past in row.past for file in past.files}
        yield from ((name, sha256) for name, sha256 in digests(record).items() if name not in archived)
        yield key, revision.record
    elif revision.files:
        yield from ((file.key, file.sha256) for file in revision.files)
    else:
        yield f"its record, not public any more: {key}", revision.record
