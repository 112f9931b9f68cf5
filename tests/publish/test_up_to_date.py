"""What need not be touched: a release whose fingerprint is public is neither read, rendered nor uploaded again."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from pipeline.build.state import Workshop
from pipeline.model.formats import FORMATS
from pipeline.model.manifest import EMPTY, Manifest, Row, newest_first
from pipeline.publish import up_to_date as settle
from pipeline.publish.candidates import Sorted, sort
from tests.build.test_stages import (
    AHEAD,
    NAMES,
    Bench,
    bench,
    change_address,
    change_mark,
    change_newsroom,
    change_source,
)
from tests.support import reading as texts

__all__ = ["bench"]  # the fixture
ADDRESS = "http://127.0.0.1:9/press/"


def sorted_now(bench: Bench) -> Sorted:
    return sort(bench.workshop, bench.house, bench.workshop.slugs(), bench.now)


def publish(bench: Bench) -> tuple[Row, ...]:
    """Render everything, and take what is ready for public."""
    bench.run(NAMES)
    rows = bench.published.by_slug() | {found.row.slug: found.row for found in sorted_now(bench).ready}
    bench.published = Manifest(bench.published.serial + 1, newest_first(rows.values()))
    return bench.published.rows


def settled(bench: Bench) -> set[str]:
    return settle.settled(bench.workshop, bench.house, settle.sources(bench.workshop))


def unread(bench: Bench) -> list[str]:
    return settle.unread(bench.workshop, bench.published, settle.sources(bench.workshop))


def elsewhere(bench: Bench, folder: Path) -> Bench:
    """Return the same newsroom on a fresh clone."""
    folder.mkdir()
    other = Bench(folder)
    for file in bench.content.iterdir():
        if file.is_file():
            (other.content / file.name).write_bytes(file.read_bytes())
    other.published = bench.published
    return other


# ── Ready, held, broken ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_release_is_ready_when_every_rendition_is_at_hand(bench: Bench) -> None:
    bench.write(topics="[archive]")
    bench.run(NAMES)
    (ready,) = sorted_now(bench).ready
    assert [file.key for file in ready.files] == [row.key("probe") for row in FORMATS]
    assert ready.row.sizes == {row.name: file.size for row, file in zip(FORMATS, ready.files, strict=True)}
    assert ready.row.record == ready.files[-1].sha256
    assert (ready.row.title, ready.row.topics, ready.row.revision, ready.row.withdrawn) == (
        "Probe",
        ("archive",),
        1,
        False,
    )
    for file in ready.files:
        assert isinstance(file.source, Path)
        assert file.source.stat().st_size == file.size


def test_pictures_go_up_with_their_release(bench: Bench) -> None:
    (bench.content / "probe").mkdir()
    (bench.content / "probe" / "tape.png").write_bytes(texts.picture())
    bench.write(body="![A tape](probe/tape.png)")
    bench.run(NAMES)
    (ready,) = sorted_now(bench).ready
    assert ready.files[-1].key == "releases/probe/tape.png"


@pytest.mark.parametrize("name", NAMES)
def test_a_release_that_lacks_a_rendition_is_broken_not_half_published(bench: Bench, name: str) -> None:
    bench.write()
    bench.run(NAMES)
    ledger = bench.workshop.ledger(name)
    bench.workshop.note(name, "probe", None)
    assert sorted_now(bench).broken == ("probe",)
    bench.workshop.note(name, "probe", ledger["probe"])
    assert sorted_now(bench).broken == ()


def test_a_release_that_was_read_and_not_rendered_since_is_broken(bench: Bench) -> None:
    bench.write()
    bench.run(NAMES)
    change_source(bench)
    bench.read()
    assert sorted_now(bench).broken == ("probe",)


def test_a_refused_release_is_broken_and_the_others_are_ready(bench: Bench) -> None:
    bench.write(colour="blue")
    bench.write("whole")
    bench.run(NAMES)
    found = sorted_now(bench)
    assert (found.broken, [ready.row.slug for ready in found.ready]) == (("probe",), ["whole"])


@pytest.mark.parametrize("keys", [{"date": AHEAD}, {"draft": "true"}])
def test_what_waits_is_held(bench: Bench, keys: dict[str, str]) -> None:
    bench.write(**keys)
    bench.run(NAMES)
    assert sorted_now(bench) == Sorted((), ("probe",), ())


def test_by_the_storages_clock_it_is_held_though_ours_says_it_is_time(bench: Bench) -> None:
    bench.write()
    bench.run(NAMES)
    early = bench.now - timedelta(milliseconds=1)
    assert sort(bench.workshop, bench.house, ["probe"], early).held == ("probe",)


def test_what_was_rendered_while_it_waited_is_not_published_as_it_is(bench: Bench) -> None:
    """It may say that it is under embargo, and it lies in the other tree."""
    bench.write(date=AHEAD, embargo="true")
    bench.run(NAMES)
    bench.now += timedelta(seconds=1)
    assert sorted_now(bench).ready == ()
    bench.run(NAMES)
    assert [ready.row.slug for ready in sorted_now(bench).ready] == ["probe"]


# ── Settled ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_public_as_it_would_be_made_is_settled(bench: Bench) -> None:
    bench.write()
    bench.write("draft", draft="true")
    publish(bench)
    assert settled(bench) == {"probe"}
    assert unread(bench) == []


def test_a_fresh_clone_reads_and_renders_nothing_that_is_public(bench: Bench, tmp_path: Path) -> None:
    bench.write()
    publish(bench)
    other = elsewhere(bench, tmp_path / "clone")
    assert settled(other) == {"probe"}
    assert unread(other) == []
    other.write("new")
    assert settled(other) == {"probe"}
    assert unread(other) == ["new"]


@pytest.mark.parametrize("change", [change_source, change_newsroom, change_mark, change_address])
def test_whatever_changes_a_rendition_unsettles_it(bench: Bench, change: object) -> None:
    bench.write()
    publish(bench)
    assert callable(change)
    change(bench)
    assert settled(bench) == set()
    publish(bench)
    assert settled(bench) == {"probe"}


def test_a_new_translation_unsettles_the_pages_that_must_name_it(bench: Bench) -> None:
    bench.write()
    bench.write("alone")
    publish(bench)
    bench.write("probe-ar", language="ar", translation_of="probe")
    bench.read()
    assert settled(bench) == {"alone"}
    publish(bench)
    assert settled(bench) == {"alone", "probe", "probe-ar"}


def test_a_withdrawn_translation_unsettles_the_pages_that_named_it_and_all_come_to_rest(bench: Bench) -> None:
    bench.write()
    bench.write("probe-ar", date="2026-05-01T09:00Z", language="ar", translation_of="probe")
    publish(bench)
    bench.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        translation_of="probe",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    bench.read()
    assert settled(bench) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        bench.render([name], ["probe-ar"])
    assert sorted_now(bench).broken == ()
    publish(bench)
    assert settled(bench) == {"probe", "probe-ar"}


def test_a_notice_names_what_replaces_it_by_its_title_while_that_is_public(bench: Bench, tmp_path: Path) -> None:
    def notice() -> str:
        return (bench.workshop.public / "releases" / "old.html").read_text("utf-8")

    bench.write("old", withdrawn="{date: 2026-06-01T12:00Z, reason: No, replaced_by: probe-ar}")
    bench.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="Before")
    publish(bench)
    assert "instead=Before" in notice()
    assert bench.published.by_slug()["old"].replaced_by == "probe-ar"
    assert settled(bench) == settled(elsewhere(bench, tmp_path / "clone")) == {"old", "probe-ar"}
    bench.write("probe-ar", date="2026-05-01T09:00Z", language="ar", title="After")
    bench.read()
    assert settled(bench) == set()
    for name in NAMES:  # as make does: it knows of the changed one only
        bench.render([name], ["probe-ar"])
    assert "instead=After" in notice()
    assert sorted_now(bench).broken == ()
    publish(bench)
    assert settled(bench) == settled(elsewhere(bench, tmp_path / "later")) == {"old", "probe-ar"}
    bench.write(
        "probe-ar",
        date="2026-05-01T09:00Z",
        language="ar",
        title="After",
        withdrawn="{date: 2026-06-01T12:00Z, reason: No}",
    )
    publish(bench)
    assert "instead=probe-ar" in notice()
    assert settled(bench) == {"old", "probe-ar"}


def test_files_on_their_way_are_never_settled(bench: Bench) -> None:
    """A run was killed while it replaced them: what lies there now may be either."""
    bench.write()
    (row,) = publish(bench)
    half = msgspec.structs.replace(row, replacing={"releases/probe.pdf": "a" * 64})
    bench.published = Manifest(2, (half,))
    assert settled(bench) == set()


def test_what_is_public_and_no_longer_here_is_not_settled_and_not_lost(bench: Bench) -> None:
    bench.write()
    publish(bench)
    (bench.content / "probe.md").unlink()
    assert settled(bench) == set()
    assert bench.published.by_slug()["probe"]


def test_a_source_is_read_once_here_and_not_at_all_when_storage_knows_it(bench: Bench) -> None:
    bench.write()
    assert unread(bench) == ["probe"]
    bench.read()
    assert unread(bench) == []
    change_source(bench)
    assert unread(bench) == ["probe"]


def test_the_manifest_is_remembered_with_its_address(tmp_path: Path) -> None:
    """Another storage knows nothing of it: nothing may seem settled there."""
    workshop = Workshop(tmp_path / "content", tmp_path / "output")
    workshop.prepare()
    manifest = Manifest(serial=3, assets=("assets/page.1.css",))
    assert settle.recall(workshop, ADDRESS) == EMPTY
    settle.remember(workshop, ADDRESS, manifest)
    assert settle.recall(workshop, ADDRESS) == manifest
    assert settle.recall(workshop, "https://elsewhere.example.net/") == EMPTY


def test_a_manuscript_that_was_never_judged_is_read_again(bench: Bench) -> None:
    """A run killed between reading and judging must not let a release through that names one that waits."""
    bench.write()
    bench.read()
    assert unread(bench) == []
    os.utime(bench.workshop.work / "read" / "probe.json", (0, 0))
    assert unread(bench) == ["probe"]
