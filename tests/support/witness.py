"""A stranger who reads a newsroom over and over while it changes, and notes whatever is not as stated."""

from __future__ import annotations

import hashlib
import re
import threading
import xml.dom.minidom
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from pipeline.publish.verification import local_links
from pipeline.writers.ninjs import digests
from tests.support.public_http import get

Told = dict[str, str]


class Witness:
    """Reads all that a newsroom names. What it meets is a fault only if what names it is still the same afterwards."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.problems: list[str] = []
        self.rounds = 0
        self.serials: list[int] = []
        self._records: dict[str, bytes] = {}

    def look(self) -> None:
        """Read everything once."""
        manifest = self._get("manifest.json")
        try:
            found = msgspec.json.decode(manifest)
        except msgspec.DecodeError:
            self.problems.append("manifest.json is no JSON")
            return
        self.serials.append(found["serial"])
        for row in found.get("rows", ()):
            self._release(row, lambda: self._get("manifest.json") == manifest)
        for key in ("feed.xml", "feeds/lang/en-GB.xml", "index.html", "archive/index.html"):
            self._listing(key)
        self.rounds += 1

    def _release(self, row: dict[str, Any], same: Callable[[], bool]) -> None:
        key, coming = f"releases/{row['slug']}.json", row.get("replacing", {})
        record = self._get(key)
        self._records[_digest(record)] = record
        if _digest(record) not in (row["record"], coming.get(key)):
            self._tell(f"{key} is not as the manifest states", same)
        # While a change goes up its record may be there before it counts: the one that counts was seen before.
        for name, due in digests(self._records.get(row["record"], b"")).items():
            if _digest(self._get(name)) not in (due, coming.get(name)):
                self._tell(f"{name} is not as its record states", same)
        page = self._get(f"releases/{row['slug']}.html")
        self._links(f"releases/{row['slug']}.html", page)

    def _listing(self, key: str) -> None:
        data = self._get(key)
        if key.endswith(".xml"):
            try:
                xml.dom.minidom.parseString(data)
            except Exception as error:  # whatever it is, readers of feeds meet it too
                self.problems.append(f"{key}: {error}")
            named = re.findall(rf'(?:url|href)="{re.escape(self.base)}([^"]+)"|<link>{re.escape(self.base)}([^<]+)<',
                               data.decode())  # fmt: skip
            for name in {one or other for one, other in named}:
                if get(self.base + name)[0] != 200:
                    self._tell(f"{key} names {name}", lambda: self._get(key) == data)
        else:
            self._links(key, data)

    def _links(self, key: str, page: bytes) -> None:
        for name in set(local_links(key, page)):
            if get(self.base + name)[0] != 200:
                self._tell(f"{key} leads to {name}", lambda: self._get(key) == page)

    def _get(self, key: str) -> bytes:
        return get(self.base + key)[2]

    def _tell(self, problem: str, same: Callable[[], bool]) -> None:
        if same():
            self.problems.append(problem)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def watched(base: str) -> Iterator[Witness]:
    """Let a stranger read along, and hold that everything was always as stated and the serial never fell."""
    witness, stop = Witness(base), threading.Event()
    witness.look()

    def read() -> None:
        while not stop.is_set():
            witness.look()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        stop.set()
        thread.join(60)
    witness.look()
    assert witness.problems == []
    assert witness.serials == sorted(witness.serials)
    assert witness.rounds > 2
