"""Files: encodings, line ends, sizes, and arbitrary bytes."""

from __future__ import annotations

import codecs
import os
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.model.errors import Fault, ReleaseError
from pipeline.reader import ReadRelease, read_release
from tests.support.reading import FRONT, NEWSROOM, faults, release

WHOLE = f"---\n{FRONT}---\nWords.\n"


def read(folder: Path, data: bytes) -> ReadRelease | tuple[Fault, ...]:
    file = folder / "x.md"
    file.write_bytes(data)
    try:
        return read_release(file, NEWSROOM)
    except ReleaseError as error:
        return error.faults


def only_fault(folder: Path, data: bytes) -> str:
    found = read(folder, data)
    assert isinstance(found, tuple)
    (fault,) = found
    assert fault.source == str(folder / "x.md")
    return f"{fault.line} {fault.message}"


@pytest.mark.parametrize(
    "data",
    [
        WHOLE.encode(),
        codecs.BOM_UTF8 + WHOLE.encode(),
        WHOLE.replace("\n", "\r\n").encode(),
        WHOLE.replace("\n", "\r").encode(),
        WHOLE.rstrip().encode(),
        WHOLE.replace("---", "---  ").encode(),
    ],
)
def test_encoding_and_line_ends_of_editors_change_nothing(tmp_path: Path, data: bytes) -> None:
    """Byte order mark, line ends, a missing last newline, spaces at line ends."""
    found = read(tmp_path, data)
    assert isinstance(found, ReadRelease)
    assert found == read(tmp_path, WHOLE.encode())


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (WHOLE.encode("utf-16"), "1 the file is UTF-16, not UTF-8"),
        (WHOLE.encode("utf-32"), "1 the file is UTF-32, not UTF-8"),
        (WHOLE.encode("utf-16-be"), "1 the file is UTF-16, not UTF-8"),
        (WHOLE.encode("utf-16-le"), "1 the file is UTF-16, not UTF-8"),
        (b"PK\x03\x04...", "1 the file is a Word document or a zip file, not plain text"),
        (b"{\\rtf1 Words}", "1 the file is an RTF document, not plain text"),
        (WHOLE.replace("Words", "Wörter").encode("latin-1"), "5 not UTF-8"),
        (WHOLE.replace("title", "t\x00itle").encode(), "2 forbidden character U+0000"),
        (WHOLE.replace("Words", "Wo\x0brds").encode(), "5 forbidden character U+000B"),
        (WHOLE.replace("Words", "Wo\x85rds").encode(), "5 forbidden character U+0085"),
        (WHOLE.replace("Words", "Wo\ufdd0rds").encode(), "5 forbidden character U+FDD0"),
        (WHOLE.replace("Words", "Wo\U0010ffffrds").encode(), "5 forbidden character U+10FFFF"),
        (WHOLE.replace("Words", "Wo\ud800rds").encode("utf-8", "surrogatepass"), "5 not UTF-8"),
        (b"", "1 no front matter"),
        (b"Words.\n", "1 no front matter"),
        (WHOLE.replace("Words", "Wo\ufffdrds").encode(), "5 forbidden character U+FFFD"),
        (WHOLE.replace("Words", "Wo\ufffcrds").encode(), "5 forbidden character U+FFFC"),
        (f"---\n{FRONT}\nWords.\n".encode(), "3 the front matter has no end"),
        (f"---\n{FRONT}Words.\n".encode(), "3 the front matter has no end"),
        (f"---\n{FRONT}\n# Head\n\nWords.\n\n---\n\nMore.\n".encode(), "3 the front matter has no end"),
        (f"---\n{FRONT}...\nWords.\n".encode(), "4 ... instead of ---"),
        (f"---\n{FRONT}———\nWords.\n\n---\n\nMore.\n".encode(), "4 ——— instead of ---"),
        (f"----\n{FRONT}---\nWords.\n".encode(), "1 ---- instead of ---"),
        (f"—\n{FRONT}---\nWords.\n".encode(), "1 — instead of ---"),
        (b"---\ntitle: T\n...\ndate: 2026-11-23T09:00Z\n---\nWords.\n", "3 ... within the front matter"),
        (f"\n\n{WHOLE}".encode(), "1 a blank line above the front matter"),
        (f"{FRONT}---\nWords.\n".encode(), "1 no line --- above the front matter"),
        (b'+++\ntitle = "T"\n+++\nWords.\n', "1 front matter in TOML (+++)"),
        (b"---\n---\nWords.\n", "2 the front matter is empty"),
        (f"---\n{FRONT}---\n\n \n".encode(), "5 the release has no text"),
        (f"---\n{FRONT}---".encode(), "5 the release has no text"),
        (f"---\n{FRONT}---\nENDS\n".encode(), "5 the release has no text"),
        (f"---\n{FRONT}---\n## Notes to editors\n\nNote\n".encode(), "5 the release has no text"),
        (f"---\n{FRONT}# {'x' * 65536}\n---\nWords.\n".encode(), "1 the front matter is larger than 64 KB"),
        (f"---\n{FRONT}---\n{'Words. ' * 150_000}\n".encode(), "5 the body is larger than 1 MB"),
        (WHOLE.encode() * 100_000, "0 larger than 1,065,536 bytes"),
    ],
)
def test_refused_files(tmp_path: Path, data: bytes, fault: str) -> None:
    assert only_fault(tmp_path, data) == fault


