"""Kill a publisher at every request and check the newsroom. ``make sweep``; ``ARGS="correction --every 5"``.

A proxy between the real commands and the real embedded store counts requests. For each request of a scenario the
publisher is killed with -9, its children too, once right before the request is forwarded and once after the store has
answered and before the answer arrives. Then what is public must be whole, nothing that was public may be lost, one
clean run must come to the same end as an undisturbed one, and another must write nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pipeline.model.manifest import KEY, digest
from pipeline.model.statement import NAMESPACE, SIGNERS, SUFFIXES
from pipeline.publish.commits import read_manifest
from pipeline.publish.manifest import dump
from pipeline.storage import ObjectStore, Put, embedded, open_store
from pipeline.storage.destination import destination
from pipeline.storage.embedded.folder import BUCKET, StoreFolder
from tests.support.faulty import Exchange, Fault, Proxy, proxy
from tests.support.films import notice
from tests.support.newsroom import Office
from tests.support.observer import Observer, watching
from tests.support.sample import picture_bytes
from tests.support.signed import line as signer_line
from tests.support.signed import new_key
from tests.support.stores import kill_store

Moment = Literal["before", "after"]
WRITES = ("PUT", "POST", "DELETE")

# A command is a process of its own, forked off an interpreter that has imported everything: so a sweep takes minutes.
_FORKING = """
import importlib, json, os, pathlib, pkgutil, runpy, sys
import boto3, pipeline.__main__, pipeline.reader
for found in pkgutil.walk_packages([str(pathlib.Path("pipeline").resolve())], "pipeline."):
    if found.name.startswith(("pipeline.cli.", "pipeline.publish.", "pipeline.site.", "pipeline.storage.s3.")):
        importlib.import_module(found.name)
for line in sys.stdin:
    arguments, log = json.loads(line)
    pid = os.fork()
    if not pid:
        os.setsid()
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1), os.dup2(out, 2), os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["pipeline", *arguments]
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
        os._exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


