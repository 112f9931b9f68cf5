"""Approval by signers: what is staged is signed before it is public, and nothing is public that was not."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.model.manifest import digest
from pipeline.publish import staging
from pipeline.publish.staging import StagedRelease, read_staged
from pipeline.storage import ObjectStore, Put
from tests.support.instants import in_time, published, soon
from tests.support.newsroom import NEWSROOM, BackgroundPublish, Office, Result, clone, env_of, store_of
from tests.support.public_http import get

NAMES = ("ada@example.org", "ben@example.org")


def with_signers(folder: Path, approvals: int) -> Office:
    """Return an office whose releases so many of two signers must approve; their keys lie beside it."""
    settings = NEWSROOM.replace("[organisation]", f"[organisation]\napprovals = {approvals}", 1)
    office = Office(folder / "office", newsroom=settings)
    lines = []
    for name in NAMES:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
        lines.append(f'{name} namespaces="press-release" {(folder / f"{name}.pub").read_text("utf-8")}')
    (office.content / "signers").write_text("".join(lines), "utf-8")
    return office


@pytest.fixture(scope="module")
def approving(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """A newsroom in which two must approve, with a release that both have approved."""
    found = with_signers(tmp_path_factory.mktemp("approving"), 2)
    found.write("before", title="The one before")
    found.make("publish")
    for name in NAMES:
        assert approve(found, "before", name).status == 0
    published(found)
    found.end()
    return found


def copied(office: Office, folder: Path) -> Office:
    """Return a copy of a newsroom; the keys lie beside it."""
    folder.mkdir(exist_ok=True)
    for key in office.folder.parent.glob("*@example.org*"):
        shutil.copy(key, folder)
    return office.copy(folder / "office")


@pytest.fixture(scope="module")
def staged(approving: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same with a release, ``news``, that nobody has approved yet."""
    found = copied(approving, tmp_path_factory.mktemp("staged"))
    found.write("news", body="The fare is four pounds.")
    assert found.make("publish").status == 2
    found.end()
    return found


