"""``make footage``: a preview and a poster of the master, and the lines that name them."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

import pytest
from PIL import Image

from pipeline.build.context import CommandContext
from pipeline.cli import footage
from pipeline.cli.console import Console
from pipeline.model.errors import DatelineError
from pipeline.model.footage import Measured
from pipeline.reader import measure, read_release
from tests.support.films import CAPTIONS, PLACE, Sound, film
from tests.support.reading import FRONT, NEWSROOM

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs Debian's ffmpeg")
NOTICE = "footage:\n  notice: Ferries\n  files:\n    - file: master.mov\n      role: master\n"


def write(folder: Path, front: str = NOTICE) -> Path:
    source = folder / "content" / "x.md"
    source.parent.mkdir(exist_ok=True)
    source.write_text(f"---\n{FRONT}{front}---\nWords.\n", "utf-8")
    return source


def run(folder: Path, name: str = "x") -> None:
    environ = {"DATELINE_RELEASE": name}
    footage.run(CommandContext(folder / "content", folder / "output", environ, folder), Namespace(), Console())


def refusal(folder: Path, name: str = "x") -> str:
    with pytest.raises(DatelineError) as refused:
        run(folder, name)
    return f"{refused.value} ({refused.value.hint})" if refused.value.hint else str(refused.value)


@needs_ffmpeg
def test_a_preview_and_a_poster_are_made_and_the_lines_that_name_them_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write(tmp_path)
    folder = source.with_suffix("")
    tracks = (Sound("pcm_s16le", 1, "eng"), Sound("pcm_s16le", 1, "eng"))
    film(folder / "master.mov", codec="mpeg2video", size=(1440, 1080), aspect="4/3", interlaced=True, sound=tracks,
         tags={**PLACE, "title": "SECRET"})  # fmt: skip
    run(tmp_path)
    found = measure(folder / "preview.mp4")
    assert found is not None
    assert (found.container, found.codec, found.width, found.height) == ("MP4", "H.264", 1280, 720)
    assert (found.scan, round(found.duration, 1), found.frame_rate) == ("progressive", 2, "25")
    assert [(track.codec, track.channels) for track in found.audio] == [("AAC", 2)], "two tracks are left and right"
    data = (folder / "preview.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "it plays before all of it is loaded"
    assert not any(secret in data for secret in (b"SECRET", b"37.5665"))
    with Image.open(folder / "poster.jpg") as poster:
        assert (poster.format, poster.size) == ("JPEG", (1280, 720))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-9:] == [
        f"look at them, then add to the footage notice in {source}:",
        "  files:",
        "    - file: preview.mp4",
        "      role: preview",
        "    - file: poster.jpg",
        "      role: poster",
        "  captions: captions.vtt   # WebVTT",
        "  transcript: |",
        "    …",
    ]
    added = [line.removeprefix("  ") for line in lines[-7:]]
    (folder / "captions.vtt").write_text(CAPTIONS)
    write(tmp_path, NOTICE + "\n".join(f"  {line}" for line in added).replace("files:\n", "") + "\n")
    read = read_release(source, NEWSROOM)
    assert {file.role for file in read.release.footage_files} == {"master", "preview", "poster", "captions"}


SMALL = {
    "a small film": ({"size": (320, 180)}, (320, 180)),
    "upright, as telephones film": ({"size": (1280, 720), "turned": 90}, (720, 1280)),
    "odd sides": ({"size": (1918, 1078)}, (1280, 720)),
    "without sound": ({"sound": ()}, (320, 180)),
}


@needs_ffmpeg
@pytest.mark.parametrize(("asked", "size"), SMALL.values(), ids=SMALL.keys())
def test_a_preview_has_the_shape_of_the_film_and_is_not_larger(
    tmp_path: Path, asked: dict[str, object], size: tuple[int, int]
) -> None:
    folder = write(tmp_path).with_suffix("")
    film(folder / "master.mov", seconds=1, **asked)  # type: ignore[arg-type]
    run(tmp_path)
    found = measure(folder / "preview.mp4")
    assert isinstance(found, Measured)
    assert abs(found.width - size[0]) <= 2
    assert found.height == size[1]
    with Image.open(folder / "poster.jpg") as poster:
        assert poster.size == (found.width, found.height)


@needs_ffmpeg
def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path).with_suffix("")
    film(folder / "master.mov")
    (folder / "poster.jpg").write_bytes(b"mine")
    run(tmp_path)
    assert (folder / "poster.jpg").read_bytes() == b"mine"
    made = (folder / "preview.mp4").read_bytes()
    assert refusal(tmp_path).endswith("exist already (delete or rename what is to be made again)")
    assert (folder / "preview.mp4").read_bytes() == made
    assert sorted(file.name for file in folder.iterdir()) == ["master.mov", "poster.jpg", "preview.mp4"]


@needs_ffmpeg
@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("", "x.md: names no film as its master (write files: below footage:, and below it - file: master.mov and"),
        (NOTICE.replace("role: master", "role: preview"), "x.md: names no film as its master"),
        (NOTICE.replace("master.mov", "s3://films/a.mov"), "the master is in the private bucket: s3://films/a.mov"),
        (NOTICE.replace("master.mov", "nowhere.mov"), "x.md:7: no such file: nowhere.mov\n  hint: put it into"),
        (NOTICE.replace("master.mov", "text.mov"), "x.md:7: a text: text.mov"),
        ("footage: [archive\n", "x.md:4: footage: the closing ] is missing"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(tmp_path: Path, front: str, expected: str) -> None:
    folder = write(tmp_path, front).with_suffix("")
    folder.mkdir()
    (folder / "text.mov").write_text("A text.\n")
    assert expected in refusal(tmp_path)
    assert [file.name for file in folder.iterdir()] == ["text.mov"]


def test_the_release_has_to_be_named(tmp_path: Path) -> None:
    write(tmp_path)
    assert refusal(tmp_path, "").startswith("RELEASE is not set (make footage RELEASE=name")
    assert "no such release" in refusal(tmp_path, "y")


def test_without_ffmpeg_the_command_that_installs_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refusal(tmp_path).startswith("ffmpeg is not installed (sudo apt-get install --yes ")
