"""The validator of Microsoft's Open XML SDK."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import MissingValidatorError, ValidationResult, ValidatorError, find_files, run


def validate(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Validate every Word file against the newest schema."""
    files = find_files(trees, ".docx")
    program = folder / "ooxml-validator/ooxml-validator"
    if not program.is_file():
        raise MissingValidatorError(f"no {program.name} for {platform.machine()}")
    return ValidationResult(len(files), [(file, fault) for file in files for fault in read(run([program, file]))])


def read(output: str) -> list[str]:
    """Return the faults of one file. Raises ``ValidatorError`` for output in another format."""
    try:
        report = json.loads(output)
        faults = [f"{each['path'] or 'file'}: {each['description']}" for each in report["errors"]]
        return faults or ([] if report["ok"] else ["not valid"])
    except (ValueError, KeyError) as error:
        raise ValidatorError(f"its output cannot be read: {output[:80]}") from error
