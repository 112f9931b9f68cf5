"""Pictures: what is refused, and what is published."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFile, PngImagePlugin

from pipeline.model.document import Figure, List, Paragraph
from pipeline.model.errors import ReleaseError
from pipeline.reader import ReadRelease
from tests.support.pictures import encoded, exif
from tests.support.profiles import P3, PRESS, SCREEN
from tests.support.reading import FRONT, faults, picture, release

KINDS = [("PNG", "png"), ("JPEG", "jpg"), ("JPEG", "jpeg"), ("WEBP", "webp"), ("GIF", "gif")]


def read(folder: Path, data: bytes, name: str = "a.png", body: str = "") -> ReadRelease:
    (folder / "x").mkdir(exist_ok=True)
    (folder / "x" / name).write_bytes(data)
    return release(folder, body=body or f"![Alt]({name})\n")


def problem(folder: Path, data: bytes, name: str = "a.png", named: str = "") -> str:
    (folder / "x").mkdir(exist_ok=True)
    (folder / "x" / name).write_bytes(data)
    (fault,) = faults(folder, body=f"![Alt]({named or name})\n")
    return fault.replace(str(folder), "FOLDER")


@pytest.mark.parametrize(("kind", "suffix"), KINDS)
def test_formats(tmp_path: Path, kind: str, suffix: str) -> None:
    found = read(tmp_path, picture(kind), f"a.{suffix}")
    (given,) = found.release.pictures
    assert (given.file, given.width, given.height) == (f"a.{suffix}", 40, 30)
    assert given.size == len(found.pictures[given.file])
    with Image.open(io.BytesIO(found.pictures[given.file])) as image:
        assert Image.MIME[image.format or ""] == given.media_type


def test_pictures_are_listed_once_in_order(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in "abc":
        (tmp_path / "x" / f"{name}.png").write_bytes(picture())
    body = "![B](b.png)\n\n## Notes to editors\n\n- ![C](./c.png)\n- ![B](x/b.png)\n"
    found = release(tmp_path, f"{FRONT}image: {{file: a.png, alt: A}}\n", body).release
    assert [given.file for given in found.pictures] == ["a.png", "b.png", "c.png"]
    assert found.body == (Figure("b.png", "B"),)
    assert isinstance(found.notes[1], List)


@pytest.mark.parametrize(("kind", "suffix"), KINDS)
def test_metadata_is_removed_and_pixels_are_unchanged(tmp_path: Path, kind: str, suffix: str) -> None:
    """EXIF, XMP, comments and text are removed, the colour profile is kept; the output is reproducible."""
    options: dict[str, Any] = {"icc_profile": SCREEN, "exif": exif()}
    if kind == "JPEG":
        options |= {"comment": b"SECRET comment", "progressive": True, "xmp": b"SECRET xmp"}
    if kind == "WEBP":
        options |= {"xmp": b"SECRET xmp", "lossless": True}
    if kind == "GIF":
        options = {"comment": b"SECRET comment"}
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", "SECRET comment")
        text.add_itxt("XML:com.adobe.xmp", "SECRET xmp", zip=False)
        options |= {"pnginfo": text}
    data = picture(kind, **options) + (b"" if kind == "WEBP" else b"SECRET tail")
    assert b"SECRET" in data
    name = f"a.{suffix}"
    out = read(tmp_path, data, name).pictures[name]
    assert b"SECRET" not in out
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(out)) as after:
        assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
        assert before.info.get("icc_profile") == after.info.get("icc_profile")
        assert not after.getexif()
    assert read(tmp_path, data, name).pictures[name] == out


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(tmp_path: Path, kind: str) -> None:
    data = picture(kind, size=(40, 20), exif=exif(6), icc_profile=SCREEN)
    name = f"a.{'jpg' if kind == 'JPEG' else kind.lower()}"
    found = read(tmp_path, data, name)
    assert (found.release.pictures[0].width, found.release.pictures[0].height) == (20, 40)
    with Image.open(io.BytesIO(found.pictures[name])) as image:
        assert image.size == (20, 40)
        assert not image.getexif()
        assert image.info["icc_profile"] == SCREEN


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_every_pixel_format(tmp_path: Path, mode: str) -> None:
    buffer = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (8, 8)).save(buffer, kind)
    assert read(tmp_path, buffer.getvalue(), "a.jpg" if kind == "JPEG" else "a.png").release.pictures


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animation_is_refused(tmp_path: Path, kind: str) -> None:
    """PDF and Word cannot show animation, and a single frame may not be what was meant."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, kind, save_all=True, append_images=frames[1:], lossless=True)
    assert "an animated picture" in problem(tmp_path, buffer.getvalue(), f"a.{kind.lower()}")


