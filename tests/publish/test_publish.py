"""Publishing as its users meet it: make, the real embedded store, and a reader without credentials."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.storage import Put
from tests.support.formats import ENDINGS, STATED_ENDINGS
from tests.support.instants import in_time, published, sleep_past
from tests.support.newsroom import SAMPLE, Office, settings, store_of, working_in
from tests.support.public_http import NOBODY, address_of, get, last_written, manifest
from tests.support.syndication import three


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("publish") / "office")
    found.write("one", title="The first one")
    found.write("two", title="The second one", date="2026-02-05T09:00+00:00")
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def base(office: Office) -> str:
    """The address of the newsroom, published once."""
    return published(office)


def shape(body: bytes, name: str) -> str:
    """Return a refusal without what differs between any two requests."""
    return re.sub(r"<RequestId>\w*</RequestId>", "", body.decode().replace(name, "NAME"))


def test_every_format_is_served_with_its_type_without_credentials(base: str) -> None:
    due = {
        "releases/one.pdf": "application/pdf",
        "releases/one.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "releases/one.zip": "application/zip",
        "releases/one.html": "text/html; charset=utf-8",
        "releases/one.txt": "text/plain; charset=utf-8",
        "releases/one.json": "application/json",
        "feed.xml": "application/rss+xml; charset=utf-8",
        "atom.xml": "application/atom+xml; charset=utf-8",
        "feed.json": "application/feed+json",
        "index.html": "text/html; charset=utf-8",
        "media-contact.html": "text/html; charset=utf-8",
        "media-contact.txt": "text/plain; charset=utf-8",
        "media-contact.vcf": "text/vcard; charset=utf-8",
        "manifest.json": "application/json",
    }
    for key, media_type in due.items():
        status, headers, body = get(base + key)
        assert (status, headers["content-type"]) == (200, media_type), key
        assert body


def test_downloads_have_a_name_and_caches_a_rule(base: str) -> None:
    assert get(f"{base}releases/one.docx")[1]["content-disposition"] == 'attachment; filename="one.docx"'
    assert get(f"{base}releases/one.zip")[1]["content-disposition"] == 'attachment; filename="one.zip"'
    assert "content-disposition" not in get(f"{base}releases/one.html")[1]
    assert "max-age=60" in get(f"{base}releases/one.pdf")[1]["cache-control"]
    page = get(f"{base}index.html")[2].decode()
    style = re.search(r'href="(assets/page\.[0-9a-f]+\.css)"', page)
    assert style
    assert "immutable" in get(base + style[1])[1]["cache-control"]


def test_every_file_of_the_output_is_public_with_the_same_bytes(office: Office, base: str) -> None:
    for key, data in office.files().items():
        assert get(base + key)[::2] == (200, data), key


def test_chain_of_digests_leads_from_the_manifest_to_every_file(base: str) -> None:
    from hashlib import sha256

    rows = manifest(base)["rows"]
    assert isinstance(rows, list)
    assert [row["slug"] for row in rows] == ["two", "one"], "newest first"
    for row in rows:
        record = get(f"{base}releases/{row['slug']}.json")[2]
        assert sha256(record).hexdigest() == row["record"]
        ids = {alt["role"]: alt["value"] for alt in json.loads(record)["altIds"]}
        for suffix in STATED_ENDINGS:
            key = f"releases/{row['slug']}.{suffix}"
            assert sha256(get(base + key)[2]).hexdigest() == ids[f"sha256:{key}"]


def test_anonymous_clients_may_not_list_or_write(base: str) -> None:
    assert get(base)[0] in (403, 404)
    request = urllib.request.Request(f"{base}evil.html", data=b"x", method="PUT")
    with pytest.raises(urllib.error.HTTPError) as refused:
        NOBODY.open(request, timeout=20)
    with refused.value as answer:
        assert answer.code == 403


def test_second_run_writes_nothing_and_says_so(office: Office, base: str) -> None:
    serial, written = manifest(base)["serial"], last_written(office, base)
    result = office.make("publish")
    assert result.status == 0
    assert "nothing to do" in result.out
    assert "upload" not in result.out
    assert manifest(base)["serial"] == serial
    assert last_written(office, base) == written


def test_dry_run_prints_the_plan_with_reasons_and_writes_nothing(office: Office, base: str) -> None:
    source = office.content / "one.md"
    text = source.read_text("utf-8")
    source.write_text(text + "\nFor the dry run.\n", "utf-8")
    before = manifest(base)
    result = office.make("publish", "DRY_RUN=1", "MINOR=1")
    assert result.status == 0, result.text
    assert re.search(r"changed +releases/one\.pdf +\d+ KB +application/pdf", result.out)
    assert re.search(r"changed +feed\.xml", result.out)
    assert "releases/two" not in result.out
    assert "nothing was written" in result.out
    assert manifest(base) == before
    assert b"dry run" not in get(f"{base}releases/one.txt")[2]
    source.write_text(text, "utf-8")
    assert "nothing to do" in office.make("publish").out


def test_edited_release_sends_its_files_and_the_listings_alone(office: Office, base: str) -> None:
    office.make("publish")
    before = {key: get(base + key)[2] for key in office.files()}
    source = office.content / "one.md"
    source.write_text(source.read_text("utf-8") + "\nA sentence more.\n", "utf-8")
    result = office.make("publish", "MINOR=1")
    assert result.status == 0, result.text
    changed = {key for key in office.files() if get(base + key)[2] != before.get(key)}
    assert {f"releases/one.{suffix}" for suffix in ENDINGS if suffix != "png"} <= changed, "its card says the same"
    assert changed <= {f"releases/one.{suffix}" for suffix in ENDINGS} | {
        *three("", "lang/en-GB"),
        "index.html",
        "archive/2026.search.json",
    }
    assert office.make("verify").status == 0


def test_fresh_clone_renders_nothing_that_is_published(office: Office, base: str) -> None:
    office.make("publish")
    shutil.rmtree(office.folder / "output")
    for path in [*office.folder.rglob("*.md"), *office.folder.rglob("*.py")]:
        if path.name != "install.py":  # newer, it would have the libraries installed again
            path.touch()
    serial = manifest(base)["serial"]
    result = office.make("publish")
    assert result.status == 0, result.text
    assert "nothing to do" in result.out
    assert not list(office.public.glob("releases/*"))
    assert not list(office.public.glob("*.*")), "the first publication has told what the listings show"
    source = office.write("three", title="The third one", date="2026-03-05T09:00+00:00")
    result = office.make("publish")
    assert result.status == 0, result.text
    made = {path.name for path in office.public.glob("releases/*.*")}
    assert made == {f"{slug}.{suffix}" for slug in ("two", "three") for suffix in ENDINGS}, "and the page next to it"
    assert int(str(manifest(base)["serial"])) > int(str(serial))
    index = get(f"{base}index.html")[2].decode()
    assert all(f"releases/{slug}.html" in index for slug in ("one", "two", "three"))
    assert get(f"{base}feed.xml")[2].decode().count("<item>") == 3
    source.unlink()
    result = office.make("publish")
    assert result.status == 0
    assert "warning: public, but not in content/: three" in result.err
    assert get(f"{base}releases/three.pdf")[0] == 200, "nothing is deleted because it is absent"


def test_a_listing_that_somebody_altered_is_put_right_with_the_next_release(office: Office, base: str) -> None:
    """It shows nothing new, so it would not be rendered: listings are looked at while the stages render."""
    key = "media-contact.txt"
    right = get(base + key)[2]
    store_of(office).put(Put(key=key, body=b"Call somebody else", media_type="text/plain; charset=utf-8"))
    office.write("beside-an-altered-one", title="Beside an altered listing", date="2026-03-01T09:00+00:00")
    published(office)
    assert get(base + key)[2] == right


def test_the_manifest_says_that_all_is_up_to_date_only_where_it_is(office: Office, base: str) -> None:
    office.make("publish")
    assert manifest(base)["up_to_date"]
    beside = office.write("beside-a-refused-one", title="Beside a refused one", date="2026-03-05T09:00+00:00")
    source = office.write("refused", title="Refused", date="2026-03-06T09:00+00:00", colour="blue")
    assert office.make("publish").status != 0
    assert get(f"{base}releases/{beside.stem}.html")[0] == 200
    assert "up_to_date" not in manifest(base)
    source.unlink()
    office.write("all-is-well-again", title="All is well again", date="2026-03-07T09:00+00:00")
    office.make("publish")
    assert manifest(base)["up_to_date"]


def test_nobody_can_tell_that_a_scheduled_release_exists(office: Office, base: str) -> None:
    ahead = (datetime.now(UTC) + timedelta(hours=3)).isoformat(timespec="seconds")
    source = office.write("secret-merger", title="Secret merger", date=ahead, embargo="true")
    result = office.make("publish")
    assert result.status == 0, result.text
    assert "secret" not in result.text.lower(), "no name of what waits in a log"
    assert "1 scheduled, at" in result.out
    assert not any("secret" in key for key in office.files())
    scheduled = {path.name for path in office.waiting.glob("releases/*.*")}
    assert scheduled == {f"secret-merger.{suffix}" for suffix in ENDINGS}
    assert b"EMBARGOED UNTIL" in (office.waiting / "releases/secret-merger.txt").read_bytes()
    assert office.waiting.stat().st_mode & 0o077 == 0
    for suffix in ENDINGS:
        refused, nobody = get(f"{base}releases/secret-merger.{suffix}"), get(f"{base}releases/no-such-name.{suffix}")
        assert refused[0] == nobody[0] != 200
        assert shape(refused[2], "secret-merger") == shape(nobody[2], "no-such-name")
    for key in ("index.html", "feed.xml", "manifest.json"):
        assert b"ecret" not in get(base + key)[2]
    assert "nothing to do" in office.make("publish").out
    status = office.make("status").out
    assert "scheduled, in 3 h 0 min" in status or "scheduled, in 2 h 59 min" in status
    assert "secret" not in status, "a log may not read the name"
    past = source.read_text("utf-8").replace(ahead, "2026-01-01T00:00+00:00")
    source.write_text(past, "utf-8")
    result = office.make("publish")
    assert result.status == 0, result.text
    assert b"FOR IMMEDIATE RELEASE" in get(f"{base}releases/secret-merger.txt")[2]
    assert not list(office.waiting.glob("releases/*")), "what is public does not wait any more"


def test_release_goes_public_by_itself_once_its_instant_has_come(office: Office, base: str) -> None:
    instant = in_time()
    office.write("soon", title="Soon", date=instant.isoformat(timespec="seconds"))
    published(office)
    assert get(f"{base}releases/soon.html")[0] != 200
    sleep_past(instant)
    result = office.make("publish")
    assert result.status == 0, result.text
    assert get(f"{base}releases/soon.html")[0] == 200


def test_draft_is_rendered_and_never_uploaded(office: Office, base: str) -> None:
    office.write("sketch", title="A sketch", draft="true")
    assert office.make("publish").status == 0
    assert (office.waiting / "releases/sketch.pdf").is_file()
    assert get(f"{base}releases/sketch.pdf")[0] != 200
    (office.content / "sketch.md").unlink()


def test_broken_release_is_refused_and_the_good_ones_are_published(office: Office, base: str) -> None:
    one = get(f"{base}releases/one.txt")[2]
    good = (office.content / "one.md").read_text("utf-8")
    (office.content / "one.md").write_text(good.replace("title:", "titel:"), "utf-8")
    office.write("four", title="The fourth one", date="2026-04-05T09:00+00:00")
    result = office.make("publish")
    assert result.status == 2
    assert "content/one.md:2: titel" in result.err
    assert result.err.count("content/one.md:2: titel") == 1, "told once"
    assert "title" in result.err
    assert "dateline: exit 2 (release)" in result.err
    assert "Traceback" not in result.text
    assert get(f"{base}releases/four.pdf")[0] == 200
    assert get(f"{base}releases/one.txt")[2] == one, "what was public stays as it was"
    (office.content / "one.md").write_text(good, "utf-8")
    assert office.make("publish").status == 0


def test_store_that_was_stopped_is_started_again_at_the_same_address(office: Office, base: str) -> None:
    assert "stopped" in office.make("stop").out
    with pytest.raises(urllib.error.URLError):
        get(f"{base}index.html")
    assert address_of(office.make("serve").out) == base
    assert get(f"{base}index.html")[0] == 200
    assert "nothing to do" in office.make("publish").out


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """The newsroom that comes with the project, published."""
    found = Office(tmp_path_factory.mktemp("sample") / "office")
    shutil.rmtree(found.content)
    shutil.copytree(SAMPLE, found.content)
    try:
        result = found.make("publish")
        assert result.status == 0, result.text
        yield found, address_of(result.out)
    finally:
        found.end()


def test_release_of_1999_has_its_footage_notice_in_every_format(sample: tuple[Office, str], tmp_path: Path) -> None:
    from zipfile import ZipFile

    import pypdfium2

    _, base = sample
    texts = {suffix: get(f"{base}releases/south-korea-first-year.{suffix}")[2] for suffix in ENDINGS}
    document = pypdfium2.PdfDocument(texts["pdf"])
    read = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    (tmp_path / "x.docx").write_bytes(texts["docx"])
    word = re.sub(r"<[^>]+>", "", ZipFile(tmp_path / "x.docx").read("word/document.xml").decode())
    feed = get(f"{base}feed.xml")[2].decode()
    for text in (read, word, texts["html"].decode(), texts["txt"].decode(), texts["json"].decode(), feed):
        plain = text.replace("\u00a0", " ")
        assert "Beta SP" in plain
        assert "+44 117 930 4099" in plain
        assert "September 1998" in plain
        assert "Pierre Sané" in plain


def test_translation_and_original_lead_to_each_other(sample: tuple[Office, str]) -> None:
    _, base = sample
    original = get(f"{base}releases/south-korea-first-year.html")[2].decode()
    translation = get(f"{base}releases/south-korea-first-year-ar.html")[2].decode()
    assert "south-korea-first-year-ar.html" in original
    assert 'href="south-korea-first-year.html"' in translation
    assert 'dir="rtl"' in translation
    assert 'hreflang="ar"' in original


def test_a_second_release_with_an_equal_headline_and_date_is_published_with_a_warning(tmp_path: Path) -> None:
    office = Office(tmp_path / "twins")
    try:
        office.write("one")
        assert office.make("publish").status == 0
        office.write("two")
        result = office.make("publish")
        assert result.status == 0, result.text
        assert "content/two.md:2: warning: the same headline and date as content/one.md" in result.err
        assert (office.public / "releases/two.pdf").is_file()
    finally:
        office.end()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom that was rendered for its store and is not public yet; each test has a copy."""
    office = Office(tmp_path_factory.mktemp("rendered") / "office")
    office.write("harvest", title="The harvest of the year")
    office.serve()
    result = office.make("render")
    office.end()
    assert result.status == 0, result.text
    return office


