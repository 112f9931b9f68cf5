"""What is drawn, and how it stands in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

import pydyf
from PIL import Image
from weasyprint.draw import text
from weasyprint.images import RasterImage
from weasyprint.text.ffi import FROM_UNITS, ffi, pango

_draw_first_line: Callable[..., list[Any]] = text.draw_first_line
_GLYPH = ffi.sizeof("PangoGlyphInfo") // ffi.sizeof("int")
"""Numbers that Pango says of a glyph, first: its own, its width, and how far it stands to the right and above."""
_SMALLEST = 1e-6
"""Text of a smaller size is not drawn."""
_TELLS_SIZES = pango.pango_version() >= 14802
"""An older Pango is not sure of the size of a font."""


def _quickly_draw_line(stream: Any, box: Any, text_overflow: str, block_ellipsis: str, matrix: Any) -> list[Any]:
    """Draw a line of letters; other glyphs, such as pictures and those above or below the line, take longer."""
    cut = text_overflow == "ellipsis" or block_ellipsis != "none"
    plain = not cut and box.text.strip() and box.style["font_size"] >= _SMALLEST and _TELLS_SIZES
    runs = _letters(stream, box) if plain else None
    if not runs:
        return _draw_first_line(stream, box, text_overflow, block_ellipsis, matrix)
    stream.set_text_matrix(*matrix.values)
    line, last = "", None
    for item, font, size, glyphs in runs:
        if item.item.analysis.font != last:
            last = item.item.analysis.font
            if line:
                stream.show_text(line)
            line = ""
            stream.set_font_size(font.hash, size)
        known = font.__dict__.setdefault("_drawn", {}).setdefault(size, {})
        line += "<"
        for at, glyph in enumerate(glyphs):
            drawn = known.get(glyph)
            if drawn is None:
                drawn = known[glyph] = _drawn(stream, box, item, font, size, at, glyph)
            line += drawn
        line = line[:-1] if line[-1] == "<" else f"{line}>"
    stream.show_text(line)
    return []


def _letters(stream: Any, box: Any) -> list[tuple[Any, Any, float, list[tuple[int, int, int]]]] | None:
    """Return the glyphs of a line by runs: their fonts and sizes, and of each glyph its number, width and offset.

    Return None if there are others than letters on a line.
    """
    runs = []
    run = box.pango_layout.get_first_line()[0].runs[0]
    while run != ffi.NULL:
        item, run = run.data, run.next
        font, size = stream.add_font(item.item.analysis.font)
        numbers = memoryview(ffi.buffer(item.glyphs.glyphs, item.glyphs.num_glyphs * 4 * _GLYPH)).cast("i").tolist()
        if font.bitmap or font.png or font.svg or font.colr or any(numbers[3::_GLYPH]):
            return None
        if max(numbers[::_GLYPH], default=0) >= pango.PANGO_GLYPH_EMPTY:
            return None
        runs.append(
            (item, font, size, list(zip(numbers[::_GLYPH], numbers[1::_GLYPH], numbers[2::_GLYPH], strict=True)))
        )
    return runs


def _drawn(stream: Any, box: Any, item: Any, font: Any, size: float, at: int, glyph: tuple[int, int, int]) -> str:
    """Return how the glyph ``at`` a place of ``item`` is written; let ``font`` know its width and its letters."""
    number, width, right = glyph
    if number not in font.to_unicode:
        ends = [*item.glyphs.log_clusters[0 : item.glyphs.num_glyphs]]
        ends = [item.item.length, *ends] if item.item.analysis.level % 2 else [*ends[1:], item.item.length]
        begin, end = item.item.offset + item.glyphs.log_clusters[at], item.item.offset + ends[at]
        font.to_unicode[number] = box.pango_layout.text.encode()[begin:end].decode()
    if number not in font.widths:
        pango.pango_font_get_glyph_extents(item.item.analysis.font, number, stream.ink_rect, stream.logical_rect)
        font.widths[number] = round(stream.logical_rect.width * 1000 * FROM_UNITS / size)
    offset = right / size
    kerning = font.widths[number] + offset - width * 1000 * FROM_UNITS / size
    return (f">{-offset}<" if offset else "") + f"{number:04x}" + (f">{int(kerning)}<" if kerning else "")


# --- Files -----------------------------------------------------------------------------------------------------------

_to_bytes: Callable[[Any], bytes] = pydyf._to_bytes


def _quickly_to_bytes(item: Any) -> bytes:
    """Return ``item`` as it stands in a file; the most frequent kinds first."""
    kind = item.__class__
    if kind is str:
        return item.encode("ascii")  # type: ignore[no-any-return]
    if kind is int:
        return b"%d" % item
    return item if kind is bytes else _to_bytes(item)


# --- Pictures --------------------------------------------------------------------------------------------------------

_SMALL = 500_000
"""Bytes of pixels. A smaller picture is kept as it is written into files: most likely it is the newsroom's mark."""
_SHOWN = {"L": b"\x08\x00\x00\x00\x00", "RGB": b"\x08\x02\x00\x00\x00"}
"""Mode → bytes 24 to 28 of a PNG: 8 bits, levels of grey or of three colours, whole rows from top to bottom."""
_COMPRESSED = 0.8
"""A file that is larger in relation to its pixels is compressed again."""
_png_data: Callable[[Image.Image], bytes] = RasterImage._get_png_data


def _known_png_data(image: Image.Image) -> bytes:
    """Return the pixels of ``image`` as PNG compresses them; a PNG file that a PDF can show has them already."""
    size = image.width * image.height * len(image.getbands())
    file = getattr(image, "fp", None)
    if image.format == "PNG" and isinstance(file, BytesIO):
        data = file.getvalue()
        if data[24:29] == _SHOWN.get(image.mode) and len(data) < _COMPRESSED * size:
            return b"".join(content for kind, content in _chunks(data) if kind == b"IDAT")
    return _png_data(image) if size > _SMALL else _small_png_data(image.mode, image.size, image.tobytes())


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the content of each part of a PNG file."""
    at = 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += length + 12


@lru_cache(maxsize=16)
def _small_png_data(mode: str, size: tuple[int, int], pixels: bytes) -> bytes:
    return _png_data(Image.frombytes(mode, size, pixels))


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (text, "draw_first_line", _quickly_draw_line),
    (pydyf, "_to_bytes", _quickly_to_bytes),
    (RasterImage, "_get_png_data", staticmethod(_known_png_data)),
)
