"""The social card: a picture with headline, dateline, organisation and mark, for releases without a picture.

Pango sets its words with the fonts of the PDF, in every script, and draws them in levels of grey, which become steps
from paper to ink. All colours are known before (those of the mark are looked for once), so the file has a palette.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Any

from msgspec import Struct
from PIL import Image, ImageColor, ImageOps

from pipeline.model.formats import CARD_SIZE
from pipeline.typography import fonts, image_sizes
from pipeline.typography.headline import balanced_width, columns, shortened
from pipeline.writers import Output, RenderInput
from pipeline.writers.pdf import engine
from pipeline.writers.pdf.engine import ffi, get_hb_object_data, gobject, harfbuzz, pango, pangoft2

# All lengths are in pixels.
_WIDTH, _HEIGHT = CARD_SIZE
_MARGIN = 72
_BAR = 18
"""Height of the coloured bar at the top."""
_SENDER, _SENDER_SIZE = 116, 34
"""Middle of the line with mark and organisation, and the size of its letters."""
_MARK, _GAP = (528, 60), 28
"""Room for the mark, and the space between it and the organisation."""
_TOP = 174
"""Of the headline."""
_ROOM = _WIDTH - 2 * _MARGIN, 340
"""For the headline."""
_RULE, _RULE_HEIGHT = _TOP + _ROOM[1], 2
"""Top of the rule below the headline, and its height."""
_CLEAR = 6
"""Between the headline and the rule, at least."""
_LAST, _LAST_SIZE = 552, 28
"""Middle of the last line, and the size of its letters."""
_SIZES = (84, 72, 62, 54, 46, 40)
"""Of the headline, the largest first that has room for it."""
_LONGEST = 230
"""Characters of the headline."""
_SHORTER = 0.9
"""A headline without room in the smallest size is cut to so many of its characters."""
_LINE, _TALL_LINE = 1.14, 1.4
"""Distance of lines, for 1 pixel of the headline's size."""
_TALL = ("Arab", "Deva", "Hebr", "Thai")
"""Scripts with marks above and below the letters."""
_LETTER = 0.52
"""Width of a letter, and of what is lost at the end of a line, for 1 pixel of the headline's size."""
_INK, _PALE_INK, _PAPER, _RULE_COLOUR = "#16181b", "#54585e", "#ffffff", "#c9ccd1"
_STEPS = 16
"""From paper to ink; more make the file larger, and nobody sees them."""
_COLOURS = 128
"""Of the mark."""
_LEVEL = 3
"""Of compression."""
_ABOVE = 0.8
"""What of an emoji is above the baseline."""
_UNIT = 1024
"""Of Pango's lengths."""


@engine.isolated()
def write(render_input: RenderInput) -> Output:
    """Return the card as a PNG of ``CARD_SIZE``."""
    article = render_input.article
    title = shortened(article.title, _LONGEST)
    last = f"{article.kind} · {article.dateline or article.date}"
    scripts = fonts.coverage(f"{title} {article.organisation} {last}", article.language).scripts
    text = _text(scripts, article.language, article.direction == "rtl")
    sheet = _sheet(render_input.newsroom.accent, render_input.mark)
    indent = sheet.mark.width + _GAP if sheet.mark else 0

    above, below = _Canvas(_BAR, _RULE), _Canvas(_RULE + _RULE_HEIGHT, _HEIGHT)
    face = text.face(serif=False, weight=700, size=_SENDER_SIZE)
    above.draw(_Words(article.organisation, text, face, _ROOM[0] - indent), indent, _SENDER)
    _draw_headline(above, title, text, tall=render_input.messages.script in _TALL)
    face = text.face(serif=False, weight=400, size=_LAST_SIZE)
    below.draw(_Words(last, text, face, _ROOM[0]), 0, _LAST)
    return Output(sheet.drawn(above, below, text.from_right))


def _sizes(title: str) -> tuple[int, ...]:
    """Return the sizes to try: a guess, by the mean width of letters, and all that are smaller."""
    letters = columns(title)

    def height(size: int) -> float:
        return ceil(letters * size * _LETTER / _ROOM[0]) * size * _LINE

    return tuple(size for size in _SIZES if height(size) <= _ROOM[1] or size == _SIZES[-1])


def _draw_headline(canvas: _Canvas, title: str, text: _Text, *, tall: bool) -> None:
    """Draw the headline in the largest size that has room for it, cut if there is none."""
    sizes = _sizes(title)
    while True:
        for size in sizes:
            step = size * (_TALL_LINE if tall else _LINE)
            words = _Words(title, text, text.face(serif=True, weight=700, size=size), _ROOM[0], one_line=False)
            words.balance(balanced_width(title, size, _ROOM[0]))
            middle = _TOP + step / 2
            if words.bottom(middle, step) <= _RULE - _CLEAR:
                canvas.draw(words, 0, middle, step)
                return
        title = shortened(title, ceil(columns(title) * _SHORTER) - 1)


# --- Words -----------------------------------------------------------------------------------------------------------


class _Face(Struct, frozen=True):
    description: Any
    rise: float
    """From the middle of a line to the baseline."""


