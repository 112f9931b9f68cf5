"""The font files: where the file of a face is.

A face in a variable font or in a collection is extracted once and cached. fontTools is imported
by the functions that need it.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from pipeline.model.errors import SettingError
from pipeline.typography.fonts.faces import FACES, SUBSETS, Face, Script, code_points

SYSTEM = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
"""Font folders of the distribution, the machine and the user."""
CACHE = Path(sys.prefix, "share", "dateline", "faces")
"""Cache of extracted faces, next to the packages that they come from."""
RECIPE = 1
"""Increase this when ``_extract`` changes, so that cached files are not used any more."""


def source(face: Face) -> Path | None:
    """Return the file in the package of ``face``, or None if the package is not installed."""
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


@cache
def installed(script: Script) -> bool:
    """Whether every face of a script is installed."""
    return all(source(face) for face in script.faces)


def forget() -> None:
    """Forget which faces are installed, after packages were installed."""
    import importlib

    _places.cache_clear()
    _versions.cache_clear()
    version.cache_clear()
    installed.cache_clear()
    importlib.invalidate_caches()


def path(face: Face) -> Path:
    """Return the static file of ``face``. Raises ``SettingError`` if its package is not installed."""
    file = source(face)
    if file is None:
        name = face.package.replace("_", "-")
        raise SettingError(f"the font {face.file} is missing", f"install the package {name}, e.g. by `make setup`")
    return _cached(face, file) if face.axes or face.number >= 0 else file


@cache
def version(package: str) -> str:
    """Return the version of an installed package, as the name of its folder writes it: 1.2 for 1.002."""
    if package.replace("-", "_") in _versions():
        return _versions()[package.replace("-", "_")]
    from importlib import metadata  # reads long texts and costs more than all else that a stage with nothing to do does

    return metadata.version(package)


@cache
def _versions() -> Mapping[str, str]:
    """Return name → version by the names of their ``.dist-info`` folders, as the format of wheels has them."""
    folders = [folder.stem for place in sys.path for folder in Path(place).glob("*.dist-info")]
    return {name.lower(): version for name, _, version in (folder.partition("-") for folder in reversed(folders))}


def _cached(face: Face, file: Path) -> Path:
    parts = (RECIPE, face, _kept(face), file.stat().st_size, version("fonttools"))
    recipe = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    stem = face.file.partition(".")[0].partition("[")[0]
    place = CACHE / f"{stem}-{face.weight}.{recipe}.ttf"
    if not place.is_file():
        data = _extract(face, file)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.with_name(f".{place.name}.{os.getpid()}")
            temporary.write_bytes(data)
            temporary.replace(place)
        except OSError as error:
            what = f"cannot write {place}: {error.strerror}"
            raise SettingError(what, "free some disk space, or correct the permissions") from error
    return place


def _extract(face: Face, file: Path) -> bytes:
    """Return a face as a file of its own, from a collection, or as an instance with the letters of its script."""
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
    """Remove all letters but those of the script: Latin letters have their own face, and it is faster."""
    from fontTools import subset

    options = subset.Options()
    options.layout_features = ["*"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    options.glyph_names = False
    worker = subset.Subsetter(options)
    # The shaper takes a space from the face of the letters next to it.
    letters = [point for ranges in _kept(face) for point in code_points(ranges)]
    worker.populate(unicodes=[0x20, 0xA0, *letters])
    worker.subset(font)


def _kept(face: Face) -> list[str]:
    return [face.kept] if face.kept else [SUBSETS[name] for name in face.subsets]


@cache
def face_files(faces: tuple[Face, ...] = FACES) -> dict[str, Path]:
    """Return the file of each face by its address. Raises ``SettingError``."""
    return {face.address: path(face) for face in faces}
