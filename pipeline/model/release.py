"""A press release as data. The reader builds it; nothing is parsed here.

Dates are aware ``datetime``s that keep the offset the author wrote. Telephone numbers keep the author's grouping;
``tel_uri`` returns the RFC 3966 form.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pipeline.model.document import Block, Figure
from pipeline.model.footage import Footage, FootageFile

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
SLUG_LIMIT = 80
RESERVED = frozenset(
    ["index", "con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
)
"""Slugs that are not allowed: ``index`` is a page of ours, the others are device names on Windows."""

PANORAMA = 4
"""A picture is a panorama if its width is at least this many times its height."""


class Fact(Struct, frozen=True):
    """A fact of a release that every format shows in its letterhead. ``docs/extending.md`` has the recipe for one."""

    key: str
    """Key in the front matter, role in the record, and name of its message, as in ``Reference: {reference}``."""
    kind: Literal["text", "address", "date"] = "text"
    """An address becomes a link and is checked as links in the text are; a date is an instant with an offset."""
    schema: str = ""
    """Property of schema.org under which the page states it to machines; empty for none."""
    is_words: bool = True
    """Its change in a public release needs a correction."""


FACTS: tuple[Fact, ...] = (Fact("reference", schema="identifier", is_words=False), Fact("ai"))
"""In the order in which they are shown."""


class Contact(Struct, frozen=True):
    """A person or an office that journalists can call."""

    id: str
    name: str
    role: str = ""
    telephone: str = ""
    out_of_hours: str = ""
    email: str = ""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of the languages that the person speaks."""


class Correction(Struct, frozen=True):
    """A public correction of a published release."""

    date: datetime
    note: str


class Withdrawal(Struct, frozen=True):
    """The public notice that replaces a withdrawn release."""

    date: datetime
    reason: str
    replaced_by: str = ""
    """Slug of the replacement, or empty."""


class PictureSize(Struct, frozen=True):
    """One file of a picture: the picture itself or a smaller copy."""

    file: str
    """Name below ``releases/SLUG/``."""
    width: int
    height: int
    size: int
    sha256: str


SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""Where IPTC's NewsCodes of source types are."""
CAMERA, COMPOSITE, AI_MADE, AI_EDITED = (
    "digitalCapture",
    "composite",
    "trainedAlgorithmicMedia",
    "compositeWithTrainedAlgorithmicMedia",
)
_TAKEN = (CAMERA, "computationalCapture", "negativeFilm", "positiveFilm", "print", "minorHumanEdits", "humanEdits")
_COMPOSED = (COMPOSITE, "compositeCapture", "compositeSynthetic")
_DRAWN = ("algorithmicMedia", "dataDrivenMedia", "digitalArt", "digitalCreation", "softwareImage", "virtualRecording")
SOURCE_TYPES = frozenset([*_TAKEN, *_COMPOSED, *_DRAWN, "algorithmicallyEnhanced", "screenCapture", AI_MADE, AI_EDITED])
"""The NewsCodes, retired ones included."""

MadeWith = Literal["", "camera", "composite", "ai"]


class Rights(Struct, frozen=True):
    """What the author says about the rights and the making of a picture."""

    copyright: str = ""
    """The notice: ``© 2026 Ann Lee``."""
    usage: str = ""
    """What may be done with it."""
    rights_page: str = ""
    """Address of the page that says so, and whom to ask."""
    made_with: MadeWith = ""


class Picture(Struct, frozen=True):
    """A picture as it is published: checked, upright, with no metadata but what the release says about it."""

    file: str
    """Name below ``releases/SLUG/``, with the suffix of ``media_type``."""
    media_type: str
    width: int
    height: int
    """In pixels, after the orientation flag was applied."""
    size: int
    sha256: str
    copies: tuple[PictureSize, ...] = ()
    """Smaller copies in screen colours (sRGB), narrowest first."""
    shown: bool = True
    """Whether pages and documents may show the file itself: it is small enough and in screen colours."""
    transparent: bool = False
    """Whether what lies below it shows through, so that a dark page must put a light ground there."""
    thumbnail: PictureSize | None = None
    """A small copy, cut to one shape for lists; of the first picture of a release only."""
    rights: Rights = Rights()
    source: str = ""
    """One of ``SOURCE_TYPES``, as the author and the incoming file say it together; empty when neither does."""

    @property
    def source_uri(self) -> str:
        """The URI of ``source``; empty without one."""
        return self.source and SOURCE_TYPE + self.source

    @property
    def mark(self) -> str:
        """Name of the message about AI that stands beside the credit; empty for a picture made without."""
        return {AI_MADE: "made_with_ai", AI_EDITED: "edited_with_ai"}.get(self.source, "")

    @property
    def files(self) -> tuple[PictureSize, ...]:
        """All files of the picture; the picture itself comes first."""
        whole = PictureSize(self.file, self.width, self.height, self.size, self.sha256)
        return (whole, *self.copies, *((self.thumbnail,) if self.thumbnail else ()))

    @property
    def sizes(self) -> tuple[PictureSize, ...]:
        """The files that pages may show, narrowest first. There is at least one."""
        return (*self.copies, self.files[0]) if self.shown else self.copies

    def at(self, width: int) -> PictureSize:
        """Return the smallest file that is at least ``width`` pixels wide, or the largest."""
        return next((size for size in self.sizes if size.width >= width), self.sizes[-1])

    @property
    def stretch(self) -> float:
        """How many times wider than other pictures it is shown: a panorama would be too low otherwise."""
        return max(1.0, self.width / self.height / PANORAMA)


