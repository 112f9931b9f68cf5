"""What published pictures say of themselves: words and rights of the release, marks of AI, Content Credentials."""

from __future__ import annotations

import io
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree

import msgspec
import pytest
from PIL import Image, IptcImagePlugin, PngImagePlugin

from pipeline.model.release import AI_EDITED, AI_MADE, SOURCE_TYPE
from pipeline.reader import ReadRelease
from tests.support.credentials import DRAWN, TELLING, signed
from tests.support.pictures import encoded, exif, scene
from tests.support.profiles import SCREEN
from tests.support.reading import FRONT, faults, picture, release

KINDS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif"}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
NAMES = {
    "{http://purl.org/dc/elements/1.1/}": "dc:",
    "{http://ns.adobe.com/photoshop/1.0/}": "photoshop:",
    "{http://ns.adobe.com/xap/1.0/rights/}": "xmpRights:",
    "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}": "Iptc4xmpCore:",
    "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}": "Iptc4xmpExt:",
}
LI = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"
TAG = "{http://www.w3.org/XML/1998/namespace}lang"
RIGHTS = "  copyright: © 2026 Ann Lee\n  usage: Free for news use\n  rights_page: https://example.org/rights\n"


def packet(data: bytes) -> dict[str, Any]:
    """Return the properties of an XMP packet; one in languages as a group by language."""
    if b"<?xpacket begin" not in data:
        return {}
    text = b"<x:xmpmeta" + data.partition(b"<x:xmpmeta")[2].partition(b"</x:xmpmeta>")[0] + b"</x:xmpmeta>"
    assert data.count(b"<?xpacket begin") == 1
    found: dict[str, Any] = {}
    for element in ElementTree.fromstring(text)[0][0]:  # written by ourselves
        uri, brace, name = element.tag.partition("}")
        items = {item.get(TAG): item.text for item in element.iter(LI)}
        found[NAMES[uri + brace] + name] = items or element.text
    return found


def lay(folder: Path, **files: bytes) -> None:
    (folder / "x").mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / "x" / name.replace("_", ".")).write_bytes(data)


def shown(folder: Path, data: bytes, name: str, keys: str = "", front: str = "") -> ReadRelease:
    """Read a release whose lead picture has these ``keys``."""
    lay(folder, **{name: data})
    return release(folder, f"{FRONT}{front}image:\n  file: {name}\n  alt: A ship\n{keys}")


# ── The packet ──────────────────────────────────────────────────────────────────────────────────────────────────────


@EVERY_KIND
def test_every_file_of_a_picture_states_the_words_and_rights_of_the_release(tmp_path: Path, kind: str) -> None:
    keys = f'  caption: A ship & <sea>.\n  credit: "Photo: Ann Lee"\n{RIGHTS}  made_with: camera\n'
    data = encoded(scene(1300, 900), kind)
    found = shown(tmp_path, data, f"a.{KINDS[kind]}", keys, "language: pt-BR\n")
    assert len(found.pictures) >= 4, "itself, copies for pages, one for lists"
    for written in found.pictures.values():
        assert packet(written) == {
            "dc:description": {"x-default": "A ship & <sea>.", "pt-BR": "A ship & <sea>."},
            "dc:rights": {"x-default": "© 2026 Ann Lee", "pt-BR": "© 2026 Ann Lee"},
            "photoshop:Credit": "Ann Lee",
            "xmpRights:Marked": "True",
            "xmpRights:UsageTerms": {"x-default": "Free for news use", "pt-BR": "Free for news use"},
            "xmpRights:WebStatement": "https://example.org/rights",
            "Iptc4xmpCore:AltTextAccessibility": {"x-default": "A ship", "pt-BR": "A ship"},
            "Iptc4xmpExt:DigitalSourceType": f"{SOURCE_TYPE}digitalCapture",
        }
    assert shown(tmp_path, data, f"a.{KINDS[kind]}", keys, "language: pt-BR\n").pictures == found.pictures


