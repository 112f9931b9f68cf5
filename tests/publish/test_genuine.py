"""Genuine and current? Each answer, and whatever somebody may have tampered with, in a newsroom that is a folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from pipeline.model.errors import SettingError, StorageError
from pipeline.model.manifest import KEY, digest
from pipeline.model.statement import SIGNERS, digest_of, signature_key, statement_key
from pipeline.publish.genuine import Finding, check_file, public_files, signature_problems, telephones
from pipeline.publish.manifest import dump
from pipeline.reader.signers import parse_signers
from pipeline.storage.anonymous import AnonymousClient
from tests.support.signed import SignedNewsroom, line, new_key, plain_copy, served, sign

FERRY = ("The ferry sails again", "It carries 40 people.", "It sails at nine from the old pier, whatever the weather.")
BRIDGE = ("The bridge is open", "Everyone may cross it from today.")
Change = Callable[[SignedNewsroom], object]


class Room:
    """The newsroom, and somebody who checks files there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.newsroom = SignedNewsroom(folder / "public")
        self.newsroom.publish("ferry", *FERRY)
        self.newsroom.publish("bridge", *BRIDGE)
        self.asked: list[str] = []
        self.write()

    def write(self) -> None:
        self.newsroom.manifest = msgspec.structs.replace(self.newsroom.manifest, serial=1)
        self.newsroom.write()
        self.newsroom.put(KEY, dump(self.newsroom.manifest))

    def fetch(self, key: str) -> bytes | None:
        self.asked.append(key)
        file = self.newsroom.folder / key
        return file.read_bytes() if file.is_file() else None

    def copy(self, key: str = "releases/ferry.pdf") -> Path:
        """Return what somebody downloaded."""
        file = self.folder / "downloads" / Path(key).name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((self.newsroom.folder / key).read_bytes())
        return file

    def pasted(self, text: str) -> Path:
        file = self.folder / "pasted.txt"
        file.write_text(text, "utf-8")
        return file

    def check(self, file: Path, **more: bytes) -> Finding:
        return check_file(file, self.fetch, pauses=(0, 0, 0), **more)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def correct(newsroom: SignedNewsroom) -> None:
    newsroom.publish("ferry", FERRY[0], "It carries 41 people.", FERRY[2], note="Correction: the number was wrong.")


def withdraw(newsroom: SignedNewsroom) -> None:
    newsroom.publish("ferry", FERRY[0], status="canceled", note="Withdrawn: there is no ferry.")


def embargo(newsroom: SignedNewsroom) -> None:
    newsroom.publish("tram", "The tram is back", "It rings.", status="embargoed")


def lift(newsroom: SignedNewsroom) -> None:
    newsroom.publish("tram", "The tram is back", "It rings.")


@pytest.mark.parametrize(
    ("slug", "changes", "after", "verdict", "note"),
    [
        ("ferry", [], [], "current", ""),
        ("ferry", [], [lambda room: room.publish("ferry", *FERRY, layout="new")], "current", ""),
        ("ferry", [], [correct], "corrected", "Correction: the number was wrong."),
        ("ferry", [correct], [], "current", ""),
        ("ferry", [], [lambda room: room.publish("ferry", FERRY[0], "It carries 41 people.")], "corrected", ""),
        ("ferry", [], [withdraw], "withdrawn", "Withdrawn: there is no ferry."),
        ("ferry", [], [correct, withdraw], "withdrawn", "Withdrawn: there is no ferry."),
        ("ferry", [], [withdraw, lambda room: room.publish("ferry", *FERRY, layout="back")], "current", ""),
        ("tram", [embargo], [lift], "embargoed", ""),
        ("tram", [embargo], [lift, lambda room: room.publish("tram", "The tram", status="canceled")], "withdrawn", ""),
    ],
)  # fmt: skip
def test_file_is_what_the_newest_statement_makes_of_it(
    room: Room, slug: str, changes: list[Change], after: list[Change], verdict: str, note: str
) -> None:
    for change in changes:
        change(room.newsroom)
    file = room.copy(f"releases/{slug}.pdf")
    for change in after:
        change(room.newsroom)
    room.write()
    found = room.check(file)
    assert (found.verdict, found.note, found.slug) == (verdict, note, slug)
    assert found.stated
    assert found.stated.has(digest(file.read_bytes()))
    assert [signer.name for signer in found.signers] == ["press@example.org"]


