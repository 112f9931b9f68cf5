"""``make share``: presigned links to the embargoed copies of a release, for journalists."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.build.context import CommandContext
from pipeline.build.state import ParsedRelease
from pipeline.cli.console import Console, count, size
from pipeline.cli.doctor import refuse_sharing
from pipeline.model.errors import Fault, ReleaseError, SettingError, printable
from pipeline.model.formats import FORMATS, MEDIA_TYPES
from pipeline.model.release import Release
from pipeline.publish import sharing, single_file_page
from pipeline.storage import PresignedLink, Put
from pipeline.storage.doctor.findings import Findings, refuse
from pipeline.storage.embedded import server as embedded

RELEASE, REVOKE = "DATELINE_RELEASE", "DATELINE_REVOKE"
"""What make hands over of RELEASE= and REVOKE=."""
_NO = ("", "0", "no", "false")


def share(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Put the marked copies of a waiting release up, and print a link to each; or take them back."""
    # The links are what this is for, so a pipe into a mail may have them; a job's log is read by others, and kept.
    if context.environ.get("CI", "").lower() not in _NO:
        raise SettingError(
            "make share prints links that open embargoed copies, and the log of a job is no place for them",
            "run it at your own desk",
        )
    slug = context.environ.get(RELEASE, "")
    if not slug:
        raise SettingError("make share wants to know of which release", "make share RELEASE=name, of content/name.md")
    if context.destination.embedded:
        embedded.start(context.root)
    if context.environ.get(REVOKE, "").lower() not in _NO:
        removed = sharing.revoke(context.store, slug)
        told = f"{count(removed, 'file')} removed: no link to them opens any more"
        console.line(told if removed else "nothing of this release is shared")
        return
    release = _shareable(context, slug)
    refuse_sharing(context)
    _refuse_wrong_clock(context)
    _tell(context, console, release, _share(context, release))


# ── What may be shared ──────────────────────────────────────────────────────────────────────────────────────────────


def _shareable(context: CommandContext, slug: str) -> Release:
    """Return the release. Raises SettingError for an unknown one, ReleaseError for one that may not be shared."""
    known = context.state.slugs()
    if slug not in known:
        close = get_close_matches(slug, known, 1)
        raise SettingError(
            f"RELEASE: there is no {context.state.content}/{printable(slug)}.md",
            f"did you mean RELEASE={printable(close[0])}?" if close else "name the file without folder and .md",
        )
    parsed_release = context.state.parsed_release(slug)
    if parsed_release is None:
        raise _fault(context, slug, "", "it was refused, so nothing of it can be shared", "make check says why")
    _refuse_unfit(context, slug, parsed_release)
    return parsed_release.release


def _refuse_unfit(context: CommandContext, slug: str, parsed_release: ParsedRelease) -> None:
    release, now = parsed_release.release, context.now
    if release.draft:
        raise _fault(context, slug, "draft", "a draft is given to nobody", "delete the line once its words are final")
    row = context.published.by_slug().get(slug)
    if release.is_public(now) or row:
        since = (row.date if row else release.date).astimezone(UTC)
        words = f"its date has come ({since:%Y-%m-%d %H:%M} UTC): there is no embargo to share it under"
        raise _fault(context, slug, "date", words, "make publish, and give out its address")
    if not release.embargo:
        words = "it is not marked as one that may be given out before its date"
        line = "embargo" if _line(context.state.source(slug), "embargo") else "date"
        raise _fault(context, slug, line, words, "write embargo: true in its front matter")
    if release.date - now < sharing.LEAST + sharing.MARGIN:
        words = "it becomes public within a minute or so: a link would end before it is opened"
        raise _fault(context, slug, "date", words, "wait, then give out its address")


def _fault(context: CommandContext, slug: str, key: str, message: str, hint: str) -> ReleaseError:
    source = context.state.source(slug)
    return ReleaseError([Fault(str(source), _line(source, key) if key else 0, message, hint)])


def _line(source: Path, key: str) -> int:
    """Return the line on which a key of the front matter stands, 0 when it does not."""
    for number, line in enumerate(source.read_text("utf-8", "replace").splitlines(), 1):
        if number > 1 and line.rstrip() == "---":
            return 0
        if re.match(rf"['\"]?{key}['\"]?\s*:", line):
            return number
    return 0


