"""The differences between two texts, word by word, for a person to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

CONTEXT = 6
"""Equal words shown before and after those that differ."""
ALIKE = 0.4
"""Share of equal words from which on two paragraphs count as versions of one."""
_WORDS = re.compile(r"\S+")

Kind = Literal["same", "gone", "new"]


class Piece(Struct, frozen=True):
    """Words of a passage that are the same, were removed or were added."""

    kind: Kind
    words: str


Passage = tuple[Piece, ...]
"""A paragraph with words that differ."""


def differences(before: str, after: str) -> Iterator[Passage]:
    """Yield the paragraphs that differ, each with the removed and added words and some words around them."""
    old, new = _paragraphs(before), _paragraphs(after)
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        for one, other in _pairs(old[i:j], new[k:m]):
            if passage := _passage(_WORDS.findall(one), _WORDS.findall(other)):
                yield passage


def _pairs(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each old paragraph with its new version, in order; an empty text stands for a missing one."""
    rest = list(new)
    for one in old:
        at = next((at for at, other in enumerate(rest) if _alike(one, other)), None)
        if at is None:
            yield one, ""
            continue
        yield from (("", other) for other in rest[:at])
        yield one, rest[at]
        del rest[: at + 1]
    yield from (("", other) for other in rest)


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, _WORDS.findall(one), _WORDS.findall(other), autojunk=False)
    return matcher.quick_ratio() >= ALIKE and matcher.ratio() >= ALIKE


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs; line breaks within one do not count."""
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _passage(old: list[str], new: list[str]) -> Passage:
    pieces: list[Piece] = []
    opcodes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for at, (tag, i, j, k, m) in enumerate(opcodes):
        if tag == "equal":
            shown = _shortened(old[i:j], first=at == 0, last=at == len(opcodes) - 1)
            pieces.append(Piece("same", shown))
            continue
        if j > i:
            pieces.append(Piece("gone", " ".join(old[i:j])))
        if m > k:
            pieces.append(Piece("new", " ".join(new[k:m])))
    return tuple(pieces) if any(piece.kind != "same" for piece in pieces) else ()


def _shortened(words: list[str], *, first: bool, last: bool) -> str:
    """Leave out equal words that are far from any that differ."""
    if first and len(words) > CONTEXT:
        return " ".join(["…", *words[-CONTEXT:]])
    if last and len(words) > CONTEXT:
        return " ".join([*words[:CONTEXT], "…"])
    if not (first or last) and len(words) > 2 * CONTEXT:
        return " ".join([*words[:CONTEXT], "…", *words[-CONTEXT:]])
    return " ".join(words)
