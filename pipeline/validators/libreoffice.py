"""LibreOffice: it opens every Word file, and every word is still there."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

from pipeline.validators import ValidationResult, answer, found

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FILTER = "txt:Text (encoded):UTF8"


def judge(_folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Convert every Word file to text and compare the words."""
    files = found(trees, ".docx")
    ruling = ValidationResult(len(files))
    with tempfile.TemporaryDirectory() as scratch:
        # All texts come into one folder: under names of our own, for files of different folders may have the same.
        copies = [Path(scratch, f"{number}.docx") for number in range(len(files))]
        for file, copy in zip(files, copies, strict=True):
            shutil.copyfile(file, copy)
        profile = f"-env:UserInstallation=file://{scratch}/profile"
        if files:
            answer(["soffice", "--headless", profile, "--convert-to", FILTER, "--outdir", scratch, *copies])
        for file, copy in zip(files, copies, strict=True):
            text = copy.with_suffix(".txt")
            if not text.is_file():
                ruling.faults.append((file, "it does not open"))
            elif lost := lost_words(file, text.read_text("utf-8")):
                ruling.faults.append((file, f"words lost: {', '.join(lost[:8])}"))
    return ruling


def lost_words(file: Path, text: str) -> list[str]:
    """Return the words of a Word file's text that ``text`` has less often."""
    with ZipFile(file) as package:
        root = ElementTree.fromstring(package.read("word/document.xml"))  # noqa: S314  # a file of our own making
    paragraphs = ("".join(_run_text(paragraph)) for paragraph in root.iter(f"{_W}p"))
    words = Counter(word for paragraph in paragraphs for word in _words(paragraph))
    return sorted((words - Counter(_words(text))).elements())


def _run_text(paragraph: ElementTree.Element) -> list[str]:
    breaks = {f"{_W}tab": "\t", f"{_W}br": "\n"}
    return [(each.text or "") if each.tag == f"{_W}t" else breaks.get(each.tag, "") for each in paragraph.iter()]


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
