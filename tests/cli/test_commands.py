"""What a person at the terminal or a job's log sees, and how every command ends."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline import __main__ as program
from pipeline.build.context import ExitStatus, exit_status
from pipeline.cli import COMMANDS, module
from pipeline.cli.console import Console, count, pace, size
from pipeline.cli.status import duration
from pipeline.model.errors import (
    ConflictError,
    DatelineError,
    Fault,
    ReleaseError,
    RenderError,
    SettingError,
    StorageError,
)
from tests.support.newsroom import NEWSROOM, ROOT, UNTRANSLATED

Say = pytest.CaptureFixture[str]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


# ── The console ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_results_and_faults_go_their_own_ways(capsys: Say) -> None:
    console = Console()
    console.line("a result")
    console.fault("a fault")
    assert capsys.readouterr() == ("a result\n", "a fault\n")


def test_steps_stand_in_columns(capsys: Say) -> None:
    console = Console()
    console.step("pdf", "a-release", "26 KB", "2 pages")
    console.step("docx", "another-release", "114 KB")
    console.step("text", "held")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"pdf     {'a-release':<40}     26 KB    2 pages"
    assert lines[0].index("26 KB") + 5 == lines[1].index("114 KB") + 6
    assert lines[2] == "text    held"


def test_a_long_name_costs_the_column_and_no_letter(capsys: Say) -> None:
    Console().step("pdf", "x" * 80, "1 KB")
    assert capsys.readouterr().out == f"pdf     {'x' * 80}      1 KB\n"


def test_tables_are_aligned_and_their_last_column_runs_free(capsys: Say) -> None:
    Console().table([("why", "what", "as"), ("changed", "a", ""), ("new", "longer", "a very long text " * 9 + ".")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "why      what    as"
    assert lines[1] == "changed  a"
    assert lines[2].startswith("new      longer  a very long")


def test_a_log_has_no_colour_and_no_progress(capsys: Say) -> None:
    console = Console()
    console.heading("https://press.example.org/")
    for done in range(1, 11):
        console.progress(done, 10, "read")
    assert capsys.readouterr() == ("https://press.example.org/\n", "")


def test_a_terminal_has_both_and_progress_is_wiped_before_anything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    console = Console()
    console.heading("https://press.example.org/")
    assert out.getvalue() == "\x1b[1mhttps://press.example.org/\x1b[0m\n"
    console.progress(5, 10, "read")
    assert err.getvalue().endswith(f"\r\x1b[K{'━' * 15}{' ' * 15} 5/10 read")
    console.fault("a fault")
    assert err.getvalue().endswith("5/10 read\r\x1b[Ka fault\n")
    console.progress(10, 10, "read")
    assert err.getvalue().endswith("10/10 read\r\x1b[K")


def test_a_line_of_one_stage_wipes_the_bar_of_another_on_the_same_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    one, other = Console(), Console()
    one.progress(5, 10, "pdf")
    other.line("docx    a-release")
    assert terminal.getvalue().endswith("5/10 pdf\r\x1b[Kdocx    a-release\n")


def test_a_long_task_says_how_fast_it_is_and_how_long_it_still_takes_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    now = [0.0]
    console = Console(lambda: now[0])
    for seconds, done in enumerate((1, 401, 801)):
        now[0] = float(seconds)
        console.progress(done, 1601, f"files, {done / 20:.0f} of 80 MB")
    assert err.getvalue().endswith(" 801/1601 files, 40 of 80 MB, 400/s, 2 s left")
    console.progress(802, 1601, "files" * 40)
    assert len(err.getvalue().rpartition("\x1b[K")[2]) == 79
    console.progress(1, 1601, "another task of as many")
    assert err.getvalue().endswith(" 1/1601 another task of as many")


@pytest.mark.parametrize(
    ("done", "total", "seconds", "text"),
    [
        (0, 100, 5.0, ""),
        (50, 100, 0.9, ""),
        (50, 100, 5.0, "10/s, 5 s left"),
        (2, 10, 4.0, "16 s left"),
        (100, 100_000, 1.0, "100/s, 17 min left"),
        (100, 100, 5.0, ""),
    ],
)
def test_pace_is_for_people(done: int, total: int, seconds: float, text: str) -> None:
    assert pace(done, total, seconds) == text


def test_one_thing_to_do_needs_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    console = Console()
    console.progress(1, 1, "read")
    console.progress(0, 0, "read")
    assert err.getvalue() == ""


def test_numbers_are_for_people() -> None:
    assert [size(number) for number in (0, 26_400, 999_499, 999_500, 1_450_000)] == [
        "1 KB", "26 KB", "999 KB", "1.0 MB", "1.4 MB",
    ]  # fmt: skip
    assert [count(number, "release") for number in (0, 1, 2)] == ["0 releases", "1 release", "2 releases"]


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(seconds=1), "1 min"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(hours=1), "1 h 0 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min"),
        (timedelta(days=3, hours=4, minutes=5), "3 d 4 h"),
    ],
)
def test_how_long_a_release_waits_is_told_shortly(left: timedelta, told: str) -> None:
    assert duration(left) == told


# ── How a command ends ──────────────────────────────────────────────────────────────────────────────────────────────


def ending(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], ExitStatus | None]) -> int:
    """Return the exit status of a command that does ``deed``."""
    monkeypatch.setattr(program, "run", lambda options, environ, console: deed())
    monkeypatch.delenv("DATELINE_DEBUG", raising=False)
    return program.main(["check"])


def raising(error: BaseException) -> Callable[[], None]:
    def deed() -> None:
        raise error

    return deed


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (ReleaseError([Fault("content/x.md", 3, "title: blank", "write one")]), 2, "release"),
        (SettingError("PRESS_BUCKET is wrong", "set it"), 2, "release"),
        (RenderError("cannot be set", "shorten it"), 2, "release"),
        (StorageError("cannot read manifest.json", "check the network"), 3, "storage"),
        (ConflictError("x: somebody else was first", "compare"), 4, "conflict"),
    ],
)
def test_an_error_is_a_sentence_a_hint_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: Say, error: DatelineError, status: int, kind: str
) -> None:
    assert ending(monkeypatch, raising(error)) == status
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[-1] == f"dateline: exit {status} ({kind})"
    assert lines[-2].startswith("  hint: ")
    assert "Traceback" not in err


def test_faults_are_told_by_file_and_line(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    faults = [Fault("content/b.md", 0, "second"), Fault("content/a.md", 10, "tenth"), Fault("content/a.md", 9, "ninth")]
    ending(monkeypatch, raising(ReleaseError([*faults, *faults])))
    assert capsys.readouterr().err.splitlines() == [
        "content/a.md:9: ninth",
        "content/a.md:10: tenth",
        "content/b.md: second",
        "dateline: exit 2 (release)",
    ]


def test_an_error_without_a_hint_has_none(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    ending(monkeypatch, raising(StorageError("down")))
    assert capsys.readouterr().err == "down\ndateline: exit 3 (storage)\n"


def test_a_command_that_did_what_it_could_ends_with_the_worst_it_met(
    monkeypatch: pytest.MonkeyPatch, capsys: Say
) -> None:
    assert ending(monkeypatch, lambda: exit_status(ReleaseError)) == 2
    assert capsys.readouterr().err == "dateline: exit 2 (release)\n"


def test_success_is_silent(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    assert ending(monkeypatch, lambda: None) == 0
    assert capsys.readouterr() == ("", "")


def test_a_fault_of_our_own_is_a_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    assert ending(monkeypatch, raising(ZeroDivisionError("division by zero"))) == 2
    err = capsys.readouterr().err
    assert err.startswith("an error in Dateline itself: ZeroDivisionError: division by zero\n")
    assert "DATELINE_DEBUG=1" in err
    assert "Traceback" not in err
    assert err.endswith("dateline: exit 2 (release)\n")


def test_a_developer_gets_the_traceback_on_request(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    monkeypatch.setattr(program, "run", lambda *_: raising(ZeroDivisionError("x"))())
    monkeypatch.setenv("DATELINE_DEBUG", "1")
    assert program.main(["check"]) == 2
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_the_keyboard_ends_with_130(monkeypatch: pytest.MonkeyPatch, capsys: Say) -> None:
    assert ending(monkeypatch, raising(KeyboardInterrupt())) == 130
    err = capsys.readouterr().err
    assert "the next run continues from there" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("command", "status"), [("caught", 0), ("uncaught", 130)])
def test_the_keyboard_ends_it_with_a_status_even_while_a_library_makes_code(
    tmp_path: Path, command: str, status: int
) -> None:
    steps = f"""
