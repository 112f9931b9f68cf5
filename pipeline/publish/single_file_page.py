"""Shared copies of a release page, as a single file, and of a record, with links to the other shared copies.

Neither links to the addresses that the release will have. They answer nobody yet, and whoever asks for one tells the
server its name; a cache in between might even keep the refusal past the instant.
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
_LEFT_OUT = frozenset({"tools", "others", "original", "beside", "related", "back"})
"""Classes of the parts that link to other files: downloads, translations, pictures at full size, neighbours."""
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_HEAD = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n<meta name="robots" content="noindex">'
_FACE = re.compile(r"@font-face \{[^}]*\}\n?")


def page(data: bytes, key: str, fetch: Fetch) -> bytes:
    """Return the page at ``key`` with style, fonts and pictures inside, and without links within the newsroom."""
    parser = _SingleFileWriter(key, fetch)
    source = data.decode()
    parser.letters = {ord(sign) for sign in html.unescape(source)}
    parser.feed(source)
    parser.close()
    return re.sub(r"\n\s*\n+", "\n", "".join(parser.out)).encode()


class _SingleFileWriter(HTMLParser):
    """Writes the page that it reads, with everything that would be fetched put inside or left out."""

    def __init__(self, key: str, fetch: Fetch) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self.letters: set[int] = set()
        self._key, self._fetch = key, fetch
        self._within = 0
        """Number of open tags within a part that is left out."""
        self._links: list[str] = []
        """For each open link, the end tag to write."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write the tag, a replacement, or nothing."""
        attributes = {name: value or "" for name, value in attrs}
        if self._within or tag == "script" or _LEFT_OUT & set(attributes.get("class", "").split()):
            self._within += tag not in _VOID
            return
        if tag == "link":
            self.out.append(self._style(attributes) if attributes.get("rel") == "stylesheet" else "")
        elif tag == "meta":
            self.out.append(self._meta(attributes))
        elif tag == "img":
            others = {name: value for name, value in attributes.items() if name not in ("srcset", "sizes", "loading")}
            self.out.append(_tag(tag, others | {"src": self._data_uri(self._place(attributes["src"]))}))
        elif tag == "a" and _is_local(attributes.get("href", "")):
            self.out.append(_tag("span", {"class": attributes.get("class", "")}))
            self._links.append("</span>")
        else:
            if tag == "a":
                self._links.append("</a>")
            self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """Write the end tag, unless its start tag was left out."""
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

    def _meta(self, attributes: Mapping[str, str]) -> str:
        if attributes.get("http-equiv") == "Content-Security-Policy":
            return _HEAD
        # Open Graph is for links to the page.
        return "" if "property" in attributes else self.get_starttag_text() or ""

    def _style(self, attributes: Mapping[str, str]) -> str:
        key = self._place(attributes["href"])
        folder = posixpath.dirname(key)

        def face(rule: re.Match[str]) -> str:
            if not _is_needed(rule[0], self.letters):
                return ""
            return re.sub(r'url\("([^"]+)"\)', lambda url: f'url("{self._data_uri(f"{folder}/{url[1]}")}")', rule[0])

        return f"<style>\n{_FACE.sub(face, self._fetch(key).decode())}</style>"

    def _place(self, href: str) -> str:
        return posixpath.normpath(posixpath.join(posixpath.dirname(self._key), href))

    def _data_uri(self, key: str) -> str:
        kind = media_type(key).replace(" ", "")
        return f"data:{kind};base64,{base64.b64encode(self._fetch(key)).decode()}"


def _is_local(href: str) -> bool:
    return bool(href) and not href.startswith("#") and ":" not in href.split("/")[0]


def _tag(name: str, attributes: Mapping[str, str]) -> str:
    return f"<{name}" + "".join(f' {key}="{html.escape(value)}"' for key, value in attributes.items()) + ">"


def _is_needed(rule: str, letters: set[int]) -> bool:
    """Whether a font face has any of ``letters``."""
    ranges = re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", rule)
    spans = [range(int(first, 16), int(last or first, 16) + 1) for first, last in ranges]
    return not spans or any(letter in span for span in spans for letter in letters if letter > 0x20)


def record(data: bytes, base_url: str, links: Mapping[str, str], pictures: Mapping[str, str], page: bytes) -> bytes:
    """Return a release's record with the addresses of its shared copies instead of its public ones.

    ``links`` is key → link of the shared copies; ``pictures`` says which of them replaces a picture in the text;
    ``page`` is the release page as it is shared.
    """
    fields: dict[str, Any] = msgspec.json.decode(data)
    fields["renditions"] = [
        {**each, "href": links[key], "sizeInBytes": len(page) if key.endswith(".html") else each["sizeInBytes"]}
        for each in fields["renditions"]
        if (key := each["href"].removeprefix(base_url)) in links
    ]
    fields["altIds"] = [
        {**each, "value": digest(page) if each["role"].endswith(".html") else each["value"]}
        for each in fields["altIds"]
        if not each["role"].startswith(DIGEST) or each["role"].removeprefix(DIGEST) in links
    ]
    for body in fields["bodies"]:
        for shown, key in pictures.items():
            body["value"] = body["value"].replace(f'"{base_url}{shown}"', f'"{html.escape(links[key])}"')
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"
