"""The command context: the folders, the newsroom, the clock and the destination that one command works with."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from pipeline.build import fingerprint, published, stored_index
from pipeline.build.published import StoredManifest
from pipeline.build.state import BESIDE, BuildState, write_file
from pipeline.model.errors import DatelineError, SettingError
from pipeline.model.formats import FEEDS, RSS
from pipeline.model.manifest import Manifest, PublicReleases, Row, digest
from pipeline.model.newsroom import Newsroom
from pipeline.model.render_context import RenderContext
from pipeline.model.statement import SIGNERS, Signers
from pipeline.storage.destination import Destination, destination

if TYPE_CHECKING:
    from pipeline.storage import ObjectStore
    from pipeline.storage.anonymous import AnonymousClient

RUN_CLOCK, STALE = "run_clock", "stale"
"""What ``fetch`` remembers for the stages of a publishing run: its instant, and the slugs that are not up to date."""
_OFF = ("", "0", "no", "false")


class CachedNewsroom(Struct, frozen=True):
    """The newsroom as last read, so that a stage with nothing to do need not load the parsers."""

    digest: str
    newsroom: Newsroom


class CommandContext:
    """What one command works with. Everything is looked up once, when it is first asked for."""

    def __init__(
        self, content: Path, output: Path, environ: Mapping[str, str], root: Path, *, publishing: bool = True
    ) -> None:
        self.environ = environ
        self._publishing = publishing
        self.root = root
        self.now = datetime.now(UTC)
        self.state = BuildState(content, output)
        self.state.prepare()

    def use_run_clock(self) -> None:
        """Take the instant that ``fetch`` noted for the whole run; one that lies ahead is not believed."""
        if clock := self.state.recall(RUN_CLOCK, str, ""):
            self.now = min(self.now, datetime.fromisoformat(clock))
        if isinstance(self.published, StoredManifest):
            self.published.is_indexed = stored_index.is_of(self.state, self.now)

    def stale_slugs(self) -> list[str] | None:
        """Return the slugs that ``fetch`` found not to be up to date, as far as their sources are still here."""
        stale = self.state.recall(STALE, list[str], None)
        return stale and [slug for slug in stale if os.path.lexists(self.state.source(slug))]

    def is_on(self, variable: str) -> bool:
        """Whether an environment variable is set to something other than 0, no or false."""
        return self.environ.get(variable, "").lower() not in _OFF

    @cached_property
    def newsroom(self) -> Newsroom:
        """The newsroom of ``content/``. Raises ReleaseError with all faults of newsroom.toml."""
        stamp = self._newsroom_digest()
        cached = self.state.recall("newsroom", CachedNewsroom, None)
        if stamp and cached and cached.digest == stamp:
            return cached.newsroom
        from pipeline.reader import read_newsroom

        newsroom = read_newsroom(self.state.content, self.state.films, self.now)
        self.state.remember("newsroom", CachedNewsroom(stamp, newsroom))
        return newsroom

    def _newsroom_digest(self) -> str:
        """Return a digest of newsroom.toml, the files beside it and the reader's code; empty without newsroom.toml."""
        file = self.state.newsroom_file
        if not file.is_file():
            return ""
        signers = file.parent / SIGNERS
        named = [signers.read_bytes()] if signers.is_file() else []
        with os.scandir(file.parent) as entries:
            found = [each for each in entries if each.name.lower().endswith(BESIDE) and each.is_file()]
        stats = [(os.fsencode(each.name), each.stat()) for each in sorted(found, key=lambda each: each.name)]
        beside = [(name, of.st_size, of.st_mtime_ns, of.st_ctime_ns, of.st_ino) for name, of in stats]
        code = fingerprint.of_code(fingerprint.READER)
        return digest(b"\0".join([file.read_bytes(), *named, repr(beside).encode(), code]))

    @cached_property
    def destination(self) -> Destination:
        """Where this newsroom is published. Raises SettingError."""
        # Who publishes must say where; to check or render one need not.
        return destination(self.environ, self.root, self.newsroom.base_url, publishing=self._publishing)

    @property
    def refuses_samples(self) -> bool:
        """Whether samples and placeholder text are faults: they may go to the embedded store alone."""
        return not self.destination.embedded and not self.is_on("PRESS_ALLOW_SAMPLES")

    @cached_property
    def published(self) -> PublicReleases:
        """The manifest as last fetched from the destination."""
        return published.recall(self.state, self.destination.address)

    def remember_published(self, manifest: Manifest) -> None:
        """Take ``manifest`` for what is public, in this command and in later ones."""
        self.take_published(published.store_whole(self.state, self.destination.address, manifest))

    def take_published(self, stored: StoredManifest) -> None:
        """Take what is in the build state for what is public; sources and readings there are those of now."""
        self.published = stored
        self.refresh_index()

    def refresh_index(self) -> None:
        """Bring the stored index in line with what was read and published since."""
        if isinstance(self.published, StoredManifest):
            stored_index.refresh(self.state, self.now)
            self.published.is_indexed = True

    @cached_property
    def store(self) -> ObjectStore:
        """The destination with the publisher's rights. Raises StorageError."""
        from pipeline.storage import open_store

        return open_store(self.destination, self.environ)

    @property
    def minor(self) -> bool:
        """Whether somebody said that what changed is no correction (``MINOR=1``)."""
        return self.is_on("DATELINE_MINOR")

    @cached_property
    def anonymous(self) -> AnonymousClient:
        """The destination as anyone without credentials sees it."""
        from pipeline.storage.anonymous import AnonymousClient

        return AnonymousClient(self.destination.address, self.environ)

    @cached_property
    def signers(self) -> Signers:
        """Who may sign statements. Raises ReleaseError with all faults of the file."""
        if not self.newsroom.signs:
            return Signers()
        from pipeline.reader import read_signers

        return read_signers(self.state.content)

    @cached_property
    def mark(self) -> bytes:
        """The organisation's mark without metadata, a PNG; empty when newsroom.toml names none."""
        return read_mark(self.state.content / self.newsroom.mark) if self.newsroom.mark else b""

    @cached_property
    def assets(self) -> Mapping[str, bytes]:
        """Style sheet, fonts and mark by key."""
        from pipeline.site.assets import assets
        from pipeline.typography.fonts import packages

        packages.install_for_pages(self.newsroom.languages)
        return assets(self.newsroom, self.mark, self._font_cache)

    @property
    def _font_cache(self) -> Path:
        """Beside the installed packages where that may be written: fonts change only with them."""
        prefix = Path(sys.prefix)
        return prefix / "dateline" if os.access(prefix, os.W_OK) else self.state.work / "fonts"

    def render_context(self, *, shared: bool = False) -> RenderContext:
        """Return what all releases have in common; ``shared`` adds the keys of the shared files."""
        names: Mapping[str, str] = {}
        if shared:
            from pipeline.site.assets import asset_names

            names = asset_names(self.assets)
        cluster = self.environ.get("PRESS_DASK", "").strip()
        base_url, published = self.destination.base_url, self.published
        return RenderContext(self.newsroom, self.mark, base_url, self.now, published, names, self.signers, cluster)

    def store_assets(self, *, unpublished: bool) -> None:
        """Write the shared files into the tree where pages look for them."""
        for key, data in self.assets.items():
            file = self.state.tree(unpublished) / key
            if not file.is_file():
                write_file(file, data)

    def store_listings(self, files: Mapping[str, bytes], keys: Collection[str]) -> None:
        """Write listings into the public tree; remove feeds and archive pages there that have none of all ``keys``."""
        from pipeline.site import archive

        for key, data in files.items():
            write_file(self.state.public / key, data)
        for whole, folder in ((RSS.whole, FEEDS), (archive.OVERVIEW, archive.FOLDER)):
            for file in (self.state.public / folder).rglob("*.*") if whole in keys else ():
                if str(file.relative_to(self.state.public)) not in keys:
                    file.unlink()

    def record(self, row: Row) -> bytes:
        """Return the record of ``row`` from this machine. Raises SettingError when it is not here."""
        file = self.state.public / f"releases/{row.slug}.json"
        if file.is_file() and digest(data := file.read_bytes()) == row.record:
            return data
        if stored := self.state.record(row.record):
            return stored
        raise SettingError(f"the record of {row.slug} is not on this machine", "make publish fetches it")


def read_mark(file: Path) -> bytes:
    """Return a PNG without metadata; its colour profile stays."""
    from pipeline.typography.image_metadata import parts_of, with_profile

    parts = parts_of(file.read_bytes(), "PNG")
    return with_profile(parts.plain, "PNG", parts.profile)


class ExitStatus(Struct, frozen=True):
    """How a command ends that did what it could: status and kind of the worst error."""

    status: int
    kind: str


def exit_status(error: type[DatelineError]) -> ExitStatus:
    """Return the exit status that belongs to a kind of error."""
    return ExitStatus(error.status, error.kind)
