"""The states of a newsroom in which the commands of a page are run. A comment above a block names one of them.

Without a comment a page begins with the state ``sample``, and goes on with what its blocks have left.

sample            a fresh clone: the sample newsroom, nothing published
own               a newsroom with a public release, ``name``
edited            the same, and words of the release were changed in its source
scheduled         a newsroom with a release under embargo, ``name``, whose date is a month ahead
signed            the same as ``own``, with a key, and signed
approvals         the same as ``scheduled``, with a key, and every release needs an approval
storage           the same as ``own``, before anything was published, and another S3 server with its operator's keys
drafts finished   the newsroom of the block above, with its drafts as their author leaves them
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import docx

from pipeline.storage.embedded.folder import StoreFolder, is_free
from tests.support.newsroom import NEWSROOM, SAMPLE, Office

TEXT = """\
The Ferry Trust has opened the catalogue of its tapes. It lists 3,000 of them.

> “The tapes are there,” said Ada Desk. “Now you can find them.”
"""

SUMMARY = "The Ferry Trust has opened the catalogue of its tapes."
WITHOUT_DOUBTS = NEWSROOM.replace('carrier = "Beta SP"\n', "")
"""A newsroom of which nothing is a warning: a page says that one command fails when there is a warning."""


def imported(file: Path) -> None:
    """Write a Word file that somebody wants to import."""
    document = docx.Document()
    document.add_heading("Ferries run on Sundays again", 0)
    document.add_paragraph("PLYMOUTH, 4 May 2026: The Ferry Trust runs its ferries on Sundays again.")
    document.add_paragraph("All three ferries leave every half an hour.")
    document.save(str(file))


class States:
    """Prepares newsrooms below ``folder``, one at a time: their embedded stores have the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "settings"
        """Where keys are, instead of in the folder of who runs the tests."""
        self.made = 0
        self.published: Office | None = None
        self.office: Office | None = None

    def prepare(self, state: str) -> Office:
        """Return a newsroom in ``state``, in a new folder unless it goes on with the last one."""
        if state == "drafts finished":
            assert self.office
            finish_drafts(self.office)
            return self.office
        self.end()
        makers: dict[str, Callable[[], Office]] = {
            "sample": self._sample,
            "own": self._own,
            "edited": self._edited,
            "scheduled": self._scheduled,
            "signed": self._signed,
            "approvals": self._approvals,
            "storage": self._unpublished,
        }
        self.office = makers[state]()
        imported(self.office.folder / "release.docx")
        return self.office

    def end(self) -> None:
        """Stop what the last newsroom has started."""
        if self.office:
            self.office.end()
            self.office = None

    def _next(self) -> Path:
        self.made += 1
        return self.folder / f"newsroom-{self.made}"

    def _sample(self) -> Office:
        office = Office(self._next())
        shutil.rmtree(office.content)
        shutil.copytree(SAMPLE, office.content)
        return office

    def _unpublished(self) -> Office:
        office = Office(self._next(), newsroom=WITHOUT_DOUBTS)
        office.write("name", title="Catalogue opened", body=TEXT, summary=SUMMARY)
        return office

    def _own(self) -> Office:
        """Return a copy of a published newsroom, with the same ports; somebody else may have them by now."""
        if self.published is None or not all(map(is_free, StoreFolder(self.published.folder).ports().every())):
            self.published = self._unpublished()
            result = self.published.make("publish")
            self.published.end()
            assert result.status == 0, result.text
        return self.published.copy(self._next())

    def _edited(self) -> Office:
        office = self._own()
        office.write("name", title="Catalogue opened", body=TEXT.replace("3,000", "2,900"), summary=SUMMARY)
        return office

    def _scheduled(self) -> Office:
        office = Office(self._next())
        date = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="minutes")
        office.write("name", title="Catalogue opened", body=TEXT, date=date, embargo="true")
        return office

    def _signed(self) -> Office:
        office = self._own()
        self._make(office, "key")
        self._make(office, "sign")
        return office

    def _approvals(self) -> Office:
        office = self._scheduled()
        self._make(office, "key")
        file = office.content / "newsroom.toml"
        file.write_text(
            file.read_text("utf-8").replace("[organisation]\n", "[organisation]\napprovals = 1\n", 1), "utf-8"
        )
        return office

    def _make(self, office: Office, target: str) -> None:
        result = office.make(target, XDG_CONFIG_HOME=str(self.settings))
        assert result.status == 0, result.text


def finish_drafts(office: Office) -> None:
    """Write every draft as its author would leave it: looked through, with words of its own, due."""
    for file in office.content.glob("*.md"):
        text = file.read_text("utf-8")
        if re.search(r"(?m)^draft: true", text):
            front, _, body = text.removeprefix("---\n").partition("\n---\n")
            lines = [line for line in front.splitlines() if not re.match(r"draft:|date:|\s*# ", line)]
            body = re.sub(r"(?m)^<!-- check.*-->\n*", "", body) if "Sundays" in text else TEXT
            file.write_text("\n".join(["---", *lines, "date: 2026-01-05T09:00+00:00", "---", body]), "utf-8")
