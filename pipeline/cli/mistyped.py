"""Says what was mistyped: ``mistyped.py WORD… -- COMMAND… -- VARIABLE…``.

The Makefile runs this file by itself, perhaps before any package is installed, so it imports the standard library only.
A word is a command, or a variable with ``=`` behind it; one of the environment has ``?`` before it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches

BLANKS = "CONTENT+OUTPUT"
"""The word for a folder that cannot be named."""
OTHERS = ("AWS_", "BOTO_", "DATELINE_", "LC_", "MAKE", "PIP_", "PYTHON", "-", ".")
"""What the names of variables begin with that other programs, or make, read."""
OTHER = ("CI", "CURDIR", "HOME", "LANG", "PATH", "SHELL", "SOURCE_DATE_EPOCH", "TMPDIR", "TZ")
ALIKE, ALMOST_EQUAL = 0.7, 0.85
"""How much a word must be like one that exists, from 0 to 1: to be suggested; to be taken for it."""


def messages(words: Sequence[str], commands: Sequence[str], variables: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is wrong with each word that is wrong, with a hint."""
    told: list[tuple[str, str]] = []
    for word in words:
        name = word.strip("?=")
        if word == BLANKS:
            told.append(("CONTENT and OUTPUT must have no blanks", "give that folder a name without blanks"))
        elif not word.endswith("="):
            meant = [f"make {each}" for each in get_close_matches(name.lower(), commands, 2, ALIKE)]
            told.append((f"make {name}: there is no such command", _hint(meant)))
        elif not _is_anothers(word, variables):
            meant = [f"{each}=…" for each in get_close_matches(name, variables, 2, ALIKE)]
            told.append((f"{name}: there is no such variable", _hint(meant)))
    return told


def _is_anothers(word: str, variables: Sequence[str]) -> bool:
    """Whether another program reads the variable: in the environment, all that are not ours with a letter wrong."""
    name = word.strip("?=")
    if word.startswith("?"):
        return not get_close_matches(name, variables, 1, ALMOST_EQUAL)
    return name in OTHER or name.startswith(OTHERS) or name.lower().endswith("_proxy")


def _hint(meant: Sequence[str]) -> str:
    return f"did you mean {' or '.join(meant)}?" if meant else "make help lists the commands"


def main(arguments: Sequence[str]) -> int:
    """Print what was mistyped to standard error; return 2 if anything was, else 0."""
    first = arguments.index("--")
    second = arguments.index("--", first + 1)
    told = messages(arguments[:first], arguments[first + 1 : second], arguments[second + 1 :])
    for message, hint in told:
        print(f"{message}\n  hint: {hint}", file=sys.stderr)
    if told:
        print("dateline: exit 2 (release)", file=sys.stderr)
    return 2 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
