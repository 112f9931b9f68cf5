"""The language of a text, among those of the newsroom."""

from __future__ import annotations

import re

from pipeline.model.newsroom import Newsroom

_SCRIPTS = (
    ("ko", "[\uac00-\ud7af]"), ("ja", "[\u3040-\u30ff]"), ("zh", "[\u4e00-\u9fff]"), ("ar", "[\u0620-\u06ff]"),
    ("he", "[\u05d0-\u05ea]"), ("ru", "[\u0400-\u04ff]"), ("el", "[\u0370-\u03ff]"), ("hi", "[\u0900-\u097f]"),
    ("th", "[\u0e00-\u0e7f]"),
)  # fmt: skip
_ALSO = {"ar": ("fa", "ur", "ps"), "ru": ("uk", "bg", "sr", "mk", "be", "kk"), "he": ("yi",), "hi": ("mr", "ne")}
"""Languages that share a script: the newsroom's is meant."""
_WORDS = {
    "en": "the and of to in for that is with on by was are has from this will",
    "de": "der die und das den von mit für auf ist des dem nicht ein eine wird werden",
    "fr": "le la les des et du en une pour dans est par sur que qui au avec",
    "es": "el los las del y que en por para con una se su al es como",
    "it": "il di che e la per una con del della sono dei le alla nel",
    "pt": "o os de que e do da em para com uma não no na dos das",
    "nl": "de het een en van in voor met op dat zijn aan is door te",
    "pl": "i w na z do się nie że jest oraz od dla przez po o",
    "tr": "ve bir bu için ile da de olan olarak daha en",
    "sv": "och att det som en är för på med av till den har",
    "da": "og at det som en er for på med af til den har ikke",
    "fi": "ja on ei se että oli joka mutta ovat myös",
}
_SURE = 0.03
"""Share of such words in a text that is in the language."""


def language_of(text: str, stated: str, labelled: str, newsroom: Newsroom) -> tuple[str, bool]:
    """Return the tag of the text among the newsroom's languages, and whether it is sure to be in that language.

    ``stated`` is what the file says of itself, ``labelled`` the language of labels in it; both may be empty.
    """
    tags = tuple(dict.fromkeys((newsroom.language, *newsroom.languages)))
    guess = _guess(text) or labelled
    if stated and (tag := _among(stated, tags)) and guess in ("", _primary(tag)):
        return tag, True
    for also in (guess, *_ALSO.get(guess, ())):
        if also and (tag := _among(also, tags)):
            return tag, True
    return newsroom.language, not guess


def _guess(text: str) -> str:
    """Return the primary tag of the language that a text seems to be in; empty when that cannot be said."""
    letters = sum(map(str.isalpha, text))
    if not letters:
        return ""
    for tag, pattern in _SCRIPTS:
        share = len(re.findall(pattern, text)) / letters
        if share > (0.08 if tag == "ja" else 0.3):
            return tag
    words = re.findall(r"[^\W\d_]+", text.casefold())
    if len(words) < 12:
        return ""
    shares = {tag: sum(word in known for word in words) / len(words) for tag, known in _sets().items()}
    ranked = sorted(shares, key=lambda tag: shares[tag], reverse=True)
    first, second = ranked[:2]
    return first if shares[first] > 0.12 and shares[first] > shares[second] + _SURE else ""


def _sets() -> dict[str, frozenset[str]]:
    return {tag: frozenset(words.split()) for tag, words in _WORDS.items()}


def _among(tag: str, tags: tuple[str, ...]) -> str:
    """Return the newsroom's tag for a language: the same one, else one of the same primary language."""
    same = next((each for each in tags if each.lower() == tag.replace("_", "-").lower()), "")
    return same or next((each for each in tags if _primary(each) == _primary(tag)), "")


def _primary(tag: str) -> str:
    return re.split("[-_]", tag)[0].lower()
