"""How a release is fitted on its pages: what is tried, what the pages then look like, and what that asks for.

WeasyPrint sets text from the top and never goes back. So a release is set as it should look, and only when that leaves
a page nearly empty once more: without turned pages, or closer, when that saves a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from pipeline.writers.columns import Paper

MEASURE = 354.3
"""Width of the text column in points: 125 mm, about 72 characters."""
_PAGES = {"A4": (595.3, 841.9), "Letter": (612.0, 792.0)}
"""Width and height of the paper in points."""
_SIDES = 141.7
"""Both side margins together, in points: 25 mm each."""
_HEAD_AND_FOOT = 155.9
"""Top and bottom margin together, in points: 25 and 30 mm."""
_STEP = 15.0
"""Points by which a level of a list or a quotation is indented."""
_BARE = 1 / 3
"""A page less full than this is nearly empty."""
_FEW = 4
"""Pages of a release that is set closer to save one; in a longer one nobody would see what that is good for."""
_PICTURE_HEIGHT = 300.0
"""Points that a picture may be high: as large as that the hole before it can be."""
_CLOSE_PICTURE = 0.8
_PIXEL = 0.75
"""Points that a pixel may be wide: no picture is blown up beyond what it has on a screen."""


class LayoutPlan(Struct, frozen=True):
    """How a release is set."""

    close: bool = False
    """With less space between lines and paragraphs, and smaller pictures."""
    turned: bool = True
    """A table may have a page that is turned."""

    def picture(self, width: int, height: int, room: float = MEASURE) -> float:
        """Return the points that a pixel of a picture of this size is wide and high where there is ``room``."""
        scale = min(room / width, _PICTURE_HEIGHT / height)
        return min(scale * _CLOSE_PICTURE if self.close else scale, _PIXEL)


def full(paper: str) -> float:
    """Return the width between the margins of a page, in points."""
    return round(_PAGES[paper][0] - _SIDES, 1)


def picture_room(paper: str, depth: int, *, broad: bool) -> float:
    """Return the width for a picture that stands in ``depth`` lists and quotations; ``broad`` ones leave the column."""
    return (full(paper) if broad else MEASURE) - _STEP * depth


def room(paper: str, depth: int, plan: LayoutPlan) -> Paper:
    """Return the room for a table that stands in ``depth`` lists and quotations."""
    width, height = _PAGES[paper]
    indent = _STEP * depth
    turned = height - _SIDES if plan.turned and not depth else 0
    return Paper(MEASURE - indent, width - _SIDES - indent, height - _HEAD_AND_FOOT, turned)


def fitted(draw: Callable[[LayoutPlan], Any]) -> Any:
    """Return the document that ``draw`` makes of the plan whose pages are best filled."""
    plan = LayoutPlan()
    document = draw(plan)
    pages = document.pages
    if any(_is_turned(after) and _filling(page) < _BARE for page, after in pairwise(pages)):
        plan = LayoutPlan(turned=False)
        document = draw(plan)
    if 1 < len(document.pages) <= _FEW and _filling(document.pages[-1]) < _BARE:
        closer = draw(LayoutPlan(close=True, turned=plan.turned))
        if len(closer.pages) < len(document.pages):
            return closer
    return document


def _is_turned(page: Any) -> bool:
    return bool(page.width > page.height)


def _filling(page: Any) -> float:
    """Return how far down the page its text and pictures reach, as a part of the height between the margins."""
    box = page._page_box  # WeasyPrint tells nobody else where things came to stand
    text = box.children[0]
    ends = [each.position_y + each.height for each in text.descendants() if not getattr(each, "children", ())]
    return float((max(ends, default=0) - box.content_box_y()) / box.height)


def turned_pages(sheet: str, paper: str) -> str:
    """Return the rules for turned pages, one for each kind of page in ``sheet``, with the same heads and feet."""
    size = f"size: {paper} landscape;"
    kinds = re.findall(r"@page (embargoed-rtl|embargoed|rtl) \{((?:[^{}]|\{[^{}]*\})*)\}", sheet)
    copies = (f"@page turned-{kind} {{ {rules} {size} }}" for kind, rules in kinds)
    return "\n".join([f"@page turned {{ {size} }}", *copies])


# --- Lines -----------------------------------------------------------------------------------------------------------

_LAST_WORDS = re.compile(r" ([^\s<>]{1,14} [^\s<>]{1,9})(?=</(?:p|li)>)")
_TAGS = re.compile(r"(<pre\b.*?</pre>|<[^>]*>)", re.DOTALL)
_UNIT = re.compile(r"(?<![^\s(\[])[^\s<>/]{1,6}/[^\s<>/]{1,6}(?![\w/])")
_INLINE = re.compile(r"<(?:a|strong|em|del|code|span)\b")


def tied(markup: Markup) -> Markup:
    """Keep together what no line should part: the last two words of a paragraph, and units such as km/h."""
    found = _LAST_WORDS.sub(r' <span class="tie">\1</span>', str(markup))
    parts = _TAGS.split(found)
    parts[::2] = [_UNIT.sub(r'<span class="tie">\g<0></span>', words) for words in parts[::2]]
    # WeasyPrint 70 ends a line after its first word when the blank before an inline element, and no more, is too much.
    parts = _TAGS.split("".join(parts))
    for place in range(0, len(parts) - 1, 2):
        if parts[place].endswith(" ") and _INLINE.match(parts[place + 1]):
            parts[place] = f"{parts[place][:-1]}<span> </span>"
    return Markup("".join(parts))  # noqa: S704  # escaped before; words and two tags change places