@pytest.mark.parametrize(
    ("character", "meant"), [("\x91", "‘"), ("\x92", "’"), ("\x94", "”"), ("\x96", "–"), ("\x80", "€"), ("\x85", "…")]
)
def test_the_hint_of_a_control_character_names_what_was_meant(tmp_path: Path, character: str, meant: str) -> None:
    """They are the punctuation of Windows-1252, decoded wrongly: deleting them would damage the text."""
    found = read(tmp_path, f"{WHOLE}A{character}\nB{character}\n".encode())
    assert isinstance(found, tuple)
    assert [fault.line for fault in found] == [6, 7]
    assert all(fault.hint.startswith(f"write {meant} (") for fault in found)


def test_damage_in_many_lines_is_summed_up(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE.encode() + "x\x92\n".encode() * 500)
    assert isinstance(found, tuple)
    assert len(found) == 21
    assert found[-1].message == "more forbidden characters in this line and below"


def test_text_is_read_in_the_composed_form(tmp_path: Path) -> None:
    """A release that was saved decomposed, as some systems do, is the same release."""
    whole = WHOLE.replace("Words", "Zürich, 한국, ガス, Việt").replace("A title", "Élodie")
    composed = read(tmp_path, whole.encode())
    assert isinstance(composed, ReadRelease)
    assert composed == read(tmp_path, unicodedata.normalize("NFD", whole).encode())
    assert composed.release.title == "Élodie"


def test_the_spelling_of_names_is_kept(tmp_path: Path) -> None:
    """Compatibility ideographs are another spelling of a name, which composing would replace."""
    found = read(tmp_path, WHOLE.replace("A title", "\ufa19 e\u0301").encode())
    assert isinstance(found, ReadRelease)
    assert found.release.title == "\ufa19 é"


def test_a_withdrawn_release_needs_no_text(tmp_path: Path) -> None:
    """Its text may have to be deleted from the file as well."""
    front = f"{FRONT}withdrawn: {{date: 2026-11-24T09:00Z, reason: Wrong}}\n"
    assert release(tmp_path, front, "").release.body == ()


def test_paths_that_are_not_regular_files(tmp_path: Path) -> None:
    """A folder, a pipe, a missing file, and a link to a place outside the folder."""
    content = tmp_path / "content"
    content.mkdir()
    (tmp_path / "secret.md").write_text(WHOLE)
    (content / "a.md").mkdir()
    os.mkfifo(content / "b.md")
    (content / "d.md").symlink_to(tmp_path / "secret.md")
    (content / "e.md").symlink_to("e.md")
    for name, message in (("a", "not a file"), ("b", "not a file"), ("c", "no such file"), ("d", "the file is a link")):
        with pytest.raises(ReleaseError, match=message):
            read_release(content / f"{name}.md", NEWSROOM)
    with pytest.raises(ReleaseError):
        read_release(content / "e.md", NEWSROOM)


