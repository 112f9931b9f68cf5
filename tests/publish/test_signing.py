"""Signed statements from the first key to a rotation: make, the real store and the real ssh-keygen."""

from __future__ import annotations

import base64
import re
import shutil
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.model.manifest import digest
from pipeline.model.statement import SIGNERS, earlier_key, statement_key
from pipeline.publish.commits import read_manifest
from tests.support.instants import in_time, published
from tests.support.newsroom import NEWSROOM, BackgroundPublish, Office, Result, clone, env_of, store_of
from tests.support.polling import EVERY, Poller
from tests.support.public_http import get
from tests.support.signing import (
    Stated,
    agent,
    keyless,
    name,
    newest,
    verified_by_ssh_keygen,
    with_key,
    write_key,
)

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is not installed")

CORRECTED = '\ncorrections:\n  - {date: 2026-03-01T09:00Z, note: "The number was wrong."}'
DAY = "2026-01-05T09:00+00:00"
SLUGS = ("before", "tapes")


@dataclass
class Begun:
    """A newsroom that was public before it had a key, and what each command said on the way."""

    office: Office
    key: Path
    made: Result
    again: Result
    signed: Result
    settled: Result
    base: str


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Begun:
    """Published, then a key, then signed, then published once more."""
    folder = tmp_path_factory.mktemp("first")
    office, key = Office(folder / "office"), folder / "keys" / "key"
    office.write("before", title="The one before")
    office.write("tapes", title="The tapes", date="2026-02-05T09:00+00:00", body="There are 40 tapes.")
    base = published(office)
    with_it = with_key(key)
    made, again = office.make("key", **with_it), office.make("key", **with_it)
    signed, settled = office.make("sign", **with_it), office.make("publish", **with_it)
    office.end()
    return Begun(office, key, made, again, signed, settled, base)


@pytest.fixture(scope="module")
def first(begun: Begun) -> Office:
    """The signed newsroom; each test has a copy."""
    return begun.office


@pytest.fixture
def base(office: Office, begun: Begun) -> str:
    """The address of the copy, whose store runs."""
    return office.serve()


@pytest.fixture
def key(begun: Begun, tmp_path: Path) -> Path:
    """The newsroom's key."""
    copied = tmp_path / "keys" / "key"
    shutil.copytree(begun.key.parent, copied.parent)
    return copied


@pytest.fixture
def without(tmp_path: Path) -> dict[str, str]:
    """A machine that has no key."""
    return keyless(tmp_path)


def correct(office: Office, title: str = "The tapes") -> None:
    office.write("tapes", title=title, date="2026-02-05T09:00+00:00" + CORRECTED, body="There are 41 tapes.")


def new_look(office: Office) -> None:
    style = office.folder / "templates" / "words" / "en.toml"
    style.write_text(style.read_text("utf-8").replace('"Press release"', '"Press notice"'), "utf-8")


def released(office: Office, base: str) -> dict[str, bytes]:
    """Return the files that a statement names, and the statements, as they are public."""
    keys = {key for slug in SLUGS for key in dict(newest(base, slug).statement.files)}
    keys |= {file for row in read_manifest(store_of(office)).manifest.rows for file in row.statement_files()}
    return {key: get(base + key)[2] for key in keys}


# ── make key ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_key_is_for_its_owner_alone_and_named_among_the_signers(begun: Begun) -> None:
    assert begun.made.status == 0, begun.made.text
    assert stat.S_IMODE(begun.key.stat().st_mode) == 0o600
    public = begun.key.with_name("key.pub").read_text("utf-8").split()[1]
    assert re.fullmatch(
        rf'desk@example\.org namespaces="press-release" ssh-ed25519 {re.escape(public)} \d{{4}}-\d\d-\d\d\n',
        (begun.office.content / SIGNERS).read_text("utf-8"),
    )
    wire = base64.b64decode(public)
    assert f"fingerprint: SHA256:{base64.b64encode(bytes.fromhex(digest(wire))).decode().rstrip('=')}" in begun.made.out


def test_key_that_exists_is_named_and_never_written_again(begun: Begun) -> None:
    assert begun.again.status == 0, begun.again.text
    assert "exists; it stays as it is" in begun.again.out
    assert "has it already" in begun.again.out
    assert (begun.office.content / SIGNERS).read_text("utf-8").count("\n") == 1


