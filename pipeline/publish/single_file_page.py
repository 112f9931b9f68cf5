"""A release page as one file, and a record that leads to shared copies: for those who get them before the date.

Nothing in either leads to the addresses that the release will have. They answer nobody yet, and whoever asked for one
would tell the server its name; a cache in between might even keep the refusal past the instant.
"""

from __future__ import annotations

import base64
import html
import posixpath
import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from typing import Any

import msgspec

from pipeline.model.formats import media_type
from pipeline.model.manifest import digest
from pipeline.writers.ninjs import DIGEST

Fetch = Callable[[str], bytes]
"""From the key of a file of the public tree to its bytes."""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; font-src data:; img-src data:; base-uri 'none'"
_LEFT_OUT = frozenset({"tools", "others", "original", "beside", "back"})
"""Classes of the parts that lead to other files: downloads, translations, pictures at full size, neighbours."""
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_HEAD = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<meta name="robots" content="noindex">'
_FACE = re.compile(r"@font-face \{[^}]*\}\n?")


def page(data: bytes, key: str, fetch: Fetch) -> bytes:
    """Return the page at ``key`` with style, faces and pictures inside, without what leads elsewhere in the house."""
    parser = _Page(key, fetch)
    source = data.decode()
    parser.letters = {ord(sign) for sign in html.unescape(source)}
    parser.feed(source)
    parser.close()
    return re.sub(r"\n\s*\n+", "\n", "".join(parser.out)).encode()


class _Page(HTMLParser):
    """Writes what it reads, but for what would have to be fetched."""

    def __init__(self, key: str, fetch: Fetch) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.letters: set[int] = set()
        self._key, self._fetch = key, fetch
        self._within = 0
        """How deep in a part that is left out."""
        self._links: list[str] = []
        """For each open link the tag that ends what was written for it."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write the tag, something in its stead, or nothing."""
        found = {name: value or "" for name, value in attrs}
        if self._within or tag == "script" or _LEFT_OUT & set(found.get("class", "").split()):
            self._within += tag not in _VOID
            return
        if tag == "link":
            self.out.append(self._style(found) if found.get("rel") == "stylesheet" else "")
        elif tag == "meta":
            self.out.append(self._meta(found))
        elif tag == "img":
            kept = {name: value for name, value in found.items() if name not in ("srcset", "sizes", "loading")}
            self.out.append(_tag(tag, kept | {"src": self._inside(self._place(found["src"]))}))
        elif tag == "a" and _is_of_the_house(found.get("href", "")):
            self.out.append(_tag("span", {"class": found.get("class", "")}))
            self._links.append("</span>")
        else:
            if tag == "a":
                self._links.append("</a>")
            self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """Write the end of what was written."""
        if self._within:
            self._within -= 1
        else:
            self.out.append(self._links.pop() if tag == "a" else f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Write text as it is."""
        self._write(data)

    def handle_entityref(self, name: str) -> None:
        """Write a character by name as it is."""
        self._write(f"&{name};")

    def handle_charref(self, name: str) -> None:
        """Write a character by number as it is."""
        self._write(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        """Write the document type."""
        self._write(f"<!{decl}>")

    def _write(self, text: str) -> None:
        if not self._within:
            self.out.append(text)

    def _meta(self, found: Mapping[str, str]) -> str:
        if found.get("http-equiv") == "Content-Security-Policy":
            return _HEAD
        # Open Graph is for those who post a link to the page.
        return "" if "property" in found else self.get_starttag_text() or ""

    def _style(self, found: Mapping[str, str]) -> str:
        key = self._place(found["href"])
        folder = posixpath.dirname(key)

        def face(rule: re.Match[str]) -> str:
            if not _is_needed(rule[0], self.letters):
                return ""
            return re.sub(r'url\("([^"]+)"\)', lambda way: f'url("{self._inside(f"{folder}/{way[1]}")}")', rule[0])

        return f"<style>\n{_FACE.sub(face, self._fetch(key).decode())}</style>"

    def _place(self, href: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._key), href))

    def _inside(self, key: str) -> str:
        kind = media_type(key).replace(" ", "")
        return f"data:{kind};base64,{base64.b64encode(self._fetch(key)).decode()}"


def _is_of_the_house(href: str) -> bool:
    return bool(href) and not href.startswith("#") and ":" not in href.split("/")[0]


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    return f"<{name}" + "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items()) + ">"


def _is_needed(rule: str, letters: set[int]) -> bool:
    """Whether a face has any of ``letters``."""
    ranges = re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", rule)
    spans = [range(int(first, 16), int(last or first, 16) + 1) for first, last in ranges]
    return not spans or any(letter in span for span in spans for letter in letters if letter > 0x20)


def record(data: bytes, base_url: str, links: Mapping[str, str], pictures: Mapping[str, str], page: bytes) -> bytes:
    """Return a release's record with the addresses of shared copies in place of those to come.

    ``links`` has the shared files by key; ``pictures`` says which of them stands for a picture in the text; ``page`` is
    the release page as it is shared.
    """
    found: dict[str, Any] = msgspec.json.decode(data)
    own = digest(page)
    found["renditions"] = [
        {**made, "href": links[key], "sizeInBytes": len(page) if key.endswith(".html") else made["sizeInBytes"]}
        for made in found["renditions"]
        if (key := made["href"].removeprefix(base_url)) in links
    ]
    found["altIds"] = [
        {**alt, "value": own if alt["role"].endswith(".html") else alt["value"]}
        for alt in found["altIds"]
        if not alt["role"].startswith(DIGEST) or alt["role"].removeprefix(DIGEST) in links
    ]
    for body in found["bodies"]:
        for shown, key in pictures.items():
            body["value"] = body["value"].replace(f'"{base_url}{shown}"', f'"{html.escape(links[key])}"')
    return msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