@EVERY_KIND
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_picture_looks_the_same_with_its_packet(tmp_path: Path, kind: str, mode: str) -> None:
    if (kind, mode) == ("JPEG", "RGBA"):
        pytest.skip("a JPEG has no transparent parts")
    options: dict[str, Any] = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    options |= {"icc_profile": SCREEN} if mode == "RGB" and kind != "GIF" else {}
    image = scene(300, 200).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = encoded(image, kind, **options)
    out = shown(tmp_path, data, f"a.{KINDS[kind]}").pictures[f"a.{KINDS[kind]}"]
    assert packet(out)
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(out)) as after:
        assert before.convert("RGBA").tobytes() == after.convert("RGBA").tobytes()
        assert before.info.get("icc_profile") == after.info.get("icc_profile")
        assert before.mode == after.mode
    if kind == "WEBP":
        assert (out[12:16], bool(out[20] & 0b00010000)) == (b"VP8X", mode == "RGBA"), "the head says what follows"


def test_a_picture_without_rights_states_caption_credit_and_text_alternative(tmp_path: Path) -> None:
    lay(tmp_path, a_png=picture(), b_png=picture(), c_png=picture())
    body = '![A ship](a.png "At sea | Ann")\n\n- ![ ](b.png)\n- ![ ](c.png)\n\n> ![C](c.png "| Ben")\n'
    found = release(tmp_path, body=body)
    assert packet(found.pictures["a.png"]) == {
        "dc:description": {"x-default": "At sea", "en-GB": "At sea"},
        "photoshop:Credit": "Ann",
        "Iptc4xmpCore:AltTextAccessibility": {"x-default": "A ship", "en-GB": "A ship"},
    }
    assert packet(found.pictures["b.png"]) == {}, "of decoration, there is nothing to say"
    assert b"iTXt" not in found.pictures["b.png"]
    second = {"photoshop:Credit": "Ben", "Iptc4xmpCore:AltTextAccessibility": {"x-default": "C", "en-GB": "C"}}
    assert packet(found.pictures["c.png"]) == second


def test_a_jpeg_says_the_same_in_iim_as_far_as_that_has_room(tmp_path: Path) -> None:
    keys = f"  caption: 제주에서 온 배.\n  credit: {'é' * 17}\n  copyright: © {'x' * 200}\n"
    out = shown(tmp_path, picture("JPEG"), "a.jpg", keys).pictures["a.jpg"]
    with Image.open(io.BytesIO(out)) as image:
        found = cast(dict[tuple[int, int], bytes], IptcImagePlugin.getiptcinfo(image))
    assert found[(1, 90)] == b"\x1b%G", "the text is UTF-8"
    assert found[(2, 120)].decode() == "제주에서 온 배."
    assert found[(2, 110)].decode() == "é" * 16
    assert found[(2, 116)].decode() == f"© {'x' * 125}"
    assert packet(out)["photoshop:Credit"] == "é" * 17


@EVERY_KIND
def test_texts_of_any_length_have_room(tmp_path: Path, kind: str) -> None:
    endless = "&" * 15_000
    keys = "".join(f'  {key}: "{endless}"\n' for key in ("caption", "credit", "copyright", "usage"))
    out = shown(tmp_path, picture(kind), f"a.{KINDS[kind]}", keys).pictures[f"a.{KINDS[kind]}"]
    assert packet(out)["photoshop:Credit"] == "&" * 400
    with Image.open(io.BytesIO(out)) as image:
        image.load()


@EVERY_KIND
def test_exiftool_reads_what_is_written(tmp_path: Path, kind: str) -> None:
    if not shutil.which("exiftool"):
        pytest.skip("Debian's libimage-exiftool-perl is not installed")
    name = f"a.{KINDS[kind]}"
    out = shown(tmp_path, picture(kind), name, f"  credit: Ann\n{RIGHTS}  made_with: ai\n").pictures[name]
    (tmp_path / name).write_bytes(out)
    asked = ["exiftool", "-s", "-a", "-Credit", "-Rights", "-WebStatement", "-DigitalSourceType", "-validate"]
    told = subprocess.run([*asked, str(tmp_path / name)], capture_output=True, text=True, check=True).stdout
    for value in (": Ann\n", ": © 2026 Ann Lee\n", ": https://example.org/rights\n", AI_MADE, ": OK\n"):
        assert value in told