def test_key_of_another_program_is_named(office: Office, tmp_path: Path) -> None:
    public = write_key(tmp_path / "own" / "key")
    before = (tmp_path / "own" / "key").read_bytes()
    said = office.make("key", **with_key(tmp_path / "own" / "key"))
    assert said.status == 0, said.text
    assert (tmp_path / "own" / "key").read_bytes() == before
    lines = (office.content / SIGNERS).read_text("utf-8").splitlines()
    assert (len(lines), public.split()[1] in lines[1]) == (2, True), "old lines stay"


def test_key_inside_the_repository_is_refused(office: Office) -> None:
    said = office.make("key", **with_key(office.folder / "secrets" / "key"))
    assert said.status == 2
    assert "is inside the repository" in said.err
    assert not (office.folder / "secrets").exists()


def test_key_without_an_address_to_name_it_is_refused(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", newsroom=NEWSROOM.replace('email = "desk@example.org"\n', ""))
    said = office.make("key", **with_key(tmp_path / "key"))
    assert said.status == 2
    assert "no contact has an e-mail address" in said.err
    assert not (tmp_path / "key").exists()
    assert not (office.content / SIGNERS).exists()


# ── What is signed ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_public_before_is_signed_by_make_sign(begun: Begun, office: Office, base: str) -> None:
    assert begun.signed.status == 0, begun.signed.text
    assert "nothing to do: 2 releases published, all up to date" in begun.settled.out, begun.settled.text
    for slug in SLUGS:
        stated = newest(base, slug)
        assert stated.statement.slug == slug
        assert stated.statement.status == "usable"
        assert {key: digest(get(base + key)[2]) for key, _ in stated.statement.files} == dict(stated.statement.files)
        assert stated.is_signed(office)


def test_ssh_keygen_refuses_what_is_not_signed_so(office: Office, base: str) -> None:
    stated = newest(base, "tapes")
    signers = (office.content / SIGNERS).read_bytes()

    def is_right(data: bytes = stated.data, **more: str) -> bool:
        return verified_by_ssh_keygen(signers, data, stated.signature, **more)

    assert is_right()
    assert not is_right(stated.data.replace(b"revision: 1", b"revision: 2"))
    assert not is_right(stated.data + b"\n")
    assert not is_right(namespace="file")
    assert not is_right(identity="press@example.com")
    assert not verified_by_ssh_keygen(signers, newest(base, "before").data, stated.signature)


def test_new_release_is_signed_as_it_is_published(office: Office, base: str, key: Path) -> None:
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    said = office.make("publish", **with_key(key))
    assert said.status == 0, said.text
    assert "unsigned" not in said.text
    assert newest(base, "third").is_signed(office)
    assert "nothing to do" in office.make("publish", **with_key(key)).out


def test_correction_keeps_the_statement_before_in_public(office: Office, base: str, key: Path) -> None:
    before = newest(base, "tapes")
    correct(office)
    said = office.make("publish", **with_key(key))
    assert said.status == 0, said.text
    after, kept = newest(base, "tapes"), Stated(base, earlier_key("tapes", 2026, digest(before.data)))
    assert (kept.data, kept.signature) == (before.data, before.signature)
    assert kept.is_signed(office)
    assert after.is_signed(office)
    assert (after.statement.revision, kept.statement.revision) == (2, 1)
    assert after.statement.words != kept.statement.words
    assert "nothing to do" in office.make("publish", **with_key(key)).out


def test_clone_without_key_has_nothing_to_do_and_may_change_pages_beside(
    office: Office, base: str, tmp_path: Path, without: dict[str, str]
) -> None:
    other = clone(office, tmp_path / "other")
    own = env_of(office) | without
    assert "nothing to do" in other.make("publish", **own).out
    signed = released(office, base)
    page = get(f"{base}releases/tapes.html")[2]
    other.write("third", title="The third", date="2026-03-05T09:00+00:00")
    said = other.make("publish", **own)
    assert said.status == 0, said.text
    assert "1 release published unsigned" in said.err
    assert get(f"{base}releases/tapes.html")[2] != page, "it leads to the new release"
    assert released(office, base) == signed
    assert "nothing to do" in other.make("publish", **own).out


# ── Without the key ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_new_look_replaces_nothing_signed_until_make_sign(
    office: Office, base: str, key: Path, without: dict[str, str]
) -> None:
    before = released(office, base)
    new_look(office)
    for _ in range(2):
        said = office.make("publish", **without)
        assert said.status == 0, said.text
        assert "2 releases not published, waiting for a signature, with the same words in a new layout" in said.err
        assert "hint: make sign" in said.err
        assert released(office, base) == before
    said = office.make("sign", **with_key(key))
    assert said.status == 0, said.text
    for slug in SLUGS:
        assert newest(base, slug).data != before[statement_key(slug)]
        assert newest(base, slug).is_signed(office)
        kept = Stated(base, earlier_key(slug, 2026, digest(before[statement_key(slug)])))
        assert kept.data == before[statement_key(slug)]
        assert kept.statement.words == newest(base, slug).statement.words
    assert "nothing to do" in office.make("publish", **without).out


