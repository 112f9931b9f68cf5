"""What WeasyPrint 70 computes again for every line, box and document, kept: the same PDFs for less work.

WeasyPrint has no setting for any of this, so functions of it are replaced here, each by one that gives the same result:
the bytes of a PDF do not depend on them, but for those of PNG pictures, which are not compressed again (``plain`` takes
them away, and a test compares). Another version of WeasyPrint works without them until they are read again.

Lines are kept across documents, because every release of a newsroom has the same letterhead, boilerplate and contacts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from io import BytesIO
from math import inf
from typing import Any
from xml.etree import ElementTree

import weasyprint
from msgspec import Struct
from PIL import Image
from weasyprint import css
from weasyprint.css import ComputedStyle, InitialStyle, StyleFor
from weasyprint.css.computed_values import PHYSICAL_FUNCTIONS
from weasyprint.css.properties import INHERITED, INITIAL_NOT_COMPUTED, INITIAL_VALUES, Dimension
from weasyprint.css.validation import preprocess_declarations
from weasyprint.formatting_structure.boxes import Box
from weasyprint.images import RasterImage
from weasyprint.layout import block, inline, page, percent, preferred, table
from weasyprint.text import line_break
from weasyprint.text.constants import LST_TO_ISO, PANGO_DIRECTION
from weasyprint.text.ffi import FROM_UNITS, ffi, gobject, pango, unicode_to_char_p
from weasyprint.text.fonts import font_features, get_font_description

_VERSION = "70."
_LINES = 1024
"""Lines that are kept, of some KB each: those of about ten releases, so that the ones which all releases share stay."""
_FONTS = 256
"""Ways to set text that are kept; a document has some dozens."""
_STYLES = 1000
"""Styles of elements that are kept for a look, of some 10 KB each; most of a document's are those of others too."""


# --- Text ------------------------------------------------------------------------------------------------------------

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


# --- Styles ----------------------------------------------------------------------------------------------------------

_ENTANGLED = {"page", "position", "float", "display"}
"""Properties whose values depend on those of other boxes or properties, besides ``text_decoration_…``."""
_PLAIN = {name for name in INITIAL_VALUES if name not in _ENTANGLED and not name.startswith("text_decoration_")}
_INHERITED = frozenset(_PLAIN & INHERITED)
_INITIAL = frozenset(_PLAIN - INHERITED - INITIAL_NOT_COMPUTED)
_LOGICAL = {
    direction: {name: logical(block="ttb", inline=direction) for name, logical in PHYSICAL_FUNCTIONS.items()}
    for direction in ("ltr", "rtl")
}
_missing: Callable[[Any, str], Any] = ComputedStyle.__missing__


def _plain_missing(style: Any, key: str) -> Any:
    """Compute a property; nine in ten are set by no rule, and are the parent's or the initial value."""
    cascaded, parent = style.cascaded, style.parent_style
    if key in cascaded or parent is None:
        return _missing(style, key)
    if key in PHYSICAL_FUNCTIONS and _LOGICAL[style["direction"]][key] in cascaded:
        return _missing(style, key)
    if key in _INHERITED:
        value = style[key] = parent[key]
        return value
    if key in _INITIAL:
        value = style[key] = INITIAL_VALUES[key]
        return value
    return _missing(style, key)


_Family = dict[str | None, ComputedStyle]
"""The styles of an element and of its pseudo-elements by name; the element's own has the name None."""


class _Known(Struct):
    """The styles of a look: those of root elements, which know the ones of their children."""

    roots: dict[Hashable, _Family]
    number: int = 0


