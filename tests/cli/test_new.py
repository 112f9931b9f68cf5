"""``make new``: a source that the reader takes as it is, whatever the title and wherever the newsroom."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.cli.new import draft, slug
from pipeline.model.errors import SettingError
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import SLUG, SLUG_LIMIT, Rights
from pipeline.reader import ReadRelease, read_release
from pipeline.reader.characters import damaged_by_decoding
from pipeline.reader.frontmatter import OUTER_KEYS
from tests.support import sample
from tests.support.newsroom import UNTRANSLATED

NOW = datetime(2026, 11, 23, 9, 20, 30, 500000, tzinfo=UTC)


def drafted(
    folder: Path, title: str = "A title", newsroom: Newsroom = sample.NEWSROOM, now: datetime = NOW
) -> ReadRelease:
    return read_release(draft(folder, title, newsroom, now), newsroom)


def in_zone(zone: str) -> Newsroom:
    return msgspec.structs.replace(sample.NEWSROOM, time_zone=zone)


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Archive opens tape catalogue", "archive-opens-tape-catalogue"),
        ("  What’s new, at last?  ", "whats-new-at-last"),
        ("It's 50% -- really!", "its-50-really"),
        ("Café Münster straße", "cafe-munster-strasse"),
        ("Ångström & Çelik: naïve", "angstrom-celik-naive"),
        ("Việt Nam", "viet-nam"),
        ("ﬁnal ½ №5", "final-12-no5"),
        ("../../etc/passwd", "etc-passwd"),
        ("한국 2026", "2026"),
        ("عنوان البيان", "release-2026-11-23-0920"),
        ("한국의 첫 해", "release-2026-11-23-0920"),
        ("新闻稿", "release-2026-11-23-0920"),
        ("!!!", "release-2026-11-23-0920"),
        ("🎞", "release-2026-11-23-0920"),
    ],
)
def test_files_are_named_by_the_ascii_words_of_the_title_or_by_the_hour(title: str, name: str) -> None:
    assert slug(title, NOW) == name


def test_long_names_end_at_a_whole_word() -> None:
    found = slug("every word of this title counts " * 10, NOW)
    assert len(found) <= SLUG_LIMIT
    assert found.endswith(("-every", "-word", "-of", "-this", "-title", "-counts"))
    assert slug("x" * 300, NOW) == "x" * SLUG_LIMIT


@given(st.text(max_size=200))
def test_every_title_makes_a_name_that_is_a_slug(title: str) -> None:
    found = slug(title, NOW)
    assert SLUG.match(found)
    assert len(found) <= SLUG_LIMIT


@pytest.mark.parametrize(
    "titles", [("한국의 첫 해", "두 번째 해"), ("新闻稿", "新闻稿"), ("한국 2026", "일본 2026"), ("!", "?")]
)
def test_titles_that_share_a_name_by_their_script_make_a_file_each(tmp_path: Path, titles: tuple[str, str]) -> None:
    paths = [draft(tmp_path, title, sample.NEWSROOM, NOW) for title in (*titles, titles[0])]
    assert len(set(paths)) == 3
    found = [read_release(path, sample.NEWSROOM).release for path in paths]
    assert [release.title for release in found] == [*titles, titles[0]]


def test_numbered_names_are_no_longer_than_others(tmp_path: Path) -> None:
    paths = [draft(tmp_path, f"{'x' * SLUG_LIMIT} 한국", sample.NEWSROOM, NOW) for _ in range(11)]
    assert all(SLUG.match(path.stem) and len(path.stem) <= SLUG_LIMIT for path in paths)
    assert paths[-1].stem.endswith("x-11")


@pytest.mark.parametrize("name", ["first-year", " first-year ", "first-year.md", "content/first-year.md"])
def test_a_name_can_be_chosen(tmp_path: Path, name: str) -> None:
    path = draft(tmp_path, "한국의 첫 해", sample.NEWSROOM, NOW, name)
    assert path == tmp_path / "first-year.md"
    assert read_release(path, sample.NEWSROOM).release.title == "한국의 첫 해"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("First Year", "first-year"),
        ("first--year", "first-year"),
        ("Été_2026", "ete-2026"),
        ("한국", "a-few-words"),
        ("con", "a-few-words"),
        ("..", "a-few-words"),
        ("x" * 81, "a-few-words"),
    ],
)
def test_a_name_that_cannot_be_one_is_refused_with_one_that_can(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(SettingError, match=r"^NAME=") as caught:
        draft(tmp_path, "A title", sample.NEWSROOM, NOW, name)
    assert caught.value.hint == f"write NAME={hint}"
    assert list(tmp_path.iterdir()) == []


# ── What is written ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_release_is_a_draft_with_the_newsrooms_defaults(tmp_path: Path) -> None:
    found = drafted(tmp_path)
    release = found.release
    assert release.draft
    assert not release.is_public(NOW + timedelta(days=365))
    assert release.contacts == (sample.CONTACT,)
    assert release.footage == (sample.FOOTAGE,)
    assert release.topics == ("archive",)
    assert release.notes
    assert found.warnings == ()


def test_a_newsroom_without_defaults_gets_a_valid_draft_too(tmp_path: Path) -> None:
    bare = msgspec.structs.replace(sample.NEWSROOM, default_contacts=(), default_footage=(), topics=())
    release = drafted(tmp_path, newsroom=bare).release
    assert (release.contacts, release.footage, release.topics) == ((), (), ())


def test_comments_offer_what_else_may_be_said(tmp_path: Path) -> None:
    text = draft(tmp_path, "A title", sample.NEWSROOM, NOW).read_text("utf-8")
    assert "# dateline: London\n" in text
    assert "# reference: 2026/001\n" in text
    assert "   # Europe/London\n" in text
    assert text.endswith("\n")


def test_every_key_is_in_a_new_release(tmp_path: Path) -> None:
    text = draft(tmp_path, "A title", sample.NEWSROOM, NOW).read_text("utf-8")
    missing = [key for key in sorted(OUTER_KEYS) if not re.search(rf"(?m)^(?:# )?{key}: ", text)]
    assert missing == []
    pictures = re.findall(r"(?m)^# (?:image|pictures): .*", text)
    assert [key for key in Rights.__struct_fields__ if f"{key}: " not in "".join(pictures)] == []


@pytest.mark.parametrize(
    ("language", "zone", "phrases"),
    [
        (
            "en-GB",
            "America/New_York",
            ["# dateline: New York\n", "The first paragraph says who", "## Notes to editors\n"],
        ),
        (
            "ko",
            "Asia/Seoul",
            ["# dateline: 서울\n", "# subtitle: 부제목", "첫 문단에는", "## 편집자 참고 사항\n", "이 줄을 지우십시오"],
        ),
        ("fr-CA", "America/Montreal", ["supprimez cette ligne", "Le premier paragraphe", "## Notes aux rédactions\n"]),
        (
            "es",
            "America/Argentina/Buenos_Aires",
            ["# dateline: Buenos Aires\n", "borre esta línea", "El primer párrafo"],
        ),
        ("ar", "Africa/Cairo", ["# dateline: القاهرة\n", "احذف هذا السطر", "## ملاحظات للمحررين\n"]),
        (
            "de",
            "Europe/Vienna",
            ["# dateline: Wien\n", "diese Zeile löschen", "Der erste Absatz", "## Hinweise für Redaktionen\n"],
        ),
        ("zh-CN", "Asia/Shanghai", ["# subtitle: 副标题", "删除此行", "## 编辑须知\n"]),
        (UNTRANSLATED, "Europe/Vienna", ["delete this line", "The first paragraph", "## Notes to editors\n"]),
    ],
)
def test_its_text_is_in_the_language_of_the_newsroom_or_in_english(
    tmp_path: Path, language: str, zone: str, phrases: list[str]
) -> None:
    newsroom = msgspec.structs.replace(in_zone(zone), language=language, languages=(language,))
    path = draft(tmp_path, "Title", newsroom, NOW)
    text = path.read_text("utf-8")
    assert [phrase for phrase in phrases if phrase not in text] == []
    found = read_release(path, newsroom)
    assert found.release.draft
    assert found.release.notes
    assert found.warnings == ()


@pytest.mark.parametrize(
    "title",
    [
        'She said "no"', "back\\slash \\n", "colon: value", "# no comment", "{braces} {0} %s", "- a dash", "[x](y)",
        "yes", "null", "12", "*starred* & <b>bold</b>", "{{ 7*7 }}", "عنوان", "한국 🎞", "'single'", "a\tb", "---",
    ],
)  # fmt: skip
def test_the_title_comes_back_as_it_was_typed(tmp_path: Path, title: str) -> None:
    assert drafted(tmp_path, title).release.title == " ".join(title.split())


def test_lines_in_a_title_become_one(tmp_path: Path) -> None:
    assert drafted(tmp_path, "Two\nlines\r\n  here").release.title == "Two lines here"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=60))
def test_any_printable_title_makes_a_source_that_can_be_read(tmp_path: Path, title: str) -> None:
    if not title.strip() or damaged_by_decoding(title):
        return
    path = draft(tmp_path, title, sample.NEWSROOM, NOW)
    try:
        assert read_release(path, sample.NEWSROOM).release.draft
    finally:
        path.unlink()


# ── The hour ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Europe/London", NOW, "2026-11-23T10:00:00+00:00"),
        ("Europe/London", datetime(2026, 7, 1, 9, 20, tzinfo=UTC), "2026-07-01T11:00:00+01:00"),
        ("Pacific/Kiritimati", NOW, "2026-11-24T00:00:00+14:00"),
        ("America/St_Johns", NOW, "2026-11-23T06:00:00-03:30"),
        ("Asia/Kathmandu", NOW, "2026-11-23T16:00:00+05:45"),
        ("UTC", datetime(2026, 12, 31, 23, 59, tzinfo=UTC), "2027-01-01T00:00:00+00:00"),
        ("UTC", datetime(2028, 2, 28, 23, 30, tzinfo=UTC), "2028-02-29T00:00:00+00:00"),
        # The hour before clocks go forward, and both hours when they go back.
        ("Europe/London", datetime(2026, 3, 29, 0, 30, tzinfo=UTC), "2026-03-29T02:00:00+01:00"),
        ("Europe/London", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), "2026-10-25T01:00:00+01:00"),
        ("Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T01:00:00+00:00"),
    ],
)
def test_it_is_dated_at_the_next_full_hour_of_the_newsroom(
    tmp_path: Path, zone: str, now: datetime, expected: str
) -> None:
    found = drafted(tmp_path, newsroom=in_zone(zone), now=now)
    assert found.release.date.isoformat() == expected
    assert found.warnings == ()


ZONES = ("Europe/London", "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe", "America/New_York")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(ZONES), st.integers(0, 366 * 48))
def test_at_any_half_hour_of_a_year_the_next_full_hour_can_be_read(tmp_path: Path, zone: str, half_hours: int) -> None:
    now = datetime(2026, 1, 1, 0, 7, tzinfo=UTC) + timedelta(minutes=30 * half_hours)
    path = draft(tmp_path, "Any hour", in_zone(zone), now)
    try:
        found = read_release(path, in_zone(zone)).release.date
        assert timedelta() < found - now <= timedelta(minutes=90)
        assert found.minute == 0
        assert found.astimezone(ZoneInfo(zone)).utcoffset() == found.utcoffset()
    finally:
        path.unlink()


@pytest.mark.parametrize(
    "now",
    [datetime(2026, 10, 3, 14, 40, tzinfo=UTC), datetime(2026, 4, 4, 14, 20, tzinfo=UTC)],
    ids=["forward", "back"],
)
def test_clocks_that_jump_by_half_an_hour_make_no_impossible_date(tmp_path: Path, now: datetime) -> None:
    found = drafted(tmp_path, newsroom=in_zone("Australia/Lord_Howe"), now=now).release.date
    assert found > now


# ── What is refused ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("title", ["", " ", "\n\t"])
def test_a_release_needs_a_title(tmp_path: Path, title: str) -> None:
    with pytest.raises(SettingError, match="needs a title") as caught:
        draft(tmp_path, title, sample.NEWSROOM, NOW)
    assert "make new TITLE=" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_an_existing_release_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a-title.md"
    path.write_text("mine", "utf-8")
    with pytest.raises(SettingError, match=r"a-title\.md exists already"):
        draft(tmp_path, "A title", sample.NEWSROOM, NOW)
    with pytest.raises(SettingError, match=r"a-title\.md exists already"):
        draft(tmp_path, "한국", sample.NEWSROOM, NOW, "a-title")
    assert path.read_text("utf-8") == "mine"


def test_a_folder_that_is_not_there_is_a_setting_at_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="cannot be written") as caught:
        draft(tmp_path / "nowhere", "A title", sample.NEWSROOM, NOW)
    assert "CONTENT=" in caught.value.hint
