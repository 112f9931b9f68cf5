"""A newsroom that signs, written into a folder: releases with statements, signatures, and what is looked up in them."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.model.formats import media_type
from pipeline.model.manifest import EMPTY, Manifest, Row, with_rows
from pipeline.model.newsroom import Newsroom
from pipeline.model.render_context import RenderContext
from pipeline.model.statement import (
    NAMESPACE,
    SIGNERS,
    SignedStatement,
    Statement,
    Status,
    digest_of,
    earlier_key,
    signature_key,
    statement_key,
    words_of,
)
from pipeline.reader import read_signers
from pipeline.site import listings, search
from tests.support import sample
from tests.support.rows import BASE, DAY, row

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "press@example.org"
SECURITY_KEY = "sk-ssh-ed25519@openssh.com"
APPLICATION = b"ssh:"
TODAY = DAY.date()


# ── Keys and signatures ─────────────────────────────────────────────────────────────────────────────────────────────


def new_key(seed: int = 1) -> Ed25519PrivateKey:
    """Return a key, the same for the same ``seed``."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def public_blob(key: Ed25519PrivateKey, *, security_key: bool = False) -> bytes:
    """Return the public key as SSH writes it; with ``security_key`` as that of a FIDO key."""
    point = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    kind = SECURITY_KEY.encode() if security_key else b"ssh-ed25519"
    return _string(kind) + _string(point) + (_string(APPLICATION) if security_key else b"")


def line(key: Ed25519PrivateKey, name: str = NAME, options: str = "", *, security_key: bool = False) -> str:
    """Return a line of an allowed_signers file."""
    kind = SECURITY_KEY if security_key else "ssh-ed25519"
    encoded = base64.b64encode(public_blob(key, security_key=security_key)).decode()
    return " ".join(filter(None, (name, options, kind, encoded))) + "\n"


