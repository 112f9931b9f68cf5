"""What ``make check`` warns of in a release that is otherwise right."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pipeline.model.footage import Footage
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import Contact
from pipeline.reader import read_release
from tests.support.reading import picture

CALLED = Contact("desk", "Press desk", telephone="+44 20 7946 0312")
NEWSROOM = Newsroom(
    name="Open Window Archive",
    language="en-GB",
    time_zone="Europe/London",
    languages=("en-GB", "de", "fr", "es", "ar", "ko", "ja", "zh-Hans", "ru", "he", "pt"),
    contacts=(CALLED, Contact("mail", "By mail", email="press@example.org")),
    default_contacts=("desk",),
)
QUOTED = "“We are glad that it is open at last,” said Ada Rey."


def warned(
    folder: Path,
    body: str,
    *,
    newsroom: Newsroom = NEWSROOM,
    title: str = "A title",
    summary: str = "In short.",
    more: str = "",
) -> list[tuple[int, str, str]]:
    """Return line, name and message of each warning; the body begins in line 7 where there is no ``more``."""
    text = f"---\ntitle: {title}\ndate: 2026-11-16T10:00+00:00\nsummary: {summary}\n{more}---\n\n{body}\n"
    (folder / "x.md").write_text(text, "utf-8")
    return [(each.line, each.name, each.message) for each in read_release(folder / "x.md", newsroom).warnings]


def names(folder: Path, body: str = QUOTED, **more: str) -> list[str]:
    return [name for _, name, _ in warned(folder, body, **more)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("Monday 10 November 2026", "Tuesday"),
        ("Monday, November 10, 2026,", "Tuesday"),
        ("Monday the 10th of November", "Tuesday"),
        ("Mon, Nov. 10", "Tuesday"),
        ("10 November 2026 (Monday)", "Tuesday"),
        ("Monday 2026-11-10", "Tuesday"),
        ("Montag, den 10. November 2026", "Dienstag"),
        ("Montag, 10.11.2026", "Dienstag"),
        ("lundi 1er novembre 2026", "dimanche"),
        ("lunes, 10 de noviembre de 2026", "martes"),
        ("segunda-feira, 10 de novembro de 2026", "terça-feira"),
        ("понедельник, 10 ноября 2026 года", "вторник"),
        ("الاثنين الموافق ١٠ نوفمبر/تشرين الثاني ٢٠٢٦", "الثلاثاء"),
        ("יום שני, 10 בנובמבר 2026", "יום שלישי"),
        ("2026년 11월 10일(월)", "화요일"),
        ("2026年11月10日月曜日", "火曜日"),
        ("11月10日（星期一）", "星期二"),
    ],
)
def test_weekday_that_is_not_that_of_the_date(tmp_path: Path, words: str, right: str) -> None:
    ((line, name, message),) = warned(tmp_path, f"{QUOTED}\n\nIt opens {words} here.")
    assert (line, name) == (9, "weekday")
    assert "disagree" in message
    (warning,) = read_release(tmp_path / "x.md", NEWSROOM).warnings
    assert warning.hint.startswith(f"write {right},")


@pytest.mark.parametrize(
    "words",
    [
        "Tuesday 10 November 2026", "Dienstag, 10.11.2026", "2026년 11월 10일(화)", "2026年11月10日(火)",
        "10 November 2026", "Monday to Friday 9–13 November 2026", "Saturday/Sunday 14/15 November 2026",
        "the sun 10 May", "on may 10 sat people", "Monday 16 February 1998", "Monday and 10 November 2026",
    ],
)  # fmt: skip
def test_weekday_that_is_right_or_belongs_to_no_date(tmp_path: Path, words: str) -> None:
    assert names(tmp_path, f"{QUOTED}\n\nIt opens {words} here.") == []


def test_weekday_in_title_and_notes_and_across_a_line_end(tmp_path: Path) -> None:
    body = (
        f"{QUOTED} It opens on **Monday\n10 November** here.\n\n## Notes to editors\n\nThe fair is Sunday 17 November."
    )
    found = warned(tmp_path, body, title="Opens Friday 12 November")
    assert [(line, name) for line, name, _ in found] == [(2, "weekday"), (7, "weekday"), (12, "weekday")]


@pytest.mark.parametrize(
    ("words", "zone", "right"),
    [
        ("at 16:00 BST on 10 December 2026", "Europe/London", "GMT"),
        ("at 1500 BST", "Europe/London", "GMT"),
        ("at 10am GMT on 3 July 2027", "Europe/London", "BST"),
        ("at 15.00 CEST on 3 December and 15.00 on 3 July 2027", "Europe/Berlin", "CET"),
        ("um 15 Uhr MESZ am 3. Dezember 2026", "Europe/Berlin", "MEZ"),
        ("at 9 a.m. EDT on 4 January 2027", "America/New_York", "EST"),
        ("at noon PST on 4 July 2027", "America/New_York", "PDT"),
        ("at 9:00 (AEDT) on 4 July 2027", "Australia/Sydney", "AEST"),
    ],
)
def test_zone_of_the_other_season(tmp_path: Path, words: str, zone: str, right: str) -> None:
    newsroom = msgspec.structs.replace(NEWSROOM, time_zone=zone)
    found = [
        each for each in warned(tmp_path, f"{QUOTED} Doors open {words}.", newsroom=newsroom) if each[1] != "offset"
    ]
    ((line, name, message),) = found
    assert (line, name) == (7, "time-zone")
    assert f"is on {right} on" in message


@pytest.mark.parametrize(
    ("words", "zone"),
    [
        ("at 16:00 GMT on 10 December 2026", "Europe/London"),
        ("at 10:00 GMT (11:00 BST) on 3 July 2027", "Europe/London"),
        ("at 10:00 GMT on 3 July 2027", "Africa/Accra"),
        ("at 10:00 MST on 3 July 2027", "America/Phoenix"),
        ("at 10:00 AEST on 3 January 2027", "Australia/Brisbane"),
        ("at 10:00 ET", "America/New_York"),
        ("at the BST Institute", "Europe/London"),
    ],
)
def test_zone_that_is_in_use(tmp_path: Path, words: str, zone: str) -> None:
    newsroom = msgspec.structs.replace(NEWSROOM, time_zone=zone)
    found = warned(tmp_path, f"{QUOTED} Doors open {words}.", newsroom=newsroom)
    assert [each for each in found if each[1] != "offset"] == []


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("W" * 101, ["long-headline", "headline-in-capitals"]),
        ("w" * 100, []),
        ("COUNCIL OPENS LIBRARY ON THE RIVER", ["headline-in-capitals"]),
        ("UNESCO", []),
        ("NATO and EU sign on Friday", []),
        ("도서관이 강가에 새로 문을 열다", []),
    ],
)
def test_headline(tmp_path: Path, title: str, found: list[str]) -> None:
    assert sorted(names(tmp_path, title=title)) == sorted(found)


def test_summary_quotation_and_telephone(tmp_path: Path) -> None:
    assert names(tmp_path, summary="s" * 300) == []
    assert names(tmp_path, summary="s" * 301) == ["long-summary"]
    assert names(tmp_path, "Words.") == ["no-quotation"]
    assert names(tmp_path, "They call it “the pledge” there.") == ["no-quotation"]
    assert names(tmp_path, "> We are glad.") == []
    assert names(tmp_path, "« Nous sommes très heureux », dit-elle.") == []
    assert warned(tmp_path, QUOTED, more="contacts: [mail]\n")[0][:2] == (5, "no-telephone")


@pytest.mark.parametrize(
    ("footage", "is_legacy"),
    [
        (Footage("Seen.", carrier="Beta SP"), True),
        (Footage("Seen.", carrier="DVCAM or VHS"), True),
        (Footage("Seen.", carrier="Beta SP", url="https://example.org/film.mp4"), False),
        (Footage("Seen.", carrier="Beta SP, or as a file"), False),
        (Footage("Seen. Download on request.", carrier="Digital Betacam"), False),
        (Footage("Seen.", carrier="MP4"), False),
        (Footage("Seen."), False),
    ],
)
def test_footage_that_few_can_play(tmp_path: Path, footage: Footage, is_legacy: bool) -> None:
    newsroom = msgspec.structs.replace(NEWSROOM, footage={"a": footage}, default_footage=("a",))
    found = [name for _, name, _ in warned(tmp_path, QUOTED, newsroom=newsroom)]
    assert found == (["legacy-carrier"] if is_legacy else [])


@pytest.mark.parametrize(
    ("alt", "size", "found"),
    [
        ("IMG_2041.JPG", (1200, 800), ["alt-file-name"]),
        ("DSC01234", (1200, 800), ["alt-file-name"]),
        ("new-reading-room", (1200, 800), ["alt-file-name"]),
        ("Readers in the new reading room", (1200, 800), []),
        ("Readers in the new reading room", (640, 480), ["small-picture"]),
        ("Readers in the new reading room", (600, 1000), []),
    ],
)
def test_pictures(tmp_path: Path, alt: str, size: tuple[int, int], found: list[str]) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "new-reading-room.png").write_bytes(picture(size=size))
    told = warned(tmp_path, f"{QUOTED}\n\n![{alt}](new-reading-room.png)")
    assert [(line, name) for line, name, _ in told] == [(9, name) for name in found]


def test_draft_is_told_of_wrong_days_alone(tmp_path: Path) -> None:
    body = "On Monday 10 November 2026."
    assert names(tmp_path, body, summary="s" * 301, more="draft: true\n") == ["weekday"]


def test_warning_that_is_switched_off(tmp_path: Path) -> None:
    newsroom = msgspec.structs.replace(NEWSROOM, warnings_off=("no-quotation",))
    assert warned(tmp_path, "Words.", newsroom=newsroom) == []
