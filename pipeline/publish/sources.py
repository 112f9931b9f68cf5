"""Reading and rendering releases in one process, with progress: for the commands that go on with what they get."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from pipeline.build import fingerprint, reading, stages
from pipeline.build.context import CommandContext
from pipeline.build.samples import newsroom_samples, release_samples
from pipeline.build.stages import StageResult
from pipeline.model.errors import Fault, ReleaseError, printable
from pipeline.model.formats import FORMATS
from pipeline.publish.progress import Progress
from pipeline.publish.schedule import contexts_by_instant
from pipeline.publish.up_to_date import unpublished_sources

REFUSED = "refused_sources"
"""Name in the build state of the sources that were refused, by printable slug."""
REPORTED = 100
"""Faults that publishing reports; ``make check`` reports all."""


class Refused(Struct, frozen=True):
    """A source that was refused, and why."""

    source: str
    """Its digest."""
    faults: tuple[str, ...]
    """As they are printed."""


def recall_refused(context: CommandContext) -> dict[str, Refused]:
    """Return the sources that the last run refused, by printable slug."""
    return context.state.recall(REFUSED, dict[str, Refused], {})


def read_sources(
    context: CommandContext,
    slugs: Sequence[str],
    progress: Progress,
    reported: Mapping[str, Refused],
    *,
    publishing: bool = False,
    deferred: bool = False,
) -> set[str]:
    """Read ``slugs``, report their faults and warnings, and return those that are refused.

    A source in ``reported`` with the same digest was refused a moment ago: it is not read and reported again. When
    ``publishing``, others may read the report. With ``deferred``, refusals are left to ``report_refused``.
    """
    digests = {slug: fingerprint.of_source(context.state, slug) for slug in slugs}
    known = {slug: reported[printable(slug)] for slug in slugs if printable(slug) in reported}
    refused = {slug: one for slug, one in known.items() if one.source == digests[slug]}
    new = [slug for slug in slugs if slug not in refused]
    results = reading.read(
        context.state,
        context.newsroom,
        context.published,
        new,
        context.now,
        context.minor,
        refuses_samples=context.refuses_samples,
        names_hidden=not publishing,
    )
    for number, result in enumerate(results, 1):
        for fault in () if result.refused and deferred else result.faults:
            progress.fault(fault if result.refused else fault.as_warning())
        if result.refused:
            source = fingerprint.of_source(context.state, result.slug)
            refused[result.slug] = Refused(source, tuple(map(str, result.faults)))
        progress.progress(number, len(new), "read")
    context.state.remember(REFUSED, {printable(slug): one for slug, one in refused.items()})
    context.state.note_next_instant(context.now)
    if publishing:
        context.refresh_index()
    return set(refused)


def report_refused(context: CommandContext, progress: Progress) -> None:
    """Report the refusals of the last reading, the first ones in full."""
    faults = [fault for refused in recall_refused(context).values() for fault in refused.faults]
    for fault in faults[:REPORTED]:
        progress.fault(fault)
    if len(faults) > REPORTED:
        progress.fault(f"and {len(faults) - REPORTED} more\n  hint: make check reports all of them")


def sample_faults(context: CommandContext) -> tuple[Fault, ...]:
    """Return what newsroom.toml still has of the sample newsroom, where samples are refused."""
    return tuple(newsroom_samples(context.state.newsroom_file)) if context.refuses_samples else ()


def refuse_samples(context: CommandContext, slug: str = "") -> None:
    """Raise ReleaseError when the newsroom, or the release ``slug``, is a sample and samples are refused."""
    faults = sample_faults(context)
    parsed_release = context.state.parsed_release(slug) if slug else None
    if parsed_release and context.refuses_samples:
        faults += tuple(release_samples(context.state.source(slug), parsed_release.release))
    if faults:
        raise ReleaseError(faults)


def unread_samples(context: CommandContext) -> set[str]:
    """Return the slugs of samples that are to be published and were accepted for another destination."""
    if not context.refuses_samples:
        return set()
    known = filter(None, (context.state.parsed_release(slug) for slug, _ in unpublished_sources(context.state)))
    return {
        parsed.release.slug
        for parsed in known
        if not parsed.release.draft and any(release_samples(context.state.source(parsed.release.slug), parsed.release))
    }


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
    rendered = context.state.rendered(stage, slugs)
    scheduled = [slug for slug in slugs if slug in rendered and rendered[slug].unpublished]
    if scheduled:
        ahead = context.render_context(shared=stage == "html")
        for then, group in contexts_by_instant(context.state, ahead, scheduled):
            yield from stages.render(stage, context.state.final(), then, group)


def are_rendered(context: CommandContext, slugs: Sequence[str]) -> bool:
    """Whether no stage would read or render any of ``slugs``, nor scheduled ones in their final form."""
    if reading.out_of_date(context.state, context.newsroom, slugs):
        return False
    now = context.render_context()
    ahead = contexts_by_instant(context.state, now, slugs)
    forms = [(context.state, now, slugs), *((context.state.final(), then, group) for then, group in ahead)]
    names = [row.name for row in FORMATS if not row.beside]
    return all(stages.is_idle(name, *form) for form in forms for name in names)


def warn_outdated_translations(context: CommandContext, progress: Progress) -> None:
    """Warn of translations that lack a correction or the withdrawal of their original."""
    from pipeline.build.translations import outdated_translations

    for warning in outdated_translations(context.state, context.newsroom, context.published, context.now):
        progress.fault(warning)
