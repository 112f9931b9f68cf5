"""Instants that lie far enough ahead for this machine: measured by how long publishing takes here."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime

from tests.support.newsroom import Office
from tests.support.public_http import address_of

_spent: deque[float] = deque(maxlen=12)
"""Seconds that publishing took here, of late."""


def published(office: Office) -> str:
    """Publish, and return the newsroom's address."""
    begun = time.monotonic()
    result = office.make("publish")
    _spent.append(time.monotonic() - begun)
    assert result.status == 0, result.text
    return address_of(result.out)


def soon(seconds: float) -> datetime:
    """Return a whole second that lies so many ahead at least."""
    return datetime.fromtimestamp(int(time.time() + seconds) + 1, UTC)


def in_time(factor: float = 2) -> datetime:
    """Return an instant before which a run is staged, even where this machine has other things to do."""
    return soon(min(120, 4 + factor * max(_spent, default=0)))


def leeway(seconds: float) -> float:
    """Return what ``seconds`` on an idle machine come to on this one, as busy as it is now."""
    begun, used = time.monotonic(), time.process_time()
    while time.process_time() - used < 0.2:
        pass
    return seconds * max(1.0, (time.monotonic() - begun) / 0.2)


def sleep_past(instant: datetime, more: float = 1.2) -> None:
    """Wait until ``more`` seconds after the instant."""
    time.sleep(max(0.0, (instant - datetime.now(UTC)).total_seconds() + more))
