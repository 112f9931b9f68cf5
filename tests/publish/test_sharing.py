"""Embargoed copies by presigned links: marked in every format, opened by the link alone, and taken back."""

from __future__ import annotations

import html
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pypdfium2
import pytest

from pipeline.model.errors import StorageError
from pipeline.publish import sharing, single_file_page
from pipeline.storage import ObjectStore, Put, open_store
from pipeline.storage.destination import Destination, destination
from tests.support import stores
from tests.support.formats import ROWS
from tests.support.newsroom import Office, Result
from tests.support.public_http import get
from tests.support.reading import picture
from tests.support.renditions import text_of_html, words_of
from tests.support.shared_copies import docx_parts, links, opened

MARK = "EMBARGOED UNTIL"
OPEN = "FOR IMMEDIATE RELEASE"
DATE = (datetime.now(UTC) + timedelta(days=40)).replace(hour=9, minute=30, second=0, microsecond=0)
LONDON = ZoneInfo("Europe/London")
LONG = "\n\n".join(f"Paragraph {number} says what the others do not, and takes its time." * 6 for number in range(30))
SHARED = [row for row in ROWS if not row.preview]
ENDINGS = tuple(row.suffix.removeprefix(".") for row in SHARED)
NAMES = (*(row.label for row in SHARED), "tape.png")


