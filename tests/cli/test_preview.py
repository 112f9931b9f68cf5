"""What a press officer sees before anybody else, and what nobody else on the machine does."""

from __future__ import annotations

import html
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest

from pipeline.build.state import BuildState
from pipeline.cli.preview.watch import Watcher
from tests.support.browser import browse
from tests.support.newsroom import NEWSROOM, Office, rendered_by, working_in
from tests.support.terminal import require_terminal

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[^/\s]+/\S*")
SECRET = "A secret headline"
READY = "Ctrl+C ends it"
SOON = 120
KINDS = ("newsroom", "number", "templates", "code")


@dataclass
class Running:
    """A preview that was started, and what it said so far."""

    process: subprocess.Popen[bytes]
    reading: int
    said: bytes = field(default=b"")

    def listen(self) -> None:
        """Read until nobody writes any more."""
        while True:
            try:
                data = os.read(self.reading, 4096)
            except OSError:  # what a terminal says when its last user is gone
                return
            if not data:
                return
            self.said += data

    @property
    def text(self) -> str:
        return self.said.decode().replace("\x1b[1m", "").replace("\x1b[0m", "")

    @property
    def addresses(self) -> list[str]:
        return ADDRESS.findall(self.text)

    @property
    def root(self) -> str:
        return self.addresses[0].removesuffix("index.html")

    def until(self, what: Callable[[], object]) -> None:
        end = time.monotonic() + SOON
        while not what():
            assert self.process.poll() is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.1)


@contextmanager
def running(office: Office, *command: str, terminal: bool = False) -> Iterator[Running]:
    """Start ``command`` in a session of its own, at a terminal or with its words going into a pipe."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PRESS_", "MAKE"))}
    environ.pop("CI", None)
    environ["VENV"] = sys.prefix
    reading, writing = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        ["setsid", "--ctty", *command] if terminal else command,
        cwd=office.folder,
        env=environ,
        stdin=writing if terminal else subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
        start_new_session=not terminal,  # where there is one, setsid makes it
    )
    os.close(writing)
    found = Running(process, reading)
    listener = Thread(target=found.listen)
    listener.start()
    try:
        found.until(lambda: READY in found.text)
        yield found
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        listener.join(SOON)
        os.close(reading)


def get(
    address: str, path: str = "", method: str = "GET", headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[HTTPResponse, bytes]:
    """Ask for ``path`` as it is written, with no browser's kindness, where ``address`` is."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.putrequest(method, path or parts.path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    office = Office(tmp_path_factory.mktemp("preview") / "office")
    office.write("open", "An open headline")
    office.write("held", SECRET, date="2099-01-05T09:00+00:00", embargo="true")
    return office


@pytest.fixture(scope="module")
def piped(office: Office) -> Iterator[Running]:
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        yield found


def test_public_pages_are_shown_with_their_types_and_kept_nowhere(piped: Running) -> None:
    answer, body = get(piped.root + "index.html")
    assert answer.status == 200
    assert b"An open headline" in body
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    for key, media_type in {
        "releases/open.pdf": "application/pdf",
        "feed.xml": "application/rss+xml; charset=utf-8",
        "media-contact.vcf": "text/vcard; charset=utf-8",
    }.items():
        answer, body = get(piped.root + key + "?again")
        assert (answer.status, answer.headers["Content-Type"]) == (200, media_type)
        assert len(body) == int(answer.headers["Content-Length"]) > 100
    answer, body = get(piped.root + "feed.xml", method="HEAD")
    assert (answer.status, body) == (200, b"")


RANGES: dict[str, tuple[int, str, slice]] = {
    "": (200, "", slice(None)),
    "bytes=10-": (206, "bytes 10-99/100", slice(10, None)),
    "bytes=10-19": (206, "bytes 10-19/100", slice(10, 20)),
    "bytes=90-500": (206, "bytes 90-99/100", slice(90, None)),
    "bytes=200-": (200, "", slice(None)),
    "bytes=-5": (200, "", slice(None)),
}


@pytest.mark.parametrize("asked", RANGES)
def test_films_are_sent_from_where_the_player_asks(piped: Running, office: Office, asked: str) -> None:
    status, shown, part = RANGES[asked]
    film = office.public / "releases" / "today" / "film.mp4"
    film.parent.mkdir(exist_ok=True)
    film.write_bytes(bytes(range(100)))
    answer, body = get(f"{piped.root}releases/today/film.mp4", headers={"Range": asked} if asked else {})
    assert (answer.status, body, answer.headers["Content-Type"]) == (status, bytes(range(100))[part], "video/mp4")
    assert answer.headers.get("Content-Range", "") == shown
    head, nothing = get(f"{piped.root}releases/today/film.mp4", method="HEAD")
    assert (head.status, head.headers["Content-Length"], nothing) == (200, "100", b"")
    assert get(f"{piped.root}releases/today/other.mp4")[0].status == 404


