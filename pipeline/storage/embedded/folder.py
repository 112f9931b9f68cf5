"""The folder ``ROOT/.store``: ports, keys, certificates, configuration and data of the embedded store.

Ports and keys are chosen when they are first needed and stay the same, so that printed addresses stay valid. Only the
owner of the folder can read it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from pipeline.model.errors import SettingError

HOST = "127.0.0.1"
BUCKET = "press"
PRIVATE_BUCKET = "press-private"
REGION = "us-east-1"

GRPC_OFFSET = 10_000
"""SeaweedFS opens a second port for each of its servers, this far above the first."""
LOWEST, HIGHEST = 10_240, 22_000
"""Range of the first ports. The second ports then stay below 32768, where kernels start to assign ports to outgoing
connections."""

Settings = TypeVar("Settings", bound=Struct)


class Ports(Struct, frozen=True):
    """The ports of SeaweedFS' five servers."""

    s3: int
    filer: int
    master: int
    volume: int
    admin: int

    def every(self) -> tuple[int, ...]:
        """Return all ten ports on which the store listens."""
        first = (self.s3, self.filer, self.master, self.volume, self.admin)
        return first + tuple(port + GRPC_OFFSET for port in first)


class Keys(Struct, frozen=True):
    """The publisher's S3 keys, and the secrets that SeaweedFS' own servers share."""

    access_key: str
    secret_key: str
    volume_write: str
    volume_read: str
    filer_write: str
    filer_read: str
    admin_password: str


class StoreFolder:
    """``ROOT/.store``, created when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.path = root.resolve() / ".store"

    def create(self) -> None:
        """Create the folder for its owner only. Raises SettingError when it cannot."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.lstat()
            if self.path.is_symlink() or found.st_uid != os.geteuid():
                raise SettingError(f"{self.path} belongs to another user", "work as its owner, or remove it")
            if found.st_mode & 0o077:
                self.path.chmod(0o700)
        except OSError as error:
            raise SettingError(
                f"cannot create {self.path} for the embedded store: {error.strerror}",
                "make the folder writable, or set PRESS_BUCKET to use your own storage",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder's lock: one process at a time changes the folder, others wait."""
        self.create()
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with closing(os.fdopen(handle, "w")) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def ports(self) -> Ports:
        """Return the ports; the first call chooses them."""
        return self._read_or_create("ports.json", Ports, choose_ports)

    def keys(self) -> Keys:
        """Return the keys; the first call creates them."""
        return self._read_or_create("keys.json", Keys, _create_keys)

    def write(self, name: str, data: bytes) -> None:
        """Write the file ``name`` atomically, readable by its owner only."""
        path = self.path / name
        self._write_new(path, data).replace(path)

    def _write_new(self, path: Path, data: bytes) -> Path:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return new

    def _read_or_create(self, name: str, kind: type[Settings], create: Callable[[], Settings]) -> Settings:
        """Return what the file ``name`` holds, created if there is none; of two processes at once, one creates it."""
        path = self.path / name
        if not path.exists():
            self.create()
            new = self._write_new(path, msgspec.json.encode(create()))
            with suppress(FileExistsError):
                path.hardlink_to(new)
            new.unlink()
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError) as error:
            raise SettingError(f"{path} cannot be read: {error}", "remove it; it is created again") from error


def _create_keys() -> Keys:
    import secrets

    return Keys("DATELINE" + secrets.token_hex(6).upper(), *(secrets.token_hex(24) for _ in range(6)))


def choose_ports() -> Ports:
    """Return five ports that are free, as their second ports are; none is the second one of another.

    Raises SettingError.
    """
    import secrets

    chosen: list[int] = []
    taken: set[int] = set()
    for _ in range(1000):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        both = {port, port + GRPC_OFFSET}
        if taken.isdisjoint(both) and all(map(is_free, both)):
            chosen.append(port)
            taken |= both
        if len(chosen) == 5:
            return Ports(*chosen)
    raise SettingError(f"no free ports between {LOWEST} and {HIGHEST} for the embedded store", "stop other servers")


def is_free(port: int) -> bool:
    """Return whether no program listens on ``port``, on any address of this machine."""
    import socket

    for host in (HOST, ""):
        with closing(socket.socket()) as listener:
            # As servers do: a port in TIME_WAIT counts as free.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                return False
    return True
