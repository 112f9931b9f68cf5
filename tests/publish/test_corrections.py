"""What is published stays true: corrections, earlier revisions and withdrawals, with the real store and a reader
without credentials."""

from __future__ import annotations

import json
import re
import shutil
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import feedparser
import pytest

from pipeline.validators.ninjs import load_validator
from tests.support.faulty import Exchange, proxy
from tests.support.formats import NAMES
from tests.support.newsroom import BackgroundPublish, Office, Result
from tests.support.observer import watched
from tests.support.public_http import get, last_written, manifest
from tests.support.sample import picture_bytes

FIRST, SECOND, THIRD, FOURTH = (f"2026-03-0{day}T09:00Z" for day in range(1, 5))


def corrections(*entries: tuple[str, str]) -> str:
    return "[" + ", ".join(f'{{date: {date}, note: "{note}"}}' for date, note in entries) + "]"


def published(office: Office, *said: str, here: dict[str, str] | None = None, status: int = 0) -> Result:
    result = office.make("publish", *said, **(here or {}))
    assert result.status == status, result.text
    return result


def at_rest(office: Office, base: str, here: dict[str, str] | None = None) -> None:
    """A publish after a publish writes nothing, and everything is as stated."""
    serial = manifest(base)["serial"]
    result = published(office, here=here)
    assert "nothing to do" in result.out, result.text
    assert manifest(base)["serial"] == serial
    assert office.make("verify", **(here or {})).status == 0


def record(base: str, slug: str) -> dict[str, Any]:
    found = json.loads(get(f"{base}releases/{slug}.json")[2])
    assert isinstance(found, dict)
    return found


def states(base: str, slug: str) -> list[dict[str, Any]]:
    return [each for each in record(base, slug).get("associations", ()) if each["rel"] == "earlier revision"]


