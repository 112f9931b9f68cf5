"""The table of formats: page links, records, upload headers, stages and tests all read it. Data only.

A new format is a writer in ``pipeline/writers/``, a row here, and two lines in the Makefile.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Group = Literal["assets", "files", "pages", "records", "manifest", "listings"]
GROUPS: tuple[Group, ...] = ("assets", "files", "pages", "records", "manifest", "listings")
"""Order of upload: nothing is named before it is there, and the manifest is the commit point."""

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
    """What a reader calls it, English; ``Messages`` may have its own."""
    group: Group
    download: bool
    """Offered as a file to keep (Content-Disposition: attachment)."""
    parts: tuple[str, ...]
    """Globs of the files that the rendition is made with; they, and the libraries' versions, are in its fingerprint."""
    address: bool = False
    """States absolute addresses, so that another public address makes another file."""
    pooled: bool = False
    """Made in child processes with a limit of time and memory, because a hostile release could be slow or huge."""
    after: tuple[str, ...] = ()
    """Formats whose size, pages and digest this one states."""
    packs: bool = False
    """Holds the files of ``after`` themselves, and says nothing of its own."""
    names_others: bool = False
    """Links to other releases and to earlier revisions, so that what becomes of them makes another file."""
    notice: bool = False
    """Made of what was withdrawn too, of which it says no more than that."""

    def key(self, slug: str) -> str:
        """Return the address of a release's rendition below the public root."""
        return f"releases/{slug}{self.suffix}"


_ALL = (
    "pipeline/typography/article.py",
    "pipeline/typography/image_sizes.py",
    "pipeline/model/document.py",
    "pipeline/typography/fonts/*.py",
    "pipeline/model/formats.py",
    "pipeline/typography/headline.py",
    "pipeline/model/newsroom.py",
    "pipeline/reader/*.py",
    "pipeline/model/release.py",
    "pipeline/model/revision.py",
    "pipeline/typography/image_metadata.py",
    "pipeline/typography/templates.py",
    "pipeline/typography/messages.py",
    "pipeline/writers/__init__.py",
    "templates/words/*.toml",
)
_MARKUP = ("pipeline/writers/anchors.py", "pipeline/writers/columns.py", "pipeline/writers/markup.py")
_PAGE = (
    "pipeline/typography/feed_list.py",
    "pipeline/typography/downloads.py",
    "pipeline/site/assets.py",
)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


class Rendition(Struct, frozen=True):
    """A file that was made: what pages, records and feeds state about it."""

    format: str
    """Name of its row in ``FORMATS``, ``picture``, or ``copy`` for a smaller one."""
    key: str
    size: int
    """Bytes."""
    sha256: str
    pages: int = 0
    """Printed pages, 0 where the format has none."""


FORMATS: tuple[Format, ...] = (
    Format(
        "text", "text", ".txt", "text/plain; charset=utf-8", "Text", "files", True, ("pipeline/writers/text.py", *_ALL)
    ),
    Format(
        "pdf",
        "pdf",
        ".pdf",
        "application/pdf",
        "PDF",
        "files",
        False,
        (
            "pipeline/writers/pdf/*.py",
            *_MARKUP,
            "templates/article.*",
            "templates/print.css",
            "templates/fonts.conf",
            *_ALL,
        ),
        pooled=True,
    ),
    Format(
        "docx",
        "docx",
        ".docx",
        _WORD,
        "Word",
        "files",
        True,
        ("pipeline/writers/docx/*.py", *_MARKUP, "templates/reference.docx", *_ALL),
        pooled=True,
    ),
    Format(
        "kit",
        "kit",
        ".zip",
        "application/zip",
        "Press kit",
        "files",
        True,
        ("pipeline/writers/kit.py", "pipeline/typography/contact_cards.py", *_ALL),
        after=("text", "pdf", "docx"),
        packs=True,
    ),
    Format(
        "html",
        "html",
        ".html",
        "text/html; charset=utf-8",
        "Page",
        "pages",
        False,
        ("pipeline/writers/html*.py", *_MARKUP, *_PAGE, "templates/*", *_ALL),
        address=True,
        after=("text", "pdf", "docx", "kit"),
        names_others=True,
        notice=True,
    ),
    Format(
        "json",
        "ninjs",
        ".json",
        "application/json",
        "Data",
        "records",
        False,
        ("pipeline/writers/ninjs.py", *_MARKUP, "templates/fragment.html.j2", *_ALL),
        address=True,
        after=("text", "pdf", "docx", "kit", "html"),
        names_others=True,
        notice=True,
    ),
)

MEDIA_TYPES: dict[str, str] = {
    **{row.suffix: row.media_type for row in FORMATS},
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".vcf": "text/vcard; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
}
"""By suffix. Python's own table knows neither .docx nor .woff2 everywhere, so there is no other."""

FEEDS = "feeds/"
"""Where the narrower feeds stand."""
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


def formats_of(withdrawn: bool) -> tuple[Format, ...]:
    """Return the formats that a release has."""
    return tuple(row for row in FORMATS if row.notice or not withdrawn)


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
    return MEDIA_TYPES[key[key.rindex(".") :].lower()]
