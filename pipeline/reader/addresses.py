"""Addresses in a release: which are accepted in its text, and how they are written."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

from pipeline.model.formats import OWN_FOLDERS, OWN_PAGES, is_old_address
from pipeline.model.release import SLUG, tel_uri

OLD_ADDRESS_LIMIT = 200
_EXAMPLE = "write it as press/1999/tapes.html, counted from the newsroom's own address"
SCHEMES = frozenset(["https", "http", "mailto", "tel"])
_RELEASE = re.compile(r"(?:\./)?(?P<slug>[a-z0-9-]{1,80})(?:\.md|\.html)?(?P<fragment>#\S*)?")


def resolve_link(href: str) -> tuple[str, tuple[str, str] | None]:
    """Return the address of a link in its final form; empty, with message and hint, when it is refused."""
    bare = re.sub(r"[\s\x00-\x20\u200b-\u200f\u2060\ufeff]", "", unquote(href))
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*(?=:)", bare)
    if scheme:
        return _absolute(href.strip(), scheme.group().lower())
    if href.startswith("#"):
        return href, None
    release = _RELEASE.fullmatch(href)
    if release and SLUG.match(release["slug"]):
        return f"{release['slug']}.html{release['fragment'] or ''}", None
    return "", (f"a link that leads nowhere: {href[:80]}" if href else "a link without an address", _hint(href))


def _hint(href: str) -> str:
    """Return how an address without a scheme has to be written."""
    if re.match(r"[\w.+'-]+@[\w-]+\.[\w.-]+$", href):
        return f"write mailto:{href}"
    if re.match(r"\+?[\d ()/-]{6,}$", href):
        return f"write tel:{href}"
    if re.match(r"(?:[A-Za-z]:)?\\|file:", href):
        return "a file of your computer cannot be reached by readers; write https://… of a place on the web"
    if re.match(r"[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/?#:]|$)", href) and not href.endswith((".md", ".html")):
        return f"write https://{href}"
    return "write https://… for another site, other-release.md for another release"


def is_url(text: str) -> bool:
    """Whether ``text`` is an absolute web address that a browser would open."""
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0  # a port that is no number is a ValueError
        return parts.scheme in ("https", "http") and has_host and not re.search(r"[\s<>\"\\]", text)
    except ValueError:
        return False


def _absolute(href: str, scheme: str) -> tuple[str, tuple[str, str] | None]:
    if scheme not in SCHEMES or not href.lower().startswith(f"{scheme}:"):
        return "", (f"a forbidden link: {scheme}:", "use https:, http:, mailto: or tel:")
    rest = href[len(scheme) + 1 :]
    if scheme == "tel":
        return tel_uri(unquote(rest)), None
    if not ("@" in rest if scheme == "mailto" else _has_host(href)) or "\n" in href:
        return "", (f"not an address: {href[:80]}", "write it as https://example.org/…")
    return _encoded(f"{scheme}:{rest}"), None


def _has_host(href: str) -> bool:
    try:
        host = urlsplit(href).hostname or ""
    except ValueError:
        return False
    return bool(host) and not re.search(r"[\s<>\"'\\^`{|}%]", host)


def _encoded(href: str) -> str:
    """Return an address in the characters that a URI may have (RFC 3986), its host in ASCII."""
    host = re.match(r"https?://([^/?#@:]*[^\x00-\x7f][^/?#@:]*)", href)
    if host:
        with suppress(UnicodeError):
            href = href.replace(host[1], host[1].encode("idna").decode(), 1)
    return quote(href, safe="%;/?:@&=+$,-_.!~*'()#[]")


def old_address_problem(address: str) -> tuple[str, str] | None:
    """Return message and hint when no page can stand at ``address`` below the newsroom to lead to a release."""
    parts = address.split("/")
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//", address):
        return "a whole address, not one below the newsroom", _EXAMPLE
    if address.startswith(("/", "\\")) or {".", ".."} & set(parts):
        return "leads outside the newsroom", _EXAMPLE
    if "?" in address or "#" in address:
        return "only the server can answer an address with ? or #", "set up a redirect there, and delete this one"
    if "%" in address:
        return "an encoded address", f"{_EXAMPLE}; letters, digits, full stop, hyphen, underscore and ~ are possible"
    if parts[0].lower() in OWN_FOLDERS or address.lower() in OWN_PAGES:
        return "the newsroom has this address itself", "delete it"
    if not re.search(r"(?i)[^/.]\.html?$", address):
        at = (
            "write its page, as in press/tapes/index.html"
            if address.endswith("/")
            else "only .html and .htm are possible"
        )
        return "not the address of a page", f"{at}; for other addresses set up a redirect at your web server"
    if any(re.search(r"(?i)\.html?$", part) for part in parts[:-1]):
        return "a folder that is named like a page", "set up a redirect at your web server"
    if len(address) > OLD_ADDRESS_LIMIT:
        return f"more than {OLD_ADDRESS_LIMIT} characters", "set up a redirect at your web server"
    if not is_old_address(address):
        return "not a plain address", f"{_EXAMPLE}; letters, digits, full stop, hyphen, underscore and ~ are possible"
    return None
