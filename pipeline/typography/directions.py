"""Isolates in HTML: numbers and addresses keep their direction in text from right to left.

The whole of a page or fragment is treated, so that every text in it is: title, notices, lists and contacts as well as
the body. The markup must be well-formed, as that of the templates is.
"""

from __future__ import annotations

import re

from pipeline.model.document import FROM_LEFT, TELEPHONE

_TOKEN = re.compile(
    r"<!.*?>|<(?P<raw>script|style|title|textarea|option|pre)\b.*?</(?P=raw)>|<(?P<close>/)?(?P<name>\w+)[^>]*>",
    re.DOTALL,
)
"""A tag, or a whole element that has text without markup, or the document type."""
_DIRECTION = re.compile(r' dir="(\w+)"')
_VOID = frozenset(("br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"))
_INLINE = frozenset(("a", "bdi", "span"))
_LETTER = re.compile("[A-Za-z\u00c0-\u024f]")
_FROM_RIGHT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_SENTENCE = 200
"""Characters. What is isolated is a unit on paper; longer texts must be divided over pages."""


def isolate(html: str, direction: str = "ltr") -> str:
    """Return ``html``, the content of an element of ``direction``, with numbers and addresses in elements of their own.

    In text from left to right, this only keeps telephone numbers on one line. In text from right to left, words in
    Latin letters alone are isolated where they are all of an element or begin with a number: the full stop would be
    shown before them, the number behind. What is isolated already stays as it is.
    """
    html = str(html)  # a Markup would escape the tags
    out: list[str] = []
    states = [direction]
    at, opened = 0, False
    for token in _TOKEN.finditer(html):
        whole = opened and bool(token["close"])
        out += [_text(html[at : token.start()], states[-1], whole), token[0]]
        at = token.end()
        opened = False
        if token["close"]:
            del states[max(1, len(states) - 1) :]
        elif token["name"] and token["name"] not in _VOID and not token[0].endswith("/>"):
            stated = _DIRECTION.search(token[0])
            alone = stated and stated[1] == "ltr" and token["name"] in _INLINE
            states.append("alone" if alone else stated[1] if stated else states[-1])
            opened = True
    return "".join([*out, _text(html[at:], states[-1], whole=False)])


def isolate_plain(text: str) -> str:
    """Return ``text`` from right to left with Unicode's marks around numbers and addresses, where markup cannot be."""
    return FROM_LEFT.sub("\u2066\\g<0>\u2069", text)


def _text(text: str, direction: str, whole: bool) -> str:
    words = text.strip()
    if direction == "alone" or not words:
        return text
    if direction == "ltr":
        return TELEPHONE.sub(_tied, text)
    if len(words) < _SENTENCE and _LETTER.search(words) and not _FROM_RIGHT.search(words):
        first, last = words[0], words[-1]
        if (whole and not (first.isalpha() and last.isalpha())) or (first.isdigit() and last.isalnum()):
            return text.replace(words, f'<bdi dir="ltr">{words}</bdi>')
    return FROM_LEFT.sub(_tied, text)


def _tied(found: re.Match[str]) -> str:
    tie = "" if found[0][0].isalpha() else ' class="tie"'  # an address may be longer than a line
    return f'<bdi{tie} dir="ltr">{found[0]}</bdi>'
