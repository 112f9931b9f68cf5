"""Everything that can go wrong, said as where, what and what to do.

Nothing below ``__main__`` prints or exits: it raises one of these, and ``__main__`` turns it into a message and an
exit status.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in one file, as a person at the desk can mend it."""

    source: str
    """Path as the person would type it, e.g. ``content/x.md``."""
    line: int
    """1-based line, 0 when the whole file is meant."""
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{printable(self.source)}:{self.line}" if self.line else printable(self.source)
        return f"{where}: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else "")

    def as_warning(self) -> Fault:
        """Return it as one that stops nothing."""
        return replace(self, message=f"warning: {self.message}")


def printable(name: str) -> str:
    """Return a file's name as it may stand on a terminal and in a log: on one line, without control characters."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)


class DatelineError(Exception):
    """Root of all errors that are meant for people; ``status`` and ``kind`` are what the command ends with."""

    status: ClassVar[int] = 2
    kind: ClassVar[str] = "release"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ReleaseError(DatelineError):
    """One or more faults in sources; nothing of the releases concerned was written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SettingError(DatelineError):
    """A variable, option or installed part is missing or wrong."""


class RenderError(DatelineError):
    """A writer could not make a rendition of a release that was read without fault."""


class StorageError(DatelineError):
    """Storage is down, full, missing, slow or refuses us. The message names the action and the key."""

    status = 3
    kind = "storage"


class LeakError(StorageError):
    """What must not be public can be read by anybody."""


class ConflictError(DatelineError):
    """Somebody else published different content of the same release meanwhile."""

    status = 4
    kind = "conflict"
