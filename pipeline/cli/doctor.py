"""``make doctor``, and what publishing does with its findings."""

from __future__ import annotations

from argparse import Namespace

from pipeline.build.context import CommandContext, ExitStatus, exit_status
from pipeline.cli.console import Console
from pipeline.model.errors import StorageError
from pipeline.storage.doctor.findings import FRESH, GUARANTEES, NEEDED, Findings, Guarantee, refuse
from pipeline.storage.embedded import server as embedded

FINDINGS = "storages.json"
"""What each storage was found to keep, by its address."""
SOLE = "PRESS_SOLE_PUBLISHER"
"""Set by who knows that no two runs ever publish there at once."""


def doctor(context: CommandContext, _options: Namespace, console: Console) -> ExitStatus | None:
    """Try what the storage keeps, and say what Dateline can promise there and what it cannot."""
    if context.destination.embedded:
        embedded.start(context.root)
    found = _examine(context, console)
    rows = [(_grade(finding.against, unsafe=finding.unsafe), finding) for finding in found.found]
    console.table([("", "what", "finding", "what it means"), *((grade, f.what, f.found, f.means) for grade, f in rows)])
    for words, kept in (("can promise", True), ("cannot promise", False)):
        guarantees = [guarantee for guarantee in GUARANTEES if (not found.against(guarantee)) == kept]
        if guarantees:
            console.line()
            console.heading(f"At {context.destination.address} Dateline {words}:")
        for guarantee in guarantees:
            why = ", ".join(finding.what for finding in found.against(guarantee))
            console.line(f"  {GUARANTEES[guarantee]}" + (f" (because of: {why})" if why else ""))
    _remedies(found, console)
    return None if _safe(context, found) else exit_status(StorageError)


def _examine(context: CommandContext, console: Console | None = None) -> Findings:
    from pipeline.storage import doctor as probes

    def done(number: int, total: int) -> None:
        if console:
            console.progress(number, total, "tried")

    found = probes.examine(context.destination, context.environ, done)
    _remember(context, found)
    return found


def _grade(against: tuple[Guarantee, ...], *, unsafe: bool) -> str:
    return "unsafe" if unsafe else "lacks" if against else "ok"


def _remedies(found: Findings, console: Console) -> None:
    remedies = dict.fromkeys(finding.remedy for finding in found.found if finding.against and finding.remedy)
    if remedies:
        console.line()
        console.heading("What to do:")
    for remedy in remedies:
        console.line(f"  {remedy}")


def _safe(context: CommandContext, found: Findings) -> bool:
    needed = [guarantee for guarantee in NEEDED if guarantee != "together" or not _alone(context)]
    return not any(found.against(guarantee) for guarantee in needed)


def _alone(context: CommandContext) -> bool:
    return context.environ.get(SOLE, "").lower() not in ("", "0", "no", "false")


# ── What others ask ─────────────────────────────────────────────────────────────────────────────────────────────────


def refuse_publishing(context: CommandContext) -> None:
    """Raise StorageError where publishing would harm: no conditional writes, or names that anyone lists."""
    _refuse(context, ("publish",) if _alone(context) else ("publish", "together"))


def refuse_staging(context: CommandContext) -> None:
    """Raise StorageError where what waits could be read by others: before anything goes into the private bucket."""
    _refuse(context, ("wait",))


def refuse_sharing(context: CommandContext) -> None:
    """Raise StorageError where a link would open more than it should, or not end."""
    _refuse(context, ("wait", "share"))


def _refuse(context: CommandContext, guarantees: tuple[Guarantee, ...]) -> None:
    """Go by what is known; a storage that was never tried, or not lately, is looked at briefly.

    The embedded store is ours and known. Where something speaks against a promise everything is tried anew, so that
    nobody is refused for what was mended meanwhile.
    """
    if context.destination.embedded:
        return
    from pipeline.storage import doctor as probes

    known = context.state.recall(FINDINGS, dict[str, Findings], {}).get(_place(context))
    if known is None or context.now - known.when > FRESH:
        known = probes.quick_check(context.destination, context.environ).over(known)
        _remember(context, known)
    elif any(known.against(guarantee) for guarantee in guarantees):
        known = _examine(context)
    for guarantee in guarantees:
        refuse(known, guarantee, context.destination.bucket)


def _remember(context: CommandContext, found: Findings) -> None:
    known = context.state.recall(FINDINGS, dict[str, Findings], {})
    context.state.remember(FINDINGS, {**known, _place(context): found})


def _place(context: CommandContext) -> str:
    return f"{context.destination.address} {context.destination.private_bucket}"
