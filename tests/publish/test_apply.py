"""Publishing against a store in memory: rivals step in and runs are killed between any two requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.model.errors import ConflictError, StorageError
from pipeline.model.manifest import EMPTY, KEY, Lease, Manifest, Row, digest
from pipeline.publish import apply as publish
from pipeline.publish import commits
from pipeline.publish.apply import Publisher, apply, plan_uploads
from pipeline.publish.candidates import Candidate
from pipeline.publish.commits import Snapshot, commit, put_missing, read_manifest
from pipeline.publish.listings import update
from pipeline.publish.manifest import dump, load, year_pages
from pipeline.publish.plan import File, Upload
from pipeline.storage import Bucket, Put, Stored
from pipeline.storage.compare_and_swap import back_off
from pipeline.writers.ninjs import digests
from tests.support.memory_store import BeforePut, Killed, Memory
from tests.support.rows import row

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ASSETS = {"assets/page.11111111.css": b"css", "assets/mark.22222222.png": b"png"}
LISTINGS = ("feed.xml", "index.html")


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    monkeypatch.setattr("pipeline.storage.compare_and_swap.back_off", lambda attempt: None)
    return Memory()


def release(slug: str, words: str = "words", days: int = 0, **changes: object) -> Candidate:
    """Return a release whose record lists its one other file by digest, as real ones do."""
    pdf = f"{slug} as PDF: {words}".encode()
    key = f"releases/{slug}.pdf"
    record = msgspec.json.encode({"altIds": [{"role": f"sha256:{key}", "value": digest(pdf)}], "words": words})
    files = tuple(
        File(name, digest(data), len(data), data) for name, data in ((key, pdf), (f"releases/{slug}.json", record))
    )
    return Candidate(row(slug, days, record=digest(record), fingerprint=words, **changes), files)


def build(manifest: Manifest) -> Mapping[str, bytes]:
    shown = " ".join(f"{listed.slug}={listed.record[:8]}" for listed in manifest.rows)
    return {key: f"{key} {shown}".encode() for key in LISTINGS}


def once(when: Callable[[Put], bool], deed: Callable[[], object]) -> BeforePut:
    """Return what calls ``deed`` before the first put that ``when`` picks."""
    left = [deed]

    def before(put: Put) -> None:
        if left and when(put):
            left.pop()()

    return before


def key_is(key: str) -> Callable[[Put], bool]:
    return lambda put: put.key == key


class Office:
    """One machine: looks, drafts, applies and lists, as ``make publish`` does."""

    def __init__(self, store: Memory, base: Manifest | None = None, name: str = "mine") -> None:
        self.store = store
        self.me = Publisher(name, NOW, NOW + timedelta(minutes=15))
        self.base = store.manifest() if base is None else base
        self.done: list[Upload] = []

    def publish(self, *ready: Candidate) -> Manifest:
        seen = read_manifest(self.store)
        assets = [File(key, digest(data), len(data), data) for key, data in ASSETS.items()]
        todo = plan_uploads(ready, assets, seen.manifest, self.store)
        apply(self.store, todo, ready, ASSETS, self.base, seen, self.me, self.done.append)
        return update(self.store, LISTINGS, build, self.done.append).manifest


def rival(store: Memory, *ready: Candidate, base: Manifest | None = None) -> Callable[[], Manifest]:
    """Return what publishes ``ready`` undisturbed from another machine."""

    def deed() -> Manifest:
        before, store.before = store.before, lambda put: None
        try:
            return Office(store, base, "theirs").publish(*ready)
        finally:
            store.before = before

    return deed


def check(store: Memory) -> Manifest:
    """Hold what must be true at every moment: all that is named is there, as it is named."""
    found = store.get(KEY)
    if found is None:
        assert not set(LISTINGS) & set(store.objects)
        return EMPTY
    manifest = load(found.body, lambda key: store.objects[key])
    for year in manifest.years.values():
        assert digest(store.objects[year.name]) == year.sha256
    for key in manifest.assets:
        assert key in store.objects
    for listed in manifest.rows:
        record = f"releases/{listed.slug}.json"
        for key, due in {record: listed.record, **digests(store.objects[record])}.items():
            assert key in store.objects, f"{key} is listed and not there"
            assert digest(store.objects[key]) in (due, listed.replacing.get(key)), f"{key} is not as listed"
    for key in LISTINGS:
        for name in store.objects.get(key, b"").decode().split()[1:]:
            assert name.split("=")[0] in manifest.by_slug(), f"{key} shows {name}, which is not in the manifest"
    return manifest


def up_to_date_slugs(store: Memory) -> bytes:
    """Return a digest of everything public, without the serial, the year pages' names, and pages that nobody names."""
    manifest = store.manifest()
    same = {key: body for key, body in store.objects.items() if key != KEY and not key.startswith("manifest/")}
    rows = dump(msgspec.structs.replace(manifest, serial=0, years={}))
    return msgspec.json.encode([sorted((key, digest(body)) for key, body in same.items()), digest(rows)])


