"""What style sheets say of the faces: ``@font-face`` rules, and the lists of families that text is set in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from pipeline.typography.fonts.faces import FACES, SUBSETS, Face, Script
from pipeline.typography.fonts.web import web_name

_SMALL = 115
"""Per cent: Amiri's letters are small for their size."""


def face_rules(faces: Iterable[Face] = FACES) -> str:
    """Return ``@font-face`` rules for a PDF, with addresses in the private scheme."""
    return "\n".join(_rule(face, face.address, "truetype") for face in faces)


def web_rules(addresses: Mapping[str, str], faces: Iterable[Face] = FACES) -> str:
    """Return ``@font-face`` rules for the page; ``addresses`` gives a URL for each name of ``web_fonts``."""
    return "\n".join(
        _rule(
            face,
            addresses[web_name(face, subset)],
            "woff2",
            f" font-display: swap; unicode-range: {SUBSETS[subset]};"
            + (f" size-adjust: {_SMALL}%;" if face.family == "Arabic Serif" else ""),
        )
        for face in faces
        for subset in face.subsets
    )


def _rule(face: Face, address: str, kind: str, more: str = "") -> str:
    style = "italic" if face.italic else "normal"
    return (
        f'@font-face {{ font-family: "{face.family}"; font-style: {style}; font-weight: {face.weight};'
        f' src: url("{address}") format("{kind}");{more} }}'
    )


class Families(Struct, frozen=True):
    """Values of ``font-family``, for text, labels and code."""

    serif: str
    sans: str
    mono: str


def families(scripts: Iterable[Script]) -> Families:
    """Return the families in which a text that needs ``scripts`` is set; each is asked for what those before lack."""
    found = tuple(scripts)
    serif = ["Text Serif", "Arabic Serif"]
    sans = ["Text Sans", "Cyrillic Sans", "Arabic Sans"]

    def listed(own: list[str], other: list[str], serifs: bool) -> str:
        first = [script.serif if serifs else script.sans for script in found if script.first]
        last = [script.serif if serifs else script.sans for script in found if not script.first]
        return ", ".join(f'"{name}"' for name in dict.fromkeys((*first, *own, *last, *other, "Text Mono")))

    mono = listed(["Text Mono"], [*sans, *serif], serifs=False)
    return Families(listed(serif, sans, True), listed(sans, serif, False), mono)
