"""Keys of ``ssh-keygen``, and the lines that name them in ``content/signers``."""

from __future__ import annotations

import subprocess
from pathlib import Path

DESK = "press@example.org"


def new_key(file: Path, kind: str = "ed25519") -> str:
    """Write a key pair without a passphrase at ``file`` and ``file.pub``; return type and key of the public one."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "made for a test", "-f", str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return " ".join(file.with_name(f"{file.name}.pub").read_text("utf-8").split()[:2])


def line(public: str, name: str = DESK, options: str = 'namespaces="press-release"') -> str:
    """Return a line of an allowed_signers file."""
    return " ".join(filter(None, (name, options, public))) + "\n"


def fingerprint(file: Path) -> str:
    """Return the fingerprint of a public key file as ``ssh-keygen -l`` prints it."""
    done = subprocess.run(["ssh-keygen", "-l", "-f", str(file)], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.split()[1]
