"""Characters: which are forbidden or invisible, what white space becomes, and how letters with accents are kept."""

from __future__ import annotations

import re
import unicodedata

_NONCHARACTERS = "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
FORBIDDEN = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffc\ufffd{_NONCHARACTERS}]")
"""Control characters except tab and newline, lone surrogates, the noncharacters of every plane, and what stands for
something lost: U+FFFC for an object, U+FFFD for a character."""
_REMEDIES = {
    "\x0b": "this is a line break of Word; begin a new line instead",
    "\x0c": "this is a page break; delete it",
    "\x1e": "this is a no-break hyphen of Word; write - instead",
    "\x1f": "this is an optional hyphen of Word; delete it",
    "\ufffc": "a picture or another object was pasted here; delete the character, and write a picture as "
    "![what it shows](file.jpg)",
    "\ufffd": "a character was lost here when the text was converted; type it again, as it is in the original",
}
_INVISIBLE = re.compile(
    "[\u00ad\ufeff]|(?<=[\x00-\u024f])[\u200b\u2060]+|[\u200b\u2060]+(?=[\x00-\u024f])|^[\u200b\u2060]+", re.MULTILINE
)
_MOJIBAKE = re.compile("[\u00c2-\u00f4][\x80-\xbf\u0152-\u0192\u02c6-\u02dc\u2013-\u203a\u20ac\u2122]|[вГР][‚€™]")
"""A byte that begins a character in UTF-8 and one that goes on with it, both decoded by themselves."""
_PIECE = "[^\n\uf900-\ufaff\U0002f800-\U0002fa1f]{1,4000}"
_COMPOSABLE = re.compile(
    f"{_PIECE}(?=[\x00-\u02ff\u0400-\u045f\u1100-\u115f\u3041-\u3096\u4e00-\u9fff]|$)|{_PIECE}", re.MULTILINE
)
"""All but the CJK compatibility ideographs, in pieces that end before a letter: thousands of marks on one letter would
take minutes to put in order."""

_LINE_END = re.compile(
    "(\\S)[\u3099\u309a\ufe00-\ufe0f\U000e0100-\U000e01ef]*([^\\S\\n\u00a0\u202f]*\\n[^\\S\\n\u00a0\u202f]*)(?=(\\S))"
)
"""A line end between two characters; marks and variation selectors belong to the one before."""


def code_point(character: str) -> str:
    """Return the name by which a character can be looked up: ``U+202E``."""
    return f"U+{ord(character):04X}"


def remedy(character: str) -> str:
    """Return what to do about a forbidden character."""
    if meant := as_windows(character):
        name = unicodedata.name(meant).lower().replace("right single quotation mark", "apostrophe or quotation mark")
        return f"write {meant} ({name}) instead; the text is from Windows-1252, not UTF-8"
    return _REMEDIES.get(character, "delete it; it cannot be printed")


def as_windows(character: str) -> str:
    """Return what a control character U+0080–U+009F is in Windows-1252, from which it was copied; empty for others."""
    if not "\x80" <= character <= "\x9f":
        return ""
    return character.encode("latin-1").decode("cp1252", "ignore")


def compose(text: str) -> str:
    """Return ``text`` in Unicode's composed form (NFC), in which ``é`` is one character.

    CJK compatibility ideographs stay as typed, which NFC would replace: they are the spelling of names.
    """
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return _COMPOSABLE.sub(lambda run: unicodedata.normalize("NFC", run[0]), text)


def without_invisible(text: str) -> str:
    """Return ``text`` without soft hyphens, and without invisible characters beside letters that have no use for them.

    Browsers and word processors leave them in addresses and names. Scripts without blanks between words need the
    zero-width space, and keep it.
    """
    if text.isascii() or not any(sign in text for sign in "\u00ad\ufeff\u200b\u2060"):
        return text
    return _INVISIBLE.sub("", text)


def damaged_by_decoding(line: str) -> tuple[str, str] | None:
    """Return a damaged word of ``line`` and what it was, where UTF-8 was decoded as something else: ``ZÃ¼rich``."""
    if not _MOJIBAKE.search(line):
        return None
    import ftfy  # costs more than all other imports of a reading, and nearly no text needs it

    damaged = (word for word in line.split() if ftfy.badness.is_bad(word))
    word = next(damaged, line.strip() if ftfy.badness.is_bad(line) else "")
    return (word[:60], ftfy.fix_encoding(word)[:60]) if word else None


def collapse_spaces(text: str) -> str:
    """Return ``text`` with every run of white space as one space; no-break spaces stay, soft hyphens go.

    Where a line ends between two East Asian letters, there is no space: see ``joints``.
    """
    text = join_lines(text.replace("\u00ad", "").replace("\ufeff", ""))
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip(" ")


def join_lines(text: str) -> str:
    """Return ``text`` without the line ends that ``joints`` finds."""
    for begin, end in reversed(joints(text)):
        text = text[:begin] + text[end:]
    return text


def joints(text: str) -> list[tuple[int, int]]:
    """Return begin and end of each line end, with the spaces around it, between two East Asian letters or signs.

    Chinese and Japanese have no spaces between words, so a line that was wrapped in the source must not add one. The
    rule is that of CSS (Text Level 4, segment breaks): a line end stays beside a letter of Korean, which has spaces,
    and beside a Latin one; of the signs that both East Asian and Latin texts have, such as “ and …, one may stand
    beside it.
    """
    if text.isascii() or "\n" not in text:
        return []
    return [found.span(2) for found in _LINE_END.finditer(text) if _joins(found[1], found[3])]


def _joins(before: str, after: str) -> bool:
    wide = _is_wide(before), _is_wide(after)
    return all(wide) or (any(wide) and _is_shared_sign(before if wide[1] else after))


def _is_shared_sign(character: str) -> bool:
    return unicodedata.east_asian_width(character) == "A" and unicodedata.category(character).startswith("P")


def _is_wide(character: str) -> bool:
    if unicodedata.east_asian_width(character) not in "WFH":
        return False
    if unicodedata.category(character) == "So" and not "\u2e80" <= character <= "\u33ff":  # emoji stand in any text
        return False
    return not unicodedata.name(character, "").startswith(("HANGUL", "HALFWIDTH HANGUL", "PARENTHESIZED HANGUL"))


def is_invisible(text: str) -> bool:
    """Whether a reader would see nothing of ``text``."""
    return not text.strip(" \t\n\u00a0\u202f\u200b\u200c\u200d\u200e\u200f\u2060\u00ad\ufeff\u2028\u2029\u3000")