def end(address: str) -> datetime:
    """Return when a link ends, as it says itself."""
    signed = parse_qs(urlsplit(address).query)
    begun = datetime.strptime(signed["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return begun + timedelta(seconds=int(signed["X-Amz-Expires"][0]))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("share") / "office")
    body = f'The lead.\n\n![A tape on a desk](tape.png "The tape | J. Doe")\n\n{LONG}'
    found.write("secret-thing", title="What nobody knows", body=body, date=DATE.isoformat(), embargo="true")
    (found.content / "secret-thing").mkdir()
    (found.content / "secret-thing/tape.png").write_bytes(picture(size=(2000, 1200)))
    found.write("other-thing", title="Another", date=DATE.isoformat(), embargo="true")
    found.write("plain-thing", title="Not marked", date=DATE.isoformat())
    found.write("open-thing", title="Open", embargo="true")
    found.write("rough-thing", title="Rough", draft="true", embargo="true")
    found.write("broken-thing", title="Broken", dat="2026-01-01")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def shared(office: Office) -> Result:
    return office.make("share", "RELEASE=secret-thing")


@pytest.fixture(scope="module")
def given(shared: Result) -> dict[str, bytes]:
    """What the links open, by label."""
    return opened(shared)


@pytest.fixture
def own(office: Office) -> ObjectStore:
    return open_store(destination({}, office.folder), {})


# ── The links ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_link_a_format_and_picture(shared: Result, office: Office) -> None:
    assert tuple(links(shared)) == NAMES
    there = office.waiting / "releases"
    assert {path.stem for path in there.glob("*.*")} == {"secret-thing"}, "no other release was rendered for it"
    assert "nobody knows" not in shared.text, "never a title"


def test_links_bring_type_and_name_and_are_kept_by_no_cache(shared: Result) -> None:
    found = links(shared)
    for label, suffix in zip(NAMES[: len(ENDINGS)], ENDINGS, strict=True):
        _, headers, _ = get(found[label])
        assert headers["cache-control"] == "private, no-store"
        name = headers.get("content-disposition")
        assert name == (None if suffix == "html" else f'attachment; filename="secret-thing.{suffix}"')
    assert get(found["Page"])[1]["content-type"] == "text/html; charset=utf-8"
    assert "secret" not in "".join(found.values()), "an address says nothing"


def test_links_say_when_they_end(shared: Result) -> None:
    ended = {end(address) for address in links(shared).values()}
    assert max(ended) <= datetime.now(UTC) + timedelta(days=7)
    assert min(ended) >= datetime.now(UTC) + timedelta(days=6, hours=23)
    there = min(ended).astimezone(LONDON)
    assert f"{there:%Y-%m-%d %H:%M:%S %Z} ({min(ended):%Y-%m-%d %H:%M:%S} UTC)" in shared.out
    assert f"embargoed until {DATE:%Y-%m-%d} " in shared.out
    for words in ("REVOKE=1", "seven days", "keys", "on this machine alone", "cannot be taken back"):
        assert words in shared.out


def test_link_never_outlives_the_instant(office: Office) -> None:
    """For an instant that is near, the link ends before it."""
    soon = (datetime.now(UTC) + timedelta(minutes=4)).replace(microsecond=0)
    office.write("soon-thing", date=soon.isoformat(), embargo="true")
    result = office.make("share", "RELEASE=soon-thing")
    for address in links(result).values():
        assert soon - timedelta(seconds=5) <= end(address) <= soon - timedelta(seconds=1)
        assert get(address)[0] == 200
    assert "before the release's date" in result.out
    assert office.make("share", "RELEASE=soon-thing", "REVOKE=1").status == 0
    (office.content / "soon-thing.md").unlink()


def test_link_is_refused_after_its_end(shared: Result, own: ObjectStore) -> None:
    key = urlsplit(links(shared)["PDF"]).path.removeprefix("/press-private/")
    status, headers, _ = get(own.presign(key, "private", 60, "x.pdf").address)
    link = own.presign(key, "private", 1, "x.pdf")
    assert (status, headers["content-disposition"]) == (200, 'attachment; filename="x.pdf"')
    time.sleep(max(0.0, (link.until - datetime.now(UTC)).total_seconds()) + 1.2)
    status, _, body = get(link.address)
    assert status == 403
    assert b"%PDF" not in body


def test_no_link_lives_longer_than_a_week(own: ObjectStore) -> None:
    link = own.presign("shared/x/1", "private", 30 * 24 * 3600)
    assert link.until == end(link.address)
    assert link.until <= datetime.now(UTC) + timedelta(days=7)
    assert not link.temporary


def test_link_by_temporary_keys_says_so(second_server: dict[str, str]) -> None:
    environ = second_server | {"AWS_SESSION_TOKEN": "for-an-hour"}
    assert open_store(destination(environ, Path("/nowhere")), environ).presign("x", "private", 60).temporary


def test_guess_is_refused(shared: Result, office: Office) -> None:
    """Without its signature, with another, for the next number, or at the address to come: nothing."""
    address = links(shared)["PDF"]
    plain = address.partition("?")[0]
    other = plain.rpartition("/")[0] + "/1"
    forged = address[:-1] + ("0" if address[-1] != "0" else "1")
    moved = address.replace(plain, other)
    for guess in (plain, other, forged, moved):
        assert get(guess)[0] == 403, guess.partition("?")[0]
    root = plain.partition("/press-private/")[0]
    assert get(f"{root}/press-private/?list-type=2&prefix=shared/")[0] == 403
    for suffix in ENDINGS:
        assert get(f"{root}/press/releases/secret-thing.{suffix}")[0] == get(f"{root}/press/releases/none.{suffix}")[0]
    assert not [key for key in office.files() if "secret" in key]


# ── The mark ────────────────────────────────────────────────────────────────────────────────────────────────────────


def pdf_pages(data: bytes) -> list[str]:
    with pypdfium2.PdfDocument(data) as document:
        return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


def test_every_format_is_marked(given: dict[str, bytes]) -> None:
    there = DATE.astimezone(LONDON)
    mark = f"{MARK} {there:%A}, {there.day} {there:%B %Y}, {there:%H:%M} ".casefold()
    for name, label in (("text", "Text"), ("pdf", "PDF"), ("docx", "Word"), ("html", "Page"), ("json", "Data")):
        words = " ".join(words_of(name, given[label])).casefold()
        assert mark in words, label
        assert OPEN.casefold() not in words, label


def test_mark_stands_on_every_page_of_the_pdf(given: dict[str, bytes]) -> None:
    pages = pdf_pages(given["PDF"])
    assert len(pages) > 2
    assert [page.count(MARK) for page in pages] == [1] * len(pages)


def test_mark_stands_on_every_page_of_the_word_file(given: dict[str, bytes]) -> None:
    """The first page has it in its text, all others in their header."""
    parts = docx_parts(given["Word"])
    assert MARK.casefold() in parts["word/document.xml"].casefold()
    assert any(MARK.casefold() in text.casefold() for name, text in parts.items() if "header" in name)


def test_record_is_marked_for_machines(given: dict[str, bytes]) -> None:
    assert datetime.fromisoformat(json.loads(given["Data"])["embargoedUntil"]) == DATE


def test_kit_holds_the_marked_files(given: dict[str, bytes]) -> None:
    with zipfile.ZipFile(io.BytesIO(given["Press kit"])) as kit:
        found = {Path(name).name: kit.read(name) for name in kit.namelist()}
    assert found["secret-thing.txt"] == given["Text"]
    assert found["secret-thing.pdf"] == given["PDF"]
    assert found["secret-thing.docx"] == given["Word"]
    assert found["tape.png"] == given["tape.png"]


def test_public_ones_carry_for_immediate_release(office: Office) -> None:
    """A release that was embargoed says so no more, once its date has come."""
    result = office.make("publish")
    base = f"{destination({}, office.folder).address}releases/open-thing"
    assert get(f"{base}.html")[0] == 200, result.text
    for name, suffix in (("text", "txt"), ("pdf", "pdf"), ("docx", "docx"), ("html", "html"), ("json", "json")):
        words = " ".join(words_of(name, get(f"{base}.{suffix}")[2])).casefold()
        assert OPEN.casefold() in words, suffix
        assert "embargo" not in words, suffix
    assert "embargoedUntil" not in json.loads(get(f"{base}.json")[2])


# ── Page and record ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_page_works_alone(given: dict[str, bytes]) -> None:
    """Style, faces and pictures are inside; nothing is loaded, no link leads to an address that is still to come."""
    page = given["Page"].decode()
    assert not re.findall(r'(?:src|srcset|href)="(?!data:|#|tel:|mailto:)[^"]*"', page)
    assert re.findall(r'url\((?!"?data:)', page) == []
    assert len(re.findall(r"@font-face", page)) >= 4
    assert page.count('src="data:image/') == 1
    assert "default-src 'none'" in page
    assert "<script" not in page
    assert "secret-thing" not in page
    assert "noindex" in page


def test_page_says_what_the_release_says(given: dict[str, bytes], office: Office) -> None:
    page = given["Page"].decode()
    waiting = (office.waiting / "releases/secret-thing.html").read_text("utf-8")
    waiting = re.sub(r'<span class="original">.*?</a></span>', "", waiting)
    article = re.compile(r'<div class="body">.*?</article>', re.DOTALL)
    ours, theirs = (text_of_html(article.search(source)[0]).split() for source in (page, waiting))  # type: ignore[index]
    assert len(ours) > 300
    assert ours == theirs
    for name in ("a", "div", "section", "span", "p", "ul"):
        assert len(re.findall(rf"<{name}[ >]", page)) == page.count(f"</{name}>"), name


def test_record_leads_to_the_shared_copies(given: dict[str, bytes], shared: Result) -> None:
    record = json.loads(given["Data"])
    named = {made["name"]: made for made in record["renditions"]}
    assert set(named) == {*(row.name for row in SHARED if row.name != "json"), "tape.png"}
    digests = {alt["role"]: alt["value"] for alt in record["altIds"]}
    for name, made in named.items():
        status, _, body = get(made["href"])
        assert (status, len(body)) == (200, made["sizeInBytes"]), name
        assert sha256(body).hexdigest() in digests.values(), name
    text = record["bodies"][0]["value"]
    [address] = re.findall(r'<img[^>]* src="([^"]+)"', text)
    assert get(html.unescape(address))[2] == given["tape.png"]
    assert "/press/" not in given["Data"].decode(), "no address that is still to come"


def test_faces_that_no_letter_needs_stay_out() -> None:
    sheet = b'@font-face { src: url("a.woff2"); unicode-range: U+0041-005A; }\n@font-face { src: url("b.woff2"); ' + (
        b"unicode-range: U+0400-052F; }\nbody { color: red }\n"
    )
    files = {"assets/page.css": sheet, "assets/a.woff2": b"A", "assets/b.woff2": b"B"}
    source = b'<!DOCTYPE html><head><link rel="stylesheet" href="../assets/page.css"></head><p>ABC &amp; &#x44;</p>'
    found = single_file_page.page(source, "releases/x.html", files.__getitem__).decode()
    assert "data:font/woff2;base64,QQ==" in found
    assert "Qg==" not in found
    assert "body { color: red }" in found
    assert found.startswith("<!DOCTYPE html>")
    assert "<p>ABC &amp; &#x44;</p>" in found


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("secret-thin", ("there is no content/secret-thin.md", "did you mean RELEASE=secret-thing?")),
        ("../x", ("there is no content/../x.md",)),
        ("", ("make share RELEASE=name",)),
        ("rough-thing", ("content/rough-thing.md:4: a draft cannot be shared",)),
        ("plain-thing", ("content/plain-thing.md:3: it is not marked", "write embargo: true")),
        ("open-thing", ("content/open-thing.md:3: its date has come", "make publish")),
        ("broken-thing", ("content/broken-thing.md: it was refused", "make check")),
    ],
)
def test_what_may_not_be_shared_is_refused(office: Office, slug: str, words: tuple[str, ...]) -> None:
    result = office.make("share", f"RELEASE={slug}")
    assert "dateline: exit 2" in result.err, result.text
    for each in words:
        assert each in result.err, result.text
    assert "http" not in result.text


