"""``make check``: its warnings, for people and for programs, and the links that it asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipeline.cli.check import workflow_command
from pipeline.model.errors import Fault
from tests.support.newsroom import NEWSROOM, Office

BODY = "It opens on Monday 10 November 2026.\n\n“We are glad that it is open at last,” said Ada Rey."


@pytest.fixture
def office(tmp_path: Path) -> Office:
    contact = '\n[contacts.called]\nname = "Desk"\ntelephone = "+44 20 7946 0312"\n'
    contact += '[warnings]\noff = ["no-summary", "legacy-carrier", "untranslated"]\n'
    found = Office(tmp_path / "office", newsroom=NEWSROOM + contact)
    found.write("one", body=BODY, contacts="[called]")
    return found


def test_warning_has_line_name_and_hint_and_stops_nothing(office: Office) -> None:
    done = office.make("check")
    assert (done.status, done.out) == (0, "1 release checked, none refused\n")
    assert done.err == (
        "content/one.md:6: warning: weekday and date disagree: Monday 10 November 2026 (10 November 2026 is a Tuesday)"
        " [weekday]\n  hint: write Tuesday, or correct the date\n"
    )


def test_strict_makes_warnings_errors(office: Office) -> None:
    done = office.make("check", "STRICT=1")
    assert done.status == 2
    assert "content/one.md:6: weekday and date disagree" in done.err
    assert "1 warning, and STRICT=1 allows none\ndateline: exit 2 (release)\n" in done.err
    office.write("one", body=BODY.replace("Monday", "Tuesday"), contacts="[called]")
    assert office.make("check", "STRICT=1").status == 0


def test_json_is_one_document_with_faults_and_warnings(office: Office) -> None:
    office.write("two", colour="red")
    done = office.make("check", "FORMAT=json")
    assert done.status == 2
    document = json.loads(done.out)
    assert (document["checked"], document["refused"], document["warnings"]) == (2, 1, 1)
    first, second = sorted(document["faults"], key=lambda each: str(each["file"]))
    assert (first["file"], first["line"], first["severity"], first["name"]) == (
        "content/one.md",
        6,
        "warning",
        "weekday",
    )
    assert first["hint"].startswith("write Tuesday")
    assert (second["severity"], second["name"], second["line"]) == ("error", "", 4)
    office.content.joinpath("newsroom.toml").write_text('[organisation]\nname = "X"\n')
    document = json.loads(office.make("check", "FORMAT=json").out)
    assert {each["file"] for each in document["faults"]} == {"content/newsroom.toml"}


def test_github_gets_workflow_commands(office: Office) -> None:
    office.write("one", title="100 % a: b, c", body=BODY, contacts="[called]", colour="a, b")
    done = office.make("check", "FORMAT=github")
    assert "::error file=content/one.md,line=5,title=release::colour: unknown key" in done.out
    office.write("one", title="Up 100 %, Friday 10 November", body="“We are glad that it opens.”", contacts="[called]")
    (warning, _) = office.make("check", "FORMAT=github").out.splitlines()
    assert warning.startswith(
        "::warning file=content/one.md,line=2,title=weekday::weekday and date disagree: Friday 10 "
    )
    assert "%0Ahint: write " in warning


def test_percent_signs_and_line_ends_are_escaped_for_github() -> None:
    fault = Fault("content/a,b:c.md", 3, "100 %\nmore", "", "weekday", "warning")
    assert workflow_command(fault) == "::warning file=content/a%2Cb%3Ac.md,line=3,title=weekday::100 %25%0Amore"


def test_unknown_format_and_unknown_warning_are_refused(office: Office) -> None:
    done = office.make("check", "FORMAT=xml")
    assert done.status == 2
    assert "FORMAT: unknown: xml\n  hint: write FORMAT=github or FORMAT=json" in done.err
    office.content.joinpath("newsroom.toml").write_text(NEWSROOM + '[warnings]\noff = ["weekdays"]\n')
    done = office.make("check")
    assert "warnings.off: unknown warning: weekdays\n  hint: did you mean weekday?" in done.err


# ── Links ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Pages(BaseHTTPRequestHandler):
    """Some addresses; ``asked`` has what was asked."""

    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path))  # type: ignore[attr-defined]
        status = {"/gone": 404, "/moved": 301, "/once": 302, "/people": 403, "/loop": 302}.get(self.path, 200)
        if self.path == "/no-head" and self.command == "HEAD":
            status = 405
        self.send_response(status)
        if target := {"/moved": "/fine", "/once": "/fine?a=1", "/loop": "/loop"}.get(self.path):
            self.send_header("Location", target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    found.asked = []  # type: ignore[attr-defined]
    thread = Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def test_links_that_answer_badly_or_lead_elsewhere(office: Office, server: ThreadingHTTPServer) -> None:
    base = f"http://127.0.0.1:{server.server_port}"
    paths = ("fine", "fine#part", "no-head", "gone", "moved", "once", "people", "loop")
    links = "\n".join(f"[{path}]({base}/{path})" for path in paths)
    body = f"“We are glad that it is open at last,” said Ada Rey.\n\n{links}\n[refused](http://127.0.0.1:9/)"
    office.write("one", body=body, contacts="[called]")
    assert office.make("check").err == ""
    assert server.asked == []  # type: ignore[attr-defined]
    done = office.make("check", "LINKS=1")
    assert done.status == 0
    told = {line.split(": ")[2].removeprefix(base): line for line in done.err.splitlines() if "warning" in line}
    assert set(told) == {"/gone", "/moved", "/once", "/people", "/loop", "http://127.0.0.1:9/"}
    assert "content/one.md:11: warning: " in told["/gone"]
    assert told["/gone"].endswith("404 Not Found [dead-link]")
    assert told["/moved"].endswith(f"leads permanently to {base}/fine [moved-link]")
    assert told["/once"].endswith(f"leads for now to {base}/fine?a=1 [moved-link]")
    assert "refuses to answer programs (403 Forbidden)" in told["/people"]
    assert "redirects" in told["/loop"]
    assert "no answer" in told["http://127.0.0.1:9/"]
    asked = server.asked  # type: ignore[attr-defined]
    assert asked.count(("HEAD", "/fine")) <= 2
    assert ("GET", "/fine") not in asked
    assert ("GET", "/no-head") in asked
