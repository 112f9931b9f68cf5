"""``make doctor``, and what publishing does with its findings."""

from __future__ import annotations

from argparse import Namespace

from pipeline.cli.console import Console
from pipeline.cli.context import Desk, Verdict, verdict
from pipeline.model.errors import StorageError
from pipeline.storage.doctor.findings import FRESH, NEEDED, PROMISES, Findings, Promise, refuse
from pipeline.storage.embedded import server as embedded

FINDINGS = "storages.json"
"""What each storage was found to keep, by its address."""
SOLE = "PRESS_SOLE_PUBLISHER"
"""Set by who knows that no two runs ever publish there at once."""


def doctor(desk: Desk, _options: Namespace, console: Console) -> Verdict | None:
    """Try what the storage keeps, and say what Dateline can promise there and what it cannot."""
    if desk.destination.embedded:
        embedded.start(desk.root)
    found = _examine(desk, console)
    rows = [(_grade(finding.against, unsafe=finding.unsafe), finding) for finding in found.found]
    console.table([("", "what", "finding", "what it means"), *((grade, f.what, f.found, f.means) for grade, f in rows)])
    for words, kept in (("can promise", True), ("cannot promise", False)):
        promises = [promise for promise in PROMISES if (not found.against(promise)) == kept]
        if promises:
            console.line()
            console.heading(f"At {desk.destination.address} Dateline {words}:")
        for promise in promises:
            why = ", ".join(finding.what for finding in found.against(promise))
            console.line(f"  {PROMISES[promise]}" + (f" (because of: {why})" if why else ""))
    _remedies(found, console)
    return None if _safe(desk, found) else verdict(StorageError)


def _examine(desk: Desk, console: Console | None = None) -> Findings:
    from pipeline.storage import doctor as probes

    def done(number: int, total: int) -> None:
        if console:
            console.progress(number, total, "tried")

    found = probes.examine(desk.destination, desk.environ, done)
    _remember(desk, found)
    return found


def _grade(against: tuple[Promise, ...], *, unsafe: bool) -> str:
    return "unsafe" if unsafe else "lacks" if against else "ok"


def _remedies(found: Findings, console: Console) -> None:
    remedies = dict.fromkeys(finding.remedy for finding in found.found if finding.against and finding.remedy)
    if remedies:
        console.line()
        console.heading("What to do:")
    for remedy in remedies:
        console.line(f"  {remedy}")


def _safe(desk: Desk, found: Findings) -> bool:
    needed = [promise for promise in NEEDED if promise != "together" or not _alone(desk)]
    return not any(found.against(promise) for promise in needed)


def _alone(desk: Desk) -> bool:
    return desk.environ.get(SOLE, "").lower() not in ("", "0", "no", "false")


# ── What others ask ─────────────────────────────────────────────────────────────────────────────────────────────────


def refuse_publishing(desk: Desk) -> None:
    """Raise StorageError where publishing would harm: no conditional writes, or names that anyone lists."""
    _refuse(desk, ("publish",) if _alone(desk) else ("publish", "together"))


def refuse_staging(desk: Desk) -> None:
    """Raise StorageError where what waits could be read by others: before anything goes into the private bucket."""
    _refuse(desk, ("wait",))


def refuse_sharing(desk: Desk) -> None:
    """Raise StorageError where a link would open more than it should, or not end."""
    _refuse(desk, ("wait", "share"))


def _refuse(desk: Desk, promises: tuple[Promise, ...]) -> None:
    """Go by what is known; a storage that was never tried, or not lately, is looked at briefly.

    The embedded store is ours and known. Where something speaks against a promise everything is tried anew, so that
    nobody is refused for what was mended meanwhile.
    """
    if desk.destination.embedded:
        return
    from pipeline.storage import doctor as probes

    known = desk.workshop.recall(FINDINGS, dict[str, Findings], {}).get(_place(desk))
    if known is None or desk.now - known.when > FRESH:
        known = probes.glance(desk.destination, desk.environ).over(known)
        _remember(desk, known)
    elif any(known.against(promise) for promise in promises):
        known = _examine(desk)
    for promise in promises:
        refuse(known, promise, desk.destination.bucket)


def _remember(desk: Desk, found: Findings) -> None:
    known = desk.workshop.recall(FINDINGS, dict[str, Findings], {})
    desk.workshop.remember(FINDINGS, {**known, _place(desk): found})


def _place(desk: Desk) -> str:
    return f"{desk.destination.address} {desk.destination.private_bucket}"
