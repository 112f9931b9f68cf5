"""Lines of text.

They are kept across documents, because every release of a newsroom has the same letterhead, boilerplate and contacts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

from msgspec import Struct
from weasyprint.layout import inline, preferred
from weasyprint.text import line_break
from weasyprint.text.constants import LST_TO_ISO, PANGO_DIRECTION
from weasyprint.text.ffi import FROM_UNITS, ffi, gobject, pango, unicode_to_char_p
from weasyprint.text.fonts import font_features, get_font_description

_LINES = 1024
"""Lines that are kept, of some KB each: those of about ten releases, so that the ones which all releases share stay."""
_FONTS = 256
"""Ways to set text that are kept; a document has some dozens."""

_TEXT_PROPERTIES = (
    *("direction", "lang", "font_language_override", "font_family", "font_style", "font_stretch", "font_weight"),
    *("font_size", "font_kerning", "font_variant_ligatures", "font_variant_position", "font_variant_caps"),
    *("font_variant_numeric", "font_variant_alternates", "font_variant_east_asian", "font_feature_settings"),
    *("font_variation_settings", "text_decoration_line", "letter_spacing", "word_spacing", "white_space", "tab_size"),
    *("overflow_wrap", "word_break", "hyphens", "hyphenate_character", "hyphenate_limit_chars"),
    "hyphenate_limit_zone",
)
"""What breaking a text into lines depends on, besides the text and the width."""
_PARAGRAPHS = re.compile("[\n\r\u2028\u2029]")


def _text_style(style: Any) -> Hashable:
    """Return what ``style`` says about text."""
    known = style.__dict__.get("_text_style")
    if known is None:
        known = style._text_style = tuple(_hashable(style[name]) for name in _TEXT_PROPERTIES)
    return known  # type: ignore[no-any-return]


def _hashable(value: Any) -> Hashable:
    return str(value) if isinstance(value, (list, set, dict)) else value


class _TextSetting(Struct, frozen=True):
    """A way to set text, ready for Pango."""

    context: Any
    language: Any
    description: Any
    features: bytes
    decoration: tuple[float, float, float, float, float] | None
    """Ascent, position of an underline and of a line through, thickness of both."""


def _text_setting(style: Any) -> _TextSetting:
    known = style.font_config.__dict__.setdefault("_text_settings", {})
    key = _text_style(style)
    if key not in known:
        if len(known) >= _FONTS:
            known.clear()
        known[key] = _new_text_setting(style)
    return known[key]  # type: ignore[no-any-return]


def _new_text_setting(style: Any) -> _TextSetting:
    """Do what ``Layout.setup`` does for each line, once."""
    context = ffi.gc(pango.pango_font_map_create_context(style.font_config.font_map), gobject.g_object_unref)
    pango.pango_context_set_round_glyph_positions(context, False)
    pango.pango_context_set_base_dir(context, PANGO_DIRECTION[style["direction"]])
    override = style["font_language_override"]
    name = LST_TO_ISO.get(override.lower(), override) if override != "normal" else style["lang"]
    if name:
        pointer, _ = unicode_to_char_p(name)
        language = pango.pango_language_from_string(pointer)
        pango.pango_context_set_language(context, language)
    else:
        language = pango.pango_language_get_default()
    description = get_font_description(style)
    features = font_features(
        style["font_kerning"], style["font_variant_ligatures"], style["font_variant_position"],
        style["font_variant_caps"], style["font_variant_numeric"], style["font_variant_alternates"],
        style["font_variant_east_asian"], style["font_feature_settings"],
    )  # fmt: skip
    decoration = None
    if style["text_decoration_line"] != "none":
        metrics = ffi.gc(
            pango.pango_context_get_metrics(context, description, language), pango.pango_font_metrics_unref
        )
        decoration = tuple(
            FROM_UNITS * getattr(pango, f"pango_font_metrics_get_{name}")(metrics)
            for name in (
                *("ascent", "underline_position", "strikethrough_position"),
                *("underline_thickness", "strikethrough_thickness"),
            )
        )
    joined = ",".join(f"{key} {value}" for key, value in features.items()).encode()
    return _TextSetting(context, language, description, joined, decoration)


class _Layout(line_break.Layout):  # type: ignore[misc]  # WeasyPrint has no types
    """A line that is shaped once: what it was measured with is what is drawn.

    WeasyPrint's own is thrown away when it is measured, and made again to be drawn.
    """

    def setup(self, style: Any) -> None:
        """Prepare Pango for text in ``style``."""
        self.style = style
        self.first_line_direction = 0
        setting = _text_setting(style)
        self.language = setting.language
        self.layout = ffi.gc(pango.pango_layout_new(setting.context), gobject.g_object_unref)
        pango.pango_layout_set_auto_dir(self.layout, False)
        pango.pango_layout_set_font_description(self.layout, setting.description)
        ascent, underline, through, underline_thickness, through_thickness = setting.decoration or (None,) * 5
        self.ascent, self.underline_position, self.strikethrough_position = ascent, underline, through
        self.underline_thickness, self.strikethrough_thickness = underline_thickness, through_thickness
        if setting.features:
            attributes = ffi.gc(pango.pango_attr_list_new(), pango.pango_attr_list_unref)
            pango.pango_attr_list_insert(attributes, pango.pango_attr_font_features_new(setting.features))
            pango.pango_layout_set_attributes(self.layout, attributes)

    def set_text(self, text: str, justify: bool = False) -> None:
        """Set the text. WeasyPrint draws lines as single paragraphs, and Pango shapes again when that changes."""
        pango.pango_layout_set_single_paragraph_mode(self.layout, not _PARAGRAPHS.search(text))
        super().set_text(text, justify)

    def deactivate(self) -> None:
        """Let the style go, which belongs to one document."""
        del self.style

    def reactivate(self, style: Any) -> None:
        """Prepare for drawing."""
        if self.justification_spacing:
            super().reactivate(style)
        self.style = style


_split_first_line: Callable[..., tuple[Any, ...]] = line_break.split_first_line


def _known_first_line(
    text: str, style: Any, context: Any, max_width: Any, justification_spacing: float,
    is_line_start: bool = True, minimum: bool = False,
) -> tuple[Any, ...]:  # fmt: skip
    lines = style.font_config.__dict__.setdefault("_lines", {})
    key = text, _text_style(style), max_width, justification_spacing, is_line_start, minimum
    line = lines.pop(key, None)
    if line is None:
        line = _split_first_line(text, style, context, max_width, justification_spacing, is_line_start, minimum)
        if len(lines) >= _LINES:
            del lines[next(iter(lines))]  # the one that was not asked for the longest
    lines[key] = line
    return line  # type: ignore[no-any-return]


_strut: Callable[[Any], tuple[float, float]] = line_break.strut


def _known_strut(style: Any) -> tuple[float, float]:
    known = style.__dict__.get("_strut")
    if known is None:
        known = style._strut = _strut(style)
    return known  # type: ignore[no-any-return]


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (line_break, "Layout", _Layout),
    (line_break, "strut", _known_strut),
    (inline, "strut", _known_strut),
    (inline, "split_first_line", _known_first_line),
    (preferred, "split_first_line", _known_first_line),
)
