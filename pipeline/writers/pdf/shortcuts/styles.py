"""Styles of elements and of pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from math import inf
from typing import Any

from msgspec import Struct
from weasyprint import css
from weasyprint.css import ComputedStyle, InitialStyle, StyleFor
from weasyprint.css.computed_values import PHYSICAL_FUNCTIONS
from weasyprint.css.properties import INHERITED, INITIAL_NOT_COMPUTED, INITIAL_VALUES
from weasyprint.css.validation import preprocess_declarations

_STYLES = 1000
"""Styles of elements that are kept for a look, of some 10 KB each; most of a document's are those of others too."""
_PLACES = 10_000
"""Places of elements that are kept for a look, of some 500 bytes each."""

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
_Sight = tuple[object, ...]
"""What selectors see of an element apart from the others: its name and its attributes."""


class _Place(Struct):
    """An element as selectors see it: the same parents, and the same element before it."""

    family: _Family
    inner: dict[Hashable, _Place] = {}
    """The places of its children."""


class _Known(Struct):
    """The styles of a look, and its places: those of root elements, which know the ones of their children."""

    near: bool
    """No selector sees more of an element than its place says."""
    families: dict[Hashable, _Family] = {}
    places: dict[Hashable, _Place] = {}
    number: int = 0
    """Of families."""
    seen: int = 0
    """Number of places."""


_UNSEEN = ("alt", "content", "href", "id", "src", "title")
"""Attributes that differ from one element to the next; selectors see only that they are there."""
_FAR = re.compile(
    r"~|:has\(|:nth-|-of-type|:empty|:only-|\+\s*[^\s{},>]+\s*\+"
    rf"|\[\s*(?:{'|'.join(_UNSEEN)})\s*[~|^$*]?=|#[\w-]+(?=[^;{{}}]*\{{)"
)
"""In a style sheet: a selector that sees more of an element than its place says."""
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def know_places(sheet: Any, source: str) -> None:
    """Keep the styles of elements by their places in a document, if the selectors of ``sheet`` see no more."""
    sheet.__dict__["_known"] = _Known(near=not _FAR.search(_COMMENT.sub("", source)))


def _sight(element: Any) -> _Sight:
    return element.tag, *[(name, name in _UNSEEN or value) for name, value in element.attrib.items()]