def test_correction_without_key_is_not_published_and_named(
    office: Office, base: str, key: Path, without: dict[str, str]
) -> None:
    before = released(office, base)
    correct(office, "Other tapes")
    for _ in range(2):
        said = office.make("publish", **without)
        assert "dateline: exit 2 (release)" in said.err, said.text
        assert "1 release not published, waiting for a signature: tapes" in said.err
        assert released(office, base) == before
        assert b"Other tapes" not in get(f"{base}releases/before.html")[2]
    assert office.make("publish", **with_key(key)).status == 0
    assert newest(base, "tapes").statement.title == "Other tapes"
    assert b"Other tapes" in get(f"{base}releases/before.html")[2]


def test_new_release_without_key_is_published_with_a_warning(
    office: Office, base: str, key: Path, without: dict[str, str]
) -> None:
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    said = office.make("publish", **without)
    assert said.status == 0, said.text
    assert "warning: 1 release published unsigned\n  hint: make sign" in said.err
    assert get(f"{base}releases/third.html")[0] == 200
    assert newest(base, "third").status == 404
    assert office.make("sign", **with_key(key)).status == 0
    assert newest(base, "third").is_signed(office)


def test_new_release_without_key_is_held_back_where_signatures_are_required(
    office: Office, base: str, key: Path, without: dict[str, str]
) -> None:
    file = office.content / "newsroom.toml"
    file.write_text(
        file.read_text("utf-8").replace("[organisation]", '[organisation]\nsignatures = "required"'), "utf-8"
    )
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    said = office.make("publish", **without)
    assert "dateline: exit 2 (release)" in said.err, said.text
    assert "1 release not published, waiting for a signature" in said.err
    assert "third" not in said.err, "it is not public yet"
    assert get(f"{base}releases/third.html")[0] == 404
    assert b"third.html" not in get(f"{base}releases/tapes.html")[2]
    assert office.make("publish", **with_key(key)).status == 0
    assert newest(base, "third").is_signed(office)
    assert b"third.html" in get(f"{base}releases/tapes.html")[2], "the page before leads to it"


def test_withdrawal_does_not_wait_for_a_key(office: Office, base: str, key: Path, without: dict[str, str]) -> None:
    before = newest(base, "tapes")
    office.write(
        "tapes", title="The tapes", date="2026-02-05T09:00+00:00",
        withdrawn="{date: 2026-03-01T09:00Z, reason: It was wrong.}",
    )  # fmt: skip
    said = office.make("publish", **without)
    assert said.status == 0, said.text
    assert get(f"{base}releases/tapes.pdf")[0] == 404
    assert newest(base, "tapes").status == 404, "it said that the release holds"
    kept = earlier_key("tapes", 2026, digest(before.data))
    assert Stated(base, kept).is_signed(office)
    said = office.make("sign", **with_key(key))
    assert said.status == 0, said.text
    stated = newest(base, "tapes")
    assert (stated.statement.status, stated.statement.files, stated.statement.words) == ("canceled", (), "")
    assert stated.is_signed(office)
    assert Stated(base, kept).is_signed(office)
    assert "nothing to do" in office.make("publish", **with_key(key)).out


# ── Keys that do not fit ────────────────────────────────────────────────────────────────────────────────────────────


def _unnamed(office: Office, key: Path) -> None:
    (office.content / SIGNERS).write_text(f"someone@example.org {write_key(key.with_name('another'))}\n", "utf-8")


def _exposed(office: Office, key: Path) -> None:
    key.chmod(0o644)


def _expired(office: Office, key: Path) -> None:
    public = " ".join(key.with_name("key.pub").read_text("utf-8").split()[:2])
    (office.content / SIGNERS).write_text(f'desk@example.org valid-before="20200101" {public}\n', "utf-8")


