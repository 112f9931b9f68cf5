"""What the preview shows: pages ahead of their files, the files in ``output/``, and the bar at the top of each page.

A page that was just edited is rendered here, in the preview's own process, and held in memory until the files behind it
are rendered. Nothing is written here.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec import Struct

from pipeline.build import fingerprint, reading, revisions, stages
from pipeline.build.context import CommandContext
from pipeline.build.reading import Reading, all_listed
from pipeline.build.state import FINAL, BuildState
from pipeline.cli.preview.renderer import (
    Event,
    Failed,
    Finished,
    Place,
    WasRead,
    WasRendered,
    faults_of,
    forget_templates,
)
from pipeline.model.errors import DatelineError, Fault, ReleaseError
from pipeline.model.formats import FORMATS, by_name, formats_of, media_type
from pipeline.model.manifest import Row
from pipeline.model.release import SLUG
from pipeline.model.release_index import IndexEntry
from pipeline.model.render_context import RenderContext
from pipeline.reader import line_of
from pipeline.typography.messages import Messages, direction_of, newsroom_messages
from pipeline.typography.templates import asset_href, render, script

HTML, PDF = by_name("html"), by_name("pdf")
INDEX = "index.html"
_SLUG_OF_KEY = re.compile(r"releases/([a-z0-9-]+)[./]")
_PAGE_OF_SLUG = re.compile(r"releases/([a-z0-9-]+)\.html\Z")
_BODY = re.compile(r"<body\b[^>]*>")
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy" content="[^"]*">\n?')


class Version(Struct, frozen=True):
    """What a browser shows; where one of these differs from what it has, it asks again."""

    page: str
    pdf: str
    bar: str


class _Shown:
    """What is known of one release beyond what lies in ``output/``."""

    def __init__(self) -> None:
        self.job = 0
        """Number of the job that renders it as it is now."""
        self.source: str | None = None
        """Digest of the source as last read."""
        self.entry: IndexEntry | None = None
        self.page = b""
        """The page, until its file is rendered."""
        self.pictures: Mapping[str, bytes] = {}
        self.alone: tuple[Fault, ...] = ()
        """What was found when it was read on its own."""
        self.compared: tuple[Fault, ...] = ()
        """What was found when it was compared with others, or rendered."""
        self.readable = True
        self.refused = False
        self.edited = False
        """It is public, and may not be replaced by what it is now."""
        self.apart = False
        """Its files are in the folders of ``BuildState.edited()``."""
        self.waiting: set[str] = set()
        """Formats that are not rendered yet."""

    @property
    def faults(self) -> list[Fault]:
        """All faults and warnings, faults first."""
        found = {(fault.line, fault.message): fault for fault in (*self.compared, *self.alone)}
        return sorted(found.values(), key=lambda fault: (fault.severity, fault.source, fault.line, fault.message))


class View:
    """Everything that the preview shows. Its methods may be called by several threads."""

    def __init__(self, place: Place) -> None:
        self.changed = Condition()  # holds a lock that may be taken again by the same thread
        self._place = place
        self._shown: dict[str, _Shown] = {}
        self._failed: tuple[Fault, ...] = ()
        self._context: CommandContext | None = None
        self._render_context: RenderContext | None = None
        self._messages = Messages("en", "UTC")
        self._rows: Mapping[str, Row] = {}
        self._serial = 0
        self.listed: dict[str, IndexEntry] = {}
        self.state: BuildState = place.context().state

    # What has happened

    def refresh(self, *, fresh: bool = False) -> bool:
        """Look at newsroom, manifest and index again; with ``fresh``, at templates too.

        Return whether something else is public than before.
        """
        with self.changed:
            context = self._place.context()
            context.state.close()
            context.state = self.state
            before = self._context
            try:
                if before and not fresh and before.newsroom == context.newsroom and before.mark == context.mark:
                    context.__dict__["assets"] = before.assets
                self._render_context = context.render_context(shared=True)
                self._failed = ()
            except DatelineError as error:
                self._failed = faults_of(error)
                self.changed.notify_all()
                return False
            self._context = context
            self._messages = newsroom_messages(context.newsroom)
            known, self._serial = self._serial, context.published.serial
            self._rows = context.published.by_slug()
            self.listed = all_listed(self.state, context.published)
            for slug in [slug for slug, shown in self._shown.items() if shown.edited or not shown.readable]:
                self._shown[slug].source = None
                self._read(slug, ahead=False)
            self.changed.notify_all()
            return known != self._serial

    def forget_templates(self) -> None:
        """Void what was loaded of the templates."""
        with self.changed:
            forget_templates()

    def warm_up(self) -> None:
        """Read a release and render its page for nothing, so that the first edit is shown as fast as the others."""
        with self.changed:
            public = [entry for entry in self.listed.values() if not entry.gone and not entry.withdrawn]
            for entry in sorted(public, key=lambda entry: entry.date)[-1:]:
                self._read(entry.slug)
                self._shown.pop(entry.slug, None)

    def edit(self, slug: str, job: int) -> None:
        """Read a release that has changed, and render its page; ``job`` will render the files."""
        with self.changed:
            if self.state.source(slug).is_file():
                self._read(slug, job)
            else:
                self._shown.pop(slug, None)
            self.changed.notify_all()

    def take(self, job: int, event: Event) -> None:
        """Note what the renderer says."""
        with self.changed:
            if isinstance(event, Failed):
                self._failed = event.faults
            elif isinstance(event, Finished):
                for shown in self._shown.values():
                    if shown.job <= job:
                        shown.waiting = set()
            elif isinstance(event, WasRead):
                shown = self._of(event.slug)
                if shown.job <= job:
                    shown.refused, shown.compared = event.refused, event.faults
                    shown.apart = shown.apart and event.refused
                    shown.waiting &= set() if event.refused and not shown.readable else shown.waiting
            else:
                self._take_rendered(job, event)
            self.changed.notify_all()

    def _take_rendered(self, job: int, event: WasRendered) -> None:
        shown = self._shown.get(event.slug)
        if shown is None and not (event.fault or event.apart):
            return
        shown = shown or self._of(event.slug)
        if shown.job > job:
            return
        shown.waiting.discard(event.stage)
        if shown.refused and not event.apart:  # it was accepted meanwhile: published with MINOR=1, for example
            shown.refused, shown.compared = False, ()
        if event.fault:
            shown.compared = (*shown.compared, event.fault)
        if event.stage == HTML.name:
            shown.apart = event.apart
            shown.page, shown.pictures = b"", {}

    def _of(self, slug: str) -> _Shown:
        return self._shown.setdefault(slug, _Shown())

    def _read(self, slug: str, job: int = 0, *, ahead: bool = True) -> None:
        """Read a release; a page that was rendered stays when what is read now is refused."""
        context, render_context = self._context, self._render_context
        if context is None or render_context is None or not SLUG.match(slug):
            return
        shown = self._of(slug)
        source = fingerprint.of_source(self.state, slug)
        if source == shown.source and not ahead:
            return
        now = datetime.now(UTC)
        shown.source = source
        if job:
            shown.job, shown.compared = job, ()
        try:
            found = reading.read_alone(self.state, context.newsroom, slug, now)
        except ReleaseError as error:
            shown.readable, shown.alone = False, error.faults
            return
        release = found.parsed.release
        local = now.astimezone(ZoneInfo(context.newsroom.time_zone))
        minor = context.minor or revisions.is_minor(self.state, slug, source)
        row = self._rows.get(slug)
        refusal = revisions.refusal(row, release, source, minor, local) if row else None
        shown.readable, shown.edited, shown.entry = True, refusal is not None, found.summary.entry
        shown.alone = tuple(fault.as_warning() for fault in found.warnings)
        if refusal:
            file = self.state.source(slug)
            shown.alone += (Fault(str(file), line_of(file, *refusal.keys), refusal.message, refusal.hint),)
        if ahead:
            shown.page, shown.pictures = self._page_ahead(render_context, found, now), found.pictures
            formats = formats_of(
                withdrawn=release.withdrawn is not None, pictured=bool(release.pictures), shots=release.has_shots
            )
            shown.waiting = {row.name for row in formats if not row.preview}

    def _page_ahead(self, render_context: RenderContext, found: Reading, now: datetime) -> bytes:
        import msgspec

        try:
            current = msgspec.structs.replace(render_context, now=now)
            return stages.page_ahead(self.state, current, found, self.listed)
        except DatelineError:  # the stage reports it
            return b""

    @property
    def has_refused(self) -> bool:
        """Whether a release is refused, which may be accepted once something else has changed."""
        return any(shown.refused for shown in self._shown.values())

    def scheduled(self) -> list[IndexEntry]:
        """Return the releases that are not public now, drafts included."""
        now = datetime.now(UTC)
        return [entry for entry in self.listed.values() if entry.is_hidden(now) and not entry.gone]

    # What is shown

    def find(self, key: str) -> tuple[str, bytes] | None:
        """Return media type and bytes of ``key``; None when there is no such file."""
        with self.changed:
            data = self._ahead(key)
            assets = self._context.assets if self._context else {}
        with contextlib.suppress(KeyError, ValueError):
            kind = media_type(key)
            if data:
                return kind, data
            for file in self.files(key):
                with contextlib.suppress(OSError):
                    return kind, file.read_bytes()
            if key in assets:
                return kind, assets[key]
        return None

    def files(self, key: str) -> Iterator[Path]:
        """Yield the paths that ``key`` may have here."""
        with self.changed:
            folders = [*self._folders(key)]
        for folder in folders:
            # Nothing outside the folders is served, by dots or by a link; the folders may be behind a link.
            file = Path(f"{folder}/{key}")
            with contextlib.suppress(OSError, ValueError):
                if file.resolve() == file and not file.is_relative_to(self.state.waiting.resolve() / FINAL):
                    yield file

    def _ahead(self, key: str) -> bytes:
        match = _SLUG_OF_KEY.match(key)
        shown = self._shown.get(match[1]) if match else None
        if shown is None:
            return b""
        if _PAGE_OF_SLUG.match(key):
            return shown.page
        return shown.pictures.get(key.rpartition("/")[2], b"") if key.count("/") == 2 else b""

    def _folders(self, key: str) -> Iterator[Path]:
        match = _SLUG_OF_KEY.match(key)
        shown = self._shown.get(match[1]) if match else None
        states = [self.state.edited()] if shown and shown.apart else []
        for state in (*states, self.state):
            yield from (state.waiting.resolve(), state.public.resolve())

    def page(self, key: str, events: str) -> bytes | None:
        """Return a page with the bar and the script that follows the edits; None when there is no such page.

        ``events`` is the address that ``version`` is asked for.
        """
        slug = self._slug(key)
        with self.changed:
            if slug:
                self._read(slug, ahead=not self.find(key))
            found = self.find(key)
            if found is None and not slug and key != INDEX:
                return None
            # The list of other releases comes with the first event: whoever passes this page on names none of them.
            version = self.version(key, listed=False)
            messages = self._messages
        source = found[1].decode() if found else self._empty_page(key)
        head = render(
            "preview.html.j2", key=key, events=events, version=version, bar=Markup(version.bar),  # noqa: S704
            messages=messages, script=script("preview.js"),
        )  # fmt: skip
        return _BODY.sub(lambda match: match[0] + "\n" + head, _POLICY.sub("", source, count=1), count=1).encode()

    def _slug(self, key: str) -> str:
        """Return the release that a page shows, of which there must be a source."""
        match = _PAGE_OF_SLUG.match(key)
        return match[1] if match and SLUG.match(match[1]) and self.state.source(match[1]).is_file() else ""

    def _empty_page(self, key: str) -> str:
        assets = self._render_context.assets if self._render_context else {}
        root = "../" * key.count("/")
        return render("preview.empty.html.j2", messages=self._messages, css=asset_href(assets, "page.css", root))

    def version(self, key: str, *, listed: bool = True) -> Version:
        """Return what there is to see at ``key`` now; ``listed`` with the list of what is not public."""
        with self.changed:
            slug = self._slug(key)
            found = self.find(key)
            pdf = self.find(PDF.key(slug)) if slug else None
            return Version(_short(found), _short(pdf), self._bar(key, slug, has_pdf=bool(pdf), listed=listed))

    # The bar

    def _bar(self, key: str, slug: str, *, has_pdf: bool, listed: bool) -> str:
        root = "../" * key.count("/")
        shown = self._shown.get(slug) if slug else None
        faults = [*self._failed, *(shown.faults if shown else ())]
        condition, when = self._condition(slug) if slug else ("", None)
        waiting = [row.name for row in FORMATS if row.name in shown.waiting] if shown else []
        return render(
            "preview.bar.html.j2",
            messages=self._messages,
            condition=condition,
            label=self._label(condition, when),
            entry=self.listed.get(slug),
            note=condition if condition in ("refused", "edited") else "",
            waiting=waiting,
            faults=faults,
            pdf=f"{slug}.pdf" if has_pdf else "",
            hidden=[*self._hidden(root)] if listed else [],
            home=root + INDEX,
        )

    def _label(self, condition: str, when: datetime | None) -> str:
        if condition in ("", "refused", "edited"):
            return ""
        if when:
            return self._messages.fill("preview_scheduled", when=self._messages.moment(when))
        return self._messages[f"preview_{condition}"]

    def _condition(self, slug: str) -> tuple[str, datetime | None]:
        """Return the state of a release, of a scheduled one with its instant."""
        shown, row = self._shown.get(slug), self._rows.get(slug)
        entry = (shown.entry if shown else None) or self.listed.get(slug)
        if shown and shown.readable and shown.edited:
            return "edited", None
        if entry is None or (shown and (shown.refused or not shown.readable)):
            return "refused", None
        if entry.draft:
            return "draft", None
        if entry.date > datetime.now(UTC):
            return "scheduled", entry.date
        source = shown.source if shown else None
        if row is None:
            return "unpublished", None
        if source not in (None, row.source):
            return "changed", None
        return "withdrawn" if row.withdrawn else "corrected" if entry.corrected else "published", None

    def _hidden(self, root: str) -> Iterator[_Listed]:
        """Yield the releases that are not public, or not as they are now: scheduled ones in order, then the others."""
        slugs = {entry.slug for entry in self.scheduled()}
        slugs |= {slug for slug, shown in self._shown.items() if shown.refused or shown.edited or not shown.readable}
        for slug in sorted(slugs, key=lambda slug: (slug not in self.listed, self._date(slug), slug)):
            condition, when = self._condition(slug)
            entry = self.listed.get(slug) or self._of(slug).entry
            state = self._messages.moment(when) if when else self._label(condition, None)
            if condition in ("edited", "refused"):
                state = self._messages["preview_changed" if condition == "edited" else "preview_error"]
            yield _Listed(
                f"{root}{quote(HTML.key(slug))}" if SLUG.match(slug) else "",
                entry.title if entry else f"{slug}.md",
                entry.language if entry else "",
                direction_of(entry.language) if entry else "auto",
                state,
            )

    def _date(self, slug: str) -> datetime:
        entry = self.listed.get(slug)
        return entry.date if entry and not entry.draft else datetime.max.replace(tzinfo=UTC)


class _Listed(Struct, frozen=True):
    """One release in the bar's list."""

    href: str
    title: str
    language: str
    direction: str
    state: str


def _short(found: tuple[str, bytes] | None) -> str:
    return hashlib.sha256(found[1]).hexdigest()[:12] if found else ""
