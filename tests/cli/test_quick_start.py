"""What processes keep for later ones: what they would make, and nothing that is damaged or of another version."""

from __future__ import annotations

import re
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest
from jinja2 import Environment
from markupsafe import Markup

from pipeline.start import quick_start
from pipeline.typography import templates

PATTERNS = [
    (r"(?P<year>\d{4})-(?P<month>\d\d)", 0, "on 2026-01-05"),
    (r"straße|ÉTÉ", re.IGNORECASE, "In der STRASSE, Straße, été"),
    (r"^ (?:a|b)+? # as few as can be\n$", re.VERBOSE | re.MULTILINE, "ab\nba"),
    (r"(?<![\w-])(x)(?:y)?(z)?(?!\w)", re.ASCII, "x xy xz -x"),
    (rb"\x89PNG|(GIF8[79]a)", 0, b"GIF89a"),
    (Markup("<(p|h1)>"), 0, "<p><h1>"),
    (r"(q)?(?i:[à-ü])(?s:.)\1?", 0, "qÜ\nqq"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(quick_start, "FOLDER", tmp_path)
    monkeypatch.setattr(quick_start, "FEW", 1)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(quick_start.Compiled, "made", [])
    return tmp_path


def described(pattern: re.Pattern[str]) -> tuple[object, ...]:
    return pattern.pattern, pattern.flags, pattern.groups, dict(pattern.groupindex)


@pytest.mark.parametrize(("source", "flags", "text"), PATTERNS)
def test_kept_pattern_is_the_one_that_python_compiles(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, flags: int, text: str
) -> None:
    compiler = import_module("re._compiler")
    re.purge()
    own = re.compile(source, flags)
    monkeypatch.setattr(compiler, "compile", compiler.compile)
    for _ in ("compiled", "kept"):
        quick_start._keep_patterns()
        re.purge()
        found = re.compile(source, flags)
        assert described(found) == described(own)
        assert [match.groups() for match in found.finditer(text)] == [match.groups() for match in own.finditer(text)]
        quick_start.write_compiled()
    assert (folder / ".patterns").is_file() or type(source) is Markup
    monkeypatch.undo()
    re.purge()


def test_what_was_made_once_is_not_made_again(folder: Path) -> None:
    for _ in range(2):
        assert quick_start.kept("numbers", "1", lambda: [len(list(folder.iterdir()))]) == [0]


def test_templates_compiled_in_one_clone_serve_in_another(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for clone in ("first", "second"):
        lies_in = tmp_path_factory.mktemp(clone)
        (lies_in / "greeting.txt.j2").write_text("Hello, {{ name }}!", "utf-8")
        monkeypatch.setattr(templates, "FOLDER", lies_in)
        templates._environment.cache_clear()
        assert templates.render("greeting.txt.j2", name="Ada") == "Hello, Ada!"
        monkeypatch.setattr(Environment, "compile", lambda *_: pytest.fail("compiled again"))
    templates._environment.cache_clear()
    assert len(list(folder.glob(".*.jinja"))) == 1


@pytest.mark.parametrize("damage", [b"", b"\x00\xff", b"i\x01\x00\x00\x00", "of another version"])
def test_what_is_damaged_or_of_another_version_is_made_anew(folder: Path, damage: bytes | str) -> None:
    quick_start.kept("word", "1", lambda: "old")
    if isinstance(damage, bytes):
        (folder / ".word").write_bytes(damage)
    assert quick_start.kept("word", "1" if isinstance(damage, bytes) else "2", lambda: "new") == "new"


def test_nothing_is_kept_where_python_keeps_no_byte_code(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert quick_start.kept("word", "1", lambda: "made") == "made"
    assert not list(folder.iterdir())


def test_a_file_of_compiled_things_does_not_grow_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_start, "MOST", 10)
    for first in range(0, 60, 4):
        compiled = quick_start.Compiled("numbers")
        for number in range(first, first + 4):
            assert compiled.get(number, partial(abs, number)) == number
        compiled.write()
        assert 4 <= len(quick_start.Compiled("numbers")._kept) <= 10
