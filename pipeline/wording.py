"""What differs between two texts, word by word, in the lines in which a person reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

CONTEXT = 6
"""Words shown before and after those that differ."""
_WORDS = re.compile(r"\S+")

Kind = Literal["same", "gone", "new"]


class Piece(Struct, frozen=True):
    """Some words of a passage."""

    kind: Kind
    words: str


Passage = tuple[Piece, ...]
"""A paragraph of which words differ, or a part of it."""


def differences(before: str, after: str) -> Iterator[Passage]:
    """Yield the paragraphs of two texts that differ, each with what went, what came, and some words around it."""
    old, new = _paragraphs(before), _paragraphs(after)
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        pairs = (
            zip(old[i:j], new[k:m], strict=False) if j - i == m - k else [("\n".join(old[i:j]), "\n".join(new[k:m]))]
        )
        for one, other in pairs:
            if passage := _passage(_WORDS.findall(one), _WORDS.findall(other)):
                yield passage


def _paragraphs(text: str) -> list[str]:
    """Return the paragraphs; where lines are broken within one is no matter."""
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
    """Leave out the words that are far from any that differ."""
    if first and len(words) > CONTEXT:
        return " ".join(["…", *words[-CONTEXT:]])
    if last and len(words) > CONTEXT:
        return " ".join([*words[:CONTEXT], "…"])
    if not (first or last) and len(words) > 2 * CONTEXT:
        return " ".join([*words[:CONTEXT], "…", *words[-CONTEXT:]])
    return " ".join(words)
