"""Comparing content: what is missing, what is foreign, what stands in the wrong place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from pipeline.build.parity.content import Content, Passage, seen, signs

SHOWN = 5
"""Words or links that a message names."""


def order_differs(wanted: Iterable[Passage], found: Iterable[Passage]) -> str:
    """Return what is wrong with ``found`` beside ``wanted``, word after word; empty when nothing is."""
    there = signs(passage for passage in found if isinstance(passage, str))
    ours = _settled(wanted, there)
    if ours == there:
        return ""
    return counts_differ(ours, there) or _other_order(ours, there)


def counts_differ(wanted: Sequence[str], found: Sequence[str]) -> str:
    """Return which words are missing and which foreign; empty when there are none."""
    missing, foreign = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    said = (_named("it lacks", wanted, missing), _named("it has too much:", found, foreign))
    return "; ".join(filter(None, said))


def links_differ(wanted: Content, found: Content) -> str:
    """Return which links and telephone numbers are missing or foreign; empty when there are none."""
    foreign = found.links - wanted.links - wanted.optional
    numbers = wanted.numbers ^ found.numbers if wanted.numbers or found.numbers else frozenset()
    said = [
        _listed("it lacks the link", wanted.links - found.links),
        _listed("it has a foreign link", foreign),
        _listed("telephone numbers differ from their links:", (" ".join(pair) for pair in numbers)),
    ]
    return "; ".join(filter(None, said))


def addresses_differ(wanted: Content, found: Content) -> str:
    """Return which addresses and telephone numbers are not spelled out in a text; empty when all are."""
    text = " ".join(seen(str(passage)) for passage in found.words)
    text = " ".join(text.split())
    return _listed("it lacks", (link for link in wanted.links if " ".join(seen(link).split()) not in text))


def _settled(wanted: Iterable[Passage], there: Sequence[str]) -> list[str]:
    """Return the words wanted; of a passage that may be set in two ways, those of the way that was taken."""
    out: list[str] = []
    for passage in wanted:
        if isinstance(passage, str):
            out += signs([passage])
            continue
        ways = sorted((signs([way]) for way in passage), key=len, reverse=True)
        at = len(out)
        out += next((way for way in ways if way == there[at : at + len(way)]), signs([passage[0]]))
    return out


def _other_order(wanted: Sequence[str], found: Sequence[str]) -> str:
    at = next(place for place, (ours, theirs) in enumerate(zip(wanted, found, strict=True)) if ours != theirs)
    return f"“{' '.join(found[at : at + SHOWN])}” stands where “{' '.join(wanted[at : at + SHOWN])}” should"


def _named(what: str, words: Iterable[str], among: Counter[str]) -> str:
    return _listed(what, (word for word in dict.fromkeys(words) if word in among), ordered=True)


def _listed(what: str, names: Iterable[str], *, ordered: bool = False) -> str:
    shown = list(names) if ordered else sorted(names)
    rest = ", …" if len(shown) > SHOWN else ""
    return f"{what} {', '.join(f'“{name}”' for name in shown[:SHOWN])}{rest}" if shown else ""
