"""Emphasis and strike-through: CommonMark 0.31, section 6.2 and its "process emphasis"; GitHub Flavored Markdown, 6.5.

It comes after all other inline mark-up has been read. Code, links, pictures, raw HTML and line breaks are elements by
then, escaped characters are coded, and so every ``*``, ``_`` and ``~`` that is left in a text is a delimiter.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Literal
from xml.etree.ElementTree import Element

from msgspec import Struct, field

EDGES = "edges"
"""Attribute: how an element that does not begin and end with punctuation is written. The sanitiser drops it."""
_PUNCTUATION = "``"
"""How all other elements are written."""
_CODED = "\2\3"
"""What Python-Markdown puts around the code of an escaped character; it stands for punctuation, if only ``\\``."""
_LINE_END = "\n"
"""What stands before the first character and after the last (6.2: both count as white space)."""
_RUNS = re.compile(r"\*+|_+|~+")

Kind = Literal["white space", "punctuation", "other"]


class Run(Struct, eq=False):
    """A delimiter run, and what became of it."""

    mark: str
    length: int
    left: int
    """Marks not used yet; in the end they are text."""
    opens: bool
    closes: bool
    number: int = 0
    """Its place in the row of all runs."""
    begins: list[str] = field(default_factory=list)
    """Tags that begin behind the run, from the inside to the outside."""
    ends: list[str] = field(default_factory=list)
    """Tags that end before the run, likewise."""


Part = str | Element | Run


def emphasize(element: Element) -> None:
    """Put what stands between delimiters in the text of ``element``, not of its children, into ``em`` and the like."""
    parts = list(_parts(element))
    runs = [part for part in parts if isinstance(part, Run)]
    if runs:
        _pair(runs)
        _fill(element, parts)


def _parts(element: Element) -> Iterator[Part]:
    """Yield texts, delimiter runs and children in their order."""
    texts = [element.text or "", *(child.tail or "" for child in element)]
    edges = [_LINE_END, *(child.get(EDGES, _PUNCTUATION) for child in element), _LINE_END]
    children = [[child] for child in element]
    for text, (before, after), child in zip(texts, pairwise(edges), [*children, []], strict=True):
        framed = before[-1] + text + after[0]
        at = 0
        for found in _RUNS.finditer(text):
            yield text[at : found.start()]
            yield _run(found.group(), framed[found.start()], framed[found.end() + 1])
            at = found.end()
        yield text[at:]
        yield from child


def _run(marks: str, before: str, after: str) -> Run:
    """Return a run with what it can do between these characters: 6.2, left- and right-flanking, rules 1 to 8."""
    left_flanking, right_flanking = _flanks(_kind(after), _kind(before)), _flanks(_kind(before), _kind(after))
    opens, closes = left_flanking, right_flanking
    if marks[0] == "_":
        opens = left_flanking and (not right_flanking or _kind(before) == "punctuation")
        closes = right_flanking and (not left_flanking or _kind(after) == "punctuation")
    elif marks[0] == "~" and len(marks) > 2:
        opens = closes = False
    return Run(marks[0], len(marks), len(marks), opens, closes)


def _flanks(inner: Kind, outer: Kind) -> bool:
    return inner == "other" or (inner == "punctuation" and outer != "other")


def _kind(character: str) -> Kind:
    """Return what 2.1 calls the character: Unicode white space, Unicode punctuation (symbols with it), or neither."""
    category = unicodedata.category(character)
    if category == "Zs" or character in "\t\n\f\r":
        return "white space"
    return "punctuation" if category[0] in "PS" or character in _CODED else "other"


def _pair(runs: Iterable[Run]) -> None:
    """Find openers for closers, the appendix's "process emphasis".

    The stack of delimiters holds possible openers alone. Openers that were looked through in vain for one closer are
    not looked through again for another that could use them no better: that is what keeps the time linear.
    """
    openers: list[Run] = []
    bottoms: dict[tuple[str, bool, int], int] = {}
    for number, run in enumerate(runs):
        run.number = number
        kind = (run.mark, run.opens, run.length % 3)
        while run.closes and run.left:
            at = _opener(run, openers, bottoms.get(kind, 0))
            if at < 0:
                bottoms[kind] = number
                break
            del openers[at + 1 :]
            _join(openers, run)
        if run.opens and run.left:
            openers.append(run)


def _opener(closer: Run, openers: list[Run], bottom: int) -> int:
    """Return the index of the nearest opener from run ``bottom`` on, -1 when there is none."""
    for at in range(len(openers) - 1, -1, -1):
        opener = openers[at]
        if opener.number < bottom:
            break
        if opener.mark == closer.mark and _match(opener, closer):
            return at
    return -1


def _match(opener: Run, closer: Run) -> bool:
    """Whether rules 9 and 10, "multiple of 3", let the two be a pair."""
    if not (opener.closes or closer.opens) or closer.length % 3 == 0:
        return True
    return (opener.length + closer.length) % 3 != 0


def _join(openers: list[Run], closer: Run) -> None:
    """Use up marks of the last opener and of ``closer``; tildes of unequal number are spent without effect."""
    opener = openers[-1]
    width = min(2, opener.left, closer.left)
    if closer.mark == "~" and opener.left != closer.left:
        closer.opens = closer.closes = False
        openers.pop()
        return
    tag = "del" if closer.mark == "~" else "em" if width == 1 else "strong"
    opener.begins.append(tag)
    closer.ends.append(tag)
    opener.left -= width
    closer.left -= width
    if not opener.left:
        openers.pop()


def _fill(element: Element, parts: Iterable[Part]) -> None:
    """Put ``parts`` into ``element`` in the place of all that it holds."""
    element.text = None
    element[:] = []
    builder = _Builder(element)
    for part in parts:
        if isinstance(part, str):
            builder.words.append(part)
        elif isinstance(part, Run):
            builder.run(part)
        else:
            part.tail = None
            builder.add(part)
    builder.raise_faults()


class _Builder:
    """Builds the content of an element from its beginning to its end; it may nest deeper than Python can recurse."""

    def __init__(self, element: Element) -> None:
        self.open = [element]
        self.words: list[str] = []

    def run(self, run: Run) -> None:
        for _ in run.ends:
            self.raise_faults()
            self.open.pop()
        self.words.append(run.mark * run.left)
        for tag in reversed(run.begins):
            inner = Element(tag)
            self.add(inner)
            self.open.append(inner)

    def add(self, child: Element) -> None:
        self.raise_faults()
        self.open[-1].append(child)

    def raise_faults(self) -> None:
        """Write the words collected so far where they belong."""
        text = "".join(self.words)
        self.words.clear()
        inside = self.open[-1]
        if text and len(inside):
            inside[-1].tail = text
        elif text:
            inside.text = text
