"""The table of faces. It is data only.

Style sheets name a family by its role (``Text Serif``), so that no font of the machine is used by accident. Latin and
Cyrillic text uses Spectral, Latin labels IBM Plex Sans Condensed, Cyrillic labels Fira Sans Condensed, code IBM Plex
Mono, Arabic text Amiri, Arabic labels IBM Plex Sans Arabic: these are always installed. Each further script is a row of
``SCRIPTS``; its packages are installed when a release first needs them. So is each row of ``SIGNS``: signs, and rare
letters of Latin and Cyrillic, which a release in any script may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

SCHEME = "face:"
"""Scheme of the addresses of faces in the style sheet of a PDF. Only this process resolves them."""


class Face(Struct, frozen=True):
    """One font file, or one instance of a font file, and its role in style sheets."""

    family: str
    """The role, as style sheets name it."""
    package: str
    """Package on PyPI, with underscores, or Debian package for a script that comes from there."""
    file: str
    weight: int = 400
    italic: bool = False
    subsets: tuple[str, ...] = ()
    """Names in ``SUBSETS`` of the web fonts that are made from this face."""
    extra: tuple[str, ...] = ()
    """OpenType features of the web fonts, in addition to the common ones."""
    axes: tuple[tuple[str, float], ...] = ()
    """Fixed values of the axes of a variable font: otherwise every PDF would instantiate it again."""
    kept: str = ""
    """Letters that such an instance keeps, as a CSS ``unicode-range``, if it is no web font and has no ``subsets``."""
    number: int = -1
    """Index in a font collection; -1 for a file with one face."""

    @property
    def address(self) -> str:
        """The address in the style sheet of a PDF."""
        place = "".join(f",{axis}{value:g}" for axis, value in self.axes)
        return f"{SCHEME}{self.file}{place}" + (f",{self.number}" if self.number >= 0 else "")


class Script(Struct, frozen=True):
    """A script whose faces are installed only if a release needs them."""

    name: str
    ranges: str
    """Its characters, as a CSS ``unicode-range``. If empty, those that its faces have."""
    faces: tuple[Face, ...]
    languages: tuple[str, ...] = ()
    """Primary languages of newsrooms whose pages load this script."""
    debian: str = ""
    """Debian package, for faces that are not on PyPI."""
    first: bool = False
    """Its families come before the Latin ones, which have a few of its letters. Its files have no Latin letters."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages with the faces, as people type their names."""
        names = dict.fromkeys(face.package.replace("_", "-") for face in self.faces)
        return (self.debian,) if self.debian else tuple(names)

    @property
    def serif(self) -> str:
        """The family for text."""
        return self.faces[0].family

    @property
    def sans(self) -> str:
        """The family for labels; the same as ``serif`` if the script has only one."""
        return self.faces[-1].family


_SPECTRAL = "fontpkg_spectral"
_SANS = "fontpkg_ibm_plex_sans_condensed"
_FIRA = "fontpkg_fira_sans_condensed"
_BOTH = ("latin", "cyrillic")
_FIGURES = ("lnum", "tnum")


def _fira(family: str, subset: str) -> tuple[Face, ...]:
    return (
        Face(family, _FIRA, "FiraSansCondensed-Regular.ttf", subsets=(subset,)),
        Face(family, _FIRA, "FiraSansCondensed-Italic.ttf", italic=True, subsets=(subset,)),
        Face(family, _FIRA, "FiraSansCondensed-SemiBold.ttf", 700, subsets=(subset,)),
    )