def cut_short(office: Office) -> None:
    file = office.public / "releases" / "harvest.pdf"
    file.write_bytes(file.read_bytes()[:-1])


def remove_a_format(office: Office) -> None:
    (office.public / "releases" / "harvest.txt").unlink()


def schedule(office: Office) -> None:
    office.write("winter", title="The plans for winter", date="2099-01-05T09:00+00:00")
    assert office.make("render").status == 0


def remove_style_sheets(office: Office) -> None:
    for file in office.public.glob("assets/*.css"):
        file.unlink()


@pytest.mark.parametrize(
    ("change", "renders"),
    [(None, False), (remove_style_sheets, False), (cut_short, True), (remove_a_format, True), (schedule, True)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_stage_is_started_when_all_is_rendered_and_the_result_is_the_same(
    rendered: Office, tmp_path: Path, change: Callable[[Office], None] | None, renders: bool
) -> None:
    office = rendered.copy(tmp_path / "office")
    if change:
        change(office)
    try:
        base = published(office)
        stamps = [path.name for path in (office.folder / "output" / ".work").glob("publish-*/*")]
        assert bool(stamps) == renders, stamps
        files = office.files()
        assert {key for key in files if key.startswith("assets/")} == set(manifest(base)["assets"])  # type: ignore[call-overload]
        for key, data in files.items():
            assert get(base + key)[::2] == (200, data), key
        assert set(files) >= {f"releases/harvest.{ending}" for ending in ENDINGS}
    finally:
        office.end()


@pytest.mark.parametrize(("stages", "status"), [("false", 1), ("sh -c 'kill -9 $$'", 137)], ids=["fails", "killed"])
def test_nothing_is_published_where_a_stage_cannot_do_its_work(
    rendered: Office, tmp_path: Path, stages: str, status: int
) -> None:
    office = rendered.copy(tmp_path / "office")
    cut_short(office)
    try:
        address = office.serve()
        result = office.step("publish", "--stages", stages)
        assert (result.status, "upload" in result.text) == (status, False), result.text
        assert get(f"{address}manifest.json")[0] == 404
        assert "1 release published" in office.make("publish").out, "the next run does all of it"
    finally:
        office.end()


def is_sleeping(office: Office) -> bool:
    return any(line.startswith("sleep 600") for line in working_in(office.folder))


@pytest.mark.parametrize(
    ("number", "to_all", "status"),
    [(signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)],
    ids=["Ctrl+C", "a job that is cancelled"],
)
def test_stages_end_with_the_process_that_publishes(
    rendered: Office, tmp_path: Path, number: int, to_all: bool, status: int
) -> None:
    office = rendered.copy(tmp_path / "office")
    cut_short(office)
    office.serve()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "publish", "--stages", "sleep 600"],
            cwd=office.folder,
            env=settings(),
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # what runs in the background ignores it
        )
        # It looks ahead in a thread when all else is ready
        while len(list(Path(f"/proc/{process.pid}/task").iterdir())) < 2 or not is_sleeping(office):
            assert process.poll() is None
            time.sleep(0.01)
        (os.killpg if to_all else os.kill)(process.pid, number)
        _, told = process.communicate(timeout=120)
        assert (process.returncode, "Traceback" in told) == (status, False), told
        assert not is_sleeping(office)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        office.end()


def test_make_n_publishes_nothing(rendered: Office, tmp_path: Path) -> None:
    office = rendered.copy(tmp_path / "office")
    try:
        result = office.make("-n", "publish")
        assert (result.status, "-m pipeline" in result.out) == (0, True)
        assert working_in(office.folder / ".store") == [], "not even the store was started"
    finally:
        office.end()
