"""Boxes on pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from weasyprint.css.properties import Dimension
from weasyprint.draw.color import get_color
from weasyprint.formatting_structure.boxes import Box
from weasyprint.layout import background, block, inline, page, percent, table

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


_avoid_collisions: Callable[..., tuple[float, float, float]] = block.avoid_collisions


def _quickly_avoid(context: Any, box: Any, container: Any, outer: bool = True) -> tuple[float, float, float]:
    """Return where ``box`` has room beside floats, of which there are hardly any."""
    floating = context.excluded_shapes or box.style["float"] != "none"
    apart = not outer and (box.margin_left or box.margin_right or box.margin_top)
    if floating or apart or container.style["direction"] != "ltr":
        return _avoid_collisions(context, box, container, outer)
    left = container.content_box_x()
    return left, box.position_y, left + container.width - left  # with the same error of rounding


_layout_backgrounds: Callable[..., None] = background.layout_box_backgrounds
_RADII = tuple(f"border_{corner}_radius" for corner in ("top_left", "top_right", "bottom_right", "bottom_left"))
_PLAIN_BOX = dict.fromkeys(_RADII, (0, 0)) | {"background": None}


def _quickly_lay_backgrounds(
    sheet: Any, box: Any, get_image: Any, layout_children: bool = True, style: Any = None
) -> None:  # fmt: skip
    """Lay out the backgrounds and corners of ``box`` and of what is in it; most have none."""
    if style is not None or box is sheet or not isinstance(box, Box) or not _is_bare(box.style):
        _layout_backgrounds(sheet, box, get_image, layout_children, style)
        return
    box.__dict__.update(_PLAIN_BOX)
    if layout_children:
        for child in box.all_children():
            _quickly_lay_backgrounds(sheet, child, get_image)


def _is_bare(style: Any) -> bool:
    """Whether ``style`` has square corners, no background, no shadow, and no border of pictures."""
    bare = style.__dict__.get("_bare")
    if bare is None:
        bare = style._bare = (
            all((0, "px") in style[radius] for radius in _RADII)
            and style["border_image_source"][0] == style["mask_border_source"][0] == "none"
            and all(kind == "none" for kind, _ in style["background_image"])
            and not style["box_shadow"]
            and (style["visibility"] == "hidden" or get_color(style, "background_color").alpha == 0)
        )
    return bool(bare)


_descendants: Callable[..., Iterator[Any]] = Box.descendants


def _quickly_descend(box: Any, placeholders: bool = False) -> Iterator[Any]:
    """Yield ``box`` and what is in it, in the order of the document, without a generator for each level."""
    if placeholders:
        yield from _descendants(box, placeholders)
        return
    found = [box]
    while found:
        each = found.pop()
        yield each
        if isinstance(each, Box):
            found += each.children[::-1]


def _is_in_normal_flow(box: Any) -> bool:
    """Whether ``box`` is neither floating, absolute, running, nor a note; those of the last two have a tuple."""
    position = box.style["position"]
    return box.style["float"] == "none" and position.__class__ is str and position not in ("absolute", "fixed")


REPLACED: tuple[tuple[Any, str, Any], ...] = (
    *((module, "resolve_percentages", _quickly_resolve) for module in (block, inline, page, table)),
    (percent, "resolve_one_percentage", _quickly_resolve_one),
    (block, "avoid_collisions", _quickly_avoid),
    (inline, "avoid_collisions", _quickly_avoid),
    (Box, "descendants", _quickly_descend),
    (Box, "is_in_normal_flow", _is_in_normal_flow),
    (background, "layout_box_backgrounds", _quickly_lay_backgrounds),
)
