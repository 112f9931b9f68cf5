"""The scheduled job: its very steps, out of its file, in a clean clone, while a release waits."""

from __future__ import annotations

import os
import re
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.publish import staging as embargo
from tests.support import forkserver
from tests.support.instants import in_time, published
from tests.support.newsroom import ROOT, Office, clone, env_of, store_of
from tests.support.polling import Poller
from tests.support.public_http import get

GITHUB = ROOT / ".github/workflows/publish.yml"
GITLAB = ROOT / ".gitlab-ci.yml"
TITLE = "Nobody may read this headline yet"


def github() -> dict[str, Any]:
    """Return the job as GitHub reads it (whose ``on`` YAML takes for a truth)."""
    found = yaml.safe_load(GITHUB.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def expand(text: str, event: str, known: dict[str, str]) -> str:
    """Evaluate the expressions that the file uses; whatever else it said would fail here."""

    def value(found: re.Match[str]) -> str:
        if choice := re.fullmatch(r"github\.event_name == '(\w+)' && '(\w+)' \|\| '(\w+)'", found[1]):
            return choice[2] if choice[1] == event else choice[3]
        kind, name = found[1].split(".")
        assert kind in ("vars", "secrets"), found[0]
        return known.get(name, "")

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


def github_steps(event: str, known: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    """Return the shell steps, each with its environment."""
    job = github()["jobs"]["publish"]
    steps = [(step["run"], job["env"] | step.get("env", {})) for step in job["steps"] if "run" in step]
    return [(run, {name: expand(value, event, known) for name, value in env.items()}) for run, env in steps]


def gitlab_steps(known: dict[str, str]) -> list[tuple[str, dict[str, str]]]:
    job = yaml.safe_load(GITLAB.read_text("utf-8"))["publish"]
    (rule,) = [rule for rule in job["rules"] if "schedule" in rule["if"]]
    return [(line, known | rule["variables"]) for line in job["script"]]


@pytest.mark.parametrize("which", ["github", "gitlab"])
def test_its_steps_publish_on_the_second_and_tell_nothing_before(office: Office, tmp_path: Path, which: str) -> None:
    base = published(office)
    instant = in_time(4)
    office.write("not-yet", title=TITLE, date=instant.isoformat(), embargo="true")
    office.write("next-year", title=f"{TITLE} either", date="2036-01-01T00:00Z")
    job = clone(office, tmp_path / "clone")
    own = env_of(office)
    known = {name: own[name] for name in own if name.startswith("PRESS_")} | {
        name: own[name] for name in ("AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    clean = {name: os.environ[name] for name in os.environ if name == "PATH" or name.startswith(forkserver.STARTED_BY)}
    clean |= {"HOME": str(tmp_path), "CI": "true", "VENV": forkserver.venv()}
    clean["PRESS_ALLOW_SAMPLES"] = own["PRESS_ALLOW_SAMPLES"]
    clean |= {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "GITHUB_OUTPUT": str(tmp_path / "output")}
    steps = github_steps("schedule", known) if which == "github" else gitlab_steps(known)
    log = ""
    with Poller(base, ["not-yet"], instant) as poller:
        for run, environ in steps:
            done = subprocess.run(
                ["bash", "-e", "-c", run],
                cwd=job.folder,
                env=clean | environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=280,
            )
            log += done.stdout
            assert done.returncode == 0, log
        poller.wait(5)
    print(log, poller.table(), sep="\n")
    assert poller.all_told, poller.table()
    assert min(record.first_success for record in poller.records.values()) >= 0, poller.table()
    before = re.split(r"^release ", log, flags=re.MULTILINE)[0]
    facts = [TITLE, "not-yet", "next-year", f"{instant:%H:%M:%S}", "2036"]
    for path in [*job.public.glob("releases/not-yet*"), *job.waiting.rglob("*.*")]:
        data = path.read_bytes()
        facts += (
            [sha256(data).hexdigest()[:12], str(len(data))] if len(data) > 9999 else [sha256(data).hexdigest()[:12]]
        )
    assert [fact for fact in facts if fact in before] == []
    assert [fact for fact in ("2036", "next-year") if fact in log] == []
    assert TITLE not in log
    assert not re.search(r"^(text|pdf|docx|kit|html|json) .*\d (K|M)B", before, re.MULTILINE), "no sizes of what waits"
    assert own["AWS_SECRET_ACCESS_KEY"] not in log
    assert not (tmp_path / "summary.md").exists()
    assert embargo.read_staged(store_of(office)).releases.keys() == {"next-year"}
    assert get(f"{base}releases/next-year.html")[0] == 404


def test_a_push_does_not_stay() -> None:
    ((_, environ),) = github_steps("push", {})
    assert environ["STAY"] == "0s"
    ((_, environ),) = github_steps("schedule", {})
    assert environ["STAY"] == "25m"


def test_it_starts_oftener_than_it_stays() -> None:
    schedule = github()[True]["schedule"]  # type: ignore[index]  # YAML reads ``on`` as true
    minutes = [int(minute) for minute in schedule[0]["cron"].split()[0].split(",")]
    apart = [(after - before) % 60 for before, after in zip(minutes, [*minutes[1:], minutes[0]], strict=True)]
    assert max(apart) < 25, "else an instant may fall between two jobs"
    assert github()["jobs"]["publish"]["timeout-minutes"] > 25 + 10


def test_it_has_the_least_rights_a_guard_and_leaves_nothing_behind() -> None:
    job = github()
    assert job["permissions"] == {"contents": "read"}
    assert "permissions" not in job["jobs"]["publish"]
    assert job["concurrency"]["cancel-in-progress"] is False
    used = {step["uses"].split("@")[0]: step for step in job["jobs"]["publish"]["steps"] if "uses" in step}
    assert used.keys() == {"actions/checkout", "actions/cache"}, "no artefacts"
    assert used["actions/checkout"]["with"]["persist-credentials"] is False
    assert used["actions/cache"]["with"]["path"] == ".venv", "a cache is read by every branch: nothing that was made"
    assert not [name for name in job["jobs"]["publish"]["env"] if "SECRET" in name], (
        "keys for the one step that uses them"
    )
    gitlab = yaml.safe_load(GITLAB.read_text("utf-8"))["publish"]
    assert gitlab["cache"]["paths"] == [".venv"]
    assert "artifacts" not in gitlab
