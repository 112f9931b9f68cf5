"""What style sheets need of the faces: ``@font-face`` rules, lists of families, and web fonts.

Web fonts are small WOFF2 files, each with the letters of one script. They are made once and cached. fontTools is
imported by the function that makes them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path

from msgspec import Struct

from pipeline.typography.fonts.faces import FACES, SUBSETS, Face, Script, code_points
from pipeline.typography.fonts.files import path, version

RECIPE = 1
"""Increase this when ``_subset`` changes, so that cached files are not used any more."""
_SMALL = 115
"""Size of Amiri in per cent: its letters are small."""


def face_rules(faces: Iterable[Face] = FACES) -> str:
    """Return the ``@font-face`` rules for a PDF, with addresses of ``SCHEME``."""
    return "\n".join(_rule(face, face.address, "truetype") for face in faces)


def web_rules(addresses: Mapping[str, str], faces: Iterable[Face] = FACES) -> str:
    """Return the ``@font-face`` rules for pages. ``addresses`` has a URL for each name in ``web_fonts``."""
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
    """Values of ``font-family`` for text, labels and code."""

    serif: str
    sans: str
    mono: str


def families(scripts: Iterable[Script]) -> Families:
    """Return the families of a text that needs ``scripts``. Each family is used for letters that those before lack."""
    needed = tuple(scripts)
    serif = ["Text Serif", "Arabic Serif"]
    sans = ["Text Sans", "Cyrillic Sans", "Arabic Sans"]

    def listed(own: list[str], other: list[str], serifs: bool) -> str:
        first = [script.serif if serifs else script.sans for script in needed if script.first]
        last = [script.serif if serifs else script.sans for script in needed if not script.first]
        return ", ".join(f'"{name}"' for name in dict.fromkeys((*first, *own, *last, *other, "Text Mono")))

    mono = listed(["Text Mono"], [*sans, *serif], serifs=False)
    return Families(listed(serif, sans, True), listed(sans, serif, False), mono)


# --- Web fonts -------------------------------------------------------------------------------------------------------


def web_fonts(folder: Path, faces: Iterable[Face] = FACES) -> Mapping[str, bytes]:
    """Return the web fonts, ``NAME.woff2`` → bytes. They are made once, which takes seconds, and cached in ``folder``.

    The name of a cached file has a digest of everything it depends on: versions of the package, fontTools and brotli,
    subset and features.
    """
    return {web_name(face, subset): _cached(face, subset, folder) for face in faces for subset in face.subsets}


def web_name(face: Face, subset: str) -> str:
    """Return the file name of the web font of ``face`` with the letters of ``subset``."""
    stem = face.file.partition(".")[0].partition("[")[0].lower()
    return f"{stem}{'-semibold' if face.axes and face.weight > 400 else ''}-{subset}.woff2"


def _cached(face: Face, subset: str, folder: Path) -> bytes:
    tools = [version(name) for name in (face.package.replace("_", "-"), "fonttools", "brotli")]
    recipe = hashlib.sha256(repr((RECIPE, face, SUBSETS[subset], tools)).encode()).hexdigest()[:16]
    file = folder / f"{Path(web_name(face, subset)).stem}.{recipe}.woff2"
    if file.is_file():
        return file.read_bytes()
    data = _subset(face, subset)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(file)
    return data


def _subset(face: Face, name: str) -> bytes:
    """Return the letters of the subset ``name`` in ``face`` as WOFF2, the same bytes at every call."""
    from fontTools import subset

    options = subset.Options()
    options.flavor = "woff2"
    options.hinting = False
    options.drop_tables += ["meta"]
    options.name_IDs = [1, 2]
    options.layout_features = [*subset.Options._layout_features_default, *face.extra]
    worker = subset.Subsetter(options)
    worker.populate(unicodes=list(code_points(SUBSETS[name])))
    buffer = BytesIO()
    with subset.load_font(str(path(face)), options) as font:  # keeps the time stamp of the font
        worker.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()