def test_unknown_file_is_not_known_here(room: Room) -> None:
    file = room.copy()
    file.write_bytes(file.read_bytes() + b"\n")
    assert room.check(file) == Finding("unknown")


def test_picture_of_several_releases_is_current_while_one_of_them_is(room: Room) -> None:
    mark = {"mark.png": b"\x89PNG mark"}
    room.newsroom.publish("ferry", *FERRY, layout="pictured", pictures=mark)
    room.newsroom.publish("bridge", *BRIDGE, layout="pictured", pictures=mark)
    withdraw(room.newsroom)
    room.write()
    found = room.check(room.copy("releases/bridge/mark.png"))
    assert (found.verdict, found.slug) == ("current", "bridge")


def test_long_file_is_read_in_pieces_and_never_as_text(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    file = room.folder / "film.mxf"
    with file.open("wb") as stream:
        stream.truncate(2 * 1024**3)  # a sparse one
    public = {str(path.relative_to(room.newsroom.folder)): path for path in room.newsroom.folder.rglob("*.*")}
    known = {key: path.read_bytes() for key, path in public.items()} | {SIGNERS: room.fetch(SIGNERS)}
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} is read as a whole"))
    assert check_file(file, known.get).verdict == "unknown"


def test_lookup_of_a_file_reads_few_small_files(room: Room) -> None:
    room.check(room.copy())
    known = statement_key("ferry")
    assert len(room.asked) == len(set(room.asked))
    assert {*room.asked} >= {SIGNERS, known, signature_key(known)}
    assert len(room.asked) <= 6, room.asked


# ── What does not fit ───────────────────────────────────────────────────────────────────────────────────────────────

NEWEST = statement_key("ferry")
SIGNATURE = signature_key(NEWEST)


def put(key: str, data: bytes | str) -> Change:
    return lambda newsroom: newsroom.put(key, data)


def edited(key: str, old: str, new: str) -> Change:
    """Return how somebody edits a public file."""

    def change(newsroom: SignedNewsroom) -> None:
        text = (newsroom.folder / key).read_text("utf-8")
        assert old in text
        newsroom.put(key, text.replace(old, new))

    return change


def removed(pattern: str) -> Change:
    def change(newsroom: SignedNewsroom) -> None:
        for file in newsroom.folder.glob(pattern):
            file.unlink()

    return change


def signed_anew(seed: int = 1, namespace: str = "press-release") -> Change:
    """Return how somebody signs the newest statement, with which key and for what."""

    def change(newsroom: SignedNewsroom) -> None:
        data = (newsroom.folder / NEWEST).read_bytes()
        newsroom.put(SIGNATURE, sign(data, new_key(seed), namespace))

    return change


def older(newsroom: SignedNewsroom) -> None:
    """Put the first statement, signed as it was, in the place of a correction, of which somebody has a file."""
    files = [(newsroom.folder / key).read_bytes() for key in (NEWEST, SIGNATURE)]
    correct(newsroom)
    newsroom.write()
    for key, data in zip((NEWEST, SIGNATURE), files, strict=True):
        newsroom.put(key, data)


def of_another(newsroom: SignedNewsroom) -> None:
    other = statement_key("bridge")
    for mine, theirs in ((NEWEST, other), (SIGNATURE, signature_key(other))):
        newsroom.put(mine, (newsroom.folder / theirs).read_bytes())


def signers(options: str = "", seed: int = 1) -> Change:
    return put(SIGNERS, line(new_key(seed), options=options))


