"""Syntax that blocks and inlines share: backslash escapes, character references and raw HTML."""

from __future__ import annotations

import re
from html import unescape

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
"""Raw HTML within a line, or the beginning of a comment and the like, see ``TAG_ENDS``."""
TAG_ENDS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
"""Not part of ``TAG``, which would search to the end of the text for each beginning."""

_BLANK = re.compile(r"^\s*$")
HTML_BLOCKS: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = (
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
"""First and last line of the seven kinds of HTML blocks; the seventh cannot interrupt a paragraph."""


def plain_text(text: str) -> str:
    """Return ``text`` with backslash escapes and character references resolved."""
    if not set(text) & {"\\", "&"}:
        return text
    return ESCAPE.sub(r"\1", ENTITY.sub(lambda match: unescape(match.group()), text))
