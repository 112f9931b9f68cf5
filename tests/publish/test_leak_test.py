"""The leak test, on the real server: whatever a stranger could notice, it notices."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from urllib.parse import unquote

import pytest

from pipeline.model.formats import FORMATS, media_type
from pipeline.publish import leak_test
from pipeline.publish.leak_test import HiddenRelease
from pipeline.storage import Bucket, ObjectStore, Put
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from tests.support import faulty

PICTURE = "tape.png"


@pytest.fixture
def anonymous(here: Destination) -> AnonymousClient:
    return AnonymousClient(here.address, {})


@pytest.fixture
def private(here: Destination) -> AnonymousClient:
    return AnonymousClient(here.private_address, {})


@pytest.fixture
def name(store: ObjectStore) -> Iterator[HiddenRelease]:
    """What a test may call a waiting release; whatever lies under it afterwards is removed."""
    found = HiddenRelease(f"leak-{secrets.token_hex(4)}", (PICTURE,))
    yield found
    for key in list(store.list()):
        if found.slug in key.lower():
            store.delete(key)


def put(store: ObjectStore, key: str, bucket: Bucket = "public") -> None:
    store.put(Put(key=key, body=b"words", media_type="text/plain"), bucket)


def test_what_waits_answers_as_a_name_that_never_was(anonymous: AnonymousClient, name: HiddenRelease) -> None:
    assert leak_test.traces(anonymous, [name, HiddenRelease("never-heard-of")]) == []
    assert leak_test.traces(anonymous, []) == []


@pytest.mark.parametrize("kind", [*(row.suffix for row in FORMATS), f"/{PICTURE}"])
def test_each_final_address_is_asked_for(
    store: ObjectStore, anonymous: AnonymousClient, name: HiddenRelease, kind: str
) -> None:
    put(store, f"releases/{name.slug}{kind}")
    for guessing in (False, True):
        found = leak_test.traces(anonymous, [HiddenRelease("never-heard-of"), name], guessing=guessing)
        assert found == [name.slug]


PLAIN = [path for path in leak_test.guesses(HiddenRelease("slug", (PICTURE,))) if not set("?%") & set(path)]


@pytest.mark.parametrize("path", [path for path in PLAIN if not path.endswith("/") and "//" not in path])
def test_each_guess_is_asked_for(
    store: ObjectStore, anonymous: AnonymousClient, name: HiddenRelease, path: str
) -> None:
    put(store, path.replace("slug", name.slug).replace("SLUG", name.slug.upper()))
    assert leak_test.traces(anonymous, [name]) == [name.slug]
    assert leak_test.traces(anonymous, [name], guessing=False) == []


def test_guesses_are_many_and_none_is_asked_for_in_vain() -> None:
    found = [
        *leak_test.addresses(HiddenRelease("slug", (PICTURE,))),
        *leak_test.guesses(HiddenRelease("slug", (PICTURE,))),
    ]
    assert len(set(found)) == len(found) > 40
    decoded = {unquote(path) for path in found}
    for kind in ("releases/SLUG.pdf", "staged/slug.pdf", "releases/slug/r1/slug.html", "releases/slug/tape.png"):
        assert kind in decoded
    assert any("%2e" in path for path in found)


def test_what_lies_in_the_private_bucket_is_no_leak(
    store: ObjectStore, anonymous: AnonymousClient, private: AnonymousClient, name: HiddenRelease
) -> None:
    keys = [f"staged/{name.slug}/1", "waiting.json"]
    for key in keys:
        put(store, key, "private")
    try:
        assert leak_test.traces(anonymous, [name]) == []
        assert leak_test.opened(private, keys) == ""
        assert not leak_test.mirrored(anonymous, keys)
    finally:
        for key in keys:
            store.delete(key, "private")


def test_a_private_bucket_that_answers_is_told_of(
    store: ObjectStore, anonymous: AnonymousClient, name: HiddenRelease
) -> None:
    put(store, f"staged/{name.slug}/1")  # the public bucket in the private one's place
    assert leak_test.opened(anonymous, ["staged/nothing"]) == ""
    assert "read" in leak_test.opened(anonymous, ["staged/nothing", f"staged/{name.slug}/1"])
    assert leak_test.mirrored(anonymous, [f"staged/{name.slug}/1"])


def test_a_private_bucket_that_can_be_listed_is_told_of(here: Destination) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("GET", "?versions", lambda exchange: exchange.answer(200, [("Content-Length", "0")], b""))
        anonymous = AnonymousClient(here.private_address.replace(here.endpoint, bad.endpoint), {})
        assert "list" in leak_test.opened(anonymous, [])
        assert leak_test.opened(anonymous, []) == ""


@pytest.mark.parametrize("status", [403, 410])
def test_another_refusal_than_that_of_nothing_is_a_trace(here: Destination, name: HiddenRelease, status: int) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("HEAD", f"{name.slug}.docx", faulty.refusal(status, "Gone"))
        anonymous = AnonymousClient(here.address.replace(here.endpoint, bad.endpoint), {})
        assert leak_test.traces(anonymous, [name]) == [name.slug]
        assert leak_test.traces(anonymous, [name]) == []


def test_media_types_of_refusals_are_compared_too(here: Destination, name: HiddenRelease) -> None:
    key = f"releases/{name.slug}.pdf"
    with faulty.proxy(here.endpoint) as bad:

        def typed(exchange: faulty.Exchange) -> None:
            status, headers, body = exchange.forward()
            headers = [(kind, value) for kind, value in headers if kind.lower() != "content-type"]
            exchange.answer(status, [*headers, ("Content-Type", media_type(key))], body)

        bad.add("GET", key, typed)
        anonymous = AnonymousClient(here.address.replace(here.endpoint, bad.endpoint), {})
        assert leak_test.traces(anonymous, [name], guessing=False) == [name.slug]