def fingerprint(key: Ed25519PrivateKey) -> str:
    """Return the fingerprint as ``ssh-keygen -l`` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public_blob(key)).digest()).decode().rstrip("=")


def sign(
    statement: bytes,
    key: Ed25519PrivateKey,
    namespace: str = NAMESPACE,
    algorithm: str = "sha512",
    *,
    security_key: bool = False,
) -> str:
    """Return an armoured signature (PROTOCOL.sshsig) of ``statement``; ``security_key`` imitates a FIDO key."""
    hashed = hashlib.new(algorithm, statement).digest()
    named = [_string(part) for part in (namespace.encode(), b"", algorithm.encode())]
    signed = b"".join([b"SSHSIG", *named, _string(hashed)])
    kind, counted = b"ssh-ed25519", b""
    if security_key:
        kind, counted = SECURITY_KEY.encode(), b"\x01" + struct.pack(">I", 7)
        signed = hashlib.sha256(APPLICATION).digest() + counted + hashlib.sha256(signed).digest()
    proof = _string(_string(kind) + _string(key.sign(signed)) + counted)
    blob = b"".join(
        [b"SSHSIG", struct.pack(">I", 1), _string(public_blob(key, security_key=security_key)), *named, proof]
    )
    body = base64.b64encode(blob).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    return "\n".join(["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""])


# ── A newsroom ──────────────────────────────────────────────────────────────────────────────────────────────────────


def plain_copy(title: str, *paragraphs: str, end: str = "ENDS") -> str:
    """Return a plain-text copy of a release as the writer lays it out."""
    before = "OPEN WINDOW ARCHIVE\nPress release\n1 March 2026", "FOR IMMEDIATE RELEASE"
    return "\n\n".join([*before, title, *paragraphs, end, "NOTES", "What an editor may need to know."]) + "\n"


class SignedNewsroom:
    """The public folder of a newsroom that signs, and its manifest."""

    def __init__(
        self, folder: Path, key: Ed25519PrivateKey | None = None, newsroom: Newsroom = sample.NEWSROOM
    ) -> None:
        self.folder = folder
        self.key = key or new_key()
        self.newsroom = msgspec.structs.replace(newsroom, signs=True)
        self.signers = line(self.key, options=f'namespaces="{NAMESPACE}"')
        self.manifest: Manifest = EMPTY
        self.assets: Mapping[str, str] = {}

    def put(self, key: str, data: bytes | str) -> None:
        """Write a public file."""
        file = self.folder / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)

    def publish(
        self,
        slug: str,
        title: str,
        *paragraphs: str,
        end: str = "ENDS",
        status: Status = "usable",
        signed: date = TODAY,
        note: str = "",
        layout: str = "",
        pictures: Mapping[str, bytes] = {},
        **changes: Any,
    ) -> Statement:
        """Publish a revision, with its files; ``layout`` makes other files of the same words."""
        old = self.manifest.by_slug().get(slug)
        revision = (old.revision if old else 0) + (not layout)
        copy = plain_copy(title, *paragraphs, end=end)
        files = {
            f"releases/{slug}.pdf": f"%PDF {layout} {status} {copy}".encode(),
            f"releases/{slug}.txt": copy.encode(),
            **{f"releases/{slug}/{name}": data for name, data in pictures.items()},
        }
        if status == "canceled":
            files = {}
        statement = Statement(
            guid=self.newsroom.guid(slug),
            address=f"releases/{slug}.html",
            title=title,
            revision=revision,
            instant=DAY,
            status=status,
            signed=signed,
            words=digest_of(words_of(copy, title, [end])) if files else "",
            files=tuple((key, hashlib.sha256(data).hexdigest()) for key, data in sorted(files.items())),
        )
        for key, data in files.items():
            self.put(key, data)
        body = "".join(f"<p>{text}</p>" for text in (title, *paragraphs)) if files else ""
        record = {"bodies": [{"value": body}], "edNote": note, "pubStatus": status}
        self.put(f"releases/{slug}.json", json.dumps(record))
        self.put(f"releases/{slug}.html", f"<!DOCTYPE html><title>{title}</title><p>The page of a release.</p>")
        changes = {"title": title, "withdrawn": status == "canceled", "source": digest_of(copy), **changes}
        self._state(row(slug, **{"revision": revision, **changes}), statement)
        return statement

    def _state(self, new: Row, statement: Statement) -> None:
        """Make a statement the newest of its release, signed."""
        old = self.manifest.by_slug().get(new.slug)
        data = statement.encode()
        sha256 = hashlib.sha256(data).hexdigest()
        for key in (statement_key(new.slug), earlier_key(new.slug, new.date.year, sha256)):
            self.put(key, data)
            self.put(signature_key(key), sign(data, self.key))
        earlier = (old.statement, *old.earlier_statements) if old and old.statement else ()
        new = msgspec.structs.replace(
            new, statement=SignedStatement(sha256, statement.signed, statement.entries()), earlier_statements=earlier
        )
        rows = [each for each in self.manifest.rows if each.slug != new.slug]
        self.manifest = with_rows(self.manifest, [*rows, new])

    @property
    def render_context(self) -> RenderContext:
        """What the listings are rendered from; the signers are read as ``content/signers`` is."""
        content = self.folder.with_name(f"{self.folder.name}-content")
        content.mkdir(exist_ok=True)
        (content / SIGNERS).write_text(self.signers, "utf-8")
        return RenderContext(self.newsroom, b"", BASE, DAY, assets=self.assets, signers=read_signers(content))

    def write(self) -> None:
        """Write the listings of all that is published, but no feeds."""
        made = dict(listings.pages(self.manifest, self.render_context))
        made |= search.files(self.manifest, self.newsroom, self._record, lambda _: b"")
        for key, data in made.items():
            self.put(key, data)

    def _record(self, listed: Row) -> bytes:
        return (self.folder / f"releases/{listed.slug}.json").read_bytes()


# ── In public ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Handler(SimpleHTTPRequestHandler):
    def guess_type(self, path: object) -> str:
        return media_type(str(path))

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback, which browsers trust as they trust HTTPS; yields its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def many_rows(number: int, files: int = 5) -> Iterable[Row]:
    """Return rows of a long archive, each with a statement of so many files."""
    for at in range(number):
        slug = f"a-release-with-a-name-of-some-length-{at:06}"
        digests = (hashlib.sha256(f"{at} {part}".encode()).hexdigest() for part in range(files + 2))
        entries = "".join(sorted(d[:12] for d in digests))
        statement = SignedStatement(hashlib.sha256(slug.encode()).hexdigest(), DAY.date(), entries)
        yield msgspec.structs.replace(
            row(slug, -at / 4), statement=statement, date=datetime(2026 - at // 1000, 1, 1, tzinfo=UTC)
        )
