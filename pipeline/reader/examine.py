"""What may not be in a release, found in the parsed text while source lines are still known."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element

from pipeline.model.release import SLUG, tel_uri
from pipeline.reader.fields import blank, spaced
from pipeline.reader.report import Report
from pipeline.reader.source import FORBIDDEN, code_point

RAW = "raw-html"
"""Tag of the elements that stand for raw HTML."""
RAW_HTML_HINT = "write it in Markdown; put code between `backticks`"
DEPTH_LIMIT = 100
"""Elements within each other, blocks and marks together; writers walk the tree by recursion."""
SCHEMES = frozenset(["https", "http", "mailto", "tel"])
_RELEASE = re.compile(r"(?:\./)?(?P<slug>[a-z0-9-]{1,80})(?:\.md|\.html)?(?P<fragment>#\S*)?")


def examine(root: Element, report: Report) -> None:
    """Report raw HTML, forbidden links and misplaced pictures below ``root``; settle every link's final address."""
    _Examiner(report).walk(root, ())


class _Examiner:
    """Walks in reading order and counts lines within a block as it goes."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.line = 0

    def walk(self, element: Element, above: tuple[str, ...]) -> None:
        self.line = int(element.get("data-line") or self.line)
        if len(above) > DEPTH_LIMIT:
            raise RecursionError(self.line)
        self.judge(element, above)
        self.text(element.text)
        for child in element:
            self.walk(child, (*above, element.tag))
            self.text(child.tail, child.tag == "br")

    def text(self, text: str | None, broken: bool = False) -> None:
        found = FORBIDDEN.search(text or "")
        if found:
            self.report.fault(self.line, f"forbidden character {code_point(found.group())}", "delete it")
        self.line += (text or "").count("\n") + broken

    def judge(self, element: Element, above: tuple[str, ...]) -> None:
        if element.tag == RAW:
            tag = spaced(element.text or "")[:40]
            self.report.fault(self.line, f"raw HTML: {tag}", RAW_HTML_HINT)
        elif element.tag == "a":
            self.link(element)
        elif element.tag == "img":
            self.picture(element, above)

    def link(self, element: Element) -> None:
        target, problem = settle_link(element.get("href") or "")
        if problem:
            self.report.fault(self.line, problem[0], problem[1])
        elif blank("".join(element.itertext())) and element.find(".//img") is None:
            self.report.fault(self.line, "a link without words", "write [words](address)")
        element.set("href", target)

    def picture(self, element: Element, above: tuple[str, ...]) -> None:
        written = "".join(element.itertext())
        alt = spaced(written)
        element.text = None
        for child in list(element):
            element.remove(child)
        element.set("alt", alt)
        element.set("data-line", str(self.line))
        places = {"a": "a link", "th": "a table", "td": "a table", "em": "emphasis", "strong": "emphasis"}
        place = next((places[tag] for tag in above if tag in places), "")
        if not place and any(re.fullmatch("h[1-6]", tag) for tag in above):
            place = "a heading"
        if place:
            self.report.fault(self.line, f"a picture in {place}", "give it a paragraph of its own")
        source = element.get("src") or ""
        if not source or re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", source):
            what = f"not a file of this release: {source[:80]}" if source else "no file named"
            self.report.fault(self.line, f"picture: {what}", "write ![words](file.jpg)")
            element.set("src", "")
        if blank(alt) and (not written or written.strip(" \n")):  # ![ ](ship.jpg) says that it is decorative
            hint = "say what it shows: ![A ship at dusk](ship.jpg); ![ ](ship.jpg) is mere decoration"
            self.report.fault(self.line, f"a picture without a text alternative: {element.get('src')}"[:120], hint)


def settle_link(href: str) -> tuple[str, tuple[str, str] | None]:
    """Return the address that goes into the tree, and message and hint when there may be none."""
    bare = re.sub(r"[\s\x00-\x20\u200b-\u200f\u2060\ufeff]", "", unquote(href))
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)", bare)
    if scheme:
        return _absolute(href.strip(), scheme.group().lower())
    if href.startswith("#"):
        return href, None
    found = _RELEASE.fullmatch(href)
    if found and SLUG.match(found["slug"]):
        return f"{found['slug']}.html{found['fragment'] or ''}", None
    hint = "write https://… for another site, other-release.md for another release"
    return "", (f"a link that leads nowhere: {href[:80]}" if href else "a link without an address", hint)


def _absolute(href: str, scheme: str) -> tuple[str, tuple[str, str] | None]:
    if scheme not in SCHEMES or not href.lower().startswith(f"{scheme}:"):
        return "", (f"a forbidden link: {scheme}:", "use https:, http:, mailto: or tel:")
    rest = href[len(scheme) + 1 :]
    if scheme == "tel":
        return tel_uri(unquote(rest)), None
    if not ("@" in rest if scheme == "mailto" else _has_host(href)) or "\n" in href:
        return "", (f"not an address: {href[:80]}", "write it as https://example.org/…")
    return encoded(f"{scheme}:{rest}"), None


def _has_host(href: str) -> bool:
    try:
        host = urlsplit(href).hostname or ""
    except ValueError:
        return False
    return bool(host) and not re.search(r"[\s<>\"'\\^`{|}%]", host)


def encoded(href: str) -> str:
    """Return an address in the characters that a URI may have (RFC 3986), its host in ASCII."""
    host = re.match(r"https?://([^/?#@:]*[^\x00-\x7f][^/?#@:]*)", href)
    if host:
        with suppress(UnicodeError):
            href = href.replace(host[1], host[1].encode("idna").decode(), 1)
    return quote(href, safe="%;/?:@&=+$,-_.!~*'()#[]")
