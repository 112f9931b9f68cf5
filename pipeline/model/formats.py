"""The table of formats: page links, records, upload headers, stages and tests all read it. Data only.

``docs/extending.md`` says what a new format takes.
"""

from __future__ import annotations

import re
from posixpath import splitext
from typing import Literal

from msgspec import Struct

Group = Literal["assets", "files", "pages", "records", "manifest", "listings"]
GROUPS: tuple[Group, ...] = ("assets", "files", "pages", "records", "manifest", "listings")
"""Order of upload: nothing is named before it is there, and the manifest is the commit point."""

ParityKind = Literal["text", "shots", "html", "record", "word", "pdf", "kit", "picture"]
"""The readers of ``pipeline.build.parity``."""

MINUTES = "public, max-age=60, must-revalidate"
"""For what may be corrected or withdrawn: a cache asks again after a minute."""
FOREVER = "public, max-age=31536000, immutable"
"""For what carries its digest in its name."""


class Format(Struct, frozen=True):
    """One rendition of a release."""

    name: str
    """Name of the stage and the make target."""
    writer: str
    """Module below ``pipeline.writers``."""
    suffix: str
    media_type: str
    label: str
    """What a reader calls it, English; the messages of a language may have its own."""
    group: Group
    download: bool
    """Offered as a file to keep (Content-Disposition: attachment)."""
    parity: ParityKind
    """The kind of reader that reads a rendition back, to compare it with the release."""
    offered: int = 0
    """Place among the files that a page offers; 0: it does not offer this one."""
    address: bool = False
    """States absolute addresses, so that another public address makes another file."""
    lasting_address: bool = False
    """States the address that newsroom.toml gives, because a print outlives the storage where the newsroom is now."""
    pooled: bool = False
    """Rendered in worker processes with a limit of time and memory, because a hostile release could be slow or huge."""
    states_earlier: bool = False
    """States size, pages and digest of the formats before it in the table."""
    packs: bool = False
    """Holds the files of the formats before it, and says nothing of its own."""
    names_others: bool = False
    """Links to other releases and to earlier revisions, so that a change of them makes another file."""
    states_footage: bool = False
    """Says which footage files are there, so that it changes when they come and go."""
    notice: bool = False
    """Rendered for a withdrawn release too: the notice of its withdrawal."""
    preview: bool = False
    """What programs show with a link to the page, for a release without a picture; no reader is offered it."""
    of_shots: bool = False
    """For a release whose footage has a shot list."""
    beside: str = ""
    """Name of the format in whose stage it is rendered, with what that one has loaded; empty for a stage of its own."""

    def is_for(self, *, withdrawn: bool, pictured: bool, shots: bool) -> bool:
        """Whether a release has this format.

        ``pictured`` says that it has pictures of its own, ``shots`` that its footage has a shot list.
        """
        return (self.notice or not withdrawn) and not (self.preview and pictured) and (shots or not self.of_shots)

    def key(self, slug: str) -> str:
        """Return the address of a release's rendition below the public root."""
        return f"releases/{slug}{self.suffix}"

    @property
    def after(self) -> tuple[str, ...]:
        """Names of the formats that this one states or packs, in the order of the table."""
        names = [row.name for row in FORMATS]
        return tuple(names[: names.index(self.name)]) if self.states_earlier or self.packs else ()


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Rendition(Struct, frozen=True):
    """A rendered file: what pages, records and feeds state about it."""

    format: str
    """Name of its row in ``FORMATS``, ``picture``, ``copy`` for a smaller one, or ``footage``."""
    key: str
    size: int
    """Bytes."""
    sha256: str
    pages: int = 0
    """Printed pages, 0 where the format has none."""


FORMATS: tuple[Format, ...] = (
    Format("text", "text", ".txt", "text/plain; charset=utf-8", "Text", "files", True, "text", offered=3),
    Format(
        "pdf", "pdf", ".pdf", "application/pdf", "PDF", "files", False, "pdf",
        offered=1, lasting_address=True, pooled=True,
    ),
    Format("docx", "docx", ".docx", _WORD, "Word", "files", True, "word", offered=2, pooled=True),
    Format(
        "shots", "shots", ".shots.txt", "text/plain; charset=utf-8", "Shot list", "files", True, "shots",
        offered=4, of_shots=True, beside="text",
    ),
    Format("kit", "kit", ".zip", "application/zip", "Press kit", "files", True, "kit", offered=6, packs=True),
    Format(
        "card", "card", ".png", "image/png", "Preview picture", "files", False, "picture",
        pooled=True, preview=True, beside="pdf",
    ),
    Format(
        "html", "html", ".html", "text/html; charset=utf-8", "Page", "pages", False, "html",
        address=True, states_earlier=True, names_others=True, states_footage=True, notice=True,
    ),
    Format(
        "json", "ninjs", ".json", "application/json", "Data", "records", False, "record",
        offered=5, address=True, states_earlier=True, names_others=True, states_footage=True, notice=True,
    ),
)  # fmt: skip
"""In the order in which the stages run: a format states or packs those before it."""

