"""What things cost, as ratios within one run: machines are shared, so only these can be compared. ``make bench``.

PDFs by script: the CPU time of a warm PDF of each script's test case beside that of the Latin one, which is as long.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from statistics import median

import pytest

from pipeline.errors import DatelineError
from pipeline.writers import pdf
from tests import cases

SCRIPTS = (
    *("latin", "greek", "cyrillic", "arabic", "hebrew", "korean", "japanese", "chinese", "traditional", "thai"),
    *("devanagari", "emoji", "mixed"),
)
ROUNDS = 7


def cost(work: Callable[[], object]) -> float:
    """Return the median CPU time of ``work`` in milliseconds, after a first round that warms it up."""
    work()
    spent = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return 1000 * median(spent)


def by_script() -> list[tuple[str, float]]:
    """Return milliseconds of CPU by script; one whose faces may not be installed is told and left out."""
    found = []
    for name in SCRIPTS:
        try:
            job, _ = cases.written(cases.FOLDER / name / f"{name}.md")
        except (DatelineError, pytest.skip.Exception) as error:
            print(f"{name:<12} {error}", file=sys.stderr)
            continue
        found.append((name, cost(lambda job=job: pdf.write(job))))  # type: ignore[misc]
    return found


def main() -> None:
    """Print a line a script."""
    costs = by_script()
    latin = dict(costs)["latin"]
    print(f"{'PDF in':<12} {'CPU ms':>8} {'beside Latin':>14}")
    for name, spent in costs:
        print(f"{name:<12} {spent:>8.0f} {spent / latin:>14.2f}")


if __name__ == "__main__":
    main()
