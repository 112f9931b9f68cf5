"""What a newsroom is: the organisation that issues releases, its contacts, footage, topics and settings.

``content/newsroom.toml`` as types; ``pipeline.reader`` reads the file.
"""

from __future__ import annotations

import uuid
from typing import Literal

from msgspec import Struct

from pipeline.model.release import Contact, Footage

FILE = "newsroom.toml"

Paper = Literal["A4", "Letter"]


class Topic(Struct, frozen=True):
    """A subject that releases can be filed under; ``labels`` maps a BCP 47 tag to the name in that language."""

    id: str
    label: str
    labels: dict[str, str] = {}


class Newsroom(Struct, frozen=True):
    """The organisation and its house rules."""

    name: str
    language: str
    """BCP 47 tag of releases that name none."""
    time_zone: str
    """IANA name, e.g. ``Europe/London``: the zone in which dates are printed."""
    boilerplate: str = ""
    """Paragraphs about the organisation, separated by blank lines; plain text."""
    boilerplates: dict[str, str] = {}
    """The same in other languages, by BCP 47 tag."""
    languages: tuple[str, ...] = ()
    """Every language that releases may have, the default among them."""
    mark: str = ""
    """File name of the organisation's mark (PNG) beside newsroom.toml, or empty."""
    accent: str = "#8a1c1c"
    """Accent colour as ``#rrggbb``; has at least 4.5:1 on white."""
    paper: Paper = "A4"
    reuse: str = ""
    """Terms on which the releases may be reused, plain text."""
    reuses: dict[str, str] = {}
    """The same in other languages, by BCP 47 tag."""
    website: str = ""
    base_url: str = ""
    """Public address of the newsroom, ending in a slash, or empty: the storage's own."""
    tag_authority: str = ""
    """RFC 4151 tagging entity (``name,date``) for guids that outlive a move."""
    feed_items: int = 100
    contacts: tuple[Contact, ...] = ()
    default_contacts: tuple[str, ...] = ()
    footage: dict[str, Footage] = {}
    default_footage: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()

    def guid(self, slug: str) -> str:
        """Return a release's permanent name: a tag URI (RFC 4151) on the newsroom's authority.

        Without one it is a name-based UUID (RFC 9562) of organisation and slug, so that it outlives a move too.
        """
        if self.tag_authority:
            return f"tag:{self.tag_authority}:releases/{slug}"
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/{slug}").urn

    def feed_id(self, path: str) -> str:
        """Return a feed's permanent name likewise; ``path`` is where it stands, without the format's suffix."""
        if self.tag_authority:
            return f"tag:{self.tag_authority}:feeds/{path}"
        return uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name}/feeds/{path}").urn

    def boilerplate_in(self, language: str) -> str:
        """Return the boilerplate for ``language``, for its primary subtag, or the default one."""
        return _in(language, self.boilerplates) or self.boilerplate

    def reuse_in(self, language: str) -> str:
        """Return the terms of reuse likewise, on one line."""
        return " ".join((_in(language, self.reuses) or self.reuse).split())

    def topic_label(self, topic: str, language: str) -> str:
        """Return the name of topic id ``topic`` in ``language``, else its default name."""
        for known in self.topics:
            if known.id == topic:
                return _in(language, known.labels) or known.label
        return topic


def _in(language: str, texts: dict[str, str]) -> str:
    """Return the text for ``language`` or for its primary subtag, empty when there is neither."""
    return texts.get(language) or texts.get(language.split("-")[0], "")
