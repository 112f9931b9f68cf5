"""What is compared, the words of a text with its links and telephone numbers, and what differs."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from urllib.parse import unquote

from msgspec import Struct

Passage = str | tuple[str, str]
"""A piece of text, or the two ways in which it may be written."""

_SHOWN = 5
"""Words or links that a message names."""
_WORDS = 10_000
"""Words that a process remembers: those of a language that come again in every release."""
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SIGNS = re.compile(r"(?<=\d)[.,:](?=\d)|(?<![\w.,:])[-−](?=[▴▾]?\d)|[^\W_]|[☐☑°%+−=<>▴▾]")
_HIGH = re.compile("[ª²³¹ºʰ-ʸˠ-ˤᴬ-ᵡᵸᶛ-ᶿ⁰ⁱ⁴-ⁿ]")
_LOW = re.compile("[ᵢ-ᵪ₀-ₜⱼ]")
_FIGURE = re.compile(r"[^\W_]|[-+−=]")
_REFERENCE = re.compile(r"(?<=\S)\[(\d+)\]")


class Content(Struct, frozen=True):
    """The content that a rendition has, or should have."""

    words: tuple[Passage, ...]
    """Passages in reading order, one or more for each paragraph; in a PDF one for each page."""
    links: frozenset[str]
    """The targets of links, as ``address`` writes them."""
    numbers: frozenset[tuple[str, str]] = frozenset()
    """Telephone links: the target, and the digits that readers see."""
    optional: frozenset[str] = frozenset()
    """Links that may be there or not."""


def visible(text: str) -> str:
    """Return ``text`` without invisible characters."""
    return _INVISIBLE.sub("", text)


def folded(text: str) -> list[str]:
    """Return the words of ``text`` in lower case, without soft hyphens and direction marks."""
    return re.sub(r"[\s\u200e\u200f\u2066-\u2069\xad]+", " ", text).casefold().split()


def high(text: str) -> str:
    """Return ``text`` with each high figure or letter marked, so that 10⁶ is not the same as 106."""
    return _FIGURE.sub(r"▴\g<0>", text)


def low(text: str) -> str:
    """Return ``text`` with each low figure or letter marked."""
    return _FIGURE.sub(r"▾\g<0>", text)


def raise_references(text: str) -> str:
    """Return plain text with the numbers of footnotes, ``word[1]``, marked as high figures."""
    return _REFERENCE.sub(lambda found: high(found[1]), text)


def plain_letters(text: str) -> str:
    """Return ``text`` in lower case, without ligatures and with accents apart; high and low figures are marked.

    It goes through upper case first, because formats that print capitals lose what capitals do not have.
    """
    if text.isascii():
        return text.casefold()
    marked = _LOW.sub(lambda found: low(found[0]), _HIGH.sub(lambda found: high(found[0]), visible(text)))
    return unicodedata.normalize("NFKD", marked.upper()).casefold()


def signs(texts: Iterable[str]) -> list[str]:
    """Return the words of ``texts``, reduced to letters, digits with the points between them, and signs of quantity."""
    reduced = (_reduced(word) for text in texts for word in plain_letters(text).split())
    return [word for word in reduced if word]


@lru_cache(maxsize=_WORDS)
def _reduced(word: str) -> str:
    return "".join(_SIGNS.findall(word)).replace("-", "−")


def spelling(passages: Iterable[str]) -> dict[str, str]:
    """Return the words of ``passages`` by what ``signs`` makes of them, as a person would type them."""
    found: dict[str, str] = {}
    for word in (word for passage in passages for word in visible(passage).split()):
        if reduced := signs([word]):
            found.setdefault(reduced[0], _bare(word))
    return found


def _bare(word: str) -> str:
    """Return ``word`` without punctuation around it."""
    begin, end = 0, len(word)
    while begin < end and unicodedata.category(word[begin])[0] in "PZ":
        begin += 1
    while end > begin and unicodedata.category(word[end - 1])[0] in "PZ":
        end -= 1
    return word[begin:end]


def digits(text: str) -> str:
    """Return the digits of a telephone number."""
    return "".join(sign for sign in text if sign.isdigit())


def address(href: str) -> str:
    """Return ``href`` without escapes, because each format has its own rules for them."""
    return visible(unquote(href)).strip()


# --- Differences -----------------------------------------------------------------------------------------------------


def order_differs(wanted: Iterable[Passage], found: Iterable[Passage]) -> str:
    """Return how the words of ``found`` differ from ``wanted``, order included; empty when they do not."""
    theirs = signs(passage for passage in found if isinstance(passage, str))
    wanted = tuple(wanted)
    ours = _chosen(wanted, theirs)
    if ours == theirs:
        return ""
    ways = (way for passage in wanted for way in ([passage] if isinstance(passage, str) else passage))
    return counts_differ(ours, theirs, spelling(ways)) or _order(ours, theirs)


def counts_differ(wanted: Sequence[str], found: Sequence[str], typed: Mapping[str, str]) -> str:
    """Return which words of ``wanted`` are missing and which of ``found`` are extra; empty when there are none.

    ``typed`` is how the wanted ones are spelled.
    """
    missing, extra = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    parts = (
        listed("missing:", (typed.get(word, word) for word in dict.fromkeys(wanted) if word in missing)),
        listed("not in the release:", (word for word in dict.fromkeys(found) if word in extra)),
    )
    return "; ".join(filter(None, parts))


def links_differ(wanted: Content, found: Content) -> str:
    """Return which links and telephone numbers are missing or extra; empty when there are none."""
    numbers = sorted(" ".join(pair) for pair in wanted.numbers ^ found.numbers)
    parts = (
        listed("missing links:", sorted(wanted.links - found.links)),
        listed("links that are not in the release:", sorted(found.links - wanted.links - wanted.optional)),
        listed("telephone numbers that differ from their links:", numbers),
    )
    return "; ".join(filter(None, parts))


def addresses_differ(wanted: Content, found: Content) -> str:
    """Return which addresses and telephone numbers are not written out in a text; empty when all are."""
    text = " ".join(" ".join(visible(str(passage)) for passage in found.words).split())
    missing = (link for link in wanted.links if " ".join(visible(link).split()) not in text)
    return listed("missing addresses:", sorted(missing))


def _chosen(wanted: Iterable[Passage], there: Sequence[str]) -> list[str]:
    """Return the words wanted; of a passage that may be written in two ways, the way that ``there`` has."""
    out: list[str] = []
    for passage in wanted:
        if isinstance(passage, str):
            out += signs([passage])
            continue
        ways = sorted((signs([way]) for way in passage), key=len, reverse=True)
        at = len(out)
        out += next((way for way in ways if way == there[at : at + len(way)]), signs([passage[0]]))
    return out


def _order(wanted: Sequence[str], found: Sequence[str]) -> str:
    """Return where the order of the same words begins to differ."""
    at = next(place for place, (ours, theirs) in enumerate(zip(wanted, found, strict=True)) if ours != theirs)
    return f"“{' '.join(found[at : at + _SHOWN])}” is where “{' '.join(wanted[at : at + _SHOWN])}” should be"


def listed(what: str, names: Iterable[str]) -> str:
    """Return ``what`` and the first of ``names`` in quotation marks; empty when there are none."""
    shown = list(names)
    more = ", …" if len(shown) > _SHOWN else ""
    return f"{what} {', '.join(f'“{name}”' for name in shown[:_SHOWN])}{more}" if shown else ""
