"""Reading and rendering releases in one process, with progress: for the commands that go on with what they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.build import fingerprint, reading, stages
from pipeline.build.context import CommandContext
from pipeline.build.stages import StageResult
from pipeline.model.errors import printable
from pipeline.model.formats import FORMATS
from pipeline.publish.progress import Progress
from pipeline.publish.schedule import contexts_by_instant

REFUSED = "refused"
"""Fact in the build state: slug → digest of the sources that were refused."""


def recall_refused(context: CommandContext) -> dict[str, str]:
    """Return the digests of the sources that the last run refused, by printable slug."""
    return context.state.recall(REFUSED, dict[str, str], {})


def read_sources(
    context: CommandContext, slugs: Sequence[str], progress: Progress, reported: Mapping[str, str]
) -> set[str]:
    """Read ``slugs``, report their faults and warnings, and return those that are refused.

    A source in ``reported`` with the same digest was refused a moment ago: it is not read and reported again.
    """
    digests = {slug: fingerprint.of_source(context.state, slug) for slug in slugs}
    new = [slug for slug in slugs if reported.get(printable(slug)) != digests[slug]]
    refused = set(slugs) - set(new)
    results = reading.read(context.state, context.newsroom, context.published, new, context.now, context.minor)
    for number, result in enumerate(results, 1):
        for fault in result.faults:
            progress.fault(fault if result.refused else fault.as_warning())
        if result.refused:
            refused.add(result.slug)
        progress.progress(number, len(new), "read")
    context.state.remember(REFUSED, {printable(slug): fingerprint.of_source(context.state, slug) for slug in refused})
    context.state.note_next_instant(context.now)
    return refused


def update_sources(context: CommandContext, slugs: Sequence[str], progress: Progress) -> None:
    """Read and render ``slugs`` as far as their fingerprints have changed."""
    read_sources(context, reading.out_of_date(context.state, context.newsroom, slugs), progress, {})
    render_sources(context, slugs, progress)


def render_sources(context: CommandContext, slugs: Sequence[str], progress: Progress) -> None:
    """Render ``slugs`` in all formats, scheduled ones in their final form too; report faults alone."""
    for row in FORMATS:
        pages = row.group == "pages"
        if pages:
            context.store_assets(unpublished=False)
        results = [*stages.render(row.name, context.state, context.render_context(shared=pages), slugs)]
        if any(pages and result.unpublished for result in results):
            context.store_assets(unpublished=True)
        for result in (*results, *render_final(context, row.name, slugs)):
            if result.fault:
                progress.fault(str(result.fault))
    context.state.note_change()


def render_final(context: CommandContext, stage: str, slugs: Sequence[str]) -> Iterator[StageResult]:
    """Render scheduled releases in their final form, so that at their instant nothing is left to render.

    One of which the form before the instant has failed is left out: it would fail again.
    """
    rendered = context.state.rendered(stage)
    scheduled = [slug for slug in slugs if slug in rendered and rendered[slug].unpublished]
    if scheduled:
        ahead = context.render_context(shared=stage == "html")
        for then, group in contexts_by_instant(context.state, ahead, scheduled):
            yield from stages.render(stage, context.state.final(), then, group)


def warn_outdated_translations(context: CommandContext, progress: Progress) -> None:
    """Warn of translations that lack a correction or the withdrawal of their original."""
    from pipeline.build.translations import outdated_translations

    for warning in outdated_translations(context.state, context.newsroom, context.published, context.now):
        progress.fault(warning)
