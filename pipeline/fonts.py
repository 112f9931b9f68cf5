"""The faces: static files from installed packages, for the PDF as they are, for the page as small WOFF2 subsets.

Latin and Cyrillic text is set in Spectral, labels in IBM Plex Sans Condensed, code in IBM Plex Mono; Arabic text in
Amiri, Arabic labels in IBM Plex Sans Arabic. A style sheet names families by their role (``Text Serif``), so that a
face of the same name on the machine is never taken for ours. fontTools is imported where it is needed only: a page
needs no more than names.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from msgspec import Struct

from pipeline.errors import SettingError

SCHEME = "face:"
"""Addresses of faces inside a PDF's style sheet; nothing outside the process answers to it."""


class Face(Struct, frozen=True):
    """One static font file and the place it has in a style sheet."""

    family: str
    """Role, as style sheets name it."""
    package: str
    file: str
    weight: int = 400
    italic: bool = False
    scripts: tuple[str, ...] = ("latin",)
    """Subsets that the page gets, names in ``SCRIPTS``."""
    extra: tuple[str, ...] = ()
    """OpenType features kept in the page's subset beyond the common ones."""

    @property
    def address(self) -> str:
        """The address that a PDF's style sheet gives."""
        return SCHEME + self.file


_SPECTRAL = "fontpkg_spectral"
_SANS = "fontpkg_ibm_plex_sans_condensed"
_MONO = "fontpkg_ibm_plex_mono"
_BOTH = ("latin", "cyrillic")
_FIGURES = ("lnum", "tnum")

FACES: tuple[Face, ...] = (
    Face("Text Serif", _SPECTRAL, "Spectral-Regular.ttf", scripts=_BOTH, extra=_FIGURES),
    Face("Text Serif", _SPECTRAL, "Spectral-Italic.ttf", italic=True, scripts=_BOTH, extra=_FIGURES),
    Face("Text Serif", _SPECTRAL, "Spectral-SemiBold.ttf", 700, scripts=_BOTH, extra=("smcp", *_FIGURES)),
    Face("Text Serif", _SPECTRAL, "Spectral-SemiBoldItalic.ttf", 700, True, _BOTH, _FIGURES),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-Regular.ttf"),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-Italic.ttf", italic=True),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-SemiBold.ttf", 700),
    Face("Text Mono", _MONO, "IBMPlexMono-Regular.ttf", scripts=_BOTH),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Regular.ttf", scripts=("arabic",)),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Italic.ttf", italic=True, scripts=("arabic",)),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Bold.ttf", 700, scripts=("arabic",)),
    Face("Arabic Sans", "fontpkg_ibm_plex_sans_arabic", "IBMPlexSansArabic-Regular.ttf", scripts=("arabic",)),
    Face("Arabic Sans", "fontpkg_ibm_plex_sans_arabic", "IBMPlexSansArabic-SemiBold.ttf", 700, scripts=("arabic",)),
)

SCRIPTS: Mapping[str, str] = {
    "latin": "U+0000-024F, U+0259, U+02B0-02FF, U+0300-036F, U+1E00-1EFF, U+2000-206F, U+2070-218F, U+2190-2199,"
    " U+2200-22FF, U+25A0-26FF, U+2713, U+2717, U+FB00-FB06",
    "cyrillic": "U+0400-052F",
    "arabic": "U+0600-06FF, U+0750-077F, U+200C-200F, U+FB50-FDFF, U+FE70-FEFE",
}
"""Ranges of a subset, in the notation of CSS ``unicode-range``."""


def path(face: Face) -> Path:
    """Return where the file of ``face`` lies. Raises ``SettingError`` when its package is not installed."""
    spec = find_spec(face.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder, "files", face.file)).is_file():
            return file
    name = face.package.replace("_", "-")
    raise SettingError(f"the type face {face.file} is missing", f"install the package {name}, e.g. by `make setup`")


def face_rules() -> str:
    """Return ``@font-face`` rules for a PDF, with addresses in the private scheme."""
    return "\n".join(_rule(face, face.address, "truetype") for face in FACES)


def _rule(face: Face, address: str, kind: str, more: str = "") -> str:
    style = "italic" if face.italic else "normal"
    return (
        f'@font-face {{ font-family: "{face.family}"; font-style: {style}; font-weight: {face.weight};'
        f' src: url("{address}") format("{kind}");{more} }}'
    )


@cache
def face_files() -> Mapping[str, Path]:
    """Return the file behind each address that ``face_rules`` gives."""
    return {face.address: path(face) for face in FACES}


