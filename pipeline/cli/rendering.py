"""The commands that read and render: read, check, the stages, the listings, new."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence

from pipeline.build import reading, stages
from pipeline.build.stages import Step
from pipeline.build.state import Workshop
from pipeline.cli.console import Console, count, size
from pipeline.cli.context import Desk, Verdict, verdict
from pipeline.model.errors import ReleaseError, printable
from pipeline.model.release import SLUG
from pipeline.model.render_context import House
from pipeline.publish import schedule as due
from pipeline.typography.messages import FALLBACK, Words
from pipeline.typography.messages import FOLDER as WORDS

REFUSED = "refused.json"
MANY = 20
"""From this many releases on, a stage sums up instead of naming each."""


def candidates(desk: Desk, options: Namespace) -> tuple[str, ...]:
    """Return the slugs that make found to be stale; all of them when a stage is called by hand."""
    known = desk.workshop.slugs()
    if options.candidates is None:
        return known
    wanted = set(options.candidates.read_text("utf-8").split())
    # Odd names, and what is no file, never get into make; the reader must see them to refuse them.
    return tuple(slug for slug in known if slug in wanted or not SLUG.match(slug) or _is_no_file(desk, slug))


def _is_no_file(desk: Desk, slug: str) -> bool:
    return not desk.workshop.source(slug).is_file()


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(desk: Desk, options: Namespace, console: Console) -> Verdict | None:
    """Read sources into manuscripts, and tell all faults of all of them."""
    told = desk.workshop.recall(REFUSED, dict[str, str], {}) if options.told else {}
    refused = read_and_tell(desk, candidates(desk, options), console, told)
    return verdict(ReleaseError) if refused and not options.go_on else None


def check(desk: Desk, options: Namespace, console: Console) -> Verdict | None:
    """Read every release, and say how many are whole."""
    slugs = desk.workshop.slugs()
    refused = read_and_tell(desk, slugs, console, {})
    tell_lagging(desk, console)
    for language in _languages(desk, slugs):
        if lacking := Words(language, desk.newsroom.time_zone).lacking:
            console.fault(_untranslated(language, lacking))
    console.line(f"{count(len(slugs), 'release')} checked, {len(refused) or 'none'} refused")
    return verdict(ReleaseError) if refused else None


def _languages(desk: Desk, slugs: Sequence[str]) -> list[str]:
    """Return the languages of the newsroom and of its releases, each once, without regions."""
    found = [desk.newsroom.language, *desk.newsroom.languages]
    found += [manuscript.release.language for manuscript in map(desk.workshop.manuscript, slugs) if manuscript]
    return sorted({language.split("-")[0] for language in found})


def _untranslated(language: str, lacking: Sequence[str]) -> str:
    file = WORDS / f"{language}.toml"
    what = f"lacks {', '.join(lacking)}" if file.is_file() else "is not there"
    shown = file.relative_to(WORDS.parent.parent)
    hint = f"copy {FALLBACK}.toml beside it and translate what is in quotes"
    return f"{shown}: warning: {what}: English stands in\n  hint: {hint}"


def read_and_tell(desk: Desk, slugs: Sequence[str], console: Console, told: Mapping[str, str]) -> set[str]:
    """Read ``slugs``; what is in ``told`` with the same digest was refused and told a moment ago."""
    from pipeline.build import fingerprint

    new = [slug for slug in slugs if told.get(printable(slug)) != fingerprint.of_source(desk.workshop, slug)]
    refused = {slug for slug in slugs if slug not in new}
    read = reading.read(desk.workshop, desk.newsroom, desk.published, new, desk.now, desk.minor)
    for done, result in enumerate(read, 1):
        for fault in result.faults:
            console.fault(str(fault if result.refused else fault.as_warning()))
        if result.refused:
            refused.add(result.slug)
        console.progress(done, len(new), "read")
    kept = {printable(slug): fingerprint.of_source(desk.workshop, slug) for slug in refused}
    desk.workshop.remember(REFUSED, kept)
    return refused


def tell_lagging(desk: Desk, console: Console) -> None:
    """Warn of the translations that are behind their originals."""
    from pipeline.build.translations import lagging

    for warning in lagging(desk.workshop, desk.newsroom, desk.published, desk.now):
        console.fault(str(warning))


# ── Rendering ───────────────────────────────────────────────────────────────────────────────────────────────────────


def render_stage(desk: Desk, options: Namespace, console: Console) -> Verdict | None:
    """Run one renderer stage over its candidates."""
    stage = options.command
    slugs = candidates(desk, options)
    shared = stage == "html"
    if shared and slugs and not desk.workshop.is_due:
        desk.keep_assets(waiting=False)
    counted = {"made": 0, "unchanged": 0, "failed": 0}
    for step in steps(desk, stage, desk.house(shared=shared), slugs):
        counted[step.verb] += 1
        if step.fault:
            console.fault(str(step.fault))
        elif len(slugs) <= MANY and step.verb == "made":
            _show(desk, console, stage, step)
        console.progress(sum(counted.values()), len(slugs), stage)
        if shared and step.waiting:
            desk.keep_assets(waiting=True)
    if len(slugs) > MANY:
        console.step(stage, ", ".join(f"{number} {verb}" for verb, number in counted.items() if number))
    whole = all(desk.workshop.manuscript(slug) for slug in slugs) and not counted["failed"]
    return None if whole or options.go_on else verdict(ReleaseError)


def steps(desk: Desk, stage: str, house: House, slugs: Sequence[str]) -> Iterator[Step]:
    """Render; what waits and is due later is set at its own instant, unless it could not be set as it waits."""
    if not desk.workshop.is_due:
        yield from stages.render(stage, desk.workshop, house, slugs)
        return
    made = Workshop(desk.workshop.content, desk.workshop.work.parent).ledger(stage)
    for then, group in due.houses(desk.workshop, house, slugs):
        yield from stages.render(stage, desk.workshop, then, [slug for slug in group if slug in made])


def _show(desk: Desk, console: Console, stage: str, step: Step) -> None:
    if step.waiting or step.rendition is None or desk.workshop.is_due:
        console.step(stage, desk.workshop.opaque(step.slug), "due" if desk.workshop.is_due else "held")
        return
    pages = step.rendition.pages
    console.step(stage, step.slug, size(step.rendition.size), count(pages, "page") if pages else "")


def listing(desk: Desk, options: Namespace, console: Console) -> None:
    """Make the feeds, or the newsroom page, of all records at hand."""
    from pipeline.site import listings

    house = desk.house(shared=True)
    manifest = desk.local_manifest()
    if options.command == "feed":
        made = listings.feed(manifest, house, desk.record)
    else:
        desk.keep_assets(waiting=False)
        made = listings.pages(manifest, house)
    desk.keep_listings(made)
    for key, data in made.items():
        console.step(options.command, key, size(len(data)))


def render(desk: Desk, _options: Namespace, console: Console) -> Verdict | None:
    """Say what is whole after all stages."""
    slugs = desk.workshop.slugs()
    lacking = [slug for slug in slugs if slug not in desk.workshop.ledger("json") or not desk.workshop.manuscript(slug)]
    console.line(f"{count(len(slugs) - len(lacking), 'release')} in {desk.workshop.public.parent}/")
    if not lacking:
        return None
    console.fault(f"{count(len(lacking), 'release')} not rendered: {', '.join(map(printable, lacking))}")
    return verdict(ReleaseError)


def new(desk: Desk, _options: Namespace, console: Console) -> None:
    """Write a new release from the title that make hands over."""
    from pipeline.cli.drafting import draft

    path = draft(desk.workshop.content, desk.environ.get("DATELINE_TITLE", ""), desk.newsroom, desk.now)
    console.line(f"{path} written, as a draft; edit it, then make check")
