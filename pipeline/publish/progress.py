"""How the publish room reports what happens. ``cli.console.Console`` implements it; nothing below ``cli`` prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from pipeline.build.context import ExitStatus, exit_status
from pipeline.model.errors import DatelineError, Fault


class Progress(Protocol):
    """Where results, faults and progress are reported."""

    def line(self, text: str = "") -> None:
        """Report one line of the result."""

    def heading(self, text: str) -> None:
        """Report a line that stands out."""

    def step(self, stage: str, name: str, *facts: str) -> None:
        """Report what was done with one release or file, in columns."""

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Report rows in aligned columns."""

    def fault(self, text: str | Fault) -> None:
        """Report an error or a warning."""

    def progress(self, done: int, total: int, what: str) -> None:
        """Report how much of a long task is done; ``what`` may say more, e.g. ``files, 12 of 60 MB``."""


class Outcome:
    """The worst exit status of a run that goes on after errors."""

    def __init__(self, progress: Progress) -> None:
        self.exit_status: ExitStatus | None = None
        self._progress = progress

    def add(self, status: ExitStatus | None) -> None:
        """Keep ``status`` if it is the worst so far."""
        if status and (self.exit_status is None or status.status > self.exit_status.status):
            self.exit_status = status

    def report(self, error: DatelineError) -> None:
        """Report an error that does not end the run, and keep its status."""
        self._progress.fault(f"{error}" + (f"\n  hint: {error.hint}" if error.hint else ""))
        self.add(exit_status(type(error)))


def pace(done: int, total: int, seconds: float) -> str:
    """Return for a person how fast ``done`` of ``total`` were done, and how long the rest takes: ``460/s, 3 s left``.

    Empty in the first second, which says little.
    """
    if seconds < 1 or not 0 < done < total:
        return ""
    rate = done / seconds
    left = (total - done) / rate
    remaining = f"{math.ceil(left)} s" if left < 100 else f"{round(left / 60)} min"
    return f"{rate:.0f}/s, {remaining} left" if rate >= 2 else f"{remaining} left"


def lateness(late: timedelta) -> str:
    """Return how long after its instant a release was public: ``0.2 s after its instant``, ``7 min late``."""
    seconds = max(0.0, late.total_seconds())
    if seconds < 60:
        return f"{seconds:.1f} s after its instant"
    minutes = round(seconds / 60)
    return f"{minutes} min late" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min late"


def size(number: int) -> str:
    """Return a number of bytes for a person: ``26 KB``."""
    return f"{number / 1e6:.1f} MB" if number >= 999_500 else f"{max(1, round(number / 1e3))} KB"


def count(number: int, noun: str) -> str:
    """Return a number of things for a person: ``1 page``, ``2 pages``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
