"""Reading and rendering within a publishing run, with progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from pipeline.build import fingerprint, reading, stages
from pipeline.build.context import CommandContext
from pipeline.build.stages import StageResult
from pipeline.build.translations import outdated_translations
from pipeline.model.errors import printable
from pipeline.model.formats import FORMATS
from pipeline.publish.progress import Progress
from pipeline.publish.schedule import contexts_by_instant

REFUSED = "refused.json"
"""Name in the build state of slug → digest of the sources that were refused."""


def recall_refused(context: CommandContext) -> dict[str, str]:
    """Return the digests of the sources that the last run refused, by printable slug."""
    return context.state.recall(REFUSED, dict[str, str], {})


def read_sources(
    context: CommandContext, slugs: Sequence[str], progress: Progress, reported: Mapping[str, str]
) -> set[str]:
    """Read ``slugs`` and return those that are refused.

    A source in ``reported`` with the same digest was refused a moment ago: it is not read and reported again.
    """
    digests = {slug: fingerprint.of_source(context.state, slug) for slug in slugs}
    new = [slug for slug in slugs if reported.get(printable(slug)) != digests[slug]]
    refused = set(slugs) - set(new)
    results = reading.read(context.state, context.newsroom, context.published, new, context.now, context.minor)
    for done, result in enumerate(results, 1):
        for fault in result.faults:
            progress.fault(str(fault if result.refused else fault.as_warning()))
        if result.refused:
            refused.add(result.slug)
        progress.progress(done, len(new), "read")
    refused_digests = {printable(slug): fingerprint.of_source(context.state, slug) for slug in refused}
    context.state.remember(REFUSED, refused_digests)
    return refused


def render_sources(context: CommandContext, slugs: Sequence[str], progress: Progress) -> None:
    """Render ``slugs`` in all formats: as they are now, then the scheduled ones in their final form."""
    for result in chain(_as_now(context, slugs), _in_final_form(context, slugs)):
        if result.fault:
            progress.fault(str(result.fault))


def _as_now(context: CommandContext, slugs: Sequence[str]) -> Iterator[StageResult]:
    for row in FORMATS:
        yield from stages.render(row.name, context.state, context.render_context(shared=row.name == "html"), slugs)


def _in_final_form(context: CommandContext, slugs: Sequence[str]) -> Iterator[StageResult]:
    for row in FORMATS:
        rendered, render_context = context.state.ledger(row.name), context.render_context(shared=row.name == "html")
        for then, group in contexts_by_instant(context.state, render_context, slugs):
            yield from stages.render(row.name, context.state.due(), then, [slug for slug in group if slug in rendered])


def warn_outdated_translations(context: CommandContext, progress: Progress) -> None:
    """Warn of translations that lack a correction or the withdrawal of their original."""
    for warning in outdated_translations(context.state, context.newsroom, context.published, context.now):
        progress.fault(str(warning))