def every(pattern: str, data: bytes) -> Change:
    return lambda newsroom: [file.write_bytes(data) for file in newsroom.folder.glob(pattern)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (edited(NEWEST, "revision: 1", "revision: 2"), "its signature does not fit the text"),
        (edited(NEWEST, "status: usable", "status: perfect"), "is not a statement: unknown status perfect"),
        (put(NEWEST, b"\xff\xfe"), "is not a statement"),
        (removed(NEWEST), "is not there"),
        (of_another, "is about another release"),
        (removed(SIGNATURE), "has no signature"),
        (put(SIGNATURE, "a signature"), "its signature is not one of ssh-keygen"),
        (put(SIGNATURE, "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"), "signature is damaged"),
        (signed_anew(2), "its signature is by a key that signers does not have"),
        (signed_anew(namespace="file"), "its signature was made for something else (file)"),
        (signers(seed=2), "its signature is by a key that signers does not have"),
        (signers('valid-before="20250101"'), "was not valid on 2026-03-01"),
        (signers('valid-after="20260401"'), "was not valid on 2026-03-01"),
        (signers('namespaces="git"'), "was not valid on 2026-03-01"),
        (put(SIGNERS, "<html>not a list of keys</html>"), "is by a key that signers does not have"),
        (removed(SIGNERS), "is by a key that signers does not have"),
        (removed("verify/index.json"), "verify/index.json is not there"),
        (put("verify/index.json", "<html>"), "verify/index.json is not what Dateline wrote"),
        (put("verify/index.json", '{"bits": 99}'), "verify/index.json is not an index"),
        (removed("verify/4/*"), "is not there"),
        (every("verify/4/*", b"{}"), "is not what Dateline wrote"),
    ],
)  # fmt: skip
def test_what_does_not_fit_cannot_be_confirmed(room: Room, change: Change, reason: str) -> None:
    file = room.copy()
    change(room.newsroom)
    found = room.check(file)
    assert found.verdict == "unconfirmed"
    assert reason in found.note
    assert room.asked.count("verify/index.json") == 4, "it is read again three times"


def test_older_statement_in_the_place_of_the_newest_is_noticed_by_who_has_a_newer_file(room: Room) -> None:
    older(room.newsroom)
    found = room.check(room.copy())
    assert (found.verdict, found.note) == ("unconfirmed", f"{NEWEST} is older than what was signed before")


def test_earlier_statement_that_was_tampered_with_cannot_be_confirmed(room: Room) -> None:
    file = room.copy()
    correct(room.newsroom)
    room.write()
    (kept,) = (key for key in room.newsroom.manifest.by_slug()["ferry"].statements() if key.startswith("statements/"))
    edited(kept, "revision: 1", "revision: 9")(room.newsroom)
    assert room.check(file).note == f"{kept} has other bytes than its name says"
    removed(kept)(room.newsroom)
    assert room.check(file).note == f"{kept} is not there"


def test_emptied_shard_hides_a_release_and_forges_none(room: Room) -> None:
    every("verify/4/*", b"[]")(room.newsroom)
    assert room.check(room.copy()).verdict == "unknown"


def test_shard_that_names_another_release_proves_nothing(room: Room) -> None:
    file = room.folder / "forged.pdf"
    file.write_bytes(b"%PDF forged")
    sha256 = digest(file.read_bytes())
    listed = [["ferry", 2026, digest((room.newsroom.folder / NEWEST).read_bytes())[:16], sha256[:12]]]
    put(f"verify/4/{int(sha256[0], 16)}.json", msgspec.json.encode(listed))(room.newsroom)
    assert room.check(file).verdict == "unknown"


def test_second_signature_is_enough_where_the_first_is_not_right(room: Room) -> None:
    data = (room.newsroom.folder / NEWEST).read_bytes()
    room.newsroom.put(signature_key(NEWEST, 2), sign(data, new_key(2)))
    room.newsroom.put(SIGNERS, line(new_key(2), "second@example.org"))
    found = room.check(room.copy())
    assert (found.verdict, [signer.name for signer in found.signers]) == ("current", ["second@example.org"])


def test_old_line_of_signers_is_enough_for_an_old_release(room: Room) -> None:
    room.newsroom.put(SIGNERS, line(new_key(), options='valid-before="20260302"') + line(new_key(2)))
    assert room.check(room.copy()).verdict == "current"


def test_lines_that_nobody_understands_are_skipped(room: Room) -> None:
    text = f"# ours\n\n* cert-authority {line(new_key(2)).split(' ', 1)[1]}x y z\n{line(new_key())}"
    assert len(parse_signers(text.encode()).known) == 1
    room.newsroom.put(SIGNERS, text)
    assert room.check(room.copy()).verdict == "current"


def test_correction_on_its_way_is_waited_for(room: Room) -> None:
    """First the statement is there, then its signature: whoever checks between the two reads again."""
    file, before = room.copy(), (room.newsroom.folder / SIGNATURE).read_bytes()
    correct(room.newsroom)
    room.write()
    late = {SIGNATURE: [before, before]}

    def fetch(key: str) -> bytes | None:
        return late[key].pop() if late.get(key) else room.fetch(key)

    assert check_file(file, fetch, pauses=(0, 0, 0)).verdict == "corrected"
    assert late == {SIGNATURE: []}


