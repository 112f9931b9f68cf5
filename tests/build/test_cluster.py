"""Rendering on a Dask cluster: the same results as on one machine, whatever happens to workers and scheduler."""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from distributed import Client

from pipeline.build import cluster, cluster_worker, stages, worker_pool
from pipeline.build.cluster import differences, remedy
from pipeline.model.errors import DatelineError, Fault, SettingError
from tests.support import dask_cluster as work
from tests.support import reading as texts
from tests.support.dask_cluster import DaskCluster
from tests.support.in_process import AHEAD, Sandbox
from tests.support.newsroom import ROOT, Office

MISDEEDS = ("nothing", "hangs", "is killed", "leaves", "eats memory", "cannot be set", "fails oddly", "nothing else")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """A scheduler with two workers."""
    with work.dask_cluster(tmp_path_factory.mktemp("dask")) as started:
        started.add_workers(ROOT, ROOT)
        yield started


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    with work.dask_cluster(tmp_path_factory.mktemp("dask-alone")) as started:
        yield started


@pytest.fixture
def alone(scheduler: DaskCluster) -> Iterator[DaskCluster]:
    """A scheduler without workers; those that a test adds end with it."""
    yield scheduler
    scheduler.dismiss_workers()


def refuse_notes(fault: Fault) -> None:
    raise AssertionError(str(fault))


def run(
    address: str,
    task: Callable[[Any], object],
    keys: Sequence[Any],
    prepare: Callable[[Any], Any] = work.as_it_is,
    seconds: float = 60.0,
    note: Callable[[Fault], None] = refuse_notes,
) -> Iterator[tuple[Any, Any]]:
    return cluster.run(address, note, prepare, task, keys, work.nothing, seconds)


def told(result: object) -> object:
    """Return a result, or what is told of an error."""
    if isinstance(result, Exception):
        return type(result).__name__, str(result), getattr(result, "hint", "")
    return result


# ── Good days ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whatever_a_release_does_to_its_process_the_outcome_is_that_of_one_machine(two: DaskCluster) -> None:
    here = worker_pool.run(work.as_it_is, work.misbehave, MISDEEDS, work.nothing, 2.0)
    there = run(two.address, work.misbehave, MISDEEDS, seconds=2.0)
    assert {key: told(result) for key, result in there} == {key: told(result) for key, result in here}