def test_what_waits_is_shown_marked_and_its_links_lead_on(piped: Running, office: Office) -> None:
    answer, body = get(piped.root + "releases/held.html")
    assert answer.status == 200
    assert SECRET.encode() in body
    assert b"Embargoed until" in body
    assert answer.headers["Cache-Control"] == "no-store"
    styles = re.findall(rb'href="\.\./(assets/[^"]+\.css)"', body)
    assert styles
    for key in [*styles, b"index.html", b"releases/held.pdf"]:
        assert get(piped.root + key.decode())[0].status == 200, key
    assert SECRET.encode() not in get(piped.root + "index.html")[1]


def test_log_names_no_waiting_release_and_its_address_leads_to_it(piped: Running) -> None:
    assert SECRET not in piped.text
    assert "held.html" not in piped.text
    assert re.fullmatch(r"waiting-[0-9a-f]{8}", piped.addresses[1].removeprefix(piped.root))
    answer, _ = get(piped.addresses[1])
    assert (answer.status, answer.headers["Location"]) == (302, "releases/held.html")


def test_whoever_does_not_know_the_token_learns_nothing(piped: Running, office: Office) -> None:
    token = urlsplit(piped.root).path.strip("/")
    (office.folder / "outside.txt").write_text("OUTSIDE")
    (office.public / "linked.txt").symlink_to(office.folder / "outside.txt")
    due = office.waiting / "final" / "releases" / "held.txt"
    due.parent.mkdir(parents=True)
    due.write_text("UNMARKED")
    up = "/".join([".."] * 3)
    paths = [
        "/", "/index.html", "/releases/held.html", f"/{token}", f"/{token}/", f"/{token}/releases/", "*", "//",
        f"/{token[:-1]}/index.html", f"/{token}x/index.html", f"/{token.swapcase()}/index.html", "/%ff/index.html",
        f"/{token}/releases", f"/{token}/releases/none.html", f"/{token}/until/held",
        f"/{token}/final/releases/held.txt",
        f"/{token}/releases/../final/releases/held.txt", f"/{token}/linked.txt", f"/{token}/../../outside.txt",
        f"/{token}/%2e%2e/%2e%2e/outside.txt", f"/{token}/..%2f..%2foutside.txt", f"/{token}/{up}/etc/hosts.txt",
        f"/{token}/{office.folder}/outside.txt", f"/{token}//{office.folder}/outside.txt", f"/{token}/%00.txt",
        "/~events", f"/{token}x/~events?key=releases/held.html", f"/{token}/" + "x" * 5000 + ".txt",
        f"/{token}/../content/held.md", f"/{token}/.work/name.json",
    ]  # fmt: skip
    answers = {path: get(piped.root, path) for path in paths}
    assert {path: answer.status for path, (answer, _) in answers.items() if answer.status != 404} == {}
    assert {body for _, body in answers.values()} == {b"not found\n"}
    assert {str(answer.headers) for answer, _ in answers.values()} == {str(answers["/"][0].headers)}
    for method in ("POST", "PUT", "OPTIONS", "TRACE"):
        assert get(piped.root, "/", method)[0].status == 404


def test_only_this_machine_is_answered_and_each_preview_has_its_own_token(piped: Running, office: Office) -> None:
    port = urlsplit(piped.root).port or 0
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [line[1] for line in lines if line[3] == "0A" and line[1].endswith(f":{port:04X}")]
    assert listening == [f"0100007F:{port:04X}"]
    with running(office, sys.executable, "-m", "pipeline", "preview") as other:
        assert urlsplit(other.root).path != urlsplit(piped.root).path
        assert len(urlsplit(other.root).path.strip("/")) >= 32
        other.process.send_signal(signal.SIGINT)
        assert other.process.wait(SOON) == 0


