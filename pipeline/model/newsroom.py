"""The newsroom: the organisation, its contacts, footage notices, topics and settings.

These are the types of ``content/newsroom.toml``; ``pipeline.reader`` reads the file.
"""

from __future__ import annotations

import re
import uuid
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

from msgspec import Struct

from pipeline.model.footage import Footage
from pipeline.model.release import Contact

FILE = "newsroom.toml"

_PAGE = re.compile(r"(?i)\.(html?|php|aspx?|jsp|xml|json)$")

PaperSize = Literal["A4", "Letter"]


class Topic(Struct, frozen=True):
    """A topic of releases. ``labels`` maps a BCP 47 tag to the topic's name in that language."""

    id: str
    label: str
    labels: dict[str, str] = {}


class Newsroom(Struct, frozen=True):
    """The organisation and the settings of its newsroom."""

    name: str
    language: str
    """BCP 47 tag of releases that do not state a language."""
    time_zone: str
    """IANA name of the zone in which dates are printed, for example ``Europe/London``."""
    boilerplate: str = ""
    """Plain text about the organisation; empty lines separate the paragraphs."""
    boilerplates: dict[str, str] = {}
    """Versions in other languages, by BCP 47 tag."""
    languages: tuple[str, ...] = ()
    """All languages of releases, including the default."""
    mark: str = ""
    """File name of the logo (PNG) next to newsroom.toml, or empty."""
    accent: str = "#8a1c1c"
    """Accent colour as ``#rrggbb``, with a contrast of at least 4.5:1 on white."""
    paper: PaperSize = "A4"
    reuse: str = ""
    """Terms of reuse, plain text."""
    reuses: dict[str, str] = {}
    """Versions in other languages, by BCP 47 tag."""
    website: str = ""
    base_url: str = ""
    """Public address of the newsroom, ending in a slash; empty for the address of the storage."""
    tag_authority: str = ""
    """RFC 4151 tagging entity (``name,date``): with it, ids stay the same when the newsroom moves."""
    feed_items: int = 100
    contacts: tuple[Contact, ...] = ()
    default_contacts: tuple[str, ...] = ()
    footage: dict[str, Footage] = {}
    default_footage: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    warnings_off: tuple[str, ...] = ()
    """Names of warnings that are not shown."""
    signs: bool = False
    """Whether ``content/signers`` names anybody: then releases have signed statements."""
    signatures_required: bool = False
    """Nothing unsigned is published."""
    approvals: int = 0
    """How many signers must have signed a release before it is published."""

    def guid(self, slug: str) -> str:
        """Return the permanent id of a release.

        It is a tag URI (RFC 4151) if the newsroom has a ``tag_authority``, else a name-based UUID (RFC 9562) of
        organisation and slug. Neither changes when the newsroom moves to another address.
        """
        if self.tag_authority:
            return f"tag:{self.tag_authority}:releases/{slug}"
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/{slug}").urn

    def feed_id(self, path: str) -> str:
        """Return the permanent id of the feed at ``path``, which is its key without the suffix of the format."""
        if self.tag_authority:
            return f"tag:{self.tag_authority}:feeds/{path}"
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/feeds/{path}").urn

    def boilerplate_in(self, language: str) -> str:
        """Return the boilerplate in ``language``, else in its primary language, else the default."""
        return _in(language, self.boilerplates) or self.boilerplate

    def reuse_in(self, language: str) -> str:
        """Return the terms of reuse in the same way, on one line."""
        return " ".join((_in(language, self.reuses) or self.reuse).split())

    def topic_label(self, topic: str, language: str) -> str:
        """Return the name of the topic with id ``topic`` in ``language``, else its default name, else the id."""
        for known in self.topics:
            if known.id == topic:
                return _in(language, known.labels) or known.label
        return topic


def read_address(text: str) -> tuple[str, str, str]:
    """Return the address of a folder on the web, ending in a slash, its domain in ASCII; or message and hint.

    The message says what is wrong with an address that it does not repeat: it may contain a password.
    """
    hint = "write it as https://press.example.org/"
    if "\n" in text or "\r" in text:
        return "", "contains a line break", "delete the line break, which may be at the end"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", "is not a valid address", hint
    if parts.username is not None or parts.password is not None:
        return "", "contains a user name or password", hint
    if (
        parts.scheme not in ("http", "https")
        or not host
        or port == 0
        or re.search(r'[\s<>"\\^`{|}\x00-\x20\x7f]', text)
    ):
        return "", "is not an http or https address", hint
    if "?" in text or "#" in text:
        return "", "has a query (?) or a fragment (#)", hint
    try:
        place = parts.netloc if host.isascii() else _ascii(host) + (f":{port}" if port else "")
    except ValueError as error:
        return "", f"is not in a valid domain: {error}", "write the domain in ASCII, as your registrar shows it (xn--…)"
    folders = [folder for folder in parts.path.split("/") if folder]
    page = folders.pop() if folders and _PAGE.search(folders[-1]) else ""
    path = "/".join(["", *(quote(folder, safe="%:@!$&'()*+,;=-._~") for folder in folders), ""])
    right = urlunsplit((parts.scheme, place, path, "", ""))
    if page:
        return "", f"is the address of a page ({page}), not of the folder", f"write it as {right}"
    if "//" in parts.path:
        return "", "has an empty folder name (//)", f"write it as {right}"
    if {".", ".."} & {*folders}:
        return "", "has a folder . or ..", "write the folder that it leads to"
    return right, "", ""


def _ascii(host: str) -> str:
    """Return an internationalised domain as DNS knows it. Raises ValueError."""
    import idna  # the standard library knows the rules of 2003 alone, by which straße.de is another domain

    return idna.encode(host, uts46=True).decode()


def _in(language: str, texts: dict[str, str]) -> str:
    """Return the text for ``language`` or for its primary language, or an empty string."""
    return texts.get(language) or texts.get(language.split("-")[0], "")
