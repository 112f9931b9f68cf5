"""Footage notices: what they say, the files that go with them, and the messages for mistakes."""

from __future__ import annotations

import hashlib
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.model.errors import ReleaseError
from pipeline.model.footage import Film, FootageFile, Measured, Shot
from pipeline.model.newsroom import Newsroom
from pipeline.model.release import SOURCE_TYPE
from pipeline.reader import ReadRelease, measuring, read_newsroom, read_release
from pipeline.typography import image_metadata, iptc
from tests.support.films import CAPTIONS, PLACE, Sound, film
from tests.support.reading import FRONT, NEWSROOM, faults, newsroom_faults, picture, release

NOTICE = "footage:\n  notice: Ferries, filmed in 2026.\n"
MASTER = "  files:\n    - file: master.mov\n      role: master\n"
ACCESSIBLE = "  captions: captions.vtt\n  transcript: The ferry leaves.\n"


@pytest.fixture
def content(tmp_path: Path) -> Path:
    """A folder for the release ``x``, with a film of two seconds, its preview, captions and poster."""
    beside(tmp_path / "x")
    return tmp_path


def beside(folder: Path) -> None:
    film(folder / "master.mov", sound=(Sound("pcm_s16le", language="fra"),))
    film(folder / "preview.mp4", seconds=1, movflags="faststart")
    (folder / "captions.vtt").write_bytes(b"\xef\xbb\xbf" + CAPTIONS.replace("\n", "\r\n").encode())
    (folder / "poster.jpg").write_bytes(picture("JPEG", (320, 180), comment=b"SECRET"))