REFUSED = [
    (picture("JPEG"), "a.png", "picture: a JPEG with the wrong suffix"),
    (b"GIF89a", "a.gif", "picture: not a picture"),
    (b"hello", "a.png", "picture: not a picture"),
    (b"", "a.png", "picture: not a picture"),
    (b'<?xml version="1.0"?><svg/>', "a.png", "picture: SVG is not accepted"),
    (b"<svg/>", "a.svg", "picture: SVG is not accepted"),
    (picture()[:-40], "a.png", "picture: truncated or damaged"),
    (picture("JPEG", (400, 300))[:-400], "a.jpg", "picture: truncated or damaged"),
    (picture("WEBP")[:-40], "a.webp", "picture: truncated or damaged"),
    (picture("BMP"), "a.bmp", "picture: a BMP picture"),
    (picture("TIFF"), "a.tif", "picture: a TIFF picture"),
    (picture("AVIF"), "a.avif", "picture: an AVIF picture"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", "a.avif", "picture: an AVIF picture"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.heic", "picture: a HEIC picture"),
    (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "IMG_1.jpg", "picture: a HEIC picture"),
    (b"%PDF-1.7\n", "a.png", "picture: a PDF picture"),
]


@pytest.mark.parametrize(("data", "name", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused_files(tmp_path: Path, data: bytes, name: str, message: str) -> None:
    assert message in problem(tmp_path, data, name)


def test_picture_of_a_type_that_browsers_do_not_show_is_refused_with_the_way_to_save_it(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "scan.tiff").write_bytes(picture("TIFF"))
    with pytest.raises(ReleaseError) as caught:
        release(tmp_path, body="![Alt](scan.tiff)\n")
    assert caught.value.faults[0].hint == "export it as JPEG, or a drawing as PNG"


CLEAR, SOLID = (0, 0, 0, 0), (0, 0, 0, 255)


@pytest.mark.parametrize(
    ("image", "kind", "transparent"),
    [
        (Image.new("RGBA", (8, 8), CLEAR), "PNG", True),
        (Image.new("RGBA", (8, 8), CLEAR), "WEBP", True),
        (Image.new("RGBA", (8, 8), CLEAR), "GIF", True),
        (Image.new("RGBA", (8, 8), CLEAR).convert("LA"), "PNG", True),
        (Image.new("RGBA", (8, 8), SOLID), "PNG", False),
        (Image.new("RGBA", (8, 8), SOLID), "WEBP", False),
        (Image.new("RGB", (8, 8)), "PNG", False),
        (Image.new("RGB", (8, 8)), "JPEG", False),
        (Image.new("P", (8, 8)), "GIF", False),
    ],
    ids=lambda value: getattr(value, "mode", str(value)),
)
def test_only_a_picture_that_something_shows_through_is_transparent(
    tmp_path: Path, image: Image.Image, kind: str, *, transparent: bool
) -> None:
    name = f"a.{'jpg' if kind == 'JPEG' else kind.lower()}"
    (found,) = read(tmp_path, encoded(image, kind), name).release.pictures
    assert found.transparent is transparent


def test_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    """A small file that claims many pixels is refused before any is decoded."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    for width, height in ((13_000, 13_000), (100_000, 100_000), (40_000_001, 1)):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
        started = time.process_time()
        assert "more than 40 megapixels" in problem(tmp_path, data)
        assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("gone.png", "no such file"),
        ("../a.png", "not a plain file name"),
        ("../x/a.png", "not a plain file name"),
        ("y/a.png", "not a plain file name"),
        ("/etc/passwd", "not a plain file name"),
        ("https://example.org/a.png", "not a file of this release"),
        ("data:image/png;base64,AA", "not a file of this release"),
        ("//example.org/a.png", "not a file of this release"),
        (".hidden.png", "not a plain file name"),
        ("a%20b.png", "not a plain file name"),
        ("A.png", "no such file"),
        ("link.png", "outside the folder"),
        ("loop.png", "no such file"),
        ("folder.png", "not a file"),
    ],
)
def test_only_files_of_the_release_are_accepted(tmp_path: Path, named: str, message: str) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (tmp_path / "other.png").write_bytes(picture())
    (folder / "link.png").symlink_to(tmp_path / "other.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "folder.png").mkdir()
    assert f"picture: {message}" in problem(tmp_path, picture(), "a.png", named)


def test_folder_that_is_a_link_is_outside(tmp_path: Path) -> None:
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "a.png").write_bytes(picture())
    (tmp_path / "x").symlink_to(tmp_path / "y")
    (fault,) = faults(tmp_path, body="![Alt](a.png)\n")
    assert "outside the folder" in fault


def test_names_that_differ_only_in_capital_letters(tmp_path: Path) -> None:
    """Many computers would take them for the same file."""
    (tmp_path / "x").mkdir()
    for name in ("a.png", "A.png"):
        (tmp_path / "x" / name).write_bytes(picture())
    (fault,) = faults(tmp_path, body="![Alt](a.png)\n\n![Alt](A.png)\n")
    assert fault == "7 picture: differs only in capital letters from a.png: A.png (rename one of the files)"


def test_link_within_the_folder_is_accepted(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.png").write_bytes(picture())
    (tmp_path / "x" / "b.png").symlink_to("a.png")
    assert release(tmp_path, body="![Alt](b.png)\n").release.pictures[0].file == "b.png"


def test_missing_picture_is_a_fault_in_each_place(tmp_path: Path) -> None:
    assert len(faults(tmp_path, body="![Alt](b.png)\n\nWords\n\n![Alt](b.png)\n")) == 2


def test_text_around_a_picture_becomes_paragraphs(tmp_path: Path) -> None:
    found = read(tmp_path, picture(), body="before ![Alt](a.png) after\n").release.body
    assert [type(block) for block in found] == [Paragraph, Figure, Paragraph]


# ── Before anything is decoded ──────────────────────────────────────────────────────────────────────────────────────


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def with_chunk(name: bytes, content: bytes) -> bytes:
    """A sound PNG with one chunk more, straight after its header."""
    data = picture()
    return data[:33] + chunk(name, content) + data[33:]


def icc_png(profile: bytes) -> bytes:
    return with_chunk(b"iCCP", b"a name\0\0" + zlib.compress(profile, 9))


def icc_jpeg(profile: bytes) -> bytes:
    return picture("JPEG", icc_profile=profile)


BAD_PROFILES = [
    (b"profile " * 40, "its colour profile is damaged"),
    (SCREEN[:600], "its colour profile is damaged"),
    (SCREEN[:132] + struct.pack(">I", 2_000_000) + bytes(1000), "its colour profile is damaged"),
    (bytes(100_000_000), "its colour profile is larger than 4 MB"),
]


@pytest.mark.parametrize(("profile", "message"), BAD_PROFILES, ids=["none", "cut", "no tags", "bomb"])
@pytest.mark.parametrize("make", [icc_png, icc_jpeg], ids=["png", "jpeg"])
def test_damaged_colour_profile(tmp_path: Path, make: Callable[[bytes], bytes], profile: bytes, message: str) -> None:
    if len(profile) > 10_000_000 and make is icc_jpeg:
        profile = profile[:5_000_000]  # a JPEG cannot pack its profile
    data, name = make(profile), "a.png" if make is icc_png else "a.jpg"
    tracemalloc.start()
    try:
        found = problem(tmp_path, data, name)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert message in found
    assert "sRGB" in found


def test_profile_for_other_colours_is_left_out(tmp_path: Path) -> None:
    """Other programs ignore such a profile too."""
    out = read(tmp_path, icc_png(PRESS)).pictures["a.png"]
    with Image.open(io.BytesIO(out)) as image:
        assert "icc_profile" not in image.info


def test_compressed_text_is_never_decompressed(tmp_path: Path) -> None:
    packed = zlib.compress(bytes(200_000_000), 9)
    for name, content in ((b"zTXt", b"a\0\0" + packed), (b"iTXt", b"a\0\1\0\0\0" + packed)):
        started = time.process_time()
        assert read(tmp_path, with_chunk(name, content)).release.pictures
        assert time.process_time() - started < 1


def test_too_large_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with (tmp_path / "x" / "a.png").open("wb") as file:
        file.write(picture())
        file.truncate(65_000_000)
    (fault,) = faults(tmp_path, body="![Alt](a.png)\n")
    assert "larger than 64 MB" in fault


def test_second_picture_in_a_file_is_removed(tmp_path: Path) -> None:
    """Telephones add one: a preview, or brightness for screens with a higher range."""
    buffer = io.BytesIO()
    shots = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue")]
    shots[0].save(buffer, "MPO", save_all=True, append_images=shots[1:])
    out = read(tmp_path, buffer.getvalue(), "a.jpg").pictures["a.jpg"]
    assert b"MPF" not in out
    with Image.open(io.BytesIO(out)) as image:
        assert image.format == "JPEG"


def test_truncated_picture_is_noticed_whatever_other_libraries_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WeasyPrint lets Pillow fill in what is missing."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = picture(size=(400, 300))
    half = zlib.compress(bytes(301 * 3 * 150))
    assert "truncated" in problem(tmp_path, data[:33] + chunk(b"IDAT", half) + chunk(b"IEND", b""))
    assert ImageFile.LOAD_TRUNCATED_IMAGES


# ── Copies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def names(folder: Path, size: tuple[int, int], name: str = "a.jpg", **options: Any) -> list[str]:
    kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.rpartition(".")[2]]
    found = read(folder, picture(kind, size, **options), name)
    assert set(found.pictures) == set(found.release.picture_files)
    return [copy.file for copy in found.release.pictures[0].copies]


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        ((599, 400), []),
        ((600, 400), [480]),
        ((1199, 400), [480]),
        ((1200, 800), [480, 960]),
        ((1800, 800), [480, 960, 1440]),
        ((6000, 600), [1200, 2400, 3600]),
    ],
    ids=str,
)
def test_copies_are_clearly_smaller_than_the_picture(tmp_path: Path, size: tuple[int, int], widths: list[int]) -> None:
    assert names(tmp_path, size) == [f"a.{width}.jpg" for width in widths]


def test_picture_that_cannot_be_shown_has_a_full_size_copy(tmp_path: Path) -> None:
    assert names(tmp_path, (300, 200), icc_profile=P3) == ["a.300.jpg"]
    assert names(tmp_path, (300, 200), icc_profile=SCREEN) == []


def test_copies_are_upright(tmp_path: Path) -> None:
    found = read(tmp_path, picture("JPEG", (1600, 800), exif=exif(6)), "a.jpg")
    (given,) = found.release.pictures
    assert [(copy.width, copy.height) for copy in given.copies] == [(480, 960)]
    assert (given.width, given.height) == (800, 1600)


def test_copy_whose_name_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.jpg").write_bytes(picture("JPEG", (700, 400)))
    (tmp_path / "x" / "A.480.JPG").write_bytes(picture("JPEG"))
    (fault,) = faults(tmp_path, body="![Alt](A.480.JPG)\n\n![Alt](a.jpg)\n")
    message = "its smaller copy a.480.jpg would have the same name as A.480.JPG"
    assert fault == f"7 picture: {message}: a.jpg (rename one of the files)"


def test_pictures_with_one_name_and_two_formats(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    noise = Image.effect_noise((700, 400), 90)
    for name in ("a.jpg", "a.png"):
        noise.save(tmp_path / "x" / name)
    found = release(tmp_path, body="![Alt](a.jpg)\n\n![Alt](a.png)\n")
    assert len(found.pictures) == len(found.release.picture_files) == 5


@pytest.mark.parametrize(
    ("size", "cut"),
    [
        ((3000, 2000), (240, 160)),
        ((800, 3000), (240, 160)),
        ((6000, 400), (240, 160)),
        ((180, 900), (180, 120)),
        ((900, 90), (135, 90)),
        ((119, 400), None),
        ((900, 60), None),
    ],
    ids=str,
)
def test_first_picture_has_a_copy_of_one_shape_for_lists(
    tmp_path: Path, size: tuple[int, int], cut: tuple[int, int] | None
) -> None:
    found = read(tmp_path, picture("PNG", size), "a.png")
    (given,) = found.release.pictures
    assert (given.thumbnail and (given.thumbnail.width, given.thumbnail.height)) == cut
    if given.thumbnail:
        data = found.pictures["a.png.list.webp"]
        assert (given.thumbnail.file, given.thumbnail.size) == ("a.png.list.webp", len(data))
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == cut
        assert given.thumbnail not in given.sizes, "pages do not show what is cut off"


def test_other_pictures_have_no_copy_for_lists(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / "x" / name).write_bytes(picture("JPEG", (700, 400)))
    found = release(tmp_path, body="![Alt](a.jpg)\n\n![Alt](b.jpg)\n")
    assert [bool(each.thumbnail) for each in found.release.pictures] == [True, False]


# ── Decoration ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_picture_without_text_alternative_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.png").write_bytes(picture())
    for mark in ("![](a.png)", "![\u00a0](a.png)", "![&nbsp;](a.png)", "![][a]\n\n[a]: a.png"):
        (fault,) = faults(tmp_path, body=f"Words.\n\n{mark}\n")
        assert fault.startswith("7 a picture without a text alternative: a.png (describe it:")
        assert "![ ](ship.jpg)" in fault


def test_space_as_text_alternative_marks_decoration(tmp_path: Path) -> None:
    assert read(tmp_path, picture(), body="![ ](a.png)\n").release.body == (Figure("a.png", ""),)
