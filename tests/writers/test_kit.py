"""The press kit: the very files that are offered one by one, in one folder of one zip file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import pytest
from msgspec import structs

from pipeline.build import parity
from pipeline.model.errors import RenderError
from pipeline.model.formats import FORMATS, Rendition, by_name
from pipeline.writers import RenderInput
from pipeline.writers.kit import write
from tests.support import sample
from tests.support.formats import NAMES, PACKED_SUFFIXES
from tests.support.in_process import AHEAD, Sandbox
from tests.support.pictures import encoded, lay, scene
from tests.writers import cases

TEXTS = {f"releases/sample{suffix}": f"the {suffix} file".encode() for suffix in PACKED_SUFFIXES}
CONTACTS = ("media-contact.txt", "media-contact.vcf")


def render_input(**changes: object) -> RenderInput:
    """Return the hand-made release with the files that a kit packs, and their true digests."""
    found = sample.render_input(**changes)  # type: ignore[arg-type]  # the test's own keywords
    made = tuple(
        structs.replace(each, sha256=hashlib.sha256(TEXTS[each.key]).hexdigest())
        for each in found.renditions
        if each.key in TEXTS
    )
    shown = Rendition("picture", "releases/sample/tape.png", 1, hashlib.sha256(found.pictures["tape.png"]).hexdigest())
    renditions = (*made, shown) if found.release.pictures else made
    return structs.replace(found, renditions=renditions, files=TEXTS)


def opened(data: bytes) -> ZipFile:
    return ZipFile(io.BytesIO(data))


def test_kit_holds_the_files_the_pictures_and_whom_to_call_in_one_folder() -> None:
    with opened(write(render_input()).data) as kit:
        names = ("sample.txt", "sample.pdf", "sample.docx", "tape.png", *CONTACTS)
        assert kit.namelist() == [f"sample/{name}" for name in names]
        for key, data in TEXTS.items():
            assert kit.read(f"sample/{Path(key).name}") == data
        assert kit.read("sample/tape.png") == sample.picture_bytes()
        cards, text = kit.read("sample/media-contact.vcf").decode(), kit.read("sample/media-contact.txt").decode()
    assert cards.count("BEGIN:VCARD") == 2
    assert "FN:Ruth Okafor\r\n" in cards
    assert "Beta SP" in cards
    assert text.startswith("OPEN WINDOW ARCHIVE\n\nMEDIA CONTACT\n\nRuth Okafor\n")
    assert "+44 7700 900417" in text


def test_cards_are_those_of_the_release_not_of_the_newsroom() -> None:
    other = structs.replace(sample.CONTACT, name="Bo Brown")
    with opened(write(render_input(contacts=(other,), footage=())).data) as kit:
        cards, text = kit.read("sample/media-contact.vcf").decode(), kit.read("sample/media-contact.txt").decode()
    assert cards.count("BEGIN:VCARD") == 1
    assert "FN:Bo Brown\r\n" in cards
    assert "Bo Brown" in text
    assert "Ruth Okafor" not in cards + text


def test_release_with_nobody_to_call_has_no_empty_card() -> None:
    bare = render_input(contacts=(), footage=())
    data = write(bare).data
    with opened(data) as kit:
        assert not [name for name in kit.namelist() if "contact" in name]
    parity.check(by_name("kit"), bare, data)


def test_pictures_are_stored_and_the_rest_is_deflated_without_time_or_system() -> None:
    with opened(write(render_input()).data) as kit:
        entries = kit.infolist()
    assert {Path(e.filename).name for e in entries if e.compress_type == ZIP_STORED} == {"tape.png"}
    assert {e.compress_type for e in entries} == {ZIP_STORED, ZIP_DEFLATED}
    assert {(e.date_time, e.create_system, e.external_attr >> 16) for e in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3, 0o100644)
    }


def packed(kit: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """Return a kit with other files in it."""
    with opened(kit) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as new:
        for name, data in files.items():
            new.writestr(name, data)
    return buffer.getvalue()


def test_sound_kit_passes_the_pipelines_own_check() -> None:
    parity.check(by_name("kit"), render_input(), packed(write(render_input()).data, lambda _: None))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda files: files.update({"sample/sample.pdf": b"the .pdf fila"}), "sample/sample.pdf is not the file that"),
        (lambda files: files.update({"sample/tape.png": b"a smaller one"}), "sample/tape.png is not the file that"),
        (lambda files: files.pop("sample/sample.docx"), "sample/sample.docx is in it 0 times"),
        (lambda files: files.pop("sample/media-contact.vcf"), "sample/media-contact.vcf is in it 0 times"),
        (lambda files: files.update({"sample/notes.txt": b"ours alone"}), "sample/notes.txt does not belong in it"),
    ],
    ids=["another file", "another picture", "a lost file", "a lost card", "a file too many"],
)
def test_difference_from_what_the_page_states_is_found(change: Callable[[dict[str, bytes]], object], told: str) -> None:
    data = packed(write(render_input()).data, change)
    with pytest.raises(RenderError, match=f"does not hold the files of the release: {told}"):
        parity.check(by_name("kit"), render_input(), data)


def test_kit_has_each_original_and_no_copy(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    lay(sandbox, {"one.jpg": encoded(scene(2400, 1600), "JPEG")})
    sandbox.run(NAMES)
    place = sandbox.state.public / "releases"
    assert len(list((place / "probe").iterdir())) > 1, "there are smaller ones to leave out"
    with opened((place / "probe.zip").read_bytes()) as kit:
        assert kit.read("probe/one.jpg") == (place / "probe" / "one.jpg").read_bytes()
        assert [name for name in kit.namelist() if name.endswith(".jpg")] == ["probe/one.jpg"]
        for suffix in PACKED_SUFFIXES:
            assert kit.read(f"probe/probe{suffix}") == (place / f"probe{suffix}").read_bytes()


def test_kit_of_what_waits_lies_with_it_and_is_marked_as_it_is(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.write(date=AHEAD, embargo="true")
    sandbox.run(NAMES)
    assert not (sandbox.state.public / "releases").exists()
    with opened((sandbox.state.waiting / "releases/probe.zip").read_bytes()) as kit:
        assert b"EMBARGOED UNTIL" in kit.read("probe/probe.txt")


def test_file_that_was_changed_by_hand_is_not_packed(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    sandbox.write()
    sandbox.run(NAMES)
    text = sandbox.state.public / "releases/probe.txt"
    text.write_bytes(text.read_bytes().replace(b"Words", b"Sword"))
    (sandbox.state.public / "releases/probe.zip").unlink()
    step = sandbox.render(["kit"])["kit"]["probe"]
    assert step.verb == "failed"
    assert "probe/probe.txt is not the file that was rendered" in str(step.fault)
    assert "delete it, and it is rendered again" in str(step.fault)


def test_what_was_withdrawn_has_no_kit(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    lay(sandbox, {"one.jpg": encoded(scene(600, 400), "JPEG")})
    sandbox.run(NAMES)
    assert (sandbox.state.public / "releases/probe.zip").is_file()
    lay(
        sandbox,
        {"one.jpg": encoded(scene(600, 400), "JPEG")},
        withdrawn="{date: 2026-06-01T12:00Z, reason: It was off.}",
    )
    sandbox.run(NAMES)
    assert not (sandbox.state.public / "releases/probe.zip").exists()
    assert b"probe.zip" not in (sandbox.state.public / "releases/probe.html").read_bytes()
    assert b"probe.zip" not in (sandbox.state.public / "releases/probe.json").read_bytes()


def test_page_states_the_kit_and_offers_it_last() -> None:
    _, made = cases.written(cases.FOLDER / "everything" / "everything.md")
    page = made["html"].decode()
    assert f'"sha256":"{hashlib.sha256(made["kit"]).hexdigest()}"' in page
    offers = page.split('<ul class="downloads"')[1].split("</ul>")[0]
    assert offers.rindex("<li>") < offers.index("everything.zip")
    assert "Press kit</b>" in offers
    assert tuple(row.name for row in FORMATS) == tuple(made)
