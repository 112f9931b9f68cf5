"""``make key``: write a key that signs releases, and name it in ``content/signers``. An existing key is only named."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.build.context import CommandContext
from pipeline.build.state import write_file
from pipeline.cli.console import Console
from pipeline.model.errors import SettingError
from pipeline.model.statement import NAMESPACE, SIGNERS, Signer
from pipeline.publish.signing import key_file, public_key


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument("--fido", action="store_true", help="keep the key on a security key, through ssh-keygen")


def run(context: CommandContext, options: Namespace, console: Console) -> None:
    """Write the key unless there is one, and add its line to the signers unless they have it."""
    file, principal = key_file(context.environ), _principal(context)
    if file.resolve().is_relative_to(context.root.resolve()):
        raise SettingError(f"{file} is inside the repository, where a key could be committed", "name another folder")
    if file.suffix == ".pub" and not file.exists():
        raise SettingError(f"{file} names the public half of a key, and is not there", "name the key itself")
    if file.exists():
        console.line(f"{file} exists; it stays as it is")
    else:
        (_write_fido if options.fido else _write)(file, principal)
        console.line(f"wrote {file}: keep a copy in a safe place, and give it to nobody who may not publish")
    public = public_key(file)
    signer = Signer((principal,), public)
    signers = context.state.content / SIGNERS
    if any(line.key == public for line in context.signers.known):
        console.line(f"{signers} has it already")
    else:
        kind = public[4 : 4 + int.from_bytes(public[:4], "big")].decode()
        key = base64.b64encode(public).decode()
        before = signers.read_text("utf-8") if signers.exists() else ""
        line = f'{principal} namespaces="{NAMESPACE}" {kind} {key} {datetime.now(UTC):%Y-%m-%d}\n'
        write_file(signers, (before + ("" if before.endswith("\n") or not before else "\n") + line).encode())
        console.line(f"named it in {signers}: commit that file")
    console.line(f"fingerprint: {signer.fingerprint}")
    console.line("next: make sign; then tell readers the fingerprint elsewhere too (docs/authenticity.md)")


def _principal(context: CommandContext) -> str:
    """Return under which name the key signs: the address typed as NAME=, else that of the first default contact."""
    if typed := context.environ.get("DATELINE_NAME", "").strip():
        if not re.fullmatch(r"[^\s\"',*?!#@]+@[^\s\"',*?!#@]+", typed):
            raise SettingError(f"NAME: {typed} is not an e-mail address", "make key NAME=ann@example.org")
        return typed
    newsroom = context.newsroom
    by_id = {contact.id: contact for contact in newsroom.contacts}
    addresses = (by_id[name].email for name in newsroom.default_contacts if name in by_id)
    found = next(filter(None, (*addresses, *(contact.email for contact in newsroom.contacts))), "")
    if not found:
        hint = f"give a contact in {context.state.newsroom_file} an email: it names the key"
        raise SettingError("no contact has an e-mail address", hint)
    return found


def _write(file: Path, principal: str) -> None:
    """Write a new key with the rights of a key, and its public half; never over another file."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

    beside = file.with_name(f"{file.name}.pub")
    if beside.exists():
        raise SettingError(f"{beside} is there without its key", f"move it, or set PRESS_SIGNING_KEY={beside}")
    private = Ed25519PrivateKey.generate()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    data = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    public = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    beside.write_text(f"{public} {principal}\n", "utf-8")


def _write_fido(file: Path, principal: str) -> None:
    """Let ssh-keygen make a key on the security key that is plugged in; it asks for a touch."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SettingError("a security key needs ssh-keygen, which is not installed", "install openssh-client")
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [program, "-t", "ed25519-sk", "-q", "-N", "", "-C", principal, "-f", str(file)]
    if subprocess.run(command, check=False).returncode:
        raise SettingError("ssh-keygen made no key on a security key", "plug it in, then run make key FIDO=1 again")
