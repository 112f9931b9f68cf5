"""Small copies of the faces for the page: WOFF2 subsets by script, made once and kept."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from io import BytesIO
from pathlib import Path

from pipeline.typography.fonts.faces import FACES, SCRIPTS, SUBSETS, Face, code_points
from pipeline.typography.fonts.files import path

RECIPE = 1
"""Raised whenever ``_subset`` is changed, so that kept files are made anew."""


def page_faces(languages: Iterable[str]) -> tuple[Face, ...]:
    """Return the faces of a newsroom's pages: those of every set-up, and those of the scripts of its languages.

    East Asian letters and emoji are left to the reader's own machine: their files are too large to be sent.
    """
    primary = {language.split("-")[0] for language in languages}
    more = (script for script in SCRIPTS if primary & set(script.languages))
    return FACES + tuple(face for script in more for face in script.faces if face.subsets)


def web_fonts(folder: Path, faces: Iterable[Face] = FACES) -> Mapping[str, bytes]:
    """Return the page's fonts, ``NAME.woff2`` → bytes; made once (seconds) and kept in ``folder``.

    A kept file is named by all that it is made from: package, fontTools and brotli versions, subset and features.
    """
    return {web_name(face, subset): _kept(face, subset, folder) for face in faces for subset in face.subsets}


def web_name(face: Face, subset: str) -> str:
    """Return the name of the part of ``face`` that holds ``subset``."""
    stem = face.file.partition(".")[0].partition("[")[0].lower()
    return f"{stem}{'-semibold' if face.axes and face.weight > 400 else ''}-{subset}.woff2"


def _kept(face: Face, subset: str, folder: Path) -> bytes:
    tools = [version(name) for name in (face.package.replace("_", "-"), "fonttools", "brotli")]
    recipe = hashlib.sha256(repr((RECIPE, face, SUBSETS[subset], tools)).encode()).hexdigest()[:16]
    file = folder / f"{Path(web_name(face, subset)).stem}.{recipe}.woff2"
    if file.is_file():
        return file.read_bytes()
    data = _subset(face, subset)
    folder.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    aside.write_bytes(data)
    aside.replace(file)
    return data


def _subset(face: Face, name: str) -> bytes:
    """Return the part of ``face`` that the subset ``name`` needs as WOFF2; the same bytes at every call."""
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
    with subset.load_font(str(path(face)), options) as font:  # its time stamp is kept, not set to now
        worker.subset(font)
        subset.save_font(font, buffer, options)
    return buffer.getvalue()
