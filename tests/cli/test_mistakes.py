"""What a person sees who mistypes something, or whose machine lacks something: what is wrong, and one thing to do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.start import install
from tests.support.newsroom import ROOT, Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom in a folder with blanks in its name."""
    found = Office(tmp_path_factory.mktemp("mistakes") / "our press office")
    found.write("ferry", title="The ferry sails", body="It carries 40 people.")
    (found.folder / "taken").write_text("a file where a folder is needed", "utf-8")
    return found


@pytest.mark.parametrize(
    ("typed", "environ", "message", "hint"),
    [
        (["pubish"], {}, "make pubish: there is no such command", "did you mean make publish?"),
        (["Check"], {}, "make Check: there is no such command", "did you mean make check?"),
        (["xyz"], {}, "make xyz: there is no such command", "make help lists the commands"),
        (["check", "WAITT=3m"], {}, "WAITT: there is no such variable", "did you mean WAIT=…?"),
        (["check", "COLOUR=red"], {}, "COLOUR: there is no such variable", "make help lists the commands"),
        (["check"], {"PRESS_BUKET": "press"}, "PRESS_BUKET: there is no such variable", "PRESS_BUCKET=…"),
        (["check", "CONTENT=my texts"], {}, "CONTENT and OUTPUT must have no blanks", "a name without blanks"),
        (["check", "CONTENT=nowhere"], {}, "nowhere/newsroom.toml: No such file or directory", "check the name"),
        (["check", "CONTENT=taken"], {}, "taken/newsroom.toml: Not a directory", "rename the file"),
        (["render", "OUTPUT=taken"], {}, "taken: cannot be written: Not a directory", "rename the file"),
        (["correct"], {}, "RELEASE is not set", "make correct RELEASE=name"),
        (["publish"], {"PRESS_PRIVATE_BUCKET": "x"}, "PRESS_BUCKET is not", "set PRESS_BUCKET too"),
    ],
)
def test_a_mistake_is_named_with_one_thing_to_do(
    office: Office, typed: list[str], environ: dict[str, str], message: str, hint: str
) -> None:
    result = office.make(*typed, **environ)
    assert result.status == 2, result.text
    lines = result.err.splitlines()
    found = [number for number, line in enumerate(lines) if message in line]
    assert found, result.text
    assert lines[found[0] + 1].startswith("  hint: ")
    assert hint in lines[found[0] + 1]
    assert "dateline: exit 2 (release)" in lines
    assert "Traceback" not in result.text


@pytest.mark.parametrize(
    ("typed", "environ"),
    [
        (["check"], {"PRESS_OTHER_PROGRAM": "1", "PRESSURE": "1"}),
        (["check", "TZ=Asia/Seoul", "LANG=C", "http_proxy=http://127.0.0.1:9", "AWS_PROFILE=desk"], {}),
        (["render"], {}),
    ],
)
def test_what_belongs_to_other_programs_is_left_alone(
    office: Office, typed: list[str], environ: dict[str, str]
) -> None:
    result = office.make(*typed, **environ)
    assert result.status == 0, result.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(office: Office) -> None:
    locked = office.folder / "locked"
    locked.mkdir(mode=0o500)
    result = office.make("render", "OUTPUT=locked/output")
    assert "locked" in result.err
    assert "give your user the right to write there" in result.err


# ── Set-up ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_python_set_up_says_what_is_needed(office: Office) -> None:
    result = office.make("setup", "PYTHON=python-that-is-not-there", f"VENV={office.folder.parent / 'none'}")
    assert result.status == 2
    assert "needs Python 3.11 or newer" in result.err


def test_an_old_python_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(install, "OLDEST", (9, 0))
    assert install.main(["venv", "requirements.lock"]) == 2
    assert "needs Python 9.0 or newer, and" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("NewConnectionError: Failed to establish a new connection", "no connection to the package index"),
        ("SSLError(SSLCertVerificationError(...))", "no connection to the package index"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "its hash differs"),
        ("ERROR: something else", "ERROR: something else"),
    ],
)
def test_a_failure_of_pip_is_explained(said: str, told: str) -> None:
    explained = install._explained(said)
    assert told in explained
    assert "\nhint: " in explained


def _set_up(folder: Path, index: str) -> subprocess.Popen[str]:
    """Start a set-up into ``folder`` that gets its packages from ``index`` alone."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.start.install", str(folder), "requirements.lock"],
        cwd=ROOT,
        env={**clean, "PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
    )


def test_a_set_up_without_network_says_so(tmp_path: Path) -> None:
    process = _set_up(tmp_path / "venv", "http://127.0.0.1:9/")
    _, told = process.communicate(timeout=240)
    assert process.returncode == 2
    assert "no connection to the package index\n  hint: check the network" in told


def test_a_set_up_that_is_interrupted_ends_with_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(240)
        process = _set_up(tmp_path / "venv", f"http://127.0.0.1:{silent.getsockname()[1]}/")
        with silent.accept()[0]:  # pip asks for a package, and waits
            os.killpg(process.pid, signal.SIGINT)
            _, told = process.communicate(timeout=240)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "set-up: stopped; run the same command again, and it is finished"
    assert "Traceback" not in told
