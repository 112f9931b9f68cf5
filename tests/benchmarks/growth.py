"""What each command costs at 100, 1,000 and 10,000 releases, and a plot of it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.measure import Cost, Newsroom, middle, note, table
from tests.support.newsroom import env_of

WORDS = 40
"""Of each release: what is to be seen is how cost grows with their number, not with their length."""
NEW = """\
---
title: "{title}"
date: 2026-02-03T09:00+00:00
---
A paragraph of the newest release.
"""
OPERATIONS = (
    "render all, cold",
    "render, nothing to do",
    "publish all, first time",
    "publish, nothing to do",
    "publish one",
    "render after that",
    "publish one, fresh clone",
    "verify",
    "template changed: render all",
)


def growth(folder: Path, sizes: Sequence[int], *, template: bool = True) -> None:
    """Print a table of wall seconds by operation and size, one of memory, and a plot."""
    found = {size: _costs(folder / str(size), size, template=template) for size in sizes}
    head = ("seconds (wall)", *(f"{size:,}" for size in sizes))
    operations = [name for name in OPERATIONS if any(name in costs for costs in found.values())]
    table(head, [(name, *(_wall(found[size].get(name)) for size in sizes)) for name in operations])
    head = ("MB, largest process", *(f"{size:,}" for size in sizes))
    table(head, [(name, *(_peak(found[size].get(name)) for size in sizes)) for name in operations])
    plot([(name, [(size, found[size][name].wall) for size in sizes if name in found[size]]) for name in operations])


def plot(lines: Sequence[tuple[str, Sequence[tuple[int, float]]]]) -> None:
    """Print a bar a measurement, on a logarithmic scale: what grows as fast as the archive gets 12 signs a size."""
    print("```text")
    for name, points in lines:
        for at, (size, wall) in enumerate(points):
            bar = "█" * max(1, round(12 * math.log10(max(wall, 0.001) / 0.001)))
            print(f"{name if not at else '':<30} {size:>6,} {bar} {wall:.3g} s")
    print("```", flush=True)


def _costs(folder: Path, size: int, *, template: bool) -> dict[str, Cost]:
    newsroom, found = Newsroom(folder, size, WORDS), {}

    def measure(name: str, *arguments: str, rounds: int = 1) -> None:
        found[name] = middle(newsroom.cost(*arguments) for _ in range(rounds))
        note(f"{size:>6,} {name:<30} {found[name].wall:8.2f} s, CPU {found[name].cpu:8.2f} s")

    try:
        measure("render all, cold", "render")
        measure("render, nothing to do", "render", rounds=3)
        measure("publish all, first time", "publish")
        measure("publish, nothing to do", "publish", rounds=3)
        _write(newsroom, "newest-one")
        measure("publish one", "publish")
        measure("render after that", "render")
        found["publish one, fresh clone"] = _in_fresh_clone(newsroom, folder.with_name(f"{size}-clone"))
        note(f"{size:>6,} publish one, fresh clone        {found['publish one, fresh clone'].wall:8.2f} s")
        measure("verify", "verify")
        if template:
            sheet = next((folder / "templates").rglob("*.css"))
            sheet.write_text(sheet.read_text("utf-8") + "\n/* a change */\n", "utf-8")
            measure("template changed: render all", "render")
    finally:
        newsroom.end()
        shutil.rmtree(folder)
    return found


def _write(newsroom: Newsroom, slug: str) -> None:
    (newsroom.content / f"{slug}.md").write_text(NEW.format(title=slug.replace("-", " ").capitalize()), "utf-8")


def _in_fresh_clone(newsroom: Newsroom, folder: Path) -> Cost:
    fresh = Newsroom(folder, 0)
    shutil.rmtree(fresh.content)
    shutil.copytree(newsroom.content, fresh.content)
    _write(fresh, "newest-two")
    try:
        return fresh.cost("publish", **env_of(newsroom))
    finally:
        shutil.rmtree(folder)


def _wall(cost: Cost | None) -> object:
    return cost.wall if cost else "–"


def _peak(cost: Cost | None) -> object:
    return cost.peak if cost else "–"
