"""A first upload with all of it verified, beside boto3 in eight threads and s5cmd, which read nothing back."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks import peers
from tests.benchmarks.measure import Cost, Newsroom, table
from tests.support.newsroom import env_of

ROUNDS = 3


def upload(folder: Path, number: int) -> None:
    """Print files a second and CPU a file of first uploads of ``number`` releases, in turn."""
    source = Newsroom(folder / "rendered", number, words=200)
    source.cost("render")
    costs: dict[str, list[Cost]] = {"Dateline, all verified": [], "boto3, 8 threads": [], "s5cmd": []}
    files = sum(path.is_file() for path in source.public.rglob("*"))
    for attempt in range(ROUNDS):
        newsroom = source.copy(folder / f"upload-{attempt}")
        newsroom.make("serve", PRESS_ALLOW_SAMPLES="1")
        newsroom.make("render", PRESS_ALLOW_SAMPLES="1")  # pages name the store's address, which is new
        environ, prefix = env_of(newsroom), "bench/"
        bucket = environ["PRESS_PRIVATE_BUCKET"]
        costs["Dateline, all verified"].append(Newsroom.cost(newsroom, "publish"))  # type: ignore[arg-type]
        costs["boto3, 8 threads"].append(peers.boto3(newsroom.public, bucket, prefix, environ))
        if fast := peers.s5cmd(newsroom.public, bucket, f"{prefix}s5cmd/", environ):
            costs["s5cmd"].append(fast)
        newsroom.end()
    rows = []
    ours = min(cost.wall for cost in costs["Dateline, all verified"])
    for name, found in costs.items():
        if found:
            best = min(found, key=lambda cost: cost.wall)
            rows.append((name, files / best.wall, 1000 * best.cpu / files, best.wall / ours))
    table((f"first upload of {files:,} files", "files/s", "CPU ms a file", "Dateline's rate beside it"), rows)
