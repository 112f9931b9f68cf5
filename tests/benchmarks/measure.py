"""Run commands and say what they cost; a newsroom of any number of releases to run them in; tables."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.support import corpus
from tests.support.newsroom import Office

VENV = Path(sys.executable).parent.parent
QUIET = {"PRESS_ALLOW_SAMPLES": "1", "VENV": str(VENV)}


@dataclass(frozen=True)
class Cost:
    """What a command cost with all processes that it started and waited for."""

    cpu: float
    """Seconds, user and system."""
    wall: float
    """Seconds."""
    peak: float
    """Megabytes of the process that had the most memory."""
    out: str = ""


def run(command: Sequence[str | Path], folder: Path, environ: Mapping[str, str] | None = None) -> Cost:
    """Run ``command`` in ``folder``. Raises RuntimeError with what it said when it fails."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PRESS_", "MAKE"))}
    for name in ("CI", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH"):
        clean.pop(name, None)
    log = folder / ".benchmark.log"
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=clean | dict(environ or {}), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    out = log.read_text("utf-8", "replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{out[-2000:]}")
    return Cost(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, out)


def middle(costs: Iterable[Cost]) -> Cost:
    """Return the median of each figure."""
    found = list(costs)
    return Cost(*(median(getattr(cost, name) for cost in found) for name in ("cpu", "wall", "peak")))


class Newsroom(Office):
    """A newsroom of ``number`` releases, with its code compiled, as it is after the first command."""

    def __init__(self, folder: Path, number: int, words: int = 653, *, pictures: bool = True) -> None:
        super().__init__(folder)
        corpus.write(self.content, number, words, pictures=pictures)
        compileall.compile_dir(str(folder / "pipeline"), quiet=2)

    def cost(self, *arguments: str, **environ: str) -> Cost:
        """Run make as a user does, and say what it cost."""
        return run(["make", *arguments], self.folder, QUIET | environ)

    def end(self) -> None:
        """Stop the store."""
        self.cost("stop")


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table with columns of equal width; numbers to the right."""
    texts = [list(head), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for number, row in enumerate(texts):
        cells = (cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(row, widths)))  # noqa: B905
        print(f"| {' | '.join(cells)} |", flush=True)
        if not number:
            print(f"|{'|'.join('-' * (width + 1) + (':' if at else '-') for at, width in enumerate(widths))}|")
    print(flush=True)


def _text(cell: object) -> str:
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:,.0f}" if cell >= 100 else f"{cell:.3g}"


def note(text: str) -> None:
    """Say on standard error what is being done, so that the tables stay alone on standard output."""
    print(text, file=sys.stderr, flush=True)
