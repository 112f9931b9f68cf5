"""Many publishers at once: real processes, each with folders of its own, into one newsroom in a real store."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from pipeline.publish.commits import read_manifest
from pipeline.storage.embedded.folder import BUCKET
from tests.support.newsroom import Office
from tests.support.observer import watching
from tests.support.sweep import WRITES, ProxiedStore, proxied_store_in, step_of

EIGHT = range(8)


@pytest.fixture(scope="module")
def proxied_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedStore]:
    with proxied_store_in(tmp_path_factory.mktemp("many")) as found:
        yield found


@dataclass
class Run:
    """What became of one publisher."""

    name: str
    begun: float
    ended: float
    status: int
    said: str


@pytest.fixture(scope="module")
def shared(proxied_store: ProxiedStore) -> Office:
    """The checkout that all work in; content and output are each one's own."""
    return Office(proxied_store.folder / "shared")


def context(shared: Office, name: str) -> Office:
    """Return a publisher with a content folder of its own beside the others'."""
    found = object.__new__(Office)
    found.folder = shared.folder
    found.content = shared.folder / f"content-{name}"
    found.content.mkdir()
    (found.content / "newsroom.toml").write_bytes((shared.content / "newsroom.toml").read_bytes())
    return found


def arguments(office: Office) -> tuple[str, str]:
    name = office.content.name
    return f"CONTENT={name}", f"OUTPUT={name.replace('content', 'output')}"


def prepare(proxied_store: ProxiedStore, offices: list[Office]) -> None:
    """Render what each is about to publish, so that all are at their uploads at once."""
    for office in offices:
        done = office.make("render", *arguments(office), **proxied_store.environ)
        assert done.status == 0, done.text


def publish_at_once(proxied_store: ProxiedStore, offices: list[Office]) -> list[Run]:
    """Start all publishers in the same moment."""
    began = time.monotonic()

    def publish(office: Office) -> Run:
        begun = time.monotonic() - began
        result = office.make("publish", *arguments(office), **proxied_store.environ)
        said = re.search(r"dateline: exit (\d)", result.err)
        status = int(said[1]) if said else result.status
        return Run(office.content.name, begun, time.monotonic() - began, status, result.text)

    with ThreadPoolExecutor(len(offices)) as pool:
        return list(pool.map(publish, offices))


def show(proxied_store: ProxiedStore, runs: list[Run]) -> None:
    """Print the record of who was when; pytest shows it with -s."""
    for run in runs:
        print(f"{run.name:<16} {run.begun:6.2f} s to {run.ended:6.2f} s, exit {run.status}")
    seen = list(proxied_store.gate.seen)
    tries, written = seen.count(("PUT", f"/{BUCKET}/manifest.json")), [each for each in seen if each[0] in WRITES]
    for step, number in Counter(step_of(*request) for request in written).most_common():
        print(f"{number:>5} {step}")
    print(f"{len(seen)} requests, {len(written)} writes, {tries} of them of the manifest")


def test_eight_at_once_with_different_releases_all_end_up_listed(proxied_store: ProxiedStore, shared: Office) -> None:
    offices = [context(shared, f"eight-{number}") for number in EIGHT]
    for number, office in enumerate(offices):
        office.write(f"from-{number}", title=f"The release of {number}", date=f"2026-0{number + 1}-05T09:00+00:00")
    alone = context(shared, "alone")
    alone.write("alone", date="2025-01-05T09:00+00:00")
    prepare(proxied_store, [alone, *offices])
    (single,) = publish_at_once(proxied_store, [alone])
    proxied_store.gate.count_anew()
    observer = proxied_store.observer()
    with watching(observer) as problems:
        runs = publish_at_once(proxied_store, offices)
    show(proxied_store, [single, *runs])
    assert [run.status for run in runs] == [0] * len(EIGHT), "\n".join(run.said for run in runs if run.status)
    assert problems + observer.look() == []
    for key in ("manifest.json", "index.html", "feed.xml", "feeds/lang/en-GB.xml", "archive/2026.html", "sitemap.xml"):
        body = observer.anonymous.get(key).body.decode()
        for number in EIGHT:
            assert f"from-{number}" in body, key
    # A minute, and on a machine that has other things to do no more than one after the other would take.
    assert max(run.ended for run in runs) < max(60, len(EIGHT) * single.ended), single


def same_release(shared: Office, names: tuple[str, str], slug: str, bodies: tuple[str, str]) -> list[Office]:
    offices = [context(shared, name) for name in names]
    for office, body in zip(offices, bodies, strict=True):
        office.write(slug, title="The same release", body=body)
    return offices


def test_same_release_with_other_words_at_once_has_one_winner_and_the_other_is_told_of_both(
    proxied_store: ProxiedStore, shared: Office
) -> None:
    words = ("What the one says.", "What the other says.")
    offices = same_release(shared, ("one", "other"), "contested", words)
    prepare(proxied_store, offices)
    observer = proxied_store.observer()
    with watching(observer) as problems:
        runs = publish_at_once(proxied_store, offices)
    assert sorted(run.status for run in runs) == [0, 4], [run.said for run in runs]
    winner, loser = sorted(range(2), key=lambda number: runs[number].status)
    assert words[winner] in observer.anonymous.get("releases/contested.txt").body.decode()
    assert problems + observer.look() == []
    rows = {listed.slug: listed for listed in read_manifest(proxied_store.store).manifest.rows}
    stated = re.search(r"contested: .*\(?record (\w{12}); this one (\w{12})\)?", runs[loser].said)
    assert stated, runs[loser].said
    assert rows["contested"].record.startswith(stated[1])
    assert stated[1] != stated[2]


def test_same_words_at_once_are_the_same_work(proxied_store: ProxiedStore, shared: Office) -> None:
    offices = same_release(shared, ("this", "that"), "agreed", ("What both say.", "What both say."))
    prepare(proxied_store, offices)
    runs = publish_at_once(proxied_store, offices)
    assert [run.status for run in runs] == [0, 0], [run.said for run in runs]
    assert b"What both say." in proxied_store.observer().anonymous.get("releases/agreed.txt").body