def test_own_newsroom_must_have_the_signers_of_content(room: Room) -> None:
    own = (room.newsroom.folder / SIGNERS).read_bytes()
    assert room.check(room.copy(), own=own).verdict == "current"
    found = room.check(room.copy(), own=own + b"# another line\n")
    assert found.verdict == "unconfirmed"
    assert "the public signers are not those of content/signers" in found.note


def test_newsroom_that_signs_nothing_says_so(room: Room) -> None:
    with pytest.raises(SettingError, match="this newsroom has no signed statements"):
        check_file(room.copy(), lambda key: None)


# ── Words ───────────────────────────────────────────────────────────────────────────────────────────────────────────

WHOLE = plain_copy(*FERRY)
WORDS = "\n\n".join([*FERRY, "ENDS"])


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (WORDS, "current"),
        (f"\n  {WORDS.replace(' ', '  ')}\n\n\n", "current"),
        (WORDS.replace("\n\n", "\n"), "current"),
        (WORDS.replace(" ", "\n"), "current"),
        ("Forwarded message\nFrom: someone\n\n" + WORDS + "\n\nRegards", "current"),
        (WHOLE + "\n", "current"),
        (WORDS.replace("ENDS", "Ends"), "current"),
        (WORDS.removesuffix("ENDS"), "current"),
        (WORDS.replace("The ferry sails again", "The ferry\nsails again"), "current"),
        (WORDS.replace("It carries", "It\u00a0carries"), "current"),
        (WORDS.replace("40", "400"), "differs"),
        (WORDS.replace("It sails", "IT SAILS"), "differs"),
        (WORDS.removesuffix("ENDS") + "More words.", "differs"),
        ("\n\n".join(FERRY[1:]), "differs"),
        (FERRY[2], "differs"),
        (FERRY[2].replace("nine", "ten"), "differs"),
        ("Nothing that this newsroom has ever said, in other words altogether.", "unknown"),
        ("It carries people.", "unknown"),
        (" \n ", "unknown"),
    ],
)
def test_pasted_words_are_compared_with_what_is_signed(room: Room, text: str, verdict: str) -> None:
    assert room.check(room.pasted(text)).verdict == verdict


def test_words_copied_from_paper_or_page_are_those_of_the_plain_text_copy(room: Room) -> None:
    """There, headings are no capitals, and captions have no brackets."""
    title = "A timetable for the summer season"
    room.newsroom.publish("times", title, "[A ferry. Photo: Ann Lee]", "IN SUMMER", "The US ferry sails twice.")
    room.write()
    text = "\n".join([title, "A ferry. Photo: Ann Lee", "In summer", "The US ferry sails twice.", "Ends"])
    assert room.check(room.pasted(text)).verdict == "current"
    assert differing(room.check(room.pasted(text.replace("twice", "once")))) == [("gone", "twice."), ("new", "once.")]


def test_part_of_a_text_without_blanks_is_compared_with_the_nearest(room: Room) -> None:
    words = "新しい渡し船は毎日九時に古い桟橋から出航します。天候にかかわらず運航する予定です。"
    room.newsroom.publish("fune", "渡し船の再開", words, end="以上")
    room.write()
    found = room.check(room.pasted(words.replace("九時", "十時")))
    assert (found.verdict, found.slug) == ("differs", "fune")
    assert found.passages
    assert (
        room.check(room.pasted("これはまったく別の文章であり、この報道室とは何の関係もありません。")).verdict
        == "unknown"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_files_of_several_editors_are_read(room: Room, encoding: str) -> None:
    file = room.folder / "pasted.txt"
    file.write_bytes(WORDS.encode(encoding))
    assert room.check(file).verdict == "current"


@pytest.mark.parametrize("data", [b"caf\xe9", b"%PDF-1.7 " + WORDS.encode(), b"a\x00b"])
def test_other_files_are_not_taken_for_words(room: Room, data: bytes) -> None:
    file = room.folder / "pasted.txt"
    file.write_bytes(data)
    assert room.check(file).verdict == "unknown"


def differing(found: Finding) -> list[tuple[str, str]]:
    return [(piece.kind, piece.words) for passage in found.passages for piece in passage if piece.kind != "same"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        (WORDS.replace("40", "400"), [("gone", "40"), ("new", "400")]),
        (WORDS.replace("the old pier", "a new pier"), [("gone", "the old"), ("new", "a new")]),
        (WORDS.removesuffix("ENDS") + "Call now.", [("new", "Call now.")]),
        (FERRY[2].replace("nine", "ten"), [("gone", "nine"), ("new", "ten")]),
        (FERRY[2], []),
    ],
)  # fmt: skip
def test_words_that_differ_are_shown(room: Room, text: str, pieces: list[tuple[str, str]]) -> None:
    found = room.check(room.pasted(text))
    assert (found.verdict, found.slug, differing(found)) == ("differs", "ferry", pieces)