FACES: tuple[Face, ...] = (
    Face("Text Serif", _SPECTRAL, "Spectral-Regular.ttf", subsets=_BOTH, extra=_FIGURES),
    Face("Text Serif", _SPECTRAL, "Spectral-Italic.ttf", italic=True, subsets=_BOTH, extra=_FIGURES),
    Face("Text Serif", _SPECTRAL, "Spectral-SemiBold.ttf", 700, subsets=_BOTH, extra=("smcp", *_FIGURES)),
    Face("Text Serif", _SPECTRAL, "Spectral-SemiBoldItalic.ttf", 700, True, _BOTH, _FIGURES),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-Regular.ttf", subsets=("latin",)),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-Italic.ttf", italic=True, subsets=("latin",)),
    Face("Text Sans", _SANS, "IBMPlexSansCondensed-SemiBold.ttf", 700, subsets=("latin",)),
    *_fira("Cyrillic Sans", "cyrillic"),
    Face("Text Mono", "fontpkg_ibm_plex_mono", "IBMPlexMono-Regular.ttf", subsets=_BOTH),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Regular.ttf", subsets=("arabic",)),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Italic.ttf", italic=True, subsets=("arabic",)),
    Face("Arabic Serif", "fontpkg_amiri", "Amiri-Bold.ttf", 700, subsets=("arabic",)),
    Face("Arabic Sans", "fontpkg_ibm_plex_sans_arabic", "IBMPlexSansArabic-Regular.ttf", subsets=("arabic",)),
    Face("Arabic Sans", "fontpkg_ibm_plex_sans_arabic", "IBMPlexSansArabic-SemiBold.ttf", 700, subsets=("arabic",)),
)
"""The faces that are always installed."""

SUBSETS: Mapping[str, str] = {
    "latin": "U+0000-024F, U+0259, U+02B0-02FF, U+0300-036F, U+1E00-1EFF, U+2000-206F, U+2070-218F, U+2190-2199,"
    " U+2200-22FF, U+25A0-26FF, U+2713, U+2717, U+FB00-FB06",
    "cyrillic": "U+0400-052F, U+1C80-1C8F, U+2DE0-2DFF, U+A640-A69F",
    "arabic": "U+0600-06FF, U+0750-077F, U+200C-200F, U+FB50-FDFF, U+FE70-FEFE",
    "greek": "U+0370-03FF, U+1F00-1FFF",
    "hebrew": "U+0590-05FF, U+FB1D-FB4F",
    "thai": "U+0E00-0E7F, U+25CC",
    "devanagari": "U+0900-097F, U+1CD0-1CFF, U+200C-200D, U+25CC, U+A8E0-A8FF",
}
"""The subsets of web fonts, as CSS ``unicode-range``."""

_HAN = (
    "U+02EA-02EB, U+1100-11FF, U+2E80-312F, U+3130-318F, U+3190-4DBF, U+4E00-9FFF, U+A960-A97F, U+AC00-D7FF,"
    " U+F900-FAFF, U+FE10-FE1F, U+FE30-FE6F, U+FF00-FFEF, U+1B000-1B16F, U+1F200-1F2FF, U+20000-3FFFF"
)
_CJK = ("fonts_noto_cjk", "NotoSerifCJK-{}.ttc", "NotoSansCJK-{}.ttc")


def _cjk(name: str, number: int, *languages: str) -> Script:
    package, serif, sans = _CJK
    title = name.title()
    faces = [
        Face(f"{title} {family}", package, file.format(style), weight, number=number)
        for family, file in (("Serif", serif), ("Sans", sans))
        for style, weight in (("Regular", 400), ("Bold", 700))
    ]
    return Script(name, _HAN, tuple(faces), languages, debian="fonts-noto-cjk")


def _noto(name: str, ranges: str, *languages: str, serif: bool = True, sans: bool = True) -> Script:
    families = [family for family, there in (("Serif", serif), ("Sans", sans)) if there]
    faces = [
        Face(f"{name} {family}", "fonts_noto_core", f"Noto{family}{name}-{style}.ttf", weight)
        for family in families
        for style, weight in (("Regular", 400), ("Bold", 700))
    ]
    return Script(name.lower(), ranges, tuple(faces), languages, debian="fonts-noto-core")


