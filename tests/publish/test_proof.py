"""What is read back after an upload: all that the storage has not proven, and what its checksums cannot prove."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support import faulty
from tests.support.faulty import Proxy
from tests.support.newsroom import Office, Result

SLUGS = ("one", "two", "three", "four")
KINDS = ("pdf", "docx", "txt", "zip", "json")
SILENT = faulty.with_header("x-amz-checksum-sha256")


@pytest.fixture(scope="module")
def gate(second_server: dict[str, str]) -> Iterator[Proxy]:
    with faulty.proxy(second_server["AWS_ENDPOINT_URL_S3"]) as found:
        yield found


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Releases of which nothing is public yet; tests publish copies, each to buckets of its own."""
    found = Office(tmp_path_factory.mktemp("proof") / "office")
    for slug in SLUGS:
        found.write(slug, title=f"The release {slug}")
    return found


class Newsroom:
    """A copy of the newsroom whose storage is behind a proxy."""

    def __init__(self, office: Office, gate: Proxy, environ: dict[str, str]) -> None:
        self.office, self.gate, self.environ = office, gate, environ
        self.prepared = False

    def make(self, *arguments: str) -> Result:
        if not self.prepared:
            assert self.office.make("storage", **self.environ).status == 0
            self.prepared = True
        return self.office.make(*arguments, **self.environ)

    def publish(self, *arguments: str) -> Counter[str]:
        """Publish, and return how many requests there were of each kind: ``GET pdf``."""
        self.gate.count_anew()
        result = self.make("publish", *arguments)
        assert result.status == 0, result.text
        self.said = result.out
        asked = ((method, path.partition("?")[0]) for method, path in self.gate.seen)
        return Counter(f"{method} {path.rpartition('.')[2]}" for method, path in asked if "/releases/" in path)


@pytest.fixture
def newsroom(rendered: Office, gate: Proxy, second_server: dict[str, str]) -> Iterator[Newsroom]:
    name = f"proof-{secrets.token_hex(4)}"
    office = rendered.copy(rendered.folder.parent / name)
    gate.mend()
    environ = {**second_server, "PRESS_BUCKET": name, "AWS_ENDPOINT_URL_S3": gate.endpoint}
    try:
        yield Newsroom(office, gate, environ)
    finally:
        gate.mend()
        office.end()


def test_of_a_first_upload_pages_and_one_file_of_each_kind_are_read_back(newsroom: Newsroom) -> None:
    seen = newsroom.publish()
    for kind in KINDS:
        assert (seen[f"PUT {kind}"], seen[f"GET {kind}"], seen[f"HEAD {kind}"]) == (len(SLUGS), 1, 0), kind
    assert seen["GET html"] == len(SLUGS)
    assert "verified by the storage's checksums, all others read back and verified without credentials" in newsroom.said
    seen = newsroom.publish()
    assert sum(seen.values()) == 0


def test_everything_is_read_back_where_the_storage_states_no_checksums(newsroom: Newsroom) -> None:
    newsroom.gate.always("PUT", "/", SILENT)
    seen = newsroom.publish()
    assert [seen[f"GET {kind}"] for kind in KINDS] == [len(SLUGS)] * len(KINDS)
    assert "all read back and verified without credentials" in newsroom.said


def test_everything_is_read_back_where_the_storage_takes_data_with_the_checksum_of_other_data(
    newsroom: Newsroom,
) -> None:
    """It repeats whatever it was sent, so what it states proves nothing."""

    def accept(exchange: faulty.Exchange) -> None:
        status, headers, body = exchange.forward()
        taken = (200, [("ETag", '"any"'), ("Content-Length", "0")], b"")
        exchange.answer(*(taken if status == 400 else (status, headers, body)))

    newsroom.gate.always("PUT", "-private/", accept)
    seen = newsroom.publish()
    assert [seen[f"GET {kind}"] for kind in KINDS] == [len(SLUGS)] * len(KINDS)


def test_all_of_a_release_that_replaces_another_or_was_under_embargo_is_read_back(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.office.write("two", title="The release two", body="Other words.")
    newsroom.office.write("five", title="The release five", embargo="true")
    newsroom.office.write("six", title="The release six")
    newsroom.office.write("seven", title="The release seven")
    newsroom.publish("MINOR=1")
    read = {path.rpartition("/")[2] for method, path in newsroom.gate.seen if method == "GET" and "/releases/" in path}
    assert {f"two.{kind}" for kind in KINDS} <= read
    assert {f"five.{kind}" for kind in KINDS} <= read
    assert len(read & {"six.pdf", "seven.pdf"}) < 2


def test_a_storage_that_serves_other_bytes_of_a_kind_than_it_confirmed_is_caught(newsroom: Newsroom) -> None:
    newsroom.gate.always("GET", ".docx", faulty.flipped_down)
    result = newsroom.make("publish")
    assert "has other bytes than were published" in result.err
    assert "dateline: exit 3 (storage)" in result.err
    newsroom.gate.mend()
    newsroom.publish()
    newsroom.gate.always("GET", "/releases/two.docx", faulty.flipped_down)
    result = newsroom.make("verify")
    assert "releases/two.docx has other bytes than were published" in result.err, "of one file make verify finds it"


def test_a_storage_that_states_another_checksum_is_caught(newsroom: Newsroom) -> None:
    newsroom.gate.always("PUT", "/releases/two.pdf", faulty.with_header("x-amz-checksum-sha256", "b3RoZXI="))
    result = newsroom.make("publish")
    assert "cannot write releases/two.pdf: the data was damaged on the way" in result.err
    assert "dateline: exit 3 (storage)" in result.err
    newsroom.gate.mend()
    newsroom.publish()
    assert newsroom.make("verify").status == 0


def test_a_new_release_asks_for_no_file_of_one_that_it_does_not_change(newsroom: Newsroom) -> None:
    newsroom.publish()
    newsroom.office.write("newest", title="The newest release", date="2026-06-01T09:00+00:00")
    newsroom.publish()
    asked = {path.rpartition("/")[2] for method, path in newsroom.gate.seen if "/releases/" in path}
    assert "newest.pdf" in asked
    changed = {name.partition(".")[0] for name in asked} - {"newest"}
    assert len(changed) < len(SLUGS)
    assert not {f"{slug}.{kind}" for slug in changed for kind in ("pdf", "docx", "txt", "zip")} & asked
