"""A newsroom in a temporary folder whose stages run in the test's own process, at any time of day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from pipeline.build import reading, stages, stored_index
from pipeline.build.published import StoredManifest, store_whole
from pipeline.build.stages import StageResult
from pipeline.build.state import BuildState
from pipeline.model.manifest import Manifest, Row, newest_first
from pipeline.model.newsroom import Newsroom
from pipeline.model.render_context import RenderContext
from pipeline.publish import up_to_date
from pipeline.publish.candidates import Classified, classify
from tests.support import reading as texts
from tests.support.formats import NAMES
from tests.support.reading import NEWSROOM

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PAST, AHEAD = "2026-06-01T12:00+00:00", "2026-06-01T12:00:00.001+00:00"
BASE = "https://press.example.org/"


class Sandbox:
    """A newsroom in a temporary folder whose stages are called directly, at any time of day."""

    def __init__(self, folder: Path) -> None:
        self.content = folder / "content"
        self.output = folder / "output"
        self.content.mkdir()
        self.newsroom: Newsroom = NEWSROOM
        self.mark = b""
        self.base = BASE
        self.now = NOW
        self.published = Manifest()
        self.minor = True
        """Set, so that tests may change published words without a correction."""
        self.state = BuildState(self.content, self.output)
        self.state.prepare()

    def write(self, slug: str = "probe", date: str = PAST, body: str = "Words.", **keys: str) -> Path:
        lines = "".join(f"{key}: {value}\n" for key, value in {"title": slug.title(), "date": date, **keys}.items())
        path = self.content / f"{slug}.md"
        path.write_text(f"---\n{lines}---\n{body}\n", "utf-8")
        return path

    @property
    def render_context(self) -> RenderContext:
        return RenderContext(self.newsroom, self.mark, self.base, self.now, self.published)

    def read(self, slugs: Sequence[str] = ()) -> dict[str, reading.ReadResult]:
        wanted = slugs or self.state.slugs()
        found = reading.read(self.state, self.newsroom, self.published, wanted, self.now, self.minor)
        return {result.slug: result for result in found}

    def render(self, names: Sequence[str] = ("text",), slugs: Sequence[str] = ()) -> dict[str, dict[str, StageResult]]:
        wanted = slugs or self.state.slugs()
        return {
            name: {step.slug: step for step in stages.render(name, self.state, self.render_context, wanted)}
            for name in names
        }

    def run(self, names: Sequence[str] = ("text",)) -> dict[str, dict[str, StageResult]]:
        self.read()
        return self.render(names)

    def verbs(self, names: Sequence[str] = ("text",), slug: str = "probe") -> dict[str, str]:
        return {name: steps[slug].verb for name, steps in self.run(names).items() if slug in steps}

    def files(self) -> set[str]:
        found = (path for path in self.output.rglob("*") if path.is_file() and ".work" not in path.parts)
        return {str(path.relative_to(self.output)) for path in found}


def change_source(sandbox: Sandbox) -> None:
    sandbox.write(body="Other words.")


def change_picture(sandbox: Sandbox) -> None:
    (sandbox.content / "probe").mkdir(exist_ok=True)
    (sandbox.content / "probe" / "beside.png").write_bytes(texts.picture())


def change_newsroom(sandbox: Sandbox) -> None:
    sandbox.newsroom = msgspec.structs.replace(sandbox.newsroom, boilerplate="Other words about us.")


def change_mark(sandbox: Sandbox) -> None:
    sandbox.mark = texts.picture()


def change_address(sandbox: Sandbox) -> None:
    sandbox.base = "https://elsewhere.example.net/"


def sorted_now(sandbox: Sandbox) -> Classified:
    return classify(sandbox.state, sandbox.render_context, sandbox.state.slugs(), sandbox.now)


def publish(sandbox: Sandbox) -> tuple[Row, ...]:
    """Render all releases, and take those that are ready as published."""
    sandbox.run(NAMES)
    rows = sandbox.published.by_slug() | {found.row.slug: found.row for found in sorted_now(sandbox).candidates}
    sandbox.published = Manifest(sandbox.published.serial + 1, newest_first(rows.values()))
    return sandbox.published.rows


def up_to_date_slugs(sandbox: Sandbox) -> set[str]:
    """Return the releases of which a publishing run would render nothing."""
    stored = fetched(sandbox)
    context = msgspec.structs.replace(sandbox.render_context, published=stored)
    return {*sandbox.state.slugs()}.difference(up_to_date.stale_slugs(sandbox.state, stored, context))


def changed_sources(sandbox: Sandbox) -> list[str]:
    """Return the releases that a publishing run would read."""
    return up_to_date.changed_sources(sandbox.state, fetched(sandbox))


def fetched(sandbox: Sandbox) -> StoredManifest:
    """Store what is published and which sources there are, as the first step of publishing does."""
    up_to_date.scan_sources(sandbox.state)
    stored = store_whole(sandbox.state, sandbox.base, sandbox.published)
    stored_index.refresh(sandbox.state, sandbox.now)
    stored.is_indexed = True
    return stored


def elsewhere(sandbox: Sandbox, folder: Path) -> Sandbox:
    """Return the same newsroom on a fresh clone."""
    folder.mkdir()
    other = Sandbox(folder)
    for file in sandbox.content.iterdir():
        if file.is_file():
            (other.content / file.name).write_bytes(file.read_bytes())
    other.published = sandbox.published
    return other
