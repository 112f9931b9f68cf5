"""What every format says of footage: facts of files, conditions, shots by place and day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.model.document import Heading, Paragraph, Table, plain
from pipeline.model.footage import AudioTrack, Footage, FootageFile, Measured, Missing, Shot
from pipeline.model.release import Withdrawal
from pipeline.typography.article import Line, compose, compose_footer, footer_lines
from pipeline.typography.footage import NO_BREAK, file_facts, file_label, films, running_time, short_facts
from pipeline.typography.messages import Messages
from tests.support import sample

ENGLISH = Messages("en-GB", "Europe/London")
PCM = AudioTrack("PCM", 1, 48_000)
MOVIE = Measured("MP4", 130, "H.264", 1280, 720, "25", "progressive", (AudioTrack("AAC", 2, 48_000),))


def file(name: str = "film.mp4", size: int = 32_400_000, measured: Measured | None = None) -> FootageFile:
    return FootageFile(name, "master", size, "0" * 64, measured=measured)


def facts(found: FootageFile, language: str = "en-GB") -> str:
    return file_facts(found, Messages(language, "UTC")).replace(NO_BREAK, " ")


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (file(measured=MOVIE), "MP4, H.264, 1280 × 720, 25 fps, progressive, AAC 2 ch, 2:10, 32.4 MB"),
        (
            file("a.mxf", 2_100_000_000, replace(MOVIE, container="MXF", scan="interlaced", audio=(PCM,) * 8)),
            "MXF, H.264, 1280 × 720, 25 fps, interlaced, 8 × PCM 1 ch, 2:10, 2.1 GB",
        ),
        (
            file(measured=replace(MOVIE, frame_rate="29.97", scan="", audio=(replace(PCM, language="ko"), PCM))),
            "MP4, H.264, 1280 × 720, 29.97 fps, PCM 1 ch (Korean), PCM 1 ch, 2:10, 32.4 MB",
        ),
        (file("a.wav", 900_000, Measured("WAV", 0.4, audio=(PCM,))), "WAV, PCM 1 ch, 0:01, 900 KB"),
        (file("a.mov"), "MOV, 32.4 MB"),
        (file("a.mov", 0), "MOV"),
        (file("a.JPG", 84_000, Measured("", 0, "", 1280, 720)), "JPEG, 1280 × 720, 84 KB"),
        (file("a.vtt", 3000), "WebVTT, 3 KB"),
    ],
)  # fmt: skip
def test_facts_of_a_file_are_those_that_were_measured(found: FootageFile, said: str) -> None:
    assert facts(found) == said


def test_facts_are_in_the_language_of_the_release() -> None:
    found = file(measured=replace(MOVIE, frame_rate="29.97", scan="interlaced"))
    assert facts(found, "de") == "MP4, H.264, 1280 × 720, 29,97 Bilder/s, interlaced, AAC 2 ch, 2:10, 32,4 MB"
    assert file_label(replace(found, language="ko"), Messages("de", "UTC")) == "Master (Koreanisch)"
    assert file_label(replace(found, role="poster"), ENGLISH) == "Still"
    assert short_facts(found, ENGLISH) == "MP4, 32.4 MB"


@pytest.mark.parametrize(("language", "comma"), [("ar", "،"), ("fa", "،"), ("he", ",")])
def test_facts_are_kept_apart_in_a_text_from_right_to_left(language: str, comma: str) -> None:
    """Without marks, figures of one fact would be shown within another: 1280 × 720 would be turned round."""
    found = facts(file(measured=MOVIE), language).split(f"{comma}\u200f ")
    assert found[:3] == ["\u200eMP4\u200e", "\u200eH.264\u200e", "\u200e1280 × 720\u200e"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "0:01"), (59.6, "1:00"), (130, "2:10"), (3599.4, "59:59"), (3600, "1:00:00")]
)
def test_running_time_is_written_as_players_do(seconds: float, said: str) -> None:
    assert running_time(seconds) == said


def lines(embargoed: bool = False, missing: Mapping[str, Missing] = {}, **changes: Any) -> list[Line]:
    release = sample.release(footage=(sample.FILM,), **changes)
    article = compose(release, sample.NEWSROOM, ENGLISH, base_url=sample.BASE, embargoed=embargoed, missing=missing)
    (party,) = article.footer.footage
    return [replace(line, value=line.value.replace(NO_BREAK, " ")) for line in party.lines]


def all_of(missing: Missing) -> dict[str, Missing]:
    return {each.file: missing for each in sample.FILM.files}


def test_files_are_links_and_a_text_states_their_address() -> None:
    found = {line.label: line for line in lines()}
    assert found["Available on"].value == "Beta SP, Betacam SX"
    assert found["Restrictions"].value == "No archive use after 2027. No use in advertising."
    assert found["Master (Korean)"].href == "sample/seoul-master.mov"
    assert found["Master (Korean)"].address == f"{sample.BASE}releases/sample/seoul-master.mov"
    assert list(found)[-6:-1] == ["Master (Korean)", "Preview", "Sound", "Still", "Captions"]
    assert found["Files available until"].value.startswith("Sunday, 31 January 2027, 00:00")
    text = "\n".join(footer_lines(compose_footer((), (sample.FILM,), ENGLISH), "en"))
    assert "master" not in text, "a newsroom's own pages list no files, because they are in the folders of releases"


@pytest.mark.parametrize(("embargoed", "said"), [(False, "available in a moment"), (True, "when the embargo ends")])
def test_files_that_are_not_there_yet_are_announced_without_a_link(embargoed: bool, said: str) -> None:
    found = [line for line in lines(missing=all_of("coming"), embargoed=embargoed) if said in line.value]
    assert [line.label for line in found] == ["Master (Korean)", "Preview", "Sound", "Still", "Captions"]
    assert not [line for line in found if line.href or line.address]
    assert found[1].value.startswith("MP4, H.264, 1280 × 720")


def test_files_that_were_taken_down_are_one_line_with_the_day() -> None:
    assert [(line.label, line.value) for line in lines(missing=all_of("gone"))][-2:] == [
        ("Telephone", "+44 117 930 4099"),
        ("Files no longer available since", "31 January 2027"),
    ]


def test_withdrawn_release_has_neither_files_nor_shots() -> None:
    withdrawn = Withdrawal(datetime(2026, 3, 5, tzinfo=UTC), "It was wrong.")
    assert "Master (Korean)" not in [line.label for line in lines(withdrawn=withdrawn)]
    release = sample.release(footage=(sample.FILM,), withdrawn=withdrawn)
    assert compose(release, sample.NEWSROOM, ENGLISH, base_url=sample.BASE).films == ()


# ── Shots and transcript ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shot", "where", "bite"),
    [
        (Shot("00:00:00", "A", "Seoul", "1998-09-12"), "Seoul, 12 September 1998", ""),
        (Shot("00:00:00", "A", "Seoul", "1998-09"), "Seoul, September 1998", ""),
        (Shot("00:00:00", "A", "", "1998"), "1998", ""),
        (Shot("00:00:00", "A", "Seoul"), "Seoul", ""),
        (
            Shot("00:00:00", "A", speaker="Pierre Sané", role="Secretary General", language="fr", quote="Yes."),
            "",
            "Sound bite (French) Pierre Sané, Secretary General: “Yes.”",
        ),
        (Shot("00:00:00", "A", speaker="Pierre Sané"), "", "Sound bite Pierre Sané"),
        (Shot("00:00:00", "A", quote="Yes."), "", "Sound bite “Yes.”"),
        (Shot("00:00:00", "A", language="fr"), "", "Sound bite (French)"),
    ],
)
def test_entry_of_a_shot_list_says_where_when_and_who_speaks(shot: Shot, where: str, bite: str) -> None:
    (film,) = films([Footage("A film.", shots=(shot,))], ENGLISH)
    (entry,) = film.shots
    assert (entry.where.replace(NO_BREAK, " "), entry.bite) == (where, bite)


def test_day_of_a_shot_is_the_one_written_in_every_time_zone() -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        (film,) = films([Footage("A film.", shots=(Shot("00:00:00", "A", date="1998-09-12"),))], Messages("en", zone))
        assert film.shots[0].where.replace(NO_BREAK, " ") == "September 12, 1998"


def test_shots_that_follow_each_other_at_one_place_and_day_are_a_group() -> None:
    (film,) = films([sample.FILM], ENGLISH)
    assert [(where.replace(NO_BREAK, " "), [number for number, _ in shots]) for where, shots in film.groups] == [
        ("Seoul, 12 September 1998", [1, 2, 3]),
        ("Seoul, September 1998", [4]),
        ("London, 1999", [5, 6]),
        ("", [7]),
        ("London", [8]),
    ]


def test_shot_list_is_a_table_and_the_transcript_paragraphs() -> None:
    (film,) = films([sample.FILM], ENGLISH)
    heading, table, spoken, first, last = film.blocks
    assert isinstance(heading, Heading)
    assert isinstance(spoken, Heading)
    assert isinstance(table, Table)
    assert isinstance(last, Paragraph)
    assert (plain(heading.children), plain(spoken.children)) == ("Shot list", "Transcript")
    assert [plain(cell.children) for cell in table.head] == ["Time code", "Shot", "Place and date"]
    assert len(table.rows) == len(sample.FILM.shots)
    assert first == Paragraph(tuple(sample.line("The reading room opens at nine.")))


def test_table_has_no_column_without_values_and_films_are_numbered() -> None:
    bare = Footage("A film.", shots=(Shot("00:00:00", "A"),))
    first, second = films([bare, Footage("No shots."), bare], ENGLISH)
    assert [film.heading for film in (first, second)] == ["Shot list 1", "Shot list 2"]
    table = first.shot_list[1]
    assert isinstance(table, Table)
    assert len(table.head) == len(table.rows[0]) == len(table.alignments) == 2
    assert films([Footage("A film.")], ENGLISH) == ()
