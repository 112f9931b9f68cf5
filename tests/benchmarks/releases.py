"""One release in new processes, and a batch: CPU beside pandoc with typst and with WeasyPrint."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.measure import Cost, Newsroom, middle, note, table

ROUNDS = 5


def one(folder: Path) -> None:
    """Print what one release costs when nothing is rendered yet, median of rounds in turn."""
    newsroom = Newsroom(folder / "newsroom", 1)
    sources = _plain(newsroom, folder)
    newsroom.cost("render")  # what Python and fontconfig keep is there from now on
    ours: list[Cost] = []
    theirs: dict[str, list[Cost]] = {"weasyprint": [], "typst": []}
    for number in range(ROUNDS):
        shutil.rmtree(newsroom.folder / "output")
        ours.append(newsroom.cost("render"))
        for engine, costs in theirs.items():
            made = _made(folder, engine, number)
            cost = peers.documents(engine, sources, made)
            costs += [cost] if cost else []
    nothing = middle(newsroom.cost("render") for _ in range(ROUNDS))
    rows: list[tuple[object, ...]] = [("Dateline, all formats and listings", *_ratio(middle(ours), middle(ours)))]
    rows += [
        (f"pandoc + {engine}, three formats", *_ratio(middle(costs), middle(ours)))
        for engine, costs in theirs.items()
        if costs
    ]
    rows.append(("Dateline, nothing to do", *_ratio(nothing, middle(ours))))
    table(("one release, new processes", "CPU s", "wall s", "Dateline's CPU beside it"), rows)


def batch(folder: Path, number: int, *, pictures: bool) -> None:
    """Print what a release costs in a cold batch of ``number``. Dateline makes copies of pictures, the peers do not."""
    newsroom = Newsroom(folder / "newsroom", number, pictures=pictures)
    sources = _plain(newsroom, folder)
    ours = newsroom.cost("render")
    rows: list[tuple[object, ...]] = []
    typst = peers.documents("typst", sources, _made(folder, "typst", 0))
    few = sources[: max(1, number // 10)]
    weasyprint = peers.documents("weasyprint", few, _made(folder, "weasyprint", 0))
    for name, cost, count in (
        ("Dateline, all formats and listings", ours, number),
        ("pandoc + typst, three formats", typst, number),
        ("pandoc + WeasyPrint, three formats", weasyprint, len(few)),
    ):
        if cost:
            each = 1000 * cost.cpu / count
            ratio = ours.cpu / number / (cost.cpu / count)
            rows.append((name, each, 1000 * cost.wall / count, ratio, cost.peak))
    head = (
        f"cold batch of {number}{'' if pictures else ', no pictures'}",
        "CPU ms a release",
        "wall ms",
        "Dateline's CPU beside it",
        "MB, largest process",
    )
    table(head, rows)


def _plain(newsroom: Newsroom, folder: Path) -> list[Path]:
    """Return the sources as pandoc reads them, which looks for pictures beside a source, not in its own folder."""
    note(f"{newsroom.folder}: {len(list(newsroom.content.glob('*.md')))} releases")
    copied = folder / "sources"
    shutil.copytree(newsroom.content, copied)
    for source in (found := sorted(copied.glob("*.md"))):
        source.write_text(source.read_text("utf-8").replace("](scene.png", f"]({source.stem}/scene.png"), "utf-8")
    return found


def _made(folder: Path, engine: str, number: int) -> Path:
    made = folder / f"{engine}-{number}"
    shutil.copytree(folder / "sources", made)
    return made


def _ratio(cost: Cost, ours: Cost) -> tuple[float, float, float]:
    return cost.cpu, cost.wall, ours.cpu / cost.cpu
