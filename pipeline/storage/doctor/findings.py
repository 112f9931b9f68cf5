"""What a storage was found to keep, and what follows from it: types only, no requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from pipeline.model.errors import StorageError

Guarantee = Literal["publish", "together", "wait", "lift", "withdraw", "share", "damage", "forget", "name"]

GUARANTEES: dict[Guarantee, str] = {
    "publish": "releases go up whole, are read back as a stranger, and nobody else can list or change them",
    "together": "of two who publish at once neither undoes what the other did",
    "wait": "what lies in the private bucket can be read by the publisher alone",
    "lift": "a release is copied inside the storage at its instant, by both clocks",
    "withdraw": "the files of a withdrawn release are removed",
    "share": "a link to an embargoed copy opens that copy alone, and ends when it says",
    "damage": "what is damaged on its way up is refused by the storage (else only reading back finds it)",
    "forget": "copies that nobody removes from the private bucket go by themselves",
    "name": "a mistyped bucket is refused, not made",
}
"""What Dateline can promise where no finding is against it."""
NEEDED: tuple[Guarantee, ...] = ("publish", "together", "wait")
"""Without one of these publishing there is not safe."""
FRESH = timedelta(days=7)
"""How long findings are relied on: policies are changed by hand."""


class Finding(Struct, frozen=True):
    """What one probe found."""

    what: str
    found: str
    means: str
    against: tuple[Guarantee, ...] = ()
    """Promises that cannot be given because of it."""
    remedy: str = ""
    """What a person can do about it."""

    @property
    def unsafe(self) -> bool:
        """Whether publishing must be refused, or may be asked for only by those who know."""
        return any(guarantee in NEEDED for guarantee in self.against)


class Findings(Struct, frozen=True):
    """What a storage was found to keep, and when."""

    when: datetime
    found: tuple[Finding, ...]

    def against(self, guarantee: Guarantee) -> tuple[Finding, ...]:
        """Return what speaks against ``promise``."""
        return tuple(finding for finding in self.found if guarantee in finding.against)

    def over(self, earlier: Findings | None) -> Findings:
        """Return these findings, and the earlier ones of what was not looked at now."""
        now = {finding.what for finding in self.found}
        kept = tuple(finding for finding in earlier.found if finding.what not in now) if earlier else ()
        return Findings(self.when, (*self.found, *kept))


def refuse(findings: Findings, guarantee: Guarantee, bucket: str) -> None:
    """Raise StorageError when ``promise`` cannot be given at ``bucket``, with the reason and what to do about it."""
    for finding in findings.against(guarantee):
        raise StorageError(
            f"{bucket}: {finding.what}: {finding.found}; {finding.means}",
            finding.remedy or "make doctor tells what this storage can do",
        )
