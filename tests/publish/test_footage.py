"""Footage files: with an ordinary release before its page, with a scheduled one after its words, and taken down."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pipeline.model.manifest import Manifest, digest
from pipeline.publish import staging, stored_footage
from pipeline.publish.commits import commit, read_manifest
from pipeline.publish.staging import read_staged
from pipeline.storage import Put
from tests.support.faulty import Exchange, Proxy, proxy, silence
from tests.support.films import CUES, FILM, POSTER, film, notice
from tests.support.instants import in_time, published
from tests.support.newsroom import NEWSROOM, BackgroundPublish, Office, clone, env_of, store_of
from tests.support.public_http import get, manifest

FILES = {FILM, POSTER, CUES}
STORED = f"s3://films/{FILM}"
HELD = 20
"""Seconds for which a proxy holds a request back, unless the test ends it."""
EARLIER, LATER = "2026-02-01T09:00+00:00", "2996-02-01T09:00+00:00"
DAY = datetime.fromisoformat(EARLIER)
sent: list[int] = []
"""Sizes of the bodies that went through ``gate``."""


def write(office: Office, slug: str, *, stored: str = "", expires: str = LATER, **keys: str) -> bytes:
    """Write a release with footage, and return its film; ``stored`` names one in the private bucket."""
    office.write(slug, **keys, footage=notice(office.content / slug, stored=stored, expires=expires))
    return b"" if stored else (office.content / slug / FILM).read_bytes()


def form(base: str, slug: str) -> str:
    """Return what the public page says of the film."""
    page = get(f"{base}releases/{slug}.html")[2].decode()
    words = {"<video": "there", "available in a moment": "coming", "no longer available": "gone"}
    return ", ".join(form for word, form in words.items() if word in page)


def statuses(base: str, slug: str) -> set[int]:
    """Return how the public addresses of the files answer."""
    return {get(f"{base}releases/{slug}/{file}")[0] for file in FILES}


def row(base: str, slug: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = manifest(base)["rows"]  # type: ignore[assignment]
    return next(each for each in rows if each["slug"] == slug)


def listed(base: str, slug: str) -> set[str]:
    """Return the files that the public record lists."""
    record = json.loads(get(f"{base}releases/{slug}.json")[2])
    return {each["href"].rpartition("/")[2] for each in record["renditions"]}


def at_rest(office: Office, **environ: str) -> None:
    """A publish after a publish writes nothing, and everything is as stated."""
    result = office.make("publish", **environ)
    assert "nothing to do" in result.out, result.text
    assert office.make("verify", **environ).status == 0


def until(job: BackgroundPublish, condition: Any) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, job.text
        assert job.process.poll() is None, job.text
        time.sleep(0.02)


@pytest.fixture
def gate(office: Office) -> Iterator[tuple[Proxy, dict[str, str]]]:
    """A proxy before the store of ``office``, and the settings by which it publishes through it."""
    assert office.make("serve").status == 0
    settings = env_of(office)

    def sends(exchange: Exchange) -> bool:
        sent.append(len(exchange.body))
        return False

    sent.clear()
    with proxy(settings["AWS_ENDPOINT_URL_S3"], sends) as found:
        yield found, settings | {"AWS_ENDPOINT_URL_S3": found.endpoint}


def test_the_files_of_a_release_are_public_until_they_expire_or_it_is_withdrawn(office: Office) -> None:
    body = write(office, "news")
    write(office, "other")
    base = published(office)
    assert get(f"{base}releases/news/{FILM}")[2] == body
    assert form(base, "news") == "there"
    assert listed(base, "news") >= FILES
    assert (office.public / "releases/news" / FILM).samefile(office.content / "news" / FILM)
    assert not {"footage_outdated", "expiring", "expired"} & row(base, "before").keys()
    at_rest(office)

    write(office, "news", expires=EARLIER)
    note = '\ncorrections:\n  - {date: 2026-03-01T09:00Z, note: "The number was wrong."}'
    write(office, "other", date="2026-01-05T09:00+00:00" + note, body="Another number.")
    result = office.make("publish")
    assert result.status == 0, result.text
    assert re.search(r"^remove +news +footage expired", result.out, re.MULTILINE)
    assert statuses(base, "news") == {404}
    assert form(base, "news") == "gone"
    assert not FILES & listed(base, "news")
    assert not (office.public / "releases/news" / FILM).exists()
    assert statuses(base, "other") == {200}
    assert statuses(base, "other/r1") == {404}, "earlier revisions keep no film"
    archived = get(f"{base}releases/other/r1/other.html")[2].decode()
    assert "The harbour at dawn." in archived
    assert "<video" not in archived
    assert not any(f'="{file}"' in archived or "FOOTAGE" in archived for file in FILES)
    at_rest(office)

    office.write("other", date="2026-01-05T09:00+00:00" + note, withdrawn="{date: 2026-03-02T09:00Z, reason: Wrong.}")
    published(office)
    assert statuses(base, "other") == {404}
    at_rest(office)

    keys = f"releases/news/{FILM}", "releases/other.pdf"
    for key in keys:
        store_of(office).put(Put(key=key, body=body, media_type="application/octet-stream"))
    result = office.make("verify")
    assert "exit 3 (storage)" in result.err
    assert f"{keys[0]} has expired, but is still public; {keys[1]} is withdrawn, but is still public" in result.err


def test_what_has_expired_is_public_again_when_its_end_is_moved_and_a_poster_that_is_a_picture_by_now_stays(
    office: Office,
) -> None:
    write(office, "news")
    write(office, "other")
    base = published(office)
    note = '\ncorrections:\n  - {date: 2026-03-01T09:00Z, note: "The film was withdrawn."}'
    office.write("other", date="2026-01-05T09:00+00:00" + note, body=f'![The quay.]({POSTER} "The quay.")')
    published(office)
    for slug in ("news", "other"):
        let_expire(office, slug)
    (office.content / "news.md").write_text("---\ntitle:\n---\nUnfinished.\n", "utf-8")
    assert office.make("publish").status == 2
    assert statuses(base, "news") == {404}
    assert get(f"{base}releases/other/{FILM}")[0] == 404
    assert get(f"{base}releases/other/{POSTER}")[0] == 200

    write(office, "news")
    published(office)
    assert form(base, "news") == "there"
    assert statuses(base, "news") == {200}
    at_rest(office)


def test_words_go_ahead_of_a_film_and_a_killed_run_sends_nothing_twice(
    office: Office, gate: tuple[Proxy, dict[str, str]]
) -> None:
    held, here = gate
    assert office.make("publish", **here).status == 0
    base = f"{held.endpoint}/{here['PRESS_BUCKET']}/"
    instant = in_time(3)
    body = write(office, "news", date=instant.isoformat())
    store = store_of(office)
    store.put(Put(key=STORED.removeprefix("s3://"), body=body, media_type="video/mp4"), "private")
    write(office, "tape", title="A tape", stored=STORED, date=instant.isoformat())
    held.always("PUT", f"news/{FILM}", silence(HELD))
    job = BackgroundPublish(office, "WAIT=15m", **here)
    try:
        job.until("scheduled before")
        staged = read_staged(store).releases["news"].films[f"releases/news/{FILM}"]
        assert staged.sha256 == digest(body)
        assert store.head(staged.name, "private")
        assert statuses(base, "news") | statuses(base, "tape") | {get(f"{base}releases/news.html")[0]} == {404}
        job.until("\nrelease news")
        late = re.search(r"^release news .* (\d+\.\d) s after its instant", job.text, re.MULTILINE)
        assert late, job.text
        until(job, lambda: held.busy)
        assert form(base, "news") == form(base, "tape") == "coming"
        assert get(f"{base}releases/news/{FILM}")[0] == 404
        assert not FILES & listed(base, "news")
        assert office.make("verify", **here).status == 0, "what is public is whole"
    finally:
        job.kill()
    held.mend()
    sent.clear()
    result = office.make("publish", **here)
    assert result.status == 0, result.text
    assert re.search(r"^release news .* 3 footage files .* after its instant|late", result.out, re.MULTILINE), (
        result.text
    )
    for slug in ("news", "tape"):
        assert get(f"{base}releases/{slug}/{FILM}")[2] == body
        assert form(base, slug) == "there"
    at_rest(office, **here)
    assert not list(store.list(staging.FOLDER, "private"))
    assert store.head(STORED.removeprefix("s3://"), "private"), "who put it there may delete it"
    assert len(body) not in sent, "the film is copied inside the storage"


def test_a_film_is_approved_with_the_words_and_no_lack_of_approval_keeps_it_public(tmp_path: Path) -> None:
    settings = NEWSROOM.replace("[organisation]", "[organisation]\napprovals = 1", 1)
    office = Office(tmp_path / "office", newsroom=settings)
    key = signing_key(office, tmp_path)
    try:
        body = write(office, "news")
        assert "0 of 1 approval" in office.make("publish").err
        result = office.make("approve", "RELEASE=news", PRESS_SIGNING_KEY=key)
        assert result.status == 0, result.text
        assert re.search(rf"{FILM} +\d+ KB +{digest(body)[:16]}", result.out), result.text
        base = published(office)
        assert get(f"{base}releases/news/{FILM}")[2] == body
        assert form(base, "news") == "there"
        assert digest(body).encode() in get(f"{base}releases/news.statement")[2]
        write(office, "old", title="An old film", expires=EARLIER)
        assert office.make("publish").status == 2
        assert office.make("approve", "RELEASE=old", PRESS_SIGNING_KEY=key).status == 0
        published(office)
        assert digest((office.content / "old" / FILM).read_bytes()).encode() in get(f"{base}releases/old.statement")[2]
        at_rest(office)
        write(office, "news", body="Nobody approved this.")
        let_expire(office, "news")
        result = office.make("publish", "MINOR=1")
        assert "0 of 1 approval" in result.err, result.text
        assert statuses(base, "news") == {404}
        assert office.make("verify").status == 0
    finally:
        office.end()


def let_expire(office: Office, slug: str) -> None:
    """Make what is public of a release as if the instant had passed at which its footage expires."""

    def change(now: Manifest) -> Manifest:
        rows = [replace(each, expiring=dict.fromkeys(each.expiring, DAY)) for each in now.rows if each.slug == slug]
        return replace(now, rows=(*rows, *(each for each in now.rows if each.slug != slug)))

    store = store_of(office)
    commit(store, read_manifest(store), change)


def signing_key(office: Office, folder: Path) -> str:
    """Write a key that signs for ``office``, and return the path of its file."""
    key = folder / "ada@example.org"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    line = f'{key.name} namespaces="press-release" {key.with_suffix(".org.pub").read_text("utf-8")}'
    (office.content / "signers").write_text(line, "utf-8")
    return str(key)


def test_a_film_in_the_private_bucket_is_read_once_and_copied(
    office: Office, gate: tuple[Proxy, dict[str, str]], tmp_path: Path
) -> None:
    _, here = gate
    store, body = store_of(office), film(tmp_path / FILM).read_bytes()
    write(office, "news", stored=STORED)
    result = office.make("publish", **here)
    assert result.status == 2
    assert re.search(rf"^content/news.md:\d+: not in the private bucket: {STORED}", result.err, re.MULTILINE), (
        result.text
    )
    store.put(Put(key=STORED.removeprefix("s3://"), body=body, media_type="application/octet-stream"), "private")
    result = office.make("publish", **here)
    assert result.status == 0, result.text
    base = f"{here['AWS_ENDPOINT_URL_S3']}/{here['PRESS_BUCKET']}/"
    status, headers, public = get(f"{base}releases/news/{FILM}")
    assert (status, headers["content-type"], public) == (200, "video/mp4", body)
    assert len(body) not in sent
    at_rest(office, **here)
    told = store.get(stored_footage.KEY, "private")
    assert told
    assert digest(body).encode() in told.body

    other = clone(office, tmp_path / "other")
    other.write("words", title="Other words")
    sent.clear()
    assert other.make("publish", **here).status == 0
    assert other.make("verify", **here).status == 0

    cut = film(tmp_path / FILM, seconds=1).read_bytes()
    store.put(Put(key=STORED.removeprefix("s3://"), body=cut, media_type="video/mp4"), "private")
    at_rest(office, **here)  # what is public stays, until its source says something else
    note = '\ncorrections:\n  - {date: 2026-03-01T09:00Z, note: "The film was cut."}'
    write(office, "news", stored=STORED, date="2026-01-05T09:00+00:00" + note)
    assert office.make("publish", **here).status == 0
    assert get(f"{base}releases/news/{FILM}")[2] == cut
    at_rest(office, **here)

    store.delete(STORED.removeprefix("s3://"), "private")
    third = clone(office, tmp_path / "third")
    write(
        third, "news", stored=STORED, date=f"2026-01-05T09:00+00:00{note}\n  - {{date: 2026-03-02T09:00Z, note: No.}}"
    )
    result = third.make("publish", **here)
    assert result.status == 0, result.text
    assert get(f"{base}releases/news/{FILM}")[2] == cut, "what is public is not needed any more where it came from"
