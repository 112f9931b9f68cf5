"""The Open XML SDK's validator."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import AbsentError, UnableError, ValidationResult, answer, found


def judge(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Judge every Word file against the newest schema."""
    files = found(trees, ".docx")
    program = folder / "ooxml-validator/ooxml-validator"
    if not program.is_file():
        raise AbsentError(f"no {program.name} for {platform.machine()}")
    return ValidationResult(len(files), [(file, what) for file in files for what in read(answer([program, file]))])


def read(said: str) -> list[str]:
    """Return the faults of one file. Raises ``UnableError`` for an answer that is none."""
    try:
        report = json.loads(said)
        faults = [f"{each['path'] or 'file'}: {each['description']}" for each in report["errors"]]
        return faults or ([] if report["ok"] else ["not valid"])
    except (ValueError, KeyError) as error:
        raise UnableError(f"its answer cannot be read: {said[:80]}") from error
