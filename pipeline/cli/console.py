"""What a person or a job's log sees: aligned lines, colour and a progress bar only on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.model.errors import URGENT, Fault
from pipeline.publish.progress import count as count
from pipeline.publish.progress import pace as pace
from pipeline.publish.progress import size as size

BAR = 30
"""Characters of the progress bar."""


class Console:
    """Writes results to standard output, faults and progress to standard error."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.colour = sys.stdout.isatty()
        self.live = sys.stderr.isatty()
        self._clock = clock
        self._begun = (0, 0, 0.0)
        """Of the task whose progress is drawn: its total, how much was done at first, and when."""

    def line(self, text: str = "") -> None:
        """Write one line of result."""
        self._close()
        try:
            print(text.encode("utf-8", "backslashreplace").decode(), flush=True)
        except BrokenPipeError:  # somebody reads no further (``make publish | head``); the work goes on
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115  # for as long as the process lives

    def fault(self, text: str | Fault) -> None:
        """Write one fault, as it is to be read; of warnings, those that must not wait for ``make check``."""
        if isinstance(text, Fault) and text.severity == "warning" and text.name not in URGENT:
            return
        self.error(str(text))

    def error(self, text: str) -> None:
        """Write text to standard error."""
        self._close()
        print(text.encode("utf-8", "backslashreplace").decode(), file=sys.stderr, flush=True)

    def step(self, stage: str, name: str, *facts: str) -> None:
        """Write what became of one release, in columns."""
        self.line(f"{stage:<7} {name:<40} {'  '.join(f'{fact:>9}' for fact in facts)}".rstrip())

    def heading(self, text: str) -> None:
        """Write a line that stands out on a terminal."""
        self.line(f"\x1b[1m{text}\x1b[0m" if self.colour else text)

    def ask(self, question: str) -> str:
        """Return what the person at the terminal answers."""
        self._close()
        print(question, end=" ", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip()

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows in aligned columns; the last column runs free."""
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
        for row in rows:
            cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
            self.line("  ".join([*cells, row[-1]]).rstrip())

    def progress(self, done: int, total: int, what: str) -> None:
        """Draw how far a long piece of work is, how fast, and how long it still takes; nothing where nobody watches."""
        if not self.live or total < 2:
            return
        if self._begun[0] != total or done <= self._begun[1]:
            self._begun = (total, done, self._clock())
        _, first, begun = self._begun
        full = BAR * done // total
        facts = [f"{done}/{total} {what}", pace(done - first, total - first, self._clock() - begun)]
        text = f"{'━' * full}{' ' * (BAR - full)} {', '.join(filter(None, facts))}"
        import shutil

        # A line that wraps could not be wiped.
        print(f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        if done == total:
            self._close()

    def _close(self) -> None:
        if self.live:  # the bar of a stage that runs beside this one may stand there
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
