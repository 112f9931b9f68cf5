"""A real browser for tests: Chromium, driven by playwright-core, which the judges bring along."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

JUDGES = Path(sys.prefix, "judges").resolve()
OPENING = """
import { createRequire } from "node:module";
const [modules, executable, ...given] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(`${modules}/playwright-core`);
const browser = await chromium.launch({ executablePath: executable, args: ["--no-sandbox"] });
const say = (value) => console.log(JSON.stringify(value));
"""


def browse(folder: Path, steps: str, *given: str) -> list[Any]:
    """Run ``steps``, a script with ``browser`` and ``given`` at hand, and return what it says, in order.

    Skips where there is no browser; with ``DATELINE_JUDGES=required`` that is a failure.
    """
    program, node = shutil.which("chromium"), shutil.which("node")
    if program is None or node is None or not (JUDGES / "playwright-core").is_dir():
        lacking = "no chromium, node or playwright-core: make validate installs them"
        if os.environ.get("DATELINE_JUDGES") == "required":
            pytest.fail(lacking)
        pytest.skip(lacking)
    script = folder / "steps.mjs"
    script.write_text(f"{OPENING}\n{steps}\nawait browser.close();\n", "utf-8")
    done = subprocess.run([node, script, JUDGES, program, *given], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
