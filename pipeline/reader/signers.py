"""``content/signers`` → ``Signers``: the allowed_signers file of OpenSSH (ssh-keygen(1), ALLOWED SIGNERS)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline.model.errors import printable
from pipeline.model.statement import SIGNERS, Signer, Signers
from pipeline.reader.report import Report
from pipeline.reader.source import read_text

_LIMIT = 256 * 1024
_KINDS = {"ssh-ed25519": 1, "sk-ssh-ed25519@openssh.com": 2}
"""Types of keys, and how many fields follow the type."""
_QUOTED_OPTION = r'[\w-]+(?:="[^"]*")?'
_PARTS = re.compile(
    rf'(?:"(?P<quoted>[^"]+)"|(?P<names>[^\s"]+))[ \t]+(?:(?P<options>{_QUOTED_OPTION}(?:,{_QUOTED_OPTION})*)[ \t]+)?'
    r"(?P<kind>(?:sk-)?(?:ssh|ecdsa)-[\w@.-]+)[ \t]+(?P<key>\S+)(?:[ \t].*)?"
)
"""As OpenSSH reads a line: options are in quotes, with commas and no blanks between them."""
_OPTION = re.compile(r'([\w-]+)(?:="([^"]*)")?')
_PATTERN = re.compile(r"[*?!]")
"""OpenSSH knows patterns; where names are compared one by one, as on verify.html, they would be none."""
_TIMES = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_EXAMPLE = 'an example: press@example.org namespaces="press-release" ssh-ed25519 AAAA…'


def read_signers(folder: Path, report: Report | None = None) -> Signers:
    """Return the signers of ``folder``; none without the file. Faults go to ``report``, else ReleaseError is raised."""
    file = folder / SIGNERS
    if not file.exists():
        return Signers()
    own = Report(str(file))
    text = read_text(file, _LIMIT, own) or ""
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1)]
    named = [(number, line) for number, line in lines if line and not line.startswith("#")]
    known = tuple(signer for number, line in named for signer in _signer(number, line, own))
    if report is None:
        own.raise_faults()
    else:
        report.include(own)
    return Signers(text.encode(), known)


def parse_signers(data: bytes) -> Signers:
    """Return the signers of a public file; as ssh-keygen does, lines that are not understood are skipped."""
    known: list[Signer] = []
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        report = Report(SIGNERS)
        found = tuple(_signer(number, line.strip(), report)) if line.strip() and not line.startswith("#") else ()
        known += () if report.count else found
    return Signers(data, tuple(known))


def _signer(number: int, line: str, report: Report) -> Iterator[Signer]:
    """Yield the signer of a line; nothing where it has a fault."""
    parts = _PARTS.fullmatch(line)
    if not parts:
        report.fault(number, "not a line of an allowed_signers file", _EXAMPLE)
        return
    kind = parts["kind"]
    if kind not in _KINDS:
        report.fault(number, f"a key of the type {printable(kind)}: Dateline signs with Ed25519", "make key writes one")
        return
    blob = _blob(kind, parts["key"])
    if blob is None:
        report.fault(number, "the public key is not complete", "copy the whole line of the .pub file, without breaks")
        return
    options = {name.lower(): value for name, value in _OPTION.findall(parts["options"] or "")}
    for name in sorted(options.keys() - {"namespaces", "valid-after", "valid-before"}):
        report.fault(number, f"{printable(name)}: not an option that Dateline knows", "delete it")
    names = tuple((parts["quoted"] or parts["names"]).split(","))
    spaces = tuple(options["namespaces"].split(",")) if "namespaces" in options else ()
    if name := next((each for each in (*names, *spaces) if _PATTERN.search(each)), ""):
        report.fault(number, f"{printable(name)}: a pattern", f"write the whole name; {_EXAMPLE}")
    elif "" in (*names, *spaces):
        report.fault(number, "an empty name", _EXAMPLE)
    after, before = (_time(number, name, options, report) for name in ("valid-after", "valid-before"))
    yield Signer(names, blob, after, before, spaces)


def _blob(kind: str, key: str) -> bytes | None:
    """Return the key as SSH writes it; None if it is not one of this type."""
    try:
        blob = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return None
    fields, rest = [], blob
    while len(rest) >= 4:
        length = int.from_bytes(rest[:4], "big")
        fields.append(rest[4 : 4 + length])
        rest = rest[4 + length :]
    whole = b"".join(len(field).to_bytes(4, "big") + field for field in fields) == blob
    is_of_kind = len(fields) == 1 + _KINDS[kind] and fields[0] == kind.encode() and len(fields[1]) == 32
    return blob if whole and is_of_kind and base64.b64encode(blob).decode() == key else None


def _time(number: int, name: str, options: dict[str, str], report: Report) -> datetime | None:
    """Return an instant as the option states it, taken for UTC; None without the option."""
    text = options.get(name, "")
    digits = text.removesuffix("Z")
    try:
        return datetime.strptime(digits, _TIMES[len(digits)]).replace(tzinfo=UTC) if text else None
    except (KeyError, ValueError):
        report.fault(number, f"{name}: not a time: {printable(text)}", f'write {name}="20271231Z"')
        return None