class Forks:
    """Runs ``python -m pipeline`` in an office, each time in a process of its own."""

    def __init__(self, office: Office, environ: dict[str, str]) -> None:
        self.log = office.folder / "run.log"
        self._parent = subprocess.Popen(
            [sys.executable, "-c", _FORKING],
            cwd=office.folder,
            env={"PATH": os.environ["PATH"], **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = 0

    def run(self, *arguments: str) -> int:
        """Run a command and return its status; negative when it was killed."""
        parent = self._parent
        assert parent.stdin
        assert parent.stdout
        parent.stdin.write(json.dumps((arguments, str(self.log))) + "\n")
        parent.stdin.flush()
        self.pid = int(parent.stdout.readline())
        return int(parent.stdout.readline())

    def kill(self) -> None:
        """Kill the command that runs, and whatever it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def said(self) -> str:
        """Return what the last command said."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def end(self) -> None:
        """End the interpreter."""
        assert self._parent.stdin
        assert self._parent.stdout
        self._parent.stdin.close()
        self._parent.stdout.close()
        self._parent.wait(20)


@dataclass(frozen=True)
class Scenario:
    """What is public before, and what then is published."""

    name: str
    before: Callable[[Office], object]
    change: Callable[[Office], object]


CORRECTION = '\ncorrections:\n  - {date: 2026-03-01T09:00Z, note: "The number was wrong."}'


def _three(office: Office) -> None:
    office.write("one", title="The first one", body="![A square](shot.png)\n\nA paragraph.", topics="[news]")
    (office.content / "one").mkdir(exist_ok=True)
    (office.content / "one" / "shot.png").write_bytes(picture_bytes())
    office.write("two", title="The second one", date="2026-02-05T09:00+00:00")
    office.write("zwei", title="Das zweite", date="2026-02-05T09:00+00:00", language="de", translation_of="two")


def _with_films(office: Office, three: bool = False) -> None:
    """Releases with footage; with ``three``, that of the first has expired, and there is a third."""
    _three(office)
    expires = {"expires": "2026-03-01T09:00+00:00"} if three else {}
    keys = {"topics": "[news]", "footage": notice(office.content / "one", **expires)}
    office.write("one", title="The first one", body="![A square](shot.png)\n\nA paragraph.", **keys)
    if three:
        film = notice(office.content / "three")
        office.write("three", title="The third one", date="2026-04-05T09:00+00:00", footage=film)


def _signed(office: Office) -> None:
    _three(office)
    (office.content / SIGNERS).write_text(signer_line(new_key(), options=f'namespaces="{NAMESPACE}"'), "utf-8")


def _correct(office: Office) -> None:
    office.write("two", title="The second one", date="2026-02-05T09:00+00:00" + CORRECTION, body="Another number.")


def _new_look(office: Office) -> None:
    for file, old, new in (("words/en.toml", '"Press release"', '"Press notice"'), ("page.css", "", "")):
        path = office.folder / "templates" / file
        text = path.read_text("utf-8")
        path.write_text(text.replace(old, new) if old else text + "\n/* the new look */\nh1 { color: #123 }\n", "utf-8")


SCENARIOS = (
    Scenario("first", lambda office: None, _three),
    Scenario("release", _with_films, lambda office: _with_films(office, three=True)),
    Scenario("correction", _three, _correct),
    Scenario("signed", _signed, _correct),
    Scenario("template", _three, _new_look),
    Scenario(
        "withdrawal",
        _three,
        lambda office: office.write(
            "one", title="The first one", withdrawn="{date: 2026-03-01T09:00Z, reason: It was wrong.}"
        ),
    ),
)


@dataclass
class Line:
    """One line of the table."""

    scenario: str
    number: int
    step: str
    moment: str
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        outcome = "; ".join(dict.fromkeys(self.problems)) or "whole, nothing lost, converged, then nothing to write"
        return f"{self.scenario:<11} {self.number:>4}  {self.step:<22} {self.moment:<7} {outcome}"


def step_of(method: str, path: str) -> str:
    """Return what a request is, as method and kind of object."""
    key = path.split("?")[0].removeprefix("/").partition("/")[2]
    kinds = (
        (key == "", "bucket"),
        (key == KEY, "manifest"),
        (key.startswith("manifest/"), "year page"),
        (key.startswith("assets/"), "asset"),
        (key.startswith("releases/") and key.endswith(".html"), "release page"),
        (key.startswith("releases/") and key.endswith(".json"), "record"),
        (key.endswith(SUFFIXES), "statement"),
        (key.startswith("releases/"), "release file"),
        (key.endswith((".xml", ".json")), "feed"),
    )
    return f"{method} {next((kind for found, kind in kinds if found), 'listing')}"


class ProxiedStore:
    """One store with a proxy before it, for all scenarios one after the other."""

    def __init__(self, folder: Path, gate: Proxy) -> None:
        self.folder, self.gate, self.root = folder, gate, folder / "store"
        keys = StoreFolder(self.root).keys()
        key = folder / "signing-key"
        key.write_bytes(new_key().private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
        key.chmod(0o600)
        self.environ = {
            "PRESS_BUCKET": BUCKET,
            "PRESS_ALLOW_SAMPLES": "1",
            "PRESS_SIGNING_KEY": str(key),
            "AWS_ENDPOINT_URL_S3": gate.endpoint,
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        here = destination({}, self.root)
        self.address = here.address
        self.store: ObjectStore = open_store(here, {})

    def observer(self) -> Observer:
        """Return somebody who reads the newsroom without credentials."""
        return Observer(self.address, f"{self.gate.endpoint}/{BUCKET}/")

    def objects(self) -> dict[str, str]:
        """Return the SHA-256 of every public object, of the bytes that are served."""
        anonymous, keys = self.observer().anonymous, list(self.store.list())
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda key: anonymous.get(key, keep=False), keys))
        return {key: answer.sha256 for key, answer in zip(keys, answers, strict=True) if answer.status == 200}

    def snapshot(self) -> dict[str, Put]:
        """Return what is public, so that it can be put back."""
        found = {}
        for key in self.store.list():
            head, stored = self.store.head(key), self.store.get(key)
            assert head
            assert stored
            name = key.rsplit("/", 1)[-1] if head.content_disposition else ""
            found[key] = Put(
                key=key,
                body=stored.body,
                media_type=head.content_type,
                cache_control=head.cache_control,
                download=name,
            )
        return found

    def put_back(self, snapshot: dict[str, Put]) -> None:
        """Make the bucket what it was."""
        there = self.objects()
        for key in there.keys() - snapshot.keys():
            self.store.delete(key)
        self.store.put_all([put for key, put in snapshot.items() if there.get(key) != put.digest()])


class Sweep:
    """One scenario, rendered once; every killed run starts from copies of what was there right before it."""

    def __init__(self, proxied_store: ProxiedStore, scenario: Scenario) -> None:
        self.proxied_store, self.scenario = proxied_store, scenario
        self.office = Office(Path(tempfile.mkdtemp(prefix=f"{scenario.name}-", dir=proxied_store.folder)) / "office")
        self.output = self.office.folder / "output"
        proxied_store.put_back({})
        scenario.before(self.office)
        self.publish()
        scenario.change(self.office)
        self.public = proxied_store.snapshot()
        self.unfetched = self._keep("unfetched")
        self.forks = Forks(self.office, proxied_store.environ)
        try:
            self._reference()
        except BaseException:
            self.forks.end()
            raise

    def publish(self) -> None:
        """Publish as people do, with make."""
        done = self.office.make("publish", **self.proxied_store.environ)
        assert done.status == 0, done.text

    def _keep(self, name: str) -> Path:
        kept = self.office.folder / name
        shutil.copytree(self.output, kept)
        return kept

    def _reference(self) -> None:
        """Go through it undisturbed: what are the requests, and what is the end?"""
        gate, observer = self.proxied_store.gate, self.proxied_store.observer()
        with watching(observer) as self.problems:
            gate.count_anew()
            assert self.forks.run("fetch") == 0, self.forks.said()
            self.fetching = len(gate.seen)
            steps = list(gate.seen)
            done = self.office.make("renditions", "PUBLISHING=1", **self.proxied_store.environ)
            assert done.status == 0, done.text
            self.fetched = self._keep("fetched")
            gate.count_anew()
            assert self.forks.run("publish") == 0, self.forks.said()
            self.steps = [step_of(*request) for request in (*steps, *gate.seen)]
        self.problems += observer.look()
        self.end = self.ending()

    def ending(self) -> dict[str, str]:
        """Return what is public, but for what another way to the same end changes.

        That are serials, names of year pages, and what other machines are told of the listings.
        """
        found = {key: sha for key, sha in self.proxied_store.objects().items() if not key.startswith("manifest")}
        manifest = read_manifest(self.proxied_store.store).manifest
        return found | {
            KEY: digest(
                dump(msgspec.structs.replace(manifest, serial=0, years={}, listings={}, listings_of="", up_to_date=""))
            )
        }

    def lines(self, every: int, moments: Sequence[Moment] = ("before", "after")) -> Iterator[Line]:
        """Kill the publisher at every so many requests."""
        yield Line(self.scenario.name, 0, "(undisturbed)", "-", self.problems + self.unsettled())
        for number in range(1, len(self.steps) + 1, every):
            for moment in moments:
                yield self.killed(number, moment)

    def killed(self, number: int, moment: Moment) -> Line:
        """Kill the publisher at one request, and return what became of it."""
        line = Line(self.scenario.name, number, self.steps[number - 1], moment)

        def strike(exchange: Exchange) -> None:
            if moment == "after":
                exchange.forward()
            self.forks.kill()
            exchange.reset()

        with self.disturbed(number, strike, line) as status:
            if status != -signal.SIGKILL:
                line.problems.append(f"was not killed, but ended with {status}: {self.forks.said()[-200:]}")
        return line

    @contextmanager
    def disturbed(self, number: int, strike: Fault, line: Line) -> Iterator[int]:
        """Let ``strike`` happen at a request, read on all the while, and check that a clean run repairs everything."""
        proxied_store, fetching = self.proxied_store, number <= self.fetching
        proxied_store.put_back(self.public)
        shutil.rmtree(self.output)
        shutil.copytree(self.unfetched if fetching else self.fetched, self.output)
        observer = proxied_store.observer()
        with watching(observer) as problems:
            proxied_store.gate.strike(number if fetching else number - self.fetching, strike)
            status = self.forks.run("fetch" if fetching else "publish")
            while proxied_store.gate.busy:
                time.sleep(0.005)
            proxied_store.gate.count_anew()
            yield status
            problems += observer.look()
            problems += self.lost()
            line.problems += [f"meanwhile: {problem}" for problem in problems]
            problems.clear()
            if fetching:
                self.publish()
            for command in ("fetch", "publish"):
                if status := self.forks.run(command):
                    line.problems.append(f"clean {command} ended with {status}: {self.forks.said()[-300:]}")
            problems += observer.look()
        line.problems += [f"clean run: {problem}" for problem in problems + self.lost()]
        if differing := sorted(key for key, _ in self.ending().items() ^ self.end.items()):
            line.problems.append(f"another end: {', '.join(dict.fromkeys(differing))}")
        line.problems += self.unsettled()

    def unsettled(self) -> list[str]:
        """Run once more: nothing may be written."""
        self.proxied_store.gate.count_anew()
        statuses = [self.forks.run(command) for command in ("fetch", "publish")]
        written = [step_of(*request) for request in self.proxied_store.gate.seen if request[0] in WRITES]
        return [f"writes again: {', '.join(written)}"] * bool(written) + [f"ends with {statuses}"] * any(statuses)

    def lost(self) -> list[str]:
        """Return what was public and is not, or has bytes that were never to be published."""
        there = self.proxied_store.objects()
        gone = [key for key in self.public if key not in there and key in self.end]
        spoilt = [
            key
            for key, put in self.public.items()
            if key != KEY and there.get(key, put.digest()) not in (put.digest(), self.end.get(key))
        ]
        return [f"lost: {key}" for key in gone] + [f"spoilt: {key}" for key in spoilt]


@contextmanager
def proxied_store_in(folder: Path) -> Iterator[ProxiedStore]:
    """Start a store in a folder, and the proxy before it."""
    (folder / "store").mkdir()
    try:
        with proxy(embedded.start(folder / "store")) as gate:
            yield ProxiedStore(folder, gate)
    finally:
        kill_store(folder / "store")


def main() -> None:
    """Print the table; exit 1 when a line of it failed."""
    parser = argparse.ArgumentParser(prog="make sweep", description="ARGS='[scenario …] [--every N]'")
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=f"of {', '.join(names)}; none: all")
    parser.add_argument("--every", type=int, default=1, help="kill at every N-th request only")
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(names):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    begun, failed, counts = time.monotonic(), 0, Counter[str]()
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder, proxied_store_in(Path(folder)) as proxied_store:
        for scenario in SCENARIOS:
            if options.scenarios and scenario.name not in options.scenarios:
                continue
            sweep = Sweep(proxied_store, scenario)
            try:
                for line in sweep.lines(options.every):
                    print(line, flush=True)
                    counts[f"{line.scenario} {'failed' if line.problems else 'whole'}"] += 1
                    failed += bool(line.problems)
            finally:
                sweep.forks.end()
    summary = ", ".join(f"{name} {number}" for name, number in sorted(counts.items()))
    print(f"{summary}; {time.monotonic() - begun:.0f} s")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
