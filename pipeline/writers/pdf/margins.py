"""What stands in the margins of a page of paper, as values of the CSS property ``content``."""

from __future__ import annotations

from pipeline.typography.messages import Messages

_DIGITS = {"١": "arabic-indic", "۱": "persian", "१": "devanagari", "১": "bengali"}
"""Counter styles by how a language writes 1."""


def page_of(messages: Messages) -> str:
    """Return the value of ``content`` that prints the words of ``page_of`` with the page's numbers in them."""
    style = _DIGITS.get(messages.number(1), "decimal")
    counters = {"{page}": f"counter(page, {style})", "{pages}": f"counter(pages, {style})"}
    parts: list[str] = []
    rest = messages["page_of"]
    while rest:
        at, name = min(((rest.find(name), name) for name in counters if name in rest), default=(len(rest), ""))
        parts.append(_css_string(rest[:at]))
        if name:
            parts.append(counters[name])
        rest = rest[at + len(name) :]
    return " ".join(parts)


def _css_string(text: str) -> str:
    """Return ``text`` as a CSS string; everything but ASCII letters and digits is escaped."""
    return '"' + "".join(c if c.isascii() and c.isalnum() else f"\\{ord(c):06x}" for c in text) + '"'
