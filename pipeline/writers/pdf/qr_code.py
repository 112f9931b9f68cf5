"""A QR code (ISO/IEC 18004) as a drawing, from which a telephone reads an address on paper."""

from __future__ import annotations

import io
from functools import lru_cache

import segno
from msgspec import Struct

QUIET = 4
"""Modules of white around the code, as the standard asks for."""
_WIDTH = 56.7
"""Points, 20 mm: the least width of the code, without the white around it."""
_MODULE = 1.35
"""Points, nearly half a millimetre: the least width of a module, so that every telephone reads a long address too."""


class QrCode(Struct, frozen=True):
    """The code of an address."""

    svg: bytes
    width: float
    """Points, with the white around it."""
    quiet: float
    """Points of white on each side."""


@lru_cache(maxsize=1)  # a release is laid out more than once
def draw(address: str) -> QrCode:
    """Return the code, which can still be read when a seventh of it is damaged (level M), or more if there is room."""
    code = segno.make(address, error="m", micro=False)
    modules = code.symbol_size(border=0)[0]
    module = max(_WIDTH / modules, _MODULE)
    drawing = io.BytesIO()
    code.save(drawing, kind="svg", border=QUIET, xmldecl=False, omitsize=True, nl=False, lineclass=None, svgclass=None)
    return QrCode(drawing.getvalue(), round(module * (modules + 2 * QUIET), 2), round(module * QUIET, 2))