CARD_SIZE = (1200, 630)
"""Pixels of the preview, as the programs that show it ask for."""
MEDIA_TYPES: dict[str, str] = {
    **{row.suffix: row.media_type for row in FORMATS},
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".htm": "text/html; charset=utf-8",
    ".vcf": "text/vcard; charset=utf-8",
    ".ics": "text/calendar; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".mxf": "application/mxf",
    ".mkv": "video/matroska",
    ".webm": "video/webm",
    ".mpg": "video/mpeg",
    ".ts": "video/mp2t",
    ".avi": "video/vnd.avi",
    ".wav": "audio/vnd.wave",
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".vtt": "text/vtt; charset=utf-8",
    ".statement": "text/plain; charset=utf-8",
    ".sig": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",  # of the signers
}
"""By suffix. Python's own table knows neither .docx nor .woff2 everywhere, so there is no other."""

FEEDS = "feeds/"
"""Folder of the feeds of one language or topic."""
OWN_FOLDERS = frozenset(("archive", "assets", "feeds", "manifest", "releases", "sitemap", "statements", "verify"))
OWN_PAGES = frozenset(("index.html", "media-contact.html", "verify.html"))
"""Folders and pages of the public tree: no old address of a release may be among them."""
_OLD_ADDRESS = re.compile(
    r"(?i)(?:[a-z0-9_~-][a-z0-9._~-]*(?<!\.)(?<!\.html)(?<!\.htm)/)*[a-z0-9_~-][a-z0-9._~-]*\.html?"
)
ROBOTS = "robots.txt"
"""Key of what crawlers ask for; it is read, not saved."""


class Syndication(Struct, frozen=True):
    """One format of feeds."""

    name: str
    """What readers' programs call it."""
    whole: str
    """Key of the feed of all releases."""
    suffix: str
    """Of the narrower ones: their names differ in it alone, as those of a release's renditions do."""
    media_type: str

    def key(self, path: str) -> str:
        """Return where the feed ``path`` stands, e.g. ``lang/ar``; the feed of all releases has none."""
        return f"{FEEDS}{path}{self.suffix}" if path else self.whole

    @property
    def link_type(self) -> str:
        """The media type as links state it."""
        return self.media_type.partition(";")[0]


RSS = Syndication("RSS", "feed.xml", ".xml", "application/rss+xml; charset=utf-8")
ATOM = Syndication("Atom", "atom.xml", ".atom.xml", "application/atom+xml; charset=utf-8")
JSON_FEED = Syndication("JSON", "feed.json", ".json", "application/feed+json")
SYNDICATION: tuple[Syndication, ...] = (RSS, ATOM, JSON_FEED)


def is_old_address(address: str) -> bool:
    """Whether a page may stand at ``address`` that leads to a release: below the newsroom, and none of its own."""
    own = address.lower() in OWN_PAGES or address.partition("/")[0].lower() in OWN_FOLDERS
    return not own and bool(_OLD_ADDRESS.fullmatch(address))


def formats_of(*, withdrawn: bool, pictured: bool, shots: bool) -> tuple[Format, ...]:
    """Return the formats that a release has; the arguments are those of ``Format.is_for``."""
    return tuple(row for row in FORMATS if row.is_for(withdrawn=withdrawn, pictured=pictured, shots=shots))


def stage_rows(stage: str) -> tuple[Format, ...]:
    """Return the formats that are rendered in a stage, its own first. Raises KeyError."""
    return (by_name(stage), *(row for row in FORMATS if row.beside == stage))


def by_name(name: str) -> Format:
    """Return the row called ``name``. Raises KeyError."""
    for row in FORMATS:
        if row.name == name:
            return row
    raise KeyError(name)


def media_type(key: str) -> str:
    """Return the media type of the object at ``key``. Raises KeyError for a suffix that the table does not have."""
    for row in sorted(SYNDICATION, key=lambda row: -len(row.suffix)):  # .atom.xml ends in .xml too
        if key == row.whole or (key.startswith(FEEDS) and key.endswith(row.suffix)):
            return row.media_type
    return MEDIA_TYPES[splitext(key)[1].lower()]
