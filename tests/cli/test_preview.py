"""What a press officer sees before anybody else, and what nobody else on the machine does."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from tests.support.newsroom import Office, working_in
from tests.support.terminal import require_terminal

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/[^/\s]+/\S*")
SECRET = "A secret headline"
READY = "Ctrl+C ends it"
SOON = 120


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


def get(address: str, path: str = "", method: str = "GET") -> tuple[HTTPResponse, bytes]:
    """Ask for ``path`` as it is written, with no browser's kindness, where ``address`` is."""
    parts = urlsplit(address)
    connection = HTTPConnection(parts.netloc, timeout=10)
    connection.putrequest(method, path or parts.path, skip_accept_encoding=True)
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
        f"/{token}/" + "x" * 5000 + ".txt", f"/{token}/../content/held.md", f"/{token}/.work/name.json",
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
    piped.until(lambda: piped.text.count("done: load the page again") >= 2)
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
