"""content/signers: what ssh-keygen accepts and Dateline understands, and every mistake with its line."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.model.errors import ReleaseError
from pipeline.model.statement import Signer
from pipeline.reader import read_newsroom, read_signers
from tests.support import signing_keys
from tests.support.reading import newsroom_faults

DAY = date(2026, 11, 30)
EXAMPLE = 'an example: press@example.org namespaces="press-release" ssh-ed25519 AAAA…'
PRESS = ("press-release",)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return what the cases write in braces: public keys of several types, and broken ones."""
    folder = tmp_path_factory.mktemp("keys")
    made = {kind: signing_keys.new_key(folder / kind, kind) for kind in ("ed25519", "rsa", "ecdsa")}
    fields = (b"sk-ssh-ed25519@openssh.com", bytes(range(32)), b"ssh:")
    blob = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    short = base64.b64encode(base64.b64decode(made["ed25519"].split()[1])[:-3]).decode()
    return {
        **made,
        "key": made["ed25519"],
        "fido": f"{fields[0].decode()} {base64.b64encode(blob).decode()}",
        "blob": made["ed25519"].split()[1],
        "short": short,
        "other": made["rsa"].split()[1],
        "folder": str(folder),
    }


def read(folder: Path, text: str) -> tuple[Signer, ...]:
    (folder / "signers").write_text(text, "utf-8")
    return read_signers(folder).known


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ReleaseError) as caught:
        read(folder, text)
    assert all(fault.source == str(folder / "signers") for fault in caught.value.faults)
    return [f"{fault.line}: {fault.message} ({fault.hint})" for fault in caught.value.faults]


# name, line, principals, namespaces, valid-after, valid-before, valid on 30 November 2026
RIGHT = [
    ("a line of make key", 'p@example.org namespaces="press-release" {key}', PRESS, "", "", True),
    ("a comment behind the key", 'p@example.org namespaces="press-release" {key} Ada, press desk', PRESS, "", "", True),
    ("no options: signs everything", "p@example.org {key}", (), "", "", True),
    ("two principals", 'p@example.org,ada@example.org namespaces="press-release" {key}', PRESS, "", "", True),
    ("several blanks and tabs", 'p@example.org  \t namespaces="press-release"\t{key}', PRESS, "", "", True),
    ("blanks before it", '  p@example.org namespaces="press-release" {key}', PRESS, "", "", True),
    ("two namespaces", 'p@example.org namespaces="file,press-release" {key}', ("file", "press-release"), "", "", True),
    ("another namespace", 'p@example.org namespaces="file" {key}', ("file",), "", "", False),
    ("capitals in an option", 'p@example.org NameSpaces="press-release" {key}', PRESS, "", "", True),
    ("a principal in quotes", '"p@example.org" namespaces="press-release" {key}', PRESS, "", "", True),
    ("valid from a day", 'p@example.org valid-after="20261130Z" {key}', (), "2026-11-30", "", True),
    ("valid from tomorrow", 'p@example.org valid-after="20261201Z" {key}', (), "2026-12-01", "", False),
    ("valid to the end of a day", 'p@example.org valid-before="20261201Z" {key}', (), "", "2026-12-01", True),
    ("not valid any more", 'p@example.org valid-before="20261130Z" {key}', (), "", "2026-11-30", False),
    ("valid for an hour of the day", 'p@example.org valid-before="202611300100Z" {key}', (), "", "2026-11-30", True),
    ("seconds", 'p@example.org valid-after="20261130235959Z" {key}', (), "2026-11-30", "", True),
    (
        "all options",
        'p@example.org namespaces="press-release",valid-after="20260101",valid-before="20280101" {key}',
        PRESS,
        "2026-01-01",
        "2028-01-01",
        True,
    ),
    ("a security key", 'p@example.org namespaces="press-release" {fido}', PRESS, "", "", True),
]


@pytest.mark.parametrize(("line", "namespaces", "after", "before", "is_valid"), [
    pytest.param(*rest, id=name) for name, *rest in RIGHT
])  # fmt: skip
def test_lines_that_name_a_signer(
    line: str,
    namespaces: tuple[str, ...],
    after: str,
    before: str,
    is_valid: bool,
    keys: dict[str, str],
    tmp_path: Path,
) -> None:
    (signer,) = read(tmp_path, line.format(**keys) + "\n")
    assert signer.principals == (("p@example.org", "ada@example.org") if "ada" in line else ("p@example.org",))
    assert (signer.name, signer.namespaces) == ("p@example.org", namespaces)
    found = ("" if each is None else each.date().isoformat() for each in (signer.valid_after, signer.valid_before))
    assert tuple(found) == (after, before)
    assert signer.is_valid(DAY) == is_valid


