"""What a release is: types and their invariants, no parsing.

Dates are aware ``datetime``s that keep the offset the author wrote. Telephone numbers keep the author's grouping;
``tel_uri`` gives the RFC 3966 form.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pipeline.model.document import Block, Figure

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
SLUG_LIMIT = 80
RESERVED = frozenset(
    ["index", "con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))]
)
"""Slugs that would take the listing's place, or that Windows cannot save."""


PANORAMA = 4
"""Times that a picture is wider than high from which on it is a panorama."""


class Contact(Struct, frozen=True):
    """A person or desk that journalists may call."""

    id: str
    name: str
    role: str = ""
    telephone: str = ""
    out_of_hours: str = ""
    email: str = ""
    languages: tuple[str, ...] = ()
    """BCP 47 tags of the languages spoken."""


class Footage(Struct, frozen=True):
    """A footage notice: what was filmed, on which carrier, and who supplies copies."""

    notice: str
    """One or more sentences: what is on the footage, filmed where and when."""
    carrier: str = ""
    duration: str = ""
    rights: str = ""
    supplier: str = ""
    telephone: str = ""
    email: str = ""
    url: str = ""
    preview: str = ""


class Correction(Struct, frozen=True):
    """A public correction of something already published."""

    date: datetime
    note: str


class Withdrawal(Struct, frozen=True):
    """The public notice that replaces a withdrawn release."""

    date: datetime
    reason: str
    replaced_by: str = ""
    """Slug of the release to read instead, or empty."""


class PictureSize(Struct, frozen=True):
    """One size of a picture, as pages show it."""

    file: str
    """Name below ``releases/SLUG/``."""
    width: int
    height: int
    size: int
    sha256: str


class Picture(Struct, frozen=True):
    """A picture as it is given out: checked, upright, without metadata."""

    file: str
    """Name below ``releases/SLUG/``, with the suffix of ``media_type``."""
    media_type: str
    width: int
    height: int
    """Pixels, after the orientation flag was applied."""
    size: int
    sha256: str
    copies: tuple[PictureSize, ...] = ()
    """Smaller ones in the colours of screens, the narrowest first."""
    shown: bool = True
    """Pages and documents may show the file itself: it is light, and has the colours of screens."""

    @property
    def files(self) -> tuple[PictureSize, ...]:
        """All files of it, the picture itself first."""
        return (PictureSize(self.file, self.width, self.height, self.size, self.sha256), *self.copies)

    @property
    def sizes(self) -> tuple[PictureSize, ...]:
        """What may be shown, the narrowest first; there is always one."""
        return (*self.copies, self.files[0]) if self.shown else self.copies

    def at(self, width: int) -> PictureSize:
        """Return the smallest size that is ``width`` pixels wide, or else the largest."""
        return next((size for size in self.sizes if size.width >= width), self.sizes[-1])

    @property
    def stretch(self) -> float:
        """How much wider than other pictures it is shown: a panorama's height is what must be seen."""
        return max(1.0, self.width / self.height / PANORAMA)


class Related(Struct, frozen=True):
    """Another release that a page links to."""

    slug: str
    language: str
    title: str
    rel: Literal["alternate", "prev", "next", "instead"] = "alternate"
    """The same one in another language, or the one before or after it, as HTML calls them; or what replaces it."""


class Release(Struct, frozen=True):
    """One press release as the reader found it, in the words of its author."""

    slug: str
    title: str
    date: datetime
    language: str
    """BCP 47 tag, e.g. ``en-GB``."""
    body: tuple[Block, ...]
    summary: str
    """One paragraph of plain text; when the author wrote none, the first paragraph of the body, or, of a release that
    is withdrawn, the reason."""
    subtitle: str = ""
    dateline: str = ""
    """Place, as printed before the first sentence."""
    reference: str = ""
    embargo: bool = False
    draft: bool = False
    translation_of: str = ""
    topics: tuple[str, ...] = ()
    """Ids declared in newsroom.toml."""
    contacts: tuple[Contact, ...] = ()
    footage: tuple[Footage, ...] = ()
    image: Figure | None = None
    notes: tuple[Block, ...] = ()
    """Notes to editors, their heading first; they stand after the end mark and the boilerplate."""
    pictures: tuple[Picture, ...] = ()
    """The lead picture's, the body's and the notes', in order of appearance, each once."""
    corrections: tuple[Correction, ...] = ()
    """Newest first."""
    withdrawn: Withdrawal | None = None

    @property
    def modified(self) -> datetime:
        """The instant of the newest correction or of the withdrawal, else the release's own date."""
        stamps = [self.date, *(correction.date for correction in self.corrections)]
        return max([*stamps, self.withdrawn.date] if self.withdrawn else stamps)

    @property
    def revision(self) -> int:
        """1 for a release as first issued, one more for each correction, and one more when it is withdrawn."""
        return 1 + len(self.corrections) + (self.withdrawn is not None)

    def is_public(self, now: datetime) -> bool:
        """Whether the world may know of this release at ``now`` (aware): true from the very instant of its date."""
        return not self.draft and self.date <= now

    @property
    def picture_files(self) -> tuple[str, ...]:
        """The names of its pictures, each followed by those of its copies."""
        return tuple(each.file for picture in self.pictures for each in picture.files)

    def picture(self, file: str) -> Picture:
        """Return the picture that a ``Figure.file`` names. Raises KeyError for one that the release does not have."""
        for picture in self.pictures:
            if picture.file == file:
                return picture
        raise KeyError(file)


def tel_uri(number: str) -> str:
    """Return ``number`` as a ``tel:`` URI (RFC 3966): digits with a leading plus, ``;ext=`` for an extension."""
    main, _, extension = re.sub(r"(?i)\s*(?:ext\.?|x)\s*(?=\d+\s*$)", ";", number).partition(";")
    digits = re.sub(r"\(0\)|[^\d+]", "", main)
    return f"tel:{digits}" + (f";ext={re.sub(r'[^0-9]', '', extension)}" if extension.strip() else "")
