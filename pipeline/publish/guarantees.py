"""What the storage guarantees. ``make doctor`` tests all of it; publishing refuses to go on without those it needs."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.build.context import CommandContext
from pipeline.storage.doctor.findings import FRESH, NEEDED, WRONG_CHECKSUM, Findings, Guarantee, refuse

FINDINGS = "storage_findings"
"""Name in the build state of the findings about each storage, by its addresses."""


def examine(context: CommandContext, done: Callable[[int, int], None] = lambda number, total: None) -> Findings:
    """Test the storage with all probes and remember the findings."""
    from pipeline.storage import doctor

    findings = doctor.examine(context.destination, context.environ, done)
    _remember(context, findings)
    return findings


def is_safe(context: CommandContext, findings: Findings) -> bool:
    """Whether publishing to the storage is safe."""
    return not any(findings.against(each) for each in NEEDED if is_needed(context, each))


def is_needed(context: CommandContext, guarantee: Guarantee) -> bool:
    """Whether this publisher needs ``guarantee``: a sole publisher needs no conditional writes."""
    return not (guarantee == "together" and context.destination.sole_publisher)


def require(context: CommandContext, *guarantees: Guarantee) -> None:
    """Raise StorageError where the storage lacks one of ``guarantees`` that this publisher needs.

    Known findings decide; a storage without recent ones gets the quick check, and the embedded store is known to be
    fine. Where a known finding is against a guarantee, everything is tested again, so that nobody is refused for what
    was fixed in the meantime.
    """
    guarantees = tuple(each for each in guarantees if is_needed(context, each))
    if context.destination.embedded:
        return
    from pipeline.storage import doctor

    known = context.state.recall(FINDINGS, dict[str, Findings], {}).get(_storage(context))
    if known is None or context.now - known.when > FRESH:
        known = doctor.quick_check(context.destination, context.environ).over(known)
        _remember(context, known)
    elif any(known.against(guarantee) for guarantee in guarantees):
        known = examine(context)
    for guarantee in guarantees:
        refuse(known, guarantee, context.destination.bucket)


def check_ahead(context: CommandContext) -> None:
    """Give a storage without recent findings the quick check; what is against it is left to ``require``."""
    known = context.state.recall(FINDINGS, dict[str, Findings], {}).get(_storage(context))
    if context.destination.embedded or (known and context.now - known.when <= FRESH):
        return
    from pipeline.storage import doctor

    found = doctor.quick_check(context.destination, context.environ).over(known)
    if is_safe(context, found):
        _remember(context, found)


def checks_uploads(context: CommandContext) -> bool:
    """Whether the storage is known to compare what it receives with the SHA-256 that it was sent with.

    Only then a checksum that it states says anything about the bytes that it has.
    """
    if context.destination.embedded:
        return True
    known = context.state.recall(FINDINGS, dict[str, Findings], {}).get(_storage(context))
    tested = any(finding.what == WRONG_CHECKSUM for finding in known.all) if known else False
    return known is not None and tested and not known.against("damage")


def _remember(context: CommandContext, findings: Findings) -> None:
    known = context.state.recall(FINDINGS, dict[str, Findings], {})
    context.state.remember(FINDINGS, {**known, _storage(context): findings})


def _storage(context: CommandContext) -> str:
    return f"{context.destination.address} {context.destination.private_bucket}"
