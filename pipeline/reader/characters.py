"""Characters: which are forbidden, which are invisible, and what white space becomes."""

from __future__ import annotations

import re

_NONCHARACTERS = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
FORBIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
"""Control characters except tab and newline, lone surrogates, and the noncharacters of every plane."""


def code_point(character: str) -> str:
    """Return the name by which a character can be looked up: ``U+202E``."""
    return f"U+{ord(character):04X}"


def collapse_spaces(text: str) -> str:
    """Return ``text`` with every run of white space as one space; no-break spaces stay, soft hyphens go."""
    text = text.replace("\u00ad", "").replace("\ufeff", "")
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip(" ")


def is_invisible(text: str) -> bool:
    """Whether a reader would see nothing of ``text``."""
    return not text.strip(" \t\n\u00a0\u202f\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff\u2028\u2029\u3000")
