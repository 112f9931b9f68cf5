"""The faults and warnings of one source file, collected so that one run reports them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipeline.model.errors import Fault, ReleaseError, WarningName


class Report:
    """Faults and warnings of one source, in the order in which they were noticed."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._faults: list[Fault] = []
        self._warnings: list[Fault] = []

    def fault(self, line: int, message: str, hint: str = "") -> None:
        """Add something that must be corrected before anything is rendered."""
        self._faults.append(Fault(self.source, line, message, hint))

    def warn(self, line: int, message: str, hint: str, name: WarningName) -> None:
        """Add something that looks like a mistake."""
        self._warnings.append(Fault(self.source, line, message, hint, name))

    def include(self, other: Report) -> None:
        """Add the faults of another file that this one needs."""
        self._faults += other._faults

    @property
    def count(self) -> int:
        """Number of faults so far."""
        return len(self._faults)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """All warnings, by line."""
        return tuple(sorted(set(self._warnings)))

    def error(self) -> ReleaseError:
        """Return the error with all faults."""
        return ReleaseError(self._faults)

    def raise_faults(self) -> None:
        """Raise ``ReleaseError`` with all faults, if there are any."""
        if self._faults:
            raise self.error()


def is_near(word: str, known: str) -> bool:
    """Whether ``word`` may be ``known``, misspelt or in capital letters."""
    return bool(difflib.get_close_matches(word.lower(), [known], 1, 0.7))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the known word nearest to ``word``, or all known words if they are few."""
    words = sorted(known)
    near = difflib.get_close_matches(word, words, 1, 0.6)
    if near:
        return f"did you mean {near[0]}?"
    return f"choose from {', '.join(words)}" if 0 < len(words) <= 24 else ""
