"""Fixtures for several folders: real storage servers, each in its own folder, and a newsroom with simple writers."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from hypothesis import HealthCheck, settings

from pipeline.build import parity, stages
from pipeline.storage import ObjectStore, embedded, open_store
from pipeline.storage.destination import Destination, destination
from pipeline.storage.embedded.folder import choose_ports
from pipeline.storage.embedded.server import program, remove_sockets
from pipeline.typography.fonts import web_fonts
from pipeline.writers import Output, RenderInput
from tests.support.fontcache import FONTS
from tests.support.in_process import Sandbox
from tests.support.stores import kill_store
from tests.writers import cases

PROGRAMS = ("ssh-keygen", "ssh-agent", "ssh-add", "soffice")
"""Those that a bare machine lacks."""
settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Make the web fonts before workers start, which would all begin with the same one."""
    if not hasattr(session.config, "workerinput"):
        web_fonts(FONTS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the rooms whose files take longest, so that no worker is left with one of them at the end."""
    rooms = ["publish", "validators", "site", "build", "documentation", "cli", "storage", "reader"]
    items.sort(key=lambda item: [*rooms, item.path.parent.name].index(item.path.parent.name))


@contextmanager
def _programs_at_hand() -> Iterator[None]:
    """Skip a test that needs a program which is not installed here; with ``DATELINE_VALIDATORS=required`` it fails."""
    try:
        yield
    except FileNotFoundError as error:
        if error.filename not in PROGRAMS or os.environ.get("DATELINE_VALIDATORS") == "required":
            raise
        pytest.skip(f"{error.filename} is not installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Iterator[None]:
    """Skip a test whose fixtures need a program that is not installed."""
    with _programs_at_hand():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """Skip a test that needs a program that is not installed."""
    with _programs_at_hand():
        yield


@pytest.fixture(scope="session", autouse=True)
def _shared_cases(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let the workers of this run write each case once for all of them."""
    folder = tmp_path_factory.getbasetemp()
    cases.shared = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "cases-written"
    cases.shared.mkdir(exist_ok=True)


@pytest.fixture(scope="session")
def embedded_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A newsroom's folder whose embedded store runs."""
    root = tmp_path_factory.mktemp("newsroom")
    try:
        embedded.start(root)
        yield root
    finally:
        kill_store(root)


@pytest.fixture(scope="session")
def here(embedded_root: Path) -> Destination:
    """The destination of ``embedded_root``."""
    return destination({}, embedded_root)


@pytest.fixture(scope="session")
def store(here: Destination) -> ObjectStore:
    """The embedded store, open. Tests use keys of their own."""
    return open_store(here, {})


@pytest.fixture(scope="session")
def second_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Another S3 server, with none of Dateline's settings, as the environment that names it.

    The keys are its operator's; there are no buckets yet.
    """
    folder = tmp_path_factory.mktemp("second")
    ports = choose_ports()
    keys = {"accessKey": "OPERATOR", "secretKey": "operators-secret"}
    guest = {"accessKey": "GUEST", "secretKey": "guests-secret"}
    identities = [
        {"name": "operator", "credentials": [keys], "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
        {"name": "guest", "credentials": [guest], "actions": ["Read:elsewhere"]},
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    options = {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "webdav": "false",
        "admin.ui": "false",
        "s3.config": str(folder / "s3.json"),
        "s3.autoCreateBucket": "false",
        "s3.domainName": "s3.test",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "s3.localSocket": "s3.sock",
        "filer.localSocket": "filer.sock",
        **{f"{name}.port": getattr(ports, name) for name in ports.__struct_fields__},
    }
    command = [
        str(program()),
        f"-logdir={folder}",
        "mini",
        *(f"-{name}={value}" for name, value in options.items()),
    ]
    with (folder / "out.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env={"HOME": str(folder)}, stdout=log, stderr=log)
    try:
        _await_s3(ports.s3)
        yield {
            "PRESS_BUCKET": "newsroom",
            "PRESS_ALLOW_SAMPLES": "1",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{ports.s3}",
            "AWS_ACCESS_KEY_ID": keys["accessKey"],
            "AWS_SECRET_ACCESS_KEY": keys["secretKey"],
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.terminate()
        try:
            server.wait(15)
        finally:
            server.kill()
            server.wait()
            remove_sockets(ports)


def _await_s3(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except HTTPError as refusal:
            refusal.close()
            if refusal.code == 403:
                return
        except (URLError, OSError):
            pass
        time.sleep(0.05)
    raise AssertionError("the second server does not come up")


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A newsroom with writers that state in one line what they were given; the real writers have tests of their own."""

    def writer(module: str) -> Callable[[RenderInput], Output]:
        def write(render_input: RenderInput) -> Output:
            status = "EMBARGOED " if render_input.article.embargoed else ""
            others = " ".join(other.slug for other in render_input.related)
            others += "".join(f" {other.rel}={other.slug}" for other in render_input.neighbours if module == "html")
            others += "".join(f" instead={each.link.value}" for each in render_input.article.notices if each.link)
            stated = " ".join(f"{made.format}={made.sha256[:8]}" for made in render_input.renditions)
            return Output(f"{module} {status}{render_input.release.title} [{others}] {stated}".encode())

        return write

    monkeypatch.setattr(stages, "_writer", writer)
    monkeypatch.setattr(parity, "check", lambda *_: "")
    return Sandbox(tmp_path)