def three_years() -> tuple[Candidate, ...]:
    return tuple(release(f"r{year}", days=-365 * year) for year in range(3))


# ── A good day ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_ready_is_public_listed_and_named_in_that_order(memory: Memory) -> None:
    Office(memory).publish(release("one"), release("two", days=1))
    keys = [put.key for put in memory.puts]
    assert [listed.slug for listed in check(memory).rows] == ["two", "one"]
    assert sorted(keys[:2]) == sorted(ASSETS)
    assert keys[2:] == [
        "manifest.json",
        "releases/two.pdf",
        "releases/one.pdf",
        "releases/two.json",
        "releases/one.json",
        "manifest/2026.2.json",
        "manifest.json",
        "feed.xml",
        "index.html",
    ]


def test_what_goes_up_says_what_it_is_and_how_long_it_may_be_kept(memory: Memory) -> None:
    Office(memory).publish(release("one"))
    puts = {put.key: put for put in memory.puts}
    assert puts["releases/one.pdf"].media_type == "application/pdf"
    assert "immutable" in puts["manifest/2026.2.json"].cache_control
    assert "max-age=60" in puts[KEY].cache_control
    assert puts["feed.xml"].media_type == "application/rss+xml; charset=utf-8"


def test_everything_shared_is_written_on_condition(memory: Memory) -> None:
    Office(memory).publish(release("one"))
    Office(memory).publish(release("one", "other words"))
    shared = [put for put in memory.puts if put.key.startswith("manifest") or put.key in LISTINGS]
    assert len(shared) > 6
    assert all(put.conditional for put in shared)


def test_publishing_again_writes_nothing(memory: Memory) -> None:
    ready = three_years()
    Office(memory).publish(*ready)
    before, count = dict(memory.objects), len(memory.puts)
    Office(memory).publish(*ready)
    Office(memory).publish()
    assert len(memory.puts) == count
    assert memory.objects == before


def test_nothing_ready_in_an_empty_newsroom_lists_nothing_but_itself(memory: Memory) -> None:
    assert Office(memory).publish().rows == ()
    assert check(memory).serial == 1


def test_each_upload_is_told_once(memory: Memory) -> None:
    publisher = Office(memory)
    publisher.publish(release("one"))
    told = [upload.file.key for upload in publisher.done]
    assert sorted(told) == sorted([*ASSETS, "releases/one.pdf", "releases/one.json", *LISTINGS])
    assert {upload.reason for upload in publisher.done} == {"new"}


def test_only_the_changed_file_of_a_release_goes_up(memory: Memory) -> None:
    Office(memory).publish(release("one"), release("two"))
    memory.puts.clear()
    Office(memory).publish(release("one", "other words"), release("two"))
    keys = [put.key for put in memory.puts]
    assert not [key for key in keys if "two" in key or key.startswith("assets/")]
    assert "releases/one.pdf" in keys


