"""The desk at which a command works: its folders, its newsroom, its clock, its destination."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from pipeline.build import fingerprint
from pipeline.build.state import BuildState, write_file
from pipeline.model.errors import DatelineError, SettingError
from pipeline.model.formats import FEEDS, RSS
from pipeline.model.manifest import EMPTY, Manifest, Row, digest
from pipeline.model.newsroom import Newsroom
from pipeline.model.render_context import RenderContext
from pipeline.site import archive
from pipeline.storage import ObjectStore, open_store
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination, destination

KNOWN = "newsroom.json"
PUBLISHED = "published"


class CachedNewsroom(Struct, frozen=True):
    """The newsroom as last read, so that a stage with nothing to do need not load the parsers."""

    digest: str
    newsroom: Newsroom


class PublishedManifest(Struct, frozen=True):
    """The manifest as last fetched, and from where: another storage has another one."""

    address: str
    manifest: Manifest


class CommandContext:
    """Where one command works; everything is looked up once and on demand."""

    def __init__(
        self, content: Path, output: Path, environ: Mapping[str, str], root: Path, *, publishing: bool = True
    ) -> None:
        # A job must say where it publishes; to check or render it need not.
        self.environ = environ if publishing else {name: value for name, value in environ.items() if name != "CI"}
        self.root = root
        self.now = datetime.now(UTC)
        self.state = BuildState(content, output)
        self.state.prepare()

    def use_run_clock(self, clock: Path | None) -> None:
        """Take the instant that a whole run goes by from a file; one that lies ahead is not believed."""
        if clock and clock.is_file():
            self.now = min(self.now, datetime.fromisoformat(clock.read_text("ascii")))

    @cached_property
    def newsroom(self) -> Newsroom:
        """The newsroom of ``content/``. Raises ReleaseError with all faults of newsroom.toml."""
        stamp = self._stamp()
        known = self.state.recall(KNOWN, CachedNewsroom, None)
        if stamp and known and known.digest == stamp:
            return known.newsroom
        from pipeline.reader import read_newsroom

        found = read_newsroom(self.state.content)
        self.state.remember(KNOWN, CachedNewsroom(self._stamp(), found))
        return found

    def _stamp(self) -> str:
        """Return a digest of newsroom.toml, what lies beside it, and the code that reads it; empty without the file."""
        file = self.state.newsroom_file
        if not file.is_file():
            return ""
        marks = [path for path in sorted(file.parent.glob("*.png")) if path.is_file()]
        neighbours = [os.fsencode(path.name) + str(path.stat().st_size).encode() for path in marks]
        code = [path.read_bytes() for path in sorted((fingerprint.ROOT / "pipeline").glob("reader/*.py"))]
        code.append((fingerprint.ROOT / "pipeline" / "model" / "newsroom.py").read_bytes())
        return digest(b"\0".join([file.read_bytes(), *neighbours, *code]))

    @cached_property
    def destination(self) -> Destination:
        """Where this newsroom is published. Raises SettingError."""
        return destination(self.environ, self.root, self.newsroom.base_url)

    @cached_property
    def published(self) -> Manifest:
        """The manifest as last fetched from the destination."""
        known = self.state.recall(PUBLISHED, PublishedManifest, None)
        return known.manifest if known and known.address == self.destination.address else EMPTY

    def remember_published(self, manifest: Manifest) -> None:
        """Store the manifest for the stages that follow."""
        self.published = manifest
        self.state.remember(PUBLISHED, PublishedManifest(self.destination.address, manifest))

    @cached_property
    def store(self) -> ObjectStore:
        """The destination by the publisher's own rights. Raises StorageError."""
        return open_store(self.destination, self.environ)

    @property
    def minor(self) -> bool:
        """Whether somebody said that what changed is no correction."""
        return bool(self.environ.get("DATELINE_MINOR"))

    @cached_property
    def anonymous(self) -> AnonymousClient:
        """The destination as anybody sees it."""
        return AnonymousClient(self.destination.address, self.environ)

    @cached_property
    def mark(self) -> bytes:
        """The organisation's mark, a PNG; empty when it has none."""
        return self.state.mark(self.newsroom.mark)

    @cached_property
    def assets(self) -> Mapping[str, bytes]:
        """Style sheet, fonts and mark by key."""
        from pipeline.site.assets import assets
        from pipeline.typography.fonts import supply

        supply.ensure_pages(self.newsroom.languages)
        return assets(self.newsroom, self.mark, self._font_cache)

    @property
    def _font_cache(self) -> Path:
        """Beside the installed packages where that may be written: fonts change only with them."""
        prefix = Path(sys.prefix)
        return prefix / "dateline" if os.access(prefix, os.W_OK) else self.state.work / "fonts"

    def render_context(self, *, shared: bool = False) -> RenderContext:
        """Return what all releases have in common; ``shared`` adds the names of the shared files."""
        names: Mapping[str, str] = {}
        if shared:
            from pipeline.site.assets import asset_names

            names = asset_names(self.assets)
        return RenderContext(self.newsroom, self.mark, self.destination.base_url, self.now, self.published, names)

    def keep_assets(self, *, waiting: bool) -> None:
        """Put the shared files into the tree where pages look for them."""
        for key, data in self.assets.items():
            file = self.state.place(waiting) / key
            if not file.is_file():
                write_file(file, data)

    def keep_listings(self, made: Mapping[str, bytes]) -> None:
        """Put listings into the public tree; a feed or a page of an earlier run, of which nothing is public, goes."""
        for key, data in made.items():
            write_file(self.state.public / key, data)
        for whole, folder in ((RSS.whole, FEEDS), (archive.OVERVIEW, archive.FOLDER)):
            for file in (self.state.public / folder).rglob("*.*") if whole in made else ():
                if str(file.relative_to(self.state.public)) not in made:
                    file.unlink()

    def record(self, row: Row) -> bytes:
        """Return the record of ``row`` from this machine. Raises SettingError when it is not here."""
        for file in (self.state.public / f"releases/{row.slug}.json", self.state.work / "records" / row.record):
            if file.is_file() and digest(data := file.read_bytes()) == row.record:
                return data
        raise SettingError(f"the record of {row.slug} is not on this machine", "make publish fetches it")


class ExitStatus(Struct, frozen=True):
    """How a command ends that did what it could: the worst of what it met."""

    status: int
    kind: str


def exit_status(error: type[DatelineError]) -> ExitStatus:
    """Return the verdict that belongs to a kind of error."""
    return ExitStatus(error.status, error.kind)
