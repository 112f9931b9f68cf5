"""The page of an earlier revision: as it was, two folders further down, and with a line that says so.

It leads to the same places as before, its own files to those that are kept beside it. Search engines are told to leave
it alone; its canonical address is that of the newest revision, as it was.
"""

from __future__ import annotations

import re

from markupsafe import Markup

_PLACES = re.compile(r'(<(?:a|link|img|source)\b[^>]*?\s)(href|src)="([^"]*)"')
_SETS = re.compile(r'\ssrcset="([^"]*)"')
_MAIN = re.compile(r"<article\b[^>]*>\s*<header>\s*")
_NOTICE = Markup('<div class="superseded">\n<p>{}</p>\n<p><a href="../../{}.html">{}</a></p>\n</div>\n')
_FACTS = re.compile(r'<script type="application/ld\+json">.*?</script>\n', re.DOTALL)
"""What machines are told: of files at addresses where the newest are now."""
_NOINDEX = '<meta name="robots" content="noindex">\n'


def superseded_page(page: bytes, slug: str, said: str, current: str) -> bytes:
    """Return a release page as it is kept; ``said`` that it is not the newest, ``current`` names the way to that."""
    source = _FACTS.sub("", page.decode())
    source = _PLACES.sub(lambda found: f'{found[1]}{found[2]}="{_deeper(found[3], slug)}"', source)
    source = _SETS.sub(lambda found: f' srcset="{_each(found[1], slug)}"', source)
    notice = str(_NOTICE.format(said, slug, current))
    source = _MAIN.sub(lambda found: found[0] + notice, source, count=1)
    return source.replace("<title>", f"{_NOINDEX}<title>", 1).encode()


def _each(sizes: str, slug: str) -> str:
    return ", ".join(" ".join([_deeper(size.split()[0], slug), *size.split()[1:]]) for size in sizes.split(","))


def _deeper(href: str, slug: str) -> str:
    """Return where a link leads from ``releases/SLUG/rN/`` that led there from ``releases/``."""
    if href.startswith(("#", "/")) or ":" in href.split("/")[0]:
        return href
    if href.startswith(f"{slug}/r") and re.match(r"r\d+/", href.removeprefix(f"{slug}/")):
        return f"../{href.removeprefix(f'{slug}/')}"  # an earlier revision yet
    if href.startswith(f"{slug}/"):
        return href.removeprefix(f"{slug}/")
    if re.fullmatch(rf"{re.escape(slug)}\.(?!html)\w+", href):
        return href  # kept beside it
    return f"../../{href}"
