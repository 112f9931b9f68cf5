"""The leak test, on the real server: it notices whatever an anonymous client could notice."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from pipeline.model.formats import FORMATS, media_type
from pipeline.publish.leak_test import is_mirrored, private_leak, visible_releases
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
def slug(store: ObjectStore) -> Iterator[str]:
    """The slug of a scheduled release; its objects are deleted after the test."""
    found = f"leak-{secrets.token_hex(4)}"
    yield found
    for key in list(store.list()):
        if found in key:
            store.delete(key)


def put(store: ObjectStore, key: str, bucket: Bucket = "public") -> None:
    store.put(Put(key=key, body=b"words", media_type="text/plain"), bucket)


def test_a_scheduled_release_answers_as_a_name_that_never_existed(anonymous: AnonymousClient, slug: str) -> None:
    assert visible_releases(anonymous, {slug: [PICTURE], "never-heard-of": []}) == []
    assert visible_releases(anonymous, {}) == []


@pytest.mark.parametrize("kind", [*(row.suffix for row in FORMATS), f"/{PICTURE}"])
def test_each_final_address_is_asked_for(store: ObjectStore, anonymous: AnonymousClient, slug: str, kind: str) -> None:
    put(store, f"releases/{slug}{kind}")
    assert visible_releases(anonymous, {"never-heard-of": [], slug: [PICTURE]}) == [slug]


def test_objects_in_the_private_bucket_are_no_leak(
    store: ObjectStore, anonymous: AnonymousClient, private: AnonymousClient, slug: str
) -> None:
    keys = [f"staged/{slug}/1", "waiting.json"]
    for key in keys:
        put(store, key, "private")
    try:
        assert visible_releases(anonymous, {slug: [PICTURE]}) == []
        assert private_leak(private, keys) == ""
        assert not is_mirrored(anonymous, keys)
    finally:
        for key in keys:
            store.delete(key, "private")


def test_a_private_bucket_that_answers_is_reported(store: ObjectStore, anonymous: AnonymousClient, slug: str) -> None:
    put(store, f"staged/{slug}/1")  # the public bucket in the private one's place
    assert private_leak(anonymous, ["staged/nothing"]) == ""
    assert "read" in private_leak(anonymous, ["staged/nothing", f"staged/{slug}/1"])
    assert is_mirrored(anonymous, [f"staged/{slug}/1"])


def test_a_private_bucket_that_can_be_listed_is_reported(here: Destination) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("GET", "?versions", lambda exchange: exchange.answer(200, [("Content-Length", "0")], b""))
        anonymous = AnonymousClient(here.private_address.replace(here.endpoint, bad.endpoint), {})
        assert "list" in private_leak(anonymous, [])
        assert private_leak(anonymous, []) == ""


@pytest.mark.parametrize("status", [403, 410])
def test_another_refusal_than_for_an_unused_name_is_a_leak(here: Destination, slug: str, status: int) -> None:
    with faulty.proxy(here.endpoint) as bad:
        bad.add("HEAD", f"{slug}.docx", faulty.refusal(status, "Gone"))
        anonymous = AnonymousClient(here.address.replace(here.endpoint, bad.endpoint), {})
        assert visible_releases(anonymous, {slug: [PICTURE]}) == [slug]
        assert visible_releases(anonymous, {slug: [PICTURE]}) == []


def test_media_types_of_refusals_are_compared_too(here: Destination, slug: str) -> None:
    key = f"releases/{slug}.pdf"
    with faulty.proxy(here.endpoint) as bad:

        def typed(exchange: faulty.Exchange) -> None:
            status, headers, body = exchange.forward()
            headers = [(kind, value) for kind, value in headers if kind.lower() != "content-type"]
            exchange.answer(status, [*headers, ("Content-Type", media_type(key))], body)

        bad.add("GET", key, typed)
        anonymous = AnonymousClient(here.address.replace(here.endpoint, bad.endpoint), {})
        assert visible_releases(anonymous, {slug: [PICTURE]}) == [slug]