class _StyleFor(StyleFor):  # type: ignore[misc]  # WeasyPrint has no types
    """The styles of a document's elements. Those with equal parents and equal rules share one, across documents too.

    WeasyPrint goes through all selectors, and through all declarations of each element and of its six pseudo-elements.
    """

    def __init__(self, html: Any, sheets: Any, hints: bool, font_config: Any, _targets: object) -> None:
        sheets = [each for each in sheets if each[2] is None]  # the other is for attributes that Dateline never writes
        self._sheets, self.font_config = sheets, font_config
        self._cascaded_styles: dict[Any, Any] = {}  # of pages, later
        self._computed_styles: dict[Any, ComputedStyle] = {}
        self._pages: dict[Any, _Family] = {}
        self._own: dict[Any, list[Any]] | None = None
        known: _Known = sheets[-1][0].__dict__.setdefault("_known", _Known(near=False))
        if known.number >= _STYLES or known.seen >= _PLACES:
            known.families, known.places, known.number, known.seen = {}, {}, 0, 0
        sights: dict[Any, _Sight] = {}
        places: dict[Any, _Place] = {}
        for wrapper in html.wrapper_element.iter_subtree():
            element, above = wrapper.etree_element, wrapper.parent and places[wrapper.parent.etree_element]
            sights[element] = sight = _sight(element) if known.near else (element,)
            before = wrapper.previous and sights[wrapper.previous.etree_element]
            siblings = above.inner if above else known.places
            last = wrapper.index + 1 == len(wrapper.etree_siblings)
            key = before, sight, element.get("id"), last, above is None and html.base_url  # an anchor is a style
            place = siblings.get(key)
            if place is None:
                place = _Place(self._matching(wrapper, above, html, hints, known))
                if known.near:
                    siblings[key], known.seen = place, known.seen + 1
            places[element] = place
            for pseudo, style in place.family.items():
                self._computed_styles[element, pseudo] = style
        self._root = self._computed_styles[html.etree_element, None]
        self.initial_page_sizes = self._root.initial_page_sizes

    def _matching(self, wrapper: Any, above: _Place | None, html: Any, hints: bool, known: _Known) -> _Family:
        """Return the styles of an element by the rules that select it."""
        if self._own is None:
            self._own = _own_rules(html, hints)
        parent = above and above.family[None]
        root = above and self._computed_styles[html.etree_element, None]
        rules = self._own.get(wrapper.etree_element, ())
        matched = [sheet.matcher.match(wrapper) for sheet, _, _ in self._sheets]
        siblings = known.families if parent is None else parent.__dict__.setdefault("_children", {})
        key = html.base_url, str(rules), *[tuple([number for _, number, _, _ in found]) for found in matched]
        if key not in siblings:
            further = [
                (pseudo, origin, inf if layer is None else sheet.layers.index(layer), specificity, declarations)
                for (sheet, origin, _), found in zip(self._sheets, matched, strict=True)
                for specificity, _, pseudo, (declarations, layer) in found
            ]
            siblings[key] = self._family(parent, root, html.base_url, [*rules, *further])
            known.number += 1
        return siblings[key]

    def _family(self, parent: Any, root: Any, base_url: str, rules: Any) -> _Family:
        cascaded: dict[str | None, dict[str, Any]] = {None: {}}
        for pseudo, origin, layer, specificity, declarations in rules:
            values_of = cascaded.setdefault(pseudo, {})
            for name, values, importance in declarations:
                weight = css.declaration_precedence(origin, importance), layer, specificity
                if name not in values_of or values_of[name][1] <= weight:
                    values_of[name] = values, weight
        sizes = {"box": None, "area": None} if root is None else root.initial_page_sizes
        shared = base_url, self.font_config, sizes
        above = InitialStyle(self.font_config) if root is None else root
        style = ComputedStyle(parent, cascaded.pop(None), None, above, *shared)
        above = style if root is None else root
        return {None: style} | {
            pseudo: ComputedStyle(style, values_of, pseudo, above, *shared) for pseudo, values_of in cascaded.items()
        }

    def add_page_declarations(self, page_type: Any) -> None:
        """Find the styles of pages such as ``page_type``, or what is declared for them."""
        rules = (
            selector for sheet, _, _ in self._sheets for _, selectors, _ in sheet.page_rules for selector in selectors
        )
        matched = tuple([self._page_type_match(of_type, page_type) for _, _, of_type in rules])
        self._pages[page_type] = family = self._root.__dict__.setdefault("_pages", {}).setdefault(matched, {})
        if family:  # what is named here is asked for
            self._cascaded_styles.update({(page_type, pseudo): {} for pseudo in family if pseudo})
        else:
            super().add_page_declarations(page_type)

    def set_computed_styles(self, element: Any, *_: object, pseudo_type: str | None = None, **options: Any) -> None:
        """Set a style of a type of page, or of one of its margins."""
        family = self._pages[element]
        if pseudo_type not in family:
            super().set_computed_styles(element, pseudo_type=pseudo_type, **options)
            family[pseudo_type] = self._computed_styles[element, pseudo_type]
        self._computed_styles[element, pseudo_type] = family[pseudo_type]


def _own_rules(html: Any, hints: bool) -> dict[Any, list[Any]]:
    """Return what the attributes of elements say of their style, as rules."""
    own: dict[Any, list[Any]] = {}
    for specificity, element, found, address in css.find_style_attributes(html.etree_element, hints, html.base_url):
        declarations = tuple(preprocess_declarations(address, found))
        own.setdefault(element, []).append((None, "author", inf, specificity, declarations))
    return own


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    (css, "StyleFor", _StyleFor),
    (ComputedStyle, "__missing__", _plain_missing),
)