def test_a_change_in_one_year_leaves_the_pages_of_the_others(memory: Memory) -> None:
    Office(memory).publish(*three_years())
    years = memory.manifest().years
    Office(memory).publish(release("r2", "other words", days=-730))
    changed = {year for year, page in memory.manifest().years.items() if page != years[year]}
    assert changed == {"2024"}
    assert set(years) == {"2024", "2025", "2026"}


def test_files_come_from_disk_too(memory: Memory, tmp_path: Path) -> None:
    found = release("one")
    files = []
    for file in found.files:
        path = tmp_path / Path(file.key).name
        assert isinstance(file.source, bytes)
        path.write_bytes(file.source)
        files.append(File(file.key, file.sha256, file.size, path))
    Office(memory).publish(Candidate(found.row, tuple(files)))
    check(memory)


# ── Before anything public is overwritten ───────────────────────────────────────────────────────────────────────────


def test_what_is_about_to_be_replaced_is_announced_first(memory: Memory) -> None:
    Office(memory).publish(release("one"))
    changed = release("one", "other words")
    announced: list[Row] = []
    memory.before = once(key_is("releases/one.pdf"), lambda: announced.append(check(memory).rows[0]))
    Office(memory).publish(changed)
    assert announced[0].replacing == {file.key: file.sha256 for file in changed.files}
    assert announced[0].record == release("one").row.record
    assert check(memory).rows[0].replacing == {}


def test_a_first_publication_does_not_tell_its_name(memory: Memory) -> None:
    """Its name must not be public before its files are."""
    seen: list[bytes] = []
    memory.before = once(key_is("releases/so-far-unknown.json"), lambda: seen.append(memory.objects[KEY]))
    Office(memory).publish(release("so-far-unknown"))
    assert len(seen) == 1
    assert b"unknown" not in seen[0]
    assert memory.manifest().leases == {}


# ── Rivals ──────────────────────────────────────────────────────────────────────────────────────────────────────────

EVERY_KEY = ["assets/page.11111111.css", "releases/mine.pdf", "releases/mine.json", "manifest/2026.2.json", KEY,
             "feed.xml", "index.html"]  # fmt: skip


@pytest.mark.parametrize("key", EVERY_KEY)
def test_two_publishers_with_different_releases_both_end_up_listed(memory: Memory, key: str) -> None:
    memory.before = once(key_is(key), rival(memory, release("theirs", days=1)))
    Office(memory).publish(release("mine"))
    assert [listed.slug for listed in check(memory).rows] == ["theirs", "mine"]
    for listing in LISTINGS:
        assert memory.objects[listing] == build(memory.manifest())[listing]


@pytest.mark.parametrize("key", EVERY_KEY)
def test_two_publishers_with_the_same_release_are_both_done(memory: Memory, key: str) -> None:
    memory.before = once(key_is(key), rival(memory, release("mine")))
    Office(memory).publish(release("mine"))
    assert [listed.slug for listed in check(memory).rows] == ["mine"]


def test_a_new_publisher_between_any_two_writes_of_the_manifest_is_waited_for(memory: Memory) -> None:
    rivals = [rival(memory, release(f"theirs-{number}", days=number)) for number in range(1, 6)]

    def before(put: Put) -> None:
        if put.key == KEY and rivals:
            rivals.pop()()

    memory.before = before
    Office(memory).publish(release("mine"))
    assert len(check(memory).rows) == 6


def test_a_run_that_never_gets_its_turn_ends_with_a_storage_error(memory: Memory) -> None:
    def before(put: Put) -> None:
        if put.key == KEY:
            current = memory.manifest()
            memory.objects[KEY] = dump(msgspec.structs.replace(current, serial=current.serial + 1))

    memory.before = before
    with pytest.raises(StorageError, match=r"manifest\.json changed 12 times while it was being updated") as caught:
        Office(memory).publish(release("mine"))
    assert caught.value.hint
    assert "feed.xml" not in memory.objects


