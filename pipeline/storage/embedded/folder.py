"""What lies in ``ROOT/.store``: ports, keys, certificates and the configuration of the embedded store.

Ports and keys are chosen once, at first need, and kept, so that an address that was printed stays true. Nobody but
the folder's owner can read any of it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
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
"""First ports are taken from here; the second ones then end below 32768, where kernels start to hand out ports for
outgoing connections."""

Kept = TypeVar("Kept", bound=Struct)


class Ports(Struct, frozen=True):
    """The five servers' ports."""

    s3: int
    filer: int
    master: int
    volume: int
    admin: int

    def every(self) -> tuple[int, ...]:
        """Return all ports that are listened on."""
        first = (self.s3, self.filer, self.master, self.volume, self.admin)
        return first + tuple(port + GRPC_OFFSET for port in first)


class Keys(Struct, frozen=True):
    """The publisher's S3 keys, and the secrets by which SeaweedFS' own servers know each other."""

    access_key: str
    secret_key: str
    volume_write: str
    volume_read: str
    filer_write: str
    filer_read: str
    admin_password: str


class StoreFolder:
    """``ROOT/.store``; made when it is first needed."""

    def __init__(self, root: Path) -> None:
        self.path = root.resolve() / ".store"

    def make(self) -> None:
        """Create the folder, open to its owner alone. Raises SettingError where that cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.lstat()
            if self.path.is_symlink() or found.st_uid != os.geteuid():
                raise SettingError(f"{self.path} belongs to somebody else", "work as its owner, or remove it")
            if found.st_mode & 0o077:
                self.path.chmod(0o700)
        except OSError as error:
            raise SettingError(
                f"cannot make {self.path} for the embedded store: {error.strerror}",
                "make the folder writable, or set PRESS_BUCKET to use a storage of your own",
            ) from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let one process at a time change the folder; others wait."""
        self.make()
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with closing(os.fdopen(handle, "w")) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def ports(self) -> Ports:
        """Return the ports, chosen now if they never were."""
        return self._kept("ports.json", Ports, choose_ports)

    def keys(self) -> Keys:
        """Return the keys, made now if they never were."""
        return self._kept("keys.json", Keys, _make_keys)

    def write(self, name: str, data: bytes) -> None:
        """Put ``data`` at ``name`` whole or not at all, readable by the owner alone."""
        path = self.path / name
        self._write_beside(path, data).replace(path)

    def _write_beside(self, path: Path, data: bytes) -> Path:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return new

    def _kept(self, name: str, kind: type[Kept], make: Callable[[], Kept]) -> Kept:
        """Return what ``name`` holds. Where there is nothing it gets what ``make`` makes; of two at once one wins."""
        path = self.path / name
        if not path.exists():
            self.make()
            new = self._write_beside(path, msgspec.json.encode(make()))
            with suppress(FileExistsError):
                path.hardlink_to(new)
            new.unlink()
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError) as error:
            raise SettingError(f"{path} cannot be read: {error}", "remove it, and a new one is made") from error


def _make_keys() -> Keys:
    return Keys("DATELINE" + secrets.token_hex(6).upper(), *(secrets.token_hex(24) for _ in range(6)))


def choose_ports() -> Ports:
    """Return five ports that are free now, and whose second ports are."""
    found: list[int] = []
    for _ in range(1000):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST)
        if port not in found and is_free(port) and is_free(port + GRPC_OFFSET):
            found.append(port)
        if len(found) == 5:
            return Ports(*found)
    raise SettingError(f"no free ports between {LOWEST} and {HIGHEST} for the embedded store", "end a few servers")


def is_free(port: int) -> bool:
    """Tell whether nobody listens at ``port``, on any address of this machine."""
    for host in (HOST, ""):
        with closing(socket.socket()) as probe:
            # As servers do: a port that only waits for its last packets is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
