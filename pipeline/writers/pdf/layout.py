"""The layout of a release on its pages: sizes, what is tried to fill the pages well, and where lines may end.

WeasyPrint lays out text from the top and never goes back. So a release is laid out in the standard way first, and once
more only when that leaves a page nearly empty: without landscape pages, or with less space when that saves a page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from markupsafe import Markup
from msgspec import Struct

from pipeline.writers.table_layout import TableRoom

# All lengths are in points.
MEASURE = 354.3
"""Width of the text column: 125 mm, about 72 characters."""
_PAGES = {"A4": (595.3, 841.9), "Letter": (612.0, 792.0)}
"""Width and height of the paper."""
_SIDES = 141.7
"""Left and right margin together: 25 mm each."""
_HEAD_AND_FOOT = 155.9
"""Top and bottom margin together: 25 and 30 mm."""
_STEP = 15.0
"""Indentation of one level of a list or quotation."""
_NEARLY_EMPTY = 1 / 3
"""A page filled less than this."""
_CODE = 72.0
"""Height of a QR code with the white around it, as it is for most addresses."""
_SPACES = 40.0
"""More than the spaces between blocks that a page break leaves out."""
_FEW_PAGES = 4
"""Only a release of up to this many pages is tightened to save one; in a longer one nobody would notice."""
_PICTURE_HEIGHT = 300.0
"""Largest height of a picture; the gap that it leaves on the page before can be as large."""
_CLOSE_PICTURE = 0.8
_PIXEL = 0.75
"""Largest width of a pixel: no picture is enlarged beyond its size on a screen."""


class LayoutPlan(Struct, frozen=True):
    """A way to lay out a release."""

    close: bool = False
    """With less space between lines and paragraphs, and smaller pictures."""
    turned: bool = True
    """A wide table may have a landscape page."""
    beside: bool = False
    """The QR code stands beside the contacts and not below them."""

    def pixel(self, width: int, height: int, room: float) -> float:
        """Return the size of a pixel in a picture of ``width`` times ``height`` pixels, where it has ``room``."""
        scale = min(room / width, _PICTURE_HEIGHT / height)
        return min(scale * _CLOSE_PICTURE if self.close else scale, _PIXEL)


def full_width(paper: str) -> float:
    """Return the width between the margins of a page."""
    return round(_PAGES[paper][0] - _SIDES, 1)


def picture_room(paper: str, depth: int, *, broad: bool) -> float:
    """Return the width for a picture in ``depth`` lists and quotations; a ``broad`` one may leave the text column."""
    return (full_width(paper) if broad else MEASURE) - _STEP * depth


def table_room(paper: str, depth: int, plan: LayoutPlan, script: str = "Latn") -> TableRoom:
    """Return the room for a table in ``depth`` lists and quotations, in a text in ``script``."""
    width, height = _PAGES[paper]
    indent = _STEP * depth
    turned = height - _SIDES if plan.turned and not depth else 0
    spare = 1.04 if script == "Latn" else 1.2
    return TableRoom(MEASURE - indent, width - _SIDES - indent, height - _HEAD_AND_FOOT, turned, spare)


def best_layout(draw: Callable[[LayoutPlan], Any], *, has_code: bool = False) -> Any:
    """Return the WeasyPrint document, drawn by ``draw``, whose pages are filled best.

    ``has_code`` says that it has a QR code, for which it should not get one more page.
    """
    plan = LayoutPlan()
    document = draw(plan)
    pages = document.pages
    if any(_is_turned(after) and _filling(page) < _NEARLY_EMPTY for page, after in pairwise(pages)):
        plan = LayoutPlan(turned=False)
        document = draw(plan)
    code = _CODE if has_code else 0
    if has_code and len(document.pages) > 1 and _fits_on_page_before(document, code):
        plan = LayoutPlan(turned=plan.turned, beside=True)
        saving = draw(plan)
        if len(saving.pages) < len(document.pages):
            document, code = saving, 0
    if 1 < len(document.pages) <= _FEW_PAGES and _filling(document.pages[-1], code) < _NEARLY_EMPTY:
        closer = draw(LayoutPlan(close=True, turned=plan.turned, beside=has_code))
        if len(closer.pages) < len(document.pages):
            return closer
    return document


def _is_turned(page: Any) -> bool:
    return bool(page.width > page.height)


def _fits_on_page_before(document: Any, code: float) -> bool:
    """Whether the last page may be there for the height of the code alone."""
    before, last = document.pages[-2:]
    left = (1 - _filling(before)) * before._page_box.height
    return bool(_filling(last, code) * last._page_box.height < left + _SPACES)


def _filling(page: Any, without: float = 0) -> float:
    """Return how much of the height between the margins the page's text and pictures take, ``without`` some of it."""
    box = page._page_box  # WeasyPrint has no public way to learn where things are
    text = box.children[0]
    ends = [each.position_y + each.height for each in text.descendants() if not getattr(each, "children", ())]
    return float((max(ends, default=0) - without - box.content_box_y()) / box.height)