@pytest.mark.parametrize(
    "body",
    [
        ">" * 60_000,
        "> " * 30_000 + "x",
        "[" * 60_000,
        "[a](" * 15_000,
        "![" * 30_000,
        "[a][" * 15_000,
        "[x]: <" * 10_000,
        "- " * 30_000 + "x",
        "".join(f"{'  ' * depth}- x\n" for depth in range(240)),
        "1. " * 20_000 + "x",
        "*a " * 20_000,
        "**a* " * 12_000,
        "*a **b " * 8_000,
        "*a **b " * 4_000 + "c" + "** d*" * 4_000,
        "*a **b " * 40 + "c" + "** d*" * 40,
        "*a ~~b " * 90 + "c" + "~~ d*" * 90,
        "*a _b ~~c " * 6_000,
        "*" * 60_000,
        "a*" * 30_000,
        "_" * 60_000 + "a",
        "~" * 60_000,
        "`" * 60_000,
        "".join("`" * length + " " for length in range(1, 340)),
        "`a " * 20_000,
        "<" * 60_000,
        "<a " * 20_000,
        "<a b=" * 12_000,
        "<!--" * 15_000,
        "<?" * 30_000,
        "<![CDATA[" * 6_000,
        "</" * 30_000,
        "&" * 60_000,
        "&a" * 30_000,
        "\\" * 60_000,
        "http://" * 8_000,
        "http://a." * 6_000,
        "www." * 15_000,
        "a@" * 30_000,
        "a." * 30_000 + "@",
        "a@b." * 15_000,
        "|" * 60_000,
        "|a" * 30_000 + "\n" + "|-" * 30_000,
        "a|b\n-|-\n" + "|\n" * 25_000,
        "a\n-\n" * 12_000,
        "-" * 60_000 + "x",
        "- - " * 15_000 + "x",
        "#" * 60_000,
        "# " * 30_000 + "x",
        "a\n" * 30_000,
        "a  \n" * 15_000,
        "\n" * 60_000,
        " " * 60_000 + "x",
        "\t" * 60_000,
        "> a\n" * 15_000,
        "> a\nb\n" * 10_000,
        "```\n" * 15_000,
        "[a]: b\n" * 8_000,
        "[a]: b '" * 7_000,
        "[a]: b\n'" * 7_000,
        "(" * 30_000 + ")" * 30_000,
        "[a](" + "(" * 20_000,
        "[a](" + "()" * 20_000,
        "[a](b " + '"' * 50_000,
        "\u00ad" * 20_000,
        "\u200f" * 20_000,
        "e\u0301" * 20_000,
        "\U0001f469\u200d" * 8_000,
        "a" + "\u0315\u0300" * 30_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_oversized_syntax_in_the_body_is_handled_quickly(tmp_path: Path, body: str) -> None:
    """Sixty kilobytes of any mark are read, or refused with lines, within seconds of CPU time."""
    started = time.process_time()
    found = faults(tmp_path, body=body)
    assert time.process_time() - started < 3
    assert all(int(fault.split(" ")[0]) >= 4 for fault in found)


@pytest.mark.parametrize(
    "front",
    [
        "a: " + "[" * 60_000,
        "a: " + "{" * 60_000,
        "a: " + "{a: " * 15_000,
        "".join(f"{'  ' * depth}a:\n" for depth in range(240)),
        "- " * 30_000,
        "? " * 30_000,
        "a: '" + "x" * 60_000,
        "".join(f"k{number}: v\n" for number in range(6_000)),
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "a: |\n" + "  x\n" * 15_000,
        "!!" * 30_000,
        "\u2028" * 20_000,
        "topics: [" + "a, " * 20_000 + "]",
        "words\n" * 10_000,
        "summary words\n" * 5_000,
        "title: 'a' b\n" * 4_000,
        "contacts:\n" + "  - a\n   - b\n" * 4_000,
        'a: "\n' * 5_000,
        "a: [\n" * 5_000,
        "a: x\n  y\n" * 5_000,
    ],
    ids=lambda front: repr(front[:12]),
)
def test_oversized_syntax_in_front_matter_is_handled_quickly(tmp_path: Path, front: str) -> None:
    started = time.process_time()
    found = faults(tmp_path, f"{FRONT}{front}\n")
    assert time.process_time() - started < 3
    lines = f"{FRONT}{front}".count("\n") + 4
    assert all(1 <= int(fault.split(" ")[0]) <= lines for fault in found)


LINES = [
    "---\n",
    FRONT,
    "title: ",
    "date: 2026-11-23T09:00Z\n",
    "image: {file: a.png, alt: x}\n",
    "## Notes to editors\n",
]
MARKS = [
    "- ",
    "# ",
    "> ",
    "\n",
    "![a](b.png)",
    "[a](",
    "](b)",
    "*",
    "**",
    "`",
    "```\n",
    "<b>",
    "|---|\n",
    "| a |\n",
    "\\",
]
MARKS += ["ENDS", "ab", "http://", "tel:", ":", "'", '"', "[x]: y\n", "1. ", "  ", "\t", "\r", "\x00", "\ufeff", "&#0;"]
PIECES = st.sampled_from(LINES) | st.sampled_from(MARKS)
BYTES = st.binary(max_size=60) | st.lists(PIECES | st.text(max_size=4), max_size=30).map(
    lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BYTES | BYTES.map(lambda data: WHOLE.encode() + data))
def test_any_bytes_give_a_release_or_faults(tmp_path: Path, data: bytes) -> None:
    """Never another exception, never a line that does not exist."""
    found = read(tmp_path, data)
    if not isinstance(found, ReadRelease):
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
        assert found
        assert all(0 <= fault.line <= lines + 1 for fault in found)
        assert list(found) == sorted(found)


def test_a_release_is_read_in_a_few_milliseconds(tmp_path: Path) -> None:
    """650 words with lists and links, by CPU time."""
    part = "Words of a **release** with a [link](https://example.org/a) and more, as they come.\n\n- one\n- *two*\n\n"
    body = part * 30
    release(tmp_path, body=body)
    started = time.process_time()
    for _ in range(10):
        read_release(tmp_path / "x.md", NEWSROOM)
    assert (time.process_time() - started) / 10 < 0.05
