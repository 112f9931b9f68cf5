"""What a person reads last: the refusal and its remedy, or the address, which shows what was published."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faulty import Exchange, Proxy, proxy
from tests.support.newsroom import NEWSROOM, ROOT, Office, Result
from tests.support.public_http import get

OWN = NEWSROOM.replace("example.org", "test-office.eu")


@pytest.fixture(scope="module")
def ours(second_server: dict[str, str]) -> dict[str, str]:
    """A storage of these tests' own, where samples are refused."""
    return {**second_server, "PRESS_BUCKET": "last-lines", "PRESS_ALLOW_SAMPLES": ""}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, ours: dict[str, str]) -> Office:
    """A newsroom of one's own, published there."""
    found = Office(tmp_path_factory.mktemp("last") / "office", newsroom=OWN)
    found.write("ferry", title="The ferry sails", body="It carries 40 people.")
    assert found.make("storage", **ours).status == 0
    result = found.make("publish", **ours)
    assert result.status == 0, result.text
    return found


@pytest.fixture(scope="module")
def front(ours: dict[str, str]) -> Iterator[Proxy]:
    with proxy(ours["AWS_ENDPOINT_URL_S3"]) as found:
        yield found


@pytest.fixture
def cdn(front: Proxy) -> Proxy:
    """A server between readers and the storage, at one address for all tests: another would be rendered anew."""
    front.count_anew()
    return front


def behind(cdn: Proxy, ours: dict[str, str]) -> dict[str, str]:
    return {**ours, "PRESS_BASE_URL": f"{cdn.endpoint}/{ours['PRESS_BUCKET']}/"}


def read_last(result: Result) -> list[str]:
    """Return the lines on standard error, without those of make and the one that names the exit status."""
    return [line for line in result.err.splitlines() if not line.startswith(("make", "dateline: exit"))]


# ── The address ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_address_that_is_printed_was_asked_for_what_was_published(
    office: Office, ours: dict[str, str], cdn: Proxy
) -> None:
    result = office.make("publish", **behind(cdn, ours))
    assert result.status == 0, result.text
    assert result.out.splitlines()[-2:] == [
        "1 release published at",
        f"{behind(cdn, ours)['PRESS_BASE_URL']}index.html",
    ]
    assert ("GET", "/last-lines/manifest.json") in cdn.seen
    assert office.make("verify", **behind(cdn, ours)).status == 0


def missing(exchange: Exchange) -> None:
    exchange.answer(404, [("Content-Length", "0")], b"")


def moved(exchange: Exchange) -> None:
    exchange.answer(301, [("Location", "https://news.example/manifest.json"), ("Content-Length", "0")], b"")


def of_another(exchange: Exchange) -> None:
    exchange.answer(200, [("Content-Length", "14")], b'{"serial": 99}')


def not_ours(exchange: Exchange) -> None:
    exchange.answer(200, [("Content-Length", "6")], b"<html>")


def before(exchange: Exchange) -> None:
    exchange.answer(200, [("Content-Length", "13"), ("Cache-Control", "max-age=60"), ("Age", "60")], b'{"serial": 1}')


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (missing, "manifest.json answers 404"),
        (moved, "manifest.json is redirected to https://news.example/manifest.json"),
        (of_another, "manifest.json there is not the one of this newsroom"),
        (not_ours, "manifest.json there is not the one of this newsroom"),
        (before, "it still has the state before (serial 1, not "),
    ],
)
def test_an_address_that_does_not_show_it_is_no_success(
    office: Office, ours: dict[str, str], cdn: Proxy, fault: object, told: str
) -> None:
    office.make("publish", **behind(cdn, ours))
    cdn.add("GET", "manifest.json", fault)  # type: ignore[arg-type]  # one of the functions above
    result = office.make("publish", **behind(cdn, ours))
    address = behind(cdn, ours)["PRESS_BASE_URL"]
    assert result.status == 2
    assert "dateline: exit 3 (storage)" in result.err
    message, hint = read_last(result)[-2:]
    assert message.startswith(f"uploaded and verified at the storage; {address} does not show it yet: {told}")
    assert "PRESS_BASE_URL" in hint
    assert "published at" not in result.out


def test_a_cache_is_given_the_time_for_which_it_may_keep_the_state_before(
    office: Office, ours: dict[str, str], cdn: Proxy
) -> None:
    office.make("publish", **behind(cdn, ours))

    def kept(exchange: Exchange) -> None:
        exchange.answer(200, [("Content-Length", "13"), ("Cache-Control", "max-age=60")], b'{"serial": 1}')

    cdn.add("GET", "manifest.json", kept)
    result = office.make("publish", **behind(cdn, ours))
    assert result.status == 0, result.text
    assert [path for _, path in cdn.seen].count("/last-lines/manifest.json") >= 3


