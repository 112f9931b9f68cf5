"""A release full of pictures, from the camera to what the public may fetch: metadata, colours, sizes, copies."""

from __future__ import annotations

import ctypes
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
from PIL import Image, PngImagePlugin

from pipeline.build.context import read_mark
from pipeline.build.reading import ReadResult
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import digest
from pipeline.publish.candidates import classify
from pipeline.publish.plan import group_of
from pipeline.publish.verification import local_links
from pipeline.reader.pictures import SHOWN_LIMIT, WIDTHS
from pipeline.site.feeds import render_feeds
from pipeline.typography.feed_list import main_feed
from pipeline.writers.ninjs import digests
from tests.support import reading
from tests.support.formats import NAMES
from tests.support.in_process import Sandbox
from tests.support.pictures import encoded, lay, scene
from tests.support.profiles import ADOBE, GREY, P3, PRESS, SCREEN

NEEDLE = b"SECRET"
FOLDER = "public/releases/probe/"


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A newsroom with the real writers."""
    return Sandbox(tmp_path)


def public(sandbox: Sandbox) -> dict[str, bytes]:
    return {name: (sandbox.output / name).read_bytes() for name in sandbox.files() if name.startswith("public/")}


# ── Metadata ────────────────────────────────────────────────────────────────────────────────────────────────────────


def exif(turn: int = 1) -> bytes:
    """What a camera notes: where, who, what, and a small picture with notes of its own."""
    data = Image.Exif()
    data[0x0112], data[0x010E], data[0x013B] = turn, "SECRET description", "SECRET artist"
    data.get_ifd(0x8825)[1] = "N"
    data.get_ifd(0x8825)[29] = "SECRET:2026"
    small = encoded(Image.new("RGB", (16, 16)), "JPEG", comment=b"SECRET thumbnail")
    return data.tobytes() + small


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def photographs() -> Iterator[tuple[str, bytes]]:
    """Pictures with the word in every place where programs put words."""
    shot = scene(1900, 1200)
    plain = encoded(shot, "JPEG", exif=exif(), comment=b"SECRET comment", xmp=b"<x>SECRET</x>", icc_profile=SCREEN)
    iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0\0\0\0\x13\x1c\x02\x50\0\x0eSECRET by-line\0"
    more = (0xED, iptc), (0xE2, b"MPF\0SECRET"), (0xE0, b"JFXX\0SECRET"), (0xEB, b"SECRET box"), (0xF7, b"SECRET")
    extras = b"".join(segment(*each) for each in more)
    tail = b"<html>SECRET polyglot</html>" + encoded(shot.resize((64, 64)), "JPEG", comment=NEEDLE)
    yield "plain.jpg", plain[:2] + extras + plain[2:] + tail
    yield "turned.jpg", encoded(shot, "JPEG", exif=exif(6), comment=NEEDLE, icc_profile=ADOBE)
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "SECRET author")
    text.add_text("Comment", "SECRET zipped", zip=True)
    text.add_itxt("XML:com.adobe.xmp", "SECRET xmp")
    text.add(b"prVt", b"SECRET private")
    drawn = encoded(shot, "PNG", pnginfo=text, exif=exif(), icc_profile=P3, compress_level=1)
    yield "drawn.png", drawn + b"SECRET tail"
    yield "web.webp", encoded(shot, "WEBP", exif=exif(), xmp=NEEDLE) + NEEDLE
    yield "flat.gif", encoded(shot.resize((700, 442)).quantize(16), "GIF", comment=NEEDLE) + NEEDLE


def unpacked(data: bytes) -> bytes:
    """Return a file with all that is packed within it."""
    found = [data]
    if data.startswith(b"PK"):
        with ZipFile(io.BytesIO(data)) as package:
            found += map(unpacked, map(package.read, package.namelist()))
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            found.append(stream)
    return b"".join(found)


def test_nothing_that_a_camera_or_a_program_noted_gets_out(sandbox: Sandbox) -> None:
    planted = dict(photographs())
    assert all(NEEDLE in data for data in planted.values())
    (sandbox.content / "mark.png").write_bytes(encoded(Image.new("RGB", (8, 8)), "PNG", exif=exif()))
    sandbox.mark = read_mark(sandbox.content / "mark.png")
    lay(sandbox, planted, image="{file: plain.jpg, alt: A scene}")
    sandbox.run(NAMES)
    made = public(sandbox)
    assert {f"{FOLDER}{name}" for name in planted} <= made.keys()
    assert [name for name, data in made.items() if NEEDLE in unpacked(data)] == []
    assert NEEDLE not in sandbox.mark


TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def stating(source: str) -> bytes:
    return f'<x Iptc4xmpExt:DigitalSourceType="{TYPE}{source}"/>'.encode()


@pytest.mark.parametrize(
    ("language", "made", "edited", "use"),
    [
        ("en-GB", "Made with AI", "Edited with AI", "Use of AI: The chart."),
        ("ar", "أُنشئت بالذكاء الاصطناعي", "عُدّلت بالذكاء الاصطناعي", "استخدام الذكاء الاصطناعي: The chart."),
    ],
)
def test_every_format_says_beside_the_credit_that_a_picture_was_made_with_ai(
    sandbox: Sandbox, language: str, made: str, edited: str, use: str
) -> None:
    """Each format is compared with the release, marks included, before it is stored."""
    shot = scene(300, 200)
    files = {name: encoded(shot, "JPEG", xmp=stating(source)) for name, source in
             [("a.jpg", "trainedAlgorithmicMedia"), ("b.jpg", "compositeWithTrainedAlgorithmicMedia"),
              ("c.jpg", "digitalCapture")]}  # fmt: skip
    lay(sandbox, files, language=language, ai="The chart.", image="{file: d.jpg, alt: D, made_with: ai}")
    (sandbox.content / "probe" / "d.jpg").write_bytes(encoded(shot, "JPEG"))
    done = sandbox.run(NAMES)
    assert {name: steps["probe"].verb for name, steps in done.items()} == dict.fromkeys(NAMES, "rendered")
    text = (sandbox.output / "public/releases/probe.txt").read_text("utf-8")
    assert f"Somebody · {made}]" in text
    assert f"Somebody · {edited}]" in text
    assert f"[{made}]" in text
    assert text.count("Somebody]") == 1
    assert use in text
    for ending in ("html", "json", "docx"):
        found = unpacked((sandbox.output / f"public/releases/probe.{ending}").read_bytes()).decode("utf-8", "ignore")
        assert [found.count(mark) >= times for mark, times in ((made, 2), (edited, 1))] == [True, True], ending
    assert NEEDLE not in b"".join(public(sandbox).values())


# ── Colours ─────────────────────────────────────────────────────────────────────────────────────────────────────────

COLOURS = [
    ("camera.jpg", "RGB", (120, 160, 100), ADOBE, (99, 161, 96)),
    ("telephone.png", "RGB", (200, 60, 60), P3, (217, 42, 52)),
    ("press.jpg", "CMYK", (0, 230, 200, 20), PRESS, (203, 59, 55)),
    ("grey.png", "L", 128, GREY, (188, 188, 188)),
    ("screen.webp", "RGB", (90, 120, 200), SCREEN, (90, 120, 200)),
    ("plain.jpg", "RGB", (90, 120, 200), b"", (90, 120, 200)),
]
"""Name, mode, pixel, profile, and the colour that is meant, reckoned from the profile's numbers by hand."""