@pytest.mark.parametrize("around", ["{}", "Forwarded\n\n{}\n\nRegards"])
@pytest.mark.parametrize(("change", "verdict"), [(correct, "corrected"), (withdraw, "withdrawn")])
def test_words_of_an_earlier_revision_are_known(room: Room, change: Change, verdict: str, around: str) -> None:
    change(room.newsroom)
    room.write()
    assert room.check(room.pasted(around.format(WORDS))).verdict == verdict


def test_other_words_below_the_headline_of_a_withdrawn_release_are_not_called_genuine(room: Room) -> None:
    withdraw(room.newsroom)
    room.write()
    found = room.check(room.pasted(WORDS.replace("40", "400")))
    assert (found.verdict, found.note, found.passages) == ("differs", "Withdrawn: there is no ferry.", ())
    assert found.newest
    assert found.newest.status == "canceled"


def test_changed_text_in_public_is_not_compared_with(room: Room) -> None:
    edited("releases/ferry.txt", "40", "400")(room.newsroom)
    found = room.check(room.pasted(WORDS.replace("40", "400")))
    assert (found.verdict, found.note) == ("unconfirmed", f"releases/ferry.txt is not what {NEWEST} states")


# ── In public ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_newsroom_is_read_as_anyone_can(room: Room) -> None:
    with served(room.newsroom.folder) as address:
        fetch = public_files(AnonymousClient(address, {}))
        assert check_file(room.copy(), fetch).verdict == "current"
        assert fetch("nothing.txt") is None


def test_address_that_does_not_answer_is_no_answer(room: Room) -> None:
    with served(room.newsroom.folder) as address:
        pass
    with pytest.raises(StorageError, match="cannot read"):
        check_file(room.copy(), public_files(AnonymousClient(address, {})))


def test_desk_is_named_with_its_telephones(room: Room) -> None:
    found = telephones(room.fetch)
    assert re.search("[A-Za-z]", found[0])
    assert all(re.fullmatch(r"\+[\d-]+", number) for number in found[1:])
    assert len(found) > 1
    assert telephones(lambda key: None) == []


# ── A whole newsroom ────────────────────────────────────────────────────────────────────────────────────────────────


def problems(room: Room) -> list[str]:
    known = parse_signers((room.newsroom.folder / SIGNERS).read_bytes())
    return [f"{each.key} {each.what}" for each in signature_problems(room.newsroom.manifest, known, room.fetch)]


def test_statement_that_states_other_files_than_the_record_is_found(room: Room) -> None:
    row = room.newsroom.manifest.by_slug()["ferry"]
    record = msgspec.json.encode({"altIds": [{"role": "sha256:releases/ferry.pdf", "value": "1" * 64}]})
    room.newsroom.put("releases/ferry.json", record)
    rows = [msgspec.structs.replace(row, record=digest(record))]
    room.newsroom.manifest = msgspec.structs.replace(room.newsroom.manifest, rows=tuple(rows))
    assert problems(room) == [
        "releases/ferry.statement has no signature",
        "releases/ferry.statement states another releases/ferry.pdf than the record",
        "releases/ferry.statement states another releases/ferry.txt than the record",
    ]


def test_words_and_titles_are_found_by_their_digests(room: Room) -> None:
    stated = room.newsroom.manifest.by_slug()["ferry"].statement
    assert stated
    assert stated.finds(digest_of(FERRY[0]))
    assert stated.finds(digest_of(WORDS))
    assert not stated.finds(digest_of(BRIDGE[0]))
    assert stated.signed == date(2026, 3, 1)
