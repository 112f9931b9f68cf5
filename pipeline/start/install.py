"""Installs what Dateline needs on a new machine: ``python3 -m pipeline.start.install VENV LOCK``.

It runs on the system's own Python before any package is installed, so it imports the standard library only and prints
its own messages. It installs Debian packages if it can (as root, or with sudo without a password), creates the virtual
environment, installs the hash-pinned packages of the lock file, and compiles byte code, because WeasyPrint starts
three times slower without it.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from ctypes.util import find_library
from pathlib import Path

LIBRARIES = {
    "libpango-1.0-0": "pango-1.0",
    "libpangoft2-1.0-0": "pangoft2-1.0",
    "libharfbuzz-subset0": "harfbuzz-subset",
}
"""Debian package → its library. WeasyPrint loads these at run time, so pip cannot install them."""
OLDEST = (3, 11)
"""The oldest Python that Dateline runs on. This file must be read by older ones too, to say so."""
BUILD = "requirements-build.lock"
SCRIPTS = "requirements-scripts.lock"
"""Type faces of more scripts; only those that a release needs are installed."""
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile", "--require-hashes"]
BUILDING = ["--no-build-isolation", "--use-pep517"]
FACES = {
    "fonts-noto-cjk": "NotoSerifCJK-Regular.ttc",
    "fonts-noto-color-emoji": "NotoColorEmoji.ttf",
    "fonts-noto-core": "NotoSansSymbols2-Regular.ttf",
}
"""Debian package → one of its files: type faces that releases may need and tests do need."""
VENV_PACKAGE = "python3-venv"


def missing() -> list[str]:
    """Return the Debian packages that are not installed."""
    packages = [package for package, library in LIBRARIES.items() if find_library(library) is None]
    if importlib.util.find_spec("ensurepip") is None:
        packages.append(VENV_PACKAGE)
    return packages


def apt_line(packages: Iterable[str]) -> str:
    """Return the command that installs Debian packages."""
    return f"sudo apt-get install --yes --no-install-recommends {' '.join(packages)}"


def install_packages(packages: Iterable[str]) -> str:
    """Install Debian packages; return an empty string, or the command that the user must type instead."""
    wanted = " ".join(packages)
    by_hand = apt_line(wanted.split())
    apt = shutil.which("apt-get")
    if apt is None:
        return f"install these packages (names in Debian): {wanted}"
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (shutil.which("sudo") is None or _quiet([*prefix, "true"]) != 0):
        return by_hand
    say(f"installing {wanted}")
    # Another run may be installing packages at the same time.
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-o", "DPkg::Lock::Timeout=120"]
    _quiet([*environment, "-qq", "update"])
    install = [*environment, "-qq", "install", "--yes", "--no-install-recommends", *wanted.split()]
    return "" if _quiet(install) == 0 else by_hand


def faces_line(packages: Iterable[str]) -> str:
    """Return the command that installs type faces from PyPI into the current environment."""
    wanted = ", ".join(packages)
    return f"{sys.executable} -m pip install --require-hashes --no-deps --requirement {SCRIPTS}  # for {wanted}"


def install_faces(packages: Iterable[str]) -> str:
    """Install type faces into the current environment; return an empty string, or the command to type instead."""
    wanted = list(packages)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as chosen:
        chosen.writelines(_locked(wanted))
        chosen.flush()
        say(f"installing the type faces {', '.join(wanted)}")
        pip = [sys.executable, *PIP, "--no-deps", "--requirement", chosen.name]
        return "" if _run(pip, _with_byte_code()) == 0 else faces_line(wanted)


def _locked(packages: Iterable[str]) -> list[str]:
    """Return the entries of ``packages`` in the lock file of the type faces, with their hashes."""
    lock = Path(__file__).parents[2] / SCRIPTS
    entries = re.split(r"(?m)^(?=\S)", lock.read_text("utf-8"))
    return [entry for entry in entries if entry.partition("==")[0] in set(packages)]


def make_environment(venv: Path, lock: Path) -> str:
    """Install the packages of ``lock`` into ``venv``, and create it; return an empty string, or what went wrong."""
    python = venv / "bin" / "python"
    is_there = python.exists() and (venv / "bin" / "pip").exists()  # an upgrade of the system takes its Python away
    if not is_there and _run([sys.executable, "-m", "venv", str(venv)]) != 0:
        return f"python3 -m venv {venv} failed: see above"
    say(f"installing Python packages from {lock.name} into {venv}")
    environment = _with_byte_code()
    pip = [str(python), *PIP]
    # feedgen has no wheel: the packages that build it are pinned too, so pip does not download others for it.
    for step in (["--requirement", str(lock.with_name(BUILD))], [*BUILDING, "--requirement", str(lock)]):
        done = subprocess.run(
            [*pip, *step], env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
        )
        if done.returncode != 0:
            return f"the Python packages could not be installed: {_explained(done.stderr)}"
    _run([str(python), "-m", "compileall", "-qq", str(Path(__file__).parents[1])], environment)
    return ""


_CAUSES = {
    "No space left|Disk quota": "the disk is full\nhint: free some space, then run the same command again",
    "DO NOT MATCH THE HASHES": "a package is not the one that was tested (its hash differs)\n"
    "hint: run the same command again; if it stays so, the package index or a proxy changes packages",
    "Permission denied|Read-only": "the folder cannot be written\nhint: give your user the right to write there",
    "from versions: none|Connection|NameResolution|Name or service|Temporary failure"
    "|timed out|unreachable|ProxyError|SSLError": (
        "no connection to the package index\n"
        "hint: check the network (and HTTPS_PROXY, if there is a proxy), then run the same command again"
    ),
}
"""What pip says, as a pattern → what that means, and what to do."""


def _explained(said: str) -> str:
    """Return the cause of a failure of pip, or its own words where it is none that is known."""
    cause = next((meaning for pattern, meaning in _CAUSES.items() if re.search(pattern, said)), "")
    return cause or f"pip says\n{said.strip()}\nhint: run the same command again"


def _with_byte_code() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def say(text: str) -> None:
    """Print a message for the user."""
    first, *more = text.splitlines()
    print(f"set-up: {first}", *(f"  {line}" for line in more), sep="\n", file=sys.stderr, flush=True)


def install_test_faces() -> None:
    """Install Debian's type faces that tests need; without them, those tests are skipped."""
    present = {file.name for file in Path("/usr/share/fonts").rglob("Noto*")}
    packages = [package for package, file in FACES.items() if file not in present]
    if packages and (by_hand := install_packages(packages)):
        say(f"tests of some scripts will be skipped; to run them, please type: {by_hand}")


def main(arguments: list[str]) -> int:
    """Install everything and return 0 or 2, or 130 after Ctrl+C; with ``--faces`` also type faces that tests need."""
    try:
        return _install(arguments)
    except KeyboardInterrupt:
        say("stopped; run the same command again, and it is finished")
        return 130


def _install(arguments: list[str]) -> int:
    venv, lock, *more = arguments
    if sys.version_info < OLDEST:
        found, needed = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        say(f"needs Python {needed} or newer, and {sys.executable} is {found}\nhint: make setup PYTHON=python{needed}")
        return 2
    if "--faces" in more:
        install_test_faces()
    packages = missing()
    problem = install_packages(packages) if packages else ""
    if problem:
        say(f"needs system packages; please type: {problem}")
        return 2
    problem = make_environment(Path(venv), Path(lock))
    if problem:
        say(problem)
        return 2
    return 0


def _run(command: list[str], environment: dict[str, str] | None = None) -> int:
    return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode


def _quiet(command: list[str]) -> int:
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