# ── The keys ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pictures_of_the_text_have_their_rights_in_the_front_matter(tmp_path: Path) -> None:
    lay(tmp_path, a_png=picture(), b_png=picture(), c_png=picture())
    front = f"{FRONT}pictures:\n  - file: [a.png, x/b.png]\n    copyright: © Ann\n  - file: c.png\n    made_with: ai\n"
    found = release(tmp_path, front, "![A](a.png)\n\n![B](b.png)\n\n![C](c.png)\n").release.pictures
    assert [(each.rights.copyright, each.source) for each in found] == [("© Ann", ""), ("© Ann", ""), ("", AI_MADE)]


@pytest.mark.parametrize(
    ("front", "fault"),
    [
        (
            "image:\n  file: a.png\n  alt: A\n  made_with: camra\n",
            "7 image.made_with: unknown: camra (did you mean camera?)",
        ),
        (
            "pictures:\n  - file: a.png\n    made_with: paint\n",
            "6 pictures.made_with: unknown: paint (choose from ai, camera, composite)",
        ),
        (
            "pictures:\n  - file: a.png\n    rights_page: see below\n",
            "6 pictures.rights_page: not a web address (write it as https://example.org/…)",
        ),
        (
            "pictures:\n  - file: z.png\n    usage: Free\n",
            "5 pictures.file: not shown in this release: z.png "
            "(write the name of a picture that this release shows, or delete the entry)",
        ),
        (
            "pictures:\n  - file: a.png\n    usage: Free\n  - file: a.png\n    usage: None\n",
            "7 pictures.file: described twice: a.png (delete this or line 5)",
        ),
        (
            "image:\n  file: a.png\n  alt: A\n  usage: Free\npictures:\n  file: a.png\n  usage: None\n",
            "5 image.file: described twice: a.png (delete this or line 9)",
        ),
        (
            "pictures: [{file: a.png, usage: Free}, {file: x/a.png, usage: None}]\n",
            "4 pictures.file: described twice: x/a.png (delete this or line 4)",
        ),
        (
            "pictures:\n  - copyright: © Ann\n",
            "5 pictures.file: missing (add a line file: with the name of a picture, or of several: [a.jpg, b.jpg])",
        ),
        (
            "pictures:\n  - file: a.png\n    credit: Ann\n",
            "6 pictures.credit: does not belong here (write it where the picture is: "
            '![Text alternative](file.jpg "Caption | Credit"), or below image)',
        ),
    ],
)
def test_what_is_wrong_with_the_keys_is_said_with_line_and_hint(tmp_path: Path, front: str, fault: str) -> None:
    lay(tmp_path, a_png=picture())
    assert faults(tmp_path, FRONT + front, "![A](a.png)\n") == [fault]


# ── Made with AI ────────────────────────────────────────────────────────────────────────────────────────────────────


def stating(value: str, name: str = "Iptc4xmpExt:DigitalSourceType", as_element: bool = False) -> bytes:
    """Return an XMP packet as another program writes it."""
    spaces = 'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" rdf:about=""'
    inner = f"<rdf:Description {spaces}>\n <{name}>{value}</{name}></rdf:Description>"
    if not as_element:
        inner = f'<rdf:Description {spaces} {name}="{value}"/>'
    rdf = f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{inner}</rdf:RDF>'
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/">{rdf}</x:xmpmeta>'.encode()


MADE, OLD = f"{SOURCE_TYPE}{AI_MADE}", "Iptc4xmpExt:DigitalSourcefileType"
FORMS = [
    (stating(MADE), AI_MADE),
    (stating(MADE, as_element=True), AI_MADE),
    (stating(f"{MADE}/"), AI_MADE),
    (stating(MADE.replace("http:", "https:")), AI_MADE),
    (stating(AI_MADE), AI_MADE),
    (stating(f"digsrctype:{AI_MADE}"), AI_MADE),
    (stating(MADE, OLD), AI_MADE),
    (stating(MADE, OLD, as_element=True), AI_MADE),
    (stating(MADE).decode().encode("utf-16-le"), AI_MADE),
    (stating(MADE).replace(b"Iptc4xmpExt:", b"ext:"), AI_MADE),
    (stating(f"{SOURCE_TYPE}{AI_EDITED}"), AI_EDITED),
    (stating("Some model 2.0", "Iptc4xmpExt:AISystemUsed"), AI_MADE),
    (stating(f"{SOURCE_TYPE}digitalCapture") + stating("A model", "Iptc4xmpExt:AISystemUsed"), AI_EDITED),
    (stating("", "Iptc4xmpExt:AISystemUsed"), ""),
    (stating(f"{SOURCE_TYPE}compositeCapture"), "compositeCapture"),
    (stating(f"{SOURCE_TYPE}digitalCapture"), "digitalCapture"),
    (stating(f"{SOURCE_TYPE}somethingNew"), ""),
    (stating("print", "dc:format"), ""),
    (b"no packet at all", ""),
]


