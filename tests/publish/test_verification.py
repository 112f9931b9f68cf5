"""Reading back without credentials: whatever is wrong in storage is found, on the real server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import msgspec
import pytest

from pipeline.model.formats import FORMATS, SYNDICATION, media_type
from pipeline.model.manifest import KEY, Manifest, Row, YearPage, digest
from pipeline.publish.verification import (
    Problem,
    ask,
    expected_files,
    expected_newsroom,
    local_links,
    proven,
    read,
    read_back,
)
from pipeline.site import listings
from pipeline.storage import ObjectStore, Put
from pipeline.storage.anonymous import AnonymousClient
from pipeline.storage.destination import Destination
from tests.support.rows import row

PAGE = b'<html><a href="there.html">a</a> <a href="../index.html">b</a></html>'


@pytest.fixture
def anonymous(here: Destination) -> AnonymousClient:
    return AnonymousClient(here.address, {})


@pytest.fixture
def folder(store: ObjectStore) -> Iterator[str]:
    """A place of the test's own below ``releases/``."""
    found = f"releases/verify-{secrets.token_hex(4)}"
    yield found
    for key in list(store.list(found)):
        store.delete(key)


def put(store: ObjectStore, key: str, body: bytes = b"words", kind: str = "") -> dict[str, tuple[str, ...]]:
    store.put(Put(key=key, body=body, media_type=kind or media_type(key)))
    return {key: (digest(body),)}


def test_what_is_as_it_was_published_is_no_trouble(store: ObjectStore, anonymous: AnonymousClient, folder: str) -> None:
    wanted = put(store, f"{folder}/tape.png")
    for form in FORMATS:
        wanted |= put(store, f"{folder}{form.suffix}", b"<p>words</p>")
    wanted[f"{folder}.pdf"] = ()
    read: list[None] = []
    assert read_back(anonymous, wanted, lambda: read.append(None)) == []
    assert len(read) == len(wanted)


def test_other_bytes_are_found(store: ObjectStore, anonymous: AnonymousClient, folder: str) -> None:
    put(store, f"{folder}.pdf", b"other words")
    wanted = expected_files({f"{folder}.pdf": digest(b"words")})
    assert read_back(anonymous, wanted) == [Problem(f"{folder}.pdf", "has other bytes than were published")]


def test_while_a_file_is_replaced_either_digest_is_right(
    store: ObjectStore, anonymous: AnonymousClient, folder: str
) -> None:
    either = {f"{folder}.pdf": (digest(b"old"), digest(b"new"))}
    for body in (b"old", b"new"):
        put(store, f"{folder}.pdf", body)
        assert read_back(anonymous, either) == []
    put(store, f"{folder}.pdf", b"third")
    assert len(read_back(anonymous, either)) == 1


@pytest.mark.parametrize("kind", ["binary/octet-stream", "text/html; charset=utf-8"])
def test_another_media_type_is_found(store: ObjectStore, anonymous: AnonymousClient, folder: str, kind: str) -> None:
    wanted = put(store, f"{folder}.pdf", kind=kind)
    (problem,) = read_back(anonymous, wanted)
    assert problem.what == f"is served as {kind}, not as application/pdf"


def test_a_text_without_its_charset_is_found(store: ObjectStore, anonymous: AnonymousClient, folder: str) -> None:
    (problem,) = read_back(anonymous, put(store, f"{folder}.txt", kind="text/plain"))
    assert "not as text/plain; charset=utf-8" in problem.what


def test_what_is_missing_is_found(anonymous: AnonymousClient, folder: str) -> None:
    (problem,) = read_back(anonymous, {f"{folder}.pdf": ()})
    assert problem.key == f"{folder}.pdf"
    assert problem.what in ("answers 403", "answers 404")


def test_a_link_that_leads_nowhere_is_found_unless_nobody_asked(
    store: ObjectStore, anonymous: AnonymousClient, folder: str
) -> None:
    page = put(store, f"{folder}.html", f'<a href="{folder.split("/")[1]}.pdf">PDF</a>'.encode())
    (problem,) = read_back(anonymous, page)
    assert problem.key == f"{folder}.pdf"
    assert problem.what.startswith("is linked to, but answers 40")
    assert read_back(anonymous, page, follow=False) == []
    assert read_back(anonymous, page | put(store, f"{folder}.pdf")) == []