def test_a_notice_with_every_key(content: Path) -> None:
    front = f"""{FRONT}{NOTICE}  carrier: Beta SP
  carriers: [Betacam SX, file]
  duration: 00:00:02
  restrictions: No archive use.
  expires: 2027-01-31T00:00+01:00
  transcript: |
    The ferry: it leaves.

    It is gone.
  captions: captions.vtt
  files:
    - file: poster.jpg
      role: poster
    - {{file: x/preview.mp4, role: preview, language: en-GB}}
    - file: ./master.mov
      role: master
  shots:
    - in: 00:00:00
      text: Exterior, the harbour
      place: Cork
      date: 2026-06
    - in: "00:00:01:12"
      text: Interview
      speaker: Ada Desk
      role: Archivist
      language: ga
      quote: "It leaves: now."
"""
    read = release(content, front)
    (notice,) = read.release.footage
    assert (notice.all_carriers, notice.duration) == (("Beta SP", "Betacam SX", "file"), "00:00:02")
    assert notice.restrictions == "No archive use."
    assert notice.expires == datetime(2027, 1, 30, 23, tzinfo=UTC)
    assert notice.transcript == "The ferry: it leaves.\n\nIt is gone."
    assert notice.shots == (
        Shot("00:00:00", "Exterior, the harbour", "Cork", "2026-06"),
        Shot("00:00:01:12", "Interview", "", "", "Ada Desk", "Archivist", "ga", "It leaves: now."),
    )
    preview, master, poster, captions = notice.files
    assert [(file.role, file.file, file.source, file.language) for file in notice.files] == [
        ("preview", "preview.mp4", "x/preview.mp4", "en-GB"),
        ("master", "master.mov", "x/master.mov", ""),
        ("poster", "poster.jpg", "", ""),
        ("captions", "captions.vtt", "", ""),
    ]
    data = (content / "x" / "master.mov").read_bytes()
    assert (master.size, master.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert master.measured is not None
    assert (master.measured.container, master.measured.audio[0].language) == ("QuickTime", "fr")
    assert preview.measured is not None
    assert preview.measured.duration == 1
    assert poster.measured == Measured("JPEG", 0, width=320, height=180)
    assert read.pictures.keys() == {"poster.jpg", "captions.vtt"}
    for file in (poster, captions):
        published = read.pictures[file.file]
        assert (file.size, file.sha256) == (len(published), hashlib.sha256(published).hexdigest())
    assert read.pictures["captions.vtt"] == CAPTIONS.encode()
    assert b"SECRET" not in read.pictures["poster.jpg"]
    assert not [each for each in read.warnings if each.name in ("unmeasured-footage", "footage-location")]


def test_a_withdrawn_release_has_no_footage(content: Path) -> None:
    withdrawn = "withdrawn: {date: 2026-12-01T00:00Z, reason: Wrong}\n"
    read = release(content, FRONT + NOTICE + MASTER + withdrawn)
    assert (read.release.footage, dict(read.pictures)) == ((), {})


def test_a_poster_that_is_the_lead_picture_too_is_one_file(content: Path) -> None:
    lead = "image: {file: poster.jpg, alt: A ferry, copyright: © 2026 Ada Desk}\n"
    poster = "  files:\n    - {file: poster.jpg, role: poster}\n"
    read = release(content, FRONT + lead + NOTICE + poster)
    (file,), published = read.release.footage_files, read.pictures["poster.jpg"]
    assert "© 2026 Ada Desk".encode() in published
    assert (file.size, file.sha256) == (len(published), hashlib.sha256(published).hexdigest())


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


IN_BUCKET = "write s3:// and the whole key: s3://films/master.mxf"
PLAIN = "use letters, digits, full stop, hyphen and underscore"
FILES = [
    ("nowhere.mov", "master", "no such file: nowhere.mov (put it into {folder})"),
    ("Master.mov", "master", "no such file: Master.mov (put it into {folder})"),
    ("../x.mov", "master", f"not a plain file name: ../x.mov (put it into {{folder}}; {PLAIN})"),
    ("/etc/passwd", "master", f"not a plain file name: /etc/passwd (put it into {{folder}}; {PLAIN})"),
    ("link.mov", "master", "outside the folder: link.mov (put it into {folder})"),
    ("folder.mov", "master", "not a file: folder.mov (put it into {folder})"),
    ("pipe.mov", "master", "not a file: pipe.mov (put it into {folder})"),
    ("https://example.org/a.mov", "master",
     "not a file of this release: https://example.org/a.mov (put the file into {folder}, or write s3:// and its key in "
     "the private bucket)"),
    ("S3://a/b.mov", "master", "not a file of this release: S3://a/b.mov (write s3:// in small letters: s3://a/b.mov)"),
    ("s3://", "master", f"not a key of the private bucket: s3:// ({IN_BUCKET})"),
    ("s3:///a.mov", "master", f"not a key of the private bucket: s3:///a.mov ({IN_BUCKET})"),
    ("s3://a/../b.mov", "master", f"not a key of the private bucket: s3://a/../b.mov ({IN_BUCKET})"),
    (
        "s3://staged/a.mov",
        "master",
        "in a folder of the private bucket that Dateline empties, staged/: s3://staged/a.mov "
        "(move it to another one: s3://films/a.mov)",
    ),
    ("s3://a/", "master", f"not a key of the private bucket: s3://a/ ({IN_BUCKET})"),
    ("s3://a/fähre.mov", "master",
     f"not a plain file name: s3://a/fähre.mov (rename the object: in the last part of its key {PLAIN})"),
    ("s3://a/poster.jpg", "poster", "cannot come from the private bucket: s3://a/poster.jpg (put the file itself into "
     "{folder})"),
    ("text.mp4", "master", "a text: text.mp4 (export it as one of these: MP4, M4V, M4A, MOV, MXF, MKV, WEBM, MPG, TS, "
     "AVI, WAV, MP3, AAC, FLAC)"),
    ("cut.mov", "master", "its end is missing: cut.mov (copy or export the file again; wait until that is complete)"),
    ("quicktime.mp4", "master", "QuickTime with the wrong suffix: quicktime.mp4 (rename it to quicktime.mov)"),
    ("poster.jpg", "master", "no file that may be a master: poster.jpg (write role: poster)"),
    ("captions.vtt", "master", "captions, not a master: captions.vtt (write captions: captions.vtt beside files:)"),
    ("report.docx", "sound", "no file that may be a sound: report.docx (export it as one of these: WAV, MP3, M4A, AAC, "
     "FLAC)"),
    ("sound.wav", "preview", "no file that may be a preview: sound.wav (write role: sound)"),
    ("master.mov", "preview", "browsers do not play such a file: master.mov (make footage makes a preview (MP4, H.264) "
     "of the master)"),
    ("old.mp4", "preview", "many browsers do not play MPEG-4: old.mp4 (make footage makes a preview (MP4, H.264) of "
     "the master)"),
    ("studio.mp4", "preview", "many browsers do not play H.264 High 4:2:2: studio.mp4 (make footage makes a preview "
     "(MP4, H.264) of the master)"),
    ("silent.mp4", "preview", "many browsers do not play AC-3: silent.mp4 (make footage makes a preview (MP4, H.264) "
     "of the master)"),
    ("old.mpeg", "master", "the suffix .mpeg is not known: old.mpeg (rename it to old.mpg)"),
    ("spoken.mp4", "preview",
     "a preview without a picture: spoken.mp4 (write role: sound, or export it with its picture)"),
    ("seen.m4a", "sound", "a film, not sound alone: seen.m4a (write role: master, or export the sound)"),
    ("text.jpg", "poster", "not a picture: text.jpg (use PNG, JPEG, WebP or GIF)"),
    ("ai.jpg", "poster", "the file says: made with AI: ai.jpg (take a frame of the film (make footage does); a poster "
     "has no caption that could say so)"),
]  # fmt: skip


@pytest.fixture
def odd_files(content: Path) -> Path:
    folder = content / "x"
    (folder / "text.mp4").write_text("A text.\n")
    (folder / "text.jpg").write_text("A text.\n")
    whole = (folder / "master.mov").read_bytes()
    (folder / "cut.mov").write_bytes(whole[:-100])
    (folder / "quicktime.mp4").write_bytes(whole)
    shutil.copy(folder / "master.mov", content / "outside.mov")
    (folder / "link.mov").symlink_to("../outside.mov")
    (folder / "folder.mov").mkdir()
    os.mkfifo(folder / "pipe.mov")
    film(folder / "sound.wav", codec="", sound=(Sound("pcm_s16le"),))
    film(folder / "old.mp4", codec="mpeg4")
    film(folder / "spoken.mp4", codec="")
    film(folder / "studio.mp4", pixels="yuv422p")
    film(folder / "silent.mp4", sound=(Sound("ac3"),))
    shutil.copy(film(content / "seen.mp4"), folder / "seen.m4a")
    ai = iptc.PhotoMetadata("en", "", "", "", "", "", "", SOURCE_TYPE + "trainedAlgorithmicMedia")
    marked = image_metadata.with_metadata(picture("JPEG", (320, 180)), "JPEG", (320, 180), iptc.xmp_packet(ai))
    (folder / "ai.jpg").write_bytes(marked)
    return content


@pytest.mark.parametrize(("name", "role", "expected"), FILES)
def test_a_file_that_cannot_be_offered_is_refused(odd_files: Path, name: str, role: str, expected: str) -> None:
    accessible = ACCESSIBLE if role == "preview" else ""
    found = faults(odd_files, f"{FRONT}{NOTICE}{accessible}  files:\n    - file: {name}\n      role: {role}\n")
    line = 9 if role == "preview" else 7
    assert found == [f"{line} footage.files.file: {expected.format(folder=odd_files / 'x')}"]


def test_all_faults_of_all_files_are_reported_in_one_run(odd_files: Path) -> None:
    front = f"""{FRONT}{NOTICE}  captions: nowhere.vtt
  duration: 00:01:00
  expires: 2027-01-31
  files:
    - file: text.mp4
      role: mster
    - file: cut.mov
      role: master
      colour: red
    - role: poster
    - file: preview.mp4
      role: preview
      language: english
    - file: ./preview.mp4
      role: preview
    - file: s3://films/PREVIEW.mp4
      role: master
  shots:
    - in: 00:00:14;12
      text: The harbour
"""
    assert [fault.partition(" (")[0] for fault in faults(odd_files, front)] == [
        "6 footage.captions: no such file: nowhere.vtt",
        "8 footage.expires: no time",
        "10 footage.files.file: a text: text.mp4",
        "11 footage.files.role: unknown role: mster",
        "12 footage.files.file: its end is missing: cut.mov",
        "14 footage.files.colour: unknown key",
        "15 footage.files.file: missing",
        "17 footage.transcript: missing: a preview needs a transcript, as a picture needs alt",
        "18 footage.files.language: not a language tag: english",
        "19 footage.files.file: named twice: ./preview.mp4",
        "21 footage.files.file: the file in line 16 would have the same name: s3://films/PREVIEW.mp4",
        "24 footage.shots.in: not a time: 00:00:14;12",
    ]


PREVIEW = "    - file: preview.mp4\n      role: preview\n"
TOGETHER = [
    ("  files:\n" + PREVIEW, [
        "8 footage.captions: missing: a preview needs captions, for people who do not hear it (write captions: and the "
        "name of a WebVTT file, beside files:)",
        "8 footage.transcript: missing: a preview needs a transcript, as a picture needs alt (write transcript: | and "
        "below it, indented, what is said and shown)"]),
    (MASTER + "  captions: captions.vtt\n", [
        "9 footage.captions: there is no preview that they belong to (name a file with role: preview below files:, or "
        "delete the line)"]),
    ("  files:\n" + PREVIEW + "  transcript: T\n  captions: captions.srt\n",
     ["10 footage.captions: not a WebVTT file: captions.srt (save them as WebVTT, with a name in .vtt)"]),
    ("  files:\n    - {file: captions.vtt, role: captions}\n",
     ["7 footage.files.role: unknown role: captions (write captions: captions.vtt beside files:)"]),
    ("  files:\n    - {file: poster.jpg, role: poster}\n    - {file: other.png, role: poster}\n",
     ["8 footage.files: a second poster (delete this one, or that in line 7)"]),
    ("  files: [{file: master.mov, role: master}, {file: master.mov, role: sound}]\n",
     ["6 footage.files.file: named twice: master.mov (delete this one, or that in line 6)"]),
    ("  files: [master.mov]\n",
     ["6 footage.files: not a group of keys (write - file: master.mov and below it, under file, role: master)"]),
    ("  expires: 2027-01-31T00:00+00:00\n",
     ["6 footage.expires: there are no files that could expire (name them below files:, or delete the line)"]),
    (MASTER + "  expires: 2026-11-23T09:00+00:00\n",
     ["9 footage.expires: not after the release itself (write when the files are to be taken down)"]),
    (MASTER + "  expires: 2027-01-31T00:00\n", ["9 footage.expires: no time zone (write 2027-01-31T00:00+00:00)"]),
    (MASTER + "  duration: 00:00:05\n",
     ["9 footage.duration: 00:00:05, but the file has 00:00:02: master.mov (write duration: 00:00:02, or name the "
      "right file)"]),
    (MASTER + "  duration: 0:05\n",
     ["9 footage.duration: 0:05, but the file has 00:00:02: master.mov (write duration: 00:00:02, or name the "
      "right file)"]),
    (MASTER + "  duration: 00:00:03\n", []),
    (MASTER + "  duration: about two seconds\n", []),
    (MASTER + PREVIEW + ACCESSIBLE + "  duration: 00:00:02\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), TOGETHER)
def test_what_keys_of_a_notice_say_of_each_other(content: Path, more: str, expected: list[str]) -> None:
    (content / "x" / "other.png").write_bytes(picture())
    assert faults(content, FRONT + NOTICE + more) == expected


@pytest.mark.parametrize(
    ("files", "body", "expected"),
    [
        ("{file: poster.jpg, role: poster}", "![A ferry](Poster.jpg)",
         "11 picture: differs only in capital letters from poster.jpg: Poster.jpg (rename one of the files)"),
        ("{file: big.480.jpg, role: poster}", "![A ferry](big.jpg)",
         "11 picture: its smaller copy big.480.jpg would have the same name as big.480.jpg: big.jpg (rename one of the "
         "files)"),
    ],
)  # fmt: skip
def test_no_two_files_of_a_release_have_one_name(content: Path, files: str, body: str, expected: str) -> None:
    shutil.copy(content / "x" / "poster.jpg", content / "x" / "Poster.jpg")
    (content / "x" / "big.jpg").write_bytes(picture("JPEG", (1200, 900)))
    shutil.copy(content / "x" / "poster.jpg", content / "x" / "big.480.jpg")
    assert faults(content, f"{FRONT}{NOTICE}  files:\n    - {files}\n", f"Words.\n\n{body}\n")[-1] == expected


# ── Shots ───────────────────────────────────────────────────────────────────────────────────────────────────────────


TIME = "write hours, minutes and seconds as 00:00:14, with a frame as 00:00:14:12"
FIRST = "times count from the first frame of the film, which is 00:00:00"
TIMES = [
    ("00:00:14", ""), ("00:00:14:12", ""), ("'00:00:14'", ""), ("00:02:09", ""),
    ("００:00:14", "not a time: ００:00:14 (write in: 00:00:14)"),
    ("00：00：14", "not a time: 00：00：14 (write in: 00:00:14)"),
    ("00:00:14;12", "not a time: 00:00:14;12 (write in: 00:00:14:12)"),
    ("0:14", "not a time: 0:14 (write in: 00:00:14)"),
    ("14", "not a time: 14 (write in: 00:00:14)"),
    ("00.00.14", "not a time: 00.00.14 (write in: 00:00:14)"),
    ("00:00:14.480", "not a time: 00:00:14.480 (write in: 00:00:14, with a frame as 00:00:14:12)"),
    ("00:00:75", f"not a time: 00:00:75 ({TIME})"),
    ("noon", f"not a time: noon ({TIME})"),
    ("10:00:00:00", f"past the end of the film, which has 00:02:10: 10:00:00:00 ({FIRST})"),
    ("00:02:10", f"past the end of the film, which has 00:02:10: 00:02:10 ({FIRST})"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "expected"), TIMES)
def test_the_time_of_a_shot(tmp_path: Path, typed: str, expected: str) -> None:
    found = faults(tmp_path, f"{FRONT}{NOTICE}  duration: 00:02:10\n  shots:\n    - in: {typed}\n      text: T\n")
    assert found == ([f"8 footage.shots.in: {expected}"] if expected else [])


ORDER = "put the shots in the order of their times; compare line"
PAST = "past the end of the film, which has 00:00:02: 00:00:02"
SEVERAL = [
    (["00:00:00", "00:00:00", "00:00:01"], []),
    (["00:00:01:12", "00:00:01"], []),
    (["00:00:01", "00:00:00"], [f"12 footage.shots.in: before the shot above: 00:00:00 ({ORDER} 10)"]),
    (["00:00:01:12", "00:00:01:11"], [f"12 footage.shots.in: before the shot above: 00:00:01:11 ({ORDER} 10)"]),
    (["00:00:01:24", "00:00:01:25"],
     ["12 footage.shots.in: there is no frame 25: 00:00:01:25 (the film has 25 frames a second, counted from 00 to "
      "24)"]),
    (["00:00:01", "00:00:02"], [f"12 footage.shots.in: {PAST} ({FIRST})"]),
]  # fmt: skip


@pytest.mark.parametrize(("times", "expected"), SEVERAL)
def test_shots_follow_each_other_within_the_film(content: Path, times: list[str], expected: list[str]) -> None:
    shots = "".join(f"    - in: {time}\n      text: T\n" for time in times)
    assert faults(content, f"{FRONT}{NOTICE}{MASTER}  shots:\n{shots}") == expected


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("place: Cork", ["7 footage.shots.text: missing (add a line text: …)"]),
        ("text: T\n      date: 1998-02-30", ["9 footage.shots.date: no such day: 1998-02-30 (check it in a calendar)"]),
        ("text: T\n      date: 12.9.1998",
         ["9 footage.shots.date: not a date: 12.9.1998 (write it as 1998-09-12, 1998-09 or 1998)"]),
        ("text: T\n      date: 1998", []),
        ("text: T\n      language: French",
         ["9 footage.shots.language: not a language tag: French (write it as en-GB, fr or pt-BR (BCP 47))"]),
        ("text: T\n      qoute: Q", ["9 footage.shots.qoute: unknown key (did you mean quote?)"]),
    ],
)  # fmt: skip
def test_the_other_keys_of_a_shot(tmp_path: Path, keys: str, expected: list[str]) -> None:
    assert faults(tmp_path, f"{FRONT}{NOTICE}  shots:\n    - in: 00:00:00\n      {keys}\n") == expected


SLIPS = [
    ("  shots:\n    00:00:00: The harbour\n    00:00:14: A ferry\n",
     ["7 footage.shots: no keys (write - in: 00:00:00 and below it, under in, text: The harbour)",
      "8 footage.shots: no keys (write - in: 00:00:14 and below it, under in, text: A ferry)"]),
    ("  shots:\n    - 00:00:00 The harbour\n",
     ["7 footage.shots: no keys (write - in: 00:00:00 and below it, under in, text: The harbour)"]),
    ("shots:\n  - in: 00:00:00\n    text: T\n",
     ["6 shots belongs below the key above, indented (begin it with 2 blanks, made with the space bar:   shots:)"]),
    ("  shots:\n    - in:00:00:00\n      text:T\n",
     ["7 in: no blank after the colon (write - in: 00:00:00)", "8 text: no blank after the colon (write text: T)"]),
    ("  transcript: Ada Desk: It leaves.\n",
     ['6 footage.transcript: a text with a colon needs quotation marks (write transcript: "Ada Desk: It leaves.")']),
]  # fmt: skip


@pytest.mark.parametrize(("more", "expected"), SLIPS)
def test_slips_of_yaml_in_a_notice(tmp_path: Path, more: str, expected: list[str]) -> None:
    assert faults(tmp_path, FRONT + NOTICE + more) == expected


@pytest.mark.parametrize("word", ["in", "text", "place", "role", "quote", "speaker", "files", "shots"])
def test_common_words_are_keys_within_a_notice_alone(tmp_path: Path, word: str) -> None:
    (fault,) = faults(tmp_path, f"{FRONT}subtitle: The archive opens its catalogue\n{word} of the harbour\n")
    assert fault.startswith("5 text without a key (if it belongs to the text above, write both in line 4: ")


# ── Warnings, stored files, and files that are gone ─────────────────────────────────────────────────────────────────


def told(read: ReadRelease) -> list[tuple[int, str, str]]:
    wanted = ("unmeasured-footage", "footage-location", "legacy-carrier")
    return [(each.line, each.name, each.message) for each in read.warnings if each.name in wanted]


def test_a_film_that_says_where_it_was_filmed_is_told(content: Path) -> None:
    film(content / "x" / "master.mov", tags=PLACE)
    what = "footage.files.file: the file says where it was filmed: master.mov"
    assert told(release(content, FRONT + NOTICE + MASTER)) == [(7, "footage-location", what)]


def test_where_nothing_measures_a_film_is_published_with_size_and_digest_only(
    content: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "measures_with", lambda: "")
    shots = "  shots:\n    - in: 00:09:00:29\n      text: T\n"
    read = release(content, FRONT + NOTICE + MASTER + shots)
    what = "footage.files.file: published with size and digest only, because nothing here measures: master.mov"
    assert told(read) == [(7, "unmeasured-footage", what)]
    (file,) = read.release.footage_files
    assert (file.size, file.measured) == ((content / "x" / "master.mov").stat().st_size, None)


STORED = "  duration: 00:02:10\n  files:\n    - {file: s3://films/long.mxf, role: master}\n"
SHOTS = "  shots:\n    - in: 00:02:00:24\n      text: T\n"


def stored(folder: Path, films: dict[str, Film], more: str = STORED, now: datetime | None = None) -> ReadRelease:
    (folder / "x.md").write_text(f"---\n{FRONT}{NOTICE}{more}---\nWords.\n", "utf-8")
    return read_release(folder / "x.md", NEWSROOM, now, films)


def test_a_film_in_the_private_bucket_is_what_is_known_of_it(tmp_path: Path) -> None:
    read = stored(tmp_path, {}, STORED + SHOTS)
    what = "footage.files.file: nobody has looked at it yet: s3://films/long.mxf"
    assert told(read) == [(8, "unmeasured-footage", what)]
    unknown = FootageFile("long.mxf", "master", 0, "", "s3://films/long.mxf")
    assert read.release.footage_files == (unknown,)
    measured = Measured("MXF", 130.4, "MPEG-2", 1920, 1080, "25", "interlaced")
    read = stored(tmp_path, {"s3://films/long.mxf": Film(5, "ab", "etag", measured)}, STORED + SHOTS)
    assert told(read) == []
    assert read.release.footage_files == (
        FootageFile("long.mxf", "master", 5, "ab", "s3://films/long.mxf", measured=measured),
    )


def test_what_is_known_of_a_film_in_the_private_bucket_is_compared_too(tmp_path: Path) -> None:
    film = Film(5, "ab", "etag", Measured("MXF", 120.5, "MPEG-2", 1920, 1080, "24"))
    with pytest.raises(ReleaseError) as refused:
        stored(tmp_path, {"s3://films/long.mxf": film}, STORED + SHOTS)
    assert [(fault.line, fault.message) for fault in refused.value.faults] == [
        (6, "footage.duration: 00:02:10, but the file has 00:02:00: long.mxf"),
        (10, "footage.shots.in: there is no frame 24: 00:02:00:24"),
    ]


def test_a_film_in_the_private_bucket_has_the_suffix_of_what_it_is(tmp_path: Path) -> None:
    film = Film(5, "ab", "etag", Measured("QuickTime", 130, "MPEG-2", 1920, 1080, "25"))
    with pytest.raises(ReleaseError, match=r"x\.md:8: footage\.files\.file: QuickTime with the wrong suffix"):
        stored(tmp_path, {"s3://films/long.mxf": film})


AFTER = datetime(2027, 2, 1, tzinfo=UTC)
EXPIRED = "  expires: 2027-01-31T00:00+00:00\n"


def test_files_that_have_expired_may_be_missing(content: Path) -> None:
    more = f"{EXPIRED}{ACCESSIBLE}{MASTER}{PREVIEW}    - {{file: poster.jpg, role: poster}}\n"
    films: dict[str, Film] = {}
    shutil.rmtree(content / "x")
    with pytest.raises(ReleaseError):
        stored(content, films, more, datetime(2027, 1, 30, tzinfo=UTC))
    read = stored(content, films, more, AFTER)
    assert [(file.file, file.size) for file in read.release.footage_files] == [("master.mov", 0), ("preview.mp4", 0)]
    assert (told(read), dict(read.pictures)) == ([], {})
    films["x/master.mov"] = Film(5, "ab", "")
    assert stored(content, films, more, AFTER).release == read.release, "on each machine, whatever it knows of them"


def test_a_newsroom_whose_footage_has_expired_is_the_same_on_each_machine(tmp_path: Path) -> None:
    office(tmp_path)
    toml = TOML + "expires = 2027-01-31T00:00:00Z\n"
    (tmp_path / "newsroom.toml").write_text(toml, "utf-8")
    for file in ("master.mov", "preview.mp4", "poster.jpg", "captions.vtt"):
        (tmp_path / file).unlink()
    known = {source: Film(5, "ab", "") for source in ("master.mov", "preview.mp4", "s3://films/long.mxf")}
    assert read_newsroom(tmp_path, known, AFTER) == read_newsroom(tmp_path, {}, AFTER)


@pytest.mark.parametrize(
    ("keys", "warned"),
    [
        ("  carrier: Beta SP\n", True),
        ("  carriers: [Beta SP, U-matic]\n", True),
        ("  carrier: Beta SP\n  carriers: [file]\n", False),
        ("  carrier: Beta SP\n" + MASTER, False),
    ],
)
def test_only_footage_that_is_on_tape_alone_is_legacy(content: Path, keys: str, warned: bool) -> None:
    names = [name for _, name, _ in told(release(content, FRONT + NOTICE + keys))]
    assert names == (["legacy-carrier"] if warned else [])


# ── newsroom.toml ───────────────────────────────────────────────────────────────────────────────────────────────────


TOML = """\
[organisation]
name = "Test Office"
language = "en-GB"
time_zone = "Europe/London"

[footage.archive]
notice = "Ferries [all of them], filmed in 2026."
expires = 2027-01-31T00:00:00Z
captions = "captions.vtt"
transcript = '''
The ferry leaves.
[[footage.archive.shots]]
'''
files = [
  {file = "master.mov", role = "master"},  # the whole film
  {file = "preview.mp4", role = "preview"}, {file = "poster.jpg", role = "poster"},
]

[[footage.archive.shots]]
in = 00:00:00
text = "The harbour"
date = 2026-06-01

[[footage.archive.shots]]
in = "00:00:01:12"
text = "A ferry"

[footage.tapes]
notice = "Tapes"
files = [{file = "s3://films/long.mxf", role = "master"}]
"""


def office(folder: Path) -> Newsroom:
    beside(folder)
    (folder / "newsroom.toml").write_text(TOML, "utf-8")
    return read_newsroom(folder)


def test_a_notice_of_the_newsroom_has_the_same_keys_with_files_beside_newsroom_toml(tmp_path: Path) -> None:
    newsroom = office(tmp_path)
    (tmp_path / "x.md").write_text(f"---\n{FRONT}footage: [archive, tapes]\n---\nWords.\n", "utf-8")
    film = Film(5, "ab", "etag", Measured("MXF", 130, "MPEG-2", 1920, 1080, "25"))
    read = read_release(tmp_path / "x.md", newsroom, None, {"s3://films/long.mxf": film})
    archive, tapes = read.release.footage
    assert [(file.file, file.source) for file in archive.files] == [
        ("master.mov", "master.mov"), ("preview.mp4", "preview.mp4"), ("poster.jpg", ""), ("captions.vtt", "")
    ]  # fmt: skip
    assert [(shot.at, shot.text, shot.date) for shot in archive.shots] == [
        ("00:00:00", "The harbour", "2026-06-01"), ("00:00:01:12", "A ferry", "")
    ]  # fmt: skip
    assert archive.expires == datetime(2027, 1, 31, tzinfo=UTC)
    assert [(file.size, file.measured) for file in tapes.files] == [(5, film.measured)]
    assert newsroom.footage["tapes"].files[0].size == 0, "the newsroom does not change when somebody looks at a film"
    for file in archive.files[2:]:
        assert file.sha256 == hashlib.sha256(read.pictures[file.file]).hexdigest()


def test_a_file_of_the_newsroom_s_notice_and_a_picture_of_the_release_have_different_names(tmp_path: Path) -> None:
    newsroom = office(tmp_path)
    beside(tmp_path / "x")
    (tmp_path / "x.md").write_text(f"---\n{FRONT}footage: archive\n---\n![A ferry](poster.jpg)\n", "utf-8")
    with pytest.raises(ReleaseError) as refused:
        read_release(tmp_path / "x.md", newsroom)
    (fault,) = refused.value.faults
    what = "picture: another file of this release has the same name, ../poster.jpg: poster.jpg"
    assert (fault.line, fault.message) == (6, what)


WRONG = {
    'role = "master"},  # the': ('role = "mster"},  # the', "15 footage.archive.files.role: unknown role: mster"),
    'role = "poster"}': ('role = "postr"}', "16 footage.archive.files.role: unknown role: postr"),
    '"captions.vtt"': ('"nowhere.vtt"', "9 footage.archive.captions: no such file: nowhere.vtt"),
    "in = 00:00:00": ('in = "0:00"', "20 footage.archive.shots.in: not a time: 0:00"),
    'text = "A ferry"': ("text = 5", "26 footage.archive.shots.text: a number, not text"),
    '"00:00:01:12"': ('"00:00:02"', "25 footage.archive.shots.in: past the end of the film, which has 00:00:02: "
                      "00:00:02"),
    "s3://films/long.mxf": ("s3://films/long.doc", "30 footage.tapes.files.file: no file that may be a master: "
                            "s3://films/long.doc"),
    "2027-01-31T00:00:00Z": ("2027-01-31", "8 footage.archive.expires: no time"),
}  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "expected"), [(right, *wrong) for right, wrong in WRONG.items()])
def test_a_mistake_in_newsroom_toml_is_named_with_its_line(
    tmp_path: Path, right: str, wrong: str, expected: str
) -> None:
    office(tmp_path)
    assert [fault.partition(" (")[0] for fault in newsroom_faults(tmp_path, TOML.replace(right, wrong))] == [expected]