def _refuse_wrong_clock(context: CommandContext) -> None:
    """Raise StorageError when the storage's clock is another: it decides when a link ends."""
    from pipeline.storage.doctor.clock_and_links import compared

    begun = datetime.now(UTC)
    date = context.store.check("private").date
    found = compared([(begun, date, datetime.now(UTC))])
    refuse(Findings(begun, (found,)), "share", context.destination.private_bucket)


# ── Sharing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _share(context: CommandContext, release: Release) -> list[tuple[str, int, PresignedLink]]:
    """Put every copy up, and return label, size and link of each."""
    made = sharing.whole(context.state, context.render_context(), release.slug)
    if not made:
        words = "not every format of it could be made, so nothing of it is shared"
        raise _fault(context, release.slug, "", words, "see what the stages said, or make check")
    labels = {row.key(release.slug): row.label for row in FORMATS}
    labels |= {f"releases/{release.slug}/{picture.file}": picture.file for picture in release.pictures}
    token, keys = sharing.new_keys(labels)
    links = {key: _sign(context, release, there) for key, there in keys.items()}
    bodies = _bodies(context, release, {key: link.address for key, link in links.items()})
    puts = [
        Put(
            key=keys[key],
            body=body,
            media_type=MEDIA_TYPES[Path(key).suffix.lower()],
            cache_control=sharing.UNKEPT,
            download="" if key.endswith(".html") else Path(key).name,
        )
        for key, body in bodies.items()
    ]
    shared = sharing.Shared(token, max(link.until for link in links.values()), tuple(keys.values()))
    sharing.put_up(context.store, release.slug, shared, puts, context.now)
    return [(labels[key], len(bodies[key]), links[key]) for key in labels]


def _sign(context: CommandContext, release: Release, key: str) -> PresignedLink:
    """Return a link that has ended when the release's instant comes."""
    now = datetime.now(UTC)
    seconds = int((sharing.ends(release.date, now) - now).total_seconds())
    return context.store.presign(key, "private", seconds)


def _bodies(context: CommandContext, release: Release, links: Mapping[str, str]) -> dict[str, bytes]:
    """Return the bytes of every copy by the key that its original will have."""
    waiting = context.state.waiting
    bodies = {key: (waiting / key).read_bytes() for key in links}

    def fetch(key: str) -> bytes:
        return context.assets[key] if key in context.assets else (waiting / key).read_bytes()

    folder = f"releases/{release.slug}"
    page = single_file_page.page(bodies[f"{folder}.html"], f"{folder}.html", fetch)
    shown = {f"{folder}/{each.file}": f"{folder}/{whole.file}" for whole in release.pictures for each in whole.files}
    record = single_file_page.record(bodies[f"{folder}.json"], context.destination.base_url, links, shown, page)
    return bodies | {f"{folder}.html": page, f"{folder}.json": record}


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tell(
    context: CommandContext, console: Console, release: Release, shared: list[tuple[str, int, PresignedLink]]
) -> None:
    zone = ZoneInfo(context.newsroom.time_zone)
    first = min(link.until for _, _, link in shared)
    console.heading(f"{context.state.source(release.slug)}: embargoed until {_when(release.date, zone)}")
    for label, length, link in shared:
        console.line()
        console.line(f"{label}, {size(length)}")
        console.line(link.address)
    console.line()
    capped = release.date - first > timedelta(minutes=1)
    why = "after seven days, the longest that a link may live; share again then" if capped else "before its instant"
    console.heading(f"The links end {_when(first, zone)}, {why}.")
    console.line(f"To end them earlier: make share RELEASE={release.slug} REVOKE=1, which removes the copies.")
    console.line("They end as well when the keys that signed them are taken away or replaced.")
    if any(link.borrowed for _, _, link in shared):
        console.line("These keys are temporary ones: the links end with them, if that is earlier.")
    if context.destination.embedded:
        console.line("The embedded store is on this machine alone: from elsewhere the links lead nowhere.")
    console.line("Whoever has a link can open and pass it on; a copy that was downloaded cannot be taken back.")


def _when(moment: datetime, zone: ZoneInfo) -> str:
    there, utc = moment.astimezone(zone), moment.astimezone(UTC)
    return f"{there:%Y-%m-%d %H:%M:%S %Z} ({utc:%Y-%m-%d %H:%M:%S} UTC)"
