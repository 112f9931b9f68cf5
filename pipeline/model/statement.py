"""Statements: what a newsroom says of one revision of a release, signed, and who may sign.

A statement is a short text that anyone can read and check: which revision this is, whether it still holds, and the
SHA-256 of its words and of each file that does not change when something else does. Page and record name neighbours
and earlier revisions, so they are checked by their words. ``docs/authenticity.md`` describes the format.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Literal, cast, get_args

from msgspec import Struct

Status = Literal["usable", "canceled", "embargoed"]
"""As ninjs names them; ``embargoed`` is said of copies that were given out before the instant."""

TITLE = "press-release statement 1"
"""The first line, with the version of the format."""
NAMESPACE = "press-release"
"""Of the signatures, so that one of another purpose with the same key proves nothing here."""
SIGNERS = "signers"
"""Name of the file beside newsroom.toml, and its key in public."""
PAGE = "verify.html"
"""Where anybody can check a file."""
SUFFIX = ".statement"
SUFFIXES = (SUFFIX, ".sig")
FOLDER = "statements/"
"""Where earlier statements stay public, by the year in which they were signed."""
ENTRY = 12
"""Hexadecimal digits of a digest by which a statement is found; the statement itself has all of them."""
ARMOUR = ("-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----")
_WIDTH = 70
_WHITE_SPACE = re.compile("[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_LINE = re.compile(r"(?P<sha256>[0-9a-f]{64})  (?P<key>\S.*)")


class Statement(Struct, frozen=True):
    """What is stated of one revision."""

    guid: str
    address: str
    """Key of the release's page."""
    title: str
    revision: int
    instant: datetime
    """From which this revision is public, UTC."""
    status: Status
    signed: date
    """The day on which a signer's key must be valid, UTC."""
    words: str = ""
    """SHA-256 of the folded words, from headline to end mark; empty for a withdrawn release."""
    files: tuple[tuple[str, str], ...] = ()
    """Key and SHA-256, in the order of the keys."""
    corrections: int = 0
    """How often the release was corrected: notes and contacts stand after the end mark, and may have been too."""

    @property
    def slug(self) -> str:
        """The slug of the release."""
        return self.address.rpartition("/")[2].removesuffix(".html")

    def encode(self) -> bytes:
        """Return the text that is signed: UTF-8, a line for each fact, a line for each file as ``sha256sum`` has it."""
        facts = {
            "guid": self.guid,
            "address": self.address,
            "title": self.title,
            "revision": str(self.revision),
            "corrections": str(self.corrections or ""),
            "instant": self.instant.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "status": self.status,
            "signed": self.signed.isoformat(),
            "words": self.words,
        }
        stated = [f"{name}: {value}" for name, value in facts.items() if value]
        return "\n".join([TITLE, *stated, *(f"{sha256}  {key}" for key, sha256 in self.files), ""]).encode()

    def entries(self) -> str:
        """Return the beginnings of all digests by which a reader finds the statement, one after the other, in order."""
        digests = {self.words, digest_of(self.title), *(sha256 for _, sha256 in self.files)} - {""}
        return "".join(sorted({sha256[:ENTRY] for sha256 in digests}))

    def has(self, sha256: str) -> bool:
        """Whether it states the digest of a file, or of the words."""
        return sha256 in (self.words, *(known for _, known in self.files))


def decode(data: bytes) -> Statement:
    """Return the statement that ``data`` is. Raises ValueError when it is none, or not written as ``encode`` does."""
    title, *lines = data.decode().split("\n")
    facts = dict(line.split(": ", 1) for line in lines if line and not _LINE.fullmatch(line))
    try:
        found = Statement(
            guid=facts["guid"],
            address=facts["address"],
            title=facts["title"],
            revision=int(facts["revision"]),
            instant=datetime.fromisoformat(facts["instant"]),
            status=_status(facts["status"]),
            signed=date.fromisoformat(facts["signed"]),
            words=facts.get("words", ""),
            corrections=int(facts.get("corrections", "0")),
            files=tuple((match["key"], match["sha256"]) for line in lines if (match := _LINE.fullmatch(line))),
        )
    except KeyError as missing:
        raise ValueError(f"no line {missing}") from None
    except OverflowError as error:
        raise ValueError(str(error)) from None
    if title != TITLE or found.encode() != data:
        raise ValueError("not a statement in this format")
    return found


def _status(text: str) -> Status:
    for known in get_args(Status):
        if text == known:
            return cast(Status, known)
    raise ValueError(f"unknown status {text}")


