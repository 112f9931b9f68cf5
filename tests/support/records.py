"""Records of every kind of release, for the tests that compare them with the standard."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from pipeline.model.footage import Footage
from pipeline.model.formats import Rendition
from pipeline.model.release import Related, Rights, Withdrawal
from pipeline.model.revision import RevisionRecord
from pipeline.writers import RenderInput
from tests.support import sample

PICTURE = Rendition("picture", "releases/sample/tape.png", 4321, "b" * 64)
_ARCHIVED = (Rendition("pdf", "releases/sample/r1/sample.pdf", 26_000, "c" * 64),)
RIGHTS = Rights("© 2026 Ann Lee", "Free for news use", "https://example.org/vidéo?a=%20|")
_ODD_ADDRESSES = (
    "https://example.org/vidéo?a=%20|",
    "https://bücher.example.org/100%",
    "http://[::1]:8080/a[1]?q[]=1#a#b",
)


def render_input(**changes: object) -> RenderInput:
    found = sample.render_input(**changes)  # type: ignore[arg-type]  # the release's own keywords
    return msgspec.structs.replace(found, renditions=(*found.renditions, PICTURE))


def everything() -> RenderInput:
    """A record in which every property that we ever write is there."""
    newsroom = msgspec.structs.replace(sample.NEWSROOM, reuse="Free to reprint.", website="https://example.org/")
    whole = msgspec.structs.replace(sample.FOOTAGE, email="tapes@example.org", rights="News use only")
    footage = tuple(
        msgspec.structs.replace(whole, url="https://example.org/tape", preview=odd) for odd in _ODD_ADDRESSES
    )
    shot = msgspec.structs.replace(sample.release().pictures[0], rights=RIGHTS, source="trainedAlgorithmicMedia")
    found = render_input(newsroom=newsroom, embargoed=True, footage=footage, pictures=(shot,))
    return msgspec.structs.replace(found, related=(Related("sample-ar", "ar", "عنوان"),), past=past())


def plain() -> RenderInput:
    """A record with as little as there can be."""
    bare = msgspec.structs.replace(sample.NEWSROOM, tag_authority="", boilerplate="")
    return sample.render_input(
        bare, subtitle="", dateline="", facts={}, topics=(), contacts=(), footage=(), corrections=(), notes=(),
        pictures=(), body=(sample.para("Words."),),
    )  # fmt: skip


def past() -> tuple[RevisionRecord, ...]:
    """A minor change, a correction with archived files, and a withdrawal that was taken back."""
    day = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    return (
        RevisionRecord(1, day, "1" * 64, minor="2026-03-02"),
        RevisionRecord(1, day, "2" * 64, files=_ARCHIVED),
        RevisionRecord(2, day, "3" * 64, "It was wrong.", withdrawn=True),
    )


def in_languages() -> RenderInput:
    others = (Related("a", "ar", "عنوان"), Related("f", "fr", "Titre"), Related("z", "zh-Hant-TW", "標題"))
    return msgspec.structs.replace(render_input(), related=others)


def without_authority() -> RenderInput:
    """Its permanent name is a UUID; its footage notice has words alone."""
    bare = msgspec.structs.replace(sample.NEWSROOM, tag_authority="")
    return msgspec.structs.replace(sample.render_input(bare, footage=(Footage("Seen."),)), past=past())


def withdrawn() -> RenderInput:
    withdrawal = Withdrawal(datetime(2026, 3, 3, tzinfo=UTC), "It was wrong.", "better")
    return msgspec.structs.replace(render_input(withdrawn=withdrawal), past=past())


RECORDS = {
    "everything": everything(),
    "usual": render_input(),
    "plain": plain(),
    "languages": in_languages(),
    "without authority": without_authority(),
    "withdrawn": withdrawn(),
    "film": render_input(footage=(sample.FILM,)),
    "film to come": render_input(footage=(sample.FILM,), missing={"preview.mp4": "coming"}),
}
"""What the records are made from, by a name for the test."""
