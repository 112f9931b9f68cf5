"""The commands that read and render: read, check, the stages, the listings, new."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from pipeline.build import reading, stages
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.stages import StageResult
from pipeline.build.state import BuildState
from pipeline.cli.console import Console, count, size
from pipeline.model.errors import ReleaseError, printable
from pipeline.model.release import SLUG
from pipeline.model.render_context import RenderContext
from pipeline.publish import schedule as due
from pipeline.publish.candidates import local_manifest
from pipeline.typography.messages import FALLBACK, Messages
from pipeline.typography.messages import FOLDER as WORDS

REFUSED = "refused.json"
MANY = 20
"""From this many releases on, a stage sums up instead of naming each."""


def candidates(context: CommandContext, options: Namespace) -> tuple[str, ...]:
    """Return the slugs that make found to be stale; all of them when a stage is called by hand."""
    known = context.state.slugs()
    if options.candidates is None:
        return known
    wanted = set(options.candidates.read_text("utf-8").split())
    # Odd names, and what is no file, never get into make; the reader must see them to refuse them.
    return tuple(slug for slug in known if slug in wanted or not SLUG.match(slug) or _is_no_file(context, slug))


def _is_no_file(context: CommandContext, slug: str) -> bool:
    return not context.state.source(slug).is_file()


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Read sources into manuscripts, and tell all faults of all of them."""
    told = context.state.recall(REFUSED, dict[str, str], {}) if options.told else {}
    refused = read_and_tell(context, candidates(context, options), console, told)
    return exit_status(ReleaseError) if refused and not options.go_on else None


def check(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Read every release, and say how many are whole."""
    slugs = context.state.slugs()
    refused = read_and_tell(context, slugs, console, {})
    warn_outdated_translations(context, console)
    for language in _languages(context, slugs):
        if lacking := Messages(language, context.newsroom.time_zone).lacking:
            console.fault(_untranslated(language, lacking))
    console.line(f"{count(len(slugs), 'release')} checked, {len(refused) or 'none'} refused")
    return exit_status(ReleaseError) if refused else None


def _languages(context: CommandContext, slugs: Sequence[str]) -> list[str]:
    """Return the languages of the newsroom and of its releases, each once, without regions."""
    found = [context.newsroom.language, *context.newsroom.languages]
    found += [
        parsed_release.release.language for parsed_release in map(context.state.parsed_release, slugs) if parsed_release
    ]
    return sorted({language.split("-")[0] for language in found})


def _untranslated(language: str, lacking: Sequence[str]) -> str:
    file = WORDS / f"{language}.toml"
    what = f"lacks {', '.join(lacking)}" if file.is_file() else "is not there"
    shown = file.relative_to(WORDS.parent.parent)
    hint = f"copy {FALLBACK}.toml beside it and translate what is in quotes"
    return f"{shown}: warning: {what}: English stands in\n  hint: {hint}"


def read_and_tell(context: CommandContext, slugs: Sequence[str], console: Console, told: Mapping[str, str]) -> set[str]:
    """Read ``slugs``; what is in ``told`` with the same digest was refused and told a moment ago."""
    from pipeline.build import fingerprint

    new = [slug for slug in slugs if told.get(printable(slug)) != fingerprint.of_source(context.state, slug)]
    refused = {slug for slug in slugs if slug not in new}
    read = reading.read(context.state, context.newsroom, context.published, new, context.now, context.minor)
    for done, result in enumerate(read, 1):
        for fault in result.faults:
            console.fault(str(fault if result.refused else fault.as_warning()))
        if result.refused:
            refused.add(result.slug)
        console.progress(done, len(new), "read")
    kept = {printable(slug): fingerprint.of_source(context.state, slug) for slug in refused}
    context.state.remember(REFUSED, kept)
    return refused


def warn_outdated_translations(context: CommandContext, console: Console) -> None:
    """Warn of the translations that are behind their originals."""
    from pipeline.build.translations import outdated_translations

    for warning in outdated_translations(context.state, context.newsroom, context.published, context.now):
        console.fault(str(warning))


# ── Rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def render_stage(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Run one renderer stage over its candidates."""
    stage = options.command
    slugs = candidates(context, options)
    shared = stage == "html"
    if shared and slugs and not context.state.is_due:
        context.keep_assets(waiting=False)
    counted = {"made": 0, "unchanged": 0, "failed": 0}
    for step in steps(context, stage, context.render_context(shared=shared), slugs):
        counted[step.verb] += 1
        if step.fault:
            console.fault(str(step.fault))
        elif len(slugs) <= MANY and step.verb == "made":
            _show(context, console, stage, step)
        console.progress(sum(counted.values()), len(slugs), stage)
        if shared and step.waiting:
            context.keep_assets(waiting=True)
    if len(slugs) > MANY:
        console.step(stage, ", ".join(f"{number} {verb}" for verb, number in counted.items() if number))
    whole = all(context.state.parsed_release(slug) for slug in slugs) and not counted["failed"]
    return None if whole or options.go_on else exit_status(ReleaseError)


def steps(
    context: CommandContext, stage: str, render_context: RenderContext, slugs: Sequence[str]
) -> Iterator[StageResult]:
    """Render; what waits and is due later is set at its own instant, unless it could not be set as it waits."""
    if not context.state.is_due:
        yield from stages.render(stage, context.state, render_context, slugs)
        return
    made = BuildState(context.state.content, context.state.work.parent).ledger(stage)
    for then, group in due.contexts_by_instant(context.state, render_context, slugs):
        yield from stages.render(stage, context.state, then, [slug for slug in group if slug in made])


def _show(context: CommandContext, console: Console, stage: str, step: StageResult) -> None:
    if step.waiting or step.rendition is None or context.state.is_due:
        console.step(stage, context.state.opaque(step.slug), "due" if context.state.is_due else "held")
        return
    pages = step.rendition.pages
    console.step(stage, step.slug, size(step.rendition.size), count(pages, "page") if pages else "")


def listing(context: CommandContext, options: Namespace, console: Console) -> None:
    """Make the feeds, or the newsroom page, of all records at hand."""
    from pipeline.site import listings

    render_context = context.render_context(shared=True)
    manifest = local_manifest(context)
    if options.command == "feed":
        made = listings.feed(manifest, render_context, context.record)
    else:
        context.keep_assets(waiting=False)
        made = listings.pages(manifest, render_context)
    context.keep_listings(made)
    for key, data in made.items():
        console.step(options.command, key, size(len(data)))


def render(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Say what is whole after all stages."""
    slugs = context.state.slugs()
    lacking = [
        slug for slug in slugs if slug not in context.state.ledger("json") or not context.state.parsed_release(slug)
    ]
    console.line(f"{count(len(slugs) - len(lacking), 'release')} in {context.state.public.parent}/")
    if not lacking:
        return None
    console.fault(f"{count(len(lacking), 'release')} not rendered: {', '.join(map(printable, lacking))}")
    return exit_status(ReleaseError)


def new(context: CommandContext, _options: Namespace, console: Console) -> None:
    """Write a new release from the title that make hands over."""
    from pipeline.cli.drafting import draft

    path = draft(context.state.content, context.environ.get("DATELINE_TITLE", ""), context.newsroom, context.now)
    console.line(f"{path} written, as a draft; edit it, then make check")
