"""The errors that people see: where it happened, what happened, what to do.

Code below ``cli/`` neither prints nor exits. It raises one of these; ``__main__`` prints it and sets the exit status.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import ClassVar, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

WarningName = Literal[
    "weekday", "time-zone", "offset", "outdated-translation", "untranslated",
    "long-headline", "headline-in-capitals", "no-summary", "long-summary", "no-quotation", "no-telephone",
    "legacy-carrier", "alt-file-name", "small-picture", "dead-link", "moved-link",
    "headline-again", "looks-like-a-mark", "to-fill-in", "second-copy", "lost-blank",
    "lost-credentials", "unmeasured-footage", "footage-location",
]  # fmt: skip
"""Each warning has a name, by which ``[warnings] off`` of newsroom.toml switches it off."""
WARNINGS: frozenset[str] = frozenset(get_args(WarningName))
URGENT: frozenset[str] = WARNINGS & frozenset(
    [
        *("weekday", "time-zone", "offset", "outdated-translation"),
        *("headline-again", "looks-like-a-mark", "to-fill-in", "second-copy", "lost-blank", "footage-location"),
    ]
)
"""Something in the release may be wrong, or better not be public, so every command that reads it warns. The others are
for ``make check``."""


class Fault(Struct, frozen=True, order=True):
    """One fault in one source file, with a hint how to correct it."""

    source: str
    """Path as a person types it, for example ``content/x.md``."""
    line: int
    """Line number from 1; 0 for the whole file."""
    message: str
    hint: str = ""
    name: str = ""
    """Of a warning, one of ``WARNINGS``."""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{printable(self.source)}:{self.line}" if self.line else printable(self.source)
        said = f"warning: {self.message}" if self.severity == "warning" else self.message
        named = f" [{self.name}]" if self.name else ""
        return f"{where}: {said}{named}" + (f"\n  hint: {self.hint}" if self.hint else "")

    def as_warning(self) -> Fault:
        """Return the same fault as a warning, which does not stop the command."""
        return replace(self, severity="warning")

    def as_error(self) -> Fault:
        """Return the same fault as an error."""
        return replace(self, severity="error")


_RIGHT = "give your user the right to write there, or name another folder with CONTENT= or OUTPUT="
_SPACE = "free some space, or name another folder with OUTPUT="
_HINTS = {
    errno.ENOENT: "check the name; CONTENT= and OUTPUT= name the folders",
    errno.ENOTDIR: "a file has the name of a folder that is needed: rename the file",
    errno.EEXIST: "a file has the name of a folder that is needed: rename the file",
    errno.EISDIR: "a folder has the name of a file that is needed: rename the folder",
    errno.EIO: "the disk may be damaged; name another folder with CONTENT= or OUTPUT=",
    errno.EMFILE: "raise the limit of open files: ulimit -n 4096",
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHT),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), _SPACE),
}


def hint_for(error: OSError) -> str:
    """Return what to do when the system refuses a file or folder."""
    return _HINTS.get(error.errno or 0, "look at that file or folder, then run the same command again")


def printable(name: str) -> str:
    """Return a file name that is safe to print on a terminal or in a log: one line, no control characters."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name)


class DatelineError(Exception):
    """Base of all errors that people see; the command ends with exit status ``status``, and names ``kind``."""

    status: ClassVar[int] = 2
    kind: ClassVar[str] = "release"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ReleaseError(DatelineError):
    """Faults in one or more sources. No file of these releases was written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class SettingError(DatelineError):
    """A variable, an option or an installed package is missing or wrong."""


class RenderError(DatelineError):
    """A writer failed on a release that the reader accepted."""


class StorageError(DatelineError):
    """The storage is down, full, slow, missing, or denies access. The message names the action and the key."""

    status = 3
    kind = "storage"


class LeakError(StorageError):
    """A file that must not be public can be read by anyone."""


class ConflictError(DatelineError):
    """Another publisher has published different content of the same release in the meantime."""

    status = 4
    kind = "conflict"
