"""The house rules: lint, types, the direction of imports, and what the repository may hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.model.formats import FORMATS
from tests.support.newsroom import ROOT, Office

BIN = Path(sys.executable).parent


def run(*command: str) -> str:
    """Run a tool in the checkout; its complaint is the failure."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked() -> list[Path]:
    """Return the files that git tracks, or all sources where there is no git."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0 and done.stdout:
        return [ROOT / name for name in done.stdout.split("\n") if name and (ROOT / name).is_file()]
    return [path for part in ("pipeline", "templates", "tests") for path in (ROOT / part).rglob("*.*")]


def test_lint() -> None:
    run(str(BIN / "ruff"), "check", "--no-cache", ".")
    run(str(BIN / "ruff"), "format", "--no-cache", "--check", ".")


def test_types() -> None:
    run(str(BIN / "mypy"), "--no-error-summary")


def test_imports_lead_down() -> None:
    run(str(BIN / "lint-imports"), "--no-cache")


def test_no_test_module_imports_another_for_helpers_live_in_support() -> None:
    imported = re.compile(r"^\s*(?:from|import) tests\b.*\btest_\w+", re.MULTILINE)
    found = [
        f"{path.relative_to(ROOT)}: {line[0].strip()}"
        for path in (ROOT / "tests").rglob("*.py")
        for line in imported.finditer(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("library", "module"),
    [
        ("weasyprint", "writers/pdf/engine.py writers/pdf/shortcuts"),
        ("docx", "writers/docx/writer.py"),
        ("pypdfium2", "build/parity/pdf.py reader/imports/pdf.py"),
        ("mammoth", "reader/imports/word.py"),
        ("segno", "writers/pdf/qr_code.py"),
        ("feedgen", "site/feeds.py"),
        ("boto3", "storage/s3/client.py"),
        ("markdown", "reader/markdown/extension.py"),
        ("distributed", "build/cluster.py"),
        ("av", "reader/measuring.py"),
    ],
)
def test_library_is_imported_where_it_is_used_only(library: str, module: str) -> None:
    wanted = re.compile(rf"^\s*(?:import {library}\b|from {library}\b[^ ]* import)", re.MULTILINE)
    found = {
        str((path.parent if path.parent.name == "shortcuts" else path).relative_to(ROOT / "pipeline"))
        for path in (ROOT / "pipeline").rglob("*.py")
        if wanted.search(path.read_text("utf-8"))
    }
    assert found == set(module.split())


@pytest.mark.parametrize(
    ("commands", "more"),
    [
        (["text"], "PIL babel dataclasses jinja2 pipeline.reader.source pipeline.writers zoneinfo"),
        (["pdf", "docx", "kit"], "PIL babel dataclasses fontTools jinja2 multiprocessing pipeline.writers"),
        (["html", "json", "render"], "PIL babel importlib.metadata jinja2"),
        (["read", "feed", "pages", "status"], ""),
    ],
)
def test_command_with_nothing_to_do_loads_no_heavy_library(rendered: Office, commands: list[str], more: str) -> None:
    """Nor what costs little, but would cost it in each process."""
    always = "weasyprint docx pypdfium2 feedgen boto3 markdown yaml distributed av typing_extensions fractions"
    heavy = f"{always} {more}".split()
    code = (
        "import sys; from pipeline.__main__ import main;"
        f"ended = [main([command]) for command in {commands}];"
        f"print(ended, sorted({set(heavy)} & set(sys.modules)))"
    )
    environ = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=rendered.folder, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip().endswith("0] []"), done.stdout + done.stderr


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("rooms") / "office")
    office.write("one")
    assert office.make("render").status == 0
    return office


def test_every_format_has_its_writer_and_its_line_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for row in FORMATS:
        writers = ROOT / "pipeline" / "writers"
        assert (writers / f"{row.writer}.py").is_file() or (writers / row.writer / "__init__.py").is_file()
        assert row.beside in {form.name for form in FORMATS} | {""}
        if row.beside:  # the stage of that format renders it
            continue
        assert re.search(rf"^STAGES := .*\b{row.name}\b|^FILES  := .*\b{row.name}\b", makefile, re.MULTILINE), row.name


def test_nothing_generated_or_of_one_machine_is_tracked() -> None:
    index, machine = (
        re.compile(r"https?://[^ \"']*(?:/simple/?|registry\.)"),
        re.compile(r"(?<![\w.])/(?:home|root)/\w"),
    )
    for path in tracked():
        name = path.relative_to(ROOT)
        assert name.parts[0] not in {"output", ".store", ".venv"}, name
        assert path.stat().st_size < 700_000, name
        if path.suffix in {".py", ".md", ".toml", ".lock", ".yml", ".j2", ".css"} or path.name in {"Makefile", "run"}:
            text = path.read_text("utf-8")
            assert not index.search(text), name
            assert name.parts[0] == "tests" or not machine.search(text), name