@pytest.fixture(scope="module")
def approved(staged: Office, tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The same after both have approved it, before it is published."""
    found = copied(staged, tmp_path_factory.mktemp("approved"))
    found.serve()
    both_approve(found, "news")
    found.end()
    return found


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Office:
    """A copy of one of them, of the first unless a test names another."""
    return copied(request.getfixturevalue(getattr(request, "param", "approving")), tmp_path)


has_staged = pytest.mark.parametrize("office", ["staged"], indirect=True)
has_approved = pytest.mark.parametrize("office", ["approved"], indirect=True)


@pytest.fixture(autouse=True)
def _ended(office: Office) -> object:
    yield
    office.end()


def approve(office: Office, slug: str, name: str, **more: str) -> Result:
    key = str(office.folder.parent / name)
    return office.make("approve", f"RELEASE={slug}", PRESS_SIGNING_KEY=key, **more)


def both_approve(office: Office, slug: str) -> None:
    for name in NAMES:
        result = approve(office, slug, name)
        assert result.status == 0, result.text


def last_line(result: Result) -> str:
    return [line for line in result.err.splitlines() if line.startswith("dateline:")][-1]


def test_a_new_release_is_public_when_the_second_has_approved_it(office: Office, tmp_path: Path) -> None:
    office.write("news", title="Quite new")
    result = office.make("publish")
    assert last_line(result) == "dateline: exit 2 (release)", result.text
    assert "is not published: it has 0 of 2 approvals" in result.err
    assert "news" not in result.text.replace("newsroom", ""), "a release that is not public is not named"
    base = "http://" + result.out.rsplit("http://", 1)[1].strip().removesuffix("index.html")
    assert get(f"{base}releases/news.html")[0] == 404
    first = approve(office, "news", NAMES[0])
    assert "Quite new" in first.out
    assert "1 page" in first.out
    assert f"approved by {NAMES[0]}: 1 of 2 approvals" in first.out
    again = approve(office, "news", NAMES[0])
    assert again.status == 2
    assert "has approved it already" in again.err
    result = office.make("publish")
    assert f"1 of 2 approvals (by {NAMES[0]})" in result.err
    assert get(f"{base}releases/news.html")[0] == 404
    for page in ("index.html", "feed.xml", "releases/before.html", "manifest.json"):
        assert b"Quite new" not in get(base + page)[2]
    assert approve(office, "news", NAMES[1]).status == 0
    result = office.make("publish")
    assert result.status == 0, result.text
    assert b"Quite new" in get(f"{base}releases/before.html")[2], "and its neighbour names it in the same run"
    statement = get(f"{base}releases/news.statement")[2]
    for name, suffix in zip(NAMES, (".sig", ".2.sig"), strict=True):
        (tmp_path / "sig").write_bytes(get(f"{base}releases/news.statement{suffix}")[2])
        command = ["ssh-keygen", "-Y", "verify", "-f", str(office.content / "signers"), "-I", name]
        command += ["-n", "press-release", "-s", str(tmp_path / "sig")]
        assert subprocess.run(command, input=statement, capture_output=True).returncode == 0
    assert "nothing to do" in office.make("publish").out
    assert office.make("verify").status == 0
    assert list(store_of(office).list("", "private")) == [staging.KEY]


@has_approved
def test_an_edit_ends_the_approval_and_the_next_one_shows_what_differs(office: Office) -> None:
    office.serve()
    office.write("news", body="The fare is five pounds.")
    result = office.make("publish")
    assert result.status == 2
    assert re.search(r"the approval of waiting-\w+ is void: its source was edited", result.err)
    shown = approve(office, "news", NAMES[0]).out
    assert "[-four-] {+five+}" in shown
    approve(office, "news", NAMES[1])
    assert office.make("publish").status == 0


def test_a_correction_is_not_public_before_it_is_approved(office: Office) -> None:
    base = office.serve()
    office.write("after", title="The one after", date="2026-01-06T09:00+00:00")
    office.make("publish")
    both_approve(office, "after")
    published(office)
    source = office.content / "before.md"
    source.write_text(source.read_text("utf-8").replace("The one before", "Another headline"), "utf-8")
    office.make("correct", "RELEASE=before", "NOTE=The headline was wrong.")
    result = office.make("publish")
    assert last_line(result) == "dateline: exit 2 (release)", result.text
    for page in ("releases/before.html", "releases/after.html", "index.html", "feed.xml"):
        assert b"Another headline" not in get(base + page)[2], page
    both_approve(office, "before")
    assert office.make("publish").status == 0
    for page in ("releases/before.html", "releases/after.html", "index.html", "feed.xml"):
        assert b"Another headline" in get(base + page)[2], page
    earlier = [path.name for path in (office.public / "statements" / "2026").iterdir()]
    assert len([name for name in earlier if name.startswith("before.")]) == 3, "a statement and two signatures"
    assert office.make("verify").status == 0


@has_approved
def test_an_unattended_clone_publishes_the_staged_bytes_and_needs_no_key(office: Office, tmp_path: Path) -> None:
    base = office.serve()
    staged = read_staged(store_of(office)).releases["news"]
    other = clone(office, tmp_path / "job")
    result = other.make("publish", **env_of(office))
    assert result.status == 0, result.text
    for key, file in staged.files.items():
        if key.endswith((".pdf", ".docx", ".txt", ".statement", ".sig")):
            assert digest(get(base + key)[2]) == file.sha256, key
    assert "nothing to do" in other.make("publish", **env_of(office)).out


def test_what_is_not_approved_at_its_instant_is_not_released(office: Office) -> None:
    base = published(office)
    instant = in_time()
    office.write("unapproved", date=instant.isoformat())
    office.write("approved", date=instant.isoformat(), title="In time")
    assert office.make("publish").status == 0
    both_approve(office, "approved")
    approve(office, "unapproved", NAMES[0])
    job = BackgroundPublish(office, "WAIT=15m")
    result = job.end()
    assert result.status == 2, result.text
    assert re.search(r"waiting-\w+ is not released: it has 1 of 2 approvals", result.out), result.out
    assert get(f"{base}releases/approved.html")[0] == 200
    assert get(f"{base}releases/approved.statement.2.sig")[0] == 200
    assert get(f"{base}releases/unapproved.html")[0] == 404


def test_runs_warn_a_day_before(office: Office) -> None:
    office.write("tomorrow", date=soon(20 * 3600).isoformat())
    office.write("later", date=soon(30 * 3600).isoformat())
    result = office.make("publish")
    assert result.status == 0
    (warning,) = re.findall(r"warning: waiting-\w+ is due at .*", result.err)
    assert "0 of 2 approvals" in warning
    both_approve(office, "tomorrow")
    assert "is due at" not in office.make("publish").err


@has_staged
def test_a_source_that_says_something_else_is_not_approved(office: Office) -> None:
    office.serve()
    path = office.write("news", body="The fare is five pounds.")
    result = approve(office, "news", NAMES[0])
    assert result.status == 2
    assert f"content/{path.name}: its words here are not those that are staged" in result.err
    assert not read_staged(store_of(office)).releases["news"].signed


@has_staged
def test_a_staged_file_that_somebody_changed_is_neither_approved_nor_published(office: Office) -> None:
    office.serve()
    approve(office, "news", NAMES[0])
    store = store_of(office)
    file = read_staged(store).releases["news"].files["releases/news.pdf"]
    store.put(Put(key=file.name, body=b"%PDF-1.7 forged", media_type="application/pdf"), "private")
    result = approve(office, "news", NAMES[1])
    assert result.status == 2
    assert "a staged file is not there as it was staged" in result.err


@has_staged
def test_one_who_may_not_sign_cannot_approve(office: Office, tmp_path: Path) -> None:
    office.serve()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    result = office.make("approve", "RELEASE=news", PRESS_SIGNING_KEY=str(tmp_path / "other"))
    assert result.status == 2
    assert "is not in content/signers" in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((), "RELEASE is not set"), (("RELEASE=nothing",), "nothing is not staged, so there is nothing to approve")],
)
def test_what_cannot_be_approved(office: Office, arguments: tuple[str, ...], message: str) -> None:
    office.serve()
    result = office.make("approve", *arguments, PRESS_SIGNING_KEY=str(office.folder.parent / NAMES[0]))
    assert result.status == 2
    assert message in result.err


def test_a_withdrawal_needs_one_signature_and_no_approval(office: Office) -> None:
    base = office.serve()
    office.make("withdraw", "RELEASE=before", "REASON=It was wrong.")
    result = office.make("publish")
    assert result.status == 2
    assert "waiting for a signature: before" in result.err
    result = office.make("sign", PRESS_SIGNING_KEY=str(office.folder.parent / NAMES[0]))
    assert result.status == 0, result.text
    assert b"status: canceled\n" in get(f"{base}releases/before.statement")[2]
    assert get(f"{base}releases/before.pdf")[0] == 404


def test_a_correction_that_is_approved_while_a_run_waits_archives_the_revision_before(office: Office) -> None:
    base = published(office)
    instant = in_time(6)
    office.write("later", date=instant.isoformat())
    office.make("correct", "RELEASE=before", "NOTE=The headline was wrong.")
    office.make("publish")
    job = BackgroundPublish(office, "WAIT=15m")
    job.until("scheduled before")
    both_approve(office, "before")
    both_approve(office, "later")
    assert job.end().status == 2, "the correction was not approved when the run began"
    assert get(f"{base}releases/later.html")[0] == 200
    assert office.make("publish").status == 0
    assert get(f"{base}releases/before/r1/before.pdf")[0] == 200
    assert office.make("verify").status == 0


@has_approved
def test_a_lost_statement_is_no_loss_where_it_can_be_drafted_again(office: Office) -> None:
    base = office.serve()
    store = store_of(office)
    store.delete(read_staged(store).releases["news"].files["releases/news.statement"].name, "private")
    result = office.make("publish")
    assert result.status == 0, result.text
    assert get(f"{base}releases/news.statement.2.sig")[0] == 200
    assert office.make("verify").status == 0


@has_staged
def test_a_lost_file_stops_no_other_release_in_a_clone(office: Office, tmp_path: Path) -> None:
    base = office.serve()
    office.write("other", date="2026-01-06T09:00+00:00")
    office.make("publish")
    both_approve(office, "news")
    both_approve(office, "other")
    store = store_of(office)
    store.delete(read_staged(store).releases["news"].files["releases/news.statement"].name, "private")
    job = clone(office, tmp_path / "job")
    result = job.make("publish", **env_of(office))
    assert get(f"{base}releases/other.html")[0] == 200, result.text
    assert get(f"{base}releases/news.html")[0] == 200, result.text


def test_a_signature_from_before_approvals_is_no_approval(office: Office) -> None:
    settings = office.content / "newsroom.toml"
    text = settings.read_text("utf-8")
    settings.write_text(text.replace("approvals = 2", "approvals = 0"), "utf-8")
    office.write("news", date=soon(3 * 24 * 3600).isoformat())
    key = str(office.folder.parent / NAMES[0])
    assert office.make("publish", PRESS_SIGNING_KEY=key).status == 0
    assert read_staged(store_of(office)).releases["news"].signed
    settings.write_text(text, "utf-8")
    office.make("publish")
    assert "staged, 0 of 2 approvals" in office.make("status").out
    settings.write_text(text.replace("approvals = 2", "approvals = 0"), "utf-8")
    assert office.make("publish", PRESS_SIGNING_KEY=key).status == 0
    assert read_staged(store_of(office)).releases["news"].signed, "and without approvals it is signed again"


def test_the_page_of_an_unapproved_release_names_its_neighbours_and_none_names_it(office: Office) -> None:
    base = office.serve()
    office.write("news", date="2026-01-07T09:00+00:00", title="Quite new")
    office.make("publish")
    staged = read_staged(store_of(office)).releases["news"]
    assert staged.neighbours == ("before",)
    both_approve(office, "news")
    assert office.make("publish").status == 0
    assert b"Quite new" in get(f"{base}releases/before.html")[2]
    assert "nothing to do" in office.make("publish").out


def test_a_signed_page_that_names_a_headline_is_staged_anew_when_that_is_retracted(office: Office) -> None:
    settings = office.content / "newsroom.toml"
    settings.write_text(settings.read_text("utf-8").replace("approvals = 2", "approvals = 0"), "utf-8")
    key, first, second = str(office.folder.parent / NAMES[0]), soon(72 * 3600), soon(96 * 3600)
    office.write("first", title="Profit falls", date=first.isoformat())
    office.write("second", title="The one after", date=second.isoformat())
    assert office.make("publish", PRESS_SIGNING_KEY=key).status == 0
    store = store_of(office)
    before = read_staged(store).releases["second"]
    assert b"Profit falls" in _staged_page(store, before)
    office.write("first", title="Profit rises", date=first.isoformat())
    assert office.make("publish").status == 0, "the words of the second are the same: it needs no key"
    after = read_staged(store).releases["second"]
    assert b"Profit falls" not in _staged_page(store, after)
    assert after.row.statement == before.row.statement


def _staged_page(store: ObjectStore, staged: StagedRelease) -> bytes:
    stored = store.get(staged.files[f"releases/{staged.row.slug}.html"].name, "private")
    assert stored is not None
    return stored.body


def test_status_says_who_has_approved(office: Office) -> None:
    office.write("news", date=soon(3 * 24 * 3600).isoformat())
    office.make("publish")
    approve(office, "news", NAMES[0])
    line = next(line for line in office.make("status").out.splitlines() if line.startswith("waiting-"))
    assert f"staged, 1 of 2 approvals (by {NAMES[0]})" in line
