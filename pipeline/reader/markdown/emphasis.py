"""Emphasis: CommonMark 0.31, section 6.2 and its appendix, with two departures where its author means something else.

``*`` between letters or digits is a character, as ``_`` is (5*3*2). Beside East Asian letters, which have no blanks
between words, punctuation does not keep a delimiter from opening or closing (``**「速報」**は``).

This comes after all other inlines have been read. Code, links, pictures, raw HTML and line breaks are elements by then
and escaped characters are coded, so every ``*`` and ``_`` that is left in a text is a delimiter.
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
"""Attribute of an element that does not begin and end with punctuation: how it is written."""
_PUNCTUATION = "``"
"""How all other elements are written."""
_CODED = "\2\3"
"""What Python-Markdown puts around the code of an escaped character; counts as punctuation, as the backslash does."""
_LINE_END = "\n"
"""What precedes the first character and follows the last one (6.2: both count as white space)."""
_RUNS = re.compile(r"\*+|_+")

CharacterKind = Literal["white space", "punctuation", "other"]


class DelimiterRun(Struct, eq=False):
    """A delimiter run, and what became of it."""

    mark: str
    length: int
    left: int
    """Marks not used yet; in the end they are text."""
    opens: bool
    closes: bool
    number: int = 0
    """Its place among all runs of the text."""
    begins: list[str] = field(default_factory=list)
    """Tags that begin behind the run, the innermost first."""
    ends: list[str] = field(default_factory=list)
    """Tags that end before the run, likewise."""


_Part = str | Element | DelimiterRun


def emphasize(element: Element) -> None:
    """Wrap text between delimiters in ``em`` or ``strong``, in ``element`` but not in its children."""
    parts = list(_parts(element))
    runs = [part for part in parts if isinstance(part, DelimiterRun)]
    if runs:
        _pair(runs)
        _fill(element, parts)


def _parts(element: Element) -> Iterator[_Part]:
    """Yield texts, delimiter runs and children in order."""
    texts = [element.text or "", *(child.tail or "" for child in element)]
    edges = [_LINE_END, *(child.get(EDGES, _PUNCTUATION) for child in element), _LINE_END]
    children = [[child] for child in element]
    for text, (before, after), child in zip(texts, pairwise(edges), [*children, []], strict=True):
        framed = before[-1] + text + after[0]
        at = 0
        for match in _RUNS.finditer(text):
            yield text[at : match.start()]
            yield _run(match.group(), framed[match.start()], framed[match.end() + 1])
            at = match.end()
        yield text[at:]
        yield from child


def _run(marks: str, before: str, after: str) -> DelimiterRun:
    """Return a run; whether it can open or close depends on the characters around it (6.2, rules 1 to 8)."""
    left_flanking, right_flanking = _flanks(after, before), _flanks(before, after)
    opens, closes = left_flanking, right_flanking
    if marks[0] == "_":
        opens = left_flanking and (not right_flanking or _kind(before) == "punctuation")
        closes = right_flanking and (not left_flanking or _kind(after) == "punctuation")
    elif before.isalnum() and after.isalnum() and (len(marks) == 1 or before.isdigit() or after.isdigit()):
        opens, closes = False, len(marks) == 1 and before.isalpha() and after.isalpha()
    return DelimiterRun(marks[0], len(marks), len(marks), opens, closes)


def _flanks(inner: str, outer: str) -> bool:
    kind = _kind(inner)
    if kind == "punctuation" and not _is_east_asian(inner):
        return _kind(outer) != "other" or _is_east_asian(outer)
    return kind != "white space"


def _is_east_asian(character: str) -> bool:
    return unicodedata.east_asian_width(character) in ("W", "F", "H")


def _kind(character: str) -> CharacterKind:
    """Return the kind of a character by 2.1; symbols count as Unicode punctuation."""
    category = unicodedata.category(character)
    if category == "Zs" or character in "\t\n\f\r":
        return "white space"
    return "punctuation" if category[0] in "PS" or character in _CODED else "other"


def _pair(runs: Iterable[DelimiterRun]) -> None:
    """Find openers for closers ("process emphasis" in the appendix).

    The stack holds only possible openers. A search that failed for one closer leaves a lower bound for later closers of
    its kind; this keeps the time linear.
    """
    openers: list[DelimiterRun] = []
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


def _opener(closer: DelimiterRun, openers: list[DelimiterRun], bottom: int) -> int:
    """Return the index of the nearest opener from run ``bottom`` on, -1 when there is none."""
    for at in range(len(openers) - 1, -1, -1):
        opener = openers[at]
        if opener.number < bottom:
            break
        if opener.mark == closer.mark and _match(opener, closer):
            return at
    return -1


def _match(opener: DelimiterRun, closer: DelimiterRun) -> bool:
    """Whether the two may be a pair (rules 9 and 10, "multiple of 3")."""
    if not (opener.closes or closer.opens) or closer.length % 3 == 0:
        return True
    return (opener.length + closer.length) % 3 != 0


def _join(openers: list[DelimiterRun], closer: DelimiterRun) -> None:
    """Use up marks of the last opener and of ``closer``."""
    opener = openers[-1]
    width = min(2, opener.left, closer.left)
    tag = "em" if width == 1 else "strong"
    opener.begins.append(tag)
    closer.ends.append(tag)
    opener.left -= width
    closer.left -= width
    if not opener.left:
        openers.pop()


def _fill(element: Element, parts: Iterable[_Part]) -> None:
    """Replace the content of ``element`` by ``parts``. Not recursive: spans may nest deeper than Python can recurse."""
    element.text = None
    element[:] = []
    open_elements = [element]
    texts: list[str] = []

    def flush() -> None:
        text = "".join(texts)
        texts.clear()
        inside = open_elements[-1]
        if text and len(inside):
            inside[-1].tail = text
        elif text:
            inside.text = text

    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, DelimiterRun):
            for _ in part.ends:
                flush()
                open_elements.pop()
            texts.append(part.mark * part.left)
            for tag in reversed(part.begins):
                flush()
                inner = Element(tag)
                open_elements[-1].append(inner)
                open_elements.append(inner)
        else:
            flush()
            part.tail = None
            open_elements[-1].append(part)
    flush()
