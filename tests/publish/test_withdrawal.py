"""What is copied within the storage before it is overwritten, and what is removed once it was withdrawn."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from pipeline.model.errors import StorageError
from pipeline.model.manifest import Manifest
from pipeline.publish.candidates import ArchivedCopy
from pipeline.publish.commits import commit, read_manifest
from pipeline.publish.withdrawal import archive, pending_deletes, take_down
from pipeline.storage import Bucket, ObjectStore, Put
from tests.support.memory_store import Memory
from tests.support.rows import row

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def put(key: str, body: bytes = b"words") -> Put:
    return Put(key=key, body=body, media_type="application/pdf", cache_control="public, max-age=60", download="b c.pdf")


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("bucket", ["public", "private"])
def test_a_copy_within_the_storage_is_as_the_original(store: ObjectStore, bucket: Bucket) -> None:
    store.put(put("kept/b c.pdf"), bucket)
    assert store.copy("kept/b c.pdf", "kept/r1/b c.pdf", sha256(b"words"), source_bucket=bucket)
    one, other, body = store.head("kept/b c.pdf", bucket), store.head("kept/r1/b c.pdf"), store.get("kept/r1/b c.pdf")
    assert one
    assert other
    assert body
    same = ("size", "content_type", "cache_control", "content_disposition", "sha256")
    assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
    assert body.body == b"words"


def test_other_bytes_than_those_that_are_meant_are_not_copied(store: ObjectStore) -> None:
    store.put(put("kept/other.pdf"))
    assert not store.copy("kept/other.pdf", "kept/r1/other.pdf", sha256(b"others"))
    assert not store.copy("kept/nowhere.pdf", "kept/r1/other.pdf", sha256(b"words"))
    assert store.head("kept/r1/other.pdf") is None


def test_what_is_kept_already_is_not_copied_again_when_its_original_is_gone(store: ObjectStore) -> None:
    """A run that was killed copied it and overwrote it."""
    file = ArchivedCopy("kept/again.pdf", "kept/r1/again.pdf", sha256(b"words"))
    store.put(put(file.source))
    archive(store, [file])
    store.put(put(file.source, b"other words"))
    archive(store, [file])
    lost = ArchivedCopy("kept/again.pdf", "kept/r2/again.pdf", sha256(b"words"))
    with pytest.raises(StorageError, match=r"kept/again\.pdf: cannot be archived as kept/r2/again\.pdf"):
        archive(store, [lost])


class Deletable(Memory):
    """A store in memory from which something may be removed."""

    def delete(self, key: str, bucket: Bucket = "public") -> None:
        self.objects.pop(key, None)


def test_a_withdrawal_takes_down_its_own_and_nothing_else() -> None:
    store = Deletable()
    keys = ("a.html", "a.json", "a.pdf", "a/p.png", "a/r1/a.pdf", "a-b.pdf", "a-b/p.png", "b.pdf")
    store.objects |= {f"releases/{key}": b"x" for key in keys}
    rows = (
        row("a", withdrawn=True, pending_deletes=("releases/a.pdf", "releases/a.html", "releases/b.pdf", "index.html")),
        row("b", pending_deletes=("releases/b.pdf",)),
    )
    seen = commit(store, read_manifest(store), lambda now: msgspec.structs.replace(now, rows=rows))
    assert [found.slug for found in pending_deletes(seen.manifest)] == ["a"], (
        "only of what is withdrawn anything is removed"
    )
    after = take_down(store, seen, NOW).manifest
    left = {key.removeprefix("releases/") for key in store.objects if key.startswith("releases/")}
    assert left == {"a.html", "a.json", "a-b.pdf", "a-b/p.png", "b.pdf"}
    assert after.by_slug()["a"].pending_deletes == ()
    assert after.serial == seen.manifest.serial + 1
    puts = len(store.puts)
    assert take_down(store, read_manifest(store), NOW).manifest == after
    assert len(store.puts) == puts


def test_pending_deletes_that_were_added_in_the_meantime_stay() -> None:
    store = Deletable()
    one = row("a", withdrawn=True, pending_deletes=("releases/a.pdf",))
    seen = commit(store, read_manifest(store), lambda now: Manifest(now.serial, (one,)))
    more = msgspec.structs.replace(one, pending_deletes=("releases/a.pdf", "releases/a.txt"))
    commit(store, read_manifest(store), lambda now: msgspec.structs.replace(now, rows=(more,)))
    assert take_down(store, seen, NOW).manifest.by_slug()["a"].pending_deletes == more.pending_deletes


def test_footage_whose_end_was_moved_in_the_meantime_stays() -> None:
    store = Deletable()
    keys = ("releases/a/film.mp4", "releases/b/film.mp4")
    store.objects |= dict.fromkeys(keys, b"film")
    rows = tuple(row(key.split("/")[1], expiring={key: NOW}) for key in keys)
    seen = commit(store, read_manifest(store), lambda now: msgspec.structs.replace(now, rows=rows))
    later = msgspec.structs.replace(rows[0], expiring={keys[0]: NOW + timedelta(days=1)})
    commit(store, seen, lambda now: msgspec.structs.replace(now, rows=(later, rows[1])))
    after = take_down(store, seen, NOW).manifest.by_slug()
    assert set(keys) & store.objects.keys() == {keys[0]}
    assert after["a"] == later
    assert (after["b"].expiring, after["b"].expired) == ({}, keys[1:])
