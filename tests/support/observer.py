"""A stranger who looks at a newsroom again and again: whatever is named must be there, with a digest that is stated."""

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
from pipeline.storage.anonymous import AnonymousClient
from pipeline.writers.ninjs import digests

ADDRESS = "https://press.example.org/news/"
"""What the newsrooms of these tests take for their public address; nobody answers there, and nobody is asked."""
PAUSE = 0.03
TEXTS = (".html", ".json", ".xml", ".txt")


class Onlooker:
    """Remembers the serial that it saw last, for it must never fall."""

    def __init__(self, address: str) -> None:
        self.anonymous = AnonymousClient(address, {})
        self.serial = 0
        self.looks = 0

    def look(self) -> list[str]:
        """Read all that the newsroom names and return what is wrong, as of one serial of the manifest."""
        while True:
            problems, serial = self._once()
            if serial == self._serial():
                self.looks += 1
                return problems

    def _serial(self) -> int:
        answer = self.anonymous.get(KEY)
        return int(msgspec.json.decode(answer.body, type=dict[str, Any])["serial"]) if answer.status == 200 else 0

    def _once(self) -> tuple[list[str], int]:
        answer = self.anonymous.get(KEY)
        if answer.status != 200:
            return ["the manifest is not there any more"] * bool(self.serial), 0
        try:
            manifest = load(answer.body, lambda key: self.anonymous.get(key).body)
        except StorageError as error:
            return [str(error)], self._serial()
        problems = [f"serial fell from {self.serial} to {manifest.serial}"] * (manifest.serial < self.serial)
        self.serial = max(self.serial, manifest.serial)
        named: dict[str, str] = dict.fromkeys(manifest.assets, KEY)
        for key, due in self._stated(manifest, problems):
            problems += self._file(key, due, named)
        for key in listings.keys(manifest):
            problems += self._listing(key, manifest, named)
        for key, by in named.items():
            if (status := self.anonymous.head(key).status) != 200:
                problems.append(f"{key} answers {status}, and {by} names it")
        return problems, manifest.serial

    def _stated(self, manifest: Manifest, problems: list[str]) -> Iterator[tuple[str, set[str]]]:
        for row in manifest.rows:
            key = f"releases/{row.slug}.json"
            yield key, {row.record, row.replacing.get(key, row.record)}
            answer = self.anonymous.get(key)
            if answer.status == 200:
                for name, stated in digests(answer.body).items():
                    yield name, {stated, row.replacing.get(name, stated)}

    def _file(self, key: str, due: set[str], named: dict[str, str]) -> list[str]:
        answer = self.anonymous.get(key)
        if answer.status != 200:
            return [f"{key} answers {answer.status}"]
        _follow(key, answer.body, named)
        return [] if answer.sha256 in due else [f"{key} has other bytes than are stated"]

    def _listing(self, key: str, manifest: Manifest, named: dict[str, str]) -> list[str]:
        answer = self.anonymous.get(key)
        if answer.status != 200:  # before the first commit of listings there are none
            return []
        if key.endswith(".xml"):
            try:
                ElementTree.fromstring(answer.body)
            except ElementTree.ParseError as error:
                return [f"{key} cannot be read: {error}"]
        elif key.endswith(".html") and not answer.body.rstrip().endswith(b"</html>"):
            return [f"{key} breaks off"]
        _follow(key, answer.body, named)
        return []


def _follow(key: str, body: bytes, named: dict[str, str]) -> None:
    """Note what an object names: by links of a page, and by public addresses anywhere."""
    if key.endswith(".html"):
        for other in local_links(key, body):
            named.setdefault(other, key)
    if key.endswith(TEXTS):
        for found in re.findall(re.escape(ADDRESS) + r"([\w./-]+\w)", body.decode("utf-8", "replace")):
            named.setdefault(found, key)


@contextmanager
def watching(onlooker: Onlooker) -> Iterator[list[str]]:
    """Look without a pause between while the block runs; yields the list of what is wrong, as it grows."""
    problems: list[str] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                problems.extend(onlooker.look())
            except (StorageError, OSError):
                time.sleep(PAUSE)  # a store that was killed on purpose answers nobody
            over.wait(PAUSE)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield problems
    finally:
        over.set()
        thread.join()
