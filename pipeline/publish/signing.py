"""Signatures in OpenSSH's form (PROTOCOL.sshsig): made with a key file, an ssh-agent or a security key, and checked.

Anybody can check them with ``ssh-keygen -Y verify``. A key file without passphrase is read here; everything else is
left to ``ssh-keygen``. The key never leaves its file: no message, argument or log has it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path

from msgspec import Struct

from pipeline.model.errors import SettingError
from pipeline.model.statement import ARMOUR, NAMESPACE, SIGNERS, SignedStatement, Signer, Signers

VARIABLE = "PRESS_SIGNING_KEY"
MAGIC = b"SSHSIG"
PLAIN, SECURITY_KEY = b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com"
_HASHES = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}


class SignatureError(ValueError):
    """A signature proves nothing; the message says why, and fits after "its signature"."""


class Key(Struct, frozen=True):
    """A key that signs, of which only the public half is known here."""

    signer: Signer
    """Its line of ``content/signers``."""
    sign: Callable[[bytes], bytes]
    """Return the SSHSIG blob of a message. Raises SettingError when the key cannot be used now."""


# ── Making signatures ───────────────────────────────────────────────────────────────────────────────────────────────


def default_key(environ: Mapping[str, str]) -> Path:
    """Return where the key lies unless ``PRESS_SIGNING_KEY`` says otherwise."""
    home = Path(environ.get("HOME") or "~").expanduser()
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "dateline" / "signing-key"


def key_file(environ: Mapping[str, str]) -> Path:
    """Return the key's file, whether it exists or not. Raises SettingError for one that cannot be a file."""
    stated = environ.get(VARIABLE, "").strip()
    try:
        file = Path(stated).expanduser() if stated else default_key(environ)
    except RuntimeError:  # ~name of nobody
        raise SettingError(f"{VARIABLE}: there is no home folder for {stated}", "write the whole path") from None
    if file.is_dir():
        raise SettingError(f"{VARIABLE}: {file} is a folder", "name a file in it, for example signing-key")
    return file


def open_key(environ: Mapping[str, str], signers: Signers, root: Path) -> Key | None:
    """Return the key that signs on this machine; None when there is none.

    It is the file that ``PRESS_SIGNING_KEY`` names, the default one, or a key of a running ssh-agent that
    ``content/signers`` has. Raises SettingError for a file that is missing, readable by others, inside the repository,
    or not among the signers who are valid today.
    """
    file = key_file(environ)
    if not file.exists():
        if environ.get(VARIABLE, "").strip():
            raise SettingError(f"{VARIABLE}: there is no file {file}", "make key writes one there")
        return _agent_key(environ, signers)
    public = public_key(file)
    _refuse_exposed(file, root)
    signer = _signer(public, signers)
    if signer is None:
        raise SettingError(
            f"the key {file} is not in content/{SIGNERS}, so nobody could check what it signs",
            "make key adds its line; commit the file",
        )
    if not signer.is_valid(datetime.now(UTC).date()):
        raise SettingError(
            f"the key {file} is not valid today for releases, by its line in content/{SIGNERS}",
            "name a newer key, or correct valid-after, valid-before or namespaces there",
        )
    private = _load(file)
    return Key(signer, private) if private else Key(signer, lambda message: _by_ssh_keygen(file, message, environ))


def public_key(file: Path) -> bytes:
    """Return the public half of a key file as SSH writes it. Raises SettingError, also for another kind of key."""
    public = _public_half(file)
    fields = _strings(public)
    if len(fields) < 2 or fields[0] not in (PLAIN, SECURITY_KEY) or len(fields[1]) != 32:
        kind = fields[0].decode("ascii", "replace")[:40] if fields else "none"
        raise SettingError(f"{file} is no Ed25519 key ({kind})", "make key writes one, where PRESS_SIGNING_KEY says")
    return public


def _public_half(file: Path) -> bytes:
    beside = file if file.suffix == ".pub" else file.with_name(f"{file.name}.pub")
    if beside.is_file():
        parts = beside.read_text("utf-8", "replace").split()
        try:
            return base64.b64decode(parts[1], validate=True)
        except (IndexError, ValueError, binascii.Error):
            raise SettingError(f"{beside} is not a public key", "ssh-keygen -y -f KEY > KEY.pub writes it") from None
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_ssh_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise SettingError(
            f"{file} is no private key without passphrase, and there is no {beside.name} beside it",
            "make key writes a key; ssh-keygen -y -f KEY > KEY.pub writes the public half of another",
        ) from None
    wire = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return base64.b64decode(wire.split()[1])


