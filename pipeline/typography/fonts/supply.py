"""Getting the faces of a script: from PyPI into the virtual environment, from Debian where it may be done."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pipeline import install
from pipeline.typography.fonts import files, repertoire
from pipeline.typography.fonts.faces import SCRIPTS, Script
from pipeline.typography.fonts.web import page_faces


def ensure(scripts: Iterable[Script]) -> None:
    """Install the faces of ``scripts``, as far as that may be done here; each package is asked for once in a run."""
    for script in scripts:
        if not repertoire.installed(script):
            _get(script.packages, bool(script.debian))
            files.forget()
            repertoire.forget()


@cache
def _get(packages: tuple[str, ...], debian: bool) -> str:
    if debian:
        return install.install_packages(packages)
    return install.install_faces(packages)


def ensure_pages(languages: Iterable[str]) -> None:
    """Install the faces that the pages of a newsroom in ``languages`` send to their readers."""
    ensure(script for script in SCRIPTS if set(script.faces) & set(page_faces(languages)))


def by_hand(script: Script) -> str:
    """Return what a person types to install the faces of ``script``."""
    if script.debian:
        return install.apt_line(script.packages)
    return install.faces_line(script.packages)
