"""Says what was mistyped: ``python3 -m pipeline.mistyped WORD… -- COMMAND… -- VARIABLE…``.

The Makefile runs it, perhaps before any package is installed, so it imports the standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches

ALIKE, ALMOST_EQUAL = 0.7, 0.85
"""How much a word must be like one that exists, from 0 to 1: to be suggested; to be taken for it."""


def messages(words: Sequence[str], commands: Sequence[str], variables: Sequence[str]) -> list[str]:
    """Return two lines for each word: what is wrong, and a hint. A word in capitals with ``=`` behind is a variable."""
    lines: list[str] = []
    for word in words:
        name, is_variable, _ = word.partition("=")
        known = variables if is_variable else commands
        meant = get_close_matches(name if is_variable else name.lower(), known, 2, ALIKE)
        what = "variable" if is_variable else "command"
        lines.append(f"{'' if is_variable else 'make '}{name}: there is no such {what}")
        if meant:
            shown = [f"{each}=…" if is_variable else f"make {each}" for each in meant]
            lines.append(f"  hint: did you mean {' or '.join(shown)}?")
        else:
            lines.append("  hint: make help lists the commands and their variables")
    return lines


def is_meant(name: str, variables: Sequence[str]) -> bool:
    """Whether a variable of the environment is one of ours with a letter wrong, and not another program's."""
    return bool(get_close_matches(name, variables, 1, ALMOST_EQUAL))


def main(arguments: Sequence[str]) -> int:
    """Print what was mistyped to standard error; return 2 if anything was, else 0.

    A word that begins with a question mark is a variable of the environment, which may be another program's.
    """
    first = arguments.index("--")
    second = arguments.index("--", first + 1)
    words, commands, variables = arguments[:first], arguments[first + 1 : second], arguments[second + 1 :]
    wrong = [word for word in words if not word.startswith("?") or is_meant(word[1:].partition("=")[0], variables)]
    for line in messages([word.lstrip("?") for word in wrong], commands, variables):
        print(line, file=sys.stderr)
    if wrong:
        print("dateline: exit 2 (release)", file=sys.stderr)
    return 2 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