import contextlib, runpy, threading
from pipeline import cli
def run(*_):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt if "{command}" == "caught" else ()):
        exec("raise KeyboardInterrupt")
cli.run = run
runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
"""
    (tmp_path / "steps.py").write_text(steps)
    search = os.pathsep.join([str(tmp_path), str(ROOT)])
    environ = os.environ | {"PYTHONPATH": search}
    done = subprocess.run([sys.executable, "-m", "steps", "stop"], env=environ, cwd=tmp_path, capture_output=True)
    assert (done.returncode, b"Traceback" in done.stderr) == (status, False), done.stderr


def test_a_reader_who_hangs_up_does_not_stop_the_work() -> None:
    """``make publish | head`` must publish everything all the same."""
    code = (
        "import os, sys; from pipeline.cli.console import Console; os.close(1); read, write = os.pipe();"
        "os.close(read); sys.stdout = os.fdopen(write, 'w'); console = Console();"
        "[console.line(str(n)) for n in range(3)]; print('done', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "done\n")


@pytest.mark.parametrize("arguments", [[], ["dance"], ["check", "--bogus"]])
def test_a_command_that_nobody_knows_ends_with_2(arguments: list[str], capsys: Say) -> None:
    with pytest.raises(SystemExit) as caught:
        program.main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_every_command_is_there() -> None:
    from importlib import import_module

    for command in COMMANDS:
        assert callable(import_module(module(command)).run), command


def test_options_of_every_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Namespace] = []
    monkeypatch.setattr(program, "run", lambda options, environ, console: seen.append(options))
    assert program.main(["--content", "c", "--output", "o", "pdf", "--stamp", "list", "--go-on"]) == 0
    (options,) = seen
    assert (options.content, options.output, options.stamp) == (Path("c"), Path("o"), Path("list"))
    assert (options.go_on, options.publishing) == (True, False)


# ── For real ────────────────────────────────────────────────────────────────────────────────────────────────────────


def dateline(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "--content", str(folder / "content"), "--output", str(folder / "output"),
         *arguments],
        capture_output=True, text=True, timeout=60,
        env={"PATH": "/usr/bin:/bin", **environ}, cwd=Path(program.__file__).parents[1],
    )  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Path:
    content = tmp_path / "content"
    content.mkdir()
    (content / "newsroom.toml").write_text(NEWSROOM, "utf-8")
    return tmp_path


def release(office: Path, slug: str, front: str = "title: A title\ndate: 2026-01-05T09:00+00:00\n") -> Path:
    path = office / "content" / f"{slug}.md"
    path.write_text(f"---\n{front}---\nWords.\n", "utf-8")
    return path


def test_check_says_how_many_are_whole(office: Path) -> None:
    release(office, "one")
    found = dateline(office, "check")
    assert (found.returncode, found.stdout) == (0, "1 release checked, none refused\n")


def test_check_says_for_which_languages_english_stands_in(office: Path) -> None:
    newsroom = office / "content" / "newsroom.toml"
    tags = f'["en-GB", "de", "zh-Hans", "{UNTRANSLATED}"]'
    newsroom.write_text(newsroom.read_text("utf-8").replace('["en-GB", "de"]', tags), "utf-8")
    release(office, "one", f"title: A title\nlanguage: {UNTRANSLATED}\ndate: 2026-01-05T09:00+00:00\n")
    found = dateline(office, "check")
    assert found.returncode == 0
    told = [line for line in found.stderr.splitlines() if line.endswith("[untranslated]")]
    assert told == [
        f"templates/words/{UNTRANSLATED}.toml: warning: does not exist; English is used instead [untranslated]"
    ]


def test_check_ends_with_2_and_names_file_and_line(office: Path) -> None:
    path = release(office, "one", "title: A title\ncolour: blue\ndate: 2026-01-05T09:00+00:00\n")
    release(office, "two")
    found = dateline(office, "check")
    assert found.returncode == 2
    assert found.stdout == "2 releases checked, 1 refused\n"
    assert found.stderr.startswith(f"{path}:3: ")
    assert found.stderr.endswith("\ndateline: exit 2 (release)\n")


def test_new_writes_a_draft_that_check_takes(office: Path) -> None:
    written = dateline(office, "new", DATELINE_TITLE="What $(happened) “here”")
    assert written.returncode == 0
    assert written.stdout.startswith(f"{office / 'content' / 'what-happened-here.md'} written as a draft")
    assert dateline(office, "check").returncode == 0
    again = dateline(office, "new", DATELINE_TITLE="What happened here")
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_a_newsroom_without_its_file_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    found = dateline(tmp_path, "check")
    assert found.returncode == 2
    assert "newsroom.toml" in found.stderr
    assert found.stderr.endswith("dateline: exit 2 (release)\n")


def test_output_says_nothing_of_what_waits(office: Path) -> None:
    release(office, "secret-merger", "title: Secret merger\ndate: 2099-01-05T09:00+00:00\n")
    for command in ("read", "text", "status"):
        found = dateline(office, command)
        assert found.returncode == 0, found.stderr
        assert "secret" not in (found.stdout + found.stderr).casefold()