def _of_another_purpose(office: Office, key: Path) -> None:
    public = " ".join(key.with_name("key.pub").read_text("utf-8").split()[:2])
    (office.content / SIGNERS).write_text(f'desk@example.org namespaces="git" {public}\n', "utf-8")


def _gone(office: Office, key: Path) -> None:
    key.unlink()


def _locked(office: Office, key: Path) -> None:
    key.unlink()
    key.with_name("key.pub").unlink()
    name(office, write_key(key, passphrase="long enough a phrase"))


@pytest.mark.parametrize(
    ("spoil", "message", "hint"),
    [
        (_unnamed, "is not in content/signers", "make key adds its line"),
        (_exposed, "can be read by others (mode 644)", "chmod 600"),
        (_expired, "not valid today", "content/signers"),
        (_of_another_purpose, "not valid today", "content/signers"),
        (_gone, "there is no file", "make key writes one there"),
        (_locked, "ssh-keygen could not sign", "ssh-agent (ssh-add)"),
    ],
)
def test_key_that_cannot_sign_ends_in_words_and_publishes_nothing(
    office: Office, base: str, key: Path, spoil: object, message: str, hint: str
) -> None:
    before = get(f"{base}manifest.json")[2]
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    assert callable(spoil)
    spoil(office, key)
    said = office.make("publish", **with_key(key))
    assert "dateline: exit 2 (release)" in said.err, said.text
    assert message in said.err
    assert hint in said.err
    assert "Traceback" not in said.text
    assert get(f"{base}manifest.json")[2] == before
    assert "long enough" not in said.text


def test_key_inside_the_repository_signs_nothing(office: Office, base: str, key: Path) -> None:
    shutil.copytree(key.parent, office.folder / "secrets")
    said = office.make("sign", **with_key(office.folder / "secrets" / "key"))
    assert "dateline: exit 2 (release)" in said.err, said.text
    assert "inside the repository" in said.err


# ── Several keys ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_a_rotation_both_the_old_and_the_new_are_right(
    office: Office, base: str, key: Path, tmp_path: Path
) -> None:
    signers, today = office.content / SIGNERS, datetime.now(UTC)
    old = signers.read_text("utf-8").replace(
        "desk@example.org ", f'desk@example.org valid-before="{today + timedelta(days=1):%Y%m%d}",', 1
    )
    signers.write_text(old, "utf-8")
    new = tmp_path / "new" / "key"
    name(office, write_key(new), options=f'namespaces="press-release",valid-after="{today:%Y%m%d}"')
    before = newest(base, "before")
    correct(office)
    said = office.make("publish", **with_key(new))
    assert said.status == 0, said.text
    assert newest(base, "before").data == before.data, "a release that says the same is not signed again"
    lines = signers.read_text("utf-8").splitlines(keepends=True)
    corrected = newest(base, "tapes")
    for stated, line, other in ((before, lines[0], lines[1]), (corrected, lines[1], lines[0])):
        assert verified_by_ssh_keygen(line.encode(), stated.data, stated.signature)
        assert not verified_by_ssh_keygen(other.encode(), stated.data, stated.signature)
    day = f"{before.statement.signed:%Y%m%d}"
    later = f"{today + timedelta(days=30):%Y%m%d}"
    assert before.is_signed(office, day=day)
    assert not before.is_signed(office, day=later)
    assert corrected.is_signed(office, day=later)


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="ssh-agent is not installed")
@pytest.mark.parametrize("named", [True, False], ids=["public half named", "found in the agent"])
def test_agent_signs(office: Office, base: str, key: Path, tmp_path: Path, named: bool) -> None:
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    other = tmp_path / "other" / "key"
    write_key(other)
    with agent(other, key) as socket:
        key.unlink()
        own = with_key(key.with_name("key.pub")) if named else keyless(tmp_path)
        said = office.make("publish", **own | {"SSH_AUTH_SOCK": socket})
    assert said.status == 0, said.text
    assert newest(base, "third").is_signed(office)
    office.write("fourth", title="The fourth", date="2026-03-06T09:00+00:00")
    said = office.make("publish", **own | {"SSH_AUTH_SOCK": socket})
    assert newest(base, "fourth").status == 404, "the agent has ended"
    assert ("dateline: exit 2 (release)" in said.err) == named, said.text