class _StyleFor(StyleFor):  # type: ignore[misc]  # WeasyPrint has no types
    """The styles of a document's elements. Those with equal parents and equal rules share one, across documents too.

    WeasyPrint goes through all declarations of each element and of its six pseudo-elements.
    """

    def __init__(self, html: Any, sheets: Any, hints: bool, font_config: Any, _targets: object) -> None:
        sheets = [each for each in sheets if each[2] is None]  # the other is for attributes that Dateline never writes
        self._sheets, self.font_config = sheets, font_config
        self._cascaded_styles: dict[Any, Any] = {}  # of pages, later
        self._computed_styles: dict[Any, ComputedStyle] = {}
        self.initial_page_sizes = {"box": None, "area": None}
        known: _Known = sheets[-1][0].__dict__.setdefault("_known", _Known({}))
        if known.number >= _STYLES:
            known.roots, known.number = {}, 0
        own = _own_rules(html, hints)
        root = None
        for wrapper in html.wrapper_element.iter_subtree():
            element, parent, siblings = wrapper.etree_element, None, known.roots
            if wrapper.parent:
                parent = self._computed_styles[wrapper.parent.etree_element, None]
                siblings = parent.__dict__.setdefault("_children", {})
            rules = own.get(element, ())
            matched = [sheet.matcher.match(wrapper) for sheet, _, _ in sheets]
            key = html.base_url, str(rules), *[tuple([number for _, number, _, _ in found]) for found in matched]
            if key not in siblings:
                further = [
                    (pseudo, origin, inf if layer is None else sheet.layers.index(layer), specificity, declarations)
                    for (sheet, origin, _), found in zip(sheets, matched, strict=True)
                    for specificity, _, pseudo, (declarations, layer) in found
                ]
                siblings[key] = self._family(parent, root, html.base_url, [*rules, *further])
                known.number += 1
            for pseudo, style in siblings[key].items():
                self._computed_styles[element, pseudo] = style
            if root is None:
                root = siblings[key][None]
                self.initial_page_sizes = root.initial_page_sizes

    def _family(self, parent: Any, root: Any, base_url: str, rules: Any) -> _Family:
        cascaded: dict[str | None, dict[str, Any]] = {None: {}}
        for pseudo, origin, layer, specificity, declarations in rules:
            values_of = cascaded.setdefault(pseudo, {})
            for name, values, importance in declarations:
                weight = css.declaration_precedence(origin, importance), layer, specificity
                if name not in values_of or values_of[name][1] <= weight:
                    values_of[name] = values, weight
        shared = base_url, self.font_config, self.initial_page_sizes
        above = InitialStyle(self.font_config) if root is None else root
        style = ComputedStyle(parent, cascaded.pop(None), None, above, *shared)
        above = style if root is None else root
        return {None: style} | {
            pseudo: ComputedStyle(style, values_of, pseudo, above, *shared) for pseudo, values_of in cascaded.items()
        }


def _own_rules(html: Any, hints: bool) -> dict[Any, list[Any]]:
    """Return what the attributes of elements say of their style, as rules."""
    own: dict[Any, list[Any]] = {}
    for specificity, element, found, address in css.find_style_attributes(html.etree_element, hints, html.base_url):
        declarations = tuple(preprocess_declarations(address, found))
        own.setdefault(element, []).append((None, "author", inf, specificity, declarations))
    return own


_resolve_percentages: Callable[[Any, Any], None] = percent.resolve_percentages
_SIDES = ("top", "right", "bottom", "left")
_LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in _SIDES),
    *(f"{limit}{axis}" for limit in ("", "min_", "max_") for axis in ("width", "height")),
)


def _quickly_resolve(box: Any, containing_block: Any) -> None:
    """Set the lengths of ``box``: for most styles they are the same in any containing block."""
    lengths = box.style.__dict__.get("_lengths")
    if lengths is None:
        lengths = box.style._lengths = _fixed_lengths(box.style)
    if lengths:
        box.__dict__.update(lengths)
    else:
        _resolve_percentages(box, containing_block)