class _Text:
    """How a card's words are set: fonts, language and direction."""

    def __init__(self, scripts: tuple[fonts.Script, ...], language: str, from_right: bool) -> None:
        self.from_right = from_right
        self.coloured = any(script.name == "emoji" for script in scripts)
        self._fonts = engine.font_configuration(
            tuple(script.name for script in scripts)
        )  # kept, as its files go with it
        self.context = ffi.gc(pango.pango_font_map_create_context(self._fonts.font_map), gobject.g_object_unref)
        pango.pango_context_set_round_glyph_positions(self.context, False)
        pango.pango_context_set_base_dir(
            self.context, pango.PANGO_DIRECTION_RTL if from_right else pango.PANGO_DIRECTION_LTR
        )
        self._language = pango.pango_language_from_string(language.encode())
        pango.pango_context_set_language(self.context, self._language)
        self._families = fonts.families(scripts)
        self._faces: dict[tuple[bool, int, int], _Face] = {}

    def face(self, *, serif: bool, weight: int, size: int) -> _Face:
        key = serif, weight, size
        if key not in self._faces:
            self._faces[key] = self._new_face(*key)
        return self._faces[key]

    def _new_face(self, serif: bool, weight: int, size: int) -> _Face:
        description = ffi.gc(pango.pango_font_description_new(), pango.pango_font_description_free)
        families = self._families.serif if serif else self._families.sans
        pango.pango_font_description_set_family(description, families.replace('"', "").encode())
        pango.pango_font_description_set_weight(description, weight)
        pango.pango_font_description_set_absolute_size(description, size * _UNIT)
        metrics = ffi.gc(
            pango.pango_context_get_metrics(self.context, description, self._language), pango.pango_font_metrics_unref
        )
        ascent, descent = pango.pango_font_metrics_get_ascent(metrics), pango.pango_font_metrics_get_descent(metrics)
        return _Face(description, (ascent - descent) / 2 / _UNIT)


_text = lru_cache(maxsize=engine.CACHED)(_Text)


class _Words:
    """Words laid out in lines, or in ``one_line``, which is cut where its room ends."""

    def __init__(self, words: str, text: _Text, face: _Face, width: float, *, one_line: bool = True) -> None:
        self.text, self.face, self._width = text, face, width
        self._layout = ffi.gc(pango.pango_layout_new(text.context), gobject.g_object_unref)
        pango.pango_layout_set_auto_dir(self._layout, False)
        pango.pango_layout_set_single_paragraph_mode(self._layout, True)
        pango.pango_layout_set_font_description(self._layout, face.description)
        pango.pango_layout_set_wrap(self._layout, pango.PANGO_WRAP_WORD_CHAR)
        attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
        pango.pango_attr_list_insert(attributes, pango.pango_attr_insert_hyphens_new(False))
        pango.pango_layout_set_attributes(self._layout, attributes)
        if one_line:
            pango.pango_layout_set_ellipsize(self._layout, pango.PANGO_ELLIPSIZE_END)
        pango.pango_layout_set_width(self._layout, int(width * _UNIT))
        encoded = words.encode()
        pango.pango_layout_set_text(self._layout, encoded, len(encoded))

    @property
    def _number(self) -> int:
        return int(pango.pango_layout_get_line_count(self._layout))

    def balance(self, width: float) -> None:
        """Break the lines at ``width`` if that makes no more of them."""
        number = self._number
        if width and number > 1:
            pango.pango_layout_set_width(self._layout, int(width * _UNIT))
            if self._number > number:
                pango.pango_layout_set_width(self._layout, int(self._width * _UNIT))

    def lines(self) -> Iterator[tuple[Any, float]]:
        """Yield the lines, and where each begins."""
        logical = ffi.new("PangoRectangle *")
        for number in range(self._number):
            line = pango.pango_layout_get_line_readonly(self._layout, number)
            pango.pango_layout_line_get_extents(line, ffi.NULL, logical)
            yield line, self._width - logical.width / _UNIT if self.text.from_right else 0

    def bottom(self, middle: float, step: float) -> float:
        """Return where the ink of the last line ends, if the first line's middle is at ``middle``."""
        ink = ffi.new("PangoRectangle *")
        last = self._number - 1
        line = pango.pango_layout_get_line_readonly(self._layout, last)
        pango.pango_layout_line_get_extents(line, ink, ffi.NULL)
        return float(middle + self.face.rise + last * step + (ink.y + ink.height) / _UNIT)


# --- Pixels ----------------------------------------------------------------------------------------------------------


class _Picture(Struct, frozen=True):
    """An emoji: a glyph with colours of its own."""

    png: bytes
    left: float
    baseline: float
    width: float

    def paste_on(self, image: Image.Image) -> None:
        """Paste it where its glyph has room."""
        with image_sizes.opened(self.png) as opened:
            size = round(self.width), round(opened.height * self.width / opened.width)
            emoji = opened.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
        image.paste(emoji, (round(self.left), round(self.baseline - emoji.height * _ABOVE)), emoji)