def test_two_publishers_with_keys_of_their_own_agree(office: Office, base: str, key: Path, tmp_path: Path) -> None:
    second = tmp_path / "second" / "key"
    name(office, write_key(second), principal="second@example.org")
    office.write("third", title="The third", date="2026-03-05T09:00+00:00")
    other = clone(office, tmp_path / "other")
    own = env_of(office)
    try:
        runs = BackgroundPublish(office, **own, **with_key(key)), BackgroundPublish(other, **own, **with_key(second))
        said = [run.end() for run in runs]
    finally:
        for run in other.jobs:
            run.kill()
    for each in said:
        assert each.status == 0 or "dateline: exit 4 (conflict)" in each.text, each.text
    assert 0 in [each.status for each in said]
    stated = newest(base, "third")
    assert stated.is_signed(office) or stated.is_signed(office, identity="second@example.org")
    for publisher, file in ((office, key), (other, second)):
        # Who was told of a conflict has not recorded yet what the other has published.
        settled = publisher.make("publish", **own, **with_key(file))
        assert settled.status == 0, settled.text
        assert re.search("nothing to do|^0 files uploaded", settled.out, re.MULTILINE), settled.text
        assert "nothing to do" in publisher.make("publish", **own, **with_key(file)).out
        after = newest(base, "third")
        assert (after.data, after.signature) == (stated.data, stated.signature), "one signs over the other"


# ── make verify ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_make_verify_says_how_many_are_signed(office: Office, base: str, without: dict[str, str]) -> None:
    said = office.make("verify", **without)
    assert said.status == 0, said.text
    assert "2 of 2 releases signed: every signature is right" in said.out


def test_make_verify_names_the_signature_that_is_not_right(
    office: Office, base: str, tmp_path: Path, without: dict[str, str]
) -> None:
    (office.content / SIGNERS).write_text(f"desk@example.org {write_key(tmp_path / 'new' / 'key')}\n", "utf-8")
    said = office.make("verify", **without)
    assert "dateline: exit 3 (storage)" in said.err, said.text
    assert "signers is not content/signers" in said.err
    for slug in SLUGS:
        assert f"releases/{slug}.statement has a signature that is by a key that signers does not have" in said.err


def test_stolen_key_is_replaced_and_what_it_signed_counts_no_more(
    office: Office, base: str, tmp_path: Path, without: dict[str, str]
) -> None:
    new = tmp_path / "new" / "key"
    (office.content / SIGNERS).write_text(f"desk@example.org {write_key(new)}\n", "utf-8")
    said = office.make("sign", **with_key(new))
    assert said.status == 0, said.text
    assert all(newest(base, slug).is_signed(office) for slug in SLUGS)
    said = office.make("verify", **without)
    assert said.status == 0, said.text
    assert "2 of 2 releases signed" in said.out
    said = office.make("verify", "FILE=output/public/releases/tapes.pdf", **without)
    assert said.out.startswith("genuine and current: The tapes\n"), said.text


def test_file_is_checked_at_the_terminal_now_and_after_a_correction(
    office: Office, base: str, key: Path, tmp_path: Path, without: dict[str, str]
) -> None:
    name = "our copy, of $HOME & more.pdf"
    (tmp_path / name).write_bytes((office.public / "releases" / "tapes.pdf").read_bytes())
    for typed in (str(tmp_path / name), f"~/{name}"):
        said = office.make("verify", f"FILE={typed}", **without)
        assert said.status == 0, said.text
        assert said.out.startswith("genuine and current: The tapes\n")
        assert f"{base}releases/tapes.html" in said.out
    correct(office)
    assert office.make("publish", **with_key(key)).status == 0
    said = office.make("verify", f"FILE=~/{name}", f"AT={base}verify.html", **without)
    assert "dateline: exit 2 (release)" in said.err, said.text
    assert said.out.startswith("genuine, corrected since: The tapes\n")
    assert "The number was wrong." in said.out
    (tmp_path / "pasted.txt").write_text("The tapes\n\nThere are 400 tapes.\n\nENDS\n", "utf-8")
    said = office.make("verify", "FILE=~/pasted.txt", **without)
    assert said.out.startswith("not the words of The tapes\n"), said.text
    assert "[-41-] {+400+}" in said.out
    (office.content / SIGNERS).write_text("# nobody\n" + (office.content / SIGNERS).read_text("utf-8"), "utf-8")
    said = office.make("verify", f"FILE=~/{name}", **without)
    assert said.out.startswith("cannot be confirmed: "), said.text
    assert "the public signers are not those of content/signers" in said.out
    assert "+442079460001" in said.out


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (["FILE=~/nothing.pdf"], "there is no file"),
        (["FILE=."], ". is a folder"),
        (["FILE=/dev/zero"], "/dev/zero is not a file"),
        (["FILE=~/empty.pdf"], "is empty"),
        (["AT=https://press.example.org"], "which file is to be checked?"),
        (["FILE=Makefile", "AT=https://desk:secret@press.example.org"], "AT: contains a user name or password"),
        (["FILE=Makefile", "AT=http://127.0.0.1:9/"], "cannot read http://127.0.0.1:9/signers"),
    ],
)
def test_file_or_address_that_was_mistyped_is_named(
    office: Office, tmp_path: Path, without: dict[str, str], typed: list[str], message: str
) -> None:
    (tmp_path / "empty.pdf").touch()
    said = office.make("verify", *typed, **without)
    assert f"dateline: exit {3 if '127.0.0.1' in message else 2}" in said.err, said.text
    assert message in said.err
    assert "hint: " in said.err
    assert "secret" not in said.text


