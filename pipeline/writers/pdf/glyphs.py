"""What the glyphs of a face mean: its letters, and what its substitutions (GSUB) make of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from itertools import islice, product
from typing import Any

Meanings = Mapping[int, tuple[str, ...]]
"""For a glyph, the texts that it may stand for, the plainest first."""
_Rule = tuple[tuple[str, ...], tuple[str, ...]]
_known: dict[tuple[str, int], Meanings] = {}
_AMBIGUOUS = 12
"""Meanings that are kept of a glyph."""
_ROUNDS = 6
"""Substitutions that may follow each other."""


def meanings(font: Any) -> Meanings:
    """Return what the glyphs of a face mean, one that WeasyPrint has not made smaller yet."""
    key = (font.hash, len(font.file_content))
    if key not in _known:
        _known[key] = _derived(font.file_content, font.index)
    return _known[key]


def meaning(found: Meanings, glyph: int, cluster: str, from_right: bool) -> str:
    """Return what a glyph of ``found`` means that stands for ``cluster`` or a part of it.

    Of what runs from the right readers turn the letters round, so that a ligature should be one letter; and the
    brackets, so that a bracket is what it looks like.
    """
    candidates = found.get(glyph, ())
    whole = unicodedata.normalize("NFKD", cluster)
    fitting = [text for text in candidates if unicodedata.normalize("NFKD", text) in whole]
    text = max(fitting, key=len) if fitting else candidates[0] if candidates else cluster
    return _FORMS.get(text, text) if from_right else text


def _forms() -> dict[str, str]:
    """Return the ligatures of Arabic that are letters of their own, by their letters; of several, the one by itself."""
    forms: dict[str, str] = {}
    for form in map(chr, (*range(0xFB1D, 0xFDF0), *range(0xFE70, 0xFEFD))):
        text = unicodedata.normalize("NFKC", form)
        if len(text) > 1 and " " not in text and "\u0640" not in text:
            forms.setdefault(text, form)
    return forms


_FORMS = _forms()


def _derived(data: bytes, index: int) -> Meanings:
    from fontTools.ttLib import TTFont

    with TTFont(BytesIO(data), fontNumber=index, lazy=True) as font:
        texts: dict[str, dict[str, None]] = {}
        for point, name in sorted(font.getBestCmap().items()):
            plain = unicodedata.normalize("NFKC", chr(point))
            texts.setdefault(name, {})[chr(point) if plain[0] in " \u0640" else plain] = None
        rules = list(_rules(font["GSUB"].table)) if "GSUB" in font else []
        for _ in range(_ROUNDS):
            if not _follow(rules, texts):
                break
        return {font.getGlyphID(name): tuple(sorted(found, key=_plainness)) for name, found in texts.items()}


def _plainness(text: str) -> tuple[int, str]:
    return len(text), text


def _follow(rules: Sequence[_Rule], texts: dict[str, dict[str, None]]) -> bool:
    """Give what substitutions make the texts of what they take; return whether that was anything new."""
    grown = False
    for taken, made in rules:
        if any(name not in texts for name in taken):
            continue
        known = texts.setdefault(made[0], {})
        for parts in islice(product(*(tuple(texts[name]) for name in taken)), _AMBIGUOUS):
            text = "".join(parts)
            if text not in known and len(known) < _AMBIGUOUS:
                known[text] = None
                grown = True
    return grown


def _rules(table: Any) -> Iterator[_Rule]:
    """Yield the substitutions of a face as the glyphs that are taken and those that are made, whatever their order."""
    for lookup in table.LookupList.Lookup:
        for subtable in lookup.SubTable:
            each = subtable.ExtSubTable if subtable.LookupType == 7 else subtable
            match each.LookupType:
                case 1:
                    yield from (((taken,), (made,)) for taken, made in each.mapping.items())
                case 2:
                    yield from (((taken,), tuple(made)) for taken, made in each.mapping.items() if made)
                case 3:
                    yield from (((taken,), (made,)) for taken, forms in each.alternates.items() for made in forms)
                case 4:
                    for first, ligatures in each.ligatures.items():
                        yield from (((first, *found.Component), (found.LigGlyph,)) for found in ligatures)
                case 8:
                    pairs = zip(each.Coverage.glyphs, each.Substitute, strict=True)
                    yield from (((taken,), (made,)) for taken, made in pairs)