class _Canvas:
    """Rows of the card from ``top`` to ``bottom``, in levels of grey, 255 for ink; and the pictures on them."""

    def __init__(self, top: int, bottom: int) -> None:
        self.levels = bytearray(_WIDTH * (bottom - top))
        self.pictures: list[_Picture] = []
        self._top = top
        self._bitmap = ffi.new("FT_Bitmap *")
        self._bitmap.rows, self._bitmap.width, self._bitmap.pitch = bottom - top, _WIDTH, _WIDTH
        self._bitmap.buffer = ffi.from_buffer("unsigned char[]", self.levels)
        self._bitmap.num_grays, self._bitmap.pixel_mode = 256, 2  # FT_PIXEL_MODE_GRAY

    def draw(self, words: _Words, indent: float, middle: float, step: float = 0) -> None:
        """Draw ``words``, ``indent`` from where lines begin, with the first line's middle at ``middle``."""
        baseline = middle + words.face.rise
        for line, start in words.lines():
            x = round((_MARGIN + start + (0 if words.text.from_right else indent)) * _UNIT)
            y = round(baseline) * _UNIT
            run = line.runs
            while run != ffi.NULL:
                font, glyphs = run.data.item.analysis.font, run.data.glyphs
                if not (words.text.coloured and self._keep_pictures(font, glyphs, x, y)):
                    place = x, y - self._top * _UNIT
                    pangoft2.pango_ft2_render_transformed(self._bitmap, ffi.NULL, font, glyphs, *place)
                x += pango.pango_glyph_string_get_width(glyphs)
                run = run.next
            baseline += step

    def _keep_pictures(self, font: Any, glyphs: Any, x: int, y: int) -> bool:
        """Keep the glyphs for later if they are pictures."""
        hb_font = pango.pango_font_get_hb_font(font)
        if not harfbuzz.hb_ot_color_has_png(harfbuzz.hb_font_get_face(hb_font)):
            return False
        for glyph in glyphs.glyphs[0 : glyphs.num_glyphs]:
            if data := get_hb_object_data(hb_font, "png", glyph.glyph):
                self.pictures.append(_Picture(data, x / _UNIT, y / _UNIT, glyph.geometry.width / _UNIT))
            x += glyph.geometry.width
        return True


class _Sheet(Struct, frozen=True):
    """What all cards of a newsroom share."""

    palette: bytes
    mark: Image.Image | None
    """With numbers of colours of ``palette``."""

    def drawn(self, above: _Canvas, below: _Canvas, from_right: bool) -> bytes:
        """Return the file: what is above the rule in ink, what is below in pale ink."""
        edge = bytes([_PAPER_NUMBER]) * _MARGIN
        rule = edge + bytes([_RULE_NUMBER]) * _ROOM[0] + edge
        levels = (
            bytes([_ACCENT_NUMBER]) * (_WIDTH * _BAR)
            + above.levels.translate(_DARK)
            + rule * _RULE_HEIGHT
            + below.levels.translate(_PALE)
        )
        image = Image.frombytes("P", CARD_SIZE, levels)
        image.putpalette(self.palette)
        if self.mark:
            left = _WIDTH - _MARGIN - self.mark.width if from_right else _MARGIN
            image.paste(self.mark, (left, _SENDER - self.mark.height // 2))
        if above.pictures or below.pictures:
            image = image.convert("RGB")
            for picture in (*above.pictures, *below.pictures):
                picture.paste_on(image)
        buffer = io.BytesIO()
        image.save(buffer, "PNG", compress_level=_LEVEL)
        return buffer.getvalue()


_PAPER_NUMBER, _RULE_NUMBER, _ACCENT_NUMBER = 0, 2 * _STEPS, 2 * _STEPS + 1
"""Place in the palette, which begins with the steps from paper to ink and from paper to pale ink."""
_STEP = [round(level * (_STEPS - 1) / 255) for level in range(256)]
_DARK, _PALE = bytes(_STEP), bytes(step + _STEPS if step else _PAPER_NUMBER for step in _STEP)
"""Level of grey → colour."""


@lru_cache(maxsize=engine.CACHED)
def _sheet(accent: str, mark: bytes) -> _Sheet:
    paper, ink, pale, rule, colour = map(ImageColor.getrgb, (_PAPER, _INK, _PALE_INK, _RULE_COLOUR, accent))
    steps = [
        round(white + (black - white) * step / (_STEPS - 1))
        for darkest in (ink, pale)
        for step in range(_STEPS)
        for white, black in zip(paper, darkest, strict=True)
    ]
    palette = bytes([*steps, *rule, *colour])
    if not mark:
        return _Sheet(palette, None)
    with image_sizes.opened(image_sizes.for_paper(mark)[0]) as opened:
        picture = Image.new("RGBA", opened.size, _PAPER)
        picture.alpha_composite(opened.convert("RGBA"))
    fitting = ImageOps.contain(picture.convert("RGB"), _MARK, Image.Resampling.LANCZOS)
    reduced = fitting.quantize(_COLOURS)
    first = len(palette) // 3
    numbers = Image.frombytes("P", reduced.size, bytes(first + number for number in reduced.tobytes()))
    return _Sheet(palette + bytes(reduced.getpalette() or ())[: 3 * _COLOURS], numbers)