def test_what_is_known_to_be_there_is_not_asked_for(
    store: ObjectStore, anonymous: AnonymousClient, folder: str
) -> None:
    page = put(store, f"{folder}.html", f'<a href="{folder.split("/")[1]}.pdf">PDF</a>'.encode())
    assert read_back(anonymous, page, known={f"{folder}.pdf"}) == []
    assert len(read_back(anonymous, page, known={f"{folder}.docx"})) == 1


def test_a_large_newsroom_is_read_back_like_a_small_one(
    store: ObjectStore, anonymous: AnonymousClient, folder: str
) -> None:
    wanted = {f"{folder}/{number}.txt": (digest(str(number).encode()),) for number in range(150)}
    store.put_all(
        Put(key=key, body=str(number).encode(), media_type=media_type(key)) for number, key in enumerate(wanted)
    )
    read: list[None] = []
    assert read_back(anonymous, wanted, lambda: read.append(None)) == []
    assert len(read) == 150
    put(store, f"{folder}/77.txt", b"other words")
    page = put(store, f"{folder}/x.html", b'<a href="nowhere.pdf">a</a>')
    found = read_back(anonymous, wanted | page)
    assert [problem.key for problem in found] == [f"{folder}/77.txt", f"{folder}/nowhere.pdf"]


@pytest.mark.parametrize(
    ("confirmed", "in_full", "not_read"),
    [
        ("", "", ""),
        ("a.pdf", "", ""),
        ("a.pdf b.pdf", "", "b.pdf"),
        ("a.pdf b.pdf a.txt b.txt a.html b.html", "", "b.pdf b.txt"),
        ("a.pdf b.pdf c.pdf", "b.pdf", "c.pdf"),
        ("a.pdf b.pdf c.pdf", "a.pdf b.pdf c.pdf", ""),
        ("a/tape.png b/tape.png b/r1/tape.png a/tape.webp", "", "b/tape.png b/r1/tape.png"),
    ],
)
def test_pages_one_file_of_each_kind_and_whatever_is_read_in_full_are_read_though_the_storage_confirmed_them(
    confirmed: str, in_full: str, not_read: str
) -> None:
    assert proven(confirmed.split(), frozenset(in_full.split())) == {*not_read.split()}


def test_every_trouble_is_found_in_one_reading(store: ObjectStore, anonymous: AnonymousClient, folder: str) -> None:
    wanted = put(store, f"{folder}.pdf", kind="text/x-odd") | {f"{folder}.docx": (), f"{folder}.txt": ("x",)}
    put(store, f"{folder}.txt", kind="text/odd")
    assert [problem.key.rsplit(".")[-1] for problem in read_back(anonymous, wanted)] == ["pdf", "docx", "txt", "txt"]


def test_what_was_read_early_is_reported_with_the_rest_and_its_links_are_asked_for_last(
    store: ObjectStore, anonymous: AnonymousClient, folder: str
) -> None:
    links = "".join(f'<a href="../{folder}-{name}.html">' for name in ("later", "never"))
    page = put(store, f"{folder}.html", links.encode())
    early = read(ask(anonymous, page | {f"{folder}.pdf": ()}))
    put(store, f"{folder}.html", b"this is not read once more")
    later = put(store, f"{folder}-later.html")
    problems = read_back(anonymous, page | later | {f"{folder}.pdf": ()}, early=early)
    assert [problem.key for problem in problems] == [f"{folder}.pdf", f"{folder}-never.html"]