def test_new_words_are_shown_and_faults_leave_the_old_ones(piped: Running, office: Office) -> None:
    page = piped.root + "releases/open.html"
    office.write("open", "Another headline")
    piped.until(lambda: b"Another headline" in get(page)[1])
    office.write("open", "A third headline", body="<script>")
    piped.until(lambda: "content/open.md:5:" in piped.text)
    assert b"Another headline" in get(page)[1]
    office.write("late", SECRET, date="2099-01-06T09:00+00:00")
    piped.until(lambda: "2 releases not public yet" in piped.text)
    assert SECRET not in piped.text
    office.write("open", "A fourth headline")
    piped.until(lambda: b"A fourth headline" in get(page)[1])
    style = office.folder / "templates" / "page.css"
    style.write_text(style.read_text() + "\n.of-the-preview { color: red }\n")
    piped.until(lambda: any(b".of-the-preview" in sheet for sheet in styles(office)))


def styles(office: Office) -> list[bytes]:
    return [file.read_bytes() for file in (office.public / "assets").glob("*.css")]


def test_at_a_terminal_names_are_told_and_the_keyboard_ends_it_well(tmp_path: Path) -> None:
    require_terminal()
    office = Office(tmp_path / "office")
    office.write("bad", body="<script>")
    office.write("held", SECRET, date="2099-01-05T09:00+00:00", embargo="true")
    with running(office, "make", "preview", "OUTPUT=elsewhere", terminal=True) as found:
        assert "content/bad.md:5:" in found.text
        assert found.addresses == [found.root + "index.html", found.root + "releases/held.html"]
        assert SECRET not in found.text
        assert b"Embargoed until" in get(found.addresses[1])[1]
        assert (office.folder / "elsewhere" / "public" / "index.html").is_file()
        before = found.text
        os.write(found.reading, b"\x03")
        assert found.process.wait(SOON) == 0
        port = urlsplit(found.root).port
    assert found.text.removeprefix(before).strip() in ("", "^C")
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port or 0)):
        pass
    assert working_in(office.folder) == []
    assert [file.name for file in (office.folder / ".store").iterdir()] == ["ports.json"], "a store was started"
    assert not (office.folder / "output").exists()


