"""What is compared: the words of a text, its links and telephone numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from msgspec import Struct

Either = tuple[str, str]
"""Two ways in which a passage may be set."""
Passage = str | Either

_UNSEEN = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_SIGNS = re.compile(r"(?<=\d)[.,:](?=\d)|(?<![\w.,:])[-−](?=\d)|[^\W_]|[☐☑°%+−=<>]")


class Content(Struct, frozen=True):
    """The content of a rendition, or of an article as a rendition should have it."""

    words: tuple[Passage, ...]
    """Passages in reading order, one or more for each paragraph; on paper one for each page."""
    links: frozenset[str]
    """Where links lead, as ``address`` writes it."""
    numbers: frozenset[tuple[str, str]] = frozenset()
    """Telephone links: where they lead, and the figures that are seen."""
    optional: frozenset[str] = frozenset()
    """Links that may be missing, and may be there."""


def seen(text: str) -> str:
    """Return ``text`` without what nobody sees."""
    return _UNSEEN.sub("", text)


def folded(text: str) -> list[str]:
    """Return the words of ``text``, case and punctuation between blanks kept out of the comparison."""
    return re.sub(r"[\s\u200e\u200f\u2066-\u2069\xad]+", " ", text).casefold().split()


def plain_letters(text: str) -> str:
    """Return ``text`` in one case, without accents and ligatures; what capitals take away is taken away."""
    found = seen(text) if text.isascii() else unicodedata.normalize("NFKD", seen(text).upper())
    return found.casefold()


def signs(texts: Iterable[str]) -> list[str]:
    """Return the words of ``texts`` by what is compared: letters, figures with their stops, signs of quantity."""
    words = (word for text in texts for word in plain_letters(text).split())
    found = ("".join(_SIGNS.findall(word)).replace("-", "−") for word in words)
    return [word for word in found if word]


def figures(text: str) -> str:
    """Return the figures of a telephone number."""
    return "".join(sign for sign in text if sign.isdigit())


def address(href: str) -> str:
    """Return ``href`` as it is compared: without escapes, which each format has its own rules for."""
    return seen(unquote(href)).strip()