def near(one: Any, other: Any) -> bool:
    """Whether two colours look the same; JPEG is off by a level or two."""
    return all(abs(ours - theirs) <= 6 for ours, theirs in zip(one[:3], other, strict=True))


def colour(data: bytes) -> tuple[int, ...]:
    """Return the colour of a picture's middle, as those see it who know nothing of profiles."""
    with Image.open(io.BytesIO(data)) as image:
        assert "icc_profile" not in image.info or image.info["icc_profile"] == SCREEN
        found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(("name", "mode", "pixel", "profile", "meant"), COLOURS, ids=[row[0] for row in COLOURS])
@pytest.mark.parametrize("width", [300, 2000], ids=["small", "large"])
def test_colours_are_those_that_were_meant(
    sandbox: Sandbox, name: str, mode: str, pixel: Any, profile: bytes, meant: tuple[int, ...], width: int
) -> None:
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.rpartition(".")[2]]
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    lay(sandbox, {name: encoded(Image.new(mode, (width, width // 2), pixel), kind, quality=95, **options)})
    sandbox.run(NAMES)
    made = public(sandbox)
    with Image.open(io.BytesIO(made[FOLDER + name])) as original:
        assert original.info.get("icc_profile", b"") == profile, "the original keeps its profile"
    page = made["public/releases/probe.html"].decode()
    shown = set(re.findall(r'(?<=src=")probe/[^"]+|(?<=[" ])probe/[^" ]+(?= \d+w)', page))
    assert shown
    for each in shown:
        assert near(colour(made[f"public/releases/{each}"]), meant), each
    with ZipFile(io.BytesIO(made["public/releases/probe.docx"])) as package:
        (part,) = [part for part in package.namelist() if part.startswith("word/media/")]
        assert near(colour(package.read(part)), meant)
    document = pypdfium2.PdfDocument(made["public/releases/probe.pdf"])
    (drawn,) = [each for each in document[0].get_objects() if each.type == pdfium.FPDF_PAGEOBJ_IMAGE]
    left, bottom, right, top = drawn.get_bounds()
    sheet = document[0].render(scale=1).to_pil().convert("RGB")
    assert near(sheet.getpixel((int((left + right) / 2), int(sheet.height - (bottom + top) / 2))), meant)
    document.close()


# ── Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def printed(data: bytes) -> list[tuple[int, float]]:
    """Return pixels in the width, and dots to the inch, of the pictures in a PDF."""
    document = pypdfium2.PdfDocument(data)
    found = []
    for page in document:
        for each in page.get_objects():
            if each.type == pdfium.FPDF_PAGEOBJ_IMAGE:
                wide, high = ctypes.c_uint(), ctypes.c_uint()
                pdfium.FPDFImageObj_GetImagePixelSize(each, ctypes.byref(wide), ctypes.byref(high))
                left, _, right, _ = each.get_bounds()
                found.append((wide.value, wide.value / (right - left) * 72))
    document.close()
    return found


def test_paper_and_word_hold_no_more_pixels_than_a_printer_shows(sandbox: Sandbox) -> None:
    sizes = {"wide.jpg": (4000, 3000), "tall.jpg": (1700, 3400), "broad.jpg": (6000, 600)}
    shots = {name: encoded(scene(*size), "JPEG") for name, size in sizes.items()}
    lay(sandbox, shots | {"small.png": encoded(scene(200, 150), "PNG")})
    sandbox.run(NAMES)
    made = public(sandbox)
    found = printed(made["public/releases/probe.pdf"])
    assert len(found) == 4
    assert all(90 < dots <= 330 for _, dots in found), found
    assert min(found)[0] == 200, "a small picture stays as it is"
    assert round(min(found)[1]) == 96
    with ZipFile(io.BytesIO(made["public/releases/probe.docx"])) as package:
        document = package.read("word/document.xml").decode()
        extents = [int(cx) / 914_400 for cx in re.findall(r'wp:extent cx="(\d+)"', document)]
        names = sorted(name for name in package.namelist() if name.startswith("word/media/"))
        widths = [Image.open(io.BytesIO(package.read(name))).width for name in names]
    assert len(widths) == 4
    assert all(90 < width / inches <= 330 for width, inches in zip(widths, extents, strict=True)), widths


def test_copies_are_smaller_of_the_same_kind_and_listed_with_their_digests(sandbox: Sandbox) -> None:
    sizes = {"photo.jpg": (2400, 1600), "middle.jpg": (1000, 700), "small.jpg": (500, 400)}
    shots = {name: encoded(scene(*size), "JPEG") for name, size in sizes.items()}
    clear = encoded(scene(700, 300).convert("RGBA"), "PNG")
    lay(sandbox, shots | {"clear.png": clear, "taken.png": encoded(scene(1900, 1000), "PNG")})
    assert len(clear) < SHOWN_LIMIT
    sandbox.run(NAMES)
    made = public(sandbox)
    names = {name.removeprefix(FOLDER) for name in made if name.startswith(FOLDER)}
    assert names == {
        "photo.jpg.list.webp",
        *("photo.jpg", "photo.480.jpg", "photo.960.jpg", "photo.1440.jpg", "middle.jpg", "middle.480.jpg"),
        *("small.jpg", "clear.png", "clear.480.png"),
        *("taken.png", "taken.png.480.jpg", "taken.png.960.jpg", "taken.png.1440.jpg"),
    }
    for name in names:
        wide = re.search(r"\.(\d+)\.\w+$", name)
        with Image.open(io.BytesIO(made[FOLDER + name])) as image:
            assert not wide or image.width == int(wide[1])
    record = json.loads(made["public/releases/probe.json"])
    listed = digests(made["public/releases/probe.json"])
    assert {key: digest(made[f"public/{key}"]) for key in listed} == listed
    stated = {each["href"].rpartition("/")[2]: each for each in record["renditions"] if "width" in each}
    assert stated.keys() == names
    assert all(each["sizeInBytes"] == len(made[FOLDER + name]) for name, each in stated.items())
    assert all(group_of(f"releases/probe/{name}") == "files" for name in names), "before the page that names them"
    page = made["public/releases/probe.html"]
    assert {f"releases/probe/{name}" for name in names if ".list." not in name} <= set(
        local_links("releases/probe.html", page)
    )
    assert 'src="https://press.example.org/releases/probe/photo.960.jpg"' in record["bodies"][0]["value"]


def test_feed_names_no_copies_and_any_suffix_has_its_media_type(sandbox: Sandbox) -> None:
    lay(sandbox, {"one.jpeg": encoded(scene(700, 500), "JPEG")})
    sandbox.run(NAMES)
    data = public(sandbox)["public/releases/probe.json"]
    kinds = {each["name"]: each["contentType"] for each in json.loads(data)["renditions"] if "width" in each}
    small = {"240 px: one.jpeg.list.webp": "image/webp"}
    assert kinds == {"one.jpeg": "image/jpeg", "480 px: one.480.jpeg": "image/jpeg"} | small
    (ready,) = classify(sandbox.state, sandbox.render_context, ["probe"], sandbox.now).candidates
    made = render_feeds([(main_feed(sandbox.newsroom), [ready.row])], lambda row: data, sandbox.newsroom, sandbox.base)
    feed = made["feed.xml"].decode()
    assert 'media:content url="https://press.example.org/releases/probe/one.jpeg"' in feed
    assert 'media:content url="https://press.example.org/releases/probe/one.480.jpeg"' not in feed


def test_copies_go_with_their_picture(sandbox: Sandbox) -> None:
    large = encoded(scene(1300, 900), "JPEG")
    lay(sandbox, {"one.jpg": large, "two.jpg": large})
    sandbox.run(NAMES)
    assert f"{FOLDER}two.960.jpg" in public(sandbox)
    lay(sandbox, {"one.jpg": large})
    sandbox.run(NAMES)
    assert not [name for name in public(sandbox) if "two" in name]
    sandbox.write(body="Words alone.")
    sandbox.run(NAMES)
    assert not (sandbox.state.public / "releases/probe").exists()


def test_what_is_withdrawn_gives_no_picture_out(sandbox: Sandbox) -> None:
    """Nothing but its page and its record is left."""
    large = encoded(scene(1300, 900), "JPEG")
    lay(sandbox, {"one.jpg": large})
    sandbox.run(NAMES)
    assert len(public(sandbox)) > len(FORMATS)
    lay(sandbox, {"one.jpg": large}, withdrawn="{date: 2026-06-01T12:00Z, reason: It was wrong.}")
    sandbox.run(NAMES)
    assert public(sandbox).keys() == {"public/releases/probe.html", "public/releases/probe.json"}
    assert digests(public(sandbox)["public/releases/probe.json"]).keys() == {"releases/probe.html"}


def test_lost_copy_comes_back(sandbox: Sandbox) -> None:
    lay(sandbox, {"one.jpg": encoded(scene(1300, 900), "JPEG")})
    sandbox.run(NAMES)
    before = public(sandbox)
    (sandbox.output / f"{FOLDER}one.{WIDTHS[0]}.jpg").unlink()
    sandbox.run(NAMES)
    assert public(sandbox) == before


def test_refused_picture_stops_its_release_and_no_other(sandbox: Sandbox) -> None:
    lay(sandbox, {"one.jpg": b"\x89PNG\r\n\x1a\n"})
    sandbox.write("other")
    found: dict[str, ReadResult] = sandbox.read()
    sandbox.render(NAMES)
    assert found["probe"].refused
    (fault,) = found["probe"].faults
    assert (Path(fault.source).name, fault.line, fault.hint) == ("probe.md", 7, "rename it to one.png")
    assert {name.partition("/releases/")[2].partition(".")[0] for name in public(sandbox)} == {"other"}


def test_pictures_are_made_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a release is read; whoever changes a word of the newsroom's settings does not decode them again."""
    lay(sandbox, {"one.jpg": encoded(scene(1300, 900), "JPEG")})
    sandbox.run(NAMES)
    monkeypatch.setattr("pipeline.reader.pictures.check_picture", None)
    sandbox.mark = reading.picture()
    assert {step.verb for steps in sandbox.render(NAMES).values() for step in steps.values()} == {"rendered"}
    assert sandbox.state.summaries()["probe"].pictures