def _refuse_exposed(file: Path, root: Path) -> None:
    """Refuse a private key that others on this machine can read, or that could be committed."""
    if file.suffix == ".pub":
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & 0o077:
        raise SettingError(f"the key {file} can be read by others (mode {mode:o})", f"chmod 600 {file}")
    if file.resolve().is_relative_to(root.resolve()):
        raise SettingError(
            f"the key {file} is inside the repository, where it could be committed",
            f"move it out, for example to {default_key(os.environ)}",
        )


def _signer(public: bytes, signers: Signers) -> Signer | None:
    """Return the newest line of a key, if there is one of those that are valid today."""
    lines, today = [line for line in reversed(signers.known) if line.key == public], datetime.now(UTC).date()
    return next((line for line in lines if line.is_valid(today)), next(iter(lines), None))


def _load(file: Path) -> Callable[[bytes], bytes] | None:
    """Return how a plain key file signs; None for one that needs ssh-keygen: of an agent, with passphrase, FIDO."""
    if file.suffix == ".pub":
        return None
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        private = load_ssh_private_key(file.read_bytes(), password=None)
    except Exception:  # it has several for a passphrase, a FIDO key, and another format
        return None
    if not isinstance(private, Ed25519PrivateKey):
        return None
    public = public_key(file)

    def sign(message: bytes) -> bytes:
        return sshsig(public, _string(PLAIN) + _string(private.sign(_signed(message))))

    return sign


def sshsig(public: bytes, signature: bytes) -> bytes:
    """Return an SSHSIG blob; ``signature`` is in the format of its key type."""
    parts = (public, NAMESPACE.encode(), b"", b"sha512", signature)
    return MAGIC + (1).to_bytes(4, "big") + b"".join(map(_string, parts))


def _signed(message: bytes, name: bytes = b"sha512") -> bytes:
    """Return what is signed for ``message``."""
    parts = (NAMESPACE.encode(), b"", name, _HASHES[name](message).digest())
    return MAGIC + b"".join(map(_string, parts))


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


# ── ssh-keygen and agents ───────────────────────────────────────────────────────────────────────────────────────────


def _agent_key(environ: Mapping[str, str], signers: Signers) -> Key | None:
    """Return the first key of a running ssh-agent that may sign."""
    if not (environ.get("SSH_AUTH_SOCK") and shutil.which("ssh-add") and signers.known):
        return None
    try:
        listed = subprocess.run(
            ["ssh-add", "-L"], capture_output=True, env=dict(environ), timeout=10, check=False
        ).stdout
    except subprocess.TimeoutExpired:
        return None
    for line in listed.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition(" ")
        try:
            signer = _signer(base64.b64decode(rest.partition(" ")[0], validate=True), signers)
        except ValueError:
            continue
        if signer and kind and signer.is_valid(datetime.now(UTC).date()):
            return Key(signer, lambda message, line=line: _by_agent(line, message, environ))  # type: ignore[misc]
    return None


def _by_agent(public: str, message: bytes, environ: Mapping[str, str]) -> bytes:
    with _written(public) as file:
        return _by_ssh_keygen(file, message, environ)