def test_other_content_of_a_rival_is_noticed_before_anything_is_overwritten(memory: Memory) -> None:
    Office(memory).publish(release("mine"))
    base = memory.manifest()
    theirs = release("mine", "their words")
    rival(memory, theirs)()
    before = dict(memory.objects)
    with pytest.raises(ConflictError, match="mine: somebody else published other content") as caught:
        Office(memory, base).publish(release("mine", "my words"))
    assert (caught.value.status, caught.value.kind) == (4, "conflict")
    assert memory.objects == before


def test_other_content_of_a_release_that_nobody_knew_is_noticed_before_anything_is_overwritten(memory: Memory) -> None:
    base = memory.manifest()
    rival(memory, release("mine", "their words"))()
    before = dict(memory.objects)
    with pytest.raises(ConflictError):
        Office(memory, base).publish(release("mine", "my words"))
    assert memory.objects == before


def test_a_rival_who_steps_in_before_the_announcement_wins_and_keeps_his_files(memory: Memory) -> None:
    Office(memory).publish(release("mine"))
    theirs = release("mine", "their words")
    memory.before = once(key_is(KEY), rival(memory, theirs))
    with pytest.raises(ConflictError):
        Office(memory).publish(release("mine", "my words"))
    assert check(memory).rows[0].record == theirs.row.record
    for file in theirs.files:
        assert memory.objects[file.key] == file.source


def test_the_winner_of_a_conflict_may_be_corrected_once_it_is_known(memory: Memory) -> None:
    Office(memory).publish(release("mine", "their words"))
    Office(memory).publish(release("mine", "my words"))
    assert check(memory).rows[0].record == release("mine", "my words").row.record


@pytest.mark.parametrize("key", ["assets/page.11111111.css", KEY])
def test_rival_who_publishes_before_the_claim_wins_and_keeps_his_files(memory: Memory, key: str) -> None:
    """One wins, the other is told, and what is listed is what is there (I2, I7)."""
    theirs = release("mine", "their words")
    memory.before = once(key_is(key), rival(memory, theirs))
    with pytest.raises(ConflictError, match="published other content"):
        Office(memory).publish(release("mine", "my words"))
    assert check(memory).rows[0].record == theirs.row.record
    for file in theirs.files:
        assert memory.objects[file.key] == file.source


@pytest.mark.parametrize("public", [False, True], ids=["new", "corrected"])
@pytest.mark.parametrize("key", ["releases/mine.pdf", "releases/mine.json"])
def test_rival_who_comes_after_the_claim_is_told_and_changes_nothing(memory: Memory, key: str, public: bool) -> None:
    if public:
        Office(memory).publish(release("mine"))
    told: list[str] = []

    def too_late() -> None:
        with pytest.raises(ConflictError, match="is uploading other content") as caught:
            rival(memory, release("mine", "their words"))()
        told.append(str(caught.value))

    memory.before = once(key_is(key), too_late)
    mine = release("mine", "my words")
    Office(memory).publish(mine)
    assert told
    assert check(memory).rows[0].record == mine.row.record
    for file in mine.files:
        assert memory.objects[file.key] == file.source
    assert memory.manifest().leases == {}


def test_claim_of_a_publisher_who_is_never_heard_of_again_runs_out(memory: Memory) -> None:
    def kill() -> None:
        raise Killed

    memory.before = once(key_is("releases/mine.pdf"), kill)
    with pytest.raises(Killed):
        Office(memory).publish(release("mine", "their words"))
    mine = release("mine", "my words")
    with pytest.raises(ConflictError, match="until 00:15:00 UTC"):
        Office(memory, name="other").publish(mine)
    later = Office(memory, name="other")
    later.me = Publisher("other", NOW + timedelta(minutes=16), NOW + timedelta(minutes=31))
    later.publish(mine)
    assert check(memory).rows[0].record == mine.row.record