@pytest.mark.parametrize(
    ("page", "keys"),
    [
        (b'<a href="b.html">', ["releases/b.html"]),
        (b'<a href="../index.html">', ["index.html"]),
        (b'<img src="a/tape.png"><link href="../assets/x.css"><script src="x.js"></script>',
         ["releases/a/tape.png", "assets/x.css", "releases/x.js"]),
        (b'<a href="b.html#part">', ["releases/b.html"]),
        (b'<a href="b.html?x=1">', ["releases/b.html"]),
        (b'<a href="#part">', []),
        (b'<a href="https://example.org/x.html">', []),
        (b'<a href="mailto:a@example.org"><a href="tel:+441">', []),
        (b'<a href="/elsewhere.html">', []),
        (b'<a href="">', []),
        (b"<a>", []),
        (b'<p href="b.html">', []),
        (b'<a href="a&amp;b.html">', ["releases/a&b.html"]),
        (b"\xff\xfe<a href='b.html'>", ["releases/b.html"]),
        (b'<img srcset="a/s.jpg 480w, a/l.jpg 960w" src="a/l.jpg">', ["releases/a/l.jpg", "releases/a/s.jpg"]),
        (b'<a href="b.html">one</a><a href="b.html#part">two</a>', ["releases/b.html"] * 2),
        (b'<?xml version="1.0" encoding="latin-1"?><a href="\xc3\xa9.html">', ["releases/\u00e9.html"]),
        (b'<!doctype html><html lang="en"><head><link href="x.css"></head><body><p><a href="b.html">',
         ["releases/x.css", "releases/b.html"]),
        (b'<script type="application/ld+json">"<a href=x.html>"</script><!-- <a href="x.html"> -->', []),
        (b"<div>" * 1000 + b'<a href="deep.html">', ["releases/deep.html"]),
        (b"a\x00b<a href='b.html'>", ["releases/b.html"]),
        (b"", []),
        (b"not a page", []),
    ],
)  # fmt: skip
def test_links_within_the_newsroom_are_followed_and_no_others(page: bytes, keys: list[str]) -> None:
    assert list(local_links("releases/a.html", page)) == keys


def record(slug: str) -> bytes:
    return msgspec.json.encode({"altIds": [{"role": f"sha256:releases/{slug}.pdf", "value": "1" * 64}]})


def wanted_of(*rows: Row, manifest: Manifest | None = None) -> dict[str, tuple[str, ...]]:
    found = msgspec.structs.replace(manifest or Manifest(1), rows=rows)
    return dict(expected_newsroom(found, lambda row: record(row.slug)))


def test_a_newsroom_is_everything_that_the_chain_of_digests_reaches() -> None:
    manifest = Manifest(1, years={"2026": YearPage("manifest/2026.1.json", "2" * 64)}, assets=("assets/page.1.css",))
    assert wanted_of(row("one", record="3" * 64), manifest=manifest) == {
        KEY: (),
        "manifest/2026.1.json": ("2" * 64,),
        "assets/page.1.css": (),
        **dict.fromkeys(listings.PAGES, ()),
        "archive/2026.html": (),
        "archive/2026.search.json": (),
        "archive/index.html": (),
        "sitemap.xml": (),
        "sitemap-news.xml": (),
        "robots.txt": (),
        **{row.key(path): () for row in SYNDICATION for path in ("", "lang/en-GB")},
        "releases/one.json": ("3" * 64,),
        "releases/one.pdf": ("1" * 64,),
    }


def test_files_on_their_way_may_be_either() -> None:
    found = wanted_of(row("one", record="3" * 64, replacing={"releases/one.pdf": "4" * 64}))
    assert found["releases/one.pdf"] == ("1" * 64, "4" * 64)
    assert found["releases/one.json"] == ("3" * 64,)


def test_a_record_that_was_tampered_with_is_found(store: ObjectStore, anonymous: AnonymousClient, folder: str) -> None:
    slug = folder.split("/")[1]
    put(store, f"{folder}.json", b"{}")
    manifest = Manifest(1, (row(slug, record=digest(record(slug))),))
    expected = expected_newsroom(manifest, lambda _: b"{}")
    wanted = {key: sha256 for key, sha256 in expected.items() if slug in key}
    assert read_back(anonymous, wanted) == [Problem(f"{folder}.json", "has other bytes than were published")]
