"""``make text``, ``make pdf`` and so on: one renderer stage over all releases."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from pipeline.build import stages
from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.build.stages import StageResult
from pipeline.cli.console import Console, count, size
from pipeline.model.errors import ReleaseError

MANY = 20
"""After this many renditions a stage counts instead of naming each."""


def add_arguments(parser: ArgumentParser) -> None:
    """Add the options that all stages have."""
    parser.add_argument("--stamp", type=Path, help="file to touch when no release is at fault")
    parser.add_argument("--go-on", action="store_true", help="report releases at fault, but end with 0")
    parser.add_argument("--publishing", action="store_true", help="a stage of make publish, after fetch")


def run(context: CommandContext, options: Namespace, console: Console) -> ExitStatus | None:
    """Render the stale releases in one format."""
    stage, slugs = options.command, candidates(context, options)
    pages = stage == "html"
    if pages and slugs:
        context.store_assets(unpublished=False)
    verbs = {"rendered": 0, "unchanged": 0, "failed": 0}
    render_context = context.render_context(shared=pages)
    for result in stages.render(stage, context.state, render_context, slugs, console.fault):
        verbs[result.verb] += 1
        _show(context, console, stage, result, verbs["rendered"])
        console.progress(sum(verbs.values()), len(slugs), stage)
        if pages and result.unpublished and result.verb == "rendered":
            context.store_assets(unpublished=True)
    if verbs["rendered"] > MANY:
        console.step(stage, ", ".join(f"{number} {verb}" for verb, number in verbs.items() if number))
    if options.publishing:
        _render_final(context, console, stage, slugs)
    parsed = context.state.summaries(slugs)
    return finish(context, options, at_fault=bool(verbs["failed"]) or any(slug not in parsed for slug in slugs))


def candidates(context: CommandContext, options: Namespace) -> tuple[str, ...]:
    """Return the slugs that a stage looks at; when publishing, those that are not up to date in storage."""
    if not options.publishing:
        return context.state.slugs()
    context.use_run_clock()
    stale = context.stale_slugs()
    return context.state.slugs() if stale is None else tuple(stale)


def finish(context: CommandContext, options: Namespace, *, at_fault: bool) -> ExitStatus | None:
    """End a stage: stamp it for make, unless a release is at fault and is to be reported again."""
    context.state.note_change()
    if options.stamp and not at_fault:
        _stamp(options.stamp)
    return exit_status(ReleaseError) if at_fault and not options.go_on else None


def _stamp(stamp: Path) -> None:
    """Touch a stamp in its folder, ``render-CHECKSUM``; the folders of earlier inputs go."""
    folder = stamp.parent
    if not folder.is_dir():
        import shutil

        for earlier in folder.parent.glob(f"{folder.name.partition('-')[0]}-*"):
            if earlier != folder:  # ``make -j`` ends several stages at once
                shutil.rmtree(earlier, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    stamp.touch()


def _show(context: CommandContext, console: Console, stage: str, result: StageResult, number: int) -> None:
    if result.fault:
        console.fault(str(result.fault))
    if result.verb != "rendered" or result.rendition is None or number > MANY:
        return
    if result.unpublished:  # a log may be read by anybody
        is_draft = context.state.summaries([result.slug])[result.slug].entry.draft
        console.step(stage, context.state.opaque(result.slug), "draft" if is_draft else "scheduled")
        return
    if result.slug in context.state.held_back() and result.slug not in context.published.by_slug():
        console.step(stage, context.state.opaque(result.slug), "not approved")
        return
    pages = result.rendition.pages
    console.step(stage, result.slug, size(result.rendition.size), count(pages, "page") if pages else "")


def _render_final(context: CommandContext, console: Console, stage: str, slugs: tuple[str, ...]) -> None:
    from pipeline.publish.sources import render_final

    for result in render_final(context, stage, slugs):
        if result.fault:
            console.fault(str(result.fault))
        if result.verb == "rendered":
            console.step(stage, context.state.opaque(result.slug), "final form")
