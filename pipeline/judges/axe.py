"""axe-core in Chromium: light and dark, wide and narrow; and no page wider than its window."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from pipeline.judges import Ruling, UnableError, answer, found

SETTINGS = 4


def judge(folder: Path, public: Path) -> Ruling:
    """Judge every page in every setting."""
    files = found(public, ".html")
    browser = shutil.which("chromium")
    if browser is None or not (folder / "axe-core").is_dir() or not (folder / "playwright-core").is_dir():
        raise UnableError("no chromium, axe-core or playwright-core")
    return read(answer(["node", Path(__file__).with_name("axe.mjs"), folder, browser, *files]), files)


def read(said: str, files: list[Path]) -> Ruling:
    """Return the ruling that the lines tell of. Raises ``UnableError`` when a page was left out."""
    ruling = Ruling(len(files))
    lines = said.splitlines()
    if len(lines) != len(files) * SETTINGS:
        raise UnableError(f"judged {len(lines)} times, not {len(files) * SETTINGS}")
    for each in map(json.loads, lines):
        ruling.faults += [(Path(each["file"]), f"{each['setting']}: {fault}") for fault in each["faults"]]
    return ruling
