"""A real browser for tests: Chromium, driven by playwright-core, which is installed with the validators."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pipeline.validators import FOLDER

SERVER = """
import { createRequire } from "node:module";
const [modules, executablePath] = process.argv.slice(1);
const { chromium } = createRequire(`${modules}/`)(`${modules}/playwright-core`);
const server = await chromium.launchServer({ executablePath, args: ["--no-sandbox"] });
console.log(server.wsEndpoint());
process.stdin.on("end", () => server.close()).resume();
"""
OPENING = """
import { createRequire } from "node:module";
const [modules, , ...given] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(`${modules}/playwright-core`);
const browser = await chromium.connect(process.argv[3]);
const say = (value) => console.log(JSON.stringify(value));
"""


@cache
def _address(node: str, program: str) -> str:
    """Start the browser, which lasts as long as this process, and return where scripts reach it."""
    command = [node, "--input-type=module", "--eval", SERVER, "--", str(FOLDER), program]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    atexit.register(_end, server)
    assert server.stdout
    address = server.stdout.readline().strip()
    assert address, "the browser does not start"
    return address


def _end(server: subprocess.Popen[str]) -> None:
    """End the browser, as it ends by itself when this process is killed: its standard input is closed."""
    server.communicate(timeout=60)


def browse(folder: Path, steps: str, *given: str) -> list[Any]:
    """Run ``steps``, a script with ``browser`` and ``given`` at hand, and return what it says, in order.

    The browser is the same for all of a process; what a script opens in it is closed at its end, and leaves nothing.

    Skips where there is no browser; with ``DATELINE_VALIDATORS=required`` that is a failure.
    """
    program, node = shutil.which("chromium"), shutil.which("node")
    if program is None or node is None or not (FOLDER / "playwright-core").is_dir():
        lacking = "no chromium, node or playwright-core: make validate installs them"
        if os.environ.get("DATELINE_VALIDATORS") == "required":
            pytest.fail(lacking)
        pytest.skip(lacking)
    script = folder / "steps.mjs"
    script.write_text(f"{OPENING}\n{steps}\nawait browser.close();\n", "utf-8")
    command = [node, str(script), str(FOLDER), _address(node, program), *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
