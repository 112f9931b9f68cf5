"""A new template over a whole newsroom: it goes up in batches, and a run that is stopped is gone on with, not repeated.

Against the real embedded store; the releases are made up, for what counts here is what goes up and in which order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec
import pytest

from pipeline.model.errors import ConflictError
from pipeline.model.manifest import Lease, Manifest, digest
from pipeline.publish import apply as publish
from pipeline.publish.apply import BATCH
from pipeline.publish.commits import commit, read_manifest
from pipeline.publish.plan import Upload
from pipeline.storage import Bucket, Head, ObjectStore, Put, Stored, embedded, open_store
from pipeline.storage.destination import destination
from pipeline.writers.ninjs import digests
from tests.support.batches import MANY, NOW, newsroom, nth, release, run
from tests.support.memory_store import Killed
from tests.support.stores import kill_store


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObjectStore]:
    root = tmp_path_factory.mktemp("batches")
    try:
        embedded.start(root)
        yield open_store(destination({}, root), {})
    finally:
        kill_store(root)


class Counting:
    """The real store, with every write and question noted; ``fatal`` kills the run before a write."""

    def __init__(self, real: ObjectStore) -> None:
        self.real = real
        self.check, self.delete, self.list = real.check, real.delete, real.list
        self.copy, self.copy_all, self.presign, self.stream = real.copy, real.copy_all, real.presign, real.stream
        self.puts: list[str] = []
        self.heads: list[str] = []
        self.together: list[set[str]] = []
        self.fatal: Callable[[Put], bool] = lambda put: False

    def get(self, key: str, bucket: Bucket = "public") -> Stored | None:
        return self.real.get(key, bucket)

    def head(self, key: str, bucket: Bucket = "public") -> Head | None:
        self.heads.append(key)
        return self.real.head(key, bucket)

    def put(self, put: Put, bucket: Bucket = "public") -> str:
        if self.fatal(put):
            raise Killed
        self.puts.append(put.key)
        return self.real.put(put, bucket)

    def put_all(
        self,
        puts: Iterable[Put],
        done: Callable[[str], None] = lambda key: None,
        bucket: Bucket = "public",
        sent: Callable[[str, int], None] = lambda key, size: None,
    ) -> frozenset[str]:
        going = list(puts)
        fatal = next((number for number, put in enumerate(going) if self.fatal(put)), None)
        self.puts += [put.key for put in going[:fatal]]
        self.together.append({put.key for put in going[:fatal]})
        confirmed = self.real.put_all(going[:fatal], done, bucket, sent)
        if fatal is not None:
            raise Killed
        return confirmed

    def files(self) -> list[str]:
        return [key for key in self.puts if key.startswith("releases/")]

    def commits(self) -> int:
        return self.puts.count("manifest.json")


@pytest.fixture
def store(real: ObjectStore) -> Counting:
    for key in list(real.list()):
        real.delete(key)
    return Counting(real)


def whole(store: Counting) -> dict[str, int]:
    """Hold that what is listed is there with a stated digest; return how many releases wear which template."""
    manifest, worn = read_manifest(store).manifest, dict[str, int]()
    for key in manifest.assets:
        assert store.real.head(key), key
    for listed in manifest.rows:
        key = f"releases/{listed.slug}.json"
        record = store.real.get(key)
        assert record
        assert record.sha256 in (listed.record, listed.replacing.get(key)), key
        for name, stated in digests(record.body).items():
            there = store.real.head(name)
            assert there, name
            assert there.sha256 in (stated, listed.replacing.get(name)), name
        worn[listed.fingerprint] = worn.get(listed.fingerprint, 0) + 1
    return worn


def test_interrupted_template_change_is_gone_on_with_from_a_fresh_clone(store: Counting) -> None:
    run(store, newsroom("old"))
    assert whole(store) == {"old": MANY}
    uploads = 0
    for stopped in (3 * 80, 3 * 60 + 1, 3 * 20 + 2):
        store.puts.clear()
        store.fatal = nth(stopped)
        with pytest.raises(Killed):
            run(store, newsroom("new"))
        uploads += len(store.files())
        worn = whole(store)
        assert sum(worn.values()) == MANY, "readers see the old look or the new one"
    assert uploads == 3 * (80 + 60 + 20) + 3
    assert worn["new"] >= 160 - BATCH, "what was committed stays"
    store.fatal = lambda put: False
    store.puts.clear()
    run(store, newsroom("new"))
    assert whole(store) == {"new": MANY}
    assert uploads + len(store.files()) <= 3 * (MANY + 3), "no run has done again what was done"
    store.puts.clear()
    run(store, newsroom("new"))
    assert store.puts == []


def test_new_look_goes_up_in_order_and_a_batch_at_a_time(store: Counting) -> None:
    run(store, newsroom("old"))
    store.puts.clear()
    run(store, newsroom("new"))
    records = [key for key in store.puts if key.endswith(".json") and key.startswith("releases/")]
    places = [int(key[len("releases/r") : -len(".json")]) for key in records]
    blocks = [sorted(places[start : start + BATCH]) for start in range(0, MANY, BATCH)]
    assert [number for block in blocks for number in block] == list(range(MANY)), "the newest first"
    assert store.commits() == len(blocks) + 1, "what is finished is listed, and what comes is claimed, in one"
    assert read_manifest(store).manifest.leases == {}


def test_files_that_are_there_are_asked_for_and_not_put_again(store: Counting) -> None:
    """All of a batch was up but one record when the run was killed."""
    run(store, newsroom("old", range(9)))
    store.fatal = nth(8, ".json")
    with pytest.raises(Killed):
        run(store, newsroom("new", range(9)))

    def look_on(put: Put) -> bool:
        whole(store)
        return False

    store.fatal = look_on
    store.puts.clear()
    store.heads.clear()
    run(store, newsroom("new", range(9)))
    assert len(store.files()) == 1
    assert len(store.heads) == 2 * 9, "a record proves itself"
    assert whole(store) == {"new": 9}


def test_first_publication_that_was_killed_is_gone_on_with_too(store: Counting) -> None:
    store.fatal = nth(70)
    with pytest.raises(Killed):
        run(store, newsroom("old", range(60)))
    assert read_manifest(store).manifest.rows == ()
    store.fatal = lambda put: False
    run(store, newsroom("old", range(60)))
    assert len(store.files()) == 3 * 60, "of both runs together"
    assert whole(store) == {"old": 60}


def test_page_goes_up_after_the_new_one_that_it_leads_to_and_a_record_after_all_that_it_states(store: Counting) -> None:
    run(store, newsroom("old", range(1, 3)))
    store.puts.clear()
    run(store, [release(9, "old"), *newsroom("new", range(1, 3))])
    order = {key: turn for turn, keys in enumerate(store.together) for key in keys}
    assert order["releases/r0009.html"] < order["releases/r0001.html"]
    for name in ("r0001", "r0002", "r0009"):
        assert order[f"releases/{name}.pdf"] < order[f"releases/{name}.html"] < order[f"releases/{name}.json"]


def test_what_is_up_is_listed_when_the_next_batch_turns_out_to_be_somebody_elses(store: Counting) -> None:
    run(store, newsroom("old"))
    theirs = Lease("theirs", "0" * 64, NOW + timedelta(hours=1))
    last = digest(b"r0150")

    def rival(put: Put) -> bool:
        if put.key == "releases/r0010.pdf":
            commit(
                store.real,
                read_manifest(store),
                lambda now: msgspec.structs.replace(now, leases={**now.leases, last: theirs}),
            )
        return False

    store.fatal = rival
    with pytest.raises(ConflictError, match="r0150: somebody else is uploading"):
        run(store, newsroom("new"))
    worn = whole(store)
    assert worn == {"new": 150, "old": MANY - 150}
    found = read_manifest(store).manifest
    assert found.leases == {last: theirs}
    assert not [listed for listed in found.rows if listed.replacing]


def test_what_is_claimed_last_is_claimed_as_long(store: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 100_000, 600))
    monkeypatch.setattr("pipeline.publish.apply.time.monotonic", lambda: float(next(clock)))
    run(store, newsroom("old", range(2)))
    until: list[datetime] = []

    def notice(put: Put) -> bool:
        if put.key == "manifest.json" and isinstance(put.body, bytes):
            until.extend(lease.until for lease in msgspec.json.decode(put.body, type=Manifest).leases.values())
        return False

    store.fatal = notice
    run(store, newsroom("new", range(2)))
    assert min(until) >= NOW + timedelta(minutes=25)


def test_batches_of_an_empty_run_and_of_one_that_changes_no_file() -> None:
    assert publish.batches({}, (), Manifest()) == [()]
    ready = newsroom("new", range(3 * BATCH))
    public = Manifest(1, tuple(each.row for each in newsroom("old", range(3 * BATCH))))
    assert [len(batch) for batch in publish.batches({}, ready, public)] == [3 * BATCH]
    going = {file.key: Upload(file, "changed") for each in ready for file in each.files}
    assert [len(batch) for batch in publish.batches(going, ready, public)] == [BATCH, BATCH, BATCH]
    assert [len(batch) for batch in publish.batches(going, ready, Manifest())] == [3 * BATCH]
