"""The shot list as a text: numbered, by place and day, with sound bites and restrictions, as news agencies write it."""

from __future__ import annotations

import pytest

from pipeline.model.formats import FORMATS, by_name, formats_of, media_type
from pipeline.writers import kit, shots, text
from tests.support import sample

LIST = """\
SHOT LIST: sample
Restrictions: No archive use after 2027. No use in advertising.

SEOUL, 12 SEPTEMBER 1998
1. 00:00:00 Exterior of the archive, the door opens
2. 00:00:09:12 Rows of cassettes, pan from left to right
3. 00:00:21 Interview at a desk
    SOUND BITE (Korean) Kim Seo-yeon, Head of the archive: “We counted every tape, and nobody had asked us to.”

SEOUL, SEPTEMBER 1998
4. 00:00:44 Close-up of a label

LONDON, 1999
5. 00:00:52 Street with the archive’s sign
6. 00:01:03 Interview in the street
    SOUND BITE (French) A visitor

7. 00:01:20 A player winds a tape back

LONDON
8. 00:01:58:24 The lamp of the reading room goes out

TRANSCRIPT

The reading room opens at nine.

“We counted every tape,” says the archivist.

MEDIA CONTACT
"""
MASTER = (
    "Master (Korean): QuickTime, ProRes, 1920 × 1080, 29.97 fps, interlaced, 2 × PCM 2 ch, 2:10, 1.8 GB "
    "(https://press.example.org/releases/sample/seoul-master.mov)\n"
)


def copy(**changes: object) -> str:
    return shots.write(sample.render_input(**{"footage": (sample.FILM,), **changes})).data.decode()  # type: ignore[arg-type]  # the test's own keywords


def test_shot_list_stands_between_headline_and_contacts() -> None:
    written = copy()
    assert written.startswith(
        "OPEN WINDOW ARCHIVE\nPress release\nReference: OW 12/2026\n1 March 2026\n\nFOR IMMEDIATE"
    )
    assert f"\n\nA title with “quotes” & ampersands\n\n{LIST}" in written
    assert written.count(MASTER) == 1
    assert "The first sentence" not in written


def test_wire_copy_has_the_same_list_after_the_notes() -> None:
    written = text.write(sample.render_input(footage=(sample.FILM,))).data.decode()
    assert f"- Another note.\n\n{LIST}" in written
    assert MASTER in written


def test_list_under_embargo_says_so_first() -> None:
    assert "\n\nEMBARGOED UNTIL" in copy(embargoed=True).split("A title")[0]


@pytest.mark.parametrize(
    ("withdrawn", "has_shots", "there"), [(False, True, True), (False, False, False), (True, True, False)]
)
def test_only_a_release_with_shots_has_the_file(withdrawn: bool, has_shots: bool, there: bool) -> None:
    names = [row.name for row in formats_of(withdrawn=withdrawn, pictured=True, shots=has_shots)]
    assert ("shots" in names) == there


def test_file_is_a_download_of_its_own_that_the_kit_packs() -> None:
    row = by_name("shots")
    assert row.key("sample") == "releases/sample.shots.txt"
    assert media_type(row.key("sample")) == "text/plain; charset=utf-8"
    assert "shots" in by_name("kit").after
    assert [each.name for each in FORMATS if each.beside == "text"] == ["shots"]
    assert kit.__doc__