def _literata(weight: int, italic: bool = False) -> Face:
    file = "Literata-Italic[opsz,wght].ttf" if italic else "Literata[opsz,wght].ttf"
    place = (("opsz", 10.5), ("wght", 600.0 if weight > 400 else 400.0))
    return Face("Greek Serif", "fontpkg_literata", file, weight, italic, ("greek",), axes=place)


def _variable(family: str, package: str, file: str, subset: str) -> tuple[Face, ...]:
    return tuple(
        Face(family, package, file, weight, subsets=(subset,), axes=(("wght", place),))
        for weight, place in ((400, 400.0), (700, 600.0))
    )


_LETTERS = (
    "U+0180-036F, U+0370-03FF, U+0400-052F, U+1AB0-1AFF, U+1C80-1C8F, U+1D00-1DFF, U+1E00-1EFF, U+2000-206F,"
    " U+2070-209F, U+20A0-20CF, U+20F0, U+2100-218F, U+25CC, U+2C60-2C7F, U+2DE0-2E7F, U+A640-A69F, U+A700-A7FF,"
    " U+AB30-AB6F, U+FE20-FE2F"
)


def _rare(style: str) -> tuple[Face, ...]:
    package, file = f"fontpkg_noto_{style.lower()}", f"Noto{style}[wdth,wght].ttf"
    return tuple(
        Face(f"Rare {style}", package, file, weight, axes=(("wdth", 100.0), ("wght", place)), kept=_LETTERS)
        for weight, place in ((400, 400.0), (700, 600.0))
    )


def _symbols(name: str, *styles: str) -> Script:
    """Return a row of ``SIGNS`` from Debian."""
    faces = (
        Face(name, "fonts_noto_core", f"Noto{name.replace(' ', '')}-{style}.ttf", 700 if style == "Bold" else 400)
        for style in styles
    )
    return Script(name.lower(), "", tuple(faces), debian="fonts-noto-core")


SIGNS: tuple[Script, ...] = (
    Script("rare letters", _LETTERS, (*_rare("Serif"), *_rare("Sans"))),
    _symbols("Sans Symbols", "Regular", "Bold"),
    _symbols("Sans Symbols2", "Regular"),
    _symbols("Sans Math", "Regular"),
    _symbols("Music", "Regular"),
)
"""Faces for signs that neither ``FACES`` nor a script of the release have: the first row that has a sign sets it."""

_SARABUN, _HIND = "fontpkg_sarabun", "fontpkg_hind"

