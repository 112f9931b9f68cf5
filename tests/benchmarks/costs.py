"""Parts of the work, measured within this process.

PDFs by script: the CPU time of a warm PDF of each script's test case beside that of the Latin one, which is as long.
PDFs by length: what a word and a page cost.
A new look over a thousand releases, by the number of releases that are committed at once: what the commits add to the
uploads, in requests and in bytes, and what a fresh clone makes again when a run was stopped half way.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from statistics import median

import pytest

from pipeline.model.errors import DatelineError
from pipeline.publish import apply as publish
from pipeline.writers import pdf
from tests.benchmarks.measure import table
from tests.support import batches, corpus
from tests.support.memory_store import Killed, Memory
from tests.writers import cases

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
    """Return milliseconds of CPU by script; a script whose faces cannot be installed is reported and left out."""
    found = []
    for name in SCRIPTS:
        try:
            render_input, _ = cases.written(cases.FOLDER / name / f"{name}.md")
        except (DatelineError, pytest.skip.Exception) as error:
            print(f"{name:<12} {error}", file=sys.stderr)
            continue
        found.append((name, cost(lambda render_input=render_input: pdf.write(render_input))))  # type: ignore[misc]
    return found


LENGTHS = (50, 150, 400, 800, 1600, 3200)
"""Words."""
SAMPLES = 6
"""Releases of each length: some have a list, a quotation, a table."""


def by_length(folder: Path) -> list[tuple[int, float, float]]:
    """Return, by number of words, the mean number of pages and the milliseconds of CPU of a warm PDF."""
    found = []
    for words in LENGTHS:
        corpus.write(folder / str(words), SAMPLES, words, pictures=False)
        sources = sorted((folder / str(words)).glob("*.md"))
        inputs = [cases.written(source)[0] for source in sources]
        pages = sum(pdf.write(each).pages for each in inputs) / SAMPLES
        spent = sum(cost(lambda each=each: pdf.write(each)) for each in inputs) / SAMPLES  # type: ignore[misc]
        found.append((sum(len(source.read_text("utf-8").split()) for source in sources) // SAMPLES, pages, spent))
    return found


RELEASES = 1000
FILE = 80_000
"""Bytes of each of a release's three files, which is what they have on the average."""


def by_batch() -> list[tuple[int, float, float, float]]:
    """Return, by size of batch, requests and bytes of commits beside those of uploads, and what is rendered twice."""
    found = []
    kept = publish.BATCH
    try:
        for size in (10, 25, 50, 100, 200, RELEASES):
            publish.BATCH = size
            store = Memory()
            batches.run(store, batches.newsroom("old", range(RELEASES)))
            half = 3 * (RELEASES // 2 - 13)
            store.puts.clear()
            store.before = batches.fatal_at(half)
            with suppress(Killed):
                batches.run(store, batches.newsroom("new", range(RELEASES)))
            store.before = lambda put: None
            worn = sum(listed.fingerprint == "new" for listed in store.manifest().rows)
            batches.run(store, batches.newsroom("new", range(RELEASES)))
            files = [put for put in store.puts if put.key.startswith("releases/")]
            commits = [put for put in store.puts if put.key.startswith("manifest")]
            size_of = sum(len(put.body) for put in commits if isinstance(put.body, bytes))
            found.append(
                (size, len(commits) / len(files), size_of / (FILE * len(files)), (half // 3 - worn) / RELEASES)
            )
    finally:
        publish.BATCH = kept
    return found


def print_commits() -> None:
    """Print a line a size of batch: what commits add to the uploads."""
    head = ("commits of a new look, releases at once", "requests a file", "bytes a byte", "made twice")
    table(head, [(str(size), *figures) for size, *figures in by_batch()])


def print_lengths(folder: Path) -> None:
    """Print a line a length: what a warm PDF costs, a word and a page."""
    head = ("words", "pages", "CPU ms", "ms a page", "ms a further word")
    lines: list[tuple[object, ...]] = []
    before = (0, 0.0)
    for words, pages, spent in by_length(folder):
        further = (spent - before[1]) / (words - before[0]) if lines else "–"
        lines.append((f"{words:,}", pages, spent, spent / pages, further))
        before = words, spent
    table(head, lines)


def print_scripts() -> None:
    """Print a line a script: the CPU time of a warm PDF."""
    costs = by_script()
    latin = dict(costs)["latin"]
    table(("PDF in", "CPU ms", "beside Latin"), [(name, spent, spent / latin) for name, spent in costs])