# ── Embargoes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_a_signed_release_is_public_before_its_instant(office: Office, base: str, key: Path) -> None:
    instant = in_time(3)
    office.write("guarded", title="Closely guarded", date=instant.isoformat(), embargo="true")
    job = BackgroundPublish(office, "WAIT=15m", **with_key(key))
    early = []
    with Poller(base, ["guarded"], instant) as poller:
        while (now := datetime.now(UTC)) < instant:
            answers = {suffix: get(f"{base}releases/guarded{suffix}") for suffix in (".statement", ".statement.sig")}
            told = b"guarded" in get(f"{base}manifest.json")[2]
            if datetime.now(UTC) < instant:
                early += [(now, suffix) for suffix, answer in answers.items() if answer[0] != 404] + [now] * told
            time.sleep(EVERY)
        result = job.end()
        poller.wait(5)
    assert result.status == 0, result.text
    assert early == []
    assert poller.all_told, poller.table()
    assert min(record.first_success for record in poller.records.values()) >= 0, poller.table()
    said = re.split(r"^release ", result.text, flags=re.MULTILINE)[0]
    assert "guarded" not in said.lower()
    stated = newest(base, "guarded")
    assert stated.is_signed(office)
    assert {key: digest(get(base + key)[2]) for key, _ in stated.statement.files} == dict(stated.statement.files)
    assert stated.statement.instant == instant
    assert "nothing to do" in office.make("publish", **with_key(key)).out


# ── Nothing tells the key ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def recorder(tmp_path: Path) -> Path:
    """A folder for the PATH with an ssh-keygen and an ssh-add that write down how they are called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("ssh-keygen", "ssh-add"):
        real = shutil.which(program)
        (folder / program).write_text(f'#!/bin/sh\necho "{program} $*" >> {folder}/called\nexec {real} "$@"\n', "utf-8")
        (folder / program).chmod(0o755)
    return folder


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="ssh-agent is not installed")
def test_no_argument_and_no_output_has_the_key(
    office: Office, base: str, key: Path, recorder: Path, tmp_path: Path
) -> None:
    secret = [line for line in key.read_text("utf-8").splitlines() if "-----" not in line]
    path = {"PATH": f"{recorder}:/usr/local/bin:/usr/bin:/bin"}
    with agent(key) as socket:
        key.unlink()
        office.write("third", title="The third", date="2026-03-05T09:00+00:00")
        said = office.make("publish", **keyless(tmp_path) | path | {"SSH_AUTH_SOCK": socket})
        said.out += office.make("key", **with_key(tmp_path / "new" / "key") | path).text
    called = (recorder / "called").read_text("utf-8")
    assert newest(base, "third").is_signed(office)
    assert re.search(r"^ssh-keygen -Y sign -q -f \S+ -n press-release$", called, re.MULTILINE), called
    assert "ssh-add -L" in called
    logs = said.text + called + (office.content / SIGNERS).read_text("utf-8")
    stored = [path.read_bytes() for path in (office.folder / "output").rglob("*") if path.is_file()]
    for line in secret[1:]:  # the first line is the same in every key
        assert line not in logs
        assert not [data for data in stored if line.encode() in data]
    assert "PRIVATE KEY" not in logs