SCRIPTS: tuple[Script, ...] = (
    Script(
        "greek",
        SUBSETS["greek"],
        (_literata(400), _literata(400, True), _literata(700), _literata(700, True), *_fira("Greek Sans", "greek")),
        ("el",),
        first=True,
    ),
    Script(
        "hebrew",
        SUBSETS["hebrew"],
        (
            *_variable("Hebrew Serif", "fontpkg_frank_ruhl_libre", "FrankRuhlLibre[wght].ttf", "hebrew"),
            *_variable("Hebrew Sans", "fontpkg_heebo", "Heebo[wght].ttf", "hebrew"),
        ),
        ("he", "yi"),
        first=True,
    ),
    Script(
        "thai",
        SUBSETS["thai"],
        (
            Face("Thai Sans", _SARABUN, "Sarabun-Regular.ttf", subsets=("thai",)),
            Face("Thai Sans", _SARABUN, "Sarabun-Italic.ttf", italic=True, subsets=("thai",)),
            Face("Thai Sans", _SARABUN, "Sarabun-SemiBold.ttf", 700, subsets=("thai",)),
        ),
        ("th",),
    ),
    Script(
        "devanagari",
        SUBSETS["devanagari"],
        (
            Face("Devanagari Sans", _HIND, "Hind-Regular.ttf", subsets=("devanagari",)),
            Face("Devanagari Sans", _HIND, "Hind-SemiBold.ttf", 700, subsets=("devanagari",)),
        ),
        ("hi", "mr", "ne"),
    ),
    _noto("Armenian", "U+0530-058F, U+FB13-FB17", "hy"),
    _noto("Georgian", "U+10A0-10FF, U+1C90-1CBF, U+2D00-2D2F", "ka"),
    _noto("Ethiopic", "U+1200-139F, U+2D80-2DDF, U+AB00-AB2F", "am", "ti"),
    _noto("Bengali", "U+0980-09FF", "as", "bn"),
    _noto("Gurmukhi", "U+0A00-0A7F", "pa"),
    _noto("Gujarati", "U+0A80-0AFF", "gu"),
    _noto("Tamil", "U+0B80-0BFF", "ta"),
    _noto("Telugu", "U+0C00-0C7F", "te"),
    _noto("Kannada", "U+0C80-0CFF", "kn"),
    _noto("Malayalam", "U+0D00-0D7F", "ml"),
    _noto("Sinhala", "U+0D80-0DFF", "si"),
    _noto("Lao", "U+0E80-0EFF", "lo"),
    _noto("Tibetan", "U+0F00-0FFF", "bo", "dz", sans=False),
    _noto("Myanmar", "U+1000-109F, U+A9E0-A9FF, U+AA60-AA7F", "my"),
    _noto("Khmer", "U+1780-17FF, U+19E0-19FF", "km"),
    _cjk("korean", 1, "ko"),
    _cjk("japanese", 0, "ja"),
    _cjk("chinese", 2, "zh"),
    _cjk("traditional", 3, "zh-Hant"),
    *SIGNS,
    # What Unicode shows as emoji by itself (Emoji_Presentation). A sign such as a heart is black without U+FE0F.
    Script(
        "emoji",
        "U+20E3, U+231A-231B, U+23E9-23EC, U+23F0, U+23F3, U+25FD-25FE, U+2614-2615, U+2648-2653, U+267F, U+2693,"
        " U+26A1, U+26AA-26AB, U+26BD-26BE, U+26C4-26C5, U+26CE, U+26D4, U+26EA, U+26F2-26F3, U+26F5, U+26FA, U+26FD,"
        " U+2705, U+270A-270B, U+2728, U+274C, U+274E, U+2753-2755, U+2757, U+2795-2797, U+27B0, U+27BF, U+2B1B-2B1C,"
        " U+2B50, U+2B55, U+1F004, U+1F0CF, U+1F18E, U+1F191-1F19A, U+1F1E6-1F1FF, U+1F201, U+1F21A, U+1F22F,"
        " U+1F232-1F236, U+1F238-1F23A, U+1F250-1F251, U+1F300-1F6FF, U+1F7E0-1F7EB, U+1F7F0, U+1F900-1FAFF",
        (Face("Emoji", "fonts_noto_color_emoji", "NotoColorEmoji.ttf"),),
        debian="fonts-noto-color-emoji",
    ),
)
"""The scripts that are installed on demand, in the order of their families in style sheets."""


def code_points(ranges: str) -> Iterator[int]:
    """Yield the code points of a CSS ``unicode-range``."""
    for part in ranges.replace("U+", "").split(",") if ranges else ():
        first, _, last = part.strip().partition("-")
        yield from range(int(first, 16), int(last or first, 16) + 1)


def by_name(name: str) -> Script:
    """Return the script called ``name``. Raises KeyError."""
    for script in SCRIPTS:
        if script.name == name:
            return script
    raise KeyError(name)


def page_faces(languages: Iterable[str]) -> tuple[Face, ...]:
    """Return the faces of the web fonts of a newsroom with ``languages``.

    East Asian scripts and emoji have none: their files are too large for a page, so the reader's own fonts are used.
    """
    primary = {language.split("-")[0] for language in languages}
    more = (script for script in SCRIPTS if primary & set(script.languages))
    return FACES + tuple(face for script in more for face in script.faces if face.subsets)