def test_releases_have_the_same_bytes_as_on_one_machine(two: DaskCluster, tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    (office.content / "one").mkdir()
    (office.content / "one" / "tape.png").write_bytes(texts.picture())
    office.write("one", body="Words.\n\n![A tape](one/tape.png)")
    office.write("two", body="| a | b |\n|---|---|\n| c | d |", date="2199-01-01T00:00Z", embargo="true")
    found = []
    for address in ("", two.address):
        done = office.make("pdf", "docx", PRESS_DASK=address)
        assert done.status == 0, done.text
        paths = sorted((office.folder / "output").rglob("releases/*.*"))
        found.append({str(path.relative_to(office.folder)): path.read_bytes() for path in paths if path.is_file()})
        shutil.rmtree(office.folder / "output")
    assert found[0] == found[1]
    assert {"output/public/releases/one.pdf", "output/waiting/releases/two.docx"} <= found[0].keys()


def test_few_tasks_are_sent_ahead_so_that_memory_does_not_grow_with_the_archive(two: DaskCluster) -> None:
    prepared: list[int] = []
    done = 0

    def prepare(key: int) -> int:
        prepared.append(key)
        return key

    for _ in run(two.address, work.as_it_is, range(60), prepare):
        done += 1
        assert len(prepared) - done <= 6  # three a thread
    assert done == 60


def test_large_tasks_are_sent_one_after_the_other(two: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "BYTES_AHEAD", 1000)
    prepared = 0

    def prepare(key: int) -> bytes:
        nonlocal prepared
        prepared += 1
        return bytes(2_000_000)

    for number, (_, result) in enumerate(run(two.address, work.as_it_is, range(4), prepare)):
        assert len(result) == 2_000_000
        assert prepared == number + 1


def test_no_variable_is_sent_and_no_unpublished_word_is_logged(
    two: DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not for workers")
    found = dict(run(two.address, work.environment, ["AWS_SECRET_ACCESS_KEY", "confidential headline"]))
    assert set(found.values()) == {""}
    assert "confidential" not in two.log()
    assert "not for workers" not in two.log()


def test_what_cannot_be_prepared_costs_only_its_release(two: DaskCluster) -> None:
    def prepare(key: int) -> int:
        if key == 1:
            raise FileNotFoundError("a picture is gone")
        return key

    found = dict(run(two.address, work.as_it_is, range(3), prepare))
    assert isinstance(found.pop(1), FileNotFoundError)
    assert found == {0: 0, 2: 2}


# ── Workers that die, and workers that come ─────────────────────────────────────────────────────────────────────────


def test_a_worker_that_is_killed_costs_nothing_and_nothing_that_was_kept_is_done_twice(
    alone: DaskCluster, tmp_path: Path
) -> None:
    workers = alone.add_workers(ROOT, ROOT, options=["--no-nanny"])
    log, kept, found = tmp_path / "attempts", [], {}
    for key, result in run(alone.address, work.recorded, range(16), lambda key: (str(log), key)):
        found[key] = result
        if len(found) < 6:
            kept.append(key)
        elif len(found) == 6:
            alone.kill_workers(workers[0])
    assert found == {key: key * 2 for key in range(16)}
    attempts = Counter(map(int, log.read_text("utf-8").split()))
    assert [attempts[key] for key in kept] == [1] * len(kept)
    assert attempts.keys() == found.keys()


def test_releases_survive_a_worker_that_is_killed_with_the_same_bytes(alone: DaskCluster, tmp_path: Path) -> None:
    workers = alone.add_workers(ROOT, ROOT, options=["--no-nanny"])
    found = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        sandbox = Sandbox(tmp_path / name)
        for number in range(8):
            sandbox.write(f"release-{number}", body=f"Words of {number}.", **({"date": AHEAD} if number == 3 else {}))
        sandbox.read()
        context = sandbox.render_context
        if name == "there":
            context = msgspec.structs.replace(context, cluster=alone.address)
        seen: list[str] = []
        for result in stages.render("pdf", sandbox.state, context, sandbox.state.slugs(), refuse_notes):
            assert result.verb == "rendered", result
            seen.append(result.slug)
            if name == "there" and len(seen) == 2:
                alone.kill_workers(workers[1])
        assert sorted(seen) == list(sandbox.state.slugs())
        assert {step.verb for step in sandbox.render(["pdf"])["pdf"].values()} == {"unchanged"}
        found.append({name: (sandbox.output / name).read_bytes() for name in sandbox.files()})
    assert found[0] == found[1]


def test_workers_that_are_started_again_in_the_middle_are_checked_and_used(two: DaskCluster, tmp_path: Path) -> None:
    """Both are killed; their nannies start others, which have other addresses."""
    log, done = tmp_path / "attempts", 0
    with Client(two.address) as client:
        workers = list(client.nthreads())
    for key, result in run(two.address, work.recorded, range(12), lambda key: (str(log), key)):
        assert result == key * 2
        done += 1
        if done == 2:
            two.kill_workers(*workers)
    assert done == 12


def test_a_release_that_kills_every_worker_costs_only_itself(two: DaskCluster) -> None:
    keys = ["one", "two", "kills", *(f"more {number}" for number in range(8))]
    found = dict(run(two.address, work.kill_worker, keys))
    assert isinstance(found.pop("kills"), worker_pool.LimitExceededError)
    assert found == {key: key.upper() for key in keys if key != "kills"}


def test_a_worker_that_knows_of_no_check_does_nothing_before_it_is_checked(
    two: DaskCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been started again, with the address of one that was checked and with another version of the code."""
    checked: list[str] = []
    judge = cluster._Cluster._judge

    def counted(self: cluster._Cluster, check: Any, found: Any) -> None:
        checked.append(self.checks[check][0])
        judge(self, check, found)

    monkeypatch.setattr(cluster._Cluster, "_judge", counted)
    log, found = tmp_path / "attempts", {}
    for key, result in run(two.address, work.recorded, range(12), lambda key: (str(log), key)):
        found[key] = result
        if len(found) == 2:
            with Client(two.address, set_as_default=False) as other:
                other.run(work.forget_checks)
    assert found == {key: key * 2 for key in range(12)}
    assert len(checked) >= 3


def test_a_process_ends_with_the_worker_that_it_belongs_to(alone: DaskCluster) -> None:
    worker = alone.add_worker(ROOT, "--no-nanny")
    ((_, process),) = run(alone.address, work.process, range(1))
    command = Path(f"/proc/{process}/cmdline")
    assert b"cluster_worker" in command.read_bytes()
    alone.kill_workers(worker)
    work.until(lambda: not command.exists() or not command.read_bytes())


def test_a_run_that_is_broken_off_takes_its_tasks_back(two: DaskCluster, tmp_path: Path) -> None:
    log = tmp_path / "attempts"
    results = run(two.address, work.recorded, range(30), lambda key: (str(log), key))
    next(results)
    results.close()  # type: ignore[attr-defined]  # a generator
    with Client(two.address, set_as_default=False) as other:
        work.until(lambda: not any(other.processing().values()))
    assert len(log.read_text("utf-8").split()) <= 1 + cluster.AHEAD * 2


def test_a_worker_of_another_version_is_left_out_and_named_and_the_others_do_the_work(
    two: DaskCluster, tmp_path: Path
) -> None:
    worker = two.add_worker(another_version(tmp_path), "--no-nanny")
    notes: list[str] = []
    gate = tmp_path / "gate"

    def note(fault: Fault) -> None:
        notes.append(str(fault))
        gate.touch()

    try:
        found = dict(run(two.address, work.gated, range(12), lambda key: (str(gate), key), note=note))
    finally:
        two.kill_workers(worker)
    assert found == {key: key for key in range(12)}
    assert [note.partition("\n")[0] for note in notes] == [
        f"Dask worker {worker}: not used: has another pipeline/writers/text.py, has also templates/words/xx.toml"
    ]
    assert "same commit" in notes[0]


def another_version(folder: Path) -> Path:
    """Return a copy of the checkout with a change of its own."""
    root = folder / "another"
    for part in ("pipeline", "templates", "tests"):
        shutil.copytree(ROOT / part, root / part)
    for lock in ROOT.glob("*.lock"):
        shutil.copy2(lock, root)
    with (root / "pipeline/writers/text.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    (root / "templates/words/xx.toml").write_text("", "utf-8")
    return root


def test_a_run_without_a_worker_that_can_be_used_says_what_each_lacks(alone: DaskCluster, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    workers = alone.add_workers(tmp_path / "elsewhere", another_version(tmp_path), options=["--no-nanny"])
    with pytest.raises(SettingError) as refused:
        list(run(alone.address, work.as_it_is, range(3), note=lambda _: None))
    assert f"no worker of the Dask scheduler {alone.address} can be used" in str(refused.value)
    assert f"{workers[0]}: not used: cannot load Dateline (No module named 'pipeline')" in str(refused.value)
    assert f"-m dask worker {alone.address}" in str(refused.value)
    assert f"{workers[1]}: not used: has another pipeline/writers/text.py" in str(refused.value)


def test_a_scheduler_without_workers_says_how_to_start_one(alone: DaskCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "JOIN", 1.0)
    with pytest.raises(SettingError, match="has no worker") as refused:
        list(run(alone.address, work.as_it_is, range(3)))
    assert refused.value.hint.endswith(f"-m dask worker {alone.address}")


FACTS = cluster_worker.facts()


@pytest.mark.parametrize(
    ("name", "value", "said", "remedied"),
    [
        ("Python", "3.9", "has Python 3.9, here it is ", "make setup"),
        ("machine", "riscv64", "has machine riscv64, here it is ", "make setup"),
        ("package msgspec", "0.1", "has msgspec 0.1, here it is ", "make setup"),
        ("package distributed", "2020.1", "has distributed 2020.1, here it is ", "requirements-cluster.lock"),
        ("package weasyprint", None, "lacks weasyprint", "make setup"),
        ("pango-1.0", "1.2", "has pango-1.0 1.2, here it is ", "make setup"),
        ("file templates/print.css", "0", "has another templates/print.css", "same commit"),
        ("file templates/print.css", None, "lacks templates/print.css", "same commit"),
        ("file pipeline/more.py", "0", "has also pipeline/more.py", "same commit"),
        ("font Amiri-Regular.ttf (fontpkg-amiri)", None, "lacks the font Amiri-Regular.ttf", "fontpkg-amiri"),
        ("font Amiri-Regular.ttf (fontpkg-amiri)", "0", "has another version of the font Amiri", "fontpkg-amiri"),
    ],
)
def test_a_worker_that_would_render_differently_is_refused_with_what_differs(
    name: str, value: str | None, said: str, remedied: str
) -> None:
    there = {key: fact for key, fact in FACTS.items() if key != name} | ({name: value} if value else {})
    (found,) = differences(FACTS, there)
    assert found.startswith(said)
    assert remedied in remedy(FACTS, there)


@pytest.mark.parametrize("name", ["font Rare.ttf (fonts-rare)", "package seldom"])
def test_a_worker_may_have_more_fonts_and_packages(name: str) -> None:
    assert differences(FACTS, FACTS | {name: "1"}) == []


# ── Schedulers that are not there ───────────────────────────────────────────────────────────────────────────────────


def test_a_scheduler_that_dies_in_the_middle_costs_no_rendition_and_the_next_run_does_the_rest(
    tmp_path: Path,
) -> None:
    sandbox = Sandbox(tmp_path)
    for number in range(6):
        sandbox.write(f"release-{number}")
    sandbox.read()
    rendered: list[str] = []

    def render(mortal: DaskCluster) -> None:
        context = msgspec.structs.replace(sandbox.render_context, cluster=mortal.address)
        for result in stages.render("docx", sandbox.state, context, sandbox.state.slugs(), refuse_notes):
            rendered.append(result.slug)
            if len(rendered) == 2:
                mortal.kill_scheduler()

    with work.dask_cluster(tmp_path / "dask") as mortal:
        mortal.add_worker()
        with pytest.raises(SettingError, match="stopped answering") as lost:
            render(mortal)
    assert "what was rendered is kept" in lost.value.hint
    steps = sandbox.render(["docx"])["docx"]
    assert {slug for slug, step in steps.items() if step.verb == "unchanged"} == set(rendered)
    assert {step.verb for step in steps.values()} == {"unchanged", "rendered"}


class _Web(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_server() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.socket.close()  # without waiting for a request that never ends


@pytest.fixture
def silent() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


@pytest.fixture
def nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("who", ["web_server", "silent", "nobody"])
@pytest.mark.parametrize("scheme", ["tcp", "tls"])
def test_an_address_without_a_scheduler_is_named_with_what_to_do(
    who: str, scheme: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 0.5)
    address = f"{scheme}://127.0.0.1:{request.getfixturevalue(who)}"
    with pytest.raises(SettingError, match=f"PRESS_DASK={address}") as refused:
        list(run(address, work.as_it_is, range(3)))
    assert "\n" not in str(refused.value)
    assert "-m dask scheduler" in refused.value.hint
    assert ("docs/scaling.md" in refused.value.hint) == (scheme == "tls")


@pytest.mark.parametrize("address", ["scheduler:8786", "tcp://scheduler", "http://scheduler:8786", "1", "tcp://:8786"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(SettingError, match="not the address of a Dask scheduler"):
        list(run(address, work.as_it_is, range(3)))


IMPATIENT = """
import sys
from pipeline.__main__ import main
from pipeline.build import cluster
cluster.CONNECT = 0.5
sys.exit(main(["read"]) or main(["docx"]))
"""
"""What ``make docx`` does, without ten seconds of waiting."""


def test_a_wrong_address_is_told_without_a_traceback(tmp_path: Path, nobody: int) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    environ = os.environ | {"PRESS_DASK": f"tcp://127.0.0.1:{nobody}"}
    command = [sys.executable, "-c", IMPATIENT]
    done = subprocess.run(command, cwd=office.folder, env=environ, capture_output=True, text=True, timeout=240)
    assert done.returncode == 2
    assert f"PRESS_DASK=tcp://127.0.0.1:{nobody}: no Dask scheduler answers there" in done.stderr
    assert "dateline: exit 2 (release)" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "distributed." not in done.stderr


def test_without_the_package_the_command_that_installs_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DatelineError, match="distributed is not installed") as refused:
        list(run("tcp://127.0.0.1:8786", work.as_it_is, range(3)))
    assert "pip install --require-hashes --requirement requirements-cluster.lock" in refused.value.hint


@pytest.mark.parametrize("group", ["cluster", "footage"])
def test_the_lock_of_a_group_and_that_of_the_tests_agree(group: str) -> None:
    own_lock, tests_lock = (
        {line for line in (ROOT / f"requirements-{name}.lock").read_text("utf-8").split("\n") if "==" in line}
        for name in (group, "test")
    )
    assert own_lock
    assert own_lock <= tests_lock
