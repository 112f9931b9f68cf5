"""Read a newsroom over and over while it changes: whatever it names must be there, with a digest that is stated."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree

import msgspec

from pipeline.model.errors import StorageError
from pipeline.model.manifest import KEY, Manifest
from pipeline.publish.manifest import load
from pipeline.publish.verification import local_links
from pipeline.site import listings
from pipeline.storage.anonymous import AnonymousClient, Answer
from pipeline.writers.ninjs import digests

PAUSE = 0.03
TEXTS = (".html", ".json", ".xml", ".txt")


class Observer:
    """Reads all that a newsroom names, without credentials, and remembers the last serial, which must never fall.

    ``public`` is the address that pages and feeds state, where that is not the one that is read.
    """

    def __init__(self, address: str, public: str = "") -> None:
        self.anonymous = AnonymousClient(address, {})
        self._named = re.compile(re.escape(public or address) + r"([\w./-]+\w)")
        self.serial = 0
        self.looks = 0

    def look(self) -> list[str]:
        """Read all that the newsroom names and return what is wrong, as of one serial of the manifest."""
        while True:
            problems, serial = self._once()
            if serial == self._serial():
                self.looks += 1
                return problems

    def _get(self, key: str) -> Answer:
        """Raises StorageError where the store has a fault, as it does where nobody answers: a test has killed it."""
        answer = self.anonymous.get(key)
        if answer.status >= 500:
            raise StorageError(f"{key} answers {answer.status}", "")
        return answer

    def _serial(self) -> int:
        answer = self._get(KEY)
        return int(msgspec.json.decode(answer.body, type=dict[str, Any])["serial"]) if answer.status == 200 else 0

    def _once(self) -> tuple[list[str], int]:
        answer = self._get(KEY)
        if answer.status != 200:
            return ["the manifest is not there any more"] * bool(self.serial), 0
        try:
            manifest = load(answer.body, lambda key: self._get(key).body)
        except StorageError as error:
            return [str(error)], self._serial()
        problems = [f"serial fell from {self.serial} to {manifest.serial}"] * (manifest.serial < self.serial)
        self.serial = max(self.serial, manifest.serial)
        named: dict[str, str] = dict.fromkeys(manifest.assets, KEY)
        for key, due in self._stated(manifest, problems):
            problems += self._file(key, due, named)
        for key in listings.keys(manifest):
            problems += self._listing(key, manifest, named)
        # A text stays as it is when the footage that it names has expired; page, record and feeds say so.
        expired = {key for row in manifest.rows for key in row.expired}
        for key, by in named.items():
            if key in expired and by.endswith(".txt"):
                continue
            status = self.anonymous.head(key).status
            if status != 200 and self._still_names(by, key):
                problems.append(f"{key} answers {status}, and {by} names it")
        return problems, manifest.serial

    def _stated(self, manifest: Manifest, problems: list[str]) -> Iterator[tuple[str, set[str]]]:
        for row in manifest.rows:
            key = f"releases/{row.slug}.json"
            yield key, {row.record, row.replacing.get(key, row.record)}
            for name, stated in row.statement_files().items():
                yield name, {stated, row.replacing.get(name, stated)}
            answer = self._get(key)
            if answer.status == 200:
                for name, stated in digests(answer.body).items():
                    yield name, {stated, row.replacing.get(name, stated)}

    def _file(self, key: str, due: set[str], named: dict[str, str]) -> list[str]:
        answer = self._get(key)
        if answer.status != 200:
            return [f"{key} answers {answer.status}"]
        self._follow(key, answer.body, named)
        return [] if answer.sha256 in due else [f"{key} has other bytes than are stated"]

    def _listing(self, key: str, manifest: Manifest, named: dict[str, str]) -> list[str]:
        answer = self._get(key)
        if answer.status != 200:  # before the first commit of listings there are none
            return []
        if key.endswith(".xml"):
            try:
                ElementTree.fromstring(answer.body)
            except ElementTree.ParseError as error:
                return [f"{key} cannot be read: {error}"]
        elif key.endswith(".html") and not answer.body.rstrip().endswith(b"</html>"):
            return [f"{key} breaks off"]
        self._follow(key, answer.body, named)
        return []

    def _still_names(self, by: str, key: str) -> bool:
        """Read anew what named ``key``: a feed may have been replaced, and then the file deleted, since it was read."""
        named: dict[str, str] = {}
        self._follow(by, self._get(by).body, named)
        return by == KEY or key in named

    def _follow(self, key: str, body: bytes, named: dict[str, str]) -> None:
        """Note what an object names: by links of a page, and by public addresses anywhere."""
        if key.endswith(".html"):
            for other in local_links(key, body):
                named.setdefault(other, key)
        if key.endswith(TEXTS):
            for found in self._named.findall(body.decode("utf-8", "replace")):
                named.setdefault(found, key)


@contextmanager
def watching(observer: Observer) -> Iterator[list[str]]:
    """Read on and on while the block runs; yields the list of what is wrong, as it grows."""
    problems: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            begun = time.monotonic()
            try:
                problems.extend(observer.look())
            except (StorageError, OSError):
                time.sleep(PAUSE)  # a test killed the store on purpose
            # As long as it took, for the publisher needs the processor too: looks may take a second each.
            over.wait(max(PAUSE, time.monotonic() - begun))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield problems
    finally:
        over.set()
        thread.join()


@contextmanager
def watched(address: str) -> Iterator[Observer]:
    """Read on and on while the block runs, and assert that nothing was ever wrong."""
    observer = Observer(address)
    with watching(observer) as problems:
        yield observer
    problems += observer.look()
    assert not problems, "\n".join(problems[:20])
    assert observer.looks > 2
