"""What still looks like a mark when all marks have been read, and would be printed as signs.

Escaped signs and code never count: the search comes before escapes are resolved. So every problem has the same way out
for those who mean the signs: a backslash before the first one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from msgspec import Struct

Leftover = tuple[int, str, str, bool]
"""Line, message, hint, and whether it may have been meant."""

BLOB = 500
"""Letters without a place to break a line: no language has such words, and the PDF takes a minute to set them."""
_TEXTS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "td", "th"}
_LITERAL, _ADDRESS = "\ufffc", "\ufffb"
"""In place of a code span or a picture, and of an address."""


class _Pattern(Struct, frozen=True):
    expression: re.Pattern[str]
    message: str
    hint: str
    warning: bool = False


def _pattern(expression: str, message: str, hint: str, *, warning: bool = False) -> _Pattern:
    return _Pattern(re.compile(expression, re.MULTILINE), message, hint, warning)


_LIST = "for a list write - and a blank"
_BULLETS = "•‣▪◦●○■□➤►▶⁃∙"
_PATTERNS = (
    _pattern(r"\*\*", "stars that make nothing bold", "write **words** without blanks inside; for the signs \\*\\*"),
    _pattern(r"!\[", "a picture that is not one", "write ![text](file.jpg), the file's name without blanks; or !\\["),
    _pattern(r"\]\([^\s)]", "a link that is not one", "write [text](address), the address without blanks; or \\]("),
    _pattern(rf"\]\s+\((?:{_ADDRESS}|mailto:|tel:)", "a blank in a link", "write [text](address) without it"),
    _pattern(rf"\)\[(?:{_ADDRESS}|mailto:|tel:)", "the brackets of a link, exchanged", "write [text](address)"),
    _pattern(r"\[[^\[\]\n]+\]\[[^\[\]\n]*\]", "a link without its address", "write [text](address); or \\["),
    _pattern(r"\[![A-Za-z]+\]", "a mark of GitHub", "write the paragraph without it; or \\[!"),
    _pattern(rf"{_ADDRESS}{{2}}", "an address twice, as Outlook pastes it", "delete one of the two"),
    _pattern(r"\[\]", "a link without text", "delete it; or \\[]"),
    _pattern(r"\{(?:[#.][\w-]+|\w+=\")", "a mark of another program", "delete it with its brackets; or \\{"),
    _pattern(r"^:::", "a mark of another program", "delete the line; or \\:::"),
    _pattern(r"^(?:`{3}|~{3})", "a mark of code, in a paragraph", "write ``` on a line of its own; or \\`"),
    _pattern(r"\A\|", "a row without a table", "write a |---|---| below the first row; or \\|"),
    _pattern(r"^[\w\"“(][^\n]*\t[ \t]*\S[^\n]*\n[^\n]*\S *\t[ \t]*\S", "columns parted by tabs",
             "write a table: | Month | Sailed |, and |---|---| below its first line"),
    _pattern(r"[\uf000-\uf0ff]", "a bullet or sign of Word's Symbol face, which no other program shows",
             f"{_LIST}; else type the sign itself"),
    _pattern(r"^[^\n|]+ \| [^\n]+\n[^\n|]+ \| ", "lines with bars that make no table",
             "for a table write a line --- | --- below the first one", warning=True),
    _pattern(rf"^[{_BULLETS}][ \t\u00a0]*\S", "a bullet that makes no list", _LIST, warning=True),
    _pattern(r"\A[–—−][ \t\u00a0]+\S|^[–—−][ \t\u00a0]+[^\n]*\n[–—−][ \t\u00a0]", "a dash that makes no list", _LIST,
             warning=True),
    _pattern(r"[\u1100-\ud7ff]\*[^*\s\d]{1,40}\*|\*[^*\s\d]{1,40}\*[\u1100-\ud7ff]",
             "stars that are signs of the text or set emphasis", "for emphasis write **words**; for the signs \\*"),
    _pattern(r"^\(?[a-z]\)[ \t\u00a0]+\S|^(?:[A-Za-z]|[IVXivx]+)[.)] [^\n]*\n(?:[A-Za-z]|[IVXivx]+)[.)] ",
             "a letter that makes no list", "for a list write 1. or -", warning=True),
    _pattern(r"(?i)^-+ ?more ?-+$|^for immediate release\W*$", "words that each format has by itself",
             "delete the line", warning=True),
)  # fmt: skip


def find_leftovers(root: Element, literal: type[str]) -> Iterator[Leftover]:
    """Yield what is left of marks in all texts below ``root``, whose blocks carry their line.

    A text of the type ``literal`` is taken as it is and holds no marks.
    """
    for element in root.iter():
        if element.tag in _TEXTS:
            yield from _in_text(_text(element, literal), int(element.get("data-line") or 0))


def _in_text(text: str, first_line: int) -> Iterator[Leftover]:
    for pattern in _PATTERNS:
        if match := pattern.expression.search(text):
            line = first_line + text.count("\n", 0, match.start())
            words = " ".join(text[match.start() : match.start() + 60].split())
            words = re.sub(f"[{_LITERAL}{_ADDRESS}]", "…", words)
            yield line, f"{pattern.message}: {words}", pattern.hint, pattern.warning
    if match := re.search(rf"[\w+/=-]{{{BLOB}}}", text, re.ASCII):
        line = first_line + text.count("\n", 0, match.start())
        what = f"more than {BLOB} letters without a blank: {match.group()[:40]}…"
        yield line, what, "delete it if it is pasted data; else part it", False


def _text(element: Element, literal: type[str]) -> str:
    """Return the text of an element with its line breaks, without what is taken literally."""
    parts = [] if isinstance(element.text, literal) else [element.text or ""]
    for child in element:
        if child.tag == "br":
            parts.append("\n" if child.get("edges") != " " else " ")
        elif child.tag in ("code", "img") or isinstance(child.text, literal):
            sign = _ADDRESS if child.tag == "a" else _LITERAL
            parts.append(sign + "\n" * "".join(child.itertext()).count("\n"))
        else:
            parts.append(_text(child, literal))
        parts.append(child.tail or "")
    return "".join(parts)
