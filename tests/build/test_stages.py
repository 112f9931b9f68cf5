"""The stages in one process: what is read, where renditions lie, when they are made anew, what may be known."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jinja2 import Environment, FileSystemLoader

from pipeline.build import fingerprint, parity, reading, stages
from pipeline.build.reading import all_listed
from pipeline.build.state import BuildState, ParsedRelease, write_file
from pipeline.model.errors import Fault, RenderError, SettingError
from pipeline.model.formats import FORMATS, Format, Rendition, by_name, formats_of, stage_rows
from pipeline.model.manifest import Manifest, Row
from pipeline.model.release import Related
from pipeline.model.release_index import IndexEntry, ReleaseIndex, translations
from pipeline.reader import read_release
from pipeline.typography import templates
from pipeline.writers import Output, RenderInput
from tests.support import reading as texts
from tests.support import sample
from tests.support.formats import NAMES, STATED, SUFFIXES
from tests.support.in_process import (
    AHEAD,
    BASE,
    NOW,
    PAST,
    Sandbox,
    change_address,
    change_mark,
    change_newsroom,
    change_picture,
    change_source,
)
from tests.support.reading import NEWSROOM
from tests.support.rows import row


def fail_with(error: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    return fail


# ── Where things lie ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_public_release_lies_in_the_public_tree(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    assert sandbox.files() == {f"public/releases/probe{suffix}" for suffix in SUFFIXES}


@pytest.mark.parametrize("keys", [{"date": AHEAD}, {"draft": "true"}], ids=["ahead", "draft"])
def test_what_waits_lies_where_nobody_else_can_look(sandbox: Sandbox, keys: dict[str, str]) -> None:
    sandbox.write(**keys)
    assert sandbox.read()["probe"].unpublished
    steps = sandbox.render(NAMES)
    assert all(step["probe"].unpublished for step in steps.values())
    assert sandbox.files() == {f"waiting/releases/probe{suffix}" for suffix in SUFFIXES}
    for folder in (sandbox.state.waiting, sandbox.state.work):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folders_that_were_opened_are_closed_again(sandbox: Sandbox) -> None:
    sandbox.state.waiting.chmod(0o755)
    sandbox.state.prepare()
    assert stat.S_IMODE(sandbox.state.waiting.stat().st_mode) == 0o700


def test_a_release_is_unpublished_until_the_very_instant_of_its_date_and_public_from_then_on(
    sandbox: Sandbox,
) -> None:
    sandbox.write(date=PAST)
    sandbox.now = NOW - timedelta(milliseconds=1)
    assert sandbox.read()["probe"].unpublished
    sandbox.now = NOW
    assert not sandbox.read()["probe"].unpublished


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/St_Johns", "Europe/London"])
def test_the_instant_is_the_same_wherever_the_newsroom_is(sandbox: Sandbox, zone: str) -> None:
    sandbox.newsroom = msgspec.structs.replace(NEWSROOM, time_zone=zone)
    for date in ("2026-06-02T02:00+14:00", "2026-06-01T09:30-02:30", "2026-06-01T12:00Z"):
        sandbox.write(date=date)
        for before, waits in ((1, True), (0, False)):
            sandbox.now = NOW - timedelta(milliseconds=before)
            assert sandbox.read()["probe"].unpublished is waits


def test_a_leap_day_is_a_day_like_any_other(sandbox: Sandbox) -> None:
    sandbox.write(date="2028-02-29T23:59:59+00:00")
    sandbox.now = datetime(2028, 2, 29, 23, 59, 58, tzinfo=UTC)
    assert sandbox.read()["probe"].unpublished
    sandbox.now = datetime(2028, 3, 1, tzinfo=UTC)
    assert not sandbox.read()["probe"].unpublished


def test_when_its_instant_comes_a_release_moves_and_nothing_of_it_stays_behind(sandbox: Sandbox) -> None:
    (sandbox.content / "probe").mkdir()
    (sandbox.content / "probe" / "tape.png").write_bytes(texts.picture())
    sandbox.write(date=AHEAD, embargo="true", body="![A tape](probe/tape.png)")
    sandbox.run(NAMES)
    assert b"EMBARGOED" in (sandbox.state.waiting / "releases/probe.pdf").read_bytes()
    sandbox.now += timedelta(seconds=1)
    sandbox.run(NAMES)
    formats = formats_of(withdrawn=False, pictured=True, shots=False)
    wanted = {f"public/releases/probe{row.suffix}" for row in formats} | {"public/releases/probe/tape.png"}
    assert sandbox.files() == wanted
    assert b"EMBARGOED" not in (sandbox.state.public / "releases/probe.pdf").read_bytes()


def test_a_release_whose_date_is_moved_ahead_leaves_the_public_tree_with_its_pictures(
    sandbox: Sandbox,
) -> None:
    (sandbox.content / "probe").mkdir()
    (sandbox.content / "probe" / "tape.png").write_bytes(texts.picture())
    sandbox.write(body="![A tape](probe/tape.png)")
    sandbox.run(NAMES)
    assert "public/releases/probe/tape.png" in sandbox.files()
    sandbox.write(date=AHEAD, body="![A tape](probe/tape.png)")
    sandbox.run(NAMES)
    assert not [name for name in sandbox.files() if name.startswith("public/")]


def test_only_what_is_under_embargo_is_marked(sandbox: Sandbox) -> None:
    sandbox.write("held", date=AHEAD)
    sandbox.write("embargoed", date=AHEAD, embargo="true")
    sandbox.write("over", embargo="true")
    sandbox.run()
    marked = {name for name in sandbox.files() if b"EMBARGOED" in (sandbox.output / name).read_bytes()}
    assert marked == {"waiting/releases/embargoed.txt"}


# ── What is made anew ───────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_is_made_twice(sandbox: Sandbox) -> None:
    sandbox.write()
    assert set(sandbox.verbs(NAMES).values()) == {"rendered"}
    before = {path: path.read_bytes() for path in sandbox.state.public.rglob("*.*")}
    assert set(sandbox.verbs(NAMES).values()) == {"unchanged"}
    assert {path: path.read_bytes() for path in sandbox.state.public.rglob("*.*")} == before


@pytest.mark.parametrize(
    "save",
    [
        lambda text: unicodedata.normalize("NFD", text).encode(),
        lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    ],
    ids=["decomposed", "as Windows does"],
)
def test_a_source_that_was_only_saved_again_in_another_form_is_the_same(
    sandbox: Sandbox, save: Callable[[str], bytes]
) -> None:
    """So nothing is rendered, and no correction is asked for."""
    source = sandbox.write(subtitle="Élodie à Zürich")
    sandbox.run(NAMES)
    digest = fingerprint.of_source(sandbox.state, "probe")
    source.write_bytes(save(source.read_text("utf-8")))
    assert fingerprint.of_source(sandbox.state, "probe") == digest
    assert set(sandbox.verbs(NAMES).values()) == {"unchanged"}


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_a_rendition_that_is_lost_or_cut_off_is_made_again(sandbox: Sandbox, damage: Callable[[Path], object]) -> None:
    sandbox.write()
    sandbox.run()
    damage(sandbox.state.public / "releases/probe.txt")
    assert sandbox.verbs() == {"text": "rendered"}


def change_feed(sandbox: Sandbox) -> None:
    sandbox.newsroom = msgspec.structs.replace(sandbox.newsroom, feed_items=5)


def change_printed_address(sandbox: Sandbox) -> None:
    """The storage where the newsroom is now stays the same."""
    sandbox.newsroom = msgspec.structs.replace(sandbox.newsroom, base_url="https://x.example.net/")


def begin_to_sign(sandbox: Sandbox) -> None:
    sandbox.newsroom = msgspec.structs.replace(sandbox.newsroom, signs=True)


def change_nothing(sandbox: Sandbox) -> None:
    sandbox.write()


def a_day_later(sandbox: Sandbox) -> None:
    sandbox.now += timedelta(days=1)


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        (change_source, NAMES),
        (change_picture, NAMES),
        (change_newsroom, NAMES),
        (change_mark, NAMES),
        (change_address, ("html", "json")),
        (change_printed_address, ("pdf",)),
        (begin_to_sign, NAMES),
        (change_feed, ()),
        (change_nothing, ()),
        (a_day_later, ()),
    ],
)
def test_a_change_reaches_the_formats_that_show_it_and_no_other(
    sandbox: Sandbox, change: Callable[[Sandbox], None], anew: tuple[str, ...]
) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    change(sandbox)
    assert tuple(name for name, verb in sandbox.verbs(NAMES).items() if verb == "rendered") == anew


@pytest.mark.parametrize(
    "body",
    [
        "[Read](other.html).",
        "[Read](#here).\n\n## Here",
        "- [Read](other.html)",
        "> **[Read](other.html)**",
        "| [a](other.html) |\n|-|\n| b |",
    ],
)
def test_a_text_that_links_within_the_newsroom_is_made_anew_at_another_address(sandbox: Sandbox, body: str) -> None:
    sandbox.write("other")
    sandbox.write(body=body)
    sandbox.run(NAMES)
    change_address(sandbox)
    assert set(sandbox.verbs(NAMES).values()) == {"rendered"}


def test_formats_that_name_the_page_for_checking_are_made_anew_at_another_address(sandbox: Sandbox) -> None:
    begin_to_sign(sandbox)
    sandbox.write()
    sandbox.run(NAMES)
    change_address(sandbox)
    assert set(sandbox.verbs(NAMES).values()) == {"rendered"}


def test_links_that_leave_the_newsroom_know_no_address(sandbox: Sandbox) -> None:
    sandbox.write(body="[A](https://example.org/a) [b](mailto:a@example.org) and [c](tel:+441)")
    found = sandbox.run()
    assert found["text"]["probe"].verb == "rendered"
    parsed_release = sandbox.state.parsed_release("probe")
    assert parsed_release is not None
    assert not fingerprint.links_home(parsed_release.release)


def test_one_release_changed_is_one_release_made(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.write("other")
    sandbox.run(NAMES)
    change_source(sandbox)
    found = sandbox.run(NAMES)
    assert {steps["other"].verb for steps in found.values()} == {"unchanged"}


def test_a_page_states_the_files_as_they_are(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run(NAMES)
    page = (sandbox.state.public / "releases/probe.html").read_text("utf-8")
    for name in (name for name in by_name("html").after if name in STATED):
        assert f"{name}={sandbox.state.rendered(name)['probe'].rendition.sha256[:8]}" in page


def test_a_page_is_not_made_before_the_files_that_it_states(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.read()
    assert sandbox.render(["html", "json"]) == {"html": {}, "json": {}}
    sandbox.render(["text", "pdf"])
    assert sandbox.render(["html"]) == {"html": {}}


def test_parts_of_a_fingerprint_do_not_run_together() -> None:
    assert fingerprint._digest([b"ab", b"c"]) != fingerprint._digest([b"a", b"bc"])
    assert fingerprint._digest([b"", b"x"]) != fingerprint._digest([b"x", b""])


def test_formats_and_embargo_are_in_the_fingerprint() -> None:
    def stamp(
        name: str, embargoed: bool = False, made: tuple[Rendition, ...] = (), others: tuple[Related, ...] = ()
    ) -> str:
        return fingerprint.of_rendition(by_name(name), "s", "n", BASE, False, embargoed, made, others)

    stamps = [*map(stamp, NAMES), stamp("pdf", True), stamp("html", made=(Rendition("pdf", "k", 1, "d"),)),
              stamp("html", others=(Related("x", "ar", "t"),))]  # fmt: skip
    assert len(set(stamps)) == len(stamps)
    assert stamp("pdf", others=(Related("x", "ar", "t"),)) == stamp("pdf"), "paper names no other release"


@pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)
def test_every_template_that_a_writer_loads_is_in_the_fingerprint(row: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: set[str] = set()
    get_source, text_of = FileSystemLoader.get_source, templates.text_of

    def spy(self: FileSystemLoader, environment: Environment, name: str) -> Any:
        loaded.add(name)
        return get_source(self, environment, name)

    def load_text(name: str) -> str:
        loaded.add(name)
        return text_of(name)

    monkeypatch.setattr(FileSystemLoader, "get_source", spy)
    monkeypatch.setattr(templates, "text_of", load_text)
    templates._environment.cache_clear()
    render_input = sample.render_input()
    files = {made.key: b"x" for made in render_input.renditions}
    stages._writer(row.writer)(msgspec.structs.replace(render_input, files=files if row.packs else {}))
    assert loaded <= {file.name for file in fingerprint.code_and_templates(f"pipeline.writers.{row.writer}")}


def test_digests_of_code_are_kept_between_processes_until_a_file_of_it_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest() -> bytes:
        for cached in (fingerprint.of_code, fingerprint._code_now, fingerprint._bytes, fingerprint._quoted):
            cached.cache_clear()
        return fingerprint.of_code("pipeline.one")

    (tmp_path / "pipeline" / "__pycache__").mkdir(parents=True)
    (tmp_path / "templates" / "words").mkdir(parents=True)
    one, page = tmp_path / "pipeline" / "one.py", tmp_path / "templates" / "page.html.j2"
    one.write_text('"page.html.j2"')
    page.write_text("first")
    for lock in fingerprint.LOCKS:
        (tmp_path / lock).write_text("a==1")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    monkeypatch.setattr(fingerprint, "_DIGESTS", tmp_path / "pipeline" / "__pycache__" / ".digests")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    fingerprint._file.cache_clear()
    try:
        found = [digest()]
        with monkeypatch.context() as patch:
            patch.setattr(fingerprint, "_of_code", lambda modules: pytest.fail("read again"))
            assert digest() == found[0]
        times = page.stat()
        page.write_text("other")
        os.utime(page, ns=(times.st_atime_ns, times.st_mtime_ns))
        found.append(digest())
        one.write_text('"page.html.j2" ')
        found.append(digest())
        (tmp_path / fingerprint.LOCKS[0]).write_text("a==2")
        found.append(digest())
        assert len(set(found)) == 4, "as long and as old as before, or not: it is another file"
        fingerprint._DIGESTS.write_bytes(b"damaged")
        assert digest() == found[-1]
    finally:
        fingerprint._file.cache_clear()
        for cached in (fingerprint.of_code, fingerprint._code_now, fingerprint._bytes, fingerprint._quoted):
            cached.cache_clear()


def test_a_fingerprint_covers_the_code_that_a_format_imports_and_no_other_writer() -> None:
    def names(writer: str) -> set[str]:
        files = fingerprint.code_and_templates(f"pipeline.writers.{writer}")
        return {str(file.relative_to(fingerprint.ROOT)) for file in files}

    assert {"pipeline/writers/text.py", "pipeline/model/document.py", "pipeline/typography/article.py"} <= names("text")
    assert not [name for name in names("text") if name.startswith(("pipeline/writers/pdf", "pipeline/writers/docx"))]
    assert "templates/print.css" in names("pdf")
    assert "templates/print.css" not in names("html")
    assert "templates/page.css" not in names("pdf")


# ── The state ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rubbish", [b"", b"{ not a database", bytes(range(256)) * 64, None])
def test_a_damaged_or_missing_state_costs_time_and_nothing_else(sandbox: Sandbox, rubbish: bytes | None) -> None:
    sandbox.write()
    sandbox.run()
    file = sandbox.state.work / "state.sqlite"
    file.unlink()
    if rubbish is not None:
        file.write_bytes(rubbish)
    sandbox.state = BuildState(sandbox.content, sandbox.output)
    assert sandbox.verbs() == {"text": "rendered"}
    assert sandbox.verbs() == {"text": "unchanged"}


def test_a_state_that_is_damaged_in_the_middle_is_made_anew(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run()
    file = sandbox.state.work / "state.sqlite"
    data = bytearray(file.read_bytes())
    data[100 : len(data) - 100] = b"\xff" * (len(data) - 200)
    file.write_bytes(data)
    sandbox.state = BuildState(sandbox.content, sandbox.output)
    assert sandbox.verbs() == {"text": "rendered"}


def test_processes_that_write_the_state_at_once_lose_nothing(sandbox: Sandbox) -> None:
    program = (
        "import sys; from pathlib import Path; from pipeline.build.state import BuildState\n"
        "state = BuildState(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for number in range(60): state.remember(f'{sys.argv[3]} {number}', number)"
    )
    folders = [str(sandbox.content), str(sandbox.output)]
    writers = [
        subprocess.Popen([sys.executable, "-c", program, *folders, name], cwd=fingerprint.ROOT) for name in "abc"
    ]
    assert [writer.wait(120) for writer in writers] == [0, 0, 0]
    assert all(sandbox.state.recall(f"{name} {number}", int, -1) == number for name in "abc" for number in range(60))


def test_processes_that_name_an_unpublished_release_at_once_give_it_one_name(sandbox: Sandbox) -> None:
    program = (
        "import sys; from pathlib import Path; from pipeline.build.state import BuildState\n"
        "state = BuildState(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "print([state.opaque(f'release-{number}') for number in range(60)])"
    )
    command = [sys.executable, "-c", program, str(sandbox.content), str(sandbox.output)]
    stages = [subprocess.Popen(command, cwd=fingerprint.ROOT, stdout=subprocess.PIPE, text=True) for _ in "abc"]
    names = {stage.communicate(timeout=120)[0] for stage in stages}
    assert len(names) == 1, names
    assert names == {f"{[sandbox.state.opaque(f'release-{number}') for number in range(60)]}\n"}


def test_what_another_version_has_stored_is_left_out(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run()
    sandbox.state.remember("fact", {"of": "another type"})
    assert sandbox.state.recall("fact", int, 7) == 7
    sandbox.state.database.write("UPDATE renditions SET file = ?", b"\xc1")
    assert sandbox.state.rendered("text") == {}
    assert sandbox.verbs() == {"text": "rendered"}


def test_make_is_told_the_next_instant_at_which_a_release_becomes_public(sandbox: Sandbox) -> None:
    marker = sandbox.state.work / "next-instant"
    sandbox.write(date=AHEAD)
    sandbox.write("later", date="2026-07-01T12:00+00:00")
    sandbox.write("idea", date="2026-06-01T12:00:00.0005+00:00", draft="true")
    sandbox.read()
    sandbox.state.note_next_instant(sandbox.now)
    assert marker.stat().st_mtime == pytest.approx(NOW.timestamp() + 0.001, abs=1e-4)
    sandbox.state.note_next_instant(sandbox.now + timedelta(days=60))
    assert not marker.exists()


def test_a_release_is_read_again_when_its_source_the_newsroom_or_a_cached_picture_differs(
    sandbox: Sandbox,
) -> None:
    def out_of_date() -> list[str]:
        return reading.out_of_date(sandbox.state, sandbox.newsroom, sandbox.state.slugs())

    (sandbox.content / "probe").mkdir()
    (sandbox.content / "probe" / "tape.png").write_bytes(texts.picture())
    source = sandbox.write(body="![A tape](probe/tape.png)")
    assert out_of_date() == ["probe"]
    sandbox.read()
    assert out_of_date() == []
    source.touch()
    assert out_of_date() == [], "file times decide nothing"
    shutil.rmtree(sandbox.state.work / "pictures")
    assert out_of_date() == ["probe"]
    sandbox.read()
    change_newsroom(sandbox)
    assert out_of_date() == ["probe"]
    sandbox.read()
    sandbox.write(body="![A tape](probe/tape.png) Older words.")
    os.utime(source, (1, 1))
    assert out_of_date() == ["probe"]


# ── What cannot be read or rendered ─────────────────────────────────────────────────────────────────────────────────


def test_a_release_that_cannot_be_read_leaves_nothing_and_is_told_once(sandbox: Sandbox) -> None:
    sandbox.write(colour="blue")
    sandbox.write("whole")
    found = sandbox.read()
    assert found["probe"].refused
    assert found["probe"].faults[0].source == str(sandbox.content / "probe.md")
    assert list(sandbox.render(NAMES)["text"]) == ["whole"]
    assert not [name for name in sandbox.files() if "probe" in name]


def test_what_was_made_before_the_mistake_stays(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.run()
    sandbox.write(colour="blue")
    assert sandbox.verbs() == {}
    assert "public/releases/probe.txt" in sandbox.files()
    assert sandbox.state.parsed_release("probe") is None
    sandbox.write()
    assert sandbox.verbs() == {"text": "unchanged"}


@pytest.mark.parametrize("kind", ["folder", "dangling"])
def test_a_source_that_is_no_file_costs_only_itself(sandbox: Sandbox, kind: str) -> None:
    sandbox.write("whole")
    odd = sandbox.content / "odd.md"
    odd.mkdir() if kind == "folder" else odd.symlink_to("nowhere")
    found = sandbox.read()
    assert not found["whole"].refused
    assert "odd" not in found or found["odd"].refused


def test_hidden_files_of_editors_are_no_releases(sandbox: Sandbox) -> None:
    sandbox.write("whole")
    (sandbox.content / ".#whole.md").symlink_to("user@host.1234")
    (sandbox.content / ".whole.md.swp").write_bytes(b"\0")
    assert sandbox.state.slugs() == ("whole",)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RenderError("a table is too wide", "make it narrower"), "Text: a table is too wide"),
        (ValueError("odd"), "Text: cannot be rendered: ValueError: odd"),
        (KeyError("gone"), "Text: cannot be rendered: KeyError: 'gone'"),
    ],
)
def test_a_release_that_cannot_be_set_costs_only_itself(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    sandbox.write("hostile")
    sandbox.write("whole")

    def write(render_input: RenderInput) -> Output:
        if render_input.release.slug == "hostile":
            raise error
        return Output(b"words")

    monkeypatch.setattr(stages, "_writer", lambda _: write)
    steps = sandbox.run()["text"]
    assert (steps["hostile"].verb, steps["whole"].verb) == ("failed", "rendered")
    fault = steps["hostile"].fault
    assert isinstance(fault, Fault)
    assert (fault.source, fault.message) == (str(sandbox.content / "hostile.md"), message)
    assert fault.hint
    assert sandbox.files() == {"public/releases/whole.txt"}


# ── Disks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("step", ["write_bytes", "replace", "mkdir"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_fails_leaves_the_old_file_whole_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: int
) -> None:
    file = tmp_path / "file.txt"
    write_file(file, b"old")
    with monkeypatch.context() as patch:
        patch.setattr(Path, step, fail_with(error))
        with pytest.raises(SettingError, match=r"file\.txt: cannot be written: ") as caught:
            write_file(file, b"new")
    assert "OUTPUT=" in caught.value.hint
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_disk_that_is_full_half_way_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "file.txt"
    write_file(file, b"old")

    def half(self: Path, data: bytes) -> int:
        with self.open("wb") as out:
            out.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(SettingError, match="No space left"):
        write_file(file, b"new words")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_stage_on_a_full_disk_keeps_what_it_had(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox.write()
    sandbox.run()
    before = (sandbox.state.public / "releases/probe.txt").read_bytes()
    sandbox.write(title="Changed")
    sandbox.read()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fail_with(errno.ENOSPC))
        with pytest.raises(SettingError, match="cannot be written"):
            sandbox.render()
    assert (sandbox.state.public / "releases/probe.txt").read_bytes() == before
    assert sandbox.verbs() == {"text": "rendered"}


def test_output_that_cannot_be_made_is_a_setting_at_fault(tmp_path: Path) -> None:
    (tmp_path / "output").write_text("a file", "utf-8")
    with pytest.raises(SettingError, match="cannot be written"):
        BuildState(tmp_path / "content", tmp_path / "output").prepare()


# ── Names of what waits ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_waits_is_spoken_of_under_a_random_name_that_stays(sandbox: Sandbox) -> None:
    names = {slug: sandbox.state.opaque(slug) for slug in ("secret", "other")}
    again = BuildState(sandbox.content, sandbox.output)
    assert {slug: again.opaque(slug) for slug in names} == names
    assert len(set(names.values())) == 2
    assert not [name for name in names.values() if "secret" in name or "other" in name]
    assert all(name.startswith("waiting-") for name in names.values())


# ── What may be known of others ─────────────────────────────────────────────────────────────────────────────────────


def test_a_translation_is_named_only_once_it_is_public(sandbox: Sandbox) -> None:
    sandbox.write()
    sandbox.write("probe-ar", date=AHEAD, language="ar", translation_of="probe")
    sandbox.run(NAMES)
    page = sandbox.state.public / "releases/probe.html"
    assert b"[]" in page.read_bytes()
    assert b"[probe]" in (sandbox.state.waiting / "releases/probe-ar.html").read_bytes()
    sandbox.now += timedelta(seconds=1)
    sandbox.read()
    for name in NAMES:  # the translation alone is stale by its time
        sandbox.render([name], ["probe-ar"])
    assert b"[probe-ar]" in page.read_bytes()


@pytest.mark.parametrize("keys", [{"draft": "true"}, {"withdrawn": "{date: 2026-06-01T12:00Z, reason: Wrong}"}])
def test_drafts_and_withdrawn_translations_are_not_named(sandbox: Sandbox, keys: dict[str, str]) -> None:
    sandbox.write()
    sandbox.write("probe-ar", language="ar", translation_of="probe", **keys)
    sandbox.run(NAMES)
    assert b"[]" in (sandbox.state.public / "releases/probe.html").read_bytes()


def test_public_translations_of_other_machines_are_named(sandbox: Sandbox) -> None:
    sandbox.published = Manifest(1, (row("probe-ar", language="ar", translation_of="probe"),))
    sandbox.write()
    sandbox.run(NAMES)
    assert b"[probe-ar]" in (sandbox.state.public / "releases/probe.html").read_bytes()


def known(*listed: IndexEntry) -> dict[str, IndexEntry]:
    return {found.slug: found for found in listed}


def public(sandbox: Sandbox, *rows: Row) -> set[str]:
    found = all_listed(sandbox.state, Manifest(1, rows))
    return {slug for slug, listed in found.items() if listed.is_public(sandbox.now)}


def test_what_is_here_counts_more_than_what_was_published(sandbox: Sandbox) -> None:
    sandbox.write("draft", draft="true")
    sandbox.write("ahead", date=AHEAD)
    sandbox.write("here")
    sandbox.read()
    rows = [row("draft"), row("ahead"), row("elsewhere"), row("gone", withdrawn=True)]
    assert public(sandbox, *rows) == {"here", "elsewhere"}


def test_a_release_that_was_taken_away_is_known_no_longer(sandbox: Sandbox) -> None:
    sandbox.write("here")
    sandbox.read()
    (sandbox.content / "here.md").unlink()
    sandbox.read()
    assert public(sandbox) == set()


ENGLISH, ARABIC, FRENCH = (
    IndexEntry("probe", "en", "Probe", "", NOW),
    IndexEntry("probe-ar", "ar", "مسبار", "probe", NOW),
    IndexEntry("probe-fr", "fr", "Sonde", "probe", NOW),
)
ALONE = IndexEntry("alone", "de", "Allein", "", NOW)


def test_translations_belong_together_by_their_original_and_stand_by_language() -> None:
    all_of_them = ReleaseIndex(known(FRENCH, ALONE, ENGLISH, ARABIC), NOW)
    assert [other.slug for other in all_of_them.related(ENGLISH)] == ["probe-ar", "probe-fr"]
    assert [other.slug for other in all_of_them.related(FRENCH)] == ["probe-ar", "probe"]
    assert all_of_them.related(ALONE) == ()


def test_a_language_is_named_once_and_never_the_pages_own() -> None:
    """A file that was renamed leaves its old name public; another that is gone may be newer."""
    old, newer, renamed = (
        IndexEntry("probe-old", "fr", "Sonde", "probe", NOW, gone=True),
        IndexEntry("probe-newer", "fr", "Sonde", "probe", NOW + timedelta(days=1), gone=True),
        IndexEntry("probe-a", "fr", "Sonde", "probe", NOW),
    )
    for family in ((old, newer, ENGLISH, renamed), (renamed, ENGLISH, newer, old)):
        assert [other.slug for other in translations("probe", "en", family)] == ["probe-a"]
        assert [other.slug for other in translations("probe-a", "fr", family)] == ["probe"]
    assert [other.slug for other in translations("probe", "en", (old, newer))] == ["probe-newer"]
    twin = IndexEntry("another", "en", "Probe", "probe", NOW + timedelta(days=9))
    assert [other.slug for other in translations("probe-fr", "fr", (twin, ENGLISH))] == ["probe"], "the original"


def test_pages_that_name_a_changed_release_are_stale_with_it() -> None:
    all_of_them = ReleaseIndex(known(FRENCH, ALONE, ENGLISH, ARABIC), NOW)
    assert all_of_them.with_related(["probe-ar"]) == ["probe", "probe-ar", "probe-fr"]
    assert all_of_them.with_related(["alone"]) == ["alone"]
    assert all_of_them.with_related(["waiting"]) == ["waiting"]
    assert all_of_them.with_related([]) == []


def test_pages_that_named_a_release_are_stale_when_it_is_gone(sandbox: Sandbox) -> None:
    """The make rules ask for the one that changed only; the page of its translation must not go on linking to it."""
    sandbox.write()
    sandbox.write("probe-ar", language="ar", translation_of="probe")
    sandbox.run(NAMES)
    assert b"[probe-ar]" in (sandbox.state.public / "releases/probe.html").read_bytes()
    sandbox.write("probe-ar", date=AHEAD, language="ar", translation_of="probe")
    sandbox.read()
    for name in NAMES:
        sandbox.render([name], ["probe-ar"])
    assert b"[]" in (sandbox.state.public / "releases/probe.html").read_bytes()


def test_public_release_whose_source_is_elsewhere_is_told_from_those_here(sandbox: Sandbox) -> None:
    sandbox.write("here")
    sandbox.read()
    rows = Manifest(1, (row("here"), row("unread"), row("elsewhere")))
    sandbox.write("unread")
    assert {slug for slug, found in reading.all_listed(sandbox.state, rows).items() if found.gone} == {"elsewhere"}


def test_the_memory_of_what_was_read_is_whole(sandbox: Sandbox) -> None:
    sandbox.write(subtitle="A deck", dateline="London", body="## Head\n\n- one\n- [two](https://example.org/)")
    sandbox.read()
    found = sandbox.state.parsed_release("probe")
    fresh = read_release(sandbox.content / "probe.md", NEWSROOM).release
    assert found == ParsedRelease(fresh, fingerprint.of_source(sandbox.state, "probe"))


def test_a_rendition_with_a_warning_is_kept_and_the_warning_stays_until_the_source_changes(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "check", lambda row, *_: "blanks in “two words”" if row.name == "pdf" else "")
    sandbox.write("one")
    step = sandbox.run(["text", "pdf"])["pdf"]["one"]
    told = (
        f"{sandbox.content / 'one.md'}: warning: PDF: blanks in “two words” [lost-blank]\n  hint: {parity.BLANKS_HINT}"
    )
    assert (step.verb, str(step.fault)) == ("rendered", told)
    assert sandbox.verbs(["text", "pdf"], "one") == {"text": "unchanged", "pdf": "unchanged"}
    assert [str(fault) for fault in stages.warnings(sandbox.state, ["one"])] == [told]
    sandbox.write("one", body="Other words.")
    sandbox.read()
    assert [*stages.warnings(sandbox.state, ["one"])] == []


@pytest.mark.parametrize("name", ["text", "pdf"])
def test_a_rendition_that_says_something_else_is_never_kept(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def check(row: Format, render_input: RenderInput, data: bytes) -> str:
        if render_input.release.slug == "odd" and row.name == name:
            raise RenderError("does not say what the release says: it lacks “words”", parity.HINT)
        return ""

    monkeypatch.setattr(parity, "check", check)
    sandbox.write("odd")
    sandbox.write("whole")
    steps = sandbox.run([name])[name]
    assert (steps["odd"].verb, steps["whole"].verb) == ("failed", "rendered")
    row = by_name(name)
    made = {
        f"public/releases/{slug}{each.suffix}"
        for slug in ("odd", "whole")
        for each in stage_rows(name)
        if not each.of_shots
    }
    assert sandbox.files() == made - {f"public/releases/odd{row.suffix}"}
    assert str(steps["odd"].fault) == (
        f"{sandbox.content / 'odd.md'}: {row.label}: does not say what the release says: it lacks “words”\n"
        f"  hint: {parity.HINT}"
    )
