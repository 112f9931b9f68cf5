"""Which characters the faces have, which scripts a text needs, and how wide a text is.

fontTools is imported by the functions that need it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from pipeline.start.quick_start import kept
from pipeline.typography.fonts.faces import FACES, SCRIPTS, SIGNS, Face, Script, code_points
from pipeline.typography.fonts.files import installed, path

_CJK = {script.name: script for script in SCRIPTS if script.debian == "fonts-noto-cjk"}
_KANA, _HANGUL = range(0x3040, 0x3100), (*range(0x1100, 0x1200), *range(0x3130, 0x3190), *range(0xAC00, 0xD7B0))
_EMOJI = next(script for script in SCRIPTS if script.name == "emoji")
_PICTORIAL = re.compile(".\ufe0f", re.DOTALL)
"""A character with VARIATION SELECTOR-16, which shows it as emoji."""
_OF_NO_SCRIPT = {"Zyyy", "Zinh", "Latn", "Cyrl", "Grek", "Brai"}
"""Scripts, by ISO 15924, of the characters that ``SIGNS`` may have: common and inherited ones, and rare letters."""


class Coverage(Struct, frozen=True):
    """Which faces a text needs, and what is missing."""

    scripts: tuple[Script, ...]
    """Scripts whose faces it needs in addition to ``FACES``, in the order of ``SCRIPTS``."""
    lacking: tuple[tuple[str, Script], ...]
    """Characters of scripts that are not installed, each once."""
    unknown: tuple[str, ...]
    """Characters that no face has, each once."""


def coverage(text: str, language: str) -> Coverage:
    """Return the coverage of ``text``. ``language`` (BCP 47) decides between forms of Chinese characters."""
    characters = dict.fromkeys(text)
    wanted: dict[str, Script] = {}
    lacking: list[tuple[str, Script]] = []
    unknown: list[str] = []
    home = _home(characters, language)
    signs: list[str] = []
    for character in characters:
        if is_covered(character):
            continue
        script = _script_of(character, home)
        if script is None:
            signs.append(character)
        elif not installed(script):
            lacking.append((character, script))
        elif not _has(script, character):
            signs.append(character)
        else:
            wanted[script.name] = script
    pictorial = {pair[0] for pair in _PICTORIAL.findall(text)}
    if pictorial and installed(_EMOJI):
        wanted[_EMOJI.name] = _EMOJI
        bare = _PICTORIAL.sub("", text)
        signs = [sign for sign in signs if sign not in pictorial or sign in bare or not _has(_EMOJI, sign)]
    elif pictorial:
        lacking += [(sign, _EMOJI) for sign in signs if sign in pictorial]
    scripts = tuple(script for script in wanted.values() if script is not _EMOJI)
    for sign in signs:
        # A star in a Japanese text is as wide as its letters, so the script of the text comes first.
        if any(ord(sign) in _points(script) for script in scripts):
            continue
        script = _face_of(sign)
        if script is None:
            unknown.append(sign)
        elif not installed(script):
            lacking.append((sign, script))
        else:
            wanted[script.name] = script
    return Coverage(tuple(s for s in SCRIPTS if s.name in wanted), tuple(lacking), tuple(unknown))


def _home(characters: Iterable[str], language: str) -> Script:
    """Return the one East Asian script of a text: that of its language, else the one with the letters in the text."""
    parts = language.split("-")
    if parts[0] == "zh":
        return _CJK["traditional" if {"Hant", "TW", "HK", "MO"} & set(parts) else "chinese"]
    by_language = {"ko": "korean", "ja": "japanese"}
    if parts[0] in by_language:
        return _CJK[by_language[parts[0]]]
    points = {ord(character) for character in characters}
    if not points.isdisjoint(_KANA):
        return _CJK["japanese"]
    return _CJK["chinese" if points.isdisjoint(_HANGUL) else "korean"]


@cache
def _reach(ranges: str) -> frozenset[int]:
    return frozenset(code_points(ranges))


def _script_of(character: str, home: Script) -> Script | None:
    point = ord(character)
    for script in SCRIPTS:
        if script not in SIGNS and point in _reach(script.ranges) and (script.name not in _CJK or script is home):
            return script
    return None


def _face_of(sign: str) -> Script | None:
    """Return the first of ``SIGNS`` that has ``sign``, or that is not installed and may have it."""
    from fontTools.unicodedata import script as iso_15924

    if unicodedata.category(sign) in {"Cn", "Co", "Cs"} or iso_15924(sign) not in _OF_NO_SCRIPT:
        return None
    for script in SIGNS:
        if (not script.ranges or ord(sign) in _reach(script.ranges)) and (
            not installed(script) or ord(sign) in _points(script)
        ):
            return script
    return None


def _has(script: Script, character: str) -> bool:
    parts = unicodedata.normalize("NFD", character)
    return ord(character) in _points(script) or (
        len(parts) > 1 and all(ord(part) in _points(script) or is_covered(part) for part in parts)
    )


@cache
def _points(script: Script) -> frozenset[int]:
    return _covered((script.faces[0], script.faces[-1]))


@cache
def _covered(faces: tuple[Face, ...]) -> frozenset[int]:
    """Return the code points of all faces together."""
    files = [path(face) for face in faces]
    return kept(f"characters-{files[0].name}-{files[-1].name}", _version(files), lambda: _covered_by(files))


def _version(files: Iterable[Path]) -> str:
    return repr([(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files])


def _covered_by(files: Iterable[Path]) -> frozenset[int]:
    from fontTools.ttLib import TTFont

    points: set[int] = set()
    for file in files:
        with TTFont(file, lazy=True) as font:
            # Any names do: without them, fontTools makes those that readers know, which takes longer than all else.
            font.setGlyphOrder([f"glyph{number}" for number in range(font["maxp"].numGlyphs)])
            points.update(font.getBestCmap())
    return frozenset(points)


@cache
def _always_covered() -> frozenset[int]:
    # The upright face of a family stands for the family. "Cyrillic Sans" has Greek letters too, but no text uses them.
    upright = (face for face in FACES if face.weight == 400 and not face.italic)
    return _covered(tuple(face for face in upright if face.family != "Cyrillic Sans"))


_CHOOSES_A_FORM = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]").match


@cache
def is_covered(character: str) -> bool:
    """Whether ``FACES`` have ``character``, or nothing is printed for it."""
    # The shaper makes spaces itself; format characters (joiners, directional marks) are invisible; U+2011 is printed
    # as U+2010; variation selectors only choose between forms, and where a face has only one, they choose nothing.
    if unicodedata.category(character) in {"Zs", "Cf", "Cc"} or _CHOOSES_A_FORM(character):
        return True
    if ord(character) in _always_covered() or character == "\u2011":
        return True
    parts = unicodedata.normalize("NFD", character)
    return len(parts) > 1 and all(ord(part) in _always_covered() for part in parts)


def character_name(character: str) -> str:
    """Return code point and name, which a person can look up: ``U+1F600 GRINNING FACE``."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'unnamed')}"


# --- Widths ----------------------------------------------------------------------------------------------------------


@cache
def _advances(face: Face) -> Mapping[str, float]:
    file = path(face)
    return kept(f"advances-{file.name}", _version([file]), lambda: _advances_of(file))


def _advances_of(file: Path) -> dict[str, float]:
    from fontTools.ttLib import TTFont

    with TTFont(file, lazy=True) as font:
        widths, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {chr(point): widths[name][0] / em for point, name in font.getBestCmap().items()}


def text_width(text: str, face: Face) -> float:
    """Return the width of ``text`` in ems of ``face``, without kerning.

    A character that the face does not have counts 1 em if it is wide (East Asian), 0 if it is a combining mark, else
    half an em.
    """
    advances = _advances(face)
    return sum(advances[character] if character in advances else _guess(character) for character in text)


@cache
def _guess(character: str) -> float:
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0.0
    return 1.0 if unicodedata.east_asian_width(character) in "WF" else 0.5