def test_keyboard_ends_a_rendering_too(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        before = (office.public / "releases" / "one.html").read_bytes()
        office.write("one", body="A paragraph.\n\n" * 2000)
        found.until(lambda: "something changed" in found.text and len(working_in(office.folder)) > 1)
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(SOON) == 0
        assert working_in(office.folder) == []
    assert (office.public / "releases" / "one.html").read_bytes() == before, "it came to its own end"


def test_a_job_is_shown_nothing(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    done = office.make("preview", CI="true")
    assert done.status == 2
    assert "make preview is not available in CI" in done.err
    assert "hint: run it on your own computer" in done.err
    assert "dateline: exit 2" in done.err
    assert not (office.public / "index.html").exists()


# ── What may not go into output/public ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A newsroom whose three releases are public."""
    office = Office(tmp_path_factory.mktemp("published") / "office")
    for slug in ("first", "second", "third"):
        office.write(slug, f"The {slug} headline", body=f"Words of the {slug} release.")
    result = office.make("publish")
    assert result.status == 0, result.text
    yield office
    office.end()


def test_edited_public_release_is_shown_and_left_as_it_is_in_public(published: Office) -> None:
    before, text = published.files(), published.content.joinpath("first.md").read_text("utf-8")
    with running(published, sys.executable, "-m", "pipeline", "preview") as found:
        page, pdf = found.root + "releases/first.html", found.root + "releases/first.pdf"
        public = get(pdf)[1]
        published.write("first", "The first headline", body="Other words.")
        found.until(lambda: b"Other words." in get(page)[1])
        assert b"It needs a correction before it can be published." in get(page)[1]
        assert "words were changed since it was published" in bar(found, "releases/first.html")
        found.until(lambda: get(pdf)[1] != public)
        found.until(lambda: "there is no new correction" in found.text)
        assert published.files() == before
        assert "The first headline" in bar(found, "index.html")

        dated = datetime.now(UTC).isoformat(timespec="minutes")
        corrections = f'\n  - date: {dated}\n    note: "Other words."'
        published.write("first", "The first headline", body="Other words.", corrections=corrections)
        found.until(lambda: published.files() != before)
        found.until(lambda: "Changed, not published yet" in bar(found, "releases/first.html"))
        published.content.joinpath("first.md").write_text(text, "utf-8")
        found.until(lambda: published.files() == before)
        assert b"Words of the first release." in get(page)[1]


def test_while_make_publish_runs_edits_are_shown_and_nothing_is_written(published: Office) -> None:
    before, text = published.files(), published.content.joinpath("second.md").read_text("utf-8")
    state = BuildState(published.content, published.folder / "output")
    with running(published, sys.executable, "-m", "pipeline", "preview") as found:
        page, pdf = found.root + "releases/fresh.html", found.root + "releases/fresh.pdf"
        with state.publishing():
            published.write("fresh", "A fresh headline")
            found.until(lambda: b"A fresh headline" in get(page)[1])
            found.until(lambda: get(pdf)[0].status == 200)
            found.until(lambda: "make publish runs or has just ended" in found.text)
            assert published.files() == before
        found.until(lambda: "releases/fresh.json" in published.files())
        published.content.joinpath("fresh.md").unlink()
    assert published.content.joinpath("second.md").read_text("utf-8") == text


def test_publishing_beside_the_preview_publishes_what_it_shows(published: Office) -> None:
    with running(published, sys.executable, "-m", "pipeline", "preview") as found:
        published.write("third", "The third headline", body="Words of the third release, with a typing error mended.")
        found.until(lambda: "there is no new correction" in found.text)
        found.until(lambda: "Still being rendered" not in bar(found, "releases/third.html"))
        result = published.make("publish", "MINOR=1")
        assert result.status == 0, result.text
        # Page and record state the revision, which is planned only now; all else is taken from the preview.
        assert {stage for stage, slug in rendered_by(result.out) if slug == "third"} <= {"html", "json"}
        found.until(lambda: "Published" in bar(found, "releases/third.html"))
        assert b"typing error mended" in get(found.root + "releases/third.html")[1]
        assert published.make("verify").status == 0


# ── Rendered once ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_neither_preview_nor_make_renders_what_the_other_has_rendered(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("held", date="2099-01-05T09:00+00:00", embargo="true")
    office.write("open")
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        office.write("open", "Another headline")
        found.until(lambda: b"Another headline" in (office.public / "feed.xml").read_bytes())
        office.write("new", "A new headline")
        found.until(lambda: b"A new headline" in (office.public / "feed.xml").read_bytes())
    times = office.times()
    result = office.make("render")
    assert result.status == 0, result.text
    assert office.times() == times
    assert rendered_by(result.out) == set()
    office.write("open", "A third headline")
    assert office.make("render").status == 0
    times = office.times()
    with running(office, sys.executable, "-m", "pipeline", "preview"):
        pass
    assert office.times() == times


def test_make_finds_what_the_preview_has_left_to_do(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    assert office.make("render").status == 0
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        office.write("one", "Another headline", body="A paragraph.\n\n" * 2000)
        found.until(lambda: b"Another headline" in get(found.root + "releases/one.html")[1])
        found.process.send_signal(signal.SIGINT)
        assert found.process.wait(SOON) == 0
    assert b"Another headline" not in (office.public / "releases" / "one.html").read_bytes()
    office.write("one", "Another headline")
    assert office.make("render").status == 0
    assert b"Another headline" in (office.public / "releases" / "one.html").read_bytes()


# ── Following the edits ───────────────────────────────────────────────────────────────────────────────────────────────


def bar(found: Running, key: str) -> str:
    """Return the bar of a page as its first event brings it."""
    address = re.search(rb'data-events="([^"]+)"', get(found.root + key)[1])
    assert address, key
    connection = HTTPConnection(urlsplit(found.root).netloc, timeout=SOON)
    connection.request("GET", html.unescape(address[1].decode()))
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    while not (line := answer.readline()).startswith(b"data: "):
        assert line, "the connection was closed"
    connection.close()
    return html.unescape(str(json.loads(line.removeprefix(b"data: "))["bar"]))


def test_bar_tells_state_and_faults_with_their_lines_in_the_newsrooms_language(tmp_path: Path) -> None:
    office = Office(tmp_path / "office", newsroom=NEWSROOM.replace('language = "en-GB"', 'language = "de"', 1))
    office.write("held", "Das Geheimnis", date="2099-01-05T09:00+00:00", language="de")
    office.write("draft", "Der Entwurf", draft="true", language="de")
    office.write("bad", "Der Fehler", body="<script>", language="de")
    office.write("open", "Offen", language="de")
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        assert "Geplant, öffentlich ab 05.01.2099, 09:00" in bar(found, "releases/held.html")
        assert "Entwurf" in bar(found, "releases/draft.html")
        assert "Noch nicht veröffentlicht" in bar(found, "releases/open.html")
        refused = bar(found, "releases/bad.html")
        assert "Abgelehnt." in refused
        assert "content/bad.md:6" in refused
        listed = bar(found, "index.html")
        assert "Nicht öffentlich: 3" in listed
        for title in ("Das Geheimnis", "Der Entwurf", "bad.md"):
            assert title in listed
        newsroom = office.content / "newsroom.toml"
        settings = newsroom.read_text("utf-8")
        newsroom.write_text(f"{settings}\n[nonsense", "utf-8")
        found.until(lambda: "content/newsroom.toml:" in bar(found, "releases/open.html"))
        newsroom.write_text(settings.replace("Test Office", "Neues Büro"), "utf-8")
        found.until(lambda: "Neues Büro".encode() in get(found.root + "releases/open.html")[1])
        found.until(lambda: "newsroom.toml" not in bar(found, "releases/open.html"))


def test_sources_come_and_go(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one", "The first headline", date="2026-01-04T09:00+00:00")
    office.write("two", "The second headline")
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        office.write("three", "The third headline", date="2026-01-06T09:00+00:00")
        found.until(lambda: b"The third headline" in get(found.root + "releases/two.html")[1])
        aside = office.content / ".two.md.swp"
        aside.write_text((office.content / "two.md").read_text("utf-8").replace("second", "changed"), "utf-8")
        aside.replace(office.content / "two.md")
        found.until(lambda: b"The changed headline" in get(found.root + "releases/two.html")[1])
        (office.content / "three.md").unlink()
        found.until(lambda: b"The third headline" not in get(found.root + "releases/two.html")[1])


def test_code_that_was_changed_ends_the_preview(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one")
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        with (office.folder / "pipeline" / "writers" / "text.py").open("a") as file:
            file.write("\n# another version\n")
        assert found.process.wait(SOON) == 0
    assert "start make preview again" in found.text


def test_open_page_follows_the_edits_without_being_loaded_again(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("one", "The first headline", body="A paragraph.\n\n" * 60)
    with running(office, sys.executable, "-m", "pipeline", "preview") as found:
        steps = """
        const [address, source] = given;
        const { readFileSync, writeFileSync } = createRequire(import.meta.url)("node:fs");
        const page = await browser.newPage();
        await page.goto(address);
        await page.evaluate(() => { window.stays = true; scrollTo(0, 600); });
        writeFileSync(source, readFileSync(source, "utf8").replace("first headline", "second headline"));
        await page.waitForFunction(() => document.querySelector("h1").textContent.includes("second headline"));
        say(await page.evaluate(() => [window.stays, scrollY, document.querySelectorAll("#preview").length]));
        await page.waitForFunction(() => document.querySelector(".downloads").textContent.includes("KB"));
        writeFileSync(source, readFileSync(source, "utf8").replace("---\\n", "---\\nnonsense: 1\\n"));
        await page.waitForFunction(() => document.querySelector("#preview .place").textContent.endsWith("one.md:2"));
        say(await page.title());
        """
        said = browse(tmp_path, steps, found.root + "releases/one.html", str(office.content / "one.md"))
    assert said == [[True, 600, 1], "The second headline – Test Office"]


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("write one.md", ["one"]),
        ("write one/shot.png", ["one"]),
        ("write newsroom.toml", ["newsroom"]),
        ("write three.md", ["number", "three"]),
        ("remove one.md", ["number", "one"]),
        ("rename one.md", ["one"]),
        ("write .one.md.swp", []),
        ("write one.md~", []),
        ("empty one.md, write one.md", ["one"]),
        ("remove one.md, write one.md", ["one"]),
        ("write ../templates/page.css", ["templates"]),
        ("write ../code/model.py", ["code"]),
        ("write ../code/__pycache__/model.pyc", []),
    ],
)
def test_watcher_names_what_changed(tmp_path: Path, change: str, seen: list[str]) -> None:
    content = tmp_path / "content"
    for folder in ("content/one", "templates", "code/__pycache__"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("one.md", "two.md", "newsroom.toml", "one/shot.png"):
        (content / name).write_text("Words.")
    watcher = Watcher(content, tmp_path / "templates", tmp_path / "code")
    for step in change.split(", "):
        verb, name = step.split()
        file = content / name
        if verb == "remove":
            file.unlink()
        elif verb == "rename":
            aside = content / ".aside"
            aside.write_text("Words!")
            aside.replace(file)
        else:
            file.write_text("" if verb == "empty" else f"Other words, after {step}.")
        found = watcher.changes()
        assert found is None or step == change.split(", ")[-1]
    looks = 0
    while found is None and (looks := looks + 1) < 10:
        found = watcher.changes()
    names = [] if found is None else [*found.slugs, *(name for name in KINDS if getattr(found, name))]
    assert sorted(names) == seen
