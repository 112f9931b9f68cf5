"""Machines with and without a signing key, and what ``ssh-keygen`` says of a statement."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.model.statement import NAMESPACE, SIGNERS, Statement, decode, signature_key, statement_key
from tests.support.newsroom import Office
from tests.support.public_http import get

DESK = "desk@example.org"


def keyless(home: Path) -> dict[str, str]:
    """Return the settings of a machine on which no key is found."""
    return {"HOME": str(home), "XDG_CONFIG_HOME": "", "SSH_AUTH_SOCK": "", "SSH_ASKPASS_REQUIRE": "never"}


def with_key(file: Path) -> dict[str, str]:
    """Return the settings of a machine that has the key ``file``, or shall write one there."""
    return keyless(file.parent) | {"PRESS_SIGNING_KEY": str(file)}


def write_key(file: Path, *, passphrase: str = "") -> str:
    """Let ssh-keygen write a key, and return its public half as it stands in an allowed_signers file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "", "-f", str(file)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return file.with_name(f"{file.name}.pub").read_text("utf-8").strip()


def name(office: Office, public: str, *, principal: str = DESK, options: str = f'namespaces="{NAMESPACE}"') -> None:
    """Add a line to ``content/signers``."""
    with (office.content / SIGNERS).open("a", encoding="utf-8") as signers:
        signers.write(" ".join(filter(None, (principal, options, public))) + "\n")


@contextmanager
def agent(*keys: Path) -> Iterator[str]:
    """Run an ssh-agent that has ``keys``; yields the path of its socket."""
    with tempfile.TemporaryDirectory(prefix="agent-", dir="/tmp") as folder:  # a socket's path must be short
        socket = f"{folder}/socket"
        command = ["ssh-agent", "-D", "-a", socket]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            assert process.stdout
            process.stdout.readline()  # it says where its socket is once it listens there
            for key in keys:
                added = subprocess.run(
                    ["ssh-add", "-q", str(key)], env={"SSH_AUTH_SOCK": socket, "PATH": "/usr/bin:/bin"}
                )
                assert added.returncode == 0
            yield socket
        finally:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def verified_by_ssh_keygen(
    signers: bytes,
    statement: bytes,
    signature: bytes,
    *,
    identity: str = DESK,
    namespace: str = NAMESPACE,
    day: str = "",
) -> bool:
    """Return whether ``ssh-keygen -Y verify`` takes a signature for right, by default today."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / SIGNERS).write_bytes(signers)
        (Path(folder) / "signature").write_bytes(signature)
        command = ["ssh-keygen", "-Y", "verify", "-f", SIGNERS, "-I", identity, "-n", namespace, "-s", "signature"]
        command += ["-O", f"verify-time={day}"] if day else []
        return subprocess.run(command, cwd=folder, input=statement, capture_output=True).returncode == 0


class Stated:
    """The statement at a public key, with its signature."""

    def __init__(self, base: str, key: str) -> None:
        self.key = key
        self.status, _, self.data = get(base + key)
        self.signature = get(base + signature_key(key))[2]

    @property
    def statement(self) -> Statement:
        return decode(self.data)

    def is_signed(self, office: Office, **more: str) -> bool:
        """Whether ssh-keygen takes it for signed by one of the office's signers."""
        signers = (office.content / SIGNERS).read_bytes()
        return verified_by_ssh_keygen(signers, self.data, self.signature, **more)


def newest(base: str, slug: str) -> Stated:
    """Return what is stated of a release now."""
    return Stated(base, statement_key(slug))