def test_job_prints_no_links(office: Office) -> None:
    result = office.make("share", "RELEASE=secret-thing", CI="true", PRESS_STORE="embedded")
    assert "dateline: exit 2" in result.err
    assert "not available in CI" in result.err
    assert "X-Amz" not in result.text


def test_instant_that_is_upon_us_is_waited_for(office: Office) -> None:
    office.write("now-thing", date=(datetime.now(UTC) + timedelta(seconds=50)).isoformat(), embargo="true")
    result = office.make("share", "RELEASE=now-thing")
    (office.content / "now-thing.md").unlink()
    assert "content/now-thing.md:3: it becomes public within a minute" in result.err


def test_storage_that_lets_anyone_read_gets_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("secret-thing", date=DATE.isoformat(), embargo="true")
    with stores.rclone(tmp_path / "store", keys=False) as environ:
        result = office.make("share", "RELEASE=secret-thing", **environ)
        assert "dateline: exit 3 (storage)" in result.err, result.text
        assert "anonymous listing, private" in result.err
        store = open_store(destination(environ, Path("/nowhere")), environ)
        assert list(store.list("shared", "private")) == []


# ── Taking back ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_revoked_links_open_no_more(office: Office, shared: Result, own: ObjectStore) -> None:
    again = links(office.make("share", "RELEASE=secret-thing"))
    others = links(office.make("share", "RELEASE=other-thing"))
    assert set(again.values()).isdisjoint(links(shared).values())
    result = office.make("share", "RELEASE=secret-thing", "REVOKE=1")
    assert result.status == 0, result.text
    assert "14 files deleted" in result.out
    for address in (*links(shared).values(), *again.values()):
        status, _, body = get(address)
        assert status in (403, 404)
        assert len(body) < 1000
    assert get(others["PDF"])[0] == 200, "another release's links stay"
    assert "this release is not shared" in office.make("share", "RELEASE=secret-thing", "REVOKE=1").out
    assert office.make("share", "RELEASE=other-thing", "REVOKE=1").status == 0
    assert list(own.list("shared/", "private")) == []


