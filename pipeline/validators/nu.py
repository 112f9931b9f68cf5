"""The Nu Html Checker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.validators import MissingValidatorError, ValidationResult, ValidatorError, find_files, run

OPTIONS = ("--format", "json", "--stdout", "--exit-zero-always")


def validate(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Validate every page; warnings count as faults."""
    files = find_files(trees, ".html")
    jar = folder / "vnu-jar/build/dist/vnu.jar"
    if not jar.is_file():
        raise MissingValidatorError(f"no {jar.name}")
    return read(run(["java", "-jar", jar, *OPTIONS, *files]) if files else "{}", files)


def read(output: str, files: list[Path]) -> ValidationResult:
    """Read the checker's output. Raises ``ValidatorError`` when it is not JSON."""
    try:
        messages = json.loads(output).get("messages", [])
    except ValueError as error:
        raise ValidatorError(f"its output is not JSON: {output[:80]}") from error
    faults = [
        (Path(unquote(urlsplit(each.get("url", "")).path)), f"line {each.get('lastLine', '?')}: {each['message']}")
        for each in messages
    ]
    return ValidationResult(len(files), faults)