def _fixed_lengths(style: Any) -> dict[str, Any]:
    """Return what ``resolve_percentages`` sets, or nothing if that depends on more than the style."""
    if style["border_collapse"] == "collapse" or style["box_sizing"] != "content-box":
        return {}
    lengths = {f"border_{side}_width": style[f"border_{side}_width"] for side in _SIDES}
    for name in _LENGTHS:
        value = style[name]
        if value == "auto":
            lengths[name] = 0 if name.startswith("min_") else value
        elif value.__class__ is Dimension and value.unit == "px":
            lengths[name] = value.value
        else:
            return {}
    return lengths


_resolve_one_percentage: Callable[[Any, str, Any], None] = percent.resolve_one_percentage


def _quickly_resolve_one(box: Any, name: str, refer_to: Any) -> None:
    """Set a length of ``box``: most are given in pixels already."""
    value = box.style[name]
    if value.__class__ is Dimension and value.unit == "px":
        setattr(box, name, value.value)
    else:
        _resolve_one_percentage(box, name, refer_to)


# --- Layout ----------------------------------------------------------------------------------------------------------

_avoid_collisions: Callable[..., tuple[float, float, float]] = block.avoid_collisions


def _quickly_avoid(context: Any, box: Any, container: Any, outer: bool = True) -> tuple[float, float, float]:
    """Return where ``box`` has room beside floats, of which there are hardly any."""
    floating = context.excluded_shapes or box.style["float"] != "none"
    if floating or not outer or container.style["direction"] != "ltr":
        return _avoid_collisions(context, box, container, outer)
    left = container.content_box_x()
    return left, box.position_y, left + container.width - left  # with the same error of rounding


def _is_in_normal_flow(box: Any) -> bool:
    """Whether ``box`` is neither floating, absolute, running, nor a note; those of the last two have a tuple."""
    position = box.style["position"]
    return box.style["float"] == "none" and position.__class__ is str and position not in ("absolute", "fixed")


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


# --- HTML ------------------------------------------------------------------------------------------------------------

_NOT_XML = re.compile(r'<pre[^>]*>\s|="[^"<>]*[\r\n\t]')
"""What XML reads in another way than HTML: line ends at the start of code, and within the values of attributes."""
_parse: Callable[..., Any] = weasyprint.tinyhtml5.parse


def _quickly_parse(file: Any, **options: Any) -> Any:
    """Return the tree of a document. What is well-formed XML too is parsed by a library in C."""
    source = file.read()
    if not _NOT_XML.search(source):
        with suppress(ElementTree.ParseError):
            return ElementTree.fromstring(source)  # noqa: S314  # written by Dateline
    return _parse(source, **options)


# --- In place of WeasyPrint's own ------------------------------------------------------------------------------------

_REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (weasyprint.tinyhtml5, "parse", _quickly_parse),
    (line_break, "Layout", _Layout),
    (line_break, "strut", _known_strut),
    (inline, "strut", _known_strut),
    (inline, "split_first_line", _known_first_line),
    (preferred, "split_first_line", _known_first_line),
    (css, "StyleFor", _StyleFor),
    (ComputedStyle, "__missing__", _plain_missing),
    *((module, "resolve_percentages", _quickly_resolve) for module in (block, inline, page, table)),
    (percent, "resolve_one_percentage", _quickly_resolve_one),
    (block, "avoid_collisions", _quickly_avoid),
    (inline, "avoid_collisions", _quickly_avoid),
    (Box, "is_in_normal_flow", _is_in_normal_flow),
    (RasterImage, "_get_png_data", staticmethod(_known_png_data)),
)
_ORIGINALS = tuple((owner, name, vars(owner)[name]) for owner, name, _ in _REPLACED)


def install() -> None:
    """Put the shortcuts in place of WeasyPrint's functions."""
    if weasyprint.VERSION.startswith(_VERSION):
        _set(_REPLACED)


@contextmanager
def plain() -> Iterator[None]:
    """Work without shortcuts within the block."""
    _set(_ORIGINALS)
    try:
        yield
    finally:
        install()


def _set(values: tuple[tuple[Any, str, Any], ...]) -> None:
    for owner, name, value in values:
        setattr(owner, name, value)
