"""Where the file of a face lies. What stands still in a variable file or a collection is taken out once and kept."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from pipeline.model.errors import SettingError
from pipeline.typography.fonts.faces import FACES, SUBSETS, Face, code_points

SYSTEM = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
"""Where a distribution, the machine's owner and its user put faces."""
KEPT = Path(sys.prefix, "share", "dateline", "faces")
"""Beside the packages that they are made from; what is there is used, whoever made it."""
RECIPE = 1
"""Raised whenever ``_cut`` is changed, so that kept files are made anew."""


def source(face: Face) -> Path | None:
    """Return the file that came with the package of ``face``, None when it is not installed."""
    spec = find_spec(face.package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (file := Path(folder, "files", face.file)).is_file():
            return file
    return _system(face.file) if face.package.startswith("fonts_") else None


@cache
def _places() -> tuple[Path, ...]:
    return tuple(place for root in SYSTEM if root.is_dir() for place in (root, *_folders(root)))


def _folders(root: Path) -> Iterator[Path]:
    return (Path(place, folder) for place, folders, _ in os.walk(root) for folder in sorted(folders))


def _system(name: str) -> Path | None:
    return next((place / name for place in _places() if (place / name).is_file()), None)


def forget() -> None:
    """Look anew for what is installed: packages have come."""
    import importlib

    _places.cache_clear()
    importlib.invalidate_caches()


def path(face: Face) -> Path:
    """Return the static file of ``face``, made now if need be. Raises ``SettingError`` when it is not installed."""
    file = source(face)
    if file is None:
        name = face.package.replace("_", "-")
        raise SettingError(f"the type face {face.file} is missing", f"install the package {name}, e.g. by `make setup`")
    return _kept(face, file) if face.axes or face.number >= 0 else file


def _kept(face: Face, file: Path) -> Path:
    from importlib.metadata import version

    told = (RECIPE, face, [SUBSETS[name] for name in face.subsets], file.stat().st_size, version("fonttools"))
    recipe = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
    stem = face.file.partition(".")[0].partition("[")[0]
    place = KEPT / f"{stem}-{face.weight}.{recipe}.ttf"
    if not place.is_file():
        data = _cut(face, file)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = place.with_name(f".{place.name}.{os.getpid()}")
            aside.write_bytes(data)
            aside.replace(place)
        except OSError as error:
            what = f"{place}: cannot be written: {error.strerror}"
            raise SettingError(what, "make room, or mend its rights") from error
    return place


def _cut(face: Face, file: Path) -> bytes:
    """Return one face as a file of its own: its part of a collection, or an instance with the letters of its script."""
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    options: dict[str, Any] = {"fontNumber": face.number} if face.number >= 0 else {}
    buffer = BytesIO()
    with TTFont(file, recalcTimestamp=False, lazy=True, **options) as font:
        if face.axes:
            _keep_script(font, face)
            instantiateVariableFont(font, dict(face.axes), inplace=True)
        font.save(buffer, reorderTables=bool(face.axes))
    return buffer.getvalue()


def _keep_script(font: Any, face: Face) -> None:
    """Leave the script alone: Latin letters have a face of their own, and less is instanced sooner."""
    from fontTools import subset

    options = subset.Options()
    options.layout_features = ["*"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.glyph_names = False
    worker = subset.Subsetter(options)
    # The shaper takes a blank from the face of the letters beside it.
    letters = [point for name in face.subsets for point in code_points(SUBSETS[name])]
    worker.populate(unicodes=[0x20, 0xA0, *letters])
    worker.subset(font)


@cache
def face_files(faces: tuple[Face, ...] = FACES) -> dict[str, Path]:
    """Return the file behind the address of each face. Raises ``SettingError``."""
    return {face.address: path(face) for face in faces}
