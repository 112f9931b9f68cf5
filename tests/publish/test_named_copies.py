"""Embargoed copies for one holder: the name is on every page and in every file name; their links are revoked alone."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import msgspec
import pytest

from pipeline.model.errors import SettingError
from pipeline.publish import holders, sharing
from pipeline.storage import ObjectStore, Put, disposition, name_of_download, open_store
from pipeline.storage.destination import destination
from tests.support.instants import published
from tests.support.newsroom import Office, Result
from tests.support.public_http import get
from tests.support.reading import picture
from tests.support.renditions import pages_of_pdf, words_of
from tests.support.shared_copies import docx_parts, links, opened
from tests.support.signing import name as name_signer
from tests.support.signing import with_key, write_key
from tests.support.terminal import require_terminal

DATE = (datetime.now(UTC) + timedelta(days=40)).replace(hour=9, minute=30, second=0, microsecond=0)
LONG = "\n\n".join(
    f"Box {number} of the archive was opened today, and nobody had expected that. " * 6 for number in range(30)
)
JANE = "Jane Doe, Reuters"
TARO = "山田 太郎（日々新聞社）"
AHMAD = "أحمد العلي, قناة الأخبار 24"
SUNITA = "सुनीता क्षेत्री, दैनिक समाचार"
LABELS = {"Text": "txt", "PDF": "pdf", "Word": "docx", "Press kit": "zip", "Page": "html", "Data": "json"}
RENDITIONS = {"Text": "text", "PDF": "pdf", "Word": "docx", "Page": "html", "Data": "json"}
FILE_NAMES = {
    JANE: "Jane-Doe-Reuters",
    TARO: "山田-太郎-日々新聞社",
    AHMAD: "أحمد-العلي-قناة-الأخبار-24",
    SUNITA: "सुनीता-क्षेत्री-दैनिक-समाचार",
}


def squeezed(text: str) -> str:
    return "".join(re.sub("[\u200e\u200f\u2066-\u2069]", "", text).casefold().split())


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("named") / "office")
    body = f'The lead.\n\n![A box](box.png "The box | J. Doe")\n\n{LONG}'
    found.write("sealed-boxes", title="What is in the boxes", body=body, date=DATE.isoformat(), embargo="true")
    (found.content / "sealed-boxes").mkdir()
    (found.content / "sealed-boxes/box.png").write_bytes(picture(size=(1200, 800)))
    try:
        yield found
    finally:
        found.end()


@pytest.fixture(scope="module")
def plain(office: Office) -> Result:
    return office.make("share", "RELEASE=sealed-boxes", TO="a variable of the system")


@pytest.fixture(scope="module")
def shared(office: Office, plain: Result) -> dict[str, Result]:
    return {holder: office.make("share", "RELEASE=sealed-boxes", f"TO={holder}") for holder in FILE_NAMES}


@pytest.fixture(scope="module")
def given(shared: dict[str, Result]) -> dict[str, dict[str, bytes]]:
    """What the links open, by holder and label."""
    return {holder: opened(result) for holder, result in shared.items()}


# ── The name ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("label", ["Text", "Word", "Page", "Data"])
@pytest.mark.parametrize("holder", FILE_NAMES)
def test_name_stands_in_the_embargo_line_of_every_format(
    given: dict[str, dict[str, bytes]], holder: str, label: str
) -> None:
    words = squeezed(" ".join(words_of(RENDITIONS[label], given[holder][label])))
    assert re.search(rf"embargoeduntil[^;]*;[^;]*;copyfor{re.escape(squeezed(holder))}", words)
    for other in FILE_NAMES.keys() - {holder}:
        assert squeezed(other) not in words


@pytest.mark.parametrize("holder", [JANE, TARO])
def test_name_stands_on_every_page_of_the_pdf(given: dict[str, dict[str, bytes]], holder: str) -> None:
    pages = [squeezed(page) for page in pages_of_pdf(given[holder]["PDF"])]
    assert len(pages) > 2
    name = squeezed(holder.replace("（", "(").replace("）", ")"))
    assert [page.count(f"copyfor{name}") for page in pages] == [1] * len(pages)


@pytest.mark.parametrize("holder", FILE_NAMES)
def test_name_stands_on_every_page_of_the_word_file(given: dict[str, dict[str, bytes]], holder: str) -> None:
    """The first page has it in its text, all others in their header."""
    parts = {name: squeezed(text) for name, text in docx_parts(given[holder]["Word"]).items()}
    assert f"copyfor{squeezed(holder)}" in parts.pop("word/document.xml")
    assert sum(f"copyfor{squeezed(holder)}" in text for text in parts.values()) == 1


@pytest.mark.parametrize("holder", FILE_NAMES)
def test_name_stands_in_the_name_of_every_file(
    shared: dict[str, Result], given: dict[str, dict[str, bytes]], holder: str
) -> None:
    for label, address in links(shared[holder]).items():
        stem, suffix = (
            ("box", "png") if label == "box.png" else ("sealed-boxes", {**LABELS, sharing.CALENDAR: "ics"}[label])
        )
        name = f"{stem}_{FILE_NAMES[holder]}.{suffix}"
        stated = get(address)[1]["content-disposition"]
        assert stated.startswith("inline;" if label == "Page" else "attachment;"), "a page is shown, and saved by name"
        assert name_of_download(stated) == name
        assert name.isascii() or f"filename*=UTF-8''{quote(name, safe='')}" in stated
        assert holder not in unquote(address), "an address says nothing"
    with zipfile.ZipFile(io.BytesIO(given[holder]["Press kit"])) as kit:
        packed = {Path(name).name: kit.read(name) for name in kit.namelist()}
    for label in ("Text", "PDF", "Word"):
        assert packed[f"sealed-boxes_{FILE_NAMES[holder]}.{LABELS[label]}"] == given[holder][label]
    assert packed["box.png"] == given[holder]["box.png"]


def test_record_leads_to_the_copies_of_its_holder(
    shared: dict[str, Result], given: dict[str, dict[str, bytes]]
) -> None:
    record = json.loads(given[JANE]["Data"])
    assert {made["href"] for made in record["renditions"]} == {
        address for label, address in links(shared[JANE]).items() if label not in ("Data", sharing.CALENDAR)
    }
    for made in record["renditions"]:
        assert len(get(made["href"])[2]) == made["sizeInBytes"], made["name"]


def test_copies_without_a_name_are_what_was_rendered(plain: Result, office: Office) -> None:
    """A variable TO of the system is no name: only what is typed after make share is."""
    assert tuple(links(plain)) == (*LABELS, "box.png")
    found = opened(plain)
    for label in ("Text", "PDF", "Word", "Press kit"):
        assert found[label] == (office.waiting / f"releases/sealed-boxes.{LABELS[label]}").read_bytes()
    assert "copyfor" not in squeezed(found["Text"].decode())


def test_keys_of_each_holder_are_their_own(plain: Result, shared: dict[str, Result]) -> None:
    folders = [
        {address.partition("?")[0].rpartition("/")[0] for address in links(result).values()}
        for result in (plain, *shared.values())
    ]
    assert [len(each) for each in folders] == [1] * 5
    assert len(set.union(*folders)) == 5


@pytest.mark.parametrize("language", ["ar", "tr", "ja", "fr"])
def test_releases_in_other_languages_have_the_name_too(tmp_path: Path, language: str) -> None:
    office = Office(tmp_path / "office")
    toml = office.content / "newsroom.toml"
    toml.write_text(toml.read_text("utf-8").replace('["en-GB", "de"]', f'["en-GB", "{language}"]'), "utf-8")
    office.write("boxes", body="123.", date=DATE.isoformat(), embargo="true", language=language)
    holder = "Iris Smith (Wire Ltd.)"
    try:
        found = opened(office.make("share", "RELEASE=boxes", f"TO={holder}"))
    finally:
        office.end()
    for label in ("Word", "Page", "Data"):
        assert squeezed(holder) in squeezed(" ".join(words_of(RENDITIONS[label], found[label])))


def test_copy_that_does_not_name_its_holder_is_refused(tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    office.write("sealed-boxes", body=LONG, date=DATE.isoformat(), embargo="true")
    template = office.folder / "templates/article.html.j2"
    source = template.read_text("utf-8")
    template.write_text(source.replace("{{ article.status }}", "{{ article.status.replace('Doe', '') }}"), "utf-8")
    try:
        assert office.make("share", "RELEASE=sealed-boxes").status == 0
        result = office.make("share", "RELEASE=sealed-boxes", f"TO={JANE}")
    finally:
        office.end()
    assert "dateline: exit 2" in result.err, result.text
    assert "TO: the copies cannot be rendered with this name: PDF: does not say what the release says" in result.err
    assert "“doe" in result.err.casefold()
    assert "http" not in result.out


# ── Names as they are typed ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("  Jane   Doe,\tReuters ", "Jane Doe, Reuters"),
        ("Rene\u0301e Dupre\u0301", "Renée Dupré"),
        ("Jane\u200b Doe\u202e", "Jane Doe"),
        ("\u200fأحمد العلي", "أحمد العلي"),
        ("क्\u200dषेत्री", "क्\u200dषेत्री"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("山田　太郎", "山田 太郎"),
        ('O\'Neill & "Sons" <x> $HOME', 'O\'Neill & "Sons" <x> $HOME'),
    ],
)
def test_name_is_taken_as_it_is_read(typed: str, name: str) -> None:
    assert holders.read_holder(typed) == name


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "there is no name in it"),
        (" \u200b , ", "there is no name in it"),
        ("Jane Doe\nReuters", "longer than one line"),
        ("Jane Doe\u2028Reuters", "longer than one line"),
        ("Jane\x1b[31m Doe", "U+001B"),
        ("Jane\x00Doe", "U+0000"),
        ("Jane \ufffd Doe", "U+FFFD"),
        ("Jane\udcff", "U+DCFF"),
        ("J" * 81, "has 81 characters; 80 fit"),
    ],
)
def test_name_that_cannot_be_printed_is_refused_kindly(typed: str, words: str) -> None:
    with pytest.raises(SettingError, match=f"^TO: .*{re.escape(words)}") as refused:
        holders.read_holder(typed)
    assert refused.value.hint


@pytest.mark.parametrize(
    ("holder", "name"),
    [
        *FILE_NAMES.items(),
        ("../../etc/passwd", "etc-passwd"),
        ('C:\\x|y*?"<z>', "C-x-y-z"),
        ("Dr. A. B. Smith.", "Dr-A-B-Smith"),
        ("अ" * 80, "अ" * 63),
    ],
)
def test_file_name_has_the_name_without_what_a_system_may_refuse(holder: str, name: str) -> None:
    found = holders.file_name("releases/boxes/tape.png", holder)
    assert found == f"tape_{name}.png"
    assert len(found.encode()) <= 200
    assert name_of_download(disposition(found)) == name_of_download(disposition(found, inline=True)) == found


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("TO=",), "TO: there is no name in it"),
        (("TO=", "REVOKE=1"), "TO: there is no name in it"),
        (("TO=Jane\nDoe",), "TO: the name is longer than one line"),
    ],
)
def test_name_that_is_wrong_shares_and_revokes_nothing(
    office: Office, shared: dict[str, Result], arguments: tuple[str, ...], words: str
) -> None:
    result = office.make("share", "RELEASE=sealed-boxes", *arguments)
    assert "dateline: exit 2" in result.err, result.text
    assert words in result.err
    assert get(links(shared[JANE])["PDF"])[0] == 200


# ── The calendar entry ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("holder", FILE_NAMES)
def test_calendar_entry_keeps_the_rules(given: dict[str, dict[str, bytes]], holder: str) -> None:
    """RFC 5545: lines end with CR LF, have 75 octets at most, and text is escaped."""
    data = given[holder][sharing.CALENDAR]
    lines = data.split(b"\r\n")
    assert lines.pop() == b""
    assert not [line for line in lines if len(line) > 75 or b"\n" in line or b"\r" in line or line.decode() == ""]
    whole = data.replace(b"\r\n ", b"").decode().split("\r\n")[:-1]
    assert whole[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert whole[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    facts = dict(line.split(":", 1) for line in whole[4:-2])
    assert len(facts) == len(whole[4:-2]), "each property once"
    assert facts["DTSTART"] == f"{DATE:%Y%m%dT%H%M%SZ}"
    assert re.fullmatch(r"\d{8}T\d{6}Z", facts["DTSTAMP"])
    assert facts["SUMMARY;LANGUAGE=en-GB"] == "Embargo ends: Test Office"
    described = facts["DESCRIPTION;LANGUAGE=en-GB"]
    assert not re.search(r"(?<!\\)[,;]", described)
    assert squeezed(re.sub(r"\\(.)", r"\1", described)).endswith(f"copyfor{squeezed(holder)}")
    assert "boxes" not in data.decode(), "neither title nor slug: others may see a calendar"


def test_calendar_entry_of_a_release_is_one_for_all(given: dict[str, dict[str, bytes]]) -> None:
    """So that a later one, with another date, replaces it."""
    assert len({re.findall(rb"UID:.*", copies[sharing.CALENDAR])[0] for copies in given.values()}) == 1


# ── Who holds what, and taking back ─────────────────────────────────────────────────────────────────────────────────


def at_a_terminal(office: Office) -> str:
    command = [sys.executable, "-m", "pipeline", "status"]
    shown = subprocess.run(
        ["script", "-qec", " ".join(command), os.devnull],
        cwd=office.folder,
        env={name: value for name, value in os.environ.items() if name != "CI"},
        capture_output=True,
        text=True,
        check=True,
    )
    return shown.stdout


def test_status_lists_holders_at_a_terminal_and_never_in_a_log(office: Office, shared: dict[str, Result]) -> None:
    require_terminal()
    log = office.make("status")
    assert re.search(r"waiting-[0-9a-f]{8} .*, 4 holders of named copies\n", log.out), log.text
    for holder in FILE_NAMES:
        assert holder not in log.text
    assert "sealed" not in log.text
    shown = at_a_terminal(office)
    for holder in FILE_NAMES:
        assert re.search(rf"sealed-boxes +{re.escape(holder)} +8 +20\d\d-\d\d-\d\d .* UTC", shown), shown
    assert re.search(r"sealed-boxes +\(no name\) +7 +20", shown)


def test_one_holder_is_revoked_and_the_others_keep_theirs(
    office: Office, plain: Result, shared: dict[str, Result]
) -> None:
    require_terminal()
    wrong = office.make("share", "RELEASE=sealed-boxes", "TO=Jane Do, Reuters", "REVOKE=1")
    assert "dateline: exit 2" in wrong.err, wrong.text
    assert "TO: no copies of this release are for Jane Do, Reuters" in wrong.err
    assert "did you mean TO='Jane Doe, Reuters'?" in wrong.err
    result = office.make("share", "RELEASE=sealed-boxes", "TO=jane doe, REUTERS", "REVOKE=1")
    assert "8 files deleted" in result.out, result.text
    for address in links(shared[JANE]).values():
        assert get(address)[0] in (403, 404)
    for other in (plain, shared[AHMAD], shared[TARO], shared[SUNITA]):
        for address in links(other).values():
            assert get(address)[0] == 200
    shown = at_a_terminal(office)
    assert JANE not in shown
    assert AHMAD in shown
    assert "31 files deleted" in office.make("share", "RELEASE=sealed-boxes", "REVOKE=1").out
    assert "this release is not shared" in office.make("share", "RELEASE=sealed-boxes", f"TO={AHMAD}", "REVOKE=1").out
    assert "copies for" not in at_a_terminal(office)
    store = open_store(destination({}, office.folder), {})
    assert list(store.list("shared/", "private")) == []
    register = store.get(sharing.REGISTER, "private")
    assert register
    assert msgspec.json.decode(register.body) == {}, "nobody's name stays"


def test_register_without_names_is_read(store: ObjectStore) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    old = {"slug": [{"token": "a", "until": until, "keys": ["shared/a/1"]}]}
    store.put(Put(key=sharing.REGISTER, body=msgspec.json.encode(old), media_type="application/json"), "private")
    with pytest.raises(SettingError, match="no copies of this release are for Jane"):
        sharing.revoke(store, "slug", "Jane")
    assert sharing.revoke(store, "slug") == 1


def test_names_end_with_the_links(store: ObjectStore) -> None:
    """A statement stays until the release is public; the name is not needed any more."""
    now = datetime.now(UTC)
    ended = sharing.SharedCopies("a", now - timedelta(hours=1), ("shared/a/1",), "a statement", "signed", "Jane Doe")
    valid = sharing.SharedCopies("b", now + timedelta(hours=1), ("shared/b/1",), holder="Joe Bloggs")
    sharing.put_copies(store, "slug", ended, [], now - timedelta(hours=2))
    sharing.put_copies(store, "slug", valid, [], now)
    register = store.get(sharing.REGISTER, "private")
    assert register
    assert b"a statement" in register.body
    assert b"Jane Doe" not in register.body
    assert b"Joe Bloggs" in register.body
    store.delete(sharing.REGISTER, "private")


# ── A newsroom that signs ───────────────────────────────────────────────────────────────────────────────────────────


def test_named_copies_of_a_newsroom_that_signs_are_known_later_without_the_name(tmp_path: Path) -> None:
    office, key = Office(tmp_path / "office"), tmp_path / "keys/key"
    name_signer(office, write_key(key))
    office.write("sealed-boxes", body="40 boxes.", date=DATE.isoformat(), embargo="true")
    try:
        copies = {
            who: opened(office.make("share", "RELEASE=sealed-boxes", f"TO={who}", **with_key(key)))
            for who in (JANE, TARO)
        }
        office.write("sealed-boxes", body="40 boxes.", embargo="true")
        result = office.make("publish", **with_key(key))
        assert result.status == 0, result.text
        for holder, found in copies.items():
            file = tmp_path / "copy.pdf"
            file.write_bytes(found["PDF"])
            said = office.make("verify", f"FILE={file}", **with_key(key))
            assert "an embargoed copy" in said.out, (holder, said.text)
        statements = [
            data
            for name, data in office.files().items()
            if name.startswith("statements/") and name.endswith(".statement")
        ]
        assert len(statements) == 2
        for name, data in office.files().items():
            assert b"Jane" not in data, name
            assert TARO.encode() not in data, name
        register = open_store(destination({}, office.folder), {}).get(sharing.REGISTER, "private")
        assert register
        assert b"Jane" not in register.body
        again = published(office)
        assert again
    finally:
        office.end()
