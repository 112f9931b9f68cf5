"""What the probes found about a storage, and which guarantees follow from it. Types only: it sends no requests."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from pipeline.model.errors import StorageError

Guarantee = Literal[
    "publish", "together", "private", "release", "withdraw", "share", "damage", "clean", "name", "check"
]

GUARANTEES: dict[Guarantee, str] = {
    "publish": "releases are published completely and verified, and nobody else can list or change them",
    "together": "two publishers at the same time do not undo each other's changes (conditional writes)",
    "private": "only the publisher can read the private bucket",
    "release": "a scheduled release is copied inside the storage at its date, by both clocks",
    "withdraw": "the files of a withdrawn release are removed, older versions too",
    "share": "a link to an embargoed copy opens only that copy, and expires",
    "damage": "the storage refuses data that was damaged during the upload (otherwise reading it back finds this)",
    "clean": "old objects in the private bucket are removed automatically",
    "name": "writing to a mistyped bucket is refused and does not create it",
    "check": "readers can check signatures in their browser",
}
"""What Dateline guarantees at a storage, unless a finding rules it out; ``check`` where the newsroom signs."""
NEEDED: tuple[Guarantee, ...] = ("publish", "together", "private")
"""Without one of these, publishing there is not safe."""
WRONG_CHECKSUM = "wrong checksum"
"""The finding on whether the storage refuses data with the SHA-256 of other data."""
FRESH = timedelta(days=7)
"""How long findings are valid: people change policies."""


class Finding(Struct, frozen=True):
    """One row of the report."""

    what: str
    """What was tested."""
    result: str
    means: str
    """What the result means for the newsroom."""
    against: tuple[Guarantee, ...] = ()
    """Guarantees that the result rules out."""
    remedy: str = ""
    """What to do about it."""


def find_secure_address(base_url: str) -> Finding:
    """Return whether browsers take the newsroom's address for secure: only there they check signatures (WebCrypto).

    That is HTTPS, or this machine itself (https://w3c.github.io/webappsec-secure-contexts/).
    """
    parts = urlsplit(base_url)
    host, what = parts.hostname or "", "public address"
    if parts.scheme == "https":
        return Finding(what, "HTTPS", "readers can check signatures in their browser, on verify.html")
    if host == "localhost" or host.endswith(".localhost") or _is_loopback(host):
        return Finding(what, "this machine", "browsers check signatures here as at an HTTPS address")
    means = "browsers do not check signatures at an HTTP address; readers need ssh-keygen"
    remedy = "serve the newsroom with HTTPS, and write that address as base_url in newsroom.toml (or PRESS_BASE_URL)"
    return Finding(what, f"HTTP: {base_url}", means, ("check",), remedy)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Findings(Struct, frozen=True):
    """All findings about a storage, and their date."""

    when: datetime
    all: tuple[Finding, ...]

    def against(self, guarantee: Guarantee) -> tuple[Finding, ...]:
        """Return the findings that rule out ``guarantee``."""
        return tuple(finding for finding in self.all if guarantee in finding.against)

    def over(self, earlier: Findings | None) -> Findings:
        """Return these findings, and the earlier ones of what was not tested now."""
        now = {finding.what for finding in self.all}
        others = tuple(finding for finding in earlier.all if finding.what not in now) if earlier else ()
        return Findings(self.when, (*self.all, *others))


def refuse(findings: Findings, guarantee: Guarantee, bucket: str) -> None:
    """Raise StorageError if a finding rules out ``guarantee`` at ``bucket``, with the reason and the remedy."""
    for finding in findings.against(guarantee):
        raise StorageError(
            f"{bucket}: {finding.what}: {finding.result}; {finding.means}",
            finding.remedy or "run `make doctor` to see what this storage guarantees",
        )