class Related(Struct, frozen=True):
    """Another release that a page links to."""

    slug: str
    language: str
    title: str
    rel: Literal["alternate", "prev", "next", "replacement", "same_topic"] = "alternate"
    """A translation, the previous or next release (as HTML names these relations), the replacement, or an earlier
    release on the same topic."""
    date: datetime | None = None
    """Of a release on the same topic."""


class Release(Struct, frozen=True):
    """One press release as its author wrote it."""

    slug: str
    title: str
    date: datetime
    language: str
    """BCP 47 tag, e.g. ``en-GB``."""
    body: tuple[Block, ...]
    summary: str
    """One paragraph of plain text. If the author wrote none: the first paragraph of the body, or the reason of the
    withdrawal."""
    subtitle: str = ""
    dateline: str = ""
    """The place, printed before the first sentence."""
    facts: dict[str, str] = {}
    """Values of ``FACTS`` by key: text and addresses as typed, dates in RFC 3339. Keys without a value are missing."""
    embargo: bool = False
    draft: bool = False
    translation_of: str = ""
    topics: tuple[str, ...] = ()
    """Ids of topics in newsroom.toml."""
    contacts: tuple[Contact, ...] = ()
    footage: tuple[Footage, ...] = ()
    image: Figure | None = None
    notes: tuple[Block, ...] = ()
    """Notes to editors with their heading; printed after the end mark and the boilerplate."""
    pictures: tuple[Picture, ...] = ()
    """The pictures of ``image``, ``body`` and ``notes``, each once, in order of appearance."""
    corrections: tuple[Correction, ...] = ()
    """Newest first."""
    withdrawn: Withdrawal | None = None
    was: tuple[str, ...] = ()
    """Old addresses below the newsroom, as in ``press/1999/tapes.html``; they lead to the release once it is public."""

    @property
    def modified(self) -> datetime:
        """The date of the newest correction or of the withdrawal; without either, the release's own date."""
        stamps = [self.date, *(correction.date for correction in self.corrections)]
        return max([*stamps, self.withdrawn.date] if self.withdrawn else stamps)

    @property
    def revision(self) -> int:
        """1 when first published, plus 1 for each correction, plus 1 for a withdrawal."""
        return 1 + len(self.corrections) + (self.withdrawn is not None)

    def is_public(self, now: datetime) -> bool:
        """Whether the release may be public at ``now`` (aware): it is no draft and its date has come."""
        return not self.draft and self.date <= now

    @property
    def picture_files(self) -> tuple[str, ...]:
        """The file names of all pictures, each followed by those of its copies."""
        return tuple(each.file for picture in self.pictures for each in picture.files)

    @property
    def footage_files(self) -> tuple[FootageFile, ...]:
        """The files of all footage notices, each name once."""
        return tuple({each.file: each for notice in self.footage for each in notice.files}.values())

    @property
    def has_shots(self) -> bool:
        """Whether a footage notice has a shot list."""
        return any(notice.shots for notice in self.footage)

    def picture(self, file: str) -> Picture:
        """Return the picture that ``Figure.file`` names. Raises KeyError if the release does not have it."""
        for picture in self.pictures:
            if picture.file == file:
                return picture
        raise KeyError(file)


def source_of(made_with: MadeWith, incoming: str) -> str | None:
    """Return the source type of a picture that its author describes and whose file states ``incoming``.

    None means that the two contradict each other: a file that says that it was made otherwise is no photograph.
    """
    match made_with:
        case "camera":
            known = (*_TAKEN, "algorithmicallyEnhanced")
            return (incoming if incoming in known else None) if incoming else CAMERA
        case "composite" if incoming in (AI_MADE, AI_EDITED):
            return AI_EDITED
        case "composite":
            return incoming if incoming in _COMPOSED else COMPOSITE
        case "ai":
            return AI_MADE if incoming in ("", AI_MADE, "algorithmicMedia") else AI_EDITED
    return incoming


def to_minute(instant: datetime) -> datetime:
    """Return the beginning of its minute: authors write no seconds, so two dates of one minute count as the same."""
    return instant.replace(second=0, microsecond=0)


def tel_uri(number: str) -> str:
    """Return ``number`` as a ``tel:`` URI (RFC 3966): digits with a leading plus, ``;ext=`` for an extension."""
    main, _, extension = re.sub(r"(?i)\s*(?:ext\.?|x)\s*(?=\d+\s*$)", ";", number).partition(";")
    digits = re.sub(r"\(0\)|[^\d+]", "", main)
    return f"tel:{digits}" + (f";ext={re.sub(r'[^0-9]', '', extension)}" if extension.strip() else "")
