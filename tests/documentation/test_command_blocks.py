"""Every command of the documentation is run, in a newsroom with the real embedded store, from the top of a page down.

A few need the network, several machines or an hour. ``CHECKED`` names them with the reason: they are parsed, and their
options are compared with those of the program that exists.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest

from pipeline.start.install import FACES
from pipeline.storage.destination import destination
from tests.documentation.pages import PAGES, Block, blocks
from tests.documentation.states import States
from tests.support import forkserver
from tests.support.newsroom import ROOT, Result

BIN = Path(sys.executable).parent
IN_PLACE_OF = {
    "AWS_ACCESS_KEY_ID=…": "AWS_ACCESS_KEY_ID={AWS_ACCESS_KEY_ID}",
    "AWS_SECRET_ACCESS_KEY=…": "AWS_SECRET_ACCESS_KEY={AWS_SECRET_ACCESS_KEY}",
    "AWS_REGION=eu-west-2": "AWS_REGION={AWS_REGION}",
    "AWS_ENDPOINT_URL_S3=https://…": "AWS_ENDPOINT_URL_S3={AWS_ENDPOINT_URL_S3}",
    "WAIT=30m": "WAIT=1s",
    "-I press@example.org": "-I desk@example.org",
}
"""What the reader has and the test has not, or what would take half an hour."""
PRELUDE = f"""\
set -eu
make() {{
    if [ "$1" = preview ]
    then VENV={sys.prefix} {sys.executable} {ROOT}/tests/documentation/stop_preview.py make "$@"
    else command make "$@"
    fi
}}
"""


# ── What is not run ─────────────────────────────────────────────────────────────────────────────────────────────────


def is_target(command: str) -> None:
    """The target exists, and what its ARGS say is known to the program behind it."""
    words = shlex.split(command)
    target = words[words.index("make") + 1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PRESS_", "MAKE"))}
    plan = subprocess.run(
        ["make", "--dry-run", *words[words.index("make") + 1 :]],
        cwd=ROOT,
        env=clean | {"VENV": str(BIN.parent)},
        capture_output=True,
        text=True,
    )
    assert plan.returncode == 0, plan.stderr
    asked = next((word.removeprefix("ARGS=").split() for word in words if word.startswith("ARGS=")), [])
    module = {"bench": "tests.benchmarks", "sweep": "tests.support.sweep"}.get(target)
    if module:
        known = output([sys.executable, "-m", module, "--help"])
        assert [word for word in asked if not word[0].isdigit() and word.split(",")[0] not in known] == []


def is_program(command: str) -> None:
    """The program exists and knows the options."""
    words = [word for word in shlex.split(command) if word != "&&"]
    program = [sys.executable, "-m", words[2]] if words[0] == ".venv/bin/python" else [str(BIN / words[0])]
    begin = 3 if words[0] == ".venv/bin/python" else 1
    named = [word for word in words[begin:] if not word.startswith("-")][:1]
    weed = words[0] == "weed"
    known = output([*program, "help", *named] if weed else [*program, *named, "--help"])
    options = [word.split("=")[0] for word in words[begin:] if word.startswith("-")]
    assert [option for option in options if option not in known] == []
    for word in words:
        if word.endswith((".lock", ".json")) and not weed:
            assert (ROOT / word).is_file(), word


def is_clone(command: str) -> None:
    """What is typed after the clone exists."""
    clone, enter, setup = command.split(" && ")
    assert shlex.split(clone)[:2] == ["git", "clone"]
    assert shlex.split(enter)[0] == "cd"
    is_target(setup)


def is_module(command: str) -> None:
    """The module exists, and is a program."""
    module = shlex.split(command)[2]
    found = find_spec(module)
    assert found
    assert found.origin
    assert '__name__ == "__main__"' in Path(found.origin).read_text("utf-8")


def is_list_of_fonts(command: str) -> None:
    """The packages are those that Dateline installs when a release needs them."""
    assert shlex.split(command)[3:5] == ["--yes", "--no-install-recommends"]
    assert set(shlex.split(command)[5:]) == set(FACES)


CHECKED: dict[str, tuple[str, Callable[[str], None]]] = {
    r"make test": ("it is the run that runs this test", is_target),
    r"make (bench|sweep)\b.*": ("takes minutes to hours", is_target),
    r"make footage .*": ("needs ffmpeg and a film", is_target),
    r"make validate": ("installs programs from the network", is_target),
    r"git clone .*": ("needs the network", is_clone),
    r"\.venv/bin/python -m pip install .*": ("needs the network", is_program),
    r"\.venv/bin/python -m dask .*": ("needs several machines, and runs until it is stopped", is_program),
    r"PRESS_DASK=\S+ make render": ("needs the machines of the lines above", is_target),
    r"weed .*": ("needs several machines, and runs until it is stopped", is_program),
    r"sudo apt-get install .*": ("installs system packages", is_list_of_fonts),
    r"\.venv/bin/python -m tests\..*": ("writes into the repository", is_module),
}
"""Commands that are not run: why, and how they are checked."""


def output(command: list[str]) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    return done.stdout + done.stderr


def reason(command: str) -> str:
    """Return the pattern in ``CHECKED`` that says why a command is not run; empty when it is run."""
    return next((pattern for pattern in CHECKED if re.fullmatch(pattern, command)), "")


# ── The tests ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> Iterator[States]:
    found = States(tmp_path_factory.mktemp("documentation"))
    yield found
    found.end()


def run(block: Block, states: States, server: dict[str, str]) -> Result:
    """Run the commands of ``block``, in the state that it names, or after what the block before has left."""
    script = "\n".join(command for command in block.commands if not reason(command))
    office = states.prepare(block.state or "sample") if block.state or not states.office else states.office
    for typed, meant in IN_PLACE_OF.items():
        script = script.replace(typed, meant.format_map(server))
    script = script.replace("https://press.example.org/", destination({}, office.folder).address)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PRESS_", "MAKE"))}
    clean.pop("CI", None)
    more = {name: server[name] for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "PRESS_ALLOW_SAMPLES")}
    done = subprocess.run(
        ["bash", "-c", PRELUDE + script],
        cwd=office.folder,
        env=clean | more | {"VENV": forkserver.venv(), "XDG_CONFIG_HOME": str(states.settings)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
    )
    return Result(done.returncode, done.stdout, "")


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_commands_of_a_page_do_what_they_say(page: str, states: States, second_server: dict[str, str]) -> None:
    states.end()
    code = "\n".join(block.code for block in blocks(page))
    lacking = [
        name for name in ("curl", "ssh-keygen") if re.search(rf"^ *{name} ", code, re.MULTILINE) and not which(name)
    ]
    if lacking and os.environ.get("DATELINE_VALIDATORS") != "required":
        pytest.skip(f"{lacking[0]} is not installed")
    for block in blocks(page):
        if any(not reason(command) for command in block.commands):
            result = run(block, states, second_server)
            assert result.status == 0, f"{page}:{block.line}\n{block.code}\n{result.text}"
            assert "Traceback" not in result.text, f"{page}:{block.line}\n{result.text}"


@pytest.mark.parametrize(
    ("where", "command"),
    [
        (f"{block.page}:{block.line}", command)
        for page in PAGES
        for block in blocks(page)
        for command in block.commands
        if reason(command)
    ],
)
def test_commands_that_are_not_run_are_right(where: str, command: str) -> None:
    parsed = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True)
    assert parsed.returncode == 0, f"{where}: {parsed.stderr}"
    CHECKED[reason(command)][1](command)


def test_variables_of_make_are_those_that_the_makefile_knows() -> None:
    """Make ignores others, so a command with a wrong one would run and do something else."""
    known = set(re.findall(r"[A-Z_]{2,}", (ROOT / "Makefile").read_text("utf-8")))
    commands = [command for page in PAGES for block in blocks(page) for command in block.commands]
    used = {name for command in commands for name in re.findall(r" ([A-Z]+)=", command.split(" make ")[-1])}
    assert "RELEASE" in used
    assert used - known == set()


def test_every_reason_not_to_run_a_command_is_needed() -> None:
    commands = [command for page in PAGES for block in blocks(page) for command in block.commands]
    used = {reason(command) for command in commands}
    assert CHECKED.keys() - used == set()
