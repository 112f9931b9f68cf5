"""Installing the packages of a script: from PyPI into the virtual environment, or from Debian, where this is allowed.

This is not part of the face of ``fonts``, because renditions depend on that, and not on how fonts are installed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pipeline.typography.fonts.characters import Coverage, coverage
from pipeline.typography.fonts.faces import SCRIPTS, Script, page_faces
from pipeline.typography.fonts.files import forget, installed


def install_scripts(scripts: Iterable[Script]) -> None:
    """Install the faces of ``scripts`` where this is allowed. Each package is tried once in a run."""
    for script in scripts:
        if not installed(script):
            _install(script.packages, bool(script.debian))
            forget()


def install_for(text: str, language: str) -> Coverage:
    """Install the faces that ``text`` is the first to need, where this is allowed; return its coverage then."""
    covered = coverage(text, language)
    tried: set[Script] = set()
    while needed := {script for _, script in covered.lacking} - tried:
        install_scripts(needed)
        tried |= needed
        covered = coverage(text, language)  # what one face of signs proves not to have, another may have
    return covered


@cache
def _install(packages: tuple[str, ...], debian: bool) -> None:
    from pipeline.start import install

    (install.install_packages if debian else install.install_faces)(packages)


def install_for_pages(languages: Iterable[str]) -> None:
    """Install the faces of the web fonts of a newsroom with ``languages``."""
    install_scripts(script for script in SCRIPTS if set(script.faces) & set(page_faces(languages)))


def install_command(script: Script) -> str:
    """Return the command with which a person installs the faces of ``script``."""
    from pipeline.start import install

    return install.apt_line(script.packages) if script.debian else install.faces_line(script.packages)
