"""Sets the house up on a bare machine: ``python3 -m pipeline.install VENV LOCK``.

The one module that runs before anything is installed, under the system's own Python, and therefore prints by itself.
It installs Debian packages where it may (as root, or with a sudo that asks nothing), makes the virtual environment,
fills it from the hash-pinned lock file and compiles byte code: without that WeasyPrint starts three times slower.
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
"""Debian package → library that it must bring: WeasyPrint loads them at run time, so pip cannot."""
BUILD = "requirements-build.lock"
SCRIPTS = "requirements-scripts.lock"
"""Faces of further scripts, of which only those are installed that a release needs."""
PIP = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--compile", "--require-hashes"]
BUILDING = ["--no-build-isolation", "--use-pep517"]
FACES = {"fonts-noto-cjk": "NotoSerifCJK-Regular.ttc", "fonts-noto-color-emoji": "NotoColorEmoji.ttf"}
"""Debian package → a file of its: faces that releases may need, and tests do."""
VENV_PACKAGE = "python3-venv"


def missing() -> list[str]:
    """Return the Debian packages that are not there yet."""
    lacking = [package for package, library in LIBRARIES.items() if find_library(library) is None]
    if importlib.util.find_spec("ensurepip") is None:
        lacking.append(VENV_PACKAGE)
    return lacking


def apt_line(packages: Iterable[str]) -> str:
    """Return what a person types to install Debian packages."""
    return f"sudo apt-get install --yes --no-install-recommends {' '.join(packages)}"


def install_packages(packages: Iterable[str]) -> str:
    """Install Debian packages; return an empty string, or what a person must type instead."""
    wanted = " ".join(packages)
    by_hand = apt_line(wanted.split())
    apt = shutil.which("apt-get")
    if apt is None:
        return f"install these libraries (Debian's names): {wanted}"
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (shutil.which("sudo") is None or _quiet([*prefix, "true"]) != 0):
        return by_hand
    say(f"installing {wanted}")
    # Another run may be installing at this moment.
    environment = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-o", "DPkg::Lock::Timeout=120"]
    _quiet([*environment, "-qq", "update"])
    install = [*environment, "-qq", "install", "--yes", "--no-install-recommends", *wanted.split()]
    return "" if _quiet(install) == 0 else by_hand


def faces_line(packages: Iterable[str]) -> str:
    """Return what a person types to install faces from PyPI into the environment that runs."""
    wanted = ", ".join(packages)
    return f"{sys.executable} -m pip install --require-hashes --no-deps --requirement {SCRIPTS}  # for {wanted}"


def install_faces(packages: Iterable[str]) -> str:
    """Install faces into the environment that runs; return an empty string, or what a person must type instead."""
    wanted = list(packages)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as chosen:
        chosen.writelines(_locked(wanted))
        chosen.flush()
        say(f"installing the type faces {', '.join(wanted)}")
        pip = [sys.executable, *PIP, "--no-deps", "--requirement", chosen.name]
        return "" if _run(pip, _with_byte_code()) == 0 else faces_line(wanted)


def _locked(packages: Iterable[str]) -> list[str]:
    """Return the entries of ``packages`` in the lock file of faces, hashes and all."""
    lock = Path(__file__).parent.parent / SCRIPTS
    entries = re.split(r"(?m)^(?=\S)", lock.read_text("utf-8"))
    return [entry for entry in entries if entry.partition("==")[0] in set(packages)]


def make_environment(venv: Path, lock: Path) -> str:
    """Make ``venv`` hold what ``lock`` names, in these versions; return an empty string, or what went wrong."""
    python = venv / "bin" / "python"
    if not (venv / "bin" / "pip").exists() and _run([sys.executable, "-m", "venv", str(venv)]) != 0:
        return f"python3 -m venv {venv} failed"
    say(f"installing Python packages from {lock.name} into {venv}")
    environment = _with_byte_code()
    pip = [str(python), *PIP]
    # feedgen comes as source only: what builds it is pinned too, and nothing is fetched behind pip's back.
    for step in (["--requirement", str(lock.with_name(BUILD))], [*BUILDING, "--requirement", str(lock)]):
        if _run([*pip, *step], environment) != 0:
            return "the Python packages could not be installed: see pip's message above, and run the same command again"
    _run([str(python), "-m", "compileall", "-qq", str(Path(__file__).parent)], environment)
    return ""


def _with_byte_code() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def say(text: str) -> None:
    """Tell the person who waits."""
    print(f"set-up: {text}", file=sys.stderr, flush=True)


def every_face() -> None:
    """Install Debian's faces that tests need; where that may not be done, those tests say so and are skipped."""
    there = {file.name for file in Path("/usr/share/fonts").rglob("Noto*")}
    lacking = [package for package, file in FACES.items() if file not in there]
    if lacking and (by_hand := install_packages(lacking)):
        say(f"tests of some scripts will be skipped; to run them, please type: {by_hand}")


def main(arguments: list[str]) -> int:
    """Set up, and return 0 or 2; with ``--faces`` get every face that tests need."""
    venv, lock, *more = arguments
    if "--faces" in more:
        every_face()
    lacking = missing()
    problem = install_packages(lacking) if lacking else ""
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
