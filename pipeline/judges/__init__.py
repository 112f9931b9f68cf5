"""Judges from outside: programs that know the formats better than their makers do, for ``make validate``.

Each module judges one format: ``judge(folder, public)`` names the files it looked at and what is wrong with them, and
raises ``UnableError`` when its program is not there or does not answer. ``install`` gets the programs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("verapdf", "nu", "axe", "ooxml", "libreoffice")
"""Modules of this package, in the order in which they are heard."""
PATIENCE = 600
"""Seconds that one judge may take."""


class UnableError(Exception):
    """A judge cannot judge: why."""


@dataclass
class Ruling:
    """How many files were judged, and the faults found: file and what."""

    files: int
    faults: list[tuple[Path, str]] = field(default_factory=list)


def found(public: Path, suffix: str) -> list[Path]:
    """Return the files below ``public`` with a suffix, sorted."""
    return sorted(file.resolve() for file in public.rglob(f"*{suffix}"))


def answer(command: Sequence[str | Path], *, statuses: Iterable[int] = (0,)) -> str:
    """Run a judge and return what it says on standard output. Raises ``UnableError``."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnableError(str(error)) from error
    if done.returncode not in statuses:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise UnableError(last[0])
    return done.stdout
