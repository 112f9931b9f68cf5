"""A stranger who asks for addresses again and again around an instant, and the record of what was answered.

By hand: ``python -m tests.polling`` publishes a newsroom of its own with a release that waits, and prints the record.
"""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tests.newsroom import Office

EVERY = 0.02
SUFFIXES = (".html", ".pdf", ".docx", ".txt", ".json", ".zip")
SHARED = ("manifest.json", "feed.xml", "index.html", "sitemap.xml")


@dataclass
class Record:
    """What one address answered; times are the seconds by which they lie after the instant."""

    last_refusal: float = float("-inf")
    """When the last question that was refused was asked."""
    first_success: float = float("inf")
    """When the first answer that told of the release was complete."""
    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict)


class Poller:
    """Asks for the files of ``slugs``, and the listings for their names, every 20 ms, each address in a thread."""

    def __init__(self, base: str, slugs: Mapping[str, str] | list[str], instant: datetime) -> None:
        self.base, self.instant = urlsplit(base), instant
        self.records: dict[str, Record] = {}
        self.serials: set[tuple[int, frozenset[str]]] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        for slug in slugs:
            for suffix in SUFFIXES:
                self._begin(f"releases/{slug}{suffix}", lambda status, body: status == 200)
        names = [f"releases/{slug}.html".encode() for slug in slugs]
        for key in SHARED:
            told = [slug.encode() for slug in slugs] if key == "manifest.json" else names
            self._begin(key, lambda status, body, told=told: status == 200 and any(one in body for one in told))

    def _begin(self, key: str, tells: Callable[[int, bytes], bool]) -> None:
        self.records[key] = Record()
        self._threads.append(threading.Thread(target=self._ask, args=(key, tells, self.records[key]), daemon=True))

    def __enter__(self) -> Poller:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def all_told(self) -> bool:
        """Whether every address has told of the release."""
        return all(record.first_success < float("inf") for record in self.records.values())

    def wait(self, seconds: float) -> None:
        """Wait until all is told, or ``seconds`` are over, and a moment more."""
        deadline = time.monotonic() + seconds
        while not self.all_told and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)

    def _ask(self, key: str, tells: Callable[[int, bytes], bool], record: Record) -> None:
        connection = http.client.HTTPConnection(self.base.hostname or "", self.base.port, timeout=10)
        while not self._stop.wait(EVERY):
            asked = self._since()
            try:
                connection.request("GET", self.base.path + key)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            record.asked += 1
            record.statuses[status] = record.statuses.get(status, 0) + 1
            if tells(status, body):
                record.first_success = min(record.first_success, self._since())
            else:
                record.last_refusal = max(record.last_refusal, asked)
        connection.close()

    def _since(self) -> float:
        return (datetime.now(UTC) - self.instant).total_seconds()

    def table(self) -> str:
        """Return the record, an address a line."""
        lines = [f"{'address':<34} {'asked':>6} {'last refusal':>14} {'first success':>14}   answers"]
        for key, record in self.records.items():
            answers = ", ".join(f"{status} × {number}" for status, number in sorted(record.statuses.items()))
            lines.append(
                f"{key:<34} {record.asked:>6} {record.last_refusal:>+12.3f} s {record.first_success:>+12.3f} s   {answers}"
            )
        return "\n".join(lines)


def main() -> None:
    """Publish a newsroom around an instant, and print what a stranger saw."""
    with tempfile.TemporaryDirectory() as folder:
        office = Office(Path(folder) / "office")
        office.write("before", title="The one before")
        first = office.make("publish")
        base = first.out.strip().splitlines()[-1].removesuffix("index.html")
        try:
            instant = (datetime.now(UTC) + timedelta(seconds=20)).replace(microsecond=0)
            office.write("forecast", title="A forecast", date=instant.isoformat(), embargo="true")
            with Poller(base, ["forecast"], instant) as poller:
                result = office.make("publish", "WAIT=1m")
                poller.wait(5)
            print(result.text, f"instant {instant.isoformat()}", poller.table(), sep="\n")
        finally:
            office.make("stop")


if __name__ == "__main__":
    main()