def test_an_address_where_nobody_answers_is_no_success(office: Office, ours: dict[str, str]) -> None:
    result = office.make("publish", **{**ours, "PRESS_BASE_URL": "http://127.0.0.1:9/news/"})
    assert "dateline: exit 3 (storage)" in result.err
    assert "http://127.0.0.1:9/news/ does not show it yet" in result.err
    assert office.make("publish", **ours).status == 0


def test_an_address_without_a_bucket_is_half_a_setting(office: Office) -> None:
    result = office.make("publish", PRESS_BASE_URL="https://press.example/")
    assert "dateline: exit 2 (release)" in result.err
    assert "PRESS_BASE_URL is set, but PRESS_BUCKET is not" in result.err


# ── Refusals ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def changed(office: Office, ours: dict[str, str]) -> Iterator[Path]:
    """The source of the public release, which a test may change."""
    source = office.content / "ferry.md"
    text = source.read_text("utf-8")
    yield source
    source.write_text(text, "utf-8")
    assert office.make("publish", **ours).status == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("40 people", "41 people", "words were changed since it was published"),
        ("date:", "corrections: [{date: 2036-01-01T09:00Z, note: Wrong.}]\ndate:", "corrections.date: in the future"),
        ("date:", "withdrawn: {date: 2026-01-01T09:00Z, reason: Wrong.}\ndate:", "before the release itself"),
        ("date:", "draft: true\ndate:", "a draft flag or a later date does not unpublish it"),
    ],
    ids=["words", "correction", "withdrawal", "draft"],
)
def test_a_refusal_and_its_remedy_are_read_last(
    office: Office, ours: dict[str, str], changed: Path, old: str, new: str, told: str
) -> None:
    changed.write_text(changed.read_text("utf-8").replace(old, new), "utf-8")
    for _ in range(2):
        result = office.make("publish", **ours)
        assert "dateline: exit 2 (release)" in result.err
        last = "\n".join(read_last(result)).rpartition("content/ferry.md")[2]
        assert told in last.splitlines()[0]
        assert last.splitlines()[1].startswith("  hint: ")
        for untrue in ("nothing to do", "up to date"):
            assert untrue not in result.text


def test_changed_words_come_with_the_correction_to_paste(office: Office, ours: dict[str, str]) -> None:
    source = office.write("bus", title="The bus runs", body="It runs 40 times.", date="2026-01-06T09:00+00:00")
    assert office.make("publish", **ours).status == 0
    for number in (41, 42):  # the second correction may be of the same minute as the first
        source.write_text(source.read_text("utf-8").replace(f"{number - 1} times", f"{number} times"), "utf-8")
        told = office.make("check", **ours)
        assert told.status == 2
        block = re.search(r"(?:corrections:\n)?  - date: \S+\n    note: \"\"\n", told.err)
        assert block, told.err
        text = source.read_text("utf-8")
        assert block[0].startswith("corrections:") is (number == 41)
        at = text.index("corrections:\n") + len("corrections:\n") if number == 42 else text.index("---\n", 4)
        source.write_text(text[:at] + block[0] + text[at:], "utf-8")
        assert "corrections.note: empty" in office.make("check", **ours).err, "nobody publishes it without a note"
        filled = source.read_text("utf-8").replace('note: ""', f'note: "The number was not {number}."')
        source.write_text(filled, "utf-8")
        result = office.make("publish", **ours)
        assert result.status == 0, result.text
    text = get(f"{ours['AWS_ENDPOINT_URL_S3']}/last-lines/releases/bus.txt")[2].decode()
    assert text.index("was not 42") < text.index("was not 41")
    history = office.make("history", "RELEASE=bus", **ours).out
    assert history.index("was not 41") < history.index("was not 42")
    source.unlink()


def test_a_release_without_its_source_is_named_with_what_to_do(office: Office, ours: dict[str, str]) -> None:
    source = office.write("tram", title="The tram stops", date="2026-01-07T09:00+00:00")
    assert office.make("publish", **ours).status == 0
    source.unlink()
    result = office.make("publish", **ours)
    assert re.search(r"warning: public, but not in content/: .*tram\n  hint: .*put the file back", result.err)
    assert re.search(r"tram +published; not in content/", office.make("status", **ours).out)


