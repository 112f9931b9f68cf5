"""Judges from outside: programs that know the formats better than their makers do, for ``make validate``.

Each module judges one format: ``judge(folder, trees)`` takes the folder of the programs and those to look in, counts
the files it judged and names what is wrong with them. It raises ``UnableError`` when its program is not there or does
not answer. ``install`` gets the programs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("verapdf", "nu", "axe", "ooxml", "libreoffice", "ninjs")
"""Modules of this package, in the order in which they are heard."""
PATIENCE = 600
"""Seconds that one judge may take."""


class UnableError(Exception):
    """A judge cannot judge: why."""


class AbsentError(UnableError):
    """A judge's program is not on this machine: which."""


@dataclass
class ValidationResult:
    """How many files were judged, and the faults found: file and what."""

    files: int
    faults: list[tuple[Path, str]] = field(default_factory=list)


def found(trees: Iterable[Path], suffix: str) -> list[Path]:
    """Return the files in ``trees`` with a suffix, sorted."""
    return sorted(file.resolve() for tree in trees for file in tree.rglob(f"*{suffix}"))


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
    except FileNotFoundError as error:
        raise AbsentError(f"no {Path(command[0]).name}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnableError(str(error)) from error
    if done.returncode not in statuses:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise UnableError(last[0])
    return done.stdout
