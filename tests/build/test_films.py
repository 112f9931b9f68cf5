"""Films beside a source: what changes a release, and what does not have to be read again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.build import fingerprint
from pipeline.build.context import CommandContext
from pipeline.model.footage import Film, Measured
from pipeline.publish import up_to_date
from pipeline.reader import measuring
from tests.support.films import CAPTIONS, film
from tests.support.in_process import Sandbox
from tests.support.newsroom import NEWSROOM
from tests.support.reading import picture

FOOTAGE = (
    "{notice: Ferries, transcript: It leaves., captions: captions.vtt, files: [{file: film.mp4, role: preview}, "
    "{file: poster.png, role: poster}]}"
)


@pytest.fixture
def filmed(sandbox: Sandbox) -> Path:
    """The folder of a release with a film, captions and a poster; another film lies beside them."""
    sandbox.write(footage=FOOTAGE)
    folder = sandbox.content / "probe"
    film(folder / "film.mp4")
    film(folder / "unnamed.mov")
    (folder / "captions.vtt").write_text(CAPTIONS)
    (folder / "poster.png").write_bytes(picture(size=(320, 180)))
    return folder


def other_film(file: Path) -> None:
    """Replace a film by another of the same size, with the same time."""
    before, data = file.stat(), bytearray(file.read_bytes())
    data[-1] ^= 1
    file.with_suffix(".aside").write_bytes(data)
    os.utime(file.with_suffix(".aside"), ns=(before.st_atime_ns, before.st_mtime_ns))
    file.with_suffix(".aside").replace(file)


def other_captions(file: Path) -> None:
    file.write_text(CAPTIONS.replace("dawn", "dusk"))


def other_line_ends(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + CAPTIONS.replace("\n", "\r\n").encode())


@pytest.mark.parametrize(
    ("name", "change", "differs"),
    [
        ("film.mp4", other_film, True),
        ("captions.vtt", other_captions, True),
        ("captions.vtt", other_line_ends, False),
        ("poster.png", lambda file: file.write_bytes(picture(size=(300, 180))), True),
        ("unnamed.mov", other_film, False),
    ],
)
def test_a_release_changes_with_the_files_that_it_names(
    sandbox: Sandbox, filmed: Path, name: str, change: object, differs: bool
) -> None:
    results = sandbox.read()
    assert not results["probe"].refused, results["probe"].faults
    digest = fingerprint.of_source(sandbox.state, "probe")
    up_to_date.scan_sources(sandbox.state)
    assert callable(change)
    change(filmed / name)
    up_to_date.scan_sources(sandbox.state)
    (stored,) = sandbox.state.database.rows("SELECT digest FROM sources")
    assert stored == (fingerprint.of_source(sandbox.state, "probe"),)
    assert (stored != (digest,)) == differs


def test_a_film_is_read_once_by_all_runs(sandbox: Sandbox, filmed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "RECENT", -(10**15))  # else what was written just now is read once more
    sandbox.read()
    digest = fingerprint.of_source(sandbox.state, "probe")
    monkeypatch.setattr(hashlib, "file_digest", None)
    assert fingerprint.of_source(sandbox.state, "probe") == digest
    sandbox.write(footage=FOOTAGE, body="Other words.")
    assert not sandbox.read()["probe"].refused


def test_what_is_known_of_films_is_kept(sandbox: Sandbox) -> None:
    known = Film(5, "ab", "etag", Measured("MXF", 2))
    films = sandbox.state.films
    films["s3://films/long.mxf"] = known
    sandbox.state.close()
    assert dict(films) == {"s3://films/long.mxf": known}
    del films["s3://films/long.mxf"]
    assert (len(films), films.get("s3://films/long.mxf")) == (0, None)


def test_the_newsroom_is_read_again_when_a_film_beside_it_is_replaced(tmp_path: Path) -> None:
    content = tmp_path / "content"
    film(content / "film.mov")
    more = 'files = [{file = "film.mov", role = "master"}]\n\n[topics]'
    (content / "newsroom.toml").write_text(NEWSROOM.replace("\n[topics]", more), "utf-8")

    def newsroom() -> tuple[str, str]:
        context = CommandContext(content, tmp_path / "output", {}, tmp_path)
        context.state.prepare()
        (file,) = context.newsroom.footage["archive"].files
        return file.sha256, fingerprint.of_newsroom(context.newsroom, b"")

    first = newsroom()
    assert newsroom() == first
    other_film(content / "film.mov")
    again = newsroom()
    assert again[0] == hashlib.sha256((content / "film.mov").read_bytes()).hexdigest() != first[0]
    assert again[1] != first[1]


def test_formats_are_the_same_where_nothing_measures_a_film_of_the_newsroom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(tmp_path / "film.mov")
    more = 'files = [{file = "film.mov", role = "master"}]\n\n[topics]'
    (tmp_path / "newsroom.toml").write_text(NEWSROOM.replace("\n[topics]", more), "utf-8")
    from pipeline.reader import read_newsroom

    measured = read_newsroom(tmp_path)
    monkeypatch.setattr(measuring, "measures_with", lambda: "")
    unmeasured = read_newsroom(tmp_path)
    assert measured != unmeasured
    assert fingerprint.of_newsroom(measured, b"") == fingerprint.of_newsroom(unmeasured, b"")
    assert fingerprint.of_reading(measured) != fingerprint.of_reading(unmeasured), "it is read again"
