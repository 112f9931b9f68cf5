"""A newsroom of its own in a temporary folder: the checkout's files, with a content folder that a test may change."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.storage import ObjectStore, embedded, open_store
from pipeline.storage.destination import destination
from pipeline.storage.embedded import folder as storefolder
from tests.support import forkserver
from tests.support.formats import NAMES
from tests.support.stores import kill_store

ROOT = Path(__file__).parents[2]
_MOVED = ROOT / "docs" / "samples"
SAMPLE = _MOVED if _MOVED.is_dir() else ROOT / "content"
"""The sample newsroom, wherever ``make newsroom`` has put it."""
LOCKS = tuple(f"requirements{name}.lock" for name in ("", "-test", "-build", "-scripts", "-cluster", "-footage"))
PARTS = ("pipeline", "templates", "Makefile", *LOCKS)

UNTRANSLATED = next(
    tag for tag in ("sv", "da", "fi", "cs", "hu", "ro") if not (ROOT / "templates" / "words" / f"{tag}.toml").exists()
)
"""A language without messages of its own."""

NEWSROOM = """\
[organisation]
name = "Test Office"
language = "en-GB"
languages = ["en-GB", "de"]
time_zone = "Europe/London"
boilerplate = "Test Office exists for tests."

[contacts.desk]
name = "Ada Desk"
telephone = "+44 20 7946 0001"
email = "desk@example.org"

[footage.archive]
notice = "Footage of tests."
carrier = "Beta SP"
supplier = "World Images"
telephone = "+44 117 930 4099"

[topics]
news = "News"

[defaults]
contacts = ["desk"]
footage = ["archive"]

[feeds]
tag_authority = "example.org,2026"
"""


@dataclass
class Result:
    """What a command said."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


def settings() -> dict[str, str]:
    """Return the environment of commands: without a storage, not that of a job, and without the keys of a person."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PRESS_", "MAKE"))}
    for name in ("CI", "SSH_AUTH_SOCK"):
        clean.pop(name, None)
    pip = Path(clean.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "pip" / "pip.conf"
    if pip.is_file():  # which index to use is no secret, and the machine may have no other
        clean.setdefault("PIP_CONFIG_FILE", str(pip))
    return clean | {"VENV": forkserver.venv(), "XDG_CONFIG_HOME": f"{forkserver.venv()}/config"}


class Office:
    """A newsroom in ``folder``, driven by make as its users do."""

    def __init__(self, folder: Path, *, newsroom: str = NEWSROOM) -> None:
        self._lies_in(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part)
            else:
                shutil.copy2(source, folder / part)
        self.content.mkdir()
        (self.content / "newsroom.toml").write_text(newsroom, "utf-8")

    def _lies_in(self, folder: Path) -> None:
        self.folder = folder
        self.content = folder / "content"
        self.public = folder / "output" / "public"
        self.waiting = folder / "output" / "waiting"
        self.jobs: list[BackgroundPublish] = []

    def end(self) -> None:
        """Kill what still runs in the background, and the store."""
        for job in self.jobs:
            job.kill()
        kill_store(self.folder)

    def copy(self, folder: Path) -> Office:
        """Return a copy with all that was rendered and published: much quicker than to render and publish anew.

        Its store has the same address, so the store of neither may run when it is made, nor of both afterwards.
        """
        shutil.copytree(self.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("*.sock"))
        found = object.__new__(Office)
        found._lies_in(folder)
        return found

    def write(self, slug: str, title: str = "A title", body: str = "A paragraph.", **keys: str) -> Path:
        """Write a release; ``keys`` are further lines of front matter."""
        front = {"title": f'"{title}"', "date": "2026-01-05T09:00+00:00", **keys}
        lines = "\n".join(f"{key}: {value}" for key, value in front.items())
        path = self.content / f"{slug}.md"
        path.write_text(f"---\n{lines}\n---\n{body}\n", "utf-8")
        return path

    def make(self, *arguments: str, **environ: str) -> Result:
        """Run make; the store is the embedded one unless ``environ`` names another."""
        return self._run("make", *arguments, **environ)

    def step(self, command: str, *arguments: str, **environ: str) -> Result:
        """Run one step of a make target, ``python -m pipeline``."""
        return self._run(f"{forkserver.venv()}/bin/python", "-m", "pipeline", command, *arguments, **environ)

    def _run(self, *command: str, **environ: str) -> Result:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=settings() | environ,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def serve(self) -> str:
        """Start the store, and return the address of what was published before: quicker than to publish again."""
        return f"{embedded.start(self.folder)}/{storefolder.BUCKET}/"

    def files(self) -> dict[str, bytes]:
        """Return everything below output/public by its key."""
        found = (path for path in sorted(self.public.rglob("*")) if path.is_file())
        return {str(path.relative_to(self.public)): path.read_bytes() for path in found}

    def times(self) -> dict[str, int]:
        """Return the modification time of every rendition, in nanoseconds."""
        found = sorted((self.folder / "output").rglob("releases/*.*"))
        return {path.name: path.stat().st_mtime_ns for path in found}


def env_of(office: Office) -> dict[str, str]:
    """Return the settings by which another clone publishes to the embedded store of ``office``."""
    folder = storefolder.StoreFolder(office.folder)
    keys = folder.keys()
    return {
        "PRESS_BUCKET": storefolder.BUCKET,
        "PRESS_PRIVATE_BUCKET": storefolder.PRIVATE_BUCKET,
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{folder.ports().s3}",
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": storefolder.REGION,
        "PRESS_ALLOW_SAMPLES": "1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def store_of(office: Office) -> ObjectStore:
    """Return the embedded store of ``office``, open."""
    return open_store(destination({}, office.folder), {})


def clone(office: Office, folder: Path) -> Office:
    """Return the same newsroom in another folder, where nothing was rendered yet."""
    found = Office(folder)
    shutil.rmtree(found.content)
    shutil.copytree(office.content, found.content)
    return found


def working_in(folder: Path) -> list[str]:
    """Return the command lines of all processes whose working directory is ``folder``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def rendered_by(text: str) -> set[tuple[str, str]]:
    """Return stage and slug of every rendition that a run says it rendered."""
    lines = (line.split() for line in text.splitlines())
    return {(words[0], words[1]) for words in lines if len(words) > 2 and words[0] in NAMES}


class BackgroundPublish:
    """A ``make publish``, or another ``goal``, that runs beside the test."""

    def __init__(self, office: Office, *arguments: str, goal: str = "publish", **environ: str) -> None:
        self.folder = office.folder
        self.out = office.folder / f"job-{time.monotonic_ns()}.log"
        with self.out.open("wb") as log:
            self.process = subprocess.Popen(
                ["make", goal, *arguments],
                cwd=office.folder,
                env=settings() | environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        office.jobs.append(self)

    @property
    def text(self) -> str:
        return self.out.read_text("utf-8")

    def until(self, text: str, seconds: float = 200) -> None:
        """Wait until it printed ``text``."""
        deadline = time.monotonic() + seconds
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self.process.poll() is None, self.text
            time.sleep(0.01)

    def end(self) -> Result:
        return Result(self.process.wait(300), self.text, "")

    def kill(self) -> None:
        """Kill it with all that it started, and wait until none of that is left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + 60
        while working_in(self.folder):
            assert time.monotonic() < deadline
            time.sleep(0.01)