# --- What the faces can set ------------------------------------------------------------------------------------------


@cache
def _covered() -> frozenset[int]:
    """Code points that the faces together have; the upright face of each family speaks for its siblings."""
    from fontTools.ttLib import TTFont

    points: set[int] = set()
    for face in FACES:
        if face.weight == 400 and not face.italic:
            with TTFont(path(face), lazy=True) as font:
                points.update(font.getBestCmap())
    return frozenset(points)


@cache
def _settable(character: str) -> bool:
    """Whether ``character`` can be set: a face has it, or it leaves no mark on paper."""
    # Blanks are synthesised by the shaper; format characters (joiners, directional marks) are invisible; U+2011 is
    # set as U+2010; variation selectors choose among forms that we have or do not have.
    if unicodedata.category(character) in {"Zs", "Cf", "Cc"} or "\ufe00" <= character <= "\ufe0f":
        return True
    if ord(character) in _covered() or character == "\u2011":
        return True
    parts = unicodedata.normalize("NFD", character)
    return len(parts) > 1 and all(ord(part) in _covered() for part in parts)


def missing_glyphs(text: str) -> tuple[str, ...]:
    """Return the characters of ``text`` that no face has, each once, in order of appearance."""
    return tuple(character for character in dict.fromkeys(text) if not _settable(character))


def character_name(character: str) -> str:
    """Return ``U+1F600 GRINNING FACE``: what a person can look up."""
    return f"U+{ord(character):04X} {unicodedata.name(character, 'unnamed')}"


@cache
def _advances(face: Face) -> Mapping[str, float]:
    from fontTools.ttLib import TTFont

    with TTFont(path(face), lazy=True) as font:
        widths, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {chr(point): widths[name][0] / em for point, name in font.getBestCmap().items()}


def text_width(text: str, face: Face) -> float:
    """Return the width of ``text`` in ems of ``face``; kerning is left out, an unknown character counts half an em."""
    advances = _advances(face)
    return sum(advances.get(character, 0.5) for character in text)


# --- Web fonts -------------------------------------------------------------------------------------------------------


RECIPE = 1
"""Raised whenever ``_subset`` is changed, so that kept files are made anew."""


def _code_points(ranges: str) -> Iterator[int]:
    for part in ranges.replace("U+", "").split(","):
        first, _, last = part.strip().partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def _web_name(face: Face, script: str) -> str:
    return f"{Path(face.file).stem.lower()}-{script}.woff2"


def web_fonts(folder: Path) -> Mapping[str, bytes]:
    """Return the page's fonts, ``NAME.woff2`` → bytes; made once (seconds) and kept in ``folder``.

    A kept file is named by all that it is made from: package, fontTools and brotli versions, subset and features.
    """
    return {_web_name(face, script): _kept(face, script, folder) for face in FACES for script in face.scripts}


def _kept(face: Face, script: str, folder: Path) -> bytes:
    tools = [version(name) for name in (face.package.replace("_", "-"), "fonttools", "brotli")]
    recipe = hashlib.sha256(repr((RECIPE, face, SCRIPTS[script], tools)).encode()).hexdigest()[:16]
    file = folder / f"{Path(_web_name(face, script)).stem}.{recipe}.woff2"
    if file.is_file():
        return file.read_bytes()
    data = _subset(face, script)
    folder.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    aside.write_bytes(data)
    aside.replace(file)
    return data


def _subset(face: Face, script: str) -> bytes:
    """Return the part of ``face`` that ``script`` needs as WOFF2; the same bytes at every call."""
    from io import BytesIO

    from fontTools import subset

    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.drop_tables += ["meta"]
    options.name_IDs = [1, 2]
    options.layout_features = [*subset.Options._layout_features_default, *face.extra]
    worker = subset.Subsetter(options)
    worker.populate(unicodes=list(_code_points(SCRIPTS[script])))
    buffer = BytesIO()
    with subset.load_font(str(path(face)), options) as font:  # its time stamp is kept, not set to now
        worker.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()


def web_rules(addresses: Mapping[str, str]) -> str:
    """Return ``@font-face`` rules for the page; ``addresses`` gives a URL for each name of ``web_fonts``."""
    return "\n".join(
        _rule(
            face,
            addresses[_web_name(face, script)],
            "woff2",
            f" font-display: swap; unicode-range: {SCRIPTS[script]};"
            + (" size-adjust: 115%;" if face.file.startswith("Amiri") else ""),  # its letters are small for their size
        )
        for face in FACES
        for script in face.scripts
    )