@pytest.mark.parametrize(("xmp", "source"), FORMS, ids=range(len(FORMS)))
def test_the_mark_of_an_incoming_file_is_kept(tmp_path: Path, xmp: bytes, source: str) -> None:
    found = shown(tmp_path, picture("JPEG", xmp=xmp), "a.jpg")
    assert found.release.pictures[0].source == source
    stated = packet(found.pictures["a.jpg"]).get("Iptc4xmpExt:DigitalSourceType", "")
    assert stated == (SOURCE_TYPE + source if source else "")


def with_xmp(kind: str, xmp: bytes) -> bytes:
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=False)
        return picture("PNG", pnginfo=text)
    if kind == "compressed":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        return picture("PNG", pnginfo=text)
    if kind == "GIF":
        tail = b"\x01" + bytes(range(255, -1, -1)) + b"\0"
        return picture("GIF")[:-1] + b"\x21\xff\x0bXMP DataXMP" + xmp + tail + b";"
    if kind == "extended":
        data, head = picture("JPEG"), b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8)
        return data[:20] + b"\xff\xe1" + (len(head) + len(xmp) + 2).to_bytes(2, "big") + head + xmp + data[20:]
    return picture(kind, xmp=xmp)


@pytest.mark.parametrize("kind", ["JPEG", "extended", "PNG", "compressed", "WEBP", "GIF"])
def test_the_mark_is_read_from_every_kind_of_file(tmp_path: Path, kind: str) -> None:
    name = f"a.{KINDS.get(kind) or {'extended': 'jpg', 'compressed': 'png'}[kind]}"
    found = shown(tmp_path, with_xmp(kind, stating(MADE)), name)
    assert found.release.pictures[0].source == AI_MADE
    assert all(packet(data)["Iptc4xmpExt:DigitalSourceType"] == MADE for data in found.pictures.values())


def test_a_packet_that_unpacks_without_end_is_not_unpacked(tmp_path: Path) -> None:
    content = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(200_000_000), 9)
    plain = picture()
    chunk = len(content).to_bytes(4, "big") + b"iTXt" + content + zlib.crc32(b"iTXt" + content).to_bytes(4, "big")
    assert shown(tmp_path, plain[:33] + chunk + plain[33:], "a.png").release.pictures[0].source == ""


@pytest.mark.parametrize(
    ("made_with", "incoming", "source"),
    [
        ("camera", "", "digitalCapture"),
        ("camera", "computationalCapture", "computationalCapture"),
        ("camera", "print", "print"),
        ("composite", "", "composite"),
        ("composite", "compositeCapture", "compositeCapture"),
        ("composite", "digitalCapture", "composite"),
        ("composite", AI_MADE, AI_EDITED),
        ("ai", "", AI_MADE),
        ("ai", AI_EDITED, AI_EDITED),
        ("ai", "digitalCapture", AI_EDITED),
    ],
)
def test_author_and_file_describe_a_picture_together(
    tmp_path: Path, made_with: str, incoming: str, source: str
) -> None:
    data = picture("JPEG", xmp=stating(SOURCE_TYPE + incoming)) if incoming else picture("JPEG")
    found = shown(tmp_path, data, "a.jpg", f"  made_with: {made_with}\n")
    assert found.release.pictures[0].source == source


