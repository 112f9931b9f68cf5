"""axe-core in Chromium: light and dark, wide and narrow; and no page wider than its window."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import AbsentError, UnableError, ValidationResult, answer, found

SETTINGS = 4
MODULES = ("axe-core", "playwright-core")


def judge(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Judge every page in every setting."""
    files = found(trees, ".html")
    lacking = [name for name in MODULES if not (folder / name).is_dir()]
    browser = shutil.which("chromium")
    if lacking or browser is None:
        raise AbsentError(f"no {', '.join([*lacking, *([] if browser else ['chromium'])])}")
    program = Path(__file__).with_name("axe.mjs")
    return read(answer(["node", program, folder, browser, *files]) if files else "", files)


def read(said: str, files: list[Path]) -> ValidationResult:
    """Return the ruling that the lines tell of. Raises ``UnableError`` when a page was left out."""
    ruling = ValidationResult(len(files))
    lines = said.splitlines()
    if len(lines) != len(files) * SETTINGS:
        raise UnableError(f"judged {len(lines)} times, not {len(files) * SETTINGS}")
    for each in map(json.loads, lines):
        ruling.faults += [(Path(each["file"]), f"{each['setting']}: {fault}") for fault in each["faults"]]
    return ruling
