"""LibreOffice: opens every Word file and shows every word of it."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree
from zipfile import ZipFile

from pipeline.validators import ValidationResult, find_files, run

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
FILTER = "txt:Text (encoded):UTF8"


def validate(_folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Convert every Word file to text and compare the words."""
    files = find_files(trees, ".docx")
    result = ValidationResult(len(files))
    with tempfile.TemporaryDirectory() as scratch:
        # All texts are written to one folder, and files in different folders may have the same name: so number them.
        copies = [Path(scratch, f"{number}.docx") for number in range(len(files))]
        for file, copy in zip(files, copies, strict=True):
            shutil.copyfile(file, copy)
        profile = f"-env:UserInstallation=file://{scratch}/profile"
        if files:
            run(["soffice", "--headless", profile, "--convert-to", FILTER, "--outdir", scratch, *copies])
        for file, copy in zip(files, copies, strict=True):
            text = copy.with_suffix(".txt")
            if not text.is_file():
                result.faults.append((file, "LibreOffice cannot open it"))
            elif missing := missing_words(file, text.read_text("utf-8")):
                result.faults.append((file, f"missing words: {', '.join(missing[:8])}"))
    return result


def missing_words(file: Path, text: str) -> list[str]:
    """Return the words that occur more often in the Word file than in ``text``."""
    with ZipFile(file) as package:
        root = ElementTree.fromstring(package.read("word/document.xml"))  # noqa: S314  # Dateline wrote it
    paragraphs = ("".join(_run_text(paragraph)) for paragraph in root.iter(f"{_W}p"))
    words = Counter(word for paragraph in paragraphs for word in re.findall(r"\w+", paragraph))
    return sorted((words - Counter(re.findall(r"\w+", text))).elements())


def _run_text(paragraph: ElementTree.Element) -> list[str]:
    breaks = {f"{_W}tab": "\t", f"{_W}br": "\n"}
    return [(each.text or "") if each.tag == f"{_W}t" else breaks.get(each.tag, "") for each in paragraph.iter()]