def test_copies_of_a_run_that_was_killed_can_be_revoked(here: Destination, store: ObjectStore) -> None:
    """They are noted before the first goes up."""
    token, keys = sharing.new_keys(["a", "b"])
    now = datetime.now(UTC)
    puts = [Put(key=keys["a"], body=b"a", media_type="text/plain")]

    class Killed(Exception):  # noqa: N818
        pass

    def halfway() -> Iterator[Put]:
        store.put(puts[0], "private")
        raise Killed
        yield

    with pytest.raises(Killed):
        sharing.put_copies(store, "slug", sharing.SharedCopies(token, now, tuple(keys.values())), halfway(), now)
    assert list(store.list(f"shared/{token}/", "private")) == [keys["a"]]
    assert sharing.revoke(store, "slug") == 2
    assert list(store.list(f"shared/{token}/", "private")) == []
    assert sharing.revoke(store, "slug") == 0


def test_copies_whose_links_have_ended_go_with_the_next_sharing(store: ObjectStore) -> None:
    now = datetime.now(UTC)
    tokens = []
    for hours in (-1, 1):
        token, keys = sharing.new_keys(["a"])
        put = Put(key=keys["a"], body=b"a", media_type="text/plain")
        shared = sharing.SharedCopies(token, now + timedelta(hours=hours), tuple(keys.values()))
        sharing.put_copies(store, f"slug-{hours}", shared, [put], now - timedelta(hours=2) if hours < 0 else now)
        tokens.append(token)
    assert [len(list(store.list(f"shared/{token}/", "private"))) for token in tokens] == [0, 1]
    sharing.revoke(store, "slug-1")


def test_register_that_cannot_be_read_is_named(store: ObjectStore) -> None:
    store.put(Put(key=sharing.REGISTER, body=b"{", media_type="application/json"), "private")
    with pytest.raises(StorageError, match=r"shared\.json in the private bucket"):
        sharing.revoke(store, "slug")
    store.delete(sharing.REGISTER, "private")


@pytest.mark.parametrize(("ahead", "left"), [(timedelta(days=40), timedelta(days=7)), (timedelta(hours=1), None)])
def test_end_is_a_week_ahead_or_just_before_the_instant(ahead: timedelta, left: timedelta | None) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert sharing.end_of_link(now + ahead, now) == now + (left or ahead - timedelta(seconds=2))
