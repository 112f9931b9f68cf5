"""What has changed in the sources, the templates and the code since the last look.

File times, sizes and numbers are compared: that works on every system and on network drives, and finds what an editor
saves by rename. An empty or vanished file counts only if it stays so: many editors empty or remove a file before they
write it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

OFTEN, SELDOM = 0.1, 1.0
"""Seconds between two looks. At all files it looks less often where there are many, so that it takes a twentieth of the
processor's time at most; at those edited last, and for new names beside the releases, always ``OFTEN``."""
SHARE = 20
LAST = 20
"""Files edited last."""
LOOKS = 4
"""So many times in a row a file must be seen empty, or not at all."""

File = tuple[str, ...]
"""``content``, ``templates`` or ``code``, and the path below it."""
Stat = tuple[int, int, int]
"""Time in nanoseconds, size, inode."""


class Changes(Struct, frozen=True):
    """What has changed."""

    slugs: tuple[str, ...]
    """Releases whose text or pictures have changed."""
    newsroom: bool
    """``newsroom.toml``, or a picture beside it."""
    number: bool
    """A release is new or gone, and others may name it."""
    templates: bool
    code: bool
    """Dateline itself was changed, and this process runs the code that it had before."""


class Watcher:
    """Looks at all files of three folders."""

    def __init__(self, content: Path, templates: Path, code: Path) -> None:
        self._folders = {"content": content, "templates": templates, "code": code}
        self._seen = self._look()
        self._doubtful: dict[File, int] = {}
        self._last: list[File] = []
        self._names = 0
        self._next_look = 0.0

    def changes(self) -> Changes | None:
        """Return what has changed since the last call; None when nothing has."""
        if time.monotonic() < self._next_look and not self._doubtful and self._is_quiet():
            return None
        begun = time.thread_time()
        now = self._look()
        self._next_look = time.monotonic() + min(SHARE * (time.thread_time() - begun), SELDOM)
        changed = {file for file in now.keys() | self._seen.keys() if now.get(file) != self._seen.get(file)}
        doubtful = {file for file in changed if file not in now or now[file][1] == 0}
        self._doubtful = {file: self._doubtful.get(file, 0) + 1 for file in doubtful}
        changed -= {file for file, looks in self._doubtful.items() if looks < LOOKS}
        if not changed:
            return None
        number = any((file in now) != (file in self._seen) for file in changed if _is_source(file))
        for file in changed:
            if file in now:
                self._seen[file] = now[file]
            else:
                del self._seen[file]
        newest = sorted(changed, key=lambda file: now.get(file, (0, 0, 0)), reverse=True)
        in_content = [file for file in newest if file[0] == "content"]
        self._last = newest[:LAST] if len(newest) > LAST else [*dict.fromkeys([*newest, *self._last])][:LAST]
        return Changes(
            slugs=tuple(
                dict.fromkeys(file[1].removesuffix(".md") for file in in_content if _is_source(file) or len(file) > 2)
            ),
            newsroom=any(len(file) == 2 and not _is_source(file) for file in in_content),
            number=number,
            templates=any(file[0] == "templates" for file in changed),
            code=any(file[0] == "code" for file in changed),
        )

    def _is_quiet(self) -> bool:
        """Whether the files edited last are the same, and no file beside the releases has another name."""
        names, self._names = self._names, _time(self._folders["content"])
        return names == self._names and all(
            _stat(self._folders[file[0]].joinpath(*file[1:])) == self._seen.get(file) for file in self._last
        )

    def _look(self) -> dict[File, Stat]:
        return {file: stat for name, folder in self._folders.items() for file, stat in _files(str(folder), (name,))}


def _is_source(file: File) -> bool:
    return file[0] == "content" and len(file) == 2 and file[1].endswith(".md")


def _files(folder: str, under: File) -> Iterator[tuple[File, Stat]]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (entry.name.startswith((".", "__")) and entry.name != "__init__.py") or entry.name.endswith("~"):
                continue  # an editor's own files, and Python's
            with contextlib.suppress(OSError):
                if entry.is_dir():
                    yield from _files(entry.path, (*under, entry.name))
                else:
                    yield (*under, entry.name), _of(entry.stat())


def _of(stat: os.stat_result) -> Stat:
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def _stat(file: Path) -> Stat | None:
    with contextlib.suppress(OSError):
        return _of(file.stat())
    return None


def _time(folder: Path) -> int:
    """Return when the names in a folder last changed."""
    found = _stat(folder)
    return found[0] if found else 0
