"""docs/messages.md has every message of the code, and none that is gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.documentation.messages import COMMAND, PAGE, Message, UnreadableError, collect, markdown, page, pattern
from tests.support.markdown_outline import cases

IN_CASES = {
    "front-matter": re.compile(r"^\d+ (.*)$", re.MULTILINE),
    "newsroom": re.compile(r"^\d+ (.*)$", re.MULTILINE),
    "dateline": re.compile(r"^\s*(?:fault|warning), line \d+: (.*)$", re.MULTILINE),
}
"""How the files of cases write the messages that the reader gives."""
OF_ANOTHER_PROGRAM = "https://toml.io"
"""In the hint below the words of the TOML parser, which the page cannot list."""


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return collect()


def test_page_has_the_messages_of_the_code(messages: list[Message]) -> None:
    assert PAGE.read_text("utf-8") == page(messages), f"write the page again: .venv/bin/{COMMAND}"


@pytest.mark.parametrize("name", IN_CASES)
def test_every_message_that_a_reader_is_known_to_give_is_found(name: str, messages: list[Message]) -> None:
    said = {text for case in cases(name) for text in IN_CASES[name].findall(case.outline)}
    said = {text for text in said if OF_ANOTHER_PROGRAM not in text}
    patterns = [pattern(each) for each in messages if each.module.startswith(("reader", "model")) and _words(each) > 4]
    assert said
    assert [text for text in sorted(said) if not any(each.search(text) for each in patterns)] == []


def _words(message: Message) -> int:
    """Return how many letters of a message are always the same."""
    return sum(map(str.isalpha, "".join(part for part in message.text if isinstance(part, str))))


@pytest.fixture
def package(tmp_path: Path) -> Callable[[str], list[str]]:
    """Read the messages of a package that has this code in one module."""
    (tmp_path / "Makefile").write_text("")
    (tmp_path / "pipeline" / "model").mkdir(parents=True)
    errors = "class DatelineError(Exception): ...\nclass SettingError(DatelineError): ...\n"
    (tmp_path / "pipeline" / "model" / "errors.py").write_text(errors)

    def read(code: str) -> list[str]:
        (tmp_path / "pipeline" / "room.py").write_text(f"from pipeline.model.errors import SettingError\n{code}")
        found = collect(tmp_path / "pipeline")
        return sorted(" → ".join([markdown(each.text), *sorted(map(markdown, each.hints))]) for each in found)

    return read


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise SettingError("it is wrong", "mend it")', ["it is wrong → mend it"]),
        ('LIMIT = 64 * 1024\nraise SettingError(f"more than {LIMIT // 1024} KB")', ["more than 64 KB"]),
        ('def f(slug):\n    raise SettingError(f"no release {slug}")', ["no release *name*"]),
        ('def f(a):\n    what = "is old" if a else "is new"\n    raise SettingError(what)', ["is new", "is old"]),
        (
            'def f():\n    what = "the first"\n    raise SettingError(what)\n'
            'def g():\n    what = "gone"\n    what = "the second"\n    raise SettingError(what)',
            ["the first", "the second"],
        ),
        (
            'def refuse(what, hint):\n    raise SettingError(f"refused: {what}", hint)\n'
            'refuse("too long", "shorten it")\nrefuse("too wide", "fold it")',
            ["refused: too long → shorten it", "refused: too wide → fold it"],
        ),
        (
            'def problem(a):\n    if a:\n        return "too long", "shorten it"\n    return "too wide", "fold it"\n'
            "def f(a):\n    message, hint = problem(a)\n    raise SettingError(message, hint)",
            ["too long → shorten it", "too wide → fold it"],
        ),
        ('PAIR = "too long", "shorten it"\nraise SettingError(*PAIR)', ["too long → shorten it"]),
    ],
)
def test_messages_are_read_however_the_code_puts_them_together(
    code: str, found: list[str], package: Callable[[str], list[str]]
) -> None:
    assert package(code) == found


def test_message_that_cannot_be_read_is_an_error(package: Callable[[str], list[str]]) -> None:
    with pytest.raises(UnreadableError, match="room:4"):
        package("from elsewhere import sentence\ndef f(a):\n    raise SettingError(sentence(a))")