def row(base: str, slug: str) -> dict[str, Any]:
    rows = manifest(base)["rows"]
    assert isinstance(rows, list)
    (found,) = (each for each in rows if each["slug"] == slug)
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The newsroom as it was published first; each test has a copy."""
    found = Office(tmp_path_factory.mktemp("corrections") / "office")
    found.write("tapes", title="Forty tapes", body="There are 40 tapes.\n\n![A square](shot.png)")
    (found.content / "tapes").mkdir()
    (found.content / "tapes" / "shot.png").write_bytes(picture_bytes())
    found.write("other", title="Another one", date="2026-02-05T09:00+00:00")
    published(found)
    found.end()
    return found


@pytest.fixture
def base(office: Office) -> str:
    return office.serve()


def revise(office: Office, number: int, *entries: tuple[str, str], **keys: str) -> None:
    more = {"corrections": corrections(*entries)} if entries else {}
    office.write(
        "tapes", title="Forty tapes", body=f"There are {number} tapes.\n\n![A square](shot.png)", **more, **keys
    )


# ── Three revisions and a withdrawal ────────────────────────────────────────────────────────────────────────────────


def test_a_release_through_three_revisions_and_a_withdrawal(office: Office, base: str) -> None:
    entries = [(SECOND, "There are 43 tapes."), (FIRST, "There are 42 tapes.")]
    one = {key: data for key, data in office.files().items() if key.startswith("releases/tapes")}
    guid = record(base, "tapes")["uri"]
    with watched(base):
        revise(office, 42, entries[1])
        published(office)
        at_rest(office, base)
        two = {key: get(base + key)[2] for key in one}
        revise(office, 43, *entries)
        published(office)
        at_rest(office, base)
        _three_revisions(office, base, one, two, guid)
        told = office.make("history", "RELEASE=tapes").out
        revise(office, 43, *entries, withdrawn=f'{{date: {THIRD}, reason: "There are none.", replaced_by: other}}')
        result = published(office)
        assert re.search("^remove +tapes", result.out, re.MULTILINE)
        at_rest(office, base)
    assert re.findall(r"revision \d: \w+", told) == [
        "revision 1: released",
        "revision 2: corrected",
        "revision 3: corrected",
    ]
    _withdrawn(office, base, one, guid)


def _three_revisions(office: Office, base: str, one: dict[str, bytes], two: dict[str, bytes], guid: str) -> None:
    now = record(base, "tapes")
    assert (now["version"], now["uri"], now["versionCreated"]) == ("3", guid, "2026-03-02T09:00:00+00:00")
    assert now["edNote"] == "Correction, 2 March 2026: There are 43 tapes."
    assert row(base, "tapes")["revision"] == 3
    ids = {each["role"]: each["value"] for each in now["altIds"]}
    for revision, before in ((1, one), (2, two)):
        for key, data in before.items():
            kept = f"releases/tapes/r{revision}/{key.rpartition('/')[2]}"
            found = get(base + kept)
            assert found[0] == 200, kept
            assert sha256(found[2]).hexdigest() == ids[f"sha256:{kept}"]
            if not key.endswith(".html"):
                assert found[2] == data, f"{kept} is the file that was public"
                assert found[1]["content-type"] == get(base + key)[1]["content-type"]
            assert office.public.joinpath(kept).read_bytes() == found[2], "on disk too"
    first, second = states(base, "tapes")
    assert [each["version"] for each in (first, second)] == ["1", "2"]
    assert (first.get("edNote", ""), second["edNote"]) == ("", "There are 42 tapes.")
    assert {each["name"] for each in first["renditions"]} >= {*NAMES, "shot.png"}
    assert load_validator(Path())(json.dumps(now).encode()) == []
    page = get(f"{base}releases/tapes.html")[2].decode()
    earlier = page.split('<section class="earlier">')[1].split("</section>")[0]
    assert earlier.index("Version 2, 1 March 2026") < earlier.index("Version 1, 5 January 2026")
    assert 'href="tapes/r1/tapes.pdf"' in earlier
    assert '"dateModified":"2026-03-02T09:00:00+00:00"' in page
    notes = ("Correction, 2 March 2026", "There are 43 tapes.", "Correction, 1 March 2026", "There are 42 tapes.")
    for text in (page, get(f"{base}releases/tapes.txt")[2].decode(), get(f"{base}feed.xml")[2].decode()):
        assert all(note in text for note in notes)
    entry = next(each for each in feedparser.parse(get(f"{base}feed.xml")[2]).entries if each.title == "Forty tapes")
    assert entry.id == guid
    _superseded(base)


def _superseded(base: str) -> None:
    """The page of the first revision says that it is not the newest, and leads where it led."""
    page = get(f"{base}releases/tapes/r1/tapes.html")[2].decode()
    assert "There are 40 tapes." in page
    assert '<meta name="robots" content="noindex">' in page
    assert "This is version 1. It was corrected on 1 March 2026." in page
    assert '<a href="../../tapes.html">Read the current version</a>' in page
    assert f'<link rel="canonical" href="{base}releases/tapes.html">' in page
    assert "&lt;article" not in page
    links = re.findall(r'(?:href|src)="([^"#:]+)"', page)
    assert len(links) > 10
    for link in links:
        assert get(urljoin(f"{base}releases/tapes/r1/tapes.html", link))[0] == 200, link
    assert 'href="tapes.pdf"' in page, "its own, not the newest"


def _withdrawn(office: Office, base: str, one: dict[str, bytes], guid: str) -> None:
    for key in one.keys() - {"releases/tapes.html", "releases/tapes.json"}:
        assert get(base + key)[0] != 200, key
    for revision in (1, 2):
        for key in one:
            assert get(f"{base}releases/tapes/r{revision}/{key.rpartition('/')[2]}")[0] != 200
    page = get(f"{base}releases/tapes.html")[2].decode()
    assert "Withdrawn, 3 March 2026" in page
    assert "There are none." in page
    assert re.search('href="other.html"[^>]*>Another one<', page)
    for gone in (
        "There are 43 tapes.",
        '<div class="body">',
        "tapes.pdf",
        "tapes.zip",
        "r1/",
        "shot.png",
        "immediate release",
    ):
        assert gone not in page, gone
    now = record(base, "tapes")
    assert (now["pubStatus"], now["version"], now["uri"]) == ("canceled", "4", guid)
    assert [each["name"] for each in now["renditions"]] == ["html"]
    assert {each["role"] for each in now["altIds"]} == {"sha256:releases/tapes.html"}
    assert [each["version"] for each in states(base, "tapes")] == ["1", "2", "3"]
    assert load_validator(Path())(json.dumps(now).encode()) == []
    (entry,) = (each for each in feedparser.parse(get(f"{base}feed.xml")[2]).entries if each.id == guid)
    assert entry.summary == "There are none."
    assert not entry.get("enclosures")
    assert "doomed" not in row(base, "tapes")
    here = {key for key in office.files() if key.startswith("releases/tapes")}
    assert here == {"releases/tapes.html", "releases/tapes.json"}
    told = office.make("history", "RELEASE=tapes").out
    assert "revision 4: withdrawn\n  There are none." in told
    refused = office.make("diff", "RELEASE=tapes")
    assert "tapes was withdrawn: its text is not public" in refused.err


# ── Words that were changed ─────────────────────────────────────────────────────────────────────────────────────────


def test_changed_words_need_a_correction_and_nothing_of_the_release_goes_up_without(office: Office, base: str) -> None:
    before = last_written(office, base)
    revise(office, 41)
    office.write("third", title="A third one", date="2026-02-06T09:00+00:00")
    for goal in ("check", "publish"):
        result = office.make(goal)
        assert result.status == 2
        assert "content/tapes.md:2: words were changed since it was published (revision 1)" in result.err
        assert "make diff RELEASE=tapes" in result.err
        assert "MINOR=1" in result.err
    assert get(f"{base}releases/third.pdf")[0] == 200, "the others go on"
    after = last_written(office, base)
    assert {key for key in before if after[key] != before[key] and "tapes" in key} == set()


def test_a_slip_of_the_pen_is_let_through_and_noted(office: Office, base: str) -> None:
    was = record(base, "tapes")
    revise(office, 41)
    assert "kept" not in published(office, "DRY_RUN=1", "MINOR=1").out
    assert b"There are 40 tapes." in get(f"{base}releases/tapes.txt")[2]
    assert office.make("publish").status == 2, "a dry run allows nothing"
    published(office, "MINOR=1")
    at_rest(office, base)
    now = record(base, "tapes")
    assert (now["version"], now["versionCreated"]) == (was["version"], was["versionCreated"])
    (state,) = states(base, "tapes")
    assert re.fullmatch(r"Revision 1, until a minor change on \d{4}-\d\d-\d\d", state["name"])
    assert "renditions" not in state
    assert "changed without a correction (MINOR=1)" in office.make("history", "RELEASE=tapes").out
    assert "earlier" not in get(f"{base}releases/tapes.html")[2].decode()


def test_what_is_no_word_of_the_release_needs_no_correction(office: Office, base: str) -> None:
    source = office.content / "tapes.md"
    source.write_text(source.read_text("utf-8").replace("title:", "topics: [news]\ntitle:"), "utf-8")
    published(office)
    assert record(base, "tapes")["version"] == "1"
    assert not states(base, "tapes")
    at_rest(office, base)


def test_what_a_correction_said_is_not_rewritten(office: Office, base: str) -> None:
    revise(office, 42, (FIRST, "There are 42 tapes."))
    published(office)
    revise(office, 42, (FIRST, "There were always 42 tapes."))
    refused = published(office, status=2)
    assert "content/tapes.md:4: words were changed since it was published (revision 2)" in refused.err
    assert "There are 42 tapes." in get(f"{base}releases/tapes.html")[2].decode()
    told = office.make("diff", "RELEASE=tapes").out
    assert "There [-are-] {+were always+} 42 tapes." in told, told
    published(office, "MINOR=1")
    assert "There were always 42 tapes." in get(f"{base}releases/tapes.html")[2].decode()
    assert row(base, "tapes")["revision"] == 2


def test_a_correction_that_is_taken_back_is_refused_and_rolling_back_is_a_correction_of_its_own(
    office: Office, base: str
) -> None:
    revise(office, 42, (FIRST, "There are 42 tapes."))
    published(office)
    serial = manifest(base)["serial"]
    revise(office, 40)  # as git revert leaves it
    for said in ((), ("MINOR=1",)):
        result = published(office, *said, status=2)
        assert "content/tapes.md:2: 1 correction is public, but none of them here" in result.err
    assert manifest(base)["serial"] == serial
    revise(office, 40, (FIRST, "There are 42 tapes."), (SECOND, "There are 40 after all."))
    published(office)
    assert int(str(manifest(base)["serial"])) > int(str(serial))
    assert row(base, "tapes")["revision"] == 3
    assert "There are 40 tapes." in get(f"{base}releases/tapes.txt")[2].decode()
    at_rest(office, base)


@pytest.mark.parametrize(
    ("date", "fault"),
    [
        ("2026-01-05T08:59Z", "corrections.date: before the release itself"),
        ("2036-01-01T09:00Z", "corrections.date: in the future"),
    ],
)
def test_a_correction_is_dated_after_what_it_corrects_and_not_ahead(
    office: Office, base: str, date: str, fault: str
) -> None:
    revise(office, 42, (date, "There are 42 tapes."))
    result = published(office, status=2)
    assert f"content/tapes.md:4: {fault}" in result.err


def test_what_was_withdrawn_comes_back_with_a_correction_alone(office: Office, base: str) -> None:
    revise(office, 40, withdrawn=f"{{date: {FIRST}, reason: A mistake.}}")
    published(office)
    revise(office, 40)
    result = published(office, "MINOR=1", status=2)
    assert "it was withdrawn publicly on 2026-03-01, but the source no longer says so" in result.err
    assert get(f"{base}releases/tapes.pdf")[0] != 200
    revise(office, 40, (SECOND, "It was withdrawn by mistake."))
    with watched(base):
        published(office)
    at_rest(office, base)
    assert get(f"{base}releases/tapes.pdf")[0] == 200
    assert (record(base, "tapes")["version"], record(base, "tapes")["pubStatus"]) == ("3", "usable")
    told = office.make("history", "RELEASE=tapes").out
    assert [what for what in ("released", "withdrawn", "published again") if f": {what}" in told] == [
        "released",
        "withdrawn",
        "published again",
    ]
    revise(office, 41, (SECOND, "It was withdrawn by mistake."), (THIRD, "There are 41."))
    published(office)
    at_rest(office, base)
    assert record(base, "tapes")["version"] == "4"
    assert get(f"{base}releases/tapes/r3/tapes.pdf")[0] == 200


def test_what_was_never_public_is_withdrawn_as_a_notice(office: Office, base: str) -> None:
    """A newsroom that moves to another storage has notices of what it withdrew long ago."""
    office.write("gone", withdrawn=f"{{date: {FIRST}, reason: Long ago.}}")
    published(office)
    assert "Long ago." in get(f"{base}releases/gone.html")[2].decode()
    assert record(base, "gone")["pubStatus"] == "canceled"
    assert get(f"{base}releases/gone.pdf")[0] != 200
    at_rest(office, base)


def test_a_fresh_clone_knows_earlier_revisions_and_sets_them_again(office: Office, base: str) -> None:
    revise(office, 42, (FIRST, "There are 42 tapes."))
    published(office)
    before = record(base, "tapes")
    shutil.rmtree(office.folder / "output")
    assert "nothing to do" in published(office).out
    source = office.content / "newsroom.toml"
    source.write_text(source.read_text("utf-8").replace("exists for tests", "exists for all tests"), "utf-8")
    published(office)
    after = record(base, "tapes")
    assert after["associations"] == before["associations"]
    revise(office, 43, (FIRST, "There are 42 tapes."), (SECOND, "There are 43 tapes."))
    shutil.rmtree(office.folder / "output")
    published(office)
    assert b"There are 42 tapes." in get(f"{base}releases/tapes/r2/tapes.txt")[2]
    assert b"There are 40 tapes." in get(f"{base}releases/tapes/r1/tapes.txt")[2]
    at_rest(office, base)


# ── Telling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_diff_shows_words_between_content_and_public_and_between_revisions(office: Office, base: str) -> None:
    revise(office, 42)
    result = office.make("diff", "RELEASE=tapes")
    assert result.status == 0
    assert "revision 1, public → content/tapes.md" in result.out
    assert "There are [-40-] {+42+} tapes." in result.out
    revise(office, 42, (FIRST, "There are 42 tapes."))
    published(office)
    out = office.make("diff", "RELEASE=content/tapes.md").out
    first, second = out.split("revision 2, public → content/tapes.md")
    assert "revision 1 → revision 2, public" in first
    assert "There are [-40-] {+42+} tapes." in first
    assert "{+Correction, 1 March 2026: There are 42 tapes.+}" in first
    assert "no word differs" in second


@pytest.mark.parametrize("command", ["history", "diff"])
def test_only_what_is_public_is_told_of(office: Office, base: str, command: str) -> None:
    office.write("tapes-secret", title="Secret", date="2036-01-01T09:00Z")
    published(office)
    waiting, unknown = (office.make(command, f"RELEASE={slug}") for slug in ("tapes-secret", "tapes-nowhere"))
    assert waiting.status == unknown.status == 2
    assert waiting.err.replace("secret", "nowhere") == unknown.err, "nobody learns from it that one of them exists"
    assert "tapes-nowhere is not public" in unknown.err
    assert "did you mean tapes?" in office.make(command, "RELEASE=tape").err
    assert "RELEASE is not set" in office.make(command).err


def test_history_names_every_public_file_with_its_digest(office: Office, base: str) -> None:
    revise(office, 42, (FIRST, "There are 42 tapes."))
    published(office)
    told = re.findall(r"^  ([0-9a-f]{64})  (\S+)$", office.make("history", "RELEASE=tapes").out, re.MULTILINE)
    assert len(told) == 2 * (len(NAMES) + 3), "the picture and its smaller copies are among them"
    for digest, key in told:
        assert sha256(get(base + key)[2]).hexdigest() == digest, key


# ── Rivals, and runs that were killed ───────────────────────────────────────────────────────────────────────────────


def killer(office: Office, ours: dict[str, str], method: str, part: str) -> None:
    """Run ``make publish`` and kill it with all it started when it sends the first such request."""
    hit, started = threading.Event(), threading.Event()
    with proxy(ours["AWS_ENDPOINT_URL_S3"]) as between:

        def kill(exchange: Exchange) -> None:
            started.wait()
            hit.set()
            job.kill()
            exchange.reset()

        between.add(method, part, kill)
        job = BackgroundPublish(office, **ours | {"AWS_ENDPOINT_URL_S3": between.endpoint})
        started.set()
        job.end()
    assert hit.is_set(), f"no {method} of {part} was sent"


def elsewhere(office: Office, ours: dict[str, str], bucket: str) -> dict[str, str]:
    """Prepare a bucket; by whatever way it is reached, it is the same newsroom."""
    here = ours | {"PRESS_BUCKET": bucket, "PRESS_BASE_URL": f"{ours['AWS_ENDPOINT_URL_S3']}/{bucket}/"}
    assert office.make("storage", **here).status == 0
    return here


def test_a_correction_killed_anywhere_is_finished_by_the_next_run(
    second_server: dict[str, str], tmp_path: Path
) -> None:
    """What is read meanwhile is old or new, and never broken."""
    office = Office(tmp_path / "office")
    here = elsewhere(office, second_server, "truth-corrected")
    office.write("tapes", body="There are 0 tapes.")
    published(office, here=here)
    points = ["/tapes/r1/tapes.docx", "manifest/2026"]  # `make sweep` has every request
    entries: list[tuple[str, str]] = []
    with watched(here["PRESS_BASE_URL"]):
        for number, part in enumerate(points, 1):
            entries.append((f"2026-03-{number:02}T09:00Z", f"There are {number}."))
            office.write("tapes", body=f"There are {number} tapes.", corrections=corrections(*entries))
            killer(office, here, "PUT", part)
            published(office, here=here)
            at_rest(office, here["PRESS_BASE_URL"], here)
            for revision in range(1, number + 1):
                kept = get(f"{here['PRESS_BASE_URL']}releases/tapes/r{revision}/tapes.txt")[2].decode()
                assert f"There are {revision - 1} tapes." in kept
    assert record(here["PRESS_BASE_URL"], "tapes")["version"] == str(len(points) + 1)


def test_a_withdrawal_killed_anywhere_is_finished_by_the_next_run(
    second_server: dict[str, str], tmp_path: Path
) -> None:
    """Also when the next one is on another machine, which has never seen the release."""
    office = Office(tmp_path / "office")
    here = elsewhere(office, second_server, "truth-withdrawn")
    base = here["PRESS_BASE_URL"]
    points = [("PUT", "releases/t0.json"), ("DELETE", "releases/t1/r1/")]
    note = corrections((FIRST, "Better."))
    for body, more in (("Words.", {}), ("Better words.", {"corrections": note})):
        for number in range(len(points)):
            office.write(f"t{number}", body=body, **more)
        published(office, here=here)
    with watched(base):
        for number, (method, part) in enumerate(points):
            gone = f"{{date: {SECOND}, reason: No.}}"
            office.write(f"t{number}", body="Better words.", corrections=note, withdrawn=gone)
            killer(office, here, method, part)
            if method == "DELETE":
                assert row(base, f"t{number}")["doomed"]
                shutil.rmtree(office.folder / "output")
            published(office, here=here)
            at_rest(office, base, here)
            for key in ("t{0}.pdf", "t{0}.txt", "t{0}.zip", "t{0}/r1/t{0}.pdf", "t{0}/r1/t{0}.json"):
                assert get(f"{base}releases/{key.format(number)}")[0] != 200, key
            assert "doomed" not in row(base, f"t{number}")


def test_of_two_corrections_of_one_release_one_wins_and_the_other_is_told_both(
    second_server: dict[str, str], tmp_path: Path
) -> None:
    left, right = Office(tmp_path / "left"), Office(tmp_path / "right")
    here = elsewhere(left, second_server, "truth-rivals")
    base = here["PRESS_BASE_URL"]
    left.write("tapes", body="There are 40 tapes.")
    published(left, here=here)
    for office, number in ((left, 41), (right, 42)):
        note = corrections((FIRST, f"There are {number}."))
        office.write("tapes", body=f"There are {number} tapes.", corrections=note)
        assert office.step("fetch", **here).status == 0
        assert office.make("renditions", **here).status == 0
    with watched(base):
        assert left.step("publish", **here).status == 0
        result = right.step("publish", **here)
    assert result.status == 4, result.text
    theirs = str(row(base, "tapes")["record"])
    assert re.search(
        rf"tapes: somebody else published other content .*record {theirs[:12]}; this one \w{{12}}", result.err
    )
    assert "There are 41 tapes." in get(f"{base}releases/tapes.txt")[2].decode()
    assert "There are 40 tapes." in get(f"{base}releases/tapes/r1/tapes.txt")[2].decode()
    refused = published(right, status=2, here=here)
    assert "words were changed since it was published (revision 2)" in refused.err
    at_rest(left, base, here)


def test_the_same_correction_from_two_machines_is_the_same_work(second_server: dict[str, str], tmp_path: Path) -> None:
    left, right = Office(tmp_path / "left"), Office(tmp_path / "right")
    here = elsewhere(left, second_server, "truth-same")
    left.write("tapes", body="There are 40 tapes.")
    published(left, here=here)
    for office in (left, right):
        office.write("tapes", body="There are 41 tapes.", corrections=corrections((FIRST, "There are 41.")))
        assert office.step("fetch", **here).status == 0
        assert office.make("renditions", **here).status == 0
    assert [office.step("publish", **here).status for office in (left, right)] == [0, 0]
    at_rest(right, here["PRESS_BASE_URL"], here)


def test_a_machine_that_pulls_what_another_published_does_not_bring_the_old_words_back(
    second_server: dict[str, str], tmp_path: Path
) -> None:
    desk, job = Office(tmp_path / "desk"), Office(tmp_path / "job")
    here = elsewhere(desk, second_server, "truth-pulled")
    base = here["PRESS_BASE_URL"]
    for office in (desk, job):
        office.write("tapes", title="Forty tapes")
        office.write("tapes-de", title="Vierzig", language="de", translation_of="tapes")
    published(desk, here=here)
    for office in (job, desk):
        note = corrections((FIRST, "Fifty."))
        office.write("tapes-de", title="Fünfzig", language="de", translation_of="tapes", corrections=note)
        published(office, here=here)
        at_rest(office, base, here)
    withdrawn = f"{{date: {SECOND}, reason: Wrong}}"
    desk.write("tapes", title="Forty tapes", withdrawn=withdrawn)  # the page of its translation is set again
    with watched(base):
        published(desk, here=here)
    assert "Fünfzig" in get(f"{base}releases/tapes-de.txt")[2].decode()
    assert row(base, "tapes-de")["revision"] == 2
    at_rest(desk, base, here)
