"""Instants that lie far enough ahead for this machine: measured by how long publishing takes here."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from tests.support.newsroom import Office
from tests.support.public_http import address_of

_slowest = 0.0


def published(office: Office) -> str:
    """Publish, and return the newsroom's address."""
    global _slowest
    begun = time.monotonic()
    result = office.make("publish")
    _slowest = max(_slowest, time.monotonic() - begun)
    assert result.status == 0, result.text
    return address_of(result.out)


def soon(seconds: float) -> datetime:
    """Return a whole second that lies so many ahead at least."""
    return datetime.fromtimestamp(int(time.time() + seconds) + 1, UTC)


def in_time(factor: float = 2) -> datetime:
    """Return an instant before which a run is staged, even where this machine has other things to do."""
    return soon(6 + factor * _slowest)


def sleep_past(instant: datetime, more: float = 1.2) -> None:
    time.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds() + more))