def test_two_releases_of_one_headline_and_date_are_a_warning_that_names_both(
    office: Office, ours: dict[str, str]
) -> None:
    source = office.write("ferry-laptop", title="The  Ferry sails", body="It carries 40 people.")
    try:
        told = office.make("check", **ours)
        assert "content/ferry-laptop.md:2: warning: the same headline and date as content/ferry.md" in told.err
        assert "compare the two" in told.err
        assert told.status == 0, told.text
        office.write("ferry-laptop", title="The ferry sails", date="2026-01-05T09:01+00:00")
        assert "the same headline" not in office.make("check", **ours).text
        office.write("ferry-laptop", title="The ferry sails", language="de")
        assert "the same headline" not in office.make("check", **ours).text
    finally:
        source.unlink()


# ── Withdrawn releases ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_withdrawn_release_is_not_counted_as_published(office: Office, ours: dict[str, str]) -> None:
    source = office.write("boat", title="The boat sinks", date="2026-01-08T09:00+00:00")
    before = office.make("publish", **ours).out.splitlines()[-2]
    office.write("boat", date="2026-01-08T09:00+00:00", withdrawn="{date: 2026-01-09T09:00+00:00, reason: It did not.}")
    result = office.make("publish", **ours)
    assert result.status == 0, result.text
    number = int(before.split()[0])
    assert result.out.splitlines()[-2].startswith(f"{number - 1} release")
    assert "1 withdrawn" in result.out.splitlines()[-2]
    assert "1 withdrawn" in office.make("status", **ours).out
    source.unlink()


# ── Samples ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_samples_go_to_a_storage_only_when_they_are_allowed(ours: dict[str, str], tmp_path: Path) -> None:
    sample = Office(tmp_path / "sample", newsroom=(ROOT / "content" / "newsroom.toml").read_text("utf-8"))
    for file in (ROOT / "content").glob("*.png"):
        (sample.content / file.name).write_bytes(file.read_bytes())
    sample.write("own", title="One of our own", topics="[archive]")
    slug = "south-korea-first-year"
    (sample.content / f"{slug}.md").write_text((ROOT / "content" / f"{slug}.md").read_text("utf-8"), "utf-8")
    here = {**ours, "PRESS_BUCKET": "last-lines-sample"}
    assert sample.make("storage", **here).status == 0
    base = f"{here['AWS_ENDPOINT_URL_S3']}/last-lines-sample/"
    assert sample.make("check").status == 0, "they are what the embedded store is for"
    assert sample.make("render").status == 0
    for goal in ("check", "publish"):
        result = sample.make(goal, **here)
        assert "dateline: exit 2 (release)" in result.err, result.text
        assert f"content/{slug}.md:2: a sample that comes with Dateline" in result.err
        assert "content/newsroom.toml:5: organisation.name: the sample organisation, Open Window Archive" in result.err
        assert re.search(r"content/newsroom.toml:\d+: contacts.desk.email: example.org is an example", result.err)
    assert get(f"{base}releases/own.html")[0] != 200
    (sample.content / "newsroom.toml").write_text(OWN.replace("[topics]", '[topics]\narchive = "A"'), "utf-8")
    source = sample.content / f"{slug}.md"
    source.write_text(source.read_text("utf-8").replace("human-rights", "news"), "utf-8")
    result = sample.make("publish", **here)
    assert "dateline: exit 2 (release)" in result.err
    assert read_last(result)[-2] == f"content/{slug}.md:2: a sample that comes with Dateline"
    assert get(f"{base}releases/own.html")[0] == 200, "the others go on"
    assert get(f"{base}releases/{slug}.html")[0] != 200
    result = sample.make("publish", **{**here, "PRESS_ALLOW_SAMPLES": "1"})
    assert result.status == 0, result.text
    assert get(f"{base}releases/{slug}.html")[0] == 200


def test_placeholder_text_is_a_warning_in_a_draft_and_a_fault_afterwards(office: Office, ours: dict[str, str]) -> None:
    made = office.make("new", "TITLE=The pier opens", **ours)
    assert made.status == 0, made.text
    source = office.content / "the-pier-opens.md"
    try:
        told = office.make("check", **ours)
        assert told.status == 0, told.text
        assert re.search(r"the-pier-opens.md:\d+: warning: still has the text of the template", told.err)
        text = re.sub(r"(?m)^date: .*", "date: 2026-01-09T09:00+00:00", source.read_text("utf-8"))
        source.write_text(re.sub(r"(?m)^draft: .*\n", "", text), "utf-8")
        for goal in ("check", "publish"):
            result = office.make(goal, **ours)
            assert "dateline: exit 2 (release)" in result.err
            assert re.search(r"the-pier-opens.md:\d+: still has the text of the template", result.err)
            assert "What an editor may need to know." in result.err
        assert get(f"{ours['AWS_ENDPOINT_URL_S3']}/last-lines/releases/the-pier-opens.html")[0] != 200
    finally:
        source.unlink()
