"""How single lines look: headings, rules, fences, items, table rows, link definitions, raw HTML (CommonMark, GFM)."""

from __future__ import annotations

import re
from html import unescape

from msgspec import Struct

ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
CLOSING = re.compile(r"(^|[ \t]+)#+[ \t]*$")
SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$")
ITEM = re.compile(r" {0,3}(?:(?P<bullet>[-+*])|(?P<number>\d{1,9})(?P<delimiter>[.)]))(?=[ \t]|$)")
_FENCE = re.compile(r"( {0,3})(?:(`{3,})([^`]*)|(~{3,})(.*))$")
_COLUMN = re.compile(r":?-+:?")

ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")

_BLOCK_TAGS = (
    "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|"
    "fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|"
    "menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|"
    "track|ul"
)
_ATTRIBUTE = r"""\s+[a-zA-Z_:][\w:.-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?"""
_OPEN_TAG = rf"<[a-zA-Z][a-zA-Z0-9-]*(?:{_ATTRIBUTE})*\s*/?>"
_CLOSE_TAG = r"</[a-zA-Z][a-zA-Z0-9-]*\s*>"
TAG = rf"{_OPEN_TAG}|{_CLOSE_TAG}|<!-->|<!--->|<!--|<\?|<![a-zA-Z][^>]*>|<!\[CDATA\["
"""Raw HTML within a line, or the beginning of what ``TAG_ENDS`` ends."""
TAG_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
"""Kept out of the expression, which would search to the end of the text for each beginning."""

_BLANK = re.compile(r"^\s*$")
HTML_STARTS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
    (
        re.compile(r"(?i) {0,3}<(?:script|pre|style|textarea)(?=[\s>]|$)"),
        re.compile(r"(?i)</(script|pre|style|textarea)>"),
    ),
    (re.compile(r" {0,3}<!--"), re.compile(r"-->")),
    (re.compile(r" {0,3}<\?"), re.compile(r"\?>")),
    (re.compile(r" {0,3}<![A-Za-z]"), re.compile(r">")),
    (re.compile(r" {0,3}<!\[CDATA\["), re.compile(r"\]\]>")),
    (re.compile(rf"(?i) {{0,3}}</?(?:{_BLOCK_TAGS})(?=[\s>]|/>|$)"), _BLANK),
    (re.compile(rf" {{0,3}}(?:{_OPEN_TAG}|{_CLOSE_TAG})\s*$"), _BLANK),
)
"""What starts a block of raw HTML, and what its last line holds; the seventh cannot interrupt a paragraph."""

References = dict[str, tuple[str, str]]
"""Label (folded) → address and title."""

_DEFINITION = re.compile(
    r"""[ ]{0,3}\[(?P<label>(?:\\.|[^\[\]\\])+)\]:[ \t]*\n?[ \t]*"""
    r"""(?P<address><(?:\\.|[^<>\n\\])*>|[^\s<]\S*)"""
    r"""(?:(?:[ \t]+\n?[ \t]*|\n[ \t]*)(?P<title>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\)))?"""
    r"""[ \t]*(?:\n|\Z)""",
    re.DOTALL,
)


class Fence(Struct, frozen=True):
    """The opening line of fenced code."""

    indent: int
    mark: str
    language: str

    @staticmethod
    def open(line: str) -> Fence | None:
        """Return the fence that ``line`` opens, if it does."""
        found = _FENCE.match(line)
        if not found:
            return None
        info = plain_text(found[3] if found[2] else found[5]).split()
        return Fence(len(found[1]), found[2] or found[4], info[0] if info else "")

    def closes(self, line: str) -> bool:
        """Whether ``line`` ends the code: as many marks or more, and nothing else."""
        words = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        return indent < 4 and len(words) >= len(self.mark) and not words.strip(self.mark[0])

    def content(self, line: str) -> str:
        """Return a line of the code without the fence's own indentation."""
        if self.indent and "\t" in line[: self.indent + 1]:
            words = line.lstrip(" \t")
            line = line[: len(line) - len(words)].expandtabs(4) + words
        indent = len(line) - len(line.lstrip(" "))
        return line[min(indent, self.indent) :]


def plain_text(text: str) -> str:
    """Return ``text`` with backslash escapes and entities resolved."""
    return (
        ESCAPE.sub(r"\1", ENTITY.sub(lambda found: unescape(found.group()), text)) if set(text) & {"\\", "&"} else text
    )


def fold(label: str) -> str:
    """Return the form in which link labels are compared."""
    return " ".join(label.casefold().split())


def take_definitions(text: str, references: References) -> str:
    """Enter the link definitions at the beginning of a paragraph, and return what follows them."""
    at = 0
    while found := _DEFINITION.match(text, at):
        if not found["label"].strip() or found["label"].startswith("^"):
            break
        address = found["address"]
        address = address[1:-1] if address.startswith("<") else address
        title = (found["title"] or "")[1:-1]
        references.setdefault(fold(plain_text(found["label"])), (plain_text(address), plain_text(title)))
        at = found.end()
    return text[at:]


def split_row(line: str) -> list[str]:
    """Return the cells of a table row; ``\\|`` is no border, not even within code."""
    line = line.strip().removeprefix("|")
    cells = re.split(r"(?<!\\)\|", line)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def alignments(line: str) -> tuple[str, ...]:
    """Return the alignments that a delimiter row gives its columns, none when it is not one."""
    if set(line) - set(" \t|:-") or "-" not in line:
        return ()
    cells = split_row(line)
    if not all(_COLUMN.fullmatch(cell) for cell in cells):
        return ()
    names = {(True, True): "center", (True, False): "left", (False, True): "right"}
    return tuple(names.get((cell.startswith(":"), cell.endswith(":")), "") for cell in cells)


def without_indent(line: str) -> str:
    """Return a line of indented code without the four columns that make it code."""
    return line[4:] if line.startswith("    ") else re.sub(r"^ {0,3}\t", "", line) if line.strip() else ""