def turned_pages(sheet: str, paper: str) -> str:
    """Return the CSS rules of landscape pages: for each kind of page in ``sheet`` one with the same margins."""
    size = f"size: {paper} landscape;"
    kinds = re.findall(r"@page (embargoed-rtl|embargoed|rtl) \{((?:[^{}]|\{[^{}]*\})*)\}", sheet)
    copies = (f"@page turned-{kind} {{ {rules} {size} }}" for kind, rules in kinds)
    return "\n".join([f"@page turned {{ {size} }}", *copies])


# --- Lines -----------------------------------------------------------------------------------------------------------

_LAST_WORDS = re.compile(r" ([^\s<>]{1,14} [^\s<>]{1,9})(?=</(?:p|li)>)")
_TAGS = re.compile(r"(<pre\b.*?</pre>|<[^>]*>)", re.DOTALL)
_UNIT = re.compile(r"(?<![^\s(\[])[^\s<>/]{1,6}/[^\s<>/]{1,6}(?![\w/])")
_INLINE = re.compile(r"<(?:a|strong|em|sub|sup|code|span)\b")


def tied(markup: Markup) -> Markup:
    """Keep on one line: the last two words of a paragraph, and units such as km/h."""
    parts = _TAGS.split(_LAST_WORDS.sub(r' <span class="tie">\1</span>', str(markup)))
    parts[::2] = [_UNIT.sub(r'<span class="tie">\g<0></span>', words) for words in parts[::2]]
    # WeasyPrint 70 ends a line too early when just the space before an inline element does not fit any more.
    parts = _TAGS.split("".join(parts))
    for place in range(0, len(parts) - 1, 2):
        if parts[place].endswith(" ") and _INLINE.match(parts[place + 1]):
            parts[place] = f"{parts[place][:-1]}<span> </span>"
    return Markup("".join(parts))  # noqa: S704  # escaped before; only tags are added


# Pango has a dictionary of Thai, if at all. The other scripts without spaces between words get invisible spaces where a
# syllable begins: before a consonant with a vowel, and never within a consonant's group of signs.
_SYLLABLES = (
    # Khmer: a letter that is not joined to the one before it (U+17D2), with a vowel or another one below it
    r"(?<!\u17d2)[\u1780-\u17b3](?=[\u17b6-\u17c5\u17d2])",
    # Lao: a vowel that is written before its consonant, or a consonant with a vowel or a tone
    r"[\u0ec0-\u0ec4]|(?<![\u0ec0-\u0ec4])(?<![\u0ec0-\u0ec4]\u0eab)"
    r"(?:\u0eab(?=[\u0e87\u0e8d\u0e99\u0ea1-\u0ea7][\u0eb0-\u0ebd\u0ec8-\u0ecd])"
    r"|(?<!\u0eab)[\u0e81-\u0eae\u0edc-\u0edf](?=[\u0eb0-\u0ebb\u0ec8-\u0ecd]))",
    # Burmese: a letter that is neither silenced (U+103A) nor stacked (U+1039)
    r"(?<!\u1039)[\u1000-\u102a\u103f](?!\u1037?[\u1039\u103a])",
)
_SYLLABLE = re.compile("|".join(_SYLLABLES))
_UNDIVIDED = re.compile("[\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u200c\u200d\u2060]{13,}")
"""A run of letters that is longer than most words; a shorter one ends where the author wrote a space of any kind."""


def divisible(html: str) -> str:
    """Return the text of ``html`` with places where lines may end, in scripts without spaces between words."""
    if not _UNDIVIDED.search(html):
        return html
    parts = _TAGS.split(html)
    parts[::2] = [_UNDIVIDED.sub(_divided, words) for words in parts[::2]]
    return "".join(parts)


def _divided(run: re.Match[str]) -> str:
    return _SYLLABLE.sub("\u200b\\g<0>", run[0]).removeprefix("\u200b")