NOT_ONE = f"not a line of an allowed_signers file ({EXAMPLE})"
INCOMPLETE = "the public key is not complete (copy the whole line of the .pub file, without breaks)"
# name, line, fault
WRONG = [
    ("no principal", "{key}", NOT_ONE),
    ("no key", "p@example.org", NOT_ONE),
    ("no quotes", "p@example.org namespaces=press-release {key}", NOT_ONE),
    ("a blank between options", 'p@example.org namespaces="press-release", valid-after="20260101" {key}', NOT_ONE),
    ("blanks for commas", 'p@example.org namespaces="press-release" valid-after="20260101" {key}', NOT_ONE),
    ("no blank before the key", 'p@example.org namespaces="press-release"{key}', NOT_ONE),
    ("a quotation mark too few", 'p@example.org namespaces="press-release {key}', NOT_ONE),
    ("words", "who signs is written here", NOT_ONE),
    ("RSA", "p@example.org {rsa}", "a key of the type ssh-rsa: Dateline signs with Ed25519 (make key writes one)"),
    (
        "ECDSA",
        "p@example.org {ecdsa}",
        "a key of the type ecdsa-sha2-nistp256: Dateline signs with Ed25519 (make key writes one)",
    ),
    ("half a key", "p@example.org ssh-ed25519 {short}", INCOMPLETE),
    ("a key of another type", "p@example.org ssh-ed25519 {other}", INCOMPLETE),
    ("not base64", "p@example.org ssh-ed25519 AAAA-not-a-key", INCOMPLETE),
    ("too much padding", "p@example.org {key}==", INCOMPLETE),
    ("an option for certificates", "p@example.org cert-authority {key}",
     "cert-authority: not an option that Dateline knows (delete it)"),
    ("a misspelt option", 'p@example.org namespace="press-release" {key}',
     "namespace: not an option that Dateline knows (delete it)"),
    ("a pattern of principals", "*@example.org {key}", f"*@example.org: a pattern (write the whole name; {EXAMPLE})"),
    ("a pattern of namespaces", 'p@example.org namespaces="press-*" {key}',
     f"press-*: a pattern (write the whole name; {EXAMPLE})"),
    ("no namespace", 'p@example.org namespaces="" {key}', f"an empty name ({EXAMPLE})"),
    ("a date with dashes", 'p@example.org valid-before="2027-12-31" {key}',
     'valid-before: not a time: 2027-12-31 (write valid-before="20271231Z")'),
    ("a day that there is not", 'p@example.org valid-after="20270231" {key}',
     'valid-after: not a time: 20270231 (write valid-after="20271231Z")'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "fault"), [pytest.param(*rest, id=name) for name, *rest in WRONG])
def test_mistakes_are_named_with_their_line(line: str, fault: str, keys: dict[str, str], tmp_path: Path) -> None:
    text = f"# Who signs\n\n{line.format(**keys)}\n"
    assert faults(tmp_path, text) == [f"3: {fault}"]


def test_every_line_is_checked_and_comments_and_empty_lines_are_none(keys: dict[str, str], tmp_path: Path) -> None:
    first, second = ("\ufeff# Who signs\r\n", f"p@example.org {keys['key']}\r\n")
    assert len(read(tmp_path, f"{first}\r\n{second}# old\n{second}")) == 2
    assert [each.partition(":")[0] for each in faults(tmp_path, f"a\n{second}b\nc\n")] == ["1", "3", "4"]
    assert read(tmp_path, "# nobody yet\n") == ()
    (tmp_path / "signers").unlink()
    assert read_signers(tmp_path).known == ()


def test_fingerprint_is_that_of_ssh_keygen(keys: dict[str, str], tmp_path: Path) -> None:
    (signer,) = read(tmp_path, f"p@example.org {keys['key']}\n")
    assert signer.fingerprint == signing_keys.fingerprint(Path(keys["folder"]) / "ed25519.pub")


@pytest.mark.parametrize("line", [pytest.param(line, id=name) for name, line, *_ in RIGHT if "{fido}" not in line])
def test_ssh_keygen_takes_each_line_in_the_same_way(line: str, keys: dict[str, str], tmp_path: Path) -> None:
    """What Dateline accepts must work for readers, who have no Dateline."""
    message = tmp_path / "message"
    message.write_bytes(b"words\n")
    key = Path(keys["folder"]) / "ed25519"
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "press-release", str(message)]
    subprocess.run(sign, check=True, capture_output=True, timeout=60)
    (signer,) = read(tmp_path, line.format(**keys) + "\n")
    noon = (
        datetime(2026, 11, 30, 0, 30, tzinfo=UTC) if "0100Z" in line else datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    )
    command = ["ssh-keygen", "-Y", "verify", "-f", str(tmp_path / "signers"), "-I", signer.name, "-n", "press-release"]
    command += ["-s", f"{message}.sig", "-O", f"verify-time={noon:%Y%m%d%H%M%S}Z"]
    done = subprocess.run(command, input=message.read_bytes(), capture_output=True, timeout=60)
    assert (done.returncode == 0) == signer.is_valid(DAY), done.stderr


def test_faults_of_the_signers_are_reported_with_those_of_the_newsroom(tmp_path: Path) -> None:
    (tmp_path / "signers").write_text("who?\n", "utf-8")
    least = '[organisation]\nname = "N"\nlanguage = "en"\ntime_zone = "Europe/London"\n'
    found = newsroom_faults(tmp_path, least + "paper = 'B5'\n")
    assert len(found) == 2
    assert any("not a line of an allowed_signers file" in each for each in found)


def test_a_newsroom_signs_when_somebody_is_named(keys: dict[str, str], tmp_path: Path) -> None:
    toml = '[organisation]\nname = "N"\nlanguage = "en"\ntime_zone = "Europe/London"\n'
    (tmp_path / "newsroom.toml").write_text(toml, "utf-8")
    assert not read_newsroom(tmp_path).signs
    read(tmp_path, f"p@example.org {keys['key']}\n")
    assert read_newsroom(tmp_path).signs
    (tmp_path / "newsroom.toml").write_text(toml + 'signatures = "required"\napprovals = 1\n', "utf-8")
    found = read_newsroom(tmp_path)
    assert (found.signs, found.signatures_required, found.approvals) == (True, True, 1)


def test_two_approvals_need_two_people(keys: dict[str, str], tmp_path: Path) -> None:
    toml = '[organisation]\nname = "N"\nlanguage = "en"\ntime_zone = "Europe/London"\napprovals = 2\n'
    (tmp_path / "newsroom.toml").write_text(toml, "utf-8")
    read(tmp_path, f"p@example.org {keys['key']}\n")
    with pytest.raises(ReleaseError, match="only 1 person is named in"):
        read_newsroom(tmp_path)