@contextmanager
def _written(public: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "signer.pub"
        file.write_text(f"{public}\n", "utf-8")
        yield file


def _by_ssh_keygen(file: Path, message: bytes, environ: Mapping[str, str]) -> bytes:
    """Sign with ssh-keygen, which asks an agent, the owner of a passphrase, or for a touch."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise SettingError(f"the key {file} needs ssh-keygen, which is not installed", "install openssh-client")
    command = [program, "-Y", "sign", "-q", "-f", str(file), "-n", NAMESPACE]
    shown = None if sys.stderr.isatty() else subprocess.PIPE  # a person must see that a touch is waited for
    done = subprocess.run(command, input=message, stdout=subprocess.PIPE, stderr=shown, env=dict(environ), check=False)
    if done.returncode:
        said = (done.stderr or b"").decode("utf-8", "replace").strip().splitlines()
        raise SettingError(
            f"ssh-keygen could not sign with {file}" + (f": {said[-1][:200]}" if said else ""),
            "a key with a passphrase has to be in an ssh-agent (ssh-add), a security key has to be plugged in",
        )
    return unarmoured(done.stdout.decode())


# ── Checking signatures ─────────────────────────────────────────────────────────────────────────────────────────────


def unarmoured(text: str) -> bytes:
    """Return the blob of such a file. Raises SignatureError."""
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) < 3 or (lines[0], lines[-1]) != ARMOUR:
        raise SignatureError("is not one of ssh-keygen")
    try:
        return base64.b64decode("".join(lines[1:-1]), validate=True)
    except ValueError:
        raise SignatureError("is damaged") from None


def verify(message: bytes, blob: bytes, signers: Signers, day: date) -> Signer:
    """Return who signed ``message``. Raises SignatureError.

    The key must have a line in ``signers`` that is valid on ``day`` and allows the namespace of press releases.
    """
    public, namespace, name, kind, signature, rest = _fields(blob)
    if namespace != NAMESPACE.encode():
        raise SignatureError(f"was made for something else ({namespace.decode('utf-8', 'replace')[:40]})")
    lines = [line for line in signers.known if line.key == public]
    if not lines:
        raise SignatureError(f"is by a key that {SIGNERS} does not have")
    signer = next((line for line in reversed(lines) if line.is_valid(day)), None)
    if signer is None:
        raise SignatureError(f"is by a key of {lines[-1].name} that was not valid on {day}")
    signed = _signed(message, name)
    if kind == SECURITY_KEY:
        application = _strings(public)[2]
        signed = hashlib.sha256(application).digest() + rest + hashlib.sha256(signed).digest()
    elif kind != PLAIN or rest:
        raise SignatureError("is of a kind that is not known")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(_strings(public)[1]).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise SignatureError("does not fit the text") from None
    return signer


def valid_signers(message: bytes, signed: SignedStatement, signers: Signers) -> tuple[Signer, ...]:
    """Return who signed the statement ``message``, each person once however many keys one has."""
    found: dict[str, Signer] = {}
    for signature in signed.signatures:
        try:
            signer = verify(message, base64.b64decode(signature), signers, signed.signed)
        except ValueError:
            continue
        found.setdefault(signer.name, signer)
    return tuple(found.values())


def line_of(blob: bytes, signed: SignedStatement, signers: Signers) -> Signer | None:
    """Return the line of the key that a signature names, if it was valid on the day stated; it is not checked.

    Raises SignatureError for a damaged one.
    """
    public, day = _fields(blob)[0], signed.signed
    return next((line for line in reversed(signers.known) if line.key == public and line.is_valid(day)), None)


def lines_of(signed: SignedStatement, signers: Signers) -> tuple[Signer, ...]:
    """Return whose keys the signatures of a statement name, each once; damaged ones name nobody."""
    found: dict[str, Signer] = {}
    for signature in signed.signatures:
        with suppress(ValueError):
            if line := line_of(base64.b64decode(signature), signed, signers):
                found[line.name] = line
    return tuple(found.values())


def _fields(blob: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    """Return public key, namespace, name of the hash, kind, signature, and what a security key adds to it."""
    fields = _strings(blob[10:]) if blob[:10] == MAGIC + (1).to_bytes(4, "big") else []
    if len(fields) != 5 or fields[3] not in _HASHES:
        raise SignatureError("is damaged")
    public, namespace, _reserved, name, signature = fields
    first = 4 + int.from_bytes(signature[:4], "big")
    second = first + 4 + int.from_bytes(signature[first : first + 4], "big")
    kind, value, rest = signature[4:first], signature[first + 4 : second], signature[second:]
    if len(_strings(public)) < 2 or _strings(public)[0] != kind:
        raise SignatureError("is damaged")
    return public, namespace, name, kind, value, rest


def _strings(data: bytes) -> list[bytes]:
    """Return the length-prefixed strings that ``data`` consists of; none where it does not."""
    found = []
    while len(data) >= 4:
        length = int.from_bytes(data[:4], "big")
        if len(data) < 4 + length:
            return []
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    return [] if data else found