class SignedStatement(Struct, frozen=True, omit_defaults=True):
    """A statement as the manifest names it."""

    sha256: str
    signed: date
    """The day that it states."""
    entries: str
    """See ``Statement.entries``."""
    signatures: tuple[str, ...] = ()
    """SSHSIG blobs in base64."""

    @property
    def blobs(self) -> tuple[bytes, ...]:
        """The signatures."""
        return tuple(map(base64.b64decode, self.signatures))

    def signature_files(self, key: str) -> dict[str, bytes]:
        """Return key → bytes of the signatures beside the statement at ``key``."""
        return {signature_key(key, number): armoured(blob) for number, blob in enumerate(self.blobs, 1)}

    def finds(self, sha256: str) -> bool:
        """Whether a digest may be in the statement."""
        return any(self.entries.startswith(sha256[:ENTRY], at) for at in range(0, len(self.entries), ENTRY))


def armoured(blob: bytes) -> bytes:
    """Return an SSHSIG blob as the file that ``ssh-keygen`` reads and writes."""
    text = base64.b64encode(blob).decode()
    lines = [text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH)]
    return "\n".join([ARMOUR[0], *lines, ARMOUR[1], ""]).encode()


def statement_key(slug: str) -> str:
    """Return the key of the newest statement of a release."""
    return f"releases/{slug}{SUFFIX}"


def signature_key(statement: str, number: int = 1) -> str:
    """Return the key of the signature with a ``number`` from 1 beside the statement at the key ``statement``."""
    return f"{statement}.sig" if number == 1 else f"{statement}.{number}.sig"


def earlier_key(slug: str, year: int, sha256: str) -> str:
    """Return the key under which an earlier statement stays public; ``year`` is that of the day that it states."""
    return f"{FOLDER}{year:04d}/{slug}.{sha256[:16]}{SUFFIX}"


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def folded(text: str) -> str:
    """Return ``text`` in NFC, each run of white space as one blank, none at its ends."""
    return _WHITE_SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip(" ")


def digest_of(text: str) -> str:
    """Return the SHA-256 of folded text, hexadecimal."""
    return hashlib.sha256(folded(text).encode()).hexdigest()


def words_of(copy: str, title: str, ends: Iterable[str]) -> str:
    """Return the words of a plain-text copy from its headline to its end mark, folded; empty without a headline."""
    parts = copy.split("\n\n")
    start = next((number for number, part in enumerate(parts) if folded(part) == folded(title)), None)
    if start is None:
        return ""
    marks = {folded(mark) for mark in ends}
    end = next((number for number in range(start + 1, len(parts)) if folded(parts[number]) in marks), len(parts) - 1)
    return folded(" ".join(parts[start : end + 1]))


# ── Signers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Signer(Struct, frozen=True):
    """A line of an allowed_signers file (ssh-keygen(1)): who signs with which key, and when the key is valid."""

    principals: tuple[str, ...]
    """As ``ssh-keygen -I`` names them; the first is shown."""
    key: bytes
    """The public key as SSH writes it: its type, for FIDO also the application, and 32 bytes."""
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    namespaces: tuple[str, ...] = ()
    """Empty: all."""

    @property
    def name(self) -> str:
        """The first principal."""
        return self.principals[0]

    @property
    def fingerprint(self) -> str:
        """The fingerprint as ``ssh-keygen -l`` prints it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.key).digest()).decode().rstrip("=")

    def is_valid(self, day: date) -> bool:
        """Whether the key was valid at some time of ``day``, and may sign releases."""
        early = self.valid_after is not None and self.valid_after.date() > day
        late = self.valid_before is not None and self.valid_before <= datetime(day.year, day.month, day.day, tzinfo=UTC)
        return not early and not late and (not self.namespaces or NAMESPACE in self.namespaces)


class SigningKey(Struct, frozen=True, omit_defaults=True):
    """A key as manifest and contacts name it, for people to compare."""

    name: str
    fingerprint: str
    valid_after: datetime | None = None
    valid_before: datetime | None = None


class Signers(Struct, frozen=True):
    """``content/signers``: who may sign, as a file that is public too."""

    text: bytes = b""
    known: tuple[Signer, ...] = ()
    """In the order of the file; old lines stay for old releases."""

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """The keys that may sign releases, or could."""
        signing = [each for each in self.known if not each.namespaces or NAMESPACE in each.namespaces]
        return tuple(SigningKey(each.name, each.fingerprint, each.valid_after, each.valid_before) for each in signing)
