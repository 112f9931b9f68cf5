"""The jobs that check pull requests: their very steps, out of their files, in a fresh clone without keys."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import forkserver
from tests.support.newsroom import ROOT, Office

GITHUB = ".github/workflows/check.yml"
GITLAB = ".gitlab-ci.yml"


def job(file: str) -> dict[str, Any]:
    found = yaml.safe_load((ROOT / file).read_text("utf-8"))
    checking = found["jobs"]["check"] if "jobs" in found else found["check"]
    assert isinstance(checking, dict)
    return checking


def steps(file: str) -> list[str]:
    """Return the shell steps of the job."""
    found = job(file)
    return list(found.get("script") or [step["run"] for step in found["steps"] if "run" in step])


def run(file: str, folder: Path) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "CI": "true"}
    clean |= {"VENV": forkserver.venv(), "PRESS_BUCKET": "press-example-org", "PRESS_ALLOW_SAMPLES": "1"}
    script = "\n".join(steps(file))
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
    )


@pytest.mark.parametrize("file", [GITHUB, GITLAB])
def test_it_passes_good_releases_and_fails_for_a_bad_one_without_keys(tmp_path: Path, file: str) -> None:
    office = Office(tmp_path / "office")
    office.write("good")
    passed = run(file, office.folder)
    assert passed.returncode == 0, passed.stdout
    office.write("bad", date="tomorrow")
    failed = run(file, office.folder)
    assert failed.returncode != 0
    assert re.search(r"content/bad\.md.*not a date", failed.stdout), failed.stdout
    if file == GITHUB:
        assert "::error file=content/bad.md,line=3" in failed.stdout


def test_it_runs_for_pull_requests_alone_with_the_least_rights_and_no_secrets() -> None:
    text = (ROOT / GITHUB).read_text("utf-8")
    workflow = yaml.safe_load(text)
    assert list(workflow[True]) == ["pull_request"], (
        "never pull_request_target, which has rights; YAML reads on as true"
    )
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert job(GITLAB)["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
