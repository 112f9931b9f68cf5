"""The Nu Html Checker."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.validators import AbsentError, UnableError, ValidationResult, answer, found


def judge(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Judge every page, warnings included."""
    files = found(trees, ".html")
    jar = folder / "vnu-jar/build/dist/vnu.jar"
    if not jar.is_file():
        raise AbsentError(f"no {jar.name}")
    said = (
        answer(["java", "-jar", jar, "--format", "json", "--stdout", "--exit-zero-always", *files]) if files else "{}"
    )
    return read(said, files)


def read(said: str, files: list[Path]) -> ValidationResult:
    """Return the ruling that the checker's JSON tells of."""
    try:
        messages = json.loads(said).get("messages", [])
    except ValueError as error:
        raise UnableError(f"its answer is not JSON: {said[:80]}") from error
    faults = [
        (Path(unquote(urlsplit(each.get("url", "")).path)), f"line {each.get('lastLine', '?')}: {each['message']}")
        for each in messages
    ]
    return ValidationResult(len(files), faults)
