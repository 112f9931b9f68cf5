"""What proves a large file that was uploaded: that it is delivered, as long as it should be and of its type."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator

import pytest

from pipeline.publish.verification import delivered, proven
from pipeline.storage import ObjectStore, Put
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from tests.support import faulty

BODY = os.urandom(200_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()


@pytest.fixture
def gate(here: Destination) -> Iterator[faulty.Proxy]:
    with faulty.proxy(here.endpoint) as proxy:
        yield proxy


@pytest.fixture
def key(store: ObjectStore) -> str:
    found = f"delivery/{secrets.token_hex(8)}.mp4"
    store.put(Put(key=found, body=BODY, media_type="video/mp4"))
    return found


def ranges_ignored(exchange: faulty.Exchange) -> None:
    del exchange.headers["Range"]
    exchange.answer(*exchange.forward())


CASES: dict[str, tuple[int, str, faulty.Fault | None, str]] = {
    "right": (len(BODY), SHA256, None, ""),
    "longer than published": (len(BODY) - 1, SHA256, None, "has other bytes than were published"),
    "shorter than published": (len(BODY) + 1, SHA256, None, "has other bytes than were published"),
    "another film": (len(BODY), OTHER, None, "has other bytes than were published"),
    "of a storage that does not show what it noted": (
        len(BODY),
        SHA256,
        faulty.with_header("x-amz-meta-sha256"),
        "",
    ),
    "of a storage that sends the whole file": (len(BODY), SHA256, ranges_ignored, ""),
    "another film, sent as a whole": (len(BODY), OTHER, ranges_ignored, "has other bytes than were published"),
    "of another type": (
        len(BODY),
        SHA256,
        faulty.with_header("content-type", "binary/octet-stream"),
        "is served as binary/octet-stream, not as video/mp4",
    ),
    "forbidden": (len(BODY), SHA256, faulty.refusal(403, "AccessDenied"), "answers 403"),
    "missing": (len(BODY), SHA256, faulty.refusal(404, "NoSuchKey"), "answers 404"),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_large_file_is_delivered_to_anyone_as_it_was_published(
    here: Destination, gate: faulty.Proxy, key: str, kind: str
) -> None:
    size, sha256, fault, problem = CASES[kind]
    if fault:
        gate.always("GET", key, fault)
    anonymous = AnonymousClient(f"{gate.endpoint}/{here.bucket}/", {})
    found = delivered(anonymous, {key: (size, sha256)})
    assert [each.what for each in found] == ([problem] if problem else [])
    assert all(each.key == key for each in found)


def test_confirmed_large_files_are_not_read_back_and_are_no_samples() -> None:
    confirmed = {"releases/a/film.mp4", "releases/a/short.mp4", "releases/a.pdf", "releases/a.html"}
    large = {"releases/a/film.mp4"}
    assert proven(confirmed, large=large) == large
    assert proven(confirmed, in_full=confirmed, large=large) == large