@pytest.mark.parametrize(
    ("incoming", "words", "hint"),
    [
        (AI_MADE, "made with AI", "write made_with: ai, or delete the line"),
        (AI_EDITED, "edited with AI", "write made_with: ai, or delete the line"),
        ("compositeSynthetic", "compositeSynthetic", "write made_with: composite, or delete the line"),
        ("digitalCreation", "digitalCreation", "delete the line"),
    ],
)
def test_a_photograph_whose_file_says_otherwise_is_refused(
    tmp_path: Path, incoming: str, words: str, hint: str
) -> None:
    lay(tmp_path, a_jpg=picture("JPEG", xmp=stating(SOURCE_TYPE + incoming)))
    front = f"{FRONT}image:\n  file: a.jpg\n  alt: A\n  made_with: camera\n"
    assert faults(tmp_path, front) == [f"7 image.made_with: camera, but the file says: {words}: a.jpg ({hint})"]


# ── Content Credentials ─────────────────────────────────────────────────────────────────────────────────────────────

SIGNED = pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])


@SIGNED
def test_a_file_with_nothing_but_credentials_is_published_unchanged(tmp_path: Path, kind: str) -> None:
    data, name = signed(encoded(scene(1300, 900), kind, icc_profile=SCREEN), kind, DRAWN), f"a.{KINDS[kind]}"
    found = shown(tmp_path, data, name, "  credit: Ann\n")
    assert found.pictures[name] == data
    assert found.release.pictures[0].source == AI_MADE, "as the credentials say"
    assert [each.name for each in found.warnings if each.name == "lost-credentials"] == []
    copies = [written for file, written in found.pictures.items() if file != name]
    assert copies
    for written in copies:
        assert b"c2pa" not in written
        assert packet(written)["photoshop:Credit"] == "Ann"


def lost(found: ReadRelease) -> list[str]:
    return [f"{each.line} {each.message}" for each in found.warnings if each.name == "lost-credentials"]


@SIGNED
@pytest.mark.parametrize(
    ("options", "box", "why"),
    [
        ({"exif": exif()}, DRAWN, "the file has other metadata, which is removed"),
        ({"exif": exif(6)}, DRAWN, "the file has other metadata, which is removed"),
        ({"xmp": b"<x/>"}, DRAWN, "the file has other metadata, which is removed"),
        ({}, TELLING, "they hold metadata themselves"),
    ],
    ids=["camera", "turned", "xmp", "assertion"],
)
def test_credentials_that_cannot_be_kept_are_removed_with_a_warning(
    tmp_path: Path, kind: str, options: dict[str, Any], box: bytes, why: str
) -> None:
    if kind == "PNG" and "xmp" in options:
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "words")
        options = {"pnginfo": text}
    name = f"a.{KINDS[kind]}"
    found = shown(tmp_path, signed(picture(kind, **options), kind, box), name)
    assert lost(found) == [f"5 image.file: its Content Credentials (C2PA) are not published: {why}: {name}"]
    assert b"jumb" not in found.pictures[name]
    assert b"SECRET" not in found.pictures[name]
    assert packet(found.pictures[name])
    assert (found.release.pictures[0].source == AI_MADE) == (box == DRAWN), "the mark outlasts the credentials"


def test_credentials_in_several_segments_are_one(tmp_path: Path) -> None:
    data = signed(picture("JPEG"), "JPEG", DRAWN, at_once=60)
    found = shown(tmp_path, data, "a.jpg")
    assert found.pictures["a.jpg"] == data
    assert found.release.pictures[0].source == AI_MADE


def test_boxes_that_are_no_credentials_are_removed_without_a_word(tmp_path: Path) -> None:
    found = shown(tmp_path, signed(picture("JPEG"), "JPEG", DRAWN.replace(b"c2pa", b"pano")), "a.jpg")
    assert b"jumb" not in found.pictures["a.jpg"]
    assert lost(found) == []


def test_nothing_hides_behind_credentials(tmp_path: Path) -> None:
    data = signed(picture("JPEG"), "JPEG", DRAWN) + b"SECRET tail"
    found = shown(tmp_path, data, "a.jpg")
    assert b"SECRET" not in found.pictures["a.jpg"]
    assert lost(found)


def test_sizes_and_digests_are_those_of_the_files(tmp_path: Path) -> None:
    found = shown(tmp_path, encoded(scene(1300, 900), "JPEG"), "a.jpg", "  credit: Ann\n")
    for each in found.release.pictures[0].files:
        assert each.size == len(found.pictures[each.file])
    assert msgspec.json.decode(msgspec.json.encode(found.release), type=type(found.release)) == found.release
