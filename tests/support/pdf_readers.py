"""What programs that read PDF make of a file: pdfium, and poppler and mupdf where they are installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pypdfium2
import pytest


def by_pdfium(data: bytes, _folder: Path) -> str:
    """Return the text of all pages. Where a line ends with a hyphen that browsers leave out, it has U+FFFE."""
    document = pypdfium2.PdfDocument(data)
    told = "\n".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return told


def by_poppler(data: bytes, folder: Path) -> str:
    """Return what ``pdftotext`` finds; ``folder`` is for the file."""
    return _told("pdftotext", data, folder, "{}", "-")


def by_mupdf(data: bytes, folder: Path) -> str:
    """Return what ``mutool`` finds; ``folder`` is for the file."""
    return _told("mutool", data, folder, "draw", "-q", "-F", "txt", "{}")


def _told(program: str, data: bytes, folder: Path, *arguments: str) -> str:
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")
    file = folder / "release.pdf"
    file.write_bytes(data)
    command = [program, *(argument.format(file) for argument in arguments)]
    return subprocess.run(command, capture_output=True, check=True).stdout.decode()


READERS: Mapping[str, Callable[[bytes, Path], str]] = {
    "pdfium": by_pdfium,
    "poppler": by_poppler,
    "mupdf": by_mupdf,
}
