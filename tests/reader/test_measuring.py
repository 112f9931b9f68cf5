"""What is measured of films: the same by PyAV and by ffprobe, and nothing of what is no film."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
from pathlib import Path

import pytest
import trustme

from pipeline.model.footage import AudioTrack, Film, Measured
from pipeline.reader import measure, measuring
from pipeline.reader.files import FileError
from pipeline.reader.measuring import container_of, digest_of, look_at
from tests.support.films import COVER, PLACE, Sound, film, served

STEREO = (AudioTrack("AAC", 2, 48_000),)
FILMS: dict[str, tuple[dict[str, object], Measured]] = {
    "a.mp4": ({"fps": "30000/1001"}, Measured("MP4", 2, "H.264", 320, 180, "29.97", "progressive", STEREO)),
    "b.m4v": ({"movflags": "faststart"}, Measured("MP4", 2, "H.264", 320, 180, "25", "progressive", STEREO)),
    "c.mov": (
        {"fps": "24000/1001", "sound": (Sound("pcm_s24le", language="fra"), Sound(language="und"))},
        Measured("QuickTime", 2, "H.264", 320, 180, "23.976", "progressive",
                 (AudioTrack("PCM 24-bit", 2, 48_000, "fr"), AudioTrack("AAC", 2, 48_000))),
    ),
    "d.mxf": (
        {"codec": "mpeg2video", "size": (720, 576), "aspect": "64/45", "interlaced": True,
         "sound": (Sound("pcm_s16le", 1), Sound("pcm_s16le", 1))},
        Measured("MXF", 2, "MPEG-2", 1024, 576, "25", "interlaced", (AudioTrack("PCM 16-bit", 1, 48_000),) * 2),
    ),
    "e.mp4": (
        {"interlaced": True, "fps": "25", "sound": ()}, Measured("MP4", 2, "H.264", 320, 180, "25", "interlaced")
    ),
    "studio.mov": (
        {"pixels": "yuv422p", "sound": ()},
        Measured("QuickTime", 2, "H.264 High 4:2:2", 320, 180, "25", "progressive"),
    ),
    "upright.mov": (
        {"turned": 90, "sound": (), "tags": PLACE},
        Measured("QuickTime", 2, "H.264", 180, 320, "25", "progressive", located=True),
    ),
    "f.mkv": (
        {"sound": (Sound(language="ger"),)},
        Measured("Matroska", 2, "H.264", 320, 180, "25", "progressive", (AudioTrack("AAC", 2, 48_000, "de"),)),
    ),
    "g.webm": ({"codec": "libvpx-vp9", "sound": ()}, Measured("WebM", 2, "VP9", 320, 180, "25")),
    "h.mpg": (
        {"codec": "mpeg2video", "sound": ()}, Measured("MPEG-PS", 2, "MPEG-2", 320, 180, "25", "progressive")
    ),
    "i.ts": ({"sound": ()}, Measured("MPEG-TS", 2, "H.264", 320, 180, "25", "progressive")),
    "j.avi": (
        {"codec": "mpeg4", "sound": (Sound("libmp3lame"),)},
        Measured("AVI", 2, "MPEG-4", 320, 180, "25", "", (AudioTrack("MP3", 2, 48_000),)),
    ),
    "k.wav": (
        {"codec": "", "sound": (Sound("pcm_s16le", 1, rate=44_100),)},
        Measured("WAV", 2, audio=(AudioTrack("PCM 16-bit", 1, 44_100),)),
    ),
    "l.mp3": (
        {"codec": "", "sound": (Sound("libmp3lame"),)}, Measured("MP3", 2, audio=(AudioTrack("MP3", 2, 48_000),))
    ),
    "m.m4a": ({"codec": ""}, Measured("MP4", 2, audio=STEREO)),
    "cover.mp3": (
        {"codec": COVER, "sound": (Sound("libmp3lame"),)}, Measured("MP3", 2, audio=(AudioTrack("MP3", 2, 48_000),))
    ),
    "n.aac": ({"codec": ""}, Measured("AAC", 2, audio=STEREO)),
    "o.flac": ({"codec": "", "sound": (Sound("flac"),)}, Measured("FLAC", 2, audio=(AudioTrack("FLAC", 2, 48_000),))),
}  # fmt: skip


@pytest.fixture(params=["av", pytest.param("ffprobe", marks=pytest.mark.skipif(
    not shutil.which("ffprobe"), reason="needs Debian's ffmpeg"))])  # fmt: skip
def tool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(measuring, "measures_with", lambda: request.param)
    return str(request.param)


def rounded(found: Measured | None) -> Measured | None:
    """A file of MPEG or AAC may be a frame or two longer than what was put into it."""
    return found and Measured(**{name: getattr(found, name) for name in found.__struct_fields__}
                              | {"duration": round(found.duration, 1)})  # fmt: skip


@pytest.mark.parametrize("name", FILMS)
def test_a_film_is_measured(tmp_path: Path, name: str, tool: str) -> None:
    asked, expected = FILMS[name]
    assert rounded(measure(film(tmp_path / name, **asked))) == expected  # type: ignore[arg-type]


def test_a_film_at_an_address_is_measured_by_what_is_needed_of_it(tmp_path: Path, tool: str) -> None:
    film(tmp_path / "a.mov", tags=PLACE)
    with served(tmp_path) as address:
        found = measure(f"{address}a.mov?signature=a%2Fb")
    assert found == measure(tmp_path / "a.mov")


def test_a_server_that_nobody_vouches_for_is_told_nothing(
    tmp_path: Path, tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FFmpeg asks any server by itself, and the address may carry a signature."""
    film(tmp_path / "a.mp4")
    authority, tls = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    with served(tmp_path, tls) as address:
        with pytest.raises(OSError, match="Input/output error"):
            measure(f"{address}a.mp4")
        monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "authority.pem"))
        assert measure(f"{address}a.mp4") == measure(tmp_path / "a.mp4")