def test_killed_publisher_takes_up_its_own_claim_with_other_words_at_once(memory: Memory) -> None:
    seen = read_manifest(memory)
    with_leases = Lease("mine", "0" * 64, NOW + timedelta(minutes=15))
    memory.objects[KEY] = dump(Manifest(1, leases={digest(b"mine"): with_leases}))
    assert not seen.etag
    Office(memory).publish(release("mine", "my words"))
    assert memory.manifest().leases == {}


def test_a_listing_of_an_older_manifest_never_replaces_one_of_a_newer(memory: Memory) -> None:
    """The rival publishes after we have read the manifest and before we have written the feed."""
    Office(memory).publish(release("mine"))
    Office(memory).publish(release("mine", "two"))
    shown: list[int] = []

    def slow(manifest: Manifest) -> Mapping[str, bytes]:
        if not shown:
            shown.append(manifest.serial)
            rival(memory, release("theirs", days=1))()
        return build(manifest)

    memory.objects["feed.xml"] = b"old"
    found = update(memory, LISTINGS, slow, lambda upload: None)
    assert [listed.slug for listed in found.manifest.rows] == ["theirs", "mine"]
    for listing in LISTINGS:
        assert memory.objects[listing] == build(memory.manifest())[listing]


def test_a_rival_who_publishes_right_after_the_manifest_was_read_is_not_undone(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listings are looked at before the manifest is, so theirs are noticed."""
    Office(memory).publish(release("mine"))
    memory.objects["feed.xml"] = b"old"
    rivals = [rival(memory, release("theirs", days=1))]
    get = memory.get

    def read(key: str, bucket: Bucket = "public") -> Stored | None:
        found = get(key, bucket)
        if key == KEY and rivals:
            rivals.pop()()
        return found

    monkeypatch.setattr(memory, "get", read)
    found = update(memory, LISTINGS, build, lambda upload: None)
    assert [listed.slug for listed in found.manifest.rows] == ["theirs", "mine"]
    for listing in LISTINGS:
        assert memory.objects[listing] == build(memory.manifest())[listing]


def test_a_listing_that_a_rivals_release_brings_is_looked_at_before_the_manifest(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first release in a language has a feed that nobody expected; a rival's newer one must not be overwritten."""

    def with_arabic(manifest: Manifest) -> Mapping[str, bytes]:
        arabic = " ".join(listed.slug for listed in manifest.rows if listed.language == "ar")
        return {**build(manifest), **({"feeds/lang/ar.xml": arabic.encode()} if arabic else {})}

    def newer() -> None:
        Office(memory).publish(release("newer", days=2, language="ar"))
        update(memory, LISTINGS, with_arabic, lambda upload: None)

    Office(memory).publish(release("mine"))
    Office(memory).publish(release("theirs", days=1, language="ar"))
    rivals, get = [newer], memory.get

    def read(key: str, bucket: Bucket = "public") -> Stored | None:
        found = get(key, bucket)
        if key == KEY and rivals:
            rivals.pop()()
        return found

    monkeypatch.setattr(memory, "get", read)
    update(memory, LISTINGS, with_arabic, lambda upload: None)
    assert memory.objects["feeds/lang/ar.xml"] == b"newer theirs"


def test_a_language_that_a_release_has_left_is_remembered(memory: Memory) -> None:
    Office(memory).publish(release("one", language="ar"))
    assert memory.manifest().languages == ()
    Office(memory).publish(release("one", "others", language="fa"))
    assert memory.manifest().languages == ("ar",)
    Office(memory).publish(release("two", days=1))
    assert memory.manifest().languages == ("ar",)


def test_listings_that_never_hold_still_end_with_a_storage_error(memory: Memory) -> None:
    numbers = iter(range(1000))

    def before(put: Put) -> None:
        if put.key == "feed.xml":
            memory.objects["feed.xml"] = f"rival-{next(numbers)}".encode()

    memory.before = before
    with pytest.raises(StorageError, match="a listing changed 12 times while it was being updated"):
        Office(memory).publish(release("mine"))
    assert check(memory).rows[0].slug == "mine"


def test_a_year_page_whose_name_is_taken_gets_another_and_nothing_is_overwritten(memory: Memory) -> None:
    memory.objects["manifest/2026.2.json"] = b"of a run that was killed"
    memory.objects["manifest/2026.3.json"] = b"of another"
    Office(memory).publish(release("one"))
    assert check(memory).years["2026"].name == "manifest/2026.4.json"
    assert memory.objects["manifest/2026.2.json"] == b"of a run that was killed"


def test_a_manifest_of_another_program_is_never_overwritten(memory: Memory) -> None:
    theirs = b'{"name": "Our app", "start_url": "/"}'
    memory.objects[KEY] = theirs
    with pytest.raises(StorageError, match="not a manifest"):
        Office(memory).publish(release("one"))
    assert memory.objects == {KEY: theirs}


# ── Runs that are killed ────────────────────────────────────────────────────────────────────────────────────────────


def killed_at(number: int) -> BeforePut:
    left = [number]

    def before(put: Put) -> None:
        if not left[0]:
            raise Killed
        left[0] -= 1

    return before


def first(store: Memory) -> None:
    Office(store).publish(*three_years())


def changed(store: Memory) -> None:
    Office(store).publish(release("r0", "other words"), release("r1", "other words", days=-365), release("new"))


def count_puts(run: Callable[[Memory], None], prepare: Callable[[Memory], None]) -> int:
    store = Memory()
    prepare(store)
    before = len(store.puts)
    run(store)
    return len(store.puts) - before


@pytest.mark.parametrize(
    ("prepare", "run"), [(lambda store: None, first), (first, changed)], ids=["first publication", "change"]
)
def test_a_run_killed_before_any_of_its_writes_lists_nothing_that_is_not_there_and_the_next_one_finishes(
    memory: Memory, prepare: Callable[[Memory], None], run: Callable[[Memory], None]
) -> None:
    undisturbed = Memory()
    prepare(undisturbed)
    run(undisturbed)
    writes = count_puts(run, prepare)
    assert writes > 8
    for number in range(writes):
        store = Memory()
        prepare(store)
        serial = store.manifest().serial
        store.before = killed_at(number)
        with pytest.raises(Killed):
            run(store)
        assert check(store).serial >= serial
        store.before = lambda put: None
        run(store)
        assert up_to_date_slugs(store) == up_to_date_slugs(undisturbed), f"killed before write {number}"
        assert not [listed for listed in check(store).rows if listed.replacing]
        puts = len(store.puts)
        run(store)
        assert len(store.puts) == puts, "and then there is nothing left to do"


def test_a_run_killed_while_replacing_can_be_taken_back_by_the_old_words(memory: Memory) -> None:
    """Somebody undoes the edit after the run was killed: every file is as it was."""
    for number in range(1, 7):
        store = Memory()
        Office(store).publish(release("one"))
        original = up_to_date_slugs(store)
        store.before = killed_at(number)
        try:
            Office(store).publish(release("one", "other words"))
        except Killed:
            store.before = lambda put: None
            Office(store).publish(release("one"))
            assert up_to_date_slugs(store) == original, f"killed before write {number}"


def test_the_serial_only_grows_and_by_one_with_every_commit(memory: Memory) -> None:
    serials: list[int] = []
    memory.before = lambda put: (
        serials.append(msgspec.json.decode(put.body, type=Manifest).serial)
        if (put.key == KEY and isinstance(put.body, bytes))
        else None
    )
    for words in ("one", "two", "one"):
        Office(memory).publish(release("mine", words))
    assert serials == list(range(1, len(serials) + 1))
    assert len(serials) == 6


def test_commit_without_a_change_writes_nothing_and_with_one_reads_back(memory: Memory) -> None:
    Office(memory).publish(release("one"))
    seen, count = read_manifest(memory), len(memory.puts)
    assert commit(memory, seen, lambda current: current) == seen
    assert len(memory.puts) == count
    stale = Snapshot(EMPTY, '"an older one"')
    found = commit(memory, stale, lambda current: msgspec.structs.replace(current, assets=("assets/x.1.css",)))
    assert [listed.slug for listed in found.manifest.rows] == ["one"]
    assert found.manifest.assets == ("assets/x.1.css",)


def test_a_hundred_and_more_releases_come_back_from_storage(memory: Memory) -> None:
    many = tuple(release(f"r{number:03}", days=-number * 4) for number in range(130))
    Office(memory).publish(*many)
    assert len(check(memory).rows) == 130
    assert len(memory.objects[KEY]) < sum(map(len, year_pages(memory.manifest()).values()))
    Office(memory).publish(release("r129", "other words", days=-129 * 4))
    assert len(check(memory).rows) == 130


def test_an_object_that_is_named_and_gone_is_a_storage_error(memory: Memory) -> None:
    with pytest.raises(StorageError, match=r"releases/x\.json is named in the manifest but is not in storage"):
        commits.must_get(memory, "releases/x.json")


def test_rivals_wait_longer_each_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("pipeline.storage.compare_and_swap.time.sleep", slept.append)
    monkeypatch.setattr("pipeline.storage.compare_and_swap.random.uniform", lambda low, high: high)
    for turn in range(8):
        back_off(turn)
    assert slept == sorted(slept)
    assert 0 < sum(slept) < 15


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_release_whose_date_moves_to_another_year_is_listed_once(memory: Memory) -> None:
    Office(memory).publish(release("one"), release("two"))
    Office(memory).publish(release("one", "moved", days=-365))
    assert sorted(listed.slug for listed in check(memory).rows) == ["one", "two"]
    assert set(memory.manifest().years) == {"2025", "2026"}
    Office(memory).publish(release("one", "moved back", date=NOON + timedelta(days=1)))
    assert set(memory.manifest().years) == {"2026"}


@pytest.mark.parametrize("sent", [[], [".pdf"], [".html", ".json"], [".pdf", ".html", ".json"]], ids="-".join)
def test_listings_that_pages_will_lead_to_are_opened_before_them_and_nobodys_is_overwritten(
    memory: Memory, sent: list[str]
) -> None:
    memory.objects["feed.xml"] = b"a rival's"
    one, seen = release("one", language="de"), read_manifest(memory)
    files = [File(f"releases/one{suffix}", digest(b"one"), 3, b"one") for suffix in sent]
    ready = (msgspec.structs.replace(one, files=tuple(files)),)
    todo = plan_uploads(ready, (), seen.manifest, memory)
    opened = {"feed.xml": b"ours", "feeds/lang/de.xml": b"nothing yet"}
    me = Publisher("mine", NOW, NOW + timedelta(minutes=15))
    apply(memory, todo, ready, (), seen.manifest, seen, me, lambda upload: None, lambda: put_missing(memory, opened))
    assert memory.objects["feed.xml"] == b"a rival's"
    keys = [put.key for put in memory.puts]
    assert keys.count("feeds/lang/de.xml") == 1
    pages = [key for key in keys if key.endswith((".html", ".json")) and key != KEY]
    assert keys.index("feeds/lang/de.xml") < min(map(keys.index, pages), default=len(keys))


def test_newsroom_that_opens_has_the_feeds_and_shelves_that_are_coming_without_what_comes(memory: Memory) -> None:
    Office(memory).publish(release("one"))
    before = memory.manifest()
    coming = publish.before_upload(before, [release("zwei", days=-365, language="de", topics=("news",))])
    assert coming.rows == before.rows
    assert coming.languages == ("de",)
    assert coming.emptied == ("archive/2025.html", "archive/topic/news.html")
    assert publish.before_upload(before, [release("one", "other words")]) == before
