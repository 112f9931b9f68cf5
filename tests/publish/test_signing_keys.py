"""Which keys sign is said by manifest and contacts, and a change of keys reaches both although no release changed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import signing_keys
from tests.support.instants import published
from tests.support.newsroom import Office
from tests.support.public_http import get


def named(base: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(get(f"{base}manifest.json")[2]).get("signers", [])
    return found


def contacts(base: str) -> list[str]:
    return [get(f"{base}media-contact.{suffix}")[2].decode() for suffix in ("html", "txt")]


def test_a_change_of_keys_reaches_manifest_and_contacts_and_no_rendition(office: Office, tmp_path: Path) -> None:
    signers = office.content / "signers"
    old, new = tmp_path / "old", tmp_path / "new"
    signers.write_text(signing_keys.line(signing_keys.new_key(old)), "utf-8")
    base = published(office)
    fingerprints = [signing_keys.fingerprint(old), ""]
    assert named(base) == [{"name": signing_keys.DESK, "fingerprint": fingerprints[0]}]
    assert all(fingerprints[0] in each for each in contacts(base))
    pdf, text = (get(f"{base}releases/before.{suffix}")[2] for suffix in ("pdf", "txt"))
    assert b"verify.html" in text

    ending = signing_keys.line(
        signers.read_text("utf-8").split(" ", 2)[2].strip(),
        options='namespaces="press-release",valid-before="20301231"',
    )
    signers.write_text(ending + signing_keys.line(signing_keys.new_key(new)), "utf-8")
    fingerprints[1] = signing_keys.fingerprint(new)
    assert published(office) == base
    assert named(base) == [
        {"name": signing_keys.DESK, "fingerprint": fingerprints[0], "valid_before": "2030-12-31T00:00:00Z"},
        {"name": signing_keys.DESK, "fingerprint": fingerprints[1]},
    ]
    for each in contacts(base):
        assert all(fingerprint in each for fingerprint in fingerprints)
        assert "2030-12-31" in each
    assert [get(f"{base}releases/before.{suffix}")[2] for suffix in ("pdf", "txt")] == [pdf, text]

    done = office.make("publish")
    assert "nothing to do" in done.out, done.text
    signers.unlink()
    assert published(office) == base
    assert named(base) == []
    assert not any("SHA256:" in each for each in contacts(base))
    assert b"verify.html" not in get(f"{base}releases/before.txt")[2]


def test_another_machine_with_the_same_keys_has_nothing_to_do(office: Office, tmp_path: Path) -> None:
    (office.content / "signers").write_text(signing_keys.line(signing_keys.new_key(tmp_path / "key")), "utf-8")
    base = published(office)
    manifest = get(f"{base}manifest.json")[2]
    office.make("clean")
    done = office.make("publish")
    assert done.status == 0, done.text
    assert get(f"{base}manifest.json")[2] == manifest
