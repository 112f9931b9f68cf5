"""``make bench``: all tables at sizes that take some minutes; ``make bench ARGS="growth --sizes 100,1000,10000"``."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import costs, growth, large, releases, upload

NAMES = ("one", "batch", "upload", "large", "growth", "commits", "scripts", "lengths")


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=(*NAMES, []), help="the tables; without any: all")
    parser.add_argument("--releases", type=int, default=300, help="in a batch, and in an upload")
    parser.add_argument("--sizes", default="100,1000", help="of the archives of growth")
    parser.add_argument("--megabytes", type=int, default=2000, help="of a large file")
    parser.add_argument("--no-pictures", action="store_true", help="in a batch")
    parser.add_argument("--no-template", action="store_true", help="leave out the change of a template in growth")
    options = parser.parse_args()
    work: dict[str, Callable[[Path], None]] = {
        "one": releases.one,
        "batch": lambda folder: releases.batch(folder, options.releases, pictures=not options.no_pictures),
        "upload": lambda folder: upload.upload(folder, options.releases),
        "large": lambda folder: large.large(folder, options.megabytes),
        "growth": lambda folder: growth.growth(
            folder, [int(size) for size in options.sizes.split(",")], template=not options.no_template
        ),
        "commits": lambda _: costs.print_commits(),
        "scripts": lambda _: costs.print_scripts(),
        "lengths": costs.print_lengths,
    }
    for name in options.names or NAMES:
        with tempfile.TemporaryDirectory(prefix="dateline-bench-") as folder:
            work[name](Path(folder))


if __name__ == "__main__":
    main()
