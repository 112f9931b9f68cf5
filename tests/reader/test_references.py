"""Names of files, and releases that name each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.model.document import Link, Paragraph, Quote, Strong, Text
from pipeline.model.release import Release, Withdrawal
from pipeline.reader import line_of
from pipeline.reader.references import check_slugs, check_translations


def made(slug: str, day: int = 1, **facts: object) -> Release:
    body = (Paragraph((Text("Words."),)),)
    date = datetime(2026, 1, day, tzinfo=UTC)
    language = "fr" if "translation_of" in facts else "en"
    whole = Release(slug=slug, title="T", date=date, language=language, body=body, summary="S")
    return msgspec.structs.replace(whole, **facts)


def linking(slug: str) -> tuple[Quote]:
    return (Quote((Paragraph((Strong((Link(f"{slug}.html#part", (Text("see"),)),)),)),)),)


def withdrawn(replaced_by: str) -> Withdrawal:
    return Withdrawal(datetime(2026, 1, 3, tzinfo=UTC), "R", replaced_by)


def messages(*releases: Release) -> list[str]:
    return [f"{fault.source}: {fault.message}" for fault in check_translations(releases)]


def test_accepted_references() -> None:
    assert not messages(
        made("a", 2, translation_of="b", body=linking("b")),
        made("b", notes=linking("b")),
        made("c", withdrawn=withdrawn("a")),
        made("d", 1, translation_of="e"),
        made("e", 1),
    )


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"translation_of": "x"}, "translation_of: there is no release x"),
        ({"translation_of": "a"}, "translation_of: the release itself"),
        ({"translation_of": "c"}, "translation_of: that release is itself a translation"),
        ({"translation_of": "b", "language": "en"}, "translation_of: that release is in en too"),
        ({"withdrawn": withdrawn("x")}, "withdrawn.replaced_by: there is no release x"),
        ({"withdrawn": withdrawn("a")}, "withdrawn.replaced_by: the release itself"),
        ({"body": linking("x")}, "link: there is no release x"),
        ({"body": linking("later")}, "link: that release is not public yet when this one is"),
        ({"notes": linking("draft")}, "link: that release is not public yet when this one is"),
        (
            {"withdrawn": withdrawn("later")},
            "withdrawn.replaced_by: that release is not public yet when this one is",
        ),
    ],
)
def test_refused_references(facts: dict[str, object], message: str) -> None:
    """A link to a scheduled release would reveal it."""
    others = made("b"), made("c", translation_of="b"), made("later", 9), made("draft", draft=True)
    assert messages(made("a", 2, **facts), *others) == [f"content/a.md: {message}"]


def test_faults_have_the_line_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("---\ntitle: T\ntranslation_of: x\n---\n")
    (fault,) = check_translations([made("a", translation_of="x"), made("xy")], {"a": file})
    assert (fault.source, fault.line, fault.hint) == (str(file), 3, "write the name of its file, without .md")


def test_two_files_with_the_same_name() -> None:
    found = check_slugs([Path("content/b.md"), Path("content/sub/a.md"), Path("content/a.md")])
    assert [str(fault) for fault in found] == [
        "content/sub/a.md: the same name as content/a.md\n  hint: rename one of them"
    ]


def test_file_names_that_are_not_slugs() -> None:
    found = check_slugs([Path("content/A.md"), Path("content/a.md"), Path("content/index.md")])
    assert [(fault.source, fault.message.split(" ")[1]) for fault in found] == [
        ("content/A.md", "file"),
        ("content/a.md", "same"),
        ("content/index.md", "name"),
    ]


def test_translation_must_not_reveal_a_scheduled_original() -> None:
    late = made("late", 5)
    early = made("early", 1, translation_of="late")
    assert messages(early, late) == [
        "content/early.md: translation_of: that release is not public yet when this one is"
    ]


def test_older_release_may_name_one_that_is_public_now() -> None:
    late, early = made("late", 5), made("early", 1, body=linking("late"))
    known = {"late": late, "early": early}
    now = datetime(2026, 1, 5, tzinfo=UTC)
    assert check_translations([early], known=known, now=now) == ()
    assert check_translations([early], known=known, now=now - timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["date"], 4),
        (["embargo"], 0),
        (["embargo", "draft", "title"], 5),
        (["withdrawn"], 6),
        (["withdrawn.reason"], 8),
        (["withdrawn.note"], 0),
        (["title.date"], 0),
        (["image.alt"], 9),
        ([], 0),
    ],
    ids=str,
)
def test_line_of_a_key_in_front_matter(tmp_path: Path, keys: list[str], line: int) -> None:
    file = tmp_path / "a.md"
    lines = [
        "---",
        "title: >",
        "  date: in a text",
        '"date" : x',
        "draft: true",
        "withdrawn:",
        "  date: x",
        "  reason: y",
    ]
    lines += ["image: {file: a.png, alt: x}", "---", "embargo: in the body"]
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    assert line_of(file, *keys) == line


@pytest.mark.parametrize("data", [b"", b"---\n- date\n---\n", b"---\ndate: \xff\n---\n", b"words\n"])
def test_line_in_a_file_that_cannot_be_read_is_0(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.md").write_bytes(data)
    assert line_of(tmp_path / "a.md", "date") == line_of(tmp_path / "gone.md", "date") == 0


@pytest.mark.parametrize(
    "name",
    [
        "ferry (conflicted copy 2026-11-20)",
        "ferry (Anna’s conflicted copy 2026-11-20)",
        "ferry (In Konflikt stehende Kopie von Anna 2026-11-20)",
        "ferry (copie en conflit de Anna 2026-11-20)",
        "ferry (Case Conflict)",
        "ferry.sync-conflict-20261120-101010-ABCDEFG",
        "ferry_conflict-20261120-101010",
        "ferry (SFConflict anna@mail.example 2026-11-20-10-10-10)",
        "ferry-LAPTOP-7Q2",
        "ferry-Annas-MacBook-Pro",
        "ferry 2",
        "ferry (1)",
        "ferry copy",
        "ferry - Copy (2)",
        "ferry - Kopie",
        "Copy of ferry",
        "Kopie von ferry",
        "ferry のコピー",
        "ferry의 복사본",
        "ferry.orig",
        "Ferry copy 3",
    ],
)
def test_a_copy_by_its_name_is_to_be_compared_and_deleted_not_renamed(name: str) -> None:
    (fault,) = check_slugs([Path("content/ferry.md"), Path("content/ferry-fares.md"), Path(f"content/{name}.md")])
    assert fault.source == f"content/{name}.md"
    assert "a copy of content/ferry.md" in fault.message
    assert fault.hint == "compare the two, keep what is right in ferry.md, and delete this one"


@pytest.mark.parametrize("name", ["Ferry Fares", "ferry Terminal opens", "bus (1)", "Copy of bus", "ferry 2026"])
def test_a_release_of_its_own_with_a_wrong_name_is_to_be_renamed(name: str) -> None:
    (fault,) = check_slugs([Path("content/ferry.md"), Path(f"content/{name}.md")])
    assert fault.hint.startswith("rename it to ")


def test_a_wrong_name_with_the_headline_and_date_of_another_is_a_copy_too(tmp_path: Path) -> None:
    sources = [tmp_path / "ferry.md", tmp_path / "New ferry text.md"]
    for source in sources:
        source.write_text("---\ntitle: The ferry sails\ndate: 2026-01-05T09:00+00:00\n---\nWords.\n", "utf-8")
    (fault,) = check_slugs(sources)
    assert "a copy of" in fault.message