def test_a_film_that_is_not_at_its_address_is_not_called_damaged(tmp_path: Path, tool: str) -> None:
    with served(tmp_path) as address, pytest.raises(OSError, match="404"):
        measure(f"{address}a.mp4")


def test_a_text_that_names_other_files_is_no_film(tmp_path: Path, tool: str) -> None:
    """FFmpeg would open the addresses in a playlist."""
    film(tmp_path / "a.ts", sound=())
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n")
    shutil.copy(tmp_path / "list.m3u8", tmp_path / "list.mp4")
    with pytest.raises(FileError, match="a text"):
        measure(tmp_path / "list.mp4")
    with served(tmp_path) as address, pytest.raises((FileError, OSError)):
        measure(f"{address}list.m3u8")


def test_without_a_tool_nothing_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "measures_with", lambda: "")
    found = look_at(film(tmp_path / "a.mp4"), "x/a.mp4", {})
    assert (found.size, found.measured) == ((tmp_path / "a.mp4").stat().st_size, None)
    assert found.sha256 == hashlib.sha256((tmp_path / "a.mp4").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["a.mp4", "b.m4v", "c.mov", "d.mxf", "f.mkv", "g.webm", "j.avi", "k.wav"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_whose_end_is_missing_is_refused_without_a_tool_too(tmp_path: Path, name: str, share: float) -> None:
    data = film(tmp_path / name, **FILMS[name][0]).read_bytes()  # type: ignore[arg-type]
    assert container_of(tmp_path / name) == FILMS[name][1].container
    (tmp_path / name).write_bytes(data[: int(len(data) * share)])
    with pytest.raises(FileError, match="its end is missing"):
        container_of(tmp_path / name)


CONTENTS = {
    "a text": b"Not a film.\n",
    "an empty file": b"",
    "no video or audio file": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
}


@pytest.mark.parametrize(("what", "content"), CONTENTS.items())
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mxf", ".mkv", ".wav", ".mp3", ".ts"])
def test_what_is_no_film_is_refused_whatever_it_is_called(
    tmp_path: Path, what: str, content: bytes, suffix: str
) -> None:
    (tmp_path / f"a{suffix}").write_bytes(content)
    with pytest.raises(FileError, match=f"^\\('{what}'"):
        container_of(tmp_path / f"a{suffix}")


@pytest.mark.parametrize(
    ("name", "other", "proper"),
    [("a.mp4", ".mov", "x.mp4"), ("c.mov", ".mp4", "x.mov"), ("d.mxf", ".mov", "x.mxf"), ("g.webm", ".mkv", "x.webm"),
     ("f.mkv", ".webm", "x.mkv"), ("k.wav", ".mp3", "x.wav"), ("l.mp3", ".aac", "x.mp3"), ("n.aac", ".mp3", "x.aac")],
)  # fmt: skip
def test_a_suffix_that_is_another_format_s_is_refused(tmp_path: Path, name: str, other: str, proper: str) -> None:
    shutil.copy(film(tmp_path / name, **FILMS[name][0]), tmp_path / f"x{other}")  # type: ignore[arg-type]
    with pytest.raises(FileError) as refused:
        container_of(tmp_path / f"x{other}")
    assert refused.value.args[1] == f"rename it to {proper}"


def test_metadata_in_another_encoding_are_no_fault(tmp_path: Path, tool: str) -> None:
    data = film(tmp_path / "a.mov", tags={"title": "Faehre"}).read_bytes()
    (tmp_path / "a.mov").write_bytes(data.replace(b"Faehre", b"F\xe4hre "))
    assert measure(tmp_path / "a.mov") == measure(film(tmp_path / "b.mov"))


def test_damage_within_a_film_is_a_fault_not_a_crash(tmp_path: Path, tool: str) -> None:
    data = bytearray(film(tmp_path / "a.mp4", movflags="faststart").read_bytes())
    table = data.index(b"stsd")
    data[table + 8 : table + 60] = b"\xa5" * 52
    (tmp_path / "a.mp4").write_bytes(data)
    with pytest.raises(FileError, match="damaged"):
        measure(tmp_path / "a.mp4")


@pytest.fixture
def settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A film that counts as not changed just now."""
    monkeypatch.setattr(measuring, "RECENT", -(10**15))
    return film(tmp_path / "a.mp4")


def test_a_film_is_read_once_while_it_stays_the_same(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    films: dict[str, Film] = {}
    found = look_at(settled, "x/a.mp4", films)
    assert films["x/a.mp4"].sha256 == found.sha256
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert look_at(settled, "x/a.mp4", films) == films["x/a.mp4"]
    assert digest_of(settled, "x/a.mp4", films) == found.sha256


def test_a_film_replaced_by_another_of_the_same_size_and_time_is_noticed(settled: Path) -> None:
    films: dict[str, Film] = {}
    first, before = look_at(settled, "x/a.mp4", films), settled.stat()
    data = bytearray(settled.read_bytes())
    data[-1] ^= 1
    other = settled.with_name("b.mp4")
    other.write_bytes(data)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(settled)
    again = look_at(settled, "x/a.mp4", films)
    assert again.size == first.size
    assert again.sha256 == hashlib.sha256(data).hexdigest() != first.sha256


def test_a_film_that_was_changed_just_now_is_not_trusted(tmp_path: Path) -> None:
    films: dict[str, Film] = {}
    look_at(film(tmp_path / "a.mp4"), "x/a.mp4", films)
    assert films == {}
