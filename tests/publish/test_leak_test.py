"""The leak test, on the real server: whatever a stranger could notice, it notices."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from pipeline.model.formats import FORMATS, media_type
from pipeline.publish import leak_test as leaks
from pipeline.publish.leak_test import Name
from pipeline.storage import Bucket, ObjectStore, Put
from pipeline.storage.anonymous import Stranger
from pipeline.storage.destination import Destination
from tests.support import faulty

PICTURE = "tape.png"


@pytest.fixture
def stranger(here: Destination) -> Stranger:
    return Stranger(here.address, {})


@pytest.fixture
def private(here: Destination) -> Stranger:
    return Stranger(here.private_address, {})


@pytest.fixture
def name(store: ObjectStore) -> Iterator[Name]:
    """What a test may call a waiting release; whatever lies under it afterwards is removed."""
    found = Name(f"leak-{secrets.token_hex(4)}", (PICTURE,))
    yield found
    for key in list(store.list()):
        if found.slug in key.lower():
            store.delete(key)


def put(store: ObjectStore, key: str, bucket: Bucket = "public") -> None:
    store.put(Put(key=key, body=b"words", media_type="text/plain"), bucket)


def test_what_waits_answers_as_a_name_that_never_was(stranger: Stranger, name: Name) -> None:
    assert leaks.traces(stranger, [name, Name("never-heard-of")]) == []
    assert leaks.traces(stranger, []) == []


@pytest.mark.parametrize("kind", [*(row.suffix for row in FORMATS), f"/{PICTURE}"])
def test_each_final_address_is_asked_for(store: ObjectStore, stranger: Stranger, name: Name, kind: str) -> None:
    put(store, f"releases/{name.slug}{kind}")
    for guessing in (False, True):
        found = leaks.traces(stranger, [Name("never-heard-of"), name], guessing=guessing)
        assert found == [name.slug]


PLAIN = [path for path in leaks.guesses(Name("slug", (PICTURE,))) if not set("?%") & set(path)]


@pytest.mark.parametrize("path", [path for path in PLAIN if not path.endswith("/") and "//" not in path])
def test_each_guess_is_asked_for(store: ObjectStore, stranger: Stranger, name: Name, path: str) -> None:
    put(store, path.replace("slug", name.slug).replace("SLUG", name.slug.upper()))
    assert leaks.traces(stranger, [name]) == [name.slug]
    assert leaks.traces(stranger, [name], guessing=False) == []


def test_guesses_are_many_and_none_is_asked_for_in_vain() -> None:
    found = [*leaks.addresses(Name("slug", (PICTURE,))), *leaks.guesses(Name("slug", (PICTURE,)))]
    assert len(set(found)) == len(found) > 40
    decoded = {unquote(path) for path in found}
    for kind in ("releases/SLUG.pdf", "staged/slug.pdf", "releases/slug/r1/slug.html", "releases/slug/tape.png"):
        assert kind in decoded
    assert any("%2e" in path for path in found)


def test_what_lies_in_the_private_bucket_is_no_leak(
    store: ObjectStore, stranger: Stranger, private: Stranger, name: Name
) -> None:
    keys = [f"staged/{name.slug}/1", "waiting.json"]
    for key in keys:
        put(store, key, "private")
    try:
        assert leaks.traces(stranger, [name]) == []
        assert leaks.opened(private, keys) == ""
        assert not leaks.mirrored(stranger, keys)
    finally:
        for key in keys:
            store.delete(key, "private")


def test_a_private_bucket_that_answers_is_told_of(store: ObjectStore, stranger: Stranger, name: Name) -> None:
    put(store, f"staged/{name.slug}/1")  # the public bucket in the private one's place
    assert leaks.opened(stranger, ["staged/nothing"]) == ""
    assert "read" in leaks.opened(stranger, ["staged/nothing", f"staged/{name.slug}/1"])
    assert leaks.mirrored(stranger, [f"staged/{name.slug}/1"])


def test_a_private_bucket_that_can_be_listed_is_told_of(here: Destination) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("GET", "?versions", lambda exchange: exchange.answer(200, [("Content-Length", "0")], b""))
        stranger = Stranger(here.private_address.replace(here.endpoint, bad.endpoint), {})
        assert "list" in leaks.opened(stranger, [])
        assert leaks.opened(stranger, []) == ""


@pytest.mark.parametrize("status", [403, 410])
def test_another_refusal_than_that_of_nothing_is_a_trace(here: Destination, name: Name, status: int) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("HEAD", f"{name.slug}.docx", faulty.refusal(status, "Gone"))
        stranger = Stranger(here.address.replace(here.endpoint, bad.endpoint), {})
        assert leaks.traces(stranger, [name]) == [name.slug]
        assert leaks.traces(stranger, [name]) == []


def test_media_types_of_refusals_are_compared_too(here: Destination, name: Name) -> None:
    key = f"releases/{name.slug}.pdf"
    with faulty.proxy(here.endpoint) as bad:

        def typed(exchange: faulty.Exchange) -> None:
            status, headers, body = exchange.forward()
            headers = [(kind, value) for kind, value in headers if kind.lower() != "content-type"]
            exchange.answer(status, [*headers, ("Content-Type", media_type(key))], body)

        bad.add("GET", key, typed)
        stranger = Stranger(here.address.replace(here.endpoint, bad.endpoint), {})
        assert leaks.traces(stranger, [name], guessing=False) == [name.slug]
