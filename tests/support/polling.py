"""Request addresses again and again around an instant, without credentials, and record the answers.

By hand: ``python -m tests.support.polling`` publishes a newsroom with a scheduled release, and prints the record.
"""

from __future__ import annotations

import http.client
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.formats import SUFFIXES
from tests.support.newsroom import Office

EVERY = 0.05
"""Seconds between two requests, from ``CLOSE`` seconds before the instant on; ``SELDOM`` before that."""
CLOSE, SELDOM = 3.0, 0.25
SHARED = ("feed.xml", "index.html", "sitemap.xml")


@dataclass
class Record:
    """What one address answered; times are the seconds by which they lie after the instant."""

    last_refusal: float = float("-inf")
    """When the last request that was refused was sent."""
    first_success: float = float("inf")
    """When the first answer with the release was complete."""
    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict)


class Poller:
    """Asks for the files of ``slugs``, and the listings for their names, every 50 ms, each address in a thread."""

    def __init__(self, base: str, slugs: Sequence[str], instant: datetime) -> None:
        self.base, self.instant = urlsplit(base), instant
        self.records: dict[str, Record] = {}
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self.slugs = [slug.encode() for slug in slugs]
        self.partly: list[bytes] = []
        """Manifests that named some of the releases and not all."""
        for key in (f"releases/{slug}{suffix}" for slug in slugs for suffix in SUFFIXES):
            self._begin(key, _is_there)
        self._begin("manifest.json", self._names_all)
        for key in SHARED:
            self._begin(key, self._links)

    def _begin(self, key: str, tells: Callable[[int, bytes], bool]) -> None:
        self.records[key] = Record()
        self._threads.append(threading.Thread(target=self._ask, args=(key, tells, self.records[key]), daemon=True))

    def _names_all(self, status: int, body: bytes) -> bool:
        named = [slug in body for slug in self.slugs]
        if any(named) and not all(named):
            self.partly.append(body)
        return status == 200 and any(named)

    def _links(self, status: int, body: bytes) -> bool:
        return status == 200 and any(b"releases/" + slug + b".html" in body for slug in self.slugs)

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
        """Whether every address has answered with the release."""
        return all(record.first_success < float("inf") for record in self.records.values())

    def wait(self, seconds: float) -> None:
        """Wait until every address has answered with the release, at most ``seconds``, and a moment more."""
        deadline = time.monotonic() + seconds
        while not self.all_told and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)

    def _ask(self, key: str, tells: Callable[[int, bytes], bool], record: Record) -> None:
        connection = http.client.HTTPConnection(self.base.hostname or "", self.base.port, timeout=10)
        while not self._stop.wait(EVERY if self._since() > -CLOSE else SELDOM):
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
            times = f"{record.last_refusal:>+12.3f} s {record.first_success:>+12.3f} s"
            lines.append(f"{key:<34} {record.asked:>6} {times}   {answers}")
        return "\n".join(lines)


def _is_there(status: int, _body: bytes) -> bool:
    return status == 200


def main() -> None:
    """Publish a newsroom around an instant, and print the answers."""
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
            office.end()


if __name__ == "__main__":
    main()
