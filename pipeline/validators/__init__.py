"""Validates the output with external tools, which know the formats better than the writers do (``make validate``).

One module for each tool: ``validate(folder, trees)`` takes the folder with the installed tools and the folders to look
in, and returns a ``ValidationResult``. It raises ``ValidatorError`` when the tool fails, ``MissingValidatorError`` when
it is not installed. ``install`` installs the tools; it runs before any package is installed, so this module and
``install`` import the standard library only.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

VALIDATORS = ("verapdf", "nu", "axe", "ooxml", "libreoffice", "ninjs")
"""Modules of this package, in the order in which they run."""
FOLDER = Path(sys.prefix, "validators").resolve()
"""Where the tools are installed."""
TIMEOUT_SECONDS = 600


class ValidatorError(Exception):
    """A validator failed; the message says why."""


class MissingValidatorError(ValidatorError):
    """A validator is not installed; the message says which program is missing."""


@dataclass
class ValidationResult:
    """How many files were validated, and their faults: file and description."""

    files: int
    faults: list[tuple[Path, str]] = field(default_factory=list)


def validate(name: str, trees: Sequence[Path], folder: Path = FOLDER) -> ValidationResult:
    """Run one of ``VALIDATORS`` on all files in ``trees``. Raises ValidatorError."""
    result: ValidationResult = import_module(f"{__name__}.{name}").validate(folder, trees)
    return result


def find_files(trees: Iterable[Path], suffix: str) -> list[Path]:
    """Return the files in ``trees`` that have the suffix, sorted."""
    return sorted(file.resolve() for tree in trees for file in tree.rglob(f"*{suffix}"))


def run(command: Sequence[str | Path]) -> str:
    """Run a program and return its standard output. Raises ValidatorError."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingValidatorError(f"no {Path(command[0]).name}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ValidatorError(str(error)) from error
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"ended with {done.returncode}"]
        raise ValidatorError(last[0])
    return done.stdout
