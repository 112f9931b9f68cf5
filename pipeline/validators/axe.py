"""axe-core in Chromium: accessibility in light and dark mode, wide and narrow; and pages wider than the window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import MissingValidatorError, ValidationResult, ValidatorError, find_files, run

SETTINGS = 4
MODULES = ("axe-core", "playwright-core")


def validate(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Validate every page in every setting."""
    files = find_files(trees, ".html")
    missing = [name for name in MODULES if not (folder / name).is_dir()]
    browser = shutil.which("chromium")
    if missing or browser is None:
        raise MissingValidatorError(f"no {', '.join([*missing, *([] if browser else ['chromium'])])}")
    program = Path(__file__).with_name("axe.mjs")
    return read(run(["node", program, folder, browser, *files]) if files else "", files)


def read(output: str, files: list[Path]) -> ValidationResult:
    """Read the program's output. Raises ``ValidatorError`` when it left out a page."""
    result = ValidationResult(len(files))
    lines = output.splitlines()
    if len(lines) != len(files) * SETTINGS:
        raise ValidatorError(f"validated {len(lines)} times, not {len(files) * SETTINGS}")
    for each in map(json.loads, lines):
        result.faults += [(Path(each["file"]), f"{each['setting']}: {fault}") for fault in each["faults"]]
    return result
